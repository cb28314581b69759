//! Callbacks as the platform sends them, and as others would.

use reqwest::header::HeaderValue;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::*;
use crate::{
    adapters::feishu::{
        chats::Bot,
        received::{Incoming, MESSAGE_CHARS_MAX},
    },
    domain::desk::input::ChatKind,
};

const CHALLENGE: &str =
    "AAECAwQFBgcICQoLDA0OD6alpwIsMFbSsWTHppjb1mE7o8oW7T8vJ7C6kV8w75gu/s+0c6FUAdSg8/t/lI4Ez2ocgdCAS0cvWqC+SZL1LmQ=";
const NOW: Timestamp = Timestamp::from_ms(1_700_000_000_000);

fn keyed() -> Callback {
    Callback::new("v".into(), Some("test key".into()), EventReader::default())
}

fn plain() -> Callback {
    Callback::new("v".into(), None, EventReader::default())
}

fn encrypt(plain: &Value) -> String {
    use aes::cipher::{BlockModeEncrypt as _, KeyIvInit as _, block_padding::Pkcs7};
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    let key: [u8; 32] = Sha256::digest("test key").into();
    let iv = [7_u8; 16];
    let sealed = cbc::Encryptor::<aes::Aes256>::new(&key.into(), &iv.into())
        .encrypt_padded_vec::<Pkcs7>(plain.to_string().as_bytes());
    json!({ "encrypt": BASE64_STANDARD.encode([&iv[..], &sealed].concat()) }).to_string()
}

fn headers(timestamp: &str, body: &str) -> HeaderMap {
    let hash = Sha256::digest(format!("{timestamp}nonce1test key{body}"));
    let signature: String = hash.iter().map(|byte| format!("{byte:02X}")).collect();
    [(TIMESTAMP, timestamp), (NONCE, "nonce1"), (SIGNATURE, &*signature)]
        .map(|(name, value)| (name, HeaderValue::from_str(value).unwrap()))
        .into_iter()
        .collect()
}

fn message(message: &Value) -> Value {
    let mut body = json!({
        "schema": "2.0",
        "header": { "event_id": "e1", "event_type": "im.message.receive_v1", "create_time": "1608725989000",
                    "token": "v", "app_id": "cli_a", "tenant_key": "t" },
        "event": {
            "sender": { "sender_id": { "union_id": "on_", "user_id": null, "open_id": "ou_li" },
                        "sender_type": "user" },
            "message": {
                "message_id": "om_1", "create_time": "1609073151345", "chat_id": "oc_a", "chat_type": "group",
                "message_type": "text", "content": "{\"text\":\"@_user_1 /ticket 7157961378652045340\"}",
                "mentions": [{ "key": "@_user_1", "id": { "open_id": "ou_bot", "user_id": "" },
                               "mentioned_type": "bot", "name": "OpsBot" }],
            },
        },
    });
    for (key, value) in message.as_object().unwrap() {
        body["event"]["message"][key] = value.clone();
    }
    body
}

fn opened(callback: &Callback, body: &Value) -> Event {
    match callback.open(&HeaderMap::new(), body.to_string().as_bytes(), NOW).unwrap() {
        Opened::Event(event) => event,
        other => panic!("{other:?}"),
    }
}

fn incoming(body: &Value) -> Incoming {
    match opened(&plain(), body) {
        Event::Message(incoming) => *incoming,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_console_s_check_is_answered_plain_and_encrypted() {
    let expected = Ok(Opened::Challenge("abc".to_owned()));
    let open = |callback: &Callback, body: &str| callback.open(&HeaderMap::new(), body.as_bytes(), NOW);
    let body = r#"{"challenge":"abc","token":"v","type":"url_verification"}"#;
    assert_eq!(open(&plain(), body), expected);
    assert_eq!(open(&keyed(), body), expected);
    assert_eq!(open(&keyed(), &format!(r#"{{"encrypt":"{CHALLENGE}"}}"#)), expected);
    assert_eq!(open(&plain(), &body.replace("\"v\"", "\"w\"")), Err(Reject::WrongToken));
    assert_eq!(open(&plain(), r#"{"token":"v","type":"url_verification"}"#), Err(Reject::NotJson));
    assert_eq!(open(&plain(), &format!(r#"{{"encrypt":"{CHALLENGE}"}}"#)), Err(Reject::NoKey));
}

#[test]
fn only_what_the_platform_signed_is_opened() {
    let body = encrypt(&message(&json!({})));
    let open = |headers: &HeaderMap, body: &str| keyed().open(headers, body.as_bytes(), NOW).map(|_| ());
    let good = headers("1700000000", &body);
    assert_eq!(open(&good, &body), Ok(()));
    for at in ["1699996400", "1700003600"] {
        assert_eq!(open(&headers(at, &body), &body), Ok(()), "{at}");
    }
    for at in ["1699996399", "1700003601", "0", "-1", "soon", "99999999999999999999"] {
        assert_eq!(open(&headers(at, &body), &body), Err(Reject::Stale), "{at}");
    }
    for missing in [TIMESTAMP, NONCE, SIGNATURE] {
        let mut headers = good.clone();
        headers.remove(missing);
        assert_eq!(open(&headers, &body), Err(Reject::Unsigned));
    }
    assert_eq!(open(&good, &format!("{body}\n")), Err(Reject::BadSignature));
    assert_eq!(open(&good, &message(&json!({})).to_string()), Err(Reject::NotEncrypted));
    for damaged in [r#"{"encrypt":""}"#, r#"{"encrypt":"AAAA"}"#, r#"{"encrypt":"AAECAwQFBgcICQoLDA0ODw=="}"#] {
        assert_eq!(open(&good, damaged), Err(Reject::Undecryptable), "{damaged}");
    }
    for nonsense in ["", "null", "[]", "{", "\u{0}", "<html>"] {
        assert_eq!(open(&good, nonsense), Err(Reject::NotJson), "{nonsense}");
    }
    let mut other = message(&json!({}));
    other["header"]["token"] = json!("w");
    let body = encrypt(&other);
    assert_eq!(open(&headers("1700000000", &body), &body), Err(Reject::WrongToken));
}

#[test]
fn a_message_is_read_whole() {
    let expected = Incoming {
        event: "e1".into(),
        message: "om_1".into(),
        chat: "oc_a".into(),
        chat_kind: ChatKind::Group,
        sender: "ou_li".into(),
        reply_to: None,
        from_person: true,
        mentions_bot: true,
        mentions_all: false,
        text: "/ticket 7157961378652045340".to_owned(),
        sent_at: Timestamp::from_ms(1_609_073_151_345),
    };
    assert_eq!(incoming(&message(&json!({}))), expected);
    let direct = incoming(&message(&json!({ "chat_type": "p2p", "mentions": null, "create_time": "" })));
    assert_eq!(direct.chat_kind, ChatKind::Direct);
    assert_eq!(direct.sent_at, Timestamp::from_ms(1_608_725_989_000));
    assert!(!direct.mentions_bot);
    for (root, parent, expected) in [("om_card", "om_reply", "om_card"), ("", "om_card", "om_card")] {
        let reply = incoming(&message(&json!({ "root_id": root, "parent_id": parent })));
        assert_eq!(reply.reply_to, Some(expected.into()));
    }
}

#[test]
fn mentions_are_taken_out_and_told_apart() {
    let mention = |key: &str, id: &str, kind: &str, name: &str| {
        let id = json!({ "open_id": id });
        json!({ "key": key, "id": id, "mentioned_type": kind, "name": name })
    };
    let text = |text: &str| json!(json!({ "text": text }).to_string());
    let ten: Vec<Value> = (1..=10).map(|n| mention(&format!("@_user_{n}"), "ou_x", "user", "x")).collect();
    let read =
        |written: &str, mentions: Value| incoming(&message(&json!({ "content": text(written), "mentions": mentions })));
    assert_eq!(read("@_user_10 hi @_user_1", json!(ten)).text, "hi");
    assert_eq!(read("@_user_16626871355780366331", json!([ten[0]])).text, "6626871355780366331");
    assert_eq!(read("@_all 谢谢", json!([])).text, "谢谢");
    assert!(read("@_all 谢谢", json!([])).mentions_all);
    assert_eq!(read("@_user_1 hi", json!([{ "id": 3 }, 7, null])).text, "@_user_1 hi");

    let callback = plain();
    callback.events.know_bot(Bot { open_id: "ou_bot".into(), name: "OpsBot".to_owned() });
    let cases = [
        (mention("@_user_1", "ou_bot", "bot", "OpsBot"), true),
        (mention("@_user_1", "ou_bot", "", ""), true),
        (json!({ "key": "@_user_1", "id": "ou_bot" }), true),
        (mention("@_user_1", "ou_seen_elsewhere", "bot", "OpsBot"), true),
        (mention("@_user_1", "ou_other", "bot", "OtherBot"), false),
        (mention("@_user_1", "ou_li", "user", "OpsBot"), false),
    ];
    for (mention, expected) in cases {
        let Event::Message(read) = opened(&callback, &message(&json!({ "mentions": [mention] }))) else { panic!() };
        assert_eq!(read.mentions_bot, expected, "{mention}");
    }
}

#[test]
fn rich_text_is_read_as_its_words_and_pictures_as_none() {
    let content = json!({ "title": "看一下", "content": [
        [{ "tag": "at", "user_id": "@_user_1", "user_name": "OpsBot" }, { "tag": "text", "text": " 查 " },
         { "tag": "a", "text": "6626", "href": "https://x.example/6626" }],
        [{ "tag": "img", "image_key": "img_1" }],
        [{ "tag": "at", "user_id": "all" }, { "tag": "md", "text": "**急**" }],
    ] });
    let post = |content: &Value| incoming(&message(&json!({ "message_type": "post", "content": content.to_string() })));
    let read = post(&content);
    assert_eq!(read.text, "看一下\n  查 [6626](https://x.example/6626)\n **急**");
    assert!(read.mentions_all);
    assert_eq!(post(&json!({ "zh_cn": content })).text, read.text);
    for (kind, content) in [("image", "{\"image_key\":\"i\"}"), ("sticker", ""), ("text", "not json"), ("post", "7")] {
        assert_eq!(incoming(&message(&json!({ "message_type": kind, "content": content }))).text, "", "{kind}");
    }
    let long = json!({ "text": "字".repeat(100_000) }).to_string();
    assert!(incoming(&message(&json!({ "content": long }))).text.chars().count() <= MESSAGE_CHARS_MAX);
}

#[test]
fn what_is_not_a_person_s_message_is_ignored_by_name() {
    let ignored = |body: &Value| match opened(&plain(), body) {
        Event::Ignored { event, event_type, .. } => (event.map(|id| id.to_string()), event_type),
        other => panic!("{other:?}"),
    };
    let mut bot = message(&json!({}));
    bot["event"]["sender"]["sender_type"] = json!("bot");
    assert_eq!(ignored(&bot), (Some("e1".to_owned()), "im.message.receive_v1".to_owned()));
    for pointer in ["/event/sender/sender_id/open_id", "/event/message/message_id", "/event/message/chat_id"] {
        let mut lacking = message(&json!({}));
        *lacking.pointer_mut(pointer).unwrap() = Value::Null;
        assert_eq!(ignored(&lacking).1, "im.message.receive_v1", "{pointer}");
    }
    let mut other = message(&json!({}));
    other["header"]["event_type"] = json!("im.chat.member.bot.added_v1");
    assert_eq!(ignored(&other).1, "im.chat.member.bot.added_v1");
    let old = json!({ "ts": "1.2", "uuid": "u1", "token": "v", "type": "event_callback",
                      "event": { "type": "message", "app_id": "cli_a" } });
    assert_eq!(ignored(&old), (Some("u1".to_owned()), "message".to_owned()));
    assert_eq!(ignored(&json!({ "token": "v" })), (None, String::new()));
    let mut wrong = old;
    wrong["token"] = json!("w");
    assert_eq!(plain().open(&HeaderMap::new(), wrong.to_string().as_bytes(), NOW), Err(Reject::WrongToken));
}

#[test]
fn no_rejection_shows_a_secret() {
    let callback = Callback::new("tok-secret".into(), Some("key-secret".into()), EventReader::default());
    for body in ["{}", "[]", r#"{"encrypt":"AAAA"}"#, r#"{"type":"url_verification","token":"x"}"#] {
        let reject = callback.open(&HeaderMap::new(), body.as_bytes(), NOW).unwrap_err();
        let shown = format!("{reject:?} {reject} {} {}", reject.message().zh, reject.name());
        assert!(!shown.contains("secret"), "{shown}");
        assert!((400..500).contains(&reject.status()));
    }
}
