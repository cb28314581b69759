//! Alerts that were put off: until then nobody is told again, and the ladder rests.

use crate::domain::{
    actor::Actor,
    alert::{Alert, Announced, Snoozed},
    deed::Rest,
    desk::{hearing::Hearing, ladder::Outlook, machine::Desk, whom::next_repeat},
    id::ReceiverName,
    notice,
    rule::Rule,
    text::Message,
    time::{Span, Timestamp},
};

/// The shortest time an alert is put off for.
pub(super) const REST_MIN: Span = Span::from_mins(1);

/// The longest.
pub(super) const REST_MAX: Span = Span::from_days(7);

impl Desk {
    /// Puts an alert off.
    pub(super) fn put_off(&mut self, alert: &Alert, by: Actor, until: Timestamp, now: Timestamp) -> Alert {
        let (who, clock) = (by.words(), self.clock_words(until, now));
        let note = Message::new(format!("{} 推迟到 {clock}", who.zh), format!("put off until {clock} by {}", who.en));
        // Put off once more, it has rested since the first time.
        let at = alert.snoozed.as_ref().filter(|before| before.until > now).map_or(now, |before| before.at);
        let snoozed = Some(Snoozed { by, at, until });
        let alert = Alert { snoozed, snoozes: alert.snoozes + 1, ..alert.clone() };
        let alert = self.change(alert, "snoozed", note, now);
        self.refresh_digests(&alert, now);
        alert
    }

    /// An alert whose time is over says so where it was told, and goes on; its ladder goes on where it rested.
    pub(super) fn wake(
        &mut self,
        rule: &Rule,
        alert: Alert,
        hearing: &Hearing,
        outlook: &mut Outlook,
        now: Timestamp,
    ) -> Option<Alert> {
        let Some(snoozed) = &alert.snoozed else { return Some(alert) };
        if now < snoozed.until {
            outlook.at(snoozed.until);
            return None;
        }
        if !hearing.fresh && !hearing.patience_over {
            outlook.wants_fresh = true;
            return None;
        }
        let who = snoozed.by.words();
        let note = Message::new(
            format!("{} 推迟的时间到了，仍然成立", who.zh),
            format!("the time {} put it off for is over, and it still holds", who.en),
        );
        let rested = snoozed.until.since(snoozed.at);
        let mut alert = alert.clone();
        alert.snoozed = None;
        let from = alert.ladder_from.or(alert.fired_at()).unwrap_or(now);
        alert.ladder_from = Some(from.plus(rested));
        alert.fallback_at = alert.fallback_at.map(|at| at.plus(rested));
        for line in &mut alert.lines {
            if line.next_at.is_some_and(|at| at <= now) {
                line.next_at = next_repeat(rule, line.from, line.repeats).map(|wait| wait.ends(now));
            }
        }
        let mut alert = self.change(alert, "woken", note, now);
        self.refresh_digests(&alert, now);
        if alert.announced == Announced::Nobody {
            return Some(alert);
        }
        let told: Vec<ReceiverName> = alert.lines.iter().map(|line| line.receiver.clone()).collect();
        for receiver in &told {
            let snoozes = alert.snoozes;
            alert = self.tell_again(alert, notice::Step::Woken, snoozes, receiver, now);
        }
        Some(alert)
    }

    /// Until when something rests that is put off now.
    ///
    /// # Errors
    /// What may be asked for, where this may not.
    pub(super) fn rest_until(&self, rule: Option<&Rule>, rest: Rest, now: Timestamp) -> Result<Timestamp, Message> {
        match rest {
            Rest::For(span) if (REST_MIN..=REST_MAX).contains(&span) => Ok(now.plus(span)),
            Rest::For(_) => Err(Message::new("可以推迟 1 分钟到 7 天", "it may be put off for 1 minute to 7 days")),
            Rest::Tomorrow | Rest::NextWorkday => {
                Ok(rest.ends(now, rule.and_then(|rule| rule.pace.calendar()), self.settings.zone))
            }
        }
    }
}
