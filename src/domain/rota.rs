//! A rota: who is on call when.
//!
//! **Instants.** A wall time of a date means the first instant at which the zone's clocks show it or a later one: a time
//! that is skipped is where they jump, of one that comes twice it is the first. So shifts that follow each other on the
//! wall follow each other in time, on every night of the year, without a gap and without two on duty.
//!
//! **Turns.** A shift begins once a day, from `start` on, and is its date's although it runs over midnight. The first
//! member has the first turn, which begins with the `start` day. With a daily change every date is the next member's turn.
//! With a weekly one the next turn begins at each such weekday and minute on a date after `start`: one on the `start` day
//! itself begins the first turn, and a first turn is shorter where `start` is another weekday. A change in the middle of
//! a shift hands over in the middle of it.
//!
//! **Who wins.** A cover over a date of the list, that over turns. A date holds for the whole shift that begins on it,
//! also before `start`. A cover holds while its shift is on duty; of several the one said last.

use std::{cell::LazyCell, collections::BTreeMap, sync::Arc};

use chrono::{Datelike, NaiveDate, NaiveTime, TimeDelta, TimeZone};

use crate::domain::{
    actor::Actor,
    calendar::{Calendar, Frame},
    id::{ReceiverName, RotaName},
    receiver::{PersonId, Receiver},
    time::{Timestamp, Zone},
};

pub mod words;
#[cfg(test)]
mod tests;

/// A rota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rota {
    /// Its name in the configuration.
    pub name: RotaName,
    /// The zone its hours are read in.
    pub zone: Zone,
    /// The first day; members change from there on.
    pub start: NaiveDate,
    /// Its shifts, in the order of the configuration.
    pub shifts: Vec<Shift>,
    /// Dates on which someone else is on call: by date and the shift's place. They win over the shifts.
    pub dates: BTreeMap<(NaiveDate, usize), Vec<PersonId>>,
    /// Who is called where nobody is on call.
    pub backup: Option<ReceiverName>,
    /// The calendar before whose long holidays the roster is to be confirmed.
    pub calendar: Option<Arc<Calendar>>,
}

/// A shift: the same hours every day, its members taking turns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Its name.
    pub name: Arc<str>,
    /// Its hours, in minutes from the midnight of the day it begins on.
    pub hours: Frame,
    /// When the next member's turn begins.
    pub change: Turn,
    /// Who takes turns, in order.
    pub members: Vec<PersonId>,
}

/// When the next member's turn begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// With every shift.
    Daily,
    /// Once a week: on this day (0 is Monday) at this minute of it.
    Weekly {
        /// The day, from Monday.
        weekday: u32,
        /// The minute of the day.
        minute: u32,
    },
}

/// Someone stands in: from the chat or the command line, over shifts and dates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover {
    /// Which rota.
    pub rota: RotaName,
    /// Which shift.
    pub shift: Arc<str>,
    /// Who stands in.
    pub person: PersonId,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Who said so.
    pub by: Actor,
    /// When they did.
    pub at: Timestamp,
}

/// Why someone is on call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// It is their turn.
    Turn,
    /// The list of dates says so.
    Date,
    /// They stand in.
    Cover,
}

/// Someone on duty on a shift.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duty {
    /// The shift's place among the rota's.
    pub shift: usize,
    /// Who.
    pub person: PersonId,
    /// Why.
    pub by: Basis,
}

/// Someone on call, and for how long they have been and will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnCall {
    /// The shift's place among the rota's.
    pub place: usize,
    /// The shift's name.
    pub shift: Arc<str>,
    /// Who.
    pub person: PersonId,
    /// Since when, without a break; [`Timestamp::MIN`] where that goes back further than two months.
    pub from: Timestamp,
    /// Until when, without a break; never where nothing that is known ends it.
    pub until: Timestamp,
    /// Why.
    pub by: Basis,
}

/// Dates around an instant's own on which a shift may have begun that is on duty then: a shift runs over one midnight,
/// and clocks that are set may show a date early or late.
const DAYS_BEFORE: i64 = 2;
const DAYS_AFTER: i64 = 1;

/// Days on which nothing changes, nor why, after which turns alone change nothing any more: the longest turn is a week.
const QUIET_DAYS: usize = 10;

/// Days that are looked through at most for a change, ahead and back.
const LOOK_DAYS_MAX: usize = 800;
const BACK_DAYS_MAX: usize = 62;

/// Minutes that clocks jump over at most: a zone may skip a day.
const JUMP_MINUTES_MAX: i64 = 1_500;

impl Rota {
    /// Who is on call at `at`: for every shift on duty, in the order of the shifts. Nobody is where none is on duty.
    pub fn on_call(&self, covers: &[Cover], at: Timestamp) -> Vec<OnCall> {
        let on_duty = self.on_duty(covers, at);
        let entry = |duty: Duty| {
            let gone = |now: &[Duty]| !now.iter().any(|other| other.is_same(&duty));
            OnCall {
                place: duty.shift,
                shift: self.shifts.get(duty.shift).map(|shift| Arc::clone(&shift.name)).unwrap_or_default(),
                from: self.last_before(covers, at, gone),
                until: self.first_after(covers, at, gone),
                person: duty.person,
                by: duty.by,
            }
        };
        on_duty.into_iter().map(entry).collect()
    }

    /// Who is on duty at `at`, without how long.
    pub fn on_duty(&self, covers: &[Cover], at: Timestamp) -> Vec<Duty> {
        let today = self.zone.local(at).date_naive();
        let mut found = Vec::new();
        for (place, shift) in self.shifts.iter().enumerate() {
            let begun = around(today).find(|date| {
                self.has(place, *date) && {
                    let (from, until) = self.hours(shift, *date);
                    from <= at && at < until
                }
            });
            let Some(date) = begun else { continue };
            let stands_in = covers.iter().filter(|cover| {
                cover.rota == self.name && cover.shift == shift.name && cover.from <= at && at < cover.until
            });
            let duty = |person: &PersonId, by| Duty { shift: place, person: person.clone(), by };
            if let Some(cover) = stands_in.max_by_key(|cover| cover.at) {
                found.push(duty(&cover.person, Basis::Cover));
            } else if let Some(people) = self.dates.get(&(date, place)) {
                found.extend(people.iter().map(|person| duty(person, Basis::Date)));
            } else {
                found.extend(self.member(shift, date, at).map(|person| duty(person, Basis::Turn)));
            }
        }
        found
    }

    /// The receiver that on-call means at `at`: the first person on duty, else the backup.
    pub fn receiver(&self, covers: &[Cover], at: Timestamp) -> Option<ReceiverName> {
        let first = self.on_duty(covers, at).into_iter().next();
        first.map(|duty| Receiver::name_of_person(&duty.person)).or_else(|| self.backup.clone())
    }

    /// The first instant after `after` at which someone else is on call; never where nothing that is known changes it.
    pub fn next_change(&self, covers: &[Cover], after: Timestamp) -> Timestamp {
        let before = self.on_duty(covers, after);
        self.first_after(covers, after, |now| !is_same(&before, now))
    }

    /// Whoever takes over where someone's time ends: the first who is on the same shift then, else on any.
    pub fn next_on_call(&self, covers: &[Cover], now: &OnCall) -> Option<OnCall> {
        if now.until.is_never() {
            return None;
        }
        let mut then = self.on_call(covers, now.until);
        then.sort_by_key(|next| (next.place != now.place, next.place));
        then.into_iter().find(|next| next.from == now.until)
    }

    /// The stretch in which the shift that begins on a date is on duty; empty where the clocks jump over all of it.
    pub fn hours(&self, shift: &Shift, date: NaiveDate) -> (Timestamp, Timestamp) {
        (self.instant(date, shift.hours.from), self.instant(date, shift.hours.to))
    }

    /// The first instant at which the clocks show this minute of a date, or a later one.
    pub fn instant(&self, date: NaiveDate, minute: u32) -> Timestamp {
        let midnight = date.and_time(NaiveTime::MIN);
        let shown = |minutes: i64| {
            let wall = midnight.checked_add_signed(TimeDelta::minutes(minutes))?;
            self.zone.0.from_local_datetime(&wall).earliest()
        };
        let minute = i64::from(minute);
        let first = (minute..=minute + JUMP_MINUTES_MAX).find_map(shown);
        first.map_or(Timestamp::NEVER, |at| Timestamp::from_ms(at.timestamp_millis()))
    }

    /// Everyone who can be on call by turn or by date, each once.
    pub fn people(&self) -> Vec<&PersonId> {
        let members = self.shifts.iter().flat_map(|shift| &shift.members);
        let mut people: Vec<&PersonId> = members.chain(self.dates.values().flatten()).collect();
        people.sort();
        people.dedup();
        people
    }

    /// The shifts on which a person will be on call by turn, or by a date from `today` on.
    pub fn shifts_of<'a>(&'a self, person: &'a PersonId, today: NaiveDate) -> impl Iterator<Item = &'a str> {
        let listed = move |place: usize| {
            let later = self.dates.iter().filter(move |((date, at), _)| *at == place && *date >= today);
            later.into_iter().any(|(_, people)| people.contains(person))
        };
        let all = self.shifts.iter().enumerate();
        all.filter(move |(place, shift)| shift.members.contains(person) || listed(*place)).map(|(_, it)| &*it.name)
    }

    /// Whether a shift begins on a date.
    fn has(&self, place: usize, date: NaiveDate) -> bool {
        date >= self.start || self.dates.contains_key(&(date, place))
    }

    /// Whose turn a shift is that began on `date`, at `at`.
    fn member<'a>(&self, shift: &'a Shift, date: NaiveDate, at: Timestamp) -> Option<&'a PersonId> {
        let turn = match shift.change {
            Turn::Daily => date.signed_duration_since(self.start).num_days(),
            Turn::Weekly { weekday, minute } => self.weeks(weekday, minute, at),
        };
        let count = i64::try_from(shift.members.len()).ok().filter(|count| *count > 0)?;
        shift.members.get(usize::try_from(turn.rem_euclid(count)).ok()?)
    }

    /// How many weekly changes lie between the start day and `at`.
    fn weeks(&self, weekday: u32, minute: u32, at: Timestamp) -> i64 {
        let ahead = match (weekday + 7 - self.start.weekday().num_days_from_monday()) % 7 {
            0 => 7,
            ahead => ahead,
        };
        let first = later(self.start, i64::from(ahead));
        let latest = later(self.zone.local(at).date_naive(), DAYS_AFTER);
        let mut weeks = latest.signed_duration_since(first).num_days().div_euclid(7) + 1;
        while weeks > 0 && self.instant(later(first, (weeks - 1) * 7), minute) > at {
            weeks -= 1;
        }
        weeks.max(0)
    }

    /// The first instant after `after` at which `is_so` of who is on duty; never where there is none.
    fn first_after(&self, covers: &[Cover], after: Timestamp, is_so: impl Fn(&[Duty]) -> bool) -> Timestamp {
        let special = LazyCell::new(|| self.special_dates(covers));
        let mut before = self.on_duty(covers, after);
        let mut date = later(self.zone.local(after).date_naive(), -1);
        let mut quiet = 0;
        for _ in 0..LOOK_DAYS_MAX {
            for at in self.turning_points(covers, date).into_iter().filter(|at| *at > after) {
                let now = self.on_duty(covers, at);
                if is_so(&now) {
                    return at;
                }
                quiet = if before == now { quiet } else { 0 };
                before = now;
            }
            quiet += 1;
            date = later(date, 1);
            if quiet > QUIET_DAYS {
                // Turns repeat what they did; only a date that is listed, a cover or the start can do otherwise.
                let near = special.iter().map(|special| later(*special, -DAYS_BEFORE));
                let Some(next) = near.into_iter().find(|near| later(*near, 2 * DAYS_BEFORE) >= date) else {
                    return Timestamp::NEVER;
                };
                quiet = if next > date { 0 } else { quiet };
                date = date.max(next);
            }
        }
        Timestamp::NEVER
    }

    /// The end of the last stretch up to `at` in which `is_so` of who is on duty.
    fn last_before(&self, covers: &[Cover], at: Timestamp, is_so: impl Fn(&[Duty]) -> bool) -> Timestamp {
        let mut begins = Timestamp::MIN;
        let mut date = later(self.zone.local(at).date_naive(), DAYS_AFTER);
        for _ in 0..BACK_DAYS_MAX {
            for point in self.turning_points(covers, date).into_iter().rev().filter(|point| *point <= at) {
                if is_so(&self.on_duty(covers, point)) {
                    return begins;
                }
                begins = point;
            }
            date = later(date, -1);
        }
        Timestamp::MIN
    }

    /// The instants of a date at which someone else may be on duty, in order.
    fn turning_points(&self, covers: &[Cover], date: NaiveDate) -> Vec<Timestamp> {
        let (from, until) = (self.instant(date, 0), self.instant(later(date, 1), 0));
        let mut points: Vec<Timestamp> = vec![from];
        for shift in &self.shifts {
            for date in around(date) {
                let hours = self.hours(shift, date);
                points.extend([hours.0, hours.1]);
            }
            if let Turn::Weekly { minute, .. } = shift.change {
                points.push(self.instant(date, minute));
            }
        }
        points.extend(covers.iter().filter(|cover| cover.rota == self.name).flat_map(|it| [it.from, it.until]));
        points.retain(|at| from <= *at && *at < until);
        points.sort_unstable();
        points.dedup();
        points
    }

    /// Dates around which something other than turns decides, in order.
    fn special_dates(&self, covers: &[Cover]) -> Vec<NaiveDate> {
        let covers = covers.iter().filter(|cover| cover.rota == self.name);
        let edges = covers.flat_map(|cover| [cover.from, cover.until]).filter(|at| !at.is_never());
        let mut dates: Vec<NaiveDate> = edges.map(|at| self.zone.local(at).date_naive()).collect();
        dates.extend(self.dates.keys().map(|(date, _)| *date));
        dates.push(self.start);
        dates.sort_unstable();
        dates.dedup();
        dates
    }
}

impl Duty {
    /// Whether the same person is on the same shift, for whatever reason.
    pub fn is_same(&self, other: &Self) -> bool {
        self.shift == other.shift && self.person == other.person
    }
}

fn is_same(one: &[Duty], other: &[Duty]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.is_same(other))
}

/// Dates on which a shift may have begun that is on duty on this one.
fn around(date: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    (-DAYS_BEFORE..=DAYS_AFTER).map(move |days| later(date, days))
}

/// So many days later, or earlier; at the end of all dates the date itself.
fn later(date: NaiveDate, days: i64) -> NaiveDate {
    date.checked_add_signed(TimeDelta::days(days)).unwrap_or(date)
}
