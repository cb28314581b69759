//! The words of the rule language with their Chinese twins, and those that are not built yet.

use crate::domain::{
    condition::{Clock, PersonPart},
    field::{FIELDS, Field},
};

/// A word of the language and its Chinese twin.
pub(super) type Word = (&'static str, &'static str);

/// Keys of a rule.
pub(super) const RULE_KEYS: &[Word] = &[
    ("name", "名称"),
    ("summary", "说明"),
    ("severity", "级别"),
    ("sources", "来源"),
    ("catch_up", "补报"),
    ("when", "条件"),
    ("for", "持续"),
    ("until", "直到"),
    ("expires", "过期"),
    ("notify", "通知"),
    ("advice", "建议"),
];

/// Keys of a rule or of a rule file that are not built yet.
pub(super) const RULE_NOT_BUILT: &[&str] = &[
    "rules",
    "defaults",
    "conditions",
    "mode",
    "trial_to",
    "formerly",
    "calendar",
    "keep_firing_for",
    "refire_window",
    "taken_for",
    "escalate",
    "fallback",
    "runbook",
    "clock",
    "pause_in",
    "target",
    "steps",
    "count",
    "per",
    "within",
    "clear",
];

/// Keys of a notify line.
pub(super) const NOTIFY_KEYS: &[Word] =
    &[("to", "发给"), ("template", "模板"), ("repeat", "重复"), ("repeat_max", "最多重复")];

/// Keys of a notify line that are not built yet.
pub(super) const NOTIFY_NOT_BUILT: &[&str] = &["mention", "urgent", "calendar"];

/// Receivers that are not built yet: they follow from teams and from the ticket.
pub(super) const RECEIVERS_NOT_BUILT: &[&str] = &["team", "team.lead", "team.oncall", "owner"];

/// What a condition is put together with.
pub(super) const COMBINERS: &[Word] = &[
    ("all", "全部满足"),
    ("any", "任一满足"),
    ("none", "都不满足"),
    ("not", "不满足"),
    ("fields", "字段"),
    ("field", "单个字段"),
];

/// What a value is tested with.
pub(super) const OPERATORS: &[Word] = &[
    ("is", "是"),
    ("contains", "包含"),
    ("contains_all", "全部包含"),
    ("matches", "匹配"),
    ("starts_with", "开头是"),
    ("exists", "有值"),
    ("empty", "为空"),
    ("at_least", "至少"),
    ("at_most", "至多"),
    ("above", "大于"),
    ("below", "小于"),
    ("under", "不到"),
    ("before", "早于"),
    ("after", "晚于"),
];

/// Conditions that are not built yet: named conditions, the snapshot before, calendars' clocks, what messages carry.
pub(super) const CONDITIONS_NOT_BUILT: &[&str] = &[
    "meets",
    "was",
    "changed",
    "reopened_count",
    "queue_time",
    "unanswered_for",
    "first_response",
    "resolution",
    "service_time",
    "guest_message",
    "agent_message",
    "first_guest_message",
    "last_guest_message",
    "subject",
    "priority",
    "team",
];

/// How a custom field is named in `field`.
pub(super) const SELECTORS: &[Word] = &[("name", "名称"), ("key", "键"), ("id", "编号")];

/// Severities.
pub(super) const SEVERITIES: &[Word] = &[("info", "提示"), ("warning", "警告"), ("critical", "严重")];

/// When an alert is over.
pub(super) const UNTILS: &[Word] = &[("cleared", "恢复"), ("handled", "已处理")];

/// How what already holds is announced.
pub(super) const CATCH_UPS: &[Word] = &[("digest", "汇总"), ("each", "逐条"), ("none", "不补报")];

/// "There is none", where a person is expected.
pub(super) const NOBODY: &[&str] = &["none", "无", "没有"];

/// The English word for `word` in a table, itself or its twin.
pub(super) fn english(table: &[Word], word: &str) -> Option<&'static str> {
    table.iter().find(|(en, zh)| *en == word || *zh == word).map(|(en, _)| *en)
}

/// The clock that people call `word`.
pub(super) fn clock(word: &str) -> Option<Clock> {
    Clock::ALL.into_iter().find(|clock| clock.name() == word || clock.words().zh == word)
}

/// The part of a person that people call `word`: `guest.department`, `客户.部门`, `客户的部门`.
pub(super) fn part(word: &str) -> Option<(&'static Field, PersonPart)> {
    let (whole, part) = word.split_once('.').or_else(|| word.split_once('的'))?;
    let part = PersonPart::ALL.into_iter().find(|known| known.words().en == part || known.words().zh == part)?;
    Some((Field::find(whole)?, part))
}

/// The one name of a key in a condition, so that a key and its twin are seen to be the same.
pub(super) fn condition_key(word: &str) -> Option<&'static str> {
    english(COMBINERS, word)
        .or_else(|| clock(word).map(Clock::name))
        .or_else(|| Field::find(word).map(|field| field.name))
}

/// Every word that may begin a test, for suggestions.
pub(super) fn condition_words() -> impl Iterator<Item = &'static str> {
    let fields = FIELDS.iter().flat_map(|field| [field.name, field.zh]);
    let clocks = Clock::ALL.into_iter().flat_map(|clock| [clock.name(), clock.words().zh]);
    let combiners = COMBINERS.iter().flat_map(|(en, zh)| [*en, *zh]);
    fields.chain(clocks).chain(combiners).chain(CONDITIONS_NOT_BUILT.iter().copied())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_word_of_a_condition_means_two_things() {
        let mut words: BTreeSet<&str> = BTreeSet::new();
        let combiners = COMBINERS.iter().flat_map(|(en, zh)| [*en, *zh]);
        let clocks = Clock::ALL.into_iter().flat_map(|clock| [clock.name(), clock.words().zh]);
        for word in combiners.chain(clocks).chain(CONDITIONS_NOT_BUILT.iter().copied()) {
            assert!(words.insert(word), "{word} is in two tables");
            assert!(Field::find(word).is_none(), "{word} is a field too");
        }
    }
}
