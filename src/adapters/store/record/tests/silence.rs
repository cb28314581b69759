//! Silences come back; of a condition, what was written.

use proptest::{option, prelude::*, sample::select};

use super::{actor, at, text, ticket_key};
use crate::{
    adapters::store::{
        key::Kind,
        record::{parts::Shared, silence::SilenceRecord},
        value,
    },
    domain::{
        id::SilenceId,
        rule::Severity,
        silence::{Matcher, Silence, Written},
    },
};

fn silence() -> BoxedStrategy<Silence> {
    let names = (option::of(text()), option::of(text()), option::of(text()), option::of(text()));
    let severity = option::of(select(vec![Severity::Info, Severity::Warning, Severity::Critical]));
    let who = (actor(), option::of(actor()), text(), text());
    (any::<u32>(), option::of(ticket_key()), names, severity, who, (at(), at()))
        .prop_map(|(id, ticket, (rule, source, team, when), severity, (by, ended_by, asked, reason), (from, until))| {
            let matches = Matcher {
                ticket,
                rule: rule.map(|name| name.as_str().into()),
                severity,
                source: source.map(|name| name.as_str().into()),
                team: team.map(|name| name.as_str().into()),
                when: when.map(|text| Written { text: text.into(), condition: None }),
            };
            let asked = asked.as_str().into();
            Silence { id: SilenceId(id), asked, matches, by, reason: reason.into(), from, until, ended_by }
        })
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_silence_comes_back(silence in silence()) {
        let bytes = value::encode(Kind::Silence, &SilenceRecord::of(&silence));
        let record: SilenceRecord<'_> = value::decode(Kind::Silence, &bytes).unwrap();
        prop_assert_eq!(format!("{:?}", record.silence(&mut Shared::default())), format!("{silence:?}"));
    }
}
