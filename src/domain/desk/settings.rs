//! What the desk needs of the configuration.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use crate::domain::{
    id::{ChatId, ReceiverName, RotaName, SourceName},
    labels::Labels,
    plan::Plan,
    receiver::{PersonId, Receiver, ReceiverKind},
    rota::Rota,
    rule::CatchUp,
    silence::Matcher,
    text::Locale,
    time::{Span, Zone},
};

/// What the desk needs of the configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The zone people read times in.
    pub zone: Zone,
    /// The language of answers that have no other hint.
    pub locale: Locale,
    /// The sources, by name.
    pub sources: BTreeMap<SourceName, SourceSettings>,
    /// The receivers, by name.
    pub receivers: BTreeMap<ReceiverName, Receiver>,
    /// Who hears of deskbell's own troubles.
    pub operations: Option<ReceiverName>,
    /// How fast may be sent.
    pub limits: Limits,
    /// How many API calls a month there are.
    pub plan: Plan,
    /// Who may look at tickets.
    pub access: Access,
    /// How long closed tickets are kept.
    pub retention: Span,
    /// When many alerts of one rule become one digest; absent: never.
    pub storm: Option<StormSettings>,
    /// Who is on call when, by name.
    pub rotas: BTreeMap<RotaName, Arc<Rota>>,
    /// What keeps other alerts quiet while it rings.
    pub inhibits: Vec<Inhibit>,
}

#[cfg(test)]
impl Settings {
    /// Of tests: nothing is watched, nobody is told, everyone may ask; UTC, in English. A test says what it needs besides.
    pub(super) fn bare() -> Self {
        Self {
            zone: Zone(chrono_tz::UTC),
            locale: Locale::En,
            sources: BTreeMap::new(),
            receivers: BTreeMap::new(),
            operations: None,
            limits: Limits::default(),
            plan: Plan::Paid,
            access: Access::new(Look::Everyone, Direct::Everyone),
            retention: Span::from_days(90),
            storm: None,
            rotas: BTreeMap::new(),
            inhibits: Vec::new(),
        }
    }
}

/// When many alerts of one rule become one digest (`storm`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StormSettings {
    /// More alerts than this to one receiver ...
    pub above: u32,
    /// ... within this time open a digest.
    pub within: Span,
    /// It closes when none joined for so long.
    pub calm_for: Span,
    /// It is updated at most this often.
    pub refresh: Span,
}

impl Default for StormSettings {
    fn default() -> Self {
        Self { above: 8, within: Span::from_mins(10), calm_for: Span::from_mins(15), refresh: Span::from_mins(1) }
    }
}

/// While an alert that `while_ringing` matches rings, notices of alerts that `mutes` matches are held back (`inhibit`).
#[derive(Clone, Debug)]
pub struct Inhibit {
    /// What must ring; of a severity, this or a higher one.
    pub while_ringing: Matcher,
    /// What is held back.
    pub mutes: Matcher,
    /// What both must have in common.
    pub same: Vec<Shared>,
}

/// What two alerts have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shared {
    /// The ticket.
    Ticket,
    /// The source.
    Source,
    /// The ticket's team.
    Team,
}

impl Settings {
    /// A receiver by its name; people who own tickets are receivers without standing in the configuration.
    pub fn receiver(&self, name: &ReceiverName) -> Option<Cow<'_, Receiver>> {
        let known = self.receivers.get(name).map(Cow::Borrowed);
        known.or_else(|| Receiver::person(name, self.locale).map(Cow::Owned))
    }

    /// Everyone the configuration names: receivers, managers, members of rotas.
    pub fn people(&self) -> Vec<PersonId> {
        let receivers = self.receivers.values().filter_map(|receiver| match &receiver.kind {
            ReceiverKind::Person(person) => Some(person.clone()),
            ReceiverKind::Chat(_) | ReceiverKind::Webhook | ReceiverKind::Wecom | ReceiverKind::Http => None,
        });
        let members = self.rotas.values().flat_map(|rota| {
            rota.shifts.iter().flat_map(|shift| shift.members.iter()).chain(rota.dates.values().flatten())
        });
        let mut people: Vec<PersonId> = receivers.chain(self.access.manage.iter().chain(members).cloned()).collect();
        people.sort_unstable();
        people.dedup();
        people
    }
}

/// One source.
#[derive(Clone, Debug)]
pub struct SourceSettings {
    /// The usual time between two polls; three of them without a complete one raise the source watch.
    pub poll_every: Span,
    /// How what already holds is announced.
    pub catch_up: CatchUp,
    /// What is said of its tickets.
    pub labels: Arc<Labels>,
}

/// How fast may be sent (`feishu.limits`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Messages a second to one chat.
    pub chat_per_second: u32,
    /// Calls a second to one API.
    pub api_per_second: u32,
    /// Calls a minute to one API.
    pub api_per_minute: u32,
}

impl Default for Limits {
    /// The platform's own are 5, 50 and 1000 (`facts/feishu.md §3.1`); a chat's is shared by all its bots.
    fn default() -> Self {
        Self { chat_per_second: 3, api_per_second: 50, api_per_minute: 1_000 }
    }
}

/// Who may look at tickets in chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// For sources not named below.
    pub look: Look,
    /// For single sources.
    pub look_by_source: BTreeMap<SourceName, Look>,
    /// Who may ask in a direct chat.
    pub direct: Direct,
    /// Which chats may act on alerts.
    pub act: Look,
    /// Who may silence a rule, silence for long, change rotas and see to dead letters.
    pub manage: Vec<PersonId>,
}

impl Access {
    /// What may be looked at and asked, the same for every source; only the receivers' chats may act.
    pub const fn new(look: Look, direct: Direct) -> Self {
        Self { look, look_by_source: BTreeMap::new(), direct, act: Look::Receivers, manage: Vec::new() }
    }

    /// The chats that may look at a source's tickets.
    pub fn look_at(&self, source: &SourceName) -> &Look {
        self.look_by_source.get(source).unwrap_or(&self.look)
    }
}

/// Which chats may look at tickets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// Any chat the bot is in.
    Everyone,
    /// The chats that are receivers.
    Receivers,
    /// These chats.
    Chats(Vec<ChatId>),
}

/// Who may ask in a direct chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direct {
    /// Members of a receiver's chat.
    Members,
    /// Whoever reaches the bot.
    Everyone,
    /// Nobody.
    Nobody,
}
