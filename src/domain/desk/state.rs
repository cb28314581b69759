//! What the desk keeps, in memory and (through writes) durably.

use std::sync::Arc;

use chrono::NaiveDate;

use crate::domain::{
    alert::{Alert, AlertKey},
    call::Call,
    card::Turn,
    desk::input::ChatMessage,
    facts::Facts,
    id::{MessageId, ReceiverName, RotaName, RuleName, SourceName, Subject, TicketKey},
    notice::{DigestCause, NoticeKey, Target},
    people::KnownPerson,
    receiver::PersonId,
    rota::Cover,
    silence::Silence,
    text::Message,
    ticket::{Status, Ticket},
    time::{Span, Timestamp},
};

/// A ticket under watch: the last snapshot and what is known besides.
#[derive(Clone, Debug)]
pub struct Tracked {
    /// The snapshot.
    pub ticket: Arc<Ticket>,
    /// What observations know.
    pub facts: Facts,
    /// When the answer it was read from was asked for. Unchanged observations move it in memory only.
    pub asked_at: Timestamp,
    /// Hash of the bytes the list showed it as; absent after a single read, whose bytes differ.
    pub list_hash: Option<u64>,
    /// When the source said it has no such ticket: nothing is judged until it shows it again.
    pub gone_at: Option<Timestamp>,
}

/// What is left of a purged ticket, so that a returning one is not new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remains {
    /// Which ticket.
    pub key: TicketKey,
    /// Its last status.
    pub status: Option<Status>,
    /// How often it had been reopened.
    pub reopened_count: u32,
    /// The last episode of each rule that ever rang on it.
    pub episodes: Vec<LastEpisode>,
}

/// How often a rule rang on a purged ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastEpisode {
    /// The rule.
    pub rule: RuleName,
    /// Its last episode.
    pub episode: u32,
    /// That one ended while the condition still held: a returning ticket does not ring for it.
    pub latched: bool,
}

/// What a ticket was before a change: the way back from the snapshot kept. The store keeps as many as a ticket has
/// changes, until the ticket is purged.
#[derive(Clone, Debug, PartialEq)]
pub struct Revision {
    /// When the change was stored: the answer that showed it was asked for then.
    pub at: Timestamp,
    /// The fields that changed as they were before; all others are unknown here.
    pub was: Arc<Ticket>,
}

/// What became of the alerts that a rule in trial would have rung.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The rule.
    pub rule: RuleName,
    /// When the trial began.
    pub began_at: Timestamp,
    /// Alerts it would have rung.
    pub fired: u32,
    /// Of those, the ones that were over without anyone being told.
    pub dealt_with: u32,
    /// The longest that one was left alone.
    pub longest: Span,
    /// When the card about it was decided.
    pub reported_at: Option<Timestamp>,
}

/// A card in a chat: which alert or digest, to whom.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CardKey {
    /// What it shows.
    pub shows: CardShows,
    /// Whom it tells.
    pub receiver: ReceiverName,
}

/// What a card shows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CardShows {
    /// An alert's episode.
    Alert(AlertKey, u32),
    /// A digest of a source or of a receiver.
    Digest(Subject, u32),
}

/// A card that was sent, and how far it is behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardState {
    /// Which.
    pub key: CardKey,
    /// The message; absent until the platform named it, and for receivers that never do.
    pub message: Option<MessageId>,
    /// The revision it shows.
    pub shown_rev: u32,
    /// When it was posted.
    pub posted_at: Timestamp,
    /// The message it took the place of, which can no longer be updated.
    pub replaces: Option<MessageId>,
}

/// Alerts told together. A source's members are the alerts whose `announced` names it, a receiver's the lines whose
/// `digest` does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// Whose it is: a source's that was caught up on, or a receiver's.
    pub of: Subject,
    /// Its number; counts up per source or receiver.
    pub number: u32,
    /// What brought it about.
    pub cause: DigestCause,
    /// The rule whose storm it is.
    pub rule: Option<RuleName>,
    /// It holds critical alerts only, or none.
    pub critical: bool,
    /// When it began.
    pub began_at: Timestamp,
    /// When the last alert joined.
    pub joined_at: Timestamp,
    /// Nothing joins any more since then.
    pub closed_at: Option<Timestamp>,
    /// Who is told.
    pub receivers: Vec<ReceiverName>,
    /// Who refused it for good, and who is told in their place.
    pub hops: Vec<(ReceiverName, ReceiverName)>,
    /// Raised when a member ends.
    pub rev: u32,
    /// Its revision when the last alert joined: whoever was shown less does not know of all of them.
    pub joined_rev: u32,
}

impl Digest {
    /// For whom a receiver is told: for itself, and in place of those who refused it.
    pub fn told_at<'a>(&'a self, receiver: &'a ReceiverName) -> impl Iterator<Item = &'a ReceiverName> {
        let refused = self.hops.iter().filter(move |(_, to)| to == receiver).map(|(from, _)| from);
        std::iter::once(receiver).chain(refused)
    }
}

/// A notice decided and not yet delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which notice.
    pub key: NoticeKey,
    /// Which lane it waits in.
    pub lane: Lane,
    /// Where it goes; absent for what is found when it is sent (an update's message, a repeat's card).
    pub target: Option<Target>,
    /// What it says, where that is not the state of an alert or digest.
    pub text: Option<Answer>,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// Not before this instant.
    pub not_before: Timestamp,
    /// The first attempt that may have arrived; committed before that attempt, taken back when it surely did not.
    pub first_tried_at: Option<Timestamp>,
    /// Attempts made.
    pub attempts: u32,
    /// The platform refused a mention: it goes without.
    pub without_mentions: bool,
    /// The platform refused the content for what stands in it: it goes with numbers and addresses masked.
    pub masked: bool,
    /// It may have been sent before, and nobody can tell.
    pub maybe_repeat: bool,
    /// What the last attempt said.
    pub last_error: Option<Message>,
}

impl Entry {
    /// A notice just decided.
    pub const fn new(key: NoticeKey, lane: Lane, now: Timestamp) -> Self {
        Self {
            key,
            lane,
            target: None,
            text: None,
            decided_at: now,
            not_before: now,
            first_tried_at: None,
            attempts: 0,
            without_mentions: false,
            masked: false,
            maybe_repeat: false,
            last_error: None,
        }
    }
}

/// What an answer or a trouble says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The ticket as it stands when the answer is sent.
    Ticket(TicketKey),
    /// A sentence.
    Text(Message),
    /// A page of a list, with the buttons that turn it.
    Page(Message, Vec<Turn>),
}

/// Order of service in the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Answers to people.
    Answers,
    /// Critical alerts and escalations.
    Critical,
    /// Other alerts.
    Alerts,
    /// Updates and digests.
    Updates,
}

/// A notice that cannot be delivered, kept and shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The notice.
    pub entry: Entry,
    /// When it was given up.
    pub at: Timestamp,
    /// Why.
    pub reason: Message,
}

/// A message accepted and not yet answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxItem {
    /// The message.
    pub message: ChatMessage,
    /// When it was accepted.
    pub accepted_at: Timestamp,
}

/// What is kept of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceState {
    /// Its name.
    pub name: SourceName,
    /// Everything up to here was read; absent before the first complete pass.
    pub cursor: Option<Timestamp>,
    /// When the last complete sweep began.
    pub swept_at: Option<Timestamp>,
    /// The number of the last pass.
    pub pass: u64,
    /// The number of the last digest.
    pub digest: u32,
    /// API calls made in `calls_month`.
    pub calls: u64,
    /// The month they were made in: year × 12 + month.
    pub calls_month: i32,
    /// No polling before this instant: the month's calls are used up.
    pub paused_until: Option<Timestamp>,
}

impl SourceState {
    /// A source never read before.
    pub fn new(name: SourceName) -> Self {
        Self { name, cursor: None, swept_at: None, pass: 0, digest: 0, calls: 0, calls_month: 0, paused_until: None }
    }
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    /// When.
    pub at: Timestamp,
    /// What it is about.
    pub subject: Subject,
    /// The rule, where there is one.
    pub rule: Option<RuleName>,
    /// The alert's episode, where there is one.
    pub episode: u32,
    /// A stable word: `fired`, `ended`, `dropped`, `delivered`, `dead`, …
    pub what: &'static str,
    /// What happened and why, for people.
    pub note: Message,
}

/// What is kept of a rota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    /// Which.
    pub rota: RotaName,
    /// Who was last told to be on call, by shift. Where nobody is on duty it is whoever was last.
    pub told: Vec<(Arc<str>, PersonId)>,
    /// When that was.
    pub at: Timestamp,
    /// The first day of the long holiday for which the roster was confirmed last.
    pub confirmed: Option<NaiveDate>,
}

/// All that the store gives back at a start.
#[derive(Debug, Default)]
pub struct Stored {
    /// Tickets.
    pub tickets: Vec<Tracked>,
    /// Tickets of guests who were forgotten.
    pub forgotten: Vec<TicketKey>,
    /// Purged tickets.
    pub remains: Vec<Remains>,
    /// Alerts.
    pub alerts: Vec<Alert>,
    /// Episodes that are over and whose cards do not all show it, while a new one began.
    pub past: Vec<Alert>,
    /// Cards.
    pub cards: Vec<CardState>,
    /// Digests.
    pub digests: Vec<Digest>,
    /// The outbox.
    pub outbox: Vec<Entry>,
    /// Dead letters.
    pub dead: Vec<DeadLetter>,
    /// The inbox.
    pub inbox: Vec<InboxItem>,
    /// Messages seen.
    pub seen: Vec<(MessageId, Timestamp)>,
    /// Sources.
    pub sources: Vec<SourceState>,
    /// What the rules meant that were in force last.
    pub meanings: Vec<(RuleName, u64)>,
    /// Rules in trial.
    pub trials: Vec<Trial>,
    /// Silences.
    pub silences: Vec<Silence>,
    /// Who was called lately, and how.
    pub calls: Vec<Call>,
    /// Who stands in on rotas.
    pub covers: Vec<Cover>,
    /// What is kept of rotas.
    pub rosters: Vec<Roster>,
    /// Who stands behind the addresses of the configuration.
    pub people: Vec<KnownPerson>,
}
