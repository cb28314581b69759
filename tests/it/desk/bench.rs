//! A desk on a bench: a source that is read on time, chats that answer at once, a store in maps.

use std::{collections::BTreeMap, sync::Arc};

use deskbell::{
    adapters::{
        rulebook::{alone::typed_condition, names::Names},
        yaml::{
            duration::read_span,
            tree::{Node, NodeKind},
        },
    },
    domain::{
        actor::Actor,
        alert::{AlertKey, AlertState},
        calendar::{Calendar, Frame, Plan, Wait},
        command::Command,
        conversation::Conversation,
        deed::{Act, Deed, NewCover, NewSilence, Place, Rest, Which},
        delivery::{Delivered, Failure, FailureKind, HistoryFound, HistoryReport, SendReport},
        desk::{
            input::{
                ChatKind, ChatMessage, Input, LookUpResult, LookedUp, MessagesRead, NewRules, Observed, Page,
                PassEnded, PassFailure, PassKind, ReadResult, TicketRead,
            },
            machine::Desk,
            outcome::{Effect, LookUp, Outcome},
            settings::{Settings, StormSettings},
        },
        field::Field,
        id::{MessageId, ReceiverName, RuleName, Subject, TicketId, TicketKey},
        notice::{AnswerView, Content, Send, Target},
        receiver::Quiet,
        rota::words,
        rule::{CatchUp, RuleSet, Severity},
        silence::{Matcher, Written},
        text::{Locale, Message},
        ticket::Status,
        time::{Span, Timestamp},
    },
};

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
    /// What the next message hangs on.
    on: Option<MessageId>,
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
            on: None,
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
            "history" => self.history_is_readable = word == "readable",
            "clock_back" => self.set_clock_back(read_span(word).unwrap()),
            "restart" => self.restart(read_span(word).unwrap()),
            "rules" => self.change_rules(value),
            "poll" => self.poll(),
            "ask" => self.ask(word),
            "does" => self.does(word),
            "tended" => self.tended(word),
            "hushes" => self.hush(word),
            "quiet" => self.quiet(word),
            "covers" => self.cover(word),
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

    /// A rota, and a rule that calls whoever it says.
    pub(super) fn with_rota(&mut self, rota: &Node) {
        self.settings = duty::settings(self.settings.clone(), rota);
        self.rules = duty::rules();
        self.store = MapStore::default();
        self.restart(Span::ZERO);
    }

    /// `li 2h`: someone stands in from now on for so long; without a time, until the shift is over.
    fn cover(&mut self, line: &str) {
        let (name, long) = line.split_once(' ').map_or((line, None), |(name, long)| (name, Some(long)));
        let until = long.map(|long| self.now.plus(read_span(long).unwrap()));
        let person = Some(duty::person(name));
        let new = NewCover { rota: None, shift: None, person, from: None, until, in_return: false, reason: None };
        self.act_as(name, Deed::Cover(Box::new(new)));
    }

    /// An operator does something.
    fn act_as(&mut self, who: &str, deed: Deed) {
        self.messages += 1;
        let act = Act {
            id: MessageId::from(format!("act-{}", self.messages).as_str()),
            by: Actor::Operator(who.into()),
            place: Place::Admin,
            clicked: None,
            deed,
            locale: Locale::Zh,
        };
        let outcome = self.desk.handle(Input::Act(Box::new(act)), self.now);
        let acted = outcome.acted.as_ref().expect("every deed is answered");
        self.told.push((self.now, format!("{who}: {:?} {}", acted.tone, acted.words.zh)));
        self.take(outcome);
    }

    /// `li takes waiting 1`: someone does something about a rule's alert on a ticket.
    fn does(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [who, verb, rule, number, rest @ ..] = words.as_slice() else { panic!("{line}: who does what to which") };
        let subject = Subject::Ticket(helpdesk::key(number.parse().unwrap()));
        let key = AlertKey { subject, rule: RuleName::from(*rule) };
        let episode = self.store.alerts.get(&key).map_or(0, |alert| alert.episode);
        let which = Which::Episode(key, episode);
        let deed = match (*verb, rest) {
            ("takes", []) => Deed::Take(which),
            ("gives-back", []) => Deed::Release(which),
            ("handled", []) => Deed::Done(which),
            ("puts-off", [span]) => Deed::Snooze(which, Rest::For(read_span(span).unwrap())),
            other => panic!("{line}: {other:?} is nothing people do"),
        };
        self.messages += 1;
        let act = Act {
            id: MessageId::from(format!("act-{}", self.messages).as_str()),
            by: Actor::Person { id: format!("ou_{who}").as_str().into(), name: Some((*who).into()) },
            place: Place::Chat("oc_a".into(), ChatKind::Group),
            clicked: None,
            deed,
            locale: Locale::Zh,
        };
        for _ in 0..2 {
            // Delivered twice, as platforms do.
            let outcome = self.desk.handle(Input::Act(Box::new(act.clone())), self.now);
            let acted = outcome.acted.as_ref().expect("every deed is answered");
            self.told.push((self.now, format!("{who}: {:?} {}", acted.tone, acted.words.zh)));
            self.take(outcome);
        }
    }

    fn ask(&mut self, line: &str) {
        let (chat, text) = line.split_once(' ').unwrap();
        self.write(chat, "ou_someone", text);
    }

    /// `li /值班 接`: someone the directory knows writes in a chat that may look.
    fn say(&mut self, line: &str) {
        let (who, text) = line.split_once(' ').unwrap();
        self.in_full = true;
        self.write("oc_a", &format!("ou_{who}"), text);
    }

    /// `li support 收到`: someone replies on the last digest that a receiver got.
    fn reply(&mut self, line: &str) {
        let [who, receiver, text] = line.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        self.on = self.digests.get(&ReceiverName::from(receiver)).cloned();
        assert!(self.on.is_some(), "{line}: there is no digest");
        self.say(&format!("{who} {text}"));
    }

    fn write(&mut self, chat: &str, sender: &str, text: &str) {
        self.messages += 1;
        let command = match &self.on {
            Some(_) => Command::parse_reply(text, false),
            None => Command::parse(text),
        };
        let message = ChatMessage {
            event: format!("event-{}", self.messages).as_str().into(),
            message: MessageId::from(format!("om_question_{}", self.messages).as_str()),
            chat: chat.into(),
            chat_kind: if chat.starts_with("oc_p2p") { ChatKind::Direct } else { ChatKind::Group },
            sender: sender.into(),
            sender_name: None,
            reply_to: self.on.take(),
            on_card: None,
            command,
            locale: Locale::Zh,
            sent_at: self.now,
        };
        self.handle(Input::Message(message.clone()));
        self.handle(Input::Message(message)); // delivered twice, as the platform does
    }

    fn poll(&mut self) {
        self.passes += 1;
        self.next_poll = self.now.plus(POLL_EVERY);
        let source = helpdesk::SOURCE.into();
        let known = self.desk.source_state(&source).and_then(|state| state.cursor);
        let sweeps = known.is_none() || self.passes.is_multiple_of(SWEEP_EVERY);
        let kind = if sweeps { PassKind::Sweep } else { PassKind::Increment };
        let failure = self.down.clone();
        if failure.is_none() {
            let from = known.unwrap_or(Timestamp::MIN).minus(Span::from_mins(2));
            let recent = |truth: &Truth| truth.created_at >= from || truth.updated_at.is_some_and(|at| at >= from);
            let numbers: Vec<u64> =
                self.tickets.iter().filter(|(_, truth)| sweeps || recent(truth)).map(|(number, _)| *number).collect();
            let tickets = numbers.iter().map(|number| self.observed(*number)).collect();
            let page = Page { source: source.clone(), pass: self.passes, kind, asked_at: self.now, tickets };
            self.handle(Input::Page(page));
        }
        self.handle(Input::PassEnded(PassEnded {
            source,
            pass: self.passes,
            kind,
            started_at: self.now,
            calls: 1,
            every: POLL_EVERY,
            next_poll: self.next_poll,
            broken: 0,
            result: failure.map_or(Ok(()), Err),
        }));
    }

    fn observed(&self, number: u64) -> Observed {
        let (hash, ticket) = helpdesk::shown(number, &self.tickets[&number]);
        let key = helpdesk::key(number);
        let ticket = (!self.desk.is_unchanged(&key, hash)).then(|| Arc::new(ticket));
        Observed { key, hash, ticket }
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
                Effect::Send(send) => self.deliver(&send),
                Effect::ReadTicket(key) => self.read(key),
                Effect::ReadMessages(key) => self.read_messages(key),
                Effect::ReadSource(_) => self.next_poll = self.now.plus(Span::from_ms(500)),
                Effect::LookUp(look_up) => self.look_up(&look_up),
                Effect::SearchHistory { key, .. } => {
                    let found =
                        if self.history_is_readable { HistoryFound::NotThere } else { HistoryFound::Unreadable };
                    self.handle(Input::History(HistoryReport { key, found }));
                }
            }
        }
    }

    fn read_messages(&mut self, key: TicketKey) {
        let conversation = Conversation::default();
        let read = MessagesRead { key, asked_at: self.now, result: Ok(conversation) };
        self.handle(Input::MessagesRead(read));
    }

    fn deliver(&mut self, send: &Send) {
        let result = match &self.refuses {
            // A new message hangs on no card that could be gone.
            Some((FailureKind::CardGone, _)) if matches!(send.target, Target::Post(_)) => self.arrives(send),
            Some((kind, whose)) if whose.is_empty() || whose == send.key.receiver.as_str() => {
                Err(Failure { kind: *kind, retry_after: None, reason: Message::new(kind.name(), kind.name()) })
            }
            _ => self.arrives(send),
        };
        let report = SendReport { key: send.key.clone(), rev: send.rev, attempts: send.attempts, result };
        self.handle(Input::Sent(report));
    }

    fn arrives(&mut self, send: &Send) -> Result<Delivered, Failure> {
        self.messages += 1;
        let id = MessageId::from(format!("om_{}", self.messages).as_str());
        if let (Content::Digest(_), Target::Post(receiver)) = (&send.content, &send.target) {
            self.digests.insert(receiver.clone(), id.clone());
        }
        let keyed = self.settings.receivers.get(&send.key.receiver).is_none_or(|known| known.kind.has_key());
        self.told.push((self.now, line(send, self.in_full)));
        Ok(Delivered { message_id: keyed.then_some(id), absent: Vec::new() })
    }

    fn read(&mut self, key: TicketKey) {
        let paused = self.desk.source_state(&key.source).and_then(|state| state.paused_until);
        assert!(paused.is_none_or(|until| until <= self.now), "asked while the month's calls are used up");
        let number: u64 = key.id.as_str().parse().unwrap();
        let result = match self.tickets.get(&number) {
            _ if self.deaf => ReadResult::Failed(failure("broken").unwrap()),
            Some(truth) => {
                let (hash, ticket) = helpdesk::shown(number, truth);
                ReadResult::Found { hash, ticket: Arc::new(ticket) }
            }
            None => ReadResult::Gone,
        };
        self.handle(Input::TicketRead(TicketRead { key, asked_at: self.now, result }));
    }

    fn look_up(&mut self, look_up: &LookUp) {
        let Command::Ticket(id) = &look_up.command else { panic!("only tickets are looked up") };
        let result = match look_up.member_check {
            Some(_) => LookUpResult::Denied,
            None if self.deaf => LookUpResult::Failed(failure("broken").unwrap().message),
            None => self.find(id),
        };
        self.handle(Input::LookedUp(LookedUp { message: look_up.message.clone(), asked_at: self.now, result }));
    }

    fn find(&self, id: &TicketId) -> LookUpResult {
        let number: u64 = id.as_str().parse().unwrap();
        self.tickets.get(&number).map_or(LookUpResult::NotFound, |truth| {
            let (hash, ticket) = helpdesk::shown(number, truth);
            LookUpResult::Found { key: helpdesk::key(number), hash, ticket: Arc::new(ticket), talk: None }
        })
    }
}

/// A message as a line: receiver, what it is, of what, and what marks it.
fn line(send: &Send, in_full: bool) -> String {
    let how = match &send.target {
        Target::Post(_) => "",
        Target::Reply(_) => " reply",
        Target::Patch(_) => " patch",
        Target::Urge(..) => " urge",
    };
    let of = match &send.content {
        Content::Alert(view) => {
            let subject = view.alert.key.subject.ticket().map_or("source".to_owned(), |key| key.id.to_string());
            let state = match &view.alert.state {
                AlertState::Firing { stale_as_of: Some(_), .. } => " stale".to_owned(),
                AlertState::Ended { reason, .. } => format!(" {reason:?}").to_lowercase(),
                _ => String::new(),
            };
            format!(" {} {subject}{state}", view.alert.key.rule)
        }
        Content::Digest(view) => format!(" {:?} {} of {}", view.cause, view.firing, view.total).to_lowercase(),
        Content::Answer(answer) => match &**answer {
            AnswerView::Ticket(view) => format!(" ticket {}", view.ticket.key.id),
            AnswerView::Text(message) if in_full => format!(" {}", message.zh.replace('\n', " / ")),
            AnswerView::Text(message) | AnswerView::Page(message, _) => {
                format!(" “{}”", message.zh.chars().take(8).collect::<String>())
            }
        },
        Content::Trouble(_) => format!(" {}", send.key.rule),
        Content::Announcement(message) if send.key.rule.as_str() == "deskbell.rules_changed" => {
            format!(" {}", message.zh)
        }
        Content::Announcement(message) if words::NOTICES.contains(&send.key.rule.as_str()) => {
            format!(" {}", message.zh.replace('\n', " / "))
        }
        Content::Announcement(_) => format!(" {}", send.key.rule),
    };
    let again = if send.maybe_repeat { " maybe-repeat" } else { "" };
    format!("{} {}{how}{of}{again}", send.key.receiver, send.key.step.name())
}

fn offset(span: Span) -> String {
    let secs = span.as_ms().div_euclid(1_000);
    let parts = [(secs / 3_600, "h"), (secs % 3_600 / 60, "m"), (secs % 60, "s")];
    let text: String =
        parts.iter().filter(|(number, _)| *number > 0).map(|(number, unit)| format!("{number}{unit}")).collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}

fn status_code(word: &str) -> i64 {
    let field = Field::find("status").unwrap();
    field.numbers(word).and_then(|numbers| numbers.first().copied()).unwrap_or_else(|| panic!("{word} is no status"))
}

fn failure(word: &str) -> Option<PassFailure> {
    let message = Message::new("坏了", "broken");
    match word {
        "broken" => Some(PassFailure { quota: false, setup: false, message }),
        "quota" => Some(PassFailure { quota: true, setup: false, message }),
        "setup" => Some(PassFailure { quota: false, setup: true, message }),
        _ => None,
    }
}

/// `content` for everyone, `content support` for one receiver.
fn refusal(word: &str) -> Option<(FailureKind, String)> {
    let (word, whose) = word.split_once(' ').unwrap_or((word, ""));
    let kinds = [
        FailureKind::Throttled,
        FailureKind::Uncertain,
        FailureKind::Setup,
        FailureKind::Content,
        FailureKind::Mention,
        FailureKind::CardGone,
        FailureKind::Unreachable,
        FailureKind::Quota,
        FailureKind::Refused,
    ];
    kinds.into_iter().find(|kind| kind.name() == word).map(|kind| (kind, whose.to_owned()))
}
