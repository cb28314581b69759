//! People as the platform's directory knows them: open ids behind emails and numbers, names, and who is gone.

use std::collections::BTreeMap;

use crate::domain::{actor::Actor, id::OpenId, receiver::PersonId, text::fold, ticket::Text};

/// People remembered, at most; the first in the order of their ids makes room.
pub const PEOPLE_MAX: usize = 20_000;

/// What the directory said of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownPerson {
    /// How they are addressed in the configuration, or by their open id.
    pub person: PersonId,
    /// Their open id; absent where the app sees nobody under that address.
    pub open_id: Option<OpenId>,
    /// Their name, where it was said.
    pub name: Option<Text>,
    /// Whether they can be reached.
    pub standing: Standing,
}

/// Whether a person can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// They can.
    Active,
    /// They left the company.
    Resigned,
    /// Their account is frozen.
    Frozen,
    /// The app sees nobody under that address (`facts/feishu.md §9`: outside its contact range counts as not found).
    Missing,
}

/// Everyone heard of.
#[derive(Clone, Debug, Default)]
pub struct People {
    addresses: BTreeMap<PersonId, (Option<OpenId>, Standing)>,
    names: BTreeMap<OpenId, Text>,
}

impl People {
    /// Takes in what the directory said; gives back whose name is new.
    pub fn learn(&mut self, known: Vec<KnownPerson>) -> Vec<OpenId> {
        let mut named = Vec::new();
        for KnownPerson { person, open_id, name, standing } in known {
            if let (Some(id), Some(name)) = (&open_id, name.filter(|name| !name.is_empty()))
                && self.names.insert(id.clone(), name.clone()).as_ref() != Some(&name)
            {
                named.push(id.clone());
            }
            if !matches!(person, PersonId::Open(_)) || standing != Standing::Active {
                self.addresses.insert(person, (open_id, standing));
            }
        }
        while self.names.len() > PEOPLE_MAX {
            self.names.pop_first();
        }
        while self.addresses.len() > PEOPLE_MAX {
            self.addresses.pop_first();
        }
        named
    }

    /// Their open id, where it is known.
    pub fn open_id(&self, person: &PersonId) -> Option<OpenId> {
        match person {
            PersonId::Open(id) => Some(id.clone()),
            PersonId::Email(_) | PersonId::Mobile(_) => self.addresses.get(person)?.0.clone(),
        }
    }

    /// What the directory last said of their reach; nothing where it was not asked.
    pub fn standing(&self, person: &PersonId) -> Option<Standing> {
        self.addresses.get(person).map(|(_, standing)| *standing)
    }

    /// Whether the directory has shown them: an address that leads to someone, or an open id of a chat's member.
    pub fn has_seen(&self, person: &PersonId) -> bool {
        match person {
            PersonId::Open(id) => {
                let leads_there = || self.addresses.values().any(|(known, _)| known.as_ref() == Some(id));
                self.names.contains_key(id) || leads_there()
            }
            PersonId::Email(_) | PersonId::Mobile(_) => self.open_id(person).is_some(),
        }
    }

    /// What is worth keeping of someone who can be reached and whose name is known; nothing of others.
    pub fn to_keep(&self, person: &PersonId) -> Option<KnownPerson> {
        if self.standing(person).is_some_and(|standing| standing != Standing::Active) {
            return None;
        }
        let open_id = self.open_id(person)?;
        let name = self.names.get(&open_id)?.clone();
        Some(KnownPerson {
            person: person.clone(),
            open_id: Some(open_id),
            name: Some(name),
            standing: Standing::Active,
        })
    }

    /// The name behind an open id.
    pub fn name_of(&self, id: &OpenId) -> Option<&Text> {
        self.names.get(id)
    }

    /// Everyone of this name.
    pub fn called(&self, name: &str) -> Vec<OpenId> {
        let folded = fold(name);
        self.names.iter().filter(|(_, known)| fold(known) == folded).map(|(id, _)| id.clone()).collect()
    }

    /// What they are called: by name where it is known, else as they are addressed.
    pub fn words(&self, person: &PersonId) -> String {
        let name = self.open_id(person).and_then(|id| self.names.get(&id).cloned());
        name.map_or_else(|| person.as_str().to_owned(), |name| name.to_string())
    }

    /// Whether both are one person, as far as is known.
    pub fn same(&self, one: &PersonId, other: &PersonId) -> bool {
        one == other || self.open_id(one).is_some_and(|id| self.open_id(other).as_ref() == Some(&id))
    }

    /// The actor with their name, where it is known by now.
    pub fn named(&self, actor: &Actor) -> Actor {
        match actor {
            Actor::Person { id, name: None } => Actor::Person { id: id.clone(), name: self.names.get(id).cloned() },
            Actor::Person { .. } | Actor::Agent(_) | Actor::Operator(_) | Actor::Deskbell => actor.clone(),
        }
    }

    /// Whether an actor is one of these people. Whoever holds the API's token is.
    pub fn is_among(&self, actor: &Actor, people: &[PersonId]) -> bool {
        match actor {
            Actor::Person { id, .. } => people.iter().any(|person| self.open_id(person).as_ref() == Some(id)),
            Actor::Operator(_) | Actor::Deskbell => true,
            Actor::Agent(_) => false,
        }
    }
}

/// Whether two open ids are one: what was typed is in small letters.
pub fn same_id(one: &OpenId, other: &OpenId) -> bool {
    one.as_str().eq_ignore_ascii_case(other.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(text: &str) -> PersonId {
        PersonId::Email(text.into())
    }

    #[test]
    fn one_person_is_known_by_all_their_addresses() {
        let mut people = People::default();
        let known = |person, id: Option<&str>, name: Option<&str>, standing| KnownPerson {
            person,
            open_id: id.map(OpenId::from),
            name: name.map(Text::from),
            standing,
        };
        let li = PersonId::Open("ou_li".into());
        assert_eq!(people.words(&email("li@a.cn")), "li@a.cn");
        assert!(!people.same(&email("li@a.cn"), &li));
        let named = people.learn(vec![
            known(email("li@a.cn"), Some("ou_li"), None, Standing::Active),
            known(li.clone(), Some("ou_li"), Some("李雷"), Standing::Active),
            known(email("gone@a.cn"), None, None, Standing::Missing),
        ]);
        assert_eq!(named, [OpenId::from("ou_li")]);
        assert_eq!(people.learn(vec![known(li.clone(), Some("ou_li"), Some("李雷"), Standing::Active)]), []);
        assert_eq!(people.words(&email("li@a.cn")), "李雷");
        assert!(people.same(&email("li@a.cn"), &li));
        assert!(!people.same(&email("gone@a.cn"), &li));
        assert_eq!(people.standing(&email("gone@a.cn")), Some(Standing::Missing));
        for (person, seen) in [
            (email("li@a.cn"), true),
            (li.clone(), true),
            (email("gone@a.cn"), false),
            (email("never-asked@a.cn"), false),
            (PersonId::Open("ou_eve".into()), false),
        ] {
            assert_eq!(people.has_seen(&person), seen, "{person:?}");
        }
        let actor = Actor::person("ou_li".into());
        assert_eq!(people.named(&actor).words().zh, "李雷");
        let cases = [
            (actor.clone(), vec![email("li@a.cn")], true),
            (actor.clone(), vec![li], true),
            (actor, vec![email("gone@a.cn")], false),
            (Actor::person("ou_eve".into()), vec![email("li@a.cn")], false),
            (Actor::Operator("cli".into()), Vec::new(), true),
            (Actor::Agent("李雷".into()), vec![email("li@a.cn")], false),
        ];
        for (who, people_list, expected) in cases {
            assert_eq!(people.is_among(&who, &people_list), expected, "{who:?} among {people_list:?}");
        }
    }

    #[test]
    fn no_more_than_so_many_are_remembered() {
        let mut people = People::default();
        let one = |number: usize| KnownPerson {
            person: PersonId::Open(OpenId::new(format!("ou_{number:06}"))),
            open_id: Some(OpenId::new(format!("ou_{number:06}"))),
            name: Some("x".into()),
            standing: Standing::Active,
        };
        people.learn((0..PEOPLE_MAX + 10).map(one).collect());
        assert_eq!(people.names.len(), PEOPLE_MAX);
    }
}
