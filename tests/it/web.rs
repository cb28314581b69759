//! The two listeners over real sockets in paused time: who gets in, what they learn, and how long anyone may take.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use deskbell::{
    adapters::{
        clock::Clock,
        feishu::{callback::Callback, event::EventReader},
        http::{self, Proxy},
    },
    domain::{
        card::Card,
        command::Command,
        deed::{Act, Deed, Tone},
        desk::input::{ChatKind, ChatMessage},
        text::{Locale, Message},
        time::{Span, Timestamp},
    },
    engine::{
        doors::Refused,
        incoming::{Reception, Submitted},
        port::ActAnswer,
    },
    web::{
        admin,
        callbacks::{self, CALLBACK_BYTES_MAX, Callbacks},
        listener,
        state::{Admin, CallbackCounts},
        status::{Counter, Sentence, SourceStatus, Status},
        tokens::{Scope, Token, Tokens},
    },
};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// What the engine does with a message.
#[derive(Clone, Copy)]
pub(crate) enum Engine {
    Stores,
    Refuses,
    Hangs,
}

pub(crate) struct World {
    clock: Clock,
    pub(crate) address: SocketAddr,
    admin: SocketAddr,
    pub(crate) client: reqwest::Client,
    taken: Arc<Mutex<Vec<ChatMessage>>>,
    acts: Arc<Mutex<Vec<Act>>>,
    ready: Arc<AtomicBool>,
    stop: watch::Sender<bool>,
    served: Vec<tokio::task::JoinHandle<()>>,
}

async fn world(engine: Engine) -> World {
    world_of(engine, None).await
}

/// A world whose platform encrypts what it posts.
pub(crate) async fn keyed_world(engine: Engine, encrypt_key: &str) -> World {
    world_of(engine, Some(encrypt_key)).await
}

async fn world_of(engine: Engine, encrypt_key: Option<&str>) -> World {
    let clock = Clock::anchored(Timestamp::from_ms(1_700_000_000_000));
    let taken = Arc::new(Mutex::new(Vec::new()));
    let serving_clock = clock.clone();
    let counts = Arc::new(CallbackCounts::default());
    let into = Arc::clone(&taken);
    let acts = Arc::new(Mutex::new(Vec::new()));
    let acted = Arc::clone(&acts);
    let reception = Reception {
        submit: Arc::new(move |message| {
            into.lock().unwrap().push(message);
            Box::pin(async move {
                match engine {
                    Engine::Stores => Submitted::Durable,
                    Engine::Refuses => Submitted::Refused,
                    Engine::Hangs => std::future::pending().await,
                }
            })
        }),
        act: Arc::new(move |act| {
            acted.lock().unwrap().push(act);
            Box::pin(async move {
                match engine {
                    Engine::Stores => {
                        let card = Card { title: "now".to_string(), footer: "f".to_string(), ..Card::default() };
                        let words = Message::new("已由你接手", "you have it");
                        Ok(ActAnswer { tone: Tone::Done, words, card: Some(card) })
                    }
                    Engine::Refuses => Err(Refused::Store),
                    Engine::Hangs => std::future::pending().await,
                }
            })
        }),
        news: Arc::new(|_| Ok(())),
        added: Arc::new(|_| Box::pin(async { Submitted::Durable })),
        clock: clock.clone(),
        locales: Locale::Zh.into(),
    };
    let callbacks = Callbacks {
        feishu: Some(Arc::new(Callback::new(
            SecretString::from("token"),
            encrypt_key.map(SecretString::from),
            EventReader::default(),
        ))),
        reception,
        clock: clock.clone(),
        counts: Arc::clone(&counts),
    };
    let ready = Arc::new(AtomicBool::new(true));
    let is_ready = Arc::clone(&ready);
    let admin = Admin {
        status: Arc::new(move || status(is_ready.load(Ordering::Relaxed))),
        reload: None,
        explain: None,
        operators: None,
        tokens: Tokens::new(vec![Token { name: None, secret: SecretString::from("operator"), scope: Scope::Act }]),
        counts,
    };
    let (stop, stopping) = watch::channel(false);
    let (callbacks_at, admin_at) = (bind().await, bind().await);
    let (address, admin_address) = (callbacks_at.local_addr().unwrap(), admin_at.local_addr().unwrap());
    let served = vec![
        tokio::spawn(listener::serve(callbacks_at, callbacks::router(callbacks), clock.clone(), stopping.clone())),
        tokio::spawn(listener::serve(admin_at, admin::router(admin), clock, stopping)),
    ];
    let client = http::client(&http::Config { proxy: Proxy::None, ..http::Config::default() }).unwrap();
    World { clock: serving_clock, address, admin: admin_address, client, taken, acts, ready, stop, served }
}

async fn bind() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

fn status(ready: bool) -> Status {
    let reason = Sentence::from(Message::new("存储不可写", "the store takes no writes"));
    Status {
        not_ready: if ready { Vec::new() } else { vec![reason] },
        rules: 3,
        sources: [("it-desk".to_string(), SourceStatus { tracked: 7, silent: true, ..SourceStatus::default() })].into(),
        alerts_firing: [("不满意".to_string(), 2)].into(),
        counters: vec![
            Counter::labelled("notices_delivered", "Notices delivered", ("step", "fired"), 4),
            Counter::labelled("notices_delivered", "Notices delivered", ("step", "ended"), 1),
            Counter::new("alerts_fired", "Alerts that rang", 5),
        ],
        ..Status::default()
    }
}

pub(crate) fn event(text: &str, chat_type: &str, mentioned: bool) -> Value {
    let mentions = json!([{
        "key": "@_user_1", "id": { "open_id": "ou_bot" }, "mentioned_type": "bot", "name": "deskbell"
    }]);
    let content = if mentioned { format!("@_user_1 {text}") } else { text.to_string() };
    json!({
        "schema": "2.0",
        "header": { "event_id": "e1", "event_type": "im.message.receive_v1", "create_time": "1700000000000",
                    "token": "token", "app_id": "cli_a" },
        "event": {
            "sender": { "sender_id": { "open_id": "ou_li" }, "sender_type": "user" },
            "message": { "message_id": "om_1", "create_time": "1700000000000", "chat_id": "oc_a",
                         "chat_type": chat_type, "message_type": "text",
                         "content": json!({ "text": content }).to_string(),
                         "mentions": if mentioned { mentions } else { json!([]) } }
        }
    })
}

impl World {
    async fn post(&self, body: impl Into<reqwest::Body>) -> (u16, String) {
        let url = format!("http://{}/feishu/events", self.address);
        let answer = self.client.post(url).body(body).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn get(&self, path: &str, bearer: Option<&str>) -> (u16, String) {
        let mut request = self.client.get(format!("http://{}{path}", self.admin));
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub(crate) fn commands(&self) -> Vec<Command> {
        self.taken.lock().unwrap().iter().map(|message| message.command.clone()).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_is_answered_200_only_when_it_is_stored() {
    let question = event("/ticket 6626871355780366331", "group", true).to_string();
    for (engine, expected) in [(Engine::Stores, 200), (Engine::Refuses, 503), (Engine::Hangs, 503)] {
        let world = world(engine).await;
        let began = world.clock.now();
        assert_eq!(world.post(question.clone()).await.0, expected);
        let took = world.clock.now().since(began);
        assert!(took < Span::from_ms(2_600), "{took:?}");
        let taken = world.taken.lock().unwrap().clone();
        assert_eq!(taken.len(), 1);
        assert_eq!(taken[0].command, Command::parse("/ticket 6626871355780366331"));
        assert_eq!((taken[0].chat_kind, taken[0].locale), (ChatKind::Group, Locale::Zh));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_meant_for_the_bot_is_taken_and_left() {
    let world = world(Engine::Stores).await;
    let cases = [
        (event("/ticket 6626871355780366331", "group", false), None),
        (event("谢谢", "group", true), None),
        (event("", "p2p", false), None),
        (event("", "group", true), Some(Command::Help)),
        (event("帮助", "p2p", false), Some(Command::Help)),
    ];
    for (body, expected) in cases {
        world.taken.lock().unwrap().clear();
        assert_eq!(world.post(body.to_string()).await, (200, r#"{"msg":"success"}"#.to_string()));
        assert_eq!(world.commands(), expected.into_iter().collect::<Vec<_>>(), "{body}");
    }
}

fn click(press: &str) -> Value {
    let value = json!({ "do": press, "subject": "ticket:it-desk:1001", "rule": "r", "episode": 2 });
    json!({
        "schema": "2.0",
        "header": { "event_id": "e9", "event_type": "card.action.trigger", "create_time": "1700000000000000",
                    "token": "token", "app_id": "cli_a" },
        "event": {
            "operator": { "open_id": "ou_li" }, "token": "c-1", "host": "im_message",
            "action": { "value": value, "tag": "button" },
            "context": { "open_message_id": "om_1", "open_chat_id": "oc_a" },
        }
    })
}

#[tokio::test(start_paused = true)]
async fn a_click_is_answered_in_time_whatever_becomes_of_it() {
    for (engine, kind, zh) in [
        (Engine::Stores, "success", "已由你接手"),
        (Engine::Refuses, "warning", "没有保存"),
        (Engine::Hangs, "info", "已收到，正在更新"),
    ] {
        let world = world(engine).await;
        let began = world.clock.now();
        let (status, body) = world.post(click("take").to_string()).await;
        assert_eq!(status, 200);
        assert!(world.clock.now().since(began) < Span::from_ms(2_100));
        let answer: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(answer["toast"]["type"], kind);
        assert!(answer["toast"]["i18n"]["zh_cn"].as_str().unwrap().starts_with(zh), "{answer}");
        let shows = answer["card"]["data"]["header"]["title"]["content"].as_str();
        assert_eq!(shows, matches!(engine, Engine::Stores).then_some("now"));
        let acts = world.acts.lock().unwrap().clone();
        assert_eq!(acts.len(), 1);
        assert_eq!((acts[0].id.as_str(), acts[0].clicked.as_ref().map(|id| id.as_str())), ("e9", Some("om_1")));
        assert!(matches!(acts[0].deed, Deed::Take(_)));
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_only_looks_gets_no_toast_and_what_cannot_be_read_gets_one() {
    let world = world(Engine::Stores).await;
    let (_, body) = world.post(click("more").to_string()).await;
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert!(answer.get("toast").is_none() && answer.get("card").is_some(), "{answer}");
    let mut forged = click("take");
    forged["header"]["token"] = json!("guess");
    assert_eq!(world.post(forged.to_string()).await, (401, String::new()));
    let before = world.acts.lock().unwrap().len();
    for hostile in [json!("x"), json!(null), json!([1]), json!({ "do": "fly" }), json!("x".repeat(100_000))] {
        let mut body = click("take");
        body["event"]["action"]["value"] = hostile;
        let (status, body) = world.post(body.to_string()).await;
        let answer: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, answer["toast"]["type"].as_str()), (200, Some("warning")), "{answer}");
    }
    assert_eq!(world.acts.lock().unwrap().len(), before, "nothing was done");
    let flat = json!({ "open_id": "ou_li", "open_chat_id": "oc_a", "token": "c-1", "action": { "value": {} } });
    assert_eq!(world.post(flat.to_string()).await.0, 401, "the old form is always signed");
}

#[tokio::test(start_paused = true)]
async fn strangers_are_turned_away_and_learn_nothing() {
    let world = world(Engine::Stores).await;
    let mut wrong_token = event("/help", "p2p", false);
    wrong_token["header"]["token"] = json!("guess");
    let cases = [
        (wrong_token.to_string().into_bytes(), 401),
        (b"<html>".to_vec(), 400),
        (Vec::new(), 400),
        (vec![b' '; CALLBACK_BYTES_MAX + 1], 413),
        (br#"{"encrypt":"AAAA"}"#.to_vec(), 401),
    ];
    for (body, expected) in cases {
        let (status, text) = world.post(body).await;
        assert_eq!((status, text.as_str()), (expected, ""));
    }
    assert!(world.commands().is_empty());
    let challenge = json!({ "type": "url_verification", "token": "token", "challenge": "abc" });
    assert_eq!(world.post(challenge.to_string()).await, (200, r#"{"challenge":"abc"}"#.to_string()));
}

#[tokio::test(start_paused = true)]
async fn whoever_dawdles_is_cut_off() {
    let world = world(Engine::Stores).await;
    for beginning in ["POST /feishu/events HTTP/1.1\r\nhost: x\r\n", ""] {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        stream.write_all(beginning.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        let read = tokio::time::timeout(listener::HEADER_READ_MAX * 2, stream.read_to_end(&mut rest)).await;
        assert!(read.is_ok(), "headers that never end: {beginning:?}");
    }
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let head = "POST /feishu/events HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\nconnection: close\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(listener::REQUEST_MAX, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let head = format!("GET /healthz HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(listener::HEADER_BYTES_MAX));
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn operators_see_what_they_may() {
    let world = world(Engine::Stores).await;
    assert_eq!(world.get("/healthz", None).await, (200, "ok".to_string()));
    assert_eq!(world.get("/readyz", None).await.0, 200);
    world.ready.store(false, Ordering::Relaxed);
    let (code, text) = world.get("/readyz", None).await;
    assert!(code == 503 && text.contains("the store takes no writes"), "{code} {text}");
    for bearer in [None, Some(""), Some("operato"), Some("operator2")] {
        assert_eq!(world.get("/api/v1/status", bearer).await.0, 401, "{bearer:?}");
    }
    let (code, text) = world.get("/api/v1/status", Some("operator")).await;
    assert_eq!((code, serde_json::from_str::<Status>(&text).unwrap()), (200, status(false)));
    assert_eq!(world.get("/feishu/events", None).await.0, 404);
    let (_, metrics) = world.get("/metrics", None).await;
    for line in [
        "deskbell_ready 0",
        "deskbell_alerts_firing{rule=\"不满意\"} 2",
        "deskbell_source_silent{source=\"it-desk\"} 1",
        "deskbell_notices_delivered_total{step=\"ended\"} 1",
        "deskbell_alerts_fired_total 5",
        "deskbell_callbacks_total{answer=\"accepted\"} 0",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} in\n{metrics}");
    }
    assert!(metrics.ends_with("# EOF\n"));
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_open_connections_in_time() {
    let mut world = world(Engine::Hangs).await;
    let question = event("/help", "p2p", false).to_string();
    let url = format!("http://{}/feishu/events", world.address);
    let request = tokio::spawn(world.client.post(url).body(question).send());
    let _idle = TcpStream::connect(world.address).await.unwrap();
    while world.taken.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    let began = world.clock.now();
    world.stop.send_replace(true);
    for served in world.served.drain(..) {
        served.await.unwrap();
    }
    let took = world.clock.now().since(began);
    assert!(took <= Span::from_ms(3_100), "{took:?}");
    assert_eq!(request.await.unwrap().unwrap().status().as_u16(), 503);
}
