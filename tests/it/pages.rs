//! The vendor's sample pages, end to end: every member of their tickets is decoded, can be asked for by a rule and shown
//! by a template.

use std::{collections::BTreeSet, fs, sync::Arc};

use bytes::Bytes;
use deskbell::{
    adapters::{
        feishu::{page::RawTicket, ticket::decode},
        rulebook::{load::load_texts, names::Names},
        templates::library::{Surroundings, Templates},
    },
    domain::{
        alert::{Alert, AlertKey, AlertState, Announced},
        card::Menu,
        facts::Facts,
        field::{FIELDS, Field, Kind},
        id::{RuleName, SourceName, Subject, TicketId},
        labels::Labels,
        notice::{AlertView, Content, NoticeKey, Outside, Send, Step, Target, TicketView},
        privacy::Privacy,
        seen::Seen,
        text::Locale,
        ticket::Ticket,
        time::{Timestamp, Zone},
        verdict::{Answer, eval},
    },
};
use serde_json::Value;

const NOW: Timestamp = Timestamp::from_ms(1_700_000_000_000);
const SHANGHAI: Zone = Zone(chrono_tz::Asia::Shanghai);

/// The tickets of the list's page and of the single ticket's page.
fn samples() -> [Value; 2] {
    let read = |file: &str| -> Value {
        serde_json::from_str(&fs::read_to_string(format!("tests/data/feishu/{file}")).unwrap()).unwrap()
    };
    [read("ticket-list.json")["data"]["tickets"][0].clone(), read("ticket-get.json")["data"]["ticket"].clone()]
}

fn ticket(sample: &Value) -> Ticket {
    let raw = RawTicket {
        id: TicketId::from(sample["ticket_id"].as_str().unwrap()),
        hash: 1,
        body: Bytes::from(sample.to_string()),
    };
    let decoded = decode(&SourceName::from("it-desk"), &raw).unwrap();
    assert_eq!(decoded.unreadable, Vec::<&str>::new());
    decoded.ticket
}

fn facts() -> Facts {
    Facts::new(NOW, NOW)
}

/// What a member of the page is called in rules and templates.
fn field_of(member: &str) -> &'static Field {
    FIELDS.iter().find(|field| field.vendor == member).unwrap_or_else(|| panic!("{member} is in no row of the table"))
}

#[test]
fn every_member_can_be_asked_for_by_a_rule() {
    let receivers = BTreeSet::from(["support".to_string()]);
    let names =
        Names { receivers, sources: BTreeSet::new(), templates: BTreeSet::new(), zone: SHANGHAI, ..Names::default() };
    for sample in samples() {
        let ticket = ticket(&sample);
        for (member, value) in sample.as_object().unwrap() {
            let field = field_of(member);
            let mut conditions = vec![format!("{}: {{ exists: true }}", field.name)];
            if field.kind == Kind::Person {
                conditions.extend(
                    value.as_object().unwrap().keys().map(|part| format!("{}.{part}: {{ exists: true }}", field.name)),
                );
            }
            for condition in conditions {
                let rule = format!(
                    "name: r\nwhen: {{ {condition} }}\nuntil: handled\nexpires: 1d\nnotify: [{{ to: support }}]\n"
                );
                let (rules, faults) = load_texts(&[("r.yaml", &rule)], &names);
                assert_eq!(faults, Vec::new(), "{condition}");
                let rule = rules.rules.values().next().unwrap();
                assert_eq!(
                    eval(&rule.when, &Seen::at_rest(&ticket, &facts(), Labels::none()), NOW).answer,
                    Answer::Yes,
                    "{condition}"
                );
            }
        }
    }
}

#[test]
fn every_leaf_can_be_shown_by_a_template() {
    for sample in samples() {
        let ticket = Arc::new(ticket(&sample));
        let mut lines = Vec::new();
        for (member, value) in sample.as_object().unwrap() {
            lines_of(field_of(member), value, &mut lines);
        }
        for (line, expected) in lines {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("page.hbs"), format!("---\ntitle: t\n---\n«{line}»")).unwrap();
            let (templates, faults) = Templates::load(Some(folder.path()));
            assert_eq!(faults, Vec::new(), "{line}");
            let around = Surroundings { zone: SHANGHAI, now: NOW, drill: false };
            let rendered = templates.render(&send(&ticket), &around);
            assert_eq!(rendered.trouble, None, "{line}");
            let shown = deskbell::domain::card::shown(&rendered.card.body);
            assert!(shown.contains(&expected), "{line} shows {shown} and not {expected}");
        }
    }
}

/// For each leaf of a member: a template line that shows it, and what must be seen.
fn lines_of(field: &Field, value: &Value, lines: &mut Vec<(String, String)>) {
    let name = field.name;
    let seen = |leaf: &Value| match leaf {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        other => other.to_string(),
    };
    let instant = |leaf: &Value| minute(leaf.as_i64().unwrap());
    match (field.kind, value) {
        (Kind::Code(codes), Value::Number(number)) => {
            let known = codes.iter().find(|code| Some(code.code) == number.as_i64());
            let expected = known.map_or_else(|| number.to_string(), |code| code.zh.to_string());
            lines.push((format!("{{{{word ticket.{name}}}}}"), expected));
        }
        (Kind::Instant, leaf) => lines.push((format!("{{{{time ticket.{name}}}}}"), instant(leaf))),
        (Kind::I18n, reason) => lines.push((format!("{{{{ticket.{name}}}}}"), seen(&reason["zh_cn"]))),
        (Kind::Person, Value::Object(parts)) => {
            for (part, leaf) in parts {
                lines.push((format!("{{{{ticket.{name}.{part}}}}}"), seen(leaf)));
            }
        }
        (_, Value::Array(items)) => lines_of_item(name, &items[0], lines),
        (_, Value::Object(_)) => lines_of_item(name, value, lines),
        (_, leaf) => lines.push((format!("{{{{ticket.{name}}}}}"), seen(leaf))),
    }
}

/// The day and minute; the year is shown only where it is not this one.
fn minute(ms: i64) -> String {
    SHANGHAI.local(Timestamp::from_ms(ms)).format("%m-%d %H:%M").to_string()
}

/// The members of the first item of a list.
fn lines_of_item(name: &str, item: &Value, lines: &mut Vec<(String, String)>) {
    for (part, leaf) in item.as_object().unwrap() {
        let (shown, expected) = match leaf {
            Value::Bool(flag) => (format!("{{{{#if this.{part}}}}}true{{{{else}}}}false{{{{/if}}}}"), flag.to_string()),
            Value::Number(number) if part == "created_at" => {
                (format!("{{{{time this.{part}}}}}"), minute(number.as_i64().unwrap()))
            }
            Value::String(text) => (format!("{{{{this.{part}}}}}"), text.clone()),
            other => (format!("{{{{this.{part}}}}}"), other.to_string()),
        };
        lines.push((format!("{{{{#each ticket.{name}}}}}{shown}{{{{/each}}}}"), expected));
    }
}

fn send(ticket: &Arc<Ticket>) -> Send {
    let key = AlertKey { subject: Subject::Ticket(ticket.key.clone()), rule: RuleName::from("page") };
    let alert = Alert {
        episode: 1,
        state: AlertState::Firing { fired_at: NOW, stale_as_of: None },
        announced: Announced::Cards,
        rev: 1,
        ..Alert::pending(key.clone(), NOW)
    };
    let labels = Labels { privacy: Arc::new(Privacy::none()), ..Labels::default() };
    let ticket = TicketView::new(Arc::clone(ticket), facts(), Arc::new(labels), NOW);
    let menu = Menu::Plain;
    let view = AlertView {
        alert,
        rule: None,
        ticket: Some(ticket),
        step: Step::Fired,
        ordinal: 0,
        silenced: None,
        untold: None,
        menu,
    };
    Send {
        key: NoticeKey {
            subject: key.subject,
            rule: key.rule,
            episode: 1,
            step: Step::Fired,
            ordinal: 0,
            receiver: "support".into(),
        },
        target: Target::Post("support".into()),
        template: Some("page".into()),
        content: Content::Alert(Box::new(view)),
        outside: Outside::default(),
        locale: Locale::Zh,
        maybe_repeat: false,
        without_mentions: false,
        masked: false,
        forward: false,
        notes: Vec::new(),
        asides: Vec::new(),
        mentions: Vec::new(),
        rev: 1,
        attempts: 1,
    }
}
