//! What a rule may name: receivers, sources, templates, custom fields.

use std::collections::BTreeSet;

use crate::domain::time::Zone;

/// The names the rest of the configuration knows.
#[derive(Clone, Debug)]
pub struct Names {
    /// Receivers of the configuration.
    pub receivers: BTreeSet<String>,
    /// Sources of the configuration.
    pub sources: BTreeSet<String>,
    /// Templates, shipped ones too.
    pub templates: BTreeSet<String>,
    /// The custom fields last stored; absent: none stored, and custom fields are not checked.
    pub fields: Option<Vec<Definition>>,
    /// In which zone an instant without one is read.
    pub zone: Zone,
}

/// What a helpdesk says of one of its custom fields.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Definition {
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
