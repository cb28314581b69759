//! The tickets of a timeline: what a line changes on one, in the words of the rules.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    adapters::{
        rulebook::{
            cases::{instant::Dial, words::FIELDS},
            words::{NOBODY, part},
        },
        yaml::{
            map::{Map, did_you_mean, text_of, unknown_key},
            nearest::nearest,
            tree::{Key, Node, NodeKind},
        },
    },
    domain::{
        condition::PersonPart,
        fault::Fault,
        field::{Field, Kind},
        labels::{Caption, Labels},
        text::Message,
        ticket::{Comment, CustomField, I18nText, Known, Person, Status, Tag, Text, Ticket},
        time::Timestamp,
    },
};

/// Reads the fields of one line.
pub(super) struct Fields<'a> {
    pub(super) dial: Dial,
    pub(super) labels: &'a Labels,
    pub(super) faults: &'a mut Vec<Fault>,
}

/// The names of the fields a line wrote.
pub(super) type Touched = BTreeSet<&'static str>;

impl Fields<'_> {
    /// Changes what `node` names on the ticket, and only that.
    pub(super) fn apply(&mut self, node: &Node, ticket: &mut Ticket) -> Touched {
        let what =
            Message::new("工单的字段，例如 { 状态: 处理中 }", "the ticket's fields, such as { status: processing }");
        let twin = |word: &str| match word {
            word if word == FIELDS.0 || word == FIELDS.1 => Some(FIELDS.0),
            word => Field::find(word).map(|field| field.name),
        };
        let mut touched = Touched::new();
        let Some(mut map) = Map::with_twins(node, &what, twin, self.faults) else { return touched };
        for (key, value) in map.rest() {
            if twin(&key.text) == Some(FIELDS.0) {
                self.custom_fields(value, ticket);
            } else if let Some((field, part)) = part(&key.text) {
                self.part(field, part, value, ticket);
                touched.insert(field.name);
            } else if let Some(field) = Field::find(&key.text) {
                self.field(field, key, value, ticket);
                touched.insert(field.name);
            } else {
                let words = || Field::all().flat_map(|field| [field.name, field.zh]).chain([FIELDS.0, FIELDS.1]);
                let hint = Message::new(
                    "自定义字段写在 fields 里：fields: { 字段名: 值 }；deskbell words 列出全部字段",
                    "custom fields stand in `fields: { name: value }`; deskbell words lists all fields",
                );
                let fault = unknown_key(key, words(), []);
                let near = fault.hint.is_some();
                self.faults.push(if near { fault } else { fault.with_hint(hint) });
            }
        }
        touched
    }

    fn field(&mut self, field: &'static Field, key: &Key, value: &Node, ticket: &mut Ticket) {
        match (field.kind, field.name) {
            (Kind::CustomFields, _) => self.custom_fields(value, ticket),
            (_, "priority") => match self.labels.priority.clone() {
                Some(name) => self.custom_field(&name, value, ticket),
                None => self.not_said(key, "priority"),
            },
            (_, "subject") => {
                let place = self.labels.subject.iter().find_map(|caption| match caption {
                    Caption::Field(name) => Some(Arc::clone(name)),
                    Caption::FirstGuestMessage => None,
                });
                match place {
                    Some(name) => self.custom_field(&name, value, ticket),
                    None => self.not_said(key, "subject"),
                }
            }
            (Kind::Code(_), "status") => {
                if let Some(code) = self.code(field, value) {
                    ticket.status = code.map(Status::from_code);
                }
            }
            (Kind::Code(_), name) => {
                if let (Some(code), Some(slot)) = (self.code(field, value), code_slot(ticket, name)) {
                    *slot = code;
                }
            }
            (Kind::Number, name) => self.number(name, key, value, ticket),
            (Kind::Instant, name) => {
                if let (Some(at), Some(slot)) = (self.instant(value), instant_slot(ticket, name)) {
                    *slot = at;
                }
            }
            (Kind::Person, name) => {
                if let (Some(person), Some(slot)) = (self.person(value), person_slot(ticket, name)) {
                    *slot = person.map(Arc::new);
                }
            }
            (Kind::Persons, name) => self.persons(name, value, ticket),
            (Kind::Text, "helpdesk_id") => {
                ticket.helpdesk_id = self.texts(value).and_then(|texts| texts.into_iter().next()).into();
            }
            (Kind::I18n, _) => {
                let text = |text: Text| I18nText { zh_cn: Known::Present(text), ..I18nText::default() };
                ticket.dissatisfaction_reason = self.list(value, text);
            }
            (Kind::Comments, _) => {
                let note = |text: Text| Comment { content: Known::Present(text), ..Comment::default() };
                ticket.comments = self.list(value, note);
            }
            (Kind::Tags, _) => {
                ticket.tags = self.list(value, |text| Tag { name: Known::Present(text), ..Tag::default() });
            }
            (Kind::Text | Kind::Messages, _) => self.faults.push(not_writable(field, key)),
        }
    }

    /// The configuration does not say which custom field it is.
    fn not_said(&mut self, key: &Key, what: &str) {
        let message = Message::new(
            format!("来源的配置没有说 {what} 在哪个自定义字段，这里写不了"),
            format!("the source's configuration does not say which custom field is the {what}"),
        );
        let hint = Message::new(
            format!("在配置的来源里写 {what}: \"field:字段名\"，或直接写 fields: {{ 字段名: 值 }}"),
            format!("write {what}: \"field:name\" in the source's configuration, or fields: {{ name: value }} here"),
        );
        self.faults.push(Fault::error(key.place.clone(), message).with_hint(hint));
    }

    fn code(&mut self, field: &'static Field, value: &Node) -> Option<Known<i64>> {
        if is_nothing(value) {
            return Some(Known::Empty);
        }
        let (word, place) = text_of(value, self.faults)?;
        match field.numbers(&word).as_deref() {
            Some([one]) => return Some(Known::Present(*one)),
            Some(_) => {
                let words: Vec<&str> = field.codes().iter().map(|code| code.zh).collect();
                let names: Vec<&str> = field.codes().iter().map(|code| code.name).collect();
                let message = Message::new(
                    format!("“{word}” 代表好几个值，工单上只能是其中一个"),
                    format!("`{word}` stands for several values; a ticket has one of them"),
                );
                let hint = Message::new(
                    format!("可以写：{}", words.join("、")),
                    format!("here may stand: {}", names.join(", ")),
                );
                self.faults.push(Fault::error(place, message).with_hint(hint));
            }
            None => {
                let message = Message::new(
                    format!("“{}” 没有 “{word}” 这个值", field.zh),
                    format!("`{}` has no value `{word}`", field.name),
                );
                let words: Vec<&str> = field.codes().iter().flat_map(|code| [code.name, code.zh]).collect();
                let hint = match nearest(&word, words.iter().copied()) {
                    Some(meant) => did_you_mean(meant),
                    None => Message::new(
                        format!("可以写：{}", words.join("、")),
                        format!("here may stand: {}", words.join(", ")),
                    ),
                };
                self.faults.push(Fault::error(place, message).with_hint(hint));
            }
        }
        None
    }

    fn number(&mut self, name: &str, key: &Key, value: &Node, ticket: &mut Ticket) {
        if name == "reopened_count" {
            let message = Message::new(
                "重开次数写不了：它是看到工单关闭后又打开数出来的",
                "reopened_count cannot be written: it is counted when a closed ticket opens again",
            );
            let hint = Message::new(
                "在时间线里写一行关闭、再写一行打开",
                "write a line that closes the ticket and one that opens it again",
            );
            return self.faults.push(Fault::error(key.place.clone(), message).with_hint(hint));
        }
        let number = if is_nothing(value) {
            Known::Empty
        } else {
            let read = value.text().and_then(|text| text.trim().parse::<f64>().ok()).filter(|read| read.is_finite());
            let Some(read) = read else {
                return self.faults.push(value.expected(&Message::new("一个数", "a number")));
            };
            Known::Present(read)
        };
        if name == "agent_service_duration" {
            ticket.agent_service_duration = number;
        } else if let Some(slot) = whole_slot(ticket, name) {
            #[expect(clippy::cast_possible_truncation, reason = "seconds; beyond the range they are clamped")]
            let whole = number.map(|number| number.round() as i64);
            *slot = whole;
        }
    }

    fn instant(&mut self, value: &Node) -> Option<Known<Timestamp>> {
        if is_nothing(value) {
            return Some(Known::Empty);
        }
        self.dial.read(value, self.faults).map(|written| Known::Present(written.at))
    }

    /// A person by name, email or open id, or part by part. What is not said of them is not there.
    fn person(&mut self, value: &Node) -> Option<Known<Person>> {
        if is_nothing(value) {
            return Some(Known::Empty);
        }
        let mut person = nobody();
        if let NodeKind::Map(_) = &value.kind {
            let what = Message::new("一个人", "a person");
            let twin = |word: &str| person_part(word).map(|part| part.words().en);
            let mut map = Map::with_twins(value, &what, twin, self.faults)?;
            for part in PersonPart::ALL {
                if let Some((text, _)) = map.text(part.words().en, self.faults) {
                    *part_slot(&mut person, part) = Known::Present(text.as_str().into());
                }
            }
            map.finish(&[], self.faults);
            return Some(Known::Present(person));
        }
        let (word, _) = text_of(value, self.faults)?;
        let word = word.trim();
        let part = match word {
            _ if word.starts_with("ou_") => PersonPart::Id,
            _ if word.contains('@') => PersonPart::Email,
            _ => PersonPart::Name,
        };
        *part_slot(&mut person, part) = Known::Present(word.into());
        Some(Known::Present(person))
    }

    fn part(&mut self, field: &Field, part: PersonPart, value: &Node, ticket: &mut Ticket) {
        let text = if value.is_null() {
            Known::Empty
        } else {
            let Some((text, _)) = text_of(value, self.faults) else { return };
            Known::Present(Text::from(text.as_str()))
        };
        let Some(slot) = person_slot(ticket, field.name) else { return };
        let mut person = slot.present().map_or_else(nobody, |person| (**person).clone());
        *part_slot(&mut person, part) = text;
        *slot = Known::Present(Arc::new(person));
    }

    fn persons(&mut self, name: &str, value: &Node, ticket: &mut Ticket) {
        let items = if is_nothing(value) { &[][..] } else { value.one_or_many() };
        let persons = items.iter().filter_map(|item| match self.person(item)? {
            Known::Present(person) => Some(Arc::new(person)),
            Known::Empty | Known::Unknown => None,
        });
        let persons: Vec<Arc<Person>> = persons.collect();
        let persons = Some(persons).filter(|persons| !persons.is_empty()).map(Into::into).into();
        match name {
            "agents" => ticket.agents = persons,
            _ => ticket.collaborators = persons,
        }
    }

    fn custom_fields(&mut self, value: &Node, ticket: &mut Ticket) {
        let what = Message::new("自定义字段：{ 字段名: 值 }", "custom fields: { name: value }");
        let Some(mut map) = Map::of(value, &what, self.faults) else { return };
        for (key, value) in map.rest() {
            self.custom_field(&key.text, value, ticket);
        }
    }

    /// Sets one custom field; several values are joined as a multi-select joins them.
    fn custom_field(&mut self, name: &str, value: &Node, ticket: &mut Ticket) {
        let Some(texts) = self.texts(value) else { return };
        let text = Some(texts.join(",")).filter(|text| !text.is_empty()).map(|text| Text::from(text.as_str()));
        let mut fields = ticket.customized_fields.present().map(|fields| fields.to_vec()).unwrap_or_default();
        let is_it = |field: &CustomField| field.display_name.present().is_some_and(|known| **known == *name);
        match fields.iter_mut().find(|field| is_it(field)) {
            Some(field) => field.value = text.into(),
            None => fields.push(CustomField {
                id: Known::Empty,
                value: text.into(),
                key_name: Known::Present(name.into()),
                display_name: Known::Present(name.into()),
                position: Known::Empty,
                required: Known::Empty,
                editable: Known::Empty,
            }),
        }
        ticket.customized_fields = Known::Present(fields.into());
    }

    /// One text or several; none for "there is none".
    fn texts(&mut self, value: &Node) -> Option<Vec<Text>> {
        if value.is_null() {
            return Some(Vec::new());
        }
        let items = value.one_or_many().iter();
        items.map(|item| text_of(item, self.faults).map(|(text, _)| Text::from(text.as_str()))).collect()
    }

    fn list<T>(&mut self, value: &Node, of: impl Fn(Text) -> T) -> Known<Arc<[T]>> {
        let items: Vec<T> = self.texts(value).unwrap_or_default().into_iter().map(of).collect();
        Some(items).filter(|items| !items.is_empty()).map(Into::into).into()
    }
}

/// "There is none."
fn is_nothing(value: &Node) -> bool {
    value.is_null() || value.text().is_some_and(|text| NOBODY.contains(&text.trim()))
}

fn not_writable(field: &Field, key: &Key) -> Fault {
    let message = Message::new(format!("“{}” 写不了", key.text), format!("`{}` cannot be written here", key.text));
    let hint = match field.name {
        "ticket_id" => Message::new("工单号写在这一行的 id 里", "the ticket's number is the line's `id`"),
        "source" => Message::new("来源写在用例的 source 里", "the source is the case's `source`"),
        "team" => Message::new(
            "团队由配置里的 teams 决定：写它看的字段",
            "`teams` in the configuration decides it: write the fields it looks at",
        ),
        _ => Message::new(
            "说过的话写成 guest: \"…\" 或 agent: \"…\"，和 ticket 并列",
            "what was said is `guest: \"…\"` or `agent: \"…\"`, beside `ticket`",
        ),
    };
    Fault::error(key.place.clone(), message).with_hint(hint)
}

fn person_part(word: &str) -> Option<PersonPart> {
    PersonPart::ALL.into_iter().find(|part| part.words().en == word || part.words().zh == word)
}

/// A person of whom nothing is there.
pub(super) fn nobody() -> Person {
    Person {
        id: Known::Empty,
        name: Known::Empty,
        email: Known::Empty,
        department: Known::Empty,
        city: Known::Empty,
        country: Known::Empty,
        avatar_url: Known::Empty,
    }
}

fn part_slot(person: &mut Person, part: PersonPart) -> &mut Known<Text> {
    match part {
        PersonPart::Id => &mut person.id,
        PersonPart::Name => &mut person.name,
        PersonPart::Email => &mut person.email,
        PersonPart::Department => &mut person.department,
        PersonPart::City => &mut person.city,
        PersonPart::Country => &mut person.country,
        PersonPart::AvatarUrl => &mut person.avatar_url,
    }
}

fn code_slot<'t>(ticket: &'t mut Ticket, name: &str) -> Option<&'t mut Known<i64>> {
    Some(match name {
        "ticket_type" => &mut ticket.ticket_type,
        "score" => &mut ticket.score,
        "channel" => &mut ticket.channel,
        "solved" => &mut ticket.solved,
        _ => return None,
    })
}

fn whole_slot<'t>(ticket: &'t mut Ticket, name: &str) -> Option<&'t mut Known<i64>> {
    Some(match name {
        "agent_first_response_duration" => &mut ticket.agent_first_response_duration,
        "bot_service_duration" => &mut ticket.bot_service_duration,
        "agent_resolution_time" => &mut ticket.agent_resolution_time,
        "actual_processing_time" => &mut ticket.actual_processing_time,
        _ => return None,
    })
}

fn instant_slot<'t>(ticket: &'t mut Ticket, name: &str) -> Option<&'t mut Known<Timestamp>> {
    Some(match name {
        "created_at" => &mut ticket.created_at,
        "updated_at" => &mut ticket.updated_at,
        "closed_at" => &mut ticket.closed_at,
        "agent_entry_time" => &mut ticket.agent_entry_time,
        "agent_first_response_time" => &mut ticket.agent_first_response_time,
        "agent_last_response_time" => &mut ticket.agent_last_response_time,
        _ => return None,
    })
}

fn person_slot<'t>(ticket: &'t mut Ticket, name: &str) -> Option<&'t mut Known<Arc<Person>>> {
    Some(match name {
        "guest" => &mut ticket.guest,
        "closed_by" => &mut ticket.closed_by,
        "agent_owner" => &mut ticket.agent_owner,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        adapters::yaml::parse::parse,
        domain::{facts::Facts, field::Value, seen::Seen, time::Zone},
    };

    /// Every field that a vendor's page has can be written, and reads as something else than before.
    #[test]
    fn every_field_can_be_written() {
        let key = crate::domain::id::TicketKey::new("desk".into(), "1".into());
        let dial = Dial { zone: Zone(chrono_tz::UTC), origin: Some(Timestamp::from_ms(0)) };
        for field in crate::domain::field::FIELDS.iter().filter(|field| field.name != "ticket_id") {
            let value = match field.kind {
                Kind::Code(codes) => codes.first().map_or("7", |code| code.zh),
                Kind::Number => "7",
                Kind::Instant => "2026-11-20 09:00",
                Kind::CustomFields => "{ 优先级: P0 }",
                Kind::Persons | Kind::Tags => "[张三, 李四]",
                _ => "张三",
            };
            for name in [field.name, field.zh] {
                let mut faults = Vec::new();
                let node = parse("t.yaml", &format!("{name}: {value}"), &mut faults).unwrap();
                let mut ticket = Ticket::unknown(key.clone());
                Fields { dial, labels: Labels::none(), faults: &mut faults }.apply(&node, &mut ticket);
                assert!(faults.is_empty(), "{name}: {faults:?}");
                let facts = Facts::new(Timestamp::from_ms(0), Timestamp::from_ms(0));
                let read = (field.read)(&Seen::at_rest(&ticket, &facts, Labels::none()));
                assert!(!matches!(read, Value::Unknown | Value::Empty), "{name}: {read:?}");
            }
        }
    }
}
