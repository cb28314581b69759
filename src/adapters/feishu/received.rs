//! A message event as what a person wrote: text without mentions, and who is meant (`facts/feishu.md §5.6`).

use serde_json::Value;

use crate::{
    adapters::feishu::chats::Bot,
    domain::{
        desk::input::ChatKind,
        id::{ChatId, EventId, MessageId, OpenId},
        time::Timestamp,
    },
};

/// Characters read of a message; no command is that long.
pub const MESSAGE_CHARS_MAX: usize = 4_000;

/// How a mention of everyone stands in the text.
const EVERYONE: &str = "@_all";

/// What a person wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// The delivery; the same on redelivery.
    pub event: EventId,
    /// The message.
    pub message: MessageId,
    /// Where.
    pub chat: ChatId,
    /// A group or a direct chat.
    pub chat_kind: ChatKind,
    /// Who.
    pub sender: OpenId,
    /// The message it hangs on, where it is a reply: the first of its row, for a reply on a reply means the card on top.
    pub reply_to: Option<MessageId>,
    /// Whether a person wrote it; what bots write is ignored before.
    pub from_person: bool,
    /// Whether the bot is mentioned.
    pub mentions_bot: bool,
    /// Whether everyone is mentioned.
    pub mentions_all: bool,
    /// What was written, without mentions; empty for pictures, files and stickers.
    pub text: String,
    /// When.
    pub sent_at: Timestamp,
}

/// Reads the event of a schema 2.0 body; or says why nothing is done about it.
pub(super) fn incoming(body: &Value, bot: Option<&Bot>, now: Timestamp) -> Result<Incoming, &'static str> {
    let at = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    if at("/event/sender/sender_type") != "user" {
        return Err("not written by a person");
    }
    let id = |pointer: &str, missing| Some(at(pointer)).filter(|id| !id.is_empty()).ok_or(missing);
    let message = id("/event/message/message_id", "no message id")?;
    let chat = id("/event/message/chat_id", "no chat id")?;
    let sender = id("/event/sender/sender_id/open_id", "no sender")?;
    let event = Some(at("/header/event_id")).filter(|id| !id.is_empty()).unwrap_or(message);
    let chat_kind = if at("/event/message/chat_type") == "p2p" { ChatKind::Direct } else { ChatKind::Group };
    let written = written(at("/event/message/message_type"), at("/event/message/content"));
    let mentions = body.pointer("/event/message/mentions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let sent_at = ["/event/message/create_time", "/header/create_time"].iter().find_map(|pointer| {
        let ms: i64 = at(pointer).parse().ok()?;
        (ms > 0).then(|| Timestamp::from_ms(ms))
    });
    Ok(Incoming {
        event: event.into(),
        message: message.into(),
        chat: chat.into(),
        chat_kind,
        sender: sender.into(),
        reply_to: ["/event/message/root_id", "/event/message/parent_id"]
            .into_iter()
            .map(at)
            .find(|id| !id.is_empty())
            .map(MessageId::from),
        from_person: true,
        mentions_bot: mentions.iter().any(|mention| means_bot(mention, bot)),
        mentions_all: written.contains(EVERYONE) || mentions.iter().any(|mention| key(mention) == EVERYONE),
        text: without_mentions(&written, mentions),
        sent_at: sent_at.unwrap_or(now),
    })
}

fn key(mention: &Value) -> &str {
    mention.get("key").and_then(Value::as_str).unwrap_or_default()
}

/// Whether a mention means our bot. In groups with several bots its open id may differ from the one the bot knows, so
/// the name counts too (`facts/feishu.md §11.40`). While our bot is unknown, any bot does.
fn means_bot(mention: &Value, bot: Option<&Bot>) -> bool {
    let text = |pointer: &str| mention.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let open_id = match mention.get("id") {
        Some(Value::String(id)) => id,
        _ => text("/id/open_id"),
    };
    let is_bot = text("/mentioned_type") == "bot";
    match bot {
        Some(bot) => open_id == bot.open_id.as_str() || (is_bot && text("/name") == bot.name),
        None => is_bot,
    }
}

/// Text with every mention taken out; the longest key first, for one may begin like another.
fn without_mentions(text: &str, mentions: &[Value]) -> String {
    let mut keys: Vec<&str> = mentions.iter().map(key).filter(|key| !key.is_empty()).collect();
    keys.push(EVERYONE);
    keys.sort_by_key(|key| std::cmp::Reverse(key.len()));
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = keys.iter().find_map(|key| rest.strip_prefix(key)) {
            out.push(' ');
            rest = after;
        } else {
            out.push(c);
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
    out.trim().to_owned()
}

/// What stands in a message's content, which is JSON in text. Other kinds than text and post have no words.
fn written(kind: &str, content: &str) -> String {
    let content: Value = serde_json::from_str(content).unwrap_or_default();
    let text = match kind {
        "text" => content.get("text").and_then(Value::as_str).unwrap_or_default().to_owned(),
        "post" => post(&content),
        _ => String::new(),
    };
    text.chars().take(MESSAGE_CHARS_MAX).collect()
}

/// A post's words: its title, then a line a paragraph. It arrives without the layer of languages it is sent with; one
/// is accepted.
pub(super) fn post(content: &Value) -> String {
    let inner = if content.get("content").is_some() {
        content
    } else {
        content.as_object().and_then(|map| map.values().find(|one| one.get("content").is_some())).unwrap_or(content)
    };
    let title = inner.get("title").and_then(Value::as_str).unwrap_or_default();
    let paragraphs = inner.get("content").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let line = |paragraph: &Value| match paragraph {
        Value::Array(elements) => elements.iter().map(element).collect(),
        other => element(other),
    };
    let lines = std::iter::once(title.to_owned()).chain(paragraphs.iter().map(line));
    lines.filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("\n")
}

fn element(element: &Value) -> String {
    let text = |key: &str| element.get(key).and_then(Value::as_str).unwrap_or_default();
    match text("tag") {
        "a" => format!("[{}]({})", text("text"), text("href")), // as links stand in text messages
        "at" => match text("user_id") {
            "all" | EVERYONE => EVERYONE.to_owned(),
            key => key.to_owned(),
        },
        _ => text("text").to_owned(),
    }
}
