//! The ways people ask without a command's name: a table of phrases, not an understanding of language.
//!
//! Lists of words stand in one text, apart by `|`.

use crate::domain::command::{
    Command,
    fold::without_emoji,
    tickets::is_status,
    verb::{Verb, named},
};

/// Characters of a text that can be one of the phrases, and letters of an English one.
const PHRASE_CHARS_MAX: usize = 24;
const PHRASE_LETTERS_MAX: usize = 40;

/// Courtesies that need no answer.
const COURTESIES: &str = "谢谢|谢谢你|谢谢您|谢谢啦|谢啦|谢了|谢谢了|多谢|感谢|非常感谢|感谢感谢|十分感谢|辛苦|辛苦了|辛苦啦\
    |好|好的|好的谢谢|好滴|好嘞|好哒|好了|好吧|行|行吧|可以|嗯|嗯嗯|恩|哦|哦哦|噢|收到|收到谢谢|了解|明白|明白了|懂了|知道了\
    |没事|没事了|没问题|不用了|不客气|哈哈|哈哈哈|呵呵|赞|棒|厉害|牛|666|早|早上好|下午好|晚安\
    |ok|okay|okk|k|kk|thanks|thank you|thank you very much|thanks a lot|many thanks|thx|thanx|ty|tks|got it|cool|great\
    |nice|fine|perfect|roger|no problem|np|never mind|nvm|good|well done|lol|haha|yes|no";

/// What people say before what they want.
const LEADING: &str = "你好|您好|hi|hello|hey|请问|请|还有没有|有没有|还有|有|麻烦|帮忙|帮我|帮|给我|我想|想|查一下|查下|查查|查|看一下|看下|看看|看\
    |列一下|列出|显示|现在|目前|当前|一下|show|list|please|me|the|all";

/// What people say behind it.
const TRAILING: &str =
    "有哪些|都有哪些|是哪些|有什么|有几个|有几张|有多少|多少|列表|谢谢|吗|呢|吧|啊|呀|嘛|么|了|please|thanks";

/// What a phrase asks for, and what of it.
struct Phrase {
    verb: Verb,
    behind: &'static str,
    /// As it stands without what people put around it.
    exact: &'static str,
    /// One of each: in a text of at most [`PHRASE_CHARS_MAX`] characters.
    parts: &'static [&'static str],
}

const fn phrase(verb: Verb, behind: &'static str, exact: &'static str, parts: &'static [&'static str]) -> Phrase {
    Phrase { verb, behind, exact, parts }
}

/// Words that ask for a number or a list.
const ASKS: &str = "有人|多少|几|有没有|哪些|有吗|情况|长吗|how many|how long|any|what";

/// The phrases, the narrower ones first. Blanks count only between Latin words.
const PHRASES: &[Phrase] = &[
    phrase(Verb::Count, "queue", "排队|排队人数|queue|queue length", &["排队|queue", ASKS]),
    phrase(
        Verb::Count,
        "bad",
        "差评|今天差评|今日差评|今天的差评|bad ratings today|bad ratings",
        &["差评|不满意|bad rating|dissatisfied", "今天|今日|几|多少|有没有|how many|today"],
    ),
    phrase(Verb::Oncall, "", "值班|oncall|on call|值班表", &["值班|on call|oncall|on duty", "谁|who"]),
    phrase(
        Verb::Tickets,
        "我的",
        "我的单|我的工单|我的单子|我的票|我名下的单|我名下的工单|我手上的单|我手上的工单|我负责的单|我负责的工单|我有哪些单\
         |我有哪些工单|我有几单|我有几张单|my tickets|mine|tickets of mine|what s mine",
        &[],
    ),
    phrase(
        Verb::Tickets,
        "没人接",
        "没人接|没人接的|没人接的单|没人接的工单|没人接单|无人接|未分配|未分配的|未分配的单|未分配的工单|没人管的|没人管的单\
         |没人处理的|没人处理的单|没有人接的|没有人接的单|没有负责人的|没有负责人的单|谁都没接的|unassigned|unassigned tickets\
         |tickets without owner|tickets without an owner|nobody s|nobody s tickets|whose owner is nobody",
        &[],
    ),
    phrase(
        Verb::Tickets,
        "超时",
        "超时|超时的|超时的单|超时的工单|超时工单|超时单|逾期|逾期的|逾期的单|逾期工单|overdue|overdue tickets|late tickets\
         |what is overdue|what s overdue|which are overdue|which tickets are overdue|what is late",
        &[],
    ),
    phrase(
        Verb::Alerts,
        "",
        "提醒|告警|在响的|在响的提醒|有提醒|什么在响|哪些在响|alerts|what rings|what s ringing|what is ringing|what s firing",
        &["提醒|告警|报警|alert", "有哪些|有什么|在响|列|多少|几条|any|open|which"],
    ),
    phrase(Verb::Rules, "", "规则|rules|规则列表", &["规则|rule", "有哪些|有什么|列|几条|which|what"]),
    phrase(Verb::Silence, "list", "静默列表|silences", &["静默|silence", "有哪些|哪些|列|which|any"]),
    phrase(
        Verb::Tickets,
        "",
        "工单列表|单子列表|所有工单|全部工单|所有的单|未关闭的工单|没关的单|没关闭的工单|open tickets|tickets|all open tickets",
        &[],
    ),
];

/// What stands behind a name in `张三的单`, the longer ones first.
const OF_SOMEONE: &str = "名下有哪些单|名下的工单|名下的单|手上的工单|手上的单|负责的工单|负责的单|的工单|的单子|的单|的票|有哪些单|有哪些工单|有几单";

/// What is no name there.
const NO_NAMES: &str =
    "我|你|您|他|她|它|谁|这|那|这个|那个|今天|昨天|客户|用户|新|所有|全部|大家|别人|自己|上面|刚才|之前";

/// How most names begin.
const SURNAMES: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪\
    范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤";

/// Characters of a person's name.
const NAME_CHARS_MAX: usize = 20;

/// Words of a person's name.
const NAME_WORDS_MAX: usize = 3;

/// Questions of why.
const WHY: &str = "为什么|为啥|为何|怎么没报|怎么没提醒|怎么没响|咋没|怎么报了|why";

/// Questions of why that name nothing: of the card they hang on, or of the only alert there is.
const WHY_ALONE: &str = "为什么|为啥|为何|为什么提醒|为什么报警|为什么响|为什么报|why|why so|how come";

/// Words that say that a number behind or before them is a ticket's.
const OF_TICKETS: &str = "查|工单|单号|尾号|这单|那单|单子|ticket|look at|show|check|open";

/// Words that ask for an order.
const ORDERS: &str = "订单|订单号|order";

fn one_of(list: &str, word: &str) -> bool {
    list.split('|').any(|known| known == word)
}

fn holds_one_of(text: &str, list: &str) -> bool {
    list.split('|').any(|word| has(text, word))
}

/// Whether the words need no answer; `words` has neither emoji nor punctuation.
pub(super) fn is_courtesy(words: &str) -> bool {
    one_of(COURTESIES, words)
}

/// What a text means that is one of the phrases; `text` is folded.
pub(super) fn meaning(text: &str) -> Option<Command> {
    let words = without_emoji(text);
    if words.chars().nth(PHRASE_CHARS_MAX * 2).is_some() {
        return None;
    }
    let asked = bare(&words, |_, _| true);
    let exact = |phrase: &&Phrase| one_of(phrase.exact, &asked) || one_of(phrase.exact, &words);
    let said = |phrase: &Phrase| Command::Said(phrase.verb, phrase.behind.to_string());
    if let Some(phrase) = PHRASES.iter().find(exact) {
        return Some(said(phrase));
    }
    if let Some(name) = someone(&bare(&words, is_apart)) {
        let key = if is_status(&name) { "状态" } else { "负责人" };
        return Some(Command::Said(Verb::Tickets, format!("{key}:{name}")));
    }
    let chars_max = if words.is_ascii() { PHRASE_LETTERS_MAX } else { PHRASE_CHARS_MAX };
    let is_short = words.chars().nth(chars_max).is_none();
    let loose = |phrase: &&Phrase| {
        !phrase.parts.is_empty() && phrase.parts.iter().all(|words_of| holds_one_of(&words, words_of))
    };
    PHRASES.iter().find(|phrase| is_short && loose(phrase)).map(said)
}

/// Whether someone asks why.
pub(super) fn asks_why(text: &str) -> bool {
    holds_one_of(text, WHY)
}

/// Whether someone asks why and says nothing else.
pub(super) fn asks_why_alone(text: &str) -> bool {
    one_of(WHY_ALONE, &without_emoji(text))
}

/// Whether a number in the text is a ticket's.
pub(super) fn is_of_tickets(text: &str) -> bool {
    !is_of_orders(text) && holds_one_of(text, OF_TICKETS)
}

/// Whether a number in the text is an order's.
pub(super) fn is_of_orders(text: &str) -> bool {
    holds_one_of(text, ORDERS)
}

/// An alert's reference and nothing else: with its `#`, or with letters and digits, which no word has.
pub(super) fn reference(text: &str) -> Option<String> {
    let bare = text.trim_matches(|c: char| c.is_whitespace() || "[]()「」【】。，.,?!".contains(c));
    let digits = bare.bytes().any(|byte| byte.is_ascii_digit());
    let letters = bare.bytes().any(|byte| byte.is_ascii_alphabetic());
    (named(bare).is_some() && letters && (digits || bare.starts_with('#'))).then(|| bare.to_string())
}

/// The only reference in a short text.
pub(super) fn reference_in(text: &str) -> Option<String> {
    if text.chars().nth(PHRASE_LETTERS_MAX).is_some() {
        return None;
    }
    let spaced = text.replace('#', " #");
    let mut found = spaced.split(|c: char| c.is_whitespace() || !(c.is_ascii() || c == '#')).filter_map(reference);
    found.next().filter(|_| found.next().is_none())
}

/// Whether a text has a word: a Chinese one anywhere, another one between blanks, in the plural too.
fn has(text: &str, word: &str) -> bool {
    if !word.is_ascii() {
        return text.contains(word);
    }
    let apart = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric());
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text.get(at + word.len()..).unwrap_or_default();
        let after = after.strip_prefix('s').unwrap_or(after).chars().next();
        apart(before) && apart(after)
    })
}

/// Whether one of [`LEADING`] is a word of its own before `rest`, where a name may begin with it: `查张三`, not `查良镛`.
fn is_apart(lead: &str, rest: &str) -> bool {
    let is_long = lead.chars().nth(1).is_some();
    is_long || rest.starts_with(' ') || rest.starts_with('我') || rest.starts_with(|c| SURNAMES.contains(c))
}

/// The words without what people say around what they want; `is_lead` tells of one of [`LEADING`] and what stands
/// behind it whether it is left out.
fn bare(words: &str, is_lead: impl Fn(&str, &str) -> bool) -> String {
    let mut text = words.trim();
    let mut is_cut = true;
    while is_cut {
        is_cut = false;
        for (marks, leads) in [(LEADING, true), (TRAILING, false)] {
            for mark in marks.split('|') {
                let rest = if leads { text.strip_prefix(mark) } else { text.strip_suffix(mark) };
                let Some(rest) = rest.filter(|rest| !rest.trim().is_empty()) else { continue };
                let apart = if leads { rest.starts_with(' ') } else { rest.ends_with(' ') };
                if (apart || !mark.is_ascii()) && (!leads || is_lead(mark, rest)) {
                    (text, is_cut) = (rest.trim(), true);
                }
            }
        }
    }
    let chinese = |c: char| !c.is_ascii();
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let joins = out.ends_with(chinese) || chars.peek().copied().is_some_and(chinese);
        if c != ' ' || !joins {
            out.push(c);
        }
    }
    out
}

/// The name in `张三的单`, `tickets of li lei`, `li lei's tickets`; its words joined by `_`, since a blank ends it.
fn someone(bare: &str) -> Option<String> {
    let chinese = OF_SOMEONE.split('|').filter_map(|end| bare.strip_suffix(end)).min_by_key(|name| name.len());
    let english = || {
        let of = ["tickets of ", "tickets owned by ", "tickets from "].iter().find_map(|lead| bare.strip_prefix(lead));
        of.or_else(|| bare.strip_suffix(" s tickets"))
    };
    let name = chinese.or_else(english)?.trim();
    let is_name = !name.is_empty() && name.chars().nth(NAME_CHARS_MAX).is_none() && !one_of(NO_NAMES, name);
    let letters = name.chars().all(|c| c.is_alphabetic() || matches!(c, ' ' | '.' | '·'));
    (is_name && letters && name.split(' ').count() <= NAME_WORDS_MAX).then(|| name.replace(' ', "_"))
}
