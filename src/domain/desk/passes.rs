//! The ends of passes: cursor, freshness, what vanished, and sources that fall silent.

use crate::domain::{
    alert::{Alert, AlertKey, AlertState, Announced, EndReason, Line, LineOf},
    delivery::QUOTA_WAIT,
    desk::{
        hearing::Cause,
        input::{PassEnded, PassFailure, PassKind},
        machine::{Desk, Source},
        outcome::{Effect, Write},
    },
    id::{RuleName, SourceName, Subject, TicketKey},
    notice::{self, DigestCause},
    plan,
    rule::{REFIRE_WINDOW_DEFAULT, Severity},
    text::Message,
    time::{Span, Timestamp, Zone},
};

/// The built-in alert of a source that falls silent.
pub(super) const SOURCE_SILENT: &str = "deskbell.source_silent";

/// Intervals without a complete poll after which a source is silent.
const SILENT_INTERVALS: i64 = 3;

/// More than this many tickets, and more than this share of the open ones, vanishing at once are a fault of the
/// source, not of the tickets.
const VANISH_MAX: usize = 10;
const VANISH_PERCENT_MAX: usize = 5;

/// An interruption shorter than this needs no catching up.
const GAP_MIN: Span = Span::from_mins(5);

impl Source {
    /// When the source counts as silent, if no poll is complete before. A schedule may rest, at night say: then the
    /// intervals count from where the next poll would have followed without a rest.
    fn silent_at(&self) -> Timestamp {
        let paused = self.state.paused_until.unwrap_or(Timestamp::MIN);
        self.polled_at.max(paused).max(self.rests_until()).plus(self.every.times(SILENT_INTERVALS))
    }

    /// One interval before the next poll.
    fn rests_until(&self) -> Timestamp {
        self.next_poll.minus(self.every)
    }

    /// Whether nothing may be asked because the month's calls are used up.
    pub(super) fn is_paused(&self, now: Timestamp) -> bool {
        self.state.paused_until.is_some_and(|until| until > now)
    }

    /// Whether its polls keep up, so that one ticket more or less is no news of a longer time: neither its first reading
    /// nor a downtime is being made up for.
    pub(super) fn keeps_up(&self, now: Timestamp) -> bool {
        let gap = GAP_MIN.max(self.every.times(SILENT_INTERVALS));
        let is_near = |read: Timestamp| now.since(read.max(self.rests_until())) <= gap;
        self.read_through.is_some_and(is_near) && self.catching_up.is_none() && !self.is_paused(now)
    }

    /// Whether no poll was complete for three intervals.
    pub(super) fn is_silent(&self, now: Timestamp) -> bool {
        now > self.silent_at()
    }

    /// When a tick must look at the source.
    pub(super) fn next_due(&self) -> Timestamp {
        let digest = self.catching_up.as_ref().map_or(Timestamp::NEVER, |catching| catching.flush_at());
        let silence = if self.told_silent { Timestamp::NEVER } else { self.silent_at().plus(Span::from_ms(1)) };
        digest.min(silence)
    }
}

impl Desk {
    /// Before a page of a pass: was the source, or were we, away for long?
    pub(super) fn begin_catching_up(&mut self, name: &SourceName, pass: u64, asked_at: Timestamp) {
        let Some(source) = self.sources.get_mut(name) else { return };
        let cause = match source.state.cursor {
            None => DigestCause::Baseline,
            Some(cursor) => {
                let gap = asked_at.since(cursor.max(source.rests_until()));
                if gap <= GAP_MIN.max(source.every.times(SILENT_INTERVALS)) {
                    return;
                }
                DigestCause::Downtime
            }
        };
        source.catching_up.get_or_insert_default().note_gap(cause, pass, asked_at);
    }

    pub(super) fn pass_ended(&mut self, ended: PassEnded, now: Timestamp) {
        let zone = self.settings.zone;
        let Some(source) = self.sources.get_mut(&ended.source) else { return };
        source.every = ended.every;
        source.broken = ended.broken;
        source.state.pass = source.state.pass.max(ended.pass);
        count_calls(source, ended.calls, zone, now);
        match &ended.result {
            Ok(()) => self.pass_complete(&ended, now),
            Err(failure) => self.pass_failed(&ended.source, failure, now),
        }
        if let Some(source) = self.sources.get(&ended.source) {
            let state = Box::new(source.state.clone());
            self.write(Write::Source(state));
        }
    }

    fn pass_complete(&mut self, ended: &PassEnded, now: Timestamp) {
        let Some(source) = self.sources.get_mut(&ended.source) else { return };
        let first = source.state.cursor.is_none();
        source.last_failure = None;
        source.state.paused_until = None;
        source.polled_at = source.polled_at.max(ended.started_at);
        source.next_poll = ended.next_poll;
        if ended.kind == PassKind::Increment || first {
            let cursor = source.state.cursor.unwrap_or(Timestamp::MIN).max(ended.started_at);
            source.state.cursor = Some(cursor);
            source.read_through = source.read_through.max(Some(ended.started_at));
        }
        if ended.kind == PassKind::Sweep {
            source.state.swept_at = Some(ended.started_at);
            if !first {
                self.look_for_vanished(ended, now);
            }
        }
        self.judge_again(ended, now);
        self.source_speaks(&ended.source, now);
        self.finish_digest(&ended.source, now);
        if first || ended.kind == PassKind::Increment {
            self.touch_groups();
        }
        self.remember_meanings();
        self.announce_if_judged(now);
    }

    /// Judges what waited for this pass; every ticket, if rules changed.
    fn judge_again(&mut self, ended: &PassEnded, now: Timestamp) {
        let Some(source) = self.sources.get_mut(&ended.source) else { return };
        let waiting = std::mem::take(&mut source.waiting);
        if std::mem::take(&mut source.rejudge) {
            let all = self.tickets.keys().filter(|key| key.source == ended.source);
            for key in all.cloned().collect::<Vec<_>>() {
                self.judge(&key, &Cause::Observed(None), now);
            }
            return;
        }
        // A long sweep may have shown a ticket minutes ago: then it is asked for once more.
        let cause = if ended.kind == PassKind::Increment { Cause::Observed(None) } else { Cause::Time };
        for key in waiting {
            self.judge(&key, &cause, now);
        }
    }

    /// What a complete sweep should have shown and did not is asked for by id: what is open, and what rings and closed
    /// within the time the sweep reads.
    fn look_for_vanished(&mut self, ended: &PassEnded, now: Timestamp) {
        let closed_within = self.scopes.get(&ended.source).and_then(|scope| scope.closed_within);
        let closed_since = closed_within.map(|within| ended.started_at.minus(within));
        let mut watching = 0;
        let mut vanished = Vec::new();
        for (key, watched) in &self.tickets {
            let tracked = &watched.tracked;
            let promised = match tracked.ticket.is_closed() {
                Some(false) => true,
                Some(true) => {
                    tracked.ticket.last_moved_at() >= closed_since && closed_since.is_some() && self.rings(key)
                }
                None => false, // no filter asks for a status nobody knows
            };
            if key.source != ended.source || tracked.gone_at.is_some() || !promised {
                continue;
            }
            watching += 1;
            if watched.seen_pass < ended.pass && tracked.asked_at < ended.started_at {
                vanished.push(key.clone());
            }
        }
        if vanished.len() > VANISH_MAX && vanished.len() * 100 > watching * VANISH_PERCENT_MAX {
            let (name, count) = (&ended.source, vanished.len());
            let message = Message::new(
                format!(
                    "{name}：一次少了 {count} 张工单（共关注 {watching} 张），像是服务台或权限出了问题；没有结束任何提醒。请运行 deskbell doctor"
                ),
                format!(
                    "{name}: {count} of {watching} tickets under watch vanished at once, which looks like a fault of the helpdesk or of permissions; no alert was ended. Run deskbell doctor"
                ),
            );
            self.trouble("tickets_vanished", message, now);
            return;
        }
        for key in vanished {
            self.effect(Effect::ReadTicket(key));
        }
    }

    /// Whether an alert of the ticket is live.
    pub(super) fn rings(&self, key: &TicketKey) -> bool {
        self.alerts.get(&Subject::Ticket(key.clone())).is_some_and(|alerts| alerts.iter().any(Alert::is_live))
    }

    fn pass_failed(&mut self, name: &SourceName, failure: &PassFailure, now: Timestamp) {
        let Some(source) = self.sources.get_mut(name) else { return };
        source.last_failure = Some(failure.message.clone());
        if failure.quota {
            source.state.paused_until = Some(now.plus(QUOTA_WAIT));
            self.trouble("quota", failure.message.clone(), now);
        } else if failure.setup {
            self.trouble("source_setup", failure.message.clone(), now);
        }
    }

    pub(super) fn read_failed(&mut self, key: &TicketKey, failure: PassFailure, now: Timestamp) {
        self.counters.reads_failed += 1;
        if failure.quota {
            self.pass_failed(&key.source, &failure, now);
            if let Some(source) = self.sources.get(&key.source) {
                let state = Box::new(source.state.clone());
                self.write(Write::Source(state));
            }
        } else if let Some(source) = self.sources.get_mut(&key.source) {
            source.last_failure = Some(failure.message);
        }
    }

    /// Raises the source watch.
    pub(super) fn source_falls_silent(&mut self, name: &SourceName, now: Timestamp) {
        let Some(source) = self.sources.get_mut(name) else { return };
        source.told_silent = true;
        let (since, failure) = (source.polled_at, source.last_failure.clone());
        let clock = self.settings.zone.minute(since);
        let said = failure.unwrap_or_else(|| Message::new("没有收到任何答复", "no answer at all"));
        let why = Message::new(
            format!(
                "{name} 从 {clock} 起没有完整读取过：{}。期间到时的提醒照常发出并注明数据时间，一条也不会结束",
                said.zh
            ),
            format!(
                "{name} has not been read completely since {clock}: {}. Alerts due by time still ring, marked with the time of their data; none ends",
                said.en
            ),
        );
        let subject = Subject::Source(name.clone());
        let key = AlertKey { subject, rule: RuleName::from(SOURCE_SILENT) };
        let before = self.alert(&key).cloned();
        if before.as_ref().is_some_and(Alert::is_firing) {
            return;
        }
        let operations = self.settings.operations.clone();
        let lines = operations.map(|receiver| Line::new(receiver, LineOf::Nothing)).into_iter().collect();
        let alert = Alert {
            episode: before.as_ref().map_or(0, |alert| alert.episode) + 1,
            state: AlertState::Firing { fired_at: now, stale_as_of: None },
            severity: Severity::Critical,
            why: why.clone(),
            announced: Announced::Cards,
            lines,
            rev: before.as_ref().map_or(0, |alert| alert.rev) + 1,
            ..Alert::pending(key, since)
        };
        self.reopen(before.as_ref(), &alert, REFIRE_WINDOW_DEFAULT, now);
        self.journal(now, (&alert.key.subject, Some(&alert.key.rule), alert.episode), "fired", why);
        self.keep_past(before.as_ref());
        self.put_alert(alert.clone());
        for line in &alert.lines {
            self.tell(&alert, notice::Step::Fired, 0, &line.receiver, now);
        }
        self.refresh_cards(&alert.key, now); // those that were opened again
    }

    fn source_speaks(&mut self, name: &SourceName, now: Timestamp) {
        if let Some(source) = self.sources.get_mut(name) {
            if source.is_silent(now) {
                return; // the poll that is complete began long ago: the next one shows whether it is back
            }
            source.told_silent = false;
        }
        let key = AlertKey { subject: Subject::Source(name.clone()), rule: RuleName::from(SOURCE_SILENT) };
        if let Some(alert) = self.alert(&key).filter(|alert| alert.is_firing()).cloned() {
            self.end(alert, EndReason::Cleared, false, now);
        }
    }
}

/// Counts the month's calls, beginning anew with each month of the configured zone.
fn count_calls(source: &mut Source, calls: u32, zone: Zone, now: Timestamp) {
    let month = plan::month(now, zone);
    if source.state.calls_month != month {
        source.state.calls_month = month;
        source.state.calls = 0;
    }
    source.state.calls += u64::from(calls);
}
