//! Timelines of the desk, walked by one check: what happens to tickets in, what is told out.
//!
//! A case of `tests/cases/desk/*.yaml` has a `timeline` and `expect`: every message, in order; storms are off unless
//! it has `storm`, and nobody is on call unless it has `rota` (`duty`). Between its lines the source is read every 4 minutes, and as a whole every 20; sends arrive at once
//! unless the case says otherwise (`slow` keeps those to a receiver under way until they land).

mod bench;
mod duty;
mod tended;

use std::{fs, path::Path, sync::Arc};

use bench::Bench;
use deskbell::{
    adapters::yaml::{
        duration::read_span,
        parse::parse,
        tree::{Node, NodeKind},
    },
    domain::{
        delivery::{Delivered, SendReport},
        desk::{input::Input, machine::Desk, outcome::Effect, settings::StormSettings, state::Stored},
        notice::Content,
        time::{Span, Timestamp},
    },
};

use crate::histories::{kinds, oracle, random::Random};

/// When every timeline begins: 2026-09-20 22:13:20 UTC.
const START: Timestamp = Timestamp::from_ms(1_789_942_400_000);

#[test]
fn timelines_tell_what_they_should() {
    let mut wrong = Vec::new();
    let mut cases = 0;
    let mut files: Vec<_> = fs::read_dir("tests/cases/desk").unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        for case in items(&read(&file)) {
            cases += 1;
            let name = text(&case, "name").unwrap();
            let (expected, told) = (expected(&case), walk(&case));
            if expected != told {
                let lines = |lines: &[String]| lines.iter().map(|line| format!("      - {line}\n")).collect::<String>();
                let file = file.display();
                wrong.push(format!("{file}: {name}\n  expected:\n{}  told:\n{}", lines(&expected), lines(&told)));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(cases > 15, "the cases were not found");
}

/// Walks one case and says what was told, a line each.
fn walk(case: &Node) -> Vec<String> {
    let mut bench = Bench::new(START, text(case, "catch_up").as_deref(), storm(case));
    if let Some(rota) = get(case, "rota") {
        bench.with_rota(&rota);
    }
    if let Some(line) = text(case, "fallback") {
        bench.fall_back(&line);
    }
    for line in items(&get(case, "timeline").unwrap()) {
        let at = START.plus(read_span(&text(&line, "at").unwrap()).unwrap());
        bench.advance(at);
        let NodeKind::Map(pairs) = &line.kind else { panic!("a line of a timeline is a mapping") };
        for (key, value) in pairs.iter().filter(|(key, _)| key.text != "at") {
            bench.happen(&key.text, value);
        }
    }
    bench.told(START)
}

/// `storm` of a case; storms are off where it says nothing.
fn storm(case: &Node) -> Option<StormSettings> {
    let storm = get(case, "storm")?;
    let span = |key, usual| text(&storm, key).map_or(usual, |span| read_span(&span).unwrap());
    let usual = StormSettings::default();
    Some(StormSettings {
        above: text(&storm, "above").map_or(usual.above, |above| above.parse().unwrap()),
        within: span("within", usual.within),
        calm_for: span("calm_for", usual.calm_for),
        refresh: span("refresh", usual.refresh),
    })
}

fn expected(case: &Node) -> Vec<String> {
    get(case, "expect")
        .map_or_else(Vec::new, |list| items(&list).iter().map(|item| item.text().unwrap().to_owned()).collect())
}

fn read(path: &Path) -> Node {
    let mut faults = Vec::new();
    let node = parse(&path.display().to_string(), &fs::read_to_string(path).unwrap(), &mut faults);
    assert!(faults.is_empty(), "{faults:?}");
    node.unwrap()
}

fn items(node: &Node) -> Vec<Node> {
    match &node.kind {
        NodeKind::List(items) => items.clone(),
        NodeKind::Null => Vec::new(),
        other => panic!("{}: a list is expected, not {other:?}", node.place),
    }
}

fn get(node: &Node, key: &str) -> Option<Node> {
    let NodeKind::Map(pairs) = &node.kind else { panic!("{}: a mapping is expected", node.place) };
    pairs.iter().find(|(known, _)| known.text == key).map(|(_, value)| value.clone())
}

fn text(node: &Node, key: &str) -> Option<String> {
    get(node, key).map(|value| value.text().expect("text").to_owned())
}

/// A rule in trial for a week: one card says what became of it, and nobody was told anything else.
#[test]
fn a_week_of_trial_ends_in_one_card() {
    let start = Timestamp::from_ms(1_795_000_000_000);
    let settings = oracle::settings(&mut Random::new(1));
    let (mut desk, _) = Desk::open(Stored::default(), Arc::new(kinds::rules()), settings, start);
    let mut said = Vec::new();
    for day in 0..=8 {
        let now = start.plus(Span::from_days(day));
        for effect in desk.handle(Input::Tick, now).effects {
            let Effect::Send(send) = effect else { continue };
            if let Content::Announcement(message) = &send.content {
                said.push((day, send.key.receiver.to_string(), message.clone()));
            }
            let result = Ok(Delivered::default());
            let report = SendReport { key: send.key.clone(), rev: send.rev, attempts: send.attempts, result };
            desk.handle(Input::Sent(report), now);
        }
    }
    let [(day, receiver, message)] = said.as_slice() else { panic!("{said:?}") };
    assert_eq!((*day, receiver.as_str()), (7, "ops"));
    assert!(message.zh.contains("试运行了 7 天") && message.zh.contains("mode: trial"), "{message}");
    assert!(message.en.contains("in trial for 7 days"), "{message}");
}
