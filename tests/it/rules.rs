//! Rules as files: the shipped ones compile, and every broken one is answered with place, words and a suggestion.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

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
        rule::Rule,
        seen::Seen,
        ticket::{CustomField, Known, Person, Status, Tag, Ticket},
        time::{Span, Timestamp, Zone},
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
        templates: set(&["dissatisfied", "waiting-for-user", "custom-field", "agent-silent", "words-of-complaint"]),
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
    assert_eq!(rules.rules.len(), 11);
    let shown: Vec<String> = rules.rules.values().map(|rule| format!("{}: {}", rule.name, rule.when)).collect();
    insta::with_settings!({
        snapshot_path => "../cases/rules",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, { insta::assert_snapshot!("shipped", shown.join("\n")) });
}

fn yaml_files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    files
}

/// The file's name without its folder, and its text.
fn read(path: &Path) -> (String, String) {
    (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(path).unwrap())
}

fn check_snapshot(dir: &str, name: &str, faults: &[Fault]) {
    let shown: String = faults.iter().map(show).collect();
    insta::with_settings!({
        snapshot_path => format!("../cases/rules/{dir}"),
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, { insta::assert_snapshot!(name, shown) });
}

#[test]
fn every_broken_rule_is_answered() {
    let files = yaml_files(Path::new("tests/cases/rules/broken"));
    assert!(files.len() >= 100, "{}", files.len());
    for path in files {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let (rules, faults) = load_texts(&[read(&path)], &names());
        assert!(faults.iter().any(|fault| fault.gravity == Gravity::Error), "{name}: no fault");
        assert!(rules.rules.is_empty(), "{name}: a rule with faults is in force");
        check_snapshot("broken", &name, &faults);
    }
}

#[test]
fn every_doubtful_rule_is_in_force_with_a_warning() {
    let files = yaml_files(Path::new("tests/cases/rules/doubtful"));
    assert!(files.len() >= 4, "{}", files.len());
    for path in files {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let (_, faults) = load_texts(&[read(&path)], &names());
        assert_eq!(faults.len(), 1, "{name}: {faults:?}");
        assert_eq!(faults[0].gravity, Gravity::Warning, "{name}");
        check_snapshot("doubtful", &name, &faults);
    }
}

#[test]
fn faults_between_files_name_both_places() {
    let mut folders: Vec<_> =
        fs::read_dir("tests/cases/rules/folders").unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    assert!(folders.len() >= 4, "{}", folders.len());
    for folder in folders {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let files: Vec<_> = yaml_files(&folder).iter().map(|path| read(path)).collect();
        let (_, faults) = load_texts(&files, &names());
        assert!(faults.iter().any(|fault| fault.gravity == Gravity::Error), "{name}: no fault");
        check_snapshot("folders", &name, &faults);
    }
}

/// The one rule of a text, which has no faults.
fn one_rule(text: &str) -> Rule {
    let (rules, faults) = load_texts(&[("x.yaml", text)], &names());
    let shown: Vec<String> =
        faults.iter().filter(|fault| !fault.message.en.starts_with("read and kept")).map(show).collect();
    assert_eq!(shown, Vec::<String>::new(), "{text}");
    rules.rules.into_values().next().unwrap()
}

/// A rule with all of its parts, but not the calendars' own tables.
fn canonical(rule: &Rule) -> String {
    format!(
        "{} {:?} {:?} {:?} {} for {} keep {:?} until {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        rule.when,
        rule.severity,
        rule.mode,
        rule.kind,
        rule.meaning,
        rule.hold.span.as_ms(),
        rule.keep_firing_for,
        rule.until,
        rule.expires,
        rule.taken_for,
        rule.notify,
        rule.ladder,
        rule.fallback,
        rule.formerly,
    )
}

#[test]
fn chinese_and_english_say_the_same() {
    for (english, chinese) in [
        (
            "name: x\nseverity: critical\nmode: trial\ntrial_to: leads\nformerly: y\ncalendar: office\nfor: 1h\n\
             keep_firing_for: 5m\nuntil: { status: closed }\nexpires: 3d\nrefire_window: 2h\ntaken_for: 4h\n\
             fallback: owner\nwhen: { status: open, age: { at_least: 1wd, calendar: office } }\n\
             notify: [{ to: team, mention: owner, repeat: [1wd], repeat_max: 3 }]\n\
             escalate: [{ after: 2h, to: team.lead, urgent: app }, { after: 1h, to: team.oncall, calendar: always }]\n",
            "名称: x\n级别: 严重\n模式: 试运行\n试运行发给: leads\n曾用名: [y]\n日历: office\n持续: 1小时\n\
             恢复后保持: 5分钟\n直到: { 状态: 已关闭 }\n过期: 3天\n重报窗口: 2小时\n接手后等待: 4小时\n\
             兜底: 负责人\n条件: { 状态: 未关闭, 创建至今: { 至少: 1工作日, 日历: office } }\n\
             通知: { 发给: 团队, 提及: 负责人, 重复: 1工作日, 最多重复: 3 }\n\
             升级: [{ 之后: 2小时, 发给: 组长, 加急: 应用内 }, { 之后: 1小时, 发给: 值班, 日历: 始终 }]\n",
        ),
        (
            "name: x\nclock: first_response\nwhen: { ticket_type: human }\npause_in: [pending, waiting_for_user]\n\
             target: [{ when: { priority: P0 }, is: 15m }, { is: 1wd, calendar: office }]\n\
             steps: [{ at: -5m, severity: info, to: owner }, { at: 100%, severity: warning, to: team }]\n",
            "名称: x\n计时: 首次响应用时\n条件: { 阶段: 人工 }\n暂停状态: [待用户响应, 4]\n\
             目标: [{ 条件: { 优先级: P0 }, 时限: 15分钟 }, { 时限: 1工作日, 日历: office }]\n\
             步骤: [{ 时点: -5分钟, 级别: 提示, 发给: 负责人 }, { 时点: 100％, 级别: 警告, 发给: 团队 }]\n",
        ),
        (
            "name: x\ncount: { status: queueing }\nper: fields.产品线\nwithin: 1d\nwhen: { at_least: 10, below: 99 }\n\
             clear: { below: 6 }\nnotify: [{ to: leads }]\n",
            "名称: x\n计数: { 状态: 排队 }\n分组: 字段.产品线\n时间窗: 1天\n条件: { 至少: 10, 小于: 99 }\n\
             解除: { 小于: 6 }\n通知: { 发给: leads }\n",
        ),
        (
            "name: x\nuntil: handled\nexpires: 1d\nnotify: [{ to: leads }]\n\
             when: { was: { status: closed }, changed: [agent_owner, guest.name, fields.产品线], team: payment }\n",
            "名称: x\n直到: 已处理\n过期: 24小时\n通知: { 发给: leads }\n\
             条件: { 之前: { 状态: 已关闭 }, 变化: [负责人, 客户的姓名, 字段.产品线], 团队: Payment }\n",
        ),
        (
            "conditions: { vip: { tags: VIP } }\nrules:\n  - name: x\n    when: { meets: vip, reopened_count: { above: 1 } }\n    notify: { to: leads }\n",
            "命名条件: { vip: { 标签: vip } }\n规则:\n  - 名称: x\n    条件: { 符合: vip, 重开次数: { 大于: 1 } }\n    通知: { 发给: leads }\n",
        ),
        (
            "defaults: { notify: { to: leads }, calendar: office, for: 1wd }\nrules: [{ name: x, when: { guest_message: { contains: [投诉, 12315] } } }]\n",
            "默认: { 通知: { 发给: leads }, 日历: office, 持续: 1工作日 }\n规则: [{ 名称: x, 条件: { 客户消息: [投诉, 12315] } }]\n",
        ),
    ] {
        assert_eq!(canonical(&one_rule(english)), canonical(&one_rule(chinese)), "{english}");
    }
}

#[test]
fn a_rule_means_what_decides_and_nothing_else() {
    let ticket =
        "name: x\ncalendar: office\nwhen: { status: open, age: { at_least: 2h } }\nnotify: [{ to: support }]\n";
    let sla = "name: x\nclock: resolution\nwhen: { status: open }\ntarget: 4h\nsteps: [{ at: 75%, to: owner }]\n";
    let count = "name: x\ncount: { status: open }\nper: channel\nwhen: { at_least: 10 }\nnotify: [{ to: support }]\n";
    let replaced = |base: &str, from: &str, to: &str| {
        assert!(base.contains(from), "{from}");
        one_rule(&base.replace(from, to)).meaning
    };
    for (base, from, to, same) in [
        (ticket, "office", "night", false),
        (ticket, "2h", "2h, calendar: always", false),
        (ticket, "2h", "120m", true),
        (ticket, "name: x", "name: x\nfor: 1m", false),
        (ticket, "name: x", "name: x\nkeep_firing_for: 1m", false),
        (ticket, "name: x", "name: x\nuntil: handled\nexpires: 1d", false),
        (ticket, "name: x", "name: x\nuntil: { status: closed }", false),
        (ticket, "name: x", "name: x\nsources: it-desk", false),
        (ticket, "name: x", "name: y\nformerly: x\nsummary: s\nadvice: a\nrunbook: https://x\nseverity: info", true),
        (ticket, "name: x", "name: x\nmode: disabled\ncatch_up: each\ntaken_for: 1h\nfallback: leads", true),
        (ticket, "to: support", "to: leads, template: dissatisfied, repeat: 1h", true),
        (ticket, "name: x", "name: x\nescalate: { after: 1h, to: leads }", true),
        (sla, "resolution", "first_response", false),
        (sla, "4h", "5h", false),
        (sla, "4h", "[{ is: 1h, when: { tags: VIP } }, { is: 4h }]", false),
        (sla, "75%", "80%", false),
        (sla, "name: x", "name: x\npause_in: pending", false),
        (sla, "to: owner", "to: team, severity: critical", true),
        (count, "channel", "team", false),
        (count, "10", "11", false),
        (count, "name: x", "name: x\nwithin: 1d", false),
        (count, "name: x", "name: x\nclear: { below: 5 }", false),
        (count, "to: support", "to: leads", true),
    ] {
        assert_eq!(one_rule(base).meaning == replaced(base, from, to), same, "{from} -> {to}");
    }
    let named = |name: &str| {
        let text = format!(
            "conditions: {{ {name}: {{ tags: VIP }} }}\nrules: [{{ name: x, when: {{ meets: {name} }}, notify: {{ to: leads }} }}]\n"
        );
        one_rule(&text).meaning
    };
    assert_eq!(named("vip"), named("important"), "a condition's name is no part of what it means");
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
    // Monday, 10:00 in Shanghai, and the next day at noon: two and a half office hours of the second day are over.
    let since = Timestamp::from_ms(1_794_794_400_000);
    let (facts, now) = (Facts::new(since, since), since.plus(Span::from_hours(26)));
    let said =
        |name: &str| why_text(&rules.rules[name].when, &Seen::at_rest(&ticket(), &facts, Labels::none()), now).zh;
    assert_eq!(said("不满意"), "评分是 不满意");
    assert_eq!(said("待用户响应太久"), "状态是 待用户响应；状态已持续 9 小时 30 分钟");
    assert_eq!(said("P0 工单"), "优先级是 P0；状态是 待用户响应");
}
