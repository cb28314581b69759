//! The tests that need more than one module: one binary, so that it links once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod configuration;
mod histories;
mod sim;
mod desk;
mod rules;
mod store;
mod wire;
mod tidy;
mod web;
