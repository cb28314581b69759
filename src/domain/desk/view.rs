//! What the desk shows of itself: numbers and lists for status, health and metrics.

use std::{collections::BTreeMap, sync::Arc};

use crate::domain::{
    deed::Tone,
    delivery::FailureKind,
    desk::{
        machine::Desk,
        state::{DeadLetter, Digest, Entry, Lane},
    },
    id::{RuleName, SourceName, TicketKey},
    notice::Step,
    plan,
    text::Message,
    ticket::Ticket,
    time::Timestamp,
};

/// Dead letters a view names.
const DEAD_SHOWN_MAX: usize = 20;

/// What the desk did since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Tickets taken in decoded.
    pub observed: u64,
    /// Tickets shown with the bytes of before.
    pub unchanged: u64,
    /// Tickets that changed.
    pub changed: u64,
    /// Observations dropped because a newer one was there.
    pub overtaken: u64,
    /// Single reads that failed.
    pub reads_failed: u64,
    /// Alerts that rang.
    pub fired: u64,
    /// Times a storm's digest told someone of an alert in place of a card.
    pub digested: u64,
    /// Alerts that ended after ringing.
    pub ended: u64,
    /// Notices dropped before sending because they were not due any more.
    pub dropped: u64,
    /// Notices given up.
    pub dead: u64,
    /// Questions of people.
    pub questions: u64,
    /// Questions from where one may not ask.
    pub denied: u64,
    /// Questions of people who asked too much in a minute.
    pub unanswered: u64,
    /// What the platform told of tickets.
    pub news: u64,
    /// Messages delivered to us again.
    pub redelivered: u64,
    /// Own troubles.
    pub troubles: u64,
    /// Handovers told.
    pub handovers: u64,
    /// What people did, by how it went.
    pub acts: BTreeMap<Tone, u64>,
    /// Ladders an audit found stuck.
    pub ladders_stuck: u64,
    /// Notices delivered, by what they told.
    pub delivered: BTreeMap<Step, u64>,
    /// Failed attempts, by kind.
    pub failed: BTreeMap<FailureKind, u64>,
}

impl Counters {
    pub(super) fn delivered(&mut self, step: Step) {
        *self.delivered.entry(step).or_default() += 1;
    }

    pub(super) fn failed(&mut self, kind: FailureKind) {
        *self.failed.entry(kind).or_default() += 1;
    }
}

/// What the desk shows of itself at an instant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// The sources.
    pub sources: BTreeMap<SourceName, SourceView>,
    /// Firing alerts per rule.
    pub firing: BTreeMap<RuleName, usize>,
    /// Pending alerts.
    pub pending: usize,
    /// Of those that ring, the ones that someone works on.
    pub taken: usize,
    /// Silences in force.
    pub silences: usize,
    /// Storms under way.
    pub storms: usize,
    /// Notices waiting, per lane.
    pub outbox: BTreeMap<Lane, usize>,
    /// Of them those that were tried in vain.
    pub outbox_failing: usize,
    /// The notice that waits longest.
    pub outbox_oldest: Option<WaitingView>,
    /// Questions not yet answered.
    pub inbox: usize,
    /// Dead letters.
    pub dead: usize,
    /// The latest dead letters, the last one first.
    pub dead_letters: Vec<DeadView>,
    /// What it did since the start.
    pub counters: Counters,
}

/// What the desk shows of a notice that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingView {
    /// Whom it tells.
    pub receiver: String,
    /// The rule, or the name of deskbell's own trouble.
    pub rule: String,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// Not before this instant.
    pub not_before: Timestamp,
    /// Attempts made.
    pub attempts: u32,
    /// What the last one said.
    pub last_error: Option<Message>,
}

impl WaitingView {
    fn of(entry: &Entry) -> Self {
        Self {
            receiver: entry.key.receiver.to_string(),
            rule: entry.key.rule.to_string(),
            decided_at: entry.decided_at,
            not_before: entry.not_before,
            attempts: entry.attempts,
            last_error: entry.last_error.clone(),
        }
    }
}

/// What the desk shows of a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadView {
    /// Whom it would have told.
    pub receiver: String,
    /// The rule, or the name of deskbell's own trouble.
    pub rule: String,
    /// When it was given up.
    pub at: Timestamp,
    /// Why.
    pub reason: Message,
}

impl DeadView {
    fn of(letter: &DeadLetter) -> Self {
        Self {
            receiver: letter.entry.key.receiver.to_string(),
            rule: letter.entry.key.rule.to_string(),
            at: letter.at,
            reason: letter.reason.clone(),
        }
    }
}

/// What the desk shows of a source.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceView {
    /// Tickets under watch.
    pub tracked: usize,
    /// Of them open.
    pub open: usize,
    /// Everything up to here was read.
    pub cursor: Option<Timestamp>,
    /// When the last complete poll began.
    pub polled_at: Timestamp,
    /// Whether it is silent.
    pub silent: bool,
    /// No polling before this instant.
    pub paused_until: Option<Timestamp>,
    /// API calls this month.
    pub calls: u64,
    /// Tickets of the last pass that could not be decoded.
    pub broken: u32,
    /// What the last failed pass said.
    pub last_failure: Option<Message>,
}

impl Desk {
    /// What the desk shows of itself now. Walks the alerts: for once a second, not for each input.
    pub fn view(&self, now: Timestamp) -> View {
        let mut view = View {
            sources: self.source_views(now),
            inbox: self.inbox.len(),
            dead: self.dead.len(),
            silences: self.hush.in_force().count(),
            storms: self.digests.values().filter(|digest| is_storm(digest)).count(),
            outbox: self.outbox.lanes().clone(),
            outbox_failing: self.outbox.failing(),
            outbox_oldest: self.outbox.oldest().map(WaitingView::of),
            counters: self.counters.clone(),
            ..View::default()
        };
        for alert in self.alerts.values().flatten().filter(|alert| alert.is_live()) {
            if alert.is_firing() {
                view.taken += usize::from(alert.is_taken());
                *view.firing.entry(self.rule_called(alert).clone()).or_default() += 1;
            } else {
                view.pending += 1;
            }
        }
        view.dead_letters = self.dead.latest().take(DEAD_SHOWN_MAX).map(DeadView::of).collect();
        view
    }

    fn source_views(&self, now: Timestamp) -> BTreeMap<SourceName, SourceView> {
        let month = plan::month(now, self.settings.zone);
        self.sources
            .iter()
            .map(|(name, source)| {
                let view = SourceView {
                    tracked: source.tracked,
                    open: source.open,
                    cursor: source.state.cursor,
                    polled_at: source.polled_at,
                    silent: source.is_silent(now),
                    paused_until: source.state.paused_until,
                    calls: if source.state.calls_month == month { source.state.calls } else { 0 },
                    broken: source.broken,
                    last_failure: source.last_failure.clone(),
                };
                (name.clone(), view)
            })
            .collect()
    }

    /// The snapshot of a ticket under watch.
    pub fn ticket(&self, key: &TicketKey) -> Option<&Arc<Ticket>> {
        self.tickets.get(key).map(|watched| &watched.tracked.ticket)
    }

    /// Notices that wait or are on their way.
    pub fn outbox_len(&self) -> usize {
        self.outbox.len()
    }

    /// When the next of them may go.
    pub fn next_send(&self) -> Timestamp {
        self.outbox.next_due()
    }

    /// The source's state, for whoever plans its passes.
    pub fn source_state(&self, name: &SourceName) -> Option<&crate::domain::desk::state::SourceState> {
        self.sources.get(name).map(|source| &source.state)
    }
}

/// Whether a digest is of a storm that others may still join.
fn is_storm(digest: &Digest) -> bool {
    digest.cause.gathers() && digest.closed_at.is_none()
}
