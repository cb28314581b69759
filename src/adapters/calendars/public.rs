//! Public holidays by year, from the file of their name: the one beside the configuration, over the one that is built
//! in.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
};

use chrono::{Datelike, NaiveDate};

use crate::{
    adapters::{
        calendars::dates::dates,
        yaml::{
            map::Map,
            parse::{FILE_BYTES_MAX, parse},
            tree::Node,
        },
    },
    domain::{
        calendar::{END_YEAR, FIRST_YEAR},
        fault::{Fault, Place},
        text::Message,
    },
};

/// What is built in.
const SHIPPED: &[(&str, &str)] = &[("cn", include_str!("../../../calendars/cn.yaml"))];

/// The folder beside the configuration in which the files are.
const FOLDER: &str = "calendars";

/// Days that a list of one year may have.
const LISTED_MAX: usize = 1_000;

/// Characters a name may have.
const NAME_CHARS_MAX: usize = 32;

/// The public holidays of some years.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PublicDays {
    years: BTreeMap<i32, Year>,
}

#[derive(Clone, Debug, PartialEq, Eq, Default)]
struct Year {
    off: BTreeSet<NaiveDate>,
    worked: BTreeSet<NaiveDate>,
}

impl PublicDays {
    /// Days off.
    pub fn off(&self) -> impl Iterator<Item = NaiveDate> {
        self.years.values().flat_map(|year| year.off.iter().copied())
    }

    /// Weekend days that are worked.
    pub fn worked(&self) -> impl Iterator<Item = NaiveDate> {
        self.years.values().flat_map(|year| year.worked.iter().copied())
    }

    /// The last day that is known.
    pub fn known_through(&self) -> Option<NaiveDate> {
        self.years.keys().next_back().and_then(|year| NaiveDate::from_ymd_opt(*year, 12, 31))
    }

    /// Years between the first and the last that are not there.
    fn gaps(&self) -> Vec<i32> {
        let years = self.years.keys().next().zip(self.years.keys().next_back());
        let within = years.map_or(0..0, |(first, last)| *first..*last);
        within.filter(|year| !self.years.contains_key(year)).collect()
    }
}

/// Whether `text` may name public holidays: letters, digits, `-` and `_`, a letter first.
pub fn is_name(text: &str) -> bool {
    text.len() <= NAME_CHARS_MAX
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// The public holidays that `node` names.
pub fn load(name: &str, node: &Node, base: &Path, faults: &mut Vec<Fault>) -> PublicDays {
    let shipped = SHIPPED.iter().find(|(shipped, _)| *shipped == name);
    let file = format!("{FOLDER}/{name}.yaml");
    let mut days = shipped.map(|(_, text)| read(&file, text, faults)).unwrap_or_default();
    match text_of(&base.join(&file)) {
        Ok(text) => days.years.extend(read(&file, &text, faults).years),
        Err(error) if error.kind() == io::ErrorKind::NotFound && shipped.is_some() => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let names: Vec<&str> = SHIPPED.iter().map(|(name, _)| *name).collect();
            let names = names.join(", ");
            let message = Message::new(
                format!("没有 “{name}” 的节假日：配置文件旁边没有 {file}"),
                format!("there are no public holidays `{name}`: no {file} beside the configuration"),
            );
            let hint = Message::new(
                format!("自带的有 {names}；单独的日子写 2027-02-05"),
                format!("built in: {names}; a single day is 2027-02-05"),
            );
            faults.push(Fault::error(node.place.clone(), message).with_hint(hint));
        }
        Err(error) => {
            let message = Message::new(format!("读不了 {file}：{error}"), format!("{file} cannot be read: {error}"));
            faults.push(Fault::error(node.place.clone(), message));
        }
    }
    for year in days.gaps() {
        let message = Message::new(format!("没有 {year} 年"), format!("{year} is not there"));
        let hint = Message::new(
            format!("那一年不会算任何节假日；补上 “{year}:”"),
            format!("that year has no public holidays: add `{year}:`"),
        );
        faults.push(Fault::warning(Place::file(file.as_str()), message).with_hint(hint));
    }
    days
}

fn text_of(path: &Path) -> io::Result<String> {
    let length = fs::metadata(path)?.len();
    if usize::try_from(length).map_or(true, |length| length > FILE_BYTES_MAX) {
        return Err(io::Error::other(format!("> {FILE_BYTES_MAX} bytes")));
    }
    fs::read_to_string(path)
}

/// A file: years, each with `holidays` and `workdays`.
fn read(file: &str, text: &str, faults: &mut Vec<Fault>) -> PublicDays {
    let mut days = PublicDays::default();
    let what = Message::new(
        "年份，例如 2027: { holidays: […], workdays: […] }",
        "years such as 2027: { holidays: […], workdays: […] }",
    );
    let Some(tree) = parse(file, text, faults) else { return days };
    let Some(mut years) = Map::of(&tree, &what, faults) else { return days };
    for (key, node) in years.rest() {
        let year = key.text.parse::<i32>().ok().filter(|year| (FIRST_YEAR..END_YEAR).contains(year));
        let Some(year) = year else {
            let message = Message::new(format!("“{}” 不是年份", key.text), format!("`{}` is no year", key.text));
            let hint = Message::new(
                format!("写 {FIRST_YEAR} 到 {} 的年份，例如 2027:", END_YEAR - 1),
                format!("write a year from {FIRST_YEAR} to {}, such as 2027:", END_YEAR - 1),
            );
            faults.push(Fault::error(key.place.clone(), message).with_hint(hint));
            continue;
        };
        let what = Message::new("一年的 holidays 和 workdays", "the holidays and workdays of a year");
        let Some(mut map) = Map::of(node, &what, faults) else { continue };
        map.required("holidays", faults);
        let mut found = Year::default();
        for (_, date) in listed(&mut map, "holidays", year, faults) {
            found.off.insert(date);
        }
        for (place, date) in listed(&mut map, "workdays", year, faults) {
            if found.off.contains(&date) {
                let message = Message::new(
                    format!("{date} 同时写成放假和上班"),
                    format!("{date} is both a day off and a working day"),
                );
                faults.push(Fault::error(place, message));
            }
            found.worked.insert(date);
        }
        map.finish(&[], faults);
        days.years.insert(year, found);
    }
    days
}

/// The dates of a list. A year's notice may reach back into the December before.
fn listed(map: &mut Map<'_>, key: &str, year: i32, faults: &mut Vec<Fault>) -> Vec<(Place, NaiveDate)> {
    let mut found = Vec::new();
    for node in map.list(key, faults).unwrap_or_default() {
        if found.len() > LISTED_MAX {
            let message = Message::new(
                format!("一年里最多列 {LISTED_MAX} 天"),
                format!("a year lists {LISTED_MAX} days at most"),
            );
            faults.push(Fault::error(node.place.clone(), message));
            break;
        }
        let Some(text) = node.text() else {
            faults.push(node.expected(&Message::new("日期，例如 2027-02-05", "a date such as 2027-02-05")));
            continue;
        };
        match dates(text) {
            Ok(dates) => {
                let december = |date: &NaiveDate| date.year() == year - 1 && date.month() == 12;
                let stray = dates.iter().find(|date| date.year() != year && !december(date));
                if let Some(stray) = stray {
                    let message =
                        Message::new(format!("{stray} 不在 {year} 年"), format!("{stray} does not lie in {year}"));
                    faults.push(Fault::error(node.place.clone(), message));
                }
                found.extend(dates.into_iter().map(|date| (node.place.clone(), date)));
            }
            Err(message) => faults.push(Fault::error(node.place.clone(), message)),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::Gravity;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn loaded(name: &str, own: Option<&str>) -> (PublicDays, String) {
        let dir = tempfile::tempdir().unwrap();
        if let Some(own) = own {
            fs::create_dir(dir.path().join(FOLDER)).unwrap();
            fs::write(dir.path().join(format!("{FOLDER}/{name}.yaml")), own).unwrap();
        }
        let node = parse("t.yaml", name, &mut Vec::new()).unwrap();
        let mut faults = Vec::new();
        let days = load(name, &node, dir.path(), &mut faults);
        let line = |fault: &Fault| {
            let gravity = if fault.gravity == Gravity::Warning { "warning: " } else { "" };
            format!("{}: {gravity}{}", fault.place, fault.message.en)
        };
        (days, faults.iter().map(line).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn what_is_built_in_is_what_was_published() {
        let (days, faults) = loaded("cn", None);
        assert_eq!(faults, "");
        assert_eq!(days.years.keys().copied().collect::<Vec<_>>(), [2026]);
        assert_eq!(days.known_through(), Some(date("2026-12-31")));
        // facts/feishu.md §16
        let off: usize = [3, 9, 3, 5, 3, 3, 7].iter().sum();
        assert_eq!(days.off().count(), off);
        let worked = ["2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"];
        assert_eq!(days.worked().collect::<Vec<_>>(), worked.map(date));
        assert!(days.worked().all(|date| date.weekday().number_from_monday() > 5));
    }

    #[test]
    fn a_file_beside_the_configuration_goes_before_what_is_built_in_year_by_year() {
        let own = "2027:\n  holidays: [2027-01-01..2027-01-03, 2026-12-31]\n  workdays: [2027-01-09]\n";
        let (days, faults) = loaded("cn", Some(own));
        assert_eq!(faults, "");
        assert_eq!(days.known_through(), Some(date("2027-12-31")));
        assert!(days.off().any(|day| day == date("2026-10-01")), "2026 is still what is built in");
        assert!(days.off().any(|day| day == date("2026-12-31")), "a notice reaches back into December");
        let (days, faults) = loaded("cn", Some("2026: { holidays: [2026-10-01] }\n"));
        assert_eq!(faults, "");
        assert_eq!(days.off().collect::<Vec<_>>(), [date("2026-10-01")]);
        let (days, faults) = loaded("acme", Some("2026: { holidays: [] }\n"));
        assert_eq!(faults, "");
        assert_eq!((days.off().count(), days.known_through()), (0, Some(date("2026-12-31"))));
    }

    #[test]
    fn a_file_that_cannot_be_understood_says_where() {
        let own = "2027: { holidays: [2027-01-01, 2028-01-01, soon, []], workdays: [2027-01-01], days: [] }\n\
                   2028: {}\n27: { holidays: [] }\n2030: { holidays: [] }\n";
        let (_, faults) = loaded("acme", Some(own));
        assert_eq!(
            faults,
            "calendars/acme.yaml:1:32: 2028-01-01 does not lie in 2027\n\
             calendars/acme.yaml:1:44: `soon` is no date: write 2027-02-05, or a stretch 2027-02-04..2027-02-05\n\
             calendars/acme.yaml:1:50: expected a date such as 2027-02-05, found an empty list\n\
             calendars/acme.yaml:1:66: 2027-01-01 is both a day off and a working day\n\
             calendars/acme.yaml:1:79: there is no key `days` here\n\
             calendars/acme.yaml:2:7: `holidays` is missing\n\
             calendars/acme.yaml:3:1: `27` is no year\n\
             calendars/acme.yaml: warning: 2029 is not there"
        );
        assert_eq!(
            loaded("acme", None).1,
            "t.yaml:1:1: there are no public holidays `acme`: no calendars/acme.yaml beside the configuration"
        );
    }

    #[test]
    fn a_name_leads_nowhere_else() {
        assert!(["cn", "acme-2", "HK_bank"].iter().all(|name| is_name(name)));
        assert!(["", "..", "../cn", "a/b", "a.b", "2026", "国庆", &"a".repeat(33)].iter().all(|name| !is_name(name)));
    }
}
