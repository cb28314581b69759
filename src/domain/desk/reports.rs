//! What became of sends: cards remembered, failures tried again, doubts cleared.

use crate::domain::{
    budget::post_gates,
    delivery::{
        Delivered, Failure, FailureKind, HistoryFound, HistoryReport, Next, SendReport, UNKEYED_TRIES, UNKEYED_WAIT,
        next,
    },
    desk::{
        calls::Why,
        machine::Desk,
        outcome::Write,
        state::{CardShows, CardState, Entry},
        told::delivered_words,
    },
    id::MessageId,
    notice::{NoticeKey, Step},
    text::Message,
    time::Timestamp,
};

const fn has_message(card: &CardState) -> bool {
    card.message.is_some()
}

impl Desk {
    pub(super) fn sent(&mut self, report: SendReport, now: Timestamp) {
        if !self.outbox.is_in_flight(&report.key) {
            return; // a report of a send given up meanwhile
        }
        let Some(entry) = self.outbox.get(&report.key).cloned() else { return };
        match report.result {
            Ok(delivered) => self.delivered(&entry, delivered, report.rev, now),
            Err(failure) => self.failed(entry, &failure, report.rev != 0, now),
        }
    }

    fn delivered(&mut self, entry: &Entry, delivered: Delivered, rev: u32, now: Timestamp) {
        let key = &entry.key;
        self.counters.delivered(key.step);
        if let Some(restart) = &mut self.restart {
            restart.delivered(key);
        }
        let sent = self.outbox.under_way(key);
        let hung = sent.hangs_on.is_some();
        self.forget_notice(key);
        for person in &delivered.absent {
            self.call_directly(entry, person, Why::Absent, now);
        }
        match key.step {
            // A line leaves the card above it the alert's own.
            Step::Fired if hung || (key.ordinal == 0 && self.card_for(key).is_some_and(has_message)) => {}
            // Where no send is known again each one shows what it was made from; an end is told by a message of its own.
            Step::Digest if !self.has_key(key) => {
                let rings = self.rings_for(&key.subject, key.episode, &key.receiver);
                self.remember_card(key, None, if rings { sent.rev } else { rev }, now);
            }
            Step::Fired | Step::Digest | Step::Called => {
                self.remember_card(key, delivered.message_id.clone(), rev, now)
            }
            Step::Repeated | Step::Escalated | Step::Asked | Step::Woken | Step::Fallback
                if !hung && self.becomes_card(key, &delivered) =>
            {
                self.remember_card(key, delivered.message_id.clone(), rev, now);
            }
            Step::Update => {
                if let Some(mut card) = self.card_for(key).cloned() {
                    card.shown_rev = card.shown_rev.max(rev);
                    self.storms.shown(&card.key, now);
                    self.put_card(card);
                }
            }
            Step::Repeated
            | Step::Escalated
            | Step::Ended
            | Step::Answer
            | Step::Trouble
            | Step::Announced
            | Step::Urged
            | Step::Asked
            | Step::Woken
            | Step::Fallback => {}
        }
        if key.step == Step::Digest {
            self.told_again(key, now);
        }
        self.urge_after(entry, &delivered, now);
        if key.step == Step::Urged {
            self.called_up(entry, now);
        }
        let told = matches!(
            key.step,
            Step::Fired
                | Step::Repeated
                | Step::Escalated
                | Step::Ended
                | Step::Digest
                | Step::Asked
                | Step::Woken
                | Step::Fallback
                | Step::Called
        );
        if told {
            let (to, what) = (self.receiver_words(&key.receiver), delivered_words(key));
            let note = Message::new(format!("已送达 {to}：{}", what.zh), format!("delivered to {to}: {}", what.en));
            self.journal(now, (&key.subject, Some(&key.rule), key.episode), "delivered", note);
        }
        self.settle(key, now);
    }

    /// Whether what was sent because there was no card to hang on is the alert's card from now on.
    fn becomes_card(&self, key: &NoticeKey, delivered: &Delivered) -> bool {
        self.card_for(key).is_none_or(|card| !has_message(card) && delivered.message_id.is_some())
    }

    fn remember_card(&mut self, key: &NoticeKey, message: Option<MessageId>, rev: u32, now: Timestamp) {
        let replaces = self.card_for(key).and_then(|card| card.replaces.clone());
        let card = CardState { key: self.card_key(key), message, shown_rev: rev, posted_at: now, replaces };
        self.storms.shown(&card.key, now);
        self.put_card(card);
    }

    /// Brings a card up to date, or forgets it once it shows an end, and with it what was kept for its sake.
    pub(super) fn settle(&mut self, key: &NoticeKey, now: Timestamp) {
        let Some(card) = self.card_for(key).cloned() else {
            return match self.card_key(key).shows {
                CardShows::Digest(source, number) => self.forget_digest_if_over(&source, number),
                CardShows::Alert(alert, episode) => self.forget_past_if_settled(&alert, episode),
            };
        };
        let behind = card.shown_rev < self.rev_of(&card.key.shows);
        if behind && card.message.is_some() {
            return self.enqueue_update(&card.key, now);
        }
        match &card.key.shows {
            CardShows::Digest(of, number) => self.settle_digest(key.step, &card, (of, *number), now),
            CardShows::Alert(alert, episode) => {
                if self.is_firing_episode(alert, *episode) {
                    return;
                }
                let ended = NoticeKey { step: Step::Ended, ordinal: 0, ..key.clone() };
                if card.message.is_none() && behind && key.step != Step::Ended && !self.outbox.contains(&ended) {
                    // It ended while its beginning was on the way to a receiver that cannot be updated.
                    if let Some(ended_alert) = self.episode(alert, *episode).cloned() {
                        self.tell(&ended_alert, Step::Ended, 0, &key.receiver, now);
                    }
                } else if !self.outbox.contains(&ended) {
                    self.lay_to_rest(&card, now);
                    self.forget_past_if_settled(alert, *episode);
                }
            }
        }
    }

    fn failed(&mut self, mut entry: Entry, failure: &Failure, first_doubt: bool, now: Timestamp) {
        self.counters.failed(failure.kind);
        entry.last_error = Some(failure.reason.clone());
        if first_doubt && !failure.kind.may_have_arrived() {
            entry.first_tried_at = None;
            self.unmention(&entry.key);
        }
        if entry.key.step == Step::Urged {
            return self.call_failed(entry, failure, now);
        }
        self.stall.note(&entry, failure.kind);
        if failure.kind == FailureKind::Setup && self.hop_of(&entry).is_some() {
            self.give_follow_up_up(&entry.key);
            self.bury(&entry, failure.reason.clone(), now);
            return self.settle(&entry.key, now);
        }
        let hung = self.outbox.under_way(&entry.key).hangs_on;
        if failure.kind == FailureKind::CardGone
            && !matches!(entry.key.step, Step::Update | Step::Answer)
            && let Some(message) = &hung
        {
            self.card_gone(&entry.key, message, now);
            return self.put_back(Entry { not_before: now, ..entry }); // under the new card, or as one of its own
        }
        let mut at_least = now;
        if failure.kind.may_have_arrived() && !self.has_key(&entry.key) {
            entry.maybe_repeat = true; // nothing tells the receiver that it is the same again
            if entry.attempts >= UNKEYED_TRIES {
                at_least = now.plus(UNKEYED_WAIT); // each attempt may be one more copy
            }
        }
        match next(&entry, failure, now) {
            Next::RetryAt(at) => {
                let at = at.max(at_least);
                if failure.kind == FailureKind::Throttled {
                    self.rest(&entry.key, at, now);
                }
                if failure.kind == FailureKind::Setup {
                    self.tell_setup(&entry.key, failure, now);
                } else if failure.kind == FailureKind::Quota {
                    self.tell_quota(now);
                }
                self.put_back(Entry { not_before: at, ..entry });
            }
            Next::RetryPlainAt(at) => {
                for person in self.mentioned_by(&entry.key, now) {
                    self.call_directly(&entry, &person, Why::Refused, now);
                }
                self.put_back(Entry { not_before: at, without_mentions: true, ..entry });
            }
            Next::RetryMaskedAt(at) => self.put_back(Entry { not_before: at, masked: true, ..entry }),
            Next::GiveUp => {
                if entry.key.step == Step::Update {
                    self.give_card_up(&entry.key); // else it would be behind, and tried again at once, for ever
                }
                self.give_follow_up_up(&entry.key);
                self.bury(&entry, failure.reason.clone(), now);
                self.settle(&entry.key, now);
            }
            Next::Drop => {
                let why = Message::new("旧卡片已不能更新", "the card can no longer be updated");
                self.drop_notice(&entry.key, why, now);
                if let Some(message) = &hung {
                    self.card_gone(&entry.key, message, now);
                }
                self.settle(&entry.key, now);
            }
        }
    }

    /// What a card should show is refused: it is not tried again before there is something else to show.
    fn give_card_up(&mut self, key: &NoticeKey) {
        let Some(card) = self.card_for(key).cloned() else { return };
        let shown_rev = self.rev_of(&card.key.shows);
        self.put_card(CardState { shown_rev, ..card });
    }

    /// The same of a digest that is told once more.
    pub(super) fn give_follow_up_up(&mut self, key: &NoticeKey) {
        if self.is_follow_up(key) {
            self.give_card_up(key);
        }
    }

    /// A receiver that is told by posts alone asked to slow down: nothing else goes to it before the next try.
    fn rest(&mut self, key: &NoticeKey, until: Timestamp, now: Timestamp) {
        let gates = self.settings.receiver(&key.receiver).and_then(|receiver| post_gates(&receiver));
        self.budgets.hold(&gates.unwrap_or_default(), until, now);
    }

    /// Whether the receiver drops a repeated send; answers go to chats.
    pub(super) fn has_key(&self, key: &NoticeKey) -> bool {
        self.settings.receivers.get(&key.receiver).is_none_or(|receiver| receiver.kind.has_key())
    }

    pub(super) fn put_back(&mut self, entry: Entry) {
        self.write(Write::Outbox(Box::new(entry.clone())));
        self.outbox.put(entry);
    }

    fn tell_setup(&mut self, key: &NoticeKey, failure: &Failure, now: Timestamp) {
        if key.step == Step::Answer || Self::greeted_chat(key).is_some() {
            return;
        }
        let (receiver, reason) = (&key.receiver, &failure.reason);
        let message = Message::new(
            format!("发给 {receiver} 的通知被拒绝，修好前每 10 分钟再试（最长 24 小时）：{}", reason.zh),
            format!("notices to {receiver} are refused; tried again every 10 minutes for 24 hours: {}", reason.en),
        );
        if Some(&key.receiver) == self.settings.operations.as_ref() {
            return self.trouble_elsewhere("delivery_setup", message, &key.receiver, now);
        }
        self.trouble("delivery_setup", message, now);
    }

    fn tell_quota(&mut self, now: Timestamp) {
        let message = Message::new(
            "本月飞书 API 调用次数已用完：应用机器人发不出消息，每 6 小时再试。请在管理后台 > 费用中心 > 权益数据 查看或升级",
            "this month's Feishu API calls are used up: the app bot cannot send; tried again every 6 hours. See Admin > Billing > Entitlements",
        );
        self.trouble("quota", message, now);
    }

    pub(super) fn history(&mut self, report: &HistoryReport, now: Timestamp) {
        if !self.outbox.is_in_flight(&report.key) {
            return;
        }
        let Some(entry) = self.outbox.get(&report.key).cloned() else { return };
        match &report.found {
            HistoryFound::There(message) => {
                // Which state it shows nobody knows: revision 0 makes an update follow.
                self.delivered(&entry, Delivered { message_id: Some(message.clone()), absent: Vec::new() }, 0, now);
            }
            HistoryFound::NotThere => {
                self.unmention(&entry.key);
                self.put_back(Entry { first_tried_at: None, not_before: now, ..entry });
            }
            HistoryFound::Unreadable => {
                self.put_back(Entry { first_tried_at: None, maybe_repeat: true, not_before: now, ..entry });
            }
        }
    }
}
