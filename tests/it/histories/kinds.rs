//! The other kinds of rules in the histories: a count, an event, a rule in trial, a ladder; and what must come of them.

use deskbell::domain::{
    alert::{Alert, AlertState, Announced},
    calendar::Wait,
    condition::{Condition, Operator},
    id::{ReceiverName, RuleName, Subject},
    notice::Step,
    rule::{Count, Mode, Rule, RuleKind, RuleSet, Rung, RungAt, Severity, To, Until},
    ticket::Status,
    time::Span,
};

use super::{
    helpdesk::Truth,
    oracle::{self, WAITING, codes},
    runner::Runner,
};
use crate::world::notify;

const PILE: &str = "pile";
const REOPENED: &str = "reopened";
pub(crate) const TRIED: &str = "tried";

/// How many tickets in processing make a pile, and how few of them are none any more.
const PILE_FROM: usize = 3;
const PILE_BELOW: usize = 2;

/// How long the ladder of `waiting` waits.
pub(super) const STEP_AFTER: Span = Span::from_hours(2);

/// How much later than due a step may come: polls, darkness, being away.
pub(super) const STEP_LAG: Span = Span::from_hours(3);

const BOSS: &str = "leads";

/// The rules of every history: those of the timelines, and the other kinds.
pub(crate) fn rules() -> RuleSet {
    let mut rules = oracle::rules();
    if let Some(waiting) = rules.rules.get_mut(&RuleName::from(WAITING)) {
        waiting.ladder.push(Rung {
            at: RungAt::After(Wait::wall(STEP_AFTER)),
            severity: Some(Severity::Critical),
            to: To::Receiver(ReceiverName::from(BOSS)),
            template: None,
            mention: None,
            urgent: None,
        });
    }
    let processing = codes("status", &[2]);
    let count = Count {
        per: None,
        when: vec![Operator::AtLeast(PILE_FROM as f64)],
        within: None,
        clear: vec![Operator::Below(PILE_BELOW as f64)],
    };
    let pile = Rule {
        kind: RuleKind::Count(count),
        notify: vec![notify("support"), notify("bot")],
        meaning: 1,
        ..Rule::new(RuleName::from(PILE), processing)
    };
    let was_closed = Condition::Was(Box::new(codes("status", &[50, 51, 52])));
    let reopened = Rule {
        until: Until::Handled,
        expires: Some(Span::from_days(30)),
        notify: vec![notify("support")],
        meaning: 1,
        ..Rule::new(RuleName::from(REOPENED), Condition::All(vec![codes("status", &[1, 2, 3, 4, 5]), was_closed]))
    };
    let tried = Rule {
        mode: Mode::Trial(None),
        notify: vec![notify("support")],
        meaning: 1,
        ..Rule::new(RuleName::from(TRIED), codes("status", &[5]))
    };
    rules.rules.extend([pile, reopened, tried].map(|rule| (rule.name.clone(), rule)));
    rules
}

/// Everything about the other kinds that is not as it must be, in words.
pub(crate) fn faults(runner: &Runner, faults: &mut Vec<String>) {
    a_pile_rings(runner, faults);
    for alert in runner.store.alerts.values() {
        match alert.key.rule.as_str() {
            REOPENED => an_event_had_its_change(runner, alert, faults),
            WAITING => a_ladder_is_climbed(runner, alert, faults),
            _ => {}
        }
    }
    if let Some(card) = runner.chat.posted.iter().find(|posted| posted.key.rule.as_str() == TRIED) {
        faults.push(format!("a rule in trial told someone: {:?}", card.key));
    }
    let would_ring = runner.store.journal.iter().filter(|entry| entry.what == "would_ring").count();
    let counted = runner.store.trials.get(&RuleName::from(TRIED)).map_or(0, |trial| trial.fired as usize);
    if would_ring != counted {
        faults.push(format!("the trial counted {counted}, the journal says {would_ring}"));
    }
}

fn a_pile_rings(runner: &Runner, faults: &mut Vec<String>) {
    let number = runner.helpdesk.tickets.values().filter(|truth| truth.status == Status::Processing).count();
    let is_pile = |alert: &&Alert| alert.key.rule.as_str() == PILE && matches!(alert.key.subject, Subject::Group(_));
    let pile = runner.store.alerts.values().find(is_pile);
    let rings = pile.is_some_and(Alert::is_firing);
    let handled = pile.is_some_and(|pile| pile.latched && pile.ended_by.is_some());
    let wrong = if rings { number < PILE_BELOW } else { number >= PILE_FROM && !handled };
    if wrong {
        faults.push(format!("{number} tickets in processing, and the pile rings: {rings}"));
    }
}

/// It rang only on tickets that were closed and then open.
fn an_event_had_its_change(runner: &Runner, alert: &Alert, faults: &mut Vec<String>) {
    let Some(ticket) = alert.key.subject.ticket() else { return };
    let number: u64 = ticket.id.as_str().parse().unwrap();
    let closed = |truth: &Truth| truth.status == Status::ClosedByAgent;
    let versions = &runner.helpdesk.versions[&number];
    let first_closed = versions.iter().position(|(_, truth)| closed(truth));
    let reopened = first_closed.is_some_and(|at| versions.iter().skip(at).any(|(_, truth)| !closed(truth)));
    if !reopened {
        faults.push(format!("it was never reopened: {alert:?}"));
    }
}

/// Whatever has rung long enough was escalated, once, and nothing else was.
fn a_ladder_is_climbed(runner: &Runner, alert: &Alert, faults: &mut Vec<String>) {
    let AlertState::Firing { fired_at, .. } = alert.state else { return };
    if alert.taken.is_some() || alert.snoozes > 0 || alert.rounds > 0 {
        return; // people had a hand in it
    }
    let told = runner.chat.posted.iter().filter(|posted| {
        posted.key.step == Step::Escalated
            && posted.key.subject == alert.key.subject
            && posted.key.rule == alert.key.rule
            && posted.key.episode == alert.episode
            && !posted.maybe_repeat
    });
    // Too many at once were told by a digest.
    let boss = ReceiverName::from(BOSS);
    let told_by = |number: u32| {
        runner
            .chat
            .digests()
            .any(|digest| digest.key.subject == Subject::Receiver(boss.clone()) && digest.key.episode == number)
    };
    let lines = alert.lines.iter().filter(|line| line.receiver == boss);
    let together = lines.flat_map(|line| [line.digest, line.again]).flatten().any(told_by);
    let told = told.count().max(usize::from(together));
    let (told, due) = (told, runner.now >= fired_at.plus(STEP_AFTER).plus(STEP_LAG));
    let may = runner.now >= fired_at.plus(STEP_AFTER) && alert.announced != Announced::Nobody;
    if (due && may && told == 0) || (!may && told > 0) || told > 1 {
        faults.push(format!("escalated {told} times: {alert:?}"));
    }
}
