//! What operators ask and do, and the routes it is done by: questions to the desk, deeds with their answers.

use std::sync::Arc;

use tokio::{sync::Semaphore, time::timeout};
use utoipa_axum::{router::OpenApiRouter, routes};

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
        port::{ActAnswer, Port},
        replies::{Answered, ApiQuestion},
    },
    web::{acts, alerts, guests, journal, lookup, oncall, outbox, problem::Problem, route, rules, silences, tickets},
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
    /// Reads the condition of a list of tickets.
    pub compile_list: Compile,
    /// Places of those who make pages about rotas: [`oncall::PAGES_MAX`].
    pub pages: Arc<Semaphore>,
}

/// Reads a condition as people write it, or says what is wrong with it.
pub type Compile = Arc<dyn Fn(&str) -> Result<Condition, Message> + Send + Sync>;

impl Operators {
    /// Asks something that changes nothing.
    pub async fn ask<T>(&self, question: impl FnOnce(Back<T>) -> Ask + Send) -> Result<T, Problem> {
        self.ask_for(question).await?.map_err(Problem::missing)
    }

    /// The same, with why there is no answer.
    pub async fn ask_for<T>(
        &self,
        question: impl FnOnce(Back<T>) -> Ask + Send,
    ) -> Result<Result<T, Message>, Problem> {
        let answer = timeout(PATIENCE.to_std(), self.port.ask(question)).await;
        answer.ok().flatten().ok_or_else(Problem::busy)
    }

    /// Answers what someone would type in a chat.
    pub async fn look_up(&self, question: ApiQuestion) -> Result<Answered, Problem> {
        self.port.look_up(question).await.map_err(Problem::from)
    }

    /// Does something; ready once it is durable.
    pub async fn act(&self, act: Act) -> Result<ActAnswer, Problem> {
        let answer = timeout(PATIENCE.to_std(), self.port.act(act)).await;
        answer.map_err(|_| Problem::busy())?.map_err(Problem::from)
    }
}

/// The questions.
pub fn reads() -> OpenApiRouter<Operators> {
    OpenApiRouter::new()
        .routes(routes!(alerts::list))
        .routes(routes!(alerts::one))
        .routes(routes!(tickets::list))
        .routes(routes!(tickets::one))
        .routes(routes!(lookup::answer))
        .routes(routes!(outbox::list))
        .routes(routes!(outbox::one))
        .routes(routes!(silences::list))
        .routes(routes!(oncall::list))
        .routes(routes!(journal::answer))
        .routes(routes!(route::answer))
        .routes(routes!(rules::list))
        .routes(routes!(rules::one))
}

/// The deeds.
pub fn acts() -> OpenApiRouter<Operators> {
    OpenApiRouter::new()
        .routes(routes!(acts::take))
        .routes(routes!(acts::release))
        .routes(routes!(acts::done))
        .routes(routes!(acts::snooze))
        .routes(routes!(acts::retry))
        .routes(routes!(acts::forget))
        .routes(routes!(guests::forget))
        .routes(routes!(silences::add))
        .routes(routes!(silences::end))
        .routes(routes!(oncall::cover))
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
