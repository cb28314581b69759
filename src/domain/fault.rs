//! A fault in something people wrote: where it is, what was expected, what to do.

use std::{fmt, sync::Arc};

use crate::domain::text::Message;

/// A position in a file people wrote. Lines and columns count from 1; 0 means "the file as a whole".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Place {
    /// The file as the reader knows it, relative to the configuration where it can be.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Place {
    /// The file as a whole.
    pub fn file(file: impl Into<Arc<str>>) -> Self {
        Self { file: file.into(), line: 0, column: 0 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}", self.file),
            line => write!(f, "{}:{line}:{}", self.file, self.column),
        }
    }
}

/// Whether a fault stops the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gravity {
    /// Nothing starts with it.
    Error,
    /// Shown, and the start goes on.
    Warning,
}

/// One fault. All faults of all files are gathered before any is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// Whether it stops the start.
    pub gravity: Gravity,
    /// What is wrong and what was expected.
    pub message: Message,
    /// A suggestion.
    pub hint: Option<Message>,
}

impl Fault {
    /// A fault that stops the start.
    pub fn error(place: Place, message: Message) -> Self {
        Self { place, gravity: Gravity::Error, message, hint: None }
    }

    /// A fault that is only shown.
    pub fn warning(place: Place, message: Message) -> Self {
        Self { place, gravity: Gravity::Warning, message, hint: None }
    }

    /// The same fault with a suggestion.
    #[must_use]
    pub fn with_hint(mut self, hint: Message) -> Self {
        self.hint = Some(hint);
        self
    }
}
