//! A ticket as it is looked at: its snapshot, what observations know besides, what the configuration says of it, and
//! what just happened to it.

use crate::domain::{facts::Facts, labels::Labels, ticket::Ticket};

/// All that a condition may look at.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The snapshot.
    pub ticket: &'a Ticket,
    /// What observations know besides.
    pub facts: &'a Facts,
    /// What the configuration says of its source's tickets.
    pub labels: &'a Labels,
    /// What just happened.
    pub event: Event<'a>,
}

/// What just happened to a ticket: `was` and `changed` look at it.
#[derive(Clone, Copy, Debug, Default)]
pub enum Event<'a> {
    /// Nothing: time went on, rules were read again, the service started. What asks for an event is no.
    #[default]
    None,
    /// A change was stored; this was the snapshot before it.
    Change(&'a Ticket),
    /// An alert rang on an event before: what asks for the event holds for the rest of its episode.
    Held,
}

impl<'a> Seen<'a> {
    /// A ticket to which nothing just happened.
    pub const fn at_rest(ticket: &'a Ticket, facts: &'a Facts, labels: &'a Labels) -> Self {
        Self { ticket, facts, labels, event: Event::None }
    }

    /// The same ticket with something that just happened.
    #[must_use]
    pub const fn after(self, event: Event<'a>) -> Self {
        Self { event, ..self }
    }
}
