//! Names and identifiers, each a type of its own so that none can stand in for another.

use std::{borrow::Borrow, fmt, sync::Arc};

use smol_str::SmolStr;

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident($text:ty)),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($text);

        impl $name {
            /// Wraps the text as it is.
            pub fn new(text: impl Into<$text>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )+};
}

names! {
    /// A source's name in the configuration (`it-desk`).
    SourceName(Arc<str>),
    /// The vendor's ticket id: decimal digits as text, beyond what a float can hold. There are as many as tickets, so it
    /// is kept in place (up to 23 bytes).
    TicketId(SmolStr),
    /// A rule's name; an alert belongs to it.
    RuleName(Arc<str>),
    /// A receiver's name in the configuration (`support`).
    ReceiverName(Arc<str>),
    /// A calendar's name in the configuration (`office`).
    CalendarName(Arc<str>),
    /// A team's name in the configuration (`payment`).
    TeamName(Arc<str>),
    /// A named condition's name (`vip`).
    ConditionName(Arc<str>),
    /// A rota's name in the configuration (`primary`).
    RotaName(Arc<str>),
    /// A template's name, without locale and ending.
    TemplateName(Arc<str>),
    /// A Feishu chat id (`oc_…`).
    ChatId(Arc<str>),
    /// A Feishu message id (`om_…`).
    MessageId(Arc<str>),
    /// A Feishu open id (`ou_…`), scoped to one app.
    OpenId(Arc<str>),
    /// The vendor's id of one delivered event; the same on redelivery.
    EventId(Arc<str>),
}

/// A silence's number; they count up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SilenceId(pub u32);

impl fmt::Display for SilenceId {
    /// As people name it: `S7`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S{}", self.0)
    }
}

/// One ticket of one source. The id stands first, because it is what tells most keys apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TicketKey {
    /// The vendor's id.
    pub id: TicketId,
    /// The source that shows it.
    pub source: SourceName,
}

impl TicketKey {
    /// A key from its parts.
    pub fn new(source: SourceName, id: TicketId) -> Self {
        Self { source, id }
    }
}

impl fmt::Display for TicketKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.source, self.id)
    }
}

/// What an alert or a notice is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A ticket.
    Ticket(TicketKey),
    /// A whole source: its silence, its catch-up.
    Source(SourceName),
    /// A group of tickets that a counting rule counts: the value they share, or nothing where all are one group.
    Group(Arc<str>),
    /// deskbell itself.
    Service,
    /// A person's message that is answered.
    Message(MessageId),
    /// A receiver: what is told to it alone, of several alerts at once.
    Receiver(ReceiverName),
}

impl Subject {
    /// The source it belongs to, where it belongs to one.
    pub fn source(&self) -> Option<&SourceName> {
        match self {
            Self::Ticket(key) => Some(&key.source),
            Self::Source(source) => Some(source),
            Self::Group(_) | Self::Service | Self::Message(_) | Self::Receiver(_) => None,
        }
    }

    /// The ticket, where it is one.
    pub fn ticket(&self) -> Option<&TicketKey> {
        match self {
            Self::Ticket(key) => Some(key),
            _ => None,
        }
    }
}

impl Subject {
    /// Reads a subject as [`fmt::Display`] writes it; nothing where it is none. A source's name has no colon.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        match kind {
            "ticket" => {
                let (source, id) = rest.split_once(':').filter(|(_, id)| !id.is_empty())?;
                Some(Self::Ticket(TicketKey::new(source.into(), id.into())))
            }
            "source" => Some(Self::Source(rest.into())),
            "group" => Some(Self::Group(rest.into())),
            "service" => Some(Self::Service),
            "message" => Some(Self::Message(rest.into())),
            "receiver" => Some(Self::Receiver(rest.into())),
            _ => None,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ticket(key) => write!(f, "ticket:{key}"),
            Self::Source(source) => write!(f, "source:{source}"),
            Self::Group(value) => write!(f, "group:{value}"),
            Self::Service => f.write_str("service"),
            Self::Message(message) => write!(f, "message:{message}"),
            Self::Receiver(name) => write!(f, "receiver:{name}"),
        }
    }
}
