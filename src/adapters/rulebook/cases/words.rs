//! The words of rule tests with their Chinese twins. Fields, codes and receivers are written as in rules.

use crate::{
    adapters::rulebook::words::{Word, english},
    domain::{alert::EndReason, notice::Step},
};

/// Keys of a case.
pub const CASE_KEYS: &[Word] = &[
    ("name", "名称"),
    ("rule", "规则"),
    ("source", "来源"),
    ("timezone", "时区"),
    ("timeline", "时间线"),
    ("expect", "期望"),
    ("none", "不提醒"),
    ("until", "直到"),
];

/// Keys of a line of the timeline.
pub const MOMENT_KEYS: &[Word] = &[
    ("at", "时刻"),
    ("id", "编号"),
    ("ticket", "工单"),
    ("gone", "消失"),
    ("guest", "客户说"),
    ("agent", "客服说"),
    ("bot", "机器人说"),
];

/// Keys of a line of what is expected.
pub const EXPECT_KEYS: &[Word] = &[
    ("at", "时刻"),
    ("rule", "规则"),
    ("id", "编号"),
    ("to", "发给"),
    ("step", "环节"),
    ("repeat", "第几次重复"),
    ("severity", "级别"),
    ("title", "标题"),
    ("card", "卡片"),
    ("ended", "结束"),
];

/// What a notice may tell.
pub const STEPS: &[Word] = &[("fired", "提醒"), ("repeated", "重复"), ("escalated", "升级")];

/// Why an alert may end; `true` says that the reason does not matter.
pub const ENDS: &[Word] = &[
    ("true", "是"),
    ("cleared", "恢复"),
    ("handled", "已处理"),
    ("until", "达到条件"),
    ("expired", "到期"),
    ("gone", "工单消失"),
];

/// The custom fields of a ticket.
pub const FIELDS: Word = ("fields", "字段");

/// The step that a word of [`STEPS`] means.
pub fn step(word: &str) -> Option<Step> {
    match english(STEPS, word)? {
        "fired" => Some(Step::Fired),
        "repeated" => Some(Step::Repeated),
        _ => Some(Step::Escalated),
    }
}

/// The words for a step.
pub fn step_words(step: Step) -> Word {
    STEPS.iter().copied().find(|(en, _)| *en == step.name()).unwrap_or(("fired", "提醒"))
}

/// The reason that a word of [`ENDS`] means; nothing where any reason will do.
pub fn end_reason(word: &str) -> Option<Option<EndReason>> {
    Some(match english(ENDS, word)? {
        "cleared" => Some(EndReason::Cleared),
        "handled" => Some(EndReason::Handled),
        "until" => Some(EndReason::UntilMet),
        "expired" => Some(EndReason::Expired),
        "gone" => Some(EndReason::TicketGone),
        _ => None,
    })
}
