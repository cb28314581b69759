//! Reaching people through all of it: mentions, the direct message, what the platform refuses of both.

use deskbell::{
    domain::{
        rule::{Mention, Rule},
        time::Span,
    },
    sim::{platform::Platform, route::Route},
};

use crate::world::{Card, OPS, Plot, START, TEAM, World, bad_score};

/// Rings for the team and mentions someone.
fn mentioning(email: &str) -> Plot {
    let mut rule: Rule = bad_score();
    rule.notify[0].mention = Some(Mention::Person(email.into()));
    Plot { rules: vec![rule], ..Plot::default() }
}

fn stage(platform: &mut Platform) {
    platform.add_person("ou_eve", "Eve", "eve@example.com");
    platform.create_ticket(START.as_ms() - 60_000, |ticket| ticket.score = Some(1));
}

/// Whether a card notifies a person: its very words, since what people see is the same for a name.
fn notifies(world: &World, chat: &str, person: &str) -> bool {
    let at = format!("<at id={person}></at>");
    world.platform(|platform, _| platform.messages_in(chat).iter().any(|message| message.content().contains(&at)))
}

fn direct(world: &World, person: &str) -> Vec<Card> {
    let chat = world.platform(|platform, _| platform.direct_chat(person));
    world.cards(&chat)
}

#[tokio::test(start_paused = true)]
async fn who_is_in_the_chat_is_mentioned_once() {
    let mut world = World::start(mentioning("li@example.com"), stage).await;
    world.pass(Span::from_mins(2)).await;
    assert_eq!(world.cards(TEAM).len(), 1);
    assert!(notifies(&world, TEAM, "ou_li"));
    assert!(direct(&world, "ou_li").is_empty());
    // Another ticket within ten minutes: the card says why it does not mention again.
    world.file(|ticket| ticket.score = Some(1));
    world.pass(Span::from_mins(2)).await;
    let cards = world.cards(TEAM);
    assert_eq!(cards.len(), 2);
    assert!(cards[1].text().contains("mentioned within the last 10 minutes"), "{}", cards[1].text());
    let mentions = world.platform(|platform, _| {
        platform.messages_in(TEAM).iter().filter(|message| message.content().contains("<at id=ou_li>")).count()
    });
    assert_eq!(mentions, 1);
    // Members and open ids are asked for once, not for each card.
    assert_eq!(world.platform(|platform, _| platform.count(Route::UserIds)), 1);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn who_is_not_in_the_chat_is_named_and_told_directly_once() {
    let mut world = World::start(mentioning("eve@example.com"), stage).await;
    world.pass(Span::from_mins(2)).await;
    let cards = world.cards(TEAM);
    assert_eq!(cards.len(), 1);
    assert!(cards[0].text().contains("@eve@example.com (not in this chat, told directly)"), "{}", cards[0].text());
    assert!(!notifies(&world, TEAM, "ou_eve"));
    let told = direct(&world, "ou_eve");
    assert_eq!(told.len(), 1);
    assert!(told[0].text().contains("You are not in the chat team"), "{}", told[0].text());
    world.stop().await;
    world.wake();
    world.pass(Span::from_mins(10)).await;
    assert_eq!(direct(&world, "ou_eve").len(), 1, "once in the episode");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_mention_goes_without_and_the_person_is_told_directly() {
    let refusals = [
        ("the platform takes no mention", vec![], true),
        ("members cannot be read", vec!["im:chat", "im:chat:readonly", "im:chat.members:read"], false),
    ];
    for (name, scopes, is_member) in refusals {
        let mut world = World::start(mentioning("eve@example.com"), |platform| {
            stage(platform);
            platform.turn(|knobs| knobs.scopes_missing = scopes.iter().map(|scope| (*scope).to_owned()).collect());
            if is_member {
                platform.add_member(TEAM, "ou_eve");
                platform.turn(|knobs| knobs.refuses_mentions = true);
            }
        })
        .await;
        world.pass(Span::from_mins(5)).await;
        let cards = world.cards(TEAM);
        assert_eq!(cards.len(), 1, "{name}");
        assert!(cards[0].text().contains("@"), "{name}: {}", cards[0].text());
        assert!(!notifies(&world, TEAM, "ou_eve"), "{name}");
        let told = direct(&world, "ou_eve");
        assert_eq!(told.len(), 1, "{name}");
        assert!(told[0].text().contains("could not be mentioned"), "{name}: {}", told[0].text());
        world.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn without_the_permission_people_are_named_reached_by_email_and_operations_hears_once() {
    let mut world = World::start(mentioning("li@example.com"), |platform| {
        stage(platform);
        platform.turn(|knobs| knobs.scopes_missing = ["contact:user.id:readonly".to_owned()].into());
    })
    .await;
    world.pass(Span::from_mins(20)).await;
    let cards = world.cards(TEAM);
    assert!(cards[0].text().contains("@li@example.com"), "{}", cards[0].text());
    assert_eq!(direct(&world, "ou_li").len(), 1, "by email it takes no directory");
    let heard: Vec<String> =
        world.cards(OPS).iter().map(Card::text).filter(|text| text.contains("contact:user.id:readonly")).collect();
    assert_eq!(heard.len(), 1, "{heard:?}");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn who_has_left_is_named_and_operations_hears() {
    let mut world = World::start(mentioning("eve@example.com"), |platform| {
        stage(platform);
        platform.change_person("ou_eve", |person| person.resigned = true);
    })
    .await;
    world.pass(Span::from_mins(2)).await;
    assert!(world.cards(TEAM)[0].text().contains("@eve@example.com"));
    assert!(world.cards(OPS).iter().any(|card| card.text().contains("knows nobody under eve@example.com")));
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_numbers_in_it_goes_out_masked() {
    let mut world = World::start(Plot { rules: vec![bad_score()], ..Plot::default() }, |platform| {
        platform.turn(|knobs| knobs.refuses_personal_data = true);
        platform.create_ticket(START.as_ms() - 60_000, |ticket| {
            ticket.score = Some(1);
            ticket.guest.name = "韩梅梅 13812345678 mei@example.com".to_owned();
        });
    })
    .await;
    world.pass(Span::from_mins(2)).await;
    let cards = world.cards(TEAM);
    assert_eq!(cards.len(), 1);
    let text = cards[0].text();
    assert!(text.contains("138****5678") && text.contains("m**@example.com"), "{text}");
    assert!(!text.contains("13812345678"), "{text}");
    assert!(world.cards(OPS).is_empty(), "nothing is lost, nobody is bothered");
    world.stop().await;
}
