//! The real binary in trouble, and its service's life: what a person reads, what goes on, how it ends.

use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use deskbell::sim::{directory::ChatKind, faults::Fault, http::lock, route::Route};

use crate::town::{Ended, Running, Town, wait_until};

/// A configuration that polls every second, its listeners on free ports.
fn quick() -> (Town, SocketAddr) {
    let town = Town::new();
    town.init().expect(0, &[]);
    town.edit("plan: free", "plan: paid");
    town.edit("\"0 */15 * * * *\"", "\"* * * * * *\"");
    town.edit("\"0 0 8,20 * * *\"", "\"*/30 * * * * *\"");
    town.define_priority();
    let (_, admin) = town.listen();
    (town, admin)
}

impl Town {
    /// A ticket with a bad rating: one alert.
    fn bad_ticket(&self) -> String {
        let now = self.clock.now().as_ms();
        let id = lock(&self.platform).create_ticket(now, |_| {});
        lock(&self.platform).rate_ticket(&id, 1, Some("慢"), now);
        id
    }

    /// Runs a verb under a shell that sets something up first.
    fn run_after(&self, before: &str, arguments: &str) -> Ended {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{before} exec {} {arguments}", env!("CARGO_BIN_EXE_deskbell"))]);
        shell.current_dir(self.home.path()).env_clear().stdin(Stdio::null());
        Ended::of(&shell.output().unwrap())
    }

    fn status(&self) -> String {
        let zh = self.run(&["--lang", "zh", "status"]);
        zh.out
    }
}

#[test]
fn a_single_run_says_what_was_read_sent_and_waits() {
    let (town, _) = quick();
    town.edit("\"* * * * * *\"", "\"0 */10 * * * *\""); // so that the source counts as silent late
    town.run(&["serve", "--once"]).expect(0, &["✓ it-desk was read: tickets under watch 0", "sent: nothing"]);
    town.bad_ticket();
    town.run(&["--lang", "zh", "serve", "--once"]).expect(0, &["关注 1 张工单", "发出：提醒 1"]);
    let id = town.bad_ticket();
    lock(&town.platform).fail_next(Route::MessageCreate, Fault::Refused(400, 230_002), 1);
    let zh = town.run(&["--lang", "zh", "serve", "--once"]);
    let zh = zh.expect(1, &["✓ it-desk", "✗ 待发 1", "机器人不在这个群里", "群机器人 → 添加机器人", "没有全部完成"]);
    assert!(!zh.out.contains("Add Bot") && !zh.err.contains("NoticeKey"), "{zh:?}");
    lock(&town.platform).faults_mut().down.push(0..i64::MAX);
    let down = town.run(&["serve", "--once"]);
    down.expect(1, &["✗ it-desk was not read", "an HTML page instead of JSON", "✗ to send", "Add Bot"]);
    town.run(&["--lang", "zh", "serve", "--once"]).expect(1, &["网页，不是 JSON"]);
    lock(&town.platform).faults_mut().down.clear();
    lock(&town.platform).turn(|knobs| knobs.quota_per_month = Some(0));
    town.run(&["serve", "--once"]).expect(1, &["API calls", "used up"]);
    town.run(&["serve", "--once"]).expect(1, &["it-desk was not read: this month's API calls are used up"]);
    assert!(!id.is_empty());
}

#[test]
fn wrong_credentials_stop_no_service_and_the_status_says_what_to_do() {
    let (town, admin) = quick();
    fs::write(town.home.path().join("secrets/app_secret"), "wrong").unwrap();
    town.run(&["serve", "--once"]).expect(1, &["app_id or app_secret is wrong", "Credentials & Basic Info"]);
    let running = Running::start(&town, admin);
    wait_until(&town, "the failure in the status", || town.status().contains("连续"));
    let shown = town.status();
    for words in
        ["it-desk 没读成：app_id 或 app_secret 不对", "凭证与基础信息", "下次读取", "等得最久的通知", "deskbell doctor"]
    {
        assert!(shown.contains(words), "{words} in\n{shown}");
    }
    assert_eq!(running.stop().0, Some(0));
}

#[test]
fn a_platform_that_goes_away_comes_back_unharmed() {
    let (town, admin) = quick();
    let running = Running::start(&town, admin);
    wait_until(&town, "the first reading", || town.status().contains("正常"));
    lock(&town.platform).faults_mut().down.push(0..i64::MAX);
    wait_until(&town, "the failure in the status", || town.status().contains("网页，不是 JSON"));
    town.bad_ticket();
    lock(&town.platform).faults_mut().down.clear();
    wait_until(&town, "the card", || town.cards() > 0);
    wait_until(&town, "all is well again", || town.status().contains("正常"));
    assert_eq!(running.stop().0, Some(0));
}

#[test]
fn chats_that_cannot_be_reached_are_named_with_the_remedy() {
    let (town, _) = quick();
    lock(&town.platform).add_chat("oc_other", "外面的群", ChatKind::Group);
    lock(&town.platform).change_chat("oc_other", |chat| chat.has_bot = false);
    town.edit("receivers:", "receivers:\n  outside: { chat_id: oc_other }\n  nowhere: { chat_id: oc_nowhere }");
    town.run(&["send-test", "outside"]).expect(1, &["the bot is not in this chat", "Add Bot"]);
    town.run(&["--lang", "zh", "send-test", "outside"]).expect(1, &["机器人不在这个群里"]);
    town.run(&["send-test", "nowhere"]).expect(1, &["the chat_id is wrong", "deskbell chats"]);
    town.run(&["--lang", "zh", "doctor"]).expect(1, &["outside", "nowhere", "添加机器人", "deskbell chats"]);
}

#[test]
fn broken_tickets_are_named_and_the_rest_is_read() {
    let (town, admin) = quick();
    let running = Running::start(&town, admin);
    let now = town.clock.now().as_ms();
    let (good, bad) = (town.bad_ticket(), lock(&town.platform).create_ticket(now, |_| {}));
    let huge = "x".repeat(1_100_000);
    lock(&town.platform)
        .update_ticket_silently(&bad, |ticket| drop(ticket.overrides.insert("note".into(), huge.into())));
    wait_until(&town, "the broken ticket in the status", || town.status().contains(&bad));
    wait_until(&town, "the card of the good one", || town.cards() > 0);
    let shown = town.status();
    assert!(shown.contains("1 张工单读不懂") && !shown.contains(&good), "{shown}");
    assert_eq!(running.stop().0, Some(0));
}

#[test]
fn faults_of_rules_and_templates_stop_the_start_with_their_place() {
    let (town, _) = quick();
    let write = |file: &str, text: &str| fs::write(town.home.path().join(file), text).unwrap();
    write("rules/bad.yaml", "name: x\nwhen: { statsu: open }\nnotify: [{ to: support }]\n");
    write("templates/odd.hbs", "---\ntitle: \"{{ticket.subjct}}\"\n---\nx\n");
    for verb in [&["serve"][..], &["serve", "--once"], &["check"]] {
        let words = ["rules/bad.yaml:2", "statsu", "status", "templates/odd.hbs", "subjct", "2 errors"];
        town.run(verb).expect(2, &words);
    }
    town.run(&["--lang", "zh", "serve"]).expect(2, &["错误 rules/bad.yaml:2", "2 处错误", "deskbell check"]);
    assert!(!town.home.path().join("data").exists(), "nothing was opened");
}

#[test]
fn a_store_that_cannot_be_used_says_why() {
    let (town, admin) = quick();
    let running = Running::start(&town, admin);
    let pid = running.0.id().to_string();
    town.run(&["serve"]).expect(1, &["in use", "server.listen"]);
    town.run(&["serve", "--once"]).expect(1, &[&format!("process {pid} has it open")]);
    town.run(&["--lang", "zh", "serve", "--once"]).expect(1, &[&format!("进程 {pid} 正在使用")]);
    town.run(&["store", "compact"]).expect(1, &[&format!("process {pid} has it open"), "Stop the service"]);
    assert_eq!(running.stop().0, Some(0));

    let (data, kept) = (town.home.path().join("data"), town.home.path().join("kept"));
    fs::rename(&data, &kept).unwrap();
    town.run(&["store", "compact"]).expect(1, &["there is no store yet"]);
    fs::write(&data, "a file").unwrap();
    town.run(&["serve", "--once"]).expect(1, &["not a directory"]);
    town.run(&["--lang", "zh", "serve", "--once"]).expect(1, &["不是目录"]);
    fs::remove_file(&data).unwrap();
    copy(&kept, &data);
    for file in ["db", "conf"] {
        fs::write(data.join("sled").join(file), vec![0xa5; 70_000]).unwrap();
    }
    town.run(&["serve", "--once"]).expect(1, &["damaged", "restore"]);
    town.run(&["--lang", "zh", "serve", "--once"]).expect(1, &["已损坏", "备份"]);
    fs::remove_dir_all(&data).unwrap();
    copy(&kept, &data);
    sled::Config::new().path(data.join("sled")).open().unwrap().insert(b"f", &[9]).unwrap();
    let newer = || town.run(&["serve", "--once"]);
    wait_until(&town, "sled lets go of its file", || !newer().err.contains("has it open"));
    newer().expect(1, &["version 9", "upgrade deskbell"]);
    town.run(&["--lang", "zh", "serve", "--once"]).expect(1, &["版本 9", "请升级 deskbell"]);
    fs::remove_dir_all(&data).unwrap();
    fs::rename(&kept, &data).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(data.join("probe"), "").is_err() {
        town.run(&["serve", "--once"]).expect(1, &["no permission", "chown"]); // root may write everywhere
    }
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
    town.run(&["serve", "--once"]).expect(0, &[]);
    town.run(&["store", "compact"]).expect(0, &["is compacted", "records are there"]);
    town.run(&["serve", "--once"]).expect(0, &["✓ it-desk"]);
}

/// Copies a folder.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_full_disk_is_said_and_exits_1() {
    let (town, _) = quick();
    let now = town.clock.now().as_ms();
    for _ in 0..1_500 {
        lock(&town.platform).create_ticket(now, |_| {});
    }
    // A limit on file sizes is what a full disk looks like from inside, without being root.
    let limited = "trap '' XFSZ; ulimit -S -f 600;";
    town.run_after(limited, "serve --once").expect(1, &["the disk is full", "free some space", "store compact"]);
    town.run_after(limited, "--lang zh serve --once").expect(1, &["磁盘已满", "腾出空间"]);
    town.run(&["serve", "--once"]).expect(0, &["✓ it-desk was read: tickets under watch 1500"]);
}

#[test]
fn signals_end_it_in_time_even_while_the_platform_hangs() {
    let (town, admin) = quick();
    lock(&town.platform).faults_mut().slow = 1.0;
    lock(&town.platform).faults_mut().slow_ms = 60_000..60_001;
    let began = town.clock.now();
    let (code, said) = Running::start(&town, admin).stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(town.clock.now().since(began).to_std() < Duration::from_secs(10), "{said}");

    let mut running = Running::start(&town, admin);
    let pid = running.0.id().to_string();
    let interrupt = || assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    interrupt();
    interrupt();
    let began = town.clock.now();
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
    assert!(town.clock.now().since(began).to_std() < Duration::from_secs(10));
}
