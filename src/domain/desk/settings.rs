//! What the desk needs of the configuration.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use crate::domain::{
    id::{ChatId, ReceiverName, SourceName},
    labels::Labels,
    plan::Plan,
    receiver::Receiver,
    rule::CatchUp,
    text::Locale,
    time::{Span, Zone},
};

/// What the desk needs of the configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The zone people read times in.
    pub zone: Zone,
    /// The language of answers that have no other hint.
    pub locale: Locale,
    /// The sources, by name.
    pub sources: BTreeMap<SourceName, SourceSettings>,
    /// The receivers, by name.
    pub receivers: BTreeMap<ReceiverName, Receiver>,
    /// Who hears of deskbell's own troubles.
    pub operations: Option<ReceiverName>,
    /// How fast may be sent.
    pub limits: Limits,
    /// How many API calls a month there are.
    pub plan: Plan,
    /// Who may look at tickets.
    pub access: Access,
    /// How long closed tickets are kept.
    pub retention: Span,
}

impl Settings {
    /// A receiver by its name; people who own tickets are receivers without standing in the configuration.
    pub fn receiver(&self, name: &ReceiverName) -> Option<Cow<'_, Receiver>> {
        let known = self.receivers.get(name).map(Cow::Borrowed);
        known.or_else(|| Receiver::person(name, self.locale).map(Cow::Owned))
    }
}

/// One source.
#[derive(Clone, Debug)]
pub struct SourceSettings {
    /// The usual time between two polls; three of them without a complete one raise the source watch.
    pub poll_every: Span,
    /// How what already holds is announced.
    pub catch_up: CatchUp,
    /// What is said of its tickets.
    pub labels: Arc<Labels>,
}

/// How fast may be sent (`feishu.limits`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Messages a second to one chat.
    pub chat_per_second: u32,
    /// Calls a second to one API.
    pub api_per_second: u32,
    /// Calls a minute to one API.
    pub api_per_minute: u32,
}

impl Default for Limits {
    /// The platform's own are 5, 50 and 1000 (`facts/feishu.md §3.1`); a chat's is shared by all its bots.
    fn default() -> Self {
        Self { chat_per_second: 3, api_per_second: 50, api_per_minute: 1_000 }
    }
}

/// Who may look at tickets in chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// For sources not named below.
    pub look: Look,
    /// For single sources.
    pub look_by_source: BTreeMap<SourceName, Look>,
    /// Who may ask in a direct chat.
    pub direct: Direct,
}

impl Access {
    /// The chats that may look at a source's tickets.
    pub fn look_at(&self, source: &SourceName) -> &Look {
        self.look_by_source.get(source).unwrap_or(&self.look)
    }
}

/// Which chats may look at tickets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// Any chat the bot is in.
    Everyone,
    /// The chats that are receivers.
    Receivers,
    /// These chats.
    Chats(Vec<ChatId>),
}

/// Who may ask in a direct chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direct {
    /// Members of a receiver's chat.
    Members,
    /// Whoever reaches the bot.
    Everyone,
    /// Nobody.
    Nobody,
}
