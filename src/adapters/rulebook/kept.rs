//! What is read, checked and kept, but not acted on yet: one warning for each rule that says such a thing.

use std::collections::BTreeSet;

use crate::{
    adapters::{
        rulebook::words::{ESCALATE_KEYS, NOTIFY_KEYS, STEP_KEYS, Word, english, rule_key},
        yaml::tree::{Node, NodeKind},
    },
    domain::{
        fault::{Fault, Place},
        text::Message,
    },
};

/// Keys of a rule that nothing acts on yet.
const OF_RULES: &[&str] = &[];

/// Keys of a line that nothing acts on yet.
const OF_LINES: &[&str] = &["mention", "urgent"];

/// Where lines stand, and their keys.
const LINES: &[(&str, &[Word])] = &[("notify", NOTIFY_KEYS), ("escalate", ESCALATE_KEYS), ("steps", STEP_KEYS)];

/// Warns at `place` of what a rule, or `defaults`, itself says in vain.
pub(super) fn warn(node: &Node, place: &Place, faults: &mut Vec<Fault>) {
    let NodeKind::Map(entries) = &node.kind else { return };
    let mut found: BTreeSet<&str> = BTreeSet::new();
    for (key, value) in entries.iter().filter(|(_, value)| !value.is_null()) {
        let Some(key) = rule_key(&key.text) else { continue };
        found.extend(OF_RULES.iter().find(|word| **word == key));
        let Some((_, table)) = LINES.iter().find(|(lines, _)| *lines == key) else { continue };
        for line in value.one_or_many() {
            let NodeKind::Map(entries) = &line.kind else { continue };
            let keys = entries.iter().filter_map(|(key, _)| english(table, &key.text));
            found.extend(keys.filter(|key| OF_LINES.contains(key)));
        }
    }
    if found.is_empty() {
        return;
    }
    let listed: Vec<&str> = found.into_iter().collect();
    let message = Message::new(
        format!("已读入，但还不会起作用：{}", listed.join("、")),
        format!("read and kept, but without effect so far: {}", listed.join(", ")),
    );
    faults.push(Fault::warning(place.clone(), message));
}
