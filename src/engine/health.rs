//! What can be asked of a running engine: counters, the sources' condition, whether the store takes writes.
//!
//! It never decides anything; whoever shows it reads a copy.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use tracing::warn;

use crate::{
    adapters::feishu::page::BrokenTicket,
    domain::{
        desk::input::{PassFailure, PassKind},
        id::{SourceName, TicketId},
        time::{Span, Timestamp},
    },
};

/// Broken tickets remembered per source.
pub const BROKEN_SHOWN_MAX: usize = 20;

/// Counters that only rise.
#[derive(Debug, Default)]
pub struct Counters {
    /// Inputs the desk handled.
    pub inputs: AtomicU64,
    /// Pages of tickets read.
    pub pages: AtomicU64,
    /// Tickets seen on pages.
    pub tickets: AtomicU64,
    /// Tickets decoded; the rest was unchanged.
    pub decoded: AtomicU64,
    /// Tickets that could not be decoded.
    pub broken: AtomicU64,
    /// Tickets asked for by id.
    pub single_reads: AtomicU64,
    /// Tickets whose messages were asked for.
    pub message_reads: AtomicU64,
    /// Lookups for people.
    pub lookups: AtomicU64,
    /// Sends tried.
    pub sends: AtomicU64,
    /// Sends that did not arrive, or nobody knows.
    pub sends_failed: AtomicU64,
    /// Heartbeats sent, arrived or not.
    pub heartbeats: AtomicU64,
    /// Heartbeats that did not arrive.
    pub heartbeats_failed: AtomicU64,
    /// Renders that fell back to the built-in card.
    pub renders_failed: AtomicU64,
    /// Commits.
    pub commits: AtomicU64,
    /// Writes in them.
    pub writes: AtomicU64,
    /// Milliseconds spent in them.
    pub commit_ms: AtomicU64,
    /// Commits that failed.
    pub commits_failed: AtomicU64,
    /// Writes no record could hold.
    pub writes_left_out: AtomicU64,
}

/// Adds to a counter.
pub fn add(counter: &AtomicU64, by: usize) {
    counter.fetch_add(by as u64, Ordering::Relaxed);
}

/// The condition of a running engine.
#[derive(Debug, Default)]
pub struct Health {
    /// Counters.
    pub counters: Counters,
    store_red: AtomicBool,
    sources: Mutex<BTreeMap<SourceName, SourceHealth>>,
}

/// The condition of one source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceHealth {
    /// When the last complete pass began.
    pub complete_at: Option<Timestamp>,
    /// Passes that failed since.
    pub failures: u32,
    /// What the last failure said.
    pub failure: Option<PassFailure>,
    /// When it is polled next.
    pub next_at: Option<Timestamp>,
    /// The time between polls that is kept now.
    pub every: Span,
    /// API calls of the last increment.
    pub calls_per_increment: u32,
    /// API calls of the last sweep.
    pub calls_per_sweep: u32,
    /// The last tickets that could not be decoded, newest last.
    pub broken: VecDeque<BrokenSeen>,
}

/// A ticket that could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenSeen {
    /// Which, where even that could be read.
    pub id: Option<TicketId>,
    /// What is wrong with it.
    pub reason: String,
    /// When it was asked for.
    pub at: Timestamp,
}

impl Health {
    /// Whether the store takes writes.
    pub fn store_takes_writes(&self) -> bool {
        !self.store_red.load(Ordering::Acquire)
    }

    /// Says whether the store takes writes.
    pub fn set_store(&self, takes_writes: bool) {
        self.store_red.store(!takes_writes, Ordering::Release);
    }

    /// The sources' condition.
    pub fn sources(&self) -> BTreeMap<SourceName, SourceHealth> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes note of the end of a pass.
    pub fn pass_ended(
        &self,
        source: &SourceName,
        kind: PassKind,
        calls: u32,
        began: Timestamp,
        result: &Result<(), PassFailure>,
    ) {
        self.of(source, |health| {
            match kind {
                PassKind::Increment => health.calls_per_increment = calls,
                PassKind::Sweep => health.calls_per_sweep = calls,
            }
            match result {
                Ok(()) => {
                    health.complete_at = Some(began);
                    health.failures = 0;
                    health.failure = None;
                }
                Err(failure) => {
                    health.failures = health.failures.saturating_add(1);
                    health.failure = Some(failure.clone());
                }
            }
        });
    }

    /// Takes note of when a source is polled next, and how often.
    pub fn planned(&self, source: &SourceName, next_at: Timestamp, every: Span) {
        self.of(source, |health| {
            health.next_at = Some(next_at);
            health.every = every;
        });
    }

    /// Takes note of a ticket that could not be decoded, and logs it.
    pub fn broken(&self, source: &SourceName, ticket: &BrokenTicket, at: Timestamp) {
        let id = ticket.id.as_ref().map_or("?", |id| id.as_str());
        warn!(%source, ticket = id, reason = %ticket.reason, "a ticket cannot be decoded");
        add(&self.counters.broken, 1);
        self.of(source, |health| {
            health.broken.retain(|other| other.id.is_none() || other.id != ticket.id);
            if health.broken.len() >= BROKEN_SHOWN_MAX {
                health.broken.pop_front();
            }
            health.broken.push_back(BrokenSeen { id: ticket.id.clone(), reason: ticket.reason.clone(), at });
        });
    }

    fn of(&self, source: &SourceName, change: impl FnOnce(&mut SourceHealth)) {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        change(sources.entry(source.clone()).or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_broken_tickets_are_remembered_once_each() {
        let (health, source) = (Health::default(), SourceName::from("desk"));
        for round in 0..3 {
            for number in 0..BROKEN_SHOWN_MAX + 5 {
                let id = Some(TicketId::new(number.to_string()));
                let at = Timestamp::from_ms(round);
                health.broken(&source, &BrokenTicket { id, reason: "no status".into() }, at);
            }
        }
        let broken = &health.sources()[&source].broken;
        assert_eq!(broken.len(), BROKEN_SHOWN_MAX);
        assert!(broken.iter().all(|seen| seen.at == Timestamp::from_ms(2)));
    }
}
