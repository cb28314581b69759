//! The schema and what is laid out by it are the same thing.

use serde_json::Value as Json;

use super::samples::{alert, around, bare, digest, firing, over, rich, send, ticket_answer, view};
use crate::{
    adapters::templates::{
        context::{self, READER, UNKNOWN},
        shape::{ROOT, Shape},
    },
    domain::{
        field::FIELDS,
        notice::{AlertView, Content},
        text::Locale,
    },
};

/// Every value has its shape, and every name of the shape is there.
fn conforms(value: &Json, shape: &Shape, path: &str) {
    match (shape, value) {
        (Shape::Object(_) | Shape::Person, Json::Object(parts)) => {
            for name in shape.parts() {
                let part = parts.get(name).unwrap_or_else(|| panic!("{path}.{name} is missing"));
                conforms(part, shape.part(name).unwrap(), &format!("{path}.{name}"));
            }
            for name in parts.keys().filter(|name| *name != READER && *name != UNKNOWN) {
                assert!(shape.part(name).is_some(), "{path}.{name} is in no schema");
            }
        }
        (Shape::List(item), Json::Array(items)) => {
            items.iter().for_each(|value| conforms(value, item, &format!("{path}[]")));
        }
        (Shape::Object(_) | Shape::Person | Shape::List(_), _) => panic!("{path} is {value}"),
        (_, Json::Null)
        | (Shape::Text | Shape::Word(_) | Shape::Code(_), Json::String(_))
        | (Shape::Number | Shape::Instant, Json::Number(_))
        | (Shape::Flag, Json::Bool(_))
        | (Shape::Span, Json::Object(_)) => {}
        _ => panic!("{path} is {value}"),
    }
}

#[test]
fn every_context_is_laid_out_by_the_schema() {
    let poor = AlertView { ticket: Some(view(bare())), rule: None, ..alert(firing()) };
    let none = AlertView { ticket: None, ..alert(over()) };
    let contents = [
        Content::Alert(Box::new(alert(firing()))),
        Content::Alert(Box::new(alert(over()))),
        Content::Alert(Box::new(poor)),
        Content::Alert(Box::new(none)),
        Content::Digest(Box::new(digest())),
        ticket_answer(rich()),
        ticket_answer(bare()),
    ];
    for content in contents {
        for locale in [Locale::Zh, Locale::En] {
            let send = send(content.clone(), None, locale);
            let mut laid_out = context::of(ROOT.blank(), &send, &around());
            laid_out["raw"] = context::raw(&send, &around());
            conforms(&laid_out, &ROOT, "");
        }
    }
}

#[test]
fn a_template_is_filled_with_what_it_mentions_alone() {
    let send = send(Content::Alert(Box::new(alert(firing()))), None, Locale::Zh);
    let filled = |text: &str| context::of(context::blank(text), &send, &around());
    let some = filled("{{person ticket.agent_owner}} {{field \"优先级\"}}");
    let parts = some["ticket"].as_object().unwrap();
    assert_eq!(some["ticket"]["agent_owner"], filled("agent_owner status")["ticket"]["agent_owner"]);
    assert!(some["ticket"]["customized_fields"].is_array());
    assert!(!parts.contains_key("comments") && !parts.contains_key("agents"), "{parts:?}");
    assert!(filled("{{list ticket.agents}}")["ticket"]["agents"].is_array());
}

#[test]
fn every_field_of_the_table_is_reachable() {
    assert!(!FIELDS.is_empty());
    let ticket = ROOT.part("ticket").unwrap();
    for field in FIELDS {
        assert!(ticket.part(field.name).is_some(), "{}", field.name);
    }
}
