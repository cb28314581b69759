//! How fast the pure core is: `cargo bench --bench desk`. One core; no store, no network.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![expect(clippy::print_stdout, reason = "a benchmark prints what it found")]

#[path = "../poll/pages.rs"]
mod pages;

use std::{
    collections::{BTreeMap, BTreeSet},
    hint::black_box,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use deskbell::{
    adapters::{
        feishu::{page::RawTicket, ticket::Decoder},
        rulebook::{load::load_dir, names::Names},
    },
    domain::{
        calendar::{Calendar, Frame, Pace, Plan as CalendarPlan, Wait},
        condition::{Bound, Clock, ClockTest, Condition},
        desk::{
            input::Input,
            machine::Desk,
            settings::{Access, Direct, Limits, Look, Settings, SourceSettings},
            state::{SourceState, Stored, Tracked},
        },
        facts::Facts,
        id::{CalendarName, RuleName, SourceName, TicketId, TicketKey},
        labels::Labels,
        plan::Plan,
        rule::{CatchUp, Rule, RuleSet},
        seen::Seen,
        text::Locale,
        ticket::{Known, Status, Ticket},
        time::{Span, Timestamp, Zone},
        verdict,
    },
};
use serde::Deserialize;
use serde_json::value::RawValue;

const VERDICTS_BAR: f64 = 2_000_000.0;
const IDLE_TICK_BAR: Duration = Duration::from_micros(5);
const IDLE_GROWTH_BAR: f64 = 2.0;
const FEW: u64 = 1_000;
const MANY: u64 = 1_000_000;
const IDLE_TICKS: u32 = 100_000;
const REPETITIONS: usize = 20;

/// How many tickets fall due at one instant.
const DUE: [u64; 4] = [1, 10, 100, 500];

const NOW: Timestamp = Timestamp::from_ms(1_700_000_000_000);
const WAIT: Span = Span::from_hours(24);

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    tickets: Vec<&'a RawValue>,
}

fn main() {
    verdicts();
    println!();
    let few = ticks(FEW);
    let many = ticks(MANY);
    let growth = many.as_secs_f64() / few.as_secs_f64();
    let met = many < IDLE_TICK_BAR && growth <= IDLE_GROWTH_BAR;
    println!(
        "an idle tick with {MANY} tickets takes {growth:.2} × the one with {FEW}; the bars are {IDLE_TICK_BAR:?} and \
         {IDLE_GROWTH_BAR} ×: {}",
        said(met)
    );
}

const fn said(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}

/// Every shipped rule on every ticket of the pages.
fn verdicts() {
    let set = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
    let names = Names {
        receivers: set(&["support"]),
        sources: BTreeSet::new(),
        templates: set(&["dissatisfied", "waiting-for-user", "custom-field", "agent-silent", "words-of-complaint"]),
        teams: set(&["support"]),
        team_words: ["team", "team.lead", "team.oncall"].into(),
        calendars: [("office".to_owned(), Arc::new(office()))].into(),
        zone: zone(),
        ..Names::default()
    };
    let (rules, faults) = load_dir(Path::new("rules"), &names);
    assert!(faults.is_empty(), "{faults:?}");
    let tickets = tickets();
    let facts = facts(NOW);
    let mut rates: Vec<f64> = (0..REPETITIONS)
        .map(|_| {
            let start = Instant::now();
            for ticket in &tickets {
                for rule in rules.rules.values() {
                    black_box(verdict::eval(&rule.when, &Seen::at_rest(ticket, &facts, Labels::none()), NOW));
                }
            }
            (tickets.len() * rules.rules.len()) as f64 / start.elapsed().as_secs_f64()
        })
        .collect();
    rates.sort_unstable_by(f64::total_cmp);
    let middle = rates[rates.len() / 2];
    println!(
        "verdicts with the {} shipped rules on {} tickets, a second: least {:.1} M, middle {:.1} M, most {:.1} M; the \
         bar is {:.1} M: {}",
        rules.rules.len(),
        tickets.len(),
        rates[0] / 1e6,
        middle / 1e6,
        rates[rates.len() - 1] / 1e6,
        VERDICTS_BAR / 1e6,
        said(middle >= VERDICTS_BAR)
    );
}

/// What ticks cost a desk with so many tickets; gives the idle one's middle.
fn ticks(tracked: u64) -> Duration {
    let mut desk = desk(tracked);
    let idle = middle(|repetition| {
        let now = NOW.plus(Span::from_ms(repetition));
        let start = Instant::now();
        for _ in 0..IDLE_TICKS {
            black_box(desk.handle(Input::Tick, black_box(now)));
        }
        start.elapsed() / IDLE_TICKS
    });
    println!("{tracked:>9} tickets   an idle tick           {:>10.3} µs", idle.as_secs_f64() * 1e6);
    if tracked < MANY {
        return idle;
    }
    let mut next = 0;
    for due in DUE {
        let took = middle(|_| {
            // Tickets fall due a millisecond apart, in the order of their numbers.
            let now = NOW.plus(Span::from_hours(1)).plus(Span::from_ms((next + due - 1).cast_signed()));
            next += due;
            let start = Instant::now();
            let outcome = desk.handle(Input::Tick, now);
            let took = start.elapsed();
            assert_eq!(outcome.writes.len() as u64, due, "each one's alert begins to wait");
            took
        });
        let micros = took.as_secs_f64() * 1e6;
        println!(
            "{tracked:>9} tickets   {due:>3} of them due        {micros:>10.3} µs, {:.3} a ticket",
            micros / due as f64
        );
    }
    idle
}

fn middle(mut work: impl FnMut(i64) -> Duration) -> Duration {
    let mut all: Vec<Duration> = (0..REPETITIONS).map(|repetition| work(repetition as i64)).collect();
    all.sort_unstable();
    all[all.len() / 2]
}

/// A desk whose tickets fall due one by one, from an hour on.
fn desk(tracked: u64) -> Desk {
    let names = (0..tracked).map(|number| {
        let since = NOW.plus(Span::from_hours(1)).plus(Span::from_ms(number.cast_signed())).minus(WAIT);
        let mut ticket = Ticket::unknown(TicketKey::new(source(), TicketId::new(pages::ticket_id(number).to_string())));
        ticket.status = Known::Present(Status::WaitingForUser);
        Tracked { ticket: Arc::new(ticket), facts: facts(since), asked_at: NOW, list_hash: None, gone_at: None }
    });
    let test = ClockTest { clock: Clock::InStatus, bound: Bound::AtLeast(WAIT), pace: Pace::Wall };
    let rule =
        Rule { hold: Wait::wall(WAIT), meaning: 1, ..Rule::new(RuleName::from("waiting"), Condition::Clock(test)) };
    let stored = Stored {
        tickets: names.collect(),
        sources: vec![SourceState { cursor: Some(NOW), ..SourceState::new(source()) }],
        meanings: vec![(rule.name.clone(), rule.meaning)],
        ..Stored::default()
    };
    let rules = RuleSet { rules: BTreeMap::from([(rule.name.clone(), rule)]) };
    Desk::open(stored, Arc::new(rules), settings(), NOW).0
}

/// Mondays to Fridays, nine to six, with an hour for lunch.
fn office() -> Calendar {
    let day = || vec![Frame { from: 540, to: 720 }, Frame { from: 780, to: 1_080 }];
    let week = [day(), day(), day(), day(), day(), Vec::new(), Vec::new()];
    let name = CalendarName::from("office");
    Calendar::new(CalendarPlan { name, zone: zone(), week, dates: BTreeMap::new(), known_through: None })
}

fn settings() -> Settings {
    let kept =
        SourceSettings { poll_every: Span::from_days(1), catch_up: CatchUp::None, labels: Arc::new(Labels::default()) };
    Settings {
        zone: zone(),
        locale: Locale::Zh,
        sources: BTreeMap::from([(source(), kept)]),
        receivers: BTreeMap::new(),
        operations: None,
        limits: Limits::default(),
        plan: Plan::Paid,
        access: Access::new(Look::Receivers, Direct::Nobody),
        retention: Span::from_days(90),
        storm: None,
        rotas: BTreeMap::new(),
        inhibits: Vec::new(),
    }
}

fn source() -> SourceName {
    SourceName::from("it-desk")
}

const fn zone() -> Zone {
    Zone(chrono_tz::Asia::Shanghai)
}

const fn facts(since: Timestamp) -> Facts {
    Facts::new(since, since)
}

fn tickets() -> Vec<Ticket> {
    let mut decoder = Decoder::new(source());
    let mut out = Vec::new();
    for page in 0..pages::PAGES {
        let body = pages::page(0, page);
        let answer: Answer<'_> = serde_json::from_slice(&body).expect("the page is JSON");
        for (number, raw) in (page * pages::PAGE..).zip(answer.data.tickets) {
            let id = TicketId::new(pages::ticket_id(number).to_string());
            let raw = RawTicket { id, hash: number, body: Bytes::copy_from_slice(raw.get().as_bytes()) };
            out.push(decoder.decode(&raw).expect("the ticket decodes").ticket);
        }
    }
    out
}
