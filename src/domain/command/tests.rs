//! What is typed in replies, what is kept of it, which language it is in. What people type is a table in
//! `tests/cases/chat`.

use crate::domain::{
    command::{Command, EXCERPT_CHARS_MAX, language, reply, verb::Verb},
    id::TicketId,
    text::Locale,
};

const ID: &str = "6626871355780366331";

/// What is typed in reply to a message, to the bot and to nobody.
const REPLIES: &[(&str, &str, &str)] = &[
    ("收到", "take ", "overheard take "),
    ("收到！", "take ", "overheard take "),
    ("收到，我来处理", "take ", "overheard take "),
    ("我来 [玫瑰]", "take ", "overheard take "),
    ("处理中。。。", "take ", "overheard take "),
    ("I'm on it", "take ", "overheard take "),
    ("Got it!", "take ", "overheard take "),
    ("已处理", "done ", "overheard done "),
    ("搞定了👍", "done ", "overheard done "),
    ("/take", "take ", "overheard take "),
    ("/snooze 30m", "snooze 30m", "overheard snooze 30m"),
    ("/why", "why ", "nothing"),
    ("谢谢", "nothing", "nothing"),
    ("收到请回复", "unknown", "nothing"),
    ("6626871355780366331", "=", "nothing"),
    ("", "help", "nothing"),
];

#[test]
fn on_a_card_a_word_is_enough() {
    for (typed, to_bot, overheard) in REPLIES {
        assert_eq!(short(&Command::parse_reply(typed, true)), *to_bot, "{typed:?}");
        assert_eq!(short(&Command::parse_reply(typed, false)), *overheard, "{typed:?}");
    }
    assert!(Verb::Take.acts() && !Verb::Alerts.acts());
}

#[test]
fn what_is_kept_of_a_message_is_bounded() {
    for long in ["x".repeat(100_000), "/ticket ".to_string() + &"是".repeat(100_000), "1".repeat(100_000)] {
        match Command::parse(&long) {
            Command::Unknown(kept) | Command::TicketUsage(kept) => {
                assert!(kept.chars().count() <= EXCERPT_CHARS_MAX);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn replies_name_the_next_step_and_repeat_nothing() {
    let typed = "/tiket <at id=all></at>";
    let answer = reply::to(&Command::parse(typed)).unwrap();
    assert!(answer.zh.contains("/ticket") && answer.en.contains("/ticket"), "{answer}");
    assert!(!answer.zh.contains("<at"), "{answer}");
    let id = TicketId::from("366331");
    assert_eq!(reply::not_found(&id).zh, "没有找到尾号 366331。请核对，或发完整工单号（19 位）");
    assert_eq!(reply::to(&Command::Nothing), None);
    assert_eq!(reply::to(&Command::Ticket(id)), None);
    assert_eq!(
        reply::not_found(&TicketId::from("13800138000")).en.split('.').next(),
        Some("No ticket ends with 138****8000")
    );
}

#[test]
fn a_language_is_told_only_by_words() {
    let cases = [
        ("/工单 6626871355780366331", Some(Locale::Zh)),
        ("查一下6626871355780366331", Some(Locale::Zh)),
        ("/ticket 6626871355780366331", None),
        ("／ｔｉｃｋｅｔ 1", None),
        ("6626871355780366331", None),
        ("ticket 6626871355780366331", None),
        ("/help", None),
        ("?", None),
        ("[x](https://example.com/6626871355780366331)", None),
        ("what about 6626871355780366331?", Some(Locale::En)),
        ("/ticket please", None),
        ("/take 4F7A2C", None),
        ("/take FACADE", None),
        ("、take 4f7a2c", None),
        ("take #4F7A2C", None),
        ("done", None),
        ("on it", Some(Locale::En)),
        ("/silence rule vip 2h known fault", None),
        ("/silence rule vip 2h 误报", Some(Locale::Zh)),
    ];
    for (typed, expected) in cases {
        assert_eq!(language(typed), expected, "{typed}");
    }
}

fn short(command: &Command) -> String {
    match command {
        Command::Ticket(id) if id.as_str() == ID => "=".to_string(),
        Command::Ticket(id) => format!("={id}"),
        Command::TicketUsage(_) => "usage".to_string(),
        Command::Help => "help".to_string(),
        Command::Said(verb, behind) => format!("{} {behind}", verb.name()),
        Command::Overheard(verb, behind) => format!("overheard {} {behind}", verb.name()),
        Command::Nothing => "nothing".to_string(),
        Command::Unknown(_) => "unknown".to_string(),
    }
}
