//! Counts what polling takes of the month's API calls, over all sources, and says how far it must stretch.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;

use crate::domain::{
    desk::{input::PassKind, state::SourceState},
    id::SourceName,
    plan::{self, Load, Plan, Stretch},
    time::{Timestamp, Zone},
};

/// The sources as the desk last left them, by name.
pub type SourceStates = Arc<ArcSwap<BTreeMap<SourceName, SourceState>>>;

/// The meter; one for all pollers.
pub struct Meter {
    plan: Plan,
    zone: Zone,
    states: SourceStates,
    loads: Mutex<BTreeMap<(SourceName, PassKind), Load>>,
    /// Calls of single reads that no pass has reported yet.
    reads: Mutex<BTreeMap<SourceName, u32>>,
}

impl Meter {
    /// A meter of a plan.
    pub fn new(plan: Plan, zone: Zone, states: SourceStates) -> Self {
        Self { plan, zone, states, loads: Mutex::default(), reads: Mutex::default() }
    }

    /// A source's state, as the desk last left it.
    pub fn state(&self, source: &SourceName) -> Option<SourceState> {
        self.states.load().get(source).cloned()
    }

    /// Takes note of what a kind of pass costs and how often it is wished for.
    pub fn note(&self, source: &SourceName, kind: PassKind, load: Load) {
        let mut loads = self.loads.lock().unwrap_or_else(PoisonError::into_inner);
        loads.insert((source.clone(), kind), load);
    }

    /// Counts the calls of a single read; the source's next pass reports them with its own.
    pub fn count_reads(&self, source: &SourceName, calls: u32) {
        let mut reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        let count = reads.entry(source.clone()).or_default();
        *count = count.saturating_add(calls);
    }

    /// The calls of a source's single reads since this was asked last.
    pub fn take_reads(&self, source: &SourceName) -> u32 {
        self.reads.lock().unwrap_or_else(PoisonError::into_inner).remove(source).unwrap_or(0)
    }

    /// How far polling must stretch now.
    pub fn stretch(&self, now: Timestamp) -> Stretch {
        let month = plan::month(now, self.zone);
        let states = self.states.load();
        let used = states.values().filter(|state| state.calls_month == month).map(|state| state.calls).sum();
        let loads = self.loads.lock().unwrap_or_else(PoisonError::into_inner);
        let loads: Vec<Load> = loads.values().copied().collect();
        plan::stretch(self.plan, used, &loads, now, self.zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Span;

    #[test]
    fn all_sources_share_the_month() {
        let now = Timestamp::from_ms(1_793_500_000_000); // 2026-11-01T02:26:40Z
        let zone = Zone(chrono_tz::UTC);
        let (one, two) = (SourceName::from("one"), SourceName::from("two"));
        let month = plan::month(now, zone);
        let state = |name: &SourceName, calls, calls_month| {
            (name.clone(), SourceState { calls, calls_month, ..SourceState::new(name.clone()) })
        };
        let states = BTreeMap::from([state(&one, 3_000, month), state(&two, 9_000, month - 1)]);
        let meter = Meter::new(Plan::Calls(10_000), zone, Arc::new(ArcSwap::from_pointee(states)));
        assert_eq!(meter.stretch(now), Stretch::None, "nothing is wished for yet");
        let load = Load { calls: 2, every: Span::from_secs(30) };
        meter.note(&one, PassKind::Increment, load);
        let Stretch::By { needed: first, left: 4_000 } = meter.stretch(now) else { panic!("last month counts not") };
        meter.note(&two, PassKind::Increment, load);
        assert_eq!(meter.stretch(now), Stretch::By { needed: first * 2, left: 4_000 });
        meter.count_reads(&two, 1);
        meter.count_reads(&two, 3);
        assert_eq!([meter.take_reads(&one), meter.take_reads(&two), meter.take_reads(&two)], [0, 4, 0]);
    }
}
