//! The real binary against the simulated platform: 10,000 tickets, SIGKILL at moments of all kinds, nothing lost and
//! nothing doubled.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use deskbell::{
    adapters::clock::Clock,
    domain::time::Span,
    sim::{
        directory::ChatKind,
        http::{Server, Shared, lock},
        platform::Platform,
        route::Route,
        ticket::{STATUS_AWAITING_USER, STATUS_CLOSED_BY_AGENT, STATUS_PROCESSING},
    },
};

const TICKETS: usize = 10_000;
/// One in so many tickets is badly rated, waits too long, is urgent.
const EVERY: usize = 150;
const CHAT: &str = "oc_support";
const HOUR_MS: i64 = 3_600_000;

/// How long anything is waited for before the test fails.
const PATIENCE: Span = Span::from_secs(120);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_moment_it_loses_none_and_doubles_none() {
    let world = World::new("each").await;
    let expected = world.fill();
    for kill in 0..8_usize {
        let mut child = world.start();
        // The moment is told by what the platform has seen, so that each stage of the work is hit once.
        let (route, more) = [
            (Route::TicketList, 1),
            (Route::TicketList, 25),
            (Route::MessageCreate, 1),
            (Route::MessageCreate, 7),
            (Route::TicketList, 40),
            (Route::MessageCreate, 23),
            (Route::MessageCreate, 40),
            (Route::TicketList, 3),
        ][kill];
        world.wait_for_calls(route, more, &mut child).await;
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let mut child = world.start();
    world.wait_until(&mut child, |world| world.cards().len() >= expected.len()).await;
    world.wait_for_calls(Route::TicketList, 4, &mut child).await;
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(world.cards(), expected, "each ticket that holds rings once, and no other");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_default_the_first_reading_is_one_digest() {
    let world = World::new("digest").await;
    let expected = world.fill();
    let mut child = world.start();
    world.wait_until(&mut child, |world| !world.messages().is_empty()).await;
    world.wait_for_calls(Route::TicketList, 4, &mut child).await;
    child.kill().unwrap();
    child.wait().unwrap();
    let messages = world.messages();
    assert_eq!(messages.len(), 1, "one digest: {messages:?}");
    assert!(messages[0].contains(&expected.len().to_string()), "{}", messages[0]);
}

/// The platform, a folder with a configuration, and the service's binary.
struct World {
    platform: Shared,
    clock: Clock,
    folder: tempfile::TempDir,
    _server: Server,
}

impl World {
    async fn new(catch_up: &str) -> Self {
        let clock = Clock::system();
        let mut platform = Platform::new(7);
        let (helpdesk, _) = platform.add_default_helpdesk();
        platform.add_field(&helpdesk, crate::town::priority_field());
        platform.add_chat(CHAT, "IT 支持群", ChatKind::Group);
        platform.turn(|knobs| knobs.limits = false);
        let platform: Shared = Arc::new(Mutex::new(platform));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let told = clock.clone();
        let server = Server::start(listener, Arc::clone(&platform), Arc::new(move || told.now().as_ms())).unwrap();
        let folder = tempfile::tempdir().unwrap();
        write_config(folder.path(), &server.base_url(), &platform, catch_up);
        Self { platform, clock, folder, _server: server }
    }

    /// Files the tickets; says which (ticket, rule) must ring.
    fn fill(&self) -> BTreeMap<(String, &'static str), usize> {
        let now = self.clock.now().as_ms();
        let mut platform = lock(&self.platform);
        let mut expected = BTreeMap::new();
        for number in 0..TICKETS {
            let made = now - HOUR_MS * (30 + i64::try_from(number % 100).unwrap());
            let kind = number % EVERY;
            let id = platform.create_ticket(made, |ticket| {
                ticket.status = if kind == 1 { STATUS_AWAITING_USER } else { STATUS_PROCESSING };
                ticket.updated_at = Some(made);
                if kind == 0 {
                    ticket.status = STATUS_CLOSED_BY_AGENT;
                    ticket.closed_at = Some(made);
                    ticket.score = Some(1);
                }
            });
            if kind == 2 {
                platform.set_custom_field(&id, "优先级", "P0", made);
            }
            let rule = match kind {
                0 => "不满意",
                1 => "待用户响应太久",
                2 => "P0",
                _ => continue,
            };
            expected.insert((id, rule), 1);
        }
        expected
    }

    fn start(&self) -> Child {
        let log = fs::File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        Command::new(env!("CARGO_BIN_EXE_deskbell"))
            .args(["serve", "--config"])
            .arg(self.folder.path().join("deskbell.yaml"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    /// How often each (ticket, rule) was told in the chat.
    fn cards(&self) -> BTreeMap<(String, &'static str), usize> {
        let mut cards = BTreeMap::new();
        for message in self.messages() {
            let rule = ["不满意", "待用户响应太久", "P0"].into_iter().find(|rule| message.contains(rule)).unwrap();
            let id: String =
                message.chars().skip_while(|c| *c != '№').skip(1).take_while(char::is_ascii_digit).collect();
            *cards.entry((id, rule)).or_default() += 1;
        }
        cards
    }

    fn messages(&self) -> Vec<String> {
        lock(&self.platform).messages_in(CHAT).iter().map(|message| message.versions[0].content.clone()).collect()
    }

    async fn wait_for_calls(&self, route: Route, more: usize, child: &mut Child) {
        let before = lock(&self.platform).count(route);
        self.wait_until(child, |world| lock(&world.platform).count(route) >= before + more).await;
    }

    async fn wait_until(&self, child: &mut Child, done: impl Fn(&Self) -> bool) {
        let until = self.clock.now().plus(PATIENCE);
        while !done(self) {
            let log = || fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(self.clock.now() < until, "it did not come to pass; {} cards\n{}", self.messages().len(), log());
            assert!(child.try_wait().unwrap().is_none(), "the service stopped:\n{}", log());
            self.clock.sleep(Span::from_ms(2)).await;
        }
    }
}

fn write_config(folder: &Path, base_url: &str, platform: &Shared, catch_up: &str) {
    let (helpdesk, token) = lock(platform).add_default_helpdesk();
    let app = lock(platform).app().clone();
    let (app_id, app_secret) = (app.app_id, app.app_secret);
    let config = format!(
        r#"
feishu:
  base_url: {base_url}
  app_id: "{app_id}"
  app_secret: "{app_secret}"
  limits: {{ chat_per_second: 100, api_per_second: 100, api_per_minute: 6000 }}
sources:
  it-desk:
    kind: feishu_helpdesk
    helpdesk_id: "{helpdesk}"
    helpdesk_token: "{token}"
    poll: "* * * * * *"
    sweep: "*/20 * * * * *"
    catch_up: {catch_up}
receivers:
  support: {{ chat_id: {CHAT} }}
storm: off
server: {{ listen: 127.0.0.1:0, admin_listen: 127.0.0.1:0 }}
store: {{ path: ./data }}
rules: ./rules
templates: ./templates
"#
    );
    fs::write(folder.join("deskbell.yaml"), config).unwrap();
    fs::create_dir(folder.join("rules")).unwrap();
    fs::create_dir(folder.join("templates")).unwrap();
    let rules = [
        ("bad", "name: 不满意\nwhen: { score: 不满意 }\nuntil: handled\nexpires: 30d\n"),
        ("waiting", "name: 待用户响应太久\nwhen: { status: 待用户响应, in_status: { at_least: 24h } }\n"),
        ("urgent", "name: P0\nwhen: { status: open, fields: { 优先级: P0 } }\n"),
    ];
    for (file, rule) in rules {
        let rule = format!("{rule}notify: [{{ to: support, template: number }}]\n");
        fs::write(folder.join(format!("rules/{file}.yaml")), rule).unwrap();
    }
    let template = "---\ntitle: \"{{rule.name}} №{{ticket.ticket_id}}\"\n---\n{{alert.why}}\n";
    fs::write(folder.join("templates/number.hbs"), template).unwrap();
}
