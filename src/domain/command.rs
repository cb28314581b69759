//! What a person asks the bot in chat, parsed from what they typed. Never asks who they are or what they may see.
//!
//! `fold` makes what keyboards and clipboards bring comparable, `names` knows commands, `said` the phrases without one,
//! `ids` what a ticket is called by; `tickets`, `silence`, `oncall` and `order` read what stands behind a name.

use crate::domain::{
    command::{
        fold::{fold, undress, without_emoji},
        names::{HELP, Name, behind_slash, first_command},
        silence::Asked,
        tickets::IDS_MAX,
        verb::{Behind, Verb, named},
    },
    id::TicketId,
    text::Locale,
};

mod fold;
pub mod ids;
pub mod names;
mod nearest;
pub mod oncall;
pub mod order;
pub mod phrases;
pub mod reply;
mod said;
pub mod silence;
pub mod tickets;
pub mod verb;
#[cfg(test)]
mod tests;

/// What a person asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// One ticket's card, by its id or (five digits or more) the end of one.
    Ticket(TicketId),
    /// `/ticket` without an id, or with something that is none: how to write it. Holds what stood for the id.
    TicketUsage(String),
    /// `/help`.
    Help,
    /// Any other command, with what stands behind its name (folded, at most [`BEHIND_CHARS_MAX`] characters).
    Said(Verb, String),
    /// The same in a reply that is written to nobody: it counts where it hangs on a card of ours.
    Overheard(Verb, String),
    /// Thanks, a mention of everyone, nothing to answer.
    Nothing,
    /// Anything else: a short suggestion. Holds the beginning of what was typed.
    Unknown(String),
}

/// Characters of a message that are looked at; the rest can hold nothing that a command needs.
pub const TEXT_CHARS_MAX: usize = 2_000;

/// Characters of a message that are kept with [`Command::Unknown`] and [`Command::TicketUsage`].
pub const EXCERPT_CHARS_MAX: usize = 60;

/// Characters that are kept of what stands behind a command's name.
pub const BEHIND_CHARS_MAX: usize = 500;

/// How a mention of everyone stands in a text (`facts/feishu.md §5.6`).
const EVERYONE: &[&str] = &["@_all", "@所有人", "@all", "@everyone"];

/// Whether an id is the last digits of one: whoever typed it means the ticket that ends so.
pub fn is_tail(id: &TicketId) -> bool {
    ids::is_tail(id.as_str())
}

/// The language someone writes in, where the text shows it. Commands, ids, references and addresses show none:
/// `/take #4F7A2C` is typed in every language, and so are the names behind it.
pub fn language(text: &str) -> Option<Locale> {
    let text = fold(text);
    if text.chars().any(|c| matches!(c, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')) {
        return Some(Locale::Zh);
    }
    let text = text.trim_start();
    if behind_slash(text).is_some() {
        return None;
    }
    let of_no_language = |word: &str| {
        word.contains("://")
            || named(word.trim_matches(|c: char| c.is_ascii_punctuation())).is_some()
            || Name::all().any(|(name, _)| name == word)
    };
    let english = |word: &str| word.len() > 1 && word.chars().all(|c| c.is_ascii_alphabetic() || "'.,!?".contains(c));
    text.split_whitespace().any(|word| english(word) && !of_no_language(word)).then_some(Locale::En)
}

impl Command {
    /// Reads what a person typed, the bot's mention already taken out.
    pub fn parse(text: &str) -> Self {
        let mut text = fold(text);
        let everyone = EVERYONE.iter().any(|mention| text.contains(mention));
        if everyone {
            for mention in EVERYONE {
                text = text.replace(mention, " ");
            }
        }
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let command = Self::of_folded(&text);
        match command {
            // Whoever speaks to everyone does not speak to the bot, unless it is a command.
            _ if everyone && behind_slash(&text).is_none() && !matches!(command, Self::Ticket(_)) => Self::Nothing,
            command => command,
        }
    }

    /// Reads what a person typed in reply to a message: on a card a word is enough. What is not written to the bot
    /// (`to_bot`) is only overheard.
    pub fn parse_reply(text: &str, to_bot: bool) -> Self {
        let plain = Verb::in_reply(&without_emoji(&fold(text))).map(|verb| Self::Said(verb, String::new()));
        match plain.unwrap_or_else(|| Self::parse(text)) {
            Self::Said(verb, behind) if !to_bot && verb.acts() => Self::Overheard(verb, behind),
            _ if !to_bot => Self::Nothing,
            command => command,
        }
    }

    fn of_folded(text: &str) -> Self {
        if text.is_empty() {
            return Self::Help; // a bare mention: someone looks for a way in
        }
        // Of several commands the first one; what stands before it is talk.
        let text = first_command(text).unwrap_or(text);
        if let Some(command) = behind_slash(text) {
            return slash(command, text);
        }
        if text.chars().all(|c| "? ".contains(c)) {
            return Self::Help;
        }
        plain(text)
    }
}

/// What follows a slash.
fn slash(text: &str, whole: &str) -> Command {
    match Name::read(text) {
        (Name::Ticket, rest) => ticket(rest),
        (Name::Help, _) => Command::Help,
        (Name::Verb(verb), rest) => Command::Said(verb, behind(rest)),
        (Name::Led(verb, lead), rest) => Command::Said(verb, led(lead, rest)),
        (Name::None, _) => match plain(text) {
            ids @ (Command::Ticket(_) | Command::Said(Verb::Tickets, _)) => ids, // `/6626…`
            Command::Said(verb, behind) if !text.is_ascii() && !verb.acts() => Command::Said(verb, behind), // `/谁在值班`
            _ => Command::Unknown(excerpt(whole)),
        },
    }
}

/// What follows `/ticket`: ids, dressed as people dress them, or in a sentence.
fn ticket(rest: &str) -> Command {
    if let Some(ids) = ids::only(rest) {
        let fit = ids.iter().all(|id| id.len() <= ids::ID_DIGITS_MAX);
        let one_or_all_tails = ids.len() == 1 || ids.iter().all(|id| id.len() >= ids::TAIL_DIGITS_MIN);
        if fit && one_or_all_tails {
            return of_ids(&ids);
        }
        return Command::TicketUsage(excerpt(rest));
    }
    let whole = ids::whole(rest);
    let ids = if whole.is_empty() { ids::tails(rest) } else { whole };
    // `abc12345` is no id.
    let glued = rest.split_whitespace().any(|word| word.is_ascii() && undress(word).starts_with(char::is_alphabetic));
    if ids.is_empty() || (glued && !rest.contains("://") && ids.iter().all(|id| ids::is_tail(id))) {
        return Command::TicketUsage(excerpt(rest));
    }
    of_ids(&ids)
}

/// One ticket's card, or a list of several.
fn of_ids(ids: &[String]) -> Command {
    match ids {
        [] => Command::TicketUsage(String::new()),
        [one] => Command::Ticket(one.as_str().into()),
        several => {
            // The list says how many were left out, so a few more are kept.
            let kept: Vec<&str> = several.iter().take(IDS_MAX * 2).map(String::as_str).collect();
            Command::Said(Verb::Tickets, behind(&kept.join(" ")))
        }
    }
}

/// A message without a slash: ids alone or in a sentence, a courtesy, a phrase that means a command.
fn plain(text: &str) -> Command {
    let words = without_emoji(text);
    if words.is_empty() || said::is_courtesy(&words) {
        return Command::Nothing;
    }
    if let Some(ids) = ids::only(text) {
        return alone(&ids, text);
    }
    if said::asks_why(text) {
        return why(text);
    }
    let whole = ids::whole(text);
    if !whole.is_empty() {
        return of_ids(&whole);
    }
    if let Some(reference) = said::reference(text) {
        return Command::Said(Verb::Why, reference);
    }
    if let Some(verb) = Verb::anywhere(&words) {
        return Command::Said(verb, String::new());
    }
    if HELP.contains(&words.as_str()) {
        return Command::Help;
    }
    if let Some(command) = said::meaning(text) {
        return command;
    }
    by_name(text).or_else(|| in_sentence(text)).unwrap_or_else(|| Command::Unknown(excerpt(text)))
}

/// Digits and nothing else: whole ids, or (five digits or more) the ends of some.
fn alone(ids: &[String], text: &str) -> Command {
    if ids.iter().any(|id| id.len() > ids::ID_DIGITS_MAX) {
        return Command::TicketUsage(excerpt(text));
    }
    if ids.iter().any(|id| id.len() < ids::TAIL_DIGITS_MIN) {
        return Command::Unknown(excerpt(text));
    }
    of_ids(ids)
}

/// `为什么没报 6626…`, of a ticket or an alert; one at a time.
fn why(text: &str) -> Command {
    let reference = || text.split_whitespace().find_map(said::reference);
    if said::asks_why_alone(text) {
        return Command::Said(Verb::Why, String::new());
    }
    let mut ids = ids::whole(text);
    if ids.is_empty() {
        ids = ids::tails(text);
    }
    match (ids.as_slice(), reference()) {
        ([one], _) => Command::Said(Verb::Why, one.clone()),
        ([], Some(reference)) => Command::Said(Verb::Why, reference),
        ([], None) => Command::Unknown(excerpt(text)),
        (several, _) => Command::Said(Verb::Why, behind(&several.join(" "))), // which is answered by how to write it
    }
}

/// A command's name without its slash, where nothing else can be meant by what follows.
fn by_name(text: &str) -> Option<Command> {
    match Name::read(text) {
        // `工单`, `ticket 123`: not a sentence about tickets.
        (Name::Ticket, rest) if ids::only(rest).is_some() || undress(rest).is_empty() => Some(ticket(rest)),
        (Name::Verb(Verb::Tickets), rest) if tickets::is_meant(rest) => {
            Some(Command::Said(Verb::Tickets, behind(rest)))
        }
        (Name::Verb(Verb::Order), rest) if order::Asked::read(rest).is_some() => {
            Some(Command::Said(Verb::Order, behind(rest)))
        }
        // `我来处理 #4F7A2C`
        (Name::Verb(verb), rest) if Behind::read(rest).names_an_alert() => Some(Command::Said(verb, behind(rest))),
        // `取消静默 S1`
        (Name::Led(Verb::Silence, lead), rest) if Asked::read(&led(lead, rest)) != Asked::Usage => {
            Some(Command::Said(Verb::Silence, led(lead, rest)))
        }
        _ => None,
    }
}

/// What a sentence holds: a condition, an order's number, the end of a ticket's id.
fn in_sentence(text: &str) -> Option<Command> {
    if tickets::is_condition(text) {
        return Some(Command::Said(Verb::Tickets, behind(text)));
    }
    if said::is_of_tickets(text) {
        let ids = ids::tails(text);
        return (!ids.is_empty()).then(|| of_ids(&ids));
    }
    if said::is_of_orders(text)
        && let [number] = ids::tails(text).as_slice()
    {
        return Some(Command::Said(Verb::Order, number.clone()));
    }
    said::reference_in(text).map(|reference| Command::Said(Verb::Why, reference))
}

fn led(lead: &str, rest: &str) -> String {
    behind(&format!("{lead} {}", rest.trim_start_matches([' ', ':'])))
}

fn behind(text: &str) -> String {
    text.trim().chars().take(BEHIND_CHARS_MAX).collect::<String>().trim_end().to_string()
}

fn excerpt(text: &str) -> String {
    text.trim().chars().take(EXCERPT_CHARS_MAX).collect()
}
