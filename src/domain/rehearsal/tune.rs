//! Rules with another number: how often would this one ring if it waited longer?

use std::sync::Arc;

use crate::domain::{
    calendar::Wait,
    condition::{Bound, ClockTest, Condition, Operator},
    rule::{Count, Rule, RuleKind, Until},
    sla::{Sla, SlaTarget},
    text::{Message, Words},
    time::Span,
};

/// Factors that are tried on a rule that rings too often, in hundredths.
pub const FACTORS: [u32; 3] = [150, 200, 300];

/// A rule with other numbers.
#[derive(Clone, Debug)]
pub struct Tuned {
    /// The rule.
    pub rule: Rule,
    /// What was changed: `age 30m → 45m`.
    pub change: Message,
}

/// The wait that a rule without any number is given, for a factor of 100.
const HOLD: Span = Span::from_mins(10);

/// The rule waiting `percent` hundredths as long: its clocks, else its `for`, else the targets of its service level,
/// else the numbers it counts to; a rule without any of these that ends by itself is given a `for`. Nothing where
/// waiting makes no difference.
pub fn tuned(rule: &Rule, percent: u32) -> Option<Tuned> {
    let mut turned = Turned { percent, first: None };
    let mut rule = rule.clone();
    rule.when = turned.condition(&rule.when);
    if turned.first.is_none() && !rule.hold.is_none() {
        rule.hold.span = turned.span(rule.hold.span, FOR);
    }
    if turned.first.is_none() {
        rule.kind = match rule.kind {
            RuleKind::Ticket => RuleKind::Ticket,
            RuleKind::Sla(sla) => RuleKind::Sla(turned.sla(sla)),
            RuleKind::Count(count) => RuleKind::Count(turned.count(count)),
        };
    }
    let ends_by_itself = matches!((&rule.kind, &rule.until), (RuleKind::Ticket, Until::Cleared));
    if turned.first.is_none() && ends_by_itself && !rule.is_event() {
        rule.hold = Wait { span: Span::from_ms(HOLD.times(i64::from(percent)).as_ms() / 100), pace: rule.pace.clone() };
        let span = short(rule.hold.span);
        turned.first = Some(Message::new(format!("加上 for: {span}"), format!("adding for: {span}")));
    }
    let change = turned.first?;
    Some(Tuned { rule, change })
}

/// What `for` is called.
const FOR: Words = Words { zh: "for", en: "for" };

/// Turns numbers, and remembers the first it turned.
struct Turned {
    percent: u32,
    first: Option<Message>,
}

impl Turned {
    fn condition(&mut self, condition: &Condition) -> Condition {
        let mut every = |parts: &[Condition]| parts.iter().map(|part| self.condition(part)).collect();
        match condition {
            Condition::All(parts) => Condition::All(every(parts)),
            Condition::Any(parts) => Condition::Any(every(parts)),
            Condition::Clock(ClockTest { clock, bound: Bound::AtLeast(span), pace }) => {
                let span = self.span(*span, clock.words());
                Condition::Clock(ClockTest { clock: *clock, bound: Bound::AtLeast(span), pace: pace.clone() })
            }
            Condition::Meets(name, meant) => Condition::Meets(name.clone(), Arc::new(self.condition(meant))),
            // What must not be so would ring more often with a larger number, not less.
            Condition::None(_)
            | Condition::Not(_)
            | Condition::Test(_)
            | Condition::Clock(_)
            | Condition::Was(_)
            | Condition::Changed(_) => condition.clone(),
        }
    }

    fn sla(&mut self, sla: Sla) -> Sla {
        let name = sla.clock.words();
        let targets = sla.targets.into_iter().map(|target| SlaTarget { is: self.span(target.is, name), ..target });
        Sla { targets: targets.collect(), ..sla }
    }

    fn count(&mut self, count: Count) -> Count {
        let when = count.when.iter().map(|operator| match operator {
            Operator::AtLeast(number) => Operator::AtLeast(self.number(*number)),
            Operator::Above(number) => Operator::Above(self.number(*number)),
            other => other.clone(),
        });
        Count { when: when.collect(), ..count }
    }

    fn span(&mut self, span: Span, name: Words) -> Span {
        let turned = Span::from_ms(span.times(i64::from(self.percent)).as_ms() / 100);
        self.note(name, &short(span), &short(turned));
        turned
    }

    fn number(&mut self, number: f64) -> f64 {
        let turned = (number * f64::from(self.percent) / 100.0).ceil();
        self.note(Words { zh: "数量", en: "count" }, &number.to_string(), &turned.to_string());
        turned
    }

    fn note(&mut self, name: Words, from: &str, to: &str) {
        let said = |name| format!("{name} {from} → {to}");
        self.first.get_or_insert_with(|| Message::new(said(name.zh), said(name.en)));
    }
}

/// A span as rules write it, its two largest units: `1h30m`, `2d4h`.
pub fn short(span: Span) -> String {
    let secs = span.as_secs();
    let units = [(secs / 86_400, "d"), (secs / 3_600 % 24, "h"), (secs / 60 % 60, "m"), (secs % 60, "s")];
    let mut out = String::new();
    for (count, unit) in units.into_iter().skip_while(|(count, _)| *count == 0).take(2).filter(|(count, _)| *count > 0)
    {
        out.push_str(&format!("{count}{unit}"));
    }
    if out.is_empty() { "0m".to_string() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{calendar::Pace, condition::Clock, id::RuleName};

    fn clock(bound: Bound) -> Condition {
        Condition::Clock(ClockTest { clock: Clock::Age, bound, pace: Pace::Wall })
    }

    fn rule(when: Condition) -> Rule {
        Rule { until: Until::Handled, ..Rule::new(RuleName::from("r"), when) }
    }

    #[test]
    fn the_number_that_makes_a_rule_wait_is_turned() {
        let half_hour = Span::from_mins(30);
        let hold = Wait::wall(Span::from_mins(10));
        let at_least = || clock(Bound::AtLeast(half_hour));
        let sla = Sla {
            clock: Clock::FirstResponse,
            pauses: Arc::from([]),
            targets: vec![SlaTarget { when: None, is: Span::from_hours(4), pace: Pace::Wall }],
        };
        let count = Count { per: None, when: vec![Operator::AtLeast(5.0)], within: None, clear: vec![] };
        let cases: Vec<(Rule, u32, Option<&str>)> = vec![
            (rule(Condition::All(vec![at_least(), clock(Bound::Under(half_hour))])), 150, Some("age 30m → 45m")),
            (Rule { hold: hold.clone(), ..rule(at_least()) }, 300, Some("age 30m → 1h30m")),
            (Rule { hold, ..rule(clock(Bound::Under(half_hour))) }, 200, Some("for 10m → 20m")),
            (rule(Condition::Not(Box::new(at_least()))), 200, None),
            (Rule { kind: RuleKind::Sla(sla), ..rule(Condition::All(vec![])) }, 150, Some("first_response 4h → 6h")),
            (Rule { kind: RuleKind::Count(count), ..rule(Condition::All(vec![])) }, 150, Some("count 5 → 8")),
            (Rule { until: Until::Cleared, ..rule(Condition::Any(vec![])) }, 300, Some("adding for: 30m")),
            (Rule { until: Until::Cleared, ..rule(Condition::Changed(Arc::from([]))) }, 300, None),
            (rule(Condition::Meets("x".into(), Arc::new(at_least()))), 200, Some("age 30m → 1h")),
        ];
        for (rule, percent, expected) in cases {
            let found = tuned(&rule, percent).map(|tuned| tuned.change.en);
            assert_eq!(found.as_deref(), expected, "{}", rule.when);
        }
        let turned = tuned(&rule(at_least()), 200).unwrap().rule.when.to_string();
        assert_eq!(turned, clock(Bound::AtLeast(Span::from_hours(1))).to_string());
    }

    #[test]
    fn spans_are_short() {
        for (secs, text) in [(0, "0m"), (59, "59s"), (90, "1m30s"), (5_400, "1h30m"), (86_460, "1d"), (97_200, "1d3h")]
        {
            assert_eq!(short(Span::from_secs(secs)), text);
        }
    }
}
