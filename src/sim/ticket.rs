//! A ticket as the helpdesk keeps it, and as it writes it (`facts/feishu.md §2.4`).

use serde::Serialize;
use serde_json::{Map, Value};

use crate::sim::knobs::{CommentsShape, Knobs, NoInstant, ReasonShape};

/// Nothing happened yet: the status of a new ticket.
pub const STATUS_CREATED: i64 = 1;
/// An agent works on it.
pub const STATUS_PROCESSING: i64 = 2;
/// It waits for an agent.
pub const STATUS_QUEUEING: i64 = 3;
/// Put aside.
pub const STATUS_PENDING: i64 = 4;
/// It waits for the guest.
pub const STATUS_AWAITING_USER: i64 = 5;
/// Closed by the bot.
pub const STATUS_CLOSED_BY_BOT: i64 = 50;
/// Closed by an agent.
pub const STATUS_CLOSED_BY_AGENT: i64 = 51;
/// Closed by the guest.
pub const STATUS_CLOSED_BY_USER: i64 = 52;

/// A person on a ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct User {
    /// Open id.
    pub id: String,
    /// Avatar.
    pub avatar_url: String,
    /// Name.
    pub name: String,
    /// Email.
    pub email: String,
    /// Department.
    pub department: String,
    /// City.
    pub city: String,
    /// Country code.
    pub country: String,
}

/// An agent's note.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Comment {
    /// The note.
    pub content: String,
    /// When, milliseconds.
    pub created_at: i64,
    /// The note's number.
    pub id: i64,
    /// The writer's avatar.
    pub user_avatar_url: String,
    /// The writer.
    pub user_name: String,
    /// The writer's number, beyond 2^53.
    pub user_id: i64,
}

/// Why a guest was dissatisfied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Chinese.
    pub zh_cn: String,
    /// English.
    pub en_us: String,
    /// Japanese.
    pub ja_jp: String,
}

/// A custom field's value on a ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FieldValue {
    /// The field's id.
    pub id: String,
    /// The value.
    pub value: String,
    /// The field's key.
    pub key_name: String,
    /// The field's name.
    pub display_name: String,
    /// Its place.
    pub position: i64,
    /// Whether it must be filled.
    pub required: bool,
    /// Whether it may be changed.
    pub editable: bool,
}

/// A tag.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tag {
    /// The tag's id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A ticket. Instants are milliseconds since 1970; what is `None` or empty is absent on the wire.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ticket {
    /// Nineteen digits.
    pub ticket_id: String,
    /// Its helpdesk.
    pub helpdesk_id: String,
    /// Who asked.
    pub guest: User,
    /// The agents' notes.
    pub comments: Vec<Comment>,
    /// 1 bot, 2 human.
    pub ticket_type: i64,
    /// See the `STATUS_` constants.
    pub status: i64,
    /// 1 bad, 2 fair, 3 good.
    pub score: Option<i64>,
    /// When it was created.
    pub created_at: i64,
    /// When it was last updated; none: never.
    pub updated_at: Option<i64>,
    /// When it was closed.
    pub closed_at: Option<i64>,
    /// Why the guest was dissatisfied.
    pub dissatisfaction_reason: Option<Reason>,
    /// The agents.
    pub agents: Vec<User>,
    /// Where it came from.
    pub channel: i64,
    /// 1 not solved, 2 solved.
    pub solve: Option<i64>,
    /// Who closed it.
    pub closed_by: Option<User>,
    /// Who helps.
    pub collaborators: Vec<User>,
    /// Custom fields.
    pub customized_fields: Vec<FieldValue>,
    /// Tags.
    pub tags: Vec<Tag>,
    /// Minutes.
    pub agent_service_duration: Option<f64>,
    /// Seconds.
    pub agent_first_response_duration: Option<i64>,
    /// Seconds.
    pub bot_service_duration: Option<i64>,
    /// Seconds.
    pub agent_resolution_time: Option<i64>,
    /// Seconds.
    pub actual_processing_time: Option<i64>,
    /// When an agent entered.
    pub agent_entry_time: Option<i64>,
    /// When an agent first answered.
    pub agent_first_response_time: Option<i64>,
    /// When an agent last answered.
    pub agent_last_response_time: Option<i64>,
    /// Who is responsible.
    pub agent_owner: Option<User>,
    /// Members written over the real ones, for answers no client expects.
    pub overrides: Map<String, Value>,
}

impl Ticket {
    /// Whether it is closed by whomever.
    pub const fn is_closed(&self) -> bool {
        self.status >= STATUS_CLOSED_BY_BOT
    }

    /// The value of the custom field with that name.
    pub fn field(&self, display_name: &str) -> Option<&str> {
        self.customized_fields.iter().find(|field| field.display_name == display_name).map(|field| field.value.as_str())
    }

    /// The ticket as JSON, as the knobs say. `fields` are its custom fields as the answer shows them.
    pub(crate) fn write(&self, knobs: &Knobs, fields: &[FieldValue]) -> String {
        let wire = Wire::of(self, knobs, fields);
        let written = if self.overrides.is_empty() {
            serde_json::to_string(&wire)
        } else {
            serde_json::to_value(&wire).map(|mut value| {
                if let Some(members) = value.as_object_mut() {
                    members.extend(self.overrides.clone());
                }
                value.to_string()
            })
        };
        written.expect("plain structs with text keys are always written")
    }
}

/// The notes in one of their two shapes.
#[derive(Serialize)]
#[serde(untagged)]
enum Comments<'a> {
    All(&'a [Comment]),
    Last(&'a Comment),
}

/// The reason in one of its three shapes.
#[derive(Serialize)]
#[serde(untagged)]
enum Reasons<'a> {
    One(&'a Reason),
    Objects([&'a Reason; 1]),
    Strings([&'a str; 1]),
}

/// Left out, or null.
#[derive(Clone, Copy, Serialize)]
#[serde(untagged)]
enum Slot<T> {
    Value(T),
    Null(()),
}

/// The members of a ticket in the order of the vendor's page.
#[derive(Serialize)]
struct Wire<'a> {
    ticket_id: &'a str,
    helpdesk_id: &'a str,
    guest: &'a User,
    #[serde(skip_serializing_if = "Option::is_none")]
    comments: Option<Slot<Comments<'a>>>,
    ticket_type: i64,
    status: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<i64>,
    created_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dissatisfaction_reason: Option<Slot<Reasons<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agents: Option<Slot<&'a [User]>>,
    channel: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    solve: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_by: Option<&'a User>,
    #[serde(skip_serializing_if = "Option::is_none")]
    collaborators: Option<Slot<&'a [User]>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customized_fields: Option<Slot<&'a [FieldValue]>>,
    #[serde(skip_serializing_if = "<[Tag]>::is_empty")]
    tags: &'a [Tag],
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_service_duration: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_first_response_duration: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bot_service_duration: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_resolution_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actual_processing_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_entry_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_first_response_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_last_response_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_owner: Option<&'a User>,
}

impl<'a> Wire<'a> {
    fn of(ticket: &'a Ticket, knobs: &Knobs, fields: &'a [FieldValue]) -> Self {
        let comments = ticket.comments.last().map(|last| match knobs.comments {
            CommentsShape::Array => Comments::All(&ticket.comments),
            CommentsShape::Object => Comments::Last(last),
        });
        let reason = ticket.dissatisfaction_reason.as_ref().map(|reason| match knobs.dissatisfaction_reason {
            ReasonShape::Object => Reasons::One(reason),
            ReasonShape::Objects => Reasons::Objects([reason]),
            ReasonShape::Strings => Reasons::Strings([&reason.zh_cn]),
        });
        Self {
            ticket_id: &ticket.ticket_id,
            helpdesk_id: &ticket.helpdesk_id,
            guest: &ticket.guest,
            comments: slot(comments, knobs),
            ticket_type: ticket.ticket_type,
            status: ticket.status,
            score: ticket.score,
            created_at: ticket.created_at,
            updated_at: instant(ticket.updated_at, knobs.updated_at_when_fresh),
            closed_at: instant(ticket.closed_at, knobs.closed_at_when_open),
            dissatisfaction_reason: slot(reason, knobs),
            agents: slot(list(&ticket.agents), knobs),
            channel: ticket.channel,
            solve: ticket.solve,
            closed_by: ticket.closed_by.as_ref(),
            collaborators: slot(list(&ticket.collaborators), knobs),
            customized_fields: slot(list(fields), knobs),
            tags: &ticket.tags,
            agent_service_duration: ticket.agent_service_duration,
            agent_first_response_duration: ticket.agent_first_response_duration,
            bot_service_duration: ticket.bot_service_duration,
            agent_resolution_time: ticket.agent_resolution_time,
            actual_processing_time: ticket.actual_processing_time,
            agent_entry_time: ticket.agent_entry_time,
            agent_first_response_time: ticket.agent_first_response_time,
            agent_last_response_time: ticket.agent_last_response_time,
            agent_owner: ticket.agent_owner.as_ref(),
        }
    }
}

fn list<T>(items: &[T]) -> Option<&[T]> {
    (!items.is_empty()).then_some(items)
}

fn slot<T>(value: Option<T>, knobs: &Knobs) -> Option<Slot<T>> {
    value.map(Slot::Value).or_else(|| knobs.null_for_absent.then_some(Slot::Null(())))
}

fn instant(value: Option<i64>, none: NoInstant) -> Option<i64> {
    value.or(match none {
        NoInstant::Absent => None,
        NoInstant::Zero => Some(0),
        NoInstant::MinusOne => Some(-1),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::sim::{
        knobs::{CommentsShape, Knobs, NoInstant, ReasonShape},
        ticket::{Comment, FieldValue, Reason, Ticket, User},
    };

    fn written(ticket: &Ticket, turn: impl FnOnce(&mut Knobs)) -> Value {
        let mut knobs = Knobs::default();
        turn(&mut knobs);
        serde_json::from_str(&ticket.write(&knobs, &[])).unwrap()
    }

    #[test]
    fn doubtful_members_take_every_shape() {
        let ticket = Ticket {
            comments: vec![
                Comment { id: 1, ..Comment::default() },
                Comment { id: 2, user_id: 7_262_656_095_919_128_578, ..Comment::default() },
            ],
            dissatisfaction_reason: Some(Reason { zh_cn: "慢".to_string(), ..Reason::default() }),
            ..Ticket::default()
        };
        let json = written(&ticket, |_| ());
        assert_eq!(json["comments"][1]["user_id"], json!(7_262_656_095_919_128_578_i64));
        assert_eq!(json["dissatisfaction_reason"][0]["zh_cn"], "慢");
        assert_eq!(json["updated_at"], -1);
        assert_eq!(json.get("closed_at"), None);
        assert_eq!(json.get("customized_fields"), None);

        let json = written(&ticket, |knobs| {
            knobs.comments = CommentsShape::Object;
            knobs.dissatisfaction_reason = ReasonShape::Object;
            knobs.closed_at_when_open = NoInstant::Zero;
            knobs.null_for_absent = true;
        });
        assert_eq!(json["comments"]["id"], 2);
        assert_eq!(json["dissatisfaction_reason"]["zh_cn"], "慢");
        assert_eq!(json["closed_at"], 0);
        assert_eq!(json.get("agents"), Some(&Value::Null));

        let json = written(&ticket, |knobs| knobs.dissatisfaction_reason = ReasonShape::Strings);
        assert_eq!(json["dissatisfaction_reason"], json!(["慢"]));
    }

    #[test]
    fn a_full_ticket_has_every_member_of_the_vendors_page_in_its_order() {
        let user = User::default();
        let ticket = Ticket {
            comments: vec![Comment::default()],
            score: Some(1),
            updated_at: Some(1),
            closed_at: Some(1),
            dissatisfaction_reason: Some(Reason::default()),
            agents: vec![user.clone()],
            solve: Some(1),
            closed_by: Some(user.clone()),
            collaborators: vec![user.clone()],
            agent_service_duration: Some(42_624.95),
            agent_first_response_duration: Some(1),
            bot_service_duration: Some(1),
            agent_resolution_time: Some(1),
            actual_processing_time: Some(1),
            agent_entry_time: Some(1),
            agent_first_response_time: Some(1),
            agent_last_response_time: Some(1),
            agent_owner: Some(user),
            ..Ticket::default()
        };
        let written = ticket.write(&Knobs::default(), &[FieldValue::default()]);
        let members = [
            "ticket_id",
            "helpdesk_id",
            "guest",
            "comments",
            "ticket_type",
            "status",
            "score",
            "created_at",
            "updated_at",
            "closed_at",
            "dissatisfaction_reason",
            "agents",
            "channel",
            "solve",
            "closed_by",
            "collaborators",
            "customized_fields",
            "agent_service_duration",
            "agent_first_response_duration",
            "bot_service_duration",
            "agent_resolution_time",
            "actual_processing_time",
            "agent_entry_time",
            "agent_first_response_time",
            "agent_last_response_time",
            "agent_owner",
        ];
        let places: Vec<usize> =
            members.iter().map(|name| written.rfind(&format!("\"{name}\":")).expect("the member is there")).collect();
        assert!(places.is_sorted(), "{written}");
        let json: Value = serde_json::from_str(&written).unwrap();
        assert_eq!(json.as_object().unwrap().len(), members.len());
        assert_eq!(json["agent_service_duration"], json!(42_624.95));
    }

    #[test]
    fn overrides_go_last() {
        let mut ticket = Ticket { status: 2, ..Ticket::default() };
        ticket.overrides.insert("status".to_string(), json!("broken"));
        assert_eq!(written(&ticket, |_| ())["status"], "broken");
    }
}
