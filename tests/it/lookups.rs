//! What is asked over the admin API as in a chat, tickets as data, and what the journal keeps of who asked what.

use std::collections::BTreeSet;

use deskbell::{
    domain::{
        command::{Command, reply},
        desk::settings::{Access, Direct, Look},
        id::TicketId,
        labels::{Caption, Labels},
        privacy::{self, Privacy},
        time::Span,
    },
    sim::{faults::Fault, route::Route, ticket::User},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    operators::Office,
    world::{OPS, Plot, TEAM, World, desk},
};

/// A guest whose number is written in the subject line.
const PHONE: &str = "13812345678";

fn fill(ticket: &mut deskbell::sim::ticket::Ticket) {
    ticket.guest =
        User { id: "ou_guest".into(), name: "韩梅梅".into(), email: "h@example.com".into(), ..User::default() };
    ticket.score = Some(1);
    ticket.ticket_type = 2;
}

async fn office(plot: Plot) -> (Office, String) {
    let world = World::start(plot, |_| {}).await;
    let id = world.file(fill);
    world.platform(|platform, now| platform.guest_says(&id, &format!("打印机坏了，电话 {PHONE}"), now));
    world.pass(Span::from_mins(1)).await;
    (Office::open(world).await, id)
}

impl Office {
    async fn look_up(&self, token: &str, text: &str) -> (u16, Value) {
        let body = json!({ "text": text }).to_string();
        self.send_with(token, Method::POST, "/api/v1/lookup", None, body).await
    }

    async fn when(&self, condition: &str) -> (u16, Value) {
        let query: String = condition.bytes().map(|byte| format!("%{byte:02X}")).collect();
        self.get(&format!("/api/v1/tickets?when={query}")).await
    }

    async fn journal_lines(&self, of: &str, looks: bool) -> Vec<String> {
        let (status, page) = self.get(&format!("/api/v1/journal?of={of}&looks={looks}")).await;
        assert_eq!(status, 200, "{page}");
        let line =
            |line: &Value| format!("{} {}", line["what"].as_str().unwrap(), line["note"]["en"].as_str().unwrap());
        page["lines"].as_array().unwrap().iter().map(line).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn what_would_be_typed_in_a_chat_is_answered_as_data() {
    let (mut office, id) = office(Plot::default()).await;
    let before = office.world.cards(TEAM).len();
    let (status, answer) = office.look_up("looker", &format!("/ticket {id}")).await;
    assert_eq!(status, 200, "{answer}");
    let ticket = &answer["ticket"];
    assert_eq!(ticket["ticket_id"], json!(id));
    assert_eq!((&ticket["guest"]["name"], &ticket["guest"]["email"]), (&json!("韩梅梅"), &Value::Null), "not shown");
    assert_eq!((&ticket["waiting"]["who"], &ticket["score"]["name"]), (&json!("guest"), &json!("dissatisfied")));
    let (said, alert) = (&ticket["messages"][0], &ticket["alerts"][0]);
    assert_eq!((&said["by"], &said["text"]), (&json!("guest"), &json!("打印机坏了，电话 138****5678")));
    assert_eq!(alert["rule"], json!("bad score"));
    let (zh, en) = (answer["text"]["zh"].as_str().unwrap(), answer["text"]["en"].as_str().unwrap());
    assert!(zh.contains("客户在等回复") && en.contains("the guest waits for an answer"), "{zh}\n{en}");
    assert!(!answer.to_string().contains(PHONE) && !zh.contains("[ "), "masked, and no buttons: {zh}");

    let (status, answer) = office.look_up("looker", "/alerts").await;
    assert!(status == 200 && answer["text"]["en"].as_str().unwrap().contains("bad score"), "{answer}");
    let (status, answer) = office.look_up("looker", "/ticket 6626871355780360000").await;
    assert!(status == 200 && answer["ticket"].is_null(), "{answer}");
    assert!(answer["text"]["en"].as_str().unwrap().contains("6626871355780360000"), "{answer}");
    for text in ["谢谢", "help"] {
        assert!(office.look_up("looker", text).await.1["text"]["en"].as_str().unwrap().contains("/ticket"), "{text}");
    }
    for (text, expected) in [("", 400), (&*"长".repeat(3_000), 400)] {
        assert_eq!(office.look_up("looker", text).await.0, expected);
    }
    assert_eq!(office.world.cards(TEAM).len(), before, "nothing of it goes to a chat");
    office.world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_acts_takes_a_token_that_may_and_is_done_once() {
    let (mut office, _) = office(Plot::default()).await;
    let (_, alerts) = office.get("/api/v1/alerts").await;
    let take = format!("/take #{}", alerts["alerts"][0]["reference"].as_str().unwrap());
    let (status, refused) = office.look_up("looker", &take).await;
    assert_eq!(status, 403, "{refused}");
    let body = json!({ "text": take, "by": "li" }).to_string();
    for _ in 0..2 {
        let (status, answer) =
            office.send_with("runner", Method::POST, "/api/v1/lookup", Some("once"), body.clone()).await;
        assert_eq!(status, 200, "{answer}");
    }
    let (_, alerts) = office.get("/api/v1/alerts").await;
    assert_eq!(alerts["alerts"][0]["taken"]["by"]["en"], json!("li (runbook)"));
    let of = alerts["alerts"][0]["subject"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
    let taken = office.journal_lines(&of, true).await.into_iter().filter(|line| line.starts_with("taken"));
    assert_eq!(taken.count(), 1, "a repeated request does nothing more");
    office.world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_source_that_does_not_answer_is_said_to_be_down() {
    let (mut office, id) = office(Plot::default()).await;
    office.world.platform(|platform, _| platform.fail_next(Route::TicketGet, Fault::InternalError, 20));
    let (status, answer) = office.look_up("operator", &format!("/ticket {id}")).await;
    assert!(status == 200 && answer["ticket"].is_null(), "{answer}");
    assert_eq!(answer["text"]["zh"], json!(reply::SOURCE_DOWN.zh));
    office.world.stop().await;
    let (status, _) = office.look_up("operator", "/alerts").await;
    assert_eq!(status, 503, "the service stopped");
}

#[tokio::test(start_paused = true)]
async fn tickets_are_listed_a_page_at_a_time_and_hide_what_may_not_be_shown() {
    let privacy = Privacy { guest: Vec::new(), ..Privacy::default() };
    let labels = Labels {
        subject: vec![Caption::FirstGuestMessage],
        privacy: std::sync::Arc::new(privacy),
        ..Labels::default()
    };
    let (mut office, first) = office(Plot { labels, ..Plot::default() }).await;
    let mut ids: Vec<String> = (0..3).map(|_| office.world.file(|ticket| ticket.status = 1)).collect();
    ids.push(office.world.file(|ticket| ticket.status = 5));
    let closed = office.world.file(|ticket| ticket.status = 51);
    office.world.pass(Span::from_mins(1)).await;
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let (status, page) = office.get(&format!("/api/v1/tickets?limit=2{after}")).await;
        assert_eq!((status, &page["total"]), (200, &json!(5)), "{page}");
        let tickets = page["tickets"].as_array().unwrap();
        seen.extend(tickets.iter().map(|ticket| ticket["ticket_id"].as_str().unwrap().to_owned()));
        match page["more"].as_str() {
            Some(more) => after = format!("&after={more}"),
            None => break,
        }
    }
    let mut all = ids.clone();
    all.push(first.clone());
    all.sort();
    assert_eq!(seen, all);
    let total = |page: &Value| page["total"].as_u64();
    assert_eq!(total(&office.get("/api/v1/tickets?state=all").await.1), Some(6));
    assert_eq!(total(&office.get("/api/v1/tickets?state=closed").await.1), Some(1));
    assert_eq!(total(&office.get("/api/v1/tickets?source=nowhere").await.1), Some(0));
    assert_eq!(total(&office.get("/api/v1/tickets?when=status:%20open").await.1), Some(5));
    for (when, expected) in [
        ("status: created", 4),
        ("not: { status: created }", 1),
        ("{ status: 待用户响应, idle: { at_least: 4h } }", 0),
        ("{ status: 待用户响应, idle: { under: 4h } }", 1),
    ] {
        let (status, page) = office.when(when).await;
        assert_eq!((status, total(&page)), (200, Some(expected)), "{when}: {page}");
    }
    for when in ["guest: h@example.com", "guest: 韩梅梅", "{ status: open, not: { guest.email: h@example.com } }"] {
        let (status, page) = office.when(when).await;
        assert!((400..=422).contains(&status) && page.to_string().contains(privacy::HIDDEN.en), "{when}: {page}");
    }
    let (_, answer) = office.look_up("looker", "/tickets 客户:h@example.com").await;
    assert_eq!(answer["text"]["zh"], json!(reply::HIDDEN.zh));
    let (_, answer) = office.look_up("looker", "/tickets 状态:待用户响应 没更新<4小时").await;
    assert!(answer["text"]["en"].as_str().unwrap().starts_with("1 ticket"), "{answer}");
    for wrong in ["state=some", "limit=0", "limit=9999", "after=x", "when=nonsense", "x=1"] {
        let status = office.get(&format!("/api/v1/tickets?{wrong}")).await.0;
        assert!((400..=422).contains(&status), "{wrong}: {status}");
    }
    for typed in [format!("it-desk:{first}"), first.clone()] {
        let (status, ticket) = office.get(&format!("/api/v1/tickets/{typed}")).await;
        assert_eq!((status, &ticket["ticket_id"], &ticket["hides_guest"]), (200, &json!(first), &json!(true)));
        assert!(!ticket.to_string().contains("韩梅梅") && !ticket.to_string().contains(PHONE), "{ticket}");
    }
    assert_eq!(office.get("/api/v1/tickets/6626871355780360000").await.0, 404);
    assert_eq!(office.get(&format!("/api/v1/tickets/{closed}")).await.1["closed"], json!(true));
    office.world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn who_looked_is_in_the_journal_and_the_story_goes_without() {
    let (mut office, id) = office(Plot::default()).await;
    office.world.ask(TEAM, Command::Ticket(TicketId::from(id.as_str()))).await.unwrap();
    office.world.pass(Span::from_secs(5)).await;
    office.look_up("looker", &format!("/ticket {id}")).await;
    office.look_up("looker", "/alerts").await;
    let story = office.journal_lines(&id, false).await;
    assert!(!story.is_empty() && story.iter().all(|line| !line.starts_with("looked")), "{story:#?}");
    let looks = |lines: Vec<String>| lines.into_iter().filter(|line| line.starts_with("looked")).collect::<Vec<_>>();
    assert_eq!(
        looks(office.journal_lines(&id, true).await),
        ["looked 李雷 looked at this ticket in chat team", "looked grafana looked at this ticket over the admin API"]
    );
    assert_eq!(looks(office.journal_lines("service", true).await), ["looked grafana asked /alerts over the admin API"]);
    office.world.stop().await;
}

/// What someone reads who asks for a ticket from a chat that may not, and how many calls that took.
async fn denied(office: &mut Office, id: &str) -> (String, usize) {
    let calls = |office: &Office| office.world.platform(|platform, _| platform.count(Route::TicketGet));
    let before = calls(office);
    office.world.ask(OPS, Command::Ticket(TicketId::from(id))).await.unwrap();
    office.world.pass(Span::from_secs(5)).await;
    let said = office.world.cards(OPS).last().unwrap().view.title.clone();
    (said, calls(office) - before)
}

#[tokio::test(start_paused = true)]
async fn a_denial_does_not_tell_whether_there_is_such_a_ticket() {
    let mut access = Access::new(Look::Chats(vec![TEAM.into()]), Direct::Nobody);
    access.act = Look::Chats(vec![TEAM.into()]);
    let (mut office, id) = office(Plot { access, ..Plot::default() }).await;
    let there = denied(&mut office, &id).await;
    let missing = denied(&mut office, "6626871355780360000").await;
    assert_eq!(there, missing);
    assert_eq!(there.1, 0, "nothing is read for whoever may not look: {}", there.0);
    let shown = office.world.port().view();
    assert_eq!((shown.desk.counters.denied, shown.desk.counters.questions), (2, 2));
    let lines = office.journal_lines("service", true).await;
    let turned_away: Vec<_> = lines.iter().filter(|line| line.starts_with("denied")).collect();
    assert_eq!(turned_away.len(), 2, "{lines:#?}");
    assert_eq!(*turned_away[0], format!("denied 李雷 may not write /ticket {id} in chat ops"));
    let quiet = office.journal_lines("service", false).await;
    assert!(!quiet.iter().any(|line| line.starts_with("denied")), "{quiet:#?}");
    office.world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_for_one_chat_is_closed_to_all_others_and_to_direct_chats() {
    let mut access = Access::new(Look::Everyone, Direct::Everyone);
    access.look_by_source.insert(desk(), Look::Chats(vec![TEAM.into()]));
    let (mut office, id) = office(Plot { access, ..Plot::default() }).await;
    let direct = office.world.platform(|platform, _| platform.direct_chat("ou_li"));
    let mut said = BTreeSet::new();
    for id in [id.as_str(), "6626871355780360000"] {
        office.world.ask(OPS, Command::Ticket(TicketId::from(id))).await.unwrap();
        office.world.ask_directly(&direct, "ou_li", Command::Ticket(TicketId::from(id))).await.unwrap();
        office.world.pass(Span::from_secs(5)).await;
        for chat in [OPS, &direct] {
            said.insert(office.world.cards(chat).last().unwrap().view.title.clone());
        }
    }
    assert_eq!(said.len(), 1, "the same for what is there and what is not: {said:?}");
    assert_eq!(office.world.platform(|platform, _| platform.count(Route::TicketGet)), 0);
    assert_eq!(office.world.port().view().desk.counters.denied, 4);
    office.world.ask(TEAM, Command::Ticket(TicketId::from(id.as_str()))).await.unwrap();
    office.world.pass(Span::from_secs(5)).await;
    assert_eq!(office.world.platform(|platform, _| platform.count(Route::TicketGet)), 1);
    office.world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_stranger_in_a_direct_chat_learns_nothing_either() {
    let (mut office, id) = office(Plot::default()).await;
    let direct = office.world.platform(|platform, _| {
        platform.add_person("ou_eve", "Eve", "eve@example.com");
        platform.direct_chat("ou_eve")
    });
    let mut said = BTreeSet::new();
    for id in [id.as_str(), "6626871355780360000", id.get(id.len() - 6..).unwrap()] {
        office.world.ask_directly(&direct, "ou_eve", Command::Ticket(TicketId::from(id))).await.unwrap();
        office.world.pass(Span::from_secs(5)).await;
        said.insert(office.world.cards(&direct).last().unwrap().view.title.clone());
    }
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(office.world.platform(|platform, _| platform.count(Route::TicketGet)), 0);
    office.world.stop().await;
}
