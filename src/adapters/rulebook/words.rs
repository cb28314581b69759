//! The words of the rule language with their Chinese twins: keys, operators, choices. Parser, schema and reference are
//! made from these tables.

use crate::domain::{
    condition::{Clock, PersonPart},
    field::{Field, Kind},
};

/// A word of the language and its Chinese twin.
pub type Word = (&'static str, &'static str);

/// Keys of a file that is no bare rule.
pub const FILE_KEYS: &[Word] = &[("rules", "规则"), ("defaults", "默认"), ("conditions", "命名条件")];

/// Keys that any rule has.
pub const RULE_KEYS: &[Word] = &[
    ("name", "名称"),
    ("summary", "说明"),
    ("severity", "级别"),
    ("mode", "模式"),
    ("trial_to", "试运行发给"),
    ("formerly", "曾用名"),
    ("sources", "来源"),
    ("calendar", "日历"),
    ("catch_up", "补报"),
    ("when", "条件"),
    ("for", "持续"),
    ("keep_firing_for", "恢复后保持"),
    ("until", "直到"),
    ("expires", "过期"),
    ("refire_window", "重报窗口"),
    ("taken_for", "接手后等待"),
    ("notify", "通知"),
    ("escalate", "升级"),
    ("fallback", "兜底"),
    ("advice", "建议"),
    ("runbook", "手册"),
];

/// Keys that an SLA rule has besides; it has neither `notify` nor `escalate`.
pub const SLA_KEYS: &[Word] = &[("clock", "计时"), ("pause_in", "暂停状态"), ("target", "目标"), ("steps", "步骤")];

/// Keys that a counting rule has besides.
pub const COUNT_KEYS: &[Word] = &[("count", "计数"), ("per", "分组"), ("within", "时间窗"), ("clear", "解除")];

/// Keys of a rule that cannot stand in `defaults`: they make one rule what it is.
pub const NO_DEFAULTS: &[&str] =
    &["name", "formerly", "when", "clock", "pause_in", "target", "steps", "count", "per", "within", "clear"];

/// Keys that an SLA rule neither takes nor inherits: its steps say whom it tells.
pub const NOT_OF_SLA: &[&str] = &["notify", "escalate"];

/// Keys of a notify line.
pub const NOTIFY_KEYS: &[Word] =
    &[("to", "发给"), ("template", "模板"), ("mention", "提及"), ("repeat", "重复"), ("repeat_max", "最多重复")];

/// Keys of a line of `escalate`.
pub const ESCALATE_KEYS: &[Word] = &[
    ("after", "之后"),
    ("to", "发给"),
    ("template", "模板"),
    ("mention", "提及"),
    ("urgent", "加急"),
    ("calendar", "日历"),
];

/// Keys of a target of an SLA rule.
pub const TARGET_KEYS: &[Word] = &[("when", "条件"), ("is", "时限"), ("calendar", "日历")];

/// Keys of a step of an SLA rule.
pub const STEP_KEYS: &[Word] = &[
    ("at", "时点"),
    ("severity", "级别"),
    ("to", "发给"),
    ("template", "模板"),
    ("mention", "提及"),
    ("urgent", "加急"),
];

/// What a condition is put together with.
pub const COMBINERS: &[Word] = &[
    ("all", "全部满足"),
    ("any", "任一满足"),
    ("none", "都不满足"),
    ("not", "不满足"),
    ("meets", "符合"),
    ("was", "之前"),
    ("changed", "变化"),
    ("fields", "字段"),
    ("field", "单个字段"),
];

/// What a value is tested with.
pub const OPERATORS: &[Word] = &[
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

/// The key beside the operators of a clock, and of a rule.
pub const CALENDAR: Word = ("calendar", "日历");

/// The calendar that never closes.
pub const ALWAYS: Word = ("always", "始终");

/// Operators of a clock.
pub const CLOCK_OPERATORS: &[&str] = &["at_least", "under"];

/// Operators of a count.
pub const COUNT_OPERATORS: &[&str] = &["is", "at_least", "at_most", "above", "below"];

/// Operators of a part of a person.
pub const PART_OPERATORS: &[&str] = &["is", "contains", "matches", "starts_with", "exists"];

/// Operators of a custom field whose definition nobody stored.
pub const CUSTOM_OPERATORS: &[&str] = &[
    "is",
    "contains",
    "contains_all",
    "matches",
    "starts_with",
    "exists",
    "empty",
    "at_least",
    "at_most",
    "above",
    "below",
];

/// How a custom field is named in `field`.
pub const SELECTORS: &[Word] = &[("name", "名称"), ("key", "键"), ("id", "编号")];

/// Severities, rising.
pub const SEVERITIES: &[Word] = &[("info", "提示"), ("warning", "警告"), ("critical", "严重")];

/// Whether a rule tells anyone.
pub const MODES: &[Word] = &[("live", "正式"), ("trial", "试运行"), ("disabled", "停用")];

/// When an alert is over, if it is not a condition that says so.
pub const UNTILS: &[Word] = &[("cleared", "恢复"), ("handled", "已处理")];

/// How what already holds is announced.
pub const CATCH_UPS: &[Word] = &[("digest", "汇总"), ("each", "逐条"), ("none", "不补报")];

/// Whom a rule may tell, besides the receivers of the configuration.
pub const TO_WORDS: &[Word] = &[("team", "团队"), ("team.lead", "组长"), ("team.oncall", "值班"), ("owner", "负责人")];

/// Whom a line may mention, besides a person's email.
pub const MENTIONS: &[Word] = &[("owner", "负责人"), ("lead", "组长"), ("oncall", "值班")];

/// How a person is called up beside the card.
pub const URGENTS: &[Word] = &[("app", "应用内"), ("sms", "短信"), ("phone", "电话")];

/// "There is none", where a person is expected.
pub const NOBODY: &[&str] = &["none", "无", "没有"];

/// What stands before the name of a custom field in `changed` and `per`.
pub const CUSTOM_PREFIXES: &[&str] = &["fields.", "字段."];

/// The English word for `word` in a table, itself or its twin.
pub fn english(table: &[Word], word: &str) -> Option<&'static str> {
    table.iter().find(|(en, zh)| *en == word || *zh == word).map(|(en, _)| *en)
}

/// The English key of a rule of any kind, or of a file.
pub fn rule_key(word: &str) -> Option<&'static str> {
    [RULE_KEYS, SLA_KEYS, COUNT_KEYS, FILE_KEYS].iter().find_map(|table| english(table, word))
}

/// The clock that people call `word`.
pub fn clock(word: &str) -> Option<Clock> {
    Clock::ALL.into_iter().find(|clock| clock.name() == word || clock.words().zh == word)
}

/// The part of a person that people call `word`: `guest.department`, `客户.部门`, `客户的部门`.
pub fn part(word: &str) -> Option<(&'static Field, PersonPart)> {
    let (whole, part) = word.split_once('.').or_else(|| word.split_once('的'))?;
    let part = PersonPart::ALL.into_iter().find(|known| known.words().en == part || known.words().zh == part)?;
    Field::find(whole).filter(|field| field.kind == Kind::Person).map(|field| (field, part))
}

/// The name of the custom field that `word` means where single fields are listed: `fields.产品线`, `字段.产品线`.
pub fn custom_name(word: &str) -> Option<&str> {
    let name = CUSTOM_PREFIXES.iter().find_map(|prefix| word.strip_prefix(prefix))?;
    Some(name.trim()).filter(|name| !name.is_empty())
}

/// The operators that fit a kind of value.
pub const fn operators(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Text => PART_OPERATORS,
        Kind::Number => &["is", "at_least", "at_most", "above", "below", "exists"],
        Kind::Code(_) | Kind::Person => &["is", "exists"],
        Kind::Instant => &["exists", "before", "after"],
        Kind::Persons | Kind::Tags => &["contains", "contains_all", "empty", "exists"],
        Kind::I18n | Kind::Comments | Kind::Messages => {
            &["is", "contains", "matches", "starts_with", "exists", "empty"]
        }
        Kind::CustomFields => &["empty", "exists"],
    }
}

/// What a bare value behind a field of this kind means; nothing where there must be an operator.
pub const fn bare_operator(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Instant | Kind::CustomFields => None,
        Kind::Persons | Kind::Tags | Kind::Comments | Kind::Messages => Some("contains"),
        Kind::Text | Kind::Number | Kind::Code(_) | Kind::Person | Kind::I18n => Some("is"),
    }
}

/// The one name of a key in a condition, so that a key and its twin are seen to be the same.
pub fn condition_key(word: &str) -> Option<&'static str> {
    english(COMBINERS, word)
        .or_else(|| clock(word).map(Clock::name))
        .or_else(|| Field::find(word).map(|field| field.name))
}

/// Every word that may begin a test, for suggestions.
pub fn condition_words() -> impl Iterator<Item = &'static str> {
    let fields = Field::all().flat_map(|field| [field.name, field.zh]);
    let clocks = Clock::ALL.into_iter().flat_map(|clock| [clock.name(), clock.words().zh]);
    let combiners = COMBINERS.iter().flat_map(|(en, zh)| [*en, *zh]);
    fields.chain(clocks).chain(combiners)
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
        for word in combiners.chain(clocks) {
            assert!(words.insert(word), "{word} is in two tables");
            assert!(Field::find(word).is_none(), "{word} is a field too");
        }
    }

    #[test]
    fn no_key_of_a_rule_or_file_means_two_things() {
        let mut words: BTreeSet<&str> = BTreeSet::new();
        for table in [FILE_KEYS, RULE_KEYS, SLA_KEYS, COUNT_KEYS] {
            for word in table.iter().flat_map(|(en, zh)| [*en, *zh]) {
                assert!(words.insert(word), "{word} is in two tables");
                assert!(rule_key(word).is_some());
            }
        }
        for key in NO_DEFAULTS.iter().chain(NOT_OF_SLA) {
            assert_eq!(rule_key(key), Some(*key));
        }
    }
}
