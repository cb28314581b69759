//! The app's long connections, lines for short: addresses that hold once, who is connected, what was pushed to whom and
//! waits for its acknowledgement (`facts/feishu.md §6`).

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::sim::{
    app::App,
    dice::Dice,
    events::ANSWER_MS,
    faults::LineFault,
    frame::{CONTROL, DATA, Frame, asks_for_socket},
    knobs::{ClientConfig, Knobs, Pong},
    wire::{Answer, Refusal, Request},
};

/// Where lines begin.
pub(crate) const SOCKET_PATH: &str = "/ws/v2";

/// The service's number in every address and frame.
const SERVICE_ID: i32 = 33_554_678;

/// So long an address holds, milliseconds (UNCONFIRMED; it holds once in any case).
const ADDRESS_LIFE_MS: i64 = 60_000;

/// The credentials are wrong.
const AUTH_FAILED: i64 = 514;

/// There are too many lines.
const TOO_MANY: i64 = 1_000_040_350;

/// Frames that were no frames and acknowledgements that were none, remembered at most.
const ODD_MAX: usize = 1_000;

/// What the skin does to one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// The line.
    pub line: u64,
    /// What.
    pub act: Act,
}

/// What is done to a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// A frame is sent, in a WebSocket message of its own.
    Frame(Vec<u8>),
    /// A message is begun with these bytes, and the connection dropped before its end.
    Inside(Vec<u8>),
    /// The connection is dropped.
    Cut,
    /// The connection is closed as WebSockets are.
    Close,
}

/// What a push carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cargo {
    /// The event of that number.
    Event(u64),
    /// The click with that event id.
    Click(String),
}

/// How the app acknowledged a push: its code, and the data that came along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ack {
    pub(crate) cargo: Cargo,
    /// None: what came back is no acknowledgement.
    pub(crate) code: Option<u16>,
    pub(crate) data: String,
}

#[derive(Clone, Debug)]
struct Line {
    frames: u64,
    heard_ms: i64,
    /// Nothing passes any more, and neither side was told.
    is_frozen: bool,
}

/// A push whose acknowledgement is waited for.
#[derive(Clone, Debug)]
struct Flying {
    line: u64,
    cargo: Cargo,
    /// Sequence and log numbers of its parts; the acknowledgement repeats those of one.
    parts: Vec<(u64, u64)>,
    sent_ms: i64,
    is_ack_lost: bool,
}

/// Every line of the app.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines {
    /// Addresses not used yet, by their ticket, and until when they hold.
    addresses: BTreeMap<String, i64>,
    open: BTreeMap<u64, Line>,
    count: u64,
    /// By the frame's `message_id`.
    flying: BTreeMap<String, Flying>,
    /// What was ordered for lines by hand.
    pub(crate) orders: Vec<Push>,
    /// What came back that could not be read, the oldest first.
    pub(crate) odd: Vec<String>,
}

impl Lines {
    /// `POST /callback/ws/endpoint`: the address of the next line (§6.1).
    pub(crate) fn discover(
        &mut self,
        app: &App,
        request: &Request,
        knobs: &Knobs,
        (dice, now_ms): (&mut Dice, i64),
    ) -> Answer {
        let refuse = |code, message: &str| Refusal::new(200, code, message).into();
        let body = request.object().unwrap_or_default();
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        if text("AppID") != app.app_id || text("AppSecret") != app.app_secret {
            return refuse(AUTH_FAILED, "auth failed");
        }
        if !knobs.lines_counted_at_handshake && self.open.len() >= knobs.lines_max {
            return refuse(TOO_MANY, "the number of connections exceeded the limit");
        }
        self.addresses.retain(|_, until| *until > now_ms);
        let (device, key, ticket) = (dice.roll() >> 1, dice.hex(32), dice.hex(32));
        let host = request.header_value("Host").unwrap_or("127.0.0.1");
        let url = format!(
            "ws://{host}{SOCKET_PATH}?fpid=493&aid=552564&device_id={device}&access_key={key}&service_id={SERVICE_ID}\
             &ticket={ticket}"
        );
        self.addresses.insert(ticket, now_ms + ADDRESS_LIFE_MS);
        let config = config(&knobs.client_config);
        Answer::Whole(json!({ "code": 0, "msg": "", "data": { "URL": url, "ClientConfig": config } }))
    }

    /// The handshake: the new line's number. A refusal's status and code are those of the `Handshake-*` headers (§6.2).
    pub(crate) fn shake(&mut self, request: &Request, knobs: &Knobs, now_ms: i64) -> Result<u64, Refusal> {
        let ticket = request.query_value("ticket").unwrap_or_default();
        let holds = self.addresses.remove(ticket).is_some_and(|until| until > now_ms);
        if !asks_for_socket(request) {
            return Err(Refusal::new(400, 0, "not a websocket handshake"));
        }
        if !holds {
            return Err(Refusal::new(403, 0, "forbidden: the ticket is unknown or was used"));
        }
        if self.open.len() >= knobs.lines_max {
            return Err(Refusal::new(514, TOO_MANY, "the number of connections exceeded the limit"));
        }
        self.count += 1;
        self.open.insert(self.count, Line { frames: 0, heard_ms: now_ms, is_frozen: false });
        Ok(self.count)
    }

    /// The lines that the platform takes for open, the oldest first.
    pub(crate) fn open(&self) -> impl Iterator<Item = u64> {
        self.open.keys().copied()
    }

    /// A line has ended.
    pub(crate) fn end(&mut self, line: u64) {
        self.open.remove(&line);
    }

    /// From now on nothing passes over the open lines, and neither side is told.
    pub(crate) fn freeze(&mut self) {
        self.open.values_mut().for_each(|line| line.is_frozen = true);
    }

    /// Lines so long silent that the platform gives them up.
    pub(crate) fn give_up(&mut self, knobs: &Knobs, now_ms: i64) -> Vec<Push> {
        let Some(patience) = knobs.silent_line_ms else { return Vec::new() };
        let silent = self.open.iter().filter(|(_, line)| line.heard_ms + patience < now_ms);
        let lines: Vec<u64> = silent.map(|(line, _)| *line).collect();
        lines.iter().for_each(|line| self.end(*line));
        lines.into_iter().map(|line| Push { line, act: Act::Cut }).collect()
    }

    /// Pushes to one of the open lines, any of them (§6.8); nothing where there is none. `kind` is the frame's type.
    pub(crate) fn push(
        &mut self,
        (kind, body): (&str, &str),
        cargo: Cargo,
        fault: Option<LineFault>,
        (knobs, dice, now_ms): (&Knobs, &mut Dice, i64),
    ) -> Option<Vec<Push>> {
        let place = usize::try_from(dice.below(self.open.len() as u64)).unwrap_or_default();
        let (&number, line) = self.open.iter_mut().nth(place)?;
        let (message_id, trace_id) = (dice.hex(32), dice.hex(32));
        let parts: Vec<&[u8]> = body.as_bytes().chunks(knobs.part_bytes_max.max(1)).collect();
        let frame = |(place, part): (usize, &&[u8])| {
            line.frames += 1;
            let headers = [
                ("type", kind.to_string()),
                ("message_id", message_id.clone()),
                ("sum", parts.len().to_string()),
                ("seq", place.to_string()),
                ("trace_id", trace_id.clone()),
                ("timestamp", now_ms.to_string()),
                ("instance_id", number.to_string()),
            ];
            Frame {
                seq_id: line.frames,
                log_id: dice.roll(),
                service: SERVICE_ID,
                method: DATA,
                headers: headers.map(|(name, value)| (name.to_string(), value)).to_vec(),
                payload: part.to_vec(),
            }
        };
        let frames: Vec<Frame> = parts.iter().enumerate().map(frame).collect();
        let is_frozen = line.is_frozen;
        let parts = frames.iter().map(|frame| (frame.seq_id, frame.log_id)).collect();
        let is_ack_lost = fault == Some(LineFault::AckLost);
        self.flying.insert(message_id, Flying { line: number, cargo, parts, sent_ms: now_ms, is_ack_lost });
        if is_frozen {
            return Some(Vec::new());
        }
        let bytes = frames.iter().map(Frame::encode).collect();
        let acts = faulty(bytes, fault);
        if matches!(acts.last(), Some(Act::Cut | Act::Inside(_) | Act::Close)) {
            self.end(number);
        }
        Some(acts.into_iter().map(|act| Push { line: number, act }).collect())
    }

    /// Hears a frame from the app: what goes back, and how a push was acknowledged.
    pub(crate) fn hear(
        &mut self,
        number: u64,
        bytes: &[u8],
        knobs: &Knobs,
        now_ms: i64,
    ) -> (Option<Push>, Option<Ack>) {
        let Some(line) = self.open.get_mut(&number).filter(|line| !line.is_frozen) else { return (None, None) };
        line.heard_ms = now_ms;
        let Some(frame) = Frame::decode(bytes).filter(|frame| frame.service == SERVICE_ID) else {
            self.note("a message that is no frame of this service");
            return (None, None);
        };
        match (frame.method, frame.header("type")) {
            (CONTROL, Some("ping")) => (pong(&knobs.pong, &knobs.client_config, number), None),
            (DATA, Some(_)) => (None, self.acknowledged(number, &frame)),
            _ => {
                self.note(&format!("a frame that is neither ping nor acknowledgement: {frame:?}"));
                (None, None)
            }
        }
    }

    fn acknowledged(&mut self, number: u64, frame: &Frame) -> Option<Ack> {
        let message_id = frame.header("message_id").unwrap_or_default();
        // What nobody waits for any more was late, or is told twice.
        let flying = self.flying.get(message_id)?;
        if flying.is_ack_lost {
            return None;
        }
        let cargo = flying.cargo.clone();
        let is_own = flying.line == number && flying.parts.contains(&(frame.seq_id, frame.log_id));
        let read = is_own.then(|| read_ack(&frame.payload)).flatten();
        let (code, data) = match read {
            Some((code, data)) => (Some(code), data),
            None => {
                let payload = String::from_utf8_lossy(&frame.payload).into_owned();
                self.note(&format!("not an acknowledgement of {message_id}: {payload}"));
                (None, String::new())
            }
        };
        self.flying.remove(message_id);
        Some(Ack { cargo, code, data })
    }

    /// The pushes that were not acknowledged in time.
    pub(crate) fn late(&mut self, now_ms: i64) -> Vec<Cargo> {
        let is_late = |flying: &Flying| flying.sent_ms + ANSWER_MS < now_ms;
        let late = self.flying.values().filter(|flying| is_late(flying)).map(|flying| flying.cargo.clone()).collect();
        self.flying.retain(|_, flying| !is_late(flying));
        late
    }

    /// Whether an acknowledgement is waited for.
    pub(crate) fn has_flying(&self) -> bool {
        !self.flying.is_empty()
    }

    /// When a push is late or a line given up next, milliseconds.
    pub(crate) fn next_due_ms(&self, knobs: &Knobs) -> Option<i64> {
        let late = self.flying.values().map(|flying| flying.sent_ms + ANSWER_MS + 1);
        let silent = knobs
            .silent_line_ms
            .into_iter()
            .flat_map(|patience| self.open.values().map(move |line| line.heard_ms + patience + 1));
        late.chain(silent).min()
    }

    fn note(&mut self, what: &str) {
        if self.odd.len() < ODD_MAX {
            self.odd.push(what.to_string());
        }
    }
}

/// The parts of a push as they go out under a fault.
fn faulty(mut parts: Vec<Vec<u8>>, fault: Option<LineFault>) -> Vec<Act> {
    let end = match fault {
        None | Some(LineFault::AckLost) => None,
        Some(LineFault::Doubled) => {
            parts.extend(parts.clone());
            None
        }
        Some(LineFault::Shuffled) => {
            parts.reverse();
            None
        }
        Some(LineFault::PartLost) => {
            parts.pop();
            None
        }
        Some(LineFault::CutBefore) => {
            parts.clear();
            Some(Act::Cut)
        }
        Some(LineFault::CutInside) => parts.pop().map(Act::Inside),
        Some(LineFault::CutAfter) => Some(Act::Cut),
        Some(LineFault::Closed) => Some(Act::Close),
    };
    parts.into_iter().map(Act::Frame).chain(end).collect()
}

fn pong(pong: &Pong, own: &ClientConfig, line: u64) -> Option<Push> {
    let payload = match pong {
        Pong::Never => return None,
        Pong::Empty => Vec::new(),
        Pong::Config => config(own).to_string().into_bytes(),
        Pong::Says(text) => text.clone().into_bytes(),
    };
    let headers = vec![("type".to_string(), "pong".to_string())];
    let frame = Frame { seq_id: 0, log_id: 0, service: SERVICE_ID, method: CONTROL, headers, payload };
    Some(Push { line, act: Act::Frame(frame.encode()) })
}

/// All four keys: official clients take a missing one for 0 (§6.4).
fn config(config: &ClientConfig) -> Value {
    json!({
        "ReconnectCount": config.reconnect_count, "ReconnectInterval": config.reconnect_interval,
        "ReconnectNonce": config.reconnect_nonce, "PingInterval": config.ping_interval,
    })
}

/// Code and data of an acknowledgement's payload: data is base64 of JSON, or absent (§6.6).
fn read_ack(payload: &[u8]) -> Option<(u16, String)> {
    let body: Value = serde_json::from_slice(payload).ok()?;
    let code = body.get("code")?.as_u64().and_then(|code| u16::try_from(code).ok()).filter(|code| *code >= 200)?;
    let data = match body.get("data") {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => String::from_utf8(STANDARD.decode(text).ok()?).ok()?,
        Some(_) => return None,
    };
    if !data.is_empty() {
        serde_json::from_str::<Value>(&data).ok()?;
    }
    Some((code, data))
}

#[cfg(test)]
mod tests;
