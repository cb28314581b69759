//! What the desk wants done: writes, durable in one batch, and effects.

use crate::domain::{
    alert::Alert,
    call::{Call, CallKey},
    command::Command,
    deed::Acted,
    desk::state::{
        CardKey, CardState, DeadLetter, Digest, Entry, InboxItem, JournalEntry, Remains, Revision, Roster, SourceState,
        Tracked, Trial,
    },
    id::{ChatId, MessageId, OpenId, RotaName, RuleName, SilenceId, SourceName, Subject, TicketKey},
    notice::{NoticeKey, Send},
    people::KnownPerson,
    receiver::PersonId,
    rota::Cover,
    silence::Silence,
    time::Timestamp,
};

/// What one input leads to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Committed in one batch, in this order.
    pub writes: Vec<Write>,
    /// Done once the batch is durable, but for those that say otherwise.
    pub effects: Vec<Effect>,
    /// What became of a person's deed; given to them once the batch is durable.
    pub acted: Option<Acted>,
}

/// One durable change. Each replaces what stood under the same key.
#[derive(Clone, Debug)]
pub enum Write {
    /// A ticket's snapshot and facts.
    Ticket(Box<Tracked>),
    /// What a ticket was before a change.
    Revision(Box<Revision>),
    /// What became of a rule in trial.
    Trial(Box<Trial>),
    /// The rule is in trial no longer.
    DropTrial(RuleName),
    /// A ticket and its alerts are no longer kept; this much of it is.
    Purge(Box<Remains>),
    /// Its guest is forgotten: what was kept of its past goes, its history and the journal's lines about it, and it is
    /// kept blank while it is closed.
    Forgotten(TicketKey, Timestamp),
    /// A purged ticket came back.
    DropRemains(TicketKey),
    /// An alert.
    Alert(Box<Alert>),
    /// An alert that never fired is no longer kept.
    DropAlert(crate::domain::alert::AlertKey),
    /// The same, with the journal's lines about its subject: a group that was named like a forgotten guest.
    ForgetAlert(crate::domain::alert::AlertKey),
    /// An episode that is over while a new one began, kept until its cards show the end.
    Past(Box<Alert>),
    /// Its cards show the end.
    DropPast(crate::domain::alert::AlertKey, u32),
    /// A sent card.
    Card(Box<CardState>),
    /// A card nobody will update again.
    DropCard(CardKey),
    /// A digest.
    Digest(Box<Digest>),
    /// A digest nobody will update again.
    DropDigest(Subject, u32),
    /// A notice to be delivered.
    Outbox(Box<Entry>),
    /// A notice that needs nothing more.
    DropOutbox(NoticeKey),
    /// A notice that cannot be delivered.
    Dead(Box<DeadLetter>),
    /// A dead letter that is kept no longer.
    DropDead(NoticeKey),
    /// A message accepted and not yet answered.
    Inbox(Box<InboxItem>),
    /// A message that was answered.
    DropInbox(MessageId),
    /// A message that was seen, or the `uuid` of a notice that was told: neither is taken up again.
    Seen(MessageId, Timestamp),
    /// The same, old enough that it cannot come again.
    DropSeen(MessageId),
    /// A silence.
    Silence(Box<Silence>),
    /// A silence that is over.
    DropSilence(SilenceId),
    /// A source's cursor and counters.
    Source(Box<SourceState>),
    /// What the rules in force mean, to tell new and edited ones after a restart.
    Meaning(RuleName, u64),
    /// A rule is gone.
    DropMeaning(RuleName),
    /// A person was called, or is about to be.
    Call(Box<Call>),
    /// A call no limit looks back to.
    DropCall(CallKey),
    /// Someone stands in on a rota.
    Cover(Box<Cover>),
    /// They do no longer.
    DropCover(Box<Cover>),
    /// What is kept of a rota.
    Roster(Box<Roster>),
    /// The rota is gone.
    DropRoster(RotaName),
    /// Who stands behind an address that the configuration names, or on a rota.
    Person(Box<KnownPerson>),
    /// Nobody does, or nobody names it any more.
    DropPerson(PersonId),
    /// What happened and why.
    Journal(Box<JournalEntry>),
}

/// Something to be done outside.
#[derive(Debug)]
pub enum Effect {
    /// Send a card; only after the commit.
    Send(Box<Send>),
    /// Look for a notice in a chat's history; only after the commit.
    SearchHistory {
        /// Which notice.
        key: NoticeKey,
        /// Where it would be.
        chat: ChatId,
        /// What every card's footer carries.
        reference: String,
        /// The earliest it can have been sent.
        since: Timestamp,
    },
    /// Ask for one ticket; at once.
    ReadTicket(TicketKey),
    /// Ask for the messages of one ticket; at once.
    ReadMessages(TicketKey),
    /// Read a source's increment now; at once.
    ReadSource(SourceName),
    /// Look something up for a person; at once, while the inbox write syncs.
    LookUp(LookUp),
    /// Hands an answer to whoever asked over the admin API.
    Answer(Box<Send>),
}

impl Effect {
    /// Whether it must wait until the batch is durable.
    pub const fn after_commit(&self) -> bool {
        matches!(self, Self::Send(_) | Self::SearchHistory { .. } | Self::Answer(_))
    }
}

/// A lookup for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookUp {
    /// The message that asked.
    pub message: MessageId,
    /// What it asked.
    pub command: Command,
    /// Sources that may be asked, in order.
    pub sources: Vec<SourceName>,
    /// The person must be a member of one of the receivers' chats, else the answer is a denial.
    pub member_check: Option<OpenId>,
}
