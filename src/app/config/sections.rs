//! The parts of `deskbell.yaml`, each by a hash of what it says: to tell which changed, without keeping secrets.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::xxh3_64;

use crate::adapters::yaml::tree::{Node, NodeKind};

/// The parts that a reload puts in force; all others need a restart.
const RELOADED: &[&str] = &["rules", "templates", "teams", "rotas", "calendars", "conditions", "defaults"];

/// The parts of a source that a reload puts in force.
const RELOADED_OF_SOURCE: &[&str] = &["subject", "priority"];

/// Parts by name, a source's by its own: `server`, `sources.it-desk.poll`.
pub type Sections = BTreeMap<String, u64>;

/// The parts of a configuration, after its variables were filled in.
pub fn sections(tree: &Node) -> Sections {
    let mut found = BTreeMap::new();
    for (name, node) in entries(tree) {
        if name != "sources" {
            found.insert(name.to_string(), hash(node));
            continue;
        }
        for (source, node) in entries(node) {
            for (key, node) in entries(node) {
                found.insert(format!("sources.{source}.{key}"), hash(node));
            }
        }
    }
    found
}

/// The parts that differ and that only a restart puts in force.
pub fn restart_for(old: &Sections, new: &Sections) -> Vec<String> {
    let names = old.keys().chain(new.keys().filter(|name| !old.contains_key(*name)));
    let mut changed: Vec<String> =
        names.filter(|name| old.get(*name) != new.get(*name) && !is_reloaded(name)).cloned().collect();
    changed.sort();
    changed
}

fn is_reloaded(name: &str) -> bool {
    match name.strip_prefix("sources.") {
        Some(rest) => rest.rsplit_once('.').is_some_and(|(_, key)| RELOADED_OF_SOURCE.contains(&key)),
        None => RELOADED.contains(&name),
    }
}

fn entries(node: &Node) -> impl Iterator<Item = (&str, &Node)> {
    let entries = match &node.kind {
        NodeKind::Map(entries) => entries.as_slice(),
        _ => &[],
    };
    entries.iter().map(|(key, value)| (key.text.as_str(), value))
}

fn hash(node: &Node) -> u64 {
    let mut text = String::new();
    write(node, &mut text);
    xxh3_64(text.as_bytes())
}

/// What a part says, wherever it stands.
fn write(node: &Node, text: &mut String) {
    match &node.kind {
        NodeKind::Null => text.push('~'),
        NodeKind::Scalar(scalar) => text.push_str(&format!("{:?}", scalar.text)),
        NodeKind::List(items) => {
            text.push('[');
            for item in items {
                write(item, text);
                text.push(',');
            }
            text.push(']');
        }
        NodeKind::Map(entries) => {
            text.push('{');
            for (key, value) in entries {
                text.push_str(&format!("{:?}:", key.text));
                write(value, text);
                text.push(',');
            }
            text.push('}');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::yaml::parse::parse;

    fn of(text: &str) -> Sections {
        sections(&parse("deskbell.yaml", text, &mut Vec::new()).unwrap())
    }

    #[test]
    fn what_needs_a_restart_is_named() {
        let old =
            "server: { listen: a }\nteams: { a: { to: b } }\nsources: { desk: { poll: x, subject: s } }\nstore: {}";
        for (new, named) in [
            (old, &[] as &[&str]),
            (
                "# moved\nstore: {}\nserver:\n  listen: a\nteams: { a: { to: b } }\nsources: { desk: { poll: x, subject: s } }",
                &[],
            ),
            (
                "server: { listen: a }\nteams: { c: { to: b } }\nsources: { desk: { poll: x, subject: [t] } }\nstore: {}",
                &[],
            ),
            (
                "server: { listen: b }\nsources: { desk: { poll: y, subject: s }, more: { poll: z } }",
                &["server", "sources.desk.poll", "sources.more.poll", "store"],
            ),
        ] {
            assert_eq!(restart_for(&of(old), &of(new)), named, "{new}");
        }
    }
}
