//! One calendar of `calendars:`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use chrono::{Datelike, NaiveDate};

use crate::{
    adapters::{
        calendars::{
            dates::dates,
            frames::{frames, weekdays},
            public::{self, PublicDays},
        },
        yaml::{map::Map, tree::Node, zone::zone as own_zone},
    },
    domain::{
        calendar::{Calendar, Frame, Plan},
        fault::{Fault, Place},
        id::CalendarName,
        text::Message,
        time::Zone,
    },
};

/// Days that a calendar may list one by one.
pub const DATES_MAX: usize = 4_000;

/// The last weekday that is no weekend, Monday being 1.
const FRIDAY: u32 = 5;

/// Public holidays that a calendar may name.
const PUBLIC_MAX: usize = 8;

/// The keys of a calendar with their Chinese twins.
pub const KEYS: &[(&str, &str)] =
    &[("week", "每周"), ("timezone", "时区"), ("holidays", "放假"), ("workdays", "上班"), ("half_days", "半天")];

/// What was read.
#[derive(Debug)]
pub struct Read {
    /// The calendar, as far as it could be read.
    pub calendar: Calendar,
    /// Of the public holidays it names, those that are known for the shortest time.
    pub public: Option<Public>,
}

/// Public holidays that a calendar names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Public {
    /// Their name.
    pub name: String,
    /// Where they are named.
    pub place: Place,
    /// The last day that is known.
    pub known_through: NaiveDate,
}

/// Reads a calendar. Files of public holidays are looked for from `base`; `zone` holds unless it names its own.
pub fn read(name: CalendarName, node: &Node, base: &Path, zone: Zone, faults: &mut Vec<Fault>) -> Read {
    let mut days = Days::default();
    let mut plan = Plan { name, zone, week: Default::default(), dates: BTreeMap::new(), known_through: None };
    let what = Message::new(
        "日历的一组键值，例如 { week: { mon-fri: [\"09:30-18:30\"] } }",
        "a calendar such as { week: { mon-fri: [\"09:30-18:30\"] } }",
    );
    let twin = |word: &str| KEYS.iter().find(|(_, zh)| *zh == word).map(|(en, _)| *en);
    if let Some(mut map) = Map::with_twins(node, &what, twin, faults) {
        week(&mut map, &mut plan.week, faults);
        plan.zone = own_zone(&mut map, "timezone", faults).unwrap_or(zone);
        days.holidays(&mut map, base, faults);
        days.workdays(&mut map, faults);
        days.half_days(&mut map, faults);
        map.finish(&[], faults);
        days.check_size(&node.place, faults);
    }
    plan.dates = days.resolve(&plan.week);
    plan.known_through = days.public.as_ref().map(|public| public.known_through);
    Read { calendar: Calendar::new(plan), public: days.public }
}

fn week(map: &mut Map<'_>, week: &mut [Vec<Frame>; 7], faults: &mut Vec<Fault>) {
    let Some(node) = map.required("week", faults) else { return };
    let what = Message::new(
        "一周的时段，例如 { mon-fri: [\"09:30-18:30\"] }",
        "the frames of a week such as { mon-fri: [\"09:30-18:30\"] }",
    );
    let Some(mut days) = Map::of(node, &what, faults) else { return };
    let sound = faults.len();
    let mut written: [Option<&str>; 7] = [None; 7];
    for (key, node) in days.rest() {
        let frames = frames(node, faults);
        for day in weekdays(key, faults) {
            let (Some(first), Some(of_day)) = (written.get_mut(day), week.get_mut(day)) else { continue };
            if let Some(first) = first {
                let message = Message::new(
                    format!("“{}” 和 “{first}” 写了同一天", key.text),
                    format!("`{}` and `{first}` are about the same day", key.text),
                );
                let hint = Message::new("同一天的时段写在一个列表里", "write all frames of a day in one list");
                faults.push(Fault::error(key.place.clone(), message).with_hint(hint));
                break;
            }
            *first = Some(&key.text);
            of_day.clone_from(&frames);
        }
    }
    if faults.len() == sound && week.iter().all(Vec::is_empty) {
        let message = Message::new("一周里没有任何时段：永远不上班", "the week has no frames: it is never open");
        let hint =
            Message::new("例如 week: { mon-fri: [\"09:30-18:30\"] }", "such as week: { mon-fri: [\"09:30-18:30\"] }");
        faults.push(Fault::error(node.place.clone(), message).with_hint(hint));
    }
}

/// The days that differ from their weekday, as they were written.
#[derive(Debug, Default)]
struct Days {
    public_off: BTreeSet<NaiveDate>,
    public_worked: BTreeSet<NaiveDate>,
    off: BTreeSet<NaiveDate>,
    worked: BTreeSet<NaiveDate>,
    half: BTreeMap<NaiveDate, Vec<Frame>>,
    /// How many days were listed, the same one twice if it is there twice.
    listed: usize,
    public: Option<Public>,
}

impl Days {
    fn holidays(&mut self, map: &mut Map<'_>, base: &Path, faults: &mut Vec<Fault>) {
        let mut named: Vec<&str> = Vec::new();
        for node in map.filled("holidays").map(Node::one_or_many).unwrap_or_default() {
            match node.text() {
                Some(name) if public::is_name(name) && named.len() < PUBLIC_MAX => {
                    if !named.contains(&name) {
                        named.push(name);
                        self.add_public(name, node, public::load(name, node, base, faults));
                    }
                }
                _ => {
                    let dates = self.dates_of(node, faults);
                    self.off.extend(dates);
                }
            }
        }
    }

    fn add_public(&mut self, name: &str, node: &Node, days: PublicDays) {
        self.public_off.extend(days.off());
        self.public_worked.extend(days.worked());
        let Some(known_through) = days.known_through() else { return };
        if self.public.as_ref().is_none_or(|public| known_through < public.known_through) {
            self.public = Some(Public { name: name.to_string(), place: node.place.clone(), known_through });
        }
    }

    fn workdays(&mut self, map: &mut Map<'_>, faults: &mut Vec<Fault>) {
        for node in map.filled("workdays").map(Node::one_or_many).unwrap_or_default() {
            let dates = self.dates_of(node, faults);
            self.worked.extend(dates);
        }
    }

    fn half_days(&mut self, map: &mut Map<'_>, faults: &mut Vec<Fault>) {
        let Some(mut half) = map.map("half_days", faults) else { return };
        for (key, node) in half.rest() {
            let found = frames(node, faults);
            match dates(&key.text) {
                Ok(dates) => {
                    let dates = self.listed(dates);
                    self.half.extend(dates.into_iter().map(|date| (date, found.clone())));
                }
                Err(message) => faults.push(Fault::error(key.place.clone(), message)),
            }
        }
    }

    fn dates_of(&mut self, node: &Node, faults: &mut Vec<Fault>) -> Vec<NaiveDate> {
        let Some(scalar) = node.scalar() else {
            faults.push(node.expected(&Message::new("日期，例如 2027-02-05", "a date such as 2027-02-05")));
            return Vec::new();
        };
        match dates(&scalar.text) {
            Ok(dates) => self.listed(dates),
            Err(message) => {
                faults.push(Fault::error(node.place.clone(), message));
                Vec::new()
            }
        }
    }

    /// Counts the days; those that are too many are not kept.
    fn listed(&mut self, dates: Vec<NaiveDate>) -> Vec<NaiveDate> {
        self.listed += dates.len();
        if self.listed > DATES_MAX { Vec::new() } else { dates }
    }

    fn check_size(&self, place: &Place, faults: &mut Vec<Fault>) {
        let days = self.listed;
        if days > DATES_MAX {
            let message = Message::new(
                format!("单独列出的日子有 {days} 天，最多 {DATES_MAX} 天"),
                format!("{days} days are listed one by one, at most {DATES_MAX}"),
            );
            faults.push(Fault::error(place.clone(), message));
        }
    }

    /// `half_days` before `workdays`, that before `holidays`; what the calendar lists itself before what its public
    /// holidays say. A working weekend day has the frames of the first weekday that has any, whatever the weekend has.
    fn resolve(&self, week: &[Vec<Frame>; 7]) -> BTreeMap<NaiveDate, Vec<Frame>> {
        let full = week.iter().find(|frames| !frames.is_empty()).cloned().unwrap_or_default();
        let mut dates = BTreeMap::new();
        for (off, worked) in [(&self.public_off, &self.public_worked), (&self.off, &self.worked)] {
            dates.extend(off.iter().map(|date| (*date, Vec::new())));
            dates.extend(worked.iter().map(|date| {
                let own = week.get(usize::try_from(date.weekday().num_days_from_monday()).unwrap_or_default());
                let own = own.filter(|frames| date.weekday().number_from_monday() <= FRIDAY && !frames.is_empty());
                (*date, own.unwrap_or(&full).clone())
            }));
        }
        dates.extend(self.half.iter().map(|(date, frames)| (*date, frames.clone())));
        dates
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{
        adapters::yaml::parse::parse,
        domain::time::{Span, Timestamp},
    };

    fn calendar(text: &str) -> (Read, String) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("calendars")).unwrap();
        fs::write(dir.path().join("calendars/acme.yaml"), "2026: { holidays: [2026-12-24] }\n2027: { holidays: [] }\n")
            .unwrap();
        let mut faults = Vec::new();
        let node = parse("t.yaml", text, &mut faults).unwrap();
        let zone = Zone(chrono_tz::Asia::Shanghai);
        let read = read(CalendarName::from("office"), &node, dir.path(), zone, &mut faults);
        let line = |fault: &Fault| format!("{}:{}: {}", fault.place.line, fault.place.column, fault.message.en);
        (read, faults.iter().map(line).collect::<Vec<_>>().join("\n"))
    }

    /// Office time of a date, in minutes.
    fn minutes(calendar: &Calendar, date: &str) -> i64 {
        let date: NaiveDate = date.parse().unwrap();
        let midnight = |date: NaiveDate| {
            let local = date.and_hms_opt(0, 0, 0).unwrap().and_local_timezone(calendar.plan().zone.0);
            Timestamp::from_ms(local.unwrap().timestamp_millis())
        };
        calendar.worked(midnight(date), midnight(date.succ_opt().unwrap())).as_secs() / 60
    }

    #[test]
    fn the_days_go_by_their_order() {
        let text = "week: { mon-fri: [\"09:30-12:00\", \"13:30-18:30\"], sat: \"10:00-12:00\" }\n\
                    holidays: [cn, 2026-03-02, 2026-10-10]\n\
                    workdays: [2026-10-01, 2026-03-03, 2026-03-07]\n\
                    half_days: { 2026-02-13: [\"09:30-12:00\"], 2026-10-01..2026-10-02: \"09:30-10:30\", 2026-03-04: [] }\n";
        let (Read { calendar, public }, faults) = calendar(text);
        assert_eq!(faults, "");
        for (date, expected, why) in [
            ("2026-11-20", 450, "a Friday"),
            ("2026-11-21", 120, "a Saturday"),
            ("2026-11-22", 0, "a Sunday"),
            ("2026-01-01", 0, "a public holiday"),
            ("2026-01-04", 450, "a working Sunday"),
            ("2026-02-14", 450, "a working Saturday has a weekday's frames"),
            ("2026-03-02", 0, "a day off of one's own"),
            ("2026-10-10", 0, "one's own day off on a weekend that others work"),
            ("2026-03-07", 450, "one's own working Saturday"),
            ("2026-10-01", 60, "half days go before workdays"),
            ("2026-10-02", 60, "half days go before holidays"),
            ("2026-03-04", 0, "a half day without frames is off"),
            ("2026-02-13", 150, "a half day"),
        ] {
            assert_eq!(minutes(&calendar, date), expected, "{date}: {why}");
        }
        assert_eq!(calendar.full_day(), Span::from_mins(450));
        assert_eq!(public.map(|public| public.name).as_deref(), Some("cn"));
        assert_eq!(calendar.plan().known_through, "2026-12-31".parse().ok());
    }

    #[test]
    fn chinese_words_zones_and_other_holidays() {
        let text = "每周: { 周一至周五: \"09:00-17:00\" }\n时区: Europe/Berlin\n放假: acme\n上班: 2026-12-26\n";
        let (Read { calendar, public }, faults) = calendar(text);
        assert_eq!(faults, "");
        assert_eq!(calendar.plan().zone, Zone(chrono_tz::Europe::Berlin));
        assert_eq!((minutes(&calendar, "2026-12-24"), minutes(&calendar, "2026-12-26")), (0, 480));
        assert_eq!(public.map(|public| public.known_through), "2027-12-31".parse().ok());
    }

    #[test]
    fn the_public_holidays_that_end_first_count() {
        let text = "week: { daily: \"00:00-24:00\" }\nholidays: [acme, cn, acme]\n";
        let (read, faults) = calendar(text);
        assert_eq!(faults, "");
        let public = read.public.unwrap();
        assert_eq!((public.name.as_str(), public.place.line, public.place.column), ("cn", 2, 18));
        let (read, _) = calendar("week: { daily: \"00:00-24:00\" }\nholidays: [2026-01-01]\n");
        assert_eq!(read.public, None);
    }

    #[test]
    fn too_many_days_are_refused() {
        let years: Vec<String> = (2010..2022).map(|year| format!("{year}-01-01..{year}-12-31")).collect();
        let text = format!("week: {{ daily: \"00:00-24:00\" }}\nholidays: [{}]\n", years.join(", "));
        assert_eq!(calendar(&text).1, "1:1: 4383 days are listed one by one, at most 4000");
    }
}
