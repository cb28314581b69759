//! When a source is polled and swept, as the configuration writes it, and how often that is.

use crate::{
    adapters::yaml::{
        map::{not_built_yet, text_of},
        tree::{Node, NodeKind},
    },
    domain::{
        fault::Fault,
        plan::MONTH,
        text::Message,
        time::{Span, Timestamp, Zone},
    },
    engine::schedule::Schedule,
};

/// A schedule's times are counted from here: any Monday does, and the same one gives the same answer each time.
const COUNT_FROM: Timestamp = Timestamp::from_ms(1_767_542_400_000); // 2026-01-05T00:00 in Shanghai

/// As many times as are looked at to learn a schedule's rhythm.
const TIMES_COUNTED_MAX: usize = 2_000;

const WEEK: Span = Span::from_days(7);

/// How often something runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// The usual time between two runs.
    pub usual: Span,
    /// The time between two runs on the average, nights and weekends included.
    pub average: Span,
}

/// Reads a schedule; a mapping (one line per calendar) is not built yet.
pub fn read(node: &Node, faults: &mut Vec<Fault>) -> Option<Schedule> {
    if let NodeKind::Map(entries) = &node.kind {
        let what = entries.first().map_or("{}", |(key, _)| key.text.as_str());
        faults.push(not_built_yet(what, &node.place).with_hint(Message::new(
            "按日历分时段还没有做出来，请先写一行，例如 \"*/30 * * * * *\"",
            "schedules by calendar are not built yet: write one line, such as \"*/30 * * * * *\"",
        )));
        return None;
    }
    let (text, place) = text_of(node, faults)?;
    match Schedule::parse(&text) {
        Ok(schedule) => Some(schedule),
        Err(message) => {
            faults.push(Fault::error(place, message));
            None
        }
    }
}

/// How often a schedule runs.
pub fn rhythm(schedule: &Schedule, zone: Zone) -> Rhythm {
    let mut times = Vec::new();
    let mut next = schedule.next_after(COUNT_FROM, zone);
    while !next.is_never() && times.len() <= TIMES_COUNTED_MAX {
        times.push(next);
        next = schedule.next_after(next, zone);
    }
    let mut gaps: Vec<Span> = times.windows(2).filter_map(|pair| Some(pair.get(1)?.since(*pair.first()?))).collect();
    gaps.sort_unstable();
    let usual = gaps.get(gaps.len() / 2).copied().unwrap_or(MONTH);
    // Whole weeks where there are some: office hours counted from Monday to Wednesday are no average.
    let covered = times.last().zip(times.first()).map_or(Span::ZERO, |(last, first)| last.since(*first));
    let weeks = WEEK.times(covered.as_ms() / WEEK.as_ms());
    let runs = |until: Span| {
        let end = times.first().map(|first| first.plus(until));
        i64::try_from(times.iter().filter(|time| Some(**time) < end).count()).unwrap_or(i64::MAX)
    };
    let counted = if weeks > Span::ZERO { weeks } else { covered };
    let average = match runs(counted) {
        0 => usual,
        runs => Span::from_ms((counted.as_ms() / runs).max(1)),
    };
    Rhythm { usual, average }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Asia::Shanghai;

    use super::*;

    #[test]
    fn schedules_are_counted() {
        let cases = [
            ("*/30 * * * * *", Span::from_secs(30), Span::from_secs(30)),
            ("0 */15 * * * *", Span::from_mins(15), Span::from_mins(15)),
            ("0 0 3 * * *", Span::from_days(1), Span::from_days(1)),
            // 5 days of 10 hours of 12 runs: 600 in a week.
            ("0 */5 9-18 * * Mon-Fri", Span::from_mins(5), Span::from_ms(7 * 24 * 3_600_000 / 600)),
        ];
        for (text, usual, average) in cases {
            let found = rhythm(&Schedule::parse(text).unwrap(), Zone(Shanghai));
            assert_eq!(found, Rhythm { usual, average }, "{text}");
        }
    }
}
