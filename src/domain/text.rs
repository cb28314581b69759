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
    let plain = if trimmed.is_ascii() {
        !trimmed.bytes().any(|byte| byte.is_ascii_uppercase())
    } else {
        is_nfkc_quick(trimmed.chars()) == IsNormalized::Yes && !trimmed.chars().any(has_lower_case_twin)
    };
    if plain {
        return Cow::Borrowed(trimmed);
    }
    let lower: String = trimmed.nfkc().flat_map(char::to_lowercase).nfkc().collect();
    Cow::Owned(lower.trim().to_string())
}

fn has_lower_case_twin(c: char) -> bool {
    let mut lower = c.to_lowercase();
    lower.next() != Some(c) || lower.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
