//! Random conditions: what a case asks, how it is written as a condition, and what the answer is by plain logic.

use std::sync::Arc;

use super::{
    sheet::{Sheet, Tape},
    world::{Counted, Dice, World},
};
use crate::domain::{
    condition::{Bound, Clock, ClockTest, Condition, Operator, Target, Test},
    field::Field,
    id::ConditionName,
    ticket::Known,
    time::Span,
    verdict::Answer,
};

/// A value a case looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Status,
    Score,
    Updated,
    LastReply,
    Reopened,
}

impl Look {
    const ALL: [Self; 5] = [Self::Status, Self::Score, Self::Updated, Self::LastReply, Self::Reopened];

    fn target(self) -> Target {
        let name = match self {
            Self::Status => "status",
            Self::Score => "score",
            Self::Updated => "updated_at",
            Self::LastReply => "agent_last_response_time",
            Self::Reopened => "reopened_count",
        };
        Target::Field(Field::find(name).unwrap())
    }

    fn of(self, sheet: &Sheet) -> Known<i64> {
        match self {
            Self::Status => sheet.status,
            Self::Score => sheet.score,
            Self::Updated => sheet.updated,
            Self::LastReply => sheet.last_reply,
            Self::Reopened => Known::Present(i64::from(sheet.reopened)),
        }
    }
}

/// One test of one clock.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub(super) clock: Clock,
    pub(super) at_least: bool,
    pub(super) span_ms: i64,
    pub(super) counted: Counted,
}

/// What a case asks.
#[derive(Clone, Debug)]
pub(super) enum Wish {
    All(Vec<Wish>),
    Any(Vec<Wish>),
    None(Vec<Wish>),
    Not(Box<Wish>),
    Meets(Box<Wish>),
    Was(Box<Wish>),
    Changed(Vec<Look>),
    Is(Look, Vec<i64>),
    Exists(Look, bool),
    /// By its place among the case's leaves.
    Clock(usize),
}

/// What may stand in a wish.
#[derive(Clone, Copy)]
pub(super) struct Allowed {
    pub(super) clocks: bool,
    pub(super) events: bool,
}

pub(super) fn random_span(dice: &mut Dice) -> i64 {
    let secs = match dice.below(8) {
        0 => dice.below(120),
        1 => 0,
        2 | 3 => 900 * dice.below(16),
        4 | 5 => 60 * dice.below(1_440),
        _ => 1_800 * dice.below(120),
    };
    secs * 1_000
}

impl Wish {
    pub(super) fn random(dice: &mut Dice, depth: u32, allowed: Allowed, world: &World, leaves: &mut Vec<Leaf>) -> Self {
        if depth == 0 || dice.once_in(3) {
            return Self::random_leaf(dice, allowed, world, leaves);
        }
        let parts = |dice: &mut Dice, leaves: &mut Vec<Leaf>| -> Vec<Self> {
            (0..=dice.below(3)).map(|_| Self::random(dice, depth - 1, allowed, world, leaves)).collect()
        };
        match dice.below(12) {
            0..=3 => Self::All(parts(dice, leaves)),
            4..=6 => Self::Any(parts(dice, leaves)),
            7 | 8 => Self::None(parts(dice, leaves)),
            9 | 10 => Self::Not(Box::new(Self::random(dice, depth - 1, allowed, world, leaves))),
            _ => Self::Meets(Box::new(Self::random(dice, depth - 1, allowed, world, leaves))),
        }
    }

    fn random_leaf(dice: &mut Dice, allowed: Allowed, world: &World, leaves: &mut Vec<Leaf>) -> Self {
        if allowed.clocks && !dice.once_in(3) {
            leaves.push(Leaf {
                clock: *dice.pick(&Clock::ALL),
                at_least: dice.once_in(2),
                span_ms: random_span(dice),
                counted: world.any_pace(dice),
            });
            return Self::Clock(leaves.len() - 1);
        }
        if allowed.events && dice.once_in(2) {
            // Time does not pass in what was.
            let still = Allowed { clocks: false, events: false };
            return match dice.below(2) {
                0 => Self::Was(Box::new(Self::random(dice, 2, still, world, leaves))),
                _ => Self::Changed((0..=dice.below(2)).map(|_| *dice.pick(&Look::ALL)).collect()),
            };
        }
        let look = *dice.pick(&Look::ALL);
        match look {
            Look::Status | Look::Score => {
                let codes: &[i64] = if look == Look::Status { &[1, 2, 3, 4, 5, 50, 51, 77] } else { &[1, 2, 3] };
                Self::Is(look, (0..=dice.below(3)).map(|_| *dice.pick(codes)).collect())
            }
            Look::Reopened => Self::Is(look, vec![dice.below(4)]),
            Look::Updated | Look::LastReply => Self::Exists(look, dice.once_in(2)),
        }
    }

    /// As the evaluator takes it.
    pub(super) fn condition(&self, leaves: &[Leaf], world: &World) -> Condition {
        let all = |parts: &[Self]| parts.iter().map(|part| part.condition(leaves, world)).collect();
        let test = |look: Look, operator| Condition::Test(Test { target: look.target(), operator });
        match self {
            Self::All(parts) => Condition::All(all(parts)),
            Self::Any(parts) => Condition::Any(all(parts)),
            Self::None(parts) => Condition::None(all(parts)),
            Self::Not(part) => Condition::Not(Box::new(part.condition(leaves, world))),
            Self::Meets(part) => {
                Condition::Meets(ConditionName::from("named"), Arc::new(part.condition(leaves, world)))
            }
            Self::Was(part) => Condition::Was(Box::new(part.condition(leaves, world))),
            Self::Changed(looks) => Condition::Changed(looks.iter().map(|look| look.target()).collect()),
            Self::Is(Look::Reopened, numbers) => {
                test(Look::Reopened, Operator::NumberIs(numbers.iter().map(|number| *number as f64).collect()))
            }
            Self::Is(look, codes) => test(*look, Operator::CodeIs(codes.as_slice().into())),
            Self::Exists(look, wanted) => test(*look, Operator::Exists(*wanted)),
            Self::Clock(at) => {
                let leaf = &leaves[*at];
                let span = Span::from_ms(leaf.span_ms);
                let bound = if leaf.at_least { Bound::AtLeast(span) } else { Bound::Under(span) };
                Condition::Clock(ClockTest { clock: leaf.clock, bound, pace: world.pace(leaf.counted) })
            }
        }
    }

    /// The answer at an instant.
    pub(super) fn ask(&self, asked: &Asked<'_>, at_ms: i64) -> Answer {
        let decided = |parts: &[Self], decides: Answer, else_is: Answer| {
            let mut unknown = false;
            for part in parts {
                let answer = part.ask(asked, at_ms);
                if answer == decides {
                    return decides;
                }
                unknown |= answer == Answer::Unknown;
            }
            if unknown { Answer::Unknown } else { else_is }
        };
        match self {
            Self::All(parts) => decided(parts, Answer::No, Answer::Yes),
            Self::Any(parts) => decided(parts, Answer::Yes, Answer::No),
            Self::None(parts) => match decided(parts, Answer::Yes, Answer::No) {
                Answer::Yes => Answer::No,
                Answer::No => Answer::Yes,
                Answer::Unknown => Answer::Unknown,
            },
            Self::Not(part) => match part.ask(asked, at_ms) {
                Answer::Yes => Answer::No,
                Answer::No => Answer::Yes,
                Answer::Unknown => Answer::Unknown,
            },
            Self::Meets(part) => part.ask(asked, at_ms),
            Self::Was(part) => match asked.event {
                Happened::Nothing => Answer::No,
                Happened::Held => Answer::Yes,
                Happened::Change(sheet, tapes) => {
                    part.ask(&Asked { sheet, tapes, leaves: asked.leaves, event: Happened::Nothing }, at_ms)
                }
            },
            Self::Changed(looks) => match asked.event {
                Happened::Nothing => Answer::No,
                Happened::Held => Answer::Yes,
                Happened::Change(before, _) => yes_if(looks.iter().any(|look| {
                    let (old, new) = (look.of(before), look.of(asked.sheet));
                    old != new && old != Known::Unknown && new != Known::Unknown
                })),
            },
            Self::Is(look, wanted) => match look.of(asked.sheet) {
                Known::Unknown => Answer::Unknown,
                Known::Empty => Answer::No,
                Known::Present(value) => yes_if(wanted.contains(&value)),
            },
            Self::Exists(look, wanted) => match look.of(asked.sheet) {
                Known::Unknown => Answer::Unknown,
                Known::Empty => yes_if(!wanted),
                Known::Present(_) => yes_if(*wanted),
            },
            Self::Clock(at) => match (&asked.tapes[*at], &asked.leaves[*at]) {
                (Known::Unknown, _) => Answer::Unknown,
                (Known::Empty, _) => Answer::No,
                (Known::Present(tape), leaf) => yes_if((tape.shows(at_ms) >= leaf.span_ms) == leaf.at_least),
            },
        }
    }
}

fn yes_if(holds: bool) -> Answer {
    if holds { Answer::Yes } else { Answer::No }
}

/// What just happened to the ticket of a case.
#[derive(Clone, Copy)]
pub(super) enum Happened<'a> {
    Nothing,
    Held,
    /// What it was before, and its clocks then.
    Change(&'a Sheet, &'a [Known<Tape>]),
}

/// All that a wish is asked of.
pub(super) struct Asked<'a> {
    pub(super) sheet: &'a Sheet,
    pub(super) leaves: &'a [Leaf],
    /// One for each leaf.
    pub(super) tapes: &'a [Known<Tape>],
    pub(super) event: Happened<'a>,
}
