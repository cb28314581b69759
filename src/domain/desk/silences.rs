//! Silences: asked for, listed, ended by hand or by time.

use std::sync::Arc;

use crate::domain::{
    actor::Actor,
    alert::{Alert, AlertKey},
    card::{cut, one_line},
    deed::{Act, Acted, NewSilence, Place, Rest, Tone},
    desk::{content::TITLE_CHARS_MAX, machine::Desk, outcome::Write, state::CardKey},
    id::{RuleName, SilenceId, Subject, TeamName, TicketKey},
    receiver::PersonId,
    rule::Rule,
    silence::{LASTS_MANAGED_MAX, LASTS_MAX, LASTS_MIN, Matcher, SILENCES_MAX, Silence, reason, reason_words},
    text::Message,
    time::Timestamp,
};

/// Cards that are updated at once when a silence begins or ends; the others show it with their next change.
const REFRESHED_MAX: usize = 200;

/// People named to whoever may not do something.
const NAMED_MAX: usize = 3;

/// A silence in force, as it is listed.
#[derive(Clone, Debug)]
pub struct SilenceLine {
    /// Its number.
    pub id: SilenceId,
    /// What it matches, in words.
    pub words: Message,
    /// Who asked for it.
    pub by: Message,
    /// Why.
    pub reason: String,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// How many alerts it matches that ring now.
    pub ringing: usize,
}

impl Desk {
    /// Silences in force, the oldest first.
    pub fn silences(&self, now: Timestamp) -> Vec<SilenceLine> {
        self.silences_in_force(now).map(|silence| self.silence_line(silence)).collect()
    }

    /// The conditions of silences, as they were written.
    pub fn silence_conditions(&self) -> impl Iterator<Item = Arc<str>> + '_ {
        self.hush.silences.values().filter_map(|silence| Some(Arc::clone(&silence.matches.when.as_ref()?.text)))
    }

    pub(super) fn silences_in_force(&self, now: Timestamp) -> impl Iterator<Item = &Silence> {
        self.hush.in_force().filter(move |silence| silence.until > now)
    }

    pub(super) fn silence_line(&self, silence: &Silence) -> SilenceLine {
        SilenceLine {
            id: silence.id,
            words: silence.matches.words(),
            by: silence.by.words(),
            reason: silence.reason.to_string(),
            from: silence.from,
            until: silence.until,
            ringing: self.ringing_under(&silence.matches).count(),
        }
    }

    /// Silences what matches. The same deed again is answered the same.
    pub(super) fn add_silence(&mut self, act: &Act, new: &NewSilence, now: Timestamp) -> Acted {
        if let Some(known) = self.hush.silences.values().find(|silence| silence.asked == act.id) {
            return match known.ended_by {
                None => acted(Tone::Done, self.added_words(known, &act.place, now)),
                Some(_) => acted(Tone::Already, over_words(known.id)),
            };
        }
        let until = self.silence_until(new, now);
        if let Err(refused) = self.may_silence(act, &new.matches, until, now) {
            return refused;
        }
        if let Some(why) = self.names_nothing(&new.matches) {
            return acted(Tone::Refused, why);
        }
        self.drop_ended_silences();
        let id = SilenceId(self.hush.silences.keys().next_back().map_or(0, |last| last.0).saturating_add(1));
        let silence = Silence {
            id,
            asked: act.id.clone(),
            matches: new.matches.clone(),
            by: act.by.clone(),
            reason: reason(&new.reason),
            from: now,
            until,
            ended_by: None,
        };
        let told = self.added_words(&silence, &act.place, now);
        self.journal_silence(&silence, "silenced", told.clone(), now);
        self.write(Write::Silence(Box::new(silence.clone())));
        self.hush.silences.insert(id, silence.clone());
        self.show_on_cards(&silence.matches, now);
        if act.clicked.is_none() {
            return acted(Tone::Done, told);
        }
        let until = self.day_words(until, now);
        let short = Message::new(
            format!("已静默 {id}，到 {}。期间不再发新通知，结束照常告知", until.zh),
            format!("silenced {id} until {}. No new notices meanwhile, endings are told as usual", until.en),
        );
        acted(Tone::Done, short)
    }

    /// Whether this very deed asked for a silence that is still kept.
    pub(super) fn has_asked_for_silence(&self, act: &Act) -> bool {
        self.hush.silences.values().any(|silence| silence.asked == act.id)
    }

    /// Ends a silence by hand.
    pub(super) fn end_silence(&mut self, act: &Act, id: SilenceId, now: Timestamp) -> Acted {
        let last = self.hush.silences.keys().next_back().copied();
        let Some(silence) = self.hush.silences.get(&id).filter(|silence| silence.ended_by.is_none()).cloned() else {
            return if last.is_some_and(|last| id <= last) && id > SilenceId(0) {
                acted(Tone::Already, over_words(id))
            } else {
                let name = commands(&act.place);
                let words = Message::new(
                    format!("没有静默 {id}。{name} list 列出现有的"),
                    format!("there is no silence {id}; {name} list shows those there are"),
                );
                acted(Tone::Missing, words)
            };
        };
        // Whoever asked for it may take it back, and whoever might have asked for it.
        if !silence.by.is_same(&act.by)
            && !self.has_authority(act, &silence.matches, silence.until.min(now.plus(LASTS_MAX)), now)
        {
            return acted(Tone::Refused, self.only_managers_end(&silence));
        }
        let held = self.held_by(&silence);
        self.finish_silence(silence, act.by.clone(), now);
        let what = self.after_silence(&held, now);
        acted(
            Tone::Done,
            Message::new(format!("静默 {id} 已结束。{}", what.zh), format!("silence {id} is over. {}", what.en)),
        )
    }

    /// The alerts that a silence matches and of which something is held back.
    fn held_by(&self, silence: &Silence) -> Vec<AlertKey> {
        let matches = |alert: &&Alert| alert.is_firing() && silence.matches.matches(&self.about(alert));
        let held = self.hush.held.iter().filter_map(|key| self.alert(key)).filter(matches);
        held.map(|alert| alert.key.clone()).collect()
    }

    /// What becomes of what a silence held back: it is told now, unless something else covers it.
    fn after_silence(&self, held: &[AlertKey], now: Timestamp) -> Message {
        let told = |alert: &&Alert| {
            let mut lines = alert.lines.iter().filter(|line| line.held);
            lines.any(|line| self.hushed(alert, &line.receiver, now).is_none())
        };
        let free = held.iter().filter_map(|key| self.alert(key)).filter(told).count();
        let covered = held.len() - free;
        match (free, covered) {
            (0, 0) => Message::new("期间没有压下提醒", "Nothing was held back"),
            (0, _) => Message::new(
                format!("{covered} 条还在提醒，但仍被别的静默、抑制或免打扰压着，等那些结束再告知"),
                format!("{covered} still ring, and something else holds them back: they are told when that is over"),
            ),
            (_, 0) => Message::new(
                format!("{free} 条还在提醒，马上告知"),
                format!("What still rings is told at once: {free}"),
            ),
            _ => Message::new(
                format!("{free} 条还在提醒，马上告知；另有 {covered} 条仍被别的静默、抑制或免打扰压着"),
                format!("What still rings is told at once: {free}; something else holds {covered} more back"),
            ),
        }
    }

    /// Ends the silences whose time is over.
    pub(super) fn expire_silences(&mut self, now: Timestamp) {
        let over: Vec<Silence> = self.hush.in_force().filter(|silence| silence.until <= now).cloned().collect();
        for silence in over {
            self.finish_silence(silence, Actor::Deskbell, now);
        }
    }

    fn finish_silence(&mut self, mut silence: Silence, by: Actor, now: Timestamp) {
        let (id, by_words) = (silence.id, by.words());
        let note = if by == Actor::Deskbell {
            Message::new(format!("静默 {id} 到时结束"), format!("silence {id} ran out"))
        } else {
            Message::new(format!("{} 结束了静默 {id}", by_words.zh), format!("{} ended silence {id}", by_words.en))
        };
        self.journal_silence(&silence, "silence_over", note, now);
        silence.until = silence.until.min(now);
        silence.ended_by = Some(by);
        self.hush.silences.insert(id, silence.clone());
        if self.hush.silences.keys().next_back() == Some(&id) {
            self.write(Write::Silence(Box::new(silence.clone())));
        }
        self.drop_ended_silences();
        self.hush.something_ended = true;
        self.hush.look_again();
        self.show_on_cards(&silence.matches, now);
    }

    /// Lets go of silences that are over; the last one's number must not be given away again.
    fn drop_ended_silences(&mut self) {
        let last = self.hush.silences.keys().next_back().copied();
        let over = |silence: &&Silence| silence.ended_by.is_some() && Some(silence.id) != last;
        let over: Vec<SilenceId> = self.hush.silences.values().filter(over).map(|silence| silence.id).collect();
        for id in over {
            self.hush.silences.remove(&id);
            self.write(Write::DropSilence(id));
        }
    }

    /// What the store kept of silences. Those whose time is over are so now.
    pub(super) fn take_up_silences(&mut self, stored: Vec<Silence>, now: Timestamp) {
        self.hush.silences = stored.into_iter().map(|silence| (silence.id, silence)).collect();
        let held = |alert: &&Alert| alert.is_firing() && alert.lines.iter().any(|line| line.held);
        self.hush.held = self.alerts.values().flatten().filter(held).map(|alert| alert.key.clone()).collect();
        // The first reading comes before anything is told of what lay in the store.
        self.hush.look_at = now.plus(super::machine::REFRESH_PATIENCE);
    }

    /// The clock was set back: no silence lasts longer than it was meant to.
    pub(super) fn rewind_silences(&mut self, now: Timestamp) {
        let ahead: Vec<Silence> = self.hush.in_force().filter(|silence| silence.from > now).cloned().collect();
        for silence in ahead {
            let until = now.plus(silence.until.since(silence.from));
            let silence = Silence { from: now, until, ..silence };
            self.write(Write::Silence(Box::new(silence.clone())));
            self.hush.silences.insert(silence.id, silence);
        }
        self.hush.asked_at = self.hush.asked_at.map(|at| at.min(now));
        self.hush.look_again();
    }

    /// When a silence asked for now would be over: working days are those of the rule it names, or of a rule that
    /// rings on its ticket.
    fn silence_until(&self, new: &NewSilence, now: Timestamp) -> Timestamp {
        let named = new.matches.rule.as_ref().and_then(|name| self.rule_named(name));
        let rings = || {
            let subject = Subject::Ticket(new.matches.ticket.clone()?);
            self.alerts.get(&subject)?.iter().find_map(|alert| self.rule_named(&alert.key.rule))
        };
        let of_work = |rule: &&std::sync::Arc<Rule>| rule.pace.calendar().is_some();
        let rule = named.or_else(rings).filter(of_work).or_else(|| self.rules.values().find(of_work));
        new.lasts.ends(now, rule.and_then(|rule| rule.pace.calendar()), self.settings.zone)
    }

    /// Whether they may: one ticket for a day or until the next working day, whoever may act on alerts here, which was
    /// asked before; anything else, whoever manages.
    fn may_silence(&self, act: &Act, matches: &Matcher, until: Timestamp, now: Timestamp) -> Result<(), Acted> {
        if matches.is_empty() {
            let words = match act.place {
                Place::Chat(..) => Message::new(
                    "请说明静默什么：/silence #4F7A2C 2h，或 /silence 规则 名称 2h",
                    "say what to silence: /silence #4F7A2C 2h, or /silence rule <name> 2h",
                ),
                Place::Admin => Message::new(
                    "请说明静默什么：--ticket、--rule、--severity、--source、--team 或 --when",
                    "say what to silence: --ticket, --rule, --severity, --source, --team or --when",
                ),
            };
            return Err(acted(Tone::Refused, words));
        }
        if self.hush.in_force().count() >= SILENCES_MAX {
            let name = commands(&act.place);
            let words = Message::new(
                format!("最多同时 {SILENCES_MAX} 个静默。请先用 {name} end 结束几个"),
                format!("there are {SILENCES_MAX} silences, the most there may be; end some with {name} end first"),
            );
            return Err(acted(Tone::Refused, words));
        }
        if until < now.plus(LASTS_MIN) || until > now.plus(LASTS_MANAGED_MAX) {
            let words = Message::new(
                "静默最短 1 分钟，最长 30 天。例如 2h、1d、until 18:00、明天",
                "a silence lasts from 1 minute to 30 days: 2h, 1d, until 18:00, tomorrow",
            );
            return Err(acted(Tone::Refused, words));
        }
        if self.has_authority(act, matches, until, now) {
            Ok(())
        } else {
            Err(acted(Tone::Refused, self.only_managers(matches, now)))
        }
    }

    /// Why a matcher could never match: it names a rule, a source or a team that there is not.
    fn names_nothing(&self, matches: &Matcher) -> Option<Message> {
        if let Some(rule) = matches.rule.as_ref().filter(|rule| self.rule_named(rule).is_none()) {
            return Some(Message::new(
                format!("没有叫“{rule}”的规则，deskbell rules 列出全部"),
                format!("there is no rule \"{rule}\"; deskbell rules lists all"),
            ));
        }
        if let Some(source) = matches.source.as_ref().filter(|source| !self.settings.sources.contains_key(*source)) {
            return Some(Message::new(
                format!("没有叫“{source}”的数据源，deskbell status 列出全部"),
                format!("there is no source \"{source}\"; deskbell status lists all"),
            ));
        }
        let is_team = |team: &TeamName| {
            let mut labels = self.settings.sources.values().map(|source| &source.labels);
            labels.any(|labels| labels.teams.iter().any(|known| known.name == *team))
        };
        matches.team.as_ref().filter(|team| !is_team(team)).map(|team| {
            Message::new(
                format!("没有叫“{team}”的团队，见配置的 teams"),
                format!("there is no team \"{team}\"; see `teams` of the configuration"),
            )
        })
    }

    fn has_authority(&self, act: &Act, matches: &Matcher, until: Timestamp, now: Timestamp) -> bool {
        let few = || matches.ticket.is_some() && until <= self.longest_for_all(matches, now);
        act.place == Place::Admin || self.is_manager(&act.by) || few()
    }

    /// Until when whoever may act may silence one ticket: for a day, or until the next working day.
    fn longest_for_all(&self, matches: &Matcher, now: Timestamp) -> Timestamp {
        let workday = NewSilence { matches: matches.clone(), reason: "".into(), lasts: Rest::NextWorkday };
        now.plus(LASTS_MAX).max(self.silence_until(&workday, now))
    }

    /// Why they may not silence this, and what they can do instead.
    fn only_managers(&self, matches: &Matcher, now: Timestamp) -> Message {
        let who = self.managers();
        if matches.ticket.is_some() {
            let longest = self.day_words(self.longest_for_all(matches, now), now);
            return Message::new(
                format!(
                    "一张工单最多静默到 {}；更久只有管理者可以（chat.access.manage：{}）。请写短一点，例如 /silence #4F7A2C 2h",
                    longest.zh, who.zh
                ),
                format!(
                    "one ticket is silenced until {} at most; longer only by those who manage (chat.access.manage: {}). Write a shorter time, for example /silence #4F7A2C 2h",
                    longest.en, who.en
                ),
            );
        }
        Message::new(
            format!(
                "静默规则、来源、团队、级别或条件，只有管理者可以（chat.access.manage：{}）。您可以只静默一张工单：/silence #4F7A2C 2h",
                who.zh
            ),
            format!(
                "a rule, source, team, severity or condition is silenced by those who manage (chat.access.manage: {}). You can silence one ticket: /silence #4F7A2C 2h",
                who.en
            ),
        )
    }

    /// Why they may not end this silence.
    fn only_managers_end(&self, silence: &Silence) -> Message {
        let (id, by, who) = (silence.id, silence.by.words(), self.managers());
        Message::new(
            format!("静默 {id} 只有 {} 自己和管理者可以结束（chat.access.manage：{}）", by.zh, who.zh),
            format!("silence {id} is ended by {} or by those who manage (chat.access.manage: {})", by.en, who.en),
        )
    }

    /// Who manages, by name.
    fn managers(&self) -> Message {
        let manage = &self.settings.access.manage;
        let names: Vec<&str> = manage.iter().take(NAMED_MAX).map(PersonId::as_str).collect();
        match (names.as_slice(), manage.len() > NAMED_MAX) {
            ([], _) => Message::new("现在还没有写谁", "nobody is listed there yet"),
            (_, false) => Message::new(names.join("、"), names.join(", ")),
            (_, true) => Message::new(format!("{} 等", names.join("、")), format!("{} and others", names.join(", "))),
        }
    }

    fn added_words(&self, silence: &Silence, place: &Place, now: Timestamp) -> Message {
        let (mut what, by) = (silence.matches.words(), silence.by.words());
        let title = silence.matches.ticket.clone().and_then(|key| self.title_of(&Subject::Ticket(key)));
        if let Some(title) = title.map(|title| cut(&one_line(&title), TITLE_CHARS_MAX)) {
            what = Message::new(format!("{} {title}", what.zh), format!("{} {title}", what.en));
        }
        let (id, until, name) = (silence.id, self.day_words(silence.until, now), commands(place));
        let why = reason_words(&silence.reason);
        let ringing = self.ringing_under(&silence.matches).count();
        let plural = if ringing == 1 { "alert matches" } else { "alerts match" };
        Message::new(
            format!(
                "已静默 {id}：{}，到 {}（{}：{}）。现在正在提醒的有 {ringing} 条在内。期间不再发新通知，结束照常告知；到时仍在提醒的合为一条。提前结束：{name} end {id}",
                what.zh, until.zh, by.zh, why.zh
            ),
            format!(
                "silenced {id}: {}, until {} ({}: {}). {ringing} {plural} now. No new notices meanwhile, endings are told as usual; what still rings then comes in one notice. To end it early: {name} end {id}",
                what.en, until.en, by.en, why.en
            ),
        )
    }

    /// Ringing alerts that a matcher matches: looked for on its ticket or under its rule, where it names one.
    fn ringing_under<'a>(&'a self, matches: &'a Matcher) -> impl Iterator<Item = &'a Alert> + 'a {
        let subject = matches.ticket.clone().map(Subject::Ticket);
        let on_ticket = subject.as_ref().and_then(|subject| self.alerts.get(subject)).into_iter().flatten();
        let light = |severity| matches.severity.is_none_or(|most| severity <= most);
        let anywhere = subject.is_none().then(|| self.ringing_by(matches.rule.as_ref(), light)).into_iter().flatten();
        let ringing = on_ticket.chain(anywhere).filter(|alert| alert.is_firing() && !alert.trial);
        ringing.filter(|alert| matches.matches(&self.about(alert)))
    }

    /// The cards of the alerts it matches say so, or say so no longer.
    fn show_on_cards(&mut self, matches: &Matcher, now: Timestamp) {
        let has_card = |alert: &Alert| {
            alert.lines.iter().any(|line| {
                let card: CardKey = super::outbox::card_of(alert, &line.receiver);
                self.cards.get(&card).is_some_and(|card| card.message.is_some())
            })
        };
        let shown: Vec<AlertKey> = self
            .ringing_under(matches)
            .filter(|alert| has_card(alert))
            .map(|alert| alert.key.clone())
            .take(REFRESHED_MAX)
            .collect();
        for key in shown {
            if let Some(alert) = self.alert(&key).cloned() {
                self.put_alert(Alert { rev: alert.rev + 1, ..alert });
                self.refresh_cards(&key, now);
            }
        }
    }

    fn journal_silence(&mut self, silence: &Silence, what: &'static str, note: Message, now: Timestamp) {
        let ticket: Option<&TicketKey> = silence.matches.ticket.as_ref();
        let subject = ticket.map_or(Subject::Service, |key| Subject::Ticket(key.clone()));
        let rule: Option<&RuleName> = silence.matches.rule.as_ref();
        self.journal(now, (&subject, rule, 0), what, note);
    }
}

/// How silences are seen to where someone is.
const fn commands(place: &Place) -> &'static str {
    match place {
        Place::Chat(..) => "/silence",
        Place::Admin => "deskbell silence",
    }
}

fn acted(tone: Tone, words: Message) -> Acted {
    Acted { tone, words, card: None }
}

fn over_words(id: SilenceId) -> Message {
    Message::new(format!("静默 {id} 已经结束"), format!("silence {id} is over already"))
}
