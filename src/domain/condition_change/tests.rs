//! Two conditions and what is said of the difference.

use super::*;
use crate::domain::{
    condition::{Clock, CustomSelector, Operands, PersonPart},
    field::Field,
    ticket::Text,
    time::Span,
};

fn clock(minutes: i64) -> Condition {
    let bound = Bound::AtLeast(Span::from_mins(minutes));
    Condition::Clock(ClockTest { clock: Clock::SinceAgentReply, bound, pace: Pace::Wall })
}

fn test(name: &str, operator: Operator) -> Condition {
    Condition::Test(Test { target: Target::Field(Field::find(name).unwrap()), operator })
}

fn texts(words: &[&str]) -> Operands {
    words.iter().map(|word| Text::from(*word)).collect()
}

fn status(codes: &[i64]) -> Condition {
    test("status", Operator::CodeIs(codes.into()))
}

fn vip(words: &[&str]) -> Condition {
    let target = Target::Custom(CustomSelector::Any("客户等级".into()));
    Condition::Test(Test { target, operator: Operator::TextIs(texts(words)) })
}

fn department(word: &str) -> Condition {
    let target = Target::Part(Field::find("guest").unwrap(), PersonPart::Department);
    Condition::Test(Test { target, operator: Operator::TextIs(texts(&[word])) })
}

fn meets(name: &str, meant: Condition) -> Condition {
    Condition::Meets(name.into(), Arc::new(meant))
}

fn said(old: &Condition, new: &Condition) -> (Vec<String>, Vec<String>) {
    let edits = condition_edits(old, new, &mut Shared::default());
    edits.iter().map(|edit| (edit.text().zh, edit.text().en)).unzip()
}

fn check(old: Condition, new: Condition, zh: &[&str], en: &[&str]) {
    let (found_zh, found_en) = said(&old, &new);
    assert_eq!(
        (found_zh, found_en),
        (zh.iter().map(ToString::to_string).collect(), en.iter().map(ToString::to_string).collect()),
        "{old} → {new}"
    );
    assert_eq!(said(&old, &old), (Vec::new(), Vec::new()), "a condition does not differ from itself");
}

#[test]
fn the_leaf_that_differs_is_named() {
    check(
        Condition::All(vec![status(&[50]), clock(30)]),
        Condition::All(vec![status(&[50]), clock(45)]),
        &["客服未回复时长至少 30m → 45m"],
        &["since agent reply at least 30m → 45m"],
    );
    check(clock(30), clock(45), &["客服未回复时长至少 30m → 45m"], &["since agent reply at least 30m → 45m"]);
    check(
        Condition::None(vec![department("财务"), clock(30)]),
        Condition::None(vec![department("实习"), clock(30)]),
        &["不能 客户的部门是 财务 → 实习"],
        &["not guest's department is 财务 → 实习"],
    );
    check(
        Condition::Not(Box::new(Condition::Not(Box::new(clock(30))))),
        Condition::Not(Box::new(Condition::Not(Box::new(clock(31))))),
        &["客服未回复时长至少 30m → 31m"],
        &["since agent reply at least 30m → 31m"],
    );
}

#[test]
fn lists_say_what_came_and_what_went() {
    check(vip(&["vip"]), vip(&["vip", "svip"]), &["客户等级是 加上 svip"], &["客户等级 is added: svip"]);
    let words = |words: &[&str]| test("guest_message", Operator::TextContains(texts(words)));
    check(
        words(&["投诉", "起诉", "12315"]),
        words(&["投诉", "曝光", "起诉"]),
        &["客户消息包含 加上 曝光，去掉 12315"],
        &["guest message contains added: 曝光, removed: 12315"],
    );
}

#[test]
fn parts_that_come_and_go_are_said() {
    check(
        status(&[50]),
        Condition::All(vec![clock(30), status(&[50])]),
        &["加上 客服未回复时长至少 30 分钟"],
        &["added: since agent reply at least 30 minutes"],
    );
    check(
        Condition::All(vec![clock(30), status(&[50]), vip(&["vip"])]),
        Condition::All(vec![status(&[50])]),
        &["去掉 客服未回复时长至少 30 分钟", "去掉 客户等级是 vip"],
        &["removed: since agent reply at least 30 minutes", "removed: 客户等级 is vip"],
    );
    check(
        Condition::All(vec![clock(30), vip(&["vip"])]),
        Condition::All(vec![clock(30), department("财务")]),
        &["客户等级是 vip → 客户的部门是 财务"],
        &["客户等级 is vip → guest's department is 财务"],
    );
    check(
        Condition::All(vec![clock(30), vip(&["vip"])]),
        Condition::Any(vec![clock(30), vip(&["vip"])]),
        &["条件 改了"],
        &["the condition changed"],
    );
}

#[test]
fn what_a_name_stands_for_is_noted_once_for_all() {
    let mut shared = Shared::default();
    let (old, new) = (meets("vip", vip(&["vip"])), meets("vip", vip(&["svip"])));
    assert!(condition_edits(&old, &new, &mut shared).is_empty());
    assert_eq!(shared.conditions.keys().map(ConditionName::as_str).collect::<Vec<_>>(), ["vip"]);
    check(meets("vip", vip(&["vip"])), meets("human", vip(&["vip"])), &[], &[]);
    check(
        meets("vip", vip(&["vip"])),
        meets("human", status(&[50])),
        &["满足 vip → 满足 human"],
        &["meets vip → meets human"],
    );
}
