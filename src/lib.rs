//! deskbell watches support tickets and rings the right Feishu chat before a ticket goes bad.
//!
//! # Layout
//!
//! Arrows point down only; `tests/it/tidy.rs` holds it.
//!
//! ```text
//!  7  main.rs      arguments, tracing, exit code
//!  6  cli/         one file a verb
//!  5  app/         configuration composed from each adapter's own; wiring, start, stop
//!  4  web/         callbacks and the admin API (pushes inputs down)
//!  3  engine/      the loop, pollers, delivery
//!  2  adapters/    feishu, outgoing, store, templates, rulebook (strangers to each other)
//!  1  adapters/    clock, http, secret; below them yaml
//!  ── below this line: no async, no IO, no clock, no randomness
//!  0  domain/      what is decided, and why
//!     sim/         the fake platforms; entered only by the demo and by tests
//! ```

pub mod domain;
pub mod sim;
pub mod adapters;
pub mod engine;
pub mod web;
pub mod app;
pub mod cli;
