//! Instants, durations and the zone people read them in. Invariant: nothing here asks what time it is.

use std::fmt;

use chrono::{DateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// An instant, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Before anything.
    pub const MIN: Self = Self(i64::MIN);
    /// Never: later than anything that happens.
    pub const NEVER: Self = Self(i64::MAX);

    /// From milliseconds since the Unix epoch.
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_ms(self) -> i64 {
        self.0
    }

    /// This instant moved later by `span`; `NEVER` stays `NEVER`.
    pub const fn plus(self, span: Span) -> Self {
        if self.0 == i64::MAX { self } else { Self(self.0.saturating_add(span.0)) }
    }

    /// This instant moved earlier by `span`; `NEVER` stays `NEVER`.
    pub const fn minus(self, span: Span) -> Self {
        if self.0 == i64::MAX { self } else { Self(self.0.saturating_sub(span.0)) }
    }

    /// How long ago `earlier` was, zero if it lies ahead.
    pub fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0).max(0))
    }

    /// Whether this is [`Timestamp::NEVER`].
    pub const fn is_never(self) -> bool {
        self.0 == i64::MAX
    }

    /// The calendar instant in UTC; out-of-range values are clamped to the epoch.
    pub fn to_utc(self) -> DateTime<Utc> {
        Utc.timestamp_millis_opt(self.0).single().unwrap_or_default()
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_never() {
            f.write_str("never")
        } else {
            write!(f, "{}", self.to_utc().format("%Y-%m-%dT%H:%M:%S%.3fZ"))
        }
    }
}

/// A length of time in milliseconds, never negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(i64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// From milliseconds; a negative number is zero.
    pub const fn from_ms(ms: i64) -> Self {
        Self(if ms < 0 { 0 } else { ms })
    }

    /// From whole seconds.
    pub const fn from_secs(secs: i64) -> Self {
        Self::from_ms(secs.saturating_mul(1_000))
    }

    /// From whole minutes.
    pub const fn from_mins(mins: i64) -> Self {
        Self::from_secs(mins.saturating_mul(60))
    }

    /// From whole hours.
    pub const fn from_hours(hours: i64) -> Self {
        Self::from_mins(hours.saturating_mul(60))
    }

    /// From days of 24 hours.
    pub const fn from_days(days: i64) -> Self {
        Self::from_hours(days.saturating_mul(24))
    }

    /// Milliseconds.
    pub const fn as_ms(self) -> i64 {
        self.0
    }

    /// Whole seconds, rounded down.
    pub const fn as_secs(self) -> i64 {
        self.0 / 1_000
    }

    /// `self` taken `times` times, without overflow.
    pub const fn times(self, times: i64) -> Self {
        Self::from_ms(self.0.saturating_mul(times))
    }

    /// What is left of it without `other`; nothing where that is longer.
    #[must_use]
    pub const fn less(self, other: Self) -> Self {
        Self::from_ms(self.0.saturating_sub(other.0))
    }

    /// The standard library's duration.
    pub const fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_millis(self.0.unsigned_abs())
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0)
    }
}

/// Hours of a day: no clock is set by more.
const DAY_HOURS: i64 = 24;

/// The time zone in which schedules run and people read times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone(pub Tz);

impl Zone {
    /// The instant as local calendar time.
    pub fn local(self, at: Timestamp) -> DateTime<Tz> {
        at.to_utc().with_timezone(&self.0)
    }

    /// When the next day begins; where the clocks skip midnight, the first instant after it.
    pub fn next_midnight(self, at: Timestamp) -> Timestamp {
        let today = self.local(at).date_naive();
        let tomorrow = today.succ_opt().unwrap_or(today).and_time(NaiveTime::MIN);
        let begins =
            (0..DAY_HOURS).find_map(|hour| self.0.from_local_datetime(&(tomorrow + TimeDelta::hours(hour))).earliest());
        begins.map_or(Timestamp::NEVER, |at| Timestamp::from_ms(at.timestamp_millis()))
    }

    /// `2026-11-20 14:05`.
    pub fn minute(self, at: Timestamp) -> String {
        self.local(at).format("%Y-%m-%d %H:%M").to_string()
    }

    /// `14:05:09`.
    pub fn clock(self, at: Timestamp) -> String {
        self.local(at).format("%H:%M:%S").to_string()
    }
}
