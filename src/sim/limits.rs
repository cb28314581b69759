//! How often something was done lately.

use std::collections::{BTreeMap, VecDeque};

use crate::sim::route::Limit;

/// Keys remembered before the idle ones are forgotten.
const KEYS_MAX: usize = 4096;

/// The longest span any limit looks back, milliseconds.
const SPAN_MAX_MS: i64 = 60_000;

/// A limit that was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exceeded {
    /// Calls the window allows.
    pub(crate) calls: usize,
    /// Until the window has room again, milliseconds.
    pub(crate) wait_ms: i64,
}

/// The instants of what was admitted, by key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Windows(BTreeMap<String, VecDeque<i64>>);

impl Windows {
    /// Admits one more under `key`, or says which limit is full. What is refused does not count.
    pub(crate) fn admit(&mut self, key: &str, limits: &[Limit], now_ms: i64) -> Result<(), Exceeded> {
        if self.0.len() > KEYS_MAX {
            self.0.retain(|_, seen| seen.back().is_some_and(|last| *last > now_ms - SPAN_MAX_MS));
        }
        let seen = self.0.entry(key.to_string()).or_default();
        while seen.front().is_some_and(|first| *first <= now_ms - SPAN_MAX_MS) {
            seen.pop_front();
        }
        for limit in limits {
            let inside = seen.iter().rev().take_while(|at| **at > now_ms - limit.within_ms).count();
            if inside >= limit.calls {
                let first = seen.get(seen.len() - limit.calls).copied().unwrap_or(now_ms);
                return Err(Exceeded { calls: limit.calls, wait_ms: first + limit.within_ms - now_ms });
            }
        }
        seen.push_back(now_ms);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::sim::{
        limits::{Exceeded, Windows},
        route::Limit,
    };

    #[test]
    fn a_full_window_refuses_until_its_first_leaves() {
        let limits = [Limit { calls: 2, within_ms: 1000 }, Limit { calls: 3, within_ms: 60_000 }];
        let mut windows = Windows::default();
        let table = [
            (0, Ok(())),
            (100, Ok(())),
            (200, Err(Exceeded { calls: 2, wait_ms: 800 })),
            (999, Err(Exceeded { calls: 2, wait_ms: 1 })),
            (1000, Ok(())),
            (5000, Err(Exceeded { calls: 3, wait_ms: 55_000 })),
            (60_000, Ok(())),
        ];
        for (now_ms, expected) in table {
            assert_eq!(windows.admit("a", &limits, now_ms), expected, "at {now_ms}");
        }
        assert_eq!(windows.admit("b", &limits, 0), Ok(()), "keys do not share a window");
    }
}
