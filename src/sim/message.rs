//! Messages as the platform keeps them, with everything that ever happened to them.

use serde_json::{Value, json};

use crate::sim::card;

/// Who sent a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The app's bot.
    Bot,
    /// A person, by open id.
    Person(String),
    /// A custom bot of the chat.
    Hook,
}

/// A message's content at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Since when, milliseconds.
    pub at_ms: i64,
    /// The content as sent: for cards, the card's JSON.
    pub content: String,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// `om_…`
    pub id: String,
    /// Its chat.
    pub chat_id: String,
    /// The first message of what it answers.
    pub root_id: Option<String>,
    /// What it answers.
    pub parent_id: Option<String>,
    /// Its topic.
    pub thread_id: Option<String>,
    /// Who sent it.
    pub sender: Sender,
    /// `text`, `interactive`, …
    pub kind: String,
    /// What it said, the first version first; never empty.
    pub versions: Vec<Version>,
    /// The `uuid` it was sent with.
    pub uuid: Option<String>,
    /// Whether it was recalled.
    pub recalled: bool,
    /// How many requests asked for this message with the same `uuid`, this one included.
    pub requests: u32,
    /// The order among all messages.
    pub number: u64,
}

/// How someone was called up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// In the app.
    App,
    /// By SMS.
    Sms,
    /// By phone.
    Phone,
}

/// One call that went out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Urge {
    /// When.
    pub at_ms: i64,
    /// How.
    pub way: Way,
    /// The message it is about.
    pub message_id: String,
    /// Who.
    pub open_id: String,
}

impl Message {
    /// What it says now.
    pub fn content(&self) -> &str {
        self.versions.last().map(|version| version.content.as_str()).unwrap_or_default()
    }

    /// When it was sent, milliseconds.
    pub fn sent_ms(&self) -> i64 {
        self.versions.first().map(|version| version.at_ms).unwrap_or_default()
    }

    /// When it was last changed, milliseconds.
    pub fn changed_ms(&self) -> i64 {
        self.versions.last().map(|version| version.at_ms).unwrap_or_default()
    }

    /// The card as a person sees it; none if it is no card.
    pub fn card(&self) -> Option<card::View> {
        if self.kind == "interactive" { card::view(self.content(), &|_| None) } else { None }
    }

    /// The text of a text message.
    pub fn text(&self) -> Option<String> {
        let content: Value = serde_json::from_str(self.content()).ok()?;
        content.get("text").and_then(Value::as_str).map(str::to_string)
    }

    /// As answers and history write it (`facts/feishu.md §3.1`). `whole` gives cards back as they were sent.
    pub(crate) fn write(&self, app_id: &str, tenant_key: &str, whole: bool) -> Value {
        let content = if self.kind == "interactive" && !whole {
            card::simplified(self.content())
        } else {
            self.content().to_string()
        };
        let sender = match &self.sender {
            Sender::Bot | Sender::Hook => {
                json!({ "id": app_id, "id_type": "app_id", "sender_type": "app", "tenant_key": tenant_key })
            }
            Sender::Person(open_id) => {
                json!({ "id": open_id, "id_type": "open_id", "sender_type": "user", "tenant_key": tenant_key })
            }
        };
        let mut written = json!({
            "message_id": self.id, "msg_type": self.kind, "chat_id": self.chat_id, "sender": sender,
            "create_time": self.sent_ms().to_string(), "update_time": self.changed_ms().to_string(),
            "deleted": self.recalled, "updated": self.versions.len() > 1, "body": { "content": content },
        });
        for (name, id) in [("root_id", &self.root_id), ("parent_id", &self.parent_id), ("thread_id", &self.thread_id)] {
            if let Some(id) = id {
                written[name] = json!(id);
            }
        }
        written
    }
}
