//! Why a condition holds, in words.

use crate::domain::{condition::Condition, facts::Facts, text::Message, ticket::Ticket, time::Timestamp};

/// The tests that made the condition hold, in a sentence.
pub fn why_text(_condition: &Condition, _ticket: &Ticket, _facts: &Facts, _now: Timestamp) -> Message {
    Message::default()
}
