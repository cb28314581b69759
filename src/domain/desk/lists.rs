//! The alerts there are, one by one, for operators: filtered, in a stable order, a page at a time. Nothing changes here.

use crate::domain::{
    actor::Actor,
    alert::{Alert, AlertKey, AlertState, EndReason},
    desk::machine::Desk,
    id::{ReceiverName, RuleName, SourceName, Subject, TeamName},
    rule::{Rule, Severity},
    seen::Seen,
    silence::Hush,
    text::{Message, fold},
    time::{Timestamp, Zone},
};

/// Alerts of one page, at most.
pub const ALERTS_PAGE_MAX: usize = 500;

/// Alerts of one page that says nothing of it.
pub const ALERTS_PAGE: usize = 100;

/// Digits of a reference, and the fewest of them by which it is looked for.
const REFERENCE_DIGITS: usize = 6;
const BEGINNING_MIN: usize = 2;

/// Alerts that are named to whoever typed too little of a reference.
const CANDIDATES_MAX: usize = 5;

/// Which alerts are asked for: every part that is there must fit.
#[derive(Clone, Debug, Default)]
pub struct AlertsWanted {
    /// Of this rule, by the name it has or had.
    pub rule: Option<RuleName>,
    /// Of this source.
    pub source: Option<SourceName>,
    /// On tickets of this team.
    pub team: Option<TeamName>,
    /// This serious or more.
    pub severity: Option<Severity>,
    /// That stand so; absent: those that are not over.
    pub stand: Option<Stand>,
    /// On the ticket that is meant: its id, `source:id`, or its last five digits or more.
    pub ticket: Option<String>,
    /// At most so many; absent: [`ALERTS_PAGE`].
    pub limit: Option<usize>,
    /// After the last one of the page before.
    pub after: Option<Mark>,
}

/// Where an alert stands, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stand {
    /// It rings and nobody works on it.
    Firing,
    /// It rings and someone works on it.
    Taken,
    /// It rings and was put off.
    Snoozed,
    /// It holds, but not yet for long enough.
    Pending,
    /// It is over.
    Ended,
}

impl Stand {
    /// Every one, in the order of their declaration.
    pub const ALL: [Self; 5] = [Self::Firing, Self::Taken, Self::Snoozed, Self::Pending, Self::Ended];

    /// Its word at the command line and in answers for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Taken => "taken",
            Self::Snoozed => "snoozed",
            Self::Pending => "pending",
            Self::Ended => "ended",
        }
    }

    /// Where an alert stands.
    pub fn of(alert: &Alert, now: Timestamp) -> Self {
        let put_off = alert.snoozed.as_ref().is_some_and(|snoozed| snoozed.until > now);
        match alert.state {
            AlertState::Pending => Self::Pending,
            AlertState::Ended { .. } => Self::Ended,
            AlertState::Firing { .. } if put_off => Self::Snoozed,
            AlertState::Firing { .. } if alert.taken.is_some() => Self::Taken,
            AlertState::Firing { .. } => Self::Firing,
        }
    }
}

/// A place in the list, by what its order goes by: severity, since when, reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    severity: Severity,
    since: Timestamp,
    reference: String,
}

impl Mark {
    fn of(alert: &Alert) -> Self {
        Self { severity: alert.severity, since: alert.since, reference: alert.reference() }
    }

    /// As it is handed out: `critical.1795140000000.4F7A2C`.
    pub fn written(&self) -> String {
        format!("{}.{}.{}", self.severity.name(), self.since.as_ms(), self.reference)
    }

    /// Reads what [`Mark::written`] gave.
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let severity = severity_named(parts.next()?)?;
        let since = Timestamp::from_ms(parts.next()?.parse().ok()?);
        Some(Self { severity, since, reference: parts.next()?.to_string() })
    }
}

/// The severity with this word.
pub fn severity_named(word: &str) -> Option<Severity> {
    [Severity::Info, Severity::Warning, Severity::Critical].into_iter().find(|severity| severity.name() == word)
}

/// A page of alerts.
#[derive(Clone, Debug, Default)]
pub struct AlertsFound {
    /// The alerts: the most serious first, then those that hold longest.
    pub alerts: Vec<AlertRow>,
    /// How many fit in all.
    pub total: usize,
    /// Where the next page goes on; absent on the last one.
    pub more: Option<Mark>,
}

/// One alert.
#[derive(Clone, Debug)]
pub struct AlertRow {
    /// Which alert, by the name its rule was born under.
    pub key: AlertKey,
    /// What its rule is called today.
    pub rule: RuleName,
    /// How often it rang.
    pub episode: u32,
    /// Its reference (`4F7A2C`).
    pub reference: String,
    /// Where it stands, in a word.
    pub stand: Stand,
    /// How serious.
    pub severity: Severity,
    /// What the ticket goes by: its subject line, else its guest.
    pub title: Option<String>,
    /// The ticket's team.
    pub team: Option<TeamName>,
    /// Since when the condition holds.
    pub since: Timestamp,
    /// When it began to ring.
    pub fired_at: Option<Timestamp>,
    /// When and why it was over, and who ended it, where a person did.
    pub ended: Option<(Timestamp, EndReason, Option<Actor>)>,
    /// Why.
    pub why: Message,
    /// It is of a rule in trial.
    pub trial: bool,
    /// It rang on data of this instant, and was not judged on newer data since.
    pub stale_as_of: Option<Timestamp>,
    /// Who works on it (or did when it ended), since when and until when.
    pub taken: Option<(Actor, Timestamp, Timestamp)>,
    /// Who put it off, and until when.
    pub snoozed: Option<(Actor, Timestamp)>,
    /// Whom it told, and how.
    pub told: Vec<Told>,
    /// Rungs of its ladder that were reached, and how many there are.
    pub rungs: (u32, usize),
    /// What comes next while nobody acts and nothing changes, the earliest first.
    pub coming: Vec<Coming>,
    /// The zone people read times in.
    pub zone: Zone,
}

/// How one receiver was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Whom.
    pub receiver: ReceiverName,
    /// How.
    pub how: How,
    /// Repeats so far.
    pub repeats: u32,
    /// Something was held back (silenced, inhibited, quiet hours) and not told since.
    pub held: bool,
    /// Why it is not told now, where something holds it back.
    pub hush: Option<Hush>,
}

/// How a beginning was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// By a card of its own.
    Card,
    /// In the digest with this reference.
    Digest(String),
    /// Its notice waits in the outbox.
    Waiting,
    /// Not at all.
    Nothing,
}

impl How {
    /// Its word in answers for programs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Digest(_) => "digest",
            Self::Waiting => "waiting",
            Self::Nothing => "not_told",
        }
    }
}

/// What an alert does next by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coming {
    /// What.
    pub what: ComingWhat,
    /// When; absent where that cannot be said ahead.
    pub at: Option<Timestamp>,
    /// Whom it tells.
    pub to: Option<ReceiverName>,
}

/// What an alert may do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ComingWhat {
    /// It begins to ring.
    Rings,
    /// It is repeated.
    Repeat,
    /// This rung of its ladder, from 1.
    Rung(u32),
    /// The ladder is at its end: someone else is told, again and again.
    Fallback,
    /// Whoever took it is asked how it stands.
    Asked,
    /// It was put off, and the time is over.
    Wakes,
}

impl ComingWhat {
    /// Its word in answers for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rings => "rings",
            Self::Repeat => "repeat",
            Self::Rung(_) => "rung",
            Self::Fallback => "fallback",
            Self::Asked => "asked",
            Self::Wakes => "wakes",
        }
    }
}

impl Desk {
    /// A page of the alerts that are asked for.
    ///
    /// # Errors
    /// No ticket is meant, or several; a rule, a source or a team is named that there is not.
    pub fn list_alerts(&self, wanted: &AlertsWanted, now: Timestamp) -> Result<AlertsFound, Message> {
        if let Some(why) = self.names_nothing_listed(wanted) {
            return Err(why);
        }
        let ticket = wanted.ticket.as_deref().map(|typed| self.ticket_meant(typed)).transpose()?;
        let subject = ticket.map(Subject::Ticket);
        let mut fitting: Vec<&Alert> = match &subject {
            Some(subject) => self.alerts.get(subject).into_iter().flatten().collect(),
            None => self.alerts.values().flatten().collect(),
        };
        fitting.retain(|alert| self.fits(alert, wanted, now));
        fitting.sort_by(|one, other| {
            let order = |alert: &Alert| (std::cmp::Reverse(alert.severity), alert.since);
            order(one).cmp(&order(other)).then_with(|| one.key.cmp(&other.key))
        });
        let total = fitting.len();
        let from = wanted.after.as_ref().map_or(0, |mark| place_after(&fitting, mark));
        let limit = wanted.limit.unwrap_or(ALERTS_PAGE).clamp(1, ALERTS_PAGE_MAX);
        let page: Vec<&Alert> = fitting.iter().skip(from).take(limit).copied().collect();
        let more = page.last().filter(|_| from + page.len() < total).map(|last| Mark::of(last));
        Ok(AlertsFound { alerts: page.into_iter().map(|alert| self.row(alert, now)).collect(), total, more })
    }

    /// The alert with this reference, with or without `#`, in either case.
    ///
    /// # Errors
    /// There is none, or none any more.
    pub fn alert_row(&self, reference: &str, now: Timestamp) -> Result<AlertRow, Message> {
        let why = || self.references_like(reference).unwrap_or_else(|| not_referred(reference));
        let alert = self.alert_referred(reference).ok_or_else(why)?;
        Ok(self.row(alert, now))
    }

    /// Alerts whose reference begins like this, for whoever typed too little of one: those that ring first. Nothing
    /// where none does.
    pub(super) fn references_like(&self, typed: &str) -> Option<Message> {
        let typed = bare_reference(typed);
        let is_beginning = (BEGINNING_MIN..REFERENCE_DIGITS).contains(&typed.len());
        if !is_beginning || !typed.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let all = self.alerts.values().flatten().filter(|alert| alert.episode > 0);
        let mut found: Vec<&Alert> = all.filter(|alert| alert.reference().starts_with(&typed)).collect();
        found.sort_by_key(|alert| (!alert.is_firing(), std::cmp::Reverse(alert.fired_at()), alert.reference()));
        let shown = |alert: &&Alert| {
            let title = self.title_of(&alert.key.subject).map(|title| format!(" {title}")).unwrap_or_default();
            format!("#{} {}{title}", alert.reference(), self.rule_called(alert))
        };
        let named: Vec<String> = found.iter().take(CANDIDATES_MAX).map(shown).collect();
        let rest = found.len().saturating_sub(named.len());
        let (zh_more, en_more) = match rest {
            0 => Default::default(),
            _ => (format!("，另有 {rest} 条"), format!(" and {rest} more")),
        };
        (!named.is_empty()).then(|| {
            Message::new(
                format!("#{typed} 不完整，编号有 {REFERENCE_DIGITS} 位。是不是：{}{zh_more}", named.join("；")),
                format!(
                    "#{typed} is not a whole reference of {REFERENCE_DIGITS} digits. Is it one of: {}{en_more}",
                    named.join("; ")
                ),
            )
        })
    }

    /// The alert with this reference, in its present episode where there is one.
    pub(super) fn alert_referred(&self, reference: &str) -> Option<&Alert> {
        let reference = bare_reference(reference);
        let past = || self.index.called(&reference).find_map(|place| self.past.get(place));
        self.alert_called(&reference).or_else(past)
    }

    /// The episode of that alert which its reference names: the present one, or one before it.
    pub(super) fn episode_referred(&self, alert: &Alert, reference: &str) -> u32 {
        let reference = bare_reference(reference);
        let mut former = self.index.formerly_called(&reference).filter(|(key, _)| *key == alert.key);
        if alert.reference() == reference { None } else { former.next() }.map_or(alert.episode, |(_, episode)| *episode)
    }

    /// Why a list asked for so would be empty whatever rings: it names what there is not. What alerts are left of is there.
    fn names_nothing_listed(&self, wanted: &AlertsWanted) -> Option<Message> {
        let all = || self.alerts.values().flatten();
        let rule = wanted.rule.as_ref().filter(|name| self.rule_named(name).is_none());
        if let Some(name) = rule.filter(|name| all().all(|alert| alert.key.rule != **name)) {
            let rules: Vec<&str> = self.rules.keys().map(RuleName::as_str).collect();
            return Some(no_such(("规则", "rule"), name.as_str(), &rules, "deskbell rules"));
        }
        let sources: Vec<&str> = self.settings.sources.keys().map(SourceName::as_str).collect();
        let source = wanted.source.as_ref().filter(|name| !sources.contains(&name.as_str()));
        if let Some(name) = source.filter(|name| all().all(|alert| alert.key.subject.source() != Some(*name))) {
            return Some(no_such(("数据源", "source"), name.as_str(), &sources, "deskbell status"));
        }
        let labels = self.settings.sources.values().flat_map(|source| source.labels.teams.iter());
        let mut teams: Vec<&str> = labels.map(|team| team.name.as_str()).collect();
        teams.sort_unstable();
        teams.dedup();
        let team = wanted.team.as_ref().filter(|name| !teams.contains(&name.as_str()));
        team.map(|name| no_such(("团队", "team"), name.as_str(), &teams, "deskbell check"))
    }

    fn fits(&self, alert: &Alert, wanted: &AlertsWanted, now: Timestamp) -> bool {
        let stand = Stand::of(alert, now);
        wanted.stand.map_or(stand != Stand::Ended, |wanted| wanted == stand)
            && wanted.rule.as_ref().is_none_or(|rule| alert.key.rule == *rule || self.rule_called(alert) == rule)
            && wanted.source.as_ref().is_none_or(|source| alert.key.subject.source() == Some(source))
            && wanted.severity.is_none_or(|severity| alert.severity >= severity)
            && wanted.team.as_ref().is_none_or(|team| self.team_named(&alert.key.subject).as_ref() == Some(team))
    }

    fn row(&self, alert: &Alert, now: Timestamp) -> AlertRow {
        let rule = self.rule_named(&alert.key.rule);
        let ended = match alert.state {
            AlertState::Ended { ended_at, reason, .. } => Some((ended_at, reason, alert.ended_by.clone())),
            AlertState::Pending | AlertState::Firing { .. } => None,
        };
        let stale_as_of = match alert.state {
            AlertState::Firing { stale_as_of, .. } => stale_as_of,
            AlertState::Pending | AlertState::Ended { .. } => None,
        };
        AlertRow {
            rule: self.rule_called(alert).clone(),
            episode: alert.episode,
            reference: alert.reference(),
            stand: Stand::of(alert, now),
            severity: alert.severity,
            title: self.title_of(&alert.key.subject),
            team: self.team_named(&alert.key.subject),
            since: alert.since,
            fired_at: alert.fired_at(),
            ended,
            why: alert.why.clone(),
            trial: alert.trial,
            stale_as_of,
            taken: alert.taken.as_ref().map(|taken| (taken.by.clone(), taken.at, taken.until)),
            snoozed: alert.snoozed.as_ref().filter(|it| it.until > now).map(|it| (it.by.clone(), it.until)),
            told: alert.lines.iter().map(|line| self.told(alert, line, now)).collect(),
            rungs: (alert.rung, rule.map_or(0, |rule| rule.ladder.len())),
            zone: self.settings.zone,
            coming: self.coming(alert, rule.map(|rule| &**rule), now),
            key: alert.key.clone(),
        }
    }

    /// What the subject goes by in a list.
    pub(super) fn title_of(&self, subject: &Subject) -> Option<String> {
        match subject {
            Subject::Ticket(key) => {
                let tracked = &self.tickets.get(key)?.tracked;
                let labels = self.labels_of(&key.source);
                labels.headline_of(&Seen::at_rest(&tracked.ticket, &tracked.facts, labels))
            }
            Subject::Group(value) => Some(value.to_string()).filter(|value| !value.is_empty()),
            _ => None,
        }
    }

    fn team_named(&self, subject: &Subject) -> Option<TeamName> {
        let key = subject.ticket()?;
        let tracked = &self.tickets.get(key)?.tracked;
        let labels = self.labels_of(&key.source);
        let seen = Seen::at_rest(&tracked.ticket, &tracked.facts, labels);
        labels.team_of(&seen).present().map(|team| team.name.clone())
    }

    /// What comes next, as far as it can be said ahead.
    fn coming(&self, alert: &Alert, rule: Option<&Rule>, now: Timestamp) -> Vec<Coming> {
        let Some(rule) = rule else { return Vec::new() };
        let one = |what, at: Timestamp, to| Coming { what, at: Some(at), to };
        match Stand::of(alert, now) {
            Stand::Ended => return Vec::new(),
            Stand::Pending => {
                let at = rule.hold.ends(alert.since);
                return if at > now { vec![one(ComingWhat::Rings, at, None)] } else { Vec::new() };
            }
            Stand::Snoozed => {
                let until = alert.snoozed.iter().map(|snoozed| one(ComingWhat::Wakes, snoozed.until, None));
                return until.collect();
            }
            Stand::Taken => {
                let unasked = alert.taken.iter().filter(|taken| taken.asked_at.is_none());
                return unasked.map(|taken| one(ComingWhat::Asked, taken.until, None)).collect();
            }
            Stand::Firing => {}
        }
        let mut coming: Vec<Coming> = alert
            .lines
            .iter()
            .filter_map(|line| Some(one(ComingWhat::Repeat, line.next_at?, Some(line.receiver.clone()))))
            .collect();
        coming.extend(self.next_rung(rule, alert, now));
        coming.extend(alert.fallback_at.map(|at| one(ComingWhat::Fallback, at, None)));
        coming.sort_by_key(|next| (next.at.unwrap_or(Timestamp::NEVER), next.what));
        coming
    }
}

/// The reference without what people write around it.
pub(super) fn bare_reference(typed: &str) -> String {
    typed.trim().trim_start_matches(['#', '＃']).to_ascii_uppercase()
}

/// How many alerts of the list come before the place behind `mark`.
fn place_after(fitting: &[&Alert], mark: &Mark) -> usize {
    let order = |alert: &Alert| (std::cmp::Reverse(alert.severity), alert.since);
    let at = (std::cmp::Reverse(mark.severity), mark.since);
    let first = fitting.partition_point(|alert| order(alert) < at);
    let ties = fitting.iter().skip(first).take_while(|alert| order(alert) == at);
    // One that is gone is not found: those that tie with it are shown again rather than left out.
    first + ties.enumerate().find(|(_, alert)| alert.reference() == mark.reference).map_or(0, |(place, _)| place + 1)
}

fn not_referred(reference: &str) -> Message {
    let reference = bare_reference(reference);
    Message::new(
        format!("没有编号是 {reference} 的提醒；运行 deskbell alerts 看有哪些"),
        format!("there is no alert #{reference}; deskbell alerts lists them"),
    )
}

/// Nothing has this name; the nearest that has one, or all where they are few.
fn no_such((zh, en): (&str, &str), name: &str, known: &[&str], lists: &str) -> Message {
    /// Names that are told all together.
    const FEW: usize = 5;
    /// Slips of the finger.
    const SLIPS_MAX: usize = 3;
    let folded = fold(name);
    let slips = |other: &str| strsim::osa_distance(&folded, &fold(other));
    let alike = |other: &str| fold(other).contains(&*folded) || slips(other) <= SLIPS_MAX.min(name.chars().count() / 2);
    let near = known.iter().filter(|other| alike(other)).min_by_key(|other| slips(other));
    let (zh_next, en_next) = match (near, known) {
        (Some(near), _) => (format!("。是不是“{near}”？"), format!(". Did you mean \"{near}\"?")),
        (None, []) => Default::default(),
        (None, known) if known.len() <= FEW => {
            (format!("，有 {}", known.join("、")), format!("; there is {}", known.join(", ")))
        }
        (None, _) => (format!("；{lists} 列出全部"), format!("; {lists} lists all")),
    };
    Message::new(format!("没有叫“{name}”的{zh}{zh_next}"), format!("there is no {en} \"{name}\"{en_next}"))
}
