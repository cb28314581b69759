//! Results for people, and for machines.

use serde_json::{Value, json};

use crate::{
    adapters::rulebook::cases::{
        case::{Case, Expected, Wanted},
        moment::THE_TICKET,
        words::step_words,
    },
    cli::{
        terminal::Terminal,
        test::{
            check::{Got, Happened, Sent},
            run::Run,
        },
    },
    domain::{
        alert::EndReason,
        id::Subject,
        notice::Step,
        story::severity_words,
        text::{Locale, Words},
        time::{Span, Timestamp, Zone},
    },
};

const RED: &str = "\u{1b}[31m";
const GREEN: &str = "\u{1b}[32m";
const DIM: &str = "\u{1b}[2m";
const RESET: &str = "\u{1b}[0m";

/// Characters of a card's title that are shown.
const TITLE_CHARS_MAX: usize = 60;

/// One line for a case that passed, a few for one that did not.
pub(super) fn lines(run: &Run, terminal: Terminal) -> String {
    let (locale, case, outcome) = (terminal.locale, &run.case, &run.outcome);
    let paint = |colour: &str, text: String| match terminal.has_colour() {
        true => format!("{colour}{text}{RESET}"),
        false => text,
    };
    let word = |zh: &'static str, en: &'static str| Words { zh, en }.get(locale);
    if outcome.is_well() {
        return format!("{} {}", paint(GREEN, "✓".to_string()), case.name);
    }
    let mut lines =
        vec![format!("{} {}  {}", paint(RED, "✗".to_string()), case.name, paint(DIM, case.place.to_string()))];
    if let Some(at) = outcome.cut {
        let at = case.zone.minute(at);
        lines.push(format!("    {} {at}", word("用例太长，只跑到", "the case is too long and ends at")));
    }
    for (expected, reasons) in &outcome.missing {
        let line = format!("  - {} {}", word("缺少", "missing"), wanted(expected, case.zone, locale));
        lines.push(paint(RED, line));
        for reason in reasons {
            lines.push(paint(DIM, format!("      {}", reason.get(locale))));
        }
    }
    for (got, why) in &outcome.extra {
        lines.push(paint(GREEN, format!("  + {} {}", word("多出", "extra"), happened(got, case.zone, locale))));
        lines.push(paint(DIM, format!("      {}", why.get(locale))));
    }
    lines.join("\n")
}

/// All cases as one document.
pub(super) fn json(runs: &[Run]) -> String {
    let cases: Vec<Value> = runs.iter().map(case_json).collect();
    let failed = runs.iter().filter(|run| !run.outcome.is_well()).count();
    format!("{:#}", json!({ "passed": runs.len() - failed, "failed": failed, "cases": cases }))
}

fn case_json(run: &Run) -> Value {
    let Case { name, place, rules, zone, .. } = &run.case;
    let missing = run.outcome.missing.iter().map(|(expected, reasons)| {
        let reasons: Vec<Value> = reasons.iter().map(|reason| json!({ "zh": reason.zh, "en": reason.en })).collect();
        json!({
            "line": expected.place.line,
            "at": instant(*zone, expected.at, expected.within),
            "expected": wanted(expected, *zone, Locale::En),
            "why": reasons,
        })
    });
    let extra = run.outcome.extra.iter().map(|(got, why)| {
        let mut value = json!({
            "at": instant(*zone, got.at, Span::from_secs(1)),
            "rule": got.rule.as_str(),
            "subject": got.subject.to_string(),
            "why": { "zh": why.zh, "en": why.en },
        });
        if let (Happened::Notice(sent), Some(entry)) = (&got.what, value.as_object_mut()) {
            entry.insert("to".to_string(), json!(sent.receiver.as_str()));
            entry.insert("step".to_string(), json!(sent.step.name()));
            entry.insert("severity".to_string(), json!(sent.severity.name()));
            entry.insert("title".to_string(), json!(sent.title));
        }
        value
    });
    json!({
        "name": name,
        "file": place.file.as_ref(),
        "line": place.line,
        "rules": rules.iter().map(|rule| rule.as_str()).collect::<Vec<_>>(),
        "passed": run.outcome.is_well(),
        "missing": missing.collect::<Vec<_>>(),
        "extra": extra.collect::<Vec<_>>(),
    })
}

fn wanted(expected: &Expected, zone: Zone, locale: Locale) -> String {
    let mut parts = vec![instant(zone, expected.at, expected.within)];
    parts.extend(expected.rule.as_ref().map(ToString::to_string));
    parts.extend(expected.ticket.as_ref().map(|ticket| ticket_words(ticket.as_str(), locale)));
    match &expected.what {
        Wanted::End(reason) => parts.push(ended(*reason, locale)),
        Wanted::Notice(notice) => {
            parts.extend(notice.to.as_ref().map(|to| format!("→ {to}")));
            parts.extend(notice.step.map(|step| step_name(step, notice.repeat.unwrap_or_default(), locale)));
            parts.extend(notice.severity.map(|severity| severity_words(severity).get(locale).to_string()));
            parts.extend(notice.title.iter().map(|text| quoted(text)));
            parts.extend(notice.card.iter().map(|text| quoted(text)));
        }
    }
    parts.join("  ")
}

fn happened(got: &Got, zone: Zone, locale: Locale) -> String {
    let exact = if got.at.as_ms() % 60_000 == 0 { Span::from_mins(1) } else { Span::from_secs(1) };
    let mut parts = vec![instant(zone, got.at, exact), got.rule.to_string()];
    match &got.subject {
        Subject::Ticket(key) if key.id.as_str() != THE_TICKET => parts.push(ticket_words(key.id.as_str(), locale)),
        Subject::Group(group) => parts.extend(Some(group.to_string()).filter(|group| !group.is_empty())),
        _ => {}
    }
    match &got.what {
        Happened::End(reason) => parts.push(ended(Some(*reason), locale)),
        Happened::Notice(sent) => {
            parts.push(format!("→ {}", receiver(sent)));
            parts.push(step_name(sent.step, sent.ordinal, locale));
            parts.push(severity_words(sent.severity).get(locale).to_string());
            parts.push(quoted(&sent.title));
        }
    }
    parts.join("  ")
}

fn ticket_words(id: &str, locale: Locale) -> String {
    format!("{} {id}", Words { zh: "工单", en: "ticket" }.get(locale))
}

fn receiver(sent: &Sent) -> String {
    let others: Vec<&str> =
        sent.called.iter().map(String::as_str).filter(|called| !sent.receiver.as_str().ends_with(called)).collect();
    if others.is_empty() { sent.receiver.to_string() } else { format!("{} ({})", sent.receiver, others.join(", ")) }
}

fn step_name(step: Step, ordinal: u32, locale: Locale) -> String {
    let (en, zh) = step_words(step);
    let name = Words { zh, en }.get(locale);
    if step == Step::Repeated && ordinal > 0 { format!("{name} {ordinal}") } else { name.to_string() }
}

fn ended(reason: Option<EndReason>, locale: Locale) -> String {
    let over = Words { zh: "结束", en: "ended" }.get(locale);
    reason.map_or_else(|| over.to_string(), |reason| format!("{over}: {}", reason.words().get(locale)))
}

fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(TITLE_CHARS_MAX).collect();
    if text.chars().nth(TITLE_CHARS_MAX).is_some() {
        shown.push('…');
    }
    format!("“{shown}”")
}

fn instant(zone: Zone, at: Timestamp, within: Span) -> String {
    if within >= Span::from_mins(1) {
        return zone.minute(at);
    }
    zone.local(at).format("%Y-%m-%d %H:%M:%S").to_string()
}
