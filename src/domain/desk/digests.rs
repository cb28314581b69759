//! Catching up: what already holds is told in one digest per receiver, not one by one.

use std::collections::BTreeSet;

use crate::domain::{
    alert::{Alert, AlertKey, Announced},
    desk::{
        machine::Desk,
        outcome::Write,
        state::{CardKey, CardShows, Digest, Lane},
    },
    id::{ReceiverName, RuleName, SourceName, Subject, TicketId, TicketKey},
    notice::{self, DigestCause, NoticeKey},
    rule::{CatchUp, Rule},
    text::Message,
    time::{Span, Timestamp},
};

/// The name digests carry in keys where alerts carry their rule's.
pub(super) const DIGEST: &str = "deskbell.digest";

/// A digest is told at the latest this long after its first member, complete pass or not.
const DIGEST_WAIT_MAX: Span = Span::from_mins(2);

/// A source that is being caught up on.
#[derive(Debug)]
pub(super) struct CatchingUp {
    cause: DigestCause,
    /// Who will be told.
    receivers: BTreeSet<ReceiverName>,
    /// How many alerts have joined.
    members: usize,
    /// When the first member joined.
    first_at: Option<Timestamp>,
}

impl CatchingUp {
    pub(super) fn new(cause: DigestCause) -> Self {
        Self { cause, receivers: BTreeSet::new(), members: 0, first_at: None }
    }

    pub(super) fn flush_at(&self) -> Timestamp {
        self.first_at.map_or(Timestamp::NEVER, |first| first.plus(DIGEST_WAIT_MAX))
    }

    pub(super) fn rewind(&mut self, now: Timestamp) {
        self.first_at = self.first_at.map(|at| at.min(now));
    }

    pub(super) fn join(&mut self, alert: &Alert, now: Timestamp) {
        self.first_at.get_or_insert(now);
        self.members += 1;
        self.receivers.extend(alert.lines.iter().map(|line| line.receiver.clone()));
    }
}

impl Desk {
    /// How a beginning is told now: as usual (nothing), or as the catch-up says.
    pub(super) fn catch_up(&self, source: &SourceName, rule: &Rule) -> Option<CatchUp> {
        self.sources.get(source)?.catching_up.as_ref()?;
        Some(rule.catch_up.unwrap_or(self.settings.sources.get(source)?.catch_up))
    }

    /// Puts an alert into the digest that is being gathered, and says its number.
    pub(super) fn join_digest(&mut self, source: SourceName, alert: &Alert, now: Timestamp) -> u32 {
        let Some(source) = self.sources.get_mut(&source) else { return 0 };
        if let Some(catching_up) = &mut source.catching_up {
            catching_up.join(alert, now);
        }
        source.state.digest + 1
    }

    /// The pass is complete: tells the digest, and catching up is over.
    pub(super) fn finish_digest(&mut self, name: &SourceName, now: Timestamp) {
        self.tell_digest(name, now);
        if let Some(source) = self.sources.get_mut(name) {
            source.catching_up = None;
        }
    }

    /// Tells what was gathered so far.
    pub(super) fn tell_digest(&mut self, name: &SourceName, now: Timestamp) {
        let Some(source) = self.sources.get_mut(name) else { return };
        let Some(catching_up) = &mut source.catching_up else { return };
        catching_up.first_at = None;
        let count = std::mem::take(&mut catching_up.members);
        let receivers: Vec<ReceiverName> = std::mem::take(&mut catching_up.receivers).into_iter().collect();
        if count == 0 {
            return;
        }
        source.state.digest += 1;
        let (number, cause, state) = (source.state.digest, catching_up.cause, Box::new(source.state.clone()));
        self.write(Write::Source(state));
        let words = cause.words();
        let note = Message::new(
            format!("{}：{count} 条告警合为一条汇总", words.zh),
            format!("{}: {count} alerts told as one digest", words.en),
        );
        let subject = Subject::Source(name.clone());
        self.journal(now, (&subject, None, number), "digest", note);
        for receiver in &receivers {
            let key = digest_key(&subject, number, notice::Step::Digest, receiver);
            self.enqueue(key, Lane::Updates, None, now);
        }
        self.put_digest(Digest {
            of: subject,
            number,
            cause,
            rule: None,
            critical: false,
            began_at: now,
            joined_at: now,
            closed_at: Some(now),
            receivers,
            rev: 1,
        });
    }

    pub(super) fn put_digest(&mut self, digest: Digest) {
        self.write(Write::Digest(Box::new(digest.clone())));
        self.digests.insert((digest.of.clone(), digest.number), digest);
    }

    /// A member ended: the digest's cards catch up.
    pub(super) fn digest_member_ended(&mut self, of: &Subject, number: u32, now: Timestamp) {
        let Some(mut digest) = self.digests.get(&(of.clone(), number)).cloned() else { return };
        digest.rev += 1;
        let receivers = digest.receivers.clone();
        self.put_digest(digest);
        for receiver in receivers {
            let key = CardKey { shows: CardShows::Digest(of.clone(), number), receiver };
            if self.cards.get(&key).is_some_and(|card| card.message.is_some()) {
                self.enqueue_update(&key, now);
            }
        }
        if matches!(of, Subject::Receiver(_)) {
            self.forget_digest_if_over(of, number); // a receiver that cannot be updated gives no other occasion
        }
    }

    /// A closed digest without a firing member whose cards all show that is forgotten.
    pub(super) fn forget_digest_if_over(&mut self, of: &Subject, number: u32) {
        let place = (of.clone(), number);
        let Some(digest) = self.digests.get(&place) else { return };
        let shown = |receiver: &ReceiverName| {
            let card = CardKey { shows: CardShows::Digest(of.clone(), number), receiver: receiver.clone() };
            let waits = self.outbox.contains(&digest_key(of, number, notice::Step::Digest, receiver));
            !waits && self.cards.get(&card).is_none_or(|card| card.message.is_none() || card.shown_rev >= digest.rev)
        };
        let receivers = digest.receivers.clone();
        let over = digest.closed_at.is_some() && !self.digest_members(of, number).iter().any(|it| it.is_firing());
        if !over || !receivers.iter().all(shown) {
            return;
        }
        for receiver in receivers {
            self.drop_card(&CardKey { shows: CardShows::Digest(of.clone(), number), receiver });
        }
        self.digests.remove(&place);
        self.write(Write::DropDigest(place.0, place.1));
    }

    /// The alerts whose present episode is told by this digest.
    pub(super) fn digest_members(&self, of: &Subject, number: u32) -> Vec<&Alert> {
        match of {
            Subject::Receiver(receiver) => {
                let told = |alert: &&Alert| {
                    alert.lines.iter().any(|line| line.receiver == *receiver && line.digest == Some(number))
                };
                self.alerts.values().flatten().filter(told).collect()
            }
            Subject::Source(source) => self.source_members(source, number).collect(),
            _ => Vec::new(),
        }
    }

    pub(super) fn source_members(&self, source: &SourceName, number: u32) -> impl Iterator<Item = &Alert> {
        let first = Subject::Ticket(TicketKey::new(source.clone(), TicketId::from("")));
        self.alerts
            .range(first..)
            .take_while(|(subject, _)| subject.ticket().is_some())
            .filter(|(subject, _)| subject.source() == Some(source))
            .flat_map(|(_, alerts)| alerts)
            .filter(move |alert| alert.announced == Announced::Digest(number))
    }

    pub(super) fn is_firing_episode(&self, key: &AlertKey, episode: u32) -> bool {
        self.alert(key).is_some_and(|alert| alert.is_firing() && alert.episode == episode)
    }
}

/// The key of a digest's notice.
pub(super) fn digest_key(of: &Subject, number: u32, step: notice::Step, receiver: &ReceiverName) -> NoticeKey {
    NoticeKey {
        subject: of.clone(),
        rule: RuleName::from(DIGEST),
        episode: number,
        step,
        ordinal: 0,
        receiver: receiver.clone(),
    }
}
