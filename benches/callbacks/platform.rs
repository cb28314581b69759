//! The platform: it answers everything at once, and notes when each answer to a question arrived.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::pages;

/// How long answers are waited for.
const PATIENCE: Duration = Duration::from_secs(60);

type Replies = Arc<(Mutex<HashMap<String, Instant>>, Condvar)>;

pub(crate) struct Platform {
    /// `http://127.0.0.1:…`
    pub(crate) base: String,
    replies: Replies,
}

impl Platform {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a port left");
        let base = format!("http://{}", listener.local_addr().expect("it is bound"));
        let replies = Replies::default();
        let (shared, tickets) = (Arc::clone(&replies), Arc::new(tickets()));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (replies, tickets) = (Arc::clone(&shared), Arc::clone(&tickets));
                thread::spawn(move || answer(stream, &replies, &tickets));
            }
        });
        Self { base, replies }
    }

    /// When the answer to each question arrived, by the question's message.
    pub(crate) fn answered(&self, questions: usize) -> HashMap<String, Instant> {
        let (replies, changed) = &*self.replies;
        let all = |replies: &mut HashMap<String, Instant>| {
            replies.keys().filter(|id| id.starts_with("om_question_")).count() < questions
        };
        let replies = replies.lock().expect("no thread fails");
        let (replies, waited) = changed.wait_timeout_while(replies, PATIENCE, all).expect("no thread fails");
        assert!(!waited.timed_out(), "only {} answers came", replies.len());
        replies.clone()
    }
}

/// The answers to single reads, by id.
fn tickets() -> HashMap<String, String> {
    let mut all = HashMap::new();
    for page in 0..pages::PAGES {
        let page: Value = serde_json::from_slice(&pages::page(0, page)).expect("the page is JSON");
        for ticket in page["data"]["tickets"].as_array().expect("a list") {
            let id = ticket["ticket_id"].as_str().expect("an id").to_owned();
            let body = json!({ "code": 0, "msg": "success", "data": { "ticket": ticket } }).to_string();
            all.insert(id, body);
        }
    }
    all
}

fn answer(stream: TcpStream, replies: &Replies, tickets: &HashMap<String, String>) -> Option<()> {
    const TOKEN: &str = r#"{"code":0,"msg":"ok","tenant_access_token":"t-bench","expire":7200}"#;
    const REST: &str = concat!(
        r#"{"code":0,"msg":"ok","data":{"tickets":[],"total":0,"messages":[],"items":[],"has_more":false,"#,
        r#""message_id":"om_sent"},"bot":{"open_id":"ou_bot","app_name":"deskbell"}}"#
    );
    stream.set_nodelay(true).ok()?;
    let mut reader = BufReader::with_capacity(64 * 1024, stream.try_clone().ok()?);
    let mut stream = stream;
    let mut line = String::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let target = line.split(' ').nth(1)?.to_owned();
        let mut bytes = 0;
        loop {
            line.clear();
            reader.read_line(&mut line).ok()?;
            match line.trim_end().split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    bytes = value.trim().parse().ok()?
                }
                Some(_) => {}
                None => break,
            }
        }
        reader.read_exact(&mut vec![0; bytes]).ok()?;
        let came = Instant::now();
        let path = target.split('?').next()?;
        let last = path.rsplit('/').next()?;
        if let Some(message) = path.strip_suffix("/reply").and_then(|path| path.rsplit('/').next()) {
            let (all, changed) = &**replies;
            all.lock().ok()?.insert(message.to_owned(), came);
            changed.notify_all();
        }
        let body = match tickets.get(last) {
            Some(ticket) => ticket,
            None if last == "internal" => TOKEN,
            None => REST,
        };
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).ok()?;
    }
}
