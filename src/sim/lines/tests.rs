//! Tests of the long connections, without a socket.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::sim::{
    app::Transport,
    caller::{CARD, Caller, NOW},
    faults::{Fault, LineFault},
    frame::{CONTROL, DATA, Frame},
    knobs::Pong,
    lines::{Act, Push},
    platform::clicks::Manner,
    route::Route,
    wire::{Cut, Request, Response},
};

/// A card with one button.
const BUTTON: &str = r#"{"config":{"update_multi":true},"elements":[{"tag":"action","actions":[{"tag":"button",
"text":{"tag":"plain_text","content":"Take"},"value":{"do":"take"}}]}]}"#;

/// An app that takes events and clicks over long connections.
fn caller() -> Caller {
    let mut caller = Caller::new();
    caller.platform.app_mut().events_over = Transport::LongConnection;
    caller.platform.app_mut().clicks_over = Transport::LongConnection;
    caller
}

fn discover(caller: &mut Caller) -> Response {
    let app = caller.platform.app().clone();
    let request = Request::new("POST", "/callback/ws/endpoint").header("Host", "127.0.0.1:9").header("locale", "zh");
    let body = json!({ "AppID": app.app_id, "AppSecret": app.app_secret });
    caller.platform.handle(&request.json(&body), NOW)
}

fn address(caller: &mut Caller) -> String {
    discover(caller).json()["data"]["URL"].as_str().unwrap().to_string()
}

fn shake(caller: &mut Caller, address: &str, at_ms: i64) -> Response {
    let (place, query) = address.split_once('?').unwrap();
    assert_eq!(place, "ws://127.0.0.1:9/ws/v2");
    let mut request = Request::new("GET", "/ws/v2").header("upgrade", "WebSocket").header("connection", "Upgrade");
    for (name, value) in query.split('&').map(|pair| pair.split_once('=').unwrap()) {
        request = request.query(name, value);
    }
    let request = request.header("sec-websocket-version", "13").header("sec-websocket-key", "x3JJHMbDL1EzLkh9GBhXDw==");
    caller.platform.handle(&request, at_ms)
}

fn connect(caller: &mut Caller) -> u64 {
    let address = address(caller);
    shake(caller, &address, NOW).line.unwrap()
}

fn frames(pushes: &[Push]) -> Vec<Frame> {
    let frame = |push: &Push| match &push.act {
        Act::Frame(bytes) => Frame::decode(bytes),
        _ => None,
    };
    pushes.iter().filter_map(frame).collect()
}

/// The frame sent back with this payload, as clients should.
fn ack(frame: &Frame, payload: &str) -> Vec<u8> {
    let mut ack = frame.clone();
    ack.headers.push(("biz_rt".to_string(), "3".to_string()));
    ack.payload = payload.as_bytes().to_vec();
    ack.encode()
}

fn statuses(caller: &Caller) -> Vec<Option<u16>> {
    caller.platform.attempts().iter().map(|attempt| attempt.status).collect()
}

#[test]
fn an_address_is_given_for_the_right_credentials() {
    let mut caller = caller();
    let answer = discover(&mut caller);
    assert_eq!((answer.status, answer.code()), (200, Some(0)));
    let config = json!({ "ReconnectCount": -1, "ReconnectInterval": 120, "ReconnectNonce": 30, "PingInterval": 120 });
    assert_eq!(answer.json()["data"]["ClientConfig"], config);
    let app = caller.platform.app().clone();
    let bad = [
        json!({}),
        json!({ "appID": app.app_id, "appSecret": app.app_secret }), // the capitals count
        json!({ "AppID": app.app_id, "AppSecret": "x" }),
    ];
    for body in bad {
        let answer = caller.platform.handle(&Request::new("POST", "/callback/ws/endpoint").json(&body), NOW);
        assert_eq!((answer.status, answer.code()), (200, Some(514)), "{body}");
    }
    for code in [1, 1_000_040_343, 1_000_040_344] {
        caller.platform.fail_next(Route::LongConnection, Fault::Refused(200, code), 1);
        assert_eq!(discover(&mut caller).code(), Some(code));
    }
    caller.platform.fail_next(Route::LongConnection, Fault::BadGateway, 1);
    assert_eq!(discover(&mut caller).status, 502);
}

#[test]
fn an_address_holds_once_and_a_minute() {
    let mut caller = caller();
    let first = address(&mut caller);
    assert_eq!(shake(&mut caller, &first, NOW).status, 101);
    let second = shake(&mut caller, &first, NOW);
    assert_eq!((second.status, second.line), (200, None));
    assert_eq!(second.header_value("Handshake-Status"), Some("403"));
    let late = address(&mut caller);
    assert_ne!(late, first);
    assert_eq!(shake(&mut caller, &late, NOW + 60_000).header_value("handshake-status"), Some("403"));
    caller.platform.fail_next(Route::Handshake, Fault::CutAfter, 1);
    let cut = address(&mut caller);
    assert_eq!(shake(&mut caller, &cut, NOW).cut, Cut::AfterActing);
    let plain = caller.platform.handle(&Request::new("GET", "/ws/v2"), NOW);
    assert_eq!((plain.line, plain.header_value("Handshake-Status")), (None, Some("400")), "no browser gets in");
}

#[test]
fn there_are_fifty_lines_at_most() {
    let mut caller = caller();
    let lines: Vec<u64> = (0..50).map(|_| connect(&mut caller)).collect();
    let late = address(&mut caller);
    let refused = shake(&mut caller, &late, NOW);
    let header = |name| refused.header_value(name).unwrap().to_string();
    assert_eq!((header("Handshake-Status"), header("Handshake-Autherrcode")), ("514".into(), "1000040350".into()));
    caller.platform.turn(|knobs| knobs.lines_counted_at_handshake = false);
    assert_eq!(discover(&mut caller).code(), Some(1_000_040_350), "or whoever asks is told so at once");
    caller.platform.line_ended(lines[7]);
    assert!(connect(&mut caller) > 0);
}

#[test]
fn pings_are_answered_as_ordered() {
    let mut caller = caller();
    let line = connect(&mut caller);
    let ping = Frame {
        service: 33_554_678,
        method: CONTROL,
        headers: vec![("type".to_string(), "ping".to_string())],
        ..Frame::default()
    };
    let config = r#"{"PingInterval":90,"ReconnectCount":-1,"ReconnectInterval":120,"ReconnectNonce":30}"#;
    let table = [
        (Pong::Never, None),
        (Pong::Empty, Some("")),
        (Pong::Config, Some(config)),
        (Pong::Says("{}".to_string()), Some("{}")),
    ];
    caller.platform.turn(|knobs| knobs.client_config.ping_interval = 90);
    for (pong, expected) in table {
        caller.platform.turn(|knobs| knobs.pong = pong);
        let answer = caller.platform.hear(line, &ping.encode(), NOW);
        let payload = frames(answer.as_slice()).first().map(|frame| String::from_utf8(frame.payload.clone()).unwrap());
        assert_eq!(payload.as_deref(), expected);
    }
    for noise in [&b"{}"[..], &Frame { service: 7, ..ping.clone() }.encode(), &Frame { method: 2, ..ping }.encode()] {
        assert_eq!(caller.platform.hear(line, noise, NOW), None);
    }
    assert_eq!(caller.platform.odd_frames().len(), 3);
}

#[test]
fn an_event_goes_to_one_line_and_comes_again_until_it_is_taken() {
    let mut caller = caller();
    for _ in 0..3 {
        connect(&mut caller);
    }
    caller.platform.person_says("oc_a", "ou_li", "/ticket 7", true, NOW);
    assert_eq!(caller.platform.take_deliveries(NOW), [], "nothing is posted");
    // Refused, unanswered, then taken.
    let payloads = [Some(r#"{"code":500}"#), None, Some(r#"{"code":200,"headers":null,"data":null}"#)];
    let mut ids = Vec::new();
    for (at, payload) in [0, 15_000, 318_001].into_iter().zip(payloads) {
        assert_eq!(caller.platform.next_push_ms(), Some(NOW + at));
        let pushes = caller.platform.take_pushes(NOW + at);
        let frame = frames(&pushes).remove(0);
        assert_eq!(pushes.len(), 1, "no broadcast");
        assert_eq!((frame.method, frame.header("type"), frame.header("sum")), (DATA, Some("event"), Some("1")));
        let event: Value = serde_json::from_slice(&frame.payload).unwrap();
        assert_eq!((&event["schema"], &event["header"]["token"]), (&json!("2.0"), &json!("")));
        ids.push(event["header"]["event_id"].clone());
        match payload {
            Some(payload) => {
                caller.platform.hear(pushes[0].line, &ack(&frame, payload), NOW + at);
            }
            None => assert_eq!(caller.platform.take_pushes(NOW + at + 3_001), []),
        }
        assert!(!caller.platform.waits_for_ack());
    }
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(statuses(&caller), [Some(500), None, Some(200)]);
    assert_eq!(caller.platform.next_push_ms(), None);
}

#[test]
fn events_are_spread_over_the_lines_and_fail_while_there_is_none() {
    let mut caller = caller();
    caller.platform.person_says("oc_a", "ou_li", "x", true, NOW);
    assert_eq!(caller.platform.take_pushes(NOW), []);
    assert_eq!(statuses(&caller), [None]);
    assert!(!caller.platform.save_long_connection(), "the console takes it only while a client is connected");
    let lines: Vec<u64> = (0..3).map(|_| connect(&mut caller)).collect();
    assert!(caller.platform.save_long_connection());
    for _ in 0..60 {
        caller.platform.person_says("oc_a", "ou_li", "x", true, NOW);
    }
    let pushes = caller.platform.take_pushes(NOW);
    for line in lines {
        assert!(pushes.iter().filter(|push| push.line == line).count() > 9, "{line}");
    }
}

#[test]
fn what_is_no_acknowledgement_is_a_failure() {
    let bad = [
        ("code 0", None, r#"{"code":0}"#),
        ("no JSON", None, "ok"),
        ("data as it is", None, r#"{"code":200,"data":{"toast":{}}}"#),
        ("an array of numbers", None, r#"{"code":200,"data":[123,125]}"#),
        ("base64 of no JSON", None, r#"{"code":200,"data":"b2s="}"#),
        ("another sequence number", Some((0, None)), r#"{"code":200}"#),
        ("another log number", Some((1, Some(0))), r#"{"code":200}"#),
    ];
    for (what, numbers, payload) in bad {
        let mut caller = caller();
        let line = connect(&mut caller);
        caller.platform.person_says("oc_a", "ou_li", "x", true, NOW);
        let frame = frames(&caller.platform.take_pushes(NOW)).remove(0);
        let (seq_id, log_id) = numbers.unwrap_or((frame.seq_id, None));
        let changed = Frame { seq_id, log_id: log_id.unwrap_or(frame.log_id), ..frame };
        caller.platform.hear(line, &ack(&changed, payload), NOW);
        assert_eq!(statuses(&caller), [None], "{what}");
        assert_eq!(caller.platform.odd_frames().len(), 1, "{what}");
        assert_eq!(caller.platform.next_push_ms(), Some(NOW + 15_000), "{what}: it comes again");
    }
}

#[test]
fn a_long_event_comes_in_parts_and_any_of_them_is_acknowledged() {
    let mut caller = caller();
    caller.platform.turn(|knobs| knobs.part_bytes_max = 200);
    let line = connect(&mut caller);
    caller.platform.person_says("oc_a", "ou_li", "工单", true, NOW);
    let frames = frames(&caller.platform.take_pushes(NOW));
    assert!(frames.len() > 2);
    let whole: Vec<u8> = frames.iter().flat_map(|frame| frame.payload.clone()).collect();
    assert!(serde_json::from_slice::<Value>(&whole).is_ok());
    for (place, frame) in frames.iter().enumerate() {
        assert_eq!(frame.header("seq"), Some(place.to_string().as_str()));
        assert_eq!(frame.header("sum"), Some(frames.len().to_string().as_str()));
        assert_eq!(frame.seq_id, place as u64 + 1);
    }
    caller.platform.hear(line, &ack(&frames[1], r#"{"code":200}"#), NOW);
    assert_eq!(statuses(&caller), [Some(200)]);
}

#[test]
fn every_fault_does_what_it_says() {
    // Frames that arrive, how the line ends, and whether the event comes again.
    let table = [
        (LineFault::AckLost, vec!["0", "1", "2"], None, true),
        (LineFault::Doubled, vec!["0", "1", "2", "0", "1", "2"], None, false),
        (LineFault::Shuffled, vec!["2", "1", "0"], None, false),
        (LineFault::PartLost, vec!["0", "1"], None, true),
        (LineFault::CutBefore, vec![], Some("cut"), true),
        (LineFault::CutInside, vec!["0", "1"], Some("inside"), true),
        (LineFault::CutAfter, vec!["0", "1", "2"], Some("cut"), true),
        (LineFault::Closed, vec!["0", "1", "2"], Some("close"), true),
    ];
    for (fault, arrives, end, comes_again) in table {
        let mut caller = caller();
        caller.platform.push_event("test", json!({ "text": "x".repeat(700) }), NOW);
        caller.platform.turn(|knobs| knobs.part_bytes_max = 350);
        caller.platform.faults_mut().line_next.push(fault);
        let line = connect(&mut caller);
        let pushes = caller.platform.take_pushes(NOW);
        let frames = frames(&pushes);
        let order: Vec<_> = frames.iter().map(|frame| frame.header("seq").unwrap()).collect();
        assert_eq!(order, arrives, "{fault:?}");
        let ended = pushes.last().and_then(|push| match push.act {
            Act::Frame(_) => None,
            Act::Inside(_) => Some("inside"),
            Act::Cut => Some("cut"),
            Act::Close => Some("close"),
        });
        assert_eq!(ended, end, "{fault:?}");
        assert_eq!(caller.platform.open_lines(), usize::from(end.is_none()), "{fault:?}");
        // A client acknowledges what it has whole, each time it has it.
        for frame in frames.iter().skip(2).step_by(3) {
            caller.platform.hear(line, &ack(frame, r#"{"code":200}"#), NOW);
        }
        caller.platform.take_pushes(NOW + 3_001);
        assert_eq!(caller.platform.next_push_ms().is_some(), comes_again, "{fault:?}");
        assert!(caller.platform.odd_frames().is_empty());
    }
}

#[test]
fn a_frozen_line_swallows_everything_until_it_is_given_up() {
    let mut caller = caller();
    let line = connect(&mut caller);
    caller.platform.freeze_lines();
    caller.platform.person_says("oc_a", "ou_li", "x", true, NOW);
    assert_eq!(caller.platform.take_pushes(NOW), []);
    assert!(caller.platform.waits_for_ack());
    assert_eq!(caller.platform.open_lines(), 1, "the platform takes it for open");
    caller.platform.turn(|knobs| knobs.silent_line_ms = Some(5_000));
    assert_eq!(caller.platform.take_pushes(NOW + 5_001), [Push { line, act: Act::Cut }]);
    assert_eq!(caller.platform.open_lines(), 0);
    connect(&mut caller);
    caller.platform.end_lines(&Act::Close);
    assert_eq!(caller.platform.take_pushes(NOW).len(), 1);
}

#[test]
fn a_click_is_answered_in_the_acknowledgement() {
    let toast = STANDARD.encode(r#"{"toast":{"type":"info","content":"ok","i18n":{"zh_cn":"好","en_us":"ok"}}}"#);
    let card = STANDARD
        .encode(json!({ "card": { "type": "raw", "data": serde_json::from_str::<Value>(CARD).unwrap() } }).to_string());
    let table = [
        (Some(format!(r#"{{"code":200,"data":"{toast}"}}"#)), Some("好"), false, None),
        (Some(format!(r#"{{"code":200,"headers":{{}},"data":"{card}"}}"#)), None, true, None),
        (Some(r#"{"code":200,"data":"e30="}"#.to_string()), None, false, None),
        (Some(r#"{"code":200}"#.to_string()), None, false, Some(200_672)),
        (Some(r#"{"code":500}"#.to_string()), None, false, Some(200_671)),
        (None, None, false, Some(200_341)),
    ];
    for (payload, toast, changed, error) in table {
        let mut caller = caller();
        let (_, _, sent) = caller.card(BUTTON);
        let id = sent["message_id"].as_str().unwrap();
        let line = connect(&mut caller);
        let click = caller.platform.click(id, "ou_li", "Take", Manner::default(), NOW).unwrap();
        caller.platform.push_click(click.clone(), NOW);
        let frame = frames(&caller.platform.take_pushes(NOW)).remove(0);
        let event: Value = serde_json::from_slice(&frame.payload).unwrap();
        assert_eq!(frame.header("type"), Some("event"));
        assert_eq!(
            (&event["header"]["event_type"], &event["header"]["token"]),
            (&json!("card.action.trigger"), &json!(""))
        );
        assert_eq!(caller.platform.shown(&click.event_id), None);
        if let Some(payload) = &payload {
            caller.platform.hear(line, &ack(&frame, payload), NOW);
        }
        caller.platform.take_pushes(NOW + 3_001);
        let shown = caller.platform.shown(&click.event_id).unwrap();
        let words = shown.toast.as_ref().map(|(_, words)| words.as_str());
        assert_eq!((words, shown.changed, shown.error), (toast, changed, error), "{payload:?}");
        assert_eq!(caller.platform.next_push_ms(), None, "a click is never repeated");
    }
}

#[test]
fn a_click_without_a_client_fails_and_the_old_form_has_its_own_type() {
    let mut caller = caller();
    let (_, _, sent) = caller.card(BUTTON);
    let id = sent["message_id"].as_str().unwrap();
    let click = caller.platform.click(id, "ou_li", "Take", Manner::default(), NOW).unwrap();
    caller.platform.push_click(click.clone(), NOW);
    assert_eq!(caller.platform.shown(&click.event_id).unwrap().error, Some(200_340));
    connect(&mut caller);
    let manner = Manner { flat: true, ..Manner::default() };
    let flat = caller.platform.click(id, "ou_li", "Take", manner, NOW).unwrap();
    caller.platform.push_click(flat, NOW);
    assert_eq!(frames(&caller.platform.take_pushes(NOW))[0].header("type"), Some("card"));
}
