//! `receivers:` of the configuration: named destinations, and who hears of deskbell's own troubles.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use crate::{
    adapters::{
        feishu::config::WebhookConfig,
        yaml::{
            map::{Map, did_you_mean, text_of},
            nearest::nearest,
            tree::{Node, NodeKind, Scalar},
        },
    },
    app::config::words::{check_name, locale},
    domain::{
        fault::{Fault, Place},
        id::{ChatId, ReceiverName},
        receiver::{PersonId, Receiver, ReceiverKind},
        text::{Locale, Message},
    },
};

/// Receivers a configuration may have.
const RECEIVERS_MAX: usize = 200;

/// Characters of a chat id.
const CHAT_ID_CHARS_MAX: usize = 100;

/// What a receiver may say that is not built yet.
const NOT_BUILT: &[&str] = &["http", "bearer", "quiet"];

/// The receivers, as the decisions see them and as the adapter reaches them.
#[derive(Debug, Default)]
pub struct Receivers {
    /// Every name that is written, with faults or without: what else names it is right.
    pub written: BTreeSet<ReceiverName>,
    /// All without faults, by name.
    pub all: BTreeMap<ReceiverName, Receiver>,
    /// The custom bots among them.
    pub webhooks: BTreeMap<ReceiverName, WebhookConfig>,
}

/// Reads `receivers:`; there must be one.
pub fn read(root: &mut Map<'_>, base: &Path, default: Locale, faults: &mut Vec<Fault>) -> Receivers {
    let mut receivers = Receivers::default();
    let place = root.place().clone();
    let entries = root.map("receivers", faults).map(|mut map| map.rest()).unwrap_or_default();
    if entries.is_empty() {
        faults.push(none(Place::file(place.file)));
        return receivers;
    }
    if entries.len() > RECEIVERS_MAX {
        let message = Message::new(
            format!("接收方太多，最多 {RECEIVERS_MAX} 个"),
            format!("too many receivers: at most {RECEIVERS_MAX}"),
        );
        faults.push(Fault::error(place, message));
    }
    for (key, node) in entries.into_iter().take(RECEIVERS_MAX) {
        let named = check_name(key, faults);
        let name = ReceiverName::from(key.text.as_str());
        receivers.written.insert(name.clone());
        let read = one(node, base, default, faults);
        if let (true, Some((kind, locale, webhook))) = (named, read) {
            receivers.webhooks.extend(webhook.map(|webhook| (name.clone(), webhook)));
            receivers.all.insert(name.clone(), Receiver::new(name, kind, locale));
        }
    }
    receivers
}

fn none(place: Place) -> Fault {
    let message =
        Message::new("receivers 里一个接收方也没有，提醒没有地方发", "there is no receiver: alerts have nowhere to go");
    let hint = Message::new(
        "例如 receivers: { support: { chat_id: oc_… } }；deskbell chats 列出机器人所在的群",
        "such as receivers: { support: { chat_id: oc_… } }; deskbell chats lists the chats the bot is in",
    );
    Fault::error(place, message).with_hint(hint)
}

fn one(
    node: &Node,
    base: &Path,
    default: Locale,
    faults: &mut Vec<Fault>,
) -> Option<(ReceiverKind, Locale, Option<WebhookConfig>)> {
    let what = Message::new(
        "接收方：{ chat_id: oc_… }、{ person: 邮箱 } 或 { webhook: \"https://…\" }",
        "a receiver: { chat_id: oc_… }, { person: <email> } or { webhook: \"https://…\" }",
    );
    let mut map = Map::of(node, &what, faults)?;
    let locale = locale(&mut map, "locale", faults).unwrap_or(default);
    let chat = map.filled("chat_id");
    let person_node = map.filled("person");
    let webhook = WebhookConfig::read(&mut map, base, faults);
    let secret = map.get("secret").or_else(|| map.get("secret_file"));
    let written = |key: &str| matches!(&node.kind, NodeKind::Map(all) if all.iter().any(|(one, _)| one.text == key));
    let later = NOT_BUILT.iter().any(|key| written(key));
    let wrong = written("webhook") && webhook.is_none();
    map.finish(NOT_BUILT, faults);
    if let (Some(secret), None, false) = (secret, &webhook, wrong) {
        let message = Message::new(
            "secret 只用于 webhook，群和人不需要",
            "secret belongs to a webhook; chats and persons need none",
        );
        faults.push(Fault::error(secret.place.clone(), message));
    }
    match (chat, person_node, webhook) {
        (Some(chat), None, None) if !wrong => Some((ReceiverKind::Chat(chat_id(chat, faults)?), locale, None)),
        (None, Some(node), None) if !wrong => Some((ReceiverKind::Person(person(node, faults)?), locale, None)),
        (None, None, Some(webhook)) => Some((ReceiverKind::Webhook, locale, Some(webhook))),
        (None, None, None) if later || wrong => None, // said already
        _ => {
            let message = Message::new(
                "接收方要有 chat_id、person 或 webhook，且只能有一个",
                "a receiver has a chat_id, a person or a webhook, and only one of them",
            );
            faults.push(Fault::error(node.place.clone(), message));
            None
        }
    }
}

/// A person, by email or open id.
fn person(node: &Node, faults: &mut Vec<Fault>) -> Option<PersonId> {
    let (text, place) = text_of(node, faults)?;
    let sound = !text.contains(char::is_whitespace) && !text.starts_with('@') && !text.ends_with('@');
    let found = PersonId::of(&text).filter(|_| sound);
    if found.is_none() {
        let shown = node.scalar().map(Scalar::shown).unwrap_or_default();
        let message = Message::new(
            format!("“{shown}” 不是一个人：写他的飞书邮箱，或以 ou_ 开头的 ID"),
            format!("`{shown}` is no person: write their Feishu email, or an id that begins with ou_"),
        );
        faults.push(Fault::error(place, message));
    }
    found
}

/// A chat's id.
pub fn chat_id(node: &Node, faults: &mut Vec<Fault>) -> Option<ChatId> {
    let (text, place) = text_of(node, faults)?;
    let well_formed = text.strip_prefix("oc_").is_some_and(|rest| {
        !rest.is_empty()
            && rest.len() <= CHAT_ID_CHARS_MAX
            && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    });
    if well_formed {
        return Some(ChatId::from(text.as_str()));
    }
    let shown = node.scalar().map(Scalar::shown).unwrap_or_default();
    let message = Message::new(
        format!("“{shown}” 不是群 ID，群 ID 以 oc_ 开头"),
        format!("`{shown}` is no chat id; a chat id begins with oc_"),
    );
    let hint = Message::new(
        "deskbell chats 列出机器人所在的群和它们的 ID",
        "deskbell chats lists the chats the bot is in, with their ids",
    );
    faults.push(Fault::error(place, message).with_hint(hint));
    None
}

/// Reads `operations:`, the receiver of deskbell's own troubles, and where it is written.
pub fn operations(root: &mut Map<'_>, receivers: &Receivers, faults: &mut Vec<Fault>) -> Option<(ReceiverName, Place)> {
    let mut map = root.map("operations", faults)?;
    let to = map.required_text("to", faults);
    map.finish(&["heartbeat"], faults);
    let (name, place) = to?;
    let name = ReceiverName::from(name.as_str());
    if receivers.written.contains(&name) {
        return Some((name, place));
    }
    let message = Message::new(format!("没有叫 “{name}” 的接收方"), format!("there is no receiver `{name}`"));
    let fault = Fault::error(place, message);
    faults.push(match nearest(name.as_str(), receivers.written.iter().map(ReceiverName::as_str)) {
        Some(near) => fault.with_hint(did_you_mean(near)),
        None => fault,
    });
    None
}
