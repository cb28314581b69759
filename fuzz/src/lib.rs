//! What the fuzz targets do with their input: read it as rules, as a configuration, as a template, as a click, as
//! a message, as frames of the long connection. Nothing may panic, and time and memory stay bounded whatever stands in it. `tests/it/fuzz.rs` runs the same without a fuzzer.

use std::path::Path;

use axum::http::HeaderMap;
use deskbell::{
    adapters::{
        feishu::{
            callback::{Callback, Opened},
            click::{Pressed, answer},
            event::{Event, EventReader},
            long_connection::{
                chunks::EVENT_BYTES_MAX,
                frame::{Ack, FRAME_BYTES_MAX},
                session::{Session, Step},
                settings::Settings,
            },
        },
        rulebook::{alone::asked_condition, load::load_texts, names::Names},
        templates::library::Templates,
    },
    app::config::load::load_text,
    cli::report,
    domain::{
        command::{
            BEHIND_CHARS_MAX, Command, EXCERPT_CHARS_MAX,
            ids::ID_DIGITS_MAX,
            language, oncall, order, reply, silence,
            tickets::{IDS_MAX, Query, TERMS_MAX},
            verb::Behind,
        },
        deed::Tone,
        story::Story,
        text::{Locale, Message},
        time::{Span, Timestamp},
    },
};

/// Bytes of one input that are looked at; the limits of the parsers that count bytes have tests of their own.
pub const INPUT_BYTES_MAX: usize = 256 * 1024;

/// Folders of the machine that a configuration of a fuzzer must not name: reading there may wait for ever.
const ELSEWHERE: [&str; 3] = ["/dev", "/proc", "/sys"];

/// What a file of rules goes through: parsed, compiled, told in words, its faults shown.
pub fn rules(data: &[u8], names: &Names) {
    let Some(text) = text_of(data) else { return };
    let (rules, faults) = load_texts(&[("fuzz.yaml", text)], names);
    for rule in rules.rules.values() {
        let story = Story::of(rule);
        assert!(!story.watches.zh.is_empty() && !story.watches.en.is_empty());
        assert!(!rule.when.to_string().is_empty());
    }
    let read = |_: &str| Some(text.to_string());
    for locale in [Locale::Zh, Locale::En] {
        assert!(!report::faults(&faults, locale, &read).is_empty());
    }
}

/// What a configuration goes through. Every variable of the environment is set; `base` is an empty folder.
pub fn config(data: &[u8], base: &Path) {
    let Some(text) = text_of(data).filter(|text| !ELSEWHERE.iter().any(|dir| text.contains(dir))) else { return };
    let mut faults = Vec::new();
    let setup = load_text("deskbell.yaml", text, base, &|name| Some(format!("value-of-{name}")), &mut faults);
    assert!(setup.is_some() || !faults.is_empty());
}

/// What a template goes through: parsed, checked, rendered on a card of which nothing is known.
pub fn templates(data: &[u8]) {
    let Some(text) = text_of(data) else { return };
    let (templates, faults) = Templates::of_texts(&[("fuzz.zh.hbs", text)]);
    let there = templates.names().iter().any(|name| name.as_str() == "fuzz");
    assert!(there || !faults.is_empty());
}

/// What a posted click goes through: opened, its button read. `callback` takes unencrypted posts with the token `v`.
pub fn clicks(data: &[u8], callback: &Callback) {
    let data = data.get(..INPUT_BYTES_MAX).unwrap_or(data);
    if let Ok(Opened::Event(Event::Click(form, Some(click)))) =
        callback.open(&HeaderMap::new(), data, Timestamp::from_ms(0))
    {
        assert!(!click.by.as_str().is_empty() && !click.id.as_str().is_empty());
        let words = match &click.pressed {
            Pressed::Act(on) => Message::new(on.alert.rule.as_str(), on.alert.subject.to_string()),
            Pressed::Ask(question) => Message::new(question.text.as_str(), question.text.as_str()),
        };
        assert!(answer(form, Some((Tone::Done, &words)), None, Locale::Zh).is_object());
    }
}

/// What a person types goes through: read as a message and as a reply, and what stands behind a command's name with it.
/// `names` are what a condition may name.
pub fn messages(data: &[u8], names: &Names) {
    let Some(text) = text_of(data) else { return };
    let _language = language(text);
    for command in [Command::parse(text), Command::parse_reply(text, true), Command::parse_reply(text, false)] {
        match &command {
            Command::TicketUsage(kept) | Command::Unknown(kept) => {
                assert!(kept.chars().count() <= EXCERPT_CHARS_MAX);
            }
            Command::Ticket(id) => assert!(!id.as_str().is_empty() && id.as_str().len() <= ID_DIGITS_MAX),
            Command::Said(_, behind) | Command::Overheard(_, behind) => {
                assert!(behind.chars().count() <= BEHIND_CHARS_MAX);
                asked(behind, names);
            }
            Command::Help | Command::Nothing => {}
        }
        drop(reply::to(&command));
    }
}

/// What stands behind a command's name, whichever it is.
fn asked(behind: &str, names: &Names) {
    drop((Behind::read(behind), silence::Asked::read(behind), oncall::Asked::read(behind), order::Asked::read(behind)));
    let Ok(query) = Query::read(behind) else { return };
    assert!(query.ids.len() <= IDS_MAX && query.terms.len() <= TERMS_MAX);
    // The button of a page asks for the same again.
    let written = query.written(2, "ou_me");
    let again = Query::read(&written).unwrap_or_else(|word| panic!("{word} of {written}"));
    assert_eq!(again.written(2, "ou_me"), written);
    if let Some(text) = query.condition() {
        drop(asked_condition(&text, names));
    }
}

/// What comes over the long connection: messages, each behind two bytes with its length, a second apart.
pub fn frames(data: &[u8]) {
    let start = Timestamp::from_ms(0);
    let (mut session, _) = Session::open(1, Settings::default(), start);
    let events = EventReader::default();
    let (mut rest, mut now) = (data.get(..INPUT_BYTES_MAX).unwrap_or(data), start);
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (message, after) = after.split_at(usize::from(u16::from_be_bytes(*length)).min(after.len()));
        rest = after;
        now = now.plus(Span::from_secs(1));
        for step in session.receive(message, now) {
            match step {
                Step::Send(frame) => assert!(frame.bytes().len() <= FRAME_BYTES_MAX),
                Step::Take(delivery) => {
                    assert!(delivery.body.len() <= EVENT_BYTES_MAX);
                    drop(events.read_bytes(&delivery.body, now));
                    let ack = delivery.frame.acked(&Ack::Taken, Span::ZERO);
                    assert!(!ack.bytes().is_empty() && ack.header("biz_rt").is_some());
                }
                Step::Alive | Step::Odd(_) | Step::Dead => {}
            }
        }
        assert!(session.due() <= now.plus(Span::from_hours(1)), "a connection is looked after");
        drop(session.tick(now));
    }
}

fn text_of(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data.get(..INPUT_BYTES_MAX).unwrap_or(data)).ok()
}
