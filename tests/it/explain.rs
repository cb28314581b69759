//! The real binary explains: with a service and without, of now and of then.

use std::fs;

use deskbell::{
    domain::time::{Span, Zone},
    sim::http::lock,
};
use serde_json::Value;

use crate::town::{Running, Town, wait_until};

#[test]
fn a_ticket_is_explained_with_and_without_a_service() {
    let town = Town::new();
    town.define_priority();
    town.init().expect(0, &[]);
    town.edit("plan: free", "plan: paid");
    town.edit("\"0 */15 * * * *\"", "\"* * * * * *\"");
    town.edit("\"0 0 8,20 * * *\"", "\"* * * * * *\"");
    let (_, admin) = town.listen();
    let now = town.clock.now().as_ms();
    let id = lock(&town.platform).create_ticket(now, |_| {});
    lock(&town.platform).rate_ticket(&id, 3, None, now);
    let tail = id.get(id.len() - 6..).unwrap();
    town.run(&["explain", &id]).expect(1, &["there is no store", "deskbell serve"]);

    let running = Running::start(&town, admin);
    let well = |town: &Town| town.run(&["explain", &id, "--rule", "不满意"]);
    wait_until(&town, "the ticket is known", || well(&town).code == 0);
    well(&town).expect(0, &["✗ 不满意: does not hold", "✗ score is dissatisfied: score is satisfied", "no alert"]);
    let seen_well = town.clock.now();
    lock(&town.platform).rate_ticket(&id, 1, Some("慢"), town.clock.now().as_ms());
    wait_until(&town, "it rings", || well(&town).out.contains("firing since"));
    let zh = town.run(&["--lang", "zh", "explain", tail, "--rule", "不满意"]);
    zh.expect(0, &["✓ 不满意：成立", "✓ 评分是 不满意：评分是 不满意", "正在响：", "编号"]);
    let json = town.run(&["explain", &format!("it-desk:{id}"), "--format", "json"]).expect(0, &[]);
    let page: Value = serde_json::from_str(&json.out).unwrap();
    let named = |rule: &&Value| rule["rule"] == "不满意" && rule["answer"] == "yes";
    assert_eq!(page["rules"].as_array().unwrap().iter().filter(named).count(), 1, "{page:#}");
    town.run(&["explain", &id]).expect(0, &["SLA: ", "counting: ", "不满意"]);
    assert!(page.get("text").is_none() && page["ticket"] == format!("it-desk:{id}"), "{page:#}");
    town.run(&["explain", "6626871355780999999"]).expect(1, &["no ticket 6626871355780999999", "deskbell ticket"]);
    town.run(&["explain", "abc"]).expect(1, &["last 5 digits"]);
    town.run(&["explain", tail, "--rule", "没有的"]).expect(1, &["there is no rule", "deskbell rules"]);
    town.run(&["explain", tail, "--at", "2026-01-01 00:00"]).expect(1, &["stopped service"]);
    assert_eq!(running.stop().0, Some(0));

    let before = fs::read_dir(town.home.path().join("data")).unwrap().count();
    town.run(&["explain", tail, "--rule", "不满意"]).expect(0, &["not running", "✓ 不满意: holds", "firing since"]);
    town.run(&["explain", "6626871355780999999"]).expect(1, &["no ticket 6626871355780999999"]);
    assert_eq!(fs::read_dir(town.home.path().join("data")).unwrap().count(), before);
    let then = |at| Zone(chrono_tz::Asia::Shanghai).local(at).format("%Y-%m-%d %H:%M:%S%.3f").to_string();
    let past = then(seen_well);
    town.run(&["explain", tail, "--rule", "不满意", "--at", &past])
        .expect(0, &["✗ 不满意", "score is satisfied", "by the rules of now"]);
    let long_ago = then(seen_well.minus(Span::from_days(9)));
    town.run(&["explain", tail, "--at", &long_ago]).expect(1, &["first seen"]);
    town.run(&["explain", tail, "--at", "2999-01-01 00:00"]).expect(2, &["lies ahead"]);
    town.run(&["explain", tail, "--at", "gestern"]).expect(2, &["--at"]);
}
