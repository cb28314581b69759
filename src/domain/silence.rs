//! A silence: what it matches, who asked for it and why, and until when. It keeps notices back, never an alert's state.

use std::sync::Arc;

use crate::domain::{
    actor::Actor,
    alert::Alert,
    condition::{Condition, Target},
    id::{MessageId, RuleName, SilenceId, SourceName, Subject, TeamName, TicketKey},
    labels::Team,
    rule::{Rule, RuleKind, Severity},
    seen::Seen,
    story::severity_words,
    text::{Message, Words},
    time::{Span, Timestamp, Zone},
    verdict::{Answer, eval},
};

/// Silences kept at once.
pub const SILENCES_MAX: usize = 1_000;

/// The longest silence of one ticket that whoever may act in a chat may ask for, or until the next working day.
pub const LASTS_MAX: Span = Span::from_hours(24);

/// The longest that whoever manages may ask for.
pub const LASTS_MANAGED_MAX: Span = Span::from_days(30);

/// The shortest.
pub const LASTS_MIN: Span = Span::from_mins(1);

/// Characters of a reason that are kept.
pub const REASON_CHARS_MAX: usize = 200;

/// Characters of a condition that is written in chat or handed in.
pub const WHEN_CHARS_MAX: usize = 1_000;

/// A silence.
#[derive(Clone, Debug)]
pub struct Silence {
    /// Its number.
    pub id: SilenceId,
    /// The deed that asked for it: what repeats of it are told by.
    pub asked: MessageId,
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
    /// Who ended it, deskbell itself where its time was over: then it is kept only so that its number is not given
    /// away again.
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

/// What a matcher looks at: an alert, its rule as it is today, its ticket as it is known.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The alert.
    pub alert: &'a Alert,
    /// Its rule; absent for deskbell's own alerts.
    pub rule: Option<&'a Rule>,
    /// Its ticket; absent where it is about none.
    pub seen: Option<Seen<'a>>,
}

impl About<'_> {
    /// The team it belongs to: its ticket's, or the one that a count per team counts.
    pub fn team(&self) -> Option<&str> {
        if let Some(seen) = &self.seen {
            let team: &Team = seen.labels.team_of(seen).present().copied()?;
            return Some(team.name.as_str());
        }
        match (&self.alert.key.subject, self.rule.map(|rule| &rule.kind)) {
            (Subject::Group(value), Some(RuleKind::Count(count))) => {
                matches!(&count.per, Some(Target::Field(field)) if field.name == "team").then_some(&**value)
            }
            _ => None,
        }
    }

    /// The source it belongs to: its ticket's, or the only one that a counting rule counts in.
    pub fn source(&self) -> Option<&SourceName> {
        match (&self.alert.key.subject, self.rule.and_then(|rule| rule.sources.as_deref())) {
            (Subject::Group(_), Some([only])) => Some(only),
            (subject, _) => subject.source(),
        }
    }

    /// Whether it goes by this rule's name, now or formerly.
    pub fn is_of(&self, name: &RuleName) -> bool {
        goes_by(&self.alert.key.rule, self.rule, name)
    }
}

/// Whether an alert that began under the rule name `born`, and whose rule today is `rule`, goes by a name, now or
/// formerly.
pub fn goes_by(born: &RuleName, rule: Option<&Rule>, name: &RuleName) -> bool {
    let today = |rule: &Rule| rule.name == *name || rule.formerly.contains(name);
    born == name || rule.is_some_and(today)
}

impl Matcher {
    /// Whether it has no part: then it matches nothing.
    pub const fn is_empty(&self) -> bool {
        matches!(self, Self { ticket: None, rule: None, severity: None, source: None, team: None, when: None })
    }

    /// Whether it matches an alert that keeps others quiet: as [`Matcher::matches`], but of this severity or a higher
    /// one.
    pub fn matches_ringing(&self, about: &About<'_>) -> bool {
        let least = self.severity.is_none_or(|least| about.alert.severity >= least);
        least && !self.is_empty() && self.matches_but_severity(about)
    }

    /// Whether it matches an alert.
    ///
    /// | part | an alert on a ticket | an alert on a group of tickets | deskbell's own |
    /// | --- | --- | --- | --- |
    /// | `ticket` | the ticket is this one | no | no |
    /// | `rule` | its rule has or had this name | the same | its name is this |
    /// | `severity` | this or a lower one | the same | the same |
    /// | `source` | the ticket's source | the rule counts in this one alone | the source |
    /// | `team` | the ticket's team | the count is per team, and this one's | no |
    /// | `when` | it holds on the ticket | no | no |
    ///
    /// deskbell's own alerts tell that it cannot do its work: only a matcher that names one (`rule`) matches it. What
    /// nobody can tell does not match.
    pub fn matches(&self, about: &About<'_>) -> bool {
        let most = self.severity.is_none_or(|most| about.alert.severity <= most);
        most && !self.is_empty() && self.matches_but_severity(about)
    }

    fn matches_but_severity(&self, about: &About<'_>) -> bool {
        (about.rule.is_some() || self.rule.is_some())
            && self.rule.as_ref().is_none_or(|name| about.is_of(name))
            && self.ticket.as_ref().is_none_or(|key| about.alert.key.subject.ticket() == Some(key))
            && self.source.as_ref().is_none_or(|name| about.source() == Some(name))
            && self.team.as_ref().is_none_or(|name| about.team() == Some(name.as_str()))
            && self.when.as_ref().is_none_or(|when| when.holds(about))
    }

    /// What it matches, for people: `规则 VIP 没人接 · 来源 it-desk`.
    pub fn words(&self) -> Message {
        let mut parts: Vec<Message> = Vec::new();
        let mut part = |zh: &str, en: &str, text: &str| {
            parts.push(Message::new(format!("{zh} {text}"), format!("{en} {text}")));
        };
        if let Some(key) = &self.ticket {
            part("工单", "ticket", key.id.as_str());
        }
        if let Some(rule) = &self.rule {
            part("规则", "rule", rule.as_str());
        }
        if let Some(source) = &self.source {
            part("来源", "source", source.as_str());
        }
        if let Some(team) = &self.team {
            part("团队", "team", team.as_str());
        }
        if let Some(when) = &self.when {
            part("条件", "condition", &when.text);
        }
        match self.severity {
            None => {}
            Some(Severity::Critical) => parts.push(Message::new("任何级别", "any severity")),
            Some(most) => {
                let words = severity_words(most);
                parts.push(Message::new(format!("级别{}及以下", words.zh), format!("severity {} or lower", words.en)));
            }
        }
        if parts.is_empty() {
            return Message::new("（什么都不匹配）", "(nothing)");
        }
        let join = |of: fn(&Message) -> &String, by: &str| parts.iter().map(of).cloned().collect::<Vec<_>>().join(by);
        Message::new(join(|part| &part.zh, " · "), join(|part| &part.en, " · "))
    }
}

impl Written {
    fn holds(&self, about: &About<'_>) -> bool {
        let (Some(condition), Some(seen)) = (&self.condition, &about.seen) else { return false };
        // Without clocks and events the instant plays no part.
        eval(condition, seen, Timestamp::MIN).answer == Answer::Yes
    }
}

/// Why a notice is held back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hush {
    /// A silence matches the alert.
    Silenced {
        /// Which.
        id: SilenceId,
        /// Until when.
        until: Timestamp,
    },
    /// Another alert rings that says as much.
    Inhibited {
        /// Its rule, as it is called today.
        rule: RuleName,
        /// Its reference.
        reference: String,
    },
    /// The receiver has quiet hours.
    Quiet {
        /// Until when.
        until: Timestamp,
    },
}

impl Hush {
    /// When it is over, where that is known.
    pub const fn until(&self) -> Timestamp {
        match self {
            Self::Silenced { until, .. } | Self::Quiet { until } => *until,
            Self::Inhibited { .. } => Timestamp::NEVER,
        }
    }

    /// Why, for the journal and whoever asks.
    pub fn words(&self, zone: Zone) -> Message {
        match self {
            Self::Silenced { id, until } => {
                let until = zone.minute(*until);
                Message::new(format!("静默 {id}，到 {until}"), format!("silence {id} until {until}"))
            }
            Self::Inhibited { rule, reference } => Message::new(
                format!("“{rule}” #{reference} 正在提醒，这一条不另外提醒"),
                format!("`{rule}` #{reference} rings and says as much"),
            ),
            Self::Quiet { until } => {
                let until = zone.minute(*until);
                Message::new(format!("接收方免打扰到 {until}"), format!("the receiver's quiet hours until {until}"))
            }
        }
    }
}

/// A reason in words; where nobody wrote one, that is said.
pub fn reason_words(reason: &str) -> Message {
    match reason {
        "" => Message::new("没有写理由", "no reason given"),
        reason if [SILENCED_BY_BUTTON.zh, SILENCED_BY_BUTTON.en].contains(&reason) => SILENCED_BY_BUTTON.into(),
        reason => Message::new(reason, reason),
    }
}

/// The reason of a silence that a card's button asked for.
pub const SILENCED_BY_BUTTON: Words = Words { zh: "在卡片上静默", en: "silenced on its card" };

/// A reason as it is kept: one line, of bounded length.
pub fn reason(text: &str) -> Arc<str> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(REASON_CHARS_MAX).collect::<String>().into()
}

#[cfg(test)]
mod tests;
