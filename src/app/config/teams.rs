//! `teams:` of the configuration: which tickets are whose, and who that is.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    adapters::{
        rulebook::{alone::team_condition, names::Names},
        yaml::{
            map::{Map, did_you_mean, text_of},
            nearest::nearest,
            tree::Node,
        },
    },
    app::config::{receivers::Receivers, rotas::Rotas, sources::Source, words::check_name},
    domain::{
        fault::{Fault, Place},
        id::{ReceiverName, RotaName, SourceName, TeamName},
        labels::{Labels, Oncall, Team},
        receiver::{PersonId, Receiver},
        text::Message,
    },
};

/// Teams a configuration may have.
const TEAMS_MAX: usize = 200;

/// The teams, and every name that is written.
#[derive(Debug, Default)]
pub struct Teams {
    /// Every name that is written, with faults or without: what else names it is right.
    pub written: BTreeSet<String>,
    /// All without faults, first match first.
    pub all: Vec<Team>,
    /// Which of `team`, `team.lead` and `team.oncall` mean someone.
    pub words: BTreeSet<&'static str>,
}

/// Reads `teams:`; there may be none, and then a single receiver is the team of every ticket.
pub fn read(root: &mut Map<'_>, receivers: &Receivers, rotas: &Rotas, names: &Names, faults: &mut Vec<Fault>) -> Teams {
    let mut teams = Teams::default();
    let Some(node) = root.filled("teams") else {
        if receivers.written.len() == 1 {
            teams.words = ["team", "team.lead", "team.oncall"].into();
        }
        return teams;
    };
    let what = Message::new(
        "团队，例如 { payment: { when: { tags: 支付 }, to: support } }",
        "teams, such as { payment: { when: { tags: 支付 }, to: support } }",
    );
    let entries = Map::of(node, &what, faults).map(|mut map| map.rest()).unwrap_or_default();
    if entries.is_empty() || entries.len() > TEAMS_MAX {
        let message = Message::new(
            format!("teams 里要有 1 到 {TEAMS_MAX} 个团队"),
            format!("there must be 1 to {TEAMS_MAX} teams"),
        );
        faults.push(Fault::error(node.place.clone(), message));
    }
    let reader = Reader { receivers, names, rotas };
    let mut for_all: Option<Place> = None;
    let mut whole = true;
    for (key, node) in entries.iter().take(TEAMS_MAX) {
        let named = check_name(key, faults);
        teams.written.insert(key.text.clone());
        if let Some(earlier) = &for_all {
            faults.push(never_reached(key.place.clone(), earlier));
        }
        match reader.team(&key.text, node, &mut teams.words, faults).filter(|_| named) {
            Some(team) => {
                for_all = for_all.or_else(|| team.when.is_none().then(|| key.place.clone()));
                teams.all.push(team);
            }
            None => whole = false,
        }
    }
    if let (true, None, Some((last, _))) = (whole, for_all, entries.last()) {
        let message = Message::new(
            "最后一个团队有 when：不属于任何团队的工单，它的提醒会发给 operations",
            "the last team has a `when`: alerts of tickets that match no team go to `operations`",
        );
        let hint = Message::new(
            "加一个没有 when 的团队，例如 other: { to: support }",
            "add a team without `when`, such as other: { to: support }",
        );
        faults.push(Fault::warning(last.place.clone(), message).with_hint(hint));
    }
    teams
}

/// Puts the teams among what is said of each source's tickets.
pub fn into_sources(teams: Vec<Team>, sources: &mut BTreeMap<SourceName, Option<Source>>) {
    let teams = Arc::new(teams);
    for source in sources.values_mut().flatten() {
        source.labels = Arc::new(Labels { teams: Arc::clone(&teams), ..Labels::clone(&source.labels) });
    }
}

fn never_reached(place: Place, earlier: &Place) -> Fault {
    let message = Message::new(
        format!("这个团队一张工单也分不到：第 {} 行的团队没有 when，已经收下所有工单", earlier.line),
        format!("this team gets no ticket: the team on line {} has no `when` and takes them all", earlier.line),
    );
    let hint = Message::new("把没有 when 的团队放到最后", "put the team without `when` last");
    Fault::error(place, message).with_hint(hint)
}

struct Reader<'a> {
    receivers: &'a Receivers,
    names: &'a Names,
    rotas: &'a Rotas,
}

impl Reader<'_> {
    fn team(
        &self,
        name: &str,
        node: &Node,
        words: &mut BTreeSet<&'static str>,
        faults: &mut Vec<Fault>,
    ) -> Option<Team> {
        words.insert("team");
        let what = Message::new("一个团队，例如 { to: support }", "a team such as { to: support }");
        let mut map = Map::of(node, &what, faults)?;
        let when = map.filled("when").map(|node| team_condition(node, self.names, faults));
        let to = map.required("to", faults).and_then(|node| self.receiver(node, faults));
        let mut other = |key: &str, word: &'static str| {
            let node = map.filled(key)?;
            words.insert(word);
            Some(node)
        };
        let (lead, oncall) = (other("lead", "team.lead"), other("oncall", "team.oncall"));
        let lead = lead.map(|node| self.receiver(node, faults));
        let oncall = oncall.map(|node| self.oncall(node, faults));
        map.finish(&[], faults);
        let (when, lead, oncall) = (when.map_or(Some(None), |when| when.map(Some))?, whole(lead)?, whole(oncall)?);
        Some(Team { name: TeamName::from(name), when, to: to?, lead, oncall })
    }

    /// A rota, or what [`Reader::receiver`] takes.
    fn oncall(&self, node: &Node, faults: &mut Vec<Fault>) -> Option<Oncall> {
        let rota = node.text().filter(|name| self.rotas.written.contains(*name));
        match rota {
            Some(name) => Some(Oncall::Rota(RotaName::from(name))),
            None => {
                let rotas = self.rotas.written.iter().map(RotaName::as_str).collect();
                self.destination(node, rotas, faults).map(Oncall::Receiver)
            }
        }
    }

    /// A receiver of the configuration, or a person by email or id.
    fn receiver(&self, node: &Node, faults: &mut Vec<Fault>) -> Option<ReceiverName> {
        if let Some(name) = node.text().filter(|name| self.rotas.written.contains(*name)) {
            let message = Message::new(
                format!("“{name}” 是值班表，只能写在 oncall 里"),
                format!("`{name}` is a rota, which may stand in `oncall` only"),
            );
            faults.push(Fault::error(node.place.clone(), message));
            return None;
        }
        self.destination(node, Vec::new(), faults)
    }

    /// A receiver or a person; `others` could have been meant too.
    fn destination(&self, node: &Node, others: Vec<&str>, faults: &mut Vec<Fault>) -> Option<ReceiverName> {
        let (text, place) = text_of(node, faults)?;
        let name = ReceiverName::from(text.as_str());
        if self.receivers.written.contains(&name) {
            return Some(name);
        }
        if let Some(person) = PersonId::of(&text) {
            return Some(Receiver::name_of_person(&person));
        }
        let message = if others.is_empty() {
            Message::new(format!("没有叫 “{text}” 的接收方"), format!("there is no receiver `{text}`"))
        } else {
            Message::new(
                format!("没有叫 “{text}” 的值班表或接收方"),
                format!("there is no rota and no receiver `{text}`"),
            )
        };
        let known = others.into_iter().chain(self.receivers.written.iter().map(ReceiverName::as_str));
        let hint = nearest(&text, known).map_or_else(
            || Message::new("写 receivers 里的名字，或一个人的邮箱", "name one of `receivers`, or a person by email"),
            did_you_mean,
        );
        faults.push(Fault::error(place, message).with_hint(hint));
        None
    }
}

/// Nothing written is well, something written and not read is not.
fn whole<T>(written: Option<Option<T>>) -> Option<Option<T>> {
    match written {
        Some(None) => None,
        Some(found) => Some(found),
        None => Some(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::yaml::parse::parse;

    fn read_text(text: &str, receivers: &[&str]) -> (Teams, Vec<String>) {
        let mut faults = Vec::new();
        let tree = parse("deskbell.yaml", text, &mut faults).unwrap();
        let mut root = Map::of(&tree, &Message::default(), &mut faults).unwrap();
        let written = receivers.iter().map(|name| ReceiverName::from(*name)).collect();
        let receivers = Receivers { written, ..Receivers::default() };
        let mut rotas = Rotas::default();
        rotas.written.insert("primary".into());
        let teams = read(&mut root, &receivers, &rotas, &Names::default(), &mut faults);
        root.finish(&[], &mut faults);
        (teams, faults.into_iter().map(|fault| fault.message.en).collect())
    }

    #[test]
    fn teams_are_read_in_their_order_and_people_become_receivers() {
        let text = "teams:\n  payment: { when: { fields: { 产品线: [支付, 退款] } }, to: support, lead: li@example.com }\n  \
                    other: { to: leads, lead: ou_1, oncall: support }\n";
        let (teams, faults) = read_text(text, &["support", "leads"]);
        assert_eq!(faults, Vec::<String>::new());
        let shown = |name: &Option<ReceiverName>| name.as_ref().map(ToString::to_string).unwrap_or_default();
        let shown: Vec<String> = teams
            .all
            .iter()
            .map(|team| {
                format!("{} {} {} {}", team.name, team.to, shown(&team.lead), shown(&team.oncall_receiver().cloned()))
            })
            .collect();
        assert_eq!(shown, ["payment support person:li@example.com ", "other leads person:ou_1 support"]);
        assert_eq!(teams.words, ["team", "team.lead", "team.oncall"].into());
        assert_eq!(
            teams.all[0].when.as_ref().unwrap().to_string(),
            "field any \"产品线\" text_is [\"支付\", \"退款\"]"
        );
    }

    #[test]
    fn on_call_is_a_rota_a_receiver_or_a_person() {
        for (text, found) in [
            ("{ to: support, oncall: primary }", "Some(Rota(\"primary\"))"),
            ("{ to: support, oncall: support }", "Some(Receiver(\"support\"))"),
            ("{ to: support, oncall: li@example.com }", "Some(Receiver(\"person:li@example.com\"))"),
        ] {
            let (teams, faults) = read_text(&format!("teams: {{ a: {text} }}"), &["support", "leads"]);
            assert_eq!((format!("{:?}", teams.all[0].oncall), faults), (found.to_string(), Vec::new()), "{text}");
        }
        for (text, told) in [
            ("{ to: support, oncall: primry }", "there is no rota and no receiver `primry`"),
            ("{ to: support, oncall: leads }", "there is no rota and no receiver `leads`"),
            ("{ to: support, lead: primary }", "`primary` is a rota, which may stand in `oncall` only"),
            ("{ to: primary }", "`primary` is a rota, which may stand in `oncall` only"),
        ] {
            let (teams, faults) = read_text(&format!("teams: {{ a: {text} }}"), &["support"]);
            assert!(teams.all.is_empty());
            assert_eq!(faults, [told], "{text}");
        }
    }

    #[test]
    fn who_the_team_is_without_teams_depends_on_how_many_receivers_there_are() {
        let all: BTreeSet<&str> = ["team", "team.lead", "team.oncall"].into();
        for (text, receivers, words, told) in [
            ("{}", vec!["support"], all, None),
            ("{}", vec!["support", "leads"], [].into(), None),
            ("teams: { a: { to: support } }", vec!["support", "leads"], ["team"].into(), None),
            (
                "teams: { a: { when: { tags: x }, to: support } }",
                vec!["support"],
                ["team"].into(),
                Some("the last team has a `when`"),
            ),
        ] {
            let (teams, faults) = read_text(text, &receivers);
            assert_eq!(teams.words, words, "{text}");
            assert_eq!(faults.len(), usize::from(told.is_some()), "{text}: {faults:?}");
            assert!(faults.iter().all(|fault| fault.starts_with(told.unwrap_or_default())), "{faults:?}");
        }
    }
}
