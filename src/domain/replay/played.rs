//! What became of a script: the alerts that rang, what was told, the journal.

use std::collections::BTreeMap;

use crate::domain::{
    alert::{Alert, AlertKey, AlertState, EndReason},
    desk::{
        outcome::Write,
        state::{JournalEntry, Tracked},
    },
    id::{RuleName, Subject, TicketKey},
    notice::Send,
    rule::Severity,
    text::Message,
    time::Timestamp,
};

/// Alerts that are kept of one play; it ends there.
pub const RINGS_MAX: usize = 500_000;

/// Notices that are kept of one play; it ends there.
pub const TOLD_MAX: usize = 500_000;

/// Journal entries that are kept of one play; it ends there.
pub const JOURNAL_MAX: usize = 2_000_000;

/// What became of a script.
#[derive(Debug, Default)]
pub struct Played {
    /// The alerts that rang, in the order they did.
    pub rings: Vec<Ring>,
    /// What was told, in the order it was.
    pub told: Vec<Told>,
    /// The journal.
    pub journal: Vec<JournalEntry>,
    /// Inputs the desk took.
    pub steps: u64,
    /// The tickets as they were at the end, with what was known of them.
    pub tickets: BTreeMap<TicketKey, Tracked>,
    /// The alerts as they stood at the end, those that never rang too.
    pub alerts: BTreeMap<AlertKey, Alert>,
    /// Rules that were not played: they need to know what was said, and the script does not.
    pub left_out: Vec<RuleName>,
    /// The play was longer than its limits allow and ends here.
    pub cut: Option<Timestamp>,
}

/// An alert that rang.
#[derive(Clone, Debug)]
pub struct Ring {
    /// Its rule.
    pub rule: RuleName,
    /// What it is about.
    pub subject: Subject,
    /// Counts the rings of this rule on this subject.
    pub episode: u32,
    /// How serious it was at its worst.
    pub severity: Severity,
    /// When it began to ring.
    pub fired_at: Timestamp,
    /// When it was over, and why; nothing if it still rings at the end.
    pub ended: Option<(Timestamp, EndReason)>,
    /// Its rule is in trial.
    pub trial: bool,
    /// Why it rang.
    pub why: Message,
}

/// A notice that was handed to delivery.
#[derive(Clone, Debug)]
pub struct Told {
    /// When.
    pub at: Timestamp,
    /// What, to whom.
    pub send: Send,
}

/// Grows while a script is played.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) played: Played,
    /// Where the ring of an alert's episode stands.
    rings: BTreeMap<(AlertKey, u32), usize>,
}

impl Record {
    /// The record of a play without these rules.
    pub(super) fn without(left_out: Vec<RuleName>) -> Self {
        Self { played: Played { left_out, ..Played::default() }, rings: BTreeMap::new() }
    }

    /// Takes down what is of lasting interest in a write.
    pub(super) fn note(&mut self, write: Write) {
        match write {
            Write::Alert(alert) => {
                self.played.alerts.insert(alert.key.clone(), (*alert).clone());
                self.note_alert(*alert);
            }
            Write::DropAlert(key) | Write::ForgetAlert(key) => drop(self.played.alerts.remove(&key)),
            Write::Ticket(tracked) => drop(self.played.tickets.insert(tracked.ticket.key.clone(), *tracked)),
            Write::Journal(entry) => self.played.journal.push(*entry),
            _ => {}
        }
    }

    fn note_alert(&mut self, alert: Alert) {
        let place = (alert.key.clone(), alert.episode);
        match (alert.state, self.rings.get(&place)) {
            (AlertState::Firing { fired_at, .. }, None) => {
                self.rings.insert(place, self.played.rings.len());
                self.played.rings.push(Ring {
                    rule: alert.key.rule,
                    subject: alert.key.subject,
                    episode: alert.episode,
                    severity: alert.severity,
                    fired_at,
                    ended: None,
                    trial: alert.trial,
                    why: alert.why,
                });
            }
            (AlertState::Firing { .. }, Some(&index)) => {
                if let Some(ring) = self.played.rings.get_mut(index) {
                    ring.severity = ring.severity.max(alert.severity);
                    ring.ended = None; // opened again within its refire window
                }
            }
            (AlertState::Ended { ended_at, reason, .. }, Some(&index)) => {
                if let Some(ring) = self.played.rings.get_mut(index) {
                    ring.ended = Some((ended_at, reason));
                }
            }
            (AlertState::Pending, _) | (AlertState::Ended { .. }, None) => {}
        }
    }

    /// Whether nothing more may be kept.
    pub(super) fn is_full(&self) -> bool {
        let played = &self.played;
        played.rings.len() >= RINGS_MAX || played.told.len() >= TOLD_MAX || played.journal.len() >= JOURNAL_MAX
    }
}
