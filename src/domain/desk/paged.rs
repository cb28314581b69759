//! Lists people ask for in chat, a page at a time, and what is told in a line: what rings, the rules, how many wait.

use crate::domain::{
    alert::Alert,
    card::{Question, Turn},
    command::{BEHIND_CHARS_MAX, reply, tickets::paged, verb::Verb},
    desk::{
        input::{ChatKind, ChatMessage},
        machine::Desk,
        saying::tail,
        state::{Answer, Tracked},
    },
    id::SourceName,
    rule::{Mode, Rule},
    story::severity_words,
    text::{Message, Words},
    time::{Span, Timestamp},
    wording::span_words,
};

/// Lines of a page.
const PAGE_LINES: usize = 10;

/// A score that says the guest is dissatisfied (`facts/feishu.md §2.4`).
const DISSATISFIED: i64 = 1;

/// The status of tickets in the queue.
const QUEUEING: i64 = 3;

/// Tickets named in a line that counts them.
const NAMED_MAX: usize = 3;

const BEFORE: Words = Words { zh: "上一页", en: "Previous page" };
const AFTER: Words = Words { zh: "下一页", en: "Next page" };

/// A list as it is asked for.
pub(super) struct Listed<'a, T> {
    /// The command that gives it.
    pub(super) verb: Verb,
    /// What stands behind the command for a page of it.
    pub(super) behind: &'a dyn Fn(u32) -> String,
    /// What stands above it.
    pub(super) head: Message,
    /// All of it.
    pub(super) all: &'a [T],
    /// Which page is asked for, from 1.
    pub(super) page: u32,
}

impl Desk {
    /// A page of a list, with the buttons that turn it. A page that is no more is the last one.
    pub(super) fn page_of<T>(question: &ChatMessage, list: &Listed<'_, T>, line: impl Fn(&T) -> Message) -> Answer {
        let pages = u32::try_from(list.all.len().div_ceil(PAGE_LINES).max(1)).unwrap_or(u32::MAX);
        let page = list.page.clamp(1, pages);
        let skipped = usize::try_from(page - 1).unwrap_or(usize::MAX).saturating_mul(PAGE_LINES);
        let mut words = list.head.clone();
        if pages > 1 {
            words.zh.push_str(&format!("（第 {page}/{pages} 页）"));
            words.en.push_str(&format!(" (page {page} of {pages})"));
        }
        for (at, one) in list.all.iter().enumerate().skip(skipped).take(PAGE_LINES) {
            let Message { zh, en } = line(one);
            words.zh.push_str(&format!("\n{}. {zh}", at + 1));
            words.en.push_str(&format!("\n{}. {en}", at + 1));
        }
        let turn = |page: u32, says: Words| {
            let behind = (list.behind)(page);
            let fits = behind.chars().nth(BEHIND_CHARS_MAX).is_none();
            let text = format!("/{} {behind}", list.verb.name());
            let is_direct = question.chat_kind == ChatKind::Direct;
            let asks = Question { text, is_direct, locale: question.locale };
            fits.then(|| Turn { words: says.into(), asks })
        };
        let before = (page > 1).then(|| turn(page - 1, BEFORE)).flatten();
        let after = (page < pages).then(|| turn(page + 1, AFTER)).flatten();
        paged_answer(question, words, before.into_iter().chain(after).collect())
    }

    /// The alerts that ring, a page of them.
    pub(super) fn alerts_asked(
        &self,
        question: &ChatMessage,
        behind: &str,
        sources: &[SourceName],
        now: Timestamp,
    ) -> Answer {
        let ringing = self.ringing(sources);
        if ringing.is_empty() {
            return paged_answer(question, reply::NOTHING_RINGS.into(), Vec::new());
        }
        let list = Listed {
            verb: Verb::Alerts,
            behind: &|page| format!("页:{page}"),
            head: reply::ringing(ringing.len(), ringing.iter().filter(|alert| alert.is_taken()).count()),
            all: &ringing,
            page: paged(behind).0,
        };
        Self::page_of(question, &list, |alert: &&Alert| self.unheard_words(alert, now))
    }

    /// The rules in force on what whoever asks may look at, a page of them, with how many alerts of each ring.
    pub(super) fn rules_asked(&self, question: &ChatMessage, behind: &str, sources: &[SourceName]) -> Answer {
        let of_these = |rule: &&Rule| {
            let watched = rule.sources.as_deref();
            watched.is_none_or(|watched| watched.iter().any(|source| sources.contains(source)))
        };
        let rules: Vec<&Rule> = self.rules.values().map(|rule| &**rule).filter(of_these).collect();
        let ringing = self.ringing(sources);
        let line = |rule: &&Rule| {
            let rings = ringing.iter().filter(|alert| self.rule_called(alert) == &rule.name).count();
            let (severity, mode) = (severity_words(rule.severity), mode_words(&rule.mode));
            let (zh, en) = match rings {
                0 => Default::default(),
                1 => ("，1 条在响".to_string(), ", 1 alert rings".to_string()),
                _ => (format!("，{rings} 条在响"), format!(", {rings} alerts ring")),
            };
            Message::new(
                format!("{}（{}{}）{zh}", rule.name, severity.zh, mode.zh),
                format!("{} ({}{}){en}", rule.name, severity.en, mode.en),
            )
        };
        let head = match rules.len() {
            0 => Message::new("现在没有规则", "There are no rules now"),
            1 => Message::new("1 条规则", "1 rule"),
            count => Message::new(format!("{count} 条规则"), format!("{count} rules")),
        };
        let page = paged(behind).0;
        let list = Listed { verb: Verb::Rules, behind: &|page| format!("页:{page}"), head, all: &rules, page };
        Self::page_of(question, &list, line)
    }

    /// How many tickets there are of what is counted: those in the queue, those rated badly today; both where neither
    /// was said.
    pub(super) fn how_many(&self, behind: &str, sources: &[SourceName], now: Timestamp) -> Message {
        match behind {
            "queue" => self.queueing(sources, now),
            "bad" => self.rated_badly(sources, now),
            _ => {
                let (queue, bad) = (self.queueing(sources, now), self.rated_badly(sources, now));
                Message::new(format!("{}\n{}", queue.zh, bad.zh), format!("{}\n{}", queue.en, bad.en))
            }
        }
    }

    fn queueing(&self, sources: &[SourceName], now: Timestamp) -> Message {
        let waits = |tracked: &&Tracked| tracked.ticket.status.present().is_some_and(|it| it.code() == QUEUEING);
        let mut found: Vec<&Tracked> = self.tickets_in(sources).filter(waits).collect();
        found.sort_by_key(|tracked| tracked.facts.status_since);
        let longest = found.first().map(|tracked| span_words(now.since(tracked.facts.status_since).max(Span::ZERO)));
        reply::queueing(found.len(), longest.as_ref(), &tails_of(&found))
    }

    /// Rated badly and touched today: of when a score was given the source says nothing.
    fn rated_badly(&self, sources: &[SourceName], now: Timestamp) -> Message {
        let today = self.settings.zone.local(now).date_naive();
        let is_today = |tracked: &&Tracked| {
            let ticket = &tracked.ticket;
            let at = ticket.updated_at.present().max(ticket.closed_at.present()).max(ticket.created_at.present());
            at.is_some_and(|at| self.settings.zone.local(*at).date_naive() == today)
        };
        let is_bad = |tracked: &&Tracked| tracked.ticket.score.present().is_some_and(|it| *it == DISSATISFIED);
        let found: Vec<&Tracked> = self.tickets_in(sources).filter(is_bad).filter(is_today).collect();
        reply::bad_ratings(found.len(), &tails_of(&found))
    }

    /// The tickets under watch in these sources that are still there.
    pub(super) fn tickets_in<'a>(&'a self, sources: &'a [SourceName]) -> impl Iterator<Item = &'a Tracked> {
        let there = self.tickets.values().map(|watched| &watched.tracked).filter(|it| it.gone_at.is_none());
        there.filter(|tracked| sources.contains(&tracked.ticket.key.source))
    }
}

/// A page, where it has buttons or takes the place of one; else a sentence.
pub(super) fn paged_answer(question: &ChatMessage, words: Message, turns: Vec<Turn>) -> Answer {
    if turns.is_empty() && question.on_card.is_none() { Answer::Text(words) } else { Answer::Page(words, turns) }
}

fn tails_of(tickets: &[&Tracked]) -> Vec<String> {
    tickets.iter().take(NAMED_MAX).map(|tracked| tail(&tracked.ticket.key.id)).collect()
}

const fn mode_words(mode: &Mode) -> Words {
    match mode {
        Mode::Live => Words { zh: "", en: "" },
        Mode::Trial(_) => Words { zh: "，试运行", en: ", in trial" },
        Mode::Disabled => Words { zh: "，停用", en: ", disabled" },
    }
}
