//! Rotas against a walk over single minutes: over years, in zones that set their clocks, with every kind of change.

use std::collections::BTreeSet;

use chrono::Timelike;
use chrono_tz::{Asia::Shanghai, Australia::Lord_Howe, Europe::Berlin, Tz};
use proptest::prelude::*;

use super::*;

const MINUTE_MS: i64 = 60_000;
const DAY: i64 = 1_440;

/// Minutes between two looks at a zone's clocks: every zone sets them on a quarter.
const QUARTER: i64 = 15;

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn person(name: &str) -> PersonId {
    PersonId::Email(format!("{name}@example.com").as_str().into())
}

/// `09:00-21:00` in minutes; an end that is not later than the beginning lies in the next day.
fn frame(text: &str) -> Frame {
    let minute = |clock: &str| {
        let (hour, minute) = clock.split_once(':').unwrap();
        hour.parse::<u32>().unwrap() * 60 + minute.parse::<u32>().unwrap()
    };
    let (from, to) = text.split_once('-').unwrap();
    let (from, to) = (minute(from), minute(to));
    Frame { from, to: if to <= from { to + 1_440 } else { to } }
}

fn shift(name: &str, hours: &str, change: Turn, members: &[&str]) -> Shift {
    let members = members.iter().map(|name| person(name)).collect();
    Shift { name: name.into(), hours: frame(hours), change, members }
}

const MON_9: Turn = Turn::Weekly { weekday: 0, minute: 540 };

fn rota(zone: Tz, start: &str, shifts: Vec<Shift>) -> Rota {
    let name = RotaName::from("primary");
    Rota { name, zone: Zone(zone), start: date(start), shifts, dates: BTreeMap::new(), backup: None, calendar: None }
}

/// The one of the documentation.
fn primary() -> Rota {
    let shifts = vec![
        shift("day", "09:00-21:00", MON_9, &["li", "wang"]),
        shift("night", "21:00-09:00", Turn::Daily, &["zhao", "qian", "sun"]),
    ];
    rota(Shanghai, "2026-11-02", shifts)
}

/// An instant of local time; the first of two.
fn at(zone: Tz, text: &str) -> Timestamp {
    let local = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap();
    Timestamp::from_ms(zone.from_local_datetime(&local).earliest().unwrap().timestamp_millis())
}

fn cover(shift: &str, name: &str, from: Timestamp, until: Timestamp, said: i64) -> Cover {
    let (rota, shift, person) = (RotaName::from("primary"), shift.into(), person(name));
    Cover { rota, shift, person, from, until, by: Actor::Deskbell, at: Timestamp::from_ms(said) }
}

/// `li`, or `li+wang`, or `-`.
fn shown(duties: &[Duty]) -> String {
    let names: Vec<&str> = duties.iter().map(|duty| duty.person.as_str().trim_end_matches("@example.com")).collect();
    if names.is_empty() { "-".to_string() } else { names.join("+") }
}

/// Who is on duty, found by walking minute after minute: what a person with a wall clock, a list and a pencil would do.
struct Walk<'a> {
    rota: &'a Rota,
    covers: &'a [Cover],
    /// The latest wall time the clocks have shown, in minutes since 1970.
    wall: i64,
    /// Weekly changes seen of each shift.
    turns: Vec<i64>,
}

impl<'a> Walk<'a> {
    /// Everyone's first turn; the walk must begin before the start.
    fn new(rota: &'a Rota, covers: &'a [Cover]) -> Self {
        Self { rota, covers, wall: i64::MIN, turns: vec![0; rota.shifts.len()] }
    }

    /// The clocks show this; says who is on duty now.
    fn minute(&mut self, wall: i64, at: Timestamp) -> Vec<Duty> {
        let before = self.wall;
        self.wall = self.wall.max(wall);
        let start = day_number(self.rota.start);
        let mut found = Vec::new();
        for (place, shift) in self.rota.shifts.iter().enumerate() {
            if let Turn::Weekly { weekday, minute } = shift.change
                && before != i64::MIN
            {
                for shown in before + 1..=self.wall {
                    let (day, of_day) = (shown.div_euclid(DAY), shown.rem_euclid(DAY));
                    // 1970-01-01 was a Thursday.
                    let is_change = (day + 3).rem_euclid(7) == i64::from(weekday) && of_day == i64::from(minute);
                    self.turns[place] += i64::from(is_change && day > start);
                }
            }
            let today = self.wall.div_euclid(DAY);
            for day in [today - 1, today] {
                let minute = self.wall - day * DAY;
                let listed = self.rota.dates.get(&(day_of(day), place));
                let in_hours = i64::from(shift.hours.from) <= minute && minute < i64::from(shift.hours.to);
                if !in_hours || (day < start && listed.is_none()) {
                    continue;
                }
                let stands_in = |cover: &&Cover| cover.shift == shift.name && cover.from <= at && at < cover.until;
                let mut covers: Vec<&Cover> = self.covers.iter().filter(stands_in).collect();
                covers.sort_by_key(|cover| cover.at);
                let members = i64::try_from(shift.members.len()).unwrap();
                let turn = if shift.change == Turn::Daily { day - start } else { self.turns[place] };
                let turn = usize::try_from(turn.rem_euclid(members)).unwrap();
                let (people, by) = match (covers.last(), listed) {
                    (Some(cover), _) => (vec![cover.person.clone()], Basis::Cover),
                    (None, Some(listed)) => (listed.clone(), Basis::Date),
                    (None, None) => (vec![shift.members[turn].clone()], Basis::Turn),
                };
                found.extend(people.into_iter().map(|person| Duty { shift: place, person, by }));
            }
        }
        found
    }
}

fn day_number(date: NaiveDate) -> i64 {
    date.signed_duration_since(date_1970()).num_days()
}

fn date_1970() -> NaiveDate {
    NaiveDate::from_ymd_opt(1970, 1, 1).unwrap()
}

fn day_of(number: i64) -> NaiveDate {
    date_1970() + TimeDelta::days(number)
}

/// Every change of who is on duty between two instants, by the walk.
fn walked(rota: &Rota, covers: &[Cover], from: Timestamp, to: Timestamp) -> Vec<(Timestamp, Vec<Duty>)> {
    let mut walk = Walk::new(rota, covers);
    let mut changes: Vec<(Timestamp, Vec<Duty>)> = Vec::new();
    for quarter in (from.as_ms() / MINUTE_MS..to.as_ms() / MINUTE_MS).step_by(usize::try_from(QUARTER).unwrap()) {
        let local = rota.zone.local(Timestamp::from_ms(quarter * MINUTE_MS)).naive_local();
        let wall = day_number(local.date()) * DAY + i64::from(local.hour() * 60 + local.minute());
        for more in 0..QUARTER {
            let at = Timestamp::from_ms((quarter + more) * MINUTE_MS);
            let now = walk.minute(wall + more, at);
            if changes.last().is_none_or(|(_, before)| *before != now) {
                changes.push((at, now));
            }
        }
    }
    changes
}

/// The same people on the same shifts, whatever the reason: what a change is.
fn people_of(changes: &[(Timestamp, Vec<Duty>)]) -> Vec<(Timestamp, String)> {
    let mut people: Vec<(Timestamp, String, &[Duty])> = Vec::new();
    for (at, duties) in changes {
        if people.last().is_none_or(|(.., before)| !is_same(before, duties)) {
            people.push((*at, shown(duties), duties));
        }
    }
    people.into_iter().map(|(at, shown, _)| (at, shown)).collect()
}

fn agrees(rota: &Rota, covers: &[Cover], from: Timestamp, to: Timestamp) -> Result<usize, TestCaseError> {
    let changes = walked(rota, covers, from, to);
    for (change, next) in changes.iter().zip(changes.iter().skip(1)) {
        let place = rota.zone.minute(change.0);
        prop_assert_eq!(&rota.on_duty(covers, change.0), &change.1, "at {}", place);
        let last = Timestamp::from_ms(next.0.as_ms() - 1);
        prop_assert_eq!(&rota.on_duty(covers, last), &change.1, "at the end of what began at {}", place);
    }
    let expected = people_of(&changes);
    let mut found = vec![(from, shown(&rota.on_duty(covers, from)))];
    loop {
        let next = rota.next_change(covers, found.last().unwrap().0);
        if next >= to {
            break;
        }
        found.push((next, shown(&rota.on_duty(covers, next))));
    }
    prop_assert_eq!(&found, &expected);
    for (at, _) in expected.iter().step_by(expected.len() / 16 + 1).skip(1) {
        for on_call in rota.on_call(covers, *at) {
            let on = |duties: &[Duty]| {
                duties.iter().any(|duty| duty.shift == on_call.place && duty.person == on_call.person)
            };
            let began = changes.iter().rev().filter(|(begins, _)| begins <= at).take_while(|(_, now)| on(now)).last();
            let ends = changes.iter().find(|(begins, now)| begins > at && !on(now)).map(|(begins, _)| *begins);
            let began = began.map(|(begins, _)| *begins).filter(|begins| *begins > from);
            if began.is_none_or(|began| at.since(began).as_ms() < 60 * DAY * MINUTE_MS) {
                prop_assert_eq!(Some(on_call.from).filter(|found| *found > from), began);
            }
            prop_assert_eq!(Some(on_call.until).filter(|found| *found < to), ends);
        }
    }
    Ok(expected.len())
}

#[test]
fn years_of_a_rota_agree_with_walking_them() {
    for (zone, from, to) in [(Shanghai, "2026-10-25", "2029-01-10"), (Berlin, "2026-10-20", "2029-11-05")] {
        let mut rota = Rota { zone: Zone(zone), ..primary() };
        rota.shifts.push(shift("early", "01:30-02:45", Turn::Weekly { weekday: 6, minute: 150 }, &["sun", "zhou"]));
        for (day, place, name) in
            [("2026-10-30", 0, "wu"), ("2027-02-05", 1, "li"), ("2027-03-28", 2, "wu"), ("2028-10-29", 1, "wu")]
        {
            rota.dates.insert((date(day), place), vec![person(name), person("zheng")]);
        }
        let covers = [
            cover("night", "wang", at(zone, "2027-03-27 22:00"), at(zone, "2027-03-28 04:00"), 1),
            cover("night", "li", at(zone, "2027-03-27 23:00"), at(zone, "2027-03-30 04:00"), 2),
        ];
        let whole = (at(zone, &format!("{from} 00:00")), at(zone, &format!("{to} 00:00")));
        let changes = agrees(&rota, &covers, whole.0, whole.1).unwrap();
        assert!(changes > 3_000, "{changes}");
    }
}

const NAMES: [&str; 5] = ["li", "wang", "zhao", "qian", "sun"];

fn any_shift(place: usize) -> impl Strategy<Value = Shift> {
    let change = prop_oneof![
        1 => Just(Turn::Daily),
        2 => (0_u32..7, prop_oneof![Just(0_u32), Just(150), 0_u32..1_440])
            .prop_map(|(weekday, minute)| Turn::Weekly { weekday, minute }),
    ];
    let hours = prop_oneof![
        1 => Just((0, 1_440)),
        4 => (0_u32..1_440, 1_u32..=1_440).prop_map(|(from, minutes)| (from, from + minutes)),
    ];
    let members = proptest::sample::subsequence(&NAMES[..], 1..=4);
    (hours, change, members).prop_map(move |((from, to), change, members)| Shift {
        name: format!("shift {place}").into(),
        hours: Frame { from, to },
        change,
        members: members.into_iter().map(person).collect(),
    })
}

/// A rota, covers, and the days to walk, among them one on which clocks are set.
fn any_case() -> impl Strategy<Value = (Rota, Vec<Cover>, Timestamp, Timestamp)> {
    let zone = proptest::sample::select(vec![Shanghai, Berlin, Lord_Howe]);
    let begin = prop_oneof![
        proptest::sample::select(vec!["2027-03-20", "2027-10-25", "2028-03-30", "2030-10-20", "2027-03-31"])
            .prop_map(date),
        (0_i64..1_800).prop_map(|days| date("2026-01-01") + TimeDelta::days(days)),
    ];
    let shifts = (any_shift(0), any_shift(1), any_shift(2), 1_usize..=3)
        .prop_map(|(one, two, three, count)| vec![one, two, three].into_iter().take(count).collect::<Vec<_>>());
    let dates = proptest::collection::vec((-3_i64..50, 0_usize..3, 1_usize..3), 0..5);
    let covers = proptest::collection::vec((0_usize..3, 0_usize..5, -100_i64..60_000, 1_i64..9_000, 0_i64..3), 0..5);
    (zone, begin, -2_i64..20, shifts, dates, covers).prop_map(|(zone, begin, later, shifts, dates, covers)| {
        let mut rota = rota(zone, "2026-01-01", shifts);
        rota.start = begin + TimeDelta::days(later.max(0));
        let from = rota.instant(begin, 0);
        let places = rota.shifts.len();
        let listed = dates.into_iter().map(|(day, place, count)| {
            let people = NAMES.iter().rev().take(count).map(|name| person(name)).collect();
            ((begin + TimeDelta::days(day.max(0)), place % places), people)
        });
        rota.dates = listed.collect();
        let minutes = |minutes: i64| Timestamp::from_ms(from.as_ms() + minutes * MINUTE_MS);
        let stands_in = covers.into_iter().map(|(place, name, after, lasts, said)| {
            let shift = format!("shift {}", place % places);
            cover(&shift, NAMES[name], minutes(after), minutes(after + lasts), said)
        });
        let covers = stands_in.collect();
        let to = minutes(45 * DAY);
        (rota, covers, from, to)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn any_rota_agrees_with_walking_it((rota, covers, from, to) in any_case()) {
        agrees(&rota, &covers, from, to)?;
    }
}

#[test]
fn turns_begin_where_the_documentation_says() {
    let rota = primary();
    for (when, expected) in [
        ("2026-11-01 22:00", "-"),
        ("2026-11-02 08:59", "-"),
        ("2026-11-02 09:00", "li"),
        ("2026-11-02 20:59", "li"),
        ("2026-11-02 21:00", "zhao"),
        ("2026-11-03 08:59", "zhao"),
        ("2026-11-03 09:00", "li"),
        ("2026-11-03 21:00", "qian"),
        ("2026-11-05 21:00", "zhao"),
        ("2026-11-08 20:59", "li"),
        ("2026-11-09 09:00", "wang"),
        ("2026-11-16 09:00", "li"),
    ] {
        assert_eq!(shown(&rota.on_duty(&[], at(Shanghai, when))), expected, "{when}");
    }
    let round_the_clock =
        |start: &str| super::tests::rota(Shanghai, start, vec![shift("all", "00:00-00:00", MON_9, &["li", "wang"])]);
    for (start, when, expected) in [
        ("2026-11-04", "2026-11-03 23:59", "-"),
        ("2026-11-04", "2026-11-04 00:00", "li"),
        ("2026-11-04", "2026-11-09 08:59", "li"),
        ("2026-11-04", "2026-11-09 09:00", "wang"),
        ("2026-11-02", "2026-11-02 08:00", "li"),
        ("2026-11-02", "2026-11-02 09:00", "li"),
        ("2026-11-02", "2026-11-09 09:00", "wang"),
    ] {
        assert_eq!(shown(&round_the_clock(start).on_duty(&[], at(Shanghai, when))), expected, "{start} {when}");
    }
}

#[test]
fn a_night_on_which_clocks_are_set_leaves_nobody_out_and_calls_nobody_twice() {
    let halves =
        vec![shift("one", "14:30-02:30", Turn::Daily, &["li"]), shift("two", "02:30-14:30", Turn::Daily, &["wang"])];
    let rota = rota(Berlin, "2026-01-01", halves);
    for (night, hours) in [("2027-03-27", 11 * 60 + 30), ("2027-10-30", 12 * 60), ("2027-11-30", 12 * 60)] {
        let begins = at(Berlin, &format!("{night} 14:30"));
        let on_call = rota.on_call(&[], begins);
        let [only] = on_call.as_slice() else { panic!("{on_call:?}") };
        assert_eq!(only.until.since(begins).as_secs() / 60, hours, "{night}");
        let next = rota.next_on_call(&[], only).unwrap();
        assert_eq!((next.person, next.from), (person("wang"), only.until), "{night}");
    }
}

#[test]
fn covers_win_over_dates_and_those_over_turns() {
    let mut rota = primary();
    rota.dates.insert((date("2026-11-03"), 0), vec![person("wu"), person("zhou")]);
    let noon = at(Shanghai, "2026-11-03 12:00");
    assert_eq!(shown(&rota.on_duty(&[], noon)), "wu+zhou");
    let covers = [
        cover("day", "sun", at(Shanghai, "2026-11-03 10:00"), at(Shanghai, "2026-11-03 23:00"), 2),
        cover("day", "qian", at(Shanghai, "2026-11-03 10:00"), at(Shanghai, "2026-11-03 23:00"), 1),
    ];
    let on_call = rota.on_call(&covers, noon);
    let [only] = on_call.as_slice() else { panic!("{on_call:?}") };
    assert_eq!((only.person.clone(), only.by), (person("sun"), Basis::Cover));
    assert_eq!((only.from, only.until), (at(Shanghai, "2026-11-03 10:00"), at(Shanghai, "2026-11-03 21:00")));
    assert_eq!(shown(&rota.on_duty(&covers, at(Shanghai, "2026-11-03 22:00"))), "qian");
}

#[test]
fn what_never_changes_never_changes_until_a_date_far_off_does() {
    let mut rota = rota(Shanghai, "2026-01-01", vec![shift("all", "00:00-00:00", MON_9, &["li"])]);
    let now = at(Shanghai, "2026-11-20 12:00");
    assert_eq!(rota.next_change(&[], now), Timestamp::NEVER);
    assert_eq!(rota.on_call(&[], now)[0].until, Timestamp::NEVER);
    rota.dates.insert((date("2031-05-01"), 0), vec![person("wang")]);
    rota.dates.insert((date("2026-11-25"), 0), vec![person("li")]);
    assert_eq!(rota.next_change(&[], now), at(Shanghai, "2031-05-01 00:00"));
    rota.start = date("2028-01-01");
    assert_eq!(shown(&rota.on_duty(&[], now)), "-");
    assert_eq!(rota.next_change(&[], now), at(Shanghai, "2026-11-25 00:00"));
    let later = at(Shanghai, "2026-11-26 00:00");
    assert_eq!(rota.next_change(&[], later), at(Shanghai, "2028-01-01 00:00"));
}

#[test]
fn the_backup_is_called_where_nobody_is_on_duty() {
    let rota = Rota { backup: Some("leads".into()), ..primary() };
    let named = |text: &str| rota.receiver(&[], at(Shanghai, text)).unwrap().to_string();
    assert_eq!(named("2026-11-02 08:00"), "leads");
    assert_eq!(named("2026-11-02 10:00"), "person:li@example.com");
    let people: BTreeSet<&PersonId> = rota.people().into_iter().collect();
    assert_eq!(people.len(), 5);
}
