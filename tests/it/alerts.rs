//! From a ticket to a card, through all of it: what rings, when, and what does not.

use std::sync::atomic::Ordering;

use deskbell::{
    domain::time::Span,
    engine::{run::Until, start::End},
    sim::{
        faults::Fault,
        knobs::ListOrder,
        route::Route,
        ticket::{STATUS_AWAITING_USER, STATUS_CLOSED_BY_AGENT, STATUS_PROCESSING},
    },
};

use crate::world::{Card, OPS, Plot, START, TEAM, World, bad_score, waiting_for_user};

const R: Ordering = Ordering::Relaxed;
const MINUTE: Span = Span::from_mins(1);

#[tokio::test(start_paused = true)]
async fn a_bad_score_rings_once_and_an_unchanged_ticket_costs_nothing() {
    let mut world = World::start(Plot::default(), |_| {}).await;
    world.pass(MINUTE).await;
    let id = world.file(|ticket| ticket.score = Some(1));
    world.file(|ticket| ticket.score = Some(3));
    world.pass(MINUTE).await;
    let cards = world.cards(TEAM);
    assert_eq!(cards.len(), 1, "{cards:?}");
    assert!(cards[0].text().contains(&id), "{}", cards[0].text());
    assert!(cards[0].sent_at <= Span::from_secs(91), "at the next poll: {:?}", cards[0].sent_at);

    let (decoded, sends) = (world.counter(|c| c.decoded.load(R)), world.counter(|c| c.sends.load(R)));
    let tickets = world.counter(|c| c.tickets.load(R));
    world.pass(Span::from_mins(5)).await;
    assert!(world.counter(|c| c.tickets.load(R)) > tickets, "they were polled again");
    assert_eq!(world.counter(|c| c.decoded.load(R)), decoded, "nothing changed, nothing is decoded");
    assert_eq!(world.counter(|c| c.sends.load(R)), sends, "and nothing is sent");
    assert!(world.cards(OPS).is_empty());
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn time_alone_rings_at_the_instant_and_on_fresh_data() {
    let mut world = World::start(Plot::default(), |platform| {
        platform.create_ticket(START.as_ms() - 45 * 60_000, |ticket| {
            ticket.status = STATUS_AWAITING_USER;
        });
    })
    .await;
    world.until(Span::from_mins(14)).await;
    assert!(world.cards(TEAM).is_empty());
    world.until(Span::from_mins(16)).await;
    let cards = world.cards(TEAM);
    assert_eq!(cards.len(), 1);
    let late = cards[0].sent_at.as_ms() - Span::from_mins(15).as_ms();
    assert!((0..2_000).contains(&late), "rings at the instant: {:?}", cards[0].sent_at);
    assert!(!cards[0].text().to_lowercase().contains("stale"));
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_ticket_that_moved_just_before_does_not_ring() {
    // A slow poll: what happens in between, only the freshness read can see.
    let plot = Plot { poll: "0 0 * * * *", ..Plot::default() };
    let mut id = String::new();
    let mut world = World::start(plot, |platform| {
        id = platform.create_ticket(START.as_ms() - 45 * 60_000, |ticket| ticket.status = STATUS_AWAITING_USER);
    })
    .await;
    world.until(Span::from_secs(14 * 60 + 50)).await;
    world.platform(|platform, now| platform.update_ticket(&id, now, |ticket| ticket.status = STATUS_PROCESSING));
    world.until(Span::from_mins(20)).await;
    assert!(world.cards(TEAM).is_empty());
    assert_eq!(world.counter(|c| c.single_reads.load(R)), 1, "it was asked for once, at the instant");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_down_rings_after_a_minute_marked_with_its_time() {
    let mut world = World::start(Plot::default(), |platform| {
        platform.create_ticket(START.as_ms() - 45 * 60_000, |ticket| ticket.status = STATUS_AWAITING_USER);
    })
    .await;
    world.until(Span::from_mins(14)).await;
    world.platform(|platform, _| {
        platform.fail_next(Route::TicketList, Fault::InternalError, 1_000);
        platform.fail_next(Route::TicketGet, Fault::InternalError, 1_000);
    });
    world.until(Span::from_mins(20)).await;
    let cards = world.cards(TEAM);
    assert_eq!(cards.len(), 1);
    let late = cards[0].sent_at.as_ms() - Span::from_mins(16).as_ms();
    assert!((0..3_000).contains(&late), "a minute late: {:?}", cards[0].sent_at);
    assert!(cards[0].text().contains("data as of 2026-11-20 10:13"), "{}", cards[0].text());
    let ops = world.cards(OPS);
    assert!(ops.iter().any(|card| card.text().contains("it-desk")), "operations hears that it is silent: {ops:?}");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_ticket_that_is_gone_ends_its_alert() {
    let plot = Plot { rules: vec![waiting_for_user(Span::from_mins(1))], ..Plot::default() };
    let mut world = World::start(plot, |_| {}).await;
    world.pass(MINUTE).await;
    let id = world.file(|ticket| ticket.status = STATUS_AWAITING_USER);
    world.pass(Span::from_mins(3)).await;
    assert_eq!(world.cards(TEAM).len(), 1);
    world.platform(|platform, _| platform.delete_ticket(&id));
    world.until(Span::from_mins(16)).await;
    let cards = world.cards(TEAM);
    assert_eq!(cards.len(), 1);
    assert_eq!(cards[0].versions, 2, "updated in place");
    assert!(cards[0].text().contains("gone"), "{}", cards[0].text());
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn shifting_pages_miss_nothing() {
    let mut bad = Vec::new();
    let mut world = World::start(Plot { rules: vec![bad_score()], ..Plot::default() }, |platform| {
        for number in 0..1_000_i64 {
            let id = platform.create_ticket(START.as_ms() - number * 60_000, |ticket| {
                ticket.status = STATUS_PROCESSING;
                ticket.score = (number % 50 == 0).then_some(1);
            });
            if number % 50 == 0 {
                bad.push(id);
            }
        }
        platform.turn(|knobs| {
            knobs.list_order = ListOrder::LastUpdatedFirst;
            knobs.change_between_pages = 0.7;
        });
    })
    .await;
    world.pass(Span::from_mins(5)).await;
    let cards = world.cards(TEAM);
    for id in &bad {
        assert_eq!(cards.iter().filter(|card| card.text().contains(id.as_str())).count(), 1, "{id} rings once");
    }
    assert_eq!(cards.len(), bad.len());
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_single_run_reads_delivers_and_ends() {
    let plot = Plot { until: Until::Quiet, ..Plot::default() };
    let mut world = World::start(plot, |platform| {
        for _ in 0..7 {
            platform.create_ticket(START.as_ms() - 60_000, |ticket| ticket.score = Some(1));
        }
        platform.create_ticket(START.as_ms() - 60_000, |ticket| ticket.status = STATUS_CLOSED_BY_AGENT);
    })
    .await;
    assert_eq!(world.ended().await, End::Done);
    assert_eq!(world.cards(TEAM).len(), 7);
    assert!(world.now() - START.as_ms() < 60_000, "within a minute");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn of_ten_thousand_tickets_exactly_those_that_hold_ring_once_each() {
    let mut bad = Vec::new();
    let mut world = World::start(Plot { rules: vec![bad_score()], ..Plot::default() }, |platform| {
        for number in 0..10_000_i64 {
            let is_bad = number % 250 == 7;
            let id = platform.create_ticket(START.as_ms() - 86_400_000 - number * 1_000, |ticket| {
                ticket.status = STATUS_PROCESSING;
                ticket.score = Some(if is_bad { 1 } else { 2 });
            });
            if is_bad {
                bad.push(id);
            }
        }
    })
    .await;
    world.pass(Span::from_mins(3)).await;
    let told: Vec<String> = world.cards(TEAM).iter().map(Card::text).collect();
    for id in &bad {
        assert_eq!(told.iter().filter(|text| text.contains(id.as_str())).count(), 1, "{id} rings once");
    }
    assert_eq!(told.len(), bad.len());

    let (decoded, tickets) = (world.counter(|c| c.decoded.load(R)), world.counter(|c| c.tickets.load(R)));
    assert_eq!(decoded, 10_000, "each was decoded once");
    world.until(Span::from_mins(17)).await;
    assert!(world.counter(|c| c.tickets.load(R)) >= tickets + 10_000, "a sweep read them all again");
    assert_eq!(world.counter(|c| c.decoded.load(R)), decoded, "and decoded none");
    assert_eq!(world.cards(TEAM).len(), bad.len());
    world.stop().await;
}
