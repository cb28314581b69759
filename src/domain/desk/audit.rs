//! The audit of ladders: that whoever should be told next will be. What it finds stuck is set going again and shown.

use crate::domain::{
    alert::{Alert, AlertState, Announced},
    desk::{machine::Desk, taken::ANSWER_PATIENCE},
    id::{RuleName, Subject},
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
        let stuck: Vec<Alert> =
            self.alerts.values().flatten().filter(|alert| self.is_stuck(alert, now)).take(STUCK_MAX).cloned().collect();
        for alert in stuck {
            let note = Message::new(
                format!("巡检发现升级没有继续，已重新开始：{} {}", alert.key.rule, alert.reference()),
                format!("an audit found the ladder stuck and set it going: {} {}", alert.key.rule, alert.reference()),
            );
            self.counters.ladders_stuck += 1;
            self.journal(now, (&alert.key.subject, Some(&alert.key.rule), alert.episode), "ladder_stuck", note.clone());
            self.look_again(&alert.key.subject, &alert.key.rule, now);
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

    /// Whether something of the alert was due long ago and nobody will look.
    fn is_stuck(&self, alert: &Alert, now: Timestamp) -> bool {
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
