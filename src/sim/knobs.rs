//! The switches for what nobody knows for certain about the platform (`facts/feishu.md §12, §13`).

use std::collections::BTreeSet;

/// The order of a ticket list; the platform promises none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListOrder {
    /// The youngest first.
    NewestFirst,
    /// The oldest first.
    OldestFirst,
    /// The last updated first: a ticket that changes between two pages moves to the front and pushes the others down.
    LastUpdatedFirst,
    /// No order one could name, but the same each time.
    Arbitrary,
    /// Another order for each request: pages repeat and miss tickets.
    Shuffled,
}

/// The shape of `comments`: an object by the documentation, an array in the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommentsShape {
    /// An array of notes.
    Array,
    /// One note, the last.
    Object,
}

/// The shape of `dissatisfaction_reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReasonShape {
    /// `{zh_cn, en_us, ja_jp}`, as documented.
    Object,
    /// An array of such objects.
    Objects,
    /// An array of strings.
    Strings,
}

/// What stands for "there is none" of an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoInstant {
    /// The key is absent.
    Absent,
    /// 0.
    Zero,
    /// -1.
    MinusOne,
}

/// What happens beyond a limit of the ticket list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// Silently less: `page_size` clamped, an empty page beyond the cap.
    Less,
    /// Refused with 154000.
    Refused,
}

/// How a drop-down's value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropdownValue {
    /// The option's display name, as documented.
    DisplayName,
    /// The option's id.
    OptionId,
}

/// How the content of a message on a ticket is written: text that holds JSON, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageContent {
    /// `{"content": …, "msg_type": …}`, as in the documentation's sample.
    Helpdesk,
    /// `{"text": …}`, as messages in chats.
    Chat,
    /// The words as they are.
    Plain,
}

/// Within what two equal `uuid`s are the same message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UuidScope {
    /// The app.
    App,
    /// The app and the chat.
    Chat,
}

/// What the platform tells a client of a long connection about its own behaviour, seconds (`facts/feishu.md §6.1`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientConfig {
    /// How often to try again; -1: for ever.
    pub reconnect_count: i64,
    /// The wait between tries.
    pub reconnect_interval: i64,
    /// The longest first wait; it is drawn.
    pub reconnect_nonce: i64,
    /// The wait between pings.
    pub ping_interval: i64,
}

/// How a ping is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pong {
    /// Not at all.
    Never,
    /// Without a payload.
    Empty,
    /// With the client's configuration.
    Config,
    /// With this payload.
    Says(String),
}

/// Every switch. The defaults are what is likeliest, or else what is hardest on a client.
#[derive(Clone, Debug)]
pub struct Knobs {
    /// Order of ticket lists.
    pub list_order: ListOrder,
    /// Shape of `comments`.
    pub comments: CommentsShape,
    /// Shape of `dissatisfaction_reason`.
    pub dissatisfaction_reason: ReasonShape,
    /// `closed_at` of an open ticket.
    pub closed_at_when_open: NoInstant,
    /// `updated_at` of a ticket never updated.
    pub updated_at_when_fresh: NoInstant,
    /// Whether a rating moves `updated_at`.
    pub rating_touches_updated_at: bool,
    /// Whether lists leave `customized_fields` out.
    pub list_without_customized_fields: bool,
    /// Whether an absent list of a ticket is written as `null` instead of left out.
    pub null_for_absent: bool,
    /// How a drop-down's value is written.
    pub dropdown_value: DropdownValue,
    /// Whether the field definitions list the options of drop-downs.
    pub dropdown_options_listed: bool,
    /// How the content of a message on a ticket is written.
    pub ticket_message_content: MessageContent,
    /// Whether a ticket's messages are listed the newest first.
    pub ticket_messages_newest_first: bool,
    /// Whether a message's instant is in seconds.
    pub ticket_messages_in_seconds: bool,
    /// Whether a message on a ticket moves its `updated_at`.
    pub message_touches_updated_at: bool,
    /// Whether both ends of an update window are inside it.
    pub update_window_inclusive: bool,
    /// `page_size` above 200.
    pub page_size_above_max: Beyond,
    /// A page beyond the 10,000 rows a query can reach.
    pub page_beyond_cap: Beyond,
    /// How likely a ticket of the list changes right after a page was answered.
    pub change_between_pages: f64,
    /// HTTP status of refused credentials.
    pub credential_status: u16,
    /// HTTP status of a refused tenant token.
    pub bad_token_status: u16,
    /// Life of a tenant token, milliseconds.
    pub token_life_ms: i64,
    /// Within what two equal `uuid`s are the same message.
    pub uuid_scope: UuidScope,
    /// Whether plain phone numbers and mail addresses in a message are refused with 230028.
    pub refuses_personal_data: bool,
    /// Whether a card that mentions someone who is not in the chat is refused like one that mentions nobody known.
    pub refuses_strangers: bool,
    /// Whether cards that mention anyone are refused.
    pub refuses_mentions: bool,
    /// Urgent SMS and phone calls the tenant has; none: no end.
    pub urgent_quota: Option<usize>,
    /// Words that are refused with 230022.
    pub sensitive_words: Vec<String>,
    /// Whether a read-back card is the simplified one even if the original is asked for.
    pub history_always_simplified: bool,
    /// Whether per-second, per-minute and per-chat limits are held.
    pub limits: bool,
    /// Calls the tenant has per month; none: no end.
    pub quota_per_month: Option<u64>,
    /// Scopes the app lacks.
    pub scopes_missing: BTreeSet<String>,
    /// How likely an event is delivered again although it was taken.
    pub duplicate_events: f64,
    /// Whether deliveries due at one instant come in another order than they happened.
    pub events_out_of_order: bool,
    /// What a client of a long connection is told when it asks where to connect, and in pongs.
    pub client_config: ClientConfig,
    /// How a ping is answered.
    pub pong: Pong,
    /// Long connections of an app at most.
    pub lines_max: usize,
    /// Whether the handshake refuses what is too many; otherwise whoever asks where to connect hears of it.
    pub lines_counted_at_handshake: bool,
    /// HTTP status of a refused handshake, whose headers say the rest.
    pub handshake_refused_status: u16,
    /// Bytes of a payload in one frame; a longer one comes in parts.
    pub part_bytes_max: usize,
    /// After so long a silence the platform drops a long connection, milliseconds; none: never.
    pub silent_line_ms: Option<i64>,
    /// How far the platform's clock is ahead, milliseconds; seen in the `Date` header.
    pub clock_ahead_ms: i64,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            list_order: ListOrder::Arbitrary,
            comments: CommentsShape::Array,
            dissatisfaction_reason: ReasonShape::Objects,
            closed_at_when_open: NoInstant::Absent,
            updated_at_when_fresh: NoInstant::MinusOne,
            rating_touches_updated_at: false,
            list_without_customized_fields: false,
            null_for_absent: false,
            dropdown_value: DropdownValue::DisplayName,
            dropdown_options_listed: true,
            ticket_message_content: MessageContent::Helpdesk,
            ticket_messages_newest_first: false,
            ticket_messages_in_seconds: false,
            message_touches_updated_at: true,
            update_window_inclusive: true,
            page_size_above_max: Beyond::Less,
            page_beyond_cap: Beyond::Less,
            change_between_pages: 0.0,
            credential_status: 200,
            bad_token_status: 400,
            token_life_ms: 7_200_000,
            uuid_scope: UuidScope::App,
            refuses_personal_data: false,
            refuses_strangers: true,
            refuses_mentions: false,
            urgent_quota: None,
            sensitive_words: Vec::new(),
            history_always_simplified: false,
            limits: true,
            quota_per_month: None,
            scopes_missing: BTreeSet::new(),
            duplicate_events: 0.0,
            events_out_of_order: false,
            client_config: ClientConfig {
                reconnect_count: -1,
                reconnect_interval: 120,
                reconnect_nonce: 30,
                ping_interval: 120,
            },
            pong: Pong::Config,
            lines_max: 50,
            lines_counted_at_handshake: true,
            handshake_refused_status: 200,
            part_bytes_max: 64 * 1024,
            silent_line_ms: None,
            clock_ahead_ms: 0,
        }
    }
}
