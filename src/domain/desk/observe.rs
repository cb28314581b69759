//! Taking in what a source shows: new tickets, changed ones, and observations that were overtaken.

use std::sync::Arc;

use crate::domain::{
    alert::{Alert, AlertKey, AlertState, EndReason},
    change,
    desk::{
        forgotten,
        hearing::Cause,
        input::{MessagesRead, Page, ReadResult, TicketRead},
        machine::{Desk, Talk, Watched},
        outcome::Write,
        state::{Remains, Revision, Tracked},
    },
    facts::Facts,
    history,
    id::{Subject, TicketKey},
    text::Message,
    ticket::{Known, Ticket},
    time::Timestamp,
};

/// One sight of a ticket.
pub(super) struct Sight {
    pub(super) ticket: Arc<Ticket>,
    pub(super) list_hash: Option<u64>,
    pub(super) asked_at: Timestamp,
    pub(super) pass: u64,
}

impl Desk {
    pub(super) fn page(&mut self, page: Page, now: Timestamp) {
        self.begin_catching_up(&page.source, page.pass, page.asked_at);
        for seen in page.tickets {
            match seen.ticket {
                Some(ticket) => {
                    let sight = Sight { ticket, list_hash: Some(seen.hash), asked_at: page.asked_at, pass: page.pass };
                    self.observe(&seen.key, sight, now);
                }
                None => self.see_unchanged(&seen.key, page.asked_at, page.pass, now),
            }
        }
    }

    /// The list showed the very bytes it showed before: only the data's age changes, and only in memory.
    fn see_unchanged(&mut self, key: &TicketKey, asked_at: Timestamp, pass: u64, now: Timestamp) {
        self.counters.unchanged += 1;
        let Some(watched) = self.tickets.get_mut(key) else { return };
        watched.seen_pass = watched.seen_pass.max(pass);
        watched.tracked.asked_at = watched.tracked.asked_at.max(asked_at);
        if watched.refresh.is_some() {
            self.judge(key, &Cause::Observed(None), now);
        }
    }

    /// Takes in a sight of a ticket, unless a newer one was taken in before.
    pub(super) fn observe(&mut self, key: &TicketKey, sight: Sight, now: Timestamp) {
        self.counters.observed += 1;
        let sight = self.blanked(key, sight);
        let blank = self.is_kept_blank(key, &sight.ticket);
        let Some(watched) = self.tickets.get_mut(key) else { return self.first_sight(key, sight, now) };
        watched.seen_pass = watched.seen_pass.max(sight.pass);
        if is_overtaken(&watched.tracked, &sight) {
            self.counters.overtaken += 1;
            return;
        }
        let stood = Arc::clone(&watched.tracked.ticket);
        // What is blanked has not changed.
        let before = if blank { Arc::new(forgotten::blank(&stood)) } else { Arc::clone(&stood) };
        let has_changed = change::changed_fields(&before, &sight.ticket).next().is_some();
        let facts = next_facts(&watched.tracked, &sight);
        let facts = if blank { forgotten::blank_facts(&facts) } else { facts };
        let came_back = watched.tracked.gone_at.take().is_some();
        let nothing_new = sight.list_hash.is_none() && !came_back && *stood == *sight.ticket;
        watched.tracked.facts = facts;
        watched.tracked.asked_at = sight.asked_at;
        if has_changed {
            watched.talk = Talk { changed_at: Some(sight.asked_at), asked_at: None, ..watched.talk };
        }
        if !nothing_new {
            watched.tracked.ticket = sight.ticket;
            watched.tracked.list_hash = sight.list_hash;
            let tracked = watched.tracked.clone();
            self.count(&key.source, Some(&before), Some(&tracked.ticket));
            if let Some(was) = history::revision(&before, &tracked.ticket) {
                self.write(Write::Revision(Box::new(Revision { at: tracked.asked_at, was: Arc::new(was) })));
            }
            self.write(Write::Ticket(Box::new(tracked)));
            if blank && *stood != *before {
                self.write(Write::Forgotten(key.clone(), now)); // it was open until now, and kept as it was
                self.blank_alerts(key, now);
            }
        }
        self.counters.changed += u64::from(has_changed);
        self.judge(key, &Cause::Observed(has_changed.then_some(before)), now);
    }

    fn first_sight(&mut self, key: &TicketKey, sight: Sight, now: Timestamp) {
        let remains = self.remains.remove(key);
        if let Some(remains) = &remains {
            self.write(Write::DropRemains(key.clone()));
            self.recall_episodes(remains, now);
        }
        let tracked = Tracked {
            facts: first_facts(&sight.ticket, sight.asked_at, remains.as_ref()),
            ticket: sight.ticket,
            asked_at: sight.asked_at,
            list_hash: sight.list_hash,
            gone_at: None,
        };
        self.count(&key.source, None, Some(&tracked.ticket));
        self.write(Write::Ticket(Box::new(tracked.clone())));
        let watched =
            Watched { tracked, seen_pass: sight.pass, due_at: Timestamp::NEVER, refresh: None, talk: Talk::default() };
        self.tickets.insert(key.clone(), watched);
        self.judge(key, &Cause::Observed(None), now);
    }

    /// A returning ticket's alerts go on counting where they were, and do not ring for what held when it was let go.
    fn recall_episodes(&mut self, remains: &Remains, now: Timestamp) {
        for last in &remains.episodes {
            let key = AlertKey { subject: Subject::Ticket(remains.key.clone()), rule: last.rule.clone() };
            let state = AlertState::Ended { fired_at: None, ended_at: now, reason: EndReason::Expired };
            let (episode, latched) = (last.episode, last.latched);
            self.put_alert(Alert { episode, state, latched, ..Alert::pending(key, now) });
        }
    }

    pub(super) fn ticket_read(&mut self, read: TicketRead, now: Timestamp) {
        let (key, asked_at) = (read.key.clone(), read.asked_at);
        self.take_in(read, now);
        self.wake_answered(&key, asked_at, now);
    }

    fn take_in(&mut self, read: TicketRead, now: Timestamp) {
        match read.result {
            ReadResult::Found { ticket, .. } => {
                let sight = Sight { ticket, list_hash: None, asked_at: read.asked_at, pass: 0 };
                self.observe(&read.key, sight, now);
            }
            ReadResult::Gone => self.gone(&read.key, now),
            ReadResult::Failed(failure) => self.read_failed(&read.key, failure, now),
        }
    }

    /// Takes in what was said on a ticket.
    pub(super) fn messages_read(&mut self, read: MessagesRead, now: Timestamp) {
        let conversation = match read.result {
            Ok(conversation) => conversation,
            Err(failure) => return self.read_failed(&read.key, failure, now),
        };
        let Some(watched) = self.tickets.get_mut(&read.key) else { return };
        watched.talk = Talk { read_at: watched.talk.read_at.max(Some(read.asked_at)), asked_at: None, ..watched.talk };
        let is_over = forgotten::is_over(&watched.tracked.ticket) || watched.tracked.gone_at.is_some();
        let blank = is_over && self.forgotten.contains(&read.key);
        let conversation = Known::Present(Arc::new(if blank { conversation.without_words() } else { conversation }));
        if watched.tracked.facts.conversation != conversation {
            watched.tracked.facts.conversation = conversation;
            let tracked = Box::new(watched.tracked.clone());
            self.write(Write::Ticket(tracked));
        }
        self.judge(&read.key, &Cause::Time, now);
    }

    /// The source no longer has the ticket: its alerts end and it is let go.
    pub(super) fn gone(&mut self, key: &TicketKey, now: Timestamp) {
        let subject = Subject::Ticket(key.clone());
        let known = self.tickets.get(key).map(|watched| watched.tracked.gone_at.is_some());
        // Of a ticket that the store lost there may be alerts all the same.
        if known.unwrap_or_else(|| !self.alerts.contains_key(&subject)) {
            return;
        }
        let alerts = self.alerts.get(&subject).cloned().unwrap_or_default();
        for alert in alerts.into_iter().filter(Alert::is_live) {
            if alert.is_firing() {
                self.end(alert, EndReason::TicketGone, false, now);
            } else {
                self.drop_alert(&alert.key);
            }
        }
        let note = Message::new("飞书里已没有这张工单", "the source no longer has this ticket");
        self.journal(now, (&subject, None, 0), "gone", note);
        self.no_longer_waits(key);
        self.leave_tallies(key);
        if let Some(watched) = self.tickets.get_mut(key) {
            watched.tracked.gone_at = Some(now);
            watched.tracked.list_hash = None; // should it return with the very same bytes, it is taken in again
            let tracked = Box::new(watched.tracked.clone());
            self.write(Write::Ticket(tracked));
        }
        self.blank_if_forgotten(key, now);
        self.schedule(key, self.purge_at(key));
    }
}

/// A sight is overtaken when it shows an older state than the one kept, or the same state asked for earlier.
fn is_overtaken(kept: &Tracked, sight: &Sight) -> bool {
    let (old, new) = (kept.ticket.last_moved_at(), sight.ticket.last_moved_at());
    new < old || (new == old && sight.asked_at < kept.asked_at)
}

fn next_facts(kept: &Tracked, sight: &Sight) -> Facts {
    let (before, after) = (&kept.ticket, &sight.ticket);
    let mut facts = kept.facts.clone();
    let (Some(old), Some(new)) = (before.status.present(), after.status.present()) else { return facts };
    if old == new {
        return facts;
    }
    let between = after.updated_at.present().filter(|at| **at > kept.asked_at && **at <= sight.asked_at);
    facts.next_status(old.code(), between.copied().unwrap_or(sight.asked_at));
    if old.is_closed() == Some(true) && new.is_closed() == Some(false) {
        facts.reopened_count += 1;
    }
    facts
}

/// At first sight the status may be older than anyone can tell: the facts are marked as estimated.
pub(super) fn first_facts(ticket: &Ticket, asked_at: Timestamp, remains: Option<&Remains>) -> Facts {
    let reopened = remains.is_some_and(|remains| {
        remains.status.and_then(|status| status.is_closed()) == Some(true) && ticket.is_closed() == Some(false)
    });
    let status_since = ticket.last_moved_at().unwrap_or(asked_at).min(asked_at);
    Facts {
        status_since_estimated: true,
        reopened_count: remains.map_or(0, |remains| remains.reopened_count) + u32::from(reopened),
        ..Facts::new(status_since, asked_at)
    }
}
