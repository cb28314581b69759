//! Tables of the page about asking in chat, made from what the parser reads.

use deskbell::domain::{
    command::{
        names,
        phrases::{May, PHRASES},
        tickets::{KEYS, WORDS},
    },
    text::{Locale, Words},
};

use super::tables::table;

/// What can be written, what it does, who may.
pub(crate) fn phrases(locale: Locale) -> String {
    let head = match locale {
        Locale::En => ["Write", "What it does", "Who may"],
        Locale::Zh => ["写", "做什么", "谁能"],
    };
    let rows = PHRASES.iter().map(|phrase| {
        let typed = escaped(phrase.typed.get(locale));
        [typed, escaped(phrase.does.get(locale)), may(phrase.needs).get(locale).to_string()]
    });
    table(head, rows)
}

const fn may(may: May) -> Words {
    match may {
        May::Look => Words { zh: "能看的人", en: "who may look" },
        May::Act => Words { zh: "能处理的人", en: "who may act" },
        May::Manage => Words { zh: "管理者", en: "who manages" },
    }
}

/// Every name of every command.
pub(crate) fn names_of_commands(locale: Locale) -> String {
    let head = match locale {
        Locale::En => ["Command", "Also"],
        Locale::Zh => ["命令", "也可以写"],
    };
    let rows = names::commands().map(|(first, others)| {
        let also: Vec<String> = others.iter().map(|name| format!("`/{name}`")).collect();
        [format!("`/{first}`"), also.join(" ")]
    });
    table(head, rows)
}

/// Every key and every word of a list of tickets.
pub(crate) fn keys(locale: Locale) -> String {
    let head = match locale {
        Locale::En => ["Key", "Also"],
        Locale::Zh => ["写", "也可以写"],
    };
    let keyed = KEYS.iter().map(|(_, names)| {
        let (first, also) = ordered(names, locale);
        [format!("`{first}:`"), also.iter().map(|name| format!("`{name}:`")).collect::<Vec<_>>().join(" ")]
    });
    let alone = WORDS.iter().map(|(_, names)| {
        let (first, also) = ordered(names, locale);
        [format!("`{first}`"), also.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" ")]
    });
    table(head, keyed.chain(alone))
}

/// The first name of the language, and all others.
fn ordered<'a>(names: &[&'a str], locale: Locale) -> (&'a str, Vec<&'a str>) {
    let is_of = |name: &&&str| name.is_ascii() == (locale == Locale::En);
    let first = names.iter().find(is_of).copied().unwrap_or_default();
    (first, names.iter().copied().filter(|name| *name != first).collect())
}

/// Angle brackets and bars as a table of markdown shows them.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "\\<")
}
