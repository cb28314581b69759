//! What is asked, to the letter, and what is made of good answers.

use serde_json::{Value, json};

use super::*;
use crate::{
    adapters::feishu::{
        chats::{Bot, ChatMode},
        config::WebhookConfig,
        fake::{Answer, Asked, Fake, START, client_at},
        helpdesk::{TicketQuery, Window},
        webhook::Webhook,
    },
    domain::{
        card::{Card, Colour},
        ticket::Status,
    },
};

fn sent() -> Answer {
    Answer::data(&json!({ "message_id": "om_1" }))
}

#[tokio::test(start_paused = true)]
async fn messages_are_asked_for_as_the_platform_wants_them() {
    let fake = Fake::with_token(|_| sent()).await;
    let client = fake.client();
    let card = r#"{"elements":[]}"#;
    assert_eq!(client.create(&"oc_a".into(), card, "u1").await.unwrap().as_str(), "om_1");
    assert_eq!(client.reply(&"om_0".into(), card, "").await.unwrap().as_str(), "om_1");
    client.reply_in_thread(&"om_0".into(), card, &"x".repeat(60)).await.unwrap();
    client.patch(&"om_0".into(), card).await.unwrap();
    let asked = fake.asked();
    let line = |asked: &Asked| format!("{} {}", asked.method, asked.target);
    assert_eq!(
        asked.iter().map(line).collect::<Vec<_>>(),
        [
            "POST /open-apis/im/v1/messages?receive_id_type=chat_id",
            "POST /open-apis/im/v1/messages/om_0/reply",
            "POST /open-apis/im/v1/messages/om_0/reply",
            "PATCH /open-apis/im/v1/messages/om_0",
        ]
    );
    let interactive = json!({ "receive_id": "oc_a", "msg_type": "interactive", "content": card, "uuid": "u1" });
    assert_eq!(asked[0].json(), interactive);
    assert_eq!(asked[1].json(), json!({ "msg_type": "interactive", "content": card }));
    assert_eq!(asked[2].json()["reply_in_thread"], json!(true));
    assert_eq!(asked[2].json()["uuid"].as_str().unwrap().len(), 50);
    assert_eq!(asked[3].json(), json!({ "content": card }));
    assert!(asked.iter().all(|asked| asked.authorization == "Bearer t-secret-1" && asked.helpdesk.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn every_parameter_of_the_list_is_sent() {
    let fake = Fake::with_token(|_| Answer::data(&json!({ "total": 0, "tickets": [] }))).await;
    let window = |from, until| Some(Window { from: Timestamp::from_ms(from), until: Timestamp::from_ms(until) });
    let query = TicketQuery {
        ticket_id: Some("1".into()),
        agent_id: Some("ou_b".into()),
        closed_by_id: Some("ou_c".into()),
        ticket_type: Some(2),
        channel: Some(9),
        solved: Some(1),
        score: Some(3),
        statuses: vec![Status::Created, Status::ClosedByUser, Status::Other(7)],
        guest_name: Some("李 & 王".to_owned()),
        guest_id: Some("ou_d".into()),
        tags: vec!["a".to_owned(), "b=c".to_owned()],
        page: Some(0),
        page_size: Some(900),
        created: window(1, 2),
        updated: window(-3, 4),
    };
    fake.helpdesk().list(&query).await.unwrap();
    fake.helpdesk().list(&TicketQuery::default()).await.unwrap();
    let asked = fake.asked();
    assert_eq!(
        asked[0].target,
        "/open-apis/helpdesk/v1/tickets?ticket_id=1&agent_id=ou_b&closed_by_id=ou_c&type=2&channel=9&solved=1&score=3\
         &status_list=1&status_list=52&status_list=7&guest_name=%E6%9D%8E+%26+%E7%8E%8B&guest_id=ou_d&tags=a&tags=b%3Dc\
         &page=1&page_size=200&create_time_start=1&create_time_end=2&update_time_start=0&update_time_end=4"
    );
    assert_eq!(asked[1].target, "/open-apis/helpdesk/v1/tickets");
    assert_eq!(asked[0].helpdesk, "NjYyNjg3MTM1NTc4MDM2NjMzMDpodC1zZWNyZXQteA==");
}

#[tokio::test(start_paused = true)]
async fn tickets_and_fields_are_asked_for_by_their_own_paths() {
    let fake = Fake::with_token(|asked| match asked.target.as_str() {
        "/open-apis/helpdesk/v1/tickets/1" => Answer::data(&json!({ "ticket": { "ticket_id": "1" } })),
        "/open-apis/helpdesk/v1/tickets/2" => Answer::data(&json!({ "ticket": null })),
        "/open-apis/helpdesk/v1/customized_fields?visible_only=true" => Answer::data(&json!({})),
        other => panic!("{other}"),
    })
    .await;
    let desk = fake.helpdesk();
    assert_eq!(desk.get(&"1".into()).await.unwrap().id.as_str(), "1");
    assert_eq!(desk.get(&"2".into()).await.unwrap_err().advice, Advice::NotThere);
    assert_eq!(desk.customized_fields(Some(true)).await.unwrap().ticket.len(), 0);
    for bad in ["", ".", ".."] {
        assert_eq!(desk.get(&bad.into()).await.unwrap_err().advice, Advice::GiveUp, "{bad:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn ids_cannot_leave_their_place_in_a_path() {
    let fake = Fake::with_token(|_| sent()).await;
    fake.client().patch(&"../../x?a=b#c".into(), "{}").await.unwrap();
    assert_eq!(fake.asked()[0].target, "/open-apis/im/v1/messages/..%2F..%2Fx%3Fa=b%23c");
}

#[tokio::test(start_paused = true)]
async fn lists_are_read_to_their_last_page() {
    let fake = Fake::with_token(|asked| {
        let second = asked.target.contains("page_token=next");
        let more = json!({ "has_more": !second, "page_token": if second { "" } else { "next" } });
        let mut page = match asked.target.contains("/members") {
            true => json!({ "items": [{ "member_id": if second { "ou_2" } else { "ou_1" } }, { "member_id": "" }] }),
            false => json!({ "items": [{ "chat_id": if second { "oc_2" } else { "oc_1" }, "name": "群",
                                         "external": second }, 7] }),
        };
        page.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Answer::data(&page)
    })
    .await;
    let client = fake.client();
    let chats = client.chats().await.unwrap();
    let shown: Vec<_> = chats.iter().map(|chat| (chat.id.as_str(), chat.name.as_str(), chat.external)).collect();
    assert_eq!(shown, [("oc_1", "群", false), ("oc_2", "群", true)]);
    let members = client.members(&"oc_1".into()).await.unwrap();
    assert_eq!(members.iter().map(|id| id.as_str()).collect::<Vec<_>>(), ["ou_1", "ou_2"]);
    assert!(fake.asked()[2].target.contains("member_id_type=open_id"));
}

#[tokio::test(start_paused = true)]
async fn a_list_without_end_is_given_up() {
    let endless = json!({ "items": [], "has_more": true, "page_token": "again" });
    let fake = Fake::with_token(move |_| Answer::data(&endless)).await;
    let client = fake.client();
    assert_eq!(client.chats().await.unwrap_err().advice, Advice::GiveUp);
    assert_eq!(client.history_contains(&"oc_a".into(), "#1", START, START).await.unwrap_err().advice, Advice::GiveUp);
}

#[tokio::test(start_paused = true)]
async fn chats_bot_and_people_are_told_apart() {
    let fake = Fake::with_token(|asked| match asked.target.as_str() {
        "/open-apis/im/v1/chats/oc_topic" => Answer::data(&json!({ "chat_mode": "topic", "name": "T" })),
        "/open-apis/im/v1/chats/oc_thread" => {
            Answer::data(&json!({ "chat_mode": "group", "group_message_type": "thread", "user_count": "3" }))
        }
        "/open-apis/im/v1/chats/oc_gone" => {
            Answer::data(&json!({ "chat_mode": "group", "chat_status": "dissolved_save", "external": true }))
        }
        "/open-apis/im/v1/chats/oc_p2p" => Answer::data(&json!({ "chat_mode": "p2p" })),
        "/open-apis/bot/v3/info" => {
            Answer::json(200, &json!({ "code": 0, "msg": "ok", "bot": { "open_id": "ou_bot", "app_name": "铃" } }))
        }
        _ => Answer::data(&json!({ "user_list": [{ "email": "Li@Example.com", "user_id": "ou_li" },
                                                 { "email": "no@example.com" }] })),
    })
    .await;
    let client = fake.client();
    let mut modes = Vec::new();
    for id in ["oc_topic", "oc_thread", "oc_gone", "oc_p2p"] {
        modes.push(client.chat(&id.into()).await.unwrap());
    }
    assert_eq!(
        modes.iter().map(|chat| chat.mode.clone()).collect::<Vec<_>>(),
        [ChatMode::Topic, ChatMode::Topic, ChatMode::Group, ChatMode::Direct]
    );
    assert!(modes[2].dissolved && modes[2].external && !modes[0].dissolved);
    assert_eq!(client.bot().await.unwrap(), Bot { open_id: "ou_bot".into(), name: "铃".to_owned() });
    let mut emails: Vec<String> = vec!["li@example.com".to_owned(), "no@example.com".to_owned()];
    emails.extend((0..60).map(|n| format!("{n}@example.com")));
    let found = client.users_by_email(&emails).await.unwrap();
    assert_eq!(found.len(), 62);
    assert_eq!(found[0].open_id.as_ref().unwrap().as_str(), "ou_li");
    assert!(found.iter().skip(1).all(|user| user.open_id.is_none()));
    let asked: Vec<Asked> = fake.asked().into_iter().filter(|asked| asked.method == "POST").collect();
    let counts: Vec<usize> = asked.iter().map(|asked| asked.json()["emails"].as_array().unwrap().len()).collect();
    assert_eq!(counts, [50, 12]);
}

#[tokio::test(start_paused = true)]
async fn a_reference_is_found_in_what_an_app_sent() {
    let item = |id: &str, sender: &str, content: &str| {
        let sender = json!({ "sender_type": sender });
        json!({ "message_id": id, "sender": sender, "body": { "content": content } })
    };
    let items = json!([
        item("om_1", "user", "what is #4F7A2C"),
        item("om_2", "app", "#4F7A2C1 is another"),
        item("om_3", "app", "{\"title\":\"x\",\"elements\":[[{\"text\":\"vip · #4F7A2C\"}]]}"),
        7,
    ]);
    let fake = Fake::with_token(move |asked| {
        let first = !asked.target.contains("page_token");
        let items = if first { json!([{ "message_id": "om_0" }]) } else { items.clone() };
        Answer::data(&json!({ "items": items, "has_more": first, "page_token": "p" }))
    })
    .await;
    let client = fake.client();
    let (since, until) = (Timestamp::from_ms(1_999), Timestamp::from_ms(5_001));
    let find = async |reference| client.history_contains(&"oc_a".into(), reference, since, until).await.unwrap();
    assert_eq!(find("#4F7A2C").await.unwrap().as_str(), "om_3");
    assert_eq!(find("#000000").await, None);
    assert_eq!(find("").await, None);
    assert_eq!(
        fake.asked()[0].target,
        "/open-apis/im/v1/messages?container_id_type=chat&container_id=oc_a&start_time=1&end_time=6\
         &sort_type=ByCreateTimeAsc&page_size=50"
    );
}

#[tokio::test(start_paused = true)]
async fn a_custom_bot_gets_a_signed_card() {
    let fake = Fake::with_token(|_| Answer::new(200, r#"{"StatusCode":0,"StatusMessage":"success"}"#)).await;
    let url = format!("http://{}/open-apis/bot/v2/hook/x", fake.address);
    let card = Card {
        title: "t".into(),
        colour: Colour::Red,
        tags: vec![],
        body: "b".into(),
        footer: "f".into(),
        ..Card::default()
    };
    for secret in [None, Some("demo".into())] {
        let config = WebhookConfig { url: url.clone().into(), secret };
        Webhook::new(&config, http::loopback_client(), Clock::anchored(START)).post(&card).await.unwrap();
    }
    let bodies: Vec<Value> = fake.asked().iter().map(Asked::json).collect();
    assert_eq!(bodies[0]["msg_type"], "interactive");
    assert_eq!(bodies[0]["card"]["header"]["title"]["content"], "t");
    assert_eq!(bodies[0].get("sign"), None);
    assert_eq!(bodies[1]["timestamp"], "1700000000");
    assert_eq!(bodies[1]["sign"].as_str().unwrap().len(), 44);
    assert!(fake.asked().iter().all(|asked| asked.authorization.is_empty()));
    assert_eq!(fake.tokens(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_end_is_cut_off() {
    let fake = Fake::with_token(|_| Answer::new(200, vec![b' '; ANSWER_BYTES_MAX + 1])).await;
    let error = fake.client().chats().await.unwrap_err();
    assert_eq!(error.advice, Advice::Retry);
    assert!(error.said().contains("larger than"), "{error}");
}

#[test]
fn addresses_of_the_platform_are_https_or_loopback() {
    for good in [
        "https://open.feishu.cn",
        "https://gw.example/feishu/",
        "http://127.0.0.1:80",
        "http://[::1]:1",
        "http://localhost",
    ] {
        assert!(BaseUrl::parse(good).is_ok(), "{good}");
    }
    for bad in [
        "http://open.feishu.cn",
        "http://127.0.0.1.evil.example",
        "ftp://x",
        "open.feishu.cn",
        "",
        "https://u:p@x",
        "https://x?a=b",
        "https://x#f",
        "http://10.0.0.1",
        "file:///etc/passwd",
    ] {
        assert!(BaseUrl::parse(bad).is_err(), "{bad}");
    }
    let base = BaseUrl::parse("https://gw.example/feishu/").unwrap();
    assert_eq!(base.join(&["open-apis", "a b"]).as_str(), "https://gw.example/feishu/open-apis/a%20b");
    assert!(client_at("http://127.0.0.1:1").url(&["x"]).as_str().ends_with(":1/x"));
}
