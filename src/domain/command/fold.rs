//! Text as commands are compared: what people's keyboards, input methods and clipboards bring along is gone.

use unicode_normalization::UnicodeNormalization;

use crate::domain::command::TEXT_CHARS_MAX;

/// Full-width forms made narrow, small letters, without invisible characters; every blank and line break is a space.
pub(super) fn fold(text: &str) -> String {
    let visible = text.chars().take(TEXT_CHARS_MAX).filter(|c| !is_invisible(*c));
    let narrow: String = visible.nfkc().collect();
    let blank = |c: char| c.is_control() || c.is_whitespace();
    narrow.to_lowercase().chars().map(|c| if blank(c) { ' ' } else { c }).collect()
}

/// Characters that pasted text brings along and nobody sees.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
        | '\u{feff}' | '\u{fe0e}' | '\u{fe0f}')
}

/// The words of a text without emoji (Feishu writes some as `[赞]`) and punctuation.
pub(super) fn without_emoji(text: &str) -> String {
    const EMOJI_CHARS_MAX: usize = 16;
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        out.push_str(before);
        rest = match after.split_once(']') {
            Some((name, after))
                if name.chars().count() <= EMOJI_CHARS_MAX && !name.contains('#') && !after.starts_with('(') =>
            {
                after
            }
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

/// The text without what people put around an id.
pub(super) fn undress(text: &str) -> &str {
    const DRESS: &str = "#:=,.;!?<>()[]{}\"'`“”‘’「」『』【】《》。、；，！～~№*|/ ";
    const LED: [&str; 6] = ["id", "no", "尾号", "单号", "号码", "号"];
    let bare = |text: &'static str| text;
    let text = text.trim_matches(|c| bare(DRESS).contains(c));
    let text = LED.iter().find_map(|word| text.strip_prefix(word)).unwrap_or(text);
    text.trim_matches(|c| bare(DRESS).contains(c))
}
