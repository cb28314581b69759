//! Instants as operators write them: RFC 3339, a day with a time, a time of today; in the configured zone.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};

use crate::{
    domain::{
        text::Message,
        time::{Timestamp, Zone},
    },
    web::problem::Problem,
};

/// How an instant is written, beside RFC 3339.
const FORMATS: [&str; 4] = ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"];

/// A time of today.
const TIME: &str = "%H:%M";

/// Years that are believed; everything else is a slip.
const YEARS: std::ops::RangeInclusive<i32> = 2000..=2200;

/// An instant as it is written; of an hour that comes twice, the first.
///
/// # Errors
/// It cannot be read: why, and how to write it.
pub fn read(place: &'static str, text: &str, zone: Zone, now: Timestamp) -> Result<Timestamp, Problem> {
    use chrono::Datelike;
    let text = text.trim();
    let bad = |zh: String, en: String| Problem::bad(place, Message::new(zh, en)).with_hint(example(zone, now));
    let believed = |at: Timestamp, year: i32| {
        let far = || bad(format!("年份 {year} 不对"), format!("{year} is no year to plan for"));
        if YEARS.contains(&year) { Ok(at) } else { Err(far()) }
    };
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return believed(Timestamp::from_ms(at.timestamp_millis()), at.year());
    }
    if NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok() {
        return Err(bad(
            format!("{text} 只有日期，还要写几点"),
            format!("{text} is a day without a time: add the time"),
        ));
    }
    let today = zone.local(now).date_naive();
    let of_today = || NaiveTime::parse_from_str(text, TIME).ok().map(|time| today.and_time(time));
    let local = FORMATS.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok()).or_else(of_today);
    let Some(local) = local else {
        return Err(bad("时刻读不懂".to_string(), "this instant cannot be read".to_string()));
    };
    match zone.0.from_local_datetime(&local).earliest() {
        Some(at) => believed(Timestamp::from_ms(at.timestamp_millis()), local.year()),
        None => Err(bad(
            format!("{text} 这一刻不存在：时钟正好拨过去了"),
            format!("{text} does not exist: the clocks jump over it"),
        )),
    }
}

/// The same, and still to come.
///
/// # Errors
/// It cannot be read, or it is over.
pub fn coming(place: &'static str, text: &str, zone: Zone, now: Timestamp) -> Result<Timestamp, Problem> {
    let at = read(place, text, zone, now)?;
    if at > now {
        return Ok(at);
    }
    let (at, is) = (zone.minute(at), zone.minute(now));
    let message = Message::new(format!("{at} 已经过去，现在是 {is}"), format!("{at} is over: it is {is} now"));
    Err(Problem::bad(place, message).with_hint(example(zone, now)))
}

fn example(zone: Zone, now: Timestamp) -> Message {
    let tomorrow = zone.local(zone.next_midnight(now)).format("%Y-%m-%d");
    Message::new(
        format!("例如 \"{tomorrow} 18:00\"，只写 18:00 就是今天"),
        format!("for example \"{tomorrow} 18:00\"; 18:00 alone is today's"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-20 10:00 in Shanghai.
    const NOW: Timestamp = Timestamp::from_ms(1_795_140_000_000);

    #[test]
    fn instants_are_read_as_they_are_written_and_slips_are_named() {
        let shanghai = Zone(chrono_tz::Asia::Shanghai);
        for (text, expected) in [
            ("2026-11-20 18:00", Ok("2026-11-20 18:00")),
            (" 2026-11-20T18:00 ", Ok("2026-11-20 18:00")),
            ("2026-11-20 18:00:30", Ok("2026-11-20 18:00")),
            ("2026-11-20T18:00:00+09:00", Ok("2026-11-20 17:00")),
            ("18:00", Ok("2026-11-20 18:00")),
            ("2026-11-21", Err("2026-11-21 is a day without a time: add the time")),
            ("2026-11-20 09:59", Err("2026-11-20 09:59 is over: it is 2026-11-20 10:00 now")),
            ("09:00", Err("2026-11-20 09:00 is over: it is 2026-11-20 10:00 now")),
            ("2026-11-20 10:00", Err("2026-11-20 10:00 is over: it is 2026-11-20 10:00 now")),
            ("9999-11-20 10:00", Err("9999 is no year to plan for")),
            ("tomorrow", Err("this instant cannot be read")),
            ("2026-02-30 10:00", Err("this instant cannot be read")),
            ("", Err("this instant cannot be read")),
        ] {
            let found = coming("until", text, shanghai, NOW);
            let told = found.map(|at| shanghai.minute(at)).map_err(|problem| problem.error.en);
            assert_eq!(told.as_deref().map_err(String::as_str), expected, "{text:?}");
        }
        let berlin = Zone(chrono_tz::Europe::Berlin);
        let skipped = read("at", "2027-03-28 02:30", berlin, NOW).unwrap_err();
        assert!(skipped.error.en.contains("the clocks jump over it"), "{skipped:?}");
        assert!(skipped.hint.unwrap().en.contains("2026-11-21 18:00"));
    }
}
