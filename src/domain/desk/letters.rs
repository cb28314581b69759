//! The outbox and the dead letters, one by one, for operators. Nothing changes here.

use crate::domain::{
    desk::{
        digests::DIGEST,
        machine::Desk,
        state::{DeadLetter, Entry, Lane},
    },
    notice::NoticeKey,
    text::Message,
    time::Timestamp,
};

/// Hex digits of a key's `uuid` that name a notice.
pub const LETTER_NAME_DIGITS: usize = 8;

/// Hex digits a notice is named with, at least.
const LETTER_NAME_DIGITS_MIN: usize = 4;

/// Notices of one answer, at most.
pub const LETTERS_PAGE_MAX: usize = 1_000;

/// One notice that is not delivered.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Which notice.
    pub key: NoticeKey,
    /// Which lane it waits in.
    pub lane: Lane,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// Not before this instant.
    pub not_before: Timestamp,
    /// The first attempt that may have arrived.
    pub first_tried_at: Option<Timestamp>,
    /// It may have arrived, and nobody can tell.
    pub maybe_repeat: bool,
    /// Attempts made.
    pub attempts: u32,
    /// What the last one said.
    pub last_error: Option<Message>,
    /// What it is about goes by this: the ticket's subject line, else its guest.
    pub title: Option<String>,
    /// Of a digest, the references of its alerts, at most 50.
    pub holds: Vec<String>,
    /// How many alerts it has.
    pub holds_total: usize,
    /// How it fares.
    pub fares: Fares,
}

/// How a notice fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fares {
    /// It waits.
    Waits,
    /// It is being sent.
    Goes,
    /// It was given up.
    Dead {
        /// When.
        at: Timestamp,
        /// Why.
        reason: Message,
    },
}

impl Letter {
    /// The first hex digits of its key's `uuid`, which name it at the command line.
    pub fn name(&self) -> String {
        letter_name(&self.key)
    }
}

/// The first hex digits of a key's `uuid`.
pub fn letter_name(key: &NoticeKey) -> String {
    key.uuid().chars().take(LETTER_NAME_DIGITS).collect()
}

/// What is not delivered.
#[derive(Clone, Debug, Default)]
pub struct Letters {
    /// The notices that wait or are on their way, the oldest first, at most [`LETTERS_PAGE_MAX`].
    pub waiting: Vec<Letter>,
    /// How many there are.
    pub waiting_total: usize,
    /// The dead letters, the latest first.
    pub dead: Vec<Letter>,
}

impl Desk {
    /// What is not delivered: what waits, and what was given up.
    pub fn letters(&self) -> Letters {
        let mut waiting: Vec<&Entry> = self.outbox.entries().collect();
        waiting.sort_by(|one, other| (one.decided_at, &one.key).cmp(&(other.decided_at, &other.key)));
        let waiting_total = waiting.len();
        Letters {
            waiting: waiting.into_iter().take(LETTERS_PAGE_MAX).map(|entry| self.waiting_letter(entry)).collect(),
            waiting_total,
            dead: self.dead.latest().take(LETTERS_PAGE_MAX).map(|letter| self.dead_letter(letter)).collect(),
        }
    }

    /// The notice named so: by the beginning of its key's `uuid`.
    ///
    /// # Errors
    /// None is named so, or several are.
    pub fn letter(&self, name: &str) -> Result<Letter, Message> {
        let name = name.trim().to_ascii_lowercase();
        if name.len() < LETTER_NAME_DIGITS_MIN || !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Message::new(
                format!("通知的名字是 {LETTER_NAME_DIGITS_MIN} 位以上的十六进制数字；运行 deskbell outbox 看有哪些"),
                format!("a notice is named by {LETTER_NAME_DIGITS_MIN} hex digits or more; deskbell outbox lists them"),
            ));
        }
        let waiting = self.outbox.entries().filter(|entry| entry.key.uuid().starts_with(&name));
        let dead = self.dead.latest().filter(|letter| letter.entry.key.uuid().starts_with(&name));
        let waiting = waiting.map(|entry| self.waiting_letter(entry));
        let mut named: Vec<Letter> = waiting.chain(dead.map(|letter| self.dead_letter(letter))).collect();
        match (named.pop(), named.len()) {
            (Some(only), 0) => Ok(only),
            (Some(_), _) => Err(Message::new(
                format!("有几条通知都以 {name} 开头，请多写几位"),
                format!("several notices begin with {name}; write more digits"),
            )),
            (None, _) => Err(Message::new(
                format!("没有叫 {name} 的通知：它可能已经送达或丢弃；运行 deskbell outbox 看有哪些"),
                format!("there is no notice {name}: it may be delivered or dropped; deskbell outbox lists them"),
            )),
        }
    }

    fn waiting_letter(&self, entry: &Entry) -> Letter {
        let fares = if self.outbox.is_in_flight(&entry.key) { Fares::Goes } else { Fares::Waits };
        self.letter_of(entry, fares)
    }

    fn dead_letter(&self, letter: &DeadLetter) -> Letter {
        self.letter_of(&letter.entry, Fares::Dead { at: letter.at, reason: letter.reason.clone() })
    }

    fn letter_of(&self, entry: &Entry, fares: Fares) -> Letter {
        let key = &entry.key;
        let is_digest = key.rule.as_str() == DIGEST;
        let (holds, holds_total) =
            if is_digest { self.digest_names(&key.subject, key.episode) } else { Default::default() };
        Letter {
            holds,
            holds_total,
            key: entry.key.clone(),
            lane: entry.lane,
            decided_at: entry.decided_at,
            not_before: entry.not_before,
            first_tried_at: entry.first_tried_at,
            maybe_repeat: entry.maybe_repeat,
            attempts: entry.attempts,
            last_error: entry.last_error.clone(),
            title: self.title_of(&entry.key.subject),
            fares,
        }
    }
}
