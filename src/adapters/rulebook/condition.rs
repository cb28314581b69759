//! Conditions: mappings turned into `domain::condition`, every name resolved.

use std::sync::Arc;

use crate::{
    adapters::{
        rulebook::{
            names::{Definition, Names},
            operand::{self, Operand},
            words::{self, NOBODY, OPERATORS, SELECTORS, condition_key, condition_words, english},
        },
        yaml::{
            map::{Map, did_you_mean, not_built_yet, unknown_key},
            nearest::nearest,
            tree::{Key, Node, NodeKind},
        },
    },
    domain::{
        calendar::Pace,
        condition::{Bound, Clock, ClockTest, Condition, CustomSelector, Operator, Target, Test},
        fault::Fault,
        field::{Field, Kind},
        text::{Message, fold},
    },
};

const CONDITIONS_NOT_BUILT: &[&str] = &[
    "meets",
    "was",
    "changed",
    "reopened_count",
    "queue_time",
    "unanswered_for",
    "first_response",
    "resolution",
    "service_time",
    "guest_message",
    "agent_message",
    "first_guest_message",
    "last_guest_message",
    "subject",
    "priority",
    "team",
];

/// Tests of one condition.
pub(super) const TESTS_MAX: usize = 500;

/// What kind of value a test looks at, and with it which operators fit.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape<'a> {
    /// A field of the table.
    Field(&'static Field),
    /// A part of a person: text.
    Part,
    /// A custom field; its definition where one is stored.
    Custom(Option<&'a Definition>),
}

/// Turns mappings into conditions, gathering faults.
pub(super) struct Compiler<'a> {
    pub(super) names: &'a Names,
    /// Custom fields against which names and options are checked.
    pub(super) definitions: Option<&'a [Definition]>,
    pub(super) faults: &'a mut Vec<Fault>,
    tests: usize,
}

impl<'a> Compiler<'a> {
    pub(super) fn new(names: &'a Names, faults: &'a mut Vec<Fault>) -> Self {
        Self { names, definitions: names.fields.as_deref(), faults, tests: 0 }
    }

    /// Compiles without looking at definitions: what was written, whatever the vendor calls it today.
    pub(super) fn as_written(names: &'a Names, faults: &'a mut Vec<Fault>) -> Self {
        Self { names, definitions: None, faults, tests: 0 }
    }

    /// A condition: a mapping in which everything must hold. `None` means that faults were added.
    pub(super) fn condition(&mut self, node: &Node) -> Option<Condition> {
        let what = Message::new("一个条件，例如 { status: open }", "a condition such as { status: open }");
        if let NodeKind::List(_) = node.kind {
            let hint = Message::new(
                "几个条件要写在 all:（全部满足）或 any:（任一满足）下面",
                "put several conditions under `all:` or `any:`",
            );
            self.faults.push(node.expected(&what).with_hint(hint));
            return None;
        }
        let mut map = Map::with_twins(node, &what, condition_key, self.faults)?;
        let entries = map.rest();
        if entries.is_empty() {
            let message = Message::new("条件是空的", "the condition is empty");
            self.faults.push(Fault::error(node.place.clone(), message));
        }
        let parts = entries.iter().map(|(key, value)| self.entry(key, value)).collect::<Vec<_>>();
        together(parts.into_iter().collect::<Option<Vec<_>>>()?)
    }

    fn entry(&mut self, key: &Key, node: &Node) -> Option<Condition> {
        if node.is_null() && !CONDITIONS_NOT_BUILT.contains(&key.text.as_str()) {
            self.faults.push(no_value(key));
            return None;
        }
        match condition_key(&key.text) {
            Some("all") => self.parts(key, node).map(Condition::All),
            Some("any") => self.parts(key, node).map(Condition::Any),
            Some("none") => self.parts(key, node).map(Condition::None),
            Some("not") => self.condition(node).map(|part| Condition::Not(Box::new(part))),
            Some("fields") => self.fields(node),
            Some("field") => self.one_field(node),
            _ => self.leaf(key, node),
        }
    }

    fn leaf(&mut self, key: &Key, node: &Node) -> Option<Condition> {
        self.tests += 1;
        if self.tests > TESTS_MAX {
            if self.tests == TESTS_MAX + 1 {
                let message = Message::new(
                    format!("一个条件最多 {TESTS_MAX} 项"),
                    format!("a condition has at most {TESTS_MAX} tests"),
                );
                self.faults.push(Fault::error(key.place.clone(), message));
            }
            return None;
        }
        if let Some(clock) = words::clock(&key.text) {
            return self.clock(clock, node);
        }
        if let Some(field) = Field::find(&key.text) {
            return self.value(&Target::Field(field), Shape::Field(field), node);
        }
        if let Some((field, part)) = words::part(&key.text).filter(|(field, _)| field.kind == Kind::Person) {
            return self.value(&Target::Part(field, part), Shape::Part, node);
        }
        self.faults.push(self.unknown(key));
        None
    }

    fn unknown(&self, key: &Key) -> Fault {
        let word = key.text.as_str();
        if CONDITIONS_NOT_BUILT.contains(&word) {
            return not_built_yet(word, &key.place);
        }
        if english(OPERATORS, word).is_some() {
            let message = Message::new(
                format!("“{word}” 前面要先写是哪个字段，例如 状态: {{ {word}: … }}"),
                format!("`{word}` needs the field it tests around it, such as status: {{ {word}: … }}"),
            );
            return Fault::error(key.place.clone(), message);
        }
        let message = Message::new(format!("没有字段 “{word}”"), format!("there is no field `{word}`"));
        let fault = Fault::error(key.place.clone(), message);
        fault.with_hint(match nearest(word, condition_words()) {
            Some(meant) => did_you_mean(meant),
            None => Message::new(
                format!("自定义字段写成 fields: {{ {word}: … }}"),
                format!("a custom field is written fields: {{ {word}: … }}"),
            ),
        })
    }

    fn parts(&mut self, key: &Key, node: &Node) -> Option<Vec<Condition>> {
        let items = match &node.kind {
            NodeKind::List(items) if !items.is_empty() => items,
            _ => {
                let what = Message::new(
                    format!("条件的列表（“{}” 下面每行一个 “- ”）", key.text),
                    format!("a list of conditions (lines with `- ` under `{}`)", key.text),
                );
                self.faults.push(node.expected(&what));
                return None;
            }
        };
        let parts: Vec<Option<Condition>> = items.iter().map(|item| self.condition(item)).collect();
        parts.into_iter().collect()
    }

    fn clock(&mut self, clock: Clock, node: &Node) -> Option<Condition> {
        let what = Message::new(
            format!("时长的要求，例如 {}: {{ at_least: 2h }}", clock.name()),
            format!("a demand such as {}: {{ at_least: 2h }}", clock.name()),
        );
        let mut map = Map::with_twins(node, &what, |word| english(OPERATORS, word), self.faults)?;
        let at_least = map.span("at_least", self.faults).map(Bound::AtLeast);
        let under = map.span("under", self.faults).map(Bound::Under);
        let none = map.get("at_least").is_none() && map.get("under").is_none();
        let before = self.faults.len();
        map.finish(&["calendar"], self.faults);
        if none && self.faults.len() == before {
            self.faults.push(node.expected(&what));
        }
        let bounds: Vec<Bound> = at_least.into_iter().chain(under).collect();
        together(
            bounds.into_iter().map(|bound| Condition::Clock(ClockTest { clock, bound, pace: Pace::Wall })).collect(),
        )
    }

    /// `fields: {name: value}`: several custom fields, each by name or key.
    fn fields(&mut self, node: &Node) -> Option<Condition> {
        let what =
            Message::new("自定义字段和值，例如 { 优先级: P0 }", "custom fields and values, such as { 优先级: P0 }");
        let mut map = Map::of(node, &what, self.faults)?;
        let entries = map.rest();
        if entries.is_empty() {
            self.faults.push(node.expected(&what));
        }
        let mut parts = Vec::new();
        for (key, value) in entries {
            self.tests += 1;
            let selector = CustomSelector::Any(folded(&key.text));
            parts.push(self.custom(selector, key, value));
        }
        together(parts.into_iter().collect::<Option<Vec<_>>>()?)
    }

    /// `field: {name|key|id: X, <operators>}`: one custom field.
    fn one_field(&mut self, node: &Node) -> Option<Condition> {
        let what = Message::new(
            "一个自定义字段，例如 { key: priority, is: P0 }",
            "one custom field, such as { key: priority, is: P0 }",
        );
        let twin = |word: &str| english(SELECTORS, word).or_else(|| english(OPERATORS, word));
        let mut map = Map::with_twins(node, &what, twin, self.faults)?;
        let mut selected = Vec::new();
        for (word, make) in [
            ("name", CustomSelector::Name as fn(Arc<str>) -> CustomSelector),
            ("key", CustomSelector::Key),
            ("id", CustomSelector::Id),
        ] {
            if let Some((key, value)) = map.entry(word)
                && let Some(text) = value.text()
            {
                selected.push((make(folded(text)), Key { text: text.to_string(), place: key.place.clone() }));
            }
        }
        let Some((selector, key)) = selected.pop().filter(|_| selected.is_empty()) else {
            let hint = Message::new("name、key、id 里写一个", "say one of name, key and id");
            self.faults.push(node.expected(&what).with_hint(hint));
            return None;
        };
        self.tests += 1;
        let target = Target::Custom(selector);
        let Target::Custom(selector) = &target else { return None };
        let definition = self.definition(selector, &key)?;
        self.operators(&target, Shape::Custom(definition), node, &mut map)
    }

    fn custom(&mut self, selector: CustomSelector, key: &Key, node: &Node) -> Option<Condition> {
        let definition = self.definition(&selector, key)?;
        if node.is_null() {
            self.faults.push(no_value(key));
            return None;
        }
        self.value(&Target::Custom(selector), Shape::Custom(definition), node)
    }

    /// A value's test: a bare value or list, or a mapping of operators.
    fn value(&mut self, target: &Target, shape: Shape<'a>, node: &Node) -> Option<Condition> {
        if !matches!(node.kind, NodeKind::Map(_)) {
            let Some(operator) = shape.bare_operator() else {
                let allowed = shape.operators();
                let hint = Message::new(
                    format!("可以用：{}", allowed.join("、")),
                    format!("use one of: {}", allowed.join(", ")),
                );
                let what = Message::new("一个要求，例如 { exists: true }", "a demand such as { exists: true }");
                self.faults.push(node.expected(&what).with_hint(hint));
                return None;
            };
            return self.operator(target, shape, operator, node);
        }
        let what = Message::new("一组要求", "a mapping of demands");
        let mut map = Map::with_twins(node, &what, |word| english(OPERATORS, word), self.faults)?;
        self.operators(target, shape, node, &mut map)
    }

    fn operators(&mut self, target: &Target, shape: Shape<'a>, whole: &Node, map: &mut Map<'_>) -> Option<Condition> {
        let entries = map.rest();
        if entries.is_empty() {
            let message = Message::new(
                "这里还缺一个要求，例如 is、contains、exists",
                "a demand is missing here, such as is, contains, exists",
            );
            self.faults.push(Fault::error(whole.place.clone(), message));
        }
        let mut parts = Vec::new();
        for (key, node) in entries {
            let allowed = shape.operators();
            let word = english(OPERATORS, &key.text);
            parts.push(match word.filter(|word| allowed.contains(word)) {
                Some(word) => self.operator(target, shape, word, node),
                None if word.is_some() => {
                    let message = Message::new(
                        format!("“{}” 不能用在这个字段上", key.text),
                        format!("`{}` does not fit this field", key.text),
                    );
                    let hint = Message::new(
                        format!("可以用：{}", allowed.join("、")),
                        format!("use one of: {}", allowed.join(", ")),
                    );
                    self.faults.push(Fault::error(key.place.clone(), message).with_hint(hint));
                    None
                }
                None if key.text == "calendar" => {
                    self.faults.push(not_built_yet(&key.text, &key.place));
                    None
                }
                None => {
                    self.faults.push(unknown_key(key, allowed.iter().copied(), allowed.iter().copied()));
                    None
                }
            });
        }
        together(parts.into_iter().collect::<Option<Vec<_>>>()?)
    }

    fn operator(&mut self, target: &Target, shape: Shape<'a>, word: &'static str, node: &Node) -> Option<Condition> {
        let test = |operator: Operator| Condition::Test(Test { target: target.clone(), operator });
        let is_person = matches!(shape, Shape::Field(field) if field.kind == Kind::Person);
        if word != "is" || !is_person {
            return Operand { word, node, names: self.names }.read(shape, self.faults).map(test);
        }
        let (nobody, somebody): (Vec<&Node>, Vec<&Node>) = node.one_or_many().iter().partition(|item| {
            item.scalar().is_some_and(|scalar| !scalar.quoted && NOBODY.contains(&scalar.text.as_str()))
        });
        let none = test(Operator::Exists(false));
        if somebody.is_empty() && !nobody.is_empty() {
            return Some(none);
        }
        let names = operand::texts(somebody, &node.place, self.faults)?;
        let is = test(Operator::PersonIs(names));
        Some(if nobody.is_empty() { is } else { Condition::Any(vec![none, is]) })
    }
}

fn no_value(key: &Key) -> Fault {
    let message = Message::new(format!("“{}” 后面没有写值", key.text), format!("`{}` has no value", key.text));
    let fault = Fault::error(key.place.clone(), message);
    if !key.text.contains([':', '：']) {
        return fault;
    }
    fault.with_hint(Message::new("冒号要用半角的 “:”，后面空一格", "use the half-width colon `:` followed by a space"))
}

fn folded(text: &str) -> Arc<str> {
    Arc::from(&*fold(text))
}

/// Everything must hold; one part stands for itself.
fn together(mut parts: Vec<Condition>) -> Option<Condition> {
    match parts.len() {
        0 => None,
        1 => parts.pop(),
        _ => Some(Condition::All(parts)),
    }
}
