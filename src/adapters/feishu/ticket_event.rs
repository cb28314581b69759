//! Events of a helpdesk, and of chats the bot is added to (`facts/feishu.md §2.9, §5.8`). Every field may be missing or
//! of another type; only what names the ticket or the chat is needed.

use serde_json::Value;

use crate::domain::{
    desk::input::{Added, ChatKind},
    id::{ChatId, EventId, TicketId},
    time::Timestamp,
};

/// A ticket was filed.
const CREATED: &str = "helpdesk.ticket.created_v1";

/// A ticket's status or stage changed.
const UPDATED: &str = "helpdesk.ticket.updated_v1";

/// Something was said on a ticket.
const SAID: &str = "helpdesk.ticket_message.created_v1";

/// The bot was added to a group.
const ADDED: &str = "im.chat.member.bot.added_v1";

/// Someone opened their chat with the bot for the first time; schema 1.0.
const OPENED: &str = "p2p_chat_create";

/// Characters of an id at most.
const ID_CHARS_MAX: usize = 64;

/// What an event tells of a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketEvent {
    /// The helpdesk's id, where it is told.
    pub helpdesk: Option<String>,
    /// The ticket.
    pub ticket: TicketId,
    /// When the ticket came to be as the event shows it, by the platform's clock, where it is told.
    pub moved_at: Option<Timestamp>,
    /// Something was said on it.
    pub said: bool,
}

/// Whether such events tell of tickets.
pub(super) fn tells_of_ticket(event_type: &str) -> bool {
    matches!(event_type, CREATED | UPDATED | SAID)
}

/// Whether such events tell that the bot was added to a chat.
pub(super) fn tells_of_chat(event_type: &str) -> bool {
    matches!(event_type, ADDED | OPENED)
}

/// Which ticket an event tells of.
pub(super) fn ticket(event_type: &str, body: &Value) -> Option<TicketEvent> {
    let event = body.get("event")?;
    let about = match event_type {
        UPDATED => event.get("object")?,
        SAID => event.get("ticket")?,
        _ => event,
    };
    let moved_at = ["updated_at", "created_at"].iter().filter_map(|name| number(about.get(*name)?)).max();
    Some(TicketEvent {
        helpdesk: about.get("helpdesk_id").and_then(id),
        ticket: TicketId::from(about.get("ticket_id").and_then(id)?.as_str()),
        moved_at: moved_at.filter(|ms| *ms > 0).map(Timestamp::from_ms),
        said: event_type == SAID,
    })
}

/// Which chat the bot was added to. `event` is the delivery's id.
pub(super) fn added(event_type: &str, event: &str, body: &Value) -> Option<Added> {
    let about = body.get("event")?;
    Some(Added {
        event: EventId::from(Some(event).filter(|event| !event.is_empty())?),
        chat: ChatId::from(about.get("chat_id").and_then(id).filter(|chat| chat.starts_with("oc_"))?.as_str()),
        kind: if event_type == OPENED { ChatKind::Direct } else { ChatKind::Group },
        // Groups are internal unless the platform says otherwise.
        external: about.get("external").and_then(Value::as_bool).unwrap_or(false),
    })
}

/// An id: text or a number, of characters that ids have.
fn id(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    (!text.is_empty() && text.len() <= ID_CHARS_MAX && text.chars().all(is_plain)).then_some(text)
}

/// An instant: a number, or one in text.
fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(event_type: &str, event: Value) -> Option<TicketEvent> {
        ticket(event_type, &json!({ "event": event }))
    }

    fn told(helpdesk: Option<&str>, moved_at: Option<i64>, said: bool) -> Option<TicketEvent> {
        let (helpdesk, moved_at) = (helpdesk.map(str::to_owned), moved_at.map(Timestamp::from_ms));
        Some(TicketEvent { helpdesk, ticket: "6626871355780366330".into(), moved_at, said })
    }

    #[test]
    fn each_event_names_its_ticket() {
        let id = "6626871355780366330";
        let table = [
            (
                CREATED,
                json!({ "ticket_id": id, "helpdesk_id": "66", "stage": 1, "status": 1, "created_at": 1000, "updated_at": -1 }),
                told(Some("66"), Some(1000), false),
            ),
            (
                UPDATED,
                json!({ "object": { "ticket_id": id, "helpdesk_id": "66", "created_at": 1000, "updated_at": 2000,
                    "guest": { "name": "-" } }, "old_object": { "status": 1, "updated_at": 1500 } }),
                told(Some("66"), Some(2000), false),
            ),
            // The live sample: a partial ticket, and the place as a number.
            (SAID, json!({ "position": 222, "ticket": { "status": 2, "ticket_id": id } }), told(None, None, true)),
            (
                CREATED,
                json!({ "ticket_id": 6_626_871_355_780_366_330_i64, "updated_at": "7" }),
                told(None, Some(7), false),
            ),
            (CREATED, json!({ "ticket_id": "" }), None),
            (CREATED, json!({ "ticket_id": "../x" }), None),
            (CREATED, json!({ "ticket_id": "1".repeat(65) }), None),
            (UPDATED, json!({ "ticket_id": id }), None),
            (SAID, json!({ "ticket": id }), None),
        ];
        for (event_type, event, expected) in table {
            assert_eq!(read(event_type, event.clone()), expected, "{event_type} {event}");
        }
        assert_eq!(ticket(CREATED, &json!([])), None);
    }

    #[test]
    fn a_chat_is_named_where_the_bot_was_added() {
        let group = json!({ "event": { "chat_id": "oc_a", "external": true, "name": "x" } });
        let read = added(ADDED, "e1", &group).unwrap();
        assert_eq!((read.chat.as_str(), read.kind, read.external), ("oc_a", ChatKind::Group, true));
        let own = json!({ "type": "event_callback", "uuid": "u1", "event": { "type": OPENED, "chat_id": "oc_d" } });
        assert_eq!(added(OPENED, "u1", &own).map(|added| added.kind), Some(ChatKind::Direct));
        for bad in [json!({}), json!({ "event": { "chat_id": "ou_a" } }), json!({ "event": { "chat_id": "oc_<at>" } })]
        {
            assert_eq!(added(ADDED, "e1", &bad), None, "{bad}");
        }
        assert_eq!(added(ADDED, "", &group), None);
    }
}
