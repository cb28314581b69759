//! One rule: its keys read and checked, its condition compiled.

use std::{collections::BTreeSet, sync::Arc};

use xxhash_rust::xxh3::xxh3_64;

use crate::{
    adapters::{
        rulebook::{
            condition::Compiler,
            contradiction::contradicts_itself,
            names::Names,
            words::{CATCH_UPS, NOTIFY_KEYS, SEVERITIES, UNTILS, Word, english, rule_key},
        },
        yaml::{
            map::{Map, did_you_mean, not_built_yet, span_of, text_of},
            nearest::nearest,
            tree::{Node, NodeKind},
        },
    },
    domain::{
        calendar::Wait,
        condition::{Condition, Target},
        fault::{Fault, Place},
        field::Field,
        id::{ReceiverName, RuleName, SourceName, TemplateName},
        rule::{CatchUp, Notify, REPEAT_MAX_DEFAULT, Rule, Severity, To, Until},
        text::Message,
        time::Span,
    },
};

/// Characters of a rule's name.
pub(super) const NAME_CHARS_MAX: usize = 80;
/// Characters of a rule's summary or advice.
pub(super) const TEXT_CHARS_MAX: usize = 1_000;
/// Lines of `notify`.
pub(super) const NOTIFY_MAX: usize = 20;
/// Waits of one `repeat`.
pub(super) const REPEATS_MAX: usize = 20;
/// The most a `repeat_max` may say.
pub(super) const REPEAT_MAX_MAX: i64 = 1_000;
/// The shortest wait before a repeat.
pub(super) const REPEAT_MIN: Span = Span::from_mins(1);

/// Fields that a source sets once and never takes back: a condition on them never clears by itself.
const FINAL_FIELDS: &[&str] = &["score", "dissatisfaction_reason"];

const RULE_NOT_BUILT: &[&str] = &[
    "rules",
    "defaults",
    "conditions",
    "mode",
    "trial_to",
    "formerly",
    "calendar",
    "keep_firing_for",
    "refire_window",
    "taken_for",
    "escalate",
    "fallback",
    "runbook",
    "clock",
    "pause_in",
    "target",
    "steps",
    "count",
    "per",
    "within",
    "clear",
];

const NOTIFY_NOT_BUILT: &[&str] = &["mention", "urgent", "calendar"];

const RECEIVERS_NOT_BUILT: &[&str] = &["team", "team.lead", "team.oncall", "owner"];

/// Reads a file's one bare rule. Without a rule only its name is known. A rule with faults may come out too: the
/// caller looks at `faults`.
pub(super) fn read_rule(
    node: &Node,
    names: &Names,
    faults: &mut Vec<Fault>,
) -> Option<(RuleName, Place, Option<Rule>)> {
    let what = Message::new("一条规则（name、when、notify……）", "a rule (name, when, notify, ...)");
    let mut map = Map::with_twins(node, &what, rule_key, faults)?;
    if let Some(whole) = whole_file(&mut map) {
        faults.extend(whole);
        return None;
    }
    let name = name_of(&mut map, faults);
    let summary = line_of(&mut map, "summary", faults);
    let severity = severity_of(&mut map, faults);
    let sources = sources_of(&mut map, names, faults);
    let catch_up = catch_up_of(&mut map, faults);
    let when_node = map.required("when", faults);
    let when = when_node.and_then(|node| Compiler::new(names, faults).condition(node));
    let hold = map.span("for", faults).unwrap_or_default();
    let until = until_of(&mut map, faults);
    let expires = positive_span(&mut map, "expires", faults);
    let notify = notify_of(&mut map, names, faults);
    let advice = line_of(&mut map, "advice", faults);
    if let (Some(when), Some(node)) = (&when, when_node) {
        check_condition(when, until.is_none(), &node.place, faults);
    }
    let name_place = map.get("name").map_or(node.place.clone(), |node| node.place.clone());
    map.finish(RULE_NOT_BUILT, faults);
    let name = name?;
    let Some(when) = when else { return Some((name, name_place, None)) };
    let until = until.unwrap_or(Until::Cleared);
    let written = Compiler::as_written(names, &mut Vec::new()).condition(when_node?)?;
    let meaning = meaning_of(sources.as_deref(), &written, hold, &until, expires);
    let rule = Rule {
        summary,
        severity,
        sources,
        catch_up,
        hold: Wait::wall(hold),
        until,
        expires,
        notify,
        advice,
        meaning,
        ..Rule::new(name.clone(), when)
    };
    Some((name, name_place, Some(rule)))
}

/// A file with `rules:`, `defaults:` or `conditions:` is no bare rule, nor is one that counts or runs a clock: only that
/// is said of it.
fn whole_file(map: &mut Map<'_>) -> Option<Vec<Fault>> {
    let mut faults = Vec::new();
    for key in ["rules", "defaults", "conditions"] {
        if let Some((key, _)) = map.entry(key) {
            let hint = Message::new(
                "现在一个文件只放一条规则：name、when、notify 直接写在最外层",
                "for now a file holds one rule: put name, when and notify at the top",
            );
            faults.push(not_built_yet(&key.text, &key.place).with_hint(hint));
        }
    }
    for key in ["count", "clock"] {
        if let Some((key, _)) = map.entry(key) {
            faults.push(not_built_yet(&key.text, &key.place));
        }
    }
    (!faults.is_empty()).then_some(faults)
}

fn name_of(map: &mut Map<'_>, faults: &mut Vec<Fault>) -> Option<RuleName> {
    let (text, place) = map.required_text("name", faults)?;
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

fn line_of(map: &mut Map<'_>, key: &str, faults: &mut Vec<Fault>) -> Option<Arc<str>> {
    let (text, place) = map.text(key, faults)?;
    let text = text.trim();
    if text.chars().count() > TEXT_CHARS_MAX {
        let message = Message::new(
            format!("“{key}” 最多 {TEXT_CHARS_MAX} 个字"),
            format!("`{key}` has at most {TEXT_CHARS_MAX} characters"),
        );
        faults.push(Fault::error(place, message));
        return None;
    }
    (!text.is_empty()).then(|| Arc::from(text))
}

/// One word of a table; anything else is a fault that lists the words.
fn choice_of(map: &mut Map<'_>, key: &str, table: &[Word], faults: &mut Vec<Fault>) -> Option<&'static str> {
    let node = map.filled(key)?;
    let (text, place) = text_of(node, faults)?;
    let found = english(table, &text);
    if found.is_none() {
        let (zh, en): (Vec<&str>, Vec<&str>) = table.iter().map(|(en, zh)| (*zh, *en)).unzip();
        let shown = node.scalar().map(|scalar| scalar.shown()).unwrap_or_default();
        let message = Message::new(
            format!("“{key}” 只能是 {}（{}），写的却是 “{shown}”", en.join("、"), zh.join("、")),
            format!("`{key}` is one of {} ({}), found `{shown}`", en.join(", "), zh.join(", ")),
        );
        let fault = Fault::error(place, message);
        let words = table.iter().flat_map(|(en, zh)| [*en, *zh]);
        faults.push(match nearest(&text, words) {
            Some(meant) => fault.with_hint(did_you_mean(meant)),
            None => fault,
        });
    }
    found
}

fn severity_of(map: &mut Map<'_>, faults: &mut Vec<Fault>) -> Severity {
    match choice_of(map, "severity", SEVERITIES, faults) {
        Some("info") => Severity::Info,
        Some("critical") => Severity::Critical,
        _ => Severity::Warning,
    }
}

fn catch_up_of(map: &mut Map<'_>, faults: &mut Vec<Fault>) -> Option<CatchUp> {
    match choice_of(map, "catch_up", CATCH_UPS, faults)? {
        "each" => Some(CatchUp::Each),
        "none" => Some(CatchUp::None),
        _ => Some(CatchUp::Digest),
    }
}

fn until_of(map: &mut Map<'_>, faults: &mut Vec<Fault>) -> Option<Until> {
    if let Some((key, Node { kind: NodeKind::Map(_), place })) = map.entry("until") {
        let message = Message::new(
            format!("“{}” 写成一个条件还没有做出来，请写 cleared 或 handled", key.text),
            format!("`{}` as a condition is not built yet: write cleared or handled", key.text),
        );
        faults.push(Fault::error(place.clone(), message));
        return Some(Until::Cleared);
    }
    match choice_of(map, "until", UNTILS, faults)? {
        "handled" => Some(Until::Handled),
        _ => Some(Until::Cleared),
    }
}

fn positive_span(map: &mut Map<'_>, key: &str, faults: &mut Vec<Fault>) -> Option<Span> {
    let node = map.filled(key)?;
    let span = span_of(node, faults)?;
    if span == Span::ZERO {
        let message = Message::new(format!("“{key}” 要大于零"), format!("`{key}` must be above zero"));
        faults.push(Fault::error(node.place.clone(), message));
    }
    Some(span)
}

fn sources_of(map: &mut Map<'_>, names: &Names, faults: &mut Vec<Fault>) -> Option<Vec<SourceName>> {
    let node = map.filled("sources")?;
    let mut found = BTreeSet::new();
    for item in node.one_or_many() {
        let Some((text, place)) = text_of(item, faults) else { continue };
        if names.sources.contains(&text) {
            found.insert(SourceName::new(text));
        } else {
            let message = Message::new(format!("没有来源 “{text}”"), format!("there is no source `{text}`"));
            faults.push(with_nearest(Fault::error(place, message), &text, &names.sources));
        }
    }
    if matches!(&node.kind, NodeKind::List(items) if items.is_empty()) {
        let message = Message::new(
            "来源列表是空的；不写 sources 就是全部来源",
            "the list of sources is empty; leave it out for all",
        );
        faults.push(Fault::error(node.place.clone(), message));
    }
    Some(found.into_iter().collect())
}

fn with_nearest(fault: Fault, text: &str, known: &BTreeSet<String>) -> Fault {
    if let Some(meant) = nearest(text, known.iter().map(String::as_str)) {
        return fault.with_hint(did_you_mean(meant));
    }
    let listed: Vec<&str> = known.iter().map(String::as_str).take(10).collect();
    if listed.is_empty() {
        return fault;
    }
    fault.with_hint(Message::new(format!("已有：{}", listed.join("、")), format!("there are: {}", listed.join(", "))))
}

fn notify_of(map: &mut Map<'_>, names: &Names, faults: &mut Vec<Fault>) -> Vec<Notify> {
    let Some(node) = map.required("notify", faults) else { return Vec::new() };
    let lines = node.one_or_many();
    if lines.is_empty() || lines.len() > NOTIFY_MAX {
        let message = Message::new(
            format!("“notify” 要有 1 到 {NOTIFY_MAX} 行，否则没有人会收到"),
            format!("`notify` has 1 to {NOTIFY_MAX} lines: without one nobody is told"),
        );
        faults.push(Fault::error(node.place.clone(), message));
    }
    let mut told: BTreeSet<ReceiverName> = BTreeSet::new();
    let mut found = Vec::new();
    for line in lines.iter().take(NOTIFY_MAX) {
        let Some(notify) = notify_line(line, names, faults) else { continue };
        if let To::Receiver(to) = &notify.to
            && !told.insert(to.clone())
        {
            let message =
                Message::new(format!("“{to}” 在这条规则里写了两次"), format!("`{to}` is told twice by this rule"));
            faults.push(Fault::error(line.place.clone(), message));
            continue;
        }
        found.push(notify);
    }
    found
}

fn notify_line(node: &Node, names: &Names, faults: &mut Vec<Fault>) -> Option<Notify> {
    let what = Message::new("一行通知，例如 { to: support }", "a line such as { to: support }");
    let mut map = Map::with_twins(node, &what, |word| english(NOTIFY_KEYS, word), faults)?;
    let to = map.required_text("to", faults).and_then(|(text, place)| receiver(&text, place, names, faults));
    let template = map.text("template", faults).and_then(|(text, place)| {
        if names.templates.contains(&text) {
            return Some(TemplateName::new(text));
        }
        let message = Message::new(format!("没有模板 “{text}”"), format!("there is no template `{text}`"));
        faults.push(with_nearest(Fault::error(place, message), &text, &names.templates));
        None
    });
    let repeat = repeats_of(&mut map, faults);
    let repeat_max = map.integer("repeat_max", 1..=REPEAT_MAX_MAX, faults);
    if let (Some(_), true, Some(node)) = (repeat_max, repeat.is_empty(), map.get("repeat_max")) {
        let message =
            Message::new("写了 repeat_max，却没有 repeat：不会重复", "`repeat_max` without `repeat`: nothing repeats");
        faults.push(Fault::warning(node.place.clone(), message));
    }
    map.finish(NOTIFY_NOT_BUILT, faults);
    let repeat_max = repeat_max.and_then(|max| u32::try_from(max).ok()).unwrap_or(REPEAT_MAX_DEFAULT);
    let repeat = repeat.into_iter().map(Wait::wall).collect();
    Some(Notify { to: To::Receiver(to?), template, mention: None, repeat, repeat_max })
}

fn receiver(text: &str, place: Place, names: &Names, faults: &mut Vec<Fault>) -> Option<ReceiverName> {
    if names.receivers.contains(text) {
        return Some(ReceiverName::new(text));
    }
    if RECEIVERS_NOT_BUILT.contains(&text) {
        let hint = Message::new("现在请写配置里 receivers 的名字", "for now name one of the configuration's receivers");
        faults.push(not_built_yet(text, &place).with_hint(hint));
        return None;
    }
    let message = Message::new(format!("没有接收者 “{text}”"), format!("there is no receiver `{text}`"));
    let fault = Fault::error(place, message);
    faults.push(if text.starts_with("oc_") || text.starts_with("ou_") {
        fault.with_hint(Message::new(
            "规则里不写群号：在配置的 receivers 里给它起个名字，再写名字",
            "rules never hold chat ids: name it under `receivers` in the configuration and use that name",
        ))
    } else {
        with_nearest(fault, text, &names.receivers)
    });
    None
}

fn repeats_of(map: &mut Map<'_>, faults: &mut Vec<Fault>) -> Vec<Span> {
    let Some(node) = map.filled("repeat") else { return Vec::new() };
    let items = node.one_or_many();
    if items.len() > REPEATS_MAX {
        let message = Message::new(
            format!("“repeat” 最多写 {REPEATS_MAX} 个间隔"),
            format!("`repeat` has at most {REPEATS_MAX} waits"),
        );
        faults.push(Fault::error(node.place.clone(), message));
    }
    let mut repeats = Vec::new();
    for item in items.iter().take(REPEATS_MAX) {
        let Some(span) = span_of(item, faults) else { continue };
        if span < REPEAT_MIN {
            let message = Message::new("重复的间隔至少 1m", "a wait before a repeat is at least 1m");
            faults.push(Fault::error(item.place.clone(), message));
        }
        repeats.push(span);
    }
    repeats
}

fn check_condition(when: &Condition, without_until: bool, place: &Place, faults: &mut Vec<Fault>) {
    if let Some(what) = contradicts_itself(when) {
        let message = Message::new(
            format!("这个条件永远不会成立：对“{}”的要求互相矛盾", what.zh),
            format!("this condition can never hold: what it demands of `{}` contradicts itself", what.en),
        );
        faults.push(Fault::error(place.clone(), message));
    }
    if let Some(field) = final_field(when).filter(|_| without_until) {
        let message = Message::new(
            format!("“{}” 给出后不再改变，提醒不会自己结束；请写明 until", field.zh),
            format!(
                "`{}` never changes once it is given, so the alert would not end by itself: say `until`",
                field.name
            ),
        );
        let hint =
            Message::new("写 until: handled（有人处理了才算结束）", "write until: handled (over when someone says so)");
        faults.push(Fault::error(place.clone(), message).with_hint(hint));
    }
}

fn final_field(condition: &Condition) -> Option<&'static Field> {
    match condition {
        Condition::All(parts) | Condition::Any(parts) | Condition::None(parts) => parts.iter().find_map(final_field),
        Condition::Not(part) => final_field(part),
        Condition::Meets(_, part) => final_field(part),
        Condition::Clock(_) | Condition::Was(_) | Condition::Changed(_) => None,
        Condition::Test(test) => match test.target {
            Target::Field(field) if FINAL_FIELDS.contains(&field.name) => Some(field),
            _ => None,
        },
    }
}

/// A hash of what decides whether a rule holds, as written: fetching the definitions changes no rule. Texts, templates and receivers are not part of it: editing them rings
/// nobody again.
fn meaning_of(
    sources: Option<&[SourceName]>,
    when: &Condition,
    hold: Span,
    until: &Until,
    expires: Option<Span>,
) -> u64 {
    let until = match until {
        Until::Cleared => "cleared",
        Until::Handled => "handled",
        Until::Holds(_) => "holds",
    };
    let expires = expires.map(Span::as_ms);
    let text = format!("sources {sources:?}\nwhen {when}\nfor {}\nuntil {until}\nexpires {expires:?}", hold.as_ms());
    xxh3_64(text.as_bytes())
}
