//! Dead letters: notices that could not be delivered, kept with the reason for as long as someone may still look.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    alert::AlertKey,
    deed::{Act, Acted, Deed, Tone},
    desk::{
        digests::DIGEST,
        letters::Fares,
        machine::Desk,
        outcome::Write,
        state::{DeadLetter, Entry},
    },
    notice::{NoticeKey, Step},
    text::Message,
    time::{Span, Timestamp},
};

/// Dead letters kept; the oldest makes room for one more.
pub const DEAD_LETTERS_MAX: usize = 1_000;

/// Alerts of a digest whose journals say what became of it, at most; its own says it anyway.
const MEMBERS_NOTED_MAX: usize = 500;

/// Dead letters by key and by age.
#[derive(Debug, Default)]
pub(super) struct DeadLetters {
    letters: BTreeMap<NoticeKey, DeadLetter>,
    by_age: BTreeSet<(Timestamp, NoticeKey)>,
}

impl DeadLetters {
    pub(super) fn len(&self) -> usize {
        self.letters.len()
    }

    /// The latest first.
    pub(super) fn latest(&self) -> impl Iterator<Item = &DeadLetter> {
        self.by_age.iter().rev().filter_map(|(_, key)| self.letters.get(key))
    }

    pub(super) fn put(&mut self, letter: DeadLetter) {
        let key = letter.entry.key.clone();
        self.by_age.insert((letter.at, key.clone()));
        if let Some(before) = self.letters.insert(key.clone(), letter)
            && self.letters.get(&key).is_some_and(|letter| letter.at != before.at)
        {
            self.by_age.remove(&(before.at, key));
        }
    }

    /// When a tick must let the oldest go.
    pub(super) fn next_due(&self, retention: Span) -> Timestamp {
        self.by_age.first().map_or(Timestamp::NEVER, |(at, _)| at.plus(retention))
    }

    /// Whether a notice is one of them.
    pub(super) fn has(&self, key: &NoticeKey) -> bool {
        self.letters.contains_key(key)
    }

    fn get(&self, key: &NoticeKey) -> Option<&DeadLetter> {
        self.letters.get(key)
    }

    fn remove(&mut self, key: &NoticeKey) -> Option<DeadLetter> {
        let letter = self.letters.remove(key)?;
        self.by_age.remove(&(letter.at, key.clone()));
        Some(letter)
    }

    fn take_oldest(&mut self) -> Option<NoticeKey> {
        let (_, key) = self.by_age.pop_first()?;
        self.letters.remove(&key);
        Some(key)
    }
}

impl Desk {
    /// Keeps a notice that cannot be delivered.
    pub(super) fn keep_dead(&mut self, letter: DeadLetter, now: Timestamp) {
        self.write(Write::Dead(Box::new(letter.clone())));
        self.dead.put(letter);
        self.forget_dead(now);
    }

    /// Does what a person wants done about a notice that is not delivered, once.
    pub(super) fn see_to_letter(&mut self, act: &Act, again: bool, now: Timestamp) -> Acted {
        match &act.deed {
            _ if again => acted(Tone::Already, Message::new("这一步已经做过", "this was done before")),
            Deed::Retry(name) => self.retry_letter(act, name, now),
            Deed::Forget(name) => self.forget_letter(act, name, now),
            _ => acted(Tone::Refused, Message::new("这不是对通知做的事", "this is nothing that is done to a notice")),
        }
    }

    /// Tries a notice once more that cannot be delivered, or that waits for its next attempt.
    fn retry_letter(&mut self, act: &Act, name: &str, now: Timestamp) -> Acted {
        let letter = match self.letter(name) {
            Ok(letter) => letter,
            Err(words) => return acted(Tone::Missing, words),
        };
        let (key, name) = (letter.key.clone(), letter.name());
        let entry = match letter.fares {
            Fares::Goes => return acted(Tone::Already, Message::new("这条正在发", "it is being sent")),
            Fares::Waits => self.outbox.get(&key).cloned(),
            Fares::Dead { .. } => self.dead.get(&key).map(|letter| letter.entry.clone()),
        };
        let Some(entry) = entry else {
            return acted(Tone::Missing, Message::new("没有这条通知", "no such notice"));
        };
        // Its time begins anew; whether an attempt may have arrived is still known, and looked after.
        let entry = Entry { decided_at: now, not_before: now, attempts: 0, last_error: None, ..entry };
        if let Some(why) = self.not_due(&entry, now) {
            let next = format!("deskbell outbox drop {name}");
            return acted(
                Tone::Refused,
                Message::new(
                    format!("不用再发了：{}。不要它：{next}", why.zh),
                    format!("it is not due any more: {}. Give it up: {next}", why.en),
                ),
            );
        }
        if self.dead.remove(&key).is_some() {
            self.write(Write::DropDead(key.clone()));
            self.show_untold(&key, now);
        }
        let by = act.by.words();
        let note = Message::new(
            format!("{} 要求再发给 {}", by.zh, key.receiver),
            format!("{} had it tried again to {}", by.en, key.receiver),
        );
        self.journal_notice(&key, "retried", note, now);
        self.write(Write::Outbox(Box::new(entry.clone())));
        self.outbox.put(entry);
        let receiver = &key.receiver;
        acted(Tone::Done, Message::new(format!("马上再发给 {receiver}"), format!("it goes to {receiver} again now")))
    }

    /// Gives a notice up for good that cannot be delivered, or that waits for its next attempt.
    fn forget_letter(&mut self, act: &Act, name: &str, now: Timestamp) -> Acted {
        let letter = match self.letter(name) {
            Ok(letter) => letter,
            Err(words) => return acted(Tone::Missing, words),
        };
        let key = letter.key;
        let by = act.by.words();
        let note = Message::new(
            format!("{} 决定不再发给 {}", by.zh, key.receiver),
            format!("{} gave it up for {}", by.en, key.receiver),
        );
        match letter.fares {
            Fares::Goes => {
                return acted(
                    Tone::Refused,
                    Message::new("这条正在发，等它有结果", "it is being sent; wait for the result"),
                );
            }
            Fares::Waits => {
                self.give_follow_up_up(&key);
                self.journal_members(&key, "dead_dropped", &note, now);
                self.drop_notice(&key, note, now);
                self.settle(&key, now);
            }
            Fares::Dead { .. } => {
                self.dead.remove(&key);
                self.write(Write::DropDead(key.clone()));
                self.journal_notice(&key, "dead_dropped", note, now);
            }
        }
        let receiver = &key.receiver;
        acted(
            Tone::Done,
            Message::new(
                format!("不再发给 {receiver}，已记入日志"),
                format!("it will not go to {receiver}; the journal says so"),
            ),
        )
    }

    /// What became of a notice, in the journal of what it is about: of a digest in those of its alerts too.
    pub(super) fn journal_notice(&mut self, key: &NoticeKey, what: &'static str, note: Message, now: Timestamp) {
        self.journal_members(key, what, &note, now);
        self.journal(now, (&key.subject, Some(&key.rule), key.episode), what, note);
    }

    fn journal_members(&mut self, key: &NoticeKey, what: &'static str, note: &Message, now: Timestamp) {
        if key.rule.as_str() != DIGEST || key.step != Step::Digest {
            return;
        }
        let reference = key.reference();
        let note = Message::new(format!("汇总 #{reference}：{}", note.zh), format!("digest #{reference}: {}", note.en));
        let members = self.told_to(&key.subject, key.episode, &key.receiver).into_iter().take(MEMBERS_NOTED_MAX);
        let members: Vec<(AlertKey, u32)> = members.map(|alert| (alert.key.clone(), alert.episode)).collect();
        for (alert, episode) in members {
            self.journal(now, (&alert.subject, Some(&alert.rule), episode), what, note.clone());
        }
    }

    /// Lets a dead letter go without a word.
    pub(super) fn drop_dead(&mut self, key: &NoticeKey) {
        if self.dead.remove(key).is_some() {
            self.write(Write::DropDead(key.clone()));
        }
    }

    /// Lets go of what is too old, and of the oldest beyond [`DEAD_LETTERS_MAX`]; the journal says so.
    pub(super) fn forget_dead(&mut self, now: Timestamp) {
        loop {
            let why = if self.dead.len() > DEAD_LETTERS_MAX {
                Message::new(
                    format!("发不出去的通知最多留 {DEAD_LETTERS_MAX} 条，最早的不再保留"),
                    format!("at most {DEAD_LETTERS_MAX} undeliverable notices are kept; the oldest made room"),
                )
            } else if self.dead.next_due(self.settings.retention) <= now {
                Message::new(
                    "发不出去的通知已超过保留期限（store.retention）",
                    "the undeliverable notice is older than store.retention",
                )
            } else {
                return;
            };
            let Some(key) = self.dead.take_oldest() else { return };
            self.journal(now, (&key.subject, Some(&key.rule), key.episode), "dead_forgotten", why);
            self.write(Write::DropDead(key));
        }
    }
}

const fn acted(tone: Tone, words: Message) -> Acted {
    Acted { tone, words, card: None }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{
        desk::{
            input::Input,
            outcome::Outcome,
            settings::Settings,
            state::{Lane, Stored},
        },
        id::Subject,
    };

    const START: Timestamp = Timestamp::from_ms(1_700_000_000_000);
    const RETENTION: Span = Span::from_days(90);

    fn letter(number: u32) -> DeadLetter {
        let key = NoticeKey {
            subject: Subject::Service,
            rule: "deskbell.dead_letter".into(),
            episode: number,
            step: Step::Trouble,
            ordinal: 0,
            receiver: "support".into(),
        };
        let entry = Entry {
            key,
            lane: Lane::Alerts,
            target: None,
            text: None,
            decided_at: START,
            not_before: START,
            first_tried_at: None,
            attempts: 1,
            without_mentions: false,
            masked: false,
            maybe_repeat: false,
            last_error: None,
        };
        DeadLetter {
            entry,
            at: START.plus(Span::from_secs(i64::from(number))),
            reason: Message::new("被拒绝", "refused"),
        }
    }

    fn desk(dead: Vec<DeadLetter>) -> (Desk, Outcome) {
        let settings = Settings { retention: RETENTION, ..Settings::bare() };
        Desk::open(Stored { dead, ..Stored::default() }, Arc::default(), settings, START)
    }

    /// Which letters are let go of, each with its line in the journal.
    fn forgotten(outcome: &Outcome) -> Vec<u32> {
        let told =
            outcome.writes.iter().filter(|write| matches!(write, Write::Journal(it) if it.what == "dead_forgotten"));
        let gone = outcome.writes.iter().filter_map(|write| match write {
            Write::DropDead(key) => Some(key.episode),
            _ => None,
        });
        let gone: Vec<u32> = gone.collect();
        assert_eq!(told.count(), gone.len());
        gone
    }

    #[test]
    fn the_oldest_make_room_and_all_go_in_time() {
        let kept = u32::try_from(DEAD_LETTERS_MAX).unwrap();
        let (mut desk, outcome) = desk((0..kept + 3).map(letter).collect());
        assert_eq!(forgotten(&outcome), [0, 1, 2]);
        assert_eq!(desk.view(START).dead, DEAD_LETTERS_MAX);
        desk.keep_dead(letter(kept + 3), START);
        assert_eq!(forgotten(&std::mem::take(&mut desk.out)), [3]);
        desk.keep_dead(DeadLetter { at: letter(kept + 4).at, ..letter(4) }, START);
        assert_eq!(forgotten(&std::mem::take(&mut desk.out)), [0_u32; 0], "the same notice takes no second place");
        let due = letter(5).at.plus(RETENTION);
        assert_eq!(desk.next_due(), due);
        let early = desk.handle(Input::Tick, due.minus(Span::from_ms(1)));
        assert_eq!(forgotten(&early), [0_u32; 0]);
        assert_eq!(forgotten(&desk.handle(Input::Tick, due)), [5]);
        let rest = desk.handle(Input::Tick, Timestamp::NEVER);
        assert_eq!(forgotten(&rest).len(), DEAD_LETTERS_MAX - 1);
        assert_eq!(desk.next_due(), Timestamp::NEVER);
    }
}
