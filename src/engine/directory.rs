//! Who is who and who is where: asked once, believed for a while, told to the desk. Whoever asks for the same waits for
//! the same answer; a refusal is believed for a minute, so that a missing permission costs no call a card.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{Mutex as AsyncMutex, watch};
use tracing::{info, warn};

use crate::{
    adapters::{
        clock::Clock,
        feishu::{client::Client, error::Error},
    },
    domain::{
        desk::input::Input,
        id::{ChatId, OpenId},
        people::{KnownPerson, Standing},
        receiver::PersonId,
        ticket::Text,
        time::{Span, Timestamp},
    },
    engine::{busy::Busy, doors::Doors},
};

/// How long an open id is believed.
pub const PERSON_FRESH: Span = Span::from_hours(24);

/// How long "nobody has that address" is believed.
pub const MISSING_FRESH: Span = Span::from_mins(10);

/// How long a chat's members are believed.
pub const MEMBERS_FRESH: Span = Span::from_mins(5);

/// How long they are believed when someone is not among them: they may just have joined.
pub const MEMBERS_FRESH_FOR_STRANGERS: Span = Span::from_secs(15);

/// How long a refusal is believed.
pub const REFUSAL_FRESH: Span = Span::from_mins(1);

/// Addresses remembered.
pub const ADDRESSES_KEPT_MAX: usize = 4_096;

/// Chats whose members are remembered.
pub const CHATS_KEPT_MAX: usize = 256;

/// How often everyone the configuration names is asked for again.
pub const INTRODUCE_EVERY: Span = Span::from_hours(24);

/// How soon after a refusal.
pub const INTRODUCE_AGAIN: Span = Span::from_mins(10);

/// The people of a chat, by open id, with their names.
pub type Members = Arc<BTreeMap<OpenId, Text>>;

/// What is known of one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// They are there.
    There(OpenId),
    /// Nobody is there, or they left.
    Nobody,
    /// The directory does not say.
    Unknown,
}

/// The directory; clones are the same one.
#[derive(Clone)]
pub struct Directory(Arc<Inner>);

struct Inner {
    client: Client,
    clock: Clock,
    doors: Doors,
    busy: Busy,
    addresses: AsyncMutex<Addresses>,
    chats: Mutex<BTreeMap<ChatId, Arc<AsyncMutex<Kept>>>>,
}

#[derive(Default)]
struct Addresses {
    known: BTreeMap<PersonId, (Timestamp, Option<OpenId>)>,
    refused_at: Option<Timestamp>,
}

/// What is kept of a chat.
#[derive(Default)]
struct Kept {
    members: Option<(Timestamp, Members)>,
    refused: Option<(Timestamp, Error)>,
}

impl Directory {
    /// A directory that knows nobody yet.
    pub fn new(client: Client, clock: Clock, doors: Doors, busy: Busy) -> Self {
        Self(Arc::new(Inner { client, clock, doors, busy, addresses: AsyncMutex::default(), chats: Mutex::default() }))
    }

    /// Who stands behind these addresses: one call for all that are not known.
    pub async fn find(&self, asked: &[PersonId]) -> BTreeMap<PersonId, Found> {
        let now = self.0.clock.now();
        let mut kept = self.0.addresses.lock().await; // whoever asks meanwhile finds the answer here
        let is_known = |kept: &Addresses, person: &PersonId| {
            let (at, id) = kept.known.get(person)?;
            let fresh = if id.is_some() { PERSON_FRESH } else { MISSING_FRESH };
            (now.since(*at) < fresh).then(|| id.clone())
        };
        let mut unknown: Vec<PersonId> = asked
            .iter()
            .filter(|person| !matches!(person, PersonId::Open(_)) && is_known(&kept, person).is_none())
            .cloned()
            .collect();
        unknown.sort_unstable();
        unknown.dedup();
        let refused_lately = kept.refused_at.is_some_and(|at| now.since(at) < REFUSAL_FRESH);
        if !unknown.is_empty() && !refused_lately {
            match self.0.client.people(&unknown).await {
                Ok(found) => {
                    kept.refused_at = None;
                    let mut known = Vec::with_capacity(found.len());
                    for person in found {
                        let id = person.open_id.clone().filter(|_| person.standing == Standing::Active);
                        kept.known.insert(person.person.clone(), (now, id));
                        known.push(KnownPerson {
                            person: person.person,
                            open_id: person.open_id,
                            name: None,
                            standing: person.standing,
                        });
                    }
                    while kept.known.len() > ADDRESSES_KEPT_MAX {
                        kept.known.pop_first();
                    }
                    self.tell(Input::People(known)).await;
                }
                Err(error) => {
                    kept.refused_at = Some(now);
                    self.complain(&error).await;
                }
            }
        }
        let found = |person: &PersonId| match person {
            PersonId::Open(id) => Found::There(id.clone()),
            // An older answer is better than none.
            _ => match kept.known.get(person) {
                Some((_, Some(id))) => Found::There(id.clone()),
                Some((_, None)) => Found::Nobody,
                None => Found::Unknown,
            },
        };
        asked.iter().map(|person| (person.clone(), found(person))).collect()
    }

    /// The people of a chat, at most `fresh` old.
    ///
    /// # Errors
    /// Why nobody can tell.
    pub async fn members(&self, chat: &ChatId, fresh: Span) -> Result<Members, Error> {
        let place = {
            let mut chats = self.0.chats.lock().unwrap_or_else(PoisonError::into_inner);
            if chats.len() >= CHATS_KEPT_MAX && !chats.contains_key(chat) {
                chats.pop_first();
            }
            Arc::clone(chats.entry(chat.clone()).or_default())
        };
        let mut kept = place.lock().await;
        let now = self.0.clock.now();
        if let Some((at, members)) = &kept.members
            && now.since(*at) < fresh
        {
            return Ok(Arc::clone(members));
        }
        if let Some((at, error)) = &kept.refused
            && now.since(*at) < REFUSAL_FRESH
        {
            return Err(error.clone());
        }
        match self.0.client.members_named(chat).await {
            Ok(list) => {
                let members: Members = Arc::new(list.into_iter().map(|(id, name)| (id, name.into())).collect());
                let before = kept.members.replace((now, Arc::clone(&members)));
                kept.refused = None;
                drop(kept);
                let is_new = |id: &OpenId, name: &Text| {
                    before.as_ref().is_none_or(|(_, before)| before.get(id) != Some(name)) && !name.is_empty()
                };
                let known = members.iter().filter(|(id, name)| is_new(id, name)).map(|(id, name)| KnownPerson {
                    person: PersonId::Open(id.clone()),
                    open_id: Some(id.clone()),
                    name: Some(name.clone()),
                    standing: Standing::Active,
                });
                self.tell(Input::People(known.collect())).await;
                Ok(members)
            }
            Err(error) => {
                kept.refused = Some((now, error.clone()));
                drop(kept);
                self.complain(&error).await;
                Err(error)
            }
        }
    }

    /// Whether a person is in a chat.
    ///
    /// # Errors
    /// Why nobody can tell.
    pub async fn is_member(&self, chat: &ChatId, person: &OpenId) -> Result<bool, Error> {
        if self.members(chat, MEMBERS_FRESH).await?.contains_key(person) {
            return Ok(true);
        }
        Ok(self.members(chat, MEMBERS_FRESH_FOR_STRANGERS).await?.contains_key(person))
    }

    /// The name of someone in a chat whose members were read.
    pub async fn name(&self, id: &OpenId) -> Option<Text> {
        let places: Vec<_> =
            self.0.chats.lock().unwrap_or_else(PoisonError::into_inner).values().map(Arc::clone).collect();
        for place in places {
            let kept = place.lock().await;
            let name = kept.members.as_ref().and_then(|(_, members)| members.get(id)).cloned();
            if let Some(name) = name.filter(|name| !name.is_empty()) {
                return Some(name);
            }
        }
        None
    }

    /// Asks for everyone the configuration names, at a start and every day, so that the desk knows them.
    pub async fn introduce(self, people: Vec<PersonId>, chats: Arc<[ChatId]>, mut stopping: watch::Receiver<bool>) {
        loop {
            let wait = {
                let _guard = self.0.busy.enter();
                let found = self.find(&people).await;
                let mut complete = found.values().all(|found| *found != Found::Unknown);
                for chat in chats.iter() {
                    complete &= self.members(chat, MEMBERS_FRESH).await.is_ok();
                }
                if complete { INTRODUCE_EVERY } else { INTRODUCE_AGAIN }
            };
            tokio::select! {
                biased;
                _ = stopping.wait_for(|stop| *stop) => return,
                () = self.0.clock.sleep(wait) => {}
            }
        }
    }

    /// Operations hears of a missing permission; the rest passes by itself, or is told where it is sent to.
    async fn complain(&self, error: &Error) {
        if !error.is_missing_scope() {
            info!(%error, "the directory gives no answer");
            return;
        }
        warn!(%error, "the directory refuses: people are named, not mentioned");
        let why = error.message();
        let message = crate::domain::text::Message::new(
            format!("查不到人和群成员，卡片上只写名字、不 @：{}", why.zh),
            format!("people and members cannot be looked up, cards name them without a mention: {}", why.en),
        );
        self.tell(Input::Trouble { name: "directory", message }).await;
    }

    async fn tell(&self, input: Input) {
        if matches!(&input, Input::People(known) if known.is_empty()) {
            return;
        }
        if self.0.doors.events.send(input).await.is_err() {
            info!("the directory answered after the loop ended");
        }
    }
}
