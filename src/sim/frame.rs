//! A frame of the long connection, byte by byte (`facts/feishu.md §6.3`): proto2, in which what is required is written
//! even when it is 0, and a frame without it is no frame.

use crate::sim::wire::Request;

/// A control frame: ping or pong.
pub const CONTROL: i32 = 0;

/// A frame with an event, a click, or the answer to one.
pub const DATA: i32 = 1;

/// Numbers as they stand before what they announce: field and kind.
const SEQ_ID: u64 = 1 << 3;
const LOG_ID: u64 = 2 << 3;
const SERVICE: u64 = 3 << 3;
const METHOD: u64 = 4 << 3;
const HEADER: u64 = 5 << 3 | 2;
const PAYLOAD: u64 = 8 << 3 | 2;
const KEY: u64 = 1 << 3 | 2;
const VALUE: u64 = 2 << 3 | 2;

/// Bytes of a varint at most.
const VARINT_BYTES_MAX: usize = 10;

/// One frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Counts the frames of a connection.
    pub seq_id: u64,
    /// Any number; an acknowledgement repeats it.
    pub log_id: u64,
    /// The service's number, from the address.
    pub service: i32,
    /// [`CONTROL`] or [`DATA`].
    pub method: i32,
    /// Names and values, in order.
    pub headers: Vec<(String, String)>,
    /// What it carries.
    pub payload: Vec<u8>,
}

impl Frame {
    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The bytes of one WebSocket message. An empty payload is left out.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.payload.len());
        // A negative int32 is written as the 64-bit number it is.
        let numbers = [
            (SEQ_ID, self.seq_id),
            (LOG_ID, self.log_id),
            (SERVICE, i64::from(self.service) as u64),
            (METHOD, i64::from(self.method) as u64),
        ];
        for (tag, number) in numbers {
            put_varint(&mut out, tag);
            put_varint(&mut out, number);
        }
        for (name, value) in &self.headers {
            let mut header = Vec::new();
            put_bytes(&mut header, KEY, name.as_bytes());
            put_bytes(&mut header, VALUE, value.as_bytes());
            put_bytes(&mut out, HEADER, &header);
        }
        if !self.payload.is_empty() {
            put_bytes(&mut out, PAYLOAD, &self.payload);
        }
        out
    }

    /// Reads the bytes of one WebSocket message; nothing where they are no frame, or lack what is required.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (mut rest, mut frame) = (bytes, Self::default());
        let (mut seq_id, mut log_id, mut service, mut method) = (None, None, None, None);
        while !rest.is_empty() {
            match take_field(&mut rest)? {
                (SEQ_ID, Value::Number(number)) => seq_id = Some(number),
                (LOG_ID, Value::Number(number)) => log_id = Some(number),
                (SERVICE, Value::Number(number)) => service = Some(number as i32),
                (METHOD, Value::Number(number)) => method = Some(number as i32),
                (HEADER, Value::Bytes(header)) => frame.headers.push(read_header(header)?),
                (PAYLOAD, Value::Bytes(payload)) => frame.payload = payload.to_vec(),
                _ => {} // payload_encoding, payload_type, LogIDNew, and what may come yet
            }
        }
        Some(Self { seq_id: seq_id?, log_id: log_id?, service: service?, method: method?, ..frame })
    }
}

/// Whether a request asks for a WebSocket.
pub(crate) fn asks_for_socket(request: &Request) -> bool {
    let is = |name, wanted: &str| request.header_value(name).is_some_and(|value| value.eq_ignore_ascii_case(wanted));
    is("Upgrade", "websocket")
        && is("Sec-WebSocket-Version", "13")
        && request.header_value("Sec-WebSocket-Key").is_some_and(|key| !key.is_empty())
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Skipped,
}

fn take_field<'a>(rest: &mut &'a [u8]) -> Option<(u64, Value<'a>)> {
    let tag = take_varint(rest)?;
    let value = match tag & 7 {
        0 => Value::Number(take_varint(rest)?),
        1 => take(rest, 8).map(|_| Value::Skipped)?,
        2 => {
            let length = usize::try_from(take_varint(rest)?).ok()?;
            Value::Bytes(take(rest, length)?)
        }
        5 => take(rest, 4).map(|_| Value::Skipped)?,
        _ => return None,
    };
    (tag >> 3 != 0).then_some((tag, value))
}

fn read_header(bytes: &[u8]) -> Option<(String, String)> {
    let (mut rest, mut name, mut value) = (bytes, None, None);
    while !rest.is_empty() {
        match take_field(&mut rest)? {
            (KEY, Value::Bytes(text)) => name = Some(String::from_utf8(text.to_vec()).ok()?),
            (VALUE, Value::Bytes(text)) => value = Some(String::from_utf8(text.to_vec()).ok()?),
            _ => {}
        }
    }
    Some((name?, value?))
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

fn take_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for place in 0..VARINT_BYTES_MAX {
        let byte = *take(rest, 1)?.first()?;
        number |= u64::from(byte & 0x7f).checked_shl(7 * place as u32)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_bytes(out: &mut Vec<u8>, tag: u64, bytes: &[u8]) {
    put_varint(out, tag);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE_ID: i32 = 33_554_678;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn frame(seq_id: u64, log_id: u64, method: i32, headers: &[(&str, &str)], payload: &str) -> Frame {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Frame { seq_id, log_id, service: SERVICE_ID, method, headers, payload: payload.as_bytes().to_vec() }
    }

    #[test]
    fn the_published_bytes_are_written_and_read() {
        let config = r#"{"ReconnectCount":-1,"ReconnectInterval":120,"ReconnectNonce":30,"PingInterval":120}"#;
        let ack = [("type", "event"), ("message_id", "m1"), ("sum", "1"), ("seq", "0"), ("trace_id", "t1")];
        let ack: Vec<_> = ack.into_iter().chain([("biz_rt", "3")]).collect();
        let table = [
            (frame(0, 0, CONTROL, &[("type", "ping")], ""), "0800100018f681801020002a0c0a0474797065120470696e67"),
            (
                frame(0, 0, CONTROL, &[("type", "pong")], config),
                "0800100018f681801020002a0c0a04747970651204706f6e6742547b225265636f6e6e656374436f756e74223a2d312c2252\
                 65636f6e6e656374496e74657276616c223a3132302c225265636f6e6e6563744e6f6e6365223a33302c2250696e67496e74\
                 657276616c223a3132307d",
            ),
            (
                frame(7, 9, DATA, &ack, r#"{"code":200}"#),
                "0807100918f681801020012a0d0a047479706512056576656e742a100a0a6d6573736167655f696412026d312a080a037375\
                 6d1201312a080a037365711201302a0e0a0874726163655f6964120274312a0b0a0662697a5f7274120133420c7b22636f64\
                 65223a3230307d",
            ),
        ];
        for (frame, bytes) in table {
            assert_eq!(hex(&frame.encode()), bytes);
            assert_eq!(Frame::decode(&frame.encode()), Some(frame));
        }
    }

    #[test]
    fn what_clients_write_besides_is_read_too() {
        let ping = frame(0, 0, CONTROL, &[("type", "ping")], "");
        let mut bytes = ping.encode();
        bytes.extend([0x32, 0x00, 0x3a, 0x00, 0x4a, 0x00]); // as the official Go client does
        assert_eq!(Frame::decode(&bytes), Some(ping));
        let big = Frame { log_id: u64::MAX, service: -1, ..Frame::default() };
        assert_eq!(Frame::decode(&big.encode()), Some(big));
    }

    #[test]
    fn what_is_no_frame_is_none() {
        let whole = frame(7, 9, DATA, &[("type", "event")], "{}").encode();
        for length in 0..whole.len() {
            let is_whole = Frame::decode(&whole[..length]).is_some_and(|frame| frame.encode() == whole);
            assert!(!is_whole, "{length}");
        }
        let bad: [&[u8]; 6] = [
            b"",
            b"{}",
            &[0x08, 0, 0x10, 0, 0x18, 0],                      // no method
            &[0xff; 11],                                       // a number without end
            &[0x08, 0, 0x10, 0, 0x18, 0, 0x20, 0, 0x2a, 0x7f], // a header longer than what is left
            &[0x08, 0, 0x10, 0, 0x18, 0, 0x20, 0, 0x2a, 0x00], // a header without a name
        ];
        for bytes in bad {
            assert_eq!(Frame::decode(bytes), None, "{bytes:?}");
        }
    }
}
