//! The card of every state an alert can be in, with what each of its buttons does.

use std::sync::Arc;

use insta::assert_snapshot;

use super::samples::{NOON, alert, around, digest, firing, over, send, shipped};
use crate::domain::{
    actor::Actor,
    alert::{AlertState, Snoozed, Taken},
    calendar::Wait,
    card::{Card, Does, Menu, shown},
    id::Subject,
    labels::Labels,
    notice::{AlertView, Content, DigestCause, DigestView, Silenced, Step},
    rule::{Rule, Rung, RungAt, To},
    text::{Locale, Message},
    time::Span,
};

const WORKBENCH: &str = "https://feishu.cn/helpdesk/admin";

fn li() -> Actor {
    Actor::Person { id: "ou_li".into(), name: Some("李雷".into()) }
}

/// An alert that rings, its source's workbench known.
fn rings(change: impl FnOnce(&mut AlertView)) -> Content {
    let mut view = alert(firing());
    with_workbench(&mut view, WORKBENCH);
    change(&mut view);
    Content::Alert(Box::new(view))
}

fn with_workbench(view: &mut AlertView, address: &str) {
    let ticket = view.ticket.as_mut().unwrap();
    ticket.labels = Arc::new(Labels { workbench: Some(address.into()), ..Labels::clone(&ticket.labels) });
}

fn rule_of(view: &mut AlertView, change: impl FnOnce(&mut Rule)) {
    let mut rule = Rule::clone(view.rule.as_ref().unwrap());
    change(&mut rule);
    view.rule = Some(Arc::new(rule));
}

fn is_taken(view: &mut AlertView, asked: bool) {
    let until = if asked { NOON.minus(Span::from_mins(1)) } else { NOON.plus(Span::from_mins(100)) };
    let asked_at = asked.then_some(until);
    view.alert.taken = Some(Taken { by: li(), at: NOON.minus(Span::from_mins(20)), until, asked_at });
}

fn is_at_the_ladder_s_end(view: &mut AlertView) {
    let rung = Rung {
        at: RungAt::After(Wait::wall(Span::from_mins(30))),
        severity: None,
        to: To::TeamLead,
        template: None,
        mention: None,
        urgent: None,
    };
    rule_of(view, |rule| {
        rule.ladder = vec![rung];
        rule.fallback = Some(To::TeamLead);
    });
    view.alert.rung = 1;
}

fn storm() -> Content {
    let shared = Message::new("其中 212 张：产品线 支付", "212 of them: 产品线 支付");
    Content::Digest(Box::new(DigestView {
        of: Subject::Receiver("support".into()),
        cause: DigestCause::Storm,
        rule: Some("VIP 没人接".into()),
        began_at: NOON.minus(Span::from_hours(2)),
        shared: Some(shared),
        total: 298,
        firing: 298,
        ..digest()
    }))
}

/// The states, in the order an alert may go through them.
fn states() -> Vec<(&'static str, Content)> {
    let why = Message::new(
        "评分是不满意\n条件自 11-20 09:00 起成立",
        "the score is dissatisfied\nit holds since 11-20 09:00",
    );
    vec![
        ("rings", rings(|_| {})),
        ("rings: later", rings(|view| view.menu = Menu::Later)),
        ("rings: more", rings(|view| view.menu = Menu::More)),
        ("rings: why", rings(|view| view.menu = Menu::Why(why))),
        (
            "put off",
            rings(|view| {
                let until = NOON.plus(Span::from_mins(30));
                view.alert.snoozed = Some(Snoozed { by: li(), at: NOON, until });
            }),
        ),
        ("at the ladder's end", rings(is_at_the_ladder_s_end)),
        (
            "silenced",
            rings(|view| {
                let until = NOON.plus(Span::from_hours(2));
                view.silenced = Some(Silenced { until, by: li().words(), reason: "误报".into() });
            }),
        ),
        ("taken", rings(|view| is_taken(view, false))),
        (
            "asked",
            rings(|view| {
                view.step = Step::Asked;
                is_taken(view, true);
            }),
        ),
        (
            "over, by whoever had it",
            rings(|view| {
                is_taken(view, false);
                view.alert.state = over();
            }),
        ),
        ("over by itself", rings(|view| view.alert.state = over())),
        ("replaced", rings(|view| view.menu = Menu::Replaced)),
        ("trial", rings(|view| view.alert.trial = true)),
        ("digest of a storm", storm()),
    ]
}

/// A card as a reader sees it, with what each of its buttons does.
fn drawn(card: &Card) -> String {
    let tags: String = card.tags.iter().map(|tag| format!(" [{tag}]")).collect();
    let mut out = format!("({}) {}{tags}\n{}\n", card.colour.name(), card.title, shown(&card.body));
    for button in &card.buttons {
        let mark = if button.primary { "!" } else { "" };
        let does = match &button.does {
            Does::Open(address) => address.clone(),
            Does::Ask(question) => question.text.clone(),
            Does::Press(press, key, episode) => format!("{} {} {episode}", press.name(), key.subject),
        };
        out.push_str(&format!("  [{}]{mark} {does}\n", button.text));
    }
    if !card.hint.is_empty() {
        out.push_str(&format!("  {}\n", card.hint));
    }
    format!("{out}-- {}\n", card.footer)
}

fn all(locale: Locale) -> String {
    let templates = shipped();
    let mut out = String::new();
    for (what, content) in states() {
        let template = matches!(content, Content::Alert(_)).then_some("waiting-for-user");
        let rendered = templates.render(&send(content, template, locale), &around());
        assert_eq!(rendered.trouble, None, "{what}");
        out.push_str(&format!("=== {what}\n{}", drawn(&rendered.card)));
    }
    out
}

#[test]
fn states_in_chinese() {
    assert_snapshot!(all(Locale::Zh));
}

#[test]
fn states_in_english() {
    assert_snapshot!(all(Locale::En));
}

#[test]
fn only_web_addresses_are_opened() {
    for (address, opens) in
        [(WORKBENCH, true), ("http://desk.example", true), ("javascript:alert(1)", false), ("", false)]
    {
        let content = rings(|view| {
            view.menu = Menu::More;
            with_workbench(view, address);
        });
        let card = shipped().render(&send(content, None, Locale::Zh), &around()).card;
        let has = card.buttons.iter().any(|button| button.text == "打开服务台");
        assert_eq!(has, opens, "{address}");
    }
    // A ticket of which the platform's host tells nothing, and no ticket at all.
    for without in [rings(|view| view.ticket = None), Content::Alert(Box::new(alert(firing())))] {
        let Content::Alert(mut view) = without else { unreachable!() };
        view.menu = Menu::More;
        let card = shipped().render(&send(Content::Alert(view), None, Locale::En), &around()).card;
        assert!(!card.buttons.iter().any(|button| button.text == "Open the helpdesk"));
    }
}

#[test]
fn nothing_can_be_pressed_on_what_is_over() {
    let ended = rings(|view| view.alert.state = over());
    let card = shipped().render(&send(ended, None, Locale::Zh), &around()).card;
    assert!(card.buttons.is_empty() && matches!(over(), AlertState::Ended { .. }));
}
