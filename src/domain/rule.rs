//! A rule in its compiled form; nothing past the compiler sees what was typed.

use std::{collections::BTreeMap, sync::Arc};

use crate::domain::{
    condition::Condition,
    id::{ReceiverName, RuleName, SourceName, TemplateName},
    time::Span,
};

/// How serious an alert of a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Worth acting on today; the default.
    Warning,
    /// Worth acting on now.
    Critical,
}

impl Severity {
    /// Its word in rules.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// When an alert is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// When the condition is no.
    Cleared,
    /// When a person says so, or it expires.
    Handled,
}

/// How what already holds is announced: at the first run, after downtime, for a new or edited rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum CatchUp {
    /// One digest per receiver.
    #[default]
    Digest,
    /// One card per alert.
    Each,
    /// Nothing is sent; the alert stands.
    None,
}

/// Whom a rule tells, and how often again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    /// The receiver.
    pub to: ReceiverName,
    /// The template; absent: the one with the rule's name, else the built-in card.
    pub template: Option<TemplateName>,
    /// Waits before each repeat; the last one goes on. Empty: no repeats.
    pub repeat: Vec<Span>,
    /// How many repeats at most.
    pub repeat_max: u32,
}

/// Repeats of a notify line that says nothing of `repeat_max`.
pub const REPEAT_MAX_DEFAULT: u32 = 10;

/// Days an alert on a closed ticket lives after firing or closing when its rule says nothing of `expires`.
pub const CLOSED_EXPIRES_DEFAULT: Span = Span::from_days(3);

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name; alerts belong to it.
    pub name: RuleName,
    /// One line for people.
    pub summary: Option<Arc<str>>,
    /// How serious.
    pub severity: Severity,
    /// Which sources it watches; absent: all.
    pub sources: Option<Vec<SourceName>>,
    /// How what already holds is announced; absent: as the source says.
    pub catch_up: Option<CatchUp>,
    /// What must hold.
    pub when: Condition,
    /// For how long it must hold before it rings (`for`).
    pub hold: Span,
    /// When an alert is over.
    pub until: Until,
    /// How long an alert lives at most, from firing.
    pub expires: Option<Span>,
    /// Whom it tells.
    pub notify: Vec<Notify>,
    /// What to do about it.
    pub advice: Option<Arc<str>>,
    /// Hash of what decides whether it holds (`sources`, `when`, `for`, `until`, `expires`): texts, templates and
    /// receivers are not part of it.
    pub meaning: u64,
}

impl Rule {
    /// Whether the rule watches this source.
    pub fn watches(&self, source: &SourceName) -> bool {
        self.sources.as_ref().is_none_or(|sources| sources.contains(source))
    }
}

/// The rules in force, by name.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    /// The rules, in the order of their names.
    pub rules: BTreeMap<RuleName, Rule>,
}
