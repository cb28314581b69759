//! What guest and agents said on a ticket, as far as rules ask for it: the newest words, and who waits for whom.

use std::sync::Arc;

use crate::domain::{ticket::Text, time::Timestamp};

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

impl Said {
    fn cut(&self) -> Self {
        if self.text.chars().nth(SAID_CHARS_MAX).is_none() {
            return self.clone();
        }
        Self { at: self.at, text: self.text.chars().take(SAID_CHARS_MAX).collect::<String>().into() }
    }
}
