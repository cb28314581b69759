//! The tests that need more than one module: one binary, so that it links once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod alerts;
mod chaos;
mod chat;
mod clicks;
mod commands;
mod configuration;
mod conversations;
mod calls;
mod cards;
mod delivery;
mod directory;
mod desk;
mod docs;
mod events;
mod explain;
mod fields;
mod histories;
mod history;
mod hostile;
mod pages;
mod polling;
mod privacy;
mod rehearsal;
mod rules;
mod ruletests;
mod fuzz;
mod schema;
mod sim;
mod reload;
mod town;
mod operations;
mod operators;
mod outgoing;
mod store;
mod kill;
mod long_connection;
mod lookups;
mod storms;
mod tidy;
mod web;
mod verbs;
mod wire;
mod world;
mod demo;
