//! Messages accepted and not yet answered, on disk.

use serde::{Deserialize, Serialize};

use super::parts::{IdRecord, twin};
use crate::domain::{
    command::{Command, verb::Verb},
    desk::{
        input::{ChatKind, ChatMessage},
        state::InboxItem,
    },
    text::Locale,
    time::Timestamp,
};

twin!(ChatKindRecord = ChatKind { Group, Direct, Admin });
twin!(LocaleRecord = Locale { Zh, En });

/// [`InboxItem`] on disk.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) struct InboxRecord<'a> {
    event: &'a str,
    message: &'a str,
    chat: &'a str,
    chat_kind: ChatKindRecord,
    sender: &'a str,
    #[serde(borrow)]
    command: CommandRecord<'a>,
    locale: LocaleRecord,
    sent_at: i64,
    accepted_at: i64,
    sender_name: Option<&'a str>,
    reply_to: Option<&'a str>,
    on_card: Option<&'a str>,
}

#[derive(Debug, Serialize, Deserialize)]
enum CommandRecord<'a> {
    #[serde(borrow)]
    Ticket(IdRecord<'a>),
    TicketUsage(&'a str),
    Help,
    /// Of older versions: what they did not answer.
    NotBuilt(&'a str),
    Nothing,
    Unknown(&'a str),
    /// A verb by its name.
    Said(&'a str, &'a str),
    Overheard(&'a str, &'a str),
}

impl<'a> InboxRecord<'a> {
    pub(in crate::adapters::store) fn of(item: &'a InboxItem) -> Self {
        let message = &item.message;
        Self {
            event: message.event.as_str(),
            message: message.message.as_str(),
            chat: message.chat.as_str(),
            chat_kind: message.chat_kind.into(),
            sender: message.sender.as_str(),
            command: CommandRecord::of(&message.command),
            locale: message.locale.into(),
            sent_at: message.sent_at.as_ms(),
            accepted_at: item.accepted_at.as_ms(),
            sender_name: message.sender_name.as_deref(),
            reply_to: message.reply_to.as_ref().map(|message| message.as_str()),
            on_card: message.on_card.as_ref().map(|card| card.as_str()),
        }
    }

    pub(in crate::adapters::store) fn item(self) -> InboxItem {
        let message = ChatMessage {
            event: self.event.into(),
            message: self.message.into(),
            chat: self.chat.into(),
            chat_kind: self.chat_kind.into(),
            sender: self.sender.into(),
            sender_name: self.sender_name.map(Into::into),
            reply_to: self.reply_to.map(Into::into),
            on_card: self.on_card.map(Into::into),
            command: self.command.command(),
            locale: self.locale.into(),
            sent_at: Timestamp::from_ms(self.sent_at),
        };
        InboxItem { message, accepted_at: Timestamp::from_ms(self.accepted_at) }
    }
}

impl<'a> CommandRecord<'a> {
    fn of(command: &'a Command) -> Self {
        match command {
            Command::Ticket(id) => Self::Ticket(IdRecord::of(id)),
            Command::TicketUsage(text) => Self::TicketUsage(text),
            Command::Help => Self::Help,
            Command::Nothing => Self::Nothing,
            Command::Unknown(text) => Self::Unknown(text),
            Command::Said(verb, behind) => Self::Said(verb.name(), behind),
            Command::Overheard(verb, behind) => Self::Overheard(verb.name(), behind),
        }
    }

    fn command(self) -> Command {
        match self {
            Self::Ticket(id) => Command::Ticket(id.id()),
            Self::TicketUsage(text) => Command::TicketUsage(text.to_owned()),
            Self::Help => Command::Help,
            Self::NotBuilt(text) => Command::parse(text),
            Self::Nothing => Command::Nothing,
            Self::Unknown(text) => Command::Unknown(text.to_owned()),
            Self::Said(verb, behind) => said(verb, behind, Command::Said),
            Self::Overheard(verb, behind) => said(verb, behind, Command::Overheard),
        }
    }
}

/// A verb that this program does not know is one of a later one: it is answered as something unknown.
fn said(verb: &str, behind: &str, command: impl FnOnce(Verb, String) -> Command) -> Command {
    match Verb::from_name(verb) {
        Some(verb) => command(verb, behind.to_owned()),
        None => Command::Unknown(format!("/{verb}")),
    }
}
