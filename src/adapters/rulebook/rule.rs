//! One rule: its keys and those it inherits, read and checked, its condition compiled.

use std::{borrow::Cow, sync::Arc};

use crate::{
    adapters::{
        rulebook::{
            check::{Places, check},
            condition::Compiler,
            count,
            file::NAME_CHARS_MAX,
            ground::Ground,
            keys::{address_of, choice_of, line_of, pace_of, severity, sources_of, wall_span_of},
            ladder,
            meaning::meaning_of,
            named::Named,
            names::Names,
            notify::{self, About, to_of},
            sla,
            words::{CATCH_UPS, COUNT_KEYS, MODES, NOT_OF_SLA, SEVERITIES, SLA_KEYS, UNTILS, Word, rule_key},
        },
        yaml::{
            map::{Map, text_of},
            tree::{Key, Node, NodeKind},
        },
    },
    domain::{
        calendar::{Calendar, Pace, Plan, Wait},
        condition::Condition,
        fault::{Fault, Gravity, Place},
        id::{CalendarName, RuleName},
        rule::{CatchUp, Mode, REFIRE_WINDOW_DEFAULT, Rule, RuleKind, Severity, TAKEN_FOR_DEFAULT, Until},
        text::Message,
    },
};

/// Names a rule may have had before.
const FORMERLY_MAX: usize = 50;

/// A rule that was read.
pub(super) struct Read {
    /// Its name.
    pub(super) name: RuleName,
    /// Where its name stands.
    pub(super) place: Place,
    /// The names it had before, and where they stand.
    pub(super) formerly: Vec<(RuleName, Place)>,
    /// The rule, if it has no faults.
    pub(super) rule: Option<Rule>,
}

/// What a rule is about, as far as its keys tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Ticket,
    Sla,
    Count,
}

impl Sort {
    fn of(node: &Node) -> Self {
        if key_of(node, "clock").is_some() {
            Self::Sla
        } else if key_of(node, "count").is_some() {
            Self::Count
        } else {
            Self::Ticket
        }
    }
}

/// Reads a rule with the defaults of its folder. Without a name nothing comes out.
pub(super) fn read_rule(
    node: &Node,
    defaults: Option<&Node>,
    names: &Names,
    named: &mut Named,
    faults: &mut Vec<Fault>,
) -> Option<Read> {
    let before = errors(faults);
    let sort = Sort::of(node);
    if let Some(fault) = of_two_sorts(node) {
        faults.push(fault);
        return None;
    }
    let merged = with_defaults(node, defaults, sort);
    let what = Message::new("一条规则（name、when、notify……）", "a rule (name, when, notify, ...)");
    let mut map = Map::with_twins(&merged, &what, rule_key, faults)?;
    let name = name_of(&mut map, faults);
    let place = map.get("name").map_or(node.place.clone(), |node| node.place.clone());
    let formerly = formerly_of(&mut map, faults);
    let sources = sources_of(&mut map, names, faults);
    let pace = rule_pace(&mut map, names, faults);
    let mut compiler =
        Compiler { names, named, faults, sources: sources.as_deref(), pace, ground: Ground::Rule, tests: 0 };
    let mut draft = common(&mut map, sort, &mut compiler);
    let when_key = if sort == Sort::Count { "count" } else { "when" };
    let when_node = map.required(when_key, compiler.faults);
    let ground = if sort == Sort::Ticket { Ground::Rule } else { Ground::Standing };
    let when = when_node.and_then(|node| compiler.on(ground).condition(node));
    let kind = kind_of(&mut map, sort, when.as_ref(), &mut draft, &mut compiler);
    refuse_others(&mut map, sort, compiler.faults);
    let until = map.filled("until").map(|node| &node.place);
    map.finish(&[], faults);
    let name = name?;
    let mut read = Read { name, place, formerly, rule: None };
    let (Some(when), Some(kind), Some(when_node)) = (when, kind, when_node) else { return Some(read) };
    draft.formerly = read.formerly.iter().map(|(name, _)| name.clone()).collect();
    let mut rule = Rule { name: read.name.clone(), sources: sources.clone(), when, kind, ..draft };
    hold_of_event(&mut rule, node, faults);
    check(&rule, &Places { when: &when_node.place, until }, names, faults);
    rule.meaning = meaning_of(&rule);
    if errors(faults) == before {
        read.rule = Some(rule);
    }
    Some(read)
}

/// Reads `defaults` alone, so that its faults are found whoever inherits.
pub(super) fn check_defaults(defaults: &Node, names: &Names, named: &mut Named, faults: &mut Vec<Fault>) {
    let what = Message::new("一组键值", "a mapping");
    let Some(mut map) = Map::with_twins(defaults, &what, rule_key, faults) else { return };
    let sources = sources_of(&mut map, names, faults);
    let pace = rule_pace(&mut map, names, faults);
    let mut compiler =
        Compiler { names, named, faults, sources: sources.as_deref(), pace, ground: Ground::Rule, tests: 0 };
    common(&mut map, Sort::Ticket, &mut compiler);
}

fn key_of<'n>(node: &'n Node, wanted: &str) -> Option<&'n Key> {
    let NodeKind::Map(entries) = &node.kind else { return None };
    entries.iter().map(|(key, _)| key).find(|key| rule_key(&key.text) == Some(wanted))
}

fn of_two_sorts(node: &Node) -> Option<Fault> {
    let (clock, count) = (key_of(node, "clock")?, key_of(node, "count")?);
    let message = Message::new(
        format!("“{}” 和 “{}” 不能写在一条规则里：一条盯每张工单的时限，一条数工单", clock.text, count.text),
        format!(
            "`{}` and `{}` cannot stand in one rule: one follows each ticket's time, the other counts tickets",
            clock.text, count.text
        ),
    );
    let hint = Message::new("拆成两条规则", "make it two rules");
    Some(Fault::error(clock.place.clone(), message).with_hint(hint))
}

fn errors(faults: &[Fault]) -> usize {
    faults.iter().filter(|fault| fault.gravity == Gravity::Error).count()
}

/// The rule with what it inherits; its own keys stand first.
fn with_defaults<'n>(node: &'n Node, defaults: Option<&Node>, sort: Sort) -> Cow<'n, Node> {
    let (NodeKind::Map(own), Some(NodeKind::Map(defaults))) = (&node.kind, defaults.map(|node| &node.kind)) else {
        return Cow::Borrowed(node);
    };
    let is_own = |word: Option<&str>| own.iter().any(|(key, _)| rule_key(&key.text) == word);
    let is_refused = |word: Option<&str>| sort == Sort::Sla && word.is_some_and(|word| NOT_OF_SLA.contains(&word));
    let inherited = defaults.iter().filter(|(key, _)| {
        let word = rule_key(&key.text);
        !(is_own(word) || is_refused(word))
    });
    let entries = own.iter().chain(inherited).cloned().collect();
    Cow::Owned(Node { place: node.place.clone(), kind: NodeKind::Map(entries) })
}

/// What any rule says, and `defaults` may say for it; the rest of the rule is left as it is made.
fn common(map: &mut Map<'_>, sort: Sort, compiler: &mut Compiler<'_>) -> Rule {
    let (names, pace) = (compiler.names, compiler.pace.clone());
    let about = match sort {
        Sort::Ticket | Sort::Sla => About::Ticket,
        Sort::Count => About::Group(is_per_team(map)),
    };
    let until = until_of(map, sort, compiler);
    let faults = &mut *compiler.faults;
    let mode = mode_of(map, about, names, faults);
    let hold = map.wait("for", &pace, faults).filter(|wait| !wait.is_none()).unwrap_or_default();
    let taken_for = map.wait("taken_for", &pace, faults).unwrap_or(Wait::wall(TAKEN_FOR_DEFAULT));
    let notify = match sort {
        Sort::Sla => Vec::new(),
        _ => map.filled("notify").map(|node| notify::lines(node, &pace, about, names, faults)).unwrap_or_default(),
    };
    let ladder = match sort {
        Sort::Sla => Vec::new(),
        _ => map.filled("escalate").map(|node| ladder::lines(node, &pace, about, names, faults)).unwrap_or_default(),
    };
    Rule {
        summary: line_of(map, "summary", faults),
        severity: choice_of(map, "severity", SEVERITIES, faults).map_or(Severity::Warning, severity),
        mode,
        catch_up: catch_up_of(map, faults),
        hold,
        keep_firing_for: map.span("keep_firing_for", faults).unwrap_or_default(),
        until: until.unwrap_or(Until::Cleared),
        expires: wall_span_of(map, "expires", faults),
        refire_window: map.span("refire_window", faults).unwrap_or(REFIRE_WINDOW_DEFAULT),
        taken_for,
        notify,
        ladder,
        fallback: to_of(map, "fallback", about, names, faults),
        advice: line_of(map, "advice", faults),
        runbook: address_of(map, "runbook", faults),
        pace,
        ..Rule::new(RuleName::new(""), Condition::All(Vec::new()))
    }
}

fn is_per_team(map: &mut Map<'_>) -> bool {
    let per = map.filled("per").and_then(Node::text).map(str::trim);
    per.and_then(crate::domain::field::Field::find).is_some_and(|field| field.name == "team")
}

fn kind_of(
    map: &mut Map<'_>,
    sort: Sort,
    when: Option<&Condition>,
    draft: &mut Rule,
    compiler: &mut Compiler<'_>,
) -> Option<RuleKind> {
    match sort {
        Sort::Ticket => {
            map.required("notify", compiler.faults);
            Some(RuleKind::Ticket)
        }
        Sort::Sla => {
            let pace = draft.pace.clone();
            let sla = sla::read(map, &pace, when, compiler);
            draft.ladder = sla::steps(map, sla.as_ref(), compiler.names, compiler.faults);
            sla.map(RuleKind::Sla)
        }
        Sort::Count => {
            map.required("notify", compiler.faults);
            let count = count::read(map, compiler)?;
            if let (false, Until::Handled, Some(clear)) = (count.clear.is_empty(), &draft.until, map.get("clear")) {
                let message = Message::new(
                    "clear 和 until: handled 只能写一个：提醒是数目够少了就结束，还是有人处理了才结束",
                    "say `clear` or `until: handled`, not both: is it over with the number, or when someone says so",
                );
                compiler.faults.push(Fault::error(clear.place.clone(), message));
            }
            Some(RuleKind::Count(count))
        }
    }
}

/// Keys that belong to another sort of rule.
fn refuse_others(map: &mut Map<'_>, sort: Sort, faults: &mut Vec<Fault>) {
    let keys = |table: &[Word]| table.iter().map(|(en, _)| *en).collect::<Vec<_>>();
    let sla = ("有 clock 的规则（SLA）", "a rule with a `clock`");
    let count = ("有 count 的规则（计数）", "a rule with `count`");
    if sort != Sort::Sla {
        belongs_to(map, &keys(SLA_KEYS), sla, faults);
    }
    if sort != Sort::Count {
        belongs_to(map, &keys(COUNT_KEYS), count, faults);
    }
    if sort == Sort::Sla {
        for key in NOT_OF_SLA {
            let Some((key, _)) = map.entry(key) else { continue };
            let message = Message::new(
                format!("有 clock 的规则没有 “{}”：通知谁写在 steps 的每一步里", key.text),
                format!("a rule with a `clock` has no `{}`: each of its `steps` says whom it tells", key.text),
            );
            let hint = Message::new("例如 steps: [{ at: 100%, to: team }]", "such as steps: [{ at: 100%, to: team }]");
            faults.push(Fault::error(key.place.clone(), message).with_hint(hint));
        }
    }
}

fn belongs_to(map: &mut Map<'_>, keys: &[&str], (zh, en): (&str, &str), faults: &mut Vec<Fault>) {
    for key in keys {
        let Some((key, _)) = map.entry(key) else { continue };
        let message = Message::new(format!("“{}” 只用于{zh}", key.text), format!("`{}` belongs to {en}", key.text));
        faults.push(Fault::error(key.place.clone(), message));
    }
}

/// An event lasts no time: what waits for it to last waits for ever. An inherited `for` is not meant for it.
fn hold_of_event(rule: &mut Rule, node: &Node, faults: &mut Vec<Fault>) {
    if rule.hold.is_none() || !rule.is_event() {
        return;
    }
    rule.hold = Wait::default();
    if let Some(key) = key_of(node, "for") {
        let message = Message::new(
            format!("was 和 changed 只说变化的那一刻，没有什么可等：“{}” 不会满", key.text),
            format!("`was` and `changed` are about the moment of a change: `{}` would wait for ever", key.text),
        );
        let hint = Message::new("删掉它，变化一发生就提醒", "take it out: the alert rings with the change");
        faults.push(Fault::error(key.place.clone(), message).with_hint(hint));
    }
}

fn name_of(map: &mut Map<'_>, faults: &mut Vec<Fault>) -> Option<RuleName> {
    let (text, place) = map.required_text("name", faults)?;
    rule_name(&text, place, faults)
}

fn rule_name(text: &str, place: Place, faults: &mut Vec<Fault>) -> Option<RuleName> {
    let name = text.trim();
    if name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        let message = Message::new(
            format!("规则名最多 {NAME_CHARS_MAX} 个字，不能有换行"),
            format!("a rule's name has at most {NAME_CHARS_MAX} characters and no line breaks"),
        );
        faults.push(Fault::error(place, message));
        return None;
    }
    Some(RuleName::new(name))
}

fn formerly_of(map: &mut Map<'_>, faults: &mut Vec<Fault>) -> Vec<(RuleName, Place)> {
    let Some(node) = map.filled("formerly") else { return Vec::new() };
    if node.one_or_many().len() > FORMERLY_MAX {
        let message = Message::new(
            format!("曾用名最多 {FORMERLY_MAX} 个"),
            format!("a rule has at most {FORMERLY_MAX} former names"),
        );
        faults.push(Fault::error(node.place.clone(), message));
    }
    let mut found = Vec::new();
    for item in node.one_or_many().iter().take(FORMERLY_MAX) {
        let Some((text, place)) = text_of(item, faults) else { continue };
        let name = rule_name(&text, place.clone(), faults);
        found.extend(name.map(|name| (name, place)));
    }
    found
}

/// The rule's calendar. One that does not exist is told once: a stand-in keeps its durations from being told too.
fn rule_pace(map: &mut Map<'_>, names: &Names, faults: &mut Vec<Fault>) -> Pace {
    let Some(written) = map.filled("calendar") else { return Pace::Wall };
    pace_of(map, names, faults).unwrap_or_else(|| {
        Pace::Office(Arc::new(Calendar::new(Plan {
            name: CalendarName::new(written.text().unwrap_or_default()),
            zone: names.zone,
            week: Default::default(),
            dates: Default::default(),
            known_through: None,
        })))
    })
}

fn catch_up_of(map: &mut Map<'_>, faults: &mut Vec<Fault>) -> Option<CatchUp> {
    match choice_of(map, "catch_up", CATCH_UPS, faults)? {
        "each" => Some(CatchUp::Each),
        "none" => Some(CatchUp::None),
        _ => Some(CatchUp::Digest),
    }
}

fn mode_of(map: &mut Map<'_>, about: About, names: &Names, faults: &mut Vec<Fault>) -> Mode {
    let trial_to = to_of(map, "trial_to", about, names, faults);
    match choice_of(map, "mode", MODES, faults) {
        Some("trial") => Mode::Trial(trial_to),
        Some("disabled") => Mode::Disabled,
        _ => Mode::Live,
    }
}

fn until_of(map: &mut Map<'_>, sort: Sort, compiler: &mut Compiler<'_>) -> Option<Until> {
    let node = map.filled("until")?;
    if let NodeKind::Map(_) = node.kind {
        if sort == Sort::Count {
            let message = Message::new(
                "计数规则的 until 不能是一个条件：数目到多少算结束，写在 clear 里",
                "`until` of a counting rule is no condition: with what number it is over stands under `clear`",
            );
            let hint = Message::new("例如 clear: { below: 6 }", "such as clear: { below: 6 }");
            compiler.faults.push(Fault::error(node.place.clone(), message).with_hint(hint));
            return None;
        }
        return compiler.on(Ground::Until).condition(node).map(Until::Holds);
    }
    match choice_of(map, "until", UNTILS, compiler.faults)? {
        "handled" => Some(Until::Handled),
        _ => Some(Until::Cleared),
    }
}
