//! `rotas:` of the configuration: who is on call when.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use chrono::NaiveDate;

use crate::{
    adapters::{
        calendars::{
            dates::dates,
            frames::{day, hours, minute, shown},
        },
        yaml::{
            map::{Map, did_you_mean, text_of},
            nearest::nearest,
            tree::{Node, Scalar},
        },
    },
    app::config::{
        calendars::Calendars,
        receivers::Receivers,
        roster,
        words::{NAME_CHARS_MAX, check_name},
    },
    domain::{
        calendar::{Calendar, Frame},
        fault::{Fault, Place},
        id::{ReceiverName, RotaName},
        receiver::{PersonId, Receiver},
        rota::{Rota, Shift, Turn},
        text::{Message, fold},
        time::{Timestamp, Zone},
    },
};

/// Rotas a configuration may have.
const ROTAS_MAX: usize = 50;

/// Shifts a rota may have.
const SHIFTS_MAX: usize = 12;

/// Members a shift may have.
const MEMBERS_MAX: usize = 100;

/// Minutes of a day.
const DAY: u32 = 24 * 60;

/// The calendar whose holidays a rota goes by unless it says otherwise.
const OFFICE: &str = "office";

/// The words for a change every day.
const DAILY: &[&str] = &["daily", "每天", "每日"];

/// The rotas, by name.
#[derive(Clone, Debug, Default)]
pub struct Rotas {
    /// Every name that is written, with faults or without: what else names it is right.
    pub written: BTreeSet<RotaName>,
    /// All without faults.
    pub all: BTreeMap<RotaName, Arc<Rota>>,
    /// The lists of dates they name.
    pub lists: Vec<PathBuf>,
    /// What is as it is written and worth knowing: hours that are a backup's, hours with several on duty.
    pub notes: Vec<Message>,
    /// Where the first day of each is written.
    starts: BTreeMap<RotaName, Place>,
}

impl Rotas {
    /// A warning for each whose first day is still to come.
    pub fn not_begun(&self, now: Timestamp) -> Vec<Fault> {
        let late = self.all.values().filter(|rota| rota.instant(rota.start, 0) > now);
        let told = late.filter_map(|rota| {
            let (name, start) = (&rota.name, rota.start);
            let message = Message::new(
                format!("值班表 {name} 从 {start} 才开始，在那之前没有人值班"),
                format!("the rota {name} begins on {start}: nobody is on call before"),
            );
            let hint =
                Message::new("要马上开始，写今天或更早的日期", "to begin at once write today or an earlier date");
            Some(Fault::warning(self.starts.get(name)?.clone(), message).with_hint(hint))
        });
        told.collect()
    }
}

/// Reads `rotas:`; there may be none.
pub fn read(
    root: &mut Map<'_>,
    base: &Path,
    zone: Zone,
    receivers: &Receivers,
    calendars: &Calendars,
    faults: &mut Vec<Fault>,
) -> Rotas {
    let mut rotas = Rotas::default();
    let Some(mut map) = root.map("rotas", faults) else { return rotas };
    let entries = map.rest();
    if entries.len() > ROTAS_MAX {
        let message =
            Message::new(format!("值班表太多，最多 {ROTAS_MAX} 个"), format!("too many rotas: at most {ROTAS_MAX}"));
        faults.push(Fault::error(map.place().clone(), message));
    }
    let reader = Reader { base, zone, receivers, calendars };
    for (key, node) in entries.into_iter().take(ROTAS_MAX) {
        let mut named = check_name(key, faults);
        if receivers.written.contains(key.text.as_str()) {
            let message = Message::new(
                format!("“{}” 已经是接收方的名字，值班表请换一个", key.text),
                format!("`{}` is the name of a receiver: choose another for the rota", key.text),
            );
            faults.push(Fault::error(key.place.clone(), message));
            named = false;
        }
        let name = RotaName::from(key.text.as_str());
        rotas.written.insert(name.clone());
        if let Some(rota) = reader.rota(&name, node, &mut rotas, faults).filter(|_| named) {
            rotas.all.insert(name, Arc::new(rota));
        }
    }
    rotas
}

struct Reader<'a> {
    base: &'a Path,
    zone: Zone,
    receivers: &'a Receivers,
    calendars: &'a Calendars,
}

impl Reader<'_> {
    fn rota(&self, name: &RotaName, node: &Node, rotas: &mut Rotas, faults: &mut Vec<Fault>) -> Option<Rota> {
        let what = Message::new(
            "值班表，例如 { start: 2026-11-02, shifts: [ … ] }",
            "a rota such as { start: 2026-11-02, shifts: [ … ] }",
        );
        let mut map = Map::of(node, &what, faults)?;
        let start = map.required("start", faults).and_then(|node| {
            rotas.starts.insert(name.clone(), node.place.clone());
            one_date(node, faults)
        });
        map.required("shifts", faults);
        let place = map.place().clone();
        let items = map.list("shifts", faults);
        if items.is_some_and(<[Node]>::is_empty) || items.is_some_and(|items| items.len() > SHIFTS_MAX) {
            let message = Message::new(
                format!("一个值班表要有 1 到 {SHIFTS_MAX} 个班次"),
                format!("a rota has 1 to {SHIFTS_MAX} shifts"),
            );
            faults.push(Fault::error(place.clone(), message));
        }
        let shifts = shifts(items.unwrap_or_default(), faults);
        let backup = map.filled("backup").map(|node| self.backup(node, faults));
        let calendar = match map.text("calendar", faults) {
            Some((name, place)) => self.calendars.find(&name, &place, faults),
            None => self.usual_calendar(),
        };
        let list = map.text("dates", faults);
        map.finish(&[], faults);
        let sound: Vec<Shift> = shifts.iter().flatten().cloned().collect();
        let whole = sound.len() == shifts.len() && !shifts.is_empty();
        let mut listed = BTreeMap::new();
        if let Some((file, at)) = list {
            let path = self.base.join(&file);
            // A shift with a fault of its own is none that a date names in vain.
            if whole {
                listed = roster::load(&path, &file, &at, &sound, faults);
            }
            rotas.lists.push(path);
        }
        if whole && backup.is_none() {
            warn_of_gaps(name, &sound, &place, faults);
        }
        let backup = match backup {
            Some(None) => return None,
            backup => backup.flatten(),
        };
        if whole {
            rotas.notes.extend(gaps_with(name, &sound, backup.as_ref()));
            rotas.notes.extend(overlaps(name, &sound));
        }
        let rota =
            Rota { name: name.clone(), zone: self.zone, start: start?, shifts: sound, dates: listed, backup, calendar };
        whole.then_some(rota)
    }

    fn usual_calendar(&self) -> Option<Arc<Calendar>> {
        let public = self.calendars.public.keys().next();
        let office = self.calendars.all.get(OFFICE);
        office.or_else(|| self.calendars.all.get(public?)).map(Arc::clone)
    }

    /// A receiver of the configuration, or a person by email or id.
    fn backup(&self, node: &Node, faults: &mut Vec<Fault>) -> Option<ReceiverName> {
        let (text, place) = text_of(node, faults)?;
        if self.receivers.written.contains(text.as_str()) {
            return Some(ReceiverName::from(text.as_str()));
        }
        if let Some(person) = PersonId::of(&text) {
            return Some(Receiver::name_of_person(&person));
        }
        let message = Message::new(format!("没有叫 “{text}” 的接收方"), format!("there is no receiver `{text}`"));
        let hint = nearest(&text, self.receivers.written.iter().map(ReceiverName::as_str)).map_or_else(
            || Message::new("写 receivers 里的名字，或一个人的邮箱", "name one of `receivers`, or a person by email"),
            did_you_mean,
        );
        faults.push(Fault::error(place, message).with_hint(hint));
        None
    }
}

/// The shifts; nothing in place of one with faults.
fn shifts(items: &[Node], faults: &mut Vec<Fault>) -> Vec<Option<Shift>> {
    let what = Message::new(
        "班次，例如 { name: 白班, hours: \"09:00-21:00\", change: daily, members: [li@example.com] }",
        "a shift such as { name: day, hours: \"09:00-21:00\", change: daily, members: [li@example.com] }",
    );
    let mut names: Vec<String> = Vec::new();
    let mut one = |item: &Node| {
        let mut map = Map::of(item, &what, faults)?;
        let name = map.required("name", faults).and_then(|node| shift_name(node, &mut names, faults));
        let hours = map.required("hours", faults).and_then(|node| hours(node, faults));
        let change = map.required("change", faults).and_then(|node| turn(node, faults));
        let members = map.required("members", faults).and_then(|node| members(node, faults));
        map.finish(&[], faults);
        Some(Shift { name: name?, hours: hours?, change: change?, members: members? })
    };
    items.iter().take(SHIFTS_MAX).map(&mut one).collect()
}

fn one_date(node: &Node, faults: &mut Vec<Fault>) -> Option<NaiveDate> {
    let (text, place) = text_of(node, faults)?;
    let message = match dates(&text) {
        Ok(found) => match found.as_slice() {
            [one] => return Some(*one),
            _ => Message::new("这里要一天，例如 2026-11-02", "one day is asked for, such as 2026-11-02"),
        },
        Err(message) => message,
    };
    faults.push(Fault::error(place, message));
    None
}

fn shift_name(node: &Node, names: &mut Vec<String>, faults: &mut Vec<Fault>) -> Option<Arc<str>> {
    let (text, place) = text_of(node, faults)?;
    let name = text.trim();
    let chars = name.chars().count();
    let message = if !(1..=NAME_CHARS_MAX).contains(&chars) || name.contains(|c: char| c.is_control() || c == ',') {
        Message::new(
            format!("班次的名字要有 1 到 {NAME_CHARS_MAX} 个字，不含逗号"),
            format!("a shift's name has 1 to {NAME_CHARS_MAX} characters and no comma"),
        )
    } else if names.contains(&fold(name).into_owned()) {
        Message::new(format!("已经有叫 “{name}” 的班次"), format!("there is a shift `{name}` already"))
    } else {
        names.push(fold(name).into_owned());
        return Some(name.into());
    };
    faults.push(Fault::error(place, message));
    None
}

/// `daily`, or a weekday and a time: `mon 09:00`, `周一 09:00`.
fn turn(node: &Node, faults: &mut Vec<Fault>) -> Option<Turn> {
    let folded = node.text().map(|text| fold(text).into_owned()).unwrap_or_default();
    if DAILY.contains(&folded.as_str()) {
        return Some(Turn::Daily);
    }
    let clock = folded.find(|c: char| c.is_ascii_digit()).unwrap_or(folded.len());
    let (weekday, clock) = folded.split_at(clock);
    let found = day(weekday.trim()).and_then(|weekday| {
        let minute = minute(clock.trim()).filter(|minute| *minute < DAY)?;
        Some(Turn::Weekly { weekday: u32::try_from(weekday).ok()?, minute })
    });
    if found.is_none() {
        let what = Message::new(
            " daily，或星期几和时间，例如 \"mon 09:00\"",
            "daily, or a weekday and a time such as \"mon 09:00\"",
        );
        let hint = Message::new(
            "daily 是每班换人；\"mon 09:00\" 是每周一 9 点换人",
            "daily: the next member with every shift; \"mon 09:00\": every Monday at nine",
        );
        faults.push(node.expected(&what).with_hint(hint));
    }
    found
}

/// Who takes turns: people by email, mobile number or id, each once.
fn members(node: &Node, faults: &mut Vec<Fault>) -> Option<Vec<PersonId>> {
    let items = node.one_or_many();
    let before = faults.len();
    if items.is_empty() || items.len() > MEMBERS_MAX || node.is_null() {
        let message = Message::new(
            format!("一个班次要有 1 到 {MEMBERS_MAX} 个人"),
            format!("a shift has 1 to {MEMBERS_MAX} members"),
        );
        faults.push(Fault::error(node.place.clone(), message));
    }
    let mut members: Vec<PersonId> = Vec::new();
    for item in items.iter().take(MEMBERS_MAX) {
        let Some((text, place)) = text_of(item, faults) else { continue };
        let sound = !text.contains(char::is_whitespace) && !text.starts_with('@') && !text.ends_with('@');
        let message = match PersonId::of(&text).filter(|_| sound) {
            Some(person) if !members.contains(&person) => {
                members.push(person);
                continue;
            }
            Some(_) => Message::new(format!("{text} 写了两次"), format!("{text} is written twice")),
            None => {
                let shown = item.scalar().map(Scalar::shown).unwrap_or_default();
                Message::new(
                    format!("“{shown}” 不是一个人：写飞书邮箱、手机号，或以 ou_ 开头的 ID"),
                    format!(
                        "`{shown}` is no person: write a Feishu email, a mobile number, or an id that begins with ou_"
                    ),
                )
            }
        };
        faults.push(Fault::error(place, message));
    }
    (faults.len() == before).then_some(members)
}

/// Hours of the day on which no shift is on duty.
fn warn_of_gaps(name: &RotaName, shifts: &[Shift], place: &Place, faults: &mut Vec<Fault>) {
    let gaps = gaps(shifts);
    if gaps.is_empty() {
        return;
    }
    let gaps: Vec<String> = gaps.into_iter().map(shown).collect();
    let message = Message::new(
        format!("{name}：{} 没有人值班", gaps.join("、")),
        format!("{name}: nobody is on call {}", gaps.join(", ")),
    );
    let hint = Message::new(
        "补上班次，或写 backup：那段时间找它；不写就发给团队",
        "add a shift, or name a `backup` for that time; without one the team is told",
    );
    faults.push(Fault::warning(place.clone(), message).with_hint(hint));
}

/// The same hours, where they are a backup's.
fn gaps_with(name: &RotaName, shifts: &[Shift], backup: Option<&ReceiverName>) -> Option<Message> {
    let backup = backup?.as_str().trim_start_matches("person:");
    let gaps: Vec<String> = gaps(shifts).into_iter().map(shown).collect();
    (!gaps.is_empty()).then(|| {
        Message::new(
            format!("值班表 {name}：{} 没有班次，那时找 {backup}", gaps.join("、")),
            format!("rota {name}: no shift {}; {backup} is called then", gaps.join(", ")),
        )
    })
}

/// Hours in which several shifts are on duty: the first of them is called.
fn overlaps(name: &RotaName, shifts: &[Shift]) -> Option<Message> {
    let both = spans(|minute| shifts.iter().filter(|shift| is_on(shift, minute)).count() > 1);
    let first = both.first()?;
    let on: Vec<&str> = shifts.iter().filter(|shift| is_on(shift, first.from)).map(|shift| &*shift.name).collect();
    let (hours, first) = (both.iter().copied().map(shown).collect::<Vec<_>>(), on.first()?);
    Some(Message::new(
        format!("值班表 {name}：{} 有几个班次同时值班（{}），先找 {first}", hours.join("、"), on.join("、")),
        format!("rota {name}: several shifts {} ({}); {first} is called first", hours.join(", "), on.join(", ")),
    ))
}

/// Whether a shift is on duty at a minute of the day.
fn is_on(shift: &Shift, minute: u32) -> bool {
    let hours = shift.hours.from..shift.hours.to;
    hours.contains(&minute) || hours.contains(&(minute + DAY))
}

fn gaps(shifts: &[Shift]) -> Vec<Frame> {
    spans(|minute| !shifts.iter().any(|shift| is_on(shift, minute)))
}

/// The stretches of the day whose every minute fits, one over midnight as one.
fn spans(fits: impl Fn(u32) -> bool) -> Vec<Frame> {
    let Some(first) = (0..DAY).find(|minute| !fits(*minute)) else { return vec![Frame { from: 0, to: DAY }] };
    let mut found: Vec<Frame> = Vec::new();
    for minute in (first..first + DAY).filter(|minute| fits(minute % DAY)) {
        match found.last_mut() {
            Some(span) if span.to == minute => span.to += 1,
            _ => found.push(Frame { from: minute, to: minute + 1 }),
        }
    }
    let within = |span: Frame| match span.from.checked_sub(DAY) {
        Some(from) => Frame { from, to: span.to - DAY },
        None => span,
    };
    let mut found: Vec<Frame> = found.into_iter().map(within).collect();
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use chrono_tz::Asia::Shanghai;

    use super::*;
    use crate::adapters::yaml::parse::parse;

    fn read_text(text: &str) -> (Rotas, Vec<String>) {
        let mut faults = Vec::new();
        let tree = parse("deskbell.yaml", text, &mut faults).unwrap();
        let mut root = Map::of(&tree, &Message::default(), &mut faults).unwrap();
        let zone = Zone(Shanghai);
        let calendars = crate::app::config::calendars::read(&mut root, Path::new("."), zone, &mut faults);
        let receivers = Receivers { written: ["leads".into()].into(), ..Receivers::default() };
        let rotas = read(&mut root, Path::new("."), zone, &receivers, &calendars, &mut faults);
        root.finish(&[], &mut faults);
        (rotas, faults.iter().map(|fault| fault.message.en.clone()).collect())
    }

    fn of_shifts(shifts: &str) -> (Rotas, Vec<String>) {
        read_text(&format!("rotas: {{ primary: {{ start: 2026-11-02, shifts: [{shifts}] }} }}"))
    }

    #[test]
    fn a_rota_is_read_as_it_is_meant() {
        let text = "calendars: { cal: { week: { sat: \"09:00-10:00\" }, holidays: [cn] }, office: { week: { mon: \"09:00-10:00\" } } }\n\
                    rotas:\n  primary:\n    start: 2026-11-02\n    backup: leads\n    shifts:\n\
                    \x20     - { name: 白班, hours: \"09：00-21:00\", change: \"周一 9:00\", members: [li@example.com, ou_1] }\n\
                    \x20     - { name: 夜班, hours: \"21:00-09:00\", change: 每天, members: \"13800138000\" }\n";
        let (rotas, faults) = read_text(text);
        assert_eq!(faults, Vec::<String>::new());
        let rota = &rotas.all["primary"];
        let [day, night] = rota.shifts.as_slice() else { panic!("{rota:?}") };
        assert_eq!((day.hours, day.change), (Frame { from: 540, to: 1_260 }, Turn::Weekly { weekday: 0, minute: 540 }));
        assert_eq!(day.members, [PersonId::Email("li@example.com".into()), PersonId::Open("ou_1".into())]);
        assert_eq!((night.hours, night.change), (Frame { from: 1_260, to: 1_980 }, Turn::Daily));
        assert_eq!(night.members, [PersonId::Mobile("13800138000".into())]);
        assert_eq!(rota.backup, Some("leads".into()));
        assert_eq!(rota.calendar.as_ref().map(|calendar| calendar.name().as_str()), Some("office"));
        let told = rotas.not_begun(rota.instant("2026-11-01".parse().unwrap(), 0));
        assert_eq!((told.len(), told[0].place.line), (1, 4));
        assert!(rotas.not_begun(rota.instant(rota.start, 0)).is_empty());
    }

    #[test]
    fn hours_without_anyone_are_named_and_overlaps_are_none() {
        let shift = |name: &str, hours: &str| {
            format!("{{ name: {name}, hours: \"{hours}\", change: daily, members: [li@example.com] }}")
        };
        for (shifts, told) in [
            (vec!["09:00-09:00"], None),
            (vec!["00:00-24:00"], None),
            (vec!["09:00-21:00", "20:00-10:00"], None),
            (vec!["09:00-18:00"], Some("18:00-09:00")),
            (vec!["04:00-03:00"], Some("03:00-04:00")),
            (vec!["22:00-06:00", "08:00-12:00"], Some("06:00-08:00, 12:00-22:00")),
            (vec!["00:30-12:00", "12:00-24:00"], Some("00:00-00:30")),
        ] {
            let all: Vec<String> =
                shifts.iter().enumerate().map(|(at, hours)| shift(&format!("s{at}"), hours)).collect();
            let (rotas, faults) = of_shifts(&all.join(", "));
            assert_eq!(rotas.all.len(), 1);
            let told = told.map(|gap| format!("primary: nobody is on call {gap}"));
            assert_eq!(faults, told.into_iter().collect::<Vec<_>>(), "{shifts:?}");
        }
    }

    #[test]
    fn hours_of_a_backup_and_of_several_shifts_are_notes() {
        let shift = |name: &str, hours: &str| {
            format!("{{ name: {name}, hours: \"{hours}\", change: daily, members: [li@example.com] }}")
        };
        for (shifts, backup, told) in [
            (vec!["09:00-18:00"], "leads", vec!["rota primary: no shift 18:00-09:00; leads is called then"]),
            (
                vec!["09:00-18:00"],
                "wang@example.com",
                vec!["rota primary: no shift 18:00-09:00; wang@example.com is called then"],
            ),
            (vec!["09:00-09:00"], "leads", vec![]),
            (
                vec!["09:00-21:00", "20:00-10:00"],
                "leads",
                vec!["rota primary: several shifts 09:00-10:00, 20:00-21:00 (s0, s1); s0 is called first"],
            ),
        ] {
            let all: Vec<String> =
                shifts.iter().enumerate().map(|(at, hours)| shift(&format!("s{at}"), hours)).collect();
            let (rotas, faults) = read_text(&format!(
                "rotas: {{ primary: {{ start: 2026-11-02, backup: {backup}, shifts: [{}] }} }}",
                all.join(", ")
            ));
            let notes: Vec<&str> = rotas.notes.iter().map(|note| note.en.as_str()).collect();
            assert_eq!((notes, faults), (told, Vec::new()), "{shifts:?}");
        }
    }

    #[test]
    fn what_is_too_much_is_refused() {
        let shift = |at: usize| format!("{{ name: s{at}, hours: \"0:00-24:00\", change: daily, members: [a@b] }}");
        let many = |count: usize| (0..count).map(shift).collect::<Vec<_>>().join(", ");
        assert_eq!(of_shifts(&many(SHIFTS_MAX)).1, Vec::<String>::new());
        assert_eq!(of_shifts(&many(SHIFTS_MAX + 1)).1, ["a rota has 1 to 12 shifts"]);
        assert_eq!(of_shifts("").1, ["a rota has 1 to 12 shifts"]);
        let members: Vec<String> = (0..=MEMBERS_MAX).map(|at| format!("p{at}@example.com")).collect();
        let shift = format!("{{ name: a, hours: \"0:00-24:00\", change: daily, members: [{}] }}", members.join(", "));
        assert_eq!(of_shifts(&shift).1, ["a shift has 1 to 100 members"]);
    }
}
