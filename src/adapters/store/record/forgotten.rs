//! Tickets of guests who were forgotten, on disk.

use serde::{Deserialize, Serialize};

use super::parts::{Shared, TicketKeyRecord};
use crate::domain::{id::TicketKey, time::Timestamp};

/// Which ticket, and since when it is kept blank while it is closed.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) struct ForgottenRecord<'a> {
    #[serde(borrow)]
    key: TicketKeyRecord<'a>,
    at: i64,
}

impl<'a> ForgottenRecord<'a> {
    pub(in crate::adapters::store) fn of(key: &'a TicketKey, at: Timestamp) -> Self {
        Self { key: TicketKeyRecord::of(key), at: at.as_ms() }
    }

    pub(in crate::adapters::store) fn key(self, shared: &mut Shared) -> TicketKey {
        self.key.key(shared)
    }
}
