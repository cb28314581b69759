//! The world outside: remotes, files, time. Invariant: rooms do not know each other; only `clock`, `http`, `secret`
//! and `yaml` stand below the others.

pub mod calendars;
pub mod clock;
pub mod feishu;
pub mod http;
pub mod outgoing;
pub mod rulebook;
pub mod secret;
pub mod store;
pub mod templates;
pub mod yaml;
