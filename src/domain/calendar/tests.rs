//! Calendars against a counter of single minutes: over years, in zones that set their clocks in every way.

use chrono::{NaiveDateTime, Timelike};
use chrono_tz::{
    Africa::Casablanca,
    America::{New_York, Sao_Paulo},
    Asia::Shanghai,
    Australia::Lord_Howe,
    Europe::Berlin,
    Pacific::Chatham,
    Tz,
};

use super::*;

const MINUTE_MS: i64 = 60_000;

/// Minutes between two looks at a zone's offset: every zone sets its clocks on a quarter.
const QUARTER: i64 = 15;

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// `09:30-12:00` in minutes; an end that is not later than the beginning lies in the next day.
fn frames(text: &str) -> Vec<Frame> {
    let minute = |clock: &str| {
        let (hour, minute) = clock.split_once(':').unwrap();
        hour.parse::<u32>().unwrap() * 60 + minute.parse::<u32>().unwrap()
    };
    let frame = |text: &str| {
        let (from, to) = text.split_once('-').unwrap();
        let (from, to) = (minute(from), minute(to));
        Frame { from, to: if to <= from { to + 1_440 } else { to } }
    };
    text.split_whitespace().map(frame).collect()
}

fn plan(zone: Tz, week: [&str; 7], dates: &[(&str, &str)]) -> Plan {
    Plan {
        name: CalendarName::from("office"),
        zone: Zone(zone),
        week: week.map(frames),
        dates: dates.iter().map(|(day, text)| (date(day), frames(text))).collect(),
        known_through: None,
    }
}

fn daily(zone: Tz, text: &str) -> Calendar {
    Calendar::new(plan(zone, [text; 7], &[]))
}

/// Mainland office hours with days off, working weekends and half days of 2026.
fn office() -> Plan {
    let day = "09:30-12:00 13:30-18:30";
    let dates = [
        ("2026-01-01", ""),
        ("2026-01-02", ""),
        ("2026-01-04", day),
        ("2026-02-13", "09:30-12:00"),
        ("2026-02-14", day),
        ("2026-02-16", ""),
        ("2026-02-17", ""),
        ("2026-02-28", day),
        ("2026-09-20", day),
        ("2026-09-25", ""),
        ("2026-10-01", ""),
        ("2026-10-02", ""),
        ("2026-10-05", ""),
        ("2026-10-10", day),
    ];
    plan(Shanghai, [day, day, day, day, day, "", ""], &dates)
}

/// An instant of local time; the first of two.
fn at(zone: Tz, text: &str) -> Timestamp {
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap();
    Timestamp::from_ms(zone.from_local_datetime(&local).earliest().unwrap().timestamp_millis())
}

/// splitmix64
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        i64::try_from((z ^ (z >> 31)) % u64::try_from(bound).unwrap()).unwrap()
    }
}

/// Every minute of some years, counted one by one.
struct Counted {
    start: Timestamp,
    /// Minutes that count before each minute.
    before: Vec<i64>,
}

impl Counted {
    fn new(plan: &Plan, years: std::ops::Range<i32>) -> Self {
        let utc_year = |year: i32| day(year).and_time(NaiveTime::MIN).and_utc().timestamp() / 60;
        let (from, to) = (utc_year(years.start), utc_year(years.end));
        let mut before = vec![0];
        for quarter in (from..to).step_by(usize::try_from(QUARTER).unwrap()) {
            let local = plan.zone.local(Timestamp::from_ms(quarter * MINUTE_MS)).naive_local();
            let (date, minute) = (local.date(), local.hour() * 60 + local.minute());
            let of = |date: NaiveDate| {
                let weekday = usize::try_from(date.weekday().num_days_from_monday()).unwrap();
                plan.dates.get(&date).unwrap_or_else(|| &plan.week[weekday])
            };
            let (today, yesterday) = (of(date), of(date.pred_opt().unwrap()));
            for minute in minute..minute + u32::try_from(QUARTER).unwrap() {
                let lies_in = |frames: &[Frame], minute: u32| {
                    frames.iter().any(|frame| frame.from <= minute && minute < frame.to)
                };
                let counts = lies_in(today, minute) || lies_in(yesterday, minute + 1_440);
                before.push(before.last().unwrap() + i64::from(counts));
            }
        }
        Self { start: Timestamp::from_ms(from * MINUTE_MS), before }
    }

    fn minutes(&self) -> i64 {
        i64::try_from(self.before.len()).unwrap() - 1
    }

    fn minute(&self, minute: i64) -> Timestamp {
        Timestamp::from_ms(self.start.as_ms() + minute * MINUTE_MS)
    }

    fn is_open(&self, minute: i64) -> bool {
        self.done(minute + 1) > self.done(minute)
    }

    fn done(&self, minute: i64) -> i64 {
        self.before[usize::try_from(minute).unwrap()]
    }

    /// In milliseconds since the start.
    fn done_ms(&self, at: Timestamp) -> i64 {
        let (minute, rest) = ((at.as_ms() - self.start.as_ms()) / MINUTE_MS, at.as_ms().rem_euclid(MINUTE_MS));
        self.done(minute) * MINUTE_MS + if rest > 0 && self.is_open(minute) { rest } else { 0 }
    }

    /// The first instant by which so much is done; nothing beyond the years counted.
    fn reaches(&self, goal_ms: i64) -> Option<Timestamp> {
        let minute = self.before.partition_point(|before| before * MINUTE_MS < goal_ms);
        let full = self.before.get(minute)?;
        let back = full * MINUTE_MS - goal_ms; // within the minute before, which counts
        Some(Timestamp::from_ms(self.minute(i64::try_from(minute).unwrap()).as_ms() - back))
    }
}

fn agree(plan: Plan, years: std::ops::Range<i32>) {
    let name = format!("{} {:?}", plan.zone.0.name(), plan.week);
    let counted = Counted::new(&plan, years);
    let calendar = Calendar::new(plan);
    let last = counted.minutes() - 1;
    let mut turned = counted.start;
    for minute in 1..last {
        let now = counted.minute(minute);
        if counted.is_open(minute) != counted.is_open(minute - 1) {
            let just_before = Timestamp::from_ms(now.as_ms() - 1);
            assert_eq!(calendar.turns_after(turned), now, "{name}: the turn after {turned:?}");
            assert_eq!(calendar.turns_after(just_before), now, "{name}: the turn after {just_before:?}");
            assert_eq!(calendar.is_open(now), counted.is_open(minute), "{name}: {now:?}");
            assert_eq!(calendar.is_open(just_before), !counted.is_open(minute), "{name}: {just_before:?}");
            turned = now;
        }
        if minute % 97 == 0 || turned == now {
            let worked = calendar.worked(counted.start, now);
            assert_eq!(worked, Span::from_mins(counted.done(minute)), "{name}: by {now:?}");
            assert_eq!(calendar.is_open(now), counted.is_open(minute), "{name}: {now:?}");
        }
    }
    let mut dice = Dice(7);
    for _ in 0..3_000 {
        let instant = |dice: &mut Dice| Timestamp::from_ms(counted.start.as_ms() + dice.below(last * MINUTE_MS));
        let (one, other) = (instant(&mut dice), instant(&mut dice));
        let (from, to) = (one.min(other), one.max(other));
        let expected = counted.done_ms(to) - counted.done_ms(from);
        assert_eq!(calendar.worked(from, to).as_ms(), expected, "{name}: {from:?} to {to:?}");
        let reach = [0, 1, 59_999, MINUTE_MS, calendar.full_day().as_ms(), dice.below(40 * 86_400_000)];
        for span in reach.map(Span::from_ms) {
            let Some(expected) = counted.reaches(counted.done_ms(from) + span.as_ms()) else { continue };
            let expected = if span == Span::ZERO { from } else { expected };
            assert_eq!(calendar.after(from, span), expected, "{name}: {span:?} after {from:?}");
        }
    }
}

#[test]
fn every_minute_of_office_hours_is_counted() {
    agree(office(), 2024..2030);
}

#[test]
fn every_minute_is_counted_where_clocks_are_set() {
    let night = "21:00-09:00";
    agree(plan(New_York, [night; 7], &[("2026-07-04", ""), ("2026-11-01", "00:30-01:30 23:00-03:00")]), 2020..2030);
    let shift = "00:15-01:45 02:10-02:50 22:00-06:00";
    agree(plan(Berlin, [shift, "", "09:00-17:00", shift, shift, "00:00-24:00", shift], &[]), 2022..2028);
    let early = "01:00-02:15 09:00-17:00 23:30-24:00";
    agree(plan(Lord_Howe, [early, early, "13:00-13:00", early, "", early, "01:40-01:50"], &[]), 2020..2030);
}

#[test]
fn every_minute_of_any_hours_is_counted() {
    // Midnight skipped and lived twice; a winter time in the middle of the year; three quarters of an hour.
    for (zone, year) in [(Sao_Paulo, 2018), (Casablanca, 2026), (Chatham, 2026)] {
        let mut dice = Dice(u64::try_from(year).unwrap() ^ zone.name().len() as u64);
        let mut frames_of = |count: i64| -> Vec<Frame> {
            let frame = |dice: &mut Dice| {
                let from = u32::try_from(dice.below(1_440)).unwrap();
                Frame { from, to: from + 1 + u32::try_from(dice.below(1_440)).unwrap() }
            };
            (0..count).map(|_| frame(&mut dice)).collect()
        };
        let mut plan = plan(zone, [""; 7], &[]);
        plan.week = [0, 1, 2, 1, 3, 0, 1].map(&mut frames_of);
        plan.dates = day(year).iter_days().step_by(11).take(30).map(|date| (date, frames_of(1))).collect();
        agree(plan, year..year + 1);
    }
}

#[test]
fn a_day_is_as_long_as_its_clocks_make_it() {
    for (zone, frame, day, minutes) in [
        (New_York, "01:00-04:00", "2026-03-08", 120), // from 2:00 to 3:00 at once
        (New_York, "02:10-02:50", "2026-03-08", 0),
        (New_York, "02:30-03:30", "2026-03-08", 30),
        (New_York, "22:00-06:00", "2026-03-08", 480),
        (New_York, "00:00-03:00", "2026-11-01", 240), // from 2:00 back to 1:00
        (New_York, "01:15-01:45", "2026-11-01", 60),
        (Lord_Howe, "01:00-03:00", "2026-04-05", 150), // from 2:00 back to 1:30
        (Lord_Howe, "01:00-03:00", "2026-10-04", 90),  // from 2:00 to 2:30 at once
        (Berlin, "00:00-24:00", "2026-03-29", 23 * 60),
        (Berlin, "00:00-24:00", "2026-10-25", 25 * 60),
        (Shanghai, "00:00-24:00", "2026-10-25", 24 * 60),
        (Sao_Paulo, "00:00-02:00", "2018-11-04", 60), // from midnight to 1:00 at once
    ] {
        let calendar =
            Calendar::new(Plan { dates: BTreeMap::from([(date(day), frames(frame))]), ..plan(zone, [""; 7], &[]) });
        let noon = at(zone, &format!("{day} 12:00"));
        let worked = calendar.worked(noon.minus(Span::from_days(2)), noon.plus(Span::from_days(2)));
        assert_eq!(worked, Span::from_mins(minutes), "{frame} on {day} in {zone}");
    }
    let night = daily(New_York, "22:00-06:00");
    let worked = |from, to| night.worked(at(New_York, from), at(New_York, to));
    assert_eq!(worked("2026-03-07 12:00", "2026-03-08 12:00"), Span::from_hours(7));
    assert_eq!(worked("2026-10-31 12:00", "2026-11-01 12:00"), Span::from_hours(9));
    assert_eq!(night.full_day(), Span::from_hours(8));
}

#[test]
fn an_office_day_ends_a_working_day_later() {
    let calendar = Calendar::new(office());
    assert_eq!(calendar.full_day(), Span::from_mins(450));
    for (from, days, expected) in [
        ("2026-11-18 10:00", 1, "2026-11-19 10:00"),
        ("2026-11-20 16:00", 1, "2026-11-23 16:00"), // over the weekend
        ("2026-11-20 19:00", 1, "2026-11-23 18:30"), // asked after hours: all of Monday
        ("2026-11-20 12:30", 1, "2026-11-23 12:00"), // asked at lunch
        ("2026-09-18 18:30", 1, "2026-09-20 18:30"), // Sunday is a working day
        ("2026-09-30 17:30", 1, "2026-10-06 17:30"), // over days off
        ("2026-02-12 18:30", 1, "2026-02-14 16:00"), // a half day and half of a working Saturday
    ] {
        let until = calendar.after(at(Shanghai, from), calendar.full_day().times(days));
        assert_eq!(until, at(Shanghai, expected), "{days} office days after {from}");
    }
}

#[test]
fn outside_the_years_it_knows_there_is_no_work() {
    let calendar = daily(Shanghai, "09:00-10:00");
    let first = at(Shanghai, &format!("{FIRST_YEAR}-01-01 09:00"));
    let end = at(Shanghai, &format!("{}-12-31 10:00", END_YEAR - 1));
    let hour = Span::from_hours(1);
    for early in [Timestamp::MIN, Timestamp::from_ms(0), first.minus(hour)] {
        assert!(!calendar.is_open(early), "{early:?}");
        assert_eq!(calendar.worked(early, first), Span::ZERO, "{early:?}");
        assert_eq!(calendar.after(early, hour), first.plus(hour), "{early:?}");
        assert_eq!(calendar.turns_after(early), first, "{early:?}");
    }
    for late in [end, end.plus(Span::from_days(1)), Timestamp::NEVER] {
        assert!(!calendar.is_open(late), "{late:?}");
        assert_eq!(calendar.worked(end, late), Span::ZERO, "{late:?}");
        assert_eq!(calendar.after(late, Span::from_ms(1)), Timestamp::NEVER, "{late:?}");
        assert_eq!(calendar.turns_after(late), Timestamp::NEVER, "{late:?}");
    }
    assert_eq!(calendar.after(end.minus(hour), hour), end);
    assert_eq!(calendar.after(end.minus(hour), hour.times(2)), Timestamp::NEVER);
    let days = day(END_YEAR).signed_duration_since(day(FIRST_YEAR)).num_days();
    assert_eq!(calendar.worked(Timestamp::MIN, Timestamp::NEVER), hour.times(days));
    let never = Calendar::new(plan(Shanghai, [""; 7], &[]));
    assert_eq!(never.after(end, Span::from_ms(1)), Timestamp::NEVER);
    assert_eq!(never.worked(Timestamp::MIN, Timestamp::NEVER), Span::ZERO);
    assert_eq!(never.full_day(), Span::ZERO);
}

#[test]
fn frames_that_touch_or_overlap_are_one() {
    let calendar = daily(Shanghai, "09:00-12:00 11:00-13:00 13:00-14:00");
    assert_eq!(calendar.full_day(), Span::from_hours(5));
    assert_eq!(calendar.turns_after(at(Shanghai, "2026-11-20 09:00")), at(Shanghai, "2026-11-20 14:00"));
    let always = daily(Shanghai, "00:00-24:00");
    assert_eq!(always.turns_after(at(Shanghai, "2026-11-20 09:00")), at(Shanghai, &format!("{END_YEAR}-01-01 00:00")));
}

#[test]
fn holidays_run_out_sixty_days_ahead() {
    let of = |known_through: Option<&str>| {
        Calendar::new(Plan { known_through: known_through.map(date), ..plan(Shanghai, ["09:00-10:00"; 7], &[]) })
    };
    let calendar = of(Some("2026-12-31"));
    for (now, missing) in [
        ("2026-06-01 00:00", None),
        ("2026-11-01 23:59", None),
        ("2026-11-02 00:00", Some(2027)),
        ("2026-12-31 23:59", Some(2027)),
        ("2027-01-01 00:00", Some(2027)),
        ("2029-05-01 00:00", Some(2029)),
    ] {
        assert_eq!(calendar.runs_out(at(Shanghai, now)), missing, "{now}");
    }
    assert_eq!(of(None).runs_out(at(Shanghai, "2029-05-01 00:00")), None);
}

#[test]
fn tomorrow_is_a_day_of_the_calendar_s_zone() {
    let calendar = daily(New_York, "14:00-18:00");
    let now = Timestamp::from_ms(1_793_534_400_000); // 2026-11-01T12:00:00Z, 07:00 in New York
    let begins = Timestamp::from_ms(1_793_646_000_000); // 14:00 on the next day there
    for zone in [New_York, Shanghai, Chatham] {
        let ends = crate::domain::deed::Rest::Tomorrow.ends(now, Some(&calendar), Zone(zone));
        assert_eq!(ends, begins, "{zone}");
    }
}
