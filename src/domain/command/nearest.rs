//! The nearest thing to what someone typed that means nothing: one suggestion, short.

use crate::domain::{
    command::{
        ids,
        names::{Name, TICKET, behind_slash},
        verb::VERBS,
    },
    text::{Message, Words},
};

/// What a word in a text hints at.
const HINTS: &[(&[&str], Words)] = &[
    (&["值班", "oncall", "on call", "duty"], Words { zh: "谁值班", en: "who is on call" }),
    (&["排队", "queue"], Words { zh: "现在排队多少", en: "how many in the queue" }),
    (&["差评", "不满意", "rating"], Words { zh: "今天几个差评", en: "bad ratings today" }),
    (&["订单", "order"], Words { zh: "/订单 单号", en: "/order <number>" }),
    (
        &["静默", "屏蔽", "免打扰", "mute", "silence"],
        Words { zh: "/静默 #编号 2小时 原因", en: "/silence #4F7A2C 2h <reason>" },
    ),
    (&["为什么", "为啥", "为何", "why"], Words { zh: "/为什么 工单号", en: "/why <ticket id>" }),
    (&["规则", "rule"], Words { zh: "/规则", en: "/rules" }),
    (&["接手", "认领", "处理", "take"], Words { zh: "我来 #编号", en: "/take #4F7A2C" }),
    (&["提醒", "告警", "报警", "在响", "alert", "alarm", "ring"], Words { zh: "/提醒", en: "/alerts" }),
    (&["没人", "未分配", "unassigned"], Words { zh: "没人接的", en: "unassigned" }),
    (&["超时", "逾期", "overdue", "late"], Words { zh: "超时的有哪些", en: "overdue" }),
    (&["我的单", "我的工单", "我负责", "名下", "my ticket"], Words { zh: "我的单", en: "my tickets" }),
    (&["的单", "负责人", "状态", "tickets"], Words { zh: "张三的单", en: "/tickets owner:<name>" }),
    (&["工单", "单子", "单号", "尾号", "ticket"], Words { zh: "/工单 工单号", en: "/ticket <ticket id>" }),
];

/// The way out where nothing is near.
const NOTHING: Words = Words {
    zh: "没看懂。查工单请发工单号，或写 /help 看能怎么问",
    en: "I did not understand. For a ticket send its id; /help tells what you can write",
};

/// For digits that are too few.
const TOO_SHORT: Words = Words {
    zh: "数字太短了。查工单请发完整工单号（19 位），或它的最后五位以上",
    en: "Too few digits. For a ticket send its id (19 digits), or its last five or more",
};

/// Says what might have been meant; never repeats what was typed.
pub(super) fn suggestion(text: &str) -> Message {
    if text.len() < ids::TAIL_DIGITS_MIN && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return TOO_SHORT.into();
    }
    let near = match behind_slash(text) {
        Some(typed) => near_name(typed).map(|name| (format!("/{name}"), format!("/{name}"))),
        None => None,
    };
    let hint = || {
        let holds = |(words, _): &&(&[&str], Words)| words.iter().any(|word| text.contains(word));
        HINTS.iter().find(holds).map(|(_, words)| (words.zh.to_string(), words.en.to_string()))
    };
    match near.or_else(hint) {
        Some((zh, en)) => Message::new(
            format!("没看懂。是想写“{zh}”吗？/help 列出所有写法"),
            format!("I did not understand. Did you mean \"{en}\"? /help lists what you can write"),
        ),
        None => NOTHING.into(),
    }
}

/// The command's name that is nearest to the word behind a slash: two slips of the finger at most, one in a short word.
fn near_name(typed: &str) -> Option<&'static str> {
    let word: String = typed.chars().take_while(|c| c.is_alphabetic()).collect();
    let chars = word.chars().count();
    let slips_max = match (word.is_ascii(), chars) {
        (_, 0 | 1) => return None,
        (true, 2..=3) | (false, 2..) => 1,
        (true, _) => 2,
    };
    let slips = |name: &str| strsim::osa_distance(&word, name);
    let (name, known) = Name::all().filter(|(name, _)| slips(name) <= slips_max).min_by_key(|(name, _)| slips(name))?;
    // A name of another language is offered as it is; one of several by the first.
    match known {
        Name::Ticket if name.is_ascii() => TICKET.first().copied(),
        Name::Verb(verb) if name.is_ascii() => VERBS.iter().find(|(it, ..)| *it == verb).map(|(_, name, _)| *name),
        _ => Some(name),
    }
}
