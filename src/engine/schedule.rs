//! When a source is polled: cron lines of six fields, read in the configured zone, one for each calendar and one for
//! all other time. It never waits itself.

use std::{fmt, str::FromStr, sync::Arc};

use chrono::{FixedOffset, Offset, TimeZone, Utc};

use crate::domain::{
    calendar::Calendar,
    text::Message,
    time::{Span, Timestamp, Zone},
};

/// Characters a line may have.
pub const LINE_CHARS_MAX: usize = 200;

/// Fields of a line: second, minute, hour, day of month, month, weekday.
pub const FIELDS: usize = 6;

/// Times a zone's clocks may be set between two fires before they are not looked for any more.
const OFFSET_CHANGES_MAX: usize = 400;

/// Openings and closings of calendars that are passed in search of the next fire: months of them.
const TURNS_MAX: usize = 4_000;

/// The least difference between two instants.
const INSTANT: Span = Span::from_ms(1);

/// When something runs.
#[derive(Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The first calendar that is open has the word.
    on: Vec<(Arc<Calendar>, Line)>,
    otherwise: Line,
}

/// A parsed line.
#[derive(Clone, PartialEq, Eq)]
struct Line(cron::Schedule);

impl Schedule {
    /// Reads a line that holds at any time, such as `*/30 * * * * *` or `0 0 9-18 * * Mon-Fri`.
    ///
    /// # Errors
    /// What is wrong with the line and how to write it.
    pub fn parse(line: &str) -> Result<Self, Message> {
        Line::parse(line).map(|otherwise| Self { on: Vec::new(), otherwise })
    }

    /// The same schedule but for the time in which `calendar` is open, unless a calendar before it is: that time has
    /// the line of `other`.
    #[must_use]
    pub fn on(mut self, calendar: Arc<Calendar>, other: Self) -> Self {
        self.on.push((calendar, other.otherwise));
        self
    }

    /// Each line alone.
    pub fn lines(&self) -> impl Iterator<Item = Self> {
        let lines = self.on.iter().map(|(_, line)| line).chain([&self.otherwise]);
        lines.map(|line| Self { on: Vec::new(), otherwise: line.clone() })
    }

    /// How long each line has the word between two instants, in the order of [`Self::lines`].
    pub fn shares(&self, from: Timestamp, to: Timestamp) -> Vec<Span> {
        let mut shares = vec![Span::ZERO; self.on.len() + 1];
        let mut at = from;
        while at < to {
            let turn = self.on.iter().map(|(calendar, _)| calendar.turns_after(at)).min().unwrap_or(to).min(to);
            let open = self.on.iter().position(|(calendar, _)| calendar.is_open(at)).unwrap_or(self.on.len());
            if let Some(share) = shares.get_mut(open) {
                *share = Span::from_ms(share.as_ms() + turn.since(at).as_ms());
            }
            at = turn;
        }
        shares
    }

    /// The first fire after `now`; never when there is none. An hour that a zone skips has no fires, one that it lives
    /// twice has them twice.
    pub fn next_after(&self, now: Timestamp, zone: Zone) -> Timestamp {
        let mut from = now;
        for _ in 0..TURNS_MAX {
            let next = from.plus(INSTANT);
            let open = self.on.iter().find(|(calendar, _)| calendar.is_open(next));
            let fire = open.map_or(&self.otherwise, |(_, line)| line).next_after(from, zone);
            // This line has the word until a calendar opens or closes.
            let turn = self.on.iter().map(|(calendar, _)| calendar.turns_after(next)).min();
            match turn.filter(|turn| !turn.is_never()) {
                Some(turn) if fire >= turn => from = turn.minus(INSTANT),
                _ => return fire,
            }
        }
        Timestamp::NEVER
    }

    /// The time between the next two fires.
    pub fn interval(&self, now: Timestamp, zone: Zone) -> Span {
        let next = self.next_after(now, zone);
        self.next_after(next, zone).since(next)
    }
}

impl Line {
    fn parse(line: &str) -> Result<Self, Message> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if line.chars().count() > LINE_CHARS_MAX || fields.len() != FIELDS {
            return Err(Message::new(
                "需要六段：秒 分 时 日 月 星期，例如 \"*/30 * * * * *\"（每 30 秒）",
                "six fields are expected: second minute hour day month weekday, such as \"*/30 * * * * *\" (every 30 s)",
            ));
        }
        if fields.last().is_some_and(|weekday| weekday.contains(|c: char| c.is_ascii_digit())) {
            return Err(Message::new(
                "星期请写英文名，例如 Mon-Fri：数字在不同的 cron 里含义不同",
                "write weekdays by name, such as Mon-Fri: a number means different days in different crons",
            ));
        }
        let schedule = cron::Schedule::from_str(line.trim()).map_err(|error| {
            Message::new(
                format!("读不懂这行时间表：{error}。例如 \"0 */5 * * * *\"（每 5 分钟）"),
                format!("this schedule cannot be read: {error}; write for example \"0 */5 * * * *\" (every 5 minutes)"),
            )
        })?;
        // A leap year's first day: what has no fire after it never has one.
        let leap_year = Utc.with_ymd_and_hms(2024, 1, 1, 0, 0, 0).single().unwrap_or_default();
        if schedule.after(&leap_year).next().is_none() {
            return Err(Message::new(
                "这行时间表永远不会到点（例如 2 月 30 日）",
                "this schedule never comes due (such as on 30 February)",
            ));
        }
        Ok(Self(schedule))
    }

    fn next_after(&self, now: Timestamp, zone: Zone) -> Timestamp {
        let mut from = now;
        let mut offset = offset_at(now, zone);
        for _ in 0..OFFSET_CHANGES_MAX {
            let Some(fire) = self.0.after(&from.to_utc().with_timezone(&offset)).next() else {
                return Timestamp::NEVER;
            };
            let fire = Timestamp::from_ms(fire.timestamp_millis());
            if offset_at(fire, zone) == offset {
                return fire;
            }
            // The clocks are set in between: go on from there, by the other offset.
            let set_at = first_with_other_offset(from, fire, zone);
            offset = offset_at(set_at, zone);
            from = set_at.minus(INSTANT);
        }
        Timestamp::NEVER
    }
}

fn offset_at(at: Timestamp, zone: Zone) -> FixedOffset {
    zone.local(at).offset().fix()
}

/// The first instant in `(from, until]` whose offset is not that of `from`.
fn first_with_other_offset(from: Timestamp, until: Timestamp, zone: Zone) -> Timestamp {
    let (mut same, mut other) = (from.as_ms(), until.as_ms());
    while other - same > 1 {
        let middle = same + (other - same) / 2;
        if offset_at(Timestamp::from_ms(middle), zone) == offset_at(from, zone) {
            same = middle;
        } else {
            other = middle;
        }
    }
    Timestamp::from_ms(other)
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schedule({self})")
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (calendar, line) in &self.on {
            write!(f, "{}: {}, ", calendar.name(), line.0.source())?;
        }
        if !self.on.is_empty() {
            f.write_str("otherwise: ")?;
        }
        f.write_str(self.otherwise.0.source())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::DateTime;
    use chrono_tz::{America::New_York, Asia::Shanghai};

    use super::*;
    use crate::domain::{
        calendar::{Frame, Plan},
        id::CalendarName,
    };

    fn at(text: &str) -> Timestamp {
        Timestamp::from_ms(DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis())
    }

    #[test]
    fn lines_fire_where_people_are() {
        let cases = [
            ("*/30 * * * * *", Shanghai, "2026-11-20T10:00:01+08:00", "2026-11-20T10:00:30+08:00"),
            ("*/30 * * * * *", Shanghai, "2026-11-20T10:00:30+08:00", "2026-11-20T10:01:00+08:00"),
            ("0 0 9 * * Mon-Fri", Shanghai, "2026-11-20T09:00:00+08:00", "2026-11-23T09:00:00+08:00"),
            ("0 0 9 * * SUN", Shanghai, "2026-11-20T09:00:00+08:00", "2026-11-22T09:00:00+08:00"),
            ("0 0 0 1 1 *", Shanghai, "2026-11-20T09:00:00+08:00", "2027-01-01T00:00:00+08:00"),
            // The hour that is lived twice: still forward, by half a minute.
            ("*/30 * * * * *", New_York, "2026-11-01T01:15:10-04:00", "2026-11-01T01:15:30-04:00"),
            ("*/30 * * * * *", New_York, "2026-11-01T01:15:10-05:00", "2026-11-01T01:15:30-05:00"),
            ("*/30 * * * * *", New_York, "2026-11-01T01:59:45-04:00", "2026-11-01T01:00:00-05:00"),
            // The hour that is skipped.
            ("*/30 * * * * *", New_York, "2026-03-08T01:59:45-05:00", "2026-03-08T03:00:00-04:00"),
            ("0 30 2 1 Jul *", New_York, "2026-11-01T01:59:45-04:00", "2027-07-01T02:30:00-04:00"),
            ("0 30 2 * * *", New_York, "2026-03-07T12:00:00-05:00", "2026-03-09T02:30:00-04:00"),
        ];
        for (line, zone, now, expected) in cases {
            let schedule = Schedule::parse(line).unwrap();
            assert_eq!(schedule.next_after(at(now), Zone(zone)), at(expected), "{line} after {now}");
        }
    }

    #[test]
    fn the_interval_is_the_time_between_two_fires() {
        let now = at("2026-11-20T10:00:00+08:00");
        let interval = |line| Schedule::parse(line).unwrap().interval(now, Zone(Shanghai));
        assert_eq!(interval("*/30 * * * * *"), Span::from_secs(30));
        assert_eq!(interval("0 */15 * * * *"), Span::from_mins(15));
    }

    /// Open from 09:00 to 18:00 on weekdays, at night from 22:00 to 06:00.
    fn calendar(name: &str, frame: (u32, u32)) -> Arc<Calendar> {
        let day = || vec![Frame { from: frame.0 * 60, to: frame.1 * 60 }];
        Arc::new(Calendar::new(Plan {
            name: CalendarName::from(name),
            zone: Zone(Shanghai),
            week: [day(), day(), day(), day(), day(), Vec::new(), Vec::new()],
            dates: BTreeMap::new(),
            known_through: None,
        }))
    }

    #[test]
    fn each_calendar_has_the_word_while_it_is_open() {
        let line = |text| Schedule::parse(text).unwrap();
        let schedule = line("0 */5 * * * *")
            .on(calendar("office", (9, 18)), line("*/30 * * * * *"))
            .on(calendar("day", (8, 20)), line("0 * * * * *"));
        for (now, expected) in [
            ("2026-11-20T09:00:00+08:00", "2026-11-20T09:00:30+08:00"),
            ("2026-11-20T08:59:00+08:00", "2026-11-20T09:00:00+08:00"),
            ("2026-11-20T08:57:10+08:00", "2026-11-20T08:58:00+08:00"),
            ("2026-11-20T17:59:30+08:00", "2026-11-20T18:00:00+08:00"), // `day` has the word at 18:00
            ("2026-11-20T18:00:00+08:00", "2026-11-20T18:01:00+08:00"),
            ("2026-11-20T20:00:00+08:00", "2026-11-20T20:05:00+08:00"),
            ("2026-11-20T03:02:00+08:00", "2026-11-20T03:05:00+08:00"),
            ("2026-11-21T12:00:00+08:00", "2026-11-21T12:05:00+08:00"), // Saturday
        ] {
            assert_eq!(schedule.next_after(at(now), Zone(Shanghai)), at(expected), "after {now}");
        }
        assert_eq!(schedule.to_string(), "office: */30 * * * * *, day: 0 * * * * *, otherwise: 0 */5 * * * *");
        assert_eq!(schedule.interval(at("2026-11-20T10:00:00+08:00"), Zone(Shanghai)), Span::from_secs(30));
        // A line counts only while its calendar is open, however seldom that is.
        let seldom = line("0 30 12 * * *").on(calendar("office", (9, 18)), line("0 0 0 1 1 *"));
        let expected = at("2026-11-21T12:30:00+08:00");
        assert_eq!(seldom.next_after(at("2026-11-20T10:00:00+08:00"), Zone(Shanghai)), expected);
        let never = line("0 0 12 * * Mon").on(calendar("office", (9, 18)), line("0 0 3 * * *"));
        assert_eq!(never.next_after(at("2026-11-20T10:00:00+08:00"), Zone(Shanghai)), Timestamp::NEVER);
    }

    #[test]
    fn bad_lines_say_how_to_write_them() {
        let cases = [
            ("", "six fields"),
            ("*/5 * * * *", "six fields"),
            ("0 0 9 * * Mon 2026", "six fields"),
            ("@daily", "six fields"),
            ("0 0 9 * * 1-5", "by name"),
            ("0 0 9 * * Mon,3", "by name"),
            ("0 0 25 * * *", "cannot be read"),
            ("0 0 9 * * Mumday", "cannot be read"),
            ("a b c d e f", "cannot be read"),
            ("0 0 0 30 Feb *", "never"),
        ];
        for (line, expected) in cases {
            let message = Schedule::parse(line).unwrap_err();
            assert!(message.en.contains(expected), "{line:?}: {}", message.en);
        }
    }
}
