//! A matter as it lies before the desk: a ticket or a group of tickets, and how old what is known of it is.

use std::sync::Arc;

use crate::domain::{
    desk::machine::{Desk, Duty, FRESH, REFRESH_PATIENCE},
    facts::Facts,
    id::{Subject, TicketKey},
    labels::Labels,
    seen::{Event, Seen},
    ticket::Ticket,
    time::Timestamp,
};

/// What brought a ticket before the desk.
#[derive(Clone, Debug)]
pub(super) enum Cause {
    /// Its data just came in; with a change, this was the snapshot before.
    Observed(Option<Arc<Ticket>>),
    /// Time went on.
    Time,
}

/// A matter before the desk.
pub(super) struct Hearing {
    pub(super) subject: Subject,
    pub(super) matter: Matter,
    /// The data is of this instant.
    pub(super) as_of: Timestamp,
    /// The data may be rung on.
    pub(super) fresh: bool,
    /// The snapshot may be rung on; what was said on the ticket is another question.
    pub(super) snapshot_fresh: bool,
    /// What was said on it is known as of an instant that may be rung on.
    pub(super) talk_fresh: bool,
    /// The ticket changed since what was said on it was last asked for.
    pub(super) talk_behind: bool,
    /// It was never seen before.
    pub(super) first_sight: bool,
    /// Fresh data was waited for long enough.
    pub(super) patience_over: bool,
    /// The source has been silent: nothing of it ends.
    pub(super) silent: bool,
}

/// What it is about.
pub(super) enum Matter {
    Ticket {
        ticket: Arc<Ticket>,
        facts: Facts,
        labels: Arc<Labels>,
        before: Option<Arc<Ticket>>,
    },
    /// So many tickets share the group's value.
    Group {
        count: usize,
    },
}

impl Hearing {
    /// A group that is judged on complete data.
    pub(super) const fn group(
        subject: Subject,
        count: usize,
        as_of: Timestamp,
        fresh: bool,
        patience_over: bool,
    ) -> Self {
        Self {
            subject,
            matter: Matter::Group { count },
            as_of,
            fresh,
            snapshot_fresh: fresh,
            talk_fresh: true,
            talk_behind: false,
            first_sight: false,
            patience_over,
            silent: false,
        }
    }

    /// The ticket as conditions look at it, to which nothing just happened.
    pub(super) fn seen(&self) -> Option<Seen<'_>> {
        match &self.matter {
            Matter::Ticket { ticket, facts, labels, .. } => Some(Seen::at_rest(ticket, facts, labels)),
            Matter::Group { .. } => None,
        }
    }

    /// The change that just came in.
    pub(super) fn event(&self) -> Event<'_> {
        match &self.matter {
            Matter::Ticket { before: Some(before), .. } => Event::Change(before),
            Matter::Ticket { before: None, .. } | Matter::Group { .. } => Event::None,
        }
    }

    /// The ticket, where it is one.
    pub(super) fn ticket(&self) -> Option<&Ticket> {
        match &self.matter {
            Matter::Ticket { ticket, .. } => Some(ticket),
            Matter::Group { .. } => None,
        }
    }

    /// Turns to a rule: what it looks at decides which data must be fresh.
    pub(super) fn turn_to(&mut self, duty: &Duty) {
        self.fresh = self.snapshot_fresh && (!duty.needs_messages || self.talk_fresh);
    }
}

impl Desk {
    pub(super) fn hearing(&self, key: &TicketKey, cause: &Cause, now: Timestamp) -> Option<Hearing> {
        let watched = self.tickets.get(key).filter(|watched| watched.tracked.gone_at.is_none())?;
        let source = self.sources.get(&key.source)?;
        let tracked = &watched.tracked;
        let as_of = tracked.asked_at.max(source.read_through.unwrap_or(Timestamp::MIN));
        let (observed, before) = match cause {
            Cause::Observed(before) => (true, before.clone()),
            Cause::Time => (false, None),
        };
        let snapshot_fresh = observed || now.since(as_of) <= FRESH;
        let is_fresh = |at: Timestamp| now.since(at) <= FRESH;
        Some(Hearing {
            subject: Subject::Ticket(key.clone()),
            matter: Matter::Ticket {
                ticket: Arc::clone(&tracked.ticket),
                facts: tracked.facts.clone(),
                labels: self.settings.sources.get(&key.source).map(|settings| Arc::clone(&settings.labels))?,
                before,
            },
            as_of,
            fresh: snapshot_fresh,
            snapshot_fresh,
            talk_fresh: watched.talk.read_at.is_some_and(is_fresh) && watched.talk.read_at >= watched.talk.changed_at,
            talk_behind: watched.talk.read_at < watched.talk.changed_at,
            first_sight: tracked.facts.first_seen == tracked.asked_at,
            patience_over: watched.refresh.is_some_and(|asked| now >= asked.plus(REFRESH_PATIENCE)),
            silent: source.is_silent(now),
        })
    }
}
