//! Verdicts against an evaluator that asks every minute, and the tables of what an event and a deciding part mean.

mod oracle;
mod sheet;
mod wish;
mod world;

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

fn at(secs: i64) -> Timestamp {
    Timestamp::from_ms(secs * 1_000)
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

#[test]
fn what_was_is_judged_by_the_facts_of_then() {
    let key = || TicketKey::new(SourceName::new("desk"), TicketId::new("1"));
    let with = |status| Ticket { status: Known::Present(status), ..Ticket::unknown(key()) };
    let (before, after) = (with(Status::ClosedByAgent), with(Status::Processing));
    let mut facts = Facts { reopened_count: 1, ..Facts::new(at(0), at(0)) };
    facts.next_status(Status::ClosedByAgent.code(), at(100));
    facts.reopened_count += 1;
    let seen = Seen::at_rest(&after, &facts, Labels::none()).after(Event::Change(&before));
    let reopened = || Target::Field(Field::find("reopened_count").unwrap());
    let count =
        |number: f64| Condition::Test(Test { target: reopened(), operator: Operator::NumberIs([number].into()) });
    let in_status = |secs| {
        let bound = Bound::AtLeast(Span::from_secs(secs));
        Condition::Clock(ClockTest { clock: Clock::InStatus, bound, pace: Pace::Wall })
    };
    for (condition, answer) in [
        (count(2.0), Answer::Yes),
        (Condition::Was(Box::new(count(1.0))), Answer::Yes),
        (Condition::Changed([reopened()].into()), Answer::Yes),
        (in_status(100), Answer::No),
        (Condition::Was(Box::new(in_status(100))), Answer::Yes),
        (Condition::Was(Box::new(in_status(101))), Answer::No),
    ] {
        assert_eq!(eval(&condition, &seen, at(100)).answer, answer, "{condition}");
    }
}
