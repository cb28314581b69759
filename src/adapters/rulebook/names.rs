//! What a rule may name: receivers, teams, calendars, sources, templates, custom fields.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    adapters::rulebook::named::Conditions,
    domain::{calendar::Calendar, time::Zone},
};

/// The names the rest of the configuration knows.
#[derive(Clone, Debug)]
pub struct Names {
    /// Receivers of the configuration.
    pub receivers: BTreeSet<String>,
    /// Teams of the configuration.
    pub teams: BTreeSet<String>,
    /// Which of `team`, `team.lead` and `team.oncall` mean someone.
    pub team_words: BTreeSet<&'static str>,
    /// Calendars of the configuration by name; one with faults is there too, as far as it could be read.
    pub calendars: BTreeMap<String, Arc<Calendar>>,
    /// Sources of the configuration.
    pub sources: BTreeSet<String>,
    /// Sources that say where a ticket's subject stands.
    pub subjects: BTreeSet<String>,
    /// Sources that say where a ticket's priority stands.
    pub priorities: BTreeSet<String>,
    /// Templates, shipped ones too.
    pub templates: BTreeSet<String>,
    /// The custom fields last stored; absent: none stored, and custom fields are not checked.
    pub fields: Option<Vec<Definition>>,
    /// The named conditions of the folder of rules, for conditions that stand outside of it.
    pub conditions: Conditions,
    /// In which zone an instant without one is read.
    pub zone: Zone,
}

impl Default for Names {
    /// No names at all; instants are read in UTC.
    fn default() -> Self {
        Self {
            receivers: BTreeSet::new(),
            teams: BTreeSet::new(),
            team_words: BTreeSet::new(),
            calendars: BTreeMap::new(),
            sources: BTreeSet::new(),
            subjects: BTreeSet::new(),
            priorities: BTreeSet::new(),
            templates: BTreeSet::new(),
            fields: None,
            conditions: Conditions::default(),
            zone: Zone(chrono_tz::UTC),
        }
    }
}

/// What a helpdesk says of one of its custom fields.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Definition {
    /// The source whose helpdesk says so.
    pub source: String,
    /// The vendor's id.
    pub id: String,
    /// Its key.
    pub key_name: String,
    /// Its name as people see it.
    pub display_name: String,
    /// It holds several values.
    pub multiple: bool,
    /// The options of a drop-down, those of every level; none where the vendor lists none.
    pub options: Vec<Choice>,
}

/// One option of a drop-down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The vendor's id; a ticket may carry it instead of the name.
    pub tag: String,
    /// The option as people see it.
    pub display_name: String,
}
