//! What guest and agents said on a ticket, as far as rules ask for it: the newest words, and who waits for whom.

use std::{collections::BTreeSet, sync::Arc};

use crate::domain::{
    ticket::{Known, Person, Text, Ticket},
    time::Timestamp,
};

/// Messages that are kept of each side, the newest; the guest's first is kept besides.
pub const SAID_MAX: usize = 20;

/// Characters that are kept of a message.
pub const SAID_CHARS_MAX: usize = 500;

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Speaker {
    /// Who asked.
    Guest,
    /// A person who serves.
    Agent,
    /// The bot.
    Bot,
}

/// Who is who on a ticket, by open id: the guest is the guest whatever else they are; the owner, the agents and those who
/// helped are agents; whoever is none of these is the bot, whose words answer nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Speakers {
    guest: Option<Text>,
    agents: BTreeSet<Text>,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// When.
    pub at: Timestamp,
    /// The words; of pictures and files none.
    pub text: Text,
}

/// What was said on a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Conversation {
    /// The guest's newest messages, oldest first.
    pub guest: Arc<[Said]>,
    /// The agents' newest messages, oldest first.
    pub agent: Arc<[Said]>,
    /// The guest's first message with words.
    pub first_guest: Option<Said>,
    /// The oldest message of the guest that no agent answered: the bot's words answer nothing.
    pub unanswered_since: Option<Timestamp>,
}

impl Speakers {
    /// The speakers of a ticket; nothing while nobody knows who its guest is.
    pub fn of(ticket: &Ticket) -> Option<Self> {
        let id = |person: &Person| person.id.present().cloned();
        let guest = match &ticket.guest {
            Known::Unknown => return None,
            Known::Empty => None,
            Known::Present(guest) => Some(id(guest)?),
        };
        let several = [&ticket.agents, &ticket.collaborators].into_iter().filter_map(Known::present);
        let agents = several.flat_map(|persons| persons.iter()).chain(ticket.agent_owner.present());
        Some(Self { guest, agents: agents.filter_map(|person| id(person)).collect() })
    }

    /// Who somebody is.
    pub fn speaker(&self, open_id: &str) -> Speaker {
        if self.guest.as_deref() == Some(open_id) {
            Speaker::Guest
        } else if self.agents.contains(open_id) {
            Speaker::Agent
        } else {
            Speaker::Bot
        }
    }
}

impl Conversation {
    /// From all messages of a ticket, in any order.
    pub fn of(mut messages: Vec<(Speaker, Said)>) -> Self {
        messages.sort_by_key(|(_, said)| said.at);
        let mut unanswered_since = None;
        for (speaker, said) in &messages {
            match speaker {
                Speaker::Guest => unanswered_since = unanswered_since.or(Some(said.at)),
                Speaker::Agent => unanswered_since = None,
                Speaker::Bot => {}
            }
        }
        let newest = |wanted: Speaker| -> Arc<[Said]> {
            let of_side: Vec<Said> = messages
                .iter()
                .filter(|(speaker, said)| *speaker == wanted && !said.text.trim().is_empty())
                .map(|(_, said)| said.cut())
                .collect();
            let skip = of_side.len().saturating_sub(SAID_MAX);
            of_side.into_iter().skip(skip).collect()
        };
        let first = messages.iter().find(|(speaker, said)| *speaker == Speaker::Guest && !said.text.trim().is_empty());
        Self {
            guest: newest(Speaker::Guest),
            agent: newest(Speaker::Agent),
            first_guest: first.map(|(_, said)| said.cut()),
            unanswered_since,
        }
    }
}

impl Conversation {
    /// Who waits for whom, without a word of what was said.
    #[must_use]
    pub fn without_words(&self) -> Self {
        Self { unanswered_since: self.unanswered_since, ..Self::default() }
    }
}

impl Said {
    fn cut(&self) -> Self {
        if self.text.chars().nth(SAID_CHARS_MAX).is_none() {
            return self.clone();
        }
        Self { at: self.at, text: self.text.chars().take(SAID_CHARS_MAX).collect::<String>().into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::TicketKey;

    fn person(id: &str) -> Arc<Person> {
        Arc::new(Person { id: Known::Present(id.into()), ..Person::default() })
    }

    #[test]
    fn speakers_are_told_apart_by_their_ids() {
        let ticket = Ticket {
            guest: Known::Present(person("ou_guest")),
            agents: Known::Present([person("ou_a"), person("ou_guest")].into()),
            collaborators: Known::Present([person("ou_b")].into()),
            agent_owner: Known::Present(person("ou_owner")),
            ..Ticket::unknown(TicketKey::new("desk".into(), "1".into()))
        };
        let speakers = Speakers::of(&ticket).unwrap();
        for (id, expected) in [
            ("ou_guest", Speaker::Guest),
            ("ou_a", Speaker::Agent),
            ("ou_b", Speaker::Agent),
            ("ou_owner", Speaker::Agent),
            ("ou_bot", Speaker::Bot),
            ("", Speaker::Bot),
        ] {
            assert_eq!(speakers.speaker(id), expected, "{id}");
        }
        let nobody = Ticket { guest: Known::Empty, ..ticket.clone() };
        assert_eq!(Speakers::of(&nobody).unwrap().speaker("ou_guest"), Speaker::Agent);
        assert_eq!(Speakers::of(&Ticket { guest: Known::Unknown, ..ticket.clone() }), None);
        assert_eq!(Speakers::of(&Ticket { guest: Known::Present(Arc::default()), ..ticket }), None);
    }
}
