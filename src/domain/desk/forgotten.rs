//! Forgetting a guest: what is blanked on their tickets, and how such a ticket is told.
//!
//! A ticket of a guest who was forgotten is kept blank while it is closed: what the source shows of it is blanked before
//! it is taken in, so that nothing comes back with the next poll. While it is open it is served, and kept as it is.

use std::sync::Arc;

use crate::domain::{
    actor::Actor,
    alert::Alert,
    desk::{
        outcome::Write,
        state::{Answer, Entry, JournalEntry, Stored, Tracked},
    },
    facts::Facts,
    id::{Subject, TicketKey},
    text::{Message, Words, fold},
    ticket::{Known, Person, Ticket},
    time::Timestamp,
};

/// What was removed of a guest, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Closed tickets, blanked.
    pub closed: usize,
    /// Open tickets: blanked once they are closed.
    pub open: usize,
    /// Alerts whose reasons were blanked.
    pub alerts: usize,
    /// Notices and dead letters that were dropped.
    pub notices: usize,
}

impl Forgotten {
    /// The numbers in words.
    pub fn words(&self) -> Message {
        let Self { closed, open, alerts, notices } = *self;
        let mut zh = format!(
            "已删除客户资料：已关闭的工单 {closed} 张、提醒的原因 {alerts} 条、通知 {notices} 条，以及这些工单的旧值和日志"
        );
        let mut en = format!(
            "deleted: closed tickets {closed}, reasons of alerts {alerts}, notices {notices}, with the tickets' history and \
             journal"
        );
        if open > 0 {
            zh.push_str(&format!("。没有关闭、仍在服务的工单 {open} 张，关闭时自动删除"));
            en.push_str(&format!(". Open tickets, still served and blanked when they are closed: {open}"));
        }
        Message::new(zh, en)
    }
}

/// Whether a ticket is of the guest that is meant, by open id or email.
pub fn is_of(ticket: &Ticket, guest: &str) -> bool {
    let Some(person) = ticket.guest.present() else { return false };
    let wanted = fold(guest);
    [&person.id, &person.email].into_iter().any(|part| part.present().is_some_and(|part| *fold(part) == *wanted))
}

/// Nothing that a person said, wrote or is.
pub fn blank(ticket: &Ticket) -> Ticket {
    let closed_by = if is_guests(&ticket.closed_by, ticket) { Known::Empty } else { ticket.closed_by.clone() };
    Ticket {
        guest: Known::Empty,
        comments: Known::Empty,
        dissatisfaction_reason: Known::Empty,
        customized_fields: Known::Empty,
        tags: Known::Empty,
        closed_by,
        ..ticket.clone()
    }
}

/// The same of what is known besides: who waited for whom stays, the words do not.
pub fn blank_facts(facts: &Facts) -> Facts {
    let conversation = facts.conversation.as_ref().map(|talk| Arc::new(talk.without_words()));
    Facts { conversation, ..facts.clone() }
}

/// What an alert's reason says once it was blanked.
pub fn blank_why() -> Message {
    Message::new("（已按要求删除）", "(deleted on request)")
}

/// Whether a person is the ticket's guest.
fn is_guests(person: &Known<Arc<Person>>, ticket: &Ticket) -> bool {
    let id = |known: &Known<Arc<Person>>| known.present().and_then(|person| person.id.present().cloned());
    id(person).is_some_and(|one| id(&ticket.guest) == Some(one))
}

/// Nobody is called so.
pub const NOBODY: Words = Words {
    zh: "没有这个客户的工单。写客户的 open_id（ou_…）或邮箱",
    en: "there is no ticket of this guest. Name them by open id (ou_…) or email",
};

/// What forgetting a guest writes in a store that no service has open; nothing where there is no ticket of theirs. Cards
/// follow with the next start.
pub fn in_store(stored: &Stored, guest: &str, by: &Actor, now: Timestamp) -> (Forgotten, Vec<Write>) {
    let (mut done, mut writes) = (Forgotten::default(), Vec::new());
    let tickets: Vec<&Tracked> = stored.tickets.iter().filter(|tracked| is_of(&tracked.ticket, guest)).collect();
    let words = words_of(guest, tickets.iter().map(|tracked| &*tracked.ticket));
    for tracked in &tickets {
        let key = &tracked.ticket.key;
        writes.push(Write::Forgotten(key.clone(), now));
        if tracked.ticket.is_closed() == Some(false) && tracked.gone_at.is_none() {
            done.open += 1;
        } else {
            done.closed += 1;
            let (ticket, facts) = (Arc::new(blank(&tracked.ticket)), blank_facts(&tracked.facts));
            writes.push(Write::Ticket(Box::new(Tracked { ticket, facts, ..(*tracked).clone() })));
        }
        let subject = Subject::Ticket(key.clone());
        let is_on = |alert: &&Alert| alert.key.subject == subject;
        for alert in stored.alerts.iter().filter(is_on) {
            done.alerts += 1;
            let alert = Alert { why: blank_why(), rev: alert.rev + 1, ..alert.clone() };
            writes.push(Write::Alert(Box::new(alert)));
        }
        let past = stored.past.iter().filter(is_on);
        writes.extend(past.map(|alert| Write::Past(Box::new(Alert { why: blank_why(), ..alert.clone() }))));
        let entry = JournalEntry { at: now, subject, rule: None, episode: 0, what: "forgotten", note: journalled(by) };
        writes.push(Write::Journal(Box::new(entry)));
    }
    let keys: Vec<&TicketKey> = tickets.iter().map(|tracked| &tracked.ticket.key).collect();
    let waiting = stored.outbox.iter().filter(|entry| speaks_of(entry, &words));
    let waiting: Vec<Write> = waiting.map(|entry| Write::DropOutbox(entry.key.clone())).collect();
    let dead = stored.dead.iter().map(|letter| &letter.entry).filter(|entry| is_about(entry, &keys, &words));
    let dead: Vec<Write> = dead.map(|entry| Write::DropDead(entry.key.clone())).collect();
    done.notices = waiting.len() + dead.len();
    writes.extend(waiting.into_iter().chain(dead));
    if tickets.is_empty() { (Forgotten::default(), Vec::new()) } else { (done, writes) }
}

/// What names the guest or one of their tickets in a text.
pub fn words_of<'a>(guest: &str, tickets: impl Iterator<Item = &'a Ticket>) -> Vec<String> {
    let mut words = vec![guest.to_string()];
    for ticket in tickets {
        words.push(ticket.key.id.to_string());
        let name = ticket.guest.present().and_then(|person| person.name.present());
        words.extend(name.map(ToString::to_string));
    }
    words.retain(|word| word.chars().nth(1).is_some()); // one character names nobody
    words.sort();
    words.dedup();
    words
}

/// Whether a notice's own words name one of these.
pub fn speaks_of(entry: &Entry, words: &[String]) -> bool {
    match &entry.text {
        Some(Answer::Text(text)) => words.iter().any(|word| text.zh.contains(word) || text.en.contains(word)),
        Some(Answer::Ticket(key)) => words.iter().any(|word| key.id.as_str() == word),
        None => false,
    }
}

/// Whether a notice is about one of these tickets, or names one of these words.
pub fn is_about(entry: &Entry, keys: &[&TicketKey], words: &[String]) -> bool {
    speaks_of(entry, words) || entry.key.subject.ticket().is_some_and(|ticket| keys.contains(&ticket))
}

/// Who asked, and nothing of whom it is about.
pub fn journalled(by: &Actor) -> Message {
    let by = by.words();
    Message::new(
        format!("{} 要求删除这张工单的客户资料、旧值和日志", by.zh),
        format!("{} had the guest's data, the history and the journal of this ticket deleted", by.en),
    )
}
