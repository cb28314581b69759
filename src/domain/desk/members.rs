//! Which alerts each digest tells: kept beside them, so that those of a digest are not searched for among all.

use std::collections::BTreeMap;

use crate::domain::{
    alert::{Alert, AlertKey, Announced, Line, LineOf},
    id::{ReceiverName, Subject},
};

/// Alerts by the digest that tells them.
#[derive(Debug, Default)]
pub(super) struct Members {
    of: BTreeMap<(Subject, u32), Told>,
}

/// What one digest tells.
#[derive(Debug, Default)]
struct Told {
    /// The episodes, and whether each rings.
    episodes: BTreeMap<(AlertKey, u32), bool>,
    /// How many of them ring, by whom they tell.
    ringing: BTreeMap<ReceiverName, usize>,
}

impl Told {
    fn count(&mut self, alert: &Alert, (of, number): (&Subject, u32), by: isize) {
        for line in told_in(alert, of, number) {
            let count = self.ringing.entry(line.receiver.clone()).or_default();
            *count = count.saturating_add_signed(by);
            if *count == 0 {
                self.ringing.remove(&line.receiver);
            }
        }
    }
}

impl Members {
    /// Notes where an alert's episode is told, and whether it rings; it is not noted already.
    pub(super) fn note(&mut self, alert: &Alert) {
        for digest in digests_of(alert) {
            let told = self.of.entry(digest.clone()).or_default();
            let rings = alert.is_firing();
            let noted = told.episodes.insert((alert.key.clone(), alert.episode), rings) == Some(true);
            if rings && !noted {
                told.count(alert, (&digest.0, digest.1), 1);
            }
        }
    }

    /// Forgets an alert's episode as it was noted.
    pub(super) fn forget(&mut self, alert: &Alert) {
        for digest in digests_of(alert) {
            let Some(told) = self.of.get_mut(&digest) else { continue };
            if told.episodes.remove(&(alert.key.clone(), alert.episode)) == Some(true) {
                told.count(alert, (&digest.0, digest.1), -1);
            }
            if told.episodes.is_empty() {
                self.of.remove(&digest);
            }
        }
    }

    /// Whether an alert of a digest rings.
    pub(super) fn rings(&self, of: &Subject, number: u32) -> bool {
        self.of.get(&(of.clone(), number)).is_some_and(|told| !told.ringing.is_empty())
    }

    /// Whether an alert of a digest rings that this receiver is told of.
    pub(super) fn rings_at(&self, of: &Subject, number: u32, receiver: &ReceiverName) -> bool {
        self.of.get(&(of.clone(), number)).is_some_and(|told| told.ringing.contains_key(receiver))
    }

    /// The episodes that a digest tells.
    pub(super) fn episodes(&self, of: &Subject, number: u32) -> impl Iterator<Item = &(AlertKey, u32)> {
        self.of.get(&(of.clone(), number)).into_iter().flat_map(|told| told.episodes.keys())
    }
}

/// The lines that were told when the alert began; its ladder adds others later.
pub(super) fn told_of_beginning(alert: &Alert) -> impl Iterator<Item = &Line> {
    alert.lines.iter().enumerate().filter(|(at, line)| !came_later(*at, line)).map(|(_, line)| line)
}

const fn came_later(at: usize, line: &Line) -> bool {
    at > 0 && matches!(line.from, LineOf::Rung(_))
}

/// The lines of an alert that a digest tells: of a receiver's those that say so, of a source's those told when the alert
/// began.
pub(super) fn told_in<'a>(alert: &'a Alert, of: &Subject, number: u32) -> impl Iterator<Item = &'a Line> + use<'a> {
    let receiver = match of {
        Subject::Receiver(name) => Some(name.clone()),
        _ => None,
    };
    alert.lines.iter().enumerate().filter_map(move |(at, line)| {
        let told = match &receiver {
            Some(name) => line.receiver == *name && [line.digest, line.again].contains(&Some(number)),
            None => !came_later(at, line),
        };
        told.then_some(line)
    })
}

/// The digests that tell an alert's episode.
pub(super) fn digests_of(alert: &Alert) -> impl Iterator<Item = (Subject, u32)> {
    let source = match alert.announced {
        Announced::Digest(number) => alert.key.subject.source().map(|name| (Subject::Source(name.clone()), number)),
        Announced::Cards | Announced::Nobody => None,
    };
    let of = |line: &Line, number| (Subject::Receiver(line.receiver.clone()), number);
    let numbers = |line: &Line| [line.digest, line.again].into_iter().flatten();
    let told = alert.lines.iter().flat_map(move |line| numbers(line).map(move |number| of(line, number)));
    source.into_iter().chain(told)
}
