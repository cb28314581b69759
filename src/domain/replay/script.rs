//! A script: which tickets a source shows, and when.

use std::sync::Arc;

use crate::domain::{conversation::Conversation, id::TicketKey, ticket::Ticket, time::Timestamp};

/// What happens, and between which instants.
#[derive(Clone, Debug)]
pub struct Script {
    /// Where virtual time begins. Nothing is known of the tickets before.
    pub start: Timestamp,
    /// Where it ends: what falls due at this very instant is still told.
    pub end: Timestamp,
    /// What the sources show, sorted by `at`. One that lies before its predecessor is shown right after it.
    pub sights: Vec<Sight>,
}

/// Something a source shows of one ticket.
#[derive(Clone, Debug)]
pub struct Sight {
    /// When.
    pub at: Timestamp,
    /// Of which ticket.
    pub key: TicketKey,
    /// What.
    pub what: What,
}

/// What a source shows.
#[derive(Clone, Debug)]
pub enum What {
    /// The ticket as it is from now on.
    Ticket(Arc<Ticket>),
    /// The source has no such ticket any more.
    Gone,
    /// All that was said on the ticket until now. A script that has such sights has them of every ticket on which
    /// anything was said; in one that has none nobody knows what was said, and rules that need it are left out.
    Messages(Conversation),
}
