//! The audit of ladders: that whoever should be told next will be. What it finds stuck is set going again and shown.

use crate::domain::{
    alert::{Alert, AlertState, Announced},
    desk::{machine::Desk, outcome::Effect, taken::ANSWER_PATIENCE},
    id::{RuleName, Subject, TicketKey},
    rule::{Mode, Rule, RungAt},
    text::Message,
    time::{Span, Timestamp},
};

/// How often every ladder is looked through.
const AUDIT_EVERY: Span = Span::from_mins(10);

/// A ladder that is this late is stuck: fresh data is waited for no longer than that.
const LATE_MAX: Span = Span::from_mins(5);

/// Ladders that one audit sets going; the next one sees to the rest.
const STUCK_MAX: usize = 100;

impl Desk {
    /// When the next audit is due; never while nothing rings.
    pub(super) fn audit_due(&self) -> Timestamp {
        if self.alerts.is_empty() { Timestamp::NEVER } else { self.audited_at.plus(AUDIT_EVERY) }
    }

    /// Looks through all ladders.
    pub(super) fn audit_ladders(&mut self, now: Timestamp) {
        if self.audit_due() > now {
            return;
        }
        self.audited_at = now;
        self.let_go_of_groups(now);
        let stuck: Vec<Alert> =
            self.alerts.values().flatten().filter(|alert| self.is_stuck(alert, now)).take(STUCK_MAX).cloned().collect();
        for alert in stuck {
            let note = Message::new(
                format!("巡检发现升级没有继续，已重新开始：{} {}", alert.key.rule, alert.reference()),
                format!("an audit found the ladder stuck and set it going: {} {}", alert.key.rule, alert.reference()),
            );
            self.counters.ladders_stuck += 1;
            self.journal(now, (&alert.key.subject, Some(&alert.key.rule), alert.episode), "ladder_stuck", note.clone());
            match alert.key.subject.ticket() {
                Some(key) if self.is_lost(key) => self.effect(Effect::ReadTicket(key.clone())),
                _ => self.look_again(&alert.key.subject, &alert.key.rule, now),
            }
            self.trouble("ladder_stuck", note, now);
        }
    }

    /// Looks at a subject again now.
    pub(super) fn look_again(&mut self, subject: &Subject, rule: &RuleName, now: Timestamp) {
        match subject {
            Subject::Ticket(key) => self.schedule(&key.clone(), now),
            Subject::Group(group) => self.touch_group(rule, group),
            Subject::Source(_) | Subject::Service | Subject::Message(_) | Subject::Receiver(_) => {}
        }
    }

    /// Whether the store kept an alert and not its ticket, which should be under watch.
    fn is_lost(&self, ticket: &TicketKey) -> bool {
        !self.tickets.contains_key(ticket)
            && self.sources.get(&ticket.source).is_some_and(|source| source.read_through.is_some())
    }

    /// Whether something of the alert was due long ago and nobody will look.
    fn is_stuck(&self, alert: &Alert, now: Timestamp) -> bool {
        if alert.is_firing() && alert.key.subject.ticket().is_some_and(|key| self.is_lost(key)) {
            return true; // it would neither go on nor end
        }
        let Some(rule) = self.rule_named(&alert.key.rule) else { return false };
        if next_due(alert, rule).plus(LATE_MAX) > now {
            return false;
        }
        let looked_at = match &alert.key.subject {
            Subject::Ticket(key) => match self.tickets.get(key) {
                Some(watched) if watched.refresh.is_none() => watched.due_at,
                _ => Timestamp::MIN, // it waits for fresh data, or there is no ticket any more
            },
            Subject::Group(group) => self.group_due(&alert.key.rule, group),
            _ => Timestamp::MIN,
        };
        looked_at > now.plus(LATE_MAX)
    }
}

/// When something of a firing alert is due by time alone: a repeat, a rung, the fallback, the question to the taker.
pub(super) fn next_due(alert: &Alert, rule: &Rule) -> Timestamp {
    let AlertState::Firing { fired_at, .. } = alert.state else { return Timestamp::NEVER };
    if alert.quiet_since.is_some() || matches!(rule.mode, Mode::Trial(_)) {
        return Timestamp::NEVER;
    }
    if let Some(taken) = &alert.taken {
        return taken.asked_at.map_or(taken.until, |asked| asked.plus(ANSWER_PATIENCE));
    }
    if let Some(snoozed) = &alert.snoozed {
        return snoozed.until;
    }
    if alert.announced == Announced::Nobody {
        return Timestamp::NEVER;
    }
    let repeats = alert.lines.iter().filter_map(|line| line.next_at).min().unwrap_or(Timestamp::NEVER);
    let next = usize::try_from(alert.rung).ok().and_then(|rung| rule.ladder.get(rung));
    let rung = match next.map(|rung| &rung.at) {
        Some(RungAt::After(wait)) => wait.ends(alert.ladder_from.unwrap_or(fired_at)),
        Some(RungAt::Sla(_)) | None => Timestamp::NEVER, // the clock of a service level is the ticket's
    };
    repeats.min(rung).min(alert.fallback_at.unwrap_or(Timestamp::NEVER))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use super::*;
    use crate::domain::{
        alert::{AlertKey, Line, LineOf},
        calendar::Wait,
        condition::Condition,
        desk::{
            settings::{Settings, SourceSettings},
            state::{SourceState, Stored, Tracked},
        },
        facts::Facts,
        id::{ReceiverName, SourceName},
        labels::Labels,
        notice::Step,
        rule::{CatchUp, RuleSet, Rung, To},
        ticket::Ticket,
    };

    const START: Timestamp = Timestamp::from_ms(1_795_000_000_000);

    fn settings(source: &SourceName) -> Settings {
        let (poll_every, labels) = (Span::from_mins(1), Arc::new(Labels::default()));
        Settings {
            sources: BTreeMap::from([(source.clone(), SourceSettings { poll_every, catch_up: CatchUp::Each, labels })]),
            operations: Some("ou_ops".into()),
            ..Settings::bare()
        }
    }

    /// A desk with one alert that rings since `START`; its ladder has one step, after half an hour.
    fn desk() -> (Desk, AlertKey) {
        let source = SourceName::from("desk");
        let ticket = TicketKey::new(source.clone(), "1".into());
        let key = AlertKey { subject: Subject::Ticket(ticket.clone()), rule: "r".into() };
        let rung = Rung {
            at: RungAt::After(Wait::wall(Span::from_mins(30))),
            severity: None,
            to: To::Receiver("leads".into()),
            template: None,
            mention: None,
            urgent: None,
        };
        let rule = Rule { ladder: vec![rung], meaning: 1, ..Rule::new(key.rule.clone(), Condition::All(Vec::new())) };
        let rules = RuleSet { rules: BTreeMap::from([(rule.name.clone(), rule)]) };
        let alert = Alert {
            episode: 1,
            state: AlertState::Firing { fired_at: START, stale_as_of: None },
            announced: Announced::Cards,
            lines: vec![Line::new(ReceiverName::from("support"), LineOf::Notify(0))],
            ..Alert::pending(key.clone(), START)
        };
        let tracked = Tracked {
            ticket: Arc::new(Ticket::unknown(ticket)),
            facts: Facts::new(START, START),
            list_hash: None,
            asked_at: START,
            gone_at: None,
        };
        let stored = Stored {
            tickets: vec![tracked],
            alerts: vec![alert],
            sources: vec![SourceState { cursor: Some(START), ..SourceState::new(source.clone()) }],
            meanings: vec![(key.rule.clone(), 1)],
            ..Stored::default()
        };
        let (mut desk, _) = Desk::open(stored, Arc::new(rules), settings(&source), START);
        desk.handle(crate::domain::desk::input::Input::Tick, START);
        (desk, key)
    }

    #[test]
    fn a_ladder_that_nobody_will_look_at_is_set_going_and_told() {
        let (mut desk, key) = desk();
        let Subject::Ticket(ticket) = key.subject.clone() else { unreachable!() };
        for forgotten in [false, true] {
            if forgotten {
                desk.schedule(&ticket, Timestamp::NEVER);
            }
            let now = START.plus(Span::from_mins(if forgotten { 36 } else { 29 }));
            desk.audited_at = START;
            desk.audit_ladders(now);
            assert_eq!(desk.counters.ladders_stuck, u64::from(forgotten));
        }
        let now = START.plus(Span::from_mins(36));
        assert_eq!(desk.tickets[&ticket].due_at, now, "it is looked at now");
        let told = |entry: &&crate::domain::desk::state::Entry| entry.key.step == Step::Trouble;
        assert_eq!(desk.outbox.entries().filter(told).count(), 1, "operations hears of it");
        desk.audit_ladders(now.plus(AUDIT_EVERY));
        assert_eq!(desk.counters.ladders_stuck, 1, "once");
    }
}
