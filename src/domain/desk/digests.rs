//! Catching up: what already holds is told in one digest per receiver, not one by one.

use std::collections::BTreeSet;

use crate::domain::{
    alert::{Alert, AlertKey},
    desk::{
        machine::Desk,
        outcome::Write,
        state::{CardKey, CardShows, CardState, Digest, Lane},
    },
    id::{ReceiverName, RuleName, SourceName, Subject},
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
            format!("{}：{count} 条提醒合为一条汇总", words.zh),
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
            hops: Vec::new(),
            rev: 1,
        });
    }

    pub(super) fn put_digest(&mut self, digest: Digest) {
        self.write(Write::Digest(Box::new(digest.clone())));
        self.digests.insert((digest.of.clone(), digest.number), digest);
    }

    /// A member ended, or someone took it: the digest's cards catch up.
    pub(super) fn digest_member_ended(&mut self, of: &Subject, number: u32, now: Timestamp) {
        self.change_digest(of, number, |_| {}, now);
    }

    /// A digest is not what it was: its cards catch up.
    pub(super) fn change_digest(
        &mut self,
        of: &Subject,
        number: u32,
        change: impl FnOnce(&mut Digest),
        now: Timestamp,
    ) {
        let Some(mut digest) = self.digests.get(&(of.clone(), number)).cloned() else { return };
        change(&mut digest);
        digest.rev += 1;
        let receivers = digest.receivers.clone();
        self.put_digest(digest);
        for receiver in receivers {
            let key = CardKey { shows: CardShows::Digest(of.clone(), number), receiver };
            self.digest_card_catches_up(&key, (of, number), now);
        }
        self.forget_digest_if_over(of, number);
    }

    /// A digest's card is updated; where that cannot be, one message tells that all of it is over.
    fn digest_card_catches_up(&mut self, key: &CardKey, (of, number): (&Subject, u32), now: Timestamp) {
        let over = |card: &CardState| self.owes_end(card) && self.is_over_at(of, number, &key.receiver);
        match self.cards.get(key) {
            Some(card) if card.message.is_some() => self.enqueue_update(key, now),
            Some(card) if over(card) => {
                let ended = digest_key(of, number, notice::Step::Ended, &key.receiver);
                self.enqueue(ended, Lane::Updates, None, now);
            }
            _ => {}
        }
    }

    /// What a card of a digest was sent for is done: nothing is left to show there, or its end must be told.
    pub(super) fn settle_digest(
        &mut self,
        step: notice::Step,
        card: &CardState,
        (of, number): (&Subject, u32),
        now: Timestamp,
    ) {
        if step == notice::Step::Ended {
            self.drop_card(&card.key);
        } else if card.message.is_none() {
            self.digest_card_catches_up(&card.key, (of, number), now);
        }
        self.forget_digest_if_over(of, number);
    }

    /// A card that cannot be updated is behind, and its digest's members are not told of one by one when they end.
    fn owes_end(&self, card: &CardState) -> bool {
        let CardShows::Digest(of, number) = &card.key.shows else { return false };
        let Some(digest) = self.digests.get(&(of.clone(), *number)) else { return false };
        let hushed = matches!(digest.cause, DigestCause::SilenceOver | DigestCause::QuietOver);
        // Where all of it was told again by others, those tell the end.
        let tells = || self.members.episodes(of, *number).next().is_some();
        !hushed && card.shown_rev < digest.rev && tells()
    }

    /// Nothing joins it any more, and nothing rings that it tells this receiver.
    fn is_over_at(&self, of: &Subject, number: u32, receiver: &ReceiverName) -> bool {
        let closed = self.digests.get(&(of.clone(), number)).is_some_and(|digest| digest.closed_at.is_some());
        closed && !self.rings_for(of, number, receiver)
    }

    /// A closed digest without a firing member whose cards all show that is forgotten.
    pub(super) fn forget_digest_if_over(&mut self, of: &Subject, number: u32) {
        let place = (of.clone(), number);
        let Some(digest) = self.digests.get(&place) else { return };
        let shown = |receiver: &ReceiverName| {
            let card = CardKey { shows: CardShows::Digest(of.clone(), number), receiver: receiver.clone() };
            let waits = |step| self.outbox.contains(&digest_key(of, number, step, receiver));
            let behind = self.cards.get(&card).is_some_and(|card| match card.message {
                Some(_) => card.shown_rev < digest.rev,
                None => self.owes_end(card),
            });
            !waits(notice::Step::Digest) && !waits(notice::Step::Ended) && !behind
        };
        let receivers = digest.receivers.clone();
        let over = digest.closed_at.is_some() && !self.members.rings(of, number);
        if !over || !receivers.iter().all(shown) {
            return;
        }
        for receiver in receivers {
            self.drop_card(&CardKey { shows: CardShows::Digest(of.clone(), number), receiver });
        }
        self.drop_digest(of, number);
    }

    /// Forgets a digest, and the episodes that were kept for its sake.
    pub(super) fn drop_digest(&mut self, of: &Subject, number: u32) {
        if self.digests.remove(&(of.clone(), number)).is_some() {
            self.write(Write::DropDigest(of.clone(), number));
        }
        let told: Vec<(AlertKey, u32)> = self.members.episodes(of, number).cloned().collect();
        for (key, episode) in told {
            self.forget_past_if_settled(&key, episode);
        }
    }

    /// The alerts that this digest tells.
    pub(super) fn digest_members(&self, of: &Subject, number: u32) -> Vec<&Alert> {
        self.members.episodes(of, number).filter_map(|(key, episode)| self.episode(key, *episode)).collect()
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
