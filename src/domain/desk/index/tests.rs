//! What the index finds is what a search through all would.

use std::{collections::BTreeMap, sync::Arc};

use proptest::prelude::*;

use super::*;
use crate::domain::{
    alert::AlertState,
    condition::Condition,
    desk::{
        settings::{Settings, SourceSettings},
        state::{CardShows, Stored, Tracked},
    },
    facts::Facts,
    id::TicketKey,
    labels::Labels,
    rule::{CatchUp, Rule, RuleSet},
    silence::Matcher,
    ticket::Ticket,
    time::{Span, Timestamp},
};

const START: Timestamp = Timestamp::from_ms(1_700_000_000_000);

/// What may happen to alerts and cards.
#[derive(Clone, Debug)]
enum Happening {
    /// Alert, episodes further, how it stands: over, firing or pending, and how serious it is.
    Put(AlertKey, u32, u8, Severity),
    /// The same, and the episode before is kept besides.
    Past(AlertKey),
    /// Kept no longer.
    Settled(AlertKey, u32),
    Drop(AlertKey),
    /// All that ended are old.
    LetGo,
    Card(CardKey, Option<u8>),
    DropCard(CardKey),
    Restart,
}

fn happening() -> impl Strategy<Value = Happening> {
    let key = || {
        (0..4_u8, prop_oneof!["now", "old", "other"]).prop_map(|(subject, rule)| AlertKey {
            subject: Subject::Group(format!("group {subject}").as_str().into()),
            rule: rule.as_str().into(),
        })
    };
    let card = || {
        (key(), 1..3_u32)
            .prop_map(|(key, episode)| CardKey { shows: CardShows::Alert(key, episode), receiver: "support".into() })
    };
    let severity = prop_oneof![Just(Severity::Info), Just(Severity::Warning), Just(Severity::Critical)];
    prop_oneof![
        4 => (key(), 0..2_u32, 0..3_u8, severity).prop_map(|(key, on, stand, how)| Happening::Put(key, on, stand, how)),
        2 => key().prop_map(Happening::Past),
        1 => (key(), 0..4_u32).prop_map(|(key, episode)| Happening::Settled(key, episode)),
        1 => key().prop_map(Happening::Drop),
        1 => Just(Happening::LetGo),
        2 => (card(), prop::option::of(0..3_u8)).prop_map(|(key, message)| Happening::Card(key, message)),
        1 => card().prop_map(Happening::DropCard),
        1 => Just(Happening::Restart),
    ]
}

fn desk(stored: Stored) -> Desk {
    let labels = Arc::new(Labels::default());
    let source = SourceSettings { poll_every: Span::from_mins(1), catch_up: CatchUp::Each, labels };
    let settings = Settings { sources: BTreeMap::from([("desk".into(), source)]), ..Settings::bare() };
    let now = Rule { formerly: vec!["old".into()], ..Rule::new("now".into(), Condition::All(Vec::new())) };
    let other = Rule::new("other".into(), Condition::All(Vec::new()));
    let rules = [now, other].map(|rule| (rule.name.clone(), rule));
    Desk::open(stored, Arc::new(RuleSet { rules: rules.into() }), settings, START).0
}

fn stand(number: u8) -> AlertState {
    match number {
        0 => AlertState::Ended {
            fired_at: Some(START),
            ended_at: START,
            reason: crate::domain::alert::EndReason::Cleared,
        },
        1 => AlertState::Firing { fired_at: START, stale_as_of: None },
        _ => AlertState::Pending,
    }
}

fn apply(desk: &mut Desk, happening: Happening) {
    match happening {
        Happening::Put(key, on, number, severity) => {
            let before = desk.alert(&key).cloned().unwrap_or_else(|| Alert::pending(key, START));
            desk.put_alert(Alert { episode: before.episode + on, state: stand(number), severity, ..before });
        }
        Happening::Past(key) => {
            let Some(before) = desk.alert(&key).filter(|alert| alert.episode > 0).cloned() else { return };
            let over = Alert { state: stand(0), ..before };
            desk.put_alert(over.clone());
            desk.past.insert((over.key.clone(), over.episode), over.clone());
            desk.put_alert(Alert { episode: over.episode + 1, state: stand(1), ..over });
        }
        Happening::Settled(key, episode) => desk.forget_past_if_settled(&key, episode),
        Happening::Drop(key) => desk.drop_alert(&key),
        Happening::LetGo => desk.let_go_of_groups(START.plus(Span::from_days(91))),
        Happening::Card(key, message) => desk.put_card(CardState {
            key,
            message: message.map(|number| MessageId::from(format!("om_{number}").as_str())),
            shown_rev: 1,
            posted_at: START,
            replaces: None,
        }),
        Happening::DropCard(key) => desk.drop_card(&key),
        Happening::Restart => {
            let stored = Stored {
                alerts: desk.alerts.values().flatten().cloned().collect(),
                past: desk.past.values().cloned().collect(),
                cards: desk.cards.values().cloned().collect(),
                ..Stored::default()
            };
            *desk = self::desk(stored);
        }
    }
}

/// Every question, answered by looking at all there is.
fn check(desk: &Desk) {
    let all = || desk.alerts.values().flatten();
    for alert in all().chain(desk.past.values()) {
        let named = |other: &&Alert| other.episode > 0 && other.reference() == alert.reference();
        let present =
            || all().find(|other| other.key == alert.key && other.episode > alert.episode && alert.episode > 0);
        let scanned = all().find(named).or_else(present).or_else(|| desk.past.values().find(named));
        assert_eq!(desk.alert_referred(&alert.reference()), scanned, "{alert:?}");
    }
    for alert in all() {
        for episode in former(alert) {
            let before = reference(&alert.key, episode);
            let found = desk.alert_referred(&before).map(|found| &found.key);
            assert_eq!(found, Some(&alert.key), "{before} leads on");
        }
    }
    let formerly: usize = desk.index.formerly.values().map(Vec::len).sum();
    assert_eq!(formerly, all().map(|alert| former(alert).len()).sum::<usize>(), "nothing is left behind");
    let noted: usize = desk.index.called.values().map(Vec::len).sum();
    let rang = |alert: &&Alert| alert.episode > 0;
    let places: BTreeSet<_> = all().chain(desk.past.values()).filter(rang).map(|it| (&it.key, it.episode)).collect();
    assert_eq!(noted, places.len(), "nothing is left behind");
    for rule in [None, Some("now"), Some("old"), Some("other"), Some("none")] {
        for least in [Severity::Info, Severity::Warning, Severity::Critical] {
            let name: Option<RuleName> = rule.map(Into::into);
            let matcher = Matcher { rule: name.clone(), severity: Some(least), ..Matcher::default() };
            let scanned = all().filter(|it| it.is_firing() && matcher.matches_ringing(&desk.about(it)));
            let found = desk.ringing_by(name.as_ref(), |severity| severity >= least);
            let [scanned, found] =
                [scanned.map(|it| &it.key).collect::<BTreeSet<_>>(), found.map(|it| &it.key).collect()];
            assert_eq!(found, scanned, "{rule:?} {least:?}");
        }
    }
    for number in 0..3 {
        let message = MessageId::from(format!("om_{number}").as_str());
        let scanned: Vec<_> = desk.cards.values().filter(|card| card.message.as_ref() == Some(&message)).collect();
        assert_eq!(desk.cards_in(&message).collect::<Vec<_>>(), scanned);
    }
}

#[test]
fn nothing_is_left_of_a_ticket_that_is_let_go() {
    let key = TicketKey::new("desk".into(), "1".into());
    let ticket = Arc::new(Ticket::unknown(key.clone()));
    let facts = Facts::new(START, START);
    let tracked = Tracked { ticket, facts, asked_at: START, list_hash: None, gone_at: None };
    let mut desk = desk(Stored { tickets: vec![tracked], ..Stored::default() });
    let alert = AlertKey { subject: Subject::Ticket(key.clone()), rule: "now".into() };
    desk.put_alert(Alert { episode: 4, state: stand(0), ..Alert::pending(alert, START) });
    assert!(desk.tickets.contains_key(&key) && !desk.index.formerly.is_empty());
    desk.purge(&key);
    assert!(desk.index.formerly.is_empty());
    check(&desk);
}

proptest! {
    #[test]
    fn it_finds_what_a_search_through_all_finds(happenings in prop::collection::vec(happening(), 1..40)) {
        let mut desk = desk(Stored::default());
        for happening in happenings {
            apply(&mut desk, happening);
            check(&desk);
        }
    }
}
