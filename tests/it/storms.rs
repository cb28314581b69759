//! Storms, from tickets to cards, at the platform's own limits: what may ring one by one does, the rest is one card.

use std::collections::BTreeMap;

use deskbell::{
    domain::{
        calendar::Wait,
        desk::settings::StormSettings,
        rule::{CatchUp, Mention, Rule, Rung, RungAt, Severity, To, Urgent},
        time::Span,
    },
    sim::{message::Way, route::Route, ticket::Ticket},
};

use crate::world::{Card, OPS, Plot, START, TEAM, World, code, notify, rule};

const MINUTE: Span = Span::from_mins(1);

/// Refusals for speed: of a chat or a message, of an API a second and a minute.
const TOO_FAST: [i64; 3] = [230_020, 99_991_400, 11_232];

/// A rule on a score, that mentions someone and ends when the score is another.
fn on_score(name: &str, score: i64, severity: Severity) -> Rule {
    let mut line = notify("team");
    line.mention = Some(Mention::Person("li@example.com".into()));
    Rule { severity, notify: vec![line], ..rule(name, code("score", &[score])) }
}

fn plot() -> Plot {
    Plot {
        rules: vec![on_score("bad", 1, Severity::Critical), on_score("poor", 2, Severity::Warning)],
        catch_up: CatchUp::Each,
        storm: Some(StormSettings::default()),
        ..Plot::default()
    }
}

fn scored(score: i64) -> impl FnOnce(&mut Ticket) {
    move |ticket| ticket.score = Some(score)
}

/// The cards of digests and of single alerts, by the rule that they name.
fn by_rule(world: &World) -> BTreeMap<(&'static str, bool), Vec<Card>> {
    let mut found: BTreeMap<_, Vec<Card>> = BTreeMap::new();
    for card in world.cards(TEAM) {
        let rule = if card.text().contains("bad") { "bad" } else { "poor" };
        let is_digest = card.view.title.contains(" × ");
        found.entry((rule, is_digest)).or_default().push(card);
    }
    found
}

fn counts(world: &World) -> Vec<(&'static str, bool, usize)> {
    by_rule(world).into_iter().map(|((rule, is_digest), cards)| (rule, is_digest, cards.len())).collect()
}

fn digest(world: &World, rule: &'static str) -> Card {
    by_rule(world).remove(&(rule, true)).and_then(|mut cards| cards.pop()).unwrap()
}

/// Nothing was refused for speed, nobody was mentioned twice, and operations heard of nothing.
fn all_is_calm(world: &World) {
    let refused = world.platform(|platform, _| {
        let too_fast = |code: i64| TOO_FAST.contains(&code);
        platform.calls().filter(|call| call.status == 429 || call.code.is_some_and(too_fast)).count()
    });
    assert_eq!(refused, 0, "sends were refused for speed");
    let mentions: usize = world.platform(|platform, _| {
        let versions = |message: &&deskbell::sim::message::Message| message.versions.clone();
        let all: Vec<_> = platform.messages_in(TEAM).iter().flat_map(versions).collect();
        all.iter().map(|version| version.content.matches("<at ").count()).sum()
    });
    assert_eq!(mentions, 1, "one card mentions, and no update of it");
    assert!(world.cards(OPS).is_empty(), "{:?}", world.cards(OPS));
}

#[tokio::test(start_paused = true)]
async fn five_hundred_at_once_are_sixteen_cards_and_two_digests() {
    let mut world = World::start(plot(), |_| {}).await;
    world.pass(Span::from_secs(40)).await;
    let ids: Vec<String> = (0..500).map(|number| world.file(scored(if number % 5 == 0 { 1 } else { 2 }))).collect();
    world.pass(MINUTE).await;

    // One by one up to eight of each rule, and a digest each; the critical ones first.
    let expected = vec![("bad", false, 8), ("bad", true, 1), ("poor", false, 8), ("poor", true, 1)];
    assert_eq!(counts(&world), expected);
    let read_at = world.platform(|platform, _| {
        let lists = platform.calls().filter(|call| call.route == Some(Route::TicketList));
        lists.map(|call| call.at_ms).find(|at_ms| *at_ms >= START.as_ms() + 40_000).unwrap() - START.as_ms()
    });
    let cards = by_rule(&world);
    let first = |rule, is_digest| cards[&(rule, is_digest)].iter().map(|card| card.sent_at.as_ms()).min().unwrap();
    let last = |rule, is_digest| cards[&(rule, is_digest)].iter().map(|card| card.sent_at.as_ms()).max().unwrap();
    assert!(first("bad", false) - read_at <= 2_000, "{} ms", first("bad", false) - read_at);
    assert!(last("bad", true) < last("poor", false), "the critical digest goes before what is less urgent");

    // The digests say how many there are, at most once a minute.
    world.pass(Span::from_mins(2)).await;
    assert_eq!(digest(&world, "bad").view.title.split(',').next(), Some("92 × bad"));
    assert_eq!(digest(&world, "poor").view.title.split(',').next(), Some("392 × poor"));
    assert!(digest(&world, "poor").versions <= 4, "{}", digest(&world, "poor").versions);

    // A hundred end: those with a card of their own on it, the others on the digest; then all do.
    rate(&world, &ids[..100]);
    world.pass(Span::from_mins(3)).await;
    let cards = by_rule(&world);
    let green: usize = [("bad", false), ("poor", false)]
        .iter()
        .map(|kind| cards[kind].iter().filter(|card| card.view.colour == "green").count())
        .sum();
    let left = |rule| 500_usize.min(digest(&world, rule).view.title.split(" · ").nth(1).map_or(0, still));
    assert_eq!(green + (92 - left("bad")) + (392 - left("poor")), 100, "each of the hundred shows its end once");
    rate(&world, &ids);
    world.pass(Span::from_mins(20)).await;
    assert_eq!(counts(&world), expected, "no end is told by a card of its own");
    assert!(world.cards(TEAM).iter().all(|card| card.view.colour == "green"), "{:?}", world.cards(TEAM));
    assert_eq!(digest(&world, "poor").view.title, "392 × poor: all over");
    all_is_calm(&world);
    world.stop().await;
}

/// The tickets get a score that no rule asks for.
fn rate(world: &World, ids: &[String]) {
    for id in ids {
        assert!(world.platform(|platform, now| platform.update_ticket(id, now, scored(3))));
    }
}

/// `41 still ring`.
fn still(words: &str) -> usize {
    words.split(' ').next().unwrap().parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn three_hundred_over_half_an_hour_are_eight_cards_and_a_digest_also_across_a_restart() {
    let mut world = World::start(plot(), |_| {}).await;
    world.pass(Span::from_secs(40)).await;
    for number in 0..300 {
        world.file(scored(2));
        world.pass(Span::from_secs(6)).await;
        if number == 150 {
            world.kill().await;
            world.wake();
        }
    }
    world.pass(MINUTE.times(2)).await;
    assert_eq!(counts(&world), [("poor", false, 8), ("poor", true, 1)]);
    let card = digest(&world, "poor");
    assert_eq!(card.view.title.split(',').next(), Some("292 × poor"));
    assert!((25..=34).contains(&card.versions), "once a minute: {}", card.versions);
    assert!(card.text().contains("more of them join it"), "{}", card.text());

    // Calm for a quarter of an hour: it is closed, and the next one has a card of its own.
    world.pass(Span::from_mins(15)).await;
    assert!(digest(&world, "poor").text().contains("new ones have their own"), "{}", digest(&world, "poor").text());
    all_is_calm(&world);
    world.file(scored(2));
    world.pass(MINUTE).await;
    assert_eq!(counts(&world), [("poor", false, 9), ("poor", true, 1)]);
    world.stop().await;
}

/// What is critical calls someone after so many minutes; they were told of it in the team's chat.
fn calling(steps: &[(i64, Urgent)]) -> Plot {
    let mut rule = on_score("bad", 1, Severity::Critical);
    rule.notify[0].mention = None;
    let rung = |(minutes, urgent): &(i64, Urgent)| Rung {
        at: RungAt::After(Wait::wall(Span::from_mins(*minutes))),
        severity: None,
        to: To::Receiver("team".into()),
        template: None,
        mention: Some(Mention::Person("li@example.com".into())),
        urgent: Some(*urgent),
    };
    rule.ladder = steps.iter().map(rung).collect();
    Plot { rules: vec![rule], ..plot() }
}

fn phoning() -> Plot {
    calling(&[(10, Urgent::Phone)])
}

fn ways(world: &World) -> Vec<Way> {
    world.platform(|platform, _| platform.urges().iter().map(|urge| urge.way).collect())
}

#[tokio::test(start_paused = true)]
async fn three_hundred_escalations_phone_the_lead_once_and_their_ends_are_shown() {
    let mut world = World::start(phoning(), |_| {}).await;
    world.pass(Span::from_secs(40)).await;
    let ids: Vec<String> = (0..300).map(|_| world.file(scored(1))).collect();
    world.pass(Span::from_mins(14)).await;
    assert_eq!(ways(&world), [Way::Phone], "one call, however many escalate");
    all_is_calm(&world);
    // Eight replies on the cards there are, eight cards of their own, and one digest of the rest.
    let cards = world.cards(TEAM);
    let digests: Vec<String> =
        cards.iter().map(|card| card.view.title.clone()).filter(|it| it.contains(" × ")).collect();
    let starts: Vec<&str> = digests.iter().filter_map(|title| title.split(',').next()).collect();
    assert_eq!(starts, ["8 × bad", "Escalated: 284 × bad"], "those told again are told there");
    assert_eq!(cards.len(), 8 + 8 + 8 + 2, "{cards:?}");
    rate(&world, &ids);
    world.pass(Span::from_mins(20)).await;
    let cards = world.cards(TEAM);
    let over = cards.iter().filter(|card| card.view.colour == "green").count();
    assert_eq!((over, cards.len()), (8 + 8 + 2, 26), "every card shows the end, and none is told by one more");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn three_hundred_escalations_over_half_an_hour_call_the_lead_a_few_times() {
    let mut world = World::start(phoning(), |_| {}).await;
    world.pass(Span::from_secs(40)).await;
    for _ in 0..300 {
        world.file(scored(1));
        world.pass(Span::from_secs(6)).await;
    }
    world.pass(Span::from_mins(15)).await;
    let ways = ways(&world);
    let phones = ways.iter().filter(|way| **way == Way::Phone).count();
    assert!((1..=3).contains(&phones) && ways.len() <= 4, "{ways:?}");
    assert!(world.cards(TEAM).len() <= 26, "{}", world.cards(TEAM).len());
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_step_that_phones_does_so_though_the_one_before_called_in_the_app() {
    let mut world = World::start(calling(&[(30, Urgent::App), (35, Urgent::Phone)]), |_| {}).await;
    world.pass(Span::from_secs(40)).await;
    for _ in 0..20 {
        world.file(scored(1));
    }
    world.pass(Span::from_mins(33)).await;
    assert_eq!(ways(&world), [Way::App], "the first step, however many escalate");
    world.pass(Span::from_mins(6)).await;
    assert_eq!(ways(&world), [Way::App, Way::Phone], "the second one, once");
    world.stop().await;
}
