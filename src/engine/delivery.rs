//! Sends what the desk decided: renders it at that moment, hands it to the platform, says what came of it. When it is
//! tried again, and whether at all, is not decided here.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    task::Poll,
};

use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::JoinSet,
    time::timeout,
};
use tracing::{debug, info, warn};

use crate::{
    adapters::{
        clock::Clock,
        feishu::{
            card::{self, CHAT_CARD_BYTES_MAX},
            client::Client,
            error::Error,
            webhook::Webhook,
        },
        outgoing,
        templates::library::Surroundings,
    },
    domain::{
        card::Card,
        card_text,
        delivery::{Delivered, Failure, FailureKind, HistoryFound, HistoryReport, SendReport},
        desk::{input::Input, outcome::Effect},
        id::{ChatId, MessageId, OpenId, ReceiverName, Subject},
        notice::{AnswerView, Content, NoticeKey, Send, Target},
        receiver::{PersonId, Receiver, ReceiverKind},
        text::{Locale, Message},
        time::{Span, Timestamp, Zone},
        typed,
    },
    engine::{
        busy::BusyGuard,
        chats::ChatsKnown,
        committer::Released,
        directory::Directory,
        doors::Doors,
        health::{self, Health},
        mentions::{Asked, DIRECTORY_TIME_MAX, masked},
        replies::{Answered, Replies},
        templating::Templating,
    },
};

/// Sends and searches under way at once, at most: as many as the desk lets go, so that none waits behind a channel that
/// does not answer.
pub const SENDS_MAX: usize = 128;

/// How long one send may take before its fate is unknown.
pub const SEND_TIME_MAX: Span = Span::from_secs(20);

/// How long a search of a chat's history may take: up to twenty pages.
pub const SEARCH_TIME_MAX: Span = Span::from_secs(60);

/// Where notices can go.
pub struct Outlets {
    /// The platform.
    pub client: Client,
    /// Custom bots, by receiver.
    pub webhooks: BTreeMap<ReceiverName, Webhook>,
    /// Those that are told over plain HTTP, by receiver.
    pub outgoing: BTreeMap<ReceiverName, outgoing::client::Client>,
    /// Who hears that passes are completed.
    pub heartbeat: Option<outgoing::heartbeat::Heartbeat>,
    /// The receivers.
    pub receivers: BTreeMap<ReceiverName, Receiver>,
    /// Sends and searches under way at once: [`SENDS_MAX`], or one where their order matters more than their pace.
    pub at_once: usize,
}

impl Outlets {
    /// The chats among the receivers.
    pub fn chats(&self) -> Arc<[ChatId]> {
        let chat = |receiver: &Receiver| match &receiver.kind {
            ReceiverKind::Chat(chat) => Some(chat.clone()),
            ReceiverKind::Webhook | ReceiverKind::Wecom | ReceiverKind::Http | ReceiverKind::Person(_) => None,
        };
        self.receivers.values().filter_map(chat).collect()
    }
}

/// What sends.
#[derive(Clone)]
pub struct Delivery {
    /// Where to.
    pub outlets: Arc<Outlets>,
    /// What cards are made from.
    pub templates: Templating,
    /// The clock.
    pub clock: Clock,
    /// The zone people read times in.
    pub zone: Zone,
    /// Where results go.
    pub doors: Doors,
    /// Counters.
    pub health: Arc<Health>,
    /// Turns true when nothing new is to be sent.
    pub stopping: watch::Receiver<bool>,
    /// What the chats are, and when that was read; nothing where it could not be.
    pub chats: Arc<ChatsKnown>,
    /// Who is who and who is where.
    pub directory: Directory,
    /// Who waits for an answer at the admin API.
    pub replies: Replies,
}

impl Delivery {
    /// Sends what is released, until the queue closes.
    pub async fn run(self, mut released: mpsc::UnboundedReceiver<Released>) {
        let permits = Arc::new(Semaphore::new(self.outlets.at_once.clamp(1, SENDS_MAX)));
        let mut under_way = JoinSet::new();
        while let Some((effect, guard)) = released.recv().await {
            while under_way.try_join_next().is_some() {}
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
            let delivery = self.clone();
            under_way.spawn(async move {
                let inputs = delivery.carry_out(effect).await;
                // Freed before the result is handed in: nobody who sends ever waits for the loop.
                drop(permit);
                delivery.report(inputs, guard).await;
            });
        }
    }

    async fn report(&self, inputs: Vec<Input>, guard: BusyGuard) {
        for input in inputs {
            if self.doors.events.send(input).await.is_err() {
                warn!("a send ended after the loop; the next start settles what became of it");
            }
        }
        drop(guard);
    }

    async fn carry_out(&self, effect: Effect) -> Vec<Input> {
        match effect {
            Effect::Send(send) => self.send(*send).await,
            Effect::SearchHistory { key, chat, reference, since } => {
                vec![Input::History(self.search(key, &chat, &reference, since).await)]
            }
            Effect::Answer(send) => {
                self.answer(&send);
                Vec::new()
            }
            // These never wait for a commit.
            Effect::ReadTicket(_) | Effect::ReadMessages(_) | Effect::ReadSource(_) | Effect::LookUp(_) => Vec::new(),
        }
    }

    /// Hands an answer to whoever waits for it at the admin API; of a ticket its card in words.
    fn answer(&self, send: &Send) {
        let (Subject::Message(question), Content::Answer(view)) = (&send.key.subject, &send.content) else { return };
        let answered = match view.as_ref() {
            AnswerView::Text(words) => Answered { words: words.clone(), ticket: None, turns: Vec::new() },
            AnswerView::Page(words, turns) => Answered { words: words.clone(), ticket: None, turns: turns.clone() },
            AnswerView::Ticket(view) => {
                let card = |locale| {
                    let card = self.templates.get().render(&Send { locale, ..send.clone() }, &self.surroundings()).card;
                    card_text::text(&Card { buttons: Vec::new(), ..card })
                };
                let words = Message::new(card(Locale::Zh), card(Locale::En));
                Answered { words, ticket: Some(view.clone()), turns: Vec::new() }
            }
        };
        self.replies.give(question, answered);
    }

    async fn send(&self, send: Send) -> Vec<Input> {
        let mut inputs = Vec::new();
        let result = if *self.stopping.borrow() {
            Err(failure(FailureKind::Unreachable, "服务正在停止", "the service is stopping"))
        } else {
            caught(self.render_and_hand_over(&send, &mut inputs)).await.unwrap_or_else(|Panicked| {
                Err(failure(FailureKind::Uncertain, "发送中断，日志里有位置", "sending broke off; the log says where"))
            })
        };
        match &result {
            Ok(_) => debug!(key = ?send.key, "sent"),
            Err(failure) => {
                health::add(&self.health.counters.sends_failed, 1);
                let NoticeKey { subject, rule, receiver, step, .. } = &send.key;
                let (step, kind) = (step.name(), failure.kind.name());
                warn!(%receiver, %rule, %subject, step, kind, reason = %failure.reason, "a send failed");
            }
        }
        inputs.push(Input::Sent(SendReport { key: send.key, rev: send.rev, attempts: send.attempts, result }));
        inputs
    }

    async fn render_and_hand_over(&self, send: &Send, inputs: &mut Vec<Input>) -> Result<Delivered, Failure> {
        let kept = self.keep_inside(send).await?;
        let send = kept.as_ref();
        let rendered = self.templates.get().render(send, &self.surroundings());
        if let Some(message) = rendered.trouble {
            health::add(&self.health.counters.renders_failed, 1);
            warn!(key = ?send.key, reason = %message, "a template failed; the built-in card is sent");
            inputs.push(Input::Trouble { name: "render_failed", message });
        }
        let mut card = rendered.card;
        // Asked before the send begins: what is not known in time is no doubt about the send.
        let ask = self.people_of(send);
        let asked = timeout(self.clock.to_wall(DIRECTORY_TIME_MAX), ask).await;
        let Asked { mentions, absent, addressee, trouble } = asked.unwrap_or_else(|_| Asked::in_vain(self, send));
        inputs.extend(trouble.map(|message| Input::Trouble { name: "person_unknown", message }));
        card.mentions = mentions;
        if send.masked {
            card = masked(card);
        }
        let addressee = addressee?;
        health::add(&self.health.counters.sends, 1);
        let sent = timeout(self.clock.to_wall(SEND_TIME_MAX), self.hand_over(send, &card, addressee))
            .await
            .unwrap_or_else(|_| Err(failure(FailureKind::Uncertain, "规定时间内没有回答", "no answer in time")));
        sent.map(|delivered| Delivered { absent, ..delivered })
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings { zone: self.zone, now: self.clock.now(), drill: false }
    }

    async fn hand_over(&self, send: &Send, card: &Card, addressee: Option<OpenId>) -> Result<Delivered, Failure> {
        let client = &self.outlets.client;
        let uuid = send.key.uuid();
        let json = || card::to_json(card, CHAT_CARD_BYTES_MAX);
        let told = |result: Result<MessageId, Error>| match result {
            Ok(id) => Ok(Delivered { message_id: Some(id), absent: Vec::new() }),
            Err(error) => Err(error.failure()),
        };
        match &send.target {
            Target::Post(name) => match self.kind_of(name) {
                Some(ReceiverKind::Chat(chat)) => told(client.create(&chat, &json(), &uuid).await),
                Some(ReceiverKind::Person(person)) => {
                    let person = addressee.map_or(person, PersonId::Open);
                    told(client.create_for(&person, &json(), &uuid).await)
                }
                Some(ReceiverKind::Webhook) => self.post(name, card, send.locale).await,
                Some(ReceiverKind::Wecom | ReceiverKind::Http) => self.post_out(name, send, card).await,
                None => Err(failure(
                    FailureKind::Refused,
                    format!("配置里没有接收方 {name}"),
                    format!("the configuration has no receiver {name}"),
                )),
            },
            Target::Reply(message) if self.is_topic_group(&send.key).await => {
                told(client.reply_in_thread(message, &json(), &uuid).await)
            }
            Target::Reply(message) => told(client.reply(message, &json(), &uuid).await),
            Target::Urge(message, how, _) => match addressee {
                Some(person) => match client.urge(message, *how, &person).await {
                    Ok(()) => Ok(Delivered { message_id: Some(message.clone()), absent: Vec::new() }),
                    Err(error) => Err(error.failure()),
                },
                None => Err(failure(FailureKind::Refused, "不知道要加急谁", "nobody knows whom to call up")),
            },
            Target::Patch(message) => match client.patch(message, &json()).await {
                Ok(()) => Ok(Delivered { message_id: Some(message.clone()), absent: Vec::new() }),
                Err(error) => Err(error.failure()),
            },
        }
    }

    /// What a receiver is; people who own tickets do not stand in the configuration.
    pub(super) fn kind_of(&self, name: &ReceiverName) -> Option<ReceiverKind> {
        let known = self.outlets.receivers.get(name).cloned();
        if known.is_none() && name.as_str().starts_with("oc_") {
            return Some(ReceiverKind::Chat(ChatId::from(name.as_str()))); // a chat that is greeted
        }
        known.or_else(|| Receiver::person(name, Locale::default())).map(|receiver| receiver.kind)
    }

    async fn post(&self, name: &ReceiverName, card: &Card, locale: Locale) -> Result<Delivered, Failure> {
        let webhook = self.outlets.webhooks.get(name).ok_or_else(|| no_address(name))?;
        let card = typed::without_presses(card, locale);
        webhook.post(&card).await.map(|()| Delivered::default()).map_err(|error| error.failure())
    }

    async fn post_out(&self, name: &ReceiverName, send: &Send, card: &Card) -> Result<Delivered, Failure> {
        let client = self.outlets.outgoing.get(name).ok_or_else(|| no_address(name))?;
        client.post(send, card).await.map(|()| Delivered::default()).map_err(|error| error.failure())
    }

    /// The chat a notice goes to; answers name theirs by its id.
    pub(super) fn chat_of(&self, key: &NoticeKey) -> Option<ChatId> {
        match self.outlets.receivers.get(&key.receiver).map(|receiver| &receiver.kind) {
            Some(ReceiverKind::Chat(chat)) => Some(chat.clone()),
            Some(ReceiverKind::Webhook | ReceiverKind::Wecom | ReceiverKind::Http | ReceiverKind::Person(_)) => None,
            None => key.receiver.as_str().starts_with("oc_").then(|| ChatId::from(key.receiver.as_str())),
        }
    }

    async fn search(&self, key: NoticeKey, chat: &ChatId, reference: &str, since: Timestamp) -> HistoryReport {
        let until = self.clock.now();
        let search = self.outlets.client.history_contains(chat, reference, since, until);
        let found = match timeout(self.clock.to_wall(SEARCH_TIME_MAX), search).await {
            Ok(Ok(Some(message))) => HistoryFound::There(message),
            Ok(Ok(None)) => HistoryFound::NotThere,
            Ok(Err(error)) => {
                info!(%chat, %error, "a chat's history cannot be read");
                HistoryFound::Unreadable
            }
            Err(_) => HistoryFound::Unreadable,
        };
        HistoryReport { key, found }
    }
}

/// The future panicked; the panic hook has said where.
struct Panicked;

/// Runs a future so that a panic in it is a result: a notice whose sending panicked must not stay in flight for ever.
async fn caught<T>(future: impl Future<Output = T>) -> Result<T, Panicked> {
    let mut future = pin!(future);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(_) => Poll::Ready(Err(Panicked)),
    })
    .await
}

fn no_address(name: &ReceiverName) -> Failure {
    failure(
        FailureKind::Refused,
        format!("接收方 {name} 没有地址：改了 receivers 要重启 deskbell"),
        format!("receiver {name} has no address: a change of `receivers` takes a restart of deskbell"),
    )
}

pub(super) fn failure(kind: FailureKind, zh: impl Into<String>, en: impl Into<String>) -> Failure {
    Failure { kind, retry_after: None, reason: Message::new(zh, en) }
}
