//! Custom bots: one address, one chat, and HTTP 200 even for errors (`facts/feishu.md §4`).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::sim::{
    card,
    dice::Dice,
    directory::Directory,
    im::Messages,
    limits::Windows,
    message::Sender,
    route::Limit,
    seal,
    wire::{Answer, Request},
};

/// Bytes of a request.
pub const HOOK_BYTES_MAX: usize = 20 * 1024;

/// Seconds that a signature's timestamp may be away.
const SIGN_SECONDS_MAX: i64 = 3600;

/// 5 a second and 100 a minute.
const HOOK_LIMITS: &[Limit] = &[Limit { calls: 5, within_ms: 1000 }, Limit { calls: 100, within_ms: 60_000 }];

/// A custom bot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hook {
    /// The last part of its address.
    pub token: String,
    /// The chat it posts to.
    pub chat_id: String,
    /// Set: requests must be signed.
    pub secret: Option<String>,
    /// Not empty: a message must hold one of these.
    pub keywords: Vec<String>,
}

/// Every custom bot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hooks {
    hooks: BTreeMap<String, Hook>,
    windows: Windows,
}

impl Hooks {
    /// Adds a custom bot to a chat.
    pub(crate) fn add(&mut self, hook: Hook) {
        self.hooks.insert(hook.token.clone(), hook);
    }

    /// `POST bot/v2/hook/:token`.
    pub(crate) fn post(
        &mut self,
        token: &str,
        request: &Request,
        messages: &mut Messages,
        directory: &Directory,
        (dice, has_limits, now_ms): (&mut Dice, bool, i64),
    ) -> Answer {
        match self.accept(token, request, directory, has_limits, now_ms) {
            Err((code, text)) => Answer::Whole(json!({ "code": code, "msg": text, "data": {} })),
            Ok((chat_id, kind, content)) => {
                if let Some(chat) = directory.chats.get(&chat_id) {
                    messages.keep(chat, Sender::Hook, &kind, content, None, (dice, now_ms));
                }
                Answer::Whole(json!({
                    "StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success",
                }))
            }
        }
    }

    /// The chat, the kind and the content of what is posted, or code and text of the refusal.
    fn accept(
        &mut self,
        token: &str,
        request: &Request,
        directory: &Directory,
        has_limits: bool,
        now_ms: i64,
    ) -> Result<(String, String, String), (i64, String)> {
        let refused = |code, text: &str| (code, text.to_string());
        let Some(hook) = self.hooks.get(token) else {
            return Err(refused(19_001, "param invalid: incoming webhook access token invalid"));
        };
        if has_limits && self.windows.admit(token, HOOK_LIMITS, now_ms).is_err() {
            return Err(refused(11_232, "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]"));
        }
        if request.body.len() > HOOK_BYTES_MAX {
            return Err(refused(19_036, "content over the size limit"));
        }
        let body = request.object().ok_or_else(|| refused(9499, "Bad Request"))?;
        check_sign(hook, &body, now_ms)?;
        let kind = body.get("msg_type").and_then(Value::as_str);
        let kind = kind.ok_or_else(|| refused(19_002, "params error, msg_type need"))?;
        let member = body.get(if kind == "interactive" { "card" } else { "content" });
        let content = member.filter(|member| member.is_object()).ok_or_else(|| refused(9499, "Bad Request"))?;
        if !hook.keywords.is_empty() && !hook.keywords.iter().any(|word| content.to_string().contains(word.as_str())) {
            return Err(refused(19_024, "Key Words Not Found"));
        }
        if kind == "interactive" {
            card::check(&content.to_string(), directory, true).map_err(|refusal| (refusal.code, refusal.message))?;
        } else if kind == "text" && !content.get("text").is_some_and(Value::is_string) {
            return Err(refused(9499, "Bad Request"));
        }
        Ok((hook.chat_id.clone(), kind.to_string(), content.to_string()))
    }
}

fn check_sign(hook: &Hook, body: &Map<String, Value>, now_ms: i64) -> Result<(), (i64, String)> {
    let Some(secret) = &hook.secret else { return Ok(()) };
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let timestamp = text("timestamp");
    let is_fresh = timestamp.parse::<i64>().is_ok_and(|at| (now_ms / 1000 - at).abs() <= SIGN_SECONDS_MAX);
    if is_fresh && text("sign") == seal::hook_sign(timestamp, secret) {
        return Ok(());
    }
    Err((19_021, "sign match fail or timestamp is not within one hour from current time".to_string()))
}
