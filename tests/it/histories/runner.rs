//! Runs one history: a desk between a helpdesk and chats, every delay, failure and cut taken from the seed.

use std::{collections::BTreeMap, sync::Arc};

use deskbell::domain::{
    actor::Actor,
    alert::{Alert, Announced},
    conversation::Conversation,
    deed::Act,
    delivery::{Delivered, Failure, FailureKind, HistoryFound, HistoryReport, SendReport},
    desk::{
        input::{
            Input, MessagesRead, Observed, Page, PassEnded, PassFailure, PassKind, ReadResult, TicketNews, TicketRead,
        },
        machine::Desk,
        outcome::{Effect, Outcome, Write},
        settings::Settings,
    },
    id::{MessageId, ReceiverName, TicketKey},
    notice::Send,
    rule::RuleSet,
    text::Message,
    time::{Span, Timestamp},
};

use super::{
    calls::{self, Calls},
    chat::Chat,
    helpdesk::{self, Helpdesk, Truth},
    hush, kinds, oracle,
    people::{self, Answer, Wish},
    random::Random,
    store::MapStore,
};

/// How long tickets change, answers fail and the process is cut.
const UNQUIET: Span = Span::from_hours(5);

/// How long everything works afterwards, so that all that is owed can come.
const QUIET: Span = Span::from_hours(7);

const POLL_EVERY: Span = Span::from_mins(4);
const SWEEP_EVERY: i64 = 5;
const OVERLAP: Span = Span::from_mins(2);
const PAGE_TICKETS: usize = 4;
const PAGE_LATENCY: Span = Span::from_ms(350);

/// Something that will happen.
enum Happening {
    MessagesRead(MessagesRead),
    /// The helpdesk tells of a ticket.
    News(TicketNews),
    Change,
    Poll,
    Page {
        pass: u64,
        kind: PassKind,
        numbers: Vec<u64>,
        rest: Vec<Vec<u64>>,
        started_at: Timestamp,
    },
    /// The answer is on its way; it shows what was true when the source made it.
    PageArrives {
        asked_at: Timestamp,
        shown: Vec<(u64, Truth)>,
        pass: u64,
        kind: PassKind,
    },
    PassEnds {
        pass: u64,
        kind: PassKind,
        started_at: Timestamp,
        failed: bool,
    },
    Read(TicketKey),
    ReadArrives(TicketRead),
    Committed,
    Act(Box<Send>),
    Report(SendReport),
    Searched(HistoryReport),
    /// Someone does something about an alert.
    Wish,
    Wished(Box<Wish>),
    /// Someone deletes a card.
    Delete,
    Cut,
}

impl Happening {
    /// What goes on without the process.
    fn outlives_a_cut(&self) -> bool {
        matches!(
            self,
            Self::Change | Self::News(_) | Self::Cut | Self::Act(_) | Self::Wish | Self::Wished(_) | Self::Delete
        )
    }
}

/// One history.
pub(crate) struct Runner {
    random: Random,
    /// What the helpdesk tells draws from here.
    chatter: Random,
    /// What was told.
    pub(super) told: usize,
    pub(super) now: Timestamp,
    unquiet_until: Timestamp,
    ends_at: Timestamp,
    /// While this lasts, no send is answered.
    outage: (Timestamp, Timestamp),
    /// While this lasts, the source answers nothing.
    darkness: (Timestamp, Timestamp),
    pub(super) settings: Settings,
    rules: Arc<RuleSet>,
    desk: Desk,
    pub(super) store: MapStore,
    pub(super) helpdesk: Helpdesk,
    pub(super) chat: Chat,
    queue: BTreeMap<(Timestamp, u64), Happening>,
    waiting: Vec<(Vec<Write>, Vec<Effect>)>,
    happenings: u64,
    polls: i64,
    pub(super) cuts: usize,
    pub(super) failures: usize,
    wishes: u64,
    /// Who was called.
    pub(super) calls: Calls,
    /// What was said to people.
    pub(super) answers: Vec<Answer>,
    /// Everything that was committed, in words.
    pub(super) log: Vec<String>,
}

impl Runner {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let now = Timestamp::from_ms(1_790_000_000_000 + random.within(0, 86_400_000));
        let mut settings = oracle::settings(&mut random);
        quiet_hours(&mut settings, &mut random, now);
        let rules = Arc::new(calls::loud(people::impatient(kinds::rules())));
        let store = MapStore::default();
        let (desk, outcome) = Desk::open(store.stored(), Arc::clone(&rules), settings.clone(), now);
        let outage_at = now.plus(Span::from_mins(random.within(0, 240)));
        let dark_at = now.plus(Span::from_mins(random.within(0, 240)));
        let some = |random: &mut Random, at: Timestamp, mins| {
            if random.chance(25) { (at, at.plus(Span::from_mins(random.within(5, mins)))) } else { (at, at) }
        };
        let mut runner = Self {
            outage: some(&mut random, outage_at, 120),
            darkness: some(&mut random, dark_at, 60),
            random,
            chatter: Random::new(seed ^ 0x6e65_7773),
            told: 0,
            now,
            unquiet_until: now.plus(UNQUIET),
            ends_at: now.plus(UNQUIET).plus(QUIET),
            settings,
            rules,
            desk,
            store,
            helpdesk: Helpdesk::default(),
            chat: Chat::default(),
            queue: BTreeMap::new(),
            waiting: Vec::new(),
            happenings: 0,
            polls: 0,
            cuts: 0,
            failures: 0,
            wishes: 0,
            calls: Calls::default(),
            answers: Vec::new(),
            log: Vec::new(),
        };
        runner.prepare(outcome);
        runner
    }

    fn prepare(&mut self, outcome: Outcome) {
        for _ in 0..self.random.within(1, 6) {
            self.helpdesk.create(self.now);
        }
        self.take(outcome);
        self.later(Span::from_secs(1), Happening::Poll);
        for _ in 0..self.random.within(8, 24) {
            let wait = self.random.within(0, UNQUIET.as_ms() - 1);
            self.later(Span::from_ms(wait), Happening::Change);
        }
        for _ in 0..self.random.within(0, 12) {
            let wait = self.random.within(0, UNQUIET.as_ms() - 1);
            self.later(Span::from_ms(wait), Happening::Wish);
        }
        for _ in 0..self.random.within(0, 3) {
            let wait = self.random.within(0, UNQUIET.as_ms() - 1);
            self.later(Span::from_ms(wait), Happening::Delete);
        }
        if self.random.chance(30) {
            self.soon(3_000, Happening::Cut); // into the first reading
        }
        for _ in 0..self.random.within(0, 4) {
            let wait = self.random.within(0, UNQUIET.as_ms() - 1);
            self.later(Span::from_ms(wait), Happening::Cut);
        }
    }

    pub(super) fn run(&mut self) {
        loop {
            let next = self.queue.first_key_value().map_or(Timestamp::NEVER, |((at, _), _)| *at);
            let tick = self.desk.next_due();
            let at = next.min(tick.max(self.now));
            if at > self.ends_at {
                self.count();
                return;
            }
            self.now = self.now.max(at);
            if tick <= self.now && tick <= next {
                self.handle(Input::Tick);
                assert!(self.desk.next_due() > tick || self.desk.next_due() <= self.now, "a tick must get on");
                if self.desk.next_due() <= self.now {
                    self.now = self.now.plus(Span::from_ms(1));
                }
            } else if let Some((_, happening)) = self.queue.pop_first() {
                self.happen(happening);
            }
        }
    }

    /// What the desk counts as it goes is what there is.
    fn count(&self) {
        if self.waiting.is_empty() {
            let view = self.desk.view(self.now);
            let shown = view.sources.values().map(|source| (source.tracked, source.open));
            assert_eq!(shown.collect::<Vec<_>>(), [self.store.counts()]);
            for alert in self.store.alerts.values().filter(|alert| alert.episode > 0) {
                let found = self.desk.alert_row(&alert.reference(), self.now).map(|row| (row.key, row.episode));
                assert_eq!(found, Ok((alert.key.clone(), alert.episode)), "an alert is found by its reference");
            }
        }
    }

    fn unquiet(&self) -> bool {
        self.now < self.unquiet_until
    }

    fn fails(&mut self, percent: u64) -> bool {
        let fails = self.unquiet() && self.random.chance(percent);
        self.failures += usize::from(fails);
        fails
    }

    fn is_dark(&self) -> bool {
        self.unquiet() && (self.darkness.0..self.darkness.1).contains(&self.now)
    }

    fn later(&mut self, wait: Span, happening: Happening) {
        self.happenings += 1;
        self.queue.insert((self.now.plus(wait), self.happenings), happening);
    }

    fn soon(&mut self, most_ms: i64, happening: Happening) {
        let wait = Span::from_ms(self.random.within(1, most_ms));
        self.later(wait, happening);
    }

    fn handle(&mut self, input: Input) {
        let outcome = self.desk.handle(input, self.now);
        self.take(outcome);
    }

    /// Writes wait for the commit, and with them the effects that must; the others begin at once.
    fn take(&mut self, outcome: Outcome) {
        let (after, at_once): (Vec<_>, Vec<_>) = outcome.effects.into_iter().partition(Effect::after_commit);
        self.begin(at_once);
        if !outcome.writes.is_empty() || !after.is_empty() {
            self.waiting.push((outcome.writes, after));
            self.soon(40, Happening::Committed);
        }
    }

    fn begin(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send(send) => {
                    let durable = self.store.outbox.get(&send.key).is_some_and(|entry| entry.attempts == send.attempts);
                    assert!(durable, "sent before the attempt was durable: {:?}", send.key);
                    self.calls.note(&send, self.now);
                    self.soon(900, Happening::Act(send));
                }
                Effect::ReadTicket(key) => self.soon(900, Happening::Read(key)),
                Effect::ReadMessages(key) => {
                    let read = MessagesRead { key, asked_at: self.now, result: Ok(Conversation::default()) };
                    self.soon(900, Happening::MessagesRead(read));
                }
                Effect::ReadSource(_) => self.soon(100, Happening::Poll),
                Effect::SearchHistory { key, reference, since, .. } => {
                    let found = if self.fails(20) {
                        HistoryFound::Unreadable
                    } else {
                        let message = self.chat.find(&key.receiver, &reference, since);
                        message.map_or(HistoryFound::NotThere, HistoryFound::There)
                    };
                    self.soon(500, Happening::Searched(HistoryReport { key, found }));
                }
                Effect::LookUp(_) | Effect::Answer(_) => unreachable!("nobody asks in these histories"),
            }
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Change => self.change(),
            Happening::News(news) => self.handle(Input::TicketNews(news)),
            Happening::Poll => self.poll(),
            Happening::Page { pass, kind, numbers, rest, started_at } => {
                self.page(pass, kind, &numbers, rest, started_at);
            }
            Happening::PageArrives { asked_at, shown, pass, kind } => self.page_arrives(asked_at, shown, pass, kind),
            Happening::PassEnds { pass, kind, started_at, failed } => self.pass_ends(pass, kind, started_at, failed),
            Happening::Read(key) => self.read(key),
            Happening::ReadArrives(read) => self.handle(Input::TicketRead(read)),
            Happening::Committed => self.commit(),
            Happening::Act(send) => self.act(&send),
            Happening::Report(report) => {
                self.calls.reported(&report);
                self.handle(Input::Sent(report));
            }
            Happening::MessagesRead(read) => self.handle(Input::MessagesRead(read)),
            Happening::Searched(report) => self.handle(Input::History(report)),
            Happening::Wish => self.wish(),
            Happening::Wished(wish) => self.wished(&wish),
            Happening::Delete => self.chat.delete(&mut self.random),
            Happening::Cut => self.cut(),
        }
    }

    fn change(&mut self) {
        match self.random.below(12) {
            0 | 1 => self.helpdesk.create(self.now),
            2 => self.helpdesk.delete(&mut self.random),
            _ => self.helpdesk.change(&mut self.random, self.now),
        }
        self.tell();
    }

    /// The helpdesk tells of its tickets as platforms do: late, twice, in any order, and not of everything.
    fn tell(&mut self) {
        let numbers: Vec<u64> = self.helpdesk.tickets.keys().copied().collect();
        for _ in 0..self.chatter.below(4) {
            let Some(number) = numbers.get(self.chatter.below(numbers.len() as u64) as usize) else { return };
            let truth = &self.helpdesk.tickets[number];
            let moved_at = truth.updated_at.unwrap_or(truth.created_at);
            let names_source = self.chatter.chance(70);
            let news = TicketNews {
                source: names_source.then(|| helpdesk::SOURCE.into()),
                ticket: helpdesk::key(*number).id,
                moved_at: self.chatter.chance(80).then_some(moved_at),
                said: self.chatter.chance(20),
            };
            for _ in 0..self.chatter.within(1, 2) {
                let longest = if self.chatter.chance(80) { 2_000 } else { 3_600_000 };
                let wait = Span::from_ms(self.chatter.within(1, longest));
                self.told += 1;
                self.later(wait, Happening::News(news.clone()));
            }
        }
    }

    /// Begins a pass, and plans the next one.
    fn poll(&mut self) {
        self.polls += 1;
        let cursor = self.desk.source_state(&helpdesk::SOURCE.into()).and_then(|state| state.cursor);
        let pass = self.desk.source_state(&helpdesk::SOURCE.into()).map_or(1, |state| state.pass + 1);
        let kind =
            if cursor.is_none() || self.polls % SWEEP_EVERY == 0 { PassKind::Sweep } else { PassKind::Increment };
        let from = cursor.unwrap_or(Timestamp::MIN).minus(OVERLAP);
        let in_window = |at: Timestamp| at >= from;
        let numbers: Vec<u64> = self
            .helpdesk
            .tickets
            .iter()
            .filter(|(_, truth)| {
                kind == PassKind::Sweep || in_window(truth.created_at) || truth.updated_at.is_some_and(in_window)
            })
            .map(|(number, _)| *number)
            .collect();
        let mut rest: Vec<Vec<u64>> = numbers.chunks(PAGE_TICKETS).rev().map(<[u64]>::to_vec).collect();
        let numbers = rest.pop().unwrap_or_default();
        let started_at = self.now;
        self.soon(800, Happening::Page { pass, kind, numbers, rest, started_at });
    }

    fn page(&mut self, pass: u64, kind: PassKind, numbers: &[u64], mut rest: Vec<Vec<u64>>, started_at: Timestamp) {
        let failed = self.is_dark() || self.fails(4);
        if !failed {
            let truth = |number: &u64| Some((*number, self.helpdesk.tickets.get(number)?.clone()));
            let shown = numbers.iter().filter_map(truth).collect();
            self.later(PAGE_LATENCY, Happening::PageArrives { asked_at: self.now, shown, pass, kind });
        }
        match rest.pop() {
            Some(numbers) if !failed => {
                let wait = PAGE_LATENCY.as_ms() + self.random.within(1, 400);
                self.later(Span::from_ms(wait), Happening::Page { pass, kind, numbers, rest, started_at });
            }
            _ => {
                let wait = Span::from_ms(PAGE_LATENCY.as_ms() + 1);
                self.later(wait, Happening::PassEnds { pass, kind, started_at, failed });
            }
        }
    }

    fn page_arrives(&mut self, asked_at: Timestamp, shown: Vec<(u64, Truth)>, pass: u64, kind: PassKind) {
        let tickets = shown.into_iter().map(|(number, truth)| self.observed(number, &truth)).collect();
        self.handle(Input::Page(Page { source: helpdesk::SOURCE.into(), pass, kind, asked_at, tickets }));
    }

    fn pass_ends(&mut self, pass: u64, kind: PassKind, started_at: Timestamp, failed: bool) {
        let failure = PassFailure { quota: false, setup: false, message: Message::new("坏了", "broken") };
        self.handle(Input::PassEnded(PassEnded {
            source: helpdesk::SOURCE.into(),
            pass,
            kind,
            started_at,
            calls: 1,
            every: POLL_EVERY,
            next_poll: self.now.plus(POLL_EVERY),
            broken: 0,
            result: if failed { Err(failure) } else { Ok(()) },
        }));
        self.later(POLL_EVERY, Happening::Poll);
    }

    fn observed(&self, number: u64, truth: &Truth) -> Observed {
        let (hash, ticket) = helpdesk::shown(number, truth);
        let key = helpdesk::key(number);
        let ticket = (!self.desk.is_unchanged(&key, hash)).then(|| Arc::new(ticket));
        Observed { key, hash, ticket }
    }

    fn read(&mut self, key: TicketKey) {
        let number: u64 = key.id.as_str().parse().unwrap();
        let result = if self.is_dark() || self.fails(10) {
            ReadResult::Failed(PassFailure { quota: false, setup: false, message: Message::new("坏了", "broken") })
        } else {
            match self.helpdesk.tickets.get(&number) {
                Some(truth) => {
                    let (hash, ticket) = helpdesk::shown(number, truth);
                    ReadResult::Found { hash, ticket: Arc::new(ticket) }
                }
                None => ReadResult::Gone,
            }
        };
        let read = TicketRead { key, asked_at: self.now, result };
        self.soon(2_000, Happening::ReadArrives(read));
    }

    /// Someone does something, now and then twice, now and then beside someone else who does the same.
    fn wish(&mut self) {
        let alerts: Vec<Alert> = self.store.alerts.values().filter(|alert| alert.episode > 0).cloned().collect();
        self.wishes += 1;
        let wish = people::wish(&mut self.random, &alerts, self.wishes);
        if self.random.chance(30) {
            self.soon(2_000, Happening::Wished(Box::new(wish.clone()))); // delivered twice
        }
        if self.random.chance(20) {
            let id = MessageId::from(format!("beside-{}", self.wishes).as_str());
            let by = Actor::person("ou_other".into());
            let beside = Wish { act: Act { id, by, ..wish.act.clone() } };
            self.soon(50, Happening::Wished(Box::new(beside)));
        }
        self.later(Span::ZERO, Happening::Wished(Box::new(wish)));
    }

    fn wished(&mut self, wish: &Wish) {
        let outcome = self.desk.handle(Input::Act(Box::new(wish.act.clone())), self.now);
        let acted = outcome.acted.clone().expect("every deed is answered");
        self.answers.push(Answer { act: wish.act.clone(), acted });
        self.take(outcome);
    }

    /// Whether the beginning of its present episode was told at all.
    pub(super) fn was_told(&self, alert: &Alert) -> bool {
        alert.announced != Announced::Nobody
    }

    /// Commits everything that waits, in order, then lets the effects go.
    fn commit(&mut self) {
        for (writes, effects) in std::mem::take(&mut self.waiting) {
            for write in &writes {
                self.log.push(format!("{write:?}"));
            }
            self.store.commit(writes);
            self.begin(effects);
        }
    }

    fn act(&mut self, send: &Send) {
        let keyed = self.receiver_has_key(&send.key.receiver);
        let out = self.unquiet() && (self.outage.0..self.outage.1).contains(&self.now);
        let kind = match self.random.below(100) {
            0..50 if out => Some((FailureKind::Uncertain, true)),
            _ if out => Some((FailureKind::Uncertain, false)),
            0..8 if self.unquiet() => Some((FailureKind::Unreachable, false)),
            8..13 if self.unquiet() => Some((FailureKind::Uncertain, true)),
            13..18 if self.unquiet() => Some((FailureKind::Uncertain, false)),
            18..24 if self.unquiet() => Some((FailureKind::Throttled, false)),
            _ => None,
        };
        self.failures += usize::from(kind.is_some());
        let acted = if kind.is_none_or(|(_, acts)| acts) { self.chat.act(send, keyed, self.now) } else { Ok(None) };
        if acted.is_ok() && kind.is_none_or(|(_, acts)| acts) {
            self.calls.arrived(send);
        }
        let absent = if self.random.chance(20) { send.mentions.clone() } else { Vec::new() };
        let result = match (kind, acted) {
            (Some((kind, _)), _) => Err(Failure { kind, retry_after: None, reason: Message::new("碰巧", "chance") }),
            (None, Err(kind)) => Err(Failure { kind, retry_after: None, reason: Message::new(oracle::GONE, "gone") }),
            (None, Ok(message_id)) => Ok(Delivered { message_id, absent }),
        };
        let report = SendReport { key: send.key.clone(), rev: send.rev, attempts: send.attempts, result };
        self.soon(700, Happening::Report(report));
    }

    /// SIGKILL: what was not committed is gone; what was sent may still arrive.
    fn cut(&mut self) {
        self.cuts += 1;
        self.waiting.clear();
        let queue = std::mem::take(&mut self.queue);
        self.queue = queue.into_iter().filter(|(_, happening)| happening.outlives_a_cut()).collect();
        let away = if self.random.chance(30) { self.random.within(1, 2_400_000) } else { self.random.within(1, 5_000) };
        self.now = self.now.plus(Span::from_ms(away));
        let (desk, outcome) = Desk::open(self.store.stored(), Arc::clone(&self.rules), self.settings.clone(), self.now);
        self.desk = desk;
        self.take(outcome);
        self.later(Span::from_secs(1), Happening::Poll);
        // What happens outside while nobody looks has happened.
        while let Some(((at, _), _)) = self.queue.first_key_value()
            && *at < self.now
        {
            if let Some((_, happening)) = self.queue.pop_first()
                && matches!(
                    happening,
                    Happening::Change | Happening::Act(_) | Happening::Wish | Happening::Wished(_) | Happening::Delete
                )
            {
                self.happen(happening);
            }
        }
    }

    pub(super) fn receiver_has_key(&self, receiver: &ReceiverName) -> bool {
        self.settings.receiver(receiver).is_some_and(|known| known.kind.has_key())
    }
}

/// In some histories one receiver has quiet hours, all of them before it gets quiet anyway.
fn quiet_hours(settings: &mut Settings, random: &mut Random, start: Timestamp) {
    if !random.chance(40) {
        return;
    }
    let name = ReceiverName::from(if random.chance(50) { "leads" } else { "support" });
    let quiet = hush::quiet(random, settings, start);
    if let Some(receiver) = settings.receivers.get_mut(&name) {
        receiver.quiet = Some(quiet);
    }
}
