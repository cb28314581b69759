//! Before a long holiday whoever plans the rota is asked to look at it: at ten on the last two working days, until the
//! list of dates names those days or someone confirms.

use chrono::NaiveDate;

use crate::domain::{
    calendar::Calendar,
    desk::{machine::Desk, state::Roster},
    id::{MessageId, RotaName},
    rota::{Rota, words},
    text::Message,
    time::{Span, Timestamp},
};

/// The word of the reminder in journal, keys and logs.
pub(super) const ROSTER: &str = "roster";

/// Days off in a row that make a long holiday; at least one of them must be no weekend.
const LONG_DAYS: usize = 3;

/// Working days before it on which is asked.
const ASKED_DAYS: usize = 2;

/// The minute of the day at which is asked.
const ASKED_AT: u32 = 10 * 60;

/// How far ahead holidays are looked for.
const AHEAD_DAYS: usize = 30;

/// Days of a holiday that are listed.
const LISTED_DAYS_MAX: usize = 15;

/// The next long holiday that begins after `today` and within a month: its days.
pub(super) fn next_long_holiday(calendar: &Calendar, today: NaiveDate) -> Option<Vec<NaiveDate>> {
    // A holiday that is on today is not one that comes.
    let mut days = today.iter_days().skip_while(|date| calendar.is_day_off(*date)).take(AHEAD_DAYS);
    loop {
        let first = days.by_ref().find(|date| calendar.is_day_off(*date))?;
        let run: Vec<NaiveDate> =
            first.iter_days().take_while(|date| calendar.is_day_off(*date)).take(AHEAD_DAYS).collect();
        if run.len() >= LONG_DAYS && run.iter().any(|date| calendar.is_holiday(*date)) {
            return Some(run);
        }
        days.by_ref().nth(run.len().saturating_sub(2)); // `first` is taken already
    }
}

/// The working days before a date on which is asked, the earlier first.
fn asked_days(calendar: &Calendar, first: NaiveDate) -> Vec<NaiveDate> {
    let back = std::iter::successors(first.pred_opt(), |date| date.pred_opt()).take(AHEAD_DAYS);
    let mut days: Vec<NaiveDate> = back.filter(|date| !calendar.is_day_off(*date)).take(ASKED_DAYS).collect();
    days.reverse();
    days
}

impl Desk {
    /// Asks for a look at the roster where it is time; says when to look again.
    pub(super) fn remind_of_holiday(&mut self, rota: &Rota, now: Timestamp) -> Timestamp {
        let Some(calendar) = &rota.calendar else { return Timestamp::NEVER };
        let today = rota.zone.local(now).date_naive();
        let tomorrow = today.succ_opt().map_or(Timestamp::NEVER, |date| rota.instant(date, 0));
        let Some(holiday) = next_long_holiday(calendar, today) else { return tomorrow };
        let Some(first) = holiday.first().copied() else { return tomorrow };
        if !asked_days(calendar, first).contains(&today) || self.is_settled(rota, &holiday) {
            return tomorrow;
        }
        let at = rota.instant(today, ASKED_AT);
        if now < at {
            return at;
        }
        let asked = MessageId::new(format!("deskbell.{ROSTER}\u{1f}{}\u{1f}{today}", rota.name));
        if self.remember(asked, now) {
            let message = self.roster_words(rota, &holiday, now);
            for receiver in self.places_of(rota) {
                self.announce_to(ROSTER, receiver, message.clone(), now);
            }
        }
        tomorrow
    }

    /// Whether nobody need look: someone confirmed it, or every shift of every day is listed.
    fn is_settled(&self, rota: &Rota, holiday: &[NaiveDate]) -> bool {
        let confirmed = self.rosters.kept.get(&rota.name).and_then(|kept| kept.confirmed);
        let is_listed = |date: &NaiveDate| (0..rota.shifts.len()).all(|at| rota.dates.contains_key(&(*date, at)));
        confirmed == holiday.first().copied() || holiday.iter().all(is_listed)
    }

    /// Who is on call on each day of a holiday.
    fn roster_words(&self, rota: &Rota, holiday: &[NaiveDate], now: Timestamp) -> Message {
        let name = &rota.name;
        let (first, last) = (holiday.first().copied().unwrap_or_default(), holiday.last().copied().unwrap_or_default());
        let (from, to, count) = (words::day(first), words::day(last), holiday.len());
        let mut message = Message::new(
            format!("长假前请确认值班：{name}，{} 至 {}，共 {count} 天", from.zh, to.zh),
            format!("Please confirm who is on call on the holiday: {name}, {} to {}, {count} days", from.en, to.en),
        );
        for date in holiday.iter().take(LISTED_DAYS_MAX) {
            let (mut zh, mut en) = (Vec::new(), Vec::new());
            for shift in &rota.shifts {
                let begins = rota.hours(shift, *date).0;
                let duties = rota.on_duty(&self.rosters.covers, begins).into_iter();
                let who: Vec<String> = duties
                    .filter(|duty| words::shift_of(rota, duty) == &*shift.name)
                    .map(|duty| self.name_of(&duty.person))
                    .collect();
                let (nobody_zh, nobody_en) = ("没有人".to_string(), "nobody".to_string());
                let or = |nobody: String, dash: &str| if who.is_empty() { nobody } else { who.join(dash) };
                zh.push(format!("{} {}", shift.name, or(nobody_zh, "、")));
                en.push(format!("{} {}", shift.name, or(nobody_en, ", ")));
            }
            let day = words::day(*date);
            message.zh.push_str(&format!("\n{}：{}", day.zh, zh.join("，")));
            message.en.push_str(&format!("\n{}: {}", day.en, en.join("; ")));
        }
        let year = rota.zone.local(now).date_naive() <= last;
        let day = if year { first.to_string() } else { String::new() };
        message.zh.push_str(&format!("\n没问题请回 /值班 确认；要换班：/值班 换 邮箱 {day}"));
        message.en.push_str(&format!("\nAll right? /oncall ok. To swap: /oncall swap <email> {day}"));
        message
    }

    /// Notes that the roster of the next long holiday was looked at; its first day, or nothing where none is near.
    pub(super) fn settle_roster(&mut self, rota: &RotaName, now: Timestamp) -> Option<Vec<NaiveDate>> {
        let rota = self.settings.rotas.get(rota)?;
        let today = rota.zone.local(now).date_naive();
        let holiday = next_long_holiday(rota.calendar.as_ref()?, today)?;
        let (name, confirmed) = (rota.name.clone(), holiday.first().copied());
        let kept = self.rosters.kept.get(&name).cloned();
        let kept = kept.unwrap_or(Roster { rota: name, told: Vec::new(), at: now, confirmed: None });
        self.put_roster(Roster { confirmed, ..kept });
        Some(holiday)
    }
}

/// How far ahead a roster can be confirmed.
pub(super) const CONFIRMED_AHEAD: Span = Span::from_days(30);
