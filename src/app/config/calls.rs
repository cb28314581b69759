//! What reading will cost: the API calls a month that schedules and rules ask for, before the engine stretches them.

use std::{collections::BTreeMap, fmt::Write};

use crate::{
    app::config::{schedule::rhythm, sources::Source},
    domain::{
        id::{RuleName, SourceName},
        plan::{Load, Plan, calls_per_month},
        reading::{
            pass::{ListLimits, Pass},
            scope::SweepScope,
        },
        rule::{Rule, RuleSet},
        text::{Message, grouped},
        time::{Span, Timestamp, Zone},
    },
};

/// Tickets of a source assumed to change in a day: nobody knows before it runs.
pub const CHANGES_A_DAY: u64 = 200;

/// The API calls a month that schedules and rules ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls {
    /// How many there are.
    pub plan: Plan,
    /// Per source: polls, sweeps, messages.
    pub sources: Vec<SourceCalls>,
    /// The rules that look at messages, and what each alone would take. What they read they share.
    pub by_rule: Vec<(RuleName, u64)>,
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
    /// What reading the messages of changed tickets asks for, if a rule looks at them.
    pub messages: Option<Load>,
    /// All of it, in a month.
    pub total: u64,
}

/// Counts what the schedules ask for, one page per list.
pub fn count(plan: Plan, sources: &BTreeMap<SourceName, Source>, rules: &RuleSet, zone: Zone) -> Calls {
    in_all(plan, sources.values().map(|source| of_source(source, rules, zone)).collect(), rules)
}

fn in_all(plan: Plan, sources: Vec<SourceCalls>, rules: &RuleSet) -> Calls {
    let loads: Vec<Load> = sources.iter().flat_map(SourceCalls::loads).collect();
    let needing = rules.rules.values().filter(|rule| rule.needs_messages());
    let alone = |rule: &Rule| {
        let watched = sources.iter().filter(|source| rule.watches(&source.source)).count();
        (rule.name.clone(), calls_per_month(&vec![MESSAGES; watched]))
    };
    let by_rule = needing.map(alone).filter(|(_, calls)| *calls > 0).collect();
    Calls { plan, total: calls_per_month(&loads), sources, by_rule }
}

/// One call for each ticket that changes: more than a page of messages is rare.
const MESSAGES: Load = Load { calls: CHANGES_A_DAY, every: Span::from_days(1) };

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
    let needed = rules.rules.values().any(|rule| rule.watches(&source.name) && rule.needs_messages());
    let mut calls = SourceCalls {
        source: source.name.clone(),
        poll_every: poll_rhythm.usual,
        poll,
        sweep,
        messages: needed.then_some(MESSAGES),
        total: 0,
    };
    calls.total = calls_per_month(&calls.loads().collect::<Vec<_>>());
    calls
}

impl SourceCalls {
    fn loads(&self) -> impl Iterator<Item = Load> + use<> {
        [Some(self.poll), Some(self.sweep), self.messages].into_iter().flatten()
    }
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
            let messages = source.messages.map(|load| grouped(calls_per_month(&[load])));
            let also = messages.map_or_else(Message::default, |messages| {
                Message::new(format!("，工单消息 {messages}"), format!(", messages {messages}"))
            });
            // Writing into a String does not fail.
            writeln!(zh, "数据源 {name}：每月约 {total} 次 API 调用（轮询 {poll}，全量核对 {sweep}{}）", also.zh).ok();
            writeln!(en, "source {name}: about {total} API calls a month (polls {poll}, sweeps {sweep}{})", also.en)
                .ok();
        }
        for (rule, calls) in &self.by_rule {
            let calls = grouped(*calls);
            writeln!(zh, "规则 {rule} 需要工单消息：约 +{calls} 次/月（按每个数据源每天 {CHANGES_A_DAY} 张工单有变化估计；几条规则共用一次读取）").ok();
            writeln!(en, "rule {rule} needs the messages of tickets: about +{calls} a month (assuming {CHANGES_A_DAY} tickets of a source change in a day; rules share what is read)").ok();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        condition::{Condition, Operator, Target, Test},
        field::Field,
    };

    #[test]
    fn what_rules_read_of_messages_is_counted_once_a_source() {
        let guest_message = Field::find("guest_message").unwrap();
        let test = Test { target: Target::Field(guest_message), operator: Operator::Exists(true) };
        let needy = |name: &str| Rule::new(name.into(), Condition::Test(test.clone()));
        let plain = Rule::new("plain".into(), Condition::All(Vec::new()));
        let elsewhere = Rule { sources: Some(vec!["other".into()]), ..needy("elsewhere") };
        let rules = [needy("a"), needy("b"), plain, elsewhere].map(|rule| (rule.name.clone(), rule));
        let rules = RuleSet { rules: rules.into_iter().collect() };
        let poll = Load { calls: 1, every: Span::from_days(1) };
        let calls = |rules: &RuleSet| {
            let needed = rules.rules.values().any(|rule| rule.watches(&"desk".into()) && rule.needs_messages());
            let messages = needed.then_some(MESSAGES);
            let source =
                SourceCalls { source: "desk".into(), poll_every: poll.every, poll, sweep: poll, messages, total: 60 };
            in_all(Plan::Paid, vec![source], rules)
        };
        let with = calls(&rules);
        assert_eq!(with.by_rule, [("a".into(), 6_000), ("b".into(), 6_000)]);
        assert_eq!(with.total, 60 + 6_000, "what is read serves both");
        assert!(with.words().zh.contains("规则 a 需要工单消息：约 +6,000 次/月"), "{}", with.words());
        assert!(with.words().en.contains("messages 6,000"), "{}", with.words());
        let without = calls(&RuleSet::default());
        assert_eq!((without.total, without.by_rule.len()), (60, 0));
        assert!(!without.words().zh.contains("消息"), "{}", without.words());
    }
}
