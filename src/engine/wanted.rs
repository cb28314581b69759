//! Single reads: tickets the desk wants to see afresh. One read per ticket however often it is wanted, bounded in number
//! and in pace. A read that breaks off is no longer under way: its ticket can be wanted again.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    sync::{Notify, Semaphore},
    task::JoinSet,
    time::timeout,
};
use tracing::warn;

use crate::{
    adapters::clock::Clock,
    domain::{
        desk::input::{Input, PassFailure, ReadResult, TicketRead},
        id::{SourceName, TicketKey},
        text::Message,
        time::Span,
    },
    engine::{
        busy::{Busy, BusyGuard},
        doors::Doors,
        health::{self, Health},
        meter::Meter,
        source::Source,
    },
};

/// Single reads under way at once.
pub const READS_MAX: usize = 8;

/// Time between two single reads: the platform takes ten a second (`facts/feishu.md §2.3`).
pub const READ_PACE: Span = Span::from_ms(110);

/// How long a single read may take, its retries included.
pub const READ_TIME_MAX: Span = Span::from_secs(20);

/// The sources, by name.
pub type Sources = Arc<BTreeMap<SourceName, Source>>;

/// What is wanted of tickets, each with what the reading needs to know.
pub struct Wanted<T = ()> {
    lists: Mutex<Lists<T>>,
    more: Notify,
    /// What is being read and wanted again is read once more afterwards.
    again: bool,
}

struct Lists<T> {
    waiting: BTreeMap<TicketKey, (T, BusyGuard)>,
    asked: BTreeSet<TicketKey>,
    /// The reader has ended: nothing is read any more.
    closed: bool,
}

/// A read under way; once it is dropped, however it ended, its ticket can be asked for again.
pub struct Asked<T = ()> {
    wanted: Arc<Wanted<T>>,
    /// Which ticket.
    pub key: TicketKey,
    _guard: BusyGuard,
}

impl<T> Drop for Asked<T> {
    fn drop(&mut self) {
        self.wanted.lists.lock().unwrap_or_else(PoisonError::into_inner).asked.remove(&self.key);
        self.wanted.more.notify_one();
    }
}

impl<T> Default for Wanted<T> {
    fn default() -> Self {
        let lists = Lists { waiting: BTreeMap::new(), asked: BTreeSet::new(), closed: false };
        Self { lists: Mutex::new(lists), more: Notify::new(), again: false }
    }
}

impl<T> Wanted<T> {
    /// The same, where an answer under way may be older than the wish: then it is read again.
    pub fn reading_again() -> Self {
        Self { again: true, ..Self::default() }
    }

    /// Wants a ticket. One that is wanted or being read already is read once.
    pub fn want(&self, key: TicketKey, what: T, busy: &Busy) {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        if !lists.closed && (self.again || !lists.asked.contains(&key)) {
            match lists.waiting.entry(key) {
                Entry::Vacant(vacant) => drop(vacant.insert((what, busy.enter()))),
                Entry::Occupied(mut waiting) => waiting.get_mut().0 = what,
            }
            self.more.notify_one();
        }
    }

    /// The reader has ended: what is wanted is forgotten.
    pub fn close(&self) {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        lists.closed = true;
        lists.waiting.clear();
    }

    /// The next one that is wanted and not being read.
    pub async fn next(self: &Arc<Self>) -> (Asked<T>, T) {
        loop {
            let more = self.more.notified();
            {
                let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
                let free = lists.waiting.keys().find(|key| !lists.asked.contains(*key)).cloned();
                if let Some((key, (what, guard))) = free.and_then(|key| lists.waiting.remove_entry(&key)) {
                    lists.asked.insert(key.clone());
                    return (Asked { wanted: Arc::clone(self), key, _guard: guard }, what);
                }
            }
            more.await;
        }
    }
}

/// What reads wanted tickets.
#[derive(Clone)]
pub struct Reader {
    /// The tickets.
    pub wanted: Arc<Wanted>,
    /// Where they are.
    pub sources: Sources,
    /// The clock.
    pub clock: Clock,
    /// Where answers go.
    pub doors: Doors,
    /// Counters.
    pub health: Arc<Health>,
    /// The month's calls.
    pub meter: Arc<Meter>,
}

impl Reader {
    /// Reads what is wanted, until dropped.
    pub async fn run(self) {
        let permits = Arc::new(Semaphore::new(READS_MAX));
        let mut reads = JoinSet::new();
        loop {
            let (asked, ()) = self.wanted.next().await;
            while reads.try_join_next().is_some() {}
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
            let reader = self.clone();
            reads.spawn(async move {
                let read = reader.read(&asked.key).await;
                drop(permit);
                if reader.doors.events.send(Input::TicketRead(read)).await.is_err() {
                    warn!(key = %asked.key, "a ticket was read after the loop ended");
                }
            });
            self.clock.sleep(READ_PACE).await;
        }
    }

    async fn read(&self, key: &TicketKey) -> TicketRead {
        let asked_at = self.clock.now();
        health::add(&self.health.counters.single_reads, 1);
        let result = timeout(self.clock.to_wall(READ_TIME_MAX), self.ask(key)).await.unwrap_or_else(|_| {
            ReadResult::Failed(failure(Message::new(
                format!("{} 秒内没有应答", READ_TIME_MAX.as_secs()),
                format!("no answer within {} s", READ_TIME_MAX.as_secs()),
            )))
        });
        TicketRead { key: key.clone(), asked_at, result }
    }

    async fn ask(&self, key: &TicketKey) -> ReadResult {
        let Some(source) = self.sources.get(&key.source) else {
            return ReadResult::Failed(failure(Message::new(
                format!("配置里没有来源 {}", key.source),
                format!("the configuration has no source {}", key.source),
            )));
        };
        let answer = source.get(&key.id).await;
        if answer.is_ok() {
            self.meter.count_reads(&key.source, 1); // failed calls do not count (facts/feishu.md §14)
        }
        let raw = match answer {
            Ok(Some(raw)) => raw,
            Ok(None) => return ReadResult::Gone,
            Err(error) => return ReadResult::Failed(error.pass_failure()),
        };
        match source.decoder(&key.source).decode(&raw) {
            Ok(ticket) => ReadResult::Found { hash: raw.hash, ticket: Arc::new(ticket) },
            Err(broken) => {
                self.health.broken(&key.source, &broken, self.clock.now());
                let reason = broken.reason;
                ReadResult::Failed(failure(Message::new(
                    format!("工单 {} 无法解析：{reason}", key.id),
                    format!("ticket {} cannot be decoded: {reason}", key.id),
                )))
            }
        }
    }
}

pub(super) fn failure(message: Message) -> PassFailure {
    PassFailure { quota: false, setup: false, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str) -> TicketKey {
        TicketKey::new("desk".into(), id.into())
    }

    #[tokio::test]
    async fn wishes_for_the_same_ticket_are_one() {
        let (wanted, busy) = (Arc::new(Wanted::default()), Busy::default());
        wanted.want(key("1"), (), &busy);
        wanted.want(key("1"), (), &busy);
        wanted.want(key("2"), (), &busy);
        assert_eq!(busy.count(), 2);
        let (first, ()) = wanted.next().await;
        wanted.want(first.key.clone(), (), &busy);
        let (second, ()) = wanted.next().await;
        assert_eq!((&first.key, &second.key), (&key("1"), &key("2")), "what is being read is not asked for again");
        drop(first);
        assert_eq!(busy.count(), 1);
        wanted.want(key("1"), (), &busy);
        assert_eq!(wanted.next().await.0.key, key("1"), "once answered it can be wanted again");
    }

    #[tokio::test]
    async fn a_wish_that_comes_while_it_is_read_is_read_afterwards() {
        let (wanted, busy) = (Arc::new(Wanted::reading_again()), Busy::default());
        wanted.want(key("1"), "first", &busy);
        let (asked, what) = wanted.next().await;
        assert_eq!(what, "first");
        for what in ["second", "third"] {
            wanted.want(key("1"), what, &busy);
        }
        wanted.want(key("2"), "other", &busy);
        assert_eq!(wanted.next().await.1, "other", "one read of a ticket at a time");
        drop(asked);
        assert_eq!(wanted.next().await.1, "third", "the latest wish stands for all");
    }

    #[tokio::test]
    async fn a_read_that_breaks_off_is_under_way_no_longer() {
        let (wanted, busy) = (Arc::new(Wanted::default()), Busy::default());
        wanted.want(key("1"), (), &busy);
        let (asked, ()) = wanted.next().await;
        let broke_off = tokio::spawn(async move {
            let _asked = asked;
            std::panic::resume_unwind(Box::new("a mistake in a decoder"));
        });
        assert!(broke_off.await.is_err());
        assert_eq!(busy.count(), 0);
        wanted.want(key("1"), (), &busy);
        assert_eq!(wanted.next().await.0.key, key("1"));
    }
}
