//! Sees what became new in the chats since it last looked.

use std::collections::BTreeMap;

use crate::{
    domain::time::Timestamp,
    sim::{
        card::{self, View},
        message::{Message, Sender},
        platform::Platform,
    },
};

/// Something new in a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When it came.
    pub at: Timestamp,
    /// The chat's name; of a direct chat, its person's.
    pub chat: String,
    /// What it is.
    pub what: What,
    /// The content as it was sent: for cards, the card's JSON.
    pub content: String,
}

/// What became new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A text: who, and the words.
    Words(String, String),
    /// A click on a card: who, and what the button says.
    Click(String, String),
    /// A card.
    Card(View),
    /// A card that hangs on what somebody said: who.
    Answer(String, View),
    /// A card that hangs on a card.
    FollowUp(View),
    /// A card that changed.
    Update(View),
}

/// Remembers what was seen.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    versions: BTreeMap<String, usize>,
}

impl Watch {
    /// What is new, chat by chat, in the order of the messages. Of a card that changed several times, the last state.
    pub fn look(&mut self, platform: &Platform) -> Vec<Seen> {
        let mut news: Vec<&Message> = platform
            .messages()
            .into_iter()
            .filter(|message| self.versions.get(&message.id) != Some(&message.versions.len()))
            .collect();
        news.sort_by_key(|message| platform.chat(&message.chat_id).map(|chat| chat.number));
        let mut seen = Vec::new();
        for message in news {
            let known = self.versions.insert(message.id.clone(), message.versions.len());
            let is_update = known.is_some();
            // Whoever clicked saw the card at once; the update that follows shows the same.
            let before = known.and_then(|count| message.versions.get(count.checked_sub(1)?));
            if before.is_some_and(|before| before.content == message.content()) {
                continue;
            }
            let at = if is_update { message.changed_ms() } else { message.sent_ms() };
            let chat = chat_name(platform, &message.chat_id);
            let what = what(platform, message, is_update);
            seen.push(Seen { at: Timestamp::from_ms(at), chat, what, content: message.content().to_string() });
        }
        seen
    }
}

fn what(platform: &Platform, message: &Message, is_update: bool) -> What {
    let Some(view) =
        card::view(message.content(), &|id| platform.name_of(id)).filter(|_| message.kind == "interactive")
    else {
        let mention = format!("@{}", platform.app().bot_name);
        let words = message.text().unwrap_or_default().replace("@_user_1", &mention);
        return What::Words(sender_name(platform, &message.sender), words);
    };
    if is_update {
        return What::Update(view);
    }
    match message.parent_id.as_deref().and_then(|id| platform.message(id)) {
        None => What::Card(view),
        Some(parent) if parent.kind == "interactive" => What::FollowUp(view),
        Some(parent) => What::Answer(sender_name(platform, &parent.sender), view),
    }
}

fn sender_name(platform: &Platform, sender: &Sender) -> String {
    match sender {
        Sender::Bot | Sender::Hook => platform.app().bot_name.clone(),
        Sender::Person(open_id) => platform.name_of(open_id).unwrap_or_else(|| open_id.clone()),
    }
}

fn chat_name(platform: &Platform, chat_id: &str) -> String {
    let Some(chat) = platform.chat(chat_id) else { return chat_id.to_string() };
    if chat.name.is_empty() {
        return chat.members.first().and_then(|open_id| platform.name_of(open_id)).unwrap_or_default();
    }
    chat.name.clone()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sim::{directory::ChatKind, wire::Request};

    fn send(platform: &mut Platform, method: &str, path: &str, title: &str, now_ms: i64) -> String {
        let app = platform.app().clone();
        let request = Request::new("POST", "/open-apis/auth/v3/tenant_access_token/internal")
            .json(&json!({ "app_id": app.app_id, "app_secret": app.app_secret }));
        let token = platform.handle(&request, now_ms).json()["tenant_access_token"].as_str().unwrap().to_string();
        let card = json!({
            "config": { "update_multi": true }, "elements": [],
            "header": { "title": { "tag": "plain_text", "content": title } },
        });
        let chat = if title.ends_with('2') { "oc_b" } else { "oc_a" };
        let request = Request::new(method, &format!("/open-apis/im/v1/messages{path}"))
            .query("receive_id_type", "chat_id")
            .header("Authorization", &format!("Bearer {token}"))
            .json(&json!({ "receive_id": chat, "msg_type": "interactive", "content": card.to_string() }));
        let answer = platform.handle(&request, now_ms).json();
        assert_eq!(answer["code"], 0, "{answer}");
        answer["data"]["message_id"].as_str().unwrap_or_default().to_string()
    }

    #[test]
    fn everything_new_is_seen_once() {
        let mut platform = Platform::new(1);
        platform.add_chat("oc_a", "甲", ChatKind::Group);
        platform.add_chat("oc_b", "乙", ChatKind::Group);
        platform.add_person("ou_li", "李雷", "li@example.com");
        let mut watch = Watch::default();
        let mut look = |platform: &Platform| -> Vec<String> {
            watch
                .look(platform)
                .into_iter()
                .map(|seen| {
                    let what = match seen.what {
                        What::Words(who, words) => format!("{who}：{words}"),
                        What::Click(who, button) => format!("{who} > {button}"),
                        What::Card(view) => format!("card {}", view.title),
                        What::Answer(who, view) => format!("to {who} {}", view.title),
                        What::FollowUp(view) => format!("follow-up {}", view.title),
                        What::Update(view) => format!("update {}", view.title),
                    };
                    format!("{} {} {what}", seen.at.as_ms(), seen.chat)
                })
                .collect()
        };
        send(&mut platform, "POST", "", "c2", 10);
        let first = send(&mut platform, "POST", "", "c1", 11);
        let asked = platform.person_says("oc_a", "ou_li", "/ticket 1", true, 12).unwrap();
        assert_eq!(look(&platform), ["11 甲 card c1", "12 甲 李雷：@deskbell /ticket 1", "10 乙 card c2"]);
        assert_eq!(look(&platform), [] as [String; 0]);
        send(&mut platform, "PATCH", &format!("/{first}"), "c3", 20);
        send(&mut platform, "PATCH", &format!("/{first}"), "c4", 21);
        assert_eq!(look(&platform), ["21 甲 update c4"]);
        send(&mut platform, "PATCH", &format!("/{first}"), "c4", 22);
        assert_eq!(look(&platform), [""; 0], "the same once more");
        send(&mut platform, "POST", &format!("/{asked}/reply"), "c5", 22);
        send(&mut platform, "POST", &format!("/{first}/reply"), "c6", 23);
        assert_eq!(look(&platform), ["22 甲 to 李雷 c5", "23 甲 follow-up c6"]);
    }
}
