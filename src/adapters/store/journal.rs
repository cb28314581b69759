//! The journal: what happened and why, newest last, kept for as long as the configuration says.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{
    database::Store,
    error::StoreError,
    key::{self, Kind},
    load::Stop,
    record::{journal::JournalRecord, parts::Shared},
    value,
};
use crate::domain::{
    chronicle::{JournalLine, LinesOf},
    id::Subject,
    time::Timestamp,
};

/// Lines one question about a subject looks at, newest first.
pub const JOURNAL_SCAN_MAX: usize = 200_000;

/// Lines one call of [`Store::prune_journal`] removes at most.
pub const JOURNAL_PRUNE_MAX: usize = 1_000;

/// Keys of lines that stand in no index, by what they are about.
pub(super) type Unindexed = BTreeMap<Subject, Vec<Vec<u8>>>;

impl Store {
    /// The last lines, newest first.
    ///
    /// # Errors
    /// The store has failed, or a line cannot be read.
    pub fn recent_journal(&self, limit: usize) -> Result<Vec<JournalLine>, StoreError> {
        self.lines(limit, |_| true, |_| true)
    }

    /// The last lines that are meant, newest first, among the last [`JOURNAL_SCAN_MAX`] about their subject: by the
    /// index, and then those that were written before there was one.
    ///
    /// # Errors
    /// The store has failed, or a line cannot be read.
    pub fn journal(&self, of: &LinesOf, limit: usize) -> Result<Vec<JournalLine>, StoreError> {
        let (db, path) = (self.database()?, self.path());
        let (mut lines, mut shared) = (Vec::new(), Shared::default());
        for item in db.scan_prefix(key::index(&of.subject)).keys().rev().take(JOURNAL_SCAN_MAX) {
            if lines.len() >= limit {
                return Ok(lines);
            }
            let entry = item.map_err(|error| StoreError::sled(path, &error))?;
            let Some(key) = key::indexed(&entry) else { continue };
            let Some(head) = db.get(&key).map_err(|error| StoreError::sled(path, &error))? else { continue };
            let line = read(&db, path, &key, &head, &mut shared)?;
            // Subjects with endless names share their place by a hash.
            if of.has(&line) {
                lines.push(line);
            }
        }
        if has_unindexed(&db, path)? {
            let rest = limit - lines.len();
            lines.extend(self.lines(rest, |head| !is_indexed(head), |line| of.has(line))?);
        }
        Ok(lines)
    }

    fn lines(
        &self,
        limit: usize,
        looked_at: impl Fn(&[u8]) -> bool,
        wanted: impl Fn(&JournalLine) -> bool,
    ) -> Result<Vec<JournalLine>, StoreError> {
        let (db, path) = (self.database()?, self.path());
        let (mut lines, mut shared) = (Vec::new(), Shared::default());
        for item in db.scan_prefix([Kind::Journal as u8]).rev().take(JOURNAL_SCAN_MAX) {
            if lines.len() >= limit {
                break;
            }
            let (key, head) = item.map_err(|error| StoreError::sled(path, &error))?;
            if !looked_at(&head) {
                continue;
            }
            let line = read(&db, path, &key, &head, &mut shared)?;
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
            let mut shared = Shared::default();
            for (key, head) in &old {
                // One that cannot be read leaves an entry that leads nowhere.
                if let Some(line) = read(&open.db, path, key, head, &mut shared).ok().filter(|_| is_indexed(head)) {
                    batch.remove(key::index_of(&line.subject, key));
                }
                open.parts.remember_head(key, head);
                open.parts.write(&mut batch, key.to_vec(), None);
            }
            open.db.apply_batch(batch).map_err(fail)?;
            Ok(old.len())
        })
    }
}

/// Whether a line of this head stands in the index.
fn is_indexed(head: &[u8]) -> bool {
    value::version_of(head) >= Some(Kind::Journal.version())
}

/// Whether the oldest line was written before there was an index.
fn has_unindexed(db: &sled::Db, path: &Path) -> Result<bool, StoreError> {
    let oldest = db.scan_prefix([Kind::Journal as u8]).next().transpose();
    let oldest = oldest.map_err(|error| StoreError::sled(path, &error))?;
    Ok(oldest.is_some_and(|(_, head)| !is_indexed(&head)))
}

/// The keys of the lines about these subjects that were written before there was an index.
pub(super) fn unindexed(db: &sled::Db, path: &Path, subjects: &BTreeSet<Subject>) -> Result<Unindexed, StoreError> {
    let mut found = Unindexed::new();
    if subjects.is_empty() || !has_unindexed(db, path)? {
        return Ok(found);
    }
    let mut shared = Shared::default();
    for item in db.scan_prefix([Kind::Journal as u8]) {
        let (key, head) = item.map_err(|error| StoreError::sled(path, &error))?;
        if is_indexed(&head) {
            continue;
        }
        match line_of(db, &key, &head, &mut shared) {
            Ok(line) if subjects.contains(&line.subject) => {
                found.entry(line.subject).or_default().push(key.to_vec());
            }
            Ok(_) | Err(Stop::Record(_)) => {} // what cannot be read is told to nobody
            Err(Stop::Sled(error)) => return Err(StoreError::sled(path, &error)),
        }
    }
    Ok(found)
}

fn line_of(db: &sled::Db, key: &[u8], head: &[u8], shared: &mut Shared) -> Result<JournalLine, Stop> {
    value::whole(key, head, |part| Ok(db.get(part)?)).and_then(|bytes| {
        let record: JournalRecord<'_> = value::decode(Kind::Journal, &bytes)?;
        Ok(record.line(shared))
    })
}

fn read(db: &sled::Db, path: &Path, key: &[u8], head: &[u8], shared: &mut Shared) -> Result<JournalLine, StoreError> {
    line_of(db, key, head, shared).map_err(|stop| match stop {
        Stop::Sled(error) => StoreError::sled(path, &error),
        Stop::Record(why) => StoreError::unreadable(path, key, why),
    })
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::{
        adapters::store::config::Config,
        domain::{
            desk::{outcome::Write, state::JournalEntry},
            id::{SourceName, TicketKey},
            text::Message,
        },
    };

    fn write(ms: i64, subject: Subject) -> Write {
        let (at, note) = (Timestamp::from_ms(ms), Message::default());
        Write::Journal(Box::new(JournalEntry { at, subject, rule: None, episode: 0, what: "fired", note }))
    }

    fn times(store: &Store, subject: &Subject, limit: usize) -> Vec<i64> {
        store.journal(&LinesOf::all(subject.clone()), limit).unwrap().iter().map(|line| line.at.as_ms()).collect()
    }

    fn count(store: &Store, kind: Kind) -> usize {
        store.database().unwrap().scan_prefix([kind as u8]).count()
    }

    #[test]
    fn lines_of_earlier_episodes_take_no_place() {
        let home = TempDir::new().unwrap();
        let (store, _) = Store::open(&Config::at(home.path())).unwrap();
        let line = |ms, rule: &str, episode| {
            let (at, note) = (Timestamp::from_ms(ms), Message::default());
            let rule = Some(rule.into());
            Write::Journal(Box::new(JournalEntry { at, subject: Subject::Service, rule, episode, what: "fired", note }))
        };
        let mut lines: Vec<Write> = (0..3).map(|ms| line(ms, "one", 1)).collect();
        lines.extend((3..6).map(|ms| line(ms, "one", 2)));
        lines.extend((6..9).map(|ms| line(ms, "other", 1)));
        store.commit(&lines).unwrap();
        let of = |rule: &str, episode| LinesOf {
            subject: Subject::Service,
            episode: Some((rule.into(), episode)),
            digest: None,
            looks: false,
        };
        let times = |of: LinesOf, limit| -> Vec<i64> {
            store.journal(&of, limit).unwrap().iter().map(|line| line.at.as_ms()).collect()
        };
        assert_eq!(times(of("one", 1), 4), [5, 4, 3, 2], "what came after it goes on with it");
        assert_eq!(times(of("one", 2), 9), [5, 4, 3]);
        assert_eq!(times(of("other", 2), 9), [0_i64; 0]);
        assert_eq!(times(LinesOf::all(Subject::Service), 4), [8, 7, 6, 5]);
    }

    /// Makes the oldest lines what an earlier version left.
    fn age(store: &Store, count: usize) {
        let db = store.database().unwrap();
        for (key, head) in db.scan_prefix([Kind::Journal as u8]).take(count).map(Result::unwrap) {
            let mut old = head.to_vec();
            old[0] = Kind::Journal.version() - 1;
            let line = read(&db, store.path(), &key, &head, &mut Shared::default()).unwrap();
            db.insert(&key, old).unwrap();
            db.remove(key::index_of(&line.subject, &key)).unwrap().unwrap();
        }
    }

    #[test]
    fn what_is_forgotten_goes_from_before_the_index_too() {
        let home = TempDir::new().unwrap();
        let (store, _) = Store::open(&Config::at(home.path())).unwrap();
        let ticket = |id: &str| TicketKey { source: SourceName::from("it-desk"), id: id.into() };
        let (one, other) = (Subject::Ticket(ticket("1")), Subject::Ticket(ticket("2")));
        let lines: Vec<Write> =
            (0..6).map(|ms| write(ms, if ms % 2 == 0 { one.clone() } else { other.clone() })).collect();
        store.commit(&lines).unwrap();
        age(&store, 4);
        assert_eq!((times(&store, &one, 9), times(&store, &other, 9)), (vec![4, 2, 0], vec![5, 3, 1]));
        let at = Timestamp::from_ms(9);
        store.commit(&[Write::Forgotten(ticket("1"), at), write(9, one.clone())]).unwrap();
        assert_eq!((times(&store, &one, 9), times(&store, &other, 9)), (vec![9], vec![5, 3, 1]));
        assert_eq!((count(&store, Kind::Journal), count(&store, Kind::Index)), (4, 2));
    }

    #[test]
    fn a_subject_is_found_by_the_index_and_by_what_was_written_before_it() {
        let home = TempDir::new().unwrap();
        let (store, _) = Store::open(&Config::at(home.path())).unwrap();
        let (one, other) = (Subject::Group("支付".into()), Subject::Service);
        let long = Subject::Group("组".repeat(100).as_str().into());
        store.commit(&[write(1, one.clone()), write(2, other.clone()), write(3, one.clone())]).unwrap();
        store.commit(&[write(3, one.clone()), write(4, long.clone()), write(5, other.clone())]).unwrap();
        assert_eq!(times(&store, &one, 9), [3, 3, 1]);
        assert_eq!(times(&store, &one, 2), [3, 3]);
        assert_eq!(times(&store, &long, 9), [4]);
        assert_eq!((count(&store, Kind::Journal), count(&store, Kind::Index)), (6, 6));

        age(&store, 2);
        assert_eq!(times(&store, &one, 9), [3, 3, 1], "older lines are looked for");
        assert_eq!(times(&store, &other, 9), [5, 2]);
        assert_eq!(store.prune_journal(Timestamp::from_ms(4)).unwrap(), 4);
        assert_eq!(times(&store, &one, 9), [0_i64; 0]);
        assert_eq!((count(&store, Kind::Journal), count(&store, Kind::Index)), (2, 2), "no entry leads nowhere");
    }
}
