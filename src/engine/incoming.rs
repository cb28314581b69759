//! What the platform tells of people: what they write is handed in, what they click is done. The same for callbacks over
//! HTTP and for the long connection, which only carry the answer. Nothing is called taken before it is durable.

use std::{pin::Pin, sync::Arc};

use serde_json::Value;
use tokio::time::timeout;

use crate::{
    adapters::{
        clock::Clock,
        feishu::{
            click::{self, Click, Form, Pressed},
            event::Event,
            received::Incoming,
            ticket_event::TicketEvent,
        },
    },
    domain::{
        actor::Actor,
        card::{Card, Question},
        command::{Command, language},
        deed::{Act, Deed, Place, Tone},
        desk::input::{Added, ChatKind, ChatMessage},
        id::{ChatId, EventId},
        receiver::Locales,
        text::{Locale, Message, Words},
        time::{Span, Timestamp},
    },
    engine::{
        doors::Refused,
        port::{ActAnswer, Port},
    },
};

/// Hands a message to the engine; ready when its fate is known.
pub type Submit = Arc<dyn Fn(ChatMessage) -> Pin<Box<dyn Future<Output = Submitted> + Send>> + Send + Sync>;

/// Hands in what a person did; ready when it is durable, with what became of it, or with why it is not.
pub type Do = Arc<dyn Fn(Act) -> Pin<Box<dyn Future<Output = Result<ActAnswer, Refused>> + Send>> + Send + Sync>;

/// Hands in what was told of a ticket, or says why not.
pub type News = Arc<dyn Fn(TicketEvent) -> Result<(), Refused> + Send + Sync>;

/// Hands in that the bot was added to a chat; ready when its fate is known.
pub type Join = Arc<dyn Fn(Added) -> Pin<Box<dyn Future<Output = Submitted> + Send>> + Send + Sync>;

/// How long the engine may take to store a message, from its arrival. The platform waits 3 s in all
/// (`facts/feishu.md §5.5`).
pub const STORE_MAX: Span = Span::from_ms(2_500);

/// How long a click waits for its answer, from its arrival. The platform gives up after 3 s, both ways on the network
/// included (`facts/feishu.md §5.7`); what is not ready by then follows as an update of the card.
pub const CLICK_ANSWER_MAX: Span = Span::from_secs(2);

/// What whoever clicked is told who is not answered in time: it is done all the same.
const UPDATING: Words = Words {
    zh: "已收到，正在更新；几秒后卡片还没变，请再点一次",
    en: "Received, updating; if the card has not changed in a few seconds, please click again",
};

/// What whoever clicked is told when the store takes no writes, or too much is waiting.
const NOT_SAVED: Words = Words {
    zh: "没有保存，什么都没有改变。请稍后再点一次；一直这样请告诉管理员",
    en: "Not saved, nothing has changed. Please click again in a moment; if it stays like this tell the administrator",
};

/// What whoever clicked is told whose click cannot be read.
const NOT_READ: Words = Words {
    zh: "这个按钮没有读懂，什么都没有改变。可以在卡片上回复“我来”，或写 /help",
    en: "This button could not be read, nothing has changed. Reply \"on it\" on the card, or write /help",
};

/// The fate of a message handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// It is stored: an answer follows, whatever happens.
    Durable,
    /// It is not stored (the engine is busy, stopping, or cannot write): the platform must send it again.
    Refused,
}

/// Takes what arrives from people. Clones take it for the same engine.
#[derive(Clone)]
pub struct Reception {
    /// Takes what people write.
    pub submit: Submit,
    /// Does what people click.
    pub act: Do,
    /// Takes what is told of tickets.
    pub news: News,
    /// Takes that the bot was added to a chat.
    pub added: Join,
    /// The time.
    pub clock: Clock,
    /// The language of answers to people who show none.
    pub locales: Locales,
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    /// Its fate.
    pub fate: Fate,
    /// What whoever clicked is shown; absent for what is no click.
    pub answer: Option<Value>,
}

/// The fate of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is durable.
    Accepted,
    /// Nothing is done about it.
    Ignored,
    /// It is not durable: without an answer to show, the platform must send it again.
    Refused,
}

impl Reception {
    /// Takes events for an engine.
    pub fn of(port: Port, clock: Clock, locales: impl Into<Locales>) -> Self {
        let locales = locales.into();
        let writing = port.clone();
        let submit: Submit = Arc::new(move |message| {
            let port = writing.clone();
            // Why not is logged where it is answered.
            Box::pin(async move { port.submit(message).await.map_or(Submitted::Refused, |()| Submitted::Durable) })
        });
        let telling = port.clone();
        let news: News = Arc::new(move |news| telling.ticket_news(news));
        let joining = port.clone();
        let added: Join = Arc::new(move |added| {
            let port = joining.clone();
            Box::pin(async move { port.added(added).await.map_or(Submitted::Refused, |()| Submitted::Durable) })
        });
        let act: Do = Arc::new(move |act| {
            let port = port.clone();
            Box::pin(async move { port.act(act).await })
        });
        Self { submit, act, news, added, clock, locales }
    }

    /// Takes an event that came at `came_at`; ready in time for the platform's patience.
    pub async fn take(&self, event: Event, came_at: Timestamp) -> Taken {
        match event {
            Event::Message(incoming) => match question(*incoming, &self.locales) {
                Some(message) => self.written(message, came_at).await,
                None => Taken { fate: Fate::Ignored, answer: None },
            },
            Event::Ticket(news) => match (self.news)(*news) {
                Ok(()) => Taken { fate: Fate::Accepted, answer: None },
                Err(refused) => {
                    tracing::warn!(reason = %refused, "news of a ticket were not taken; the next poll shows it");
                    Taken { fate: Fate::Refused, answer: None }
                }
            },
            Event::Added(added) => self.greeted(*added, came_at).await,
            Event::Click(form, Some(click)) => match click.pressed.clone() {
                Pressed::Ask(question) => self.asked(form, *click, question, came_at).await,
                Pressed::Act(_) => self.clicked(form, Some(*click), came_at).await,
            },
            Event::Click(form, None) => self.clicked(form, None, came_at).await,
            Event::Ignored { .. } => Taken { fate: Fate::Ignored, answer: None },
        }
    }

    async fn written(&self, message: ChatMessage, came_at: Timestamp) -> Taken {
        let left = STORE_MAX.less(self.clock.now().since(came_at));
        let fate = timeout(self.clock.to_wall(left), (self.submit)(message)).await;
        if fate == Ok(Submitted::Durable) {
            return Taken { fate: Fate::Accepted, answer: None };
        }
        tracing::warn!(in_time = fate.is_ok(), "a message could not be stored; the platform will send it again");
        Taken { fate: Fate::Refused, answer: None }
    }

    async fn greeted(&self, added: Added, came_at: Timestamp) -> Taken {
        let left = STORE_MAX.less(self.clock.now().since(came_at));
        let fate = timeout(self.clock.to_wall(left), (self.added)(added)).await;
        let fate = if fate == Ok(Submitted::Durable) { Fate::Accepted } else { Fate::Refused };
        Taken { fate, answer: None }
    }

    /// Takes the question of a button. The answer changes the card when it is there: that a click changes nothing itself
    /// shows whoever clicked nothing.
    async fn asked(&self, form: Form, click: Click, question: Question, came_at: Timestamp) -> Taken {
        let Some(message) = question_of(click, &question, came_at) else {
            let words = type_it(&question);
            return told(Fate::Ignored, form, Some((Tone::Refused, &words)), None, question.locale);
        };
        match self.written(message, came_at).await.fate {
            Fate::Accepted => told(Fate::Accepted, form, None, None, question.locale),
            fate => told(fate, form, Some((Tone::Refused, &NOT_SAVED.into())), None, question.locale),
        }
    }

    /// Does what a click asks for. It is always answered: anything else shows whoever clicked a bare error number.
    async fn clicked(&self, form: Form, click: Option<Click>, came_at: Timestamp) -> Taken {
        let Some(act) = click.and_then(|click| deed(click, &self.locales)) else {
            return told(Fate::Ignored, form, Some((Tone::Refused, &NOT_READ.into())), None, Locale::Zh);
        };
        let (looks, locale) = (matches!(act.deed, Deed::Look(..)), act.locale);
        let fate = tokio::select! {
            biased;
            fate = (self.act)(act) => Some(fate),
            () = self.clock.sleep_until(came_at.plus(CLICK_ANSWER_MAX)) => None,
        };
        match fate {
            Some(Ok(answer)) => {
                // Whoever only looks sees what they asked for on the card.
                let is_silent = looks && answer.tone == Tone::Done && answer.card.is_some();
                let toast = (!is_silent).then_some((answer.tone, &answer.words));
                told(Fate::Accepted, form, toast, answer.card.as_ref(), locale)
            }
            Some(Err(refused)) => {
                tracing::warn!(reason = %refused, "a click was not taken");
                told(Fate::Refused, form, Some((Tone::Refused, &NOT_SAVED.into())), None, locale)
            }
            None => {
                tracing::warn!("a click was not answered in time; the card's update follows");
                told(Fate::Accepted, form, Some((Tone::Already, &UPDATING.into())), None, locale)
            }
        }
    }
}

/// The message as a question to the bot; nothing when it is not meant for it or needs no answer.
fn question(incoming: Incoming, locales: &Locales) -> Option<ChatMessage> {
    let to_bot = incoming.mentions_bot || incoming.chat_kind == ChatKind::Direct;
    let says_something = incoming.mentions_bot || !incoming.text.trim().is_empty();
    let command = match &incoming.reply_to {
        _ if !says_something => return None,
        // What is said to nobody arrives only where the app may read whole groups (`im:message.group_msg`).
        Some(_) => Command::parse_reply(&incoming.text, to_bot),
        None if to_bot => Command::parse(&incoming.text),
        None => return None,
    };
    let locale = language(&incoming.text).unwrap_or_else(|| locales.at(&incoming.chat));
    (command != Command::Nothing).then_some(ChatMessage {
        event: incoming.event,
        message: incoming.message,
        chat: incoming.chat,
        chat_kind: incoming.chat_kind,
        sender: incoming.sender,
        sender_name: None,
        reply_to: incoming.reply_to,
        on_card: None,
        locale,
        command,
        sent_at: incoming.sent_at,
    })
}

/// The question of a button; nothing where the platform does not say on which card, or the card is of another version
/// and asks nothing that is understood.
fn question_of(click: Click, question: &Question, came_at: Timestamp) -> Option<ChatMessage> {
    let Click { id, by, chat, message, .. } = click;
    let command = Command::parse(&question.text);
    let asks = matches!(command, Command::Ticket(_) | Command::Said(..));
    asks.then_some(ChatMessage {
        event: EventId::new(id.as_str()),
        message: id,
        chat: chat?,
        chat_kind: if question.is_direct { ChatKind::Direct } else { ChatKind::Group },
        sender: by,
        sender_name: None,
        reply_to: None,
        on_card: Some(message?),
        command,
        locale: question.locale,
        // A click has no time of its own.
        sent_at: came_at,
    })
}

/// What whoever clicked is told whose question cannot be answered on the card.
fn type_it(question: &Question) -> Message {
    let typed = &question.text;
    Message::new(
        format!("这个按钮现在用不了，什么都没有改变。请直接发：{typed}"),
        format!("This button cannot be used now, nothing has changed. Please write: {typed}"),
    )
}

/// The click as a deed.
fn deed(click: Click, locales: &Locales) -> Option<Act> {
    let Click { id, by, chat, message, pressed } = click;
    let Pressed::Act(pressed) = pressed else { return None };
    // Whether it is a direct chat the platform does not say; the desk knows its receivers' chats from others.
    let chat = chat.unwrap_or_else(|| ChatId::from(""));
    let locale = locales.at(&chat);
    let place = Place::Chat(chat, ChatKind::Group);
    let clicked = message.filter(|_| !pressed.on_reply);
    let deed = Deed::of_press(pressed.press, pressed.alert, pressed.episode, locale)?;
    Some(Act { id, by: Actor::person(by), place, clicked, deed, locale })
}

fn told(fate: Fate, form: Form, toast: Option<(Tone, &Message)>, card: Option<&Card>, locale: Locale) -> Taken {
    Taken { fate, answer: Some(click::answer(form, toast, card, locale)) }
}
