//! Words for people, in Chinese and English.

use std::{borrow::Cow, fmt};

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// A language people read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Locale {
    /// Simplified Chinese, the default.
    #[default]
    Zh,
    /// English.
    En,
}

impl Locale {
    /// Its name, as in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }
}

/// A fixed phrase in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// Chinese.
    pub zh: &'static str,
    /// English.
    pub en: &'static str,
}

impl Words {
    /// The phrase in `locale`.
    pub const fn get(self, locale: Locale) -> &'static str {
        match locale {
            Locale::Zh => self.zh,
            Locale::En => self.en,
        }
    }
}

/// A sentence made for the occasion, in both languages.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Message {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Message {
    /// A sentence in both languages.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }

    /// The sentence in `locale`.
    pub fn get(&self, locale: Locale) -> &str {
        match locale {
            Locale::Zh => &self.zh,
            Locale::En => &self.en,
        }
    }
}

impl From<Words> for Message {
    fn from(words: Words) -> Self {
        Self::new(words.zh, words.en)
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {}", self.zh, self.en)
    }
}

/// The text as comparisons see it: NFKC, trimmed, without case. Text that is so already is not copied.
pub fn fold(text: &str) -> Cow<'_, str> {
    let trimmed = text.trim();
    if trimmed.chars().all(|c| fold_alone(c) == Some(c)) {
        return Cow::Borrowed(trimmed);
    }
    let mut folded = String::with_capacity(trimmed.len());
    for c in trimmed.chars() {
        let Some(c) = fold_alone(c) else { return fold_any(trimmed) };
        folded.push(c);
    }
    Cow::Owned(folded)
}

/// What becomes of a character that folds without regard to its neighbours: of almost all that people write in Chinese
/// and English. Nothing for any other.
const fn fold_alone(c: char) -> Option<char> {
    match c {
        '\0'..='\x7f' => Some(c.to_ascii_lowercase()),
        '\u{4e00}'..='\u{9fff}' | '、' | '。' | '“' | '”' => Some(c),
        '！'..='～' => match char::from_u32(c as u32 - '！' as u32 + '!' as u32) {
            Some(half_width) => Some(half_width.to_ascii_lowercase()),
            None => None,
        },
        _ => None,
    }
}

fn fold_any(trimmed: &str) -> Cow<'_, str> {
    if is_nfkc_quick(trimmed.chars()) == IsNormalized::Yes && !trimmed.chars().any(has_lower_case_twin) {
        return Cow::Borrowed(trimmed);
    }
    let lower: String = trimmed.nfkc().flat_map(char::to_lowercase).nfkc().collect();
    Cow::Owned(lower.trim().to_string())
}

fn has_lower_case_twin(c: char) -> bool {
    let mut lower = c.to_lowercase();
    lower.next() != Some(c) || lower.next().is_some()
}

/// `1234567` as `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn folding_makes_equal_what_people_read_as_equal() {
        for (text, folded) in
            [(" Ｐ０ ", "p0"), ("VIP", "vip"), ("支付", "支付"), ("ｶﾞ", "ガ"), ("Å", "å"), ("ΣΣ", "σσ"), ("  ", "")]
        {
            assert_eq!(fold(text), folded, "{text}");
            assert_eq!(fold(folded), folded, "folding twice changes nothing");
        }
        assert!(matches!(fold("支付"), Cow::Borrowed(_)) && matches!(fold(" p0"), Cow::Borrowed(_)));
    }

    #[test]
    fn characters_that_fold_alone_fold_as_any() {
        let alone: Vec<char> = ('\0'..=char::MAX).filter(|c| fold_alone(*c).is_some()).collect();
        assert!(alone.len() > 20_000);
        for c in alone {
            for text in [format!("a{c}b"), format!("支{c}付"), format!("x{c}{c}”")] {
                assert_eq!(fold(&text), fold_any(&text), "{text:?}");
            }
        }
        for text in ["e\u{301}", "ｶﾞ", "한", "。\u{3099}か\u{3099}", "ＡＢ，C\u{3000}Ω"] {
            assert_eq!(fold(text), fold_any(text), "{text:?}");
        }
    }
}
