//! The service as it runs in production, less the web side: engine, poller, desk and committer over a store on disk, in
//! a runtime of several threads. It polls the bench's platform every other second, at the even ones.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use deskbell::{
    adapters::{
        clock::Clock,
        feishu::{client::Client, helpdesk::Helpdesk},
        http,
        store::{config::Config, database::Store},
        templates::library::Templates,
    },
    domain::{
        desk::settings::{Access, Direct, Limits, Look, Settings, SourceSettings},
        id::{ChatId, ReceiverName, SourceName},
        labels::Labels,
        plan::Plan,
        receiver::{Receiver, ReceiverKind},
        rule::CatchUp,
        text::Locale,
        time::{Span, Zone},
    },
    engine::{
        delivery::{Outlets, SENDS_MAX},
        port::Port,
        run::Until,
        schedule::Schedule,
        source::{Source, SourcePart},
        start::{Engine, Parts},
    },
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::{pages, rules};

/// From one poll to the next; it is measured from middle to middle.
const EVERY: Duration = Duration::from_secs(2);

/// The running service.
pub(crate) struct Service {
    runtime: Runtime,
    engine: Option<Engine>,
    port: Port,
    _home: TempDir,
}

/// What it counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    /// Pages read.
    pub(crate) pages: u64,
    /// Tickets decoded.
    pub(crate) decoded: u64,
    /// Writes made durable.
    pub(crate) writes: u64,
    /// Notices that were tried to be sent; none, for nothing answers here.
    pub(crate) sends: u64,
}

impl Service {
    /// Starts it and waits until it has read everything twice.
    pub(crate) fn start(base: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        let home = TempDir::new().expect("a temporary directory");
        let (store, stored) = Store::open(&Config::at(home.path().join("data"))).expect("a new store opens");
        let clock = Clock::system();
        let web = http::client(&http::Config { proxy: http::Proxy::None, ..http::Config::default() });
        let client = Client::new(&crate::config(base), web.expect("a client"), clock.clone());
        let zone = Zone(chrono_tz::Asia::Shanghai);
        let poll = Schedule::parse("*/2 * * * * *").expect("a schedule");
        let settings = settings(&poll, zone);
        let source = SourcePart {
            name: SourceName::from("it-desk"),
            source: Source::Feishu(Helpdesk::new(client.clone(), &crate::keys())),
            poll,
            sweep: Schedule::parse("0 0 3 1 1 *").expect("a schedule"),
            overlap: Span::from_mins(2),
        };
        let _inside = runtime.enter();
        let engine = Engine::start(Parts {
            rules: rules::rules(),
            outlets: Outlets {
                client,
                webhooks: BTreeMap::new(),
                outgoing: BTreeMap::new(),
                heartbeat: None,
                receivers: settings.receivers.clone(),
                at_once: SENDS_MAX,
            },
            settings,
            sources: vec![source],
            templates: Arc::new(Templates::load(None).0),
            names: deskbell::adapters::rulebook::names::Names::default(),
            store,
            stored,
            clock,
            until: Until::Stopped,
        });
        drop(_inside);
        let port = engine.port();
        let service = Self { runtime, engine: Some(engine), port, _home: home };
        while service.counted().pages < 2 * pages::PAGES {
            thread::sleep(Duration::from_millis(100));
        }
        service.rest();
        service
    }

    /// Waits for the middle between two polls: exactly one is made from one rest to the next.
    pub(crate) fn rest(&self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is past 1970");
        let since_poll = Duration::from_nanos((now.as_nanos() % EVERY.as_nanos()) as u64);
        let (half, to_middle) = (EVERY / 2, (EVERY + EVERY / 2).saturating_sub(since_poll));
        thread::sleep(if since_poll < half { half - since_poll } else { to_middle });
    }

    /// What it counted so far.
    pub(crate) fn counted(&self) -> Counted {
        let counters = &self.port.health().counters;
        let [pages, decoded, writes, sends] = [&counters.pages, &counters.decoded, &counters.writes, &counters.sends]
            .map(|one| one.load(Ordering::Relaxed));
        Counted { pages, decoded, writes, sends }
    }

    /// Alerts that stand.
    pub(crate) fn firing(&self) -> usize {
        self.port.view().desk.firing.values().sum()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(engine) = self.engine.take() {
            self.runtime.block_on(engine.kill());
        }
    }
}

fn settings(poll: &Schedule, zone: Zone) -> Settings {
    let name = ReceiverName::from(rules::RECEIVER);
    let kind = ReceiverKind::Chat(ChatId::from("oc_support"));
    let source = SourceSettings {
        poll_every: poll.interval(Clock::system().now(), zone),
        catch_up: CatchUp::None,
        labels: Arc::new(Labels::default()),
    };
    Settings {
        zone,
        locale: Locale::Zh,
        sources: BTreeMap::from([(SourceName::from("it-desk"), source)]),
        receivers: BTreeMap::from([(name.clone(), Receiver::new(name, kind, Locale::Zh))]),
        operations: None,
        limits: Limits::default(),
        plan: Plan::Paid,
        access: Access::new(Look::Receivers, Direct::Members),
        retention: Span::from_days(90),
        storm: None,
        rotas: BTreeMap::new(),
        inhibits: Vec::new(),
    }
}
