//! What the web needs of the service below: two narrow handles, filled where everything is wired. Holds no state of its
//! own but counters.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    domain::{explain::explanation::Explained, text::Message},
    web::{
        operators::Operators,
        status::{FaultStatus, Status},
        tokens::Tokens,
    },
};

/// Reads rules and templates again; ready when they are in force, or with why they are not. Nothing when the service is
/// stopping.
pub type Reload =
    Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Option<Result<(), Vec<FaultStatus>>>> + Send>> + Send + Sync>;

/// Asks what the rules (or the one named) say of a ticket. Nothing when the service is busy or stopping.
pub type Explain = Arc<
    dyn Fn(String, Option<String>) -> Pin<Box<dyn Future<Output = Option<Result<Explained, Message>>> + Send>>
        + Send
        + Sync,
>;

/// What the admin's listener needs.
#[derive(Clone)]
pub struct Admin {
    /// The service as it stands now.
    pub status: Arc<dyn Fn() -> Status + Send + Sync>,
    /// Reads rules and templates again; absent where the service does not.
    pub reload: Option<Reload>,
    /// Asks what the rules say of a ticket; absent where nobody answers.
    pub explain: Option<Explain>,
    /// What operators ask and do; absent where nobody answers.
    pub operators: Option<Operators>,
    /// What `/api` asks for.
    pub tokens: Tokens,
    /// How callbacks were answered.
    pub counts: Arc<CallbackCounts>,
}

/// How callbacks were answered, counted since the start.
#[derive(Debug, Default)]
pub struct CallbackCounts {
    /// Stored, 200.
    pub accepted: AtomicU64,
    /// Understood and of no interest, 200.
    pub ignored: AtomicU64,
    /// Not ours, not signed, not readable: 4xx.
    pub rejected: AtomicU64,
    /// Could not be stored in time: 503.
    pub refused: AtomicU64,
}

impl CallbackCounts {
    /// Adds one.
    pub fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Each counter with its word.
    pub fn all(&self) -> [(&'static str, u64); 4] {
        [
            ("accepted", self.accepted.load(Ordering::Relaxed)),
            ("ignored", self.ignored.load(Ordering::Relaxed)),
            ("rejected", self.rejected.load(Ordering::Relaxed)),
            ("refused", self.refused.load(Ordering::Relaxed)),
        ]
    }
}
