//! The open store: one atomic, durable commit at a time. Every call blocks; callers use `spawn_blocking`.

use std::{
    fs::File,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    thread,
    time::Duration,
};

use super::{
    batch,
    config::Config,
    error::{OpenError, StoreError},
    journal,
    key::Kind,
    layout::{Held, Layout, sync_directory},
    load::{self, Loaded},
    value::Parts,
};
use crate::domain::{
    desk::{outcome::Write, state::Stored},
    text::{Message, Words},
    time::Span,
};

/// How often opening again waits for sled's threads to let go of the file, and how long each time.
const LET_GO_TRIES: u32 = 40;
const LET_GO_WAIT: Duration = Duration::from_millis(25);

/// The store for readers that must not keep it open: nothing once it is closed.
#[derive(Clone)]
pub struct Reading(Weak<Inner>);

impl Reading {
    /// The store, if it is still open.
    pub fn store(&self) -> Option<Store> {
        self.0.upgrade().map(Store)
    }
}

/// The store. Clones are the same store; the last one closes it.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    config: Config,
    layout: Layout,
    /// Absent only while it is opened again, or when that failed.
    open: Mutex<Option<Open>>,
    failure: Mutex<Option<StoreError>>,
    _held: Held,
}

pub(super) struct Open {
    pub(super) db: sled::Db,
    /// The database file through a handle of our own: sled's flush leaves its size and the device's cache unsynced.
    file: File,
    pub(super) parts: Parts,
    /// Tells apart journal lines and revisions of one instant; goes on after the last journal line's.
    sequence: u64,
    /// It was opened again after a failure, and nothing was committed since.
    again: bool,
}

/// The kinds of records a store has, in words: for the documents.
pub fn record_kinds() -> impl Iterator<Item = Words> {
    Kind::ALL.into_iter().map(Kind::words)
}

impl Store {
    /// Whether a store stands at `config.path`.
    pub fn is_there(config: &Config) -> bool {
        Layout::new(&config.path).is_there()
    }

    /// For readers that must not keep it open.
    pub fn reading(&self) -> Reading {
        Reading(Arc::downgrade(&self.0))
    }

    /// Opens the store, or makes it, and reads what it holds.
    ///
    /// # Errors
    /// Whatever makes it unsafe to go on, each with what to do.
    pub fn open(config: &Config) -> Result<(Self, Stored), OpenError> {
        let layout = Layout::new(&config.path);
        let held = layout.hold()?;
        layout.settle()?;
        let (open, stored) = open(config, &layout)?;
        let (open, failure) = (Mutex::new(Some(open)), Mutex::new(None));
        Ok((Self(Arc::new(Inner { config: config.clone(), layout, open, failure, _held: held })), stored))
    }

    /// Writes all of `writes` or none, and returns when they are durable. Of several under one key the last one stands.
    ///
    /// # Errors
    /// After [`StoreError::DiskFull`] or [`StoreError::Failed`] nobody knows whether the writes are there, and every
    /// later call fails the same way; the same writes may be committed after [`Store::reopen`]. After
    /// [`StoreError::TooLarge`] nothing is changed.
    pub fn commit(&self, writes: &[Write]) -> Result<(), StoreError> {
        if writes.is_empty() {
            return self.health();
        }
        self.with_open(|open, path| {
            let (db, parts) = (&open.db, &mut open.parts);
            let unindexed = journal::unindexed(db, path, &batch::forgotten(writes))?;
            let records = batch::records(writes, &mut open.sequence, &unindexed, |prefix| {
                let mut keys = Vec::new();
                for item in db.scan_prefix(prefix) {
                    let (key, head) = item.map_err(|error| StoreError::sled(path, &error))?;
                    parts.remember_head(&key, &head);
                    keys.push(key.to_vec());
                }
                Ok(keys)
            })?;
            let mut batch = sled::Batch::default();
            for (key, bytes) in records {
                open.parts.write(&mut batch, key, bytes);
            }
            open.apply(batch, path)
        })
    }

    /// Whether commits work; else what happened.
    ///
    /// # Errors
    /// The failure that stands.
    pub fn health(&self) -> Result<(), StoreError> {
        self.0.failure().clone().map_or(Ok(()), Err)
    }

    /// Opens a failed store again, once per failure. Does nothing to a healthy one.
    ///
    /// Only a full disk can be got over in place: after a failed sync the kernel calls lost pages written, so what is
    /// read back would prove nothing.
    ///
    /// # Errors
    /// The store stays failed; the service ends.
    pub fn reopen(&self) -> Result<(), OpenError> {
        let Err(failure) = self.health() else { return Ok(()) };
        let mut slot = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        let usable = slot.as_ref().is_some_and(|open| !open.again) && matches!(failure, StoreError::DiskFull(_));
        if !usable {
            return Err(OpenError::GaveUp { path: self.0.config.path.clone(), failure: failure.message() });
        }
        *slot = None;
        let (mut open, _) = open_released(&self.0.config, &self.0.layout)?;
        open.again = true;
        *slot = Some(open);
        *self.0.failure() = None;
        Ok(())
    }

    /// How long closed tickets and journal lines are kept.
    pub fn retention(&self) -> Span {
        self.0.config.retention
    }

    /// Bytes the database takes on disk.
    ///
    /// # Errors
    /// The store has failed.
    pub fn size_on_disk(&self) -> Result<u64, StoreError> {
        self.with_open(|open, path| open.db.size_on_disk().map_err(|error| StoreError::sled(path, &error)))
    }

    /// The database, for readers; held no longer than a call.
    pub(super) fn database(&self) -> Result<sled::Db, StoreError> {
        self.with_open(|open, _| Ok(open.db.clone()))
    }

    /// The store's directory, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.0.config.path
    }

    /// Works on the open store; a failure sticks.
    pub(super) fn with_open<T>(
        &self,
        f: impl FnOnce(&mut Open, &Path) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let path = self.path();
        let result = match self.0.open.lock() {
            Ok(mut slot) => {
                self.health()?;
                slot.as_mut().map_or_else(|| Err(StoreError::failed(path, "not open")), |open| f(open, path))
            }
            Err(_) => Err(StoreError::failed(path, "a call into the database broke off")),
        };
        if let Err(failure @ (StoreError::DiskFull(_) | StoreError::Failed { .. })) = &result {
            self.0.failure().get_or_insert_with(|| failure.clone());
        }
        result
    }
}

impl Inner {
    fn failure(&self) -> MutexGuard<'_, Option<StoreError>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let broken = matches!(*self.failure(), Some(StoreError::Failed { .. }));
        let open = self.open.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if broken {
            // Closing would write what is in memory, half a batch among it.
            mem::forget(open);
        }
    }
}

impl Open {
    /// Applies a batch and makes it durable.
    fn apply(&mut self, batch: sled::Batch, path: &Path) -> Result<(), StoreError> {
        let fail = |error| StoreError::sled(path, &error);
        self.db.apply_batch(batch).map_err(fail)?;
        self.db.flush().map_err(fail)?;
        // Even "no space" is final here: what was lost cannot be told from what was written.
        self.file.sync_data().map_err(|error| StoreError::failed(path, &error.to_string()))?;
        self.again = false;
        Ok(())
    }
}

fn open(config: &Config, layout: &Layout) -> Result<(Open, Stored), OpenError> {
    let path = layout.root();
    let (db, file) = open_database(&layout.database(), config.cache_bytes, path)?;
    let made_before = layout.was_made()?;
    if load::check_format(&db, path)? {
        if made_before {
            let detail = Message::new("里面的数据全没了", "all that was in it is gone");
            return Err(OpenError::Corrupt { path: path.to_path_buf(), detail });
        }
        let io = |error| OpenError::io(path, &error);
        db.flush().map_err(|error| OpenError::sled(path, &error))?;
        file.sync_all().map_err(io)?;
        sync_directory(&layout.database()).and_then(|()| sync_directory(path)).map_err(io)?;
    }
    if !made_before {
        layout.set_made()?;
    }
    let Loaded { stored, parts, sequence } = unwinding(path, || load::load(&db, path))?;
    Ok((Open { db, file, parts, sequence, again: false }, stored))
}

/// Opens a database of this process that was closed a moment ago: sled's threads may still hold its file.
fn open_released(config: &Config, layout: &Layout) -> Result<(Open, Stored), OpenError> {
    for _ in 1..LET_GO_TRIES {
        match open(config, layout) {
            Err(OpenError::Held { .. }) => thread::sleep(LET_GO_WAIT),
            other => return other,
        }
    }
    open(config, layout)
}

/// The database in `directory`, and its file.
pub(super) fn open_database(directory: &Path, cache: u64, path: &Path) -> Result<(sled::Db, File), OpenError> {
    let config = sled::Config::new().path(directory).cache_capacity(cache).flush_every_ms(None);
    let db = unwinding(path, || config.open().map_err(|error| OpenError::sled(path, &error)))?;
    let file = File::options().read(true).write(true).open(directory.join("db"));
    Ok((db, file.map_err(|error| OpenError::io(path, &error))?))
}

/// sled answers some damage with a panic.
fn unwinding<T>(path: &Path, f: impl FnOnce() -> Result<T, OpenError>) -> Result<T, OpenError> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|_| {
        let detail = Message::new("数据库读取中断", "reading the database broke off");
        Err(OpenError::Corrupt { path: path.to_path_buf(), detail })
    })
}
