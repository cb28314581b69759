//! `deskbell doctor`: asks the platform what the configuration takes for granted, and says what to click when it is not
//! so.

pub mod finding;
pub mod platform;
pub mod sources;
pub mod events;
pub mod run;
