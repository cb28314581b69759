//! Reading everything back at a start.

use std::path::Path;

use super::{
    error::OpenError,
    key::{self, Kind},
    record::{
        alert::AlertRecord,
        call::CallRecord,
        card::{CardRecord, DigestRecord},
        forgotten::ForgottenRecord,
        inbox::InboxRecord,
        notice::{DeadRecord, OutboxRecord},
        parts::Shared,
        person::PersonRecord,
        rota::{CoverRecord, RosterRecord},
        silence::SilenceRecord,
        source::{FormatRecord, MeaningRecord, SeenRecord, SourceRecord},
        tracked::{RemainsRecord, TrackedRecord},
        trial::TrialRecord,
    },
    value::{self, Parts, Unreadable},
};
use crate::domain::desk::state::Stored;

/// What a start reads.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) stored: Stored,
    pub(super) parts: Parts,
    /// The last journal line's.
    pub(super) sequence: u64,
}

/// What a reading came to a stop over.
pub(super) enum Stop {
    Sled(sled::Error),
    Record(Unreadable),
}

impl From<Unreadable> for Stop {
    fn from(why: Unreadable) -> Self {
        Self::Record(why)
    }
}

impl From<sled::Error> for Stop {
    fn from(error: sled::Error) -> Self {
        Self::Sled(error)
    }
}

/// Reads all but the journal and the tickets' revisions.
pub(super) fn load(db: &sled::Db, path: &Path) -> Result<Loaded, OpenError> {
    let mut loaded = Loaded::default();
    let mut reader = Reader { db, path, parts: &mut loaded.parts, shared: Shared::default() };
    let stored = &mut loaded.stored;
    reader.each(Kind::Ticket, |bytes, shared| {
        stored.tickets.push(TrackedRecord::read(bytes, shared)?);
        Ok(())
    })?;
    reader.each(Kind::Remains, |bytes, shared| {
        stored.remains.push(RemainsRecord::read(bytes, shared)?);
        Ok(())
    })?;
    reader.each(Kind::Forgotten, |bytes, shared| {
        let it: ForgottenRecord<'_> = value::decode(Kind::Forgotten, bytes)?;
        stored.forgotten.push(it.key(shared));
        Ok(())
    })?;
    reader.each(Kind::Alert, |bytes, shared| {
        stored.alerts.push(AlertRecord::read(Kind::Alert, bytes, shared)?);
        Ok(())
    })?;
    reader.each(Kind::Past, |bytes, shared| {
        stored.past.push(AlertRecord::read(Kind::Past, bytes, shared)?);
        Ok(())
    })?;
    reader.each(Kind::Card, |bytes, shared| {
        let it: CardRecord<'_> = value::decode(Kind::Card, bytes)?;
        stored.cards.push(it.card(shared));
        Ok(())
    })?;
    reader.each(Kind::Digest, |bytes, shared| {
        let it: DigestRecord<'_> = value::decode(Kind::Digest, bytes)?;
        stored.digests.push(it.digest(shared));
        Ok(())
    })?;
    reader.each(Kind::Outbox, |bytes, shared| {
        let it: OutboxRecord<'_> = value::decode(Kind::Outbox, bytes)?;
        stored.outbox.push(it.entry(shared));
        Ok(())
    })?;
    reader.each(Kind::Dead, |bytes, shared| {
        let it: DeadRecord<'_> = value::decode(Kind::Dead, bytes)?;
        stored.dead.push(it.dead(shared));
        Ok(())
    })?;
    load_rest(&mut reader, stored)?;
    let last = db.scan_prefix([Kind::Journal as u8]).keys().next_back().transpose();
    let last = last.map_err(|error| OpenError::sled(path, &error))?;
    loaded.sequence = last.and_then(|key| key::journal_sequence(&key)).unwrap_or_default();
    Ok(loaded)
}

/// Reads what there is little of.
fn load_rest(reader: &mut Reader<'_>, stored: &mut Stored) -> Result<(), OpenError> {
    reader.each(Kind::Inbox, |bytes, _| {
        let it: InboxRecord<'_> = value::decode(Kind::Inbox, bytes)?;
        stored.inbox.push(it.item());
        Ok(())
    })?;
    reader.each(Kind::Seen, |bytes, _| {
        let it: SeenRecord<'_> = value::decode(Kind::Seen, bytes)?;
        stored.seen.push(it.seen());
        Ok(())
    })?;
    reader.each(Kind::Source, |bytes, shared| {
        let it: SourceRecord<'_> = value::decode(Kind::Source, bytes)?;
        stored.sources.push(it.source(shared));
        Ok(())
    })?;
    reader.each(Kind::Meaning, |bytes, _| {
        let it: MeaningRecord<'_> = value::decode(Kind::Meaning, bytes)?;
        stored.meanings.push(it.meaning());
        Ok(())
    })?;
    reader.each(Kind::Trial, |bytes, shared| {
        let it: TrialRecord<'_> = value::decode(Kind::Trial, bytes)?;
        stored.trials.push(it.trial(shared));
        Ok(())
    })?;
    reader.each(Kind::Silence, |bytes, shared| {
        let it: SilenceRecord<'_> = value::decode(Kind::Silence, bytes)?;
        stored.silences.push(it.silence(shared));
        Ok(())
    })?;
    reader.each(Kind::Call, |bytes, shared| {
        let it: CallRecord<'_> = value::decode(Kind::Call, bytes)?;
        stored.calls.push(it.call(shared));
        Ok(())
    })?;
    reader.each(Kind::Cover, |bytes, shared| {
        let it: CoverRecord<'_> = value::decode(Kind::Cover, bytes)?;
        stored.covers.push(it.cover(shared));
        Ok(())
    })?;
    reader.each(Kind::Roster, |bytes, shared| {
        let it: RosterRecord<'_> = value::decode(Kind::Roster, bytes)?;
        stored.rosters.push(it.roster(shared));
        Ok(())
    })?;
    reader.each(Kind::Person, |bytes, _| {
        let it: PersonRecord<'_> = value::decode(Kind::Person, bytes)?;
        stored.people.push(it.person());
        Ok(())
    })?;
    Ok(())
}

/// Looks at the store's own format; a new store gets one. Whether it is new.
pub(super) fn check_format(db: &sled::Db, path: &Path) -> Result<bool, OpenError> {
    let fail = |error| OpenError::sled(path, &error);
    let key = key::format();
    match db.get(&key).map_err(fail)? {
        Some(bytes) => value::decode(Kind::Format, &bytes)
            .map(|_: FormatRecord<'_>| false)
            .map_err(|why| OpenError::unreadable(path, &key, why)),
        None if !db.is_empty() => Err(OpenError::NotOurs(path.to_path_buf())),
        None => {
            let record = FormatRecord { made_by: concat!("deskbell ", env!("CARGO_PKG_VERSION")) };
            db.insert(key, value::encode(Kind::Format, &record)).map_err(fail)?;
            Ok(true)
        }
    }
}

struct Reader<'a> {
    db: &'a sled::Db,
    path: &'a Path,
    parts: &'a mut Parts,
    shared: Shared,
}

impl Reader<'_> {
    /// Hands every record of a kind to `f`, in the order of their keys.
    fn each(
        &mut self,
        kind: Kind,
        mut f: impl FnMut(&[u8], &mut Shared) -> Result<(), Unreadable>,
    ) -> Result<(), OpenError> {
        for item in self.db.scan_prefix([kind as u8]) {
            let (key, head) = item.map_err(|error| OpenError::sled(self.path, &error))?;
            let read = value::whole(&key, &head, |part| Ok(self.db.get(part)?)).and_then(|bytes| {
                if bytes.len() > head.len() {
                    self.parts.remember(&key, &bytes);
                }
                f(&value::grown(kind, bytes), &mut self.shared).map_err(Stop::Record)
            });
            read.map_err(|stop| match stop {
                Stop::Sled(error) => OpenError::sled(self.path, &error),
                Stop::Record(why) => OpenError::unreadable(self.path, &key, why),
            })?;
        }
        Ok(())
    }
}
