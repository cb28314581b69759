//! What runs: the loop that owns the desk, the pollers, the committer, the hands that send and look up.
//!
//! Invariant: nothing is decided here. Whatever comes back from outside becomes an input, and the desk says what next.

pub mod schedule;
