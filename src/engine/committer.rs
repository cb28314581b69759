//! Makes decisions durable, in order, and only then lets go of what must wait for it. Batches that wait are merged into
//! one commit, because a sync costs the same for one write as for a thousand.

use std::{path::PathBuf, sync::Arc};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch},
    task::spawn_blocking,
};
use tracing::{debug, error, warn};

use crate::{
    adapters::{
        clock::Clock,
        store::{database::Store, error::StoreError, journal::JOURNAL_PRUNE_MAX},
    },
    domain::{
        deed::Acted,
        desk::outcome::{Effect, Write},
        text::Message,
        time::{Span, Timestamp},
    },
    engine::{
        busy::{Busy, BusyGuard},
        doors::{Refused, Reply},
        health::{self, Health},
    },
};

/// Writes after which a merged commit takes no further batch. The database frees the pages it replaced only when a
/// commit is over, and grows by as many. A burst of 5,000 alerts wrote 145 MB with 512 and writes 80 with this; its CPU
/// time is the same, and so is that of a poll that changed everything.
pub const COMMIT_WRITES_MAX: usize = 128;

/// Writes waiting or under way, at most: what is being committed, and what comes next. The loop waits for room beyond: it
/// decides no further ahead than that, and whoever comes next does not wait behind all of a burst.
pub const WRITES_WAITING_MAX: usize = 2 * COMMIT_WRITES_MAX;

/// Old journal lines are removed this often, after a commit.
pub const PRUNE_EVERY: Span = Span::from_mins(10);

/// What one input led to, as far as it must be durable first.
pub struct Batch {
    /// The writes.
    pub writes: Vec<Write>,
    /// Effects that wait for the commit.
    pub effects: Vec<Effect>,
    /// Who waits for the commit.
    pub reply: Option<Reply>,
    /// What they are told, where they did something.
    pub acted: Option<Acted>,
    /// Counts the batch as under way.
    pub guard: BusyGuard,
}

/// A batch, and the room it takes until it is durable.
pub type Waiting = (Batch, OwnedSemaphorePermit);

/// Where the loop hands in what must be durable. The room bounds the queue.
pub struct Entrance {
    batches: mpsc::UnboundedSender<Waiting>,
    room: Arc<Semaphore>,
}

/// The way to the committer.
pub fn open() -> (Entrance, mpsc::UnboundedReceiver<Waiting>) {
    let (batches, waiting) = mpsc::unbounded_channel();
    (Entrance { batches, room: Arc::new(Semaphore::new(WRITES_WAITING_MAX)) }, waiting)
}

impl Entrance {
    /// Hands in a batch as soon as there is room; says whether anyone takes it.
    pub async fn put(&self, batch: Batch) -> bool {
        let writes = u32::try_from(batch.writes.len().clamp(1, WRITES_WAITING_MAX)).unwrap_or(u32::MAX);
        match Arc::clone(&self.room).acquire_many_owned(writes).await {
            Ok(room) => self.batches.send((batch, room)).is_ok(),
            Err(_) => false,
        }
    }

    /// Waits until nobody takes batches any more.
    pub async fn closed(&self) {
        self.batches.closed().await;
    }
}

/// An effect whose batch is durable.
pub type Released = (Effect, BusyGuard);

/// What commits.
pub struct Committer {
    /// The store.
    pub store: Store,
    /// Batches, in order.
    pub batches: mpsc::UnboundedReceiver<Waiting>,
    /// Where effects go once their batch is durable. Unbounded, because the desk's budgets bound what is under way.
    pub released: mpsc::UnboundedSender<Released>,
    /// Said once, when the store is lost for good.
    pub lost: watch::Sender<Option<Message>>,
    /// Counters, readiness.
    pub health: Arc<Health>,
    /// The clock.
    pub clock: Clock,
    /// Counts effects as under way.
    pub busy: Busy,
    /// Counts calls into the store that are under way, even once this task was ended.
    pub calls: Busy,
}

impl Committer {
    /// Commits what comes in, until the queue closes or the store is lost.
    pub async fn run(mut self) {
        let mut prune_at = Timestamp::MIN;
        while let Some((first, room)) = self.batches.recv().await {
            let mut count = first.writes.len();
            let (mut merged, mut taken) = (vec![first], vec![room]);
            while count < COMMIT_WRITES_MAX {
                let Ok((next, room)) = self.batches.try_recv() else { break };
                count += next.writes.len();
                merged.push(next);
                taken.push(room);
            }
            match self.commit(&mut merged).await {
                Ok(()) => {
                    drop(taken);
                    self.release(merged);
                    prune_at = self.prune(prune_at).await;
                }
                Err(reason) => {
                    error!(%reason, "the store is lost; stopping");
                    merged.into_iter().filter_map(|batch| batch.reply).for_each(refuse);
                    self.lost.send_replace(Some(reason));
                    return;
                }
            }
        }
    }

    fn release(&self, merged: Vec<Batch>) {
        for batch in merged {
            for effect in batch.effects {
                if self.released.send((effect, self.busy.enter())).is_err() {
                    warn!("an effect came after delivery had ended; the next start takes it up");
                }
            }
            if let Some(reply) = batch.reply {
                answer(reply, Ok(batch.acted));
            }
        }
    }

    /// Removes journal lines older than the configuration keeps them, if it is time to. Gives the next time.
    async fn prune(&self, at: Timestamp) -> Timestamp {
        let now = self.clock.now();
        if now < at {
            return at;
        }
        let (store, call) = (self.store.clone(), self.calls.enter());
        let pruned = spawn_blocking(move || {
            let pruned = store.prune_journal(now.minus(store.retention()));
            drop(store);
            drop(call); // last: whoever waits for it may open the store again
            pruned
        });
        match pruned.await {
            Ok(Ok(JOURNAL_PRUNE_MAX)) => now, // there is more: go on with the next commit
            Ok(Ok(_)) => now.plus(PRUNE_EVERY),
            Ok(Err(error)) => {
                warn!(reason = %error.message(), "old journal lines cannot be removed"); // the next commit deals with it
                now.plus(PRUNE_EVERY)
            }
            Err(_) => now.plus(PRUNE_EVERY),
        }
    }

    /// Commits; after an error opens the store once more and commits the same again. The error is for people.
    async fn commit(&self, merged: &mut [Batch]) -> Result<(), Message> {
        let writes: Vec<Write> = merged.iter_mut().flat_map(|batch| std::mem::take(&mut batch.writes)).collect();
        if writes.is_empty() {
            return Ok(());
        }
        let (writes, first) = self.try_commit(writes).await;
        let failure = match first {
            Ok(()) => return Ok(()),
            Err(StoreError::TooLarge { .. }) => return self.commit_what_fits(writes).await,
            Err(failure) => failure.message(),
        };
        self.health.set_store(false);
        health::add(&self.health.counters.commits_failed, 1);
        error!(reason = %failure, "a commit failed; opening the store again");
        let (store, call) = (self.store.clone(), self.calls.enter());
        let reopened = spawn_blocking(move || {
            let reopened = store.reopen().map_err(|error| error.message());
            drop(store);
            drop(call); // last: whoever waits for it may open the store again
            reopened
        })
        .await;
        reopened.map_err(|_| broke_off().message())??;
        let (_, second) = self.try_commit(writes).await;
        second.map_err(|error| error.message())?;
        self.health.set_store(true);
        warn!("the store takes writes again");
        Ok(())
    }

    /// One write at a time, leaving out what no record can hold: a single monstrous ticket must not stop the service.
    async fn commit_what_fits(&self, writes: Vec<Write>) -> Result<(), Message> {
        for write in writes {
            match self.try_commit(vec![write]).await.1 {
                Ok(()) => {}
                Err(error @ StoreError::TooLarge { .. }) => {
                    health::add(&self.health.counters.writes_left_out, 1);
                    error!(reason = %error.message(), "a record is left out of the store");
                }
                Err(error) => return Err(error.message()),
            }
        }
        Ok(())
    }

    /// Commits, and gives the writes back for another try.
    async fn try_commit(&self, writes: Vec<Write>) -> (Vec<Write>, Result<(), StoreError>) {
        let began = self.clock.now();
        let (store, call) = (self.store.clone(), self.calls.enter());
        let writes = Arc::new(writes);
        let shared = Arc::clone(&writes);
        let committed = spawn_blocking(move || {
            let committed = store.commit(&shared);
            drop((shared, store));
            drop(call); // last: whoever waits for it may open the store again
            committed
        });
        let result = committed.await.unwrap_or_else(|_| {
            // The call panicked; the store knows and refuses from now on.
            Err(self.store.health().err().unwrap_or_else(broke_off))
        });
        let took = usize::try_from(self.clock.now().since(began).as_ms()).unwrap_or(0);
        if result.is_ok() {
            health::add(&self.health.counters.commits, 1);
            health::add(&self.health.counters.writes, writes.len());
            health::add(&self.health.counters.commit_ms, took);
        }
        (Arc::unwrap_or_clone(writes), result)
    }
}

/// A call into the store that panicked or was never run.
fn broke_off() -> StoreError {
    let detail = Message::new("对存储的调用中断了", "a call into the store broke off");
    StoreError::Failed { path: PathBuf::new(), detail }
}

/// Tells someone who waits that the store takes no writes.
pub fn refuse(reply: Reply) {
    answer(reply, Err(Refused::Store));
}

fn answer(reply: Reply, result: Result<Option<Acted>, Refused>) {
    if reply.send(result).is_err() {
        debug!("whoever handed an input in does not wait for its commit any more");
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::{
        adapters::store::config::Config,
        domain::{desk::state::JournalEntry, id::Subject},
    };

    #[tokio::test]
    async fn old_journal_lines_are_removed() {
        let home = TempDir::new().unwrap();
        let now = Timestamp::from_ms(Span::from_days(400).as_ms());
        let line = |at| {
            let (subject, note) = (Subject::Service, Message::default());
            Write::Journal(Box::new(JournalEntry { at, subject, rule: None, episode: 0, what: "fired", note }))
        };
        let (store, _) = Store::open(&Config::at(home.path())).unwrap();
        let kept = now.minus(store.retention());
        store.commit(&[line(kept.minus(Span::from_mins(1))), line(kept.plus(Span::from_mins(1)))]).unwrap();
        let (batches_in, batches) = open();
        let (lost, _lost) = watch::channel(None);
        let (busy, calls) = (Busy::default(), Busy::default());
        let (writes, effects) = (vec![line(now)], Vec::new());
        let batch = Batch { writes, effects, reply: None, acted: None, guard: busy.enter() };
        assert!(batches_in.put(batch).await);
        drop(batches_in);
        let committer = Committer {
            store: store.clone(),
            batches,
            released: mpsc::unbounded_channel().0,
            lost,
            health: Arc::default(),
            clock: Clock::anchored(now),
            busy,
            calls,
        };
        committer.run().await;
        let left: Vec<Timestamp> = store.recent_journal(10).unwrap().iter().map(|line| line.at).collect();
        assert_eq!(left, [now, kept.plus(Span::from_mins(1))]);
    }
}
