//! What changed between two sets of rules, in words for people.

use std::{borrow::Borrow, collections::BTreeMap};

use crate::domain::{
    condition::Condition,
    condition_change::{Edit, Shared, condition_edits},
    id::RuleName,
    labels::{Labels, Team},
    rule::{Mode, Rule},
    rule_edits::rule_edits,
    text::{Message, Words},
};

/// Rules, and things they share, that an announcement names; the rest is counted.
pub const CHANGES_MAX: usize = 10;

/// Things an announcement names of one rule; the rest is counted.
pub const EDITS_MAX: usize = 6;

/// What became of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleChange {
    /// Its name, as it is now.
    pub rule: RuleName,
    /// What became of it.
    pub kind: RuleChangeKind,
    /// What is different in it.
    pub edits: Vec<Edit>,
    /// The one edit says all without naming what it is about: the rule has a single clock.
    obvious: bool,
}

/// What became of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It had this name before.
    Renamed(RuleName),
    /// It says something else.
    Edited,
}

impl RuleChange {
    /// The change as one line: `客服沉默 30m → 45m`.
    pub fn text(&self) -> Message {
        let name = &self.rule;
        let edits = self.edits_text();
        let after = |zh: String, en: String| match edits.zh.as_str() {
            "" => Message::new(zh, en),
            _ => Message::new(format!("{zh}，{}", edits.zh), format!("{en}, {}", edits.en)),
        };
        match &self.kind {
            RuleChangeKind::Added => after(format!("新增 {name}"), format!("new: {name}")),
            RuleChangeKind::Removed => Message::new(format!("删除 {name}"), format!("removed: {name}")),
            RuleChangeKind::Renamed(old) => {
                after(format!("{old} 改名为 {name}"), format!("{old} is now called {name}"))
            }
            RuleChangeKind::Edited => match (self.obvious, self.edits.as_slice()) {
                (true, [edit]) => Message::new(format!("{name} {}", edit.how.zh), format!("{name} {}", edit.how.en)),
                _ => Message::new(format!("{name}：{}", edits.zh), format!("{name}: {}", edits.en)),
            },
        }
    }

    fn edits_text(&self) -> Message {
        let shown: Vec<Message> = self.edits.iter().take(EDITS_MAX).map(Edit::text).collect();
        let zh: Vec<&str> = shown.iter().map(|edit| edit.zh.as_str()).collect();
        let en: Vec<&str> = shown.iter().map(|edit| edit.en.as_str()).collect();
        let (mut zh, mut en) = (zh.join("，"), en.join(", "));
        if self.edits.len() > shown.len() {
            let more = self.edits.len() - shown.len();
            zh.push_str(&format!("，另有 {more} 处"));
            en.push_str(&format!(", and {more} more"));
        }
        Message::new(zh, en)
    }
}

/// What changed between two sets of rules: what several rules share first, then the rules in the order of their names.
/// A line each; of more than [`CHANGES_MAX`] the rest is counted.
pub fn lines<R: Borrow<Rule>>(old: &BTreeMap<RuleName, R>, new: &BTreeMap<RuleName, R>) -> Vec<Message> {
    let mut shared = Shared::default();
    let changes = changes(old, new, &mut shared);
    let mut lines = shared_lines(&mut shared, new);
    lines.extend(changes.iter().map(RuleChange::text));
    bounded(lines)
}

/// At most [`CHANGES_MAX`] lines; of more, the rest is counted in one line.
pub fn bounded(mut lines: Vec<Message>) -> Vec<Message> {
    if lines.len() > CHANGES_MAX {
        let more = lines.len() + 1 - CHANGES_MAX;
        lines.truncate(CHANGES_MAX - 1);
        lines.push(Message::new(format!("另有 {more} 处改动"), format!("and {more} more changes")));
    }
    lines
}

/// What became of each rule that is not as it was.
pub fn changes<R: Borrow<Rule>>(
    old: &BTreeMap<RuleName, R>,
    new: &BTreeMap<RuleName, R>,
    shared: &mut Shared,
) -> Vec<RuleChange> {
    let former = |rule: &Rule| -> Option<RuleName> {
        rule.formerly.iter().find(|name| old.contains_key(*name) && !new.contains_key(*name)).cloned()
    };
    let mut changes = Vec::new();
    let mut taken_over: Vec<RuleName> = Vec::new();
    for (name, rule) in new {
        let rule: &Rule = rule.borrow();
        if let Some(before) = old.get(name).map(Borrow::borrow) {
            let edits = rule_edits(before, rule, shared);
            if !edits.is_empty() {
                let obvious = is_obvious(rule, &edits);
                changes.push(RuleChange { rule: name.clone(), kind: RuleChangeKind::Edited, edits, obvious });
            }
            continue;
        }
        let change = match former(rule).and_then(|former| Some((old.get(&former)?.borrow(), former))) {
            Some((before, former)) => {
                let before: &Rule = before;
                taken_over.push(former.clone());
                let kind = RuleChangeKind::Renamed(former);
                RuleChange { rule: name.clone(), kind, edits: rule_edits(before, rule, shared), obvious: false }
            }
            None => {
                RuleChange { rule: name.clone(), kind: RuleChangeKind::Added, edits: mode_of(rule), obvious: false }
            }
        };
        changes.push(change);
    }
    for name in old.keys().filter(|name| !new.contains_key(*name) && !taken_over.contains(name)) {
        let kind = RuleChangeKind::Removed;
        changes.push(RuleChange { rule: name.clone(), kind, edits: Vec::new(), obvious: false });
    }
    changes
}

/// A new rule that does not ring at once says so.
fn mode_of(rule: &Rule) -> Vec<Edit> {
    match rule.mode {
        Mode::Live => Vec::new(),
        Mode::Trial(_) => vec![Edit::new(Words { zh: "试运行", en: "in trial" }, Message::default())],
        Mode::Disabled => vec![Edit::new(Words { zh: "停用", en: "disabled" }, Message::default())],
    }
}

/// Whether the one edit is the threshold of the rule's single clock.
fn is_obvious(rule: &Rule, edits: &[Edit]) -> bool {
    fn clocks(condition: &Condition) -> usize {
        usize::from(matches!(condition, Condition::Clock(_))) + condition.parts().iter().map(clocks).sum::<usize>()
    }
    let duration = |text: &str| text.split(" → ").all(|part| part.starts_with(|c: char| c.is_ascii_digit()));
    let clocked = matches!(edits, [edit] if edit.how.zh.contains(" → ") && duration(&edit.how.zh));
    clocked && clocks(&rule.when) == 1 && edits.iter().all(|edit| is_clock_edit(&rule.when, edit))
}

fn is_clock_edit(condition: &Condition, edit: &Edit) -> bool {
    match condition {
        Condition::Clock(test) => edit.what.zh.contains(test.clock.words().zh),
        _ => condition.parts().iter().any(|part| is_clock_edit(part, edit)),
    }
}

/// Named conditions and calendars, each said once with the number of rules it is for.
fn shared_lines<R: Borrow<Rule>>(shared: &mut Shared, rules: &BTreeMap<RuleName, R>) -> Vec<Message> {
    let mut lines = Vec::new();
    let mut inner = Shared::default();
    for (name, (old, new)) in &shared.conditions {
        let edits = condition_edits(old, new, &mut inner);
        if edits.is_empty() {
            continue; // what it is made of changed, and is said there
        }
        let change =
            RuleChange { rule: RuleName::new(name.as_str()), kind: RuleChangeKind::Edited, edits, obvious: false };
        let of = |rule: &Rule| rule.conditions().any(|condition| condition.any(&|part| is_named(part, name.as_str())));
        let count = rules.values().filter(|rule| of((*rule).borrow())).count();
        let edits = change.edits_text();
        lines.push(Message::new(
            format!("条件 {name}（{count} 条规则在用）：{}", edits.zh),
            format!("condition {name} (in {count} rules): {}", edits.en),
        ));
    }
    shared.calendars.append(&mut inner.calendars);
    for (name, (old, new)) in inner.conditions {
        if !shared.conditions.contains_key(&name) {
            let edits = condition_edits(&old, &new, &mut Shared::default());
            let edits: Vec<Message> = edits.iter().take(EDITS_MAX).map(Edit::text).collect();
            for edit in edits {
                lines.push(Message::new(format!("条件 {name}：{}", edit.zh), format!("condition {name}: {}", edit.en)));
            }
        }
    }
    for name in &shared.calendars {
        lines.push(Message::new(format!("日历 {name} 改了"), format!("calendar {name} changed")));
    }
    lines
}

fn is_named(condition: &Condition, name: &str) -> bool {
    matches!(condition, Condition::Meets(named, _) if named.as_str() == name)
}

/// Whether a source's tickets are labelled otherwise.
pub fn labels_differ(old: &Labels, new: &Labels) -> bool {
    old.subject != new.subject || old.priority != new.priority || !team_lines(&old.teams, &new.teams).is_empty()
}

/// What changed between the teams of two configurations, a line each.
pub fn team_lines(old: &[Team], new: &[Team]) -> Vec<Message> {
    let text = |team: &Team| {
        let when = team.when.as_ref().map(ToString::to_string);
        format!("{when:?} {} {:?} {:?}", team.to, team.lead, team.oncall)
    };
    let mut lines = Vec::new();
    for team in new {
        match old.iter().find(|before| before.name == team.name) {
            None => lines.push(Message::new(format!("新增团队 {}", team.name), format!("new team: {}", team.name))),
            Some(before) if text(before) != text(team) => {
                lines.push(Message::new(format!("团队 {} 改了", team.name), format!("team {} changed", team.name)));
            }
            Some(_) => {}
        }
    }
    for team in old.iter().filter(|team| new.iter().all(|now| now.name != team.name)) {
        lines.push(Message::new(format!("删除团队 {}", team.name), format!("team removed: {}", team.name)));
    }
    let order = |teams: &[Team]| teams.iter().map(|team| team.name.clone()).collect::<Vec<_>>();
    if lines.is_empty() && order(old) != order(new) {
        lines.push(Message::new("团队的先后改了", "the order of the teams changed"));
    }
    lines
}

#[cfg(test)]
mod tests;
