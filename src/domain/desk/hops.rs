//! Where a notice goes that its receiver refuses: to the receiver's `fallback`, once; and where deskbell's own troubles
//! go when the way to operations is the trouble.

use std::collections::BTreeMap;

use crate::domain::{
    alert::{AlertKey, Line, LineOf},
    card::{cut_at_word, one_line},
    delivery::FailureKind,
    desk::{
        digests::DIGEST,
        machine::Desk,
        outcome::Write,
        state::{Answer, Digest, Entry, Lane},
    },
    id::{MessageId, ReceiverName, RuleName, Subject},
    notice::{NoticeKey, Step},
    receiver::ReceiverKind,
    text::Message,
    time::{Span, Timestamp},
};

/// A notice that waits longer than this while sends fail is told of over another path.
pub(super) const STALL_AFTER: Span = Span::from_mins(5);

/// Each cause is told of once within this time.
const TOLD_EVERY: Span = Span::from_hours(1);

/// The name of the trouble.
pub(super) const STALLED: &str = "outbox_stalled";

/// Characters of a refusal that stand on a card.
const REASON_CHARS_MAX: usize = 80;

/// Ways out that do not fail together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Path {
    App,
    Bot,
    Wecom,
    Http,
}

/// Notices that fail for want of a way out.
#[derive(Debug, Default)]
pub(super) struct Stall {
    since: BTreeMap<NoticeKey, Timestamp>,
    told_at: Option<Timestamp>,
}

impl Stall {
    pub(super) fn is_empty(&self) -> bool {
        self.since.is_empty()
    }

    /// Instants of a time that did not happen are forgotten.
    pub(super) fn clear(&mut self) {
        self.since.clear();
        self.told_at = None;
    }

    pub(super) fn remove(&mut self, key: &NoticeKey) {
        self.since.remove(key);
    }

    /// Notes a failure that passes by itself.
    pub(super) fn note(&mut self, entry: &Entry, kind: FailureKind) {
        let passes = matches!(kind, FailureKind::Throttled | FailureKind::Unreachable | FailureKind::Uncertain);
        let tells = !matches!(entry.key.step, Step::Trouble | Step::Announced | Step::Answer | Step::Update);
        if passes && tells {
            self.since.insert(entry.key.clone(), entry.decided_at);
        }
    }

    /// When it must be told of.
    pub(super) fn next_due(&self) -> Timestamp {
        let Some(oldest) = self.since.values().min() else { return Timestamp::NEVER };
        let again = self.told_at.map_or(Timestamp::MIN, |at| at.plus(TOLD_EVERY));
        oldest.plus(STALL_AFTER).max(again)
    }
}

impl Desk {
    /// Whether the receiver of a notice has another one to go to.
    pub(super) fn hop_of(&self, entry: &Entry) -> Option<ReceiverName> {
        let tells = matches!(
            entry.key.step,
            Step::Fired | Step::Escalated | Step::Repeated | Step::Ended | Step::Digest | Step::Fallback | Step::Woken
        );
        // What says why it comes there has come from elsewhere: one hop is enough.
        if !tells || entry.text.is_some() {
            return None;
        }
        let to = self.settings.receivers.get(&entry.key.receiver)?.fallback.clone()?;
        (to != entry.key.receiver && self.settings.receiver(&to).is_some()).then_some(to)
    }

    /// A notice was refused for good: it goes to the receiver's `fallback`, and says so.
    pub(super) fn hop(&mut self, entry: &Entry, reason: &Message, now: Timestamp) {
        let Some(to) = self.hop_of(entry) else { return };
        let key = &entry.key;
        let place = AlertKey { subject: key.subject.clone(), rule: key.rule.clone() };
        if let Some(mut alert) = self.alert(&place).filter(|alert| alert.episode == key.episode).cloned() {
            let told = alert.lines.iter().any(|line| line.receiver == to);
            if told && key.step == Step::Fired {
                return; // they are told of it anyway
            }
            if !told {
                let from = alert.lines.iter().find(|line| line.receiver == key.receiver);
                let from = from.map_or(LineOf::Nothing, |line| line.from);
                alert.lines.push(Line::new(to.clone(), from));
                self.put_alert(alert);
            }
        }
        let short = |text: &str| cut_at_word(&one_line(text), REASON_CHARS_MAX);
        let note = Message::new(
            format!("本应发给 {}：{}", key.receiver, short(&reason.zh)),
            format!("meant for {}: {}", key.receiver, short(&reason.en)),
        );
        if key.rule.as_str() == DIGEST && self.hop_digest(key, &to, &note, now) {
            return; // what they were told of before tells it too from now on
        }
        self.journal(now, (&key.subject, Some(&key.rule), key.episode), "hopped", note.clone());
        let key = NoticeKey { receiver: to, ..key.clone() };
        self.enqueue(key, entry.lane, Some(Answer::Text(note)), now);
    }

    /// A receiver of a digest is told in another's place too; whether its card does that already, or it is told once
    /// more where nothing can be updated.
    fn hop_digest(&mut self, key: &NoticeKey, to: &ReceiverName, note: &Message, now: Timestamp) -> bool {
        let (of, number) = (&key.subject, key.episode);
        let hop = (key.receiver.clone(), to.clone());
        let own = NoticeKey { ordinal: 0, receiver: to.clone(), ..key.clone() };
        let goes = self.outbox.is_in_flight(&own);
        let Some(digest) = self.digests.get(&(of.clone(), number)).cloned() else { return false };
        if !digest.hops.contains(&hop) {
            let add = |digest: &mut Digest| {
                digest.hops.push(hop);
                if !digest.receivers.contains(to) {
                    digest.receivers.push(to.clone());
                }
            };
            let card = self.card_for(&own);
            let shows_no_more = card.is_some_and(|card| card.message.is_none()) || (goes && !self.has_key(&own));
            if shows_no_more {
                self.follow_up(&self.card_key(&own), digest.rev + 1, Some(Answer::Text(note.clone())), now);
            }
            self.change_digest(of, number, add, now);
        }
        goes || self.card_for(&own).is_some()
    }

    fn path_of(&self, name: &ReceiverName) -> Option<Path> {
        Some(match self.settings.receiver(name)?.kind {
            ReceiverKind::Chat(_) | ReceiverKind::Person(_) => Path::App,
            ReceiverKind::Webhook => Path::Bot,
            ReceiverKind::Wecom => Path::Wecom,
            ReceiverKind::Http => Path::Http,
        })
    }

    /// A receiver that a failure of this one says nothing against: operations, its `fallback`, or one of another kind.
    fn another_path(&self, failing: &ReceiverName) -> Option<ReceiverName> {
        let bad = self.path_of(failing);
        let operations = self.settings.operations.as_ref();
        let works = |name: &&ReceiverName| **name != *failing && self.path_of(name) != bad;
        let fallback = operations.and_then(|name| self.settings.receivers.get(name)?.fallback.as_ref());
        // Bots and webhooks before a chat of people who wait for other things.
        let is_bot = |name: &&ReceiverName| !matches!(self.path_of(name), Some(Path::App) | None);
        let others = || self.settings.receivers.keys().filter(works);
        operations
            .filter(works)
            .or_else(|| fallback.filter(|name| **name != *failing))
            .or_else(|| others().find(is_bot))
            .or_else(|| others().next())
            .cloned()
    }

    /// Tells of a trouble over a path that `failing` says nothing against, once an hour and cause.
    pub(super) fn trouble_elsewhere(
        &mut self,
        name: &'static str,
        message: Message,
        failing: &ReceiverName,
        now: Timestamp,
    ) {
        self.journal(now, (&Subject::Service, None, 0), name, message.clone());
        self.counters.troubles += 1;
        let Some(receiver) = self.another_path(failing) else { return };
        let hour = now.as_ms().div_euclid(TOLD_EVERY.as_ms());
        let key = NoticeKey {
            subject: Subject::Service,
            rule: RuleName::from(format!("deskbell.{name}").as_str()),
            episode: u32::try_from(hour).unwrap_or(0),
            step: Step::Trouble,
            ordinal: 1,
            receiver,
        };
        if self.remember(MessageId::from(key.uuid().as_str()), now) {
            let entry = Entry { text: Some(Answer::Text(message)), ..Entry::new(key, Lane::Critical, now) };
            self.write(Write::Outbox(Box::new(entry.clone())));
            self.outbox.put(entry);
        }
    }

    /// Tells operations over a path that works when notices wait for want of one.
    pub(super) fn look_for_stall(&mut self, now: Timestamp) {
        if self.stall.next_due() > now {
            return;
        }
        let Some((key, since)) = self.stall.since.iter().min_by_key(|(_, since)| **since) else { return };
        let (receiver, minutes) = (key.receiver.clone(), now.since(*since).as_secs() / 60);
        let said = self.outbox.get(key).and_then(|entry| entry.last_error.clone()).unwrap_or_default();
        let count = self.stall.since.len();
        self.stall.told_at = Some(now);
        let message = Message::new(
            format!(
                "通知发不出去：{count} 条在等，最早一条（发给 {receiver}）已等 {minutes} 分钟，会继续重试。{}",
                said.zh
            ),
            format!(
                "notices do not get out: {count} wait, the oldest (to {receiver}) for {minutes} min; they are tried on. {}",
                said.en
            ),
        );
        self.trouble_elsewhere(STALLED, message, &receiver, now);
    }
}
