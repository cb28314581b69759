//! Tickets, alerts and sends the tests render.

use std::sync::Arc;

use crate::{
    adapters::templates::library::{Surroundings, Templates},
    domain::{
        alert::{Alert, AlertKey, AlertState, Announced, EndReason},
        calendar::Pace,
        card::{Card, Menu, shown},
        condition::{Bound, Clock, ClockTest, Condition},
        conversation::{Conversation, Said, Speaker},
        facts::Facts,
        id::{ReceiverName, RuleName, SourceName, Subject, TemplateName, TicketId, TicketKey},
        labels::{Caption, Labels},
        notice::{
            AlertLine, AlertView, AnswerView, Content, DigestCause, DigestView, NoticeKey, Outside, Send, Step, Target,
            TicketView,
        },
        rule::{Rule, Severity},
        text::{Locale, Message},
        ticket::{Comment, CustomField, I18nText, Known, Person, Status, Tag, Ticket},
        time::{Span, Timestamp, Zone},
    },
};

/// 2026-11-20 14:05 in Shanghai.
pub(crate) const NOON: Timestamp = Timestamp::from_ms(1_795_154_700_000);

pub(crate) fn around() -> Surroundings {
    Surroundings { zone: Zone(chrono_tz::Asia::Shanghai), now: NOON, drill: false }
}

pub(crate) fn shipped() -> Templates {
    let (templates, faults) = Templates::load(None);
    assert_eq!(faults, []);
    templates
}

pub(crate) fn known(text: &str) -> Known<Arc<str>> {
    Known::Present(text.into())
}

pub(crate) fn person(id: &str, name: &str, department: &str) -> Known<Arc<Person>> {
    Known::Present(Arc::new(Person {
        id: known(id),
        name: known(name),
        email: known(&format!("{id}@example.com")),
        department: if department.is_empty() { Known::Unknown } else { known(department) },
        city: known("上海"),
        ..Person::default()
    }))
}

pub(crate) fn field(name: &str, value: &str) -> CustomField {
    CustomField { display_name: known(name), value: known(value), key_name: known("k"), ..CustomField::default() }
}

pub(crate) fn key() -> TicketKey {
    TicketKey::new(SourceName::from("it-desk"), TicketId::from("6626871355780366331"))
}

/// A ticket of which everything is known.
pub(crate) fn rich() -> Ticket {
    let reason = I18nText { zh_cn: known("回复太慢"), en_us: known("Slow reply"), ja_jp: Known::Empty };
    let comment = Comment {
        id: Known::Present(12),
        content: known("已联系供应商"),
        created_at: Known::Present(NOON.minus(Span::from_hours(5))),
        user_name: known("李雷"),
        user_id: known("7262656095919128578"),
        user_avatar_url: Known::Empty,
    };
    Ticket {
        helpdesk_id: known("6626871355780366330"),
        guest: person("ou_guest", "张三", "财务部"),
        comments: Known::Present([comment].into()),
        ticket_type: Known::Present(2),
        status: Known::Present(Status::WaitingForUser),
        score: Known::Present(1),
        created_at: Known::Present(NOON.minus(Span::from_days(2))),
        updated_at: Known::Present(NOON.minus(Span::from_hours(3))),
        closed_at: Known::Empty,
        dissatisfaction_reason: Known::Present([reason].into()),
        channel: Known::Present(2),
        solved: Known::Present(1),
        collaborators: Known::Present(person("ou_help", "韩梅梅", "").present().cloned().into_iter().collect()),
        customized_fields: Known::Present(
            [field("问题描述", "三楼打印机连不上，提示 E-04"), field("优先级", "P0"), field("空", "")].into(),
        ),
        agent_first_response_duration: Known::Present(754),
        agent_service_duration: Known::Present(12.5),
        agent_last_response_time: Known::Present(NOON.minus(Span::from_hours(27))),
        agent_owner: person("ou_agent", "李雷", ""),
        tags: Known::Present(
            [Tag { id: known("1"), name: known("硬件") }, Tag { id: known("2"), name: known("三楼") }].into(),
        ),
        ..Ticket::unknown(key())
    }
}

/// A ticket of which nothing is known but its number.
pub(crate) fn bare() -> Ticket {
    Ticket::unknown(key())
}

pub(crate) fn view(ticket: Ticket) -> TicketView {
    view_with(ticket, facts(), labels())
}

pub(crate) fn facts() -> Facts {
    Facts { reopened_count: 1, ..Facts::new(NOON.minus(Span::from_hours(27)), NOON.minus(Span::from_days(2))) }
}

pub(crate) fn labels() -> Labels {
    Labels {
        subject: vec![Caption::Field("问题描述".into())], priority: Some("优先级".into()), ..Labels::default()
    }
}

pub(crate) fn view_with(ticket: Ticket, facts: Facts, labels: Labels) -> TicketView {
    TicketView::new(Arc::new(ticket), facts, Arc::new(labels), NOON.minus(Span::from_secs(10)))
}

pub(crate) fn rule(name: &str) -> Rule {
    let test = ClockTest { clock: Clock::InStatus, bound: Bound::AtLeast(Span::from_days(1)), pace: Pace::Wall };
    Rule {
        summary: Some("客户在等，别让它凉了".into()),
        severity: Severity::Critical,
        advice: Some("请再问一句，或说明后关闭工单".into()),
        meaning: 1,
        ..Rule::new(RuleName::from(name), Condition::All(vec![Condition::Clock(test)]))
    }
}

pub(crate) fn firing() -> AlertState {
    AlertState::Firing { fired_at: NOON.minus(Span::from_secs(2)), stale_as_of: None }
}

pub(crate) fn over() -> AlertState {
    AlertState::Ended {
        fired_at: Some(NOON.minus(Span::from_mins(95))),
        ended_at: NOON.minus(Span::from_mins(1)),
        reason: EndReason::Cleared,
    }
}

pub(crate) fn alert(state: AlertState) -> AlertView {
    AlertView {
        alert: Alert {
            episode: 1,
            state,
            severity: Severity::Critical,
            why: Message::new("状态是待用户响应，已经 27 小时", "the status is waiting for user, for 27 hours"),
            announced: Announced::Cards,
            rev: 1,
            meaning: 1,
            ..Alert::pending(
                AlertKey { subject: Subject::Ticket(key()), rule: RuleName::from("待用户响应太久") },
                NOON.minus(Span::from_hours(3)),
            )
        },
        rule: Some(Arc::new(rule("待用户响应太久"))),
        ticket: Some(view(rich())),
        step: Step::Fired,
        ordinal: 0,
        silenced: None,
        untold: None,
        menu: Menu::Plain,
    }
}

pub(crate) fn digest() -> DigestView {
    let line = |reference: &str, title: Option<&str>, firing: bool| AlertLine {
        reference: reference.to_string(),
        rule: RuleName::from("不满意"),
        subject: Subject::Ticket(key()),
        title: title.map(ToString::to_string),
        since: NOON.minus(Span::from_hours(30)),
        firing,
        severity: Severity::Critical,
        why: Message::new("评分是不满意", "the score is dissatisfied"),
        taken_by: None,
        put_off: None,
    };
    DigestView {
        of: Subject::Source(SourceName::from("it-desk")),
        cause: DigestCause::Baseline,
        hears: true,
        source: Some(SourceName::from("it-desk")),
        severity: Some(Severity::Critical),
        rule: None,
        began_at: Timestamp::from_ms(0),
        closed_at: None,
        shared: None,
        total: 14,
        firing: 12,
        taken: 0,
        put_off: 0,
        by_rule: vec![(RuleName::from("不满意"), 9), (RuleName::from("待用户响应太久"), 5)],
        lines: vec![line("4F7A2C", Some("打印机连不上"), true), line("00AA11", None, false)],
    }
}

/// Seven messages, of which the guest's last is not answered and means harm.
fn talk() -> Arc<Conversation> {
    let said = |minutes: i64, text: &str| Said { at: NOON.minus(Span::from_mins(minutes)), text: text.into() };
    let harm = "<at id=all></at> [看这里](https://evil.example) **急** 电话 13812345678";
    let long = "三楼的打印机从上周起一直卡纸，换过硒鼓也没有用。".repeat(9);
    Arc::new(Conversation::of(vec![
        (Speaker::Guest, said(300, "打印机坏了")),
        (Speaker::Bot, said(299, "请稍等")),
        (Speaker::Agent, said(280, "在看")),
        (Speaker::Guest, said(200, &long)),
        (Speaker::Agent, said(190, "明天上门，请留电话")),
        (Speaker::Guest, said(60, harm)),
        (Speaker::Guest, said(55, "在吗")),
    ]))
}

pub(crate) fn ticket_answer(ticket: Ticket) -> Content {
    let mut view = view(ticket);
    if view.ticket.guest.present().is_some() {
        view = view.with_talk(talk());
    }
    view.facts.status_since_estimated = true;
    view.alerts = digest().lines.into_iter().take(1).collect();
    Content::Answer(Box::new(AnswerView::Ticket(Box::new(view))))
}

pub(crate) fn send(content: Content, template: Option<&str>, locale: Locale) -> Send {
    let step = match &content {
        Content::Alert(view) => view.step,
        Content::Digest(_) => Step::Digest,
        Content::Answer(_) => Step::Answer,
        Content::Trouble(_) => Step::Trouble,
        Content::Announcement(_) => Step::Announced,
    };
    Send {
        key: NoticeKey {
            subject: Subject::Ticket(key()),
            rule: RuleName::from("待用户响应太久"),
            episode: 1,
            step,
            ordinal: 0,
            receiver: ReceiverName::from("support"),
        },
        target: Target::Post(ReceiverName::from("support")),
        template: template.map(TemplateName::from),
        content,
        outside: Outside::default(),
        locale,
        maybe_repeat: false,
        without_mentions: false,
        masked: false,
        forward: false,
        notes: Vec::new(),
        asides: Vec::new(),
        mentions: Vec::new(),
        rev: 1,
        attempts: 0,
    }
}

/// A card as a reader sees it.
pub(crate) fn as_text(card: &Card) -> String {
    let tags: String = card.tags.iter().map(|tag| format!(" [{tag}]")).collect();
    format!("({}) {}{tags}\n{}\n-- {}\n", card.colour.name(), card.title, shown(&card.body), card.footer)
}
