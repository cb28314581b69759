//! What was held back and may be told again: one notice per receiver with what still rings.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    alert::{Alert, AlertKey, Line},
    desk::{
        digests::digest_key,
        hush::is_ringing,
        machine::{Desk, FRESH, REFRESH_PATIENCE},
        outcome::Effect,
        pump::may_have_arrived,
        state::{Digest, Lane},
    },
    id::{ReceiverName, SourceName, Subject},
    notice::{DigestCause, Step},
    rule::Severity,
    text::Message,
    time::Timestamp,
};

/// What may be told again, by whom it is told.
type Free = BTreeMap<ReceiverName, Vec<AlertKey>>;

impl Desk {
    /// Looks at what is held back, where that may be held back no longer.
    pub(super) fn look_at_held(&mut self, now: Timestamp) {
        if self.hush.held.is_empty() {
            self.hush.look_at = Timestamp::NEVER;
            self.hush.something_ended = false;
            self.hush.asked_at = None;
            return;
        }
        if now < self.hush.look_at && self.hush.asked_at.is_none() {
            return;
        }
        let free = self.no_longer_hushed(now);
        if free.is_empty() {
            self.hush.something_ended = false;
            self.hush.asked_at = None;
        } else if self.waits_for_fresh(&free, now) {
            let asked = *self.hush.asked_at.get_or_insert(now);
            self.hush.look_at = self.hush.look_at.min(asked.plus(REFRESH_PATIENCE));
        } else {
            self.hush.asked_at = None;
            let ended = std::mem::take(&mut self.hush.something_ended);
            for (receiver, keys) in free {
                self.catch_up_on(&receiver, &keys, ended, now);
            }
        }
    }

    /// The lines that nothing holds back any more. What is over is forgotten, and it is noted when to look again.
    fn no_longer_hushed(&mut self, now: Timestamp) -> Free {
        let mut free = Free::new();
        let mut look_at = Timestamp::NEVER;
        let mut held = std::mem::take(&mut self.hush.held);
        held.retain(|key| {
            let Some(alert) = self.alert(key).filter(|alert| alert.is_firing()) else { return false };
            let mut any = false;
            for line in alert.lines.iter().filter(|line| line.held) {
                any = true;
                let snoozed = alert.snoozed.as_ref().filter(|snoozed| snoozed.until > now);
                match (self.hushed(alert, &line.receiver, now), snoozed) {
                    (Some(hush), _) => look_at = look_at.min(hush.until()),
                    // Nobody is told of it before; then it is, if nothing else did meanwhile.
                    (None, Some(snoozed)) => look_at = look_at.min(snoozed.until),
                    (None, None) => free.entry(line.receiver.clone()).or_default().push(key.clone()),
                }
            }
            any
        });
        self.hush.held = held;
        self.hush.look_at = look_at;
        free
    }

    /// Nothing is told on old data: the sources of what would be told are read once more before, if they can be.
    fn waits_for_fresh(&mut self, free: &Free, now: Timestamp) -> bool {
        if self.hush.asked_at.is_some_and(|asked| now >= asked.plus(REFRESH_PATIENCE)) {
            return false;
        }
        let mut stale: BTreeSet<SourceName> = BTreeSet::new();
        for key in free.values().flatten() {
            let Some(ticket) = key.subject.ticket() else { continue };
            let (Some(watched), Some(source)) = (self.tickets.get(ticket), self.sources.get(&ticket.source)) else {
                continue;
            };
            let as_of = watched.tracked.asked_at.max(source.read_through.unwrap_or(Timestamp::MIN));
            if now.since(as_of) > FRESH && !source.is_paused(now) && !source.is_silent(now) {
                stale.insert(ticket.source.clone());
            }
        }
        if self.hush.asked_at.is_none() {
            for source in &stale {
                self.effect(Effect::ReadSource(source.clone()));
            }
        }
        !stale.is_empty()
    }

    /// Tells a receiver what still rings: an alert nobody told it of by its own card, anything else in one digest.
    fn catch_up_on(&mut self, receiver: &ReceiverName, keys: &[AlertKey], ended: bool, now: Timestamp) {
        let (soon, rest): (Vec<AlertKey>, Vec<AlertKey>) = keys
            .iter()
            .cloned()
            .partition(|key| self.is_told_soon(key, receiver) || self.stands_in_storm(key, receiver));
        for key in soon {
            self.put_told(&key, receiver, None, now);
            if let Some(alert) = self.alert(&key).filter(|_| !self.is_told_soon(&key, receiver)).cloned() {
                let note = Message::new(
                    format!("{receiver} 的汇总上已有这一条，不另告知"),
                    format!("a digest of {receiver} shows it already: it is not told once more"),
                );
                self.journal(now, (&key.subject, Some(&key.rule), alert.episode), "digest", note);
            }
        }
        match rest.as_slice() {
            [] => {}
            [only] if !self.knows_of(only, receiver) => {
                self.put_told(only, receiver, None, now);
                if let Some(alert) = self.alert(only).cloned() {
                    self.tell(&alert, Step::Fired, 0, receiver, now);
                }
            }
            _ => self.digest_what_was_held(receiver, &rest, ended, now),
        }
    }

    fn digest_what_was_held(&mut self, receiver: &ReceiverName, keys: &[AlertKey], ended: bool, now: Timestamp) {
        let quiet = self.settings.receiver(receiver).is_some_and(|receiver| receiver.quiet.is_some());
        let cause = if quiet && !ended { DigestCause::QuietOver } else { DigestCause::SilenceOver };
        let of = Subject::Receiver(receiver.clone());
        let number = self.next_receiver_digest(&of, now);
        let words = cause.words();
        let note = Message::new(
            format!("{}：{} 条仍在提醒，合为一条汇总", words.zh, keys.len()),
            format!("{}: {} alerts still ring, told as one digest", words.en, keys.len()),
        );
        self.journal(now, (&of, None, number), "digest", note);
        self.put_digest(Digest {
            of: of.clone(),
            number,
            cause,
            rule: None,
            critical: false,
            began_at: now,
            joined_at: now,
            closed_at: Some(now),
            receivers: vec![receiver.clone()],
            hops: Vec::new(),
            rev: 1,
            joined_rev: 1,
        });
        let critical = |key: &AlertKey| self.alert(key).is_some_and(|alert| alert.severity == Severity::Critical);
        let lane = if keys.iter().any(critical) { Lane::Critical } else { Lane::Alerts };
        for key in keys {
            self.put_told(key, receiver, Some(number), now);
        }
        self.enqueue(digest_key(&of, number, Step::Digest, receiver), lane, None, now);
    }

    /// The number of a receiver's next digest: the second it begins in, raised while that is taken.
    pub(super) fn next_receiver_digest(&self, of: &Subject, now: Timestamp) -> u32 {
        let second = u32::try_from(now.as_ms().div_euclid(1_000)).unwrap_or(0);
        let last = self.digests.range((of.clone(), 0)..=(of.clone(), u32::MAX)).next_back();
        last.map_or(second, |((_, last), _)| second.max(last.saturating_add(1)))
    }

    /// The line is held back no longer; with a number, that digest tells it.
    fn put_told(&mut self, key: &AlertKey, receiver: &ReceiverName, number: Option<u32>, now: Timestamp) {
        let Some(mut alert) = self.alert(key).cloned() else { return };
        let Some(line) = alert.lines.iter_mut().find(|line| line.receiver == *receiver) else { return };
        line.held = false;
        let before = number.and_then(|number| line.digest.replace(number));
        self.put_heard(alert, now);
        if let Some(before) = before {
            self.digest_member_ended(&Subject::Receiver(receiver.clone()), before, now); // it shows one less
        }
    }

    /// Something waits to be sent that tells the receiver of it anyway.
    pub(super) fn is_told_soon(&self, key: &AlertKey, receiver: &ReceiverName) -> bool {
        let Some(alert) = self.alert(key) else { return false };
        self.outbox.of_episode(key, alert.episode).any(|notice| is_ringing(notice.step) && notice.receiver == *receiver)
    }

    /// Whether a digest told the receiver of this at the end of a hush: one that cannot be updated hears of each ending,
    /// as it would have without the hush.
    pub(super) fn was_caught_up(&self, line: &Line) -> bool {
        let Some(number) = line.digest else { return false };
        let of = Subject::Receiver(line.receiver.clone());
        let key = digest_key(&of, number, Step::Digest, &line.receiver);
        let causes = [DigestCause::SilenceOver, DigestCause::QuietOver];
        let told = || self.card_for(&key).is_some() || self.outbox.get(&key).is_some_and(may_have_arrived);
        self.digests.get(&(of, number)).is_some_and(|digest| causes.contains(&digest.cause)) && told()
    }

    /// Whether a digest tells the receiver of it that is open to others still, or is yet to be told: that one shows it.
    fn stands_in_storm(&self, key: &AlertKey, receiver: &ReceiverName) -> bool {
        let Some(line) = self.alert(key).and_then(|alert| alert.lines.iter().find(|line| line.receiver == *receiver))
        else {
            return false;
        };
        let of = Subject::Receiver(receiver.clone());
        let open = |number: u32| {
            let digest = self.digests.get(&(of.clone(), number));
            let card = self.card_for(&digest_key(&of, number, Step::Digest, receiver));
            let shows = card.is_some_and(|card| card.message.is_some());
            shows && digest.is_some_and(|digest| digest.cause.gathers() && digest.closed_at.is_none())
        };
        self.is_gathered(line) || line.digest.is_some_and(open)
    }

    fn knows_of(&self, key: &AlertKey, receiver: &ReceiverName) -> bool {
        let known =
            |alert: &Alert| alert.lines.iter().any(|line| line.receiver == *receiver && self.knows(alert, line));
        self.alert(key).is_some_and(known)
    }
}
