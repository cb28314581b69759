//! What is posted, to the letter, and what is made of every answer.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Response},
};
use tokio::net::TcpListener;

use super::*;
use crate::domain::{
    id::{ReceiverName, RuleName, Subject},
    notice::{AnswerView, Content, NoticeKey, Outside, Step, Target},
    text::{Locale, Message},
    time::Timestamp,
};

const START: Timestamp = Timestamp::from_ms(1_700_000_000_000);

/// What must appear in no error.
const SECRETS: [&str; 3] = ["bearer-s3cret", "path-s3cret", "query-s3cret"];

/// What arrived: headers and body.
type Arrived = Arc<Mutex<Vec<(HeaderMap, String)>>>;

/// A receiver that gives one answer to everything.
async fn answering(status: u16, headers: &[(&str, &str)], body: &str) -> (String, Arrived) {
    let arrived = Arrived::default();
    let (seen, body) = (Arc::clone(&arrived), body.to_owned());
    let headers: Vec<(String, String)> = headers.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    let router = Router::new().fallback(move |head: HeaderMap, asked: Bytes| async move {
        seen.lock().unwrap().push((head, String::from_utf8_lossy(&asked).into_owned()));
        let mut response = Response::builder().status(status);
        for (name, value) in &headers {
            response = response.header(name, value);
        }
        response.body(Body::from(body.clone())).unwrap()
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (base, arrived)
}

fn http_at(base: &str) -> Client {
    let url = SecretString::from(format!("{base}/path-s3cret?token=query-s3cret"));
    let config = Config::Http(HttpConfig { url, bearer: Some(SecretString::from("bearer-s3cret")) });
    Client::new(&config, http::loopback_client(), Clock::anchored(START))
}

fn wecom_at(base: &str) -> Client {
    let url = SecretString::from(format!("{base}/cgi-bin/webhook/send?key=query-s3cret"));
    Client::new(&Config::Wecom(WecomConfig { url }), http::loopback_client(), Clock::anchored(START))
}

fn notice() -> (Send, Card) {
    let receiver = ReceiverName::from("pager");
    let send = Send {
        key: NoticeKey {
            subject: Subject::Service,
            rule: RuleName::from("r"),
            episode: 1,
            step: Step::Trouble,
            ordinal: 0,
            receiver: receiver.clone(),
        },
        target: Target::Post(receiver),
        template: None,
        content: Content::Answer(Box::new(AnswerView::Text(Message::new("你好", "hello")))),
        outside: Outside::default(),
        locale: Locale::Zh,
        maybe_repeat: false,
        without_mentions: false,
        masked: false,
        forward: false,
        mentions: Vec::new(),
        notes: Vec::new(),
        asides: Vec::new(),
        rev: 1,
        attempts: 1,
    };
    let card = Card { title: "你好".to_owned(), footer: "deskbell".to_owned(), ..Card::default() };
    (send, card)
}

async fn post(client: &Client) -> Result<(), Error> {
    let (send, card) = notice();
    client.post(&send, &card).await
}

#[tokio::test(start_paused = true)]
async fn what_is_posted_carries_its_token() {
    let (base, arrived) = answering(202, &[], "whatever").await;
    post(&http_at(&base)).await.unwrap();
    let (send, card) = notice();
    http_at(&base).post_drill(&send, &card).await.unwrap();
    let arrived = arrived.lock().unwrap();
    let statuses: Vec<Value> =
        arrived.iter().map(|(_, body)| serde_json::from_str::<Value>(body).unwrap()["status"].clone()).collect();
    assert_eq!(statuses, ["firing", "firing", "resolved"]);
    assert_eq!(arrived[0].0["authorization"], "Bearer bearer-s3cret");
    assert_eq!(arrived[0].0["content-type"], "application/json; charset=utf-8");
}

#[tokio::test(start_paused = true)]
async fn wecom_is_posted_markdown_and_its_code_decides() {
    let markdown =
        r#"{"markdown":{"content":"**你好**\n<font color=\"comment\">deskbell</font>"},"msgtype":"markdown"}"#;
    let table = [
        (200, r#"{"errcode":0,"errmsg":"ok"}"#, Ok(())),
        (200, r#"{"errcode":"0"}"#, Ok(())),
        (200, r#"{"errcode":45009,"errmsg":"api freq out of limit"}"#, Err(FailureKind::Throttled)),
        (200, r#"{"errcode":93000,"errmsg":"invalid webhook url query-s3cret"}"#, Err(FailureKind::Setup)),
        (200, r#"{"errcode":40058,"errmsg":"markdown.content exceed max length"}"#, Err(FailureKind::Content)),
        (200, r#"{"errcode":7,"errmsg":"?"}"#, Err(FailureKind::Refused)),
        (500, r#"{"errcode":7}"#, Err(FailureKind::Unreachable)),
        (500, "{}", Err(FailureKind::Unreachable)),
        (200, "{}", Err(FailureKind::Uncertain)),
        (200, "<html>", Err(FailureKind::Uncertain)),
        (403, "<html>", Err(FailureKind::Setup)),
        (500, r#"{"errcode":0}"#, Err(FailureKind::Unreachable)),
    ];
    for (status, body, expected) in table {
        let (base, arrived) = answering(status, &[], body).await;
        let result = post(&wecom_at(&base)).await;
        assert_eq!(result.as_ref().map_err(|error| error.kind).copied(), expected, "{body}: {result:?}");
        assert_eq!(arrived.lock().unwrap()[0].1, markdown);
        assert!(!format!("{result:?}").contains("s3cret"), "{result:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn answers_are_told_by_their_status_and_say_how_they_begin() {
    let echo = SECRETS.join(" and ");
    let long = "x".repeat(5_000);
    let table: [(u16, &str, FailureKind, &str); 6] = [
        (400, "unknown field\nline two", FailureKind::Content, "unknown field line two"),
        (400, &echo, FailureKind::Content, "[secret] and [secret] and [secret]"),
        (401, "<html>no</html>", FailureKind::Setup, "a page of HTML"),
        (413, &long, FailureKind::TooLong, "xxx"),
        (500, "", FailureKind::Unreachable, "HTTP 500]"),
        (429, "slow", FailureKind::Throttled, "slow"),
    ];
    for (status, body, kind, words) in table {
        let (base, _) = answering(status, &[], body).await;
        let error = post(&http_at(&base)).await.unwrap_err();
        let message = error.message();
        assert_eq!((error.kind, error.status), (kind, Some(status)), "{error:?}");
        assert!(message.en.contains(words) && message.zh.contains(words), "{message}");
        assert!(message.en.len() < 700, "{message}");
        for secret in SECRETS {
            assert!(!format!("{error:?}{message}").contains(secret), "{error:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_it_asks_for_is_kept() {
    let table = [
        ("7", Some(7_000)),
        ("0.5", Some(500)),
        ("Tue, 14 Nov 2023 22:14:20 GMT", Some(60_000)), // a minute after the beginning
        ("Tue, 14 Nov 2023 22:13:00 GMT", Some(0)),
        ("99999999", Some(3_600_000)),
        ("-5", None),
        ("soon", None),
    ];
    for (value, expected) in table {
        let (base, _) = answering(429, &[("retry-after", value)], "").await;
        let error = post(&http_at(&base)).await.unwrap_err();
        assert_eq!(error.failure().retry_after.map(Span::as_ms), expected, "{value}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_redirect_is_followed() {
    let (elsewhere, arrived) = answering(200, &[], "ok").await;
    let (base, _) = answering(307, &[("location", elsewhere.as_str())], "").await;
    let error = post(&http_at(&base)).await.unwrap_err();
    assert_eq!(error.kind, FailureKind::Setup);
    assert!(error.message().en.contains("redirects"), "{}", error.message());
    assert!(arrived.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_endless_answer_is_not_read_to_its_end() {
    let endless = "x".repeat(ANSWER_BYTES_MAX + 1);
    let (base, _) = answering(200, &[], &endless).await;
    post(&http_at(&base)).await.expect("its status says that it arrived");
    assert_eq!(post(&wecom_at(&base)).await.unwrap_err().kind, FailureKind::Uncertain);
    let (base, _) = answering(400, &[], &endless).await;
    assert_eq!(post(&http_at(&base)).await.unwrap_err().kind, FailureKind::Content);
}

#[tokio::test(start_paused = true)]
async fn who_cannot_be_reached_got_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = post(&http_at(&base)).await.unwrap_err();
    assert_eq!((error.kind, error.status), (FailureKind::Unreachable, None));
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
}
