//! Calling people up about a card: in the app, by SMS, by phone. A telephone is never rung twice for one step.

use crate::domain::{
    alert::{Alert, AlertKey},
    budget::{Api, Gate},
    call::{Call, CallKey, Fate, How, may_phone},
    delivery::{Delivered, Failure, FailureKind, Next, next},
    desk::{
        digests::DIGEST,
        machine::Desk,
        outbox::{card_of, notice_of},
        state::Entry,
    },
    id::{MessageId, ReceiverName},
    notice::{NoticeKey, Step, Target},
    receiver::PersonId,
    rule::Urgent,
    text::Message,
    time::{Span, Timestamp},
};

/// A call that cannot be made for this long is not worth making.
const URGE_PATIENCE: Span = Span::from_mins(30);

impl Desk {
    /// An escalation, or a card in someone's own chat, arrived: calls up whom the rung says.
    pub(super) fn urge_after(&mut self, entry: &Entry, delivered: &Delivered, now: Timestamp) {
        let key = &entry.key;
        if key.rule.as_str() == DIGEST {
            return self.urge_for_digest(entry, delivered, now);
        }
        let place = AlertKey { subject: key.subject.clone(), rule: key.rule.clone() };
        let Some(alert) = self.episode(&place, key.episode).filter(|alert| alert.is_firing()).cloned() else { return };
        let told = match key.step {
            Step::Escalated => key.clone(),
            Step::Called => {
                let ordinal = NoticeKey::ladder_ordinal(alert.rounds, alert.rung);
                let told = |name: &ReceiverName| notice_of(&alert, Step::Escalated, ordinal, name);
                if alert.rung == 0 || alert.lines.iter().any(|line| self.outbox.contains(&told(&line.receiver))) {
                    return; // the escalation comes first, and calls when it arrived
                }
                told(&key.receiver)
            }
            _ => return,
        };
        let Some(rung) = self.rung_of(&alert, &told).cloned() else { return };
        let Some(urgent) = rung.urgent else { return };
        let mentioned = rung.mention.as_ref().and_then(|mention| self.person_of(mention, &alert, now));
        let addressee = self.person_behind(&key.receiver);
        let message = delivered.message_id.clone();
        match (key.step, addressee, mentioned) {
            (Step::Escalated, Some(person), _) => {
                self.urge(&alert, &told, &key.receiver, (message, urgent, person), now);
            }
            (Step::Escalated, None, Some(person)) => {
                let receiver = self.direct_receiver(&person);
                let card = self.cards.get(&card_of(&alert, &receiver)).and_then(|card| card.message.clone());
                if card.is_some() || delivered.absent.contains(&person) || entry.without_mentions {
                    // Where they have no card yet, one is on its way, and calls when it arrived.
                    self.urge(&alert, &told, &receiver, (card, urgent, person), now);
                } else {
                    self.urge(&alert, &told, &key.receiver, (message, urgent, person), now);
                }
            }
            (Step::Called, _, Some(person)) if self.direct_receiver(&person) == key.receiver => {
                self.urge(&alert, &told, &key.receiver, (message, urgent, person), now);
            }
            (Step::Escalated, None, None) => {
                let note = Message::new(
                    "这一步要加急，但通知的是群、没有写 mention，没有人可加急",
                    "this step calls someone up, but tells a chat and mentions nobody",
                );
                self.journal(now, (&key.subject, Some(&key.rule), key.episode), "not_called", note);
            }
            _ => {}
        }
    }

    fn urge(
        &mut self,
        alert: &Alert,
        told: &NoticeKey,
        receiver: &ReceiverName,
        (message, urgent, person): (Option<MessageId>, Urgent, PersonId),
        now: Timestamp,
    ) {
        let Some(message) = message else { return };
        if self.called_enough(told, &alert.key.rule, (&person, urgent), now) {
            return;
        }
        self.urge_about(notice_of(alert, Step::Urged, told.ordinal, receiver), (message, urgent, person), now);
    }

    /// Where a call goes now, and through which gates: what the limits of the telephone forbid goes through the app.
    pub(super) fn urge_target(&self, entry: &Entry, now: Timestamp) -> Option<(Target, Vec<Gate>)> {
        let Some(Target::Urge(message, urgent, person)) = &entry.target else { return None };
        let phones = How::from(*urgent).is_phone();
        let urgent = match phones {
            true if may_phone(self.calls.values(), &self.people, (person, &entry.key), now).is_err() => Urgent::App,
            _ => *urgent,
        };
        let gates = vec![Gate::ApiSecond(Api::Urgent), Gate::ApiMinute(Api::Urgent)];
        Some((Target::Urge(message.clone(), urgent, person.clone()), gates))
    }

    /// Keeps a call before it is made; a telephone's becomes the app's where the limits say so, and the journal why.
    pub(super) fn begin_call(&mut self, entry: &mut Entry, target: &Target, now: Timestamp) {
        let Target::Urge(_, urgent, person) = target else { return };
        if let Some(Target::Urge(_, wanted, _)) = &entry.target
            && wanted != urgent
            && let Err(why) = may_phone(self.calls.values(), &self.people, (person, &entry.key), now)
        {
            let name = self.people.words(person);
            let note = Message::new(
                format!("{name}：{}，改用应用内加急", why.zh),
                format!("{name}: {}; an urgent message in the app instead", why.en),
            );
            let key = entry.key.clone();
            self.journal(now, (&key.subject, Some(&key.rule), key.episode), "call_limited", note);
        }
        entry.target = Some(target.clone());
        let key = entry.key.clone();
        self.keep_call_of(&key, &person.clone(), (*urgent).into(), now);
    }

    /// Whether a telephone may have been rung for this before: then it is not rung again.
    pub(super) fn may_have_rung(&self, entry: &Entry) -> bool {
        let rang = |target: &Target| matches!(target, Target::Urge(_, Urgent::Sms | Urgent::Phone, _));
        entry.key.step == Step::Urged && entry.first_tried_at.is_some() && entry.target.as_ref().is_some_and(rang)
    }

    /// A call went through.
    pub(super) fn called_up(&mut self, entry: &Entry, now: Timestamp) {
        let Some(Target::Urge(_, urgent, person)) = &entry.target else { return };
        let (how, name) = (How::from(*urgent).words(), self.people.words(person));
        let note = Message::new(format!("已向 {name} 发出{}", how.zh), format!("{name} was called up: {}", how.en));
        self.journal(now, (&entry.key.subject, Some(&entry.key.rule), entry.key.episode), "called_up", note);
        self.show_call(entry, Fate::Made, now);
    }

    /// Nobody knows whether the telephone rang.
    pub(super) fn call_in_doubt(&mut self, entry: &Entry, now: Timestamp) {
        let why = Message::new(
            "不知道电话或短信是否已发出，不再重拨",
            "nobody knows whether the call or SMS went out; it is not repeated",
        );
        self.drop_notice(&entry.key, why, now);
        self.show_call(entry, Fate::InDoubt, now);
    }

    /// Notes what became of a call, and shows it on the alert's cards.
    fn show_call(&mut self, entry: &Entry, fate: Fate, now: Timestamp) {
        let Some(Target::Urge(_, urgent, person)) = &entry.target else { return };
        let how = How::from(*urgent);
        let key = CallKey { person: person.clone(), how, notice: entry.key.uuid().into() };
        let known = self.calls.get(&key).cloned();
        let call = known.unwrap_or_else(|| Call::of(&entry.key, person.clone(), how, now));
        self.keep_call(Call { fate, ..call });
        let place = AlertKey { subject: entry.key.subject.clone(), rule: entry.key.rule.clone() };
        if entry.key.rule.as_str() == DIGEST && fate != Fate::Failed {
            return self.change_digest(&entry.key.subject, entry.key.episode, |_| {}, now);
        }
        if fate == Fate::Failed || !self.is_firing_episode(&place, entry.key.episode) {
            return;
        }
        if let Some(alert) = self.alert(&place).cloned() {
            self.put_alert(Alert { rev: alert.rev + 1, ..alert });
            self.refresh_cards(&place, now);
        }
    }

    /// A call failed: again where it surely never left, else through the app, else not at all.
    pub(super) fn call_failed(&mut self, mut entry: Entry, failure: &Failure, now: Timestamp) {
        let Some(Target::Urge(message, urgent, person)) = entry.target.clone() else {
            return self.bury(&entry, failure.reason.clone(), now);
        };
        let phones = How::from(urgent).is_phone();
        let again = match failure.kind {
            FailureKind::Uncertain | FailureKind::InFlight if phones => return self.call_in_doubt(&entry, now),
            FailureKind::Throttled | FailureKind::Unreachable | FailureKind::Uncertain | FailureKind::InFlight => {
                match next(&entry, failure, now) {
                    Next::RetryAt(at) if at <= entry.decided_at.plus(URGE_PATIENCE) => Some(at),
                    _ => None,
                }
            }
            _ => None,
        };
        if let Some(at) = again {
            entry.not_before = at;
            return self.put_back(entry);
        }
        self.show_call(&entry, Fate::Failed, now);
        let (name, how) = (self.people.words(&person), How::from(urgent).words());
        let (zh, en) = if phones {
            ("，改用应用内加急", "; an urgent message in the app instead")
        } else {
            ("，只能靠卡片上的 @", "; the mention on the card must do")
        };
        let why = Message::new(
            format!("{name}：{}发不出去{zh}：{}", how.zh, failure.reason.zh),
            format!("{name}: the {} cannot be made{en}: {}", how.en, failure.reason.en),
        );
        self.trouble("urgent_refused", why.clone(), now);
        if phones {
            let key = entry.key.clone();
            self.journal(now, (&key.subject, Some(&key.rule), key.episode), "call_refused", why);
            let target = Some(Target::Urge(message, Urgent::App, person));
            self.put_back(Entry { target, attempts: 0, first_tried_at: None, not_before: now, ..entry });
        } else {
            self.drop_notice(&entry.key, why, now);
        }
    }
}
