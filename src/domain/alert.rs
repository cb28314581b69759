//! An alert: one rule on one subject, with a life.

use sha2::{Digest, Sha256};

use crate::domain::{
    id::{ReceiverName, RuleName, Subject},
    rule::Severity,
    text::{Message, Words},
    time::Timestamp,
};

/// Which alert: the rule and what it is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertKey {
    /// What it is about.
    pub subject: Subject,
    /// The rule it belongs to.
    pub rule: RuleName,
}

/// Where an alert stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlertState {
    /// The condition holds, but not yet for as long as `for` asks.
    Pending,
    /// It rings.
    Firing {
        /// When it began to ring.
        fired_at: Timestamp,
        /// The instant of the data it rang on, where the source could not be read afresh.
        stale_as_of: Option<Timestamp>,
    },
    /// It is over.
    Ended {
        /// When it began to ring; absent when it never did.
        fired_at: Option<Timestamp>,
        /// When it ended.
        ended_at: Timestamp,
        /// Why.
        reason: EndReason,
    },
}

/// Why an alert ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EndReason {
    /// The condition is no.
    Cleared,
    /// A person said so.
    Handled,
    /// It lived as long as it may.
    Expired,
    /// The source no longer has the ticket.
    TicketGone,
    /// The rule was edited and no longer holds.
    RuleChanged,
    /// The rule was removed.
    RuleRemoved,
}

impl EndReason {
    /// The reason in words.
    pub const fn words(self) -> Words {
        match self {
            Self::Cleared => Words { zh: "条件不再成立", en: "the condition no longer holds" },
            Self::Handled => Words { zh: "已有人处理", en: "someone handled it" },
            Self::Expired => Words { zh: "已到时限", en: "it reached its time limit" },
            Self::TicketGone => Words { zh: "工单已不存在", en: "the ticket is gone" },
            Self::RuleChanged => Words { zh: "规则已修改", en: "the rule was changed" },
            Self::RuleRemoved => Words { zh: "规则已删除", en: "the rule was removed" },
        }
    }
}

/// How the beginning of an alert's present episode was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announced {
    /// By a card of its own per receiver.
    Cards,
    /// In the digest with this number, per receiver.
    Digest(u32),
    /// To nobody: `catch_up: none`, or it never fired.
    Nobody,
}

/// How far the repeats of one notify line have come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Whom the line tells.
    pub receiver: ReceiverName,
    /// Repeats sent so far.
    pub repeats: u32,
    /// When the next one is due.
    pub next_at: Option<Timestamp>,
}

/// An alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Which.
    pub key: AlertKey,
    /// Counts its firings and never goes back.
    pub episode: u32,
    /// Where it stands.
    pub state: AlertState,
    /// Since when the condition holds.
    pub since: Timestamp,
    /// The rule's severity when it last fired.
    pub severity: Severity,
    /// Why it fired, in words.
    pub why: Message,
    /// How its beginning was told.
    pub announced: Announced,
    /// Repeats, one entry per notify line.
    pub lines: Vec<Line>,
    /// Raised with every change a card shows; a card below it is due.
    pub rev: u32,
    /// Ended while the condition still held: no new episode until it was no.
    pub latched: bool,
    /// [`crate::domain::rule::Rule::meaning`] it was judged by.
    pub meaning: u64,
}

impl Alert {
    /// `4F7A2C`: six hex digits that name this episode in chat and in every card's footer.
    pub fn reference(&self) -> String {
        reference(&self.key, self.episode)
    }

    /// Whether it rings.
    pub const fn is_firing(&self) -> bool {
        matches!(self.state, AlertState::Firing { .. })
    }

    /// Whether it is pending or firing.
    pub const fn is_live(&self) -> bool {
        !matches!(self.state, AlertState::Ended { .. })
    }

    /// When it began to ring, if it did.
    pub const fn fired_at(&self) -> Option<Timestamp> {
        match self.state {
            AlertState::Pending => None,
            AlertState::Firing { fired_at, .. } => Some(fired_at),
            AlertState::Ended { fired_at, .. } => fired_at,
        }
    }
}

/// The reference of an alert's episode.
pub fn reference(key: &AlertKey, episode: u32) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{}\u{1f}{}\u{1f}{episode}", key.subject, key.rule));
    hash.finalize().iter().take(3).map(|byte| format!("{byte:02X}")).collect()
}
