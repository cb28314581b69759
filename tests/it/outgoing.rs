//! Receivers that are told over plain HTTP, through all of it: beginnings and ends, cuts, refusals, limits, and text
//! that stays text.

use std::sync::{
    Arc,
    atomic::{AtomicU16, AtomicUsize, Ordering},
};

use axum::{Router, http::StatusCode, routing::get};
use deskbell::{
    domain::{receiver::ReceiverKind, rule::Rule, time::Span},
    sim::{
        faults::Fault,
        outside::{Sink, Upset},
        route::Route,
        ticket::{STATUS_AWAITING_USER, STATUS_PROCESSING},
    },
};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::world::{OPS, Plot, START, World, bad_score, notify, outside, waiting_for_user};

/// The outgoing webhook.
const PAGER: &str = "pager";

/// The WeCom bot.
const OFFICE: &str = "office";

/// A world in which a bad score and a long wait are told to a pager and a WeCom bot.
async fn world(rules: Vec<Rule>) -> World {
    let receivers = [(PAGER, ReceiverKind::Http), (OFFICE, ReceiverKind::Wecom)];
    let to = |rule: Rule| Rule { notify: vec![notify(PAGER), notify(OFFICE)], ..rule };
    let plot = Plot {
        rules: rules.into_iter().map(to).collect(),
        outside: receivers.into_iter().map(|(name, kind)| outside(name, kind)).collect(),
        ..Plot::default()
    };
    World::start(plot, |platform| {
        platform.outside().sink(PAGER).bearer = Some("pager-token".to_owned());
        platform.outside().bot(OFFICE);
    })
    .await
}

fn pager<T>(world: &World, read: impl FnOnce(&mut Sink) -> T) -> T {
    world.platform(|platform, _| read(platform.outside().sink(PAGER)))
}

fn office<T>(world: &World, read: impl FnOnce(&mut Sink) -> T) -> T {
    world.platform(|platform, _| read(platform.outside().bot(OFFICE)))
}

/// What the pager was told of its one alert.
fn told(world: &World) -> Vec<String> {
    let all = pager(world, |sink| sink.statuses());
    assert!(all.len() <= 1, "{all:?}");
    all.into_values().next().unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn a_pager_hears_that_it_rings_and_that_it_is_over() {
    let mut world = world(vec![waiting_for_user(Span::from_mins(10))]).await;
    world.pass(Span::from_mins(1)).await;
    let id = world.file(|ticket| ticket.status = STATUS_AWAITING_USER);
    world.pass(Span::from_mins(15)).await;
    assert_eq!(told(&world), ["firing"]);
    world.platform(|platform, now| platform.update_ticket(&id, now, |ticket| ticket.status = STATUS_PROCESSING));
    world.pass(Span::from_mins(2)).await;
    assert_eq!(told(&world), ["firing", "resolved"]);
    let bodies: Vec<Value> = pager(&world, |sink| sink.taken.iter().map(|taken| taken.body.clone()).collect());
    assert_eq!(bodies[0]["groupKey"], bodies[1]["groupKey"]);
    assert_eq!(bodies[0]["alerts"][0]["labels"]["ticket_id"], id.as_str());
    let office: Vec<String> = office(&world, |bot| bot.markdown().into_iter().map(ToOwned::to_owned).collect());
    assert_eq!(office.len(), 2, "{office:?}");
    assert!(office[1].starts_with("**Over") && office[1].contains("color=\"info\""), "{office:?}");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_cut_between_commit_and_delivery_repeats_at_most_once_and_says_so() {
    for (name, upset, most) in [("never arrived", Upset::CutBefore, 1), ("arrived, unanswered", Upset::Slow(60_000), 2)]
    {
        let mut world = world(vec![waiting_for_user(Span::from_mins(10))]).await;
        pager(&world, |sink| sink.fail_next(&upset, 1));
        let id = world.file(|ticket| ticket.status = STATUS_AWAITING_USER);
        while pager(&world, |sink| sink.asked) == 0 {
            world.pass(Span::from_ms(100)).await;
        }
        world.kill().await;
        world.pass(Span::from_secs(30)).await;
        world.wake();
        world.pass(Span::from_mins(10)).await;
        let fired = told(&world);
        assert!((1..=most).contains(&fired.len()), "{name}: {fired:?}");
        let last = pager(&world, |sink| sink.taken.last().unwrap().body.clone());
        let marked = last["alerts"][0]["annotations"]["may_be_a_repeat"] == "true";
        assert!(marked || fired.len() == 1, "{name}: {last}");
        world.platform(|platform, now| platform.update_ticket(&id, now, |ticket| ticket.status = STATUS_PROCESSING));
        world.pass(Span::from_mins(2)).await;
        assert_eq!(told(&world).iter().filter(|status| *status == "resolved").count(), 1, "{name}");
        world.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_that_pass_are_tried_again_and_the_wait_is_kept() {
    let table = [
        (Upset::TooFast("40".to_owned()), 80_000, 1),
        (Upset::Status(500, "oops".to_owned()), 0, 1),
        (Upset::Status(503, "<html>".to_owned()), 0, 1),
        (Upset::CutBefore, 0, 2),
        (Upset::Slow(60_000), 0, 3),
    ];
    for (upset, wait_ms, most) in table {
        let mut world = world(vec![bad_score()]).await;
        pager(&world, |sink| sink.fail_next(&upset, 2));
        world.file(|ticket| ticket.score = Some(1));
        world.pass(Span::from_mins(20)).await;
        let (times, asked) =
            pager(&world, |sink| (sink.taken.iter().map(|taken| taken.at_ms).collect::<Vec<_>>(), sink.asked));
        assert!((1..=most).contains(&times.len()), "{upset:?}: {times:?}");
        assert_eq!(asked, 3, "{upset:?}");
        assert!(times[0] - START.as_ms() >= wait_ms, "{upset:?}: {times:?}");
        assert_eq!(office(&world, |bot| bot.taken.len()), 1, "{upset:?}: nobody else waits");
        world.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_asks_to_slow_down_is_left_alone_altogether() {
    let mut world = world(vec![bad_score()]).await;
    pager(&world, |sink| sink.fail_next(&Upset::TooFast("60".to_owned()), 1));
    for _ in 0..10 {
        world.file(|ticket| ticket.score = Some(1));
    }
    world.pass(Span::from_mins(1)).await;
    let before = pager(&world, |sink| sink.asked);
    assert!(before <= 3, "those that were under way: {before}");
    world.pass(Span::from_mins(5)).await;
    assert_eq!(pager(&world, |sink| sink.taken.len()), 10);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_good_is_told_to_operations_without_the_token() {
    let mut world = world(vec![bad_score()]).await;
    pager(&world, |sink| sink.fail_next(&Upset::Status(422, "no pager-token for you".to_owned()), 1));
    world.file(|ticket| ticket.score = Some(1));
    world.pass(Span::from_mins(2)).await;
    assert_eq!(pager(&world, |sink| (sink.asked, sink.taken.len())), (1, 0), "no second try");
    let ops = world.cards(OPS);
    assert_eq!(ops.len(), 1, "{ops:?}");
    let text = ops[0].text();
    assert!(text.contains("pager") && text.contains("422") && text.contains("[secret] for you"), "{text}");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_wecom_bot_is_never_asked_too_often() {
    let mut world = world(vec![bad_score()]).await;
    for _ in 0..60 {
        world.file(|ticket| ticket.score = Some(1));
    }
    world.pass(Span::from_mins(6)).await;
    let times = office(&world, |bot| {
        assert_eq!(bot.asked, bot.taken.len(), "none is refused for rate");
        bot.taken.iter().map(|taken| taken.at_ms).collect::<Vec<_>>()
    });
    assert_eq!(times.len(), 60);
    let busiest = times.iter().map(|from| times.iter().filter(|at| (*from..from + 60_000).contains(*at)).count()).max();
    assert!(busiest.unwrap() <= 20, "{busiest:?}");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_wecom_bot_that_is_asked_too_often_all_the_same_rests() {
    let mut world = world(vec![bad_score()]).await;
    office(&world, |bot| bot.fail_next(&Upset::Code(45_009), 1));
    world.file(|ticket| ticket.score = Some(1));
    world.pass(Span::from_mins(3)).await;
    let (asked, times) =
        office(&world, |bot| (bot.asked, bot.taken.iter().map(|taken| taken.at_ms).collect::<Vec<_>>()));
    assert_eq!((asked, times.len()), (2, 1));
    assert!(times[0] - START.as_ms() >= 60_000, "{times:?}");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_guest_writes_stays_text() {
    let hostile = "<@all> [pay](https://evil.example) **x** `y` \u{202e}\u{0}\"}],\"x\":[{\"";
    let mut world = world(vec![bad_score()]).await;
    world.file(|ticket| {
        ticket.score = Some(1);
        ticket.guest.name = hostile.to_owned();
    });
    world.pass(Span::from_mins(1)).await;
    let markdown = office(&world, |bot| bot.markdown().into_iter().map(ToOwned::to_owned).collect::<Vec<String>>());
    assert_eq!(markdown.len(), 1);
    assert!(markdown[0].contains("＜@all＞") && markdown[0].contains("evil"), "{markdown:?}");
    assert!(!markdown[0].contains("<@") && !markdown[0].contains("](") && !markdown[0].contains("://"), "{markdown:?}");
    let body = pager(&world, |sink| sink.taken[0].body.clone());
    let summary = body["alerts"][0]["annotations"]["card"].as_str().unwrap();
    assert!(summary.contains("<@all> [pay](https://evil.example)"), "{summary}");
    assert!(!summary.contains(['\u{202e}', '\u{0}']), "{summary}");
    world.stop().await;
}

/// A watch on a socket of its own: it counts who asks, and answers what it is told to.
async fn watch(status: Arc<AtomicU16>) -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let answer = move || {
        counter.fetch_add(1, Ordering::Relaxed);
        std::future::ready(StatusCode::from_u16(status.load(Ordering::Relaxed)).unwrap())
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/ping/secret-id", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/ping/secret-id", get(answer))).await });
    (url, asked)
}

#[tokio::test(start_paused = true)]
async fn a_watch_hears_of_each_completed_pass_and_of_no_other() {
    let status = Arc::new(AtomicU16::new(200));
    let (url, asked) = watch(Arc::clone(&status)).await;
    let world = World::start(Plot { heartbeat: Some(url), ..Plot::default() }, |_| {}).await;
    world.until(Span::from_mins(10)).await;
    let counted = |world: &World| {
        let port = world.port();
        let counters = &port.health().counters;
        (counters.heartbeats.load(Ordering::Relaxed), counters.heartbeats_failed.load(Ordering::Relaxed))
    };
    let heard = asked.load(Ordering::Relaxed);
    assert!((18..=22).contains(&heard), "twenty passes in ten minutes: {heard}");
    assert_eq!(counted(&world), (u64::try_from(heard).unwrap(), 0));
    status.store(500, Ordering::Relaxed);
    world.pass(Span::from_mins(1)).await;
    let (all, failed) = counted(&world);
    assert!(failed > 0 && all > u64::try_from(heard).unwrap(), "{all} {failed}");
    let before = asked.load(Ordering::Relaxed);
    world.platform(|platform, _| platform.fail_next(Route::TicketList, Fault::InternalError, 1_000));
    world.pass(Span::from_mins(5)).await;
    assert!(asked.load(Ordering::Relaxed) <= before + 1, "a pass that failed is none that was completed");
}
