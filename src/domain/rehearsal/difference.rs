//! What another set of rules would have rung, and what not.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    id::{RuleName, Subject},
    replay::played::{Played, Ring},
    rule::RuleSet,
    text::Message,
    time::Timestamp,
};

/// Examples that are kept of each side of a rule.
pub const EXAMPLES_MAX: usize = 5;

/// What differs for one rule.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleDifference {
    /// Its name; the new one where it was renamed.
    pub name: RuleName,
    /// Rings by the old rules.
    pub before: usize,
    /// Rings by the new rules.
    pub after: usize,
    /// Rings that only the new rules have.
    pub gained: usize,
    /// Rings that only the old rules have.
    pub lost: usize,
    /// Rings that both have, at another instant.
    pub moved: usize,
    /// Examples of rings that only the new rules have.
    pub gained_examples: Vec<Missing>,
    /// Examples of rings that only the old rules have.
    pub lost_examples: Vec<Missing>,
}

/// A ring that the other rules do not have.
#[derive(Clone, Debug, PartialEq)]
pub struct Missing {
    /// What it is about.
    pub subject: Subject,
    /// When it rang.
    pub at: Timestamp,
    /// Why.
    pub why: Message,
}

/// What differs between two plays of the same time, for each rule that either has, in the order of the names.
///
/// Two rings are the same if rule and subject are and they rang at the same time at some time. A rule that was renamed
/// (`formerly`) is one rule.
pub fn difference(
    before: &Played,
    after: &Played,
    old: &RuleSet,
    new: &RuleSet,
    end: Timestamp,
) -> Vec<RuleDifference> {
    let renamed: BTreeMap<&RuleName, &RuleName> = new
        .rules
        .values()
        .flat_map(|rule| rule.formerly.iter().map(move |former| (former, &rule.name)))
        .filter(|(former, _)| !new.rules.contains_key(*former))
        .collect();
    let name_of = |name: &RuleName| -> RuleName { (*renamed.get(name).unwrap_or(&name)).clone() };
    let names: BTreeSet<RuleName> = old.rules.keys().map(name_of).chain(new.rules.keys().cloned()).collect();
    let grouped = |played| group(played, &name_of);
    let (before, after) = (grouped(before), grouped(after));
    let none = BTreeMap::new();
    names
        .into_iter()
        .map(|name| {
            let (old, new) = (before.get(&name).unwrap_or(&none), after.get(&name).unwrap_or(&none));
            of_rule(name, old, new, end)
        })
        .collect()
}

type Rings<'a> = BTreeMap<&'a Subject, Vec<&'a Ring>>;

fn group<'a>(played: &'a Played, name_of: &dyn Fn(&RuleName) -> RuleName) -> BTreeMap<RuleName, Rings<'a>> {
    let mut groups: BTreeMap<RuleName, Rings<'a>> = BTreeMap::new();
    for ring in &played.rings {
        groups.entry(name_of(&ring.rule)).or_default().entry(&ring.subject).or_default().push(ring);
    }
    groups
}

fn of_rule(name: RuleName, old: &Rings<'_>, new: &Rings<'_>, end: Timestamp) -> RuleDifference {
    let count = |rings: &Rings<'_>| rings.values().map(Vec::len).sum();
    let mut found = RuleDifference {
        name,
        before: count(old),
        after: count(new),
        gained: 0,
        lost: 0,
        moved: 0,
        gained_examples: Vec::new(),
        lost_examples: Vec::new(),
    };
    let subjects: BTreeSet<&Subject> = old.keys().chain(new.keys()).copied().collect();
    for subject in subjects {
        let of = |rings: &Rings<'_>| -> Vec<Ring> {
            rings.get(subject).into_iter().flatten().map(|ring| (*ring).clone()).collect()
        };
        let (old, mut new) = (of(old), of(new));
        for ring in old {
            match new.iter().position(|other| overlap(&ring, other, end)) {
                Some(at) => found.moved += usize::from(new.remove(at).fired_at != ring.fired_at),
                None => {
                    found.lost += 1;
                    keep(&mut found.lost_examples, &ring);
                }
            }
        }
        found.gained += new.len();
        new.iter().for_each(|ring| keep(&mut found.gained_examples, ring));
    }
    found
}

fn keep(examples: &mut Vec<Missing>, ring: &Ring) {
    if examples.len() < EXAMPLES_MAX {
        examples.push(Missing { subject: ring.subject.clone(), at: ring.fired_at, why: ring.why.clone() });
    }
}

/// Whether both rang at some instant; what still rings at the end rings until there.
fn overlap(one: &Ring, other: &Ring, end: Timestamp) -> bool {
    let over = |ring: &Ring| ring.ended.map_or(end, |(at, _)| at);
    one.fired_at <= over(other) && other.fired_at <= over(one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        alert::EndReason,
        condition::Condition,
        id::{SourceName, TicketId, TicketKey},
        rule::{Rule, Severity},
    };

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_ms(minute * 60_000)
    }

    fn ring(rule: &str, ticket: &str, from: i64, until: Option<i64>) -> Ring {
        Ring {
            rule: RuleName::from(rule),
            subject: Subject::Ticket(TicketKey::new(SourceName::from("desk"), TicketId::from(ticket))),
            episode: 1,
            severity: Severity::Warning,
            fired_at: at(from),
            ended: until.map(|minute| (at(minute), EndReason::Cleared)),
            trial: false,
            why: Message::new("因为", "because"),
        }
    }

    fn rules(names: &[(&str, &str)]) -> RuleSet {
        let rule = |(name, formerly): &(&str, &str)| {
            let formerly = Some(*formerly).filter(|name| !name.is_empty()).map(RuleName::from).into_iter().collect();
            let rule = Rule { formerly, ..Rule::new(RuleName::from(*name), Condition::All(vec![])) };
            (rule.name.clone(), rule)
        };
        RuleSet { rules: names.iter().map(rule).collect() }
    }

    #[test]
    fn rings_are_matched_by_what_they_are_about_and_when() {
        let before = Played {
            rings: vec![
                ring("stays", "1", 10, Some(20)),
                ring("stays", "2", 10, None),
                ring("later", "1", 10, Some(60)),
                ring("later", "2", 10, Some(30)),
                ring("old name", "1", 5, Some(6)),
                ring("dropped", "1", 5, Some(6)),
            ],
            ..Played::default()
        };
        let after = Played {
            rings: vec![
                ring("stays", "1", 10, Some(20)),
                ring("stays", "2", 10, None),
                ring("later", "1", 40, Some(60)),
                ring("new name", "1", 5, Some(6)),
                ring("fresh", "9", 50, None),
                ring("fresh", "9", 70, None),
            ],
            ..Played::default()
        };
        let old = rules(&[("stays", ""), ("later", ""), ("old name", ""), ("dropped", "")]);
        let new = rules(&[("stays", ""), ("later", ""), ("new name", "old name"), ("fresh", "")]);
        let found = difference(&before, &after, &old, &new, at(100));
        let told: Vec<String> = found
            .iter()
            .map(|rule| {
                let RuleDifference { name, before, after, gained, lost, moved, .. } = rule;
                format!("{name}: {before} → {after}, gained {gained}, lost {lost}, moved {moved}")
            })
            .collect();
        let expected = [
            "dropped: 1 → 0, gained 0, lost 1, moved 0",
            "fresh: 0 → 2, gained 2, lost 0, moved 0",
            "later: 2 → 1, gained 0, lost 1, moved 1",
            "new name: 1 → 1, gained 0, lost 0, moved 0",
            "stays: 2 → 2, gained 0, lost 0, moved 0",
        ];
        assert_eq!(told, expected);
        assert_eq!(found[2].lost_examples[0].at, at(10));
        assert_eq!(found[1].gained_examples.len(), 2);
    }
}
