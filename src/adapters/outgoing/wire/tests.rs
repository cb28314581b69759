//! Every kind of notice as it is posted, and that no text from outside breaks it.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::domain::{
    actor::Actor,
    alert::{AlertKey, EndReason, Taken},
    card::{Button, Colour, Menu, Press, escape_markdown},
    facts::Facts,
    id::{ReceiverName, RuleName, TicketKey},
    labels::{Labels as SourceLabels, Team},
    notice::{DigestCause, NoticeKey, Outside, Target, TicketView},
    rule::Rule,
    ticket::Ticket,
    time::Span,
};

const NOW: Timestamp = Timestamp::from_ms(1_795_140_000_000);
const SINCE: Timestamp = Timestamp::from_ms(1_795_132_800_000);

fn subject() -> Subject {
    Subject::Ticket(TicketKey::new("it-desk".into(), "6626871355780366331".into()))
}

fn send(content: Content) -> Send {
    let (subject, rule) = match &content {
        Content::Alert(view) => (view.alert.key.subject.clone(), view.alert.key.rule.clone()),
        Content::Digest(view) => (view.of.clone(), RuleName::from("deskbell.digest")),
        _ => (Subject::Service, RuleName::from("render_failed")),
    };
    let receiver = ReceiverName::from("pager");
    let key = NoticeKey { subject, rule, episode: 2, step: Step::Fired, ordinal: 0, receiver: receiver.clone() };
    Send {
        key,
        target: Target::Post(receiver),
        template: None,
        content,
        outside: Outside::default(),
        locale: Locale::En,
        maybe_repeat: false,
        without_mentions: false,
        masked: false,
        forward: false,
        mentions: Vec::new(),
        notes: Vec::new(),
        asides: Vec::new(),
        rev: 1,
        attempts: 1,
    }
}

fn view() -> AlertView {
    let key = AlertKey { subject: subject(), rule: "VIP unanswered".into() };
    let mut rule = Rule::new("VIP unanswered".into(), crate::domain::condition::Condition::All(Vec::new()));
    rule.advice = Some("call them".into());
    rule.runbook = Some("https://wiki.example/vip".into());
    let team = Team { name: "payment".into(), when: None, to: "pager".into(), lead: None, oncall: None };
    let ticket = TicketView::new(
        Arc::new(Ticket::unknown(TicketKey::new("it-desk".into(), "6626871355780366331".into()))),
        Facts::new(SINCE, SINCE),
        Arc::new(SourceLabels { teams: Arc::new(vec![team]), ..SourceLabels::default() }),
        NOW,
    );
    let alert = Alert {
        episode: 2,
        state: AlertState::Firing { fired_at: SINCE, stale_as_of: None },
        severity: Severity::Critical,
        why: Message::new("等了 2 小时", "waits for 2 hours"),
        ..Alert::pending(key, SINCE)
    };
    AlertView {
        untold: None,
        alert,
        rule: Some(Arc::new(rule)),
        ticket: Some(ticket),
        step: Step::Fired,
        ordinal: 0,
        menu: Menu::default(),
        silenced: None,
    }
}

fn card(view: &AlertView) -> Card {
    let press = |press| Does::Press(press, view.alert.key.clone(), view.alert.episode);
    let button = |does| Button { text: "x".to_owned(), primary: false, does };
    Card {
        title: "VIP unanswered · printer".to_owned(),
        colour: Colour::Red,
        tags: Vec::new(),
        body: format!("**Guest** {}\nwaits for 2 hours", escape_markdown("<at id=all></at> \"quoted\"")),
        footer: "rule VIP unanswered · #4F7A2C".to_owned(),
        buttons: vec![button(press(Press::Take)), button(Does::Open("https://desk.example/1".to_owned()))],
        ..Card::default()
    }
}

fn shown(body: &str) -> String {
    let value: Value = serde_json::from_str(body).unwrap();
    serde_json::to_string_pretty(&value).unwrap()
}

#[test]
fn an_alert_that_rings() {
    let view = view();
    let card = card(&view);
    insta::assert_snapshot!("firing", shown(&body(&send(Content::Alert(Box::new(view))), &card, NOW)));
}

#[test]
fn an_alert_that_is_over_keeps_its_fingerprint_whatever_else_changed() {
    let begun: Value = {
        let view = view();
        serde_json::from_str(&body(&send(Content::Alert(Box::new(view.clone()))), &card(&view), NOW)).unwrap()
    };
    let mut view = view();
    view.alert.state = AlertState::Ended { fired_at: Some(SINCE), ended_at: NOW, reason: EndReason::Cleared };
    view.alert.severity = Severity::Warning;
    view.ticket = None;
    let by = Actor::Operator("li".into());
    view.alert.taken = Some(Taken { by, at: SINCE, until: NOW, asked_at: None });
    view.step = Step::Ended;
    let over = body(&send(Content::Alert(Box::new(view.clone()))), &card(&view), NOW.plus(Span::from_secs(5)));
    let parsed: Value = serde_json::from_str(&over).unwrap();
    for name in ["fingerprint", "startsAt"] {
        assert_eq!(parsed["alerts"][0][name], begun["alerts"][0][name], "{name}");
    }
    assert_eq!(parsed["groupKey"], begun["groupKey"]);
    insta::assert_snapshot!("resolved", shown(&over));
}

#[test]
fn a_repeat_and_a_doubtful_one_say_so() {
    let mut view = view();
    (view.step, view.ordinal) = (Step::Repeated, 3);
    let send = Send { maybe_repeat: true, ..send(Content::Alert(Box::new(view.clone()))) };
    let parsed: Value = serde_json::from_str(&body(&send, &card(&view), NOW)).unwrap();
    let notes = &parsed["alerts"][0]["annotations"];
    assert_eq!((notes["repeat"].as_str(), notes["may_be_a_repeat"].as_str()), (Some("3"), Some("true")));
    assert_eq!(parsed["status"], "firing");
}

fn digest(firing: usize) -> DigestView {
    let line = |number: usize| AlertLine {
        reference: format!("00000{number}"),
        rule: "waiting".into(),
        subject: Subject::Ticket(TicketKey::new("it-desk".into(), number.to_string().as_str().into())),
        title: Some(format!("ticket {number}")),
        since: SINCE,
        firing: number < firing,
        severity: Severity::Warning,
        why: Message::new("等", "waits"),
        taken_by: None,
        put_off: None,
    };
    DigestView {
        of: Subject::Receiver("pager".into()),
        cause: DigestCause::Storm,
        hears: false,
        source: None,
        severity: Some(Severity::Warning),
        rule: Some("waiting".into()),
        began_at: SINCE,
        closed_at: None,
        shared: Some(Message::new("都是支付", "all of payment")),
        total: 12,
        firing,
        taken: 0,
        put_off: 0,
        by_rule: Vec::new(),
        lines: (0..2).map(line).collect(),
    }
}

#[test]
fn a_digest_is_one_request() {
    let card = Card { title: "12 alerts".to_owned(), footer: "#AAAAAA".to_owned(), ..Card::default() };
    insta::assert_snapshot!("digest", shown(&body(&send(Content::Digest(Box::new(digest(1)))), &card, NOW)));
    let over: Value = serde_json::from_str(&body(&send(Content::Digest(Box::new(digest(0)))), &card, NOW)).unwrap();
    assert_eq!(over["status"], "resolved");
    let empty = DigestView { lines: Vec::new(), total: 0, firing: 0, ..digest(0) };
    let empty: Value = serde_json::from_str(&body(&send(Content::Digest(Box::new(empty))), &card, NOW)).unwrap();
    assert_eq!(empty["alerts"].as_array().unwrap().len(), 1, "there is always an alert");
}

#[test]
fn what_deskbell_says_itself_has_a_form() {
    let words = || Message::new("模板失败", "a template failed");
    let contents = [
        ("trouble", Content::Trouble(words())),
        ("announcement", Content::Announcement(words())),
        ("message", Content::Answer(Box::new(AnswerView::Text(words())))),
    ];
    for (kind, content) in contents {
        let card = Card { title: "a template failed".to_owned(), ..Card::default() };
        let parsed: Value = serde_json::from_str(&body(&send(content), &card, NOW)).unwrap();
        let one = &parsed["alerts"][0];
        assert_eq!((&parsed["status"], &one["labels"]["alertname"]), (&"firing".into(), &"deskbell".into()), "{kind}");
        assert_eq!((&one["labels"]["kind"], &one["annotations"]["description"]), (&kind.into(), &words().en.into()));
    }
}

#[test]
fn a_drill_is_marked_and_ends() {
    let view = view();
    let (card, send) = (card(&view), send(Content::Alert(Box::new(view))));
    for (told, status) in [(Told::Begun, "firing"), (Told::Over, "resolved")] {
        let parsed: Value = serde_json::from_str(&drill(&send, &card, told, NOW)).unwrap();
        assert_eq!((&parsed["status"], &parsed["alerts"][0]["status"]), (&status.into(), &status.into()));
        assert_eq!(parsed["commonLabels"]["drill"], "true");
    }
}

proptest! {
    #[test]
    fn any_text_is_text_and_has_an_end(text in any::<String>(), times in 1_usize..300) {
        let long = text.repeat(times);
        let mut view = view();
        view.alert.why = Message::new(long.as_str(), long.as_str());
        view.alert.key.subject = Subject::Group(long.as_str().into());
        view.alert.key.rule = long.as_str().into();
        view.rule = None;
        let mut card = card(&view);
        (card.title, card.footer) = (long.clone(), long.clone());
        card.body = escape_markdown(&long);
        let mut digest = digest(10);
        let line = AlertLine { title: Some(long.clone()), why: view.alert.why.clone(), rule: long.as_str().into(), ..digest.lines[0].clone() };
        digest.lines = vec![line; 10];
        for content in [Content::Alert(Box::new(view)), Content::Digest(Box::new(digest))] {
            let body = body(&send(content), &card, NOW);
            prop_assert!(body.len() <= BODY_BYTES_MAX, "{}", body.len());
            let parsed: Value = serde_json::from_str(&body).unwrap();
            let description = parsed["alerts"][0]["annotations"]["description"].as_str().unwrap_or_default();
            prop_assert!(description.len() <= ANNOTATION_BYTES_MAX);
            prop_assert!(!description.contains(|c: char| c.is_control()));
        }
    }
}
