//! What a click is answered with: the card it was made on as it stands now, and whether it may be made there at all.

use crate::domain::{
    alert::{Alert, AlertKey},
    card::Menu,
    deed::{self, Act, Acted, Deed, Place, Tone, Which},
    desk::{
        input::ChatKind,
        machine::Desk,
        outbox::{card_of, notice_of},
        settings::{Direct, Look},
        state::{CardShows, CardState, Entry, Lane},
    },
    explain::text,
    id::{ChatId, MessageId, ReceiverName, Subject},
    notice::{Send, Step, Target},
    receiver::ReceiverKind,
    text::{Locale, Message},
    time::Timestamp,
};

/// Lines of an explanation on a card.
const WHY_LINES_MAX: usize = 14;

impl Desk {
    /// The deed as it is known: by whom, as the directory calls them, and where. The platform may leave the chat of a
    /// click out; then the card tells it.
    pub(super) fn placed(&self, act: &Act) -> Act {
        let mut act = Act { by: self.people.named(&act.by), ..act.clone() };
        if let Place::Chat(chat, _) = &act.place
            && chat.as_str().is_empty()
            && let Some(card) = act.clicked.as_ref().and_then(|message| self.cards_in(message).next())
            && let Some(known) = self.settings.receiver(&card.key.receiver)
        {
            act.place = match &known.kind {
                ReceiverKind::Chat(chat) => Place::Chat(chat.clone(), ChatKind::Group),
                _ => Place::Chat(chat.clone(), ChatKind::Direct),
            };
        }
        act
    }

    /// Adds the card that a deed was done on, with the buttons that were asked for. A card that another one stands in
    /// for says so, and has none.
    pub(super) fn with_card(&self, act: &Act, key: &AlertKey, episode: u32, acted: Acted, now: Timestamp) -> Acted {
        if self.is_orphan(act, key, episode) {
            let Message { zh, en } = acted.words;
            let words = Message::new(
                format!("这是旧卡片，已发新卡。{zh}"),
                format!("this card is an old one, a new one was sent; {en}"),
            );
            return Acted { words, card: self.card_shown(act, key, episode, Menu::Replaced), ..acted };
        }
        let menu = match (&act.deed, acted.tone) {
            (Deed::Look(_, look), Tone::Done) => match look {
                deed::Look::More => Menu::More,
                deed::Look::Later => Menu::Later,
                deed::Look::Why => self.why_in_full(key, episode, now).map_or(Menu::More, Menu::Why),
                deed::Look::Back => Menu::Plain,
            },
            _ => Menu::Plain,
        };
        Acted { card: self.card_shown(act, key, episode, menu), ..acted }
    }

    /// The same for a deed that names no alert: the card it was done on gets its usual buttons back.
    pub(super) fn with_clicked_card(&self, act: &Act, acted: Acted, now: Timestamp) -> Acted {
        match act.clicked.as_ref().and_then(|message| self.card_of_message(message)) {
            Some(CardShows::Alert(key, episode)) => self.with_card(act, key, *episode, acted, now),
            Some(CardShows::Digest(..)) | None => acted,
        }
    }

    /// The card of an alert's episode as it stands now, in the template and the language of the receiver whose card it
    /// is. Nothing at the admin API, and where the chat has no card of it.
    fn card_shown(&self, act: &Act, key: &AlertKey, episode: u32, menu: Menu) -> Option<Box<Send>> {
        let alert = self.episode(key, episode)?;
        let card = self.card_at(act, alert);
        let clicked_or_here = || self.line_here(alert, act).cloned();
        let receiver = card.map(|card| card.key.receiver.clone()).or_else(clicked_or_here)?;
        let target = match &act.clicked {
            Some(clicked) => Target::Patch(clicked.clone()),
            None => Target::Reply(card?.message.clone()?),
        };
        let notice = notice_of(alert, Step::Update, 0, &receiver);
        let entry = Entry::new(notice, Lane::Answers, Timestamp::MIN);
        let mut view = self.alert_view(&entry.key)?;
        view.menu = menu;
        let content = crate::domain::notice::Content::Alert(Box::new(view));
        Some(Box::new(self.make_send(&entry, target, content, false)))
    }

    /// Whether the card someone clicked on was replaced by another one, which is the one that is kept up to date.
    fn is_orphan(&self, act: &Act, key: &AlertKey, episode: u32) -> bool {
        let Some(clicked) = &act.clicked else { return false };
        let living = self.episode(key, episode).and_then(|alert| self.card_at(act, alert)?.message.as_ref());
        living.is_some_and(|message| message != clicked)
    }

    /// The card of an alert in the chat where someone acts; the one they clicked on before another one there.
    fn card_at(&self, act: &Act, alert: &Alert) -> Option<&CardState> {
        let shows = CardShows::Alert(alert.key.clone(), alert.episode);
        let clicked =
            act.clicked.iter().flat_map(|message| self.cards_in(message)).find(|card| card.key.shows == shows);
        clicked.or_else(|| self.cards.get(&card_of(alert, self.line_here(alert, act)?)))
    }

    /// Whom of those an alert was told to someone acts among.
    fn line_here<'a>(&self, alert: &'a Alert, act: &Act) -> Option<&'a ReceiverName> {
        let Place::Chat(chat, kind) = &act.place else { return None };
        let mut told = alert.lines.iter().map(|line| &line.receiver);
        told.find(|name| match self.settings.receiver(name).map(|known| known.kind.clone()) {
            Some(ReceiverKind::Chat(id)) => id == *chat,
            // Nobody knows the id of a person's direct chat; a card that stands in no receiver's chat stands there.
            Some(ReceiverKind::Person(_)) => *kind == ChatKind::Direct || !self.is_receiver(chat),
            Some(ReceiverKind::Webhook | ReceiverKind::Wecom | ReceiverKind::Http) | None => false,
        })
    }

    /// Whether alerts may be acted on from a chat. In a direct chat the person counts, who was looked up before.
    pub(super) fn may_act_in(&self, chat: &ChatId, kind: ChatKind) -> bool {
        let access = &self.settings.access;
        match (kind, &access.act) {
            (ChatKind::Admin, _) => true,
            (ChatKind::Direct, _) => access.direct != Direct::Nobody,
            (ChatKind::Group, Look::Everyone) => true,
            (ChatKind::Group, Look::Receivers) => self.is_receiver(chat),
            (ChatKind::Group, Look::Chats(chats)) => chats.contains(chat),
        }
    }

    /// Whether someone acts on a card that was sent to them in person: the platform does not say of a click whether the
    /// chat is a direct one, but no other chat than a receiver's has cards.
    pub(super) fn is_told_in_person(&self, act: &Act) -> bool {
        let Place::Chat(chat, _) = &act.place else { return false };
        if self.is_receiver(chat) {
            return false;
        }
        let told = |name: &ReceiverName| {
            let kind = self.settings.receiver(name).map(|known| known.kind.clone());
            matches!(kind, Some(ReceiverKind::Person(_)))
        };
        let subject: Option<Subject> = match &act.deed {
            Deed::Take(which) | Deed::Release(which) | Deed::Done(which) | Deed::Snooze(which, _) => which.subject(),
            Deed::Look(which, _) => which.subject(),
            Deed::Silence(new) => new.matches.ticket.clone().map(Subject::Ticket),
            Deed::EndSilence(_) | Deed::Retry(_) | Deed::Forget(_) | Deed::ForgetGuest(_) => None,
            Deed::Cover(_) | Deed::EndCovers(..) | Deed::ConfirmRoster(_) => None,
        };
        let alerts = subject.and_then(|subject| self.alerts.get(&subject)).into_iter().flatten();
        let mut lines = alerts.flat_map(|alert| &alert.lines).map(|line| &line.receiver);
        let clicked = || act.clicked.as_ref().and_then(|message| self.cards_in(message).next());
        lines.any(told) || clicked().is_some_and(|card| told(&card.key.receiver))
    }

    /// Why an alert rings, at more length than its card says.
    fn why_in_full(&self, key: &AlertKey, episode: u32, now: Timestamp) -> Option<Message> {
        let alert = self.episode(key, episode)?;
        let Some(ticket) = key.subject.ticket() else { return Some(alert.why.clone()) };
        let rule = self.rule_named(&key.rule)?.name.clone();
        let explained = self.explain(&format!("{}:{}", ticket.source, ticket.id), Some(rule.as_str()), now).ok()?;
        let told = |locale: Locale| {
            let text = text::text(&explained, locale);
            // The first lines name ticket and rule, which the card does already.
            let mut lines: Vec<&str> = text.lines().skip(1).filter(|line| !line.trim().is_empty()).collect();
            if lines.len() > WHY_LINES_MAX {
                lines.truncate(WHY_LINES_MAX);
                lines.push("…");
            }
            lines.join("\n")
        };
        Some(Message::new(told(Locale::Zh), told(Locale::En)))
    }

    /// What a message of ours shows.
    pub(super) fn card_of_message(&self, message: &MessageId) -> Option<&CardShows> {
        self.cards_in(message).next().map(|card| &card.key.shows)
    }
}

impl Which {
    /// What the alert is about, where that is said.
    fn subject(&self) -> Option<Subject> {
        match self {
            Self::Episode(key, _) => Some(key.subject.clone()),
            Self::Reference(_) => None,
        }
    }
}
