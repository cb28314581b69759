//! Tickets as the vendor's pages show them, as they really arrive, and as nobody should send them.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::adapters::feishu::page::{self, Single};

const LIST: &str = include_str!("../../../../tests/data/feishu/ticket-list.json");
const GET: &str = include_str!("../../../../tests/data/feishu/ticket-get.json");

fn raw(ticket: &Value) -> RawTicket {
    let body = json!({ "code": 0, "data": { "ticket": ticket } }).to_string();
    raw_text(body)
}

fn raw_text(body: impl Into<Bytes>) -> RawTicket {
    match page::single(&body.into()) {
        Some(Single::Ticket(raw)) => raw,
        _ => panic!("no ticket"),
    }
}

fn decoded(ticket: &Value) -> Decoded {
    decode(&"it-desk".into(), &raw(ticket)).unwrap()
}

/// A ticket with one field.
fn with(key: &str, value: &Value) -> Decoded {
    decoded(&json!({ "ticket_id": "1", key: value }))
}

fn ms(at: Option<&Timestamp>) -> Value {
    at.map_or(Value::Null, |at| json!(at.as_ms()))
}

fn word(known: &Known<Text>) -> Value {
    known.present().map_or(Value::Null, |text| json!(&**text))
}

fn list<T>(known: &Known<Arc<[T]>>, written: impl Fn(&T) -> Value) -> Value {
    known.present().map_or(Value::Null, |all| Value::Array(all.iter().map(written).collect()))
}

fn user(person: &Arc<Person>) -> Value {
    json!({
        "id": word(&person.id), "avatar_url": word(&person.avatar_url), "name": word(&person.name),
        "email": word(&person.email), "department": word(&person.department), "city": word(&person.city),
        "country": word(&person.country),
    })
}

fn maybe_user(known: &Known<Arc<Person>>) -> Value {
    known.present().map_or(Value::Null, user)
}

/// The ticket as the platform would write it, lists for what arrives as one thing or many.
fn written(ticket: &Ticket) -> Value {
    let mut out = json!({
        "ticket_id": ticket.key.id.as_str(),
        "helpdesk_id": word(&ticket.helpdesk_id),
        "guest": maybe_user(&ticket.guest),
        "comments": list(&ticket.comments, |one| json!({
            "content": word(&one.content), "created_at": ms(one.created_at.present()), "id": one.id.present(),
            "user_avatar_url": word(&one.user_avatar_url), "user_name": word(&one.user_name),
            "user_id": one.user_id.present().unwrap().parse::<i64>().unwrap(),
        })),
        "ticket_type": ticket.ticket_type.present(),
        "status": ticket.status.present().map(|status| status.code()),
        "score": ticket.score.present(),
        "created_at": ms(ticket.created_at.present()),
        "updated_at": ms(ticket.updated_at.present()),
        "closed_at": ms(ticket.closed_at.present()),
        "dissatisfaction_reason": list(&ticket.dissatisfaction_reason, |one| {
            json!({ "zh_cn": word(&one.zh_cn), "en_us": word(&one.en_us), "ja_jp": word(&one.ja_jp) })
        }),
        "agents": list(&ticket.agents, user),
        "channel": ticket.channel.present(),
        "solve": ticket.solved.present(),
        "closed_by": maybe_user(&ticket.closed_by),
        "collaborators": list(&ticket.collaborators, user),
        "customized_fields": list(&ticket.customized_fields, |one| json!({
            "id": word(&one.id), "value": word(&one.value), "key_name": word(&one.key_name),
            "display_name": word(&one.display_name), "position": one.position.present(),
            "required": one.required.present(), "editable": one.editable.present(),
        })),
        "agent_service_duration": ticket.agent_service_duration.present(),
        "agent_first_response_duration": ticket.agent_first_response_duration.present(),
        "bot_service_duration": ticket.bot_service_duration.present(),
        "agent_resolution_time": ticket.agent_resolution_time.present(),
        "actual_processing_time": ticket.actual_processing_time.present(),
        "agent_entry_time": ms(ticket.agent_entry_time.present()),
        "agent_first_response_time": ms(ticket.agent_first_response_time.present()),
        "agent_last_response_time": ms(ticket.agent_last_response_time.present()),
        "agent_owner": maybe_user(&ticket.agent_owner),
        "tags": list(&ticket.tags, |one| json!({ "id": word(&one.id), "name": word(&one.name) })),
    });
    out.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    out
}

/// The page's ticket, with what is one thing there as a list of one.
fn as_lists(mut ticket: Value) -> Value {
    for key in ["comments", "dissatisfaction_reason"] {
        ticket[key] = json!([ticket[key]]);
    }
    ticket
}

#[test]
fn no_field_of_the_vendor_s_pages_is_lost() {
    let page: Value = serde_json::from_str(LIST).unwrap();
    let split = page::split(&Bytes::from_static(LIST.as_bytes())).unwrap();
    assert_eq!((split.total, split.tickets.len(), split.broken.len()), (100, 1, 0));
    let read = decode(&"it-desk".into(), &split.tickets[0]).unwrap();
    assert_eq!(read.unreadable, [""; 0]);
    assert_eq!(written(&read.ticket), as_lists(page["data"]["tickets"][0].clone()));

    let page: Value = serde_json::from_str(GET).unwrap();
    let read = decode(&"it-desk".into(), &raw_text(GET)).unwrap();
    assert_eq!(read.unreadable, [""; 0]);
    assert_eq!(written(&read.ticket), as_lists(page["data"]["ticket"].clone()));
    assert_eq!(read.ticket.comments.present().unwrap()[0].user_id, Known::Present("7262656095919128578".into()));
}

#[test]
fn what_is_absent_is_empty_and_a_department_nobody_may_see_is_unknown() {
    let read = decoded(&json!({ "ticket_id": "1", "guest": { "id": "ou_a" }, "agent_owner": {}, "closed_by": null }));
    assert_eq!(read.unreadable, [""; 0]);
    let Decoded { ticket, .. } = read;
    assert_eq!(written(&ticket).as_object().unwrap().keys().collect::<Vec<_>>(), ["guest", "ticket_id"]);
    for empty in [&ticket.created_at, &ticket.updated_at, &ticket.closed_at, &ticket.agent_entry_time] {
        assert_eq!(*empty, Known::Empty);
    }
    assert_eq!(ticket.status, Known::Empty);
    assert_eq!(ticket.agent_owner, Known::Empty);
    assert_eq!(ticket.closed_by, Known::Empty);
    assert_eq!(ticket.agents, Known::Empty);
    assert_eq!(ticket.customized_fields, Known::Empty);
    let guest = ticket.guest.present().unwrap();
    assert_eq!(guest.department, Known::Unknown);
    assert_eq!(guest.email, Known::Empty);
    let nobody = with("guest", &json!({ "id": "", "name": "", "email": "", "department": "" }));
    assert_eq!(nobody.ticket.guest, Known::Empty);
}

#[test]
fn live_variants_of_notes_and_reasons_are_read() {
    let texts =
        |read: &Decoded| list(&read.ticket.dissatisfaction_reason, |one| json!([word(&one.zh_cn), word(&one.en_us)]));
    let reason = |value: Value| {
        let read = with("dissatisfaction_reason", &value);
        assert_eq!(read.unreadable, [""; 0], "{value}");
        texts(&read)
    };
    assert_eq!(reason(json!({ "zh_cn": "慢", "en_us": "slow" })), json!([["慢", "slow"]]));
    assert_eq!(reason(json!([{ "zh_cn": "慢" }, { "en_us": "rude" }])), json!([["慢", null], [null, "rude"]]));
    assert_eq!(reason(json!(["慢", "答案看不懂"])), json!([["慢", null], ["答案看不懂", null]]));
    assert_eq!(reason(json!("慢")), json!([["慢", null]]));
    assert_eq!(reason(json!([{ "zh_cn": null }, null])), json!([[null, null]]));
    for empty in [json!(null), json!([])] {
        assert_eq!(reason(empty), Value::Null);
    }

    let note = |id: i64| {
        json!({ "content": "vip", "created_at": 1_690_970_837_624_i64, "id": id, "user_name": "Bo",
                                 "user_avatar_url": "u", "user_id": 7_262_656_095_919_128_578_i64 })
    };
    for (value, expected) in
        [(note(1), vec![1]), (json!([note(1), note(2)]), vec![1, 2]), (json!([]), vec![]), (Value::Null, vec![])]
    {
        let read = with("comments", &value);
        assert_eq!(read.unreadable, [""; 0], "{value}");
        let ids: Vec<i64> = read
            .ticket
            .comments
            .present()
            .into_iter()
            .flat_map(|all| all.iter())
            .filter_map(|one| one.id.present().copied())
            .collect();
        assert_eq!(ids, expected, "{value}");
    }
    let odd = with("comments", &json!({ "id": "12", "user_id": "726", "created_at": "1690970837624" }));
    let odd = &odd.ticket.comments.present().unwrap()[0];
    assert_eq!((odd.id.present(), word(&odd.user_id)), (Some(&12), json!("726")));
    assert_eq!(odd.created_at, Known::Present(Timestamp::from_ms(1_690_970_837_624)));
}

#[test]
fn numbers_and_ids_are_read_as_they_come() {
    let read = decoded(&json!({
        "ticket_id": 7_157_961_378_652_045_340_i64, "helpdesk_id": 6_868_205_580_868_141_059_i64,
        "status": "2", "score": 9, "channel": 0, "created_at": "1666592755000", "updated_at": -1, "closed_at": 0,
        "agent_service_duration": "1.5", "bot_service_duration": 3.0, "agent_resolution_time": "", "ticket_type": null,
        "customized_fields": [{ "id": 123, "value": 5, "position": "7", "required": "true", "editable": 0 }],
    }));
    assert_eq!(read.unreadable, [""; 0]);
    let Decoded { ticket, .. } = read;
    assert_eq!(ticket.key.id.as_str(), "7157961378652045340");
    assert_eq!(word(&ticket.helpdesk_id), json!("6868205580868141059"));
    assert_eq!(ticket.status, Known::Present(Status::Processing));
    assert_eq!(ticket.score, Known::Present(9));
    assert_eq!(ticket.channel, Known::Present(0));
    assert_eq!(ticket.created_at, Known::Present(Timestamp::from_ms(1_666_592_755_000)));
    assert_eq!(ticket.updated_at, Known::Empty);
    assert_eq!(ticket.closed_at, Known::Empty);
    assert_eq!(ticket.agent_service_duration, Known::Present(1.5));
    assert_eq!(ticket.bot_service_duration, Known::Present(3));
    assert_eq!(ticket.agent_resolution_time, Known::Empty);
    assert_eq!(ticket.ticket_type, Known::Empty);
    let field = &ticket.customized_fields.present().unwrap()[0];
    assert_eq!((word(&field.id), word(&field.value)), (json!("123"), json!("5")));
    assert_eq!(
        (field.position.present(), field.required.present(), field.editable.present()),
        (Some(&7), Some(&true), Some(&false))
    );
    assert_eq!(with("status", &json!(7)).ticket.status, Known::Present(Status::Other(7)));
}

#[test]
fn one_unreadable_field_is_named_and_the_others_stay() {
    let cases = [
        ("status", json!("open"), "status"),
        ("status", json!(1.5), "status"),
        ("score", json!(u64::MAX), "score"),
        ("created_at", json!(999_999_999_999_999_i64), "created_at"),
        ("agent_service_duration", json!([1]), "agent_service_duration"),
        ("guest", json!("Li"), "guest"),
        ("agents", json!([{ "id": "ou_a" }, 5]), "agents"),
        ("agents", json!("x"), "agents"),
        ("comments", json!([{ "id": 1 }, "x"]), "comments"),
        ("dissatisfaction_reason", json!([["x"]]), "dissatisfaction_reason"),
        ("customized_fields", json!([[]]), "customized_fields"),
        ("tags", json!(7), "tags"),
        ("solve", json!({}), "solved"),
    ];
    for (key, value, name) in cases {
        let mut ticket = json!({ "ticket_id": "1", "channel": 9, key: value });
        if key == "status" {
            ticket["score"] = json!(1);
        } else {
            ticket["status"] = json!(2);
        }
        let read = decoded(&ticket);
        assert_eq!(read.unreadable, [name], "{ticket}");
        assert_eq!(read.ticket.channel, Known::Present(9), "{ticket}");
        assert_eq!(written(&read.ticket).get(key), None, "{ticket}");
    }
    let part = with("guest", &json!({ "id": "ou_a", "city": ["x"] }));
    assert_eq!(part.unreadable, ["guest"]);
    assert_eq!(part.ticket.guest.present().unwrap().city, Known::Unknown);
    assert_eq!(word(&part.ticket.guest.present().unwrap().id), json!("ou_a"));
}

#[test]
fn what_stops_a_parser_spoils_one_field_only() {
    let cases = [
        (r#""guest":{"id":"ou_a","name":"\ud800"}"#, vec!["guest"]),
        (r#""customized_fields":[{"value":"\udc00 x"}]"#, vec!["customized_fields"]),
        (r#""agent_service_duration":1e999"#, vec!["agent_service_duration"]),
        (r#""score":1,"score":2"#, vec![]),
        (r#""guest":{"id":"a","id":"b"}"#, vec!["guest"]),
        (r#""unheard_of":"\ud800""#, vec![]),
    ];
    for (fields, unreadable) in cases {
        let body = format!(r#"{{"code":0,"data":{{"ticket":{{"ticket_id":"1",{fields},"channel":9}}}}}}"#);
        let read = decode(&"it-desk".into(), &raw_text(body)).unwrap();
        assert_eq!(read.unreadable, unreadable, "{fields}");
        assert_eq!(read.ticket.channel, Known::Present(9), "{fields}");
    }
}

#[test]
fn the_same_person_is_decoded_once() {
    let mut decoder = Decoder::new("it-desk".into());
    let li = json!({ "id": "ou_a", "name": "Li" });
    let first = decoder.decode(&raw(&json!({ "ticket_id": "1", "agent_owner": li }))).unwrap().ticket;
    let second = decoder.decode(&raw(&json!({ "ticket_id": "2", "agents": [li] }))).unwrap().ticket;
    assert!(Arc::ptr_eq(first.agent_owner.present().unwrap(), &second.agents.present().unwrap()[0]));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        let key =
            prop_oneof![Just("id".to_owned()), Just("zh_cn".to_owned()), Just("value".to_owned()), any::<String>()];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_value_of_any_field_loses_another(
        values in prop::collection::vec((0_usize..27, any_json()), 0..5),
    ) {
        let whole: Value = serde_json::from_str(GET).unwrap();
        let mut ticket = as_lists(whole["data"]["ticket"].clone());
        let keys: Vec<String> = ticket.as_object().unwrap().keys().cloned().collect();
        let mut changed = Vec::new();
        for (index, value) in values {
            let key = &keys[index % keys.len()];
            if key != "ticket_id" {
                ticket[key] = value;
                changed.push(key.clone());
            }
        }
        let read = decoded(&ticket);
        let mut shown = read.ticket;
        // Notes whose writer is not a number cannot be written back; they are among what was changed.
        if changed.iter().any(|key| key == "comments") {
            shown.comments = Known::Empty;
        }
        let shown = written(&shown);
        for key in keys.iter().filter(|key| !changed.contains(key)) {
            prop_assert_eq!(&shown[key], &ticket[key], "{}", key);
        }
        let named = |name: &str| changed.iter().any(|key| key == name || (key == "solve" && name == "solved"));
        prop_assert!(read.unreadable.iter().all(|name| named(name)));
    }
}
