//! Single values of the configuration: zones, languages, names, addresses. Each says what it expected.

use std::net::SocketAddr;

use crate::{
    adapters::yaml::{
        map::{Map, did_you_mean},
        nearest::nearest,
        tree::{Key, Node},
    },
    domain::{
        fault::{Fault, Place},
        text::{Locale, Message},
    },
};

/// Characters a name (of a source, a receiver) may have.
pub const NAME_CHARS_MAX: usize = 64;

/// Names that mean something of their own in rules.
const NAMES_TAKEN: &[&str] = &[
    "team",
    "owner",
    "lead",
    "oncall",
    "always",
    "none",
    "default",
    "everyone",
    "receivers",
    "团队",
    "负责人",
    "组长",
    "值班",
    "始终",
];

/// The language of a key, where it is written.
pub fn locale(map: &mut Map<'_>, key: &str, faults: &mut Vec<Fault>) -> Option<Locale> {
    one_of(map.filled(key)?, &[("zh", Locale::Zh), ("en", Locale::En)], faults)
}

/// One of some words.
pub fn one_of<T: Copy>(node: &Node, words: &[(&str, T)], faults: &mut Vec<Fault>) -> Option<T> {
    let found = node.text().and_then(|text| words.iter().find(|(word, _)| *word == text));
    if found.is_none() {
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let fault =
            node.expected(&Message::new(format!(" {}", names.join("、")), format!("one of {}", names.join(", "))));
        let near = node.scalar().filter(|scalar| !scalar.expanded).and_then(|scalar| nearest(&scalar.text, names));
        faults.push(match near {
            Some(name) => fault.with_hint(did_you_mean(name)),
            None => fault,
        });
    }
    found.map(|(_, value)| *value)
}

/// A socket's address.
pub fn address(map: &mut Map<'_>, key: &str, default: SocketAddr, faults: &mut Vec<Fault>) -> (SocketAddr, Place) {
    let Some((text, place)) = map.text(key, faults) else {
        return (default, map.place().clone());
    };
    let parsed = text.replace("localhost:", "127.0.0.1:").parse();
    let Ok(address) = parsed else {
        let message = Message::new(
            format!("“{text}” 不是监听地址；写 IP:端口，例如 {default}"),
            format!("`{text}` is not an address to listen on; write IP:port, such as {default}"),
        );
        faults.push(Fault::error(place.clone(), message));
        return (default, place);
    };
    (address, place)
}

/// Whether a name may be given to a source or a receiver.
pub fn check_name(key: &Key, faults: &mut Vec<Fault>) -> bool {
    let name = key.text.as_str();
    let fault = if name.trim() != name || name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        Message::new(
            format!("名字要有 1 到 {NAME_CHARS_MAX} 个字，前后不能有空格"),
            format!("a name has 1 to {NAME_CHARS_MAX} characters and no blanks around it"),
        )
    } else if name.contains(['.', ':', '/', '\\']) || name.chars().any(char::is_control) {
        Message::new(format!("名字 “{name}” 里不能有 . : / \\"), format!("the name `{name}` must not contain . : / \\"))
    } else if NAMES_TAKEN.contains(&name) {
        Message::new(
            format!("“{name}” 在规则里另有含义，请换一个名字"),
            format!("`{name}` has a meaning of its own in rules: choose another name"),
        )
    } else {
        return true;
    };
    faults.push(Fault::error(key.place.clone(), fault));
    false
}
