//! Instants as rule tests have them: written out, or counted from the first line of the timeline.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeZone};

use crate::{
    adapters::yaml::{duration::read_span, tree::Node},
    domain::{
        fault::Fault,
        text::Message,
        time::{Span, Timestamp, Zone},
    },
};

/// An instant, and how precisely it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) at: Timestamp,
    pub(super) within: Span,
}

/// What instants are read against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dial {
    pub(super) zone: Zone,
    /// The first line of the timeline; absent while that is read.
    pub(super) origin: Option<Timestamp>,
}

impl Dial {
    /// The instant a scalar holds; anything else is a fault.
    pub(super) fn read(self, node: &Node, faults: &mut Vec<Fault>) -> Option<Written> {
        let read = node.text().and_then(|text| self.parse(text.trim()));
        if read.is_none() {
            faults.push(self.fault(node));
        }
        read
    }

    fn parse(self, text: &str) -> Option<Written> {
        if let Some(later) = text.strip_prefix(['+', '＋']) {
            return self.counted(later, Timestamp::plus);
        }
        if let Some(earlier) = text.strip_prefix(['-', '－']) {
            return self.counted(earlier, Timestamp::minus);
        }
        let (minute, second) = (Span::from_mins(1), Span::from_secs(1));
        if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
            return Some(Written { at: Timestamp::from_ms(instant.timestamp_millis()), within: second });
        }
        let formats = [("%Y-%m-%d %H:%M", minute), ("%Y-%m-%d %H:%M:%S", second)];
        let of = |(format, within)| Some((NaiveDateTime::parse_from_str(text, format).ok()?, within));
        let midnight = || Some((NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0)?, minute));
        let (local, within) = formats.into_iter().find_map(of).or_else(midnight)?;
        let at = self.zone.0.from_local_datetime(&local).earliest()?;
        Some(Written { at: Timestamp::from_ms(at.timestamp_millis()), within })
    }

    fn counted(self, text: &str, moved: impl Fn(Timestamp, Span) -> Timestamp) -> Option<Written> {
        let span = read_span(text).ok()?;
        let within = if span.as_secs() % 60 == 0 { Span::from_mins(1) } else { Span::from_secs(1) };
        Some(Written { at: moved(self.origin?, span), within })
    }

    fn fault(self, node: &Node) -> Fault {
        let text = node.text().unwrap_or_default().trim();
        let is_clock = text.split_once(':').is_some_and(|(hour, _)| hour.parse::<u32>().is_ok());
        let what = match self.origin {
            Some(_) => Message::new(
                "一个时刻，例如 2026-11-20 09:00，或 +15m（从时间线第一行算起）",
                "an instant such as 2026-11-20 09:00, or +15m (from the first line of the timeline on)",
            ),
            None => Message::new(
                "一个写全的时刻，例如 2026-11-20 09:00",
                "an instant written out, such as 2026-11-20 09:00",
            ),
        };
        let fault = node.expected(&what);
        if is_clock {
            fault.with_hint(Message::new("前面写上日期", "write the date before it"))
        } else if self.origin.is_none() && text.starts_with(['+', '-']) {
            fault.with_hint(Message::new(
                "时间线的第一行要写全日期和时间，后面的行才能写 +15m",
                "the first line of the timeline has a date and a time; later ones may say +15m",
            ))
        } else {
            fault
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_out_or_counted() {
        let zone = Zone(chrono_tz::Asia::Shanghai);
        let noon = Timestamp::from_ms(1_790_740_800_000); // 2026-09-30 12:00 in Shanghai
        let dial = Dial { zone, origin: Some(noon) };
        let (minute, second) = (Span::from_mins(1), Span::from_secs(1));
        for (text, minutes, within) in [
            ("2026-09-30 12:00", 0, minute),
            ("2026-09-30 12:01:00", 1, second),
            ("2026-09-30T04:02:00Z", 2, second),
            ("2026-10-01", 12 * 60, minute),
            ("+15m", 15, minute),
            ("+60s", 1, minute),
            ("-1h", -60, minute),
        ] {
            let at = Timestamp::from_ms(noon.as_ms() + minutes * 60_000);
            assert_eq!(dial.parse(text), Some(Written { at, within }), "{text}");
        }
        assert_eq!(dial.parse("+90s").map(|written| written.within), Some(second));
        for text in ["", "12:00", "+15", "tomorrow", "2026-02-30 09:00", "+1wd"] {
            assert_eq!(dial.parse(text), None, "{text}");
        }
        assert_eq!(Dial { zone, origin: None }.parse("+15m"), None);
    }
}
