//! Tests of what the platform does before and around its endpoints.

use serde_json::{Value, json};

use crate::sim::{
    directory::ChatKind,
    faults::{Fault, Faults},
    platform::Platform,
    route::Route,
    wire::{Cut, Request, Response},
};

const NOW: i64 = 1_790_000_000_000;

const CARD: &str = r#"{"config":{"update_multi":true},"elements":[{"tag":"markdown","content":"hi"}]}"#;

fn token(platform: &mut Platform, now_ms: i64) -> String {
    let app = platform.app().clone();
    let request = Request::new("POST", "/open-apis/auth/v3/tenant_access_token/internal")
        .json(&json!({ "app_id": app.app_id, "app_secret": app.app_secret }));
    let answer = platform.handle(&request, now_ms).json();
    answer["tenant_access_token"].as_str().unwrap_or_default().to_string()
}

fn with_chat(seed: u64) -> (Platform, String) {
    let mut platform = Platform::new(seed);
    platform.add_chat("oc_a", "IT 支持群", ChatKind::Group);
    let token = token(&mut platform, NOW);
    (platform, token)
}

fn info(platform: &mut Platform, token: &str, now_ms: i64) -> Response {
    let request = Request::new("GET", "/open-apis/bot/v3/info").header("Authorization", &format!("Bearer {token}"));
    platform.handle(&request, now_ms)
}

fn create(uuid: &str, token: &str) -> Request {
    Request::new("POST", "/open-apis/im/v1/messages")
        .query("receive_id_type", "chat_id")
        .header("Authorization", &format!("Bearer {token}"))
        .json(&json!({ "receive_id": "oc_a", "msg_type": "interactive", "content": CARD, "uuid": uuid }))
}

#[test]
fn unknown_paths_and_methods_are_no_business_answers() {
    let mut platform = Platform::new(1);
    let lost = platform.handle(&Request::new("GET", "/open-apis/x"), NOW);
    assert_eq!((lost.status, lost.body.as_ref()), (404, b"404 page not found".as_ref()));
    let wrong = platform.handle(&Request::new("DELETE", "/open-apis/im/v1/chats"), NOW);
    assert_eq!((wrong.status, wrong.code()), (405, Some(99_991_301)));
    assert!(platform.calls().all(|call| call.at_ms == NOW));
}

#[test]
fn every_response_carries_a_log_id_and_the_date() {
    let (mut platform, token) = with_chat(1);
    platform.turn(|knobs| knobs.clock_ahead_ms = 1000);
    let fine = info(&mut platform, &token, NOW);
    assert_eq!(fine.json()["bot"]["open_id"], platform.app().bot_open_id);
    assert!(fine.header_value("x-tt-logid").is_some());
    assert_eq!(fine.header_value("date"), Some("Mon, 21 Sep 2026 14:13:21 GMT"));
    let refused = info(&mut platform, "t-wrong", NOW);
    assert_eq!(refused.json()["error"]["log_id"].as_str(), refused.header_value("X-Tt-Logid"));
}

#[test]
fn a_missing_scope_is_named() {
    let (mut platform, token) = with_chat(1);
    let lacking = ["im:message", "im:message:send_as_bot"];
    platform.turn(|knobs| knobs.scopes_missing.insert(lacking[0].to_string()).then_some(()).unwrap());
    assert_eq!(platform.handle(&create("a", &token), NOW).code(), Some(0), "one of several scopes is enough");
    platform.turn(|knobs| knobs.scopes_missing = lacking.map(str::to_string).into());
    let refused = platform.handle(&create("b", &token), NOW);
    assert_eq!((refused.status, refused.code()), (400, Some(99_991_672)));
    assert_eq!(refused.json()["error"]["permission_violations"][1]["subject"], lacking[1]);
}

#[test]
fn the_fifty_first_call_of_a_second_is_limited() {
    let (mut platform, token) = with_chat(1);
    for _ in 0..50 {
        assert_eq!(info(&mut platform, &token, NOW).status, 200);
    }
    let limited = info(&mut platform, &token, NOW + 500);
    assert_eq!((limited.status, limited.code()), (429, Some(99_991_400)));
    assert_eq!(limited.header_value("x-ogw-ratelimit-reset"), Some("1"));
    assert_eq!(info(&mut platform, &token, NOW + 1000).status, 200);
    platform.turn(|knobs| knobs.limits = false);
    assert!((0..100).all(|_| info(&mut platform, &token, NOW + 1000).status == 200));
}

#[test]
fn the_month_runs_out_and_begins_again() {
    let (mut platform, token) = with_chat(1);
    platform.turn(|knobs| knobs.quota_per_month = Some(2));
    assert_eq!(info(&mut platform, "t-wrong", NOW).status, 400, "a failed call is not counted");
    assert_eq!(info(&mut platform, &token, NOW).status, 200);
    assert_eq!(info(&mut platform, &token, NOW).status, 200);
    let out = info(&mut platform, &token, NOW);
    assert_eq!((out.status, out.code()), (429, Some(99_991_403)));
    let october = 1_790_784_000_000;
    let token = self::token(&mut platform, october);
    assert_eq!(info(&mut platform, &token, october - 1).status, 429);
    assert_eq!(info(&mut platform, &token, october).status, 200);
}

#[test]
fn ordered_trouble_hits_the_next_requests_of_its_endpoint() {
    let table = [
        (Fault::InternalError, 500, Some(2200), Cut::None, 0),
        (Fault::BadGateway, 502, None, Cut::None, 0),
        (Fault::CutBefore, 503, None, Cut::BeforeActing, 0),
        (Fault::CutAfter, 200, Some(0), Cut::AfterActing, 1),
        (Fault::Slow(4000), 200, Some(0), Cut::None, 1),
        (Fault::RateLimited(3), 429, Some(99_991_400), Cut::None, 0),
        (Fault::ChatLimited, 400, Some(230_020), Cut::None, 0),
        (Fault::TokenRevoked, 400, Some(99_991_663), Cut::None, 0),
        (Fault::QuotaUsedUp, 429, Some(99_991_403), Cut::None, 0),
        (Fault::Refused(400, 230_022), 400, Some(230_022), Cut::None, 0),
    ];
    for (fault, status, code, cut, sent) in table {
        let (mut platform, token) = with_chat(1);
        platform.fail_next(Route::MessageCreate, fault, 1);
        assert_eq!(info(&mut platform, &token, NOW).status, 200, "another endpoint is spared");
        let response = platform.handle(&create("a", &token), NOW);
        assert_eq!((response.status, response.code(), response.cut), (status, code, cut), "{fault:?}");
        assert_eq!(platform.messages_in("oc_a").len(), sent, "{fault:?}");
        assert_eq!(response.delay_ms, if fault == Fault::Slow(4000) { 4000 } else { 0 });
        let token = self::token(&mut platform, NOW + 5000);
        assert_eq!(platform.handle(&create("a", &token), NOW + 5000).code(), Some(0), "then it is over: {fault:?}");
        assert_eq!(platform.messages_in("oc_a").len(), 1, "{fault:?}");
    }
}

#[test]
fn windows_of_trouble_begin_and_end() {
    let (mut platform, token) = with_chat(1);
    platform.faults_mut().down.push(NOW + 10..NOW + 20);
    platform.faults_mut().quota_used_up.push(NOW + 20..NOW + 30);
    let statuses: Vec<u16> = [9, 10, 19, 20, 29, 30].map(|at| info(&mut platform, &token, NOW + at).status).to_vec();
    assert_eq!(statuses, [200, 502, 502, 429, 429, 200]);
    assert_ne!(self::token(&mut platform, NOW + 25), "", "authentication is not counted");
}

/// A day of sends under every kind of trouble: what each answered.
fn story(seed: u64, p: f64) -> Vec<(u16, Value, Cut, i64)> {
    let (mut platform, mut token) = with_chat(seed);
    *platform.faults_mut() = Faults::everything(p);
    let mut told = Vec::new();
    for number in 0..200 {
        let now_ms = NOW + number * 700;
        let response = platform.handle(&create(&format!("u{}", number / 2), &token), now_ms);
        if response.code() == Some(99_991_663) {
            token = self::token(&mut platform, now_ms);
        }
        told.push((response.status, response.json(), response.cut, response.delay_ms));
    }
    told
}

#[test]
fn the_same_seed_tells_the_same_story() {
    assert_eq!(story(7, 0.05), story(7, 0.05));
    assert_ne!(story(7, 0.05), story(8, 0.05));
    let calm = story(7, 0.0);
    assert!(calm.iter().all(|(status, _, cut, delay)| (*status, *cut, *delay) == (200, Cut::None, 0)));
    let statuses: std::collections::BTreeSet<u16> = story(7, 0.05).into_iter().map(|(status, ..)| status).collect();
    assert!([200, 400, 429, 500, 502].iter().all(|status| statuses.contains(status)), "{statuses:?}");
}
