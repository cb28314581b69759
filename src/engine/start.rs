//! Puts the engine together, starts it and stops it. Every task belongs to the handle: dropping it ends them all.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
    time::timeout,
};
use tracing::{error, info, warn};

use crate::{
    adapters::{
        clock::Clock,
        feishu::ticket_event::TicketEvent,
        outgoing::heartbeat::Heartbeat,
        rulebook::{alone::typed_condition, names::Names},
        store::database::Store,
        templates::library::{Surroundings, Templates},
    },
    domain::{
        card::Card,
        chronicle::{JournalLine, LinesOf},
        condition::Condition,
        deed::{Act, Acted, Tone},
        desk::{
            input::{Added, ChatMessage, Input, NewRules, TicketNews},
            machine::Desk,
            outcome::LookUp,
            settings::Settings,
            state::Stored,
        },
        explain::explanation::Explained,
        id::SourceName,
        receiver::PersonId,
        rule::RuleSet,
        text::Message,
        time::{Span, Timestamp, Zone},
    },
    engine::{
        asks::{Ask, Back},
        busy::{Busy, BusyGuard},
        committer::{BATCHES_WAITING_MAX, Batch, Committer, Released},
        conversations::{MessageReader, WantedMessages},
        delivery::{Delivery, Outlets},
        directory::Directory,
        doors::{self, Doors, Refused, Urgent},
        health::{self, Health},
        heartbeat::{self, Pulse},
        lookup::{Finder, LOOKUPS_WAITING_MAX, understood},
        meter::{Meter, SourceStates},
        poller::{Poller, Wake},
        reading::JournalReader,
        run::{Hands, Loop, QUIET_CHECK, Until},
        source::SourcePart,
        templating::Templating,
        view::{Published, Shown},
        wanted::{Reader, Sources, Wanted},
    },
};

/// What the engine is put together from.
pub struct Parts {
    /// The rules in force.
    pub rules: Arc<RuleSet>,
    /// What the desk needs of the configuration.
    pub settings: Settings,
    /// The sources.
    pub sources: Vec<SourcePart>,
    /// Where notices can go.
    pub outlets: Outlets,
    /// What cards are made from.
    pub templates: Arc<Templates>,
    /// What a condition that someone types may name.
    pub names: Names,
    /// The store, open.
    pub store: Store,
    /// What it held.
    pub stored: Stored,
    /// The clock.
    pub clock: Clock,
    /// How the engine ends by itself.
    pub until: Until,
}

/// What a running engine is asked and told through; clones are the same engine.
#[derive(Clone)]
pub struct Port {
    doors: Doors,
    published: Arc<Published>,
    health: Arc<Health>,
    busy: Busy,
    templates: Templating,
    names: Arc<ArcSwap<Names>>,
    clock: Clock,
    zone: Zone,
    stopping: watch::Receiver<bool>,
    journal: JournalReader,
    /// Which source a helpdesk is.
    helpdesks: Arc<BTreeMap<String, SourceName>>,
}

/// What became of a person's deed, ready to be shown.
#[derive(Clone, Debug)]
pub struct ActAnswer {
    /// How it went.
    pub tone: Tone,
    /// A sentence for whoever did it.
    pub words: Message,
    /// The card they acted on as it is now; absent where they acted on none.
    pub card: Option<Card>,
}

/// A running engine.
pub struct Engine {
    port: Port,
    stop: watch::Sender<bool>,
    lost: watch::Receiver<Option<Message>>,
    /// Over when the loop has ended and all it decided is durable.
    ended: watch::Receiver<bool>,
    tasks: JoinSet<()>,
    clock: Clock,
    /// Calls into the store; they cannot be broken off.
    store_calls: Busy,
}

/// How an engine ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// As it was asked to, or because all was quiet.
    Done,
    /// The store takes no writes any more: exit code 1.
    StoreLost(Message),
    /// It was still at work when its time was up; the next start takes up what was left.
    Late,
}

impl Port {
    /// Hands in a message of a person; returns once it is durable.
    ///
    /// # Errors
    /// Why it was not accepted; the platform should deliver it again.
    pub async fn submit(&self, message: ChatMessage) -> Result<(), Refused> {
        self.hand_in(Input::Message(message)).await.map(|_| ())
    }

    /// Hands in that the bot was added to a chat; returns once it is durable.
    ///
    /// # Errors
    /// Why it was not accepted; the platform should deliver it again.
    pub async fn added(&self, added: Added) -> Result<(), Refused> {
        self.hand_in(Input::Added(added)).await.map(|_| ())
    }

    /// Hands in that something happened to a ticket of a helpdesk. Nothing of it is kept: what is lost, the next poll
    /// shows.
    ///
    /// # Errors
    /// Too much is waiting; the platform should deliver it again.
    pub fn ticket_news(&self, news: TicketEvent) -> Result<(), Refused> {
        let TicketEvent { helpdesk, ticket, moved_at, said } = news;
        let source = match helpdesk {
            None => None,
            Some(helpdesk) => match self.helpdesks.get(&helpdesk) {
                Some(source) => Some(source.clone()),
                None => return Ok(()), // a helpdesk that nobody watches
            },
        };
        let input = Input::TicketNews(TicketNews { source, ticket, moved_at, said });
        self.doors.events.try_send(input).map_err(|_| Refused::Full)
    }

    /// Hands in what a person did; returns once it is durable, with what became of it and the card as it is now.
    ///
    /// # Errors
    /// Why it was not accepted: nothing was done.
    pub async fn act(&self, act: Act) -> Result<ActAnswer, Refused> {
        let Acted { tone, words, card } = self.hand_in(Input::Act(Box::new(act))).await?.ok_or(Refused::Stopping)?;
        let Some(send) = card else { return Ok(ActAnswer { tone, words, card: None }) };
        let around = Surroundings { zone: self.zone, now: self.clock.now(), drill: false };
        let rendered = self.templates.get().render(&send, &around);
        if let Some(trouble) = rendered.trouble {
            // The update that follows fails in the same way, and tells operations.
            health::add(&self.health.counters.renders_failed, 1);
            warn!(key = ?send.key, reason = %trouble, "a template failed; whoever clicked sees the built-in card");
        }
        Ok(ActAnswer { tone, words, card: Some(rendered.card) })
    }

    async fn hand_in(&self, input: Input) -> Result<Option<Acted>, Refused> {
        if *self.stopping.borrow() {
            return Err(Refused::Stopping);
        }
        if !self.health.store_takes_writes() {
            return Err(Refused::Store);
        }
        let (reply, answer) = oneshot::channel();
        let urgent = Urgent { input, reply: Some(reply) };
        self.doors.urgent.try_send(urgent).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Refused::Full,
            mpsc::error::TrySendError::Closed(_) => Refused::Stopping,
        })?;
        answer.await.unwrap_or(Err(Refused::Stopping))
    }

    /// What the rules (or the one named) say of a ticket; nothing where too many ask, or the engine stops.
    pub async fn explain(&self, ticket: String, rule: Option<String>) -> Option<Result<Explained, Message>> {
        self.ask(|reply| Ask::Explain { ticket, rule, reply }).await
    }

    /// Asks something that changes nothing; nothing where too many ask, or the engine stops.
    pub async fn ask<T>(&self, question: impl FnOnce(Back<T>) -> Ask + Send) -> Option<Result<T, Message>> {
        let (reply, answer) = oneshot::channel();
        self.doors.questions.try_send(question(reply)).ok()?;
        answer.await.ok()
    }

    /// The last lines of the journal that are meant, newest first; nothing where too many read already.
    pub async fn journal(&self, of: LinesOf, limit: usize) -> Option<Result<Vec<JournalLine>, Message>> {
        self.journal.about(of, limit).await
    }

    /// Puts other rules in force, and with them other templates.
    pub async fn change_rules(&self, new: Box<NewRules>, templates: Option<Arc<Templates>>) {
        if let Some(templates) = templates {
            self.templates.prepare(templates);
        }
        self.tell(Input::Rules(new)).await;
    }

    /// From now on typed conditions may name this.
    pub fn learn_names(&self, names: Names) {
        self.names.store(Arc::new(names));
    }

    /// Reads a condition as people write it, by the names in force.
    ///
    /// # Errors
    /// The first thing that is wrong with it, with the next step.
    pub fn condition(&self, text: &str) -> Result<Condition, Message> {
        typed_condition(text, &self.names.load())
    }

    /// Tells operations why other rules did not come into force.
    pub async fn refuse_rules(&self, why: Message) {
        self.tell(Input::RulesRefused(why)).await;
    }

    /// Tells operations of a trouble, once per `name` and day.
    pub async fn report(&self, name: &'static str, message: Message) {
        self.tell(Input::Trouble { name, message }).await;
    }

    async fn tell(&self, input: Input) {
        if self.doors.events.send(input).await.is_err() {
            info!("an input came after the loop ended");
        }
    }

    /// The desk as last published, at most a second old while inputs keep coming.
    pub fn view(&self) -> Arc<Shown> {
        self.published.latest()
    }

    /// Counters and the sources' condition, of this instant.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Whether nothing waits for the loop and nothing is under way, the wait for an instant aside. Exact on a runtime of
    /// one thread; on others what is being taken out of a queue right now may be missed.
    pub fn is_silent(&self) -> bool {
        self.busy.count() == 0 && self.doors.are_empty()
    }

    /// Whether messages are accepted.
    pub fn is_ready(&self) -> bool {
        self.health.store_takes_writes() && !*self.stopping.borrow() && !self.doors.urgent.is_closed()
    }
}

/// What every task shares.
struct Common {
    clock: Clock,
    zone: Zone,
    doors: Doors,
    health: Arc<Health>,
    busy: Busy,
    stopping: watch::Receiver<bool>,
    sources: Sources,
    states: SourceStates,
    rules: Arc<ArcSwap<RuleSet>>,
    names: Arc<ArcSwap<Names>>,
}

/// What the desk knows of the sources' reading, for whoever reads them.
fn states_of(sources: &[SourcePart], desk: &Desk) -> SourceStates {
    let state = |part: &SourcePart| Some((part.name.clone(), desk.source_state(&part.name)?.clone()));
    Arc::new(ArcSwap::from_pointee(sources.iter().filter_map(state).collect()))
}

impl Engine {
    /// Starts all of it on the runtime this is called in.
    pub fn start(parts: Parts) -> Self {
        let Parts { rules, settings, sources, outlets, templates, names, store, stored, clock, until } = parts;
        let (zone, plan, reading) = (settings.zone, settings.plan, store.reading());
        let templates = Templating::new(templates);
        let introduced = (until == Until::Stopped).then(|| settings.people()); // a single run ends when all is quiet
        let (desk, opening) = Desk::open(understood(stored, &names), Arc::clone(&rules), settings, clock.now());
        let ((doors, queues), (stop, stopping)) = (doors::open(), watch::channel(false));
        let common = Common {
            clock: clock.clone(),
            zone,
            doors: doors.clone(),
            health: Arc::default(),
            busy: Busy::default(),
            stopping: stopping.clone(),
            sources: Arc::new(sources.iter().map(|part| (part.name.clone(), part.source.clone())).collect()),
            states: states_of(&sources, &desk),
            rules: Arc::new(ArcSwap::new(rules)),
            names: Arc::new(ArcSwap::from_pointee(names)),
        };
        let helpdesks = Arc::new(sources.iter().map(|part| (part.source.helpdesk_id(), part.name.clone())).collect());
        let (mut tasks, meter) = (JoinSet::new(), Arc::new(Meter::new(plan, zone, Arc::clone(&common.states))));
        let wakes = common.spawn_pollers(&mut tasks, sources, &meter, until);
        let wanted = common.spawn_reader(&mut tasks, Arc::clone(&meter));
        let pulse = outlets.heartbeat.clone().map(|heartbeat| common.spawn_heartbeat(&mut tasks, heartbeat));
        let (lookups, released) = common.spawn_hands(&mut tasks, outlets, templates.clone(), introduced);
        let hands = Hands { wanted, messages: common.spawn_message_reader(&mut tasks, meter), wakes, pulse, lookups };
        let (lost_in, lost) = watch::channel(None);
        let (batches_in, batches) = mpsc::channel(BATCHES_WAITING_MAX);
        let (store_calls, published) = (Busy::default(), Arc::new(Published::default()));
        let committer = common.committer((store, store_calls.clone()), batches, released, lost_in);
        let port = Port {
            doors,
            published: Arc::clone(&published),
            health: Arc::clone(&common.health),
            busy: common.busy.clone(),
            templates: templates.clone(),
            names: Arc::clone(&common.names),
            clock: clock.clone(),
            zone,
            stopping,
            journal: JournalReader::new(reading, store_calls.clone()),
            helpdesks,
        };
        let looped = Loop {
            desk,
            clock: clock.clone(),
            zone,
            queues,
            committer: batches_in,
            hands,
            sources: common.sources,
            decoders: BTreeMap::new(),
            states: common.states,
            rules: common.rules,
            names: common.names,
            templates,
            published,
            health: common.health,
            busy: common.busy,
            stop: common.stopping,
            until,
            ticked_at: Timestamp::MIN,
            show_at: Timestamp::NEVER,
            show_again_at: Timestamp::MIN,
        };
        let (ended_in, ended) = watch::channel(false);
        tasks.spawn(async move {
            // The loop lets go of the committer's queue when it ends; the committer ends with the last batch.
            tokio::join!(looped.run(opening), committer.run());
            ended_in.send_replace(true);
        });
        Self { port, stop, lost, ended, tasks, clock, store_calls }
    }

    /// What it is asked and told through.
    pub fn port(&self) -> Port {
        self.port.clone()
    }

    /// Waits until the engine ends by itself: it is quiet, or the store is lost.
    pub async fn ended(&mut self) -> End {
        if self.ended.wait_for(|ended| *ended).await.is_err() {
            error!("the loop broke off");
        }
        self.end()
    }

    fn end(&self) -> End {
        self.lost.borrow().clone().map_or(End::Done, End::StoreLost)
    }

    /// Stops: nothing new is taken up, what is under way is heard out for at most `patience`, and all tasks end.
    pub async fn stop(mut self, patience: Span) -> End {
        self.stop.send_replace(true);
        let in_time = timeout(self.clock.to_wall(patience), self.ended.wait_for(|ended| *ended)).await.is_ok();
        self.end_tasks().await;
        if in_time { self.end() } else { End::Late }
    }

    /// Ends every task where it stands, as a crash would.
    pub async fn kill(mut self) {
        self.end_tasks().await;
    }

    /// Afterwards nothing holds the store.
    async fn end_tasks(&mut self) {
        self.tasks.shutdown().await;
        while self.store_calls.count() > 0 {
            self.clock.sleep(QUIET_CHECK).await;
        }
    }
}

impl Common {
    fn spawn_pollers(
        &self,
        tasks: &mut JoinSet<()>,
        parts: Vec<SourcePart>,
        meter: &Arc<Meter>,
        until: Until,
    ) -> BTreeMap<SourceName, Arc<Wake>> {
        let mut wakes = BTreeMap::new();
        for part in parts {
            let wake = Arc::new(Wake::default());
            wakes.insert(part.name.clone(), Arc::clone(&wake));
            let poller = Poller {
                part,
                zone: self.zone,
                clock: self.clock.clone(),
                doors: self.doors.clone(),
                meter: Arc::clone(meter),
                rules: Arc::clone(&self.rules),
                health: Arc::clone(&self.health),
                wake: Arc::clone(&wake),
                busy: self.busy.clone(),
            };
            // Counted from here on, so that a single run does not end before its polls begin.
            let once = (until == Until::Quiet).then(|| self.busy.enter());
            let stopping = self.stopping.clone();
            tasks.spawn(async move {
                until_stopped(stopping, poller.run(once)).await;
                wake.close();
            });
        }
        wakes
    }

    fn spawn_heartbeat(&self, tasks: &mut JoinSet<()>, to: Heartbeat) -> Pulse {
        let (pulse, beats) = heartbeat::open(to, Arc::clone(&self.health));
        // A stop waits for no watch.
        tasks.spawn(until_stopped(self.stopping.clone(), beats.run()));
        pulse
    }

    fn spawn_reader(&self, tasks: &mut JoinSet<()>, meter: Arc<Meter>) -> Arc<Wanted> {
        let wanted = Arc::new(Wanted::default());
        let reader = Reader {
            wanted: Arc::clone(&wanted),
            sources: Arc::clone(&self.sources),
            clock: self.clock.clone(),
            doors: self.doors.clone(),
            health: Arc::clone(&self.health),
            meter,
        };
        let (stopping, closing) = (self.stopping.clone(), Arc::clone(&wanted));
        tasks.spawn(async move {
            until_stopped(stopping, reader.run()).await;
            closing.close();
        });
        wanted
    }

    fn spawn_message_reader(&self, tasks: &mut JoinSet<()>, meter: Arc<Meter>) -> Arc<WantedMessages> {
        let wanted = Arc::new(WantedMessages::reading_again());
        let reader = MessageReader {
            wanted: Arc::clone(&wanted),
            sources: Arc::clone(&self.sources),
            clock: self.clock.clone(),
            doors: self.doors.clone(),
            health: Arc::clone(&self.health),
            meter,
        };
        let (stopping, closing) = (self.stopping.clone(), Arc::clone(&wanted));
        tasks.spawn(async move {
            until_stopped(stopping, reader.run()).await;
            closing.close();
        });
        wanted
    }

    fn spawn_hands(
        &self,
        tasks: &mut JoinSet<()>,
        outlets: Outlets,
        templates: Templating,
        introduced: Option<Vec<PersonId>>,
    ) -> (mpsc::Sender<(LookUp, BusyGuard)>, mpsc::UnboundedSender<Released>) {
        let (lookups, wishes) = mpsc::channel(LOOKUPS_WAITING_MAX);
        let client = outlets.client.clone();
        let directory = Directory::new(client, self.clock.clone(), self.doors.clone(), self.busy.clone());
        if let Some(people) = introduced {
            let (introduce, chats) = (directory.clone(), outlets.chats());
            tasks
                .spawn(until_stopped(self.stopping.clone(), introduce.introduce(people, chats, self.stopping.clone())));
        }
        let finder = Finder {
            directory: directory.clone(),
            chats: outlets.chats(),
            sources: Arc::clone(&self.sources),
            names: Arc::clone(&self.names),
            clock: self.clock.clone(),
            doors: self.doors.clone(),
            health: Arc::clone(&self.health),
        };
        tasks.spawn(finder.run(wishes));
        let delivery = Delivery {
            outlets: Arc::new(outlets),
            templates,
            clock: self.clock.clone(),
            zone: self.zone,
            doors: self.doors.clone(),
            health: Arc::clone(&self.health),
            stopping: self.stopping.clone(),
            chats: Arc::default(),
            directory,
        };
        let (released, to_send) = mpsc::unbounded_channel();
        tasks.spawn(delivery.run(to_send));
        (lookups, released)
    }

    fn committer(
        &self,
        (store, calls): (Store, Busy),
        batches: mpsc::Receiver<Batch>,
        released: mpsc::UnboundedSender<Released>,
        lost: watch::Sender<Option<Message>>,
    ) -> Committer {
        let (health, clock, busy) = (Arc::clone(&self.health), self.clock.clone(), self.busy.clone());
        Committer { store, batches, released, lost, health, clock, busy, calls }
    }
}

/// Runs something until the engine stops.
async fn until_stopped(mut stopping: watch::Receiver<bool>, task: impl Future<Output = ()>) {
    tokio::select! {
        _ = stopping.wait_for(|stop| *stop) => {}
        () = task => {}
    }
}
