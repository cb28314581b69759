//! The store's history: what tickets were before their changes comes back in order, and goes with the ticket.

use std::sync::Arc;

use deskbell::{
    adapters::store::{
        config::Config,
        database::Store,
        error::OpenError,
        history::{History, REVISIONS_MAX},
    },
    domain::{
        desk::{
            outcome::Write,
            state::{JournalEntry, Remains, Revision, Tracked, Trial},
        },
        facts::Facts,
        history,
        id::{Subject, TicketId, TicketKey},
        text::Message,
        ticket::{Known, Status, Ticket},
        time::{Span, Timestamp},
    },
};
use tempfile::TempDir;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(1_700_000_000_000 + ms)
}

fn key(number: u32) -> TicketKey {
    TicketKey::new("it-desk".into(), TicketId::new(format!("66268713557803{number:05}")))
}

fn ticket(number: u32, status: i64, moved_at: i64, text: &str) -> Ticket {
    Ticket {
        status: Known::Present(Status::from_code(status)),
        updated_at: Known::Present(at(moved_at)),
        helpdesk_id: Known::Present(text.into()),
        ..Ticket::unknown(key(number))
    }
}

fn keep(ticket: Ticket) -> Write {
    let tracked = Tracked {
        ticket: Arc::new(ticket),
        facts: Facts::new(at(0), at(0)),
        asked_at: at(0),
        list_hash: None,
        gone_at: None,
    };
    Write::Ticket(Box::new(tracked))
}

fn revision(ms: i64, before: &Ticket, after: &Ticket) -> Write {
    let was = Arc::new(history::revision(before, after).expect("something changed"));
    Write::Revision(Box::new(Revision { at: at(ms), was }))
}

fn purge(number: u32) -> Write {
    let key = key(number);
    Write::Purge(Box::new(Remains { key, status: None, reopened_count: 0, episodes: Vec::new() }))
}

/// A store that this process dropped a moment ago may hold its file a little longer.
fn released<T>(mut f: impl FnMut() -> Result<T, OpenError>) -> T {
    loop {
        match f() {
            Err(OpenError::Held { .. }) => std::thread::yield_now(),
            other => return other.unwrap(),
        }
    }
}

fn codes(revisions: &[Revision]) -> Vec<(i64, i64)> {
    let code = |revision: &Revision| revision.was.status.present().map_or(0, |status| status.code());
    revisions.iter().map(|revision| (revision.at.as_ms() - at(0).as_ms(), code(revision))).collect()
}

#[test]
fn revisions_come_back_in_order_and_go_with_their_ticket() {
    let dir = TempDir::new().unwrap();
    let (store, _) = Store::open(&Config::at(dir.path())).unwrap();
    let long = "长".repeat(9_000);
    let (first, second, third) = (ticket(1, 1, 0, &long), ticket(1, 2, 5, ""), ticket(1, 3, 5, ""));
    let fourth = ticket(1, 50, 9, &long);
    let trial = Trial {
        rule: "r".into(),
        began_at: at(1),
        fired: 3,
        dealt_with: 2,
        longest: Span::from_mins(7),
        reported_at: None,
    };
    // Two changes of one answer have one instant; both are kept.
    store.commit(&[keep(first.clone()), revision(5, &first, &second), revision(5, &second, &third)]).unwrap();
    store.commit(&[keep(third.clone()), Write::Trial(Box::new(trial.clone()))]).unwrap();
    let other = ticket(11, 1, 0, "");
    store.commit(&[keep(other.clone()), revision(6, &other, &ticket(11, 2, 6, ""))]).unwrap();
    drop(store);
    let (store, stored) = released(|| Store::open(&Config::at(dir.path())));
    assert_eq!(stored.trials, [trial]);
    store.commit(&[keep(fourth.clone()), revision(9, &third, &fourth), Write::DropTrial("r".into())]).unwrap();
    let revisions = store.revisions(&key(1)).unwrap();
    assert_eq!(codes(&revisions), [(5, 1), (5, 2), (9, 3)]);
    let revisions: Vec<_> = revisions.into_iter().map(|revision| (revision.at, revision.was)).collect();
    let snapshots = history::snapshots(&Arc::new(fourth), at(0), &revisions);
    assert_eq!(
        snapshots.iter().map(|(_, ticket)| Ticket::clone(ticket)).take(3).collect::<Vec<_>>(),
        [first, second, third]
    );
    drop(store);
    let (store, stored) = released(|| Store::open(&Config::at(dir.path())));
    assert!(stored.trials.is_empty());
    let late = ticket(1, 51, 12, "");
    store.commit(&[revision(12, &ticket(1, 50, 9, ""), &late), purge(1)]).unwrap();
    assert_eq!(store.revisions(&key(1)).unwrap(), []);
    assert_eq!(codes(&store.revisions(&key(11)).unwrap()), [(6, 1)]);
    store.commit(&[purge(11)]).unwrap();
    drop(store);
    let left = released(|| deskbell::adapters::store::compact::compact(dir.path(), |_| ()));
    assert_eq!(left.records, 3, "the format and two remains: no part of a long revision is left behind");
}

#[test]
fn history_hands_over_what_was_open_or_moved_since() {
    let dir = TempDir::new().unwrap();
    assert!(matches!(History::open(&Config::at(dir.path())), Err(OpenError::Missing(_))));
    let (store, _) = Store::open(&Config::at(dir.path())).unwrap();
    let mut writes = Vec::new();
    for (number, status, moved_at) in [(1, 2, 10), (2, 50, 10), (3, 50, 1_000), (4, 7, 10)] {
        let (before, after) = (ticket(number, 1, 0, ""), ticket(number, status, moved_at, ""));
        writes.extend([revision(moved_at, &before, &after), keep(after)]);
    }
    let subject = Subject::Service;
    writes.push(Write::Journal(Box::new(JournalEntry {
        at: at(0),
        subject,
        rule: None,
        episode: 0,
        what: "fired",
        note: Message::default(),
    })));
    store.commit(&writes).unwrap();
    drop(store);
    let seen = |since: i64, most: usize| {
        let history = released(|| History::open(&Config::at(dir.path())));
        let mut seen = Vec::new();
        let each = |tracked: Tracked, revisions: Vec<Revision>| {
            assert_eq!(codes(&revisions).len(), 1);
            seen.push(tracked.ticket.key.id.as_str().trim_start_matches("662687135578030000").to_owned());
            seen.len() < most
        };
        history.each(at(since), each).unwrap();
        seen
    };
    assert_eq!(seen(10, REVISIONS_MAX), ["1", "2", "3", "4"]);
    assert_eq!(seen(11, REVISIONS_MAX), ["1", "3", "4"], "an open one, a later one, and one nobody can tell of");
    assert_eq!(seen(11, 2), ["1", "3"]);
    assert_eq!(released(|| Store::open(&Config::at(dir.path()))).1.tickets.len(), 4);
}
