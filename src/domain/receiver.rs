//! A named destination, as the decisions see it: what it can do, not where it is.

use crate::domain::{
    id::{ChatId, ReceiverName},
    text::Locale,
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
}

impl ReceiverKind {
    /// Whether a sent card can be updated later.
    pub const fn can_patch(&self) -> bool {
        matches!(self, Self::Chat(_))
    }

    /// Whether the platform drops a repeated send with the same key.
    pub const fn has_key(&self) -> bool {
        matches!(self, Self::Chat(_))
    }
}
