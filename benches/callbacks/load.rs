//! The people: events as the platform seals and posts them, over connections that stay open.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    ops::Range,
    thread,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use deskbell::sim::seal;
use serde_json::json;

use crate::{
    pages,
    service::{ENCRYPT_KEY, VERIFICATION_TOKEN},
};

/// What one repetition took.
pub(crate) struct Load {
    pub(crate) a_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) most_ms: f64,
}

/// A connection that stays open.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the service listens");
        stream.set_nodelay(true).expect("loopback");
        Self(BufReader::new(stream))
    }

    /// Sends a request and reads its answer; the status.
    pub(crate) fn ask(&mut self, request: &[u8]) -> u16 {
        self.0.get_mut().write_all(request).expect("the service reads");
        let mut line = String::new();
        self.0.read_line(&mut line).expect("the service answers");
        let status = line.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status");
        let mut bytes = 0;
        loop {
            line.clear();
            self.0.read_line(&mut line).expect("the service answers");
            match line.trim_end().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    bytes = value.parse().expect("a length");
                }
                Some(_) => {}
                None => break,
            }
        }
        self.0.read_exact(&mut vec![0; bytes]).expect("the service answers");
        status
    }
}

/// All requests, each connection with its share, one after the other.
pub(crate) fn at_once(address: SocketAddr, connections: usize, requests: &[Vec<u8>]) -> Load {
    let mut open: Vec<Connection> = (0..connections).map(|_| Connection::open(address)).collect();
    let begun = Instant::now();
    let mut took: Vec<f64> = thread::scope(|scope| {
        let work = open.iter_mut().enumerate().map(|(place, connection)| {
            scope.spawn(move || {
                let own = requests.iter().skip(place).step_by(connections);
                let timed = |request: &Vec<u8>| {
                    let asked = Instant::now();
                    assert_eq!(connection.ask(request), 200);
                    asked.elapsed().as_secs_f64() * 1_000.0
                };
                own.map(timed).collect::<Vec<f64>>()
            })
        });
        let work: Vec<_> = work.collect();
        work.into_iter().flat_map(|thread| thread.join().expect("no request fails")).collect()
    });
    let seconds = begun.elapsed().as_secs_f64();
    took.sort_unstable_by(f64::total_cmp);
    Load {
        a_second: requests.len() as f64 / seconds,
        p50_ms: percentile(&took, 50),
        p99_ms: percentile(&took, 99),
        most_ms: percentile(&took, 100),
    }
}

/// A percentile of what is sorted.
pub(crate) fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get(last * percent / 100).copied().unwrap_or_default()
}

/// Messages of people, each a question of its own.
pub(crate) fn events(numbers: Range<usize>) -> Vec<Vec<u8>> {
    numbers.map(|number| message(&format!("om_event_{number}"), "oc_direct", "/help")).collect()
}

/// Requests for nothing.
pub(crate) fn nothing(count: usize) -> Vec<Vec<u8>> {
    vec![b"GET /healthz HTTP/1.1\r\nhost: bench\r\n\r\n".to_vec(); count]
}

/// A question for a ticket, in a chat of its own.
pub(crate) fn question(number: usize) -> Vec<u8> {
    let ticket = pages::ticket_id(u64::try_from(number).expect("a small number"));
    message(&question_id(number), &format!("oc_direct_{number}"), &format!("/ticket {ticket}"))
}

/// The message of a question.
pub(crate) fn question_id(number: usize) -> String {
    format!("om_question_{number}")
}

fn message(id: &str, chat: &str, text: &str) -> Vec<u8> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is past 1970");
    let event = json!({
        "schema": "2.0",
        "header": {
            "event_id": format!("event-{id}"), "event_type": "im.message.receive_v1", "token": VERIFICATION_TOKEN,
            "app_id": "cli_bench", "tenant_key": "t", "create_time": now.as_millis().to_string(),
        },
        "event": {
            "sender": { "sender_id": { "open_id": format!("ou_{id}") }, "sender_type": "user", "tenant_key": "t" },
            "message": {
                "message_id": id, "create_time": now.as_millis().to_string(), "chat_id": chat, "chat_type": "p2p",
                "message_type": "text", "content": json!({ "text": text }).to_string(),
            },
        },
    });
    let body = seal::encrypted(ENCRYPT_KEY, [7; 16], &event.to_string());
    let timestamp = now.as_secs().to_string();
    let signature = seal::signature(&timestamp, "n", ENCRYPT_KEY, body.as_bytes());
    format!(
        "POST /feishu/events HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         x-lark-request-timestamp: {timestamp}\r\nx-lark-request-nonce: n\r\nx-lark-signature: {signature}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
