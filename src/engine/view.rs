//! What others may see of the engine: the desk's view, published by the loop, and the engine's own counters.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::domain::{
    desk::view::View,
    time::{Span, Timestamp},
};

/// The desk's view is made at most this often: making it walks everything.
pub const VIEW_PACE: Span = Span::from_secs(1);

/// And so that it takes at most one part in this many of the loop's time.
pub const VIEW_SHARE: i64 = 50;

/// The desk as it stood at an instant.
#[derive(Debug, Default)]
pub struct Shown {
    /// When; absent before the first one.
    pub at: Option<Timestamp>,
    /// What.
    pub desk: View,
}

/// Where the loop publishes and everyone reads, without waiting for each other.
#[derive(Debug, Default)]
pub struct Published(ArcSwap<Shown>);

impl Published {
    /// The latest view.
    pub fn latest(&self) -> Arc<Shown> {
        self.0.load_full()
    }

    /// Publishes a view.
    pub fn show(&self, desk: View, at: Timestamp) {
        self.0.store(Arc::new(Shown { at: Some(at), desk }));
    }
}
