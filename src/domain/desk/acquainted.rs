//! What the colleagues are called whom the configuration names or who stand in on a rota: kept over a restart, so that
//! cards say their names before the directory was asked again. Nobody else is kept, no guest among them.

use std::collections::BTreeMap;

use crate::domain::{
    desk::{machine::Desk, outcome::Write},
    id::ReceiverName,
    people::KnownPerson,
    receiver::{PersonId, ReceiverKind},
};

/// People the store keeps, at most; the first in the order of their addresses.
const PEOPLE_KEPT_MAX: usize = 4_096;

impl Desk {
    /// Takes up what the directory said before the restart. It is believed until it says something else.
    pub(super) fn take_up_people(&mut self, stored: Vec<KnownPerson>) {
        self.people_kept = stored.iter().map(|known| (known.person.clone(), known.clone())).collect();
        self.people.learn(stored);
    }

    /// Keeps what is known of the colleagues by now, and forgets whom nobody names any more.
    pub(super) fn keep_people(&mut self) {
        let known = self.colleagues().into_iter().filter_map(|person| self.people.to_keep(&person));
        let known: BTreeMap<PersonId, KnownPerson> =
            known.take(PEOPLE_KEPT_MAX).map(|known| (known.person.clone(), known)).collect();
        let before = std::mem::replace(&mut self.people_kept, known.clone());
        for person in before.keys().filter(|person| !known.contains_key(person)) {
            self.write(Write::DropPerson(person.clone()));
        }
        for (person, known) in known {
            if before.get(&person) != Some(&known) {
                self.write(Write::Person(Box::new(known)));
            }
        }
    }

    /// Receivers, managers, members of rotas, leads, backups, and who stands in; each once, in order.
    fn colleagues(&self) -> Vec<PersonId> {
        let person = |name: &ReceiverName| match &self.settings.receiver(name)?.kind {
            ReceiverKind::Person(person) => Some(person.clone()),
            _ => None,
        };
        let leads = self.teams().filter_map(|team| person(team.lead.as_ref()?));
        let teams = self.teams().filter_map(|team| person(&team.to));
        let backups = self.settings.rotas.values().filter_map(|rota| person(rota.backup.as_ref()?));
        let covers = self.rosters.covers.iter().map(|cover| cover.person.clone());
        let mut all = self.settings.people();
        all.extend(leads.chain(teams).chain(backups).chain(covers));
        all.sort_unstable();
        all.dedup();
        all
    }
}
