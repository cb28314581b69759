//! A rota: who is on call when.

use std::{collections::BTreeMap, sync::Arc};

use chrono::NaiveDate;

use crate::domain::{
    actor::Actor,
    calendar::Frame,
    id::{ReceiverName, RotaName},
    receiver::PersonId,
    time::{Timestamp, Zone},
};

/// A rota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rota {
    /// Its name in the configuration.
    pub name: RotaName,
    /// The zone its hours are read in.
    pub zone: Zone,
    /// The first day; members change from there on.
    pub start: NaiveDate,
    /// Its shifts, in the order of the configuration.
    pub shifts: Vec<Shift>,
    /// Dates on which someone else is on call: by date and the shift's place. They win over the shifts.
    pub dates: BTreeMap<(NaiveDate, usize), Vec<PersonId>>,
    /// Who is called where nobody is on call.
    pub backup: Option<ReceiverName>,
}

/// A shift: the same hours every day, its members taking turns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Its name.
    pub name: Arc<str>,
    /// Its hours, in minutes from the midnight of the day it begins on.
    pub hours: Frame,
    /// When the next member's turn begins.
    pub change: Turn,
    /// Who takes turns, in order.
    pub members: Vec<PersonId>,
}

/// When the next member's turn begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// With every shift.
    Daily,
    /// Once a week: on this day (0 is Monday) at this minute of it.
    Weekly {
        /// The day, from Monday.
        weekday: u32,
        /// The minute of the day.
        minute: u32,
    },
}

/// Someone stands in: from the chat or the command line, over shifts and dates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover {
    /// Which rota.
    pub rota: RotaName,
    /// Which shift.
    pub shift: Arc<str>,
    /// Who stands in.
    pub person: PersonId,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Who said so.
    pub by: Actor,
    /// When they did.
    pub at: Timestamp,
}
