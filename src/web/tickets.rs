//! `GET /api/v1/tickets`: the tickets under watch, as far as `privacy` lets them be shown. Instants are milliseconds
//! since the Unix epoch.

use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{
        desk::shown::{Openness, TICKETS_PAGE_MAX, TicketsFound, TicketsWanted},
        id::TicketKey,
        text::Message,
    },
    engine::asks::Ask,
    web::{
        alerts::unreadable,
        operators::{Operators, name},
        problem::Problem,
        silences,
        ticket::TicketDocument,
    },
};

/// What may be asked of the list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct TicketsQuery {
    /// Only of this source.
    source: Option<String>,
    /// Only of this team.
    team: Option<String>,
    /// `open` (unless told otherwise), `closed`, `all`.
    state: Option<String>,
    /// Only those that meet this condition, as rules write it: `{ status: 待用户响应, idle: { at_least: 4h } }`.
    when: Option<String>,
    /// How many a page has.
    limit: Option<usize>,
    /// What the page before gave as `more`.
    after: Option<String>,
}

/// A page of tickets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TicketsPage {
    /// How many fit in all.
    pub total: usize,
    /// How many may fit, while what the condition asks of them is not known.
    pub unclear: usize,
    /// The tickets, by source and id.
    pub tickets: Vec<TicketDocument>,
    /// What `after` says to get the next page; absent on the last one.
    pub more: Option<String>,
}

/// The tickets that are asked for, as they were read last.
#[utoipa::path(
    get,
    path = "/api/v1/tickets",
    operation_id = "list_tickets",
    tag = "tickets",
    params(TicketsQuery),
    responses((status = 200, description = "By source and id", body = TicketsPage))
)]
pub async fn list(
    State(operators): State<Operators>,
    query: Result<Query<TicketsQuery>, QueryRejection>,
) -> Result<Json<TicketsPage>, Problem> {
    let Query(query) = query.map_err(|error| unreadable(&error))?;
    let wanted = wanted(&operators, query)?;
    let found = operators.ask_for(|reply| Ask::Tickets(Box::new(wanted), reply)).await?;
    let found = found.map_err(|message| Problem::bad("when", message))?;
    Ok(Json(TicketsPage::from(found)))
}

/// One ticket, as it was read last; `POST /api/v1/lookup` reads it afresh.
#[utoipa::path(
    get,
    path = "/api/v1/tickets/{ticket}",
    operation_id = "get_ticket",
    tag = "tickets",
    params(("ticket" = String, Path, description = "`source:id`, the id alone, or its last digits, five or more")),
    responses((status = 200, description = "The ticket", body = TicketDocument))
)]
pub async fn one(
    State(operators): State<Operators>,
    Path(ticket): Path<String>,
) -> Result<Json<TicketDocument>, Problem> {
    let ticket = name("ticket", ticket)?;
    let view = operators.ask(|reply| Ask::Ticket(ticket, reply)).await?;
    Ok(Json(TicketDocument::from(&*view)))
}

fn wanted(operators: &Operators, query: TicketsQuery) -> Result<TicketsWanted, Problem> {
    let TicketsQuery { source, team, state, when, limit, after } = query;
    let bounded = |place: &'static str, text: Option<String>| text.map(|text| name(place, text)).transpose();
    if limit.is_some_and(|limit| !(1..=TICKETS_PAGE_MAX).contains(&limit)) {
        let message = Message::new(
            format!("limit 要在 1 到 {TICKETS_PAGE_MAX} 之间；更多的用 after 接着取"),
            format!("limit is 1 to {TICKETS_PAGE_MAX}; what is left comes with `after`"),
        );
        return Err(Problem::bad("limit", message));
    }
    Ok(TicketsWanted {
        source: bounded("source", source)?.map(|text| text.as_str().into()),
        team: bounded("team", team)?.map(|text| text.as_str().into()),
        openness: bounded("state", state)?.map_or(Ok(Openness::default()), |word| openness(&word))?,
        when: when.map(|text| silences::condition(&operators.compile_list, &text)).transpose()?,
        limit,
        after: bounded("after", after)?.map(|text| mark(&text)).transpose()?,
    })
}

fn openness(word: &str) -> Result<Openness, Problem> {
    let known = Openness::ALL.into_iter().find(|known| known.name() == word);
    known.ok_or_else(|| {
        Problem::bad("state", Message::new("可以写 open、closed、all", "it is one of: open, closed, all"))
    })
}

fn mark(text: &str) -> Result<TicketKey, Problem> {
    let key = text.rsplit_once(':').filter(|(source, id)| !source.is_empty() && !id.is_empty());
    let message = || Message::new("after 要照抄上一页给的 more", "after must be what the page before gave as more");
    let (source, id) = key.ok_or_else(|| Problem::bad("after", message()))?;
    Ok(TicketKey::new(source.into(), id.into()))
}

impl From<TicketsFound> for TicketsPage {
    fn from(found: TicketsFound) -> Self {
        let last = found.tickets.last().filter(|_| found.more);
        Self {
            total: found.total,
            unclear: found.unclear,
            more: last.map(|view| view.ticket.key.to_string()),
            tickets: found.tickets.iter().map(TicketDocument::from).collect(),
        }
    }
}
