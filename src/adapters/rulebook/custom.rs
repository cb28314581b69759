//! Custom fields against the definitions last stored: names that exist, options that exist.

use std::collections::BTreeMap;

use crate::{
    adapters::{
        rulebook::{
            condition::{Compiler, Shape, folded, no_value, together},
            names::Definition,
            words::{OPERATORS, SELECTORS, english},
        },
        yaml::{
            map::{Map, did_you_mean},
            nearest::nearest,
            tree::{Key, Node},
        },
    },
    domain::{
        condition::{Condition, CustomSelector, Operands, Target},
        fault::Fault,
        text::{Message, fold},
        ticket::Text,
    },
};

impl Compiler<'_> {
    /// `fields: {name: value}`: several custom fields, each by name or key.
    pub(super) fn fields(&mut self, node: &Node) -> Option<Condition> {
        let what =
            Message::new("自定义字段和值，例如 { 优先级: P0 }", "custom fields and values, such as { 优先级: P0 }");
        let mut map = Map::of(node, &what, self.faults)?;
        let entries = map.rest();
        if entries.is_empty() {
            self.faults.push(node.expected(&what));
        }
        let mut parts = Vec::new();
        for (key, value) in entries {
            self.tests += 1;
            if self.is_too_large(&key.place) {
                return None;
            }
            let selector = CustomSelector::Any(folded(&key.text));
            parts.push(self.custom(selector, key, value));
        }
        together(parts.into_iter().collect::<Option<Vec<_>>>()?)
    }

    /// `field: {name|key|id: X, <operators>}`: one custom field.
    pub(super) fn one_field(&mut self, node: &Node) -> Option<Condition> {
        let what = Message::new(
            "一个自定义字段，例如 { key: priority, is: P0 }",
            "one custom field, such as { key: priority, is: P0 }",
        );
        let twin = |word: &str| english(SELECTORS, word).or_else(|| english(OPERATORS, word));
        let mut map = Map::with_twins(node, &what, twin, self.faults)?;
        let mut selected = Vec::new();
        for (word, make) in [
            ("name", CustomSelector::Name as fn(Text) -> CustomSelector),
            ("key", CustomSelector::Key),
            ("id", CustomSelector::Id),
        ] {
            if let Some((key, value)) = map.entry(word)
                && let Some(text) = value.text()
            {
                selected.push((make(folded(text)), Key { text: text.to_string(), place: key.place.clone() }));
            }
        }
        let Some((selector, key)) = selected.pop().filter(|_| selected.is_empty()) else {
            let hint = Message::new("name、key、id 里写一个", "say one of name, key and id");
            self.faults.push(node.expected(&what).with_hint(hint));
            return None;
        };
        self.tests += 1;
        if self.is_too_large(&key.place) {
            return None;
        }
        let definition = self.definition(&selector, &key)?;
        self.operators(&Target::Custom(selector), Shape::Custom(definition.as_ref()), node, &mut map)
    }

    fn custom(&mut self, selector: CustomSelector, key: &Key, node: &Node) -> Option<Condition> {
        let definition = self.definition(&selector, key)?;
        if node.is_null() {
            self.faults.push(no_value(key));
            return None;
        }
        self.value(&Target::Custom(selector), Shape::Custom(definition.as_ref()), node)
    }

    /// The definition a selector means. The outer `None` is a fault; the inner one says that no definitions are stored.
    ///
    /// A field may be called alike in several helpdesks: then it may be any of them, with the options of all.
    pub(super) fn definition(&mut self, selector: &CustomSelector, key: &Key) -> Option<Option<Definition>> {
        let Some(definitions) = self.names.fields.as_deref() else { return Some(None) };
        let sources = self.sources;
        let is_watched = |definition: &&Definition| {
            sources.is_none_or(|sources| sources.iter().any(|source| source.as_str() == definition.source))
        };
        let watched: Vec<&Definition> =
            definitions.iter().filter(|definition| definition.source.is_empty() || is_watched(definition)).collect();
        let mut found: BTreeMap<&str, Vec<&Definition>> = BTreeMap::new();
        for definition in watched.iter().filter(|definition| means(selector, definition)) {
            found.entry(definition.source.as_str()).or_default().push(definition);
        }
        if let Some(several) = found.values().find(|several| several.len() > 1) {
            self.faults.push(ambiguous(several, key));
            return None;
        }
        let merged = found.into_values().flatten().cloned().reduce(|mut merged: Definition, other| {
            merged.multiple |= other.multiple;
            // Without listed options in one of them nothing can be checked.
            if merged.options.is_empty() || other.options.is_empty() {
                merged.options.clear();
            } else {
                merged.options.extend(other.options.iter().cloned());
            }
            merged
        });
        if merged.is_none() {
            self.faults.push(no_field(&watched, key));
        }
        merged.map(Some)
    }
}

fn no_field(definitions: &[&Definition], key: &Key) -> Fault {
    let text = &key.text;
    let message =
        Message::new(format!("服务台没有自定义字段 “{text}”"), format!("the helpdesk has no custom field `{text}`"));
    let fault = Fault::error(key.place.clone(), message);
    let known = definitions.iter().flat_map(|field| [field.display_name.as_str(), field.key_name.as_str()]);
    match nearest(text, known) {
        Some(meant) => fault.with_hint(did_you_mean(meant)),
        None => fault.with_hint(Message::new(
            "用 deskbell fields 查看全部自定义字段",
            "`deskbell fields` lists all custom fields",
        )),
    }
}

fn ambiguous(several: &[&Definition], key: &Key) -> Fault {
    let text = &key.text;
    let keys: Vec<&str> = several.iter().map(|definition| definition.key_name.as_str()).collect();
    let first = keys.first().unwrap_or(&"");
    let message = Message::new(
        format!("有 {} 个自定义字段叫 “{text}”", several.len()),
        format!("{} custom fields are called `{text}`", several.len()),
    );
    let hint = Message::new(
        format!("改用键名：field: {{ key: {first}, is: … }}（键名有：{}）", keys.join("、")),
        format!("use the key: field: {{ key: {first}, is: … }} (keys: {})", keys.join(", ")),
    );
    Fault::error(key.place.clone(), message).with_hint(hint)
}

fn means(selector: &CustomSelector, definition: &Definition) -> bool {
    let is = |name: &str, word: &Text| *fold(name) == **word;
    match selector {
        CustomSelector::Any(word) => is(&definition.display_name, word) || is(&definition.key_name, word),
        CustomSelector::Name(word) => is(&definition.display_name, word),
        CustomSelector::Key(word) => is(&definition.key_name, word),
        CustomSelector::Id(word) => is(&definition.id, word),
    }
}

/// The operands of a drop-down opened to both of what a ticket may carry: the option's name and its id.
///
/// An operand that is no option is a fault. Without listed options nothing is checked.
pub(super) fn options(
    definition: Option<&Definition>,
    words: &Operands,
    node: &Node,
    faults: &mut Vec<Fault>,
) -> Option<Operands> {
    let Some(definition) = definition.filter(|definition| !definition.options.is_empty()) else {
        return Some(words.clone());
    };
    let mut opened: Vec<Text> = Vec::new();
    let mut whole = true;
    for (word, item) in words.iter().zip(node.one_or_many()) {
        let named = definition
            .options
            .iter()
            .filter(|option| *fold(&option.display_name) == **word || *fold(&option.tag) == **word);
        let before = opened.len();
        for option in named {
            opened.extend([fold(&option.display_name), fold(&option.tag)].map(|text| Text::from(&*text)));
        }
        if opened.len() == before {
            whole = false;
            let message = Message::new(
                format!("“{}” 没有选项 “{word}”", definition.display_name),
                format!("`{}` has no option `{word}`", definition.display_name),
            );
            let fault = Fault::error(item.place.clone(), message);
            let known: Vec<&str> = definition.options.iter().map(|option| option.display_name.as_str()).collect();
            let hint = match nearest(word, known.iter().copied()) {
                Some(meant) => did_you_mean(meant),
                None => {
                    let listed = known.get(..10).unwrap_or(&known);
                    Message::new(
                        format!("选项有：{}", listed.join("、")),
                        format!("its options: {}", listed.join(", ")),
                    )
                }
            };
            faults.push(fault.with_hint(hint));
        }
    }
    opened.retain(|word| !word.is_empty());
    opened.sort_unstable();
    opened.dedup();
    whole.then(|| Operands::new(opened.into(), words.written().clone()))
}
