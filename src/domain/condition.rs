//! A compiled condition: what a rule means, with every name resolved.

use std::sync::Arc;

use regex::Regex;

use crate::domain::{
    field::Field,
    ticket::Text,
    time::{Span, Timestamp},
};

/// A condition on a ticket, three-valued.
#[derive(Clone, Debug)]
pub enum Condition {
    /// Every one holds.
    All(Vec<Condition>),
    /// At least one holds.
    Any(Vec<Condition>),
    /// None holds.
    None(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// One test of one value.
    Test(Test),
    /// One test of one clock.
    Clock(ClockTest),
}

/// One test of one value of a ticket.
#[derive(Clone, Debug)]
pub struct Test {
    /// What is looked at.
    pub target: Target,
    /// What it must be.
    pub operator: Operator,
}

/// The value a test looks at.
#[derive(Clone, Debug)]
pub enum Target {
    /// A field of the table.
    Field(&'static Field),
    /// A part of a person (`guest.department`).
    Part(&'static Field, PersonPart),
    /// A custom field.
    Custom(CustomSelector),
}

/// A part of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonPart {
    /// `id`
    Id,
    /// `name`
    Name,
    /// `email`
    Email,
    /// `department`
    Department,
    /// `city`
    City,
    /// `country`
    Country,
}

/// How a custom field is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CustomSelector {
    /// By display name or key, whichever matches (`fields: {优先级: P0}`).
    Any(Text),
    /// By display name.
    Name(Text),
    /// By key.
    Key(Text),
    /// By the vendor's id.
    Id(Text),
}

/// What a value must be. Text operands are folded (NFKC, trimmed, case) when compiled; `Matches` is raw.
#[derive(Clone, Debug)]
pub enum Operator {
    /// One of these texts, whole.
    TextIs(Arc<[Text]>),
    /// Contains one of these.
    TextContains(Arc<[Text]>),
    /// Matches one of these, unanchored.
    TextMatches(Arc<[Regex]>),
    /// Starts with one of these.
    TextStartsWith(Arc<[Text]>),
    /// One of these numbers of an enumeration (groups are opened when compiled).
    CodeIs(Arc<[i64]>),
    /// Equal to one of these.
    NumberIs(Arc<[f64]>),
    /// ≥
    AtLeast(f64),
    /// ≤
    AtMost(f64),
    /// >
    Above(f64),
    /// <
    Below(f64),
    /// The person's name, email or id is one of these.
    PersonIs(Arc<[Text]>),
    /// The list has one of these.
    ListContains(Arc<[Text]>),
    /// The list has every one of these.
    ListContainsAll(Arc<[Text]>),
    /// Earlier than this instant.
    Before(Timestamp),
    /// Later than this instant.
    After(Timestamp),
    /// There is a value (`true`) or there is none (`false`: `none`, `empty: true`, `exists: false`).
    Exists(bool),
}

/// A clock that runs on a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Clock {
    /// Since `created_at`; stops at closing.
    Age,
    /// Since `updated_at`, or `created_at` while there is none; stops at closing.
    Idle,
    /// Since `status_since`; runs in closed states too.
    InStatus,
    /// Since `agent_last_response_time`; stops at closing.
    SinceAgentReply,
}

impl Clock {
    /// Every clock, in the reference's order.
    pub const ALL: [Self; 4] = [Self::Age, Self::Idle, Self::InStatus, Self::SinceAgentReply];

    /// Its name in rules.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Age => "age",
            Self::Idle => "idle",
            Self::InStatus => "in_status",
            Self::SinceAgentReply => "since_agent_reply",
        }
    }
}

/// One test of one clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockTest {
    /// Which clock.
    pub clock: Clock,
    /// Which side of the boundary.
    pub bound: Bound,
}

/// Which side of a duration a clock must be on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// `at_least`: includes the boundary.
    AtLeast(Span),
    /// `under`: excludes the boundary.
    Under(Span),
}
