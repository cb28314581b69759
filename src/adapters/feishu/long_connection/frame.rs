//! Frames on the wire: protobuf, proto2, one in each binary message of the WebSocket (`facts/feishu.md §6.3`).

use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use prost::Message as _;
use serde_json::{Value, json};

use crate::domain::time::Span;

/// Bytes of a frame that is read. The platform names no limit; an event has at most a few hundred KB.
pub const FRAME_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Headers a frame may have; the platform sends seven.
pub const HEADERS_MAX: usize = 64;

/// What carries pings and pongs.
const CONTROL: i32 = 0;

/// What carries events.
const DATA: i32 = 1;

/// A frame. What must be there is written even when it is zero: the platform refuses acknowledgements without.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Frame {
    /// Its number.
    #[prost(uint64, required, tag = "1")]
    pub seq_id: u64,
    /// What the platform finds it by.
    #[prost(uint64, required, tag = "2")]
    pub log_id: u64,
    /// The service of the connection.
    #[prost(int32, required, tag = "3")]
    pub service: i32,
    /// 0 control, 1 data.
    #[prost(int32, required, tag = "4")]
    pub method: i32,
    /// What it is about.
    #[prost(message, repeated, tag = "5")]
    pub headers: Vec<Header>,
    /// How the payload is packed; never seen.
    #[prost(string, optional, tag = "6")]
    pub payload_encoding: Option<String>,
    /// What the payload is; never seen.
    #[prost(string, optional, tag = "7")]
    pub payload_type: Option<String>,
    /// What it carries.
    #[prost(bytes = "bytes", optional, tag = "8")]
    pub payload: Option<Bytes>,
    /// What the platform finds it by, in its newer form.
    #[prost(string, optional, tag = "9")]
    pub log_id_new: Option<String>,
}

/// One header.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Header {
    /// Its name.
    #[prost(string, required, tag = "1")]
    pub key: String,
    /// Its value; numbers are decimal text.
    #[prost(string, required, tag = "2")]
    pub value: String,
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An answer to a ping.
    Pong,
    /// An event, or a click of today's form.
    Event,
    /// A click of the old form, which official clients drop (`facts/feishu.md §6.7`).
    Card,
    /// Anything else.
    Other,
}

/// What an event is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ack {
    /// It is taken.
    Taken,
    /// It is taken, and this is what whoever clicked sees.
    Answered(Value),
    /// It could not be made durable: the platform sends it again.
    Failed,
}

impl Frame {
    /// Reads a frame.
    ///
    /// # Errors
    /// When the bytes are none, or more than a frame of the platform ever has.
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        if bytes.len() > FRAME_BYTES_MAX {
            return Err(Unreadable("it is too long"));
        }
        let frame = Self::decode(bytes).map_err(|_| Unreadable("it is no protobuf of the known shape"))?;
        if frame.headers.len() > HEADERS_MAX {
            return Err(Unreadable("it has too many headers"));
        }
        Ok(frame)
    }

    /// A ping on the connection of `service`.
    pub fn ping(service: i32) -> Self {
        Self { service, method: CONTROL, headers: vec![header("type", "ping")], ..Self::default() }
    }

    /// The frame as it is sent.
    pub fn bytes(&self) -> Bytes {
        self.encode_to_vec().into()
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        match (self.method, self.header("type").unwrap_or_default()) {
            (CONTROL, "pong") => Kind::Pong,
            (DATA, "event") => Kind::Event,
            (DATA, "card") => Kind::Card,
            _ => Kind::Other,
        }
    }

    /// The value of a header.
    pub fn header(&self, key: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.key == key).map(|header| header.value.as_str())
    }

    /// What it carries.
    pub fn carried(&self) -> Bytes {
        self.payload.clone().unwrap_or_default()
    }

    /// Whether anybody waits for an answer to it.
    pub fn wants_ack(&self) -> bool {
        self.method == DATA
    }

    /// The same frame back, as the platform wants it: every header kept, the time it took added, the payload replaced.
    pub fn acked(mut self, ack: &Ack, took: Span) -> Self {
        self.headers.push(header("biz_rt", &took.as_ms().max(0).to_string()));
        self.payload = Some(ack.payload().into());
        self
    }
}

impl Ack {
    /// The JSON that says it. What whoever clicked sees goes as base64 in a text (`facts/feishu.md §6.6`).
    fn payload(&self) -> String {
        match self {
            Self::Taken => json!({ "code": 200 }).to_string(),
            Self::Failed => json!({ "code": 500 }).to_string(),
            Self::Answered(answer) => {
                let data = BASE64_STANDARD.encode(answer.to_string());
                format!(r#"{{"code":200,"headers":{{}},"data":"{data}"}}"#)
            }
        }
    }
}

fn header(key: &str, value: &str) -> Header {
    Header { key: key.to_owned(), value: value.to_owned() }
}

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable(&'static str);

impl Unreadable {
    /// Why.
    pub const fn words(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Unreadable {}

#[cfg(test)]
mod tests {
    use super::*;

    /// The service of every vector of `facts/feishu.md §6.3`.
    const SERVICE: i32 = 33_554_678;

    const PING: &str = "0800100018f681801020002a0c0a0474797065120470696e67";

    const PONG: &str = "0800100018f681801020002a0c0a04747970651204706f6e6742547b225265636f6e6e656374436f756e74223a2d312c\
                        225265636f6e6e656374496e74657276616c223a3132302c225265636f6e6e6563744e6f6e6365223a33302c22506\
                        96e67496e74657276616c223a3132307d";

    const ACK: &str = "0807100918f681801020012a0d0a047479706512056576656e742a100a0a6d6573736167655f696412026d312a080a03\
                       73756d1201312a080a037365711201302a0e0a0874726163655f6964120274312a0b0a0662697a5f7274120133420c7b22\
                       636f6465223a3230307d";

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn unhex(text: &str) -> Vec<u8> {
        let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
        digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap()).collect()
    }

    fn event() -> Frame {
        let headers = [("type", "event"), ("message_id", "m1"), ("sum", "1"), ("seq", "0"), ("trace_id", "t1")];
        Frame {
            seq_id: 7,
            log_id: 9,
            service: SERVICE,
            method: DATA,
            headers: headers.map(|(key, value)| header(key, value)).to_vec(),
            payload: Some(Bytes::from_static(b"{}")),
            ..Frame::default()
        }
    }

    #[test]
    fn a_ping_is_written_with_its_zeros() {
        assert_eq!(hex(&Frame::ping(SERVICE).bytes()), PING);
        assert_eq!(Frame::read(&unhex(PING)).unwrap(), Frame::ping(SERVICE));
        let go = Frame::read(&unhex(&format!("{PING}32003a004a00"))).unwrap();
        assert_eq!((go.kind(), go.header("type"), go.log_id_new.as_deref()), (Kind::Other, Some("ping"), Some("")));
    }

    #[test]
    fn a_pong_carries_the_settings() {
        let pong = Frame::read(&unhex(PONG)).unwrap();
        assert_eq!((pong.kind(), pong.service, pong.wants_ack()), (Kind::Pong, SERVICE, false));
        let expected = r#"{"ReconnectCount":-1,"ReconnectInterval":120,"ReconnectNonce":30,"PingInterval":120}"#;
        assert_eq!(pong.carried(), expected);
        assert_eq!(hex(&pong.bytes()), PONG.replace(char::is_whitespace, ""));
    }

    #[test]
    fn an_acknowledgement_is_the_frame_itself_with_the_time_it_took() {
        let ack = event().acked(&Ack::Taken, Span::from_ms(3));
        assert_eq!(hex(&ack.bytes()), ACK.replace(char::is_whitespace, ""));
    }

    #[test]
    fn what_is_not_understood_comes_back_as_it_was() {
        let mut frame = event();
        frame.log_id = u64::MAX;
        frame.log_id_new = Some("n".to_owned());
        frame.headers.push(header("instance_id", "opaque"));
        let ack = Frame::read(&frame.clone().acked(&Ack::Failed, Span::from_ms(-1)).bytes()).unwrap();
        assert_eq!((ack.seq_id, ack.log_id, ack.log_id_new.as_deref()), (7, u64::MAX, Some("n")));
        assert_eq!(ack.headers.get(..frame.headers.len()), Some(&frame.headers[..]));
        assert_eq!((ack.header("biz_rt"), &*ack.carried()), (Some("0"), &b"{\"code\":500}"[..]));
    }

    #[test]
    fn an_answer_goes_as_base64_in_a_text() {
        let cases = [
            (
                Ack::Answered(json!({ "toast": { "type": "info", "content": "ok" } })),
                r#"{"code":200,"headers":{},"data":"eyJ0b2FzdCI6eyJjb250ZW50Ijoib2siLCJ0eXBlIjoiaW5mbyJ9fQ=="}"#,
            ),
            (Ack::Answered(json!({})), r#"{"code":200,"headers":{},"data":"e30="}"#),
            (Ack::Taken, r#"{"code":200}"#),
            (Ack::Failed, r#"{"code":500}"#),
        ];
        for (ack, expected) in cases {
            assert_eq!(ack.payload(), expected);
        }
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        let mut crowded = event();
        crowded.headers = vec![header("k", "v"); HEADERS_MAX + 1];
        let cases: Vec<(Vec<u8>, &str)> = vec![
            (unhex(PING.get(..PING.len() - 2).unwrap()), "protobuf"),
            (b"{\"type\":\"ping\"}".to_vec(), "protobuf"),
            (unhex("42ffffffff0f"), "protobuf"),
            (crowded.bytes().to_vec(), "headers"),
            (vec![0; FRAME_BYTES_MAX + 1], "long"),
        ];
        for (bytes, part) in cases {
            let unreadable = Frame::read(&bytes).map_err(|error| error.to_string());
            assert!(unreadable.as_ref().is_err_and(|error| error.contains(part)), "{} {unreadable:?}", bytes.len());
        }
    }

    #[test]
    fn a_kind_is_method_and_type_together() {
        let kind =
            |method, kind: &str| Frame { method, headers: vec![header("type", kind)], ..Frame::default() }.kind();
        assert_eq!(kind(1, "card"), Kind::Card);
        assert_eq!(kind(0, "event"), Kind::Other);
        assert_eq!(kind(1, "pong"), Kind::Other);
        assert_eq!(kind(2, "event"), Kind::Other);
    }
}
