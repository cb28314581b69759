//! What is kept of a ticket on disk: its snapshot and facts, what it was before each change, and what is left of it once
//! it was purged.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    parts::{KnownRecord, Shared, TicketKeyRecord, at, ms, rule},
    ticket::SnapshotRecord,
};
use crate::{
    adapters::store::{
        key::Kind,
        value::{self, Unreadable},
    },
    domain::{
        conversation::{Conversation, SAID_MAX, Said},
        desk::state::{LastEpisode, Remains, Revision, Tracked},
        facts::{Facts, SPELLS_MAX, Spell},
        id::RuleName,
        ticket::Status,
        time::Timestamp,
    },
};

/// [`Remains`] on disk; version 1 did not keep what was latched.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) struct RemainsRecord<'a, E = (&'a str, u32, bool)> {
    #[serde(borrow)]
    key: TicketKeyRecord<'a>,
    status: Option<i64>,
    reopened_count: u32,
    episodes: Vec<E>,
}

/// [`Tracked`] on disk; version 1 knew less of facts.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) struct TrackedRecord<'a, F = FactsRecord<'a>> {
    #[serde(borrow)]
    key: TicketKeyRecord<'a>,
    facts: F,
    asked_at: i64,
    list_hash: Option<u64>,
    gone_at: Option<i64>,
    snapshot: SnapshotRecord<'a>,
}

/// [`Revision`] on disk: all but what changed is unknown.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) struct RevisionRecord<'a> {
    #[serde(borrow)]
    key: TicketKeyRecord<'a>,
    at: i64,
    was: SnapshotRecord<'a>,
}

/// [`Facts`] on disk.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) struct FactsRecord<'a> {
    first: FactsV1,
    spells: Vec<(i64, i64)>,
    #[serde(borrow)]
    conversation: KnownRecord<ConversationRecord<'a>>,
}

/// What version 1 kept of facts.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) struct FactsV1 {
    status_since: i64,
    status_since_estimated: bool,
    reopened_count: u32,
    first_seen: i64,
}

/// [`Conversation`] on disk.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) struct ConversationRecord<'a> {
    #[serde(borrow)]
    guest: Vec<SaidRecord<'a>>,
    agent: Vec<SaidRecord<'a>>,
    first_guest: Option<SaidRecord<'a>>,
    unanswered_since: Option<i64>,
}

/// [`Said`] on disk.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct SaidRecord<'a> {
    at: i64,
    text: &'a str,
}

impl<'a> RemainsRecord<'a> {
    pub(in crate::adapters::store) fn of(remains: &'a Remains) -> Self {
        Self {
            key: TicketKeyRecord::of(&remains.key),
            status: remains.status.map(Status::code),
            reopened_count: remains.reopened_count,
            episodes: remains.episodes.iter().map(|last| (last.rule.as_str(), last.episode, last.latched)).collect(),
        }
    }

    /// From a record of any version.
    pub(in crate::adapters::store) fn read(bytes: &'a [u8], shared: &mut Shared) -> Result<Remains, Unreadable> {
        let last = |rule: RuleName, episode, latched| LastEpisode { rule, episode, latched };
        if value::is_version(bytes, 1) {
            // It kept of every rule that it rang, and none rang again for what still held.
            let old: RemainsRecord<'a, (&'a str, u32)> = value::content(bytes)?;
            return Ok(old.remains(shared, |(name, episode), shared| last(rule(name, shared), episode, true)));
        }
        let new: Self = value::decode(Kind::Remains, bytes)?;
        Ok(new.remains(shared, |(name, episode, latched), shared| last(rule(name, shared), episode, latched)))
    }
}

impl<E> RemainsRecord<'_, E> {
    fn remains(self, shared: &mut Shared, mut each: impl FnMut(E, &mut Shared) -> LastEpisode) -> Remains {
        Remains {
            key: self.key.key(shared),
            status: self.status.map(Status::from_code),
            reopened_count: self.reopened_count,
            episodes: self.episodes.into_iter().map(|entry| each(entry, shared)).collect(),
        }
    }
}

impl<'a> TrackedRecord<'a> {
    pub(in crate::adapters::store) fn of(tracked: &'a Tracked) -> Self {
        Self {
            key: TicketKeyRecord::of(&tracked.ticket.key),
            facts: FactsRecord::of(&tracked.facts),
            asked_at: tracked.asked_at.as_ms(),
            list_hash: tracked.list_hash,
            gone_at: ms(tracked.gone_at),
            snapshot: SnapshotRecord::of(&tracked.ticket),
        }
    }

    /// From a record of any version.
    pub(in crate::adapters::store) fn read(bytes: &'a [u8], shared: &mut Shared) -> Result<Tracked, Unreadable> {
        if value::is_version(bytes, 1) {
            let old: TrackedRecord<'a, FactsV1> = value::content(bytes)?;
            return old.tracked(shared, |facts, _| facts.facts());
        }
        let new: Self = value::decode(Kind::Ticket, bytes)?;
        new.tracked(shared, FactsRecord::facts)
    }
}

impl<F> TrackedRecord<'_, F> {
    fn tracked(self, shared: &mut Shared, facts: impl FnOnce(F, &mut Shared) -> Facts) -> Result<Tracked, Unreadable> {
        let key = self.key.key(shared);
        Ok(Tracked {
            ticket: Arc::new(self.snapshot.ticket(key, shared).ok_or_else(dangling)?),
            facts: facts(self.facts, shared),
            asked_at: Timestamp::from_ms(self.asked_at),
            list_hash: self.list_hash,
            gone_at: at(self.gone_at),
        })
    }
}

impl<'a> RevisionRecord<'a> {
    pub(in crate::adapters::store) fn of(revision: &'a Revision) -> Self {
        Self {
            key: TicketKeyRecord::of(&revision.was.key),
            at: revision.at.as_ms(),
            was: SnapshotRecord::of(&revision.was),
        }
    }

    pub(in crate::adapters::store) fn revision(self, shared: &mut Shared) -> Result<Revision, Unreadable> {
        let key = self.key.key(shared);
        let was = self.was.ticket(key, shared).ok_or_else(dangling)?;
        Ok(Revision { at: Timestamp::from_ms(self.at), was: Arc::new(was) })
    }
}

impl<'a> FactsRecord<'a> {
    fn of(facts: &'a Facts) -> Self {
        let spells = facts.past_spells();
        let newest = &spells[spells.len().saturating_sub(SPELLS_MAX)..];
        Self {
            first: FactsV1 {
                status_since: facts.status_since.as_ms(),
                status_since_estimated: facts.status_since_estimated,
                reopened_count: facts.reopened_count,
                first_seen: facts.first_seen.as_ms(),
            },
            spells: newest.iter().map(|spell| (spell.status, spell.since.as_ms())).collect(),
            conversation: KnownRecord::of(&facts.conversation, |said| ConversationRecord::of(said)),
        }
    }

    fn facts(self, shared: &mut Shared) -> Facts {
        let spell = |(status, since)| Spell { status, since: Timestamp::from_ms(since) };
        Facts {
            spells: (!self.spells.is_empty()).then(|| self.spells.into_iter().map(spell).collect()),
            conversation: self.conversation.known(|record| Arc::new(record.conversation(shared))),
            ..self.first.facts()
        }
    }
}

impl FactsV1 {
    fn facts(self) -> Facts {
        let facts = Facts::new(Timestamp::from_ms(self.status_since), Timestamp::from_ms(self.first_seen));
        Facts { status_since_estimated: self.status_since_estimated, reopened_count: self.reopened_count, ..facts }
    }
}

impl<'a> ConversationRecord<'a> {
    fn of(conversation: &'a Conversation) -> Self {
        let side = |said: &'a [Said]| said[said.len().saturating_sub(SAID_MAX)..].iter().map(SaidRecord::of).collect();
        Self {
            guest: side(&conversation.guest),
            agent: side(&conversation.agent),
            first_guest: conversation.first_guest.as_ref().map(SaidRecord::of),
            unanswered_since: ms(conversation.unanswered_since),
        }
    }

    fn conversation(self, shared: &mut Shared) -> Conversation {
        let mut side = |said: Vec<SaidRecord<'_>>| said.into_iter().map(|said| said.said(shared)).collect();
        Conversation {
            guest: side(self.guest),
            agent: side(self.agent),
            first_guest: self.first_guest.map(|said| said.said(shared)),
            unanswered_since: at(self.unanswered_since),
        }
    }
}

impl<'a> SaidRecord<'a> {
    fn of(said: &'a Said) -> Self {
        Self { at: said.at.as_ms(), text: &said.text }
    }

    fn said(self, shared: &mut Shared) -> Said {
        Said { at: Timestamp::from_ms(self.at), text: shared.text(self.text) }
    }
}

/// A record refers to a person it does not have.
fn dangling() -> Unreadable {
    Unreadable::Broken("a person in it is missing".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        id::{TicketId, TicketKey},
        ticket::{Known, Ticket},
    };

    /// A record as version 1 wrote it.
    fn v1(record: &impl Serialize) -> Vec<u8> {
        postcard::to_extend(record, vec![1]).unwrap()
    }

    fn key() -> TicketKey {
        TicketKey::new("it-desk".into(), TicketId::new("6626871355780366331"))
    }

    #[test]
    fn a_ticket_of_version_1_is_read_without_what_it_did_not_keep() {
        let at = Timestamp::from_ms;
        let old = Facts { reopened_count: 3, status_since_estimated: true, ..Facts::new(at(5), at(2)) };
        let mut facts = old.clone();
        facts.spells = Some([Spell { status: 2, since: at(1) }].into());
        facts.conversation = Known::Present(Arc::default());
        let status = Known::Present(Status::Pending);
        let ticket = Arc::new(Ticket { status, ..Ticket::unknown(key()) });
        let tracked = Tracked { ticket, facts, asked_at: at(9), list_hash: Some(7), gone_at: Some(at(8)) };
        let TrackedRecord { key, facts, asked_at, list_hash, gone_at, snapshot } = TrackedRecord::of(&tracked);
        let bytes = v1(&TrackedRecord { key, facts: facts.first, asked_at, list_hash, gone_at, snapshot });
        let read = TrackedRecord::read(&bytes, &mut Shared::default()).unwrap();
        assert_eq!((read.ticket, read.facts), (tracked.ticket, old));
        assert_eq!((read.asked_at, read.list_hash, read.gone_at), (at(9), Some(7), Some(at(8))));
    }

    #[test]
    fn remains_of_version_1_do_not_ring_again_for_what_holds() {
        let key = key();
        let record = RemainsRecord {
            key: TicketKeyRecord::of(&key),
            status: Some(50),
            reopened_count: 1,
            episodes: vec![("a", 2_u32)],
        };
        let read = RemainsRecord::read(&v1(&record), &mut Shared::default()).unwrap();
        assert_eq!(read.episodes, [LastEpisode { rule: "a".into(), episode: 2, latched: true }]);
        assert_eq!((read.key, read.status, read.reopened_count), (key.clone(), Some(Status::ClosedByBot), 1));
    }
}
