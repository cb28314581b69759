//! How the clocks of a ticket run: since when, and where they stopped.

use crate::domain::{
    condition::Clock,
    facts::Facts,
    ticket::{Known, Ticket},
    time::{Span, Timestamp},
};

/// How a clock runs on a ticket, if nothing changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// Nobody knows since when it runs, or whether it still does.
    Unknown,
    /// What starts it has not happened: no test of it holds, neither `at_least` nor `under`.
    NotStarted,
    /// It runs.
    Running {
        /// Since when.
        since: Timestamp,
    },
    /// It ran and stopped.
    Stopped {
        /// Since when it ran.
        since: Timestamp,
        /// When it stopped.
        at: Timestamp,
    },
}

impl Run {
    /// How `clock` runs on a ticket.
    ///
    /// `age`, `idle` and `since_agent_reply` stop when the ticket is closed: at `closed_at`, else where the ticket last
    /// moved. `in_status` never stops. `since_agent_reply` starts with the first agent reply.
    pub fn of(clock: Clock, ticket: &Ticket, facts: &Facts) -> Self {
        let since = match clock {
            Clock::Age => ticket.created_at,
            Clock::Idle => match ticket.updated_at {
                Known::Empty => ticket.created_at,
                known => known,
            },
            Clock::InStatus if ticket.status.is_unknown() => return Self::Unknown,
            Clock::InStatus => return Self::Running { since: facts.status_since },
            Clock::SinceAgentReply => ticket.agent_last_response_time,
        };
        match since {
            Known::Unknown => Self::Unknown,
            Known::Empty if clock == Clock::SinceAgentReply => Self::NotStarted,
            Known::Empty => Self::Unknown, // every ticket was created at some instant
            Known::Present(since) => match stop_of(ticket) {
                Known::Unknown => Self::Unknown,
                Known::Empty => Self::Running { since },
                Known::Present(at) => Self::Stopped { since, at },
            },
        }
    }

    /// How long it has run; nothing where that is unknown or it has not started.
    pub fn elapsed(self, now: Timestamp) -> Option<Span> {
        match self {
            Self::Unknown | Self::NotStarted => None,
            Self::Running { since } => Some(now.since(since)),
            Self::Stopped { since, at } => Some(at.since(since)),
        }
    }
}

/// When the clocks of a closed ticket stopped; empty while it is open.
fn stop_of(ticket: &Ticket) -> Known<Timestamp> {
    match (ticket.is_closed(), ticket.closed_at) {
        (Some(false), _) | (None, Known::Empty) => Known::Empty,
        (Some(true) | None, Known::Present(at)) => Known::Present(at),
        (Some(true), Known::Unknown | Known::Empty) => ticket.last_moved_at().map_or(Known::Unknown, Known::Present),
        (None, Known::Unknown) => Known::Unknown,
    }
}
