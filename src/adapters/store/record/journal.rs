//! The journal's lines on disk.

use serde::{Deserialize, Serialize};

use super::parts::{MessageRecord, Shared, SubjectRecord, rule};
use crate::domain::{chronicle::JournalLine, desk::state::JournalEntry, time::Timestamp};

/// [`JournalEntry`] on disk; read back as a [`JournalLine`], for a word of another version is no word of ours.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) struct JournalRecord<'a> {
    at: i64,
    #[serde(borrow)]
    subject: SubjectRecord<'a>,
    rule: Option<&'a str>,
    episode: u32,
    what: &'a str,
    note: MessageRecord<'a>,
}

impl<'a> JournalRecord<'a> {
    pub(in crate::adapters::store) fn of(entry: &'a JournalEntry) -> Self {
        Self {
            at: entry.at.as_ms(),
            subject: SubjectRecord::of(&entry.subject),
            rule: entry.rule.as_ref().map(|rule| rule.as_str()),
            episode: entry.episode,
            what: entry.what,
            note: MessageRecord::of(&entry.note),
        }
    }

    pub(in crate::adapters::store) fn line(self, shared: &mut Shared) -> JournalLine {
        JournalLine {
            at: Timestamp::from_ms(self.at),
            subject: self.subject.subject(shared),
            rule: self.rule.map(|name| rule(name, shared)),
            episode: self.episode,
            what: shared.text(self.what),
            note: self.note.message(),
        }
    }
}
