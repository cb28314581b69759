//! The one table of a ticket's fields: names, types, what carries them, how to read them.
//!
//! It drives parsing, suggestions, templates, change detection and the reference in `docs/`.

use std::sync::Arc;

use crate::domain::{
    codes::{CHANNELS, SCORES, SOLVED, STATUS_GROUPS, STATUSES, TICKET_TYPES},
    conversation::Said,
    derived::DERIVED,
    seen::Seen,
    text::Words,
    ticket::{Comment, CustomField, I18nText, Known, Person, Status, Tag, Text},
    time::Timestamp,
};

/// A field of a ticket.
#[derive(Debug)]
pub struct Field {
    /// Its name in rules and templates.
    pub name: &'static str,
    /// Its Chinese name, accepted wherever the English one is.
    pub zh: &'static str,
    /// The vendor's key.
    pub vendor: &'static str,
    /// Other words people use for it.
    pub also: &'static [&'static str],
    /// What kind of value it holds.
    pub kind: Kind,
    /// It runs by itself: it updates the snapshot but is no change.
    pub volatile: bool,
    /// What brings it.
    pub carrier: Carrier,
    /// What it is, for people.
    pub doc: Words,
    /// How to read it.
    pub read: for<'a> fn(&Seen<'a>) -> Value<'a>,
}

/// What brings a field, and with it what reading it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Carrier {
    /// The list of tickets, which every poll reads.
    List,
    /// The messages of a ticket: one more call for each ticket that changed.
    Messages,
    /// What deskbell itself observed: nothing.
    Observations,
    /// What the configuration says of the ticket, over other fields.
    Configuration,
}

/// What kind of value a field holds, and with it which operators fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A number; durations of the vendor's too (their unit stands in the doc).
    Number,
    /// An enumeration: numbers with names.
    Code(&'static [Code]),
    /// An instant.
    Instant,
    /// A person.
    Person,
    /// Several persons.
    Persons,
    /// Several messages.
    Messages,
    /// Texts in several languages.
    I18n,
    /// Agents' notes.
    Comments,
    /// Tags.
    Tags,
    /// The custom fields as a whole.
    CustomFields,
}

/// One name of an enumeration's number.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// The vendor's number.
    pub code: i64,
    /// Its name.
    pub name: &'static str,
    /// Its Chinese name.
    pub zh: &'static str,
    /// Other words people use for it.
    pub also: &'static [&'static str],
}

/// A name for several numbers of an enumeration.
#[derive(Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: &'static str,
    /// Its Chinese name.
    pub zh: &'static str,
    /// The numbers it stands for.
    pub codes: &'static [i64],
}

/// A field's value on one ticket.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Nobody knows.
    Unknown,
    /// There is none.
    Empty,
    /// Text.
    Text(&'a str),
    /// A number.
    Number(f64),
    /// An enumeration's number.
    Code(i64),
    /// An instant.
    Instant(Timestamp),
    /// A person.
    Person(&'a Person),
    /// Persons.
    Persons(&'a [Arc<Person>]),
    /// Messages.
    Messages(&'a [Said]),
    /// Texts in several languages.
    I18n(&'a [I18nText]),
    /// Agents' notes.
    Comments(&'a [Comment]),
    /// Tags.
    Tags(&'a [Tag]),
    /// Custom fields.
    CustomFields(&'a [CustomField]),
}

impl Field {
    /// The field people call `word`: its English or Chinese name, the vendor's key, or another word for it.
    pub fn find(word: &str) -> Option<&'static Self> {
        let named = |field: &&Self| field.name == word || field.zh == word || field.vendor == word;
        Self::all().find(named).or_else(|| Self::all().find(|field| field.also.contains(&word)))
    }

    /// Every field: those of the vendor's page, then those that are derived.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        FIELDS.iter().chain(DERIVED)
    }

    /// The names of its enumeration; nothing where it has none.
    pub const fn codes(&self) -> &'static [Code] {
        match self.kind {
            Kind::Code(codes) => codes,
            _ => &[],
        }
    }

    /// The groups of its enumeration.
    pub fn groups(&self) -> &'static [Group] {
        if self.name == "status" { STATUS_GROUPS } else { &[] }
    }

    /// The numbers that `word` stands for: a name, a Chinese name, a group, or the number itself.
    pub fn numbers(&self, word: &str) -> Option<Vec<i64>> {
        let word = word.trim();
        if let Some(group) = self.groups().iter().find(|group| group.name == word || group.zh == word) {
            return Some(group.codes.to_vec());
        }
        let named = |code: &&Code| code.name == word || code.zh == word || code.also.contains(&word);
        match self.codes().iter().find(named) {
            Some(code) => Some(vec![code.code]),
            None => word.parse().ok().map(|number| vec![number]),
        }
    }

    /// What people call a number of its enumeration; nothing for a number the vendor's page does not list.
    pub fn code_words(&self, number: i64) -> Option<Words> {
        let code = self.codes().iter().find(|code| code.code == number)?;
        Some(Words { zh: code.zh, en: code.name })
    }

    /// Its name in both languages.
    pub const fn words(&self) -> Words {
        Words { zh: self.zh, en: self.name }
    }
}

pub(super) fn value(known: Known<Value<'_>>) -> Value<'_> {
    match known {
        Known::Unknown => Value::Unknown,
        Known::Empty => Value::Empty,
        Known::Present(value) => value,
    }
}

fn text(known: &Known<Text>) -> Value<'_> {
    value(known.as_ref().map(|text| Value::Text(text)))
}

fn person(known: &Known<Arc<Person>>) -> Value<'_> {
    value(known.as_ref().map(|person| Value::Person(person)))
}

fn code(known: Known<i64>) -> Value<'static> {
    value(known.map(Value::Code))
}

fn instant(known: Known<Timestamp>) -> Value<'static> {
    value(known.map(Value::Instant))
}

fn number(known: Known<f64>) -> Value<'static> {
    value(known.map(Value::Number))
}

/// Whole numbers of the vendor are seconds or counts, far below what a float holds exactly.
fn whole(known: Known<i64>) -> Value<'static> {
    #[expect(clippy::cast_precision_loss, reason = "durations in seconds stay far below 2^53")]
    let float = known.map(|number| number as f64);
    number(float)
}

/// The table, in the order of the vendor's page.
pub static FIELDS: &[Field] = &[
    Field {
        name: "ticket_id",
        zh: "工单号",
        vendor: "ticket_id",
        also: &["工单ID"],
        kind: Kind::Text,
        volatile: false,
        carrier: Carrier::List,
        doc: Words { zh: "工单号，十九位数字", en: "the ticket's number, nineteen digits" },
        read: |seen| Value::Text(seen.ticket.key.id.as_str()),
    },
    Field {
        name: "helpdesk_id",
        zh: "服务台",
        vendor: "helpdesk_id",
        also: &["服务台ID"],
        kind: Kind::Text,
        volatile: false,
        carrier: Carrier::List,
        doc: Words { zh: "工单所在服务台的号码", en: "the number of its helpdesk" },
        read: |seen| text(&seen.ticket.helpdesk_id),
    },
    Field {
        name: "guest",
        zh: "客户",
        vendor: "guest",
        also: &["提问人", "工单创建用户"],
        kind: Kind::Person,
        volatile: false,
        carrier: Carrier::List,
        doc: Words { zh: "提问的人", en: "who asked" },
        read: |seen| person(&seen.ticket.guest),
    },
    Field {
        name: "comments",
        zh: "备注",
        vendor: "comments",
        also: &[],
        kind: Kind::Comments,
        volatile: false,
        carrier: Carrier::List,
        doc: Words { zh: "客服写的备注，不是客户说的话", en: "agents' notes, not the guest's words" },
        read: |seen| value(seen.ticket.comments.as_ref().map(|items| Value::Comments(items))),
    },
    Field {
        name: "ticket_type",
        zh: "阶段",
        vendor: "ticket_type",
        also: &["工单阶段", "工单类型"],
        kind: Kind::Code(TICKET_TYPES),
        volatile: false,
        carrier: Carrier::List,
        doc: Words { zh: "由机器人服务还是人工服务", en: "whether the bot or a person serves" },
        read: |seen| code(seen.ticket.ticket_type),
    },
    Field {
        name: "status",
        zh: "状态",
        vendor: "status",
        also: &["工单状态"],
        kind: Kind::Code(STATUSES),
        volatile: false,
        carrier: Carrier::List,
        doc: Words { zh: "工单走到哪一步", en: "where the ticket stands" },
        read: |seen| code(seen.ticket.status.map(Status::code)),
    },
    Field {
        name: "score",
        zh: "评分",
        vendor: "score",
        also: &["工单评分", "满意度"],
        kind: Kind::Code(SCORES),
        volatile: false,
        carrier: Carrier::List,
        doc: Words { zh: "客户的评分，关单以后才有", en: "the guest's score, given after closing" },
        read: |seen| code(seen.ticket.score),
    },
    Field {
        name: "created_at",
        zh: "创建时间",
        vendor: "created_at",
        also: &["工单创建时间"],
        kind: Kind::Instant,
        volatile: false,
        carrier: Carrier::List,
        doc: Words { zh: "工单创建的时刻", en: "when it was created" },
        read: |seen| instant(seen.ticket.created_at),
    },
    Field {
        name: "updated_at",
        zh: "更新时间",
        vendor: "updated_at",
        also: &["工单更新时间"],
        kind: Kind::Instant,
        volatile: false,
        carrier: Carrier::List,
        doc: Words {
            zh: "最近一次更新的时刻；从未更新时为空",
            en: "when it was last updated; empty until the first update",
        },
        read: |seen| instant(seen.ticket.updated_at),
    },
    Field {
        name: "closed_at",
        zh: "关闭时间",
        vendor: "closed_at",
        also: &["工单结束时间", "结束时间"],
        kind: Kind::Instant,
        volatile: false,
        carrier: Carrier::List,
        doc: Words { zh: "关单的时刻；未关闭时为空", en: "when it was closed; empty while open" },
        read: |seen| instant(seen.ticket.closed_at),
    },
    Field {
        name: "dissatisfaction_reason",
        zh: "不满意原因",
        vendor: "dissatisfaction_reason",
        also: &[],
        kind: Kind::I18n,
        volatile: false,
        carrier: Carrier::List,
        doc: Words {
            zh: "客户选的不满意原因，任一语言", en: "why the guest was dissatisfied, in any language"
        },
        read: |seen| value(seen.ticket.dissatisfaction_reason.as_ref().map(|items| Value::I18n(items))),
    },
    Field {
        name: "agents",
        zh: "客服",
        vendor: "agents",
        also: &["工单客服"],
        kind: Kind::Persons,
        volatile: false,
        carrier: Carrier::List,
        doc: Words { zh: "服务过这张工单的客服", en: "the agents who worked on it" },
        read: |seen| value(seen.ticket.agents.as_ref().map(|items| Value::Persons(items))),
    },
    Field {
        name: "channel",
        zh: "渠道",
        vendor: "channel",
        also: &["工单渠道"],
        kind: Kind::Code(CHANNELS),
        volatile: false,
        carrier: Carrier::List,
        doc: Words { zh: "工单从哪里来", en: "where it came from" },
        read: |seen| code(seen.ticket.channel),
    },
    Field {
        name: "solved",
        zh: "是否解决",
        vendor: "solve",
        also: &["解决情况"],
        kind: Kind::Code(SOLVED),
        volatile: false,
        carrier: Carrier::List,
        doc: Words { zh: "问题是否解决", en: "whether the problem was solved" },
        read: |seen| code(seen.ticket.solved),
    },
    Field {
        name: "closed_by",
        zh: "关单人",
        vendor: "closed_by",
        also: &["关单用户"],
        kind: Kind::Person,
        volatile: false,
        carrier: Carrier::List,
        doc: Words { zh: "关单的人", en: "who closed it" },
        read: |seen| person(&seen.ticket.closed_by),
    },
    Field {
        name: "collaborators",
        zh: "协作者",
        vendor: "collaborators",
        also: &["工单协作者"],
        kind: Kind::Persons,
        volatile: false,
        carrier: Carrier::List,
        doc: Words { zh: "参与协作的人", en: "who helped" },
        read: |seen| value(seen.ticket.collaborators.as_ref().map(|items| Value::Persons(items))),
    },
    Field {
        name: "customized_fields",
        zh: "自定义字段",
        vendor: "customized_fields",
        also: &[],
        kind: Kind::CustomFields,
        volatile: false,
        carrier: Carrier::List,
        doc: Words {
            zh: "表单里的自定义字段；单个字段用 fields 或 field",
            en: "the form's fields; test one with `fields` or `field`",
        },
        read: |seen| value(seen.ticket.customized_fields.as_ref().map(|items| Value::CustomFields(items))),
    },
    Field {
        name: "agent_service_duration",
        zh: "客服服务时长",
        vendor: "agent_service_duration",
        also: &[],
        kind: Kind::Number,
        volatile: true,
        carrier: Carrier::List,
        doc: Words {
            zh: "从客服进入到客服最后一次回复，单位分钟",
            en: "minutes from the agent's entry to the last agent reply",
        },
        read: |seen| number(seen.ticket.agent_service_duration),
    },
    Field {
        name: "agent_first_response_duration",
        zh: "首次响应时长",
        vendor: "agent_first_response_duration",
        also: &["客服首次响应时长"],
        kind: Kind::Number,
        volatile: false,
        carrier: Carrier::List,
        doc: Words {
            zh: "从客服进入到客服首次回复，单位秒",
            en: "seconds from the agent's entry to the first agent reply",
        },
        read: |seen| whole(seen.ticket.agent_first_response_duration),
    },
    Field {
        name: "bot_service_duration",
        zh: "机器人服务时长",
        vendor: "bot_service_duration",
        also: &["机器人服务时间"],
        kind: Kind::Number,
        volatile: true,
        carrier: Carrier::List,
        doc: Words {
            zh: "从工单创建到客服进入，单位秒", en: "seconds from creation to the agent's entry"
        },
        read: |seen| whole(seen.ticket.bot_service_duration),
    },
    Field {
        name: "agent_resolution_time",
        zh: "客服解决时长",
        vendor: "agent_resolution_time",
        also: &["解决时长"],
        kind: Kind::Number,
        volatile: false,
        carrier: Carrier::List,
        doc: Words {
            zh: "从首位客服接入到关单，单位秒", en: "seconds from the first agent's entry to closing"
        },
        read: |seen| whole(seen.ticket.agent_resolution_time),
    },
    Field {
        name: "actual_processing_time",
        zh: "实际处理时长",
        vendor: "actual_processing_time",
        also: &["工单实际处理时长"],
        kind: Kind::Number,
        volatile: true,
        carrier: Carrier::List,
        doc: Words {
            zh: "解决时长减去待定时长，单位秒", en: "seconds of resolution without the time in pending"
        },
        read: |seen| whole(seen.ticket.actual_processing_time),
    },
    Field {
        name: "agent_entry_time",
        zh: "客服进入时间",
        vendor: "agent_entry_time",
        also: &[],
        kind: Kind::Instant,
        volatile: false,
        carrier: Carrier::List,
        doc: Words { zh: "转到人工的时刻", en: "when it entered the human stage" },
        read: |seen| instant(seen.ticket.agent_entry_time),
    },
    Field {
        name: "agent_first_response_time",
        zh: "客服首次回复时间",
        vendor: "agent_first_response_time",
        also: &["首次回复时间"],
        kind: Kind::Instant,
        volatile: false,
        carrier: Carrier::List,
        doc: Words { zh: "客服首次回复的时刻", en: "when an agent first replied" },
        read: |seen| instant(seen.ticket.agent_first_response_time),
    },
    Field {
        name: "agent_last_response_time",
        zh: "客服最后回复时间",
        vendor: "agent_last_response_time",
        also: &["最后回复时间"],
        kind: Kind::Instant,
        volatile: false,
        carrier: Carrier::List,
        doc: Words { zh: "客服最近一次回复的时刻", en: "when an agent last replied" },
        read: |seen| instant(seen.ticket.agent_last_response_time),
    },
    Field {
        name: "agent_owner",
        zh: "负责人",
        vendor: "agent_owner",
        also: &["主责客服"],
        kind: Kind::Person,
        volatile: false,
        carrier: Carrier::List,
        doc: Words { zh: "负责这张工单的客服", en: "the agent who owns it" },
        read: |seen| person(&seen.ticket.agent_owner),
    },
    Field {
        name: "tags",
        zh: "标签",
        vendor: "tags",
        also: &["工单标签"],
        kind: Kind::Tags,
        volatile: false,
        carrier: Carrier::List,
        doc: Words { zh: "工单的标签", en: "its tags" },
        read: |seen| value(seen.ticket.tags.as_ref().map(|items| Value::Tags(items))),
    },
];

#[cfg(test)]
mod tests;
