//! Cases that are read, and faults that say where and what to do instead.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    adapters::rulebook::cases::{
        case::{Case, Wanted},
        ground::Ground,
        read::{QUIET_FOR, read_cases},
    },
    domain::{
        alert::EndReason,
        fault::Fault,
        id::{RuleName, SourceName},
        labels::{Caption, Labels},
        notice::Step,
        replay::script::What,
        rule::Severity,
        ticket::{Known, Status, Ticket},
        time::{Span, Timestamp, Zone},
    },
};

fn ground() -> Ground {
    let labels = Labels {
        subject: vec![Caption::Field("问题描述".into())],
        priority: Some("优先级".into()),
        ..Labels::default()
    };
    let watched = Some(vec![SourceName::from("orders")]);
    Ground {
        zone: Zone(chrono_tz::Asia::Shanghai),
        sources: ["it-desk", "orders"].map(|name| (SourceName::from(name), Arc::new(labels.clone()))).into(),
        rules: BTreeMap::from([(RuleName::from("不满意"), None), (RuleName::from("超时"), watched)]),
        receivers: ["support".to_string()].into(),
    }
}

fn read(text: &str) -> (Vec<Case>, Vec<String>) {
    let mut faults = Vec::new();
    let cases = read_cases("t.test.yaml", text, &ground(), &mut faults);
    let line = |fault: &Fault| {
        let hint = fault.hint.as_ref().map(|hint| format!(" ({})", hint.en)).unwrap_or_default();
        format!("{}:{}: {}{hint}", fault.place.line, fault.place.column, fault.message.en)
    };
    (cases, faults.iter().map(line).collect())
}

fn one(text: &str) -> Case {
    let (mut cases, faults) = read(text);
    assert_eq!(faults, [""; 0], "{text}");
    assert_eq!(cases.len(), 1);
    cases.remove(0)
}

fn tickets(case: &Case) -> Vec<(Timestamp, &Ticket)> {
    let shown = case.script.sights.iter().filter_map(|sight| match &sight.what {
        What::Ticket(ticket) => Some((sight.at, &**ticket)),
        What::Gone | What::Messages(_) => None,
    });
    shown.collect()
}

#[test]
fn a_case_reads_the_same_in_both_languages() {
    let english = one("
- name: a
  rule: 不满意
  timezone: Asia/Shanghai
  timeline:
    - { at: 2026-09-30 17:30, ticket: { status: closed_by_agent, score: dissatisfied } }
  expect:
    - { at: +0m, to: owner, step: repeated, repeat: 2, severity: critical, title: x, card: [y] }
    - { at: +1h, ended: expired }
");
    let chinese = one("
- 名称: a
  规则: 不满意
  时区: Asia/Shanghai
  时间线:
    - { 时刻: 2026-09-30 17:30, 工单: { 状态: 被客服关闭, 评分: 不满意 } }
  期望:
    - { 时刻: +0m, 发给: 负责人, 环节: 重复, 第几次重复: 2, 级别: 严重, 标题: x, 卡片: [y] }
    - { 时刻: +1h, 结束: 到期 }
");
    for case in [&english, &chinese] {
        let [(at, ticket)] = &tickets(case)[..] else { panic!() };
        assert_eq!(*at, Timestamp::from_ms(1_790_760_600_000));
        assert_eq!(ticket.status, Known::Present(Status::ClosedByAgent));
        assert_eq!((ticket.closed_at, ticket.updated_at), (Known::Present(*at), Known::Empty));
        let [first, second] = &case.expected[..] else { panic!() };
        let Wanted::Notice(notice) = &first.what else { panic!() };
        assert_eq!((notice.to.as_deref(), notice.step, notice.repeat), (Some("owner"), Some(Step::Repeated), Some(2)));
        assert_eq!(notice.severity, Some(Severity::Critical));
        assert_eq!((notice.title.as_slice(), notice.card.as_slice()), (&["x".to_string()][..], &["y".to_string()][..]));
        assert!(matches!(second.what, Wanted::End(Some(EndReason::Expired))));
        assert_eq!(case.script.end, at.plus(Span::from_mins(61)).minus(Span::from_ms(1)));
    }
}

#[test]
fn a_line_changes_what_it_names_and_the_platform_the_rest() {
    let case = one("
- name: a
  timeline:
    - { at: 2026-11-20 09:00, ticket: { 阶段: 机器人, fields: { 产品线: [支付, 退款] }, priority: P0 } }
    - { at: +5m, ticket: { ticket_type: human, agent_owner: { name: 李雷, email: li@example.com } } }
    - { at: +9m, guest: [在吗, 急], agent: 您好 }
    - { at: +20m, ticket: { status: 被客服关闭, guest.department: 财务 } }
    - { at: +30m, ticket: { status: 处理中, agent_owner: none, updated_at: +29m } }
  none: true
");
    let at = |minutes| Known::Present(case.script.start.plus(Span::from_mins(minutes)));
    let shown: Vec<&Ticket> = tickets(&case).into_iter().map(|(_, ticket)| ticket).collect();
    let [new, human, answered, closed, open] = shown[..] else { panic!("{}", shown.len()) };
    let fields = new.customized_fields.present().unwrap();
    assert_eq!(fields[0].value, Known::Present("支付,退款".into()));
    assert_eq!(fields[1].display_name, Known::Present("优先级".into()));
    assert_eq!((new.updated_at, new.created_at, new.agent_entry_time), (Known::Empty, at(0), Known::Empty));
    assert_eq!((human.updated_at, human.agent_entry_time), (at(5), at(5)));
    assert_eq!(human.customized_fields, new.customized_fields);
    assert_eq!((answered.agent_first_response_time, answered.agent_last_response_time), (at(9), at(9)));
    assert_eq!((closed.closed_at, closed.agent_first_response_time), (at(20), at(9)));
    assert_eq!(closed.guest.present().unwrap().department, Known::Present("财务".into()));
    assert_eq!((open.closed_at, open.updated_at), (Known::Empty, at(29)));
    assert_eq!(open.agent_owner, Known::Empty);
    let said = case.script.sights.iter().rev().find_map(|sight| match &sight.what {
        What::Messages(said) => Some(said.clone()),
        _ => None,
    });
    let said = said.unwrap();
    assert_eq!((said.guest.len(), said.agent.len(), said.unanswered_since), (2, 1, None));
    assert_eq!(case.script.end, case.script.start.plus(Span::from_mins(30)).plus(QUIET_FOR));
}

#[test]
fn several_tickets_stand_in_one_line() {
    let case = one("
- name: a
  rule: 超时
  timeline:
    - { at: 2026-11-20 09:00, id: 1..3 }
    - { at: +1m, id: [2, 6626871355780366330], gone: true }
  expect: []
  until: +5m
");
    let ids: Vec<&str> = case.script.sights.iter().map(|sight| sight.key.id.as_str()).collect();
    assert_eq!(ids, ["1", "1", "2", "2", "3", "3", "2", "6626871355780366330"]);
    assert!(case.script.sights.iter().all(|sight| sight.key.source.as_str() == "orders"));
    assert_eq!(case.script.end, case.script.start.plus(Span::from_mins(6)).minus(Span::from_ms(1)));
}

#[test]
fn what_is_no_list_of_cases_is_refused() {
    assert_eq!(
        read("name: a\n").1,
        ["1:1: expected a list of cases, each beginning with `- name: …`, found a mapping"]
    );
    assert_eq!(read("- 1\n").1, ["1:3: expected a case, found `1`"]);
}
