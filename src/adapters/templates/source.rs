//! Where a piece of a template stands in its file, so that a fault inside it has a place people can go to.

use std::sync::Arc;

use crate::domain::fault::Place;

/// A text that is a template of its own, and where it stands in its file.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// The file.
    pub(crate) file: Arc<str>,
    /// The text.
    pub(crate) text: String,
    /// The line of its first character.
    pub(crate) line: usize,
    /// The column of its first character.
    pub(crate) column: usize,
    /// It stands in the file letter by letter; otherwise faults are placed at its beginning.
    pub(crate) verbatim: bool,
}

impl Source {
    /// The place of a byte of the text.
    pub(crate) fn place(&self, at: usize) -> Place {
        let before = self.text.get(..at).unwrap_or(&self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        self.place_of(line, column)
    }

    /// The place of a line and column of the text.
    pub(crate) fn place_of(&self, line: usize, column: usize) -> Place {
        let (line, column) = match (self.verbatim, line) {
            (false, _) => (self.line, self.column),
            (true, 0 | 1) => (self.line, self.column + column.saturating_sub(1)),
            (true, line) => (self.line + line - 1, column),
        };
        Place { file: self.file.clone(), line, column }
    }

    /// The place of `word` inside the tag that begins at a line and column of the text; the tag's where it is not
    /// found.
    pub(crate) fn place_in_tag(&self, line: usize, column: usize, word: &str) -> Place {
        let start = self.byte(line, column);
        let rest = self.text.get(start..).unwrap_or_default();
        let tag = rest.find("}}").and_then(|end| rest.get(..end)).unwrap_or(rest);
        let continues = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '/' | '@' | '-');
        let found = tag.match_indices(word).map(|(at, _)| at).find(|at| {
            let before = tag.get(..*at).and_then(|text| text.chars().next_back());
            let after = tag.get(at + word.len()..).and_then(|text| text.chars().next());
            !before.is_some_and(continues) && !after.is_some_and(continues)
        });
        match found {
            Some(at) if !word.is_empty() => self.place(start + at),
            _ => self.place_of(line, column),
        }
    }

    /// The text from a line and column on.
    pub(crate) fn from(&self, line: usize, column: usize) -> &str {
        self.text.get(self.byte(line, column)..).unwrap_or_default()
    }

    fn byte(&self, line: usize, column: usize) -> usize {
        let mut start = 0;
        for text in self.text.split_inclusive('\n').take(line.saturating_sub(1)) {
            start += text.len();
        }
        let inside = self.text.get(start..).unwrap_or_default();
        start + inside.chars().take(column.saturating_sub(1)).map(char::len_utf8).sum::<usize>()
    }
}
