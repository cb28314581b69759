//! What is known of the chats that notices go to: whether they are topic groups, and whether people of other companies
//! read there.

use std::{borrow::Cow, sync::Mutex};

use tracing::debug;

use crate::{
    adapters::feishu::chats::ChatMode,
    domain::{
        delivery::{Failure, FailureKind},
        id::ChatId,
        notice::{AnswerView, Content, NoticeKey, Outside, Send},
        receiver::ReceiverKind,
        time::Span,
    },
    engine::{
        delivery::{Delivery, failure},
        remembered::{Flight, Remembered, Standing, locked},
    },
};

/// How long what was read of a chat is believed.
pub const CHAT_FRESH: Span = Span::from_hours(6);

/// How long a chat that cannot be read is left alone.
pub const CHAT_UNREADABLE_FOR: Span = Span::from_mins(10);

/// Chats that are remembered.
pub const CHATS_MAX: usize = 1_024;

/// Questions of others that are waited for, one after the other, before the last answer is taken.
const ROUNDS_MAX: usize = 3;

/// Chats as they were read last; nothing where one could not be.
pub struct ChatsKnown(Mutex<Remembered<ChatId, Option<ChatKnown>>>);

impl Default for ChatsKnown {
    fn default() -> Self {
        Self(Mutex::new(Remembered::new(CHATS_MAX)))
    }
}

/// What a chat is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChatKnown {
    /// Replies go into topics.
    pub topic: bool,
    /// People of other companies read there.
    pub external: bool,
}

impl Delivery {
    /// Whether a reply belongs into a thread. A chat that cannot be asked is taken for an ordinary group: there a
    /// thread would hide the reply (`facts/feishu.md §15`).
    pub(super) async fn is_topic_group(&self, key: &NoticeKey) -> bool {
        match self.chat_of(key) {
            Some(chat) => self.known(&chat).await.topic,
            None => false,
        }
    }

    /// Keeps from people of other companies what the desk does not let them read, unless the configuration says that
    /// they may: then the notice has nothing of the guest in it. Gives what is sent. A chat that cannot be read counts as
    /// one of the company's own.
    ///
    /// # Errors
    /// The chat is external and not allowed, and nothing of it may be read there.
    pub(super) async fn keep_inside<'a>(&self, send: &'a Send) -> Result<Cow<'a, Send>, Failure> {
        let Some(chat) = self.chat_of(&send.key).filter(|_| send.outside != Outside::Whole) else {
            return Ok(Cow::Borrowed(send));
        };
        let allowed =
            self.outlets.receivers.values().any(|receiver| {
                receiver.external && matches!(&receiver.kind, ReceiverKind::Chat(known) if *known == chat)
            });
        if allowed || !self.known(&chat).await.external {
            return Ok(Cow::Borrowed(send));
        }
        if let Outside::Instead(words) = &send.outside {
            let content = Content::Answer(Box::new(AnswerView::Text(words.clone())));
            return Ok(Cow::Owned(Send { content, ..send.clone() }));
        }
        Err(failure(
            FailureKind::Setup,
            format!(
                "群 {chat} 是外部群，没有发。要发（不含客户的内容），在它的接收方里写 external: true，然后重启 deskbell"
            ),
            format!(
                "chat {chat} is external: nothing was sent. To allow it, without anything of the guest, write \
                 `external: true` in its receiver and restart deskbell"
            ),
        ))
    }

    /// What a chat is: asked once at a time, whoever else wants to know waits for the same answer.
    async fn known(&self, chat: &ChatId) -> ChatKnown {
        let memory = &self.chats.0;
        let fresh = |known: &Option<ChatKnown>| known.map_or(CHAT_UNREADABLE_FOR, |_| CHAT_FRESH);
        for _ in 0..ROUNDS_MAX {
            let (flight, ready) = {
                let mut known = locked(memory);
                match known.standing(chat, self.clock.now(), fresh) {
                    Standing::Known(known) => return known.unwrap_or_default(),
                    Standing::Refused(_) => break, // whoever asked gave up
                    Standing::Asked(ready) => (None, Some(ready)),
                    Standing::Unknown => {
                        (Some(Flight::begin(memory, &mut known, vec![chat.clone()], &self.clock)), None)
                    }
                }
            };
            if let Some(flight) = flight {
                return self.ask_for_chat(flight, chat).await;
            }
            if let Some(mut ready) = ready {
                ready.changed().await.ok(); // it ends with the question
            }
        }
        locked(memory).last(chat).copied().flatten().unwrap_or_default()
    }

    async fn ask_for_chat(&self, flight: Flight<'_, ChatId, Option<ChatKnown>>, chat: &ChatId) -> ChatKnown {
        let answer = self.outlets.client.chat(chat).await;
        let mut memory = locked(&self.chats.0);
        let read = match answer {
            Ok(detail) => Some(ChatKnown { topic: detail.mode == ChatMode::Topic, external: detail.external }),
            Err(error) => {
                debug!(%chat, %error, "what kind of chat it is cannot be read");
                memory.last(chat).copied().flatten()
            }
        };
        memory.learn(chat, self.clock.now(), read);
        drop(memory);
        drop(flight);
        read.unwrap_or_default()
    }
}
