//! A service level: a clock, a target that depends on the ticket, and steps on the way to it and past it.

use std::sync::Arc;

use crate::domain::{
    calendar::Pace,
    clocks::Run,
    condition::{Clock, Condition},
    rule::{Rung, RungAt},
    seen::Seen,
    ticket::Known,
    time::{Span, Timestamp},
    verdict::{Answer, Verdict, eval},
};

/// What an SLA rule has beyond other rules.
#[derive(Clone, Debug)]
pub struct Sla {
    /// The clock.
    pub clock: Clock,
    /// Statuses in which it rests.
    pub pauses: Arc<[i64]>,
    /// The targets, first match first.
    pub targets: Vec<SlaTarget>,
}

/// One target.
#[derive(Clone, Debug)]
pub struct SlaTarget {
    /// For which tickets, without clocks, `was` and `changed`; absent: for all that are left.
    pub when: Option<Condition>,
    /// How long it may take.
    pub is: Span,
    /// Counted how.
    pub pace: Pace,
}

/// Where on the way to its target a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlaAt {
    /// At so many hundredths of the target.
    Percent(u32),
    /// So long before it.
    Before(Span),
    /// So long past it.
    Past(Span),
}

impl SlaAt {
    /// What the clock shows when a target of `is` reaches the step.
    pub const fn of(self, is: Span) -> Span {
        match self {
            Self::Percent(percent) => Span::from_ms(is.as_ms().saturating_mul(percent as i64) / 100),
            Self::Before(span) => Span::from_ms(is.as_ms().saturating_sub(span.as_ms())),
            Self::Past(span) => Span::from_ms(is.as_ms().saturating_add(span.as_ms())),
        }
    }
}

impl Sla {
    /// The target of a ticket; empty where it has none.
    pub fn target_of(&self, seen: &Seen<'_>, now: Timestamp) -> Known<&SlaTarget> {
        for target in &self.targets {
            match target.when.as_ref().map_or(Answer::Yes, |when| eval(when, seen, now).answer) {
                Answer::Yes => return Known::Present(target),
                Answer::Unknown => return Known::Unknown,
                Answer::No => {}
            }
        }
        Known::Empty
    }

    /// Whether a step is reached, and when it will be. A clock that is over answers no: the promise is kept or broken,
    /// and nobody can hurry any more.
    pub fn reached(&self, rung: &Rung, seen: &Seen<'_>, now: Timestamp) -> Verdict {
        let RungAt::Sla(at) = &rung.at else { return Verdict::lasting(Answer::No) };
        let target = match self.target_of(seen, now) {
            Known::Unknown => return Verdict::lasting(Answer::Unknown),
            Known::Empty => return Verdict::lasting(Answer::No),
            Known::Present(target) => target,
        };
        let span = at.of(target.is);
        match Run::of(self.clock, &self.pauses, seen) {
            Run::Unknown => Verdict::lasting(Answer::Unknown),
            Run::NotStarted => Verdict::lasting(Answer::No),
            run @ Run::Track(_) if run.is_over() => Verdict::lasting(Answer::No),
            Run::Track(track) if track.elapsed(&target.pace, now) >= span => Verdict::lasting(Answer::Yes),
            Run::Track(track) => Verdict { answer: Answer::No, valid_until: track.reaches(span, &target.pace) },
        }
    }
}
