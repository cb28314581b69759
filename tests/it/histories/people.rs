//! People in the histories: they take alerts, give them back, put them off, say that they are handled, often the same
//! thing twice and two of them at once; and what must have come of it.

use std::collections::BTreeMap;

use deskbell::domain::{
    actor::Actor,
    alert::{Alert, AlertState},
    calendar::Wait,
    deed::{Act, Acted, Deed, Place, Rest, Tone, Which},
    desk::input::ChatKind,
    id::{ChatId, MessageId, OpenId, RuleName, Subject},
    notice::Step,
    rule::{RuleSet, To},
    text::Locale,
    time::Span,
};

use super::{oracle::WAITING, random::Random, runner::Runner};

/// Repeats, rungs, fallbacks, questions and wakings that one episode may send to one receiver: what the rules of the
/// histories allow, with every deed answered by at most two more.
const NOTICES_MAX: usize = 40;

/// The rules, one of them with a short patience for whoever took it and someone to fall back on.
pub(crate) fn impatient(mut rules: RuleSet) -> RuleSet {
    if let Some(waiting) = rules.rules.get_mut(&RuleName::from(WAITING)) {
        waiting.taken_for = Wait::wall(Span::from_mins(40));
        waiting.fallback = Some(To::Receiver("leads".into()));
    }
    rules
}

/// One thing someone does.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) act: Act,
}

/// Something someone does to an alert that rings, or that ended, or that there never was.
pub(super) fn wish(random: &mut Random, alerts: &[Alert], number: u64) -> Wish {
    let person = format!("ou_{}", random.below(3));
    let which = match alerts.get(random.below(alerts.len().max(1) as u64) as usize) {
        Some(alert) if random.chance(80) => Which::Episode(alert.key.clone(), alert.episode),
        Some(alert) => Which::Reference(alert.reference().to_lowercase()),
        None => Which::Reference("000000".into()),
    };
    let deed = match random.below(8) {
        0..=3 => Deed::Take(which),
        4 => Deed::Release(which),
        5 => Deed::Done(which),
        6 => Deed::Snooze(which, Rest::For(Span::from_mins(random.within(5, 90)))),
        _ => Deed::Snooze(which, Rest::For(Span::from_ms(1))),
    };
    let act = Act {
        id: MessageId::from(format!("act-{number}").as_str()),
        by: Actor::person(OpenId::from(person.as_str())),
        place: Place::Chat(ChatId::from("oc_a"), ChatKind::Group),
        clicked: None,
        deed,
        locale: Locale::Zh,
    };
    Wish { act }
}

/// What was said to whoever did something, and how the alert stood then.
pub(super) struct Answer {
    pub(super) act: Act,
    pub(super) acted: Acted,
}

/// Everything about people that is not as it must be, in words.
pub(super) fn faults(runner: &Runner, faults: &mut Vec<String>) {
    answers_are_right(runner, faults);
    notices_are_bounded(runner, faults);
    for alert in runner.store.alerts.values() {
        a_ladder_goes_on(runner, alert, faults);
    }
}

/// Each deed was answered, and the same deed once more was not done once more.
fn answers_are_right(runner: &Runner, faults: &mut Vec<String>) {
    let mut done: BTreeMap<&str, usize> = BTreeMap::new();
    for answer in &runner.answers {
        if answer.acted.words.zh.is_empty() || answer.acted.words.en.is_empty() {
            faults.push(format!("no words for {:?}", answer.act));
        }
        *done.entry(answer.act.id.as_str()).or_default() += usize::from(answer.acted.tone == Tone::Done);
    }
    for (id, count) in done.into_iter().filter(|(_, count)| *count > 1) {
        // A cut may have taken the first one along: it was never durable.
        if count > 1 + runner.cuts {
            faults.push(format!("{id} was done {count} times"));
        }
    }
}

fn notices_are_bounded(runner: &Runner, faults: &mut Vec<String>) {
    let mut counts: BTreeMap<_, usize> = BTreeMap::new();
    for posted in &runner.chat.posted {
        let calls =
            matches!(posted.key.step, Step::Repeated | Step::Escalated | Step::Fallback | Step::Asked | Step::Woken);
        if calls && !posted.maybe_repeat {
            let place = (&posted.key.subject, &posted.key.rule, posted.key.episode, &posted.key.receiver);
            *counts.entry(place).or_default() += 1;
        }
    }
    for (place, count) in counts.into_iter().filter(|(_, count)| *count > NOTICES_MAX + runner.failures) {
        faults.push(format!("{count} notices for {place:?}"));
    }
}

/// A ladder never stops without someone who has it, a time it was put off to, or an end.
fn a_ladder_goes_on(runner: &Runner, alert: &Alert, faults: &mut Vec<String>) {
    let (AlertState::Firing { fired_at, .. }, WAITING, Subject::Ticket(_)) =
        (&alert.state, alert.key.rule.as_str(), &alert.key.subject)
    else {
        return;
    };
    let idle = alert.taken.is_none() && alert.snoozed.is_none() && alert.fallback_at.is_none();
    let from = alert.ladder_from.unwrap_or(*fired_at);
    if idle
        && alert.rung == 0
        && runner.now >= from.plus(super::kinds::STEP_AFTER).plus(super::kinds::STEP_LAG)
        && runner.was_told(alert)
    {
        faults.push(format!("the ladder stands still: {alert:?}"));
    }
    if alert.taken.as_ref().is_some_and(|taken| runner.now >= taken.until.plus(Span::from_hours(2))) {
        faults.push(format!("nobody asked the taker: {alert:?}"));
    }
    if alert.snoozed.as_ref().is_some_and(|snoozed| runner.now >= snoozed.until.plus(Span::from_hours(1))) {
        faults.push(format!("it was never woken: {alert:?}"));
    }
}
