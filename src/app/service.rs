//! The service from a setup to its end: built whole, then started, stopped in bounded time. A start depends on no answer
//! of the platform.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use tokio::{
    net::TcpListener,
    sync::{Semaphore, mpsc, oneshot, watch},
    task::JoinSet,
};

use crate::{
    adapters::{
        clock::Clock,
        feishu::{
            callback::Callback, client::Client, event::EventReader, helpdesk::Helpdesk,
            long_connection::standing::Watched, webhook::Webhook,
        },
        http,
        outgoing::{self, heartbeat::Heartbeat},
        store::database::Store,
    },
    app::{
        config::{self, setup::Setup},
        fields::Keeper,
        long_connection::{self, Wiring},
        reload::{ASKS_MAX, Ask, InForce, Loader, Published, Reloader},
        watch::{Fixed, status_of},
    },
    domain::{
        desk::state::Stored,
        id::ReceiverName,
        receiver::Locales,
        text::Message,
        time::{Span, Zone},
    },
    engine::{
        delivery::{Outlets, SENDS_MAX},
        incoming::Reception,
        port::Port,
        run::Until,
        source::{Source, SourcePart},
        start::{End, Engine, Parts},
    },
    web::{
        admin,
        callbacks::{self, Callbacks},
        listener,
        oncall::PAGES_MAX,
        operators::{Compile, Operators},
        state::{Admin, CallbackCounts, Explain, Reload},
        status::{FaultStatus, Status},
    },
};

/// How long what is under way is heard out at a stop.
pub const STOP_PATIENCE: Span = Span::from_secs(8);

/// The first wait before the bot's identity is asked for again.
const BOT_RETRY_MIN: Span = Span::from_secs(5);

/// The longest.
const BOT_RETRY_MAX: Span = Span::from_mins(10);

/// How the service runs.
#[derive(Clone)]
pub struct Manner {
    /// The time.
    pub clock: Clock,
    /// Every source is read once, what follows is delivered, and it ends; nothing listens.
    pub once: bool,
    /// Notices are sent one after the other, in the order they were decided (the demo).
    pub in_order: bool,
    /// How rules are read again while it runs; absent: they are not.
    pub reload: Option<Loader>,
}

/// A running service.
pub struct Service {
    engine: Engine,
    listen: Option<SocketAddr>,
    admin_listen: Option<SocketAddr>,
    asks: mpsc::Sender<Ask>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

/// Builds everything, then starts it. The message says what stands in the way and what to do.
pub async fn start(setup: Setup, manner: Manner) -> Result<Service, Message> {
    let Manner { clock, once, in_order, reload } = manner;
    let http = http::client(&setup.http).map_err(|fault| fault.message)?;
    let client = Client::new(&setup.feishu, http.clone(), clock.clone());
    let events = EventReader::default();
    let callback = callback(&setup, events.clone());
    let sources = sources(&setup, &client);
    let outlets = outlets(&setup, &client, (&http, &clock), in_order);
    let keeper = Keeper::of(&setup, &client);
    let tunnel = long_connection::tunnel(&setup, !once)?;
    let listeners = if once { None } else { Some(bind(&setup).await?) };
    let (store, stored) = open_store(&setup).await?;
    let fixed = Fixed { started_at: clock.now(), plan: setup.settings.plan };
    let in_force = InForce::of(&setup);
    let reloads = in_force.published(fixed.started_at);
    let zone = setup.settings.zone;
    let locales = Locales::of(setup.settings.locale, setup.settings.receivers.values());
    let engine = Engine::start(Parts {
        rules: Arc::clone(&setup.rules),
        settings: setup.settings,
        sources,
        outlets,
        templates: setup.templates,
        names: setup.names,
        store,
        stored,
        clock: clock.clone(),
        until: if once { Until::Quiet } else { Until::Stopped },
    });
    let (stop, stopping) = watch::channel(false);
    let (asks, asked) = mpsc::channel(ASKS_MAX);
    let mut service =
        Service { engine, listen: None, admin_listen: None, asks: asks.clone(), stop, tasks: JoinSet::new() };
    let Some((callbacks_at, admin_at)) = listeners else { return Ok(service) };
    let port = service.engine.port();
    let over_http = callback.is_some();
    service.tasks.spawn(keeper.run(port.clone(), clock.clone(), asks.clone(), stopping.clone()));
    let counts = Arc::new(CallbackCounts::default());
    let reception = Reception::of(port.clone(), clock.clone(), locales);
    let watched = tunnel.map(|tunnel| {
        let (port, reception) = (port.clone(), reception.clone());
        let wiring = Wiring { client: client.clone(), tunnel, events: events.clone(), reception, port, over_http };
        long_connection::start(&mut service.tasks, wiring, &clock, &stopping)
    });
    let hears_events = over_http || watched.is_some();
    let callbacks = Callbacks { feishu: callback, reception, clock: clock.clone(), counts: Arc::clone(&counts) };
    let reloadable = reload.is_some();
    if let Some(load) = reload {
        let reloader = Reloader::new(in_force, load, port.clone(), clock.clone(), Arc::clone(&reloads));
        service.tasks.spawn(reloader.run(asked, stopping.clone()));
    }
    let admin = Admin {
        explain: Some(explain(port.clone())),
        operators: Some(operators(port.clone(), zone, clock.clone())),
        status: status(port, fixed, reloads, watched, clock.clone()),
        reload: reloadable.then(|| reload_handle(asks)),
        tokens: setup.server.tokens(),
        counts,
    };
    service.listen = callbacks_at.local_addr().ok();
    service.admin_listen = admin_at.local_addr().ok();
    let routes = [(callbacks_at, callbacks::router(callbacks)), (admin_at, admin::router(admin))];
    for (listener, router) in routes {
        service.tasks.spawn(listener::serve(listener, router, clock.clone(), stopping.clone()));
    }
    if hears_events {
        service.tasks.spawn(learn_bot(client, events, clock, stopping));
    }
    Ok(service)
}

impl Service {
    /// Where callbacks arrive; nothing with a single run.
    pub const fn listen(&self) -> Option<SocketAddr> {
        self.listen
    }

    /// Where operators look; nothing with a single run.
    pub const fn admin_listen(&self) -> Option<SocketAddr> {
        self.admin_listen
    }

    /// Where a reload is asked for.
    pub fn asks(&self) -> mpsc::Sender<Ask> {
        self.asks.clone()
    }

    /// What the engine is asked and told through.
    pub fn port(&self) -> Port {
        self.engine.port()
    }

    /// Runs until `signal` is ready or the engine ends by itself, then stops all of it.
    pub async fn run(mut self, signal: impl Future<Output = ()>) -> End {
        let by_itself = tokio::select! {
            end = self.engine.ended() => Some(end),
            () = signal => None,
        };
        let stopped = self.stop().await;
        by_itself.filter(|end| *end != End::Done).unwrap_or(stopped)
    }

    /// Stops: nothing new comes in, what is under way is heard out for at most [`STOP_PATIENCE`].
    pub async fn stop(mut self) -> End {
        self.stop.send_replace(true);
        let engine = self.engine.stop(STOP_PATIENCE);
        // The listeners end while the engine does: what they still hand in is refused, and comes again.
        let listeners = async { while self.tasks.join_next().await.is_some() {} };
        let (end, ()) = tokio::join!(engine, listeners);
        end
    }
}

fn callback(setup: &Setup, reader: EventReader) -> Option<Arc<Callback>> {
    let events = &setup.feishu.events;
    let token = events.verification_token.clone().filter(|_| events.http)?;
    Some(Arc::new(Callback::new(token, events.encrypt_key.clone(), reader)))
}

fn sources(setup: &Setup, client: &Client) -> Vec<SourcePart> {
    let part = |source: &config::sources::Source| SourcePart {
        name: source.name.clone(),
        source: Source::Feishu(Helpdesk::new(client.clone(), &source.helpdesk)),
        poll: source.poll.clone(),
        sweep: source.sweep.clone(),
        overlap: source.overlap,
    };
    setup.sources.values().map(part).collect()
}

fn outlets(setup: &Setup, client: &Client, (http, clock): (&reqwest::Client, &Clock), in_order: bool) -> Outlets {
    Outlets {
        webhooks: webhooks(setup, http, clock),
        outgoing: outgoing(setup, http, clock),
        heartbeat: setup.heartbeat.clone().map(|url| Heartbeat::new(url, http.clone())),
        receivers: setup.settings.receivers.clone(),
        client: client.clone(),
        at_once: if in_order { 1 } else { SENDS_MAX },
    }
}

fn webhooks(setup: &Setup, http: &reqwest::Client, clock: &Clock) -> BTreeMap<ReceiverName, Webhook> {
    let webhook = |config| Webhook::new(config, http.clone(), clock.clone());
    setup.webhooks.iter().map(|(name, config)| (name.clone(), webhook(config))).collect()
}

fn outgoing(setup: &Setup, http: &reqwest::Client, clock: &Clock) -> BTreeMap<ReceiverName, outgoing::client::Client> {
    let client = |config| outgoing::client::Client::new(config, http.clone(), clock.clone());
    setup.outgoing.iter().map(|(name, config)| (name.clone(), client(config))).collect()
}

/// Both sockets, before anything is opened that a second process would disturb.
async fn bind(setup: &Setup) -> Result<(TcpListener, TcpListener), Message> {
    let listen = socket(setup.server.listen, "server.listen").await?;
    Ok((listen, socket(setup.server.admin_listen, "server.admin_listen").await?))
}

async fn socket(address: SocketAddr, key: &str) -> Result<TcpListener, Message> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => Message::new(
            format!("{address} 已被占用：deskbell 可能已经在运行；否则改 {key}，或停掉占用它的程序"),
            format!("{address} is in use: deskbell may be running already; else change {key}, or stop what uses it"),
        ),
        std::io::ErrorKind::PermissionDenied => Message::new(
            format!("没有权限监听 {address}：1024 以下的端口需要特权，请改 {key}"),
            format!("listening on {address} is not permitted: ports below 1024 need privileges; change {key}"),
        ),
        _ => Message::new(
            format!("不能监听 {address}（{key}）：{error}"),
            format!("cannot listen on {address} ({key}): {error}"),
        ),
    })
}

async fn open_store(setup: &Setup) -> Result<(Store, Stored), Message> {
    let config = setup.store.clone();
    let opened = tokio::task::spawn_blocking(move || Store::open(&config)).await;
    match opened {
        Ok(opened) => opened.map_err(|error| error.message()),
        Err(error) => {
            Err(Message::new(format!("打开存储时出错：{error}"), format!("opening the store broke off: {error}")))
        }
    }
}

fn operators(port: Port, zone: Zone, clock: Clock) -> Operators {
    let reading = port.clone();
    let compile: Compile = Arc::new(move |text| reading.condition(text));
    let listing = port.clone();
    let compile_list: Compile = Arc::new(move |text| listing.list_condition(text));
    Operators { port, zone, clock, compile, compile_list, pages: Arc::new(Semaphore::new(PAGES_MAX)) }
}

fn explain(port: Port) -> Explain {
    Arc::new(move |ticket, rule| {
        let port = port.clone();
        Box::pin(async move { port.explain(ticket, rule).await })
    })
}

/// Asks for a reload and waits for what comes of it.
fn reload_handle(asks: mpsc::Sender<Ask>) -> Reload {
    Arc::new(move || {
        let asks = asks.clone();
        Box::pin(async move {
            let (ask, answer) = oneshot::channel();
            asks.send(ask).await.ok()?;
            let done = answer.await.ok()?;
            Some(done.map_err(|faults| faults.iter().map(FaultStatus::from).collect()))
        })
    })
}

fn status(
    port: Port,
    fixed: Fixed,
    reloads: Published,
    watched: Option<Watched>,
    clock: Clock,
) -> Arc<dyn Fn() -> Status + Send + Sync> {
    Arc::new(move || Status {
        long_connection: watched.as_ref().map(|watched| long_connection::status(&watched.borrow())),
        ..status_of(&port, fixed, &reloads.load(), clock.now())
    })
}

/// The bot's own identity, to tell its mention from another bot's; asked for until the platform answers.
async fn learn_bot(client: Client, events: EventReader, clock: Clock, mut stopping: watch::Receiver<bool>) {
    let mut wait = BOT_RETRY_MIN;
    loop {
        let error = tokio::select! {
            biased;
            _ = stopping.wait_for(|stop| *stop) => return,
            bot = client.bot() => match bot {
                Ok(bot) => {
                    tracing::info!(bot = %bot.name, "the bot is known");
                    return events.know_bot(bot);
                }
                Err(error) => error,
            },
        };
        tracing::warn!(%error, "the bot's identity is not known yet; it is asked for again");
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            () = clock.sleep(wait) => {}
        }
        wait = wait.times(2).min(BOT_RETRY_MAX);
    }
}
