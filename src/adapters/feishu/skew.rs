//! How far the platform's clock is from ours, as the `Date` header of its answers shows. It decides nothing.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::DateTime;
use reqwest::header::{DATE, HeaderMap};

use crate::{
    adapters::clock::Clock,
    domain::time::{Span, Timestamp},
};

/// A `Date` has whole seconds: this much of a difference says nothing.
const DATE_PRECISION: Span = Span::from_secs(1);

/// The last difference seen, in milliseconds.
#[derive(Debug, Default)]
pub(super) struct Skew(AtomicI64);

impl Skew {
    /// Takes note of an answer to a request sent at `sent_at`.
    pub(super) fn note(&self, headers: &HeaderMap, sent_at: Timestamp, clock: &Clock) {
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        let Some(date) = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok()) else { return };
        let (date, now) = (Timestamp::from_ms(date.timestamp_millis()), clock.now());
        // The answer was written at some instant between the two.
        let ahead = date.since(now).as_ms();
        let behind = sent_at.minus(DATE_PRECISION).since(date).as_ms();
        self.0.store(ahead - behind, Ordering::Relaxed);
    }

    /// Milliseconds the platform is ahead, negative if it is behind; 0 before the first answer.
    pub(super) fn ahead_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_date_header_shows_how_far_the_clocks_are_apart() {
        let now = Timestamp::from_ms(1_790_000_000_400); // 2026-09-21T14:13:20.4Z
        let clock = Clock::anchored(now);
        let sent_at = now.minus(Span::from_secs(3));
        let cases = [
            ("Mon, 21 Sep 2026 14:13:20 GMT", 0),
            ("Mon, 21 Sep 2026 14:13:17 GMT", 0),
            ("Mon, 21 Sep 2026 14:15:20 GMT", 119_600),
            ("Mon, 21 Sep 2026 14:11:20 GMT", -116_400),
        ];
        for (date, expected) in cases {
            let skew = Skew::default();
            skew.note(&HeaderMap::from_iter([(DATE, HeaderValue::from_static(date))]), sent_at, &clock);
            assert_eq!(skew.ahead_ms(), expected, "{date}");
        }
        let skew = Skew::default();
        skew.note(&HeaderMap::from_iter([(DATE, HeaderValue::from_static("yesterday"))]), sent_at, &clock);
        assert_eq!(skew.ahead_ms(), 0, "what cannot be read says nothing");
    }
}
