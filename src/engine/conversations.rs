//! What was said on tickets that rules look at: read when the desk asks, one read per ticket at a time, bounded in number
//! and in pace, and counted among the month's calls.
//!
//! A read that could not get through is repeated once after the wait the platform asks for. One that fails for good
//! tells the desk, which asks again. While the month's calls are used up nothing is asked.

use std::sync::Arc;

use tokio::{sync::Semaphore, task::JoinSet, time::timeout};
use tracing::{info, warn};

use crate::{
    adapters::{
        clock::Clock,
        feishu::{
            error::{Advice, Error},
            ticket_messages::TicketMessages,
        },
    },
    domain::{
        conversation::{Conversation, Speakers},
        desk::input::{Input, MessagesRead, PassFailure},
        id::TicketKey,
        plan::Stretch,
        text::Message,
        time::Span,
    },
    engine::{
        doors::Doors,
        health::{self, Health},
        meter::Meter,
        wanted::{Sources, Wanted, failure},
    },
};

/// Reads under way at once.
pub const MESSAGE_READS_MAX: usize = 4;

/// Reads begun in a minute, at most: a first start may ask for every open ticket.
pub const MESSAGE_READS_PER_MINUTE: i64 = 100;

/// How long a read may take, its pages and its repeat included.
pub const MESSAGE_READ_TIME_MAX: Span = Span::from_secs(40);

/// The wait before a read is repeated, where the platform names none.
const REPEAT_AFTER: Span = Span::from_secs(5);

/// The longest such wait.
const REPEAT_AFTER_MAX: Span = Span::from_secs(20);

/// The tickets whose messages are wanted, with who is who on them.
pub type WantedMessages = Wanted<Option<Speakers>>;

/// What reads wanted messages.
#[derive(Clone)]
pub struct MessageReader {
    /// The tickets.
    pub wanted: Arc<WantedMessages>,
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

impl MessageReader {
    /// Reads what is wanted, until dropped.
    pub async fn run(self) {
        let permits = Arc::new(Semaphore::new(MESSAGE_READS_MAX));
        let pace = Span::from_ms(Span::from_mins(1).as_ms() / MESSAGE_READS_PER_MINUTE);
        let mut reads = JoinSet::new();
        loop {
            let (asked, speakers) = self.wanted.next().await;
            while reads.try_join_next().is_some() {}
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
            let reader = self.clone();
            reads.spawn(async move {
                let asked_at = reader.clock.now();
                let result = reader.read(&asked.key, speakers).await;
                drop(permit);
                let read = MessagesRead { key: asked.key.clone(), asked_at, result };
                if reader.doors.events.send(Input::MessagesRead(read)).await.is_err() {
                    warn!(key = %asked.key, "messages were read after the loop ended");
                }
            });
            self.clock.sleep(pace).await;
        }
    }

    async fn read(&self, key: &TicketKey, speakers: Option<Speakers>) -> Result<Conversation, PassFailure> {
        let Some(speakers) = speakers else {
            return Err(failure(Message::new(
                format!("工单 {} 的客户未知，分不清消息是谁说的", key.id),
                format!("the guest of ticket {} is unknown: nobody can tell who said what", key.id),
            )));
        };
        if let Stretch::Until(_) = self.meter.stretch(self.clock.now()) {
            return Err(failure(Message::new(
                "本月给读取的 API 调用已用完，工单消息下月 1 日再读",
                "the month's API calls for reading are used up; messages of tickets are read again on the 1st",
            )));
        }
        let all = match timeout(self.clock.to_wall(MESSAGE_READ_TIME_MAX), self.ask(key)).await {
            Ok(all) => all?,
            Err(_) => {
                return Err(failure(Message::new(
                    format!("{} 秒内没有读完工单消息", MESSAGE_READ_TIME_MAX.as_secs()),
                    format!("the messages of a ticket were not read within {} s", MESSAGE_READ_TIME_MAX.as_secs()),
                )));
            }
        };
        if all.broken > 0 {
            info!(%key, broken = all.broken, "messages of a ticket cannot be read and are left out");
        }
        Ok(all.conversation(&speakers))
    }

    async fn ask(&self, key: &TicketKey) -> Result<TicketMessages, PassFailure> {
        let first = self.once(key).await?;
        let Some(error) = &first.error else { return Ok(first) };
        let again = matches!(error.advice, Advice::SlowDown | Advice::Retry | Advice::AskAgainSoon);
        let wait = error.retry_after.unwrap_or(REPEAT_AFTER);
        if !again || wait > REPEAT_AFTER_MAX {
            return Err(error.pass_failure());
        }
        self.clock.sleep(wait).await;
        let second = self.once(key).await?;
        second.error.as_ref().map_or(Ok(()), |error: &Error| Err(error.pass_failure()))?;
        Ok(second)
    }

    async fn once(&self, key: &TicketKey) -> Result<TicketMessages, PassFailure> {
        let Some(source) = self.sources.get(&key.source) else {
            return Err(failure(Message::new(
                format!("配置里没有来源 {}", key.source),
                format!("the configuration has no source {}", key.source),
            )));
        };
        health::add(&self.health.counters.message_reads, 1);
        let all = source.messages(&key.id).await;
        self.meter.count_reads(&key.source, all.calls);
        Ok(all)
    }
}
