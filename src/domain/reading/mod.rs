//! How a source is read: which questions make up a pass, and when their answers are whole.
//!
//! Invariant: no request is made here; the poller asks what a pass says and feeds back what it saw.

pub mod pass;
pub mod scope;
