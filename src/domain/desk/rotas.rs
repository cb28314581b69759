//! Who is on call, and what follows when that changes: the handover.
//!
//! With several on duty at once the first one counts: the first shift of the configuration, and of a date with several
//! people the first line. Whoever is known to have left or to be frozen is passed over. Where nobody is on duty or
//! everybody who is has left, the rota's backup counts, and without one the team.

use std::{collections::BTreeMap, sync::Arc};

use crate::domain::{
    alert::Alert,
    desk::{machine::Desk, outcome::Write, state::Roster},
    id::{OpenId, ReceiverName, RotaName, Subject},
    labels::{Labels, Oncall, Team},
    people::Standing,
    receiver::{PersonId, Receiver},
    rota::{Cover, Duty, Rota, words},
    rule::{Mention, Rule, To},
    seen::Seen,
    text::{Message, Words},
    time::{Span, Timestamp},
};

/// After a start, a change that happened this long ago while nobody was there to tell it ...
const LATE: Span = Span::from_hours(1);

/// ... is told only after this time, as it stands then.
const SETTLE: Span = Span::from_mins(1);

/// The word of a handover in journal, keys and logs.
pub(super) const HANDOVER: &str = "handover";

/// Alerts that a handover names one by one.
const OPEN_LINES_MAX: usize = 10;

/// Who is on call, who stands in, and who was last told.
#[derive(Debug, Default)]
pub(super) struct Rosters {
    pub(super) covers: Vec<Cover>,
    pub(super) kept: BTreeMap<RotaName, Roster>,
    /// When each rota must be looked at again.
    due: BTreeMap<RotaName, Timestamp>,
}

impl Rosters {
    pub(super) fn next_due(&self) -> Timestamp {
        self.due.values().min().copied().unwrap_or(Timestamp::NEVER)
    }
}

impl Desk {
    /// Takes up what was kept of rotas; what is theirs no more is forgotten.
    pub(super) fn take_up_rotas(&mut self, covers: Vec<Cover>, kept: Vec<Roster>, now: Timestamp) {
        self.rosters.covers = covers;
        self.rosters.kept = kept.into_iter().map(|roster| (roster.rota.clone(), roster)).collect();
        let gone = |name: &&RotaName| !self.settings.rotas.contains_key(*name);
        let gone: Vec<RotaName> = self.rosters.kept.keys().filter(gone).cloned().collect();
        for name in gone {
            self.rosters.kept.remove(&name);
            self.write(Write::DropRoster(name));
        }
        self.begin_rotas(now);
        for (name, rota) in self.settings.rotas.clone() {
            if self.came(&rota, now).iter().any(|(_, since)| now.since(*since) > LATE) {
                self.rosters.due.insert(name, now.plus(SETTLE));
            }
        }
    }

    /// Rotas are new, or the clock is another: all are looked at now.
    pub(super) fn begin_rotas(&mut self, now: Timestamp) {
        self.rosters.due = self.settings.rotas.keys().map(|name| (name.clone(), now)).collect();
    }

    /// Looks at the rotas that are due.
    pub(super) fn see_to_rotas(&mut self, now: Timestamp) {
        let due = self.rosters.due.iter().filter(|(_, at)| **at <= now);
        let due: Vec<RotaName> = due.map(|(name, _)| name.clone()).collect();
        for name in due {
            self.see_to_rota(&name, now);
        }
    }

    /// Tells a change of people and what a long holiday asks for, and notes when to look again.
    pub(super) fn see_to_rota(&mut self, name: &RotaName, now: Timestamp) {
        self.see_to_rota_with(name, None, now);
    }

    /// The same, where someone arranged a change: the handover says who and why.
    pub(super) fn see_to_rota_with(&mut self, name: &RotaName, arranged: Option<Message>, now: Timestamp) {
        let Some(rota) = self.settings.rotas.get(name).map(Arc::clone) else {
            self.rosters.due.remove(name);
            return;
        };
        self.forget_covers(now);
        let on_duty = rota.on_duty(&self.rosters.covers, now);
        let told: Vec<(Arc<str>, PersonId)> =
            on_duty.iter().map(|duty| (words::shift_of(&rota, duty).into(), duty.person.clone())).collect();
        let kept = self.rosters.kept.get(name).cloned();
        if !told.is_empty() && kept.as_ref().is_none_or(|kept| kept.told != told) {
            if let Some(kept) = &kept {
                self.hand_over(&rota, kept, &on_duty, arranged, now);
            }
            let confirmed = kept.and_then(|kept| kept.confirmed);
            self.put_roster(Roster { rota: name.clone(), told, at: now, confirmed });
        }
        let reminder = self.remind_of_holiday(&rota, now);
        let due = rota.next_change(&self.rosters.covers, now).min(reminder);
        self.rosters.due.insert(name.clone(), due);
    }

    pub(super) fn put_roster(&mut self, roster: Roster) {
        self.write(Write::Roster(Box::new(roster.clone())));
        self.rosters.kept.insert(roster.rota.clone(), roster);
    }

    fn forget_covers(&mut self, now: Timestamp) {
        let (over, left) = std::mem::take(&mut self.rosters.covers).into_iter().partition(|cover| cover.until <= now);
        self.rosters.covers = left;
        let over: Vec<Cover> = over;
        over.into_iter().for_each(|cover| self.write(Write::DropCover(Box::new(cover))));
    }

    /// Who is on duty now and was not among those told last, and since when they are.
    pub(super) fn came(&self, rota: &Rota, now: Timestamp) -> Vec<(PersonId, Timestamp)> {
        let Some(kept) = self.rosters.kept.get(&rota.name) else { return Vec::new() };
        let known = |person: &PersonId| kept.told.iter().any(|(_, told)| told == person);
        let on_call = rota.on_call(&self.rosters.covers, now).into_iter();
        on_call.filter(|one| !known(&one.person)).map(|one| (one.person, one.from)).collect()
    }

    /// Tells who hands over to whom, and what is open: to the rota's places and to whoever comes.
    fn hand_over(&mut self, rota: &Rota, kept: &Roster, on_duty: &[Duty], arranged: Option<Message>, now: Timestamp) {
        let came = self.came(rota, now);
        if came.is_empty() {
            return;
        }
        let left = kept.told.iter().map(|(_, person)| person);
        let mut left: Vec<&PersonId> = left.filter(|it| on_duty.iter().all(|duty| duty.person != **it)).collect();
        left.dedup();
        let names = |people: Vec<&PersonId>| people.into_iter().map(|it| self.name_of(it)).collect::<Vec<_>>();
        let (from, to) = (names(left), names(came.iter().map(|(person, _)| person).collect()));
        let name = &rota.name;
        let mut head = if from.is_empty() {
            Message::new(
                format!("{name} 开始值班：{}", to.join("、")),
                format!("{name}: now also on call: {}", to.join(", ")),
            )
        } else {
            Message::new(
                format!("{name} 交班：{} → {}", from.join("、"), to.join("、")),
                format!("{name} handover: {} → {}", from.join(", "), to.join(", ")),
            )
        };
        let mut lines = words::lines(rota, &self.rosters.covers, now, &|person| self.name_of(person));
        lines.extend(arranged);
        lines.extend(self.open_lines(rota, now));
        for line in lines {
            head.zh.push_str(&format!("\n{}", line.zh));
            head.en.push_str(&format!("\n{}", line.en));
        }
        let mut to = self.places_of(rota);
        for (person, _) in &came {
            let direct = Receiver::name_of_person(person);
            if !to.contains(&direct) && !self.has_left(person) {
                to.push(direct);
            }
        }
        self.counters.handovers += 1;
        self.journal(now, (&Subject::Service, None, 0), HANDOVER, head.clone());
        for receiver in to {
            self.announce_to(HANDOVER, receiver, head.clone(), now);
        }
    }

    /// What rings on the rota's teams: first what calls its people, then the rest, the oldest first; and how much more
    /// rings that is not theirs, so that nobody reads a short list as calm.
    fn open_lines(&self, rota: &Rota, now: Timestamp) -> Vec<Message> {
        let ringing = self.alerts.values().flatten().filter(|alert| alert.is_firing() && !alert.trial);
        let (mut open, others): (Vec<&Alert>, Vec<&Alert>) = ringing.partition(|alert| self.is_of(alert, rota));
        open.sort_by_key(|alert| (!self.calls_oncall(alert), alert.since, alert.key.clone()));
        let others = others.len();
        let mut lines = match (open.len(), others) {
            (0, 0) => return vec![Message::new("没有未了结的提醒", "no alert is open")],
            (0, _) => {
                return vec![Message::new(
                    format!("这个值班表的团队没有未了结的提醒；别的团队另有 {others} 条在响，/alerts 列出全部"),
                    format!("no alert is open on this rota's teams; elsewhere {others} ring; /alerts lists them"),
                )];
            }
            (count, _) => {
                vec![Message::new(format!("未了结的提醒 {count} 条："), format!("open alerts: {count}"))]
            }
        };
        lines.extend(open.iter().take(OPEN_LINES_MAX).map(|alert| self.open_line(alert, now)));
        if let Some(more) = open.len().checked_sub(OPEN_LINES_MAX).filter(|more| *more > 0) {
            lines.push(Message::new(
                format!("另有 {more} 条，/alerts 列出全部"),
                format!("and {more} more; /alerts lists them"),
            ));
        }
        if others > 0 {
            lines.push(Message::new(
                format!("别的团队另有 {others} 条在响"),
                format!("elsewhere, on other teams: {others} ringing"),
            ));
        }
        lines
    }

    fn open_line(&self, alert: &Alert, now: Timestamp) -> Message {
        let line = self.alert_line(alert);
        let title = line.title.map_or_else(|| line.rule.to_string(), |title| format!("{} · {title}", line.rule));
        let since = words::clock(self.settings.zone, alert.since, now);
        let (zh, en) = match &alert.taken {
            Some(taken) => {
                let who = taken.by.words();
                (format!("{} 在处理", who.zh), format!("{} has it", who.en))
            }
            None => ("没有人接手".to_string(), "nobody has it".to_string()),
        };
        let reference = line.reference;
        Message::new(
            format!("#{reference} {title} · {since} 起 · {zh}"),
            format!("#{reference} {title} · since {since} · {en}"),
        )
    }

    /// Whether an alert is for a rota's people to know: it is on a team whose on-call is this rota, or there is no other
    /// rota.
    fn is_of(&self, alert: &Alert, rota: &Rota) -> bool {
        let is_ours = |team: &Team| team.oncall == Some(Oncall::Rota(rota.name.clone()));
        self.settings.rotas.len() == 1 || self.team_of_subject(&alert.key.subject).is_some_and(is_ours)
    }

    /// Whether an alert's rule tells or mentions whoever is on call.
    fn calls_oncall(&self, alert: &Alert) -> bool {
        let tells = |rule: &Rule| {
            let told = rule.notify.iter().map(|line| &line.to).chain(rule.ladder.iter().map(|rung| &rung.to));
            let notify = rule.notify.iter().map(|line| &line.mention);
            let mut mentioned = notify.chain(rule.ladder.iter().map(|rung| &rung.mention)).flatten();
            mentioned.any(|mention| *mention == Mention::Oncall)
                || told.chain(&rule.fallback).any(|to| *to == To::TeamOncall)
        };
        self.rule_named(&alert.key.rule).is_some_and(|rule| tells(rule))
    }

    /// The team of a ticket or group, as it stands.
    fn team_of_subject(&self, subject: &Subject) -> Option<&Team> {
        match subject {
            Subject::Ticket(key) => {
                let tracked = &self.tickets.get(key)?.tracked;
                let labels: &Labels = self.labels_of(&key.source);
                labels.team_of(&Seen::at_rest(&tracked.ticket, &tracked.facts, labels)).present().copied()
            }
            Subject::Group(value) => self.teams().find(|team| team.name.as_str() == &**value),
            _ => None,
        }
    }

    /// Every source's labels name the same teams.
    pub(super) fn teams(&self) -> impl Iterator<Item = &Team> {
        self.settings.sources.values().take(1).flat_map(|source| source.labels.teams.iter())
    }

    /// The receivers of the teams whose on-call is this rota, each once.
    pub(super) fn places_of(&self, rota: &Rota) -> Vec<ReceiverName> {
        let ours = self.teams().filter(|team| team.oncall == Some(Oncall::Rota(rota.name.clone())));
        let mut places: Vec<ReceiverName> = Vec::new();
        for team in ours {
            if !places.contains(&team.to) {
                places.push(team.to.clone());
            }
        }
        places
    }

    /// Whom `team.oncall` means for a team: the one on call now, else the backup, else the team.
    pub(super) fn on_call_for(&self, team: &Team, now: Timestamp) -> ReceiverName {
        let found = match &team.oncall {
            Some(Oncall::Receiver(name)) => Some(name.clone()),
            Some(Oncall::Rota(name)) => self.settings.rotas.get(name).and_then(|rota| {
                let people = self.people_on_call(rota, now);
                people.first().map(Receiver::name_of_person).or_else(|| rota.backup.clone())
            }),
            None => None,
        };
        found.unwrap_or_else(|| team.to.clone())
    }

    /// Everyone on duty on a rota who can be reached, in the order of its shifts.
    pub(super) fn people_on_call(&self, rota: &Rota, now: Timestamp) -> Vec<PersonId> {
        let mut people: Vec<PersonId> = Vec::new();
        for duty in rota.on_duty(&self.rosters.covers, now) {
            if !self.has_left(&duty.person) && !people.contains(&duty.person) {
                people.push(duty.person);
            }
        }
        people
    }

    /// Whether a person is known to have left. Whom the app does not see may only be outside its range.
    pub(super) fn has_left(&self, person: &PersonId) -> bool {
        matches!(self.people.standing(person), Some(Standing::Resigned | Standing::Frozen))
    }

    /// What is wrong with a person, where something is.
    pub(super) fn why_gone(&self, person: &PersonId) -> Option<Words> {
        match self.people.standing(person)? {
            Standing::Active => None,
            Standing::Resigned => Some(Words { zh: "已离职", en: "has left the company" }),
            Standing::Frozen => Some(Words { zh: "的账号已冻结", en: "has a frozen account" }),
            Standing::Missing => Some(Words {
                zh: "在飞书里查不到（或不在应用的通讯录范围内）",
                en: "is not seen in Feishu (or is outside the app's contact range)",
            }),
        }
    }

    /// What a person is called: their name where it is known, else as they are written.
    pub(super) fn name_of(&self, person: &PersonId) -> String {
        self.people.words(person)
    }

    /// The person of a rota that an open id belongs to, as the rota writes them.
    pub(super) fn member_of(&self, rota: &Rota, id: &OpenId) -> Option<PersonId> {
        let covers = self.rosters.covers.iter().filter(|cover| cover.rota == rota.name).map(|cover| &cover.person);
        let mut people = rota.people().into_iter().chain(covers);
        people.find(|person| self.people.open_id(person).as_ref() == Some(id)).cloned()
    }

    /// The directory said who is who: whoever cannot be reached any more and still stands in a rota is told of, each
    /// once a day. On-call of theirs goes elsewhere from now on.
    pub(super) fn look_for_gone(&mut self, now: Timestamp) {
        for rota in self.settings.rotas.values().cloned().collect::<Vec<_>>() {
            let today = rota.zone.local(now).date_naive();
            for person in rota.people() {
                let Some(gone) = self.why_gone(person) else { continue };
                let shifts: Vec<&str> = rota.shifts_of(person, today).collect();
                if !shifts.is_empty() {
                    self.tell_gone(&rota, person, gone, &shifts, now);
                }
            }
        }
        self.begin_rotas(now);
    }

    fn tell_gone(&mut self, rota: &Rota, person: &PersonId, why: Words, shifts: &[&str], now: Timestamp) {
        let (name, who) = (&rota.name, self.name_of(person));
        let message = Message::new(
            format!(
                "{who} {}，但还在值班表 {name} 的 {} 里。已离职或冻结的人轮到时，改为通知 backup，没有 backup 就通知团队。请改 members 或 dates，或让人顶班：/值班 接",
                why.zh,
                shifts.join("、")
            ),
            format!(
                "{who} {} and still stands in the rota {name}, shift {}. In place of someone who left or is frozen the \
                 backup is told, without one the team. Change `members` or the dates, or stand in with /oncall take",
                why.en,
                shifts.join(", ")
            ),
        );
        self.trouble_of("oncall_gone", person.as_str(), message, now);
    }
}
