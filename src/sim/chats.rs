//! Chats, their members, and who is behind an email (`facts/feishu.md §3.6, §9`).

use serde_json::{Value, json};

use crate::sim::{
    directory::{Chat, ChatKind, Directory, Person},
    wire::{Refusal, Request},
};

/// Items on a page.
const PAGE_MAX: usize = 100;

/// Ids of one kind in one question.
const IDS_MAX: usize = 50;

/// `GET chats`: the groups the bot is in, never direct chats.
pub(crate) fn list(directory: &Directory, tenant_key: &str, request: &Request) -> Result<Value, Refusal> {
    let mut chats: Vec<&Chat> =
        directory.chats.values().filter(|chat| chat.has_bot && chat.kind != ChatKind::Direct).collect();
    chats.sort_unstable_by_key(|chat| chat.number);
    let item = |chat: &&Chat| {
        json!({
            "chat_id": chat.id, "avatar": "https://example.com/a.png", "name": chat.name, "description": "",
            "owner_id": owner(chat), "owner_id_type": "open_id", "external": chat.external,
            "tenant_key": tenant_key, "chat_status": status(chat),
        })
    };
    paged(&chats, request, item)
}

/// `GET chats/:id`: flat under `data`, counts as text.
pub(crate) fn get(directory: &Directory, tenant_key: &str, chat_id: &str) -> Result<Value, Refusal> {
    let chat = visible(directory, chat_id)?;
    let kind = match chat.kind {
        ChatKind::Group => ("group", "chat"),
        ChatKind::Topic => ("topic", "thread"),
        ChatKind::Direct => ("p2p", "chat"),
    };
    Ok(json!({
        "avatar": "https://example.com/a.png", "name": chat.name, "description": "", "owner_id": owner(chat),
        "owner_id_type": "open_id", "chat_mode": kind.0, "chat_type": "private", "group_message_type": kind.1,
        "user_count": chat.members.len().to_string(), "bot_count": "1", "external": chat.external,
        "tenant_key": tenant_key, "chat_status": status(chat),
    }))
}

/// `GET chats/:id/members`: people only.
pub(crate) fn members(
    directory: &Directory,
    tenant_key: &str,
    chat_id: &str,
    request: &Request,
) -> Result<Value, Refusal> {
    let chat = visible(directory, chat_id)?;
    let members: Vec<&String> = chat.members.iter().collect();
    let item = |open_id: &&String| {
        let name = directory.people.get(*open_id).map(|person| person.name.as_str()).unwrap_or_default();
        json!({ "member_id_type": "open_id", "member_id": open_id, "name": name, "tenant_key": tenant_key })
    };
    let mut page = paged(&members, request, item)?;
    page["member_total"] = json!(members.len());
    Ok(page)
}

/// `POST users/batch_get_id`: who is not found has no `user_id`.
pub(crate) fn user_ids(directory: &Directory, request: &Request) -> Result<Value, Refusal> {
    let body = request.object().ok_or_else(|| Refusal::field("body", "not a JSON object"))?;
    let with_resigned = body.get("include_resigned").and_then(Value::as_bool).unwrap_or(false);
    let mut users = Vec::new();
    for (list, name) in [("emails", "email"), ("mobiles", "mobile")] {
        let asked = match body.get(list) {
            None | Some(Value::Null) => continue,
            Some(Value::Array(asked)) if asked.len() <= IDS_MAX => asked,
            Some(_) => return Err(Refusal::field(list, "the max len is 50")),
        };
        for id in asked.iter().filter_map(Value::as_str) {
            let is_meant = |person: &&Person| {
                let own = if name == "email" { &person.email } else { &person.mobile };
                own == id && !id.is_empty() && (with_resigned || !person.resigned)
            };
            let mut user = json!({ name: id });
            if let Some(person) = directory.people.values().find(is_meant) {
                user["user_id"] = json!(person.open_id);
                user["status"] = json!({
                    "is_frozen": person.frozen, "is_resigned": person.resigned, "is_activated": true, "is_exited": false,
                    "is_unjoin": false,
                });
            }
            users.push(user);
        }
    }
    Ok(json!({ "user_list": users }))
}

fn visible<'a>(directory: &'a Directory, chat_id: &str) -> Result<&'a Chat, Refusal> {
    let chat = directory
        .chats
        .get(chat_id)
        .ok_or_else(|| Refusal::im(232_006, "Your request specifies a chat_id which is invalid."))?;
    if !chat.has_bot {
        return Err(Refusal::im(232_011, "Operator can NOT be out of the chat."));
    }
    Ok(chat)
}

fn owner(chat: &Chat) -> &str {
    chat.members.first().map(String::as_str).unwrap_or_default()
}

fn status(chat: &Chat) -> &'static str {
    if chat.dissolved { "dissolved" } else { "normal" }
}

fn paged<T>(all: &[T], request: &Request, item: impl Fn(&T) -> Value) -> Result<Value, Refusal> {
    let page_size: usize = match request.query_value("page_size") {
        None => 20,
        Some(text) => text
            .parse()
            .ok()
            .filter(|size| (1..=PAGE_MAX).contains(size))
            .ok_or_else(|| Refusal::field("page_size", "between 1 and 100"))?,
    };
    let skip: usize = request.query_value("page_token").and_then(|token| token.parse().ok()).unwrap_or_default();
    let items: Vec<Value> = all.iter().skip(skip).take(page_size).map(item).collect();
    let next = skip + items.len();
    let has_more = next < all.len();
    let token = if has_more { next.to_string() } else { String::new() };
    Ok(json!({ "items": items, "page_token": token, "has_more": has_more }))
}
