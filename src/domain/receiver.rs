//! A named destination, as the decisions see it: what it can do, not where it is.

use std::{collections::BTreeMap, sync::Arc};

use crate::domain::{
    calendar::Calendar,
    id::{ChatId, OpenId, ReceiverName},
    rule::Severity,
    text::Locale,
    ticket::Text,
};

/// A receiver of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receiver {
    /// Its name.
    pub name: ReceiverName,
    /// What it is.
    pub kind: ReceiverKind,
    /// The language of its cards.
    pub locale: Locale,
    /// When it is not told, until its quiet hours are over.
    pub quiet: Option<Quiet>,
    /// Who is told in its place where the platform refuses it for good.
    pub fallback: Option<ReceiverName>,
    /// Notices a second it takes; outgoing HTTP only. Absent: [`HTTP_PER_SECOND`].
    pub per_second: Option<u32>,
    /// People of other companies read there: nothing of the guest is told.
    pub external: bool,
}

/// Notices a second to an outgoing HTTP webhook that says nothing of its own: few enough for any small tool.
pub const HTTP_PER_SECOND: u32 = 10;

/// The most it may be given.
pub const HTTP_PER_SECOND_MAX: u32 = 100_000;

/// Hours in which a receiver is not told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// The hours.
    pub hours: Arc<Calendar>,
    /// Alerts this serious or more are told all the same.
    pub except: Option<Severity>,
}

/// What a receiver is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReceiverKind {
    /// A chat the bot is in: keys, replies and patches work.
    Chat(ChatId),
    /// A custom bot's webhook: no key, no reply, no patch; at least once. Its address is a secret of the adapter.
    Webhook,
    /// A WeCom group bot's webhook: the same.
    Wecom,
    /// An outgoing HTTP webhook in Alertmanager's format: the same, and told of endings by the alert's status.
    Http,
    /// One person in a direct chat with the bot: keys, replies and patches work.
    Person(PersonId),
}

/// Digits of a mobile number.
const MOBILE_DIGITS_MIN: usize = 7;
const MOBILE_DIGITS_MAX: usize = 15;

/// How a person is addressed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PersonId {
    /// By email.
    Email(Text),
    /// By mobile number, with `+` and country code outside mainland China.
    Mobile(Text),
    /// By open id (`ou_…`).
    Open(OpenId),
}

impl PersonId {
    /// As it is written: the email, the number, the open id.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Email(text) | Self::Mobile(text) => text,
            Self::Open(id) => id.as_str(),
        }
    }

    /// Reads back what [`PersonId::as_str`] gave; what is no email and no number is an open id.
    pub fn read(text: &str) -> Self {
        Self::of(text).unwrap_or_else(|| Self::Open(OpenId::new(text)))
    }

    /// From what people write or tickets carry: an email, a mobile number or an open id.
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        let digits = text.strip_prefix('+').unwrap_or(text);
        if text.starts_with("ou_") {
            Some(Self::Open(OpenId::new(text)))
        } else if (MOBILE_DIGITS_MIN..=MOBILE_DIGITS_MAX).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
        {
            Some(Self::Mobile(text.into()))
        } else if text.contains('@') {
            Some(Self::Email(text.into()))
        } else {
            None
        }
    }
}

/// The language of answers to people who show none.
#[derive(Clone, Debug, Default)]
pub struct Locales {
    usual: Locale,
    chats: BTreeMap<ChatId, Locale>,
}

impl From<Locale> for Locales {
    fn from(usual: Locale) -> Self {
        Self { usual, chats: BTreeMap::new() }
    }
}

impl Locales {
    /// In a receiver's chat the receiver's, elsewhere the usual one.
    pub fn of<'a>(usual: Locale, receivers: impl IntoIterator<Item = &'a Receiver>) -> Self {
        let chat = |receiver: &'a Receiver| match &receiver.kind {
            ReceiverKind::Chat(chat) => Some((chat.clone(), receiver.locale)),
            _ => None,
        };
        Self { usual, chats: receivers.into_iter().filter_map(chat).collect() }
    }

    /// The language of a chat.
    pub fn at(&self, chat: &ChatId) -> Locale {
        self.chats.get(chat).copied().unwrap_or(self.usual)
    }
}

/// What the names of receivers begin with that stand for a person who is not in the configuration.
const PERSON_PREFIX: &str = "person:";

impl Receiver {
    /// The name of the receiver that a person is, whether the configuration knows them or not.
    pub fn name_of_person(person: &PersonId) -> ReceiverName {
        ReceiverName::new(format!("{PERSON_PREFIX}{}", person.as_str()))
    }

    /// A receiver that says nothing of quiet hours and fallback.
    pub const fn new(name: ReceiverName, kind: ReceiverKind, locale: Locale) -> Self {
        Self { name, kind, locale, quiet: None, fallback: None, per_second: None, external: false }
    }

    /// Whom a receiver's name stands for, where it is a person's.
    pub fn person_of(name: &ReceiverName) -> Option<PersonId> {
        PersonId::of(name.as_str().strip_prefix(PERSON_PREFIX)?)
    }

    /// The person that a receiver's name stands for, where it is such a name.
    pub fn person(name: &ReceiverName, locale: Locale) -> Option<Self> {
        let person = Self::person_of(name)?;
        Some(Self::new(name.clone(), ReceiverKind::Person(person), locale))
    }
}

impl ReceiverKind {
    /// Whether a sent card can be updated later.
    pub const fn can_patch(&self) -> bool {
        matches!(self, Self::Chat(_) | Self::Person(_))
    }

    /// Whether the platform drops a repeated send with the same key.
    pub const fn has_key(&self) -> bool {
        matches!(self, Self::Chat(_) | Self::Person(_))
    }
}
