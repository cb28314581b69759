//! Calendars as people write them: frames, dates, public holidays by year.
//!
//! Invariant: a calendar with faults still comes out, as far as it could be read, so that nothing else that names it is
//! called unknown.

pub mod frames;
pub mod dates;
pub mod public;
pub mod read;
