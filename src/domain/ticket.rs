//! A ticket as the source showed it at an instant: source-neutral, every field of the vendor's page.

use std::sync::Arc;

use crate::domain::{id::TicketKey, time::Timestamp};

/// A value that is there, that the source says is not there, or that nobody knows.
///
/// Unknown is never read as empty: it stays unknown through `not`, `all` and `any`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Known<T> {
    /// Never fetched, not permitted, or undecodable.
    #[default]
    Unknown,
    /// The source says there is none.
    Empty,
    /// The value.
    Present(T),
}

impl<T> Known<T> {
    /// The value, if there is one.
    pub fn present(&self) -> Option<&T> {
        match self {
            Self::Present(value) => Some(value),
            Self::Unknown | Self::Empty => None,
        }
    }

    /// Whether nobody knows it.
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// The same with a borrowed value.
    pub const fn as_ref(&self) -> Known<&T> {
        match self {
            Self::Unknown => Known::Unknown,
            Self::Empty => Known::Empty,
            Self::Present(value) => Known::Present(value),
        }
    }

    /// The value turned into another one.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Known<U> {
        match self {
            Self::Unknown => Known::Unknown,
            Self::Empty => Known::Empty,
            Self::Present(value) => Known::Present(f(value)),
        }
    }
}

impl<T> From<Option<T>> for Known<T> {
    /// `None` is what the source says is not there.
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Empty, Self::Present)
    }
}

/// Text, shared between snapshots.
pub type Text = Arc<str>;

/// A person on a ticket (`ticket_user` of the vendor's page).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Person {
    /// Open id (`ou_…`).
    pub id: Known<Text>,
    /// Name.
    pub name: Known<Text>,
    /// Email.
    pub email: Known<Text>,
    /// Department; unknown without the permission to see it.
    pub department: Known<Text>,
    /// City.
    pub city: Known<Text>,
    /// Country code.
    pub country: Known<Text>,
    /// Avatar; changes by itself, never a change of the ticket.
    pub avatar_url: Known<Text>,
}

/// An agent's note on a ticket (`comments`): not the guest's words.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Comment {
    /// The vendor's note id.
    pub id: Known<i64>,
    /// The note.
    pub content: Known<Text>,
    /// When it was written.
    pub created_at: Known<Timestamp>,
    /// Who wrote it.
    pub user_name: Known<Text>,
    /// The writer's id: an integer beyond 2^53 on the wire, kept as text.
    pub user_id: Known<Text>,
    /// The writer's avatar.
    pub user_avatar_url: Known<Text>,
}

/// A text in several languages.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct I18nText {
    /// Chinese.
    pub zh_cn: Known<Text>,
    /// English.
    pub en_us: Known<Text>,
    /// Japanese.
    pub ja_jp: Known<Text>,
}

/// One custom field of a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct CustomField {
    /// The vendor's field id.
    pub id: Known<Text>,
    /// The value; always text on the wire. Of a drop-down: display name or option id.
    pub value: Known<Text>,
    /// The field's key.
    pub key_name: Known<Text>,
    /// The field's display name.
    pub display_name: Known<Text>,
    /// Where it stands in the form.
    pub position: Known<i64>,
    /// Whether the form demands it.
    pub required: Known<bool>,
    /// Whether agents may edit it.
    pub editable: Known<bool>,
}

/// A tag of a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Tag {
    /// The vendor's tag id.
    pub id: Known<Text>,
    /// The tag.
    pub name: Known<Text>,
}

/// Where a ticket stands. Unknown numbers are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// 1: created.
    Created,
    /// 2: an agent works on it.
    Processing,
    /// 3: waits for an agent.
    Queueing,
    /// 4: pending.
    Pending,
    /// 5: waits for the user.
    WaitingForUser,
    /// 50: closed by the bot.
    ClosedByBot,
    /// 51: closed by an agent.
    ClosedByAgent,
    /// 52: closed by the user.
    ClosedByUser,
    /// A number the vendor's page does not list.
    Other(i64),
}

impl Status {
    /// From the vendor's number (`facts/feishu.md §2.4`).
    pub const fn from_code(code: i64) -> Self {
        match code {
            1 => Self::Created,
            2 => Self::Processing,
            3 => Self::Queueing,
            4 => Self::Pending,
            5 => Self::WaitingForUser,
            50 => Self::ClosedByBot,
            51 => Self::ClosedByAgent,
            52 => Self::ClosedByUser,
            other => Self::Other(other),
        }
    }

    /// The vendor's number.
    pub const fn code(self) -> i64 {
        match self {
            Self::Created => 1,
            Self::Processing => 2,
            Self::Queueing => 3,
            Self::Pending => 4,
            Self::WaitingForUser => 5,
            Self::ClosedByBot => 50,
            Self::ClosedByAgent => 51,
            Self::ClosedByUser => 52,
            Self::Other(code) => code,
        }
    }

    /// Whether the ticket is open, closed, or (a number nobody knows) neither.
    pub const fn is_closed(self) -> Option<bool> {
        match self {
            Self::Created | Self::Processing | Self::Queueing | Self::Pending | Self::WaitingForUser => Some(false),
            Self::ClosedByBot | Self::ClosedByAgent | Self::ClosedByUser => Some(true),
            Self::Other(_) => None,
        }
    }
}

/// A snapshot of one ticket. Field names are those of `domain/field`'s table.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticket {
    /// Which ticket.
    pub key: TicketKey,
    /// The helpdesk it belongs to.
    pub helpdesk_id: Known<Text>,
    /// Who asked.
    pub guest: Known<Arc<Person>>,
    /// Agents' notes.
    pub comments: Known<Arc<[Comment]>>,
    /// 1 bot, 2 human.
    pub ticket_type: Known<i64>,
    /// Where it stands.
    pub status: Known<Status>,
    /// 1 dissatisfied, 2 fair, 3 satisfied.
    pub score: Known<i64>,
    /// When it was created.
    pub created_at: Known<Timestamp>,
    /// When it was last updated; empty (−1 on the wire) until the first update.
    pub updated_at: Known<Timestamp>,
    /// When it was closed; empty while open.
    pub closed_at: Known<Timestamp>,
    /// Why the guest was dissatisfied.
    pub dissatisfaction_reason: Known<Arc<[I18nText]>>,
    /// Agents who worked on it.
    pub agents: Known<Arc<[Arc<Person>]>>,
    /// Where it came from: 2 QR code, 9 API, 13 search, 14 share, others.
    pub channel: Known<i64>,
    /// 1 not solved, 2 solved (`solve` on the wire).
    pub solved: Known<i64>,
    /// Who closed it.
    pub closed_by: Known<Arc<Person>>,
    /// Who helped.
    pub collaborators: Known<Arc<[Arc<Person>]>>,
    /// The form's fields.
    pub customized_fields: Known<Arc<[CustomField]>>,
    /// Agents' service time in minutes, with fractions; runs by itself.
    pub agent_service_duration: Known<f64>,
    /// Seconds to the first agent reply.
    pub agent_first_response_duration: Known<i64>,
    /// Seconds the bot served; runs by itself.
    pub bot_service_duration: Known<i64>,
    /// Seconds until the agents resolved it.
    pub agent_resolution_time: Known<i64>,
    /// Seconds really worked on it; runs by itself.
    pub actual_processing_time: Known<i64>,
    /// When it entered the human stage.
    pub agent_entry_time: Known<Timestamp>,
    /// When an agent first replied.
    pub agent_first_response_time: Known<Timestamp>,
    /// When an agent last replied.
    pub agent_last_response_time: Known<Timestamp>,
    /// The agent who owns it.
    pub agent_owner: Known<Arc<Person>>,
    /// Its tags.
    pub tags: Known<Arc<[Tag]>>,
}

impl Ticket {
    /// A ticket of which nothing but its key is known.
    pub fn unknown(key: TicketKey) -> Self {
        Self {
            key,
            helpdesk_id: Known::Unknown,
            guest: Known::Unknown,
            comments: Known::Unknown,
            ticket_type: Known::Unknown,
            status: Known::Unknown,
            score: Known::Unknown,
            created_at: Known::Unknown,
            updated_at: Known::Unknown,
            closed_at: Known::Unknown,
            dissatisfaction_reason: Known::Unknown,
            agents: Known::Unknown,
            channel: Known::Unknown,
            solved: Known::Unknown,
            closed_by: Known::Unknown,
            collaborators: Known::Unknown,
            customized_fields: Known::Unknown,
            agent_service_duration: Known::Unknown,
            agent_first_response_duration: Known::Unknown,
            bot_service_duration: Known::Unknown,
            agent_resolution_time: Known::Unknown,
            actual_processing_time: Known::Unknown,
            agent_entry_time: Known::Unknown,
            agent_first_response_time: Known::Unknown,
            agent_last_response_time: Known::Unknown,
            agent_owner: Known::Unknown,
            tags: Known::Unknown,
        }
    }

    /// Whether the source says it is closed; nothing while the status is unknown.
    pub fn is_closed(&self) -> Option<bool> {
        self.status.present().and_then(|status| status.is_closed())
    }

    /// When it last moved: `updated_at`, else `created_at`.
    pub fn last_moved_at(&self) -> Option<Timestamp> {
        self.updated_at.present().or(self.created_at.present()).copied()
    }
}
