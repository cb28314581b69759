//! What people do: take an alert, put it off, end it, silence, change the rota, see to dead letters. One deed is done
//! once, however often it arrives, and answered with what became of it.

use std::sync::Arc;

use chrono::{Datelike, Weekday};

use crate::domain::{
    actor::Actor,
    alert::AlertKey,
    calendar::Calendar,
    card::Press,
    desk::input::ChatKind,
    id::{ChatId, MessageId, RotaName, SilenceId},
    notice::Send,
    receiver::PersonId,
    silence::{Matcher, SILENCED_BY_BUTTON},
    text::{Locale, Message},
    time::{Span, Timestamp, Zone},
};

/// One deed of one person.
#[derive(Clone, Debug)]
pub struct Act {
    /// What repeats of it are told by: the event's id, the message's, or one the caller made.
    pub id: MessageId,
    /// Who.
    pub by: Actor,
    /// Where.
    pub place: Place,
    /// The card they clicked on, where they did: an old one may have been replaced.
    pub clicked: Option<MessageId>,
    /// What.
    pub deed: Deed,
    /// The language they read.
    pub locale: Locale,
}

/// Where a deed is done: what decides whether it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a chat.
    Chat(ChatId, ChatKind),
    /// At the admin API, with its token.
    Admin,
}

/// Which alert a person means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// This episode: a button of its card says so.
    Episode(AlertKey, u32),
    /// By its reference (`4F7A2C`), with or without `#`, in either case.
    Reference(String),
}

/// How long an alert is put off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// So long.
    For(Span),
    /// Until tomorrow: when work begins on the rule's calendar, on a day without work at 09:00.
    Tomorrow,
    /// Until work begins on the next working day of the rule's calendar; without one, the next of Monday to
    /// Friday at 09:00.
    NextWorkday,
}

/// When a day begins where no calendar says so.
const DAY_BEGINS: Span = Span::from_hours(9);

impl Rest {
    /// When it is over. Tomorrow is the next day of the calendar, in its zone. The next working day is the first on which
    /// `calendar` has work after today; without a calendar, or where it has none any more, the next day from Monday to
    /// Friday at 09:00 in `zone`.
    pub fn ends(self, now: Timestamp, calendar: Option<&Calendar>, zone: Zone) -> Timestamp {
        match self {
            Self::For(span) => now.plus(span),
            Self::Tomorrow => {
                let zone = calendar.map_or(zone, |calendar| calendar.plan().zone);
                let day = zone.next_midnight(now);
                let begins = calendar.map(|calendar| match calendar.is_open(day) {
                    true => day,
                    false => calendar.turns_after(day),
                });
                let is_tomorrow = |at: &Timestamp| *at < zone.next_midnight(day);
                begins.filter(is_tomorrow).unwrap_or(day.plus(DAY_BEGINS))
            }
            Self::NextWorkday => {
                let work = calendar.map(|calendar| {
                    let midnight = calendar.plan().zone.next_midnight(now);
                    if calendar.is_open(midnight) { midnight } else { calendar.turns_after(midnight) }
                });
                let mut day = zone.next_midnight(now);
                while matches!(zone.local(day).weekday(), Weekday::Sat | Weekday::Sun) {
                    day = zone.next_midnight(day);
                }
                work.filter(|at| !at.is_never()).unwrap_or(day.plus(DAY_BEGINS))
            }
        }
    }
}

/// What is looked at on a card without changing anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// The card with its further buttons.
    More,
    /// How long it may be put off.
    Later,
    /// Why it rings.
    Why,
    /// The card as it is.
    Back,
}

/// What someone does.
#[derive(Clone, Debug)]
pub enum Deed {
    /// Takes an alert: repeats and ladder rest for the rule's `taken_for`.
    Take(Which),
    /// Gives it back: they go on.
    Release(Which),
    /// Says that it is handled.
    Done(Which),
    /// Puts it off: nobody is told again before.
    Snooze(Which, Rest),
    /// Looks closer; nothing changes.
    Look(Which, Look),
    /// Silences what matches.
    Silence(Box<NewSilence>),
    /// Ends a silence.
    EndSilence(SilenceId),
    /// Stands in for someone on a rota.
    Cover(Box<NewCover>),
    /// Ends what they stand in for, and what they had others stand in for; or what the person who is named stands in
    /// for. No rota: on the only one.
    EndCovers(Option<RotaName>, Option<PersonId>),
    /// Confirms who is on call on the next long holiday.
    ConfirmRoster(Option<RotaName>),
    /// Tries a notice that cannot be delivered once more, named by the beginning of its key's `uuid`.
    Retry(String),
    /// Gives such a notice up for good.
    Forget(String),
    /// Deletes what is kept of a guest, named by open id or email.
    ForgetGuest(String),
}

/// A silence as asked for.
#[derive(Clone, Debug)]
pub struct NewSilence {
    /// What it matches.
    pub matches: Matcher,
    /// Why, in the author's words.
    pub reason: Arc<str>,
    /// How long from now.
    pub lasts: Rest,
}

/// A change of a rota as asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCover {
    /// Which rota; absent where there is one.
    pub rota: Option<RotaName>,
    /// Which of its shifts, by name; absent: the one on duty at `from`.
    pub shift: Option<Arc<str>>,
    /// Who stands in; absent: whoever asks.
    pub person: Option<PersonId>,
    /// From when; absent: now.
    pub from: Option<Timestamp>,
    /// Until when; absent: until the shift that is on duty then is over.
    pub until: Option<Timestamp>,
    /// Whoever asks takes that person's next turn in return.
    pub in_return: bool,
    /// Why, in the words of whoever asks.
    pub reason: Option<Arc<str>>,
}

/// How long the shorter silence of a card's button lasts.
pub const SILENCE_SHORT: Span = Span::from_hours(2);

/// The shorter of the times an alert is put off for by a button.
pub const SNOOZE_SHORT: Span = Span::from_mins(30);

/// The longer of them.
pub const SNOOZE_LONG: Span = Span::from_hours(2);

impl Deed {
    /// What a button of an alert's card asks for. Nothing where it cannot be: only a ticket is silenced from its card.
    /// `locale` is the language of the card, for the reason of a silence.
    pub fn of_press(press: Press, key: AlertKey, episode: u32, locale: Locale) -> Option<Self> {
        let subject = key.subject.clone();
        let which = Which::Episode(key, episode);
        let silence = |lasts| {
            let matches = Matcher { ticket: Some(subject.ticket()?.clone()), ..Matcher::default() };
            Some(Self::Silence(Box::new(NewSilence { matches, reason: SILENCED_BY_BUTTON.get(locale).into(), lasts })))
        };
        Some(match press {
            Press::Take => Self::Take(which),
            Press::Release => Self::Release(which),
            Press::Done => Self::Done(which),
            Press::Later => Self::Look(which, Look::Later),
            Press::Snooze30m => Self::Snooze(which, Rest::For(SNOOZE_SHORT)),
            Press::Snooze2h => Self::Snooze(which, Rest::For(SNOOZE_LONG)),
            Press::SnoozeWorkday => Self::Snooze(which, Rest::NextWorkday),
            Press::More => Self::Look(which, Look::More),
            Press::Why => Self::Look(which, Look::Why),
            Press::Back => Self::Look(which, Look::Back),
            Press::Silence2h => return silence(Rest::For(SILENCE_SHORT)),
            Press::SilenceWorkday => return silence(Rest::NextWorkday),
        })
    }
}

/// How a deed went, for the colour of its answer and for counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tone {
    /// It is done.
    Done,
    /// It was done before, by them or by someone else; nothing changed.
    Already,
    /// They may not, or it cannot be.
    Refused,
    /// There is no such thing.
    Missing,
}

/// What became of a deed.
#[derive(Clone, Debug)]
pub struct Acted {
    /// How it went.
    pub tone: Tone,
    /// A sentence for whoever did it, with the next step where there is one.
    pub words: Message,
    /// The card they acted on, as it is now; absent where they acted on none.
    pub card: Option<Box<Send>>,
}
