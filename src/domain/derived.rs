//! Fields that no vendor's page has: what deskbell observed, what was said, and what the configuration says of a ticket.

use crate::domain::{
    conversation::{Conversation, Said},
    field::{Carrier, Field, Kind, Value, value},
    seen::Seen,
    text::Words,
    ticket::Known,
};

/// The derived fields.
pub static DERIVED: &[Field] = &[
    Field {
        name: "subject",
        zh: "标题",
        vendor: "subject",
        also: &["主题"],
        kind: Kind::Text,
        volatile: false,
        carrier: Carrier::Configuration,
        doc: Words {
            zh: "工单的标题，取自来源配置里 subject 写的地方",
            en: "what the ticket is about, from where the source's `subject` says",
        },
        read: |seen| value(seen.labels.subject_of(seen).map(Value::Text)),
    },
    Field {
        name: "priority",
        zh: "优先级",
        vendor: "priority",
        also: &[],
        kind: Kind::Text,
        volatile: false,
        carrier: Carrier::Configuration,
        doc: Words {
            zh: "工单的优先级，取自来源配置里 priority 写的字段",
            en: "its priority, from the field that the source's `priority` names",
        },
        read: |seen| value(seen.labels.priority_of(seen.ticket).map(Value::Text)),
    },
    Field {
        name: "team",
        zh: "团队",
        vendor: "team",
        also: &[],
        kind: Kind::Text,
        volatile: false,
        carrier: Carrier::Configuration,
        doc: Words { zh: "工单归哪个团队，按配置里的 teams", en: "the team it is for, as `teams` says" },
        read: |seen| value(seen.labels.team_of(seen).map(|team| Value::Text(team.name.as_str()))),
    },
    Field {
        name: "source",
        zh: "来源",
        vendor: "source",
        also: &["数据源"],
        kind: Kind::Text,
        volatile: false,
        carrier: Carrier::Configuration,
        doc: Words {
            zh: "工单来自哪个来源（配置里的名字）",
            en: "the source it comes from, by its name in the configuration",
        },
        read: |seen| Value::Text(seen.ticket.key.source.as_str()),
    },
    Field {
        name: "reopened_count",
        zh: "重开次数",
        vendor: "reopened_count",
        also: &["重新打开次数"],
        kind: Kind::Number,
        volatile: false,
        carrier: Carrier::Observations,
        doc: Words {
            zh: "deskbell 看到它关闭后又打开的次数", en: "how often deskbell saw it go from closed to open"
        },
        read: |seen| Value::Number(f64::from(seen.facts.reopened_count)),
    },
    Field {
        name: "guest_message",
        zh: "客户消息",
        vendor: "guest_message",
        also: &["客户说的话"],
        kind: Kind::Messages,
        volatile: false,
        carrier: Carrier::Messages,
        doc: Words { zh: "客户最近的消息，任一条", en: "the guest's newest messages, any of them" },
        read: |seen| side(seen, |said| &said.guest),
    },
    Field {
        name: "agent_message",
        zh: "客服消息",
        vendor: "agent_message",
        also: &["客服说的话"],
        kind: Kind::Messages,
        volatile: false,
        carrier: Carrier::Messages,
        doc: Words { zh: "客服最近的消息，任一条", en: "the agents' newest messages, any of them" },
        read: |seen| side(seen, |said| &said.agent),
    },
    Field {
        name: "first_guest_message",
        zh: "客户第一条消息",
        vendor: "first_guest_message",
        also: &["首条消息"],
        kind: Kind::Text,
        volatile: false,
        carrier: Carrier::Messages,
        doc: Words { zh: "客户说的第一句话", en: "the first thing the guest said" },
        read: |seen| one(seen, |said| said.first_guest.as_ref()),
    },
    Field {
        name: "last_guest_message",
        zh: "客户最后一条消息",
        vendor: "last_guest_message",
        also: &["最后消息"],
        kind: Kind::Text,
        volatile: false,
        carrier: Carrier::Messages,
        doc: Words { zh: "客户说的最后一句话", en: "the last thing the guest said" },
        read: |seen| one(seen, |said| said.guest.last()),
    },
];

fn side<'a>(seen: &Seen<'a>, of: fn(&'a Conversation) -> &'a [Said]) -> Value<'a> {
    match &seen.facts.conversation {
        Known::Unknown => Value::Unknown,
        Known::Empty => Value::Empty,
        Known::Present(said) if of(said).is_empty() => Value::Empty,
        Known::Present(said) => Value::Messages(of(said)),
    }
}

fn one<'a>(seen: &Seen<'a>, of: fn(&'a Conversation) -> Option<&'a Said>) -> Value<'a> {
    match &seen.facts.conversation {
        Known::Unknown => Value::Unknown,
        Known::Empty => Value::Empty,
        Known::Present(said) => of(said).map_or(Value::Empty, |said| Value::Text(&said.text)),
    }
}
