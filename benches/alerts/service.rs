//! The service as it runs in production, less the web side, over a store on disk: its tickets fall due all at once.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use deskbell::{
    adapters::{
        clock::Clock,
        feishu::{
            client::Client,
            config::{self, BaseUrl, Events, HelpdeskConfig},
            helpdesk::Helpdesk,
            page::RawTicket,
            ticket::Decoder,
        },
        http,
        outgoing::{
            self,
            config::{Config as Outgoing, HttpConfig},
        },
        store::{config::Config, database::Store},
        templates::library::Templates,
    },
    domain::{
        calendar::{Pace, Wait},
        condition::{Bound, Clock as TicketClock, ClockTest, Condition},
        desk::{
            settings::{Access, Direct, Limits, Look, Settings, SourceSettings},
            state::{SourceState, Stored, Tracked},
        },
        facts::Facts,
        id::{ReceiverName, RuleName, SourceName, TicketId},
        labels::Labels,
        plan::Plan,
        receiver::{HTTP_PER_SECOND_MAX, Receiver, ReceiverKind},
        rule::{CatchUp, Notify, Rule, RuleSet, To},
        text::Locale,
        ticket::{Known, Status, Ticket},
        time::{Span, Timestamp, Zone},
    },
    engine::{
        delivery::{Outlets, SENDS_MAX},
        run::Until,
        schedule::Schedule,
        source::{Source, SourcePart},
        start::{Engine, Parts},
    },
};
use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::{ALERTS, pages, sink::HOOK};

/// The receiver of every alert.
const PAGER: &str = "pager";

/// How long a ticket waits before it rings.
const WAIT: Span = Span::from_hours(24);

/// From the start to the instant at which all fall due: all is open by then, and the data still fresh.
const QUIET_BEFORE: Span = Span::from_ms(1_500);

/// How often it is looked whether all is done.
const LOOK: Duration = Duration::from_millis(1);

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    tickets: Vec<&'a RawValue>,
}

/// As many tickets as there are alerts, as a helpdesk sends them, waiting for their guests.
pub(crate) fn tickets() -> Vec<Arc<Ticket>> {
    let mut decoder = Decoder::new(source());
    let mut out = Vec::with_capacity(ALERTS); // half of the pages hold as many
    for page in 0..pages::PAGES / 2 {
        let body = pages::page(0, page);
        let answer: Answer<'_> = serde_json::from_slice(&body).expect("the page is JSON");
        for (number, raw) in (page * pages::PAGE..).zip(answer.data.tickets) {
            let id = TicketId::new(pages::ticket_id(number).to_string());
            let raw = RawTicket { id, hash: number, body: Bytes::copy_from_slice(raw.get().as_bytes()) };
            let ticket = decoder.decode(&raw).expect("the ticket decodes").ticket;
            out.push(Arc::new(Ticket { status: Known::Present(Status::WaitingForUser), ..ticket }));
        }
    }
    out
}

/// What a repetition took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Took {
    /// From the instant at which all fell due until all was delivered and durable.
    pub(crate) seconds: f64,
    /// CPU time of the process meanwhile.
    pub(crate) cpu_seconds: f64,
    /// Commits since the start.
    pub(crate) commits: u64,
}

/// Lets them all ring.
pub(crate) fn ring(base: &str, tickets: &[Arc<Ticket>]) -> Took {
    let runtime = Runtime::new().expect("a runtime");
    let home = TempDir::new().expect("a temporary directory");
    let (store, _) = Store::open(&Config::at(home.path().join("data"))).expect("a new store opens");
    let clock = Clock::system();
    let due = clock.now().plus(QUIET_BEFORE);
    let inside = runtime.enter();
    let engine = Engine::start(parts(base, store, stored(tickets, due, clock.now()), clock.clone()));
    drop(inside);
    let port = engine.port();
    while clock.now() < due {
        thread::sleep(LOOK);
    }
    let cpu = cpu_seconds();
    let sends = || usize::try_from(port.health().counters.sends.load(Ordering::Relaxed)).unwrap_or(0);
    while sends() < ALERTS || !port.is_silent() {
        thread::sleep(LOOK);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is past 1970").as_secs_f64();
    assert_eq!(port.health().counters.sends_failed.load(Ordering::Relaxed), 0);
    let took = Took {
        seconds: now - due.as_ms() as f64 / 1_000.0,
        cpu_seconds: cpu_seconds() - cpu,
        commits: port.health().counters.commits.load(Ordering::Relaxed),
    };
    runtime.block_on(engine.stop(Span::from_secs(10)));
    took
}

/// CPU time of all threads of this process.
fn cpu_seconds() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("a process may ask about itself");
    (usage.user_time().num_microseconds() + usage.system_time().num_microseconds()) as f64 / 1_000_000.0
}

fn stored(tickets: &[Arc<Ticket>], due: Timestamp, now: Timestamp) -> Stored {
    let since = due.minus(WAIT);
    let tracked = |ticket: &Arc<Ticket>| Tracked {
        ticket: Arc::clone(ticket),
        facts: Facts::new(since, since),
        asked_at: now,
        list_hash: None,
        gone_at: None,
    };
    Stored {
        tickets: tickets.iter().map(tracked).collect(),
        sources: vec![SourceState { cursor: Some(now), swept_at: Some(now), ..SourceState::new(source()) }],
        meanings: vec![(rule().name, rule().meaning)],
        ..Stored::default()
    }
}

fn rule() -> Rule {
    let test = ClockTest { clock: TicketClock::InStatus, bound: Bound::AtLeast(WAIT), pace: Pace::Wall };
    let to = To::Receiver(ReceiverName::from(PAGER));
    Rule {
        hold: Wait::wall(Span::ZERO),
        meaning: 1,
        notify: vec![Notify { to, template: None, mention: None, repeat: Vec::new(), repeat_max: 0 }],
        ..Rule::new(RuleName::from("待用户响应太久"), Condition::Clock(test))
    }
}

fn parts(base: &str, store: Store, stored: Stored, clock: Clock) -> Parts {
    let app = config::Config {
        base_url: BaseUrl::parse(base).expect("loopback may be plain http"),
        app_id: "cli_bench".to_owned(),
        app_secret: "secret".to_owned().into(),
        plan: Plan::Paid,
        events: Events::default(),
        limits: Limits::default(),
    };
    let web = http::client(&http::Config { proxy: http::Proxy::None, ..http::Config::default() }).expect("a client");
    let client = Client::new(&app, web.clone(), clock.clone());
    let keys = HelpdeskConfig { helpdesk_id: "1".to_owned(), helpdesk_token: "token".to_owned().into() };
    let url = format!("{base}{HOOK}").into();
    let pager = outgoing::client::Client::new(&Outgoing::Http(HttpConfig { url, bearer: None }), web, clock.clone());
    let never = || Schedule::parse("0 0 3 1 1 *").expect("a schedule");
    let settings = settings();
    Parts {
        rules: Arc::new(RuleSet { rules: BTreeMap::from([(rule().name, rule())]) }),
        outlets: Outlets {
            webhooks: BTreeMap::new(),
            outgoing: BTreeMap::from([(ReceiverName::from(PAGER), pager)]),
            heartbeat: None,
            receivers: settings.receivers.clone(),
            at_once: SENDS_MAX,
            client: client.clone(),
        },
        settings,
        sources: vec![SourcePart {
            name: source(),
            source: Source::Feishu(Helpdesk::new(client, &keys)),
            poll: never(),
            sweep: never(),
            overlap: Span::from_mins(2),
        }],
        templates: Arc::new(Templates::load(None).0),
        names: deskbell::adapters::rulebook::names::Names::default(),
        store,
        stored,
        clock,
        until: Until::Stopped,
    }
}

fn settings() -> Settings {
    let pager = Receiver {
        per_second: Some(HTTP_PER_SECOND_MAX),
        ..Receiver::new(ReceiverName::from(PAGER), ReceiverKind::Http, Locale::Zh)
    };
    let kept =
        SourceSettings { poll_every: Span::from_days(1), catch_up: CatchUp::Each, labels: Arc::new(Labels::default()) };
    Settings {
        zone: Zone(chrono_tz::Asia::Shanghai),
        locale: Locale::Zh,
        sources: BTreeMap::from([(source(), kept)]),
        receivers: BTreeMap::from([(pager.name.clone(), pager)]),
        operations: None,
        limits: Limits::default(),
        plan: Plan::Paid,
        access: Access::new(Look::Receivers, Direct::Nobody),
        retention: Span::from_days(90),
        storm: None,
        rotas: BTreeMap::new(),
        inhibits: Vec::new(),
    }
}

fn source() -> SourceName {
    SourceName::from("it-desk")
}
