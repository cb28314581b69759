//! Rotas in words: who is on call, until when and who is next. The same in chat, at the command line and in notices.

use chrono::{Datelike, NaiveDate};

use crate::domain::{
    receiver::PersonId,
    rota::{Basis, Cover, Duty, OnCall, Rota},
    text::{Message, Words},
    time::{Span, Timestamp, Zone},
};

/// What people are called.
pub type Names<'a> = &'a dyn Fn(&PersonId) -> String;

/// A stretch in which the same people are on call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Who; nobody where no shift is on duty.
    pub duties: Vec<Duty>,
}

/// The rules of the notices that tell of rotas.
pub const NOTICES: [&str; 3] = ["deskbell.handover", "deskbell.roster", "deskbell.cover"];

/// Stretches that are listed at most.
const STRETCHES_MAX: usize = 500;

/// How far ahead the next shift is looked for where nobody is on call.
const NEXT_WITHIN: Span = Span::from_days(31);

/// Who is on call in `[from, until)`, stretch by stretch.
pub fn stretches(rota: &Rota, covers: &[Cover], from: Timestamp, until: Timestamp) -> Vec<Stretch> {
    let mut found = Vec::new();
    let mut at = from;
    while at < until && found.len() < STRETCHES_MAX {
        let next = rota.next_change(covers, at).min(until);
        found.push(Stretch { from: at, until: next, duties: rota.on_duty(covers, at) });
        at = next;
    }
    found
}

/// Who is on call at `at`, one line a person; one line, too, where nobody is.
pub fn lines(rota: &Rota, covers: &[Cover], at: Timestamp, names: Names<'_>) -> Vec<Message> {
    let on_call = rota.on_call(covers, at);
    if on_call.is_empty() {
        return vec![nobody(rota, covers, at, names)];
    }
    on_call.iter().map(|one| line(rota, covers, one, at, names)).collect()
}

fn line(rota: &Rota, covers: &[Cover], one: &OnCall, at: Timestamp, names: Names<'_>) -> Message {
    let (name, shift, who) = (&rota.name, &one.shift, names(&one.person));
    let why = why(one.by);
    let (mut zh, mut en) = (format!("{name} {shift}：{who}{}", why.zh), format!("{name} {shift}: {who}{}", why.en));
    if one.until.is_never() {
        return Message::new(zh, en);
    }
    let until = clock(rota.zone, one.until, at);
    zh.push_str(&format!("，到 {until}"));
    en.push_str(&format!(", until {until}"));
    match rota.next_on_call(covers, one) {
        Some(next) => {
            let (shift, who) = (&next.shift, names(&next.person));
            zh.push_str(&format!("，接着是 {who}（{shift}）"));
            en.push_str(&format!(", then {who} ({shift})"));
        }
        None => {
            zh.push_str("，接着没有人");
            en.push_str(", then nobody");
        }
    }
    Message::new(zh, en)
}

fn nobody(rota: &Rota, covers: &[Cover], at: Timestamp, names: Names<'_>) -> Message {
    let name = &rota.name;
    let (mut zh, mut en) = (format!("{name}：现在没有人值班"), format!("{name}: nobody is on call"));
    if let Some(backup) = &rota.backup {
        let backup = backup.as_str().trim_start_matches("person:");
        zh.push_str(&format!("，有事找 {backup}"));
        en.push_str(&format!("; {backup} is called instead"));
    }
    let next = rota.next_change(covers, at);
    if next <= at.plus(NEXT_WITHIN)
        && let Some(duty) = rota.on_duty(covers, next).first()
    {
        let (shift, who, when) = (shift_of(rota, duty), names(&duty.person), clock(rota.zone, next, at));
        zh.push_str(&format!("，{when} 起是 {who}（{shift}）"));
        en.push_str(&format!("; from {when} it is {who} ({shift})"));
    }
    Message::new(zh, en)
}

/// The name of a duty's shift.
pub fn shift_of<'a>(rota: &'a Rota, duty: &Duty) -> &'a str {
    rota.shifts.get(duty.shift).map_or("", |shift| &*shift.name)
}

/// Why someone is on call, where it is not their turn.
pub const fn why(by: Basis) -> Words {
    match by {
        Basis::Turn => Words { zh: "", en: "" },
        Basis::Date => Words { zh: "（按日期表）", en: " (by the list of dates)" },
        Basis::Cover => Words { zh: "（顶班）", en: " (standing in)" },
    }
}

/// `09:00` today, `11-21 09:00` on another day of the year, the whole date in another year.
pub fn clock(zone: Zone, at: Timestamp, now: Timestamp) -> String {
    let (local, today) = (zone.local(at), zone.local(now));
    if local.date_naive() == today.date_naive() {
        local.format("%H:%M").to_string()
    } else if local.year() == today.year() {
        local.format("%m-%d %H:%M").to_string()
    } else {
        zone.minute(at)
    }
}

/// `10-01 周四`.
pub fn day(date: NaiveDate) -> Message {
    const ZH: [&str; 7] = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"];
    let weekday = usize::try_from(date.weekday().num_days_from_monday()).unwrap_or_default();
    let zh = ZH.get(weekday).copied().unwrap_or_default();
    Message::new(format!("{} {zh}", date.format("%m-%d")), date.format("%m-%d %a").to_string())
}
