//! The ways into the loop: bounded queues, in order of service. Whoever finds one full waits, or says so; nothing piles
//! up without a bound.

use std::fmt;

use tokio::sync::{mpsc, oneshot};

use crate::{
    adapters::feishu::page::RawTicket,
    domain::{
        deed::Acted,
        desk::input::{Input, PassEnded, PassKind},
        id::SourceName,
        text::Message,
        time::Timestamp,
    },
    engine::asks::Ask,
};

/// Messages from people and what was looked up for them.
pub const URGENT_MAX: usize = 1_024;

/// What came of sends and single reads.
pub const EVENTS_MAX: usize = 1_024;

/// Pages of tickets: at 200 tickets of 1.7 KB each a page is a third of a megabyte.
pub const PAGES_MAX: usize = 4;

/// Questions that change nothing.
pub const QUESTIONS_MAX: usize = 16;

/// Something a person waits for.
pub struct Urgent {
    /// What happened.
    pub input: Input,
    /// Answered once it is durable.
    pub reply: Option<Reply>,
}

/// Answered once an input is durable, with what became of it where it was a deed; or with why it is not.
pub type Reply = oneshot::Sender<Result<Option<Acted>, Refused>>;

/// Why an input was not accepted. The caller answers 503, and the platform delivers again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Too much is waiting already.
    Full,
    /// The store does not take writes.
    Store,
    /// The service is stopping.
    Stopping,
}

impl Refused {
    /// Why, for logs and answers.
    pub fn message(self) -> Message {
        match self {
            Self::Full => Message::new("排队的消息太多，请稍后重发", "too much is waiting; deliver again later"),
            Self::Store => {
                Message::new("存储不可写，请查看服务日志", "the store takes no writes; see the service's log")
            }
            Self::Stopping => Message::new("服务正在停止", "the service is stopping"),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message().fmt(f)
    }
}

impl std::error::Error for Refused {}

/// What a poller sends.
pub enum FromPoller {
    /// A page, its tickets still as they came.
    Page(RawPageIn),
    /// The end of a pass.
    Ended(PassEnded),
}

/// A page of tickets as they came.
pub struct RawPageIn {
    /// The source.
    pub source: SourceName,
    /// Which pass.
    pub pass: u64,
    /// What the pass reads.
    pub kind: PassKind,
    /// When the request was sent.
    pub asked_at: Timestamp,
    /// The tickets.
    pub tickets: Vec<RawTicket>,
}

/// The outer ends of the queues.
#[derive(Clone)]
pub struct Doors {
    /// Clicks, messages, lookups.
    pub urgent: mpsc::Sender<Urgent>,
    /// Questions that change nothing.
    pub questions: mpsc::Sender<Ask>,
    /// Results of sends and single reads, troubles.
    pub events: mpsc::Sender<Input>,
    /// Pages.
    pub pages: mpsc::Sender<FromPoller>,
}

impl Doors {
    /// Whether nothing waits behind them.
    pub fn are_empty(&self) -> bool {
        self.urgent.capacity() == self.urgent.max_capacity()
            && self.events.capacity() == self.events.max_capacity()
            && self.pages.capacity() == self.pages.max_capacity()
    }
}

/// The loop's ends.
pub struct Queues {
    /// Clicks, messages, lookups.
    pub urgent: mpsc::Receiver<Urgent>,
    /// Questions that change nothing; nobody waits for them to be quiet.
    pub questions: mpsc::Receiver<Ask>,
    /// Results of sends and single reads, troubles.
    pub events: mpsc::Receiver<Input>,
    /// Pages.
    pub pages: mpsc::Receiver<FromPoller>,
}

impl Queues {
    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.urgent.is_empty() && self.events.is_empty() && self.pages.is_empty()
    }
}

/// New queues.
pub fn open() -> (Doors, Queues) {
    let (urgent, urgent_in) = mpsc::channel(URGENT_MAX);
    let (questions, questions_in) = mpsc::channel(QUESTIONS_MAX);
    let (events, events_in) = mpsc::channel(EVENTS_MAX);
    let (pages, pages_in) = mpsc::channel(PAGES_MAX);
    let queues = Queues { urgent: urgent_in, questions: questions_in, events: events_in, pages: pages_in };
    (Doors { urgent, questions, events, pages }, queues)
}
