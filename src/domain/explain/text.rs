//! An explanation as indented lines for people: ✓ holds, ✗ does not, ? nobody knows.

use crate::domain::{
    explain::explanation::{Explained, Explanation, Moment},
    text::{Locale, Message, Words},
    time::Timestamp,
    verdict::Answer,
    why::{Why, WhyKind},
};

/// Parts that are shown within each other at most.
const DEPTH_MAX: usize = 64;

/// A fact of more characters, such as a subject, is said once: several tests may look at it.
const REPEATED_CHARS_MAX: usize = 24;

const AS_ABOVE: Words = Words { zh: "同上", en: "as above" };

/// All of it.
pub fn text(explained: &Explained, locale: Locale) -> String {
    let moment = Moment { now: explained.at, zone: explained.zone };
    let (at, as_of) = (explained.zone.minute(explained.at), explained.zone.minute(explained.as_of));
    let ticket = &explained.ticket;
    let head = Message::new(
        format!("{ticket}：按 {at} 判断，数据是 {as_of} 的"),
        format!("{ticket}: judged as of {at}, on data of {as_of}"),
    );
    let mut lines = vec![head.get(locale).to_string()];
    lines.extend(explained.notes.iter().map(|note| format!("· {}", note.get(locale))));
    for rule in &explained.rules {
        lines.push(String::new());
        one(rule, moment, locale, &mut lines);
    }
    let plain = |c: char| if c.is_control() && c != '\n' { ' ' } else { c }; // words from outside steer no terminal
    lines.join("\n").chars().map(plain).collect()
}

fn one(rule: &Explanation, moment: Moment, locale: Locale, lines: &mut Vec<String>) {
    let (sign, said) = (sign(rule.answer), answer_words(rule.answer).get(locale));
    let colon = Words { zh: "：", en: ": " }.get(locale);
    lines.push(format!("{sign} {}{colon}{said}", rule.rule));
    lines.push(format!("  {}", rule.alert.get(locale)));
    lines.push(format!("  {}", next(rule.valid_until, moment).get(locale)));
    tree(&rule.why, 1, moment, locale, lines);
    if let Some(until) = &rule.until {
        lines.push(format!(
            "  {}",
            Words { zh: "满足下面的就结束（until）", en: "ends when this holds (until)" }.get(locale)
        ));
        tree(until, 2, moment, locale, lines);
    }
    lines.extend(rule.notes.iter().map(|note| format!("  · {}", note.get(locale))));
}

/// When time alone may change the answer.
pub fn next(valid_until: Timestamp, moment: Moment) -> Message {
    if valid_until.is_never() {
        return Message::new("时间过去不会改变，要等工单变化", "time alone does not change it; the ticket must");
    }
    let ahead = moment.ahead(valid_until);
    Message::new(
        format!("工单不变的话，下次可能改变：{}", ahead.zh),
        format!("if the ticket stays as it is, it may change at {}", ahead.en),
    )
}

/// A condition's answer with those of its parts, a line each.
pub fn tree(why: &Why, depth: usize, moment: Moment, locale: Locale, lines: &mut Vec<String>) {
    branch(why, (depth, &mut Vec::new()), moment, locale, lines);
}

/// A part of it, `said` being the long facts that stand above already.
fn branch<'w>(
    why: &'w Why,
    (depth, said): (usize, &mut Vec<&'w Message>),
    moment: Moment,
    locale: Locale,
    lines: &mut Vec<String>,
) {
    let (indent, sign) = ("  ".repeat(depth), sign(why.answer));
    if depth > DEPTH_MAX {
        return lines.push(format!("{indent}…"));
    }
    let (words, parts): (String, &[Why]) = match &why.kind {
        WhyKind::All(parts) => (Words { zh: "全部成立", en: "all of" }.get(locale).into(), parts),
        WhyKind::Any(parts) => (Words { zh: "至少一项成立", en: "any of" }.get(locale).into(), parts),
        WhyKind::None(parts) => (Words { zh: "一项都不成立", en: "none of" }.get(locale).into(), parts),
        WhyKind::Not(part) => (Words { zh: "并非", en: "not" }.get(locale).into(), std::slice::from_ref(part)),
        WhyKind::Meets(name, part) => {
            let name = Message::new(format!("满足“{name}”"), format!("meets \"{name}\""));
            (name.get(locale).into(), std::slice::from_ref(part))
        }
        WhyKind::Was(leaf) | WhyKind::Leaf(leaf) => {
            let turns = match why.valid_until.is_never() {
                true => Message::default(),
                false => {
                    let at = moment.zone.minute(why.valid_until);
                    Message::new(format!("（到 {at}）"), format!(" (until {at})"))
                }
            };
            let repeated = said.contains(&&leaf.fact);
            if leaf.fact.zh.chars().count() > REPEATED_CHARS_MAX && !repeated {
                said.push(&leaf.fact);
            }
            let above = Message::from(AS_ABOVE);
            let fact = if repeated { &above } else { &leaf.fact };
            let leaf = Message::new(
                format!("{}：{}{}", leaf.asked.zh, fact.zh, turns.zh),
                format!("{}: {}{}", leaf.asked.en, fact.en, turns.en),
            );
            (leaf.get(locale).into(), &[])
        }
    };
    lines.push(format!("{indent}{sign} {words}"));
    for part in parts {
        branch(part, (depth + 1, &mut *said), moment, locale, lines);
    }
}

/// The sign of an answer.
pub const fn sign(answer: Answer) -> &'static str {
    match answer {
        Answer::Yes => "✓",
        Answer::No => "✗",
        Answer::Unknown => "?",
    }
}

const fn answer_words(answer: Answer) -> Words {
    match answer {
        Answer::Yes => Words { zh: "成立", en: "holds" },
        Answer::No => Words { zh: "不成立", en: "does not hold" },
        Answer::Unknown => Words { zh: "未知", en: "unknown" },
    }
}

#[cfg(test)]
mod tests;
