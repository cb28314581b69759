//! `GET /api/v1/route?ticket=…`: whom a ticket's alerts reach, and why.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use crate::{
    domain::{
        route::{Reached, Routed, RuleRoute, TeamTried, When, kind_words, text},
        text::Locale,
    },
    engine::asks::Ask,
    web::{
        alerts::unreadable,
        explain::{both, tree, word},
        operators::{Operators, name},
        problem::Problem,
    },
};

/// What may be asked.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct RouteQuery {
    /// The ticket: its id, or its last digits.
    ticket: String,
    /// The language of `text`: `zh` or `en`.
    lang: Option<String>,
}

/// Whom a ticket's alerts reach, and why.
#[utoipa::path(
    get,
    path = "/api/v1/route",
    operation_id = "route_ticket",
    tag = "rules",
    params(RouteQuery),
    responses((status = 200, description = "Team, receivers, steps, with reasons", body = Object))
)]
pub async fn answer(
    State(operators): State<Operators>,
    query: Result<Query<RouteQuery>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(RouteQuery { ticket, lang }) = query.map_err(|error| unreadable(&error))?;
    let ticket = name("ticket", ticket)?;
    let locale = if lang.as_deref() == Some("en") { Locale::En } else { Locale::Zh };
    let routed = operators.ask(|reply| Ask::Route(ticket, reply)).await?;
    let mut answer = document(&routed);
    if let Some(object) = answer.as_object_mut() {
        object.insert("text".to_string(), json!(text(&routed, locale)));
    }
    Ok(Json(answer))
}

/// A route for programs: instants in milliseconds since the Unix epoch, sentences in both languages.
pub fn document(routed: &Routed) -> Value {
    json!({
        "ticket": routed.ticket.to_string(),
        "title": routed.title,
        "at": routed.at.as_ms(),
        "as_of": routed.as_of.as_ms(),
        "choice": both(&routed.choice),
        "teams": routed.teams.iter().map(team).collect::<Vec<_>>(),
        "words": routed.words.iter().map(reached).collect::<Vec<_>>(),
        "rules": routed.rules.iter().map(rule).collect::<Vec<_>>(),
    })
}

fn team(team: &TeamTried) -> Value {
    json!({ "team": team.name.as_str(), "answer": word(team.answer), "when": team.when.as_ref().map(tree) })
}

fn rule(rule: &RuleRoute) -> Value {
    let lines: Vec<Value> = rule.lines.iter().map(reached).collect();
    json!({ "rule": rule.rule.as_str(), "note": rule.note.as_ref().map(both), "tells": lines })
}

fn reached(reached: &Reached) -> Value {
    json!({
        "word": reached.word,
        "step": reached.when.step(),
        "fallback": reached.when == When::Fallback,
        "receiver": reached.receiver.as_ref().map(|name| name.as_str()),
        "kind": reached.kind.as_ref().map(|kind| both(&kind_words(kind))),
        "mention": reached.mention.as_ref().map(both),
        "held": reached.held.as_ref().map(both),
    })
}
