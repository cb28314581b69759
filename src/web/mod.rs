//! What comes in over HTTP: the platform's callbacks on one listener, the operators' admin API on the other. Pushes
//! inputs down and reads a published view; never decides anything.

pub mod status;
pub mod state;
pub mod listener;
pub mod callbacks;
pub mod metrics;
pub mod explain;
pub mod problem;
pub mod tokens;
pub mod alerts;
pub mod ticket;
pub mod tickets;
pub mod lookup;
pub mod outbox;
pub mod guests;
pub mod journal;
pub mod route;
pub mod instants;
pub mod silences;
pub mod rules;
pub mod oncall;
pub mod acts;
pub mod operators;
pub mod openapi;
pub mod admin;
