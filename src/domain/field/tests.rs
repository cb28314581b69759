//! Every word means one thing, and nothing known reads as unknown.

use std::collections::BTreeSet;

use super::*;
use crate::domain::{
    facts::Facts,
    id::{SourceName, TicketId, TicketKey},
    labels::Labels,
    ticket::Ticket,
};

#[test]
fn every_word_means_one_thing() {
    let mut words = BTreeSet::new();
    for field in Field::all() {
        let own: BTreeSet<&str> =
            [field.name, field.zh, field.vendor].into_iter().chain(field.also.iter().copied()).collect();
        for word in own {
            assert!(words.insert(word), "{word} names two fields");
            assert_eq!(Field::find(word).map(|found| found.name), Some(field.name));
        }
        let mut values = BTreeSet::new();
        for code in field.codes() {
            for word in [code.name, code.zh].iter().chain(code.also) {
                values.insert(*word);
                assert_eq!(field.numbers(word), Some(vec![code.code]), "{word}");
            }
        }
        for group in field.groups() {
            assert!(values.insert(group.name) && values.insert(group.zh), "{} names two things", group.name);
        }
    }
}

#[test]
fn numbers_are_found_by_name_twin_group_and_number() {
    let status = Field::find("状态").unwrap();
    for (word, numbers) in [
        ("waiting_for_user", Some(vec![5])),
        ("待用户响应", Some(vec![5])),
        ("open", Some(vec![1, 2, 3, 4, 5])),
        ("已关闭", Some(vec![50, 51, 52])),
        ("77", Some(vec![77])),
        ("不满意", None),
    ] {
        assert_eq!(status.numbers(word), numbers, "{word}");
    }
}

#[test]
fn a_ticket_of_which_nothing_is_known_reads_as_unknown() {
    let ticket = Ticket::unknown(TicketKey::new(SourceName::new("desk"), TicketId::new("1")));
    let facts = Facts::new(Timestamp::from_ms(0), Timestamp::from_ms(0));
    let seen = Seen::at_rest(&ticket, &facts, Labels::none());
    for field in FIELDS {
        let expected = if field.name == "ticket_id" { Value::Text("1") } else { Value::Unknown };
        assert_eq!((field.read)(&seen), expected, "{}", field.name);
    }
}
