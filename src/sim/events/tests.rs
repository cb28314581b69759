//! Tests of events on their way to the app.

use serde_json::{Value, json};

use crate::sim::{
    caller::{Caller, NOW},
    directory::ChatKind,
    events::Delivery,
    seal,
};

fn body(delivery: &Delivery) -> Value {
    serde_json::from_str(&delivery.body).unwrap()
}

/// A caller whose events are not encrypted.
fn open_caller() -> Caller {
    let mut caller = Caller::new();
    caller.platform.app_mut().encrypt_key = None;
    caller
}

#[test]
fn a_mention_in_a_group_becomes_an_event() {
    let mut caller = open_caller();
    let id = caller.platform.person_says("oc_a", "ou_li", "/ticket 7", true, NOW).unwrap();
    let deliveries = caller.platform.take_deliveries(NOW);
    let event = body(&deliveries[0]);
    assert_eq!(event["header"]["event_type"], "im.message.receive_v1");
    assert_eq!(event["header"]["token"], caller.platform.app().verification_token);
    assert_eq!(event["header"]["event_id"], deliveries[0].event_id);
    let message = &event["event"]["message"];
    assert_eq!((&message["message_id"], &message["chat_type"]), (&json!(id), &json!("group")));
    assert_eq!(message["content"], r#"{"text":"@_user_1 /ticket 7"}"#);
    assert_eq!(message["mentions"][0]["id"]["open_id"], caller.platform.app().bot_open_id);
    assert_eq!(event["event"]["sender"]["sender_id"]["open_id"], "ou_li");

    let answer = caller.platform.person_replies(&id, "ou_li", "谢谢", false, NOW).unwrap();
    let message = body(&caller.platform.take_deliveries(NOW)[0])["event"]["message"].clone();
    assert_eq!((&message["message_id"], &message["root_id"]), (&json!(answer), &json!(id)));
    assert_eq!(message.get("mentions"), None);

    let direct = caller.platform.direct_chat("ou_li");
    caller.platform.person_says(&direct, "ou_li", "/ticket 7", false, NOW);
    assert_eq!(body(&caller.platform.take_deliveries(NOW)[0])["event"]["message"]["chat_type"], "p2p");
}

#[test]
fn what_the_app_may_not_hear_is_no_event() {
    let mut caller = open_caller();
    caller.platform.add_chat("oc_out", "x", ChatKind::Group);
    caller.platform.change_chat("oc_out", |chat| chat.has_bot = false);
    caller.platform.turn(|knobs| knobs.scopes_missing.extend(["im:message.group_msg".to_string()]));
    assert!(caller.platform.person_says("oc_a", "ou_li", "闲聊", false, NOW).is_some());
    assert!(caller.platform.person_says("oc_out", "ou_li", "x", true, NOW).is_some());
    assert_eq!(caller.platform.person_says("oc_none", "ou_li", "x", true, NOW), None);
    assert_eq!(caller.platform.take_deliveries(NOW), []);
}

#[test]
fn an_event_is_repeated_until_it_is_taken() {
    // When each attempt is due, and how the app answers it.
    let day = [(0, Some(500)), (15_000, None), (315_000, Some(404)), (3_915_000, Some(302)), (25_515_000, Some(500))];
    for taken_at in 0..=day.len() {
        let mut caller = open_caller();
        caller.platform.person_says("oc_a", "ou_li", "x", true, NOW);
        let mut ids = Vec::new();
        for (place, (at, status)) in day.iter().enumerate().take(taken_at + 1) {
            assert_eq!(caller.platform.next_delivery_ms(), Some(NOW + at));
            assert_eq!(caller.platform.take_deliveries(NOW + at - 1), [], "not before its time");
            let delivery = caller.platform.take_deliveries(NOW + at).remove(0);
            assert_eq!(delivery.attempt, place + 1);
            assert_eq!(caller.platform.take_deliveries(NOW + at), [], "it is on its way already");
            let status = if place == taken_at { Some(200) } else { *status };
            caller.platform.settle_delivery(delivery.number, status, NOW + at);
            ids.push(delivery.event_id);
        }
        ids.dedup();
        assert_eq!((ids.len(), caller.platform.next_delivery_ms()), (1, None), "one event, and then no more");
    }
}

#[test]
fn an_answer_that_never_comes_has_failed_after_three_seconds() {
    let mut caller = open_caller();
    caller.platform.person_says("oc_a", "ou_li", "x", true, NOW);
    assert_eq!(caller.platform.take_deliveries(NOW).len(), 1);
    assert_eq!(caller.platform.next_delivery_ms(), Some(NOW + 3001));
    assert_eq!(caller.platform.take_deliveries(NOW + 3001), []);
    assert_eq!(caller.platform.attempts()[0].status, None);
    assert_eq!(caller.platform.take_deliveries(NOW + 18_001).len(), 1);
}

#[test]
fn duplicates_and_disorder_by_knob() {
    let mut caller = open_caller();
    caller.platform.turn(|knobs| {
        knobs.duplicate_events = 1.0;
        knobs.events_out_of_order = true;
    });
    for text in ["first", "second"] {
        caller.platform.person_says("oc_a", "ou_li", text, true, NOW);
    }
    let deliveries = caller.platform.take_deliveries(NOW);
    assert!(body(&deliveries[0])["event"]["message"]["content"].as_str().unwrap().contains("second"));
    caller.platform.settle_delivery(deliveries[0].number, Some(200), NOW);
    let again = caller.platform.take_deliveries(NOW + 15_000);
    assert!(again.iter().any(|delivery| delivery.event_id == deliveries[0].event_id));
    for delivery in again {
        caller.platform.settle_delivery(delivery.number, Some(200), NOW + 15_000);
    }
    let ids: Vec<String> =
        caller.platform.take_deliveries(NOW + 60_000).into_iter().map(|delivery| delivery.event_id).collect();
    assert!(!ids.contains(&deliveries[0].event_id), "once more is enough");
}

#[test]
fn with_an_encrypt_key_everything_is_sealed_and_signed() {
    let mut caller = Caller::new();
    let key = caller.platform.app().encrypt_key.clone().unwrap();
    caller.platform.person_says("oc_a", "ou_li", "x", true, NOW);
    let event = caller.platform.take_deliveries(NOW).remove(0);
    let challenge = caller.platform.url_verification("abc", NOW);
    for delivery in [&event, &challenge] {
        let header = |name: &str| delivery.headers.iter().find(|(own, _)| own == name).unwrap().1.clone();
        assert!(body(delivery)["encrypt"].is_string() && body(delivery).as_object().unwrap().len() == 1);
        assert_eq!(header("X-Lark-Request-Timestamp"), (NOW / 1000).to_string());
        let expected = seal::signature(
            &header("X-Lark-Request-Timestamp"),
            &header("X-Lark-Request-Nonce"),
            &key,
            delivery.body.as_bytes(),
        );
        assert_eq!(header("X-Lark-Signature"), expected);
    }
    caller.platform.app_mut().encrypt_key = None;
    let challenge = caller.platform.url_verification("abc", NOW);
    assert_eq!(body(&challenge)["challenge"], "abc");
    assert_eq!(challenge.headers.len(), 1);
}
