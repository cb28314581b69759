//! What people type and what it means, as a table.

use crate::domain::{
    command::{Command, EXCERPT_CHARS_MAX, language, reply, verb::Verb},
    id::TicketId,
    text::Locale,
};

const ID: &str = "6626871355780366331";

/// The expected command in short: `=` the usual id, `=123` that id, `usage`, `help`, `later /x`, `nothing`, `unknown`.
const TABLE: &[(&str, &str)] = &[
    // the command as the documentation writes it
    ("/ticket 6626871355780366331", "="),
    ("/工单 6626871355780366331", "="),
    ("/工单号 6626871355780366331", "="),
    ("/TICKET 6626871355780366331", "="),
    ("/Ticket\u{a0}6626871355780366331", "="),
    ("  /ticket   6626871355780366331  ", "="),
    ("/ticket\n6626871355780366331", "="),
    ("/ticket\r\n\r\n6626871355780366331\n", "="),
    ("/ticket\t6626871355780366331", "="),
    ("/ticket6626871355780366331", "="),
    ("/工单6626871355780366331", "="),
    ("/ticket #6626871355780366331", "="),
    ("/ticket: 6626871355780366331", "="),
    ("/工单：6626871355780366331", "="),
    ("/ticket <6626871355780366331>", "="),
    ("/ticket id 6626871355780366331", "="),
    ("/ticket id=6626871355780366331", "="),
    ("/ticket \"6626871355780366331\"", "="),
    ("/ticket 「6626871355780366331」。", "="),
    ("/ ticket 6626871355780366331", "="),
    // full-width forms and what an input method leaves behind
    ("／ｔｉｃｋｅｔ　６６２６８７１３５５７８０３６６３３１", "="),
    ("／工单　６６２６８７１３５５７８０３６６３３１", "="),
    ("、ticket 6626871355780366331", "="),
    ("、工单 6626871355780366331", "="),
    ("\u{200b}/ticket \u{feff}6626871355780366331\u{200b}", "="),
    ("/ticket 6626 8713 5578 0366 331", "="),
    ("/ticket 6626871355780366331 谢谢", "="),
    ("/ticket 6626871355780366331 6626871355780366331", "="),
    ("/工单帮我查6626871355780366331", "="),
    ("/6626871355780366331", "="),
    ("/ticket 1001", "=1001"),
    // the id alone, or in a sentence
    ("6626871355780366331", "="),
    ("６６２６８７１３５５７８０３６６３３１", "="),
    ("#6626871355780366331", "="),
    ("工单号：６６２６８７１３５５７８０３６６３３１", "="),
    ("查一下6626871355780366331这单", "="),
    ("ticket 6626871355780366331", "="),
    ("[https://x.feishu.cn/t/6626871355780366331](https://x.feishu.cn/t/6626871355780366331)", "="),
    ("@_all /ticket 6626871355780366331", "="),
    // no id, or none that can be one
    ("/ticket", "usage"),
    ("/工单", "usage"),
    ("/ticket abc", "usage"),
    ("/ticket abc123", "usage"),
    ("/ticket -5", "usage"),
    ("/ticket 12.5", "usage"),
    ("/ticket 123 456", "usage"),
    ("/ticket 123456789012345678901", "usage"),
    ("/ticket 6626871355780366331 6626871355780366332", "usage"),
    ("/ticket <script>alert(1)</script>", "usage"),
    ("366331", "=366331"),
    ("/ticket 547174", "=547174"),
    ("#366331", "=366331"),
    ("工单 366331", "=366331"),
    ("工单", "usage"),
    ("ticket", "usage"),
    ("11010519491231002", "=11010519491231002"),
    // help
    ("/help", "help"),
    ("/帮助", "help"),
    ("／ＨＥＬＰ", "help"),
    ("help", "help"),
    ("怎么用？", "help"),
    ("？", "help"),
    ("", "help"),
    (" \n ", "help"),
    // alerts
    ("/alerts", "alerts "),
    ("/告警", "alerts "),
    ("/why 6626871355780366331", "why 6626871355780366331"),
    ("/为什么6626871355780366331", "why 6626871355780366331"),
    ("为什么没报 6626871355780366331", "why 6626871355780366331"),
    ("why 6626871355780366331", "why 6626871355780366331"),
    ("/why #4F7A2C", "why #4f7a2c"),
    ("/take", "take "),
    ("/Take #4F7A2C", "take #4f7a2c"),
    ("／ｔａｋｅ　＃４Ｆ７Ａ２Ｃ", "take #4f7a2c"),
    ("、take #4F7A2C", "take #4f7a2c"),
    ("/接手 4F7A2C", "take 4f7a2c"),
    ("/我来处理", "take "),
    ("我来处理 #4F7A2C", "take #4f7a2c"),
    ("take #4F7A2C", "take #4f7a2c"),
    ("我来", "take "),
    ("处理中", "take "),
    ("/done", "done "),
    ("/已处理 #4F7A2C", "done #4f7a2c"),
    ("/完成 #4F7A2C", "done #4f7a2c"),
    ("/完成", "done "),
    ("完成 #4F7A2C", "done #4f7a2c"),
    ("我来 #4F7A2C", "take #4f7a2c"),
    ("收到 #4F7A2C", "take #4f7a2c"),
    ("/release #4F7A2C", "release #4f7a2c"),
    ("/交回", "release "),
    ("/snooze 2h", "snooze 2h"),
    ("/snooze #4F7A2C 30m", "snooze #4f7a2c 30m"),
    ("/稍后提醒 明天", "snooze 明天"),
    ("take care", "unknown"),
    ("done with lunch", "unknown"),
    ("/oncall", "oncall "),
    ("/值班", "oncall "),
    ("/谁值班", "oncall "),
    ("谁值班", "oncall "),
    ("谁在值班？", "oncall "),
    ("who is on call?", "oncall "),
    ("/oncall take until 18:00", "oncall take until 18:00"),
    ("/值班 接", "oncall 接"),
    ("/值班接 到18:00", "oncall 接 到18:00"),
    ("/值班 给 Wang@example.com", "oncall 给 wang@example.com"),
    ("/值班 换 王芳 10-01", "oncall 换 王芳 10-01"),
    ("/oncall ok", "oncall ok"),
    ("/值班 确认", "oncall 确认"),
    ("值班表在哪里", "unknown"),
    // the language's commands that come later
    ("/tickets 状态:待用户响应", "later /tickets"),
    ("/工单列表", "later /tickets"),
    ("/order 123", "later /order"),
    ("/silence 不满意 1d", "silence 不满意 1d"),
    ("/静默 规则:VIP 没人接 1小时", "silence 规则:vip 没人接 1小时"),
    ("取消静默 S1", "silence end s1"),
    ("/取消静默S1", "silence end s1"),
    ("结束静默：1", "silence end 1"),
    ("取消静默要怎么写", "unknown"),
    ("静默列表", "silence list"),
    ("/rules", "later /rules"),
    ("/规则", "later /rules"),
    // courtesies
    ("谢谢", "nothing"),
    ("谢谢！！", "nothing"),
    ("好的~", "nothing"),
    ("OK", "nothing"),
    ("ok.", "nothing"),
    ("Thank you!", "nothing"),
    ("收到", "nothing"),
    ("👍", "nothing"),
    ("👍🏻👍🏻", "nothing"),
    ("❤️", "nothing"),
    ("[赞]", "nothing"),
    ("[OK] 谢谢 [玫瑰]", "nothing"),
    ("。。。", "nothing"),
    ("@_all", "nothing"),
    ("@_all 今天下午三点开会", "nothing"),
    ("@所有人 收到请回复", "nothing"),
    // anything else
    ("你好", "unknown"),
    ("/tiket 6626", "unknown"),
    ("/ticketplease 1", "unknown"),
    ("/", "unknown"),
    ("//", "unknown"),
    ("123", "unknown"),
    ("我的电话 13800138000", "unknown"),
    ("身份证 110105194912310021", "unknown"),
    ("工单系统是不是坏了", "unknown"),
    ("[text](https://example.com)", "unknown"),
    ("ok but what is this", "unknown"),
    ("<at id=all></at>", "unknown"),
    ("、", "nothing"),
];

#[test]
fn what_people_type_means_what_they_mean() {
    assert!(TABLE.len() >= 60);
    let wrong: Vec<String> = TABLE
        .iter()
        .filter_map(|(typed, expected)| {
            let found = short(&Command::parse(typed));
            (found != *expected).then(|| format!("{typed:?}: expected {expected:?}, found {found:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

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
    assert!(reply::not_built("/rules").en.starts_with("/rules is not built yet"));
    assert_eq!(reply::to(&Command::Nothing), None);
    assert_eq!(reply::to(&Command::Ticket(id)), None);
    assert!(reply::unknown("/hlep").en.contains("/help"));
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
        Command::NotBuilt(name) => format!("later {name}"),
        Command::Nothing => "nothing".to_string(),
        Command::Unknown(_) => "unknown".to_string(),
    }
}
