//! `GET /api/v1/journal?of=…`: what happened and why, about one matter. Instants are milliseconds since the Unix epoch.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{
        chronicle::{JournalLine, LinesOf},
        desk::meant::Meant,
        id::Subject,
        text::Message,
        time::Timestamp,
    },
    engine::asks::Ask,
    web::{
        alerts::unreadable,
        operators::{Operators, PATIENCE, name},
        problem::Problem,
        status::Sentence,
    },
};

/// Lines of an answer that does not say how many.
pub const LINES: usize = 1_000;

/// What may be asked.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct JournalQuery {
    /// A ticket, an alert's reference, a source, `service`.
    of: String,
    /// How many lines, at most 1,000.
    limit: Option<usize>,
    /// Also who asked what.
    #[serde(default)]
    looks: bool,
}

/// The journal of one matter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JournalPage {
    /// What it is about (`ticket:it-desk:6626…`).
    pub subject: String,
    /// What that goes by.
    pub title: Option<String>,
    /// The lines, oldest first.
    pub lines: Vec<LineDocument>,
    /// There are older ones.
    pub more: bool,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LineDocument {
    /// When.
    pub at: i64,
    /// The rule, where there is one.
    pub rule: Option<String>,
    /// The alert's episode, where there is one.
    pub episode: u32,
    /// A stable word: `fired`, `delivered`, `taken`, `ended`, …
    pub what: String,
    /// What happened and why.
    pub note: Sentence,
}

/// What happened and why, about one matter.
#[utoipa::path(
    get,
    path = "/api/v1/journal",
    operation_id = "read_journal",
    tag = "journal",
    params(JournalQuery),
    responses((status = 200, description = "The lines, oldest first", body = JournalPage))
)]
pub async fn answer(
    State(operators): State<Operators>,
    query: Result<Query<JournalQuery>, QueryRejection>,
) -> Result<Json<JournalPage>, Problem> {
    let Query(JournalQuery { of, limit, looks }) = query.map_err(|error| unreadable(&error))?;
    let of = name("of", of)?;
    let limit = limit.unwrap_or(LINES).clamp(1, LINES);
    let meant = operators.ask(|reply| Ask::Meant(of, reply)).await?;
    let read = timeout(PATIENCE.to_std(), operators.port.journal(LinesOf { looks, ..meant.lines() }, limit + 1)).await;
    let read = read.ok().flatten().ok_or_else(Problem::busy)?;
    let lines = read.map_err(|why: Message| Problem { error: why.into(), ..Problem::busy() })?;
    Ok(Json(page(meant, lines, limit)))
}

/// The lines about what is meant, as the journal gives them: newest first, one more than `limit` where there are more.
pub fn page(meant: Meant, mut lines: Vec<JournalLine>, limit: usize) -> JournalPage {
    let more = lines.len() > limit;
    lines.truncate(limit);
    lines.reverse();
    let document = |line: JournalLine| LineDocument {
        at: line.at.as_ms(),
        rule: line.rule.map(|rule| rule.to_string()),
        episode: line.episode,
        what: line.what.to_string(),
        note: line.note.into(),
    };
    let lines = lines.into_iter().map(document).collect();
    JournalPage { subject: meant.subject.to_string(), title: meant.title, lines, more }
}

impl JournalPage {
    /// The lines as the story is told of them.
    pub fn journal(&self) -> Vec<JournalLine> {
        let subject = Subject::parse(&self.subject).unwrap_or(Subject::Service);
        let line = |line: &LineDocument| JournalLine {
            at: Timestamp::from_ms(line.at),
            subject: subject.clone(),
            rule: line.rule.as_deref().map(Into::into),
            episode: line.episode,
            what: line.what.as_str().into(),
            note: Message::new(line.note.zh.clone(), line.note.en.clone()),
        };
        self.lines.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_lines_are_spoken_of_where_there_are_some() {
        let meant = || Meant { subject: Subject::Service, alert: None, digest: None, title: None };
        let line = |ms| JournalLine {
            at: Timestamp::from_ms(ms),
            subject: Subject::Service,
            rule: None,
            episode: 0,
            what: "fired".into(),
            note: Message::default(),
        };
        for (there, limit, shown, more) in [(0, 2, vec![], false), (2, 2, vec![1, 2], false), (3, 2, vec![2, 3], true)]
        {
            let page = page(meant(), (1..=there).rev().map(line).collect(), limit);
            let at: Vec<i64> = page.lines.iter().map(|line| line.at).collect();
            assert_eq!((at, page.more), (shown, more), "{there} lines, {limit} at most");
        }
    }
}
