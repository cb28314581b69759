//! What operators ask and do over the admin API: a real engine, real sockets, paused time.

mod duty;

use std::{collections::BTreeSet, fs, net::SocketAddr, sync::Arc};

use deskbell::{
    adapters::{
        clock::Clock,
        http::{self, Proxy},
        rulebook::{alone::asked_condition, names::Names},
    },
    domain::{
        chronicle::LEADS,
        condition::{Operator, Target},
        field::Field,
        id::RuleName,
        rule::{Count, Rule, RuleKind},
        text::Message,
        time::Span,
    },
    sim::{faults::Fault, route::Route},
    web::{
        admin, listener,
        oncall::PAGES_MAX,
        openapi,
        operators::{BODY_BYTES_MAX, Operators},
        state::{Admin, CallbackCounts},
        status::Status,
        tokens::{Scope, Token, Tokens},
    },
};
use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
};

use crate::world::{Plot, TEAM, World, bad_score, code, rule, waiting_for_user, zone};

/// A world with the admin API on a socket.
pub(crate) struct Office {
    pub(crate) world: World,
    address: SocketAddr,
    client: reqwest::Client,
    _stop: watch::Sender<bool>,
}

impl Office {
    pub(crate) async fn open(world: World) -> Self {
        let admin = Admin {
            status: Arc::new(Status::default),
            reload: None,
            explain: None,
            operators: Some(Operators {
                port: world.port(),
                zone: zone(),
                clock: world.clock(),
                compile: Arc::new(|text| match text {
                    "status: open" => Ok(code("status", &[1])),
                    _ => Err(Message::new("没有这个字段", "there is no such field")),
                }),
                compile_list: Arc::new(|text| asked_condition(text, &Names::default())),
                pages: Arc::new(Semaphore::new(PAGES_MAX)),
            }),
            tokens: tokens(),
            counts: Arc::new(CallbackCounts::default()),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopping) = watch::channel(false);
        let clock: Clock = world.clock();
        tokio::spawn(listener::serve(listener, admin::router(admin), clock, stopping));
        let client = http::client(&http::Config { proxy: Proxy::None, ..http::Config::default() }).unwrap();
        Self { world, address, client, _stop: stop }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: impl Into<reqwest::Body>,
    ) -> (u16, Value) {
        self.send_with("operator", method, path, key, body).await
    }

    pub(crate) async fn send_with(
        &self,
        token: &str,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: impl Into<reqwest::Body>,
    ) -> (u16, Value) {
        let mut request = self.client.request(method, format!("http://{}{path}", self.address)).body(body);
        // An idle connection would be closed when time jumps.
        request = request.bearer_auth(token).header("connection", "close");
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.send(Method::GET, path, None, "").await
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.send(Method::POST, path, None, body.to_string()).await
    }
}

/// The command line's, one that reads and one that acts.
fn tokens() -> Tokens {
    let token = |name: Option<&str>, secret: &str, scope| Token {
        name: name.map(Into::into),
        secret: SecretString::from(secret.to_owned()),
        scope,
    };
    Tokens::new(vec![
        token(None, "operator", Scope::Act),
        token(Some("grafana"), "looker", Scope::Read),
        token(Some("runbook"), "runner", Scope::Act),
    ])
}

fn plot() -> Plot {
    Plot { rules: vec![bad_score(), waiting_for_user(Span::from_hours(1))], ..Plot::default() }
}

/// Three bad tickets ring, one waits for its guest.
async fn office() -> Office {
    let world = World::start(plot(), |_| {}).await;
    world.until(Span::from_secs(35)).await;
    for name in ["Zoe", "Ann", "Bob"] {
        world.file(|ticket| {
            ticket.guest.name = name.to_owned();
            ticket.score = Some(1);
        });
        world.pass(Span::from_mins(1)).await;
    }
    world.file(|ticket| ticket.status = 5);
    world.pass(Span::from_mins(90)).await;
    Office::open(world).await
}

fn list<'a>(page: &'a Value, key: &str) -> Vec<&'a str> {
    page["alerts"].as_array().unwrap().iter().map(|alert| alert[key].as_str().unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn alerts_are_listed_filtered_and_paged() {
    let office = office().await;
    let (status, page) = office.get("/api/v1/alerts").await;
    assert_eq!((status, &page["total"], &page["more"]), (200, &json!(4), &Value::Null), "{page:#}");
    let titles: Vec<&Value> = page["alerts"].as_array().unwrap().iter().map(|alert| &alert["title"]).collect();
    assert_eq!(titles[..3], ["Zoe", "Ann", "Bob"], "those that hold longest come first");
    assert_eq!(page["alerts"][0]["told"][0]["how"], "card");
    let cases = [
        ("rule=waiting", 1),
        ("rule=bad%20score", 3),
        ("source=it-desk", 4),
        ("severity=warning", 4),
        ("severity=critical", 0),
        ("state=firing", 4),
        ("state=ended", 0),
        ("state=taken&rule=waiting", 0),
    ];
    for (query, expected) in cases {
        let (status, page) = office.get(&format!("/api/v1/alerts?{query}")).await;
        assert_eq!((status, &page["total"]), (200, &json!(expected)), "{query}: {page:#}");
    }
    let ticket = page["alerts"][1]["subject"].as_str().unwrap().strip_prefix("ticket:it-desk:").unwrap().to_string();
    let (_, of_ticket) = office.get(&format!("/api/v1/alerts?ticket={ticket}")).await;
    assert_eq!((&of_ticket["total"], &of_ticket["alerts"][0]["title"]), (&json!(1), &json!("Ann")));
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let (_, page) = office.get(&format!("/api/v1/alerts?limit=1{after}")).await;
        seen.extend(list(&page, "reference").into_iter().map(str::to_string));
        match page["more"].as_str() {
            Some(more) => after = format!("&after={more}"),
            None => break,
        }
    }
    assert_eq!(seen, list(&page, "reference"), "page by page the same");
    let (status, one) = office.get(&format!("/api/v1/alerts/{}", seen[2].to_lowercase())).await;
    assert_eq!((status, &one), (200, &page["alerts"][2]));
    for (path, status, word) in [
        ("/api/v1/alerts/FFFFFF", 404, "deskbell alerts"),
        ("/api/v1/alerts?source=orders", 404, "there is no source \"orders\"; there is it-desk"),
        ("/api/v1/alerts?team=payment", 404, "there is no team \"payment\""),
        ("/api/v1/alerts?rule=bad%20scor", 404, "there is no rule \"bad scor\". Did you mean \"bad score\"?"),
        ("/api/v1/alerts?state=gone", 400, "firing"),
        ("/api/v1/alerts?severity=high", 400, "critical"),
        ("/api/v1/alerts?after=x", 400, "more"),
        ("/api/v1/alerts?colour=red", 400, "colour"),
        ("/api/v1/alerts?limit=many", 400, "limit"),
        ("/api/v1/alerts?limit=0", 400, "1 to 500"),
        ("/api/v1/alerts?limit=501", 400, "1 to 500"),
        ("/api/v1/alerts?ticket=12", 404, "5 digits"),
    ] {
        let (found, problem) = office.get(path).await;
        let said = problem["error"]["en"].as_str().unwrap_or_default();
        assert!(found == status && said.contains(word), "{path}: {found} {problem:#}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_alert_is_taken_given_back_put_off_and_ended() {
    let office = office().await;
    let (_, page) = office.get("/api/v1/alerts?rule=bad%20score&limit=1").await;
    let reference = page["alerts"][0]["reference"].as_str().unwrap();
    let path = |verb: &str| format!("/api/v1/alerts/{reference}/{verb}");
    let by = |name: &str| json!({ "by": name });
    let steps = [
        ("take", by("李雷"), 200, "done", "taken"),
        ("take", by("李雷"), 200, "already", "taken"),
        ("take", by("韩梅梅"), 200, "already", "taken"),
        ("release", by("韩梅梅"), 200, "done", "firing"),
        ("release", json!({}), 200, "already", "firing"),
        ("snooze", json!({ "by": "李雷", "for": "30m" }), 200, "done", "snoozed"),
        ("done", by("李雷"), 200, "done", "ended"),
        ("done", by("李雷"), 200, "already", "ended"),
        ("take", by("李雷"), 200, "already", "ended"),
    ];
    for (verb, body, status, tone, state) in steps {
        let (found, done) = office.post(&path(verb), &body).await;
        let told = (found, &done["tone"], &done["alert"]["state"]);
        assert_eq!(told, (status, &json!(tone), &json!(state)), "{verb} {body}: {done:#}");
        if state == "taken" {
            assert_eq!(done["alert"]["taken"]["by"]["en"], "李雷", "{done:#}");
        }
    }
    let (_, ended) = office.get("/api/v1/alerts?state=ended").await;
    assert_eq!(ended["alerts"][0]["ended_by"]["zh"], "李雷", "{ended:#}");
    assert_eq!(ended["alerts"][0]["end_reason"]["en"], "someone handled it");
    assert_eq!(office.post("/api/v1/alerts/FFFFFF/take", &json!({})).await.0, 404);
    let beginning = reference.get(..4).unwrap();
    for (status, problem) in [
        office.post(&format!("/api/v1/alerts/{beginning}/take"), &json!({})).await,
        office.get(&format!("/api/v1/alerts/{beginning}")).await,
    ] {
        let said = problem["error"]["en"].as_str().unwrap();
        assert!(status == 404 && said.contains(&format!("#{reference} bad score")), "{status} {problem:#}");
    }
}

#[tokio::test(start_paused = true)]
async fn silences_are_added_listed_and_ended() {
    let office = office().await;
    let new = json!({ "rule": "bad score", "for": "2h", "reason": "维护", "by": "李雷" });
    let first = office.send(Method::POST, "/api/v1/silences", Some("k"), new.to_string()).await;
    assert_eq!((first.0, &first.1["tone"]), (200, &json!("done")), "{:#}", first.1);
    assert_eq!(office.send(Method::POST, "/api/v1/silences", Some("k"), new.to_string()).await.0, 200);
    let (_, page) = office.get("/api/v1/silences").await;
    let found = &page["silences"][0];
    assert_eq!(page["silences"].as_array().unwrap().len(), 1, "the same key is the same silence: {page:#}");
    let told = (&found["id"], &found["by"]["zh"], &found["reason"], &found["ringing"]);
    assert_eq!(told, (&json!("S1"), &json!("李雷"), &json!("维护"), &json!(3)));
    let (_, alerts) = office.get("/api/v1/alerts?rule=bad%20score&limit=1").await;
    let hushed = alerts["alerts"][0]["told"][0]["hushed"]["en"].as_str().unwrap();
    assert!(hushed.contains("S1"), "{alerts:#}");
    let cases = [
        (json!({ "for": "2h", "reason": "x" }), 409, ""),
        (json!({ "rule": "bad score", "reason": "x" }), 400, "for"),
        (json!({ "rule": "bad score", "for": "1h", "until": "2026-11-20 18:00" }), 400, "until"),
        (json!({ "rule": "bad score", "until": "tomorrow" }), 400, "until"),
        (json!({ "rule": "bad score", "until": "2026-11-01 18:00" }), 400, "until"),
        (json!({ "rule": "bad score", "until": "2026-11-21" }), 400, "until"),
        (json!({ "rule": "bad score", "for": "99d" }), 409, ""),
        (json!({ "severity": "loud", "for": "1h" }), 400, "severity"),
        (json!({ "ticket": "6626871355780999999", "for": "1h" }), 404, ""),
        (json!({ "when": { "colour": "red" }, "for": "1h" }), 422, "when"),
        (json!({ "when": "x".repeat(1_001), "for": "1h" }), 400, "when"),
        (json!({ "when": "status: open", "until": "2026-11-20T18:00:00+08:00" }), 200, ""),
    ];
    for (body, status, place) in cases {
        let (found, answer) = office.post("/api/v1/silences", &body).await;
        assert_eq!((found, answer["place"].as_str().unwrap_or_default()), (status, place), "{body}: {answer:#}");
    }
    assert_eq!(office.send(Method::DELETE, "/api/v1/silences/S1", None, "{}").await.1["tone"], "done");
    assert_eq!(office.send(Method::DELETE, "/api/v1/silences/1", None, "").await.1["tone"], "already");
    assert_eq!(office.send(Method::DELETE, "/api/v1/silences/S99", None, "").await.0, 404);
    assert_eq!(office.send(Method::DELETE, "/api/v1/silences/all", None, "").await.0, 400);
    assert_eq!(office.get("/api/v1/silences").await.1["silences"].as_array().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_route_says_whom_each_rule_tells() {
    let office = office().await;
    let (_, page) = office.get("/api/v1/alerts?limit=1").await;
    let ticket = page["alerts"][0]["subject"].as_str().unwrap().strip_prefix("ticket:").unwrap();
    let (status, route) = office.get(&format!("/api/v1/route?ticket={ticket}&lang=en")).await;
    assert_eq!((status, &route["ticket"]), (200, &json!(ticket)), "{route:#}");
    let rule = &route["rules"][0];
    assert_eq!((&rule["rule"], &rule["tells"][0]["receiver"]), (&json!("bad score"), &json!("team")), "{route:#}");
    assert_eq!(rule["tells"][0]["kind"]["en"], "chat oc_team");
    let text = route["text"].as_str().unwrap();
    assert!(text.contains("no team fits") && text.contains("team → team (chat oc_team)"), "{text}");
    assert_eq!(office.get("/api/v1/route?ticket=6626871355780999999").await.0, 404);
    assert_eq!(office.get("/api/v1/route").await.0, 400);
}

#[tokio::test(start_paused = true)]
async fn a_route_names_counting_rules_and_the_group_of_the_ticket() {
    let per = Some(Target::Field(Field::find("priority").unwrap()));
    let count = |per| Count { per, when: vec![Operator::AtLeast(5.0)], within: None, clear: Vec::new() };
    let pile = |name: &str, per| Rule { kind: RuleKind::Count(count(per)), ..rule(name, code("status", &[5])) };
    let rules = vec![pile("pile", None), pile("piles", per)];
    let world = World::start(Plot { rules, ..Plot::default() }, |_| {}).await;
    world.until(Span::from_secs(35)).await;
    let ticket = world.file(|ticket| ticket.status = 5);
    world.pass(Span::from_mins(2)).await;
    let office = Office::open(world).await;
    let (_, route) = office.get(&format!("/api/v1/route?ticket={ticket}&lang=en")).await;
    let notes: Vec<&Value> = route["rules"].as_array().unwrap().iter().map(|rule| &rule["note"]["en"]).collect();
    assert_eq!(notes[0], "a counting rule: in one group, counted now", "{route:#}");
    assert!(notes[1] == "a counting rule: among those without a value, counted now", "{route:#}");
    assert_eq!(route["rules"][0]["tells"][0]["receiver"], "team", "{route:#}");
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_is_shown_tried_again_and_delivered_once() {
    let world = World::start(plot(), |_| {}).await;
    world.until(Span::from_secs(35)).await;
    world.platform(|platform, _| platform.fail_next(Route::MessageCreate, Fault::Refused(400, 230_099), 1));
    world.file(|ticket| ticket.score = Some(1));
    world.pass(Span::from_mins(1)).await;
    assert!(world.cards(TEAM).is_empty());
    let office = Office::open(world).await;
    let (_, page) = office.get("/api/v1/outbox").await;
    assert_eq!(page["dead"].as_array().unwrap().len(), 1, "{page:#}");
    let letter = &page["dead"][0];
    assert_eq!((&letter["step"], &letter["state"]), (&json!("fired"), &json!("dead")));
    let name = letter["name"].as_str().unwrap();
    assert_eq!(office.get(&format!("/api/v1/outbox/{name}")).await, (200, letter.clone()));
    assert_eq!(office.get("/api/v1/outbox/ffffffff").await.0, 404);
    assert_eq!(office.get("/api/v1/outbox/xyz").await.0, 404);

    let retry = format!("/api/v1/outbox/{name}/retry");
    let (status, done) = office.post(&retry, &json!({ "by": "李雷" })).await;
    assert_eq!((status, &done["tone"]), (200, &json!("done")), "{done:#}");
    office.world.pass(Span::from_secs(10)).await;
    assert_eq!(office.world.cards(TEAM).len(), 1, "it really goes");
    assert_eq!(office.post(&retry, &json!({})).await.0, 404, "nothing is left to try");
    let (_, page) = office.get("/api/v1/outbox").await;
    assert_eq!(page["dead"], json!([]), "{page:#}");
    let of = letter["subject"].as_str().unwrap().strip_prefix("ticket:").unwrap();
    let (status, journal) = office.get(&format!("/api/v1/journal?of={of}")).await;
    assert_eq!((status, whats(&journal)), (200, vec!["fired", "dead", "retried", "delivered"]), "{journal:#}");
    assert!(journal["lines"][2]["note"]["zh"].as_str().unwrap().contains("李雷"), "{journal:#}");
    let reference = letter["reference"].as_str().unwrap();
    let (_, of_alert) = office.get(&format!("/api/v1/journal?of=%23{reference}&limit=9")).await;
    assert_eq!(of_alert["lines"], journal["lines"], "its reference means the same");
    let (_, newest) = office.get(&format!("/api/v1/journal?of=%23{reference}&limit=2")).await;
    assert_eq!((whats(&newest), &newest["more"]), (vec!["retried", "delivered"], &json!(true)), "{newest:#}");
    let (_, all) = office.get(&format!("/api/v1/journal?of={of}&limit=4")).await;
    assert_eq!((whats(&all).len(), &all["more"]), (4, &json!(false)), "there are no older ones");
    assert_eq!(office.get("/api/v1/journal?of=6626871355780999999").await.0, 404);
    assert_eq!(office.get("/api/v1/journal").await.0, 400);
    let (_, other) = office.get("/api/v1/journal?of=source:it-desk").await;
    assert_eq!(other["lines"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_is_given_up_once_and_for_good() {
    let world = World::start(plot(), |_| {}).await;
    world.until(Span::from_secs(35)).await;
    world.platform(|platform, _| platform.fail_next(Route::MessageCreate, Fault::Refused(400, 230_099), 1));
    world.file(|ticket| ticket.score = Some(1));
    world.pass(Span::from_mins(1)).await;
    let office = Office::open(world).await;
    let (_, page) = office.get("/api/v1/outbox").await;
    let name = page["dead"][0]["name"].as_str().unwrap();
    let path = format!("/api/v1/outbox/{name}/drop");
    let first = office.send(Method::POST, &path, Some("k1"), "{}").await;
    let again = office.send(Method::POST, &path, Some("k1"), "{}").await;
    assert_eq!((first.0, &first.1["tone"]), (200, &json!("done")));
    assert_eq!((again.0, &again.1["tone"]), (200, &json!("already")), "the same key is the same deed");
    assert_eq!(office.send(Method::POST, &path, Some("k2"), "{}").await.0, 404);
    office.world.pass(Span::from_mins(10)).await;
    assert!(office.world.cards(TEAM).is_empty());
    let of = page["dead"][0]["subject"].as_str().unwrap().strip_prefix("ticket:").unwrap();
    let (_, journal) = office.get(&format!("/api/v1/journal?of={of}")).await;
    assert_eq!(whats(&journal), ["fired", "dead", "dead_dropped"], "{journal:#}");
}

fn whats(journal: &Value) -> Vec<&str> {
    journal["lines"].as_array().unwrap().iter().map(|line| line["what"].as_str().unwrap()).collect()
}

/// Calls of the desk that write a line of the journal about a matter, with its word behind.
const WRITERS: [&str; 2] = [".journal(", ".change("];

#[test]
fn every_word_of_the_journal_is_known_to_the_story() {
    let mut words = BTreeSet::new();
    for file in fs::read_dir("src/domain/desk").unwrap().map(|file| file.unwrap().path()) {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let text = text.split("#[cfg(test)]").next().unwrap();
        for call in WRITERS.iter().flat_map(|writer| text.split(writer).skip(1)) {
            let call = call.split(';').next().unwrap();
            let is_word = |text: &&str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_lowercase() || c == b'_');
            words.extend(call.split('"').skip(1).step_by(2).filter(is_word).map(str::to_string));
        }
    }
    let known: BTreeSet<&str> = LEADS.iter().map(|(what, _)| *what).collect();
    let unknown: Vec<&String> = words.iter().filter(|word| !known.contains(word.as_str())).collect();
    assert!(words.len() > 12 && unknown.is_empty(), "no words for {unknown:?}");
}

#[tokio::test(start_paused = true)]
async fn hostile_requests_are_refused_with_their_place() {
    let office = office().await;
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let huge = format!("{{\"by\":\"{}\"}}", "x".repeat(BODY_BYTES_MAX));
    let path = "/api/v1/alerts/4F7A2C/snooze";
    let bodies: [(&str, u16, &str); 9] = [
        ("{", 400, "body:1:1"),
        ("[]", 400, "body:1:"),
        ("\u{feff}{}", 400, "body:1:1"),
        ("{\"by\":7}", 400, "body:1:7"),
        ("{\"bye\":\"x\"}", 400, "body:1:"),
        ("{\"for\":\"soon\"}", 400, "for"),
        ("{}", 400, "for"),
        (&deep, 400, "body:1:"),
        (&huge, 413, "body"),
    ];
    for (body, status, place) in bodies {
        let (found, problem) = office.send(Method::POST, path, None, body.to_string()).await;
        let shown: String = body.chars().take(30).collect();
        let said = problem["place"].as_str().unwrap_or_default();
        assert!(found == status && said.starts_with(place), "{shown}: {found} {problem:#}");
        assert!(problem["error"]["zh"].is_string() && problem["error"]["en"].is_string());
    }
    let endless = "k".repeat(300);
    let (status, problem) = office.send(Method::POST, path, Some(&endless), "{\"for\":\"1h\"}").await;
    assert_eq!((status, &problem["place"]), (400, &json!("Idempotency-Key")));
    let (status, _) = office.send(Method::DELETE, path, None, "").await;
    assert_eq!(status, 405);
    let without = office.client.get(format!("http://{}/api/v1/alerts", office.address)).send().await.unwrap();
    assert_eq!(without.status().as_u16(), 401);
    let wrong = office.client.post(format!("http://{}{path}", office.address)).bearer_auth("guess").send();
    assert_eq!(wrong.await.unwrap().status().as_u16(), 401);
    let rule = RuleName::from("bad score");
    assert_eq!(office.world.port().view().desk.firing.get(&rule), Some(&3), "nothing was done");
}

#[tokio::test(start_paused = true)]
async fn a_token_opens_what_its_scope_says_and_its_name_stands_in_the_journal() {
    let office = office().await;
    let page = office.get("/api/v1/alerts").await.1;
    let references = list(&page, "reference");
    let (first, second) = (references[0], references[1]);
    let take = |reference: &str| format!("/api/v1/alerts/{reference}/take");
    let (status, _) = office.send_with("looker", Method::GET, "/api/v1/alerts", None, "").await;
    assert_eq!(status, 200);
    for (method, path) in openapi::requests().into_iter().filter(|(.., scope)| *scope == Scope::Act).map(|r| (r.0, r.1))
    {
        let path = path.replace("{reference}", first).replace("{name}", "00000000").replace("{id}", "S1");
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let (status, refused) = office.send_with("looker", method.clone(), &path, None, "").await;
        assert_eq!(status, 403, "{method} {path}: {refused}");
        let (status, _) = office.send_with("stranger", method.clone(), &path, None, "").await;
        assert_eq!(status, 401, "{method} {path}");
    }
    assert_eq!(office.get(&format!("/api/v1/alerts/{first}")).await.1["state"], "firing", "nothing was done");
    for (reference, body, who) in [(first, "", "runbook"), (second, r#"{"by": "lilei"}"#, "lilei (runbook)")] {
        let (status, done) = office.send_with("runner", Method::POST, &take(reference), None, body).await;
        assert_eq!((status, &done["alert"]["taken"]["by"]["en"]), (200, &json!(who)), "{done:#}");
        let (_, journal) = office.get(&format!("/api/v1/journal?of=%23{reference}")).await;
        let lines = journal["lines"].as_array().unwrap();
        let taken = lines.iter().find(|line| line["what"] == "taken").unwrap();
        assert!(taken["note"]["en"].as_str().unwrap().contains(who), "{taken}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_rules_in_force_are_told_with_what_rings_of_them() {
    let office = office().await;
    let (status, page) = office.get("/api/v1/rules").await;
    let rules = page["rules"].as_array().unwrap();
    assert_eq!((status, rules.len()), (200, 2), "{page:#}");
    let counts: Vec<&Value> = rules.iter().map(|rule| &rule["firing"]).collect();
    assert_eq!(counts.iter().filter_map(|count| count.as_u64()).sum::<u64>(), 4, "{page:#}");
    let first = rules[0]["name"].as_str().unwrap();
    let (status, one) = office.get(&format!("/api/v1/rules/{first}")).await;
    assert_eq!((status, &one), (200, &rules[0]));
    assert!(one["watches"]["zh"].as_str().unwrap().starts_with("工单：") && one["mode"] == "live", "{one:#}");
    let (status, missing) = office.get("/api/v1/rules/nothing").await;
    assert_eq!((status, &missing["error"]["zh"]), (404, &json!("没有规则“nothing”")));
}
