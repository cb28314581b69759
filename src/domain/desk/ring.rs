//! What a step of an alert's life leads to: it begins, rings, is told, ends.

use std::sync::Arc;

use crate::domain::{
    actor::Actor,
    alert::{Alert, AlertKey, AlertState, Announced, EndReason},
    desk::{
        hearing::{Hearing, Matter},
        life::Step,
        machine::Desk,
    },
    id::{ReceiverName, Subject},
    notice,
    rule::{CatchUp, Mode, Rule, RuleKind},
    text::Message,
    time::Timestamp,
    verdict::{self, Answer},
    why,
};

impl Desk {
    pub(super) fn take_step(
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
                let alert = new_alert(rule, before, &hearing.subject, now);
                self.put_alert(alert);
            }
            (Step::Fire, _) => self.fire(rule, before, hearing, now),
            (Step::Drop, Some(alert)) => self.drop_pending(alert, now),
            (Step::End(reason), Some(alert)) => {
                // The next event is a new one, whatever became of this.
                let latched = answer != Answer::No && !rule.is_event();
                self.end(alert.clone(), reason, latched, now);
            }
            (Step::Unlatch, Some(alert)) => self.put_alert(Alert { latched: false, ..alert.clone() }),
            (Step::Quiet, Some(alert)) => self.put_alert(Alert { quiet_since: Some(now), ..alert.clone() }),
            (Step::Loud, Some(alert)) => self.put_alert(Alert { quiet_since: None, ..alert.clone() }),
            (Step::Adopt, Some(alert)) => {
                self.put_alert(Alert { meaning: rule.meaning, rev: alert.rev + 1, ..alert.clone() });
                self.refresh_cards(&alert.key, now);
            }
            (Step::Stay, Some(alert)) if hearing.fresh => self.freshen(alert, now),
            _ => {}
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
        let mut alert = new_alert(rule, before, &hearing.subject, now);
        alert.episode += 1;
        alert.rev += 1;
        alert.state = AlertState::Firing { fired_at: now, stale_as_of: (!hearing.fresh).then_some(hearing.as_of) };
        alert.trial = matches!(rule.mode, Mode::Trial(_));
        let rung = self.first_rung(rule, hearing, now);
        if let Some(rung) = rung {
            alert.rung = u32::try_from(rung + 1).unwrap_or(u32::MAX);
            alert.severity = rule.ladder.get(rung).and_then(|rung| rung.severity).unwrap_or(rule.severity);
        }
        if let Some(seen) = hearing.seen()
            && hearing.first_sight
            && rule.hold.is_none()
        {
            alert.since = verdict::held_since(&rule.when, &seen, now);
        }
        alert.why = self.why_of(rule, hearing, now);
        alert.lines = self.lines_of(rule, rung, hearing, now);
        self.reopen(before, &alert, rule.refire_window, now);
        self.keep_past(before);
        let place = (&alert.key.subject, Some(&alert.key.rule), alert.episode);
        self.journal(now, place, if alert.trial { "would_ring" } else { "fired" }, alert.why.clone());
        self.counters.fired += u64::from(!alert.trial);
        self.tell_beginning(rule, alert, hearing, now);
    }

    /// Tells the beginning as it is told now, and keeps the alert.
    fn tell_beginning(&mut self, rule: &Rule, mut alert: Alert, hearing: &Hearing, now: Timestamp) {
        self.note_trial(&alert, now);
        alert.announced = self.announce(rule, &mut alert, hearing, now);
        if alert.announced == Announced::Nobody {
            alert.lines.iter_mut().for_each(|line| line.next_at = None); // what was not told is not told again
        }
        let key = alert.key.clone();
        self.put_alert(alert);
        self.refresh_cards(&key, now); // those that were opened again
    }

    /// A rule in trial was switched on: what it would have rung is told like anything that already holds.
    pub(super) fn switch_on(&mut self, rule: &Rule, alert: &Alert, hearing: &Hearing, now: Timestamp) {
        let mut alert = Alert { trial: false, rev: alert.rev + 1, ..alert.clone() };
        let rung = usize::try_from(alert.rung).ok().and_then(|rung| rung.checked_sub(1));
        // Whoever was told of the trial has a card already, which goes on.
        let told = std::mem::take(&mut alert.lines);
        alert.lines = self.lines_of(rule, rung, hearing, now);
        alert.lines.retain(|line| told.iter().all(|other| other.receiver != line.receiver));
        self.counters.fired += 1;
        let place = (&alert.key.subject, Some(&alert.key.rule), alert.episode);
        self.journal(now, place, "fired", alert.why.clone());
        let key = alert.key.clone();
        self.tell_beginning(rule, alert, hearing, now);
        if let Some(mut alert) = self.alert(&key).filter(|_| !told.is_empty()).cloned() {
            alert.lines.extend(told);
            self.put_alert(alert);
            self.refresh_cards(&key, now);
        }
    }

    fn why_of(&self, rule: &Rule, hearing: &Hearing, now: Timestamp) -> Message {
        match (&hearing.matter, &rule.kind, hearing.seen()) {
            (Matter::Group { count }, RuleKind::Count(counted), _) => {
                why::count_text(rule, counted, &hearing.subject, *count)
            }
            (_, RuleKind::Sla(sla), Some(seen)) => why::sla_text(sla, &seen, now),
            (_, _, Some(seen)) => {
                // What asks for an event is said from the change that made it ring.
                why::why_text(&rule.when, &seen.after(hearing.event()), now)
            }
            _ => Message::default(),
        }
    }

    /// Tells the beginning, by card or by digest.
    fn announce(&mut self, rule: &Rule, alert: &mut Alert, hearing: &Hearing, now: Timestamp) -> Announced {
        if alert.lines.is_empty() {
            return Announced::Nobody;
        }
        match self.catch_up(rule, alert, hearing) {
            Some((source, CatchUp::Digest, cause)) => {
                return Announced::Digest(self.join_digest(&source, cause, now));
            }
            Some((_, CatchUp::None, _)) => return Announced::Nobody,
            Some((_, CatchUp::Each, _)) | None => {}
        }
        let receivers: Vec<ReceiverName> = alert.lines.iter().map(|line| line.receiver.clone()).collect();
        for (at, receiver) in receivers.iter().enumerate() {
            let digest = self.storm_takes(&rule.name, alert, receiver, now);
            if digest.is_none() {
                self.tell(alert, notice::Step::Fired, 0, receiver, now);
            } else if let Some(line) = alert.lines.get_mut(at) {
                line.digest = digest;
            }
        }
        Announced::Cards
    }

    /// Ends an alert and lets everyone who was told its beginning know.
    pub(super) fn end(&mut self, mut alert: Alert, reason: EndReason, latched: bool, now: Timestamp) {
        alert.state = AlertState::Ended { fired_at: alert.fired_at(), ended_at: now, reason };
        alert.latched = latched;
        self.note_ended(&mut alert);
        alert.quiet_since = None;
        alert.rev += 1;
        for line in &mut alert.lines {
            line.next_at = None;
        }
        let place = (&alert.key.subject, Some(&alert.key.rule), alert.episode);
        self.journal(now, place, "ended", ending(&alert, reason));
        self.counters.ended += u64::from(!alert.trial);
        self.note_trial(&alert, now);
        let key = alert.key.clone();
        self.put_alert(alert);
        self.tell_ending(&key, now);
    }
}

/// Why an alert is over, and who saw to it, where someone did.
fn ending(alert: &Alert, reason: EndReason) -> Message {
    let why = Message::from(reason.words());
    let by = alert.ended_by.as_ref().or(alert.taken.as_ref().map(|taken| &taken.by));
    by.map(Actor::words).map_or(why.clone(), |by| {
        Message::new(format!("{} · {} 处理", why.zh, by.zh), format!("{} · handled by {}", why.en, by.en))
    })
}

/// An alert whose condition just began to hold; it has rung as often as the one before it.
fn new_alert(rule: &Rule, before: Option<&Alert>, subject: &Subject, now: Timestamp) -> Alert {
    let carried = before.filter(|alert| alert.is_live());
    // An alert keeps the key it was born under, also when its rule was renamed: its episodes go on counting.
    let born = || AlertKey { subject: subject.clone(), rule: rule.name.clone() };
    let key = before.map_or_else(born, |alert| alert.key.clone());
    Alert {
        episode: before.map_or(0, |alert| alert.episode),
        severity: rule.severity,
        rev: before.map_or(0, |alert| alert.rev),
        meaning: rule.meaning,
        ..Alert::pending(key, carried.map_or(now, |alert| alert.since))
    }
}
