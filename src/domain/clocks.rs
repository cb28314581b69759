//! How the clocks of a ticket run: since when, in which stretches, and where they stopped.

use crate::domain::{
    calendar::Pace,
    condition::Clock,
    facts::Facts,
    seen::Seen,
    ticket::{Known, Status, Ticket},
    time::{Span, Timestamp},
};

/// How a clock runs on a ticket, if nothing changes.
#[derive(Clone, Copy, Debug)]
pub enum Run<'a> {
    /// Nobody knows since when it runs, or whether it still does.
    Unknown,
    /// What starts it has not happened: no test of it holds, neither `at_least` nor `under`.
    NotStarted,
    /// It runs, or ran.
    Track(Track<'a>),
}

/// The way of a clock that has started.
#[derive(Clone, Copy, Debug)]
pub struct Track<'a> {
    since: Timestamp,
    stopped_at: Option<Timestamp>,
    counts: Counts<'a>,
}

/// Which of a ticket's time a clock counts.
#[derive(Clone, Copy, Debug)]
enum Counts<'a> {
    /// All of it.
    All,
    /// All but what it spent in these statuses.
    Outside(&'a [i64], Statuses<'a>),
    /// Only what it spent in this status.
    During(i64, Statuses<'a>),
}

/// The statuses a ticket went through.
#[derive(Clone, Copy, Debug)]
struct Statuses<'a> {
    facts: &'a Facts,
    present: i64,
}

impl<'a> Run<'a> {
    /// How `clock` runs on a ticket, resting in the statuses `pauses`.
    ///
    /// `in_status` never stops; `queue_time` and `service_time` run in one status; `first_response` stops with the
    /// first agent reply; all others stop when the ticket is closed: at `closed_at`, else where it last moved.
    /// `first_response` and `resolution` start when the ticket enters the human stage: the bot's time is not the
    /// agents'. What was before the first sight of a ticket counts as no pause.
    pub fn of(clock: Clock, pauses: &'a [i64], seen: &Seen<'a>) -> Self {
        let ticket = seen.ticket;
        let since = match clock {
            Clock::Age => ticket.created_at,
            Clock::Idle => match ticket.updated_at {
                Known::Empty => ticket.created_at,
                known => known,
            },
            Clock::InStatus if ticket.status.is_unknown() => return Self::Unknown,
            Clock::InStatus => Known::Present(seen.facts.status_since),
            Clock::SinceAgentReply => ticket.agent_last_response_time,
            Clock::QueueTime => return Self::during(Status::Queueing, seen),
            Clock::ServiceTime => return Self::during(Status::Processing, seen),
            Clock::UnansweredFor => match &seen.facts.conversation {
                Known::Unknown => Known::Unknown,
                Known::Empty => Known::Empty,
                Known::Present(said) => said.unanswered_since.into(),
            },
            Clock::FirstResponse | Clock::Resolution => ticket.agent_entry_time,
        };
        let since = match since {
            Known::Unknown => return Self::Unknown,
            Known::Empty if matches!(clock, Clock::Age | Clock::Idle) => return Self::Unknown, // every ticket has one
            Known::Empty => return Self::NotStarted,
            Known::Present(since) => since,
        };
        let stop = match (clock, ticket.agent_first_response_time) {
            (Clock::InStatus, _) => Known::Empty,
            (Clock::FirstResponse, Known::Empty) => stop_of(ticket),
            (Clock::FirstResponse, replied) => replied,
            _ => stop_of(ticket),
        };
        let counts = match (pauses, Statuses::of(seen)) {
            ([], _) => Counts::All,
            (_, None) => return Self::Unknown,
            (pauses, Some(statuses)) => Counts::Outside(pauses, statuses),
        };
        match stop {
            Known::Unknown => Self::Unknown,
            Known::Empty => Self::Track(Track { since, stopped_at: None, counts }),
            Known::Present(at) => Self::Track(Track { since, stopped_at: Some(at), counts }),
        }
    }

    fn during(status: Status, seen: &Seen<'a>) -> Self {
        let Some(statuses) = Statuses::of(seen) else { return Self::Unknown };
        let Some(since) = statuses.spells().find(|spell| spell.0 == status.code()).map(|spell| spell.1) else {
            return Self::NotStarted;
        };
        Self::Track(Track { since, stopped_at: None, counts: Counts::During(status.code(), statuses) })
    }

    /// How long it has run, counted at `pace`; nothing where that is unknown or it has not started.
    pub fn elapsed(&self, pace: &Pace, now: Timestamp) -> Option<Span> {
        match self {
            Self::Unknown | Self::NotStarted => None,
            Self::Track(track) => Some(track.elapsed(pace, now)),
        }
    }

    /// Whether it ran and will not run on.
    pub const fn is_over(&self) -> bool {
        match self {
            Self::Unknown | Self::NotStarted => false,
            Self::Track(track) => match track.counts {
                Counts::During(status, statuses) => statuses.present != status,
                Counts::All | Counts::Outside(..) => track.stopped_at.is_some(),
            },
        }
    }
}

impl Track<'_> {
    /// How long it has run.
    pub fn elapsed(&self, pace: &Pace, now: Timestamp) -> Span {
        let mut total = Span::ZERO;
        self.stretches(now, |from, to| total = Span::from_ms(total.as_ms() + pace.elapsed(from, to).as_ms()));
        total
    }

    /// When it reaches `span`, if nothing changes; never where it does not.
    pub fn reaches(&self, span: Span, pace: &Pace) -> Timestamp {
        if self.stopped_at.is_some() {
            return Timestamp::NEVER;
        }
        if let Counts::All = self.counts {
            return pace.after(self.since, span);
        }
        let (mut left, mut reached) = (span, None);
        self.stretches(Timestamp::NEVER, |from, to| {
            let at = pace.after(from, left);
            if reached.is_none() && at <= to {
                reached = Some(at);
            }
            left = left.less(pace.elapsed(from, to));
        });
        reached.unwrap_or(Timestamp::NEVER)
    }

    /// The stretches of time that count, up to `now`, or to where it stopped.
    fn stretches(&self, now: Timestamp, mut each: impl FnMut(Timestamp, Timestamp)) {
        let end = self.stopped_at.unwrap_or(now);
        let mut clipped = |from: Timestamp, to: Timestamp| {
            let (from, to) = (from.max(self.since), to.min(end));
            if from < to {
                each(from, to);
            }
        };
        let (statuses, counts): (_, &dyn Fn(i64) -> bool) = match &self.counts {
            Counts::All => return clipped(self.since, end),
            Counts::Outside(pauses, statuses) => (statuses, &|status| !pauses.contains(&status)),
            Counts::During(wanted, statuses) => (statuses, &|status| status == *wanted),
        };
        let mut spells = statuses.spells().peekable();
        if let (Counts::Outside(..), Some((_, first))) = (&self.counts, spells.peek()) {
            clipped(self.since, *first);
        }
        while let Some((status, since)) = spells.next() {
            let until = spells.peek().map_or(end, |(_, next)| *next);
            if counts(status) {
                clipped(since, until);
            }
        }
    }
}

impl<'a> Statuses<'a> {
    fn of(seen: &Seen<'a>) -> Option<Self> {
        let present = seen.ticket.status.present()?.code();
        Some(Self { facts: seen.facts, present })
    }

    /// Each status with the instant it began, oldest first.
    fn spells(&self) -> impl Iterator<Item = (i64, Timestamp)> {
        let past = self.facts.past_spells().iter().map(|spell| (spell.status, spell.since));
        past.chain([(self.present, self.facts.status_since)])
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
