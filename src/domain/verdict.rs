//! The answer of a condition, and until when it stands if nothing changes.

use crate::domain::time::Timestamp;

/// Yes, no, or nobody can say (Kleene's three values).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// It does not hold.
    No,
    /// A value it needs is unknown.
    Unknown,
    /// It holds.
    Yes,
}

/// An answer that carries its own expiry: it holds on `[now, valid_until)` if nothing changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The answer now.
    pub answer: Answer,
    /// The first instant at which time alone may change it.
    pub valid_until: Timestamp,
}
