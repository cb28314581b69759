//! The simulator's skin: the fake platform on a real socket, under paused time.

use std::sync::{Arc, Mutex};

use deskbell::{
    adapters::clock::Clock,
    domain::time::{Span, Timestamp},
    sim::{
        app::Transport,
        directory::ChatKind,
        faults::{Fault, LineFault},
        frame::{DATA, Frame},
        http::{Server, Shared, deliver_due, lock, post},
        lines::Act,
        platform::Platform,
        route::Route,
    },
};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, protocol::Message},
};

const NOW: i64 = 1_790_000_000_000;

/// A platform on a socket, and a client for it. Its time begins at `NOW` and follows the runtime's.
async fn serve(platform: Platform) -> (Shared, Server, Arc<dyn Fn() -> i64 + Send + Sync>, reqwest::Client) {
    let _already = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let shared: Shared = Arc::new(Mutex::new(platform));
    let begun = instant();
    let now: Arc<dyn Fn() -> i64 + Send + Sync> =
        Arc::new(move || NOW + i64::try_from((instant() - begun).as_millis()).unwrap());
    let server = Server::start(listener, shared.clone(), now.clone()).unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    (shared, server, now, client)
}

#[expect(clippy::disallowed_methods, reason = "the test's own virtual clock")]
fn instant() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

async fn token(server: &Server, client: &reqwest::Client, platform: &Shared) -> reqwest::Result<Value> {
    let app = lock(platform).app().clone();
    let url = format!("{}/open-apis/auth/v3/tenant_access_token/internal", server.base_url());
    let body = json!({ "app_id": app.app_id, "app_secret": app.app_secret }).to_string();
    let text = client.post(url).body(body).send().await?.error_for_status()?.text().await?;
    Ok(serde_json::from_str(&text).unwrap())
}

#[tokio::test(start_paused = true)]
async fn requests_arrive_whole_and_answers_come_back_whole() {
    let mut platform = Platform::new(1);
    let (helpdesk_id, helpdesk_token) = platform.add_default_helpdesk();
    platform.create_ticket(NOW, |ticket| ticket.guest.name = "李雷 & 韩梅梅".to_string());
    platform.create_ticket(NOW, |ticket| ticket.guest.name = "other".to_string());
    let (platform, server, _, client) = serve(platform).await;
    let token = token(&server, &client, &platform).await.unwrap();
    let header =
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("{helpdesk_id}:{helpdesk_token}"));
    let response = client
        .get(format!("{}/open-apis/helpdesk/v1/tickets", server.base_url()))
        .query(&[("guest_name", "李雷 & 韩梅梅"), ("status_list", "1"), ("status_list", "2")])
        .header("authorization", format!("Bearer {}", token["tenant_access_token"].as_str().unwrap()))
        .header("x-lark-helpdesk-authorization", header)
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["date"], "Mon, 21 Sep 2026 14:13:20 GMT", "the platform's clock, not the machine's");
    let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(body["data"]["total"], 1);
    assert_eq!(body["data"]["tickets"][0]["guest"]["name"], "李雷 & 韩梅梅");
}

#[tokio::test(start_paused = true)]
async fn a_cut_drops_the_connection_and_a_slow_answer_waits() {
    let (platform, server, now, client) = serve(Platform::new(1)).await;
    for fault in [Fault::CutBefore, Fault::CutAfter] {
        lock(&platform).fail_next(Route::Token, fault, 1);
        let error = token(&server, &client, &platform).await.unwrap_err();
        assert!(error.status().is_none(), "{error:?}");
    }
    lock(&platform).fail_next(Route::Token, Fault::Slow(9000), 1);
    assert_eq!(token(&server, &client, &platform).await.unwrap()["code"], 0);
    assert!((9000..9100).contains(&(now() - NOW)), "{}", now() - NOW);
}

#[tokio::test(start_paused = true)]
async fn deliveries_are_posted_and_settled() {
    let mut platform = Platform::new(1);
    platform.add_chat("oc_a", "群", ChatKind::Group);
    platform.add_person("ou_li", "李雷", "li@example.com");
    platform.person_says("oc_a", "ou_li", "/ticket 1", true, NOW);
    let (platform, _server, now, client) = serve(platform).await;

    // An app that says 503 once and then 200.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/feishu/events", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::<String>::new()));
    let heard = asked.clone();
    let app = axum::Router::new().fallback(move |body: String| {
        heard.lock().unwrap().push(body);
        let first = heard.lock().unwrap().len() == 1;
        async move { if first { axum::http::StatusCode::SERVICE_UNAVAILABLE } else { axum::http::StatusCode::OK } }
    });
    tokio::spawn(async move { axum::serve(listener, app).await });

    assert_eq!(deliver_due(&platform, &now, &client, &url).await, 1);
    assert_eq!(deliver_due(&platform, &now, &client, &url).await, 0, "the retry is not due yet");
    tokio::time::advance(std::time::Duration::from_secs(15)).await;
    assert_eq!(deliver_due(&platform, &now, &client, &url).await, 1);
    assert_eq!(lock(&platform).next_delivery_ms(), None);
    let statuses: Vec<Option<u16>> = lock(&platform).attempts().iter().map(|attempt| attempt.status).collect();
    assert_eq!(statuses, [Some(503), Some(200)]);
    assert!(asked.lock().unwrap().iter().all(|body| body.starts_with(r#"{"encrypt":""#)));

    let challenge = lock(&platform).url_verification("abc", now());
    let (status, _) = post(&client, &url, &challenge.headers, challenge.body).await.unwrap();
    assert_eq!(status, 200);
}

/// A socket to the platform, as a client of the long connection opens it.
async fn connect(server: &Server, client: &reqwest::Client, platform: &Shared) -> Result<Line, Box<Error>> {
    let app = lock(platform).app().clone();
    let body = json!({ "AppID": app.app_id, "AppSecret": app.app_secret }).to_string();
    let answer = client.post(format!("{}/callback/ws/endpoint", server.base_url())).body(body).send().await.unwrap();
    let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let address = answer["data"]["URL"].as_str().unwrap().to_string();
    assert!(address.starts_with(&server.base_url().replace("http://", "ws://")), "{address}");
    let stream = TcpStream::connect(server.base_url().trim_start_matches("http://")).await.unwrap();
    client_async(address, stream).await.map(|(socket, _)| socket).map_err(Box::new)
}

type Line = WebSocketStream<TcpStream>;

async fn next(line: &mut Line) -> Option<Frame> {
    match line.next().await {
        Some(Ok(Message::Binary(bytes))) => Frame::decode(&bytes),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_is_pushed_over_a_line_until_it_is_taken() {
    let mut platform = Platform::new(1);
    platform.app_mut().events_over = Transport::LongConnection;
    platform.add_chat("oc_a", "群", ChatKind::Group);
    platform.add_person("ou_li", "李雷", "li@example.com");
    let (platform, server, now, client) = serve(platform).await;
    let mut line = connect(&server, &client, &platform).await.unwrap();
    lock(&platform).faults_mut().line_next = vec![LineFault::AckLost, LineFault::Doubled];
    lock(&platform).person_says("oc_a", "ou_li", "/ticket 1", true, now());
    let mut times = Vec::new();
    for _ in 0..3 {
        let mut frame = next(&mut line).await.unwrap();
        times.push((now() - NOW) / 100 * 100);
        assert_eq!(frame.method, DATA);
        let event: Value = serde_json::from_slice(&frame.payload).unwrap();
        assert_eq!(event["header"]["event_type"], "im.message.receive_v1");
        frame.payload = br#"{"code":200}"#.to_vec();
        line.send(Message::binary(frame.encode())).await.unwrap();
    }
    assert_eq!(times, [0, 18_000, 18_000], "three seconds of patience, fifteen of waiting, then doubled");
    while lock(&platform).waits_for_ack() {
        tokio::task::yield_now().await;
    }
    tokio::time::advance(std::time::Duration::from_secs(9 * 3_600)).await;
    let statuses: Vec<Option<u16>> = lock(&platform).attempts().iter().map(|attempt| attempt.status).collect();
    assert_eq!((statuses, lock(&platform).odd_frames().len()), (vec![None, Some(200)], 0));
}

#[tokio::test(start_paused = true)]
async fn lines_end_in_every_way() {
    let (platform, server, _, client) = serve(Platform::new(1)).await;
    lock(&platform).app_mut().events_over = Transport::LongConnection;
    for act in [Act::Cut, Act::Close] {
        let mut line = connect(&server, &client, &platform).await.unwrap();
        lock(&platform).end_lines(&act);
        let end = line.next().await;
        assert_eq!(matches!(end, Some(Ok(Message::Close(_)))), act == Act::Close, "{end:?}");
    }
    let mut line = connect(&server, &client, &platform).await.unwrap();
    lock(&platform).faults_mut().line_next.push(LineFault::CutInside);
    lock(&platform).push_event("test", json!({}), NOW);
    assert!(matches!(line.next().await, Some(Err(_))), "it breaks off in the middle");
    // A client that goes away is noticed.
    let line = connect(&server, &client, &platform).await.unwrap();
    assert_eq!(lock(&platform).open_lines(), 1);
    drop(line);
    Clock::anchored(Timestamp::from_ms(NOW)).sleep(Span::from_ms(10)).await;
    assert_eq!(lock(&platform).open_lines(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_refused_handshake_says_why_in_its_headers() {
    let (platform, server, _, client) = serve(Platform::new(1)).await;
    lock(&platform).turn(|knobs| knobs.lines_max = 0);
    let Err(error) = connect(&server, &client, &platform).await else { panic!("one too many") };
    let Error::Http(response) = *error else { panic!("{error:?}") };
    assert_eq!(response.headers()["handshake-status"], "514");
    assert_eq!(response.headers()["handshake-autherrcode"], "1000040350");
    assert_eq!(lock(&platform).open_lines(), 0);
}
