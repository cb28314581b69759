//! What went wrong with a call, and what the caller may do about it. No error holds a secret or a webhook's address.

use std::fmt;

use crate::{
    adapters::feishu::{explain, table},
    domain::{
        delivery::{Failure, FailureKind},
        desk::input::PassFailure,
        text::Message,
        time::Span,
    },
};

/// Which call. Codes are read per endpoint: the same number means different things (`facts/feishu.md §3.5`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// The tenant token.
    Token,
    /// The list of tickets.
    TicketList,
    /// One ticket.
    TicketGet,
    /// What was said on a ticket.
    TicketMessages,
    /// The definitions of custom fields.
    CustomizedFields,
    /// The subscription to a helpdesk's events.
    EventsSubscribe,
    /// A new message.
    MessageCreate,
    /// A reply.
    MessageReply,
    /// An update of a card.
    MessagePatch,
    /// A chat's messages.
    History,
    /// A call in the app about a message.
    UrgentApp,
    /// The same by SMS.
    UrgentSms,
    /// The same by phone.
    UrgentPhone,
    /// The chats the bot is in.
    Chats,
    /// One chat.
    Chat,
    /// A chat's members.
    Members,
    /// Open ids by email or mobile.
    UserIds,
    /// The bot itself.
    Bot,
    /// A custom bot.
    Webhook,
    /// The long connection: where it leads, and its handshake.
    LongConnection,
}

impl Endpoint {
    /// Its name in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "tenant_access_token",
            Self::TicketList => "tickets.list",
            Self::TicketGet => "tickets.get",
            Self::TicketMessages => "tickets.messages",
            Self::CustomizedFields => "customized_fields",
            Self::EventsSubscribe => "events.subscribe",
            Self::MessageCreate => "messages.create",
            Self::MessageReply => "messages.reply",
            Self::MessagePatch => "messages.patch",
            Self::History => "messages.list",
            Self::UrgentApp => "messages.urgent_app",
            Self::UrgentSms => "messages.urgent_sms",
            Self::UrgentPhone => "messages.urgent_phone",
            Self::Chats => "chats.list",
            Self::Chat => "chats.get",
            Self::Members => "chats.members",
            Self::UserIds => "users.batch_get_id",
            Self::Bot => "bot.info",
            Self::Webhook => "webhook",
            Self::LongConnection => "long_connection",
        }
    }

    /// Whether a repeat could be seen by people.
    pub const fn is_write(self) -> bool {
        matches!(self, Self::MessageCreate | Self::MessageReply | Self::MessagePatch | Self::Webhook)
            || self.is_urgent()
    }

    /// Whether it calls someone up.
    pub const fn is_urgent(self) -> bool {
        matches!(self, Self::UrgentApp | Self::UrgentSms | Self::UrgentPhone)
    }

    /// Whether it needs the helpdesk's own keys.
    pub const fn is_helpdesk(self) -> bool {
        matches!(
            self,
            Self::TicketList | Self::TicketGet | Self::TicketMessages | Self::CustomizedFields | Self::EventsSubscribe
        )
    }

    /// Permissions any one of which lets the call through, for people to tick.
    pub const fn scopes(self) -> &'static [&'static str] {
        match self {
            Self::TicketList
            | Self::TicketGet
            | Self::TicketMessages
            | Self::CustomizedFields
            | Self::EventsSubscribe => &["helpdesk:all:readonly"],
            Self::MessageCreate | Self::MessageReply => &["im:message:send_as_bot"],
            Self::MessagePatch => &["im:message:update", "im:message:send_as_bot"],
            Self::UrgentApp => &["im:message.urgent"],
            Self::UrgentSms => &["im:message.urgent:sms"],
            Self::UrgentPhone => &["im:message.urgent:phone"],
            Self::History => &["im:message.group_msg", "im:message:readonly"],
            Self::Chats | Self::Chat | Self::Members => &["im:chat:readonly"],
            Self::UserIds => &["contact:user.id:readonly"],
            Self::Token | Self::Bot | Self::Webhook | Self::LongConnection => &[],
        }
    }
}

/// What the caller may do: a closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Advice {
    /// Too fast: wait, then the same again.
    SlowDown,
    /// It never got in: the same again.
    Retry,
    /// It may have got in: the same again, with the same key.
    RetrySameKey,
    /// The same key is being worked on: the same again soon.
    AskAgainSoon,
    /// A mention is refused: again without mentions.
    DropMentions,
    /// The content is refused for good.
    ChangeContent,
    /// The content is refused for numbers or addresses in it: again with those masked.
    Mask,
    /// Too long.
    Shorten,
    /// The message is gone, or too old to be updated.
    NewCard,
    /// What was asked for does not exist.
    NotThere,
    /// A person must set something right.
    SetUp,
    /// The month's calls are used up: nothing until the plan resets.
    AwaitQuota,
    /// Refused for good, and the reason is ours.
    GiveUp,
}

impl Advice {
    /// Its word in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SlowDown => "slow_down",
            Self::Retry => "retry",
            Self::RetrySameKey => "retry_same_key",
            Self::AskAgainSoon => "ask_again_soon",
            Self::DropMentions => "drop_mentions",
            Self::ChangeContent => "change_content",
            Self::Mask => "mask",
            Self::Shorten => "shorten",
            Self::NewCard => "new_card",
            Self::NotThere => "not_there",
            Self::SetUp => "set_up",
            Self::AwaitQuota => "await_quota",
            Self::GiveUp => "give_up",
        }
    }
}

/// A call that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Which call.
    pub endpoint: Endpoint,
    /// What the caller may do.
    pub advice: Advice,
    /// The platform's code, where the body had one.
    pub code: Option<i64>,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// How long the platform asks to wait.
    pub retry_after: Option<Span>,
    /// The id the platform's support asks for.
    pub log_id: Option<String>,
    /// The rest.
    pub(super) details: Box<Details>,
}

/// What the platform said besides.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Details {
    /// Its own words, or what broke; scrubbed and short.
    pub(super) said: String,
    /// Permissions it names as missing.
    pub(super) scopes: Vec<String>,
    /// Its page that leads to the remedy.
    pub(super) help: Option<String>,
}

impl Error {
    /// An error without an answer of the platform.
    pub(super) fn local(endpoint: Endpoint, advice: Advice, said: impl Into<String>) -> Self {
        let details = Box::new(Details { said: said.into(), ..Details::default() });
        Self { endpoint, advice, code: None, status: None, retry_after: None, log_id: None, details }
    }

    /// Nobody waited long enough for an answer.
    pub fn unanswered(endpoint: Endpoint) -> Self {
        Self::local(endpoint, Advice::Retry, "no answer in time")
    }

    /// An error with the platform's code.
    pub(super) fn coded(endpoint: Endpoint, status: u16, code: i64, details: Details) -> Self {
        let advice = table::advice(endpoint, code, &details.said)
            .unwrap_or_else(|| table::advice_by_status(endpoint, status, table::Body::Code));
        Self::answered(endpoint, advice, status, details).with_code(code)
    }

    /// An error whose answer carried no code that could be read.
    pub(super) fn uncoded(endpoint: Endpoint, status: u16, body: table::Body, said: impl Into<String>) -> Self {
        let details = Details { said: said.into(), ..Details::default() };
        Self::answered(endpoint, table::advice_by_status(endpoint, status, body), status, details)
    }

    fn answered(endpoint: Endpoint, advice: Advice, status: u16, details: Details) -> Self {
        let details = Box::new(details);
        Self { endpoint, advice, code: None, status: Some(status), retry_after: None, log_id: None, details }
    }

    const fn with_code(mut self, code: i64) -> Self {
        self.code = Some(code);
        self
    }

    /// What the platform said, short and free of secrets.
    pub fn said(&self) -> &str {
        &self.details.said
    }

    /// Whether the app lacks a permission.
    pub const fn is_missing_scope(&self) -> bool {
        matches!(self.code, Some(99_991_672 | 99_991_676 | 99_991_679))
            || (self.endpoint.is_helpdesk() && matches!(self.code, Some(154_003)))
    }

    /// What happened and what to do, for people.
    pub fn message(&self) -> Message {
        explain::message(self)
    }

    /// As the end of a send.
    pub fn failure(&self) -> Failure {
        let kind = match self.advice {
            Advice::SlowDown => FailureKind::Throttled,
            Advice::Retry => FailureKind::Unreachable,
            Advice::RetrySameKey => FailureKind::Uncertain,
            Advice::AskAgainSoon => FailureKind::InFlight,
            Advice::DropMentions => FailureKind::Mention,
            Advice::ChangeContent => FailureKind::Content,
            Advice::Mask => FailureKind::Leak,
            Advice::Shorten => FailureKind::TooLong,
            Advice::NewCard => FailureKind::CardGone,
            Advice::NotThere | Advice::SetUp => FailureKind::Setup,
            Advice::AwaitQuota => FailureKind::Quota,
            Advice::GiveUp => FailureKind::Refused,
        };
        Failure { kind, retry_after: self.retry_after, reason: self.message() }
    }

    /// As the end of a reading pass.
    pub fn pass_failure(&self) -> PassFailure {
        PassFailure {
            quota: self.advice == Advice::AwaitQuota,
            setup: self.advice == Advice::SetUp,
            message: self.message(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.endpoint.name(), self.advice.name())?;
        if let Some(status) = self.status {
            write!(f, " HTTP {status}")?;
        }
        if let Some(code) = self.code {
            write!(f, " code {code}")?;
        }
        if !self.details.said.is_empty() {
            write!(f, ": {}", self.details.said)?;
        }
        if let Some(log_id) = &self.log_id {
            write!(f, " (log id {log_id})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests;
