//! `GET /api/v1/rules`: the rules in force, in words, and what rings of them.

use axum::{
    Json,
    extract::{Path, State},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        desk::in_force::RuleRow,
        rule::{Mode, Rule, RuleKind},
        story::Story,
        text::{Message, fold},
    },
    engine::asks::Ask,
    web::{
        operators::{Operators, name},
        problem::Problem,
        status::Sentence,
    },
};

/// The rules in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RulesPage {
    /// By name.
    pub rules: Vec<RuleInForce>,
}

/// A rule in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RuleInForce {
    /// What it says.
    #[serde(flatten)]
    pub rule: RuleDocument,
    /// Alerts of it that ring.
    pub firing: usize,
    /// Of them those that someone works on.
    pub taken: usize,
    /// Alerts of it that hold, but not yet for long enough.
    pub pending: usize,
}

/// What a rule says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RuleDocument {
    /// Its name.
    pub name: String,
    /// `ticket`, `event`, `sla`, `count`.
    pub kind: String,
    /// `info`, `warning`, `critical`.
    pub severity: String,
    /// `live`, `trial`, `disabled`.
    pub mode: String,
    /// One line for people.
    pub summary: Option<String>,
    /// What it watches.
    pub watches: Sentence,
    /// When it rings.
    pub rings: Sentence,
    /// What ends an alert of it.
    pub ends: Sentence,
    /// Whom it tells when it rings.
    pub tells: Vec<Sentence>,
    /// Its ladder, a step each.
    pub ladder: Vec<Sentence>,
    /// The named conditions it rests on.
    pub conditions: Vec<NamedDocument>,
    /// The sources it watches; absent: all.
    pub sources: Option<Vec<String>>,
    /// The calendar it counts in; absent: all hours.
    pub calendar: Option<String>,
    /// It reads the messages of tickets.
    pub needs_messages: bool,
    /// What to do about it.
    pub advice: Option<String>,
    /// Where it is written what to do.
    pub runbook: Option<String>,
}

/// A named condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NamedDocument {
    /// Its name.
    pub name: String,
    /// What it means.
    pub meaning: Sentence,
}

/// The rules in force.
#[utoipa::path(
    get,
    path = "/api/v1/rules",
    operation_id = "list_rules",
    tag = "rules",
    responses((status = 200, description = "By name", body = RulesPage))
)]
pub async fn list(State(operators): State<Operators>) -> Result<Json<RulesPage>, Problem> {
    let rules = operators.ask(Ask::Rules).await?;
    Ok(Json(RulesPage { rules: rules.into_iter().map(RuleInForce::from).collect() }))
}

/// One rule.
#[utoipa::path(
    get,
    path = "/api/v1/rules/{name}",
    operation_id = "get_rule",
    tag = "rules",
    params(("name" = String, Path, description = "Its name")),
    responses((status = 200, description = "The rule", body = RuleInForce))
)]
pub async fn one(State(operators): State<Operators>, Path(wanted): Path<String>) -> Result<Json<RuleInForce>, Problem> {
    let wanted = name("name", wanted)?;
    let rules = operators.ask(Ask::Rules).await?;
    let found = rules.into_iter().find(|row| fold(row.rule.name.as_str()) == fold(&wanted));
    found.map(|row| Json(row.into())).ok_or_else(|| {
        Problem::missing(Message::new(format!("没有规则“{wanted}”"), format!("there is no rule `{wanted}`")))
    })
}

impl From<RuleRow> for RuleInForce {
    fn from(row: RuleRow) -> Self {
        Self { rule: RuleDocument::from(&*row.rule), firing: row.firing, taken: row.taken, pending: row.pending }
    }
}

impl From<&Rule> for RuleDocument {
    fn from(rule: &Rule) -> Self {
        let story = Story::of(rule);
        let all = |lines: Vec<Message>| lines.into_iter().map(Sentence::from).collect();
        let named = |(name, meaning): (_, Message)| NamedDocument { name: format!("{name}"), meaning: meaning.into() };
        Self {
            name: rule.name.to_string(),
            kind: kind(rule).to_string(),
            severity: rule.severity.name().to_string(),
            mode: mode(&rule.mode).to_string(),
            summary: rule.summary.as_deref().map(Into::into),
            watches: story.watches.into(),
            rings: story.rings.into(),
            ends: story.ends.into(),
            tells: all(story.tells),
            ladder: all(story.ladder),
            conditions: story.conditions.into_iter().map(named).collect(),
            sources: rule.sources.as_ref().map(|names| names.iter().map(ToString::to_string).collect()),
            calendar: rule.pace.calendar().map(|calendar| calendar.name().to_string()),
            needs_messages: rule.needs_messages(),
            advice: rule.advice.as_deref().map(Into::into),
            runbook: rule.runbook.as_deref().map(Into::into),
        }
    }
}

fn kind(rule: &Rule) -> &'static str {
    match rule.kind {
        RuleKind::Ticket if rule.is_event() => "event",
        RuleKind::Ticket => "ticket",
        RuleKind::Sla(_) => "sla",
        RuleKind::Count(_) => "count",
    }
}

const fn mode(mode: &Mode) -> &'static str {
    match mode {
        Mode::Live => "live",
        Mode::Trial(_) => "trial",
        Mode::Disabled => "disabled",
    }
}
