//! A month of a made-up helpdesk, and what the page says of it.

use super::*;
use crate::domain::{
    condition::{Bound, Clock, ClockTest, Condition, Operator, Target as Aim, Test},
    desk::settings::{Access, Direct, Limits, Look, SourceSettings, StormSettings},
    field::Field,
    id::{ChatId, ReceiverName, SourceName, TicketId},
    labels::Labels,
    plan::Plan,
    receiver::{Receiver, ReceiverKind},
    rehearsal::past::past,
    replay::script::Sight,
    rule::{CatchUp, Notify, To, Until},
    text::Locale,
    ticket::{Person, Status},
};

/// 2026-10-21 00:00 in Shanghai, a Wednesday.
const START: Timestamp = Timestamp::from_ms(1_792_512_000_000);

fn after(minutes: i64) -> Timestamp {
    START.plus(Span::from_mins(minutes))
}

fn settings() -> Settings {
    let name = ReceiverName::from("support");
    let receiver = Receiver::new(name.clone(), ReceiverKind::Chat(ChatId::from("oc_a")), Locale::Zh);
    let source = SourceSettings {
        poll_every: Span::from_secs(30),
        catch_up: CatchUp::Digest,
        labels: Arc::new(Labels::default()),
    };
    Settings {
        zone: Zone(chrono_tz::Asia::Shanghai),
        locale: Locale::Zh,
        sources: [(SourceName::from("it-desk"), source)].into(),
        receivers: [(name, receiver)].into(),
        operations: None,
        limits: Limits::default(),
        plan: Plan::Paid,
        access: Access::new(Look::Everyone, Direct::Nobody),
        retention: Span::from_days(90),
        storm: Some(StormSettings::default()),
        rotas: BTreeMap::new(),
        inhibits: Vec::new(),
    }
}

fn is(field: &str, code: i64) -> Condition {
    Condition::Test(Test { target: Aim::Field(Field::find(field).unwrap()), operator: Operator::CodeIs([code].into()) })
}

fn at_least(clock: Clock, span: Span) -> Condition {
    let pace = crate::domain::calendar::Pace::Wall;
    Condition::Clock(ClockTest { clock, bound: Bound::AtLeast(span), pace })
}

fn rule(name: &str, when: Vec<Condition>) -> Rule {
    let to = To::Receiver(ReceiverName::from("support"));
    let notify = vec![Notify { to, template: None, mention: None, repeat: Vec::new(), repeat_max: 0 }];
    Rule { notify, ..Rule::new(RuleName::from(name), Condition::All(when)) }
}

fn set(rules: impl IntoIterator<Item = Rule>) -> RuleSet {
    RuleSet { rules: rules.into_iter().map(|rule| (rule.name.clone(), rule)).collect() }
}

fn ticket(number: i64, created: i64, edit: impl Fn(&mut Ticket)) -> Ticket {
    let key =
        TicketKey::new(SourceName::from("it-desk"), TicketId::new((6_626_871_355_780_000_000 + number).to_string()));
    let mut ticket = Ticket {
        status: Known::Present(Status::Queueing),
        ticket_type: Known::Present(2),
        created_at: Known::Present(after(created)),
        updated_at: Known::Present(after(created)),
        agent_entry_time: Known::Present(after(created)),
        agent_first_response_time: Known::Empty,
        agent_last_response_time: Known::Empty,
        agent_owner: Known::Empty,
        score: Known::Empty,
        closed_at: Known::Empty,
        ..Ticket::unknown(key)
    };
    edit(&mut ticket);
    ticket
}

/// Answered after `reply` minutes and closed an hour later, with this score.
fn served(number: i64, created: i64, reply: i64, score: Option<i64>) -> Ticket {
    ticket(number, created, |ticket| {
        let (replied, closed) = (Known::Present(after(created + reply)), Known::Present(after(created + reply + 60)));
        ticket.status = Known::Present(Status::ClosedByAgent);
        ticket.agent_first_response_time = replied;
        ticket.agent_last_response_time = replied;
        ticket.agent_owner =
            Known::Present(Arc::new(Person { id: Known::Present("ou_li".into()), ..Person::default() }));
        ticket.closed_at = closed;
        ticket.updated_at = closed;
        ticket.score = score.into();
    })
}

fn script(tickets: &[Ticket], minutes: i64) -> Script {
    let sights = tickets.iter().flat_map(|ticket| {
        let way = past(ticket, after(minutes));
        way.into_iter().map(|sight| Sight { at: sight.at, key: ticket.key.clone(), what: What::Ticket(sight.ticket) })
    });
    let mut sights: Vec<Sight> = sights.collect();
    sights.sort_by_key(|sight| sight.at);
    Script { start: START, end: after(minutes), sights }
}

fn rehearsed(tickets: &[Ticket], minutes: i64, rules: &RuleSet) -> Page {
    let script = script(tickets, minutes);
    let ask = Ask { script: &script, from: START, history: History::List { messages: false } };
    rehearse(ask, rules, &settings(), &mut |_, _, _| {}).0
}

const MONTH_MINUTES: i64 = 30 * 24 * 60;

/// A month: a ticket every hour and a half, slow answers at night, a bad afternoon.
pub(in crate::domain::rehearsal) fn month() -> Page {
    let usual = (0..480).map(|number| {
        let created = number * 90;
        let hour = created / 60 % 24;
        let reply = if (9..19).contains(&hour) { 5 + number * 7 % 60 } else { 100 + number * 11 % 300 };
        let score = (number % 9 == 0).then_some(1 + number % 3);
        served(number, created, reply, score)
    });
    let storm = (0..30).map(|number| served(1_000 + number, 21 * 24 * 60 + 15 * 60 + number / 3, 45 + number, None));
    let tickets: Vec<Ticket> = usual.chain(storm).collect();
    let words = Condition::Test(Test {
        target: Aim::Field(Field::find("guest_message").unwrap()),
        operator: Operator::TextContains(["投诉".into()].into()),
    });
    let rules = set([
        rule("排队太久", vec![is("status", 3), at_least(Clock::InStatus, Span::from_mins(20))]),
        Rule { until: Until::Handled, ..rule("不满意", vec![is("score", 1)]) },
        rule("首次响应 4 小时", vec![is("status", 3), at_least(Clock::FirstResponse, Span::from_hours(4))]),
        rule("新工单", vec![is("status", 3)]),
        rule("投诉的话", vec![words]),
        Rule { mode: Mode::Disabled, ..rule("关着的", vec![is("status", 3)]) },
    ]);
    rehearsed(&tickets, MONTH_MINUTES, &rules)
}

fn page<'a>(page: &'a Page, name: &str) -> &'a RulePage {
    page.rules.iter().find(|rule| rule.name.as_str() == name).unwrap()
}

#[test]
fn rings_are_counted_by_day_and_by_who_acted() {
    let rules = set([rule("排队", vec![is("status", 3), at_least(Clock::InStatus, Span::from_mins(20))])]);
    let tickets = [
        served(1, 600, 10, None),   // too quick to ring
        served(2, 700, 25, None),   // rings, acted on 5 minutes later
        served(3, 2_000, 80, None), // rings, acted on an hour later
        ticket(4, 2_100, |_| {}),   // rings to the end
        ticket(5, 2_980, |_| {}),   // rings right at the end: nobody knows yet
    ];
    let found = rehearsed(&tickets, 3_000, &rules);
    let rule = page(&found, "排队");
    assert_eq!((rule.rings, rule.days.clone()), (4, vec![1, 2, 1]));
    assert_eq!((rule.judged, rule.alone), (3, 2));
    assert_eq!(rule.acted_after, Some(Span::from_mins(60)), "of 5 and 60 minutes the later");
    assert_eq!(
        rule.longest.as_ref().map(|longest| (longest.at, longest.lasted)),
        Some((after(2_120), Span::from_mins(880)))
    );
    assert_eq!((rule.storms, rule.peak), (0, 1));
    assert_eq!((found.tickets, found.cards.clone()), (5, vec![1, 2, 1]));
    assert!(rule.noisy.is_empty() && found.cut.is_none());
}

#[test]
fn rings_of_the_time_before_are_no_news() {
    let rules = set([rule("排队", vec![is("status", 3)])]);
    let script = script(&[ticket(1, 10, |_| {}), ticket(2, 2_000, |_| {})], 3_000);
    let ask = Ask { script: &script, from: after(1_500), history: History::Observed };
    let (found, played) = rehearse(ask, &rules, &settings(), &mut |_, _, _| {});
    assert_eq!((page(&found, "排队").rings, played.rings.len(), found.cards), (1, 1, vec![1, 0]));
}

#[test]
fn a_noisy_rule_comes_with_what_longer_waits_would_make_of_it() {
    let found = month();
    let rule = page(&found, "排队太久");
    assert!(
        matches!(rule.noisy[..], [Noise::PerDay(per_day), Noise::Day(_)] if per_day > NOISY_PER_DAY),
        "{:?}",
        rule.noisy
    );
    let proposals: Vec<(&str, usize)> =
        rule.proposals.iter().map(|proposal| (proposal.change.zh.as_str(), proposal.rings)).collect();
    let [(one, many), (_, fewer), (three, fewest)] = proposals[..] else { panic!("{proposals:?}") };
    assert_eq!((one, three), ("状态持续 20m → 30m", "状态持续 20m → 1h"));
    assert!(rule.rings > many && many > fewer && fewer > fewest && fewest > 0, "{} {proposals:?}", rule.rings);
    assert_eq!((rule.storms, rule.peak), (1, 31));
    assert_eq!(page(&found, "新工单").proposals[2].change.zh, "加上 for: 30m");
    assert!(page(&found, "不满意").proposals.is_empty());
    assert_eq!(found.unplayed.len(), 1);
    assert!(found.rules.iter().all(|rule| rule.name.as_str() != "关着的"));
}

#[test]
fn nights_and_weekends_are_off_hours_where_no_calendar_is_named() {
    let any = rule("任何", vec![]);
    let cases = [
        (0, true),
        (8, false),
        (21, false),
        (22, true),
        (3 * 24 + 12, true),
        (4 * 24 + 12, true),
        (5 * 24 + 12, false),
    ];
    for (hour, off) in cases {
        assert_eq!(is_off(&any, after(hour * 60), Zone(chrono_tz::Asia::Shanghai)), off, "{hour}");
    }
}

#[test]
fn storms_are_counted_once_and_measured_at_their_peak() {
    let at = |minutes: &[i64]| minutes.iter().map(|minute| after(*minute)).collect::<Vec<_>>();
    let nine = || at(&[0, 1, 2, 3, 4, 5, 6, 7, 8]);
    let cases: Vec<(&str, Vec<Timestamp>, (usize, usize))> = vec![
        ("none", vec![], (0, 0)),
        ("eight", at(&[0; 8]), (0, 8)),
        ("nine", nine(), (1, 9)),
        ("a long one", (0..60).map(after).collect(), (1, 11)),
        ("two", nine().into_iter().chain((100..120).map(after)).collect(), (2, 11)),
        ("spread", (0..60).map(|number| after(number * 2)).collect(), (0, 6)),
    ];
    for (name, fired, expected) in cases {
        assert_eq!(storms(&fired), expected, "{name}");
    }
}
