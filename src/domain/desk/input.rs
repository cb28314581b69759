//! What can happen to the desk: a closed set.

use std::{collections::BTreeMap, sync::Arc};

use crate::domain::{
    actor::Actor,
    command::Command,
    condition::Condition,
    conversation::Conversation,
    deed::{Act, Place},
    delivery::{HistoryReport, SendReport},
    id::{ChatId, EventId, MessageId, OpenId, RotaName, SourceName, TicketId, TicketKey},
    labels::Labels,
    people::KnownPerson,
    rota::Rota,
    rule::RuleSet,
    text::{Locale, Message},
    ticket::{Text, Ticket},
    time::{Span, Timestamp},
};

/// One thing that happens.
#[derive(Debug)]
pub enum Input {
    /// A page of tickets of a pass.
    Page(Page),
    /// A pass over a source ended.
    PassEnded(PassEnded),
    /// A ticket was asked for by id.
    TicketRead(TicketRead),
    /// The messages of a ticket were asked for.
    MessagesRead(MessagesRead),
    /// The platform told that something happened to a ticket.
    TicketNews(TicketNews),
    /// The bot was added to a chat.
    Added(Added),
    /// A person wrote to the bot.
    Message(ChatMessage),
    /// A looked-up answer is ready.
    LookedUp(LookedUp),
    /// A person did something; what became of it is in the outcome.
    Act(Box<Act>),
    /// The directory said who people are.
    People(Vec<KnownPerson>),
    /// A send ended.
    Sent(SendReport),
    /// A chat's history was searched.
    History(HistoryReport),
    /// Other rules are in force.
    Rules(Box<NewRules>),
    /// Other rules were written and have faults: why, for operations. Those in force stay.
    RulesRefused(Message),
    /// Something went wrong that operations must hear, once per `name` and day.
    Trouble {
        /// A stable name (`render_failed`).
        name: &'static str,
        /// What happened and what to do.
        message: Message,
    },
    /// Something that is no trouble and worth knowing happened to the service itself.
    News {
        /// A stable name.
        name: &'static str,
        /// What to say.
        message: Message,
    },
    /// The wall clock was set back further than could be waited out.
    ClockSetBack,
    /// Time went on.
    Tick,
}

/// What comes into force together.
#[derive(Clone, Debug, Default)]
pub struct NewRules {
    /// The rules.
    pub rules: Arc<RuleSet>,
    /// What the configuration says of the sources' tickets, for sources of which it says something else now.
    pub labels: BTreeMap<SourceName, Arc<Labels>>,
    /// Who is on call when, where that may be otherwise now.
    pub rotas: Option<BTreeMap<RotaName, Arc<Rota>>>,
    /// What else changed, in words: templates, rotas.
    pub words: Vec<Message>,
    /// What the conditions of silences mean by the names in force now; filled in on the way to the desk.
    pub conditions: BTreeMap<Arc<str>, Option<Condition>>,
}

impl NewRules {
    /// Other rules, and nothing else.
    pub fn only(rules: Arc<RuleSet>) -> Box<Self> {
        Box::new(Self { rules, ..Self::default() })
    }
}

/// What a pass reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PassKind {
    /// What was created or updated since the cursor.
    Increment,
    /// Everything open and recently closed.
    Sweep,
}

/// A page of tickets, as one answer of the source showed it.
#[derive(Debug)]
pub struct Page {
    /// The source.
    pub source: SourceName,
    /// Which pass it belongs to; counts up, also over restarts.
    pub pass: u64,
    /// What the pass reads.
    pub kind: PassKind,
    /// When the request was sent.
    pub asked_at: Timestamp,
    /// The tickets.
    pub tickets: Vec<Observed>,
}

/// A ticket in a page.
#[derive(Debug)]
pub struct Observed {
    /// Which ticket.
    pub key: TicketKey,
    /// Hash of the bytes it came as.
    pub hash: u64,
    /// The decoded ticket; absent when [`crate::domain::desk::machine::Desk::is_unchanged`] said so.
    pub ticket: Option<Arc<Ticket>>,
}

/// The end of a pass.
#[derive(Debug)]
pub struct PassEnded {
    /// The source.
    pub source: SourceName,
    /// Which pass.
    pub pass: u64,
    /// What it read.
    pub kind: PassKind,
    /// When its first request was sent: the cursor's next value.
    pub started_at: Timestamp,
    /// API calls it took.
    pub calls: u32,
    /// The time between polls that is kept now; the plan may stretch it.
    pub every: Span,
    /// When the next poll is due.
    pub next_poll: Timestamp,
    /// Tickets that could not be decoded, counted.
    pub broken: u32,
    /// Complete, or why not.
    pub result: Result<(), PassFailure>,
}

/// Why a pass is not complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassFailure {
    /// The month's API calls are used up.
    pub quota: bool,
    /// A person must set something right (credentials, scopes).
    pub setup: bool,
    /// What happened and what to do.
    pub message: Message,
}

/// A ticket asked for by id.
#[derive(Debug)]
pub struct TicketRead {
    /// Which.
    pub key: TicketKey,
    /// When the request was sent.
    pub asked_at: Timestamp,
    /// What came of it.
    pub result: ReadResult,
}

/// What the platform told of a ticket. What it says of its state is not believed: the ticket is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketNews {
    /// Where the ticket is; absent where that was not told.
    pub source: Option<SourceName>,
    /// Which.
    pub ticket: TicketId,
    /// When it came to be as it is now, by the source's clock; absent where that was not told.
    pub moved_at: Option<Timestamp>,
    /// Something was said on it.
    pub said: bool,
}

/// The bot was added to a chat, or a person opened theirs with it for the first time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// The delivery; the same on redelivery.
    pub event: EventId,
    /// The chat.
    pub chat: ChatId,
    /// A group or a direct chat.
    pub kind: ChatKind,
    /// People of other companies are in it.
    pub external: bool,
}

/// The messages of a ticket, asked for because a rule in force needs them.
#[derive(Debug)]
pub struct MessagesRead {
    /// Which ticket.
    pub key: TicketKey,
    /// When the first request was sent.
    pub asked_at: Timestamp,
    /// What was said, or why nobody knows.
    pub result: Result<Conversation, PassFailure>,
}

/// What came of asking for a ticket.
#[derive(Debug)]
pub enum ReadResult {
    /// Here it is.
    Found {
        /// Hash of the bytes it came as. The single read's bytes differ from the list's.
        hash: u64,
        /// The ticket.
        ticket: Arc<Ticket>,
    },
    /// The source has no such ticket.
    Gone,
    /// Nobody can tell.
    Failed(PassFailure),
}

/// A message a person wrote, stripped of the bot's mention and parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatMessage {
    /// The delivery's event id.
    pub event: EventId,
    /// The message; what redeliveries are told by.
    pub message: MessageId,
    /// Where.
    pub chat: ChatId,
    /// A group or a direct chat.
    pub chat_kind: ChatKind,
    /// Who.
    pub sender: OpenId,
    /// What they are called, where that is known.
    pub sender_name: Option<Text>,
    /// The message theirs is a reply to.
    pub reply_to: Option<MessageId>,
    /// The card whose button asked: the answer takes its place.
    pub on_card: Option<MessageId>,
    /// What they asked.
    pub command: Command,
    /// The language they asked in.
    pub locale: Locale,
    /// When they wrote it.
    pub sent_at: Timestamp,
}

impl ChatMessage {
    /// Who wrote it.
    pub fn by(&self) -> Actor {
        match self.chat_kind {
            ChatKind::Admin => Actor::Operator(self.sender_name.clone().unwrap_or_else(|| "API".into())),
            ChatKind::Group | ChatKind::Direct => {
                Actor::Person { id: self.sender.clone(), name: self.sender_name.clone() }
            }
        }
    }

    /// Where what it asks for is done.
    pub fn place(&self) -> Place {
        match self.chat_kind {
            ChatKind::Admin => Place::Admin,
            kind => Place::Chat(self.chat.clone(), kind),
        }
    }
}

/// What kind of chat a message was written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChatKind {
    /// A group.
    Group,
    /// A chat of one person with the bot.
    Direct,
    /// No chat: the admin API, whose answers go back to whoever asks.
    Admin,
}

/// A looked-up answer.
#[derive(Debug)]
pub struct LookedUp {
    /// The message that asked.
    pub message: MessageId,
    /// When the source was asked.
    pub asked_at: Timestamp,
    /// What came of it.
    pub result: LookUpResult,
}

/// What came of looking something up for a person.
#[derive(Debug)]
pub enum LookUpResult {
    /// The ticket, fresh from the source.
    Found {
        /// Which.
        key: TicketKey,
        /// Hash of the bytes it came as.
        hash: u64,
        /// The ticket.
        ticket: Arc<Ticket>,
        /// What was said on it; absent where that could not be read in time.
        talk: Option<Arc<Conversation>>,
    },
    /// The person may do what they asked for; it needs no looking up.
    Allowed,
    /// The condition that stands in the question means this.
    Understood(Box<Condition>),
    /// Several tickets, each with what came of it.
    Several(BTreeMap<TicketId, LookUpResult>),
    /// No source has it.
    NotFound,
    /// The person may not ask here.
    Denied,
    /// It could not be looked up: why and what to do, for the person who asked.
    Failed(Message),
}
