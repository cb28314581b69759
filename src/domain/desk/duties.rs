//! Who is on call, as the desk knows it: the rotas, who stands in, what people are called. What follows for an instant
//! is worked out by whoever asked.

use std::{collections::BTreeMap, sync::Arc};

use crate::domain::{
    actor::Actor,
    desk::machine::Desk,
    id::RotaName,
    people::Standing,
    receiver::PersonId,
    rota::{Cover, Rota},
    text::Message,
};

/// What there is to know of who is on call.
#[derive(Clone, Debug, Default)]
pub struct Duties {
    /// The rotas, by name.
    pub rotas: Vec<Arc<Rota>>,
    /// Who stands in now or later; whoever arranged it by name, where it is known.
    pub covers: Vec<Cover>,
    /// What the people of the rotas are called, where that is known.
    pub names: BTreeMap<PersonId, String>,
    /// Those of them who left or whose account is frozen: they are passed over.
    pub gone: BTreeMap<PersonId, Message>,
}

impl Desk {
    /// What there is to know of who is on call.
    pub fn duties(&self) -> Duties {
        let rotas: Vec<Arc<Rota>> = self.settings.rotas.values().map(Arc::clone).collect();
        let named = |cover: &Cover| Cover { by: self.people.named(&cover.by), ..cover.clone() };
        let covers: Vec<Cover> = self.rosters.covers.iter().map(named).collect();
        let members = rotas.iter().flat_map(|rota| rota.people());
        let people: Vec<&PersonId> = members.chain(self.rosters.covers.iter().map(|cover| &cover.person)).collect();
        let name = |person: &&PersonId| {
            let name = self.name_of(person);
            (name != person.as_str()).then(|| ((*person).clone(), name))
        };
        let gone = |person: &&PersonId| {
            let why = self.why_gone(person).filter(|_| self.has_left(person))?;
            Some(((*person).clone(), why.into()))
        };
        let (names, gone) = (people.iter().filter_map(name).collect(), people.iter().filter_map(gone).collect());
        Duties { rotas, covers, names, gone }
    }

    /// Whom a text means who is to stand in on a rota: an email, a mobile number, an open id, or a name.
    ///
    /// # Errors
    /// Nobody is meant, several are, or the rota is unknown.
    pub fn person_meant(&self, rota: &RotaName, text: &str) -> Result<PersonId, Message> {
        let by = Actor::Operator("".into());
        let rota = self.rota_meant(Some(rota), &by).map_err(|acted| acted.words)?;
        self.person_called(&rota, text.trim())
    }

    /// Whether someone who is to stand in can be reached as far as is known: whoever the configuration names or the
    /// directory has seen, unless it said that they left. A slip in an address would leave nobody on call.
    pub(super) fn check_reach(&self, rota: &Rota, person: &PersonId) -> Result<(), Message> {
        let who = self.name_of(person);
        if let Some(why) = self.why_gone(person).filter(|_| self.has_left(person)) {
            return Err(Message::new(
                format!("{who} {}，不能值班，请另选一位", why.zh),
                format!("{who} {} and cannot be on call: choose someone else", why.en),
            ));
        }
        if self.is_named_in_configuration(person) || self.people.has_seen(person) {
            return Ok(());
        }
        let (zh, en) = match self.people.standing(person) {
            Some(Standing::Missing) => (
                format!("飞书里查不到 {who}（或不在应用的通讯录范围内）"),
                format!("{who} is not seen in Feishu (or is outside the app's contact range)"),
            ),
            _ => (format!("还不认识 {who}"), format!("nobody is known as {who}")),
        };
        let name = &rota.name;
        Err(Message::new(
            format!(
                "{zh}，怕轮到时没人收到，所以没有改 {name}。请核对写法；或写他在飞书里的名字（要在收提醒的群里）；\
                 或先把他加进 rotas 或 receivers"
            ),
            format!(
                "{en}: {name} was left as it is, or nobody might be reached. Check the spelling; or write their name in \
                 Feishu, if they are in a chat that gets alerts; or add them to `rotas` or `receivers` first"
            ),
        ))
    }

    /// Members of rotas, receivers, managers, leads and backups.
    fn is_named_in_configuration(&self, person: &PersonId) -> bool {
        let is_them = |known: &PersonId| self.people.same(known, person);
        let receiver = crate::domain::receiver::Receiver::name_of_person(person);
        let leads = self.teams().any(|team| team.lead.as_ref() == Some(&receiver) || team.to == receiver);
        let backup = self.settings.rotas.values().any(|rota| rota.backup.as_ref() == Some(&receiver));
        leads || backup || self.settings.people().iter().any(is_them)
    }
}
