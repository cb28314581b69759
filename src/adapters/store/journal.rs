//! The journal: what happened and why, newest last, kept for as long as the configuration says.

use std::sync::Arc;

use super::{
    database::Store,
    error::StoreError,
    key::{self, Kind},
    load::Stop,
    record::{journal::JournalRecord, parts::Shared},
    value,
};
use crate::domain::{
    id::{RuleName, Subject},
    text::Message,
    time::Timestamp,
};

/// Lines one question about a subject looks at, newest first.
pub const JOURNAL_SCAN_MAX: usize = 200_000;

/// Lines one call of [`Store::prune_journal`] removes at most.
pub const JOURNAL_PRUNE_MAX: usize = 1_000;

/// One line of the journal, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalLine {
    /// When.
    pub at: Timestamp,
    /// What it is about.
    pub subject: Subject,
    /// The rule, where there is one.
    pub rule: Option<RuleName>,
    /// The alert's episode, where there is one.
    pub episode: u32,
    /// A stable word: `fired`, `ended`, …
    pub what: Arc<str>,
    /// What happened and why, for people.
    pub note: Message,
}

impl Store {
    /// The last lines, newest first.
    ///
    /// # Errors
    /// The store has failed, or a line cannot be read.
    pub fn recent_journal(&self, limit: usize) -> Result<Vec<JournalLine>, StoreError> {
        self.lines(limit, |_| true)
    }

    /// The last lines about `subject`, newest first, among the last [`JOURNAL_SCAN_MAX`].
    ///
    /// # Errors
    /// The store has failed, or a line cannot be read.
    pub fn journal(&self, subject: &Subject, limit: usize) -> Result<Vec<JournalLine>, StoreError> {
        self.lines(limit, |line| line.subject == *subject)
    }

    fn lines(&self, limit: usize, wanted: impl Fn(&JournalLine) -> bool) -> Result<Vec<JournalLine>, StoreError> {
        let (db, path) = (self.database()?, self.path());
        let (mut lines, mut shared) = (Vec::new(), Shared::default());
        for item in db.scan_prefix([Kind::Journal as u8]).rev().take(JOURNAL_SCAN_MAX) {
            if lines.len() >= limit {
                break;
            }
            let (key, head) = item.map_err(|error| StoreError::sled(path, &error))?;
            let line = value::whole(&key, &head, |part| Ok(db.get(part)?)).and_then(|bytes| {
                let record: JournalRecord<'_> = value::decode(Kind::Journal, &bytes)?;
                Ok(record.line(&mut shared))
            });
            let line = line.map_err(|stop| match stop {
                Stop::Sled(error) => StoreError::sled(path, &error),
                Stop::Record(why) => StoreError::unreadable(path, &key, why),
            })?;
            if wanted(&line) {
                lines.push(line);
            }
        }
        Ok(lines)
    }

    /// Removes lines of before `before`, at most [`JOURNAL_PRUNE_MAX`] of them; how many it removed. Durable with the
    /// next commit: nothing is lost if they come back.
    ///
    /// # Errors
    /// The store has failed.
    pub fn prune_journal(&self, before: Timestamp) -> Result<usize, StoreError> {
        self.with_open(|open, path| {
            let fail = |error| StoreError::sled(path, &error);
            let old = open.db.range(vec![Kind::Journal as u8]..key::journal_at(before)).take(JOURNAL_PRUNE_MAX);
            let old = old.collect::<Result<Vec<_>, _>>().map_err(fail)?;
            let mut batch = sled::Batch::default();
            for (key, head) in &old {
                open.parts.remember_head(key, head);
                open.parts.write(&mut batch, key.to_vec(), None);
            }
            open.db.apply_batch(batch).map_err(fail)?;
            Ok(old.len())
        })
    }
}
