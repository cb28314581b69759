//! `GET /api/v1/explain`: what the rules say of a ticket, and why.

use axum::{
    Json,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::timeout;
use utoipa::IntoParams;

use crate::{
    domain::{
        explain::{
            explanation::{Explained, Explanation},
            text::text,
        },
        text::{Locale, Message},
        time::{Span, Timestamp},
        verdict::Answer,
        why::{Why, WhyKind},
    },
    web::state::Admin,
};

/// How long the answer is waited for.
pub const EXPLAIN_PATIENCE: Span = Span::from_secs(2);

/// Characters a ticket or a rule may be named with.
const NAME_CHARS_MAX: usize = 200;

/// What is asked.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// The ticket: its id, or its last digits.
    ticket: String,
    /// Only this rule.
    rule: Option<String>,
    /// The language of `text`: `zh` or `en`.
    lang: Option<String>,
}

/// What the rules say of a ticket, and why.
#[utoipa::path(
    get,
    path = "/api/v1/explain",
    operation_id = "explain_ticket",
    tag = "rules",
    params(Asked),
    responses((status = 200, description = "The answer of each rule, part by part", body = Object))
)]
pub async fn answer(State(admin): State<Admin>, Query(asked): Query<Asked>) -> Response {
    let Some(explain) = &admin.explain else { return StatusCode::NOT_FOUND.into_response() };
    let is_long = |name: &String| name.chars().count() > NAME_CHARS_MAX;
    if is_long(&asked.ticket) || asked.rule.as_ref().is_some_and(is_long) {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let locale = if asked.lang.as_deref() == Some("en") { Locale::En } else { Locale::Zh };
    match timeout(EXPLAIN_PATIENCE.to_std(), explain(asked.ticket, asked.rule)).await {
        Ok(Some(Ok(explained))) => {
            let mut answer = document(&explained);
            if let Some(object) = answer.as_object_mut() {
                object.insert("text".to_string(), json!(text(&explained, locale)));
            }
            Json(answer).into_response()
        }
        Ok(Some(Err(why))) => (StatusCode::NOT_FOUND, Json(json!({ "error": both(&why) }))).into_response(),
        Ok(None) | Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// An explanation for programs: instants in milliseconds since the Unix epoch, sentences in both languages.
pub fn document(explained: &Explained) -> Value {
    json!({
        "ticket": explained.ticket.to_string(),
        "at": explained.at.as_ms(),
        "as_of": explained.as_of.as_ms(),
        "notes": explained.notes.iter().map(both).collect::<Vec<_>>(),
        "rules": explained.rules.iter().map(rule).collect::<Vec<_>>(),
    })
}

fn rule(told: &Explanation) -> Value {
    json!({
        "rule": told.rule.as_str(),
        "answer": word(told.answer),
        "valid_until": instant(told.valid_until),
        "alert": both(&told.alert),
        "when": tree(&told.why),
        "until": told.until.as_ref().map(tree),
        "notes": told.notes.iter().map(both).collect::<Vec<_>>(),
    })
}

/// A condition's answer with those of its parts.
pub fn tree(why: &Why) -> Value {
    let each = |parts: &[Why]| json!(parts.iter().map(tree).collect::<Vec<_>>());
    let (kind, key, value) = match &why.kind {
        WhyKind::All(parts) => ("all", "parts", each(parts)),
        WhyKind::Any(parts) => ("any", "parts", each(parts)),
        WhyKind::None(parts) => ("none", "parts", each(parts)),
        WhyKind::Not(part) => ("not", "parts", json!([tree(part)])),
        WhyKind::Meets(name, part) => ("meets", "meets", json!({ "name": name.as_str(), "when": tree(part) })),
        WhyKind::Was(leaf) => ("was", "test", json!({ "asked": both(&leaf.asked), "fact": both(&leaf.fact) })),
        WhyKind::Leaf(leaf) => ("test", "test", json!({ "asked": both(&leaf.asked), "fact": both(&leaf.fact) })),
    };
    json!({ "kind": kind, "answer": word(why.answer), "valid_until": instant(why.valid_until), key: value })
}

/// The word of an answer.
pub const fn word(answer: Answer) -> &'static str {
    match answer {
        Answer::Yes => "yes",
        Answer::No => "no",
        Answer::Unknown => "unknown",
    }
}

fn instant(at: Timestamp) -> Option<i64> {
    (!at.is_never()).then(|| at.as_ms())
}

/// A sentence in both languages.
pub fn both(message: &Message) -> Value {
    json!({ "zh": message.zh, "en": message.en })
}
