//! What guests and agents say on tickets: read only where a rule looks at it, in every shape the platform may write.

use std::sync::{Arc, atomic::Ordering};

use deskbell::{
    domain::{
        calendar::Pace,
        condition::{Bound, Clock, ClockTest, Condition, Operator, Target, Test},
        field::Field,
        plan::Plan,
        rule::{Rule, Until},
        time::Span,
    },
    sim::{
        faults::Fault,
        knobs::MessageContent,
        route::Route,
        said::TicketMessage,
        ticket::{STATUS_PROCESSING, User},
    },
};
use serde_json::json;

use crate::world::{Plot, TEAM, World, rule};

const R: Ordering = Ordering::Relaxed;
const MINUTE: Span = Span::from_mins(1);

fn user(id: &str) -> User {
    User { id: id.to_string(), name: id.to_string(), ..User::default() }
}

/// Rings on words of complaint.
fn complaint() -> Rule {
    let target = Target::Field(Field::find("guest_message").unwrap());
    let words: Arc<[Arc<str>]> = ["投诉".into()].into();
    let when = Condition::Test(Test { target, operator: Operator::TextContains(words.into()) });
    Rule { until: Until::Handled, ..rule("complaint", when) }
}

/// Rings when a guest waits a quarter of an hour for a word.
fn unanswered() -> Rule {
    let bound = Bound::AtLeast(Span::from_mins(15));
    rule("unanswered", Condition::Clock(ClockTest { clock: Clock::UnansweredFor, bound, pace: Pace::Wall }))
}

fn plot(rule: Rule) -> Plot {
    Plot { rules: vec![rule], ..Plot::default() }
}

fn file(world: &World) -> String {
    world.file(|ticket| {
        ticket.status = STATUS_PROCESSING;
        ticket.guest = user("ou_guest");
    })
}

#[tokio::test(start_paused = true)]
async fn words_ring_in_every_shape_and_only_the_guest_s() {
    for (content, newest_first, in_seconds) in [
        (MessageContent::Helpdesk, false, false),
        (MessageContent::Chat, true, false),
        (MessageContent::Plain, false, true),
    ] {
        let mut world = World::start(plot(complaint()), |platform| {
            platform.turn(|knobs| {
                knobs.ticket_message_content = content;
                knobs.ticket_messages_newest_first = newest_first;
                knobs.ticket_messages_in_seconds = in_seconds;
            });
        })
        .await;
        let id = file(&world);
        world.platform(|platform, now| {
            platform.bot_says(&id, "要投诉请按 2", now);
            platform.agent_says(&id, &user("ou_agent"), "您要投诉吗", now)
        });
        world.pass(MINUTE).await;
        assert!(world.cards(TEAM).is_empty(), "{content:?}: bot and agents may say it");
        world.platform(|platform, now| {
            let broken = TicketMessage { instead: Some(json!(7)), ..TicketMessage::default() };
            platform.put_message(&id, broken);
            platform.guest_says(&id, "", now);
            platform.guest_says(&id, "我要投诉你们", now)
        });
        world.pass(MINUTE).await;
        let cards = world.cards(TEAM);
        assert_eq!(cards.len(), 1, "{content:?}");
        assert!(cards[0].text().contains("我要投诉你们"), "{}", cards[0].text());
        world.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_guest_nobody_answers_rings_at_the_instant_and_an_answer_ends_it() {
    let mut world = World::start(plot(unanswered()), |_| {}).await;
    world.pass(MINUTE).await;
    let id = file(&world);
    world.platform(|platform, now| platform.guest_says(&id, "在吗", now));
    world.until(Span::from_mins(15)).await;
    assert!(world.cards(TEAM).is_empty());
    world.until(Span::from_secs(16 * 60 + 30)).await;
    let cards = world.cards(TEAM);
    assert_eq!(cards.len(), 1);
    let late = cards[0].sent_at.as_ms() - Span::from_mins(16).as_ms();
    assert!((0..5_000).contains(&late), "at the instant: {:?}", cards[0].sent_at);
    world.platform(|platform, now| platform.agent_says(&id, &user("ou_agent"), "在", now));
    world.pass(Span::from_mins(2)).await;
    assert!(world.cards(TEAM)[0].text().contains("Over"), "{}", world.cards(TEAM)[0].text());
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn messages_that_cannot_be_read_ring_nothing_until_they_can() {
    let mut world = World::start(plot(complaint()), |platform| {
        platform.fail_next(Route::TicketMessages, Fault::InternalError, 10);
    })
    .await;
    let id = file(&world);
    world.platform(|platform, now| platform.guest_says(&id, "我要投诉", now));
    world.pass(MINUTE).await;
    assert!(world.cards(TEAM).is_empty(), "nobody knows what was said");
    world.pass(Span::from_mins(20)).await;
    assert_eq!(world.cards(TEAM).len(), 1);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_read_that_no_rule_looks_at_and_what_is_read_counts() {
    let mut world = World::start(Plot::default(), |_| {}).await;
    let id = file(&world);
    world.platform(|platform, now| platform.guest_says(&id, "我要投诉", now));
    world.pass(Span::from_mins(5)).await;
    assert_eq!(world.counter(|c| c.message_reads.load(R)), 0);
    assert_eq!(world.platform(|platform, _| platform.count(Route::TicketMessages)), 0);
    world.stop().await;

    let mut world = World::start(Plot { plan: Plan::Calls(10_000), ..plot(complaint()) }, |_| {}).await;
    let id = file(&world);
    world.platform(|platform, now| platform.guest_says(&id, "在吗", now));
    world.pass(Span::from_mins(30)).await;
    let reads = world.platform(|platform, _| platform.count(Route::TicketMessages));
    assert!((1..=2).contains(&reads), "an unchanged ticket is not read again: {reads}");
    assert_eq!(world.counter(|c| c.message_reads.load(R)), reads as u64);
    world.stop().await;
}
