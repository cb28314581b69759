//! Rules that compile, and what they compile to.

use super::*;
use crate::{
    adapters::rulebook::names::{Choice, Definition},
    domain::{
        calendar::Wait,
        fault::Gravity,
        rule::{CatchUp, Severity, Until},
        time::{Span, Zone},
    },
};

fn names() -> Names {
    let set = |words: &[&str]| words.iter().map(|word| (*word).to_string()).collect();
    Names {
        receivers: set(&["support", "leads"]),
        sources: set(&["it-desk"]),
        templates: set(&["dissatisfied", "waiting-for-user", "custom-field"]),
        zone: Zone(chrono_tz::Asia::Shanghai),
        ..Names::default()
    }
}

fn rule_with(when: &str) -> String {
    format!("name: x\nuntil: cleared\nnotify: [{{ to: support }}]\nwhen: {when}\n")
}

fn check_when(when: &str, expected: &str) {
    let (rules, faults) = load_texts(&[("x.yaml", rule_with(when))], &names());
    let shown: Vec<String> = faults.iter().map(|fault| format!("{} {}", fault.place, fault.message.en)).collect();
    assert_eq!(shown, Vec::<String>::new(), "{when}");
    assert_eq!(rules.rules.values().next().unwrap().when.to_string(), expected, "{when}");
}

#[test]
fn conditions_compile_to_what_they_mean() {
    for (when, expected) in
        [("{ score: 不满意 }", "code_is [1]".to_string()), ("{ 评分: 1 }", "code_is [1]".to_string())]
    {
        check_when(when, &format!("score {expected}"));
    }
    check_when("{ status: [待用户响应, closed] }", "status code_is [5, 50, 51, 52]");
    check_when("{ solved: no }", "solved code_is [1]");
    check_when("{ channel: 77 }", "channel code_is [77]");
    check_when("{ ticket_type: { is: human } }", "ticket_type code_is [2]");
    check_when(
        "{ status: waiting_for_user, in_status: { at_least: 24h, under: 3d } }",
        "all(status code_is [5], all(in_status at_least 86400000, in_status under 259200000))",
    );
    check_when("{ 状态持续: { 至少: 2小时 } }", "in_status at_least 7200000");
    check_when("{ agent_owner: none }", "agent_owner exists false");
    check_when(
        "{ 负责人: [无, Li@Example.com] }",
        "any(agent_owner exists false, agent_owner person_is [\"li@example.com\"])",
    );
    check_when("{ guest.department: { matches: \"^实习\" } }", "guest.department text_matches [\"^实习\"]");
    check_when("{ 客户的部门: 财务 }", "guest.department text_is [\"财务\"]");
    check_when("{ tags: VIP }", "tags list_contains [\"vip\"]");
    check_when(
        "{ tags: { contains_all: [VIP, 015], empty: false } }",
        "all(tags list_contains_all [\"vip\", \"015\"], tags exists true)",
    );
    check_when("{ comments: 投诉 }", "comments text_contains [\"投诉\"]");
    check_when("{ agent_resolution_time: { above: 3600 } }", "agent_resolution_time above 3600.0");
    check_when("{ created_at: { after: 2026-11-20 } }", "created_at after 1795104000000");
    check_when(
        "{ fields: { 优先级: [P0, on], 金额: { at_least: 1e3 } } }",
        "all(field any \"优先级\" text_is [\"p0\", \"on\"], field any \"金额\" at_least 1000.0)",
    );
    check_when("{ field: { key: Priority, is: P0 } }", "field key \"priority\" text_is [\"p0\"]");
    check_when(
        "{ any: [{ status: open }, { none: [{ score: 3 }] }], not: { tags: x } }",
        "all(any(status code_is [1, 2, 3, 4, 5], none(score code_is [3])), not(tags list_contains [\"x\"]))",
    );
}

#[test]
fn a_rule_is_read_whole() {
    let text = "名称: 不满意\nsummary: 一句话\nseverity: 严重\nsources: it-desk\ncatch_up: each\nwhen: { score: 1 }\nfor: 1m\n\
                until: handled\nexpires: 3d\nadvice: 打电话\nnotify:\n  - { to: support, template: dissatisfied, repeat: [1h, 4h], repeat_max: 3 }\n  \
                - { 发给: leads, 重复: 1d }\n";
    let (rules, faults) = load_texts(&[("x.yaml", text)], &names());
    assert_eq!(faults, Vec::new());
    let rule = &rules.rules["不满意"];
    assert_eq!((rule.severity, rule.catch_up), (Severity::Critical, Some(CatchUp::Each)));
    assert!(matches!(rule.until, Until::Handled));
    assert_eq!((&rule.hold, rule.expires), (&Wait::wall(Span::from_mins(1)), Some(Span::from_days(3))));
    assert_eq!(rule.notify[0].repeat, [Wait::wall(Span::from_hours(1)), Wait::wall(Span::from_hours(4))]);
    assert_eq!((rule.notify[0].repeat_max, rule.notify[1].repeat_max), (3, 10));
    assert_eq!(rule.advice.as_deref(), Some("打电话"));
}

#[test]
fn only_what_decides_is_part_of_a_rules_meaning() {
    let meaning = |text: String| {
        let (rules, faults) = load_texts(&[("x.yaml", text.clone())], &names());
        assert_eq!(faults, Vec::new(), "{text}");
        rules.rules.into_values().next().unwrap().meaning
    };
    let base = meaning(rule_with("{ status: open }"));
    assert_eq!(base, 4_896_610_776_567_999_508, "alerts of every installation are judged anew when this changes");
    assert_eq!(base, meaning(rule_with("{ 状态: [1, 2, 3, 4, 5] }")));
    assert_eq!(base, meaning(rule_with("{ status: open }") + "advice: x\nseverity: info\nsummary: y\n"));
    for other in ["for: 1m\n", "sources: [it-desk]\n", "expires: 1d\n"] {
        assert_ne!(base, meaning(rule_with("{ status: open }") + other), "{other}");
    }
    assert_ne!(base, meaning(rule_with("{ status: created }")));
}

#[test]
fn definitions_check_names_and_open_options() {
    let choice = |tag: &str, name: &str| Choice { tag: tag.into(), display_name: name.into() };
    let field = |id: &str, key: &str, name: &str, options: Vec<Choice>| Definition {
        source: "it-desk".into(),
        id: id.into(),
        key_name: key.into(),
        display_name: name.into(),
        multiple: key == "lines",
        options,
    };
    let definitions = vec![
        field("1", "priority", "优先级", vec![choice("uuid-0", "P0"), choice("uuid-1", "P1")]),
        field("2", "lines", "产品线", vec![choice("uuid-2", "支付")]),
        field("3", "note_a", "说明", Vec::new()),
        field("4", "note_b", "说明", Vec::new()),
    ];
    let unchecked = names();
    let names = Names { fields: Some(definitions), ..names() };
    let meaning = |names: &Names| {
        let (rules, _) = load_texts(&[("x.yaml", rule_with("{ fields: { 优先级: p0, 产品线: 支付 } }"))], names);
        rules.rules.values().next().unwrap().meaning
    };
    assert_eq!(meaning(&names), meaning(&unchecked), "fetching the definitions changes no rule");
    for (when, expected) in [
        ("{ fields: { 优先级: p0 } }", "field any \"优先级\" text_is [\"p0\", \"uuid-0\"]"),
        ("{ fields: { priority: uuid-1 } }", "field any \"priority\" text_is [\"p1\", \"uuid-1\"]"),
        ("{ fields: { 产品线: 支付 } }", "field any \"产品线\" list_contains [\"uuid-2\", \"支付\"]"),
        ("{ field: { key: note_a, contains: x } }", "field key \"note_a\" text_contains [\"x\"]"),
        ("{ fields: { 优先级: P9 } }", "! `优先级` has no option `p9` | did you mean `P0`?"),
        ("{ fields: { 优先极: P0 } }", "! the helpdesk has no custom field `优先极` | did you mean `优先级`?"),
        (
            "{ fields: { 说明: x } }",
            "! 2 custom fields are called `说明` | use the key: field: { key: note_a, is: … } (keys: note_a, note_b)",
        ),
    ] {
        let (rules, faults) = load_texts(&[("x.yaml", rule_with(when))], &names);
        let rules = rules.rules.values().map(|rule| rule.when.to_string());
        let hint = |fault: &Fault| fault.hint.as_ref().map(|hint| hint.en.clone()).unwrap_or_default();
        let faults = faults.iter().map(|fault| format!("! {} | {}", fault.message.en, hint(fault)));
        assert_eq!(rules.chain(faults).collect::<Vec<_>>(), [expected], "{when}");
    }
}

#[test]
fn a_folder_is_read_in_order_and_what_is_not_read_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write("b.yaml", &rule_with("{ status: open }"));
    write("a.yaml", &rule_with("{ status: closed }"));
    write("a.test.yaml", "not a rule");
    write(".hidden.yaml", "not a rule");
    write("c.yml", "name: y");
    write("d.yaml", "# nothing yet\n");
    write("README.md", "x");
    fs::create_dir(dir.path().join("more")).unwrap();
    let (rules, faults) = load_dir(dir.path(), &names());
    assert_eq!(rules.rules.len(), 1);
    let line = |fault: &Fault| {
        let file = Path::new(&*fault.place.file).file_name().unwrap().to_string_lossy().into_owned();
        (file, fault.gravity, fault.message.en.split(" at ").next().unwrap().to_string())
    };
    let found: Vec<_> = faults.iter().map(line).collect();
    let expected = [
        ("c.yml", Gravity::Warning, "this file is not read: rules end in .yaml"),
        ("more", Gravity::Warning, "rules in a sub-folder are not read"),
        ("b.yaml", Gravity::Error, "the rule name `x` is already used"),
        ("d.yaml", Gravity::Warning, "this file is empty: it holds no rule"),
    ];
    assert_eq!(found, expected.map(|(file, gravity, text)| (file.to_string(), gravity, text.to_string())));
    let (_, faults) = load_dir(&dir.path().join("nowhere"), &names());
    assert_eq!(faults[0].gravity, Gravity::Error);
}
