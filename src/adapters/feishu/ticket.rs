//! One ticket decoded, leniently: a field nobody can read becomes unknown and is named; nothing else is lost
//! (`facts/feishu.md §2.4, §11`).

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::Arc,
};

use serde::{Deserialize, de::MapAccess};
use serde_json::value::RawValue;

use crate::{
    adapters::feishu::{
        lenient::{self, Field, FromWire, Many},
        page::{BrokenTicket, RawTicket},
    },
    domain::{
        id::{SourceName, TicketKey},
        ticket::{Comment, CustomField, I18nText, Known, Person, Status, Tag, Text, Ticket},
        time::Timestamp,
    },
};

/// Persons, and words, a decoder remembers to share between tickets: more than a busy pass shows. A person takes about
/// 400 bytes.
const REMEMBERED_MAX: usize = 16_384;

/// A decoded ticket.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// The ticket.
    pub ticket: Ticket,
    /// Fields that were there and nobody could read; they are unknown in the ticket.
    pub unreadable: Vec<&'static str>,
}

/// Decodes tickets of one source, sharing what they have in common.
#[derive(Debug)]
pub struct Decoder {
    source: SourceName,
    persons: HashMap<Box<str>, Arc<Person>>,
    words: HashSet<Text>,
}

/// Decodes one ticket.
pub fn decode(source: &SourceName, raw: &RawTicket) -> Result<Decoded, BrokenTicket> {
    Decoder::new(source.clone()).decode(raw)
}

#[derive(Deserialize)]
struct WireTicket<'a> {
    #[serde(borrow, default)]
    helpdesk_id: Field<Cow<'a, str>>,
    #[serde(borrow)]
    guest: Option<&'a RawValue>,
    #[serde(borrow, default)]
    comments: Field<Many<WireComment<'a>>>,
    #[serde(default)]
    ticket_type: Field<i64>,
    #[serde(default)]
    status: Field<i64>,
    #[serde(default)]
    score: Field<i64>,
    #[serde(default)]
    created_at: Field<i64>,
    #[serde(default)]
    updated_at: Field<i64>,
    #[serde(default)]
    closed_at: Field<i64>,
    #[serde(borrow, default)]
    dissatisfaction_reason: Field<Many<WireReason<'a>>>,
    #[serde(borrow)]
    agents: Option<&'a RawValue>,
    #[serde(default)]
    channel: Field<i64>,
    #[serde(default)]
    solve: Field<i64>,
    #[serde(borrow)]
    closed_by: Option<&'a RawValue>,
    #[serde(borrow)]
    collaborators: Option<&'a RawValue>,
    #[serde(borrow, default)]
    customized_fields: Field<Many<WireCustomField<'a>>>,
    #[serde(default)]
    agent_service_duration: Field<f64>,
    #[serde(default)]
    agent_first_response_duration: Field<i64>,
    #[serde(default)]
    bot_service_duration: Field<i64>,
    #[serde(default)]
    agent_resolution_time: Field<i64>,
    #[serde(default)]
    actual_processing_time: Field<i64>,
    #[serde(default)]
    agent_entry_time: Field<i64>,
    #[serde(default)]
    agent_first_response_time: Field<i64>,
    #[serde(default)]
    agent_last_response_time: Field<i64>,
    #[serde(borrow)]
    agent_owner: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tags: Field<Many<WireTag<'a>>>,
}

#[derive(Deserialize)]
pub(super) struct WirePerson<'a> {
    #[serde(borrow, default)]
    id: Field<Cow<'a, str>>,
    #[serde(borrow, default)]
    name: Field<Cow<'a, str>>,
    #[serde(borrow, default)]
    email: Field<Cow<'a, str>>,
    #[serde(borrow, default)]
    department: Field<Cow<'a, str>>,
    #[serde(borrow, default)]
    city: Field<Cow<'a, str>>,
    #[serde(borrow, default)]
    country: Field<Cow<'a, str>>,
    #[serde(borrow, default)]
    avatar_url: Field<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct WireComment<'a> {
    #[serde(default)]
    id: Field<i64>,
    #[serde(borrow, default)]
    content: Field<Cow<'a, str>>,
    #[serde(default)]
    created_at: Field<i64>,
    #[serde(borrow, default)]
    user_name: Field<Cow<'a, str>>,
    #[serde(borrow, default)]
    user_id: Field<Cow<'a, str>>,
    #[serde(borrow, default)]
    user_avatar_url: Field<Cow<'a, str>>,
}

/// A reason in several languages, or as bare text.
enum WireReason<'a> {
    Texts(WireI18n<'a>),
    Bare(Cow<'a, str>),
}

#[derive(Deserialize)]
struct WireI18n<'a> {
    #[serde(borrow, default)]
    zh_cn: Field<Cow<'a, str>>,
    #[serde(borrow, default)]
    en_us: Field<Cow<'a, str>>,
    #[serde(borrow, default)]
    ja_jp: Field<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct WireCustomField<'a> {
    #[serde(borrow, default)]
    id: Field<Cow<'a, str>>,
    #[serde(borrow, default)]
    value: Field<Cow<'a, str>>,
    #[serde(borrow, default)]
    key_name: Field<Cow<'a, str>>,
    #[serde(borrow, default)]
    display_name: Field<Cow<'a, str>>,
    #[serde(default)]
    position: Field<i64>,
    #[serde(default)]
    required: Field<bool>,
    #[serde(default)]
    editable: Field<bool>,
}

#[derive(Deserialize)]
struct WireTag<'a> {
    #[serde(borrow, default)]
    id: Field<Cow<'a, str>>,
    #[serde(borrow, default)]
    name: Field<Cow<'a, str>>,
}

macro_rules! objects {
    ($($name:ident),+) => {$(
        impl<'de: 'a, 'a> FromWire<'de> for $name<'a> {
            fn from_object<A: MapAccess<'de>>(object: A) -> Result<Field<Self>, A::Error> {
                lenient::object(object)
            }
        }
    )+};
}

objects!(WirePerson, WireComment, WireCustomField, WireTag);

impl<'de: 'a, 'a> FromWire<'de> for WireReason<'a> {
    fn from_borrowed(text: &'de str) -> Field<Self> {
        Field::Value(Self::Bare(Cow::Borrowed(text)))
    }

    fn from_text(text: &str) -> Field<Self> {
        Field::Value(Self::Bare(Cow::Owned(text.to_owned())))
    }

    fn from_object<A: MapAccess<'de>>(object: A) -> Result<Field<Self>, A::Error> {
        Ok(match lenient::object(object)? {
            Field::Value(texts) => Field::Value(Self::Texts(texts)),
            _ => Field::Bad,
        })
    }
}

impl Decoder {
    /// A decoder for one source.
    pub fn new(source: SourceName) -> Self {
        Self { source, persons: HashMap::new(), words: HashSet::new() }
    }

    /// Decodes one ticket.
    pub fn decode(&mut self, raw: &RawTicket) -> Result<Decoded, BrokenTicket> {
        let broken = |reason: String| BrokenTicket { id: Some(raw.id.clone()), reason };
        let text = std::str::from_utf8(&raw.body).map_err(|error| broken(error.to_string()))?;
        let key = TicketKey::new(self.source.clone(), raw.id.clone());
        if let Ok(wire) = serde_json::from_str(text) {
            return Ok(self.ticket(key, wire));
        }
        // Something in it stops a parser (a lone surrogate, a number out of range, a key twice): set that field aside.
        let mended = mended(text).map_err(|error| broken(error.to_string()))?;
        let wire = serde_json::from_str(&mended).map_err(|error| broken(error.to_string()))?;
        Ok(self.ticket(key, wire))
    }

    fn ticket(&mut self, key: TicketKey, wire: WireTicket<'_>) -> Decoded {
        let mut out = Reader { decoder: self, unreadable: Vec::new() };
        let ticket = Ticket {
            key,
            helpdesk_id: out.word("helpdesk_id", wire.helpdesk_id),
            guest: out.person("guest", wire.guest),
            comments: out.list("comments", wire.comments, comment),
            ticket_type: out.plain("ticket_type", wire.ticket_type),
            status: out.plain("status", wire.status).map(Status::from_code),
            score: out.plain("score", wire.score),
            created_at: out.instant("created_at", wire.created_at),
            updated_at: out.instant("updated_at", wire.updated_at),
            closed_at: out.instant("closed_at", wire.closed_at),
            dissatisfaction_reason: out.list("dissatisfaction_reason", wire.dissatisfaction_reason, reason),
            agents: out.persons("agents", wire.agents),
            channel: out.plain("channel", wire.channel),
            solved: out.plain("solved", wire.solve),
            closed_by: out.person("closed_by", wire.closed_by),
            collaborators: out.persons("collaborators", wire.collaborators),
            customized_fields: out.list("customized_fields", wire.customized_fields, custom_field),
            agent_service_duration: out.plain("agent_service_duration", wire.agent_service_duration),
            agent_first_response_duration: out
                .plain("agent_first_response_duration", wire.agent_first_response_duration),
            bot_service_duration: out.plain("bot_service_duration", wire.bot_service_duration),
            agent_resolution_time: out.plain("agent_resolution_time", wire.agent_resolution_time),
            actual_processing_time: out.plain("actual_processing_time", wire.actual_processing_time),
            agent_entry_time: out.instant("agent_entry_time", wire.agent_entry_time),
            agent_first_response_time: out.instant("agent_first_response_time", wire.agent_first_response_time),
            agent_last_response_time: out.instant("agent_last_response_time", wire.agent_last_response_time),
            agent_owner: out.person("agent_owner", wire.agent_owner),
            tags: out.list("tags", wire.tags, tag),
        };
        let unreadable = out.unreadable;
        Decoded { ticket, unreadable }
    }

    /// The same text as another ticket's, if it is remembered.
    fn shared(&mut self, text: &str) -> Text {
        if let Some(known) = self.words.get(text) {
            return known.clone();
        }
        if self.words.len() >= REMEMBERED_MAX {
            self.words.clear();
        }
        let new: Text = text.into();
        self.words.insert(new.clone());
        new
    }

    /// A person; the same bytes are the same person, decoded once. The flag says that part of it could not be read.
    fn person(&mut self, raw: &str) -> (Field<Arc<Person>>, bool) {
        if let Some(known) = self.persons.get(raw) {
            return (Field::Value(known.clone()), false);
        }
        let wire = match serde_json::from_str::<Field<WirePerson<'_>>>(raw) {
            Ok(Field::Value(wire)) => wire,
            Ok(Field::Missing | Field::Null) => return (Field::Null, false),
            Ok(Field::Bad) | Err(_) => return (Field::Bad, true),
        };
        let mut bad = false;
        let Some(person) = person(wire, &mut bad) else { return (Field::Null, bad) };
        let person = Arc::new(person);
        if !bad {
            if self.persons.len() >= REMEMBERED_MAX {
                self.persons.clear();
            }
            self.persons.insert(raw.into(), person.clone());
        }
        (Field::Value(person), bad)
    }
}

/// Reads fields, naming those nobody can read.
struct Reader<'d> {
    decoder: &'d mut Decoder,
    unreadable: Vec<&'static str>,
}

impl Reader<'_> {
    fn note(&mut self, name: &'static str, bad: bool) {
        if bad && !self.unreadable.contains(&name) {
            self.unreadable.push(name);
        }
    }

    fn plain<T>(&mut self, name: &'static str, field: Field<T>) -> Known<T> {
        let mut bad = false;
        let known = field.known(&mut bad, Known::Present);
        self.note(name, bad);
        known
    }

    fn instant(&mut self, name: &'static str, field: Field<i64>) -> Known<Timestamp> {
        let mut bad = false;
        let known = moment(field, &mut bad);
        self.note(name, bad);
        known
    }

    fn word(&mut self, name: &'static str, field: Field<Cow<'_, str>>) -> Known<Text> {
        let mut bad = false;
        let known = field.known(&mut bad, |text| {
            if text.is_empty() { Known::Empty } else { Known::Present(self.decoder.shared(&text)) }
        });
        self.note(name, bad);
        known
    }

    fn list<W, T>(
        &mut self,
        name: &'static str,
        field: Field<Many<W>>,
        turn: fn(W, &mut Decoder, &mut bool) -> T,
    ) -> Known<Arc<[T]>> {
        let mut bad = false;
        let known = match field {
            Field::Missing | Field::Null => Known::Empty,
            Field::Bad => {
                bad = true;
                Known::Unknown
            }
            Field::Value(Many(all)) if all.is_empty() => Known::Empty,
            Field::Value(Many(all)) => {
                Known::Present(all.into_iter().map(|one| turn(one, self.decoder, &mut bad)).collect())
            }
        };
        self.note(name, bad);
        known
    }

    fn person(&mut self, name: &'static str, raw: Option<&RawValue>) -> Known<Arc<Person>> {
        let Some(raw) = raw else { return Known::Empty };
        let (field, bad) = self.decoder.person(raw.get());
        self.note(name, bad);
        field.known(&mut false, Known::Present)
    }

    fn persons(&mut self, name: &'static str, raw: Option<&RawValue>) -> Known<Arc<[Arc<Person>]>> {
        let Some(raw) = raw else { return Known::Empty };
        let text = raw.get();
        let raws: Vec<&RawValue> = match serde_json::from_str(text) {
            Ok(raws) => raws,
            Err(_) if text.starts_with('{') => vec![raw],
            Err(_) => {
                self.note(name, true);
                return Known::Unknown;
            }
        };
        let mut persons = Vec::with_capacity(raws.len());
        for raw in raws {
            let (field, bad) = self.decoder.person(raw.get());
            self.note(name, bad);
            match field {
                Field::Value(person) => persons.push(person),
                Field::Missing | Field::Null => {}
                Field::Bad => return Known::Unknown, // a list without it would be another list
            }
        }
        if persons.is_empty() { Known::Empty } else { Known::Present(persons.into()) }
    }
}

/// Text; without a character it is none.
pub(super) fn text(field: Field<Cow<'_, str>>, bad: &mut bool) -> Known<Text> {
    field.known(bad, |text| if text.is_empty() { Known::Empty } else { Known::Present(text.into()) })
}

/// An instant in milliseconds.
pub(super) fn moment(field: Field<i64>, bad: &mut bool) -> Known<Timestamp> {
    let mut beyond = false;
    let known = field.known(bad, |ms| lenient::instant(&mut beyond, ms));
    *bad |= beyond;
    known
}

/// A person; nothing if neither id nor name nor email says who it is.
pub(super) fn person(wire: WirePerson<'_>, bad: &mut bool) -> Option<Person> {
    let department = match wire.department {
        Field::Missing | Field::Null => Known::Unknown, // shown only to those who may see it
        there => text(there, bad),
    };
    let person = Person {
        id: text(wire.id, bad),
        name: text(wire.name, bad),
        email: text(wire.email, bad),
        department,
        city: text(wire.city, bad),
        country: text(wire.country, bad),
        avatar_url: text(wire.avatar_url, bad),
    };
    let nobody = [&person.id, &person.name, &person.email].into_iter().all(|field| *field == Known::Empty);
    (!nobody).then_some(person)
}

fn comment(wire: WireComment<'_>, _: &mut Decoder, bad: &mut bool) -> Comment {
    Comment {
        id: wire.id.known(bad, Known::Present),
        content: text(wire.content, bad),
        created_at: moment(wire.created_at, bad),
        user_name: text(wire.user_name, bad),
        user_id: text(wire.user_id, bad),
        user_avatar_url: text(wire.user_avatar_url, bad),
    }
}

fn reason(wire: WireReason<'_>, _: &mut Decoder, bad: &mut bool) -> I18nText {
    match wire {
        WireReason::Texts(wire) => {
            I18nText { zh_cn: text(wire.zh_cn, bad), en_us: text(wire.en_us, bad), ja_jp: text(wire.ja_jp, bad) }
        }
        WireReason::Bare(bare) => {
            I18nText { zh_cn: text(Field::Value(bare), bad), en_us: Known::Empty, ja_jp: Known::Empty }
        }
    }
}

fn custom_field(wire: WireCustomField<'_>, decoder: &mut Decoder, bad: &mut bool) -> CustomField {
    let mut shared = |field: Field<Cow<'_, str>>| {
        field.known(bad, |text| if text.is_empty() { Known::Empty } else { Known::Present(decoder.shared(&text)) })
    };
    let (id, key_name, display_name) = (shared(wire.id), shared(wire.key_name), shared(wire.display_name));
    CustomField {
        id,
        value: text(wire.value, bad),
        key_name,
        display_name,
        position: wire.position.known(bad, Known::Present),
        required: wire.required.known(bad, Known::Present),
        editable: wire.editable.known(bad, Known::Present),
    }
}

fn tag(wire: WireTag<'_>, _: &mut Decoder, bad: &mut bool) -> Tag {
    Tag { id: text(wire.id, bad), name: text(wire.name, bad) }
}

/// The same ticket with every field that stops the parser replaced by one that is only unreadable. Of a key written
/// twice the last counts.
fn mended(text: &str) -> Result<String, serde_json::Error> {
    const UNREADABLE: &str = "[[]]"; // a list in a list fits no field
    let fields: HashMap<String, &RawValue> = serde_json::from_str(text)?;
    let parts = fields.iter().map(|(key, raw)| {
        let key = serde_json::Value::from(key.as_str());
        let alone = format!("{{{key}:{raw}}}");
        let readable = serde_json::from_str::<WireTicket<'_>>(&alone).is_ok();
        if readable { format!("{key}:{raw}") } else { format!("{key}:{UNREADABLE}") }
    });
    Ok(format!("{{{}}}", parts.collect::<Vec<_>>().join(",")))
}

#[cfg(test)]
mod tests;
