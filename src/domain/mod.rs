//! What deskbell decides, and why: the book a newcomer reads first, in reading order.
//!
//! Invariant: no async, no IO, no clock, no randomness, no iteration over hash maps. `now` is always handed in.

pub mod time;
pub mod text;
pub mod id;
pub mod fault;
pub mod calendar;
pub mod ticket;
pub mod conversation;
pub mod facts;
pub mod field;
pub mod derived;
pub mod codes;
pub mod change;
pub mod history;
pub mod condition;
pub mod seen;
pub mod labels;
pub mod rule;
pub mod sla;
pub mod clocks;
pub mod judge;
pub mod verdict;
pub mod wording;
pub mod sentence;
pub mod story;
pub mod duration;
pub mod condition_change;
pub mod rule_edits;
pub mod rule_change;
pub mod why;
pub mod alert;
pub mod budget;
pub mod plan;
pub mod reading;
pub mod rehearsal;
pub mod receiver;
pub mod notice;
pub mod card;
pub mod delivery;
pub mod command;
pub mod explain;
pub mod desk;
pub mod replay;
