//! What a rule test stands on: the rules, sources and receivers it may name.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::domain::{
    id::{RuleName, SourceName},
    labels::Labels,
    time::Zone,
};

/// What a rule test may name.
#[derive(Clone, Debug)]
pub struct Ground {
    /// In which zone instants are written, unless a case says otherwise.
    pub zone: Zone,
    /// The sources, with what is said of their tickets.
    pub sources: BTreeMap<SourceName, Arc<Labels>>,
    /// The rules, with the sources they watch; absent: all.
    pub rules: BTreeMap<RuleName, Option<Vec<SourceName>>>,
    /// The receivers.
    pub receivers: BTreeSet<String>,
}

impl Ground {
    /// The source whose tickets a case shows that names none: the first that its first rule watches.
    pub fn source_for(&self, rules: &[RuleName]) -> Option<&SourceName> {
        let watched = rules.first().and_then(|rule| self.rules.get(rule)?.as_ref());
        let watched = watched.and_then(|sources| self.sources.keys().find(|name| sources.contains(name)));
        watched.or_else(|| self.sources.keys().next())
    }

    /// What is said of a source's tickets.
    pub fn labels_of(&self, source: &SourceName) -> &Labels {
        self.sources.get(source).map_or(Labels::none(), |labels| labels)
    }
}
