//! Durations as people write them: `90s`, `15m`, `1h30m`, `3d`, `1wd`.

use crate::domain::{
    calendar::{Calendar, Pace, Wait},
    text::Message,
    time::Span,
};

/// The longest duration that can be written: ten years.
pub const DURATION_MAX: Span = Span::from_days(3660);

const DAY: Span = Span::from_days(1);

/// A duration as it was written: what it means depends on what counts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    text: String,
    /// Its hours, minutes and seconds.
    hours: Span,
    days: Days,
}

/// The days of a written duration; both kinds never stand in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Days {
    None,
    /// Of 24 hours.
    Wall(i64),
    /// Of office time.
    Office(i64),
}

impl Written {
    /// Reads a duration of `s m h d wd` (秒 分 小时 天 工作日), several units after each other.
    ///
    /// # Errors
    /// What was expected.
    pub fn read(text: &str) -> Result<Self, Message> {
        let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let mut rest = compact.as_str();
        let mut written = Self { text: text.to_string(), hours: Span::ZERO, days: Days::None };
        let mut last_unit = i64::MAX;
        if rest.is_empty() {
            return Err(malformed(text));
        }
        while !rest.is_empty() {
            let digits = rest.chars().take_while(char::is_ascii_digit).count();
            let (number, after) = rest.split_at_checked(digits).unwrap_or((rest, ""));
            let letters = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
            let (unit, after) = after.split_at_checked(letters).unwrap_or((after, ""));
            let Ok(number) = number.parse::<i64>() else { return Err(malformed(text)) };
            let unit = Unit::of(unit, text)?;
            if unit.size().as_ms() >= last_unit {
                return Err(malformed(text));
            }
            last_unit = unit.size().as_ms();
            match unit {
                Unit::Time(size) => written.hours = sum(written.hours, size.times(number)),
                Unit::Day => written.days = Days::Wall(number),
                Unit::OfficeDay => written.days = Days::Office(number),
            }
            rest = after;
        }
        if sum(written.hours, written.days.at(DAY)) > DURATION_MAX {
            return Err(Message::new(
                format!("“{text}” 太长，最多十年"),
                format!("`{text}` is too long: ten years at most"),
            ));
        }
        Ok(written)
    }

    /// What it means where wall time counts whatever the calendar: `expires`, `keep_firing_for`, `within`.
    ///
    /// # Errors
    /// It is written in office days; says what to write.
    pub fn wall_span(&self) -> Result<Span, Message> {
        let Days::Office(days) = self.days else { return Ok(sum(self.hours, self.days.at(DAY))) };
        let hours = days.saturating_mul(24);
        Err(Message::new(
            format!("“{}”：这里总按自然时间算，没有工作日（wd）。写成 {days}d 或 {hours}h", self.text),
            format!("`{}`: wall time counts here, which has no office days (wd). Write {days}d or {hours}h", self.text),
        ))
    }

    /// What it means counted at `pace`: on a calendar `m` and `h` are office time, and `1wd` is the calendar's fullest
    /// weekday.
    ///
    /// # Errors
    /// Days of 24 hours on a calendar, or office days without one; says what to write.
    pub fn wait(&self, pace: &Pace) -> Result<Wait, Message> {
        let span = match (pace.calendar(), self.days) {
            (Some(calendar), Days::Wall(days)) => return Err(self.no_days_on(calendar, days)),
            (None, Days::Office(days)) => return Err(self.no_office(days)),
            (Some(calendar), days) => sum(self.hours, days.at(calendar.full_day())),
            (None, days) => sum(self.hours, days.at(DAY)),
        };
        Ok(Wait { span, pace: pace.clone() })
    }

    fn no_days_on(&self, calendar: &Calendar, days: i64) -> Message {
        let (text, name, hours) = (&self.text, calendar.name(), days.saturating_mul(24));
        let zh = format!("“{text}”：日历 {name} 上不能写天（d），不清楚是 24 小时还是一个工作日。");
        let en = format!("`{text}`: on the calendar {name} a `d` may mean 24 hours or one office day.");
        Message::new(
            format!("{zh}写成 {days}wd（工作日）或 {hours}h（办公小时）"),
            format!("{en} Write {days}wd (office days) or {hours}h (office hours)"),
        )
    }

    fn no_office(&self, days: i64) -> Message {
        let (text, hours) = (&self.text, days.saturating_mul(24));
        Message::new(
            format!(
                "“{text}”：没有日历就没有工作日（wd）。写成 {hours}h 或 {days}d，或给规则写上 calendar，例如 calendar: office"
            ),
            format!(
                "`{text}`: there are no office days (wd) without a calendar. Write {hours}h or {days}d, or give the rule a calendar, such as `calendar: office`"
            ),
        )
    }
}

impl Days {
    /// All of them, where one is `day` long.
    const fn at(self, day: Span) -> Span {
        match self {
            Self::None => Span::ZERO,
            Self::Wall(days) | Self::Office(days) => day.times(days),
        }
    }
}

/// Reads a duration of wall time.
///
/// # Errors
/// What was expected; office days are refused.
pub fn read_span(text: &str) -> Result<Span, Message> {
    Written::read(text)?.wall_span()
}

const fn sum(one: Span, other: Span) -> Span {
    Span::from_ms(one.as_ms().saturating_add(other.as_ms()))
}

#[derive(Clone, Copy)]
enum Unit {
    Time(Span),
    Day,
    OfficeDay,
}

impl Unit {
    fn of(unit: &str, text: &str) -> Result<Self, Message> {
        Ok(match unit {
            "s" | "秒" => Self::Time(Span::from_secs(1)),
            "m" | "分" | "分钟" => Self::Time(Span::from_mins(1)),
            "h" | "小时" | "个小时" => Self::Time(Span::from_hours(1)),
            "d" | "天" => Self::Day,
            "wd" | "工作日" | "个工作日" => Self::OfficeDay,
            "" => {
                return Err(Message::new(
                    format!("“{text}” 没有单位：写成 {text}s、{text}m、{text}h 或 {text}d"),
                    format!("`{text}` has no unit: write {text}s, {text}m, {text}h or {text}d"),
                ));
            }
            _ => return Err(malformed(text)),
        })
    }

    /// For the order of units: both days rank alike, so that they never stand in one duration.
    const fn size(self) -> Span {
        match self {
            Self::Time(size) => size,
            Self::Day | Self::OfficeDay => DAY,
        }
    }
}

fn malformed(text: &str) -> Message {
    Message::new(
        format!("“{text}” 不是时长：写成 30s、15m、2h、3d 或 1h30m"),
        format!("`{text}` is not a duration: write 30s, 15m, 2h, 3d or 1h30m"),
    )
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use super::*;
    use crate::domain::{
        calendar::{Frame, Plan},
        id::CalendarName,
        time::Zone,
    };

    #[test]
    fn durations_are_read_or_explained() {
        for (text, secs) in [
            ("0s", 0),
            ("90s", 90),
            ("15m", 900),
            ("1h30m", 5_400),
            ("3d", 259_200),
            ("1d 2h", 93_600),
            ("2小时", 7_200),
        ] {
            assert_eq!(read_span(text), Ok(Span::from_secs(secs)), "{text}");
        }
        for (text, part) in [
            ("", "is not a duration"),
            ("15", "has no unit"),
            ("1.5h", "is not a duration"),
            ("-3m", "is not a duration"),
            ("30m1h", "is not a duration"),
            ("1h1h", "is not a duration"),
            ("1wd", "Write 1d or 24h"),
            ("2个工作日", "Write 2d or 48h"),
            ("1wd1d", "is not a duration"),
            ("1d1wd", "is not a duration"),
            ("5min", "is not a duration"),
            ("99999d", "ten years"),
            ("99999999999999999999d", "is not a duration"),
            ("９m", "is not a duration"),
        ] {
            let error = read_span(text).unwrap_err();
            assert!(error.en.contains(part), "{text}: {error}");
        }
    }

    /// Mondays to Fridays 09:30-12:00 and 13:30-18:30: seven and a half hours.
    fn office() -> Pace {
        let frame = |from, to| Frame { from, to };
        let day = || vec![frame(9 * 60 + 30, 12 * 60), frame(13 * 60 + 30, 18 * 60 + 30)];
        Pace::Office(Arc::new(Calendar::new(Plan {
            name: CalendarName::from("office"),
            zone: Zone(chrono_tz::Asia::Shanghai),
            week: [day(), day(), day(), day(), day(), vec![frame(600, 660)], Vec::new()],
            dates: BTreeMap::new(),
            known_through: None,
        })))
    }

    #[test]
    fn what_a_duration_means_depends_on_what_counts_it() {
        for (text, pace, secs) in [
            ("1d", Pace::Wall, Ok(86_400)),
            ("1d2h", Pace::Wall, Ok(93_600)),
            ("1wd", Pace::Wall, Err("Write 24h or 1d, or give the rule a calendar")),
            ("0s", office(), Ok(0)),
            ("4h", office(), Ok(14_400)),
            ("24h", office(), Ok(86_400)),
            ("1wd", office(), Ok(27_000)),
            ("1wd 30m", office(), Ok(28_800)),
            ("2工作日", office(), Ok(54_000)),
            ("1d", office(), Err("Write 1wd (office days) or 24h")),
            ("2天1h", office(), Err("Write 2wd (office days) or 48h")),
        ] {
            match (Written::read(text).unwrap().wait(&pace), secs) {
                (Ok(wait), Ok(secs)) => assert_eq!(wait, Wait { span: Span::from_secs(secs), pace }, "{text}"),
                (Err(error), Err(part)) => assert!(error.en.contains(part), "{text}: {error}"),
                (wait, _) => panic!("{text}: {wait:?}"),
            }
        }
    }
}
