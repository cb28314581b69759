//! `/api/v1/silences`: which silences are in force, a new one, the end of one. Instants are milliseconds since the Unix
//! epoch.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    domain::{
        condition::Condition,
        deed::{Deed, NewSilence, Rest},
        desk::silences::SilenceLine,
        id::{SilenceId, TicketKey},
        silence::{Matcher, WHEN_CHARS_MAX, Written},
        text::Message,
    },
    engine::asks::Ask,
    web::{
        acts::{self, Asked, Done, Plain},
        alerts::severity_of,
        instants,
        operators::{Compile, Operators, name},
        problem::Problem,
        status::Sentence,
    },
};

/// The silences in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SilencesPage {
    /// The oldest first.
    pub silences: Vec<SilenceDocument>,
}

/// A silence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SilenceDocument {
    /// Its number (`S7`).
    pub id: String,
    /// What it matches, in words.
    pub matches: Sentence,
    /// Who asked for it.
    pub by: Sentence,
    /// Why.
    pub reason: String,
    /// From when.
    pub from: i64,
    /// Until when.
    pub until: i64,
    /// How many alerts it matches that ring now.
    pub ringing: usize,
}

/// A silence as asked for.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = NewSilence)]
#[serde(deny_unknown_fields)]
pub struct NewDocument {
    /// Only this ticket: its id, or its last digits.
    ticket: Option<String>,
    /// Only this rule.
    rule: Option<String>,
    /// Only this severity: `info`, `warning`, `critical`.
    severity: Option<String>,
    /// Only this source.
    source: Option<String>,
    /// Only this team.
    team: Option<String>,
    /// Only tickets of which this condition holds: as rules write it, in a text or as JSON.
    #[schema(value_type = Option<Object>)]
    when: Option<Value>,
    /// For how long from now (`30m`, `2h`, `tomorrow`, `next workday`). Either this or `until`.
    r#for: Option<String>,
    /// Until when (`2026-11-20 18:00`, or RFC 3339).
    until: Option<String>,
    /// Why.
    reason: Option<String>,
    /// Who asks for it.
    by: Option<String>,
}

/// The silences in force.
#[utoipa::path(
    get,
    path = "/api/v1/silences",
    operation_id = "list_silences",
    tag = "silences",
    responses((status = 200, description = "The oldest first", body = SilencesPage))
)]
pub async fn list(State(operators): State<Operators>) -> Result<Json<SilencesPage>, Problem> {
    let silences = operators.ask(Ask::Silences).await?;
    Ok(Json(SilencesPage { silences: silences.into_iter().map(SilenceDocument::from).collect() }))
}

/// A new silence.
#[utoipa::path(
    post,
    path = "/api/v1/silences",
    operation_id = "add_silence",
    tag = "silences",
    request_body = NewDocument,
    responses((status = 200, description = "It is in force", body = Done))
)]
pub async fn add(State(operators): State<Operators>, asked: Asked) -> Result<Response, Problem> {
    let new: NewDocument = asked.read()?;
    let matches = matcher(&operators, &new).await?;
    let lasts = lasts(&operators, &new)?;
    let reason = new.reason.as_deref().unwrap_or_default();
    let silence = NewSilence { matches, reason: reason.into(), lasts };
    let act = asked.act(new.by.as_deref(), Deed::Silence(Box::new(silence)));
    acts::answer(&operators, act, None).await
}

/// The end of a silence.
#[utoipa::path(
    delete,
    path = "/api/v1/silences/{id}",
    operation_id = "end_silence",
    tag = "silences",
    params(("id" = String, Path, description = "Its number (`S7`)")),
    request_body = Option<Plain>,
    responses((status = 200, description = "It is over", body = Done))
)]
pub async fn end(
    State(operators): State<Operators>,
    Path(id): Path<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    let plain: Plain = asked.read()?;
    let number = name("id", id)?.trim().trim_start_matches(['S', 's']).parse().map_err(|_| {
        Problem::bad(
            "id",
            Message::new(
                "静默的编号像 S7；deskbell silence list 列出现有的",
                "a silence is named like S7; deskbell silence list shows them",
            ),
        )
    })?;
    let act = asked.act(plain.by(), Deed::EndSilence(SilenceId(number)));
    acts::answer(&operators, act, None).await
}

async fn matcher(operators: &Operators, new: &NewDocument) -> Result<Matcher, Problem> {
    let bounded = |place: &'static str, text: &Option<String>| -> Result<Option<String>, Problem> {
        text.clone().map(|text| name(place, text)).transpose()
    };
    let ticket = match bounded("ticket", &new.ticket)? {
        Some(typed) => Some(ticket(operators, typed).await?),
        None => None,
    };
    let severity = bounded("severity", &new.severity)?.map(|word| severity_of(&word)).transpose()?;
    Ok(Matcher {
        ticket,
        rule: bounded("rule", &new.rule)?.map(|text| text.as_str().into()),
        severity,
        source: bounded("source", &new.source)?.map(|text| text.as_str().into()),
        team: bounded("team", &new.team)?.map(|text| text.as_str().into()),
        when: new.when.as_ref().map(|when| written(operators, when)).transpose()?,
    })
}

async fn ticket(operators: &Operators, typed: String) -> Result<TicketKey, Problem> {
    let meant = operators.ask(|reply| Ask::Meant(typed, reply)).await?;
    let message = || Message::new("要写一张工单", "a ticket is needed");
    meant.subject.ticket().cloned().ok_or_else(|| Problem::bad("ticket", message()))
}

/// A condition: as rules write it, in a text or as JSON.
fn written(operators: &Operators, when: &Value) -> Result<Written, Problem> {
    let text = when.as_str().map_or_else(|| when.to_string(), str::to_string);
    let condition = Some(condition(&operators.compile, &text)?);
    Ok(Written { text: text.as_str().into(), condition })
}

/// What a condition means, as rules write it.
pub fn condition(compile: &Compile, text: &str) -> Result<Condition, Problem> {
    if text.chars().count() > WHEN_CHARS_MAX {
        let message = Message::new(
            format!("条件最多 {WHEN_CHARS_MAX} 个字"),
            format!("a condition has at most {WHEN_CHARS_MAX} characters"),
        );
        return Err(Problem::bad("when", message));
    }
    compile(text).map_err(|message| Problem {
        status: StatusCode::UNPROCESSABLE_ENTITY.as_u16(),
        ..Problem::bad("when", message)
    })
}

fn lasts(operators: &Operators, new: &NewDocument) -> Result<Rest, Problem> {
    match (&new.r#for, &new.until) {
        (Some(_), Some(_)) => {
            Err(Problem::bad("until", Message::new("for 和 until 只写一个", "write either `for` or `until`")))
        }
        (None, Some(until)) => {
            let now = operators.clock.now();
            Ok(Rest::For(instants::coming("until", until, operators.zone, now)?.since(now)))
        }
        (span, None) => acts::rest("for", span.as_deref()),
    }
}

impl From<SilenceLine> for SilenceDocument {
    fn from(line: SilenceLine) -> Self {
        Self {
            id: line.id.to_string(),
            matches: line.words.into(),
            by: line.by.into(),
            reason: line.reason,
            from: line.from.as_ms(),
            until: line.until.as_ms(),
            ringing: line.ringing,
        }
    }
}
