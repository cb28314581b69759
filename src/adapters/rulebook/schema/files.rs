//! The schema of a rule file: one bare rule, or rules, defaults and named conditions together.

use serde_json::{Value, json};

use crate::{
    adapters::{
        rulebook::{
            explained::key_doc,
            schema::conditions::{CONDITION, TARGET, code_value, definitions},
            words::{
                CATCH_UPS, COUNT_KEYS, COUNT_OPERATORS, ESCALATE_KEYS, FILE_KEYS, MENTIONS, MODES, NO_DEFAULTS,
                NOTIFY_KEYS, OPERATORS, RULE_KEYS, SEVERITIES, SLA_KEYS, STEP_KEYS, TARGET_KEYS, TO_WORDS, UNTILS,
                URGENTS, Word,
            },
        },
        yaml::schema::{
            Object, described, document, filled_text, if_there, integer, list, one_is_there, one_or_many, or_nothing,
            pattern, refer, span, text, twins, words_or,
        },
    },
    domain::{condition::Clock, field::Field, text::Words},
};

/// Rules of one list: enough for any folder.
const LIST_MAX: usize = 2_000;
/// Lines of any list inside a rule; the parser's own limits are lower and say so better.
const LINES_MAX: usize = 500;

/// The schema of rule files.
pub fn rules() -> Value {
    let mut all = definitions();
    all.insert("rule".to_string(), rule());
    all.insert("defaults".to_string(), defaults());
    all.insert("file".to_string(), file());
    all.insert("notify_line".to_string(), lines("notify", NOTIFY_KEYS, &["to"]));
    all.insert("escalate_line".to_string(), lines("escalate", ESCALATE_KEYS, &["after", "to"]));
    all.insert("target_line".to_string(), lines("target", TARGET_KEYS, &["is"]));
    all.insert("step_line".to_string(), lines("steps", STEP_KEYS, &["at", "to"]));
    all.insert("numbers".to_string(), numbers());
    let file_keys: Vec<&str> = FILE_KEYS.iter().flat_map(|(en, zh)| [*en, *zh]).collect();
    let root = if_there(&file_keys, refer("file"), or_nothing(refer("rule")));
    let root = json!({ "if": { "type": "object" }, "then": root, "else": { "type": "null" } });
    document(Words { zh: "deskbell 的规则文件", en: "a rule file of deskbell" }, root, all)
}

fn file() -> Value {
    let mut object = Object::new();
    for (en, zh) in FILE_KEYS {
        let schema = match *en {
            "rules" => or_nothing(json!({ "type": "array", "items": refer("rule"), "maxItems": LIST_MAX })),
            "defaults" => refer("defaults"),
            _ => Object::new().keys_like(r"\S", refer(CONDITION)).schema(),
        };
        object = object.key([*en, *zh], &described(schema, key_doc("file", en)));
    }
    object.schema()
}

fn rule() -> Value {
    let mut object = Object::new();
    for (en, zh) in [RULE_KEYS, SLA_KEYS, COUNT_KEYS].into_iter().flatten() {
        let demand = if *en == "name" { filled_text() } else { or_nothing(rule_key(en)) };
        object = object.key([*en, *zh], &described(demand, key_doc("rule", en)));
    }
    let (clock, count) = (pair(SLA_KEYS, "clock"), pair(COUNT_KEYS, "count"));
    let ticket = json!({ "allOf": [when_is(refer(CONDITION)), without(SLA_KEYS), without(COUNT_KEYS)] });
    let sla = json!({ "allOf": [
        when_is(refer(CONDITION)),
        one_is_there(&pair(SLA_KEYS, "target")),
        one_is_there(&pair(SLA_KEYS, "steps")),
        without_all(&[pair(RULE_KEYS, "notify"), pair(RULE_KEYS, "escalate")]),
        without(COUNT_KEYS),
    ] });
    let counted = json!({ "allOf": [when_is(refer("numbers")), without(SLA_KEYS)] });
    let kinds = if_there(&clock, sla, if_there(&count, counted, ticket));
    object.one_of(&pair(RULE_KEYS, "name")).one_of(&pair(RULE_KEYS, "when")).also(kinds).schema()
}

/// Keys that hold for every rule of the folder.
fn defaults() -> Value {
    let mut object = Object::new();
    for (en, zh) in RULE_KEYS.iter().filter(|(en, _)| !NO_DEFAULTS.contains(en)) {
        object = object.key([*en, *zh], &described(or_nothing(rule_key(en)), key_doc("rule", en)));
    }
    object.schema()
}

fn pair(table: &[Word], key: &str) -> [&'static str; 2] {
    table.iter().find(|(en, _)| *en == key).map_or(["", ""], |(en, zh)| [en, zh])
}

/// The rule's `when` is of this kind.
fn when_is(schema: Value) -> Value {
    let [en, zh] = pair(RULE_KEYS, "when");
    json!({ "properties": { en: schema, zh: schema } })
}

fn without(table: &[Word]) -> Value {
    without_all(&table.iter().map(|(en, zh)| [*en, *zh]).collect::<Vec<_>>())
}

fn without_all(pairs: &[[&'static str; 2]]) -> Value {
    let refused: serde_json::Map<String, Value> =
        pairs.iter().flatten().map(|key| ((*key).to_string(), json!(false))).collect();
    json!({ "properties": refused })
}

/// What stands behind a key of a rule.
fn rule_key(key: &str) -> Value {
    match key {
        "severity" => twins(SEVERITIES),
        "mode" => twins(MODES),
        "trial_to" | "fallback" => to(),
        "formerly" | "sources" => one_or_many(filled_text(), LINES_MAX),
        "calendar" => filled_text(),
        "catch_up" => twins(CATCH_UPS),
        "when" => json!({ "type": "object" }), // told by the kind of rule
        "for" | "taken_for" => span(true),
        "keep_firing_for" | "expires" | "refire_window" | "within" => span(false),
        "until" => json!({ "if": { "type": "object" }, "then": refer(CONDITION), "else": twins(UNTILS) }),
        "notify" => one_or_many(refer("notify_line"), LINES_MAX),
        "escalate" => one_or_many(refer("escalate_line"), LINES_MAX),
        "runbook" => pattern(r"^\s*(https?://[^/\s]\S*)?\s*$"),
        "clock" => twins(&Clock::ALL.map(|clock| (clock.words().en, clock.words().zh))),
        "pause_in" => Field::find("status").map_or_else(text, |status| one_or_many(code_value(status), LINES_MAX)),
        "target" => {
            let several = one_or_many(refer("target_line"), LINES_MAX);
            json!({ "if": { "type": ["object", "array"] }, "then": several, "else": span(true) })
        }
        "steps" => one_or_many(refer("step_line"), LINES_MAX),
        "count" => refer(CONDITION),
        "per" => refer(TARGET),
        "clear" => refer("numbers"),
        _ => text(), // summary, advice
    }
}

/// The lines of a list inside a rule.
fn lines(list: &str, table: &'static [Word], required: &[&str]) -> Value {
    let mut object = Object::new();
    for (en, zh) in table {
        let doc = key_doc(list, en);
        object = match required.contains(en) {
            true => object.required(&[en, zh], line_key(list, en), doc),
            false => object.optional(&[en, zh], line_key(list, en), doc),
        };
    }
    object.schema()
}

fn line_key(line: &str, key: &str) -> Value {
    match key {
        "to" => to(),
        "mention" => words_or(twins(MENTIONS), pattern("@")),
        "repeat" => one_or_many(span(true), LINES_MAX),
        "repeat_max" => integer(1..=1_000),
        "after" => span(true),
        "is" if line == "target" => span(true),
        "when" => refer(CONDITION),
        "at" => pattern(r"^\s*([0-9]+\s*[%％]|[+＋\-－].+)\s*$"),
        "severity" => twins(SEVERITIES),
        "urgent" => twins(URGENTS),
        _ => filled_text(), // template, calendar
    }
}

/// Whom a line means: a word of the language, or a receiver's name.
fn to() -> Value {
    words_or(twins(TO_WORDS), filled_text())
}

/// Demands on how many there are.
fn numbers() -> Value {
    let mut object = Object::new().at_least(1);
    for (en, zh) in OPERATORS.iter().filter(|(en, _)| COUNT_OPERATORS.contains(en)) {
        let schema = match *en {
            "is" => one_or_many(integer(0..=1_000_000), LINES_MAX),
            _ => one_number(),
        };
        object = object.key([*en, *zh], &schema);
    }
    object.schema()
}

/// A number, or a list with one in it.
fn one_number() -> Value {
    json!({ "if": { "type": "array" }, "then": list(integer(0..=1_000_000), 1), "else": integer(0..=1_000_000) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_explained_in_both_languages() {
        let lists = [
            ("file", FILE_KEYS),
            ("rule", RULE_KEYS),
            ("rule", SLA_KEYS),
            ("rule", COUNT_KEYS),
            ("notify", NOTIFY_KEYS),
            ("escalate", ESCALATE_KEYS),
            ("target", TARGET_KEYS),
            ("steps", STEP_KEYS),
        ];
        for (list, table) in lists {
            for (key, _) in table {
                let doc = key_doc(list, key);
                assert!(!doc.zh.is_empty() && !doc.en.is_empty(), "{list}: {key}");
            }
        }
    }

    /// Keys without a line of their own in `rule_key` would be taken for plain text.
    #[test]
    fn every_key_has_its_own_form() {
        let plain: Vec<&str> = [RULE_KEYS, SLA_KEYS, COUNT_KEYS]
            .into_iter()
            .flatten()
            .map(|(en, _)| *en)
            .filter(|key| rule_key(key) == text())
            .collect();
        assert_eq!(plain, ["name", "summary", "advice"]);
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let schema = rules();
        let text = schema.to_string();
        let mut found = 0;
        for rest in text.split("\"#/$defs/").skip(1) {
            let name = rest.split('"').next().unwrap();
            assert!(schema["$defs"].get(name).is_some(), "{name}");
            found += 1;
        }
        assert!(found > 100, "{found}");
    }
}
