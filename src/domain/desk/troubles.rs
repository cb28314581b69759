//! deskbell's own troubles: told to operations, each once a day.

use crate::domain::{
    desk::{
        machine::Desk,
        outcome::Write,
        state::{Answer, Lane},
    },
    id::{MessageId, ReceiverName, RuleName, Subject},
    notice::{NoticeKey, Step},
    text::Message,
    time::{Span, Timestamp},
};

/// How long what was seen or told is remembered: redeliveries come up to 7 h later (`facts/feishu.md §5.5`), sent
/// keys must outlive a day.
pub const SEEN_KEPT: Span = Span::from_hours(48);

impl Desk {
    /// Tells operations, unless it was told today.
    pub(super) fn trouble(&mut self, name: &'static str, message: Message, now: Timestamp) {
        self.journal(now, (&Subject::Service, None, 0), name, message.clone());
        self.counters.troubles += 1;
        let Some(receiver) = self.settings.operations.clone() else { return };
        let day = now.as_ms().div_euclid(Span::from_days(1).as_ms());
        let key = NoticeKey {
            subject: Subject::Service,
            rule: RuleName::from(format!("deskbell.{name}").as_str()),
            episode: u32::try_from(day).unwrap_or(0),
            step: Step::Trouble,
            ordinal: 0,
            receiver,
        };
        if self.remember(MessageId::from(key.uuid().as_str()), now) {
            self.enqueue(key, Lane::Critical, Some(Answer::Text(message)), now);
        }
    }

    /// Tells operations of a trouble with something, unless it was told of the same today.
    pub(super) fn trouble_of(&mut self, name: &'static str, about: &str, message: Message, now: Timestamp) {
        let day = now.as_ms().div_euclid(Span::from_days(1).as_ms());
        let about = format!("deskbell.{name}\u{1f}{about}\u{1f}{day}");
        if self.remember(MessageId::from(about.as_str()), now) {
            self.trouble_again(name, message, now);
        }
    }

    /// Tells a receiver of something that others are told of too.
    pub(super) fn announce_to(&mut self, name: &'static str, to: ReceiverName, message: Message, now: Timestamp) {
        let key = self.news_key(name, Step::Announced, to, now);
        self.enqueue(key, Lane::Alerts, Some(Answer::Text(message)), now);
    }

    /// Tells operations of a trouble, whether it was told today or not.
    pub(super) fn trouble_again(&mut self, name: &'static str, message: Message, now: Timestamp) {
        self.counters.troubles += 1;
        self.tell_once(name, Step::Trouble, self.settings.operations.clone(), message, now);
    }

    /// Tells someone what is no trouble and worth knowing, once.
    pub(super) fn news(&mut self, name: &'static str, to: Option<ReceiverName>, message: Message, now: Timestamp) {
        self.tell_once(name, Step::Announced, to, message, now);
    }

    fn tell_once(
        &mut self,
        name: &'static str,
        step: Step,
        to: Option<ReceiverName>,
        message: Message,
        now: Timestamp,
    ) {
        self.journal(now, (&Subject::Service, None, 0), name, message.clone());
        let Some(receiver) = to else { return };
        let key = self.news_key(name, step, receiver, now);
        let lane = if step == Step::Trouble { Lane::Critical } else { Lane::Updates };
        self.enqueue(key, lane, Some(Answer::Text(message)), now);
    }

    pub(super) fn news_key(
        &mut self,
        name: &'static str,
        step: Step,
        receiver: ReceiverName,
        now: Timestamp,
    ) -> NoticeKey {
        let minute = now.as_ms().div_euclid(Span::from_mins(1).as_ms());
        let ordinal = news_ordinal(now, self.sent_news);
        self.sent_news = self.sent_news.wrapping_add(1);
        NoticeKey {
            subject: Subject::Service,
            rule: RuleName::from(format!("deskbell.{name}").as_str()),
            episode: u32::try_from(minute).unwrap_or(0),
            step,
            ordinal,
            receiver,
        }
    }

    /// Remembers an id durably; says whether it was new.
    pub(super) fn remember(&mut self, id: MessageId, now: Timestamp) -> bool {
        if self.seen.contains_key(&id) {
            return false;
        }
        let until = now.plus(SEEN_KEPT);
        self.seen.insert(id.clone(), until);
        self.seen_order.insert((until, id.clone()));
        self.write(Write::Seen(id, until));
        true
    }

    /// Forgets what cannot come again.
    pub(super) fn forget_seen(&mut self, now: Timestamp) {
        while let Some((until, _)) = self.seen_order.first()
            && *until <= now
        {
            let Some((_, id)) = self.seen_order.pop_first() else { return };
            self.seen.remove(&id);
            self.write(Write::DropSeen(id));
        }
    }
}

/// What tells news of one minute apart: the millisecond within it, and a count. A count alone would begin anew with the
/// process, and what is told then would be taken for what was told before.
fn news_ordinal(now: Timestamp, count: u16) -> u32 {
    let within = now.as_ms().rem_euclid(Span::from_mins(1).as_ms());
    u32::try_from(within).unwrap_or(0) << u16::BITS | u32::from(count)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_pieces_of_news_are_taken_for_one() {
        let at = |ms: i64| Timestamp::from_ms(1_700_000_040_000 + ms);
        let mut seen = BTreeSet::new();
        for ms in [0, 1, 2, 59_998, 59_999] {
            for count in [0, 1, 2, u16::MAX - 1, u16::MAX] {
                assert!(seen.insert(news_ordinal(at(ms), count)), "{ms} ms, {count}");
            }
        }
        assert_eq!(news_ordinal(at(60_000), 7), news_ordinal(at(0), 7), "the minute stands in the key itself");
    }
}
