//! Custom fields against the definitions last stored: names that exist, options that exist.

use std::sync::Arc;

use crate::{
    adapters::{
        rulebook::{condition::Compiler, names::Definition},
        yaml::{
            map::did_you_mean,
            nearest::nearest,
            tree::{Key, Node},
        },
    },
    domain::{
        condition::CustomSelector,
        fault::Fault,
        text::{Message, fold},
        ticket::Text,
    },
};

impl<'a> Compiler<'a> {
    /// The definition a selector means. The outer `None` is a fault; the inner one says that no definitions are stored.
    pub(super) fn definition(&mut self, selector: &CustomSelector, key: &Key) -> Option<Option<&'a Definition>> {
        let Some(definitions) = self.definitions else { return Some(None) };
        let found: Vec<&Definition> = definitions.iter().filter(|definition| means(selector, definition)).collect();
        match found.as_slice() {
            [one] => return Some(Some(one)),
            [] => {
                let text = &key.text;
                let message = Message::new(
                    format!("服务台没有自定义字段 “{text}”"),
                    format!("the helpdesk has no custom field `{text}`"),
                );
                let fault = Fault::error(key.place.clone(), message);
                let known = definitions.iter().flat_map(|field| [field.display_name.as_str(), field.key_name.as_str()]);
                self.faults.push(match nearest(text, known) {
                    Some(meant) => fault.with_hint(did_you_mean(meant)),
                    None => fault.with_hint(Message::new(
                        "用 deskbell fields 查看全部自定义字段",
                        "`deskbell fields` lists all custom fields",
                    )),
                });
            }
            several => {
                let text = &key.text;
                let keys: Vec<&str> = several.iter().map(|definition| definition.key_name.as_str()).collect();
                let message = Message::new(
                    format!("有 {} 个自定义字段叫 “{text}”", several.len()),
                    format!("{} custom fields are called `{text}`", several.len()),
                );
                let hint = Message::new(
                    format!(
                        "改用键名：field: {{ key: {}, is: … }}（键名有：{}）",
                        keys.first().unwrap_or(&""),
                        keys.join("、")
                    ),
                    format!(
                        "use the key: field: {{ key: {}, is: … }} (keys: {})",
                        keys.first().unwrap_or(&""),
                        keys.join(", ")
                    ),
                );
                self.faults.push(Fault::error(key.place.clone(), message).with_hint(hint));
            }
        }
        None
    }
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
    words: &Arc<[Text]>,
    node: &Node,
    faults: &mut Vec<Fault>,
) -> Option<Arc<[Text]>> {
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
    whole.then(|| opened.into())
}
