//! The way back: what a ticket was before its changes, from the snapshot kept and one revision a change.
//!
//! A revision holds the old values of the fields that a change replaced, and unknown for all others. A value that was
//! unknown and became known is no change, so going back it is as it became known. Avatars are not kept.

use std::sync::Arc;

use crate::domain::{
    change,
    ticket::{Known, Person, Ticket},
    time::Timestamp,
};

/// The old values of what changed from `before` to `after`, what nobody knows any more among it; nothing where no lasting
/// field changed. Fields that run by themselves make no revision; one that is made always has their old values, for they
/// may run on before the next.
pub fn revision(before: &Ticket, after: &Ticket) -> Option<Ticket> {
    let was = Ticket {
        key: before.key.clone(),
        helpdesk_id: old(&before.helpdesk_id, &after.helpdesk_id),
        guest: old_by(&before.guest, &after.guest, same_person),
        comments: old_by(&before.comments, &after.comments, |old, new| all(old, new, change::same_comment)),
        ticket_type: old(&before.ticket_type, &after.ticket_type),
        status: old(&before.status, &after.status),
        score: old(&before.score, &after.score),
        created_at: old(&before.created_at, &after.created_at),
        updated_at: old(&before.updated_at, &after.updated_at),
        closed_at: old(&before.closed_at, &after.closed_at),
        dissatisfaction_reason: old(&before.dissatisfaction_reason, &after.dissatisfaction_reason),
        agents: old_by(&before.agents, &after.agents, |old, new| all(old, new, same_person)),
        channel: old(&before.channel, &after.channel),
        solved: old(&before.solved, &after.solved),
        closed_by: old_by(&before.closed_by, &after.closed_by, same_person),
        collaborators: old_by(&before.collaborators, &after.collaborators, |old, new| all(old, new, same_person)),
        customized_fields: old(&before.customized_fields, &after.customized_fields),
        agent_first_response_duration: old(&before.agent_first_response_duration, &after.agent_first_response_duration),
        agent_resolution_time: old(&before.agent_resolution_time, &after.agent_resolution_time),
        agent_entry_time: old(&before.agent_entry_time, &after.agent_entry_time),
        agent_first_response_time: old(&before.agent_first_response_time, &after.agent_first_response_time),
        agent_last_response_time: old(&before.agent_last_response_time, &after.agent_last_response_time),
        agent_owner: old_by(&before.agent_owner, &after.agent_owner, same_person),
        tags: old(&before.tags, &after.tags),
        agent_service_duration: Known::Unknown,
        bot_service_duration: Known::Unknown,
        actual_processing_time: Known::Unknown,
    };
    (was != Ticket::unknown(before.key.clone())).then_some(Ticket {
        agent_service_duration: before.agent_service_duration,
        bot_service_duration: before.bot_service_duration,
        actual_processing_time: before.actual_processing_time,
        ..was
    })
}

/// The ticket as it was before the change that `was` is the revision of.
pub fn before(after: &Ticket, was: &Ticket) -> Ticket {
    Ticket {
        key: after.key.clone(),
        helpdesk_id: earlier(&was.helpdesk_id, &after.helpdesk_id),
        guest: earlier(&was.guest, &after.guest),
        comments: earlier(&was.comments, &after.comments),
        ticket_type: earlier(&was.ticket_type, &after.ticket_type),
        status: earlier(&was.status, &after.status),
        score: earlier(&was.score, &after.score),
        created_at: earlier(&was.created_at, &after.created_at),
        updated_at: earlier(&was.updated_at, &after.updated_at),
        closed_at: earlier(&was.closed_at, &after.closed_at),
        dissatisfaction_reason: earlier(&was.dissatisfaction_reason, &after.dissatisfaction_reason),
        agents: earlier(&was.agents, &after.agents),
        channel: earlier(&was.channel, &after.channel),
        solved: earlier(&was.solved, &after.solved),
        closed_by: earlier(&was.closed_by, &after.closed_by),
        collaborators: earlier(&was.collaborators, &after.collaborators),
        customized_fields: earlier(&was.customized_fields, &after.customized_fields),
        agent_service_duration: earlier(&was.agent_service_duration, &after.agent_service_duration),
        agent_first_response_duration: earlier(
            &was.agent_first_response_duration,
            &after.agent_first_response_duration,
        ),
        bot_service_duration: earlier(&was.bot_service_duration, &after.bot_service_duration),
        agent_resolution_time: earlier(&was.agent_resolution_time, &after.agent_resolution_time),
        actual_processing_time: earlier(&was.actual_processing_time, &after.actual_processing_time),
        agent_entry_time: earlier(&was.agent_entry_time, &after.agent_entry_time),
        agent_first_response_time: earlier(&was.agent_first_response_time, &after.agent_first_response_time),
        agent_last_response_time: earlier(&was.agent_last_response_time, &after.agent_last_response_time),
        agent_owner: earlier(&was.agent_owner, &after.agent_owner),
        tags: earlier(&was.tags, &after.tags),
    }
}

/// Every snapshot of a ticket, forward in time, each with the instant it was seen at: the first one at `first_seen`,
/// the last one is `kept`. `revisions` are each change's instant and old values, oldest first.
pub fn snapshots(
    kept: &Arc<Ticket>,
    first_seen: Timestamp,
    revisions: &[(Timestamp, Arc<Ticket>)],
) -> Vec<(Timestamp, Arc<Ticket>)> {
    let mut ticket = Arc::clone(kept);
    let mut backward = Vec::with_capacity(revisions.len() + 1);
    for (at, was) in revisions.iter().rev() {
        let earlier = Arc::new(before(&ticket, was));
        backward.push((*at, std::mem::replace(&mut ticket, earlier)));
    }
    backward.push((first_seen, ticket));
    backward.reverse();
    backward
}

fn old<T: Clone + PartialEq>(before: &Known<T>, after: &Known<T>) -> Known<T> {
    old_by(before, after, T::eq)
}

fn old_by<T: Clone>(before: &Known<T>, after: &Known<T>, same: impl Fn(&T, &T) -> bool) -> Known<T> {
    match (before, after) {
        (Known::Empty, Known::Empty) => Known::Unknown,
        (Known::Present(old), Known::Present(new)) if same(old, new) => Known::Unknown,
        (old, _) => old.clone(),
    }
}

fn earlier<T: Clone>(was: &Known<T>, after: &Known<T>) -> Known<T> {
    if was.is_unknown() { after.clone() } else { was.clone() }
}

fn same_person(before: &Arc<Person>, after: &Arc<Person>) -> bool {
    Arc::ptr_eq(before, after) || change::same_person(before, after)
}

fn all<T>(before: &Arc<[T]>, after: &Arc<[T]>, same: impl Fn(&T, &T) -> bool) -> bool {
    before.len() == after.len() && before.iter().zip(after.iter()).all(|(before, after)| same(before, after))
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::domain::{
        id::{SourceName, TicketId, TicketKey},
        ticket::{Comment, CustomField, Status, Text},
    };

    /// One edit of a ticket: which field, and one of a few values.
    type Edit = (usize, u8);

    fn text(value: u8) -> Text {
        value.to_string().as_str().into()
    }

    fn person(value: u8) -> Arc<Person> {
        Arc::new(Person { id: Known::Present(text(value / 2)), avatar_url: known(value), ..Person::default() })
    }

    fn known(value: u8) -> Known<Text> {
        Known::Present(text(value))
    }

    /// Unknown, empty, or a value.
    fn part<T>(value: u8, f: impl Fn(u8) -> T) -> Known<T> {
        match value {
            0 => Known::Unknown,
            1 => Known::Empty,
            value => Known::Present(f(value)),
        }
    }

    fn edit(ticket: &mut Ticket, (field, value): Edit) {
        let (number, at) = (|value: u8| i64::from(value), |value: u8| Timestamp::from_ms(i64::from(value)));
        let persons = |value: u8| (0..value % 3).map(|more| person(value + more)).collect::<Arc<[_]>>();
        match field {
            0 => ticket.helpdesk_id = part(value, text),
            1 => ticket.guest = part(value, person),
            2 => {
                let note =
                    |value| Comment { content: known(value / 2), user_avatar_url: known(value), ..Comment::default() };
                ticket.comments = part(value, |value| Arc::from([note(value)]));
            }
            3 => ticket.ticket_type = part(value, number),
            4 => ticket.status = part(value, |value| Status::from_code(number(value))),
            5 => ticket.score = part(value, number),
            6 => ticket.created_at = part(value, at),
            7 => ticket.updated_at = part(value, at),
            8 => ticket.closed_at = part(value, at),
            9 => ticket.dissatisfaction_reason = part(value, |_| Arc::from([])),
            10 => ticket.agents = part(value, persons),
            11 => ticket.channel = part(value, number),
            12 => ticket.solved = part(value, number),
            13 => ticket.closed_by = part(value, person),
            14 => ticket.collaborators = part(value, persons),
            15 => {
                let field = |value| CustomField { value: known(value), ..CustomField::default() };
                ticket.customized_fields = part(value, |value| Arc::from([field(value)]));
            }
            16 => ticket.agent_first_response_duration = part(value, number),
            17 => ticket.agent_resolution_time = part(value, number),
            18 => ticket.agent_entry_time = part(value, at),
            19 => ticket.agent_first_response_time = part(value, at),
            20 => ticket.agent_last_response_time = part(value, at),
            21 => ticket.agent_owner = part(value, person),
            22 => ticket.tags = part(value, |_| Arc::from([])),
            23 => ticket.agent_service_duration = part(value, f64::from),
            24 => ticket.bot_service_duration = part(value, number),
            _ => ticket.actual_processing_time = part(value, number),
        }
    }

    /// Whether going back came to what was there, but for what was unknown and for avatars.
    fn is_way_back(there: &Ticket, back: &Ticket) -> bool {
        // Told apart is what lasts; what runs by itself is compared beside it.
        change::changed_fields(there, back).next().is_none()
            && (there.agent_service_duration.is_unknown()
                || there.agent_service_duration == back.agent_service_duration)
            && (there.bot_service_duration.is_unknown() || there.bot_service_duration == back.bot_service_duration)
            && (there.actual_processing_time.is_unknown()
                || there.actual_processing_time == back.actual_processing_time)
    }

    fn fresh() -> Ticket {
        Ticket::unknown(TicketKey::new(SourceName::new("desk"), TicketId::new("1")))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn going_back_gives_every_earlier_snapshot(rounds in vec(vec((0..26_usize, 0..6_u8), 1..6), 0..12)) {
            let at = |number: usize| Timestamp::from_ms(number as i64);
            let mut snapshots = vec![(at(0), Arc::new(fresh()))];
            let mut revisions = Vec::new();
            for (number, edits) in rounds.into_iter().enumerate() {
                let (_, before) = snapshots.last().unwrap().clone();
                let mut after = Ticket::clone(&before);
                edits.into_iter().for_each(|one| edit(&mut after, one));
                let after = Arc::new(after);
                match revision(&before, &after) {
                    Some(was) => {
                        revisions.push((at(number + 1), Arc::new(was)));
                        snapshots.push((at(number + 1), after));
                    }
                    // What runs by itself, or became known, updates the snapshot kept.
                    None => snapshots.last_mut().unwrap().1 = after,
                }
            }
            let kept = &snapshots.last().unwrap().1;
            let back = super::snapshots(kept, at(0), &revisions);
            prop_assert_eq!(back.len(), snapshots.len());
            for ((at, there), (back_at, back)) in snapshots.iter().zip(&back) {
                prop_assert_eq!(at, back_at);
                prop_assert!(is_way_back(there, back), "{:#?}\n{:#?}", there, back);
            }
        }
    }

    #[test]
    fn a_revision_holds_what_changed_and_no_more() {
        let mut before = fresh();
        for field in 0..26 {
            edit(&mut before, (field, 4));
        }
        for field in 0..23 {
            let mut after = before.clone();
            edit(&mut after, (field, 1));
            let was = revision(&before, &after).unwrap();
            let mut expected = fresh();
            [field, 23, 24, 25].into_iter().for_each(|field| edit(&mut expected, (field, 4)));
            assert_eq!(was, expected, "{field}");
        }
        let mut after = before.clone();
        edit(&mut after, (25, 5));
        assert_eq!(revision(&before, &after), None, "what runs by itself is no change");
        edit(&mut after, (1, 5));
        assert_eq!(revision(&before, &after), None, "nor is another avatar");
        edit(&mut after, (4, 5));
        assert_eq!(revision(&before, &after).unwrap().actual_processing_time, Known::Present(4));
    }
}
