//! From what was typed to how it ends: a verb is a function that gives `Ok` or a [`Stop`].

use std::{ffi::OsString, process::ExitCode};

use clap::{Parser, error::ErrorKind};

use crate::{
    cli::{
        alerts,
        args::{Arguments, StoreVerb, Verb},
        backtest, chats, check, deeds, demo, doctor, explain, fields, forget, init, journal, language, logging, oncall,
        outbox, rehearse, route, rules, schema, send_test, serve, silence, status, store,
        terminal::Terminal,
        test, ticket, usage, words,
    },
    domain::text::{Locale, Message},
};

/// Why a verb ended early. What was wrong is said once, where it is shown.
#[derive(Debug)]
pub enum Stop {
    /// Bad usage or configuration: exit code 2.
    Usage(Message),
    /// A failure: exit code 1.
    Failure(Message),
}

impl Stop {
    /// Bad usage or configuration.
    pub fn usage(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::Usage(Message::new(zh, en))
    }

    /// A failure.
    pub fn failure(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::Failure(Message::new(zh, en))
    }

    /// What is said.
    pub const fn message(&self) -> &Message {
        match self {
            Self::Usage(message) | Self::Failure(message) => message,
        }
    }

    /// The exit code: 2 for usage and configuration, 1 for failure.
    pub const fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Failure(_) => 1,
        }
    }
}

/// Runs the program with these arguments and says how it ended.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let environment = |name: &str| std::env::var(name).ok();
    let typed: Vec<OsString> = arguments.into_iter().collect();
    let arguments = match Arguments::try_parse_from(&typed) {
        Ok(arguments) => arguments,
        Err(error) => return not_understood(&error, &typed, &environment),
    };
    let locale = arguments.lang.map_or_else(|| language::of_environment(&environment), Locale::from);
    let terminal = Terminal { locale };
    // Between the demo's cards a log line would be noise.
    let quiet = matches!(arguments.verb, Verb::Demo(_)).then(|| "off".to_string());
    let filter = environment("DESKBELL_LOG").or(quiet);
    let ended = logging::start(arguments.log_format, filter.as_deref()).and_then(|()| verb(arguments.verb, terminal));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => {
            terminal.note(stop.message());
            ExitCode::from(stop.code())
        }
    }
}

/// Help that was asked for, or what is wrong with what was typed, in the reader's language.
fn not_understood(error: &clap::Error, typed: &[OsString], environment: &dyn Fn(&str) -> Option<String>) -> ExitCode {
    let words: Vec<String> = typed.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let locale = match usage::asked_for(&words) {
        Some("zh") => Locale::Zh,
        Some(_) => Locale::En,
        None => language::of_environment(environment),
    };
    match usage::in_chinese(error).filter(|_| locale == Locale::Zh) {
        Some(said) => Terminal { locale }.print_beside(&said),
        None => {
            error.print().ok(); // nobody is left to tell when the terminal is gone
        }
    }
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
        _ => ExitCode::from(2),
    }
}

fn verb(verb: Verb, terminal: Terminal) -> Result<(), Stop> {
    match verb {
        Verb::Serve { at, once } => serve::run(&at.config, once, terminal),
        Verb::Check { at } => check::run(&at.config, terminal),
        Verb::Test { paths, config, locale, format } => {
            let choice = test::run::Choice { paths, config, locale: locale.map(Locale::from), format };
            test::run::run(&choice, terminal)
        }
        Verb::Doctor { at, fix } => doctor::run::run(&at.config, fix, terminal),
        Verb::Ticket(arguments) => ticket::run(&arguments, terminal),
        Verb::Fields { at } => fields::run(&at.config, terminal),
        Verb::Rules { at, name, format } => rules::run(&at.config, name.as_deref(), format, terminal),
        Verb::Words { at, word, format } => words::run(&at.config, word.as_deref(), format, terminal),
        Verb::Schema { what } => schema::run(what, terminal),
        Verb::Chats { at } => chats::run(&at.config, terminal),
        Verb::SendTest { at, receiver, rule, ticket } => {
            send_test::run(&at.config, &receiver, rule.as_deref().zip(ticket.as_deref()), terminal)
        }
        Verb::Status { at, json } => status::run(&at.config, json, terminal),
        Verb::Alerts(arguments) => alerts::run(&arguments, terminal),
        Verb::Take(arguments) => deeds::run(&arguments, "take", terminal),
        Verb::Release(arguments) => deeds::run(&arguments, "release", terminal),
        Verb::Done(arguments) => deeds::run(&arguments, "done", terminal),
        Verb::Snooze(arguments) => deeds::snooze(&arguments, terminal),
        Verb::Outbox(arguments) => outbox::run(&arguments, terminal),
        Verb::Journal(arguments) => journal::run(&arguments, terminal),
        Verb::Silence(arguments) => silence::run(&arguments, terminal),
        Verb::Oncall(arguments) => oncall::run(&arguments, terminal),
        Verb::Forget(arguments) => forget::run(&arguments, terminal),
        Verb::Route(arguments) => route::run(&arguments, terminal),
        Verb::Explain(arguments) => explain::run(&arguments, terminal),
        Verb::Rehearse(arguments) => rehearse::run::run(&arguments, terminal),
        Verb::Backtest(arguments) => backtest::run(&arguments, terminal),
        Verb::Store(StoreVerb::Compact { at }) => store::compact(&at.config, terminal),
        Verb::Init { dir, base_url, yes } => init::run::run(&dir, &base_url, yes, terminal),
        Verb::Demo(arguments) => demo::run(&arguments, terminal),
    }
}
