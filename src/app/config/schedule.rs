//! When a source is polled and swept, as the configuration writes it, and how often that is.

use crate::{
    adapters::yaml::{
        map::{Map, text_of},
        tree::{Node, NodeKind},
    },
    app::config::calendars::{Calendars, OTHERWISE},
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

/// Lines a schedule may have for calendars.
const LINES_MAX: usize = 8;

/// Reads a schedule: one line, or one for each calendar and one for all other time.
pub fn read(node: &Node, calendars: &Calendars, faults: &mut Vec<Fault>) -> Option<Schedule> {
    if let NodeKind::Map(_) = &node.kind {
        return by_calendar(node, calendars, faults);
    }
    line(node, faults)
}

fn line(node: &Node, faults: &mut Vec<Fault>) -> Option<Schedule> {
    let (text, place) = text_of(node, faults)?;
    match Schedule::parse(&text) {
        Ok(schedule) => Some(schedule),
        Err(message) => {
            faults.push(Fault::error(place, message));
            None
        }
    }
}

fn by_calendar(node: &Node, calendars: &Calendars, faults: &mut Vec<Fault>) -> Option<Schedule> {
    let what = Message::new("每个日历一行时间表", "a schedule for each calendar");
    let mut map = Map::of(node, &what, faults)?;
    let otherwise = match map.filled(OTHERWISE) {
        Some(node) => line(node, faults),
        None => {
            let message = Message::new(
                "缺少 “otherwise”：日历以外的时间多久一次",
                "`otherwise` is missing: how often outside the calendars",
            );
            let example = "poll: { office: \"*/30 * * * * *\", otherwise: \"0 */5 * * * *\" }";
            let hint = Message::new(format!("例如 {example}"), format!("such as {example}"));
            faults.push(Fault::error(node.place.clone(), message).with_hint(hint));
            None
        }
    };
    let entries = map.rest();
    if entries.is_empty() || entries.len() > LINES_MAX {
        let message = Message::new(
            format!("这里要写 1 到 {LINES_MAX} 个日历；不分日历就写一行，例如 \"0 */5 * * * *\""),
            format!("here stand 1 to {LINES_MAX} calendars; without any write one line, such as \"0 */5 * * * *\""),
        );
        faults.push(Fault::error(node.place.clone(), message));
    }
    let mut schedule = otherwise;
    for (key, node) in entries.into_iter().take(LINES_MAX) {
        let calendar = calendars.find(&key.text, &key.place, faults);
        let line = line(node, faults);
        schedule = schedule.zip(calendar.zip(line)).map(|(schedule, (calendar, line))| schedule.on(calendar, line));
    }
    schedule
}

/// How often a schedule runs. With calendars, each line counts for the time it has in a week without holidays, and the
/// slowest says what is usual: what is late by it is late at any time.
pub fn rhythm(schedule: &Schedule, zone: Zone) -> Rhythm {
    let lines: Vec<Rhythm> = schedule.lines().map(|line| rhythm_of_line(&line, zone)).collect();
    if let [line] = lines[..] {
        return line;
    }
    let usual = lines.iter().map(|line| line.usual).max().unwrap_or(MONTH);
    let mut runs = 0.0;
    for (line, share) in lines.iter().zip(schedule.shares(COUNT_FROM, COUNT_FROM.plus(WEEK))) {
        runs += share.as_ms() as f64 / line.usual.as_ms().max(1) as f64;
    }
    let average = if runs > 0.0 { Span::from_ms((WEEK.as_ms() as f64 / runs) as i64) } else { usual };
    Rhythm { usual, average }
}

fn rhythm_of_line(schedule: &Schedule, zone: Zone) -> Rhythm {
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
    use std::path::Path;

    use chrono_tz::Asia::Shanghai;

    use super::*;
    use crate::{adapters::yaml::parse::parse, app::config::calendars};

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

    #[test]
    fn each_line_counts_for_the_time_its_calendar_is_open() {
        let text = "calendars:\n  office: { week: { mon-fri: \"09:00-17:00\" } }\n\
                    poll: { office: \"*/30 * * * * *\", otherwise: \"0 */5 * * * *\" }\n";
        let mut faults = Vec::new();
        let node = parse("t.yaml", text, &mut faults).unwrap();
        let mut root = Map::of(&node, &Message::default(), &mut faults).unwrap();
        let calendars = calendars::read(&mut root, Path::new("."), Zone(Shanghai), &mut faults);
        let schedule = read(root.get("poll").unwrap(), &calendars, &mut faults).unwrap();
        assert_eq!(faults, []);
        // 40 hours of 120 runs, 128 hours of 12 runs.
        let average = Span::from_ms(WEEK.as_ms() / (40 * 120 + 128 * 12));
        assert_eq!(rhythm(&schedule, Zone(Shanghai)), Rhythm { usual: Span::from_mins(5), average });
    }
}
