//! Rules as people write them, compiled into `domain::rule`: every fault of every file at once, nothing ignored.

pub mod names;
pub mod load;
pub mod words;
pub mod vocabulary;
pub mod schema;
mod explained;
mod rule;
mod condition;
mod operand;
mod custom;
mod contradiction;
pub mod cases;
