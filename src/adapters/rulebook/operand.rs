//! What a value is compared with: operands read by the type of the field.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeZone};
use regex::Regex;

use crate::{
    adapters::{
        rulebook::{condition::Shape, custom::options, keys::with_nearest, names::Names, patterns::Patterns},
        yaml::{
            duration::read_span,
            map::{did_you_mean, text_of},
            nearest::nearest,
            tree::{Node, NodeKind},
        },
    },
    domain::{
        condition::{Operands, Operator},
        fault::{Fault, Place},
        field::{Field, Kind},
        text::{Message, fold},
        ticket::Text,
        time::{Timestamp, Zone},
    },
};

/// Values of one operand.
pub(super) const OPERANDS_MAX: usize = 500;
/// Characters of one operand.
pub(super) const OPERAND_CHARS_MAX: usize = 1_000;

/// An operator's word and what stands behind it.
pub(super) struct Operand<'a> {
    pub(super) word: &'static str,
    pub(super) node: &'a Node,
    pub(super) names: &'a Names,
}

impl Operand<'_> {
    /// The compiled operator; `None` means that faults were added.
    pub(super) fn read(&self, shape: Shape<'_>, known: &mut Patterns, faults: &mut Vec<Fault>) -> Option<Operator> {
        let node = self.node;
        match (self.word, shape) {
            ("exists", _) => truth(node, faults).map(Operator::Exists),
            ("empty", _) => truth(node, faults).map(|empty| Operator::Exists(!empty)),
            ("is", Shape::Field(field)) if matches!(field.kind, Kind::Code(_)) => {
                codes(field, node, faults).map(Operator::CodeIs)
            }
            ("is", Shape::Field(field)) if field.kind == Kind::Number => {
                let numbers: Option<Vec<f64>> =
                    node.one_or_many().iter().map(|item| number(shape, item, faults)).collect();
                Some(Operator::NumberIs(filled(numbers?, node, faults)?))
            }
            ("at_least", _) => number(shape, node, faults).map(Operator::AtLeast),
            ("at_most", _) => number(shape, node, faults).map(Operator::AtMost),
            ("above", _) => number(shape, node, faults).map(Operator::Above),
            ("below", _) => number(shape, node, faults).map(Operator::Below),
            ("before", _) => instant(self.names.zone, node, faults).map(Operator::Before),
            ("after", _) => instant(self.names.zone, node, faults).map(Operator::After),
            ("matches", _) => patterns(node, known, faults).map(Operator::TextMatches),
            (word, shape) => self.words(word, shape, faults),
        }
    }

    fn words(&self, word: &str, shape: Shape<'_>, faults: &mut Vec<Fault>) -> Option<Operator> {
        let words = texts(self.node.one_or_many().iter(), &self.node.place, faults)?;
        let (list, definition) = match shape {
            Shape::Field(field) => (matches!(field.kind, Kind::Persons | Kind::Tags), None),
            Shape::Part => (false, None),
            Shape::Custom(definition) => (definition.is_some_and(|definition| definition.multiple), definition),
        };
        match (word, list) {
            ("contains_all", _) => Some(Operator::ListContainsAll(words)),
            ("contains" | "is", true) => options(definition, &words, self.node, faults).map(Operator::ListContains),
            ("is", false) if matches!(shape, Shape::Field(_)) => {
                self.is_known(shape, faults).then_some(Operator::TextIs(words))
            }
            ("contains", false) => Some(Operator::TextContains(words)),
            ("starts_with", _) => Some(Operator::TextStartsWith(words)),
            _ => options(definition, &words, self.node, faults).map(Operator::TextIs),
        }
    }
}

impl Operand<'_> {
    /// Whether the values are names of the configuration, where the field holds such names.
    fn is_known(&self, shape: Shape<'_>, faults: &mut Vec<Fault>) -> bool {
        let (known, zh, en) = match shape {
            Shape::Field(field) if field.name == "team" => (&self.names.teams, "团队", "team"),
            Shape::Field(field) if field.name == "source" => (&self.names.sources, "来源", "source"),
            _ => return true,
        };
        let mut all = true;
        for item in self.node.one_or_many() {
            let text = item.text().unwrap_or_default();
            if !known.iter().any(|name| fold(name) == fold(text)) {
                let message = Message::new(format!("没有{zh} “{text}”"), format!("there is no {en} `{text}`"));
                faults.push(with_nearest(Fault::error(item.place.clone(), message), text, known));
                all = false;
            }
        }
        all
    }
}

fn truth(node: &Node, faults: &mut Vec<Fault>) -> Option<bool> {
    match node.text() {
        Some("true" | "yes" | "是") => Some(true),
        Some("false" | "no" | "否") => Some(false),
        _ => {
            faults.push(node.expected(&Message::new(" true 或 false", "true or false")));
            None
        }
    }
}

/// Texts to compare with, folded, none of them blank.
pub(super) fn texts<'n>(
    items: impl IntoIterator<Item = &'n Node>,
    place: &Place,
    faults: &mut Vec<Fault>,
) -> Option<Operands> {
    let (mut found, mut written) = (Vec::new(), Vec::new());
    for item in items {
        let (text, place) = text_of(item, faults)?;
        let folded = fold(&text);
        if folded.is_empty() {
            let message = Message::new(
                "这里不能是空文字；要找没有值的，写 exists: false",
                "this must not be blank; to find what has no value, write exists: false",
            );
            faults.push(Fault::error(place, message));
            return None;
        }
        if folded.chars().count() > OPERAND_CHARS_MAX {
            faults.push(too_long(place));
            return None;
        }
        found.push(Text::from(&*folded));
        written.push(Text::from(text.trim()));
    }
    if found.is_empty() || found.len() > OPERANDS_MAX {
        faults.push(wrong_count(place));
        return None;
    }
    Some(Operands::new(found.into(), written.into()))
}

fn too_long(place: Place) -> Fault {
    let message = Message::new(
        format!("文字太长，最多 {OPERAND_CHARS_MAX} 个字"),
        format!("the text is too long: at most {OPERAND_CHARS_MAX} characters"),
    );
    Fault::error(place, message)
}

fn wrong_count(place: &Place) -> Fault {
    let message =
        Message::new(format!("这里要有 1 到 {OPERANDS_MAX} 个值"), format!("here stand 1 to {OPERANDS_MAX} values"));
    Fault::error(place.clone(), message)
}

fn filled<T>(found: Vec<T>, node: &Node, faults: &mut Vec<Fault>) -> Option<Arc<[T]>> {
    if found.is_empty() || found.len() > OPERANDS_MAX {
        faults.push(wrong_count(&node.place));
        return None;
    }
    Some(found.into())
}

/// The numbers of an enumeration that words stand for.
pub(super) fn codes(field: &'static Field, node: &Node, faults: &mut Vec<Fault>) -> Option<Arc<[i64]>> {
    let mut found = Vec::new();
    let mut whole = true;
    for item in node.one_or_many() {
        match text_of(item, faults).map(|(text, _)| field.numbers(&text)) {
            Some(Some(numbers)) => found.extend(numbers),
            Some(None) => {
                whole = false;
                faults.push(unknown_code(field, item));
            }
            None => whole = false,
        }
    }
    if !whole {
        return None;
    }
    found.sort_unstable();
    found.dedup();
    filled(found, node, faults)
}

fn unknown_code(field: &Field, item: &Node) -> Fault {
    let shown = item.scalar().map(|scalar| scalar.shown()).unwrap_or_default();
    let message = Message::new(
        format!("“{}” 没有 “{shown}” 这个值", field.zh),
        format!("`{}` has no value `{shown}`", field.name),
    );
    let fault = Fault::error(item.place.clone(), message);
    let groups = field.groups().iter().flat_map(|group| [group.name, group.zh]);
    let words: Vec<&str> = field.codes().iter().flat_map(|code| [code.name, code.zh]).chain(groups).collect();
    fault.with_hint(match nearest(&shown, words.iter().copied()) {
        Some(meant) => did_you_mean(meant),
        None => Message::new(format!("可以写：{}", words.join("、")), format!("here may stand: {}", words.join(", "))),
    })
}

fn number(shape: Shape<'_>, node: &Node, faults: &mut Vec<Fault>) -> Option<f64> {
    let parsed = node.text().and_then(|text| text.trim().parse::<f64>().ok()).filter(|number| number.is_finite());
    if parsed.is_none() {
        let fault = node.expected(&Message::new("一个数", "a number"));
        faults.push(match shape {
            Shape::Field(field) if node.text().is_some_and(|text| read_span(text).is_ok()) => {
                fault.with_hint(Message::new(
                    format!("这个字段是数：{}", field.doc.zh),
                    format!("this field is a number: {}", field.doc.en),
                ))
            }
            _ => fault,
        });
    }
    parsed
}

fn instant(zone: Zone, node: &Node, faults: &mut Vec<Fault>) -> Option<Timestamp> {
    let parsed = node.text().and_then(|text| read_instant(zone, text.trim()));
    if parsed.is_none() {
        let what = Message::new(
            "一个时刻，例如 2026-11-20 或 \"2026-11-20 09:00\"",
            "an instant such as 2026-11-20 or \"2026-11-20 09:00\"",
        );
        faults.push(node.expected(&what));
    }
    parsed
}

fn read_instant(zone: Zone, text: &str) -> Option<Timestamp> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some(Timestamp::from_ms(instant.timestamp_millis()));
    }
    let date = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().and_then(|date| date.and_hms_opt(0, 0, 0));
    let formats = ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"];
    let local = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok()).or_else(date)?;
    Some(Timestamp::from_ms(zone.0.from_local_datetime(&local).earliest()?.timestamp_millis()))
}

fn patterns(node: &Node, known: &mut Patterns, faults: &mut Vec<Fault>) -> Option<Arc<[Regex]>> {
    let mut found = Vec::new();
    if node.one_or_many().len() > OPERANDS_MAX {
        faults.push(wrong_count(&node.place));
        return None;
    }
    for item in node.one_or_many() {
        let (text, place) = text_of(item, faults)?;
        if text.chars().count() > OPERAND_CHARS_MAX {
            faults.push(too_long(place));
            return None;
        }
        match known.compile(&text) {
            Ok(pattern) => found.push(pattern),
            Err((message, hint)) => {
                faults.push(Fault::error(place, message).with_hint(hint));
                return None;
            }
        }
    }
    if matches!(&node.kind, NodeKind::List(items) if items.is_empty()) {
        faults.push(wrong_count(&node.place));
        return None;
    }
    Some(found.into())
}
