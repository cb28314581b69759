//! What a case expects, line by line.

use crate::{
    adapters::{
        rulebook::{
            cases::{
                case::{Expected, Notice, Wanted},
                ground::Ground,
                instant::Dial,
                words::{ENDS, EXPECT_KEYS, STEPS, end_reason, step},
            },
            words::{SEVERITIES, TO_WORDS, Word, english},
        },
        yaml::{
            map::{Map, did_you_mean, text_of},
            nearest::nearest,
            tree::Node,
        },
    },
    domain::{
        fault::{Fault, Place},
        id::{RuleName, TicketId},
        notice::Step,
        receiver::PersonId,
        rule::Severity,
        text::Message,
    },
};

/// Lines of what one case expects.
pub(super) const EXPECTED_MAX: usize = 1_000;

/// Texts looked for on one card.
const TEXTS_MAX: usize = 50;

/// Repeats a rule can send.
const REPEATS_MAX: i64 = 10_000;

/// Reads what a case expects.
pub(super) struct Expectations<'a> {
    pub(super) dial: Dial,
    pub(super) ground: &'a Ground,
    pub(super) faults: &'a mut Vec<Fault>,
}

impl Expectations<'_> {
    /// One line after the other; a single mapping counts as a list of itself.
    pub(super) fn read(&mut self, node: &Node) -> Vec<Expected> {
        let lines = node.one_or_many();
        if lines.len() > EXPECTED_MAX {
            let message = Message::new(
                format!("期望最多 {EXPECTED_MAX} 行"),
                format!("at most {EXPECTED_MAX} lines of `expect`"),
            );
            self.faults.push(Fault::error(node.place.clone(), message));
            return Vec::new();
        }
        lines.iter().filter_map(|line| self.line(line)).collect()
    }

    fn line(&mut self, node: &Node) -> Option<Expected> {
        let what = Message::new("期望的一行，例如 { at: +15m, to: team }", "a line such as { at: +15m, to: team }");
        let mut map = Map::with_twins(node, &what, |word| english(EXPECT_KEYS, word), self.faults)?;
        let at = map.required("at", self.faults).and_then(|node| self.dial.read(node, self.faults));
        let rule = map.filled("rule").and_then(|node| read_rule(node, self.ground, self.faults));
        let ticket = map.text("id", self.faults).map(|(id, _)| TicketId::new(id.trim()));
        let ended = map.entry("ended").map(|(key, node)| (&key.place, self.word(node, ENDS).and_then(end_reason)));
        let (notice, written) = self.notice(&mut map);
        map.finish(&[], self.faults);
        let what = match ended {
            None => Wanted::Notice(notice),
            Some((place, _)) if written => {
                self.faults.push(alone(place));
                return None;
            }
            Some((_, reason)) => Wanted::End(reason?),
        };
        let at = at?;
        Some(Expected { place: node.place.clone(), at: at.at, within: at.within, rule, ticket, what })
    }

    /// What is said of the notice, and whether anything is.
    fn notice(&mut self, map: &mut Map<'_>) -> (Notice, bool) {
        let to = map.filled("to").and_then(|node| self.receiver(node));
        let step = map.filled("step").and_then(|node| self.word(node, STEPS)).and_then(step);
        let repeat = map.integer("repeat", 1..=REPEATS_MAX, self.faults).and_then(|count| u32::try_from(count).ok());
        let severity = map.filled("severity").and_then(|node| self.word(node, SEVERITIES)).map(|word| match word {
            "info" => Severity::Info,
            "critical" => Severity::Critical,
            _ => Severity::Warning,
        });
        let title = map.filled("title").map(|node| self.texts(node)).unwrap_or_default();
        let card = map.filled("card").map(|node| self.texts(node)).unwrap_or_default();
        let written = to.is_some()
            || step.is_some()
            || repeat.is_some()
            || severity.is_some()
            || !title.is_empty()
            || !card.is_empty();
        let step = step.or(repeat.map(|_| Step::Repeated));
        (Notice { to, step, repeat, severity, title, card }, written)
    }

    fn receiver(&mut self, node: &Node) -> Option<String> {
        let (word, place) = text_of(node, self.faults)?;
        let word = word.trim();
        if let Some(known) = english(TO_WORDS, word) {
            return Some(known.to_string());
        }
        if self.ground.receivers.contains(word) || PersonId::of(word).is_some() {
            return Some(word.to_string());
        }
        let message = Message::new(format!("没有接收方 “{word}”"), format!("there is no receiver `{word}`"));
        let known =
            self.ground.receivers.iter().map(String::as_str).chain(TO_WORDS.iter().flat_map(|(en, zh)| [*en, *zh]));
        self.faults.push(suggest(Fault::error(place, message), word, known.collect()));
        None
    }

    fn word(&mut self, node: &Node, table: &[Word]) -> Option<&'static str> {
        let (word, place) = text_of(node, self.faults)?;
        let found = english(table, word.trim());
        if found.is_none() {
            let message = Message::new(format!("这里不能写 “{word}”"), format!("`{word}` cannot stand here"));
            let words = table.iter().flat_map(|(en, zh)| [*en, *zh]).collect();
            self.faults.push(suggest(Fault::error(place, message), &word, words));
        }
        found
    }

    fn texts(&mut self, node: &Node) -> Vec<String> {
        let items = node.one_or_many().iter().take(TEXTS_MAX);
        items.filter_map(|item| text_of(item, self.faults)).map(|(text, _)| text).collect()
    }
}

/// The name of a rule of the folder.
pub(super) fn read_rule(node: &Node, ground: &Ground, faults: &mut Vec<Fault>) -> Option<RuleName> {
    let (word, place) = text_of(node, faults)?;
    let name = RuleName::from(word.trim());
    if ground.rules.contains_key(&name) {
        return Some(name);
    }
    let message = Message::new(format!("没有规则 “{word}”"), format!("there is no rule `{word}`"));
    let known = ground.rules.keys().map(RuleName::as_str).collect();
    faults.push(suggest(Fault::error(place, message), &word, known));
    None
}

/// The fault with the word that was meant, or all there are.
pub(super) fn suggest(fault: Fault, word: &str, known: Vec<&str>) -> Fault {
    match nearest(word, known.iter().copied()) {
        Some(meant) => fault.with_hint(did_you_mean(meant)),
        None if known.is_empty() => fault,
        None => fault.with_hint(Message::new(
            format!("可以写：{}", known.join("、")),
            format!("here may stand: {}", known.join(", ")),
        )),
    }
}

fn alone(place: &Place) -> Fault {
    let message = Message::new(
        "ended 说的是提醒结束，不是一次通知：旁边只能写 at、rule、id",
        "`ended` is about an alert's end, not about a notice: beside it stand only at, rule and id",
    );
    Fault::error(place.clone(), message)
}
