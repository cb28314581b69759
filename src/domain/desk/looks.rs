//! What people asked, in the journal: who, where, when, for which ticket or with which command. The story of a ticket
//! leaves these lines out unless it is asked for them.

use crate::domain::{
    command::{Command, tickets::Query, verb::Verb},
    deed::{Act, Place},
    desk::{
        input::{ChatKind, ChatMessage},
        machine::Desk,
        outcome::Write,
        state::Answer,
    },
    id::{ChatId, Subject},
    receiver::ReceiverKind,
    text::Message,
    time::Timestamp,
};

/// Lines about what a person did.
const DONE: [&str; 11] = [
    "taken",
    "released",
    "ended",
    "snoozed",
    "silenced",
    "silence_over",
    "retried",
    "dead_dropped",
    "cover",
    "roster_confirmed",
    "forgotten",
];

impl Desk {
    /// Notes what someone asked and is answered now. What they did has a line of its own, and what is no question about
    /// tickets or alerts has none.
    pub(super) fn note_look(&mut self, question: &ChatMessage, answer: &Answer, now: Timestamp) {
        let Some(asked) = asked(&question.command, false) else { return };
        let (who, place) =
            (self.people.named(&question.by()).words(), self.place_words(&question.chat, question.chat_kind));
        match answer {
            Answer::Ticket(key) => {
                let note = Message::new(
                    format!("{} {}看了这张工单", who.zh, place.zh),
                    format!("{} looked at this ticket {}", who.en, place.en),
                );
                self.journal(now, (&Subject::Ticket(key.clone()), None, 0), "looked", note);
            }
            _ => {
                let note = Message::new(
                    format!("{} {}问了 {asked}", who.zh, place.zh),
                    format!("{} asked {asked} {}", who.en, place.en),
                );
                self.journal(now, (&Subject::Service, None, 0), "looked", note);
            }
        }
    }

    /// Notes what someone may not ask there. It says nothing of whether there is such a ticket.
    pub(super) fn note_denial(&mut self, question: &ChatMessage, now: Timestamp) {
        let Some(asked) = asked(&question.command, true) else { return };
        let (who, place) =
            (self.people.named(&question.by()).words(), self.place_words(&question.chat, question.chat_kind));
        let note = Message::new(
            format!("{} {}写 {asked}，没有权限", who.zh, place.zh),
            format!("{} may not write {asked} {}", who.en, place.en),
        );
        self.journal(now, (&Subject::Service, None, 0), "denied", note);
    }

    /// Notes that someone may not act there.
    pub(super) fn note_refusal(&mut self, act: &Act, now: Timestamp) {
        let Place::Chat(chat, kind) = &act.place else { return };
        let (who, place) = (act.by.words(), self.place_words(chat, *kind));
        let note = Message::new(
            format!("{} {}想处理提醒，没有权限", who.zh, place.zh),
            format!("{} may not act on alerts {}", who.en, place.en),
        );
        self.journal(now, (&Subject::Service, None, 0), "denied", note);
    }

    /// Adds where a person did something to the lines that say so, those after the first `before` writes.
    pub(super) fn note_place(&mut self, act: &Act, before: usize) {
        let Place::Chat(chat, kind) = &act.place else { return };
        if chat.as_str().is_empty() {
            return; // the platform did not say
        }
        let place = self.place_words(chat, *kind);
        for write in self.out.writes.iter_mut().skip(before) {
            if let Write::Journal(entry) = write
                && DONE.contains(&entry.what)
            {
                entry.note.zh.push_str(&format!("（{}）", place.zh));
                entry.note.en.push_str(&format!(" ({})", place.en));
            }
        }
    }

    /// Where something was asked or done: the receiver whose chat it is, else the chat's id.
    fn place_words(&self, chat: &ChatId, kind: ChatKind) -> Message {
        match kind {
            ChatKind::Admin => Message::new("经管理 API", "over the admin API"),
            ChatKind::Direct => Message::new("在单聊里", "in their direct chat"),
            ChatKind::Group => {
                let name = self.chat_named(chat);
                Message::new(format!("在群 {name} 里"), format!("in chat {name}"))
            }
        }
    }

    fn chat_named(&self, chat: &ChatId) -> String {
        let is_it = |kind: &ReceiverKind| matches!(kind, ReceiverKind::Chat(known) if known == chat);
        let receiver = self.settings.receivers.values().find(|receiver| is_it(&receiver.kind));
        receiver.map_or_else(|| chat.to_string(), |receiver| receiver.name.to_string())
    }
}

/// The command in the journal: of what stands behind a name nothing is kept, for it may be a guest's.
fn asked(command: &Command, denied: bool) -> Option<String> {
    match command {
        Command::Ticket(id) => Some(format!("/ticket {id}")),
        Command::Said(Verb::Tickets, behind) => {
            let ids = Query::read(behind).map(|query| query.ids).unwrap_or_default();
            Some(ids.iter().fold("/tickets".to_string(), |asked, id| format!("{asked} {id}")))
        }
        Command::Said(verb, _) | Command::Overheard(verb, _) if denied || !verb.acts() => {
            Some(format!("/{}", verb.name()))
        }
        _ => None,
    }
}
