//! One thing the doctor looked at, and how it stands.

use crate::domain::text::{Locale, Message};

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Fine.
    Well,
    /// Worth knowing; nothing fails by it.
    Note,
    /// Something will fail.
    Ill,
}

/// One thing the doctor looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How it stands.
    pub mark: Mark,
    /// What was looked at, what is the case, what to do.
    pub message: Message,
}

impl Finding {
    /// It is fine.
    pub fn well(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { mark: Mark::Well, message: Message::new(zh, en) }
    }

    /// It is worth knowing.
    pub fn note(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { mark: Mark::Note, message: Message::new(zh, en) }
    }

    /// Something will fail: what, and the reason with its remedy.
    pub fn ill(what: &Message, reason: &Message) -> Self {
        let message = Message::new(format!("{}：{}", what.zh, reason.zh), format!("{}: {}", what.en, reason.en));
        Self { mark: Mark::Ill, message }
    }

    /// The finding as a line.
    pub fn line(&self, locale: Locale) -> String {
        let mark = match self.mark {
            Mark::Well => "✓",
            Mark::Note => "!",
            Mark::Ill => "✗",
        };
        format!("{mark} {}", self.message.get(locale))
    }
}
