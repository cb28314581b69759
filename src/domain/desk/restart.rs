//! After a restart: one line to operations says how long deskbell was down, what was read again and what was sent after.

use std::collections::BTreeSet;

use crate::domain::{
    desk::{
        machine::Desk,
        state::{Entry, Stored},
        troubles::SEEN_KEPT,
    },
    id::Subject,
    notice::{NoticeKey, Step},
    text::Message,
    time::{Span, Timestamp},
    wording::span_words,
};

/// The line's word in the journal.
const RESTARTED: &str = "restarted";

/// A shorter break is worth a line in the journal alone, unless something had to be sent after it.
const BREAK_MIN: Span = Span::from_mins(2);

/// The line is told at the latest this long after the start.
const TOLD_BY: Span = Span::from_mins(10);

/// Once every source was read, notices of before are waited for no longer than this: one may be stuck.
const SENT_BY: Span = Span::from_mins(1);

/// References of what was sent after that the line names, at most.
const NAMED_MAX: usize = 5;

/// A start on a store that was in use before.
#[derive(Debug)]
pub(super) struct Restart {
    began_at: Timestamp,
    /// The newest instant in the store.
    alive_until: Timestamp,
    /// Notices that waited when the process ended.
    waiting: BTreeSet<NoticeKey>,
    sent: usize,
    /// Their references, at most [`NAMED_MAX`].
    named: BTreeSet<String>,
    dropped: usize,
}

impl Restart {
    /// What the store says of the time before; nothing where it was never in use.
    pub(super) fn of(stored: &Stored, now: Timestamp) -> Option<Self> {
        let sources = stored.sources.iter().flat_map(|source| [source.cursor, source.swept_at]).flatten();
        let tickets = stored.tickets.iter().map(|tracked| tracked.asked_at);
        let notices = stored.outbox.iter().flat_map(|entry| [Some(entry.decided_at), entry.first_tried_at]).flatten();
        let seen = stored.seen.iter().map(|(_, until)| until.minus(SEEN_KEPT));
        let alive_until = sources.chain(tickets).chain(notices).chain(seen).filter(|at| *at <= now).max()?;
        let tells =
            |entry: &&Entry| !matches!(entry.key.step, Step::Update | Step::Answer | Step::Trouble | Step::Announced);
        let waiting = stored.outbox.iter().filter(tells).map(|entry| entry.key.clone()).collect();
        Some(Self { began_at: now, alive_until, waiting, sent: 0, named: BTreeSet::new(), dropped: 0 })
    }

    /// One that waited arrived.
    pub(super) fn delivered(&mut self, key: &NoticeKey) {
        if !self.waiting.remove(key) {
            return;
        }
        self.sent += 1;
        if self.named.len() < NAMED_MAX {
            self.named.insert(format!("#{}", key.reference()));
        }
    }

    /// One that waited is gone, by whatever way.
    pub(super) fn gone(&mut self, key: &NoticeKey) {
        self.dropped += usize::from(self.waiting.remove(key));
    }
}

impl Desk {
    /// When the line is due: once every source was read and nothing of before waits, or it took too long.
    pub(super) fn restart_due(&self) -> Timestamp {
        let Some(restart) = &self.restart else { return Timestamp::NEVER };
        let read = self.sources.values().all(|source| source.read_through >= Some(restart.began_at));
        match (read, restart.waiting.is_empty()) {
            (true, true) => restart.began_at,
            (true, false) => restart.began_at.plus(SENT_BY),
            (false, _) => restart.began_at.plus(TOLD_BY),
        }
    }

    pub(super) fn tell_restart(&mut self, now: Timestamp) {
        if self.restart_due() > now {
            return;
        }
        let Some(restart) = self.restart.take() else { return };
        let down = restart.began_at.since(restart.alive_until);
        // Nobody knows better than from poll to poll when it was last at work.
        let every = self.sources.values().map(|source| source.every).max().unwrap_or_default();
        let worth_a_line = Span::from_ms(BREAK_MIN.as_ms() + every.as_ms());
        let is_quiet = down <= worth_a_line && restart.sent + restart.dropped + restart.waiting.len() == 0;
        // Each poll counts its tickets again: none was read more often than there are.
        let read = (self.counters.observed + self.counters.unchanged).min(self.tickets.len() as u64);
        let message = restart.words(down, read);
        match is_quiet {
            true => self.journal(now, (&Subject::Service, None, 0), RESTARTED, message),
            false => self.news(RESTARTED, self.settings.operations.clone(), message, now),
        }
    }
}

impl Restart {
    /// A heading, and behind it one sentence.
    fn words(&self, down: Span, read: u64) -> Message {
        let minutes = (down.as_secs() + 30) / 60;
        let span = span_words(Span::from_mins(minutes.max(1)));
        let (zh_down, en_down) = match minutes {
            0 => ("不到 1 分钟".to_string(), "less than a minute".to_string()),
            _ => (format!("约 {}", span.zh), format!("about {}", span.en)),
        };
        let tickets = if read == 1 { "ticket" } else { "tickets" };
        let mut zh = format!("停了{zh_down}，重新读取 {read} 张工单");
        let mut en = format!("It was down for {en_down}; {read} {tickets} read again");
        if self.sent == 0 {
            zh.push_str("，没有需要补发的");
            en.push_str("; nothing had to be sent after");
        } else {
            let named: Vec<&str> = self.named.iter().map(String::as_str).collect();
            let and_more = self.sent > named.len();
            let (zh_more, en_more) = if and_more { (" 等", ", …") } else { ("", "") };
            zh.push_str(&format!("，补发 {} 条：{}{zh_more}", self.sent, named.join("、")));
            en.push_str(&format!("; sent after: {} ({}{en_more})", self.sent, named.join(", ")));
        }
        let counts =
            [(self.dropped, "不再需要而作罢", "no longer due"), (self.waiting.len(), "仍在等待", "still waiting")];
        for (count, words_zh, words_en) in counts.into_iter().filter(|(count, ..)| *count > 0) {
            zh.push_str(&format!("，{words_zh} {count} 条"));
            en.push_str(&format!("; {words_en}: {count}"));
        }
        Message::new(format!("deskbell 已恢复\n{zh}"), format!("deskbell is back\n{en}"))
    }
}
