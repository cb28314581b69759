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
