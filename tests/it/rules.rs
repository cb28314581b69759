//! Rules as files: the shipped ones compile, and every broken one is answered with place, words and a suggestion.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use deskbell::{
    adapters::rulebook::{
        load::{load_dir, load_texts},
        names::Names,
    },
    domain::{
        calendar::{Calendar, Frame, Plan},
        facts::Facts,
        fault::{Fault, Gravity},
        id::{CalendarName, SourceName, TicketId, TicketKey},
        labels::Labels,
        seen::Seen,
        ticket::{CustomField, Known, Person, Status, Tag, Ticket},
        time::{Timestamp, Zone},
        verdict::{Answer, eval},
        why::why_text,
    },
};

/// Mondays to Fridays, the same frames every day.
fn calendar(name: &str, frames: &[(u32, u32)]) -> (String, Arc<Calendar>) {
    let day = || frames.iter().map(|(from, to)| Frame { from: *from, to: *to }).collect::<Vec<_>>();
    let plan = Plan {
        name: CalendarName::new(name),
        zone: Zone(chrono_tz::Asia::Shanghai),
        week: [day(), day(), day(), day(), day(), Vec::new(), Vec::new()],
        dates: BTreeMap::new(),
        known_through: None,
    };
    (name.to_string(), Arc::new(Calendar::new(plan)))
}

/// What the rules of the cases may name.
pub(crate) fn names() -> Names {
    let set = |words: &[&str]| words.iter().map(|word| (*word).to_string()).collect();
    Names {
        receivers: set(&["support", "leads"]),
        teams: set(&["payment", "other"]),
        team_words: ["team", "team.lead", "team.oncall"].into(),
        calendars: [calendar("office", &[(570, 720), (810, 1_110)]), calendar("night", &[(1_260, 1_440)])].into(),
        sources: set(&["it-desk", "hr-desk"]),
        subjects: set(&["it-desk"]),
        priorities: set(&["it-desk"]),
        templates: set(&["dissatisfied", "waiting-for-user", "custom-field"]),
        zone: Zone(chrono_tz::Asia::Shanghai),
        ..Names::default()
    }
}

fn show(fault: &Fault) -> String {
    let gravity = match fault.gravity {
        Gravity::Error => "error",
        Gravity::Warning => "warning",
    };
    let mut shown = format!("{gravity} {}\n  {}\n  {}\n", fault.place, fault.message.zh, fault.message.en);
    if let Some(hint) = &fault.hint {
        shown.push_str(&format!("  -> {}\n  -> {}\n", hint.zh, hint.en));
    }
    shown
}

#[test]
fn the_shipped_rules_compile() {
    let (rules, faults) = load_dir(Path::new("rules"), &names());
    assert_eq!(faults, Vec::new());
    let shown: Vec<String> = rules.rules.values().map(|rule| format!("{}: {}", rule.name, rule.when)).collect();
    assert_eq!(
        shown,
        [
            "P0 工单: all(field any \"优先级\" text_is [\"p0\"], status code_is [1, 2, 3, 4, 5])",
            "不满意: score code_is [1]",
            "待用户响应太久: all(status code_is [5], in_status at_least 86400000)",
        ]
    );
}

#[test]
fn every_broken_rule_is_answered() {
    let dir = Path::new("tests/cases/rules/broken");
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    assert!(files.len() >= 25);
    for path in files {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let (rules, faults) = load_texts(&[(format!("{name}.yaml"), text)], &names());
        assert!(faults.iter().any(|fault| fault.gravity == Gravity::Error), "{name}: no fault");
        assert!(rules.rules.is_empty(), "{name}: a rule with faults is in force");
        let shown: String = faults.iter().map(show).collect();
        insta::with_settings!({
            snapshot_path => "../cases/rules/broken",
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, { insta::assert_snapshot!(name, shown) });
    }
}

/// A ticket of the shipped rules: dissatisfied, waiting for the user, P0; nobody owns it, its channel is unknown.
fn ticket() -> Ticket {
    let text = |text: &str| Known::Present(Arc::<str>::from(text));
    let guest = Person { name: text("李雷"), email: text("Li@Example.com"), ..Person::default() };
    let priority = CustomField { display_name: text("优先级"), value: text("P0"), ..CustomField::default() };
    let tags = ["VIP", "退款"].map(|name| Tag { id: Known::Empty, name: text(name) });
    Ticket {
        status: Known::Present(Status::WaitingForUser),
        score: Known::Present(1),
        created_at: Known::Present(Timestamp::from_ms(0)),
        updated_at: Known::Empty,
        closed_at: Known::Empty,
        agent_owner: Known::Empty,
        agent_last_response_time: Known::Empty,
        guest: Known::Present(Arc::new(guest)),
        tags: Known::Present(Arc::from(tags)),
        customized_fields: Known::Present(Arc::from([priority])),
        agent_first_response_duration: Known::Present(60),
        ..Ticket::unknown(TicketKey::new(SourceName::new("it-desk"), TicketId::new("6626871355780366331")))
    }
}

const HOUR: i64 = 3_600_000;

fn facts() -> Facts {
    let zero = Timestamp::from_ms(0);
    Facts::new(zero, zero)
}

#[test]
fn what_people_write_is_answered_as_they_mean_it() {
    use Answer::{No, Unknown, Yes};
    for (when, expected) in [
        ("{ score: 不满意 }", Yes),
        ("{ 评分: [一般, 满意] }", No),
        ("{ 状态: 未关闭, 评分: 1 }", Yes),
        ("{ status: closed }", No),
        ("{ channel: 二维码 }", Unknown),
        ("{ not: { channel: 二维码 } }", Unknown),
        ("{ any: [{ channel: 2 }, { score: bad }] }", Yes),
        ("{ all: [{ channel: 2 }, { score: 满意 }] }", No),
        ("{ none: [{ score: 满意 }, { status: closed }] }", Yes),
        ("{ agent_owner: none }", Yes),
        ("{ 负责人: { exists: true } }", No),
        ("{ guest: li@example.com }", Yes),
        ("{ guest.name: { starts_with: 李 } }", Yes),
        ("{ 客户的部门: 财务 }", Unknown),
        ("{ tags: vip }", Yes),
        ("{ tags: { contains_all: [VIP, 投诉] } }", No),
        ("{ fields: { 优先级: [p0, P1] } }", Yes),
        ("{ field: { name: 优先级, matches: \"^P[0-1]$\" } }", Yes),
        ("{ fields: { 产品线: 支付 } }", Unknown),
        ("{ agent_first_response_duration: { at_least: 60, below: 61 } }", Yes),
        ("{ age: { at_least: 24h } }", Yes),
        ("{ age: { under: 24h } }", No),
        ("{ 未更新时长: { 至少: 1天 } }", Yes),
        ("{ since_agent_reply: { at_least: 1m } }", No),
        ("{ created_at: { before: 1970-01-02 } }", Yes),
        ("{ ticket_id: { contains: 366331 } }", Yes),
        ("{ dissatisfaction_reason: { contains: 慢 } }", Unknown),
    ] {
        let text = format!("name: x\nuntil: handled\nexpires: 1d\nnotify: {{ to: support }}\nwhen: {when}\n");
        let (rules, faults) = load_texts(&[("x.yaml", text)], &names());
        assert_eq!(faults, Vec::new(), "{when}");
        let rule = rules.rules.values().next().unwrap();
        let verdict =
            eval(&rule.when, &Seen::at_rest(&ticket(), &facts(), Labels::none()), Timestamp::from_ms(24 * HOUR));
        assert_eq!(verdict.answer, expected, "{when}");
    }
}

#[test]
fn the_shipped_rules_say_why_they_ring() {
    let (rules, _) = load_dir(Path::new("rules"), &names());
    let now = Timestamp::from_ms(26 * HOUR);
    let said =
        |name: &str| why_text(&rules.rules[name].when, &Seen::at_rest(&ticket(), &facts(), Labels::none()), now).zh;
    assert_eq!(said("不满意"), "评分是 不满意");
    assert_eq!(said("待用户响应太久"), "状态是 待用户响应；状态已持续 1 天 2 小时");
    assert_eq!(said("P0 工单"), "优先级是 P0；状态是 待用户响应");
}
