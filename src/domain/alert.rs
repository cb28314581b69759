//! An alert: one rule on one subject, with a life.

use sha2::{Digest, Sha256};

use crate::domain::{
    actor::Actor,
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
    /// What the rule's `until` asks for holds.
    UntilMet,
}

impl LineOf {
    /// The line of `notify` at this place.
    pub fn notify(at: usize) -> Self {
        u32::try_from(at).map_or(Self::Nothing, Self::Notify)
    }

    /// The rung at this place.
    pub fn rung(at: usize) -> Self {
        u32::try_from(at).map_or(Self::Nothing, Self::Rung)
    }
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
            Self::UntilMet => Words { zh: "结束条件已满足", en: "what `until` asks for holds" },
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
    /// The line of the rule that told it.
    pub from: LineOf,
    /// The number of the receiver's digest that tells it, where a storm or the end of a quiet time does.
    pub digest: Option<u32>,
    /// The number of the receiver's digest that is to tell of it again; once it did, it is the one that tells it.
    pub again: Option<u32>,
    /// Something of it was held back (silenced, inhibited, quiet hours) and not told since.
    pub held: bool,
}

impl Line {
    /// A line that was not repeated and will not be.
    pub const fn new(receiver: ReceiverName, from: LineOf) -> Self {
        Self { receiver, repeats: 0, next_at: None, from, digest: None, again: None, held: false }
    }
}

/// Who works on an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Who.
    pub by: Actor,
    /// Since when.
    pub at: Timestamp,
    /// Until when repeats and ladder rest; then the taker is asked.
    pub until: Timestamp,
    /// When the taker was asked; without an answer the ladder begins anew.
    pub asked_at: Option<Timestamp>,
}

/// An alert that was put off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snoozed {
    /// Who did.
    pub by: Actor,
    /// Since when.
    pub at: Timestamp,
    /// Nobody is told again before this.
    pub until: Timestamp,
}

/// A line of a rule that tells someone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineOf {
    /// This line of `notify`, from 0.
    Notify(u32),
    /// This rung of the ladder, from 0.
    Rung(u32),
    /// Nothing the rule says: the trial's receiver, deskbell's own alerts.
    Nothing,
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
    /// Rungs of the ladder that were reached, since it last began.
    pub rung: u32,
    /// How often the ladder began anew.
    pub rounds: u32,
    /// From when the ladder counts, where it began anew; absent: from firing.
    pub ladder_from: Option<Timestamp>,
    /// How often `fallback` was told after the ladder's end.
    pub fallbacks: u32,
    /// When it is told next.
    pub fallback_at: Option<Timestamp>,
    /// Who works on it, or did when it ended.
    pub taken: Option<Taken>,
    /// Until when it was put off.
    pub snoozed: Option<Snoozed>,
    /// How often it was put off: tells one waking from the next.
    pub snoozes: u32,
    /// Who ended it, where a person did.
    pub ended_by: Option<Actor>,
    /// How often a card of it was posted in place of one that cannot be updated any more.
    pub takeovers: u32,
    /// Since when the condition is no, while `keep_firing_for` keeps it firing.
    pub quiet_since: Option<Timestamp>,
    /// It rang while its rule was in trial.
    pub trial: bool,
    /// Raised with every change a card shows; a card below it is due.
    pub rev: u32,
    /// Ended while the condition still held: no new episode until it was no.
    pub latched: bool,
    /// [`crate::domain::rule::Rule::meaning`] it was judged by.
    pub meaning: u64,
}

impl Alert {
    /// An alert that was never judged: pending since `since`, told to nobody.
    pub fn pending(key: AlertKey, since: Timestamp) -> Self {
        Self {
            key,
            episode: 0,
            state: AlertState::Pending,
            since,
            severity: Severity::Warning,
            why: Message::default(),
            announced: Announced::Nobody,
            lines: Vec::new(),
            rung: 0,
            rounds: 0,
            ladder_from: None,
            fallbacks: 0,
            fallback_at: None,
            taken: None,
            snoozed: None,
            snoozes: 0,
            ended_by: None,
            takeovers: 0,
            quiet_since: None,
            trial: false,
            rev: 0,
            latched: false,
            meaning: 0,
        }
    }

    /// `4F7A2C`: six hex digits that name this episode in chat and in every card's footer.
    pub fn reference(&self) -> String {
        reference(&self.key, self.episode)
    }

    /// Whether it rings.
    pub const fn is_firing(&self) -> bool {
        matches!(self.state, AlertState::Firing { .. })
    }

    /// Whether someone works on it.
    pub const fn is_taken(&self) -> bool {
        self.is_firing() && self.taken.is_some()
    }

    /// Whether it rings and was put off.
    pub const fn is_put_off(&self) -> bool {
        self.is_firing() && self.snoozed.is_some()
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
