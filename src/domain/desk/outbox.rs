//! The outbox: notices decided and not yet delivered, in the order they are served.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    alert::{Alert, AlertKey, Announced},
    desk::{
        input::ChatKind,
        machine::Desk,
        outcome::Write,
        pump::{IN_FLIGHT_MAX, may_have_arrived},
        state::{Answer, CardKey, CardShows, Entry, Lane},
    },
    id::{MessageId, ReceiverName, RuleName, Subject},
    notice::{self, NoticeKey},
    rule::Severity,
    text::Message,
    time::{Span, Timestamp},
};

/// A waiting lane is served one lane higher after this long.
const AGES_UP_AFTER: Span = Span::from_mins(1);

/// Lanes, first served first.
const LANES: [Lane; 4] = [Lane::Answers, Lane::Critical, Lane::Alerts, Lane::Updates];

/// Writes of one input among which the same line of the journal is looked for.
const WRITES_LOOKED_AT: usize = 64;

/// Sends of one channel under way at once: a quarter of all, so that one that never answers leaves room for the others.
/// Each commit lets go of what the reports before it made room for: fewer, and commits grow small and many.
const CHANNEL_IN_FLIGHT_MAX: usize = IN_FLIGHT_MAX / 4;

/// Where a queued notice is to be found: ready since, in order of arrival.
type Ready = BTreeSet<(Timestamp, u64, NoticeKey)>;

/// What is known of a send under way.
#[derive(Clone, Debug, Default)]
pub(super) struct UnderWay {
    /// The message that it answers or updates.
    pub(super) hangs_on: Option<MessageId>,
    /// The revision of its alert or digest that it shows.
    pub(super) rev: u32,
}

/// Notices decided and not yet delivered. A channel is one receiver's line; an answer's is its chat.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    entries: BTreeMap<NoticeKey, (u64, Entry)>,
    /// The same, those that wait longest first.
    by_age: BTreeSet<(Timestamp, NoticeKey)>,
    /// How many there are in each lane.
    lanes: BTreeMap<Lane, usize>,
    /// How many of them were tried in vain.
    failing: usize,
    ready: BTreeMap<ReceiverName, BTreeMap<Lane, Ready>>,
    sleeping: BTreeSet<(Timestamp, NoticeKey)>,
    in_flight: BTreeMap<NoticeKey, UnderWay>,
    /// How many of them each channel has.
    in_flight_of: BTreeMap<ReceiverName, usize>,
    blocked: BTreeMap<ReceiverName, Timestamp>,
    arrivals: u64,
}

impl Outbox {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    pub(super) fn contains(&self, key: &NoticeKey) -> bool {
        self.entries.contains_key(key)
    }

    pub(super) fn get(&self, key: &NoticeKey) -> Option<&Entry> {
        self.entries.get(key).map(|(_, entry)| entry)
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values().map(|(_, entry)| entry)
    }

    /// Whether another notice may yet become the card that this one is to hang on: a card that takes another's place, a
    /// beginning, or one that was or is being sent as a card because there was none. Of two none ever waits for the
    /// other while that one waits for it.
    pub(super) fn awaits_card(&self, entry: &Entry) -> bool {
        let key = &entry.key;
        let first =
            NoticeKey { step: notice::Step::Fired, ordinal: 0, receiver: ReceiverName::from(""), ..key.clone() };
        let same =
            |other: &NoticeKey| (&other.subject, &other.rule, other.episode) == (&key.subject, &key.rule, key.episode);
        let mut others = self.entries.range(first..).take_while(|(other, _)| same(other));
        others.any(|(other, (_, before))| {
            let (Some(own), Some(theirs)) = (rank(key), rank(other)) else { return false };
            if *other == *key || other.receiver != key.receiver {
                return false;
            }
            let is_first = || (before.decided_at, other) < (entry.decided_at, key);
            let was_tried = theirs == own && may_have_arrived(before);
            theirs < own
                || self.in_flight.contains_key(other)
                || (was_tried && (!may_have_arrived(entry) || is_first()))
        })
    }

    /// The notices of an alert's episode.
    pub(super) fn of_episode(&self, alert: &AlertKey, episode: u32) -> impl Iterator<Item = &NoticeKey> {
        let first = NoticeKey {
            subject: alert.subject.clone(),
            rule: alert.rule.clone(),
            episode,
            step: notice::Step::Fired,
            ordinal: 0,
            receiver: ReceiverName::from(""),
        };
        let theirs =
            move |key: &&NoticeKey| key.subject == alert.subject && key.rule == alert.rule && key.episode == episode;
        self.entries.range(first..).map(|(key, _)| key).take_while(theirs)
    }

    pub(super) fn is_in_flight(&self, key: &NoticeKey) -> bool {
        self.in_flight.contains_key(key)
    }

    /// How many wait or are under way in each lane.
    pub(super) const fn lanes(&self) -> &BTreeMap<Lane, usize> {
        &self.lanes
    }

    /// How many were tried in vain.
    pub(super) const fn failing(&self) -> usize {
        self.failing
    }

    /// The one that was decided first.
    pub(super) fn oldest(&self) -> Option<&Entry> {
        self.get(&self.by_age.first()?.1)
    }

    /// Puts an entry where it will be found at `not_before`.
    pub(super) fn put(&mut self, entry: Entry) {
        self.remove(&entry.key);
        self.sleeping.insert((entry.not_before, entry.key.clone()));
        self.keep(entry);
    }

    fn keep(&mut self, entry: Entry) {
        self.arrivals += 1;
        self.by_age.insert((entry.decided_at, entry.key.clone()));
        *self.lanes.entry(entry.lane).or_default() += 1;
        self.failing += usize::from(entry.last_error.is_some());
        self.entries.insert(entry.key.clone(), (self.arrivals, entry));
    }

    /// The entry is neither found by its age nor counted any more.
    fn uncount(&mut self, entry: &Entry) {
        self.by_age.remove(&(entry.decided_at, entry.key.clone()));
        self.failing -= usize::from(entry.last_error.is_some());
        if let Some(count) = self.lanes.get_mut(&entry.lane) {
            *count -= 1;
            if *count == 0 {
                self.lanes.remove(&entry.lane);
            }
        }
    }

    /// Takes an entry out, wherever it stands.
    pub(super) fn remove(&mut self, key: &NoticeKey) -> Option<Entry> {
        let (arrival, entry) = self.entries.remove(key)?;
        self.uncount(&entry);
        self.land(key);
        self.sleeping.remove(&(entry.not_before, key.clone()));
        if let Some(lanes) = self.ready.get_mut(&key.receiver) {
            if let Some(ready) = lanes.get_mut(&entry.lane) {
                ready.remove(&(entry.not_before, arrival, key.clone()));
                if ready.is_empty() {
                    lanes.remove(&entry.lane);
                }
            }
            if lanes.is_empty() {
                self.ready.remove(&key.receiver);
            }
        }
        Some(entry)
    }

    /// The entry is being sent: it waits for the report.
    pub(super) fn set_in_flight(&mut self, entry: Entry, under_way: UnderWay) {
        let key = entry.key.clone();
        self.remove(&key);
        self.keep(entry);
        *self.in_flight_of.entry(key.receiver.clone()).or_default() += 1;
        self.in_flight.insert(key, under_way);
    }

    /// What is known of the send of an entry that is under way.
    pub(super) fn under_way(&self, key: &NoticeKey) -> UnderWay {
        self.in_flight.get(key).cloned().unwrap_or_default()
    }

    /// The entry is under way no more, if it was.
    fn land(&mut self, key: &NoticeKey) {
        if self.in_flight.remove(key).is_none() {
            return;
        }
        if let Some(count) = self.in_flight_of.get_mut(&key.receiver) {
            *count -= 1;
            if *count == 0 {
                self.in_flight_of.remove(&key.receiver);
            }
        }
    }

    /// Wakes what slept until now.
    pub(super) fn wake(&mut self, now: Timestamp) {
        while let Some((at, _)) = self.sleeping.first()
            && *at <= now
        {
            let Some((at, key)) = self.sleeping.pop_first() else { return };
            if let Some((arrival, entry)) = self.entries.get(&key) {
                if matches!(entry.lane, Lane::Answers | Lane::Critical) {
                    self.blocked.remove(&key.receiver); // the reserve may let it through
                }
                let lanes = self.ready.entry(key.receiver.clone()).or_default();
                lanes.entry(entry.lane).or_default().insert((at, *arrival, key));
            }
        }
        self.blocked.retain(|_, until| *until > now);
    }

    /// The channels that have something ready and are not held up.
    pub(super) fn open_channels(&self) -> Vec<ReceiverName> {
        self.ready.keys().filter(|channel| self.is_open(channel)).cloned().collect()
    }

    /// Whether another notice of this channel may go.
    pub(super) fn is_open(&self, channel: &ReceiverName) -> bool {
        let in_flight = self.in_flight_of.get(channel).copied().unwrap_or_default();
        in_flight < CHANNEL_IN_FLIGHT_MAX && !self.blocked.contains_key(channel)
    }

    /// The next notice of a channel and the lane it is served in: lanes in order, each one higher once it has waited
    /// a minute.
    pub(super) fn head(&self, channel: &ReceiverName, now: Timestamp) -> Option<(NoticeKey, Lane)> {
        let lanes = self.ready.get(channel)?;
        let (_, _, key, lane) = lanes
            .iter()
            .filter_map(|(lane, ready)| {
                let (at, arrival, key) = ready.first()?;
                let served = if now.since(*at) >= AGES_UP_AFTER { one_higher(*lane) } else { *lane };
                Some((served, (*at, *arrival), key, served))
            })
            .min_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)))?;
        Some((key.clone(), lane))
    }

    /// Nothing of this channel goes before `until`.
    pub(super) fn block(&mut self, channel: ReceiverName, until: Timestamp) {
        self.blocked.insert(channel, until);
    }

    /// Nothing waits for an instant that lies ahead only because the clock was set back.
    pub(super) fn rewind(&mut self, now: Timestamp) {
        self.blocked.clear();
        for (at, key) in std::mem::take(&mut self.sleeping) {
            if let Some((_, entry)) = self.entries.get_mut(&key) {
                entry.not_before = at.min(now);
                self.sleeping.insert((entry.not_before, key));
            }
        }
    }

    pub(super) fn next_due(&self) -> Timestamp {
        let sleeping = self.sleeping.first().map_or(Timestamp::NEVER, |(at, _)| *at);
        let blocked = self.blocked.iter().filter(|(channel, _)| self.ready.contains_key(*channel));
        sleeping.min(blocked.map(|(_, until)| *until).min().unwrap_or(Timestamp::NEVER))
    }
}

/// In which order notices become an alert's card where there is none; nothing for what never does.
const fn rank(key: &NoticeKey) -> Option<u8> {
    match key.step {
        notice::Step::Fired if key.ordinal > 0 => Some(0),
        notice::Step::Fired | notice::Step::Called => Some(1),
        notice::Step::Repeated
        | notice::Step::Escalated
        | notice::Step::Asked
        | notice::Step::Woken
        | notice::Step::Fallback => Some(2),
        _ => None,
    }
}

fn one_higher(lane: Lane) -> Lane {
    let index = LANES.iter().position(|known| *known == lane).unwrap_or(0);
    LANES.get(index.saturating_sub(1)).copied().unwrap_or(lane)
}

impl Desk {
    /// Decides a notice of an alert.
    pub(super) fn tell(
        &mut self,
        alert: &Alert,
        step: notice::Step,
        ordinal: u32,
        receiver: &ReceiverName,
        now: Timestamp,
    ) {
        let key = notice_of(alert, step, ordinal, receiver);
        let calls = matches!(step, notice::Step::Escalated | notice::Step::Fallback);
        let urgent = alert.severity == Severity::Critical || calls;
        let lane = if urgent { Lane::Critical } else { Lane::Alerts };
        self.enqueue(key, lane, None, now);
    }

    /// Puts a notice into the outbox, once.
    pub(super) fn enqueue(&mut self, key: NoticeKey, lane: Lane, text: Option<Answer>, now: Timestamp) {
        self.enqueue_for(key, lane, text, now, now);
    }

    /// The same, to be sent not before an instant.
    pub(super) fn enqueue_for(
        &mut self,
        key: NoticeKey,
        lane: Lane,
        text: Option<Answer>,
        not_before: Timestamp,
        now: Timestamp,
    ) {
        if self.outbox.contains(&key) {
            return;
        }
        let entry = Entry { text, not_before, ..Entry::new(key, lane, now) };
        self.write(Write::Outbox(Box::new(entry.clone())));
        self.outbox.put(entry);
    }

    /// A card is behind: one update waits for it, and shows whatever is committed when it is sent.
    pub(super) fn enqueue_update(&mut self, card: &CardKey, now: Timestamp) {
        let key = match &card.shows {
            CardShows::Alert(alert, episode) => NoticeKey {
                subject: alert.subject.clone(),
                rule: alert.rule.clone(),
                episode: *episode,
                step: notice::Step::Update,
                ordinal: 0,
                receiver: card.receiver.clone(),
            },
            CardShows::Digest(source, number) => {
                super::digests::digest_key(source, *number, notice::Step::Update, &card.receiver)
            }
        };
        let not_before = self.update_not_before(card, now);
        self.enqueue_for(key, Lane::Updates, None, not_before, now);
    }

    /// Lets everyone who was told an alert's beginning know that it is over.
    pub(super) fn tell_ending(&mut self, key: &AlertKey, now: Timestamp) {
        let Some(alert) = self.alert(key).cloned() else { return };
        self.refresh_cards_at(&alert, now);
        for line in &alert.lines {
            let card = card_of(&alert, &line.receiver);
            let told = self.cards.contains_key(&card) || self.begun(&alert, &line.receiver) || self.was_caught_up(line);
            let can_patch = self.settings.receiver(&line.receiver).is_some_and(|known| known.kind.can_patch());
            if told && (!can_patch || self.lost_card(&alert, &line.receiver)) {
                self.tell(&alert, notice::Step::Ended, 0, &line.receiver, now);
            }
        }
        self.refresh_digests(&alert, now);
    }

    /// The digests that tell of an alert catch up with it.
    pub(super) fn refresh_digests(&mut self, alert: &Alert, now: Timestamp) {
        if let (Announced::Digest(number), Some(source)) = (alert.announced, alert.key.subject.source()) {
            self.digest_member_ended(&Subject::Source(source.clone()), number, now);
        }
        for line in &alert.lines {
            for number in [line.digest, line.again].into_iter().flatten() {
                self.digest_member_ended(&Subject::Receiver(line.receiver.clone()), number, now);
            }
        }
    }

    /// A new episode begins: the one before is kept as long as someone has still to be told of its end.
    pub(super) fn keep_past(&mut self, before: Option<&Alert>) {
        if let Some(alert) = before.filter(|alert| !alert.is_live() && self.is_unsettled(alert)) {
            self.write(Write::Past(Box::new(alert.clone())));
            self.past.insert((alert.key.clone(), alert.episode), alert.clone());
        }
    }

    pub(super) fn forget_past_if_settled(&mut self, key: &AlertKey, episode: u32) {
        let place = (key.clone(), episode);
        if self.past.get(&place).is_some_and(|alert| !self.is_unsettled(alert)) {
            if let Some(alert) = self.past.remove(&place) {
                let stays = self.alert(key).is_some_and(|present| present.episode == episode);
                self.members.forget(&alert);
                self.index.forget(&alert, stays);
            }
            self.write(Write::DropPast(place.0, place.1));
        }
    }

    /// Whether a card still stands, or a notice of this episode is still to be delivered.
    pub(super) fn is_unsettled(&self, alert: &Alert) -> bool {
        alert.lines.iter().any(|line| {
            let notice = |step| self.outbox.contains(&notice_of(alert, step, 0, &line.receiver));
            let told = |number: u32| (Subject::Receiver(line.receiver.clone()), number);
            self.stands(&card_of(alert, &line.receiver))
                || [line.digest, line.again].into_iter().flatten().any(|it| self.digests.contains_key(&told(it)))
                || notice(notice::Step::Fired)
                || notice(notice::Step::Ended)
                || notice(notice::Step::Called)
        })
    }

    /// The beginning may be on its way to this receiver.
    fn begun(&self, alert: &Alert, receiver: &ReceiverName) -> bool {
        self.outbox.get(&notice_of(alert, notice::Step::Fired, 0, receiver)).is_some_and(may_have_arrived)
    }

    /// The alert's cards catch up with it.
    fn refresh_cards_at(&mut self, alert: &Alert, now: Timestamp) {
        for line in &alert.lines {
            let card = card_of(alert, &line.receiver);
            if self.cards.get(&card).is_some_and(|card| card.message.is_some()) {
                self.enqueue_update(&card, now);
            }
        }
    }

    pub(super) fn refresh_cards(&mut self, key: &AlertKey, now: Timestamp) {
        if let Some(alert) = self.alert(key).cloned() {
            self.refresh_cards_at(&alert, now);
        }
    }

    pub(super) fn put_card(&mut self, card: super::state::CardState) {
        self.write(Write::Card(Box::new(card.clone())));
        if let Some(before) = self.cards.insert(card.key.clone(), card.clone()) {
            self.index.forget_card(&before);
        }
        self.index.note_card(&card);
    }

    pub(super) fn drop_card(&mut self, key: &CardKey) {
        self.resting.remove(key);
        if let Some(card) = self.cards.remove(key) {
            self.index.forget_card(&card);
            self.storms.forget_card(key);
            self.write(Write::DropCard(key.clone()));
        }
    }

    /// Takes a notice out of the outbox and says why in the journal.
    pub(super) fn drop_notice(&mut self, key: &NoticeKey, why: Message, now: Timestamp) {
        self.forget_notice(key);
        self.counters.dropped += 1;
        // What several receivers are not told any more for one reason is one line.
        let is_written = |write: &Write| match write {
            Write::Journal(line) => {
                line.what == "dropped"
                    && line.subject == key.subject
                    && line.rule.as_ref() == Some(&key.rule)
                    && line.note == why
            }
            _ => false,
        };
        if !self.out.writes.iter().rev().take(WRITES_LOOKED_AT).any(is_written) {
            self.journal(now, (&key.subject, Some(&key.rule), key.episode), "dropped", why);
        }
    }

    /// Takes a notice out of the outbox.
    pub(super) fn forget_notice(&mut self, key: &NoticeKey) {
        self.stall.remove(key);
        if let Some(restart) = &mut self.restart {
            restart.gone(key);
        }
        if self.outbox.remove(key).is_some() {
            self.write(Write::DropOutbox(key.clone()));
        }
        if let (notice::Step::Answer, Subject::Message(message)) = (key.step, &key.subject) {
            self.forget_question(&message.clone());
        }
    }

    /// The question is answered, or nobody waits for the answer any more.
    pub(super) fn forget_question(&mut self, message: &MessageId) {
        self.visiting.remove(message);
        self.talks.remove(message);
        let asked = self.inbox.remove(message);
        if asked.is_some_and(|item| item.message.chat_kind != ChatKind::Admin) {
            self.write(Write::DropInbox(message.clone()));
        }
    }
}

/// The card an alert has with a receiver.
pub(super) fn card_of(alert: &Alert, receiver: &ReceiverName) -> CardKey {
    CardKey { shows: CardShows::Alert(alert.key.clone(), alert.episode), receiver: receiver.clone() }
}

/// The key of an alert's notice.
pub(super) fn notice_of(alert: &Alert, step: notice::Step, ordinal: u32, receiver: &ReceiverName) -> NoticeKey {
    NoticeKey {
        subject: alert.key.subject.clone(),
        rule: alert.key.rule.clone(),
        episode: alert.episode,
        step,
        ordinal,
        receiver: receiver.clone(),
    }
}

/// The name answers carry in keys where alerts carry their rule's.
pub(super) fn answer_rule() -> RuleName {
    RuleName::from("deskbell.answer")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(receiver: &str, ordinal: u32) -> Entry {
        let key = NoticeKey {
            subject: Subject::Service,
            rule: RuleName::from("rule"),
            episode: 1,
            step: notice::Step::Fired,
            ordinal,
            receiver: ReceiverName::from(receiver),
        };
        Entry::new(key, Lane::Alerts, Timestamp::from_ms(0))
    }

    #[test]
    fn a_channel_that_never_answers_leaves_room_for_the_others() {
        let (now, slow) = (Timestamp::from_ms(0), ReceiverName::from("slow"));
        let mut outbox = Outbox::default();
        (0..100).for_each(|ordinal| outbox.put(entry("slow", ordinal)));
        outbox.put(entry("other", 0));
        outbox.wake(now);
        while outbox.is_open(&slow) {
            let (key, _) = outbox.head(&slow, now).unwrap();
            let entry = outbox.get(&key).unwrap().clone();
            outbox.set_in_flight(entry, UnderWay::default());
        }
        assert_eq!(outbox.in_flight(), CHANNEL_IN_FLIGHT_MAX);
        assert_eq!(outbox.open_channels(), [ReceiverName::from("other")]);
        outbox.put(entry("slow", 0)); // it failed, and waits to be tried again
        assert!(outbox.is_open(&slow));
        outbox.remove(&entry("slow", 1).key);
        assert_eq!(outbox.in_flight(), CHANNEL_IN_FLIGHT_MAX - 2);
    }

    #[test]
    fn what_is_counted_is_what_is_there() {
        let mut outbox = Outbox::default();
        let at = |ordinal: u32| Timestamp::from_ms(10 - i64::from(ordinal));
        let made = |ordinal| Entry { decided_at: at(ordinal), ..entry("slow", ordinal) };
        (0..5).for_each(|ordinal| outbox.put(made(ordinal)));
        outbox.set_in_flight(made(1), UnderWay::default());
        outbox.put(Entry { lane: Lane::Critical, last_error: Some(Message::default()), ..made(2) });
        assert_eq!(outbox.oldest().map(|entry| entry.key.ordinal), Some(4));
        assert_eq!((outbox.lanes().clone(), outbox.failing()), ([(Lane::Critical, 1), (Lane::Alerts, 4)].into(), 1));
        (0..5).for_each(|ordinal| drop(outbox.remove(&made(ordinal).key)));
        assert_eq!((outbox.oldest(), outbox.lanes().len(), outbox.failing()), (None, 0, 0));
    }
}
