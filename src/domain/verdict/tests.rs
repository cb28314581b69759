//! `valid_until` against an evaluator that asks every second, and the table of clocks.

use proptest::prelude::*;

use super::*;
use crate::domain::{
    calendar::Pace,
    condition::{Clock, Operator, Target, Test},
    facts::Facts,
    field::Field,
    id::{SourceName, TicketId, TicketKey},
    labels::Labels,
    ticket::{Known, Status, Ticket},
    time::Span,
};

const HORIZON_SECS: i64 = 60;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_ms(secs * 1_000)
}

/// Clocks as arithmetic on seconds, told apart from the code under test: no runs, no stops, just "how long, now".
fn elapsed_naive(clock: Clock, ticket: &Ticket, facts: &Facts, now: Timestamp) -> Result<i64, Answer> {
    if clock == Clock::InStatus {
        let known = ticket.status != Known::Unknown;
        return if known { Ok((now.as_ms() - facts.status_since.as_ms()).max(0)) } else { Err(Answer::Unknown) };
    }
    let start = match clock {
        Clock::Idle if ticket.updated_at == Known::Empty => ticket.created_at,
        Clock::Idle => ticket.updated_at,
        Clock::SinceAgentReply if ticket.agent_last_response_time == Known::Empty => return Err(Answer::No),
        Clock::SinceAgentReply => ticket.agent_last_response_time,
        _ => ticket.created_at,
    };
    let Known::Present(start) = start else { return Err(Answer::Unknown) };
    let open = matches!(ticket.status, Known::Present(status) if status.code() <= 5);
    let closed = matches!(ticket.status, Known::Present(status) if (50..=52).contains(&status.code()));
    let end = match ticket.closed_at {
        _ if open => now,
        Known::Present(closed_at) => closed_at,
        _ if closed => match (ticket.updated_at, ticket.created_at) {
            (Known::Present(moved), _) | (_, Known::Present(moved)) => moved,
            _ => return Err(Answer::Unknown),
        },
        Known::Empty => now,
        Known::Unknown => return Err(Answer::Unknown),
    };
    Ok((end.as_ms() - start.as_ms()).max(0))
}

fn naive(condition: &Condition, ticket: &Ticket, facts: &Facts, now: Timestamp) -> Answer {
    let each =
        |parts: &[Condition]| -> Vec<Answer> { parts.iter().map(|part| naive(part, ticket, facts, now)).collect() };
    let any = |answers: Vec<Answer>| {
        if answers.contains(&Answer::Yes) {
            Answer::Yes
        } else if answers.contains(&Answer::Unknown) {
            Answer::Unknown
        } else {
            Answer::No
        }
    };
    match condition {
        Condition::All(parts) => any(each(parts).into_iter().map(Answer::not).collect()).not(),
        Condition::Any(parts) => any(each(parts)),
        Condition::None(parts) => any(each(parts)).not(),
        Condition::Not(part) => naive(part, ticket, facts, now).not(),
        Condition::Test(test) => holds(test, &Seen::at_rest(ticket, facts, Labels::none())),
        Condition::Meets(..) | Condition::Was(_) | Condition::Changed(_) => Answer::No,
        Condition::Clock(test) => match (elapsed_naive(test.clock, ticket, facts, now), test.bound) {
            (Err(answer), _) => answer,
            (Ok(elapsed), Bound::AtLeast(span)) => Answer::of(elapsed >= span.as_ms()),
            (Ok(elapsed), Bound::Under(span)) => Answer::of(elapsed < span.as_ms()),
        },
    }
}

fn clock_leaves(condition: &Condition) -> usize {
    match condition {
        Condition::All(parts) | Condition::Any(parts) | Condition::None(parts) => parts.iter().map(clock_leaves).sum(),
        Condition::Not(part) => clock_leaves(part),
        Condition::Clock(_) => 1,
        _ => 0,
    }
}

fn conditions() -> impl Strategy<Value = Condition> {
    let clock = (0..4_usize, 0..30_i64, any::<bool>()).prop_map(|(clock, secs, at_least)| {
        let span = Span::from_secs(secs);
        let bound = if at_least { Bound::AtLeast(span) } else { Bound::Under(span) };
        Condition::Clock(ClockTest { clock: Clock::ALL[clock], bound, pace: Pace::Wall })
    });
    let code = (prop::sample::select(vec!["status", "score"]), prop::collection::vec(1..4_i64, 1..3)).prop_map(
        |(name, codes)| {
            let target = Target::Field(Field::find(name).unwrap());
            Condition::Test(Test { target, operator: Operator::CodeIs(codes.into()) })
        },
    );
    prop_oneof![3 => clock, 1 => code].prop_recursive(4, 24, 4, |inner| {
        let parts = || prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            parts().prop_map(Condition::All),
            parts().prop_map(Condition::Any),
            parts().prop_map(Condition::None),
            inner.clone().prop_map(|part| Condition::Not(Box::new(part))),
        ]
    })
}

fn known<T: Clone + std::fmt::Debug>(values: impl Strategy<Value = T>) -> impl Strategy<Value = Known<T>> {
    prop_oneof![1 => Just(Known::Unknown), 1 => Just(Known::Empty), 4 => values.prop_map(Known::Present)]
}

fn tickets() -> impl Strategy<Value = (Ticket, Facts)> {
    let instant = || known((0..HORIZON_SECS).prop_map(at));
    let status = prop::sample::select(vec![1, 2, 3, 5, 50, 51, 77]).prop_map(Status::from_code);
    let instants = (instant(), instant(), instant(), instant());
    (instants, known(status), known(1..4_i64), 0..HORIZON_SECS).prop_map(|(instants, status, score, since)| {
        let (created_at, updated_at, closed_at, agent_last_response_time) = instants;
        let key = TicketKey::new(SourceName::new("desk"), TicketId::new("1"));
        let unknown = Ticket::unknown(key);
        let ticket = Ticket { status, score, created_at, updated_at, closed_at, agent_last_response_time, ..unknown };
        let facts = Facts::new(at(since), at(0));
        (ticket, facts)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn the_answer_stands_until_it_expires(
        condition in conditions(),
        (ticket, facts) in tickets(),
        start in 0..HORIZON_SECS,
    ) {
        let (mut now, mut hops) = (at(start), 0);
        while !now.is_never() {
            let verdict = eval(&condition, &Seen::at_rest(&ticket, &facts, Labels::none()), now);
            prop_assert!(verdict.valid_until > now, "{condition}: expires at once");
            let mut asked = now;
            while asked < verdict.valid_until && asked < at(3 * HORIZON_SECS) {
                let expected = naive(&condition, &ticket, &facts, asked);
                prop_assert_eq!(verdict.answer, expected, "{} at {:?}, judged at {:?}", condition, asked, now);
                asked = asked.plus(Span::from_secs(1));
            }
            let last_ms = Timestamp::from_ms(verdict.valid_until.as_ms().saturating_sub(1));
            if !verdict.valid_until.is_never() {
                prop_assert_eq!(verdict.answer, naive(&condition, &ticket, &facts, last_ms));
            }
            now = verdict.valid_until;
            hops += 1;
        }
        // Every hop lands where some clock flips: nothing is woken for no reason.
        prop_assert!(hops <= clock_leaves(&condition) + 1, "{condition}: {hops} hops");
    }

    #[test]
    fn what_holds_has_held_since_it_began_to(
        condition in conditions(),
        (ticket, facts) in tickets(),
        start in 0..HORIZON_SECS,
    ) {
        let now = at(start);
        let Some(moved) = ticket.last_moved_at().filter(|moved| *moved <= now) else { return Ok(()) };
        if naive(&condition, &ticket, &facts, now) == Answer::Yes {
            let since = held_since(&condition, &Seen::at_rest(&ticket, &facts, Labels::none()), now);
            let mut asked = since;
            while asked <= now {
                prop_assert_eq!(naive(&condition, &ticket, &facts, asked), Answer::Yes, "{} at {:?}", condition, asked);
                asked = asked.plus(Span::from_secs(1));
            }
            let before = since.minus(Span::from_secs(1));
            prop_assert!(before < moved || naive(&condition, &ticket, &facts, before) != Answer::Yes);
        }
    }

    #[test]
    fn one_clock_expires_exactly_where_it_flips(
        clock in 0..4_usize,
        secs in 0..40_i64,
        at_least in any::<bool>(),
        (ticket, facts) in tickets(),
        start in 0..HORIZON_SECS,
    ) {
        let span = Span::from_secs(secs);
        let bound = if at_least { Bound::AtLeast(span) } else { Bound::Under(span) };
        let condition = Condition::Clock(ClockTest { clock: Clock::ALL[clock], bound, pace: Pace::Wall });
        let verdict = eval(&condition, &Seen::at_rest(&ticket, &facts, Labels::none()), at(start));
        if verdict.valid_until.is_never() {
            let later = naive(&condition, &ticket, &facts, at(10 * HORIZON_SECS));
            prop_assert_eq!(verdict.answer, later);
        } else {
            prop_assert_eq!(verdict.answer.not(), naive(&condition, &ticket, &facts, verdict.valid_until));
        }
    }
}

#[test]
fn a_deciding_part_that_lasts_longest_carries_the_answer() {
    let clock = |secs: i64| {
        let bound = Bound::AtLeast(Span::from_secs(secs));
        Condition::Clock(ClockTest { clock: Clock::InStatus, bound, pace: Pace::Wall })
    };
    let mut ticket = Ticket::unknown(TicketKey::new(SourceName::new("desk"), TicketId::new("1")));
    ticket.status = Known::Present(Status::Processing);
    let facts = Facts::new(at(0), at(0));
    for (condition, answer, until) in [
        (Condition::All(vec![clock(10), clock(30), clock(20)]), Answer::No, 30),
        (Condition::Any(vec![clock(10), clock(30), clock(20)]), Answer::No, 10),
        (Condition::None(vec![clock(10), clock(30)]), Answer::Yes, 10),
        (Condition::Not(Box::new(Condition::All(vec![clock(10), clock(30)]))), Answer::Yes, 30),
    ] {
        let verdict = eval(&condition, &Seen::at_rest(&ticket, &facts, Labels::none()), at(5));
        assert_eq!(verdict, Verdict { answer, valid_until: at(until) }, "{condition}");
    }
}
