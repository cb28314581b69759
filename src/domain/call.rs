//! Calls: a person mentioned on a card, or called up about it; how often that may be, and what became of it.

use std::sync::Arc;

use crate::domain::{
    id::{RuleName, Subject},
    notice::NoticeKey,
    people::People,
    receiver::PersonId,
    rule::Urgent,
    text::{Message, Words},
    time::{Span, Timestamp},
};

/// A person is mentioned once within this time.
pub const MENTION_EVERY: Span = Span::from_mins(10);

/// A person is phoned (by phone or SMS) once within this time ...
pub const PHONE_EVERY: Span = Span::from_mins(15);

/// ... and this often ...
pub const PHONES_MAX: usize = 6;

/// ... within this time.
pub const PHONES_WITHIN: Span = Span::from_hours(1);

/// Calls are remembered this long: as the longest limit looks back.
pub const CALLS_KEPT: Span = PHONES_WITHIN;

/// How a person is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum How {
    /// By a mention on a card.
    Mention,
    /// By an urgent message in the app.
    App,
    /// By an SMS.
    Sms,
    /// By phone.
    Phone,
}

impl How {
    /// Whether it rings or writes to a telephone.
    pub const fn is_phone(self) -> bool {
        matches!(self, Self::Sms | Self::Phone)
    }

    /// The words for it.
    pub const fn words(self) -> Words {
        match self {
            Self::Mention => Words { zh: "@", en: "mention" },
            Self::App => Words { zh: "应用内加急", en: "urgent message in the app" },
            Self::Sms => Words { zh: "短信加急", en: "SMS" },
            Self::Phone => Words { zh: "电话加急", en: "phone call" },
        }
    }
}

impl From<Urgent> for How {
    fn from(urgent: Urgent) -> Self {
        match urgent {
            Urgent::App => Self::App,
            Urgent::Sms => Self::Sms,
            Urgent::Phone => Self::Phone,
        }
    }
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// It was begun.
    Begun,
    /// It went through to the platform.
    Made,
    /// Nobody knows whether it did.
    InDoubt,
    /// It did not.
    Failed,
}

/// Which call: one person, one way, one notice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallKey {
    /// Who.
    pub person: PersonId,
    /// How.
    pub how: How,
    /// The `uuid` of the notice that calls.
    pub notice: Arc<str>,
}

/// A call. Kept before it is made, so that no restart makes it twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Which.
    pub key: CallKey,
    /// When.
    pub at: Timestamp,
    /// What it is about.
    pub subject: Subject,
    /// The rule that calls.
    pub rule: RuleName,
    /// The alert's episode, or the digest's number.
    pub episode: u32,
    /// What became of it.
    pub fate: Fate,
}

impl Call {
    /// A call that is about to be made for a notice.
    pub fn of(notice: &NoticeKey, person: PersonId, how: How, now: Timestamp) -> Self {
        Self {
            key: CallKey { person, how, notice: notice.uuid().into() },
            at: now,
            subject: notice.subject.clone(),
            rule: notice.rule.clone(),
            episode: notice.episode,
            fate: Fate::Begun,
        }
    }

    /// Whether it is about this alert's episode.
    pub fn is_about(&self, notice: &NoticeKey) -> bool {
        self.subject == notice.subject && self.rule == notice.rule && self.episode == notice.episode
    }
}

/// Whether a notice may mention a person now: no other one did lately.
pub fn may_mention<'c>(
    calls: impl IntoIterator<Item = &'c Call>,
    people: &People,
    (person, notice): (&PersonId, &NoticeKey),
    now: Timestamp,
) -> bool {
    let uuid = notice.uuid();
    !calls.into_iter().any(|call| {
        call.key.how == How::Mention
            && call.fate != Fate::Failed
            && *call.key.notice != *uuid
            && now.since(call.at) < MENTION_EVERY
            && people.same(&call.key.person, person)
    })
}

/// Whether a notice may phone a person now: others did not too lately or too often.
pub fn may_phone<'c>(
    calls: impl IntoIterator<Item = &'c Call>,
    people: &People,
    (person, notice): (&PersonId, &NoticeKey),
    now: Timestamp,
) -> Result<(), Message> {
    let uuid = notice.uuid();
    let phoned: Vec<Timestamp> = calls
        .into_iter()
        .filter(|call| call.key.how.is_phone() && call.fate != Fate::Failed && *call.key.notice != *uuid)
        .filter(|call| people.same(&call.key.person, person))
        .map(|call| call.at)
        .collect();
    if phoned.iter().any(|at| now.since(*at) < PHONE_EVERY) {
        return Err(Message::new(
            format!("{} 分钟内已打过电话或发过短信", PHONE_EVERY.as_secs() / 60),
            format!("they were phoned within the last {} minutes", PHONE_EVERY.as_secs() / 60),
        ));
    }
    if phoned.iter().filter(|at| now.since(**at) < PHONES_WITHIN).count() >= PHONES_MAX {
        return Err(Message::new(
            format!("一小时内已打过 {PHONES_MAX} 次电话或短信"),
            format!("they were phoned {PHONES_MAX} times within an hour"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{notice::Step, people::KnownPerson, people::Standing};

    const START: Timestamp = Timestamp::from_ms(1_795_000_000_000);

    fn notice(ordinal: u32) -> NoticeKey {
        NoticeKey {
            subject: Subject::Service,
            rule: RuleName::from("vip"),
            episode: 1,
            step: Step::Escalated,
            ordinal,
            receiver: "support".into(),
        }
    }

    fn li() -> PersonId {
        PersonId::Email("li@example.com".into())
    }

    fn at(minutes: i64) -> Timestamp {
        START.plus(Span::from_mins(minutes))
    }

    #[test]
    fn one_mention_in_ten_minutes_whatever_they_are_addressed_by() {
        let mut people = People::default();
        let open = PersonId::Open("ou_li".into());
        people.learn(vec![KnownPerson {
            person: li(),
            open_id: Some("ou_li".into()),
            name: None,
            standing: Standing::Active,
        }]);
        let calls = [Call::of(&notice(1), li(), How::Mention, START)];
        let table = [
            (li(), 1, 0, true), // the same notice, tried again
            (li(), 2, 0, false),
            (open.clone(), 2, 9, false),
            (open, 2, 10, true),
            (PersonId::Email("wang@example.com".into()), 2, 1, true),
        ];
        for (person, ordinal, minutes, expected) in table {
            let may = may_mention(&calls, &people, (&person, &notice(ordinal)), at(minutes));
            assert_eq!(may, expected, "{person:?} by notice {ordinal} after {minutes} min");
        }
        let failed = calls.map(|call| Call { fate: Fate::Failed, ..call });
        assert!(may_mention(&failed, &people, (&li(), &notice(2)), at(1)), "what never arrived mentioned nobody");
    }

    #[test]
    fn the_phone_rings_once_in_fifteen_minutes_and_six_times_an_hour() {
        let people = People::default();
        let mut calls = Vec::new();
        let mut rung = Vec::new();
        for minute in 0..180 {
            let how = if minute % 2 == 0 { How::Phone } else { How::Sms };
            if may_phone(&calls, &people, (&li(), &notice(999)), at(minute)).is_ok() {
                calls.push(Call::of(&notice(u32::try_from(minute).unwrap()), li(), how, at(minute)));
                rung.push(minute);
            }
        }
        assert_eq!(rung, (0..180).step_by(15).collect::<Vec<_>>());
        // Shorter waits than the rule allows do not come about by it; the hour's limit holds on its own.
        let many: Vec<Call> =
            (0..6).map(|number| Call::of(&notice(number), li(), How::Sms, at(i64::from(number) * 5))).collect();
        assert!(may_phone(&many, &people, (&li(), &notice(9)), at(45)).is_err(), "six within the hour");
        assert!(may_phone(&many, &people, (&li(), &notice(9)), at(60)).is_ok());
        let failed: Vec<Call> = many.into_iter().map(|call| Call { fate: Fate::Failed, ..call }).collect();
        assert!(may_phone(&failed, &people, (&li(), &notice(9)), at(26)).is_ok(), "what was refused rang nobody");
    }
}
