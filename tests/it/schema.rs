//! The schemas that editors read: they are the files of the repository, and they agree with the parsers.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
};

use deskbell::{
    adapters::{
        rulebook::load::load_texts,
        yaml::{
            parse::parse,
            tree::{Node, NodeKind, Scalar},
        },
    },
    app::config::load::load_text,
    cli::schema::SchemaOf,
    domain::fault::{Fault, Gravity},
};
use jsonschema::Validator;
use serde_json::{Number, Value, json};

use crate::{configuration::environment, fuzz::mutated, rules::names};

/// Set to write the generated files.
const UPDATE: &str = "UPDATE_DOCS";

fn validator(of: SchemaOf) -> Validator {
    jsonschema::draft202012::new(&of.schema()).unwrap()
}

/// Which side refuses a broken file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    /// It is no YAML that has one meaning: there is nothing a schema could look at.
    Unreadable,
    /// Schema and parser.
    Both,
    /// The parser alone: it takes more than the one file, or more than its form, to know.
    Parser,
}

impl Side {
    const fn words(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Both => "both",
            Self::Parser => "parser alone",
        }
    }
}

/// The document as an editor sees it, where there is one.
fn document(text: &str) -> Option<Value> {
    let mut faults = Vec::new();
    let tree = parse("x.yaml", text, &mut faults)?;
    faults.is_empty().then(|| as_json(&tree))
}

/// YAML's core types, as editors read them.
fn as_json(node: &Node) -> Value {
    match &node.kind {
        NodeKind::Null => Value::Null,
        NodeKind::Scalar(scalar) => scalar_as_json(scalar),
        NodeKind::List(items) => items.iter().map(as_json).collect(),
        NodeKind::Map(entries) => entries.iter().map(|(key, value)| (key.text.clone(), as_json(value))).collect(),
    }
}

fn scalar_as_json(scalar: &Scalar) -> Value {
    let text = scalar.text.as_str();
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'))
        && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E'));
    match text {
        _ if scalar.quoted => json!(text),
        "true" | "True" | "TRUE" => json!(true),
        "false" | "False" | "FALSE" => json!(false),
        _ if !is_number => json!(text),
        _ => {
            let digits = text.trim_start_matches('+');
            let whole = digits.parse::<i64>().ok().map(Value::from);
            let float = || digits.parse::<f64>().ok().and_then(Number::from_f64).map(Value::Number);
            whole.or_else(float).unwrap_or(json!(text))
        }
    }
}

fn side(validator: &Validator, text: &str) -> Side {
    match document(text) {
        None => Side::Unreadable,
        Some(document) if validator.is_valid(&document) => Side::Parser,
        Some(_) => Side::Both,
    }
}

fn files(dir: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    files
}

#[test]
fn the_files_are_those_of_the_code() {
    for of in SchemaOf::ALL {
        let (path, text) = (Path::new(of.file()), of.text());
        if fs::read_to_string(path).is_ok_and(|standing| standing == text) {
            continue;
        }
        assert!(env::var_os(UPDATE).is_some(), "{} is old; run the tests with {UPDATE}=1", path.display());
        fs::write(path, text).unwrap();
    }
}

#[test]
fn the_schemas_are_schemas() {
    for of in SchemaOf::ALL {
        assert!(jsonschema::meta::is_valid(&of.schema()), "{}", of.file());
    }
}

/// What is shipped names its schema in the first line, and the schema takes it.
#[test]
fn what_is_shipped_is_accepted_and_names_its_schema() {
    let mut shipped: Vec<(SchemaOf, PathBuf)> =
        files("rules").into_iter().map(|path| (SchemaOf::Rules, path)).collect();
    for (of, path) in &mut shipped {
        if path.to_string_lossy().ends_with(".test.yaml") {
            *of = SchemaOf::Tests;
        }
    }
    shipped.extend(files("calendars").into_iter().map(|path| (SchemaOf::Calendars, path)));
    shipped.push((SchemaOf::Config, "deskbell.example.yaml".into()));
    assert!(shipped.len() >= 8, "{shipped:?}");
    for (of, path) in shipped {
        let text = fs::read_to_string(&path).unwrap();
        let up = if path.components().count() > 1 { "../" } else { "" };
        let head = format!("# yaml-language-server: $schema={up}{}", of.file());
        assert_eq!(text.lines().next(), Some(head.as_str()), "{}", path.display());
        let document = document(&text).unwrap();
        let told: Vec<String> = validator(of)
            .iter_errors(&document)
            .map(|error| format!("{} at {}", error, error.instance_path()))
            .collect();
        assert!(told.is_empty(), "{}: {told:#?}", path.display());
    }
}

#[test]
fn schema_and_parser_share_the_broken_files() {
    let mut table: BTreeMap<String, Side> = BTreeMap::new();
    for (of, dir) in [
        (SchemaOf::Rules, "tests/cases/rules/broken"),
        (SchemaOf::Config, "tests/cases/config/broken"),
        (SchemaOf::Calendars, "tests/cases/config/broken/calendars"),
    ] {
        let validator = validator(of);
        for path in files(dir) {
            let text = fs::read_to_string(&path).unwrap();
            table.insert(path.display().to_string(), side(&validator, &text));
        }
    }
    assert!(table.len() >= 80, "{}", table.len());
    let lines: Vec<String> = table.iter().map(|(file, side)| format!("{file}: {}", side.words())).collect();
    insta::with_settings!({
        snapshot_path => "../cases",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, { insta::assert_snapshot!("schema", lines.join("\n")) });
}

/// Rule tests that run are taken, whether what they expect comes true or not.
#[test]
fn the_rule_tests_that_run_are_accepted() {
    let validator = validator(SchemaOf::Tests);
    let mut looked_at = 0;
    for dir in ["rules", "passing", "failing", "language"] {
        let dir = if dir == "rules" { dir.to_string() } else { format!("tests/cases/ruletests/{dir}") };
        for path in files(&dir).into_iter().filter(|path| path.to_string_lossy().ends_with(".test.yaml")) {
            let document = document(&fs::read_to_string(&path).unwrap()).unwrap();
            assert!(validator.is_valid(&document), "{}: {}", path.display(), refused(&validator, &document));
            looked_at += 1;
        }
    }
    assert!(looked_at >= 3, "{looked_at}");
    for broken in ["- rule: x", "- { name: x, timeline: [] }", "name: x", "- { name: x, timeline: [{ at: 9 }] }"] {
        assert!(!validator.is_valid(&document(broken).unwrap()), "{broken}");
    }
}

/// A configuration with `extra` in it, by section; `QQQQQQ` is a key nobody knows.
fn sections() -> Vec<(&'static str, Vec<&'static str>, String)> {
    let feishu = |extra: &str| format!("feishu: {{ app_id: a, app_secret: s{extra} }}\n");
    let source = |extra: &str| {
        format!("sources:\n  desk: {{ kind: feishu_helpdesk, helpdesk_id: h, helpdesk_token: t{extra} }}\n")
    };
    let receiver = |extra: &str| format!("receivers:\n  support: {{ chat_id: oc_a{extra} }}\n");
    let base = feishu("") + &source("") + &receiver("");
    let with = |part: &str| format!("{base}{part}\n");
    vec![
        ("the top", vec![], with("QQQQQQ: 1")),
        ("feishu", vec!["feishu"], feishu(", QQQQQQ: 1") + &source("") + &receiver("")),
        ("events", vec!["feishu", "events"], feishu(", events: { QQQQQQ: 1 }") + &source("") + &receiver("")),
        ("limits", vec!["feishu", "limits"], feishu(", limits: { QQQQQQ: 1 }") + &source("") + &receiver("")),
        ("http", vec!["http"], with("http: { QQQQQQ: 1 }")),
        ("a source", vec!["sources", "*"], feishu("") + &source(", QQQQQQ: 1") + &receiver("")),
        ("a receiver", vec!["receivers", "*"], feishu("") + &source("") + &receiver(", QQQQQQ: 1")),
        (
            "quiet hours",
            vec!["receivers", "*", "quiet"],
            with("calendars: { night: { week: { daily: [\"21:00-09:00\"] } } }")
                .replace("oc_a }", "oc_a, quiet: { calendar: night, QQQQQQ: 1 } }"),
        ),
        ("a calendar", vec!["calendars", "*"], with("calendars: { office: { week: { daily: [] }, QQQQQQ: 1 } }")),
        ("a team", vec!["teams", "*"], with("teams: { one: { to: support, QQQQQQ: 1 } }")),
        (
            "an inhibition",
            vec!["inhibit", "[]"],
            with("inhibit: [{ while: { team: a }, mutes: { team: a }, QQQQQQ: 1 }]"),
        ),
        (
            "alerts",
            vec!["inhibit", "[]", "while"],
            with("inhibit: [{ while: { QQQQQQ: 1 }, mutes: { severity: info } }]"),
        ),
        ("a rota", vec!["rotas", "*"], with("rotas: { one: { start: 2026-11-02, shifts: [], QQQQQQ: 1 } }")),
        ("operations", vec!["operations"], with("operations: { to: support, QQQQQQ: 1 }")),
        ("chat", vec!["chat"], with("chat: { QQQQQQ: 1 }")),
        ("access", vec!["chat", "access"], with("chat: { access: { QQQQQQ: 1 } }")),
        ("storm", vec!["storm"], with("storm: { QQQQQQ: 1 }")),
        ("server", vec!["server"], with("server: { QQQQQQ: 1 }")),
        (
            "a token",
            vec!["server", "api_tokens", "*"],
            with("server: { api_tokens: { one: { token: 0123456789abcdef, QQQQQQ: 1 } } }"),
        ),
        ("store", vec!["store"], with("store: { QQQQQQ: 1 }")),
    ]
}

/// The keys that the schema knows in a section.
fn keys_of_schema(schema: &Value, path: &[&str]) -> BTreeSet<String> {
    let mut at = schema;
    for step in path {
        let section = opened(schema, at);
        at = match *step {
            "[]" => &section["items"],
            "*" => section["patternProperties"].as_object().unwrap().values().next().unwrap(),
            key => &section["properties"][key],
        };
    }
    let keys = opened(schema, at)["properties"].as_object().unwrap().keys();
    keys.filter(|key| key.is_ascii()).cloned().collect()
}

/// What stands behind "or nothing" and behind references.
fn opened<'v>(whole: &'v Value, schema: &'v Value) -> &'v Value {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        return opened(whole, whole.pointer(name.trim_start_matches('#')).unwrap());
    }
    schema.get("else").map_or(schema, |behind| opened(whole, behind))
}

/// The parser names the keys it knows where it meets one it does not: they are those of the schema.
#[test]
fn the_schema_of_the_configuration_knows_the_keys_that_are_read() {
    let schema = SchemaOf::Config.schema();
    let dir = tempfile::tempdir().unwrap();
    for (name, path, text) in sections() {
        let mut faults = Vec::new();
        load_text("x.yaml", &text, dir.path(), &environment, &mut faults);
        let hint =
            faults.iter().find(|fault| fault.message.en.contains("`QQQQQQ`")).and_then(|fault| fault.hint.as_ref());
        let hint = hint.unwrap_or_else(|| panic!("{name}: {faults:#?}"));
        let known = hint.en.strip_prefix("here may stand: ").unwrap().split(", ").map(str::to_string);
        assert_eq!(keys_of_schema(&schema, &path), known.collect(), "{name}");
    }
}

fn is_sound(faults: &[Fault]) -> bool {
    faults.iter().all(|fault| fault.gravity == Gravity::Warning)
}

/// What the parser takes the schema takes: tried with the shipped files, changed at random.
#[test]
fn what_a_parser_accepts_its_schema_accepts() {
    let (rules, config) = (validator(SchemaOf::Rules), validator(SchemaOf::Config));
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("rules")).unwrap();
    fs::create_dir(dir.path().join("templates")).unwrap();
    let mut accepted = (0, 0);
    for text in mutated("rules", 2_000) {
        if is_sound(&load_texts(&[("x.yaml", text.as_str())], &names()).1)
            && let Some(document) = document(&text)
        {
            accepted.0 += 1;
            assert!(rules.is_valid(&document), "{}\n{text}", refused(&rules, &document));
        }
    }
    for text in mutated("config", 300) {
        let mut faults = Vec::new();
        load_text("x.yaml", &text, dir.path(), &environment, &mut faults);
        if is_sound(&faults)
            && let Some(document) = document(&text)
        {
            accepted.1 += 1;
            assert!(config.is_valid(&document), "{}\n{text}", refused(&config, &document));
        }
    }
    assert!(accepted.0 > 50 && accepted.1 > 10, "{accepted:?}");
}

fn refused(validator: &Validator, document: &Value) -> String {
    validator.iter_errors(document).map(|error| format!("{error} at {}\n", error.instance_path())).collect()
}
