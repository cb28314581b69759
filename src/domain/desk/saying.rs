//! Words that answers share: which alert is meant, when something is.

use chrono::{Datelike, Weekday};

use crate::domain::{
    alert::Alert,
    card::{cut, one_line},
    desk::{content::TITLE_CHARS_MAX, machine::Desk},
    id::TicketId,
    text::Message,
    time::Timestamp,
};

/// Digits of a ticket's id that tell it from others in a sentence.
const TAIL_CHARS: usize = 6;

impl Desk {
    /// An instant for a sentence: the time alone today, on other days with date and day of the week.
    pub(super) fn day_words(&self, at: Timestamp, now: Timestamp) -> Message {
        let zone = self.settings.zone;
        let local = zone.local(at);
        if local.date_naive() == zone.local(now).date_naive() {
            let clock = local.format("%H:%M").to_string();
            return Message::new(clock.clone(), clock);
        }
        let (zh, en) = match local.weekday() {
            Weekday::Mon => ("周一", "Mon"),
            Weekday::Tue => ("周二", "Tue"),
            Weekday::Wed => ("周三", "Wed"),
            Weekday::Thu => ("周四", "Thu"),
            Weekday::Fri => ("周五", "Fri"),
            Weekday::Sat => ("周六", "Sat"),
            Weekday::Sun => ("周日", "Sun"),
        };
        let (date, clock) = (local.format("%Y-%m-%d"), local.format("%H:%M"));
        Message::new(format!("{date}（{zh}）{clock}"), format!("{en} {date} {clock}"))
    }

    /// What an alert is about, for a line: its headline and the end of its ticket's id; empty where it has neither.
    pub(super) fn about_words(&self, alert: &Alert) -> Message {
        let title = self.title_of(&alert.key.subject).map(|title| cut(&one_line(&title), TITLE_CHARS_MAX));
        let title = title.unwrap_or_default();
        match alert.key.subject.ticket() {
            Some(key) => {
                let tail = tail(&key.id);
                if title.is_empty() {
                    return Message::new(format!("尾号 {tail}"), format!("…{tail}"));
                }
                Message::new(format!("{title}（尾号 {tail}）"), format!("{title} (…{tail})"))
            }
            None => Message::new(title.clone(), title),
        }
    }

    /// What is said of an alert, with the alert named first.
    pub(super) fn said_of(&self, alert: &Alert, said: &Message) -> Message {
        let (reference, about) = (alert.reference(), self.about_words(alert));
        let named = |about: &str| format!("#{reference} {about}").trim_end().to_string();
        Message::new(format!("{}：{}", named(&about.zh), said.zh), format!("{}: {}", named(&about.en), said.en))
    }
}

/// The last digits of a ticket's id.
pub(super) fn tail(id: &TicketId) -> String {
    let id = id.as_str();
    id.chars().skip(id.chars().count().saturating_sub(TAIL_CHARS)).collect()
}
