//! Judging one ticket: every rule that watches it, what becomes of their alerts, and when to look again.

use std::sync::Arc;

use crate::domain::{
    alert::{Alert, AlertKey, AlertState, Announced, EndReason, Line, LineOf},
    calendar::Wait,
    delivery::GIVE_UP_AFTER,
    desk::{
        life::{self, Step},
        machine::{Desk, FRESH, REFRESH_PATIENCE},
        outcome::{Effect, Write},
        state::Remains,
    },
    facts::Facts,
    id::{Subject, TicketKey},
    labels::Labels,
    notice,
    rule::{CatchUp, Rule, To},
    seen::Seen,
    text::Message,
    ticket::Ticket,
    time::{Span, Timestamp},
    verdict::{self, Answer},
    why,
};

/// Pause between two requests for one ticket's fresh data.
const REFRESH_AGAIN: Span = Span::from_secs(15);

/// Tickets of one source that are asked for one by one; more than that, and the source is read as a whole.
const REFRESH_SINGLE_MAX: usize = 50;

/// What brought a ticket before the desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// Its data just came in.
    Observed,
    /// Time went on.
    Time,
}

/// A ticket as it lies before the desk.
struct Hearing {
    subject: Subject,
    ticket: Arc<Ticket>,
    facts: Facts,
    labels: Arc<Labels>,
    as_of: Timestamp,
    /// The data may be rung on.
    fresh: bool,
    /// It was never seen before.
    first_sight: bool,
    /// Fresh data was waited for long enough.
    patience_over: bool,
    /// The source has been silent: nothing of it ends.
    silent: bool,
}

impl Hearing {
    fn seen(&self) -> Seen<'_> {
        Seen::at_rest(&self.ticket, &self.facts, &self.labels)
    }
}

impl Desk {
    /// Judges a ticket by every rule that watches it.
    pub(super) fn judge(&mut self, key: &TicketKey, cause: Cause, now: Timestamp) {
        let Some(hearing) = self.hearing(key, cause, now) else { return };
        let rules = self.rules_of.get(&key.source).cloned().unwrap_or_default();
        let alerts = self.alerts.get(&hearing.subject).cloned().unwrap_or_default();
        let (mut wants_fresh, mut due) = (false, Timestamp::NEVER);
        for rule in rules.iter() {
            let verdict = verdict::eval(&rule.when, &hearing.seen(), now);
            let before = alerts.iter().find(|alert| alert.key.rule == rule.name);
            let step = life::step(before, rule, verdict.answer, &hearing.ticket, now);
            due = due.min(verdict.valid_until);
            if must_wait(step, &hearing) {
                wants_fresh = true;
                continue;
            }
            if before.is_none() && step == Step::Stay {
                continue;
            }
            self.take_step(rule, before, step, verdict.answer, &hearing, now);
            let (waits, alert_due) = self.repeats(rule, &hearing, now);
            wants_fresh |= waits;
            due = due.min(alert_due);
        }
        due = due.min(self.ask_for_fresh(key, wants_fresh, now)).min(self.purge_at(key));
        self.await_source_if_stale(key);
        self.schedule(key, due.max(now.plus(Span::from_ms(1))));
    }

    fn hearing(&self, key: &TicketKey, cause: Cause, now: Timestamp) -> Option<Hearing> {
        let watched = self.tickets.get(key).filter(|watched| watched.tracked.gone_at.is_none())?;
        let source = self.sources.get(&key.source)?;
        let as_of = watched.tracked.asked_at.max(source.read_through.unwrap_or(Timestamp::MIN));
        Some(Hearing {
            subject: Subject::Ticket(key.clone()),
            ticket: Arc::clone(&watched.tracked.ticket),
            facts: watched.tracked.facts.clone(),
            labels: self.settings.sources.get(&key.source).map(|settings| Arc::clone(&settings.labels))?,
            as_of,
            fresh: cause == Cause::Observed || now.since(as_of) <= FRESH,
            first_sight: watched.tracked.facts.first_seen == watched.tracked.asked_at,
            patience_over: watched.refresh.is_some_and(|asked| now >= asked.plus(REFRESH_PATIENCE)),
            silent: source.is_silent(now),
        })
    }

    fn take_step(
        &mut self,
        rule: &Arc<Rule>,
        before: Option<&Alert>,
        step: Step,
        answer: Answer,
        hearing: &Hearing,
        now: Timestamp,
    ) {
        match (step, before) {
            (Step::Pend, _) => {
                self.keep_past(before);
                let alert = self.new_alert(rule, before, &hearing.subject, now);
                self.put_alert(alert);
            }
            (Step::Fire, _) => self.fire(rule, before, hearing, now),
            (Step::Drop, Some(alert)) => self.drop_pending(alert, now),
            (Step::End(reason), Some(alert)) => self.end(alert.clone(), reason, answer != Answer::No, now),
            (Step::Unlatch, Some(alert)) => self.put_alert(Alert { latched: false, ..alert.clone() }),
            (Step::Adopt, Some(alert)) => {
                self.put_alert(Alert { meaning: rule.meaning, rev: alert.rev + 1, ..alert.clone() });
                self.refresh_cards(&alert.key, now);
            }
            (Step::Stay, Some(alert)) if hearing.fresh => self.freshen(alert, now),
            (Step::Stay | Step::Drop | Step::End(_) | Step::Unlatch | Step::Adopt, _) => {}
        }
    }

    /// An alert that rang on old data and still holds on fresh data says so.
    fn freshen(&mut self, alert: &Alert, now: Timestamp) {
        if let AlertState::Firing { fired_at, stale_as_of: Some(_) } = alert.state {
            let state = AlertState::Firing { fired_at, stale_as_of: None };
            self.put_alert(Alert { state, rev: alert.rev + 1, ..alert.clone() });
            self.refresh_cards(&alert.key, now);
        }
    }

    /// An alert whose condition just began to hold; it has rung as often as the one before it.
    fn new_alert(&self, rule: &Rule, before: Option<&Alert>, subject: &Subject, now: Timestamp) -> Alert {
        let carried = before.filter(|alert| alert.is_live());
        let key = AlertKey { subject: subject.clone(), rule: rule.name.clone() };
        Alert {
            episode: before.map_or(0, |alert| alert.episode),
            severity: rule.severity,
            rev: before.map_or(0, |alert| alert.rev),
            meaning: rule.meaning,
            ..Alert::pending(key, carried.map_or(now, |alert| alert.since))
        }
    }

    fn drop_pending(&mut self, alert: &Alert, now: Timestamp) {
        let note = Message::new("还没到提醒的时候，条件已不再成立", "the condition stopped holding before it rang");
        self.journal(now, (&alert.key.subject, Some(&alert.key.rule), alert.episode), "dropped", note);
        if alert.episode == 0 {
            self.drop_alert(&alert.key);
        } else {
            let state = AlertState::Ended { fired_at: None, ended_at: now, reason: EndReason::Cleared };
            self.put_alert(Alert { state, ..alert.clone() });
        }
    }

    fn fire(&mut self, rule: &Arc<Rule>, before: Option<&Alert>, hearing: &Hearing, now: Timestamp) {
        self.keep_past(before);
        let mut alert = self.new_alert(rule, before, &hearing.subject, now);
        alert.episode += 1;
        alert.rev += 1;
        alert.state = AlertState::Firing { fired_at: now, stale_as_of: (!hearing.fresh).then_some(hearing.as_of) };
        if hearing.first_sight && rule.hold.is_none() {
            alert.since = verdict::held_since(&rule.when, &hearing.seen(), now);
        }
        alert.why = why::why_text(&rule.when, &hearing.seen(), now);
        alert.lines = lines_of(rule, now);
        let place = (&alert.key.subject, Some(&alert.key.rule), alert.episode);
        self.journal(now, place, "fired", alert.why.clone());
        self.counters.fired += 1;
        alert.announced = self.announce(rule, &alert, now);
        if alert.announced == Announced::Nobody {
            alert.lines.iter_mut().for_each(|line| line.next_at = None); // what was not told is not told again
        }
        self.put_alert(alert);
    }

    /// Tells the beginning, by card or by digest.
    fn announce(&mut self, rule: &Rule, alert: &Alert, now: Timestamp) -> Announced {
        if let Some(source) = alert.key.subject.source()
            && let Some(how) = self.catch_up(source, rule)
        {
            match how {
                CatchUp::Digest => return Announced::Digest(self.join_digest(source.clone(), alert, now)),
                CatchUp::None => return Announced::Nobody,
                CatchUp::Each => {}
            }
        }
        for line in &alert.lines {
            self.tell(alert, notice::Step::Fired, 0, &line.receiver, now);
        }
        Announced::Cards
    }

    /// Ends an alert and lets everyone who was told its beginning know.
    pub(super) fn end(&mut self, mut alert: Alert, reason: EndReason, latched: bool, now: Timestamp) {
        alert.state = AlertState::Ended { fired_at: alert.fired_at(), ended_at: now, reason };
        alert.latched = latched;
        alert.rev += 1;
        for line in &mut alert.lines {
            line.next_at = None;
        }
        let place = (&alert.key.subject, Some(&alert.key.rule), alert.episode);
        self.journal(now, place, "ended", reason.words().into());
        self.counters.ended += 1;
        let key = alert.key.clone();
        self.put_alert(alert);
        self.tell_ending(&key, now);
    }

    /// Sends the repeats that are due. Says whether they wait for fresh data, and when the alert is due next.
    fn repeats(&mut self, rule: &Rule, hearing: &Hearing, now: Timestamp) -> (bool, Timestamp) {
        let key = AlertKey { subject: hearing.subject.clone(), rule: rule.name.clone() };
        let Some(alert) = self.alert(&key) else { return (false, Timestamp::NEVER) };
        let AlertState::Firing { fired_at, .. } = alert.state else {
            let rings_at =
                Some(rule.hold.ends(alert.since)).filter(|at| alert.state == AlertState::Pending && *at > now);
            // Held long enough and still pending: nobody knows whether it holds, and time alone will not tell.
            return (false, rings_at.unwrap_or(Timestamp::NEVER));
        };
        let mut alert = alert.clone();
        let ready = hearing.fresh || hearing.patience_over;
        let (mut told, mut waits, mut due) = (Vec::new(), false, life::expires_at(rule, &hearing.ticket, fired_at));
        for line in &mut alert.lines {
            let Some(next_at) = line.next_at else { continue };
            if next_at > now {
                due = due.min(next_at);
            } else if ready {
                line.repeats += 1;
                line.next_at = next_repeat(rule, line.from, line.repeats).map(|wait| wait.ends(now));
                due = due.min(line.next_at.unwrap_or(Timestamp::NEVER));
                told.push((line.receiver.clone(), line.repeats));
            } else {
                waits = true;
            }
        }
        if !told.is_empty() {
            self.put_alert(alert.clone());
        }
        for (receiver, ordinal) in told {
            self.tell(&alert, notice::Step::Repeated, ordinal, &receiver, now);
        }
        (waits, due)
    }

    /// What rang on old data is judged again as soon as the source was read.
    fn await_source_if_stale(&mut self, key: &TicketKey) {
        let stale = |alert: &Alert| matches!(alert.state, AlertState::Firing { stale_as_of: Some(_), .. });
        let rang_stale = self.alerts.get(&Subject::Ticket(key.clone())).is_some_and(|alerts| alerts.iter().any(stale));
        if rang_stale && let Some(source) = self.sources.get_mut(&key.source) {
            source.waiting.insert(key.clone());
        }
    }

    /// Asks the source for the ticket, or for all that changed, and says when to look again.
    fn ask_for_fresh(&mut self, key: &TicketKey, wants_fresh: bool, now: Timestamp) -> Timestamp {
        if !wants_fresh {
            self.no_longer_waits(key);
            return Timestamp::NEVER;
        }
        let Some(watched) = self.tickets.get_mut(key) else { return Timestamp::NEVER };
        let Some(source) = self.sources.get_mut(&key.source) else { return Timestamp::NEVER };
        let asked = *watched.refresh.get_or_insert(now);
        source.waiting.insert(key.clone());
        match source.waiting.len() {
            _ if source.is_paused(now) => {} // no call would be answered
            count if count <= REFRESH_SINGLE_MAX => self.effect(Effect::ReadTicket(key.clone())),
            count if count == REFRESH_SINGLE_MAX + 1 => self.effect(Effect::ReadSource(key.source.clone())),
            _ => {}
        }
        let (again, patience_ends) = (now.plus(REFRESH_AGAIN), asked.plus(REFRESH_PATIENCE));
        if patience_ends > now { again.min(patience_ends) } else { again }
    }

    /// The ticket waits for fresh data no longer.
    pub(super) fn no_longer_waits(&mut self, key: &TicketKey) {
        if let Some(watched) = self.tickets.get_mut(key)
            && watched.refresh.take().is_some()
            && let Some(source) = self.sources.get_mut(&key.source)
        {
            source.waiting.remove(key);
        }
    }

    /// Puts the ticket into the queue at the instant something may change.
    pub(super) fn schedule(&mut self, key: &TicketKey, at: Timestamp) {
        let Some(watched) = self.tickets.get_mut(key) else { return };
        if watched.due_at == at {
            return;
        }
        if !watched.due_at.is_never() {
            self.due.remove(&(watched.due_at, key.clone()));
        }
        watched.due_at = at;
        if !at.is_never() {
            self.due.insert((at, key.clone()));
        }
    }

    /// When a ticket that is gone, or closed without a live alert, is no longer kept.
    pub(super) fn purge_at(&self, key: &TicketKey) -> Timestamp {
        let Some(watched) = self.tickets.get(key) else { return Timestamp::NEVER };
        if let Some(gone_at) = watched.tracked.gone_at {
            return gone_at.plus(GIVE_UP_AFTER); // by then its cards show the ending
        }
        let ticket = &watched.tracked.ticket;
        if ticket.is_closed() != Some(true) || self.rings(key) {
            return Timestamp::NEVER;
        }
        let closed_at =
            ticket.closed_at.present().copied().or(ticket.last_moved_at()).unwrap_or(watched.tracked.asked_at);
        closed_at.max(watched.tracked.facts.first_seen).plus(self.settings.retention)
    }

    /// Lets a ticket go, leaving what a returning one is told by.
    pub(super) fn purge(&mut self, key: &TicketKey) {
        let Some(watched) = self.tickets.remove(key) else { return };
        self.count(&key.source, Some(&watched.tracked.ticket), None);
        self.due.remove(&(watched.due_at, key.clone()));
        if let Some(source) = self.sources.get_mut(&key.source) {
            source.waiting.remove(key);
        }
        let alerts = self.alerts.remove(&Subject::Ticket(key.clone())).unwrap_or_default();
        let remains = Remains {
            key: key.clone(),
            status: watched.tracked.ticket.status.present().copied(),
            reopened_count: watched.tracked.facts.reopened_count,
            episodes: alerts.iter().map(|alert| (alert.key.rule.clone(), alert.episode)).collect(),
        };
        self.write(Write::Purge(Box::new(remains.clone())));
        self.remains.insert(key.clone(), remains);
    }
}

/// What rings, or ends because its condition is no, wants fresh data first, and rings without after a while. While
/// the source is silent nothing ends by time, not even what has expired.
fn must_wait(step: Step, hearing: &Hearing) -> bool {
    if hearing.fresh {
        return false;
    }
    match step {
        Step::End(_) if hearing.silent => true,
        Step::Fire | Step::End(EndReason::Cleared | EndReason::RuleChanged) => !hearing.patience_over,
        _ => false,
    }
}

fn lines_of(rule: &Rule, now: Timestamp) -> Vec<Line> {
    let line = |(at, notify): (usize, &crate::domain::rule::Notify)| {
        let To::Receiver(receiver) = &notify.to else { return None };
        let from = LineOf::notify(at);
        let next_at = next_repeat(rule, from, 0).map(|wait| wait.ends(now));
        Some(Line { receiver: receiver.clone(), repeats: 0, next_at, from })
    };
    rule.notify.iter().enumerate().filter_map(line).collect()
}

/// The wait before the repeat after `repeats` repeats; the last wait of the list goes on.
fn next_repeat(rule: &Rule, from: LineOf, repeats: u32) -> Option<&Wait> {
    let LineOf::Notify(at) = from else { return None };
    let notify = rule.notify.get(usize::try_from(at).ok()?)?;
    if repeats >= notify.repeat_max {
        return None;
    }
    let index = usize::try_from(repeats).unwrap_or(usize::MAX);
    notify.repeat.get(index).or(notify.repeat.last())
}
