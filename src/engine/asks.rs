//! Questions that change nothing, each with its answer: a closed set, answered from what the desk knows.

use tokio::sync::oneshot;

use crate::domain::{
    desk::{
        duties::Duties,
        in_force::RuleRow,
        letters::{Letter, Letters},
        lists::{AlertRow, AlertsFound, AlertsWanted},
        machine::Desk,
        meant::Meant,
        shown::{TicketsFound, TicketsWanted},
        silences::SilenceLine,
    },
    explain::explanation::Explained,
    id::RotaName,
    notice::TicketView,
    receiver::PersonId,
    route::Routed,
    text::Message,
    time::Timestamp,
};

/// Where an answer goes, or why there is none.
pub type Back<T> = oneshot::Sender<Result<T, Message>>;

/// A question.
pub enum Ask {
    /// What the rules say of a ticket.
    Explain {
        /// The ticket as typed.
        ticket: String,
        /// One rule; absent: all.
        rule: Option<String>,
        /// The answer.
        reply: Back<Explained>,
    },
    /// Which alerts there are.
    Alerts(Box<AlertsWanted>, Back<AlertsFound>),
    /// The alert with this reference.
    Alert(String, Back<AlertRow>),
    /// Which tickets are under watch.
    Tickets(Box<TicketsWanted>, Back<TicketsFound>),
    /// The ticket that is meant.
    Ticket(String, Back<Box<TicketView>>),
    /// What is not delivered.
    Letters(Back<Letters>),
    /// The notice named so.
    Letter(String, Back<Letter>),
    /// Whom a ticket's alerts reach.
    Route(String, Back<Routed>),
    /// Which silences are in force.
    Silences(Back<Vec<SilenceLine>>),
    /// The rules in force.
    Rules(Back<Vec<RuleRow>>),
    /// Who is on call.
    Oncall(Back<Duties>),
    /// Whom a text means who is to stand in on this rota.
    Person(RotaName, String, Back<PersonId>),
    /// What is meant by what someone typed.
    Meant(String, Back<Meant>),
}

impl Ask {
    /// Answers, unless whoever asked has given up.
    pub fn answer(self, desk: &Desk, now: Timestamp) {
        match self {
            Self::Explain { ticket, rule, reply } => say(reply, || desk.explain(&ticket, rule.as_deref(), now)),
            Self::Alerts(wanted, reply) => say(reply, || desk.list_alerts(&wanted, now)),
            Self::Alert(reference, reply) => say(reply, || desk.alert_row(&reference, now)),
            Self::Tickets(wanted, reply) => say(reply, || desk.list_tickets(&wanted, now)),
            Self::Ticket(typed, reply) => say(reply, || desk.ticket_shown(&typed).map(Box::new)),
            Self::Letters(reply) => say(reply, || Ok(desk.letters())),
            Self::Letter(name, reply) => say(reply, || desk.letter(&name)),
            Self::Route(ticket, reply) => say(reply, || desk.route(&ticket, now)),
            Self::Silences(reply) => say(reply, || Ok(desk.silences(now))),
            Self::Rules(reply) => say(reply, || Ok(desk.rules_in_force())),
            Self::Oncall(reply) => say(reply, || Ok(desk.duties())),
            Self::Person(rota, typed, reply) => say(reply, || desk.person_meant(&rota, &typed)),
            Self::Meant(typed, reply) => say(reply, || desk.meant(&typed)),
        }
    }
}

fn say<T>(reply: Back<T>, answer: impl FnOnce() -> Result<T, Message>) {
    if !reply.is_closed() {
        reply.send(answer()).ok(); // gone meanwhile: nobody waits for it
    }
}
