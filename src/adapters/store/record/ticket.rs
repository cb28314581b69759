//! A ticket's snapshot on disk.
//!
//! Persons are written once per ticket and referred to by number. Avatar addresses are not kept: they are the longest
//! texts, change by themselves and are unknown after a start until the ticket changes again.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::parts::{KnownRecord, PackedText, Shared};
use crate::domain::{
    id::TicketKey,
    ticket::{Comment, CustomField, I18nText, Known, Person, Status, Tag, Ticket},
    time::Timestamp,
};

/// [`Ticket`] on disk, but for its key: fields that nobody knows take one byte each.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) struct SnapshotRecord<'a> {
    #[serde(borrow)]
    persons: Vec<PersonRecord<'a>>,
    helpdesk_id: PackedText<'a>,
    guest: KnownRecord<usize>,
    comments: KnownRecord<Vec<CommentRecord<'a>>>,
    ticket_type: KnownRecord<i64>,
    status: KnownRecord<i64>,
    score: KnownRecord<i64>,
    created_at: KnownRecord<i64>,
    updated_at: KnownRecord<i64>,
    closed_at: KnownRecord<i64>,
    dissatisfaction_reason: KnownRecord<Vec<I18nRecord<'a>>>,
    agents: KnownRecord<Vec<usize>>,
    channel: KnownRecord<i64>,
    solved: KnownRecord<i64>,
    closed_by: KnownRecord<usize>,
    collaborators: KnownRecord<Vec<usize>>,
    customized_fields: KnownRecord<Vec<CustomFieldRecord<'a>>>,
    agent_service_duration: KnownRecord<f64>,
    agent_first_response_duration: KnownRecord<i64>,
    bot_service_duration: KnownRecord<i64>,
    agent_resolution_time: KnownRecord<i64>,
    actual_processing_time: KnownRecord<i64>,
    agent_entry_time: KnownRecord<i64>,
    agent_first_response_time: KnownRecord<i64>,
    agent_last_response_time: KnownRecord<i64>,
    agent_owner: KnownRecord<usize>,
    tags: KnownRecord<Vec<TagRecord<'a>>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct PersonRecord<'a> {
    #[serde(borrow)]
    id: PackedText<'a>,
    name: PackedText<'a>,
    email: PackedText<'a>,
    department: PackedText<'a>,
    city: PackedText<'a>,
    country: PackedText<'a>,
}

#[derive(Debug, Serialize, Deserialize)]
struct CommentRecord<'a> {
    id: KnownRecord<i64>,
    #[serde(borrow)]
    content: PackedText<'a>,
    created_at: KnownRecord<i64>,
    user_name: PackedText<'a>,
    user_id: PackedText<'a>,
}

#[derive(Debug, Serialize, Deserialize)]
struct I18nRecord<'a> {
    #[serde(borrow)]
    zh_cn: PackedText<'a>,
    en_us: PackedText<'a>,
    ja_jp: PackedText<'a>,
}

#[derive(Debug, Serialize, Deserialize)]
struct CustomFieldRecord<'a> {
    #[serde(borrow)]
    id: PackedText<'a>,
    value: PackedText<'a>,
    key_name: PackedText<'a>,
    display_name: PackedText<'a>,
    position: KnownRecord<i64>,
    required: KnownRecord<bool>,
    editable: KnownRecord<bool>,
}

#[derive(Debug, Serialize, Deserialize)]
struct TagRecord<'a> {
    #[serde(borrow)]
    id: PackedText<'a>,
    name: PackedText<'a>,
}

impl<'a> SnapshotRecord<'a> {
    pub(super) fn of(ticket: &'a Ticket) -> Self {
        let mut persons = Persons::default();
        let guest = persons.one(&ticket.guest);
        let agents = persons.many(&ticket.agents);
        let closed_by = persons.one(&ticket.closed_by);
        let collaborators = persons.many(&ticket.collaborators);
        let agent_owner = persons.one(&ticket.agent_owner);
        Self {
            persons: persons.0.into_iter().map(PersonRecord::of).collect(),
            helpdesk_id: PackedText::of(&ticket.helpdesk_id),
            guest,
            comments: list(&ticket.comments, CommentRecord::of),
            ticket_type: number(&ticket.ticket_type),
            status: KnownRecord::of(&ticket.status, |status| status.code()),
            score: number(&ticket.score),
            created_at: instant(&ticket.created_at),
            updated_at: instant(&ticket.updated_at),
            closed_at: instant(&ticket.closed_at),
            dissatisfaction_reason: list(&ticket.dissatisfaction_reason, I18nRecord::of),
            agents,
            channel: number(&ticket.channel),
            solved: number(&ticket.solved),
            closed_by,
            collaborators,
            customized_fields: list(&ticket.customized_fields, CustomFieldRecord::of),
            agent_service_duration: KnownRecord::of(&ticket.agent_service_duration, |minutes| *minutes),
            agent_first_response_duration: number(&ticket.agent_first_response_duration),
            bot_service_duration: number(&ticket.bot_service_duration),
            agent_resolution_time: number(&ticket.agent_resolution_time),
            actual_processing_time: number(&ticket.actual_processing_time),
            agent_entry_time: instant(&ticket.agent_entry_time),
            agent_first_response_time: instant(&ticket.agent_first_response_time),
            agent_last_response_time: instant(&ticket.agent_last_response_time),
            agent_owner,
            tags: list(&ticket.tags, TagRecord::of),
        }
    }

    /// The domain's value; absent when the record refers to a person it does not have.
    pub(super) fn ticket(self, key: TicketKey, shared: &mut Shared) -> Option<Ticket> {
        let persons: Vec<_> = self.persons.into_iter().map(|person| person.person(shared)).collect();
        let one = |number: KnownRecord<usize>| resolve(number, |number| persons.get(number).cloned());
        let many = |all: KnownRecord<Vec<usize>>| {
            resolve(all, |all| all.iter().map(|number| persons.get(*number).cloned()).collect())
        };
        Some(Ticket {
            key,
            helpdesk_id: self.helpdesk_id.known(shared),
            guest: one(self.guest)?,
            comments: unlist(self.comments, |comment| comment.comment(shared)),
            ticket_type: self.ticket_type.known(|n| n),
            status: self.status.known(Status::from_code),
            score: self.score.known(|n| n),
            created_at: self.created_at.known(Timestamp::from_ms),
            updated_at: self.updated_at.known(Timestamp::from_ms),
            closed_at: self.closed_at.known(Timestamp::from_ms),
            dissatisfaction_reason: unlist(self.dissatisfaction_reason, |text| text.i18n(shared)),
            agents: many(self.agents)?,
            channel: self.channel.known(|n| n),
            solved: self.solved.known(|n| n),
            closed_by: one(self.closed_by)?,
            collaborators: many(self.collaborators)?,
            customized_fields: unlist(self.customized_fields, |field| field.field(shared)),
            agent_service_duration: self.agent_service_duration.known(|minutes| minutes),
            agent_first_response_duration: self.agent_first_response_duration.known(|n| n),
            bot_service_duration: self.bot_service_duration.known(|n| n),
            agent_resolution_time: self.agent_resolution_time.known(|n| n),
            actual_processing_time: self.actual_processing_time.known(|n| n),
            agent_entry_time: self.agent_entry_time.known(Timestamp::from_ms),
            agent_first_response_time: self.agent_first_response_time.known(Timestamp::from_ms),
            agent_last_response_time: self.agent_last_response_time.known(Timestamp::from_ms),
            agent_owner: one(self.agent_owner)?,
            tags: unlist(self.tags, |tag| tag.tag(shared)),
        })
    }
}

/// The persons of one ticket, each once.
#[derive(Default)]
struct Persons<'a>(Vec<&'a Person>);

impl<'a> Persons<'a> {
    fn number(&mut self, person: &'a Person) -> usize {
        self.0.iter().position(|known| *known == person).unwrap_or_else(|| {
            self.0.push(person);
            self.0.len() - 1
        })
    }

    fn one(&mut self, person: &'a Known<Arc<Person>>) -> KnownRecord<usize> {
        KnownRecord::of(person, |person| self.number(person))
    }

    fn many(&mut self, persons: &'a Known<Arc<[Arc<Person>]>>) -> KnownRecord<Vec<usize>> {
        KnownRecord::of(persons, |persons| persons.iter().map(|person| self.number(person)).collect())
    }
}

fn resolve<R, D>(record: KnownRecord<R>, f: impl FnOnce(R) -> Option<D>) -> Option<Known<D>> {
    Some(match record {
        KnownRecord::Unknown => Known::Unknown,
        KnownRecord::Empty => Known::Empty,
        KnownRecord::Present(value) => Known::Present(f(value)?),
    })
}

fn number(value: &Known<i64>) -> KnownRecord<i64> {
    KnownRecord::of(value, |number| *number)
}

fn instant(value: &Known<Timestamp>) -> KnownRecord<i64> {
    KnownRecord::of(value, |at| at.as_ms())
}

fn list<'a, D, R>(value: &'a Known<Arc<[D]>>, f: impl Fn(&'a D) -> R) -> KnownRecord<Vec<R>> {
    KnownRecord::of(value, |items| items.iter().map(f).collect())
}

fn unlist<R, D>(value: KnownRecord<Vec<R>>, f: impl FnMut(R) -> D) -> Known<Arc<[D]>> {
    value.known(|items| items.into_iter().map(f).collect())
}

impl<'a> PersonRecord<'a> {
    fn of(person: &'a Person) -> Self {
        Self {
            id: PackedText::of(&person.id),
            name: PackedText::of(&person.name),
            email: PackedText::of(&person.email),
            department: PackedText::of(&person.department),
            city: PackedText::of(&person.city),
            country: PackedText::of(&person.country),
        }
    }

    fn person(self, shared: &mut Shared) -> Arc<Person> {
        let person = Person {
            id: self.id.known(shared),
            name: self.name.known(shared),
            email: self.email.known(shared),
            department: self.department.known(shared),
            city: self.city.known(shared),
            country: self.country.known(shared),
            avatar_url: Known::Unknown,
        };
        shared.person(person)
    }
}

impl<'a> CommentRecord<'a> {
    fn of(comment: &'a Comment) -> Self {
        Self {
            id: number(&comment.id),
            content: PackedText::of(&comment.content),
            created_at: instant(&comment.created_at),
            user_name: PackedText::of(&comment.user_name),
            user_id: PackedText::of(&comment.user_id),
        }
    }

    fn comment(self, shared: &mut Shared) -> Comment {
        Comment {
            id: self.id.known(|n| n),
            content: self.content.known(shared),
            created_at: self.created_at.known(Timestamp::from_ms),
            user_name: self.user_name.known(shared),
            user_id: self.user_id.known(shared),
            user_avatar_url: Known::Unknown,
        }
    }
}

impl<'a> I18nRecord<'a> {
    fn of(text: &'a I18nText) -> Self {
        Self {
            zh_cn: PackedText::of(&text.zh_cn),
            en_us: PackedText::of(&text.en_us),
            ja_jp: PackedText::of(&text.ja_jp),
        }
    }

    fn i18n(self, shared: &mut Shared) -> I18nText {
        I18nText { zh_cn: self.zh_cn.known(shared), en_us: self.en_us.known(shared), ja_jp: self.ja_jp.known(shared) }
    }
}

impl<'a> CustomFieldRecord<'a> {
    fn of(field: &'a CustomField) -> Self {
        Self {
            id: PackedText::of(&field.id),
            value: PackedText::of(&field.value),
            key_name: PackedText::of(&field.key_name),
            display_name: PackedText::of(&field.display_name),
            position: number(&field.position),
            required: KnownRecord::of(&field.required, |flag| *flag),
            editable: KnownRecord::of(&field.editable, |flag| *flag),
        }
    }

    fn field(self, shared: &mut Shared) -> CustomField {
        CustomField {
            id: self.id.known(shared),
            value: self.value.known(shared),
            key_name: self.key_name.known(shared),
            display_name: self.display_name.known(shared),
            position: self.position.known(|n| n),
            required: self.required.known(|flag| flag),
            editable: self.editable.known(|flag| flag),
        }
    }
}

impl<'a> TagRecord<'a> {
    fn of(tag: &'a Tag) -> Self {
        Self { id: PackedText::of(&tag.id), name: PackedText::of(&tag.name) }
    }

    fn tag(self, shared: &mut Shared) -> Tag {
        Tag { id: self.id.known(shared), name: self.name.known(shared) }
    }
}
