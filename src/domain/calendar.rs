//! Office hours: frames per weekday, days off, working weekends and half days, as a table of worked intervals.
//!
//! Everything here is exact. A minute counts if its local wall time lies in a frame of its date, or in one of the day
//! before that runs over midnight; `worked` and `after` agree with counting such minutes one by one, on days on which the
//! clocks are set too: an hour that is skipped is not worked, one that is lived twice is worked twice.

use std::{collections::BTreeMap, fmt, sync::Arc};

use chrono::{Datelike, NaiveDate, NaiveTime, Offset, TimeZone};

use crate::domain::{
    id::CalendarName,
    time::{Span, Timestamp, Zone},
};

/// The first year a calendar knows.
pub const FIRST_YEAR: i32 = 2010;
/// The year after the last one a calendar knows.
pub const END_YEAR: i32 = 2060;

/// So long before the public holidays it knows run out, a calendar says so: a year's are published in the autumn before.
pub const RUNS_OUT_WITHIN: Span = Span::from_days(60);

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

/// Where a stretch of work opens, and how much work lies before it, both in seconds. The table ends with a mark at
/// which work closes for good.
#[derive(Clone, Copy, Debug)]
struct Mark {
    at: u32,
    before: u32,
}

/// Office hours.
///
/// Laid out once for the years [`FIRST_YEAR`] to [`END_YEAR`], eight bytes a stretch. Outside these years there is no
/// work: what is asked of the time before begins with the first day known, and what would be over after the last day
/// known is never over.
pub struct Calendar {
    plan: Plan,
    full_day: Span,
    marks: Vec<Mark>,
}

impl Calendar {
    /// Lays the plan out over the years it covers.
    pub fn new(plan: Plan) -> Self {
        let full_day = plan.week.iter().map(|frames| length(frames)).max().unwrap_or_default();
        let marks = lay_out(&plan);
        Self { plan, full_day, marks }
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

    /// Whether nobody works on a date.
    pub fn is_day_off(&self, date: NaiveDate) -> bool {
        self.frames_on(date).is_empty()
    }

    /// Whether a date is off although its weekday is worked: a holiday, not a weekend.
    pub fn is_holiday(&self, date: NaiveDate) -> bool {
        self.is_day_off(date) && !self.of_weekday(date).is_empty()
    }

    fn frames_on(&self, date: NaiveDate) -> &[Frame] {
        self.plan.dates.get(&date).map_or_else(|| self.of_weekday(date), Vec::as_slice)
    }

    fn of_weekday(&self, date: NaiveDate) -> &[Frame] {
        let weekday = usize::try_from(date.weekday().num_days_from_monday()).unwrap_or_default();
        self.plan.week.get(weekday).map_or(&[], Vec::as_slice)
    }

    /// Office time in `[from, to)`.
    pub fn worked(&self, from: Timestamp, to: Timestamp) -> Span {
        self.done_by(to).less(self.done_by(from))
    }

    /// The first instant at which `span` of office time has passed since `from`; never where the calendar ends before.
    pub fn after(&self, from: Timestamp, span: Span) -> Timestamp {
        if span == Span::ZERO {
            return from;
        }
        let goal = self.done_by(from).as_ms().saturating_add(span.as_ms());
        let beyond = self.marks.partition_point(|mark| mark.before().as_ms() < goal);
        match beyond.checked_sub(1).and_then(|at| self.marks.get(at)) {
            Some(mark) if beyond < self.marks.len() => {
                mark.opens().plus(Span::from_ms(goal.saturating_sub(mark.before().as_ms())))
            }
            _ => Timestamp::NEVER,
        }
    }

    /// Whether work is going on.
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.stretch_at(at).is_some_and(|(opened, length)| at < opened.opens().plus(length))
    }

    /// The first instant after `at` at which work begins or ends; never where there is none.
    pub fn turns_after(&self, at: Timestamp) -> Timestamp {
        match self.stretch_at(at).map(|(opened, length)| opened.opens().plus(length)) {
            Some(closes) if at < closes => closes,
            _ => {
                let next = self.marks.partition_point(|mark| mark.opens() <= at);
                self.marks.get(next).map_or(Timestamp::NEVER, |mark| mark.opens())
            }
        }
    }

    /// The first year whose public holidays it does not know, where it follows a list of them that ends within
    /// [`RUNS_OUT_WITHIN`] from now.
    pub fn runs_out(&self, now: Timestamp) -> Option<i32> {
        let known_through = self.plan.known_through?;
        let (today, soon) = (self.plan.zone.local(now), self.plan.zone.local(now.plus(RUNS_OUT_WITHIN)));
        let unknown = known_through.succ_opt()?.year().max(today.year());
        (known_through < soon.date_naive()).then_some(unknown)
    }

    /// The last stretch of work that began by `at`, and how long it is.
    fn stretch_at(&self, at: Timestamp) -> Option<(Mark, Span)> {
        let next = self.marks.partition_point(|mark| mark.opens() <= at);
        let opened = *self.marks.get(next.checked_sub(1)?)?;
        let length = self.marks.get(next).map_or(Span::ZERO, |next| next.before().less(opened.before()));
        Some((opened, length))
    }

    fn done_by(&self, at: Timestamp) -> Span {
        let Some((opened, length)) = self.stretch_at(at) else { return Span::ZERO };
        Span::from_ms(opened.before().as_ms() + at.since(opened.opens()).min(length).as_ms())
    }
}

impl Mark {
    fn opens(self) -> Timestamp {
        Timestamp::from_ms(i64::from(self.at) * 1_000)
    }

    fn before(self) -> Span {
        Span::from_secs(i64::from(self.before))
    }
}

/// Office time of a day with these frames.
fn length(frames: &[Frame]) -> Span {
    let minutes = frames.iter().map(|frame| (i64::from(frame.from), i64::from(frame.to))).collect();
    Span::from_mins(joined(minutes).iter().map(|(from, to)| to - from).sum())
}

/// Stretches in order, those that touch or overlap made one.
fn joined(mut stretches: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    stretches.sort_unstable();
    let mut joined: Vec<(i64, i64)> = Vec::with_capacity(stretches.len());
    for (from, to) in stretches.into_iter().filter(|(from, to)| from < to) {
        match joined.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => joined.push((from, to)),
        }
    }
    joined
}

/// Local time is laid out as if no clock was ever set; then each stretch between two settings of the clocks takes what
/// local time it shows. So what a gap skips does not count, and what is lived twice counts twice.
fn lay_out(plan: &Plan) -> Vec<Mark> {
    let local = local_work(plan);
    let mut work = Vec::new();
    for era in eras(plan.zone) {
        let (from, to) = (era.from + era.offset, era.to + era.offset);
        let first = local.partition_point(|stretch| stretch.1 <= from);
        let shown = local.iter().skip(first).take_while(|stretch| stretch.0 < to);
        work.extend(shown.map(|stretch| (stretch.0.max(from) - era.offset, stretch.1.min(to) - era.offset)));
    }
    let seconds = |seconds: i64| u32::try_from(seconds).unwrap_or_default();
    let (mut marks, mut before, mut end) = (Vec::new(), 0, None);
    for (from, to) in joined(work) {
        marks.push(Mark { at: seconds(from), before: seconds(before) });
        before += to - from;
        end = Some(to);
    }
    marks.extend(end.map(|end| Mark { at: seconds(end), before: seconds(before) }));
    marks.shrink_to_fit();
    marks
}

/// Work in local time, in seconds since the local beginning of 1970.
fn local_work(plan: &Plan) -> Vec<(i64, i64)> {
    let mut work = Vec::new();
    for date in day(FIRST_YEAR).iter_days().take_while(|date| date.year() < END_YEAR) {
        let weekday = usize::try_from(date.weekday().num_days_from_monday()).unwrap_or_default();
        let midnight = date.and_time(NaiveTime::MIN).and_utc().timestamp();
        let frames = plan.dates.get(&date).or_else(|| plan.week.get(weekday));
        for frame in frames.into_iter().flatten() {
            work.push((midnight + i64::from(frame.from) * 60, midnight + i64::from(frame.to) * 60));
        }
    }
    joined(work)
}

/// A stretch of time in which a zone's clocks are not set, in seconds since 1970: local time is `offset` ahead.
#[derive(Clone, Copy, Debug)]
struct Era {
    from: i64,
    to: i64,
    offset: i64,
}

/// The whole time that is laid out, cut where the clocks are set. No zone sets them twice a day.
fn eras(zone: Zone) -> Vec<Era> {
    const DAY: i64 = 86_400;
    let edge = |year: i32| day(year).and_time(NaiveTime::MIN).and_utc().timestamp();
    // Two days more: local dates begin and end elsewhere than those of UTC, and frames run over midnight.
    let (start, end) = (edge(FIRST_YEAR) - 2 * DAY, edge(END_YEAR) + 2 * DAY);
    let offset_at = |at: i64| {
        let utc = Timestamp::from_ms(at * 1_000).to_utc().naive_utc();
        i64::from(zone.0.offset_from_utc_datetime(&utc).fix().local_minus_utc())
    };
    let (mut eras, mut from, mut offset, mut at) = (Vec::new(), start, offset_at(start), start);
    while at < end {
        let next = at + DAY;
        if offset_at(next) != offset {
            let (mut same, mut other) = (at, next);
            while other - same > 1 {
                let middle = i64::midpoint(same, other);
                if offset_at(middle) == offset { same = middle } else { other = middle }
            }
            eras.push(Era { from, to: other, offset });
            (from, offset) = (other, offset_at(other));
        }
        at = next;
    }
    eras.push(Era { from, to: end, offset });
    eras
}

fn day(year: i32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default()
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

#[cfg(test)]
mod tests;
