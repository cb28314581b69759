//! What became of rules in trial, on disk.

use serde::{Deserialize, Serialize};

use super::parts::{Shared, at, ms, rule};
use crate::domain::{
    desk::state::Trial,
    time::{Span, Timestamp},
};

/// [`Trial`] on disk.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) struct TrialRecord<'a> {
    rule: &'a str,
    began_at: i64,
    fired: u32,
    dealt_with: u32,
    longest: i64,
    reported_at: Option<i64>,
}

impl<'a> TrialRecord<'a> {
    pub(in crate::adapters::store) fn of(trial: &'a Trial) -> Self {
        Self {
            rule: trial.rule.as_str(),
            began_at: trial.began_at.as_ms(),
            fired: trial.fired,
            dealt_with: trial.dealt_with,
            longest: trial.longest.as_ms(),
            reported_at: ms(trial.reported_at),
        }
    }

    pub(in crate::adapters::store) fn trial(self, shared: &mut Shared) -> Trial {
        Trial {
            rule: rule(self.rule, shared),
            began_at: Timestamp::from_ms(self.began_at),
            fired: self.fired,
            dealt_with: self.dealt_with,
            longest: Span::from_ms(self.longest),
            reported_at: at(self.reported_at),
        }
    }
}
