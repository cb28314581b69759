//! `deskbell test` as people run it: what passes, what fails and why, what is broken.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use crate::town::Ended;

const CASES: &str = "tests/cases/ruletests";

fn run(dir: &Path, arguments: &[&str]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deskbell"));
    command.current_dir(dir).env_clear().args(arguments);
    Ended::of(&command.output().unwrap())
}

/// Runs the tests of a folder of cases.
fn cases(arguments: &[&str]) -> Ended {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join(CASES);
    run(&here, &[&["test"], arguments].concat())
}

fn snapshot(name: &str, shown: &str) {
    insta::with_settings!({
        snapshot_path => "../cases/ruletests",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, { insta::assert_snapshot!(name, shown) });
}

#[test]
fn the_shipped_rules_pass_their_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ended = run(root, &["test", "rules"]);
    let ended = ended.expect(0, &["✓"]);
    let files = fs::read_dir(root.join("rules")).unwrap().map(|entry| entry.unwrap().path());
    let (tests, rules): (Vec<_>, Vec<_>) = files
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .partition(|path| path.to_string_lossy().ends_with(".test.yaml"));
    for rule in rules.iter().filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with('_')) {
        let test = rule.with_extension("test.yaml");
        assert!(tests.contains(&test), "{} has no test", rule.display());
    }
    assert!(ended.out.lines().count() >= 2 * rules.len(), "{}", ended.out);
}

#[test]
fn every_kind_of_rule_does_what_it_says() {
    let ended = cases(&["language"]).expect(0, &["✓"]);
    assert_eq!(ended.out.lines().count(), 8, "{}", ended.out);
}

#[test]
fn what_passes_is_a_line_each() {
    let ended = cases(&["passing"]).expect(0, &["✓ 排队十分钟就提醒，半小时后再提醒", "✓ 客服说的不算"]);
    assert!(ended.out.lines().all(|line| line.starts_with("✓ ")) && ended.err.is_empty(), "{ended:?}");
    assert!(ended.out.lines().count() >= 9);
    let one = cases(&["passing/words.test.yaml", "passing/words.test.yaml"]).expect(0, &[]);
    assert_eq!(one.out.lines().count(), 2, "a file that is named twice is run once");
}

#[test]
fn what_fails_says_what_came_instead_and_why() {
    for lang in ["zh", "en"] {
        let ended = cases(&["failing", "--lang", lang]).expect(1, &["✓ fine"]);
        snapshot(&format!("failing.{lang}"), &format!("{}---\n{}", ended.out, ended.err));
    }
}

#[test]
fn what_is_broken_is_named_with_its_place() {
    for lang in ["zh", "en"] {
        let ended = cases(&["broken", "--lang", lang]).expect(2, &[]);
        assert!(ended.out.is_empty());
        snapshot(&format!("broken.{lang}"), &ended.err);
    }
    cases(&["nowhere"]).expect(2, &["nowhere"]);
    cases(&["."]).expect(2, &["holds no rule test"]);
    cases(&["passing", "-c", "nowhere.yaml"]).expect(2, &["nowhere.yaml", "cannot be read"]);
}

#[test]
fn programs_get_a_document() {
    let ended = cases(&["failing", "--format", "json"]).expect(1, &[]);
    let document: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!((&document["passed"], &document["failed"]), (&1.into(), &4.into()));
    let late = &document["cases"][1];
    assert_eq!((&late["passed"], &late["line"]), (&false.into(), &4.into()));
    assert_eq!(late["missing"][0]["at"], "2026-11-20 09:05");
    let unasked = &document["cases"][2]["extra"][0];
    assert_eq!((&unasked["to"], &unasked["step"]), (&"support".into(), &"fired".into()));
    assert_eq!(unasked["at"], "2026-11-20 09:10:00");
}

#[test]
fn a_configuration_gives_names_templates_and_languages() {
    let home = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = home.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "deskbell.yaml",
        "feishu: { app_id: a, app_secret: \"${NOT_SET}\", plan: paid }\n\
         sources: { desk: { kind: feishu_helpdesk, helpdesk_id: \"1\", helpdesk_token: \"${NOT_SET}\",\n\
         \x20 poll: \"0 * * * * *\", sweep: \"0 0 * * * *\" } }\n\
         receivers: { night: { chat_id: oc_a, locale: en } }\n\
         operations: { to: night }\n",
    );
    write("templates/queue.en.hbs", "---\ntitle: \"Queue: {{ticket.guest.name}}\"\n---\nbody\n");
    write("templates/queue.zh.hbs", "---\ntitle: \"队列：{{ticket.guest.name}}\"\n---\n正文\n");
    write("rules/q.yaml", "name: q\nwhen: { status: 排队中 }\nnotify: [{ to: night, template: queue }]\n");
    let case = |title: &str| {
        let timeline = "timeline: [{ at: 2026-11-20 09:00, ticket: { status: 排队中, guest: 张三 } }]";
        format!("- name: a\n  {timeline}\n  expect: [{{ at: +0m, to: night, title: \"{title}\" }}]\n")
    };
    write("rules/q.test.yaml", &case("Queue: 张三"));
    run(home.path(), &["test"]).expect(0, &["✓ a"]);
    run(home.path(), &["test", "--locale", "zh"]).expect(1, &["队列：张三"]);
    write("rules/q.test.yaml", &case("队列：张三"));
    run(home.path(), &["test", "rules", "--locale", "zh"]).expect(0, &["✓ a"]);
    write("deskbell.yaml", "feishu: { app_id: a }\n");
    run(home.path(), &["test"]).expect(2, &["app_secret"]);
}
