//! Receivers that are told over plain HTTP: Alertmanager's webhook JSON version 4, and WeCom's group bots. They take
//! no key, no reply and no update; nothing comes back from them but whether they took it.
//!
//! Invariant: no address and no token in an error, a log or `Debug`; answers are bounded; no redirect is followed.

pub mod config;
pub mod error;
pub mod wire;
pub mod wecom;
pub mod client;
pub mod heartbeat;
