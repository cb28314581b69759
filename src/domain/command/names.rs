//! The names commands are written by, at the beginning of a text.

use crate::domain::command::verb::{VERBS, Verb};

/// The ticket command's names.
pub(super) const TICKET: &[&str] = &["ticket", "工单", "工单号", "单号", "查工单", "查单"];

/// The help command's names, which also work without the slash.
pub(super) const HELP: &[&str] = &["help", "帮助", "怎么用", "使用说明", "说明", "菜单", "menu"];

/// Names that say what of a command is wanted, with what is put before what stands behind them.
const LED: &[(&str, Verb, &str)] = &[
    ("取消静默", Verb::Silence, "end"),
    ("结束静默", Verb::Silence, "end"),
    ("解除静默", Verb::Silence, "end"),
    ("静默列表", Verb::Silence, "list"),
    ("unsilence", Verb::Silence, "end"),
    ("silences", Verb::Silence, "list"),
    ("我的单", Verb::Tickets, "我的"),
    ("我的工单", Verb::Tickets, "我的"),
    ("mine", Verb::Tickets, "我的"),
    ("没人接", Verb::Tickets, "没人接"),
    ("没人接的", Verb::Tickets, "没人接"),
    ("unassigned", Verb::Tickets, "没人接"),
    ("超时", Verb::Tickets, "超时"),
    ("超时的", Verb::Tickets, "超时"),
    ("overdue", Verb::Tickets, "超时"),
    ("排队", Verb::Count, "queue"),
    ("queue", Verb::Count, "queue"),
    ("差评", Verb::Count, "bad"),
    ("bad", Verb::Count, "bad"),
];

/// Every command as it is called first, with its other names.
pub fn commands() -> impl Iterator<Item = (String, Vec<&'static str>)> {
    let first = |names: &[&'static str]| {
        let rest = names.iter().skip(1).copied().collect();
        (names.first().copied().unwrap_or_default().to_string(), rest)
    };
    let verbs = VERBS.iter().map(|(_, name, names)| {
        (name.to_string(), names.iter().copied().filter(|other| other != name).collect::<Vec<_>>())
    });
    let mut led: Vec<(String, Vec<&'static str>)> = Vec::new();
    for (name, verb, lead) in LED {
        let written = format!("{} {lead}", verb.name());
        match led.iter_mut().find(|(known, _)| *known == written) {
            Some((_, names)) => names.push(name),
            None => led.push((written, vec![name])),
        }
    }
    [first(TICKET)].into_iter().chain(verbs).chain(led).chain([first(HELP)])
}

/// A command's name at the beginning of a text.
#[derive(Clone, Copy)]
pub(super) enum Name {
    Ticket,
    Help,
    Verb(Verb),
    Led(Verb, &'static str),
    None,
}

impl Name {
    /// Reads a name and gives what follows it. A Chinese name needs nothing after it; a longer one goes first.
    pub(super) fn read(text: &str) -> (Self, &str) {
        let word_end = text.find(|c: char| !c.is_alphabetic()).unwrap_or(text.len());
        let (word, rest) = text.split_at(word_end);
        if let Some(name) = Self::all().find(|(written, _)| *written == word) {
            return (name.1, rest);
        }
        let chinese = Self::all().filter(|(written, _)| !written.is_ascii());
        match chinese.filter(|(written, _)| word.starts_with(written)).max_by_key(|(written, _)| written.len()) {
            Some((written, name)) => (name, text.strip_prefix(written).unwrap_or_default()),
            None => (Self::None, text),
        }
    }

    pub(super) const fn is_known(self) -> bool {
        !matches!(self, Self::None)
    }

    /// Every name there is.
    pub(super) fn all() -> impl Iterator<Item = (&'static str, Self)> {
        let ticket = TICKET.iter().map(|name| (*name, Self::Ticket));
        let help = HELP.iter().map(|name| (*name, Self::Help));
        let verbs = VERBS.iter().flat_map(|(verb, _, names)| names.iter().map(|name| (*name, Self::Verb(*verb))));
        let led = LED.iter().map(|(name, verb, lead)| (*name, Self::Led(*verb, lead)));
        ticket.chain(help).chain(verbs).chain(led)
    }
}

/// The text behind a slash at its beginning. A Chinese input method writes `、` where the slash was pressed; that counts
/// only before a name that is known.
pub(super) fn behind_slash(text: &str) -> Option<&str> {
    if let Some(rest) = text.strip_prefix('/') {
        return Some(rest.trim_start_matches(['/', ' ']));
    }
    let rest = text.strip_prefix('、')?.trim_start();
    Name::read(rest).0.is_known().then_some(rest)
}

/// The first command of a text that holds one behind other words, or several: from its slash to the next command.
pub(super) fn first_command(text: &str) -> Option<&str> {
    let starts = |text: &str| -> Vec<usize> {
        let slash = |(at, c): (usize, char)| {
            let free = at == 0 || text.get(..at).is_some_and(|before| before.ends_with(char::is_whitespace));
            let names = || text.get(at..).and_then(behind_slash).is_some_and(|rest| Name::read(rest).0.is_known());
            (c == '/' && free && names()).then_some(at)
        };
        text.char_indices().filter_map(slash).collect()
    };
    let starts = starts(text);
    let first = *starts.first()?;
    text.get(first..starts.get(1).copied().unwrap_or(text.len())).map(str::trim_end)
}
