//! The demo's world: the platform on loopback, the real service against it, and one clock for both. It goes from instant
//! to instant, each as soon as all of the one before is done, so that the day is the same on every machine.
//!
//! Invariant: needs a runtime of one thread; else what is under way might be overlooked.

use std::{
    io,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::{
    adapters::clock::{Clock, Lead},
    app::service::{self, Manner, Service},
    cli::{
        demo::{
            configuration::{self, Whereto},
            english::say,
            script::{Happening, Room, SUPPORT, Script},
            stage::Stage,
            watch::{Seen, Watch, What},
        },
        run::Stop,
    },
    domain::{
        card::Press,
        card_buttons,
        text::Locale,
        time::{Span, Timestamp},
    },
    sim::{
        app::Transport,
        http::{Now, Server, Shared, deliver_due, lock, post},
        platform::Platform,
        route::Route,
    },
};

/// How often it is looked whether an instant is over.
const LOOK_EVERY: Span = Span::from_ms(1);

/// How often it is looked before an instant counts as over anyway: some thirty seconds.
const LOOKS_MAX: usize = 30_000;

/// How far the day goes on for the answer to a typed line: what is sent is spread over a second or so.
const ANSWER_TIME: Span = Span::from_secs(2);

/// Where Linux keeps files in memory.
const IN_MEMORY: &str = "/dev/shm";

/// Instants of a day: far more than there are.
const INSTANTS_MAX: usize = 20_000;

/// Patience with the service's answer to an event. Generous: while it is waited for, the day stands still.
const EVENT_PATIENCE: Duration = Duration::from_secs(30);

/// The world.
pub struct World {
    script: Script,
    locale: Locale,
    stage: Stage,
    platform: Shared,
    now: Now,
    clock: Clock,
    lead: Lead,
    service: Service,
    /// Where the platform posts events to.
    events_at: String,
    poster: reqwest::Client,
    watch: Watch,
    instants: usize,
    transport: Transport,
    server: Server,
    /// Removed when the world ends.
    home: TempDir,
}

impl World {
    /// Builds the tenant of the day before and starts the service against it.
    pub async fn build(seed: u64, locale: Locale, transport: Transport) -> Result<Self, Stop> {
        let script = Script::new(seed);
        let (clock, lead) = Clock::led(script.start);
        let mut platform = Platform::new(seed);
        let stage = Stage::set(&mut platform, &script, locale);
        let app = platform.app().clone();
        let platform: Shared = Arc::new(Mutex::new(platform));
        let reading = clock.clone();
        let now: Now = Arc::new(move || reading.now().as_ms());
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(no_loopback)?;
        let server = Server::start(listener, Arc::clone(&platform), Arc::clone(&now)).map_err(no_loopback)?;
        let home = home().map_err(no_home)?;
        let base_url = server.base_url();
        let whereto = Whereto { base_url: &base_url, app: &app, helpdesk: stage.helpdesk(), transport };
        let setup = configuration::setup(whereto, home.path(), locale)?;
        let manner = Manner { clock: clock.clone(), once: false, in_order: true, reload: None };
        let service = service::start(setup, manner).await.map_err(Stop::Failure)?;
        let listen = service.listen().ok_or_else(|| Stop::failure("服务没有监听", "the service does not listen"))?;
        let poster = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).timeout(EVENT_PATIENCE).build();
        Ok(Self {
            script,
            locale,
            stage,
            platform,
            now,
            clock,
            lead,
            service,
            events_at: format!("http://{listen}/feishu/events"),
            poster: poster.map_err(|error| Stop::failure(error.to_string(), error.to_string()))?,
            watch: Watch::default(),
            instants: 0,
            transport,
            server,
            home,
        })
    }

    /// The script.
    pub const fn script(&self) -> &Script {
        &self.script
    }

    /// A ticket to look up, for the newcomer's first try.
    pub fn ticket_to_try(&self) -> Option<&str> {
        self.stage.ticket_id("share")
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What went wrong with it, if something did: the day cannot go on.
    pub fn trouble(&self) -> Option<Stop> {
        if !self.service.port().is_ready() {
            let dir = self.home.path().display();
            return Some(Stop::failure(
                format!("服务停下了：{dir} 可能没有空间了。可以用 TMPDIR 指定别处"),
                format!("the service broke off: perhaps no space is left for {dir}. TMPDIR names another place"),
            ));
        }
        (self.instants >= INSTANTS_MAX).then(|| Stop::failure("这一天没有走到头", "the day did not come to its end"))
    }

    /// The first instant: what already held.
    pub async fn begin(&mut self) -> Vec<Seen> {
        // The service has begun once it asked who its bot is, read its first page, and can hear what people do. The
        // console takes the setting only while it is connected.
        for _ in 0..LOOKS_MAX {
            let asked = |route| lock(&self.platform).count(route) > 0;
            let is_heard = self.transport == Transport::Http || lock(&self.platform).save_long_connection();
            if is_heard && asked(Route::BotInfo) && asked(Route::TicketList) {
                break;
            }
            self.clock.sleep(LOOK_EVERY).await;
        }
        self.finish_instant().await
    }

    /// Goes on to the next instant; nothing once the day is over.
    pub async fn go_on(&mut self) -> Option<Vec<Seen>> {
        if self.now() >= self.script.end || self.trouble().is_some() {
            return None;
        }
        let next = self.next_instant().min(self.script.end);
        Some(self.go_to(next).await)
    }

    /// A line the newcomer typed, and what came of it.
    pub async fn hear(&mut self, line: &str) -> Vec<Seen> {
        self.stage.say(&mut lock(&self.platform), self.now(), SUPPORT, line);
        let until = self.now().plus(ANSWER_TIME);
        let mut seen = self.finish_instant().await;
        while self.next_instant() <= until && self.instants < INSTANTS_MAX {
            seen.extend(self.go_to(self.next_instant()).await);
        }
        seen
    }

    /// Stops the service and removes its files.
    pub async fn stop(self) {
        // However it ends: nothing of the demo is kept.
        let _end = self.service.stop().await;
    }

    /// When something happens or is waited for next.
    fn next_instant(&self) -> Timestamp {
        let delivery = lock(&self.platform).next_delivery_ms().map_or(Timestamp::NEVER, Timestamp::from_ms);
        let happening = match self.script.next_after(self.now()) {
            at if at > self.now() => at,
            _ => Timestamp::NEVER,
        };
        happening.min(self.lead.next_wait()).min(delivery).max(self.now().plus(Span::from_ms(1)))
    }

    async fn go_to(&mut self, at: Timestamp) -> Vec<Seen> {
        let before = self.now();
        self.instants += 1;
        self.lead.go_on_to(at);
        let happenings: Vec<_> = self.script.between(before, at).copied().collect();
        let mut seen = Vec::new();
        for (at, happening) in happenings {
            match happening {
                Happening::Clicks(room, nickname) => seen.extend(self.click(at, room, nickname).await),
                _ => self.stage.play(&mut lock(&self.platform), at, &happening),
            }
        }
        seen.extend(self.finish_instant().await);
        seen
    }

    /// Someone clicks on a ticket's card: the callback to the service, and the answer that changes the card.
    async fn click(&self, at: Timestamp, room: Room, nickname: &str) -> Option<Seen> {
        let (who, click) = self.stage.click(&mut lock(&self.platform), at, room, nickname)?;
        match self.transport {
            Transport::LongConnection => lock(&self.platform).push_click(click, at.as_ms()),
            Transport::Http => {
                let answer = post(&self.poster, &self.events_at, &click.headers, click.body.clone()).await;
                let answer = answer.as_ref().map(|(status, body)| (*status, body.as_str()));
                lock(&self.platform).show_answer(&click, answer, at.as_ms());
            }
        }
        let button = card_buttons::words(Press::Take, false).get(self.locale).to_string();
        let chat = say(self.locale, room.name).to_string();
        Some(Seen { at, chat, what: What::Click(who, button), content: String::new() })
    }

    /// Waits until all of this instant is done; what it brought.
    async fn finish_instant(&mut self) -> Vec<Seen> {
        let port = self.service.port();
        for _ in 0..LOOKS_MAX {
            let delivered = deliver_due(&self.platform, &self.now, &self.poster, &self.events_at).await;
            self.server.ring();
            // Everybody else runs before it is looked again.
            self.clock.sleep(LOOK_EVERY).await;
            let is_heard = self.lead.next_wait() > self.now();
            let is_told = delivered == 0 && !lock(&self.platform).waits_for_ack();
            if !port.is_ready() || (is_told && is_heard && port.is_silent()) {
                break;
            }
        }
        self.watch.look(&lock(&self.platform))
    }
}

/// A folder for what the service keeps: in memory where the system has such a place and nobody asks for another, because
/// a busy disk would hold the day up and none of it must last.
fn home() -> io::Result<TempDir> {
    let make = |dir: &Path| tempfile::Builder::new().prefix("deskbell-demo-").tempdir_in(dir);
    if std::env::var_os("TMPDIR").is_none()
        && let Ok(home) = make(Path::new(IN_MEMORY))
    {
        return Ok(home);
    }
    make(&std::env::temp_dir())
}

fn no_loopback(error: io::Error) -> Stop {
    Stop::failure(
        format!("不能在本机回环地址上监听：{error}"),
        format!("cannot listen on this machine's loopback address: {error}"),
    )
}

fn no_home(error: io::Error) -> Stop {
    let dir = std::env::temp_dir();
    Stop::failure(
        format!("不能在 {} 里新建临时目录：{error}。可以用 TMPDIR 指定别处", dir.display()),
        format!("cannot make a temporary folder in {}: {error}. TMPDIR names another place", dir.display()),
    )
}
