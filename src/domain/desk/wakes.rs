//! What the platform tells of tickets wakes a read of them and is believed nothing else: lost, doubled or out of order,
//! it changes nothing but how soon the desk knows.

use std::collections::BTreeMap;

use crate::domain::{
    desk::{
        hearing::Cause,
        input::TicketNews,
        machine::{Desk, Talk},
        outcome::Effect,
    },
    id::TicketKey,
    time::{Span, Timestamp},
};

/// A read that still shows the state of before is repeated once, so much later.
pub const AGAIN_AFTER: Span = Span::from_secs(5);

/// So long an answer is waited for; what does not come by then the next poll brings.
const ANSWER_WITHIN: Span = Span::from_mins(1);

/// More tickets than this are not read one by one: one window shows them all.
const SINGLE_READS_MAX: usize = 50;

/// Tickets that were told of and not yet seen as they were told.
#[derive(Debug, Default)]
pub(super) struct Wakes(BTreeMap<TicketKey, Wake>);

/// One of them; news of the same ticket join it.
#[derive(Clone, Copy, Debug)]
struct Wake {
    /// The state to be seen is of this instant or younger, by the source's clock.
    moved_at: Option<Timestamp>,
    /// When it was asked for.
    asked_at: Timestamp,
    /// The one repeat was used up.
    repeated: bool,
    /// An answer showed the state of before: it is asked for again at `due_at`. Otherwise it is given up then.
    repeats: bool,
    due_at: Timestamp,
}

impl Wakes {
    pub(super) fn next_due(&self) -> Timestamp {
        self.0.values().map(|wake| wake.due_at).min().unwrap_or(Timestamp::NEVER)
    }

    /// Nothing is waited for only because the clock was set back.
    pub(super) fn rewind(&mut self) {
        self.0.clear();
    }
}

impl Desk {
    /// Something happened to a ticket: it is read, unless what is known is as young already.
    pub(super) fn ticket_news(&mut self, news: &TicketNews, now: Timestamp) {
        self.counters.news += 1;
        let Some(key) = self.told_of(news) else { return };
        // Otherwise the pass under way reads it all, and what it shows is gathered in a digest.
        if !self.sources.get(&key.source).is_some_and(|source| source.keeps_up(now)) {
            return;
        }
        if news.said {
            self.hear_more(&key, now);
        }
        if news.moved_at.is_some() && self.is_seen_as_of(&key, news.moved_at) {
            return; // late, or told twice
        }
        let fresh = Wake {
            moved_at: news.moved_at,
            asked_at: now,
            repeated: false,
            repeats: false,
            due_at: now.plus(ANSWER_WITHIN),
        };
        if let Some(wake) = self.wakes.0.get_mut(&key) {
            if news.moved_at <= wake.moved_at {
                return; // it is waited for already
            }
            (wake.moved_at, wake.repeated) = (news.moved_at, false);
            if wake.repeats {
                return; // it is read again in a moment
            }
        } else if self.wakes.0.len() < SINGLE_READS_MAX {
            self.wakes.0.insert(key.clone(), fresh);
        } else {
            return self.effect(Effect::ReadSource(key.source));
        }
        self.effect(Effect::ReadTicket(key));
    }

    /// Which ticket it tells of. News of a message name no helpdesk: where several have it, the one under watch counts.
    fn told_of(&self, news: &TicketNews) -> Option<TicketKey> {
        let key = |source| TicketKey::new(source, news.ticket.clone());
        if let Some(source) = &news.source {
            return Some(key(source.clone()));
        }
        let mut keys = self.sources.keys().cloned().map(key);
        let known = keys.clone().find(|key| self.tickets.contains_key(key));
        known.or_else(|| keys.next().filter(|_| self.sources.len() == 1))
    }

    /// What was said on the ticket is older than what was told just now.
    fn hear_more(&mut self, key: &TicketKey, now: Timestamp) {
        let Some(watched) = self.tickets.get_mut(key) else { return };
        watched.talk = Talk { changed_at: Some(now), asked_at: None, ..watched.talk };
        self.judge(key, &Cause::Time, now);
    }

    /// Whether the state under watch is of `moved_at` or younger.
    fn is_seen_as_of(&self, key: &TicketKey, moved_at: Option<Timestamp>) -> bool {
        self.tickets.get(key).is_some_and(|watched| watched.tracked.ticket.last_moved_at() >= moved_at)
    }

    /// The source answered, or could not: what was told is seen, or looked for once more.
    pub(super) fn wake_answered(&mut self, key: &TicketKey, asked_at: Timestamp, now: Timestamp) {
        let Some(wake) = self.wakes.0.get(key).copied() else { return };
        let seen = match wake.moved_at {
            Some(_) => self.is_seen_as_of(key, wake.moved_at),
            None => self.tickets.get(key).is_some_and(|watched| watched.tracked.asked_at >= wake.asked_at),
        };
        if seen || (wake.repeated && asked_at >= wake.asked_at) {
            self.wakes.0.remove(key);
        } else if !wake.repeats
            && let Some(wake) = self.wakes.0.get_mut(key)
        {
            (wake.repeats, wake.due_at) = (true, now.plus(AGAIN_AFTER));
        }
    }

    /// Reads again what showed the state of before.
    pub(super) fn wake_again(&mut self, now: Timestamp) {
        let due = self.wakes.0.iter().filter(|(_, wake)| wake.due_at <= now);
        for (key, wake) in due.map(|(key, wake)| (key.clone(), *wake)).collect::<Vec<_>>() {
            let seen = wake.moved_at.is_some() && self.is_seen_as_of(&key, wake.moved_at);
            if seen || !wake.repeats {
                self.wakes.0.remove(&key);
                continue;
            }
            let again = Wake { asked_at: now, repeated: true, repeats: false, due_at: now.plus(ANSWER_WITHIN), ..wake };
            self.wakes.0.insert(key.clone(), again);
            self.effect(Effect::ReadTicket(key));
        }
    }
}
