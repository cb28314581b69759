//! Who is on call, asked and changed over the admin API.

use deskbell::domain::{
    calendar::Frame,
    id::{ReceiverName, RotaName},
    receiver::PersonId,
    rota::{Rota, Shift, Turn},
    time::Span,
};
use serde_json::{Value, json};

use super::{Office, plot};
use crate::world::{Plot, World, zone};

/// Days by two people in turn, nights by nobody.
fn rota(name: &str) -> Rota {
    let members = ["li@example.com", "wang@example.com"].map(|email| PersonId::Email(email.into())).to_vec();
    let hours = Frame { from: 9 * 60, to: 21 * 60 };
    Rota {
        name: RotaName::from(name),
        zone: zone(),
        start: "2026-11-02".parse().unwrap(),
        shifts: vec![Shift { name: "day".into(), hours, change: Turn::Daily, members }],
        dates: std::collections::BTreeMap::new(),
        backup: Some(ReceiverName::from("team")),
        calendar: None,
    }
}

/// What `GET /api/v1/oncall` says of the first rota: the words, and who is on call as `shift person until`.
fn seats(page: &Value) -> (String, Vec<String>) {
    let rota = &page["rotas"][0];
    let at = |ms: &Value| zone().minute(deskbell::domain::time::Timestamp::from_ms(ms.as_i64().unwrap()));
    let of = |seat: &Value| {
        format!("{} {} {}", seat["shift"].as_str().unwrap(), seat["person"].as_str().unwrap(), at(&seat["until"]))
    };
    let seats = rota["on_call"].as_array().unwrap().iter().map(of).collect();
    (rota["lines"][0]["en"].as_str().unwrap().to_string(), seats)
}

#[tokio::test(start_paused = true)]
async fn who_is_on_call_is_asked_and_changed() {
    let plot = Plot { rotas: vec![rota("primary"), rota("second")], ..plot() };
    let world = World::start(plot, |platform| platform.add_person("ou_sun", "孙", "sun@example.com")).await;
    world.until(Span::from_mins(1)).await;
    let office = Office::open(world).await;
    let (status, page) = office.get("/api/v1/oncall?rota=PRIMARY").await;
    let told = "primary day: 李雷, until 21:00, then nobody".to_string();
    assert_eq!((status, seats(&page)), (200, (told, vec!["day li@example.com 2026-11-20 21:00".into()])), "{page:#}");
    let rota = &page["rotas"][0];
    assert_eq!((&page["with_covers"], &rota["backup"]), (&json!(true), &json!("team")));
    assert_eq!((rota["gaps"].as_array().unwrap().len(), rota["coming"].as_array().unwrap().len()), (7, 15));
    assert_eq!(rota["coming"][2]["on_call"][0]["person"], "wang@example.com", "{rota:#}");
    let (_, night) = office.get("/api/v1/oncall?at=2026-11-20%2022:00&rota=primary&days=1").await;
    let told = "primary: nobody is on call; team is called instead; from 11-21 09:00 it is wang@example.com (day)";
    assert_eq!(seats(&night), (told.to_string(), Vec::new()), "{night:#}");
    assert_eq!(office.get("/api/v1/oncall").await.1["rotas"].as_array().unwrap().len(), 2);

    let wang =
        json!({ "rota": "primary", "person": "wang@example.com", "until": "18:00", "reason": "发烧", "by": "李雷" });
    let (status, done) = office.post("/api/v1/oncall/cover", &wang).await;
    assert_eq!((status, &done["tone"]), (200, &json!("done")), "{done:#}");
    assert_eq!(done["words"]["en"], "primary day: wang@example.com is on call from 10:01 until 18:00");
    let (_, page) = office.get("/api/v1/oncall?rota=primary").await;
    assert_eq!(seats(&page).1, ["day wang@example.com 2026-11-20 18:00"], "{page:#}");
    let cover = &page["rotas"][0]["covers"][0];
    assert_eq!((&cover["person"], &cover["by"]["zh"]), (&json!("wang@example.com"), &json!("李雷")));
    assert_eq!(office.post("/api/v1/oncall/cover", &wang).await.1["tone"], "already");

    let with = |key: &str, value: Value| {
        let mut body = json!({ "rota": "primary", "person": "wang@example.com" });
        body[key] = value;
        body
    };
    let cases = [
        (json!({ "person": "wang@example.com" }), 400, "rota", "say which rota"),
        (with("rota", json!("primry")), 404, "rota", "no rota `primry`"),
        (with("person", Value::Null), 400, "person", "who stands in"),
        (with("person", json!("Nobody At All")), 404, "person", "nobody of that name"),
        (with("person", json!("nobody@example.com")), 409, "", "nobody is known as nobody@example.com"),
        (with("shift", json!("night")), 409, "", "it has day"),
        (with("until", json!("2026-11-20 09:00")), 400, "until", "is over"),
        (with("from", json!("2026-11-19 09:00")), 400, "from", "is over"),
        (with("until", json!("2026-11-21")), 400, "until", "add the time"),
        (with("until", json!("2027-11-21 09:00")), 400, "until", "at most 90 days at one go"),
        (with("reason", json!("x".repeat(201))), 400, "reason", "at most 200"),
        (with("colour", json!("red")), 400, "body:1:9", "colour"),
    ];
    for (body, status, place, word) in cases {
        let (found, problem) = office.post("/api/v1/oncall/cover", &body).await;
        let said = problem["error"]["en"].as_str().unwrap_or_default();
        assert_eq!((found, problem["place"].as_str().unwrap_or_default()), (status, place), "{body}: {problem:#}");
        assert!(said.contains(word), "{body}: {problem:#}");
    }
    let later = json!({ "rota": "primary", "person": "wang@example.com", "from": "2026-11-22 12:00", "until": "2026-11-22 10:00" });
    let (status, problem) = office.post("/api/v1/oncall/cover", &later).await;
    assert_eq!((status, &problem["error"]["en"]), (400, &json!("it must end after it begins")));
    for (query, status, place, word) in [
        ("rota=primry", 404, "rota", "primary"),
        ("rota=x", 404, "rota", "primary, second"),
        ("at=tomorrow", 400, "at", "18:00"),
        ("days=0", 400, "days", ""),
        ("days=93", 400, "days", ""),
    ] {
        let (found, problem) = office.get(&format!("/api/v1/oncall?{query}")).await;
        assert_eq!((found, problem["place"].as_str().unwrap()), (status, place), "{query}: {problem:#}");
        assert!(word.is_empty() || problem["hint"]["en"].as_str().unwrap().contains(word), "{query}: {problem:#}");
    }
}
