//! What operators ask and do, and the routes it is done by: questions to the desk, deeds with their answers.

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{delete, get, post},
};
use tokio::time::timeout;

use crate::{
    adapters::clock::Clock,
    domain::{
        condition::Condition,
        deed::Act,
        text::Message,
        time::{Span, Zone},
    },
    engine::{
        asks::{Ask, Back},
        start::{ActAnswer, Port},
    },
    web::{acts, alerts, journal, outbox, problem::Problem, route, silences},
};

/// How long an answer is waited for.
pub const PATIENCE: Span = Span::from_secs(5);

/// Characters anything may be named with.
pub const NAME_CHARS_MAX: usize = 200;

/// Bytes of a deed's body.
pub const BODY_BYTES_MAX: usize = 16 * 1024;

/// What operators reach the service by.
#[derive(Clone)]
pub struct Operators {
    /// The engine.
    pub port: Port,
    /// The zone people write times in.
    pub zone: Zone,
    /// The clock.
    pub clock: Clock,
    /// Reads the condition of a silence.
    pub compile: Compile,
}

/// Reads a condition as people write it, or says what is wrong with it.
pub type Compile = Arc<dyn Fn(&str) -> Result<Condition, Message> + Send + Sync>;

impl Operators {
    /// Asks something that changes nothing.
    pub async fn ask<T>(&self, question: impl FnOnce(Back<T>) -> Ask + Send) -> Result<T, Problem> {
        let answer = timeout(PATIENCE.to_std(), self.port.ask(question)).await;
        answer.ok().flatten().ok_or_else(Problem::busy)?.map_err(Problem::missing)
    }

    /// Does something; ready once it is durable.
    pub async fn act(&self, act: Act) -> Result<ActAnswer, Problem> {
        let answer = timeout(PATIENCE.to_std(), self.port.act(act)).await;
        answer.map_err(|_| Problem::busy())?.map_err(Problem::from)
    }
}

/// The requests that are answered, for the reference.
pub const ROUTES: [(&str, &str); 15] = [
    ("GET", "/api/v1/alerts"),
    ("GET", "/api/v1/alerts/{reference}"),
    ("POST", "/api/v1/alerts/{reference}/take"),
    ("POST", "/api/v1/alerts/{reference}/release"),
    ("POST", "/api/v1/alerts/{reference}/done"),
    ("POST", "/api/v1/alerts/{reference}/snooze"),
    ("GET", "/api/v1/outbox"),
    ("GET", "/api/v1/outbox/{name}"),
    ("POST", "/api/v1/outbox/{name}/retry"),
    ("POST", "/api/v1/outbox/{name}/drop"),
    ("GET", "/api/v1/silences"),
    ("POST", "/api/v1/silences"),
    ("DELETE", "/api/v1/silences/{id}"),
    ("GET", "/api/v1/journal"),
    ("GET", "/api/v1/route"),
];

/// The routes.
pub fn routes(operators: Operators) -> Router {
    Router::new()
        .route("/api/v1/alerts", get(alerts::list))
        .route("/api/v1/alerts/{reference}", get(alerts::one))
        .route("/api/v1/alerts/{reference}/take", post(acts::take))
        .route("/api/v1/alerts/{reference}/release", post(acts::release))
        .route("/api/v1/alerts/{reference}/done", post(acts::done))
        .route("/api/v1/alerts/{reference}/snooze", post(acts::snooze))
        .route("/api/v1/outbox", get(outbox::list))
        .route("/api/v1/outbox/{name}", get(outbox::one))
        .route("/api/v1/outbox/{name}/retry", post(acts::retry))
        .route("/api/v1/outbox/{name}/drop", post(acts::forget))
        .route("/api/v1/silences", get(silences::list).post(silences::add))
        .route("/api/v1/silences/{id}", delete(silences::end))
        .route("/api/v1/journal", get(journal::answer))
        .route("/api/v1/route", get(route::answer))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(operators)
}

/// A name of bounded length.
pub fn name(place: &str, text: String) -> Result<String, Problem> {
    if text.trim().is_empty() || text.chars().count() > NAME_CHARS_MAX {
        return Err(Problem::bad(
            place,
            Message::new(
                format!("要写 1 到 {NAME_CHARS_MAX} 个字"),
                format!("1 to {NAME_CHARS_MAX} characters are needed"),
            ),
        ));
    }
    Ok(text)
}
