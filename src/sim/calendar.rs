//! Dates from milliseconds, as far as the platform shows any.

const DAY_MS: i64 = 86_400_000;

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Year, month (1 to 12) and day of an instant, in UTC.
pub const fn civil(ms: i64) -> (i64, i64, i64) {
    // Years are counted from March, so that the odd day of a leap year is the last one.
    let days = ms.div_euclid(DAY_MS) + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + (month <= 2) as i64;
    (year, month, day)
}

/// The `Date` header of an instant.
pub fn http_date(ms: i64) -> String {
    let (year, month, day) = civil(ms);
    let weekday = DAYS[ms.div_euclid(DAY_MS).rem_euclid(7) as usize];
    let month = MONTHS[(month - 1) as usize];
    let seconds = ms.rem_euclid(DAY_MS) / 1000;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{weekday}, {day:02} {month} {year} {hour:02}:{minute:02}:{second:02} GMT")
}

#[cfg(test)]
mod tests {
    use crate::sim::calendar::{civil, http_date};

    #[test]
    fn dates_are_right() {
        let table = [
            (0, (1970, 1, 1), "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_400_000, (2000, 2, 29), "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_793_451_599_999, (2026, 10, 31), "Sat, 31 Oct 2026 12:59:59 GMT"),
            (1_735_689_599_000, (2024, 12, 31), "Tue, 31 Dec 2024 23:59:59 GMT"),
            (-1, (1969, 12, 31), "Wed, 31 Dec 1969 23:59:59 GMT"),
        ];
        for (ms, date, header) in table {
            assert_eq!((civil(ms), http_date(ms).as_str()), (date, header), "{ms}");
        }
    }
}
