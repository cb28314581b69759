//! Where tickets come from: a closed set of kinds. It turns a pass's questions into a platform's, and nothing else.

use tracing::info;

use crate::{
    adapters::feishu::{
        error::{Advice, Error},
        helpdesk::{self, Helpdesk, TicketQuery},
        page::{BrokenTicket, RawPage, RawTicket},
        ticket,
        ticket_messages::TicketMessages,
    },
    domain::{
        id::{SourceName, TicketId},
        reading::pass::{Axis, Filter, ListLimits, Query},
        ticket::{Status, Ticket},
        time::Span,
    },
    engine::schedule::Schedule,
};

/// A source and when it is read.
pub struct SourcePart {
    /// Its name.
    pub name: SourceName,
    /// Where it is.
    pub source: Source,
    /// When what is new is read.
    pub poll: Schedule,
    /// When all that is open is read.
    pub sweep: Schedule,
    /// How far before the cursor a window begins.
    pub overlap: Span,
}

/// Where tickets come from.
#[derive(Clone)]
pub enum Source {
    /// A Feishu helpdesk.
    Feishu(Helpdesk),
}

const OPEN: [Status; 5] =
    [Status::Created, Status::Processing, Status::Queueing, Status::Pending, Status::WaitingForUser];

const CLOSED: [Status; 3] = [Status::ClosedByBot, Status::ClosedByAgent, Status::ClosedByUser];

impl Source {
    /// What its list can do.
    pub const fn limits(&self) -> ListLimits {
        match self {
            Self::Feishu(_) => ListLimits::FEISHU_HELPDESK,
        }
    }

    /// The helpdesk's id, by which events name it.
    pub fn helpdesk_id(&self) -> String {
        match self {
            Self::Feishu(helpdesk) => helpdesk.id().to_owned(),
        }
    }

    /// One page.
    ///
    /// # Errors
    /// The platform's, with what may be done.
    pub async fn list(&self, query: &Query) -> Result<RawPage, Error> {
        match self {
            Self::Feishu(helpdesk) => helpdesk.list(&ticket_query(query, self.limits().page_rows)).await,
        }
    }

    /// One ticket; none when the platform has no such ticket.
    ///
    /// # Errors
    /// The platform's, with what may be done.
    pub async fn get(&self, id: &TicketId) -> Result<Option<RawTicket>, Error> {
        let answer = match self {
            Self::Feishu(helpdesk) => helpdesk.get(id).await,
        };
        match answer {
            Ok(raw) => Ok(Some(raw)),
            Err(error) if error.advice == Advice::NotThere => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What was said on a ticket.
    pub async fn messages(&self, id: &TicketId) -> TicketMessages {
        match self {
            Self::Feishu(helpdesk) => helpdesk.messages(id).await,
        }
    }

    /// Milliseconds its clock is ahead of ours as its last answer showed, negative if it is behind.
    pub fn clock_ahead_ms(&self) -> i64 {
        match self {
            Self::Feishu(helpdesk) => helpdesk.clock_ahead_ms(),
        }
    }

    /// What decodes its tickets.
    pub fn decoder(&self, name: &SourceName) -> Decoder {
        match self {
            Self::Feishu(_) => Decoder::Feishu(Box::new(ticket::Decoder::new(name.clone()))),
        }
    }
}

/// Decodes tickets of one source, sharing what they have in common.
pub enum Decoder {
    /// Of a Feishu helpdesk.
    Feishu(Box<ticket::Decoder>),
}

impl Decoder {
    /// A ticket from what was sent.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn decode(&mut self, raw: &RawTicket) -> Result<Ticket, BrokenTicket> {
        let decoded = match self {
            Self::Feishu(decoder) => decoder.decode(raw)?,
        };
        if !decoded.unreadable.is_empty() {
            info!(ticket = %raw.id, fields = ?decoded.unreadable, "fields of a ticket cannot be read and are unknown");
        }
        Ok(decoded.ticket)
    }
}

fn ticket_query(query: &Query, page_rows: u32) -> TicketQuery {
    let mut asked = TicketQuery { page: Some(query.page), page_size: Some(page_rows), ..TicketQuery::default() };
    match query.filter {
        Filter::All => {}
        Filter::Open => asked.statuses = OPEN.to_vec(),
        Filter::Closed => asked.statuses = CLOSED.to_vec(),
        Filter::Score(score) => asked.score = Some(score),
    }
    if let Some(window) = query.window {
        let range = Some(helpdesk::Window { from: window.from, until: window.until });
        match window.axis {
            Axis::Updated => asked.updated = range,
            Axis::Created => asked.created = range,
        }
    }
    asked
}
