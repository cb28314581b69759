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
        feishu::callback::{Callback, Opened, Reject},
    },
    domain::time::{Span, Timestamp},
    engine::incoming::{Fate, Reception, Taken},
    web::state::CallbackCounts,
};

/// What the callbacks' listener needs.
#[derive(Clone)]
pub struct Callbacks {
    /// Checks and opens what Feishu sends; absent while `events.http` is off.
    pub feishu: Option<Arc<Callback>>,
    /// Takes what it says.
    pub reception: Reception,
    /// The time, for the freshness of signatures.
    pub clock: Clock,
    /// How callbacks were answered.
    pub counts: Arc<CallbackCounts>,
}

/// Bytes of a callback's body. A message's text is at most 150 KB on the platform; encryption adds a third.
pub const CALLBACK_BYTES_MAX: usize = 1024 * 1024;

/// Callbacks in work at once; more get 503 at once and come again.
pub const CALLBACKS_AT_ONCE_MAX: usize = 256;

/// How long a callback's body may take to arrive.
pub const BODY_MAX: Duration = Duration::from_secs(2);

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
        Ok(Opened::Event(event)) => answer(state.callbacks.reception.take(event, came_at).await, counts),
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

/// What the platform is told of an event. A click is always shown an answer: all else is a bare error number.
fn answer(taken: Taken, counts: &CallbackCounts) -> Response {
    CallbackCounts::count(match taken.fate {
        Fate::Accepted => &counts.accepted,
        Fate::Ignored => &counts.ignored,
        Fate::Refused => &counts.refused,
    });
    match taken {
        Taken { answer: Some(answer), .. } => Json(answer).into_response(),
        Taken { fate: Fate::Refused, .. } => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Taken { .. } => Json(json!({ "msg": "success" })).into_response(),
    }
}

/// What a stranger may learn: that it was not a message of ours, or not a message at all.
fn status_of(reject: Reject) -> StatusCode {
    StatusCode::from_u16(reject.status()).unwrap_or(StatusCode::BAD_REQUEST)
}

fn log_reject(state: &Inner, reject: Reject, now: Timestamp) {
    let last = Timestamp::from_ms(state.reject_logged_at.load(Ordering::Relaxed));
    if now.since(last) >= REJECT_LOG_EVERY {
        state.reject_logged_at.store(now.as_ms(), Ordering::Relaxed);
        tracing::warn!(reason = %reject, "a callback was refused (further ones within a minute are only counted)");
    }
}
