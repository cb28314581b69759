//! A desk on a bench: a source that is read on time, chats that answer at once, a store in maps.

mod outside;
mod people;
mod words;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use deskbell::{
    adapters::{
        rulebook::{alone::typed_condition, names::Names},
        yaml::{
            duration::read_span,
            tree::{Node, NodeKind},
        },
    },
    domain::{
        calendar::{Calendar, Frame, Plan, Wait},
        deed::{Deed, NewSilence, Rest, Which},
        delivery::{FailureKind, HistoryFound, HistoryReport},
        desk::{
            input::{Input, NewRules, PassFailure},
            machine::Desk,
            outcome::{Effect, Outcome},
            settings::{Settings, StormSettings},
        },
        id::{MessageId, ReceiverName, RuleName},
        notice::Send,
        receiver::Quiet,
        rule::{CatchUp, RuleSet, Severity, To},
        silence::{Matcher, Written},
        ticket::Status,
        time::{Span, Timestamp},
    },
};

use self::words::{failure, offset, refusal, status_code};
use super::{duty, tended};
use crate::histories::{
    helpdesk::{self, Truth},
    oracle,
    random::Random,
    store::MapStore,
};

const POLL_EVERY: Span = Span::from_mins(4);
const SWEEP_EVERY: u64 = 5;

/// A desk and everything around it.
pub(super) struct Bench {
    now: Timestamp,
    settings: Settings,
    rules: RuleSet,
    desk: Desk,
    store: MapStore,
    tickets: BTreeMap<u64, Truth>,
    next_poll: Timestamp,
    passes: u64,
    /// Whole passes fail, and how.
    down: Option<PassFailure>,
    /// Single reads fail.
    deaf: bool,
    /// Sends fail, and how.
    refuses: Option<(FailureKind, String)>,
    history_is_readable: bool,
    told: Vec<(Timestamp, String)>,
    messages: u64,
    /// Answers are told in full.
    in_full: bool,
    /// The last digest's card of each receiver.
    digests: BTreeMap<ReceiverName, MessageId>,
    /// What the last digest is called: lines write `DIGEST` for it.
    digest_reference: String,
    /// What the next message hangs on.
    on: Option<MessageId>,
    /// Every message, and whom it was sent to.
    posted: Vec<(ReceiverName, MessageId)>,
    /// Messages that someone deleted.
    deleted: BTreeSet<MessageId>,
    /// Whose sends stay under way.
    slow: Option<String>,
    under_way: Vec<Send>,
}

impl Bench {
    pub(super) fn new(start: Timestamp, catch_up: Option<&str>, storm: Option<StormSettings>) -> Self {
        let mut settings = oracle::settings(&mut Random::new(0));
        settings.storm = storm;
        for source in settings.sources.values_mut() {
            source.catch_up = match catch_up {
                Some("each") => CatchUp::Each,
                Some("none") => CatchUp::None,
                _ => CatchUp::Digest,
            };
        }
        let rules = oracle::rules();
        let store = MapStore::default();
        let (desk, outcome) = Desk::open(store.stored(), Arc::new(rules.clone()), settings.clone(), start);
        let mut bench = Self {
            now: start,
            settings,
            rules,
            desk,
            store,
            tickets: BTreeMap::new(),
            next_poll: start.plus(Span::from_secs(1)),
            passes: 0,
            down: None,
            deaf: false,
            refuses: None,
            history_is_readable: true,
            told: Vec::new(),
            messages: 0,
            in_full: false,
            digests: BTreeMap::new(),
            digest_reference: String::new(),
            on: None,
            posted: Vec::new(),
            deleted: BTreeSet::new(),
            slow: None,
            under_way: Vec::new(),
        };
        bench.take(outcome);
        bench
    }

    /// What a receiver refuses goes to another one.
    pub(super) fn fall_back(&mut self, line: &str) {
        let (from, to) = line.split_once(' ').unwrap();
        self.settings.receivers.get_mut(&ReceiverName::from(from)).unwrap().fallback = Some(to.into());
        let rules = Arc::new(self.rules.clone());
        (self.desk, _) = Desk::open(self.store.stored(), rules, self.settings.clone(), self.now);
    }

    /// What was told, a line each: when, to whom, what, of what.
    pub(super) fn told(&self, start: Timestamp) -> Vec<String> {
        self.told.iter().map(|(at, line)| format!("{} {line}", offset(at.since(start)))).collect()
    }

    /// Lets time go on, with ticks and polls as they come.
    pub(super) fn advance(&mut self, to: Timestamp) {
        let mut ticks = 0;
        loop {
            let tick = self.desk.next_due().max(self.now);
            let next = tick.min(self.next_poll);
            if next > to {
                break;
            }
            self.now = next;
            if tick <= self.next_poll {
                ticks += 1;
                assert!(ticks < 10_000, "the desk wants to be ticked without end");
                self.handle(Input::Tick);
                self.now = self.now.plus(Span::from_ms(1));
            } else {
                self.poll();
            }
        }
        self.now = self.now.max(to);
    }

    /// One entry of a timeline's line.
    pub(super) fn happen(&mut self, key: &str, value: &Node) {
        let word = value.text().unwrap_or_default();
        match key {
            "tickets" => self.change_tickets(value),
            "gone" => drop(self.tickets.remove(&word.parse::<u64>().unwrap())),
            "lost" => self.store.lose(&helpdesk::key(word.parse().unwrap())),
            "down" => self.down = failure(word),
            "deaf" => self.deaf = word == "true",
            "refuses" => self.refuses = refusal(word),
            "deletes" => self.delete_all_of(word),
            "slow" => self.slow = Some(word.to_owned()),
            "lands" => self.land(word),
            "journal" => self.read_journal(word),
            "history" => self.history_is_readable = word == "readable",
            "clock_back" => self.set_clock_back(read_span(word).unwrap()),
            "restart" => self.restart(read_span(word).unwrap()),
            "rules" => self.change_rules(value),
            "poll" => self.poll(),
            "late_poll" => self.late_poll(read_span(word).unwrap()),
            "drops" => self.drop_dead(word),
            "story" => self.story(word),
            "ask" => self.ask(word),
            "does" => self.does(word),
            "tended" => self.tended(word),
            "hushes" => self.hush(word),
            "quiet" => self.quiet(word),
            "covers" => self.cover(word),
            "manages" => self.manage(word),
            "takes_over_api" => self.act_as("portal", Deed::Take(Which::Reference(self.with_digest(word)))),
            "meets" => self.handle(Input::People(vec![duty::known(word)])),
            "says" => self.say(word),
            "replies" => self.reply(word),
            "leaves" => self.handle(Input::People(vec![duty::left(word)])),
            "confirms" => self.act_as(word, Deed::ConfirmRoster(None)),
            other => panic!("{}: {other} is no happening", value.place),
        }
    }

    fn change_tickets(&mut self, value: &Node) {
        let NodeKind::Map(tickets) = &value.kind else { panic!("{}: tickets by number", value.place) };
        for (number, changes) in tickets {
            let number: u64 = number.text.parse().unwrap();
            let fresh = Truth {
                status: Status::Processing,
                score: None,
                urgent: false,
                hidden: false,
                created_at: self.now,
                updated_at: None,
                closed_at: None,
            };
            let mut truth = self.tickets.get(&number).cloned().unwrap_or(fresh);
            if self.tickets.contains_key(&number) {
                truth.updated_at = Some(self.now);
            }
            let NodeKind::Map(changes) = &changes.kind else { panic!("{}: changes by name", changes.place) };
            for (name, value) in changes {
                let word = value.text().unwrap();
                match name.text.as_str() {
                    "status" => truth.status = Status::from_code(status_code(word)),
                    "score" => truth.score = Some(word.parse().unwrap()),
                    "hidden" => truth.hidden = word == "true",
                    "urgent" => truth.urgent = word == "true",
                    "silently" => truth.updated_at = self.tickets.get(&number).and_then(|old| old.updated_at),
                    "closed" => truth.closed_at = Some(self.now.minus(read_span(word).unwrap())),
                    "created" => truth.created_at = self.now.minus(read_span(word).unwrap()),
                    "updated" => truth.updated_at = Some(self.now.minus(read_span(word).unwrap())),
                    other => panic!("{}: {other} is no part of a ticket", value.place),
                }
            }
            self.tickets.insert(number, truth);
        }
    }

    fn change_rules(&mut self, value: &Node) {
        let mut rules = oracle::rules();
        let names: Vec<&str> = value.one_or_many().iter().map(|name| name.text().unwrap()).collect();
        rules.rules.retain(|name, _| names.contains(&name.as_str()) || names.contains(&format!("{name}!").as_str()));
        rules.rules.extend(names.iter().filter_map(|name| {
            // `waiting>leads`: it now tells another receiver.
            let (name, to) = name.split_once('>')?;
            let mut rule = oracle::rules().rules.remove(&RuleName::from(name))?;
            rule.notify.iter_mut().for_each(|line| line.to = To::Receiver(to.into()));
            Some((rule.name.clone(), rule))
        }));
        for name in names.iter().filter_map(|name| name.strip_suffix('!')) {
            // An edited rule: it now asks for a longer time, and says so in its meaning.
            let rule = rules.rules.get_mut(&RuleName::from(name)).unwrap();
            rule.hold = Wait::wall(Span::from_hours(1));
            rule.meaning = 2;
        }
        self.rules = rules.clone();
        self.handle(Input::Rules(NewRules::only(Arc::new(rules))));
    }

    /// `waiting` with a ladder, a short patience for whoever took it, and someone to fall back on.
    fn tended(&mut self, how: &str) {
        self.rules = tended::rules(how);
        self.store = MapStore::default();
        self.restart(Span::ZERO);
    }

    /// `severity warning 2h`, `rule waiting 2h`, `when status: open 2h`: an operator silences something.
    fn hush(&mut self, line: &str) {
        let (what, span) = line.rsplit_once(' ').unwrap();
        let (part, name) = what.split_once(' ').unwrap();
        let mut matches = Matcher::default();
        match part {
            "rule" => matches.rule = Some(name.into()),
            "severity" => matches.severity = Some(Severity::Warning),
            _ => {
                let condition = typed_condition(name, &Names::default()).unwrap();
                matches.when = Some(Written { text: name.into(), condition: Some(condition) });
            }
        }
        let lasts = Rest::For(read_span(span).unwrap());
        self.act_as("ops", Deed::Silence(Box::new(NewSilence { matches, reason: "".into(), lasts })));
    }

    /// `leads 1h 4h`: a receiver's quiet hours, from now on in so long, and until.
    fn quiet(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let midnight = self.settings.zone.next_midnight(self.now.minus(Span::from_days(1)));
        let minute =
            |span| u32::try_from(self.now.plus(read_span(span).unwrap()).since(midnight).as_secs() / 60).unwrap();
        let week = [(); 7].map(|()| vec![Frame { from: minute(words[1]), to: minute(words[2]) }]);
        let zone = self.settings.zone;
        let plan = Plan { name: "quiet".into(), zone, week, dates: BTreeMap::new(), known_through: None };
        let quiet = Some(Quiet { hours: Arc::new(Calendar::new(plan)), except: None });
        self.settings.receivers.get_mut(&ReceiverName::from(words[0])).unwrap().quiet = quiet;
        self.restart(Span::ZERO);
    }

    /// Someone may change what is others'.
    fn manage(&mut self, name: &str) {
        self.settings.access.manage = [duty::person(name)].into();
        self.restart(Span::ZERO);
    }

    /// A rota, and a rule that calls whoever it says.
    pub(super) fn with_rota(&mut self, rota: &Node) {
        self.settings = duty::settings(self.settings.clone(), rota);
        self.rules = duty::rules(rota);
        self.store = MapStore::default();
        self.restart(Span::ZERO);
    }

    fn set_clock_back(&mut self, by: Span) {
        self.now = self.now.minus(by);
        self.next_poll = self.now.plus(Span::from_secs(1));
        self.handle(Input::ClockSetBack);
    }

    fn restart(&mut self, away: Span) {
        self.now = self.now.plus(away);
        let rules = Arc::new(self.rules.clone());
        let (desk, outcome) = Desk::open(self.store.stored(), rules, self.settings.clone(), self.now);
        self.desk = desk;
        self.next_poll = self.now.plus(Span::from_secs(1));
        self.take(outcome);
    }

    fn handle(&mut self, input: Input) {
        let outcome = self.desk.handle(input, self.now);
        self.take(outcome);
    }

    fn take(&mut self, outcome: Outcome) {
        self.store.commit(outcome.writes);
        for effect in outcome.effects {
            match effect {
                Effect::Send(send) if self.slow.as_deref() == Some(send.key.receiver.as_str()) => {
                    self.under_way.push(*send);
                }
                Effect::Send(send) => self.deliver(&send),
                Effect::ReadTicket(key) => self.read(key),
                Effect::ReadMessages(key) => self.read_messages(key),
                Effect::ReadSource(_) => self.next_poll = self.now.plus(Span::from_ms(500)),
                Effect::LookUp(look_up) => self.look_up(&look_up),
                Effect::Answer(_) => unreachable!("nobody asks over the API here"),
                Effect::SearchHistory { key, .. } => {
                    let found =
                        if self.history_is_readable { HistoryFound::NotThere } else { HistoryFound::Unreadable };
                    self.handle(Input::History(HistoryReport { key, found }));
                }
            }
        }
    }
}
