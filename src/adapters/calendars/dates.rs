//! Dates and stretches of dates: `2027-02-05`, `2027-02-04..2027-02-05`.

use chrono::{Datelike, NaiveDate};

use crate::domain::{
    calendar::{END_YEAR, FIRST_YEAR},
    text::{Message, fold},
};

/// Days a stretch may have: a year.
pub const STRETCH_DAYS_MAX: usize = 366;

/// The days that are meant.
///
/// # Errors
/// What was expected.
pub fn dates(text: &str) -> Result<Vec<NaiveDate>, Message> {
    let folded = fold(text);
    let Some((from, to)) = folded.split_once("..") else { return one(&folded, text).map(|date| vec![date]) };
    let (from, to) = (one(from.trim(), text)?, one(to.trim(), text)?);
    if to < from {
        return Err(Message::new(
            format!("“{text}” 的结束早于开始：写成 {to}..{from}"),
            format!("`{text}` ends before it begins: write {to}..{from}"),
        ));
    }
    let days: Vec<NaiveDate> = from.iter_days().take_while(|date| *date <= to).take(STRETCH_DAYS_MAX + 1).collect();
    if days.len() > STRETCH_DAYS_MAX {
        return Err(Message::new(
            format!("“{text}” 太长，最多 {STRETCH_DAYS_MAX} 天"),
            format!("`{text}` is too long: {STRETCH_DAYS_MAX} days at most"),
        ));
    }
    Ok(days)
}

fn one(date: &str, text: &str) -> Result<NaiveDate, Message> {
    let plain = date.split('-').map(str::len).eq([4, 2, 2]) && date.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let Some(found) = date.parse::<NaiveDate>().ok().filter(|_| plain) else {
        let looks_right = plain && date.len() == 10;
        return Err(if looks_right {
            Message::new(format!("没有 {date} 这一天"), format!("there is no day {date}"))
        } else {
            Message::new(
                format!("“{text}” 不是日期：写成 2027-02-05，或一段 2027-02-04..2027-02-05"),
                format!("`{text}` is no date: write 2027-02-05, or a stretch 2027-02-04..2027-02-05"),
            )
        });
    };
    if !(FIRST_YEAR..END_YEAR).contains(&found.year()) {
        return Err(Message::new(
            format!("{found} 不在 {FIRST_YEAR} 到 {} 年之间", END_YEAR - 1),
            format!("{found} is not within {FIRST_YEAR} to {}", END_YEAR - 1),
        ));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_stretches_are_read_or_explained() {
        for (text, days) in [
            ("2027-02-05", 1),
            ("2027-02-04..2027-02-05", 2),
            ("2027-02-04 .. 2027-02-04", 1),
            ("２０２７-０２-０５", 1),
            ("2028-01-01..2028-12-31", 366),
            ("2026-12-31..2027-01-02", 3),
        ] {
            assert_eq!(dates(text).unwrap().len(), days, "{text}");
        }
        for (text, part) in [
            ("", "is no date"),
            ("2027-2-5", "is no date"),
            ("2027/02/05", "is no date"),
            ("02-05", "is no date"),
            ("2027-02-05..", "is no date"),
            ("2027-02-05...2027-02-06", "is no date"),
            ("+027-02-05", "is no date"),
            ("2027-02-30", "there is no day 2027-02-30"),
            ("2027-02-05..2027-02-04", "write 2027-02-04..2027-02-05"),
            ("2026-01-01..2027-01-02", "366 days at most"),
            ("1999-01-01", "not within 2010 to 2059"),
            ("2060-01-01", "not within 2010 to 2059"),
        ] {
            let error = dates(text).unwrap_err();
            assert!(error.en.contains(part), "{text}: {error}");
        }
    }
}
