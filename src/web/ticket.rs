//! A ticket for programs: every field that may be shown, and what deskbell knows besides.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        card::cut,
        conversation::Said,
        field::{Code, Field, Kind},
        notice::{AlertLine, TicketView},
        ticket::{Comment, CustomField, I18nText, Known, Person, Text},
        time::Timestamp,
        waiting::{Waiting, Waits},
    },
    web::status::Sentence,
};

/// Characters of one text.
const TEXT_CHARS_MAX: usize = 2_000;

/// Items of one list.
const ITEMS_MAX: usize = 100;

/// A ticket, as far as `privacy` lets it be shown. What is absent is empty, unknown, or not shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Ticket)]
pub struct TicketDocument {
    /// Its source.
    pub source: String,
    /// Its id.
    pub ticket_id: String,
    /// Its subject line.
    pub subject: Option<String>,
    /// Where it stands.
    pub status: Option<CodeDocument>,
    /// Since when.
    pub status_since: i64,
    /// That is a guess: it was so when it was first seen.
    pub status_since_estimated: bool,
    /// Whether it is closed.
    pub closed: Option<bool>,
    /// Its priority.
    pub priority: Option<String>,
    /// Its team.
    pub team: Option<String>,
    /// Who asked.
    pub guest: Option<PersonDocument>,
    /// There is a guest, and their name may not be shown.
    pub hides_guest: bool,
    /// Who owns it.
    pub owner: Option<PersonDocument>,
    /// Who worked on it.
    pub agents: Vec<PersonDocument>,
    /// Who helped.
    pub collaborators: Vec<PersonDocument>,
    /// Who waits for whom.
    pub waiting: Option<WaitingDocument>,
    /// What guest and agents said last, oldest first; absent where nobody read it.
    pub messages: Option<Vec<SaidDocument>>,
    /// What rings on it.
    pub alerts: Vec<RingingDocument>,
    /// What the guest thought of it.
    pub score: Option<CodeDocument>,
    /// Why they were dissatisfied.
    pub dissatisfaction_reasons: Vec<String>,
    /// The form's fields that have a value.
    pub fields: Vec<FieldDocument>,
    /// The agents' notes.
    pub notes: Vec<NoteDocument>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Bot or human.
    pub stage: Option<CodeDocument>,
    /// Where it came from.
    pub channel: Option<CodeDocument>,
    /// Whether it is solved.
    pub solved: Option<CodeDocument>,
    /// When it was created.
    pub created_at: Option<i64>,
    /// When it was last updated.
    pub updated_at: Option<i64>,
    /// When it was closed.
    pub closed_at: Option<i64>,
    /// Who closed it.
    pub closed_by: Option<PersonDocument>,
    /// How often it was seen to be reopened.
    pub reopened_count: u32,
    /// When deskbell first saw it.
    pub first_seen: i64,
    /// Of what time all of this is.
    pub as_of: i64,
}

/// A number of the vendor's with its names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Code)]
pub struct CodeDocument {
    /// The number.
    pub code: i64,
    /// Its name, as rules write it; absent where nobody knows the number.
    pub name: Option<String>,
    /// The same in Chinese.
    pub zh: Option<String>,
}

/// A person on a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Person)]
pub struct PersonDocument {
    /// Open id.
    pub id: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Email.
    pub email: Option<String>,
    /// Department.
    pub department: Option<String>,
}

/// Who waits for whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Waiting)]
pub struct WaitingDocument {
    /// `guest`, for a word of the agents; `agents`, for a word of the guest.
    pub who: String,
    /// Since when.
    pub since: i64,
}

/// Something that was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Said)]
pub struct SaidDocument {
    /// When.
    pub at: i64,
    /// `guest`, `agent`.
    pub by: String,
    /// The words, masked and cut.
    pub text: String,
}

/// An alert that rings on a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Ringing)]
pub struct RingingDocument {
    /// Its reference (`4F7A2C`).
    pub reference: String,
    /// Its rule.
    pub rule: String,
    /// `info`, `warning`, `critical`.
    pub severity: String,
    /// Since when it holds.
    pub since: i64,
    /// Why.
    pub why: Sentence,
    /// Who has it.
    pub taken_by: Option<Sentence>,
}

/// A field of the form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Field)]
pub struct FieldDocument {
    /// Its id.
    pub id: Option<String>,
    /// Its key.
    pub key: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its value.
    pub value: String,
}

/// A note of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Note)]
pub struct NoteDocument {
    /// When.
    pub at: Option<i64>,
    /// Who.
    pub by: Option<String>,
    /// The words, masked and cut.
    pub text: String,
}

impl From<&TicketView> for TicketDocument {
    fn from(view: &TicketView) -> Self {
        let (ticket, facts) = (&view.ticket, &view.facts);
        let ms = |at: &Known<Timestamp>| at.present().map(|at| at.as_ms());
        let person = |person: &Known<Arc<Person>>| person.present().map(|person| PersonDocument::from(&**person));
        Self {
            source: ticket.key.source.to_string(),
            ticket_id: ticket.key.id.to_string(),
            subject: view.subject.as_deref().map(bounded),
            status: ticket.status.present().map(|status| code("status", status.code())),
            status_since: facts.status_since.as_ms(),
            status_since_estimated: facts.status_since_estimated,
            closed: ticket.is_closed(),
            priority: view.priority.as_deref().map(bounded),
            team: view.team.as_ref().map(ToString::to_string),
            guest: person(&ticket.guest),
            hides_guest: view.hides_guest,
            owner: person(&ticket.agent_owner),
            agents: several(&ticket.agents, |person| Some(PersonDocument::from(&**person))),
            collaborators: several(&ticket.collaborators, |person| Some(PersonDocument::from(&**person))),
            waiting: Waiting::of(&view.whole()).map(WaitingDocument::from),
            messages: said(view),
            alerts: view.alerts.iter().take(ITEMS_MAX).map(RingingDocument::from).collect(),
            score: ticket.score.present().map(|score| code("score", *score)),
            dissatisfaction_reasons: several(&ticket.dissatisfaction_reason, reason),
            fields: several(&ticket.customized_fields, field),
            notes: several(&ticket.comments, note),
            tags: several(&ticket.tags, |tag| text(&tag.name)),
            stage: ticket.ticket_type.present().map(|stage| code("ticket_type", *stage)),
            channel: ticket.channel.present().map(|channel| code("channel", *channel)),
            solved: ticket.solved.present().map(|solved| code("solved", *solved)),
            created_at: ms(&ticket.created_at),
            updated_at: ms(&ticket.updated_at),
            closed_at: ms(&ticket.closed_at),
            closed_by: person(&ticket.closed_by),
            reopened_count: facts.reopened_count,
            first_seen: facts.first_seen.as_ms(),
            as_of: view.as_of.as_ms(),
        }
    }
}

impl From<&Person> for PersonDocument {
    fn from(person: &Person) -> Self {
        let part = |part: &Known<Text>| text(part);
        Self {
            id: part(&person.id),
            name: part(&person.name),
            email: part(&person.email),
            department: part(&person.department),
        }
    }
}

impl From<Waiting> for WaitingDocument {
    fn from(waiting: Waiting) -> Self {
        let who = match waiting.who {
            Waits::Guest => "guest",
            Waits::Agents => "agents",
        };
        Self { who: who.to_string(), since: waiting.since.as_ms() }
    }
}

impl From<&AlertLine> for RingingDocument {
    fn from(line: &AlertLine) -> Self {
        Self {
            reference: line.reference.clone(),
            rule: line.rule.to_string(),
            severity: line.severity.name().to_string(),
            since: line.since.as_ms(),
            why: line.why.clone().into(),
            taken_by: line.taken_by.clone().map(Into::into),
        }
    }
}

/// The number of a field with its names.
fn code(field: &str, number: i64) -> CodeDocument {
    let codes: &[Code] = match Field::find(field).map(|field| field.kind) {
        Some(Kind::Code(codes)) => codes,
        _ => &[],
    };
    let known = codes.iter().find(|code| code.code == number);
    let named = |name: fn(&Code) -> &'static str| known.map(|code| name(code).to_string());
    CodeDocument { code: number, name: named(|code| code.name), zh: named(|code| code.zh) }
}

/// What both sides said, oldest first.
fn said(view: &TicketView) -> Option<Vec<SaidDocument>> {
    let talk = view.facts.conversation.present()?;
    let one =
        |said: &Said, by: &str| SaidDocument { at: said.at.as_ms(), by: by.to_string(), text: bounded(&said.text) };
    let guest = talk.guest.iter().map(|said| one(said, "guest"));
    let mut all: Vec<SaidDocument> = guest.chain(talk.agent.iter().map(|said| one(said, "agent"))).collect();
    all.sort_by_key(|said| said.at);
    Some(all)
}

fn reason(reason: &I18nText) -> Option<String> {
    [&reason.zh_cn, &reason.en_us, &reason.ja_jp].into_iter().find_map(text)
}

fn field(field: &CustomField) -> Option<FieldDocument> {
    let value = text(&field.value)?;
    Some(FieldDocument { id: text(&field.id), key: text(&field.key_name), name: text(&field.display_name), value })
}

fn note(note: &Comment) -> Option<NoteDocument> {
    let words = text(&note.content)?;
    let at = note.created_at.present().map(|at| at.as_ms());
    Some(NoteDocument { at, by: text(&note.user_name), text: words })
}

fn several<T, U>(list: &Known<Arc<[T]>>, one: impl Fn(&T) -> Option<U>) -> Vec<U> {
    list.present().into_iter().flat_map(|list| list.iter()).take(ITEMS_MAX).filter_map(one).collect()
}

fn text(text: &Known<Text>) -> Option<String> {
    text.present().filter(|text| !text.trim().is_empty()).map(|text| bounded(text))
}

fn bounded(text: &str) -> String {
    cut(text, TEXT_CHARS_MAX)
}
