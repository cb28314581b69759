//! A page of tickets, split and hashed without decoding any: an unchanged ticket costs no more than this.

use std::{borrow::Cow, sync::LazyLock};

use bytes::Bytes;
use memchr::{memchr2, memmem};
use serde::Deserialize;
use serde_json::value::RawValue;
use xxhash_rust::xxh3::xxh3_64;

use crate::{adapters::feishu::lenient::Field, domain::id::TicketId};

/// Characters a ticket id may have.
pub const TICKET_ID_CHARS_MAX: usize = 64;

/// Bytes one ticket may have.
pub const TICKET_BYTES_MAX: usize = 1024 * 1024;

static ID_KEY: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(b"\"ticket_id\""));

/// One answer of the list.
#[derive(Clone, Debug)]
pub struct RawPage {
    /// How many tickets match in all; the platform counts to 10,000.
    pub total: u64,
    /// The tickets of this page.
    pub tickets: Vec<RawTicket>,
    /// What is in the page and is no ticket.
    pub broken: Vec<BrokenTicket>,
}

/// A ticket as it arrived.
#[derive(Clone, Debug)]
pub struct RawTicket {
    /// Its id.
    pub id: TicketId,
    /// Hash of its bytes (XXH3, 64 bits).
    pub hash: u64,
    /// Its bytes: a slice of the answer they came in, which lives as long as any slice of it.
    pub body: Bytes,
}

/// A ticket nobody can read. The others of its page are not affected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenTicket {
    /// Its id, where even that can be read.
    pub id: Option<TicketId>,
    /// What is wrong with it.
    pub reason: String,
}

#[derive(Deserialize)]
struct ListAnswer<'a> {
    code: i64,
    #[serde(borrow)]
    data: Option<ListData<'a>>,
}

#[derive(Deserialize)]
struct ListData<'a> {
    #[serde(default)]
    total: Field<i64>,
    #[serde(borrow)]
    tickets: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct GetAnswer<'a> {
    code: i64,
    #[serde(borrow)]
    data: Option<GetData<'a>>,
}

#[derive(Deserialize)]
struct GetData<'a> {
    #[serde(borrow)]
    ticket: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct IdOnly<'a> {
    #[serde(borrow, default)]
    ticket_id: Field<Cow<'a, str>>,
}

/// Splits an answer of the list; nothing if it is not one that succeeded.
pub(super) fn split(body: &Bytes) -> Option<RawPage> {
    split_text(body).or_else(|| split_text(&repaired(body)?))
}

fn split_text(body: &Bytes) -> Option<RawPage> {
    let answer: ListAnswer<'_> = serde_json::from_str(simdutf8::basic::from_utf8(body).ok()?).ok()?;
    if answer.code != 0 {
        return None;
    }
    let data = answer.data?;
    let raws = data.tickets.unwrap_or_default();
    let mut tickets = Vec::with_capacity(raws.len());
    let mut broken = Vec::new();
    for raw in &raws {
        match raw_ticket(body, raw) {
            Ok(ticket) => tickets.push(ticket),
            Err(reason) => broken.push(reason),
        }
    }
    let counted = u64::try_from(raws.len()).unwrap_or(u64::MAX);
    let total = data.total.value().and_then(|total| u64::try_from(total).ok()).unwrap_or(counted);
    Some(RawPage { total, tickets, broken })
}

/// What a single read holds.
pub(super) enum Single {
    /// The ticket.
    Ticket(RawTicket),
    /// Something that is no ticket.
    Broken(BrokenTicket),
    /// No ticket at all.
    Absent,
}

/// Takes the ticket out of an answer to a single read; nothing if it is not one that succeeded.
pub(super) fn single(body: &Bytes) -> Option<Single> {
    single_text(body).or_else(|| single_text(&repaired(body)?))
}

fn single_text(body: &Bytes) -> Option<Single> {
    let answer: GetAnswer<'_> = serde_json::from_slice(body).ok()?;
    if answer.code != 0 {
        return None;
    }
    Some(match answer.data?.ticket {
        None => Single::Absent,
        Some(raw) => raw_ticket(body, raw).map_or_else(Single::Broken, Single::Ticket),
    })
}

/// The same answer with every byte that is not UTF-8 replaced, so that one ticket's bytes spoil no other's; nothing if
/// all of it is UTF-8 and the trouble lies elsewhere.
pub(super) fn repaired(body: &Bytes) -> Option<Bytes> {
    match String::from_utf8_lossy(body) {
        Cow::Borrowed(_) => None,
        Cow::Owned(text) => Some(text.into()),
    }
}

fn raw_ticket(body: &Bytes, raw: &RawValue) -> Result<RawTicket, BrokenTicket> {
    let text = raw.get();
    let broken = |id, reason: &str| BrokenTicket { id, reason: reason.to_owned() };
    if !text.starts_with('{') {
        return Err(broken(None, "not an object"));
    }
    let id = id_at_front(text).or_else(|| id_anywhere(text)).ok_or_else(|| broken(None, "no ticket_id"))?;
    if text.len() > TICKET_BYTES_MAX {
        return Err(broken(Some(id), "larger than 1 MiB"));
    }
    Ok(RawTicket { id, hash: xxh3_64(text.as_bytes()), body: body.slice_ref(text.as_bytes()) })
}

/// The id where the platform writes it: before any nested value. Nothing if it stands elsewhere or is written oddly.
fn id_at_front(text: &str) -> Option<TicketId> {
    let bytes = text.as_bytes();
    let at = ID_KEY.find(bytes)?;
    if memchr2(b'{', b'[', bytes.get(1..at)?).is_some() {
        return None; // perhaps the key of something nested
    }
    let rest = bytes.get(at + ID_KEY.needle().len()..)?.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    let rest = rest.strip_prefix(b"\"")?;
    let end = rest.iter().take(TICKET_ID_CHARS_MAX + 1).position(|byte| *byte == b'"')?;
    ticket_id(std::str::from_utf8(rest.get(..end)?).ok()?)
}

fn id_anywhere(text: &str) -> Option<TicketId> {
    let found: IdOnly<'_> = serde_json::from_str(text).ok()?;
    ticket_id(&found.ticket_id.value()?)
}

/// An id that can stand in a path and in a key: digits in practice, letters, `-` and `_` at most.
fn ticket_id(text: &str) -> Option<TicketId> {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (!text.is_empty() && text.len() <= TICKET_ID_CHARS_MAX && text.chars().all(good)).then(|| TicketId::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(tickets: &str) -> Option<RawPage> {
        split(&Bytes::from(format!(r#"{{"code":0,"msg":"","data":{{"total":9,"tickets":{tickets}}}}}"#)))
    }

    fn ids(page: &RawPage) -> Vec<&str> {
        page.tickets.iter().map(|ticket| ticket.id.as_str()).collect()
    }

    #[test]
    fn a_page_is_split_without_copying_and_what_is_no_ticket_is_named() {
        let body = Bytes::from(
            r#"{"code":0,"data":{"total":"4","tickets":[ {"ticket_id":"1","x":[1, 2]} ,null,{"a":1},"t",
            {"n":{"ticket_id":"7"},"ticket_id" : "2"},{"v":"\"ticket_id\":\"8\"","ticket_id":3},
            {"w":"ticket_id","ticket\u005fid":"4"},{"ticket_id":"../5"},{"ticket_id":["6"]}]}}"#,
        );
        let read = split(&body).unwrap();
        assert_eq!(read.total, 4);
        assert_eq!(ids(&read), ["1", "2", "3", "4"]);
        assert_eq!(&*read.tickets[0].body, br#"{"ticket_id":"1","x":[1, 2]}"#);
        assert_eq!(read.tickets[0].hash, xxh3_64(&read.tickets[0].body));
        let outer = body.as_ptr_range();
        assert!(read.tickets.iter().all(|ticket| outer.contains(&ticket.body.as_ptr())));
        let reasons: Vec<&str> = read.broken.iter().map(|broken| broken.reason.as_str()).collect();
        assert_eq!(reasons, ["not an object", "no ticket_id", "not an object", "no ticket_id", "no ticket_id"]);
    }

    #[test]
    fn the_hash_follows_the_bytes() {
        let read = page(r#"[{"ticket_id":"1"},{"ticket_id":"1"},{"ticket_id":"1" }]"#).unwrap();
        assert_eq!(read.tickets[0].hash, read.tickets[1].hash);
        assert_ne!(read.tickets[0].hash, read.tickets[2].hash);
    }

    #[test]
    fn no_tickets_is_an_empty_page_and_another_shape_is_none() {
        for empty in ["[]", "null"] {
            assert!(page(empty).unwrap().tickets.is_empty());
        }
        assert_eq!(split(&Bytes::from(r#"{"code":0,"data":{"tickets":[{"ticket_id":"1"}]}}"#)).unwrap().total, 1);
        for other in ["{}", "7", "[{]", "[1,"] {
            assert!(page(other).is_none(), "{other}");
        }
        assert!(split(&Bytes::from(r#"{"code":154000,"data":{"tickets":[]}}"#)).is_none());
    }

    #[test]
    fn bytes_that_are_no_text_spoil_one_ticket_only() {
        let body = b"{\"code\":0,\"data\":{\"tickets\":[{\"ticket_id\":\"1\",\"x\":\"\xff\"},{\"ticket_id\":\"2\"}]}}";
        let read = split(&Bytes::from_static(body)).unwrap();
        assert_eq!(ids(&read), ["1", "2"]);
    }

    #[test]
    fn an_overlarge_ticket_is_named_and_set_aside() {
        let large = format!(r#"[{{"ticket_id":"1","x":"{}"}},{{"ticket_id":"2"}}]"#, "x".repeat(TICKET_BYTES_MAX));
        let read = page(&large).unwrap();
        assert_eq!(ids(&read), ["2"]);
        assert_eq!(read.broken, [BrokenTicket { id: Some("1".into()), reason: "larger than 1 MiB".to_owned() }]);
    }

    #[test]
    fn a_single_read_holds_a_ticket_or_none() {
        let read = |data: &str| single(&Bytes::from(format!(r#"{{"code":0,"data":{data}}}"#)));
        let is_ticket = |single| matches!(single, Some(Single::Ticket(RawTicket { id, .. })) if id.as_str() == "1");
        assert!(is_ticket(read(r#"{"ticket":{"ticket_id":"1"}}"#)));
        assert!(matches!(read(r#"{"ticket":{}}"#), Some(Single::Broken(_))));
        assert!(matches!(read(r#"{"ticket":null}"#), Some(Single::Absent)));
        assert!(read("null").is_none());
    }
}
