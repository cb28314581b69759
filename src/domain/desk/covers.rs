//! Standing in: taking a shift over, giving one's own to someone else, swapping.
//!
//! Members of a rota change what is theirs: they take a shift, and give away those they have themselves. Whoever
//! `access.manage` names, and operators, change anything. Of covers that overlap the one said last holds.

use std::sync::Arc;

use crate::domain::{
    actor::Actor,
    deed::{Act, Acted, NewCover, Place, Tone},
    desk::{acts::refused, machine::Desk, outcome::Write, roster::CONFIRMED_AHEAD},
    id::{RotaName, Subject},
    receiver::{PersonId, Receiver},
    rota::{Cover, OnCall, Rota, words},
    text::{Message, fold},
    time::{Span, Timestamp},
};

/// The longest anyone stands in at one go, and the furthest ahead.
pub const COVER_MAX: Span = Span::from_days(90);

/// Characters of a reason that are told.
pub const REASON_CHARS_MAX: usize = 200;

/// Covers that are kept at most.
const COVERS_MAX: usize = 500;

/// How far ahead the next turn of someone is looked for.
const NEXT_TURN_WITHIN: Span = Span::from_days(92);

/// Changes of people that are looked through for it.
const CHANGES_MAX: usize = 400;

/// Who asks for a change of a rota.
pub(super) struct Asker {
    /// Who they are on the rota, where they are on it.
    pub(super) person: Option<PersonId>,
    /// They may change anything.
    pub(super) manages: bool,
}

/// Whether anyone can stand in from then till then.
///
/// # Errors
/// It is over, ends before it begins, lasts too long or lies too far ahead.
pub fn check_span(from: Timestamp, until: Timestamp, now: Timestamp) -> Result<(), Message> {
    let days = COVER_MAX.as_secs() / Span::from_days(1).as_secs();
    if until <= now {
        return Err(Message::new("结束时间已经过去，没有改", "it would be over already: nothing was changed"));
    }
    if until <= from {
        return Err(Message::new("结束要晚于开始", "it must end after it begins"));
    }
    if until > from.plus(COVER_MAX) {
        return Err(Message::new(
            format!("一次最多 {days} 天，更久请改 rotas 里的 members"),
            format!("at most {days} days at one go; for longer change `members` in `rotas`"),
        ));
    }
    if from > now.plus(COVER_MAX) {
        return Err(Message::new(
            format!("最多提前 {days} 天，更远请写进 dates"),
            format!("at most {days} days ahead; what lies further on goes into `dates`"),
        ));
    }
    Ok(())
}

impl Desk {
    /// Someone stands in.
    pub(super) fn cover(&mut self, act: &Act, new: &NewCover, now: Timestamp) -> Acted {
        let rota = match self.rota_meant(new.rota.as_ref(), &act.by) {
            Ok(rota) => rota,
            Err(acted) => return acted,
        };
        let covers = match self.plan(&rota, act, new, now) {
            Ok(covers) => covers,
            Err(acted) => return acted,
        };
        let (mut zh, mut en) = (Vec::new(), Vec::new());
        for cover in &covers {
            let words = self.cover_words(&rota, cover, now);
            let by = self.arranged_words(act, new);
            let told = Message::new(format!("{}（{}）", words.zh, by.zh), format!("{} ({})", words.en, by.en));
            self.journal(now, (&Subject::Service, None, 0), "cover", told);
            self.put_cover(cover.clone());
            zh.push(words.zh);
            en.push(words.en);
        }
        // Whoever is on call from now on gets the handover, which says everything: one message, not two.
        let came: Vec<PersonId> = self.came(&rota, now).into_iter().map(|(person, _)| person).collect();
        let concerned: Vec<&Cover> = covers.iter().filter(|cover| self.is_concerned(act, &rota, cover)).collect();
        let (now_on, later): (Vec<&Cover>, Vec<&Cover>) =
            concerned.into_iter().partition(|cover| came.contains(&cover.person));
        let arranged = now_on.first().map(|_| self.arranged_words(act, new));
        for cover in later {
            self.tell_concerned(act, new, &rota, cover, now);
        }
        self.see_to_rota_with(&rota.name, arranged, now);
        Acted { tone: Tone::Done, words: Message::new(zh.join("；"), en.join("; ")), card: None }
    }

    fn plan(&self, rota: &Rota, act: &Act, new: &NewCover, now: Timestamp) -> Result<Vec<Cover>, Acted> {
        let asker = self.asker(rota, act)?;
        let stands_in = match (&new.person, &asker.person, act.by.open_id()) {
            (Some(person), ..) => self.as_written(rota, person),
            (None, Some(person), _) => person.clone(),
            (None, None, Some(id)) => PersonId::Open(id.clone()),
            (None, None, None) => return Err(refused(Message::new("请写明由谁来值班", "say who stands in"))),
        };
        if new.person.is_some() {
            self.check_reach(rota, &stands_in).map_err(refused)?;
        }
        let gives = asker.person.as_ref().is_some_and(|me| *me != stands_in);
        let turn = self.turn_meant(rota, &asker, new, gives, now)?;
        let from = new.from.unwrap_or(turn.from).max(now);
        let until = match (new.until, turn.until) {
            (Some(until), _) => until,
            (None, until) if until.is_never() => {
                return Err(refused(Message::new("请写明到什么时候", "say until when")));
            }
            (None, until) => until,
        };
        check_span(from, until, now).map_err(refused)?;
        self.check_theirs(rota, &asker, &turn, &stands_in, from, until)?;
        let cover = Cover {
            rota: rota.name.clone(),
            shift: Arc::clone(&turn.shift),
            person: stands_in.clone(),
            from,
            until,
            by: act.by.clone(),
            at: now,
        };
        if self.holds_already(rota, &turn, &stands_in, from, until) {
            let words = self.cover_words(rota, &cover, now);
            let words = Message::new(format!("已经是这样：{}", words.zh), format!("that is so already: {}", words.en));
            return Err(Acted { tone: Tone::Already, words, card: None });
        }
        let mut covers = vec![cover];
        if let (true, Some(me)) = (new.in_return && gives, asker.person) {
            let theirs = self.next_turn(rota, &stands_in, now, |on| on.until <= from || on.from >= until);
            let Some(theirs) = theirs else {
                return Err(refused(Message::new(
                    format!("{} 近期没有可以换的班；只给出去请写 /值班 给", self.name_of(&stands_in)),
                    format!(
                        "{} has no turn soon to swap for; to give yours away write /oncall give",
                        self.name_of(&stands_in)
                    ),
                )));
            };
            let from = theirs.from.max(now);
            let first = covers.first().cloned();
            covers.extend(first.map(|it| Cover { shift: theirs.shift, person: me, from, until: theirs.until, ..it }));
        }
        if self.rosters.covers.len() + covers.len() > COVERS_MAX {
            return Err(refused(Message::new("顶班太多，请先交还一些", "too many stand in: give some back first")));
        }
        Ok(covers)
    }

    /// The turn that changes hands: of the shift that is named, or the one on duty; giving away begins with one's own.
    fn turn_meant(
        &self,
        rota: &Rota,
        asker: &Asker,
        new: &NewCover,
        gives: bool,
        now: Timestamp,
    ) -> Result<OnCall, Acted> {
        let covers = &self.rosters.covers;
        let is_named = |on: &OnCall| new.shift.as_ref().is_none_or(|shift| fold(shift) == fold(&on.shift));
        if let Some(shift) = &new.shift
            && !rota.shifts.iter().any(|known| fold(&known.name) == fold(shift))
        {
            let names: Vec<&str> = rota.shifts.iter().map(|shift| &*shift.name).collect();
            return Err(refused(Message::new(
                format!("值班表 {} 没有班次“{shift}”，有 {}", rota.name, names.join("、")),
                format!("the rota {} has no shift `{shift}`; it has {}", rota.name, names.join(", ")),
            )));
        }
        let at = new.from.unwrap_or(now).max(now);
        let on_call = rota.on_call(covers, at);
        let is_mine = |on: &&OnCall| !gives || asker.person.as_ref() == Some(&on.person);
        let found = on_call.iter().filter(|on| is_named(on)).find(is_mine).cloned();
        let own = asker.person.as_ref().filter(|_| gives);
        let found = found.or_else(|| self.next_turn(rota, own?, at, is_named));
        let found = found.or_else(|| match &new.shift {
            Some(_) => self.first_turn(rota, at, is_named),
            None => rota.on_call(covers, at).into_iter().next(),
        });
        found.ok_or_else(|| {
            refused(Message::new(
                "那时没有班次在值班；请写明班次或时间",
                "no shift is on duty then; name the shift or the time",
            ))
        })
    }

    /// The next turn of someone that begins after `at`.
    fn next_turn(
        &self,
        rota: &Rota,
        person: &PersonId,
        at: Timestamp,
        fits: impl Fn(&OnCall) -> bool,
    ) -> Option<OnCall> {
        self.first_turn(rota, at, |on| on.person == *person && on.from > at && fits(on))
    }

    fn first_turn(&self, rota: &Rota, at: Timestamp, fits: impl Fn(&OnCall) -> bool) -> Option<OnCall> {
        let mut next = at;
        for _ in 0..CHANGES_MAX {
            next = rota.next_change(&self.rosters.covers, next);
            if next > at.plus(NEXT_TURN_WITHIN) {
                return None;
            }
            let on_call = rota.on_call(&self.rosters.covers, next);
            if let Some(found) = on_call.into_iter().find(|on| fits(on)) {
                return Some(found);
            }
        }
        None
    }

    /// Members take what they like and give away what is theirs.
    fn check_theirs(
        &self,
        rota: &Rota,
        asker: &Asker,
        turn: &OnCall,
        stands_in: &PersonId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<(), Acted> {
        let takes = asker.person.as_ref() == Some(stands_in);
        let all_theirs =
            || self.who_is_on(rota, turn, from, until).iter().all(|person| Some(person) == asker.person.as_ref());
        if asker.manages || takes || all_theirs() {
            return Ok(());
        }
        Err(refused(Message::new(
            "只能换自己的班。别人的班可以自己接（/值班 接），或请 chat.access.manage 里的人改",
            "only one's own turns can be given away. Take the turn yourself (/oncall take), or ask someone whom chat.access.manage names",
        )))
    }

    fn holds_already(&self, rota: &Rota, turn: &OnCall, who: &PersonId, from: Timestamp, until: Timestamp) -> bool {
        let people = self.who_is_on(rota, turn, from, until);
        !people.is_empty() && people.iter().all(|person| person == who)
    }

    /// Everyone who is on a shift at some time within a stretch.
    fn who_is_on(&self, rota: &Rota, turn: &OnCall, from: Timestamp, until: Timestamp) -> Vec<PersonId> {
        let stretches = words::stretches(rota, &self.rosters.covers, from, until);
        let duties = stretches.into_iter().flat_map(|stretch| stretch.duties);
        let mut people: Vec<PersonId> =
            duties.filter(|duty| duty.shift == turn.place).map(|duty| duty.person).collect();
        people.sort();
        people.dedup();
        people
    }

    /// Keeps a cover; those it holds over from beginning to end are dropped.
    fn put_cover(&mut self, cover: Cover) {
        let is_over = |old: &Cover| {
            old.rota == cover.rota && old.shift == cover.shift && cover.from <= old.from && old.until <= cover.until
        };
        let (over, left) = std::mem::take(&mut self.rosters.covers).into_iter().partition(is_over);
        self.rosters.covers = left;
        let over: Vec<Cover> = over;
        over.into_iter().for_each(|old| self.write(Write::DropCover(Box::new(old))));
        self.write(Write::Cover(Box::new(cover.clone())));
        self.rosters.covers.push(cover);
    }

    /// Someone looked at who is on call on the next long holiday.
    pub(super) fn confirm_roster(&mut self, act: &Act, rota: Option<&RotaName>, now: Timestamp) -> Acted {
        let rota = match self.rota_meant(rota, &act.by).and_then(|rota| self.asker(&rota, act).map(|_| rota)) {
            Ok(rota) => rota,
            Err(acted) => return acted,
        };
        let days = CONFIRMED_AHEAD.as_secs() / Span::from_days(1).as_secs();
        let Some(holiday) = self.settle_roster(&rota.name, now) else {
            let words = Message::new(
                format!("{days} 天内没有长假，不用确认"),
                format!("no long holiday within {days} days: nothing to confirm"),
            );
            return Acted { tone: Tone::Already, words, card: None };
        };
        let (first, last) = (holiday.first().copied().unwrap_or_default(), holiday.last().copied().unwrap_or_default());
        let (first, last) = (words::day(first), words::day(last));
        let words = Message::new(
            format!("已确认 {} 在 {} 至 {} 的值班，不再提醒", rota.name, first.zh, last.zh),
            format!("{} is confirmed for {} to {}; no more reminders", rota.name, first.en, last.en),
        );
        self.journal(now, (&Subject::Service, None, 0), "roster_confirmed", words.clone());
        Acted { tone: Tone::Done, words, card: None }
    }

    /// The rota that is named, the only one there is, or the only one the asker is on.
    pub(super) fn rota_meant(&self, name: Option<&RotaName>, by: &Actor) -> Result<Arc<Rota>, Acted> {
        let rotas = &self.settings.rotas;
        let missing = |words| Acted { tone: Tone::Missing, words, card: None };
        if rotas.is_empty() {
            let words = Message::new("没有值班表。在配置的 rotas 里写", "there is no rota: write one in `rotas`");
            return Err(missing(words));
        }
        let names: Vec<&str> = rotas.keys().map(RotaName::as_str).collect();
        if let Some(name) = name {
            let folded = fold(name.as_str());
            let found = rotas.values().find(|rota| fold(rota.name.as_str()) == folded);
            return found.cloned().ok_or_else(|| {
                missing(Message::new(
                    format!("没有值班表“{name}”，有 {}", names.join("、")),
                    format!("there is no rota `{name}`; there is {}", names.join(", ")),
                ))
            });
        }
        let is_on = |rota: &&Arc<Rota>| by.open_id().is_some_and(|id| self.member_of(rota, id).is_some());
        let own: Vec<&Arc<Rota>> = rotas.values().filter(is_on).collect();
        match (rotas.len(), rotas.values().next(), own.as_slice()) {
            (1, Some(only), _) => Ok(Arc::clone(only)),
            (_, _, [only]) => Ok(Arc::clone(only)),
            _ => Err(refused(Message::new(
                format!("请写明哪个值班表：{}", names.join("、")),
                format!("say which rota: {}", names.join(", ")),
            ))),
        }
    }

    /// Who asks, and whether they may ask at all.
    pub(super) fn asker(&self, rota: &Rota, act: &Act) -> Result<Asker, Acted> {
        let person = act.by.open_id().and_then(|id| self.member_of(rota, id));
        let manages = act.place == Place::Admin || self.is_manager(&act.by);
        if manages || person.is_some() {
            return Ok(Asker { person, manages });
        }
        Err(refused(Message::new(
            format!(
                "只有值班表 {} 的成员，或 chat.access.manage 里的人可以改。成员是按邮箱认的，刚启动时要等一会儿",
                rota.name
            ),
            format!(
                "only members of the rota {} and people whom chat.access.manage names may change it. Members are known by their email, a moment after the start",
                rota.name
            ),
        )))
    }

    /// A person as the rota writes them, whatever their letters' case or the id they are named by.
    pub(super) fn as_written(&self, rota: &Rota, person: &PersonId) -> PersonId {
        let known = match person {
            PersonId::Open(id) => self.member_of(rota, id),
            other => {
                let is_them = |it: &&PersonId| fold(it.as_str()) == fold(other.as_str()) || self.people.same(it, other);
                rota.people().into_iter().find(is_them).cloned()
            }
        };
        known.unwrap_or_else(|| person.clone())
    }

    pub(super) fn cover_words(&self, rota: &Rota, cover: &Cover, now: Timestamp) -> Message {
        let (who, name, shift) = (self.name_of(&cover.person), &rota.name, &cover.shift);
        let (from, until) = (words::clock(rota.zone, cover.from, now), words::clock(rota.zone, cover.until, now));
        Message::new(
            format!("{name} {shift}：{from} 到 {until} 由 {who} 值班"),
            format!("{name} {shift}: {who} is on call from {from} until {until}"),
        )
    }

    /// Who arranged it, and why where they said so.
    fn arranged_words(&self, act: &Act, new: &NewCover) -> Message {
        let by = self.people.named(&act.by).words();
        match new.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty()) {
            None => Message::new(format!("{} 安排", by.zh), format!("arranged by {}", by.en)),
            Some(reason) => {
                let reason: String =
                    reason.chars().take(REASON_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
                Message::new(format!("{} 安排：{reason}", by.zh), format!("arranged by {}: {reason}", by.en))
            }
        }
    }

    /// Whether whoever stands in did not ask for it themselves.
    fn is_concerned(&self, act: &Act, rota: &Rota, cover: &Cover) -> bool {
        !self.asks_themselves(act, rota, &cover.person)
    }

    /// Whether this is the person who acts.
    pub(super) fn asks_themselves(&self, act: &Act, rota: &Rota, person: &PersonId) -> bool {
        let asked = act.by.open_id().and_then(|id| self.member_of(rota, id));
        asked.as_ref() == Some(person) || act.by.open_id().map(|id| id.as_str()) == Some(person.as_str())
    }

    /// Whoever is put in later hears of it in their direct chat.
    fn tell_concerned(&mut self, act: &Act, new: &NewCover, rota: &Rota, cover: &Cover, now: Timestamp) {
        let (words, by) = (self.cover_words(rota, cover, now), self.arranged_words(act, new));
        let words = Message::new(format!("{}（{}）", words.zh, by.zh), format!("{} ({})", words.en, by.en));
        self.announce_to("cover", Receiver::name_of_person(&cover.person), words, now);
    }
}
