//! The plain card of a digest: what it is about, how many ring, the ones that have rung longest.

use crate::{
    adapters::templates::{builtin, frame::Draft, library::Surroundings, words},
    domain::{
        card::{Colour, escape_markdown},
        id::Subject,
        notice::{AlertLine, DigestCause, DigestView},
        text::Locale,
    },
};

/// The plain draft of a digest.
pub(crate) fn draft(view: &DigestView, locale: Locale, around: &Surroundings) -> Draft {
    let storms = view.cause.gathers();
    let mut lines = vec![escape_markdown(&opening(view, locale, around))];
    if !storms {
        lines.push(by_rule(view));
    }
    lines.extend(view.shared.as_ref().map(|shared| escape_markdown(shared.get(locale))));
    lines.extend(view.lines.iter().map(|line| alert_line(line, storms, locale, around)));
    let more = view.total.saturating_sub(view.lines.len());
    if more > 0 {
        lines.push(match locale {
            Locale::Zh => format!("……另有 {more} 条"),
            Locale::En => format!("… and {more} more"),
        });
    }
    lines.extend(next(view, locale).map(|next| format!("\n{}", escape_markdown(&next))));
    lines.retain(|line| !line.is_empty());
    let colour = match (view.firing, view.waiting()) {
        _ if view.total == 0 => Colour::Grey,
        (0, _) => Colour::Green,
        (_, 0) => Colour::Blue,
        _ => view.severity.map_or(Colour::Orange, builtin::severity_colour),
    };
    let tags = if storms { vec![pick(locale, "汇总", "digest").to_string()] } else { Vec::new() };
    Draft { title: title(view, locale), colour, tags, body: lines.join("\n") }
}

/// `升级：298 条“VIP 没人接” · 仍有 41 条`.
fn title(view: &DigestView, locale: Locale) -> String {
    let (total, firing) = (view.total, view.firing);
    let Some(rule) = view.rule.as_ref().map(|rule| rule.as_str()) else { return plain_title(view, locale) };
    if total == 0 {
        return match locale {
            Locale::Zh => format!("“{rule}”：这里的都由后来的汇总接着告知"),
            Locale::En => format!("{rule}: all of these are told by a later digest"),
        };
    }
    if firing == 0 {
        return match locale {
            Locale::Zh => format!("{total} 条“{rule}”都已结束"),
            Locale::En => format!("{total} × {rule}: all over"),
        };
    }
    let lead = lead(view.cause, locale);
    let mut title = match (locale, lead.is_empty()) {
        (Locale::Zh, true) => format!("{total} 条“{rule}”"),
        (Locale::Zh, false) => format!("{lead}：{total} 条“{rule}”"),
        (Locale::En, true) => format!("{total} × {rule}"),
        (Locale::En, false) => format!("{lead}: {total} × {rule}"),
    };
    if let [only] = view.lines.as_slice()
        && total == 1
    {
        title += pick(locale, "：", ": ");
        title += &what(only);
    }
    if firing < total {
        title += &match locale {
            Locale::Zh => format!(" · 仍有 {firing} 条"),
            Locale::En => format!(" · {firing} still ring"),
        };
    }
    title
}

/// `3 条提醒待处理 · 共 5 条（静默结束）`.
fn plain_title(view: &DigestView, locale: Locale) -> String {
    let (total, waiting, cause) = (view.total, view.waiting(), view.cause.words().get(locale));
    match (locale, view.firing, waiting) {
        (Locale::Zh, 0, _) => format!("{total} 条提醒都已结束（{cause}）"),
        (Locale::Zh, firing, 0) if view.put_off == firing => format!("{firing} 条提醒都已推迟（{cause}）"),
        (Locale::Zh, _, 0) => format!("{} 条提醒都有人处理（{cause}）", view.firing),
        (Locale::Zh, ..) if waiting == total => format!("{waiting} 条提醒待处理（{cause}）"),
        (Locale::Zh, ..) => format!("{waiting} 条提醒待处理 · 共 {total} 条（{cause}）"),
        (Locale::En, 0, _) => format!("All over: {total} alerts ({cause})"),
        (Locale::En, firing, 0) if view.put_off == firing => format!("Alerts that are put off: {firing} ({cause})"),
        (Locale::En, _, 0) => format!("Alerts that someone has: {} ({cause})", view.firing),
        (Locale::En, ..) if waiting == total => format!("Alerts to look at: {waiting} ({cause})"),
        (Locale::En, ..) => format!("Alerts to look at: {waiting} of {total} ({cause})"),
    }
}

/// What a title begins with where these alerts were told before: why they come again.
pub(crate) const fn lead(cause: DigestCause, locale: Locale) -> &'static str {
    match cause {
        DigestCause::Escalations => pick(locale, "升级", "Escalated"),
        DigestCause::Repeats => pick(locale, "再次提醒", "Still ringing"),
        DigestCause::Questions => pick(locale, "进展如何", "How do they stand"),
        _ => "",
    }
}

fn by_rule(view: &DigestView) -> String {
    let rules = view.by_rule.iter().map(|(rule, count)| format!("{} × {count}", escape_markdown(rule.as_str())));
    rules.collect::<Vec<_>>().join("\n")
}

/// Why they are told together, whether more may join, and how many of them someone has.
pub(crate) fn opening(view: &DigestView, locale: Locale, around: &Surroundings) -> String {
    if view.total == 0 {
        return String::new(); // others tell of all that it told
    }
    let began = words::instant(view.began_at, around.now, around.zone);
    let closed = view.closed_at.map(|at| words::instant(at, around.now, around.zone));
    let mut said = match (view.cause, locale, closed) {
        (DigestCause::Storm, Locale::Zh, None) => {
            format!("{began} 起短时间内太多，合为这一张；新的都并进来，不再单独发")
        }
        (DigestCause::Storm, Locale::Zh, Some(closed)) => {
            format!("{began} 起短时间内太多，合为这一张；{closed} 起新的另发")
        }
        (DigestCause::Storm, Locale::En, None) => {
            format!("Too many at once since {began}, told on this card; more of them join it")
        }
        (DigestCause::Storm, Locale::En, Some(closed)) => {
            format!("Too many at once since {began}, told on this card; since {closed} new ones have their own")
        }
        (DigestCause::Escalations, Locale::Zh, _) => format!("一直没人接手，{began} 起升级到这里；太多，合为这一张"),
        (DigestCause::Escalations, Locale::En, _) => {
            format!("Nobody took them: escalated to here since {began}; too many, told on one card")
        }
        (DigestCause::Repeats, Locale::Zh, _) => format!("还在响，{began} 起再提醒一次；太多，合为这一张"),
        (DigestCause::Repeats, Locale::En, _) => {
            format!("They still ring; a reminder since {began}, too many, told on one card")
        }
        (DigestCause::Questions, Locale::Zh, _) => {
            "接手的时间到了，还在响。30 分钟没有回答就重新开始提醒和升级".to_string()
        }
        (DigestCause::Questions, Locale::En, _) => "The time they were taken for is over, and they still ring. \
             Without an answer for 30 minutes reminders and escalation begin anew"
            .to_string(),
        (cause, Locale::Zh, _) => cause.words().zh.to_string(),
        (cause, Locale::En, _) => format!("Why now: {}", cause.words().en),
    };
    if view.taken > 0 && view.cause != DigestCause::Questions {
        said += &match (locale, view.firing.saturating_sub(view.taken)) {
            (Locale::Zh, 0) => "。都有人处理".to_string(),
            (Locale::Zh, _) => format!("。{} 条有人处理", view.taken),
            (Locale::En, 0) => ". Someone has each of them".to_string(),
            (Locale::En, _) => format!(". Someone has {} of them", view.taken),
        };
    }
    if view.put_off > 0 {
        said += &match locale {
            Locale::Zh => format!("。{} 条已推迟", view.put_off),
            Locale::En => format!(". Put off: {}", view.put_off),
        };
    }
    said
}

/// What can be done about all of them, or about one; nothing where nothing is left to do.
pub(crate) fn next(view: &DigestView, locale: Locale) -> Option<String> {
    let words = match (view.cause, view.waiting()) {
        _ if view.firing == 0 => return None,
        (DigestCause::Questions, _) if !view.hears => pick(
            locale,
            "在和 deskbell 的对话里发 /take #编号 继续处理，发 /done #编号 结束",
            "Send /take #reference to deskbell in chat to keep one of them, or /done #reference to end it",
        ),
        (_, waiting) if waiting > 0 && !view.hears => pick(
            locale,
            "接手：在和 deskbell 的对话里发 /take #编号，编号在每一行里",
            "To take one of them, send /take and its #reference to deskbell in chat",
        ),
        (DigestCause::Questions, _) => pick(
            locale,
            "在这张卡片上回复“我来”继续处理你的这些，回复“已处理”结束它们",
            "Reply \"on it\" on this card to keep those you have, or \"done\" to end them",
        ),
        (_, 0) => return None,
        _ => pick(
            locale,
            "在这张卡片上回复“我来”，接手还没人处理的全部；只接一条：/take #编号",
            "Reply \"on it\" on this card to take all that nobody has; for one of them: /take #reference",
        ),
    };
    Some(words.to_string())
}

fn alert_line(line: &AlertLine, storms: bool, locale: Locale, around: &Surroundings) -> String {
    let since = words::instant(line.since, around.now, around.zone);
    let until = |at| words::near(at, around.now, around.zone);
    let stands = match (&line.taken_by, &line.put_off, line.firing) {
        (_, _, false) => pick(locale, "（已结束）", " (over)").to_string(),
        (None, Some((who, at)), true) => match locale {
            Locale::Zh => format!("（{} 推迟到 {}）", escape_markdown(who.get(locale)), until(*at)),
            Locale::En => format!(" ({} put it off until {})", escape_markdown(who.get(locale)), until(*at)),
        },
        (Some(who), _, true) => match locale {
            Locale::Zh => format!("（{} 处理中）", escape_markdown(who.get(locale))),
            Locale::En => format!(" ({} works on it)", escape_markdown(who.get(locale))),
        },
        (None, None, true) => String::new(),
    };
    // Of a storm the title says the rule; the reference is what people name one of them by.
    let rule = if storms { String::new() } else { format!("{} · ", escape_markdown(line.rule.as_str())) };
    format!("{rule}{} {since} &#35;{}{stands}", escape_markdown(&what(line)), line.reference)
}

/// What an alert is about, in a word or two.
fn what(line: &AlertLine) -> String {
    let id = || line.subject.ticket().map(|key| key.id.to_string());
    let group = || match &line.subject {
        Subject::Group(value) => Some(value.to_string()),
        _ => None,
    };
    line.title.clone().or_else(id).or_else(group).unwrap_or_default()
}

const fn pick(locale: Locale, zh: &'static str, en: &'static str) -> &'static str {
    match locale {
        Locale::Zh => zh,
        Locale::En => en,
    }
}
