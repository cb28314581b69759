//! What a running engine is asked and told through: its doors from outside.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::timeout,
};
use tracing::{info, warn};

use crate::{
    adapters::{
        clock::Clock,
        feishu::ticket_event::TicketEvent,
        rulebook::{
            alone::{asked_condition, typed_condition},
            names::Names,
        },
        templates::library::{Surroundings, Templates},
    },
    domain::{
        card::Card,
        chronicle::{JournalLine, LinesOf},
        condition::Condition,
        deed::{Act, Acted, Tone},
        desk::input::{Added, ChatMessage, Input, NewRules, TicketNews},
        explain::explanation::Explained,
        id::SourceName,
        text::Message,
        time::Zone,
    },
    engine::{
        asks::{Ask, Back},
        busy::Busy,
        doors::{Doors, Refused, Urgent},
        health::{self, Health},
        reading::JournalReader,
        replies::{Answered, ApiQuestion, LOOK_UP_TIME_MAX, Replies},
        templating::Templating,
        view::{Published, Shown},
    },
};

/// What a running engine is asked and told through; clones are the same engine.
#[derive(Clone)]
pub struct Port {
    pub(super) doors: Doors,
    pub(super) published: Arc<Published>,
    pub(super) health: Arc<Health>,
    pub(super) busy: Busy,
    pub(super) templates: Templating,
    pub(super) names: Arc<ArcSwap<Names>>,
    pub(super) clock: Clock,
    pub(super) zone: Zone,
    pub(super) stopping: watch::Receiver<bool>,
    pub(super) journal: JournalReader,
    pub(super) replies: Replies,
    /// Which source a helpdesk is.
    pub(super) helpdesks: Arc<BTreeMap<String, SourceName>>,
}

/// What became of a person's deed, ready to be shown.
#[derive(Clone, Debug)]
pub struct ActAnswer {
    /// How it went.
    pub tone: Tone,
    /// A sentence for whoever did it.
    pub words: Message,
    /// The card they acted on as it is now; absent where they acted on none.
    pub card: Option<Card>,
}

impl Port {
    /// Hands in a message of a person; returns once it is durable.
    ///
    /// # Errors
    /// Why it was not accepted; the platform should deliver it again.
    pub async fn submit(&self, message: ChatMessage) -> Result<(), Refused> {
        self.hand_in(Input::Message(message)).await.map(|_| ())
    }

    /// Hands in that the bot was added to a chat; returns once it is durable.
    ///
    /// # Errors
    /// Why it was not accepted; the platform should deliver it again.
    pub async fn added(&self, added: Added) -> Result<(), Refused> {
        self.hand_in(Input::Added(added)).await.map(|_| ())
    }

    /// Hands in that something happened to a ticket of a helpdesk. Nothing of it is kept: what is lost, the next poll
    /// shows.
    ///
    /// # Errors
    /// Too much is waiting; the platform should deliver it again.
    pub fn ticket_news(&self, news: TicketEvent) -> Result<(), Refused> {
        let TicketEvent { helpdesk, ticket, moved_at, said } = news;
        let source = match helpdesk {
            None => None,
            Some(helpdesk) => match self.helpdesks.get(&helpdesk) {
                Some(source) => Some(source.clone()),
                None => return Ok(()), // a helpdesk that nobody watches
            },
        };
        let input = Input::TicketNews(TicketNews { source, ticket, moved_at, said });
        self.doors.events.try_send(input).map_err(|_| Refused::Full)
    }

    /// Hands in what a person did; returns once it is durable, with what became of it and the card as it is now.
    ///
    /// # Errors
    /// Why it was not accepted: nothing was done.
    pub async fn act(&self, act: Act) -> Result<ActAnswer, Refused> {
        let Acted { tone, words, card } = self.hand_in(Input::Act(Box::new(act))).await?.ok_or(Refused::Stopping)?;
        let Some(send) = card else { return Ok(ActAnswer { tone, words, card: None }) };
        let around = Surroundings { zone: self.zone, now: self.clock.now(), drill: false };
        let rendered = self.templates.get().render(&send, &around);
        if let Some(trouble) = rendered.trouble {
            // The update that follows fails in the same way, and tells operations.
            health::add(&self.health.counters.renders_failed, 1);
            warn!(key = ?send.key, reason = %trouble, "a template failed; whoever clicked sees the built-in card");
        }
        Ok(ActAnswer { tone, words, card: Some(rendered.card) })
    }

    /// Answers what someone would type in a chat, as the desk answers it there; what it did is durable by then.
    ///
    /// # Errors
    /// Too many ask at once, or no answer came in time.
    pub async fn look_up(&self, asked: ApiQuestion) -> Result<Answered, Refused> {
        let mut place = self.replies.wait(&asked.id).ok_or(Refused::Full)?;
        let message = asked.message(self.clock.now());
        self.submit(message).await?;
        let answer = timeout(self.clock.to_wall(LOOK_UP_TIME_MAX), place.answer()).await;
        answer.ok().flatten().ok_or(Refused::Full)
    }

    async fn hand_in(&self, input: Input) -> Result<Option<Acted>, Refused> {
        if *self.stopping.borrow() {
            return Err(Refused::Stopping);
        }
        if !self.health.store_takes_writes() {
            return Err(Refused::Store);
        }
        let (reply, answer) = oneshot::channel();
        let urgent = Urgent { input, reply: Some(reply) };
        self.doors.urgent.try_send(urgent).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Refused::Full,
            mpsc::error::TrySendError::Closed(_) => Refused::Stopping,
        })?;
        answer.await.unwrap_or(Err(Refused::Stopping))
    }

    /// What the rules (or the one named) say of a ticket; nothing where too many ask, or the engine stops.
    pub async fn explain(&self, ticket: String, rule: Option<String>) -> Option<Result<Explained, Message>> {
        self.ask(|reply| Ask::Explain { ticket, rule, reply }).await
    }

    /// Asks something that changes nothing; nothing where too many ask, or the engine stops.
    pub async fn ask<T>(&self, question: impl FnOnce(Back<T>) -> Ask + Send) -> Option<Result<T, Message>> {
        let (reply, answer) = oneshot::channel();
        self.doors.questions.try_send(question(reply)).ok()?;
        answer.await.ok()
    }

    /// The last lines of the journal that are meant, newest first; nothing where too many read already.
    pub async fn journal(&self, of: LinesOf, limit: usize) -> Option<Result<Vec<JournalLine>, Message>> {
        self.journal.about(of, limit).await
    }

    /// Puts other rules in force, and with them other templates.
    pub async fn change_rules(&self, new: Box<NewRules>, templates: Option<Arc<Templates>>) {
        if let Some(templates) = templates {
            self.templates.prepare(templates);
        }
        self.tell(Input::Rules(new)).await;
    }

    /// From now on typed conditions may name this.
    pub fn learn_names(&self, names: Names) {
        self.names.store(Arc::new(names));
    }

    /// Reads the condition of a silence as people write it, by the names in force.
    ///
    /// # Errors
    /// The first thing that is wrong with it, with the next step.
    pub fn condition(&self, text: &str) -> Result<Condition, Message> {
        typed_condition(text, &self.names.load())
    }

    /// Reads the condition of a list of tickets, in which clocks may stand.
    ///
    /// # Errors
    /// The first thing that is wrong with it, with the next step.
    pub fn list_condition(&self, text: &str) -> Result<Condition, Message> {
        asked_condition(text, &self.names.load())
    }

    /// Tells operations why other rules did not come into force.
    pub async fn refuse_rules(&self, why: Message) {
        self.tell(Input::RulesRefused(why)).await;
    }

    /// Tells operations of a trouble, once per `name` and day.
    pub async fn report(&self, name: &'static str, message: Message) {
        self.tell(Input::Trouble { name, message }).await;
    }

    /// Tells operations what is no trouble and worth knowing.
    pub async fn announce(&self, name: &'static str, message: Message) {
        self.tell(Input::News { name, message }).await;
    }

    async fn tell(&self, input: Input) {
        if self.doors.events.send(input).await.is_err() {
            info!("an input came after the loop ended");
        }
    }

    /// The desk as last published, at most a second old while inputs keep coming.
    pub fn view(&self) -> Arc<Shown> {
        self.published.latest()
    }

    /// Counters and the sources' condition, of this instant.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Whether nothing waits for the loop and nothing is under way, the wait for an instant aside. Exact on a runtime of
    /// one thread; on others what is being taken out of a queue right now may be missed.
    pub fn is_silent(&self) -> bool {
        self.busy.count() == 0 && self.doors.are_empty()
    }

    /// Whether messages are accepted.
    pub fn is_ready(&self) -> bool {
        self.health.store_takes_writes() && !*self.stopping.borrow() && !self.doors.urgent.is_closed()
    }
}
