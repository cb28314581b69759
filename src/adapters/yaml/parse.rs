//! From text to the spanned tree, within limits. Duplicate keys, tags, a second document are faults.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, Tag};

use crate::{
    adapters::yaml::tree::{Key, Node, NodeKind, Scalar},
    domain::{
        fault::{Fault, Place},
        text::Message,
    },
};

/// Bytes of a file.
pub const FILE_BYTES_MAX: usize = 1024 * 1024;
/// Values inside values.
pub const DEPTH_MAX: usize = 64;
/// Values of a file, aliases opened.
pub const NODES_MAX: usize = 100_000;
/// Faults reported for one file.
pub const FILE_FAULTS_MAX: usize = 100;

/// Reads one document. Faults are added to `faults`; without a tree the text could not be read to its end.
///
/// A duplicate key is a fault, but the tree is still given (with the first value), so that the rest can be checked.
/// An empty file is `Null`.
pub fn parse(file: &str, text: &str, faults: &mut Vec<Fault>) -> Option<Node> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder = Builder::new(file);
    let tree = if text.len() > FILE_BYTES_MAX {
        let message = Message::new(
            format!("文件有 {} 字节，最多 {FILE_BYTES_MAX} 字节；请拆成几个文件", text.len()),
            format!("the file has {} bytes, at most {FILE_BYTES_MAX}; split it", text.len()),
        );
        builder.faults.push(Fault::error(Place::file(file), message));
        None
    } else {
        builder.read(text)
    };
    faults.append(&mut builder.faults);
    tree
}

/// A collection that is still open.
enum Frame {
    List { place: Place, anchor: usize, items: Vec<Node> },
    Map { place: Place, anchor: usize, entries: Vec<(Key, Node)>, seen: BTreeMap<String, usize>, key: Option<Key> },
}

/// Marks that a Chinese keyboard types in place of those that YAML knows.
const FULL_WIDTH: [char; 10] = ['：', '，', '“', '”', '‘', '’', '［', '］', '｛', '｝'];

/// The document is beyond a limit or broken: reading stops.
struct Stop;

struct Builder {
    file: Arc<str>,
    frames: Vec<Frame>,
    root: Option<Node>,
    anchors: BTreeMap<usize, (Node, usize)>,
    open_anchors: BTreeSet<usize>,
    nodes: usize,
    documents: usize,
    faults: Vec<Fault>,
}

impl Builder {
    fn new(file: &str) -> Self {
        Self {
            file: file.into(),
            frames: Vec::new(),
            root: None,
            anchors: BTreeMap::new(),
            open_anchors: BTreeSet::new(),
            nodes: 0,
            documents: 0,
            faults: Vec::new(),
        }
    }

    fn read(&mut self, text: &str) -> Option<Node> {
        let mut parser = Parser::new_from_str(text);
        while let Some(next) = parser.next_event() {
            let step = match next {
                Ok((event, span)) => self.event(event, span),
                Err(error) => Err(self.broken(&error, text)),
            };
            if step.is_err() {
                return None;
            }
        }
        Some(self.root.take().unwrap_or_else(|| Node { place: Place::file(self.file.clone()), kind: NodeKind::Null }))
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Stop> {
        let place = self.place(span.start);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return self.stop(
                        place,
                        "一个文件里只能有一份内容，不能再用 “---” 分隔",
                        "one file holds one document: no second `---`",
                    );
                }
                Ok(())
            }
            Event::Alias(anchor) => self.alias(anchor, place),
            Event::Scalar(text, style, anchor, tag) => {
                let quoted = style != ScalarStyle::Plain || self.tag_says_text(tag.as_deref(), &place);
                let null = !quoted && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let kind = if null {
                    NodeKind::Null
                } else {
                    NodeKind::Scalar(Scalar { text: text.to_string(), quoted, expanded: false })
                };
                self.count(1, &place)?;
                self.close(Node { place, kind }, anchor, 1, Some(&text))
            }
            Event::SequenceStart(anchor, tag) => {
                self.tag_says_text(tag.as_deref(), &place);
                self.open(Frame::List { place, anchor, items: Vec::new() }, anchor)
            }
            Event::MappingStart(anchor, tag) => {
                self.tag_says_text(tag.as_deref(), &place);
                let frame = Frame::Map { place, anchor, entries: Vec::new(), seen: BTreeMap::new(), key: None };
                self.open(frame, anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end_collection(),
        }
    }

    fn open(&mut self, frame: Frame, anchor: usize) -> Result<(), Stop> {
        let place = match &frame {
            Frame::List { place, .. } | Frame::Map { place, .. } => place.clone(),
        };
        self.count(1, &place)?;
        if self.frames.len() >= DEPTH_MAX {
            let (zh, en) = (format!("嵌套超过 {DEPTH_MAX} 层"), format!("nested more than {DEPTH_MAX} deep"));
            return self.stop(place, &zh, &en);
        }
        if anchor > 0 {
            self.open_anchors.insert(anchor);
        }
        self.frames.push(frame);
        Ok(())
    }

    fn end_collection(&mut self) -> Result<(), Stop> {
        let (node, anchor) = match self.frames.pop() {
            Some(Frame::List { place, anchor, items }) => (Node { place, kind: NodeKind::List(items) }, anchor),
            Some(Frame::Map { place, anchor, entries, .. }) => (Node { place, kind: NodeKind::Map(entries) }, anchor),
            None => return Ok(()),
        };
        self.open_anchors.remove(&anchor);
        let size = if anchor > 0 { node.size() } else { 0 };
        self.close(node, anchor, size, None)
    }

    /// A value is complete: it becomes the root, an item, a key or a value. `key_text` is the text it has as a key.
    fn close(&mut self, node: Node, anchor: usize, size: usize, key_text: Option<&str>) -> Result<(), Stop> {
        if anchor > 0 {
            self.count(size, &node.place)?;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        match self.frames.last_mut() {
            None => self.root = Some(node),
            Some(Frame::List { items, .. }) => items.push(node),
            Some(Frame::Map { entries, seen, key, .. }) => match key.take() {
                None => {
                    let Some(text) = key_text.or(node.text()) else {
                        return self.stop(
                            node.place,
                            "键只能是一个词，不能是列表或一组键值",
                            "a key must be a single word",
                        );
                    };
                    *key = Some(Key { text: text.to_string(), place: node.place });
                }
                Some(key) => match seen.get(&key.text) {
                    None => {
                        seen.insert(key.text.clone(), key.place.line);
                        entries.push((key, node));
                    }
                    Some(line) => {
                        let message = Message::new(
                            format!("“{}” 写了两次，第一次在第 {line} 行", key.text),
                            format!("`{}` is written twice, first on line {line}", key.text),
                        );
                        self.fault(key.place, message)?;
                    }
                },
            },
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, place: Place) -> Result<(), Stop> {
        if self.open_anchors.contains(&anchor) {
            return self.stop(place, "这个引用（*）指向包含它自己的内容", "this alias (*) points into itself");
        }
        let Some((node, size)) = self.anchors.get(&anchor).cloned() else {
            return self.stop(place, "这个引用（*）没有对应的锚点（&）", "this alias (*) has no anchor (&)");
        };
        self.count(size, &place)?;
        if self.frames.len() + depth_of(&node) > DEPTH_MAX {
            let (zh, en) = (format!("嵌套超过 {DEPTH_MAX} 层"), format!("nested more than {DEPTH_MAX} deep"));
            return self.stop(place, &zh, &en);
        }
        self.close(Node { place, ..node }, 0, 0, None)
    }

    /// Whether the tag turns the scalar into text (`!!str`). Other tags than YAML's own are faults.
    fn tag_says_text(&mut self, tag: Option<&Tag>, place: &Place) -> bool {
        let Some(tag) = tag else { return false };
        if tag.is_yaml_core_schema() {
            return tag.suffix == "str";
        }
        let message = Message::new(format!("这里不能用标签 “{tag}”"), format!("the tag `{tag}` has no meaning here"));
        self.faults.push(Fault::error(place.clone(), message));
        false
    }

    fn count(&mut self, nodes: usize, place: &Place) -> Result<(), Stop> {
        self.nodes += nodes;
        if self.nodes <= NODES_MAX {
            return Ok(());
        }
        let zh = format!("内容太多：展开引用后超过 {NODES_MAX} 个值");
        let en = format!("too much content: more than {NODES_MAX} values with aliases opened");
        self.stop(place.clone(), &zh, &en)
    }

    fn fault(&mut self, place: Place, message: Message) -> Result<(), Stop> {
        self.faults.push(Fault::error(place, message));
        if self.faults.len() < FILE_FAULTS_MAX { Ok(()) } else { Err(Stop) }
    }

    fn stop(&mut self, place: Place, zh: &str, en: &str) -> Result<(), Stop> {
        self.faults.push(Fault::error(place, Message::new(zh, en)));
        Err(Stop)
    }

    fn broken(&mut self, error: &ScanError, text: &str) -> Stop {
        let place = self.place(*error.marker());
        // The line that is wrong is the one shown or the one before.
        let near = text.lines().skip(error.marker().line().saturating_sub(2)).take(2);
        let mut written = near.filter(|line| !line.trim_start().starts_with('#')).flat_map(str::chars);
        let full_width = written.find(|c| FULL_WIDTH.contains(c));
        let info = error.info();
        let message = Message::new(format!("YAML 写法有误（{info}）"), format!("not valid YAML: {info}"));
        let hint = if info.contains("tab") {
            Message::new("缩进请用空格，不要用 Tab", "indent with spaces, not tabs")
        } else if let Some(mark) = full_width {
            Message::new(
                format!("这一行或上一行有全角的 “{mark}”：冒号、逗号、引号、括号都要用半角的，冒号后面空一格"),
                format!(
                    "this line or the one before has a full-width `{mark}`: colons, commas, quotes and brackets must be half-width, with a space after each colon"
                ),
            )
        } else {
            Message::new(
                "看看这一行和上一行：缩进是否对齐，引号和括号是否成对，冒号后面是否有空格；含 : # [ ] { } 的文字要加引号",
                "look at this line and the one before: indentation, pairs of quotes and brackets, a space after each \
                 colon; put text with : # [ ] { } in quotes",
            )
        };
        self.faults.push(Fault::error(place, message).with_hint(hint));
        Stop
    }

    fn place(&self, marker: Marker) -> Place {
        Place { file: self.file.clone(), line: marker.line(), column: marker.col() + 1 }
    }
}

fn depth_of(node: &Node) -> usize {
    match &node.kind {
        NodeKind::Null | NodeKind::Scalar(_) => 0,
        NodeKind::List(items) => 1 + items.iter().map(depth_of).max().unwrap_or(0),
        NodeKind::Map(entries) => 1 + entries.iter().map(|(_, value)| depth_of(value)).max().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The tree as one line: scalars as they are, quoted ones in quotes, each with its place.
    fn show(node: &Node) -> String {
        let at = format!("@{}:{}", node.place.line, node.place.column);
        match &node.kind {
            NodeKind::Null => format!("null{at}"),
            NodeKind::Scalar(scalar) if scalar.quoted => format!("{:?}{at}", scalar.text),
            NodeKind::Scalar(scalar) => format!("{}{at}", scalar.text),
            NodeKind::List(items) => format!("[{}]{at}", items.iter().map(show).collect::<Vec<_>>().join(", ")),
            NodeKind::Map(entries) => {
                let entry = |(key, value): &(Key, Node)| {
                    format!("{}@{}:{}={}", key.text, key.place.line, key.place.column, show(value))
                };
                format!("{{{}}}{at}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
            }
        }
    }

    fn check(text: &str, expected: &str) {
        let mut faults = Vec::new();
        let tree = parse("t.yaml", text, &mut faults);
        let mut shown: Vec<String> = tree.iter().map(show).collect();
        shown.extend(faults.iter().map(|fault| format!("! {}: {}", fault.place, fault.message.en)));
        assert_eq!(shown.join("\n"), expected, "{text}");
    }

    #[test]
    fn every_value_has_its_place_and_stays_as_written() {
        check("", "null@0:0");
        check("# only a comment\n", "null@0:0");
        check("a: on\nb:\n  - 015\n  - 1.0\n", "{a@1:1=on@1:4, b@2:1=[015@3:5, 1.0@4:5]@3:3}@1:1");
        check("状态: \"待 用户\"\n", "{状态@1:1=\"待 用户\"@1:5}@1:1");
        check("x: {y: yes, no: ~}\nz:\n", "{x@1:1={y@1:5=yes@1:8, no@1:13=null@1:17}@1:4, z@2:1=null@2:2}@1:1");
        check("\u{feff}a: !!str 1\r\nb: |\r\n  x\r\n", "{a@1:1=\"1\"@1:4, b@2:1=\"x\\n\"@3:3}@1:1");
        check("null: 1", "{null@1:1=1@1:7}@1:1");
    }

    #[test]
    fn faults_name_their_place() {
        check(
            "a: 1\nb: 2\na: 3\n",
            "{a@1:1=1@1:4, b@2:1=2@2:4}@1:1\n! t.yaml:3:1: `a` is written twice, first on line 1",
        );
        check("a: 1\n---\nb: 2\n", "! t.yaml:2:1: one file holds one document: no second `---`");
        check("a: !secret x\n", "{a@1:1=x@1:4}@1:1\n! t.yaml:1:4: the tag `!secret` has no meaning here");
        check("? [a]\n: b\n", "! t.yaml:1:3: a key must be a single word");
        check("a: &x [*x]\n", "! t.yaml:1:8: this alias (*) points into itself");
        let mut faults = Vec::new();
        assert!(parse("t.yaml", "a:\n\t- b\n", &mut faults).is_none());
        assert!(faults[0].hint.as_ref().unwrap().en.contains("tabs"), "{faults:?}");
    }

    #[test]
    fn aliases_open_within_limits() {
        check("a: &x [1]\nb: *x\n", "{a@1:1=[1@1:8]@1:4, b@2:1=[1@1:8]@2:4}@1:1");
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for level in 1..9 {
            let before = format!("*a{}", level - 1);
            bomb.push_str(&format!("a{level}: &a{level} [{}]\n", vec![before; 9].join(", ")));
        }
        let mut faults = Vec::new();
        assert!(parse("t.yaml", &bomb, &mut faults).is_none());
        assert!(faults[0].message.en.contains("too much content"), "{faults:?}");
    }

    #[test]
    fn depth_and_size_are_bounded() {
        for deep in ["[".repeat(DEPTH_MAX + 1), "- ".repeat(DEPTH_MAX + 1), "{a: ".repeat(DEPTH_MAX + 1)] {
            let mut faults = Vec::new();
            assert!(parse("t.yaml", &deep, &mut faults).is_none());
            assert!(faults[0].message.en.contains("nested more than"), "{faults:?}");
        }
        let mut faults = Vec::new();
        assert!(parse("t.yaml", &"#".repeat(FILE_BYTES_MAX + 1), &mut faults).is_none());
        assert_eq!(faults[0].place.to_string(), "t.yaml");
    }

    proptest! {
        #[test]
        fn any_text_gives_a_tree_or_a_fault(text in "([a-z:\\-\\[\\]{}&*!|>'\"%@`#?, \n\t~]|：|\\PC){0,60}") {
            let mut faults = Vec::new();
            let tree = parse("t.yaml", &text, &mut faults);
            prop_assert!(tree.is_some() || !faults.is_empty());
        }
    }
}
