//! What became of a send, and what is done about it.

use crate::domain::{
    desk::state::Entry,
    id::MessageId,
    notice::{NoticeKey, Step},
    receiver::PersonId,
    text::Message,
    time::{Span, Timestamp},
};

/// What became of a send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendReport {
    /// Which notice.
    pub key: NoticeKey,
    /// The revision it showed.
    pub rev: u32,
    /// Which attempt it was, as the send said.
    pub attempts: u32,
    /// How it ended.
    pub result: Result<Delivered, Failure>,
}

/// A send that arrived.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Delivered {
    /// The message, where the platform names it (custom bots do not).
    pub message_id: Option<MessageId>,
    /// Whom it was to mention and only names, because they are not in its chat.
    pub absent: Vec<PersonId>,
}

/// A send that did not arrive, or nobody knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What may be done.
    pub kind: FailureKind,
    /// How long the platform asks to wait.
    pub retry_after: Option<Span>,
    /// What happened and what to do, free of secrets, with the log id.
    pub reason: Message,
}

/// What may be done about a failed send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureKind {
    /// Too fast: wait, then the same again.
    Throttled,
    /// It never left, or was turned away at the door (no connection, 5xx before acceptance): the same again.
    Unreachable,
    /// It may have arrived (timeout after sending, broken answer): the same key again.
    Uncertain,
    /// The same key is being sent right now: the same again soon.
    InFlight,
    /// A person mentioned cannot be: again without mentions.
    Mention,
    /// The content is refused for good (sensitive words).
    Content,
    /// The content is refused for numbers or addresses in it (DLP): again with those masked.
    Leak,
    /// Too long even after shortening.
    TooLong,
    /// The card cannot be updated any more: deleted, recalled, older than 14 days.
    CardGone,
    /// Something a person must set right: the bot is not in the chat, a scope is missing, credentials.
    Setup,
    /// The month's API calls are used up (99991403).
    Quota,
    /// Refused for good, for a reason that is ours.
    Refused,
}

impl FailureKind {
    /// Whether the message may have arrived all the same.
    pub const fn may_have_arrived(self) -> bool {
        matches!(self, Self::Uncertain | Self::InFlight)
    }

    /// Its word in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Unreachable => "unreachable",
            Self::Uncertain => "uncertain",
            Self::InFlight => "in_flight",
            Self::Mention => "mention",
            Self::Content => "content",
            Self::Leak => "leak",
            Self::TooLong => "too_long",
            Self::CardGone => "card_gone",
            Self::Setup => "setup",
            Self::Quota => "quota",
            Self::Refused => "refused",
        }
    }
}

/// What a search of a chat's history for a reference found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryReport {
    /// Which notice was looked for.
    pub key: NoticeKey,
    /// What was found.
    pub found: HistoryFound,
}

/// What a chat's history says of a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryFound {
    /// It arrived.
    There(MessageId),
    /// It did not.
    NotThere,
    /// Nobody can tell.
    Unreadable,
}

/// When a failed send is tried again; pure, the jitter comes from the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Again at this instant.
    RetryAt(Timestamp),
    /// Again at this instant, without mentions.
    RetryPlainAt(Timestamp),
    /// Again at this instant, masked.
    RetryMaskedAt(Timestamp),
    /// Never: to the dead letters.
    GiveUp,
    /// Nothing is left to do.
    Drop,
}

/// First wait of the back-off; it doubles with each attempt.
const BACKOFF_FIRST: Span = Span::from_secs(2);

/// Longest wait of the back-off.
const BACKOFF_MAX: Span = Span::from_mins(5);

/// Wait after "this very message is being sent right now".
const IN_FLIGHT_WAIT: Span = Span::from_secs(1);

/// Attempts before a refusal nobody knows is taken for good: some codes are a passing trouble of the platform.
const REFUSED_TRIES: u32 = 3;

/// Attempts at a receiver without keys while no answer comes, before they become rare: each may arrive.
pub const UNKEYED_TRIES: u32 = 3;

/// How rare.
pub const UNKEYED_WAIT: Span = Span::from_hours(1);

/// Wait after something a person must set right.
const SETUP_WAIT: Span = Span::from_mins(10);

/// Wait after the month's calls are used up: an admin may raise the plan any time.
pub const QUOTA_WAIT: Span = Span::from_hours(6);

/// A notice is tried for this long.
pub const GIVE_UP_AFTER: Span = Span::from_hours(24);

/// An answer to a person is tried for this long; later nobody waits for it.
pub const ANSWER_GIVE_UP_AFTER: Span = Span::from_mins(10);

/// A notice waits for the next month's calls this long.
const QUOTA_GIVE_UP_AFTER: Span = Span::from_days(7);

/// The platform drops a repeated `uuid` for one hour (`facts/feishu.md §3.1`); after this long a send in doubt is
/// looked for before it is made again.
pub const DOUBT_AFTER: Span = Span::from_mins(50);

/// What is done about a failed attempt.
///
/// | failure | what is done |
/// | --- | --- |
/// | throttled, unreachable, uncertain | again after 2 s, doubling to 5 min, with jitter, never sooner than the platform asks |
/// | in flight | again after 1 s |
/// | mention | again at once without mentions, then to the dead letters |
/// | leak (DLP) | again at once with numbers and addresses masked, then to the dead letters |
/// | setup | again every 10 min: a person may set it right |
/// | quota | again after 6 h, for 7 days |
/// | card gone | an update is dropped; anything else goes to the dead letters |
/// | refused for a reason nobody knows | twice more, then to the dead letters |
/// | content, too long | to the dead letters |
/// | uncertain at a custom bot, which has no keys | marked as a possible repeat; after three attempts once an hour |
///
/// All of it within 24 h of the decision (answers to people: 10 min), then to the dead letters.
pub fn next(entry: &Entry, failure: &Failure, now: Timestamp) -> Next {
    let wait = match failure.kind {
        FailureKind::Throttled | FailureKind::Unreachable | FailureKind::Uncertain => {
            backoff(entry).max(failure.retry_after.unwrap_or_default())
        }
        FailureKind::InFlight => IN_FLIGHT_WAIT,
        FailureKind::Refused if entry.attempts < REFUSED_TRIES => backoff(entry),
        FailureKind::Setup => SETUP_WAIT,
        FailureKind::Quota => QUOTA_WAIT,
        FailureKind::Mention if !entry.without_mentions => return Next::RetryPlainAt(now),
        FailureKind::CardGone if entry.key.step == Step::Update => return Next::Drop,
        FailureKind::Leak if !entry.masked => return Next::RetryMaskedAt(now),
        FailureKind::Mention
        | FailureKind::Leak
        | FailureKind::CardGone
        | FailureKind::Content
        | FailureKind::TooLong
        | FailureKind::Refused => return Next::GiveUp,
    };
    let patience = match (entry.key.step, failure.kind) {
        (Step::Answer, _) => ANSWER_GIVE_UP_AFTER,
        (_, FailureKind::Quota) => QUOTA_GIVE_UP_AFTER,
        _ => GIVE_UP_AFTER,
    };
    let at = now.plus(wait);
    if at > entry.decided_at.plus(patience) { Next::GiveUp } else { Next::RetryAt(at) }
}

/// Doubling wait with a jitter of up to a quarter, taken from the key and the attempt so that it is the same each
/// time it is asked for.
fn backoff(entry: &Entry) -> Span {
    let doublings = entry.attempts.saturating_sub(1).min(16);
    let full = BACKOFF_FIRST.times(1 << doublings).min(BACKOFF_MAX);
    let seed = entry
        .key
        .uuid()
        .bytes()
        .fold(u64::from(entry.attempts), |hash, byte| hash.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte));
    let quarter = full.as_ms().unsigned_abs() / 4;
    let jitter = i64::try_from(seed % (quarter + 1)).unwrap_or(0);
    Span::from_ms(full.as_ms() - jitter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        desk::state::Lane,
        id::{RuleName, Subject},
    };

    const START: Timestamp = Timestamp::from_ms(1_700_000_000_000);

    fn entry(step: Step, attempts: u32) -> Entry {
        let key = NoticeKey {
            subject: Subject::Service,
            rule: RuleName::from("r"),
            episode: 1,
            step,
            ordinal: 0,
            receiver: "support".into(),
        };
        Entry { first_tried_at: Some(START), attempts, ..Entry::new(key, Lane::Alerts, START) }
    }

    fn failed(kind: FailureKind) -> Failure {
        Failure { kind, retry_after: None, reason: Message::default() }
    }

    #[test]
    fn waits_double_up_to_a_limit_and_never_vanish() {
        let waits: Vec<i64> = (1..14)
            .map(|attempts| match next(&entry(Step::Fired, attempts), &failed(FailureKind::Throttled), START) {
                Next::RetryAt(at) => at.since(START).as_ms(),
                other => panic!("{other:?}"),
            })
            .collect();
        for (index, wait) in waits.iter().enumerate() {
            let full = (2_000_i64 << index).min(300_000);
            assert!((full * 3 / 4..=full).contains(wait), "attempt {}: {wait} of {full}", index + 1);
        }
    }

    #[test]
    fn the_platform_s_wait_is_kept() {
        let failure = Failure {
            kind: FailureKind::Throttled,
            retry_after: Some(Span::from_secs(40)),
            reason: Message::default(),
        };
        assert_eq!(next(&entry(Step::Fired, 1), &failure, START), Next::RetryAt(START.plus(Span::from_secs(40))));
    }

    #[test]
    fn every_failure_ends_somewhere() {
        let late = START.plus(Span::from_days(8));
        let table = [
            (Step::Fired, FailureKind::Throttled, Next::GiveUp),
            (Step::Fired, FailureKind::Setup, Next::GiveUp),
            (Step::Fired, FailureKind::Quota, Next::GiveUp),
            (Step::Answer, FailureKind::Unreachable, Next::GiveUp),
            (Step::Fired, FailureKind::Content, Next::GiveUp),
            (Step::Fired, FailureKind::CardGone, Next::GiveUp),
            (Step::Update, FailureKind::CardGone, Next::Drop),
            (Step::Fired, FailureKind::Mention, Next::RetryPlainAt(late)),
        ];
        for (step, kind, expected) in table {
            assert_eq!(next(&entry(step, 3), &failed(kind), late), expected, "{step:?} {kind:?}");
        }
        let plain = Entry { without_mentions: true, ..entry(Step::Fired, 2) };
        assert_eq!(next(&plain, &failed(FailureKind::Mention), START), Next::GiveUp);
    }
}
