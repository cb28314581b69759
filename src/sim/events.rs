//! Events on their way to the app: signed, encrypted, repeated until taken (`facts/feishu.md §5`).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::sim::{
    app::App,
    dice::Dice,
    directory::{Chat, ChatKind, Person},
    knobs::Knobs,
    message::Message,
    seal,
};

/// After an attempt that failed, the next follows so much later, milliseconds.
pub const RETRIES_MS: [i64; 4] = [15_000, 300_000, 3_600_000, 21_600_000];

/// An attempt not answered by then has failed, milliseconds.
pub const ANSWER_MS: i64 = 3000;

/// A needless repeat comes so much after the attempt that was taken, milliseconds.
const DUPLICATE_MS: i64 = 15_000;

/// One attempt to deliver an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Names the event when the attempt is settled.
    pub number: u64,
    /// `header.event_id`; the same on each attempt.
    pub event_id: String,
    /// Which attempt, from 1.
    pub attempt: usize,
    /// The body to post.
    pub body: String,
    /// The headers to post.
    pub headers: Vec<(String, String)>,
}

/// One attempt to deliver an event, not yet in the form of any transport.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    /// Names the event when the attempt is settled.
    pub(crate) number: u64,
    /// `header.event_id`.
    pub(crate) event_id: String,
    /// Which attempt, from 1.
    pub(crate) attempt: usize,
    /// The whole event.
    pub(crate) event: Value,
}

/// What became of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// `header.event_id`.
    pub event_id: String,
    /// When it was settled, milliseconds.
    pub at_ms: i64,
    /// The app's HTTP status, or the code of its acknowledgement; none: no answer.
    pub status: Option<u16>,
}

/// An event not yet taken.
#[derive(Clone, Debug)]
struct Pending {
    event_id: String,
    event: Value,
    attempts: usize,
    due_ms: i64,
    sent_ms: Option<i64>,
    is_repeat: bool,
}

/// Every event that is on its way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Events {
    pending: BTreeMap<u64, Pending>,
    count: u64,
    /// What became of every attempt.
    pub(crate) attempts: Vec<Attempt>,
}

impl Events {
    /// Takes an event of the second schema on its way; `event` is its inner part.
    pub(crate) fn push(&mut self, kind: &str, event: Value, app: &App, dice: &mut Dice, now_ms: i64) {
        let event_id = dice.hex(32);
        let event = json!({
            "schema": "2.0",
            "header": {
                "event_id": event_id, "event_type": kind, "create_time": now_ms.to_string(),
                "token": app.verification_token, "app_id": app.app_id, "tenant_key": app.tenant_key,
            },
            "event": event,
        });
        self.count += 1;
        let pending = Pending { event_id, event, attempts: 0, due_ms: now_ms, sent_ms: None, is_repeat: false };
        self.pending.insert(self.count, pending);
    }

    /// The attempts that are due, ready to be posted.
    pub(crate) fn take(&mut self, app: &App, knobs: &Knobs, dice: &mut Dice, now_ms: i64) -> Vec<Delivery> {
        let due = self.due(knobs, dice, now_ms);
        let delivery = |due: Due| {
            let (body, headers) = envelope(&due.event.to_string(), app, dice, now_ms);
            Delivery { number: due.number, event_id: due.event_id, attempt: due.attempt, body, headers }
        };
        due.into_iter().map(delivery).collect()
    }

    /// The attempts that are due. An attempt that nobody settled in time has failed.
    pub(crate) fn due(&mut self, knobs: &Knobs, dice: &mut Dice, now_ms: i64) -> Vec<Due> {
        let late: Vec<u64> = self
            .pending
            .iter()
            .filter(|(_, pending)| pending.sent_ms.is_some_and(|sent| sent + ANSWER_MS < now_ms))
            .map(|(number, _)| *number)
            .collect();
        for number in late {
            self.settle(number, None, knobs, dice, now_ms);
        }
        let mut due = Vec::new();
        for (number, pending) in &mut self.pending {
            if pending.sent_ms.is_none() && pending.due_ms <= now_ms {
                pending.sent_ms = Some(now_ms);
                pending.attempts += 1;
                let (event_id, event) = (pending.event_id.clone(), pending.event.clone());
                due.push(Due { number: *number, event_id, attempt: pending.attempts, event });
            }
        }
        if knobs.events_out_of_order {
            due.reverse();
        }
        due
    }

    /// Says what became of an attempt: the app's HTTP status, or none for no answer.
    pub(crate) fn settle(&mut self, number: u64, status: Option<u16>, knobs: &Knobs, dice: &mut Dice, now_ms: i64) {
        let Some(pending) = self.pending.get_mut(&number) else { return };
        self.attempts.push(Attempt { event_id: pending.event_id.clone(), at_ms: now_ms, status });
        pending.sent_ms = None;
        let is_taken = status == Some(200);
        let next_ms = if is_taken {
            let repeats = !pending.is_repeat && dice.chance(knobs.duplicate_events);
            pending.is_repeat = true;
            repeats.then_some(DUPLICATE_MS)
        } else {
            RETRIES_MS.get(pending.attempts - 1).copied()
        };
        match next_ms {
            Some(wait_ms) => pending.due_ms = now_ms + wait_ms,
            None => {
                self.pending.remove(&number);
            }
        }
    }

    /// When the next attempt is due, milliseconds.
    pub(crate) fn next_due_ms(&self) -> Option<i64> {
        self.pending.values().map(|pending| pending.sent_ms.map_or(pending.due_ms, |sent| sent + ANSWER_MS + 1)).min()
    }
}

/// What the console posts when the address is saved; the answer must be the challenge.
pub(crate) fn verification(challenge: &str, app: &App, dice: &mut Dice, now_ms: i64) -> Delivery {
    let event = json!({ "challenge": challenge, "token": app.verification_token, "type": "url_verification" });
    let (body, headers) = envelope(&event.to_string(), app, dice, now_ms);
    Delivery { number: 0, event_id: String::new(), attempt: 1, body, headers }
}

/// Body and headers of an event: sealed and signed if the app has an encrypt key.
pub(crate) fn envelope(event: &str, app: &App, dice: &mut Dice, now_ms: i64) -> (String, Vec<(String, String)>) {
    let mut headers = vec![("Content-Type".to_string(), "application/json;charset=utf-8".to_string())];
    let Some(key) = &app.encrypt_key else { return (event.to_string(), headers) };
    let mut vector = [0; 16];
    vector.iter_mut().for_each(|byte| *byte = dice.roll().to_be_bytes()[0]);
    let body = seal::encrypted(key, vector, event);
    let (timestamp, nonce) = ((now_ms / 1000).to_string(), dice.hex(16));
    let signature = seal::signature(&timestamp, &nonce, key, body.as_bytes());
    headers.push(("X-Lark-Request-Timestamp".to_string(), timestamp));
    headers.push(("X-Lark-Request-Nonce".to_string(), nonce));
    headers.push(("X-Lark-Signature".to_string(), signature));
    (body, headers)
}

/// `im.message.receive_v1` of a person's message (`facts/feishu.md §5.6`).
pub(crate) fn message_received(message: &Message, chat: &Chat, person: &Person, app: &App) -> Value {
    let ids = json!({ "union_id": person.union_id, "user_id": person.user_id, "open_id": person.open_id });
    let mut written = json!({
        "message_id": message.id, "create_time": message.sent_ms().to_string(),
        "update_time": message.changed_ms().to_string(), "chat_id": message.chat_id,
        "chat_type": if chat.kind == ChatKind::Direct { "p2p" } else { "group" },
        "message_type": message.kind, "content": message.content(),
    });
    for (name, id) in
        [("root_id", &message.root_id), ("parent_id", &message.parent_id), ("thread_id", &message.thread_id)]
    {
        if let Some(id) = id {
            written[name] = json!(id);
        }
    }
    if message.content().contains("@_user_1") {
        written["mentions"] = json!([{
            "key": "@_user_1", "id": { "union_id": "on_bot", "user_id": "", "open_id": app.bot_open_id },
            "mentioned_type": "bot", "name": app.bot_name, "tenant_key": app.tenant_key,
        }]);
    }
    json!({
        "sender": { "sender_id": ids, "sender_type": "user", "tenant_key": app.tenant_key },
        "message": written,
    })
}

#[cfg(test)]
mod tests;
