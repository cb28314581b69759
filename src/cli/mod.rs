//! The command line: one file a verb. Reads arguments and the environment, prints for people, ends with an exit code;
//! decides nothing about tickets.

pub mod language;
pub mod terminal;
pub mod report;
