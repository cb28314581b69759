//! A helpdesk as a list of tickets that change, each with the versions it had.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use deskbell::domain::{
    id::{SourceName, TicketId, TicketKey},
    ticket::{CustomField, Known, Status, Ticket},
    time::Timestamp,
};

use super::random::Random;

pub(crate) const SOURCE: &str = "desk";

/// A ticket's true state at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Truth {
    pub(crate) status: Status,
    pub(crate) score: Option<i64>,
    pub(crate) urgent: bool,
    /// The custom fields are not shown.
    pub(crate) hidden: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Option<Timestamp>,
    pub(crate) closed_at: Option<Timestamp>,
}

/// The tickets, by number.
#[derive(Default)]
pub(crate) struct Helpdesk {
    pub(crate) tickets: BTreeMap<u64, Truth>,
    /// Every version of every ticket, from when it stood.
    pub(crate) versions: BTreeMap<u64, Vec<(Timestamp, Truth)>>,
}

impl Helpdesk {
    pub(crate) fn create(&mut self, now: Timestamp) {
        let number = 1_000 + self.versions.len() as u64;
        let truth = Truth {
            status: Status::Processing,
            score: None,
            urgent: false,
            hidden: false,
            created_at: now,
            updated_at: None,
            closed_at: None,
        };
        self.keep(number, truth, now);
    }

    /// Changes some ticket somehow.
    pub(crate) fn change(&mut self, random: &mut Random, now: Timestamp) {
        let numbers: Vec<u64> = self.tickets.keys().copied().collect();
        let Some(number) = numbers.get(random.below(numbers.len() as u64) as usize).copied() else { return };
        let mut truth = self.tickets.get(&number).unwrap().clone();
        let mut moved = true;
        match random.below(6) {
            0 | 1 => {
                truth.status =
                    if truth.status == Status::WaitingForUser { Status::Processing } else { Status::WaitingForUser };
                truth.closed_at = None;
            }
            2 => {
                truth.status = Status::ClosedByAgent;
                truth.closed_at = Some(now);
            }
            3 => truth.urgent = !truth.urgent,
            4 if truth.score.is_none() => {
                truth.score = Some(random.within(1, 3));
                moved = random.chance(50); // nothing promises that a rating moves `updated_at`
            }
            _ => {}
        }
        if moved {
            truth.updated_at = Some(now);
        }
        self.keep(number, truth, now);
    }

    pub(crate) fn delete(&mut self, random: &mut Random) {
        let numbers: Vec<u64> = self.tickets.keys().copied().collect();
        if let Some(number) = numbers.get(random.below(numbers.len() as u64) as usize) {
            self.tickets.remove(number);
        }
    }

    fn keep(&mut self, number: u64, truth: Truth, now: Timestamp) {
        self.versions.entry(number).or_default().push((now, truth.clone()));
        self.tickets.insert(number, truth);
    }
}

/// The key deskbell knows the ticket by.
pub(crate) fn key(number: u64) -> TicketKey {
    TicketKey::new(SourceName::from(SOURCE), TicketId::from(number.to_string().as_str()))
}

/// What the list says of a ticket.
pub(crate) fn shown(number: u64, truth: &Truth) -> (u64, Ticket) {
    let field = CustomField {
        value: Known::Present(if truth.urgent { "P0" } else { "P2" }.into()),
        display_name: Known::Present("优先级".into()),
        ..CustomField::default()
    };
    let ticket = Ticket {
        status: Known::Present(truth.status),
        score: truth.score.into(),
        created_at: Known::Present(truth.created_at),
        updated_at: truth.updated_at.into(),
        closed_at: truth.closed_at.into(),
        customized_fields: if truth.hidden { Known::Unknown } else { Known::Present(Arc::from([field])) },
        ..Ticket::unknown(key(number))
    };
    let mut hasher = DefaultHasher::new();
    format!("{truth:?}").hash(&mut hasher);
    (hasher.finish(), ticket)
}
