//! What observations know of a ticket and the source does not send.

use crate::domain::time::Timestamp;

/// Facts kept beside a ticket's snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Since when the ticket has its present status.
    pub status_since: Timestamp,
    /// `status_since` is a guess from the first sight of the ticket: cards say "at least".
    pub status_since_estimated: bool,
    /// How often it went from closed to open under our eyes.
    pub reopened_count: u32,
    /// When deskbell first saw it.
    pub first_seen: Timestamp,
}
