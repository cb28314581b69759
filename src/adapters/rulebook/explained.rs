//! What the words of the rule language mean, for people who look them up and for editors that show it on hovering.

use crate::domain::{condition::Clock, text::Words};

const NOTHING: Words = Words { zh: "", en: "" };

/// What an operator demands.
pub(super) fn operator_doc(operator: &str) -> Words {
    match operator {
        "is" => Words {
            zh: "是这几个之一；直接写值也是这个意思", en: "is one of these; a bare value means the same"
        },
        "contains" => Words {
            zh: "文字里含有其中一段；列表里有其中一个",
            en: "the text contains one of these; the list has one of these",
        },
        "contains_all" => Words { zh: "列表里这些都有", en: "the list has every one of these" },
        "matches" => Words {
            zh: "符合其中一个正则表达式，任何位置都算，大小写有别",
            en: "matches one of these regular expressions, anywhere in it, exactly as written",
        },
        "starts_with" => Words { zh: "以其中一段开头", en: "begins with one of these" },
        "exists" => {
            Words { zh: "true：有值；false：没有值", en: "true: there is a value; false: there is none" }
        }
        "empty" => Words { zh: "true：为空；false：不为空", en: "true: it is empty; false: it is not" },
        "at_least" => Words {
            zh: "大于或等于；时长到了这么久（含边界）",
            en: "this number or more; for a clock, this long or longer (the boundary included)",
        },
        "at_most" => Words { zh: "小于或等于", en: "this number or less" },
        "above" => Words { zh: "大于", en: "more than this number" },
        "below" => Words { zh: "小于", en: "less than this number" },
        "under" => {
            Words { zh: "时长还不到这么久（不含边界）", en: "the clock has run for less than this" }
        }
        "before" => Words { zh: "早于这个时刻", en: "earlier than this instant" },
        "after" => Words { zh: "晚于这个时刻", en: "later than this instant" },
        _ => NOTHING,
    }
}

/// How conditions are put together by a word.
pub(super) fn combiner_doc(combiner: &str) -> Words {
    match combiner {
        "all" => Words { zh: "列表里的条件都成立", en: "every condition of the list holds" },
        "any" => Words { zh: "列表里的条件至少一个成立", en: "at least one condition of the list holds" },
        "none" => Words { zh: "列表里的条件都不成立", en: "no condition of the list holds" },
        "not" => Words { zh: "这个条件不成立", en: "this one condition does not hold" },
        "fields" => Words {
            zh: "自定义字段，按显示名或键名：{ 优先级: [P0, P1] }",
            en: "custom fields, by display name or key: { 优先级: [P0, P1] }",
        },
        "field" => Words {
            zh: "一个自定义字段，用 name、key 或 id 指明：{ key: priority, is: P0 }",
            en: "one custom field, chosen by name, key or id: { key: priority, is: P0 }",
        },
        "meets" => {
            Words { zh: "满足一个命名的条件（conditions）", en: "a named condition holds (conditions)" }
        }
        "was" => Words {
            zh: "变化之前的工单满足这个条件；只在工单变化时判断，要写 until",
            en: "it held before the change; judged only when the ticket changes, and needs until",
        },
        "changed" => Words {
            zh: "这些字段里有一个变了；只在工单变化时判断，要写 until",
            en: "one of these fields changed; judged only when the ticket changes, and needs until",
        },
        _ => NOTHING,
    }
}

/// What starts a clock, and what stops it.
pub(super) const fn clock_course(clock: Clock) -> (Words, Words) {
    const CLOSING: Words = Words { zh: "关单", en: "closing" };
    const HUMAN: Words =
        Words { zh: "转到人工（机器人的时间不算）", en: "entering the human stage (not the bot's time)" };
    match clock {
        Clock::Age => (Words { zh: "创建工单", en: "creation" }, CLOSING),
        Clock::Idle => (
            Words {
                zh: "最近一次更新；从未更新过就从创建算", en: "the last update, or creation while there is none"
            },
            CLOSING,
        ),
        Clock::InStatus => (
            Words { zh: "进入当前状态", en: "the present status began" },
            Words {
                zh: "不停，关单后也走；换状态重新算", en: "nothing, not even closing; a new status begins anew"
            },
        ),
        Clock::SinceAgentReply => (
            Words {
                zh: "客服最近一次回复；没回复过就不走", en: "the last agent reply; not before the first"
            },
            CLOSING,
        ),
        Clock::QueueTime => (
            Words { zh: "开始排队", en: "joining the queue" },
            Words { zh: "离开排队；再排队接着走", en: "leaving the queue; goes on with the next spell" },
        ),
        Clock::UnansweredFor => (
            Words {
                zh: "最早一条没人回复的客户消息", en: "the oldest message of the guest that nobody answered"
            },
            Words { zh: "客服回复，或关单", en: "an agent's answer, or closing" },
        ),
        Clock::FirstResponse => (HUMAN, Words { zh: "客服首次回复，或关单", en: "the first agent reply, or closing" }),
        Clock::Resolution => (HUMAN, CLOSING),
        Clock::ServiceTime => (
            Words { zh: "进入处理中", en: "an agent begins to work on it (processing)" },
            Words {
                zh: "离开处理中；再处理接着走", en: "leaving that status; goes on with the next spell"
            },
        ),
    }
}
