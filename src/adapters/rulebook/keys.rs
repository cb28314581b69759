//! Single values of a rule: words of a table, lines of text, names, calendars, durations. Each says what it expected.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    adapters::{
        rulebook::{
            names::Names,
            words::{ALWAYS, Word, english},
        },
        yaml::{
            map::{Map, did_you_mean, span_of, text_of},
            nearest::nearest,
            tree::Node,
        },
    },
    domain::{
        calendar::Pace,
        fault::{Fault, Place},
        id::{SourceName, TemplateName},
        rule::Severity,
        text::Message,
        time::Span,
    },
};

/// Characters of a rule's summary, advice or runbook.
pub(super) const TEXT_CHARS_MAX: usize = 1_000;

/// Names that a suggestion lists.
const LISTED_MAX: usize = 10;

/// One word of a table; anything else is a fault that lists the words.
pub(super) fn choice(key: &str, node: &Node, table: &[Word], faults: &mut Vec<Fault>) -> Option<&'static str> {
    let (text, place) = text_of(node, faults)?;
    let found = english(table, &text);
    if found.is_none() {
        let (zh, en): (Vec<&str>, Vec<&str>) = table.iter().map(|(en, zh)| (*zh, *en)).unzip();
        let shown = node.scalar().map(|scalar| scalar.shown()).unwrap_or_default();
        let message = Message::new(
            format!("“{key}” 只能是 {}（{}），写的却是 “{shown}”", en.join("、"), zh.join("、")),
            format!("`{key}` is one of {} ({}), found `{shown}`", en.join(", "), zh.join(", ")),
        );
        let fault = Fault::error(place, message);
        let words = table.iter().flat_map(|(en, zh)| [*en, *zh]);
        faults.push(match nearest(&text, words) {
            Some(meant) => fault.with_hint(did_you_mean(meant)),
            None => fault,
        });
    }
    found
}

/// The same for a key that may be absent.
pub(super) fn choice_of(map: &mut Map<'_>, key: &str, table: &[Word], faults: &mut Vec<Fault>) -> Option<&'static str> {
    let node = map.filled(key)?;
    choice(key, node, table, faults)
}

/// The severity that a word of the table means.
pub(super) fn severity(word: &str) -> Severity {
    match word {
        "info" => Severity::Info,
        "critical" => Severity::Critical,
        _ => Severity::Warning,
    }
}

/// Text for people.
pub(super) fn line_of(map: &mut Map<'_>, key: &str, faults: &mut Vec<Fault>) -> Option<Arc<str>> {
    let (text, place) = map.text(key, faults)?;
    let text = text.trim();
    if text.chars().count() > TEXT_CHARS_MAX {
        let message = Message::new(
            format!("“{key}” 最多 {TEXT_CHARS_MAX} 个字"),
            format!("`{key}` has at most {TEXT_CHARS_MAX} characters"),
        );
        faults.push(Fault::error(place, message));
        return None;
    }
    (!text.is_empty()).then(|| Arc::from(text))
}

/// Where it is written what to do: a web address.
pub(super) fn address_of(map: &mut Map<'_>, key: &str, faults: &mut Vec<Fault>) -> Option<Arc<str>> {
    let place = map.get(key)?.place.clone();
    let text = line_of(map, key, faults)?;
    let host = ["http://", "https://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    let sound = host.is_some_and(|host| !host.is_empty() && !host.starts_with('/'));
    if sound && !text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Some(text);
    }
    let message = Message::new(
        format!("“{key}” 是一个网页地址，以 https:// 或 http:// 开头，里面没有空格"),
        format!("`{key}` is the address of a page: it begins with https:// or http:// and holds no blank"),
    );
    let hint = Message::new("要写一句话，用 advice", "for a sentence, use `advice`");
    faults.push(Fault::error(place, message).with_hint(hint));
    None
}

/// A duration of wall time above zero.
pub(super) fn wall_span_of(map: &mut Map<'_>, key: &str, faults: &mut Vec<Fault>) -> Option<Span> {
    let node = map.filled(key)?;
    let span = span_of(node, faults)?;
    if span == Span::ZERO {
        faults.push(not_zero(key, &node.place));
        return None;
    }
    Some(span)
}

pub(super) fn not_zero(key: &str, place: &Place) -> Fault {
    let message = Message::new(format!("“{key}” 要大于零"), format!("`{key}` must be above zero"));
    Fault::error(place.clone(), message)
}

/// A calendar by name, or `always`.
pub(super) fn pace(node: &Node, names: &Names, faults: &mut Vec<Fault>) -> Option<Pace> {
    let (text, place) = text_of(node, faults)?;
    if text == ALWAYS.0 || text == ALWAYS.1 {
        return Some(Pace::Wall);
    }
    if let Some(calendar) = names.calendars.get(&text) {
        return Some(Pace::Office(Arc::clone(calendar)));
    }
    let message = Message::new(format!("没有日历 “{text}”"), format!("there is no calendar `{text}`"));
    let fault = Fault::error(place, message);
    let known = names.calendars.keys().map(String::as_str);
    if let Some(meant) = nearest(&text, known.clone().chain([ALWAYS.0, ALWAYS.1])) {
        faults.push(fault.with_hint(did_you_mean(meant)));
        return None;
    }
    let listed: Vec<&str> = known.take(LISTED_MAX).chain([ALWAYS.0]).collect();
    faults.push(fault.with_hint(Message::new(
        format!("日历写在配置的 calendars 里；可以写：{}", listed.join("、")),
        format!("calendars stand under `calendars` in the configuration; here may stand: {}", listed.join(", ")),
    )));
    None
}

/// The same for a key that may be absent.
pub(super) fn pace_of(map: &mut Map<'_>, names: &Names, faults: &mut Vec<Fault>) -> Option<Pace> {
    map.filled("calendar").and_then(|node| pace(node, names, faults))
}

/// A template by name.
pub(super) fn template_of(map: &mut Map<'_>, names: &Names, faults: &mut Vec<Fault>) -> Option<TemplateName> {
    let (text, place) = map.text("template", faults)?;
    if names.templates.contains(&text) {
        return Some(TemplateName::new(text));
    }
    let message = Message::new(format!("没有模板 “{text}”"), format!("there is no template `{text}`"));
    faults.push(with_nearest(Fault::error(place, message), &text, &names.templates));
    None
}

/// The sources a rule names.
pub(super) fn sources_of(map: &mut Map<'_>, names: &Names, faults: &mut Vec<Fault>) -> Option<Vec<SourceName>> {
    let node = map.filled("sources")?;
    let mut found = BTreeSet::new();
    for item in node.one_or_many() {
        let Some((text, place)) = text_of(item, faults) else { continue };
        if names.sources.contains(&text) {
            found.insert(SourceName::new(text));
        } else {
            let message = Message::new(format!("没有来源 “{text}”"), format!("there is no source `{text}`"));
            faults.push(with_nearest(Fault::error(place, message), &text, &names.sources));
        }
    }
    if node.one_or_many().is_empty() {
        let message = Message::new(
            "来源列表是空的；不写 sources 就是全部来源",
            "the list of sources is empty; leave it out for all",
        );
        faults.push(Fault::error(node.place.clone(), message));
    }
    Some(found.into_iter().collect())
}

/// The fault with the name that was probably meant, else with the names there are.
pub(super) fn with_nearest(fault: Fault, text: &str, known: &BTreeSet<String>) -> Fault {
    if let Some(meant) = nearest(text, known.iter().map(String::as_str)) {
        return fault.with_hint(did_you_mean(meant));
    }
    let listed: Vec<&str> = known.iter().map(String::as_str).take(LISTED_MAX).collect();
    if listed.is_empty() {
        return fault;
    }
    fault.with_hint(Message::new(format!("已有：{}", listed.join("、")), format!("there are: {}", listed.join(", "))))
}
