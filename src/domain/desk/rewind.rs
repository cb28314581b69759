//! The wall clock was set back by more than can be waited out: every instant kept from the time that did not happen is
//! brought back to now, so that nothing waits for it.

use crate::domain::{
    budget::Budgets,
    delivery::QUOTA_WAIT,
    desk::{
        count::Tally,
        machine::{Desk, Talk},
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
        self.tallies.values_mut().for_each(Tally::rewind);
        self.touch_groups();
    }
}
