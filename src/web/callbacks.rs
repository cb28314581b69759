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
            received::Incoming,
        },
    },
    domain::{
        command::{Command, language},
        desk::input::{ChatKind, ChatMessage},
        text::Locale,
        time::{Span, Timestamp},
    },
    web::state::{CallbackCounts, Submit, Submitted},
};

/// What the callbacks' listener needs.
#[derive(Clone)]
pub struct Callbacks {
    /// Checks and opens what Feishu sends; absent while `events.http` is off.
    pub feishu: Option<Arc<Callback>>,
    /// Takes what people write.
    pub submit: Submit,
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
