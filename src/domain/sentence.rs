//! A whole condition as one sentence, in Chinese and English: what a rule watches, read aloud.

use crate::domain::{
    calendar::Wait,
    condition::{Condition, Operator, Test},
    rule::To,
    text::{Message, Words},
    wording::{clock_test_words, operator_words, paced_words, target_words, test_words},
};

/// A named condition's meaning is opened no deeper than this.
const OPENED_MAX: usize = 4;

/// What a condition demands: `状态是 待用户响应，并且状态持续至少 1 个工作日`.
pub fn condition_words(condition: &Condition) -> Message {
    whole(condition, 0)
}

fn whole(condition: &Condition, opened: usize) -> Message {
    match condition {
        Condition::All(parts) => joined(parts, opened, Words { zh: "，并且", en: ", and " }),
        Condition::Any(parts) => joined(parts, opened, Words { zh: "，或者", en: ", or " }),
        Condition::None(parts) => {
            let said = joined(parts, opened, Words { zh: "、", en: ", nor " });
            Message::new(format!("以下都不成立：{}", said.zh), format!("neither {}", said.en))
        }
        Condition::Not(part) => {
            let said = part_words(part, opened);
            Message::new(
                format!("并非{}", in_brackets(&said.zh, '（', '）')),
                format!("not {}", in_brackets(&said.en, '(', ')')),
            )
        }
        Condition::Test(test) => presence(test).unwrap_or_else(|| test_words(test)),
        Condition::Clock(test) => clock_test_words(test),
        Condition::Meets(name, _) if opened >= OPENED_MAX => {
            Message::new(format!("满足“{name}”"), format!("meets \"{name}\""))
        }
        Condition::Meets(name, meant) => {
            let said = whole(meant, opened + 1);
            Message::new(format!("满足“{name}”（{}）", said.zh), format!("meets \"{name}\" ({})", said.en))
        }
        Condition::Was(part) => {
            let said = part_words(part, opened);
            Message::new(format!("变化之前{}", said.zh), format!("before the change {}", said.en))
        }
        Condition::Changed(targets) => {
            let words: Vec<Message> = targets.iter().map(|target| target_words(target, None)).collect();
            let zh: Vec<&str> = words.iter().map(|word| word.zh.as_str()).collect();
            let en: Vec<&str> = words.iter().map(|word| word.en.as_str()).collect();
            Message::new(format!("{}有变化", zh.join("或")), format!("{} changed", en.join(" or ")))
        }
    }
}

fn joined(parts: &[Condition], opened: usize, by: Words) -> Message {
    if let [only] = parts {
        return whole(only, opened);
    }
    let said: Vec<Message> = parts.iter().map(|part| part_words(part, opened)).collect();
    let zh: Vec<&str> = said.iter().map(|part| part.zh.as_str()).collect();
    let en: Vec<&str> = said.iter().map(|part| part.en.as_str()).collect();
    Message::new(zh.join(by.zh), en.join(by.en))
}

/// A part of a sentence: in brackets where it is itself put together.
fn part_words(part: &Condition, opened: usize) -> Message {
    let said = whole(part, opened);
    match part {
        Condition::All(parts) | Condition::Any(parts) | Condition::None(parts) if parts.len() > 1 => {
            Message::new(in_brackets(&said.zh, '（', '）'), in_brackets(&said.en, '(', ')'))
        }
        _ => said,
    }
}

fn in_brackets(text: &str, open: char, close: char) -> String {
    if text.starts_with(open) && text.ends_with(close) { text.to_string() } else { format!("{open}{text}{close}") }
}

/// `没有负责人`, where a test asks whether there is a value.
fn presence(test: &Test) -> Option<Message> {
    let Operator::Exists(wanted) = test.operator else { return None };
    let what = target_words(&test.target, None);
    Some(match wanted {
        true => Message::new(format!("有{}", what.zh), format!("there is a value for {}", what.en)),
        false => Message::new(format!("没有{}", what.zh), format!("there is no {}", what.en)),
    })
}

/// How many there must be: `至少 10`, `at least 10`.
pub fn count_words(demands: &[Operator]) -> Message {
    let said: Vec<(Words, Message)> = demands.iter().map(|demand| operator_words(demand, None)).collect();
    let zh: Vec<String> = said.iter().map(|(verb, number)| format!("{} {}", verb.zh, number.zh)).collect();
    let en: Vec<String> =
        said.iter().map(|(verb, number)| format!("{} {}", verb.en.trim_start_matches("is "), number.en)).collect();
    Message::new(zh.join("、"), en.join(" and "))
}

/// A wait as people say it: `2 小时`, `1 个工作日`.
pub fn wait_words(wait: &Wait) -> Message {
    paced_words(wait.span, &wait.pace)
}

/// Whom a line means.
pub fn to_words(to: &To) -> Message {
    match to {
        To::Receiver(name) => Message::new(name.as_str(), name.as_str()),
        To::Team => Message::new("工单的团队", "the ticket's team"),
        To::TeamLead => Message::new("团队的组长", "the team's lead"),
        To::TeamOncall => Message::new("团队的值班人", "whoever is on call for the team"),
        To::Owner => Message::new("工单的负责人（没有就是团队）", "the ticket's owner (without one, its team)"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{
        calendar::Pace,
        condition::{Bound, Clock, ClockTest, Target},
        field::Field,
        id::ConditionName,
        time::Span,
    };

    fn field(name: &str) -> Target {
        Target::Field(Field::find(name).unwrap())
    }

    fn test(name: &str, operator: Operator) -> Condition {
        Condition::Test(Test { target: field(name), operator })
    }

    fn code(name: &str, codes: &[i64]) -> Condition {
        test(name, Operator::CodeIs(codes.into()))
    }

    #[test]
    fn a_condition_reads_as_a_sentence() {
        let waits = Condition::Clock(ClockTest {
            clock: Clock::InStatus,
            bound: Bound::AtLeast(Span::from_hours(24)),
            pace: Pace::Wall,
        });
        let vip = Condition::Meets(ConditionName::new("vip"), Arc::new(code("score", &[1])));
        let cases = [
            (
                Condition::All(vec![code("status", &[5]), waits]),
                "状态是 待用户响应，并且状态持续至少 1 天",
                "status is waiting for user, and in status at least 1 day",
            ),
            (code("status", &[1, 2, 3, 4, 5]), "状态是 未关闭", "status is open"),
            (
                Condition::All(vec![vip, Condition::Any(vec![code("channel", &[2]), code("solved", &[1])])]),
                "满足“vip”（评分是 不满意），并且（渠道是 二维码，或者是否解决是 未解决）",
                "meets \"vip\" (score is dissatisfied), and (channel is qr code, or solved is unsolved)",
            ),
            (
                Condition::Not(Box::new(test("agent_owner", Operator::Exists(false)))),
                "并非（没有负责人）",
                "not (there is no agent owner)",
            ),
            (
                Condition::None(vec![code("score", &[1]), code("solved", &[1])]),
                "以下都不成立：评分是 不满意、是否解决是 未解决",
                "neither score is dissatisfied, nor solved is unsolved",
            ),
            (
                Condition::All(vec![
                    Condition::Was(Box::new(code("status", &[50, 51, 52]))),
                    Condition::Changed(vec![field("score"), field("agent_owner")].into()),
                ]),
                "变化之前状态是 已关闭，并且评分或负责人有变化",
                "before the change status is closed, and score or agent owner changed",
            ),
        ];
        for (condition, zh, en) in cases {
            assert_eq!(condition_words(&condition), Message::new(zh, en), "{condition}");
        }
    }

    #[test]
    fn counts_are_said() {
        let said = count_words(&[Operator::AtLeast(10.0), Operator::Below(20.0)]);
        assert_eq!(said, Message::new("至少 10、小于 20", "at least 10 and below 20"));
    }
}
