//! Named conditions: what `meets` means. Cycles are found before anything is compiled.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    adapters::{
        rulebook::{
            condition::Compiler,
            ground::Ground,
            patterns::Patterns,
            words::{COMBINERS, clock, english},
        },
        yaml::{
            map::{did_you_mean, text_of},
            nearest::nearest,
            tree::{Key, Node, NodeKind},
        },
    },
    domain::{
        condition::Condition,
        fault::{Fault, Place},
        id::ConditionName,
        text::{Message, fold},
    },
};

/// Named conditions of one folder.
pub(super) const CONDITIONS_MAX: usize = 500;
/// How deep named conditions may name each other.
pub(super) const CHAIN_MAX: usize = 16;

/// The named conditions of a folder, and what became of them.
#[derive(Debug, Default)]
pub(super) struct Named {
    written: BTreeMap<String, (Place, Arc<Node>)>,
    /// Those in a cycle, and those that reach one.
    broken: BTreeSet<String>,
    /// By name and by what the names in them mean.
    compiled: BTreeMap<(String, String), Option<Compiled>>,
    used: BTreeSet<String>,
    /// The regular expressions of the folder.
    pub(super) patterns: Patterns,
}

#[derive(Clone, Debug)]
struct Compiled {
    condition: Arc<Condition>,
    tests: usize,
}

/// The named conditions of a folder as they are written, for conditions that people write elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Conditions(Arc<Named>);

impl Conditions {
    pub(super) fn new(named: Named) -> Self {
        Self(Arc::new(named))
    }

    /// The same, to be compiled.
    pub(super) fn named(&self) -> Named {
        self.0.as_written()
    }
}

impl Named {
    /// Adds the entries of one file's `conditions:`.
    pub(super) fn add(&mut self, key: &Key, node: &Node, faults: &mut Vec<Fault>) {
        let name = key.text.trim();
        if let Some((first, _)) = self.written.get(name) {
            let message = Message::new(
                format!("命名条件 “{name}” 已经写在 {first}"),
                format!("the condition `{name}` is already defined at {first}"),
            );
            let hint = Message::new("换一个名字，或删掉一处", "choose another name, or take one of them out");
            faults.push(Fault::error(key.place.clone(), message).with_hint(hint));
        } else if self.written.len() < CONDITIONS_MAX {
            self.written.insert(name.to_string(), (key.place.clone(), Arc::new(node.clone())));
        } else {
            let message = Message::new(
                format!("命名条件最多 {CONDITIONS_MAX} 个"),
                format!("there are at most {CONDITIONS_MAX} named conditions"),
            );
            faults.push(Fault::error(key.place.clone(), message));
        }
    }

    /// Finds the conditions that name themselves, directly or through others, and chains that are too deep.
    pub(super) fn find_cycles(&mut self, faults: &mut Vec<Fault>) {
        let names: Vec<String> = self.written.keys().cloned().collect();
        let mut depths = BTreeMap::new();
        for name in names {
            self.follow(&name, &mut Vec::new(), &mut depths, faults);
        }
    }

    /// How deep the conditions behind a name reach.
    fn follow(
        &mut self,
        name: &str,
        path: &mut Vec<String>,
        depths: &mut BTreeMap<String, usize>,
        faults: &mut Vec<Fault>,
    ) -> usize {
        if let Some(depth) = depths.get(name) {
            return *depth;
        }
        let Some((_, node)) = self.written.get(name) else { return 0 };
        let mut named = Vec::new();
        meets_in(node, &mut named);
        path.push(name.to_string());
        let mut depth = 1;
        for (other, place) in named {
            let cycle = path.iter().position(|earlier| *earlier == other);
            let below = match cycle {
                None if path.len() < CHAIN_MAX => self.follow(&other, path, depths, faults),
                _ => 0,
            };
            if let Some(at) = cycle {
                faults.push(circle(path.iter().skip(at), &other, place));
            } else if path.len() >= CHAIN_MAX || below >= CHAIN_MAX {
                faults.push(too_deep(place));
            } else if !self.broken.contains(&other) {
                depth = depth.max(below + 1);
                continue;
            }
            self.broken.extend(path.iter().cloned());
        }
        path.pop();
        depths.insert(name.to_string(), depth);
        depth
    }

    /// The same conditions, not compiled yet.
    pub(super) fn as_written(&self) -> Self {
        Self { written: self.written.clone(), broken: self.broken.clone(), ..Self::default() }
    }

    /// Calls `check` with each condition that nobody used and that is in no cycle.
    pub(super) fn check_unused(mut self, mut check: impl FnMut(&mut Self, &Node)) {
        let is_unused = |name: &String| !self.used.contains(name) && !self.broken.contains(name);
        let unused: Vec<Arc<Node>> =
            self.written.iter().filter(|(name, _)| is_unused(name)).map(|(_, (_, node))| Arc::clone(node)).collect();
        for node in unused {
            check(&mut self, &node);
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.written.keys().map(String::as_str)
    }

    /// The condition of a name; what people type in chat comes folded.
    fn called(&self, name: &str, ground: Ground) -> Option<(&str, &(Place, Arc<Node>))> {
        let exact = self.written.get_key_value(name);
        let folded = || self.written.iter().find(|(known, _)| ground == Ground::Hush && fold(known) == fold(name));
        exact.or_else(folded).map(|(name, written)| (name.as_str(), written))
    }

    /// Whether a clock is written in it, or in what it names, that many names deep.
    fn has_clock(&self, node: &Node, deep: usize) -> bool {
        match &node.kind {
            NodeKind::Map(entries) => entries.iter().any(|(key, value)| {
                let named = || match (english(COMBINERS, &key.text), value.text()) {
                    (Some("meets"), Some(name)) if deep > 0 => self.written.get(name.trim()),
                    _ => None,
                };
                clock(&key.text).is_some()
                    || self.has_clock(value, deep)
                    || named().is_some_and(|(_, meant)| self.has_clock(meant, deep - 1))
            }),
            NodeKind::List(items) => items.iter().any(|item| self.has_clock(item, deep)),
            NodeKind::Null | NodeKind::Scalar(_) => false,
        }
    }

    /// Whether there is a condition of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.written.contains_key(name)
    }
}

fn circle<'n>(path: impl Iterator<Item = &'n String>, back: &'n str, place: Place) -> Fault {
    let chain: Vec<&str> = path.map(String::as_str).chain([back]).collect();
    let message = Message::new(
        format!("命名条件绕成一圈：{}", chain.join(" → ")),
        format!("named conditions go round in a circle: {}", chain.join(" → ")),
    );
    Fault::error(place, message)
}

fn too_deep(place: Place) -> Fault {
    let message = Message::new(
        format!("命名条件互相引用超过 {CHAIN_MAX} 层"),
        format!("named conditions name each other more than {CHAIN_MAX} deep"),
    );
    Fault::error(place, message)
}

/// The names behind every `meets` of a condition.
fn meets_in(node: &Node, found: &mut Vec<(String, Place)>) {
    match &node.kind {
        NodeKind::Map(entries) => {
            for (key, value) in entries {
                match (english(COMBINERS, &key.text), value.text()) {
                    (Some("meets"), Some(name)) => found.push((name.trim().to_string(), value.place.clone())),
                    _ => meets_in(value, found),
                }
            }
        }
        NodeKind::List(items) => items.iter().for_each(|item| meets_in(item, found)),
        NodeKind::Null | NodeKind::Scalar(_) => {}
    }
}

impl Compiler<'_> {
    /// `meets: <name>`.
    pub(super) fn meets(&mut self, key: &Key, node: &Node) -> Option<Condition> {
        if let NodeKind::List(_) = node.kind {
            let what = Message::new("一个命名条件的名字", "the name of a condition");
            let hint = Message::new(
                "几个条件写在 all: 或 any: 下面，每行一个 “- meets: 名字”",
                "put several under `all:` or `any:`, each as `- meets: <name>`",
            );
            self.faults.push(node.expected(&what).with_hint(hint));
            return None;
        }
        if let Some(message) = self.ground.refuses_names(&key.text) {
            let hint = Message::new("把条件本身写在这里", "write the condition itself here");
            self.faults.push(Fault::error(key.place.clone(), message).with_hint(hint));
            return None;
        }
        let (name, place) = text_of(node, self.faults)?;
        let name = name.trim();
        let Some((name, (_, written))) = self.named.called(name, self.ground) else {
            let fault = self.no_condition(name, place);
            self.faults.push(fault);
            return None;
        };
        let name = name.to_owned();
        let name = name.as_str();
        let written = Arc::clone(written);
        // Before the clock's own faults: which calendar it would be counted on nobody knows here.
        if let Some(message) = self.ground.refuses_clock(name).filter(|_| self.named.has_clock(&written, CHAIN_MAX)) {
            self.faults.push(Fault::error(place, message));
            return None;
        }
        self.named.used.insert(name.to_string());
        if self.named.broken.contains(name) {
            return None; // said already
        }
        let meant = self.named_condition(name, &written)?;
        self.tests += meant.tests;
        if self.is_too_large(&place) {
            return None;
        }
        if let Some(message) = self.ground.refuses_named(name, &meant.condition) {
            self.faults.push(Fault::error(place, message));
            return None;
        }
        Some(Condition::Meets(ConditionName::new(name), meant.condition))
    }

    fn named_condition(&mut self, name: &str, node: &Node) -> Option<Compiled> {
        let key = (name.to_string(), self.context());
        if let Some(known) = self.named.compiled.get(&key) {
            return known.clone();
        }
        let mut inner = self.on(Ground::Rule);
        let condition = inner.condition(node);
        let tests = inner.tests.max(1);
        let found = condition.map(|condition| Compiled { condition: Arc::new(condition), tests });
        self.named.compiled.insert(key, found.clone());
        found
    }

    fn no_condition(&self, name: &str, place: Place) -> Fault {
        let message = Message::new(format!("没有命名条件 “{name}”"), format!("there is no condition `{name}`"));
        let fault = Fault::error(place, message);
        if let Some(meant) = nearest(name, self.named.names()) {
            return fault.with_hint(did_you_mean(meant));
        }
        let listed: Vec<&str> = self.named.names().take(10).collect();
        fault.with_hint(if listed.is_empty() {
            Message::new(
                "先在某个规则文件里写 conditions:，例如 conditions: { vip: { tags: VIP } }",
                "define it in a rule file, such as conditions: { vip: { tags: VIP } }",
            )
        } else {
            Message::new(format!("已有：{}", listed.join("、")), format!("there are: {}", listed.join(", ")))
        })
    }
}
