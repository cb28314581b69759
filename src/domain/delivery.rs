//! What became of a send, and what is done about it.

use crate::domain::{
    id::MessageId,
    notice::NoticeKey,
    time::{Span, Timestamp},
};

/// What became of a send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendReport {
    /// Which notice.
    pub key: NoticeKey,
    /// The revision it showed.
    pub rev: u32,
    /// Which attempt it was, as the send said.
    pub attempts: u32,
    /// How it ended.
    pub result: Result<Delivered, Failure>,
}

/// A send that arrived.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Delivered {
    /// The message, where the platform names it (custom bots do not).
    pub message_id: Option<MessageId>,
}

/// A send that did not arrive, or nobody knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What may be done.
    pub kind: FailureKind,
    /// How long the platform asks to wait.
    pub retry_after: Option<Span>,
    /// What it said, free of secrets, with the log id.
    pub reason: String,
}

/// What may be done about a failed send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureKind {
    /// Too fast: wait, then the same again.
    Throttled,
    /// It never left, or was turned away at the door (no connection, 5xx before acceptance): the same again.
    Unreachable,
    /// It may have arrived (timeout after sending, broken answer): the same key again.
    Uncertain,
    /// The same key is being sent right now: the same again soon.
    InFlight,
    /// A person mentioned cannot be: again without mentions.
    Mention,
    /// The content is refused for good (sensitive words, DLP).
    Content,
    /// Too long even after shortening.
    TooLong,
    /// The card cannot be updated any more: deleted, recalled, older than 14 days.
    CardGone,
    /// Something a person must set right: the bot is not in the chat, a scope is missing, credentials.
    Setup,
    /// The month's API calls are used up (99991403).
    Quota,
    /// Refused for good, for a reason that is ours.
    Refused,
}

impl FailureKind {
    /// Its word in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Unreachable => "unreachable",
            Self::Uncertain => "uncertain",
            Self::InFlight => "in_flight",
            Self::Mention => "mention",
            Self::Content => "content",
            Self::TooLong => "too_long",
            Self::CardGone => "card_gone",
            Self::Setup => "setup",
            Self::Quota => "quota",
            Self::Refused => "refused",
        }
    }
}

/// What a search of a chat's history for a reference found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryReport {
    /// Which notice was looked for.
    pub key: NoticeKey,
    /// What was found.
    pub found: HistoryFound,
}

/// What a chat's history says of a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryFound {
    /// It arrived.
    There(MessageId),
    /// It did not.
    NotThere,
    /// Nobody can tell.
    Unreadable,
}

/// When a failed send is tried again; pure, the jitter comes from the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Again at this instant.
    RetryAt(Timestamp),
    /// Again at this instant, without mentions.
    RetryPlainAt(Timestamp),
    /// Never: to the dead letters.
    GiveUp,
    /// Nothing is left to do.
    Drop,
}
