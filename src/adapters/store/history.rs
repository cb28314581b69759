//! What tickets were before their changes: the revisions of one, and all tickets with theirs, one by one.

use std::path::Path;

use super::{
    config::Config,
    database::{Store, open_database},
    error::{OpenError, StoreError},
    key::{self, Kind},
    layout::{Held, Layout},
    load::{self, Stop},
    record::{
        parts::Shared,
        tracked::{RevisionRecord, TrackedRecord},
    },
    value,
};
use crate::domain::{
    desk::state::{Revision, Tracked},
    id::TicketKey,
    time::Timestamp,
};

/// Revisions of one ticket that are read, the newest.
pub const REVISIONS_MAX: usize = 10_000;

/// A store opened to be looked through: nothing is written, and little is in memory at a time. While it is open no
/// service can have the store.
pub struct History {
    db: sled::Db,
    config: Config,
    _held: Held,
}

impl Store {
    /// The revisions of a ticket, oldest first; of very many, the newest [`REVISIONS_MAX`].
    ///
    /// # Errors
    /// The store has failed, or a revision cannot be read.
    pub fn revisions(&self, ticket: &TicketKey) -> Result<Vec<Revision>, StoreError> {
        revisions(&self.database()?, self.path(), ticket, &mut Shared::default())
    }
}

impl History {
    /// Opens the store at `config.path`.
    ///
    /// # Errors
    /// Whatever [`Store::open`] says, and [`OpenError::Missing`] where no store stands.
    pub fn open(config: &Config) -> Result<Self, OpenError> {
        let layout = Layout::new(&config.path);
        if !layout.is_there() {
            return Err(OpenError::Missing(config.path.clone()));
        }
        let held = layout.hold()?;
        layout.settle()?;
        let (db, _) = open_database(&layout.database(), config.cache_bytes, &config.path)?;
        load::check_format(&db, &config.path)?;
        Ok(Self { db, config: config.clone(), _held: held })
    }

    /// Hands over every ticket that was open at `since` or moved later, with all of its revisions, oldest first; until
    /// `each` says to stop by `false`. Blocks.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn each(
        &self,
        since: Timestamp,
        mut each: impl FnMut(Tracked, Vec<Revision>) -> bool,
    ) -> Result<(), StoreError> {
        let path = &self.config.path;
        for item in self.db.scan_prefix([Kind::Ticket as u8]) {
            let (key, head) = item.map_err(|error| StoreError::sled(path, &error))?;
            let mut shared = Shared::default();
            let read = value::whole(&key, &head, |part| Ok(self.db.get(part)?));
            let tracked = read.and_then(|bytes| Ok(TrackedRecord::read(&bytes, &mut shared)?));
            let tracked = tracked.map_err(|stop| failed(path, &key, stop))?;
            if is_over(&tracked, since) {
                continue;
            }
            let revisions = revisions(&self.db, path, &tracked.ticket.key, &mut shared)?;
            if !each(tracked, revisions) {
                break;
            }
        }
        Ok(())
    }
}

/// Whether nothing about the ticket can have happened since.
fn is_over(tracked: &Tracked, since: Timestamp) -> bool {
    let moved_at = tracked.ticket.last_moved_at().max(tracked.gone_at);
    (tracked.ticket.is_closed() == Some(true) || tracked.gone_at.is_some()) && moved_at.is_some_and(|at| at < since)
}

fn revisions(db: &sled::Db, path: &Path, ticket: &TicketKey, shared: &mut Shared) -> Result<Vec<Revision>, StoreError> {
    let mut revisions = Vec::new();
    for item in db.scan_prefix(key::revisions(ticket)).rev().take(REVISIONS_MAX) {
        let (key, head) = item.map_err(|error| StoreError::sled(path, &error))?;
        let revision = value::whole(&key, &head, |part| Ok(db.get(part)?)).and_then(|bytes| {
            let record: RevisionRecord<'_> = value::decode(Kind::Revision, &bytes)?;
            Ok(record.revision(shared)?)
        });
        revisions.push(revision.map_err(|stop| failed(path, &key, stop))?);
    }
    revisions.reverse();
    Ok(revisions)
}

fn failed(path: &Path, key: &[u8], stop: Stop) -> StoreError {
    match stop {
        Stop::Sled(error) => StoreError::sled(path, &error),
        Stop::Record(why) => StoreError::unreadable(path, key, why),
    }
}
