//! Who did something: a person in chat, an agent in the helpdesk, an operator at the command line, deskbell itself.

use crate::domain::{id::OpenId, text::Message, ticket::Text};

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Actor {
    /// A person of the platform, who clicked or wrote.
    Person {
        /// Who they are to the platform.
        id: OpenId,
        /// What they are called, where that is known.
        name: Option<Text>,
    },
    /// An agent, seen to act in the helpdesk; by name.
    Agent(Text),
    /// Whoever holds the API's token, by the name they gave.
    Operator(Text),
    /// deskbell itself.
    Deskbell,
}

/// Characters of an open id that stand for a person without a known name.
const ID_TAIL_CHARS: usize = 4;

impl Actor {
    /// A person without a known name.
    pub const fn person(id: OpenId) -> Self {
        Self::Person { id, name: None }
    }

    /// What they are called on cards and in the journal.
    pub fn words(&self) -> Message {
        match self {
            Self::Operator(name) => operator_words(name),
            Self::Person { name: Some(name), .. } | Self::Agent(name) => {
                Message::new(name.to_string(), name.to_string())
            }
            Self::Person { id, name: None } => {
                let id = id.as_str();
                let tail: String = id.chars().skip(id.chars().count().saturating_sub(ID_TAIL_CHARS)).collect();
                Message::new(format!("同事（…{tail}）"), format!("a colleague (…{tail})"))
            }
            Self::Deskbell => Message::new("deskbell", "deskbell"),
        }
    }

    /// The person's id, where they are a person of the platform.
    pub const fn open_id(&self) -> Option<&OpenId> {
        match self {
            Self::Person { id, .. } => Some(id),
            Self::Agent(_) | Self::Operator(_) | Self::Deskbell => None,
        }
    }

    /// Whether both are the same person, whatever is known of their names.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self.open_id(), other.open_id()) {
            (Some(one), Some(two)) => one == two,
            _ => self == other,
        }
    }
}

/// What stands behind the name of whoever acts at the command line, before the account that acts in their name.
const CLI: &str = " (CLI";

/// Characters of a name, and of an account, at the command line.
const NAME_CHARS_MAX: usize = 24;

/// Who acts at the command line, as it is kept: the name they gave and the account they did it from, or the account.
pub fn at_command_line(named: Option<&str>, account: Option<&str>) -> String {
    let short = |text: &str| text.trim().chars().take(NAME_CHARS_MAX).collect::<String>();
    match (named.map(short), account.map(short)) {
        (Some(name), Some(account)) if name != account => format!("{name}{CLI} {account})"),
        (Some(name), _) | (None, Some(name)) => format!("{name}{CLI})"),
        (None, None) => CLI.trim_start_matches(" (").to_string(),
    }
}

/// An operator's name, told from a click of that person's own.
fn operator_words(name: &str) -> Message {
    if name == CLI.trim_start_matches(" (") {
        return Message::new("命令行", "the command line");
    }
    let parts = name.split_once(CLI).and_then(|(who, rest)| Some((who, rest.split_once(')')?)));
    match parts {
        None => Message::new(name, name),
        Some((who, ("", rest))) => {
            Message::new(format!("{who}（命令行）{rest}"), format!("{who} (command line){rest}"))
        }
        Some((who, (account, rest))) => {
            let account = account.trim();
            Message::new(
                format!("{who}（{account} 由命令行代行）{rest}"),
                format!("{who} (by {account} at the command line){rest}"),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_acts_at_the_command_line_is_told_from_a_click_of_their_own() {
        for (named, account, kept, zh, en) in [
            (None, Some("root"), "root (CLI)", "root（命令行）", "root (command line)"),
            (
                Some("李雷"),
                Some("root"),
                "李雷 (CLI root)",
                "李雷（root 由命令行代行）",
                "李雷 (by root at the command line)",
            ),
            (Some("li"), Some("li"), "li (CLI)", "li（命令行）", "li (command line)"),
            (Some("李雷"), None, "李雷 (CLI)", "李雷（命令行）", "李雷 (command line)"),
            (None, None, "CLI", "命令行", "the command line"),
        ] {
            let by = at_command_line(named, account);
            let words = Actor::Operator(by.as_str().into()).words();
            assert_eq!((by.as_str(), words.zh.as_str(), words.en.as_str()), (kept, zh, en));
            let with_token = Actor::Operator(format!("{by} (ops)").as_str().into()).words();
            assert!(with_token.zh.ends_with("(ops)"), "{with_token}");
        }
        assert_eq!(Actor::Operator("王芳".into()).words().zh, "王芳", "over the API they are who they say");
    }
}
