//! Who stands behind an address of the configuration, on disk.

use serde::{Deserialize, Serialize};

use crate::domain::{
    id::OpenId,
    people::{KnownPerson, Standing},
    receiver::PersonId,
};

/// [`KnownPerson`] on disk, of one who can be reached.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) struct PersonRecord<'a> {
    person: &'a str,
    open_id: Option<&'a str>,
    name: Option<&'a str>,
}

impl<'a> PersonRecord<'a> {
    pub(in crate::adapters::store) fn of(known: &'a KnownPerson) -> Self {
        Self {
            person: known.person.as_str(),
            open_id: known.open_id.as_ref().map(OpenId::as_str),
            name: known.name.as_deref(),
        }
    }

    pub(in crate::adapters::store) fn person(self) -> KnownPerson {
        KnownPerson {
            person: PersonId::read(self.person),
            open_id: self.open_id.map(OpenId::new),
            name: self.name.map(Into::into),
            standing: Standing::Active,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::store::{key::Kind, value};

    #[test]
    fn people_come_back() {
        for (person, open_id, name) in [
            (PersonId::Email("li@example.com".into()), Some("ou_li"), Some("李雷")),
            (PersonId::Mobile("+8613800000000".into()), Some("ou_han"), Some("Han \u{1f600}")),
            (PersonId::Open("ou_wang".into()), Some("ou_wang"), None),
            (PersonId::Email("zhao@example.com".into()), None, None),
        ] {
            let (open_id, name) = (open_id.map(OpenId::new), name.map(Into::into));
            let known = KnownPerson { person, open_id, name, standing: Standing::Active };
            let bytes = value::encode(Kind::Person, &PersonRecord::of(&known));
            let record: PersonRecord<'_> = value::decode(Kind::Person, &bytes).unwrap();
            assert_eq!(record.person(), known);
        }
    }
}
