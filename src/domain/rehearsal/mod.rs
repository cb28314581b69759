//! What rules would have done with a tenant's own history: how a ticket's past is put together again, which rules that
//! is enough for, and the page that is read before anything is switched on.

pub mod past;
pub mod replayable;
pub mod tune;
pub mod report;
pub mod difference;
pub mod chart;
pub mod text;
pub mod compared;
