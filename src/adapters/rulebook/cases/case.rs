//! A rule test as it was read: a script, and what must be told.

use crate::domain::{
    alert::EndReason,
    fault::Place,
    id::{RuleName, TicketId},
    notice::Step,
    replay::script::Script,
    rule::Severity,
    time::{Span, Timestamp, Zone},
};

/// One test of one rule or several.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// The rules that are put to the test; none: every rule of the folder.
    pub rules: Vec<RuleName>,
    /// The zone its instants are written in.
    pub zone: Zone,
    /// What the source shows.
    pub script: Script,
    /// What must be told, and nothing else.
    pub expected: Vec<Expected>,
}

/// Something that must happen.
#[derive(Clone, Debug)]
pub struct Expected {
    /// Where it stands.
    pub place: Place,
    /// When, at the earliest.
    pub at: Timestamp,
    /// How much later is still in time: a minute, or a second where seconds are written.
    pub within: Span,
    /// By which rule; absent: any.
    pub rule: Option<RuleName>,
    /// On which ticket; absent: any.
    pub ticket: Option<TicketId>,
    /// What.
    pub what: Wanted,
}

/// What must happen.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// A notice is sent.
    Notice(Notice),
    /// An alert ends, for this reason if one is named.
    End(Option<EndReason>),
}

/// What is known of a notice that must be sent. What is absent does not matter.
#[derive(Clone, Debug, Default)]
pub struct Notice {
    /// To whom: a receiver, a person, `team`, `team.lead`, `team.oncall` or `owner`.
    pub to: Option<String>,
    /// Whether it tells a beginning, a repeat or an escalation.
    pub step: Option<Step>,
    /// Which repeat it is, from 1.
    pub repeat: Option<u32>,
    /// How serious the alert is by then.
    pub severity: Option<Severity>,
    /// Texts that stand in the card's title.
    pub title: Vec<String>,
    /// Texts that stand anywhere on the card.
    pub card: Vec<String>,
}

impl Expected {
    /// Whether something at this instant is in time.
    pub fn is_in_time(&self, at: Timestamp) -> bool {
        at >= self.at && at.since(self.at) < self.within
    }
}
