//! What a folder of rule files holds: rules, defaults and named conditions, each at its place.

use crate::{
    adapters::{
        rulebook::{
            condition::no_value,
            named::Named,
            words::{FILE_KEYS, NO_DEFAULTS, RULE_KEYS, english, rule_key},
        },
        yaml::{
            map::{Map, unknown_key},
            tree::{Key, Node, NodeKind},
        },
    },
    domain::{
        fault::{Fault, Place},
        text::Message,
    },
};

/// Rules of one folder.
pub(super) const RULES_MAX: usize = 2_000;

/// Values that `defaults` may hold.
const DEFAULTS_MAX: usize = 1_000;

/// Characters of the name of a rule or a condition.
pub(super) const NAME_CHARS_MAX: usize = 80;

/// What the files of a folder hold together.
#[derive(Debug, Default)]
pub(super) struct Folder {
    /// The rules as they are written.
    pub(super) rules: Vec<Node>,
    /// What holds for every rule that does not say it, and where it begins.
    pub(super) defaults: Option<(Place, Node)>,
    /// The named conditions.
    pub(super) named: Named,
}

impl Folder {
    /// Adds one file: a bare rule, or any of `rules`, `defaults`, `conditions`.
    pub(super) fn add(&mut self, node: Node, faults: &mut Vec<Fault>) {
        let NodeKind::Map(entries) = &node.kind else {
            let what = Message::new("一条规则（name、when、notify……）", "a rule (name, when, notify, ...)");
            let fault = node.expected(&what);
            faults.push(match node.kind {
                NodeKind::List(_) => fault.with_hint(Message::new(
                    "一个文件写几条规则时，列表放在 rules: 下面",
                    "for several rules in one file put the list under `rules:`",
                )),
                _ => fault,
            });
            return;
        };
        if !entries.iter().any(|(key, _)| english(FILE_KEYS, &key.text).is_some()) {
            self.add_rule(node, faults);
            return;
        }
        let what = Message::new("一个规则文件", "a file of rules");
        let Some(mut map) = Map::with_twins(&node, &what, |word| english(FILE_KEYS, word), faults) else { return };
        if let Some(rules) = map.list("rules", faults) {
            if rules.is_empty() {
                faults.push(empty(&node.place));
            }
            rules.iter().for_each(|rule| self.add_rule(rule.clone(), faults));
        }
        if let Some((key, node)) = map.entry("defaults") {
            self.add_defaults(key, node, faults);
        }
        if let Some((key, node)) = map.entry("conditions") {
            self.add_conditions(key, node, faults);
        }
        faults.extend(map.rest().into_iter().map(|(key, _)| stray(key)));
    }

    fn add_rule(&mut self, node: Node, faults: &mut Vec<Fault>) {
        if self.rules.len() == RULES_MAX {
            let message = Message::new(
                format!("规则太多，最多 {RULES_MAX} 条"),
                format!("there are too many rules: at most {RULES_MAX}"),
            );
            if !faults.iter().any(|fault| fault.message == message) {
                faults.push(Fault::error(node.place, message));
            }
            return;
        }
        self.rules.push(node);
    }

    fn add_defaults(&mut self, key: &Key, node: &Node, faults: &mut Vec<Fault>) {
        if node.is_null() {
            faults.push(no_value(key));
            return;
        }
        if let Some((first, _)) = &self.defaults {
            let message = Message::new(
                format!("“{}” 已经写在 {first}：它管整个文件夹，只能写一处", key.text),
                format!("`{}` already stands at {first}: it holds for the whole folder and stands once", key.text),
            );
            let hint = Message::new("把两处合在一起", "put the two together");
            faults.push(Fault::error(key.place.clone(), message).with_hint(hint));
            return;
        }
        let NodeKind::Map(entries) = &node.kind else {
            faults.push(node.expected(&Message::new(
                "一组键值，例如 { calendar: office }",
                "a mapping such as { calendar: office }",
            )));
            return;
        };
        if node.size() > DEFAULTS_MAX {
            let message = Message::new(
                format!("“{}” 太大，最多 {DEFAULTS_MAX} 个值：每条规则都要读一遍", key.text),
                format!("`{}` is too large, at most {DEFAULTS_MAX} values: every rule reads it", key.text),
            );
            faults.push(Fault::error(key.place.clone(), message));
            return;
        }
        let mut kept = Vec::new();
        for (key, value) in entries {
            match rule_key(&key.text) {
                Some(own) if NO_DEFAULTS.contains(&own) => faults.push(own_business(key)),
                Some(word) if english(FILE_KEYS, word).is_none() => kept.push((key.clone(), value.clone())),
                _ => faults.push(no_such_default(key)),
            }
        }
        self.defaults = Some((key.place.clone(), Node { place: node.place.clone(), kind: NodeKind::Map(kept) }));
    }

    fn add_conditions(&mut self, key: &Key, node: &Node, faults: &mut Vec<Fault>) {
        if node.is_null() {
            faults.push(no_value(key));
            return;
        }
        let what = Message::new(
            "名字和条件，例如 { vip: { tags: VIP } }",
            "names and conditions, such as { vip: { tags: VIP } }",
        );
        let Some(mut map) = Map::of(node, &what, faults) else { return };
        for (key, value) in map.rest() {
            if key.text.trim().is_empty() || key.text.chars().count() > NAME_CHARS_MAX {
                let message = Message::new(
                    format!("命名条件的名字有 1 到 {NAME_CHARS_MAX} 个字"),
                    format!("the name of a condition has 1 to {NAME_CHARS_MAX} characters"),
                );
                faults.push(Fault::error(key.place.clone(), message));
            } else if value.is_null() {
                faults.push(no_value(key));
            } else {
                self.named.add(key, value, faults);
            }
        }
    }
}

fn empty(place: &Place) -> Fault {
    let message = Message::new("“rules” 下面没有规则", "there is no rule under `rules`");
    Fault::warning(place.clone(), message)
}

fn stray(key: &Key) -> Fault {
    if rule_key(&key.text).is_none() {
        let known = FILE_KEYS.iter().flat_map(|(en, zh)| [*en, *zh]);
        return unknown_key(key, known.clone(), FILE_KEYS.iter().map(|(en, _)| *en));
    }
    let message = Message::new(
        format!("“{}” 属于一条规则，不能和 rules、defaults、conditions 写在一层", key.text),
        format!("`{}` belongs to a rule and cannot stand beside `rules`, `defaults` and `conditions`", key.text),
    );
    let hint = Message::new(
        "把这条规则放到 rules: 下面，以 “- name:” 开头",
        "put the rule under `rules:`, beginning with `- name:`",
    );
    Fault::error(key.place.clone(), message).with_hint(hint)
}

fn own_business(key: &Key) -> Fault {
    let message = Message::new(
        format!("“{}” 不能写在 defaults 里：它是每条规则自己的", key.text),
        format!("`{}` cannot stand in `defaults`: each rule has its own", key.text),
    );
    Fault::error(key.place.clone(), message)
}

fn no_such_default(key: &Key) -> Fault {
    let known = RULE_KEYS.iter().filter(|(en, _)| !NO_DEFAULTS.contains(en));
    unknown_key(key, known.clone().flat_map(|(en, zh)| [*en, *zh]), known.map(|(en, _)| *en))
}
