//! The answer of a condition, and until when it stands if nothing changes.
//!
//! Only clocks make an answer expire; everything else changes with the ticket.

use crate::domain::{
    change::differs,
    clocks::Run,
    condition::{Bound, ClockTest, Condition},
    judge::holds,
    seen::{Event, Seen},
    time::Timestamp,
};

/// Yes, no, or nobody can say (Kleene's three values). In their order, "and" is the least and "or" the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// It does not hold.
    No,
    /// A value it needs is unknown.
    Unknown,
    /// It holds.
    Yes,
}

impl Answer {
    /// From what is certain.
    pub const fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }

    /// The opposite; unknown stays unknown.
    #[must_use]
    pub const fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
            Self::Yes => Self::No,
        }
    }
}

/// An answer that carries its own expiry: it holds on `[now, valid_until)` if nothing changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The answer now.
    pub answer: Answer,
    /// The first instant at which time alone may change it, always later than now.
    pub valid_until: Timestamp,
}

impl Verdict {
    /// An answer that time alone never changes.
    pub const fn lasting(answer: Answer) -> Self {
        Self { answer, valid_until: Timestamp::NEVER }
    }

    /// Both must hold.
    pub fn both(one: Self, other: Self) -> Self {
        let valid_until = match (one.answer, other.answer) {
            (Answer::No, Answer::No) => one.valid_until.max(other.valid_until),
            (Answer::No, _) => one.valid_until,
            (_, Answer::No) => other.valid_until,
            _ => one.valid_until.min(other.valid_until),
        };
        Self { answer: one.answer.min(other.answer), valid_until }
    }

    const fn not(self) -> Self {
        Self { answer: self.answer.not(), valid_until: self.valid_until }
    }
}

/// Judges a condition on a ticket now.
pub fn eval(condition: &Condition, seen: &Seen<'_>, now: Timestamp) -> Verdict {
    match condition {
        Condition::All(parts) => combine(parts, seen, now, Answer::No),
        Condition::Any(parts) => combine(parts, seen, now, Answer::Yes),
        Condition::None(parts) => combine(parts, seen, now, Answer::Yes).not(),
        Condition::Not(part) => eval(part, seen, now).not(),
        Condition::Test(test) => Verdict::lasting(holds(test, seen)),
        Condition::Clock(test) => eval_clock(test, seen, now),
        Condition::Meets(_, meant) => eval(meant, seen, now),
        Condition::Was(_) | Condition::Changed(_) => Verdict::lasting(eval_event(condition, seen, now)),
    }
}

/// `was` and `changed` look at the change that was just stored; without one they are no, and once the alert rang on
/// one they hold.
fn eval_event(condition: &Condition, seen: &Seen<'_>, now: Timestamp) -> Answer {
    let before = match seen.event {
        Event::None => return Answer::No,
        Event::Held => return Answer::Yes,
        Event::Change(before) => before,
    };
    let facts = seen.facts.before(before, seen.ticket);
    let earlier = Seen { ticket: before, facts: &facts, event: Event::None, ..*seen };
    match condition {
        Condition::Was(part) => eval(part, &earlier, now).answer,
        Condition::Changed(targets) => Answer::of(targets.iter().any(|target| differs(target, &earlier, seen))),
        _ => Answer::No,
    }
}

/// "All" (decided by one No) and "any" (decided by one Yes) are the same with the answers turned round.
///
/// A deciding answer stands as long as the longest-lived part that gives it. Any other answer rests on all parts.
fn combine(parts: &[Condition], seen: &Seen<'_>, now: Timestamp, decides: Answer) -> Verdict {
    let mut decided: Option<Timestamp> = None;
    let mut answer = decides.not();
    let mut all_until = Timestamp::NEVER;
    for part in parts {
        let verdict = eval(part, seen, now);
        if verdict.answer == decides {
            if verdict.valid_until.is_never() {
                return Verdict::lasting(decides);
            }
            decided = decided.max(Some(verdict.valid_until));
        } else if verdict.answer == Answer::Unknown {
            answer = Answer::Unknown;
        }
        all_until = all_until.min(verdict.valid_until);
    }
    match decided {
        Some(valid_until) => Verdict { answer: decides, valid_until },
        None => Verdict { answer, valid_until: all_until },
    }
}

fn eval_clock(test: &ClockTest, seen: &Seen<'_>, now: Timestamp) -> Verdict {
    let (span, at_least) = match test.bound {
        Bound::AtLeast(span) => (span, true),
        Bound::Under(span) => (span, false),
    };
    match Run::of(test.clock, &[], seen) {
        Run::Unknown => Verdict::lasting(Answer::Unknown),
        Run::NotStarted => Verdict::lasting(Answer::No),
        Run::Track(track) if track.elapsed(&test.pace, now) >= span => Verdict::lasting(Answer::of(at_least)),
        Run::Track(track) => Verdict { answer: Answer::of(!at_least), valid_until: track.reaches(span, &test.pace) },
    }
}

/// Flips that are followed back in time.
const FLIPS_MAX: usize = 32;

/// Since when a condition that holds now has held, if the ticket has been as it is since it last moved. For a ticket
/// seen for the first time nobody knows more.
pub fn held_since(condition: &Condition, seen: &Seen<'_>, now: Timestamp) -> Timestamp {
    let mut at = seen.ticket.last_moved_at().unwrap_or(now).min(now);
    let mut since = None;
    for _ in 0..FLIPS_MAX {
        let verdict = eval(condition, seen, at);
        since = if verdict.answer == Answer::Yes { since.or(Some(at)) } else { None };
        if verdict.valid_until > now {
            return since.unwrap_or(now);
        }
        at = verdict.valid_until;
    }
    now
}

#[cfg(test)]
mod tests;
