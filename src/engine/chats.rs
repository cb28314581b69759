//! What is known of the chats that notices go to: whether they are topic groups, and whether people of other companies
//! read there.

use std::{borrow::Cow, collections::BTreeMap, sync::PoisonError};

use tracing::debug;

use crate::{
    adapters::feishu::chats::ChatMode,
    domain::{
        delivery::{Failure, FailureKind},
        id::ChatId,
        notice::{AnswerView, Content, NoticeKey, Outside, Send},
        receiver::ReceiverKind,
        time::{Span, Timestamp},
    },
    engine::delivery::{Delivery, failure},
};

/// How long what was read of a chat is believed.
pub const CHAT_FRESH: Span = Span::from_hours(6);

/// How long a chat that cannot be read is left alone.
pub const CHAT_UNREADABLE_FOR: Span = Span::from_mins(10);

/// Chats that are remembered.
pub const CHATS_MAX: usize = 1_024;

/// Chats as they were read last, and when; nothing where one could not be.
pub type ChatsKnown = BTreeMap<ChatId, (Timestamp, Option<ChatKnown>)>;

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

    async fn known(&self, chat: &ChatId) -> ChatKnown {
        let now = self.clock.now();
        let before = self.chats.lock().unwrap_or_else(PoisonError::into_inner).get(chat).copied();
        let fresh = |known: Option<ChatKnown>| known.map_or(CHAT_UNREADABLE_FOR, |_| CHAT_FRESH);
        if let Some((read_at, known)) = before
            && now.since(read_at) < fresh(known)
        {
            return known.unwrap_or_default();
        }
        let read = match self.outlets.client.chat(chat).await {
            Ok(detail) => Some(ChatKnown { topic: detail.mode == ChatMode::Topic, external: detail.external }),
            Err(error) => {
                debug!(%chat, %error, "what kind of chat it is cannot be read");
                before.and_then(|(_, known)| known)
            }
        };
        let mut chats = self.chats.lock().unwrap_or_else(PoisonError::into_inner);
        if chats.len() >= CHATS_MAX {
            chats.pop_first();
        }
        chats.insert(chat.clone(), (now, read));
        read.unwrap_or_default()
    }
}
