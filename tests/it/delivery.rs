//! Delivery through all of it: restarts, refusals and retries, and exactly one card.

use deskbell::{
    domain::{calendar::Wait, command::Command, id::TicketId, time::Span},
    sim::{faults::Fault, message::Message, route::Route},
};

use crate::world::{OPS, Plot, START, TEAM, World, bad_score, waiting_for_user};

fn plot() -> Plot {
    Plot { rules: vec![bad_score()], ..Plot::default() }
}

#[tokio::test(start_paused = true)]
async fn a_cut_between_commit_and_delivery_leaves_exactly_one_card() {
    // What the platform does with the request in flight when the process is cut.
    for (name, fault) in [("never arrived", Fault::CutBefore), ("arrived, unanswered", Fault::Slow(60_000))] {
        let mut world = World::start(plot(), |_| {}).await;
        world.until(Span::from_secs(35)).await;
        world.platform(|platform, _| platform.fail_next(Route::MessageCreate, fault, 1));
        world.file(|ticket| ticket.score = Some(1));
        world.until(Span::from_secs(61)).await;
        assert_eq!(world.platform(|platform, _| platform.count(Route::MessageCreate)), 1, "{name}: it was tried");
        world.kill().await;
        world.pass(Span::from_secs(30)).await;
        world.wake();
        world.pass(Span::from_mins(10)).await;
        let cards = world.cards(TEAM);
        assert_eq!(cards.len(), 1, "{name}: {cards:?}");
        world.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_and_a_start_say_nothing_twice() {
    let mut world = World::start(plot(), |platform| {
        platform.create_ticket(START.as_ms() - 60_000, |ticket| ticket.score = Some(1));
    })
    .await;
    for _ in 0..3 {
        world.pass(Span::from_mins(1)).await;
        assert_eq!(world.cards(TEAM).len(), 1);
        world.stop().await;
        world.pass(Span::from_mins(20)).await;
        world.wake();
    }
    world.pass(Span::from_mins(1)).await;
    assert_eq!(world.cards(TEAM).len(), 1);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn refusals_that_pass_are_tried_again() {
    let faults = [
        ("the chat's own limit", Fault::ChatLimited),
        ("the gateway's limit", Fault::RateLimited(7)),
        ("an internal error", Fault::InternalError),
        ("a page of HTML", Fault::BadGateway),
        ("a cut before", Fault::CutBefore),
        ("a cut after", Fault::CutAfter),
        ("no answer in time", Fault::Slow(60_000)),
    ];
    for (name, fault) in faults {
        let mut world = World::start(plot(), |platform| {
            platform.fail_next(Route::MessageCreate, Fault::TokenRevoked, 1);
            platform.fail_next(Route::MessageCreate, fault, 2);
            platform.create_ticket(START.as_ms() - 60_000, |ticket| ticket.score = Some(1));
        })
        .await;
        world.pass(Span::from_mins(10)).await;
        assert_eq!(world.cards(TEAM).len(), 1, "{name}");
        world.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_bot_that_is_not_in_the_chat_is_told_to_operations() {
    let mut world = World::start(plot(), |platform| {
        platform.change_chat(TEAM, |chat| chat.has_bot = false);
        platform.create_ticket(START.as_ms() - 60_000, |ticket| ticket.score = Some(1));
    })
    .await;
    world.pass(Span::from_mins(2)).await;
    assert!(world.cards(TEAM).is_empty());
    let ops = world.cards(OPS);
    assert_eq!(ops.len(), 1, "{ops:?}");
    assert!(ops[0].text().contains("team"), "{}", ops[0].text());
    world.platform(|platform, _| platform.change_chat(TEAM, |chat| chat.has_bot = true));
    world.pass(Span::from_mins(15)).await;
    assert_eq!(world.cards(TEAM).len(), 1, "once it is in the chat, the card follows");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_question_is_answered_with_the_ticket() {
    let mut world = World::start(plot(), |_| {}).await;
    world.pass(Span::from_mins(1)).await;
    let id = world.file(|ticket| ticket.guest.name = "Zoe".to_owned());
    let before = world.now();
    world.ask(TEAM, Command::Ticket(TicketId::new(id.clone()))).await.unwrap();
    world.pass(Span::from_secs(2)).await;
    let cards = world.cards(TEAM);
    assert_eq!(cards.len(), 1);
    assert!(cards[0].text().contains(&id), "{}", cards[0].text());
    assert!(cards[0].sent_at.as_ms() - (before - START.as_ms()) < 100, "at once");

    world.ask(TEAM, Command::Ticket(TicketId::from("6626871355780366999"))).await.unwrap();
    world.pass(Span::from_secs(2)).await;
    let cards = world.cards(TEAM);
    assert!(cards[1].text().contains("No ticket 6626871355780366999"), "{}", cards[1].text());
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_question_survives_a_cut() {
    let mut world = World::start(plot(), |_| {}).await;
    world.pass(Span::from_mins(1)).await;
    let id = world.file(|_| {});
    world.platform(|platform, _| platform.fail_next(Route::TicketGet, Fault::Slow(8_000), 1));
    world.ask(TEAM, Command::Ticket(TicketId::new(id.clone()))).await.unwrap();
    world.kill().await;
    assert!(world.cards(TEAM).is_empty());
    world.wake();
    world.pass(Span::from_secs(30)).await;
    let cards = world.cards(TEAM);
    assert_eq!(cards.len(), 1);
    assert!(cards[0].text().contains(&id), "{}", cards[0].text());
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn in_a_direct_chat_members_may_ask_and_strangers_not() {
    let mut world = World::start(plot(), |platform| {
        platform.add_person("ou_eve", "Eve", "eve@example.com");
    })
    .await;
    world.pass(Span::from_mins(1)).await;
    let id = world.file(|_| {});
    for (person, expected) in [("ou_li", id.as_str()), ("ou_eve", "cannot be looked up here")] {
        let chat = world.platform(|platform, _| platform.direct_chat(person));
        world.ask_directly(&chat, person, Command::Ticket(TicketId::new(id.clone()))).await.unwrap();
        world.pass(Span::from_secs(2)).await;
        let cards = world.cards(&chat);
        assert_eq!(cards.len(), 1, "{person}");
        assert!(cards[0].text().contains(expected), "{person}: {}", cards[0].text());
    }
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_reminder_on_a_deleted_card_stands_under_a_new_one() {
    let mut rule = waiting_for_user(Span::from_mins(10));
    (rule.notify[0].repeat, rule.notify[0].repeat_max) = (vec![Wait::wall(Span::from_mins(10))], 2);
    let mut world = World::start(Plot { rules: vec![rule], ..Plot::default() }, |_| {}).await;
    world.pass(Span::from_mins(1)).await;
    let ticket = world.file(|ticket| ticket.status = 5);
    world.pass(Span::from_mins(12)).await;
    let deleted = world.platform(|platform, _| {
        let card = platform.message_with_button(TEAM, "take").unwrap();
        assert!(platform.recall(&card));
        card
    });
    world.pass(Span::from_mins(20)).await;
    world.platform(|platform, now| platform.update_ticket(&ticket, now, |ticket| ticket.status = 2));
    world.pass(Span::from_mins(2)).await;
    let said: Vec<(Option<String>, String)> = world.platform(|platform, _| {
        let messages = platform.messages_in(TEAM);
        let [old, new, ..] = messages.as_slice() else { panic!("{messages:#?}") };
        let (old, new) = (old.id.clone(), new.id.clone());
        assert_eq!(old, deleted);
        let place = |id: &String| if *id == new { "the new card".to_owned() } else { id.clone() };
        let title = |message: &Message| message.card().unwrap().title;
        let rest = messages.into_iter().skip(1);
        rest.map(|message| (message.parent_id.as_ref().map(place), title(message))).collect()
    });
    let told: Vec<(Option<&str>, bool, bool)> = said
        .iter()
        .map(|(on, title)| (on.as_deref(), title.starts_with("Reminder "), title.starts_with("Over · ")))
        .collect();
    let new = Some("the new card");
    assert_eq!(told, [(None, false, true), (new, true, false), (new, true, false)], "{said:#?}");
    assert!(world.cards(OPS).is_empty(), "nothing was given up: {:?}", world.cards(OPS));
    world.stop().await;
}
