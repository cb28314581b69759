//! Office hours: frames per weekday, days off, working weekends and half days, as a table of worked intervals.
//!
//! Everything here is exact: `worked` and `after` agree with counting the minutes one by one, over changes of the
//! clocks too.

use std::{collections::BTreeMap, fmt, sync::Arc};

use chrono::{Datelike, Days, NaiveDate, NaiveTime, TimeZone};

use crate::domain::{
    id::CalendarName,
    time::{Span, Timestamp, Zone},
};

/// The first year a calendar knows.
pub const FIRST_YEAR: i32 = 2010;
/// The year after the last one a calendar knows.
pub const END_YEAR: i32 = 2060;

/// A stretch of work, in minutes from the local midnight it belongs to; `to` may lie in the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Frame {
    /// Included.
    pub from: u32,
    /// Excluded; later than `from`, at most 24 hours after it.
    pub to: u32,
}

/// What a calendar is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its name in the configuration.
    pub name: CalendarName,
    /// The zone its frames are read in.
    pub zone: Zone,
    /// Frames of Monday to Sunday.
    pub week: [Vec<Frame>; 7],
    /// Dates that differ from their weekday: none is a day off. The configuration's order of precedence is resolved.
    pub dates: BTreeMap<NaiveDate, Vec<Frame>>,
    /// The last date for which its public holidays are known; absent where it names none.
    pub known_through: Option<NaiveDate>,
}

/// One interval of work and how much work lies before it.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    from: Timestamp,
    to: Timestamp,
    before: Span,
}

/// Office hours.
pub struct Calendar {
    plan: Plan,
    full_day: Span,
    stretches: Vec<Stretch>,
}

impl Calendar {
    /// Lays the plan out over the years it covers.
    pub fn new(plan: Plan) -> Self {
        let full_day = plan.week.iter().map(|frames| length(frames)).max().unwrap_or_default();
        let stretches = lay_out(&plan);
        Self { plan, full_day, stretches }
    }

    /// What it was made of.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Its name.
    pub fn name(&self) -> &CalendarName {
        &self.plan.name
    }

    /// Office time of the fullest weekday: what `1wd` is.
    pub const fn full_day(&self) -> Span {
        self.full_day
    }

    /// Office time in `[from, to)`.
    pub fn worked(&self, from: Timestamp, to: Timestamp) -> Span {
        Span::from_ms(self.done_by(to).as_ms() - self.done_by(from).as_ms())
    }

    /// The first instant at which `span` of office time has passed since `from`; never where the calendar ends before.
    pub fn after(&self, from: Timestamp, span: Span) -> Timestamp {
        if span == Span::ZERO {
            return from;
        }
        let goal = Span::from_ms(self.done_by(from).as_ms() + span.as_ms());
        let at = self.stretches.partition_point(|stretch| stretch.before < goal);
        let Some(stretch) = at.checked_sub(1).and_then(|at| self.stretches.get(at)) else { return Timestamp::NEVER };
        let reached = stretch.from.plus(Span::from_ms(goal.as_ms() - stretch.before.as_ms()));
        if reached > stretch.to { Timestamp::NEVER } else { reached }
    }

    /// Whether work is going on.
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.stretch_at(at).is_some_and(|stretch| at < stretch.to)
    }

    fn stretch_at(&self, at: Timestamp) -> Option<&Stretch> {
        let after = self.stretches.partition_point(|stretch| stretch.from <= at);
        self.stretches.get(after.checked_sub(1)?)
    }

    fn done_by(&self, at: Timestamp) -> Span {
        let Some(stretch) = self.stretch_at(at) else { return Span::ZERO };
        Span::from_ms(stretch.before.as_ms() + at.min(stretch.to).since(stretch.from).as_ms())
    }
}

fn length(frames: &[Frame]) -> Span {
    Span::from_mins(frames.iter().map(|frame| i64::from(frame.to.saturating_sub(frame.from))).sum())
}

fn lay_out(plan: &Plan) -> Vec<Stretch> {
    let mut spans: Vec<(Timestamp, Timestamp)> = Vec::new();
    let first = NaiveDate::from_ymd_opt(FIRST_YEAR, 1, 1).unwrap_or_default();
    for date in first.iter_days().take_while(|date| date.year() < END_YEAR) {
        let weekday = usize::try_from(date.weekday().num_days_from_monday()).unwrap_or_default();
        let frames = plan.dates.get(&date).or_else(|| plan.week.get(weekday));
        for frame in frames.into_iter().flatten() {
            spans.push((instant(plan.zone, date, frame.from), instant(plan.zone, date, frame.to)));
        }
    }
    spans.sort_unstable();
    let mut stretches: Vec<Stretch> = Vec::new();
    for (from, to) in spans.into_iter().filter(|(from, to)| from < to) {
        match stretches.last_mut() {
            Some(last) if from <= last.to => last.to = last.to.max(to),
            last => {
                let before = last
                    .map_or(Span::ZERO, |last| Span::from_ms(last.before.as_ms() + last.to.since(last.from).as_ms()));
                stretches.push(Stretch { from, to, before });
            }
        }
    }
    stretches
}

/// The instant at which a minute of a local date begins.
fn instant(zone: Zone, date: NaiveDate, minute: u32) -> Timestamp {
    let (days, minute) = (u64::from(minute / 1_440), minute % 1_440);
    let date = date.checked_add_days(Days::new(days)).unwrap_or(date);
    let time = NaiveTime::from_hms_opt(minute / 60, minute % 60, 0).unwrap_or_default();
    let local = zone.0.from_local_datetime(&date.and_time(time));
    let at = local.earliest().or_else(|| {
        let later = date.and_time(time) + chrono::TimeDelta::hours(1);
        zone.0.from_local_datetime(&later).earliest()
    });
    at.map_or(Timestamp::NEVER, |at| Timestamp::from_ms(at.timestamp_millis()))
}

impl fmt::Debug for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Calendar({})", self.plan.name)
    }
}

impl PartialEq for Calendar {
    fn eq(&self, other: &Self) -> bool {
        self.plan == other.plan
    }
}

impl Eq for Calendar {}

/// How a duration is counted.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Pace {
    /// As the clock on the wall goes (`calendar: always`).
    #[default]
    Wall,
    /// Only while a calendar says that work is going on.
    Office(Arc<Calendar>),
}

impl Pace {
    /// How much time of this pace lies in `[from, to)`.
    pub fn elapsed(&self, from: Timestamp, to: Timestamp) -> Span {
        match self {
            Self::Wall => to.since(from),
            Self::Office(calendar) => calendar.worked(from, to.max(from)),
        }
    }

    /// The first instant at which `span` has passed since `from`.
    pub fn after(&self, from: Timestamp, span: Span) -> Timestamp {
        match self {
            Self::Wall => from.plus(span),
            Self::Office(calendar) => calendar.after(from, span),
        }
    }

    /// The calendar, where there is one.
    pub fn calendar(&self) -> Option<&Calendar> {
        match self {
            Self::Wall => None,
            Self::Office(calendar) => Some(calendar),
        }
    }
}

impl fmt::Display for Pace {
    /// For the canonical text of a rule: the same hours give the same text in every build.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wall => Ok(()),
            Self::Office(calendar) => {
                let plan = calendar.plan();
                write!(f, " on {}|{}|{:?}|{:?}", plan.name, plan.zone.0.name(), plan.week, plan.dates)
            }
        }
    }
}

/// A duration and how it is counted.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Wait {
    /// How long.
    pub span: Span,
    /// Counted how.
    pub pace: Pace,
}

impl Wait {
    /// A duration on the wall's clock.
    pub const fn wall(span: Span) -> Self {
        Self { span, pace: Pace::Wall }
    }

    /// When it is over, begun at `from`.
    pub fn ends(&self, from: Timestamp) -> Timestamp {
        self.pace.after(from, self.span)
    }

    /// Whether there is nothing to wait for.
    pub const fn is_none(&self) -> bool {
        self.span.as_ms() == 0
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.span.as_ms(), self.pace)
    }
}
