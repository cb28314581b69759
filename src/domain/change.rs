//! The difference between two snapshots of a ticket.

use crate::domain::{
    condition::{CustomSelector, Target},
    facts::Facts,
    field::{FIELDS, Value},
    judge::selects,
    labels::Labels,
    seen::Seen,
    ticket::{Comment, Known, Person, Text, Ticket},
    time::Timestamp,
    verdict::Answer,
};

/// The names of the fields that changed, in the table's order.
///
/// What runs by itself (volatile fields, avatars) is no change. Nor is a value that is unknown on either side: nobody
/// can say that it changed.
pub fn changed_fields<'a>(before: &'a Ticket, after: &'a Ticket) -> impl Iterator<Item = &'static str> {
    let (before, after) = (bare(before), bare(after));
    let lasting = FIELDS.iter().filter(|field| !field.volatile);
    let changed = lasting.filter(move |field| differ(&(field.read)(&before), &(field.read)(&after)));
    changed.map(|field| field.name)
}

/// The fields of the vendor's page need neither facts nor labels to be read.
fn bare(ticket: &Ticket) -> Seen<'_> {
    static NO_FACTS: Facts = Facts::new(Timestamp::MIN, Timestamp::MIN);
    Seen::at_rest(ticket, &NO_FACTS, Labels::none())
}

/// Whether what a test would look at is another on two sights of a ticket; what is unknown on either is not.
pub fn differs(target: &Target, before: &Seen<'_>, after: &Seen<'_>) -> bool {
    match target {
        Target::Field(field) => differ(&(field.read)(before), &(field.read)(after)),
        Target::Part(field, part) => match ((field.read)(before), (field.read)(after)) {
            (Value::Person(before), Value::Person(after)) => known_differ(part.of(before), part.of(after)),
            (before, after) => differ(&before, &after),
        },
        Target::Custom(selector) => {
            known_differ(&custom_text(selector, before.ticket), &custom_text(selector, after.ticket))
        }
    }
}

fn known_differ(before: &Known<Text>, after: &Known<Text>) -> bool {
    !before.is_unknown() && !after.is_unknown() && before != after
}

fn custom_text(selector: &CustomSelector, ticket: &Ticket) -> Known<Text> {
    match &ticket.customized_fields {
        Known::Unknown => Known::Unknown,
        Known::Empty => Known::Empty,
        Known::Present(fields) => {
            let found = fields.iter().find(|field| selects(selector, field) == Answer::Yes);
            found.map_or(Known::Empty, |field| field.value.clone())
        }
    }
}

fn differ(before: &Value<'_>, after: &Value<'_>) -> bool {
    match (before, after) {
        (Value::Unknown, _) | (_, Value::Unknown) => false,
        (Value::Number(before), Value::Number(after)) => before.to_bits() != after.to_bits(),
        (Value::Person(before), Value::Person(after)) => !same_person(before, after),
        (Value::Persons(before), Value::Persons(after)) => {
            before.len() != after.len() || before.iter().zip(*after).any(|(before, after)| !same_person(before, after))
        }
        (Value::Comments(before), Value::Comments(after)) => {
            before.len() != after.len() || before.iter().zip(*after).any(|(before, after)| !same_comment(before, after))
        }
        (before, after) => before != after,
    }
}

/// Every part but the avatar; the destructuring makes a new part a question for the compiler.
pub(super) fn same_person(before: &Person, after: &Person) -> bool {
    let Person { id, name, email, department, city, country, avatar_url: _ } = before;
    *id == after.id
        && *name == after.name
        && *email == after.email
        && *department == after.department
        && *city == after.city
        && *country == after.country
}

pub(super) fn same_comment(before: &Comment, after: &Comment) -> bool {
    let Comment { id, content, created_at, user_name, user_id, user_avatar_url: _ } = before;
    *id == after.id
        && *content == after.content
        && *created_at == after.created_at
        && *user_name == after.user_name
        && *user_id == after.user_id
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{
        id::{SourceName, TicketId, TicketKey},
        ticket::{Known, Status},
        time::Timestamp,
    };

    fn ticket() -> Ticket {
        let person = Person { name: Known::Present("Li".into()), ..Person::default() };
        Ticket {
            status: Known::Present(Status::Processing),
            score: Known::Empty,
            updated_at: Known::Present(Timestamp::from_ms(1)),
            guest: Known::Present(Arc::new(person.clone())),
            agents: Known::Present(Arc::from([Arc::new(person)])),
            comments: Known::Present(Arc::from([Comment::default()])),
            actual_processing_time: Known::Present(1),
            ..Ticket::unknown(TicketKey::new(SourceName::new("desk"), TicketId::new("1")))
        }
    }

    fn check(edit: impl Fn(&mut Ticket), expected: &[&str]) {
        let before = ticket();
        let mut after = ticket();
        edit(&mut after);
        assert_eq!(changed_fields(&before, &after).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_people_did_is_a_change_and_what_runs_by_itself_is_not() {
        check(|_| {}, &[]);
        check(|ticket| ticket.status = Known::Present(Status::Other(7)), &["status"]);
        check(|ticket| ticket.score = Known::Present(1), &["score"]);
        check(|ticket| ticket.score = Known::Unknown, &[]);
        check(|ticket| ticket.updated_at = Known::Present(Timestamp::from_ms(2)), &["updated_at"]);
        check(|ticket| ticket.actual_processing_time = Known::Present(9), &[]);
        check(|ticket| ticket.agents = Known::Empty, &["agents"]);
        check(|ticket| ticket.agents = Known::Present(Arc::from([])), &["agents"]);
    }

    #[test]
    fn avatars_are_no_change_wherever_they_stand() {
        let other: Known<Arc<str>> = Known::Present("https://x/2".into());
        let with_avatar = |name: &str| {
            Arc::new(Person { name: Known::Present(name.into()), avatar_url: other.clone(), ..Person::default() })
        };
        check(|ticket| ticket.guest = Known::Present(with_avatar("Li")), &[]);
        check(|ticket| ticket.guest = Known::Present(with_avatar("Bo")), &["guest"]);
        check(|ticket| ticket.agents = Known::Present(Arc::from([with_avatar("Li")])), &[]);
        let comment = Comment { user_avatar_url: other.clone(), ..Comment::default() };
        check(|ticket| ticket.comments = Known::Present(Arc::from([comment.clone()])), &[]);
    }
}
