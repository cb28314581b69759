//! `GET /api/v1/alerts`: which alerts there are. Instants are milliseconds since the Unix epoch.

use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{
        alert::AlertKey,
        desk::lists::{
            ALERTS_PAGE_MAX, AlertRow, AlertsFound, AlertsWanted, Coming, ComingWhat, How, Mark, Stand, Told,
            severity_named,
        },
        rule::Severity,
        text::Message,
        time::{Timestamp, Zone},
    },
    engine::asks::Ask,
    web::{
        operators::{Operators, name},
        problem::Problem,
        status::Sentence,
    },
};

/// What may be asked of the list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AlertsQuery {
    /// Only of this rule.
    rule: Option<String>,
    /// Only of this source.
    source: Option<String>,
    /// Only of this team.
    team: Option<String>,
    /// Only of this severity: `info`, `warning`, `critical`.
    severity: Option<String>,
    /// Only in this state: `firing`, `taken`, `snoozed`, `pending`, `ended`.
    state: Option<String>,
    /// Only of this ticket: its id, or its last digits.
    ticket: Option<String>,
    /// How many a page has.
    limit: Option<usize>,
    /// What the page before gave as `more`.
    after: Option<String>,
}

/// A page of alerts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlertsPage {
    /// How many fit in all.
    pub total: usize,
    /// The alerts: the most serious first, then those that hold longest.
    pub alerts: Vec<AlertDocument>,
    /// What `after` says to get the next page; absent on the last one.
    pub more: Option<String>,
}

/// One alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlertDocument {
    /// Its reference (`4F7A2C`).
    pub reference: String,
    /// Its rule, by its present name.
    pub rule: String,
    /// How often it rang.
    pub episode: u32,
    /// What it is about (`ticket:it-desk:6626…`, `group:支付`, `source:it-desk`).
    pub subject: String,
    /// What the ticket goes by.
    pub title: Option<String>,
    /// The ticket's team.
    pub team: Option<String>,
    /// `firing`, `taken`, `snoozed`, `pending`, `ended`.
    pub state: String,
    /// `info`, `warning`, `critical`.
    pub severity: String,
    /// Since when the condition holds.
    pub since: i64,
    /// When it began to ring.
    pub fired_at: Option<i64>,
    /// When it was over.
    pub ended_at: Option<i64>,
    /// Why.
    pub end_reason: Option<Sentence>,
    /// Who ended it, where a person did.
    pub ended_by: Option<Sentence>,
    /// Why.
    pub why: Sentence,
    /// It is of a rule in trial.
    pub trial: bool,
    /// It rang on data of this instant, and was not judged on newer data since.
    pub data_of: Option<i64>,
    /// Who works on it, or did when it ended.
    pub taken: Option<TakenDocument>,
    /// Who put it off.
    pub snoozed: Option<SnoozedDocument>,
    /// Whom it told, and how.
    pub told: Vec<ToldDocument>,
    /// How far its ladder was climbed.
    pub ladder: LadderDocument,
    /// What comes next while nobody acts and nothing changes.
    pub next: Vec<NextDocument>,
}

/// Who works on an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TakenDocument {
    /// Who.
    pub by: Sentence,
    /// Since when.
    pub at: i64,
    /// Until when repeats and ladder rest.
    pub until: i64,
}

/// Who put an alert off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SnoozedDocument {
    /// Who.
    pub by: Sentence,
    /// Until when.
    pub until: i64,
}

/// How one receiver was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ToldDocument {
    /// Whom.
    pub receiver: String,
    /// `card`, `digest`, `waiting`, `not_told`.
    pub how: String,
    /// The digest's reference, as its card's footer has it.
    pub digest: Option<String>,
    /// Repeats so far.
    pub repeats: u32,
    /// Something was held back and not told since.
    pub held: bool,
    /// Why it is not told now: a silence, another alert, quiet hours.
    pub hushed: Option<Sentence>,
}

/// How far a ladder was climbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LadderDocument {
    /// Rungs reached.
    pub reached: u32,
    /// Rungs there are.
    pub rungs: usize,
}

/// What an alert does next by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NextDocument {
    /// `rings`, `repeat`, `rung`, `fallback`, `asked`, `wakes`.
    pub what: String,
    /// Which rung, from 1.
    pub rung: Option<u32>,
    /// When; absent where that cannot be said ahead.
    pub at: Option<i64>,
    /// Whom it tells.
    pub to: Option<String>,
}

/// The alerts that are asked for.
#[utoipa::path(
    get,
    path = "/api/v1/alerts",
    operation_id = "list_alerts",
    tag = "alerts",
    params(AlertsQuery),
    responses((status = 200, description = "The most serious first", body = AlertsPage))
)]
pub async fn list(
    State(operators): State<Operators>,
    query: Result<Query<AlertsQuery>, QueryRejection>,
) -> Result<Json<AlertsPage>, Problem> {
    let Query(query) = query.map_err(|error| unreadable(&error))?;
    let wanted = wanted(query)?;
    let found = operators.ask(|reply| Ask::Alerts(Box::new(wanted), reply)).await?;
    Ok(Json(AlertsPage::from(found)))
}

/// One alert.
#[utoipa::path(
    get,
    path = "/api/v1/alerts/{reference}",
    operation_id = "get_alert",
    tag = "alerts",
    params(("reference" = String, Path, description = "The alert's reference (`4F7A2C`)")),
    responses((status = 200, description = "The alert", body = AlertDocument))
)]
pub async fn one(
    State(operators): State<Operators>,
    Path(reference): Path<String>,
) -> Result<Json<AlertDocument>, Problem> {
    let reference = name("reference", reference)?;
    let row = operators.ask(|reply| Ask::Alert(reference, reply)).await?;
    Ok(Json(AlertDocument::from(row)))
}

/// A query that says something it may not.
pub fn unreadable(error: &QueryRejection) -> Problem {
    let detail = error.body_text();
    Problem::bad(
        "?",
        Message::new(
            format!("网址里 ? 后面的内容读不懂：{detail}"),
            format!("what stands behind ? cannot be read: {detail}"),
        ),
    )
}

fn wanted(query: AlertsQuery) -> Result<AlertsWanted, Problem> {
    let AlertsQuery { rule, source, team, severity, state, ticket, limit, after } = query;
    let bounded = |place: &'static str, text: Option<String>| text.map(|text| name(place, text)).transpose();
    let severity = bounded("severity", severity)?.map(|word| severity_of(&word)).transpose()?;
    let stand = bounded("state", state)?.map(|word| stand_of(&word)).transpose()?;
    let mark = |text: String| {
        let message = || Message::new("after 要照抄上一页给的 more", "after must be what the page before gave as more");
        Mark::read(&text).ok_or_else(|| Problem::bad("after", message()))
    };
    if limit.is_some_and(|limit| !(1..=ALERTS_PAGE_MAX).contains(&limit)) {
        let message = Message::new(
            format!("limit 要在 1 到 {ALERTS_PAGE_MAX} 之间；更多的用 after 接着取"),
            format!("limit is 1 to {ALERTS_PAGE_MAX}; what is left comes with `after`"),
        );
        return Err(Problem::bad("limit", message));
    }
    Ok(AlertsWanted {
        rule: bounded("rule", rule)?.map(|text| text.as_str().into()),
        source: bounded("source", source)?.map(|text| text.as_str().into()),
        team: bounded("team", team)?.map(|text| text.as_str().into()),
        severity,
        stand,
        ticket: bounded("ticket", ticket)?,
        limit,
        after: bounded("after", after)?.map(mark).transpose()?,
    })
}

/// A severity by its word.
pub fn severity_of(word: &str) -> Result<Severity, Problem> {
    severity_named(word).ok_or_else(|| Problem::bad("severity", one_of(word, &["info", "warning", "critical"])))
}

fn stand_of(word: &str) -> Result<Stand, Problem> {
    let names: Vec<&str> = Stand::ALL.into_iter().map(Stand::name).collect();
    Stand::ALL.into_iter().find(|stand| stand.name() == word).ok_or_else(|| Problem::bad("state", one_of(word, &names)))
}

fn one_of(word: &str, words: &[&str]) -> Message {
    Message::new(
        format!("不认识“{word}”，可以写：{}", words.join("、")),
        format!("\"{word}\" is none of: {}", words.join(", ")),
    )
}

impl From<AlertsFound> for AlertsPage {
    fn from(found: AlertsFound) -> Self {
        Self {
            total: found.total,
            alerts: found.alerts.into_iter().map(AlertDocument::from).collect(),
            more: found.more.map(|mark| mark.written()),
        }
    }
}

impl From<AlertRow> for AlertDocument {
    fn from(row: AlertRow) -> Self {
        let ms = |at: Option<Timestamp>| at.map(Timestamp::as_ms);
        let AlertKey { subject, .. } = row.key;
        Self {
            reference: row.reference,
            rule: row.rule.to_string(),
            episode: row.episode,
            subject: subject.to_string(),
            title: row.title,
            team: row.team.map(|team| team.to_string()),
            state: row.stand.name().to_string(),
            severity: row.severity.name().to_string(),
            since: row.since.as_ms(),
            fired_at: ms(row.fired_at),
            ended_at: ms(row.ended.as_ref().map(|(at, ..)| *at)),
            end_reason: row.ended.as_ref().map(|(_, reason, _)| Message::from(reason.words()).into()),
            ended_by: row.ended.and_then(|(.., by)| Some(by?.words().into())),
            why: row.why.into(),
            trial: row.trial,
            data_of: ms(row.stale_as_of),
            taken: row.taken.map(|(by, at, until)| TakenDocument {
                by: by.words().into(),
                at: at.as_ms(),
                until: until.as_ms(),
            }),
            snoozed: row.snoozed.map(|(by, until)| SnoozedDocument { by: by.words().into(), until: until.as_ms() }),
            told: row.told.into_iter().map(|told| ToldDocument::of(told, row.zone)).collect(),
            ladder: LadderDocument { reached: row.rungs.0, rungs: row.rungs.1 },
            next: row.coming.into_iter().map(NextDocument::from).collect(),
        }
    }
}

impl ToldDocument {
    fn of(told: Told, zone: Zone) -> Self {
        let digest = match &told.how {
            How::Digest(reference) => Some(reference.clone()),
            How::Card | How::Waiting | How::Nothing => None,
        };
        let hushed = told.hush.map(|hush| hush.words(zone).into());
        let (receiver, how) = (told.receiver.to_string(), told.how.name().to_string());
        Self { receiver, how, digest, repeats: told.repeats, held: told.held, hushed }
    }
}

impl From<Coming> for NextDocument {
    fn from(coming: Coming) -> Self {
        let rung = match coming.what {
            ComingWhat::Rung(rung) => Some(rung),
            _ => None,
        };
        Self {
            what: coming.what.name().to_string(),
            rung,
            at: coming.at.map(Timestamp::as_ms),
            to: coming.to.map(|to| to.to_string()),
        }
    }
}
