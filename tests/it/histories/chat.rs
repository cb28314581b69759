//! Chats as a platform keeps them: one message per key and hour, cards that can be updated, a custom bot without keys.

use std::collections::BTreeMap;

use deskbell::domain::{
    alert::AlertState,
    card_buttons::{self, Offer},
    delivery::FailureKind,
    id::{MessageId, ReceiverName},
    notice::{Content, NoticeKey, Send, Step, Target},
    text::Locale,
    time::{Span, Timestamp},
};

use super::random::Random;

/// How long the platform drops a repeated key.
const KEY_KEPT: Span = Span::from_hours(1);

/// A message in a chat.
pub(super) struct Posted {
    pub(super) id: MessageId,
    pub(super) key: NoticeKey,
    pub(super) at: Timestamp,
    /// The reference its footer carries.
    pub(super) reference: String,
    /// It hangs on another message: nothing updates it.
    pub(super) reply: bool,
    /// The episode it shows, as of its last update: a card goes on with the next one.
    pub(super) episode: u32,
    /// Whether it shows something that still rings, as of its last update.
    pub(super) firing: bool,
    /// Someone deleted it.
    pub(super) deleted: bool,
    /// The buttons it has, as of its last update.
    pub(super) buttons: usize,
    /// The revision of the alert that it shows, as of its last update.
    pub(super) rev: u32,
    /// The alerts that it names, as of its last update; of a long digest the first ones.
    pub(super) names: Vec<String>,
    /// Marked as a possible repeat.
    pub(super) maybe_repeat: bool,
}

/// All chats.
#[derive(Default)]
pub(super) struct Chat {
    pub(super) posted: Vec<Posted>,
    keys: BTreeMap<(ReceiverName, String), (Timestamp, MessageId)>,
}

impl Chat {
    /// Acts on a send: a new message, a reply, or an update. Says the message.
    ///
    /// # Errors
    /// The message it is about was deleted.
    pub(super) fn act(&mut self, send: &Send, keyed: bool, now: Timestamp) -> Result<Option<MessageId>, FailureKind> {
        if let Target::Patch(id) | Target::Reply(id) | Target::Urge(id, ..) = &send.target
            && self.posted.iter().any(|posted| posted.id == *id && posted.deleted)
        {
            return Err(FailureKind::CardGone);
        }
        if let Target::Urge(id, ..) = &send.target {
            return Ok(Some(id.clone()));
        }
        if let Target::Patch(id) = &send.target {
            let posted = self.posted.iter_mut().find(|posted| posted.id == *id).expect("only posted cards are updated");
            posted.firing = shows_firing(&send.content);
            (posted.buttons, posted.rev, posted.names) = (buttons(send), rev(&send.content), names(&send.content));
            posted.episode = send.key.episode;
            posted.reference = reference(send);
            return Ok(Some(id.clone()));
        }
        let uuid = (send.key.receiver.clone(), send.key.uuid());
        if keyed
            && let Some((at, id)) = self.keys.get(&uuid)
            && now < at.plus(KEY_KEPT)
        {
            return Ok(Some(id.clone()));
        }
        let id = MessageId::from(format!("om_{}", self.posted.len()).as_str());
        if keyed {
            self.keys.insert(uuid, (now, id.clone()));
        }
        self.posted.push(Posted {
            id: id.clone(),
            key: send.key.clone(),
            at: now,
            reference: reference(send),
            reply: matches!(send.target, Target::Reply(_)),
            episode: send.key.episode,
            firing: shows_firing(&send.content),
            deleted: false,
            buttons: buttons(send),
            rev: rev(&send.content),
            names: names(&send.content),
            maybe_repeat: send.maybe_repeat,
        });
        Ok(keyed.then_some(id))
    }

    pub(super) fn find(&self, receiver: &ReceiverName, reference: &str, since: Timestamp) -> Option<MessageId> {
        let found = self
            .posted
            .iter()
            .find(|posted| posted.key.receiver == *receiver && posted.reference == reference && posted.at >= since)?;
        Some(found.id.clone())
    }

    /// Someone deletes a card.
    pub(super) fn delete(&mut self, random: &mut Random) {
        let cards: Vec<usize> = (0..self.posted.len()).filter(|at| !self.posted[*at].reply).collect();
        if let Some(at) = cards.get(random.below(cards.len().max(1) as u64) as usize) {
            self.posted[*at].deleted = true;
        }
    }

    /// Deleted cards in whose place another one of the same alert stands.
    pub(super) fn replaced(&self) -> usize {
        let stands = |old: &Posted| {
            let place =
                |posted: &Posted| (posted.key.subject.clone(), posted.key.rule.clone(), posted.key.receiver.clone());
            self.posted.iter().any(|posted| {
                !posted.reply && posted.at > old.at && place(posted) == place(old) && posted.episode == old.episode
            })
        };
        self.posted.iter().filter(|posted| posted.deleted && stands(posted)).count()
    }

    /// Cards that tell of a beginning.
    pub(super) fn cards(&self) -> impl Iterator<Item = &Posted> {
        self.posted.iter().filter(|posted| posted.key.step == Step::Fired)
    }

    pub(super) fn digests(&self) -> impl Iterator<Item = &Posted> {
        self.posted.iter().filter(|posted| posted.key.step == Step::Digest)
    }
}

fn reference(send: &Send) -> String {
    match &send.content {
        Content::Alert(view) => view.alert.reference(),
        _ => deskbell::domain::alert::reference(
            &deskbell::domain::alert::AlertKey { subject: send.key.subject.clone(), rule: send.key.rule.clone() },
            send.key.episode,
        ),
    }
}

fn shows_firing(content: &Content) -> bool {
    match content {
        Content::Alert(view) => matches!(view.alert.state, AlertState::Firing { .. }),
        Content::Digest(view) => view.firing > 0,
        Content::Answer(_) | Content::Trouble(_) | Content::Announcement(_) => false,
    }
}

/// The buttons that a card of it has; a line has none.
fn buttons(send: &Send) -> usize {
    match &send.content {
        Content::Alert(view) if !send.is_line() => card_buttons::buttons(view, &Offer::USUAL, Locale::Zh).len(),
        _ => 0,
    }
}

fn rev(content: &Content) -> u32 {
    match content {
        Content::Alert(view) => view.alert.rev,
        _ => 0,
    }
}

fn names(content: &Content) -> Vec<String> {
    match content {
        Content::Alert(view) => vec![view.alert.reference()],
        Content::Digest(view) => view.lines.iter().map(|line| line.reference.clone()).collect(),
        _ => Vec::new(),
    }
}
