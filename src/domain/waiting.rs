//! Who waits for whom on a ticket, and since when.

use crate::domain::{
    seen::Seen,
    ticket::{Known, Status},
    time::Timestamp,
};

/// The stage in which people serve (`ticket_type`); before it the bot does.
const HUMAN: i64 = 2;

/// Who waits for the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// The guest, for a word of the agents.
    Guest,
    /// The agents, for a word of the guest.
    Agents,
}

/// Who waits, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Who.
    pub who: Waits,
    /// Since when.
    pub since: Timestamp,
}

impl Waiting {
    /// Who waits on a ticket: by what was said where that is known, else by its status and its times. Nobody on a
    /// closed one, while the bot serves, and where nothing tells.
    pub fn of(seen: &Seen<'_>) -> Option<Self> {
        let ticket = seen.ticket;
        let by_bot = ticket.ticket_type.present().is_some_and(|stage| *stage != HUMAN);
        if ticket.is_closed() != Some(false) || by_bot {
            return None;
        }
        let talk = seen.facts.conversation.present();
        if let Some(since) = talk.and_then(|talk| talk.unanswered_since) {
            return Some(Self { who: Waits::Guest, since });
        }
        let said = talk.and_then(|talk| talk.agent.last()).map(|said| said.at);
        let replied = said.max(ticket.agent_last_response_time.present().copied());
        if ticket.status.present() == Some(&Status::WaitingForUser) {
            return Some(Self { who: Waits::Agents, since: replied.unwrap_or(seen.facts.status_since) });
        }
        match (talk, ticket.agent_first_response_time, ticket.agent_entry_time.present()) {
            // Of times alone nobody knows whether the guest came back since.
            (Some(_), ..) => Some(Self { who: Waits::Agents, since: said? }),
            (None, Known::Empty, Some(since)) => Some(Self { who: Waits::Guest, since: *since }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{
        conversation::{Conversation, Said},
        facts::Facts,
        id::TicketKey,
        labels::Labels,
        ticket::Ticket,
    };

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_ms(minute * 60_000)
    }

    #[test]
    fn what_was_said_tells_best_then_the_status_then_the_times() {
        let nobody: (&[i64], Option<i64>) = (&[], None);
        let cases = [
            ("the guest wrote last", 2, 2, Some((&[5_i64][..], Some(7))), Some((Waits::Guest, 7))),
            ("though the status waits for them", 5, 2, Some((&[5], Some(7))), Some((Waits::Guest, 7))),
            ("the agents wrote last", 2, 2, Some((&[5, 6], None)), Some((Waits::Agents, 6))),
            ("nobody wrote", 2, 2, Some(nobody), None),
            ("nobody wrote and the status waits", 5, 2, Some(nobody), Some((Waits::Agents, 3))),
            ("unknown words, the status waits", 5, 2, None, Some((Waits::Agents, 3))),
            ("unknown words, no agent answered yet", 3, 2, None, Some((Waits::Guest, 2))),
            ("the bot serves", 2, 1, Some((&[], Some(7))), None),
            ("it is closed", 51, 2, Some((&[5], Some(7))), None),
        ];
        for (what, status, stage, talk, expected) in cases {
            let said = |minute: &i64| Said { at: at(*minute), text: "x".into() };
            let conversation = talk.map(|(agent, unanswered)| {
                let agent = agent.iter().map(said).collect();
                Arc::new(Conversation { agent, unanswered_since: unanswered.map(at), ..Conversation::default() })
            });
            let conversation = conversation.map_or(Known::Unknown, Known::Present);
            let facts = Facts { conversation, ..Facts::new(at(3), at(1)) };
            let ticket = Ticket {
                status: Known::Present(Status::from_code(status)),
                ticket_type: Known::Present(stage),
                agent_entry_time: Known::Present(at(2)),
                agent_first_response_time: Known::Empty,
                ..Ticket::unknown(TicketKey::new("desk".into(), "1".into()))
            };
            let found = Waiting::of(&Seen::at_rest(&ticket, &facts, Labels::none()));
            let expected = expected.map(|(who, since)| Waiting { who, since: at(since) });
            assert_eq!(found, expected, "{what}");
        }
    }
}
