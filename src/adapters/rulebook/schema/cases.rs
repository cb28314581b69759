//! The schema of rule tests (`*.test.yaml`).

use serde_json::{Value, json};

use crate::{
    adapters::{
        rulebook::{
            cases::words::{CASE_KEYS, ENDS, EXPECT_KEYS, FIELDS, MOMENT_KEYS, STEPS},
            explained::key_doc,
            schema::conditions::{code_value, explained, field_doc, field_names, part_pattern},
            words::{NOBODY, SEVERITIES, TO_WORDS, Word},
        },
        yaml::schema::{
            Object, described, document, filled_text, flag, integer, list, one_or_many, or_nothing, pattern, refer,
            text, twins, words, words_or,
        },
    },
    domain::{
        condition::PersonPart,
        field::{Field, Kind},
        text::Words,
    },
};

/// Items of any list; the reader's own limits are lower and say so better.
const LIST_MAX: usize = 1_000;

/// The schema of rule tests.
pub fn tests() -> Value {
    let mut all = serde_json::Map::new();
    all.insert("case".to_string(), keyed("case", CASE_KEYS, &["name", "timeline"], case_key));
    all.insert("moment".to_string(), keyed("moment", MOMENT_KEYS, &["at"], moment_key));
    all.insert("expected".to_string(), keyed("expected", EXPECT_KEYS, &["at"], expected_key));
    all.insert("ticket".to_string(), ticket());
    let root = json!({ "type": "array", "items": refer("case"), "maxItems": LIST_MAX });
    document(Words { zh: "deskbell 的规则测试", en: "rule tests of deskbell" }, root, all)
}

fn keyed(of: &str, table: &'static [Word], required: &[&str], schema: fn(&str) -> Value) -> Value {
    let mut object = Object::new();
    for (en, zh) in table {
        let doc = key_doc(of, en);
        object = match required.contains(en) {
            true => object.required(&[en, zh], schema(en), doc),
            false => object.optional(&[en, zh], schema(en), doc),
        };
    }
    object.schema()
}

fn case_key(key: &str) -> Value {
    match key {
        "rule" => one_or_many(text(), LIST_MAX),
        "timeline" => list(refer("moment"), LIST_MAX),
        "expect" => {
            let lines = json!({ "type": "array", "items": refer("expected"), "maxItems": LIST_MAX });
            json!({ "if": { "type": "array" }, "then": lines, "else": refer("expected") })
        }
        "none" => flag(),
        "until" => instant(),
        "name" => filled_text(),
        _ => text(), // source, timezone
    }
}

fn moment_key(key: &str) -> Value {
    let several = || json!({ "if": { "type": "array" }, "then": { "type": "array", "items": text() }, "else": text() });
    match key {
        "at" => instant(),
        "ticket" => refer("ticket"),
        "gone" => flag(),
        _ => several(), // id, guest, agent, bot
    }
}

fn expected_key(key: &str) -> Value {
    let texts = || json!({ "if": { "type": "array" }, "then": { "type": "array", "items": text() }, "else": text() });
    match key {
        "at" => instant(),
        "to" => words_or(twins(TO_WORDS), filled_text()),
        "step" => twins(STEPS),
        "repeat" => integer(1..=10_000),
        "severity" => twins(SEVERITIES),
        "title" | "card" => texts(),
        "ended" => twins(ENDS),
        _ => text(), // rule, id
    }
}

/// An instant written out, or counted from the first line of the timeline.
fn instant() -> Value {
    pattern(r"^\s*([0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*|[+＋\-－].+)$")
}

/// What a line says of a ticket: any field by any of its names.
fn ticket() -> Value {
    let mut object = Object::new().keys_like(&part_pattern(), or_nothing(text()));
    for field in Field::all() {
        object = object.key(field_names(field), &explained(or_nothing(value(field)), field_doc(field)));
    }
    let custom = Words { zh: "自定义字段：{ 字段名: 值 }", en: "custom fields: { name: value }" };
    object.key([FIELDS.0, FIELDS.1], &described(custom_fields(), custom)).schema()
}

fn custom_fields() -> Value {
    Object::new().others(or_nothing(texts())).schema()
}

fn texts() -> Value {
    json!({ "if": { "type": "array" }, "then": { "type": "array", "items": text() }, "else": text() })
}

fn value(field: &Field) -> Value {
    let nobody = || words(NOBODY.iter().copied());
    match field.kind {
        Kind::Code(_) => words_or(code_value(field), nobody()),
        Kind::CustomFields => custom_fields(),
        Kind::Person => person(),
        Kind::Persons => {
            json!({ "if": { "type": "array" }, "then": { "type": "array", "items": person() }, "else": person() })
        }
        _ => texts(),
    }
}

/// A person: a name, an email or an id, or their parts.
fn person() -> Value {
    let mut parts = Object::new();
    for part in PersonPart::ALL {
        let names = part.words();
        parts = parts.key([names.en, names.zh], &or_nothing(text()));
    }
    json!({ "if": { "type": "object" }, "then": parts.schema(), "else": or_nothing(text()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_explained_in_both_languages() {
        for (of, table) in [("case", CASE_KEYS), ("moment", MOMENT_KEYS), ("expected", EXPECT_KEYS)] {
            for (key, _) in table {
                let doc = key_doc(of, key);
                assert!(!doc.zh.is_empty() && !doc.en.is_empty(), "{of}: {key}");
            }
        }
    }
}
