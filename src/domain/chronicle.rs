//! The journal of one matter as a story: per episode, in order, one sentence a line.

use std::sync::Arc;

use crate::domain::{
    alert::{AlertKey, reference},
    id::{RuleName, Subject},
    text::{Locale, Message, Words},
    time::{Timestamp, Zone},
    wording::span_words,
};

/// One line of the journal, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalLine {
    /// When.
    pub at: Timestamp,
    /// What it is about.
    pub subject: Subject,
    /// The rule, where there is one.
    pub rule: Option<RuleName>,
    /// The alert's episode, where there is one.
    pub episode: u32,
    /// A stable word: `fired`, `ended`, …
    pub what: Arc<str>,
    /// What happened and why, for people.
    pub note: Message,
}

/// Which lines of the journal are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinesOf {
    /// What they are about.
    pub subject: Subject,
    /// Only those of this rule's alert, in this episode and those after it: what rings again goes on on its card.
    pub episode: Option<(RuleName, u32)>,
    /// Only those of the digest with this number.
    pub digest: Option<u32>,
    /// Also who asked what.
    pub looks: bool,
}

impl LinesOf {
    /// All about a subject.
    pub const fn all(subject: Subject) -> Self {
        Self { subject, episode: None, digest: None, looks: false }
    }

    /// Whether a line is meant.
    pub fn has(&self, line: &JournalLine) -> bool {
        let of = |(rule, episode): &(RuleName, u32)| line.rule.as_ref() == Some(rule) && line.episode >= *episode;
        let is_told = self.looks || !LOOKS.contains(&&*line.what);
        let is_meant = self.digest.is_none_or(|number| line.episode == number);
        is_told && is_meant && line.subject == self.subject && self.episode.as_ref().is_none_or(of)
    }
}

/// What stands before a line's own sentence, by its word. The sentence says the rest.
pub const LEADS: [(&str, Words); 37] = [
    ("fired", Words { zh: "触发：", en: "rang: " }),
    ("would_ring", Words { zh: "试运行，本来会触发：", en: "in trial, would have rung: " }),
    ("refired", Words { zh: "再次触发：", en: "rang again: " }),
    ("dropped", Words { zh: "作罢：", en: "dropped: " }),
    ("ended", Words { zh: "结束：", en: "ended: " }),
    ("held", Words { zh: "暂不通知：", en: "held back: " }),
    ("added", ALONE),
    ("delivered", ALONE),
    ("escalated", ALONE),
    ("fallback", ALONE),
    ("ladder_stuck", ALONE),
    ("ladder_end", ALONE),
    ("taken", ALONE),
    ("released", ALONE),
    ("asked", ALONE),
    ("snoozed", ALONE),
    ("woken", ALONE),
    ("called", ALONE),
    ("called_up", ALONE),
    ("not_called", ALONE),
    ("call_limited", ALONE),
    ("call_refused", ALONE),
    ("hopped", ALONE),
    ("replaced", ALONE),
    ("gone", ALONE),
    ("forgotten", ALONE),
    ("digest", ALONE),
    ("digest_closed", ALONE),
    ("cover", ALONE),
    ("roster_confirmed", ALONE),
    ("dead", ALONE),
    ("retried", ALONE),
    ("dead_dropped", ALONE),
    ("dead_forgotten", ALONE),
    ("reopened", ALONE),
    ("looked", ALONE),
    ("denied", ALONE),
];

/// Lines that say who asked what: the story is told without them.
pub const LOOKS: [&str; 2] = ["looked", "denied"];

/// What a receiver's digests are kept under, whatever rule they are about.
const DIGEST: &str = "deskbell.digest";

/// The sentence stands alone.
const ALONE: Words = Words { zh: "", en: "" };

/// The lines of one episode, or those that belong to none.
struct Chapter<'a> {
    key: Option<(AlertKey, u32)>,
    lines: Vec<&'a JournalLine>,
}

/// The story of the lines, which are in order of time. Words from outside steer no terminal.
pub fn chronicle(lines: &[JournalLine], zone: Zone, locale: Locale) -> String {
    let told: Vec<String> = chapters(lines).iter().map(|chapter| chapter.told(zone, locale)).collect();
    let plain = |c: char| if c.is_control() && c != '\n' { ' ' } else { c };
    told.join("\n\n").chars().map(plain).collect()
}

/// In the order in which they begin.
fn chapters(lines: &[JournalLine]) -> Vec<Chapter<'_>> {
    let mut chapters: Vec<Chapter<'_>> = Vec::new();
    for line in lines {
        let is_digest = line.episode > 0 && matches!(line.subject, Subject::Receiver(_));
        let rule = if is_digest { Some(RuleName::from(DIGEST)) } else { line.rule.clone() };
        let key = rule.map(|rule| (AlertKey { subject: line.subject.clone(), rule }, line.episode));
        match chapters.iter_mut().find(|chapter| chapter.key == key) {
            Some(chapter) => chapter.lines.push(line),
            None => chapters.push(Chapter { key, lines: vec![line] }),
        }
    }
    chapters
}

impl Chapter<'_> {
    fn told(&self, zone: Zone, locale: Locale) -> String {
        let began = self.lines.first().map_or(Timestamp::MIN, |line| line.at);
        let mut day = zone.local(began).date_naive();
        let mut out = vec![self.head(&day.to_string(), locale)];
        let mut fired_at = None;
        for line in &self.lines {
            if matches!(&*line.what, "fired" | "would_ring") {
                fired_at.get_or_insert(line.at);
            }
            let at = zone.local(line.at);
            if at.date_naive() != day {
                day = at.date_naive();
                out.push(format!("  {day}"));
            }
            out.push(format!("  {} {}", at.format("%H:%M"), sentence(line, fired_at).get(locale)));
        }
        out.join("\n")
    }

    fn head(&self, day: &str, locale: Locale) -> String {
        let head = match &self.key {
            Some((key, episode)) if *episode > 0 && !key.rule.as_str().starts_with("deskbell.") => {
                let (rule, reference) = (&key.rule, reference(key, *episode));
                Message::new(
                    format!("{rule} · 第 {episode} 次 · #{reference} · {day}"),
                    format!("{rule} · episode {episode} · #{reference} · {day}"),
                )
            }
            Some((key, number)) if key.rule.as_str() == DIGEST => {
                let reference = reference(key, *number);
                Message::new(format!("汇总 #{reference} · {day}"), format!("digest #{reference} · {day}"))
            }
            Some((key, _)) => Message::new(format!("{} · {day}", key.rule), format!("{} · {day}", key.rule)),
            None => Message::new(format!("其他 · {day}"), format!("besides · {day}")),
        };
        head.get(locale).to_string()
    }
}

/// One line as a sentence; an ending says how long it took.
fn sentence(line: &JournalLine, fired_at: Option<Timestamp>) -> Message {
    let lead = LEADS.iter().find(|(what, _)| **what == *line.what).map_or(ALONE, |(_, lead)| *lead);
    let took = fired_at.filter(|_| &*line.what == "ended").map(|fired_at| span_words(line.at.since(fired_at)));
    let (zh_took, en_took) = match &took {
        Some(span) => (format!("，历时 {}", span.zh), format!(", after {}", span.en)),
        None => Default::default(),
    };
    Message::new(format!("{}{}{zh_took}", lead.zh, line.note.zh), format!("{}{}{en_took}", lead.en, line.note.en))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{id::TicketKey, time::Span};

    const START: Timestamp = Timestamp::from_ms(1_795_140_720_000);

    fn line(minutes: i64, rule: Option<&str>, episode: u32, what: &str, note: (&str, &str)) -> JournalLine {
        JournalLine {
            at: START.plus(Span::from_mins(minutes)),
            subject: Subject::Ticket(TicketKey::new("it-desk".into(), "6626871355780366331".into())),
            rule: rule.map(RuleName::from),
            episode,
            what: what.into(),
            note: Message::new(note.0, note.1),
        }
    }

    fn told(locale: Locale) -> String {
        let bad = Some("不满意");
        let lines = [
            line(0, bad, 1, "fired", ("评分是 不满意", "score is dissatisfied")),
            line(0, bad, 1, "delivered", ("已送达 support：提醒", "delivered to support: the alert")),
            line(1, Some("慢"), 2, "fired", ("等了\u{1b}[31m 1 天", "waits\u{1b}[31m 1 day")),
            line(3, bad, 1, "taken", ("李雷 接手，到 14:15", "taken by 李雷 until 14:15")),
            line(28, bad, 1, "ended", ("条件不再成立 · 李雷 处理", "the condition no longer holds · handled by 李雷")),
            line(1_440, None, 0, "gone", ("飞书里已没有这张工单", "the source no longer has this ticket")),
            line(1_440, Some("慢"), 2, "of another version", ("别的", "something else")),
        ];
        chronicle(&lines, Zone(chrono_tz::Asia::Shanghai), locale)
    }

    #[test]
    fn each_episode_is_told_in_order() {
        insta::assert_snapshot!(format!("{}\n\n{}", told(Locale::Zh), told(Locale::En)), @"
        不满意 · 第 1 次 · #9C7AB1 · 2026-11-20
          10:12 触发：评分是 不满意
          10:12 已送达 support：提醒
          10:15 李雷 接手，到 14:15
          10:40 结束：条件不再成立 · 李雷 处理，历时 28 分钟

        慢 · 第 2 次 · #76E565 · 2026-11-20
          10:13 触发：等了 [31m 1 天
          2026-11-21
          10:12 别的

        其他 · 2026-11-21
          10:12 飞书里已没有这张工单

        不满意 · episode 1 · #9C7AB1 · 2026-11-20
          10:12 rang: score is dissatisfied
          10:12 delivered to support: the alert
          10:15 taken by 李雷 until 14:15
          10:40 ended: the condition no longer holds · handled by 李雷, after 28 minutes

        慢 · episode 2 · #76E565 · 2026-11-20
          10:13 rang: waits [31m 1 day
          2026-11-21
          10:12 something else

        besides · 2026-11-21
          10:12 the source no longer has this ticket
        ");
    }

    #[test]
    fn nothing_tells_nothing() {
        assert_eq!(chronicle(&[], Zone(chrono_tz::UTC), Locale::En), "");
    }
}
