//! A rule tree in both languages.

use super::*;
use crate::domain::{
    alert::{Alert, AlertKey, AlertState, EndReason},
    calendar::{Pace, Wait},
    condition::{Bound, Clock, ClockTest, Condition, Operands, Operator, Target, Test},
    facts::Facts,
    field::Field,
    id::{SourceName, Subject, TicketId, TicketKey},
    labels::Labels,
    rule::{Mode, Rule, RuleKind, Rung, RungAt, To},
    seen::Seen,
    sla::{Sla, SlaAt, SlaTarget},
    ticket::{Known, Status, Ticket},
    time::{Span, Zone},
    verdict::{self, Verdict},
};

/// 2026-11-20 08:00 in Shanghai.
const MORNING: Timestamp = Timestamp::from_ms(1_795_132_800_000);
const MOMENT: Moment = Moment { now: MORNING.plus(Span::from_hours(2)), zone: Zone(chrono_tz::Asia::Shanghai) };

fn key() -> TicketKey {
    TicketKey::new(SourceName::from("desk"), TicketId::new("6626871355780360001"))
}

fn code(field: &str, codes: &[i64]) -> Condition {
    Condition::Test(Test {
        target: Target::Field(Field::find(field).unwrap()),
        operator: Operator::CodeIs(codes.into()),
    })
}

fn clock(clock: Clock, hours: i64) -> Condition {
    Condition::Clock(ClockTest { clock, bound: Bound::AtLeast(Span::from_hours(hours)), pace: Pace::Wall })
}

fn told(rule: &Rule, alert: Option<&Alert>, verdict: impl Fn(&Seen<'_>) -> Verdict) -> String {
    let ticket = Ticket {
        status: Known::Present(Status::Processing),
        score: Known::Present(3),
        created_at: Known::Present(MORNING),
        agent_entry_time: Known::Present(MORNING),
        agent_first_response_time: Known::Empty,
        closed_at: Known::Empty,
        ..Ticket::unknown(key())
    };
    let facts = Facts::new(MORNING, MORNING);
    let seen = Seen::at_rest(&ticket, &facts, Labels::none());
    let explained = Explained {
        ticket: key(),
        at: MOMENT.now,
        as_of: MOMENT.now,
        zone: MOMENT.zone,
        notes: Vec::new(),
        rules: vec![Explanation::of(rule, verdict(&seen), &seen, alert, MOMENT)],
    };
    [Locale::Zh, Locale::En].map(|locale| text(&explained, locale)).join("\n\n")
}

#[test]
fn an_explained_rule_shows_every_test_with_its_value() {
    let any = Condition::Any(vec![code("score", &[1]), code("channel", &[2])]);
    let not = Condition::Not(Box::new(Condition::Meets("vip".into(), std::sync::Arc::new(code("score", &[1])))));
    let rule = Rule {
        mode: Mode::Trial(None),
        hold: Wait::wall(Span::from_mins(30)),
        ..Rule::new("沉默".into(), Condition::All(vec![code("status", &[2]), clock(Clock::InStatus, 3), any, not]))
    };
    let told = told(&rule, None, |seen| verdict::eval(&rule.when, seen, MOMENT.now));
    insta::assert_snapshot!(told, @r#"
    desk:6626871355780360001：按 2026-11-20 10:00 判断，数据是 2026-11-20 10:00 的

    ✗ 沉默：不成立
      没有提醒
      工单不变的话，下次可能改变：2026-11-20 11:00（1 小时后）
      ✗ 全部成立
        ✓ 状态是 处理中：状态是 处理中
        ✗ 状态持续至少 3 小时：状态已持续 2 小时（到 2026-11-20 11:00）
        ? 至少一项成立
          ✗ 评分是 不满意：评分是 满意
          ? 渠道是 二维码：渠道未知
        ✓ 并非
          ✗ 满足“vip”
            ✗ 评分是 不满意：评分是 满意
      · 试运行：只计数，不发

    desk:6626871355780360001: judged as of 2026-11-20 10:00, on data of 2026-11-20 10:00

    ✗ 沉默: does not hold
      no alert
      if the ticket stays as it is, it may change at 2026-11-20 11:00 (in 1 hour)
      ✗ all of
        ✓ status is processing: status is processing
        ✗ in status at least 3 hours: in this status for 2 hours (until 2026-11-20 11:00)
        ? any of
          ✗ score is dissatisfied: score is satisfied
          ? channel is qr code: channel is unknown
        ✓ not
          ✗ meets "vip"
            ✗ score is dissatisfied: score is satisfied
      · on trial: counted, nothing is sent
    "#);
}

#[test]
fn an_explained_alert_says_what_holds_it() {
    let rule = Rule { keep_firing_for: Span::from_hours(1), ..Rule::new("沉默".into(), code("status", &[1])) };
    let alert = Alert {
        state: AlertState::Firing { fired_at: MORNING, stale_as_of: None },
        quiet_since: Some(MOMENT.now.minus(Span::from_mins(20))),
        ..Alert::pending(AlertKey { subject: Subject::Ticket(key()), rule: rule.name.clone() }, MORNING)
    };
    let told = told(&rule, Some(&alert), |seen| verdict::eval(&rule.when, seen, MOMENT.now));
    insta::assert_snapshot!(told, @"
    desk:6626871355780360001：按 2026-11-20 10:00 判断，数据是 2026-11-20 10:00 的

    ✗ 沉默：不成立
      正在响：2026-11-20 08:00 起，编号 0D2B27
      时间过去不会改变，要等工单变化
      ✗ 状态是 已创建：状态是 处理中
      · 2026-11-20 09:40 起不再成立，keep_firing_for 让它响到 2026-11-20 10:40（40 分钟后）
      · 补上以前的情况时没有通知任何人（catch_up: none）

    desk:6626871355780360001: judged as of 2026-11-20 10:00, on data of 2026-11-20 10:00

    ✗ 沉默: does not hold
      firing since 2026-11-20 08:00, reference 0D2B27
      time alone does not change it; the ticket must
      ✗ status is created: status is processing
      · no longer holds since 2026-11-20 09:40; keep_firing_for keeps it firing until 2026-11-20 10:40 (in 40 minutes)
      · nobody was told: it held already when it was caught up on (catch_up: none)
    ");
}

#[test]
fn an_alert_that_ended_while_it_held_is_explained() {
    let rule = Rule::new("沉默".into(), code("status", &[2]));
    let alert = Alert {
        state: AlertState::Ended { fired_at: Some(MORNING), ended_at: MOMENT.now, reason: EndReason::Handled },
        latched: true,
        ..Alert::pending(AlertKey { subject: Subject::Ticket(key()), rule: rule.name.clone() }, MORNING)
    };
    let told = told(&rule, Some(&alert), |seen| verdict::eval(&rule.when, seen, MOMENT.now));
    for part in ["已结束：2026-11-20 08:00 响", "已有人处理", "要先不成立一次", "must be no once before it rings again"]
    {
        assert!(told.contains(part), "{part} in {told}");
    }
}

#[test]
fn an_explained_service_level_names_its_steps() {
    let rung = |at| Rung {
        at: RungAt::Sla(at),
        severity: None,
        to: To::TeamLead,
        template: None,
        mention: None,
        urgent: None,
    };
    let targets = vec![SlaTarget { when: None, is: Span::from_hours(4), pace: Pace::Wall }];
    let sla = Sla { clock: Clock::FirstResponse, pauses: [].into(), targets };
    let rule = Rule {
        ladder: vec![rung(SlaAt::Percent(50)), rung(SlaAt::Before(Span::from_hours(1))), rung(SlaAt::Past(Span::ZERO))],
        kind: RuleKind::Sla(sla.clone()),
        ..Rule::new("首响".into(), code("status", &[2]))
    };
    let verdict = |seen: &Seen<'_>| {
        Verdict::both(verdict::eval(&rule.when, seen, MOMENT.now), sla.reached(&rule.ladder[0], seen, MOMENT.now))
    };
    let told = told(&rule, None, verdict);
    insta::assert_snapshot!(told, @"
    desk:6626871355780360001：按 2026-11-20 10:00 判断，数据是 2026-11-20 10:00 的

    ✓ 首响：成立
      没有提醒
      时间过去不会改变，要等工单变化
      ✓ 状态是 处理中：状态是 处理中
      · SLA：转人工 2 小时还没有首次响应，目标 4 小时
      · SLA：上面的条件成立，并且走到第一步，才提醒
      · SLA 步骤 50%，通知团队的组长：已到
      · SLA 步骤 到期前 1 小时，通知团队的组长：2026-11-20 11:00（1 小时后）
      · SLA 步骤 到期，通知团队的组长：2026-11-20 12:00（2 小时后）

    desk:6626871355780360001: judged as of 2026-11-20 10:00, on data of 2026-11-20 10:00

    ✓ 首响: holds
      no alert
      time alone does not change it; the ticket must
      ✓ status is processing: status is processing
      · SLA: no first response for 2 hours, the target is 4 hours
      · SLA: it rings when the condition above holds and the first step is reached
      · SLA step 50%, tells the team's lead: reached
      · SLA step 1 hour before, tells the team's lead: 2026-11-20 11:00 (in 1 hour)
      · SLA step due, tells the team's lead: 2026-11-20 12:00 (in 2 hours)
    ");
}

#[test]
fn what_was_written_is_shown_as_written_and_a_long_value_once_cut_at_a_word() {
    let target = Target::Field(Field::find("helpdesk_id").unwrap());
    let contains = |folded: &str, written: &str| {
        let operands = Operands::new([folded.into()].into(), [written.into()].into());
        Condition::Test(Test { target: target.clone(), operator: Operator::TextContains(operands) })
    };
    let rule = Rule::new("付款".into(), Condition::Any(vec![contains("p0", "P0"), contains("vpn", "ＶＰＮ")]));
    let words = "Payments of the branch in Hangzhou fail since ten o'clock with P0-GATEWAY-TIMEOUT";
    let ticket = Ticket { helpdesk_id: Known::Present(words.into()), ..Ticket::unknown(key()) };
    let facts = Facts::new(MORNING, MORNING);
    let seen = Seen::at_rest(&ticket, &facts, Labels::none());
    let mut lines = Vec::new();
    tree(&crate::domain::why::why(&rule.when, &seen, MORNING), 0, MOMENT, Locale::En, &mut lines);
    insta::assert_snapshot!(lines.join("\n"), @"
    ✓ any of
      ✓ helpdesk id contains P0: helpdesk id is Payments of the branch in Hangzhou fail since ten o'clock…
      ✗ helpdesk id contains ＶＰＮ: as above
    ");
}
