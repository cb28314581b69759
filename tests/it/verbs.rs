//! The real binary's verbs for operators: what they print with a service, without one, with a wrong token.

use std::net::SocketAddr;

use deskbell::sim::{faults::Fault, http::lock, route::Route};
use serde_json::{Value, json};

use crate::town::{Running, Town, wait_until};

fn town() -> (Town, SocketAddr) {
    let town = Town::new();
    town.define_priority();
    town.init().expect(0, &[]);
    town.edit("plan: free", "plan: paid");
    town.edit("\"0 */15 * * * *\"", "\"* * * * * *\"");
    let (_, admin) = town.listen();
    (town, admin)
}

fn answer(town: &Town, arguments: &[&str]) -> Value {
    let ended = town.run(arguments).expect(0, &[]);
    serde_json::from_str(&ended.out).unwrap()
}

#[test]
fn alerts_letters_journal_and_route_from_the_command_line() {
    let (town, admin) = town();
    for verb in [&["alerts"][..], &["take", "4F7A2C"], &["outbox"], &["silence", "list"], &["outbox", "retry", "--all"]]
    {
        town.run(verb).expect(1, &["not running", "deskbell serve"]);
        let zh = [&["--lang", "zh"], verb].concat();
        town.run(&zh).expect(1, &["没有应答", "deskbell serve"]);
    }
    town.run(&["journal", "66331"]).expect(1, &["there is no store"]);
    let running = Running::start(&town, admin);
    wait_until(&town, "the first reading", || town.run(&["status"]).out.contains("fine"));
    let now = town.clock.now().as_ms();
    lock(&town.platform).fail_next(Route::MessageCreate, Fault::Refused(400, 230_099), 1);
    let id = lock(&town.platform).create_ticket(now, |_| {});
    lock(&town.platform).rate_ticket(&id, 1, Some("慢"), now);
    wait_until(&town, "the dead letter", || town.run(&["outbox"]).out.contains("undeliverable since"));
    let page = answer(&town, &["alerts", "--ticket", &id, "--format", "json"]);
    let reference = page["alerts"][0]["reference"].as_str().unwrap();
    town.run(&["alerts"]).expect(0, &[reference, "firing", "不满意", &id, "what comes next"]);
    town.run(&["--lang", "zh", "take", reference.get(..3).unwrap()])
        .expect(1, &["编号有 6 位", &format!("#{reference}")]);
    town.run(&["--lang", "zh", "alrts"]).expect(2, &["写法有误", "是不是想写 alerts？"]);
    town.run(&["take", reference, "--as", " "]).expect(2, &["the name is empty"]);
    town.run(&["silence", "add", "--rule", "x", "--until", "2026-01-01 10:00", "--reason", "x"])
        .expect(2, &["is over"]);
    town.run(&["--lang", "zh", "alerts", reference]).expect(0, &["在响", "开始响", &format!("#{reference}")]);
    town.run(&["alerts", "--state", "gone"]).expect(2, &["state: ", "firing"]);
    town.run(&["alerts", "FFFFFF"]).expect(1, &["#FFFFFF", "deskbell alerts"]);

    let letters = answer(&town, &["outbox", "--format", "json"]);
    let name = letters["dead"][0]["name"].as_str().unwrap();
    town.run(&["outbox", "show", name]).expect(0, &["undeliverable since", "it began"]);
    town.run(&["--lang", "zh", "outbox"]).expect(0, &["说什么", "开始"]);
    wait_until(&town, "the next step", || town.run(&["status"]).out.contains("deskbell outbox retry --all"));
    town.run(&["outbox", "drop", "ffffffff"]).expect(1, &["no notice ffffffff"]);
    town.run(&["outbox", "retry", "--all", "--as", "韩梅梅"]).expect(0, &["tried again: 1"]);
    wait_until(&town, "the card", || town.cards() > 0);
    town.run(&["outbox"]).expect(0, &["nothing is undeliverable"]);

    town.run(&["--lang", "zh", "take", &format!("#{reference}"), "--as", "李雷"]).expect(0, &["接手"]);
    town.run(&["alerts", "--state", "taken"]).expect(0, &["taken by 李雷"]);
    town.run(&["snooze", reference, "soon"]).expect(2, &["for: ", "30m"]);
    town.run(&["silence", "add", "--rule", "不满意", "--for", "2h", "--reason", "维护"]).expect(0, &["S1"]);
    town.run(&["silence", "list"]).expect(0, &["S1", "不满意", "维护"]);
    town.run(&["silence", "add", "--when", "statsu: open", "--for", "2h", "--reason", "x"]).expect(2, &["when: "]);
    town.run(&["silence", "end", "S1"]).expect(0, &["S1"]);
    wait_until(&town, "the status", || town.run(&["status"]).out.contains("(taken 1)"));
    town.run(&["route", &id]).expect(0, &["不满意", "→"]);
    town.run(&["done", reference, "--as", "李雷"]).expect(0, &["handled"]);
    let story = town.run(&["--lang", "zh", "journal", &id]);
    let story = story.expect(
        0,
        &[
            "触发：",
            "发不出去：",
            "韩梅梅（",
            "命令行代行） 要求再发",
            "已送达",
            "命令行代行） 接手",
            "命令行代行） 处理",
            "历时",
        ],
    );
    assert_eq!(running.stop().0, Some(0));
    let offline = town.run(&["--lang", "zh", "journal", &id]).expect(0, &[]);
    assert_eq!(offline.out, story.out, "the store tells the same");
    town.run(&["route", &id]).expect(0, &["the helpdesk is asked", "不满意"]);

    let running = Running::start(&town, admin);
    std::fs::write(town.home.path().join("secrets/api_token"), "another token, long enough").unwrap();
    town.run(&["alerts"]).expect(1, &["server.api_token differs"]);
    town.run(&["--lang", "zh", "take", reference]).expect(1, &["server.api_token 和正在运行的服务不同"]);
    assert_eq!(running.stop().0, Some(0));
}

const ROTAS: &str = "
rotas:
  primary:
    start: 2026-11-02
    backup: support
    shifts:
      - { name: 白班, hours: \"09:00-21:00\", change: daily, members: [li@example.com, wang@example.com] }
";

#[test]
fn who_is_on_call_with_a_service_and_without() {
    let (town, admin) = town();
    town.run(&["oncall"]).expect(0, &["not running", "there is no rota"]);
    let path = town.home.path().join("deskbell.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}{ROTAS}")).unwrap();
    let at = ["--at", "2026-11-20 12:00"];
    let offline = ["oncall", "primary", "--days", "1", "--format", "json"];
    let asked = [&offline[..], &at].concat();
    let ended = town.run(&asked).expect(0, &["without those who stand in"]);
    let page: Value = serde_json::from_str(&ended.out).unwrap();
    let ms = |text: &str| chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis();
    let [noon, nine, morning, next] =
        ["20T12", "20T21", "21T09", "21T12"].map(|at| ms(&format!("2026-11-{at}:00:00+08:00")));
    let duty = |person: &str| json!({ "shift": "白班", "person": person, "name": person, "by": "turn" });
    let expected = json!({
        "at": noon,
        "with_covers": false,
        "rotas": [{
            "rota": "primary",
            "on_call": [{
                "shift": "白班", "person": "li@example.com", "name": "li@example.com", "by": "turn",
                "from": ms("2026-11-20T09:00:00+08:00"), "until": nine, "next": null,
            }],
            "backup": "support",
            "until": next,
            "coming": [
                { "from": noon, "until": nine, "on_call": [duty("li@example.com")] },
                { "from": nine, "until": morning, "on_call": [] },
                { "from": morning, "until": next, "on_call": [duty("wang@example.com")] },
            ],
            "gaps": [{ "from": nine, "until": morning }],
            "covers": [],
            "lines": [{
                "zh": "primary 白班：li@example.com，到 21:00，接着没有人",
                "en": "primary 白班: li@example.com, until 21:00, then nobody",
            }],
        }],
    });
    assert_eq!(page, expected, "{page:#}");
    let zh = [&["--lang", "zh", "oncall", "--days", "2"][..], &at].concat();
    town.run(&zh).expect(
        0,
        &["不含顶班", "接着没有人", "没有人值班的时段", "21:00 到 11-21 09:00", "那时找 support", "11-20 周五 12:00"],
    );
    town.run(&["oncall", "primry"]).expect(1, &["rota: ", "did you mean `primary`"]);
    town.run(&["oncall", "--at", "2026-11-20"]).expect(2, &["at: ", "add the time"]);
    town.run(&["oncall", "--days", "99"]).expect(2, &["1..=92"]);
    town.run(&["oncall", "cover", "primary", "li@example.com"]).expect(1, &["not running"]);

    let running = Running::start(&town, admin);
    let online = [&["oncall", "primary", "--days", "1", "--format", "json"][..], &at].concat();
    let mut page = answer(&town, &online);
    assert_eq!(page["with_covers"], true);
    wait_until(&town, "the names", || {
        page = answer(&town, &online);
        page["rotas"][0]["on_call"][0]["name"] == "李雷"
    });
    let cover = ["oncall", "cover", "primary", "wang@example.com"];
    let span = ["--from", "2099-01-01 10:00", "--until", "2099-01-01 12:00"];
    town.run(&[&cover[..], &span].concat()).expect(2, &["until: ", "at most 90 days ahead"]);
    town.run(&[&cover[..], &["--until", "2026-01-01 12:00"]].concat()).expect(2, &["until: ", "is over"]);
    town.run(&["oncall", "cover", "primary", "who@example.com", "--shift", "白班"]).expect(1, &["who@example.com"]);
    town.run(&["oncall", "cover", "primry", "李雷"]).expect(1, &["did you mean `primary`"]);
    assert_eq!(running.stop().0, Some(0));
}
