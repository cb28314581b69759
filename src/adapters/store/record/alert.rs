//! An alert on disk.

use serde::{Deserialize, Serialize};

use super::parts::{ActorRecord, MessageRecord, Shared, SubjectRecord, at, ms, rule, twin};
use crate::{
    adapters::store::{
        key::Kind,
        value::{self, Unreadable},
    },
    domain::{
        alert::{Alert, AlertKey, AlertState, Announced, EndReason, Line, LineOf, Snoozed, Taken},
        id::ReceiverName,
        rule::Severity,
        time::Timestamp,
    },
};

twin!(SeverityRecord = Severity { Info, Warning, Critical });
twin!(EndReasonRecord = EndReason { Cleared, Handled, Expired, TicketGone, RuleChanged, RuleRemoved, UntilMet });

/// [`Alert`] on disk; version 1 had no ladders and did not say of a line where it came from.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) struct AlertRecord<'a, L = LineRecord<'a>, P = ProgressRecord, F = LifeRecord<'a>> {
    #[serde(borrow)]
    key: AlertKeyRecord<'a>,
    episode: u32,
    state: StateRecord,
    since: i64,
    severity: SeverityRecord,
    why: MessageRecord<'a>,
    announced: AnnouncedRecord,
    lines: Vec<L>,
    rev: u32,
    latched: bool,
    meaning: u64,
    progress: P,
    life: F,
}

/// How far an alert has come beside its lines.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(in crate::adapters::store) struct ProgressRecord {
    rung: u32,
    quiet_since: Option<i64>,
    trial: bool,
}

/// What alerts have since version 3: who does what about them, and how their lines are told.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::adapters::store) struct LifeRecord<'a> {
    ladder_from: Option<i64>,
    fallbacks: u32,
    fallback_at: Option<i64>,
    #[serde(borrow)]
    taken: Option<TakenRecord<'a>>,
    snoozed: Option<SnoozedRecord<'a>>,
    snoozes: u32,
    ended_by: Option<ActorRecord<'a>>,
    takeovers: u32,
    rounds: u32,
    /// One for each line: its digest, and whether something of it is held back.
    told: Vec<(Option<u32>, bool)>,
    /// Since version 4: for each line the digest that is to tell of it again; empty where none is.
    again: Vec<Option<u32>>,
}

/// [`Taken`] on disk.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct TakenRecord<'a> {
    #[serde(borrow)]
    by: ActorRecord<'a>,
    at: i64,
    until: i64,
    asked_at: Option<i64>,
}

/// [`Snoozed`] on disk.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct SnoozedRecord<'a> {
    #[serde(borrow)]
    by: ActorRecord<'a>,
    at: i64,
    until: i64,
}

impl<'a> LifeRecord<'a> {
    fn of(alert: &'a Alert) -> Self {
        let taken = |taken: &'a Taken| TakenRecord {
            by: ActorRecord::of(&taken.by),
            at: taken.at.as_ms(),
            until: taken.until.as_ms(),
            asked_at: ms(taken.asked_at),
        };
        let snoozed = |snoozed: &'a Snoozed| SnoozedRecord {
            by: ActorRecord::of(&snoozed.by),
            at: snoozed.at.as_ms(),
            until: snoozed.until.as_ms(),
        };
        Self {
            ladder_from: ms(alert.ladder_from),
            fallbacks: alert.fallbacks,
            fallback_at: ms(alert.fallback_at),
            taken: alert.taken.as_ref().map(taken),
            snoozed: alert.snoozed.as_ref().map(snoozed),
            snoozes: alert.snoozes,
            ended_by: alert.ended_by.as_ref().map(ActorRecord::of),
            takeovers: alert.takeovers,
            rounds: alert.rounds,
            told: alert.lines.iter().map(|line| (line.digest, line.held)).collect(),
            again: match alert.lines.iter().any(|line| line.again.is_some()) {
                true => alert.lines.iter().map(|line| line.again).collect(),
                false => Vec::new(),
            },
        }
    }

    fn put_into(self, alert: &mut Alert, shared: &mut Shared) {
        alert.ladder_from = at(self.ladder_from);
        alert.fallbacks = self.fallbacks;
        alert.fallback_at = at(self.fallback_at);
        alert.taken = self.taken.map(|taken| Taken {
            by: taken.by.actor(shared),
            at: Timestamp::from_ms(taken.at),
            until: Timestamp::from_ms(taken.until),
            asked_at: at(taken.asked_at),
        });
        alert.snoozed = self.snoozed.map(|snoozed| Snoozed {
            by: snoozed.by.actor(shared),
            at: Timestamp::from_ms(snoozed.at),
            until: Timestamp::from_ms(snoozed.until),
        });
        alert.snoozes = self.snoozes;
        alert.ended_by = self.ended_by.map(|by| by.actor(shared));
        alert.takeovers = self.takeovers;
        alert.rounds = self.rounds;
        for (line, (digest, held)) in alert.lines.iter_mut().zip(self.told) {
            line.digest = digest;
            line.held = held;
        }
        for (line, again) in alert.lines.iter_mut().zip(self.again) {
            line.again = again;
        }
    }
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

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) struct LineRecord<'a> {
    #[serde(borrow)]
    line: LineV1<'a>,
    from: LineOfRecord,
}

/// What version 1 kept of a line.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct LineV1<'a> {
    receiver: &'a str,
    repeats: u32,
    next_at: Option<i64>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum LineOfRecord {
    Notify(u32),
    Rung(u32),
    Nothing,
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
            progress: ProgressRecord { rung: alert.rung, quiet_since: ms(alert.quiet_since), trial: alert.trial },
            life: LifeRecord::of(alert),
        }
    }

    /// From a record of any version; `kind` says whether it is of the present or of a past episode.
    pub(in crate::adapters::store) fn read(
        kind: Kind,
        bytes: &'a [u8],
        shared: &mut Shared,
    ) -> Result<Alert, Unreadable> {
        if value::is_version(bytes, 1) {
            let old: AlertRecord<'a, LineV1<'a>, (), ()> = value::content(bytes)?;
            // The lines were those of `notify`, in its order.
            let line = |(at, line): (usize, LineV1<'_>), shared: &mut Shared| line.line(LineOf::notify(at), shared);
            return Ok(old.alert(ProgressRecord::default(), shared, line));
        }
        let mut new: Self = value::decode(kind, bytes)?;
        let (progress, life) = (new.progress, std::mem::take(&mut new.life));
        let mut alert = new.alert(progress, shared, |(_, line), shared| line.line.line(line.from.into(), shared));
        life.put_into(&mut alert, shared);
        Ok(alert)
    }
}

impl<L, P, F> AlertRecord<'_, L, P, F> {
    fn alert(
        self,
        progress: ProgressRecord,
        shared: &mut Shared,
        mut line: impl FnMut((usize, L), &mut Shared) -> Line,
    ) -> Alert {
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
            lines: self.lines.into_iter().enumerate().map(|entry| line(entry, shared)).collect(),
            rung: progress.rung,
            quiet_since: at(progress.quiet_since),
            trial: progress.trial,
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
        let from = match line.from {
            LineOf::Notify(at) => LineOfRecord::Notify(at),
            LineOf::Rung(at) => LineOfRecord::Rung(at),
            LineOf::Nothing => LineOfRecord::Nothing,
        };
        let line = LineV1 { receiver: line.receiver.as_str(), repeats: line.repeats, next_at: ms(line.next_at) };
        Self { line, from }
    }
}

impl LineV1<'_> {
    fn line(self, from: LineOf, shared: &mut Shared) -> Line {
        let receiver = ReceiverName::new(shared.text(self.receiver));
        Line { repeats: self.repeats, next_at: at(self.next_at), ..Line::new(receiver, from) }
    }
}

impl From<LineOfRecord> for LineOf {
    fn from(from: LineOfRecord) -> Self {
        match from {
            LineOfRecord::Notify(at) => Self::Notify(at),
            LineOfRecord::Rung(at) => Self::Rung(at),
            LineOfRecord::Nothing => Self::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_of_version_1_goes_on_repeating() {
        let key = AlertKey { subject: crate::domain::id::Subject::Service, rule: "r".into() };
        let line = |receiver: &str, from| Line {
            repeats: 2,
            next_at: Some(Timestamp::from_ms(9)),
            ..Line::new(receiver.into(), from)
        };
        let lines = vec![line("a", LineOf::Notify(0)), line("b", LineOf::Notify(1))];
        let alert = Alert { episode: 4, lines, latched: true, ..Alert::pending(key, Timestamp::from_ms(1)) };
        let AlertRecord { key, episode, state, since, severity, why, announced, lines, rev, latched, meaning, .. } =
            AlertRecord::of(&alert);
        let lines: Vec<_> = lines.into_iter().map(|line| line.line).collect();
        let old = AlertRecord {
            key,
            episode,
            state,
            since,
            severity,
            why,
            announced,
            lines,
            rev,
            latched,
            meaning,
            progress: (),
            life: (),
        };
        let bytes = postcard::to_extend(&old, vec![1]).unwrap();
        for kind in [Kind::Alert, Kind::Past] {
            assert_eq!(AlertRecord::read(kind, &bytes, &mut Shared::default()).unwrap(), alert);
        }
    }
}
