//! The rules of a case with `tended`: `waiting` with a ladder, a short patience for whoever took it, and someone to fall
//! back on; `phones`: `urgent` alone, with a step that phones; `twice` with two steps, `bot` told to a receiver whose
//! messages cannot be updated, `mentions` with someone to mention.

use deskbell::domain::{
    calendar::Wait,
    id::RuleName,
    rule::{Mention, RuleSet, Rung, RungAt, To, Urgent},
    time::Span,
};

use crate::histories::{kinds, oracle, people};

pub(super) fn rules(how: &str) -> RuleSet {
    let mut rules = people::impatient(kinds::rules());
    let mut urgent = rules.rules[&RuleName::from("urgent")].clone();
    urgent.ladder.push(Rung {
        at: RungAt::After(Wait::wall(Span::from_mins(20))),
        severity: None,
        to: To::Receiver("leads".into()),
        template: None,
        mention: Some(Mention::Person("ou_li".into())),
        urgent: Some(Urgent::Phone),
    });
    let waiting = rules.rules.get_mut(&RuleName::from(oracle::WAITING)).unwrap();
    let mut second = waiting.ladder[0].clone();
    second.at = RungAt::After(Wait::wall(Span::from_hours(3)));
    match how {
        "twice" => waiting.ladder.push(second),
        "bot" => {
            waiting.ladder[0].to = To::Receiver("bot".into());
            waiting.fallback = Some(To::Receiver("bot".into()));
        }
        "mentions" => waiting.notify[0].mention = Some(Mention::Person("li@example.com".into())),
        _ => {}
    }
    if how == "phones" {
        return RuleSet { rules: [(urgent.name.clone(), urgent)].into() };
    }
    rules.rules.retain(|name, _| [oracle::WAITING, "bad-score"].contains(&name.as_str()));
    rules
}
