//! Durations as people write them: `90s`, `15m`, `1h30m`, `3d`.

use crate::domain::{text::Message, time::Span};

/// The longest duration that can be written: ten years.
pub const DURATION_MAX: Span = Span::from_days(3660);

/// Reads a duration of `s m h d` (秒 分 小时 天), several units after each other; `d` is 24 hours.
///
/// The error says what was expected; `wd` is known, but not built yet.
pub fn read_span(text: &str) -> Result<Span, Message> {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let mut rest = compact.as_str();
    let mut total: i64 = 0;
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
        let unit = unit_ms(unit, text)?;
        if unit >= last_unit {
            return Err(malformed(text));
        }
        last_unit = unit;
        total = total.saturating_add(number.saturating_mul(unit));
        rest = after;
    }
    if total > DURATION_MAX.as_ms() {
        return Err(Message::new(
            format!("“{text}” 太长，最多十年"),
            format!("`{text}` is too long: ten years at most"),
        ));
    }
    Ok(Span::from_ms(total))
}

fn unit_ms(unit: &str, text: &str) -> Result<i64, Message> {
    Ok(match unit {
        "s" | "秒" => 1_000,
        "m" | "分" | "分钟" => 60_000,
        "h" | "小时" | "个小时" => 3_600_000,
        "d" | "天" => 86_400_000,
        "wd" | "工作日" | "个工作日" => {
            return Err(Message::new(
                format!("“{text}”：工作日时长（wd）还没有做出来，请先写自然时间，例如 24h"),
                format!("`{text}`: office days (wd) are not built yet; write wall time, such as 24h"),
            ));
        }
        "" => {
            return Err(Message::new(
                format!("“{text}” 没有单位：写成 {text}s、{text}m、{text}h 或 {text}d"),
                format!("`{text}` has no unit: write {text}s, {text}m, {text}h or {text}d"),
            ));
        }
        _ => return Err(malformed(text)),
    })
}

fn malformed(text: &str) -> Message {
    Message::new(
        format!("“{text}” 不是时长：写成 30s、15m、2h、3d 或 1h30m"),
        format!("`{text}` is not a duration: write 30s, 15m, 2h, 3d or 1h30m"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

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
            ("1wd", "not built yet"),
            ("5min", "is not a duration"),
            ("99999d", "ten years"),
            ("99999999999999999999d", "is not a duration"),
            ("９m", "is not a duration"),
        ] {
            let error = read_span(text).unwrap_err();
            assert!(error.en.contains(part), "{text}: {error}");
        }
    }
}
