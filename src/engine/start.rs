//! Puts the engine together, starts it and stops it. Every task belongs to the handle: dropping it ends them all.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::timeout,
};
use tracing::error;

use crate::{
    adapters::{
        clock::Clock, outgoing::heartbeat::Heartbeat, rulebook::names::Names, store::database::Store,
        templates::library::Templates,
    },
    domain::{
        desk::{machine::Desk, outcome::LookUp, settings::Settings, state::Stored},
        id::SourceName,
        people::KnownPerson,
        receiver::PersonId,
        rule::RuleSet,
        text::Message,
        time::{Span, Timestamp, Zone},
    },
    engine::{
        busy::{Busy, BusyGuard},
        committer::{self, Committer, Released, Waiting},
        conversations::{MessageReader, WantedMessages},
        delivery::{Delivery, Outlets},
        directory::Directory,
        doors::{self, Doors},
        health::Health,
        heartbeat::{self, Pulse},
        lookup::{Finder, LOOKUPS_WAITING_MAX, understood},
        meter::{Meter, SourceStates},
        poller::{Poller, Wake},
        port::Port,
        reading::JournalReader,
        replies::Replies,
        run::{Hands, Loop, QUIET_CHECK, Until},
        source::SourcePart,
        templating::Templating,
        view::Published,
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
    replies: Replies,
}

/// Runs the loop and the committer; what it gives turns true when both have ended. The loop lets go of the committer's
/// queue when it ends; the committer ends with the last batch.
fn run_to_the_end(
    tasks: &mut JoinSet<()>,
    looped: impl Future<Output = ()> + Send + 'static,
    committer: impl Future<Output = ()> + Send + 'static,
) -> watch::Receiver<bool> {
    let (ended_in, ended) = watch::channel(false);
    tasks.spawn(async move {
        tokio::join!(looped, committer);
        ended_in.send_replace(true);
    });
    ended
}

/// What the desk knows of the sources' reading, for whoever reads them.
fn states_of(sources: &[SourcePart], desk: &Desk) -> SourceStates {
    let state = |part: &SourcePart| Some((part.name.clone(), desk.source_state(&part.name)?.clone()));
    Arc::new(ArcSwap::from_pointee(sources.iter().filter_map(state).collect()))
}

/// Whom the directory is asked for, and whom it is told of.
type Acquaintances = (Option<Vec<PersonId>>, Vec<KnownPerson>);

/// Who is named, and who is known already. A single run ends when all is quiet: it asks for nobody.
fn acquaintances(until: Until, settings: &Settings, stored: &Stored) -> Acquaintances {
    ((until == Until::Stopped).then(|| settings.people()), stored.people.clone())
}

impl Engine {
    /// Starts all of it on the runtime this is called in.
    pub fn start(parts: Parts) -> Self {
        let Parts { rules, settings, sources, outlets, templates, names, store, stored, clock, until } = parts;
        let (zone, plan, reading) = (settings.zone, settings.plan, store.reading());
        let templates = Templating::new(templates);
        let introduced = acquaintances(until, &settings, &stored);
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
            replies: Replies::default(),
        };
        let helpdesks = Arc::new(sources.iter().map(|part| (part.source.helpdesk_id(), part.name.clone())).collect());
        let (mut tasks, meter) = (JoinSet::new(), Arc::new(Meter::new(plan, zone, Arc::clone(&common.states))));
        let wakes = common.spawn_pollers(&mut tasks, sources, &meter, until);
        let wanted = common.spawn_reader(&mut tasks, Arc::clone(&meter));
        let pulse = outlets.heartbeat.clone().map(|heartbeat| common.spawn_heartbeat(&mut tasks, heartbeat));
        let (lookups, released) = common.spawn_hands(&mut tasks, outlets, templates.clone(), introduced);
        let hands = Hands { wanted, messages: common.spawn_message_reader(&mut tasks, meter), wakes, pulse, lookups };
        let (lost_in, lost) = watch::channel(None);
        let (batches_in, batches) = committer::open();
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
            replies: common.replies.clone(),
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
        let ended = run_to_the_end(&mut tasks, looped.run(opening), committer.run());
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
        (asked, known): Acquaintances,
    ) -> (mpsc::Sender<(LookUp, BusyGuard)>, mpsc::UnboundedSender<Released>) {
        let (lookups, wishes) = mpsc::channel(LOOKUPS_WAITING_MAX);
        let client = outlets.client.clone();
        let directory = Directory::new(client, self.clock.clone(), self.doors.clone(), self.busy.clone());
        directory.remember(&known);
        if let Some(people) = asked {
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
            replies: self.replies.clone(),
        };
        let (released, to_send) = mpsc::unbounded_channel();
        tasks.spawn(delivery.run(to_send));
        (lookups, released)
    }

    fn committer(
        &self,
        (store, calls): (Store, Busy),
        batches: mpsc::UnboundedReceiver<Waiting>,
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
