//! The life of one alert: what a verdict makes of it. Pure and without side effects; the desk acts on the step.

use crate::domain::{
    alert::{Alert, AlertState, EndReason},
    rule::{CLOSED_EXPIRES_DEFAULT, Rule, Until},
    ticket::Ticket,
    time::Timestamp,
    verdict::Answer,
};

/// What becomes of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing.
    Stay,
    /// The condition holds; it must go on holding before it rings.
    Pend,
    /// It stopped holding before it rang.
    Drop,
    /// It rings.
    Fire,
    /// It is over.
    End(EndReason),
    /// It was over while the condition held; now the condition is no, and it may ring again.
    Unlatch,
    /// It goes on under the edited rule.
    Adopt,
}

/// What a verdict makes of an alert.
///
/// | stands | yes | no | unknown |
/// | --- | --- | --- | --- |
/// | none, ended | pending, or fires at once without `for` | stays | stays |
/// | ended while it held | stays | may ring again | stays |
/// | pending | fires after `for` | dropped | stays |
/// | firing | goes on | ends, unless `until: handled` | goes on |
///
/// A firing alert that reached `expires` ends whatever the answer. An alert judged by an edited rule ends as "rule
/// changed" where it would have ended as "cleared".
pub(super) fn step(alert: Option<&Alert>, rule: &Rule, answer: Answer, ticket: &Ticket, now: Timestamp) -> Step {
    let Some(alert) = alert else { return begin(rule, answer) };
    match alert.state {
        AlertState::Ended { .. } if alert.latched => {
            if answer == Answer::No {
                Step::Unlatch
            } else {
                Step::Stay
            }
        }
        AlertState::Ended { .. } => begin(rule, answer),
        AlertState::Pending => match answer {
            Answer::No => Step::Drop,
            Answer::Unknown => Step::Stay,
            Answer::Yes if now >= rule.hold.ends(alert.since) => Step::Fire,
            Answer::Yes => Step::Stay,
        },
        AlertState::Firing { fired_at, .. } => {
            let edited = alert.meaning != rule.meaning;
            if now >= expires_at(rule, ticket, fired_at) {
                return Step::End(EndReason::Expired);
            }
            match (answer, &rule.until) {
                (Answer::No, _) if edited => Step::End(EndReason::RuleChanged),
                (Answer::No, Until::Cleared) => Step::End(EndReason::Cleared),
                (Answer::Yes, _) if edited => Step::Adopt,
                _ => Step::Stay,
            }
        }
    }
}

fn begin(rule: &Rule, answer: Answer) -> Step {
    match answer {
        Answer::Yes if rule.hold.is_none() => Step::Fire,
        Answer::Yes => Step::Pend,
        Answer::No | Answer::Unknown => Step::Stay,
    }
}

/// When a firing alert ends whatever the condition says: `expires` after firing; without `expires`, on a closed
/// ticket, three days after firing or closing, whichever is later.
pub(super) fn expires_at(rule: &Rule, ticket: &Ticket, fired_at: Timestamp) -> Timestamp {
    if let Some(expires) = rule.expires {
        return fired_at.plus(expires);
    }
    if ticket.is_closed() == Some(true) {
        let closed_at = ticket.closed_at.present().copied().unwrap_or(fired_at);
        return fired_at.max(closed_at).plus(CLOSED_EXPIRES_DEFAULT);
    }
    Timestamp::NEVER
}
