//! The rules in force, each with what rings of it.

use std::{collections::BTreeMap, sync::Arc};

use crate::domain::{
    alert::{Alert, AlertState},
    desk::machine::Desk,
    id::RuleName,
    rule::Rule,
};

/// A rule in force.
#[derive(Clone, Debug)]
pub struct RuleRow {
    /// The rule.
    pub rule: Arc<Rule>,
    /// Alerts of it that ring.
    pub firing: usize,
    /// Of them those that someone works on.
    pub taken: usize,
    /// Alerts of it that hold, but not yet for long enough.
    pub pending: usize,
}

impl Desk {
    /// The rules in force, by name.
    pub fn rules_in_force(&self) -> Vec<RuleRow> {
        let row = |rule: &Arc<Rule>| RuleRow { rule: Arc::clone(rule), firing: 0, taken: 0, pending: 0 };
        let mut rows: BTreeMap<&RuleName, RuleRow> = self.rules.values().map(|rule| (&rule.name, row(rule))).collect();
        for alert in self.alerts.values().flatten() {
            if let Some(row) = rows.get_mut(self.rule_called(alert)) {
                row.count(alert);
            }
        }
        rows.into_values().collect()
    }
}

impl RuleRow {
    fn count(&mut self, alert: &Alert) {
        match alert.state {
            AlertState::Pending => self.pending += 1,
            AlertState::Firing { .. } => {
                self.firing += 1;
                self.taken += usize::from(alert.taken.is_some());
            }
            AlertState::Ended { .. } => {}
        }
    }
}
