//! Forgetting a guest: what is blanked on their tickets, and how such a ticket is told.
//!
//! A ticket of a guest who was forgotten is kept blank unless it is open: what the source shows of it is blanked before
//! it is taken in, so that nothing comes back with the next poll. While it is open it is served, and kept as it is.

use std::sync::Arc;

use crate::domain::{
    actor::Actor,
    alert::Alert,
    desk::{
        let_go::may_go,
        outcome::Write,
        state::{Answer, Entry, JournalEntry, Stored, Tracked},
    },
    facts::Facts,
    id::{Subject, TicketKey},
    notice::Step,
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

/// Whether a ticket is served no more: what is not known to be open is not kept for its sake.
pub fn is_over(ticket: &Ticket) -> bool {
    ticket.is_closed() != Some(false)
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
        if !is_over(&tracked.ticket) && tracked.gone_at.is_none() {
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
    let groups = stored.alerts.iter().filter(|alert| may_go(alert, now) && words.is_group(&alert.key.subject));
    for alert in groups.filter(|_| !tickets.is_empty()) {
        done.alerts += 1;
        writes.push(Write::ForgetAlert(alert.key.clone()));
        let past = stored.past.iter().filter(|past| past.key == alert.key);
        writes.extend(past.map(|past| Write::DropPast(past.key.clone(), past.episode)));
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

/// What names a guest or one of their tickets in a text.
#[derive(Debug, Default)]
pub struct Named {
    tickets: Vec<String>,
    guest: Vec<String>,
}

impl Named {
    /// Whether a subject is a group that is called like the guest.
    pub fn is_group(&self, subject: &Subject) -> bool {
        match subject {
            Subject::Group(value) => self.guest.iter().any(|word| fold(word) == fold(value)),
            _ => false,
        }
    }
}

/// What names this guest and their tickets.
pub fn words_of<'a>(guest: &str, tickets: impl Iterator<Item = &'a Ticket>) -> Named {
    let mut named = Named { tickets: Vec::new(), guest: vec![guest.to_string()] };
    for ticket in tickets {
        named.tickets.push(ticket.key.id.to_string());
        let parts = ticket.guest.present().map(|person| [&person.name, &person.id, &person.email]);
        let parts = parts.into_iter().flatten().filter_map(Known::present);
        named.guest.extend(parts.map(ToString::to_string));
    }
    named.guest.retain(|word| word.chars().nth(1).is_some()); // one character names nobody
    named.guest.sort();
    named.guest.dedup();
    named
}

/// Whether a notice's own words name one of these. A guest is named in answers alone: what deskbell tells of itself is
/// about others of that name, and the note at an alert's head says nothing of the ticket.
pub fn speaks_of(entry: &Entry, named: &Named) -> bool {
    let has = |text: &Message, words: &[String]| {
        words.iter().any(|word| has_word(&text.zh, word) || has_word(&text.en, word))
    };
    match (&entry.text, entry.key.step) {
        (Some(Answer::Ticket(key)), _) => named.tickets.iter().any(|word| key.id.as_str() == word),
        (Some(Answer::Text(text) | Answer::Page(text, _)), Step::Answer) => {
            has(text, &named.tickets) || has(text, &named.guest)
        }
        (Some(Answer::Text(text)), Step::Trouble | Step::Announced) => has(text, &named.tickets),
        _ => false,
    }
}

/// Whether a text has a word whole: `Al` is not in `Alerts`. Scripts that put nothing between their words have no edges.
fn has_word(text: &str, word: &str) -> bool {
    let is_spelled = |c: char| (c.is_alphanumeric() || c == '_') && !is_unspaced(c);
    let joins = |one: Option<char>, other: Option<char>| one.is_some_and(is_spelled) && other.is_some_and(is_spelled);
    let (first, last) = (word.chars().next(), word.chars().next_back());
    text.match_indices(word).any(|(at, found)| {
        let before = text.get(..at).and_then(|rest| rest.chars().next_back());
        let after = text.get(at + found.len()..).and_then(|rest| rest.chars().next());
        !joins(before, first) && !joins(last, after)
    })
}

/// Chinese, Japanese, Korean, Thai.
const fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{e7f}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Whether a notice is about one of these tickets, or names one of these words.
pub fn is_about(entry: &Entry, keys: &[&TicketKey], named: &Named) -> bool {
    speaks_of(entry, named) || entry.key.subject.ticket().is_some_and(|ticket| keys.contains(&ticket))
}

/// Who asked, and nothing of whom it is about.
pub fn journalled(by: &Actor) -> Message {
    let by = by.words();
    Message::new(
        format!("{} 要求删除这张工单的客户资料、旧值和日志", by.zh),
        format!("{} had the guest's data, the history and the journal of this ticket deleted", by.en),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{desk::state::Lane, notice::NoticeKey};

    #[test]
    fn a_name_is_a_whole_word() {
        for (text, word, has) in [
            ("Alerts that ring now", "Al", false),
            ("Ticket of Al, closed", "Al", true),
            ("Al", "Al", true),
            ("给Al的工单", "Al", true),
            ("Li_2 or Lin", "Li", false),
            ("ou_guest2 and xou_guest", "ou_guest", false),
            ("by ou_guest.", "ou_guest", true),
            ("工单由李雷提交", "李雷", true),
            ("工单由李提交", "李雷", false),
            ("mail <al@example.com>", "al@example.com", true),
            ("mail <pal@example.com>", "al@example.com", false),
            ("no", "", true),
        ] {
            assert_eq!(has_word(text, word), has, "{word} in {text}");
        }
    }

    #[test]
    fn what_deskbell_tells_of_itself_is_not_about_a_guest_of_that_name() {
        let named = Named { tickets: vec!["7157961378147110221".into()], guest: vec!["Al".into(), "李雷".into()] };
        let entry = |step, text: &str| Entry {
            text: Some(Answer::Text(Message::new(text, text))),
            ..Entry::new(
                NoticeKey {
                    subject: Subject::Service,
                    rule: "deskbell.x".into(),
                    episode: 0,
                    step,
                    ordinal: 0,
                    receiver: "ops".into(),
                },
                Lane::Alerts,
                Timestamp::MIN,
            )
        };
        for (step, text, speaks) in [
            (Step::Answer, "Al waits", true),
            (Step::Answer, "Alerts", false),
            (Step::Answer, "ticket 7157961378147110221", true),
            (Step::Answer, "ticket 71579613781471102210", false),
            (Step::Trouble, "李雷 left the company", false),
            (Step::Announced, "Al edited a rule", false),
            (Step::Trouble, "ticket 7157961378147110221 cannot be read", true),
            (Step::Escalated, "meant for 李雷: no such person", false),
        ] {
            assert_eq!(speaks_of(&entry(step, text), &named), speaks, "{step:?} {text}");
        }
    }
}
