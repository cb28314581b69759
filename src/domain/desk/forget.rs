//! Forgetting a guest on request: their closed tickets are blanked, now and whenever the source shows them again; the
//! open ones when they are closed.

use std::{collections::BTreeSet, sync::Arc};

use crate::domain::{
    alert::Alert,
    deed::{Act, Acted, Place, Tone},
    desk::{
        acts::refused,
        forgotten::{self as forget, Forgotten, Named},
        hearing::Cause,
        machine::Desk,
        members::digests_of,
        observe::Sight,
        outcome::Write,
        state::Tracked,
    },
    id::{Subject, TicketKey},
    notice::NoticeKey,
    text::Message,
    ticket::Ticket,
    time::Timestamp,
};

impl Desk {
    /// Forgets a guest.
    pub(super) fn forget_guest(&mut self, act: &Act, guest: &str, now: Timestamp) -> Acted {
        if act.place != Place::Admin {
            return refused(Message::new(
                "删除客户资料只能在命令行或管理 API 里做",
                "a guest is forgotten from the command line or the admin API only",
            ));
        }
        let of_guest = |tracked: &Tracked| forget::is_of(&tracked.ticket, guest);
        let found = self.tickets.iter().filter(|(_, watched)| of_guest(&watched.tracked));
        let keys: Vec<TicketKey> = found.map(|(key, _)| key.clone()).collect();
        if keys.is_empty() {
            return Acted { tone: Tone::Missing, words: forget::NOBODY.into(), card: None };
        }
        let tickets = keys.iter().filter_map(|key| Some(&*self.tickets.get(key)?.tracked.ticket));
        let words = forget::words_of(guest, tickets);
        let notices = self.drop_notices_of(&keys, &words, now);
        let alerts = self.forget_groups(&words, now);
        let mut done = Forgotten { notices, alerts, ..Forgotten::default() };
        for key in &keys {
            self.forgotten.insert(key.clone());
            self.write(Write::Forgotten(key.clone(), now));
            if self.blank_ticket(key) {
                done.closed += 1;
            } else {
                done.open += 1;
            }
            done.alerts += self.blank_alerts(key, now);
            self.journal(now, (&Subject::Ticket(key.clone()), None, 0), "forgotten", forget::journalled(&act.by));
            self.judge(key, &Cause::Time, now);
        }
        Acted { tone: Tone::Done, words: done.words(), card: None }
    }

    /// Blanks what is kept of a ticket, if it is closed or gone; whether it was.
    fn blank_ticket(&mut self, key: &TicketKey) -> bool {
        let Some(watched) = self.tickets.get_mut(key) else { return false };
        let tracked = &mut watched.tracked;
        if !forget::is_over(&tracked.ticket) && tracked.gone_at.is_none() {
            return false;
        }
        tracked.ticket = Arc::new(forget::blank(&tracked.ticket));
        tracked.facts = forget::blank_facts(&tracked.facts);
        let tracked = Box::new(tracked.clone());
        self.write(Write::Ticket(tracked));
        true
    }

    /// Blanks the reasons of a ticket's alerts, and has their cards show it; how many.
    pub(super) fn blank_alerts(&mut self, key: &TicketKey, now: Timestamp) -> usize {
        let alerts = self.alerts.get(&Subject::Ticket(key.clone())).cloned().unwrap_or_default();
        let count = alerts.len();
        for alert in alerts {
            let alert = Alert { why: forget::blank_why(), rev: alert.rev + 1, ..alert };
            self.put_alert(alert.clone());
            self.refresh_cards(&alert.key, now);
            let digests: BTreeSet<(Subject, u32)> = digests_of(&alert).collect();
            for (of, number) in digests {
                self.change_digest(&of, number, |_| {}, now);
            }
        }
        let past: Vec<Alert> =
            self.past.values().filter(|alert| alert.key.subject.ticket() == Some(key)).cloned().collect();
        for alert in past {
            let alert = Alert { why: forget::blank_why(), ..alert };
            self.write(Write::Past(Box::new(alert.clone())));
            self.past.insert((alert.key.clone(), alert.episode), alert);
        }
        count
    }

    /// Drops answers that name the guest or their tickets, and dead letters about them; how many.
    fn drop_notices_of(&mut self, keys: &[TicketKey], words: &Named, now: Timestamp) -> usize {
        let waiting = self.outbox.entries().filter(|entry| forget::speaks_of(entry, words));
        let waiting: Vec<NoticeKey> = waiting.map(|entry| entry.key.clone()).collect();
        for key in &waiting {
            let why = Message::new("客户资料已按要求删除", "the guest's data was deleted on request");
            self.drop_notice(key, why, now);
            self.settle(key, now);
        }
        let keys: Vec<&TicketKey> = keys.iter().collect();
        let dead = self.dead.latest().filter(|letter| forget::is_about(&letter.entry, &keys, words));
        let dead: Vec<NoticeKey> = dead.map(|letter| letter.entry.key.clone()).collect();
        for key in &dead {
            self.drop_dead(key);
        }
        waiting.len() + dead.len()
    }

    /// A sight of a ticket as it is taken in: of a forgotten guest blank unless it is open.
    pub(super) fn blanked(&self, key: &TicketKey, sight: Sight) -> Sight {
        if !self.is_kept_blank(key, &sight.ticket) {
            return sight;
        }
        Sight { ticket: Arc::new(forget::blank(&sight.ticket)), ..sight }
    }

    /// A ticket is gone: of a forgotten guest it is blanked though it was never closed.
    pub(super) fn blank_if_forgotten(&mut self, key: &TicketKey, now: Timestamp) {
        if self.forgotten.contains(key) {
            self.write(Write::Forgotten(key.clone(), now));
            self.blank_ticket(key);
            self.blank_alerts(key, now);
        }
    }

    /// Whether a ticket is kept blank: its guest was forgotten and it is not open.
    pub(super) fn is_kept_blank(&self, key: &TicketKey, ticket: &Ticket) -> bool {
        forget::is_over(ticket) && self.forgotten.contains(key)
    }
}
