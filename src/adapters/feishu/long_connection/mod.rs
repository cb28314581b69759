//! Feishu's long connection: events and clicks over a WebSocket that we open, so that nobody needs a public address
//! (`facts/feishu.md §6`). Invariant: what is received is hostile until it is decoded; the address of a connection is a
//! secret and reaches no log and no error.

pub mod frame;
pub mod settings;
pub mod chunks;
pub mod session;
pub mod retry;
pub mod address;
pub mod dial;
pub mod standing;
pub mod connection;
