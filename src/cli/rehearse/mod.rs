//! `deskbell rehearse`: what the rules would have done with the tenant's own history, read through the list; nothing is
//! sent and the store is not opened.

pub mod run;
mod reading;
mod kept;
mod wish;
pub mod shown;
