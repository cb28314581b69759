//! Counts what is under way outside of the loop, so that a stop or a single run knows when all is quiet.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// The count; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Busy(Arc<AtomicUsize>);

impl Busy {
    /// One more thing is under way, until the guard is dropped.
    pub fn enter(&self) -> BusyGuard {
        self.0.fetch_add(1, Ordering::Relaxed);
        BusyGuard(Arc::clone(&self.0))
    }

    /// How many things are under way.
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// One thing under way.
#[derive(Debug)]
pub struct BusyGuard(Arc<AtomicUsize>);

impl Drop for BusyGuard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guards_are_counted_until_dropped() {
        let busy = Busy::default();
        let (one, two) = (busy.enter(), busy.clone().enter());
        assert_eq!(busy.count(), 2);
        drop(one);
        assert_eq!(busy.count(), 1);
        drop(two);
        assert_eq!(busy.count(), 0);
    }
}
