//! A store in maps: what was committed is kept, what was not is forgotten at a cut.

use std::collections::{BTreeMap, BTreeSet};

use deskbell::domain::{
    alert::{Alert, AlertKey},
    call::{Call, CallKey},
    desk::{
        outcome::Write,
        state::{
            CardKey, CardState, DeadLetter, Digest, Entry, InboxItem, JournalEntry, Remains, Revision, Roster,
            SourceState, Stored, Tracked, Trial,
        },
    },
    id::{MessageId, RotaName, RuleName, SilenceId, SourceName, Subject, TicketKey},
    notice::NoticeKey,
    people::KnownPerson,
    receiver::PersonId,
    rota::Cover,
    silence::Silence,
    time::Timestamp,
};

/// What was committed.
#[derive(Default)]
pub(crate) struct MapStore {
    tickets: BTreeMap<TicketKey, Tracked>,
    remains: BTreeMap<TicketKey, Remains>,
    forgotten: BTreeSet<TicketKey>,
    pub(crate) alerts: BTreeMap<AlertKey, Alert>,
    past: BTreeMap<(AlertKey, u32), Alert>,
    cards: BTreeMap<CardKey, CardState>,
    digests: BTreeMap<(Subject, u32), Digest>,
    pub(crate) outbox: BTreeMap<NoticeKey, Entry>,
    pub(crate) dead: BTreeMap<NoticeKey, DeadLetter>,
    inbox: BTreeMap<MessageId, InboxItem>,
    seen: BTreeMap<MessageId, Timestamp>,
    sources: BTreeMap<SourceName, SourceState>,
    meanings: BTreeMap<RuleName, u64>,
    pub(crate) trials: BTreeMap<RuleName, Trial>,
    pub(crate) silences: BTreeMap<SilenceId, Silence>,
    covers: BTreeMap<(RotaName, String, Timestamp, Timestamp), Cover>,
    rosters: BTreeMap<RotaName, Roster>,
    people: BTreeMap<PersonId, KnownPerson>,
    pub(crate) revisions: BTreeMap<TicketKey, Vec<Revision>>,
    calls: BTreeMap<CallKey, Call>,
    pub(crate) journal: Vec<JournalEntry>,
}

impl MapStore {
    pub(crate) fn commit(&mut self, writes: Vec<Write>) {
        for write in writes {
            self.apply(write);
        }
    }

    fn apply(&mut self, write: Write) {
        match write {
            Write::Ticket(tracked) => drop(self.tickets.insert(tracked.ticket.key.clone(), *tracked)),
            Write::Purge(remains) => {
                self.tickets.remove(&remains.key);
                self.revisions.remove(&remains.key);
                let subject = Subject::Ticket(remains.key.clone());
                self.alerts.retain(|key, _| key.subject != subject);
                self.remains.insert(remains.key.clone(), *remains);
            }
            Write::Forgotten(key, _) => {
                self.revisions.remove(&key);
                let subject = Subject::Ticket(key.clone());
                self.journal.retain(|entry| entry.subject != subject);
                self.forgotten.insert(key);
            }
            Write::DropRemains(key) => drop(self.remains.remove(&key)),
            Write::Alert(alert) => drop(self.alerts.insert(alert.key.clone(), *alert)),
            Write::DropAlert(key) => drop(self.alerts.remove(&key)),
            Write::ForgetAlert(key) => {
                self.journal.retain(|entry| entry.subject != key.subject);
                self.alerts.remove(&key);
            }
            Write::Past(alert) => drop(self.past.insert((alert.key.clone(), alert.episode), *alert)),
            Write::DropPast(key, episode) => drop(self.past.remove(&(key, episode))),
            Write::Card(card) => drop(self.cards.insert(card.key.clone(), *card)),
            Write::DropCard(key) => drop(self.cards.remove(&key)),
            Write::Digest(digest) => drop(self.digests.insert((digest.of.clone(), digest.number), *digest)),
            Write::DropDigest(of, number) => drop(self.digests.remove(&(of, number))),
            Write::Outbox(entry) => drop(self.outbox.insert(entry.key.clone(), *entry)),
            Write::DropOutbox(key) => drop(self.outbox.remove(&key)),
            Write::Dead(letter) => drop(self.dead.insert(letter.entry.key.clone(), *letter)),
            Write::DropDead(key) => drop(self.dead.remove(&key)),
            Write::Inbox(item) => drop(self.inbox.insert(item.message.message.clone(), *item)),
            Write::DropInbox(id) => drop(self.inbox.remove(&id)),
            Write::Seen(id, until) => drop(self.seen.insert(id, until)),
            Write::DropSeen(id) => drop(self.seen.remove(&id)),
            Write::Source(state) => drop(self.sources.insert(state.name.clone(), *state)),
            Write::Meaning(rule, meaning) => drop(self.meanings.insert(rule, meaning)),
            Write::DropMeaning(rule) => drop(self.meanings.remove(&rule)),
            Write::Trial(trial) => drop(self.trials.insert(trial.rule.clone(), *trial)),
            Write::DropTrial(rule) => drop(self.trials.remove(&rule)),
            Write::Silence(silence) => drop(self.silences.insert(silence.id, *silence)),
            Write::DropSilence(id) => drop(self.silences.remove(&id)),
            Write::Cover(cover) => drop(self.covers.insert(cover_key(&cover), *cover)),
            Write::DropCover(cover) => drop(self.covers.remove(&cover_key(&cover))),
            Write::Roster(roster) => drop(self.rosters.insert(roster.rota.clone(), *roster)),
            Write::DropRoster(rota) => drop(self.rosters.remove(&rota)),
            Write::Person(known) => drop(self.people.insert(known.person.clone(), *known)),
            Write::DropPerson(person) => drop(self.people.remove(&person)),
            Write::Revision(revision) => self.revisions.entry(revision.was.key.clone()).or_default().push(*revision),
            Write::Call(call) => drop(self.calls.insert(call.key.clone(), *call)),
            Write::DropCall(key) => drop(self.calls.remove(&key)),
            Write::Journal(entry) => self.journal.push(*entry),
        }
    }

    /// A ticket's record is gone, whoever took it.
    pub(crate) fn lose(&mut self, key: &TicketKey) {
        self.tickets.remove(key);
    }

    /// Tickets under watch, and how many of them are open.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let open = self.tickets.values().filter(|tracked| tracked.ticket.is_closed() == Some(false)).count();
        (self.tickets.len(), open)
    }

    /// What a start finds.
    pub(crate) fn stored(&self) -> Stored {
        Stored {
            tickets: self.tickets.values().cloned().collect(),
            remains: self.remains.values().cloned().collect(),
            forgotten: self.forgotten.iter().cloned().collect(),
            alerts: self.alerts.values().cloned().collect(),
            past: self.past.values().cloned().collect(),
            cards: self.cards.values().cloned().collect(),
            digests: self.digests.values().cloned().collect(),
            outbox: self.outbox.values().cloned().collect(),
            dead: self.dead.values().cloned().collect(),
            inbox: self.inbox.values().cloned().collect(),
            seen: self.seen.iter().map(|(id, until)| (id.clone(), *until)).collect(),
            sources: self.sources.values().cloned().collect(),
            trials: self.trials.values().cloned().collect(),
            silences: self.silences.values().cloned().collect(),
            calls: self.calls.values().cloned().collect(),
            covers: self.covers.values().cloned().collect(),
            rosters: self.rosters.values().cloned().collect(),
            people: self.people.values().cloned().collect(),
            meanings: self.meanings.iter().map(|(rule, meaning)| (rule.clone(), *meaning)).collect(),
        }
    }
}

fn cover_key(cover: &Cover) -> (RotaName, String, Timestamp, Timestamp) {
    (cover.rota.clone(), cover.shift.to_string(), cover.from, cover.at)
}
