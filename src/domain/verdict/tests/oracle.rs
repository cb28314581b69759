//! Random cases against an evaluator that asks every minute: conditions and service levels, over up to three days.
//!
//! `DESKBELL_CASES=100000 cargo test --release --lib verdict::` runs as many cases; `DESKBELL_CASE=<n>` runs one again.

use super::{
    sheet::{Sheet, Tape},
    wish::{Allowed, Asked, Happened, Leaf, Wish, random_span},
    world::{Counted, Dice, WINDOW_MINS, World},
};
use crate::domain::{
    condition::Clock,
    facts::Facts,
    labels::Labels,
    rule::{Rung, RungAt, To},
    seen::{Event, Seen},
    sla::{Sla, SlaAt, SlaTarget},
    ticket::{Known, Ticket},
    time::{Span, Timestamp},
    verdict::{Answer, Verdict, eval, held_since},
};

/// Cases of `cargo test`.
const CASES: u64 = 2_000;

/// Cases that happen in the same world.
const CASES_IN_A_WORLD: u64 = 80;

/// The longest a case goes on.
const CASE_MINS_MAX: i64 = 3 * 24 * 60;

const MINUTE_MS: i64 = 60_000;

const ROOT: Allowed = Allowed { clocks: true, events: true };

/// What is checked of a case.
const CHECKS: [(&str, Check); 4] = [
    ("a condition", check_condition),
    ("what was", check_was),
    ("a service level", check_sla),
    ("held since", check_held_since),
];

type Check = fn(&mut Dice, &World) -> Result<(), String>;

#[test]
fn verdicts_are_what_every_minute_says() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let only = number("DESKBELL_CASE");
    let cases = number("DESKBELL_CASES").unwrap_or(CASES);
    let mut world: Option<(u64, World)> = None;
    for case in only.map_or(0..cases, |only| only..only + 1) {
        let seed = case / CASES_IN_A_WORLD;
        let world = match world.take() {
            Some(same) if same.0 == seed => world.insert(same),
            _ => world.insert((seed, World::new(seed))),
        };
        for (what, check) in CHECKS {
            if let Err(message) = check(&mut Dice::new(case + (1 << 32)), &world.1) {
                panic!("case {case}, {what}: {message}\nagain: DESKBELL_CASE={case} cargo test --lib verdict::");
            }
        }
    }
}

/// The ticket of a case as it is under test.
struct Subject {
    ticket: Ticket,
    facts: Facts,
    before: Option<Ticket>,
}

impl Subject {
    fn new(sheet: &Sheet, before: Option<&Sheet>, world: &World) -> Self {
        let before = before.map(|before| before.ticket(world));
        Self { ticket: sheet.ticket(world), facts: sheet.facts(world), before }
    }

    fn seen(&self, held: bool) -> Seen<'_> {
        let event = match &self.before {
            Some(before) => Event::Change(before),
            None if held => Event::Held,
            None => Event::None,
        };
        Seen::at_rest(&self.ticket, &self.facts, Labels::none()).after(event)
    }
}

fn check_condition(dice: &mut Dice, world: &World) -> Result<(), String> {
    let sheet = Sheet::random(dice);
    let happens = dice.below(4);
    let before = (happens == 0).then(|| sheet.before(dice));
    let event = match &before {
        Some(before) => Happened::Change(before, &[]),
        None if happens == 1 => Happened::Held,
        None => Happened::Nothing,
    };
    let mut leaves = Vec::new();
    let wish = Wish::random(dice, 3, ROOT, world, &mut leaves);
    let tapes = tapes_of(&sheet, &leaves, world);
    let asked = Asked { sheet: &sheet, leaves: &leaves, tapes: &tapes, event };
    let condition = wish.condition(&leaves, world);
    let subject = Subject::new(&sheet, before.as_ref(), world);
    let seen = subject.seen(happens == 1);
    let walk = Walk {
        world,
        verdict: &|now| eval(&condition, &seen, now),
        answer: &|at_ms| wish.ask(&asked, at_ms),
        flips: leaves.iter().zip(&tapes).filter_map(|(leaf, tape)| flip(tape, leaf.span_ms)).collect(),
    };
    walk.go(dice).map_err(|message| format!("{message}\n{wish:?}\n{leaves:?}\n{sheet:?}\nbefore: {before:?}"))
}

/// A change is judged once, when it is stored: clocks in `was` show what they would show had it not happened.
fn check_was(dice: &mut Dice, world: &World) -> Result<(), String> {
    let sheet = Sheet::random(dice);
    let before = sheet.before(dice);
    let mut leaves = Vec::new();
    let still = Allowed { clocks: true, events: false };
    let part = |dice: &mut Dice, leaves: &mut Vec<Leaf>| Wish::random(dice, 2, still, world, leaves);
    let wish = Wish::All(vec![Wish::Was(Box::new(part(dice, &mut leaves))), part(dice, &mut leaves)]);
    let (tapes, then) = (tapes_of(&sheet, &leaves, world), tapes_of(&before, &leaves, world));
    let event = Happened::Change(&before, &then);
    let asked = Asked { sheet: &sheet, leaves: &leaves, tapes: &tapes, event };
    let (condition, subject) = (wish.condition(&leaves, world), Subject::new(&sheet, Some(&before), world));
    for _ in 0..4 {
        let now = dice.below(WINDOW_MINS * MINUTE_MS);
        let (said, expected) = (eval(&condition, &subject.seen(false), world.at_ms(now)).answer, wish.ask(&asked, now));
        if said != expected {
            return Err(format!(
                "{now}: {expected:?}, not {said:?}\n{wish:?}\n{leaves:?}\n{sheet:?}\nbefore: {before:?}"
            ));
        }
    }
    Ok(())
}

fn tapes_of(sheet: &Sheet, leaves: &[Leaf], world: &World) -> Vec<Known<Tape>> {
    leaves.iter().map(|leaf| sheet.tape(leaf.clock, &[], leaf.counted, world)).collect()
}

fn flip(tape: &Known<Tape>, span_ms: i64) -> Option<i64> {
    tape.present().and_then(|tape| tape.reaches(span_ms))
}

/// One target of a service level.
#[derive(Debug)]
struct Promise {
    when: Option<Wish>,
    is_ms: i64,
    counted: Counted,
}

fn check_sla(dice: &mut Dice, world: &World) -> Result<(), String> {
    let sheet = Sheet::random(dice);
    let clock = *dice.pick(&Clock::ALL);
    // A clock that counts one status does not rest in it.
    let statuses = [1, 4, 5, 50, if clock == Clock::QueueTime { 2 } else { 3 }];
    let pauses: Vec<i64> = (0..dice.below(3)).map(|_| *dice.pick(&statuses)).collect();
    let promise = |dice: &mut Dice| {
        let still = Allowed { clocks: false, events: false };
        let when = (!dice.once_in(3)).then(|| Wish::random(dice, 2, still, world, &mut Vec::new()));
        Promise { when, is_ms: random_span(dice), counted: world.any_pace(dice) }
    };
    let promises: Vec<Promise> = (0..=dice.below(3)).map(|_| promise(dice)).collect();
    let step = match dice.below(3) {
        0 => SlaAt::Percent(u32::try_from(dice.below(200)).unwrap()),
        1 => SlaAt::Before(Span::from_ms(random_span(dice) / 4)),
        _ => SlaAt::Past(Span::from_ms(random_span(dice))),
    };
    let tapes: Vec<Known<Tape>> =
        promises.iter().map(|promise| sheet.tape(clock, &pauses, promise.counted, world)).collect();
    let chosen = chosen(&promises, &sheet);
    let reach = chosen.present().map(|at| (&tapes[*at], shown_at(step, promises[*at].is_ms)));
    let answer = |at_ms: i64| match (&chosen, &reach) {
        (Known::Unknown, _) => Answer::Unknown,
        (Known::Empty, _) | (_, None) => Answer::No,
        (_, Some((Known::Unknown, _))) => Answer::Unknown,
        (_, Some((Known::Empty, _))) => Answer::No,
        (_, Some((Known::Present(tape), _))) if tape.is_over => Answer::No,
        (_, Some((Known::Present(tape), span_ms))) => {
            if tape.shows(at_ms) >= *span_ms {
                Answer::Yes
            } else {
                Answer::No
            }
        }
    };
    let sla = Sla {
        clock,
        pauses: pauses.as_slice().into(),
        targets: promises.iter().map(|promise| target(promise, world)).collect(),
    };
    let rung = rung(step);
    let subject = Subject::new(&sheet, None, world);
    let seen = subject.seen(false);
    let walk = Walk {
        world,
        verdict: &|now| sla.reached(&rung, &seen, now),
        answer: &answer,
        flips: reach.as_ref().and_then(|(tape, span_ms)| flip(tape, *span_ms)).into_iter().collect(),
    };
    walk.go(dice).map_err(|message| format!("{message}\n{clock:?} {pauses:?} {step:?} {promises:?}\n{sheet:?}"))
}

/// The first promise that is made to the ticket; unknown where that cannot be said.
fn chosen(promises: &[Promise], sheet: &Sheet) -> Known<usize> {
    let asked = Asked { sheet, leaves: &[], tapes: &[], event: Happened::Nothing };
    for (at, promise) in promises.iter().enumerate() {
        match promise.when.as_ref().map_or(Answer::Yes, |when| when.ask(&asked, 0)) {
            Answer::Yes => return Known::Present(at),
            Answer::Unknown => return Known::Unknown,
            Answer::No => {}
        }
    }
    Known::Empty
}

fn shown_at(step: SlaAt, is_ms: i64) -> i64 {
    match step {
        SlaAt::Percent(percent) => is_ms * i64::from(percent) / 100,
        SlaAt::Before(span) => (is_ms - span.as_ms()).max(0),
        SlaAt::Past(span) => is_ms + span.as_ms(),
    }
}

fn target(promise: &Promise, world: &World) -> SlaTarget {
    SlaTarget {
        when: promise.when.as_ref().map(|when| when.condition(&[], world)),
        is: Span::from_ms(promise.is_ms),
        pace: world.pace(promise.counted),
    }
}

fn rung(at: SlaAt) -> Rung {
    Rung { at: RungAt::Sla(at), severity: None, to: To::Team, template: None, mention: None, urgent: None }
}

/// What a verdict must be, along a stretch of time.
struct Walk<'a> {
    world: &'a World,
    verdict: &'a dyn Fn(Timestamp) -> Verdict,
    answer: &'a dyn Fn(i64) -> Answer,
    /// Where its clocks pass their bounds, in milliseconds.
    flips: Vec<i64>,
}

impl Walk<'_> {
    /// From verdict to verdict, each where the one before expires, over up to three days.
    fn go(&self, dice: &mut Dice) -> Result<(), String> {
        let from = dice.below((WINDOW_MINS - 120) * MINUTE_MS);
        let to = (from + dice.below(CASE_MINS_MAX * MINUTE_MS)).min((WINDOW_MINS - 1) * MINUTE_MS);
        let mut now = from;
        let mut verdict = self.judge(now)?;
        let mut hops = 0;
        for at in self.moments(from, to) {
            while self.world.at_ms(at) >= verdict.valid_until {
                let until = self.world.ms_of(verdict.valid_until);
                self.agree(verdict, now, until - 1)?;
                if !self.flips.contains(&until) {
                    return Err(format!("judged at {now}: expires at {until}, where no clock passes its bound"));
                }
                now = until;
                verdict = self.judge(now)?;
                hops += 1;
            }
            self.agree(verdict, now, at)?;
        }
        if hops > self.flips.len() {
            return Err(format!("{hops} verdicts for {} bounds", self.flips.len()));
        }
        // What is judged at and around a bound, whatever was judged before.
        for at in self.around_flips() {
            self.judge(at)?;
        }
        Ok(())
    }

    fn judge(&self, now: i64) -> Result<Verdict, String> {
        let verdict = (self.verdict)(self.world.at_ms(now));
        if verdict.valid_until <= self.world.at_ms(now) {
            return Err(format!("judged at {now}: expires at once"));
        }
        self.agree(verdict, now, now)?;
        Ok(verdict)
    }

    fn agree(&self, verdict: Verdict, judged_at: i64, at: i64) -> Result<(), String> {
        let answer = (self.answer)(at);
        if verdict.answer == answer {
            return Ok(());
        }
        let (said, until) = (verdict.answer, verdict.valid_until);
        Err(format!("{at}: every minute says {answer:?}, the verdict of {judged_at} says {said:?} until {until:?}"))
    }

    /// Every minute, and around every bound.
    fn moments(&self, from: i64, to: i64) -> Vec<i64> {
        let minutes = (from / MINUTE_MS + 1..=to / MINUTE_MS).map(|minute| minute * MINUTE_MS);
        let mut moments: Vec<i64> = minutes.chain(self.around_flips()).filter(|at| (from..=to).contains(at)).collect();
        moments.sort_unstable();
        moments
    }

    fn around_flips(&self) -> Vec<i64> {
        let around = |flip: &i64| [-1_000, -1, 0, 1, 1_000].map(|more| flip + more);
        self.flips.iter().flat_map(around).filter(|at| *at >= 0).collect()
    }
}

fn check_held_since(dice: &mut Dice, world: &World) -> Result<(), String> {
    let sheet = Sheet::random(dice);
    let mut leaves = Vec::new();
    let wish = Wish::random(dice, 3, Allowed { clocks: true, events: false }, world, &mut leaves);
    let tapes = tapes_of(&sheet, &leaves, world);
    let asked = Asked { sheet: &sheet, leaves: &leaves, tapes: &tapes, event: Happened::Nothing };
    let now = dice.below(WINDOW_MINS * MINUTE_MS);
    let subject = Subject::new(&sheet, None, world);
    let moved = subject.ticket.last_moved_at().map(|moved| world.ms_of(moved)).filter(|moved| *moved <= now);
    let (Some(moved), Answer::Yes) = (moved, wish.ask(&asked, now)) else { return Ok(()) };
    let condition = wish.condition(&leaves, world);
    let since = world.ms_of(held_since(&condition, &subject.seen(false), world.at_ms(now)));
    let minutes = (since / MINUTE_MS + 1..=now / MINUTE_MS).map(|minute| minute * MINUTE_MS);
    if let Some(at) = [since, now].into_iter().chain(minutes).find(|at| wish.ask(&asked, *at) != Answer::Yes) {
        return Err(format!("held since {since}, but not at {at}\n{condition}\n{sheet:?}"));
    }
    if since > now || since < moved || (since > moved && wish.ask(&asked, since - 1) == Answer::Yes) {
        return Err(format!("moved at {moved}, held since {since}, and now is {now}\n{condition}\n{sheet:?}"));
    }
    Ok(())
}
