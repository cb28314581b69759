//! A world to test in: the engine, a store in a temporary directory, the fake platform on a loopback socket, and one
//! virtual clock for all of them.
//!
//! Everything runs in one paused single-threaded runtime: time moves only when nothing is under way.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex},
};

/// Times a store is opened that seems held.
const OPEN_TRIES: usize = 400;

use deskbell::{
    adapters::{
        clock::Clock,
        feishu::{
            client::Client,
            config::{self, BaseUrl, Events, HelpdeskConfig},
            helpdesk::Helpdesk,
        },
        http::{self, Proxy},
        outgoing::{
            self,
            config::{HttpConfig, WecomConfig},
            heartbeat::Heartbeat,
        },
        rulebook::names::Names,
        store::{config::Config as StoreConfig, database::Store, error::OpenError},
        templates::library::Templates,
    },
    domain::{
        actor::Actor,
        calendar::Pace,
        command::Command,
        condition::{Bound, Clock as TicketClock, ClockTest, Condition, Operator, Target, Test},
        desk::{
            forgotten::{self, Forgotten},
            input::{ChatKind, ChatMessage},
            settings::{Access, Direct, Limits, Look, Settings, SourceSettings, StormSettings},
            state::Stored,
        },
        field,
        id::{ChatId, EventId, MessageId, OpenId, ReceiverName, RuleName, SourceName},
        labels::Labels,
        plan::Plan,
        receiver::{Receiver, ReceiverKind},
        rota::Rota,
        rule::{CatchUp, Notify, Rule, RuleSet, To, Until as RuleUntil},
        text::Locale,
        time::{Span, Timestamp, Zone},
    },
    engine::{
        delivery::{Outlets, SENDS_MAX},
        doors::Refused,
        port::Port,
        run::Until,
        schedule::Schedule,
        source::{Source, SourcePart},
        start::{End, Engine, Parts},
    },
    sim::{
        self,
        card::View,
        directory::ChatKind as SimChat,
        http::{Server, Shared, lock},
        outside::Outside,
        platform::Platform,
        ticket::Ticket,
    },
};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::net::TcpListener;

/// When every world begins: 2026-11-20 10:00 in Shanghai, a Friday.
pub(crate) const START: Timestamp = Timestamp::from_ms(1_795_140_000_000);

/// The chat that hears of alerts.
pub(crate) const TEAM: &str = "oc_team";

/// The chat that hears of deskbell's own troubles.
pub(crate) const OPS: &str = "oc_ops";

/// What a world is made of besides its platform.
pub(crate) struct Plot {
    /// The rules.
    pub(crate) rules: Vec<Rule>,
    /// How what already holds is announced.
    pub(crate) catch_up: CatchUp,
    /// The API calls of a month.
    pub(crate) plan: Plan,
    /// When the source is polled.
    pub(crate) poll: &'static str,
    /// When the source is swept.
    pub(crate) sweep: &'static str,
    /// How the engine ends by itself.
    pub(crate) until: Until,
    /// Receivers outside the platform, by name: the sink of that name, or the WeCom bot with it as its key.
    pub(crate) outside: Vec<Receiver>,
    /// When many alerts of one rule become one digest.
    pub(crate) storm: Option<StormSettings>,
    /// Who may look and act.
    pub(crate) access: Access,
    /// What the receivers read.
    pub(crate) locale: Locale,
    /// What is said of the source's tickets: their teams, too.
    pub(crate) labels: Labels,
    /// Who is on call when.
    pub(crate) rotas: Vec<Rota>,
    /// What is asked after each completed pass.
    pub(crate) heartbeat: Option<String>,
    /// The team's chat may be an external one.
    pub(crate) external: bool,
}

impl Default for Plot {
    fn default() -> Self {
        Self {
            rules: vec![bad_score(), waiting_for_user(Span::from_hours(1))],
            catch_up: CatchUp::Each,
            plan: Plan::Paid,
            poll: "*/30 * * * * *",
            sweep: "0 */15 * * * *",
            until: Until::Stopped,
            outside: Vec::new(),
            storm: None,
            access: Access::new(Look::Receivers, Direct::Members),
            locale: Locale::En,
            labels: Labels::default(),
            rotas: Vec::new(),
            heartbeat: None,
            external: false,
        }
    }
}

/// A receiver outside the platform.
pub(crate) fn outside(name: &str, kind: ReceiverKind) -> Receiver {
    Receiver::new(ReceiverName::from(name), kind, Locale::En)
}

/// The world.
pub(crate) struct World {
    platform: Shared,
    server: Server,
    clock: Clock,
    home: TempDir,
    plot: Plot,
    engine: Option<Engine>,
    messages: u32,
}

impl World {
    /// A world whose engine runs.
    pub(crate) async fn start(plot: Plot, stage: impl FnOnce(&mut Platform)) -> Self {
        let mut world = Self::empty(plot, stage).await;
        world.wake();
        world
    }

    /// A world whose engine does not run yet.
    pub(crate) async fn empty(plot: Plot, stage: impl FnOnce(&mut Platform)) -> Self {
        http::install_crypto();
        let clock = Clock::anchored(START);
        let mut platform = Platform::new(7);
        platform.add_default_helpdesk();
        platform.add_person("ou_li", "李雷", "li@example.com");
        for chat in [TEAM, OPS] {
            platform.add_chat(chat, chat, SimChat::Group);
            platform.add_member(chat, "ou_li");
        }
        stage(&mut platform);
        let platform: Shared = Arc::new(Mutex::new(platform));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let reading = clock.clone();
        let server = Server::start(listener, Arc::clone(&platform), Arc::new(move || reading.now().as_ms())).unwrap();
        Self { platform, server, clock, home: TempDir::new().unwrap(), plot, engine: None, messages: 0 }
    }

    /// Opens the store that this process dropped a moment ago: a child of another test, on its way from `fork` to
    /// `exec`, may hold its lock a little longer.
    fn open_store(&self) -> (Store, Stored) {
        let config = StoreConfig::at(self.home.path().join("data"));
        for _ in 0..OPEN_TRIES {
            match Store::open(&config) {
                Err(OpenError::Held { .. }) => std::thread::sleep(std::time::Duration::from_millis(5)),
                other => return other.unwrap(),
            }
        }
        Store::open(&config).unwrap()
    }

    /// What the store of a service that does not run holds.
    pub(crate) fn stored(&self) -> Stored {
        assert!(self.engine.is_none(), "it runs");
        self.open_store().1
    }

    /// Where the store is.
    pub(crate) fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// Forgets a guest while no service runs.
    pub(crate) fn forget_in_store(&self, guest: &str) -> Forgotten {
        let (store, stored) = self.open_store();
        let (done, writes) = forgotten::in_store(&stored, guest, &Actor::Operator("cli".into()), self.clock.now());
        store.commit(&writes).unwrap();
        done
    }

    /// Starts the engine on what the store holds.
    pub(crate) fn wake(&mut self) {
        assert!(self.engine.is_none(), "it runs already");
        let (store, stored) = self.open_store();
        let web = http::client(&http::Config { proxy: Proxy::None, ..http::Config::default() }).unwrap();
        let client = self.client(&web);
        let keys = HelpdeskConfig {
            helpdesk_id: "6626871355780366330".to_owned(),
            helpdesk_token: SecretString::from("ht-token".to_owned()),
        };
        let source = SourcePart {
            name: desk(),
            source: Source::Feishu(Helpdesk::new(client.clone(), &keys)),
            poll: Schedule::parse(self.plot.poll).unwrap(),
            sweep: Schedule::parse(self.plot.sweep).unwrap(),
            overlap: Span::from_mins(2),
        };
        let settings = self.settings();
        let rules = self.plot.rules.iter().map(|rule| (rule.name.clone(), rule.clone())).collect();
        self.engine = Some(Engine::start(Parts {
            rules: Arc::new(RuleSet { rules }),
            outlets: Outlets {
                client,
                webhooks: BTreeMap::new(),
                outgoing: self.outgoing(&web),
                heartbeat: self.plot.heartbeat.as_deref().map(|url| Heartbeat::new(url.into(), web.clone())),
                receivers: settings.receivers.clone(),
                at_once: SENDS_MAX,
            },
            settings,
            sources: vec![source],
            templates: Arc::new(Templates::load(None).0),
            names: Names::default(),
            store,
            stored,
            clock: self.clock.clone(),
            until: self.plot.until,
        }));
    }

    /// A client of the app.
    pub(crate) fn client(&self, web: &reqwest::Client) -> Client {
        let app = lock(&self.platform).app().clone();
        let config = config::Config {
            base_url: BaseUrl::parse(&self.server.base_url()).unwrap(),
            app_id: app.app_id,
            app_secret: SecretString::from(app.app_secret),
            plan: self.plot.plan,
            events: Events::default(),
            limits: Limits::default(),
        };
        Client::new(&config, web.clone(), self.clock.clone())
    }

    fn outgoing(&self, web: &reqwest::Client) -> BTreeMap<ReceiverName, outgoing::client::Client> {
        let base = self.server.base_url();
        let client = |receiver: &Receiver| {
            let name = receiver.name.as_str();
            let config = match receiver.kind {
                ReceiverKind::Wecom => {
                    let url = SecretString::from(format!("{base}{}", Outside::bot_path(name)));
                    outgoing::config::Config::Wecom(WecomConfig { url })
                }
                _ => {
                    let url = SecretString::from(format!("{base}/sink/{name}"));
                    let bearer = Some(SecretString::from("pager-token"));
                    outgoing::config::Config::Http(HttpConfig { url, bearer })
                }
            };
            (receiver.name.clone(), outgoing::client::Client::new(&config, web.clone(), self.clock.clone()))
        };
        self.plot.outside.iter().map(client).collect()
    }

    fn settings(&self) -> Settings {
        let receiver = |name: &str, chat: &str| {
            let name = ReceiverName::from(name);
            let external = self.plot.external && chat == TEAM;
            (
                name.clone(),
                Receiver { external, ..Receiver::new(name, ReceiverKind::Chat(ChatId::from(chat)), self.plot.locale) },
            )
        };
        let source = SourceSettings {
            poll_every: Schedule::parse(self.plot.poll).unwrap().interval(START, zone()),
            catch_up: self.plot.catch_up,
            labels: Arc::new(self.plot.labels.clone()),
        };
        let rotas = self.plot.rotas.iter().map(|rota| (rota.name.clone(), Arc::new(rota.clone())));
        Settings {
            zone: zone(),
            locale: self.plot.locale,
            sources: BTreeMap::from([(desk(), source)]),
            receivers: [receiver("team", TEAM), receiver("ops", OPS)].into_iter().chain(self.receivers()).collect(),
            operations: Some(ReceiverName::from("ops")),
            limits: Limits::default(),
            plan: self.plot.plan,
            access: self.plot.access.clone(),
            retention: Span::from_days(90),
            storm: self.plot.storm,
            rotas: rotas.collect(),
            inhibits: Vec::new(),
        }
    }

    fn receivers(&self) -> impl Iterator<Item = (ReceiverName, Receiver)> {
        self.plot.outside.iter().map(|receiver| (receiver.name.clone(), receiver.clone()))
    }

    /// Lets time go on.
    pub(crate) async fn pass(&self, span: Span) {
        self.clock.sleep(span).await;
    }

    /// Lets time go on until so long after the beginning.
    pub(crate) async fn until(&self, since_start: Span) {
        self.clock.sleep_until(START.plus(since_start)).await;
    }

    /// What time it is.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now().as_ms()
    }

    /// Does something to the platform.
    pub(crate) fn platform<T>(&self, f: impl FnOnce(&mut Platform, i64) -> T) -> T {
        let now = self.now();
        f(&mut lock(&self.platform), now)
    }

    /// The platform, for who delivers what it sends.
    pub(crate) fn shared(&self) -> Shared {
        Arc::clone(&self.platform)
    }

    /// Files a ticket as `write` leaves it.
    pub(crate) fn file(&self, write: impl FnOnce(&mut Ticket)) -> String {
        self.platform(|platform, now| platform.create_ticket(now, write))
    }

    /// The engine.
    pub(crate) fn port(&self) -> Port {
        self.engine.as_ref().unwrap().port()
    }

    /// The clock.
    pub(crate) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// A counter of the engine.
    pub(crate) fn counter(&self, read: impl FnOnce(&deskbell::engine::health::Counters) -> u64) -> u64 {
        read(&self.port().health().counters)
    }

    /// The cards in a chat, as people see them, in the order they were sent.
    pub(crate) fn cards(&self, chat: &str) -> Vec<Card> {
        let platform = lock(&self.platform);
        let messages = platform.messages_in(chat);
        let card = |message: &&sim::message::Message| {
            let view: View = message.card()?;
            let sent_at = Timestamp::from_ms(message.sent_ms()).since(START);
            Some(Card { view, sent_at, versions: message.versions.len() })
        };
        messages.iter().filter_map(card).collect()
    }

    /// Someone writes to the bot in a group; done when the engine has it durably.
    pub(crate) async fn ask(&mut self, chat: &str, command: Command) -> Result<(), Refused> {
        self.say(chat, ChatKind::Group, "ou_li", command).await
    }

    /// Someone writes to the bot in their direct chat.
    pub(crate) async fn ask_directly(&mut self, chat: &str, person: &str, command: Command) -> Result<(), Refused> {
        self.say(chat, ChatKind::Direct, person, command).await
    }

    async fn say(&mut self, chat: &str, chat_kind: ChatKind, person: &str, command: Command) -> Result<(), Refused> {
        self.messages += 1;
        let typed = self.platform(|platform, now| platform.person_says(chat, person, "?", true, now)).unwrap();
        let message = ChatMessage {
            event: EventId::new(format!("event-{}", self.messages)),
            message: MessageId::new(typed),
            chat: ChatId::from(chat),
            chat_kind,
            sender: OpenId::from(person),
            sender_name: None,
            reply_to: None,
            on_card: None,
            command,
            locale: self.plot.locale,
            sent_at: self.clock.now(),
        };
        self.port().submit(message).await
    }

    /// Waits until the engine ends by itself.
    pub(crate) async fn ended(&mut self) -> End {
        self.engine.as_mut().unwrap().ended().await
    }

    /// Stops the engine in an orderly way.
    pub(crate) async fn stop(&mut self) -> End {
        self.engine.take().unwrap().stop(Span::from_secs(30)).await
    }

    /// Ends the engine as a crash would.
    pub(crate) async fn kill(&mut self) {
        self.engine.take().unwrap().kill().await;
    }
}

/// A card in a chat.
#[derive(Debug)]
pub(crate) struct Card {
    /// What people see.
    pub(crate) view: View,
    /// When it was sent, after the beginning.
    pub(crate) sent_at: Span,
    /// What it said, counted: 1 unless it was updated.
    pub(crate) versions: usize,
}

impl Card {
    /// All of its words.
    pub(crate) fn text(&self) -> String {
        let lines = self.view.body.iter().chain(&self.view.footer).chain(&self.view.tags);
        lines.fold(self.view.title.clone(), |text, line| text + "\n" + line)
    }
}

/// The source's name.
pub(crate) fn desk() -> SourceName {
    SourceName::from("it-desk")
}

/// The zone of every world.
pub(crate) fn zone() -> Zone {
    Zone(chrono_tz::Asia::Shanghai)
}

/// A test of a field's number.
pub(crate) fn code(name: &str, codes: &[i64]) -> Condition {
    let field = field::FIELDS.iter().find(|field| field.name == name).unwrap();
    Condition::Test(Test { target: Target::Field(field), operator: Operator::CodeIs(codes.into()) })
}

/// A line that tells a receiver once.
pub(crate) fn notify(to: &str) -> Notify {
    let to = To::Receiver(ReceiverName::from(to));
    Notify { to, template: None, mention: None, repeat: Vec::new(), repeat_max: 0 }
}

/// A rule that tells the team.
pub(crate) fn rule(name: &str, when: Condition) -> Rule {
    Rule {
        notify: vec![notify("team")],
        meaning: name.bytes().map(u64::from).sum(),
        ..Rule::new(RuleName::from(name), when)
    }
}

/// Rings on a bad score.
pub(crate) fn bad_score() -> Rule {
    Rule { until: RuleUntil::Handled, ..rule("bad score", code("score", &[1])) }
}

/// Rings when a ticket waits for its guest so long.
pub(crate) fn waiting_for_user(long: Span) -> Rule {
    let clock =
        Condition::Clock(ClockTest { clock: TicketClock::InStatus, bound: Bound::AtLeast(long), pace: Pace::Wall });
    rule("waiting", Condition::All(vec![code("status", &[5]), clock]))
}
