//! The fake Feishu platform: its behaviour as a pure `platform.handle(request, now)`, under a thin skin of HTTP and
//! WebSockets.
//!
//! Written from `facts/feishu.md` with its own wire types, sharing nothing with the client it tests. Beside the tower:
//! entered only by the demo and by tests.
//!
//! Invariant: but for the skin, `http` and `socket`, no async, no clock, no IO; what is random comes from one seed and is the same each time.

pub mod wire;
pub mod dice;
pub mod knobs;
pub mod route;
pub mod app;
pub mod calendar;
mod limits;
mod auth;
pub mod ticket;
pub mod helpdesk;
pub mod said;
pub mod directory;
pub mod card;
pub mod message;
mod im;
mod urgent;
mod chats;
pub mod webhook;
pub mod outside;
pub mod seal;
pub mod events;
pub mod faults;
pub mod frame;
pub mod lines;
pub mod platform;
pub mod socket;
pub mod http;

#[cfg(test)]
mod caller;
