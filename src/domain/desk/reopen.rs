//! Cards of alerts that are over rest for the rule's `refire_window`: what rings again within it goes on on the same
//! card.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    alert::{Alert, AlertState},
    desk::{
        machine::Desk,
        outbox::card_of,
        passes::SOURCE_SILENT,
        state::{CardKey, CardShows, CardState},
    },
    rule::REFIRE_WINDOW_DEFAULT,
    time::{Span, Timestamp},
};

/// Cards that show an end, and until when they may be opened again.
#[derive(Debug, Default)]
pub(super) struct Resting {
    until: BTreeMap<CardKey, Timestamp>,
    order: BTreeSet<(Timestamp, CardKey)>,
}

impl Resting {
    fn put(&mut self, key: CardKey, until: Timestamp) {
        self.remove(&key);
        self.order.insert((until, key.clone()));
        self.until.insert(key, until);
    }

    pub(super) fn remove(&mut self, key: &CardKey) {
        if let Some(until) = self.until.remove(key) {
            self.order.remove(&(until, key.clone()));
        }
    }

    fn get(&self, key: &CardKey) -> Option<Timestamp> {
        self.until.get(key).copied()
    }

    pub(super) fn next_due(&self) -> Timestamp {
        self.order.first().map_or(Timestamp::NEVER, |(until, _)| *until)
    }

    /// Instants of a time that did not happen are forgotten: what rested longer than it may is let go.
    pub(super) fn rewind(&mut self, latest: Timestamp) {
        for (key, until) in std::mem::take(&mut self.until) {
            self.order.remove(&(until, key.clone()));
            self.put(key, until.min(latest));
        }
    }
}

impl Desk {
    /// Whether a card still has something to show; one at rest has not.
    pub(super) fn stands(&self, key: &CardKey) -> bool {
        self.cards.contains_key(key) && self.resting.get(key).is_none()
    }

    /// A card shows its alert's end: it rests while the alert may ring again on it, else it is forgotten.
    pub(super) fn lay_to_rest(&mut self, card: &CardState, now: Timestamp) {
        let until = match &card.key.shows {
            CardShows::Alert(key, episode) => {
                let alert = self.episode(key, *episode);
                alert.and_then(|alert| self.reopens_until(alert)).filter(|_| card.message.is_some())
            }
            CardShows::Digest(..) => None,
        };
        match until {
            Some(until) if until > now => self.resting.put(card.key.clone(), until),
            _ => self.drop_card(&card.key),
        }
    }

    /// Until when an ended alert's cards may be opened again.
    fn reopens_until(&self, alert: &Alert) -> Option<Timestamp> {
        let window = match alert.key.rule.as_str() {
            SOURCE_SILENT => REFIRE_WINDOW_DEFAULT,
            _ => self.rule_named(&alert.key.rule)?.refire_window,
        };
        match alert.state {
            AlertState::Ended { fired_at: Some(_), ended_at, .. } => Some(ended_at.plus(window)),
            _ => None,
        }
    }

    /// What rested when the process ended rests on.
    pub(super) fn rest_again(&mut self, now: Timestamp) {
        let of_alert = |card: &&CardState| matches!(card.key.shows, CardShows::Alert(..));
        let cards: Vec<CardState> = self.cards.values().filter(of_alert).cloned().collect();
        for card in cards {
            let CardShows::Alert(key, episode) = &card.key.shows else { continue };
            let alert = self.episode(key, *episode);
            if alert.is_some_and(|alert| alert.is_firing() || card.shown_rev < alert.rev) {
                continue; // it still has something to show
            }
            // While it waits to ring again nobody knows any more when it ended: at the latest now.
            let pending = alert.filter(|alert| alert.state == AlertState::Pending);
            let window = pending.and_then(|alert| self.rule_named(&alert.key.rule)).map(|rule| rule.refire_window);
            match window {
                Some(window) => self.resting.put(card.key.clone(), now.plus(window)),
                None => self.lay_to_rest(&card, now),
            }
        }
    }

    /// Forgets cards that rested long enough.
    pub(super) fn forget_resting(&mut self, now: Timestamp) {
        while let Some((until, _)) = self.resting.order.first()
            && *until <= now
        {
            let Some((_, key)) = self.resting.order.pop_first() else { return };
            self.resting.until.remove(&key);
            self.drop_card(&key);
        }
    }

    /// An alert rings again: the cards of its last episode go on with this one.
    pub(super) fn reopen(&mut self, before: Option<&Alert>, alert: &Alert, window: Span, now: Timestamp) {
        let Some(before) = before.filter(|before| before.episode > 0) else { return };
        for line in &alert.lines {
            let old = card_of(before, &line.receiver);
            let ended = || match before.state {
                AlertState::Ended { fired_at: Some(_), ended_at, .. } => Some(ended_at),
                _ => match self.past.get(&(before.key.clone(), before.episode))?.state {
                    AlertState::Ended { ended_at, .. } => Some(ended_at),
                    _ => None,
                },
            };
            let until = self.resting.get(&old).or_else(|| ended().map(|at| at.plus(window)));
            let Some(card) = self.cards.get(&old).filter(|card| card.message.is_some()).cloned() else { continue };
            if until.is_none_or(|until| until <= now) {
                continue;
            }
            self.drop_card(&old);
            self.put_card(CardState { key: card_of(alert, &line.receiver), ..card });
        }
        self.forget_past_if_settled(&before.key, before.episode);
    }
}
