//! Every way a call can fail: what the caller may do, and that nothing secret is said.

use serde_json::{Value, json};

use super::*;
use crate::{
    adapters::{
        clock::Clock,
        feishu::{
            config::WebhookConfig,
            fake::{Answer, Asked, Fake, SECRETS, START, client_at, keys},
            helpdesk::{Helpdesk, TicketQuery},
            webhook::Webhook,
        },
        http,
    },
    domain::{
        card::{Card, Colour},
        rule::Urgent,
    },
};

const ENDPOINTS: [Endpoint; 19] = [
    Endpoint::EventsSubscribe,
    Endpoint::UrgentApp,
    Endpoint::UrgentSms,
    Endpoint::UrgentPhone,
    Endpoint::TicketList,
    Endpoint::TicketGet,
    Endpoint::TicketMessages,
    Endpoint::CustomizedFields,
    Endpoint::MessageCreate,
    Endpoint::MessageReply,
    Endpoint::MessagePatch,
    Endpoint::History,
    Endpoint::Chats,
    Endpoint::Chat,
    Endpoint::Members,
    Endpoint::UserIds,
    Endpoint::Bot,
    Endpoint::Webhook,
    Endpoint::LongConnection,
];

fn card() -> Card {
    Card {
        title: "t".into(),
        colour: Colour::Red,
        tags: vec![],
        body: "b".into(),
        footer: "f".into(),
        ..Card::default()
    }
}

/// Makes one call that fails.
async fn fail(base: &str, endpoint: Endpoint) -> Error {
    let client = client_at(base);
    let desk = Helpdesk::new(client.clone(), &keys());
    let hook = WebhookConfig { url: format!("{base}/hook/t-secret-hook").into(), secret: Some("t-secret-sign".into()) };
    let hook = Webhook::new(&hook, http::loopback_client(), Clock::anchored(START));
    let chat = "oc_a".into();
    match endpoint {
        Endpoint::Token => client.check_credentials().await.err(),
        Endpoint::TicketList => desk.list(&TicketQuery::default()).await.err(),
        Endpoint::TicketGet => desk.get(&"1".into()).await.err(),
        Endpoint::TicketMessages => desk.messages(&"1".into()).await.error,
        Endpoint::CustomizedFields => desk.customized_fields(None).await.err(),
        Endpoint::EventsSubscribe => desk.subscribe().await.err(),
        Endpoint::MessageCreate => client.create(&chat, "{}", "u").await.err(),
        Endpoint::MessageReply => client.reply(&"om_a".into(), "{}", "u").await.err(),
        Endpoint::MessagePatch => client.patch(&"om_a".into(), "{}").await.err(),
        Endpoint::UrgentApp => client.urge(&"om_a".into(), Urgent::App, &"ou_a".into()).await.err(),
        Endpoint::UrgentSms => client.urge(&"om_a".into(), Urgent::Sms, &"ou_a".into()).await.err(),
        Endpoint::UrgentPhone => client.urge(&"om_a".into(), Urgent::Phone, &"ou_a".into()).await.err(),
        Endpoint::History => client.history_contains(&chat, "#1", START, START).await.err(),
        Endpoint::Chats => client.chats().await.err(),
        Endpoint::Chat => client.chat(&chat).await.err(),
        Endpoint::Members => client.members(&chat).await.err(),
        Endpoint::UserIds => client.users_by_email(&["a@b".to_owned()]).await.err(),
        Endpoint::Bot => client.bot().await.err(),
        Endpoint::Webhook => hook.post(&card()).await.err(),
        Endpoint::LongConnection => client.long_connection().await.err(),
    }
    .unwrap()
}

async fn failure(endpoint: Endpoint, answer: impl Fn(&Asked) -> Answer + Clone + Send + Sync + 'static) -> Error {
    let fake = Fake::with_token(answer).await;
    fail(&format!("http://{}", fake.address), endpoint).await
}

fn assert_no_secret(error: &Error) {
    let shown = format!("{error} {error:?} {} {:?} {:?}", error.message(), error.failure(), error.pass_failure());
    for secret in SECRETS {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_error_shows_a_secret() {
    let unkind: [fn(&Asked) -> Answer; 8] = [
        |asked| Answer::code(400, 99_991_672, &asked.echo()),
        |asked| Answer::code(200, 99_991_663, &asked.echo()),
        |asked| Answer::code(500, 7, &asked.echo()),
        |asked| Answer::new(502, format!("<html>{}</html>", asked.echo())),
        |asked| Answer::new(200, asked.echo()),
        |asked| {
            Answer::json(
                400,
                &json!({ "code": 9, "msg": asked.echo(), "error": {
            "log_id": "l", "helps": [{ "url": format!("https://open.feishu.cn/{}", "x") }] } }),
            )
        },
        |asked| Answer::new(302, "").with("location", &format!("http://127.0.0.1:1/{}", asked.echo().len())),
        |_| Answer::silence(),
    ];
    for answer in unkind {
        for endpoint in ENDPOINTS {
            assert_no_secret(&failure(endpoint, answer).await);
        }
    }
    for endpoint in ENDPOINTS {
        assert_no_secret(&fail("http://127.0.0.1:1", endpoint).await);
    }
    let fake = Fake::start(|asked, _| Answer::code(200, 10_014, &asked.echo())).await;
    assert_no_secret(&fail(&format!("http://{}", fake.address), Endpoint::Token).await);
}

#[tokio::test(start_paused = true)]
async fn what_never_left_is_told_from_what_may_have_arrived() {
    for endpoint in ENDPOINTS {
        let refused = fail("http://127.0.0.1:1", endpoint).await;
        assert_eq!(refused.advice, Advice::Retry, "{endpoint:?}");
        assert_eq!(refused.failure().kind, FailureKind::Unreachable);
        assert!(refused.message().en.contains("cannot be reached"), "{}", refused.message());

        let after = if endpoint.is_write() { Advice::RetrySameKey } else { Advice::Retry };
        let silent = failure(endpoint, |_| Answer::silence()).await;
        assert_eq!((silent.advice, silent.status), (after, None), "{endpoint:?}");
        for garbage in ["<html>login</html>", "", "{\"code\":0", "[1]", "\u{0}", "{\"code\":0,\"data\":7}"] {
            let bare = [Endpoint::MessagePatch, Endpoint::Webhook, Endpoint::EventsSubscribe];
            let needs_no_data = bare.contains(&endpoint) || endpoint.is_urgent();
            if needs_no_data && garbage.starts_with("{\"code\":0,\"data\"") {
                continue; // a success all the same
            }
            let error = failure(endpoint, move |_| Answer::new(200, garbage)).await;
            assert_eq!((error.advice, error.status), (after, Some(200)), "{endpoint:?} {garbage}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn codes_are_read_per_endpoint_and_before_the_status() {
    use Endpoint::{
        Chat, History, MessageCreate as Create, MessagePatch as Patch, MessageReply as Reply, TicketGet as Get,
        TicketList as List, UserIds, Webhook as Hook,
    };
    let mention = "Failed to create card content, ext=ErrCode: 100290; ErrPath: ROOT; ErrMsg: x; ErrorValue: y; ";
    let locked = "ext=ErrCode: 11310; ErrMsg: card action is lock";
    let cases = [
        (List, 400, 154_000, "", Advice::GiveUp),
        (List, 401, 154_001, "", Advice::SetUp),
        (List, 200, 99_991_403, "", Advice::AwaitQuota),
        (List, 429, 99_991_403, "", Advice::AwaitQuota),
        (List, 429, 99_991_400, "", Advice::SlowDown),
        (List, 400, 99_991_400, "", Advice::SlowDown),
        (List, 500, 155_000, "", Advice::Retry),
        (List, 400, 99_991_672, "", Advice::SetUp),
        (Get, 404, 154_004, "", Advice::NotThere),
        (Get, 404, 77, "", Advice::NotThere),
        (Get, 404, 99_991_201, "", Advice::SetUp),
        (Create, 400, 230_002, "", Advice::SetUp),
        (Create, 400, 230_001, "ext=invalid receive_id", Advice::SetUp),
        (Create, 400, 230_001, "ext=content is not json", Advice::GiveUp),
        (Create, 400, 230_020, "", Advice::SlowDown),
        (Create, 400, 11_232, "", Advice::SlowDown),
        (Create, 400, 230_049, "", Advice::AskAgainSoon),
        (Create, 200, 18_121, "", Advice::AskAgainSoon),
        (Create, 400, 230_025, "", Advice::Shorten),
        (Create, 400, 230_028, "", Advice::Mask),
        (Endpoint::UrgentPhone, 400, 230_024, "", Advice::SetUp),
        (Endpoint::UrgentApp, 400, 230_052, "", Advice::SetUp),
        (Endpoint::UrgentApp, 400, 230_001, "", Advice::GiveUp),
        (Endpoint::UrgentSms, 400, 99_991_672, "", Advice::SetUp),
        (Endpoint::UrgentPhone, 500, 2_200, "", Advice::RetrySameKey),
        (Create, 400, 230_022, "", Advice::ChangeContent),
        (Create, 400, 230_099, mention, Advice::DropMentions),
        (Create, 400, 230_099, "ext=ErrCode: 200621; ErrMsg: parse", Advice::ChangeContent),
        (Create, 400, 230_099, locked, Advice::ChangeContent),
        (Patch, 400, 230_099, locked, Advice::SlowDown),
        (Patch, 400, 230_031, "", Advice::NewCard),
        (Patch, 400, 99_992_354, "", Advice::NewCard),
        (Patch, 400, 230_001, "", Advice::GiveUp),
        (Reply, 400, 230_011, "", Advice::NewCard),
        (Reply, 500, 2_200, "", Advice::RetrySameKey),
        (Reply, 500, 424_242, "", Advice::RetrySameKey),
        (Reply, 503, 424_242, "", Advice::Retry),
        (Reply, 413, 424_242, "", Advice::Shorten),
        (Reply, 200, 424_242, "", Advice::GiveUp),
        (History, 400, 230_002, "", Advice::SetUp),
        (Chat, 400, 232_006, "", Advice::NotThere),
        (UserIds, 400, 99_992_402, "", Advice::GiveUp),
        (Hook, 200, 19_001, "", Advice::SetUp),
        (Hook, 200, 19_021, "", Advice::SetUp),
        (Hook, 200, 19_024, "", Advice::SetUp),
        (Hook, 200, 19_036, "", Advice::Shorten),
        (Hook, 200, 9_499, "", Advice::GiveUp),
        (Hook, 200, 11_232, "", Advice::SlowDown),
        (Hook, 200, 230_099, mention, Advice::DropMentions),
    ];
    for (endpoint, status, code, msg, advice) in cases {
        let error = failure(endpoint, move |_| Answer::code(status, code, msg).with("x-tt-logid", "log1")).await;
        assert_eq!(error.advice, advice, "{endpoint:?} {code}");
        assert_eq!((error.code, error.status), (Some(code), Some(status)));
        assert_eq!(error.log_id.as_deref(), Some("log1"));
        assert!(error.failure().reason.en.contains("log1"), "{error}");
        let message = error.message();
        for (text, part) in [(&message.zh, format!("错误码 {code}")), (&message.en, format!("code {code}"))] {
            assert!(text.contains(&part) && text.contains("log1"), "{text}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn answers_without_a_code_go_by_their_status() {
    let cases = [
        (302, "", Advice::SetUp, Advice::SetUp),
        (404, "404 page not found", Advice::SetUp, Advice::SetUp),
        (407, "<html>", Advice::SetUp, Advice::SetUp),
        (429, "slow down", Advice::SlowDown, Advice::SlowDown),
        (500, "<html>", Advice::Retry, Advice::RetrySameKey),
        (502, "<html>", Advice::Retry, Advice::RetrySameKey),
        (503, "", Advice::Retry, Advice::Retry),
        (504, "", Advice::Retry, Advice::RetrySameKey),
    ];
    for (status, body, read, write) in cases {
        for (endpoint, advice) in
            [(Endpoint::TicketList, read), (Endpoint::TicketGet, read), (Endpoint::MessageCreate, write)]
        {
            let error = failure(endpoint, move |_| Answer::new(status, body)).await;
            assert_eq!((error.advice, error.code), (advice, None), "{endpoint:?} {status}");
            assert!(!error.message().zh.is_empty());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn waits_log_ids_and_missing_scopes_are_taken_from_where_they_stand() {
    let limited = |reset: &'static str| {
        failure(Endpoint::Chats, move |_| Answer::code(429, 99_991_400, "").with("x-ogw-ratelimit-reset", reset))
    };
    assert_eq!(limited("7").await.retry_after, Some(Span::from_secs(7)));
    assert_eq!(limited("0.5").await.failure().retry_after, Some(Span::from_ms(500)));
    assert_eq!(limited("999999999").await.retry_after, Some(Span::from_hours(1)));
    for bad in ["-1", "soon", "NaN", "inf"] {
        assert_eq!(limited(bad).await.retry_after, None, "{bad}");
    }

    let body = json!({ "code": 99_991_672, "msg": "Access denied", "error": { "log_id": "inside\nbody",
        "permission_violations": [{ "type": "action_scope_required", "subject": "im:chat:readonly" },
                                  { "subject": "<b>" }, 7],
        "helps": [{ "url": "https://evil.example/" }, { "url": "https://open.feishu.cn/app/cli_a" }] } });
    let named = failure(Endpoint::Chats, move |_| Answer::json(400, &body)).await;
    assert_eq!(named.log_id.as_deref(), Some("insidebody"));
    assert_eq!(named.details.scopes, ["im:chat:readonly"]);
    assert!(!named.message().en.contains("evil"), "{}", named.message());

    let bracketed = failure(Endpoint::Chats, |_| {
        Answer::code(400, 99_991_672, "No permission, one of [im:chat, im:chat:readonly] is needed")
    })
    .await;
    for text in [bracketed.message().zh, bracketed.message().en] {
        assert!(text.contains("im:chat, im:chat:readonly"), "{text}");
    }
    let unnamed = failure(Endpoint::TicketList, |_| Answer::code(403, 154_003, "")).await;
    assert!(unnamed.message().en.contains("helpdesk:all:readonly"), "{}", unnamed.message());
}

#[tokio::test(start_paused = true)]
async fn what_stops_everything_says_what_to_do() {
    let cases: [(Endpoint, Value, &str); 5] = [
        (Endpoint::TicketList, json!(154_001), "helpdesk_token"),
        (Endpoint::MessageCreate, json!(230_002), "Add Bot"),
        (Endpoint::TicketList, json!(99_991_403), "used up"),
        (Endpoint::Chats, json!(99_991_401), "allow-list"),
        (Endpoint::Webhook, json!(19_021), "secret"),
    ];
    for (endpoint, code, part) in cases {
        let error = failure(endpoint, move |_| Answer::json(200, &json!({ "code": code, "msg": "no" }))).await;
        assert!(error.message().en.contains(part), "{}", error.message());
        let ended = error.pass_failure();
        assert_eq!((ended.quota, ended.setup), (part == "used up", part != "used up"), "{ended:?}");
    }
}
