//! Every operator on every type of value: yes, no, unknown.

use regex::Regex;

use super::*;
use crate::domain::{
    condition::Operands,
    facts::Facts,
    field::Field,
    id::{SourceName, TicketId, TicketKey},
    labels::Labels,
    ticket::{Comment, Status, Tag, Ticket},
    time::Timestamp,
};
use Answer::{No, Unknown, Yes};

fn some(text: &str) -> Known<Text> {
    Known::Present(text.into())
}

fn texts(words: &[&str]) -> Operands {
    words.iter().map(|word| Text::from(*word)).collect()
}

fn field(name: &str) -> Target {
    Target::Field(Field::find(name).unwrap())
}

fn bare() -> Ticket {
    Ticket::unknown(TicketKey::new(SourceName::new("desk"), TicketId::new("6626871355780366331")))
}

fn li() -> Person {
    let email = some("Li@Example.com");
    Person { id: some("ou_li"), name: some("李雷"), email, city: Known::Empty, ..Person::default() }
}

fn full() -> Ticket {
    let custom = |id: &str, key: &str, name: &str, value: &str| CustomField {
        id: some(id),
        key_name: some(key),
        display_name: some(name),
        value: some(value),
        ..CustomField::default()
    };
    let reason = I18nText { zh_cn: some("答案看不懂"), en_us: some("I don't understand"), ja_jp: Known::Empty };
    let note = Comment { content: some("客户说要投诉"), ..Comment::default() };
    let tag = |name: &str| Tag { id: some("t1"), name: some(name) };
    Ticket {
        helpdesk_id: some("  "),
        status: Known::Present(Status::Other(7)),
        score: Known::Present(1),
        solved: Known::Empty,
        created_at: Known::Present(Timestamp::from_ms(1_000)),
        closed_at: Known::Empty,
        agent_first_response_duration: Known::Present(60),
        agent_service_duration: Known::Present(1.5),
        guest: Known::Present(Arc::new(li())),
        agent_owner: Known::Empty,
        agents: Known::Present(Arc::from([Arc::new(li()), Arc::new(Person::default())])),
        collaborators: Known::Present(Arc::from([])),
        comments: Known::Present(Arc::from([note])),
        dissatisfaction_reason: Known::Present(Arc::from([reason])),
        tags: Known::Present(Arc::from([tag("VIP"), tag("退款")])),
        customized_fields: Known::Present(Arc::from([
            custom("f1", "priority", "优先级", "Ｐ0"),
            custom("f2", "amount", "金额", "120"),
            custom("f3", "lines", "产品线", "[\"支付\", \"退款\"]"),
            custom("f4", "note", "说明", " "),
        ])),
        ..bare()
    }
}

fn check_on(ticket: &Ticket, cases: Vec<(Target, Operator, Answer)>) {
    for (target, operator, expected) in cases {
        let test = Test { target, operator };
        let facts = Facts::new(Timestamp::MIN, Timestamp::MIN);
        let seen = Seen::at_rest(ticket, &facts, Labels::none());
        assert_eq!(holds(&test, &seen), expected, "{} {}", test.target, test.operator);
    }
}

#[test]
fn texts_and_parts_of_persons() {
    let id = || field("ticket_id");
    let matches = |pattern: &str| Operator::TextMatches(Arc::from([Regex::new(pattern).unwrap()]));
    let part = |part| Target::Part(Field::find("guest").unwrap(), part);
    check_on(
        &full(),
        vec![
            (id(), Operator::TextIs(texts(&["1", "6626871355780366331"])), Yes),
            (id(), Operator::TextIs(texts(&["662687135578036633"])), No),
            (id(), Operator::TextContains(texts(&["366331"])), Yes),
            (id(), Operator::TextStartsWith(texts(&["66", "77"])), Yes),
            (id(), Operator::TextStartsWith(texts(&["77"])), No),
            (id(), matches("331$"), Yes),
            (id(), matches("^331"), No),
            (id(), Operator::Exists(true), Yes),
            (field("helpdesk_id"), Operator::Exists(true), No),
            (field("helpdesk_id"), Operator::TextIs(texts(&["x"])), No),
            (part(PersonPart::Email), Operator::TextIs(texts(&["li@example.com"])), Yes),
            (part(PersonPart::Email), matches("^li@"), No),
            (part(PersonPart::City), Operator::Exists(false), Yes),
            (part(PersonPart::Department), Operator::TextIs(texts(&["x"])), Unknown),
            (Target::Part(Field::find("agent_owner").unwrap(), PersonPart::Name), Operator::Exists(false), Yes),
        ],
    );
}

#[test]
fn codes_numbers_and_instants() {
    let one = Timestamp::from_ms(1_000);
    let two = Timestamp::from_ms(2_000);
    let seconds = || field("agent_first_response_duration");
    check_on(
        &full(),
        vec![
            (field("status"), Operator::CodeIs(Arc::from([7])), Yes),
            (field("status"), Operator::CodeIs(Arc::from([1, 2, 3, 4, 5])), No),
            (field("solved"), Operator::CodeIs(Arc::from([1])), No),
            (field("solved"), Operator::Exists(false), Yes),
            (field("channel"), Operator::CodeIs(Arc::from([2])), Unknown),
            (field("channel"), Operator::Exists(false), Unknown),
            (seconds(), Operator::NumberIs(Arc::from([60.0])), Yes),
            (seconds(), Operator::AtLeast(60.0), Yes),
            (seconds(), Operator::Above(60.0), No),
            (seconds(), Operator::AtMost(60.0), Yes),
            (seconds(), Operator::Below(60.0), No),
            (field("agent_service_duration"), Operator::Above(1.25), Yes),
            (field("bot_service_duration"), Operator::AtLeast(0.0), Unknown),
            (field("created_at"), Operator::Before(two), Yes),
            (field("created_at"), Operator::Before(one), No),
            (field("created_at"), Operator::After(one), No),
            (field("closed_at"), Operator::After(one), No),
            (field("closed_at"), Operator::Exists(false), Yes),
            (field("updated_at"), Operator::Before(one), Unknown),
        ],
    );
}

#[test]
fn persons_lists_and_texts_in_languages() {
    let contains = |words: &[&str]| Operator::ListContains(texts(words));
    let contains_all = |words: &[&str]| Operator::ListContainsAll(texts(words));
    let is = |words: &[&str]| Operator::PersonIs(texts(words));
    let reason = || field("dissatisfaction_reason");
    check_on(
        &full(),
        vec![
            (field("guest"), is(&["李雷"]), Yes),
            (field("guest"), is(&["韩梅梅", "li@example.com"]), Yes),
            (field("guest"), is(&["ou_li"]), Yes),
            (field("guest"), is(&["ou_other"]), No),
            (field("agent_owner"), Operator::Exists(false), Yes),
            (field("agent_owner"), is(&["李雷"]), No),
            (field("closed_by"), is(&["李雷"]), Unknown),
            (field("agents"), contains(&["李雷"]), Yes),
            (field("agents"), contains(&["韩梅梅"]), Unknown),
            (field("collaborators"), contains(&["李雷"]), No),
            (field("collaborators"), Operator::Exists(false), Yes),
            (field("tags"), contains(&["x", "vip"]), Yes),
            (field("tags"), contains_all(&["vip", "退款"]), Yes),
            (field("tags"), contains_all(&["vip", "x"]), No),
            (field("tags"), Operator::Exists(false), No),
            (reason(), Operator::TextIs(texts(&["i don't understand"])), Yes),
            (reason(), Operator::TextContains(texts(&["看不懂"])), Yes),
            (reason(), Operator::TextContains(texts(&["慢"])), No),
            (reason(), Operator::Exists(true), Yes),
            (field("comments"), Operator::TextContains(texts(&["投诉"])), Yes),
            (field("comments"), Operator::Exists(false), No),
        ],
    );
    for name in ["tags", "agents", "comments", "dissatisfaction_reason"] {
        check_on(
            &bare(),
            vec![(field(name), Operator::Exists(false), Unknown), (field(name), contains(&["x"]), Unknown)],
        );
    }
}

#[test]
fn custom_fields_by_name_key_and_id() {
    let any = |word: &str| Target::Custom(CustomSelector::Any(word.into()));
    let is = |words: &[&str]| Operator::TextIs(texts(words));
    let cases = || {
        vec![
            (any("优先级"), is(&["p0"]), Yes),
            (any("priority"), is(&["p0"]), Yes),
            (any("priority"), is(&["p1"]), No),
            (Target::Custom(CustomSelector::Name("priority".into())), is(&["p0"]), No),
            (Target::Custom(CustomSelector::Key("priority".into())), is(&["p0"]), Yes),
            (Target::Custom(CustomSelector::Id("f1".into())), is(&["p0"]), Yes),
            (any("金额"), Operator::AtLeast(100.0), Yes),
            (any("金额"), Operator::Below(100.0), No),
            (any("优先级"), Operator::AtLeast(1.0), Unknown),
            (any("产品线"), Operator::ListContains(texts(&["退款"])), Yes),
            (any("产品线"), Operator::ListContainsAll(texts(&["退款", "支付"])), Yes),
            (any("产品线"), Operator::ListContains(texts(&["退"])), No),
            (any("说明"), Operator::Exists(true), No),
            (any("没有这个"), is(&["x"]), No),
            (any("没有这个"), Operator::Exists(false), Yes),
        ]
    };
    check_on(&full(), cases());
    let unknown = cases().into_iter().map(|(target, operator, _)| (target, operator, Unknown)).collect();
    check_on(&bare(), unknown);
    let nameless = Ticket { customized_fields: Known::Present(Arc::from([CustomField::default()])), ..bare() };
    check_on(&nameless, vec![(any("优先级"), is(&["p0"]), Unknown)]);
    let none = Ticket { customized_fields: Known::Empty, ..bare() };
    check_on(&none, vec![(any("优先级"), is(&["p0"]), No), (any("优先级"), Operator::Exists(false), Yes)]);
}

#[test]
fn quick_answers_are_those_of_folding() {
    let words =
        ["p0", "P0", " p0 ", "Ｐ0", "优先级", "优先", "优先级别", "客户", "ﾖ优", "e\u{301}", "é", "ss", "ß", "優先级"];
    for have in words {
        for want in words {
            let want = Text::from(&*fold(want));
            assert_eq!(equals(&some(have), &want), Answer::of(fold(have) == *want), "{have} {want}");
            let operator = Operator::TextIs([want.clone()].into());
            assert_eq!(text_holds(&operator, have), Answer::of(fold(have) == *want), "{have} {want}");
        }
    }
}
