//! What was said on tickets, and how the platform writes it (`facts/feishu.md §2.5`).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::sim::{
    helpdesk::bad,
    knobs::{Knobs, MessageContent},
    wire::{Answer, Refusal, Request},
};

/// The largest page.
pub const MESSAGE_PAGE_SIZE_MAX: usize = 200;

/// The page when nothing is said.
const PAGE_SIZE_DEFAULT: usize = 20;

/// One message on a ticket.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TicketMessage {
    /// The writer's open id.
    pub user_id: String,
    /// The writer's name.
    pub user_name: String,
    /// `text`, `post`, `image` or another kind.
    pub kind: String,
    /// The words; of pictures none.
    pub text: String,
    /// When, milliseconds.
    pub at_ms: i64,
    /// Written instead of the message, for answers no client expects.
    pub instead: Option<Value>,
}

/// The messages of every ticket, in the order they were written.
#[derive(Clone, Debug, Default)]
pub(crate) struct SaidOnTickets(BTreeMap<String, Vec<TicketMessage>>);

impl SaidOnTickets {
    /// Adds a message.
    pub(crate) fn add(&mut self, ticket_id: &str, message: TicketMessage) {
        self.0.entry(ticket_id.to_string()).or_default().push(message);
    }

    /// `GET tickets/:id/messages` of a ticket there is.
    pub(crate) fn list(&self, ticket_id: &str, request: &Request, knobs: &Knobs) -> Answer {
        match self.page(ticket_id, request, knobs) {
            Ok(data) => Answer::Data(data),
            Err(refusal) => refusal.into(),
        }
    }

    fn page(&self, ticket_id: &str, request: &Request, knobs: &Knobs) -> Result<Value, Refusal> {
        let number = |name: &str, default: i64| match request.query_value(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| bad()),
        };
        let positive = |name: &str, default: usize| {
            usize::try_from(number(name, default as i64)?).ok().filter(|number| *number > 0).ok_or_else(bad)
        };
        let (from, until) = (number("time_start", i64::MIN)?, number("time_end", i64::MAX)?);
        let (page, size) = (positive("page", 1)?, positive("page_size", PAGE_SIZE_DEFAULT)?);
        if size > MESSAGE_PAGE_SIZE_MAX {
            return Err(bad());
        }
        let all = self.0.get(ticket_id).map(Vec::as_slice).unwrap_or_default();
        let within = |message: &&TicketMessage| (from..=until).contains(&(message.at_ms / 1000));
        let mut found: Vec<Value> = all
            .iter()
            .enumerate()
            .filter(|(_, one)| within(one))
            .map(|(at, one)| written(ticket_id, at, one, knobs))
            .collect();
        if knobs.ticket_messages_newest_first {
            found.reverse();
        }
        let total = found.len();
        let rows: Vec<Value> = found.into_iter().skip((page - 1).saturating_mul(size)).take(size).collect();
        Ok(json!({ "messages": rows, "total": total }))
    }
}

fn written(ticket_id: &str, place: usize, message: &TicketMessage, knobs: &Knobs) -> Value {
    if let Some(instead) = &message.instead {
        return instead.clone();
    }
    let (kind, text) = (message.kind.as_str(), message.text.as_str());
    let content = match (knobs.ticket_message_content, kind) {
        (MessageContent::Helpdesk, "image") => {
            json!({ "content": "", "msg_type": kind, "image_key": "img_v2_1" }).to_string()
        }
        (MessageContent::Helpdesk, _) => json!({ "content": text, "msg_type": kind }).to_string(),
        (MessageContent::Chat, "post") => {
            json!({ "title": "", "content": [[{ "tag": "text", "text": text }]] }).to_string()
        }
        (MessageContent::Chat, "text") => json!({ "text": text }).to_string(),
        (MessageContent::Chat, _) => json!({ "image_key": "img_v2_1" }).to_string(),
        (MessageContent::Plain, _) => text.to_string(),
    };
    let at = if knobs.ticket_messages_in_seconds { message.at_ms / 1000 } else { message.at_ms };
    json!({
        "id": format!("{ticket_id}{place:04}"), "message_id": format!("om_{ticket_id}{place:04}"), "message_type": kind,
        "created_at": at, "content": content, "user_name": message.user_name, "avatar_url": "",
        "user_id": message.user_id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(query: &[(&str, &str)]) -> Request {
        let query = query.iter().map(|(name, value)| ((*name).to_string(), (*value).to_string())).collect();
        Request { query, ..Request::default() }
    }

    fn said(count: i64) -> SaidOnTickets {
        let mut said = SaidOnTickets::default();
        for number in 0..count {
            let message = TicketMessage {
                kind: "text".into(),
                text: number.to_string(),
                at_ms: number * 1000,
                ..TicketMessage::default()
            };
            said.add("7", message);
        }
        said
    }

    fn ids(said: &SaidOnTickets, query: &[(&str, &str)], knobs: &Knobs) -> (Vec<String>, i64) {
        let data = said.page("7", &request(query), knobs).unwrap();
        let ids = data["messages"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_string());
        (ids.collect(), data["total"].as_i64().unwrap())
    }

    #[test]
    fn pages_windows_and_orders() {
        let (said, mut knobs) = (said(5), Knobs::default());
        assert_eq!(ids(&said, &[("page", "2"), ("page_size", "2")], &knobs), (vec!["70002".into(), "70003".into()], 5));
        assert_eq!(ids(&said, &[("time_start", "1"), ("time_end", "2")], &knobs).1, 2, "seconds, both ends inside");
        knobs.ticket_messages_newest_first = true;
        assert_eq!(ids(&said, &[("page_size", "2")], &knobs).0, ["70004", "70003"]);
        for broken in [[("page", "0")], [("page_size", "201")], [("time_start", "x")]] {
            assert!(said.page("7", &request(&broken), &knobs).is_err());
        }
        assert_eq!(said.page("8", &request(&[]), &knobs).unwrap()["total"], 0);
    }

    #[test]
    fn content_takes_every_shape() {
        let message = |kind: &str| TicketMessage {
            kind: kind.into(),
            text: "你好".into(),
            at_ms: 1500,
            ..TicketMessage::default()
        };
        let content = |kind: &str, how: MessageContent| {
            let knobs = Knobs { ticket_message_content: how, ..Knobs::default() };
            written("7", 0, &message(kind), &knobs)["content"].as_str().unwrap().to_string()
        };
        assert_eq!(content("text", MessageContent::Helpdesk), r#"{"content":"你好","msg_type":"text"}"#);
        assert_eq!(content("text", MessageContent::Chat), r#"{"text":"你好"}"#);
        assert_eq!(content("text", MessageContent::Plain), "你好");
        assert!(content("post", MessageContent::Chat).contains("你好"));
        assert!(!content("image", MessageContent::Helpdesk).contains("你好"));
        let knobs = Knobs { ticket_messages_in_seconds: true, ..Knobs::default() };
        assert_eq!(written("7", 0, &message("text"), &knobs)["created_at"], 1);
    }
}
