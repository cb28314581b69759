//! Rules that changed: once every ticket was judged by the new ones, operations is told in words what changed and how
//! many alerts ended of it.

use std::{collections::BTreeMap, sync::Arc};

use crate::domain::{
    alert::{AlertState, EndReason},
    desk::{input::NewRules, machine::Desk},
    id::RuleName,
    rule::Rule,
    rule_change,
    text::Message,
    time::{Span, Timestamp},
};

/// The announcement's word in journal, keys and logs.
const RULES_CHANGED: &str = "rules_changed";

/// How long is waited at most until every source was judged by the new rules.
const JUDGED_WAIT_MAX: Span = Span::from_mins(10);

/// Rules that changed and were not announced yet.
#[derive(Debug)]
pub(super) struct Announcing {
    /// The rules that were in force when the first of them changed.
    before: BTreeMap<RuleName, Arc<Rule>>,
    /// What else changed, in words.
    others: Vec<Message>,
    began_at: Timestamp,
}

impl Desk {
    /// Before other rules are in force: notes what there was. Changes in quick succession are announced as one.
    pub(super) fn begin_announcing(&mut self, new: &NewRules, now: Timestamp) {
        let mut others = new.words.clone();
        for (source, labels) in &new.labels {
            let Some(old) = self.settings.sources.get(source).map(|settings| &settings.labels) else { continue };
            let teams = rule_change::team_lines(&old.teams, &labels.teams);
            others.extend(teams.into_iter().filter(|line| !new.words.contains(line)));
            if old.subject != labels.subject || old.priority != labels.priority {
                others.push(Message::new(
                    format!("{source} 的标题或优先级换了取处"),
                    format!("subject or priority of {source} is taken from elsewhere"),
                ));
            }
        }
        let rules = &self.rules;
        let announcing = self.announcing.get_or_insert_with(|| Announcing {
            before: rules.clone(),
            others: Vec::new(),
            began_at: now,
        });
        for line in others {
            if !announcing.others.contains(&line) {
                announcing.others.push(line);
            }
        }
    }

    /// When a tick must announce the change, judged or not.
    pub(super) fn announcing_due(&self) -> Timestamp {
        self.announcing.as_ref().map_or(Timestamp::NEVER, |announcing| announcing.began_at.plus(JUDGED_WAIT_MAX))
    }

    /// Announces a change once every source was judged by the new rules, or that took too long.
    pub(super) fn announce_if_judged(&mut self, now: Timestamp) {
        let due = self.announcing_due() <= now;
        if !due && self.sources.values().any(|source| source.rejudge) {
            return;
        }
        let Some(announcing) = self.announcing.take() else { return };
        let mut lines = rule_change::lines(&announcing.before, &self.rules);
        lines.extend(announcing.others);
        let mut lines = rule_change::bounded(lines);
        let ended = self.ended_by_rules(announcing.began_at);
        if lines.is_empty() && ended == 0 {
            return;
        }
        if ended > 0 {
            let plural = if ended == 1 { "alert" } else { "alerts" };
            lines
                .push(Message::new(format!("{ended} 条提醒因此结束"), format!("{ended} {plural} ended because of it")));
        }
        let unread: Vec<&str> =
            self.sources.iter().filter(|(_, source)| source.rejudge).map(|(name, _)| name.as_str()).collect();
        if !unread.is_empty() {
            lines.push(Message::new(
                format!("{} 还没有读完，尚未按新规则判断", unread.join("、")),
                format!("not judged by the new rules yet, because not read: {}", unread.join(", ")),
            ));
        }
        let message = announcement(&lines);
        self.news(RULES_CHANGED, self.settings.operations.clone(), message, now);
    }

    /// Alerts that people were told of and that ended because of rules since then.
    fn ended_by_rules(&self, since: Timestamp) -> usize {
        let by_rules = |state: &AlertState| match state {
            AlertState::Ended { fired_at: Some(_), ended_at, reason } => {
                *ended_at >= since && matches!(reason, EndReason::RuleChanged | EndReason::RuleRemoved)
            }
            _ => false,
        };
        self.alerts.values().flatten().filter(|alert| !alert.trial && by_rules(&alert.state)).count()
    }
}

/// A heading and a line each: a title that says all of it would be cut.
fn announcement(lines: &[Message]) -> Message {
    let zh: Vec<&str> = lines.iter().map(|line| line.zh.as_str()).collect();
    let en: Vec<&str> = lines.iter().map(|line| line.en.as_str()).collect();
    Message::new(format!("规则已更新\n{}", zh.join("\n")), format!("Rules updated\n{}", en.join("\n")))
}
