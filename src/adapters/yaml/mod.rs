//! YAML as people write it: a tree in which every value knows its place, and a walker that gathers faults.
//!
//! Invariant: scalars stay the words that were written (`on`, `015`, `1.0`); nothing here knows what a key means.

pub mod tree;
pub mod parse;
pub mod env;
pub mod nearest;
pub mod duration;
pub mod map;
pub mod zone;
pub mod schema;
