//! A card, platform-neutral: what people see, not how a platform spells it.

/// The colour of a card's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// The title: plain text, all a lock screen shows.
    pub title: String,
    /// The header's colour.
    pub colour: Colour,
    /// Up to three tags beside the title: plain text.
    pub tags: Vec<String>,
    /// The body in card markdown; everything that came from outside is escaped in it already.
    pub body: String,
    /// The small print: as of when the data is, the rule, the alert's reference. Plain text.
    pub footer: String,
}

/// Tags a header can hold.
pub const CARD_TAGS_MAX: usize = 3;

/// Characters card markdown gives a meaning to, each written as a number so that it is only shown
/// (`facts/feishu.md §7.4`).
pub fn escape_markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' | '<' | '>' | '*' | '_' | '~' | '[' | ']' | '(' | ')' | '`' | '#' | '!' | '\\' | '|' | ':' | '@' => {
                out.push_str(&format!("&#{};", u32::from(c)));
            }
            '\r' => {}
            c => out.push(c),
        }
    }
    out
}
