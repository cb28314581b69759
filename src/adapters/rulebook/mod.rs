//! Rules as people write them, compiled into `domain::rule`: every fault of every file at once, nothing ignored.

pub mod names;
pub mod load;
pub mod words;
pub mod vocabulary;
pub mod schema;
mod explained;
pub mod alone;
mod file;
mod rule;
mod keys;
mod notify;
mod ladder;
mod sla;
mod count;
mod check;
mod meaning;
mod condition;
mod ground;
mod named;
mod event;
mod operand;
mod patterns;
mod custom;
mod contradiction;
pub mod cases;
pub mod blind;
