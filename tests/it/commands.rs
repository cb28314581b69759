//! The real binary against the fake platform: what a person types in a shell, what they read, how it ends.

use std::{
    fs,
    io::Read,
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use deskbell::{
    adapters::{
        clock::Clock,
        http::{self, Proxy},
    },
    sim::{
        directory::ChatKind,
        http::{Server, Shared, deliver_due, lock},
        platform::Platform,
    },
};
use tokio::{net::TcpListener, runtime::Runtime};

/// How long a verb may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// The platform on a socket, in threads of its own, by the wall's time.
struct Town {
    platform: Shared,
    server: Server,
    clock: Clock,
    home: tempfile::TempDir,
    runtime: Runtime,
}

impl Town {
    fn new() -> Self {
        let clock = Clock::system();
        let mut platform = Platform::new(7);
        platform.add_default_helpdesk();
        platform.add_person("ou_li", "李雷", "li@example.com");
        platform.add_chat("oc_support", "客服群", ChatKind::Group);
        platform.add_member("oc_support", "ou_li");
        let runtime = Runtime::new().unwrap();
        let platform: Shared = Arc::new(Mutex::new(platform));
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let reading = clock.clone();
        let _inside = runtime.enter();
        let server = Server::start(listener, Arc::clone(&platform), Arc::new(move || reading.now().as_ms())).unwrap();
        drop(_inside);
        Self { platform, server, clock, home: tempfile::tempdir().unwrap(), runtime }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deskbell"));
        command.args(arguments).current_dir(self.home.path()).env_clear().stdin(Stdio::null());
        command
    }

    /// Runs a verb to its end.
    fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(&self.command(arguments).output().unwrap())
    }

    /// A configuration made by `init`, with the listeners on free ports.
    fn init(&self) -> Ended {
        let app = lock(&self.platform).app().clone();
        let mut command = self.command(&["init", ".", "--yes", "--base-url", &self.server.base_url()]);
        command.env("FEISHU_APP_ID", app.app_id).env("FEISHU_APP_SECRET", app.app_secret);
        command.env("HELPDESK_ID", "6626871355780366330").env("HELPDESK_TOKEN", "ht-token");
        Ended::of(&command.output().unwrap())
    }

    fn edit(&self, from: &str, to: &str) {
        let path = self.home.path().join("deskbell.yaml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from} in\n{text}");
        fs::write(&path, text.replace(from, to)).unwrap();
    }

    /// Puts the listeners on ports that nobody uses.
    fn listen(&self) -> (SocketAddr, SocketAddr) {
        let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (one, other) = (free(), free());
        let (listen, admin) = (one.local_addr().unwrap(), other.local_addr().unwrap());
        self.edit("server: {", &format!("server: {{ listen: {listen}, admin_listen: {admin},"));
        (listen, admin)
    }

    fn cards(&self) -> usize {
        lock(&self.platform).messages_in("oc_support").len()
    }
}

/// How a verb ended.
#[derive(Debug)]
struct Ended {
    code: i32,
    out: String,
    err: String,
}

impl Ended {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// It ended so, and said so.
    fn expect(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        for word in words {
            assert!(self.out.contains(word) || self.err.contains(word), "{word:?} in {self:#?}");
        }
        assert!(!self.out.contains("app-secret") && !self.err.contains("app-secret"), "a secret is shown: {self:#?}");
        self
    }
}

/// A service under way; killed if the test fails.
struct Running(Child);

impl Running {
    /// Started, and ready to answer.
    fn start(town: &Town, admin: SocketAddr) -> Self {
        let child = town.command(&["serve"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let running = Self(child);
        wait_until(town, "the service answers", || {
            std::net::TcpStream::connect_timeout(&admin, Duration::from_millis(200)).is_ok()
        });
        running
    }

    /// Asked to stop; how it ended and what it said.
    fn stop(mut self) -> (Option<i32>, String) {
        let asked = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status().unwrap();
        assert!(asked.success());
        let code = self.0.wait().unwrap().code();
        let mut said = String::new();
        self.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (code, said)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn wait_until(town: &Town, what: &str, mut done: impl FnMut() -> bool) {
    let began = town.clock.now();
    while !done() {
        assert!(town.clock.now().since(began).to_std() < PATIENCE, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn from_an_empty_folder_to_a_drill() {
    let town = Town::new();
    town.init().expect(0, &["helpdesk:all:readonly", "\"tenant\"", "群机器人", "deskbell.yaml", "deskbell check"]);
    town.init().expect(2, &["not overwritten"]);
    town.run(&["check"]).expect(0, &["API calls a month", "rules 3"]);
    town.run(&["--lang", "zh", "check"]).expect(0, &["配置可用", "次 API 调用"]);
    town.run(&["chats"]).expect(0, &["客服群", "oc_support"]);
    town.run(&["doctor"]).expect(1, &["✓ App ID", "优先级", "✓ receiver support"]);
    town.run(&["send-test", "support"]).expect(0, &["Sent to support"]);
    assert_eq!(town.cards(), 1);
    let title = lock(&town.platform).messages_in("oc_support")[0].card().unwrap().title;
    assert!(title.contains("演练"), "{title}");
    town.run(&["send-test", "leads"]).expect(2, &["there is no receiver `leads`", "support"]);
}

#[test]
fn a_ticket_is_shown_and_a_missing_one_is_said_to_be() {
    let town = Town::new();
    town.init().expect(0, &[]);
    let now = town.clock.now().as_ms();
    let id = lock(&town.platform).create_ticket(now, |ticket| ticket.guest.name = "韩梅梅".to_string());
    town.run(&["ticket", &id]).expect(0, &[&id, "韩梅梅"]);
    town.run(&["ticket", &format!("#{id}")]).expect(0, &[&id]);
    town.run(&["ticket", "6626871355780360000"]).expect(1, &["No ticket 6626871355780360000 was found"]);
    town.run(&["ticket", "abc"]).expect(2, &["/ticket <ticket id>"]);
    let drill = ["send-test", "support", "--rule", "不满意", "--ticket", &id];
    town.run(&drill).expect(0, &["Sent to support"]);
    town.run(&["fields"]).expect(0, &["it-desk"]);
}

#[test]
fn wrong_credentials_and_a_platform_that_is_down_say_so() {
    let town = Town::new();
    town.init().expect(0, &[]);
    fs::write(town.home.path().join("secrets/app_secret"), "wrong").unwrap();
    town.run(&["doctor"]).expect(1, &["✗ App ID and App Secret"]);
    town.run(&["chats"]).expect(1, &["app_secret"]);
    town.edit(&town.server.base_url(), "http://127.0.0.1:9");
    town.run(&["chats"]).expect(1, &["cannot be reached"]);
    town.run(&["check"]).expect(0, &[]);
    fs::remove_file(town.home.path().join("deskbell.yaml")).unwrap();
    town.run(&["serve"]).expect(2, &["deskbell init"]);
    town.run(&["bogus"]).expect(2, &["bogus"]);
}

#[test]
fn the_service_starts_is_asked_and_stops() {
    let town = Town::new();
    town.init().expect(0, &[]);
    town.edit("plan: free", "plan: paid");
    town.edit("\"0 */15 * * * *\"", "\"* * * * * *\"");
    town.edit("\"0 0 8,20 * * *\"", "\"* * * * * *\"");
    let (_, admin) = town.listen();
    let now = town.clock.now().as_ms();
    let id = lock(&town.platform).create_ticket(now, |_| {});
    town.run(&["status"]).expect(1, &["not running"]);
    let running = Running::start(&town, admin);
    town.run(&["serve"]).expect(1, &["in use", "server.listen"]);
    wait_until(&town, "the first reading", || town.run(&["status", "--json"]).out.contains("\"tracked\":1"));
    lock(&town.platform).rate_ticket(&id, 1, Some("慢"), town.clock.now().as_ms());
    wait_until(&town, "a card for the bad rating", || town.cards() > 0);
    wait_until(&town, "the alert in the status", || town.run(&["status"]).out.contains("alerts firing 1"));
    let (code, said) = running.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("app-secret") && !said.contains("ht-token"), "{said}");
    town.run(&["serve", "--once"]).expect(0, &[]);
}

#[test]
fn a_question_in_the_chat_is_answered_on_the_message() {
    let town = Town::new();
    town.init().expect(0, &[]);
    let (listen, admin) = town.listen();
    let app = lock(&town.platform).app().clone();
    let secrets = town.home.path().join("secrets");
    fs::write(secrets.join("verification_token"), app.verification_token).unwrap();
    fs::write(secrets.join("encrypt_key"), app.encrypt_key.unwrap()).unwrap();
    town.edit("  # events:", "  events:");
    let now = town.clock.now().as_ms();
    let id = lock(&town.platform).create_ticket(now, |_| {});
    let running = Running::start(&town, admin);
    let asked = [format!("/工单{id}"), "/help".to_string(), "谢谢".to_string()];
    for text in &asked {
        lock(&town.platform).person_says("oc_support", "ou_li", text, true, town.clock.now().as_ms()).unwrap();
    }
    let (clock, url) = (town.clock.clone(), format!("http://{listen}/feishu/events"));
    let now: deskbell::sim::http::Now = Arc::new(move || clock.now().as_ms());
    let client = http::client(&http::Config { proxy: Proxy::None, ..http::Config::default() }).unwrap();
    let delivered = town.runtime.block_on(deliver_due(&town.platform, &now, &client, &url));
    assert_eq!(delivered, asked.len());
    assert!(lock(&town.platform).next_delivery_ms().is_none(), "every event was answered 200");
    let titles = || -> Vec<String> {
        let platform = lock(&town.platform);
        platform.messages_in("oc_support").iter().filter_map(|message| Some(message.card()?.title)).collect()
    };
    let tail = id.get(id.len() - 6..).unwrap();
    wait_until(&town, "both answers", || titles().len() == 2);
    assert!(titles().iter().any(|title| title.contains(tail)), "{:?}", titles());
    assert_eq!(running.stop().0, Some(0));
}

#[test]
fn a_start_needs_no_answer_of_the_platform_and_a_store_it_can_use() {
    let town = Town::new();
    town.init().expect(0, &[]);
    town.edit(&town.server.base_url(), "http://127.0.0.1:9");
    let (_, admin) = town.listen();
    let (code, said) = Running::start(&town, admin).stop();
    assert_eq!(code, Some(0), "{said}");
    let data = town.home.path().join("data");
    fs::remove_dir_all(&data).unwrap();
    fs::write(&data, "a file").unwrap();
    town.run(&["serve"]).expect(1, &["data"]);
    assert!(Path::new(&data).is_file());
}
