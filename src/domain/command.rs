//! What a person asks the bot in chat, parsed from what they typed.

use crate::domain::id::TicketId;

/// What a person asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `/ticket <id>`: the ticket's card.
    Ticket(TicketId),
    /// `/ticket` without an id, or with something that is none: how to write it.
    TicketUsage(String),
    /// `/help`.
    Help,
    /// A command of the language that is not built yet.
    NotBuilt(String),
    /// Thanks, a mention of everyone, nothing to answer.
    Nothing,
    /// Anything else: a short suggestion.
    Unknown(String),
}

impl Command {
    /// Reads what a person typed, the bot's mention already taken out.
    pub fn parse(_text: &str) -> Self {
        Self::Nothing
    }
}
