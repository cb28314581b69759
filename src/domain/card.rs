//! A card, platform-neutral: what people see, not how a platform spells it.

use crate::domain::{
    alert::AlertKey,
    id::OpenId,
    text::{Locale, Message},
};

/// The colour of a card's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Colour {
    /// Information.
    Blue,
    /// Fine, over.
    Green,
    /// Look at it today.
    Orange,
    /// Look at it now.
    Red,
    /// Neutral.
    #[default]
    Grey,
    /// Neutral, of people.
    Purple,
    /// Neutral, of numbers.
    Turquoise,
    /// Attention.
    Yellow,
}

impl Colour {
    /// Every colour, as templates may name them.
    pub const ALL: [Self; 8] =
        [Self::Blue, Self::Green, Self::Orange, Self::Red, Self::Grey, Self::Purple, Self::Turquoise, Self::Yellow];

    /// Its name in templates, which is also the platform's.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Green => "green",
            Self::Orange => "orange",
            Self::Red => "red",
            Self::Grey => "grey",
            Self::Purple => "purple",
            Self::Turquoise => "turquoise",
            Self::Yellow => "yellow",
        }
    }

    /// The colour of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|colour| colour.name() == name)
    }
}

/// A card.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Card {
    /// The title: plain text, all a lock screen shows.
    pub title: String,
    /// The header's colour.
    pub colour: Colour,
    /// Up to three tags beside the title: plain text.
    pub tags: Vec<String>,
    /// The body in card markdown; everything that came from outside is escaped in it already. May be empty where the
    /// title says it all; the footer never is.
    pub body: String,
    /// The small print: as of when the data is, the rule, the alert's reference. Plain text.
    pub footer: String,
    /// Whom it mentions, on a line of their own.
    pub mentions: Vec<Mentioned>,
    /// It may be forwarded to other chats.
    pub forward: bool,
    /// Its buttons.
    pub buttons: Vec<Button>,
    /// A line under them that explains them; empty where none does. Plain text.
    pub hint: String,
    /// It hangs on a card as a reply: whoever clicks on it does not click on the card.
    pub is_reply: bool,
}

/// Which buttons an alert's card shows. No state of the alert: it comes with a click, and the next update shows the plain
/// ones again.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Menu {
    /// What most people want.
    #[default]
    Plain,
    /// All the rest.
    More,
    /// How long it may be put off.
    Later,
    /// Why it rings, in words, and the way back.
    Why(Message),
    /// None: another card stands in for this one, and this one says so.
    Replaced,
}

/// A person a card mentions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mentioned {
    /// Someone in the chat: they are notified.
    There(OpenId),
    /// Someone who is not in the chat, or whom the platform refused: only named. Plain text.
    Named(String),
}

/// A button of a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// What it says. Plain text.
    pub text: String,
    /// Whether it is the one most people want.
    pub primary: bool,
    /// What it does.
    pub does: Does,
}

/// What a button does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Does {
    /// Opens an address: http, https or an applink.
    Open(String),
    /// Tells deskbell what to do with an alert.
    Press(Press, AlertKey, u32),
    /// Asks deskbell something.
    Ask(Question),
}

/// What a button asks: whoever clicks asks as if they had typed it. A card or a page that answers takes the place of the
/// one with the button; a sentence stands under it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Question {
    /// As it would be typed: `/tickets 状态:待用户响应 页:2`.
    pub text: String,
    /// The card stands in a direct chat: the platform does not say that of a click.
    pub is_direct: bool,
    /// The language of the card.
    pub locale: Locale,
}

/// A button that asks on: the next page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// What it says.
    pub words: Message,
    /// What it asks.
    pub asks: Question,
}

/// What a button asks deskbell to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Press {
    /// Take it.
    Take,
    /// Give it back.
    Release,
    /// It is handled.
    Done,
    /// Show how long it may be put off.
    Later,
    /// Put it off for half an hour.
    Snooze30m,
    /// Put it off for two hours.
    Snooze2h,
    /// Put it off until the next working day.
    SnoozeWorkday,
    /// Show the further buttons.
    More,
    /// Why it rings.
    Why,
    /// Show the card as it was.
    Back,
    /// Silence this ticket for two hours.
    Silence2h,
    /// Silence this ticket until the next working day.
    SilenceWorkday,
}

impl Press {
    /// Every press, with its word in a button's value.
    pub const ALL: [(Self, &'static str); 12] = [
        (Self::Take, "take"),
        (Self::Release, "release"),
        (Self::Done, "done"),
        (Self::Later, "later"),
        (Self::Snooze30m, "snooze_30m"),
        (Self::Snooze2h, "snooze_2h"),
        (Self::SnoozeWorkday, "snooze_workday"),
        (Self::More, "more"),
        (Self::Why, "why"),
        (Self::Back, "back"),
        (Self::Silence2h, "silence_2h"),
        (Self::SilenceWorkday, "silence_workday"),
    ];

    /// Its word in a button's value.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(press, _)| *press == self).map_or("", |(_, name)| name)
    }

    /// The press of that word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, word)| *word == name).map(|(press, _)| press)
    }
}

/// Tags a header can hold.
pub const CARD_TAGS_MAX: usize = 3;

/// Text from outside on one line of plain text: line breaks and tabs become spaces, runs of them one space; control
/// characters and those that turn the direction of writing are left out, so that what is read is what was written.
pub fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_whitespace() || matches!(c, '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}') {
            if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
            }
        } else if !(c.is_control() || turns_or_hides(c)) {
            out.push(c);
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Characters that turn the direction of writing or are not seen, but for the joiners emoji are made of.
const fn turns_or_hides(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// Text from outside as card markdown that only shows it, on one line: every character that markdown gives a meaning
/// to is written as its number, which the platform shows and never interprets (`facts/feishu.md §7.4`). The dot is
/// one of them because of `1.` and of bare domains; `-`, `+` and `=` only where a line might begin with them.
pub fn escape_markdown(text: &str) -> String {
    let text = one_line(text);
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    let mut after_mark = true;
    for c in text.chars() {
        let mark = matches!(c, '-' | '+' | '=');
        let special = match c {
            '&' | '<' | '>' | '*' | '_' | '~' | '[' | ']' | '(' | ')' | '{' | '}' | '`' | '#' | '!' | '\\' | '|'
            | ':' | '@' | '.' | '$' | '"' | '\'' => true,
            _ => mark && after_mark,
        };
        if special {
            out.push_str("&#");
            out.push_str(&u32::from(c).to_string());
            out.push(';');
        } else {
            out.push(c);
        }
        after_mark = mark;
    }
    out
}

/// What a reader sees of card markdown: tags and emphasis marks gone, numbered characters as themselves, links as
/// text and address. For terminals and tests.
pub fn shown(body: &str) -> String {
    let mut out = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(c) = rest.chars().next() {
        let (seen, taken) = match c {
            '<' => (None, rest.find('>').map_or(1, |end| end + 1)),
            '*' if rest.starts_with("**") => (None, 2),
            '~' if rest.starts_with("~~") => (None, 2),
            '&' => numbered(rest).map_or((Some(c), 1), |(seen, taken)| (Some(seen), taken)),
            ']' if rest.starts_with("](") => (Some(' '), 1),
            '[' => (None, 1),
            c => (Some(c), c.len_utf8()),
        };
        out.extend(seen);
        rest = rest.get(taken..).unwrap_or_default();
    }
    out
}

/// The character a text begins with as a number (`&#60;`), and how many bytes that takes.
fn numbered(text: &str) -> Option<(char, usize)> {
    let (digits, _) = text.strip_prefix("&#")?.split_once(';')?;
    let seen = char::from_u32(digits.parse().ok()?)?;
    Some((seen, digits.len() + 3))
}

/// `text` cut to at most `chars` characters, an ellipsis included; what belongs to the character before it (marks,
/// joiners) never stands alone.
pub fn cut(text: &str, chars: usize) -> String {
    if text.chars().nth(chars).is_none() {
        return text.to_string();
    }
    let kept: String = text.chars().take(chars.saturating_sub(1)).collect();
    let kept = kept.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '\u{200d}' | '\u{fe0f}'));
    format!("{kept}…")
}

/// The same, but no word of letters and digits is broken where the text has a break before it.
pub fn cut_at_word(text: &str, chars: usize) -> String {
    let kept = cut(text, chars);
    let (Some(whole), true) = (kept.strip_suffix('…'), kept != text) else { return kept };
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':');
    let breaks = text.get(whole.len()..).and_then(|rest| rest.chars().next()).is_some_and(is_word);
    let head = whole.trim_end_matches(is_word);
    if !breaks || head.trim().is_empty() || head.len() == whole.len() {
        return kept;
    }
    format!("{}…", head.trim_end())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{cut, cut_at_word, escape_markdown, one_line, shown};

    #[test]
    fn what_markdown_would_read_is_only_shown() {
        let cases = [
            ("<at id=all></at>", "&#60;at id=all&#62;&#60;/at&#62;"),
            ("[x](https://a.b)", "&#91;x&#93;&#40;https&#58;//a&#46;b&#41;"),
            ("**bold** :OK:", "&#42;&#42;bold&#42;&#42; &#58;OK&#58;"),
            ("- item", "&#45; item"),
            ("---", "&#45;&#45;&#45;"),
            ("a-b, 2026-11-20", "a-b, 2026-11-20"),
            ("1. first", "1&#46; first"),
            ("a\nb\r\n\n---\nc", "a b -&#45;&#45; c"),
            ("</font> x", "&#60;/font&#62; x"),
        ];
        for (text, want) in cases {
            assert_eq!(escape_markdown(text), want, "{text}");
        }
    }

    #[test]
    fn one_line_keeps_what_is_read() {
        assert_eq!(one_line(" a\n\tb\u{202e}c\u{0} 👩\u{200d}💻\u{2028}d "), "a bc 👩\u{200d}💻 d");
    }

    #[test]
    fn cutting_counts_characters() {
        assert_eq!(cut("打印机连不上", 6), "打印机连不上");
        assert_eq!(cut("打印机连不上", 4), "打印机…");
        assert_eq!(cut_at_word("the bot is not in the chat", 13), "the bot is…");
        assert_eq!(cut_at_word("the bot is not in the chat", 15), "the bot is not…");
        assert_eq!(cut_at_word("机器人不在群里：bot_not_in_chat", 12), "机器人不在群里：…");
        assert_eq!(cut_at_word("supercalifragilistic", 9), "supercal…");
        assert_eq!(cut_at_word("打印机连不上", 4), "打印机…");
        assert_eq!(cut_at_word("short", 9), "short");
        assert_eq!(cut("ab👩\u{200d}💻c", 5), "ab👩…");
    }

    proptest! {
        #[test]
        fn escaped_text_holds_no_markup_and_is_shown_as_written(text in any::<String>()) {
            let escaped = escape_markdown(&text);
            for c in ['<', '>', '*', '_', '~', '[', ']', '(', ')', '`', '\n', '\r', '@', ':', '.', '|', '\\'] {
                prop_assert!(!escaped.contains(c), "{c:?} in {escaped:?}");
            }
            prop_assert!(!escaped.starts_with(['-', '+', '=']));
            prop_assert_eq!(shown(&escaped), one_line(&text));
        }
    }
}
