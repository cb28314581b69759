//! What people type to the bot and what it means, message by message: `tests/cases/chat`.
//!
//! A line there is what is typed and what it means: `ticket <id>`, a command and what stands behind it (a list as it
//! would be typed again), `usage` with what stood for the id, `help`, `nothing`, or `unknown` with what is suggested.
//! `UPDATE_CASES=1` writes what is found.

use std::{env, fs, path::PathBuf};

use deskbell::domain::{
    command::{Command, reply, tickets::Query, verb::Verb},
    text::{Locale, Message},
};

/// Messages that the table must have at least.
const MESSAGES_MIN: usize = 200;

fn files() -> Vec<PathBuf> {
    let entries = fs::read_dir("tests/cases/chat").unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.collect();
    files.sort();
    files
}

/// What is typed and what it should mean, of a line that says so.
fn case(line: &str) -> Option<(String, String)> {
    let pair = line.strip_prefix("  - ")?;
    Some(serde_json::from_str(pair).unwrap_or_else(|error| panic!("{line}: {error}")))
}

fn means(command: &Command, locale: Locale) -> String {
    match command {
        Command::Ticket(id) => format!("ticket {id}"),
        Command::TicketUsage(text) => format!("usage {text}").trim_end().to_string(),
        Command::Help => "help".to_string(),
        Command::Said(Verb::Tickets, behind) => match Query::read(behind) {
            Ok(query) => format!("tickets {}", query.written(query.page, "@me").replace("页:1", "").trim()),
            Err(word) => format!("tickets, but not {word}"),
        }
        .trim_end()
        .to_string(),
        Command::Said(verb, behind) => format!("{} {behind}", verb.name()).trim_end().to_string(),
        Command::Overheard(verb, behind) => format!("overheard {} {behind}", verb.name()).trim_end().to_string(),
        Command::Nothing => "nothing".to_string(),
        Command::Unknown(_) => match suggested(command, locale) {
            Some(near) => format!("unknown: {near}"),
            None => "unknown".to_string(),
        },
    }
}

/// What is suggested to whoever typed something that means nothing.
fn suggested(command: &Command, locale: Locale) -> Option<String> {
    let Message { zh, en } = reply::to(command).unwrap();
    match locale {
        Locale::Zh => zh.split_once('“').and_then(|(_, rest)| rest.split_once('”')).map(|(near, _)| near.to_string()),
        Locale::En => en.split_once('"').and_then(|(_, rest)| rest.split_once('"')).map(|(near, _)| near.to_string()),
    }
}

/// Characters that nobody sees in a file, by their numbers.
fn visible(quoted: &str) -> String {
    let unseen =
        |c: char| (c.is_whitespace() && c != ' ') || matches!(c, '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{fe0f}');
    let shown = |c: char| if unseen(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
    quoted.chars().map(shown).collect()
}

#[test]
fn what_people_type_means_what_they_mean() {
    let updates = env::var_os("UPDATE_CASES").is_some();
    let (mut count, mut wrong) = (0, Vec::new());
    for file in files() {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let locale = if name == "en" { Locale::En } else { Locale::Zh };
        let text = fs::read_to_string(&file).unwrap();
        let mut found = String::new();
        for line in text.lines() {
            let Some((typed, expected)) = case(line) else {
                found.push_str(&format!("{line}\n"));
                continue;
            };
            count += 1;
            let meant = match name.as_str() {
                "replies" => means(&Command::parse_reply(&typed, true), locale),
                "overheard" => means(&Command::parse_reply(&typed, false), locale),
                _ => means(&Command::parse(&typed), locale),
            };
            if meant != expected {
                wrong.push(format!("{name}: {typed:?}: expected {expected:?}, found {meant:?}"));
            }
            let quoted = |text: &str| visible(&serde_json::to_string(text).unwrap());
            found.push_str(&format!("  - [{}, {}]\n", quoted(&typed), quoted(&meant)));
        }
        if updates {
            fs::write(&file, found).unwrap();
        }
    }
    assert!(count >= MESSAGES_MIN, "{count} messages");
    assert!(updates || wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
