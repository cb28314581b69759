//! Who did something: a person in chat, an agent in the helpdesk, an operator at the command line, deskbell itself.

use crate::domain::{id::OpenId, text::Message, ticket::Text};

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Actor {
    /// A person of the platform, who clicked or wrote.
    Person {
        /// Who they are to the platform.
        id: OpenId,
        /// What they are called, where that is known.
        name: Option<Text>,
    },
    /// An agent, seen to act in the helpdesk; by name.
    Agent(Text),
    /// Whoever holds the API's token, by the name they gave.
    Operator(Text),
    /// deskbell itself.
    Deskbell,
}

/// Characters of an open id that stand for a person without a known name.
const ID_TAIL_CHARS: usize = 4;

impl Actor {
    /// A person without a known name.
    pub const fn person(id: OpenId) -> Self {
        Self::Person { id, name: None }
    }

    /// What they are called on cards and in the journal.
    pub fn words(&self) -> Message {
        match self {
            Self::Person { name: Some(name), .. } | Self::Agent(name) | Self::Operator(name) => {
                Message::new(name.to_string(), name.to_string())
            }
            Self::Person { id, name: None } => {
                let id = id.as_str();
                let tail: String = id.chars().skip(id.chars().count().saturating_sub(ID_TAIL_CHARS)).collect();
                Message::new(format!("同事（…{tail}）"), format!("a colleague (…{tail})"))
            }
            Self::Deskbell => Message::new("deskbell", "deskbell"),
        }
    }

    /// The person's id, where they are a person of the platform.
    pub const fn open_id(&self) -> Option<&OpenId> {
        match self {
            Self::Person { id, .. } => Some(id),
            Self::Agent(_) | Self::Operator(_) | Self::Deskbell => None,
        }
    }

    /// Whether both are the same person, whatever is known of their names.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self.open_id(), other.open_id()) {
            (Some(one), Some(two)) => one == two,
            _ => self == other,
        }
    }
}
