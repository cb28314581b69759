//! What observations know of a ticket and its snapshot does not carry.

use std::{borrow::Cow, sync::Arc};

use crate::domain::{
    conversation::Conversation,
    ticket::{Known, Ticket},
    time::Timestamp,
};

/// Spells of a ticket that are kept; older ones are forgotten, like the time before the first sight.
pub const SPELLS_MAX: usize = 64;

/// A stretch of time in one status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spell {
    /// The status's number.
    pub status: i64,
    /// When it began; it ends where the next one begins.
    pub since: Timestamp,
}

/// Facts kept beside a ticket's snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Since when the ticket has its present status.
    pub status_since: Timestamp,
    /// `status_since` is a guess from the first sight of the ticket: cards say "at least".
    pub status_since_estimated: bool,
    /// How often it went from closed to open under our eyes.
    pub reopened_count: u32,
    /// When deskbell first saw it.
    pub first_seen: Timestamp,
    /// The statuses seen before the present one, oldest first; nothing is known of the time before the first.
    pub spells: Option<Arc<[Spell]>>,
    /// What was said on it; unknown unless a rule in force needs it.
    pub conversation: Known<Arc<Conversation>>,
}

impl Facts {
    /// Facts of a ticket seen for the first time.
    pub const fn new(status_since: Timestamp, first_seen: Timestamp) -> Self {
        Self {
            status_since,
            status_since_estimated: false,
            reopened_count: 0,
            first_seen,
            spells: None,
            conversation: Known::Unknown,
        }
    }

    /// The spells before the present status.
    pub fn past_spells(&self) -> &[Spell] {
        self.spells.as_deref().unwrap_or_default()
    }

    /// The facts as they were before a change that led from the snapshot `old` to `new`, where it changed the status.
    pub fn before(&self, old: &Ticket, new: &Ticket) -> Cow<'_, Self> {
        let (Some(was), Some(is)) = (old.status.present(), new.status.present()) else { return Cow::Borrowed(self) };
        let Some((last, spells)) = self.past_spells().split_last() else { return Cow::Borrowed(self) };
        if was == is || last.status != was.code() {
            return Cow::Borrowed(self);
        }
        let reopened = was.is_closed() == Some(true) && is.is_closed() == Some(false);
        Cow::Owned(Self {
            status_since: last.since,
            reopened_count: self.reopened_count.saturating_sub(u32::from(reopened)),
            spells: (!spells.is_empty()).then(|| spells.into()),
            ..self.clone()
        })
    }

    /// Closes the present spell, which began at `status_since` with this status, and begins another.
    pub fn next_status(&mut self, old: i64, began: Timestamp) {
        let skip = (self.past_spells().len() + 1).saturating_sub(SPELLS_MAX);
        let present = Spell { status: old, since: self.status_since };
        self.spells = Some(self.past_spells().iter().copied().chain([present]).skip(skip).collect());
        self.status_since = began;
        self.status_since_estimated = false;
    }
}
