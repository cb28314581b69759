//! Counting rules: how many tickets each group has, and what becomes of the group's alert.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::domain::{
    alert::{Alert, AlertKey},
    condition::{Operator, Target},
    desk::{
        hearing::Hearing,
        ladder::Outlook,
        life,
        machine::{Desk, Duty, FRESH, REFRESH_PATIENCE},
        outcome::Effect,
    },
    field::Value,
    id::{RuleName, SourceName, Subject, TicketKey},
    judge::number_holds,
    rule::{Count, Rule, RuleKind},
    seen::Seen,
    ticket::Known,
    time::{Span, Timestamp},
    verdict::{self, Answer, Verdict},
    wording::grouped,
};

/// Pause between two requests for a group's fresh data.
const REFRESH_AGAIN: Span = Span::from_secs(15);

/// The tickets of one counting rule.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// What the rule meant when it began to count.
    meaning: u64,
    members: BTreeMap<TicketKey, Member>,
    counts: BTreeMap<Arc<str>, usize>,
    /// When members fall out of the window.
    leaving: BTreeSet<(Timestamp, TicketKey)>,
    /// Groups that must be judged, and whether fresh data says so.
    touched: BTreeMap<Arc<str>, bool>,
    /// When each group must be looked at again.
    due: BTreeMap<Arc<str>, Timestamp>,
    /// Since when a group waits for fresh data.
    waiting: BTreeMap<Arc<str>, Timestamp>,
}

/// A ticket on which the condition holds, or held within the window.
#[derive(Debug)]
struct Member {
    group: Arc<str>,
    holds: bool,
    counted: bool,
    leaves_at: Timestamp,
}

impl Tally {
    /// Takes in what the condition says of a ticket; where nobody can tell, the ticket stays what it was.
    fn note(
        &mut self,
        key: &TicketKey,
        answer: Answer,
        group: Arc<str>,
        since: Timestamp,
        within: Option<Span>,
        now: Timestamp,
    ) {
        let holds = match answer {
            Answer::Unknown => return,
            answer => answer == Answer::Yes,
        };
        match self.members.get_mut(key) {
            None if !holds => {}
            None => {
                let leaves_at = within.map_or(Timestamp::NEVER, |within| since.plus(within));
                let counted = leaves_at > now;
                if counted {
                    self.add(&group, 1);
                    if !leaves_at.is_never() {
                        self.leaving.insert((leaves_at, key.clone()));
                    }
                }
                self.members.insert(key.clone(), Member { group, holds, counted, leaves_at });
            }
            // A window remembers what began within it, whatever became of it.
            Some(member) if !holds && within.is_some() && member.counted => member.holds = false,
            Some(_) if !holds => self.remove(key),
            Some(member) if member.group == group => member.holds = true,
            Some(member) => {
                member.holds = true;
                let (old, counted) = (std::mem::replace(&mut member.group, Arc::clone(&group)), member.counted);
                if counted {
                    self.add(&old, -1);
                    self.add(&group, 1);
                }
            }
        }
    }

    fn remove(&mut self, key: &TicketKey) {
        let Some(member) = self.members.remove(key) else { return };
        self.leaving.remove(&(member.leaves_at, key.clone()));
        if member.counted {
            self.add(&member.group, -1);
        }
    }

    fn add(&mut self, group: &Arc<str>, by: isize) {
        let count = self.counts.entry(Arc::clone(group)).or_default();
        *count = count.saturating_add_signed(by);
        if *count == 0 {
            self.counts.remove(group);
        }
        self.touched.entry(Arc::clone(group)).or_insert(false);
    }

    /// Lets go of those whose time in the window is over.
    fn leave(&mut self, now: Timestamp) {
        while let Some((at, _)) = self.leaving.first()
            && *at <= now
        {
            let Some((_, key)) = self.leaving.pop_first() else { return };
            let Some(member) = self.members.get_mut(&key) else { continue };
            member.counted = false;
            let (group, holds) = (Arc::clone(&member.group), member.holds);
            self.add(&group, -1);
            if !holds {
                self.members.remove(&key);
            }
        }
    }

    /// Instants of a time that did not happen are forgotten: the groups are judged anew.
    pub(super) fn rewind(&mut self) {
        let due = std::mem::take(&mut self.due);
        self.touched.extend(due.into_keys().map(|group| (group, false)));
        self.waiting.clear();
    }

    fn next_due(&self) -> Timestamp {
        let leaving = self.leaving.first().map_or(Timestamp::NEVER, |(at, _)| *at);
        let touched = if self.touched.is_empty() { Timestamp::NEVER } else { Timestamp::MIN };
        self.due.values().copied().min().unwrap_or(Timestamp::NEVER).min(leaving).min(touched)
    }

    pub(super) fn count(&self, group: &str) -> usize {
        self.counts.get(group).copied().unwrap_or(0)
    }
}

impl Desk {
    /// Takes a ticket into the count of a rule; says when it must be asked about again.
    pub(super) fn note_in_tally(&mut self, rule: &Rule, count: &Count, hearing: &Hearing, now: Timestamp) -> Verdict {
        let (Some(seen), Some(key)) = (hearing.seen(), hearing.subject.ticket()) else {
            return Verdict::lasting(Answer::Unknown);
        };
        let verdict = verdict::eval(&rule.when, &seen, now);
        let answer = verdict.answer;
        let group = group_of(count, &seen, now);
        // Where nobody watched it begin, the ticket says since when it can have held.
        let since = if answer == Answer::Yes && hearing.first_sight {
            verdict::held_since(&rule.when, &seen, now).min(seen.facts.status_since)
        } else {
            now
        };
        let tally = self.tallies.entry(rule.name.clone()).or_default();
        let before = std::mem::take(&mut tally.touched);
        match group {
            Some(group) => tally.note(key, answer, group, since, count.within, now),
            None => tally.note(key, Answer::Unknown, "".into(), since, count.within, now),
        }
        tally.touched.values_mut().for_each(|fresh| *fresh = hearing.snapshot_fresh);
        for (group, fresh) in before {
            *tally.touched.entry(group).or_default() |= fresh;
        }
        verdict
    }

    /// A ticket is no longer under watch.
    pub(super) fn leave_tallies(&mut self, key: &TicketKey) {
        self.tallies.values_mut().for_each(|tally| tally.remove(key));
    }

    /// Counts anew what the store kept: nothing is told of it before the sources are read.
    ///
    /// A rule that means what it meant goes on counting: what fell into its window is not forgotten.
    pub(super) fn begin_tallies(&mut self, now: Timestamp) {
        let mut counting: Vec<Arc<Rule>> = self.counting_rules();
        let goes_on = |name: &RuleName, tally: &Tally| {
            counting.iter().any(|rule| rule.name == *name && rule.meaning == tally.meaning)
        };
        self.tallies.retain(|name, tally| goes_on(name, tally));
        counting.retain(|rule| !self.tallies.contains_key(&rule.name));
        for rule in &counting {
            self.tallies.insert(rule.name.clone(), Tally { meaning: rule.meaning, ..Tally::default() });
        }
        if counting.is_empty() {
            return;
        }
        let keys: Vec<TicketKey> = self.tickets.keys().cloned().collect();
        for key in keys {
            let Some(mut hearing) = self.hearing(&key, &super::hearing::Cause::Time, now) else { continue };
            hearing.first_sight = true; // since when it holds is read from the ticket
            for rule in counting.iter().filter(|rule| rule.watches(&key.source)) {
                if let RuleKind::Count(count) = &rule.kind {
                    let due = self.note_in_tally(rule, count, &hearing, now).valid_until;
                    let known = self.tickets.get(&key).map_or(Timestamp::NEVER, |watched| watched.due_at);
                    self.schedule(&key, due.min(known));
                }
            }
        }
        self.touch_groups();
    }

    fn counting_rules(&self) -> Vec<Arc<Rule>> {
        let counts = |rule: &&Arc<Rule>| matches!(rule.kind, RuleKind::Count(_));
        self.rules.values().filter(counts).cloned().collect()
    }

    /// Sources were read: groups that have a live alert or wait for fresh data, and the one group of rules without
    /// `per`, are judged again.
    pub(super) fn touch_groups(&mut self) {
        for rule in self.counting_rules() {
            let RuleKind::Count(count) = &rule.kind else { continue };
            let ours = |alert: &Alert| {
                alert.is_live() && (alert.key.rule == rule.name || rule.formerly.contains(&alert.key.rule))
            };
            let groups = self.alerts.range(Subject::Group("".into())..).map_while(|(subject, alerts)| match subject {
                Subject::Group(value) => Some((value, alerts)),
                _ => None,
            });
            let live = groups.filter(|(_, alerts)| alerts.iter().any(ours)).map(|(value, _)| Arc::clone(value));
            let mut touched: Vec<Arc<str>> = live.collect();
            let tally = self.tallies.entry(rule.name.clone()).or_default();
            touched.extend(tally.waiting.keys().cloned());
            touched.extend(count.per.is_none().then(|| "".into()));
            tally.touched.extend(touched.into_iter().map(|group| (group, true)));
        }
    }

    /// A group's alert changed by hand: it is looked at again now.
    pub(super) fn touch_group(&mut self, rule: &RuleName, group: &Arc<str>) {
        let Some(name) = self.rule_named(rule).map(|rule| rule.name.clone()) else { return };
        self.tallies.entry(name).or_default().touched.entry(Arc::clone(group)).or_insert(false);
    }

    /// When a group's alert is looked at next, as far as time alone decides.
    pub(super) fn group_due(&self, rule: &RuleName, group: &str) -> Timestamp {
        let tally = self.rule_named(rule).and_then(|rule| self.tallies.get(&rule.name));
        tally.map_or(Timestamp::NEVER, |tally| {
            if tally.touched.contains_key(group) {
                Timestamp::MIN
            } else {
                tally.due.get(group).copied().unwrap_or(Timestamp::NEVER)
            }
        })
    }

    /// When a group must be looked at.
    pub(super) fn tallies_due(&self) -> Timestamp {
        let is_read = |name: &&RuleName| self.rules.get(*name).is_some_and(|rule| self.all_read(rule));
        let due = self.tallies.iter().filter(|(name, _)| is_read(name)).map(|(_, tally)| tally.next_due());
        due.min().unwrap_or(Timestamp::NEVER)
    }

    /// Judges the groups that changed or are due, once every source of their rule was read completely.
    pub(super) fn judge_groups(&mut self, now: Timestamp) {
        if self.tallies_due() > now {
            return;
        }
        for rule in self.counting_rules() {
            if !self.all_read(&rule) {
                continue;
            }
            let Some(tally) = self.tallies.get_mut(&rule.name) else { continue };
            tally.leave(now);
            let touched = std::mem::take(&mut tally.touched);
            let due = tally.due.iter().filter(|(group, at)| **at <= now && !touched.contains_key(*group));
            let due: Vec<Arc<str>> = due.map(|(group, _)| Arc::clone(group)).collect();
            for (group, fresh) in touched {
                self.judge_group(&rule, &group, fresh, now);
            }
            for group in due {
                self.judge_group(&rule, &group, false, now);
            }
        }
    }

    fn all_read(&self, rule: &Rule) -> bool {
        self.sources_of(rule).all(|name| {
            self.sources.get(name).is_some_and(|source| source.read_through.is_some() && source.catching_up.is_none())
        })
    }

    fn sources_of(&self, rule: &Rule) -> impl Iterator<Item = &SourceName> {
        self.settings.sources.keys().filter(move |name| rule.watches(name))
    }

    fn judge_group(&mut self, rule: &Arc<Rule>, group: &Arc<str>, news: bool, now: Timestamp) {
        let RuleKind::Count(count) = &rule.kind else { return };
        let read_through = |name: &SourceName| self.sources.get(name).and_then(|source| source.read_through);
        let as_of = self.sources_of(rule).map(|name| read_through(name).unwrap_or(Timestamp::MIN)).min().unwrap_or(now);
        let fresh = news || now.since(as_of) <= FRESH;
        let Some(tally) = self.tallies.get(&rule.name) else { return };
        let number = tally.count(group);
        let patience_over = tally.waiting.get(group).is_some_and(|since| now >= since.plus(REFRESH_PATIENCE));
        let subject = Subject::Group(Arc::clone(group));
        let is_silent = |name: &SourceName| self.sources.get(name).is_some_and(|source| source.is_silent(now));
        let silent = self.sources_of(rule).any(is_silent);
        let hearing = Hearing { silent, ..Hearing::group(subject, number, as_of, fresh, patience_over) };
        let before = self.alert_of(rule, &hearing.subject).cloned();
        let answer = answer(count, number, before.as_ref().is_some_and(|alert| alert.is_firing()));
        let step = life::step(before.as_ref(), rule, answer, Answer::No, None, now);
        let mut outlook = Outlook::clear();
        if Duty::must_wait(step, &hearing) {
            outlook.wants_fresh = true;
        } else {
            self.take_step(rule, before.as_ref(), step, answer, &hearing, now);
            if let Some(key) = self.alert_of(rule, &hearing.subject).map(|alert| alert.key.clone()) {
                self.attend(rule, &key, &hearing, &mut outlook, now);
            }
        }
        self.plan_group(rule, group, outlook, now);
    }

    /// Notes when the group is due, and asks for fresh data where it waits for that.
    fn plan_group(&mut self, rule: &Rule, group: &Arc<str>, mut outlook: Outlook, now: Timestamp) {
        if outlook.wants_fresh {
            outlook.at(now.plus(REFRESH_AGAIN));
            let sources: Vec<SourceName> = self.sources_of(rule).cloned().collect();
            let paused = |name: &SourceName| self.sources.get(name).is_some_and(|source| source.is_paused(now));
            let ask: Vec<SourceName> = sources.into_iter().filter(|name| !paused(name)).collect();
            ask.into_iter().for_each(|name| self.effect(Effect::ReadSource(name)));
        }
        let Some(tally) = self.tallies.get_mut(&rule.name) else { return };
        if outlook.wants_fresh {
            tally.waiting.entry(Arc::clone(group)).or_insert(now);
        } else {
            tally.waiting.remove(group);
        }
        if outlook.due.is_never() {
            tally.due.remove(group);
        } else {
            tally.due.insert(Arc::clone(group), outlook.due.max(now.plus(Span::from_ms(1))));
        }
    }

    /// Whether the alert's rule still counts.
    pub(super) fn is_counted(&self, key: &AlertKey) -> bool {
        self.rule_named(&key.rule).is_some_and(|rule| {
            matches!(rule.kind, RuleKind::Count(_)) && self.settings.sources.keys().any(|name| rule.watches(name))
        })
    }
}

/// What a count says: a firing alert goes on until `clear` holds.
fn answer(count: &Count, number: usize, firing: bool) -> Answer {
    let number = u32::try_from(number).map_or(f64::MAX, f64::from);
    let holds = |operators: &[Operator]| operators.iter().all(|operator| number_holds(operator, number) == Answer::Yes);
    match (holds(&count.when), firing && !count.clear.is_empty()) {
        (true, _) => Answer::Yes,
        (false, true) if !holds(&count.clear) => Answer::Unknown, // neither: it stays as it is
        (false, _) => Answer::No,
    }
}

/// The group a ticket is counted in: those without a value are a group of their own. Nothing where nobody knows it.
pub(super) fn group_of(count: &Count, seen: &Seen<'_>, now: Timestamp) -> Option<Arc<str>> {
    let Some(target) = &count.per else { return Some("".into()) };
    if let Target::Field(field) = target
        && let Value::Text(text) = (field.read)(seen)
    {
        return Some(seen.labels.privacy.masked(text.trim(), "").into());
    }
    match grouped(target, seen, now) {
        Known::Unknown => None,
        Known::Empty => Some("".into()),
        Known::Present(words) => Some(words.zh.as_str().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::TicketId;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_ms(minute * 60_000)
    }

    fn key(id: &str) -> TicketKey {
        TicketKey::new(SourceName::from("desk"), TicketId::new(id))
    }

    #[test]
    fn members_come_move_and_go() {
        let mut tally = Tally::default();
        let mut note = |id: &str, answer: Answer, group: &str, minute: i64| {
            tally.note(&key(id), answer, group.into(), at(minute), None, at(minute));
            (tally.count("a"), tally.count("b"))
        };
        assert_eq!(note("1", Answer::Yes, "a", 0), (1, 0));
        assert_eq!(note("1", Answer::Yes, "a", 1), (1, 0));
        assert_eq!(note("2", Answer::Unknown, "a", 1), (1, 0));
        assert_eq!(note("2", Answer::Yes, "a", 2), (2, 0));
        assert_eq!(note("2", Answer::Yes, "b", 3), (1, 1));
        assert_eq!(note("1", Answer::Unknown, "b", 3), (1, 1));
        assert_eq!(note("1", Answer::No, "a", 4), (0, 1));
    }

    #[test]
    fn a_window_counts_what_began_within_it() {
        let mut tally = Tally::default();
        let hour = Some(Span::from_hours(1));
        tally.note(&key("1"), Answer::Yes, "".into(), at(0), hour, at(0));
        tally.note(&key("2"), Answer::Yes, "".into(), at(30), hour, at(30));
        tally.note(&key("1"), Answer::No, "".into(), at(31), hour, at(31));
        assert_eq!(tally.count(""), 2, "what is over still counts");
        tally.leave(at(60));
        assert_eq!(tally.count(""), 1);
        assert_eq!(tally.members.len(), 1, "what neither holds nor counts is forgotten");
        tally.leave(at(90));
        tally.note(&key("2"), Answer::Yes, "".into(), at(91), hour, at(91));
        assert_eq!(tally.count(""), 0, "what still holds does not begin again");
        tally.note(&key("2"), Answer::No, "".into(), at(92), hour, at(92));
        tally.note(&key("2"), Answer::Yes, "".into(), at(93), hour, at(93));
        assert_eq!(tally.count(""), 1, "what began again counts again");
    }

    #[test]
    fn between_ringing_and_clearing_it_stays_as_it_is() {
        let count =
            Count { per: None, when: vec![Operator::AtLeast(10.0)], within: None, clear: vec![Operator::Below(6.0)] };
        for (number, firing, expected) in [
            (9, false, Answer::No),
            (10, false, Answer::Yes),
            (9, true, Answer::Unknown),
            (6, true, Answer::Unknown),
            (5, true, Answer::No),
        ] {
            assert_eq!(answer(&count, number, firing), expected, "{number} {firing}");
        }
    }
}
