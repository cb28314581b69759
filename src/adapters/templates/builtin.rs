//! The cards that need no template: sentences, and the plain card that replaces a template that failed. Cannot fail.

use crate::{
    adapters::templates::{context, digest, frame::Draft, library::Surroundings, standing, words},
    domain::{
        alert::AlertState,
        card::{Colour, escape_markdown},
        desk::greeting::GREETING,
        id::Subject,
        notice::{AlertView, AnswerView, Content, Send, TicketView},
        rota,
        rule::Severity,
        text::{Locale, Message},
    },
};

/// Characters of a sentence that a title takes.
const HEADLINE_CHARS_MAX: usize = 60;

/// The plain draft of anything that is sent.
pub(crate) fn draft(send: &Send, around: &Surroundings) -> Draft {
    match &send.content {
        Content::Alert(view) => alert(view, send.locale, around),
        Content::Digest(view) => digest::draft(view, send.locale, around),
        Content::Answer(view) => match view.as_ref() {
            AnswerView::Ticket(view) => ticket(view, send.locale),
            AnswerView::Text(message) | AnswerView::Page(message, _) => sentence(message, send.locale, Colour::Grey),
        },
        Content::Announcement(message) => {
            let mut draft = sentence(message, send.locale, Colour::Blue);
            let tag = match send.key.rule.as_str() {
                "deskbell.restarted" | "deskbell.long_connection_back" => ("运行状况", "operations"),
                GREETING => ("使用说明", "how to use it"),
                rule if rota::words::NOTICES.contains(&rule) => ("值班", "on call"),
                _ => ("规则", "rules"),
            };
            draft.tags.push(pick(send.locale, tag.0, tag.1).to_string());
            draft
        }
        Content::Trouble(message) => {
            let mut draft = sentence(message, send.locale, Colour::Orange);
            draft.tags.push(pick(send.locale, "运行状况", "operations").to_string());
            draft
        }
    }
}

/// The colour of a severity.
pub(crate) const fn severity_colour(severity: Severity) -> Colour {
    match severity {
        Severity::Info => Colour::Blue,
        Severity::Warning => Colour::Orange,
        Severity::Critical => Colour::Red,
    }
}

fn alert(view: &AlertView, locale: Locale, around: &Surroundings) -> Draft {
    let alert = &view.alert;
    let subject = match &alert.key.subject {
        Subject::Group(value) => Some(value.to_string()).filter(|value| !value.is_empty()),
        _ => view.ticket.as_ref().map(|ticket| context::subject(ticket, locale)),
    };
    let mut lines = vec![escape_markdown(alert.why.get(locale))];
    if let Some(view) = &view.ticket {
        lines.push(ticket_line(view, locale));
    }
    let rule = view.rule_name();
    let head = subject.map_or_else(|| rule.to_string(), |subject| format!("{rule} · {subject}"));
    let AlertState::Ended { fired_at, ended_at, reason } = &alert.state else {
        if let Some(advice) = view.rule.as_ref().and_then(|rule| rule.advice.as_deref()) {
            lines.push(escape_markdown(advice));
        }
        if let Some(runbook) = view.rule.as_ref().and_then(|rule| rule.runbook.as_deref()) {
            lines.push(format!("{}{}", pick(locale, "处理手册：", "Runbook: "), escape_markdown(runbook)));
        }
        let tags = vec![words::severity(alert.severity).get(locale).to_string()];
        return Draft { title: head, colour: severity_colour(alert.severity), tags, body: lines.join("\n") };
    };
    let took = words::duration(ended_at.since(fired_at.unwrap_or(*ended_at)), locale);
    let ended = words::near(*ended_at, around.now, around.zone);
    let fired = words::near(fired_at.unwrap_or(*ended_at), around.now, around.zone);
    let who = standing::acted_by(alert).map(|by| escape_markdown(by.words().get(locale)));
    let reason = reason.words().get(locale);
    lines.insert(
        0,
        match locale {
            Locale::Zh => {
                let who = who.map_or_else(|| "历时 ".to_string(), |who| format!("{who} 处理，用时 "));
                format!("{who}{took} · {fired} 触发，{ended} 结束：{reason}")
            }
            Locale::En => {
                let who = who.map_or_else(|| "lasted ".to_string(), |who| format!("{who} saw to it in "));
                format!("{who}{took} · fired {fired}, ended {ended}: {reason}")
            }
        },
    );
    let title = format!("{}{head}", pick(locale, "已结束 · ", "Over · "));
    Draft { title, colour: Colour::Green, tags: Vec::new(), body: lines.join("\n") }
}

fn ticket(view: &TicketView, locale: Locale) -> Draft {
    let mut lines = vec![ticket_line(view, locale)];
    lines.extend(view.alerts.iter().map(|line| escape_markdown(line.rule.as_str())));
    Draft { title: context::subject(view, locale), colour: Colour::Blue, tags: Vec::new(), body: lines.join("\n") }
}

fn ticket_line(view: &TicketView, locale: Locale) -> String {
    let ticket = &view.ticket;
    let status = ticket.status.present().map(|status| words::code(words::codes("status"), status.code(), locale));
    let guest = ticket.guest.present().and_then(|guest| words::person(guest));
    let parts = [Some(ticket.key.id.as_str()), status.as_deref(), guest];
    parts.into_iter().flatten().map(escape_markdown).collect::<Vec<_>>().join(" · ")
}

/// A sentence as a card: what it begins with is the title, the rest, line by line, the body. Nothing stands twice.
fn sentence(message: &Message, locale: Locale, colour: Colour) -> Draft {
    let text = message.get(locale).trim();
    let (first, rest) = text.split_at_checked(first_sentence(text)).unwrap_or((text, ""));
    let first = first.trim_end_matches(['。', '.', '：', ':', '\n']);
    let (title, body) = if first.chars().nth(HEADLINE_CHARS_MAX).is_none() {
        (first.to_string(), rest.trim().to_string())
    } else {
        let (head, left) = text.split_at_checked(headline(first)).unwrap_or((text, ""));
        (format!("{}…", head.trim_end_matches(['，', ',', '；', ';', '：', ':', '、', ' '])), left.trim().to_string())
    };
    let body: Vec<String> = body.lines().map(escape_markdown).collect();
    Draft { title, colour, tags: Vec::new(), body: body.join("\n") }
}

/// Where the first sentence ends, in bytes.
fn first_sentence(text: &str) -> usize {
    let ends = |c: char, next: Option<char>| match c {
        '。' | '！' | '？' | '\n' => true,
        '.' | '!' | '?' => next.is_some_and(char::is_whitespace),
        _ => false,
    };
    let nexts = text.chars().skip(1).map(Some).chain([None]);
    let end = text.char_indices().zip(nexts).find(|((_, c), next)| ends(*c, *next));
    end.map_or(text.len(), |((at, c), _)| at + c.len_utf8())
}

/// Where a long sentence is parted, in bytes: behind the last mark that leaves a title worth reading, else behind the
/// last word.
fn headline(sentence: &str) -> usize {
    const TITLE_CHARS_MIN: usize = 8;
    let within = || sentence.char_indices().take(HEADLINE_CHARS_MAX);
    let after = |marks: &'static [char]| {
        let fits = within().skip(TITLE_CHARS_MIN).filter(move |(_, c)| marks.contains(c));
        fits.last().map(|(at, c)| at + c.len_utf8())
    };
    let end = || within().last().map_or(0, |(at, c)| at + c.len_utf8());
    after(&['，', '；', '：', ';']).or_else(|| after(&[' ', '、', '（'])).unwrap_or_else(end)
}

const fn pick(locale: Locale, zh: &'static str, en: &'static str) -> &'static str {
    match locale {
        Locale::Zh => zh,
        Locale::En => en,
    }
}
