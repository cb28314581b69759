//! The loop: one task owns the desk, takes inputs in order of urgency, and hands on what the desk decides. It never waits
//! for the network; the one thing it waits for is room in the committer's queue.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;
use tokio::sync::{mpsc, watch};
use tracing::{error, warn};

use crate::{
    adapters::{
        clock::{Clock, Step},
        rulebook::names::Names,
    },
    domain::{
        conversation::Speakers,
        desk::{
            input::{Input, LookUpResult, LookedUp, Observed, Page},
            machine::Desk,
            outcome::{Effect, LookUp, Outcome, Write},
            state::SourceState,
        },
        id::{SourceName, TicketKey},
        rule::RuleSet,
        text::Message,
        time::{Span, Timestamp, Zone},
    },
    engine::{
        asks::Ask,
        busy::{Busy, BusyGuard},
        committer::{Batch, Entrance, refuse},
        conversations::WantedMessages,
        doors::{FromPoller, Queues, RawPageIn, Reply},
        health::{self, Health},
        heartbeat::Pulse,
        lookup::meanings,
        meter::SourceStates,
        poller::Wake,
        source::Decoder,
        templating::Templating,
        view::{Published, VIEW_PACE, VIEW_SHARE},
        wanted::{Sources, Wanted},
    },
};

/// How long a due tick may wait for events before it goes first.
pub const TICK_LATE_MAX: Span = Span::from_secs(1);

/// The shortest time between two ticks, so that no mistake of the desk can spin the loop.
pub const TICK_PACE: Span = Span::from_ms(1);

/// With a single run: notices are waited for while one of them falls due within this time.
pub const ONCE_PATIENCE: Span = Span::from_secs(15);

/// With a single run, and at a stop: how often it is looked whether all is quiet.
pub const QUIET_CHECK: Span = Span::from_ms(20);

/// How the loop ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// When it is stopped.
    Stopped,
    /// When every source was read once and nothing is left to deliver soon.
    Quiet,
}

/// What carries out the effects that wait for no commit.
pub struct Hands {
    /// Single reads.
    pub wanted: Arc<Wanted>,
    /// Reads of messages.
    pub messages: Arc<WantedMessages>,
    /// Increments right now.
    pub wakes: BTreeMap<SourceName, Arc<Wake>>,
    /// Who hears that passes are completed.
    pub pulse: Option<Pulse>,
    /// Lookups for people.
    pub lookups: mpsc::Sender<(LookUp, BusyGuard)>,
}

/// The loop.
pub struct Loop {
    /// What decides.
    pub desk: Desk,
    /// The clock.
    pub clock: Clock,
    /// The zone people read times in.
    pub zone: Zone,
    /// What comes in.
    pub queues: Queues,
    /// What must be durable.
    pub committer: Entrance,
    /// What is done at once.
    pub hands: Hands,
    /// The sources, to decode what changed.
    pub sources: Sources,
    /// What decodes each source's tickets: what they have in common is shared from page to page and pass to pass.
    pub decoders: BTreeMap<SourceName, Decoder>,
    /// The sources' states, for the pollers.
    pub states: SourceStates,
    /// The rules in force, for the pollers.
    pub rules: Arc<ArcSwap<RuleSet>>,
    /// What conditions may name.
    pub names: Arc<ArcSwap<Names>>,
    /// The templates in force.
    pub templates: Templating,
    /// What others may see.
    pub published: Arc<Published>,
    /// Counters, readiness.
    pub health: Arc<Health>,
    /// What is under way.
    pub busy: Busy,
    /// Turns true when the loop is to end.
    pub stop: watch::Receiver<bool>,
    /// How it ends by itself.
    pub until: Until,
    /// When the last tick was.
    pub ticked_at: Timestamp,
    /// When the view is made anew; never while it is up to date.
    pub show_at: Timestamp,
    /// Before this instant it is not made again.
    pub show_again_at: Timestamp,
}

/// The committer has ended: the store is lost.
struct Lost;

/// What the loop woke up for.
enum Woken {
    Input(Input, Option<Reply>),
    Page(FromPoller),
    Asked(Ask),
    Stepped(Step),
    Show,
    Look,
    Stop,
    Lost,
}

impl Loop {
    /// Runs until stopped, quiet or lost. `opening` is what the desk wanted when it was opened.
    pub async fn run(mut self, opening: Outcome) {
        if self.carry_out(opening, None).await.is_err() {
            return;
        }
        self.show();
        loop {
            let done = match self.wake().await {
                Woken::Input(input, reply) => self.take(input, reply).await,
                Woken::Page(page) => {
                    let input = self.observe(page);
                    let complete = matches!(&input, Input::PassEnded(ended) if ended.result.is_ok());
                    let done = self.take(input, None).await;
                    if complete && done.is_ok() {
                        self.beat();
                    }
                    done
                }
                Woken::Asked(question) => {
                    question.answer(&self.desk, self.clock.now());
                    Ok(())
                }
                Woken::Stepped(step) => self.stepped(step).await,
                Woken::Show => {
                    self.show();
                    Ok(())
                }
                Woken::Look if self.is_quiet() => break,
                Woken::Look => Ok(()),
                Woken::Stop => break,
                Woken::Lost => return,
            };
            if done.is_err() {
                return;
            }
        }
        self.drain().await;
        self.show();
    }

    /// Waits for what comes next: people first, then events, then time, then pages.
    async fn wake(&mut self) -> Woken {
        let now = self.clock.now();
        let due = self.desk.next_due().max(self.ticked_at.plus(TICK_PACE));
        if now.since(due) > TICK_LATE_MAX {
            return Woken::Input(Input::Tick, None);
        }
        let look_at = if self.until == Until::Quiet { now.plus(QUIET_CHECK) } else { Timestamp::NEVER };
        tokio::select! {
            biased;
            _ = self.stop.wait_for(|stop| *stop) => Woken::Stop,
            () = self.committer.closed() => Woken::Lost,
            Some(urgent) = self.queues.urgent.recv() => Woken::Input(urgent.input, urgent.reply),
            Some(question) = self.queues.questions.recv() => Woken::Asked(question),
            Some(event) = self.queues.events.recv() => Woken::Input(event, None),
            () = self.clock.sleep_until(due) => Woken::Input(Input::Tick, None),
            Some(page) = self.queues.pages.recv() => Woken::Page(page),
            step = self.clock.stepped() => Woken::Stepped(step),
            () = self.clock.sleep_until(self.show_at) => Woken::Show,
            () = self.clock.sleep_until(look_at) => Woken::Look,
        }
    }

    /// After a stop: what is under way is heard out, so that what became of it is durable.
    async fn drain(&mut self) {
        self.queues.urgent.close();
        while !self.is_silent() {
            let event = tokio::select! {
                biased;
                Some(event) = self.queues.events.recv() => Some((event, None)),
                Some(urgent) = self.queues.urgent.recv() => Some((urgent.input, urgent.reply)),
                Some(_) = self.queues.pages.recv() => None, // read again by the next start
                () = self.clock.sleep(QUIET_CHECK) => None,
            };
            if let Some((input, reply)) = event
                && self.take(input, reply).await.is_err()
            {
                return;
            }
        }
    }

    fn is_silent(&self) -> bool {
        self.busy.count() == 0 && self.queues.is_empty()
    }

    fn is_quiet(&self) -> bool {
        let waits_for_nothing = || self.desk.next_send() > self.clock.now().plus(ONCE_PATIENCE);
        self.is_silent() && (self.desk.outbox_len() == 0 || waits_for_nothing())
    }

    /// Handles one input at one instant.
    async fn take(&mut self, input: Input, reply: Option<Reply>) -> Result<(), Lost> {
        if let Some(reply) = reply {
            if !self.health.store_takes_writes() {
                refuse(reply);
                return Ok(());
            }
            return self.decide(input, Some(reply)).await;
        }
        self.decide(input, None).await
    }

    async fn decide(&mut self, mut input: Input, reply: Option<Reply>) -> Result<(), Lost> {
        let now = self.clock.now();
        health::add(&self.health.counters.inputs, 1);
        self.show_at = self.show_at.min(self.show_again_at);
        match &mut input {
            Input::Tick => self.ticked_at = now,
            Input::Rules(new) => {
                self.rules.store(Arc::clone(&new.rules));
                self.templates.take_over();
                new.conditions = meanings(self.desk.silence_conditions(), &self.names.load());
            }
            _ => {}
        }
        let outcome = self.desk.handle(input, now);
        self.carry_out(outcome, reply).await
    }

    async fn carry_out(&mut self, outcome: Outcome, reply: Option<Reply>) -> Result<(), Lost> {
        self.note_sources(&outcome.writes);
        let (later, at_once): (Vec<Effect>, Vec<Effect>) = outcome.effects.into_iter().partition(Effect::after_commit);
        let mut refused = Vec::new();
        for effect in at_once {
            refused.extend(self.start(effect));
        }
        if !outcome.writes.is_empty() || !later.is_empty() || reply.is_some() {
            let (acted, guard) = (outcome.acted, self.busy.enter());
            let batch = Batch { writes: outcome.writes, effects: later, reply, acted, guard };
            if !self.committer.put(batch).await {
                return Err(Lost);
            }
        }
        for look_up in refused {
            let now = self.clock.now();
            let result = LookUpResult::Failed(Message::new(
                "现在查询的人太多，请一分钟后再试",
                "Too many are asking right now; please try again in a minute",
            ));
            let answer = LookedUp { message: look_up.message, asked_at: now, result };
            let outcome = self.desk.handle(Input::LookedUp(answer), now);
            Box::pin(self.carry_out(outcome, None)).await?;
        }
        Ok(())
    }

    /// The pollers follow what the desk keeps of the sources.
    fn note_sources(&self, writes: &[Write]) {
        let changed: Vec<_> = writes
            .iter()
            .filter_map(|write| match write {
                Write::Source(state) => Some(state),
                _ => None,
            })
            .collect();
        if changed.is_empty() {
            return;
        }
        let mut states = BTreeMap::clone(&self.states.load());
        for state in changed {
            states.insert(state.name.clone(), SourceState::clone(state));
        }
        self.states.store(Arc::new(states));
    }

    /// Starts what waits for no commit; gives back a lookup that finds no room.
    fn start(&self, effect: Effect) -> Option<LookUp> {
        match effect {
            Effect::ReadTicket(key) => self.hands.wanted.want(key, (), &self.busy),
            Effect::ReadMessages(key) => {
                let speakers = self.desk.ticket(&key).and_then(|ticket| Speakers::of(ticket));
                self.hands.messages.want(key, speakers, &self.busy);
            }
            Effect::ReadSource(source) => match self.hands.wakes.get(&source) {
                Some(wake) => wake.ring(&self.busy),
                None => error!(%source, "the desk wants a source that is not configured"),
            },
            Effect::LookUp(look_up) => {
                if let Err(full) = self.hands.lookups.try_send((look_up, self.busy.enter())) {
                    let (look_up, _) = full.into_inner();
                    return Some(look_up);
                }
            }
            Effect::Send(_) | Effect::SearchHistory { .. } | Effect::Answer(_) => {}
        }
        None
    }

    /// What a poller saw, decoded where it changed.
    fn observe(&mut self, page: FromPoller) -> Input {
        let page = match page {
            FromPoller::Ended(ended) => return Input::PassEnded(ended),
            FromPoller::Page(page) => page,
        };
        let mut decoder = self
            .sources
            .get(&page.source)
            .map(|source| self.decoders.entry(page.source.clone()).or_insert_with(|| source.decoder(&page.source)));
        let mut tickets = Vec::with_capacity(page.tickets.len());
        for raw in &page.tickets {
            let key = TicketKey::new(page.source.clone(), raw.id.clone());
            if self.desk.is_unchanged(&key, raw.hash) {
                tickets.push(Observed { key, hash: raw.hash, ticket: None });
                continue;
            }
            health::add(&self.health.counters.decoded, 1);
            match decoder.as_mut().map(|decoder| decoder.decode(raw)) {
                Some(Ok(ticket)) => tickets.push(Observed { key, hash: raw.hash, ticket: Some(Arc::new(ticket)) }),
                Some(Err(broken)) => self.health.broken(&page.source, &broken, page.asked_at),
                None => {}
            }
        }
        let RawPageIn { source, pass, kind, asked_at, .. } = page;
        Input::Page(Page { source, pass, kind, asked_at, tickets })
    }

    /// The wall clock was set back: operations hears, and the desk looks at what is due now.
    async fn stepped(&mut self, step: Step) -> Result<(), Lost> {
        self.ticked_at = self.ticked_at.min(step.to);
        let (from, to) = (self.zone.minute(step.from), self.zone.minute(step.to));
        warn!(?step, "the clock was set back");
        let message = Message::new(
            format!("系统时钟从 {from} 被拨回 {to}。请检查 NTP；期间的等待时间可能不准"),
            format!("the system clock was set back from {from} to {to}; check NTP, waits in between may be off"),
        );
        self.decide(Input::Trouble { name: "clock_step", message }, None).await?;
        self.decide(Input::ClockSetBack, None).await?;
        for wake in self.hands.wakes.values() {
            wake.ring(&self.busy); // their next poll may lie hours ahead now
        }
        Ok(())
    }

    /// Whoever watches from outside hears that a pass was completed, unless what it showed cannot be kept.
    fn beat(&self) {
        if self.health.store_takes_writes()
            && let Some(pulse) = &self.hands.pulse
        {
            pulse.beat(&self.busy);
        }
    }

    /// Publishes the view.
    fn show(&mut self) {
        let now = self.clock.now();
        self.published.show(self.desk.view(now), now);
        let took = self.clock.now().since(now);
        self.show_again_at = now.plus(VIEW_PACE.max(took.times(VIEW_SHARE)));
        self.show_at = Timestamp::NEVER;
    }
}
