//! The running engine as operators see it: the desk's view and the engine's counters in one status. Reads copies only.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{
    app::reload::Reloads,
    domain::{plan::Plan, text::Message, time::Timestamp},
    engine::{
        health::{self, SourceHealth},
        port::Port,
    },
    web::status::{self, Around, BrokenStatus, Counter, FaultStatus, SourceStatus, Status},
};

/// What does not change while the service runs.
#[derive(Clone, Copy, Debug)]
pub struct Fixed {
    /// When it started.
    pub started_at: Timestamp,
    /// The month's API calls.
    pub plan: Plan,
}

/// The status of an engine at `now`.
pub fn status_of(port: &Port, fixed: Fixed, reloads: &Reloads, now: Timestamp) -> Status {
    let shown = port.view();
    let Fixed { started_at, plan } = fixed;
    let rules = reloads.rules;
    let around = Around { started_at, at: now, not_ready: not_ready(port), rules, plan };
    let mut status = status::of(&shown.desk, around);
    status.rules_loaded_at = Some(reloads.loaded_at.as_ms());
    status.rules_refused = reloads.faults.iter().map(FaultStatus::from).collect();
    status.restart_for = reloads.restart_for.clone();
    for (name, health) in port.health().sources() {
        if let Some(source) = status.sources.get_mut(name.as_str()) {
            add(source, &health);
        }
    }
    status.counters.extend(counters(&port.health().counters));
    status
}

/// What the poller knows and the desk does not.
fn add(source: &mut SourceStatus, health: &SourceHealth) {
    source.polled_at = source.polled_at.max(health.complete_at.map(Timestamp::as_ms));
    source.next_poll_at = source.paused_until.max(health.next_at.map(Timestamp::as_ms));
    source.failures = health.failures;
    if let Some(failure) = &health.failure {
        source.last_failure = Some(failure.message.clone().into());
    }
    let broken = health.broken.iter().rev().map(|seen| BrokenStatus {
        id: seen.id.as_ref().map(ToString::to_string),
        reason: seen.reason.clone(),
        at: seen.at.as_ms(),
    });
    source.broken_tickets = broken.collect();
}

/// Why messages are not accepted.
fn not_ready(port: &Port) -> Vec<Message> {
    if port.is_ready() {
        return Vec::new();
    }
    if port.health().store_takes_writes() {
        return vec![Message::new("服务正在停止", "the service is stopping")];
    }
    vec![Message::new(
        "存储不可写：磁盘可能满了或坏了，见日志",
        "the store takes no writes: the disk may be full or broken, see the log",
    )]
}

/// The engine's counters, as `/metrics` names them.
pub fn counters(counted: &health::Counters) -> Vec<Counter> {
    let counter = |name, help, value: &AtomicU64| Counter::new(name, help, value.load(Ordering::Relaxed));
    vec![
        counter("inputs", "Inputs the desk handled", &counted.inputs),
        counter("pages", "Pages of tickets read", &counted.pages),
        counter("tickets_listed", "Tickets seen on pages", &counted.tickets),
        counter("tickets_decoded", "Tickets decoded; the rest was unchanged", &counted.decoded),
        counter("tickets_broken", "Tickets that could not be decoded", &counted.broken),
        counter("single_reads", "Tickets asked for by id", &counted.single_reads),
        counter("message_reads", "Tickets whose messages were asked for", &counted.message_reads),
        counter("lookups", "Lookups for people", &counted.lookups),
        counter("sends", "Sends tried", &counted.sends),
        counter("sends_failed", "Sends that did not arrive, or nobody knows", &counted.sends_failed),
        counter("heartbeats", "Heartbeats sent, arrived or not", &counted.heartbeats),
        counter("heartbeats_failed", "Heartbeats that did not arrive", &counted.heartbeats_failed),
        counter("renders_failed", "Renders that fell back to the built-in card", &counted.renders_failed),
        counter("commits", "Commits of the store", &counted.commits),
        counter("commit_writes", "Writes in them", &counted.writes),
        counter("commit_milliseconds", "Milliseconds spent in them", &counted.commit_ms),
        counter("commits_failed", "Commits that failed", &counted.commits_failed),
        counter("writes_left_out", "Writes no record could hold", &counted.writes_left_out),
    ]
}
