//! What runs: the loop that owns the desk, the pollers, the committer, the hands that send and look up.
//!
//! Invariant: nothing is decided here. Whatever comes back from outside becomes an input, and the desk says what next.

pub mod start;
pub mod port;
pub mod asks;
pub mod doors;
pub mod run;
pub mod chats;
pub mod committer;
pub mod schedule;
pub mod source;
pub mod meter;
pub mod poller;
pub mod wanted;
pub mod conversations;
pub mod remembered;
pub mod directory;
pub mod lookup;
pub mod reading;
pub mod replies;
pub mod templating;
pub mod mentions;
pub mod delivery;
pub mod heartbeat;
pub mod busy;
pub mod health;
pub mod view;
pub mod incoming;
