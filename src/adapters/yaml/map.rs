//! Reads one mapping key by key: gathers faults, and at the end names what nobody asked for.

use std::collections::BTreeMap;

use crate::{
    adapters::yaml::{
        duration::Written,
        nearest::nearest,
        tree::{Key, Node, NodeKind},
    },
    domain::{
        calendar::{Pace, Wait},
        fault::{Fault, Place},
        text::Message,
        time::Span,
    },
};

/// Unknown keys of one mapping that are named; the rest is counted.
const UNKNOWN_NAMED_MAX: usize = 20;

/// A mapping that is being read. Call [`Map::finish`] last.
#[derive(Debug)]
pub struct Map<'a> {
    place: &'a Place,
    entries: Vec<Entry<'a>>,
    known: Vec<String>,
}

#[derive(Debug)]
struct Entry<'a> {
    /// The key's own name, or the English twin of what was written.
    name: &'a str,
    key: &'a Key,
    node: &'a Node,
    taken: bool,
}

impl<'a> Map<'a> {
    /// Begins to read a mapping; anything else is a fault that says `what` was expected.
    pub fn of(node: &'a Node, what: &Message, faults: &mut Vec<Fault>) -> Option<Self> {
        Self::with_twins(node, what, |_| None, faults)
    }

    /// The same for a language in which keys have twins: `twin` gives the English key for another one.
    pub fn with_twins(
        node: &'a Node,
        what: &Message,
        twin: impl Fn(&str) -> Option<&'static str>,
        faults: &mut Vec<Fault>,
    ) -> Option<Self> {
        let NodeKind::Map(written) = &node.kind else {
            faults.push(node.expected(what));
            return None;
        };
        let mut entries: Vec<Entry<'a>> = Vec::with_capacity(written.len());
        let mut firsts: BTreeMap<&str, &Key> = BTreeMap::new();
        for (key, node) in written {
            let name: &'a str = twin(&key.text).unwrap_or(&key.text);
            if let Some(first) = firsts.get(name) {
                let message = Message::new(
                    format!("“{}” 和第 {} 行的 “{}” 是同一个键", key.text, first.place.line, first.text),
                    format!("`{}` is the same key as `{}` on line {}", key.text, first.text, first.place.line),
                );
                faults.push(Fault::error(key.place.clone(), message));
            } else {
                firsts.insert(name, key);
                entries.push(Entry { name, key, node, taken: false });
            }
        }
        Some(Self { place: &node.place, entries, known: Vec::new() })
    }

    /// Where the mapping begins.
    pub fn place(&self) -> &'a Place {
        self.place
    }

    /// The value of a key, marked as known and taken. A key without a value gives a null node.
    pub fn get(&mut self, key: &str) -> Option<&'a Node> {
        self.entry(key).map(|(_, node)| node)
    }

    /// The key as written and its value.
    pub fn entry(&mut self, key: &str) -> Option<(&'a Key, &'a Node)> {
        if !self.known.iter().any(|known| known == key) {
            self.known.push(key.to_string());
        }
        let entry = self.entries.iter_mut().find(|entry| entry.name == key)?;
        entry.taken = true;
        Some((entry.key, entry.node))
    }

    /// The value of a key, unless it is null.
    pub fn filled(&mut self, key: &str) -> Option<&'a Node> {
        self.get(key).filter(|node| !node.is_null())
    }

    /// The value of a key that must be there.
    pub fn required(&mut self, key: &str, faults: &mut Vec<Fault>) -> Option<&'a Node> {
        if let Some(node) = self.filled(key) {
            return Some(node);
        }
        let place = self.get(key).map_or(self.place, |node| &node.place);
        let message = Message::new(format!("缺少 “{key}”"), format!("`{key}` is missing"));
        faults.push(Fault::error(place.clone(), message));
        None
    }

    /// Every entry nobody asked for so far, taken now: for mappings whose keys are names.
    pub fn rest(&mut self) -> Vec<(&'a Key, &'a Node)> {
        let rest = self.entries.iter_mut().filter(|entry| !entry.taken);
        rest.map(|entry| {
            entry.taken = true;
            (entry.key, entry.node)
        })
        .collect()
    }

    /// Text that may be absent, with its place.
    pub fn text(&mut self, key: &str, faults: &mut Vec<Fault>) -> Option<(String, Place)> {
        self.filled(key).and_then(|node| text_of(node, faults))
    }

    /// Text that must be there and not blank, with its place.
    pub fn required_text(&mut self, key: &str, faults: &mut Vec<Fault>) -> Option<(String, Place)> {
        let (text, place) = self.required(key, faults).and_then(|node| text_of(node, faults))?;
        if text.trim().is_empty() {
            let message = Message::new(format!("“{key}” 不能为空"), format!("`{key}` must not be empty"));
            faults.push(Fault::error(place, message));
            return None;
        }
        Some((text, place))
    }

    /// A switch that may be absent: `true` or `false`.
    pub fn flag(&mut self, key: &str, faults: &mut Vec<Fault>) -> Option<bool> {
        let node = self.filled(key)?;
        match node.text() {
            Some("true" | "True" | "TRUE" | "yes" | "on" | "是") => Some(true),
            Some("false" | "False" | "FALSE" | "no" | "off" | "否") => Some(false),
            _ => {
                faults.push(node.expected(&Message::new(" true 或 false", "true or false")));
                None
            }
        }
    }

    /// A whole number that may be absent, within `range`.
    pub fn integer(&mut self, key: &str, range: std::ops::RangeInclusive<i64>, faults: &mut Vec<Fault>) -> Option<i64> {
        let node = self.filled(key)?;
        let number = node.text().and_then(|text| text.parse().ok()).filter(|number| range.contains(number));
        if number.is_none() {
            faults.push(node.expected(&Message::new(
                format!(" {} 到 {} 的整数", range.start(), range.end()),
                format!("a whole number from {} to {}", range.start(), range.end()),
            )));
        }
        number
    }

    /// A duration of wall time that may be absent.
    pub fn span(&mut self, key: &str, faults: &mut Vec<Fault>) -> Option<Span> {
        self.filled(key).and_then(|node| span_of(node, faults))
    }

    /// A duration counted at `pace` that may be absent.
    pub fn wait(&mut self, key: &str, pace: &Pace, faults: &mut Vec<Fault>) -> Option<Wait> {
        self.filled(key).and_then(|node| wait_of(node, pace, faults))
    }

    /// The items of a list that may be absent.
    pub fn list(&mut self, key: &str, faults: &mut Vec<Fault>) -> Option<&'a [Node]> {
        let node = self.filled(key)?;
        if let NodeKind::List(items) = &node.kind {
            return Some(items);
        }
        faults.push(
            node.expected(&Message::new("一个列表（[a, b] 或每行一个 “- ”）", "a list ([a, b] or lines with `- `)")),
        );
        None
    }

    /// A mapping inside this one that may be absent.
    pub fn map(&mut self, key: &str, faults: &mut Vec<Fault>) -> Option<Map<'a>> {
        let node = self.filled(key)?;
        Map::of(node, &Message::new(format!("“{key}” 的一组键值"), format!("a mapping for `{key}`")), faults)
    }

    /// Ends the reading: a key of `not_built` is refused as "not built yet", any other left over as unknown.
    pub fn finish(self, not_built: &[&str], faults: &mut Vec<Fault>) {
        let left: Vec<&Entry<'_>> = self.entries.iter().filter(|entry| !entry.taken).collect();
        if let Some(entry) = left.get(UNKNOWN_NAMED_MAX) {
            let more = left.len() - UNKNOWN_NAMED_MAX;
            let message = Message::new(
                format!("从这里起还有 {more} 个键不认识"),
                format!("from here on {more} more keys are unknown"),
            );
            faults.push(Fault::error(entry.key.place.clone(), message));
        }
        for entry in left.into_iter().take(UNKNOWN_NAMED_MAX) {
            if not_built.contains(&entry.name) {
                faults.push(not_built_yet(&entry.key.text, &entry.key.place));
            } else {
                let known = self.known.iter().map(String::as_str);
                faults.push(unknown_key(entry.key, known.clone().chain(not_built.iter().copied()), known));
            }
        }
    }
}

/// The fault for what the language has and this version has not.
pub fn not_built_yet(what: &str, place: &Place) -> Fault {
    let message = Message::new(
        format!("“{what}” 还没有做出来，请先删掉这一处"),
        format!("`{what}` is not built yet: take it out for now"),
    );
    Fault::error(place.clone(), message)
}

/// The fault for a key that does not exist: `candidates` may be suggested, `listed` are shown when none is near.
pub fn unknown_key<'c>(
    key: &Key,
    candidates: impl IntoIterator<Item = &'c str>,
    listed: impl IntoIterator<Item = &'c str>,
) -> Fault {
    let message = Message::new(format!("没有 “{}” 这个键", key.text), format!("there is no key `{}` here", key.text));
    let fault = Fault::error(key.place.clone(), message);
    if let Some(meant) = nearest(&key.text, candidates) {
        return fault.with_hint(did_you_mean(meant));
    }
    let listed: Vec<&str> = listed.into_iter().collect();
    if listed.is_empty() {
        return fault;
    }
    let hint =
        Message::new(format!("这里可以写：{}", listed.join("、")), format!("here may stand: {}", listed.join(", ")));
    fault.with_hint(hint)
}

/// "Did you mean …?"
pub fn did_you_mean(meant: &str) -> Message {
    Message::new(format!("是不是想写 “{meant}”？"), format!("did you mean `{meant}`?"))
}

/// The text of a scalar; anything else is a fault.
pub fn text_of(node: &Node, faults: &mut Vec<Fault>) -> Option<(String, Place)> {
    let text = node.text();
    if text.is_none() {
        faults.push(node.expected(&Message::new("一段文字", "text")));
    }
    text.map(|text| (text.to_string(), node.place.clone()))
}

/// The duration of wall time a scalar holds; anything else is a fault.
pub fn span_of(node: &Node, faults: &mut Vec<Fault>) -> Option<Span> {
    duration_of(node, Written::wall_span, faults)
}

/// The duration a scalar holds, counted at `pace`; anything else is a fault.
pub fn wait_of(node: &Node, pace: &Pace, faults: &mut Vec<Fault>) -> Option<Wait> {
    duration_of(node, |written| written.wait(pace), faults)
}

fn duration_of<T>(node: &Node, resolve: impl Fn(&Written) -> Result<T, Message>, faults: &mut Vec<Fault>) -> Option<T> {
    let Some(scalar) = node.scalar() else {
        faults.push(node.expected(&Message::new("时长（30s、15m、2h、3d）", "a duration (30s, 15m, 2h, 3d)")));
        return None;
    };
    let read = |text: &str| Written::read(text).and_then(|written| resolve(&written));
    // What came out of the environment may be a secret: it is never shown.
    let found = read(&scalar.text).map_err(|shown| match read("${…}") {
        Err(hidden) if scalar.expanded => hidden,
        _ => shown,
    });
    found.map_err(|message| faults.push(Fault::error(node.place.clone(), message))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::yaml::parse::parse;

    fn faults_of(text: &str, read: impl Fn(&mut Map<'_>, &mut Vec<Fault>)) -> String {
        let mut faults = Vec::new();
        let node = parse("t.yaml", text, &mut faults).unwrap();
        if let Some(mut map) = Map::of(&node, &Message::new("一份配置", "a configuration"), &mut faults) {
            read(&mut map, &mut faults);
            map.finish(&["escalate"], &mut faults);
        }
        let line = |fault: &Fault| {
            let hint = fault.hint.as_ref().map(|hint| format!(" ({})", hint.en)).unwrap_or_default();
            format!("{}:{}: {}{hint}", fault.place.line, fault.place.column, fault.message.en)
        };
        faults.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn values_are_read_and_every_fault_is_gathered() {
        let text = "name: a\nopen: yes\ncount: 3\nwait: 2m\nnone:\nlist: [x, y]\n";
        let faults = faults_of(text, |map, faults| {
            assert_eq!(map.required_text("name", faults).unwrap().0, "a");
            assert_eq!(map.flag("open", faults), Some(true));
            assert_eq!(map.integer("count", 1..=5, faults), Some(3));
            assert_eq!(map.span("wait", faults), Some(Span::from_mins(2)));
            assert_eq!(map.text("none", faults), None);
            assert_eq!(map.list("list", faults).unwrap().len(), 2);
        });
        assert_eq!(faults, "");

        let text = "nmae: a\nopen: maybe\ncount: 30\nwait: 2\nlist: x\nescalate: []\nzzz: 1\n";
        let faults = faults_of(text, |map, faults| {
            map.required_text("name", faults);
            map.flag("open", faults);
            map.integer("count", 1..=5, faults);
            map.span("wait", faults);
            map.list("list", faults);
        });
        assert_eq!(
            faults,
            "1:1: `name` is missing\n\
             2:7: expected true or false, found `maybe`\n\
             3:8: expected a whole number from 1 to 5, found `30`\n\
             4:7: `2` has no unit: write 2s, 2m, 2h or 2d\n\
             5:7: expected a list ([a, b] or lines with `- `), found `x`\n\
             1:1: there is no key `nmae` here (did you mean `name`?)\n\
             6:1: `escalate` is not built yet: take it out for now\n\
             7:1: there is no key `zzz` here (here may stand: name, open, count, wait, list)"
        );
    }

    #[test]
    fn endless_keys_are_counted() {
        let text: String = (0..50).map(|number| format!("k{number}: 1\n")).collect();
        let faults = faults_of(&text, |_, _| {});
        assert_eq!(faults.lines().count(), UNKNOWN_NAMED_MAX + 1);
        assert!(faults.starts_with("21:1: from here on 30 more keys are unknown"), "{faults}");
    }

    #[test]
    fn a_colon_that_is_none_is_explained() {
        let full_width = faults_of("name：a", |_, _| {});
        assert!(full_width.contains("half-width colon"), "{full_width}");
        let no_space = faults_of("name:a", |_, _| {});
        assert!(no_space.contains("put a space after the colon"), "{no_space}");
    }

    #[test]
    fn twins_are_the_same_key() {
        let mut faults = Vec::new();
        let node = parse("t.yaml", "名称: a\nname: b\n", &mut faults).unwrap();
        let what = Message::new("一条规则", "a rule");
        let twin = |word: &str| (word == "名称").then_some("name");
        let mut map = Map::with_twins(&node, &what, twin, &mut faults).unwrap();
        assert_eq!(map.text("name", &mut faults).unwrap().0, "a");
        map.finish(&[], &mut faults);
        assert_eq!(faults[0].message.en, "`name` is the same key as `名称` on line 1");
        assert_eq!(faults.len(), 1);
    }
}
