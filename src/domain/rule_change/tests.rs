//! Two rule sets and what is announced.

use std::sync::Arc;

use super::*;
use crate::domain::{
    calendar::{Calendar, Frame, Pace, Plan, Wait},
    condition::{Bound, Clock, ClockTest, Operator},
    rule::{Count, Notify, RuleKind, Rung, RungAt, Severity, To, Until},
    sla::{Sla, SlaAt, SlaTarget},
    time::{Span, Zone},
};

type Rules = BTreeMap<RuleName, Arc<Rule>>;

fn clock(clock: Clock, minutes: i64, pace: Pace) -> Condition {
    Condition::Clock(ClockTest { clock, bound: Bound::AtLeast(Span::from_mins(minutes)), pace })
}

/// The same meaning for the same condition and life, another for another: as the compiler gives it.
fn rule(name: &str, when: Condition) -> Rule {
    Rule::new(name.into(), when)
}

fn set(rules: Vec<Rule>) -> Rules {
    let with_meaning = |rule: Rule| {
        let text = format!(
            "{} {} {:?} {:?} {:?} {} {:?}",
            rule.when,
            rule.hold,
            rule.until,
            rule.expires,
            rule.sources,
            rule.keep_firing_for.as_ms(),
            rule.kind
        );
        let meaning = text.bytes().fold(7_u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte)));
        (rule.name.clone(), Arc::new(Rule { meaning, ..rule }))
    };
    rules.into_iter().map(with_meaning).collect()
}

fn silent(minutes: i64) -> Rule {
    rule("客服沉默", clock(Clock::SinceAgentReply, minutes, Pace::Wall))
}

fn notify(to: To, repeat: &[i64]) -> Notify {
    let repeat = repeat.iter().map(|minutes| Wait::wall(Span::from_mins(*minutes))).collect();
    Notify { to, template: None, mention: None, repeat, repeat_max: 10 }
}

fn office(hour: u32) -> Pace {
    let day = vec![Frame { from: hour * 60, to: 1_080 }];
    let week = [(); 7].map(|()| day.clone());
    let zone = Zone(chrono_tz::Asia::Shanghai);
    let plan = Plan { name: "office".into(), zone, week, dates: BTreeMap::new(), known_through: None };
    Pace::Office(Arc::new(Calendar::new(plan)))
}

fn check(old: Vec<Rule>, new: Vec<Rule>, zh: &[&str], en: &[&str]) {
    let (old, new) = (set(old), set(new));
    let lines = lines(&old, &new);
    assert_eq!(lines.iter().map(|line| line.zh.as_str()).collect::<Vec<_>>(), zh);
    assert_eq!(lines.iter().map(|line| line.en.as_str()).collect::<Vec<_>>(), en);
    assert!(super::lines(&new, &new).is_empty(), "nothing is said of no change");
}

#[test]
fn a_lone_threshold_needs_no_more_words() {
    check(vec![silent(30)], vec![silent(45)], &["客服沉默 30m → 45m"], &["客服沉默 30m → 45m"]);
}

#[test]
fn rules_come_go_and_are_renamed() {
    let renamed = Rule { name: "没人回".into(), formerly: vec!["客服沉默".into()], ..silent(45) };
    check(
        vec![silent(30), rule("旧的", clock(Clock::Age, 5, Pace::Wall))],
        vec![renamed, Rule { mode: Mode::Trial(None), ..rule("新的", clock(Clock::Age, 5, Pace::Wall)) }],
        &["新增 新的，试运行", "客服沉默 改名为 没人回，客服未回复时长至少 30m → 45m", "删除 旧的"],
        &[
            "new: 新的, in trial",
            "客服沉默 is now called 没人回, since agent reply at least 30m → 45m",
            "removed: 旧的",
        ],
    );
}

#[test]
fn everything_of_a_rule_is_said() {
    let old = Rule {
        mode: Mode::Trial(None),
        notify: vec![notify(To::Team, &[30]), notify(To::Owner, &[])],
        until: Until::Cleared,
        ..silent(30)
    };
    let new = Rule {
        mode: Mode::Live,
        severity: Severity::Critical,
        hold: Wait::wall(Span::from_mins(3)),
        until: Until::Handled,
        expires: Some(Span::from_days(3)),
        sources: Some(vec!["it-desk".into()]),
        notify: vec![notify(To::Team, &[60]), notify(To::TeamLead, &[])],
        advice: Some("请先回复".into()),
        ..silent(30)
    };
    let lines = |count: usize| {
        let mut shared = Shared::default();
        let changes = changes(&set(vec![old.clone()]), &set(vec![new.clone()]), &mut shared);
        changes.first().unwrap().edits.iter().map(|edit| edit.text().zh).take(count).collect::<Vec<_>>()
    };
    assert_eq!(
        lines(20),
        [
            "试运行 → 正式",
            "级别 警告 → 严重",
            "要持续 0s → 3m",
            "直到 条件不再成立 → 有人处理",
            "来源 全部 → it-desk",
            "最多提醒 不限 → 3d",
            "团队的重复 30m → 1h",
            "通知 加上 团队主管",
            "通知 去掉 工单负责人",
            "处理建议 改了",
        ]
    );
    let text = super::lines(&set(vec![old]), &set(vec![new]));
    assert!(text[0].zh.ends_with("最多提醒 不限 → 3d，另有 4 处"), "{}", text[0].zh);
    assert!(text[0].en.ends_with("and 4 more"), "{}", text[0].en);
}

#[test]
fn service_levels_counts_and_ladders_are_said() {
    let sla = |minutes: i64, percent: u32| {
        let target = SlaTarget { when: None, is: Span::from_mins(minutes), pace: Pace::Wall };
        let kind = Sla { clock: Clock::FirstResponse, pauses: [].into(), targets: vec![target] };
        let at = RungAt::Sla(SlaAt::Percent(percent));
        let rung = Rung { at, severity: None, to: To::Team, template: None, mention: None, urgent: None };
        let when = Condition::All(Vec::new());
        Rule { kind: RuleKind::Sla(kind), ladder: vec![rung], ..rule("首次响应", when) }
    };
    check(
        vec![sla(15, 75)],
        vec![sla(20, 80)],
        &["首次响应：时限 15m → 20m，升级到团队 75% → 80%"],
        &["首次响应: target 15m → 20m, step to team 75% → 80%"],
    );
    let count = |at_least: f64, after: i64| {
        let when = vec![Operator::AtLeast(at_least)];
        let kind = Count { per: None, when, within: None, clear: Vec::new() };
        let at = RungAt::After(Wait::wall(Span::from_mins(after)));
        let rung = Rung { at, severity: None, to: To::TeamLead, template: None, mention: None, urgent: None };
        Rule { kind: RuleKind::Count(kind), ladder: vec![rung], ..rule("排队堆积", Condition::All(Vec::new())) }
    };
    check(
        vec![count(10.0, 10)],
        vec![count(12.0, 20)],
        &["排队堆积：数量 至少 10 → 至少 12，升级到团队主管 10m → 20m"],
        &["排队堆积: count at least 10 → at least 12, step to team.lead 10m → 20m"],
    );
}

#[test]
fn what_rules_share_is_said_once() {
    let vip = |minutes| Condition::Meets("急".into(), Arc::new(clock(Clock::Age, minutes, Pace::Wall)));
    let rules = |minutes, hour| {
        let waits = |name: &str| rule(name, clock(Clock::Age, 60, office(hour)));
        vec![rule("甲", vip(minutes)), rule("乙", vip(minutes)), waits("丙"), waits("丁")]
    };
    check(
        rules(10, 9),
        rules(20, 10),
        &["条件 急（2 条规则在用）：创建至今至少 10m → 20m", "日历 office 改了"],
        &["condition 急 (in 2 rules): age at least 10m → 20m", "calendar office changed"],
    );
}

#[test]
fn texts_and_fetched_definitions_are_no_change_of_meaning() {
    let resolved = Rule { meaning: 1, ..rule("甲", clock(Clock::Age, 1, Pace::Wall)) };
    let again = Rule { meaning: 1, ..rule("甲", clock(Clock::Age, 2, Pace::Wall)) };
    assert!(rule_edits(&resolved, &again, &mut Shared::default()).is_empty());
    let other = Rule { meaning: 2, ..resolved.clone() };
    let edits = rule_edits(&resolved, &other, &mut Shared::default());
    assert_eq!(
        edits.iter().map(|edit| edit.text().zh).collect::<Vec<_>>(),
        ["条件 改了"],
        "a difference is never silent"
    );
}

#[test]
fn many_changes_are_counted() {
    let rules =
        |minutes| (0..14).map(|at| rule(&format!("r{at:02}"), clock(Clock::Age, minutes, Pace::Wall))).collect();
    let lines = lines(&set(rules(1)), &set(rules(2)));
    assert_eq!(lines.len(), CHANGES_MAX);
    assert_eq!(lines.last().unwrap().zh, "另有 5 处改动");
}

#[test]
fn teams_are_said() {
    let team = |name: &str, to: &str| Team { name: name.into(), when: None, to: to.into(), lead: None, oncall: None };
    let zh = |old: &[Team], new: &[Team]| team_lines(old, new).into_iter().map(|line| line.zh).collect::<Vec<_>>();
    let (pay, other) = (team("payment", "support"), team("other", "leads"));
    assert_eq!(
        zh(std::slice::from_ref(&pay), &[team("payment", "leads"), other.clone()]),
        ["团队 payment 改了", "新增团队 other"]
    );
    assert_eq!(zh(&[pay.clone(), other.clone()], std::slice::from_ref(&other)), ["删除团队 payment"]);
    assert_eq!(zh(&[pay.clone(), other.clone()], &[other.clone(), pay.clone()]), ["团队的先后改了"]);
    assert!(zh(std::slice::from_ref(&pay), std::slice::from_ref(&pay)).is_empty());
}
