//! Single reads: tickets the desk wants to see afresh. One read per ticket however often it is wanted, bounded in number
//! and in pace.

use std::{
    collections::{BTreeMap, BTreeSet},
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

/// The tickets that are wanted.
#[derive(Default)]
pub struct Wanted {
    lists: Mutex<Lists>,
    more: Notify,
}

#[derive(Default)]
struct Lists {
    waiting: BTreeMap<TicketKey, BusyGuard>,
    asked: BTreeSet<TicketKey>,
    /// The reader has ended: nothing is read any more.
    closed: bool,
}

impl Wanted {
    /// Wants a ticket. One that is wanted or being read already is read once.
    pub fn want(&self, key: TicketKey, busy: &Busy) {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        if !lists.closed && !lists.asked.contains(&key) {
            lists.waiting.entry(key).or_insert_with(|| busy.enter());
            self.more.notify_one();
        }
    }

    /// The reader has ended: what is wanted is forgotten.
    pub fn close(&self) {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        lists.closed = true;
        lists.waiting.clear();
    }

    async fn next(&self) -> (TicketKey, BusyGuard) {
        loop {
            let more = self.more.notified();
            {
                let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some((key, guard)) = lists.waiting.pop_first() {
                    lists.asked.insert(key.clone());
                    return (key, guard);
                }
            }
            more.await;
        }
    }

    fn answered(&self, key: &TicketKey) {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner).asked.remove(key);
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
            let (key, guard) = self.wanted.next().await;
            while reads.try_join_next().is_some() {}
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
            let reader = self.clone();
            reads.spawn(async move {
                let read = reader.read(&key).await;
                reader.wanted.answered(&key);
                drop(permit);
                if reader.doors.events.send(Input::TicketRead(read)).await.is_err() {
                    warn!(%key, "a ticket was read after the loop ended");
                }
                drop(guard);
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
            self.meter.count_read(&key.source); // failed calls do not count (facts/feishu.md §14)
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

fn failure(message: Message) -> PassFailure {
    PassFailure { quota: false, setup: false, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn wishes_for_the_same_ticket_are_one() {
        let (wanted, busy) = (Wanted::default(), Busy::default());
        let key = |id: &str| TicketKey::new("desk".into(), id.into());
        wanted.want(key("1"), &busy);
        wanted.want(key("1"), &busy);
        wanted.want(key("2"), &busy);
        assert_eq!(busy.count(), 2);
        let (first, guard) = wanted.next().await;
        wanted.want(first.clone(), &busy);
        let (second, _guard) = wanted.next().await;
        assert_eq!((first.clone(), second), (key("1"), key("2")), "what is being read is not asked for again");
        wanted.answered(&first);
        drop(guard);
        wanted.want(first.clone(), &busy);
        assert_eq!(wanted.next().await.0, first, "once answered it can be wanted again");
    }
}
