//! What templates may name, and what kind of value each name holds: the one schema that `check` walks templates
//! against and that every context is laid out by.

use std::sync::LazyLock;

use serde_json::{Map, Value as Json};

use crate::{
    adapters::templates::context::RAW,
    domain::field::{Code, FIELDS, Field, Kind},
};

/// What kind of value a name holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// Text, ready to show.
    Text,
    /// A number, ready to show.
    Number,
    /// True or false.
    Flag,
    /// An instant: milliseconds, shown by `time` or `date`.
    Instant,
    /// A length of time, shown by `duration`.
    Span,
    /// A person with parts, shown by `person`.
    Person,
    /// A name of an enumeration of the vendor's, shown by `word`.
    Code(&'static [Code]),
    /// A word of ours, shown by `word`.
    Word(&'static [&'static str]),
    /// Several values of one shape.
    List(Box<Shape>),
    /// Named parts.
    Object(Vec<(&'static str, Shape)>),
}

/// The parts of a person.
pub(crate) const PERSON_PARTS: [&str; 7] = ["id", "name", "email", "department", "city", "country", "avatar_url"];

/// The words of a severity.
pub(crate) const SEVERITIES: &[&str] = &["info", "warning", "critical"];

/// The words of an alert's state.
pub(crate) const STATES: &[&str] = &["pending", "firing", "ended"];

/// Everything a template may name.
pub(crate) static ROOT: LazyLock<Shape> = LazyLock::new(root);

impl Shape {
    /// The part of that name.
    pub(crate) fn part(&self, name: &str) -> Option<&Shape> {
        match self {
            Self::Object(parts) => parts.iter().find(|(part, _)| *part == name).map(|(_, shape)| shape),
            Self::Person => PERSON_PARTS.contains(&name).then_some(&Self::Text),
            _ => None,
        }
    }

    /// The names of its parts.
    pub(crate) fn parts(&self) -> Vec<&'static str> {
        match self {
            Self::Object(parts) => parts.iter().map(|(part, _)| *part).collect(),
            Self::Person => PERSON_PARTS.to_vec(),
            _ => Vec::new(),
        }
    }

    /// A value of this shape that says nothing: every known name is there, so that strict mode does not fail.
    pub(crate) fn nothing(&self) -> Json {
        match self {
            Self::Object(parts) => {
                Json::Object(parts.iter().map(|(part, shape)| ((*part).to_string(), shape.nothing())).collect())
            }
            Self::Person => Json::Object(PERSON_PARTS.map(|part| (part.to_string(), Json::Null)).into_iter().collect()),
            Self::List(_) => Json::Array(Vec::new()),
            _ => Json::Null,
        }
    }

    /// The same, as a map to be filled.
    pub(crate) fn blank(&self) -> Map<String, Json> {
        match self.nothing() {
            Json::Object(map) => map,
            _ => Map::new(),
        }
    }
}

fn root() -> Shape {
    use Shape::{Flag, Instant, Number, Object, Person, Span, Text, Word};
    let alert = vec![
        ("ref", Text),
        ("state", Word(STATES)),
        ("severity", Word(SEVERITIES)),
        ("since", Instant),
        ("fired_at", Instant),
        ("why", Text),
        ("ended_at", Instant),
        ("end_reason", Text),
        ("took", Span),
        ("episode", Number),
        ("repeat", Number),
        ("stale_as_of", Instant),
        ("taken_by", Person),
        ("taken_until", Instant),
        ("snoozed_by", Person),
        ("snoozed_until", Instant),
        ("acted_by", Person),
        ("trial", Flag),
        ("group", Text),
    ];
    let digest = vec![
        ("cause", Text),
        ("total", Number),
        ("firing", Number),
        ("taken", Number),
        ("waiting", Number),
        ("rules", Shape::List(Box::new(Object(vec![("name", Text), ("count", Number)])))),
        ("lines", Shape::List(Box::new(line()))),
        ("more", Number),
        ("storm", Flag),
        ("lead", Text),
        ("opening", Text),
        ("next", Text),
        ("critical", Flag),
        ("severity", Word(SEVERITIES)),
        ("rule", Text),
        ("began_at", Instant),
        ("closed_at", Instant),
        ("longest", Span),
        ("shared", Text),
    ];
    let rule =
        vec![("name", Text), ("summary", Text), ("severity", Word(SEVERITIES)), ("advice", Text), ("runbook", Text)];
    let clock = vec![("name", Text), ("elapsed", Span), ("target", Span), ("left", Span)];
    Object(vec![
        ("rule", Object(rule)),
        ("ticket", Object(ticket())),
        (RAW, Object(ticket())),
        ("alert", Object(alert)),
        ("clock", Object(clock)),
        ("digest", Object(digest)),
        ("source", Text),
        ("now", Instant),
    ])
}

/// One alert in a list.
pub(crate) fn line() -> Shape {
    Shape::Object(vec![
        ("ref", Shape::Text),
        ("rule", Shape::Text),
        ("title", Shape::Text),
        ("ticket_id", Shape::Text),
        ("since", Shape::Instant),
        ("firing", Shape::Flag),
        ("severity", Shape::Word(SEVERITIES)),
        ("why", Shape::Text),
        ("taken_by", Shape::Text),
    ])
}

/// The ticket: every field of the table, and what deskbell knows besides.
fn ticket() -> Vec<(&'static str, Shape)> {
    let message = || Shape::Object(vec![("at", Shape::Instant), ("text", Shape::Text)]);
    let said = vec![("at", Shape::Instant), ("by", Shape::Text), ("text", Shape::Text)];
    let mut parts: Vec<(&'static str, Shape)> = FIELDS.iter().map(|field| (field.name, of_field(field))).collect();
    let besides = [
        ("ticket_id", Shape::Text),
        ("subject", Shape::Text),
        ("priority", Shape::Text),
        ("team", Shape::Text),
        ("closed", Shape::Flag),
        ("status_since", Shape::Instant),
        ("status_since_estimated", Shape::Flag),
        ("reopened_count", Shape::Number),
        ("first_seen", Shape::Instant),
        ("as_of", Shape::Instant),
        ("first_guest_message", message()),
        ("last_guest_message", message()),
        ("guest_waits", Shape::Span),
        ("guest_waits_since", Shape::Instant),
        ("agents_wait", Shape::Span),
        ("agents_wait_since", Shape::Instant),
        ("messages", Shape::List(Box::new(Shape::Object(said)))),
        ("messages_unread", Shape::Flag),
        ("alerts", Shape::List(Box::new(line()))),
    ];
    for (name, shape) in besides {
        match parts.iter_mut().find(|(part, _)| *part == name) {
            Some(part) => part.1 = shape,
            None => parts.push((name, shape)),
        }
    }
    parts
}

fn of_field(field: &Field) -> Shape {
    let list = |parts| Shape::List(Box::new(Shape::Object(parts)));
    match field.kind {
        Kind::Text | Kind::I18n => Shape::Text,
        Kind::Messages => Shape::List(Box::new(Shape::Text)),
        Kind::Number => Shape::Number,
        Kind::Code(codes) => Shape::Code(codes),
        Kind::Instant => Shape::Instant,
        Kind::Person => Shape::Person,
        Kind::Persons => Shape::List(Box::new(Shape::Person)),
        Kind::Comments => list(vec![
            ("id", Shape::Text),
            ("content", Shape::Text),
            ("created_at", Shape::Instant),
            ("user_name", Shape::Text),
            ("user_id", Shape::Text),
            ("user_avatar_url", Shape::Text),
        ]),
        Kind::Tags => list(vec![("id", Shape::Text), ("name", Shape::Text)]),
        Kind::CustomFields => list(vec![
            ("id", Shape::Text),
            ("value", Shape::Text),
            ("key_name", Shape::Text),
            ("display_name", Shape::Text),
            ("position", Shape::Number),
            ("required", Shape::Flag),
            ("editable", Shape::Flag),
        ]),
    }
}
