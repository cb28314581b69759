//! Where cases happen: days around which clocks are set or holidays fall, random office hours, and a list that says of
//! every single minute whether it is worked.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};
use chrono_tz::{
    Africa::Casablanca,
    America::{New_York, Sao_Paulo},
    Asia::{Kolkata, Shanghai},
    Australia::Lord_Howe,
    Europe::Berlin,
    Pacific::Chatham,
    Tz, UTC,
};

use crate::domain::{
    calendar::{Calendar, Frame, Pace, Plan},
    id::CalendarName,
    time::{Timestamp, Zone},
};

/// What is counted: five days.
pub(super) const WINDOW_MINS: i64 = 5 * 24 * 60;

/// Zones, and days on which something happens to their clocks or their weeks.
const PLACES: &[(Tz, &[&str])] = &[
    (Shanghai, &["2026-02-13", "2026-09-19", "2026-09-30", "2026-10-09", "2026-12-31"]),
    (New_York, &["2026-03-07", "2026-10-31", "2027-07-03"]),
    (Berlin, &["2026-03-28", "2026-10-24", "2026-12-23"]),
    (Lord_Howe, &["2026-04-04", "2026-10-03"]),
    (Sao_Paulo, &["2018-11-03", "2019-02-16"]),
    (Casablanca, &["2026-02-14", "2026-03-21"]),
    (Chatham, &["2026-04-04", "2026-09-26"]),
    (Kolkata, &["2026-08-14"]),
    (UTC, &["2028-02-28"]),
];

/// splitmix64
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x6465_736b)
    }

    /// A number from 0 to `bound`, which is excluded.
    pub(super) fn below(&mut self, bound: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        i64::try_from((z ^ (z >> 31)) % u64::try_from(bound).unwrap()).unwrap()
    }

    /// True in one of `times` throws.
    pub(super) fn once_in(&mut self, times: i64) -> bool {
        self.below(times) == 0
    }

    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[usize::try_from(self.below(i64::try_from(from.len()).unwrap())).unwrap()]
    }
}

/// One calendar of a world, as it is under test and minute by minute.
struct Office {
    calendar: Arc<Calendar>,
    open: Vec<bool>,
}

/// A stretch of time with its calendars. Cases count seconds and milliseconds from its start.
pub(super) struct World {
    start_secs: i64,
    offices: Vec<Office>,
}

/// How a case counts: on the wall, or by a calendar of its world.
pub(super) type Counted = Option<usize>;

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let (zone, days) = dice.pick(PLACES);
        let day: NaiveDate = dice.pick(days).parse().unwrap();
        let midnight = day.and_time(NaiveTime::MIN).and_utc().timestamp();
        let start_secs = midnight - 86_400 * dice.below(3) + 60 * dice.below(1_440);
        let mut office = |zone: Tz| {
            let plan = random_plan(zone, day, &mut dice);
            let open = open_minutes(&plan, start_secs);
            Office { calendar: Arc::new(Calendar::new(plan)), open }
        };
        let first = office(*zone);
        let second = office(PLACES[usize::try_from(seed % 9).unwrap()].0);
        Self { start_secs, offices: vec![first, second] }
    }

    /// A calendar, or the wall.
    pub(super) fn any_pace(&self, dice: &mut Dice) -> Counted {
        usize::try_from(dice.below(3)).unwrap().checked_sub(1)
    }

    pub(super) fn pace(&self, counted: Counted) -> Pace {
        counted.map_or(Pace::Wall, |at| Pace::Office(Arc::clone(&self.offices[at].calendar)))
    }

    /// Whether a minute counts.
    pub(super) fn is_open(&self, counted: Counted, minute: i64) -> bool {
        counted.is_none_or(|at| self.offices[at].open[usize::try_from(minute).unwrap()])
    }

    pub(super) fn at_secs(&self, secs: i64) -> Timestamp {
        self.at_ms(secs * 1_000)
    }

    pub(super) fn at_ms(&self, ms: i64) -> Timestamp {
        Timestamp::from_ms(self.start_secs * 1_000 + ms)
    }

    pub(super) fn ms_of(&self, at: Timestamp) -> i64 {
        at.as_ms() - self.start_secs * 1_000
    }
}

fn random_plan(zone: Tz, around: NaiveDate, dice: &mut Dice) -> Plan {
    let mut week: [Vec<Frame>; 7] = Default::default();
    let usual = random_day(dice);
    for (at, day) in week.iter_mut().enumerate() {
        *day = match dice.below(6) {
            0 => random_day(dice),
            _ if at >= 5 && !dice.once_in(3) => Vec::new(),
            _ => usual.clone(),
        };
    }
    let mut dates = BTreeMap::new();
    for date in around.iter_days().take(5).chain(around.pred_opt()) {
        match dice.below(8) {
            0 => dates.insert(date, Vec::new()),
            1 => dates.insert(date, usual.clone()),
            2 => dates.insert(date, random_day(dice)),
            _ => None,
        };
    }
    Plan { name: CalendarName::from("office"), zone: Zone(zone), week, dates, known_through: None }
}

fn random_day(dice: &mut Dice) -> Vec<Frame> {
    let frame = |from: u32, to: u32| Frame { from, to };
    match dice.below(8) {
        0 | 1 => vec![frame(570, 720), frame(810, 1_110)],
        2 => vec![frame(540, 1_080)],
        3 => vec![frame(1_260, 1_260 + 720)], // 21:00-09:00
        4 => vec![frame(0, 1_440)],
        5 => Vec::new(),
        _ => {
            let random = |dice: &mut Dice| {
                let from = u32::try_from(dice.below(1_440)).unwrap();
                frame(from, from + 1 + u32::try_from(dice.below(700)).unwrap())
            };
            (0..=dice.below(3)).map(|_| random(dice)).collect()
        }
    }
}

/// A minute counts if its local wall time lies in a frame of its date, or of the day before for frames over midnight.
fn open_minutes(plan: &Plan, start_secs: i64) -> Vec<bool> {
    let mut open = Vec::new();
    let frames_of = |date: NaiveDate| {
        let weekday = usize::try_from(date.weekday().num_days_from_monday()).unwrap();
        plan.dates.get(&date).unwrap_or(&plan.week[weekday])
    };
    for minute in 0..WINDOW_MINS {
        let local = plan.zone.local(Timestamp::from_ms((start_secs + minute * 60) * 1_000)).naive_local();
        let minute = local.hour() * 60 + local.minute();
        let within = |date: NaiveDate, minute: u32| {
            frames_of(date).iter().any(|frame| frame.from <= minute && minute < frame.to)
        };
        open.push(within(local.date(), minute) || within(local.date().pred_opt().unwrap(), minute + 1_440));
    }
    open
}
