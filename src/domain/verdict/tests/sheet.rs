//! A random ticket as plain numbers, and its clocks counted second by second and minute by minute. Nothing here is
//! shared with the code under test but the words of the domain.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::world::{Counted, Dice, WINDOW_MINS, World};
use crate::domain::{
    condition::Clock,
    conversation::{Conversation, Said, Speaker},
    facts::{Facts, Spell},
    id::{SourceName, TicketId, TicketKey},
    ticket::{Known, Status, Ticket},
};

/// Instants of tickets lie in the first three days of a world.
const TICKET_SECS: i64 = 3 * 86_400;

const STATUSES: &[i64] = &[1, 2, 2, 3, 3, 4, 5, 50, 51, 52, 77];

/// All of a ticket that clocks and the conditions of the cases look at; instants in seconds.
#[derive(Clone, Debug)]
pub(super) struct Sheet {
    pub(super) status: Known<i64>,
    pub(super) score: Known<i64>,
    pub(super) created: Known<i64>,
    pub(super) updated: Known<i64>,
    closed: Known<i64>,
    entered: Known<i64>,
    first_reply: Known<i64>,
    pub(super) last_reply: Known<i64>,
    status_since: i64,
    /// Status and beginning, oldest first.
    past: Vec<(i64, i64)>,
    pub(super) reopened: u32,
    said: Known<Vec<(Speaker, i64)>>,
}

fn instant(dice: &mut Dice) -> i64 {
    let secs = dice.below(TICKET_SECS);
    if dice.once_in(3) { secs } else { secs / 60 * 60 }
}

fn known(dice: &mut Dice, value: impl FnOnce(&mut Dice) -> i64) -> Known<i64> {
    match dice.below(12) {
        0 => Known::Unknown,
        1 | 2 => Known::Empty,
        _ => Known::Present(value(dice)),
    }
}

impl Sheet {
    pub(super) fn random(dice: &mut Dice) -> Self {
        let mut spells: Vec<i64> = (0..=dice.below(6)).map(|_| instant(dice)).collect();
        spells.sort_unstable();
        let status_since = spells.pop().unwrap();
        let past = spells.into_iter().map(|since| (*dice.pick(STATUSES), since)).collect();
        let status = if dice.once_in(12) { Known::Unknown } else { Known::Present(*dice.pick(STATUSES)) };
        let closed = match status {
            Known::Present(1..=5) if !dice.once_in(6) => Known::Empty,
            _ => known(dice, instant),
        };
        let speakers = [Speaker::Guest, Speaker::Guest, Speaker::Agent, Speaker::Bot];
        let said = match dice.below(6) {
            0 => Known::Unknown,
            1 => Known::Empty,
            _ => Known::Present((0..dice.below(6)).map(|_| (*dice.pick(&speakers), instant(dice))).collect()),
        };
        Self {
            status,
            score: known(dice, |dice| 1 + dice.below(3)),
            created: known(dice, instant),
            updated: known(dice, instant),
            closed,
            entered: known(dice, instant),
            first_reply: if dice.once_in(2) { Known::Empty } else { known(dice, instant) },
            last_reply: known(dice, instant),
            status_since,
            past,
            reopened: u32::try_from(dice.below(4)).unwrap(),
            said,
        }
    }

    /// What the ticket may have been before the change that made it this; what was said is not a part of it.
    pub(super) fn before(&self, dice: &mut Dice) -> Self {
        let other = Self::random(dice);
        let mut before = Self {
            said: self.said.clone(),
            past: self.past.clone(),
            status_since: self.status_since,
            reopened: self.reopened,
            status: self.status,
            ..other
        };
        let last = before.past.last().copied().filter(|(status, _)| Known::Present(*status) != self.status);
        if let (false, Known::Present(now), Some((status, since))) = (dice.once_in(3), self.status, last) {
            before.past.pop();
            before.status_since = since;
            before.status = Known::Present(status);
            let reopened = (50..=52).contains(&status) && (1..=5).contains(&now);
            before.reopened = before.reopened.saturating_sub(u32::from(reopened));
        }
        before
    }

    pub(super) fn ticket(&self, world: &World) -> Ticket {
        let at = |known: Known<i64>| known.map(|secs| world.at_secs(secs));
        Ticket {
            status: self.status.map(Status::from_code),
            score: self.score,
            created_at: at(self.created),
            updated_at: at(self.updated),
            closed_at: at(self.closed),
            agent_entry_time: at(self.entered),
            agent_first_response_time: at(self.first_reply),
            agent_last_response_time: at(self.last_reply),
            ..Ticket::unknown(TicketKey::new(SourceName::new("desk"), TicketId::new("1")))
        }
    }

    pub(super) fn facts(&self, world: &World) -> Facts {
        let spells = self.past.iter().map(|(status, since)| Spell { status: *status, since: world.at_secs(*since) });
        let said = |(speaker, at): &(Speaker, i64)| (*speaker, Said { at: world.at_secs(*at), text: "…".into() });
        Facts {
            reopened_count: self.reopened,
            spells: (!self.past.is_empty()).then(|| spells.collect()),
            conversation: self.said.clone().map(|all| Arc::new(Conversation::of(all.iter().map(said).collect()))),
            ..Facts::new(world.at_secs(self.status_since), world.at_secs(0))
        }
    }

    fn is_closed(&self) -> Option<bool> {
        match self.status {
            Known::Present(1..=5) => Some(false),
            Known::Present(50..=52) => Some(true),
            _ => None,
        }
    }

    /// When everything stopped, if it did.
    fn end(&self) -> Known<i64> {
        match (self.is_closed(), self.closed) {
            (Some(false), _) | (None, Known::Empty) => Known::Empty,
            (_, Known::Present(at)) => Known::Present(at),
            (None, Known::Unknown) => Known::Unknown,
            (Some(true), _) => match (self.updated, self.created) {
                (Known::Present(at), _) | (_, Known::Present(at)) => Known::Present(at),
                _ => Known::Unknown,
            },
        }
    }

    /// The oldest word of the guest after which no agent spoke.
    fn waiting_since(&self) -> Known<i64> {
        let all = match &self.said {
            Known::Present(all) => all,
            Known::Empty => return Known::Empty,
            Known::Unknown => return Known::Unknown,
        };
        // Of two words at the same instant the one that was told first was said first.
        let answered = |at: i64, place: usize| {
            let mut later = all.iter().enumerate().filter(|(other, (_, when))| (*when, *other) > (at, place));
            later.any(|(_, (speaker, _))| *speaker == Speaker::Agent)
        };
        let guest = all.iter().enumerate().filter(|(_, (speaker, _))| *speaker == Speaker::Guest);
        guest.filter(|(place, (_, at))| !answered(*at, *place)).map(|(_, (_, at))| *at).min().into()
    }

    fn status_at(&self, secs: i64) -> Option<i64> {
        if secs >= self.status_since {
            return self.status.present().copied();
        }
        self.past.iter().rfind(|(_, since)| *since <= secs).map(|(status, _)| *status)
    }

    fn ever_had(&self, wanted: i64) -> Option<i64> {
        let first = self.past.iter().find(|(status, _)| *status == wanted).map(|(_, since)| *since);
        first.or((self.status == Known::Present(wanted)).then_some(self.status_since))
    }

    /// Since when a clock runs, and where it stopped; empty where it has not started.
    fn ends_of(&self, clock: Clock) -> Known<(i64, Option<i64>)> {
        let of_status = |wanted| match self.status {
            Known::Unknown => Known::Unknown,
            _ => self.ever_had(wanted).map(|since| (since, None)).into(),
        };
        let (since, stop) = match clock {
            Clock::InStatus if self.status == Known::Unknown => return Known::Unknown,
            Clock::InStatus => return Known::Present((self.status_since, None)),
            Clock::QueueTime => return of_status(3),
            Clock::ServiceTime => return of_status(2),
            Clock::Age => (self.created, self.end()),
            Clock::Idle if self.updated == Known::Empty => (self.created, self.end()),
            Clock::Idle => (self.updated, self.end()),
            Clock::SinceAgentReply => (self.last_reply, self.end()),
            Clock::UnansweredFor => (self.waiting_since(), self.end()),
            Clock::Resolution => (self.entered, self.end()),
            Clock::FirstResponse if self.first_reply == Known::Empty => (self.entered, self.end()),
            Clock::FirstResponse => (self.entered, self.first_reply),
        };
        match (since, stop) {
            (Known::Unknown, _) => Known::Unknown,
            (Known::Empty, _) if matches!(clock, Clock::Age | Clock::Idle) => Known::Unknown,
            (Known::Empty, _) => Known::Empty,
            (_, Known::Unknown) => Known::Unknown,
            (Known::Present(since), Known::Empty) => Known::Present((since, None)),
            (Known::Present(since), Known::Present(stop)) => Known::Present((since, Some(stop))),
        }
    }

    /// Counts a clock over the whole world.
    pub(super) fn tape(&self, clock: Clock, pauses: &[i64], counted: Counted, world: &World) -> Known<Tape> {
        let (since, stop) = match self.ends_of(clock) {
            Known::Unknown => return Known::Unknown,
            Known::Empty => return Known::Empty,
            Known::Present(_) if !pauses.is_empty() && self.status == Known::Unknown => return Known::Unknown,
            Known::Present(ends) => ends,
        };
        let only = match clock {
            Clock::QueueTime => Some(3),
            Clock::ServiceTime => Some(2),
            _ => None,
        };
        let by_status = only.is_some() || !pauses.is_empty();
        let ticks = |secs: i64| {
            if secs < since || stop.is_some_and(|stop| secs >= stop) || !world.is_open(counted, secs / 60) {
                return false;
            }
            let status = if by_status { self.status_at(secs) } else { None };
            only.is_none_or(|only| status == Some(only)) && status.is_none_or(|status| !pauses.contains(&status))
        };
        let turns = self.past.iter().map(|spell| spell.1).chain([self.status_since, since]).chain(stop);
        let within: BTreeSet<i64> = turns.filter(|turn| turn % 60 != 0).map(|turn| turn / 60).collect();
        let mut within = within.into_iter().peekable();
        let (mut by_minute, mut total, mut mixed) = (vec![0], 0, BTreeMap::new());
        for minute in 0..WINDOW_MINS {
            let (from, to) = (minute * 60, minute * 60 + 60);
            if within.next_if_eq(&minute).is_some() {
                let seconds: Vec<bool> = (from..to).map(ticks).collect();
                total += i64::try_from(seconds.iter().filter(|ticks| **ticks).count()).unwrap();
                mixed.insert(minute, seconds);
            } else if ticks(from) {
                total += 60;
            }
            by_minute.push(total);
        }
        let is_over = only.map_or(stop.is_some(), |only| self.status != Known::Present(only));
        Known::Present(Tape { by_minute, mixed, is_over, stopped: stop.is_some() })
    }
}

/// What a clock shows over time.
pub(super) struct Tape {
    /// Seconds by the beginning of each minute.
    by_minute: Vec<i64>,
    /// The minutes within which it begins, ends or rests: which of their seconds count.
    mixed: BTreeMap<i64, Vec<bool>>,
    /// It will never run on.
    pub(super) is_over: bool,
    /// It shows what it showed when it stopped, whenever it is asked.
    stopped: bool,
}

impl Tape {
    /// In milliseconds.
    pub(super) fn shows(&self, at_ms: i64) -> i64 {
        if self.stopped {
            return self.by_minute.last().unwrap() * 1_000;
        }
        let (minute, within) = (at_ms / 60_000, at_ms % 60_000);
        let at = usize::try_from(minute).unwrap();
        let before = self.by_minute[at] * 1_000;
        let Some(seconds) = self.mixed.get(&minute) else {
            return before + if self.by_minute[at + 1] > self.by_minute[at] { within } else { 0 };
        };
        let second = usize::try_from(within / 1_000).unwrap();
        let whole = i64::try_from(seconds[..second].iter().filter(|ticks| **ticks).count()).unwrap();
        before + whole * 1_000 + if seconds[second] { within % 1_000 } else { 0 }
    }

    /// The first instant at which it shows so much, if it gets there while the world lasts.
    pub(super) fn reaches(&self, span_ms: i64) -> Option<i64> {
        if self.stopped {
            return None;
        }
        let minute = self.by_minute.iter().position(|secs| secs * 1_000 >= span_ms)?;
        if minute + 1 >= self.by_minute.len() {
            return None;
        }
        let mut at = i64::try_from(minute.checked_sub(1)?).unwrap() * 60_000;
        while self.shows(at + 1_000) < span_ms {
            at += 1_000;
        }
        while self.shows(at) < span_ms {
            at += 1;
        }
        Some(at)
    }
}
