//! Whom a notice mentions, how often that may be, and who is told directly because a mention does not reach them.

use crate::domain::{
    actor::Actor,
    alert::{Alert, AlertKey, Line, LineOf},
    call::{CALLS_KEPT, Call, CallKey, Fate, How, may_mention},
    desk::{
        digests::DIGEST,
        hearing::{Cause, Hearing},
        machine::Desk,
        outbox::notice_of,
        outcome::Write,
        state::{Answer, Entry, Lane},
    },
    id::{OpenId, ReceiverName, Subject},
    notice::{DigestCause, NoticeKey, Step},
    people::KnownPerson,
    receiver::{PersonId, Receiver, ReceiverKind},
    rule::{Mention, Rung, Severity, To},
    text::Message,
    time::Timestamp,
};

/// Why a person is told directly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// They are not in the chat.
    Absent,
    /// The platform would not take the mention.
    Refused,
}

/// Whom a send mentions, and what is said of those whom it does not.
pub(super) struct Mentions {
    pub(super) people: Vec<PersonId>,
    pub(super) notes: Vec<Message>,
}

impl Desk {
    /// What the directory said: names for cards, and who is who.
    pub(super) fn meet(&mut self, known: Vec<KnownPerson>, now: Timestamp) {
        let named = self.people.learn(known);
        self.keep_people();
        self.look_for_gone(now);
        if named.is_empty() {
            return;
        }
        // A card that says "a colleague" says the name from now on.
        let by = |alert: &Alert, id: &OpenId| alert.taken.as_ref().is_some_and(|taken| taken.by.open_id() == Some(id));
        let shown: Vec<Alert> = self
            .alerts
            .values()
            .flatten()
            .filter(|alert| alert.is_firing() && named.iter().any(|id| by(alert, id)))
            .cloned()
            .collect();
        for alert in shown {
            let key = alert.key.clone();
            self.put_alert(Alert { rev: alert.rev + 1, ..alert });
            self.refresh_cards(&key, now);
        }
    }

    /// Whether someone may silence rules, change rotas and see to dead letters.
    pub(super) fn is_manager(&self, actor: &Actor) -> bool {
        self.people.is_among(actor, &self.settings.access.manage)
    }

    /// Whom a notice mentions as its line of the rule says; nobody where the line says nothing.
    pub(super) fn mentioned_by(&self, key: &NoticeKey, now: Timestamp) -> Vec<PersonId> {
        if key.step == Step::Asked {
            return self.taker_of(key).into_iter().collect();
        }
        let is_person = |name: &ReceiverName| {
            self.settings.receiver(name).is_some_and(|known| matches!(known.kind, ReceiverKind::Person(_)))
        };
        // A card that takes another's place is no news, and in their own chat nobody needs a mention.
        let is_news = match key.step {
            Step::Fired | Step::Digest => key.ordinal == 0,
            Step::Escalated | Step::Fallback | Step::Woken => true,
            Step::Repeated
            | Step::Ended
            | Step::Update
            | Step::Answer
            | Step::Trouble
            | Step::Announced
            | Step::Called
            | Step::Urged
            | Step::Asked => false,
        };
        if !is_news || is_person(&key.receiver) {
            return Vec::new();
        }
        if key.rule.as_str() == DIGEST {
            return self.mentioned_by_digest(key, now);
        }
        let alert = AlertKey { subject: key.subject.clone(), rule: key.rule.clone() };
        let Some(alert) = self.episode(&alert, key.episode) else { return Vec::new() };
        self.mention_of(alert, key).and_then(|mention| self.person_of(mention, alert, now)).into_iter().collect()
    }

    /// The person who has the alert of a notice: a question is put to them.
    fn taker_of(&self, key: &NoticeKey) -> Option<PersonId> {
        let alert = AlertKey { subject: key.subject.clone(), rule: key.rule.clone() };
        let taken = self.alert(&alert)?.taken.as_ref()?;
        taken.by.open_id().map(|id| PersonId::Open(id.clone()))
    }

    /// The `mention` of the line that tells.
    pub(super) fn mention_of(&self, alert: &Alert, key: &NoticeKey) -> Option<&Mention> {
        let rule = self.rule_named(&alert.key.rule)?;
        let line = match key.step {
            Step::Escalated => return self.rung_of(alert, key)?.mention.as_ref(),
            Step::Fallback => return rule.ladder.last()?.mention.as_ref(),
            _ => alert.lines.iter().find(|line| line.receiver == key.receiver)?,
        };
        match line.from {
            LineOf::Notify(at) => rule.notify.get(usize::try_from(at).ok()?)?.mention.as_ref(),
            LineOf::Rung(at) => rule.ladder.get(usize::try_from(at).ok()?)?.mention.as_ref(),
            LineOf::Nothing => None,
        }
    }

    /// The rung that an escalation tells of.
    pub(super) fn rung_of(&self, alert: &Alert, key: &NoticeKey) -> Option<&Rung> {
        let ladder = &self.rule_named(&alert.key.rule)?.ladder;
        ladder.get(key.rung()?)
    }

    /// The person a `mention` means on this alert; nobody where it means a chat, or nobody is known.
    pub(super) fn person_of(&self, mention: &Mention, alert: &Alert, now: Timestamp) -> Option<PersonId> {
        let to = match mention {
            Mention::Person(text) => return PersonId::of(text),
            Mention::Owner => To::Owner,
            Mention::Lead => To::TeamLead,
            Mention::Oncall => To::TeamOncall,
        };
        let hearing = match &alert.key.subject {
            Subject::Ticket(key) => self.hearing(key, &Cause::Time, now)?,
            subject @ Subject::Group(_) => Hearing::group(subject.clone(), 0, now, true, true),
            Subject::Source(_) | Subject::Service | Subject::Message(_) | Subject::Receiver(_) => return None,
        };
        self.person_behind(&self.whom(&to, &hearing, now)?)
    }

    /// The person that a receiver is, where it is one.
    pub(super) fn person_behind(&self, receiver: &ReceiverName) -> Option<PersonId> {
        match &self.settings.receiver(receiver)?.kind {
            ReceiverKind::Person(person) => Some(person.clone()),
            ReceiverKind::Chat(_) | ReceiverKind::Webhook | ReceiverKind::Wecom | ReceiverKind::Http => None,
        }
    }

    /// Whom a send mentions now. What it takes of their limits is kept before it goes.
    pub(super) fn mention(&mut self, entry: &Entry, now: Timestamp) -> Mentions {
        let mut mentions = Mentions { people: Vec::new(), notes: Vec::new() };
        let key = &entry.key;
        let notifies = matches!(
            self.settings.receiver(&key.receiver).as_deref(),
            Some(Receiver { kind: ReceiverKind::Chat(_), .. })
        );
        for person in self.mentioned_by(key, now) {
            if entry.without_mentions || !notifies {
                mentions.people.push(person); // named only, which costs nothing
            } else if may_mention(self.calls.values(), &self.people, (&person, key), now) {
                // Each attempt may be the one that mentions: the time runs from the last.
                self.keep_call(Call::of(key, person.clone(), How::Mention, now));
                mentions.people.push(person);
            } else {
                let name = self.people.words(&person);
                mentions.notes.push(Message::new(
                    format!("{name}：10 分钟内已 @ 过，这次不再 @"),
                    format!("{name}: mentioned within the last 10 minutes, not again"),
                ));
            }
        }
        mentions
    }

    /// A notice surely did not arrive: it mentioned nobody, and others may.
    pub(super) fn unmention(&mut self, notice: &NoticeKey) {
        let uuid = notice.uuid();
        let made = |call: &&Call| call.key.how == How::Mention && *call.key.notice == *uuid;
        let calls: Vec<Call> = self.calls.values().filter(made).cloned().collect();
        for call in calls {
            self.keep_call(Call { fate: Fate::Failed, ..call });
        }
    }

    /// Keeps a call, unless this notice made it before.
    pub(super) fn keep_call_of(&mut self, notice: &NoticeKey, person: &PersonId, how: How, now: Timestamp) {
        let call = Call::of(notice, person.clone(), how, now);
        if !self.calls.contains_key(&call.key) {
            self.keep_call(call);
        }
    }

    pub(super) fn keep_call(&mut self, call: Call) {
        self.write(Write::Call(Box::new(call.clone())));
        self.calls.insert(call.key.clone(), call);
    }

    /// When a tick must forget the oldest call.
    pub(super) fn calls_due(&self) -> Timestamp {
        self.calls.values().map(|call| call.at.plus(CALLS_KEPT)).min().unwrap_or(Timestamp::NEVER)
    }

    /// Forgets what no limit looks back to, but for what a firing alert's card still tells.
    pub(super) fn forget_calls(&mut self, now: Timestamp) {
        let old: Vec<CallKey> =
            self.calls.values().filter(|call| call.at.plus(CALLS_KEPT) <= now).map(|call| call.key.clone()).collect();
        for key in old {
            self.calls.remove(&key);
            self.write(Write::DropCall(key));
        }
    }

    /// What was done to reach people about an alert, for its card.
    pub(super) fn call_notes(&self, key: &NoticeKey) -> Vec<Message> {
        let told = |call: &&Call| call.is_about(key) && call.key.how != How::Mention;
        let mut calls: Vec<&Call> = self.calls.values().filter(told).collect();
        calls.sort_by_key(|call| call.at);
        calls.into_iter().filter_map(|call| self.call_note(call)).collect()
    }

    fn call_note(&self, call: &Call) -> Option<Message> {
        let name = self.people.words(&call.key.person);
        let (how, at) = (call.key.how.words(), self.settings.zone.minute(call.at));
        Some(match call.fate {
            Fate::Made => {
                Message::new(format!("{at} 已向 {name} 发出{}", how.zh), format!("{at}: {} to {name}", how.en))
            }
            Fate::InDoubt => Message::new(
                format!("{at} 给 {name} 的{}可能没打通，不会重拨", how.zh),
                format!("{at}: the {} to {name} may not have got through; it is not repeated", how.en),
            ),
            Fate::Begun | Fate::Failed => return None,
        })
    }

    /// The firing alert that a notice tells of; of a digest the one that has rung longest, where it tells again of those
    /// that nobody took or put off.
    pub(super) fn alert_told_by(&self, key: &NoticeKey, now: Timestamp) -> Option<&Alert> {
        if key.rule.as_str() == DIGEST {
            let digest = self.digests.get(&(key.subject.clone(), key.episode));
            let again =
                digest.is_some_and(|digest| matches!(digest.cause, DigestCause::Escalations | DigestCause::Repeats));
            let catches_up = digest.is_some_and(|digest| digest.cause.catches_up());
            let tells = |alert: &&Alert| match alert.severity {
                _ if again => self.is_awake(alert, now),
                severity => alert.is_firing() && (!catches_up || severity == Severity::Critical),
            };
            let members = self.digest_members(&key.subject, key.episode);
            return members.into_iter().filter(tells).min_by_key(|alert| alert.fired_at());
        }
        let place = AlertKey { subject: key.subject.clone(), rule: key.rule.clone() };
        self.alert(&place).filter(|alert| alert.is_firing() && alert.episode == key.episode)
    }

    /// Tells someone directly of an alert, once in its episode: a mention does not reach them.
    pub(super) fn call_directly(&mut self, entry: &Entry, person: &PersonId, why: Why, now: Timestamp) {
        let key = &entry.key;
        let Some(mut alert) = self.alert_told_by(key, now).cloned() else { return };
        let receiver = self.direct_receiver(person);
        if alert.lines.iter().any(|line| line.receiver == receiver) {
            return;
        }
        let told_by = alert.lines.iter().find(|line| line.receiver == key.receiver);
        let from = told_by.map_or(LineOf::Nothing, |line| line.from);
        alert.lines.push(Line::new(receiver.clone(), from));
        self.put_alert(alert.clone());
        let (name, chat) = (self.people.words(person), &key.receiver);
        let (note, said) = match why {
            Why::Absent => (
                Message::new(
                    format!("你不在群 {chat} 里，单独通知你"),
                    format!("You are not in the chat {chat}: told to you directly"),
                ),
                Message::new(
                    format!("{name} 不在群 {chat} 里，单独通知"),
                    format!("{name} is not in the chat {chat} and is told directly"),
                ),
            ),
            Why::Refused => (
                Message::new(
                    format!("在群 {chat} 里没能 @ 到你，单独通知你"),
                    format!("You could not be mentioned in the chat {chat}: told to you directly"),
                ),
                Message::new(
                    format!("在群 {chat} 里没能 @ 到 {name}，单独通知"),
                    format!("{name} could not be mentioned in the chat {chat} and is told directly"),
                ),
            ),
        };
        self.journal(now, (&key.subject, Some(&key.rule), key.episode), "called", said);
        let call = notice_of(&alert, Step::Called, 0, &receiver);
        self.enqueue(call, Lane::Critical, Some(Answer::Text(note)), now);
    }

    /// The receiver a person is: the one the configuration knows, or one by their address.
    pub(super) fn direct_receiver(&self, person: &PersonId) -> ReceiverName {
        let known = self.settings.receivers.values().find(|receiver| match &receiver.kind {
            ReceiverKind::Person(other) => self.people.same(other, person),
            ReceiverKind::Chat(_) | ReceiverKind::Webhook | ReceiverKind::Wecom | ReceiverKind::Http => false,
        });
        known.map_or_else(|| Receiver::name_of_person(person), |receiver| receiver.name.clone())
    }
}
