//! Sent cards and digests on disk.

use serde::{Deserialize, Serialize};

use super::{
    alert::AlertKeyRecord,
    parts::{Shared, SubjectRecord, at, ms, rule, twin},
};
use crate::domain::{
    desk::state::{CardKey, CardShows, CardState, Digest},
    id::{ReceiverName, SourceName, Subject},
    notice::DigestCause,
    time::Timestamp,
};

twin!(
    DigestCauseRecord =
        DigestCause { Baseline, Downtime, RuleChange, Storm, SilenceOver, QuietOver, Escalations, Repeats, Questions }
);

/// [`CardState`] on disk.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) struct CardRecord<'a> {
    #[serde(borrow)]
    shows: ShowsRecord<'a>,
    receiver: &'a str,
    message: Option<&'a str>,
    shown_rev: u32,
    posted_at: i64,
    /// Since version 4.
    replaces: Option<&'a str>,
}

#[derive(Debug, Serialize, Deserialize)]
enum ShowsRecord<'a> {
    Alert(#[serde(borrow)] AlertKeyRecord<'a>, u32),
    Digest(&'a str, u32),
    DigestOf(SubjectRecord<'a>, u32),
}

/// [`Digest`] on disk.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) struct DigestRecord<'a> {
    source: &'a str,
    number: u32,
    cause: DigestCauseRecord,
    #[serde(borrow)]
    receivers: Vec<&'a str>,
    rev: u32,
    since_2: DigestSince2<'a>,
    /// Since version 3: for whom receivers stand in, as `(refused, stands in)`.
    #[serde(borrow)]
    hops: Vec<(&'a str, &'a str)>,
    /// Since version 4.
    joined_rev: u32,
}

/// What digests have since version 2; `source` is empty where they are a receiver's.
#[derive(Debug, Serialize, Deserialize)]
struct DigestSince2<'a> {
    receiver: Option<&'a str>,
    rule: Option<&'a str>,
    critical: bool,
    began_at: i64,
    joined_at: i64,
    closed_at: Option<i64>,
}

impl<'a> CardRecord<'a> {
    pub(in crate::adapters::store) fn of(card: &'a CardState) -> Self {
        Self {
            shows: match &card.key.shows {
                CardShows::Alert(key, episode) => ShowsRecord::Alert(AlertKeyRecord::of(key), *episode),
                CardShows::Digest(of, number) => ShowsRecord::DigestOf(SubjectRecord::of(of), *number),
            },
            receiver: card.key.receiver.as_str(),
            message: card.message.as_ref().map(|message| message.as_str()),
            shown_rev: card.shown_rev,
            posted_at: card.posted_at.as_ms(),
            replaces: card.replaces.as_ref().map(|message| message.as_str()),
        }
    }

    pub(in crate::adapters::store) fn card(self, shared: &mut Shared) -> CardState {
        let shows = match self.shows {
            ShowsRecord::Alert(key, episode) => CardShows::Alert(key.key(shared), episode),
            ShowsRecord::Digest(source, number) => {
                CardShows::Digest(Subject::Source(SourceName::new(shared.text(source))), number)
            }
            ShowsRecord::DigestOf(of, number) => CardShows::Digest(of.subject(shared), number),
        };
        CardState {
            key: CardKey { shows, receiver: ReceiverName::new(shared.text(self.receiver)) },
            message: self.message.map(Into::into),
            shown_rev: self.shown_rev,
            posted_at: Timestamp::from_ms(self.posted_at),
            replaces: self.replaces.map(Into::into),
        }
    }
}

impl<'a> DigestRecord<'a> {
    pub(in crate::adapters::store) fn of(digest: &'a Digest) -> Self {
        Self {
            source: digest.of.source().map_or("", |source| source.as_str()),
            number: digest.number,
            cause: digest.cause.into(),
            receivers: digest.receivers.iter().map(|receiver| receiver.as_str()).collect(),
            rev: digest.rev,
            since_2: DigestSince2 {
                receiver: match &digest.of {
                    Subject::Receiver(name) => Some(name.as_str()),
                    _ => None,
                },
                rule: digest.rule.as_ref().map(|rule| rule.as_str()),
                critical: digest.critical,
                began_at: digest.began_at.as_ms(),
                joined_at: digest.joined_at.as_ms(),
                closed_at: ms(digest.closed_at),
            },
            hops: digest.hops.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect(),
            joined_rev: digest.joined_rev,
        }
    }

    pub(in crate::adapters::store) fn digest(self, shared: &mut Shared) -> Digest {
        let more = self.since_2;
        let began_at = Timestamp::from_ms(more.began_at);
        let of = match more.receiver {
            Some(name) => Subject::Receiver(ReceiverName::new(shared.text(name))),
            None => Subject::Source(SourceName::new(shared.text(self.source))),
        };
        let receiver = |name: &str, shared: &mut Shared| ReceiverName::new(shared.text(name));
        let hops = self.hops.into_iter().map(|(from, to)| (receiver(from, shared), receiver(to, shared))).collect();
        Digest {
            of,
            hops,
            rule: more.rule.map(|name| rule(name, shared)),
            critical: more.critical,
            began_at,
            joined_at: Timestamp::from_ms(more.joined_at),
            // Nothing joins a digest of version 1 any more, which did not say when it began.
            closed_at: at(more.closed_at).or_else(|| (began_at == Timestamp::from_ms(0)).then_some(began_at)),
            number: self.number,
            cause: self.cause.into(),
            receivers: self.receivers.into_iter().map(|name| ReceiverName::new(shared.text(name))).collect(),
            rev: self.rev,
            joined_rev: self.joined_rev,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::adapters::store::{key::Kind, value};

    fn read(bytes: Vec<u8>) -> Digest {
        let bytes = value::grown(Kind::Digest, Cow::Owned(bytes));
        let record: DigestRecord<'_> = value::decode(Kind::Digest, &bytes).unwrap();
        record.digest(&mut Shared::default())
    }

    #[test]
    fn digests_of_before_are_closed_or_go_on_as_they_were() {
        let cause = DigestCauseRecord::Downtime;
        let old = ("it-desk", 7_u32, cause, vec!["support"], 3_u32);
        let of = Subject::Source("it-desk".into());
        let was = Digest {
            of,
            number: 7,
            cause: DigestCause::Downtime,
            rule: None,
            critical: false,
            began_at: Timestamp::from_ms(0),
            joined_at: Timestamp::from_ms(0),
            closed_at: Some(Timestamp::from_ms(0)),
            receivers: vec!["support".into()],
            hops: Vec::new(),
            rev: 3,
            joined_rev: 0,
        };
        assert_eq!(read(postcard::to_extend(&old, vec![1]).unwrap()), was, "nothing joins it any more");
        let since_2 = DigestSince2 {
            receiver: Some("support"),
            rule: Some("bad"),
            critical: true,
            began_at: 5,
            joined_at: 6,
            closed_at: None,
        };
        let open = ("", 9_u32, DigestCauseRecord::Storm, vec!["support"], 3_u32, since_2);
        let found = read(postcard::to_extend(&open, vec![2]).unwrap());
        assert_eq!((found.of, found.closed_at), (Subject::Receiver("support".into()), None), "it goes on");
        assert_eq!((found.joined_at, found.hops), (Timestamp::from_ms(6), Vec::new()));
    }
}
