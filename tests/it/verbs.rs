//! The real binary's verbs for operators: what they print with a service, without one, with a wrong token.

use std::net::SocketAddr;

use deskbell::sim::{faults::Fault, http::lock, route::Route};
use serde_json::Value;

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

fn json(town: &Town, arguments: &[&str]) -> Value {
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
    let page = json(&town, &["alerts", "--ticket", &id, "--format", "json"]);
    let reference = page["alerts"][0]["reference"].as_str().unwrap();
    town.run(&["alerts"]).expect(0, &[reference, "firing", "不满意", &id]);
    town.run(&["--lang", "zh", "alerts", reference]).expect(0, &["在响", "开始响", &format!("#{reference}")]);
    town.run(&["alerts", "--state", "gone"]).expect(2, &["state: ", "firing"]);
    town.run(&["alerts", "FFFFFF"]).expect(1, &["#FFFFFF", "deskbell alerts"]);

    let letters = json(&town, &["outbox", "--format", "json"]);
    let name = letters["dead"][0]["name"].as_str().unwrap();
    town.run(&["outbox", "show", name]).expect(0, &["undeliverable since", "fired"]);
    town.run(&["outbox", "drop", "ffffffff"]).expect(1, &["no notice ffffffff"]);
    town.run(&["outbox", "retry", "--all", "--as", "韩梅梅"]).expect(0, &["tried again: 1"]);
    wait_until(&town, "the card", || town.cards() > 0);
    town.run(&["outbox"]).expect(0, &[]);

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
    let story =
        story.expect(0, &["触发：", "发不出去：", "韩梅梅 要求再发", "已送达", "李雷 接手", "李雷 处理", "历时"]);
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
