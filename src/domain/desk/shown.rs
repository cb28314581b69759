//! The tickets under watch for operators: filtered, in a stable order, a page at a time, and of their guests what
//! `privacy` lets be shown. Nothing changes here.

use crate::domain::{
    condition::Condition,
    desk::{
        guarded::{asks_for_hidden, meets},
        machine::Desk,
        state::Tracked,
    },
    id::{SourceName, TeamName, TicketKey},
    notice::TicketView,
    privacy,
    seen::Seen,
    text::Message,
    time::Timestamp,
    verdict::Answer,
};

/// Tickets of one page, at most.
pub const TICKETS_PAGE_MAX: usize = 200;

/// Tickets of one page that says nothing of it.
pub const TICKETS_PAGE: usize = 50;

/// Whether closed tickets are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Openness {
    /// Only those that are open, and those of which nobody knows.
    #[default]
    Open,
    /// Only closed ones.
    Closed,
    /// All.
    All,
}

impl Openness {
    /// Every one, in the order of their declaration.
    pub const ALL: [Self; 3] = [Self::Open, Self::Closed, Self::All];

    /// Its word in the query.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::All => "all",
        }
    }

    const fn has(self, closed: bool) -> bool {
        match self {
            Self::Open => !closed,
            Self::Closed => closed,
            Self::All => true,
        }
    }
}

/// Which tickets are asked for: every part that is there must fit.
#[derive(Clone, Debug, Default)]
pub struct TicketsWanted {
    /// Of this source.
    pub source: Option<SourceName>,
    /// Of this team.
    pub team: Option<TeamName>,
    /// Open, closed, or all.
    pub openness: Openness,
    /// That meet this condition.
    pub when: Option<Condition>,
    /// At most so many; absent: [`TICKETS_PAGE`].
    pub limit: Option<usize>,
    /// After this one, the last of the page before.
    pub after: Option<TicketKey>,
}

/// A page of tickets.
#[derive(Clone, Debug, Default)]
pub struct TicketsFound {
    /// The tickets, by source and id.
    pub tickets: Vec<TicketView>,
    /// How many fit in all.
    pub total: usize,
    /// How many may fit, while what is asked of them is not known.
    pub unclear: usize,
    /// There are more after the last one of these.
    pub more: bool,
}

impl Desk {
    /// A page of the tickets under watch that are asked for.
    ///
    /// # Errors
    /// The condition asks for what may not be shown: whoever learns that it holds has learned the value.
    pub fn list_tickets(&self, wanted: &TicketsWanted, now: Timestamp) -> Result<TicketsFound, Message> {
        let mut found = TicketsFound::default();
        let limit = wanted.limit.unwrap_or(TICKETS_PAGE).clamp(1, TICKETS_PAGE_MAX);
        let there = self.tickets.values().map(|watched| &watched.tracked).filter(|it| it.gone_at.is_none());
        for tracked in there.filter(|tracked| self.is_wanted(tracked, wanted)) {
            let labels = self.labels_of(&tracked.ticket.key.source);
            let seen = Seen::at_rest(&tracked.ticket, &tracked.facts, labels);
            if wanted.when.as_ref().is_some_and(|when| asks_for_hidden(when, &seen)) {
                return Err(Message::new(
                    format!("条件用到了不能显示的内容{}，见配置的 privacy", privacy::HIDDEN.zh),
                    format!("the condition asks for what may not be shown {}: see `privacy`", privacy::HIDDEN.en),
                ));
            }
            match wanted.when.as_ref().map_or(Answer::Yes, |when| meets(when, &seen, now)) {
                Answer::No => continue,
                Answer::Unknown => found.unclear += 1,
                Answer::Yes => {
                    found.total += 1;
                    let before = wanted.after.as_ref().is_some_and(|after| tracked.ticket.key <= *after);
                    if before {
                        continue;
                    }
                    found.more = found.tickets.len() >= limit;
                    if !found.more {
                        found.tickets.extend(self.ticket_view(&tracked.ticket.key));
                    }
                }
            }
        }
        Ok(found)
    }

    /// The ticket under watch that is meant, by its id or the end of it.
    ///
    /// # Errors
    /// None is meant, or several are.
    pub fn ticket_shown(&self, typed: &str) -> Result<TicketView, Message> {
        let key = self.ticket_meant(typed)?;
        self.ticket_view(&key).ok_or_else(|| {
            let source = &key.source;
            Message::new(format!("配置里没有来源 {source}"), format!("the configuration has no source {source}"))
        })
    }

    fn is_wanted(&self, tracked: &Tracked, wanted: &TicketsWanted) -> bool {
        let key = &tracked.ticket.key;
        let team = || {
            let labels = self.labels_of(&key.source);
            let seen = Seen::at_rest(&tracked.ticket, &tracked.facts, labels);
            labels.team_of(&seen).present().map(|team| team.name.clone())
        };
        wanted.source.as_ref().is_none_or(|source| *source == key.source)
            && wanted.openness.has(tracked.ticket.is_closed() == Some(true))
            && wanted.team.as_ref().is_none_or(|wanted| team().as_ref() == Some(wanted))
    }
}
