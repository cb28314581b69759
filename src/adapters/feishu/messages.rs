//! Messages of the app's bot: post, reply, update, and look for one in a chat's history (`facts/feishu.md §3`).

use bytes::Bytes;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    adapters::feishu::{
        client::{Call, Client},
        error::{Advice, Endpoint, Error},
        wire,
    },
    domain::{
        id::{ChatId, MessageId},
        receiver::PersonId,
        time::Timestamp,
    },
};

/// Characters a `uuid` may have (`facts/feishu.md §3.1`).
pub const UUID_CHARS_MAX: usize = 50;

/// Messages in one page of a chat's history, the platform's limit.
const HISTORY_PAGE_SIZE: usize = 50;

/// Pages of a chat's history looked at for one reference.
pub const HISTORY_PAGES_MAX: usize = 20;

#[derive(Deserialize)]
struct Sent {
    message_id: String,
}

#[derive(Deserialize)]
struct History {
    items: Option<Vec<Value>>,
    #[serde(default)]
    has_more: bool,
    page_token: Option<String>,
}

impl Client {
    /// Posts a card to a chat. The same `uuid` within an hour is the same message.
    pub async fn create(&self, chat: &ChatId, card_json: &str, uuid: &str) -> Result<MessageId, Error> {
        self.post("chat_id", chat.as_str(), card_json, uuid).await
    }

    /// Posts a card to one person's direct chat with the bot (`facts/feishu.md §3.1`).
    pub async fn create_for(&self, person: &PersonId, card_json: &str, uuid: &str) -> Result<MessageId, Error> {
        match person {
            PersonId::Email(email) => self.post("email", email, card_json, uuid).await,
            PersonId::Open(id) => self.post("open_id", id.as_str(), card_json, uuid).await,
            PersonId::Mobile(_) => {
                let reason = "a mobile number must be resolved to an open id first";
                Err(Error::local(Endpoint::MessageCreate, Advice::GiveUp, reason))
            }
        }
    }

    async fn post(&self, kind: &'static str, id: &str, card_json: &str, uuid: &str) -> Result<MessageId, Error> {
        let mut body = card_body(card_json, uuid);
        body.insert("receive_id".to_owned(), json!(id));
        let path = ["im", "v1", "messages"];
        let mut call = Call::with_body(Endpoint::MessageCreate, Method::POST, &path, Value::Object(body).to_string());
        call.query = vec![("receive_id_type", kind.to_owned())];
        self.call(&call, read_sent).await
    }

    /// Replies to a message with a card, quoting it.
    pub async fn reply(&self, message: &MessageId, card_json: &str, uuid: &str) -> Result<MessageId, Error> {
        self.reply_to(message, card_body(card_json, uuid)).await
    }

    /// Replies to a message with a card in its topic: what a topic group needs (`facts/feishu.md §15`).
    pub async fn reply_in_thread(&self, message: &MessageId, card_json: &str, uuid: &str) -> Result<MessageId, Error> {
        let mut body = card_body(card_json, uuid);
        body.insert("reply_in_thread".to_owned(), json!(true));
        self.reply_to(message, body).await
    }

    async fn reply_to(&self, message: &MessageId, body: Map<String, Value>) -> Result<MessageId, Error> {
        let path = ["im", "v1", "messages", message.as_str(), "reply"];
        let body = Value::Object(body).to_string();
        self.call(&Call::with_body(Endpoint::MessageReply, Method::POST, &path, body), read_sent).await
    }

    /// Updates a card the bot sent within 14 days.
    pub async fn patch(&self, message: &MessageId, card_json: &str) -> Result<(), Error> {
        let path = ["im", "v1", "messages", message.as_str()];
        let body = json!({ "content": card_json }).to_string();
        let call = Call::with_body(Endpoint::MessagePatch, Method::PATCH, &path, body);
        self.call(&call, |body| wire::succeeded(body)).await
    }

    /// Looks for a message of the bot that shows `reference`, among those of the chat between two instants. An error
    /// means that nobody can tell.
    pub async fn history_contains(
        &self,
        chat: &ChatId,
        reference: &str,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Option<MessageId>, Error> {
        let mut page_token = None;
        for _ in 0..HISTORY_PAGES_MAX {
            let page = self.history_page(chat, since, until, page_token.take()).await?;
            let found = page.items.iter().flatten().find_map(|item| message_showing(item, reference));
            if found.is_some() {
                return Ok(found);
            }
            page_token = page.page_token.filter(|token| page.has_more && !token.is_empty());
            if page_token.is_none() {
                return Ok(None);
            }
        }
        Err(Error::local(Endpoint::History, Advice::GiveUp, "the chat has more messages than are looked through"))
    }

    async fn history_page(
        &self,
        chat: &ChatId,
        since: Timestamp,
        until: Timestamp,
        page_token: Option<String>,
    ) -> Result<History, Error> {
        let path = ["im", "v1", "messages"];
        let mut call = Call::get(Endpoint::History, &path);
        call.query = vec![
            ("container_id_type", "chat".to_owned()),
            ("container_id", chat.to_string()),
            ("start_time", since.as_ms().div_euclid(1_000).max(0).to_string()),
            ("end_time", until.as_ms().div_euclid(1_000).saturating_add(1).to_string()),
            ("sort_type", "ByCreateTimeAsc".to_owned()),
            ("page_size", HISTORY_PAGE_SIZE.to_string()),
        ];
        call.query.extend(page_token.map(|token| ("page_token", token)));
        self.call(&call, |body| wire::data(body)).await
    }
}

/// What create and reply have in common. An empty `uuid` is left out: `null` would be a key (`facts/feishu.md §3.1`).
fn card_body(card_json: &str, uuid: &str) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("msg_type".to_owned(), json!("interactive"));
    body.insert("content".to_owned(), json!(card_json));
    if !uuid.is_empty() {
        let uuid: String = uuid.chars().take(UUID_CHARS_MAX).collect();
        body.insert("uuid".to_owned(), json!(uuid));
    }
    body
}

fn read_sent(body: &Bytes) -> Option<MessageId> {
    let sent: Sent = wire::data(body)?;
    (!sent.message_id.is_empty()).then(|| MessageId::new(sent.message_id))
}

/// The message's id, if an app sent it and its content shows the reference as a word of its own. What a card was sent
/// as is not what is read back (`facts/feishu.md §3.1`), so its text is searched, not compared.
fn message_showing(item: &Value, reference: &str) -> Option<MessageId> {
    let sender = item.pointer("/sender/sender_type").and_then(Value::as_str);
    if sender.is_some_and(|kind| kind != "app") {
        return None;
    }
    let content = item.pointer("/body/content")?.as_str()?;
    let shown = content.match_indices(reference).any(|(at, _)| {
        let next = content.get(at + reference.len()..).and_then(|rest| rest.chars().next());
        !next.is_some_and(|c| c.is_ascii_alphanumeric())
    });
    if !shown || reference.is_empty() {
        return None;
    }
    item.get("message_id").and_then(Value::as_str).filter(|id| !id.is_empty()).map(MessageId::from)
}
