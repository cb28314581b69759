//! What is shown of a ticket that holds personal data everywhere.

use super::*;
use crate::domain::{
    condition::{Condition, Operator, Test},
    conversation::Speaker,
    field::Field,
    id::TicketKey,
    labels::{Caption, Labels},
    notice::TicketView,
    seen::Seen,
    time::Timestamp,
    why::why_text,
};

const PHONE: &str = "13812345678";
const EMAIL: &str = "li.lei@example.com";
const ID_CARD: &str = "11010519491231002X";
const BANK_CARD: &str = "6222020200112233446";

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

fn text(text: impl Into<Text>) -> Known<Text> {
    Known::Present(text.into())
}

/// All four in one text, with a word in front that tells where it was.
fn planted(place: &str) -> Text {
    format!("{place} {PHONE} {EMAIL} {ID_CARD} {BANK_CARD}").into()
}

fn custom(name: &str, value: &str) -> CustomField {
    CustomField { display_name: text(name), value: text(value), ..CustomField::default() }
}

fn person(place: &str) -> Arc<Person> {
    let part = |name: &str| text(planted(&format!("{place}-{name}")));
    Arc::new(Person {
        id: text(format!("ou_{place}")),
        name: part("name"),
        email: text(EMAIL),
        department: part("department"),
        city: part("city"),
        country: part("country"),
        avatar_url: part("avatar"),
    })
}

/// A ticket with all four in every field that may hold them, whose own number reads as a bank card.
fn ticket() -> Ticket {
    let comment = Comment { content: text(planted("note")), ..Comment::default() };
    let reason = I18nText { zh_cn: text(planted("reason")), ..I18nText::default() };
    Ticket {
        guest: Known::Present(person("guest")),
        closed_by: Known::Present(person("guest")),
        agent_owner: Known::Present(Arc::new(Person {
            name: text("王芳"),
            email: text("wang@example.com"),
            ..Person::default()
        })),
        comments: Known::Present([comment].into()),
        dissatisfaction_reason: Known::Present([reason].into()),
        customized_fields: Known::Present(
            [custom("问题描述", &planted("subject")), custom("优先级", "P0"), custom("手机", &planted("field"))].into(),
        ),
        tags: Known::Present([Tag { id: Known::Empty, name: text(planted("tag")) }].into()),
        ..Ticket::unknown(TicketKey::new("desk".into(), BANK_CARD.into()))
    }
}

fn facts() -> Facts {
    let said = |ms: i64, place: &str| Said { at: at(ms), text: planted(place) };
    let talk = Conversation::of(vec![
        (Speaker::Guest, said(1, "first")),
        (Speaker::Agent, said(2, "agent")),
        (Speaker::Guest, said(3, "last")),
    ]);
    Facts { conversation: Known::Present(Arc::new(talk)), ..Facts::new(at(0), at(0)) }
}

fn labels(privacy: Privacy) -> Labels {
    Labels {
        subject: vec![Caption::Field("问题描述".into()), Caption::FirstGuestMessage],
        priority: Some("优先级".into()),
        privacy: Arc::new(privacy),
        ..Labels::default()
    }
}

fn view(privacy: Privacy) -> TicketView {
    TicketView::new(Arc::new(ticket()), facts(), Arc::new(labels(privacy)), at(9))
}

/// All that a view shows, but for what judges.
fn shown(view: &TicketView) -> String {
    format!("{:?} {:?} {:?} {:?} {:?}", view.ticket, view.facts, view.subject, view.priority, view.alerts)
}

#[test]
fn by_default_everything_personal_is_masked_and_the_ticket_keeps_its_number() {
    let view = view(Privacy::default());
    let shown = shown(&view).replace("wang@example.com", "");
    for secret in [PHONE, EMAIL, ID_CARD] {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
    assert_eq!(view.ticket.key.id.as_str(), BANK_CARD);
    for place in
        ["guest-name 138****5678", "guest-department", "subject 138", "field 138", "note 138", "tag 138", "last 138"]
    {
        assert!(shown.contains(place), "{place}: {shown}");
    }
    for hidden in ["guest-city", "guest-avatar", "ou_guest"] {
        assert!(!shown.contains(hidden), "{hidden}: {shown}");
    }
    assert_eq!(view.ticket.closed_by.present().unwrap().name, view.ticket.guest.present().unwrap().name);
    assert_eq!(view.priority.as_deref(), Some("P0"));
    assert!(!view.hides_guest);
}

#[test]
fn what_is_not_listed_is_not_there() {
    let strict = Privacy { forward: false, raw: false, ..Privacy::outsiders() };
    let view = view(strict);
    let shown = shown(&view);
    for place in ["guest-", "subject ", "field ", "note ", "reason ", "first ", "last ", "agent "] {
        assert!(!shown.contains(place), "{place}: {shown}");
    }
    assert!(shown.contains("王芳") && shown.contains("P0"), "agents and priority always show: {shown}");
    assert!(view.hides_guest && view.subject.is_none());
    let waits = view.facts.conversation.present().unwrap().unanswered_since;
    assert_eq!(waits, Some(at(3)), "who waits for whom is no secret");
    assert!(format!("{:?}", view.whole().ticket).contains(PHONE), "rules judge the ticket as it is");
}

#[test]
fn a_quote_is_masked_before_it_is_cut() {
    for guest_text in 1..60 {
        let privacy = Privacy { guest_text, ..Privacy::default() };
        let quote = privacy.quoted(&format!("电话 {PHONE} 邮箱 {EMAIL}"), "").unwrap();
        assert!(quote.chars().count() <= guest_text, "{quote}");
        assert!(!quote.contains("13812") && !quote.contains("li.l"), "{quote}");
    }
}

#[test]
fn reasons_name_only_what_may_be_shown() {
    let say = |name: &str, privacy: Privacy| {
        let target = match name.strip_prefix("field:") {
            Some(name) => Target::Custom(CustomSelector::Any(name.into())),
            None => match name.strip_prefix("guest.") {
                Some(_) => Target::Part(Field::find("guest").unwrap(), PersonPart::Department),
                None => Target::Field(Field::find(name).unwrap()),
            },
        };
        let condition = Condition::Test(Test { target, operator: Operator::Exists(true) });
        let (ticket, facts, labels) = (ticket(), facts(), labels(privacy));
        why_text(&condition, &Seen::at_rest(&ticket, &facts, &labels), at(9)).zh
    };
    for (name, usual, strict) in [
        ("field:手机", "手机是 field 138****5678 l*****@example.com 110105********002X", "手机是 （未显示）"),
        ("field:优先级", "优先级是 P0", "优先级是 P0"),
        ("guest", "客户是 guest-name 138****5678", "客户是 （未显示）"),
        ("guest.department", "客户的部门是 guest-department 138****5678", "客户的部门是 （未显示）"),
        ("guest_message", "客户消息是 last 138****5678", "客户消息是 （未显示）"),
        ("last_guest_message", "客户最后一条消息是 last 138****5678", "客户最后一条消息是 （未显示）"),
        ("subject", "标题是 subject 138****5678", "标题是 （未显示）"),
        ("comments", "备注是 note 138****5678", "备注是 （未显示）"),
        ("dissatisfaction_reason", "不满意原因是 reason 138****5678", "不满意原因是 （未显示）"),
        ("agent_owner", "负责人是 王芳", "负责人是 王芳"),
        ("tags", "标签是 tag 138****5678", "标签是 tag 138****5678"),
        ("ticket_id", "工单号是 6222020200112233446", "工单号是 6222020200112233446"),
    ] {
        let told = say(name, Privacy::default());
        assert!(told.starts_with(usual), "{name}: {told}");
        let told = say(name, Privacy::outsiders());
        assert!(told.starts_with(strict), "{name}: {told}");
        assert!(!told.contains(PHONE) && !told.contains(EMAIL), "{told}");
    }
}

#[test]
fn headlines_follow() {
    let head = |privacy: Privacy, ticket: &Ticket| {
        let (facts, labels) = (facts(), labels(privacy));
        labels.headline_of(&Seen::at_rest(ticket, &facts, &labels))
    };
    let whole = ticket();
    assert!(head(Privacy::default(), &whole).unwrap().starts_with("subject 138****5678"));
    assert_eq!(head(Privacy::outsiders(), &whole), None);
    let name_only = Privacy { guest: vec![PersonPart::Name], ..Privacy::outsiders() };
    assert!(head(name_only, &whole).unwrap().starts_with("guest-name 138****5678"));
    let bare = Ticket { customized_fields: Known::Empty, ..whole };
    let short = Privacy { guest_text: 10, ..Privacy::default() };
    assert_eq!(head(short, &bare).as_deref(), Some("first 138…"), "the guest's first message is a quote");
    let silent = Privacy { guest_text: 0, ..Privacy::default() };
    assert!(head(silent, &bare).unwrap().starts_with("guest-name"), "no quotes, no subject out of one");
}

#[test]
fn raw_is_the_ticket_as_it_is() {
    let whole = view(Privacy::outsiders()).bare();
    let shown = shown(&whole);
    for secret in [PHONE, EMAIL, ID_CARD, "guest-city", "note ", "last "] {
        assert!(shown.contains(secret), "{secret}: {shown}");
    }
}
