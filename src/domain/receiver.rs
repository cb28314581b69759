//! A named destination, as the decisions see it: what it can do, not where it is.

use crate::domain::{
    id::{ChatId, OpenId, ReceiverName},
    text::Locale,
    ticket::Text,
};

/// A receiver of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receiver {
    /// Its name.
    pub name: ReceiverName,
    /// What it is.
    pub kind: ReceiverKind,
    /// The language of its cards.
    pub locale: Locale,
}

/// What a receiver is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReceiverKind {
    /// A chat the bot is in: keys, replies and patches work.
    Chat(ChatId),
    /// A custom bot's webhook: no key, no reply, no patch; at least once. Its address is a secret of the adapter.
    Webhook,
    /// One person in a direct chat with the bot: keys, replies and patches work.
    Person(PersonId),
}

/// How a person is addressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PersonId {
    /// By email.
    Email(Text),
    /// By open id (`ou_…`).
    Open(OpenId),
}

impl PersonId {
    /// From what people write or tickets carry: an email or an open id.
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.starts_with("ou_") {
            Some(Self::Open(OpenId::new(text)))
        } else if text.contains('@') {
            Some(Self::Email(text.into()))
        } else {
            None
        }
    }
}

/// What the names of receivers begin with that stand for a person who is not in the configuration.
const PERSON_PREFIX: &str = "person:";

impl Receiver {
    /// The name of the receiver that a person is, whether the configuration knows them or not.
    pub fn name_of_person(person: &PersonId) -> ReceiverName {
        match person {
            PersonId::Email(email) => ReceiverName::new(format!("{PERSON_PREFIX}{email}")),
            PersonId::Open(id) => ReceiverName::new(format!("{PERSON_PREFIX}{id}")),
        }
    }

    /// The person that a receiver's name stands for, where it is such a name.
    pub fn person(name: &ReceiverName, locale: Locale) -> Option<Self> {
        let person = PersonId::of(name.as_str().strip_prefix(PERSON_PREFIX)?)?;
        Some(Self { name: name.clone(), kind: ReceiverKind::Person(person), locale })
    }
}

impl ReceiverKind {
    /// Whether a sent card can be updated later.
    pub const fn can_patch(&self) -> bool {
        matches!(self, Self::Chat(_) | Self::Person(_))
    }

    /// Whether the platform drops a repeated send with the same key.
    pub const fn has_key(&self) -> bool {
        matches!(self, Self::Chat(_) | Self::Person(_))
    }
}
