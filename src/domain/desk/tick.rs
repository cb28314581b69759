//! Time went on: only what is due is looked at.

use crate::domain::{
    desk::{hearing::Cause, machine::Desk},
    id::{SourceName, TicketKey},
    time::Timestamp,
};

/// Tickets one tick takes up; the next tick, which is due at once, goes on. Few enough that the writes of a tick, three
/// or so a ticket, make a commit of usual size, and that reports and people are heard in between; more than are read
/// afresh one by one, so that one tick sees that a window is better.
const DUE_PER_TICK_MAX: usize = 64;

impl Desk {
    pub(super) fn tick(&mut self, now: Timestamp) {
        self.forget_seen(now);
        self.forget_dead(now);
        self.forget_calls(now);
        self.look_for_stall(now);
        self.tell_restart(now);
        self.report_trials(now);
        self.see_to_rotas(now);
        self.forget_resting(now);
        self.audit_ladders(now);
        self.expire_silences(now);
        self.close_calm_storms(now);
        self.wake_again(now);
        if self.announcing_due() <= now {
            self.announce_if_judged(now);
        }
        let due: Vec<TicketKey> = self
            .due
            .iter()
            .take_while(|(at, _)| *at <= now)
            .take(DUE_PER_TICK_MAX)
            .map(|(_, key)| key.clone())
            .collect();
        for key in due {
            if self.purge_at(&key) <= now {
                self.purge(&key);
            } else {
                self.judge(&key, &Cause::Time, now);
            }
        }
        let sources: Vec<SourceName> =
            self.sources.iter().filter(|(_, source)| source.next_due() <= now).map(|(name, _)| name.clone()).collect();
        for name in sources {
            self.tick_source(&name, now);
        }
    }

    fn tick_source(&mut self, name: &SourceName, now: Timestamp) {
        let Some(source) = self.sources.get(name) else { return };
        let flush = source.catching_up.as_ref().is_some_and(|catching_up| catching_up.flush_at() <= now);
        if source.is_silent(now) && !source.told_silent {
            self.source_falls_silent(name, now);
        }
        if flush {
            self.tell_digest(name, now);
        }
    }
}
