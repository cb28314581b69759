//! Commands: their names, the words that mean them in a reply, and what is read behind a name.

use crate::domain::{deed::Rest, time::Span};

/// What a command asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Take an alert.
    Take,
    /// Give it back.
    Release,
    /// It is handled.
    Done,
    /// Put it off.
    Snooze,
    /// Hold notices back.
    Silence,
    /// Who is on call, and changes of it.
    Oncall,
    /// What rings.
    Alerts,
    /// Why a ticket rings, or does not.
    Why,
    /// Which tickets there are.
    Tickets,
    /// How many of what: in the queue, rated badly.
    Count,
    /// Which rules there are.
    Rules,
    /// A work order.
    Order,
}

/// Every verb: its name, then all names it is written by. A Chinese name needs nothing behind it.
pub const VERBS: &[(Verb, &str, &[&str])] = &[
    (Verb::Take, "take", &["take", "接手", "我来处理", "我来", "处理中", "收到"]),
    (Verb::Release, "release", &["release", "交回"]),
    (Verb::Done, "done", &["done", "已处理", "处理完", "完成", "已完成", "搞定", "已解决"]),
    (Verb::Snooze, "snooze", &["snooze", "稍后提醒"]),
    (Verb::Silence, "silence", &["silence", "静默"]),
    (Verb::Oncall, "oncall", &["oncall", "值班", "谁值班"]),
    (Verb::Alerts, "alerts", &["alerts", "提醒", "告警"]),
    (Verb::Why, "why", &["why", "为什么", "为啥"]),
    (Verb::Tickets, "tickets", &["tickets", "工单列表", "列表"]),
    (Verb::Count, "count", &["count", "统计"]),
    (Verb::Rules, "rules", &["rules", "规则列表", "规则"]),
    (Verb::Order, "order", &["order", "订单号", "订单"]),
];

/// Words that take an alert, in a reply on its card.
const TAKING: &[&str] = &[
    "收到",
    "收到了",
    "我来",
    "我来处理",
    "我处理",
    "我来看",
    "我看看",
    "我来看看",
    "处理中",
    "正在处理",
    "在处理",
    "在处理了",
    "接手",
    "我接手",
    "on it",
    "i m on it",
    "mine",
    "ack",
    "got it",
    "taking it",
    "looking",
    "looking into it",
    "roger",
];

/// Words that mean to take an alert wherever they are said to the bot.
const TAKING_ANYWHERE: &[&str] = &["我来", "我来处理", "处理中"];

/// Words that ask who is on call.
const ON_CALL_ANYWHERE: &[&str] =
    &["值班", "谁值班", "谁在值班", "现在谁值班", "今天谁值班", "oncall", "on call", "who is on call", "who s on call"];

/// Words that say that it is handled, in a reply on its card.
const DONE: &[&str] =
    &["已处理", "处理了", "处理完了", "处理好了", "已解决", "解决了", "搞定", "搞定了", "done", "fixed", "resolved"];

/// The longest an alert is put off from chat.
pub const SNOOZE_MAX: Span = Span::from_days(7);

/// The shortest.
pub const SNOOZE_MIN: Span = Span::from_mins(1);

/// How long `/snooze` puts an alert off that says nothing else.
pub const SNOOZE_USUAL: Span = Span::from_hours(2);

/// Digits a number before a unit may have.
const NUMBER_DIGITS_MAX: usize = 4;

/// Fewer digits than these are no try at a ticket's id.
const TICKET_DIGITS_MIN: usize = 5;

/// Letters and digits of an alert's reference.
const REFERENCE_CHARS: usize = 6;

/// Words for days: tomorrow, which may be a Sunday, and the next working day.
const DAYS: &[(&str, Rest)] = &[
    ("明天", Rest::Tomorrow),
    ("明早", Rest::Tomorrow),
    ("tomorrow", Rest::Tomorrow),
    ("下个工作日", Rest::NextWorkday),
    ("下一个工作日", Rest::NextWorkday),
    ("工作日", Rest::NextWorkday),
    ("workday", Rest::NextWorkday),
    ("next workday", Rest::NextWorkday),
    ("next working day", Rest::NextWorkday),
];

/// The day that a word names.
pub fn day(word: &str) -> Option<Rest> {
    DAYS.iter().find(|(name, _)| *name == word).map(|(_, rest)| *rest)
}

impl Verb {
    /// Its name, as it is kept.
    pub fn name(self) -> &'static str {
        VERBS.iter().find(|(verb, ..)| *verb == self).map_or("", |(_, name, _)| name)
    }

    /// The verb of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        VERBS.iter().find(|(_, known, _)| *known == name).map(|(verb, ..)| *verb)
    }

    /// Whether it does something to alerts, not only look at them.
    pub const fn acts(self) -> bool {
        matches!(self, Self::Take | Self::Release | Self::Done | Self::Snooze | Self::Silence)
    }

    /// What plain words mean on a card: several of them may stand together (`收到，我来处理`).
    pub(super) fn in_reply(words: &str) -> Option<Self> {
        let all = |known: &[&str]| {
            let mut tokens = words.split(' ').peekable();
            known.contains(&words) || (tokens.peek().is_some() && tokens.all(|token| known.contains(&token)))
        };
        if words.is_empty() {
            None
        } else if all(TAKING) {
            Some(Self::Take)
        } else {
            all(DONE).then_some(Self::Done)
        }
    }

    /// What plain words mean that are said to the bot on nothing.
    pub(super) fn anywhere(words: &str) -> Option<Self> {
        if ON_CALL_ANYWHERE.contains(&words) {
            return Some(Self::Oncall);
        }
        TAKING_ANYWHERE.contains(&words).then_some(Self::Take)
    }
}

/// The alert that a person names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// None: the one replied on, or the only one.
    Nothing,
    /// By its reference. Six digits behind `#` may also be the end of a ticket's id.
    Reference(String),
    /// By its ticket: the id, or its last digits. Six digits may also be a reference.
    Ticket(String),
}

/// What stands behind a verb.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behind {
    /// Which alert.
    pub named: Named,
    /// For how long.
    pub rest: Option<Rest>,
    /// Something else stands there.
    pub unread: bool,
}

impl Named {
    /// The six digits that may as well be a reference as the end of a ticket's id, where these are.
    pub fn six_digits(&self) -> Option<&str> {
        let (Self::Reference(text) | Self::Ticket(text)) = self else { return None };
        let are_six = text.len() == REFERENCE_CHARS && text.bytes().all(|byte| byte.is_ascii_digit());
        are_six.then_some(text)
    }
}

impl Behind {
    /// Reads what stands behind a verb: an alert's reference or a ticket's id, and how long, in any order.
    pub fn read(text: &str) -> Self {
        let mut behind = Self { named: Named::Nothing, rest: None, unread: false };
        let spaced: String = text.chars().map(|c| if "，,。；;：:“”\"'".contains(c) { ' ' } else { c }).collect();
        let mut left = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some((word, rest)) =
            DAYS.iter().filter(|(word, _)| left.contains(*word)).max_by_key(|(word, _)| word.len())
        {
            behind.rest = Some(*rest);
            left = left.replacen(word, " ", 1);
        }
        let words: Vec<&str> = left.split_whitespace().collect();
        let mut at = 0;
        while let Some(word) = words.get(at) {
            let pair = words.get(at + 1).and_then(|unit| span(&format!("{word}{unit}")));
            at += 1;
            match (named(word), span(word)) {
                (_, Some(span)) if behind.rest.is_none() => behind.rest = Some(Rest::For(span)),
                (Some(named), None) if behind.named == Named::Nothing && pair.is_none() => behind.named = named,
                (_, None) if pair.is_some() && behind.rest.is_none() => {
                    behind.rest = pair.map(Rest::For);
                    at += 1;
                }
                _ => behind.unread = true,
            }
        }
        if let Some(Rest::For(span)) = behind.rest {
            behind.unread |= span < SNOOZE_MIN || span > SNOOZE_MAX;
        }
        behind
    }

    /// Whether it is nothing but an alert.
    pub(super) fn names_an_alert(&self) -> bool {
        self.named != Named::Nothing && !self.unread
    }
}

/// An alert's reference or a ticket's id.
pub(super) fn named(word: &str) -> Option<Named> {
    let bare = word.strip_prefix('#').unwrap_or(word);
    let is_digits = bare.bytes().all(|byte| byte.is_ascii_digit());
    if is_digits && bare == word && bare.len() >= TICKET_DIGITS_MIN {
        return Some(Named::Ticket(bare.to_string()));
    }
    let is_reference = bare.len() == REFERENCE_CHARS && bare.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_reference {
        Some(Named::Reference(bare.to_ascii_uppercase()))
    } else if is_digits && bare.len() >= TICKET_DIGITS_MIN {
        Some(Named::Ticket(bare.to_string()))
    } else {
        None
    }
}

/// `30m`, `2h`, `1h30m`, `90分钟`, `半小时`, `1d`.
pub(super) fn span(word: &str) -> Option<Span> {
    const HALF_MINUTE_MS: i64 = 30_000;
    let mut total = 0_i64;
    let mut left = word;
    while !left.is_empty() {
        let (count, rest) = number(left)?;
        let (minutes, rest) = left_unit(rest)?;
        total = total.checked_add(count.checked_mul(minutes)?.checked_mul(HALF_MINUTE_MS)?)?;
        left = rest;
    }
    (total > 0).then(|| Span::from_ms(total))
}

/// A number in halves, and what follows it.
fn number(text: &str) -> Option<(i64, &str)> {
    const WORDS: [(&str, i64); 7] = [("半", 1), ("一", 2), ("两", 4), ("二", 4), ("三", 6), ("四", 8), ("half", 1)];
    if let Some((word, halves)) = WORDS.iter().find(|(word, _)| text.starts_with(word)) {
        let rest = text.strip_prefix(word)?;
        return Some((*halves, rest.strip_prefix('个').unwrap_or(rest)));
    }
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    if digits.is_empty() || digits.len() > NUMBER_DIGITS_MAX {
        return None;
    }
    let count: i64 = digits.parse().ok()?;
    Some((count * 2, rest.strip_prefix('个').unwrap_or(rest)))
}

/// A unit in minutes, and what follows it; the longer names first.
fn left_unit(text: &str) -> Option<(i64, &str)> {
    const UNITS: [(&str, i64); 17] = [
        ("minutes", 1),
        ("minute", 1),
        ("mins", 1),
        ("min", 1),
        ("分钟", 1),
        ("分", 1),
        ("hours", 60),
        ("hour", 60),
        ("hr", 60),
        ("小时", 60),
        ("钟头", 60),
        ("days", 1_440),
        ("day", 1_440),
        ("天", 1_440),
        ("m", 1),
        ("h", 60),
        ("d", 1_440),
    ];
    UNITS.iter().find_map(|(name, minutes)| Some((*minutes, text.strip_prefix(name)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(behind: &Behind) -> String {
        let named = match &behind.named {
            Named::Nothing => "-".to_string(),
            Named::Reference(reference) => format!("#{reference}"),
            Named::Ticket(id) => id.clone(),
        };
        let rest = match behind.rest {
            None => "-".to_string(),
            Some(Rest::Tomorrow) => "tomorrow".to_string(),
            Some(Rest::NextWorkday) => "workday".to_string(),
            Some(Rest::For(span)) => crate::domain::duration::written(span),
        };
        format!("{named} {rest}{}", if behind.unread { " ?" } else { "" })
    }

    #[test]
    fn what_stands_behind_a_verb_is_read_in_any_order() {
        for (typed, expected) in [
            ("", "- -"),
            ("#4f7a2c", "#4F7A2C -"),
            ("4f7a2c", "#4F7A2C -"),
            ("#366331", "#366331 -"),
            ("366331", "366331 -"),
            ("6626871355780366331", "6626871355780366331 -"),
            ("66331", "66331 -"),
            ("30m", "- 30m"),
            ("#4f7a2c 2h", "#4F7A2C 2h"),
            ("2h #4f7a2c", "#4F7A2C 2h"),
            ("1h30m", "- 1h30m"),
            ("90 分钟", "- 1h30m"),
            ("半小时", "- 30m"),
            ("半个小时", "- 30m"),
            ("两小时 #4f7a2c", "#4F7A2C 2h"),
            ("#4f7a2c 明天", "#4F7A2C tomorrow"),
            ("明天", "- tomorrow"),
            ("tomorrow", "- tomorrow"),
            ("下个工作日", "- workday"),
            ("next working day", "- workday"),
            ("2 hours", "- 2h"),
            ("1天", "- 1d"),
            ("8d", "- 8d ?"),
            ("0m", "- - ?"),
            ("99999m", "- - ?"),
            ("请", "- - ?"),
            ("#4f7a2c #00aa11", "#4F7A2C - ?"),
            ("2h 30m", "- 2h ?"),
            ("#zzzzzz", "- - ?"),
            ("123", "- - ?"),
        ] {
            assert_eq!(short(&Behind::read(typed)), expected, "{typed:?}");
        }
    }

    #[test]
    fn names_are_read_back() {
        for (verb, name, names) in VERBS {
            assert_eq!(Verb::from_name(name), Some(*verb));
            assert_eq!(verb.name(), *name);
            assert!(names.contains(name));
        }
    }
}
