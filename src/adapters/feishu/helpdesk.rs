//! One helpdesk: its tickets and the definitions of its custom fields (`facts/feishu.md §2`).

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::{
    adapters::feishu::{
        client::{Call, Client, HelpdeskKey},
        config::HelpdeskConfig,
        error::{Advice, Endpoint, Error},
        fields::{self, FieldDefinition, FieldDefinitions},
        page::{self, RawPage, RawTicket, Single},
        wire,
    },
    domain::{
        id::{OpenId, TicketId},
        ticket::Status,
        time::Timestamp,
    },
};

/// Tickets in one page, the platform's limit.
pub const PAGE_SIZE_MAX: u32 = 200;

/// Tickets one query can page through, the platform's limit; `total` counts no further.
pub const QUERY_TICKETS_MAX: u64 = 10_000;

/// Definitions in one page of the second list of custom fields, the platform's limit (`facts/feishu.md §2.6`).
const FIELD_PAGE_SIZE: u32 = 100;

/// The events a helpdesk is asked for. The first two are named by third parties only (`facts/feishu.md §2.9`).
const EVENTS: [(&str, &str); 3] = [
    ("helpdesk.ticket", "ticket.created_v1"),
    ("helpdesk.ticket", "ticket.updated_v1"),
    ("helpdesk.ticket_message", "ticket_message.created_v1"),
];

/// Pages of it that are read.
const FIELD_PAGES_MAX: usize = 20;

/// A helpdesk. Clones share the client.
#[derive(Clone)]
pub struct Helpdesk {
    client: Client,
    key: Arc<HelpdeskKey>,
    id: Arc<str>,
}

/// A window of time, both ends included. The platform takes both or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// From this instant.
    pub from: Timestamp,
    /// Up to this instant.
    pub until: Timestamp,
}

/// Which tickets are listed: every query parameter of the platform's page. What is absent does not restrict.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct TicketQuery {
    /// This ticket.
    pub ticket_id: Option<TicketId>,
    /// With this agent.
    pub agent_id: Option<OpenId>,
    /// Closed by this agent.
    pub closed_by_id: Option<OpenId>,
    /// 1 bot, 2 human.
    pub ticket_type: Option<i64>,
    /// From this channel.
    pub channel: Option<i64>,
    /// 1 not solved, 2 solved.
    pub solved: Option<i64>,
    /// 1 dissatisfied, 2 fair, 3 satisfied.
    pub score: Option<i64>,
    /// In one of these states.
    pub statuses: Vec<Status>,
    /// From a guest of this name.
    pub guest_name: Option<String>,
    /// From this guest.
    pub guest_id: Option<OpenId>,
    /// With these tags.
    pub tags: Vec<String>,
    /// Which page, from 1.
    pub page: Option<u32>,
    /// Tickets a page, at most [`PAGE_SIZE_MAX`].
    pub page_size: Option<u32>,
    /// Created within.
    pub created: Option<Window>,
    /// Updated within. A ticket that was never updated is in no such window.
    pub updated: Option<Window>,
}

impl Helpdesk {
    /// A helpdesk of the client's tenant.
    pub fn new(client: Client, config: &HelpdeskConfig) -> Self {
        let pair = format!("{}:{}", config.helpdesk_id, config.helpdesk_token.expose_secret());
        let header = SecretString::from(BASE64_STANDARD.encode(pair));
        let key = Arc::new(HelpdeskKey { token: config.helpdesk_token.clone(), header });
        Self { client, key, id: Arc::from(config.helpdesk_id.as_str()) }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Asks the helpdesk to tell of its tickets (`facts/feishu.md §2.9`). Asking again changes nothing.
    pub async fn subscribe(&self) -> Result<(), Error> {
        let path = ["helpdesk", "v1", "events", "subscribe"];
        let events = EVENTS.map(|(kind, subkind)| json!({ "type": kind, "subtype": subkind }));
        let body = json!({ "events": events }).to_string();
        let call = Call::with_body(Endpoint::EventsSubscribe, Method::POST, &path, body);
        self.client.call(&Call { helpdesk: Some(&self.key), ..call }, |body| wire::succeeded(body)).await
    }

    /// Milliseconds the platform's clock is ahead of ours as its last answer showed, negative if it is behind.
    pub fn clock_ahead_ms(&self) -> i64 {
        self.client.clock_ahead_ms()
    }

    /// One page of tickets, split and hashed, not decoded.
    pub async fn list(&self, query: &TicketQuery) -> Result<RawPage, Error> {
        let mut call = self.call(Endpoint::TicketList, &["helpdesk", "v1", "tickets"]);
        call.query = query.pairs();
        self.client.call(&call, page::split).await
    }

    /// One ticket, fresh from the source. Gone is [`Advice::NotThere`].
    pub async fn get(&self, id: &TicketId) -> Result<RawTicket, Error> {
        let path = ["helpdesk", "v1", "tickets", id.as_str()];
        let error = |advice, said: String| Error::local(Endpoint::TicketGet, advice, said);
        match self.client.call(&self.call(Endpoint::TicketGet, &path), page::single).await? {
            Single::Ticket(ticket) => Ok(ticket),
            Single::Absent => Err(error(Advice::NotThere, format!("ticket {id}"))),
            Single::Broken(broken) => Err(error(Advice::GiveUp, format!("ticket {id}: {}", broken.reason))),
        }
    }

    /// The definitions of the custom fields.
    pub async fn customized_fields(&self, visible_only: Option<bool>) -> Result<FieldDefinitions, Error> {
        let mut call = self.call(Endpoint::CustomizedFields, &["helpdesk", "v1", "customized_fields"]);
        call.query.extend(visible_only.map(|only| ("visible_only", only.to_string())));
        self.client.call(&call, |body| fields::read(body)).await
    }

    /// The definitions of the tickets' custom fields from both endpoints that have them: each may know options that the
    /// other does not list. The second one failing costs nothing but those.
    ///
    /// # Errors
    /// The first one's.
    pub async fn ticket_fields(&self) -> Result<Vec<FieldDefinition>, Error> {
        let mut all = self.customized_fields(None).await?.ticket;
        let mut token = None;
        for _ in 0..FIELD_PAGES_MAX {
            let mut call = self.call(Endpoint::CustomizedFields, &["helpdesk", "v1", "ticket_customized_fields"]);
            call.query = vec![("page_size", FIELD_PAGE_SIZE.to_string())];
            call.query.extend(token.take().map(|token| ("page_token", token)));
            match self.client.call(&call, |body| fields::read_page(body)).await {
                Ok(page) => {
                    fields::merge(&mut all, page.fields);
                    token = page.next;
                }
                Err(error) => {
                    tracing::info!(%error, "the second list of custom fields cannot be read; the first one stands")
                }
            }
            if token.is_none() {
                break;
            }
        }
        Ok(all)
    }

    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn call<'a>(&'a self, endpoint: Endpoint, path: &'a [&'a str]) -> Call<'a> {
        Call { helpdesk: Some(&self.key), ..Call::get(endpoint, path) }
    }
}

impl TicketQuery {
    /// The query's parameters; lists repeat the key (`facts/feishu.md §2.2`).
    pub(super) fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        let mut add = |key, value: Option<String>| pairs.extend(value.map(|value| (key, value)));
        add("ticket_id", self.ticket_id.as_ref().map(ToString::to_string));
        add("agent_id", self.agent_id.as_ref().map(ToString::to_string));
        add("closed_by_id", self.closed_by_id.as_ref().map(ToString::to_string));
        add("type", self.ticket_type.map(|number| number.to_string()));
        add("channel", self.channel.map(|number| number.to_string()));
        add("solved", self.solved.map(|number| number.to_string()));
        add("score", self.score.map(|number| number.to_string()));
        for status in &self.statuses {
            add("status_list", Some(status.code().to_string()));
        }
        add("guest_name", self.guest_name.clone());
        add("guest_id", self.guest_id.as_ref().map(ToString::to_string));
        for tag in &self.tags {
            add("tags", Some(tag.clone()));
        }
        add("page", self.page.map(|page| page.max(1).to_string()));
        add("page_size", self.page_size.map(|size| size.clamp(1, PAGE_SIZE_MAX).to_string()));
        for (window, from, until) in [
            (self.created, "create_time_start", "create_time_end"),
            (self.updated, "update_time_start", "update_time_end"),
        ] {
            add(from, window.map(|window| window.from.as_ms().max(0).to_string()));
            add(until, window.map(|window| window.until.as_ms().max(0).to_string()));
        }
        pairs
    }
}
