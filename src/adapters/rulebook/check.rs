//! What a rule says as a whole: conditions that can never hold, alerts that would never end, fields nobody configured.

use crate::{
    adapters::rulebook::{contradiction::contradicts_itself, names::Names},
    domain::{
        condition::{Condition, Target},
        fault::{Fault, Place},
        field::Field,
        rule::{Rule, RuleKind, Until},
        text::Message,
    },
};

/// Fields that a source sets once and never takes back, after closing: a condition on them never clears by itself.
const FINAL_FIELDS: &[&str] = &["score", "dissatisfaction_reason"];

/// Where the parts of a rule stand that are looked at together.
pub(super) struct Places<'a> {
    /// The condition.
    pub(super) when: &'a Place,
    /// `until`, where it is written.
    pub(super) until: Option<&'a Place>,
}

/// Checks a rule as a whole.
pub(super) fn check(rule: &Rule, places: &Places<'_>, names: &Names, faults: &mut Vec<Fault>) {
    can_hold(&rule.when, places.when, faults);
    if let (Until::Holds(condition), Some(place)) = (&rule.until, places.until) {
        can_hold(condition, place, faults);
    }
    if rule.is_event() && rule.when.needs_messages() {
        let message = Message::new(
            "was、changed 只在变化的那一刻判断，那时这次的消息还没有读到：不能和消息写在一条规则里",
            "`was` and `changed` are judged at the moment of a change, before its messages are read: they cannot stand beside messages",
        );
        let hint = Message::new("拆成两条规则", "make two rules of it");
        faults.push(Fault::error(places.when.clone(), message).with_hint(hint));
    }
    if places.until.is_none() || (rule.is_event() && matches!(rule.until, Until::Cleared)) {
        says_until(rule, places.when, faults);
    }
    are_configured(rule, places.when, names, faults);
}

/// A condition that contradicts itself is a fault.
fn can_hold(condition: &Condition, place: &Place, faults: &mut Vec<Fault>) {
    let found = contradicts_itself(condition).or_else(|| contradictory_was(condition));
    if let Some(what) = found {
        let message = Message::new(
            format!("这个条件永远不会成立：对“{}”的要求互相矛盾", what.zh),
            format!("this condition can never hold: what it demands of `{}` contradicts itself", what.en),
        );
        faults.push(Fault::error(place.clone(), message));
    }
}

fn contradictory_was(condition: &Condition) -> Option<Message> {
    match condition {
        Condition::Was(was) => contradicts_itself(was),
        _ => condition.parts().iter().find_map(contradictory_was),
    }
}

/// A condition that would not clear by itself asks for `until`.
fn says_until(rule: &Rule, place: &Place, faults: &mut Vec<Fault>) {
    let handled =
        Message::new("写 until: handled（有人处理了才算结束）", "write until: handled (over when someone says so)");
    if let RuleKind::Count(count) = &rule.kind {
        if let Some(field) = final_field(&rule.when).filter(|_| count.within.is_none()) {
            let message = Message::new(
                format!("“{}” 给出后不再改变，数目只会变大；请写明只数多久以内的", field.zh),
                format!("`{}` never changes once it is given: the count would only grow", field.name),
            );
            let hint = Message::new("例如 within: 1d", "say within what time, such as within: 1d");
            faults.push(Fault::error(place.clone(), message).with_hint(hint));
        }
        return;
    }
    if rule.is_event() {
        let message = Message::new(
            "was 和 changed 只说变化的那一刻，提醒不会自己结束；请写明 until",
            "`was` and `changed` are about the moment of a change, so the alert would not end by itself: say `until`",
        );
        faults.push(Fault::error(place.clone(), message).with_hint(handled));
    } else if let Some(field) = final_field(&rule.when) {
        let message = Message::new(
            format!("“{}” 给出后不再改变，提醒不会自己结束；请写明 until", field.zh),
            format!(
                "`{}` never changes once it is given, so the alert would not end by itself: say `until`",
                field.name
            ),
        );
        faults.push(Fault::error(place.clone(), message).with_hint(handled));
    }
}

fn final_field(condition: &Condition) -> Option<&'static Field> {
    match condition {
        Condition::Was(_) => None,
        Condition::Test(test) => match test.target {
            Target::Field(field) if FINAL_FIELDS.contains(&field.name) => Some(field),
            _ => None,
        },
        _ => condition.parts().iter().find_map(final_field),
    }
}

/// `subject` and `priority` have a value only where the source says where they stand.
fn are_configured(rule: &Rule, place: &Place, names: &Names, faults: &mut Vec<Fault>) {
    for (name, sources) in [("subject", &names.subjects), ("priority", &names.priorities)] {
        let looks = |condition: &Condition| match condition {
            Condition::Test(test) => matches!(test.target, Target::Field(field) if field.name == name),
            Condition::Changed(targets) => {
                targets.iter().any(|target| matches!(target, Target::Field(field) if field.name == name))
            }
            _ => false,
        };
        let watched = |source: &String| match &rule.sources {
            Some(watched) => watched.iter().any(|name| name.as_str() == source),
            None => true,
        };
        if rule.conditions().any(|condition| condition.any(&looks)) && !sources.iter().any(watched) {
            let message = Message::new(
                format!("这条规则看的来源都没有写 {name}，它没有值"),
                format!("no source that this rule watches says where `{name}` stands: it has no value"),
            );
            let hint = Message::new(
                format!("在配置的来源里写上，例如 {name}: \"field:字段名\""),
                format!("say it in the source's configuration, such as {name}: \"field:<name>\""),
            );
            faults.push(Fault::warning(place.clone(), message).with_hint(hint));
        }
    }
}
