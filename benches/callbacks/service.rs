//! The real binary, on a free port of loopback.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
};

use tempfile::TempDir;

pub(crate) const VERIFICATION_TOKEN: &str = "verification-token";
pub(crate) const ENCRYPT_KEY: &str = "encrypt-key";

pub(crate) struct Service {
    child: Child,
    home: TempDir,
    /// Where callbacks go.
    pub(crate) address: SocketAddr,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _waited = self.child.wait();
    }
}

impl Service {
    pub(crate) fn start(platform: &str) -> Self {
        let home = TempDir::new().expect("a temporary directory");
        for folder in ["rules", "templates"] {
            fs::create_dir(home.path().join(folder)).expect("the folder takes folders");
        }
        fs::write(home.path().join("deskbell.yaml"), config(platform)).expect("the folder takes files");
        let rule = "name: 不满意\nwhen: { score: 不满意 }\nuntil: handled\nnotify: [{ to: support }]\n";
        fs::write(home.path().join("rules/score.yaml"), rule).expect("the folder takes files");
        let mut child = Command::new(env!("CARGO_BIN_EXE_deskbell"))
            .args(["serve", "--config"])
            .arg(home.path().join("deskbell.yaml"))
            .env("DESKBELL_LANG", "en")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines().map_while(Result::ok);
        let greeting = |line: String| {
            let (_, behind) = line.split_once("callbacks ").or_else(|| line.split_once("回调 "))?;
            behind.split([',', '，']).next()?.parse().ok()
        };
        let address = lines.find_map(greeting).expect("the service says where it listens");
        thread::spawn(move || lines.for_each(drop));
        Self { child, home, address }
    }

    /// Where its files are.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }
}

fn config(platform: &str) -> String {
    format!(
        r#"
feishu:
  base_url: {platform}
  app_id: cli_bench
  app_secret: app-secret
  events: {{ long_connection: false, http: true, verification_token: {VERIFICATION_TOKEN}, encrypt_key: {ENCRYPT_KEY} }}
  limits: {{ chat_per_second: 3, api_per_second: 1000, api_per_minute: 60000 }}
sources:
  it-desk: {{ kind: feishu_helpdesk, helpdesk_id: "1", helpdesk_token: token, poll: "0 0 3 1 1 *", sweep: "0 0 3 1 1 *" }}
receivers:
  support: {{ chat_id: oc_support }}
operations: {{ to: support }}
chat: {{ access: {{ look: everyone, direct: everyone }} }}
http: {{ proxy: none }}
server: {{ listen: 127.0.0.1:0, admin_listen: 127.0.0.1:0 }}
store: {{ path: ./data }}
rules: ./rules
templates: ./templates
"#
    )
}
