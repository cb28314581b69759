//! Conditions: mappings turned into `domain::condition`, every name resolved.

use std::sync::Arc;

use crate::{
    adapters::{
        rulebook::{
            ground::Ground,
            keys::pace_of,
            named::Named,
            names::{Definition, Names},
            operand::{self, Operand},
            words::{
                self, CALENDAR, CLOCK_OPERATORS, CUSTOM_OPERATORS, NOBODY, OPERATORS, PART_OPERATORS, condition_key,
                condition_words, english,
            },
        },
        yaml::{
            map::{Map, did_you_mean, unknown_key},
            nearest::nearest,
            tree::{Key, Node, NodeKind},
        },
    },
    domain::{
        calendar::Pace,
        condition::{Bound, Clock, ClockTest, Condition, Operator, Target, Test},
        fault::{Fault, Place},
        field::{Field, Kind},
        id::SourceName,
        text::{Message, fold},
        ticket::Text,
    },
};

/// Tests of one condition, those of the conditions it names included.
pub(super) const TESTS_MAX: usize = 500;

/// Operators of a custom field that holds several values.
const MULTIPLE_OPERATORS: &[&str] = &["contains", "contains_all", "is", "exists", "empty"];

/// Operators of a custom field that holds one value.
const SINGLE_OPERATORS: &[&str] =
    &["is", "contains", "matches", "starts_with", "exists", "empty", "at_least", "at_most", "above", "below"];

/// What kind of value a test looks at, and with it which operators fit.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape<'d> {
    /// A field of the table.
    Field(&'static Field),
    /// A part of a person: text.
    Part,
    /// A custom field; its definition where one is stored.
    Custom(Option<&'d Definition>),
}

impl Shape<'_> {
    /// The operators that fit.
    pub(super) const fn operators(self) -> &'static [&'static str] {
        match self {
            Self::Part => PART_OPERATORS,
            Self::Custom(None) => CUSTOM_OPERATORS,
            Self::Custom(Some(definition)) if definition.multiple => MULTIPLE_OPERATORS,
            Self::Custom(Some(_)) => SINGLE_OPERATORS,
            Self::Field(field) => words::operators(field.kind),
        }
    }

    /// What a bare value means.
    pub(super) const fn bare_operator(self) -> Option<&'static str> {
        match self {
            Self::Part => Some("is"),
            Self::Custom(Some(definition)) if definition.multiple => Some("contains"),
            Self::Custom(_) => Some("is"),
            Self::Field(field) => words::bare_operator(field.kind),
        }
    }
}

/// Turns mappings into conditions, gathering faults.
pub(super) struct Compiler<'a> {
    pub(super) names: &'a Names,
    pub(super) named: &'a mut Named,
    pub(super) faults: &'a mut Vec<Fault>,
    /// The sources whose tickets are looked at; absent: all.
    pub(super) sources: Option<&'a [SourceName]>,
    /// How clocks are counted that do not say it themselves.
    pub(super) pace: Pace,
    pub(super) ground: Ground,
    pub(super) tests: usize,
}

impl Compiler<'_> {
    /// A compiler for another condition of the same rule.
    pub(super) fn on(&mut self, ground: Ground) -> Compiler<'_> {
        Compiler {
            names: self.names,
            named: self.named,
            faults: self.faults,
            sources: self.sources,
            pace: self.pace.clone(),
            ground,
            tests: 0,
        }
    }

    /// What the names in a condition depend on besides itself.
    pub(super) fn context(&self) -> String {
        let calendar = self.pace.calendar().map(|calendar| calendar.name().as_str());
        format!("{calendar:?} {:?}", self.sources)
    }

    /// Whether there are more tests than allowed; says so once.
    pub(super) fn is_too_large(&mut self, place: &Place) -> bool {
        if self.tests <= TESTS_MAX {
            return false;
        }
        let message = Message::new(
            format!("一个条件最多 {TESTS_MAX} 项（引用的命名条件也算）"),
            format!("a condition has at most {TESTS_MAX} tests, those of the conditions it names included"),
        );
        if !self.faults.iter().any(|fault| fault.message == message && fault.place.file == place.file) {
            self.faults.push(Fault::error(place.clone(), message));
        }
        true
    }

    /// The numbers of statuses.
    pub(super) fn statuses(node: &Node, faults: &mut Vec<Fault>) -> Option<Arc<[i64]>> {
        operand::codes(Field::find("status")?, node, faults)
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
        if let Some(name) = node.text().filter(|name| self.named.has(name.trim())) {
            let hint = Message::new(
                format!("引用命名条件要写 {{ meets: {name} }}"),
                format!("a named condition is written {{ meets: {name} }}"),
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
        if node.is_null() {
            self.faults.push(no_value(key));
            return None;
        }
        match condition_key(&key.text) {
            Some("all") => self.parts(key, node).map(Condition::All),
            Some("any") => self.parts(key, node).map(Condition::Any),
            Some("none") => self.parts(key, node).map(Condition::None),
            Some("not") => self.condition(node).map(|part| Condition::Not(Box::new(part))),
            Some("meets") => self.meets(key, node),
            Some("was") => self.was(key, node),
            Some("changed") => self.changed(key, node),
            Some("fields") => self.fields(node),
            Some("field") => self.one_field(node),
            _ => self.leaf(key, node),
        }
    }

    fn leaf(&mut self, key: &Key, node: &Node) -> Option<Condition> {
        self.tests += 1;
        if self.is_too_large(&key.place) {
            return None;
        }
        if let Some(clock) = words::clock(&key.text) {
            if let Some(message) = self.ground.refuses_clock(&key.text) {
                self.faults.push(Fault::error(key.place.clone(), message));
                return None;
            }
            return self.clock(clock, node);
        }
        let (target, shape) = if let Some(field) = Field::find(&key.text) {
            (Target::Field(field), Shape::Field(field))
        } else if let Some((field, part)) = words::part(&key.text) {
            (Target::Part(field, part), Shape::Part)
        } else {
            self.faults.push(unknown(key));
            return None;
        };
        if let Some(message) = self.ground.refuses_target(&key.text, &target) {
            self.faults.push(Fault::error(key.place.clone(), message));
            return None;
        }
        if matches!(target, Target::Field(field) if field.name == "team") && self.names.teams.is_empty() {
            self.faults.push(no_teams(key));
            return None;
        }
        self.value(&target, shape, node)
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
        let twin = |word: &str| english(OPERATORS, word).or_else(|| english(&[CALENDAR], word));
        let mut map = Map::with_twins(node, &what, twin, self.faults)?;
        let before = self.faults.len();
        let own = map.filled(CALENDAR.0).is_some();
        let pace = if own {
            pace_of(&mut map, self.names, self.faults)
        } else {
            map.get(CALENDAR.0).is_none().then(|| self.pace.clone())
        };
        let read = |pace: &Pace, map: &mut Map<'_>, faults: &mut Vec<Fault>| {
            let [at_least, under] = CLOCK_OPERATORS else { return Vec::new() };
            let at_least = map.wait(at_least, pace, faults).map(|wait| Bound::AtLeast(wait.span));
            let under = map.wait(under, pace, faults).map(|wait| Bound::Under(wait.span));
            at_least.into_iter().chain(under).collect()
        };
        // Without a known calendar only the keys are looked at.
        let bounds: Vec<Bound> = match &pace {
            Some(pace) => read(pace, &mut map, self.faults),
            None => read(&Pace::Wall, &mut map, &mut Vec::new()),
        };
        let none = CLOCK_OPERATORS.iter().all(|operator| map.get(operator).is_none());
        map.finish(&[], self.faults);
        if none && self.faults.len() == before {
            self.faults.push(node.expected(&what));
        }
        if self.faults.len() > before {
            return None;
        }
        let pace = pace?;
        let test = |bound| Condition::Clock(ClockTest { clock, bound, pace: pace.clone() });
        together(bounds.into_iter().map(test).collect())
    }

    /// A value's test: a bare value or list, or a mapping of operators.
    pub(super) fn value(&mut self, target: &Target, shape: Shape<'_>, node: &Node) -> Option<Condition> {
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

    pub(super) fn operators(
        &mut self,
        target: &Target,
        shape: Shape<'_>,
        whole: &Node,
        map: &mut Map<'_>,
    ) -> Option<Condition> {
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
                None if english(&[CALENDAR], &key.text).is_some() => {
                    let message = Message::new(
                        format!("“{}” 只能写在计时里，例如 age、in_status", key.text),
                        format!("`{}` only goes with a clock, such as age or in_status", key.text),
                    );
                    self.faults.push(Fault::error(key.place.clone(), message));
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

    fn operator(&mut self, target: &Target, shape: Shape<'_>, word: &'static str, node: &Node) -> Option<Condition> {
        let test = |operator: Operator| Condition::Test(Test { target: target.clone(), operator });
        let is_person = matches!(shape, Shape::Field(field) if field.kind == Kind::Person);
        if word != "is" || !is_person {
            let operand = Operand { word, node, names: self.names };
            return operand.read(shape, &mut self.named.patterns, self.faults).map(test);
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

fn unknown(key: &Key) -> Fault {
    let word = key.text.as_str();
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

fn no_teams(key: &Key) -> Fault {
    let message = Message::new(
        format!("配置里没有 teams，工单的 “{}” 没有值", key.text),
        format!("there is no `teams` in the configuration: `{}` has no value on any ticket", key.text),
    );
    let hint = Message::new(
        "在配置里加上 teams，例如 teams: { payment: { when: { tags: 支付 }, to: support } }",
        "add it, such as teams: { payment: { when: { tags: 支付 }, to: support } }",
    );
    Fault::error(key.place.clone(), message).with_hint(hint)
}

pub(super) fn no_value(key: &Key) -> Fault {
    let message = Message::new(format!("“{}” 后面没有写值", key.text), format!("`{}` has no value", key.text));
    let fault = Fault::error(key.place.clone(), message);
    if !key.text.contains([':', '：']) {
        return fault;
    }
    fault.with_hint(Message::new("冒号要用半角的 “:”，后面空一格", "use the half-width colon `:` followed by a space"))
}

pub(super) fn folded(text: &str) -> Text {
    Arc::from(&*fold(text))
}

/// Everything must hold; one part stands for itself.
pub(super) fn together(mut parts: Vec<Condition>) -> Option<Condition> {
    match parts.len() {
        0 => None,
        1 => parts.pop(),
        _ => Some(Condition::All(parts)),
    }
}
