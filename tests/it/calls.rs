//! Reaching people through all of it: mentions, the direct message, what the platform refuses of both.

use std::sync::Arc;

use deskbell::{
    domain::{
        calendar::Wait,
        condition::{Condition, Operator, PersonPart, Target, Test},
        field::Field,
        labels::{Labels, Oncall, Team},
        receiver::{PersonId, Receiver},
        rule::{Mention, Rule, Rung, RungAt, To, Until, Urgent},
        time::Span,
    },
    sim::{faults::Fault, message::Way, platform::Platform, route::Route, ticket::User},
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
    let said = cards[1].text();
    assert!(said.contains("mentioned within the last 10 minutes"), "{said}");
    assert!(!said.lines().nth(1).is_some_and(|line| line.contains("10 minutes")), "it does not open the card: {said}");
    let mentions = world.platform(|platform, _| {
        platform.messages_in(TEAM).iter().filter(|message| message.content().contains("<at id=ou_li>")).count()
    });
    assert_eq!(mentions, 1);
    // Members and open ids are asked for once, not for each card.
    assert_eq!(world.platform(|platform, _| platform.count(Route::UserIds)), 1);
    world.stop().await;
}

/// `payment` has what Zoe wrote, `other` the rest: one with Li as its lead, one with Li on call, Han on the other side.
fn of_teams(mention: Mention) -> Plot {
    let person = |email: &str| Some(Receiver::name_of_person(&PersonId::Email(email.into())));
    let zoe = Test {
        target: Target::Part(Field::find("guest").unwrap(), PersonPart::Name),
        operator: Operator::TextIs(["zoe".into()].into()),
    };
    let team = |name: &str, when, to: &str, lead: &str, oncall: &str| Team {
        name: name.into(),
        when,
        to: to.into(),
        lead: person(lead),
        oncall: person(oncall).map(Oncall::Receiver),
    };
    let teams = vec![
        team("payment", Some(Condition::Test(zoe)), "team", "li@example.com", "han@example.com"),
        team("other", None, "ops", "han@example.com", "li@example.com"),
    ];
    let mut rule: Rule = bad_score();
    (rule.notify[0].to, rule.notify[0].mention) = (To::Team, Some(mention));
    let labels = Labels { teams: Arc::new(teams), ..Labels::default() };
    Plot { rules: vec![rule], labels, ..Plot::default() }
}

#[tokio::test(start_paused = true)]
async fn a_ticket_goes_to_its_team_and_mentions_its_owner_its_lead_or_who_is_on_call() {
    for (mention, payment, other) in [
        (Mention::Lead, "ou_li", "ou_han"),
        (Mention::Oncall, "ou_han", "ou_li"),
        (Mention::Owner, "ou_agent", "ou_agent"),
    ] {
        let mut world = World::start(of_teams(mention.clone()), |platform| {
            platform.add_person("ou_han", "韩梅梅", "han@example.com");
            platform.add_person("ou_agent", "林涛", "tao@example.com");
            for chat in [TEAM, OPS] {
                platform.add_member(chat, "ou_han");
                platform.add_member(chat, "ou_agent");
            }
        })
        .await;
        world.pass(Span::from_secs(35)).await;
        for guest in ["Zoe", "Ann"] {
            world.file(|ticket| {
                ticket.score = Some(1);
                ticket.guest.name = guest.to_owned();
                ticket.agent_owner =
                    Some(User { id: "ou_agent".to_owned(), name: "林涛".to_owned(), ..User::default() });
            });
            world.pass(Span::from_mins(11)).await; // a person is mentioned once in ten minutes
        }
        assert_eq!((world.cards(TEAM).len(), world.cards(OPS).len()), (1, 1), "{mention:?}: {:?}", world.cards(OPS));
        assert!(world.cards(TEAM)[0].text().contains("Zoe") && world.cards(OPS)[0].text().contains("Ann"));
        for (chat, person) in [(TEAM, payment), (OPS, other)] {
            let mentioned: Vec<&str> =
                ["ou_li", "ou_han", "ou_agent"].into_iter().filter(|id| notifies(&world, chat, id)).collect();
            assert_eq!(mentioned, [person], "{mention:?} in {chat}");
        }
        world.stop().await;
    }
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

/// Rings for the team; after ten minutes someone is called up.
fn urging(email: &str, urgent: Urgent) -> Plot {
    let mut rule: Rule = bad_score();
    rule.ladder = vec![Rung {
        at: RungAt::After(Wait::wall(Span::from_mins(10))),
        severity: None,
        to: To::Receiver("team".into()),
        template: None,
        mention: Some(Mention::Person(email.into())),
        urgent: Some(urgent),
    }];
    Plot { rules: vec![rule], ..Plot::default() }
}

/// Who was called up, how, and in which chat the card stands.
fn urges(world: &World) -> Vec<(Way, String, String)> {
    world.platform(|platform, _| {
        let chat = |id: &str| platform.message(id).unwrap().chat_id.clone();
        platform.urges().iter().map(|urge| (urge.way, urge.open_id.clone(), chat(&urge.message_id))).collect()
    })
}

#[tokio::test(start_paused = true)]
async fn a_rung_calls_the_person_it_mentions_where_they_are() {
    for (email, id, direct) in [("li@example.com", "ou_li", false), ("eve@example.com", "ou_eve", true)] {
        for (urgent, way) in [(Urgent::App, Way::App), (Urgent::Sms, Way::Sms), (Urgent::Phone, Way::Phone)] {
            let mut plot = urging(email, urgent);
            plot.rules[0].notify[0].mention = Some(Mention::Person(email.into()));
            let mut world = World::start(plot, stage).await;
            world.pass(Span::from_mins(14)).await;
            assert_eq!(
                self::direct(&world, id).len(),
                usize::from(direct),
                "{email}: one card, however often mentioned"
            );
            let chat = if direct { world.platform(|it, _| it.direct_chat(id)) } else { TEAM.to_owned() };
            assert_eq!(urges(&world), [(way, id.to_owned(), chat)], "{email} {urgent:?}");
            let shown = world.cards(TEAM)[0].text();
            assert!(
                shown.contains(if direct { "eve@example.com" } else { "ou_li" }) || shown.contains("李雷"),
                "{shown}"
            );
            world.stop().await;
            world.wake();
            world.pass(Span::from_mins(30)).await;
            assert_eq!(urges(&world).len(), 1, "{email} {urgent:?}: a restart calls nobody again");
            world.stop().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_phone_call_goes_through_the_app_and_operations_hears_once() {
    type Stage = fn(&mut Platform);
    let refusals: [(&str, Stage, usize); 4] = [
        ("quota used up", |it| it.turn(|knobs| knobs.urgent_quota = Some(0)), 1),
        (
            "no permission",
            |it| it.turn(|knobs| knobs.scopes_missing = ["im:message.urgent:phone".to_owned()].into()),
            1,
        ),
        ("the group forbids it", |it| assert!(it.change_chat(TEAM, |chat| chat.may_urge = false)), 0),
        ("refused by order", |it| it.fail_next(Route::UrgentPhone, Fault::Refused(400, 230_027), 1), 1),
    ];
    for (name, refuse, through_the_app) in refusals {
        let mut world = World::start(urging("li@example.com", Urgent::Phone), |platform| {
            stage(platform);
            refuse(platform);
        })
        .await;
        world.pass(Span::from_mins(20)).await;
        let ways: Vec<Way> = urges(&world).into_iter().map(|(way, ..)| way).collect();
        assert_eq!(ways, vec![Way::App; through_the_app], "{name}");
        let heard = world.cards(OPS).iter().filter(|card| card.text().contains("cannot be made")).count();
        assert_eq!(heard, 1, "{name}: {:?}", world.cards(OPS));
        assert!(notifies(&world, TEAM, "ou_li"), "{name}: the mention stands");
        world.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_phone_call_nobody_knows_of_is_not_repeated_and_the_card_says_so() {
    for fault in [Fault::CutAfter, Fault::Slow(60_000)] {
        let mut world = World::start(urging("li@example.com", Urgent::Phone), stage).await;
        world.platform(|platform, _| platform.fail_next(Route::UrgentPhone, fault, 1));
        world.pass(Span::from_mins(40)).await;
        assert_eq!(world.platform(|platform, _| platform.count(Route::UrgentPhone)), 1, "{fault:?}");
        let card = world.cards(TEAM)[0].text();
        assert!(card.contains("may not have got through"), "{fault:?}: {card}");
        world.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_cut_while_the_phone_rings_is_not_dialled_again() {
    let mut world = World::start(urging("li@example.com", Urgent::Phone), stage).await;
    world.platform(|platform, _| platform.fail_next(Route::UrgentPhone, Fault::Slow(60_000), 1));
    while world.platform(|platform, _| platform.count(Route::UrgentPhone)) == 0 {
        world.pass(Span::from_secs(1)).await;
    }
    world.kill().await;
    world.wake();
    world.pass(Span::from_mins(30)).await;
    assert_eq!(world.platform(|platform, _| platform.count(Route::UrgentPhone)), 1);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_phone_rings_once_in_fifteen_minutes_and_then_it_is_the_app() {
    let mut world = World::start(urging("li@example.com", Urgent::Phone), |platform| {
        stage(platform);
        for _ in 0..3 {
            platform.create_ticket(START.as_ms() - 50_000, |ticket| ticket.score = Some(1));
        }
    })
    .await;
    world.pass(Span::from_mins(14)).await;
    let mut ways: Vec<Way> = urges(&world).into_iter().map(|(way, ..)| way).collect();
    ways.sort_unstable();
    assert_eq!(ways, [Way::App, Way::App, Way::App, Way::Phone]);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_card_that_can_no_longer_be_updated_is_replaced_once_and_its_end_is_told_once() {
    for code in [230_031, 230_011, 230_110] {
        let mut plot = urging("li@example.com", Urgent::App);
        plot.rules[0].until = Until::Cleared;
        let later = Rung { at: RungAt::After(Wait::wall(Span::from_mins(12))), ..plot.rules[0].ladder[0].clone() };
        plot.rules[0].ladder.push(later);
        let mut world = World::start(plot, stage).await;
        world.pass(Span::from_mins(5)).await;
        world.platform(|platform, _| platform.fail_next(Route::MessagePatch, Fault::Refused(400, code), 50));
        world.pass(Span::from_mins(15)).await;
        // The card, two escalations, and the one card that takes the first one's place.
        assert_eq!(world.cards(TEAM).len(), 4, "{code}: {:?}", world.cards(TEAM));
        let id = world.platform(|platform, _| platform.tickets().next().unwrap().ticket_id.clone());
        world.platform(|platform, now| platform.update_ticket(&id, now, |ticket| ticket.score = Some(3)));
        world.pass(Span::from_mins(10)).await;
        let over = world.cards(TEAM).iter().filter(|card| card.view.colour == "green").count();
        assert_eq!((over, world.cards(TEAM).len()), (1, 5), "{code}: {:?}", world.cards(TEAM));
        world.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_long_break_one_line_says_so() {
    let mut world = World::start(Plot { rules: vec![bad_score()], ..Plot::default() }, stage).await;
    world.pass(Span::from_mins(5)).await;
    world.stop().await;
    world.wake();
    world.pass(Span::from_mins(5)).await;
    let lines = |world: &World| world.cards(OPS).iter().filter(|card| card.text().contains("is back")).count();
    assert_eq!(lines(&world), 0, "a short break is worth no line");
    world.stop().await;
    world.pass(Span::from_hours(2)).await;
    world.wake();
    world.pass(Span::from_mins(15)).await;
    assert_eq!(lines(&world), 1);
    let said = world.cards(OPS).last().unwrap().text();
    assert!(said.contains("\nIt was down for about 2 hours"), "{said}");
    assert!(said.contains("nothing had to be sent after"), "{said}");
    world.stop().await;
}
