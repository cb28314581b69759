//! Sources, rules' meanings, messages seen and the store's own format, on disk.

use serde::{Deserialize, Serialize};

use super::parts::{Shared, at, ms};
use crate::domain::{
    desk::state::SourceState,
    id::{MessageId, RuleName, SourceName},
    time::Timestamp,
};

/// [`SourceState`] on disk.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) struct SourceRecord<'a> {
    name: &'a str,
    cursor: Option<i64>,
    swept_at: Option<i64>,
    pass: u64,
    digest: u32,
    calls: u64,
    calls_month: i32,
    paused_until: Option<i64>,
}

impl<'a> SourceRecord<'a> {
    pub(in crate::adapters::store) fn of(source: &'a SourceState) -> Self {
        Self {
            name: source.name.as_str(),
            cursor: ms(source.cursor),
            swept_at: ms(source.swept_at),
            pass: source.pass,
            digest: source.digest,
            calls: source.calls,
            calls_month: source.calls_month,
            paused_until: ms(source.paused_until),
        }
    }

    pub(in crate::adapters::store) fn source(self, shared: &mut Shared) -> SourceState {
        SourceState {
            name: SourceName::new(shared.text(self.name)),
            cursor: at(self.cursor),
            swept_at: at(self.swept_at),
            pass: self.pass,
            digest: self.digest,
            calls: self.calls,
            calls_month: self.calls_month,
            paused_until: at(self.paused_until),
        }
    }
}

/// What a rule meant.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) struct MeaningRecord<'a> {
    rule: &'a str,
    meaning: u64,
}

impl<'a> MeaningRecord<'a> {
    pub(in crate::adapters::store) fn of(rule: &'a RuleName, meaning: u64) -> Self {
        Self { rule: rule.as_str(), meaning }
    }

    pub(in crate::adapters::store) fn meaning(self) -> (RuleName, u64) {
        (self.rule.into(), self.meaning)
    }
}

/// A message that was seen.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) struct SeenRecord<'a> {
    message: &'a str,
    at: i64,
}

impl<'a> SeenRecord<'a> {
    pub(in crate::adapters::store) fn of(message: &'a MessageId, at: Timestamp) -> Self {
        Self { message: message.as_str(), at: at.as_ms() }
    }

    pub(in crate::adapters::store) fn seen(self) -> (MessageId, Timestamp) {
        (self.message.into(), Timestamp::from_ms(self.at))
    }
}

/// What the store says of itself.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::adapters::store) struct FormatRecord<'a> {
    /// The version of deskbell that made it, for people.
    pub(in crate::adapters::store) made_by: &'a str,
}
