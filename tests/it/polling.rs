//! Reading through all of it: what it costs, what it survives, and what operations hear.

use std::sync::atomic::Ordering;

use deskbell::{
    domain::{
        calendar::Wait,
        plan::{FREE_CALLS_PER_MONTH, Plan},
        rule::{CatchUp, Notify, Rule, Until},
        time::Span,
    },
    sim::{
        directory::ChatKind,
        faults::Fault,
        route::Route,
        ticket::{STATUS_AWAITING_USER, STATUS_CLOSED_BY_AGENT},
    },
};
use serde_json::json;

use crate::world::{OPS, Plot, START, TEAM, World, bad_score, code, rule, waiting_for_user};

const R: Ordering = Ordering::Relaxed;

fn plot() -> Plot {
    Plot { rules: vec![bad_score()], ..Plot::default() }
}

fn lists(world: &World) -> usize {
    world.platform(|platform, _| platform.count(Route::TicketList))
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_is_down_at_the_start_is_read_once_it_is_up() {
    let mut world = World::start(plot(), |platform| {
        let from = START.as_ms();
        platform.faults_mut().down = std::iter::once(from..from + 10 * 60_000).collect();
        platform.create_ticket(from - 60_000, |ticket| ticket.score = Some(1));
    })
    .await;
    world.until(Span::from_mins(10)).await;
    let tried = world.platform(|platform, _| platform.count(Route::Token));
    assert!((5..40).contains(&tried), "tried again, ever more slowly: {tried}");
    world.until(Span::from_mins(16)).await;
    assert_eq!(world.cards(TEAM).len(), 1);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_free_plan_stretches_polling_over_the_month() {
    let plot = Plot { plan: Plan::Calls(FREE_CALLS_PER_MONTH), ..plot() };
    let mut world = World::start(plot, |_| {}).await;
    world.until(Span::from_hours(48)).await;
    // Ten and a half days are left of November: 7,000 calls over them are 1,333 in two days.
    let calls = lists(&world);
    assert!((1_100..=1_400).contains(&calls), "{calls}");
    assert!(world.cards(OPS).is_empty(), "a stretched poll is no silence: {:?}", world.cards(OPS));
    world.file(|ticket| ticket.score = Some(1));
    world.pass(Span::from_mins(15)).await;
    assert_eq!(world.cards(TEAM).len(), 1);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_month_that_is_used_up_pauses_polling() {
    let mut world = World::start(plot(), |platform| {
        let from = START.as_ms() + 5 * 60_000;
        platform.faults_mut().quota_used_up = std::iter::once(from..from + 8 * 3_600_000).collect();
    })
    .await;
    world.until(Span::from_mins(5)).await;
    world.platform(|platform, _| platform.forget_calls());
    world.until(Span::from_hours(5)).await;
    assert!(lists(&world) < 5, "no retry, no polling: {}", lists(&world));
    world.file(|ticket| ticket.score = Some(1));
    world.until(Span::from_hours(16)).await;
    assert_eq!(world.cards(TEAM).len(), 1, "read again once there are calls");
    assert!(world.cards(OPS).iter().any(|card| card.text().contains("calls")), "{:?}", world.cards(OPS));
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn broken_tickets_are_counted_and_the_rest_proceed() {
    let mut world = World::start(plot(), |platform| {
        for number in 0..10 {
            platform.create_ticket(START.as_ms() - 60_000, |ticket| {
                ticket.score = Some(1);
                if number == 3 {
                    ticket.overrides.insert("ticket_id".to_owned(), json!({ "not": "an id" }));
                }
            });
        }
    })
    .await;
    world.pass(Span::from_mins(2)).await;
    assert_eq!(world.cards(TEAM).len(), 9);
    assert!(world.counter(|c| c.broken.load(R)) > 0);
    let sources = world.port().health().sources();
    let health = sources.values().next().unwrap();
    assert!(health.complete_at.is_some(), "the pass is complete: {health:?}");
    assert!(!health.broken.is_empty(), "it is shown");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn clocks_that_are_apart_are_told() {
    let mut world = World::start(plot(), |platform| {
        platform.turn(|knobs| knobs.clock_ahead_ms = 150_000);
    })
    .await;
    world.pass(Span::from_hours(1)).await;
    let ops = world.cards(OPS);
    assert_eq!(ops.len(), 1, "{ops:?}");
    assert!(ops[0].text().contains("150 s ahead"), "{}", ops[0].text());
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_already_holds_is_told_in_one_digest() {
    let mut world = World::start(Plot { catch_up: CatchUp::Digest, ..plot() }, |platform| {
        for _ in 0..30 {
            platform.create_ticket(START.as_ms() - 60_000, |ticket| ticket.score = Some(1));
        }
    })
    .await;
    world.pass(Span::from_mins(3)).await;
    let cards = world.cards(TEAM);
    assert_eq!(cards.len(), 1, "{cards:?}");
    assert!(cards[0].text().contains("30"), "{}", cards[0].text());
    world.file(|ticket| ticket.score = Some(1));
    world.pass(Span::from_mins(1)).await;
    assert_eq!(world.cards(TEAM).len(), 2, "what happens later has a card of its own");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_rating_that_moves_nothing_is_found_by_the_sweep() {
    let mut id = String::new();
    let mut world = World::start(plot(), |platform| {
        id = platform.create_ticket(START.as_ms() - 20 * 86_400_000, |ticket| {
            ticket.status = 51;
            ticket.updated_at = Some(START.as_ms() - 19 * 86_400_000);
            ticket.closed_at = ticket.updated_at;
        });
    })
    .await;
    world.until(Span::from_mins(5)).await;
    world.platform(|platform, now| platform.rate_ticket(&id, 1, Some("too slow"), now));
    world.until(Span::from_mins(14)).await;
    assert!(world.cards(TEAM).is_empty());
    world.until(Span::from_mins(16)).await;
    assert_eq!(world.cards(TEAM).len(), 1);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn many_due_at_once_are_read_in_one_window() {
    let mut world = World::start(Plot { poll: "0 0 * * * *", ..Plot::default() }, |platform| {
        for _ in 0..80 {
            platform.create_ticket(START.as_ms() - 45 * 60_000, |ticket| ticket.status = STATUS_AWAITING_USER);
        }
    })
    .await;
    world.until(Span::from_mins(14)).await;
    let before = lists(&world);
    world.until(Span::from_mins(17)).await;
    assert_eq!(world.cards(TEAM).len(), 80);
    let reads = world.counter(|c| c.single_reads.load(R));
    assert!(reads <= 50, "the first fifty one by one at most: {reads}");
    assert!((1..40).contains(&(lists(&world) - before)), "the rest in windows");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn repeats_hang_on_the_card_in_the_topic_where_there_are_topics() {
    for (kind, in_thread) in [(ChatKind::Group, false), (ChatKind::Topic, true)] {
        let mut rule = waiting_for_user(Span::from_mins(1));
        rule.notify =
            vec![Notify { repeat: vec![Wait::wall(Span::from_mins(10))], repeat_max: 1, ..rule.notify.remove(0) }];
        let mut world = World::start(Plot { rules: vec![rule], ..Plot::default() }, |platform| {
            platform.change_chat(TEAM, |chat| chat.kind = kind);
        })
        .await;
        world.pass(Span::from_mins(1)).await;
        world.file(|ticket| ticket.status = STATUS_AWAITING_USER);
        world.until(Span::from_mins(20)).await;
        world.platform(|platform, _| {
            let messages = platform.messages_in(TEAM);
            assert_eq!(messages.len(), 2, "{kind:?}");
            assert_eq!(messages[1].parent_id.as_deref(), Some(messages[0].id.as_str()), "{kind:?}: on the card");
            assert_eq!(messages[1].thread_id.is_some(), in_thread, "{kind:?}");
        });
        world.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_fails_now_and_then_is_asked_for_again() {
    let mut world = World::start(plot(), |platform| {
        for fault in [Fault::InternalError, Fault::CutBefore] {
            platform.fail_next(Route::TicketList, fault, 1);
        }
        platform.create_ticket(START.as_ms() - 60_000, |ticket| ticket.score = Some(1));
    })
    .await;
    world.pass(Span::from_secs(10)).await;
    assert_eq!(world.cards(TEAM).len(), 1, "within one pass");
    assert_eq!(world.port().health().sources().values().next().unwrap().failures, 0);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_schedule_that_rests_at_night_is_neither_silence_nor_downtime() {
    let poll = "0 * 9-10 * * *"; // the world begins at ten in the morning
    let mut world =
        World::start(Plot { poll, sweep: "0 5 9 * * *", catch_up: CatchUp::Digest, ..plot() }, |_| {}).await;
    world.until(Span::from_hours(12)).await;
    assert!(world.cards(OPS).is_empty(), "nothing is wrong in the evening: {:?}", world.cards(OPS));
    let id = world.file(|ticket| ticket.score = Some(1));
    world.until(Span::from_hours(24)).await;
    let cards = world.cards(TEAM);
    assert_eq!(cards.len(), 1, "{cards:?}");
    assert!(cards[0].view.title.contains("bad score") && cards[0].text().contains(&id), "no digest: {cards:?}");
    assert!(world.cards(OPS).is_empty(), "nor in the morning: {:?}", world.cards(OPS));
    // But a morning without an answer is silence.
    world.platform(|platform, now| platform.faults_mut().down = std::iter::once(now..now + 4 * 3_600_000).collect());
    world.until(Span::from_hours(25)).await;
    assert_eq!(world.cards(OPS).len(), 0, "the operations' chat is on the same platform");
    world.until(Span::from_hours(29)).await;
    assert!(!world.cards(OPS).is_empty());
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn closed_tickets_that_a_sweep_does_not_read_have_not_vanished() {
    let open = Rule { until: Until::Handled, ..rule("open", code("status", &[1, 2, 3, 4, 5])) };
    let mut world = World::start(Plot { rules: vec![open], ..Plot::default() }, |_| {}).await;
    world.pass(Span::from_mins(1)).await;
    let ids: Vec<String> = (0..15).map(|_| world.file(|ticket| ticket.status = STATUS_AWAITING_USER)).collect();
    world.pass(Span::from_mins(2)).await;
    assert_eq!(world.cards(TEAM).len(), 15);
    for id in &ids {
        world.platform(|platform, now| platform.close_ticket(id, STATUS_CLOSED_BY_AGENT, now));
    }
    world.until(Span::from_hours(2)).await;
    assert!(world.cards(OPS).is_empty(), "{:?}", world.cards(OPS));
    assert_eq!(world.counter(|c| c.single_reads.load(R)), 0);
    world.stop().await;
}
