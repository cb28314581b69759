//! The month's API calls: how many there are, and how far polling must stretch (`facts/feishu.md §14`).

use chrono::{Datelike, NaiveDate, TimeZone};

use crate::domain::time::{Span, Timestamp, Zone};

/// Calls a month on the free plan, for the whole tenant.
pub const FREE_CALLS_PER_MONTH: u64 = 10_000;

/// Of the month's calls, how many in a hundred polling may spend; the rest is kept for sending and lookups.
pub const POLLING_PERCENT: u64 = 70;

/// A month as `check` counts it.
pub const MONTH: Span = Span::from_days(30);

/// How many API calls a month there are (`feishu.plan`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Plan {
    /// No limit.
    #[default]
    Paid,
    /// This many.
    Calls(u64),
}

impl Plan {
    /// The month's calls; absent where there is no limit.
    pub const fn monthly(self) -> Option<u64> {
        match self {
            Self::Paid => None,
            Self::Calls(calls) => Some(calls),
        }
    }

    /// What polling may spend of them.
    pub const fn for_polling(self) -> Option<u64> {
        match self {
            Self::Paid => None,
            Self::Calls(calls) => Some((calls as u128 * POLLING_PERCENT as u128 / 100) as u64),
        }
    }
}

/// Something that is done again and again, and the API calls it takes each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// API calls each time.
    pub calls: u64,
    /// Time between two times.
    pub every: Span,
}

impl Load {
    /// Calls it makes in `span`.
    const fn calls_in(self, span: Span) -> u128 {
        let every = if self.every.as_ms() < 1 { 1 } else { self.every.as_ms() };
        self.calls as u128 * span.as_ms() as u128 / every as u128
    }
}

/// Calls a month of some loads, for people.
pub fn calls_per_month(loads: &[Load]) -> u64 {
    let calls = loads.iter().map(|load| load.calls_in(MONTH)).sum::<u128>();
    u64::try_from(calls).unwrap_or(u64::MAX)
}

/// How much slower than wished everything must run for the month's calls to last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stretch {
    /// As wished.
    None,
    /// The wished interval × `needed` ÷ `left`.
    By {
        /// Calls that would be made until the reset.
        needed: u64,
        /// Calls that are left for it.
        left: u64,
    },
    /// Nothing is left before this instant.
    Until(Timestamp),
}

impl Stretch {
    /// The earliest next time for something last done at `last` and wished for at `wished`.
    pub fn apply(self, last: Timestamp, wished: Timestamp) -> Timestamp {
        match self {
            Self::None => wished,
            Self::By { needed, left } => {
                let wait = i128::from(wished.since(last).as_ms()) * i128::from(needed) / i128::from(left.max(1));
                wished.max(last.plus(Span::from_ms(i64::try_from(wait).unwrap_or(i64::MAX / 2))))
            }
            Self::Until(reset) => wished.max(reset),
        }
    }
}

/// How far polling must stretch: `used` calls are gone this month, `loads` is all that polling wishes to do.
pub fn stretch(plan: Plan, used: u64, loads: &[Load], now: Timestamp, zone: Zone) -> Stretch {
    let Some(budget) = plan.for_polling() else { return Stretch::None };
    let reset = next_reset(now, zone);
    let left = budget.saturating_sub(used);
    if left == 0 {
        return Stretch::Until(reset);
    }
    let needed = loads.iter().map(|load| load.calls_in(reset.since(now))).sum::<u128>();
    let needed = u64::try_from(needed).unwrap_or(u64::MAX);
    if needed <= left { Stretch::None } else { Stretch::By { needed, left } }
}

/// The month an instant falls in, where people are: year × 12 + month, months from 0.
pub fn month(at: Timestamp, zone: Zone) -> i32 {
    let local = zone.local(at);
    local.year().saturating_mul(12).saturating_add(local.month0().cast_signed())
}

/// When the month's calls are full again: the first instant of the next month where people are.
pub fn next_reset(now: Timestamp, zone: Zone) -> Timestamp {
    let next = month(now, zone).saturating_add(1);
    let first = NaiveDate::from_ymd_opt(next.div_euclid(12), next.rem_euclid(12).unsigned_abs() + 1, 1);
    let fallback = now.plus(MONTH);
    let Some(midnight) = first.and_then(|day| day.and_hms_opt(0, 0, 0)) else { return fallback };
    // Where a zone skips this midnight, the day begins an hour later.
    let begins = |hours| zone.0.from_local_datetime(&(midnight + chrono::TimeDelta::hours(hours))).earliest();
    begins(0).or_else(|| begins(1)).map_or(fallback, |at| Timestamp::from_ms(at.timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use chrono_tz::{America::Sao_Paulo, Asia::Shanghai, UTC};

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_ms(DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis())
    }

    #[test]
    fn months_turn_where_people_are() {
        let cases = [
            (Shanghai, "2026-11-20T08:00:00+08:00", "2026-12-01T00:00:00+08:00"),
            (Shanghai, "2026-11-30T16:30:00Z", "2027-01-01T00:00:00+08:00"),
            (UTC, "2026-11-30T16:30:00Z", "2026-12-01T00:00:00Z"),
            (UTC, "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"),
            (UTC, "2028-02-29T12:00:00Z", "2028-03-01T00:00:00Z"),
            (Sao_Paulo, "2018-10-20T12:00:00-03:00", "2018-11-01T00:00:00-03:00"),
        ];
        for (zone, now, expected) in cases {
            let zone = Zone(zone);
            assert_eq!(next_reset(at(now), zone), at(expected), "{now}");
            assert_eq!(month(at(expected), zone), month(at(now), zone) + 1, "{now}");
        }
    }

    #[test]
    fn polling_stretches_to_what_is_left() {
        let zone = Zone(Shanghai);
        let first = at("2026-11-01T00:00:00+08:00");
        let late = at("2026-11-30T00:00:00+08:00");
        let polls = [Load { calls: 2, every: Span::from_secs(30) }];
        let slow = [Load { calls: 2, every: Span::from_hours(1) }];
        // 30 days of 2 calls every 30 s are 172,800 calls; 7,000 are left for polling.
        type Case<'a> = (&'a str, Plan, u64, &'a [Load], Timestamp, Stretch);
        let cases: [Case<'_>; 6] = [
            ("no limit", Plan::Paid, 1_000_000, &polls, first, Stretch::None),
            ("slow enough", Plan::Calls(10_000), 0, &slow, first, Stretch::None),
            ("too fast", Plan::Calls(10_000), 0, &polls, first, Stretch::By { needed: 172_800, left: 7_000 }),
            ("half is gone", Plan::Calls(10_000), 3_500, &polls, first, Stretch::By { needed: 172_800, left: 3_500 }),
            ("the last day", Plan::Calls(10_000), 1_240, &polls, late, Stretch::None),
            ("all is gone", Plan::Calls(10_000), 7_000, &polls, first, Stretch::Until(next_reset(first, zone))),
        ];
        for (name, plan, used, loads, now, expected) in cases {
            assert_eq!(stretch(plan, used, loads, now, zone), expected, "{name}");
        }
    }

    #[test]
    fn a_stretched_month_stays_inside_its_calls() {
        let zone = Zone(Shanghai);
        let mut now = at("2026-11-01T00:00:00+08:00");
        let end = next_reset(now, zone);
        let plan = Plan::Calls(FREE_CALLS_PER_MONTH);
        let polls = Load { calls: 2, every: Span::from_secs(30) };
        let mut used = 0;
        let mut longest = Span::ZERO;
        while now < end {
            used += polls.calls;
            let next = stretch(plan, used, &[polls], now, zone).apply(now, now.plus(polls.every));
            longest = longest.max(next.since(now));
            now = next;
        }
        assert!((6_900..=7_000).contains(&used), "used {used}");
        assert!(longest < Span::from_mins(20), "evenly: at most {longest:?}");
    }

    #[test]
    fn calls_are_counted_per_month() {
        let loads = [Load { calls: 2, every: Span::from_mins(1) }, Load { calls: 4, every: Span::from_mins(15) }];
        assert_eq!(calls_per_month(&loads), 2 * 43_200 + 4 * 2_880);
        assert_eq!(calls_per_month(&[Load { calls: u64::MAX, every: Span::ZERO }]), u64::MAX);
    }
}
