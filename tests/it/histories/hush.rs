//! Histories with silences, inhibitions and quiet hours beside the same history without them: the alerts are the same,
//! nothing rings under a hush, and at its end each receiver is told once, of exactly what still rings.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use deskbell::domain::{
    actor::Actor,
    alert::{Alert, AlertKey},
    calendar::{Calendar, Frame, Plan},
    deed::{Act, Deed, NewSilence, Place, Rest, Tone},
    delivery::{Delivered, SendReport},
    desk::{
        input::{Input, Observed, Page, PassEnded, PassKind},
        machine::Desk,
        outcome::{Effect, Outcome},
        settings::{Inhibit, Settings, Shared},
    },
    id::{MessageId, ReceiverName, SilenceId},
    notice::{Content, DigestCause, NoticeKey, Send, Step, Target},
    receiver::{Quiet, ReceiverKind},
    rule::{Severity, Until},
    silence::Matcher,
    text::Locale,
    time::{Span, Timestamp},
};

use super::{
    helpdesk::{self, Helpdesk, SOURCE},
    kinds, oracle,
    random::Random,
    store::MapStore,
};

/// Histories of a plain test run.
const SEEDS: u64 = 120;

/// How long one is, and how often the source is read: what is told is always fresh.
const LASTS: Span = Span::from_hours(5);
const POLL_EVERY: Span = Span::from_secs(19);

/// How much later than it could be something may be told.
const LATE_MAX: Span = Span::from_secs(45);

/// What happens in a history, the same with and without hushing.
#[derive(Clone)]
enum Event {
    Create,
    Change(u64),
    Restart,
    Silence(NewSilence),
    End(u32),
}

/// A history to be run.
struct Script {
    start: Timestamp,
    events: BTreeMap<(Timestamp, u32), Event>,
    settings: Settings,
}

fn script(seed: u64) -> Script {
    let mut random = Random::new(seed ^ 0x4855_5348);
    let start = Timestamp::from_ms(1_790_000_000_000 + random.within(0, 86_400_000));
    let mut events = BTreeMap::new();
    let mut number = 0;
    let mut add = |random: &mut Random, event: Event| {
        number += 1;
        events.insert((start.plus(Span::from_ms(random.within(1_000, LASTS.as_ms() - 1))), number), event);
    };
    for _ in 0..random.within(2, 5) {
        add(&mut random, Event::Create);
    }
    for _ in 0..random.within(15, 45) {
        let change = random.below(u64::MAX);
        add(&mut random, Event::Change(change));
    }
    for _ in 0..random.within(0, 2) {
        add(&mut random, Event::Restart);
    }
    for _ in 0..random.within(0, 4) {
        let new = silence(&mut random);
        add(&mut random, Event::Silence(new));
    }
    for _ in 0..random.within(0, 2) {
        let id = u32::try_from(random.within(1, 4)).unwrap();
        add(&mut random, Event::End(id));
    }
    events.insert((start, 0), Event::Create);
    let mut settings = oracle::settings(&mut random);
    settings.storm = None; // storms have histories of their own
    for source in settings.sources.values_mut() {
        source.catch_up = deskbell::domain::rule::CatchUp::Each;
    }
    if random.chance(50) {
        let by_rule = random.chance(50);
        let of_rule = |name: &str| Matcher { rule: Some(name.into()), ..Matcher::default() };
        let less = Matcher { severity: Some(Severity::Warning), ..Matcher::default() };
        settings.inhibits.push(Inhibit {
            while_ringing: of_rule("urgent"),
            mutes: if by_rule { of_rule("bad-score") } else { less },
            same: vec![Shared::Ticket],
        });
    }
    if random.chance(50) {
        let quiet = quiet(&mut random, &settings, start);
        let support = settings.receivers.get_mut(&ReceiverName::from("support")).unwrap();
        support.quiet = Some(quiet);
    }
    Script { start, events, settings }
}

fn silence(random: &mut Random) -> NewSilence {
    let matches = match random.below(4) {
        0 => Matcher { rule: Some("waiting".into()), ..Matcher::default() },
        1 => Matcher { severity: Some(Severity::Warning), ..Matcher::default() },
        2 => Matcher { source: Some(SOURCE.into()), ..Matcher::default() },
        _ => Matcher { ticket: Some(helpdesk::key(1_000 + random.below(3))), ..Matcher::default() },
    };
    NewSilence { matches, reason: "".into(), lasts: Rest::For(Span::from_mins(random.within(5, 120))) }
}

/// A stretch of the day, an hour or two after the beginning.
pub(super) fn quiet(random: &mut Random, settings: &Settings, start: Timestamp) -> Quiet {
    let minute = start.plus(Span::from_mins(random.within(10, 120))).as_ms() / 60_000 + 8 * 60;
    let from = u32::try_from(minute.rem_euclid(24 * 60)).unwrap();
    let to = from + u32::try_from(random.within(15, 90)).unwrap();
    let week = [(); 7].map(|()| vec![Frame { from, to }]);
    let plan = Plan { name: "quiet".into(), zone: settings.zone, week, dates: BTreeMap::new(), known_through: None };
    let except = random.chance(50).then_some(Severity::Critical);
    Quiet { hours: Arc::new(Calendar::new(plan)), except }
}

/// A send, as it arrived.
struct Told {
    at: Timestamp,
    send: Box<Send>,
}

/// A run of a script.
struct Run<'s> {
    script: &'s Script,
    settings: Settings,
    desk: Desk,
    store: MapStore,
    helpdesk: Helpdesk,
    now: Timestamp,
    told: Vec<Told>,
    /// What each card shows: whether its alert rings.
    cards: BTreeMap<MessageId, (NoticeKey, bool)>,
    passes: u64,
    /// Silences that were asked for: what they match, from when and until when.
    silences: Vec<(Matcher, Timestamp, Timestamp)>,
    hushes: bool,
}

impl<'s> Run<'s> {
    fn new(script: &'s Script, hushes: bool) -> Self {
        let mut settings = script.settings.clone();
        if !hushes {
            settings.inhibits.clear();
            settings.receivers.values_mut().for_each(|receiver| receiver.quiet = None);
        }
        let (store, now) = (MapStore::default(), script.start);
        let (desk, outcome) = Desk::open(store.stored(), Arc::new(kinds::rules()), settings.clone(), now);
        let (helpdesk, told, cards, silences) = (Helpdesk::default(), Vec::new(), BTreeMap::new(), Vec::new());
        let mut run = Self { script, settings, desk, store, helpdesk, now, told, cards, passes: 0, silences, hushes };
        run.take(outcome);
        run
    }

    /// Runs to the end; `look` sees the run after each instant at which something happened.
    fn run(&mut self, mut look: impl FnMut(&Self)) {
        let script = self.script;
        let ends_at = script.start.plus(LASTS);
        let mut events = script.events.iter().peekable();
        let mut poll = script.start.plus(Span::from_secs(1));
        loop {
            let event = events.peek().map_or(Timestamp::NEVER, |((at, _), _)| *at);
            let tick = self.desk.next_due().max(self.now);
            let next = event.min(poll).min(tick);
            if next > ends_at {
                return;
            }
            self.now = next;
            if event == next {
                let event = events.next().unwrap().1.clone();
                self.happen(event);
            } else if poll == next {
                self.poll();
                poll = poll.plus(POLL_EVERY);
            } else {
                self.handle(Input::Tick);
                if self.desk.next_due() <= self.now {
                    self.now = self.now.plus(Span::from_ms(1));
                }
            }
            look(self);
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Create => self.helpdesk.create(self.now),
            Event::Change(seed) => self.helpdesk.change(&mut Random::new(seed), self.now),
            Event::Restart => {
                let rules = Arc::new(kinds::rules());
                let (desk, outcome) = Desk::open(self.store.stored(), rules, self.settings.clone(), self.now);
                self.desk = desk;
                self.take(outcome);
            }
            Event::Silence(_) | Event::End(_) if !self.hushes => {}
            Event::Silence(new) => {
                let Rest::For(span) = new.lasts else { unreachable!("they last a while") };
                self.silences.push((new.matches.clone(), self.now, self.now.plus(span)));
                let id = format!("silence-{}", self.silences.len());
                let first = self.act(&id, Deed::Silence(Box::new(new.clone())));
                assert_eq!(first, Tone::Done);
                // The same deed again is one silence.
                assert_eq!(self.act(&id, Deed::Silence(Box::new(new))), Tone::Done);
            }
            Event::End(number) => {
                let known = self.silences.len();
                let silence = usize::try_from(number).ok().and_then(|at| self.silences.get_mut(at - 1));
                let runs = silence.as_ref().is_some_and(|(_, _, until)| *until > self.now);
                if let Some((_, _, until)) = silence {
                    *until = self.now.min(*until);
                }
                let id = format!("end-{number}-{}", self.now.as_ms());
                let tone = self.act(&id, Deed::EndSilence(SilenceId(number)));
                let expected = match (runs, number as usize <= known) {
                    (true, _) => Tone::Done,
                    (false, true) => Tone::Already,
                    (false, false) => Tone::Missing,
                };
                assert_eq!(tone, expected, "ending S{number}");
            }
        }
    }

    fn act(&mut self, id: &str, deed: Deed) -> Tone {
        let act = Act {
            id: MessageId::from(id),
            by: Actor::Operator("ops".into()),
            place: Place::Admin,
            clicked: None,
            deed,
            locale: Locale::Zh,
        };
        let mut outcome = self.desk.handle(Input::Act(Box::new(act)), self.now);
        let tone = outcome.acted.take().expect("a deed is answered").tone;
        self.take(outcome);
        tone
    }

    fn poll(&mut self) {
        self.passes += 1;
        let (source, pass, asked_at) = (SOURCE.into(), self.passes, self.now);
        let observed = |(number, truth): (&u64, &helpdesk::Truth)| {
            let (hash, ticket) = helpdesk::shown(*number, truth);
            let key = helpdesk::key(*number);
            let ticket = (!self.desk.is_unchanged(&key, hash)).then(|| Arc::new(ticket));
            Observed { key, hash, ticket }
        };
        let tickets = self.helpdesk.tickets.iter().map(observed).collect();
        self.handle(Input::Page(Page { source, pass, kind: PassKind::Sweep, asked_at, tickets }));
        let kind = if self.passes == 1 { PassKind::Sweep } else { PassKind::Increment };
        self.handle(Input::PassEnded(PassEnded {
            source: SOURCE.into(),
            pass,
            kind,
            started_at: self.now,
            calls: 1,
            every: POLL_EVERY,
            next_poll: self.now.plus(POLL_EVERY),
            broken: 0,
            result: Ok(()),
        }));
    }

    fn handle(&mut self, input: Input) {
        let outcome = self.desk.handle(input, self.now);
        self.take(outcome);
    }

    /// What is decided is durable at once, and every send arrives.
    fn take(&mut self, outcome: Outcome) {
        self.store.commit(outcome.writes);
        for effect in outcome.effects {
            if let Effect::Send(send) = effect {
                let report = self.deliver(&send);
                self.told.push(Told { at: self.now, send });
                self.handle(Input::Sent(report));
            }
        }
    }

    fn deliver(&mut self, send: &Send) -> SendReport {
        let receiver = self.settings.receivers.get(&send.key.receiver);
        let names = receiver.is_some_and(|receiver| matches!(receiver.kind, ReceiverKind::Chat(_)));
        let id = match &send.target {
            Target::Patch(id) => id.clone(),
            _ => MessageId::from(format!("om_{}", self.told.len()).as_str()),
        };
        let rings = match &send.content {
            Content::Alert(view) => view.alert.is_firing(),
            Content::Digest(view) => view.firing > 0,
            _ => false,
        };
        if let Some((_, shown)) = self.cards.get_mut(&id) {
            *shown = rings;
        } else if names
            && matches!(send.key.step, Step::Fired | Step::Digest)
            && !matches!(send.target, Target::Reply(_))
        {
            self.cards.insert(id.clone(), (send.key.clone(), rings));
        }
        let result = Ok(Delivered { message_id: names.then_some(id), absent: Vec::new() });
        SendReport { key: send.key.clone(), rev: send.rev, attempts: send.attempts, result }
    }

    /// Whether a receiver must not be told of an alert now, said without the desk.
    fn is_hushed(&self, alert: &Alert, receiver: &ReceiverName) -> bool {
        let silenced = self.silences.iter().any(|(matches, from, until)| {
            (*from..*until).contains(&self.now)
                && match matches {
                    Matcher { rule: Some(rule), .. } => alert.key.rule == *rule,
                    Matcher { severity: Some(most), .. } => alert.severity <= *most,
                    Matcher { source: Some(_), .. } => alert.key.subject.ticket().is_some(),
                    Matcher { ticket, .. } => alert.key.subject.ticket() == ticket.as_ref(),
                }
        });
        let quiet = self.settings.receivers.get(receiver).and_then(|receiver| receiver.quiet.as_ref());
        let asleep = quiet.is_some_and(|quiet| {
            quiet.hours.is_open(self.now) && quiet.except.is_none_or(|least| alert.severity < least)
        });
        let inhibited = self.settings.inhibits.iter().any(|inhibit| {
            let urgent = AlertKey { subject: alert.key.subject.clone(), rule: "urgent".into() };
            let rings = self.store.alerts.get(&urgent).is_some_and(Alert::is_firing);
            let muted = match (&inhibit.mutes.rule, inhibit.mutes.severity) {
                (Some(rule), _) => alert.key.rule == *rule,
                (None, most) => most.is_some_and(|most| alert.severity <= most),
            };
            rings && muted && alert.key.rule != urgent.rule && alert.key.subject.ticket().is_some()
        });
        silenced || asleep || inhibited
    }
}

fn is_ringing(step: Step) -> bool {
    matches!(step, Step::Fired | Step::Repeated | Step::Escalated | Step::Woken | Step::Fallback)
}

/// What must be the same with and without hushing.
fn states(run: &Run<'_>) -> BTreeMap<AlertKey, String> {
    let state = |alert: &Alert| {
        let lines: Vec<_> = alert.lines.iter().map(|line| (&line.receiver, line.repeats, line.next_at)).collect();
        format!("{:?} {} {} {:?} {lines:?}", alert.state, alert.episode, alert.rung, alert.severity)
    };
    run.store.alerts.iter().map(|(key, alert)| (key.clone(), state(alert))).collect()
}

/// Something that the history without hushing told and this one did not yet.
type Missing = BTreeMap<(AlertKey, u32, ReceiverName), Timestamp>;

#[derive(Default)]
struct Watcher {
    seen: usize,
    missing: Missing,
    /// Notices that count as told.
    sent: BTreeSet<NoticeKey>,
    /// When something that was missing could have been told first.
    free_since: BTreeMap<(AlertKey, u32, ReceiverName), Timestamp>,
    /// When it was told last together with others: with it all that was due by then.
    together: BTreeMap<(AlertKey, u32, ReceiverName), Timestamp>,
    catch_ups: usize,
    held: usize,
    singles: usize,
}

impl Watcher {
    /// Looks at a run after an instant; `plain` says what the history without hushing told, in order.
    fn look(&mut self, run: &Run<'_>, plain: &mut std::iter::Peekable<std::vec::IntoIter<(Timestamp, NoticeKey)>>) {
        for told in run.told.iter().skip(self.seen) {
            self.note(run, told);
        }
        self.seen = run.told.len();
        while let Some((at, key)) = plain.next_if(|(at, _)| at.plus(Span::from_secs(5)) <= run.now) {
            let alert = AlertKey { subject: key.subject.clone(), rule: key.rule.clone() };
            let place = (alert, key.episode, key.receiver.clone());
            if !self.sent.contains(&key) && self.together.get(&place).is_none_or(|told| *told < at) {
                self.held += 1;
                self.missing.entry(place).or_insert(run.now);
            }
        }
        let rings = |key: &AlertKey, episode: u32| {
            run.store.alerts.get(key).filter(|alert| alert.is_firing() && alert.episode == episode)
        };
        self.missing.retain(|(key, episode, _), _| rings(key, *episode).is_some());
        let missing = &self.missing;
        self.free_since.retain(|key, _| missing.contains_key(key));
        for place in self.missing.keys() {
            let (key, episode, receiver) = place;
            if rings(key, *episode).is_some_and(|alert| run.is_hushed(alert, receiver)) {
                self.free_since.remove(place);
                continue;
            }
            // After a restart the first reading comes first.
            let since = *self.free_since.entry(place.clone()).or_insert(run.now);
            let late = run.now.since(since);
            assert!(late <= LATE_MAX.times(3), "nobody told {place:?} for {late:?} after it could have been");
        }
    }

    fn note(&mut self, run: &Run<'_>, told: &Told) {
        let key = &told.send.key;
        match &told.send.content {
            Content::Alert(view) if is_ringing(key.step) => {
                assert!(!run.is_hushed(&view.alert, &key.receiver), "rang under a hush: {key:?} at {:?}", told.at);
                self.sent.insert(key.clone());
                let place = (view.alert.key.clone(), key.episode, key.receiver.clone());
                self.singles += usize::from(self.missing.remove(&place).is_some());
            }
            Content::Digest(view) if key.step == Step::Digest && is_catch_up(view.cause) => {
                self.catch_ups += 1;
                let mut listed = 0;
                for line in &view.lines {
                    let place = self.missing.keys().find(|(alert, episode, receiver)| {
                        *receiver == key.receiver
                            && deskbell::domain::alert::reference(alert, *episode) == line.reference
                    });
                    let place = place.cloned().unwrap_or_else(|| panic!("was not held back: {line:?} in {key:?}"));
                    assert!(line.firing, "it was over: {line:?}");
                    self.missing.remove(&place);
                    self.together.insert(place, told.at);
                    listed += 1;
                }
                assert!(listed > 0 && view.lines.len() == view.total, "{view:?}");
                let left: Vec<_> = self
                    .missing
                    .keys()
                    .filter(|(alert, episode, receiver)| {
                        let alert = run.store.alerts.get(alert).filter(|alert| alert.episode == *episode);
                        *receiver == key.receiver
                            && alert.is_some_and(|alert| alert.is_firing() && !run.is_hushed(alert, receiver))
                    })
                    .collect();
                assert!(left.is_empty(), "left out of the catch-up {key:?}: {left:?}");
            }
            _ => {}
        }
    }
}

const fn is_catch_up(cause: DigestCause) -> bool {
    matches!(cause, DigestCause::SilenceOver | DigestCause::QuietOver)
}

/// Whoever was told a beginning was told the end.
fn ends_are_told(run: &Run<'_>) {
    for (key, rings) in run.cards.values().filter(|(key, _)| key.step == Step::Fired) {
        let alert = run.store.alerts.get(&AlertKey { subject: key.subject.clone(), rule: key.rule.clone() });
        let firing = alert.is_some_and(|alert| alert.is_firing());
        let same = alert.is_some_and(|alert| alert.episode == key.episode);
        assert!(*rings == firing || !same, "a card shows {rings}, the alert rings {firing}: {key:?}");
    }
    for told in run.told.iter().filter(|told| told.send.key.receiver.as_str() == "bot") {
        let Content::Alert(view) = &told.send.content else { continue };
        let (key, now) = (&view.alert.key, run.store.alerts.get(&view.alert.key));
        if told.send.key.step != Step::Fired
            || now.is_some_and(|now| now.is_firing() || now.episode != view.alert.episode)
        {
            continue;
        }
        let ended = run
            .told
            .iter()
            .any(|other| other.send.key == NoticeKey { step: Step::Ended, ordinal: 0, ..told.send.key.clone() });
        assert!(ended, "a bot was told the beginning and not the end: {key:?}");
    }
}

#[test]
fn hushing_changes_who_is_told_and_nothing_else() {
    let seeds = super::number("DESKBELL_SEED").map_or(0..SEEDS, |seed| seed..seed + 1);
    let (mut held, mut catch_ups, mut singles) = (0, 0, 0);
    for seed in seeds.clone() {
        println!("seed {seed}");
        let script = script(seed);
        assert!(kinds::rules().rules.values().any(|rule| matches!(rule.until, Until::Handled)));
        let mut plain = Run::new(&script, false);
        plain.run(|_| {});
        let rang = plain.told.iter().filter(|told| is_ringing(told.send.key.step));
        let rang: Vec<_> = rang.map(|told| (told.at, told.send.key.clone())).collect();
        let mut rang = rang.into_iter().peekable();
        let mut watcher = Watcher::default();
        let mut hushed = Run::new(&script, true);
        hushed.run(|run| watcher.look(run, &mut rang));
        assert_eq!(states(&plain), states(&hushed), "seed {seed}: a hush changed an alert");
        ends_are_told(&hushed);
        held += watcher.held;
        catch_ups += watcher.catch_ups;
        singles += watcher.singles;
    }
    println!("{held} held back, {catch_ups} told together, {singles} alone");
    if seeds.end - seeds.start >= SEEDS {
        assert!(held > 200 && catch_ups > 20 && singles > 20, "too quiet: {held} {catch_ups} {singles}");
    }
}
