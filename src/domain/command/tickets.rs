//! What stands behind `/tickets`: which tickets, and which page of them.

use crate::domain::{
    codes,
    command::{
        ids::{self, ID_DIGITS_MAX},
        verb::span,
    },
    condition::Clock,
    duration,
    field::Field as Column,
    id::TicketId,
};

/// Tickets that are asked for by their ids at once, at most.
pub const IDS_MAX: usize = 10;

/// Parts of one condition, at most.
pub const TERMS_MAX: usize = 8;

/// Values of one part, at most.
pub const VALUES_MAX: usize = 20;

/// Characters of a name that stands alone.
const NAME_CHARS_MAX: usize = 20;

/// The last page anyone can ask for.
pub const PAGE_MAX: u32 = 9_999;

/// Which tickets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// By their ids, whole or the last digits.
    pub ids: Vec<TicketId>,
    /// Ids beyond [`IDS_MAX`]: how many were left out.
    pub left_out: usize,
    /// Every one of these holds.
    pub terms: Vec<Term>,
    /// Which page, from 1.
    pub page: u32,
}

/// One part of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// Owned by one of these.
    Owner(Vec<Who>),
    /// An alert about time rings on it.
    Overdue,
    /// What a field or a clock says, in the language of rules.
    Field(Field),
}

/// Whose tickets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Of whoever asks.
    Me,
    /// Of nobody.
    Nobody,
    /// Of whoever is called so.
    Named(String),
}

/// A field or a clock as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name in rules, or as typed where that is none of the short ones.
    pub key: String,
    /// What is compared.
    pub relation: Relation,
    /// With what: one of these.
    pub values: Vec<String>,
}

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// `:` or `=`.
    Is,
    /// `>`.
    Above,
    /// `>=`.
    AtLeast,
    /// `<`.
    Below,
    /// `<=`.
    AtMost,
}

impl Relation {
    /// Every way to write one, the longer ones first.
    const WRITTEN: [(&str, Self); 9] = [
        (">=", Self::AtLeast),
        ("=>", Self::AtLeast),
        ("≥", Self::AtLeast),
        ("<=", Self::AtMost),
        ("≤", Self::AtMost),
        (">", Self::Above),
        ("<", Self::Below),
        (":", Self::Is),
        ("=", Self::Is),
    ];

    const fn sign(self) -> &'static str {
        match self {
            Self::Is => ":",
            Self::Above => ">",
            Self::AtLeast => ">=",
            Self::Below => "<",
            Self::AtMost => "<=",
        }
    }
}

/// Short names of what is asked for most; any other name is one of the language of rules.
pub const KEYS: &[(&str, &[&str])] = &[
    (OWNER, &["负责人", "客服", "处理人", "经办人", "owner", "agent", "assignee", "agent_owner"]),
    ("status", &["状态", "status", "state"]),
    ("priority", &["优先级", "priority", "级别"]),
    ("team", &["团队", "组", "team"]),
    ("guest", &["客户", "用户", "guest", "customer"]),
    ("tags", &["标签", "tag", "tags"]),
    ("score", &["评分", "评价", "score", "rating"]),
    ("in_status", &["等待", "等了", "等", "停留", "wait", "waiting", "waited"]),
    ("age", &["创建", "开了", "age", "open_for"]),
    ("idle", &["没更新", "未更新", "沉默", "idle"]),
    ("queue_time", &["排队时间", "排队时长", "queue_time"]),
    (MEETS, &["符合", "条件", "meets"]),
];

/// A condition that the rules name.
const MEETS: &str = "meets";

/// The owner is looked at by the desk, which knows who is who.
const OWNER: &str = "agent_owner";

const ME: &[&str] = &["我", "我自己", "me", "mine", "myself"];
const NOBODY: &[&str] = &["无", "没有", "没人", "无人", "空", "none", "nobody", "noone"];
const PAGE: &[&str] = &["页", "页码", "page"];

/// Words that are a condition by themselves.
pub const WORDS: &[(Word, &[&str])] = &[
    (Word::Me, &["我的", "我的单", "mine", "my"]),
    (Word::Nobody, &["没人接", "没人接的", "未分配", "unassigned", "nobody"]),
    (Word::Overdue, &["超时", "超时的", "逾期", "overdue", "late"]),
];

/// What a word alone asks for.
#[derive(Clone, Copy, Debug)]
pub enum Word {
    /// Tickets of whoever asks.
    Me,
    /// Tickets of nobody.
    Nobody,
    /// Tickets on which something about time rings.
    Overdue,
}

impl Word {
    fn term(self) -> Term {
        match self {
            Self::Me => Term::Owner(vec![Who::Me]),
            Self::Nobody => Term::Owner(vec![Who::Nobody]),
            Self::Overdue => Term::Overdue,
        }
    }
}

impl Query {
    /// Reads what stands behind the name, folded. A word without a key is a status, or else whoever owns the tickets.
    ///
    /// # Errors
    /// The word that cannot be read.
    pub fn read(text: &str) -> Result<Self, String> {
        Self::of_words(text, bare_term)
    }

    fn of_words(text: &str, bare: impl Fn(&str) -> Option<Term>) -> Result<Self, String> {
        let (page, text) = paged(text);
        let mut query = Self { page, ..Self::default() };
        let text = text.trim();
        if text.is_empty() {
            return Ok(query);
        }
        if let Some(mut ids) = ids::only(text).filter(|ids| ids.iter().all(|id| id.len() <= ID_DIGITS_MAX)) {
            query.left_out = ids.len().saturating_sub(IDS_MAX);
            ids.truncate(IDS_MAX);
            query.ids = ids.iter().map(|id| id.as_str().into()).collect();
            return Ok(query);
        }
        for word in glued(text).split_whitespace() {
            let term = WORDS.iter().find(|(_, names)| names.contains(&word)).map(|(meant, _)| meant.term());
            let term = term.or_else(|| term_of(word)).or_else(|| bare(word)).ok_or_else(|| word.to_string())?;
            if query.terms.len() >= TERMS_MAX {
                return Err(word.to_string());
            }
            query.terms.push(term);
        }
        Ok(query)
    }

    /// Whether it says anything of the status: then closed tickets may be meant.
    pub fn names_status(&self) -> bool {
        self.terms.iter().any(|term| matches!(term, Term::Field(field) if field.key == "status"))
    }

    /// What of it is a condition in the language of rules, written so; nothing where it has no such part.
    pub fn condition(&self) -> Option<String> {
        let parts: Vec<String> = self.terms.iter().filter_map(|term| Some(term.field()?.written_for_rules())).collect();
        (!parts.is_empty()).then(|| format!("{{ all: [{}] }}", parts.join(", ")))
    }

    /// The same question for another page, as it would be typed; `me` stands for whoever asked.
    pub fn written(&self, page: u32, me: &str) -> String {
        let mut words: Vec<String> = self.ids.iter().map(ToString::to_string).collect();
        words.extend(self.terms.iter().map(|term| term.written(me)));
        words.push(format!("页:{page}"));
        words.join(" ")
    }
}

impl Term {
    const fn field(&self) -> Option<&Field> {
        match self {
            Self::Field(field) => Some(field),
            Self::Owner(_) | Self::Overdue => None,
        }
    }

    fn written(&self, me: &str) -> String {
        match self {
            Self::Owner(who) => {
                let one = |who: &Who| match who {
                    Who::Me => me.to_string(),
                    Who::Nobody => "无".to_string(),
                    Who::Named(name) => name.clone(),
                };
                let mut owners: Vec<String> = who.iter().map(one).filter(|owner| !owner.is_empty()).collect();
                if owners.is_empty() {
                    owners.push("我".to_string()); // whoever has no id; never the tickets of all
                }
                format!("负责人:{}", owners.join(","))
            }
            Self::Overdue => "超时".to_string(),
            Self::Field(field) => format!("{}{}{}", field.key, field.relation.sign(), field.values.join(",")),
        }
    }
}

impl Field {
    /// As a mapping of the language of rules, on one line.
    fn written_for_rules(&self) -> String {
        let test = self.test();
        if self.is_custom() { format!("{{ fields: {test} }}") } else { test }
    }

    /// Whether it is none of the fields and clocks every ticket has.
    fn is_custom(&self) -> bool {
        let person = self.key.split('.').next().unwrap_or_default();
        self.key != MEETS && Column::find(person).is_none() && !clock(&self.key)
    }

    fn test(&self) -> String {
        let key = quoted(&self.key);
        let spans: Vec<_> = self.values.iter().filter_map(|value| span(value)).collect();
        // `套餐:3天` is a field's text, `queue_time>10m` a clock.
        if let [one] = spans.as_slice()
            && self.values.len() == 1
            && clock(&self.key)
        {
            let operator = match self.relation {
                Relation::Below | Relation::AtMost => "under",
                Relation::Is | Relation::Above | Relation::AtLeast => "at_least",
            };
            return format!("{{ {key}: {{ {operator}: {} }} }}", duration::written(*one));
        }
        let operator = match self.relation {
            Relation::Is => {
                let values: Vec<String> = self.values.iter().map(|value| quoted(value)).collect();
                return match values.as_slice() {
                    [one] => format!("{{ {key}: {one} }}"),
                    several => format!("{{ {key}: [{}] }}", several.join(", ")),
                };
            }
            Relation::Above => "above",
            Relation::AtLeast => "at_least",
            Relation::Below => "below",
            Relation::AtMost => "at_most",
        };
        let value = self.values.first().map(String::as_str).unwrap_or_default();
        let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let value = if is_number { value.to_string() } else { quoted(value) };
        format!("{{ {key}: {{ {operator}: {value} }} }}")
    }
}

/// A text in double quotes, as YAML reads it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars().filter(|c| !c.is_control()) {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// The page that is asked for, and the text without it: `第2页`, `页:2`, `page 2`.
pub fn paged(text: &str) -> (u32, String) {
    let number = |text: &str| text.parse::<u32>().ok().filter(|page| (1..=PAGE_MAX).contains(page));
    let mut page = 1;
    let mut left: Vec<&str> = Vec::new();
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        at += 1;
        let chinese = word.strip_prefix('第').and_then(|rest| number(rest.strip_suffix('页')?));
        let keyed = || PAGE.iter().find_map(|key| number(word.strip_prefix(key)?.strip_prefix([':', '='])?));
        let apart = || Some(number(words.get(at)?)?).filter(|_| *word == "page");
        if let Some(number) = chinese.or_else(keyed) {
            page = number;
        } else if let Some(number) = apart() {
            (page, at) = (number, at + 1);
        } else {
            left.push(word);
        }
    }
    (page, left.join(" "))
}

/// The text with no blanks inside its parts: `等待 > 4 小时` as `等待>4小时`, `P0, P1` as `P0,P1`.
fn glued(text: &str) -> String {
    let text = text.replace(['，', '、', '；', ';'], ",");
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        let joins = |c: char| ",<>:=≥≤".contains(c);
        let last_is_number = out.ends_with(|c: char| c.is_ascii_digit()) && span(&format!("1{word}")).is_some();
        let glue = out.is_empty() || out.ends_with(joins) || word.starts_with(joins) || last_is_number;
        if !glue {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// `状态:待用户响应`, `等待>4小时`.
fn term_of(word: &str) -> Option<Term> {
    let at = word.find(|c| "<>:=≥≤".contains(c))?;
    let (key, rest) = word.split_at_checked(at)?;
    let (sign, relation) = Relation::WRITTEN.iter().find(|(sign, _)| rest.starts_with(sign))?;
    let values: Vec<String> = rest
        .strip_prefix(sign)?
        .split(',')
        .map(|value| value.trim_matches(|c| "\"'“”".contains(c)))
        .filter(|value| !value.is_empty())
        .take(VALUES_MAX)
        .map(str::to_string)
        .collect();
    if key.is_empty() || values.is_empty() {
        return None;
    }
    let key = KEYS.iter().find(|(_, names)| names.contains(&key)).map_or(key, |(name, _)| name);
    if key == OWNER {
        return (*relation == Relation::Is).then(|| Term::Owner(values.into_iter().map(who).collect()));
    }
    if clock(key) && values.iter().any(|value| span(value).is_none()) {
        return None; // `等待>很久`
    }
    Some(Term::Field(Field { key: key.to_string(), relation: *relation, values }))
}

/// Whether a key is a clock's name.
fn clock(key: &str) -> bool {
    Clock::ALL.into_iter().any(|clock| clock.name() == key || clock.words().zh == key)
}

/// A word that says no key: a status or a group of them, else a name.
fn bare_term(word: &str) -> Option<Term> {
    if is_status(word) {
        let values = vec![word.to_string()];
        return Some(Term::Field(Field { key: "status".to_string(), relation: Relation::Is, values }));
    }
    let is_key = KEYS.iter().any(|(_, names)| names.contains(&word));
    let is_name = !is_key
        && word.chars().count() <= NAME_CHARS_MAX
        && word.chars().all(|c| c.is_alphabetic() || matches!(c, '.' | '·' | '_' | '-'));
    is_name.then(|| Term::Owner(vec![who(word.to_string())]))
}

/// Whether a word is a status or a group of them.
pub(super) fn is_status(word: &str) -> bool {
    codes::STATUSES.iter().any(|code| [code.name, code.zh].contains(&word) || code.also.contains(&word))
        || codes::STATUS_GROUPS.iter().any(|group| [group.name, group.zh].contains(&word))
}

fn who(name: String) -> Who {
    match name.as_str() {
        me if ME.contains(&me) => Who::Me,
        nobody if NOBODY.contains(&nobody) => Who::Nobody,
        _ => Who::Named(name),
    }
}

/// Whether a text without a command's name is a condition all the same: each of its words is a part, the first one by a
/// short name.
pub(super) fn is_condition(text: &str) -> bool {
    let known = |term: &Term| match term {
        Term::Owner(_) => true,
        Term::Overdue => false,
        Term::Field(field) => KEYS.iter().any(|(name, _)| *name == field.key),
    };
    Query::of_words(text, |_| None).is_ok_and(|query| query.terms.first().is_some_and(known))
}

/// Whether what stands behind the name without its slash is meant for it: ids, or a condition with a key in each part.
pub(super) fn is_meant(text: &str) -> bool {
    let query = Query::of_words(text, |_| None);
    !text.trim().is_empty()
        && query.is_ok_and(|query| !query.ids.is_empty() || !query.terms.is_empty() || query.page > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(text: &str) -> String {
        let query = match Query::read(text) {
            Ok(query) => query,
            Err(word) => return format!("? {word}"),
        };
        let left_out = if query.left_out > 0 { format!(" and {}", query.left_out) } else { String::new() };
        let condition = query.condition().map(|text| format!(" {text}")).unwrap_or_default();
        format!("{}{left_out}{condition}", query.written(query.page, "我"))
    }

    #[test]
    fn what_people_type_is_read() {
        let many: Vec<String> = (0..13).map(|at| format!("66268713557803663{at:02}")).collect();
        for (typed, expected) in [
            ("", "页:1"),
            ("我的", "负责人:我 页:1"),
            ("负责人:张三 第2页", "负责人:张三 页:2"),
            ("负责人: 张三, 我 页:3", "负责人:张三,我 页:3"),
            ("没人接的", "负责人:无 页:1"),
            ("owner=none page 2", "负责人:无 页:2"),
            ("超时", "超时 页:1"),
            ("状态:待用户响应", r#"status:待用户响应 页:1 { all: [{ "status": "待用户响应" }] }"#),
            (
                "状态:待用户响应 负责人:张三 等待>4小时 优先级:p0,p1",
                r#"status:待用户响应 负责人:张三 in_status>4小时 priority:p0,p1 页:1 { all: [{ "status": "待用户响应" }, { "in_status": { at_least: 4h } }, { "priority": ["p0", "p1"] }] }"#,
            ),
            ("等待 < 30 分钟", r#"in_status<30分钟 页:1 { all: [{ "in_status": { under: 30m } }] }"#),
            ("优先级: p0、p1", r#"priority:p0,p1 页:1 { all: [{ "priority": ["p0", "p1"] }] }"#),
            ("score<=2", r#"score<=2 页:1 { all: [{ "score": { at_most: 2 } }] }"#),
            ("产品线:支付", r#"产品线:支付 页:1 { all: [{ fields: { "产品线": "支付" } }] }"#),
            ("序列:a\"b\\c", r#"序列:a"b\c 页:1 { all: [{ fields: { "序列": "a\"b\\c" } }] }"#),
            ("guest.department:市场部", r#"guest.department:市场部 页:1 { all: [{ "guest.department": "市场部" }] }"#),
            ("套餐:3天", r#"套餐:3天 页:1 { all: [{ fields: { "套餐": "3天" } }] }"#),
            ("标签:2h", r#"tags:2h 页:1 { all: [{ "tags": "2h" }] }"#),
            ("排队时间:3h", r#"queue_time:3h 页:1 { all: [{ "queue_time": { at_least: 3h } }] }"#),
            ("符合:vip", r#"meets:vip 页:1 { all: [{ "meets": "vip" }] }"#),
            ("排队中", r#"status:排队中 页:1 { all: [{ "status": "排队中" }] }"#),
            ("closed", r#"status:closed 页:1 { all: [{ "status": "closed" }] }"#),
            ("张三", "负责人:张三 页:1"),
            ("状态:", "? 状态:"),
            ("a/b", "? a/b"),
            ("12", "12 页:1"),
            ("负责人>张三", "? 负责人>张三"),
            ("366331 547174", "366331 547174 页:1"),
        ] {
            assert_eq!(short(typed), expected, "{typed:?}");
        }
        assert!(short(&many.join("，")).ends_with("页:1 and 3"));
    }

    #[test]
    fn the_next_page_asks_for_the_same_whoever_asked() {
        for (typed, me, expected) in [
            ("负责人:张三,我", "ou_li", "负责人:张三,ou_li 页:2"),
            ("负责人:张三,我", "", "负责人:张三 页:2"),
            ("我的", "", "负责人:我 页:2"),
        ] {
            let written = Query::read(typed).unwrap().written(2, me);
            assert_eq!(written, expected);
            let page = Query::read(&written).unwrap();
            assert_eq!((page.page, page.terms.len()), (2, 1), "{written}");
        }
    }

    #[test]
    fn a_condition_is_one_without_a_name_too() {
        for (text, expected) in [
            ("状态:待用户响应", true),
            ("负责人：张三".replace('：', ":").as_str(), true),
            ("https://x.example/a", false),
            ("注意:明天停机", false),
            ("超时", false),
            ("状态不对", false),
        ] {
            assert_eq!(is_condition(text), expected, "{text}");
        }
    }
}
