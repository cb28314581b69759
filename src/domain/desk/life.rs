//! The life of one alert: what a verdict makes of it. Pure and without side effects; the desk acts on the step.

use crate::domain::{
    alert::{Alert, AlertState, EndReason},
    rule::{CLOSED_EXPIRES_DEFAULT, Rule, Until},
    ticket::Ticket,
    time::{Span, Timestamp},
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
    /// The condition is no, and `keep_firing_for` keeps it firing.
    Quiet,
    /// While it was kept firing, the condition held again.
    Loud,
}

/// What a verdict makes of an alert.
///
/// | stands | yes | no | unknown |
/// | --- | --- | --- | --- |
/// | none, ended | pending, or fires at once without `for` | stays | stays |
/// | ended while it held | stays | may ring again | stays |
/// | pending | fires after `for` | dropped | stays |
/// | firing | goes on | ends after `keep_firing_for`, unless `until` says otherwise | goes on |
///
/// A firing alert that reached `expires` ends whatever the answer, and so does one whose `until` condition (`over`)
/// holds. An alert judged by an edited rule ends as "rule
/// changed" where it would have ended as "cleared".
pub(super) fn step(
    alert: Option<&Alert>,
    rule: &Rule,
    answer: Answer,
    over: Answer,
    ticket: Option<&Ticket>,
    now: Timestamp,
) -> Step {
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
        AlertState::Firing { fired_at, .. } if now >= expires_at(rule, ticket, fired_at) => {
            Step::End(EndReason::Expired)
        }
        AlertState::Firing { .. } if over == Answer::Yes => Step::End(EndReason::UntilMet),
        AlertState::Firing { .. } => go_on(alert, rule, answer, now),
    }
}

/// A firing alert that neither expired nor is over by its `until`.
fn go_on(alert: &Alert, rule: &Rule, answer: Answer, now: Timestamp) -> Step {
    let edited = alert.meaning != rule.meaning;
    match (answer, &rule.until, alert.quiet_since) {
        (Answer::No, ..) if edited => Step::End(EndReason::RuleChanged),
        (Answer::No, Until::Cleared, None) if rule.keep_firing_for > Span::ZERO => Step::Quiet,
        (Answer::No, Until::Cleared, Some(since)) if now < since.plus(rule.keep_firing_for) => Step::Stay,
        (Answer::No, Until::Cleared, _) => Step::End(EndReason::Cleared),
        (Answer::Yes, ..) if edited => Step::Adopt,
        // Nobody can say that it is quiet: it has not been quiet for as long as it must.
        (Answer::Yes | Answer::Unknown, _, Some(_)) => Step::Loud,
        _ => Step::Stay,
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
pub(super) fn expires_at(rule: &Rule, ticket: Option<&Ticket>, fired_at: Timestamp) -> Timestamp {
    if let Some(expires) = rule.expires {
        return fired_at.plus(expires);
    }
    if let Some(ticket) = ticket.filter(|ticket| ticket.is_closed() == Some(true)) {
        let closed_at = ticket.closed_at.present().copied().unwrap_or(fired_at);
        return fired_at.max(closed_at).plus(CLOSED_EXPIRES_DEFAULT);
    }
    Timestamp::NEVER
}
