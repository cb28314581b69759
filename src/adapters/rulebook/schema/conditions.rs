//! The schema of conditions: every field, clock, operator and combiner by every one of its names.

use serde_json::{Map, Value, json};

use crate::{
    adapters::{
        rulebook::{
            explained::{clock_course, combiner_doc, operator_doc},
            operand::{OPERAND_CHARS_MAX, OPERANDS_MAX},
            vocabulary::carrier_words,
            words::{
                CALENDAR, CLOCK_OPERATORS, COMBINERS, CUSTOM_OPERATORS, CUSTOM_PREFIXES, NOBODY, OPERATORS,
                PART_OPERATORS, SELECTORS, bare_operator, operators,
            },
        },
        yaml::schema::{
            Object, described, filled_text, list, number, one_or_many, or_nothing, pattern, refer, span, words,
            words_or,
        },
    },
    domain::{
        condition::{Clock, PersonPart},
        field::{Field, Kind},
        text::Words,
    },
};

/// The name of the definition that a condition is.
pub const CONDITION: &str = "condition";
/// The name of the definition of a field's name, as `changed` and `per` take it.
pub const TARGET: &str = "target";

/// What conditions are made of: the definitions of a schema that has conditions in it.
pub fn definitions() -> Map<String, Value> {
    let mut all = Map::new();
    all.insert(CONDITION.to_string(), condition());
    for clock in Clock::ALL {
        all.insert(key_name(clock.name()), explained(refer("clock"), clock_doc(clock)));
    }
    all.insert(TARGET.to_string(), target());
    all.insert("clock".to_string(), clock());
    all.insert("part".to_string(), tested(PART_OPERATORS, Some("is"), &text_operand));
    all.insert("custom".to_string(), tested(CUSTOM_OPERATORS, Some("is"), &text_operand));
    for field in Field::all() {
        all.insert(key_name(field.name), explained(refer(&test_name(field)), field_doc(field)));
        let name = test_name(field);
        if !all.contains_key(&name) {
            let operand = |operator: &str| field_operand(field, operator);
            all.insert(name, tested(operators(field.kind), bare_operator(field.kind), &operand));
        }
    }
    all
}

/// The words of an enumeration: names, twins, other words, groups, or any number.
pub fn code_value(field: &Field) -> Value {
    let codes = field.codes().iter();
    let names = codes.flat_map(|code| [code.name, code.zh].into_iter().chain(code.also.iter().copied()));
    let groups = field.groups().iter().flat_map(|group| [group.name, group.zh]);
    words_or(words(names.chain(groups)), json!({ "anyOf": [{ "type": "integer" }, pattern(r"^\s*-?[0-9]+\s*$")] }))
}

fn condition() -> Value {
    let mut object = Object::new().at_least(1);
    for (en, zh) in COMBINERS {
        let schema = described(combined(en), combiner_doc(en));
        object = object.key([*en, *zh], &schema);
    }
    for clock in Clock::ALL {
        let words = clock.words();
        object = object.key([words.en, words.zh], &refer(&key_name(clock.name())));
    }
    for field in Field::all() {
        object = object.key(field_names(field), &refer(&key_name(field.name)));
    }
    let object = object.keys_like(&part_pattern(), refer("part"));
    described(
        object.schema(),
        Words { zh: "一个条件：写在一起的都要成立", en: "a condition: everything in it must hold" },
    )
}

fn combined(combiner: &str) -> Value {
    match combiner {
        "all" | "any" | "none" => json!({ "type": "array", "items": refer(CONDITION), "minItems": 1 }),
        "meets" => filled_text(),
        "changed" => one_or_many(refer(TARGET), OPERANDS_MAX),
        "fields" => Object::new().others(refer("custom")).at_least(1).schema(),
        "field" => one_field(),
        _ => refer(CONDITION), // not, was
    }
}

/// `field: {name|key|id: X, <operators>}`.
fn one_field() -> Value {
    let mut object = Object::new().at_least(2);
    let mut selectors = Vec::new();
    for (en, zh) in SELECTORS {
        object = object.key([*en, *zh], &filled_text());
        selectors.extend([*en, *zh]);
    }
    with_operators(object, CUSTOM_OPERATORS, &text_operand).one_of(&selectors).schema()
}

/// A bare value, or a mapping of operators.
fn tested(allowed: &[&str], bare: Option<&str>, operand: &dyn Fn(&str) -> Value) -> Value {
    let mapping = with_operators(Object::new().at_least(1), allowed, operand).schema();
    match bare {
        None => mapping,
        Some(operator) => json!({ "if": { "type": "object" }, "then": mapping, "else": operand(operator) }),
    }
}

fn with_operators(mut object: Object, allowed: &[&str], operand: &dyn Fn(&str) -> Value) -> Object {
    for (en, zh) in OPERATORS.iter().filter(|(en, _)| allowed.contains(en)) {
        object = object.key([*en, *zh], &described(operand(en), operator_doc(en)));
    }
    object
}

fn field_operand(field: &Field, operator: &str) -> Value {
    match (operator, field.kind) {
        ("is", Kind::Code(_)) => one_or_many(code_value(field), OPERANDS_MAX),
        ("is", Kind::Number) => one_or_many(number(), OPERANDS_MAX),
        ("is", Kind::Person) => one_or_many(words_or(words(NOBODY.iter().copied()), operand_text()), OPERANDS_MAX),
        ("before" | "after", _) => pattern(r"^\s*[0-9]{4,}-[0-9]{1,2}-[0-9]{1,2}"),
        _ => text_operand(operator),
    }
}

/// The operand of an operator on text, on a list, or on a custom field.
fn text_operand(operator: &str) -> Value {
    match operator {
        "exists" | "empty" => words(["true", "false", "yes", "no", "是", "否"]),
        "at_least" | "at_most" | "above" | "below" => number(),
        _ => one_or_many(operand_text(), OPERANDS_MAX),
    }
}

fn operand_text() -> Value {
    json!({ "type": ["string", "number", "boolean"], "pattern": r"\S", "maxLength": OPERAND_CHARS_MAX * 2 })
}

fn clock() -> Value {
    let mut object = Object::new();
    let mut bounds = Vec::new();
    for (en, zh) in OPERATORS.iter().filter(|(en, _)| CLOCK_OPERATORS.contains(en)) {
        object = object.key([*en, *zh], &described(or_nothing(span(true)), operator_doc(en)));
        bounds.extend([*en, *zh]);
    }
    let calendar =
        Words { zh: "按哪个日历计；always 是自然时间", en: "which calendar counts; always is wall time" };
    object.optional(&[CALENDAR.0, CALENDAR.1], filled_text(), calendar).one_of(&bounds).schema()
}

/// Every name of a field.
pub(super) fn field_names(field: &Field) -> Vec<&'static str> {
    let own = [field.name, field.zh, field.vendor].into_iter();
    own.chain(field.also.iter().copied()).collect()
}

/// A field, a part of a person, or a custom field (`fields.产品线`), by name.
fn target() -> Value {
    let names = Field::all().flat_map(field_names);
    let prefixes: Vec<String> = CUSTOM_PREFIXES.iter().map(|prefix| prefix.replace('.', r"\.")).collect();
    let others = [pattern(&part_pattern()), pattern(&format!(r"^\s*({})\s*\S", prefixes.join("|")))];
    words_or(words(names), json!({ "anyOf": others }))
}

/// `guest.department`, `客户的部门`.
pub(super) fn part_pattern() -> String {
    let persons = Field::all().filter(|field| field.kind == Kind::Person);
    let mut names: Vec<&str> = persons.flat_map(field_names).collect();
    names.sort_unstable();
    names.dedup();
    let parts: Vec<&str> = PersonPart::ALL.into_iter().flat_map(|part| [part.words().en, part.words().zh]).collect();
    format!("^({})[.的]({})$", names.join("|"), parts.join("|"))
}

/// A schema with a description.
pub(super) fn explained(mut schema: Value, text: String) -> Value {
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("description".to_string(), json!(text));
    }
    schema
}

/// The definition of a key of a condition, which all of its names share.
fn key_name(name: &str) -> String {
    format!("key_{name}")
}

/// The definition that tests of a field are: one for each type, and one for each enumeration.
fn test_name(field: &Field) -> String {
    match field.kind {
        Kind::Code(_) => format!("test_{}", field.name),
        Kind::Text => "test_text".to_string(),
        Kind::Number => "test_number".to_string(),
        Kind::Instant => "test_instant".to_string(),
        Kind::Person => "test_person".to_string(),
        Kind::Persons | Kind::Tags => "test_list".to_string(),
        Kind::I18n => "test_texts".to_string(),
        Kind::Comments | Kind::Messages => "test_said".to_string(),
        Kind::CustomFields => "test_custom_fields".to_string(),
    }
}

pub(super) fn field_doc(field: &Field) -> String {
    let (doc, carrier) = (field.doc, carrier_words(field.carrier).1);
    format!("{} · {}\n\n{}\n{}\n\n{}\n{}", field.zh, field.name, doc.zh, doc.en, carrier.zh, carrier.en)
}

/// From when to when a clock runs.
fn clock_doc(clock: Clock) -> String {
    let (name, (starts, stops), carrier) = (clock.words(), clock_course(clock), carrier_words(clock.carrier()).1);
    format!(
        "{} · {}

{} → {}
{} → {}

{}
{}",
        name.zh, name.en, starts.zh, stops.zh, starts.en, stops.en, carrier.zh, carrier.en
    )
}

/// Conditions of a list, in a schema that has [`definitions`].
pub fn conditions(max: usize) -> Value {
    list(refer(CONDITION), max)
}
