//! The words of a timeline: what its lines say happens, and how what was told reads.

use deskbell::domain::{
    alert::AlertState,
    delivery::FailureKind,
    desk::input::PassFailure,
    field::Field,
    notice::{AnswerView, Content, Send, Target},
    receiver::PersonId,
    rota::words,
    rule::Urgent,
    text::Message,
    time::Span,
};

/// A message as a line: receiver, what it is, of what, and what marks it.
pub(super) fn line(send: &Send, in_full: bool) -> String {
    let how = match &send.target {
        Target::Post(_) => "",
        Target::Reply(_) => " reply",
        Target::Patch(_) => " patch",
        Target::Urge(_, Urgent::Phone, _) => " phone",
        Target::Urge(..) => " urge",
    };
    let of = match &send.content {
        Content::Alert(view) => {
            let subject = view.alert.key.subject.ticket().map_or("source".to_owned(), |key| key.id.to_string());
            let state = match &view.alert.state {
                AlertState::Firing { stale_as_of: Some(_), .. } => " stale".to_owned(),
                AlertState::Ended { reason, .. } => format!(" {reason:?}").to_lowercase(),
                _ => String::new(),
            };
            let untold = view.untold.as_ref().filter(|_| view.alert.is_firing() && !view.alert.is_taken());
            let untold = untold.map(|untold| format!(" [{}]", untold.zh)).unwrap_or_default();
            format!(" {} {subject}{state}{untold}", view.alert.key.rule)
        }
        Content::Digest(view) => {
            let put_off = if view.put_off > 0 { format!(" put off {}", view.put_off) } else { String::new() };
            format!(" {:?} {} of {}{put_off}", view.cause, view.firing, view.total).to_lowercase()
        }
        Content::Answer(answer) => match &**answer {
            AnswerView::Ticket(view) => format!(" ticket {}", view.ticket.key.id),
            AnswerView::Text(message) if in_full => format!(" {}", message.zh.replace('\n', " / ")),
            AnswerView::Page(message, turns) if in_full => {
                let turns: Vec<String> = turns.iter().map(|turn| format!("[{}]", turn.words.zh)).collect();
                format!(" {} {}", message.zh.replace('\n', " / "), turns.join(" ")).trim_end().to_string()
            }
            AnswerView::Text(message) | AnswerView::Page(message, _) => {
                format!(" “{}”", message.zh.chars().take(8).collect::<String>())
            }
        },
        Content::Trouble(_) => format!(" {}", send.key.rule),
        Content::Announcement(message)
            if ["deskbell.rules_changed", "deskbell.restarted"].contains(&send.key.rule.as_str()) =>
        {
            format!(" {}", message.zh.replace('\n', " / "))
        }
        Content::Announcement(message) if words::NOTICES.contains(&send.key.rule.as_str()) => {
            format!(" {}", message.zh.replace('\n', " / "))
        }
        Content::Announcement(_) => format!(" {}", send.key.rule),
    };
    let again = if send.maybe_repeat { " maybe-repeat" } else { "" };
    // A question mentions whoever has it, by their id; a rule's line by the address.
    let written = send.mentions.iter().filter(|person| !matches!(person, PersonId::Open(_)));
    let mentions: String = written.map(|person| format!(" @{}", person.as_str())).collect();
    format!("{} {}{how}{of}{mentions}{again}", send.key.receiver, send.key.step.name())
}

pub(super) fn offset(span: Span) -> String {
    let secs = span.as_ms().div_euclid(1_000);
    let parts = [(secs / 3_600, "h"), (secs % 3_600 / 60, "m"), (secs % 60, "s")];
    let text: String =
        parts.iter().filter(|(number, _)| *number > 0).map(|(number, unit)| format!("{number}{unit}")).collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}

pub(super) fn status_code(word: &str) -> i64 {
    let field = Field::find("status").unwrap();
    field.numbers(word).and_then(|numbers| numbers.first().copied()).unwrap_or_else(|| panic!("{word} is no status"))
}

pub(super) fn failure(word: &str) -> Option<PassFailure> {
    let message = Message::new("坏了", "broken");
    match word {
        "broken" => Some(PassFailure { quota: false, setup: false, message }),
        "quota" => Some(PassFailure { quota: true, setup: false, message }),
        "setup" => Some(PassFailure { quota: false, setup: true, message }),
        _ => None,
    }
}

/// `content` for everyone, `content support` for one receiver.
pub(super) fn refusal(word: &str) -> Option<(FailureKind, String)> {
    let (word, whose) = word.split_once(' ').unwrap_or((word, ""));
    let kinds = [
        FailureKind::Throttled,
        FailureKind::Uncertain,
        FailureKind::Setup,
        FailureKind::Content,
        FailureKind::Mention,
        FailureKind::CardGone,
        FailureKind::Unreachable,
        FailureKind::Quota,
        FailureKind::Refused,
    ];
    kinds.into_iter().find(|kind| kind.name() == word).map(|kind| (kind, whose.to_owned()))
}
