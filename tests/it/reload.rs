//! Rules, templates and configuration that change on disk while the service runs, on virtual time.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use deskbell::{
    adapters::{
        clock::Clock,
        http::{self, Proxy},
    },
    app::{
        config::load::load,
        service::{self, Manner, Service},
    },
    domain::time::Span,
    sim::{
        card::View,
        directory::ChatKind,
        http::{Server, Shared, lock},
        platform::Platform,
        ticket::{Tag, Ticket},
    },
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
};

use crate::world::{OPS, START, TEAM};

/// A service that reads its own files, and everything around it.
struct Office {
    platform: Shared,
    _server: Server,
    clock: Clock,
    home: TempDir,
    service: Option<Service>,
}

const WAITING: &str = "name: 等太久\nwhen: { status: waiting_for_user, in_status: { at_least: 1h } }\nnotify: [{ to: support, template: note }]\n";

impl Office {
    /// A service with one rule and one template.
    async fn open(rules: &[(&str, &str)]) -> Self {
        http::install_crypto();
        let clock = Clock::anchored(START);
        let mut platform = Platform::new(7);
        platform.add_default_helpdesk();
        for chat in [TEAM, OPS] {
            platform.add_chat(chat, chat, ChatKind::Group);
        }
        let app = platform.app().clone();
        let platform: Shared = Arc::new(Mutex::new(platform));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let reading = clock.clone();
        let server = Server::start(listener, Arc::clone(&platform), Arc::new(move || reading.now().as_ms())).unwrap();
        let home = TempDir::new().unwrap();
        let configuration = format!(
            "feishu:\n  base_url: {}\n  app_id: {}\n  app_secret: {}\n  plan: paid\n\
             http: {{ proxy: none }}\n\
             sources:\n  it-desk:\n    kind: feishu_helpdesk\n    helpdesk_id: \"6626871355780366330\"\n    \
             helpdesk_token: ht-token\n    poll: \"*/30 * * * * *\"\n    sweep: \"0 */15 * * * *\"\n\
             receivers:\n  support: {{ chat_id: {TEAM} }}\n  ops: {{ chat_id: {OPS} }}\n\
             operations: {{ to: ops }}\n\
             server: {{ listen: 127.0.0.1:0, admin_listen: 127.0.0.1:0, api_token: a-token-of-32-characters-or-so-1 }}\n\
             rules: ./rules\ntemplates: ./templates\n",
            server.base_url(),
            app.app_id,
            app.app_secret
        );
        fs::write(home.path().join("deskbell.yaml"), configuration).unwrap();
        fs::create_dir(home.path().join("rules")).unwrap();
        fs::create_dir(home.path().join("templates")).unwrap();
        let office = Self { platform, _server: server, clock, home, service: None };
        office.write("templates/note.hbs", "---\ntitle: \"{{rule.name}}\"\n---\none\n");
        for (file, text) in rules {
            office.write(file, text);
        }
        office.begin().await
    }

    async fn begin(mut self) -> Self {
        let path = self.path("deskbell.yaml");
        let loaded = load(&path, &|_| None);
        let setup = loaded.setup.unwrap_or_else(|| panic!("{:#?}", loaded.faults));
        let load = Arc::new(move || load(&path, &|_| None));
        let manner = Manner { clock: self.clock.clone(), once: false, in_order: false, reload: Some(load) };
        self.service = Some(service::start(setup, manner).await.unwrap());
        self
    }

    fn path(&self, file: &str) -> PathBuf {
        self.home.path().join(file)
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.path(file), text).unwrap();
    }

    /// A ticket that waits for its guest.
    fn ticket(&self) -> String {
        let now = self.clock.now().as_ms();
        lock(&self.platform).create_ticket(now, |ticket: &mut Ticket| ticket.status = 5)
    }

    /// The same with a tag.
    fn tagged(&self, tag: &str) {
        let now = self.clock.now().as_ms();
        lock(&self.platform).create_ticket(now, |ticket: &mut Ticket| {
            ticket.status = 5;
            ticket.tags = vec![Tag { id: "1".to_owned(), name: tag.to_owned() }];
        });
    }

    /// An operator silences what a condition holds on; what was answered.
    async fn silence(&self, when: &str) -> String {
        let address = self.service.as_ref().unwrap().admin_listen().unwrap();
        let web = http::client(&http::Config { proxy: http::Proxy::None, ..http::Config::default() }).unwrap();
        let body = serde_json::json!({ "when": when, "for": "10h", "reason": "x", "by": "ops" }).to_string();
        let request = web.post(format!("http://{address}/api/v1/silences")).body(body);
        let request = request.bearer_auth("a-token-of-32-characters-or-so-1").header("connection", "close");
        request.send().await.unwrap().text().await.unwrap()
    }

    async fn pass(&self, mins: i64) {
        self.clock.sleep(Span::from_mins(mins)).await;
    }

    /// The titles and bodies of the cards in a chat.
    fn cards(&self, chat: &str) -> Vec<String> {
        let platform = lock(&self.platform);
        let text = |view: View| view.body.iter().fold(view.title.clone(), |text, line| text + "\n" + line);
        platform.messages_in(chat).iter().filter_map(|message| message.card().map(text)).collect()
    }

    /// The last card in the chat of operations.
    fn said(&self) -> String {
        self.cards(OPS).last().cloned().unwrap_or_default()
    }

    fn asks(&self) -> mpsc::Sender<deskbell::app::reload::Ask> {
        self.service.as_ref().unwrap().asks()
    }

    async fn close(mut self) {
        self.service.take().unwrap().stop().await;
    }
}

fn link(target: &str, place: &Path) {
    fs::remove_file(place).ok();
    std::os::unix::fs::symlink(target, place).unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_edited_rule_is_in_force_and_announced() {
    let office = Office::open(&[("rules/a.yaml", WAITING)]).await;
    office.ticket();
    office.pass(65).await;
    assert_eq!(office.cards(TEAM).len(), 1);
    office.write("rules/a.yaml", &WAITING.replace("1h", "2h"));
    office.pass(1).await;
    assert_eq!(office.said(), "规则已更新\n等太久 1h → 2h\n1 条提醒因此结束");
    assert_eq!(office.cards(OPS).len(), 1);
    office.pass(70).await;
    assert_eq!(office.cards(TEAM).len(), 2, "it rings again after two hours: {:?}", office.cards(TEAM));
    office.close().await;
}

#[tokio::test(start_paused = true)]
async fn faults_keep_the_old_set_and_are_told_once() {
    let office = Office::open(&[("rules/a.yaml", WAITING)]).await;
    office.write("rules/a.yaml", &WAITING.replace("waiting_for_user", "waiting_for_godot"));
    office.ticket();
    office.pass(65).await;
    assert_eq!(office.cards(TEAM).len(), 1, "the old rule rings");
    assert_eq!(office.cards(OPS).len(), 1);
    let said = office.said();
    for words in ["规则没有更新，旧规则继续生效", "a.yaml:2:", "waiting_for_godot", "改好后会自动重新读取"]
    {
        assert!(said.contains(words), "{words} in {said}");
    }
    let (ask, answer) = oneshot::channel();
    office.asks().send(ask).await.unwrap();
    assert!(answer.await.unwrap().is_err_and(|faults| faults.len() == 1), "asked for, the faults are the answer");
    office.write("rules/a.yaml", &WAITING.replace("waiting_for_user", "waiting_for_vladimir"));
    office.pass(1).await;
    assert_eq!(office.cards(OPS).len(), 2, "another fault is told");
    office.write("rules/a.yaml", WAITING);
    office.pass(1).await;
    assert_eq!(office.said(), "规则已更新\n上次的错误已改好");
    assert_eq!((office.cards(OPS).len(), office.cards(TEAM).len()), (3, 1));
    office.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_swapped_symlink_is_followed() {
    let office = Office::open(&[("rules/a.yaml", WAITING)]).await;
    for (version, text) in [("..one", WAITING.to_owned()), ("..two", WAITING.replace("1h", "3h"))] {
        fs::create_dir(office.path(version)).unwrap();
        fs::write(office.path(version).join("a.yaml"), text).unwrap();
    }
    fs::remove_file(office.path("rules/a.yaml")).unwrap();
    link("..one", &office.path("..data"));
    link("../..data/a.yaml", &office.path("rules/a.yaml"));
    office.pass(2).await;
    assert_eq!(office.cards(OPS).len(), 0, "the same words in another place are no change");
    link("..two", &office.path("..data"));
    office.pass(1).await;
    assert_eq!(office.said(), "规则已更新\n等太久 1h → 3h");
    office.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_renamed_rule_keeps_its_alert_and_texts_ring_nobody() {
    let office = Office::open(&[("rules/a.yaml", WAITING)]).await;
    office.ticket();
    office.pass(65).await;
    office.write("rules/a.yaml", &WAITING.replace("name: 等太久", "name: 等客户太久\nformerly: 等太久"));
    office.pass(2).await;
    assert_eq!(office.said(), "规则已更新\n等太久 改名为 等客户太久");
    office.write("templates/note.hbs", "---\ntitle: \"{{rule.name}}\"\n---\ntwo\n");
    office.pass(2).await;
    assert_eq!(office.said(), "规则已更新\n模板 note 改了");
    assert_eq!(office.cards(TEAM).len(), 1);
    office.ticket();
    office.pass(65).await;
    assert!(office.cards(TEAM).last().unwrap().contains("two"), "{:?}", office.cards(TEAM));
    office.close().await;
}

#[tokio::test(start_paused = true)]
async fn what_takes_a_restart_is_named_and_not_half_applied() {
    let office = Office::open(&[("rules/a.yaml", WAITING)]).await;
    let text = fs::read_to_string(office.path("deskbell.yaml")).unwrap();
    office.write("deskbell.yaml", &text.replace("receivers:\n", "receivers:\n  leads: { chat_id: oc_x }\n"));
    office.pass(1).await;
    assert_eq!(office.said(), "规则已更新\n这些改动要重启才生效：receivers");
    office.write("rules/a.yaml", &WAITING.replace("to: support", "to: leads"));
    office.ticket();
    office.pass(65).await;
    assert!(office.said().contains("新的接收者 “leads”") && office.said().contains("重启"), "{}", office.said());
    assert_eq!(office.cards(TEAM).len(), 1, "the old rule rings");
    office.close().await;
}

impl Office {
    /// Asks the admin API.
    async fn api(&self, method: reqwest::Method, path: &str, body: &Value) -> (u16, Value) {
        let address = self.service.as_ref().unwrap().admin_listen().unwrap();
        let client = http::client(&http::Config { proxy: Proxy::None, ..http::Config::default() }).unwrap();
        let request = client.request(method, format!("http://{address}{path}")).body(body.to_string());
        let request = request.bearer_auth("a-token-of-32-characters-or-so-1").header("connection", "close");
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
    }
}

#[tokio::test(start_paused = true)]
async fn conditions_of_silences_go_by_the_names_in_force() {
    let office = Office::open(&[("rules/a.yaml", WAITING)]).await;
    let plain = fs::read_to_string(office.path("deskbell.yaml")).unwrap();
    let teams = format!("{plain}teams: {{ payment: {{ when: {{ status: open }}, to: support }} }}\n");
    let silence = json!({ "when": "team: payment", "for": "24h", "reason": "搬家" });
    let ask = async || office.api(reqwest::Method::POST, "/api/v1/silences", &silence).await;
    let ringing = async || {
        let (_, page) = office.api(reqwest::Method::GET, "/api/v1/silences", &Value::Null).await;
        page["silences"][0]["ringing"].clone()
    };
    assert_eq!(ask().await.0, 422, "there are no teams");
    office.write("deskbell.yaml", &teams);
    office.pass(1).await;
    let (status, done) = ask().await;
    assert_eq!(status, 200, "what came into force can be named: {done:#}");
    office.ticket();
    office.pass(65).await;
    assert_eq!((office.cards(TEAM).len(), ringing().await), (0, json!(1)), "silenced");
    office.write("deskbell.yaml", &plain);
    office.pass(5).await;
    assert_eq!((office.cards(TEAM).len(), ringing().await), (1, json!(0)), "what it names is gone: it matches nothing");
    office.write("deskbell.yaml", &teams);
    office.pass(5).await;
    office.ticket();
    office.pass(65).await;
    assert_eq!((office.cards(TEAM).len(), ringing().await), (1, json!(2)), "it is back");
    office.close().await;
}

/// A silence by a condition with a name is what that name means: after a restart, and when the rules' folder says
/// something else.
#[tokio::test(start_paused = true)]
async fn a_silence_by_a_named_condition_follows_the_name() {
    let named = |tag: &str| format!("conditions: {{ calm: {{ tags: {tag} }} }}\n");
    let mut office = Office::open(&[("rules/a.yaml", WAITING), ("rules/b.yaml", &named("VIP"))]).await;
    let told = office.silence("{ meets: calm }").await;
    assert!(told.contains("条件 { meets: calm }"), "{told}");
    assert!(office.silence("{ meets: clam }").await.contains("没有命名条件 “clam”"));
    office.tagged("VIP");
    office.pass(65).await;
    assert_eq!(office.cards(TEAM).len(), 0, "silenced");
    office.service.take().unwrap().stop().await;
    office = office.begin().await;
    office.tagged("VIP");
    office.pass(65).await;
    assert_eq!(office.cards(TEAM).len(), 0, "after a restart too: {:?}", office.cards(TEAM));
    office.write("rules/b.yaml", &named("slow"));
    office.pass(3).await;
    assert_eq!(office.cards(TEAM).len(), 1, "what is no longer held back comes in one notice");
    office.tagged("slow");
    office.tagged("VIP");
    office.pass(65).await;
    assert_eq!(office.cards(TEAM).len(), 2, "{:?}", office.cards(TEAM));
    office.close().await;
}
