//! Calls to people, on disk.

use serde::{Deserialize, Serialize};

use super::parts::{Shared, SubjectRecord, rule, twin};
use crate::domain::{
    call::{Call, CallKey, Fate, How},
    receiver::PersonId,
    time::Timestamp,
};

twin!(HowRecord = How { Mention, App, Sms, Phone });
twin!(FateRecord = Fate { Begun, Made, InDoubt, Failed });

/// [`Call`] on disk.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) struct CallRecord<'a> {
    person: &'a str,
    how: HowRecord,
    notice: &'a str,
    at: i64,
    #[serde(borrow)]
    subject: SubjectRecord<'a>,
    rule: &'a str,
    episode: u32,
    fate: FateRecord,
}

impl<'a> CallRecord<'a> {
    pub(in crate::adapters::store) fn of(call: &'a Call) -> Self {
        Self {
            person: call.key.person.as_str(),
            how: call.key.how.into(),
            notice: &call.key.notice,
            at: call.at.as_ms(),
            subject: SubjectRecord::of(&call.subject),
            rule: call.rule.as_str(),
            episode: call.episode,
            fate: call.fate.into(),
        }
    }

    pub(in crate::adapters::store) fn call(self, shared: &mut Shared) -> Call {
        Call {
            key: CallKey { person: PersonId::read(self.person), how: self.how.into(), notice: self.notice.into() },
            at: Timestamp::from_ms(self.at),
            subject: self.subject.subject(shared),
            rule: rule(self.rule, shared),
            episode: self.episode,
            fate: self.fate.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::select};

    use super::*;
    use crate::{
        adapters::store::{key::Kind, value},
        domain::id::{ReceiverName, Subject},
    };

    proptest! {
        #[test]
        fn a_call_comes_back(
            (person, notice, rule) in ("[a-z0-9_@+.]{0,20}", "[0-9a-f]{32}", ".{0,9}"),
            how in select(vec![How::Mention, How::App, How::Sms, How::Phone]),
            fate in select(vec![Fate::Begun, Fate::Made, Fate::InDoubt, Fate::Failed]),
            (at, episode) in (-1_000_000_i64..4_000_000_000_000, any::<u32>()),
        ) {
            let call = Call {
                key: CallKey { person: PersonId::read(&person), how, notice: notice.as_str().into() },
                at: Timestamp::from_ms(at),
                subject: Subject::Receiver(ReceiverName::from(rule.as_str())),
                rule: rule.as_str().into(),
                episode,
                fate,
            };
            let bytes = value::encode(Kind::Call, &CallRecord::of(&call));
            let back: CallRecord<'_> = value::decode(Kind::Call, &bytes).unwrap();
            prop_assert_eq!(back.call(&mut Shared::default()), call);
        }
    }
}
