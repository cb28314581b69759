//! What strangers and broken proxies post to `/feishu/events`, over real connections: each gets the right status and an
//! empty answer, nothing of it is taken, and no more than the limit is ever read.

use deskbell::{sim::seal, web::callbacks::CALLBACK_BYTES_MAX};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::web::{Engine, World, event, keyed_world};

const KEY: &str = "encrypt-key";
const NOW: &str = "1700000000";

/// A post as it stands on the wire.
struct Post {
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Post {
    /// As the platform would sign this body.
    fn signed(body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let signature = seal::signature(NOW, "nonce", KEY, &body);
        let headers = vec![
            ("x-lark-request-timestamp", NOW.to_string()),
            ("x-lark-request-nonce", "nonce".to_string()),
            ("x-lark-signature", signature),
        ];
        Self { headers, body }
    }

    /// A question of a person, as the platform would seal it.
    fn sound() -> Self {
        Self::signed(sealed(&question().to_string()))
    }

    /// The same with another body under the old signature.
    fn with_body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    fn without(mut self, header: &str) -> Self {
        self.headers.retain(|(name, _)| *name != header);
        self
    }

    fn with(self, header: &'static str, value: &str) -> Self {
        let mut post = self.without(header);
        post.headers.push((header, value.to_string()));
        post
    }
}

fn question() -> Value {
    event("/ticket 6626871355780366331", "p2p", false)
}

fn sealed(plain: &str) -> String {
    seal::encrypted(KEY, [7; 16], plain)
}

/// `{"encrypt": …}` around these bytes, whatever they are.
fn wrapped(base64: &str) -> String {
    json!({ "encrypt": base64 }).to_string()
}

/// The encrypted text of a sound post.
fn ciphertext() -> String {
    let body: Value = serde_json::from_str(&sealed(&question().to_string())).unwrap();
    body["encrypt"].as_str().unwrap().to_string()
}

fn nested(open: &str, close: &str, depth: usize) -> String {
    format!("{}{}", open.repeat(depth), close.repeat(depth))
}

/// What is posted and what it is answered.
fn hostile() -> Vec<(&'static str, Post, u16)> {
    let cipher = ciphertext();
    let cut = |end: usize| cipher.get(..cipher.len() - end).unwrap();
    let old = |seconds: i64| (1_700_000_000_i64 + seconds).to_string();
    let resigned = |time: &str| {
        let body = sealed(&question().to_string());
        let signature = seal::signature(time, "nonce", KEY, body.as_bytes());
        Post::sound().with("x-lark-request-timestamp", time).with("x-lark-signature", &signature)
    };
    let mut invalid = question().to_string().into_bytes();
    invalid.extend([0xff, 0xfe]);
    vec![
        ("bad padding: half a block is gone", Post::signed(wrapped(cut(12))), 401),
        ("truncated base64", Post::signed(wrapped(cut(1))), 401),
        ("base64 of another alphabet", Post::signed(wrapped(&cipher.replace('+', "-").replace('/', "_"))), 401),
        ("no base64 at all", Post::signed(wrapped("！！！")), 401),
        ("a vector and nothing behind it", Post::signed(wrapped("AAECAwQFBgcICQoLDA0ODw==")), 401),
        ("empty", Post::signed(wrapped("")), 401),
        ("another key", Post::signed(seal::encrypted("other", [7; 16], &question().to_string())), 401),
        ("not encrypted", Post::signed(question().to_string()), 401),
        ("a wrong signature", Post::sound().with("x-lark-signature", &"0".repeat(64)), 401),
        ("a signature that is none", Post::sound().with("x-lark-signature", "签名"), 401),
        ("a changed body", Post::sound().with_body(sealed("{}")), 401),
        ("a time long past", resigned(&old(-3_601)), 401),
        ("a time to come", resigned(&old(3_601)), 401),
        ("a time that is none", resigned("soon"), 401),
        ("no time", Post::sound().without("x-lark-request-timestamp"), 401),
        ("no nonce", Post::sound().without("x-lark-request-nonce"), 401),
        ("no signature", Post::sound().without("x-lark-signature"), 401),
        ("no header at all", Post { headers: Vec::new(), ..Post::sound() }, 401),
        ("invalid UTF-8, plain", Post::signed(invalid.clone()), 400),
        ("nesting in the post", Post::signed(nested("[", "]", 100_000)), 400),
        ("nesting of objects", Post::signed(nested(r#"{"a":"#, "}", 50_000)), 400),
        ("nesting in what is sealed", Post::signed(sealed(&nested("[", "]", 100_000))), 401),
        ("an unfinished string", Post::signed(r#"{"encrypt":"AAAA"#), 400),
        ("nothing", Post::signed(""), 400),
        ("a number", Post::signed("1"), 400),
        ("more than is read", Post::signed(vec![b'a'; CALLBACK_BYTES_MAX + 1]), 413),
    ]
}

async fn send(world: &World, post: &Post) -> (u16, String) {
    let url = format!("http://{}/feishu/events", world.address);
    let mut request = world.client.post(url).body(post.body.clone());
    for (name, value) in &post.headers {
        request = request.header(*name, value.as_bytes());
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test(start_paused = true)]
async fn what_is_hostile_gets_its_status_and_is_not_taken() {
    let world = keyed_world(Engine::Stores, KEY).await;
    for (name, post, expected) in hostile() {
        assert_eq!(send(&world, &post).await, (expected, String::new()), "{name}");
    }
    assert!(world.commands().is_empty());
    assert_eq!(send(&world, &Post::sound()).await.0, 200, "after all that it still takes what is sound");
    assert_eq!(world.commands().len(), 1);
}

/// The signature is over the bytes as they came: whoever writes JSON in another way is taken as well.
#[tokio::test(start_paused = true)]
async fn a_pretty_printed_body_that_is_signed_is_taken() {
    let world = keyed_world(Engine::Stores, KEY).await;
    let body: Value = serde_json::from_str(&sealed(&format!("{:#}", question()))).unwrap();
    let pretty = Post::signed(format!("\n  {body:#}\n"));
    assert_eq!(send(&world, &pretty).await.0, 200);
    assert_eq!(world.commands().len(), 1);
    let touched = Post::signed(format!("{body:#}")).with_body(body.to_string());
    assert_eq!(send(&world, &touched).await.0, 401, "the same JSON in other bytes is not what was signed");
}

/// 50 MB, announced or not: the answer comes after the limit was read, not after all of it.
#[tokio::test(start_paused = true)]
async fn a_huge_body_is_refused_without_being_read() {
    const HUGE: usize = 50 * 1024 * 1024;
    let world = keyed_world(Engine::Stores, KEY).await;
    let mut announced = TcpStream::connect(world.address).await.unwrap();
    let head = format!("POST /feishu/events HTTP/1.1\r\nhost: x\r\ncontent-length: {HUGE}\r\n\r\n");
    announced.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(status(&mut announced).await, "413", "not a byte of it was sent");
    let mut chunked = TcpStream::connect(world.address).await.unwrap();
    let head = "POST /feishu/events HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    chunked.write_all(head.as_bytes()).await.unwrap();
    let chunk = [b"10000\r\n".to_vec(), vec![b'a'; 0x10000], b"\r\n".to_vec()].concat();
    let mut written = 0;
    while written < HUGE && chunked.write_all(&chunk).await.is_ok() {
        written += 0x10000;
        let mut peeked = [0; 1];
        let answered = tokio::select! {
            biased;
            found = chunked.peek(&mut peeked) => found.is_ok(),
            () = tokio::task::yield_now() => false,
        };
        if answered {
            break;
        }
    }
    assert!(written < HUGE / 2, "{written} bytes were taken");
    assert_eq!(status(&mut chunked).await, "413");
    assert!(world.commands().is_empty());
}

async fn status(stream: &mut TcpStream) -> String {
    let mut answer = vec![0; 64];
    let read = stream.read(&mut answer).await.unwrap();
    let text = String::from_utf8_lossy(&answer[..read]).into_owned();
    text.split(' ').nth(1).unwrap_or_default().to_string()
}
