//! The hash of what decides whether a rule holds: editing anything else rings nobody again.

use std::fmt::Write;

use xxhash_rust::xxh3::xxh3_64;

use crate::domain::{
    condition::Operator,
    rule::{Count, Rule, RuleKind, Rung, RungAt, Until},
    sla::{Sla, SlaAt},
    time::Span,
};

/// The hash of a rule as it was written: what the vendor calls its fields today is not part of it, nor are texts,
/// templates, receivers, and what happens after it rang.
pub(super) fn meaning_of(rule: &Rule) -> u64 {
    let until = match &rule.until {
        Until::Cleared => "cleared".to_string(),
        Until::Handled => "handled".to_string(),
        Until::Holds(condition) => format!("holds {condition}"),
    };
    let mut text = format!(
        "sources {:?}\nwhen {}\nfor {}\nuntil {until}\nexpires {:?}",
        rule.sources,
        rule.when,
        rule.hold,
        rule.expires.map(Span::as_ms)
    );
    // What follows stands only where it is said, so that rules without it keep the hash they had before it existed.
    if rule.keep_firing_for > Span::ZERO {
        add(&mut text, format_args!("keep {}", rule.keep_firing_for.as_ms()));
    }
    match &rule.kind {
        RuleKind::Ticket => {}
        RuleKind::Sla(sla) => add_sla(&mut text, sla, &rule.ladder),
        RuleKind::Count(count) => add_count(&mut text, count),
    }
    xxh3_64(text.as_bytes())
}

fn add(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing into a String does not fail.
    write!(text, "\n{line}").ok();
}

fn add_sla(text: &mut String, sla: &Sla, steps: &[Rung]) {
    add(text, format_args!("clock {} pauses {:?}", sla.clock.name(), sla.pauses));
    for target in &sla.targets {
        let is = format!("{}{}", target.is.as_ms(), target.pace);
        match &target.when {
            Some(when) => add(text, format_args!("target {is} when {when}")),
            None => add(text, format_args!("target {is}")),
        }
    }
    for step in steps {
        match step.at {
            RungAt::Sla(SlaAt::Percent(percent)) => add(text, format_args!("at {percent}%")),
            RungAt::Sla(SlaAt::Before(span)) => add(text, format_args!("at -{}", span.as_ms())),
            RungAt::Sla(SlaAt::Past(span)) => add(text, format_args!("at +{}", span.as_ms())),
            RungAt::After(_) => {}
        }
    }
}

fn add_count(text: &mut String, count: &Count) {
    let listed = |demands: &[Operator]| demands.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let per = count.per.as_ref().map(ToString::to_string);
    add(text, format_args!("count per {per:?} within {:?}", count.within.map(Span::as_ms)));
    add(text, format_args!("number {} clear {}", listed(&count.when), listed(&count.clear)));
}
