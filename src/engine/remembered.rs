//! What was learned by asking: believed for a while, asked for once at a time. A question whose asker gave up counts as
//! refused, so that the next one does not wait as long again.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

use crate::{
    adapters::{clock::Clock, feishu::error::Error},
    domain::time::{Span, Timestamp},
};

/// How long a refusal is believed.
pub const REFUSAL_FRESH: Span = Span::from_mins(1);

/// Answers by what was asked for.
pub(super) struct Remembered<K, V> {
    places: BTreeMap<K, Place<V>>,
    most: usize,
}

/// What is known of one of them.
struct Place<V> {
    learned: Option<(Timestamp, V)>,
    /// When it was refused, and why where an answer said so.
    refused: Option<(Timestamp, Option<Error>)>,
    /// Someone asks now: ready when they are done.
    flight: Option<watch::Receiver<()>>,
}

impl<V> Default for Place<V> {
    fn default() -> Self {
        Self { learned: None, refused: None, flight: None }
    }
}

/// How it stands with one of them.
#[derive(Debug)]
pub(super) enum Standing<V> {
    /// It is known.
    Known(V),
    /// It was refused a moment ago.
    Refused(Option<Error>),
    /// Someone asks for it now.
    Asked(watch::Receiver<()>),
    /// It has to be asked for.
    Unknown,
}

impl<K: Ord + Clone, V: Clone> Remembered<K, V> {
    /// Nothing yet, and never more than so many.
    pub(super) const fn new(most: usize) -> Self {
        Self { places: BTreeMap::new(), most }
    }

    /// How it stands with `key`, an answer being believed for as long as `fresh` says.
    pub(super) fn standing(&self, key: &K, now: Timestamp, fresh: impl FnOnce(&V) -> Span) -> Standing<V> {
        let Some(place) = self.places.get(key) else { return Standing::Unknown };
        if let Some((at, value)) = &place.learned
            && now.since(*at) < fresh(value)
        {
            return Standing::Known(value.clone());
        }
        match (&place.flight, &place.refused) {
            (Some(flight), _) => Standing::Asked(flight.clone()),
            (None, Some((at, error))) if now.since(*at) < REFUSAL_FRESH => Standing::Refused(error.clone()),
            (None, _) => Standing::Unknown,
        }
    }

    /// The last answer, however old.
    pub(super) fn last(&self, key: &K) -> Option<&V> {
        self.places.get(key)?.learned.as_ref().map(|(_, value)| value)
    }

    /// Every answer.
    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.places.values().filter_map(|place| Some(&place.learned.as_ref()?.1))
    }

    /// Notes an answer; says the one before. Whoever waits finds it.
    pub(super) fn learn(&mut self, key: &K, now: Timestamp, value: V) -> Option<V> {
        let place = self.places.entry(key.clone()).or_default();
        (place.refused, place.flight) = (None, None);
        let before = place.learned.replace((now, value)).map(|(_, value)| value);
        self.forget_oldest();
        before
    }

    /// Notes a refusal. The answer before is kept: it is better than none.
    pub(super) fn refuse(&mut self, key: &K, now: Timestamp, why: Option<Error>) {
        let place = self.places.entry(key.clone()).or_default();
        (place.refused, place.flight) = (Some((now, why)), None);
        self.forget_oldest();
    }

    /// What is asked for now stays; of the rest the oldest go.
    fn forget_oldest(&mut self) {
        let touched = |place: &Place<V>| {
            let refused = place.refused.as_ref().map(|(at, _)| *at);
            place.learned.as_ref().map(|(at, _)| *at).max(refused)
        };
        while self.places.len() > self.most {
            let idle = self.places.iter().filter(|(_, place)| place.flight.is_none());
            let Some(oldest) = idle.min_by_key(|(_, place)| touched(place)).map(|(key, _)| key.clone()) else { return };
            self.places.remove(&oldest);
        }
    }
}

/// A question under way. Dropped without an answer to some of it, that is refused.
pub(super) struct Flight<'a, K: Ord + Clone, V: Clone> {
    of: &'a Mutex<Remembered<K, V>>,
    keys: Vec<K>,
    clock: &'a Clock,
    /// Whoever waits is woken when this is dropped.
    done: watch::Sender<()>,
}

impl<'a, K: Ord + Clone, V: Clone> Flight<'a, K, V> {
    /// Begins to ask for what `known`, the locked memory `of`, knows nobody asks for.
    pub(super) fn begin(
        of: &'a Mutex<Remembered<K, V>>,
        known: &mut Remembered<K, V>,
        keys: Vec<K>,
        clock: &'a Clock,
    ) -> Self {
        let (done, ready) = watch::channel(());
        for key in &keys {
            known.places.entry(key.clone()).or_default().flight = Some(ready.clone());
        }
        Self { of, keys, clock, done }
    }

    /// What is asked for.
    pub(super) fn keys(&self) -> &[K] {
        &self.keys
    }
}

impl<K: Ord + Clone, V: Clone> Drop for Flight<'_, K, V> {
    fn drop(&mut self) {
        let ours = self.done.subscribe();
        let mut known = locked(self.of);
        for key in &self.keys {
            let flight = known.places.get(key).and_then(|place| place.flight.as_ref());
            if flight.is_some_and(|flight| flight.same_channel(&ours)) {
                known.refuse(key, self.clock.now(), None);
            }
        }
    }
}

/// The memory, for a moment.
pub(super) fn locked<T>(memory: &Mutex<T>) -> MutexGuard<'_, T> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_ms(1_795_140_000_000);

    fn at(seconds: i64) -> Timestamp {
        START.plus(Span::from_secs(seconds))
    }

    #[test]
    fn the_oldest_is_forgotten_whatever_its_name() {
        let mut known = Remembered::new(2);
        known.learn(&"a", at(3), 1);
        known.learn(&"b", at(1), 2);
        known.refuse(&"b", at(4), None);
        known.learn(&"z", at(5), 3);
        assert_eq!((known.last(&"a"), known.last(&"b"), known.last(&"z")), (None, Some(&2), Some(&3)));
    }

    #[test]
    fn an_answer_and_a_refusal_are_believed_for_their_time() {
        let mut known = Remembered::new(9);
        let standing =
            |known: &Remembered<&str, u8>, second| match known.standing(&"a", at(second), |_| Span::from_secs(30)) {
                Standing::Known(value) => format!("known {value}"),
                Standing::Refused(_) => "refused".into(),
                Standing::Asked(_) => "asked".into(),
                Standing::Unknown => "unknown".to_owned(),
            };
        assert_eq!(standing(&known, 0), "unknown");
        known.refuse(&"a", at(0), None);
        assert_eq!([standing(&known, 59), standing(&known, 60)], ["refused", "unknown"]);
        known.learn(&"a", at(60), 7);
        assert_eq!([standing(&known, 89), standing(&known, 90)], ["known 7", "unknown"]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_leaves_a_refusal_and_wakes_the_others() {
        let (memory, clock) = (Mutex::new(Remembered::<&str, u8>::new(9)), Clock::anchored(START));
        let flight = Flight::begin(&memory, &mut locked(&memory), vec!["a", "b"], &clock);
        let Standing::Asked(mut ready) = locked(&memory).standing(&"a", START, |_| REFUSAL_FRESH) else {
            panic!("it is asked for")
        };
        locked(&memory).learn(&"b", START, 2);
        drop(flight);
        assert!(ready.changed().await.is_err(), "woken");
        let known = locked(&memory);
        assert!(matches!(known.standing(&"a", START, |_| REFUSAL_FRESH), Standing::Refused(None)));
        assert!(matches!(known.standing(&"b", START, |_| REFUSAL_FRESH), Standing::Known(2)));
    }
}
