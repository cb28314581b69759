//! Cards that can no longer be updated: older than 14 days, deleted, recalled. Each is replaced by a new one once, never
//! in a loop; whoever was told the beginning is told the end all the same.

use crate::domain::{
    alert::{Alert, AlertKey},
    desk::{
        digests::digest_key,
        machine::Desk,
        outbox::{card_of, notice_of},
        pump::may_have_arrived,
        state::{CardShows, CardState, Lane},
    },
    id::{MessageId, ReceiverName},
    notice::{NoticeKey, Step},
    text::Message,
    time::Timestamp,
};

/// What takes the place of an alert's card that is gone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// A new card.
    Another,
    /// The notice that found it gone: it has nothing left to hang on.
    This,
    /// Nothing: it was replaced before.
    Nothing,
}

impl Desk {
    /// A notice was refused because the message it answers or updates is gone: where that was its card, a new one takes
    /// its place, unless this one did that already.
    pub(super) fn card_gone(&mut self, key: &NoticeKey, gone: &MessageId, now: Timestamp) {
        let Some(card) = self.card_for(key).cloned() else { return };
        if card.message.as_ref() != Some(gone) {
            return; // another notice found that out before
        }
        let replaced_before = card.replaces.is_some();
        self.put_card(CardState { message: None, replaces: Some(gone.clone()), ..card.clone() });
        let receiver = &card.key.receiver;
        match &card.key.shows {
            CardShows::Alert(alert, episode) if self.is_firing_episode(alert, *episode) => {
                let next = match (key.step, replaced_before) {
                    (Step::Fired, _) => Next::This,
                    (_, false) => Next::Another,
                    (Step::Update, true) => Next::Nothing,
                    (_, true) => Next::This,
                };
                self.replace_card(alert, receiver, next, now);
            }
            CardShows::Alert(..) => {} // its end is told by a message of its own
            CardShows::Digest(of, number) => {
                let rings = self.rings_for(of, *number, receiver);
                if rings && !replaced_before {
                    let key = NoticeKey { ordinal: 1, ..digest_key(of, *number, Step::Digest, receiver) };
                    self.enqueue(key, Lane::Updates, None, now);
                }
            }
        }
    }

    fn replace_card(&mut self, key: &AlertKey, receiver: &ReceiverName, next: Next, now: Timestamp) {
        let Some(mut alert) = self.alert(key).cloned() else { return };
        let note = match next {
            Next::Another => Message::new(
                format!("{receiver} 的旧卡片已不能更新，已补发一张"),
                format!("the card of {receiver} cannot be updated any more; a new one takes its place"),
            ),
            Next::This => Message::new(
                format!("{receiver} 的旧卡片已不在，这一条单独发出，以后更新它"),
                format!("the card of {receiver} is gone; this notice is sent as a card, which is updated from now on"),
            ),
            Next::Nothing => Message::new(
                format!("{receiver} 的卡片已不能更新，不再补发；结束时会另发一条"),
                format!("the card of {receiver} cannot be updated and is not replaced again; its end is told anew"),
            ),
        };
        self.journal(now, (&key.subject, Some(&key.rule), alert.episode), "replaced", note);
        if next == Next::Another {
            alert.takeovers += 1;
            self.put_alert(alert.clone());
            self.tell(&alert, Step::Fired, alert.takeovers, receiver, now);
        }
    }

    /// Whether an alert's card with a receiver is gone and none is on its way in its place: then its end is told by a
    /// message of its own.
    pub(super) fn lost_card(&self, alert: &Alert, receiver: &ReceiverName) -> bool {
        let is_lost =
            |card: &CardState| card.message.is_none() && card.replaces.is_some() && card.key.receiver == *receiver;
        let under_way = (1..=alert.takeovers).any(|number| {
            self.outbox.get(&notice_of(alert, Step::Fired, number, receiver)).is_some_and(may_have_arrived)
        });
        self.cards.get(&card_of(alert, receiver)).is_some_and(is_lost) && !under_way
    }

    /// Whether this message was a card that another one took the place of.
    pub fn is_replaced(&self, message: &MessageId) -> bool {
        self.cards.values().any(|card| card.replaces.as_ref() == Some(message))
    }
}
