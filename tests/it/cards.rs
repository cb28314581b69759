//! The JSON of every card as it was sent, through the life of three alerts and a handover, in both languages. Read the
//! snapshots aloud: this is what people see.

use std::{collections::BTreeMap, sync::Arc};

use chrono::NaiveDate;
use deskbell::{
    adapters::feishu::card,
    domain::{
        actor::Actor,
        alert::AlertKey,
        calendar::{Frame, Wait},
        command::Command,
        deed::{Act, Deed, Place, Rest, Which},
        desk::input::ChatKind,
        id::{MessageId, Subject, TicketId, TicketKey},
        labels::{Labels, Oncall, Team},
        receiver::PersonId,
        rota::{Rota, Shift, Turn},
        rule::{Mention, Rule, Rung, RungAt, Severity, To},
        text::Locale,
        time::Span,
    },
    engine::port::ActAnswer,
    sim::{
        faults::Fault,
        message::Message,
        route::Route,
        ticket::{STATUS_PROCESSING, User},
    },
};
use serde_json::Value;

use crate::world::{Plot, TEAM, World, desk, notify, waiting_for_user, zone};

/// A rule that repeats, escalates, falls back and asks.
fn restless(locale: Locale) -> Rule {
    let minutes = |minutes| Wait::wall(Span::from_mins(minutes));
    let name = if locale == Locale::Zh { "客户等太久" } else { "guest waits too long" };
    let mut line = notify("team");
    (line.template, line.repeat, line.repeat_max) = (Some("waiting-for-user".into()), vec![minutes(20)], 1);
    Rule {
        name: name.into(),
        severity: Severity::Warning,
        notify: vec![line],
        ladder: vec![Rung {
            at: RungAt::After(minutes(30)),
            severity: Some(Severity::Critical),
            to: To::Receiver("team".into()),
            template: None,
            mention: Some(Mention::Oncall),
            urgent: None,
        }],
        fallback: Some(To::Receiver("team".into())),
        taken_for: minutes(60),
        ..waiting_for_user(Span::from_mins(10))
    }
}

/// Days until 14:00, nights from then on: one person each.
fn rota() -> Rota {
    let shift = |name: &str, from: u32, to: u32, email: &str| Shift {
        name: name.into(),
        hours: Frame { from: from * 60, to: to * 60 },
        change: Turn::Daily,
        members: vec![PersonId::Email(email.into())],
    };
    Rota {
        name: "primary".into(),
        zone: zone(),
        start: NaiveDate::from_ymd_opt(2026, 11, 2).unwrap(),
        shifts: vec![shift("白班", 9, 14, "li@example.com"), shift("夜班", 14, 33, "han@example.com")],
        dates: BTreeMap::new(),
        backup: None,
        calendar: None,
    }
}

struct Story {
    world: World,
    rule: Rule,
    locale: Locale,
    deeds: u32,
    told: String,
}

impl Story {
    async fn begin(locale: Locale) -> Self {
        let rule = restless(locale);
        let oncall = Some(Oncall::Rota("primary".into()));
        let team = Team { name: "IT".into(), when: None, to: "team".into(), lead: None, oncall };
        let labels = Labels { teams: Arc::new(vec![team]), ..Labels::default() };
        let plot = Plot { rules: vec![rule.clone()], locale, labels, rotas: vec![rota()], ..Plot::default() };
        let world = World::start(plot, |platform| {
            platform.add_person("ou_han", "韩梅梅", "han@example.com");
            platform.add_member(TEAM, "ou_han");
        })
        .await;
        world.pass(Span::from_secs(35)).await;
        Self { world, rule, locale, deeds: 0, told: String::new() }
    }

    /// A ticket begins to wait; its alert rings ten minutes later.
    async fn wait_on(&self, guest: &str) -> AlertKey {
        let id = self.world.file(|ticket| {
            ticket.guest.name = guest.to_owned();
            ticket.status = 5;
        });
        self.world.pass(Span::from_mins(11)).await;
        let ticket = TicketKey::new(desk(), TicketId::from(id.as_str()));
        AlertKey { subject: Subject::Ticket(ticket), rule: self.rule.name.clone() }
    }

    async fn act(&mut self, on: &AlertKey, clicked: Option<&str>, deed: impl FnOnce(Which) -> Deed) -> ActAnswer {
        self.deeds += 1;
        let act = Act {
            id: MessageId::new(format!("deed-{}", self.deeds)),
            by: Actor::Person { id: "ou_li".into(), name: Some("李雷".into()) },
            place: Place::Chat(TEAM.into(), ChatKind::Group),
            clicked: clicked.map(MessageId::from),
            deed: deed(Which::Episode(on.clone(), 1)),
            locale: self.locale,
        };
        let answer = self.world.port().act(act).await.unwrap();
        self.world.pass(Span::from_mins(1)).await;
        answer
    }

    fn say(&mut self, heading: &str, json: &str) {
        self.told.push_str(&format!("=== {heading}\n{}\n", laid_out(json)));
    }
}

/// One line for the head, one for each element.
fn laid_out(json: &str) -> String {
    let mut card: Value = serde_json::from_str(json).unwrap();
    let elements = card["elements"].take();
    let lines: Vec<String> = elements.as_array().unwrap().iter().map(|element| format!("  {element}")).collect();
    format!("{} {}\n{}", card["config"], card["header"], lines.join("\n"))
}

async fn story(locale: Locale) -> String {
    let mut story = Story::begin(locale).await;
    let minutes = Span::from_mins;
    let first = story.wait_on("Zoe").await;
    story.world.pass(minutes(80)).await; // repeated, escalated, fallen back
    story.act(&first, None, Deed::Take).await;
    story.world.pass(minutes(60)).await; // asked
    story.act(&first, None, Deed::Done).await;
    let second = story.wait_on("Ann").await;
    story.act(&second, None, |which| Deed::Snooze(which, Rest::For(minutes(5)))).await;
    story.world.pass(minutes(6)).await; // woken
    let Subject::Ticket(ticket) = &second.subject else { unreachable!() };
    story.world.platform(|platform, now| platform.update_ticket(ticket.id.as_str(), now, |ticket| ticket.status = 2));
    let third = story.wait_on("Bob").await;
    let old = story.world.platform(|platform, _| platform.message_with_button(TEAM, "take")).unwrap();
    story.world.platform(|platform, _| platform.fail_next(Route::MessagePatch, Fault::Refused(400, 230_031), 1));
    story.act(&third, None, Deed::Take).await; // replaced
    let answer = story.act(&third, Some(&old), Deed::Release).await;
    story.world.until(minutes(242)).await; // handed over
    // In the order they were sent; a card goes by its number.
    let sent: Vec<(i64, String, String)> = story.world.platform(|platform, _| {
        let messages = platform.messages_in(TEAM);
        let versions = messages.iter().enumerate().flat_map(|(number, message)| {
            let reply = message.parent_id.as_ref().map_or("card", |_| "reply");
            message.versions.iter().enumerate().map(move |(at, version)| {
                let what = if at == 0 { reply.to_owned() } else { format!("update {at} of {reply}") };
                (version.at_ms, format!("{what} {}", number + 1), version.content.clone())
            })
        });
        versions.collect()
    });
    let mut sent = sent;
    sent.sort_by_key(|(at, ..)| *at);
    for (at, what, content) in sent {
        let minute = zone().minute(deskbell::domain::time::Timestamp::from_ms(at));
        story.say(&format!("{minute} {what}"), &content);
    }
    story.say("a click on the old card", &card::to_json(&answer.card.unwrap(), card::CHAT_CARD_BYTES_MAX));
    story.world.stop().await;
    story.told
}

fn snapshot(name: &str, told: String) {
    insta::with_settings!({
        snapshot_path => "../cases/cards",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, { insta::assert_snapshot!(name, told) });
}

#[tokio::test(start_paused = true)]
async fn every_card_in_chinese() {
    snapshot("zh", story(Locale::Zh).await);
}

#[tokio::test(start_paused = true)]
async fn every_card_in_english() {
    snapshot("en", story(Locale::En).await);
}

/// What a guest writes who means harm.
const HARM: &str = "<at id=all></at> [看这里](https://evil.example) **急**，电话 13812345678";

/// The card of a ticket whose guest waits and on which an alert rings that someone has; then one of which the messages
/// cannot be read, and one that was closed long ago.
async fn glances(locale: Locale) -> String {
    let mut story = Story::begin(locale).await;
    let user = |id: &str, name: &str| User { id: id.to_owned(), name: name.to_owned(), ..User::default() };
    let on = story.wait_on("韩梅梅").await;
    let Subject::Ticket(TicketKey { id, .. }) = on.subject.clone() else { unreachable!() };
    story.world.platform(|platform, now| {
        platform.update_ticket(id.as_str(), now, |ticket| {
            ticket.guest.id = "ou_guest".to_owned();
            ticket.guest.department = "财务部".to_owned();
            ticket.agent_owner = Some(user("ou_li", "李雷"));
            ticket.ticket_type = 2;
            ticket.score = Some(1);
        });
        platform.guest_says(id.as_str(), "打印机坏了", now - 180_000);
        platform.agent_says(id.as_str(), &user("ou_li", "李雷"), "在看", now - 120_000);
        platform.guest_says(id.as_str(), HARM, now - 60_000);
    });
    story.act(&on, None, Deed::Take).await;
    story.world.pass(Span::from_mins(5)).await;
    let old = story.world.file(|ticket| {
        ticket.guest = user("ou_old", "Old");
        ticket.status = STATUS_PROCESSING;
    });
    story.world.platform(|platform, now| {
        let long_ago = now - Span::from_days(40).as_ms();
        platform.update_ticket(&old, now, |ticket| {
            (ticket.status, ticket.closed_at) = (51, Some(long_ago));
        });
    });
    story.glance("the guest waits", id.as_str()).await;
    story.world.platform(|platform, _| platform.fail_next(Route::TicketMessages, Fault::InternalError, 1));
    story.glance("its messages cannot be read", id.as_str()).await;
    story.glance("closed long ago", &old).await;
    story.world.stop().await;
    story.told
}

impl Story {
    /// Someone asks for a ticket; what the answer's card looks like.
    async fn glance(&mut self, heading: &str, id: &str) {
        self.world.ask(TEAM, Command::Ticket(TicketId::from(id))).await.unwrap();
        self.world.pass(Span::from_secs(5)).await;
        let json = self.world.platform(|platform, _| {
            let answer = |message: &&Message| message.parent_id.is_some();
            platform.messages_in(TEAM).into_iter().rfind(answer).unwrap().versions[0].content.clone()
        });
        assert!(!json.contains("<at id") && !json.contains("](http") && !json.contains("13812345678"), "{json}");
        self.say(heading, &json);
    }
}

#[tokio::test(start_paused = true)]
async fn a_ticket_at_a_glance_in_chinese() {
    snapshot("ticket_zh", glances(Locale::Zh).await);
}

#[tokio::test(start_paused = true)]
async fn a_ticket_at_a_glance_in_english() {
    snapshot("ticket_en", glances(Locale::En).await);
}
