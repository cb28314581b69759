//! A script played before the real desk on virtual time: what it would have told, when and why.
//!
//! Rule tests, rehearsals over a helpdesk's history and the trial of rules are all played here.

pub mod script;
pub mod played;
pub mod stage;
