//! How values read in a language and a zone: durations, instants, names of numbers. Never decides anything.

use chrono::Datelike;

use crate::domain::{
    field::{Code, FIELDS, Kind},
    rule::Severity,
    text::{Locale, Words},
    ticket::{Known, Person},
    time::{Span, Timestamp, Zone},
};

/// `2 天 3 小时`, `3 h 5 min`, `45 s`: at most two units, rounded down.
pub(crate) fn duration(span: Span, locale: Locale) -> String {
    const UNITS: [(i64, Words); 4] = [
        (86_400, Words { zh: "天", en: "d" }),
        (3_600, Words { zh: "小时", en: "h" }),
        (60, Words { zh: "分钟", en: "min" }),
        (1, Words { zh: "秒", en: "s" }),
    ];
    let seconds = span.as_secs();
    let first = UNITS.iter().position(|(size, _)| seconds >= *size).unwrap_or(UNITS.len() - 1);
    let mut left = seconds;
    let mut parts = Vec::new();
    // Seconds matter only where there is nothing larger.
    let last = if first == UNITS.len() - 1 { first } else { (first + 1).min(UNITS.len() - 2) };
    for (size, unit) in UNITS.iter().take(last + 1).skip(first) {
        let count = left / size;
        left %= size;
        if count > 0 || parts.is_empty() {
            parts.push(format!("{count} {}", unit.get(locale)));
        }
    }
    parts.join(" ")
}

/// `11-20 14:05`, with the year where it is not this one. Absolute, so that a card need not follow the clock.
pub(crate) fn instant(at: Timestamp, now: Timestamp, zone: Zone) -> String {
    let local = zone.local(at);
    if local.year() == zone.local(now).year() { local.format("%m-%d %H:%M").to_string() } else { zone.minute(at) }
}

/// `14:05` on this very day, else as [`instant`].
pub(crate) fn near(at: Timestamp, now: Timestamp, zone: Zone) -> String {
    let local = zone.local(at);
    if local.date_naive() == zone.local(now).date_naive() {
        local.format("%H:%M").to_string()
    } else {
        instant(at, now, zone)
    }
}

/// `2026-11-20`.
pub(crate) fn date(at: Timestamp, zone: Zone) -> String {
    zone.local(at).format("%Y-%m-%d").to_string()
}

/// The codes of an enumeration of the table, by the field's name.
pub(crate) fn codes(field: &str) -> &'static [Code] {
    match FIELDS.iter().find(|entry| entry.name == field).map(|entry| entry.kind) {
        Some(Kind::Code(codes)) => codes,
        _ => &[],
    }
}

/// A number of an enumeration in words; a number nobody knows as itself.
pub(crate) fn code(codes: &[Code], number: i64, locale: Locale) -> String {
    match codes.iter().find(|code| code.code == number) {
        Some(code) => named(code, locale),
        None => number.to_string(),
    }
}

/// A name of an enumeration for readers: English names are written with underscores in rules.
pub(crate) fn named(code: &Code, locale: Locale) -> String {
    match locale {
        Locale::Zh => code.zh.to_string(),
        Locale::En => code.name.replace('_', " "),
    }
}

/// A severity in words.
pub(crate) const fn severity(severity: Severity) -> Words {
    match severity {
        Severity::Info => Words { zh: "提示", en: "info" },
        Severity::Warning => Words { zh: "警告", en: "warning" },
        Severity::Critical => Words { zh: "严重", en: "critical" },
    }
}

/// A person by name, else email, else id; nothing for nobody. The platform writes `-` for a name it does not tell.
pub(crate) fn person(person: &Person) -> Option<&str> {
    [&person.name, &person.email, &person.id].into_iter().find_map(|part| told(part))
}

/// A part of a person that says something.
pub(crate) fn told(part: &Known<crate::domain::ticket::Text>) -> Option<&str> {
    part.present().map(|text| text.trim()).filter(|text| !text.is_empty() && *text != "-")
}

/// The last six digits of an id: what people read out to each other.
pub(crate) fn tail(id: &str) -> String {
    const TAIL_CHARS: usize = 6;
    let skip = id.chars().count().saturating_sub(TAIL_CHARS);
    id.chars().skip(skip).collect()
}

#[cfg(test)]
mod tests {
    use super::{duration, instant, tail};
    use crate::domain::{
        text::Locale,
        time::{Span, Timestamp, Zone},
    };

    #[test]
    fn durations_have_two_units_at_most() {
        let cases = [
            (0, "0 秒", "0 s"),
            (45, "45 秒", "45 s"),
            (61, "1 分钟", "1 min"),
            (3_600, "1 小时", "1 h"),
            (3_900, "1 小时 5 分钟", "1 h 5 min"),
            (97_200, "1 天 3 小时", "1 d 3 h"),
            (86_460, "1 天", "1 d"),
        ];
        for (seconds, zh, en) in cases {
            assert_eq!(duration(Span::from_secs(seconds), Locale::Zh), zh);
            assert_eq!(duration(Span::from_secs(seconds), Locale::En), en);
        }
    }

    #[test]
    fn instants_show_the_year_where_it_is_another() {
        let zone = Zone(chrono_tz::Asia::Shanghai);
        let at = Timestamp::from_ms(1_666_592_755_000);
        assert_eq!(instant(at, at, zone), "10-24 14:25");
        assert_eq!(instant(at, at.plus(Span::from_days(365)), zone), "2022-10-24 14:25");
    }

    #[test]
    fn tails_are_the_last_six() {
        assert_eq!((tail("6626871355780366331").as_str(), tail("12").as_str()), ("366331", "12"));
    }
}
