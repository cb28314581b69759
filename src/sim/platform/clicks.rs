//! People who click on cards: the callback that is posted to the app, and what they see of its answer
//! (`facts/feishu.md §5.7`).

use serde_json::{Value, json};

use crate::sim::{
    card, events,
    message::{Message, Version},
    platform::Platform,
    seal,
};

/// The answer's limit, milliseconds: after it whoever clicked sees an error.
pub const ANSWER_MS: i64 = 3_000;

/// How a click is posted; the default is what the platform does today.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// In the old, flat form.
    pub flat: bool,
    /// Without what need not be there: the context, the ids beside the open id.
    pub sparse: bool,
    /// The button's value comes back as text.
    pub value_as_text: bool,
    /// On the card as it was shown in this version, from 0; absent: as it is shown now.
    pub version: Option<usize>,
}

/// A click on its way to the app. Posting it again is the same click.
#[derive(Clone, Debug)]
pub struct Click {
    /// The message clicked on.
    pub message_id: String,
    /// The body to post.
    pub body: String,
    /// The headers to post.
    pub headers: Vec<(String, String)>,
    /// `header.event_id`; for the flat form one of the platform's own.
    pub event_id: String,
    /// The body as a long connection carries it: plain, and without a token.
    pub(crate) plain: String,
    pub(crate) is_flat: bool,
}

/// What whoever clicked sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The toast's kind and its Chinese words.
    pub toast: Option<(String, String)>,
    /// The card changed at once.
    pub changed: bool,
    /// The error number shown instead.
    pub error: Option<i64>,
}

impl Platform {
    /// The last message of a chat that shows a button with these words, or one that does this.
    pub fn message_with_button(&self, chat_id: &str, button: &str) -> Option<String> {
        let messages = self.messages.in_order(Some(chat_id));
        let shows = |message: &&&Message| !message.recalled && value_of(message.content(), button).is_some();
        messages.iter().rev().find(shows).map(|message| message.id.clone())
    }

    /// A person clicks on a button of a message, named by its words or by what it does; nothing where there is none.
    pub fn click(
        &mut self,
        message_id: &str,
        open_id: &str,
        button: &str,
        manner: Manner,
        now_ms: i64,
    ) -> Option<Click> {
        let message = self.messages.get(message_id)?;
        let content = match manner.version {
            Some(version) => message.versions.get(version)?.content.as_str(),
            None => message.content(),
        };
        let mut value = value_of(content, button)?;
        if manner.value_as_text {
            value = json!(value.to_string());
        }
        let (chat_id, dice) = (message.chat_id.clone(), &mut self.chatter);
        let (token, event_id) = (format!("c-{}", dice.hex(16)), dice.hex(32));
        let action = json!({ "value": value, "tag": "button" });
        if manner.flat {
            let body = json!({
                "open_id": open_id, "user_id": "", "open_message_id": message_id, "open_chat_id": chat_id,
                "tenant_key": self.app.tenant_key, "token": token, "action": action,
            })
            .to_string();
            let headers = seal::flat_headers(&self.app.verification_token, &dice.hex(16), &body, now_ms);
            let plain = body.clone();
            return Some(Click { message_id: message_id.to_string(), body, headers, event_id, plain, is_flat: true });
        }
        let mut event = json!({ "operator": { "open_id": open_id }, "token": token, "action": action });
        if !manner.sparse {
            event["operator"]["tenant_key"] = json!(self.app.tenant_key);
            event["operator"]["union_id"] = json!(format!("on_{open_id}"));
            event["host"] = json!("im_message");
            event["context"] = json!({ "open_message_id": message_id, "open_chat_id": chat_id });
        }
        let mut event = json!({
            "schema": "2.0",
            "header": {
                "event_id": event_id, "event_type": "card.action.trigger", "create_time": (now_ms * 1_000).to_string(),
                "token": self.app.verification_token, "app_id": self.app.app_id, "tenant_key": self.app.tenant_key,
            },
            "event": event,
        });
        let (body, headers) = events::envelope(&event.to_string(), &self.app, dice, now_ms);
        event["header"]["token"] = json!("");
        let plain = event.to_string();
        Some(Click { message_id: message_id.to_string(), body, headers, event_id, plain, is_flat: false })
    }

    /// Shows whoever clicked what the app answered: status and body, or nothing where it did not answer in time.
    pub fn show_answer(&mut self, click: &Click, answer: Option<(u16, &str)>, now_ms: i64) -> Shown {
        let failed = |error| Shown { error: Some(error), ..Shown::default() };
        let Some((status, body)) = answer else { return failed(200_341) };
        if status != 200 {
            return failed(200_671);
        }
        let Some(answer) = serde_json::from_str::<Value>(body).ok().filter(Value::is_object) else {
            return failed(200_672);
        };
        let toast = answer.get("toast").map(|toast| {
            let text = |pointer| toast.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_string();
            (text("/type"), text("/i18n/zh_cn"))
        });
        let card = match click.is_flat {
            true => answer.get("elements").map(|_| &answer),
            false => answer.pointer("/card/data").filter(|data| data.is_object()),
        };
        let Some(card) = card else { return Shown { toast, ..Shown::default() } };
        let content = card.to_string();
        match card::check(&content, &self.directory, true) {
            Ok(accepted) if accepted.is_updatable && !accepted.is_second_schema => {}
            _ => return failed(200_673),
        }
        let Some(message) = self.messages.get_mut(&click.message_id) else { return failed(200_673) };
        message.versions.push(Version { at_ms: now_ms, content });
        Shown { toast, changed: true, error: None }
    }
}

/// The value of the button with these words, or that does this.
fn value_of(content: &str, button: &str) -> Option<Value> {
    let card: Value = serde_json::from_str(content).ok()?;
    let rows = card.get("elements")?.as_array()?.iter().filter_map(|element| element.get("actions")?.as_array());
    let says = |action: &&Value| {
        let words = action.pointer("/text/content").and_then(Value::as_str);
        let does = action.pointer("/value/do").and_then(Value::as_str);
        words == Some(button) || does == Some(button)
    };
    rows.flatten().find(says)?.get("value").cloned()
}
