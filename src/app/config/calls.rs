//! What polling will cost: the API calls a month that schedules and rules ask for, before the engine stretches them.

use std::{collections::BTreeMap, fmt::Write};

use crate::{
    app::config::{schedule::rhythm, sources::Source},
    domain::{
        id::SourceName,
        plan::{Load, Plan, calls_per_month},
        reading::{
            pass::{ListLimits, Pass},
            scope::SweepScope,
        },
        rule::RuleSet,
        text::Message,
        time::{Span, Timestamp, Zone},
    },
};

/// The API calls a month that the schedules ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls {
    /// How many there are.
    pub plan: Plan,
    /// Per source: polls and sweeps.
    pub sources: Vec<SourceCalls>,
    /// All of them.
    pub total: u64,
}

/// One source's part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceCalls {
    /// Its name.
    pub source: SourceName,
    /// The usual time between two polls.
    pub poll_every: Span,
    /// What polling asks for.
    pub poll: Load,
    /// What sweeping asks for.
    pub sweep: Load,
    /// Both, in a month.
    pub total: u64,
}

/// Counts what the schedules ask for, one page per list.
pub fn count(plan: Plan, sources: &BTreeMap<SourceName, Source>, rules: &RuleSet, zone: Zone) -> Calls {
    let sources: Vec<SourceCalls> = sources.values().map(|source| of_source(source, rules, zone)).collect();
    let loads: Vec<Load> = sources.iter().flat_map(|source| [source.poll, source.sweep]).collect();
    Calls { plan, sources, total: calls_per_month(&loads) }
}

fn of_source(source: &Source, rules: &RuleSet, zone: Zone) -> SourceCalls {
    let at = Timestamp::from_ms(0);
    let limits = ListLimits::FEISHU_HELPDESK;
    let lists = |pass: Pass| u64::from(pass.lists());
    let poll_rhythm = rhythm(&source.poll, zone);
    let poll = Load { calls: lists(Pass::increment(limits, at, source.overlap, at)), every: poll_rhythm.average };
    let sweep = Load {
        calls: lists(Pass::sweep(limits, &SweepScope::of(rules, &source.name), at)),
        every: rhythm(&source.sweep, zone).average,
    };
    let total = calls_per_month(&[poll, sweep]);
    SourceCalls { source: source.name.clone(), poll_every: poll_rhythm.usual, poll, sweep, total }
}

impl Calls {
    /// Whether polling asks for more than its part of the plan.
    pub fn is_over(&self) -> bool {
        self.plan.for_polling().is_some_and(|budget| self.total > budget)
    }

    /// The count in words, a line per source.
    pub fn words(&self) -> Message {
        let (mut zh, mut en) = (String::new(), String::new());
        for source in &self.sources {
            let name = &source.source;
            let (poll, sweep) = (calls_per_month(&[source.poll]), calls_per_month(&[source.sweep]));
            let (poll, sweep, total) = (grouped(poll), grouped(sweep), grouped(source.total));
            // Writing into a String does not fail.
            writeln!(zh, "数据源 {name}：每月约 {total} 次 API 调用（轮询 {poll}，全量核对 {sweep}）").ok();
            writeln!(en, "source {name}: about {total} API calls a month (polls {poll}, sweeps {sweep})").ok();
        }
        let total = grouped(self.total);
        match self.plan.monthly().zip(self.plan.for_polling()) {
            None => {
                zh += &format!("合计约 {total} 次；feishu.plan 是 paid，不限次数");
                en += &format!("about {total} in all; feishu.plan is paid: no limit");
            }
            Some((all, polling)) => {
                let (all, polling) = (grouped(all), grouped(polling));
                zh += &format!("合计约 {total} 次；套餐每月 {all} 次，其中 {polling} 次给轮询，其余留给发送和查询");
                en += &format!(
                    "about {total} in all; the plan has {all} a month, {polling} of them for polling, the rest for sending and lookups"
                );
            }
        }
        Message { zh, en }
    }
}

/// `1234567` as `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }
}
