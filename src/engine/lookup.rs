//! Looks a ticket up for a person: may they ask, which source has it. What is answered is the desk's business.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;
use futures_util::future::join_all;
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
    time::timeout,
};
use tracing::{info, warn};

use crate::{
    adapters::{
        clock::Clock,
        feishu::{error::Error, ticket_messages::TicketMessages},
        rulebook::{
            alone::{asked_condition, typed_condition},
            names::Names,
        },
    },
    domain::{
        command::{Command, is_tail, reply, silence::Asked, tickets::Query, verb::Verb},
        condition::Condition,
        conversation::Speakers,
        desk::{
            input::{Input, LookUpResult, LookedUp},
            outcome::LookUp,
            state::Stored,
        },
        id::{ChatId, OpenId, SourceName, TicketId, TicketKey},
        text::Message,
        time::Span,
    },
    engine::{
        busy::BusyGuard,
        directory::Directory,
        doors::{Doors, Urgent},
        health::{self, Health},
        source::Source,
        wanted::Sources,
    },
};

/// Lookups under way at once.
pub const LOOKUPS_MAX: usize = 16;

/// Lookups that wait; beyond them people hear that it is too much.
pub const LOOKUPS_WAITING_MAX: usize = 256;

/// How long a lookup may take before the person hears that the platform does not answer.
pub const LOOKUP_TIME_MAX: Span = Span::from_secs(20);

/// How long reading what was said on a ticket may take: after that the card goes out without it and says so.
pub const TALK_TIME_MAX: Span = Span::from_secs(2);

/// What looks things up.
#[derive(Clone)]
pub struct Finder {
    /// Who is in which chat.
    pub directory: Directory,
    /// The receivers' chats; members of any of them may ask in a direct chat.
    pub chats: Arc<[ChatId]>,
    /// The sources.
    pub sources: Sources,
    /// What a condition that someone types may name.
    pub names: Arc<ArcSwap<Names>>,
    /// The clock.
    pub clock: Clock,
    /// Where answers go.
    pub doors: Doors,
    /// Counters.
    pub health: Arc<Health>,
}

impl Finder {
    /// Looks up what comes in, until its queue closes.
    pub async fn run(self, mut wishes: mpsc::Receiver<(LookUp, BusyGuard)>) {
        let permits = Arc::new(Semaphore::new(LOOKUPS_MAX));
        let mut under_way = JoinSet::new();
        while let Some((wish, guard)) = wishes.recv().await {
            while under_way.try_join_next().is_some() {}
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
            let finder = self.clone();
            under_way.spawn(async move {
                let answer = finder.look_up(wish).await;
                drop(permit);
                let urgent = Urgent { input: Input::LookedUp(answer), reply: None };
                if finder.doors.urgent.send(urgent).await.is_err() {
                    warn!("a ticket was looked up after the loop ended");
                }
                drop(guard);
            });
        }
    }

    async fn look_up(&self, wish: LookUp) -> LookedUp {
        let asked_at = self.clock.now();
        health::add(&self.health.counters.lookups, 1);
        let result = timeout(self.clock.to_wall(LOOKUP_TIME_MAX), self.answer(&wish))
            .await
            .unwrap_or_else(|_| LookUpResult::Failed(reply::SOURCE_DOWN.into()));
        LookedUp { message: wish.message, asked_at, result }
    }

    async fn answer(&self, wish: &LookUp) -> LookUpResult {
        if let Some(person) = &wish.member_check {
            match self.is_member(person).await {
                Ok(true) => {}
                Ok(false) => return LookUpResult::Denied,
                Err(error) => {
                    warn!(%error, "a chat's members cannot be read");
                    return LookUpResult::Failed(reply::SOURCE_DOWN.into());
                }
            }
        }
        match &wish.command {
            // Which ticket ends so the desk knows; it asks for that one next.
            Command::Ticket(id) if is_tail(id) && wish.member_check.is_some() => LookUpResult::Allowed,
            Command::Ticket(id) => self.glance(id, &wish.sources).await,
            Command::Said(Verb::Silence, behind) => self.understand(behind),
            Command::Said(Verb::Tickets, behind) => self.pick(behind, wish).await,
            Command::Said(..) | Command::Overheard(..) => LookUpResult::Allowed,
            _ => LookUpResult::NotFound,
        }
    }

    /// What the condition of a silence means, where it has one.
    fn understand(&self, behind: &str) -> LookUpResult {
        match Asked::read(behind).condition().map(|text| typed_condition(text, &self.names.load())) {
            Some(Ok(condition)) => LookUpResult::Understood(Box::new(condition)),
            Some(Err(why)) => LookUpResult::Failed(why),
            None => LookUpResult::Allowed,
        }
    }

    /// What a list of tickets takes: the tickets that are named, each read, or what its condition means. Which of those
    /// that are named are under watch the desk knows; it asks for the others next.
    async fn pick(&self, behind: &str, wish: &LookUp) -> LookUpResult {
        let Ok(query) = Query::read(behind) else { return LookUpResult::Allowed };
        if !query.ids.is_empty() {
            if wish.member_check.is_some() {
                return LookUpResult::Allowed;
            }
            let each = query.ids.iter().map(|id| async { (id.clone(), self.find(id, &wish.sources).await) });
            return LookUpResult::Several(join_all(each).await.into_iter().collect());
        }
        match query.condition().map(|text| asked_condition(&text, &self.names.load())) {
            Some(Ok(condition)) => LookUpResult::Understood(Box::new(condition)),
            Some(Err(why)) => LookUpResult::Failed(why),
            None => LookUpResult::Allowed,
        }
    }

    /// Whether a person is in a receiver's chat. A chat that cannot be read counts only if no other one has them.
    async fn is_member(&self, person: &OpenId) -> Result<bool, Error> {
        let mut trouble = None;
        for chat in self.chats.iter() {
            match self.directory.is_member(chat, person).await {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(error) => trouble = Some(error),
            }
        }
        trouble.map_or(Ok(false), Err)
    }

    /// A ticket with what was said on it. Where only one source can have it both are read at once.
    async fn glance(&self, id: &TicketId, names: &[SourceName]) -> LookUpResult {
        let begin = |name: &SourceName| Some(self.begin_talk(self.sources.get(name)?, id));
        let begun = match names {
            [only] => begin(only),
            _ => None,
        };
        let mut found = self.find(id, names).await;
        if let LookUpResult::Found { key, ticket, talk, .. } = &mut found
            && let Some(speakers) = Speakers::of(ticket)
            && let Some(mut begun) = begun.or_else(|| begin(&key.source))
        {
            let said = begun.join_next().await.and_then(Result::ok).flatten();
            *talk = said.map(|said| Arc::new(said.conversation(&speakers)));
        }
        found
    }

    /// Reads what was said on a ticket; given up when dropped, or after [`TALK_TIME_MAX`].
    fn begin_talk(&self, source: &Source, id: &TicketId) -> JoinSet<Option<TicketMessages>> {
        let (source, id, patience) = (source.clone(), id.clone(), self.clock.to_wall(TALK_TIME_MAX));
        let mut talk = JoinSet::new();
        talk.spawn(async move {
            let read = timeout(patience, source.messages(&id)).await.ok();
            if read.as_ref().is_none_or(|read| read.error.is_some()) {
                let error = read.as_ref().and_then(|read| read.error.as_ref()).map(ToString::to_string);
                info!(ticket = %id, error, "what was said on a ticket could not be read for whoever asked");
            }
            read.filter(|read| read.error.is_none())
        });
        talk
    }

    async fn find(&self, id: &TicketId, names: &[SourceName]) -> LookUpResult {
        let mut trouble: Option<Message> = None;
        for name in names {
            let Some(source) = self.sources.get(name) else { continue };
            match source.get(id).await {
                Ok(None) => {}
                Ok(Some(raw)) => match source.decoder(name).decode(&raw) {
                    Ok(ticket) => {
                        let key = TicketKey::new(name.clone(), id.clone());
                        return LookUpResult::Found { key, hash: raw.hash, ticket: Arc::new(ticket), talk: None };
                    }
                    Err(broken) => {
                        self.health.broken(name, &broken, self.clock.now());
                        trouble = Some(Message::new(
                            format!("工单 {id} 的数据读不懂，请在飞书服务台里查看"),
                            format!("Ticket {id} cannot be read; please look at it in the helpdesk"),
                        ));
                    }
                },
                Err(error) => {
                    warn!(ticket = %id, source = %name, %error, "a ticket cannot be looked up");
                    trouble = Some(reply::SOURCE_DOWN.into());
                }
            }
        }
        trouble.map_or(LookUpResult::NotFound, LookUpResult::Failed)
    }
}

/// What conditions mean by these names, where they mean anything.
pub(super) fn meanings(texts: impl Iterator<Item = Arc<str>>, names: &Names) -> BTreeMap<Arc<str>, Option<Condition>> {
    texts.map(|text| (Arc::clone(&text), typed_condition(&text, names).ok())).collect()
}

/// What the conditions of stored silences mean today.
pub(super) fn understood(mut stored: Stored, names: &Names) -> Stored {
    for when in stored.silences.iter_mut().filter_map(|silence| silence.matches.when.as_mut()) {
        when.condition = typed_condition(&when.text, names).ok();
    }
    stored
}
