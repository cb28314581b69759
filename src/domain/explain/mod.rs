//! Why a rule does or does not ring on a ticket, as data and as text.

pub mod explanation;
pub mod text;
