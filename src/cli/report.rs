//! Faults for people: where, the line, a caret under the place, what was expected, a suggestion. Never shows a line
//! that holds a secret.

use std::path::Path;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::domain::{
    fault::{Fault, Gravity, Place},
    text::{Locale, Message, Words},
};

/// Columns of a file's line that are shown.
const LINE_WIDTH_MAX: usize = 100;

/// Characters of a file's line that are looked at; what stands behind them is out of sight.
const LINE_CHARS_MAX: usize = 1_000;

/// Faults that are shown in full; the rest is counted.
const FAULTS_SHOWN_MAX: usize = 200;

/// Keys whose values are secrets.
const SECRET_KEYS: &[&str] = &[
    "app_secret",
    "helpdesk_token",
    "verification_token",
    "encrypt_key",
    "api_token",
    "token",
    "secret",
    "webhook",
    "proxy",
    "bearer",
    "wecom",
    ADDRESS_KEY,
];

/// A key whose value is a secret only where it is an address: `events` has a switch of the same name.
const ADDRESS_KEY: &str = "http";

/// Every fault, in the order of the files, then a sentence that counts them. `read` gives a file's text.
pub fn faults(faults: &[Fault], locale: Locale, read: &dyn Fn(&str) -> Option<String>) -> String {
    let mut sorted: Vec<&Fault> = faults.iter().collect();
    sorted.sort_by(|one, other| one.place.cmp(&other.place));
    let mut out = String::new();
    for fault in sorted.iter().take(FAULTS_SHOWN_MAX) {
        one(fault, locale, read, &mut out);
        out.push('\n');
    }
    if let Some(more) = sorted.len().checked_sub(FAULTS_SHOWN_MAX).filter(|more| *more > 0) {
        let rest = Message::new(format!("还有 {more} 处没有列出"), format!("{more} more are not shown"));
        out.push_str(&format!("{}\n\n", rest.get(locale)));
    }
    out.push_str(count(&sorted).get(locale));
    out
}

/// Gives the text of a file that a place names: relative to `base`, or as it is written.
pub fn reader(base: &Path) -> impl Fn(&str) -> Option<String> + use<> {
    let base = base.to_path_buf();
    move |file: &str| std::fs::read_to_string(base.join(file)).or_else(|_| std::fs::read_to_string(file)).ok()
}

fn one(fault: &Fault, locale: Locale, read: &dyn Fn(&str) -> Option<String>, out: &mut String) {
    let gravity = match fault.gravity {
        Gravity::Error => Words { zh: "错误", en: "error" },
        Gravity::Warning => Words { zh: "注意", en: "warning" },
    };
    out.push_str(&format!("{} {}\n", gravity.get(locale), fault.place));
    if let Some(lines) = shown(&fault.place, read) {
        out.push_str(&lines);
    }
    out.push_str(&format!("  {}\n", fault.message.get(locale)));
    if let Some(hint) = &fault.hint {
        out.push_str(&format!("  → {}\n", hint.get(locale)));
    }
}

/// The line and a caret under the column.
fn shown(place: &Place, read: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let text = read(&place.file)?;
    let line = text.lines().nth(place.line.checked_sub(1)?)?;
    let line: String = line.chars().take(LINE_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = without_secrets(&line);
    let before: String = line.chars().take(place.column.saturating_sub(1)).collect();
    let number = format!("{:>4}", place.line);
    if before.width() >= LINE_WIDTH_MAX {
        return None; // the place would be out of sight
    }
    let gap = " ".repeat(before.width());
    Some(format!("  {number} | {}\n       | {gap}^\n", cut(&line)))
}

/// The line with every value of a secret's key covered, character for character. A variable's name is no secret.
fn without_secrets(line: &str) -> String {
    let chars: Vec<char> = line.chars().collect();
    let mut out = chars.clone();
    for at in 0..chars.len() {
        let Some(start) = value_of_secret(&chars, at) else { continue };
        let end = end_of_value(&chars, start);
        let value: String = chars.iter().take(end).skip(start).collect();
        let bare = value.trim_matches(['"', '\'', ' ']);
        let word: String = chars.iter().skip(at).take_while(|c| c.is_ascii_alphanumeric()).collect();
        let shown = bare.starts_with("${") || (word == ADDRESS_KEY && !is_address(bare));
        if !shown {
            out.iter_mut().take(end).skip(start).filter(|c| !matches!(**c, '"' | '\'' | ' ')).for_each(|c| *c = '*');
        }
    }
    out.into_iter().collect()
}

/// Whether what stands behind `http:` is an address: no switch, no mapping, no rest of one that began with `http:`.
fn is_address(value: &str) -> bool {
    value.contains(['.', '/']) && !value.starts_with('{') && !value.starts_with("//")
}

/// Where the value begins, when the key of a secret begins at `at`.
fn value_of_secret(chars: &[char], at: usize) -> Option<usize> {
    let is_word = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    if at > 0 && chars.get(at - 1).is_some_and(is_word) {
        return None;
    }
    let word: String = chars.iter().skip(at).take_while(|c| is_word(c)).collect();
    if !SECRET_KEYS.contains(&word.as_str()) {
        return None;
    }
    let after: String =
        chars.iter().skip(at + word.len()).take_while(|c| matches!(c, ' ' | '"' | '\'' | ':')).collect();
    after.contains(':').then(|| at + word.len() + after.find(':').map_or(0, |colon| colon + 1))
}

/// Where a value ends that begins at `start`: at its closing quote, at a comma or brace, at the end of the line.
fn end_of_value(chars: &[char], start: usize) -> usize {
    let first = (start..chars.len()).find(|at| chars.get(*at) != Some(&' ')).unwrap_or(chars.len());
    let (from, ends): (usize, &[char]) = match chars.get(first) {
        Some('"') => (first + 1, &['"']),
        Some('\'') => (first + 1, &['\'']),
        Some('$') => return (first..chars.len()).find(|at| chars.get(*at) == Some(&'}')).map_or(first, |at| at + 1),
        _ => (first, &[',', '}']),
    };
    (from..chars.len()).find(|at| chars.get(*at).is_some_and(|c| ends.contains(c))).unwrap_or(chars.len())
}

fn cut(line: &str) -> String {
    let mut width = 0;
    let mut out = String::new();
    for c in line.chars() {
        width += c.width().unwrap_or(0);
        if width > LINE_WIDTH_MAX {
            out.push('…');
            break;
        }
        out.push(c);
    }
    out
}

fn count(faults: &[&Fault]) -> Message {
    let errors = faults.iter().filter(|fault| fault.gravity == Gravity::Error).count();
    let warnings = faults.len() - errors;
    let plural = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    Message::new(
        format!("{errors} 处错误，{warnings} 处注意"),
        format!("{}, {}", plural(errors, "error"), plural(warnings, "warning")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, line: usize, column: usize, expected: &[&str]) {
        let place = Place { file: "a.yaml".into(), line, column };
        let fault = Fault::error(place, Message::new("不对", "wrong")).with_hint(Message::new("改", "change it"));
        let found = faults(&[fault], Locale::En, &|_| Some(text.to_string()));
        let mut whole = vec![format!("error a.yaml:{line}:{column}")];
        whole.extend(expected.iter().map(ToString::to_string));
        whole.extend(["  wrong", "  → change it", "", "1 error, 0 warnings"].map(ToString::to_string));
        assert_eq!(found, whole.join("\n"));
    }

    #[test]
    fn the_caret_stands_under_the_place() {
        check("a: 1\n  b: 2\n", 2, 6, &["     2 |   b: 2", "       |      ^"]);
        check("工单: 值\n", 1, 5, &["     1 | 工单: 值", "       |       ^"]);
        check("a: 1\n", 9, 1, &[]);
        check("\tx: \u{7}\n", 1, 2, &["     1 |  x:  ", "       |  ^"]);
    }

    #[test]
    fn endless_faults_are_counted() {
        let place = |line| Place { file: "a.yaml".into(), line, column: 1 };
        let many: Vec<Fault> = (1..=500).map(|line| Fault::error(place(line), Message::new("不对", "wrong"))).collect();
        let shown = faults(&many, Locale::En, &|_| None);
        assert_eq!(shown.matches("wrong").count(), FAULTS_SHOWN_MAX);
        assert!(shown.ends_with("300 more are not shown\n\n500 errors, 0 warnings"), "{shown}");
    }

    #[test]
    fn secrets_are_not_shown() {
        let hidden = [
            ("  app_secret: hunter2", "  app_secret: *******"),
            (
                "{ webhook: \"https://x/,y\", secret: s, locale: zh }",
                "{ webhook: \"************\", secret: *, locale: zh }",
            ),
            ("{ http: \"https://x/y\", bearer: t }", "{ http: \"***********\", bearer: * }"),
            ("wecom: https://x?key=k", "wecom: ***************"),
            ("events: { http: true }", "events: { http: true }"),
            ("http: { ca_file: a.pem }", "http: { ca_file: a.pem }"),
            ("http: pager.example", "http: *************"),
            ("base_url: http://open.feishu.cn", "base_url: http://open.feishu.cn"),
            ("app_secret: \"${APP_SECRET}\"", "app_secret: \"${APP_SECRET}\""),
            ("proxy: http://u:p@h:1 # x", "proxy: ************** * *"),
            ("secret_sauce: x", "secret_sauce: x"),
            ("\"secret\": 'x y'", "\"secret\": '* *'"),
        ];
        for (line, shown) in hidden {
            assert_eq!(without_secrets(line), shown);
        }
    }
}
