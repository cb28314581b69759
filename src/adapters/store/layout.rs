//! The store's directory: who holds it, where the database is, and how an interrupted compaction is put right.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io::{Read, Write},
    path::{Path, PathBuf},
};

use super::error::OpenError;

/// Bytes of the lock file that are looked at.
const LOCK_BYTES_MAX: u64 = 64;

/// The store's directory.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    root: PathBuf,
}

/// The store's directory, held by this process until it is dropped.
#[derive(Debug)]
pub(super) struct Held {
    _lock: File,
}

impl Layout {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_path_buf() }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The database in force.
    pub(super) fn database(&self) -> PathBuf {
        self.root.join("sled")
    }

    /// The database that a compaction is filling.
    pub(super) fn fresh(&self) -> PathBuf {
        self.root.join("sled.new")
    }

    /// The database that a compaction replaced.
    pub(super) fn old(&self) -> PathBuf {
        self.root.join("sled.old")
    }

    /// Whether a database was made here before: an empty one is then a damaged one.
    pub(super) fn was_made(&self) -> Result<bool, OpenError> {
        self.made().try_exists().map_err(|error| OpenError::io(&self.root, &error))
    }

    /// From here on the database in force is not empty.
    pub(super) fn set_made(&self) -> Result<(), OpenError> {
        let set = || File::create(self.made()).and_then(|_| sync_directory(&self.root));
        set().map_err(|error| OpenError::io(&self.root, &error))
    }

    fn made(&self) -> PathBuf {
        self.root.join("made")
    }

    /// Whether there is a database, in force or replaced.
    pub(super) fn is_there(&self) -> bool {
        let there = |path: PathBuf| path.try_exists().unwrap_or(true); // what may not be looked at is told later
        self.root.is_file() || there(self.database()) || there(self.old())
    }

    /// Makes the directory if there is none, and takes hold of it.
    pub(super) fn hold(&self) -> Result<Held, OpenError> {
        let fail = |error| OpenError::io(&self.root, &error);
        if self.root.exists() && !self.root.is_dir() {
            return Err(OpenError::NotADirectory(self.root.clone()));
        }
        private_directory().create(&self.root).map_err(fail)?;
        let path = self.root.join("lock");
        let mut lock = File::options().read(true).write(true).create(true).truncate(false).open(path).map_err(fail)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::Held { path: self.root.clone(), pid: holder(&lock) });
            }
            Err(TryLockError::Error(error)) => return Err(fail(error)),
        }
        lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id())).map_err(fail)?;
        Ok(Held { _lock: lock })
    }

    /// Puts an interrupted compaction right: before its first rename the database in force stays, after it the replaced
    /// one is whole and comes back; what is left over goes.
    pub(super) fn settle(&self) -> Result<(), OpenError> {
        let settle = || {
            if !self.database().exists() && self.old().exists() {
                fs::rename(self.old(), self.database())?;
                sync_directory(&self.root)?;
            }
            for left in [self.fresh(), self.old()].into_iter().filter(|path| path.exists()) {
                fs::remove_dir_all(left)?;
            }
            Ok(())
        };
        settle().map_err(|error| OpenError::io(&self.root, &error))
    }

    /// Puts the full database in [`Layout::fresh`] in force.
    pub(super) fn swap(&self) -> Result<(), OpenError> {
        let swap = || {
            fs::rename(self.database(), self.old())?;
            fs::rename(self.fresh(), self.database())?;
            sync_directory(&self.root)?;
            fs::remove_dir_all(self.old())
        };
        swap().map_err(|error| OpenError::io(&self.root, &error))
    }
}

/// The process that wrote the lock file.
fn holder(lock: &File) -> Option<u32> {
    let mut text = String::new();
    lock.take(LOCK_BYTES_MAX).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// Makes the names in a directory durable.
pub(super) fn sync_directory(path: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}
/// Tickets are about people: only the service's own user may look into its directory.
pub(super) fn private_directory() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}
