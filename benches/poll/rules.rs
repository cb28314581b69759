//! Ten rules as teams write them: every kind of test, every clock. About one ticket in eight has an alert that stands.

use std::{collections::BTreeSet, sync::Arc};

use deskbell::{
    adapters::rulebook::{load::load_texts, names::Names},
    domain::{fault::Gravity, rule::RuleSet, time::Zone},
};

/// The receiver they tell.
pub(crate) const RECEIVER: &str = "support";

const TEXTS: [(&str, &str); 10] = [
    ("dissatisfied.yaml", "{ name: 不满意, when: { score: 不满意 }, until: handled, notify: [{ to: support }] }"),
    (
        "waiting.yaml",
        "{ name: 待用户响应太久, when: { status: 待用户响应, in_status: { at_least: 24h } },
           notify: [{ to: support, repeat: 1d }] }",
    ),
    (
        "urgent.yaml",
        "{ name: P0 新单, severity: critical, when: { fields: { 优先级: P0 }, status: open, age: { under: 15m } },
           for: 1m, notify: [{ to: support }] }",
    ),
    (
        "vip.yaml",
        "{ name: VIP 排队, when: { fields: { 客户等级: [VIP, SVIP] }, status: 排队中, in_status: { at_least: 4h } },
           notify: [{ to: support, repeat: [30m, 1h] }] }",
    ),
    ("idle.yaml", "{ name: 没人动, when: { status: 处理中, idle: { at_least: 8h } }, notify: [{ to: support }] }"),
    ("orphan.yaml", "{ name: 无人负责, when: { agent_owner: none, status: open }, notify: [{ to: support }] }"),
    (
        "refund.yaml",
        "{ name: SVIP 退款, when: { fields: { 客户等级: SVIP, 产品线: 退款 }, status: open },
           notify: [{ to: support }] }",
    ),
    (
        "money.yaml",
        "{ name: 钱没到, when: { fields: { 问题描述: { contains: 到账 } }, score: 一般, channel: api }, until: handled,
           notify: [{ to: support }] }",
    ),
    (
        "slow.yaml",
        "{ name: 首响太慢, when: { agent_first_response_duration: { above: 4900 }, not: { status: closed } },
           notify: [{ to: support }] }",
    ),
    (
        "quiet.yaml",
        "{ name: 华北没回, when: { any: [{ guest.department: { starts_with: 华北 } }, { agents: 客服99 }],
           since_agent_reply: { at_least: 24h } }, notify: [{ to: support }] }",
    ),
];

/// The rules.
pub(crate) fn rules() -> Arc<RuleSet> {
    let names = Names {
        receivers: BTreeSet::from([RECEIVER.to_owned()]),
        sources: BTreeSet::new(),
        templates: BTreeSet::new(),
        zone: Zone(chrono_tz::Asia::Shanghai),
        ..Names::default()
    };
    let (rules, faults) = load_texts(&TEXTS, &names);
    assert!(faults.iter().all(|fault| fault.gravity != Gravity::Error), "{faults:?}");
    assert_eq!(rules.rules.len(), TEXTS.len());
    Arc::new(rules)
}
