//! The wall clock was set back by more than can be waited out: every instant kept from the time that did not happen is
//! brought back to now, so that nothing waits for it.

use crate::domain::{
    alert::{Alert, AlertState},
    budget::Budgets,
    delivery::QUOTA_WAIT,
    desk::{
        count::Tally,
        ladder::FALLBACK_EVERY,
        machine::{Desk, Talk},
        whom::next_repeat,
    },
    id::TicketKey,
    rule::REFIRE_WINDOW_DEFAULT,
    time::Timestamp,
};

impl Desk {
    pub(super) fn rewind(&mut self, now: Timestamp) {
        self.budgets = Budgets::new(self.settings.limits);
        self.outbox.rewind(now);
        self.resting.rewind(now.plus(REFIRE_WINDOW_DEFAULT));
        self.audited_at = self.audited_at.min(now);
        self.rewind_silences(now);
        self.storms.rewind(now);
        self.stall.clear();
        self.wakes.rewind();
        for digest in self.digests.values_mut() {
            digest.began_at = digest.began_at.min(now);
            digest.joined_at = digest.joined_at.min(now);
        }
        for source in self.sources.values_mut() {
            source.polled_at = source.polled_at.min(now);
            source.next_poll = source.next_poll.min(now);
            source.read_through = source.read_through.map(|at| at.min(now));
            source.state.cursor = source.state.cursor.map(|at| at.min(now));
            source.state.swept_at = source.state.swept_at.map(|at| at.min(now));
            source.state.paused_until = source.state.paused_until.map(|until| until.min(now.plus(QUOTA_WAIT)));
            if let Some(catching_up) = &mut source.catching_up {
                catching_up.rewind(now);
            }
        }
        for watched in self.tickets.values_mut() {
            watched.tracked.asked_at = watched.tracked.asked_at.min(now);
            watched.refresh = watched.refresh.map(|at| at.min(now));
            watched.talk = Talk { changed_at: watched.talk.changed_at.map(|at| at.min(now)), ..Talk::default() };
        }
        let keys: Vec<TicketKey> = self.tickets.keys().cloned().collect();
        for key in keys {
            self.schedule(&key, now);
        }
        self.begin_rotas(now);
        self.rewind_alerts(now);
        self.tallies.values_mut().for_each(Tally::rewind);
        self.touch_groups();
    }
    /// What people did and what comes next on alerts that ring: no instant of it lies ahead any longer than it was meant to.
    fn rewind_alerts(&mut self, now: Timestamp) {
        let firing: Vec<Alert> = self.alerts.values().flatten().filter(|alert| alert.is_firing()).cloned().collect();
        for before in firing {
            let mut alert = before.clone();
            let rule = self.rule_named(&alert.key.rule).cloned();
            if let AlertState::Firing { fired_at, .. } = &mut alert.state {
                *fired_at = (*fired_at).min(now);
            }
            alert.since = alert.since.min(now);
            alert.quiet_since = alert.quiet_since.map(|at| at.min(now));
            alert.ladder_from = alert.ladder_from.map(|at| at.min(now));
            alert.fallback_at = alert.fallback_at.map(|at| at.min(now.plus(FALLBACK_EVERY)));
            if let Some(taken) = alert.taken.as_mut().filter(|taken| taken.at > now) {
                taken.until = now.plus(taken.until.since(taken.at));
                taken.at = now;
            }
            if let Some(taken) = &mut alert.taken {
                taken.asked_at = taken.asked_at.map(|at| at.min(now));
            }
            if let Some(snoozed) = alert.snoozed.as_mut().filter(|snoozed| snoozed.at > now) {
                snoozed.until = now.plus(snoozed.until.since(snoozed.at));
                snoozed.at = now;
            }
            for line in &mut alert.lines {
                let wait = rule.as_ref().and_then(|rule| next_repeat(rule, line.from, line.repeats));
                line.next_at = line.next_at.map(|at| wait.map_or(at, |wait| at.min(wait.ends(now))));
            }
            if alert != before {
                self.put_alert(alert);
            }
        }
    }
}
