//! An alert on disk.

use serde::{Deserialize, Serialize};

use super::parts::{MessageRecord, Shared, SubjectRecord, at, ms, rule, twin};
use crate::domain::{
    alert::{Alert, AlertKey, AlertState, Announced, EndReason, Line, LineOf},
    id::ReceiverName,
    rule::Severity,
    time::Timestamp,
};

twin!(SeverityRecord = Severity { Info, Warning, Critical });
twin!(EndReasonRecord = EndReason { Cleared, Handled, Expired, TicketGone, RuleChanged, RuleRemoved, UntilMet });

/// [`Alert`] on disk.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) struct AlertRecord<'a> {
    #[serde(borrow)]
    key: AlertKeyRecord<'a>,
    episode: u32,
    state: StateRecord,
    since: i64,
    severity: SeverityRecord,
    why: MessageRecord<'a>,
    announced: AnnouncedRecord,
    lines: Vec<LineRecord<'a>>,
    rev: u32,
    latched: bool,
    meaning: u64,
}

/// [`AlertKey`] on disk.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) struct AlertKeyRecord<'a> {
    #[serde(borrow)]
    subject: SubjectRecord<'a>,
    rule: &'a str,
}

#[derive(Debug, Serialize, Deserialize)]
enum StateRecord {
    Pending,
    Firing { fired_at: i64, stale_as_of: Option<i64> },
    Ended { fired_at: Option<i64>, ended_at: i64, reason: EndReasonRecord },
}

#[derive(Debug, Serialize, Deserialize)]
enum AnnouncedRecord {
    Cards,
    Digest(u32),
    Nobody,
}

#[derive(Debug, Serialize, Deserialize)]
struct LineRecord<'a> {
    receiver: &'a str,
    repeats: u32,
    next_at: Option<i64>,
}

impl<'a> AlertKeyRecord<'a> {
    pub(super) fn of(key: &'a AlertKey) -> Self {
        Self { subject: SubjectRecord::of(&key.subject), rule: key.rule.as_str() }
    }

    pub(super) fn key(self, shared: &mut Shared) -> AlertKey {
        AlertKey { subject: self.subject.subject(shared), rule: rule(self.rule, shared) }
    }
}

impl<'a> AlertRecord<'a> {
    pub(in crate::adapters::store) fn of(alert: &'a Alert) -> Self {
        Self {
            key: AlertKeyRecord::of(&alert.key),
            episode: alert.episode,
            state: StateRecord::of(&alert.state),
            since: alert.since.as_ms(),
            severity: alert.severity.into(),
            why: MessageRecord::of(&alert.why),
            announced: match alert.announced {
                Announced::Cards => AnnouncedRecord::Cards,
                Announced::Digest(number) => AnnouncedRecord::Digest(number),
                Announced::Nobody => AnnouncedRecord::Nobody,
            },
            lines: alert.lines.iter().map(LineRecord::of).collect(),
            rev: alert.rev,
            latched: alert.latched,
            meaning: alert.meaning,
        }
    }

    pub(in crate::adapters::store) fn alert(self, shared: &mut Shared) -> Alert {
        Alert {
            episode: self.episode,
            state: self.state.state(),
            severity: self.severity.into(),
            why: self.why.message(),
            announced: match self.announced {
                AnnouncedRecord::Cards => Announced::Cards,
                AnnouncedRecord::Digest(number) => Announced::Digest(number),
                AnnouncedRecord::Nobody => Announced::Nobody,
            },
            lines: self.lines.into_iter().map(|line| line.line(shared)).collect(),
            rev: self.rev,
            latched: self.latched,
            meaning: self.meaning,
            ..Alert::pending(self.key.key(shared), Timestamp::from_ms(self.since))
        }
    }
}

impl StateRecord {
    fn of(state: &AlertState) -> Self {
        match state {
            AlertState::Pending => Self::Pending,
            AlertState::Firing { fired_at, stale_as_of } => {
                Self::Firing { fired_at: fired_at.as_ms(), stale_as_of: ms(*stale_as_of) }
            }
            AlertState::Ended { fired_at, ended_at, reason } => {
                Self::Ended { fired_at: ms(*fired_at), ended_at: ended_at.as_ms(), reason: (*reason).into() }
            }
        }
    }

    fn state(self) -> AlertState {
        match self {
            Self::Pending => AlertState::Pending,
            Self::Firing { fired_at, stale_as_of } => {
                AlertState::Firing { fired_at: Timestamp::from_ms(fired_at), stale_as_of: at(stale_as_of) }
            }
            Self::Ended { fired_at, ended_at, reason } => AlertState::Ended {
                fired_at: at(fired_at),
                ended_at: Timestamp::from_ms(ended_at),
                reason: reason.into(),
            },
        }
    }
}

impl<'a> LineRecord<'a> {
    fn of(line: &'a Line) -> Self {
        Self { receiver: line.receiver.as_str(), repeats: line.repeats, next_at: ms(line.next_at) }
    }

    fn line(self, shared: &mut Shared) -> Line {
        let receiver = ReceiverName::new(shared.text(self.receiver));
        Line { receiver, repeats: self.repeats, next_at: at(self.next_at), from: LineOf::Nothing }
    }
}
