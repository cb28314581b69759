//! Privacy through all of it: what is planted in every field of a ticket leaves in no request, and what is forgotten
//! stays forgotten.

use std::{fs, path::Path};

use deskbell::{
    adapters::store::compact::compact,
    domain::{
        actor::Actor,
        alert::AlertState,
        command::Command,
        condition::{Condition, CustomSelector, Operator, Target, Test},
        deed::{Act, Deed, Place, Tone},
        desk::state::Stored,
        field::Field,
        id::MessageId,
        receiver::ReceiverKind,
        rule::{CatchUp, Count, Rule, RuleKind, Until},
        text::Locale,
        time::Span,
    },
    sim::{
        directory::ChatKind as SimChat,
        ticket::{Comment, FieldValue, Reason, STATUS_CLOSED_BY_AGENT, STATUS_PROCESSING, Tag, Ticket, User},
    },
};

use crate::world::{OPS, Plot, TEAM, World, bad_score, notify, outside, rule};

const PHONE: &str = "13812345678";
const EMAIL: &str = "han.meimei@example.com";
const ID_CARD: &str = "11010519491231002X";
const BANK_CARD: &str = "6222020200112233446";
const SECRETS: [&str; 5] = [PHONE, EMAIL, ID_CARD, BANK_CARD, "138 1234 5678"];
const GUEST: &str = "ou_guest";
const MINUTE: Span = Span::from_mins(1);

/// All of it, with a word that tells where.
fn planted(place: &str) -> String {
    format!("{place} {PHONE} {EMAIL} {ID_CARD} {BANK_CARD} 138 1234 5678")
}

fn fill(ticket: &mut Ticket) {
    let user = |id: &str, place: &str| User {
        id: id.to_string(),
        name: planted(place),
        email: EMAIL.to_string(),
        department: planted(place),
        city: planted(place),
        country: planted(place),
        avatar_url: format!("https://a.example/{PHONE}"),
    };
    ticket.status = STATUS_CLOSED_BY_AGENT;
    ticket.score = Some(1);
    ticket.guest = user(GUEST, "guest");
    ticket.closed_by = Some(user(GUEST, "closer"));
    ticket.comments = vec![Comment { content: planted("note"), ..Comment::default() }];
    let reason = planted("reason");
    ticket.dissatisfaction_reason = Some(Reason { zh_cn: reason.clone(), en_us: reason.clone(), ja_jp: reason });
    ticket.tags = vec![Tag { id: "1".to_string(), name: planted("tag") }];
    ticket.customized_fields = ["手机", "问题描述"]
        .map(|name| FieldValue {
            id: name.to_string(),
            value: planted(name),
            key_name: name.to_string(),
            display_name: name.to_string(),
            ..FieldValue::default()
        })
        .to_vec();
}

fn told_to_all(rule: Rule) -> Rule {
    Rule { notify: ["team", "pager", "office"].map(notify).to_vec(), ..rule }
}

/// Rings for the first message, and quotes what it found.
fn complaint() -> Rule {
    let target = Target::Field(Field::find("guest_message").unwrap());
    let when = Condition::Test(Test { target, operator: Operator::Exists(true) });
    told_to_all(Rule { until: Until::Handled, ..rule("complaint", when) })
}

/// Names the guest, each part and each field in its reason.
fn curious() -> Rule {
    let there = |target| Condition::Test(Test { target, operator: Operator::Exists(true) });
    let field = |name: &str| there(Target::Field(Field::find(name).unwrap()));
    let when = Condition::All(vec![
        field("guest"),
        field("comments"),
        field("dissatisfaction_reason"),
        field("tags"),
        there(Target::Custom(CustomSelector::Any("手机".into()))),
    ]);
    told_to_all(Rule { until: Until::Handled, ..rule("curious", when) })
}

/// Counts by a field that holds numbers.
fn counting() -> Rule {
    let per = Some(Target::Custom(CustomSelector::Any("手机".into())));
    let count = Count { per, when: vec![Operator::AtLeast(1.0)], within: None, clear: Vec::new() };
    let when = Condition::Test(Test {
        target: Target::Field(Field::find("score").unwrap()),
        operator: Operator::CodeIs([1].into()),
    });
    told_to_all(Rule { kind: RuleKind::Count(count), ..rule("counting", when) })
}

async fn world(catch_up: CatchUp) -> World {
    let receivers = [("pager", ReceiverKind::Http), ("office", ReceiverKind::Wecom)];
    let plot = Plot {
        rules: vec![told_to_all(bad_score()), complaint(), curious(), counting()],
        catch_up,
        outside: receivers.into_iter().map(|(name, kind)| outside(name, kind)).collect(),
        ..Plot::default()
    };
    World::empty(plot, |platform| {
        platform.outside().sink("pager").bearer = Some("pager-token".to_owned());
        platform.outside().bot("office");
    })
    .await
}

/// Everything the service sent, whole: each version of each card, each body of each webhook.
fn sent(world: &World) -> String {
    let chats = [TEAM, OPS].map(|chat| {
        world.platform(|platform, _| {
            let messages = platform.messages_in(chat);
            let bots = messages.iter().filter(|message| message.card().is_some());
            bots.map(|message| format!("{:?}", message.versions)).collect::<Vec<_>>().join("\n")
        })
    });
    let outside = ["pager", "office"].map(|name| {
        world.platform(|platform, _| {
            let outside = platform.outside();
            let sink = if name == "pager" { outside.sink(name) } else { outside.bot(name) };
            assert!(!sink.taken.is_empty(), "{name} heard of it");
            sink.taken.iter().map(|taken| taken.body.to_string()).collect::<Vec<_>>().join("\n")
        })
    });
    let all = chats.into_iter().chain(outside).collect::<Vec<_>>().join("\n");
    all.replace("&#42;", "*") // in a card's markdown a bare one would be emphasis
}

fn assert_clean(what: &str) {
    for secret in SECRETS {
        let at = what.find(secret);
        let around = at.map(|at| what.get(at.saturating_sub(300)..at + 40).unwrap_or("?"));
        assert_eq!(around, None, "{secret}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_personal_leaves_in_any_request() {
    for catch_up in [CatchUp::Each, CatchUp::Digest] {
        let mut world = world(catch_up).await;
        let id = world.file(fill);
        world.platform(|platform, now| platform.guest_says(&id, &planted("said"), now));
        world.wake();
        world.pass(Span::from_mins(3)).await;
        let other = world.file(|ticket| {
            fill(ticket);
            ticket.status = STATUS_PROCESSING;
        });
        world.platform(|platform, now| platform.guest_says(&other, &planted("said"), now));
        world.pass(Span::from_mins(3)).await;
        for typed in [format!("/ticket {id}"), "/alerts".to_string(), format!("/why {id}")] {
            world.ask(TEAM, Command::parse(&typed)).await.unwrap();
            world.pass(MINUTE).await;
        }
        let sent = sent(&world);
        assert_clean(&sent);
        for masked in ["138****5678", "h*********@example.com", "110105********002X", "622************3446"] {
            assert!(sent.contains(masked), "{masked}: shown, and masked");
        }
        assert!(sent.contains(&id), "a ticket keeps its number");
        assert!(sent.contains("said 138****5678"), "quoted words too");
        assert!(sent.contains("enable_forward"), "no card is forwarded");
        assert!(!sent.contains("\\\"enable_forward\\\":true") && !sent.contains("\"enable_forward\":true"));
        world.stop().await;
        let kept = world.stored();
        let lines = format!("{:?}", kept.alerts);
        assert_clean(&lines);
    }
}

fn forget(guest: &str) -> Act {
    Act {
        id: MessageId::new(format!("api:{}", guest.len())),
        by: Actor::Operator("王芳".into()),
        place: Place::Admin,
        clicked: None,
        deed: Deed::ForgetGuest(guest.to_string()),
        locale: Locale::Zh,
    }
}

/// Whatever a store gives back that names the guest.
fn named_in(stored: &Stored) -> Option<String> {
    let all = format!("{stored:?}");
    let at = SECRETS.into_iter().chain([GUEST, "guest 138"]).find_map(|secret| all.find(secret))?;
    all.get(at.saturating_sub(200)..at + 40).map(str::to_string)
}

/// Whether the database's own files hold a text.
fn in_files(dir: &Path, text: &str) -> bool {
    let Ok(entries) = fs::read_dir(dir) else { return false };
    entries.map(|entry| entry.unwrap().path()).any(|path| match path.is_dir() {
        true => in_files(&path, text),
        false => fs::read(&path).is_ok_and(|bytes| bytes.windows(text.len()).any(|part| part == text.as_bytes())),
    })
}

#[tokio::test(start_paused = true)]
async fn a_guest_who_is_forgotten_stays_forgotten() {
    let mut world = world(CatchUp::Each).await;
    world.wake();
    world.pass(MINUTE).await;
    let closed = world.file(fill);
    let open = world.file(|ticket| {
        fill(ticket);
        ticket.status = STATUS_PROCESSING;
    });
    let other = world.file(|ticket| {
        fill(ticket);
        ticket.guest.id = "ou_other".to_string();
        ticket.guest.email = "other@example.com".to_string();
        ticket.closed_by = None;
    });
    for id in [&closed, &open, &other] {
        world.platform(|platform, now| platform.guest_says(id, &planted("said"), now));
    }
    world.pass(Span::from_mins(3)).await;
    assert!(world.cards(TEAM).iter().any(|card| card.text().contains("guest 138****5678")));

    assert_eq!(world.port().act(forget("ou_nobody")).await.unwrap().tone, Tone::Missing);
    let in_chat =
        Act { place: Place::Chat(TEAM.into(), deskbell::domain::desk::input::ChatKind::Group), ..forget(GUEST) };
    assert_eq!(world.port().act(in_chat).await.unwrap().tone, Tone::Refused);
    let done = world.port().act(forget(GUEST)).await.unwrap();
    assert_eq!(done.tone, Tone::Done, "{}", done.words);
    assert!(done.words.en.contains("closed tickets 1,") && done.words.en.contains("closed: 1"), "{}", done.words.en);

    // Polls and sweeps show it again, the service starts again: it stays blank, and so do its cards.
    world.pass(Span::from_mins(20)).await;
    world.stop().await;
    let stored = world.stored();
    let kept = |id: &str| stored.tickets.iter().find(|kept| kept.ticket.key.id.as_str() == id).unwrap();
    assert!(!format!("{:?}", kept(&closed)).contains("138"), "{:?}", kept(&closed));
    assert!(format!("{:?}", kept(&open)).contains(PHONE), "it is open and served");
    assert!(format!("{:?}", kept(&other)).contains(PHONE), "somebody else's");
    world.wake();
    world.pass(Span::from_mins(20)).await;
    for card in world.cards(TEAM).iter().filter(|card| card.text().contains(&closed)) {
        assert!(!card.text().contains("138****5678"), "{}", card.text());
    }

    // What was open is closed at last; what belongs to others is forgotten by their own request.
    world.platform(|platform, now| platform.update_ticket(&open, now, |ticket| ticket.status = STATUS_CLOSED_BY_AGENT));
    world.pass(Span::from_mins(5)).await;
    assert_eq!(world.port().act(forget("other@example.com")).await.unwrap().tone, Tone::Done);
    world.pass(Span::from_mins(20)).await;
    world.stop().await;
    let stored = world.stored();
    assert_eq!(named_in(&stored), None);
    assert!(
        stored.alerts.iter().any(|alert| matches!(alert.state, AlertState::Firing { .. })),
        "what rang still rings"
    );
    assert!(in_files(&world.data(), PHONE), "the database's files still hold what was deleted");
    compact(&world.data(), |_| {}).unwrap();
    for secret in SECRETS {
        assert!(!in_files(&world.data(), secret), "{secret} is in no file after store compact");
    }

    // The guest's next ticket is like anyone's.
    world.wake();
    let next = world.file(fill);
    world.pass(Span::from_mins(3)).await;
    assert!(world.cards(TEAM).iter().any(|card| card.text().contains(&next) && card.text().contains("138****5678")));
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_ticket_of_a_status_nobody_knows_stays_forgotten() {
    let mut world = world(CatchUp::Each).await;
    world.wake();
    world.pass(MINUTE).await;
    let id = world.file(|ticket| {
        fill(ticket);
        ticket.status = 77;
    });
    world.platform(|platform, now| platform.guest_says(&id, &planted("said"), now));
    world.pass(Span::from_mins(3)).await;
    assert_eq!(world.port().act(forget(GUEST)).await.unwrap().tone, Tone::Done);
    world.platform(|platform, now| platform.guest_says(&id, &planted("said again"), now));
    world.platform(|platform, now| platform.update_ticket(&id, now, |ticket| ticket.score = Some(2)));
    world.pass(Span::from_mins(20)).await;
    world.stop().await;
    let stored = world.stored();
    let kept = stored.tickets.iter().find(|kept| kept.ticket.key.id.as_str() == id).unwrap();
    assert_eq!(kept.ticket.score.present(), Some(&2), "it is still followed");
    assert_eq!(named_in(&stored), None);
}

#[tokio::test(start_paused = true)]
async fn a_store_without_a_service_forgets_too() {
    let mut world = world(CatchUp::Each).await;
    world.wake();
    world.pass(MINUTE).await;
    let id = world.file(fill);
    world.platform(|platform, now| platform.guest_says(&id, &planted("said"), now));
    world.pass(Span::from_mins(3)).await;
    world.stop().await;
    let done = world.forget_in_store(GUEST);
    assert_eq!((done.closed, done.open), (1, 0), "{done:?}");
    assert_eq!(world.forget_in_store("ou_nobody").closed, 0);
    assert_eq!(named_in(&world.stored()), None);
    world.wake();
    world.pass(Span::from_mins(20)).await;
    world.stop().await;
    assert_eq!(named_in(&world.stored()), None, "the next polls bring nothing back");
}

#[tokio::test(start_paused = true)]
async fn an_external_chat_hears_nothing_unless_it_may_and_then_nothing_of_the_guest() {
    for allowed in [false, true] {
        let rules = vec![bad_score(), curious()].into_iter().map(|rule| Rule { notify: vec![notify("team")], ..rule });
        let plot = Plot { rules: rules.collect(), external: allowed, ..Plot::default() };
        let mut world =
            World::start(plot, |platform| assert!(platform.change_chat(TEAM, |chat| chat.external = true))).await;
        let id = world.file(fill);
        world.pass(Span::from_mins(15)).await;
        let cards = world.cards(TEAM);
        if allowed {
            assert!(cards.iter().any(|card| card.text().contains(&id)), "{cards:?}");
            for word in ["138", "guest", "note", "reason", "手机"] {
                assert!(cards.iter().all(|card| !card.text().contains(word)), "{word}: {cards:?}");
            }
        } else {
            assert!(cards.is_empty(), "{cards:?}");
            assert!(world.cards(OPS).iter().any(|card| card.text().contains("external")), "{:?}", world.cards(OPS));
        }
        world.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_external_chat_is_answered_and_never_with_what_is_on_a_ticket() {
    for allowed in [false, true] {
        let plot = Plot { rules: vec![bad_score()], external: allowed, ..Plot::default() };
        let mut world = World::empty(plot, |platform| {
            platform.add_chat("oc_out", "out", SimChat::Group);
            platform.add_member("oc_out", "ou_li");
            for chat in [TEAM, "oc_out"] {
                assert!(platform.change_chat(chat, |chat| chat.external = true));
            }
        })
        .await;
        world.wake();
        world.pass(MINUTE).await;
        let id = world.file(|ticket| {
            fill(ticket);
            ticket.score = None;
        });
        world.pass(MINUTE).await;
        for (chat, typed) in
            [(TEAM, format!("/ticket {id}")), (TEAM, "/help".to_string()), ("oc_out", "/alerts".into())]
        {
            world.ask(chat, Command::parse(&typed)).await.unwrap();
            world.pass(MINUTE).await;
        }
        let texts = |chat: &str| world.cards(chat).iter().map(|card| card.text()).collect::<Vec<_>>();
        let (team, out) = (texts(TEAM), texts("oc_out"));
        assert_eq!((team.len(), out.len()), (2, 1), "{team:?} {out:?}");
        assert_eq!(team[0].contains(&id), allowed, "{team:?}");
        assert_eq!(team[0].contains("in an external chat"), !allowed, "{team:?}");
        for word in ["guest 138", "said", "note", "reason", "手机"] {
            assert!(!team[0].contains(word), "{word}: {team:?}");
        }
        assert!(team[1].contains("/help"), "{team:?}");
        assert!(out[0].contains("cannot be looked up here"), "{out:?}");
        world.pass(Span::from_mins(40)).await;
        assert_eq!(world.cards(OPS).len(), 0, "{:?}", world.cards(OPS));
        world.stop().await;
        assert!(world.stored().dead.is_empty() && world.stored().outbox.is_empty());
    }
}
