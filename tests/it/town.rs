//! The fake platform on a socket, a folder with a configuration, and the real binary that is run there.

use std::{
    fs,
    io::Read,
    net::SocketAddr,
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use deskbell::{
    adapters::clock::Clock,
    sim::{
        directory::ChatKind,
        helpdesk::FieldDefinition,
        http::{Server, Shared, lock},
        platform::Platform,
    },
};
use tokio::{net::TcpListener, runtime::Runtime};

/// How long a verb may take before the test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The platform on a socket, in threads of its own, by the wall's time.
pub(crate) struct Town {
    pub(crate) platform: Shared,
    pub(crate) server: Server,
    pub(crate) clock: Clock,
    pub(crate) home: tempfile::TempDir,
    pub(crate) runtime: Runtime,
}

impl Town {
    pub(crate) fn new() -> Self {
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

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deskbell"));
        command.args(arguments).current_dir(self.home.path()).env_clear().stdin(Stdio::null());
        command
    }

    /// Runs a verb to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(&self.command(arguments).output().unwrap())
    }

    /// A configuration made by `init`, with the listeners on free ports.
    pub(crate) fn init(&self) -> Ended {
        let app = lock(&self.platform).app().clone();
        let mut command = self.command(&["init", ".", "--yes", "--base-url", &self.server.base_url()]);
        command.env("FEISHU_APP_ID", app.app_id).env("FEISHU_APP_SECRET", app.app_secret);
        command.env("HELPDESK_ID", "6626871355780366330").env("HELPDESK_TOKEN", "ht-token");
        Ended::of(&command.output().unwrap())
    }

    pub(crate) fn edit(&self, from: &str, to: &str) {
        let path = self.home.path().join("deskbell.yaml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from} in\n{text}");
        fs::write(&path, text.replace(from, to)).unwrap();
    }

    /// Puts the listeners on ports that nobody uses.
    pub(crate) fn listen(&self) -> (SocketAddr, SocketAddr) {
        let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (one, other) = (free(), free());
        let (listen, admin) = (one.local_addr().unwrap(), other.local_addr().unwrap());
        self.edit("server: {", &format!("server: {{ listen: {listen}, admin_listen: {admin},"));
        (listen, admin)
    }

    /// Adds [`priority_field`] to the helpdesk.
    pub(crate) fn define_priority(&self) {
        lock(&self.platform).add_field("6626871355780366330", priority_field());
    }

    pub(crate) fn cards(&self) -> usize {
        lock(&self.platform).messages_in("oc_support").len()
    }
}

/// The custom field that the shipped rules look at.
pub(crate) fn priority_field() -> FieldDefinition {
    FieldDefinition {
        id: "7000".to_string(),
        key_name: "priority".to_string(),
        display_name: "优先级".to_string(),
        field_type: "dropdown".to_string(),
        options: vec![("p-0".to_string(), "P0".to_string())],
        multiple: false,
        visible: true,
        required: false,
    }
}

/// How a verb ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// It ended so, and said so.
    pub(crate) fn expect(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        for word in words {
            assert!(self.out.contains(word) || self.err.contains(word), "{word:?} in {self:#?}");
        }
        assert!(!self.out.contains("app-secret") && !self.err.contains("app-secret"), "a secret is shown: {self:#?}");
        self
    }
}

/// A service under way; killed if the test fails.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    /// Started, and ready to answer.
    pub(crate) fn start(town: &Town, admin: SocketAddr) -> Self {
        let child = town.command(&["serve"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let running = Self(child);
        wait_until(town, "the service answers", || {
            std::net::TcpStream::connect_timeout(&admin, Duration::from_millis(200)).is_ok()
        });
        running
    }

    /// Asked to stop; how it ended and what it said.
    pub(crate) fn stop(mut self) -> (Option<i32>, String) {
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

pub(crate) fn wait_until(town: &Town, what: &str, mut done: impl FnMut() -> bool) {
    let began = town.clock.now();
    while !done() {
        assert!(town.clock.now().since(began).to_std() < PATIENCE, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
