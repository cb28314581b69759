//! Tests of listing and reading tickets.

use serde_json::{Value, json};

use crate::sim::{
    caller::{Caller, NOW},
    helpdesk::FieldDefinition,
    knobs::{Beyond, DropdownValue, ListOrder},
    ticket::{STATUS_CLOSED_BY_AGENT, Tag, Ticket, User},
    wire::Request,
};

type Query<'a> = Vec<(&'a str, String)>;

const LIST: &str = "helpdesk/v1/tickets";

fn user(id: &str, name: &str) -> User {
    User { id: id.to_string(), name: name.to_string(), ..User::default() }
}

fn ids(data: &Value) -> Vec<String> {
    let tickets = data["tickets"].as_array().unwrap();
    tickets.iter().map(|ticket| ticket["ticket_id"].as_str().unwrap().to_string()).collect()
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_string()).collect()
}

/// Three tickets: 1 fresh, 2 with everything and closed, 3 updated.
fn three() -> Caller {
    let mut caller = Caller::new();
    let file = |caller: &mut Caller, id: &str, at: i64, write: &dyn Fn(&mut Ticket)| {
        caller.platform.create_ticket(NOW + at, |ticket| {
            ticket.ticket_id = id.to_string();
            write(ticket);
        });
    };
    file(&mut caller, "1", 100, &|_| ());
    file(&mut caller, "2", 200, &|ticket| {
        ticket.guest = user("ou_g", "Gu");
        ticket.agents = vec![user("ou_b", "Bo")];
        ticket.agent_owner = Some(user("ou_c", "Ce"));
        ticket.ticket_type = 1;
        ticket.channel = 9;
        ticket.tags = vec![Tag { id: "t1".to_string(), name: "vip".to_string() }];
    });
    file(&mut caller, "3", 300, &|_| ());
    caller.platform.rate_ticket("2", 1, Some("慢"), NOW + 350);
    caller.platform.close_ticket("2", STATUS_CLOSED_BY_AGENT, NOW + 400);
    caller.platform.update_ticket("3", NOW + 500, |ticket| ticket.status = 5);
    caller.platform.turn(|knobs| knobs.list_order = ListOrder::OldestFirst);
    caller
}

#[test]
fn each_parameter_filters() {
    let at = |ms: i64| (NOW + ms).to_string();
    let table: Vec<(Query<'_>, &[&str])> = vec![
        (vec![], &["1", "2", "3"]),
        (vec![("ticket_id", "2".into())], &["2"]),
        (vec![("agent_id", "ou_b".into())], &["2"]),
        (vec![("agent_id", "ou_c".into())], &["2"]),
        (vec![("closed_by_id", "ou_c".into())], &["2"]),
        (vec![("guest_id", "ou_g".into())], &["2"]),
        (vec![("guest_name", "Gu".into())], &["2"]),
        (vec![("guest_name", "G".into())], &[]),
        (vec![("type", "2".into())], &["1", "3"]),
        (vec![("channel", "9".into())], &["2"]),
        (vec![("solved", "2".into())], &["2"]),
        (vec![("score", "1".into())], &["2"]),
        (vec![("status_list", "1".into()), ("status_list", "5".into())], &["1", "3"]),
        (vec![("tags", "x".into()), ("tags", "vip".into())], &["2"]),
        (vec![("create_time_start", at(200)), ("create_time_end", at(300))], &["2", "3"]),
        (vec![("update_time_start", at(0)), ("update_time_end", at(499))], &["2"]),
        (vec![("update_time_start", at(400)), ("update_time_end", at(500))], &["2", "3"]),
        (vec![("page_size", "2".into())], &["1", "2"]),
        (vec![("page_size", "2".into()), ("page", "2".into())], &["3"]),
        (vec![("page_size", "2".into()), ("page", "3".into())], &[]),
    ];
    let mut caller = three();
    for (query, expected) in table {
        let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (status, code, data) = caller.get(LIST, &query);
        assert_eq!((status, code, ids(&data)), (200, 0, owned(expected)), "{query:?}");
        if !query.iter().any(|(name, _)| name.starts_with("page")) {
            assert_eq!(data["total"], expected.len(), "{query:?}");
        }
    }
    caller.platform.turn(|knobs| knobs.update_window_inclusive = false);
    let (start, end) = (at(400), at(500));
    let (.., data) = caller.get(LIST, &[("update_time_start", &start), ("update_time_end", &end)]);
    assert_eq!(data["total"], 0, "neither end is inside now");
}

#[test]
fn queries_that_make_no_sense_are_refused() {
    let table: &[&[(&str, &str)]] = &[
        &[("create_time_start", "1")],
        &[("update_time_end", "1")],
        &[("page", "0")],
        &[("page_size", "-1")],
        &[("status_list", "open")],
        &[("score", "")],
    ];
    for query in table {
        let (status, code, _) = three().get(LIST, query);
        assert_eq!((status, code), (400, 154_000), "{query:?}");
    }
}

#[test]
fn both_headers_are_needed() {
    let mut caller = three();
    let request = |value: &str| {
        Request::new("GET", "/open-apis/helpdesk/v1/tickets").header("X-Lark-Helpdesk-Authorization", value)
    };
    for bad in ["", "!!", "bm8tY29sb24=", "NjYyNjg3MTM1NTc4MDM2NjMzMDpodC1hYmM="] {
        let response = caller.send(request(bad));
        assert_eq!((response.status, response.code()), (401, Some(154_001)), "{bad}");
    }
    let right = "NjYyNjg3MTM1NTc4MDM2NjMzMDpodC10b2tlbg==";
    assert_eq!(caller.send(request(right)).code(), Some(0));
    assert_eq!(caller.send(request(&format!("Bearer {right}"))).code(), Some(0), "one SDK sends it so");
}

#[test]
fn one_ticket_is_read_or_not_found() {
    let mut caller = three();
    let (status, code, data) = caller.get("helpdesk/v1/tickets/2", &[]);
    assert_eq!((status, code, &data["ticket"]["closed_by"]["id"]), (200, 0, &json!("ou_c")));
    assert_eq!(data["ticket"]["dissatisfaction_reason"][0]["zh_cn"], "慢");
    caller.platform.delete_ticket("2");
    let (status, code, _) = caller.get("helpdesk/v1/tickets/2", &[]);
    assert_eq!((status, code), (404, 154_004));
    let other_desk = caller.platform.create_ticket(NOW, |ticket| ticket.helpdesk_id = "7".to_string());
    let (status, ..) = caller.get(&format!("helpdesk/v1/tickets/{other_desk}"), &[]);
    assert_eq!(status, 404, "another helpdesk's");
}

#[test]
fn a_query_reaches_ten_thousand_rows() {
    let mut caller = Caller::new();
    for number in 0..10_050 {
        caller.platform.create_ticket(NOW + number, |_| ());
    }
    let (.., data) = caller.get(LIST, &[("page_size", "500"), ("page", "50")]);
    assert_eq!((&data["total"], ids(&data).len()), (&json!(10_000), 200), "500 is 200");
    let (status, code, data) = caller.get(LIST, &[("page_size", "200"), ("page", "51")]);
    assert_eq!((status, code, ids(&data).len()), (200, 0, 0));
    caller.platform.turn(|knobs| {
        knobs.page_beyond_cap = Beyond::Refused;
        knobs.page_size_above_max = Beyond::Refused;
    });
    for query in [[("page_size", "200"), ("page", "51")], [("page_size", "201"), ("page", "1")]] {
        let (status, code, _) = caller.get(LIST, &query);
        assert_eq!((status, code), (400, 154_000), "{query:?}");
    }
}

/// The ids of all pages of five, read one after the other.
fn all_pages(order: ListOrder, change: f64) -> Vec<String> {
    let mut caller = Caller::new();
    for number in 0..50 {
        caller.platform.create_ticket(NOW + number, |ticket| ticket.updated_at = Some(NOW + number));
    }
    caller.platform.turn(|knobs| {
        knobs.list_order = order;
        knobs.change_between_pages = change;
    });
    let mut seen = Vec::new();
    for page in 1..=10 {
        caller.now_ms += 1000;
        let page = page.to_string();
        seen.extend(ids(&caller.get(LIST, &[("page_size", "5"), ("page", &page)]).2));
    }
    seen.sort_unstable();
    seen.dedup();
    seen
}

#[test]
fn pages_add_up_unless_they_shift() {
    for order in [ListOrder::NewestFirst, ListOrder::OldestFirst, ListOrder::Arbitrary] {
        assert_eq!(all_pages(order, 1.0).len(), 50, "{order:?}: a change moves no ticket");
    }
    assert_eq!(all_pages(ListOrder::LastUpdatedFirst, 0.0).len(), 50);
    assert!(all_pages(ListOrder::LastUpdatedFirst, 1.0).len() < 50, "a ticket slipped to the front, another off");
    assert!(all_pages(ListOrder::Shuffled, 0.0).len() < 50);
}

#[test]
fn custom_fields_are_defined_and_written() {
    let mut caller = Caller::new();
    let desk = caller.platform.add_default_helpdesk().0;
    let field = |id: &str, name: &str, visible| FieldDefinition {
        id: id.to_string(),
        key_name: format!("key_{id}"),
        display_name: name.to_string(),
        field_type: "dropdown".to_string(),
        options: vec![("o-0".to_string(), "P0".to_string()), ("o-1".to_string(), "P1".to_string())],
        multiple: false,
        visible,
        required: true,
    };
    caller.platform.add_field(&desk, field("1", "内部", false));
    caller.platform.add_field(&desk, field("2", "优先级", true));
    let (.., data) = caller.get("helpdesk/v1/customized_fields", &[]);
    let definition = &data["ticket_customized_fields"][1];
    assert_eq!((&definition["display_name"], &definition["position"]), (&json!("优先级"), &json!("2")));
    assert_eq!(definition["dropdown_options"]["children"][0]["tag"], "o-0");
    let (.., data) = caller.get("helpdesk/v1/customized_fields", &[("visible_only", "true")]);
    assert_eq!(data["ticket_customized_fields"].as_array().unwrap().len(), 1);

    let id = caller.platform.create_ticket(NOW, |_| ());
    caller.platform.set_custom_field(&id, "优先级", "P0", NOW + 1);
    let shown = |caller: &mut Caller, path: &str| {
        let (.., data) = caller.get(path, &[]);
        let ticket = if data["ticket"].is_null() { &data["tickets"][0] } else { &data["ticket"] };
        ticket["customized_fields"][0].clone()
    };
    let one = format!("helpdesk/v1/tickets/{id}");
    assert_eq!(shown(&mut caller, LIST)["value"], "P0");
    assert_eq!(shown(&mut caller, LIST)["id"], "2");
    caller.platform.turn(|knobs| knobs.dropdown_value = DropdownValue::OptionId);
    assert_eq!(shown(&mut caller, LIST)["value"], "o-0", "a turned knob shows at once");
    caller.platform.turn(|knobs| knobs.list_without_customized_fields = true);
    assert_eq!(shown(&mut caller, LIST), Value::Null);
    assert_eq!(shown(&mut caller, &one)["value"], "o-0");
}

#[test]
fn helpers_move_what_the_platform_moves() {
    let mut caller = Caller::new();
    let id = caller.platform.create_ticket(NOW, |_| ());
    let look = |caller: &Caller| caller.platform.ticket(&id).unwrap().clone();
    assert_eq!((id.len(), look(&caller).updated_at), (19, None));

    caller.platform.post_agent_reply(&id, &user("ou_b", "Bo"), NOW + 60_000);
    caller.platform.post_agent_reply(&id, &user("ou_c", "Ce"), NOW + 90_000);
    let ticket = look(&caller);
    assert_eq!(ticket.agent_first_response_duration, Some(60));
    assert_eq!(ticket.agent_last_response_time, Some(NOW + 90_000));
    assert_eq!((ticket.agent_owner.unwrap().id.as_str(), ticket.agents.len()), ("ou_b", 2));

    caller.platform.close_ticket(&id, STATUS_CLOSED_BY_AGENT, NOW + 120_000);
    assert!(look(&caller).is_closed() && look(&caller).closed_at == Some(NOW + 120_000));
    caller.platform.rate_ticket(&id, 1, None, NOW + 180_000);
    assert_eq!((look(&caller).score, look(&caller).updated_at), (Some(1), Some(NOW + 120_000)));
    caller.platform.turn(|knobs| knobs.rating_touches_updated_at = true);
    caller.platform.rate_ticket(&id, 2, None, NOW + 180_000);
    assert_eq!(look(&caller).updated_at, Some(NOW + 180_000));
    caller.platform.reopen_ticket(&id, NOW + 200_000);
    assert_eq!((look(&caller).closed_at, look(&caller).solve), (None, Some(1)));
    assert!(!caller.platform.close_ticket("nobody's", STATUS_CLOSED_BY_AGENT, NOW));
}
