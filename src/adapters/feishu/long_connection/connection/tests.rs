//! The task against a server of a few lines, in paused time.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_tungstenite::{WebSocketStream, accept_async};

use super::*;
use crate::adapters::feishu::{
    fake::{Answer, Fake, START, client_at},
    long_connection::frame::{Header, Kind},
};

type Server = WebSocketStream<TcpStream>;

/// A connection in a world of its own.
struct World {
    listener: TcpListener,
    watched: Watched,
    stop: watch::Sender<bool>,
    clock: Clock,
    task: JoinHandle<()>,
    heard: Arc<Mutex<Vec<String>>>,
    asked: Arc<AtomicUsize>,
}

/// What the handler does with `body`: answers at once, slowly, or badly, as the body says.
fn handler(clock: Clock, heard: Arc<Mutex<Vec<String>>>) -> Handle {
    Arc::new(move |body| {
        let (clock, heard) = (clock.clone(), Arc::clone(&heard));
        Box::pin(async move {
            let text = String::from_utf8(body.to_vec()).unwrap();
            heard.lock().unwrap().push(text.clone());
            match text.as_str() {
                "click" => Ack::Answered(json!({ "toast": {} })),
                "slow" => {
                    clock.sleep(Span::from_secs(2)).await;
                    Ack::Taken
                }
                "never" => std::future::pending().await,
                "full" => Ack::Failed,
                _ => Ack::Taken,
            }
        })
    })
}

/// A world; `refuse` is what the platform says instead of an address, to the first so many.
async fn world(refuse: Option<(usize, i64)>, draw: f64) -> World {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let fake = Fake::start(move |request, _| {
        assert_eq!(request.target, "/callback/ws/endpoint");
        assert_eq!(request.json(), json!({ "AppID": "cli_a", "AppSecret": "app-secret-x" }));
        let before = counted.fetch_add(1, Ordering::Relaxed);
        match refuse {
            Some((times, code)) if before < times => Answer::code(200, code, "no"),
            _ => Answer::data(&json!({
                "URL": format!("ws://127.0.0.1:{port}/ws/v2?device_id=d{before}&service_id=5&ticket=ttick"),
                "ClientConfig": { "ReconnectCount": -1, "ReconnectInterval": 120, "ReconnectNonce": 30, "PingInterval": 120 },
            })),
        }
    })
    .await;
    let clock = Clock::anchored(START);
    let heard = Arc::default();
    let means = Means {
        client: client_at(&format!("http://{}", fake.address)),
        tunnel: Tunnel::loopback(),
        clock: clock.clone(),
        draw: Arc::new(move || draw),
        handle: handler(clock.clone(), Arc::clone(&heard)),
    };
    let (connection, watched) = LongConnection::new(means);
    let (stop, stopping) = watch::channel(false);
    let task = tokio::spawn(connection.run(stopping));
    World { listener, watched, stop, clock, task, heard, asked }
}

impl World {
    /// The next connection, its first ping read and answered.
    async fn accept(&self) -> Server {
        let (stream, _) = self.listener.accept().await.unwrap();
        let mut server = accept_async(stream).await.unwrap();
        let ping = next(&mut server).await;
        assert_eq!(ping, Frame::ping(5));
        send(&mut server, &pong()).await;
        server
    }

    fn seconds(&self) -> i64 {
        self.clock.now().since(START).as_secs()
    }

    /// How it stands once it does what is wanted.
    async fn once(&mut self, wanted: impl Fn(&Standing) -> bool) -> Standing {
        self.watched.wait_for(wanted).await.unwrap().clone()
    }
}

/// Keeps time still while it lives: an idle runtime goes on to the next timer although bytes are under way.
struct Still(#[expect(dead_code, reason = "dropped")] std::sync::mpsc::Sender<()>);

fn still() -> Still {
    let (hold, held) = std::sync::mpsc::channel::<()>();
    tokio::task::spawn_blocking(move || held.recv().is_ok());
    Still(hold)
}

fn pong() -> Frame {
    let headers = vec![Header { key: "type".to_owned(), value: "pong".to_owned() }];
    Frame { service: 5, headers, ..Frame::default() }
}

fn event(number: u64, body: &str) -> Frame {
    let header = |(key, value): (&str, String)| Header { key: key.to_owned(), value };
    let headers = [("type", "event".to_owned()), ("message_id", format!("m{number}")), ("sum", "1".to_owned())];
    Frame {
        seq_id: number,
        log_id: u64::MAX - number,
        service: 5,
        method: 1,
        headers: headers.into_iter().map(header).collect(),
        payload: Some(Bytes::copy_from_slice(body.as_bytes())),
        ..Frame::default()
    }
}

async fn send(server: &mut Server, frame: &Frame) {
    server.send(Message::Binary(frame.bytes())).await.unwrap();
}

/// The next frame the client sends.
async fn next(server: &mut Server) -> Frame {
    let message = server.next().await.unwrap().unwrap();
    Frame::read(&message.into_data()).unwrap()
}

/// What an acknowledgement says.
fn said(ack: &Frame) -> (u64, Value) {
    assert_eq!(ack.log_id, u64::MAX - ack.seq_id);
    (ack.seq_id, serde_json::from_slice(&ack.carried()).unwrap())
}

#[tokio::test(start_paused = true)]
async fn events_are_handed_on_and_their_fate_is_sent_back() {
    let mut world = world(None, 0.0).await;
    let mut server = world.accept().await;
    let quiet = still();
    for (number, body) in [(1, "click"), (2, "full"), (3, "taken")] {
        send(&mut server, &event(number, body)).await;
        let ack = next(&mut server).await;
        let expected = match body {
            "click" => json!({ "code": 200, "headers": {}, "data": "eyJ0b2FzdCI6e319" }),
            "full" => json!({ "code": 500 }),
            _ => json!({ "code": 200 }),
        };
        assert_eq!(said(&ack), (number, expected));
        assert!(ack.header("biz_rt").is_some());
    }
    send(&mut server, &event(4, "slow")).await;
    send(&mut server, &event(5, "taken")).await;
    assert_eq!(said(&next(&mut server).await).0, 5, "one that is slow holds up nobody");
    drop(quiet);
    let slow = next(&mut server).await;
    assert_eq!((said(&slow).0, slow.header("biz_rt")), (4, Some("2000")));
    assert_eq!(*world.heard.lock().unwrap(), ["click", "full", "taken", "slow", "taken"]);
    let standing = world.once(|standing| standing.counts.taken == 4).await;
    assert_eq!((standing.counts.refused, standing.connects, standing.device.as_str()), (1, 1, "d0"));
    assert!(standing.is_up() && standing.pong_at.is_some() && standing.error.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_is_opened_anew_at_another_address() {
    let mut world = world(None, 0.5).await;
    let mut server = world.accept().await;
    world.clock.sleep(Span::from_secs(100)).await;
    let quiet = still();
    server.close(None).await.unwrap();
    let standing = world.once(|standing| !standing.is_up()).await;
    drop(quiet);
    let error = standing.error.unwrap();
    assert!(error.said().contains("closed the connection"), "{error}");
    let mut server = world.accept().await;
    assert_eq!(world.seconds(), 115, "half of the thirty seconds later");
    let standing = world.once(Standing::is_up).await;
    assert_eq!((standing.connects, standing.device.as_str(), standing.failures), (2, "d1", 0));
    // In the middle of a frame.
    world.clock.sleep(Span::from_secs(61)).await;
    use tokio::io::AsyncWriteExt as _;
    let quiet = still();
    server.get_mut().write_all(&[0x82, 0x7e]).await.unwrap();
    drop(server);
    world.once(|standing| !standing.is_up()).await;
    drop(quiet);
    let _server = world.accept().await;
    assert_eq!(world.once(|standing| standing.connects == 3).await.device, "d2");
    assert_eq!(world.asked.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_does_not_answer_pings_is_left() {
    let mut world = world(None, 0.0).await;
    let mut server = world.accept().await;
    let mut pings = 0;
    while let Some(Ok(message)) = server.next().await {
        if let Message::Binary(bytes) = message {
            assert_eq!(Frame::read(&bytes).unwrap(), Frame::ping(5));
            pings += 1;
        }
    }
    assert_eq!((pings, world.seconds()), (2, 250));
    let error = world.once(|standing| standing.error.is_some()).await.error.unwrap();
    assert!(error.said().contains("pings"), "{error}");
    drop(world.accept().await);
}

#[tokio::test(start_paused = true)]
async fn refusals_are_waited_out_and_said() {
    let cases = [
        (514, 600, Advice::SetUp),
        (1_000_040_350, 120, Advice::SlowDown),
        (1, 5, Advice::Retry),
        (77, 600, Advice::GiveUp),
    ];
    for (code, seconds, advice) in cases {
        let mut world = world(Some((1, code)), 0.0).await;
        let standing = world.once(|standing| matches!(standing.state, State::Waiting { .. })).await;
        let error = standing.error.unwrap();
        assert_eq!((error.code, error.advice, standing.failures), (Some(code), advice, 1), "{error}");
        assert_eq!(standing.since, START, "down since the start");
        let _server = world.accept().await;
        assert_eq!(world.seconds(), seconds, "{code}");
        assert_eq!(world.once(Standing::is_up).await.failures, 1, "until it stood for a while");
        assert!(!format!("{error} {error:?} {}", error.message()).contains("app-secret-x"));
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_there_is_tried_further_and_further_apart() {
    let World { listener, watched, stop, clock, task, asked, .. } = world(None, 0.0).await;
    drop(listener);
    clock.sleep(Span::from_secs(5 + 10 + 20 + 40 + 80 + 120 + 1)).await;
    assert_eq!(asked.load(Ordering::Relaxed), 7);
    assert_eq!(watched.borrow().failures, 7);
    stop.send_replace(true);
    task.await.unwrap();
    assert_eq!(watched.borrow().state, State::Ended);
}

#[tokio::test(start_paused = true)]
async fn a_stop_hears_out_what_is_in_work() {
    let world = world(None, 0.0).await;
    let mut server = world.accept().await;
    send(&mut server, &event(1, "slow")).await;
    send(&mut server, &event(2, "never")).await;
    while world.heard.lock().unwrap().len() < 2 {
        tokio::task::yield_now().await;
    }
    let began = world.seconds();
    world.stop.send_replace(true);
    assert_eq!(said(&next(&mut server).await), (1, json!({ "code": 200 })));
    let over = server.next().await;
    assert!(matches!(over, Some(Ok(Message::Close(_)))), "{over:?}");
    assert_eq!(world.seconds() - began, 3);
    drop(server);
    world.task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_refused_and_comes_again() {
    let world = world(None, 0.0).await;
    let mut server = world.accept().await;
    let many = u64::try_from(EVENTS_AT_ONCE_MAX).unwrap();
    let _quiet = still();
    for number in 0..many + 3 {
        send(&mut server, &event(number, "never")).await;
    }
    for number in many..many + 3 {
        assert_eq!(said(&next(&mut server).await), (number, json!({ "code": 500 })));
    }
    while world.heard.lock().unwrap().len() < EVENTS_AT_ONCE_MAX {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn nonsense_does_not_end_the_connection() {
    let mut world = world(None, 0.0).await;
    let mut server = world.accept().await;
    let _quiet = still();
    server.send(Message::text("hello")).await.unwrap();
    server.send(Message::binary(b"\xff\xff".to_vec())).await.unwrap();
    server.send(Message::Ping(Bytes::from_static(b"p"))).await.unwrap();
    send(&mut server, &Frame { method: 9, ..event(7, "x") }).await;
    send(&mut server, &event(8, "taken")).await;
    let mut answers = Vec::new();
    while answers.len() < 2 {
        answers.push(server.next().await.unwrap().unwrap());
    }
    assert!(answers.iter().any(|message| matches!(message, Message::Pong(data) if data.as_ref() == b"p")));
    let acks = answers.iter().filter(|message| message.is_binary());
    let kinds: Vec<Kind> = acks.map(|message| Frame::read(&message.clone().into_data()).unwrap().kind()).collect();
    assert_eq!(kinds, [Kind::Event]);
    assert_eq!(world.once(|standing| standing.counts.taken == 1).await.counts.odd, 1);
    assert_eq!(world.once(Standing::is_up).await.connects, 1);
}
