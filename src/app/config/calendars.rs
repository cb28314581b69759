//! `calendars:` of the configuration: office hours by name, and whose public holidays run out.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use crate::{
    adapters::{
        calendars::read::{self, Public},
        yaml::map::{Map, did_you_mean},
        yaml::nearest::nearest,
    },
    app::config::words::check_name,
    domain::{
        calendar::Calendar,
        fault::{Fault, Place},
        id::CalendarName,
        text::Message,
        time::{Timestamp, Zone},
    },
};

/// Calendars a configuration may have.
const CALENDARS_MAX: usize = 50;

/// Words that stand where a calendar's name may stand.
const NAMES_TAKEN: &[&str] = &["always", "始终", OTHERWISE];

/// The word of a schedule for the time no calendar speaks for.
pub const OTHERWISE: &str = "otherwise";

/// The calendars, by name.
#[derive(Clone, Debug, Default)]
pub struct Calendars {
    /// Every one that is written; one with faults as far as it could be read.
    pub all: BTreeMap<CalendarName, Arc<Calendar>>,
    /// The public holidays of those that name some.
    pub public: BTreeMap<CalendarName, Public>,
}

impl Calendars {
    /// The calendar of a name; a fault at `place` where there is none.
    pub fn find(&self, name: &str, place: &Place, faults: &mut Vec<Fault>) -> Option<Arc<Calendar>> {
        if let Some(calendar) = self.all.get(name) {
            return Some(Arc::clone(calendar));
        }
        let message = Message::new(format!("没有日历 “{name}”"), format!("there is no calendar `{name}`"));
        let names = || self.all.keys().map(CalendarName::as_str);
        let hint = match nearest(name, names()) {
            Some(meant) => did_you_mean(meant),
            None if self.all.is_empty() => {
                let example = "calendars: { office: { week: { mon-fri: [\"09:30-18:30\"] } } }";
                Message::new(format!("先写日历，例如 {example}"), format!("write a calendar first, such as {example}"))
            }
            None => {
                let names: Vec<&str> = names().collect();
                Message::new(format!("有 {}", names.join("、")), format!("there is {}", names.join(", ")))
            }
        };
        faults.push(Fault::error(place.clone(), message).with_hint(hint));
        None
    }

    /// A warning for each whose public holidays run out soon, or did.
    pub fn run_out(&self, now: Timestamp) -> Vec<Fault> {
        let soon = self.public.iter().filter_map(|(name, public)| {
            let year = self.all.get(name)?.runs_out(now)?;
            Some(runs_out(name, public, year))
        });
        soon.collect()
    }
}

fn runs_out(calendar: &CalendarName, public: &Public, year: i32) -> Fault {
    let (name, last) = (&public.name, public.known_through);
    let message = Message::new(
        format!("日历 {calendar} 的节假日 {name} 只知道到 {last}：没有 {year} 年，那之后的节假日按平时上班算"),
        format!(
            "the public holidays {name} of the calendar {calendar} are known until {last}: {year} is missing, and its \
             holidays count as working days"
        ),
    );
    let hint = Message::new(
        format!(
            "{year} 年的安排公布后，在配置文件旁边的 calendars/{name}.yaml 里加上 “{year}:”（放假和补班的日子），不用换程序"
        ),
        format!(
            "once {year} is published, add `{year}:` with its holidays and workdays to calendars/{name}.yaml beside \
             the configuration; no new binary is needed"
        ),
    );
    Fault::warning(public.place.clone(), message).with_hint(hint)
}

/// Reads `calendars:`; there may be none.
pub fn read(root: &mut Map<'_>, base: &Path, zone: Zone, faults: &mut Vec<Fault>) -> Calendars {
    let mut calendars = Calendars::default();
    let Some(mut map) = root.map("calendars", faults) else { return calendars };
    let entries = map.rest();
    if entries.len() > CALENDARS_MAX {
        let message = Message::new(
            format!("日历太多，最多 {CALENDARS_MAX} 个"),
            format!("too many calendars: at most {CALENDARS_MAX}"),
        );
        faults.push(Fault::error(map.place().clone(), message));
    }
    for (key, node) in entries.into_iter().take(CALENDARS_MAX) {
        if check_name(key, faults) && NAMES_TAKEN.contains(&key.text.as_str()) {
            let name = &key.text;
            let message = Message::new(
                format!("“{name}” 另有含义，日历请换一个名字"),
                format!("`{name}` has a meaning of its own: choose another name for the calendar"),
            );
            faults.push(Fault::error(key.place.clone(), message));
        }
        let name = CalendarName::from(key.text.as_str());
        let read = read::read(name.clone(), node, base, zone, faults);
        calendars.public.extend(read.public.map(|public| (name.clone(), public)));
        calendars.all.insert(name, Arc::new(read.calendar));
    }
    calendars
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveDate, NaiveTime};
    use chrono_tz::Asia::Shanghai;

    use super::*;
    use crate::adapters::yaml::parse::parse;

    fn at(date: &str) -> Timestamp {
        let date: NaiveDate = date.parse().unwrap();
        let local = date.and_time(NaiveTime::MIN).and_local_timezone(Shanghai).unwrap();
        Timestamp::from_ms(local.timestamp_millis())
    }

    #[test]
    fn what_runs_out_is_named_with_the_year_and_never_before_its_time() {
        let text = "calendars:\n  office: { week: { mon-fri: \"09:00-17:00\" }, holidays: [2026-12-31, cn] }\n  \
                    always-open: { week: { daily: \"00:00-24:00\" } }\n";
        let mut faults = Vec::new();
        let node = parse("deskbell.yaml", text, &mut faults).unwrap();
        let mut root = Map::of(&node, &Message::default(), &mut faults).unwrap();
        let calendars = read(&mut root, Path::new("."), Zone(Shanghai), &mut faults);
        assert_eq!(faults, []);
        for quiet in ["2026-01-01", "2026-06-01", "2026-11-01"] {
            assert_eq!(calendars.run_out(at(quiet)), [], "{quiet}");
        }
        let told = calendars.run_out(at("2026-11-20"));
        let [fault] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!((fault.place.line, fault.place.column), (2, 70));
        assert!(fault.message.en.contains("known until 2026-12-31: 2027 is missing"), "{}", fault.message);
        assert!(fault.hint.as_ref().unwrap().zh.contains("calendars/cn.yaml"), "{:?}", fault.hint);
        assert!(calendars.run_out(at("2028-03-01"))[0].message.zh.contains("没有 2028 年"));
    }
}
