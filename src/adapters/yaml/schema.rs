//! Pieces of JSON Schema (draft 2020-12) for what [`Map`](crate::adapters::yaml::map::Map) reads: the same leniency, no
//! more. An editor sees YAML's own types, so a text may be written as a number, and a number as a text.

use serde_json::{Map, Value, json};

use crate::domain::text::Words;

/// The dialect of every schema.
pub const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Units of wall time, and those of office time besides.
const WALL_UNITS: &str = "s|秒|m|分钟|分|h|个小时|小时|d|天";
const OFFICE_UNITS: &str = "wd|个工作日|工作日";

/// What stands in a configuration's scalar in place of its value.
const VARIABLE: &str = r"\$\{";

/// Text, which may look like a number or a truth.
pub fn text() -> Value {
    json!({ "type": ["string", "number", "boolean"] })
}

/// Text that is not blank.
pub fn filled_text() -> Value {
    json!({ "type": ["string", "number", "boolean"], "pattern": r"\S" })
}

/// One of these words. A word that YAML reads as a number or a truth counts as such too.
pub fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Value {
    let mut all: Vec<Value> = Vec::new();
    for word in words {
        all.push(json!(word));
        all.extend(match word {
            "true" => Some(json!(true)),
            "false" => Some(json!(false)),
            _ => word.parse::<i64>().ok().map(Value::from),
        });
    }
    json!({ "enum": all })
}

/// Both words of each pair.
pub fn twins(table: &[(&'static str, &'static str)]) -> Value {
    words(table.iter().flat_map(|(en, zh)| [*en, *zh]))
}

/// These words are known, and others may stand too: editors complete them.
pub fn words_or(known: Value, other: Value) -> Value {
    json!({ "anyOf": [known, other] })
}

/// A whole number within a range.
pub fn integer(range: std::ops::RangeInclusive<i64>) -> Value {
    json!({ "anyOf": [
        { "type": "integer", "minimum": range.start(), "maximum": range.end() },
        { "type": "string", "pattern": r"^\s*[+-]?[0-9]+\s*$" },
    ] })
}

/// Any number.
pub fn number() -> Value {
    json!({ "anyOf": [
        { "type": "number" },
        { "type": "string", "pattern": r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*$" },
    ] })
}

/// A switch.
pub fn flag() -> Value {
    words(["true", "false", "True", "False", "TRUE", "FALSE", "yes", "no", "on", "off", "是", "否"])
}

/// A duration; with `office`, office days too.
pub fn span(office: bool) -> Value {
    json!({ "type": "string", "pattern": span_pattern(office) })
}

fn span_pattern(office: bool) -> String {
    let units = if office { format!("{OFFICE_UNITS}|{WALL_UNITS}") } else { WALL_UNITS.to_string() };
    format!(r"^\s*([0-9]+\s*({units})\s*)+$")
}

/// A duration of the configuration, where a variable may stand.
pub fn span_or_variable() -> Value {
    json!({ "type": "string", "pattern": or_variable(&span_pattern(false)) })
}

/// A pattern, or a variable of the environment anywhere in the text.
pub fn or_variable(pattern: &str) -> String {
    format!("{pattern}|{VARIABLE}")
}

/// A text of this pattern.
pub fn pattern(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}

/// Accepts what `schema` does, and a variable of the environment.
pub fn with_variable(schema: Value) -> Value {
    json!({ "anyOf": [schema, { "type": "string", "pattern": VARIABLE }] })
}

/// One of these, or a list of at least one and at most `max`.
pub fn one_or_many(item: Value, max: usize) -> Value {
    json!({ "if": { "type": "array" }, "then": list(item.clone(), max), "else": item })
}

/// A list of at least one and at most `max`.
pub fn list(item: Value, max: usize) -> Value {
    json!({ "type": "array", "items": item, "minItems": 1, "maxItems": max })
}

/// The same, or nothing: a key without a value counts as left out.
pub fn or_nothing(schema: Value) -> Value {
    json!({ "if": { "type": "null" }, "else": schema })
}

/// Refers to a definition of the document.
pub fn refer(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// A description for people who hover: Chinese, a blank line, English.
pub fn described(schema: Value, doc: Words) -> Value {
    let mut schema = schema;
    if let Some(object) = schema.as_object_mut() {
        object.insert("description".to_string(), json!(format!("{}\n\n{}", doc.zh, doc.en)));
    }
    schema
}

/// A mapping that refuses keys nobody knows.
#[derive(Clone, Debug, Default)]
pub struct Object {
    properties: Map<String, Value>,
    patterns: Map<String, Value>,
    rest: Option<Value>,
    all: Vec<Value>,
    entries_min: usize,
}

impl Object {
    /// With no key yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A key under all of its names.
    pub fn key<'a>(mut self, names: impl IntoIterator<Item = &'a str>, schema: &Value) -> Self {
        self.properties.extend(names.into_iter().map(|name| (name.to_string(), schema.clone())));
        self
    }

    /// A key with a twin that may be left out, or stand there without a value.
    pub fn optional(self, names: &[&str], schema: Value, doc: Words) -> Self {
        let schema = described(or_nothing(schema), doc);
        self.key(names.iter().copied(), &schema)
    }

    /// A key with a twin that must be there.
    pub fn required(self, names: &[&str], schema: Value, doc: Words) -> Self {
        let schema = described(schema, doc);
        self.key(names.iter().copied(), &schema).one_of(names)
    }

    /// One of these keys must be there.
    pub fn one_of(mut self, names: &[&str]) -> Self {
        self.all.push(one_is_there(names));
        self
    }

    /// Keys of this pattern.
    pub fn keys_like(mut self, pattern: &str, schema: Value) -> Self {
        self.patterns.insert(pattern.to_string(), schema);
        self
    }

    /// Keys that are names: any other key.
    pub fn others(mut self, schema: Value) -> Self {
        self.rest = Some(schema);
        self
    }

    /// At least so many keys.
    pub const fn at_least(mut self, entries: usize) -> Self {
        self.entries_min = entries;
        self
    }

    /// A further demand.
    pub fn also(mut self, demand: Value) -> Self {
        self.all.push(demand);
        self
    }

    /// The schema.
    pub fn schema(self) -> Value {
        let mut schema = Map::new();
        schema.insert("type".to_string(), json!("object"));
        schema.insert("properties".to_string(), Value::Object(self.properties));
        if !self.patterns.is_empty() {
            schema.insert("patternProperties".to_string(), Value::Object(self.patterns));
        }
        schema.insert("additionalProperties".to_string(), self.rest.unwrap_or(json!(false)));
        if self.entries_min > 0 {
            schema.insert("minProperties".to_string(), json!(self.entries_min));
        }
        if !self.all.is_empty() {
            schema.insert("allOf".to_string(), Value::Array(self.all));
        }
        Value::Object(schema)
    }
}

/// One of these keys is there.
pub fn one_is_there(names: &[&str]) -> Value {
    match names {
        [only] => json!({ "required": [only] }),
        names => json!({ "anyOf": names.iter().map(|name| json!({ "required": [name] })).collect::<Vec<_>>() }),
    }
}

/// Nothing else is demanded where one of these keys stands than `then`; where none does, `otherwise`.
pub fn if_there(names: &[&str], then: Value, otherwise: Value) -> Value {
    json!({ "if": one_is_there(names), "then": then, "else": otherwise })
}

/// A whole document.
pub fn document(title: Words, root: Value, definitions: Map<String, Value>) -> Value {
    let mut schema = Map::new();
    schema.insert("$schema".to_string(), json!(DIALECT));
    schema.insert("title".to_string(), json!(format!("{} · {}", title.zh, title.en)));
    schema.extend(root.as_object().cloned().unwrap_or_default());
    if !definitions.is_empty() {
        schema.insert("$defs".to_string(), Value::Object(definitions));
    }
    Value::Object(schema)
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;
    use crate::adapters::yaml::duration::read_span;

    #[test]
    fn durations_look_as_they_are_read() {
        let pattern = Regex::new(&span_pattern(false)).unwrap();
        for text in ["0s", "90s", "15m", "1h30m", "3d", "1d 2h", "2小时", "30分钟", "1个小时", " 5m "] {
            assert!(read_span(text).is_ok() && pattern.is_match(text), "{text}");
        }
        for text in ["", "15", "1.5h", "-3m", "5min", "1wd", "h", "m5"] {
            assert!(!pattern.is_match(text), "{text}");
        }
        assert!(Regex::new(&span_pattern(true)).unwrap().is_match("1wd 2h"));
        let variable = Regex::new(&or_variable(&span_pattern(false))).unwrap();
        assert!(variable.is_match("${RETENTION}") && variable.is_match("2m") && !variable.is_match("soon"));
    }

    #[test]
    fn words_that_yaml_reads_otherwise_count_too() {
        assert_eq!(words(["yes", "true", "5"]), json!({ "enum": ["yes", "true", true, "5", 5] }));
    }
}
