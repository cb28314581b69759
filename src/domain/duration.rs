//! Durations as people write them in rules: `30m`, `1h30m`, `1wd`, `4h 办公时间`.

use crate::domain::{calendar::Pace, text::Message, time::Span};

/// The units of rules, the largest first: milliseconds and the letter.
const UNITS: [(i64, char); 4] = [(86_400_000, 'd'), (3_600_000, 'h'), (60_000, 'm'), (1_000, 's')];

/// A duration on the wall's clock: `30m`, `1h30m`, `2d`. What is less than a second is left out.
pub fn written(span: Span) -> String {
    in_units(span, &UNITS)
}

/// A duration and how it is counted: `30m`, `1wd`, `4h 办公时间`.
pub fn written_at(span: Span, pace: &Pace) -> Message {
    let text = bare(span, pace);
    match pace {
        Pace::Office(_) if !text.ends_with("wd") => {
            Message::new(format!("{text} 办公时间"), format!("{text} of office time"))
        }
        Pace::Office(_) | Pace::Wall => Message::new(text.clone(), text),
    }
}

/// `30m → 45m`; nothing where both read the same. How they are counted is said only where that differs.
pub fn from_to(old: (Span, &Pace), new: (Span, &Pace)) -> Option<Message> {
    let name = |pace: &Pace| pace.calendar().map(|calendar| calendar.name().clone());
    if name(old.1) == name(new.1) {
        let (old, new) = (bare(old.0, old.1), bare(new.0, new.1));
        return (old != new).then(|| {
            let text = format!("{old} → {new}");
            Message::new(text.clone(), text)
        });
    }
    let named = |(span, pace): (Span, &Pace)| match pace {
        Pace::Wall => written_at(span, pace),
        Pace::Office(calendar) => {
            let (text, name) = (bare(span, pace), calendar.name());
            Message::new(format!("{text}（日历 {name}）"), format!("{text} (calendar {name})"))
        }
    };
    let (old, new) = (named(old), named(new));
    Some(Message::new(format!("{} → {}", old.zh, new.zh), format!("{} → {}", old.en, new.en)))
}

/// Without a word on how it is counted. A day of a calendar is `wd`; `d` means nothing on one.
fn bare(span: Span, pace: &Pace) -> String {
    let Pace::Office(calendar) = pace else { return written(span) };
    let day = calendar.full_day().as_ms();
    if day > 0 && span > Span::ZERO && span.as_ms() % day == 0 {
        return format!("{}wd", span.as_ms() / day);
    }
    in_units(span, UNITS.get(1..).unwrap_or_default())
}

fn in_units(span: Span, units: &[(i64, char)]) -> String {
    let mut rest = span.as_ms();
    let mut text = String::new();
    for (unit, letter) in units {
        let count = rest / unit;
        rest %= unit;
        if count > 0 {
            text.push_str(&format!("{count}{letter}"));
        }
    }
    if text.is_empty() { "0s".to_string() } else { text }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use super::*;
    use crate::domain::{
        calendar::{Calendar, Frame, Plan},
        time::Zone,
    };

    fn office(name: &str) -> Pace {
        let day = vec![Frame { from: 540, to: 1_020 }];
        let week = [(); 7].map(|()| day.clone());
        let zone = Zone(chrono_tz::Asia::Shanghai);
        let plan = Plan { name: name.into(), zone, week, dates: BTreeMap::new(), known_through: None };
        Pace::Office(Arc::new(Calendar::new(plan)))
    }

    #[test]
    fn durations_are_written_as_in_rules() {
        for (secs, text) in [(0, "0s"), (45, "45s"), (1_800, "30m"), (5_400, "1h30m"), (86_400, "1d"), (93_600, "1d2h")]
        {
            assert_eq!(written(Span::from_secs(secs)), text);
        }
        let pace = office("office");
        assert_eq!(written_at(Span::from_hours(8), &pace).zh, "1wd");
        assert_eq!(written_at(Span::from_hours(40), &pace).zh, "5wd");
        assert_eq!(written_at(Span::from_hours(4), &pace), Message::new("4h 办公时间", "4h of office time"));
        assert_eq!(written_at(Span::from_hours(25), &pace).zh, "25h 办公时间");
        assert_eq!(written_at(Span::ZERO, &pace).zh, "0s 办公时间");
        assert_eq!(written_at(Span::from_hours(24), &Pace::Wall).zh, "1d");
    }

    #[test]
    fn a_change_says_how_it_is_counted_only_where_that_differs() {
        let (office, night, wall) = (office("office"), office("night"), Pace::Wall);
        let (four, eight) = (Span::from_hours(4), Span::from_hours(8));
        let zh = |old, new| from_to(old, new).map(|message| message.zh);
        assert_eq!(zh((four, &wall), (eight, &wall)).as_deref(), Some("4h → 8h"));
        assert_eq!(zh((four, &office), (eight, &office)).as_deref(), Some("4h → 1wd"));
        assert_eq!(zh((four, &wall), (four, &office)).as_deref(), Some("4h → 4h（日历 office）"));
        assert_eq!(zh((four, &night), (eight, &office)).as_deref(), Some("4h（日历 night） → 1wd（日历 office）"));
        assert_eq!(zh((four, &office), (four, &office)), None);
    }
}
