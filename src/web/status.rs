//! The service as operators see it: the desk's view in the shape of `GET /api/v1/status`. Instants are milliseconds since
//! the Unix epoch.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{
    desk::{
        state::Lane,
        view::{Counters, DeadView, SourceView, View, WaitingView},
    },
    fault::Fault,
    plan::Plan,
    text::{Locale, Message},
    time::Timestamp,
};

/// The service as operators see it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// The version.
    pub version: String,
    /// When it started.
    pub started_at: i64,
    /// When this was true.
    pub at: i64,
    /// Why it is not ready; empty when it is.
    pub not_ready: Vec<Sentence>,
    /// Rules in force.
    pub rules: usize,
    /// When they were loaded.
    #[serde(default)]
    pub rules_loaded_at: Option<i64>,
    /// Why what stands on disk now is not in force; empty when it is.
    #[serde(default)]
    pub rules_refused: Vec<FaultStatus>,
    /// Parts of the configuration that were changed and wait for a restart.
    #[serde(default)]
    pub restart_for: Vec<String>,
    /// API calls a month; absent where there is no limit. All apps of the tenant share them.
    pub calls_per_month: Option<u64>,
    /// The sources, by name.
    pub sources: BTreeMap<String, SourceStatus>,
    /// Alerts that hold, but not yet for long enough.
    pub alerts_pending: usize,
    /// Of those that ring, the ones that someone works on.
    #[serde(default)]
    pub alerts_taken: usize,
    /// Silences in force.
    #[serde(default)]
    pub silences: usize,
    /// Storms under way.
    #[serde(default)]
    pub storms: usize,
    /// Alerts that ring, per rule.
    pub alerts_firing: BTreeMap<String, usize>,
    /// Notices that wait, per lane.
    pub outbox: BTreeMap<String, usize>,
    /// Of them those that were tried in vain.
    pub outbox_failing: usize,
    /// The notice that waits longest.
    pub outbox_oldest: Option<WaitingStatus>,
    /// Messages accepted and not answered.
    pub inbox: usize,
    /// Notices that cannot be delivered.
    pub dead_letters_total: usize,
    /// The latest of them.
    pub dead_letters: Vec<DeadLetterStatus>,
    /// How the long connection stands; absent where none is held.
    #[serde(default)]
    pub long_connection: Option<LongConnectionStatus>,
    /// What was done since the start.
    pub counters: Vec<Counter>,
}

/// How the long connection stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LongConnectionStatus {
    /// `up`, `opening`, `waiting` for the next attempt, or `ended`.
    pub state: String,
    /// Since when it is up, or down.
    pub since: i64,
    /// When it is tried next.
    pub next_at: Option<i64>,
    /// Its name at the platform, for its support.
    pub device: String,
    /// Times it stood.
    pub connects: u64,
    /// Attempts that failed since it stood last.
    pub failures: u32,
    /// When the platform answered a ping last.
    pub pong_at: Option<i64>,
    /// Why it is down, or was last, and what to do.
    pub last_failure: Option<Sentence>,
    /// Events taken.
    pub taken: u64,
    /// Events that could not be stored; the platform sends them again.
    pub refused: u64,
    /// Frames that could not be read, and parts that never came together.
    pub odd: u64,
}

impl LongConnectionStatus {
    /// Whether it stands.
    pub fn is_up(&self) -> bool {
        self.state == "up"
    }
}

/// A sentence in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sentence {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Sentence {
    /// The sentence in `locale`.
    pub fn get(&self, locale: Locale) -> &str {
        match locale {
            Locale::Zh => &self.zh,
            Locale::En => &self.en,
        }
    }
}

impl From<Message> for Sentence {
    fn from(message: Message) -> Self {
        Self { zh: message.zh, en: message.en }
    }
}

/// A fault in what people wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FaultStatus {
    /// Where.
    pub place: String,
    /// What is wrong.
    pub message: Sentence,
}

impl From<&Fault> for FaultStatus {
    fn from(fault: &Fault) -> Self {
        Self { place: fault.place.to_string(), message: fault.message.clone().into() }
    }
}

/// One source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceStatus {
    /// Tickets under watch.
    pub tracked: usize,
    /// Of them open.
    pub open: usize,
    /// Everything up to here was read.
    pub cursor: Option<i64>,
    /// When the last complete poll began.
    pub polled_at: Option<i64>,
    /// When it is polled next.
    pub next_poll_at: Option<i64>,
    /// Whether it is silent.
    pub silent: bool,
    /// No polling before this instant.
    pub paused_until: Option<i64>,
    /// API calls this month.
    pub calls_this_month: u64,
    /// Tickets of the last pass that could not be decoded.
    pub broken: u32,
    /// The last tickets that could not be decoded, the latest first.
    pub broken_tickets: Vec<BrokenStatus>,
    /// Polls that failed since the last complete one.
    pub failures: u32,
    /// What the last failed one said, and what to do.
    pub last_failure: Option<Sentence>,
}

/// A ticket that could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BrokenStatus {
    /// Its id, where even that could be read.
    pub id: Option<String>,
    /// What is wrong with it.
    pub reason: String,
    /// When it was asked for.
    pub at: i64,
}

/// A notice that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WaitingStatus {
    /// Whom it tells.
    pub receiver: String,
    /// The rule, or the name of deskbell's own trouble.
    pub rule: String,
    /// When it was decided.
    pub decided_at: i64,
    /// Not before this instant.
    pub not_before: i64,
    /// Attempts made.
    pub attempts: u32,
    /// What the last one said.
    pub last_error: Option<Sentence>,
}

impl From<&WaitingView> for WaitingStatus {
    fn from(view: &WaitingView) -> Self {
        Self {
            receiver: view.receiver.clone(),
            rule: view.rule.clone(),
            decided_at: view.decided_at.as_ms(),
            not_before: view.not_before.as_ms(),
            attempts: view.attempts,
            last_error: view.last_error.clone().map(Sentence::from),
        }
    }
}

/// A notice that cannot be delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadLetterStatus {
    /// Whom it would have told.
    pub receiver: String,
    /// The rule, or the name of deskbell's own trouble.
    pub rule: String,
    /// When it was given up.
    pub at: i64,
    /// Why.
    pub reason: Sentence,
}

impl From<&DeadView> for DeadLetterStatus {
    fn from(view: &DeadView) -> Self {
        let DeadView { receiver, rule, at, reason } = view.clone();
        Self { receiver, rule, at: at.as_ms(), reason: reason.into() }
    }
}

/// A counter since the start.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct Counter {
    /// Its name in `/metrics`, without the prefix.
    pub name: String,
    /// What it counts.
    pub help: String,
    /// The label's name and value, where there is one.
    pub label: Option<(String, String)>,
    /// The count.
    pub value: u64,
}

impl Counter {
    /// A counter without a label.
    pub fn new(name: &str, help: &str, value: u64) -> Self {
        Self { name: name.to_string(), help: help.to_string(), label: None, value }
    }

    /// One of a family of counters.
    pub fn labelled(name: &str, help: &str, label: (&str, &str), value: u64) -> Self {
        Self { label: Some((label.0.to_string(), label.1.to_string())), ..Self::new(name, help, value) }
    }
}

/// What a status says besides the desk's view.
#[derive(Clone, Debug)]
pub struct Around {
    /// When the service started.
    pub started_at: Timestamp,
    /// When the view was made.
    pub at: Timestamp,
    /// Why it is not ready.
    pub not_ready: Vec<Message>,
    /// Rules in force.
    pub rules: usize,
    /// The month's API calls.
    pub plan: Plan,
}

/// The status of a view.
pub fn of(view: &View, around: Around) -> Status {
    Status {
        version: env!("CARGO_PKG_VERSION").to_string(),
        started_at: around.started_at.as_ms(),
        at: around.at.as_ms(),
        not_ready: around.not_ready.into_iter().map(Sentence::from).collect(),
        rules: around.rules,
        rules_loaded_at: None,
        rules_refused: Vec::new(),
        restart_for: Vec::new(),
        long_connection: None,
        calls_per_month: around.plan.monthly(),
        sources: view.sources.iter().map(|(name, source)| (name.to_string(), source_status(source))).collect(),
        alerts_pending: view.pending,
        alerts_taken: view.taken,
        silences: view.silences,
        storms: view.storms,
        alerts_firing: view.firing.iter().map(|(rule, count)| (rule.to_string(), *count)).collect(),
        outbox: view.outbox.iter().map(|(lane, count)| (lane_name(*lane).to_string(), *count)).collect(),
        outbox_failing: view.outbox_failing,
        outbox_oldest: view.outbox_oldest.as_ref().map(WaitingStatus::from),
        inbox: view.inbox,
        dead_letters_total: view.dead,
        dead_letters: view.dead_letters.iter().map(DeadLetterStatus::from).collect(),
        counters: counters(&view.counters),
    }
}

/// The word of a lane.
pub const fn lane_name(lane: Lane) -> &'static str {
    match lane {
        Lane::Answers => "answers",
        Lane::Critical => "critical",
        Lane::Alerts => "alerts",
        Lane::Updates => "updates",
    }
}

fn source_status(view: &SourceView) -> SourceStatus {
    SourceStatus {
        tracked: view.tracked,
        open: view.open,
        cursor: view.cursor.map(Timestamp::as_ms),
        polled_at: view.cursor.map(Timestamp::as_ms),
        next_poll_at: None,
        silent: view.silent,
        paused_until: view.paused_until.map(Timestamp::as_ms),
        calls_this_month: view.calls,
        broken: view.broken,
        broken_tickets: Vec::new(),
        failures: 0,
        last_failure: view.last_failure.clone().map(Sentence::from),
    }
}

fn counters(counted: &Counters) -> Vec<Counter> {
    let mut all = vec![
        Counter::new("tickets_observed", "Tickets taken in decoded", counted.observed),
        Counter::new("tickets_unchanged", "Tickets shown with the bytes of before", counted.unchanged),
        Counter::new("tickets_changed", "Tickets that changed", counted.changed),
        Counter::new("tickets_overtaken", "Observations older than what was known", counted.overtaken),
        Counter::new("ticket_reads_failed", "Single reads that failed", counted.reads_failed),
        Counter::new("alerts_fired", "Alerts that rang", counted.fired),
        Counter::new("alerts_digested", "Times a digest told of an alert in a storm", counted.digested),
        Counter::new("alerts_ended", "Alerts that ended after ringing", counted.ended),
        Counter::new("notices_dropped", "Notices not due any more before they were sent", counted.dropped),
        Counter::new("notices_dead", "Notices given up", counted.dead),
        Counter::new("questions", "Questions of people", counted.questions),
        Counter::new("questions_denied", "Questions from where one may not ask", counted.denied),
        Counter::new(
            "questions_unanswered",
            "Questions beyond what one person may ask in a minute",
            counted.unanswered,
        ),
        Counter::new("ticket_events", "Events that told of a ticket", counted.news),
        Counter::new("messages_redelivered", "Messages delivered to us again", counted.redelivered),
        Counter::new("troubles", "Own troubles", counted.troubles),
        Counter::new("handovers", "Handovers told when people on call change", counted.handovers),
    ];
    let sent = "Notices delivered, by what they told";
    let failed = "Failed attempts to deliver, by kind";
    all.extend(
        counted
            .delivered
            .iter()
            .map(|(step, count)| Counter::labelled("notices_delivered", sent, ("step", step.name()), *count)),
    );
    all.extend(
        counted
            .failed
            .iter()
            .map(|(kind, count)| Counter::labelled("attempts_failed", failed, ("kind", kind.name()), *count)),
    );
    all
}
