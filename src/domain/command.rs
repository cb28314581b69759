//! What a person asks the bot in chat, parsed from what they typed. Never asks who they are or what they may see.

use unicode_normalization::UnicodeNormalization;

use crate::domain::{
    command::{
        silence::Asked,
        verb::{Behind, VERBS, Verb, named},
    },
    id::TicketId,
    text::Locale,
};

pub mod oncall;
pub mod phrases;
pub mod reply;
pub mod silence;
pub mod verb;
#[cfg(test)]
mod tests;

/// What a person asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `/ticket <id>`: the ticket's card, by its id or (five digits or more) the end of it.
    Ticket(TicketId),
    /// `/ticket` without an id, or with something that is none: how to write it. Holds what stood for the id.
    TicketUsage(String),
    /// `/help`.
    Help,
    /// A command about alerts, with what stands behind its name (folded, at most [`BEHIND_CHARS_MAX`] characters).
    Said(Verb, String),
    /// The same in a reply that is written to nobody: it counts where it hangs on a card of ours.
    Overheard(Verb, String),
    /// A command of the language that is not built yet, by its name (`/alerts`).
    NotBuilt(String),
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

/// Digits of a ticket id as the platform has written them so far (`seeds`: `6626871355780366331`).
const FULL_ID_DIGITS: usize = 19;

/// Digits an id can have at most: the wire's number is a 64-bit one.
const ID_DIGITS_MAX: usize = 20;

/// Fewer digits than these, alone in a message, are no try at a ticket id.
const TAIL_DIGITS_MIN: usize = 5;

/// The ticket command's names.
const TICKET: &[&str] = &["ticket", "工单", "工单号"];

/// Names that say what of a command is wanted, with what is put before what stands behind them.
const LED: &[(&str, Verb, &str)] = &[
    ("取消静默", Verb::Silence, "end"),
    ("结束静默", Verb::Silence, "end"),
    ("解除静默", Verb::Silence, "end"),
    ("静默列表", Verb::Silence, "list"),
    ("unsilence", Verb::Silence, "end"),
    ("silences", Verb::Silence, "list"),
];

/// The help command's names, which also work without the slash.
const HELP: &[&str] = &["help", "帮助", "怎么用", "使用说明"];

/// Commands of the language that are not built yet: name, then its twins.
const NOT_BUILT: &[(&str, &[&str])] =
    &[("/tickets", &["tickets", "工单列表"]), ("/order", &["order", "订单"]), ("/rules", &["rules", "规则"])];

/// Courtesies that need no answer.
const COURTESIES: &[&str] = &[
    "谢谢",
    "谢谢你",
    "谢谢啦",
    "谢了",
    "谢谢了",
    "多谢",
    "感谢",
    "辛苦",
    "辛苦了",
    "好",
    "好的",
    "好滴",
    "好嘞",
    "好哒",
    "好了",
    "行",
    "可以",
    "嗯",
    "嗯嗯",
    "哦",
    "噢",
    "收到",
    "了解",
    "明白",
    "知道了",
    "没事",
    "不用了",
    "哈哈",
    "赞",
    "棒",
    "ok",
    "okay",
    "k",
    "thanks",
    "thank you",
    "thanks a lot",
    "thx",
    "ty",
    "got it",
    "cool",
    "great",
    "nice",
    "fine",
    "roger",
    "no problem",
    "np",
];

/// How a mention of everyone stands in a text (`facts/feishu.md §5.6`).
const EVERYONE: &[&str] = &["@_all", "@所有人", "@all", "@everyone"];

/// The language someone writes in, where the text shows it. Commands, ids, references and addresses show none:
/// `/take #4F7A2C` is typed in every language, and so are the names behind it.
pub fn language(text: &str) -> Option<Locale> {
    let text = fold(text);
    if text.chars().any(|c| matches!(c, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')) {
        return Some(Locale::Zh);
    }
    let text = text.trim_start();
    if text.starts_with('/') || ime_slash(text).is_some() {
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
            Self::Unknown(_) | Self::Help if everyone && !text.starts_with('/') => Self::Nothing,
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
        if let Some(command) = text.strip_prefix('/').or_else(|| ime_slash(text)) {
            return slash(command.trim_start(), text);
        }
        if text.chars().all(|c| "? ".contains(c)) {
            return Self::Help;
        }
        plain(text)
    }
}

/// The text as commands are compared: full-width forms made narrow, small letters, without invisible characters.
fn fold(text: &str) -> String {
    let visible = text.chars().take(TEXT_CHARS_MAX).filter(|c| !is_invisible(*c));
    let narrow: String = visible.nfkc().collect();
    narrow.to_lowercase().chars().map(|c| if c.is_control() || c.is_whitespace() { ' ' } else { c }).collect()
}

/// Characters that pasted text brings along and nobody sees.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fe0f}')
}

/// A Chinese input method writes `、` where the slash was pressed; only before a name that is known.
fn ime_slash(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('、')?.trim_start();
    (!matches!(Name::read(rest), (Name::None, _))).then_some(rest)
}

/// A command's name at the beginning of a text.
#[derive(Clone, Copy)]
enum Name {
    Ticket,
    Help,
    Verb(Verb),
    Led(Verb, &'static str),
    NotBuilt(&'static str),
    None,
}

impl Name {
    /// Reads a name and gives what follows it. A Chinese name needs nothing after it; a longer one goes first.
    fn read(text: &str) -> (Self, &str) {
        let word_end = text.find(|c: char| !c.is_alphabetic()).unwrap_or(text.len());
        let (word, rest) = text.split_at(word_end);
        if let Some(name) = Self::all().find(|(written, _)| *written == word) {
            return (name.1, rest);
        }
        let chinese = Self::all().filter(|(written, _)| !written.is_ascii());
        match chinese.filter(|(written, _)| word.starts_with(written)).max_by_key(|(written, _)| written.len()) {
            Some((written, name)) => (name, text.strip_prefix(written).unwrap_or_default()),
            None => (Self::None, text),
        }
    }

    fn all() -> impl Iterator<Item = (&'static str, Self)> {
        let ticket = TICKET.iter().map(|name| (*name, Self::Ticket));
        let help = HELP.iter().map(|name| (*name, Self::Help));
        let later =
            NOT_BUILT.iter().flat_map(|(canonical, names)| names.iter().map(|n| (*n, Self::NotBuilt(canonical))));
        let verbs = VERBS.iter().flat_map(|(verb, _, names)| names.iter().map(|name| (*name, Self::Verb(*verb))));
        let led = LED.iter().map(|(name, verb, lead)| (*name, Self::Led(*verb, lead)));
        ticket.chain(help).chain(verbs).chain(led).chain(later)
    }
}

/// Whether an id is the last digits of one: whoever typed it means the ticket that ends so.
pub fn is_tail(id: &TicketId) -> bool {
    let id = id.as_str();
    (TAIL_DIGITS_MIN..FULL_ID_DIGITS).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// What follows a slash.
fn slash(text: &str, whole: &str) -> Command {
    match Name::read(text) {
        (Name::Ticket, rest) => ticket(rest),
        (Name::Help, _) => Command::Help,
        (Name::Verb(verb), rest) => Command::Said(verb, behind(rest)),
        (Name::Led(verb, lead), rest) => Command::Said(verb, led(lead, rest)),
        (Name::NotBuilt(name), _) => Command::NotBuilt(name.to_string()),
        (Name::None, _) => match only_id(text) {
            Some(id) => Command::Ticket(id), // `/6626…`
            None => Command::Unknown(excerpt(whole)),
        },
    }
}

/// What follows `/ticket`: one id, dressed as people dress it.
fn ticket(rest: &str) -> Command {
    match full_ids(rest).as_slice() {
        [one] => return Command::Ticket(TicketId::from(*one)),
        [] => {}
        _ => return Command::TicketUsage(excerpt(rest)),
    }
    match only_id(rest) {
        Some(id) => Command::Ticket(id),
        None => Command::TicketUsage(excerpt(rest)),
    }
}

/// A message without a slash: an id alone or in a sentence, a courtesy, a word that means a command.
fn plain(text: &str) -> Command {
    let bare = undress(text);
    if !bare.is_empty() && bare.chars().all(|c| c.is_ascii_digit() || c == ' ') {
        return alone(&bare, text);
    }
    match full_ids(text).as_slice() {
        [] => {}
        _ if text.contains("为什么") || text.split(' ').any(|word| word == "why") => {
            return match full_ids(text).as_slice() {
                [one] => Command::Said(Verb::Why, (*one).to_string()),
                _ => Command::TicketUsage(excerpt(text)),
            };
        }
        [one] => return Command::Ticket(TicketId::from(*one)),
        _ => return Command::TicketUsage(excerpt(text)),
    }
    let words = without_emoji(text);
    if words.is_empty() || COURTESIES.contains(&words.as_str()) {
        return Command::Nothing;
    }
    if let Some(verb) = Verb::anywhere(&words) {
        return Command::Said(verb, String::new());
    }
    if HELP.contains(&words.as_str()) {
        return Command::Help;
    }
    if let (Name::Ticket, rest) = Name::read(text) {
        // `工单 123`, `ticket`: not a sentence about tickets.
        if undress(rest).chars().all(|c| c.is_ascii_digit() || c == ' ') {
            return ticket(rest);
        }
    }
    if let (Name::Verb(verb), rest) = Name::read(text)
        && Behind::read(rest).names_an_alert()
    {
        return Command::Said(verb, behind(rest)); // `我来处理 #4F7A2C`
    }
    if let (Name::Led(verb, lead), rest) = Name::read(text)
        && Asked::read(&led(lead, rest)) != Asked::Usage
    {
        return Command::Said(verb, led(lead, rest)); // `取消静默 S1`
    }
    Command::Unknown(excerpt(text))
}

/// Digits and nothing else: a whole id, or (five digits or more) a try at one.
fn alone(bare: &str, text: &str) -> Command {
    let digits: String = bare.chars().filter(char::is_ascii_digit).collect();
    match digits.len() {
        FULL_ID_DIGITS..=ID_DIGITS_MAX => Command::Ticket(TicketId::from(digits.as_str())),
        TAIL_DIGITS_MIN..FULL_ID_DIGITS => Command::Ticket(TicketId::from(digits.as_str())),
        0..TAIL_DIGITS_MIN => Command::Unknown(excerpt(text)),
        _ => Command::TicketUsage(excerpt(text)),
    }
}

/// The id, when the text is nothing but one: digits, dressed, or split by spaces into a whole id.
fn only_id(text: &str) -> Option<TicketId> {
    let bare = undress(text);
    let digits: String = bare.chars().filter(|c| *c != ' ').collect();
    let plain = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
    let one = !bare.contains(' ') || digits.len() == FULL_ID_DIGITS;
    (plain && one && digits.len() <= ID_DIGITS_MAX).then(|| TicketId::from(digits.as_str()))
}

/// The text without what people put around an id.
fn undress(text: &str) -> String {
    const DRESS: &str = "#:=,.;!?<>()[]{}\"'`“”‘’「」『』【】《》。、；，！～~№ ";
    let text = text.trim_matches(|c| DRESS.contains(c));
    let text = ["id", "号", "no"].iter().find_map(|word| text.strip_prefix(word)).unwrap_or(text);
    text.trim_matches(|c| DRESS.contains(c)).to_string()
}

/// The whole ids in a text, each once, in order. Shorter runs of digits are other things: telephone numbers, dates,
/// an identity card's eighteen.
fn full_ids(text: &str) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for run in text.split(|c: char| !c.is_ascii_digit()) {
        if (FULL_ID_DIGITS..=ID_DIGITS_MAX).contains(&run.len()) && !found.contains(&run) {
            found.push(run);
        }
    }
    found
}

/// The words of a text without emoji (Feishu writes some as `[赞]`) and punctuation.
fn without_emoji(text: &str) -> String {
    const EMOJI_CHARS_MAX: usize = 16;
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        out.push_str(before);
        rest = match after.split_once(']') {
            Some((name, after)) if name.chars().count() <= EMOJI_CHARS_MAX && !after.starts_with('(') => after,
            _ => {
                out.push(' ');
                after
            }
        };
    }
    out.push_str(rest);
    let words: String = out.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn led(lead: &str, rest: &str) -> String {
    behind(&format!("{lead} {}", rest.trim_start_matches([' ', ':'])))
}

fn behind(text: &str) -> String {
    text.trim().chars().take(BEHIND_CHARS_MAX).collect()
}

fn excerpt(text: &str) -> String {
    text.trim().chars().take(EXCERPT_CHARS_MAX).collect()
}
