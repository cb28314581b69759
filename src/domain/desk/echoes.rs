//! Telling again: reminders, escalations and questions about alerts that have no card of their own with a receiver come
//! together where they would be too many, as beginnings do.
//!
//! Up to `above` of them get a card of their own; the next opens a digest that says what they are. A digest tells again
//! only what it delivers: until then the line's digest of before goes on telling, and with it the end.

use crate::domain::{
    alert::{Alert, Line},
    call::{Call, Fate, How, may_phone},
    delivery::Delivered,
    desk::{
        digests::{DIGEST, digest_key},
        machine::Desk,
        members::told_in,
        outbox::{card_of, notice_of},
        outcome::Write,
        settings::StormSettings,
        state::{CardKey, CardShows, Digest, Entry, Lane},
    },
    id::{MessageId, ReceiverName, RuleName, Subject},
    notice::{DigestCause, NoticeKey, Step, Target},
    receiver::PersonId,
    rule::Urgent,
    text::{Message, Words},
    time::Timestamp,
};

/// People whom the digest of a question mentions at most.
const ASKED_MAX: usize = 5;

impl Desk {
    /// Tells a receiver of an alert again, by a notice of its own or by a digest; says the alert as it is then.
    pub(super) fn tell_again(
        &mut self,
        alert: Alert,
        step: Step,
        ordinal: u32,
        receiver: &ReceiverName,
        now: Timestamp,
    ) -> Alert {
        let Some(number) = self.gather_again(&alert, step, receiver, now) else {
            self.tell(&alert, step, ordinal, receiver, now);
            return alert;
        };
        let mut alert = alert;
        let of = Subject::Receiver(receiver.clone());
        let card = CardKey { shows: CardShows::Digest(of.clone(), number), receiver: receiver.clone() };
        let stands = self.cards.get(&card).is_some_and(|card| card.message.is_some());
        let Some(line) = alert.lines.iter_mut().find(|line| line.receiver == *receiver) else { return alert };
        let mut before = vec![line.again.replace(number)];
        if stands {
            // Its card can be updated, and shows it with its next update.
            line.again = None;
            before.push(line.digest.replace(number));
        }
        self.put_alert(alert.clone());
        for left in before.into_iter().flatten().filter(|left| *left != number) {
            self.digest_member_ended(&of, left, now);
        }
        alert
    }

    /// The number of the digest that tells of it again, where one does.
    fn gather_again(&mut self, alert: &Alert, step: Step, receiver: &ReceiverName, now: Timestamp) -> Option<u32> {
        let storm: StormSettings = self.settings.storm?;
        let cause = match step {
            Step::Escalated | Step::Fallback => DigestCause::Escalations,
            Step::Repeated | Step::Woken => DigestCause::Repeats,
            Step::Asked => DigestCause::Questions,
            _ => return None,
        };
        let line = alert.lines.iter().find(|line| line.receiver == *receiver)?;
        let own = self.cards.contains_key(&card_of(alert, receiver)) || self.is_told_soon(&alert.key, receiver);
        if own || self.hushed(alert, receiver, now).is_some() {
            return None;
        }
        if let Some(number) = line.again.filter(|number| self.is_pending(receiver, *number, cause)) {
            return Some(number); // it tells of it soon
        }
        let together = match cause {
            DigestCause::Questions if !self.is_taken_along(alert, line) => return None,
            DigestCause::Questions => true,
            _ => self.was_told_together(line),
        };
        let rule: RuleName = self.rule_called(alert).clone();
        self.gather((cause, &rule, receiver), alert, together, &storm, now)
    }

    /// Whether a digest of this cause is yet to be told.
    fn is_pending(&self, receiver: &ReceiverName, number: u32, cause: DigestCause) -> bool {
        let of = Subject::Receiver(receiver.clone());
        let key = digest_key(&of, number, Step::Digest, receiver);
        self.digests.get(&(of, number)).is_some_and(|digest| digest.cause == cause) && self.outbox.contains(&key)
    }

    /// Whether a digest told of it again with others: it stays with them, or each round would bring more single cards.
    fn was_told_together(&self, line: &Line) -> bool {
        let of = Subject::Receiver(line.receiver.clone());
        let again = |number| self.digests.get(&(of.clone(), number)).is_some_and(|digest| digest.cause.tells_again());
        [line.digest, line.again].into_iter().flatten().any(again)
    }

    /// Whether someone took other alerts of the same digest at the same instant: they are asked about all of them once.
    fn is_taken_along(&self, alert: &Alert, line: &Line) -> bool {
        let Some(taken) = &alert.taken else { return false };
        let of = Subject::Receiver(line.receiver.clone());
        let asked = self.open_gathering(DigestCause::Questions, alert, &line.receiver);
        let along = |other: &Alert| {
            let same = other.taken.as_ref().filter(|_| other.is_firing());
            other.key != alert.key && same.is_some_and(|other| other.at == taken.at && other.by.is_same(&taken.by))
        };
        let mut numbers = [line.digest, asked].into_iter().flatten();
        numbers.any(|number| {
            let told = self.members.episodes(&of, number);
            told.filter_map(|(key, episode)| self.episode(key, *episode)).any(&along)
        })
    }

    /// Whether a digest that is yet to be told tells the receiver of it.
    pub(super) fn is_gathered(&self, line: &Line) -> bool {
        let of = Subject::Receiver(line.receiver.clone());
        let key = |number| digest_key(&of, number, Step::Digest, &line.receiver);
        line.again.is_some_and(|number| self.outbox.contains(&key(number)))
    }

    /// A digest that tells again arrived: from now on it is the one that tells, and those of before show less.
    pub(super) fn told_again(&mut self, key: &NoticeKey, now: Timestamp) {
        let (of, number) = (&key.subject, key.episode);
        if !matches!(of, Subject::Receiver(name) if *name == key.receiver) {
            return;
        }
        let members: Vec<Alert> = self.digest_members(of, number).into_iter().cloned().collect();
        let mut before: Vec<u32> = Vec::new();
        for mut alert in members {
            let present = self.alert(&alert.key).is_some_and(|present| present.episode == alert.episode);
            let line = alert.lines.iter_mut().find(|line| line.receiver == key.receiver && line.again == Some(number));
            let Some(line) = line.filter(|_| present) else { continue }; // a past one is told by both
            line.again = None;
            line.held = false;
            before.extend(line.digest.replace(number));
            self.put_heard(alert, now);
        }
        before.sort_unstable();
        before.dedup();
        for number in before {
            self.digest_member_ended(of, number, now);
        }
    }

    /// The notice by which the ladder of an alert told last, for whom it mentions and calls.
    fn rung_told(alert: &Alert, receiver: &ReceiverName) -> NoticeKey {
        if alert.fallbacks > 0 {
            return notice_of(
                alert,
                Step::Fallback,
                NoticeKey::ladder_ordinal(alert.rounds, alert.fallbacks),
                receiver,
            );
        }
        notice_of(alert, Step::Escalated, NoticeKey::ladder_ordinal(alert.rounds, alert.rung), receiver)
    }

    /// Whom the first card of a digest mentions: whom the line says that would have told of its first alert; a question,
    /// those who are asked. Where it catches up, only what is critical calls someone.
    pub(super) fn mentioned_by_digest(&self, key: &NoticeKey, now: Timestamp) -> Vec<PersonId> {
        let cause = self.digests.get(&(key.subject.clone(), key.episode)).map(|digest| digest.cause);
        let notice: fn(&Alert, &ReceiverName) -> NoticeKey = match cause {
            Some(DigestCause::Baseline | DigestCause::Downtime | DigestCause::RuleChange | DigestCause::Storm) => {
                |alert, receiver| notice_of(alert, Step::Fired, 0, receiver)
            }
            Some(DigestCause::Escalations) => Self::rung_told,
            Some(DigestCause::Questions) => return self.takers(key),
            _ => return Vec::new(),
        };
        let Some(alert) = self.alert_told_by(key, now) else { return Vec::new() };
        let mention = self.mention_of(alert, &notice(alert, &key.receiver));
        mention.and_then(|mention| self.person_of(mention, alert, now)).into_iter().collect()
    }

    /// Who has the alerts that a digest tells of.
    fn takers(&self, key: &NoticeKey) -> Vec<PersonId> {
        let mut takers: Vec<PersonId> = Vec::new();
        for alert in self.digest_members(&key.subject, key.episode).into_iter().filter(|alert| alert.is_taken()) {
            let taker = alert.taken.as_ref().and_then(|taken| taken.by.open_id());
            let Some(taker) = taker.map(|id| PersonId::Open(id.clone())) else { continue };
            if takers.len() < ASKED_MAX && !takers.contains(&taker) {
                takers.push(taker);
            }
        }
        takers
    }

    /// A digest of escalations arrived: calls up whom the ladder of its first alert says, unless they were called about
    /// this rule while it gathered.
    pub(super) fn urge_for_digest(&mut self, entry: &Entry, delivered: &Delivered, now: Timestamp) {
        let key = &entry.key;
        let digest: Option<Digest> = self.digests.get(&(key.subject.clone(), key.episode)).cloned();
        let Some(digest) = digest.filter(|digest| digest.cause == DigestCause::Escalations) else { return };
        if key.step != Step::Digest || key.ordinal > 0 {
            return;
        }
        let Some(alert) = self.alert_told_by(key, now).filter(|alert| alert.fallbacks == 0).cloned() else { return };
        let Some(rung) = self.rung_of(&alert, &Self::rung_told(&alert, &key.receiver)).cloned() else { return };
        let (Some(urgent), Some(message)) = (rung.urgent, delivered.message_id.clone()) else { return };
        let mentioned = rung.mention.as_ref().and_then(|mention| self.person_of(mention, &alert, now));
        let person = match (self.person_behind(&key.receiver), mentioned) {
            (Some(person), _) => person,
            // They are told directly, and called when that arrived.
            (None, Some(person)) if delivered.absent.contains(&person) || entry.without_mentions => return,
            (None, Some(person)) => person,
            (None, None) => return, // who wrote the rule hears of it by the journal of those told one by one
        };
        let rule = digest.rule.as_ref().unwrap_or(&alert.key.rule);
        if !self.called_enough(key, rule, (&person, urgent), now) {
            let call = digest_key(&key.subject, key.episode, Step::Urged, &key.receiver);
            self.urge_about(call, (message, urgent, person), now);
        }
    }

    /// While a rule storms, a person is called up about it once within the time in which its alerts are counted, unless
    /// this call is louder than that one; the journal says so of a notice that does not call.
    pub(super) fn called_enough(
        &mut self,
        key: &NoticeKey,
        rule: &RuleName,
        (person, urgent): (&PersonId, Urgent),
        now: Timestamp,
    ) -> bool {
        let Some(storm) = self.settings.storm.filter(|_| self.storms.rages(self.named_now(rule))) else { return false };
        let wanted = self.how_now(key, (person, urgent), now.minus(storm.within), now);
        let same = |other: &RuleName| self.named_now(other) == self.named_now(rule);
        let called = |call: &Call| {
            let counts = call.key.how >= wanted && call.fate != Fate::Failed;
            let of = (call.subject.clone(), call.episode);
            let digest = self.digests.get(&of).filter(|_| call.rule.as_str() == DIGEST);
            let about = digest.and_then(|digest| digest.rule.as_ref()).unwrap_or(&call.rule);
            counts && now.since(call.at) < storm.within && same(about)
        };
        let calls = |entry: &Entry| match &entry.target {
            Some(Target::Urge(_, urgent, other)) => {
                let counts = How::from(*urgent) >= wanted;
                counts && same(self.rule_told(&entry.key)) && self.people.same(other, person)
            }
            _ => false,
        };
        let was = self.calls.values().any(|call| called(call) && self.people.same(&call.key.person, person));
        if !was && !self.outbox.entries().any(calls) {
            return false;
        }
        let name = self.people.words(person);
        let note = Message::new(
            format!("{name}：这条规则一下子太多，刚呼叫过，这一条不再呼叫"),
            format!("{name} was just called about this rule, of which there are too many: this one does not call"),
        );
        self.journal(now, (&key.subject, Some(&key.rule), key.episode), "call_limited", note);
        true
    }

    /// How a call goes out now: through the app where the telephone may not ring, or was refused since then.
    fn how_now(&self, key: &NoticeKey, (person, urgent): (&PersonId, Urgent), since: Timestamp, now: Timestamp) -> How {
        let how = How::from(urgent);
        let refused = |call: &Call| {
            let failed = call.key.how == how && call.fate == Fate::Failed && call.at > since;
            failed && self.people.same(&call.key.person, person)
        };
        let app = how.is_phone()
            && (may_phone(self.calls.values(), &self.people, (person, key), now).is_err()
                || self.calls.values().any(refused));
        if app { How::App } else { how }
    }

    /// The rule that a notice is about, also where a digest tells of it.
    fn rule_told<'a>(&'a self, key: &'a NoticeKey) -> &'a RuleName {
        let digest = self.digests.get(&(key.subject.clone(), key.episode)).filter(|_| key.rule.as_str() == DIGEST);
        digest.and_then(|digest| digest.rule.as_ref()).unwrap_or(&key.rule)
    }

    fn named_now<'a>(&'a self, rule: &'a RuleName) -> &'a RuleName {
        self.rule_named(rule).map_or(rule, |rule| &rule.name)
    }

    /// Decides a call about a card that arrived, once.
    pub(super) fn urge_about(
        &mut self,
        key: NoticeKey,
        (message, urgent, person): (MessageId, Urgent, PersonId),
        now: Timestamp,
    ) {
        if !self.remember(MessageId::from(key.uuid().as_str()), now) {
            return;
        }
        let target = Some(Target::Urge(message, urgent, person));
        let entry = Entry { target, ..Entry::new(key, Lane::Critical, now) };
        self.write(Write::Outbox(Box::new(entry.clone())));
        self.outbox.put(entry);
    }

    /// Whether an alert rings that a digest tells this receiver of, as their own or in another's place.
    pub(super) fn rings_for(&self, of: &Subject, number: u32, receiver: &ReceiverName) -> bool {
        let Some(digest) = self.digests.get(&(of.clone(), number)) else { return false };
        let mut told = digest.told_at(receiver);
        told.any(|name| self.members.rings_at(of, number, name))
    }

    /// Why a digest, or a call about it, is not due any more: nothing rings that it tells, or those who would be told
    /// once more of it have it or put it off.
    pub(super) fn digest_not_due(&self, key: &NoticeKey, now: Timestamp) -> Option<Words> {
        let (of, number, urged) = (&key.subject, key.episode, key.step == Step::Urged);
        if !self.rings_for(of, number, &key.receiver) {
            return Some(match urged {
                true => Words { zh: "加急之前都已结束", en: "all of it ended before anyone was called up" },
                false => Words { zh: "汇总发出之前都已结束", en: "all of it ended before it was sent" },
            });
        }
        let cause = self.digests.get(&(of.clone(), number))?.cause;
        if !urged && !matches!(cause, DigestCause::Escalations | DigestCause::Repeats) {
            return None;
        }
        let awake = self.told_to(of, number, &key.receiver).into_iter().any(|alert| self.is_awake(alert, now));
        let why = Words {
            zh: "发出之前都已有人接手或推迟", en: "all of it was taken or put off before it was sent"
        };
        (!awake).then_some(why)
    }

    /// Whether someone is still to be told of it again.
    pub(super) fn is_awake(&self, alert: &Alert, now: Timestamp) -> bool {
        alert.is_firing() && self.rests(&alert.key, now).is_none()
    }

    /// The alerts that a digest tells this receiver of.
    pub(super) fn told_to(&self, of: &Subject, number: u32, receiver: &ReceiverName) -> Vec<&Alert> {
        let Some(digest) = self.digests.get(&(of.clone(), number)) else { return Vec::new() };
        let mut members = self.digest_members(of, number);
        members.retain(|alert| {
            told_in(alert, of, number).any(|line| digest.told_at(receiver).any(|name| *name == line.receiver))
        });
        members
    }
}
