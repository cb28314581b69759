//! Pieces that several records share: values that may be missing, short forms of common texts, names, instants.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::domain::{
    actor::Actor,
    id::{ReceiverName, RuleName, SourceName, Subject, TicketId, TicketKey},
    text::Message,
    ticket::{Known, Person, Text},
    time::Timestamp,
};

/// The longest text looked for among those seen before: names of fields, options, departments, not sentences.
const SHARED_BYTES_MAX: usize = 32;

/// An enum of the domain without data, and its twin on disk. The order is the format.
macro_rules! twin {
    ($record:ident = $domain:path { $($variant:ident),+ $(,)? }) => {
        #[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
        pub(in crate::adapters::store) enum $record { $($variant),+ }

        impl From<$domain> for $record {
            fn from(value: $domain) -> Self {
                use $domain as Domain;
                match value { $(Domain::$variant => Self::$variant),+ }
            }
        }

        impl From<$record> for $domain {
            fn from(value: $record) -> Self {
                use $domain as Domain;
                match value { $($record::$variant => Domain::$variant),+ }
            }
        }
    };
}
pub(super) use twin;

/// What was read before, so that what thousands of tickets say alike is in memory once.
#[derive(Default)]
pub(in crate::adapters::store) struct Shared {
    texts: HashSet<Arc<str>>,
    persons: HashMap<Text, Arc<Person>>,
}

impl Shared {
    /// The text, the same allocation for the same short text.
    pub(in crate::adapters::store) fn text(&mut self, text: &str) -> Arc<str> {
        if text.len() > SHARED_BYTES_MAX {
            return text.into();
        }
        if let Some(known) = self.texts.get(text) {
            return known.clone();
        }
        let new: Arc<str> = text.into();
        self.texts.insert(new.clone());
        new
    }

    /// The person, the same allocation while nothing about them changes.
    pub(super) fn person(&mut self, person: Person) -> Arc<Person> {
        let Known::Present(id) = &person.id else { return Arc::new(person) };
        match self.persons.get(id) {
            Some(known) if **known == person => known.clone(),
            _ => {
                let id = id.clone();
                let new = Arc::new(person);
                self.persons.insert(id, new.clone());
                new
            }
        }
    }
}

/// [`Known`] on disk.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) enum KnownRecord<T> {
    Unknown,
    Empty,
    Present(T),
}

impl<T> KnownRecord<T> {
    pub(super) fn of<'a, D>(value: &'a Known<D>, f: impl FnOnce(&'a D) -> T) -> Self {
        match value {
            Known::Unknown => Self::Unknown,
            Known::Empty => Self::Empty,
            Known::Present(value) => Self::Present(f(value)),
        }
    }

    pub(super) fn known<D>(self, f: impl FnOnce(T) -> D) -> Known<D> {
        match self {
            Self::Unknown => Known::Unknown,
            Self::Empty => Known::Empty,
            Self::Present(value) => Known::Present(f(value)),
        }
    }
}

/// A text, numbers and open ids packed: half of a ticket's bytes are such ids.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) enum PackedText<'a> {
    Unknown,
    Empty,
    /// As it is.
    Plain(&'a str),
    /// A decimal number without leading zeros.
    Digits(u64),
    /// `ou_` and 32 lower-case hex digits.
    OpenId([u8; 16]),
}

const OPEN_ID: &str = "ou_";

impl<'a> PackedText<'a> {
    pub(super) fn of(value: &'a Known<Text>) -> Self {
        match value {
            Known::Unknown => Self::Unknown,
            Known::Empty => Self::Empty,
            Known::Present(text) => Self::text(text),
        }
    }

    pub(super) fn text(text: &'a str) -> Self {
        if let Some(number) = digits(text) {
            return Self::Digits(number);
        }
        match text.strip_prefix(OPEN_ID).and_then(unhex) {
            Some(bytes) => Self::OpenId(bytes),
            None => Self::Plain(text),
        }
    }

    pub(super) fn known(self, shared: &mut Shared) -> Known<Text> {
        match self {
            Self::Unknown => Known::Unknown,
            Self::Empty => Known::Empty,
            Self::Plain(text) => Known::Present(shared.text(text)),
            Self::Digits(number) => Known::Present(shared.text(&number.to_string())),
            Self::OpenId(bytes) => Known::Present(open_id(bytes).into()),
        }
    }
}

fn digits(text: &str) -> Option<u64> {
    let canonical = text == "0" || (!text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()));
    if canonical { text.parse().ok() } else { None }
}

fn unhex(text: &str) -> Option<[u8; 16]> {
    let text: &[u8; 32] = text.as_bytes().try_into().ok()?;
    let mut out = [0; 16];
    for (byte, pair) in out.iter_mut().zip(text.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(out)
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

fn open_id(bytes: [u8; 16]) -> String {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(OPEN_ID.len() + 32);
    out.push_str(OPEN_ID);
    for byte in bytes {
        out.push(char::from(HEX[usize::from(byte >> 4)]));
        out.push(char::from(HEX[usize::from(byte & 15)]));
    }
    out
}

/// A ticket's key.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) struct TicketKeyRecord<'a> {
    #[serde(borrow)]
    source: &'a str,
    id: IdRecord<'a>,
}

/// A ticket's id: the vendor's are numbers.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) enum IdRecord<'a> {
    Digits(u64),
    Plain(&'a str),
}

impl<'a> IdRecord<'a> {
    pub(super) fn of(id: &'a TicketId) -> Self {
        digits(id.as_str()).map_or(Self::Plain(id.as_str()), Self::Digits)
    }

    pub(super) fn id(self) -> TicketId {
        match self {
            Self::Digits(number) => TicketId::new(number.to_string()),
            Self::Plain(id) => TicketId::new(id),
        }
    }
}

impl<'a> TicketKeyRecord<'a> {
    pub(super) fn of(key: &'a TicketKey) -> Self {
        Self { source: key.source.as_str(), id: IdRecord::of(&key.id) }
    }

    pub(super) fn key(self, shared: &mut Shared) -> TicketKey {
        TicketKey::new(SourceName::new(shared.text(self.source)), self.id.id())
    }
}

/// [`Subject`] on disk.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) enum SubjectRecord<'a> {
    #[serde(borrow)]
    Ticket(TicketKeyRecord<'a>),
    Source(&'a str),
    Service,
    Message(&'a str),
    Group(&'a str),
    Receiver(&'a str),
}

impl<'a> SubjectRecord<'a> {
    pub(super) fn of(subject: &'a Subject) -> Self {
        match subject {
            Subject::Ticket(key) => Self::Ticket(TicketKeyRecord::of(key)),
            Subject::Source(source) => Self::Source(source.as_str()),
            Subject::Service => Self::Service,
            Subject::Message(message) => Self::Message(message.as_str()),
            Subject::Group(value) => Self::Group(value),
            Subject::Receiver(name) => Self::Receiver(name.as_str()),
        }
    }

    pub(super) fn subject(self, shared: &mut Shared) -> Subject {
        match self {
            Self::Ticket(key) => Subject::Ticket(key.key(shared)),
            Self::Source(source) => Subject::Source(SourceName::new(shared.text(source))),
            Self::Service => Subject::Service,
            Self::Message(message) => Subject::Message(message.into()),
            Self::Group(value) => Subject::Group(shared.text(value)),
            Self::Receiver(name) => Subject::Receiver(ReceiverName::new(shared.text(name))),
        }
    }
}

/// [`Actor`] on disk.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) enum ActorRecord<'a> {
    Person(&'a str, Option<&'a str>),
    Agent(&'a str),
    Operator(&'a str),
    Deskbell,
}

impl<'a> ActorRecord<'a> {
    pub(super) fn of(actor: &'a Actor) -> Self {
        match actor {
            Actor::Person { id, name } => Self::Person(id.as_str(), name.as_deref()),
            Actor::Agent(name) => Self::Agent(name),
            Actor::Operator(name) => Self::Operator(name),
            Actor::Deskbell => Self::Deskbell,
        }
    }

    pub(super) fn actor(self, shared: &mut Shared) -> Actor {
        match self {
            Self::Person(id, name) => Actor::Person { id: id.into(), name: name.map(|name| shared.text(name)) },
            Self::Agent(name) => Actor::Agent(shared.text(name)),
            Self::Operator(name) => Actor::Operator(shared.text(name)),
            Self::Deskbell => Actor::Deskbell,
        }
    }
}

/// [`Message`] on disk.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) struct MessageRecord<'a> {
    zh: &'a str,
    en: &'a str,
}

impl<'a> MessageRecord<'a> {
    pub(super) fn of(message: &'a Message) -> Self {
        Self { zh: &message.zh, en: &message.en }
    }

    pub(super) fn message(self) -> Message {
        Message::new(self.zh, self.en)
    }
}

/// A rule's name, one allocation for all alerts of the rule.
pub(super) fn rule(name: &str, shared: &mut Shared) -> RuleName {
    RuleName::new(shared.text(name))
}

/// An optional instant in milliseconds.
pub(super) fn ms(at: Option<Timestamp>) -> Option<i64> {
    at.map(Timestamp::as_ms)
}

/// An optional instant from milliseconds.
pub(super) fn at(ms: Option<i64>) -> Option<Timestamp> {
    ms.map(Timestamp::from_ms)
}
