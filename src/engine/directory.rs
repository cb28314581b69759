//! Who is who and who is where: asked once, believed for a while, told to the desk. Whoever asks for the same waits for
//! the same answer; a refusal is believed for a minute, so that a missing permission costs no call a card.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use tokio::sync::watch;
use tracing::{info, warn};

use crate::{
    adapters::{
        clock::Clock,
        feishu::{
            client::Client,
            error::{Advice, Endpoint, Error},
        },
    },
    domain::{
        desk::input::Input,
        id::{ChatId, OpenId},
        people::{self, KnownPerson},
        receiver::PersonId,
        ticket::Text,
        time::{Span, Timestamp},
    },
    engine::{
        busy::Busy,
        doors::Doors,
        remembered::{Flight, REFUSAL_FRESH, Remembered, Standing, locked},
    },
};

/// How long an open id is believed.
pub const PERSON_FRESH: Span = Span::from_hours(24);

/// How long "nobody has that address" is believed.
pub const MISSING_FRESH: Span = Span::from_mins(10);

/// How long a chat's members are believed.
pub const MEMBERS_FRESH: Span = Span::from_mins(5);

/// How long they are believed when someone is not among them: they may just have joined.
pub const MEMBERS_FRESH_FOR_STRANGERS: Span = Span::from_secs(15);

/// Addresses remembered.
pub const ADDRESSES_KEPT_MAX: usize = 4_096;

/// Chats whose members are remembered.
pub const CHATS_KEPT_MAX: usize = 256;

/// How often everyone the configuration names is asked for again.
pub const INTRODUCE_EVERY: Span = Span::from_hours(24);

/// How soon after a refusal.
pub const INTRODUCE_AGAIN: Span = Span::from_mins(10);

/// Questions of others that are waited for, one after the other, before it is taken for unknown.
const ROUNDS_MAX: usize = 3;

/// A question for addresses under way.
type AddressFlight<'a> = Flight<'a, PersonId, Option<OpenId>>;

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
    /// Open ids by address; nobody where there is none.
    addresses: Mutex<Remembered<PersonId, Option<OpenId>>>,
    /// Until when no address is asked for: the platform would refuse any.
    closed_until: Mutex<Timestamp>,
    chats: Mutex<Remembered<ChatId, Members>>,
    /// Names from before the restart: said while no chat shows another.
    names: Mutex<BTreeMap<OpenId, Text>>,
}

impl Directory {
    /// A directory that knows nobody yet.
    pub fn new(client: Client, clock: Clock, doors: Doors, busy: Busy) -> Self {
        Self(Arc::new(Inner {
            client,
            clock,
            doors,
            busy,
            addresses: Mutex::new(Remembered::new(ADDRESSES_KEPT_MAX)),
            closed_until: Mutex::new(Timestamp::MIN),
            chats: Mutex::new(Remembered::new(CHATS_KEPT_MAX)),
            names: Mutex::default(),
        }))
    }

    /// Takes up what was known before a restart. Whoever is asked for is asked for all the same; where the platform
    /// gives no answer, this one is better than none.
    pub fn remember(&self, known: &[KnownPerson]) {
        let mut addresses = locked(&self.0.addresses);
        for known in known.iter().filter(|known| !matches!(known.person, PersonId::Open(_))) {
            addresses.learn(&known.person, Timestamp::MIN, known.open_id.clone());
        }
        let named = known.iter().filter_map(|known| Some((known.open_id.clone()?, known.name.clone()?)));
        locked(&self.0.names).extend(named);
    }

    /// Who stands behind these addresses: one call for all that are not known and that nobody else asks for.
    pub async fn find(&self, asked: &[PersonId]) -> BTreeMap<PersonId, Found> {
        let mut wanted: Vec<PersonId> = asked.to_vec();
        wanted.retain(|person| !matches!(person, PersonId::Open(_)));
        wanted.sort_unstable();
        wanted.dedup();
        for _ in 0..ROUNDS_MAX {
            let (flight, waits) = self.board(&wanted);
            if let Some(flight) = flight {
                self.ask_for(flight).await;
            }
            if waits.is_empty() {
                break;
            }
            for mut ready in waits {
                ready.changed().await.ok(); // it ends with the question
            }
        }
        let known = locked(&self.0.addresses);
        let found = |person: &PersonId| match person {
            PersonId::Open(id) => Found::There(id.clone()),
            // An older answer is better than none.
            _ => match known.last(person) {
                Some(Some(id)) => Found::There(id.clone()),
                Some(None) => Found::Nobody,
                None => Found::Unknown,
            },
        };
        asked.iter().map(|person| (person.clone(), found(person))).collect()
    }

    /// What has to be asked for, and what others ask for already.
    fn board(&self, wanted: &[PersonId]) -> (Option<AddressFlight<'_>>, Vec<watch::Receiver<()>>) {
        let now = self.0.clock.now();
        let closed = now < *locked(&self.0.closed_until);
        let mut known = locked(&self.0.addresses);
        let (mut unknown, mut waits) = (Vec::new(), Vec::new());
        for person in wanted {
            match known.standing(person, now, |id| if id.is_some() { PERSON_FRESH } else { MISSING_FRESH }) {
                Standing::Known(_) | Standing::Refused(_) => {}
                Standing::Asked(ready) => waits.push(ready),
                Standing::Unknown if closed => {}
                Standing::Unknown => unknown.push(person.clone()),
            }
        }
        if unknown.is_empty() {
            return (None, waits);
        }
        (Some(Flight::begin(&self.0.addresses, &mut known, unknown, &self.0.clock)), waits)
    }

    async fn ask_for(&self, flight: AddressFlight<'_>) {
        let answer = self.0.client.people(flight.keys()).await;
        let now = self.0.clock.now();
        match answer {
            Ok(found) => {
                let mut told = Vec::with_capacity(found.len());
                for person in found {
                    let id = person.open_id.clone().filter(|_| person.standing == people::Standing::Active);
                    locked(&self.0.addresses).learn(&person.person, now, id);
                    told.push(KnownPerson {
                        person: person.person,
                        open_id: person.open_id,
                        name: None,
                        standing: person.standing,
                    });
                }
                drop(flight);
                self.tell(Input::People(told)).await;
            }
            Err(error) => {
                if !is_about_what_was_asked(&error) {
                    *locked(&self.0.closed_until) = now.plus(REFUSAL_FRESH);
                }
                let refused = |person| locked(&self.0.addresses).refuse(person, now, Some(error.clone()));
                flight.keys().iter().for_each(refused);
                drop(flight);
                self.complain(&error).await;
            }
        }
    }

    /// The people of a chat, at most `fresh` old.
    ///
    /// # Errors
    /// Why nobody can tell.
    pub async fn members(&self, chat: &ChatId, fresh: Span) -> Result<Members, Error> {
        for _ in 0..ROUNDS_MAX {
            let (flight, mut ready) = {
                let mut known = locked(&self.0.chats);
                match known.standing(chat, self.0.clock.now(), |_| fresh) {
                    Standing::Known(members) => return Ok(members),
                    Standing::Refused(error) => return Err(error.unwrap_or_else(unanswered)),
                    Standing::Asked(ready) => (None, Some(ready)),
                    Standing::Unknown => {
                        let keys = vec![chat.clone()];
                        (Some(Flight::begin(&self.0.chats, &mut known, keys, &self.0.clock)), None)
                    }
                }
            };
            if let Some(flight) = flight {
                return self.ask_for_members(flight, chat).await;
            }
            if let Some(ready) = &mut ready {
                ready.changed().await.ok(); // it ends with the question
            }
        }
        Err(unanswered())
    }

    async fn ask_for_members(&self, flight: Flight<'_, ChatId, Members>, chat: &ChatId) -> Result<Members, Error> {
        match self.0.client.members_named(chat).await {
            Ok(list) => {
                let members: Members = Arc::new(list.into_iter().map(|(id, name)| (id, name.into())).collect());
                let before = locked(&self.0.chats).learn(chat, self.0.clock.now(), Arc::clone(&members));
                drop(flight);
                let is_new = |id: &OpenId, name: &Text| {
                    before.as_ref().is_none_or(|before| before.get(id) != Some(name)) && !name.is_empty()
                };
                let known = members.iter().filter(|(id, name)| is_new(id, name)).map(|(id, name)| KnownPerson {
                    person: PersonId::Open(id.clone()),
                    open_id: Some(id.clone()),
                    name: Some(name.clone()),
                    standing: people::Standing::Active,
                });
                self.tell(Input::People(known.collect())).await;
                Ok(members)
            }
            Err(error) => {
                locked(&self.0.chats).refuse(chat, self.0.clock.now(), Some(error.clone()));
                drop(flight);
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

    /// The name of someone in a chat whose members were read, or as it was before the restart.
    pub fn name(&self, id: &OpenId) -> Option<Text> {
        let known = locked(&self.0.chats);
        let mut names = known.values().filter_map(|members| members.get(id));
        let name = names.find(|name| !name.is_empty()).cloned();
        name.or_else(|| locked(&self.0.names).get(id).cloned())
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

/// Whether another question may be answered all the same.
const fn is_about_what_was_asked(error: &Error) -> bool {
    matches!(error.advice, Advice::GiveUp | Advice::NotThere | Advice::ChangeContent)
}

/// Whoever asked gave up waiting.
fn unanswered() -> Error {
    Error::unanswered(Endpoint::Members)
}
