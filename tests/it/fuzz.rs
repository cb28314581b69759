//! The fuzz targets without a fuzzer: every file at hand, some thousand random changes of them, and files made to
//! explode. The seed is fixed, so every run sees the same.

#[path = "../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "the targets need it public")]
mod bodies;

use std::{fs, path::Path};

use deskbell::{
    adapters::feishu::{
        callback::Callback,
        event::EventReader,
        long_connection::frame::{Frame, Header},
    },
    adapters::rulebook::{
        load::load_texts,
        words::{COMBINERS, OPERATORS, RULE_KEYS, SEVERITIES, UNTILS},
    },
    domain::{condition::Clock, field::Field},
};

use secrecy::SecretString;

use crate::rules::names;

/// Bytes that a changed file may grow to.
const CHANGED_BYTES_MAX: usize = 16 * 1024;

/// What is put into files beside the words of the language: what parsers stumble over.
const TRICKS: &[&str] = &[
    "[",
    "]",
    "{",
    "}",
    "{ ",
    ": ",
    "：",
    "- ",
    "? ",
    "&a ",
    "*a",
    "<<: ",
    "!!str ",
    "!x ",
    "|\n",
    ">-\n",
    "---\n",
    "...\n",
    "\"",
    "'",
    "#",
    "\t",
    "\r\n",
    "\u{feff}",
    "\u{0}",
    "\u{202e}",
    "😀",
    "\\",
    "%YAML 1.1\n",
    "~",
    "null",
    "true",
    "no",
    "0x1f",
    "1e999",
    "-1",
    "99999999999999999999",
    "1wd",
    "3d",
    "1h30m",
    "0s",
    "${HOME}",
    "$${",
    "${",
    "2026-11-20",
    "oc_a",
    "ou_a",
    "{{",
    "}}",
    "{{{",
    "{{#if ",
    "{{/if}}",
    "{{else}}",
    "{{#each ",
    "(",
    ")",
    "@index",
    "../",
    "this",
    "^(a+)+$",
    "\\w{100}",
];

/// A generator of numbers that is the same everywhere (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// The files of a target: those that are sound, and all others.
fn corpus(of: &str) -> (Vec<String>, Vec<String>) {
    let texts = |dir: &str, ending: &str| {
        let entries = fs::read_dir(dir).into_iter().flatten().map(|entry| entry.unwrap().path());
        let mut paths: Vec<_> = entries.filter(|path| path.to_string_lossy().ends_with(ending)).collect();
        paths.sort();
        paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect::<Vec<String>>()
    };
    let ending = if of == "templates" { ".hbs" } else { ".yaml" };
    let sound = match of {
        "config" => vec![fs::read_to_string("deskbell.example.yaml").unwrap()],
        _ => texts(of, ending),
    };
    (sound, texts(&format!("tests/cases/{of}/broken"), ending))
}

/// The words of the language, which make a changed file mean something else instead of nothing.
fn words() -> Vec<String> {
    let tables = [COMBINERS, OPERATORS, RULE_KEYS, SEVERITIES, UNTILS].into_iter().flatten();
    let fields = Field::all().flat_map(|field| {
        let codes = field.codes().iter().flat_map(|code| [code.name, code.zh]);
        [field.name, field.zh].into_iter().chain(codes).collect::<Vec<_>>()
    });
    let clocks = Clock::ALL.into_iter().flat_map(|clock| [clock.words().en, clock.words().zh]);
    tables.flat_map(|(en, zh)| [*en, *zh]).chain(fields).chain(clocks).map(str::to_string).collect()
}

/// Files of a target, each changed in one to four places; half of them are sound ones.
pub(crate) fn mutated(of: &str, count: usize) -> Vec<String> {
    let (sound, broken) = corpus(of);
    let words = words();
    let mut dice = Dice(0x5eed);
    let all: Vec<&String> = sound.iter().chain(&broken).collect();
    let one = |dice: &mut Dice| {
        let from: &String = if dice.below(2) == 0 { dice.one(&sound) } else { dice.one::<&String>(&all) };
        let mut text: Vec<char> = from.chars().collect();
        for _ in 0..=dice.below(4) {
            change(&mut text, &words, &all, dice);
        }
        let mut text: String = text.into_iter().collect();
        while text.len() > CHANGED_BYTES_MAX {
            text.pop();
        }
        text
    };
    (0..count).map(|_| one(&mut dice)).collect()
}

fn change(text: &mut Vec<char>, words: &[String], all: &[&String], dice: &mut Dice) {
    let at = dice.below(text.len() + 1);
    let end = (at + dice.below(12)).min(text.len());
    let put = |text: &mut Vec<char>, at: usize, end: usize, new: &str| {
        text.splice(at..end, new.chars());
    };
    match dice.below(10) {
        0 => put(text, at, end, ""),
        1 => put(text, at, at, dice.one::<&str>(TRICKS)),
        2 => put(text, at, end, dice.one::<&str>(TRICKS)),
        3 => {
            let many = dice.one(TRICKS).repeat(1 + dice.below(200));
            put(text, at, at, &many);
        }
        4 => {
            let piece: String = text.iter().skip(at).take(40).collect();
            put(text, at, at, &piece.repeat(1 + dice.below(8)));
        }
        5 => {
            let other: Vec<char> = dice.one(all).chars().collect();
            let from = dice.below(other.len());
            let piece: String = other.iter().skip(from).take(dice.below(200)).collect();
            put(text, at, end, &piece);
        }
        _ => replace_a_word(text, at, dice.one::<String>(words)),
    }
}

/// The word that stands at or behind a place becomes another one.
fn replace_a_word(text: &mut Vec<char>, at: usize, new: &str) {
    let is_word = |c: &char| c.is_alphanumeric() || *c == '_';
    let Some(start) = text.iter().skip(at).position(is_word).map(|more| at + more) else { return };
    let length = text.iter().skip(start).take_while(|c| is_word(c)).count();
    text.splice(start..start + length, new.chars());
}

#[test]
fn rules_stand_whatever_they_are_given() {
    let names = names();
    let (sound, broken) = corpus("rules");
    assert!(sound.len() >= 3 && broken.len() >= 30);
    for text in sound.iter().chain(&broken).chain(&mutated("rules", 3_000)) {
        bodies::rules(text.as_bytes(), &names);
    }
    for bomb in bombs() {
        bodies::rules(bomb.as_bytes(), &names);
        bodies::rules(format!("name: x\nnotify: {{ to: support }}\nwhen:\n{}", indented(&bomb)).as_bytes(), &names);
    }
}

#[test]
fn what_is_too_much_is_refused_in_words() {
    let numbers =
        |count: usize, of: &str| (0..count).map(|number| format!("{of}{number}")).collect::<Vec<_>>().join(", ");
    let rule = "name: x\nuntil: handled\nnotify: { to: support }\n";
    let patterns = (0..400).map(|number| format!(r"'\w{{20}}{number}'")).collect::<Vec<_>>().join(", ");
    let many_rules = vec![format!("{{ name: x, sources: [{}] }}", numbers(40, "n")); 500].join(", ");
    for (text, part) in [
        (format!("defaults: {{ sources: [{}] }}\n", numbers(2_000, "s")), "`defaults` is too large"),
        (format!("{rule}when: {{ guest.name: {{ matches: [{patterns}] }} }}\n"), "too large together"),
        (format!("rules: [{many_rules}]\n"), "the rules from here on were not read"),
        (format!("{rule}when: {{ guest.name: [{}] }}\n", numbers(501, "n")), "1 to 500 values"),
        (format!("{rule}when: {}{{ score: 1 }}{}\n", "{ not: ".repeat(70), " }".repeat(70)), "nested more than"),
        (laughs("a"), "too much content"),
    ] {
        let (rules, faults) = load_texts(&[("x.yaml", text.as_str())], &names());
        assert!(rules.rules.is_empty(), "{part}");
        let told: Vec<&str> = faults.iter().map(|fault| fault.message.en.as_str()).take(5).collect();
        assert!(faults.iter().any(|fault| fault.message.en.contains(part)), "{part}: {told:?}");
    }
}

#[test]
fn configurations_stand_whatever_they_are_given() {
    let dir = tempfile::tempdir().unwrap();
    let (sound, broken) = corpus("config");
    assert!(broken.len() >= 40);
    for text in sound.iter().chain(&broken).chain(&mutated("config", 150)) {
        bodies::config(text.as_bytes(), dir.path());
    }
    for bomb in bombs() {
        bodies::config(bomb.as_bytes(), dir.path());
        bodies::config(format!("receivers:\n{}", indented(&bomb)).as_bytes(), dir.path());
    }
}

#[test]
fn templates_stand_whatever_they_are_given() {
    let (sound, broken) = corpus("templates");
    assert!(sound.len() >= 10 && broken.len() >= 20);
    for text in sound.iter().chain(&broken).chain(&mutated("templates", 2_000)) {
        bodies::templates(text.as_bytes());
    }
    let deep = |open: &str, close: &str, count: usize| {
        format!("---\ntitle: x\n---\n{}{}", open.repeat(count), close.repeat(count))
    };
    for (open, close) in [
        ("{{#if ticket.subject}}", "{{/if}}"),
        ("{{#each ticket.tags}}", "{{/each}}"),
        ("{{", "}}"),
        ("(", ")"),
        ("{{default (default ", ")}}"),
        ("{{!--", "--}}"),
        ("[a](", ")"),
        ("{{ticket.", "}}"),
    ] {
        for count in [10, 100, 2_000, 20_000] {
            bodies::templates(deep(open, close, count).as_bytes());
            bodies::templates(deep(open, "", count).as_bytes());
        }
    }
    let brackets =
        format!("---\ntitle: x\n---\n{{{{default {}ticket.subject{}}}}}", "(default ".repeat(3_000), ")".repeat(3_000));
    bodies::templates(brackets.as_bytes());
    for bomb in bombs() {
        bodies::templates(format!("---\n{bomb}\n---\nbody").as_bytes());
    }
}

#[test]
fn clicks_stand_whatever_they_are_given() {
    let callback = Callback::new(SecretString::from("v"), None, EventReader::default());
    let sound = r#"{"schema":"2.0","header":{"event_id":"e","event_type":"card.action.trigger","token":"v"},
        "event":{"operator":{"open_id":"ou_a"},"token":"c-1","host":"im_message",
        "action":{"value":{"do":"take","subject":"ticket:it-desk:1001","rule":"r","episode":3},"tag":"button"},
        "context":{"open_message_id":"om_1","open_chat_id":"oc_a"}}}"#;
    let pieces =
        ["\"take\"", "null", "{}", "[]", "-1", "1e999", "\"\"", "\u{202e}", "\"do\"", "\"value\"", "true", ",", "{"];
    let mut dice = Dice(0xc11c);
    bodies::clicks(sound.as_bytes(), &callback);
    for _ in 0..5_000 {
        let mut text: Vec<char> = sound.chars().collect();
        for _ in 0..=dice.below(4) {
            let at = dice.below(text.len());
            let end = (at + dice.below(24)).min(text.len());
            text.splice(at..end, dice.one::<&str>(&pieces).chars());
        }
        bodies::clicks(text.into_iter().collect::<String>().as_bytes(), &callback);
    }
    for bomb in bombs() {
        bodies::clicks(bomb.as_bytes(), &callback);
        bodies::clicks(sound.replace("ticket:it-desk:1001", &bomb).as_bytes(), &callback);
    }
}

/// What is put into messages beside each other: what the parser of messages stumbles over.
const TYPED: &[&str] = &[
    "/tickets ",
    "/ticket ",
    "/工单",
    "、",
    "页:",
    "第2页",
    "page ",
    "负责人:",
    "状态",
    ":",
    "=",
    ">",
    "<",
    ">=",
    "，",
    ",",
    " ",
    "@_all ",
    "#4F7A2C",
    "366331",
    "6626871355780366331",
    "4小时",
    "2h",
    "\u{200b}",
    "[赞]",
    "[",
    "]",
    "%3D",
    "%",
    "://",
    "ticket_id=",
    "\"",
    "\\",
    "的单",
    "我的",
    "没人接",
    "超时",
    "/order ",
    "/silence ",
    "/oncall ",
    "until ",
    "when {",
    "}",
    "明天",
    "半小时",
];

#[test]
fn messages_stand_whatever_is_typed() {
    let files =
        fs::read_dir("tests/cases/chat").unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    let mut typed: Vec<String> = Vec::new();
    for line in files.flat_map(|file| file.lines().map(str::to_string).collect::<Vec<_>>()) {
        let pair = line.strip_prefix("  - ").map(|pair| serde_json::from_str::<(String, String)>(pair).unwrap());
        typed.extend(pair.map(|(typed, _)| typed));
    }
    assert!(typed.len() >= 200);
    let (names, mut dice) = (names(), Dice(0xc4a7));
    for message in &typed {
        bodies::messages(message.as_bytes(), &names);
    }
    for _ in 0..20_000 {
        let mut text: Vec<char> = dice.one::<String>(&typed).chars().collect();
        for _ in 0..=dice.below(4) {
            let at = dice.below(text.len() + 1);
            let end = (at + dice.below(5)).min(text.len());
            let piece = if dice.below(3) == 0 { dice.one::<String>(&typed) } else { *dice.one::<&str>(TYPED) };
            text.splice(at..end, piece.chars());
        }
        bodies::messages(text.into_iter().collect::<String>().as_bytes(), &names);
    }
    for bomb in bombs() {
        bodies::messages(bomb.as_bytes(), &names);
        bodies::messages(format!("/tickets {bomb}").as_bytes(), &names);
    }
    for piece in TYPED {
        bodies::messages(piece.repeat(2_000).as_bytes(), &names);
        bodies::messages(format!("/tickets {}", piece.repeat(600)).as_bytes(), &names);
    }
}

/// Messages one after the other, each behind its length.
fn messages(frames: &[Frame]) -> Vec<u8> {
    let one = |frame: &Frame| {
        let bytes = frame.bytes();
        [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], &bytes].concat()
    };
    frames.iter().flat_map(one).collect()
}

#[test]
fn frames_stand_whatever_they_are() {
    let frame = |method, headers: &[(&str, &str)], payload: &str| Frame {
        log_id: u64::MAX,
        service: 5,
        method,
        headers: headers.iter().map(|(key, value)| Header { key: key.to_string(), value: value.to_string() }).collect(),
        payload: Some(payload.to_string().into()),
        ..Frame::default()
    };
    let part = |seq| [("type", "event"), ("message_id", "m"), ("sum", "2"), ("seq", seq)];
    let sound = messages(&[
        frame(0, &[("type", "pong")], r#"{"ReconnectCount":-1,"PingInterval":90}"#),
        frame(1, &part("1"), r#""header":{"event_type":"im.message.receive_v1"}}"#),
        frame(1, &part("0"), r#"{"schema":"2.0","#),
        frame(1, &[("type", "card")], "{}"),
    ]);
    bodies::frames(&sound);
    let mut dice = Dice(0xf4a3);
    for _ in 0..5_000 {
        let mut bytes = sound.clone();
        for _ in 0..=dice.below(6) {
            let at = dice.below(bytes.len());
            match dice.below(3) {
                0 => bytes[at] = u8::try_from(dice.below(256)).unwrap(),
                1 => drop(bytes.drain(at..(at + dice.below(9)).min(bytes.len()))),
                _ => {
                    let piece: Vec<u8> = bytes.iter().copied().skip(at).take(dice.below(60)).collect();
                    bytes.splice(at..at, piece);
                }
            }
            if bytes.is_empty() {
                break;
            }
        }
        bodies::frames(&bytes);
    }
    for header in [b"\xff\xff", b"\x00\x02"] {
        for piece in [&b"\x2a\x00"[..], b"\x42\xff\xff\xff\xff\x0f", b"\x0a", b"\xff"] {
            bodies::frames(&[header, &piece.repeat(60_000)[..]].concat());
        }
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

/// Files that a careless reader would choke on.
fn bombs() -> Vec<String> {
    let mut all: Vec<String> =
        ["[", "{a: ", "- ", "? ", "[{a: ", "!!str ", "&a ", "'", "\"", "|\n ", "a:\n ", "not: { ", "\t"]
            .iter()
            .map(|piece| piece.repeat(50_000 / piece.len()))
            .collect();
    all.push(laughs("a"));
    all.push(format!("rules:\n{}", indented(&laughs("r"))));
    all.push(format!("defaults: &d {{ summary: {} }}\nrules: [{}]", "x".repeat(20_000), vec!["*d"; 2_000].join(", ")));
    all.push((0..20_000).map(|number| format!("k{number}: 1\n")).collect());
    all.push((0..20_000).map(|number| format!("- k{number}\n")).collect());
    all.push(format!("name: {}\n", "好".repeat(60_000)));
    all.push(format!("age: {{ at_least: {}h }}\n", "9".repeat(60_000)));
    all.push(format!("age: {{ at_least: {} }}\n", "1h".repeat(30_000)));
    for pattern in
        ["(a{1000}){1000}", r"\w{1000}", r"(\p{L}{100}){100}", "(((((((((a*)*)*)*)*)*)*)*)*)*", "(?i)(x|y){60000}"]
    {
        all.push(format!("guest.name: {{ matches: '{pattern}' }}\n"));
    }
    let patterns: Vec<String> = (0..400).map(|number| format!(r"'\w{{20}}{number}'")).collect();
    let fields = ["guest.name", "guest.email", "guest.city", "guest.country", "ticket_id", "helpdesk_id", "comments"];
    all.push(fields.iter().map(|field| format!("{field}: {{ matches: [{}] }}\n", patterns.join(", "))).collect());
    let unknown = vec!["nobody"; 20_000].join(", ");
    all.push(format!("defaults: {{ sources: [{unknown}] }}\nrules: [{}]", vec!["{ name: x }"; 2_000].join(", ")));
    all.push(format!("rules:\n  - &r {{ name: x, sources: [{unknown}] }}\n{}", "  - *r\n".repeat(100)));
    all.push(doubling(40));
    all.push(format!("when: {}x{}", "{ not: ".repeat(2_000), " }".repeat(2_000)));
    all.push(format!("score: [{}]\n", vec!["不满意"; 20_000].join(", ")));
    all
}

/// Aliases that multiply (a billion laughs).
fn laughs(name: &str) -> String {
    let mut text = format!("{name}0: &{name}0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let before = format!("*{name}{}", level - 1);
        text.push_str(&format!("{name}{level}: &{name}{level} [{}]\n", vec![before; 9].join(", ")));
    }
    text
}

/// Named conditions each of which is twice the one before.
fn doubling(levels: usize) -> String {
    let chain: String = (1..levels)
        .map(|level| format!("  c{level}: {{ any: [{{ meets: c{0} }}, {{ meets: c{0} }}] }}\n", level - 1))
        .collect();
    let rule = format!("  - {{ name: x, when: {{ meets: c{} }}, notify: {{ to: support }} }}\n", levels - 1);
    format!("conditions:\n  c0: {{ status: open }}\n{chain}rules:\n{rule}")
}

/// The corpus that the README tells to copy is there.
#[test]
fn the_corpus_is_where_the_readme_says() {
    let text = fs::read_to_string("fuzz/README.md").unwrap();
    let copies: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("cp ")).collect();
    assert_eq!(copies.len(), 4);
    for from in copies {
        for path in from.split_whitespace().filter(|word| !word.starts_with("fuzz/")) {
            let there = match path.rsplit_once('*') {
                Some((dir, _)) => Path::new(dir).is_dir(),
                None => Path::new(path).is_file(),
            };
            assert!(there, "{path}");
        }
    }
}
