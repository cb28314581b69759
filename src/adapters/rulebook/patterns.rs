//! The regular expressions of rules: each of bounded size, and all of a folder together too.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};

use crate::domain::text::Message;

/// Bytes one compiled pattern may take. The sizes are tried in turn: the first that is enough is charged.
const SIZES: [usize; 4] = [16 << 10, 64 << 10, 256 << 10, 1 << 20];

/// Bytes that all patterns of a folder may take together.
const BYTES_MAX: usize = 64 << 20;

/// The patterns compiled so far, each once.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    compiled: BTreeMap<String, Regex>,
    bytes: usize,
    /// One was refused for want of room: no other is tried.
    full: bool,
}

impl Patterns {
    /// The pattern, or what is wrong with it and what to do.
    pub(super) fn compile(&mut self, text: &str) -> Result<Regex, (Message, Message)> {
        if let Some(known) = self.compiled.get(text) {
            return Ok(known.clone());
        }
        if self.full {
            return Err(too_many());
        }
        let (pattern, bytes) = sized(text).map_err(|error| broken(&error))?;
        self.full = self.bytes + bytes > BYTES_MAX;
        if self.full {
            return Err(too_many());
        }
        self.bytes += bytes;
        self.compiled.insert(text.to_string(), pattern.clone());
        Ok(pattern)
    }
}

/// The pattern and the size that was enough for it.
fn sized(text: &str) -> Result<(Regex, usize), regex::Error> {
    let [.., largest] = SIZES;
    for size in SIZES {
        match RegexBuilder::new(text).size_limit(size).dfa_size_limit(largest).build() {
            Ok(pattern) => return Ok((pattern, size)),
            Err(regex::Error::CompiledTooBig(_)) if size < largest => {}
            Err(error) => return Err(error),
        }
    }
    Err(regex::Error::CompiledTooBig(largest))
}

fn broken(error: &regex::Error) -> (Message, Message) {
    let reason = error.to_string();
    let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
    (
        Message::new(format!("正则表达式有误：{reason}"), format!("not a regular expression: {reason}")),
        Message::new("只是找一段文字的话，用 contains", "to find plain text, use contains"),
    )
}

fn too_many() -> (Message, Message) {
    let mib = BYTES_MAX >> 20;
    (
        Message::new(
            format!("这个文件夹的正则表达式加起来太大，最多 {mib} MiB"),
            format!("the regular expressions of this folder are too large together: at most {mib} MiB"),
        ),
        Message::new(
            "只是找文字的话用 contains；{100} 这样的重复写小一些",
            "to find plain text use contains; make repetitions such as {100} smaller",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_compiled_once_and_bounded_together() {
        let mut patterns = Patterns::default();
        assert!(patterns.compile("^实习").unwrap().is_match("实习生"));
        let once = patterns.bytes;
        assert!(once > 0 && patterns.compile("^实习").is_ok());
        assert_eq!(patterns.bytes, once, "the same pattern costs nothing more");
        assert!(patterns.compile("(").unwrap_err().0.en.contains("unclosed group"));
        assert!(patterns.compile("(a{1000}){1000}").unwrap_err().0.en.contains("not a regular expression"));
        let refused = (0..100_000).find_map(|number| patterns.compile(&format!(r"\w{{20}}{number}")).err());
        assert!(refused.unwrap().0.en.contains("too large together"));
        assert!(patterns.bytes <= BYTES_MAX);
    }
}
