//! The card of every state an alert can be in, with what each of its buttons does.

use std::sync::Arc;

use insta::assert_snapshot;

use super::samples::{NOON, alert, around, digest, firing, over, send, shipped};
use crate::adapters::templates::library::Templates;
use crate::domain::{
    actor::Actor,
    alert::{AlertState, Snoozed, Taken},
    calendar::Wait,
    card::{Card, Colour, Does, Menu, shown},
    id::Subject,
    labels::Labels,
    notice::{AlertView, Content, DigestCause, DigestView, NoticeKey, Send, Silenced, Step, Target},
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
            "at an end that told nobody",
            rings(|view| {
                is_at_the_ladder_s_end(view);
                let zh = "第 1 步没有通知 leads：接收方免打扰到 2026-11-20 20:00";
                let en = "step 1 did not tell leads: the receiver's quiet hours until 2026-11-20 20:00";
                view.untold = Some(Message::new(zh, en));
            }),
        ),
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

/// Every line that can stand under a card, and what is left of one in doubt once things changed.
fn lines(locale: Locale) -> String {
    type Change = fn(&mut AlertView);
    let two = NoticeKey::ladder_ordinal(1, 2);
    let told: [(&str, Step, u32, Change); 10] = [
        ("reminded", Step::Repeated, 2, |_| {}),
        ("escalated", Step::Escalated, two, |_| {}),
        ("fallen back", Step::Fallback, 3, is_at_the_ladder_s_end),
        ("woken", Step::Woken, 1, |_| {}),
        ("asked", Step::Asked, 7, |view| is_taken(view, true)),
        ("rings again", Step::Fired, 0, |view| view.alert.episode = 3),
        ("reminded, and taken meanwhile", Step::Repeated, 1, |view| is_taken(view, false)),
        ("reminded, and over meanwhile", Step::Repeated, 1, |view| view.alert.state = over()),
        ("escalated in doubt, on old data", Step::Escalated, 1, |view| {
            view.alert.state = AlertState::Firing { fired_at: NOON, stale_as_of: Some(NOON) };
        }),
        ("in trial", Step::Repeated, 1, |view| view.alert.trial = true),
    ];
    let mut out = String::new();
    for (what, step, ordinal, change) in told {
        let content = rings(|view| {
            (view.step, view.ordinal) = (step, ordinal);
            view.alert.state = AlertState::Firing { fired_at: NOON.minus(Span::from_mins(80)), stale_as_of: None };
            change(view);
        });
        let line = Send {
            target: Target::Reply("om_card".into()),
            maybe_repeat: what.contains("doubt"),
            notes: vec![Message::new("李雷：10 分钟内已 @ 过", "Li: mentioned just now")],
            ..send(content, Some("waiting-for-user"), locale)
        };
        let line = Send { key: NoticeKey { step, ordinal, ..line.key.clone() }, ..line };
        let rendered = shipped().render(&line, &around());
        assert_eq!((rendered.trouble, rendered.card.buttons.len()), (None, 0), "{what}");
        assert_eq!(rendered.card.colour, Colour::Grey, "{what}");
        out.push_str(&format!("=== {what}\n{}", drawn(&rendered.card)));
    }
    out
}

#[test]
fn lines_in_chinese() {
    assert_snapshot!(lines(Locale::Zh));
}

#[test]
fn lines_in_english() {
    assert_snapshot!(lines(Locale::En));
}

#[test]
fn a_line_is_titled_by_its_template_and_names_the_buttons_that_one_offers() {
    for (offers, expected) in [
        ("", "请在上面的卡片上点“我来处理”或“稍后提醒”。"),
        ("buttons: [snooze, more]\n", "请在上面的卡片上点“稍后提醒”。"),
        ("buttons: []\n", ""),
    ] {
        let text = format!("---\ntitle: \"{{{{rule.name}}}}!\"\ncolour: red\n{offers}---\nbody\n");
        let (templates, faults) = Templates::of_texts(&[("own.hbs", &text)]);
        assert!(faults.is_empty(), "{faults:?}");
        let mut line = send(rings(|view| view.step = Step::Woken), Some("own"), Locale::Zh);
        line.target = Target::Reply("om_card".into());
        let card = templates.render(&line, &around()).card;
        let body = shown(&card.body);
        assert_eq!(card.title, "推迟到点 · 待用户响应太久!");
        assert!(body.ends_with(&format!("没有人接手。{expected}")) && !body.contains("body"), "{body}");
    }
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
