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

/// What a key says: of a file, a rule, or a line of one of a rule's lists.
pub(super) fn key_doc(of: &str, key: &str) -> Words {
    match of {
        "file" => match key {
            "rules" => Words { zh: "几条规则", en: "several rules" },
            "defaults" => Words {
                zh: "整个文件夹的规则共用的写法；规则自己写了就以自己的为准",
                en: "what holds for every rule of the folder that does not say it itself",
            },
            "conditions" => Words {
                zh: "命名的条件，规则里用 meets 引用",
                en: "named conditions; rules refer to them with meets",
            },
            _ => NOTHING,
        },
        "rule" => RULE_KEY_DOCS.iter().find(|(known, _)| *known == key).map_or(NOTHING, |(_, doc)| *doc),
        "case" | "moment" | "expected" => case_key_doc(of, key),
        _ => line_key_doc(of, key),
    }
}

fn case_key_doc(of: &str, key: &str) -> Words {
    match (of, key) {
        ("case", "name") => Words { zh: "用例的名字", en: "the case's name" },
        ("case", "rule") => {
            Words { zh: "测哪条规则，可以几条；不写就是全部", en: "the rule, or rules; absent: all" }
        }
        ("case", "source") => Words { zh: "工单来自哪个来源", en: "the source whose tickets it shows" },
        ("case", "timezone") => Words { zh: "时刻按哪个时区", en: "the zone its instants are written in" },
        ("case", "timeline") => {
            Words { zh: "工单怎么变，一行一步", en: "what happens to the tickets, line by line" }
        }
        ("case", "expect") => {
            Words { zh: "该提醒谁，除此之外什么都不能发", en: "what must be told, and nothing else" }
        }
        ("case", "none") => Words { zh: "true：什么都不该发", en: "true: nothing may be sent" },
        ("case", "until") => Words { zh: "看到什么时候为止", en: "until when it is watched" },
        (_, "at") => Words {
            zh: "时刻：2026-11-20 09:00，或 +15m（从第一行算起）",
            en: "an instant: 2026-11-20 09:00, or +15m (from the first line on)",
        },
        (_, "id") => Words {
            zh: "哪张工单，不写就是 1；1..10 是十张", en: "which ticket, 1 if absent; 1..10 are ten"
        },
        (_, "ticket") => Words { zh: "变了哪些字段", en: "the fields that change" },
        (_, "gone") => Words { zh: "true：工单不见了", en: "true: the ticket is gone" },
        (_, "guest") => Words { zh: "客户说的话", en: "what the guest says" },
        (_, "agent") => Words { zh: "客服说的话", en: "what an agent says" },
        (_, "bot") => Words { zh: "机器人说的话", en: "what the bot says" },
        (_, "rule") => Words { zh: "哪条规则提醒的", en: "the rule that rings" },
        (_, "to") => Words { zh: "提醒谁", en: "who is told" },
        (_, "step") => {
            Words { zh: "是提醒、重复还是升级", en: "whether it is a beginning, a repeat or an escalation" }
        }
        (_, "repeat") => Words { zh: "第几次重复", en: "which repeat it is, from 1" },
        (_, "severity") => Words { zh: "那时的级别", en: "how serious the alert is by then" },
        (_, "title") => Words { zh: "卡片标题里有的文字", en: "texts in the card's title" },
        (_, "card") => Words { zh: "卡片上有的文字", en: "texts anywhere on the card" },
        (_, "ended") => Words { zh: "提醒结束，以及为什么", en: "the alert ends, and why" },
        _ => NOTHING,
    }
}

/// Keys of a rule.
const RULE_KEY_DOCS: &[(&str, Words)] = &[
    ("name", Words { zh: "规则的名字；提醒属于它", en: "the rule's name; alerts belong to it" }),
    ("summary", Words { zh: "一句话说明", en: "one line for people" }),
    (
        "severity",
        Words {
            zh: "级别：info 提示、warning 警告（默认）、critical 严重",
            en: "info, warning (the default) or critical",
        },
    ),
    (
        "mode",
        Words {
            zh: "live 正式；trial 试运行：判断、计数，只发给 trial_to；disabled 停用",
            en: "live; trial: judged and counted, told only to trial_to; disabled",
        },
    ),
    (
        "trial_to",
        Words {
            zh: "试运行时发给谁；不写就只计数", en: "who is told while on trial; absent: counted only"
        },
    ),
    ("formerly", Words { zh: "以前的名字；旧提醒接着算", en: "names it had before: their alerts go on" }),
    ("sources", Words { zh: "看哪些来源；不写就是全部", en: "which sources it watches; absent: all" }),
    (
        "calendar",
        Words {
            zh: "时长按哪个日历的办公时间算；always 或不写是自然时间",
            en: "the calendar its durations are counted in; always, or absent: wall time",
        },
    ),
    (
        "catch_up",
        Words {
            zh: "已经成立的怎么告知：digest 汇总、each 逐条、none 不发",
            en: "how what already holds is announced: digest, each, none",
        },
    ),
    (
        "when",
        Words {
            zh: "什么时候提醒；计数规则里是数量的要求",
            en: "what must hold; in a counting rule, how many there must be",
        },
    ),
    ("for", Words { zh: "要持续多久才提醒", en: "how long it must hold before it rings" }),
    (
        "keep_firing_for",
        Words { zh: "不成立以后再等多久才结束", en: "how long it must not hold before the alert is over" },
    ),
    (
        "until",
        Words {
            zh: "什么时候结束：cleared 恢复（默认）、handled 有人处理，或一个条件",
            en: "when the alert is over: cleared (the default), handled, or a condition",
        },
    ),
    ("expires", Words { zh: "提醒最长存在多久，从提醒算起", en: "how long an alert lives at most, from firing" }),
    (
        "refire_window",
        Words {
            zh: "多久之内再次成立算同一张卡片，默认 1h",
            en: "a re-fire within this time opens the same card again; default 1h",
        },
    ),
    (
        "taken_for",
        Words {
            zh: "接手以后多久不再升级，默认 4h",
            en: "how long taking an alert keeps its ladder still; default 4h",
        },
    ),
    ("notify", Words { zh: "通知谁", en: "whom it tells" }),
    ("escalate", Words { zh: "没人接手时再通知谁", en: "who is told when nobody took it in time" }),
    (
        "fallback",
        Words {
            zh: "升级到头以后每 30 分钟通知谁", en: "who is told every 30 minutes after the last step"
        },
    ),
    ("advice", Words { zh: "该怎么做，写在卡片上", en: "what to do about it, shown on the card" }),
    ("runbook", Words { zh: "处理手册的网址", en: "the address of the page that says what to do" }),
    ("clock", Words { zh: "服务时限（SLA）看哪个时长", en: "the clock of a service level" }),
    ("pause_in", Words { zh: "在这些状态里时长不走", en: "statuses in which the clock rests" }),
    (
        "target",
        Words {
            zh: "时限：一个时长，或几行，先符合的为准",
            en: "the target: a duration, or lines of which the first that matches wins",
        },
    ),
    ("steps", Words { zh: "走到哪里通知谁", en: "whom to tell on the way to the target and past it" }),
    ("count", Words { zh: "数哪些工单", en: "which tickets are counted" }),
    (
        "per",
        Words {
            zh: "按哪个字段分组；不写就是一组", en: "the field whose values make the groups; absent: one group"
        },
    ),
    (
        "within",
        Words {
            zh: "只数最近这么久之内开始符合的",
            en: "only tickets that began to match within this time are counted",
        },
    ),
    ("clear", Words { zh: "数量到多少就结束", en: "how many there must be for the alert to be over" }),
];

fn line_key_doc(of: &str, key: &str) -> Words {
    match (of, key) {
        (_, "to") => Words {
            zh: "通知谁：team 团队、team.lead 组长、team.oncall 值班、owner 负责人，或接收方的名字",
            en: "whom: team, team.lead, team.oncall, owner, or a receiver's name",
        },
        (_, "template") => Words { zh: "用哪个模板", en: "which template" },
        (_, "mention") => Words {
            zh: "提及谁：owner、lead、oncall，或一个邮箱",
            en: "whom to mention: owner, lead, oncall, or an email",
        },
        (_, "repeat") => Words {
            zh: "没结束的话隔多久再提醒；几个的话依次用，最后一个一直用",
            en: "waits before each repeat; the last one goes on",
        },
        (_, "repeat_max") => {
            Words { zh: "最多再提醒几次，默认 10", en: "how many repeats at most; default 10" }
        }
        (_, "urgent") => Words {
            zh: "加急：app 应用内、sms 短信、phone 电话",
            en: "how to call the person up: app, sms or phone",
        },
        (_, "after") => {
            Words { zh: "提醒以后多久没人接手", en: "so long after the alert, unless someone took it" }
        }
        (_, "calendar") => Words { zh: "这一行按哪个日历算", en: "the calendar of this line" },
        (_, "when") => Words {
            zh: "哪些工单；不写就是其余全部",
            en: "for which tickets; absent: for all that are left",
        },
        (_, "is") => Words { zh: "时限", en: "the target" },
        (_, "at") => Words {
            zh: "什么时候：75%、100%、+30m（超过）、-15m（之前）",
            en: "when: 75%, 100%, +30m (past the target), -15m (before it)",
        },
        (_, "severity") => Words { zh: "从这一步起的级别", en: "the alert's severity from there on" },
        _ => NOTHING,
    }
}
