//! Messages accepted and not yet answered: any of them.

use proptest::{prelude::*, sample::select};

use super::{at, text};
use crate::domain::{
    command::{
        Command,
        verb::{VERBS, Verb},
    },
    desk::{
        input::{ChatKind, ChatMessage},
        state::InboxItem,
    },
    id::TicketId,
    text::Locale,
};

fn verb() -> impl Strategy<Value = Verb> {
    select(VERBS.iter().map(|(verb, ..)| *verb).collect::<Vec<_>>())
}

pub(super) fn item() -> BoxedStrategy<InboxItem> {
    let command = prop_oneof![
        text().prop_map(|id| Command::Ticket(TicketId::new(id))),
        text().prop_map(Command::TicketUsage),
        Just(Command::Help),
        Just(Command::Nothing),
        text().prop_map(Command::Unknown),
        (verb(), text()).prop_map(|(verb, behind)| Command::Said(verb, behind)),
        (verb(), text()).prop_map(|(verb, behind)| Command::Overheard(verb, behind)),
    ];
    let kind = select(vec![ChatKind::Group, ChatKind::Direct]);
    let locale = select(vec![Locale::Zh, Locale::En]);
    (text(), text(), text(), kind, text(), command, locale, (at(), at()))
        .prop_map(|(event, message, chat, chat_kind, sender, command, locale, (sent_at, accepted_at))| InboxItem {
            message: ChatMessage {
                event: event.as_str().into(),
                message: message.as_str().into(),
                chat: chat.as_str().into(),
                chat_kind,
                sender: sender.as_str().into(),
                sender_name: None,
                reply_to: Some(chat.as_str().into()),
                on_card: Some(message.as_str().into()).filter(|_| chat_kind == ChatKind::Direct),
                command,
                locale,
                sent_at,
            },
            accepted_at,
        })
        .boxed()
}
