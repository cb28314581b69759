//! Judging one ticket: every rule that watches it, what becomes of their alerts, and when to look again.

use crate::domain::{
    alert::{Alert, AlertState, EndReason},
    delivery::GIVE_UP_AFTER,
    desk::{
        hearing::{Cause, Hearing},
        ladder::Outlook,
        life::{self, Step},
        machine::{Desk, Duty, REFRESH_PATIENCE},
        outcome::{Effect, Write},
        state::{LastEpisode, Remains},
    },
    facts::Facts,
    id::{Subject, TicketKey},
    rule::{Rule, RuleKind, Until},
    seen::{Event, Seen},
    ticket::Known,
    time::{Span, Timestamp},
    verdict::{self, Answer, Verdict},
};

/// Pause between two requests for one ticket's fresh data.
const REFRESH_AGAIN: Span = Span::from_secs(15);

/// Pause between two requests for what was said on a ticket, where the first came to nothing.
const MESSAGES_AGAIN: Span = Span::from_mins(1);

/// Tickets of one source that are asked for one by one; more than that, and the source is read as a whole.
const REFRESH_SINGLE_MAX: usize = 50;

impl Desk {
    /// Judges a ticket by every rule that watches it.
    pub(super) fn judge(&mut self, key: &TicketKey, cause: &Cause, now: Timestamp) {
        self.hush.note(cause, &self.settings.inhibits);
        let Some(mut hearing) = self.hearing(key, cause, now) else { return };
        let duties = self.duties.get(&key.source).cloned().unwrap_or_default();
        let mut outlook = Outlook::clear();
        for duty in duties.iter() {
            hearing.turn_to(duty);
            match &duty.rule.kind {
                RuleKind::Count(count) => {
                    let verdict = self.note_in_tally(&duty.rule, count, &hearing, now);
                    outlook.at(verdict.valid_until);
                    outlook.wants_messages |=
                        duty.needs_messages && talk_decides(duty, false, verdict.answer, &hearing, now);
                }
                RuleKind::Ticket | RuleKind::Sla(_) => self.judge_by(duty, &hearing, &mut outlook, now),
            }
        }
        let messages_due = self.ask_for_messages(key, outlook.wants_messages, now);
        let fresh_due = self.ask_for_fresh(key, outlook.wants_fresh, hearing.snapshot_fresh, now);
        let due = outlook.due.min(messages_due).min(fresh_due).min(self.purge_at(key));
        self.await_source_if_stale(key);
        self.schedule(key, due.max(now.plus(Span::from_ms(1))));
    }

    fn judge_by(&mut self, duty: &Duty, hearing: &Hearing, outlook: &mut Outlook, now: Timestamp) {
        let rule = &duty.rule;
        let before = self.alert_of(rule, &hearing.subject);
        let live = before.is_some_and(Alert::is_live);
        let Some(verdict) = verdict_of(duty, live, hearing, now) else { return };
        let over = over_of(rule, live, hearing, now);
        let step = life::step(before, rule, verdict.answer, over.answer, hearing.ticket(), now);
        outlook.at(verdict.valid_until.min(over.valid_until));
        outlook.wants_messages |= duty.needs_messages && talk_decides(duty, live, verdict.answer, hearing, now);
        if Duty::must_wait(step, hearing) {
            outlook.wants_fresh = true;
            outlook.wants_messages |= duty.needs_messages && !hearing.talk_fresh;
            return;
        }
        if step == Step::Stay && !live {
            return;
        }
        let before = before.cloned();
        self.take_step(rule, before.as_ref(), step, verdict.answer, hearing, now);
        let Some(alert) = self.alert_of(rule, &hearing.subject) else { return };
        if alert.trial && alert.is_firing() && !duty.trial {
            let alert = alert.clone();
            self.switch_on(rule, &alert, hearing, now);
        }
        let Some(key) = self.alert_of(rule, &hearing.subject).map(|alert| alert.key.clone()) else { return };
        self.attend(rule, &key, hearing, outlook, now);
        outlook.wants_messages |= outlook.wants_fresh && duty.needs_messages && !hearing.talk_fresh;
    }

    /// Asks for what was said on the ticket, and says when to look again.
    fn ask_for_messages(&mut self, key: &TicketKey, wanted: bool, now: Timestamp) -> Timestamp {
        let Some(watched) = self.tickets.get_mut(key).filter(|_| wanted) else { return Timestamp::NEVER };
        let paused = self.sources.get(&key.source).is_some_and(|source| source.is_paused(now));
        match watched.talk.asked_at {
            Some(asked) if now < asked.plus(MESSAGES_AGAIN) => asked.plus(MESSAGES_AGAIN),
            _ if paused => now.plus(MESSAGES_AGAIN),
            _ => {
                watched.talk.asked_at = Some(now);
                self.effect(Effect::ReadMessages(key.clone()));
                now.plus(MESSAGES_AGAIN)
            }
        }
    }

    /// What rang on old data is judged again as soon as the source was read.
    fn await_source_if_stale(&mut self, key: &TicketKey) {
        let stale = |alert: &Alert| matches!(alert.state, AlertState::Firing { stale_as_of: Some(_), .. });
        let rang_stale = self.alerts.get(&Subject::Ticket(key.clone())).is_some_and(|alerts| alerts.iter().any(stale));
        if rang_stale && let Some(source) = self.sources.get_mut(&key.source) {
            source.waiting.insert(key.clone());
        }
    }

    /// Asks the source for the ticket, or for all that changed, unless only what was said on it is too old, and says
    /// when to look again.
    fn ask_for_fresh(&mut self, key: &TicketKey, wants_fresh: bool, is_fresh: bool, now: Timestamp) -> Timestamp {
        if !wants_fresh {
            self.no_longer_waits(key);
            return Timestamp::NEVER;
        }
        let Some(watched) = self.tickets.get_mut(key) else { return Timestamp::NEVER };
        let Some(source) = self.sources.get_mut(&key.source) else { return Timestamp::NEVER };
        let asked = *watched.refresh.get_or_insert(now);
        if !is_fresh {
            source.waiting.insert(key.clone());
        }
        match source.waiting.len() {
            _ if is_fresh || source.is_paused(now) => {} // it need not be asked for, or no call would be answered
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
        self.leave_tallies(key);
        let alerts = self.alerts.remove(&Subject::Ticket(key.clone())).unwrap_or_default();
        for alert in &alerts {
            self.members.forget(alert);
            self.index.forget_former(alert);
            self.index.forget(alert, self.past.contains_key(&(alert.key.clone(), alert.episode)));
        }
        let remains = Remains {
            key: key.clone(),
            status: watched.tracked.ticket.status.present().copied(),
            reopened_count: watched.tracked.facts.reopened_count,
            episodes: alerts.iter().map(last_episode).collect(),
        };
        self.write(Write::Purge(Box::new(remains.clone())));
        self.remains.insert(key.clone(), remains);
    }
}

impl Duty {
    /// What rings, or ends because its condition is no, wants fresh data first, and rings without after a while. While
    /// the source is silent nothing ends by time, not even what has expired.
    pub(super) fn must_wait(step: Step, hearing: &Hearing) -> bool {
        if hearing.fresh {
            return false;
        }
        match step {
            Step::End(_) if hearing.silent => true,
            Step::Fire | Step::End(EndReason::Cleared | EndReason::RuleChanged | EndReason::UntilMet) => {
                !hearing.patience_over
            }
            _ => false,
        }
    }
}

/// What a rule says of a ticket; nothing where an event rule is asked and nothing happened.
fn verdict_of(duty: &Duty, live: bool, hearing: &Hearing, now: Timestamp) -> Option<Verdict> {
    let seen = hearing.seen()?;
    let event = match (duty.is_event, live) {
        (true, true) => Event::Held,
        (true, false) => match hearing.event() {
            Event::None => return None,
            event => event,
        },
        (false, _) => Event::None,
    };
    Some(judge_rule(&duty.rule, &seen.after(event), now))
}

/// What a rule that is no counting rule says of a ticket.
pub(super) fn judge_rule(rule: &Rule, seen: &Seen<'_>, now: Timestamp) -> Verdict {
    let holds = verdict::eval(&rule.when, seen, now);
    match (&rule.kind, rule.ladder.first()) {
        (RuleKind::Sla(sla), Some(first)) => Verdict::both(holds, sla.reached(first, seen, now)),
        _ => holds,
    }
}

/// Whether what `until` asks for holds.
fn over_of(rule: &Rule, live: bool, hearing: &Hearing, now: Timestamp) -> Verdict {
    match (&rule.until, hearing.seen()) {
        (Until::Holds(until), Some(seen)) if live => verdict::eval(until, &seen, now),
        _ => Verdict::lasting(Answer::No),
    }
}

/// Whether what was said decides the rule's answer and must be asked for: it is not known, or the ticket just changed.
fn talk_decides(duty: &Duty, live: bool, answer: Answer, hearing: &Hearing, now: Timestamp) -> bool {
    let Some(seen) = hearing.seen() else { return false };
    let unknown = seen.facts.conversation.is_unknown();
    if hearing.talk_fresh || (!hearing.talk_behind && !unknown) {
        return false;
    }
    if unknown {
        return answer == Answer::Unknown;
    }
    let untold = Facts { conversation: Known::Unknown, ..seen.facts.clone() };
    let asked = Seen { facts: &untold, ..seen };
    live || judge_rule(&duty.rule, &asked, now).answer == Answer::Unknown
}

fn last_episode(alert: &Alert) -> LastEpisode {
    LastEpisode { rule: alert.key.rule.clone(), episode: alert.episode, latched: alert.latched }
}
