//! Where the command line writes and what it asks. Answers go to standard output, everything else to standard error;
//! a closed pipe is not a failure.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::domain::text::{Locale, Message};

/// Characters a typed answer may have.
const ANSWER_BYTES_MAX: u64 = 4096;

/// The person at the other end.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// The language they read.
    pub locale: Locale,
}

impl Terminal {
    /// Prints a sentence.
    pub fn say(self, message: &Message) {
        self.print(message.get(self.locale));
    }

    /// Prints lines as they are.
    pub fn print(self, text: &str) {
        // A closed pipe (`deskbell fields | head`) is the reader's choice.
        writeln!(io::stdout().lock(), "{text}").ok();
    }

    /// Prints a sentence beside the answers.
    pub fn note(self, message: &Message) {
        self.print_beside(message.get(self.locale));
    }

    /// Prints lines beside the answers.
    pub fn print_beside(self, text: &str) {
        writeln!(io::stderr().lock(), "{text}").ok();
    }

    /// Whether answers may have colours: only for a terminal that has them, and only for who wants them (`NO_COLOR`).
    pub fn has_colour(self) -> bool {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_plain = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_plain
    }

    /// Whether a person can be asked.
    pub fn can_ask(self) -> bool {
        io::stdin().is_terminal()
    }

    /// Asks for a secret: what is typed is not shown. Without a terminal, the next line of the input.
    pub fn ask_secret(self, question: &Message) -> Option<String> {
        if !self.can_ask() {
            return self.ask(question);
        }
        let mut out = io::stderr().lock();
        write!(out, "{} ", question.get(self.locale)).and_then(|()| out.flush()).ok()?;
        rpassword::read_password().ok().map(|typed| typed.trim().to_string())
    }

    /// Asks a question and gives the typed line without blanks around it; nothing at the end of the input.
    pub fn ask(self, question: &Message) -> Option<String> {
        let mut out = io::stderr().lock();
        write!(out, "{} ", question.get(self.locale)).and_then(|()| out.flush()).ok()?;
        let mut line = String::new();
        let mut input = io::Read::take(io::stdin().lock(), ANSWER_BYTES_MAX);
        match input.read_line(&mut line) {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(line.trim().to_string()),
        }
    }
}
