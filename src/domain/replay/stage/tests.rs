//! Scripts and what became of them.

use super::*;
use crate::domain::{
    alert::EndReason,
    calendar::Wait,
    condition::{Condition, Operator, Target as Aim, Test},
    conversation::{Said, Speaker},
    desk::settings::{Access, Direct, Limits, Look, SourceSettings},
    field::Field,
    id::{ChatId, ReceiverName, RuleName, TicketId},
    labels::Labels,
    notice::Step,
    plan::Plan,
    receiver::{Receiver, ReceiverKind},
    rule::{CatchUp, Notify, Rule, To},
    text::Locale,
    ticket::{Known, Status},
    time::Zone,
};

const START: Timestamp = Timestamp::from_ms(1_760_000_400_000);

fn after(minutes: i64) -> Timestamp {
    START.plus(Span::from_mins(minutes))
}

fn key(number: u32) -> TicketKey {
    TicketKey::new(SourceName::from("desk"), TicketId::new(number.to_string()))
}

fn shown(minutes: i64, number: u32, status: Status) -> Sight {
    let ticket = Ticket {
        status: Known::Present(status),
        created_at: Known::Present(START),
        updated_at: Known::Present(after(minutes)),
        ..Ticket::unknown(key(number))
    };
    Sight { at: after(minutes), key: key(number), what: What::Ticket(Arc::new(ticket)) }
}

fn settings() -> Settings {
    let receiver = |name: &str, kind| {
        let name = ReceiverName::from(name);
        (name.clone(), Receiver::new(name, kind, Locale::En))
    };
    let source = || SourceSettings {
        poll_every: Span::from_secs(30),
        catch_up: CatchUp::Digest,
        labels: Arc::new(Labels::default()),
    };
    Settings {
        zone: Zone(chrono_tz::UTC),
        locale: Locale::En,
        sources: [(SourceName::from("desk"), source()), (SourceName::from("mute"), source())].into(),
        receivers: [
            receiver("team", ReceiverKind::Chat(ChatId::from("oc_a"))),
            receiver("bot", ReceiverKind::Webhook),
            receiver("ops", ReceiverKind::Webhook),
        ]
        .into(),
        operations: Some(ReceiverName::from("ops")),
        limits: Limits::default(),
        plan: Plan::Paid,
        access: Access::new(Look::Everyone, Direct::Nobody),
        retention: Span::from_days(90),
        storm: None,
        rotas: BTreeMap::new(),
        inhibits: Vec::new(),
    }
}

fn tells(to: &str, repeat: Option<Span>) -> Notify {
    Notify {
        to: To::Receiver(ReceiverName::from(to)),
        template: None,
        mention: None,
        repeat: repeat.into_iter().map(Wait::wall).collect(),
        repeat_max: 2,
    }
}

fn test(field: &str, operator: Operator) -> Condition {
    Condition::Test(Test { target: Aim::Field(Field::find(field).unwrap()), operator })
}

fn rules(rule: Rule) -> Arc<RuleSet> {
    Arc::new(RuleSet { rules: [(rule.name.clone(), rule)].into() })
}

/// Rings on what has been queueing for ten minutes.
fn queueing(notify: Vec<Notify>) -> Arc<RuleSet> {
    let when = test("status", Operator::CodeIs(Arc::from([Status::Queueing.code()])));
    let hold = Wait::wall(Span::from_mins(10));
    rules(Rule { hold, notify, ..Rule::new(RuleName::from("queueing"), when) })
}

fn played(end: i64, sights: Vec<Sight>, rules: Arc<RuleSet>) -> Played {
    play(&Script { start: START, end: after(end), sights }, rules, settings(), &mut |_| {})
}

/// What was told: minutes since the start, step, receiver.
fn told(played: &Played) -> Vec<String> {
    let line = |told: &Told| {
        let minutes = told.at.since(START).as_secs() / 60;
        format!("{minutes} {} {}", told.send.key.step.name(), told.send.key.receiver)
    };
    played.told.iter().map(line).collect()
}

#[test]
fn an_alert_rings_to_the_minute_repeats_and_ends() {
    let sights = vec![shown(3, 1, Status::Queueing), shown(90, 1, Status::Processing)];
    let rules = queueing(vec![tells("team", Some(Span::from_mins(30))), tells("bot", None)]);
    let played = played(1_000, sights, rules);
    let expected =
        ["13 fired bot", "13 fired team", "43 repeated team", "73 repeated team", "90 ended bot", "90 update team"];
    let mut lines = told(&played);
    lines.sort();
    assert_eq!(lines, expected);
    let [ring] = &played.rings[..] else { panic!("{:?}", played.rings) };
    assert_eq!((ring.fired_at, ring.ended), (after(13), Some((after(90), EndReason::Cleared))));
    assert!(!ring.why.en.is_empty() && played.cut.is_none());
    assert!(played.journal.iter().any(|entry| entry.what == "delivered"));
}

#[test]
fn what_is_shown_at_the_very_instant_comes_before_what_falls_due() {
    let sights = vec![shown(0, 1, Status::Queueing), shown(10, 1, Status::Processing)];
    assert!(played(100, sights, queueing(vec![tells("team", None)])).rings.is_empty());
    let sights = vec![shown(0, 1, Status::Queueing)];
    assert_eq!(played(10, sights.clone(), queueing(vec![tells("team", None)])).rings.len(), 1);
    assert!(played(9, sights, queueing(vec![tells("team", None)])).rings.is_empty());
}

#[test]
fn weeks_of_silence_are_no_trouble_and_no_digest() {
    let days = |days: i64| days * 24 * 60;
    let sights = (0..20).map(|number| shown(days(i64::from(number)), number, Status::Queueing)).collect();
    let played = played(days(30), sights, queueing(vec![tells("team", None)]));
    assert_eq!(played.rings.len(), 20);
    assert!(played.told.iter().all(|told| told.send.key.step == Step::Fired), "{:?}", told(&played));
    // A reading and an audit of the ladders every ten minutes, and hardly anything else.
    assert!(played.steps < 2 * 30 * 24 * 6 + 500, "{} steps", played.steps);
}

#[test]
fn a_ticket_that_goes_takes_its_alert_with_it() {
    let gone = Sight { at: after(20), key: key(1), what: What::Gone };
    let played = played(60, vec![shown(0, 1, Status::Queueing), gone], queueing(vec![tells("team", None)]));
    assert_eq!(played.rings[0].ended, Some((after(20), EndReason::TicketGone)));
}

#[test]
fn a_crowd_waits_for_its_chat_and_none_is_lost() {
    let sights = (0..50).map(|number| shown(0, number, Status::Queueing)).collect();
    let played = played(60, sights, queueing(vec![tells("team", None)]));
    assert_eq!((played.rings.len(), played.told.len()), (50, 50));
    let last = played.told.last().unwrap().at;
    assert!(last > after(10).plus(Span::from_secs(5)) && last < after(11), "{last:?}");
    let mut receivers = played.told.iter().map(|told| told.send.key.receiver.as_str());
    assert!(receivers.all(|receiver| receiver == "team"));
}

#[test]
fn what_was_said_is_known_only_where_the_script_says_it() {
    let when = test("guest_message", Operator::TextContains(["投诉".into()].into()));
    let complaint =
        || rules(Rule { notify: vec![tells("team", None)], ..Rule::new(RuleName::from("words"), when.clone()) });
    let said = |minutes, text: &str| {
        let said = Said { at: after(minutes), text: text.into() };
        Sight { at: after(minutes), key: key(1), what: What::Messages(Conversation::of(vec![(Speaker::Guest, said)])) }
    };
    let first = shown(0, 1, Status::Queueing);
    let silent = played(60, vec![first.clone()], complaint());
    assert!(silent.rings.is_empty() && silent.steps < 10, "nobody is asked again and again: {} steps", silent.steps);
    assert_eq!(silent.left_out, [RuleName::from("words")]);
    let other = shown(0, 2, Status::Queueing); // nothing was said on it
    let played = played(60, vec![first, other, said(1, "你好"), said(5, "我要投诉")], complaint());
    assert_eq!(told(&played), ["5 fired team"]);
    assert!(played.left_out.is_empty() && played.steps < 40, "{} steps", played.steps);
}

#[test]
fn the_same_script_leads_to_the_same_end() {
    let status = |at: i64| if at % 3 == 0 { Status::Processing } else { Status::Queueing };
    let sights: Vec<Sight> = (0..300).map(|at| shown(at * 7, u32::try_from(at % 40).unwrap(), status(at))).collect();
    let once = || {
        let mut heard = 0;
        let script = Script { start: START, end: after(5_000), sights: sights.clone() };
        let played = play(&script, queueing(vec![tells("team", None)]), settings(), &mut |_| heard += 1);
        (told(&played), format!("{:?}", played.rings), played.steps, heard)
    };
    let (first, second) = (once(), once());
    assert!(first.0.len() > 50 && first.3 > 20, "{} told, {} heard", first.0.len(), first.3);
    assert_eq!(first, second);
}
