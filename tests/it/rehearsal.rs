//! The real binary rehearses over a month of the fake helpdesk: what it reads, what it says, how it goes on.

use std::{fs, os::unix::fs::PermissionsExt};

use deskbell::sim::{
    faults::Fault,
    http::lock,
    route::Route,
    ticket::{STATUS_CLOSED_BY_AGENT, STATUS_QUEUEING, Ticket, User},
};
use serde_json::Value;

use crate::town::{Town, wait_until};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// Rings on what queues half an hour, on bad ratings, and on words.
const RULES: [(&str, &str); 3] = [
    ("queueing", "name: 排队太久\nwhen: { status: 排队中, in_status: { at_least: 30m } }\nnotify: [{ to: support }]\n"),
    ("rated", "name: 不满意\nwhen: { score: 不满意 }\nuntil: handled\nnotify: [{ to: support }]\n"),
    (
        "words",
        "name: 说了投诉\nwhen: { guest_message: { contains: 投诉 } }\nuntil: handled\nnotify: [{ to: support }]\n",
    ),
];

impl Town {
    /// A configuration with rules worth rehearsing.
    fn rehearsing() -> Self {
        let town = Self::new();
        town.init().expect(0, &[]);
        town.write_rules("rules", &RULES);
        town
    }

    /// A folder with these rules and no others.
    fn write_rules(&self, folder: &str, rules: &[(&str, &str)]) {
        let folder = self.home.path().join(folder);
        fs::remove_dir_all(&folder).ok();
        fs::create_dir(&folder).unwrap();
        rules.iter().for_each(|(file, text)| fs::write(folder.join(format!("{file}.yaml")), text).unwrap());
    }

    /// So many tickets over the last 29 days, one after the other: every tenth is answered after an hour, all others
    /// after ten minutes; every twentieth is rated badly.
    fn live_a_month(&self, tickets: i64) {
        let now = self.clock.now().as_ms();
        let first = now - 29 * DAY;
        let every = (29 * DAY - 3 * 60 * MINUTE) / tickets;
        for number in 0..tickets {
            let created = first + number * every;
            let reply = created + if number % 10 == 0 { 60 } else { 10 } * MINUTE;
            let closed = reply + 30 * MINUTE;
            let agent = User { id: "ou_li".into(), name: "李雷".into(), ..User::default() };
            lock(&self.platform).create_ticket(created, |ticket: &mut Ticket| {
                ticket.guest = User { id: "ou_guest".into(), name: "韩梅梅".into(), ..User::default() };
                ticket.status = STATUS_CLOSED_BY_AGENT;
                ticket.agent_entry_time = Some(created);
                ticket.agent_first_response_time = Some(reply);
                ticket.agent_last_response_time = Some(reply);
                ticket.agent_owner = Some(agent);
                ticket.closed_at = Some(closed);
                ticket.updated_at = Some(closed);
                ticket.score = (number % 20 == 0).then_some(1);
            });
        }
    }

    fn lists(&self) -> usize {
        lock(&self.platform).count(Route::TicketList)
    }

    /// Calls of this month that count.
    fn used(&self) -> u64 {
        let platform = lock(&self.platform);
        let free = [Some(Route::Token), Some(Route::UserIds), Some(Route::Hook)];
        platform.calls().filter(|call| call.code == Some(0) && !free.contains(&call.route)).count() as u64
    }

    fn kept(&self) -> std::path::PathBuf {
        self.home.path().join("rehearsal-it-desk.jsonl")
    }
}

fn rings(page: &Value, rule: &str) -> i64 {
    let rules = page["rules"].as_array().unwrap();
    rules.iter().find(|found| found["name"] == rule).unwrap()["rings"].as_i64().unwrap()
}

#[test]
fn a_month_is_read_played_and_told() {
    let town = Town::rehearsing();
    town.live_a_month(400);
    let now = town.clock.now().as_ms();
    lock(&town.platform).create_ticket(now - 2 * 60 * MINUTE, |ticket| {
        ticket.status = STATUS_QUEUEING;
        ticket.agent_entry_time = Some(now - 2 * 60 * MINUTE);
        ticket.updated_at = Some(now - 2 * 60 * MINUTE);
    });
    let json = town.run(&["rehearse", "--format", "json"]).expect(0, &["about 401 tickets", "about 3 API calls"]);
    let page: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((rings(&page, "排队太久"), rings(&page, "不满意")), (41, 20), "{page:#}");
    assert_eq!(page["tickets"], 401);
    assert_eq!(page["unplayed"][0]["name"], "说了投诉");
    assert_eq!(page["rules"][0]["rings_by_day"].as_array().unwrap().len(), 31);
    assert_eq!(town.cards(), 0, "nothing is sent");
    assert!(!town.kept().exists() && !town.home.path().join("data").exists(), "nothing stays");

    let words = ["演练 it-desk", "排队太久", "每天约", "无人处理", "历史演不了的规则", "投诉"];
    town.run(&["--lang", "zh", "rehearse", "--source", "it-desk", "--to", "support"]).expect(0, &words);
    assert_eq!(town.cards(), 1);
    let card = lock(&town.platform).messages_in("oc_support")[0].card().unwrap();
    assert!(card.title.contains("演练"), "{}", card.title);

    let one =
        town.run(&["rehearse", "--rule", "不满意", "--since", "10d"]).expect(0, &["Rehearsal of it-desk", "不满意"]);
    assert!(!one.out.contains("排队太久"), "{}", one.out);
}

#[test]
fn an_interrupted_reading_goes_on_where_it_was() {
    let town = Town::rehearsing();
    town.live_a_month(2_500);
    // Three pieces of five pages, after one call to see how many there are; the month's calls end in the second.
    let used = town.used();
    lock(&town.platform).turn(|knobs| knobs.quota_per_month = Some(used + 8));
    let zh = town.run(&["--lang", "zh", "rehearse"]).expect(1, &["2,500 张工单", "没有读完", "再运行一次会接着读"]);
    assert!(zh.out.is_empty(), "{}", zh.out);
    assert_eq!(fs::metadata(town.kept()).unwrap().permissions().mode() & 0o777, 0o600);
    lock(&town.platform).turn(|knobs| knobs.quota_per_month = None);
    let before = town.lists();
    let json = town.run(&["rehearse", "--format", "json"]).expect(0, &["Going on", "1 of 3 pieces"]);
    assert_eq!(town.lists() - before, 10, "two pieces of five pages");
    let page: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((rings(&page, "排队太久"), rings(&page, "不满意"), page["tickets"].clone()), (250, 125, 2_500.into()));
    assert!(!town.kept().exists());

    // The same without an interruption.
    let whole = town.run(&["rehearse", "--format", "json", "--fresh"]).expect(0, &[]);
    let whole: Value = serde_json::from_str(&whole.out).unwrap();
    assert_eq!(rings(&whole, "排队太久"), 250);
}

#[test]
fn more_than_a_share_of_the_plan_is_not_read_unasked() {
    let town = Town::rehearsing();
    town.edit("plan: free", "plan: 100");
    town.live_a_month(2_500);
    let before = town.lists();
    town.run(&["rehearse"]).expect(2, &["about 15 API calls", "more than 10%", "--yes"]);
    assert_eq!(town.lists() - before, 1);
    town.run(&["rehearse", "--yes"]).expect(0, &["Rehearsal of it-desk"]);
    assert_eq!(town.lists() - before, 1 + 4 + 5 + 5, "it was looked but once");
}

#[test]
fn a_helpdesk_that_stumbles_is_asked_again_and_one_that_is_wrong_is_not() {
    let town = Town::rehearsing();
    town.live_a_month(30);
    lock(&town.platform).fail_next(Route::TicketList, Fault::CutBefore, 1);
    town.run(&["rehearse"]).expect(0, &["Rehearsal of it-desk"]);
    town.run(&["rehearse", "--source", "nowhere"]).expect(2, &["there is no source `nowhere`", "it-desk"]);
    town.run(&["rehearse", "--rule", "没有"]).expect(2, &["there is no rule `没有`", "不满意"]);
    town.run(&["rehearse", "--to", "nobody"]).expect(2, &["there is no receiver `nobody`"]);
    town.run(&["rehearse", "--since", "1wd"]).expect(2, &["--since"]);
    town.run(&["rehearse", "--since", "1m"]).expect(2, &["from 1h to 366d"]);
    fs::write(town.home.path().join("secrets/helpdesk_token"), "wrong").unwrap();
    town.run(&["rehearse"]).expect(1, &["helpdesk"]);
}

#[test]
fn it_works_while_the_service_runs() {
    let town = Town::rehearsing();
    town.live_a_month(30);
    let (_, admin) = town.listen();
    let running = crate::town::Running::start(&town, admin);
    wait_until(&town, "the rehearsal beside the service", || {
        town.run(&["rehearse"]).expect(0, &["Rehearsal of it-desk"]).code == 0
    });
    assert_eq!(running.stop().0, Some(0));
}

#[test]
fn the_page_in_the_documents_is_a_real_one() {
    for (docs, page) in [("docs/rehearsal.md", "page.en.txt"), ("docs/rehearsal.zh-CN.md", "page.zh.txt")] {
        let text = fs::read_to_string(docs).unwrap();
        let page = fs::read_to_string(format!("tests/cases/rehearsal/{page}")).unwrap();
        let block = format!("<!-- rehearsal -->\n```text\n{page}```\n<!-- /rehearsal -->");
        if text.contains(&block) {
            continue;
        }
        assert!(
            std::env::var_os("UPDATE_DOCS").is_some(),
            "{docs}: the sample is old; run the tests with UPDATE_DOCS=1"
        );
        let (before, rest) = text.split_once("<!-- rehearsal -->").unwrap();
        let (_, after) = rest.split_once("<!-- /rehearsal -->").unwrap();
        fs::write(docs, format!("{before}{block}{after}")).unwrap();
    }
}

#[test]
fn what_guests_said_is_read_where_a_rule_needs_it() {
    let town = Town::rehearsing();
    town.live_a_month(30);
    let said: Vec<(String, i64)> =
        lock(&town.platform).tickets().map(|ticket| (ticket.ticket_id.clone(), ticket.created_at)).collect();
    for (number, (id, created)) in said.iter().enumerate() {
        let text = if number % 10 == 0 { "我要投诉" } else { "在吗" };
        lock(&town.platform).guest_says(id, text, created + MINUTE);
    }
    let without = town.run(&["rehearse", "--format", "json"]).expect(0, &[]);
    let without: Value = serde_json::from_str(&without.out).unwrap();
    assert_eq!(without["unplayed"][0]["name"], "说了投诉");
    let with = town.run(&["rehearse", "--format", "json", "--messages"]).expect(0, &["about 30 API calls"]);
    let with: Value = serde_json::from_str(&with.out).unwrap();
    assert_eq!((rings(&with, "说了投诉"), with["unplayed"].as_array().map(Vec::len)), (3, Some(0)));

    // Interrupted among the messages, it goes on with those that are missing.
    let used = town.used();
    lock(&town.platform).turn(|knobs| knobs.quota_per_month = Some(used + 12));
    town.run(&["rehearse", "--messages"]).expect(1, &["What was read is kept"]);
    lock(&town.platform).turn(|knobs| knobs.quota_per_month = None);
    let again = town.run(&["rehearse", "--messages", "--format", "json"]).expect(0, &["about 20 API calls"]);
    let again: Value = serde_json::from_str(&again.out).unwrap();
    assert_eq!(rings(&again, "说了投诉"), 3);
}

#[test]
fn the_store_s_own_history_is_played_and_two_sets_of_rules_are_compared() {
    let town = Town::rehearsing();
    town.run(&["backtest"]).expect(1, &["there is no store"]);
    let now = town.clock.now().as_ms();
    let ids: Vec<String> =
        (0..3).map(|_| lock(&town.platform).create_ticket(now, |ticket| ticket.status = STATUS_QUEUEING)).collect();
    town.run(&["serve", "--once"]).expect(0, &[]);
    let now = town.clock.now().as_ms();
    lock(&town.platform).close_ticket(&ids[0], STATUS_CLOSED_BY_AGENT, now);
    lock(&town.platform).rate_ticket(&ids[0], 1, Some("慢"), now);
    town.run(&["serve", "--once"]).expect(0, &[]);

    let json = town.run(&["backtest", "--since", "1h", "--format", "json"]).expect(0, &[]);
    let page: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((rings(&page, "排队太久"), rings(&page, "不满意")), (0, 1), "{page:#}");
    town.run(&["--lang", "zh", "backtest", "--since", "1h"]).expect(0, &["回测", "不满意"]);

    let at_once = "name: 排队太久\nwhen: { status: 排队中 }\nnotify: [{ to: support }]\n";
    town.write_rules("new-rules", &[("queueing", at_once), RULES[1]]);
    let compared = ["backtest", "--since", "1h", "--rules", "new-rules", "--against", "rules"];
    let json = town.run(&[&compared[..], &["--format", "json"]].concat()).expect(0, &[]);
    let found: Value = serde_json::from_str(&json.out).unwrap();
    let rule = |name: &str| found.as_array().unwrap().iter().find(|rule| rule["name"] == name).unwrap().clone();
    let queueing = rule("排队太久");
    assert_eq!((&queueing["before"], &queueing["after"], &queueing["new"]), (&0.into(), &3.into(), &3.into()));
    assert_eq!((&rule("不满意")["lost"], &rule("不满意")["new"]), (&0.into(), &0.into()));
    let zh = town.run(&[&["--lang", "zh"][..], &compared].concat());
    zh.expect(0, &["多出来的，例如", ids[0].get(13..).unwrap(), "排队太久"]);
    town.run(&["backtest", "--against", "nowhere"]).expect(2, &["there is no folder nowhere"]);

    let copy = ["-r", "data", "copy"];
    assert!(std::process::Command::new("cp").args(copy).current_dir(town.home.path()).status().unwrap().success());
    let (_, admin) = town.listen();
    let running = crate::town::Running::start(&town, admin);
    town.run(&["backtest", "--since", "1h"]).expect(1, &["has it open", "--store"]);
    town.run(&["backtest", "--since", "1h", "--store", "copy"]).expect(0, &["不满意"]);
    assert_eq!(running.stop().0, Some(0));
}
