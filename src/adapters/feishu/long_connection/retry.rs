//! When the next connection is tried: after a loss at a random instant, so that not all come at once, then further and
//! further apart. It never gives up: a service that goes deaf without a word is of no use (`facts/feishu.md §6.9`).

use crate::{
    adapters::feishu::{error::Advice, long_connection::settings::Settings},
    domain::time::Span,
};

/// The first wait after an attempt that failed; it doubles up to what the platform asks for.
pub const RETRY_FIRST: Span = Span::from_secs(5);

/// The wait after a refusal that a person must mend, and once the platform wants no more attempts.
pub const REFUSED_WAIT: Span = Span::from_mins(10);

/// The wait while the app has all its connections.
pub const FULL_WAIT: Span = Span::from_mins(2);

/// A connection that stood for less counts as an attempt that failed.
pub const STOOD_MIN: Span = Span::from_mins(1);

/// Doublings of the wait at most.
const DOUBLINGS_MAX: u32 = 10;

/// Attempts that failed in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retry {
    failures: u32,
}

impl Retry {
    /// A connection was lost that had stood for `stood`: the wait before the next attempt. `draw` is random in 0..1.
    pub fn lost(&mut self, stood: Span, settings: &Settings, draw: f64) -> Span {
        if stood < STOOD_MIN {
            return self.failed(Advice::Retry, settings, draw);
        }
        self.failures = 0;
        part(settings.reconnect_within, draw)
    }

    /// An attempt failed: the wait before the next one.
    pub fn failed(&mut self, advice: Advice, settings: &Settings, draw: f64) -> Span {
        self.failures = self.failures.saturating_add(1);
        let spent = settings.reconnect_count.is_some_and(|count| self.failures > count);
        let full = match advice {
            _ if spent => REFUSED_WAIT,
            Advice::SlowDown => FULL_WAIT,
            Advice::SetUp | Advice::GiveUp => REFUSED_WAIT,
            _ => {
                let doublings = self.failures.saturating_sub(1).min(DOUBLINGS_MAX);
                RETRY_FIRST.times(1 << doublings).min(settings.reconnect_every.max(RETRY_FIRST))
            }
        };
        // Up to a quarter less, as with sends.
        full.less(part(Span::from_ms(full.as_ms() / 4), draw))
    }

    /// Attempts that failed in a row.
    pub const fn failures(self) -> u32 {
        self.failures
    }
}

/// A random part of `span`.
#[expect(clippy::cast_possible_truncation, reason = "bounded")]
fn part(span: Span, draw: f64) -> Span {
    let draw = if draw.is_finite() { draw.clamp(0.0, 1.0) } else { 0.0 };
    Span::from_ms((span.as_ms() as f64 * draw) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(count: Option<u32>) -> Settings {
        Settings { reconnect_count: count, ..Settings::default() }
    }

    fn waits(settings: &Settings, advice: Advice, draw: f64) -> Vec<i64> {
        let mut retry = Retry::default();
        (0..8).map(|_| retry.failed(advice, settings, draw).as_ms()).collect()
    }

    #[test]
    fn waits_grow_up_to_what_the_platform_asks_for() {
        let usual = settings(None);
        let expected = [5_000, 10_000, 20_000, 40_000, 80_000, 120_000, 120_000, 120_000];
        assert_eq!(waits(&usual, Advice::Retry, 0.0), expected);
        let jittered = [3_750, 7_500, 15_000, 30_000, 60_000, 90_000, 90_000, 90_000];
        assert_eq!(waits(&usual, Advice::Retry, 1.0), jittered);
        assert_eq!(waits(&usual, Advice::SetUp, 0.0), [600_000; 8]);
        assert_eq!(waits(&usual, Advice::SlowDown, 0.5), [105_000; 8]);
        let short = Settings { reconnect_every: Span::from_secs(1), ..usual };
        assert_eq!(waits(&short, Advice::Retry, 0.0), [5_000; 8]);
    }

    #[test]
    fn when_the_platform_wants_no_more_attempts_they_become_rare() {
        let expected = [5_000, 10_000, 20_000, 600_000, 600_000, 600_000, 600_000, 600_000];
        assert_eq!(waits(&settings(Some(3)), Advice::Retry, 0.0), expected);
        assert_eq!(waits(&settings(Some(0)), Advice::Retry, 0.0), [600_000; 8]);
    }

    #[test]
    fn after_a_loss_the_first_attempt_is_at_a_random_instant() {
        let usual = settings(None);
        for (draw, expected) in [(0.0, 0), (0.5, 15_000), (1.0, 30_000), (f64::NAN, 0), (7.0, 30_000)] {
            let mut retry = Retry::default();
            retry.failed(Advice::Retry, &usual, 0.0);
            assert_eq!(retry.lost(Span::from_hours(1), &usual, draw).as_ms(), expected, "{draw}");
            assert_eq!(retry.failures(), 0);
        }
    }

    #[test]
    fn a_connection_that_falls_at_once_is_no_success() {
        let none = Settings { reconnect_within: Span::ZERO, ..settings(None) };
        let mut retry = Retry::default();
        let waits: Vec<i64> = (0..3).map(|_| retry.lost(Span::from_ms(5), &none, 0.0).as_secs()).collect();
        assert_eq!(waits, [5, 10, 20]);
        assert_eq!(retry.lost(STOOD_MIN, &none, 0.0), Span::ZERO);
    }
}
