//! The desk: one input in, writes and effects out. All that deskbell decides is decided here.

pub mod input;
pub mod outcome;
pub mod settings;
pub mod state;
