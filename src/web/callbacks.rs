//! `POST /feishu/events`: what Feishu sends. Answers 200 only for what is stored or of no interest; what cannot be
//! stored in time gets 503, so that the platform sends it again. Never tells a stranger why it was refused.

use std::{
    sync::{Arc, atomic::AtomicI64, atomic::Ordering},
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, Bytes, to_bytes},
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::{
    adapters::{
        clock::Clock,
        feishu::{
            callback::{Callback, Opened, Reject},
            click::{self, Click, Form},
            received::Incoming,
        },
    },
    domain::{
        actor::Actor,
        card::Card,
        command::{Command, language},
        deed::{Act, Deed, Place, Tone},
        desk::input::{ChatKind, ChatMessage},
        id::ChatId,
        text::{Locale, Message, Words},
        time::{Span, Timestamp},
    },
    web::state::{CallbackCounts, Do, Submit, Submitted},
};

/// What the callbacks' listener needs.
#[derive(Clone)]
pub struct Callbacks {
    /// Checks and opens what Feishu sends; absent while `events.http` is off.
    pub feishu: Option<Arc<Callback>>,
    /// Takes what people write.
    pub submit: Submit,
    /// Does what people click.
    pub act: Do,
    /// The time, for the freshness of signatures.
    pub clock: Clock,
    /// The language of answers to people who show none.
    pub locale: Locale,
    /// How callbacks were answered.
    pub counts: Arc<CallbackCounts>,
}

/// Bytes of a callback's body. A message's text is at most 150 KB on the platform; encryption adds a third.
pub const CALLBACK_BYTES_MAX: usize = 1024 * 1024;

/// Callbacks in work at once; more get 503 at once and come again.
pub const CALLBACKS_AT_ONCE_MAX: usize = 256;

/// How long a callback's body may take to arrive.
pub const BODY_MAX: Duration = Duration::from_secs(2);

/// How long the engine may take to store a message. The platform waits 3 s in all (`facts/feishu.md §5.5`).
pub const STORE_MAX: Duration = Duration::from_millis(2_500);

/// How long a click waits for its answer, from its arrival. The platform gives up after 3 s, both ways on the network
/// included (`facts/feishu.md §5.7`); what is not ready by then follows as an update of the card.
pub const CLICK_ANSWER_MAX: Span = Span::from_secs(2);

/// What whoever clicked is told who is not answered in time: it is done all the same.
const UPDATING: Words = Words {
    zh: "已收到，正在更新；几秒后卡片还没变，请再点一次",
    en: "Received, updating; if the card has not changed in a few seconds, please click again",
};

/// What whoever clicked is told when the store takes no writes, or too much is waiting.
const NOT_SAVED: Words = Words {
    zh: "没有保存，什么都没有改变。请稍后再点一次；一直这样请告诉管理员",
    en: "Not saved, nothing has changed. Please click again in a moment; if it stays like this tell the administrator",
};

/// What whoever clicked is told whose click cannot be read.
const NOT_READ: Words = Words {
    zh: "这个按钮没有读懂，什么都没有改变。可以在卡片上回复“我来”，或写 /help",
    en: "This button could not be read, nothing has changed. Reply \"on it\" on the card, or write /help",
};

/// Refused callbacks are logged at most this often: strangers must not fill the disk.
const REJECT_LOG_EVERY: Span = Span::from_mins(1);

/// The callbacks' routes.
pub fn router(callbacks: Callbacks) -> Router {
    let state = Arc::new(Inner {
        callbacks,
        places: Semaphore::new(CALLBACKS_AT_ONCE_MAX),
        reject_logged_at: AtomicI64::new(i64::MIN),
    });
    Router::new()
        .route("/feishu/events", post(feishu_events))
        .route("/healthz", get(|| async { "ok" }))
        .with_state(state)
}

struct Inner {
    callbacks: Callbacks,
    places: Semaphore,
    reject_logged_at: AtomicI64,
}

async fn feishu_events(State(state): State<Arc<Inner>>, headers: HeaderMap, body: Body) -> Response {
    let counts = &state.callbacks.counts;
    let Some(feishu) = &state.callbacks.feishu else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Ok(_place) = state.places.try_acquire() else {
        CallbackCounts::count(&counts.refused);
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let came_at = state.callbacks.clock.now();
    let body = match read(&headers, body).await {
        Ok(body) => body,
        Err(status) => {
            CallbackCounts::count(&counts.rejected);
            return status.into_response();
        }
    };
    let now = state.callbacks.clock.now();
    match feishu.open(&headers, &body, now) {
        Ok(Opened::Challenge(challenge)) => Json(json!({ "challenge": challenge })).into_response(),
        Ok(Opened::Message(incoming)) => match question(*incoming, state.callbacks.locale) {
            Some(message) => submit(&state, message).await,
            None => ignored(counts),
        },
        Ok(Opened::Click(form, click)) => clicked(&state, form, click.map(|click| *click), came_at).await,
        Ok(Opened::Ignored { .. }) => ignored(counts),
        Err(reject) => {
            CallbackCounts::count(&counts.rejected);
            log_reject(&state, reject, now);
            status_of(reject).into_response()
        }
    }
}

/// The body's bytes as they came: the signature is over them.
async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, StatusCode> {
    let announced = headers.get("content-length").and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|bytes| bytes > CALLBACK_BYTES_MAX) {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    match tokio::time::timeout(BODY_MAX, to_bytes(body, CALLBACK_BYTES_MAX)).await {
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Ok(Ok(bytes)) => Ok(bytes),
    }
}

/// The message as a question to the bot; nothing when it is not meant for it or needs no answer.
fn question(incoming: Incoming, default: Locale) -> Option<ChatMessage> {
    let to_bot = incoming.mentions_bot || incoming.chat_kind == ChatKind::Direct;
    let says_something = incoming.mentions_bot || !incoming.text.trim().is_empty();
    let command = match &incoming.reply_to {
        _ if !says_something => return None,
        // What is said to nobody arrives only where the app may read whole groups (`im:message.group_msg`).
        Some(_) => Command::parse_reply(&incoming.text, to_bot),
        None if to_bot => Command::parse(&incoming.text),
        None => return None,
    };
    (command != Command::Nothing).then_some(ChatMessage {
        event: incoming.event,
        message: incoming.message,
        chat: incoming.chat,
        chat_kind: incoming.chat_kind,
        sender: incoming.sender,
        sender_name: None,
        reply_to: incoming.reply_to,
        locale: language(&incoming.text).unwrap_or(default),
        command,
        sent_at: incoming.sent_at,
    })
}

/// Does what a click asks for. The answer is always 200: anything else shows whoever clicked a bare error number.
async fn clicked(state: &Inner, form: Form, click: Option<Click>, came_at: Timestamp) -> Response {
    let counts = &state.callbacks.counts;
    let Some(act) = click.and_then(|click| deed(click, state.callbacks.locale)) else {
        CallbackCounts::count(&counts.ignored);
        return told(form, Some((Tone::Refused, &NOT_READ.into())), None);
    };
    let looks = matches!(act.deed, Deed::Look(..));
    let clock = &state.callbacks.clock;
    let fate = tokio::select! {
        biased;
        fate = (state.callbacks.act)(act) => Some(fate),
        () = clock.sleep_until(came_at.plus(CLICK_ANSWER_MAX)) => None,
    };
    match fate {
        Some(Ok(answer)) => {
            CallbackCounts::count(&counts.accepted);
            // Whoever only looks sees what they asked for on the card.
            let is_silent = looks && answer.tone == Tone::Done && answer.card.is_some();
            told(form, (!is_silent).then_some((answer.tone, &answer.words)), answer.card.as_ref())
        }
        Some(Err(refused)) => {
            CallbackCounts::count(&counts.refused);
            tracing::warn!(reason = %refused, "a click was not taken");
            told(form, Some((Tone::Refused, &NOT_SAVED.into())), None)
        }
        None => {
            CallbackCounts::count(&counts.accepted);
            tracing::warn!("a click was not answered in time; the card's update follows");
            told(form, Some((Tone::Already, &UPDATING.into())), None)
        }
    }
}

/// The click as a deed.
fn deed(click: Click, locale: Locale) -> Option<Act> {
    let Click { id, by, chat, message, pressed } = click;
    // Whether it is a direct chat the platform does not say; the desk knows its receivers' chats from others.
    let place = Place::Chat(chat.unwrap_or_else(|| ChatId::from("")), ChatKind::Group);
    let clicked = message.filter(|_| !pressed.on_reply);
    let deed = Deed::of_press(pressed.press, pressed.alert, pressed.episode)?;
    Some(Act { id, by: Actor::person(by), place, clicked, deed, locale })
}

fn told(form: Form, toast: Option<(Tone, &Message)>, card: Option<&Card>) -> Response {
    Json(click::answer(form, toast, card)).into_response()
}

fn ignored(counts: &CallbackCounts) -> Response {
    CallbackCounts::count(&counts.ignored);
    success()
}

async fn submit(state: &Inner, message: ChatMessage) -> Response {
    let counts = &state.callbacks.counts;
    let fate = tokio::time::timeout(STORE_MAX, (state.callbacks.submit)(message)).await;
    if fate == Ok(Submitted::Durable) {
        CallbackCounts::count(&counts.accepted);
        return success();
    }
    CallbackCounts::count(&counts.refused);
    tracing::warn!(in_time = fate.is_ok(), "a message could not be stored; the platform will send it again");
    StatusCode::SERVICE_UNAVAILABLE.into_response()
}

/// What a stranger may learn: that it was not a message of ours, or not a message at all.
fn status_of(reject: Reject) -> StatusCode {
    StatusCode::from_u16(reject.status()).unwrap_or(StatusCode::BAD_REQUEST)
}

fn success() -> Response {
    Json(json!({ "msg": "success" })).into_response()
}

fn log_reject(state: &Inner, reject: Reject, now: Timestamp) {
    let last = Timestamp::from_ms(state.reject_logged_at.load(Ordering::Relaxed));
    if now.since(last) >= REJECT_LOG_EVERY {
        state.reject_logged_at.store(now.as_ms(), Ordering::Relaxed);
        tracing::warn!(reason = %reject, "a callback was refused (further ones within a minute are only counted)");
    }
}
