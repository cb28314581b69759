//! What people write about who is on call: the answer, or the deed it is.

use std::sync::Arc;

use chrono::{Datelike, NaiveDate, TimeDelta};

use crate::domain::{
    actor::Actor,
    command::{
        oncall::{Asked, Day, Moment, Wanted, Way},
        reply,
        verb::Verb,
    },
    deed::{Act, Deed, NewCover},
    desk::{asked::deed_id, input::ChatMessage, machine::Desk},
    id::RotaName,
    receiver::PersonId,
    rota::{Rota, Shift, words},
    text::{Message, fold},
    time::Timestamp,
};

/// People named to whoever has to say which one they mean.
const NAMED_MAX: usize = 5;

impl Desk {
    /// Answers who is on call, or does what is asked of a rota.
    pub(super) fn oncall_asked(&mut self, question: &ChatMessage, behind: &str, now: Timestamp) -> Message {
        let name = |rota: Option<String>| rota.map(|name| RotaName::from(name.as_str()));
        let by = question.by();
        let deed = match Asked::read(behind) {
            Asked::Look(rota) => return self.who_is_on_call(rota.as_deref(), now),
            Asked::GiveBack(of) => match self.back_meant(&by, of.as_deref().unwrap_or_default()) {
                Ok((rota, person)) => Deed::EndCovers(rota, person),
                Err(why) => return why,
            },
            Asked::Confirm(rota) => Deed::ConfirmRoster(name(rota)),
            Asked::Change(wanted) => match self.change_wanted(&by, &wanted, now) {
                Ok(new) => Deed::Cover(Box::new(new)),
                Err(why) => return why,
            },
        };
        let place = question.place();
        let id = deed_id(&question.message);
        self.act(&Act { id, by, place, clicked: None, deed, locale: question.locale }, now);
        self.out.acted.take().map(|acted| acted.words).unwrap_or_default()
    }

    /// The rota that is named, and the person whose turn is meant, in any order.
    fn back_meant(&self, by: &Actor, of: &str) -> Result<(Option<RotaName>, Option<PersonId>), Message> {
        let mut words: Vec<&str> = of.split_whitespace().collect();
        let named = self.settings.rotas.keys().find_map(|rota| {
            let at = words.iter().position(|word| fold(word) == fold(rota.as_str()))?;
            words.remove(at);
            Some(rota.clone())
        });
        if words.is_empty() {
            return Ok((named, None));
        }
        let rota = self.rota_meant(named.as_ref(), by).map_err(|acted| acted.words)?;
        let person = self.person_called(&rota, words.join(" ").trim_start_matches('@'))?;
        Ok((Some(rota.name.clone()), Some(person)))
    }

    /// A line per rota and shift on duty: who, until when, who is next.
    fn who_is_on_call(&self, named: Option<&str>, now: Timestamp) -> Message {
        let rotas = self.settings.rotas.values();
        let is_meant = |rota: &&Arc<Rota>| named.is_none_or(|name| fold(name) == fold(rota.name.as_str()));
        let meant: Vec<&Arc<Rota>> = rotas.filter(is_meant).collect();
        if meant.is_empty() && !self.settings.rotas.is_empty() {
            return reply::verb_usage(Verb::Oncall);
        }
        let names = |person: &PersonId| self.name_of(person);
        let lines = meant.into_iter().flat_map(|rota| words::lines(rota, &self.rosters.covers, now, &names));
        let (zh, en): (Vec<String>, Vec<String>) = lines.map(|line| (line.zh, line.en)).unzip();
        if zh.is_empty() {
            return Message::new("没有值班表。在配置的 rotas 里写", "there is no rota: write one in `rotas`");
        }
        Message::new(zh.join("\n"), en.join("\n"))
    }

    /// The change that is meant, its names looked up.
    fn change_wanted(&self, by: &Actor, wanted: &Wanted, now: Timestamp) -> Result<NewCover, Message> {
        let mut names = wanted.names.clone();
        let rota = self.settings.rotas.keys().find_map(|rota| {
            let at = names.iter().position(|name| fold(name) == fold(rota.as_str()))?;
            names.remove(at);
            Some(rota.clone())
        });
        let rota = self.rota_meant(rota.as_ref(), by).map_err(|acted| acted.words)?;
        let shift = rota.shifts.iter().find_map(|shift| {
            let at = names.iter().position(|name| fold(name) == fold(&shift.name))?;
            names.remove(at);
            Some(shift)
        });
        let person = match (wanted.way, names.join(" ")) {
            (Way::Take, rest) if rest.is_empty() => None,
            (Way::Give | Way::Swap, rest) if !rest.is_empty() => Some(self.person_called(&rota, &rest)?),
            _ => return Err(reply::verb_usage(Verb::Oncall)),
        };
        let me = by.open_id().and_then(|id| self.member_of(&rota, id));
        let (shift, from, until) = match (wanted.from.day, wanted.from.minute) {
            (Some(day), None) if wanted.until.is_empty() => {
                let date = date_of(&rota, day, now).ok_or_else(|| reply::verb_usage(Verb::Oncall))?;
                let (shift, from, until) = self.turn_on(&rota, date, shift, me.as_ref(), wanted.way, now);
                (shift, Some(from), Some(until))
            }
            _ => {
                let from = instant_of(&rota, wanted.from, now)?;
                (shift, from, instant_of(&rota, wanted.until, from.unwrap_or(now))?)
            }
        };
        Ok(NewCover {
            rota: Some(rota.name.clone()),
            shift: shift.map(|shift| Arc::clone(&shift.name)),
            person,
            from,
            until,
            in_return: wanted.way == Way::Swap,
            reason: None,
        })
    }

    /// The turn of a date that changes hands, with its hours: the shift that is named; to be given away, one of one's
    /// own; else the first.
    fn turn_on<'a>(
        &self,
        rota: &'a Rota,
        date: NaiveDate,
        named: Option<&'a Shift>,
        me: Option<&PersonId>,
        way: Way,
        now: Timestamp,
    ) -> (Option<&'a Shift>, Timestamp, Timestamp) {
        let hours = |shift: &'a Shift| {
            let (from, until) = rota.hours(shift, date);
            (Some(shift), from, until)
        };
        let is_mine = |place: usize, shift: &Shift| {
            let duties = rota.on_duty(&self.rosters.covers, rota.hours(shift, date).0.max(now));
            duties.iter().any(|duty| duty.shift == place && Some(&duty.person) == me)
        };
        let fits = |(place, shift): &(usize, &'a Shift)| is_mine(*place, shift) == (way != Way::Take);
        let found = named.or_else(|| rota.shifts.iter().enumerate().find(fits).map(|(_, shift)| shift));
        let day = (None, rota.instant(date, 0), rota.instant(date.succ_opt().unwrap_or(date), 0));
        found.or(rota.shifts.first()).map_or(day, hours)
    }

    /// Whom a text means: an email, a mobile number, an open id, or the name the directory knows.
    pub(super) fn person_called(&self, rota: &Rota, text: &str) -> Result<PersonId, Message> {
        if let Some(person) = PersonId::of(text) {
            return Ok(person);
        }
        let folded = fold(text);
        let is_called = |person: &&&PersonId| fold(&self.name_of(person)) == folded;
        let members = rota.people();
        let mut found: Vec<PersonId> = members.iter().filter(is_called).map(|person| (*person).clone()).collect();
        if found.is_empty() {
            found = self.people.called(text).into_iter().map(PersonId::Open).collect();
        }
        match found.as_slice() {
            [only] => Ok(only.clone()),
            [] => Err(Message::new(
                "没找到这个人。请写邮箱、手机号，或值班表里的名字",
                "nobody of that name is known. Write an email, a mobile number or a name from the rota",
            )),
            several => {
                let who: Vec<&str> = several.iter().take(NAMED_MAX).map(PersonId::as_str).collect();
                Err(Message::new(
                    format!("有几个人叫这个名字，请写邮箱：{}", who.join("、")),
                    format!("several people have that name; write the email: {}", who.join(", ")),
                ))
            }
        }
    }
}

/// The date that is meant, from today on.
fn date_of(rota: &Rota, day: Day, now: Timestamp) -> Option<NaiveDate> {
    let today = rota.zone.local(now).date_naive();
    match day {
        Day::Date(date) => Some(date),
        Day::In(days) => today.checked_add_signed(TimeDelta::days(i64::from(days))),
        Day::Next(month, day) => {
            let this_year = NaiveDate::from_ymd_opt(today.year(), month, day).filter(|date| *date >= today);
            this_year.or_else(|| NaiveDate::from_ymd_opt(today.year() + 1, month, day))
        }
    }
}

/// The instant that is meant; a time without a day is the next one after `after`.
fn instant_of(rota: &Rota, moment: Moment, after: Timestamp) -> Result<Option<Timestamp>, Message> {
    if moment.is_empty() {
        return Ok(None);
    }
    let minute = moment.minute.unwrap_or(0);
    let date = date_of(rota, moment.day.unwrap_or(Day::In(0)), after);
    let date = date.ok_or_else(|| reply::verb_usage(Verb::Oncall))?;
    let at = rota.instant(date, minute);
    let tomorrow = || date.succ_opt().map(|date| rota.instant(date, minute));
    Ok(if at <= after && moment.day.is_none() { tomorrow() } else { Some(at) })
}
