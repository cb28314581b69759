//! Ways of tickets, put together again.

use super::*;
use crate::domain::{
    id::{SourceName, TicketId, TicketKey},
    ticket::Person,
};

const NOW: i64 = 1_000;

/// Minutes after the epoch.
fn at(minute: i64) -> Timestamp {
    Timestamp::from_ms(minute * 60_000)
}

fn ticket(status: Status, edit: impl Fn(&mut Ticket)) -> Ticket {
    let mut ticket = Ticket {
        status: Known::Present(status),
        ticket_type: Known::Present(2),
        created_at: Known::Present(at(10)),
        updated_at: Known::Empty,
        closed_at: Known::Empty,
        score: Known::Empty,
        solved: Known::Present(1),
        agent_entry_time: Known::Empty,
        agent_first_response_time: Known::Empty,
        agent_last_response_time: Known::Empty,
        agent_owner: Known::Empty,
        ..Ticket::unknown(TicketKey::new(SourceName::new("desk"), TicketId::new("1")))
    };
    edit(&mut ticket);
    ticket
}

/// Each sight as `minute step status type owner score updated`.
fn told(ticket: &Ticket) -> Vec<String> {
    let sights = past(ticket, at(NOW));
    sights
        .iter()
        .map(|sight| {
            let Ticket { status, ticket_type, agent_owner, score, updated_at, .. } = &*sight.ticket;
            let status = status.present().map_or(0, |status| status.code());
            let owner = if agent_owner.present().is_some() { "owned" } else { "free" };
            let moved = updated_at.present().map_or(0, |at| at.as_ms() / 60_000);
            let (kind, score) = (ticket_type.present().unwrap_or(&0), score.present().unwrap_or(&0));
            let guess = if sight.guessed { " guessed" } else { "" };
            let minute = sight.at.as_ms() / 60_000;
            format!("{minute} {:?}{guess} status {status} type {kind} {owner} score {score} moved {moved}", sight.step)
        })
        .collect()
}

fn full(ticket: &mut Ticket) {
    ticket.agent_entry_time = Known::Present(at(20));
    ticket.agent_first_response_time = Known::Present(at(40));
    ticket.agent_last_response_time = Known::Present(at(70));
    ticket.agent_owner = Known::Present(Arc::new(Person::default()));
    ticket.closed_at = Known::Present(at(90));
    ticket.updated_at = Known::Present(at(120));
    ticket.score = Known::Present(1);
}

#[test]
fn a_rated_ticket_goes_its_whole_way() {
    let expected = [
        "10 Created status 1 type 1 free score 0 moved 0",
        "20 EnteredHuman status 3 type 2 free score 0 moved 20",
        "40 FirstReply status 2 type 2 owned score 0 moved 40",
        "70 LastReply status 2 type 2 owned score 0 moved 70",
        "90 Closed status 51 type 2 owned score 0 moved 90",
        "120 Last status 51 type 2 owned score 1 moved 120",
    ];
    assert_eq!(told(&ticket(Status::ClosedByAgent, full)), expected);
}

#[test]
fn what_a_list_does_not_say_is_guessed_late() {
    let cases: [(&str, Ticket, &[&str]); 7] = [
        (
            "rated, and nothing moved it: with closing",
            ticket(Status::ClosedByUser, |ticket| {
                full(ticket);
                ticket.updated_at = Known::Present(at(90));
            }),
            &["90 Last status 52 type 2 owned score 1 moved 90"],
        ),
        ("fresh", ticket(Status::Created, |_| {}), &["10 Last guessed status 1 type 2 free score 0 moved 0"]),
        (
            "waits for its guest: since the last update",
            ticket(Status::WaitingForUser, |ticket| {
                full(ticket);
                ticket.closed_at = Known::Empty;
                ticket.score = Known::Empty;
            }),
            &[
                "70 LastReply status 2 type 2 owned score 0 moved 70",
                "120 Last guessed status 5 type 2 owned score 0 moved 120",
            ],
        ),
        (
            "closed, nobody says when",
            ticket(Status::ClosedByBot, |ticket| ticket.updated_at = Known::Present(at(50))),
            &["10 Created status 1 type 2 free score 0 moved 0", "50 Last status 50 type 2 free score 0 moved 50"],
        ),
        (
            "the last reply stands for the first",
            ticket(Status::Processing, |ticket| {
                ticket.agent_last_response_time = Known::Present(at(30));
                ticket.updated_at = Known::Present(at(31));
            }),
            &[
                "30 FirstReply guessed status 2 type 2 free score 0 moved 30",
                "31 Last guessed status 2 type 2 free score 0 moved 31",
            ],
        ),
        (
            "an update older than what came after it",
            ticket(Status::ClosedByAgent, |ticket| {
                full(ticket);
                ticket.updated_at = Known::Present(at(15));
            }),
            &["90 Last status 51 type 2 owned score 1 moved 90"],
        ),
        (
            "what lies in the future is not taken",
            ticket(Status::Queueing, |ticket| {
                ticket.agent_entry_time = Known::Present(at(NOW + 5));
                ticket.updated_at = Known::Present(at(NOW + 5));
            }),
            &[
                "10 Created status 1 type 1 free score 0 moved 0",
                "1000 Last guessed status 3 type 2 free score 0 moved 1005",
            ],
        ),
    ];
    for (name, ticket, expected) in cases {
        let told = told(&ticket);
        let tail = told.get(told.len().saturating_sub(expected.len())..).unwrap();
        assert_eq!(tail, expected, "{name}");
    }
}

#[test]
fn notes_stand_there_once_they_are_written_and_unknown_stays_unknown() {
    let note = |minute| Comment { created_at: Known::Present(at(minute)), ..Comment::default() };
    let noted = ticket(Status::ClosedByAgent, |ticket| {
        full(ticket);
        ticket.comments = Known::Present(Arc::from([note(30), note(80)]));
        ticket.agent_owner = Known::Unknown;
        ticket.score = Known::Unknown;
    });
    let sights = past(&noted, at(NOW));
    let counts: Vec<usize> =
        sights.iter().map(|sight| sight.ticket.comments.present().map_or(0, |notes| notes.len())).collect();
    assert_eq!(counts, [0, 0, 1, 1, 2, 2]);
    assert!(sights.iter().all(|sight| sight.ticket.agent_owner.is_unknown() && sight.ticket.score.is_unknown()));
    assert!(past(&Ticket::unknown(noted.key.clone()), at(NOW)).is_empty());
}

#[test]
fn the_last_sight_is_the_ticket_itself() {
    for status in [Status::ClosedByAgent, Status::ClosedByBot, Status::Processing, Status::Other(77)] {
        let last = ticket(status, full);
        let sights = past(&last, at(NOW));
        assert_eq!(*sights.last().unwrap().ticket, last, "{status:?}");
        assert!(sights.is_sorted_by_key(|sight| sight.at));
        assert!(sights.is_sorted_by_key(|sight| sight.ticket.updated_at.present().copied()));
    }
}

#[test]
fn what_was_said_grows_word_by_word() {
    let said = |speaker, minute: i64, text: &str| (speaker, Said { at: at(minute), text: text.into() });
    let messages = vec![
        said(Speaker::Agent, 40, "来了"),
        said(Speaker::Guest, 5, "在吗"),
        said(Speaker::Guest, 20, "有人吗"),
        said(Speaker::Guest, 2_000, "之后"),
    ];
    let told: Vec<(i64, usize, Option<Timestamp>)> = spoken(at(10), messages, at(NOW))
        .iter()
        .map(|(at, said)| (at.as_ms() / 60_000, said.guest.len() + said.agent.len(), said.unanswered_since))
        .collect();
    assert_eq!(told, [(10, 1, Some(at(5))), (20, 2, Some(at(5))), (40, 3, None)]);
    assert_eq!(spoken(at(10), vec![], at(NOW)), [(at(10), Conversation::default())]);
}
