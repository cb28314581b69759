//! What the platform tells of tickets and chats, with the real engine behind it: tickets are known sooner and nothing
//! else changes; a chat is greeted once; a person who asks too much is told so once.

use deskbell::{
    adapters::feishu::event::EventReader,
    domain::{
        command::Command,
        desk::input::{ChatKind, ChatMessage},
        id::{ChatId, EventId, MessageId, OpenId},
        text::Locale,
        time::Span,
    },
    engine::incoming::{Fate, Reception},
    sim::{directory::ChatKind as SimChat, faults::Fault, http::lock, platform::Platform, route::Route},
};
use serde_json::{Value, json};

use crate::{
    town::Town,
    world::{Plot, TEAM, World},
};

const HELPDESK: &str = "6626871355780366330";

/// How events reach the engine.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Lost,
    Once,
    /// Each twice, the last first, a minute late.
    Muddled,
    /// Every other one.
    Half,
}

/// A world that polls every ten minutes and is told of its tickets.
async fn told_world(stage: impl FnOnce(&mut Platform)) -> World {
    let plot = Plot { poll: "0 */10 * * * *", ..Plot::default() };
    let world = World::start(plot, |platform| {
        platform.app_mut().encrypt_key = None;
        platform.subscribe_to_all(HELPDESK);
        stage(platform);
    })
    .await;
    world.pass(Span::from_mins(1)).await; // the first poll is over
    world
}

/// Takes what is on its way to the engine; the fates.
async fn take(world: &World, way: Way) -> Vec<Fate> {
    let reception = Reception::of(world.port(), world.clock(), Locale::Zh);
    let mut due = world.platform(|platform, now| platform.take_deliveries(now));
    if way == Way::Muddled && !due.is_empty() {
        world.pass(Span::from_mins(1)).await;
        due.extend(due.clone());
        due.reverse();
    }
    let mut fates = Vec::new();
    for (place, delivery) in due.into_iter().enumerate() {
        let now = world.clock().now();
        if way == Way::Once || way == Way::Muddled || (way == Way::Half && place % 2 == 0) {
            let event = EventReader::default().read_bytes(delivery.body.as_bytes(), now).unwrap();
            fates.push(reception.take(event, now).await.fate);
        }
        world.platform(|platform, now| platform.settle_delivery(delivery.number, Some(200), now));
    }
    fates
}

#[tokio::test(start_paused = true)]
async fn a_ticket_that_is_told_of_rings_at_once() {
    for (way, cards) in [(Way::Lost, 0), (Way::Once, 1)] {
        let world = told_world(|_| {}).await;
        world.file(|ticket| ticket.score = Some(1));
        take(&world, way).await;
        world.pass(Span::from_secs(3)).await;
        assert_eq!(world.cards(TEAM).len(), cards, "{way:?}");
        world.pass(Span::from_mins(15)).await;
        assert_eq!(world.cards(TEAM).len(), 1, "{way:?}: the poll finds it in any case");
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_becomes_of_the_events_the_same_alerts_come_of_it() {
    let mut ends = Vec::new();
    for way in [Way::Lost, Way::Once, Way::Muddled, Way::Half] {
        let world = told_world(|_| {}).await;
        let ids: Vec<String> = (0..4).map(|_| world.file(|ticket| ticket.status = 2)).collect();
        for (step, (place, status)) in
            [(0, 5), (1, 5), (0, 2), (2, 51), (0, 5), (3, 5), (1, 50)].into_iter().enumerate()
        {
            take(&world, way).await;
            world.until(Span::from_mins(10 + 14 * step as i64)).await;
            world.platform(|platform, now| platform.update_ticket(&ids[place], now, |ticket| ticket.status = status));
            take(&world, way).await;
        }
        world.until(Span::from_mins(120)).await;
        world.platform(|platform, now| {
            platform.guest_says(&ids[3], "喂？", now);
            platform.rate_ticket(&ids[2], 1, None, now)
        });
        take(&world, way).await;
        world.until(Span::from_hours(6)).await;
        let mut cards: Vec<(String, String)> =
            world.cards(TEAM).into_iter().map(|card| (card.view.title, card.view.colour)).collect();
        cards.sort();
        assert!(cards.len() >= 3, "{cards:?}");
        assert!(world.counter(|counters| counters.single_reads.load(std::sync::atomic::Ordering::Relaxed)) < 60);
        ends.push(cards);
    }
    assert!(ends.windows(2).all(|pair| pair[0] == pair[1]), "{ends:#?}");
}

/// An event of a change that the platform does not show yet.
fn ahead(ticket: &str, moved_at: i64) -> Value {
    json!({ "object": { "ticket_id": ticket, "helpdesk_id": HELPDESK, "updated_at": moved_at }, "old_object": {} })
}

#[tokio::test(start_paused = true)]
async fn a_read_that_shows_the_state_of_before_is_repeated_once_after_five_seconds() {
    let world = told_world(|_| {}).await;
    let id = world.file(|ticket| ticket.status = 2);
    take(&world, Way::Once).await;
    world.pass(Span::from_secs(20)).await;
    let reads = || world.platform(|platform, _| platform.count(Route::TicketGet));
    let before = reads();
    let tell = |moved_at| {
        world.platform(|platform, now| platform.push_event("helpdesk.ticket.updated_v1", ahead(&id, moved_at), now));
    };
    let now = world.now();
    for _ in 0..5 {
        tell(now + 1);
    }
    take(&world, Way::Once).await;
    world.pass(Span::from_secs(4)).await;
    let first = reads() - before;
    assert!((1..=2).contains(&first), "news of one ticket are one wish: {first}");
    world.pass(Span::from_secs(4)).await;
    assert_eq!(reads() - before, first + 1, "once more");
    world.pass(Span::from_mins(2)).await;
    assert_eq!(reads() - before, first + 1, "and no more");
    tell(now - 60_000);
    take(&world, Way::Once).await;
    world.pass(Span::from_secs(20)).await;
    assert_eq!(reads() - before, first + 1, "what is known already is not read");
}

#[tokio::test(start_paused = true)]
async fn events_that_make_no_sense_are_taken_and_change_nothing() {
    let world = told_world(|_| {}).await;
    let reads = || world.platform(|platform, _| platform.count(Route::TicketGet));
    let before = reads();
    world.platform(|platform, now| {
        for (kind, event) in [
            ("helpdesk.ticket.created_v1", json!({})),
            ("helpdesk.ticket.updated_v1", json!({ "object": [] })),
            ("helpdesk.ticket_message.created_v1", json!({ "ticket": { "ticket_id": "../../x" } })),
            ("helpdesk.ticket.created_v1", json!({ "ticket_id": "1", "helpdesk_id": "another" })),
            ("im.chat.member.bot.added_v1", json!({ "chat_id": "<at id=all></at>" })),
        ] {
            platform.push_event(kind, event, now);
        }
    });
    assert_eq!(take(&world, Way::Once).await.len(), 5);
    world.pass(Span::from_mins(1)).await;
    assert_eq!((reads(), world.cards(TEAM).len()), (before, 0));
}

#[tokio::test(start_paused = true)]
async fn a_chat_is_greeted_once_when_the_bot_is_added() {
    let world = told_world(|platform| {
        for (chat, external) in [("oc_new", false), ("oc_out", true)] {
            platform.add_chat(chat, chat, SimChat::Group);
            platform.change_chat(chat, |chat| chat.external = external);
        }
    })
    .await;
    for chat in ["oc_new", "oc_out", TEAM, "oc_new"] {
        assert!(world.platform(|platform, now| platform.add_bot(chat, "ou_li", now)));
    }
    take(&world, Way::Muddled).await;
    world.pass(Span::from_mins(1)).await;
    let card = |chat: &str| {
        let cards = world.cards(chat);
        assert_eq!(cards.len(), 1, "{chat}");
        cards[0].text()
    };
    let new = card("oc_new");
    assert!(new.contains("I am deskbell") && new.contains("chat_id: oc_new") && new.contains("/help"), "{new}");
    let out = card("oc_out");
    assert!(out.contains("external chat") && !out.contains("deskbell.yaml") && !out.contains("19 digits"), "{out}");
    let team = card(TEAM);
    assert!(team.contains("the receiver team") && team.contains("19 digits"), "{team}");
}

#[tokio::test(start_paused = true)]
async fn a_person_who_asks_too_much_is_told_so_once() {
    let world = told_world(|_| {}).await;
    for number in 0..40 {
        let typed = world.platform(|platform, now| platform.person_says(TEAM, "ou_li", "?", true, now)).unwrap();
        let message = ChatMessage {
            event: EventId::new(format!("many-{number}")),
            message: MessageId::new(typed),
            chat: ChatId::from(TEAM),
            chat_kind: ChatKind::Group,
            sender: OpenId::from("ou_li"),
            sender_name: None,
            reply_to: None,
            on_card: None,
            command: Command::Help,
            locale: Locale::En,
            sent_at: world.clock().now(),
        };
        world.port().submit(message).await.unwrap();
    }
    world.pass(Span::from_mins(2)).await;
    let cards = world.cards(TEAM);
    assert_eq!(cards.len(), 31);
    assert_eq!(cards.iter().filter(|card| card.text().contains("ask again in a minute")).count(), 1);
}

#[test]
fn the_doctor_subscribes_to_a_helpdesk_s_events() {
    let town = Town::new();
    town.define_priority();
    town.init().expect(0, &[]);
    town.run(&["doctor"]).expect(0, &["deskbell doctor --fix", "helpdesk.ticket.created_v1"]);
    assert_eq!(lock(&town.platform).subscriptions(HELPDESK), 0, "a look changes nothing");
    for _ in 0..2 {
        town.run(&["doctor", "--fix"]).expect(0, &["its ticket events are subscribed to"]);
        assert_eq!(lock(&town.platform).subscriptions(HELPDESK), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_chat_is_is_asked_once_however_many_answers_wait_for_it() {
    let world = told_world(|platform| platform.fail_next(Route::ChatGet, Fault::Slow(3_000), 99)).await;
    let mut typed = Vec::new();
    for _ in 0..12 {
        typed.push(world.platform(|platform, now| platform.person_says(TEAM, "ou_li", "?", true, now)).unwrap());
    }
    for (number, message) in typed.into_iter().enumerate() {
        let message = ChatMessage {
            event: EventId::new(format!("many-{number}")),
            message: MessageId::new(message),
            chat: ChatId::from(TEAM),
            chat_kind: ChatKind::Group,
            sender: OpenId::new(format!("ou_{number}")),
            sender_name: None,
            reply_to: None,
            on_card: None,
            command: Command::Help,
            locale: Locale::En,
            sent_at: world.clock().now(),
        };
        world.port().submit(message).await.unwrap();
    }
    world.pass(Span::from_mins(2)).await;
    assert_eq!(world.cards(TEAM).len(), 12);
    assert_eq!(world.platform(|platform, _| platform.count(Route::ChatGet)), 1);
}
