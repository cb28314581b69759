//! A rule in its compiled form; nothing past the compiler sees what was typed.

use std::{collections::BTreeMap, fmt, sync::Arc};

use crate::domain::{
    calendar::{Pace, Wait},
    condition::{Condition, Operator, Target},
    id::{ReceiverName, RuleName, SourceName, TemplateName},
    sla::{Sla, SlaAt},
    ticket::Text,
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
#[derive(Clone, Debug)]
pub enum Until {
    /// When the condition is no.
    Cleared,
    /// When a person says so, or it expires.
    Handled,
    /// When this holds.
    Holds(Condition),
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

/// Whether a rule tells anyone.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Mode {
    /// It does.
    #[default]
    Live,
    /// It is judged and counted; only this receiver is told, if there is one.
    Trial(Option<To>),
    /// It is not judged.
    Disabled,
}

/// Whom a rule means.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum To {
    /// A receiver of the configuration.
    Receiver(ReceiverName),
    /// The ticket's team.
    Team,
    /// The lead of the ticket's team.
    TeamLead,
    /// Whoever is on call for the ticket's team.
    TeamOncall,
    /// The agent who owns the ticket; without one, its team.
    Owner,
}

impl fmt::Display for To {
    /// As rules write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Receiver(name) => name.fmt(f),
            Self::Team => f.write_str("team"),
            Self::TeamLead => f.write_str("team.lead"),
            Self::TeamOncall => f.write_str("team.oncall"),
            Self::Owner => f.write_str("owner"),
        }
    }
}

/// Whom a notice mentions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mention {
    /// The agent who owns the ticket.
    Owner,
    /// The lead of its team.
    Lead,
    /// Whoever is on call for its team.
    Oncall,
    /// A person, by email.
    Person(Text),
}

/// How a person is called up beside the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgent {
    /// In the app.
    App,
    /// By SMS.
    Sms,
    /// By phone.
    Phone,
}

/// Whom a rule tells, and how often again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    /// Whom.
    pub to: To,
    /// The template; absent: the one with the rule's name, else the built-in card.
    pub template: Option<TemplateName>,
    /// Whom it mentions.
    pub mention: Option<Mention>,
    /// Waits before each repeat; the last one goes on. Empty: no repeats.
    pub repeat: Vec<Wait>,
    /// How many repeats at most.
    pub repeat_max: u32,
}

/// One step of a ladder: of an escalation, or of an SLA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    /// When it is reached.
    pub at: RungAt,
    /// The alert's severity from there on; absent: as before.
    pub severity: Option<Severity>,
    /// Whom it tells.
    pub to: To,
    /// The template; absent: as for a notify line.
    pub template: Option<TemplateName>,
    /// Whom it mentions.
    pub mention: Option<Mention>,
    /// How the person is called up beside the card.
    pub urgent: Option<Urgent>,
}

/// When a rung is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RungAt {
    /// So long after the alert fired, unless someone took it.
    After(Wait),
    /// When the SLA's clock gets there.
    Sla(SlaAt),
}

/// What a rule is about.
#[derive(Clone, Debug)]
pub enum RuleKind {
    /// Each ticket on which its condition holds.
    Ticket,
    /// Each ticket whose clock runs towards a target.
    Sla(Sla),
    /// Groups of tickets, counted.
    Count(Count),
}

/// What a counting rule has beyond other rules; its condition says which tickets are counted.
#[derive(Clone, Debug)]
pub struct Count {
    /// Tickets with the same value are one group; absent: all are.
    pub per: Option<Target>,
    /// How many there must be: `AtLeast`, `AtMost`, `Above`, `Below` or `NumberIs`; each must hold.
    pub when: Vec<Operator>,
    /// Only tickets on which the condition began to hold within this time are counted, and each that long.
    pub within: Option<Span>,
    /// How many there must be for a firing alert to be over; empty: when `when` is no.
    pub clear: Vec<Operator>,
}

/// Repeats of a notify line that says nothing of `repeat_max`.
pub const REPEAT_MAX_DEFAULT: u32 = 10;

/// Days an alert on a closed ticket lives after firing or closing when its rule says nothing of `expires`.
pub const CLOSED_EXPIRES_DEFAULT: Span = Span::from_days(3);

/// A re-fire within this time opens the same card again, where a rule says nothing of `refire_window`.
pub const REFIRE_WINDOW_DEFAULT: Span = Span::from_hours(1);

/// How long taking an alert keeps its ladder still, where a rule says nothing of `taken_for`.
pub const TAKEN_FOR_DEFAULT: Span = Span::from_hours(4);

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name; alerts belong to it.
    pub name: RuleName,
    /// One line for people.
    pub summary: Option<Arc<str>>,
    /// How serious.
    pub severity: Severity,
    /// Whether it tells anyone.
    pub mode: Mode,
    /// Names it had before: their alerts are its own.
    pub formerly: Vec<RuleName>,
    /// Which sources it watches; absent: all.
    pub sources: Option<Vec<SourceName>>,
    /// The hours its durations are counted in, unless a line says otherwise.
    pub pace: Pace,
    /// How what already holds is announced; absent: as the source says.
    pub catch_up: Option<CatchUp>,
    /// What it is about.
    pub kind: RuleKind,
    /// What must hold: on a ticket for it to ring, to have a service level, to be counted.
    pub when: Condition,
    /// For how long it must hold before it rings (`for`).
    pub hold: Wait,
    /// For how long it must not hold before the alert is over (`keep_firing_for`).
    pub keep_firing_for: Span,
    /// When an alert is over.
    pub until: Until,
    /// How long an alert lives at most, from firing.
    pub expires: Option<Span>,
    /// A re-fire within this time opens the same card again.
    pub refire_window: Span,
    /// How long taking an alert keeps its ladder still.
    pub taken_for: Wait,
    /// Whom it tells.
    pub notify: Vec<Notify>,
    /// Its ladder: `escalate`, or the steps of an SLA.
    pub ladder: Vec<Rung>,
    /// Who is told every 30 minutes once the ladder is at its end.
    pub fallback: Option<To>,
    /// What to do about it.
    pub advice: Option<Arc<str>>,
    /// Where it is written what to do: an http or https address.
    pub runbook: Option<Arc<str>>,
    /// Hash of what decides whether it holds (`sources`, `when`, `for`, `until`, `expires`, clocks and counts): texts,
    /// templates and receivers are not part of it.
    pub meaning: u64,
}

impl Rule {
    /// A rule with a name and a condition that says nothing else.
    pub fn new(name: RuleName, when: Condition) -> Self {
        Self {
            name,
            summary: None,
            severity: Severity::Warning,
            mode: Mode::Live,
            formerly: Vec::new(),
            sources: None,
            pace: Pace::Wall,
            catch_up: None,
            kind: RuleKind::Ticket,
            when,
            hold: Wait::default(),
            keep_firing_for: Span::ZERO,
            until: Until::Cleared,
            expires: None,
            refire_window: REFIRE_WINDOW_DEFAULT,
            taken_for: Wait::wall(TAKEN_FOR_DEFAULT),
            notify: Vec::new(),
            ladder: Vec::new(),
            fallback: None,
            advice: None,
            runbook: None,
            meaning: 0,
        }
    }

    /// Whether the rule watches this source.
    pub fn watches(&self, source: &SourceName) -> bool {
        self.mode != Mode::Disabled && self.sources.as_ref().is_none_or(|sources| sources.contains(source))
    }

    /// Whether it is judged only when a change is stored.
    pub fn is_event(&self) -> bool {
        self.when.asks_for_event()
    }

    /// Every condition of the rule.
    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        let until = match &self.until {
            Until::Holds(condition) => Some(condition),
            Until::Cleared | Until::Handled => None,
        };
        let targets = match &self.kind {
            RuleKind::Sla(sla) => sla.targets.as_slice(),
            RuleKind::Ticket | RuleKind::Count(_) => &[],
        };
        [&self.when].into_iter().chain(until).chain(targets.iter().filter_map(|target| target.when.as_ref()))
    }

    /// Whether reading what it looks at takes the messages of a ticket.
    pub fn needs_messages(&self) -> bool {
        let clock = match &self.kind {
            RuleKind::Sla(sla) => sla.clock.needs_messages(),
            RuleKind::Ticket | RuleKind::Count(_) => false,
        };
        clock || self.conditions().any(Condition::needs_messages)
    }

    /// Whether a condition of the rule looks at this field.
    pub fn looks_at(&self, name: &str) -> bool {
        let named = |target: &Target| match target {
            Target::Field(field) | Target::Part(field, _) => field.name == name,
            Target::Custom(_) => false,
        };
        let per = matches!(&self.kind, RuleKind::Count(Count { per: Some(per), .. }) if named(per));
        let looks = |condition: &Condition| match condition {
            Condition::Test(test) => named(&test.target),
            Condition::Changed(targets) => targets.iter().any(named),
            _ => false,
        };
        per || self.conditions().any(|condition| condition.any(&looks))
    }
}

/// The rules in force, by name.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    /// The rules, in the order of their names.
    pub rules: BTreeMap<RuleName, Rule>,
}
