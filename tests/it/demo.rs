//! The demo as a newcomer starts it: the real binary, its whole day, what it prints.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    process::{Child, Command, Output, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use deskbell::{
    cli::demo::{script::Script, stage::Stage},
    domain::text::Locale,
    sim::platform::Platform,
};

/// How long a demo may take before the test gives up. Far more than it does.
const PATIENCE: Duration = Duration::from_secs(120);

fn demo(arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deskbell"));
    command.arg("demo").args(arguments.split_whitespace()).env_clear().stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn start(arguments: &str) -> Child {
    demo(arguments).spawn().unwrap()
}

/// Standard output of a demo that ended well and in time, with nothing beside it.
fn printed(child: Child) -> String {
    let output = ended(child);
    let beside = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && beside.is_empty(), "{:?}: {beside}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

fn ended(child: Child) -> Output {
    let (done, wait) = mpsc::channel();
    thread::spawn(move || done.send(child.wait_with_output()));
    wait.recv_timeout(PATIENCE).expect("the demo ends in time").unwrap()
}

/// What a block is headed with: time, chat and what happened there.
fn heads(text: &str) -> Vec<&str> {
    let is_time = |line: &&str| line.get(2..3) == Some(":") && line.get(5..7) == Some("  ");
    text.lines().filter(is_time).collect()
}

fn ticket_of(nickname: &str) -> String {
    let (script, mut platform) = (Script::new(7), Platform::new(7));
    Stage::set(&mut platform, &script, Locale::Zh).ticket_id(nickname).unwrap().to_string()
}

#[test]
fn the_day_is_the_same_each_time_and_shows_every_kind_of_card() {
    let runs =
        ["--for 10s --seed 7 --lang zh", "--for 10s --seed 7 --lang zh --http", "--speed 100 --seed 8 --lang zh"];
    let runs = runs.map(start).map(printed);
    let day = &runs[0];
    assert_eq!(*day, runs[1], "the same seed, the same lines, however events travel");
    assert_ne!(heads(day), [""; 0]);
    assert_ne!(*day, runs[2], "another seed, another day");
    for kind in [
        "09:00  IT 支持群\n┏",
        "┃ 2 条提醒待处理 · it-desk",
        "10:12  IT 支持群\n┏",
        "┃ 等客户回复 至少 1 天 · 申请访问设计部共享盘  [P2]",
        "10:31  P0 应急群\n┏",
        "┃ P0 工单 · 财务系统登录报 500  [P0]",
        "09:45  IT 主管群\n┏",
        "┃ 差评 · 门禁卡刷不开 7 楼",
        "10:37  IT 支持群 · 回复 ",
        "┃ 处理中 · 财务系统登录报 500",
        "13:31  P0 应急群  ",
        " 点按钮：[我来处理]\n\n13:31  P0 应急群 · 卡片更新\n┏",
        "11:50  P0 应急群 · 卡片更新\n┏",
        "┃ 已结束 · P0 工单 · 财务系统登录报 500  [历时 1 小时 19 分钟]",
        "18:00  这一天结束了",
        "deskbell init",
    ] {
        assert!(day.contains(kind), "{kind} is missing in\n{day}");
    }
    let asked = format!("@deskbell /ticket {}\n\n10:37  IT 支持群 · 回复 ", {
        let line = day.lines().find(|line| line.contains("/ticket 7")).unwrap();
        line.rsplit(' ').next().unwrap().to_string()
    });
    assert!(day.contains(&asked), "the answer follows the question");
    assert!(!day.contains('\u{1b}'), "no colours in a pipe");
    for technical in ["oc_", "ou_", "om_", "INFO", "WARN", "ERROR", "127.0.0.1"] {
        assert!(!day.contains(technical), "{technical} leaks");
    }
}

#[test]
fn a_typed_line_travels_and_its_answer_appears_while_the_day_stays_the_same() {
    for transport in ["", "--http"] {
        typed_line_travels(transport);
    }
}

fn typed_line_travels(transport: &str) {
    let quiet = printed(start("--speed 100 --lang zh"));
    let mut command = demo(&format!("--speed 100 --lang zh {transport}"));
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let ticket = ticket_of("share");
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "/ticket {ticket}\n\nhelp\n/ticket 12").unwrap();
    drop(input);
    let asked = printed(child);
    for part in [
        &format!("09:00  IT 支持群  你：@deskbell /ticket {ticket}\n\n09:00  IT 支持群 · 回复 你\n┏"),
        "┃ 待用户响应 · 申请访问设计部共享盘",
        "09:00  IT 支持群  你：@deskbell help\n\n09:00  IT 支持群 · 回复 你\n┏",
    ] {
        assert!(asked.contains(part), "{part} is missing in\n{asked}");
    }
    let scripted = |text: &str| -> Vec<String> {
        heads(text).into_iter().filter(|head| !head.contains('你')).map(str::to_string).collect()
    };
    assert_eq!(scripted(&asked), scripted(&quiet));
    let lines = |text: &str| text.lines().map(str::to_string).collect::<BTreeSet<_>>();
    assert!(lines(&quiet).is_subset(&lines(&asked)), "what was typed changed the day");
}

#[test]
fn english_speakers_read_english() {
    let day = printed(start("--speed 100 --lang en"));
    let body = day.split_once("09:00").unwrap().1.split_once("18:00").unwrap().0;
    let chinese: Vec<&str> =
        body.lines().filter(|line| line.chars().any(|c| ('\u{4e00}'..'\u{9fff}').contains(&c))).collect();
    assert_eq!(chinese, [""; 0]);
}

#[test]
fn whoever_closes_the_pipe_has_seen_enough() {
    let mut child = start("--speed 50");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("deskbell"));
    drop(lines);
    let output = ended(child);
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_cleanly() {
    let home = tempfile::tempdir().unwrap();
    let mut child = demo("--seed 7").env("TMPDIR", home.path()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("┏") {
        line.clear();
        assert_ne!(out.read_line(&mut line).unwrap(), 0, "the first card comes");
    }
    assert_eq!(home.path().read_dir().unwrap().count(), 1);
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    let output = ended(child);
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
    assert!(rest.contains("deskbell init"), "{rest}");
    assert_eq!(home.path().read_dir().unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn what_cannot_be_asked_for_is_bad_usage() {
    for (arguments, part) in [
        ("--for 5", "no unit"),
        ("--for 1s", "--for"),
        ("--speed 0", "--speed"),
        ("--secret s3cr3t", "--to"),
        ("--to http://far.example/hook/s3cr3t", "https://"),
        ("--for 60s --speed 2", "--speed"),
    ] {
        let output = ended(start(&format!("{arguments} --lang en")));
        let beside = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments}: {beside}");
        assert!(beside.contains(part) && !beside.contains("s3cr3t"), "{arguments}: {beside}");
        assert_eq!(output.stdout, b"", "{arguments}");
    }
}

/// A custom bot: what it was sent, and the code it answers with.
fn custom_bot(code: i64) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/open-apis/bot/v2/hook/t0ken", listener.local_addr().unwrap());
    let (heard, posts) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let (mut length, mut line) = (0, String::new());
            while line != "\r\n" {
                line.clear();
                if stream.read_line(&mut line).unwrap() == 0 {
                    break;
                }
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            let answer = format!(r#"{{"code":{code},"msg":"sign match fail or timestamp is not within one hour"}}"#);
            let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", answer.len());
            stream.get_mut().write_all(format!("{head}{answer}").as_bytes()).unwrap();
            if heard.send(String::from_utf8(body).unwrap()).is_err() {
                return;
            }
        }
    });
    (url, posts)
}

#[test]
fn the_cards_go_to_the_newcomer_s_group_too() {
    let (url, posts) = custom_bot(0);
    let output = ended(start(&format!("--speed 100 --lang zh --to {url} --secret s3cr3t")));
    let (day, beside) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{beside}");
    let posts: Vec<String> = posts.try_iter().collect();
    assert!(posts.iter().all(|post| post.contains("【演示】") && post.contains("\"sign\"")), "{posts:?}");
    let posted = |head: &&&str| ["：", "结束了", "卡片更新"].iter().all(|word| !head.contains(word));
    let over = day.lines().filter(|line| line.contains("┃ 已结束 · ")).count();
    let count = heads(&day).iter().filter(posted).count() + over;
    assert_eq!(posts.len(), count, "all but what people say and changes of cards that are not over\n{beside}");
    assert!(beside.contains(&format!("{} 张卡片都发到了你的群", posts.len())), "{beside}");
    assert!(!(day + &beside).contains("s3cr3t"));
}

#[test]
fn a_group_that_refuses_does_not_stop_the_day() {
    let (url, posts) = custom_bot(19_021);
    let output = ended(start(&format!("--speed 100 --lang en --to {url} --secret s3cr3t")));
    let (day, beside) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success() && day.contains("18:00"), "{beside}");
    assert_eq!(posts.try_iter().count(), 3, "it is not tried for ever");
    assert!(beside.starts_with("Not posted to your group: ") && beside.contains("3 failures in a row"), "{beside}");
    assert!(!(day + &beside).contains("s3cr3t") && !beside.contains("t0ken"), "{beside}");
}
