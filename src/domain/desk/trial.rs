//! Rules in trial: what they would have rung is counted, and after a week one card says what became of it.

use crate::domain::{
    alert::{Alert, AlertState, EndReason},
    desk::{machine::Desk, outcome::Write, state::Trial},
    id::RuleName,
    rule::Mode,
    text::Message,
    time::{Span, Timestamp},
    wording::span_words,
};

/// How long a rule is tried before the card about it.
pub(super) const TRIAL_REPORT_AFTER: Span = Span::from_days(7);

impl Desk {
    /// Begins the trials of rules that are in trial now, and forgets those of rules that are not.
    pub(super) fn begin_trials(&mut self, now: Timestamp) {
        let in_trial: Vec<RuleName> = self
            .rules
            .values()
            .filter(|rule| matches!(rule.mode, Mode::Trial(_)))
            .map(|rule| rule.name.clone())
            .collect();
        let over: Vec<RuleName> = self.trials.keys().filter(|name| !in_trial.contains(name)).cloned().collect();
        for name in over {
            self.trials.remove(&name);
            self.write(Write::DropTrial(name));
        }
        for name in in_trial {
            if !self.trials.contains_key(&name) {
                self.put_trial(Trial {
                    rule: name,
                    began_at: now,
                    fired: 0,
                    dealt_with: 0,
                    longest: Span::ZERO,
                    reported_at: None,
                });
            }
        }
    }

    /// Counts an alert that began or ended while its rule is in trial.
    pub(super) fn note_trial(&mut self, alert: &Alert, now: Timestamp) {
        let name = self.rule_named(&alert.key.rule).map_or(&alert.key.rule, |rule| &rule.name).clone();
        let Some(mut trial) = self.trials.get(&name).filter(|_| alert.trial).cloned() else { return };
        match alert.state {
            AlertState::Firing { .. } => trial.fired += 1,
            AlertState::Ended { fired_at: Some(fired_at), reason, .. } if fired_at >= trial.began_at => {
                let left_alone = now.since(fired_at);
                trial.longest = trial.longest.max(left_alone);
                trial.dealt_with += u32::from(matches!(reason, EndReason::Cleared | EndReason::UntilMet));
            }
            AlertState::Pending | AlertState::Ended { .. } => return,
        }
        self.put_trial(trial);
    }

    fn put_trial(&mut self, trial: Trial) {
        self.write(Write::Trial(Box::new(trial.clone())));
        self.trials.insert(trial.rule.clone(), trial);
    }

    /// When the next card about a trial is due.
    pub(super) fn trial_due(&self) -> Timestamp {
        let open = self.trials.values().filter(|trial| trial.reported_at.is_none());
        open.map(|trial| trial.began_at.plus(TRIAL_REPORT_AFTER)).min().unwrap_or(Timestamp::NEVER)
    }

    /// Tells what became of the trials that have lasted a week.
    pub(super) fn report_trials(&mut self, now: Timestamp) {
        if self.trial_due() > now {
            return;
        }
        let due = |trial: &&Trial| trial.reported_at.is_none() && trial.began_at.plus(TRIAL_REPORT_AFTER) <= now;
        let due: Vec<Trial> = self.trials.values().filter(due).cloned().collect();
        for trial in due {
            self.put_trial(Trial { reported_at: Some(now), ..trial.clone() });
            let to = self.trial_receiver(&trial.rule);
            self.news("trial_report", to, trial_words(&trial, self.open_since(&trial, now)), now);
        }
    }

    fn trial_receiver(&self, rule: &RuleName) -> Option<crate::domain::id::ReceiverName> {
        let named = match &self.rules.get(rule)?.mode {
            Mode::Trial(Some(crate::domain::rule::To::Receiver(name))) => Some(name.clone()),
            _ => None,
        };
        named.or_else(|| self.settings.operations.clone())
    }

    /// How long the oldest of its alerts that nobody dealt with has stood.
    fn open_since(&self, trial: &Trial, now: Timestamp) -> Span {
        let standing = self.alerts.values().flatten().filter(|alert| alert.trial && alert.is_firing());
        let of_rule =
            standing.filter(|alert| self.rule_named(&alert.key.rule).is_some_and(|rule| rule.name == trial.rule));
        of_rule.filter_map(Alert::fired_at).map(|at| now.since(at)).max().unwrap_or_default()
    }
}

/// What a week of trial came to, and what to do.
fn trial_words(trial: &Trial, open: Span) -> Message {
    let Trial { rule, fired, dealt_with, longest, .. } = trial;
    let days = TRIAL_REPORT_AFTER.as_ms() / Span::from_days(1).as_ms();
    if *fired == 0 {
        return Message::new(
            format!(
                "规则“{rule}”试运行了 {days} 天，一次也没有触发。条件可能太严，可以运行 deskbell explain 看看；要启用就去掉 mode: trial"
            ),
            format!(
                "rule \"{rule}\" was in trial for {days} days and would not have rung once. Its condition may be too strict: see deskbell explain; to switch it on, remove mode: trial"
            ),
        );
    }
    let left = fired.saturating_sub(*dealt_with);
    let longest = span_words((*longest).max(open));
    Message::new(
        format!(
            "规则“{rule}”试运行了 {days} 天：本会提醒 {fired} 次，其中 {dealt_with} 次客服自己已处理，{left} 次没有；最久的一次 {}。要启用，把它的 mode: trial 去掉，保存后自动生效",
            longest.zh
        ),
        format!(
            "rule \"{rule}\" was in trial for {days} days: it would have rung {fired} times, {dealt_with} of them were dealt with anyway, {left} were not; the longest took {}. To switch it on, remove its mode: trial and save",
            longest.en
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_card_says_how_many_were_dealt_with_and_how_to_switch_it_on() {
        let trial = Trial {
            rule: RuleName::from("没人接"),
            began_at: Timestamp::from_ms(0),
            fired: 23,
            dealt_with: 18,
            longest: Span::from_hours(3),
            reported_at: None,
        };
        let words = trial_words(&trial, Span::from_hours(5));
        assert!(words.zh.contains("本会提醒 23 次，其中 18 次客服自己已处理，5 次没有；最久的一次 5 小时"), "{words}");
        assert!(words.en.contains("23 times, 18 of them were dealt with anyway, 5 were not"), "{words}");
        assert!(words.zh.contains("mode: trial 去掉") && words.en.contains("remove its mode: trial"), "{words}");
    }
}
