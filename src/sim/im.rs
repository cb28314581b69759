//! Messages: sent, answered, updated, read back (`facts/feishu.md §3`).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::sim::{
    card,
    dice::Dice,
    directory::{Chat, ChatKind, Directory},
    knobs::{Knobs, UuidScope},
    limits::Windows,
    message::{Message, Sender, Urge, Version},
    route::Limit,
    wire::{Refusal, Request},
};

/// Bytes of a card's or post's content.
pub(crate) const CARD_BYTES_MAX: usize = 30 * 1024;

/// Bytes of a text message's request.
pub(crate) const TEXT_BYTES_MAX: usize = 150 * 1024;

/// A `uuid` holds this long, milliseconds.
pub(crate) const UUID_LIFE_MS: i64 = 3_600_000;

/// A card may be updated this long, milliseconds.
pub(crate) const PATCH_LIFE_MS: i64 = 14 * 86_400_000;

/// Characters of a `uuid`.
const UUID_CHARS_MAX: usize = 50;

/// Messages in one chat, and updates of one message: 5 in a second.
const FIVE_A_SECOND: &[Limit] = &[Limit { calls: 5, within_ms: 1000 }];

/// Messages on a page of history.
const HISTORY_PAGE_MAX: usize = 50;

/// What a handler needs besides the messages.
pub(crate) struct Scene<'a> {
    pub(crate) directory: &'a mut Directory,
    pub(crate) knobs: &'a Knobs,
    pub(crate) dice: &'a mut Dice,
    pub(crate) app_id: &'a str,
    pub(crate) tenant_key: &'a str,
    pub(crate) now_ms: i64,
    /// Until when the answer to this request is under way.
    pub(crate) busy_until_ms: i64,
}

/// What was sent with a `uuid`.
#[derive(Clone, Debug)]
struct SentWith {
    message_id: String,
    at_ms: i64,
    busy_until_ms: i64,
}

/// A message about to be sent.
struct Draft<'a> {
    chat_id: String,
    parent: Option<String>,
    in_thread: bool,
    body: &'a Map<String, Value>,
    request_bytes: usize,
}

/// Every message of the tenant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Messages {
    messages: BTreeMap<String, Message>,
    uuids: BTreeMap<(String, String), SentWith>,
    windows: Windows,
    /// Urgent calls that went out.
    pub(crate) urges: Vec<Urge>,
    count: u64,
}

impl Messages {
    /// A message.
    pub(crate) fn get(&self, id: &str) -> Option<&Message> {
        self.messages.get(id)
    }

    /// A message, to be changed.
    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Message> {
        self.messages.get_mut(id)
    }

    /// The messages of a chat (of every chat: none) in the order they were sent.
    pub(crate) fn in_order(&self, chat_id: Option<&str>) -> Vec<&Message> {
        let mut found: Vec<&Message> =
            self.messages.values().filter(|message| chat_id.is_none_or(|id| message.chat_id == id)).collect();
        found.sort_unstable_by_key(|message| message.number);
        found
    }

    /// Keeps a message; the chat's kind and the parent give its topic.
    pub(crate) fn keep(
        &mut self,
        chat: &Chat,
        sender: Sender,
        kind: &str,
        content: String,
        parent: Option<(&str, bool)>,
        (dice, now_ms): (&mut Dice, i64),
    ) -> String {
        self.count += 1;
        let id = format!("om_{}", dice.hex(32));
        let above = parent.and_then(|(id, _)| self.messages.get(id));
        let root_id = above.map(|above| above.root_id.clone().unwrap_or_else(|| above.id.clone()));
        let opens_topic = chat.kind == ChatKind::Topic || parent.is_some_and(|(_, in_thread)| in_thread);
        let thread_id = above
            .and_then(|above| above.thread_id.clone())
            .or_else(|| opens_topic.then(|| format!("omt_{}", dice.hex(16))));
        let message = Message {
            id: id.clone(),
            chat_id: chat.id.clone(),
            root_id,
            parent_id: parent.map(|(id, _)| id.to_string()),
            thread_id,
            sender,
            kind: kind.to_string(),
            versions: vec![Version { at_ms: now_ms, content }],
            uuid: None,
            recalled: false,
            requests: 1,
            number: self.count,
        };
        self.messages.insert(id.clone(), message);
        id
    }

    /// `POST messages`.
    pub(crate) fn create(&mut self, request: &Request, scene: &mut Scene<'_>) -> Result<Value, Refusal> {
        let body = request.object().ok_or_else(|| Refusal::field("body", "not a JSON object"))?;
        let kind = request.query_value("receive_id_type").unwrap_or_default();
        let id = body.get("receive_id").and_then(Value::as_str).unwrap_or_default();
        let chat_id = target(kind, id, scene.directory)?;
        let draft = Draft { chat_id, parent: None, in_thread: false, body: &body, request_bytes: request.body.len() };
        self.post(draft, scene)
    }

    /// `POST messages/:id/reply`.
    pub(crate) fn reply(
        &mut self,
        message_id: &str,
        request: &Request,
        scene: &mut Scene<'_>,
    ) -> Result<Value, Refusal> {
        let body = request.object().ok_or_else(|| Refusal::field("body", "not a JSON object"))?;
        let parent = self.existing(message_id)?;
        let draft = Draft {
            chat_id: parent.chat_id.clone(),
            parent: Some(parent.id.clone()),
            in_thread: body.get("reply_in_thread").and_then(Value::as_bool).unwrap_or(false),
            body: &body,
            request_bytes: request.body.len(),
        };
        self.post(draft, scene)
    }

    fn post(&mut self, draft: Draft<'_>, scene: &mut Scene<'_>) -> Result<Value, Refusal> {
        let text = |name: &str| draft.body.get(name).and_then(Value::as_str);
        let kind = text("msg_type").ok_or_else(|| Refusal::field("msg_type", "msg_type is required"))?;
        let content = text("content")
            .ok_or_else(|| Refusal::im(230_001, "invalid request parameter, ext=content is not a string"))?;
        let uuid = uuid_of(draft.body)?;
        let Some(chat) = scene.directory.chats.get(&draft.chat_id).cloned() else {
            return Err(Refusal::im(
                230_001,
                "Your request contains an invalid request parameter, ext=invalid receive_id",
            ));
        };
        may_send(&chat)?;
        self.admit(&format!("chat {}", chat.id), scene, "chat rate limit")?;
        let scope = if scene.knobs.uuid_scope == UuidScope::App { String::new() } else { chat.id.clone() };
        if let Some(uuid) = &uuid
            && let Some(known) = self.known(&scope, uuid, scene)?
        {
            return Ok(known);
        }
        check_content(kind, content, draft.request_bytes, &chat, scene)?;
        let parent = draft.parent.as_deref().map(|id| (id, draft.in_thread));
        let id = self.keep(&chat, Sender::Bot, kind, content.to_string(), parent, (&mut *scene.dice, scene.now_ms));
        if let Some(uuid) = uuid {
            let sent = SentWith { message_id: id.clone(), at_ms: scene.now_ms, busy_until_ms: scene.busy_until_ms };
            self.uuids.insert((scope, uuid.clone()), sent);
            if let Some(message) = self.messages.get_mut(&id) {
                message.uuid = Some(uuid);
            }
        }
        let message = self.existing(&id)?;
        Ok(message.write(scene.app_id, scene.tenant_key, false))
    }

    /// The message that this `uuid` was sent with within the hour.
    fn known(&mut self, scope: &str, uuid: &str, scene: &Scene<'_>) -> Result<Option<Value>, Refusal> {
        let Some(sent) = self.uuids.get(&(scope.to_string(), uuid.to_string())) else { return Ok(None) };
        if scene.now_ms < sent.busy_until_ms {
            return Err(Refusal::im(230_049, "The message is being sent."));
        }
        if scene.now_ms >= sent.at_ms + UUID_LIFE_MS {
            return Ok(None);
        }
        let message = self.messages.get_mut(&sent.message_id);
        Ok(message.map(|message| {
            message.requests += 1;
            message.write(scene.app_id, scene.tenant_key, false)
        }))
    }

    /// `PATCH messages/:id`.
    pub(crate) fn patch(
        &mut self,
        message_id: &str,
        request: &Request,
        scene: &mut Scene<'_>,
    ) -> Result<Value, Refusal> {
        let body = request.object().ok_or_else(|| Refusal::field("body", "not a JSON object"))?;
        let invalid = |text: &str| Refusal::im(230_001, format!("invalid request parameter, ext={text}"));
        let content = body.get("content").and_then(Value::as_str).ok_or_else(|| invalid("content is not a string"))?;
        let message = self.existing(message_id)?.clone();
        if message.sender != Sender::Bot {
            return Err(Refusal::im(230_027, "Lack of necessary permissions, ext=not the sender of the message"));
        }
        if message.kind != "interactive" {
            return Err(invalid("the message is no card"));
        }
        if scene.now_ms - message.sent_ms() > PATCH_LIFE_MS {
            return Err(Refusal::im(230_031, "The message is too old to be updated."));
        }
        let chat = scene.directory.chats.get(&message.chat_id).cloned();
        let chat = chat.ok_or_else(|| invalid("invalid chat"))?;
        may_send(&chat)?;
        self.admit(&format!("message {message_id}"), scene, "message rate limit")?;
        let old = card::check(message.content(), scene.directory, true)?;
        check_content("interactive", content, request.body.len(), &chat, scene)?;
        let new = card::check(content, scene.directory, chat.may_mention_all)?;
        if !old.is_updatable || !new.is_updatable {
            return Err(invalid("update_multi is not set"));
        }
        if old.is_second_schema && !new.is_second_schema {
            return Err(Refusal::im(230_099, "Failed to create card content, ext=ErrCode: 200830; ErrMsg: schema; "));
        }
        if let Some(message) = self.messages.get_mut(message_id) {
            message.versions.push(Version { at_ms: scene.now_ms, content: content.to_string() });
        }
        Ok(json!({}))
    }

    /// `GET messages/:id`.
    pub(crate) fn read(&self, message_id: &str, request: &Request, scene: &Scene<'_>) -> Result<Value, Refusal> {
        let message = self.existing(message_id)?;
        let whole = wants_whole(request, scene.knobs);
        Ok(json!({ "items": [message.write(scene.app_id, scene.tenant_key, whole)] }))
    }

    /// `GET messages?container_id_type=chat&container_id=…`; instants are seconds here.
    pub(crate) fn history(&self, request: &Request, scene: &Scene<'_>) -> Result<Value, Refusal> {
        let value = |name: &str| request.query_value(name).unwrap_or_default();
        let invalid = |text: &str| Refusal::im(230_001, format!("invalid request parameter, ext={text}"));
        let (kind, id) = (value("container_id_type"), value("container_id"));
        let seconds = |name: &str, default: i64| match value(name) {
            "" => Ok(default),
            text => text.parse::<i64>().map_err(|_| invalid(name)),
        };
        let (start, end) = (seconds("start_time", 0)?, seconds("end_time", i64::MAX / 1000)?);
        let page_size = match value("page_size") {
            "" => 20,
            text => text
                .parse()
                .ok()
                .filter(|size| (1..=HISTORY_PAGE_MAX).contains(size))
                .ok_or_else(|| invalid("page_size"))?,
        };
        let mut found: Vec<&Message> = match kind {
            "chat" => {
                let chat = scene.directory.chats.get(id).ok_or_else(|| invalid("invalid container_id"))?;
                if !chat.has_bot {
                    return Err(Refusal::im(230_002, "The bot is not in the group."));
                }
                self.in_order(Some(id))
            }
            "thread" => self.in_order(None).into_iter().filter(|own| own.thread_id.as_deref() == Some(id)).collect(),
            _ => return Err(invalid("container_id_type")),
        };
        found.retain(|message| (start..=end).contains(&(message.sent_ms() / 1000)));
        if value("sort_type") == "ByCreateTimeDesc" {
            found.reverse();
        }
        let skip: usize = value("page_token").parse().unwrap_or_default();
        let whole = wants_whole(request, scene.knobs);
        let items: Vec<Value> = found
            .iter()
            .skip(skip)
            .take(page_size)
            .map(|message| message.write(scene.app_id, scene.tenant_key, whole))
            .collect();
        let next = skip + items.len();
        let has_more = next < found.len();
        let token = if has_more { next.to_string() } else { String::new() };
        Ok(json!({ "has_more": has_more, "page_token": token, "items": items }))
    }

    pub(crate) fn existing(&self, message_id: &str) -> Result<&Message, Refusal> {
        let message = self.messages.get(message_id);
        let message = message.ok_or_else(|| Refusal::new(400, 99_992_354, "The message_id does not exist"))?;
        if message.recalled {
            return Err(Refusal::im(230_011, "The message was recalled."));
        }
        Ok(message)
    }

    fn admit(&mut self, key: &str, scene: &Scene<'_>, what: &str) -> Result<(), Refusal> {
        if !scene.knobs.limits {
            return Ok(());
        }
        self.windows
            .admit(key, FIVE_A_SECOND, scene.now_ms)
            .map_err(|_| Refusal::im(230_020, format!("This operation triggers the frequency limit, ext={what}")))
    }
}

/// The chat that a receiver id means. Whatever is no chat's id is told like an unknown chat.
fn target(kind: &str, id: &str, directory: &mut Directory) -> Result<String, Refusal> {
    let unknown = match kind {
        "chat_id" => return Ok(id.to_string()),
        "open_id" => 99_992_351,
        "union_id" => 99_992_352,
        "user_id" => 99_992_360,
        "email" => 230_034,
        _ => return Err(Refusal::field("receive_id_type", "receive_id_type is required")),
    };
    let person = directory.find(kind, id).cloned();
    let refused = || Refusal::im(unknown, format!("The request you send is not a valid {kind} or not exists"));
    let person = person.ok_or_else(refused)?;
    if person.resigned || person.frozen {
        return Err(Refusal::im(230_029, "The user has resigned."));
    }
    Ok(directory.direct_chat(&person.open_id))
}

fn may_send(chat: &Chat) -> Result<(), Refusal> {
    if chat.dissolved {
        return Err(Refusal::im(232_009, "The chat was dissolved."));
    }
    if !chat.has_bot {
        return Err(Refusal::im(230_002, "The bot is not in the group."));
    }
    if chat.muted {
        return Err(Refusal::im(230_018, "The group's settings do not allow this."));
    }
    Ok(())
}

/// The `uuid` as a key; a null is one too, the same for every message (`facts/feishu.md §3.1`).
fn uuid_of(body: &Map<String, Value>) -> Result<Option<String>, Refusal> {
    match body.get("uuid") {
        None => Ok(None),
        Some(Value::Null) => Ok(Some("null".to_string())),
        Some(Value::String(uuid)) if uuid.is_empty() => Ok(None),
        Some(Value::String(uuid)) if uuid.chars().count() <= UUID_CHARS_MAX => Ok(Some(uuid.clone())),
        Some(_) => Err(Refusal::field("uuid", "the max len is 50")),
    }
}

fn check_content(
    kind: &str,
    content: &str,
    request_bytes: usize,
    chat: &Chat,
    scene: &Scene<'_>,
) -> Result<(), Refusal> {
    let is_text = kind == "text";
    if (is_text && request_bytes > TEXT_BYTES_MAX) || (!is_text && content.len() > CARD_BYTES_MAX) {
        return Err(Refusal::im(230_025, "The length of the message content reaches its limit."));
    }
    match kind {
        "interactive" => {
            card::check(content, scene.directory, chat.may_mention_all)?;
            if scene.knobs.refuses_strangers || scene.knobs.refuses_mentions {
                card::check_strangers(content, scene.directory, chat, scene.knobs.refuses_mentions)?;
            }
        }
        "text" | "post" => {
            let parsed: Result<Map<String, Value>, _> = serde_json::from_str(content);
            let parsed =
                parsed.map_err(|_| Refusal::im(230_001, "invalid request parameter, ext=content is not json"))?;
            if is_text && !parsed.get("text").is_some_and(Value::is_string) {
                return Err(Refusal::im(230_001, "invalid request parameter, ext=text can't be nil"));
            }
        }
        _ => return Err(Refusal::im(230_001, "invalid request parameter, ext=invalid msg_type")),
    }
    if scene.knobs.sensitive_words.iter().any(|word| content.contains(word.as_str())) {
        return Err(Refusal::im(230_022, "The content of the message contains sensitive information."));
    }
    if scene.knobs.refuses_personal_data && has_personal_data(content) {
        return Err(Refusal::im(230_028, "The messages do NOT pass the audit, ext=contain sensitive data"));
    }
    Ok(())
}

/// The text with its numbered characters (`&#64;`) as people see them.
fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("&#") {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let known = escape.get(2..).and_then(|tail| tail.split_once(';'));
        let known = known.and_then(|(number, tail)| Some((char::from_u32(number.parse().ok()?)?, tail)));
        match known {
            Some((c, tail)) => {
                out.push(c);
                rest = tail;
            }
            None => {
                out.push_str("&#");
                rest = escape.get(2..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    out
}

/// Whether a mainland mobile number or a mail address stands in the text.
fn has_personal_data(text: &str) -> bool {
    let text = &shown(text);
    let is_mobile = |digits: &str| digits.len() == 11 && digits.starts_with('1');
    let has_mobile = text.split(|c: char| !c.is_ascii_digit()).any(is_mobile);
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '@');
    let is_mail = |word: &str| {
        word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.trim_end_matches('.').contains('.'))
    };
    has_mobile || text.split(|c: char| !is_word(c)).any(is_mail)
}

fn wants_whole(request: &Request, knobs: &Knobs) -> bool {
    !knobs.history_always_simplified && request.query_value("card_msg_content_type") == Some("user_card_content")
}

#[cfg(test)]
mod tests;
