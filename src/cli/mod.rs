//! The command line: one file a verb. Reads arguments and the environment, prints for people, ends with an exit code;
//! decides nothing about tickets.

pub mod args;
pub mod language;
pub mod terminal;
pub mod report;
pub mod card;
pub mod table;
pub mod logging;
pub mod prepare;
pub mod run;
pub mod signals;
pub mod serve;
pub mod once;
pub mod store;
pub mod check;
pub mod test;
pub mod doctor;
pub mod ticket;
pub mod fields;
pub mod words;
pub mod rules;
pub mod chats;
pub mod send_test;
pub mod rehearse;
pub mod status;
pub mod init;
pub mod demo;
