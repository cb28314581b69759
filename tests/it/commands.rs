//! The real binary against the fake platform: what a person types in a shell, what they read, how it ends.

use std::{fs, path::Path, sync::Arc};

use deskbell::{
    adapters::http::{self, Proxy},
    sim::http::{deliver_due, lock},
};

use crate::town::{Running, Town, wait_until};

#[test]
fn from_an_empty_folder_to_a_drill() {
    let town = Town::new();
    town.init().expect(0, &["helpdesk:all:readonly", "\"tenant\"", "群机器人", "deskbell.yaml", "deskbell check"]);
    town.init().expect(2, &["not overwritten"]);
    town.run(&["check"]).expect(0, &["API calls a month", "rules 11"]);
    town.run(&["--lang", "zh", "check"]).expect(0, &["配置可用", "次 API 调用"]);
    town.run(&["chats"]).expect(0, &["客服群", "oc_support"]);
    town.run(&["doctor"]).expect(1, &["✓ App ID", "优先级", "✓ receiver support"]);
    town.run(&["send-test", "support"]).expect(0, &["Sent to support"]);
    assert_eq!(town.cards(), 1);
    let title = lock(&town.platform).messages_in("oc_support")[0].card().unwrap().title;
    assert!(title.contains("演练"), "{title}");
    town.run(&["send-test", "leads"]).expect(2, &["there is no receiver `leads`", "support"]);
}

#[test]
fn a_ticket_is_shown_and_a_missing_one_is_said_to_be() {
    let town = Town::new();
    town.init().expect(0, &[]);
    let now = town.clock.now().as_ms();
    let id = lock(&town.platform).create_ticket(now, |ticket| ticket.guest.name = "韩梅梅".to_string());
    town.run(&["ticket", &id]).expect(0, &[&id, "韩梅梅"]);
    town.run(&["ticket", &format!("#{id}")]).expect(0, &[&id]);
    town.run(&["ticket", "6626871355780360000"]).expect(1, &["No ticket 6626871355780360000 was found"]);
    town.run(&["ticket", "abc"]).expect(2, &["/ticket <ticket id>"]);
    let drill = ["send-test", "support", "--rule", "不满意", "--ticket", &id];
    town.run(&drill).expect(0, &["Sent to support"]);
    town.run(&["fields"]).expect(0, &["it-desk"]);
}

#[test]
fn wrong_credentials_and_a_platform_that_is_down_say_so() {
    let town = Town::new();
    town.init().expect(0, &[]);
    fs::write(town.home.path().join("secrets/app_secret"), "wrong").unwrap();
    town.run(&["doctor"]).expect(1, &["✗ App ID and App Secret"]);
    town.run(&["chats"]).expect(1, &["app_secret"]);
    town.edit(&town.server.base_url(), "http://127.0.0.1:9");
    town.run(&["chats"]).expect(1, &["cannot be reached"]);
    town.run(&["check"]).expect(0, &[]);
    fs::remove_file(town.home.path().join("deskbell.yaml")).unwrap();
    town.run(&["serve"]).expect(2, &["deskbell init"]);
    town.run(&["bogus"]).expect(2, &["bogus"]);
}

#[test]
fn the_service_starts_is_asked_and_stops() {
    let town = Town::new();
    town.define_priority();
    town.init().expect(0, &[]);
    town.edit("plan: free", "plan: paid");
    town.edit("\"0 */15 * * * *\"", "\"* * * * * *\"");
    town.edit("\"0 0 8,20 * * *\"", "\"* * * * * *\"");
    let (_, admin) = town.listen();
    let now = town.clock.now().as_ms();
    let id = lock(&town.platform).create_ticket(now, |_| {});
    town.run(&["status"]).expect(1, &["not running"]);
    let running = Running::start(&town, admin);
    town.run(&["serve"]).expect(1, &["in use", "server.listen"]);
    wait_until(&town, "the first reading", || town.run(&["status", "--json"]).out.contains("\"tracked\":1"));
    lock(&town.platform).rate_ticket(&id, 1, Some("慢"), town.clock.now().as_ms());
    wait_until(&town, "a card for the bad rating", || town.cards() > 0);
    wait_until(&town, "the alert in the status", || town.run(&["status"]).out.contains("alerts firing 1"));
    let rule = town.home.path().join("rules/dissatisfied.yaml");
    let whole = fs::read_to_string(&rule).unwrap();
    fs::write(&rule, "name: [").unwrap();
    town.run(&["status"]).expect(0, &["alerts firing 1"]); // a rule that is being written keeps nobody from asking
    town.run(&["explain", &id, "--rule", "不满意"]).expect(0, &["不满意"]);
    fs::write(&rule, whole).unwrap();
    let (code, said) = running.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("app-secret") && !said.contains("ht-token"), "{said}");
    town.run(&["serve", "--once"]).expect(0, &[]);
}

#[test]
fn a_question_in_the_chat_is_answered_on_the_message() {
    let town = Town::new();
    town.define_priority();
    town.init().expect(0, &[]);
    let (listen, admin) = town.listen();
    let app = lock(&town.platform).app().clone();
    let secrets = town.home.path().join("secrets");
    fs::write(secrets.join("verification_token"), app.verification_token).unwrap();
    fs::write(secrets.join("encrypt_key"), app.encrypt_key.unwrap()).unwrap();
    town.edit("  # events:", "  events:");
    let now = town.clock.now().as_ms();
    let id = lock(&town.platform).create_ticket(now, |_| {});
    let running = Running::start(&town, admin);
    let asked = [format!("/工单{id}"), "/help".to_string(), "谢谢".to_string()];
    for text in &asked {
        lock(&town.platform).person_says("oc_support", "ou_li", text, true, town.clock.now().as_ms()).unwrap();
    }
    let (clock, url) = (town.clock.clone(), format!("http://{listen}/feishu/events"));
    let now: deskbell::sim::http::Now = Arc::new(move || clock.now().as_ms());
    let client = http::client(&http::Config { proxy: Proxy::None, ..http::Config::default() }).unwrap();
    let delivered = town.runtime.block_on(deliver_due(&town.platform, &now, &client, &url));
    assert_eq!(delivered, asked.len());
    assert!(lock(&town.platform).next_delivery_ms().is_none(), "every event was answered 200");
    let titles = || -> Vec<String> {
        let platform = lock(&town.platform);
        platform.messages_in("oc_support").iter().filter_map(|message| Some(message.card()?.title)).collect()
    };
    let tail = id.get(id.len() - 6..).unwrap();
    wait_until(&town, "both answers", || titles().len() == 2);
    assert!(titles().iter().any(|title| title.contains(tail)), "{:?}", titles());
    assert_eq!(running.stop().0, Some(0));
}

#[test]
fn a_question_needs_no_public_address() {
    let town = Town::new();
    town.define_priority();
    assert!(!lock(&town.platform).save_long_connection(), "the console saves it only while a client is connected");
    town.init().expect(0, &["run deskbell serve first"]);
    let (_, admin) = town.listen();
    town.run(&["doctor"]).expect(0, &["the long connection can be opened"]);
    let running = Running::start(&town, admin);
    wait_until(&town, "a connection", || lock(&town.platform).save_long_connection());
    lock(&town.platform).person_says("oc_support", "ou_li", "/help", true, town.clock.now().as_ms()).unwrap();
    wait_until(&town, "the answer", || town.cards() == 1);
    town.run(&["status"]).expect(0, &["long connection: up since"]);
    town.run(&["doctor"]).expect(0, &["✓ the long connection stands (the service runs)"]);
    let (code, said) = running.stop();
    assert_eq!(code, Some(0), "{said}");
    for secret in ["access_key", "ticket=", "app-secret"] {
        assert!(!said.contains(secret), "{said}");
    }
    wait_until(&town, "the end of the connection", || lock(&town.platform).open_lines() == 0);
    assert!(lock(&town.platform).odd_frames().is_empty());
}

#[test]
fn a_start_needs_no_answer_of_the_platform_and_a_store_it_can_use() {
    let town = Town::new();
    town.init().expect(0, &[]);
    town.edit(&town.server.base_url(), "http://127.0.0.1:9");
    let (_, admin) = town.listen();
    let (code, said) = Running::start(&town, admin).stop();
    assert_eq!(code, Some(0), "{said}");
    let data = town.home.path().join("data");
    fs::remove_dir_all(&data).unwrap();
    fs::write(&data, "a file").unwrap();
    town.run(&["serve"]).expect(1, &["data"]);
    assert!(Path::new(&data).is_file());
}
