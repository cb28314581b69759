//! A compiled condition: what a rule means, with every name resolved.

use std::{fmt, ops::Deref, sync::Arc};

use regex::Regex;

use crate::domain::{
    calendar::Pace,
    field::{Carrier, Field},
    id::ConditionName,
    text::Words,
    ticket::Text,
    time::{Span, Timestamp},
};

/// A condition on a ticket, three-valued.
#[derive(Clone, Debug)]
pub enum Condition {
    /// Every one holds.
    All(Vec<Condition>),
    /// At least one holds.
    Any(Vec<Condition>),
    /// None holds.
    None(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// One test of one value.
    Test(Test),
    /// One test of one clock.
    Clock(ClockTest),
    /// A named condition.
    Meets(ConditionName, Arc<Condition>),
    /// It held on the snapshot before the change that was just stored.
    Was(Box<Condition>),
    /// One of these differs between the snapshot before and the one just stored.
    Changed(Arc<[Target]>),
}

impl Condition {
    /// The parts a condition is put together from; a named one's is what it stands for.
    pub fn parts(&self) -> &[Self] {
        match self {
            Self::All(parts) | Self::Any(parts) | Self::None(parts) => parts,
            Self::Not(part) | Self::Was(part) => std::slice::from_ref(part),
            Self::Meets(_, meant) => std::slice::from_ref(meant),
            Self::Test(_) | Self::Clock(_) | Self::Changed(_) => &[],
        }
    }

    /// Whether this or any part of it is so.
    pub fn any(&self, is: &dyn Fn(&Self) -> bool) -> bool {
        is(self) || self.parts().iter().any(|part| part.any(is))
    }

    /// Whether it asks for an event: `was` or `changed`.
    pub fn asks_for_event(&self) -> bool {
        self.any(&|part| matches!(part, Self::Was(_) | Self::Changed(_)))
    }

    /// Whether reading what it looks at takes the messages of a ticket.
    pub fn needs_messages(&self) -> bool {
        let said = |target: &Target| match target {
            Target::Field(field) | Target::Part(field, _) => field.carrier == Carrier::Messages,
            Target::Custom(_) => false,
        };
        self.any(&|part| match part {
            Self::Test(test) => said(&test.target),
            Self::Clock(test) => test.clock.needs_messages(),
            Self::Changed(targets) => targets.iter().any(said),
            _ => false,
        })
    }

    /// Whether a clock is tested in it.
    pub fn has_clock(&self) -> bool {
        self.any(&|part| matches!(part, Self::Clock(_)))
    }
}

/// One test of one value of a ticket.
#[derive(Clone, Debug)]
pub struct Test {
    /// What is looked at.
    pub target: Target,
    /// What it must be.
    pub operator: Operator,
}

/// The value a test looks at.
#[derive(Clone, Debug)]
pub enum Target {
    /// A field of the table.
    Field(&'static Field),
    /// A part of a person (`guest.department`).
    Part(&'static Field, PersonPart),
    /// A custom field.
    Custom(CustomSelector),
}

/// A part of a person; avatars are not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonPart {
    /// `id`
    Id,
    /// `name`
    Name,
    /// `email`
    Email,
    /// `department`
    Department,
    /// `city`
    City,
    /// `country`
    Country,
    /// `avatar_url`
    AvatarUrl,
}

impl PersonPart {
    /// Every part.
    pub const ALL: [Self; 7] =
        [Self::Id, Self::Name, Self::Email, Self::Department, Self::City, Self::Country, Self::AvatarUrl];

    /// Its name in rules, and the Chinese one.
    pub const fn words(self) -> Words {
        match self {
            Self::Id => Words { zh: "账号", en: "id" },
            Self::Name => Words { zh: "姓名", en: "name" },
            Self::Email => Words { zh: "邮箱", en: "email" },
            Self::Department => Words { zh: "部门", en: "department" },
            Self::City => Words { zh: "城市", en: "city" },
            Self::Country => Words { zh: "国家", en: "country" },
            Self::AvatarUrl => Words { zh: "头像", en: "avatar_url" },
        }
    }
}

/// How a custom field is named. Texts are folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CustomSelector {
    /// By display name or key, whichever matches (`fields: {优先级: P0}`).
    Any(Text),
    /// By display name.
    Name(Text),
    /// By key.
    Key(Text),
    /// By the vendor's id.
    Id(Text),
}

/// What a value must be. Text operands are folded (NFKC, trimmed, case) when compiled; `Matches` is raw.
#[derive(Clone, Debug)]
pub enum Operator {
    /// One of these texts, whole.
    TextIs(Operands),
    /// Contains one of these.
    TextContains(Operands),
    /// Matches one of these, unanchored.
    TextMatches(Arc<[Regex]>),
    /// Starts with one of these.
    TextStartsWith(Operands),
    /// One of these numbers of an enumeration (groups are opened when compiled).
    CodeIs(Arc<[i64]>),
    /// Equal to one of these.
    NumberIs(Arc<[f64]>),
    /// ≥
    AtLeast(f64),
    /// ≤
    AtMost(f64),
    /// >
    Above(f64),
    /// <
    Below(f64),
    /// The person's name, email or id is one of these.
    PersonIs(Operands),
    /// The list has one of these.
    ListContains(Operands),
    /// The list has every one of these.
    ListContainsAll(Operands),
    /// Earlier than this instant.
    Before(Timestamp),
    /// Later than this instant.
    After(Timestamp),
    /// There is a value (`true`) or there is none (`false`: `none`, `empty: true`, `exists: false`).
    Exists(bool),
}

/// Texts that a value is compared with: folded, and as they were written, for whoever reads the condition.
#[derive(Clone)]
pub struct Operands {
    folded: Arc<[Text]>,
    written: Arc<[Text]>,
}

impl Operands {
    /// `folded` is compared with, `written` is shown; they need not be as many, as an option has a name and an id.
    pub const fn new(folded: Arc<[Text]>, written: Arc<[Text]>) -> Self {
        Self { folded, written }
    }

    /// As they were written.
    pub const fn written(&self) -> &Arc<[Text]> {
        &self.written
    }
}

impl Deref for Operands {
    type Target = [Text];

    /// What is compared with.
    fn deref(&self) -> &[Text] {
        &self.folded
    }
}

impl fmt::Debug for Operands {
    /// What is compared with: how it was written changes no meaning.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.folded.fmt(f)
    }
}

impl From<Arc<[Text]>> for Operands {
    /// Texts that were written as they are compared with.
    fn from(texts: Arc<[Text]>) -> Self {
        Self::new(texts.clone(), texts)
    }
}

impl<const N: usize> From<[Text; N]> for Operands {
    fn from(texts: [Text; N]) -> Self {
        Self::from(Arc::<[Text]>::from(texts))
    }
}

impl FromIterator<Text> for Operands {
    fn from_iter<I: IntoIterator<Item = Text>>(texts: I) -> Self {
        Self::from(texts.into_iter().collect::<Arc<[Text]>>())
    }
}

/// A clock that runs on a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Clock {
    /// Since `created_at`; stops at closing.
    Age,
    /// Since `updated_at`, or `created_at` while there is none; stops at closing.
    Idle,
    /// Since `status_since`; runs in closed states too.
    InStatus,
    /// Since `agent_last_response_time`; stops at closing.
    SinceAgentReply,
    /// Time in the queue, all spells together.
    QueueTime,
    /// Since the oldest message of the guest that no agent answered; stops at closing.
    UnansweredFor,
    /// Since the ticket entered the human stage; stops with the first agent reply.
    FirstResponse,
    /// Since the ticket entered the human stage; stops at closing.
    Resolution,
    /// Time an agent worked on it (status processing), all spells together.
    ServiceTime,
}

impl Clock {
    /// Every clock, in the reference's order.
    pub const ALL: [Self; 9] = [
        Self::Age,
        Self::Idle,
        Self::InStatus,
        Self::SinceAgentReply,
        Self::QueueTime,
        Self::UnansweredFor,
        Self::FirstResponse,
        Self::Resolution,
        Self::ServiceTime,
    ];

    /// Its name in rules.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Age => "age",
            Self::Idle => "idle",
            Self::InStatus => "in_status",
            Self::SinceAgentReply => "since_agent_reply",
            Self::QueueTime => "queue_time",
            Self::UnansweredFor => "unanswered_for",
            Self::FirstResponse => "first_response",
            Self::Resolution => "resolution",
            Self::ServiceTime => "service_time",
        }
    }

    /// Whether reading it takes the messages of a ticket.
    pub const fn needs_messages(self) -> bool {
        matches!(self.carrier(), Carrier::Messages)
    }

    /// What brings what it is read from.
    pub const fn carrier(self) -> Carrier {
        match self {
            Self::UnansweredFor => Carrier::Messages,
            Self::InStatus | Self::QueueTime | Self::ServiceTime => Carrier::Observations,
            Self::Age | Self::Idle | Self::SinceAgentReply | Self::FirstResponse | Self::Resolution => Carrier::List,
        }
    }

    /// Its name in rules, and the Chinese one.
    pub const fn words(self) -> Words {
        let zh = match self {
            Self::Age => "创建至今",
            Self::Idle => "未更新时长",
            Self::InStatus => "状态持续",
            Self::SinceAgentReply => "客服未回复时长",
            Self::QueueTime => "排队时长",
            Self::UnansweredFor => "客户等待时长",
            Self::FirstResponse => "首次响应用时",
            Self::Resolution => "解决用时",
            Self::ServiceTime => "服务用时",
        };
        Words { zh, en: self.name() }
    }
}

/// One test of one clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockTest {
    /// Which clock.
    pub clock: Clock,
    /// Which side of the boundary.
    pub bound: Bound,
    /// How it is counted.
    pub pace: Pace,
}

/// Which side of a duration a clock must be on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// `at_least`: includes the boundary.
    AtLeast(Span),
    /// `under`: excludes the boundary.
    Under(Span),
}

impl fmt::Display for Condition {
    /// The condition as canonical text: the same meaning gives the same text in every build. Alerts are re-judged when
    /// it changes, so its form is not changed lightly.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(parts) => write_parts(f, "all", parts),
            Self::Any(parts) => write_parts(f, "any", parts),
            Self::None(parts) => write_parts(f, "none", parts),
            Self::Not(part) => write!(f, "not({part})"),
            Self::Test(test) => write!(f, "{} {}", test.target, test.operator),
            Self::Clock(test) => match test.bound {
                Bound::AtLeast(span) => write!(f, "{} at_least {}{}", test.clock.name(), span.as_ms(), test.pace),
                Bound::Under(span) => write!(f, "{} under {}{}", test.clock.name(), span.as_ms(), test.pace),
            },
            Self::Meets(_, meant) => meant.fmt(f),
            Self::Was(part) => write!(f, "was({part})"),
            Self::Changed(targets) => {
                f.write_str("changed(")?;
                for (at, target) in targets.iter().enumerate() {
                    write!(f, "{}{target}", if at == 0 { "" } else { ", " })?;
                }
                f.write_str(")")
            }
        }
    }
}

fn write_parts(f: &mut fmt::Formatter<'_>, word: &str, parts: &[Condition]) -> fmt::Result {
    write!(f, "{word}(")?;
    for (at, part) in parts.iter().enumerate() {
        write!(f, "{}{part}", if at == 0 { "" } else { ", " })?;
    }
    f.write_str(")")
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => f.write_str(field.name),
            Self::Part(field, part) => write!(f, "{}.{}", field.name, part.words().en),
            Self::Custom(CustomSelector::Any(word)) => write!(f, "field any {word:?}"),
            Self::Custom(CustomSelector::Name(word)) => write!(f, "field name {word:?}"),
            Self::Custom(CustomSelector::Key(word)) => write!(f, "field key {word:?}"),
            Self::Custom(CustomSelector::Id(word)) => write!(f, "field id {word:?}"),
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TextIs(texts) => write!(f, "text_is {texts:?}"),
            Self::TextContains(texts) => write!(f, "text_contains {texts:?}"),
            Self::TextMatches(patterns) => {
                let patterns: Vec<&str> = patterns.iter().map(Regex::as_str).collect();
                write!(f, "text_matches {patterns:?}")
            }
            Self::TextStartsWith(texts) => write!(f, "text_starts_with {texts:?}"),
            Self::CodeIs(codes) => write!(f, "code_is {codes:?}"),
            Self::NumberIs(numbers) => write!(f, "number_is {numbers:?}"),
            Self::AtLeast(number) => write!(f, "at_least {number:?}"),
            Self::AtMost(number) => write!(f, "at_most {number:?}"),
            Self::Above(number) => write!(f, "above {number:?}"),
            Self::Below(number) => write!(f, "below {number:?}"),
            Self::PersonIs(texts) => write!(f, "person_is {texts:?}"),
            Self::ListContains(texts) => write!(f, "list_contains {texts:?}"),
            Self::ListContainsAll(texts) => write!(f, "list_contains_all {texts:?}"),
            Self::Before(instant) => write!(f, "before {}", instant.as_ms()),
            Self::After(instant) => write!(f, "after {}", instant.as_ms()),
            Self::Exists(wanted) => write!(f, "exists {wanted}"),
        }
    }
}
