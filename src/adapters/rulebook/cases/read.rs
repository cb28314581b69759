//! From the text of a `*.test.yaml` to its cases; every fault is gathered.

use std::collections::BTreeMap;

use crate::{
    adapters::{
        rulebook::{
            cases::{
                case::Case,
                expected::{Expectations, read_rule, suggest},
                ground::Ground,
                instant::Dial,
                moment::Timeline,
                words::CASE_KEYS,
            },
            words::english,
        },
        yaml::{
            map::{Map, text_of},
            parse::parse,
            tree::{Node, NodeKind},
        },
    },
    domain::{
        fault::{Fault, Place},
        id::{RuleName, SourceName},
        replay::script::Script,
        text::Message,
        time::{Span, Timestamp, Zone},
    },
};

/// Cases of one file.
pub const CASES_MAX: usize = 1_000;

/// How long a case that expects nothing goes on after the last line of its timeline.
pub const QUIET_FOR: Span = Span::from_days(30);

/// The longest a case may last.
pub const CASE_MAX: Span = Span::from_days(400);

/// Reads the cases of one file. With a fault of `Gravity::Error` they are not to be played.
pub fn read_cases(file: &str, text: &str, ground: &Ground, faults: &mut Vec<Fault>) -> Vec<Case> {
    let Some(node) = parse(file, text, faults) else { return Vec::new() };
    let NodeKind::List(items) = &node.kind else {
        faults.push(node.expected(&Message::new(
            "一列用例，每个以 “- name: …” 开头",
            "a list of cases, each beginning with `- name: …`",
        )));
        return Vec::new();
    };
    if items.len() > CASES_MAX {
        let message = Message::new(
            format!("一个文件最多 {CASES_MAX} 个用例，请拆开"),
            format!("a file holds at most {CASES_MAX} cases: split it"),
        );
        faults.push(Fault::error(node.place.clone(), message));
        return Vec::new();
    }
    let mut places: BTreeMap<String, Place> = BTreeMap::new();
    items.iter().filter_map(|item| read_case(item, ground, &mut places, faults)).collect()
}

fn read_case(
    node: &Node,
    ground: &Ground,
    places: &mut BTreeMap<String, Place>,
    faults: &mut Vec<Fault>,
) -> Option<Case> {
    let what = Message::new("一个用例", "a case");
    let mut map = Map::with_twins(node, &what, |word| english(CASE_KEYS, word), faults)?;
    let (name, place) = map.required_text("name", faults)?;
    if let Some(first) = places.get(&name) {
        let message = Message::new(
            format!("第 {} 行的用例也叫 “{name}”", first.line),
            format!("the case on line {} is called `{name}` too", first.line),
        );
        faults.push(Fault::error(place.clone(), message));
    }
    places.entry(name.clone()).or_insert_with(|| place.clone());
    let written = map.filled("rule").map(Node::one_or_many).unwrap_or_default();
    let rules: Vec<RuleName> = written.iter().filter_map(|item| read_rule(item, ground, faults)).collect();
    let source = read_source(&mut map, ground, &rules, faults);
    let zone = read_zone(&mut map, faults).unwrap_or(ground.zone);
    let timeline = map.required("timeline", faults);
    let (expect, none) = (map.get("expect"), map.flag("none", faults).unwrap_or_default());
    let until = map.filled("until");
    map.finish(&[], faults);

    let source = source?;
    let mut line = Timeline::new(zone, source.clone(), ground.labels_of(&source));
    line.read(timeline?, faults);
    let (start, last) = (line.start?, line.last?);
    let dial = line.dial();
    let wanted = expect.filter(|node| !node.is_null());
    let expected = wanted.map(|node| Expectations { dial, ground, faults }.read(node)).unwrap_or_default();
    check_expected(&place, expect.is_some(), none, expected.is_empty(), faults);
    let written = expected.iter().map(|line| through(line.at, line.within)).max();
    let end = match until {
        Some(node) => read_end(node, dial, expected.iter().map(|line| line.at).max().max(Some(last)), faults)?,
        None => written.unwrap_or(last.plus(QUIET_FOR)).max(last),
    };
    if end.since(start) > CASE_MAX {
        let days = CASE_MAX.as_secs() / 86_400;
        let message = Message::new(format!("一个用例最长 {days} 天"), format!("a case lasts {days} days at most"));
        faults.push(Fault::error(place.clone(), message));
        return None;
    }
    let script = Script { start, end, sights: line.sights };
    Some(Case { name, place, rules, zone, script, expected })
}

/// The last instant that still belongs to what was written.
fn through(at: Timestamp, within: Span) -> Timestamp {
    at.plus(within).minus(Span::from_ms(1))
}

fn read_source(map: &mut Map<'_>, ground: &Ground, rules: &[RuleName], faults: &mut Vec<Fault>) -> Option<SourceName> {
    let Some((name, place)) = map.text("source", faults) else {
        let source = ground.source_for(rules).cloned();
        if source.is_none() {
            let message = Message::new("配置里没有来源", "the configuration has no source");
            faults.push(Fault::error(map.place().clone(), message));
        }
        return source;
    };
    let source = SourceName::from(name.trim());
    if ground.sources.contains_key(&source) {
        return Some(source);
    }
    let message = Message::new(format!("没有来源 “{name}”"), format!("there is no source `{name}`"));
    let known = ground.sources.keys().map(SourceName::as_str).collect();
    faults.push(suggest(Fault::error(place, message), &name, known));
    None
}

fn read_zone(map: &mut Map<'_>, faults: &mut Vec<Fault>) -> Option<Zone> {
    let node = map.filled("timezone")?;
    let (name, _) = text_of(node, faults)?;
    let zone = name.trim().parse().ok().map(Zone);
    if zone.is_none() {
        let what = Message::new("时区的名字，例如 Asia/Shanghai", "the name of a time zone, such as Asia/Shanghai");
        faults.push(node.expected(&what));
    }
    zone
}

fn check_expected(place: &Place, written: bool, none: bool, nothing: bool, faults: &mut Vec<Fault>) {
    if none && !nothing {
        let message = Message::new(
            "none: true 说的是不提醒，却又写了期望的通知",
            "none: true says that nothing is sent, and yet `expect` names notices",
        );
        faults.push(Fault::error(place.clone(), message));
    } else if !written && !none {
        let message = Message::new("这个用例没有说期望什么", "this case does not say what it expects");
        let hint = Message::new(
            "写 expect: [{ at: …, to: … }]；不该提醒的写 none: true",
            "write expect: [{ at: …, to: … }], or none: true where nothing may be sent",
        );
        faults.push(Fault::error(place.clone(), message).with_hint(hint));
    }
}

/// The end of a case that says so itself; not before the last thing that is written.
fn read_end(node: &Node, dial: Dial, last: Option<Timestamp>, faults: &mut Vec<Fault>) -> Option<Timestamp> {
    let until = dial.read(node, faults)?;
    let end = through(until.at, until.within);
    if last.is_some_and(|last| last > end) {
        let message = Message::new(
            "until 比时间线或期望的最后一行还早：那之后的不会跑",
            "`until` is earlier than the last line of the timeline or of `expect`: what comes after it is not played",
        );
        faults.push(Fault::error(node.place.clone(), message));
        return None;
    }
    Some(end)
}
