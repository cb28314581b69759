//! Every card in both languages, over a ticket of which everything is known and one of which nothing is.

use insta::assert_snapshot;

use super::samples::{
    NOON, alert, around, as_text, bare, digest, firing, over, rich, rule, send, shipped, ticket_answer, view,
};
use crate::{
    adapters::templates::{builtin, frame::finish, library::Surroundings},
    domain::{
        alert::AlertState,
        calendar::Pace,
        condition::{Bound, Clock, ClockTest, Condition},
        id::Subject,
        notice::{AlertView, AnswerView, Content, DigestCause, DigestView, Step},
        text::{Locale, Message},
        time::Span,
    },
};

/// The content in both languages, with everything and with nothing known, without any trouble.
fn all(contents: &[(&str, Content)], template: Option<&str>) -> String {
    let templates = shipped();
    let mut out = String::new();
    for (what, content) in contents {
        for locale in [Locale::Zh, Locale::En] {
            let rendered = templates.render(&send(content.clone(), template, locale), &around());
            assert_eq!(rendered.trouble, None, "{what} {locale:?}");
            out.push_str(&format!("=== {what} {locale:?}\n{}", as_text(&rendered.card)));
        }
    }
    out
}

fn rich_and_bare(state: &AlertState) -> [(&'static str, Content); 2] {
    let poor = AlertView { ticket: Some(view(bare())), rule: None, ..alert(state.clone()) };
    [("rich", Content::Alert(Box::new(alert(state.clone())))), ("bare", Content::Alert(Box::new(poor)))]
}

#[test]
fn dissatisfied() {
    assert_snapshot!(all(&rich_and_bare(&firing()), Some("dissatisfied")));
}

#[test]
fn waiting_for_user() {
    assert_snapshot!(all(&rich_and_bare(&firing()), Some("waiting-for-user")));
}

#[test]
fn custom_field() {
    assert_snapshot!(all(&rich_and_bare(&firing()), Some("custom-field")));
}

#[test]
fn any_alert() {
    let mut contents = rich_and_bare(&firing()).to_vec();
    let source = AlertView { ticket: None, rule: None, ..alert(firing()) };
    contents.push(("without a ticket", Content::Alert(Box::new(source))));
    assert_snapshot!(all(&contents, None));
}

#[test]
fn ended() {
    assert_snapshot!(all(&rich_and_bare(&over()), Some("dissatisfied")));
}

#[test]
fn digests() {
    let mut quiet = digest();
    quiet.firing = 0;
    let contents = [("rings", Content::Digest(Box::new(digest()))), ("quiet", Content::Digest(Box::new(quiet)))];
    assert_snapshot!(all(&contents, None));
}

/// A storm as it begins, as it ebbs away, and when it is over; by the shipped template and without one.
#[test]
fn storms() {
    let shared = Message::new("其中 212 张：产品线 <支付>", "212 of them: 产品线 <支付>");
    let began = DigestView {
        of: Subject::Receiver("support".into()),
        cause: DigestCause::Storm,
        rule: Some("VIP 没人接".into()),
        began_at: NOON.minus(Span::from_hours(2)),
        shared: Some(shared),
        total: 298,
        firing: 298,
        ..digest()
    };
    let ebbs = DigestView { firing: 41, closed_at: Some(NOON.minus(Span::from_mins(20))), ..began.clone() };
    let mut over = DigestView { firing: 0, shared: None, ..ebbs.clone() };
    over.lines.iter_mut().for_each(|line| line.firing = false);
    let contents =
        [("begins", began), ("ebbs", ebbs), ("over", over)].map(|(what, view)| (what, Content::Digest(Box::new(view))));
    let mut plain = String::new();
    for (what, content) in &contents {
        for locale in [Locale::Zh, Locale::En] {
            let send = send(content.clone(), None, locale);
            let card = finish(builtin::draft(&send, &around()), &[], &send, &around());
            plain.push_str(&format!("=== {what} {locale:?}, without a template\n{}", as_text(&card)));
        }
    }
    assert_snapshot!(all(&contents, None) + &plain);
}

/// Digests that tell again, whose alerts someone has, and whose alerts others tell by now.
#[test]
fn digests_that_tell_again() {
    let again = |cause| DigestView {
        of: Subject::Receiver("leads".into()),
        cause,
        rule: Some("VIP 没人接".into()),
        began_at: NOON.minus(Span::from_mins(5)),
        total: 20,
        firing: 20,
        ..digest()
    };
    let mut taken = DigestView { taken: 1, firing: 2, total: 2, ..again(DigestCause::Escalations) };
    taken.lines.iter_mut().for_each(|line| line.firing = true);
    taken.lines[1].taken_by = Some(Message::new("李雷", "李雷"));
    let silence = DigestView { cause: DigestCause::SilenceOver, rule: None, ..taken.clone() };
    let mut all_taken = DigestView { taken: 2, ..silence.clone() };
    all_taken.lines[0].taken_by = Some(Message::new("同事", "a colleague"));
    let empty = DigestView { total: 0, firing: 0, lines: Vec::new(), ..again(DigestCause::Storm) };
    let views = [
        ("escalated", again(DigestCause::Escalations)),
        ("reminded", again(DigestCause::Repeats)),
        ("asked", DigestView { taken: 20, ..again(DigestCause::Questions) }),
        ("one is taken", taken),
        ("after a silence", silence),
        ("all are taken", all_taken),
        ("told elsewhere by now", empty),
    ];
    let contents = views.map(|(what, view)| (what, Content::Digest(Box::new(view))));
    let mut plain = String::new();
    for (what, content) in &contents {
        for locale in [Locale::Zh, Locale::En] {
            let send = send(content.clone(), None, locale);
            let card = finish(builtin::draft(&send, &around()), &[], &send, &around());
            plain.push_str(&format!("=== {what} {locale:?}, without a template\n{}", as_text(&card)));
        }
    }
    assert_snapshot!(all(&contents, None) + &plain);
}

#[test]
fn tickets() {
    assert_snapshot!(all(&[("rich", ticket_answer(rich())), ("bare", ticket_answer(bare()))], None));
}

#[test]
fn sentences() {
    let text = |zh: &str, en: &str| Message::new(zh, en);
    let short = text("没看懂。是想查工单吗？请写：/ticket 工单号", "I did not understand. Write: /ticket <id>");
    let long = text(&"很长的一句话".repeat(20), &"a long sentence ".repeat(20));
    let lines = text("现有命令：\n/ticket 查工单\n/help 帮助", "Commands:\n/ticket looks a ticket up\n/help helps");
    let rules = text("规则已更新\n客服沉默 30m → 45m\n删除 旧的\n3 条提醒因此结束", "Rules updated: silent 30m → 45m");
    let answer = |message| Content::Answer(Box::new(AnswerView::Text(message)));
    let contents = [
        ("short", answer(short.clone())),
        ("long", answer(long)),
        ("lines", answer(lines)),
        ("trouble", Content::Trouble(short)),
        ("announced", Content::Announcement(rules)),
    ];
    assert_snapshot!(all(&contents, None));
}

#[test]
fn marks_stand_where_they_are_seen() {
    let templates = shipped();
    let mut view = alert(AlertState::Firing { fired_at: NOON, stale_as_of: Some(NOON.minus(Span::from_mins(20))) });
    view.step = Step::Repeated;
    view.ordinal = 2;
    if let Some(ticket) = &mut view.ticket {
        ticket.facts.status_since_estimated = true;
    }
    let mut send = send(Content::Alert(Box::new(view)), Some("waiting-for-user"), Locale::Zh);
    send.maybe_repeat = true;
    let card = templates.render(&send, &Surroundings { drill: true, ..around() }).card;
    assert_eq!(card.title, "【演练】第 2 次再提醒 · 等客户回复 至少 1 天 3 小时 · 三楼打印机连不上，提示 E-04");
    assert_eq!(card.tags, ["可能重复", "数据截至 11-20 13:45", "P0"]);
    assert_eq!(
        card.footer,
        "数据截至 2026-11-20 13:45 · 时长至少如此：首次看到时已是此状态 · 规则 待用户响应太久 · #".to_string()
            + &send.key.reference()
    );
    send.locale = Locale::En;
    let card = templates.render(&send, &around()).card;
    assert!(card.title.starts_with("Reminder 2 · Waiting for the guest at least 1 d 3 h"), "{}", card.title);
}

#[test]
fn the_same_decision_makes_the_same_card() {
    let templates = shipped();
    let send = send(Content::Alert(Box::new(alert(firing()))), Some("waiting-for-user"), Locale::Zh);
    let later = Surroundings { now: around().now.plus(Span::from_secs(50)), ..around() };
    assert_eq!(templates.render(&send, &around()), templates.render(&send, &later));
}

#[test]
fn every_clock_has_an_elapsed_time() {
    let templates = shipped();
    let expected = [
        (Clock::Age, "1 天 23 小时"),
        (Clock::Idle, "2 小时 59 分钟"),
        (Clock::InStatus, "1 天 2 小时"),
        (Clock::SinceAgentReply, "1 天 2 小时"),
    ];
    for (clock, shown) in expected {
        let mut view = alert(firing());
        let mut rule = rule("r");
        rule.when = Condition::Clock(ClockTest { clock, bound: Bound::AtLeast(Span::from_mins(1)), pace: Pace::Wall });
        view.rule = Some(rule.into());
        let card = templates.render(&send(Content::Alert(Box::new(view)), None, Locale::Zh), &around()).card;
        assert_eq!(card.title, format!("r {shown} · 三楼打印机连不上，提示 E-04"));
    }
}
