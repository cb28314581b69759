//! Reads the journal while the service runs: beside the loop, in a thread of its own, few at a time.

use std::sync::Arc;

use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::{
    adapters::store::database::Reading,
    domain::{
        chronicle::{JournalLine, LinesOf},
        text::Message,
    },
    engine::busy::Busy,
};

/// Readings at once; who comes while there are so many is told to come again.
const READINGS_MAX: usize = 2;

/// Lines one reading gives at most.
pub const LINES_MAX: usize = 5_000;

/// What reads the journal; clones are the same.
#[derive(Clone)]
pub struct JournalReader {
    reading: Reading,
    /// Counts calls into the store that are under way.
    calls: Busy,
    places: Arc<Semaphore>,
}

impl JournalReader {
    /// Reads the journal of this store without keeping it open.
    pub fn new(reading: Reading, calls: Busy) -> Self {
        Self { reading, calls, places: Arc::new(Semaphore::new(READINGS_MAX)) }
    }

    /// The last lines that are meant, newest first; nothing where too many read already, or the store is closed.
    pub async fn about(&self, of: LinesOf, limit: usize) -> Option<Result<Vec<JournalLine>, Message>> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let (reading, call) = (self.reading.clone(), self.calls.enter());
        let read = spawn_blocking(move || {
            let lines = reading.store().map(|store| store.journal(&of, limit.min(LINES_MAX)));
            drop(place);
            drop(call); // last: whoever waits for it may open the store again
            lines
        });
        let lines = read.await.ok()??;
        Some(lines.map_err(|error| error.message()))
    }
}
