//! The outbox and the dead letters on disk.

use serde::{Deserialize, Serialize};

use super::inbox::LocaleRecord;
use super::parts::{MessageRecord, Shared, SubjectRecord, TicketKeyRecord, at, ms, rule, twin};
use crate::domain::{
    card::{Question, Turn},
    desk::state::{Answer, DeadLetter, Entry, Lane},
    id::ReceiverName,
    notice::{NoticeKey, Step, Target},
    receiver::PersonId,
    rule::Urgent,
    time::Timestamp,
};

twin!(
    StepRecord = Step {
        Fired,
        Repeated,
        Ended,
        Digest,
        Update,
        Answer,
        Trouble,
        Escalated,
        Announced,
        Called,
        Urged,
        Asked,
        Woken,
        Fallback,
    }
);
twin!(UrgentRecord = Urgent { App, Sms, Phone });
twin!(LaneRecord = Lane { Answers, Critical, Alerts, Updates });

/// [`Entry`] on disk: as it always was, and what is new since version 3.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) struct OutboxRecord<'a> {
    #[serde(borrow)]
    entry: EntryRecord<'a>,
    masked: bool,
}

/// [`Entry`] as versions 1 and 2 kept it.
#[derive(Debug, Serialize, Deserialize)]
struct EntryRecord<'a> {
    #[serde(borrow)]
    key: NoticeKeyRecord<'a>,
    lane: LaneRecord,
    target: Option<TargetRecord<'a>>,
    text: Option<AnswerRecord<'a>>,
    decided_at: i64,
    not_before: i64,
    first_tried_at: Option<i64>,
    attempts: u32,
    without_mentions: bool,
    maybe_repeat: bool,
    last_error: Option<MessageRecord<'a>>,
}

/// [`DeadLetter`] on disk.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) struct DeadRecord<'a> {
    #[serde(borrow)]
    entry: EntryRecord<'a>,
    at: i64,
    reason: MessageRecord<'a>,
    masked: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct NoticeKeyRecord<'a> {
    #[serde(borrow)]
    subject: SubjectRecord<'a>,
    rule: &'a str,
    episode: u32,
    step: StepRecord,
    ordinal: u32,
    receiver: &'a str,
}

#[derive(Debug, Serialize, Deserialize)]
enum TargetRecord<'a> {
    Post(&'a str),
    Reply(&'a str),
    Patch(&'a str),
    Urge(&'a str, UrgentRecord, &'a str),
}

#[derive(Debug, Serialize, Deserialize)]
enum AnswerRecord<'a> {
    #[serde(borrow)]
    Ticket(TicketKeyRecord<'a>),
    Text(MessageRecord<'a>),
    Page(MessageRecord<'a>, Vec<TurnRecord<'a>>),
}

/// [`Turn`] on disk.
#[derive(Debug, Serialize, Deserialize)]
struct TurnRecord<'a> {
    #[serde(borrow)]
    words: MessageRecord<'a>,
    text: &'a str,
    is_direct: bool,
    locale: LocaleRecord,
}

impl<'a> OutboxRecord<'a> {
    pub(in crate::adapters::store) fn of(entry: &'a Entry) -> Self {
        Self { entry: EntryRecord::of(entry), masked: entry.masked }
    }

    pub(in crate::adapters::store) fn entry(self, shared: &mut Shared) -> Entry {
        self.entry.entry(self.masked, shared)
    }
}

impl<'a> EntryRecord<'a> {
    fn of(entry: &'a Entry) -> Self {
        Self {
            key: NoticeKeyRecord::of(&entry.key),
            lane: entry.lane.into(),
            target: entry.target.as_ref().map(TargetRecord::of),
            text: entry.text.as_ref().map(|answer| match answer {
                Answer::Ticket(key) => AnswerRecord::Ticket(TicketKeyRecord::of(key)),
                Answer::Text(message) => AnswerRecord::Text(MessageRecord::of(message)),
                Answer::Page(message, turns) => {
                    AnswerRecord::Page(MessageRecord::of(message), turns.iter().map(TurnRecord::of).collect())
                }
            }),
            decided_at: entry.decided_at.as_ms(),
            not_before: entry.not_before.as_ms(),
            first_tried_at: ms(entry.first_tried_at),
            attempts: entry.attempts,
            without_mentions: entry.without_mentions,
            maybe_repeat: entry.maybe_repeat,
            last_error: entry.last_error.as_ref().map(MessageRecord::of),
        }
    }

    fn entry(self, masked: bool, shared: &mut Shared) -> Entry {
        Entry {
            masked,
            key: self.key.key(shared),
            lane: self.lane.into(),
            target: self.target.map(|target| target.target(shared)),
            text: self.text.map(|answer| match answer {
                AnswerRecord::Ticket(key) => Answer::Ticket(key.key(shared)),
                AnswerRecord::Text(message) => Answer::Text(message.message()),
                AnswerRecord::Page(message, turns) => {
                    Answer::Page(message.message(), turns.into_iter().map(TurnRecord::turn).collect())
                }
            }),
            decided_at: Timestamp::from_ms(self.decided_at),
            not_before: Timestamp::from_ms(self.not_before),
            first_tried_at: at(self.first_tried_at),
            attempts: self.attempts,
            without_mentions: self.without_mentions,
            maybe_repeat: self.maybe_repeat,
            last_error: self.last_error.map(MessageRecord::message),
        }
    }
}

impl<'a> TurnRecord<'a> {
    fn of(turn: &'a Turn) -> Self {
        Self {
            words: MessageRecord::of(&turn.words),
            text: &turn.asks.text,
            is_direct: turn.asks.is_direct,
            locale: turn.asks.locale.into(),
        }
    }

    fn turn(self) -> Turn {
        let asks = Question { text: self.text.to_owned(), is_direct: self.is_direct, locale: self.locale.into() };
        Turn { words: self.words.message(), asks }
    }
}

impl<'a> DeadRecord<'a> {
    pub(in crate::adapters::store) fn of(dead: &'a DeadLetter) -> Self {
        let entry = EntryRecord::of(&dead.entry);
        let reason = MessageRecord::of(&dead.reason);
        Self { entry, at: dead.at.as_ms(), reason, masked: dead.entry.masked }
    }

    pub(in crate::adapters::store) fn dead(self, shared: &mut Shared) -> DeadLetter {
        DeadLetter {
            entry: self.entry.entry(self.masked, shared),
            at: Timestamp::from_ms(self.at),
            reason: self.reason.message(),
        }
    }
}

impl<'a> NoticeKeyRecord<'a> {
    fn of(key: &'a NoticeKey) -> Self {
        Self {
            subject: SubjectRecord::of(&key.subject),
            rule: key.rule.as_str(),
            episode: key.episode,
            step: key.step.into(),
            ordinal: key.ordinal,
            receiver: key.receiver.as_str(),
        }
    }

    fn key(self, shared: &mut Shared) -> NoticeKey {
        NoticeKey {
            subject: self.subject.subject(shared),
            rule: rule(self.rule, shared),
            episode: self.episode,
            step: self.step.into(),
            ordinal: self.ordinal,
            receiver: ReceiverName::new(shared.text(self.receiver)),
        }
    }
}

impl<'a> TargetRecord<'a> {
    fn of(target: &'a Target) -> Self {
        match target {
            Target::Post(receiver) => Self::Post(receiver.as_str()),
            Target::Reply(message) => Self::Reply(message.as_str()),
            Target::Patch(message) => Self::Patch(message.as_str()),
            Target::Urge(message, how, person) => Self::Urge(message.as_str(), (*how).into(), person.as_str()),
        }
    }

    fn target(self, shared: &mut Shared) -> Target {
        match self {
            Self::Post(receiver) => Target::Post(ReceiverName::new(shared.text(receiver))),
            Self::Reply(message) => Target::Reply(message.into()),
            Self::Patch(message) => Target::Patch(message.into()),
            Self::Urge(message, how, person) => Target::Urge(message.into(), how.into(), PersonId::read(person)),
        }
    }
}
