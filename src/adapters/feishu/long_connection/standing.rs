//! How the connection stands, for whoever shows it or waits for it. Nothing is decided here.

use tokio::sync::watch;

use crate::{adapters::feishu::error::Error, domain::time::Timestamp};

/// How the connection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What it does.
    pub state: State,
    /// Since when it is up, or down.
    pub since: Timestamp,
    /// Its name at the platform; empty before the first.
    pub device: String,
    /// Times it stood.
    pub connects: u64,
    /// When the platform answered a ping last.
    pub pong_at: Option<Timestamp>,
    /// Why it is down, or was last.
    pub error: Option<Error>,
    /// Attempts that failed since it stood last.
    pub failures: u32,
    /// What was carried, since the start.
    pub counts: Counts,
}

/// What a connection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It stands.
    Up,
    /// It is being opened.
    Opening,
    /// It is down until the next attempt.
    Waiting {
        /// When that is.
        until: Timestamp,
    },
    /// It was told to end.
    Ended,
}

/// What was carried, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events taken, and so acknowledged.
    pub taken: u64,
    /// Events that could not be made durable: the platform sends them again.
    pub refused: u64,
    /// Frames that could not be read, and parts that never came together.
    pub odd: u64,
}

/// How the connection stands, now and from now on. Clones watch the same.
pub type Watched = watch::Receiver<Standing>;

impl Standing {
    /// A connection that was never tried.
    pub const fn new(now: Timestamp) -> Self {
        Self {
            state: State::Opening,
            since: now,
            device: String::new(),
            connects: 0,
            pong_at: None,
            error: None,
            failures: 0,
            counts: Counts { taken: 0, refused: 0, odd: 0 },
        }
    }

    /// Whether it stands.
    pub const fn is_up(&self) -> bool {
        matches!(self.state, State::Up)
    }
}
