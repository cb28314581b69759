//! What differs between two conditions, in words: both trees are walked side by side, and the leaf that differs is
//! named.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::domain::{
    calendar::{Pace, Wait},
    condition::{Bound, ClockTest, Condition, Operator, Target, Test},
    duration::from_to,
    id::{CalendarName, ConditionName},
    text::{Message, Words, fold},
    wording::{self, clock_test_words, operand_items, operator_words, target_words, test_words},
};

/// One thing that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What it is: `客服未回复时长至少`.
    pub what: Message,
    /// How it changed: `30m → 45m`, `改了`.
    pub how: Message,
}

impl Edit {
    /// Both from their words.
    pub fn new(what: impl Into<Message>, how: impl Into<Message>) -> Self {
        Self { what: what.into(), how: how.into() }
    }

    /// As one phrase: `客服未回复时长至少 30m → 45m`.
    pub fn text(&self) -> Message {
        let space = if self.what.zh.is_empty() || self.how.zh.is_empty() { "" } else { " " };
        Message::new(
            format!("{}{space}{}", self.what.zh, self.how.zh),
            format!("{}{space}{}", self.what.en, self.how.en),
        )
    }
}

/// What changed for several rules at once, and is said once: named conditions and calendars.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    /// Named conditions, as they were and as they are.
    pub conditions: BTreeMap<ConditionName, (Arc<Condition>, Arc<Condition>)>,
    /// Calendars whose hours or dates differ.
    pub calendars: BTreeSet<CalendarName>,
}

impl Shared {
    /// Notes a calendar that kept its name and counts other hours.
    pub fn note_pace(&mut self, old: &Pace, new: &Pace) {
        if let (Pace::Office(old), Pace::Office(new)) = (old, new)
            && old.name() == new.name()
            && old != new
        {
            self.calendars.insert(new.name().clone());
        }
    }

    /// What changed in a duration; nothing where only its calendar's hours did.
    pub fn wait(&mut self, what: Words, old: &Wait, new: &Wait) -> Option<Edit> {
        self.note_pace(&old.pace, &new.pace);
        Some(Edit::new(what, from_to((old.span, &old.pace), (new.span, &new.pace))?))
    }
}

/// What changed from one condition to another; empty where nothing did, or only what is shared.
pub fn condition_edits(old: &Condition, new: &Condition, shared: &mut Shared) -> Vec<Edit> {
    let mut walk = Walk { edits: Vec::new(), shared };
    walk.compare(old, new, false);
    walk.edits
}

struct Walk<'a> {
    edits: Vec<Edit>,
    shared: &'a mut Shared,
}

impl Walk<'_> {
    fn compare(&mut self, old: &Condition, new: &Condition, negated: bool) {
        use Condition::{All, Any, Changed, Clock, Meets, None, Not, Test, Was};
        match (old, new) {
            (All(old), All(new)) | (Any(old), Any(new)) => self.lists(old, new, negated),
            (None(old), None(new)) => self.lists(old, new, !negated),
            (Not(old), Not(new)) => self.compare(old, new, !negated),
            (Was(old), Was(new)) => self.compare(old, new, negated),
            (Meets(name, was), Meets(same, is)) if name == same => {
                if was.to_string() != is.to_string() {
                    self.shared.conditions.insert(name.clone(), (Arc::clone(was), Arc::clone(is)));
                }
            }
            (Clock(old), Clock(new)) if side(old) == side(new) => self.clock(old, new, negated),
            (Test(old), Test(new)) if old.target.to_string() == new.target.to_string() => self.test(old, new, negated),
            (All(old), new) if !is_group(new) => self.lists(old, std::slice::from_ref(new), negated),
            (old, All(new)) if !is_group(old) => self.lists(std::slice::from_ref(old), new, negated),
            (old, new) if old.to_string() == new.to_string() => {}
            (Test(_) | Clock(_) | Meets(..) | Changed(_), Test(_) | Clock(_) | Meets(..) | Changed(_)) => {
                let how = arrow(&condition_words(old), &condition_words(new));
                self.edits.push(Edit::new(prefix(negated), how));
            }
            _ => self.edits.push(Edit::new(Words { zh: "条件", en: "the condition" }, CHANGED)),
        }
    }

    /// Parts that stayed are left out; what is of one kind is compared; the rest came or went.
    fn lists(&mut self, old: &[Condition], new: &[Condition], negated: bool) {
        let mut new: Vec<(String, &Condition)> = new.iter().map(|part| (part.to_string(), part)).collect();
        let mut gone: Vec<&Condition> = Vec::new();
        for part in old {
            let text = part.to_string();
            match new.iter().position(|(same, _)| *same == text) {
                Some(at) => drop(new.remove(at)),
                None => gone.push(part),
            }
        }
        let mut pairs = Vec::new();
        gone.retain(|part| match new.iter().position(|(_, other)| kind(part) == kind(other)) {
            Some(at) => {
                pairs.push((*part, new.remove(at).1));
                false
            }
            None => true,
        });
        for (old, new) in pairs {
            self.compare(old, new, negated);
        }
        if let ([old], [(_, new)]) = (gone.as_slice(), new.as_slice())
            && !is_group(old)
            && !is_group(new)
        {
            return self.compare(old, new, negated);
        }
        for (part, how) in
            gone.into_iter().map(|part| (part, REMOVED)).chain(new.iter().map(|(_, part)| (*part, ADDED)))
        {
            let (words, not) = (condition_words(part), prefix(negated));
            let said = Message::new(format!("{}{}", not.zh, words.zh), format!("{}{}", not.en, words.en));
            self.edits.push(Edit::new(how, said));
        }
    }

    fn clock(&mut self, old: &ClockTest, new: &ClockTest, negated: bool) {
        self.shared.note_pace(&old.pace, &new.pace);
        let (clock, not) = (new.clock.words(), prefix(negated));
        let Some(how) = from_to((span(old), &old.pace), (span(new), &new.pace)) else { return };
        let bound = match new.bound {
            Bound::AtLeast(_) => Words { zh: "至少", en: "at least" },
            Bound::Under(_) => Words { zh: "不到", en: "under" },
        };
        let what = Message::new(
            format!("{}{}{}", not.zh, clock.zh, bound.zh),
            format!("{}{} {}", not.en, clock.en.replace('_', " "), bound.en),
        );
        self.edits.push(Edit { what, how });
    }

    fn test(&mut self, old: &Test, new: &Test, negated: bool) {
        if old.operator.to_string() == new.operator.to_string() {
            return;
        }
        let field = match new.target {
            Target::Field(field) => Some(field),
            Target::Part(..) | Target::Custom(_) => None,
        };
        let (target, not) = (target_words(&new.target, None), prefix(negated));
        let ((was, _), (is, _)) = (operator_words(&old.operator, field), operator_words(&new.operator, field));
        if was != is {
            let (old, new) = (test_words(old), test_words(new));
            return self.edits.push(Edit::new(not, arrow(&old, &new)));
        }
        let what =
            Message::new(format!("{}{}{}", not.zh, target.zh, is.zh), format!("{}{} {}", not.en, target.en, is.en));
        self.edits.push(Edit { what, how: operands(&old.operator, &new.operator, field) });
    }
}

const CHANGED: Words = Words { zh: "改了", en: "changed" };
const ADDED: Words = Words { zh: "加上", en: "added:" };
const REMOVED: Words = Words { zh: "去掉", en: "removed:" };

/// `待响应 → 待用户响应`; of longer lists what came and what went.
fn operands(old: &Operator, new: &Operator, field: Option<&'static crate::domain::field::Field>) -> Message {
    let (was, is) = (operand_items(old, field), operand_items(new, field));
    if let ([was], [is]) = (was.as_slice(), is.as_slice()) {
        return if was == is { CHANGED.into() } else { arrow(was, is) };
    }
    let missing = |from: &[Message], item: &Message| !from.iter().any(|other| fold(&other.zh) == fold(&item.zh));
    let came: Vec<Message> = is.iter().filter(|item| missing(&was, item)).cloned().collect();
    let went: Vec<Message> = was.iter().filter(|item| missing(&is, item)).cloned().collect();
    let mut parts = Vec::new();
    for (how, items) in [(ADDED, came), (REMOVED, went)] {
        if !items.is_empty() {
            let items = wording::several(&items);
            parts.push(Message::new(format!("{} {}", how.zh, items.zh), format!("{} {}", how.en, items.en)));
        }
    }
    match parts.as_slice() {
        [] => CHANGED.into(),
        [one] => one.clone(),
        [one, other, ..] => Message::new(format!("{}，{}", one.zh, other.zh), format!("{}, {}", one.en, other.en)),
    }
}

/// From one to the other.
pub fn arrow(old: &Message, new: &Message) -> Message {
    Message::new(format!("{} → {}", old.zh, new.zh), format!("{} → {}", old.en, new.en))
}

fn prefix(negated: bool) -> Message {
    if negated { Message::new("不能 ", "not ") } else { Message::default() }
}

/// What a condition demands, in short.
pub fn condition_words(condition: &Condition) -> Message {
    match condition {
        Condition::Test(test) => test_words(test),
        Condition::Clock(test) => clock_test_words(test),
        Condition::Meets(name, _) => Message::new(format!("满足 {name}"), format!("meets {name}")),
        Condition::Not(part) => {
            let part = condition_words(part);
            Message::new(format!("不能 {}", part.zh), format!("not {}", part.en))
        }
        Condition::Was(part) => {
            let part = condition_words(part);
            Message::new(format!("变化之前{}", part.zh), format!("before the change: {}", part.en))
        }
        Condition::Changed(targets) => {
            let words: Vec<Message> = targets.iter().map(|target| target_words(target, None)).collect();
            let words = wording::several(&words);
            Message::new(format!("{}有变化", words.zh), format!("{} changed", words.en))
        }
        Condition::All(_) | Condition::Any(_) | Condition::None(_) => Message::new("一组条件", "a group of conditions"),
    }
}

const fn is_group(condition: &Condition) -> bool {
    matches!(condition, Condition::All(_) | Condition::Any(_) | Condition::None(_))
}

const fn span(test: &ClockTest) -> crate::domain::time::Span {
    match test.bound {
        Bound::AtLeast(span) | Bound::Under(span) => span,
    }
}

const fn side(test: &ClockTest) -> (crate::domain::condition::Clock, bool) {
    (test.clock, matches!(test.bound, Bound::AtLeast(_)))
}

/// What two parts must share to be compared.
fn kind(condition: &Condition) -> String {
    match condition {
        Condition::All(_) => "all".to_string(),
        Condition::Any(_) => "any".to_string(),
        Condition::None(_) => "none".to_string(),
        Condition::Not(part) => format!("not {}", kind(part)),
        Condition::Was(part) => format!("was {}", kind(part)),
        Condition::Test(test) => format!("test {}", test.target),
        Condition::Clock(test) => format!("clock {:?}", side(test)),
        Condition::Meets(name, _) => format!("meets {name}"),
        Condition::Changed(_) => "changed".to_string(),
    }
}

#[cfg(test)]
mod tests;
