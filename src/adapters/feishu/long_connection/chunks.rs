//! Events that arrive in several frames, put together (`facts/feishu.md §6.5`). Bounded in number, bytes and time: what
//! does not fit is dropped, and the platform sends it again.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};

use crate::{
    adapters::feishu::long_connection::frame::Frame,
    domain::time::{Span, Timestamp},
};

/// Frames one event may come in.
pub const PARTS_MAX: usize = 128;

/// Bytes of an event. A message's text is at most 150 KB on the platform.
pub const EVENT_BYTES_MAX: usize = 1024 * 1024;

/// Events under way at once; of more the oldest is dropped.
pub const SETS_MAX: usize = 64;

/// Bytes of all parts that wait; beyond it the oldest event is dropped.
pub const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How long an event's parts are waited for; official clients wait 5 s or 10 s.
pub const WAIT_MAX: Span = Span::from_secs(10);

/// Events of which some parts are there.
#[derive(Debug, Default)]
pub struct Chunks {
    sets: BTreeMap<String, Parts>,
    /// Bytes of all parts.
    bytes: usize,
    /// Events whose parts never came together.
    pub dropped: u64,
}

#[derive(Debug)]
struct Parts {
    began: Timestamp,
    /// One slot a part; an empty part fills its slot too.
    slots: Vec<Option<Bytes>>,
    bytes: usize,
}

/// What a part brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The event is whole.
    Whole(Bytes),
    /// Others are to come.
    More,
    /// Its numbers make no sense, or the event is too large.
    Bad(&'static str),
}

impl Chunks {
    /// Takes a frame's part.
    pub fn take(&mut self, frame: &Frame, now: Timestamp) -> Part {
        self.forget(now);
        let number = |key, absent: &str| frame.header(key).filter(|text| !text.is_empty()).unwrap_or(absent).parse();
        let (Ok(sum), Ok(seq)) = (number("sum", "1"), number("seq", "0")) else {
            return Part::Bad("its part numbers are no numbers");
        };
        let payload = frame.carried();
        match (sum, seq) {
            (1, 0) if payload.len() > EVENT_BYTES_MAX => Part::Bad("it is too large"),
            (1, 0) => Part::Whole(payload),
            (2..=PARTS_MAX, seq) if seq < sum => match frame.header("message_id").filter(|id| !id.is_empty()) {
                Some(id) => self.add(id, (sum, seq), payload, now),
                None => Part::Bad("it comes in parts and has no id"),
            },
            _ => Part::Bad("its part numbers make no sense"),
        }
    }

    fn add(&mut self, id: &str, (sum, seq): (usize, usize), payload: Bytes, now: Timestamp) -> Part {
        if self.sets.get(id).is_some_and(|parts| parts.slots.len() != sum) {
            self.drop_set(id); // sent anew, cut in another way
        }
        let new = || Parts { began: now, slots: vec![None; sum], bytes: 0 };
        let parts = self.sets.entry(id.to_owned()).or_insert_with(new);
        if let Some(slot @ None) = parts.slots.get_mut(seq) {
            parts.bytes += payload.len();
            self.bytes += payload.len();
            *slot = Some(payload);
        }
        if parts.bytes > EVENT_BYTES_MAX {
            self.drop_set(id);
            return Part::Bad("it is too large");
        }
        if parts.slots.iter().all(Option::is_some) {
            return self.join(id);
        }
        while self.sets.len() > SETS_MAX || self.bytes > WAITING_BYTES_MAX {
            let Some(oldest) = self.oldest() else { break };
            self.drop_set(&oldest);
        }
        Part::More
    }

    fn join(&mut self, id: &str) -> Part {
        let Some(parts) = self.sets.remove(id) else { return Part::More };
        self.bytes -= parts.bytes;
        let mut whole = BytesMut::with_capacity(parts.bytes);
        parts.slots.iter().flatten().for_each(|part| whole.extend_from_slice(part));
        Part::Whole(whole.freeze())
    }

    /// Drops what was waited for too long.
    fn forget(&mut self, now: Timestamp) {
        let late = |parts: &Parts| now.since(parts.began) > WAIT_MAX;
        let old: Vec<String> = self.sets.iter().filter(|(_, parts)| late(parts)).map(|(id, _)| id.clone()).collect();
        old.iter().for_each(|id| self.drop_set(id));
    }

    fn oldest(&self) -> Option<String> {
        self.sets.iter().min_by_key(|(_, parts)| parts.began).map(|(id, _)| id.clone())
    }

    fn drop_set(&mut self, id: &str) {
        if let Some(parts) = self.sets.remove(id) {
            self.bytes -= parts.bytes;
            self.dropped += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::feishu::long_connection::frame::Header;

    const NOW: Timestamp = Timestamp::from_ms(1_700_000_000_000);

    fn part(id: &str, sum: &str, seq: &str, payload: &[u8]) -> Frame {
        let headers = [("type", "event"), ("message_id", id), ("sum", sum), ("seq", seq)]
            .into_iter()
            .filter(|(_, value)| *value != "-")
            .map(|(key, value)| Header { key: key.to_owned(), value: value.to_owned() });
        Frame {
            method: 1,
            headers: headers.collect(),
            payload: Some(Bytes::copy_from_slice(payload)),
            ..Frame::default()
        }
    }

    fn whole(text: &str) -> Part {
        Part::Whole(Bytes::copy_from_slice(text.as_bytes()))
    }

    #[test]
    fn parts_come_together_in_any_order() {
        let orders: [&[usize]; 5] = [&[0, 1, 2], &[2, 1, 0], &[1, 0, 2], &[1, 1, 0, 0, 2], &[2, 0, 1]];
        for order in orders {
            let mut chunks = Chunks::default();
            let texts = ["{\"a\":", "", "1}"]; // an empty part is one too
            let taken: Vec<Part> = order
                .iter()
                .map(|seq| chunks.take(&part("m", "3", &seq.to_string(), texts[*seq].as_bytes()), NOW))
                .collect();
            let (last, first) = taken.split_last().unwrap();
            assert_eq!(*last, whole("{\"a\":1}"), "{order:?}");
            assert!(first.iter().all(|part| *part == Part::More), "{order:?}");
            assert_eq!((chunks.sets.len(), chunks.bytes, chunks.dropped), (0, 0, 0));
        }
    }

    #[test]
    fn what_comes_in_one_frame_waits_for_nothing() {
        let mut chunks = Chunks::default();
        for (sum, seq) in [("1", "0"), ("-", "-"), ("", ""), ("1", "-")] {
            assert_eq!(chunks.take(&part("m", sum, seq, b"x"), NOW), whole("x"), "{sum} {seq}");
        }
        assert_eq!(chunks.take(&part("-", "1", "0", b"x"), NOW), whole("x"));
    }

    #[test]
    fn numbers_that_make_no_sense_are_refused() {
        let many = (PARTS_MAX + 1).to_string();
        let cases = [
            ("m", "0", "0"),
            ("m", "2", "2"),
            ("m", "1", "1"),
            ("m", "-2", "0"),
            ("m", "two", "0"),
            ("m", "2", "-1"),
            ("m", many.as_str(), "0"),
            ("m", "99999999999999999999", "0"),
            ("", "2", "0"),
            ("-", "2", "0"),
        ];
        let mut chunks = Chunks::default();
        for (id, sum, seq) in cases {
            assert!(matches!(chunks.take(&part(id, sum, seq, b"x"), NOW), Part::Bad(_)), "{id} {sum} {seq}");
        }
        assert!(chunks.sets.is_empty());
    }

    #[test]
    fn memory_is_bounded_in_number_and_bytes() {
        let mut chunks = Chunks::default();
        for number in 0..SETS_MAX + 10 {
            let at = NOW.plus(Span::from_ms(i64::try_from(number).unwrap()));
            assert_eq!(chunks.take(&part(&number.to_string(), "2", "0", b"x"), at), Part::More);
        }
        assert_eq!((chunks.sets.len(), chunks.dropped), (SETS_MAX, 10));
        let last = part(&(SETS_MAX + 9).to_string(), "2", "1", b"y");
        assert_eq!(chunks.take(&last, NOW.plus(Span::from_secs(1))), whole("xy"), "the newest are kept");

        let mut chunks = Chunks::default();
        let large = vec![b'x'; EVENT_BYTES_MAX];
        assert!(matches!(chunks.take(&part("one", "1", "0", &[&large[..], b"x"].concat()), NOW), Part::Bad(_)));
        for number in 0..6 {
            chunks.take(&part(&number.to_string(), "2", "0", &large), NOW.plus(Span::from_ms(number)));
        }
        assert!(chunks.bytes <= WAITING_BYTES_MAX && chunks.sets.len() == 4, "{}", chunks.bytes);
        assert!(matches!(chunks.take(&part("5", "2", "1", b"x"), NOW), Part::Bad(_)), "together it is too large");
        assert_eq!(chunks.sets.len(), 3);
    }

    #[test]
    fn what_never_becomes_whole_is_forgotten() {
        let mut chunks = Chunks::default();
        assert_eq!(chunks.take(&part("m", "2", "0", b"old"), NOW), Part::More);
        let late = NOW.plus(WAIT_MAX).plus(Span::from_ms(1));
        assert_eq!(chunks.take(&part("m", "2", "1", b"late"), late), Part::More);
        assert_eq!(chunks.take(&part("m", "2", "0", b"new "), late), whole("new late"));
        assert_eq!(chunks.dropped, 1);
        assert_eq!(chunks.take(&part("n", "3", "0", b"x"), NOW), Part::More);
        assert_eq!(chunks.take(&part("n", "2", "0", b"a"), NOW), Part::More, "cut in another way");
        assert_eq!(chunks.take(&part("n", "2", "1", b"b"), NOW), whole("ab"));
    }
}
