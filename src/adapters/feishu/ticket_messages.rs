//! What was said on a ticket, all pages of it (`facts/feishu.md §2.5`).
//!
//! A message's content is text that holds JSON, in several shapes; what cannot be read as any is taken as it stands. A
//! message that nobody can place is counted and skipped, never the page.

use std::{borrow::Cow, collections::BTreeSet};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::{
    adapters::feishu::{
        error::{Endpoint, Error},
        helpdesk::Helpdesk,
        lenient::Field,
        page,
        received::{self, MESSAGE_CHARS_MAX},
    },
    domain::{
        conversation::{Conversation, Said, Speakers},
        id::TicketId,
        time::Timestamp,
    },
};

/// Messages in one page, the platform's limit.
pub const MESSAGE_PAGE_SIZE: u32 = 200;

/// Pages read of one ticket: the first, and the last ones. Nobody says in which order messages come, and it is both
/// the first and the newest that matter.
pub const MESSAGE_PAGES_MAX: u32 = 5;

/// Bytes of pages read of one ticket; more pages are left out.
pub const MESSAGES_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Instants below this are seconds: in milliseconds they would lie in 1973.
const SECONDS_BELOW: i64 = 100_000_000_000;

/// What was said on a ticket.
#[derive(Debug, Default)]
pub struct TicketMessages {
    /// The messages, in any order.
    pub messages: Vec<TicketMessage>,
    /// Messages nobody could read, counted.
    pub broken: usize,
    /// Calls that succeeded.
    pub calls: u32,
    /// Why not all pages could be read.
    pub error: Option<Error>,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketMessage {
    /// Who wrote it: an open id; empty where the platform does not say.
    pub user_id: String,
    /// When.
    pub at: Timestamp,
    /// The words; of pictures and files none.
    pub text: String,
}

/// One page.
#[derive(Debug, Default)]
struct Page {
    total: u64,
    messages: Vec<(String, TicketMessage)>,
    broken: usize,
    bytes: usize,
}

#[derive(Deserialize)]
struct Answer<'a> {
    code: i64,
    #[serde(borrow)]
    data: Option<Data<'a>>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    messages: Option<Vec<&'a RawValue>>,
    #[serde(default)]
    total: Field<i64>,
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow, default)]
    id: Field<Cow<'a, str>>,
    #[serde(borrow, default)]
    message_id: Field<Cow<'a, str>>,
    #[serde(borrow, default)]
    message_type: Field<Cow<'a, str>>,
    #[serde(default)]
    created_at: Field<i64>,
    #[serde(default)]
    content: Value,
    #[serde(borrow, default)]
    user_id: Field<Cow<'a, str>>,
}

impl Helpdesk {
    /// The messages of a ticket. What was read before an error is given back with it.
    pub async fn messages(&self, id: &TicketId) -> TicketMessages {
        let mut all = TicketMessages::default();
        let (mut seen, mut bytes) = (BTreeSet::new(), 0);
        let mut pages = vec![1];
        while let Some(number) = pages.pop() {
            let page = match self.messages_page(id, number).await {
                Ok(page) => page,
                Err(error) => {
                    all.error = Some(error);
                    break;
                }
            };
            all.calls += 1;
            all.broken += page.broken;
            bytes += page.bytes;
            if number == 1 {
                pages = further_pages(page.total);
            }
            // Pages shift while people write: a message may stand on two.
            all.messages.extend(page.messages.into_iter().filter(|(id, _)| seen.insert(id.clone())).map(|(_, it)| it));
            if bytes > MESSAGES_BYTES_MAX {
                tracing::warn!(ticket = %id, bytes, "a ticket has more messages than are read; some are left out");
                break;
            }
        }
        all
    }

    async fn messages_page(&self, id: &TicketId, number: u32) -> Result<Page, Error> {
        let path = ["helpdesk", "v1", "tickets", id.as_str(), "messages"];
        let mut call = self.call(Endpoint::TicketMessages, &path);
        call.query = vec![("page", number.to_string()), ("page_size", MESSAGE_PAGE_SIZE.to_string())];
        self.client().call(&call, read).await
    }
}

impl TicketMessages {
    /// The conversation they are.
    pub fn conversation(&self, speakers: &Speakers) -> Conversation {
        let said = |message: &TicketMessage| Said { at: message.at, text: message.text.as_str().into() };
        Conversation::of(self.messages.iter().map(|one| (speakers.speaker(&one.user_id), said(one))).collect())
    }
}

/// The pages after the first that are read, the last one last: it is taken first.
fn further_pages(total: u64) -> Vec<u32> {
    let last = u32::try_from(total.div_ceil(u64::from(MESSAGE_PAGE_SIZE))).unwrap_or(u32::MAX);
    (2..=last).rev().take(MESSAGE_PAGES_MAX as usize - 1).collect::<Vec<_>>().into_iter().rev().collect()
}

/// Reads an answer; nothing if it is not one that succeeded.
fn read(body: &Bytes) -> Option<Page> {
    read_text(body).or_else(|| read_text(&page::repaired(body)?))
}

fn read_text(body: &Bytes) -> Option<Page> {
    let answer: Answer<'_> = serde_json::from_slice(body).ok()?;
    if answer.code != 0 {
        return None;
    }
    let data = answer.data?;
    let raws = data.messages.unwrap_or_default();
    let counted = u64::try_from(raws.len()).unwrap_or(u64::MAX);
    let total = data.total.value().and_then(|total| u64::try_from(total).ok()).unwrap_or(counted);
    let messages: Vec<_> = raws.iter().filter_map(|raw| message(raw)).collect();
    Some(Page { total, broken: raws.len() - messages.len(), messages, bytes: body.len() })
}

/// A message with what tells it apart; nothing without an instant, for it has no place in the conversation.
fn message(raw: &RawValue) -> Option<(String, TicketMessage)> {
    let wire: Wire<'_> = serde_json::from_str(raw.get()).ok()?;
    let at = match wire.created_at.value()? {
        ..=0 => return None,
        seconds @ 1..SECONDS_BELOW => Timestamp::from_ms(seconds * 1_000),
        ms => Timestamp::from_ms(ms),
    };
    let kind = wire.message_type.value().unwrap_or_default();
    let text: String = words(&kind, wire.content).trim().chars().take(MESSAGE_CHARS_MAX).collect();
    let user_id = wire.user_id.value().unwrap_or_default().into_owned();
    let named = [wire.id, wire.message_id].into_iter().find_map(|id| id.value().filter(|id| !id.is_empty()));
    let id = named.map_or_else(|| raw.get().to_owned(), Cow::into_owned);
    Some((id, TicketMessage { user_id, at, text }))
}

/// The words of a message's content. Only texts and posts have any.
fn words(kind: &str, content: Value) -> String {
    let content = match content {
        Value::String(text) => match serde_json::from_str(&text) {
            Ok(inner @ Value::Object(_)) => inner,
            Ok(list @ Value::Array(_)) if kind == "post" => list,
            _ if matches!(kind, "" | "text" | "post") => return text,
            _ => return String::new(),
        },
        content => content,
    };
    let said = content.get("msg_type").and_then(Value::as_str).unwrap_or_default();
    match if kind.is_empty() { said } else { kind } {
        "text" | "" => text_of(&content),
        "post" => post_of(&content),
        _ => String::new(),
    }
}

/// `{"content": "…"}` as the helpdesk writes it, `{"text": "…"}` as chats do.
fn text_of(content: &Value) -> String {
    ["content", "text"].iter().find_map(|key| content.get(key)?.as_str()).unwrap_or_default().to_owned()
}

/// The helpdesk's own shape holds the words or once more JSON in `content`; the chats' shape is paragraphs.
fn post_of(content: &Value) -> String {
    match content.get("content") {
        Some(Value::String(text)) => match serde_json::from_str(text) {
            Ok(inner @ Value::Object(_)) => received::post(&inner),
            Ok(paragraphs @ Value::Array(_)) => received::post(&serde_json::json!({ "content": paragraphs })),
            _ => text.clone(),
        },
        None if content.is_array() => received::post(&serde_json::json!({ "content": content })),
        _ => received::post(content),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::adapters::feishu::fake::{Answer, Fake};

    fn page(messages: &Value) -> Option<Page> {
        read(&Bytes::from(json!({ "code": 0, "data": { "messages": messages, "total": 3 } }).to_string()))
    }

    fn said(kind: &str, content: Value) -> String {
        words(kind, content)
    }

    #[test]
    fn content_of_every_shape_gives_its_words() {
        let text = |value: &Value| Value::String(value.to_string());
        let paragraphs = json!([[{ "tag": "text", "text": "退款" }, { "tag": "img", "image_key": "k" }], [{ "tag": "a", "text": "单", "href": "https://x" }]]);
        let cases = [
            ("text", text(&json!({ "content": "hello", "msg_type": "text" })), "hello"),
            ("", text(&json!({ "content": "hello", "msg_type": "text" })), "hello"),
            ("text", text(&json!({ "text": "你好" })), "你好"),
            ("text", json!({ "content": "no text around it" }), "no text around it"),
            ("text", json!("plain, not JSON"), "plain, not JSON"),
            ("text", json!("12315"), "12315"),
            ("text", text(&json!({ "content": "{\"a\":1}", "msg_type": "text" })), "{\"a\":1}"),
            ("post", text(&json!({ "content": "一段话", "msg_type": "post", "image_keys": ["k"] })), "一段话"),
            ("post", text(&json!({ "content": paragraphs.to_string(), "msg_type": "post" })), "退款\n[单](https://x)"),
            ("post", text(&json!({ "title": "问题", "content": paragraphs })), "问题\n退款\n[单](https://x)"),
            (
                "post",
                text(&json!({ "zh_cn": { "title": "问题", "content": paragraphs } })),
                "问题\n退款\n[单](https://x)",
            ),
            ("post", text(&paragraphs), "退款\n[单](https://x)"),
            ("image", text(&json!({ "content": "", "msg_type": "image", "image_key": "k" })), ""),
            ("file", json!("report.pdf"), ""),
            ("interactive", text(&json!({ "text": "a card" })), ""),
            ("text", Value::Null, ""),
            ("text", json!(7), ""),
            ("", json!("bare"), "bare"),
        ];
        for (kind, content, expected) in cases {
            assert_eq!(said(kind, content.clone()), expected, "{kind} {content}");
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(said("text", json!(deep)), deep, "what is no JSON for us is text");
    }

    #[test]
    fn one_broken_message_spoils_no_other_and_instants_are_milliseconds() {
        let read = page(&json!([
            7,
            { "id": "1", "content": "no time" },
            { "id": "2", "created_at": -1, "content": "no time" },
            { "id": "3", "created_at": 1_700_000_000, "message_type": "text", "content": "s", "user_id": "ou_a" },
            { "message_id": "om_4", "created_at": "1700000000123", "message_type": "text", "content": " ms " },
        ]))
        .unwrap();
        assert_eq!((read.broken, read.total), (3, 3));
        let message = |user_id: &str, ms, text: &str| TicketMessage {
            user_id: user_id.into(),
            at: Timestamp::from_ms(ms),
            text: text.into(),
        };
        let expected = [
            ("3".to_owned(), message("ou_a", 1_700_000_000_000, "s")),
            ("om_4".to_owned(), message("", 1_700_000_000_123, "ms")),
        ];
        assert_eq!(read.messages, expected);
        assert!(page(&Value::Null).unwrap().messages.is_empty());
        for other in ["", "[]", "{}", r#"{"code":1,"data":{}}"#, r#"{"code":0}"#, r#"{"code":0,"data":[]}"#] {
            assert!(super::read(&Bytes::from(other)).is_none(), "{other}");
        }
    }

    #[test]
    fn of_many_pages_the_first_and_the_last_are_read() {
        for (total, expected) in
            [(0, vec![]), (200, vec![]), (201, vec![2]), (1_000, vec![2, 3, 4, 5]), (5_000, vec![22, 23, 24, 25])]
        {
            assert_eq!(further_pages(total), expected, "{total}");
        }
        assert_eq!(further_pages(u64::MAX).len(), MESSAGE_PAGES_MAX as usize - 1);
    }

    #[tokio::test]
    async fn all_pages_are_read_and_what_stands_on_two_is_one() {
        let row = |id: u32| json!({ "id": id.to_string(), "created_at": 1_700_000_000_000_i64 + i64::from(id), "message_type": "text", "content": "x", "user_id": "ou_a" });
        let fake = Fake::with_token(move |asked| {
            let rows: Vec<Value> = match asked.target.split("?page=").nth(1) {
                Some("1&page_size=200") => (0..200).map(row).collect(),
                Some("2&page_size=200") => (199..260).map(row).collect(),
                other => panic!("{other:?}"),
            };
            Answer::data(&json!({ "messages": rows, "total": 260 }))
        })
        .await;
        let read = fake.helpdesk().messages(&"77".into()).await;
        assert!(read.error.is_none());
        assert_eq!((read.messages.len(), read.calls, read.broken), (260, 2, 0));
        assert!(
            fake.asked().iter().any(|asked| asked.target.starts_with("/open-apis/helpdesk/v1/tickets/77/messages?"))
        );
    }
}
