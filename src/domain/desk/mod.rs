//! The desk: one input in, writes and effects out. All that deskbell decides is decided here.
//!
//! `machine` holds the state and takes the inputs; the other files are its chapters. `settings`, `input`, `outcome`
//! and `state` are its vocabulary.

pub mod settings;
pub mod input;
pub mod outcome;
pub mod state;
pub mod machine;
mod open;
mod observe;
mod hearing;
mod judge;
mod life;
mod ring;
mod whom;
mod rotas;
mod covers;
mod roster;
mod ladder;
mod taken;
mod rest;
mod reopen;
mod audit;
mod count;
mod trial;
mod passes;
mod tick;
mod digests;
mod hush;
mod release;
pub mod silences;
mod silencing;
mod members;
mod shared;
mod storm;
mod outbox;
mod pump;
mod calls;
mod reports;
mod acts;
mod clicked;
mod inbox;
mod asked;
mod dead;
mod troubles;
mod announce;
mod rewind;
mod content;
mod explain;
pub mod lists;
pub mod letters;
pub mod meant;
mod route;
pub mod view;
