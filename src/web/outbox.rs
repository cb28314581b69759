//! `GET /api/v1/outbox`: what is not delivered. Instants are milliseconds since the Unix epoch.

use axum::{
    Json,
    extract::{Path, State},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        desk::letters::{Fares, Letter, Letters},
        time::Timestamp,
    },
    engine::asks::Ask,
    web::{
        operators::{Operators, name},
        problem::Problem,
        status::{Sentence, lane_name},
    },
};

/// What is not delivered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OutboxPage {
    /// How many notices wait or are on their way.
    pub waiting_total: usize,
    /// They, the oldest first; of very many the oldest 1,000.
    pub waiting: Vec<LetterDocument>,
    /// Notices that were given up, the latest first.
    pub dead: Vec<LetterDocument>,
}

/// One notice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LetterDocument {
    /// What it is named by: the first eight hex digits of its `uuid`.
    pub name: String,
    /// `waiting`, `sending`, `dead`.
    pub state: String,
    /// Whom it tells.
    pub receiver: String,
    /// What it tells: `fired`, `repeated`, `escalated`, `ended`, …
    pub step: String,
    /// Which repeat or update it is.
    pub ordinal: u32,
    /// The rule, or the name of deskbell's own trouble.
    pub rule: String,
    /// What it is about.
    pub subject: String,
    /// What that goes by.
    pub title: Option<String>,
    /// Of a digest, the references of its alerts, at most 50.
    #[serde(default)]
    pub holds: Vec<String>,
    /// How many alerts it has.
    #[serde(default)]
    pub holds_total: usize,
    /// The reference in its card's footer.
    pub reference: String,
    /// Which lane it waits in.
    pub lane: String,
    /// When it was decided.
    pub decided_at: i64,
    /// Not before this instant.
    pub not_before: i64,
    /// The first attempt that may have arrived.
    pub first_tried_at: Option<i64>,
    /// It may have arrived, and nobody can tell.
    pub maybe_repeat: bool,
    /// Attempts made.
    pub attempts: u32,
    /// What the last one said.
    pub last_error: Option<Sentence>,
    /// When it was given up.
    pub dead_at: Option<i64>,
    /// Why.
    pub reason: Option<Sentence>,
    /// Feishu's `uuid` of it.
    pub uuid: String,
}

/// What is not delivered.
#[utoipa::path(
    get,
    path = "/api/v1/outbox",
    operation_id = "list_outbox",
    tag = "outbox",
    responses((status = 200, description = "What waits, and what was given up", body = OutboxPage))
)]
pub async fn list(State(operators): State<Operators>) -> Result<Json<OutboxPage>, Problem> {
    Ok(Json(OutboxPage::from(operators.ask(Ask::Letters).await?)))
}

/// One notice.
#[utoipa::path(
    get,
    path = "/api/v1/outbox/{name}",
    operation_id = "get_notice",
    tag = "outbox",
    params(("name" = String, Path, description = "The notice's name, as the list gives it")),
    responses((status = 200, description = "The notice", body = LetterDocument))
)]
pub async fn one(
    State(operators): State<Operators>,
    Path(typed): Path<String>,
) -> Result<Json<LetterDocument>, Problem> {
    let typed = name("name", typed)?;
    let letter = operators.ask(|reply| Ask::Letter(typed, reply)).await?;
    Ok(Json(LetterDocument::from(letter)))
}

impl From<Letters> for OutboxPage {
    fn from(letters: Letters) -> Self {
        let all = |letters: Vec<Letter>| letters.into_iter().map(LetterDocument::from).collect();
        Self { waiting_total: letters.waiting_total, waiting: all(letters.waiting), dead: all(letters.dead) }
    }
}

impl From<Letter> for LetterDocument {
    fn from(letter: Letter) -> Self {
        let (state, dead) = match &letter.fares {
            Fares::Waits => ("waiting", None),
            Fares::Goes => ("sending", None),
            Fares::Dead { at, reason } => ("dead", Some((at.as_ms(), Sentence::from(reason.clone())))),
        };
        let (dead_at, reason) = dead.unzip();
        let key = &letter.key;
        Self {
            name: letter.name(),
            state: state.to_string(),
            receiver: key.receiver.to_string(),
            step: key.step.name().to_string(),
            ordinal: key.ordinal,
            rule: key.rule.to_string(),
            subject: key.subject.to_string(),
            reference: key.reference(),
            lane: lane_name(letter.lane).to_string(),
            decided_at: letter.decided_at.as_ms(),
            not_before: letter.not_before.as_ms(),
            first_tried_at: letter.first_tried_at.map(Timestamp::as_ms),
            maybe_repeat: letter.maybe_repeat,
            attempts: letter.attempts,
            last_error: letter.last_error.map(Sentence::from),
            dead_at,
            reason,
            uuid: key.uuid(),
            title: letter.title,
            holds: letter.holds,
            holds_total: letter.holds_total,
        }
    }
}
