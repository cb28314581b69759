//! A silence: what it matches, who asked for it and why, and until when. It keeps notices back, never an alert's state.

use std::sync::Arc;

use crate::domain::{
    actor::Actor,
    condition::Condition,
    id::{RuleName, SilenceId, SourceName, TeamName, TicketKey},
    rule::Severity,
    time::Timestamp,
};

/// A silence.
#[derive(Clone, Debug)]
pub struct Silence {
    /// Its number.
    pub id: SilenceId,
    /// What it matches.
    pub matches: Matcher,
    /// Who asked for it.
    pub by: Actor,
    /// Why, in their words.
    pub reason: Arc<str>,
    /// From when.
    pub from: Timestamp,
    /// Until when; moved forward where someone ends it early.
    pub until: Timestamp,
    /// Who ended it early.
    pub ended_by: Option<Actor>,
}

/// What a silence (or an inhibition) matches: every part that is there must hold; one without parts matches nothing.
#[derive(Clone, Debug, Default)]
pub struct Matcher {
    /// One ticket.
    pub ticket: Option<TicketKey>,
    /// Alerts of this rule.
    pub rule: Option<RuleName>,
    /// Alerts of this severity or a lower one.
    pub severity: Option<Severity>,
    /// Alerts of this source.
    pub source: Option<SourceName>,
    /// Alerts on tickets of this team.
    pub team: Option<TeamName>,
    /// Alerts on tickets on which this holds; without clocks, `was` and `changed`.
    pub when: Option<Written>,
}

/// A condition as it was written, and as it was understood.
#[derive(Clone, Debug)]
pub struct Written {
    /// As written.
    pub text: Arc<str>,
    /// As understood; absent where today's fields no longer know it: then it matches nothing.
    pub condition: Option<Condition>,
}
