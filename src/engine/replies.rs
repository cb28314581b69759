//! Answers to questions that came over the admin API: whoever waits for one gets it instead of a chat.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use crate::{
    domain::{
        card::Turn,
        command::Command,
        desk::input::{ChatKind, ChatMessage},
        id::{ChatId, EventId, MessageId, OpenId},
        notice::TicketView,
        text::{Locale, Message},
        ticket::Text,
        time::{Span, Timestamp},
    },
    engine::lookup::LOOKUP_TIME_MAX,
};

/// Questions over the API that are answered at once.
pub const WAITING_MAX: usize = 64;

/// How long a question waits for its answer: a lookup's own time, and what lies around it.
pub const LOOK_UP_TIME_MAX: Span = Span::from_secs(LOOKUP_TIME_MAX.as_secs() + 3);

/// What stands for a chat where there is none.
const ADMIN: &str = "admin";

/// A question at the admin API.
#[derive(Clone, Debug)]
pub struct ApiQuestion {
    /// The same for the same question: a deed in it is done once.
    pub id: MessageId,
    /// Who asks.
    pub by: Text,
    /// What.
    pub command: Command,
    /// The language they ask in.
    pub locale: Locale,
}

impl ApiQuestion {
    /// The question as the desk takes it.
    pub fn message(self, now: Timestamp) -> ChatMessage {
        ChatMessage {
            event: EventId::new(self.id.as_str()),
            message: self.id,
            chat: ChatId::from(ADMIN),
            chat_kind: ChatKind::Admin,
            sender: OpenId::from(""),
            sender_name: Some(self.by),
            reply_to: None,
            on_card: None,
            command: self.command,
            locale: self.locale,
            sent_at: now,
        }
    }
}

/// An answer, ready to be shown.
#[derive(Clone, Debug)]
pub struct Answered {
    /// What would stand in the chat, in both languages.
    pub words: Message,
    /// The ticket, where one is shown, as far as it may be.
    pub ticket: Option<Box<TicketView>>,
    /// The further pages of a list.
    pub turns: Vec<Turn>,
}

/// Who waits for an answer. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Replies(Arc<Mutex<BTreeMap<MessageId, oneshot::Sender<Answered>>>>);

/// A place among those who wait; given back when dropped.
#[derive(Debug)]
pub struct Place {
    replies: Replies,
    question: MessageId,
    answer: oneshot::Receiver<Answered>,
}

impl Replies {
    /// Takes a place for a question; nothing where too many wait, or the same question is being answered.
    pub fn wait(&self, question: &MessageId) -> Option<Place> {
        let (give, answer) = oneshot::channel();
        let mut waiting = self.waiting();
        if waiting.len() >= WAITING_MAX || waiting.contains_key(question) {
            return None;
        }
        waiting.insert(question.clone(), give);
        Some(Place { replies: self.clone(), question: question.clone(), answer })
    }

    /// Hands an answer to whoever waits for it.
    pub fn give(&self, question: &MessageId, answer: Answered) {
        if let Some(give) = self.waiting().remove(question) {
            give.send(answer).ok(); // gone meanwhile: nobody waits for it
        }
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<MessageId, oneshot::Sender<Answered>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The answer; nothing where it never comes.
    pub async fn answer(&mut self) -> Option<Answered> {
        (&mut self.answer).await.ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.replies.waiting().remove(&self.question);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered() -> Answered {
        Answered { words: Message::new("好", "yes"), ticket: None, turns: Vec::new() }
    }

    #[tokio::test]
    async fn an_answer_reaches_who_waits_and_places_come_back() {
        let replies = Replies::default();
        let id = |number: usize| MessageId::new(format!("api:{number}"));
        let mut place = replies.wait(&id(0)).unwrap();
        assert!(replies.wait(&id(0)).is_none(), "it is being answered");
        replies.give(&id(1), answered()); // nobody waits
        replies.give(&id(0), answered());
        assert_eq!(place.answer().await.unwrap().words.en, "yes");
        drop(place);
        let mut places: Vec<Place> = (0..WAITING_MAX).map(|number| replies.wait(&id(number)).unwrap()).collect();
        assert!(replies.wait(&id(WAITING_MAX)).is_none(), "too many wait");
        places.pop();
        assert!(replies.wait(&id(WAITING_MAX)).is_some());
    }
}
