//! The plain card of a digest: what it is about, how many ring, the ones that have rung longest.

use crate::{
    adapters::templates::{context, frame::Draft, library::Surroundings, words},
    domain::{
        card::{Colour, escape_markdown},
        notice::{AlertLine, DigestCause, DigestView},
        rule::Severity,
        text::Locale,
    },
};

/// The plain draft of a digest.
pub(crate) fn draft(view: &DigestView, locale: Locale, around: &Surroundings) -> Draft {
    let storms = view.cause == DigestCause::Storm;
    let mut lines = vec![if storms { storm_words(view, locale, around) } else { by_rule(view) }];
    lines.extend(view.shared.as_ref().map(|shared| escape_markdown(shared.get(locale))));
    lines.extend(view.lines.iter().map(|line| alert_line(line, storms, locale, around)));
    let more = view.total.saturating_sub(view.lines.len());
    if more > 0 {
        lines.push(match locale {
            Locale::Zh => format!("……另有 {more} 条"),
            Locale::En => format!("… and {more} more"),
        });
    }
    lines.retain(|line| !line.is_empty());
    let critical = storms && view.lines.iter().any(|line| line.severity == Severity::Critical);
    let colour = match view.firing {
        0 => Colour::Green,
        _ if critical => Colour::Red,
        _ => Colour::Orange,
    };
    let tags = if storms { vec![pick(locale, "汇总", "digest").to_string()] } else { Vec::new() };
    Draft { title: title(view, locale, around), colour, tags, body: lines.join("\n") }
}

/// `298 条“VIP 没人接”，最久 2 小时 · 仍有 41 条`.
fn title(view: &DigestView, locale: Locale, around: &Surroundings) -> String {
    let (total, firing) = (view.total, view.firing);
    let Some(rule) = view.rule.as_ref().map(|rule| rule.as_str()) else {
        let cause = view.cause.words().get(locale);
        return match locale {
            Locale::Zh => format!("{firing} 条提醒仍在响 · 共 {total} 条（{cause}）"),
            Locale::En => format!("{firing} of {total} alerts still ring ({cause})"),
        };
    };
    let longest = context::longest(view, around).map(|span| words::duration(span, locale)).unwrap_or_default();
    match (locale, firing == total) {
        (Locale::Zh, _) if firing == 0 => format!("{total} 条“{rule}”都已结束"),
        (Locale::Zh, true) => format!("{total} 条“{rule}”，最久 {longest}"),
        (Locale::Zh, false) => format!("{total} 条“{rule}”，最久 {longest} · 仍有 {firing} 条"),
        (Locale::En, _) if firing == 0 => format!("{total} × {rule}: all over"),
        (Locale::En, true) => format!("{total} × {rule}, the longest for {longest}"),
        (Locale::En, false) => format!("{total} × {rule}, the longest for {longest} · {firing} still ring"),
    }
}

fn by_rule(view: &DigestView) -> String {
    let rules = view.by_rule.iter().map(|(rule, count)| format!("{} × {count}", escape_markdown(rule.as_str())));
    rules.collect::<Vec<_>>().join("\n")
}

/// Why they are told together, and whether more may join.
fn storm_words(view: &DigestView, locale: Locale, around: &Surroundings) -> String {
    let began = words::instant(view.began_at, around.now, around.zone);
    let closed = view.closed_at.map(|at| words::instant(at, around.now, around.zone));
    match (locale, closed) {
        (Locale::Zh, None) => format!("{began} 起短时间内太多：新的都并入这一张，不再单独发"),
        (Locale::Zh, Some(closed)) => format!("{began} 起短时间内太多，合为这一张；{closed} 起新的另发"),
        (Locale::En, None) => format!("too many at once since {began}: more of them join this card"),
        (Locale::En, Some(closed)) => {
            format!("too many at once since {began}, told on this card; since {closed} new ones have their own")
        }
    }
}

fn alert_line(line: &AlertLine, storms: bool, locale: Locale, around: &Surroundings) -> String {
    let since = words::instant(line.since, around.now, around.zone);
    let what = line.title.clone().or_else(|| line.subject.ticket().map(|key| key.id.to_string())).unwrap_or_default();
    let over = if line.firing { "" } else { pick(locale, "（已结束）", " (over)") };
    if storms {
        // The title says the rule; the reference is what people name one of them by.
        return format!("{} {since} &#35;{}{over}", escape_markdown(&what), line.reference);
    }
    format!("{} {} {since}{over}", escape_markdown(line.rule.as_str()), escape_markdown(&what))
}

const fn pick(locale: Locale, zh: &'static str, en: &'static str) -> &'static str {
    match locale {
        Locale::Zh => zh,
        Locale::En => en,
    }
}
