//! The one table of a ticket's fields: names, types, what carries them, how to read them.
//!
//! It drives parsing, suggestions, templates, change detection and the reference in `docs/`.

use std::sync::Arc;

use crate::domain::{
    text::Words,
    ticket::{Comment, CustomField, I18nText, Person, Tag, Ticket},
    time::Timestamp,
};

/// A field of a ticket.
#[derive(Debug)]
pub struct Field {
    /// Its name in rules and templates.
    pub name: &'static str,
    /// Its Chinese name, accepted wherever the English one is.
    pub zh: &'static str,
    /// The vendor's key.
    pub vendor: &'static str,
    /// What kind of value it holds.
    pub kind: Kind,
    /// It runs by itself: it updates the snapshot but is no change.
    pub volatile: bool,
    /// What it is, for people.
    pub doc: Words,
    /// How to read it.
    pub read: for<'a> fn(&'a Ticket) -> Value<'a>,
}

/// What kind of value a field holds, and with it which operators fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A number; durations of the vendor's too (their unit stands in the doc).
    Number,
    /// An enumeration: numbers with names.
    Code(&'static [Code]),
    /// An instant.
    Instant,
    /// A person.
    Person,
    /// Several persons.
    Persons,
    /// Texts in several languages.
    I18n,
    /// Agents' notes.
    Comments,
    /// Tags.
    Tags,
    /// The custom fields as a whole.
    CustomFields,
}

/// One name of an enumeration's number.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// The vendor's number.
    pub code: i64,
    /// Its name.
    pub name: &'static str,
    /// Its Chinese name.
    pub zh: &'static str,
}

/// A field's value on one ticket.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Nobody knows.
    Unknown,
    /// There is none.
    Empty,
    /// Text.
    Text(&'a str),
    /// A number.
    Number(f64),
    /// An enumeration's number.
    Code(i64),
    /// An instant.
    Instant(Timestamp),
    /// A person.
    Person(&'a Person),
    /// Persons.
    Persons(&'a [Arc<Person>]),
    /// Texts in several languages.
    I18n(&'a [I18nText]),
    /// Agents' notes.
    Comments(&'a [Comment]),
    /// Tags.
    Tags(&'a [Tag]),
    /// Custom fields.
    CustomFields(&'a [CustomField]),
}

/// The table.
pub static FIELDS: &[Field] = &[];
