//! Sent cards and digests on disk.

use serde::{Deserialize, Serialize};

use super::{
    alert::AlertKeyRecord,
    parts::{Shared, twin},
};
use crate::domain::{
    desk::state::{CardKey, CardShows, CardState, Digest},
    id::{ReceiverName, SourceName},
    notice::DigestCause,
    time::Timestamp,
};

twin!(DigestCauseRecord = DigestCause { Baseline, Downtime, RuleChange });

/// [`CardState`] on disk.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) struct CardRecord<'a> {
    #[serde(borrow)]
    shows: ShowsRecord<'a>,
    receiver: &'a str,
    message: Option<&'a str>,
    shown_rev: u32,
    posted_at: i64,
}

#[derive(Debug, Serialize, Deserialize)]
enum ShowsRecord<'a> {
    Alert(#[serde(borrow)] AlertKeyRecord<'a>, u32),
    Digest(&'a str, u32),
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
}

impl<'a> CardRecord<'a> {
    pub(in crate::adapters::store) fn of(card: &'a CardState) -> Self {
        Self {
            shows: match &card.key.shows {
                CardShows::Alert(key, episode) => ShowsRecord::Alert(AlertKeyRecord::of(key), *episode),
                CardShows::Digest(source, number) => ShowsRecord::Digest(source.as_str(), *number),
            },
            receiver: card.key.receiver.as_str(),
            message: card.message.as_ref().map(|message| message.as_str()),
            shown_rev: card.shown_rev,
            posted_at: card.posted_at.as_ms(),
        }
    }

    pub(in crate::adapters::store) fn card(self, shared: &mut Shared) -> CardState {
        let shows = match self.shows {
            ShowsRecord::Alert(key, episode) => CardShows::Alert(key.key(shared), episode),
            ShowsRecord::Digest(source, number) => CardShows::Digest(SourceName::new(shared.text(source)), number),
        };
        CardState {
            key: CardKey { shows, receiver: ReceiverName::new(shared.text(self.receiver)) },
            message: self.message.map(Into::into),
            shown_rev: self.shown_rev,
            posted_at: Timestamp::from_ms(self.posted_at),
        }
    }
}

impl<'a> DigestRecord<'a> {
    pub(in crate::adapters::store) fn of(digest: &'a Digest) -> Self {
        Self {
            source: digest.source.as_str(),
            number: digest.number,
            cause: digest.cause.into(),
            receivers: digest.receivers.iter().map(|receiver| receiver.as_str()).collect(),
            rev: digest.rev,
        }
    }

    pub(in crate::adapters::store) fn digest(self, shared: &mut Shared) -> Digest {
        Digest {
            source: SourceName::new(shared.text(self.source)),
            number: self.number,
            cause: self.cause.into(),
            receivers: self.receivers.into_iter().map(|name| ReceiverName::new(shared.text(name))).collect(),
            rev: self.rev,
        }
    }
}
