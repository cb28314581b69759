//! The desk's writes as records under keys, the last one under each key.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    error::StoreError,
    journal::Unindexed,
    key::{self, Kind},
    record::{
        alert::AlertRecord,
        call::CallRecord,
        card::{CardRecord, DigestRecord},
        forgotten::ForgottenRecord,
        inbox::InboxRecord,
        journal::JournalRecord,
        notice::{DeadRecord, OutboxRecord},
        person::PersonRecord,
        rota::{CoverRecord, RosterRecord},
        silence::SilenceRecord,
        source::{MeaningRecord, SeenRecord, SourceRecord},
        tracked::{RemainsRecord, RevisionRecord, TrackedRecord},
        trial::TrialRecord,
    },
    value::{self, RECORD_BYTES_MAX},
};
use crate::domain::{
    alert::AlertKey,
    desk::outcome::Write,
    id::{Subject, TicketKey},
};

/// A key and its record's bytes; `None` removes it.
pub(super) type Put = (Vec<u8>, Option<Vec<u8>>);

/// The records of `writes`. `stored` names the keys in the database that begin with a prefix; `unindexed` the journal's
/// lines about who is [`forgotten`] that stand in no index; `sequence` tells apart what is written at one instant.
pub(super) fn records(
    writes: &[Write],
    sequence: &mut u64,
    unindexed: &Unindexed,
    mut stored: impl FnMut(&[u8]) -> Result<Vec<Vec<u8>>, StoreError>,
) -> Result<Vec<Put>, StoreError> {
    let mut changes = Changes::new();
    for write in writes {
        if let Write::Purge(remains) = write {
            changes.insert(key::ticket(&remains.key), None);
            for last in &remains.episodes {
                let subject = Subject::Ticket(remains.key.clone());
                changes.insert(key::alert(&AlertKey { subject, rule: last.rule.clone() }), None);
            }
            drop_history(&remains.key, &mut changes, &mut stored)?;
        }
        if let Write::Forgotten(ticket, _) = write {
            drop_history(ticket, &mut changes, &mut stored)?;
            drop_journal(&Subject::Ticket(ticket.clone()), &mut changes, unindexed, &mut stored)?;
        }
        if let Write::ForgetAlert(alert) = write {
            drop_journal(&alert.subject, &mut changes, unindexed, &mut stored)?;
        }
        let (key, put) = key_of(write, sequence);
        changes.insert(key, put.then_some(write));
    }
    let index: Vec<Put> = changes.iter().filter_map(|(key, write)| index_entry(key, *write)).collect();
    let records = changes.into_iter().map(|(key, write)| encode(key, write));
    records.chain(index.into_iter().map(Ok)).collect()
}

/// What a batch changes: nothing stands for a removal.
type Changes<'a> = BTreeMap<Vec<u8>, Option<&'a Write>>;

/// Removes what a ticket was before its changes.
fn drop_history(
    ticket: &TicketKey,
    changes: &mut Changes<'_>,
    mut stored: impl FnMut(&[u8]) -> Result<Vec<Vec<u8>>, StoreError>,
) -> Result<(), StoreError> {
    let prefix = key::revisions(ticket);
    let of_this_batch = changes.range(prefix.clone()..).map(|(key, _)| key.clone());
    let mut revisions: Vec<_> = of_this_batch.take_while(|key| key.starts_with(&prefix)).collect();
    revisions.extend(stored(&prefix)?);
    changes.extend(revisions.into_iter().map(|key| (key, None)));
    Ok(())
}

/// What these writes forget.
pub(super) fn forgotten(writes: &[Write]) -> BTreeSet<Subject> {
    let subject = |write: &Write| match write {
        Write::Forgotten(ticket, _) => Some(Subject::Ticket(ticket.clone())),
        Write::ForgetAlert(alert) => Some(alert.subject.clone()),
        _ => None,
    };
    writes.iter().filter_map(subject).collect()
}

/// Removes the journal's lines about a subject, with their places in the index.
fn drop_journal(
    subject: &Subject,
    changes: &mut Changes<'_>,
    unindexed: &Unindexed,
    mut stored: impl FnMut(&[u8]) -> Result<Vec<Vec<u8>>, StoreError>,
) -> Result<(), StoreError> {
    changes.retain(|_, write| !matches!(write, Some(Write::Journal(entry)) if entry.subject == *subject));
    for place in stored(&key::index(subject))? {
        if let Some(line) = key::indexed(&place) {
            for key in stored(&line)? {
                changes.insert(key, None);
            }
        }
        changes.insert(place, None);
    }
    for line in unindexed.get(subject).into_iter().flatten() {
        changes.extend(stored(line)?.into_iter().map(|key| (key, None)));
    }
    Ok(())
}

/// The write's key, and whether a record is put there.
fn key_of(write: &Write, sequence: &mut u64) -> (Vec<u8>, bool) {
    if matches!(write, Write::Journal(_) | Write::Revision(_)) {
        *sequence += 1;
    }
    match write {
        Write::Ticket(tracked) => (key::ticket(&tracked.ticket.key), true),
        Write::Purge(remains) => (key::remains(&remains.key), true),
        Write::Forgotten(ticket, _) => (key::forgotten(ticket), true),
        Write::DropRemains(ticket) => (key::remains(ticket), false),
        Write::Alert(alert) => (key::alert(&alert.key), true),
        Write::DropAlert(alert) | Write::ForgetAlert(alert) => (key::alert(alert), false),
        Write::Past(alert) => (key::past(&alert.key, alert.episode), true),
        Write::DropPast(alert, episode) => (key::past(alert, *episode), false),
        Write::Card(card) => (key::card(&card.key), true),
        Write::DropCard(card) => (key::card(card), false),
        Write::Digest(digest) => (key::digest(&digest.of, digest.number), true),
        Write::DropDigest(of, number) => (key::digest(of, *number), false),
        Write::Outbox(entry) => (key::outbox(&entry.key), true),
        Write::DropOutbox(notice) => (key::outbox(notice), false),
        Write::Dead(dead) => (key::dead(&dead.entry.key), true),
        Write::DropDead(notice) => (key::dead(notice), false),
        Write::Inbox(item) => (key::inbox(&item.message.message), true),
        Write::DropInbox(message) => (key::inbox(message), false),
        Write::Seen(message, _) => (key::seen(message), true),
        Write::DropSeen(message) => (key::seen(message), false),
        Write::Source(source) => (key::source(&source.name), true),
        Write::Meaning(rule, _) => (key::meaning(rule), true),
        Write::DropMeaning(rule) => (key::meaning(rule), false),
        Write::Trial(trial) => (key::trial(&trial.rule), true),
        Write::DropTrial(rule) => (key::trial(rule), false),
        Write::Silence(silence) => (key::silence(silence.id), true),
        Write::DropSilence(id) => (key::silence(*id), false),
        Write::Cover(cover) => (key::cover(cover), true),
        Write::DropCover(cover) => (key::cover(cover), false),
        Write::Roster(roster) => (key::roster(&roster.rota), true),
        Write::DropRoster(rota) => (key::roster(rota), false),
        Write::Person(known) => (key::person(&known.person), true),
        Write::DropPerson(person) => (key::person(person), false),
        Write::Revision(revision) => (key::revision(&revision.was.key, revision.at, *sequence), true),
        Write::Call(call) => (key::call(&call.key), true),
        Write::DropCall(call) => (key::call(call), false),
        Write::Journal(entry) => (key::journal(entry.at, *sequence), true),
    }
}

/// The index's entry of a journal line.
fn index_entry(key: &[u8], write: Option<&Write>) -> Option<Put> {
    let Some(Write::Journal(entry)) = write else { return None };
    Some((key::index_of(&entry.subject, key), Some(vec![Kind::Index.version()])))
}

fn encode(key: Vec<u8>, write: Option<&Write>) -> Result<Put, StoreError> {
    match write.and_then(bytes) {
        Some(bytes) if bytes.len() > RECORD_BYTES_MAX => {
            Err(StoreError::TooLarge { record: key::describe(&key), bytes: bytes.len(), max: RECORD_BYTES_MAX })
        }
        bytes => Ok((key, bytes)),
    }
}

fn bytes(write: &Write) -> Option<Vec<u8>> {
    Some(match write {
        Write::Ticket(it) => value::encode(Kind::Ticket, &TrackedRecord::of(it)),
        Write::Forgotten(it, at) => value::encode(Kind::Forgotten, &ForgottenRecord::of(it, *at)),
        Write::Purge(it) => value::encode(Kind::Remains, &RemainsRecord::of(it)),
        Write::Alert(it) => value::encode(Kind::Alert, &AlertRecord::of(it)),
        Write::Past(it) => value::encode(Kind::Past, &AlertRecord::of(it)),
        Write::Card(it) => value::encode(Kind::Card, &CardRecord::of(it)),
        Write::Digest(it) => value::encode(Kind::Digest, &DigestRecord::of(it)),
        Write::Outbox(it) => value::encode(Kind::Outbox, &OutboxRecord::of(it)),
        Write::Dead(it) => value::encode(Kind::Dead, &DeadRecord::of(it)),
        Write::Inbox(it) => value::encode(Kind::Inbox, &InboxRecord::of(it)),
        Write::Seen(message, at) => value::encode(Kind::Seen, &SeenRecord::of(message, *at)),
        Write::Source(it) => value::encode(Kind::Source, &SourceRecord::of(it)),
        Write::Meaning(rule, meaning) => value::encode(Kind::Meaning, &MeaningRecord::of(rule, *meaning)),
        Write::Journal(it) => value::encode(Kind::Journal, &JournalRecord::of(it)),
        Write::Revision(it) => value::encode(Kind::Revision, &RevisionRecord::of(it)),
        Write::Trial(it) => value::encode(Kind::Trial, &TrialRecord::of(it)),
        Write::Silence(it) => value::encode(Kind::Silence, &SilenceRecord::of(it)),
        Write::Call(it) => value::encode(Kind::Call, &CallRecord::of(it)),
        Write::Cover(it) => value::encode(Kind::Cover, &CoverRecord::of(it)),
        Write::Roster(it) => value::encode(Kind::Roster, &RosterRecord::of(it)),
        Write::Person(it) => value::encode(Kind::Person, &PersonRecord::of(it)),
        Write::DropTrial(_)
        | Write::DropCall(_)
        | Write::DropSilence(_)
        | Write::DropCover(_)
        | Write::DropRoster(_)
        | Write::DropPerson(_)
        | Write::DropRemains(_)
        | Write::DropAlert(_)
        | Write::ForgetAlert(_)
        | Write::DropPast(..)
        | Write::DropCard(_)
        | Write::DropDigest(..)
        | Write::DropOutbox(_)
        | Write::DropDead(_)
        | Write::DropInbox(_)
        | Write::DropSeen(_)
        | Write::DropMeaning(_) => return None,
    })
}
