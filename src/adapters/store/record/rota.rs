//! Who stands in on rotas, and who was last told to be on call, on disk.

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use super::parts::{ActorRecord, Shared};
use crate::domain::{desk::state::Roster, id::RotaName, receiver::PersonId, rota::Cover, time::Timestamp};

/// [`Cover`] on disk.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) struct CoverRecord<'a> {
    rota: &'a str,
    shift: &'a str,
    person: &'a str,
    from: i64,
    until: i64,
    #[serde(borrow)]
    by: ActorRecord<'a>,
    at: i64,
}

impl<'a> CoverRecord<'a> {
    pub(in crate::adapters::store) fn of(cover: &'a Cover) -> Self {
        Self {
            rota: cover.rota.as_str(),
            shift: &cover.shift,
            person: cover.person.as_str(),
            from: cover.from.as_ms(),
            until: cover.until.as_ms(),
            by: ActorRecord::of(&cover.by),
            at: cover.at.as_ms(),
        }
    }

    pub(in crate::adapters::store) fn cover(self, shared: &mut Shared) -> Cover {
        Cover {
            rota: RotaName::new(shared.text(self.rota)),
            shift: shared.text(self.shift),
            person: PersonId::read(self.person),
            from: Timestamp::from_ms(self.from),
            until: Timestamp::from_ms(self.until),
            by: self.by.actor(shared),
            at: Timestamp::from_ms(self.at),
        }
    }
}

/// [`Roster`] on disk.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) struct RosterRecord<'a> {
    rota: &'a str,
    #[serde(borrow)]
    told: Vec<(&'a str, &'a str)>,
    at: i64,
    /// Days since the first of January of the year 1.
    confirmed: Option<i32>,
}

impl<'a> RosterRecord<'a> {
    pub(in crate::adapters::store) fn of(roster: &'a Roster) -> Self {
        Self {
            rota: roster.rota.as_str(),
            told: roster.told.iter().map(|(shift, person)| (&**shift, person.as_str())).collect(),
            at: roster.at.as_ms(),
            confirmed: roster.confirmed.map(|date| date.num_days_from_ce()),
        }
    }

    pub(in crate::adapters::store) fn roster(self, shared: &mut Shared) -> Roster {
        let told = self.told.into_iter().map(|(shift, person)| (shared.text(shift), PersonId::read(person)));
        Roster {
            told: told.collect(),
            rota: RotaName::new(self.rota),
            at: Timestamp::from_ms(self.at),
            confirmed: self.confirmed.and_then(NaiveDate::from_num_days_from_ce_opt),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, option, prelude::*};

    use super::*;
    use crate::{
        adapters::store::{key::Kind, value},
        domain::actor::Actor,
    };

    fn person() -> BoxedStrategy<PersonId> {
        let email = "[a-z]{1,9}@example[.]com".prop_map(|email| PersonId::Email(email.as_str().into()));
        let mobile = "[0-9]{7,15}".prop_map(|digits| PersonId::Mobile(digits.as_str().into()));
        prop_oneof![email, mobile, "ou_[0-9a-f]{4}".prop_map(|id| PersonId::Open(id.as_str().into()))].boxed()
    }

    proptest! {
        #[test]
        fn covers_and_rosters_come_back(
            (rota, shift, person) in (".*", ".*", person()),
            (from, until, at, by) in (any::<i64>(), any::<i64>(), any::<i64>(), ".*"),
            told in vec((".*", person()), 0..4),
            confirmed in option::of(1_i32..1_000_000),
        ) {
            let ms = Timestamp::from_ms;
            let cover = Cover {
                rota: rota.as_str().into(),
                shift: shift.as_str().into(),
                person,
                from: ms(from),
                until: ms(until),
                by: Actor::Operator(by.as_str().into()),
                at: ms(at),
            };
            let bytes = value::encode(Kind::Cover, &CoverRecord::of(&cover));
            let record: CoverRecord<'_> = value::decode(Kind::Cover, &bytes).unwrap();
            prop_assert_eq!(record.cover(&mut Shared::default()), cover);
            let roster = Roster {
                rota: rota.as_str().into(),
                told: told.into_iter().map(|(shift, person)| (shift.as_str().into(), person)).collect(),
                at: ms(at),
                confirmed: confirmed.and_then(NaiveDate::from_num_days_from_ce_opt),
            };
            let bytes = value::encode(Kind::Roster, &RosterRecord::of(&roster));
            let record: RosterRecord<'_> = value::decode(Kind::Roster, &bytes).unwrap();
            prop_assert_eq!(record.roster(&mut Shared::default()), roster);
        }
    }
}
