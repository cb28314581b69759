//! Tests of messages, chats and custom bots.

use serde_json::{Value, json};

use crate::sim::{
    caller::{CARD, Caller, NOW},
    directory::ChatKind,
    faults::Fault,
    knobs::UuidScope,
    message::Sender,
    route::Route,
    seal,
    webhook::Hook,
    wire::Request,
};

const CREATE: &str = "im/v1/messages?chat_id";
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

fn message(chat: &str, uuid: &Value) -> Value {
    json!({ "receive_id": chat, "msg_type": "interactive", "content": CARD, "uuid": uuid })
}

fn id_of(data: &Value) -> String {
    data["message_id"].as_str().unwrap().to_string()
}

#[test]
fn a_card_arrives_and_reads_back_simplified() {
    let mut caller = Caller::new();
    let card = json!({
        "config": { "update_multi": true },
        "header": { "title": { "tag": "plain_text", "content": "标题" }, "template": "red" },
        "elements": [
            { "tag": "markdown", "content": "**粗** &#35;1 <at id=ou_li></at>\n第二行" },
            { "tag": "hr" },
            { "tag": "note", "elements": [{ "tag": "plain_text", "content": "#4F7A2C" }] },
        ],
    });
    let (status, code, data) = caller.card(&card.to_string());
    assert_eq!((status, code), (200, 0));
    assert_eq!((&data["chat_id"], &data["create_time"]), (&json!("oc_a"), &json!(NOW.to_string())));
    assert_eq!(data["sender"]["id"], caller.platform.app().app_id);
    let id = id_of(&data);
    let path = format!("im/v1/messages/{id}");
    let content = |data: &Value| -> Value {
        serde_json::from_str(data["items"][0]["body"]["content"].as_str().unwrap()).unwrap()
    };
    let (.., short) = caller.get(&path, &[]);
    assert_eq!(
        content(&short),
        json!({ "title": "标题", "elements": [
            [{ "tag": "text", "text": "粗 #1 @ou_li" }], [{ "tag": "text", "text": "第二行" }], [{ "tag": "hr" }],
            [{ "tag": "note", "elements": [{ "tag": "text", "text": "#4F7A2C" }] }],
        ] })
    );
    let whole = [("card_msg_content_type", "user_card_content")];
    assert_eq!(content(&caller.get(&path, &whole).2), card);
    caller.platform.turn(|knobs| knobs.history_always_simplified = true);
    assert_eq!(content(&caller.get(&path, &whole).2)["title"], "标题");
}

#[test]
fn bad_sends_are_refused() {
    let long = json!({ "elements": [{ "tag": "markdown", "content": "x".repeat(31 * 1024) }] }).to_string();
    let mention = |target: &str| {
        json!({ "elements": [{ "tag": "div", "text": { "tag": "lark_md", "content": format!("<at {target}></at>") } }] })
            .to_string()
    };
    let table: Vec<(&str, &str, String, u16, i64)> = vec![
        ("chat_id", "oc_a", CARD.to_string(), 200, 0),
        ("open_id", "ou_li", CARD.to_string(), 200, 0),
        ("email", "li@example.com", CARD.to_string(), 200, 0),
        ("chat_id", "oc_none", CARD.to_string(), 400, 230_001),
        ("chat_id", "ou_li", CARD.to_string(), 400, 230_001),
        ("user_id", "x", CARD.to_string(), 400, 99_992_360),
        ("email", "no@example.com", CARD.to_string(), 400, 230_034),
        ("open_id", "ou_none", CARD.to_string(), 400, 99_992_351),
        ("", "oc_a", CARD.to_string(), 400, 99_992_402),
        ("chat_id", "oc_out", CARD.to_string(), 400, 230_002),
        ("chat_id", "oc_gone", CARD.to_string(), 400, 232_009),
        ("chat_id", "oc_mute", CARD.to_string(), 400, 230_018),
        ("chat_id", "oc_a", "{".to_string(), 400, 230_099),
        ("chat_id", "oc_a", "{}".to_string(), 400, 230_099),
        ("chat_id", "oc_a", r#"{"elements":[{"tag":"marquee"}]}"#.to_string(), 400, 230_099),
        ("chat_id", "oc_a", r#"{"elements":[{"tag":"markdown"}]}"#.to_string(), 400, 230_099),
        ("chat_id", "oc_a", long, 400, 230_025),
        ("chat_id", "oc_a", mention("id=ou_li"), 200, 0),
        ("chat_id", "oc_a", mention("ids=ou_li,ou_no"), 400, 230_099),
        ("chat_id", "oc_a", mention("email=li@example.com"), 200, 0),
        ("chat_id", "oc_a", mention("id=all"), 400, 230_099),
    ];
    let mut caller = Caller::new();
    for id in ["oc_out", "oc_gone", "oc_mute"] {
        caller.platform.add_chat(id, id, ChatKind::Group);
    }
    caller.platform.change_chat("oc_out", |chat| chat.has_bot = false);
    caller.platform.change_chat("oc_gone", |chat| chat.dissolved = true);
    caller.platform.change_chat("oc_mute", |chat| chat.muted = true);
    caller.platform.change_chat("oc_a", |chat| chat.may_mention_all = false);
    for (kind, id, content, status, code) in table {
        let body = json!({ "receive_id": id, "msg_type": "interactive", "content": content });
        let answer = caller.call("POST", &format!("im/v1/messages?{kind}"), &body);
        let shown: String = content.chars().take(60).collect();
        assert_eq!((answer.0, answer.1), (status, code), "{kind} {id} {shown}");
    }
    let direct = caller.platform.direct_chat("ou_li");
    assert_eq!(caller.platform.messages_in(&direct).len(), 2, "open id and email lead to one direct chat");
}

#[test]
fn content_is_screened_when_a_knob_says_so() {
    let table = [
        ("打 13800138000", 230_028),
        ("写 guest@example.com 吧", 230_028),
        ("工单 6626871355780366331", 0),
        ("a@b", 0),
        ("涉密", 230_022),
    ];
    let mut caller = Caller::new();
    caller.platform.turn(|knobs| {
        knobs.refuses_personal_data = true;
        knobs.sensitive_words.push("涉密".to_string());
    });
    for (text, code) in table {
        let card = json!({ "elements": [{ "tag": "markdown", "content": text }] }).to_string();
        assert_eq!(caller.card(&card).1, code, "{text}");
    }
}

#[test]
fn a_uuid_is_one_message_for_an_hour() {
    let mut caller = Caller::new();
    caller.platform.add_chat("oc_b", "b", ChatKind::Group);
    let send = |caller: &mut Caller, chat: &str, uuid: Value, at: i64| {
        caller.now_ms = NOW + at;
        let (status, code, data) = caller.call("POST", CREATE, &message(chat, &uuid));
        assert_eq!((status, code), (200, 0));
        id_of(&data)
    };
    let first = send(&mut caller, "oc_a", json!("u"), 0);
    assert_eq!(send(&mut caller, "oc_a", json!("u"), HOUR_MS - 1), first);
    assert_eq!(send(&mut caller, "oc_b", json!("u"), HOUR_MS - 1), first, "the app's scope: the hardest reading");
    assert_ne!(send(&mut caller, "oc_a", json!("u"), HOUR_MS), first, "after the hour it is a new message");
    let null = send(&mut caller, "oc_a", Value::Null, 0);
    assert_eq!(send(&mut caller, "oc_a", Value::Null, 1), null, "null is a key too");
    assert_ne!(send(&mut caller, "oc_a", json!(""), 2), send(&mut caller, "oc_a", json!(""), 2));
    caller.platform.turn(|knobs| knobs.uuid_scope = UuidScope::Chat);
    assert_ne!(send(&mut caller, "oc_a", json!("v"), 0), send(&mut caller, "oc_b", json!("v"), 0));
    assert_eq!(caller.platform.message(&first).unwrap().requests, 3);
    let too_long = message("oc_a", &json!("x".repeat(51)));
    assert_eq!(caller.call("POST", CREATE, &too_long).1, 99_992_402);
}

#[test]
fn a_uuid_under_way_is_refused_until_its_answer_is_out() {
    let mut caller = Caller::new();
    caller.platform.fail_next(Route::MessageCreate, Fault::Slow(4000), 1);
    let (.., data) = caller.call("POST", CREATE, &message("oc_a", &json!("u")));
    caller.now_ms += 3999;
    assert_eq!(caller.call("POST", CREATE, &message("oc_a", &json!("u"))).1, 230_049);
    caller.now_ms += 1;
    assert_eq!(id_of(&caller.call("POST", CREATE, &message("oc_a", &json!("u"))).2), id_of(&data));
}

#[test]
fn a_chat_takes_five_a_second_and_so_does_an_update() {
    let mut caller = Caller::new();
    caller.platform.turn(|knobs| knobs.limits = true);
    let (.., data) = caller.card(CARD);
    let path = format!("im/v1/messages/{}", id_of(&data));
    for _ in 0..4 {
        assert_eq!(caller.card(CARD).1, 0);
    }
    assert_eq!((caller.card(CARD).0, caller.card(CARD).1), (400, 230_020));
    let reply = json!({ "msg_type": "interactive", "content": CARD });
    assert_eq!(caller.call("POST", &format!("{path}/reply"), &reply).1, 230_020, "replies count too");
    for _ in 0..5 {
        assert_eq!(caller.call("PATCH", &path, &json!({ "content": CARD })).1, 0);
    }
    assert_eq!(caller.call("PATCH", &path, &json!({ "content": CARD })).1, 230_020);
    caller.now_ms += 1000;
    assert_eq!(caller.card(CARD).1, 0);
}

#[test]
fn a_card_is_patched_by_its_sender_for_fourteen_days() {
    let fixed = r#"{"elements":[{"tag":"markdown","content":"hi"}]}"#;
    let second = r#"{"schema":"2.0","body":{"elements":[{"tag":"markdown","content":"hi"}]}}"#;
    let mut caller = Caller::new();
    let [shared, alone, newer, later] = [CARD, fixed, second, CARD].map(|card| id_of(&caller.card(card).2));
    let text = json!({ "receive_id": "oc_a", "msg_type": "text", "content": r#"{"text":"hi"}"# });
    let text = id_of(&caller.call("POST", CREATE, &text).2);
    let person = caller.platform.person_says("oc_a", "ou_li", "hi", false, NOW).unwrap();
    let recalled = id_of(&caller.card(CARD).2);
    caller.platform.recall(&recalled);
    let table = [
        (shared.as_str(), CARD, 0, 0),
        (shared.as_str(), fixed, 0, 230_001),
        (alone.as_str(), CARD, 0, 230_001),
        (newer.as_str(), CARD, 0, 230_099),
        (newer.as_str(), second, 0, 0),
        (shared.as_str(), "{", 0, 230_099),
        (text.as_str(), CARD, 0, 230_001),
        (person.as_str(), CARD, 0, 230_027),
        (recalled.as_str(), CARD, 0, 230_011),
        ("om_none", CARD, 0, 99_992_354),
        (later.as_str(), CARD, 14 * DAY_MS, 0),
        (later.as_str(), CARD, 14 * DAY_MS + 1, 230_031),
    ];
    for (id, content, at, code) in table {
        caller.now_ms = NOW + at;
        let answer = caller.call("PATCH", &format!("im/v1/messages/{id}"), &json!({ "content": content }));
        assert_eq!(answer.1, code, "{content} at {at}");
    }
    let kept = caller.platform.message(&shared).unwrap();
    assert_eq!((kept.versions.len(), kept.sent_ms()), (2, NOW));
}

#[test]
fn replies_hang_where_the_chat_puts_them() {
    let mut caller = Caller::new();
    caller.platform.add_chat("oc_t", "话题群", ChatKind::Topic);
    let asked = caller.platform.person_says("oc_a", "ou_li", "/ticket 1", true, NOW).unwrap();
    let reply = |caller: &mut Caller, to: &str, in_thread: bool| {
        let body = json!({ "msg_type": "interactive", "content": CARD, "reply_in_thread": in_thread });
        let (.., data) = caller.call("POST", &format!("im/v1/messages/{to}/reply"), &body);
        caller.platform.message(&id_of(&data)).unwrap().clone()
    };
    let first = reply(&mut caller, &asked, false);
    assert_eq!(
        (&first.parent_id, &first.root_id, &first.thread_id),
        (&Some(asked.clone()), &Some(asked.clone()), &None)
    );
    let second = reply(&mut caller, &first.id, true);
    assert_eq!((&second.parent_id, &second.root_id), (&Some(first.id.clone()), &Some(asked)));
    assert!(second.thread_id.is_some());
    let topic = caller.platform.person_says("oc_t", "ou_li", "hi", true, NOW).unwrap();
    let answer = reply(&mut caller, &topic, false);
    assert_eq!(answer.thread_id, caller.platform.message(&topic).unwrap().thread_id);
    caller.platform.recall(&topic);
    let body = json!({ "msg_type": "interactive", "content": CARD });
    assert_eq!(caller.call("POST", &format!("im/v1/messages/{topic}/reply"), &body).1, 230_011);
}

#[test]
fn history_is_paged_between_seconds() {
    let mut caller = Caller::new();
    let sent: Vec<String> = (0..5)
        .map(|second| {
            caller.now_ms = NOW + second * 1000 + 500;
            id_of(&caller.card(CARD).2)
        })
        .collect();
    let mut read = |query: &[(&str, &str)]| {
        let mut all = vec![("container_id_type", "chat"), ("container_id", "oc_a")];
        all.extend(query);
        let (_, code, data) = caller.get("im/v1/messages", &all);
        assert_eq!(code, 0);
        let ids: Vec<String> = data["items"].as_array().unwrap().iter().map(id_of).collect();
        (ids, data["has_more"].as_bool().unwrap(), data["page_token"].as_str().unwrap().to_string())
    };
    let at = |second: i64| (NOW / 1000 + second).to_string();
    assert_eq!(read(&[]).0, sent);
    assert_eq!(read(&[("start_time", &at(1)), ("end_time", &at(3))]).0, sent[1..=3]);
    assert_eq!(read(&[("sort_type", "ByCreateTimeDesc"), ("page_size", "1")]).0, sent[4..]);
    let (ids, has_more, token) = read(&[("page_size", "3")]);
    assert_eq!((ids.as_slice(), has_more), (&sent[..3], true));
    let (ids, has_more, _) = read(&[("page_size", "3"), ("page_token", &token)]);
    assert_eq!((ids.as_slice(), has_more), (&sent[3..], false));
    for query in [[("container_id_type", "chat"), ("container_id", "oc_no")], [("container_id", "oc_a"), ("a", "b")]] {
        assert_eq!(caller.get("im/v1/messages", &query).1, 230_001);
    }
}

#[test]
fn chats_people_and_the_bot_are_found() {
    let mut caller = Caller::new();
    caller.platform.add_chat("oc_b", "主管群", ChatKind::Topic);
    caller.platform.add_chat("oc_c", "别人的群", ChatKind::Group);
    caller.platform.change_chat("oc_c", |chat| chat.has_bot = false);
    caller.platform.direct_chat("ou_li");
    let (.., data) = caller.get("im/v1/chats", &[("page_size", "1")]);
    assert_eq!((&data["items"][0]["chat_id"], &data["has_more"]), (&json!("oc_a"), &json!(true)));
    let token = data["page_token"].as_str().unwrap().to_string();
    let (.., data) = caller.get("im/v1/chats", &[("page_size", "1"), ("page_token", &token)]);
    assert_eq!((&data["items"][0]["name"], &data["has_more"]), (&json!("主管群"), &json!(false)));

    let (.., data) = caller.get("im/v1/chats/oc_b", &[]);
    assert_eq!((&data["chat_mode"], &data["user_count"]), (&json!("topic"), &json!("0")));
    let (.., data) = caller.get("im/v1/chats/oc_a/members", &[]);
    assert_eq!((&data["items"][0]["member_id"], &data["member_total"]), (&json!("ou_li"), &json!(1)));
    assert_eq!(caller.get("im/v1/chats/oc_none", &[]).1, 232_006);
    assert_eq!(caller.get("im/v1/chats/oc_c", &[]).1, 232_011);

    let asked = json!({ "emails": ["li@example.com", "no@example.com"] });
    let (.., data) = caller.call("POST", "contact/v3/users/batch_get_id", &asked);
    assert_eq!(data["user_list"][0]["user_id"], "ou_li");
    assert_eq!(data["user_list"][1], json!({ "email": "no@example.com" }));
    let asked = json!({ "emails": vec!["a@b"; 51] });
    assert_eq!(caller.call("POST", "contact/v3/users/batch_get_id", &asked).1, 99_992_402);
}

#[test]
fn a_custom_bot_says_everything_with_200() {
    let seconds = (NOW / 1000).to_string();
    let old = (NOW / 1000 - 3601).to_string();
    let card: Value = serde_json::from_str(CARD).unwrap();
    let signed = |timestamp: &str, secret: &str| {
        json!({ "msg_type": "interactive", "card": card, "timestamp": timestamp,
                "sign": seal::hook_sign(timestamp, secret) })
    };
    let mut caller = Caller::new();
    let hook = |token: &str, secret: Option<&str>, keywords: &[&str]| Hook {
        token: token.to_string(),
        chat_id: "oc_a".to_string(),
        secret: secret.map(str::to_string),
        keywords: keywords.iter().map(|word| (*word).to_string()).collect(),
    };
    caller.platform.add_hook(hook("open", None, &[]));
    caller.platform.add_hook(hook("signed", Some("s"), &[]));
    caller.platform.add_hook(hook("words", None, &["报警"]));
    let text = |text: &str| json!({ "msg_type": "text", "content": { "text": text } });
    let table = [
        ("open", json!({ "msg_type": "interactive", "card": card }), 0),
        ("open", text("hi"), 0),
        ("none", text("hi"), 19_001),
        ("open", json!({ "content": {} }), 19_002),
        ("open", json!({ "msg_type": "interactive", "content": card }), 9499),
        ("open", json!({ "msg_type": "interactive", "card": CARD }), 9499),
        ("open", json!({ "msg_type": "interactive", "card": {} }), 230_099),
        ("open", text(&"x".repeat(20 * 1024)), 19_036),
        ("signed", signed(&seconds, "s"), 0),
        ("signed", signed(&seconds, "x"), 19_021),
        ("signed", signed(&old, "s"), 19_021),
        ("signed", text("hi"), 19_021),
        ("words", text("报警了"), 0),
        ("words", text("hi"), 19_024),
    ];
    for (token, body, code) in table {
        let path = format!("bot/v2/hook/{token}");
        let answer = caller.call("POST", &path, &body);
        assert_eq!((answer.0, answer.1), (200, code), "{token} {:.80}", body.to_string());
    }
    assert_eq!(caller.platform.messages_in("oc_a").iter().filter(|own| own.sender == Sender::Hook).count(), 4);
    caller.platform.turn(|knobs| knobs.limits = true);
    let codes: Vec<i64> = (0..6).map(|_| caller.call("POST", "bot/v2/hook/open", &text("hi")).1).collect();
    assert_eq!(codes, [0, 0, 0, 0, 0, 11_232]);
    let raw = Request { body: b"{".to_vec(), ..Request::new("POST", "/open-apis/bot/v2/hook/words") };
    assert_eq!(caller.send(raw).code(), Some(9499));
}
