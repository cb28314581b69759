//! Every word a condition may use, with what stands behind it: for people who look words up, and for editors.
//!
//! Names come from the tables the parser reads; only explanations stand here.

use crate::{
    adapters::{
        rulebook::{
            explained::{clock_course, combiner_doc, operator_doc},
            words::{COMBINERS, OPERATORS, bare_operator, operators},
        },
        yaml::nearest::nearest,
    },
    domain::{
        condition::{Clock, PersonPart},
        field::{Carrier, Code, FIELDS, Field, Group, Kind},
        text::{Words, fold},
    },
};

/// The kind of source that has the vendor's fields.
const FEISHU_HELPDESK: &str = "feishu_helpdesk";

/// Everything a condition may say, or the part of it that a search left.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    /// Fields of a ticket.
    pub fields: Vec<FieldEntry>,
    /// Clocks that run on a ticket.
    pub clocks: Vec<ClockEntry>,
    /// Parts of a person (`guest.department`).
    pub parts: Vec<Words>,
    /// What a value is tested with.
    pub operators: Vec<WordEntry>,
    /// What conditions are put together with.
    pub combiners: Vec<WordEntry>,
}

/// A field of a ticket.
#[derive(Clone, Debug)]
pub struct FieldEntry {
    /// The field's line in the table.
    pub field: &'static Field,
    /// The type of its value.
    pub kind: Words,
    /// The vendor's key; absent where no vendor has it.
    pub vendor: Option<&'static str>,
    /// The operators that fit, with their Chinese twins.
    pub operators: Vec<Words>,
    /// The operator a bare value stands for.
    pub bare: Option<&'static str>,
    /// The kinds of source that have it; empty: every source.
    pub sources: &'static [&'static str],
    /// The values shown: all of the field's, or those a search found.
    pub values: Vec<&'static Code>,
    /// The groups shown.
    pub groups: Vec<&'static Group>,
}

/// A clock.
#[derive(Clone, Debug)]
pub struct ClockEntry {
    /// Which clock.
    pub clock: Clock,
    /// What starts it.
    pub starts: Words,
    /// What stops it.
    pub stops: Words,
}

/// A word with a twin and an explanation.
#[derive(Clone, Debug)]
pub struct WordEntry {
    /// The word in both languages.
    pub words: Words,
    /// What it means.
    pub doc: Words,
}

impl Vocabulary {
    /// Every word.
    pub fn whole() -> Self {
        Self {
            fields: Field::all().map(FieldEntry::of).collect(),
            clocks: Clock::ALL.into_iter().map(ClockEntry::of).collect(),
            parts: PersonPart::ALL.into_iter().map(PersonPart::words).collect(),
            operators: entries(OPERATORS, operator_doc),
            combiners: entries(COMBINERS, combiner_doc),
        }
    }

    /// What has `word` in one of its names, in either language or as the vendor writes it; whole names before parts of
    /// them. A field of which only values fit is kept with those values alone.
    pub fn about(&self, word: &str) -> Self {
        let exact = self.kept(&|name: &str| fold(name) == fold(word));
        if !exact.is_empty() {
            return exact;
        }
        let wanted = fold(word).into_owned();
        self.kept(&|name: &str| !wanted.is_empty() && fold(name).contains(&wanted))
    }

    /// Whether nothing is left.
    pub const fn is_empty(&self) -> bool {
        self.fields.is_empty()
            && self.clocks.is_empty()
            && self.parts.is_empty()
            && self.operators.is_empty()
            && self.combiners.is_empty()
    }

    /// The word that was probably meant.
    pub fn nearest(&self, word: &str) -> Option<&'static str> {
        let fields = self.fields.iter().flat_map(|entry| {
            let field = entry.field;
            let values = field.codes().iter().flat_map(|code| [code.name, code.zh]);
            let groups = field.groups().iter().flat_map(|group| [group.name, group.zh]);
            [field.name, field.zh, field.vendor]
                .into_iter()
                .chain(field.also.iter().copied())
                .chain(values)
                .chain(groups)
        });
        let both = |words: Words| [words.en, words.zh];
        let clocks = self.clocks.iter().flat_map(|entry| both(entry.clock.words()));
        let parts = self.parts.iter().copied().flat_map(both);
        let others = self.operators.iter().chain(&self.combiners).flat_map(|entry| both(entry.words));
        nearest(word, fields.chain(clocks).chain(parts).chain(others))
    }

    fn kept(&self, fits: &dyn Fn(&str) -> bool) -> Self {
        let both = |words: &Words| fits(words.en) || fits(words.zh);
        let word = |entry: &&WordEntry| both(&entry.words);
        Self {
            fields: self.fields.iter().filter_map(|entry| entry.kept(fits)).collect(),
            clocks: self.clocks.iter().filter(|entry| both(&entry.clock.words())).cloned().collect(),
            parts: self.parts.iter().filter(|words| both(words)).copied().collect(),
            operators: self.operators.iter().filter(word).cloned().collect(),
            combiners: self.combiners.iter().filter(word).cloned().collect(),
        }
    }
}

impl FieldEntry {
    fn of(field: &'static Field) -> Self {
        let is_vendors = FIELDS.iter().any(|own| own.name == field.name);
        let sources: &[&str] = match field.carrier {
            Carrier::List | Carrier::Messages => &[FEISHU_HELPDESK],
            Carrier::Observations | Carrier::Configuration => &[],
        };
        Self {
            field,
            kind: kind_words(field.kind),
            vendor: is_vendors.then_some(field.vendor),
            operators: operators(field.kind).iter().map(|operator| twin(operator)).collect(),
            bare: bare_operator(field.kind),
            sources,
            values: field.codes().iter().collect(),
            groups: field.groups().iter().collect(),
        }
    }

    /// The entry whole if one of the field's own names fits, else with the values and groups that fit, if any does.
    fn kept(&self, fits: &dyn Fn(&str) -> bool) -> Option<Self> {
        let field = self.field;
        if [field.name, field.zh, field.vendor].into_iter().chain(field.also.iter().copied()).any(fits) {
            return Some(self.clone());
        }
        let fitting = |code: &&&Code| [code.name, code.zh].into_iter().chain(code.also.iter().copied()).any(fits);
        let values: Vec<&Code> = self.values.iter().filter(fitting).copied().collect();
        let groups: Vec<&Group> =
            self.groups.iter().filter(|group| fits(group.name) || fits(group.zh)).copied().collect();
        (!values.is_empty() || !groups.is_empty()).then(|| Self { values, groups, ..self.clone() })
    }
}

impl ClockEntry {
    fn of(clock: Clock) -> Self {
        let (starts, stops) = clock_course(clock);
        Self { clock, starts, stops }
    }
}

fn entries(table: &[(&'static str, &'static str)], doc: fn(&str) -> Words) -> Vec<WordEntry> {
    table.iter().map(|(en, zh)| WordEntry { words: Words { zh, en }, doc: doc(en) }).collect()
}

/// An operator with its Chinese twin.
fn twin(operator: &'static str) -> Words {
    let zh = OPERATORS.iter().find(|(en, _)| *en == operator).map_or(operator, |(_, zh)| zh);
    Words { zh, en: operator }
}

/// The type of a field's value, for people.
pub const fn kind_words(kind: Kind) -> Words {
    match kind {
        Kind::Text => Words { zh: "文字", en: "text" },
        Kind::Number => Words { zh: "数字", en: "number" },
        Kind::Code(_) => Words { zh: "选项", en: "choice" },
        Kind::Instant => Words { zh: "时刻", en: "instant" },
        Kind::Person => Words { zh: "人", en: "person" },
        Kind::Persons => Words { zh: "若干人", en: "persons" },
        Kind::Messages => Words { zh: "若干消息", en: "messages" },
        Kind::I18n => Words { zh: "多语言文字", en: "text in several languages" },
        Kind::Comments => Words { zh: "若干备注", en: "notes" },
        Kind::Tags => Words { zh: "标签", en: "tags" },
        Kind::CustomFields => Words { zh: "自定义字段", en: "custom fields" },
    }
}

/// What brings a field: in a word, and with what that costs.
pub const fn carrier_words(carrier: Carrier) -> (Words, Words) {
    match carrier {
        Carrier::List => (
            Words { zh: "列表", en: "list" },
            Words {
                zh: "工单列表，每次轮询都读：不多花调用", en: "the list, which every poll reads: no further call"
            },
        ),
        Carrier::Messages => (
            Words { zh: "消息", en: "messages" },
            Words {
                zh: "工单的消息：每张有变化的工单多一次调用",
                en: "the ticket's messages: one more call for each ticket that changed",
            },
        ),
        Carrier::Observations => (
            Words { zh: "观察", en: "observed" },
            Words {
                zh: "deskbell 自己的观察：不多花调用", en: "what deskbell itself observed: no further call"
            },
        ),
        Carrier::Configuration => (
            Words { zh: "配置", en: "configuration" },
            Words {
                zh: "由配置从别的字段得出：和那些字段一样",
                en: "what the configuration makes of other fields: as those",
            },
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(word: &str) -> Vec<String> {
        let left = Vocabulary::whole().about(word);
        let fields = left.fields.iter().map(|entry| {
            let values: Vec<&str> = entry.values.iter().map(|code| code.name).collect();
            let groups: Vec<&str> = entry.groups.iter().map(|group| group.name).collect();
            let all = values.len() == entry.field.codes().len();
            let shown = if all { String::new() } else { format!(" {}", [values, groups].concat().join(" ")) };
            format!("{}{shown}", entry.field.name)
        });
        let clocks = left.clocks.iter().map(|entry| format!("clock {}", entry.clock.name()));
        let words = left.operators.iter().chain(&left.combiners).map(|entry| format!("word {}", entry.words.en));
        let parts = left.parts.iter().map(|part| format!("part {}", part.en));
        fields.chain(clocks).chain(words).chain(parts).collect()
    }

    #[test]
    fn a_word_is_found_by_every_name_it_has() {
        for (word, expected) in [
            ("status", vec!["status"]),
            ("工单状态", vec!["status"]),
            ("solve", vec!["solved"]),
            ("待用户响应", vec!["status waiting_for_user"]),
            ("ＯＰＥＮ", vec!["status open"]),
            ("bad", vec!["score dissatisfied"]),
            ("unanswered", vec!["clock unanswered_for"]),
            ("至少", vec!["word at_least"]),
            ("department", vec!["part department"]),
            ("stauts", vec![]),
        ] {
            assert_eq!(found(word), expected, "{word}");
        }
        assert!(found("客户").contains(&"guest".to_string()), "{:?}", found("客户"));
        assert_eq!(Vocabulary::whole().nearest("stauts"), Some("status"));
        assert_eq!(Vocabulary::whole().nearest("qqqqqq"), None);
    }

    #[test]
    fn nothing_is_left_out_and_everything_is_explained() {
        let whole = Vocabulary::whole();
        assert_eq!(whole.fields.len(), Field::all().count());
        assert_eq!(whole.clocks.len(), Clock::ALL.len());
        for entry in whole.operators.iter().chain(&whole.combiners) {
            assert!(!entry.doc.zh.is_empty() && !entry.doc.en.is_empty(), "{} is not explained", entry.words.en);
        }
        for entry in &whole.fields {
            assert!(!entry.operators.is_empty(), "{}", entry.field.name);
        }
    }
}
