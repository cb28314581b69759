//! What cards show of service levels, groups, trials, teams and the guest's words.

use std::sync::Arc;

use serde_json::json;

use super::samples::{NOON, alert, around, facts, firing, labels, rich, rule, send, shipped, view_with};
use crate::{
    adapters::templates::{
        builtin, context,
        library::{Raw, Templates},
        shape::ROOT,
    },
    domain::{
        calendar::Pace,
        card::shown,
        condition::Clock,
        conversation::{Conversation, Said, Speaker},
        facts::{Facts, Spell},
        id::Subject,
        labels::{Caption, Labels, Team},
        notice::{AlertView, Content, TicketView},
        privacy::Privacy,
        rule::RuleKind,
        sla::{Sla, SlaTarget},
        text::Locale,
        ticket::{Known, Status, Ticket},
        time::Span,
    },
};

fn about(view: AlertView) -> Content {
    Content::Alert(Box::new(view))
}

/// An hour of agents' time, an hour of waiting for the guest, an hour of agents' time.
fn served() -> TicketView {
    let served = Ticket {
        status: Known::Present(Status::Processing),
        agent_entry_time: Known::Present(NOON.minus(Span::from_hours(3))),
        agent_first_response_time: Known::Empty,
        ..rich()
    };
    let facts = Facts {
        status_since: NOON.minus(Span::from_hours(1)),
        spells: Some([Spell { status: 5, since: NOON.minus(Span::from_hours(2)) }].into()),
        ..facts()
    };
    view_with(served, facts, labels())
}

#[test]
fn a_service_level_counts_as_its_rule_does() {
    let shows = |target: i64| {
        let is = Span::from_hours(target);
        let targets = vec![SlaTarget { when: None, is, pace: Pace::Wall }];
        let mut rule = rule("首次响应");
        rule.kind = RuleKind::Sla(Sla { clock: Clock::FirstResponse, pauses: [5].into(), targets });
        let view = AlertView { rule: Some(Arc::new(rule)), ticket: Some(served()), ..alert(firing()) };
        context::of(ROOT.blank(), &send(about(view), None, Locale::Zh), &around())["clock"].clone()
    };
    // As of the firing, two seconds ago.
    let span = |ms: i64| json!({ "ms": ms, "at_least": false });
    let (hour, second) = (3_600_000, 1_000);
    let expected = json!({
        "name": "first_response", "elapsed": span(2 * hour - 2 * second), "target": span(4 * hour),
        "left": span(2 * hour + 2 * second),
    });
    assert_eq!(shows(4), expected);
    assert_eq!(shows(1)["left"], json!(null), "nothing is left of what is over");
}

#[test]
fn the_guest_s_words_are_shown_and_never_executed() {
    let said = |minutes: i64, text: &str| Said { at: NOON.minus(Span::from_mins(minutes)), text: text.into() };
    let conversation = Known::Present(Arc::new(Conversation::of(vec![
        (Speaker::Guest, said(90, "打印机坏了")),
        (Speaker::Agent, said(60, "在看")),
        (Speaker::Guest, said(30, "<at id=all></at> [还没好](https://x) **吗**")),
    ])));
    let labels = Labels {
        subject: vec![Caption::FirstGuestMessage],
        teams: Arc::new(vec![Team {
            name: "payment".into(),
            when: None,
            to: "support".into(),
            lead: None,
            oncall: None,
        }]),
        ..Labels::default()
    };
    let ticket = view_with(rich(), Facts { conversation, ..facts() }, labels);
    let view = AlertView { ticket: Some(ticket), ..alert(firing()) };
    let card = shipped().render(&send(about(view), None, Locale::Zh), &around()).card;
    assert!(card.title.ends_with("· 打印机坏了"), "{}", card.title);
    assert!(card.tags.contains(&"payment".to_owned()), "{:?}", card.tags);
    let seen = shown(&card.body);
    assert!(seen.contains("11-20 13:35 “<at id=all></at> [还没好](https://x) **吗**”"), "{seen}");
    assert!(!card.body.contains("<at") && !card.body.contains("](") && !card.body.contains("**吗"), "{}", card.body);
}

#[test]
fn groups_and_trials_say_so() {
    let mut group = AlertView { ticket: None, rule: None, ..alert(firing()) };
    group.alert.key.subject = Subject::Group("支付".into());
    group.alert.trial = true;
    let send = send(about(group), None, Locale::Zh);
    let card = shipped().render(&send, &around()).card;
    assert_eq!(card.title, "待用户响应太久 · 支付");
    assert_eq!(card.tags, ["试运行", "严重"]);
    assert_eq!(builtin::draft(&send, &around()).title, card.title);
    let mut alone = send;
    if let Content::Alert(view) = &mut alone.content {
        view.alert.key.subject = Subject::Group("".into());
    }
    assert_eq!(builtin::draft(&alone, &around()).title, "待用户响应太久", "all are one group");
    assert_eq!(shipped().render(&alone, &around()).card.title, "待用户响应太久");
}

#[test]
fn a_runbook_is_named() {
    let mut runs = rule("r");
    runs.runbook = Some("https://example.com/run_book".into());
    let view = AlertView { rule: Some(Arc::new(runs)), ..alert(firing()) };
    let send = send(about(view), None, Locale::En);
    let card = shipped().render(&send, &around()).card;
    assert!(shown(&card.body).contains("Runbook: https://example.com/run_book"), "{}", card.body);
    assert!(shown(&builtin::draft(&send, &around()).body).contains("https://example.com/run_book"));
}

#[test]
fn raw_shows_all_where_it_is_allowed_and_never_to_outsiders() {
    let dir = tempfile::tempdir().unwrap();
    let text = "---\ntitle: t\n---\nsays {{ticket.guest.email}}|{{raw.guest.email}}|{{@root.raw.ticket_id}}.\n";
    std::fs::write(dir.path().join("alert.hbs"), text).unwrap();
    let (_, faults) = Templates::load(Some(dir.path()));
    assert_eq!(faults.len(), 2, "refused, each time: {faults:?}");
    let (templates, faults) = Templates::load_with(Some(dir.path()), Raw::Allowed);
    assert!(faults.is_empty(), "{faults:?}");
    let says = |privacy: Privacy, outside: bool| {
        let labels = Labels { privacy: Arc::new(privacy), ..labels() };
        let view = AlertView { ticket: Some(view_with(rich(), facts(), labels)), rule: None, ..alert(firing()) };
        let content = if outside { about(view).for_outsiders() } else { about(view) };
        let rendered = templates.render(&send(content, Some("alert"), Locale::Zh), &around());
        assert_eq!(rendered.trouble, None);
        shown(&rendered.card.body)
    };
    let email = rich().guest.present().unwrap().email.present().unwrap().to_string();
    let allowed = Privacy { raw: true, ..Privacy::default() };
    let whole = format!("says |{email}|{}.", rich().key.id);
    assert!(says(allowed.clone(), false).contains(&whole), "{}", says(allowed.clone(), false));
    assert!(says(allowed, true).contains("says ||."));
    assert!(says(Privacy::default(), false).contains("says ||."), "the view has the last word");
}
