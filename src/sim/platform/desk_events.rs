//! What a helpdesk tells the app of its tickets, once the app asked for it (`facts/feishu.md §2.9`); what chats tell.

use serde_json::{Value, json};

use crate::sim::{
    app::App,
    platform::Platform,
    ticket::Ticket,
    wire::{Refusal, Request},
};

/// The events there are: as the subscription names them, and as they arrive.
const KINDS: [(&str, &str, &str); 3] = [
    ("helpdesk.ticket", "ticket.created_v1", CREATED),
    ("helpdesk.ticket", "ticket.updated_v1", UPDATED),
    ("helpdesk.ticket_message", "ticket_message.created_v1", SAID),
];

const CREATED: &str = "helpdesk.ticket.created_v1";
const UPDATED: &str = "helpdesk.ticket.updated_v1";
const SAID: &str = "helpdesk.ticket_message.created_v1";

impl Platform {
    /// `POST helpdesk/v1/events/subscribe` and `unsubscribe`. Doing it again is no mistake (UNCONFIRMED).
    pub(super) fn subscribe(&mut self, helpdesk_id: &str, request: &Request, on: bool) -> Result<Value, Refusal> {
        let body = request.object().ok_or_else(bad_request)?;
        let events = body.get("events").and_then(Value::as_array).filter(|events| !events.is_empty());
        let kind = |event: &Value| {
            let text = |name| event.get(name).and_then(Value::as_str).unwrap_or_default();
            let known = KINDS.iter().find(|(kind, subkind, _)| (*kind, *subkind) == (text("type"), text("subtype")));
            known.map(|(_, _, event)| *event).ok_or_else(bad_request)
        };
        for kind in events.ok_or_else(bad_request)?.iter().map(kind).collect::<Result<Vec<_>, _>>()? {
            let key = (helpdesk_id.to_string(), kind);
            if on {
                self.subscribed.insert(key);
            } else {
                self.subscribed.remove(&key);
            }
        }
        Ok(json!({}))
    }

    /// The app asks a helpdesk for every event.
    pub fn subscribe_to_all(&mut self, helpdesk_id: &str) {
        self.subscribed.extend(KINDS.map(|(_, _, event)| (helpdesk_id.to_string(), event)));
    }

    /// How many kinds of events the app asked a helpdesk for.
    pub fn subscriptions(&self, helpdesk_id: &str) -> usize {
        self.subscribed.iter().filter(|(desk, _)| desk == helpdesk_id).count()
    }

    /// Tells of a new ticket.
    pub(super) fn tell_created(&mut self, ticket_id: &str, now_ms: i64) {
        let Some(ticket) = self.helpdesks.ticket(ticket_id).cloned() else { return };
        self.tell_of_ticket(&ticket.helpdesk_id, CREATED, told(&ticket, &self.app), now_ms);
    }

    /// Tells of a changed ticket: only of its stage and its status.
    pub(super) fn tell_updated(&mut self, before: &Ticket, now_ms: i64) {
        let Some(after) = self.helpdesks.ticket(&before.ticket_id).cloned() else { return };
        if (before.ticket_type, before.status) == (after.ticket_type, after.status) {
            return;
        }
        let mut old = json!({ "updated_at": before.updated_at.unwrap_or(-1) });
        if before.ticket_type != after.ticket_type {
            old["stage"] = json!(before.ticket_type);
        }
        if before.status != after.status {
            old["status"] = json!(before.status);
        }
        let event = json!({ "object": told(&after, &self.app), "old_object": old });
        self.tell_of_ticket(&after.helpdesk_id, UPDATED, event, now_ms);
    }

    /// Tells of something said on a ticket. It names neither helpdesk nor time of the ticket.
    pub(super) fn tell_said(&mut self, ticket_id: &str, (sender, text): (&str, &str), now_ms: i64) {
        let Some(ticket) = self.helpdesks.ticket(ticket_id).cloned() else { return };
        let sender_type = match sender {
            "" => 1,
            id if id == ticket.guest.id => 2,
            _ => 3,
        };
        let mut event = json!({
            "ticket_message_id": self.chatter.hex(16), "message_id": format!("om_{}", self.chatter.hex(32)),
            "msg_type": "text", "position": 222, "sender_type": sender_type, "text": text,
            "ticket": { "status": ticket.status, "ticket_id": ticket.ticket_id },
            "event_id": self.chatter.hex(32), "chat_id": "oc_ticket",
            "content": { "content": text, "msg_type": "text" },
        });
        if !sender.is_empty() {
            event["sender_id"] = json!({ "open_id": sender });
        }
        self.tell_of_ticket(&ticket.helpdesk_id, SAID, event, now_ms);
    }

    fn tell_of_ticket(&mut self, helpdesk_id: &str, kind: &'static str, event: Value, now_ms: i64) {
        if self.subscribed.contains(&(helpdesk_id.to_string(), kind)) {
            self.push_event(kind, event, now_ms);
        }
    }

    /// Someone puts the bot into a chat that exists; no: there is none of that id.
    pub fn add_bot(&mut self, chat_id: &str, by: &str, now_ms: i64) -> bool {
        let tenant_key = self.app.tenant_key.clone();
        let Some(chat) = self.directory.chats.get_mut(chat_id) else { return false };
        chat.has_bot = true;
        let event = json!({
            "chat_id": chat_id, "operator_id": { "open_id": by }, "external": chat.external,
            "operator_tenant_key": tenant_key, "name": chat.name, "i18n_names": { "zh_cn": chat.name },
        });
        self.push_event("im.chat.member.bot.added_v1", event, now_ms);
        true
    }
}

fn told(ticket: &Ticket, app: &App) -> Value {
    let mut event = json!({
        "ticket_id": ticket.ticket_id, "helpdesk_id": ticket.helpdesk_id, "stage": ticket.ticket_type,
        "guest": { "id": { "open_id": ticket.guest.id, "union_id": "on_x", "user_id": "" }, "name": "-" },
        "status": ticket.status, "created_at": ticket.created_at, "updated_at": ticket.updated_at.unwrap_or(-1),
        "chat_id": format!("oc_{}", app.tenant_key),
    });
    for (name, value) in [("closed_at", ticket.closed_at), ("solve", ticket.solve), ("score", ticket.score)] {
        if let Some(value) = value {
            event[name] = json!(value);
        }
    }
    event
}

fn bad_request() -> Refusal {
    Refusal::new(400, 154_000, "Bad request, please check your request body")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::{
        caller::{Caller, NOW},
        platform::stage::HELPDESK_ID,
        ticket::{STATUS_PROCESSING, STATUS_QUEUEING, User},
    };

    fn heard(caller: &mut Caller) -> Vec<(String, Value)> {
        caller.platform.app_mut().encrypt_key = None;
        let due = caller.platform.take_deliveries(NOW);
        let read = |body: &str| {
            let event: Value = serde_json::from_str(body).unwrap();
            (event["header"]["event_type"].as_str().unwrap().to_string(), event["event"].clone())
        };
        due.iter().map(|delivery| read(&delivery.body)).collect()
    }

    #[test]
    fn a_helpdesk_tells_what_it_was_asked_for() {
        let mut caller = Caller::new();
        caller.platform.create_ticket(NOW, |_| ());
        assert_eq!(heard(&mut caller), [], "nobody asked");
        let all: Vec<Value> = KINDS.iter().map(|(kind, sub, _)| json!({ "type": kind, "subtype": sub })).collect();
        for _ in 0..2 {
            let (status, code, _) = caller.call("POST", "helpdesk/v1/events/subscribe", &json!({ "events": all }));
            assert_eq!((status, code), (200, 0));
        }
        assert_eq!(caller.platform.subscriptions(HELPDESK_ID), 3);
        let id = caller.platform.create_ticket(NOW, |ticket| ticket.status = STATUS_QUEUEING);
        caller.platform.update_ticket(&id, NOW, |ticket| ticket.status = STATUS_PROCESSING);
        caller.platform.set_custom_field(&id, "优先级", "P0", NOW);
        caller.platform.agent_says(&id, &User { id: "ou_li".to_string(), ..User::default() }, "好", NOW);
        let heard = heard(&mut caller);
        let kinds: Vec<&str> = heard.iter().map(|(kind, _)| kind.as_str()).collect();
        assert_eq!(kinds, [CREATED, UPDATED, SAID], "of other changes it tells nothing");
        assert_eq!(heard[0].1["updated_at"], -1);
        assert_eq!(heard[1].1["old_object"], json!({ "status": STATUS_QUEUEING, "updated_at": -1 }));
        assert_eq!(heard[1].1["object"]["ticket_id"], json!(id));
        assert_eq!((&heard[2].1["sender_type"], &heard[2].1["ticket"]["ticket_id"]), (&json!(3), &json!(id)));
        let (_, code, _) = caller.call("POST", "helpdesk/v1/events/unsubscribe", &json!({ "events": [all[0]] }));
        assert_eq!((code, caller.platform.subscriptions(HELPDESK_ID)), (0, 2));
        for bad in [json!({}), json!({ "events": [] }), json!({ "events": [{ "type": "x", "subtype": "y" }] })] {
            assert_eq!(caller.call("POST", "helpdesk/v1/events/subscribe", &bad).1, 154_000);
        }
    }

    #[test]
    fn a_chat_tells_that_the_bot_is_in_it() {
        let mut caller = Caller::new();
        caller.platform.change_chat("oc_a", |chat| chat.external = true);
        assert!(caller.platform.add_bot("oc_a", "ou_li", NOW) && !caller.platform.add_bot("oc_none", "ou_li", NOW));
        let heard = heard(&mut caller);
        assert_eq!(heard[0].0, "im.chat.member.bot.added_v1");
        assert_eq!((&heard[0].1["chat_id"], &heard[0].1["external"]), (&json!("oc_a"), &json!(true)));
    }
}
