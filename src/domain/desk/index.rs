//! Alerts by their reference and by what rings, cards by the message that shows them: kept beside them, so that one is
//! not searched for among all.

use std::{
    borrow::Borrow,
    collections::{BTreeMap, BTreeSet},
};

use smol_str::SmolStr;

use crate::domain::{
    alert::{Alert, AlertKey, reference},
    desk::{
        machine::Desk,
        state::{CardKey, CardState},
    },
    id::{MessageId, RuleName, Subject},
    rule::Severity,
    silence::goes_by,
};

/// Earlier episodes of an alert by whose reference it is found, the latest ones: cards that went on in the present one
/// were known by them.
const FORMER_MAX: u32 = 10;

/// Alerts and cards by what they are looked for.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Episodes by their reference, past ones too. It is short: two may share one.
    called: BTreeMap<SmolStr, Vec<(AlertKey, u32)>>,
    /// Alerts by the references of their earlier episodes.
    formerly: BTreeMap<SmolStr, Vec<(AlertKey, u32)>>,
    /// What rings: the subjects by rule and severity.
    ringing: BTreeMap<(RuleName, Severity), BTreeSet<Subject>>,
    /// Cards by their message. An episode that goes on on the card of the one before shares it for a moment.
    shown_by: BTreeMap<MessageId, Vec<CardKey>>,
}

impl Index {
    /// Notes an alert, or an episode of it that is kept besides the present one.
    pub(super) fn note(&mut self, alert: &Alert) {
        self.note_called(alert);
        self.note_ringing(alert);
    }

    /// Notes the references of an alert's earlier episodes. Not for an episode that is kept besides.
    pub(super) fn note_former(&mut self, alert: &Alert) {
        for episode in former(alert) {
            let place = (alert.key.clone(), episode);
            put_in(&mut self.formerly, reference(&alert.key, episode).into(), place);
        }
    }

    /// Forgets the references of an alert's earlier episodes: the alert itself is forgotten.
    pub(super) fn forget_former(&mut self, alert: &Alert) {
        for episode in former(alert) {
            take_out(&mut self.formerly, reference(&alert.key, episode).as_str(), &(alert.key.clone(), episode));
        }
    }

    /// `new` takes the place of `old`. Whether the episode of `old` is kept besides is said by `stays`.
    pub(super) fn replace(&mut self, old: Option<&Alert>, new: &Alert, stays: bool) {
        let called_the_same = old.is_some_and(|old| old.episode == new.episode);
        if let Some(old) = old {
            self.forget_ringing(old);
            if !called_the_same && !stays {
                self.forget_called(old);
            }
        }
        self.note_ringing(new);
        if !called_the_same {
            old.into_iter().for_each(|old| self.forget_former(old));
            self.note_called(new); // a reference costs a hash
            self.note_former(new);
        }
    }

    /// Forgets an alert. Whether its episode is kept elsewhere is said by `stays`.
    pub(super) fn forget(&mut self, alert: &Alert, stays: bool) {
        self.forget_ringing(alert);
        if !stays {
            self.forget_called(alert);
        }
    }

    fn note_called(&mut self, alert: &Alert) {
        if alert.episode > 0 {
            put_in(&mut self.called, alert.reference().into(), (alert.key.clone(), alert.episode));
        }
    }

    fn forget_called(&mut self, alert: &Alert) {
        if alert.episode > 0 {
            take_out(&mut self.called, alert.reference().as_str(), &(alert.key.clone(), alert.episode));
        }
    }

    fn note_ringing(&mut self, alert: &Alert) {
        if alert.is_firing() {
            let place = (alert.key.rule.clone(), alert.severity);
            self.ringing.entry(place).or_default().insert(alert.key.subject.clone());
        }
    }

    fn forget_ringing(&mut self, alert: &Alert) {
        if alert.is_firing() {
            let place = (alert.key.rule.clone(), alert.severity);
            if let Some(subjects) = self.ringing.get_mut(&place) {
                subjects.remove(&alert.key.subject);
                if subjects.is_empty() {
                    self.ringing.remove(&place);
                }
            }
        }
    }

    /// The episodes with this reference, as it stands in the footer without `#`.
    pub(super) fn called(&self, reference: &str) -> impl Iterator<Item = &(AlertKey, u32)> {
        self.called.get(reference).into_iter().flatten()
    }

    /// The alerts that had this reference in an earlier episode, with that episode.
    pub(super) fn formerly_called(&self, reference: &str) -> impl Iterator<Item = &(AlertKey, u32)> {
        self.formerly.get(reference).into_iter().flatten()
    }

    /// Notes which message shows a card.
    pub(super) fn note_card(&mut self, card: &CardState) {
        if let Some(message) = &card.message {
            put_in(&mut self.shown_by, message.clone(), card.key.clone());
        }
    }

    /// Forgets which message showed a card.
    pub(super) fn forget_card(&mut self, card: &CardState) {
        if let Some(message) = &card.message {
            take_out(&mut self.shown_by, message, &card.key);
        }
    }
}

/// The episodes before an alert's present one by whose references it is found.
fn former(alert: &Alert) -> std::ops::Range<u32> {
    alert.episode.saturating_sub(FORMER_MAX).max(1)..alert.episode
}

/// Puts a value into the list under `key`. Nearly every list is of one: none has room for more than it holds.
fn put_in<K: Ord, V: Ord>(lists: &mut BTreeMap<K, Vec<V>>, key: K, value: V) {
    let list = lists.entry(key).or_default();
    if let Err(at) = list.binary_search(&value) {
        list.reserve_exact(1);
        list.insert(at, value);
    }
}

/// Takes a value out of the list under `key`; a list left empty goes too.
fn take_out<K: Ord + Borrow<Q>, Q: Ord + ?Sized, V: Ord>(lists: &mut BTreeMap<K, Vec<V>>, key: &Q, value: &V) {
    if let Some(list) = lists.get_mut(key) {
        list.retain(|known| known != value);
        if list.is_empty() {
            lists.remove(key);
        }
    }
}

impl Desk {
    /// What rings by a rule that goes or went by this name, any rule where none is named, and of a severity that fits.
    pub(super) fn ringing_by<'a>(
        &'a self,
        name: Option<&RuleName>,
        fits: impl Fn(Severity) -> bool,
    ) -> impl Iterator<Item = &'a Alert> {
        let of = move |rule: &RuleName| {
            name.is_none_or(|name| goes_by(rule, self.rule_named(rule).map(|rule| &**rule), name))
        };
        let places = self.index.ringing.iter().filter(move |((rule, severity), _)| fits(*severity) && of(rule));
        places.flat_map(move |((rule, _), subjects)| {
            let alert = move |subject| self.alerts.get(subject)?.iter().find(|alert| alert.key.rule == *rule);
            subjects.iter().filter_map(alert)
        })
    }

    /// The cards that a message shows: one, but for a moment.
    pub(super) fn cards_in(&self, message: &MessageId) -> impl Iterator<Item = &CardState> {
        self.index.shown_by.get(message).into_iter().flatten().filter_map(|key| self.cards.get(key))
    }
}

#[cfg(test)]
mod tests;
