//! The card that a click is answered with.

use crate::domain::{
    alert::AlertKey,
    card::Menu,
    deed::{Act, Place},
    desk::{
        input::ChatKind,
        machine::Desk,
        state::{CardKey, CardShows, CardState},
    },
    id::ReceiverName,
    notice::{Content, NoticeKey, Send, Step, Target},
    receiver::ReceiverKind,
};

#[allow(dead_code, reason = "acts.rs is on its way")]
impl Desk {
    /// The card of an alert's episode as it stands now, for whoever just acted on it, with the buttons they asked for:
    /// in the template and the language of the receiver whose card it is. Nothing at the admin API, and where the chat
    /// has no card of it.
    pub(super) fn card_shown(&self, act: &Act, key: &AlertKey, episode: u32, menu: Menu) -> Option<Box<Send>> {
        let card = self.card_at(act, key, episode)?;
        let message = card.message.clone();
        let notice = notice(key, episode, &card.key.receiver);
        let mut view = self.alert_view(&notice)?;
        view.menu = menu;
        let target = match (&act.clicked, message) {
            (Some(clicked), _) => Target::Patch(clicked.clone()),
            (None, Some(message)) => Target::Reply(message),
            (None, None) => return None,
        };
        Some(Box::new(Send {
            target,
            template: self.template_of(&notice),
            locale: self.locale_of(&notice),
            rev: view.alert.rev,
            content: Content::Alert(Box::new(view)),
            key: notice,
            maybe_repeat: false,
            without_mentions: true,
            masked: false,
            mentions: Vec::new(),
            attempts: 0,
        }))
    }

    /// Whether the card someone clicked on was replaced by another one, which is the one that is kept up to date.
    pub(super) fn is_orphan(&self, act: &Act, key: &AlertKey, episode: u32) -> bool {
        let Some(clicked) = &act.clicked else { return false };
        let living = self.card_at(act, key, episode).and_then(|card| card.message.as_ref());
        living.is_some_and(|message| message != clicked)
    }

    /// The card of an episode in the chat where someone acts; the one they clicked on before another one there.
    fn card_at(&self, act: &Act, key: &AlertKey, episode: u32) -> Option<&CardState> {
        let Place::Chat(chat, kind) = &act.place else { return None };
        let is_here =
            |card: &&CardState| match self.settings.receiver(&card.key.receiver).map(|known| known.kind.clone()) {
                Some(ReceiverKind::Chat(id)) => id == *chat,
                // Nobody knows the id of a person's direct chat; a card that stands in no receiver's chat stands there.
                Some(ReceiverKind::Person(_)) => *kind == ChatKind::Direct || !self.is_receiver(chat),
                Some(ReceiverKind::Webhook | ReceiverKind::Wecom | ReceiverKind::Http) | None => false,
            };
        let alert = self.episode(key, episode)?;
        let shows = CardShows::Alert(alert.key.clone(), episode);
        let of = |receiver: &ReceiverName| CardKey { shows: shows.clone(), receiver: receiver.clone() };
        let cards = alert.lines.iter().filter_map(|line| self.cards.get(&of(&line.receiver))).filter(is_here);
        cards.max_by_key(|card| act.clicked.is_some() && card.message == act.clicked)
    }
}

#[allow(dead_code, reason = "acts.rs is on its way")]
fn notice(key: &AlertKey, episode: u32, receiver: &ReceiverName) -> NoticeKey {
    NoticeKey {
        subject: key.subject.clone(),
        rule: key.rule.clone(),
        episode,
        step: Step::Update,
        ordinal: 0,
        receiver: receiver.clone(),
    }
}
