//! Digests: alerts told together on one card, which follows them until the last one is over.

use crate::domain::{
    alert::{Alert, AlertKey},
    desk::{
        machine::Desk,
        outcome::Write,
        state::{Answer, CardKey, CardShows, CardState, Digest, Lane},
    },
    id::{ReceiverName, RuleName, Subject},
    notice::{self, DigestCause, NoticeKey},
    time::Timestamp,
};

/// Alerts of a digest that are named one by one where it is asked for.
const NAMED_MAX: usize = 50;

/// The name digests carry in keys where alerts carry their rule's.
pub(super) const DIGEST: &str = "deskbell.digest";

impl Desk {
    pub(super) fn put_digest(&mut self, digest: Digest) {
        self.write(Write::Digest(Box::new(digest.clone())));
        self.digests.insert((digest.of.clone(), digest.number), digest);
    }

    /// A member ended, or someone took it: the digest's cards catch up.
    pub(super) fn digest_member_ended(&mut self, of: &Subject, number: u32, now: Timestamp) {
        self.change_digest(of, number, |_| {}, now);
    }

    /// A digest is not what it was: its revision is raised by one, and its cards catch up.
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

    /// A digest's card is updated; where that cannot be, another message tells of what joined since, and one that all
    /// of it is over.
    fn digest_card_catches_up(&mut self, key: &CardKey, (of, number): (&Subject, u32), now: Timestamp) {
        let over = |card: &CardState| self.owes_end(card) && self.is_over_at(of, number, &key.receiver);
        match self.cards.get(key) {
            Some(card) if card.message.is_some() => self.enqueue_update(key, now),
            Some(card) if self.knows_of_fewer(card) && self.rings_for(of, number, &key.receiver) => {
                let ordinal = self.rev_of(&key.shows);
                self.follow_up(key, ordinal, None, now);
            }
            Some(card) if over(card) => {
                let ended = digest_key(of, number, notice::Step::Ended, &key.receiver);
                self.enqueue(ended, Lane::Updates, None, now);
            }
            _ => {}
        }
    }

    /// Whether alerts joined a digest since it was told where nothing can be updated.
    fn knows_of_fewer(&self, card: &CardState) -> bool {
        let CardShows::Digest(of, number) = &card.key.shows else { return false };
        let digest = self.digests.get(&(of.clone(), *number));
        card.replaces.is_none() && digest.is_some_and(|digest| card.shown_rev < digest.joined_rev)
    }

    /// Tells a digest once more where it was told and cannot be updated, at most so often as it would be; under a key of
    /// its own, because it says something else: `ordinal` is the revision it is told at. What waits to be sent shows all
    /// of it anyway.
    pub(super) fn follow_up(&mut self, card: &CardKey, ordinal: u32, text: Option<Answer>, now: Timestamp) {
        let CardShows::Digest(of, number) = &card.shows else { return };
        let waits = self.outbox.of_episode(&digest_place(of), *number).any(|key| {
            key.step == notice::Step::Digest && key.receiver == card.receiver && !self.outbox.is_in_flight(key)
        });
        let Some(digest) = self.digests.get(&(of.clone(), *number)).filter(|_| !waits) else { return };
        let lane = if digest.critical { Lane::Critical } else { Lane::Updates };
        let key = NoticeKey { ordinal, ..digest_key(of, *number, notice::Step::Digest, &card.receiver) };
        let not_before = self.update_not_before(card, now);
        self.enqueue_for(key, lane, text, not_before, now);
    }

    /// Whether a notice tells a digest once more to whoever was told of it.
    pub(super) fn is_follow_up(&self, key: &NoticeKey) -> bool {
        let told = || self.card_for(key).is_some_and(|card| card.message.is_none() && card.replaces.is_none());
        key.step == notice::Step::Digest && key.ordinal > 0 && told()
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
        let notices_of = digest_place(of);
        let shown = |receiver: &ReceiverName| {
            let card = CardKey { shows: CardShows::Digest(of.clone(), number), receiver: receiver.clone() };
            // One that takes the place of a card that is gone, or tells once more, has another ordinal.
            let waits = self
                .outbox
                .of_episode(&notices_of, number)
                .any(|key| matches!(key.step, notice::Step::Digest | notice::Step::Ended) && key.receiver == *receiver);
            let behind = self.cards.get(&card).is_some_and(|card| match card.message {
                Some(_) => card.shown_rev < digest.rev,
                None => self.owes_end(card),
            });
            !waits && !behind
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

    /// Whether a receiver was told of a digest, or is to be, or whoever stands in for it; of one that is still gathered
    /// it will be.
    pub(super) fn digest_reaches(&self, of: &Subject, number: u32, receiver: &ReceiverName) -> bool {
        let Some(digest) = self.digests.get(&(of.clone(), number)) else { return true };
        let place = digest_place(of);
        let stands_in = digest.hops.iter().filter(|(from, _)| from == receiver).map(|(_, to)| to);
        std::iter::once(receiver).chain(stands_in).any(|name| {
            let card = CardKey { shows: CardShows::Digest(of.clone(), number), receiver: name.clone() };
            let mut waiting = self.outbox.of_episode(&place, number);
            self.cards.contains_key(&card)
                || waiting.any(|key| key.step == notice::Step::Digest && key.receiver == *name)
        })
    }

    /// The references of the alerts of a digest, at most [`NAMED_MAX`], those that hold longest first; and how many
    /// there are.
    pub(super) fn digest_names(&self, of: &Subject, number: u32) -> (Vec<String>, usize) {
        let mut members = self.digest_members(of, number);
        members.sort_by(|one, other| (one.since, &one.key).cmp(&(other.since, &other.key)));
        (members.iter().take(NAMED_MAX).map(|alert| alert.reference()).collect(), members.len())
    }

    /// The alerts that this digest tells.
    pub(super) fn digest_members(&self, of: &Subject, number: u32) -> Vec<&Alert> {
        self.members.episodes(of, number).filter_map(|(key, episode)| self.episode(key, *episode)).collect()
    }

    pub(super) fn is_firing_episode(&self, key: &AlertKey, episode: u32) -> bool {
        self.alert(key).is_some_and(|alert| alert.is_firing() && alert.episode == episode)
    }
}

/// What a digest's notices are kept under, whoever is told and how often.
fn digest_place(of: &Subject) -> AlertKey {
    AlertKey { subject: of.clone(), rule: RuleName::from(DIGEST) }
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
