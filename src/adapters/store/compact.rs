//! Shrinking a store that nobody has open: the live records go into a fresh database, which then takes the old one's
//! place. A crash at any point leaves a whole store; the next opening tidies up.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use super::{
    database::open_database,
    error::OpenError,
    layout::{Layout, sync_directory},
    load,
};
use crate::domain::text::Message;

/// Records copied at a time.
const COPY_RECORDS: usize = 1_000;

/// Bytes of pages kept in memory by each of the two databases.
const CACHE_BYTES: u64 = 32 << 20;

/// What a compaction did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compacted {
    /// Records that are alive.
    pub records: usize,
    /// Bytes on disk before.
    pub bytes_before: u64,
    /// Bytes on disk now.
    pub bytes_after: u64,
}

/// Compacts the store at `path`. `progress` hears the number of records copied so far.
///
/// # Errors
/// As for opening; the store is as it was.
pub fn compact(path: &Path, mut progress: impl FnMut(usize)) -> Result<Compacted, OpenError> {
    let layout = Layout::new(path);
    if !layout.is_there() {
        return Err(OpenError::Missing(path.to_path_buf()));
    }
    let _held = layout.hold()?;
    layout.settle()?;
    let done = copy(&layout, path, &mut progress);
    if done.is_err() {
        // The next opening would tidy it up as well; a full disk needs the room now.
        fs::remove_dir_all(layout.fresh()).ok();
    }
    let compacted = done?;
    layout.swap()?;
    Ok(compacted)
}

/// Copies what is alive into a fresh database, durable when this returns.
fn copy(layout: &Layout, path: &Path, progress: &mut dyn FnMut(usize)) -> Result<Compacted, OpenError> {
    let fail = |error| OpenError::sled(path, &error);
    let (old, old_file) = open_database(&layout.database(), CACHE_BYTES, path)?;
    load::check_format(&old, path)?;
    let (fresh, file) = open_database(&layout.fresh(), CACHE_BYTES, path)?;
    let (mut batch, mut records) = (sled::Batch::default(), 0);
    for item in old.iter() {
        let (key, value) = item.map_err(fail)?;
        batch.insert(key, value);
        records += 1;
        if records % COPY_RECORDS == 0 {
            fresh.apply_batch(std::mem::take(&mut batch)).map_err(fail)?;
            progress(records);
        }
    }
    fresh.apply_batch(batch).map_err(fail)?;
    progress(records);
    fresh.flush().map_err(fail)?;
    if fresh.len() != records {
        let detail = Message::new("复制后的记录数不符", "the copy does not have as many records");
        return Err(OpenError::Corrupt { path: path.to_path_buf(), detail });
    }
    let bytes_before = old.size_on_disk().map_err(fail)?;
    drop((old, old_file, fresh));
    let io = |error| OpenError::io(path, &error);
    let bytes_after = sync(layout, &file).map_err(io)?;
    Ok(Compacted { records, bytes_before, bytes_after })
}

/// Makes the fresh database durable; its size in bytes.
fn sync(layout: &Layout, file: &File) -> io::Result<u64> {
    file.sync_all()?;
    File::open(layout.fresh().join("conf"))?.sync_all()?;
    sync_directory(&layout.fresh())?;
    sync_directory(layout.root())?;
    Ok(file.metadata()?.len())
}
