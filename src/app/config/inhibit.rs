//! `inhibit:` of the configuration: which alerts keep others quiet while they ring.

use std::collections::BTreeSet;

use crate::{
    adapters::{
        rulebook::{alone::inhibit_condition, names::Names},
        yaml::{
            map::{Map, did_you_mean, text_of},
            nearest::nearest,
            tree::{Node, NodeKind},
        },
    },
    app::config::words::one_of,
    domain::{
        desk::settings::{Inhibit, Shared},
        fault::Fault,
        id::{RuleName, SourceName, TeamName},
        rule::{RuleSet, Severity},
        silence::{Matcher, Written},
        text::Message,
    },
};

/// Entries of `inhibit`.
pub const INHIBITS_MAX: usize = 50;

/// What an entry looks like.
const SAMPLE: &str = "{ while: { severity: critical }, mutes: { severity: warning }, same: [ticket] }";

/// The severities, by their words.
const SEVERITIES: &[(&str, Severity)] =
    &[("info", Severity::Info), ("warning", Severity::Warning), ("critical", Severity::Critical)];

/// What both sides may share, by its word.
const SHARED: &[(&str, Shared)] = &[("ticket", Shared::Ticket), ("source", Shared::Source), ("team", Shared::Team)];

/// Reads `inhibit:`; there need be none.
pub fn read(
    root: &mut Map<'_>,
    names: &Names,
    sources: &BTreeSet<SourceName>,
    rules: &RuleSet,
    faults: &mut Vec<Fault>,
) -> Vec<Inhibit> {
    let Some(nodes) = root.list("inhibit", faults) else { return Vec::new() };
    if let Some(one_more) = nodes.get(INHIBITS_MAX) {
        let message = Message::new(
            format!("inhibit 最多 {INHIBITS_MAX} 条"),
            format!("`inhibit` has at most {INHIBITS_MAX} entries"),
        );
        faults.push(Fault::error(one_more.place.clone(), message));
    }
    let reader = Reader { names, sources, rules };
    nodes.iter().take(INHIBITS_MAX).filter_map(|node| reader.inhibit(node, faults)).collect()
}

struct Reader<'a> {
    names: &'a Names,
    sources: &'a BTreeSet<SourceName>,
    rules: &'a RuleSet,
}

impl Reader<'_> {
    fn inhibit(&self, node: &Node, faults: &mut Vec<Fault>) -> Option<Inhibit> {
        let what = Message::new(format!("一条抑制，例如 {SAMPLE}"), format!("an inhibition such as {SAMPLE}"));
        let before = faults.len();
        let mut map = Map::of(node, &what, faults)?;
        let while_ringing = map.required("while", faults).and_then(|node| self.matcher(node, faults));
        let mutes = map.required("mutes", faults).and_then(|node| self.matcher(node, faults));
        let same = map.filled("same").map_or(Some(Vec::new()), |node| shared(node, faults));
        map.finish(&[], faults);
        for fault in faults.iter_mut().skip(before).filter(|fault| fault.hint.is_none()) {
            fault.hint = Some(Message::new(format!("例如 {SAMPLE}"), format!("such as {SAMPLE}")));
        }
        Some(Inhibit { while_ringing: while_ringing?, mutes: mutes?, same: same? })
    }

    /// One side: every part that is there must hold, and there must be one.
    fn matcher(&self, node: &Node, faults: &mut Vec<Fault>) -> Option<Matcher> {
        let before = faults.len();
        let what = Message::new(
            "哪些提醒，例如 { rule: 首次响应, severity: critical }",
            "which alerts, such as { rule: 首次响应, severity: critical }",
        );
        let mut map = Map::of(node, &what, faults)?;
        let matcher = Matcher {
            ticket: None,
            rule: map.filled("rule").and_then(|node| self.rule(node, faults)),
            severity: map.filled("severity").and_then(|node| one_of(node, SEVERITIES, faults)),
            source: map.filled("source").and_then(|node| self.source(node, faults)),
            team: map.filled("team").and_then(|node| self.team(node, faults)),
            when: map.filled("when").and_then(|node| {
                let condition = inhibit_condition(node, self.names, faults)?;
                Some(Written { text: condition.to_string().into(), condition: Some(condition) })
            }),
        };
        map.finish(&[], faults);
        if faults.len() == before && matcher.is_empty() {
            faults.push(node.expected(&what));
        }
        (!matcher.is_empty()).then_some(matcher)
    }

    /// A rule that is not there yet may come with the next change of the rules.
    fn rule(&self, node: &Node, faults: &mut Vec<Fault>) -> Option<RuleName> {
        let (text, place) = text_of(node, faults)?;
        let name = RuleName::from(text.as_str());
        let known = self.rules.rules.values().any(|rule| rule.name == name || rule.formerly.contains(&name));
        if !known && !self.rules.rules.is_empty() && !name.as_str().starts_with("deskbell.") {
            let message = Message::new(
                format!("没有叫 “{text}” 的规则：这条抑制现在不起作用"),
                format!("there is no rule `{text}`: this inhibition does nothing now"),
            );
            let fault = Fault::warning(place, message);
            faults.push(match nearest(&text, self.rules.rules.keys().map(RuleName::as_str)) {
                Some(near) => fault.with_hint(did_you_mean(near)),
                None => fault,
            });
        }
        Some(name)
    }

    fn source(&self, node: &Node, faults: &mut Vec<Fault>) -> Option<SourceName> {
        let (text, place) = text_of(node, faults)?;
        if self.sources.iter().any(|source| source.as_str() == text) {
            return Some(SourceName::from(text.as_str()));
        }
        let message = Message::new(format!("没有叫 “{text}” 的来源"), format!("there is no source `{text}`"));
        let fault = Fault::error(place, message);
        faults.push(match nearest(&text, self.sources.iter().map(SourceName::as_str)) {
            Some(near) => fault.with_hint(did_you_mean(near)),
            None => fault,
        });
        None
    }

    fn team(&self, node: &Node, faults: &mut Vec<Fault>) -> Option<TeamName> {
        let (text, place) = text_of(node, faults)?;
        if self.names.teams.iter().any(|team| *team == text) {
            return Some(TeamName::from(text.as_str()));
        }
        let message = Message::new(format!("没有叫 “{text}” 的团队"), format!("there is no team `{text}`"));
        let fault = Fault::error(place, message);
        faults.push(match nearest(&text, self.names.teams.iter().map(String::as_str)) {
            Some(near) => fault.with_hint(did_you_mean(near)),
            None => fault,
        });
        None
    }
}

/// One word or a list of them.
fn shared(node: &Node, faults: &mut Vec<Fault>) -> Option<Vec<Shared>> {
    let items: Vec<&Node> = match &node.kind {
        NodeKind::List(items) => items.iter().collect(),
        _ => vec![node],
    };
    let found: Option<Vec<Shared>> = items.into_iter().map(|item| one_of(item, SHARED, faults)).collect();
    found
}

/// The names that a schema offers for `severity` and `same`.
pub fn words() -> (Vec<&'static str>, Vec<&'static str>) {
    (SEVERITIES.iter().map(|(word, _)| *word).collect(), SHARED.iter().map(|(word, _)| *word).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{adapters::yaml::parse::parse, domain::condition::Condition, domain::rule::Rule};

    fn read_text(text: &str) -> (Vec<Inhibit>, Vec<String>) {
        let mut faults = Vec::new();
        let tree = parse("deskbell.yaml", text, &mut faults).unwrap();
        let mut root = Map::of(&tree, &Message::default(), &mut faults).unwrap();
        let names = Names { teams: ["payment".to_string()].into(), ..Names::default() };
        let rule = Rule::new("首次响应".into(), Condition::All(Vec::new()));
        let rules = RuleSet { rules: [(rule.name.clone(), rule)].into() };
        let found = read(&mut root, &names, &[SourceName::from("desk")].into(), &rules, &mut faults);
        root.finish(&[], &mut faults);
        (found, faults.into_iter().map(|fault| fault.message.en).collect())
    }

    #[test]
    fn both_sides_and_what_they_share_are_read() {
        let text = "inhibit:\n  - { while: { rule: 首次响应, severity: critical }, mutes: { severity: warning }, same: [ticket] }\n  \
                    - { while: { source: desk, team: payment }, mutes: { when: { status: open } }, same: team }\n";
        let (found, faults) = read_text(text);
        assert_eq!(faults, Vec::<String>::new());
        assert_eq!(found[0].while_ringing.severity, Some(Severity::Critical));
        assert_eq!(found[0].mutes.words().zh, "级别警告及以下");
        assert_eq!(found[0].same, [Shared::Ticket]);
        assert_eq!(found[1].same, [Shared::Team]);
        assert!(found[1].mutes.when.as_ref().is_some_and(|when| when.condition.is_some()));
    }

    #[test]
    fn a_slip_in_a_key_shows_how_it_is_written() {
        for text in [
            "inhibit: [{ mutes: { severity: info } }]",
            "inhibit: [{ while: { severity: info }, mutes: { severity: info }, sa: 1 }]",
            "inhibit: [{ while: { tem: x }, mutes: { severity: info } }]",
        ] {
            let mut faults = Vec::new();
            let tree = parse("deskbell.yaml", text, &mut faults).unwrap();
            let mut root = Map::of(&tree, &Message::default(), &mut faults).unwrap();
            read(&mut root, &Names::default(), &BTreeSet::new(), &RuleSet::default(), &mut faults);
            assert!(!faults.is_empty() && faults.iter().all(|fault| fault.hint.is_some()), "{text}: {faults:?}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_said() {
        for (text, expected) in [
            ("inhibit: [{ while: {}, mutes: { severity: info } }]", "which alerts"),
            ("inhibit: [{ mutes: { severity: info } }]", "while"),
            ("inhibit: [{ while: { severity: loud }, mutes: { severity: info } }]", "one of info, warning, critical"),
            ("inhibit: [{ while: { source: dosk }, mutes: { severity: info } }]", "no source `dosk`"),
            ("inhibit: [{ while: { team: x }, mutes: { severity: info } }]", "no team `x`"),
            ("inhibit: [{ while: { rule: 二次响应 }, mutes: { severity: info } }]", "no rule `二次响应`"),
            ("inhibit: [{ while: { severity: info }, mutes: { when: { idle: { at_least: 1h } } } }]", "cannot stand"),
            ("inhibit: [{ while: { severity: info }, mutes: { when: { changed: [score] } } }]", "cannot stand"),
            (
                "inhibit: [{ while: { severity: info }, mutes: { severity: info }, same: [guest] }]",
                "ticket, source, team",
            ),
        ] {
            let (_, faults) = read_text(text);
            assert!(faults.iter().any(|fault| fault.contains(expected)), "{text}: {faults:?}");
        }
    }
}
