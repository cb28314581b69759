//! Plays a case and compares what was told with what was expected.

use std::sync::Arc;

use crate::{
    adapters::{
        rulebook::cases::case::{Case, Expected, Notice, Wanted},
        templates::library::Surroundings,
    },
    cli::test::{reason, world::World},
    domain::{
        alert::{AlertKey, EndReason, LineOf},
        card_text,
        desk::settings::Settings,
        id::{ReceiverName, RuleName, Subject},
        notice::{Content, Send, Step},
        receiver::{Receiver, ReceiverKind},
        replay::{
            played::{Played, Told},
            script::Script,
            stage::play,
        },
        rule::{Mode, Rule, RuleSet, Severity, To},
        text::Message,
        time::Timestamp,
    },
};

/// What became of a case.
#[derive(Debug)]
pub(super) struct Outcome {
    /// What was expected and did not happen, each with why not.
    pub(super) missing: Vec<(Expected, Vec<Message>)>,
    /// What was told and not expected, each with why it was.
    pub(super) extra: Vec<(Got, Message)>,
    /// The case ran into the limits of a play.
    pub(super) cut: Option<Timestamp>,
}

impl Outcome {
    /// Whether all went as expected.
    pub(super) fn is_well(&self) -> bool {
        self.missing.is_empty() && self.extra.is_empty() && self.cut.is_none()
    }
}

/// Something that happened.
#[derive(Clone, Debug)]
pub(super) struct Got {
    pub(super) at: Timestamp,
    pub(super) rule: RuleName,
    pub(super) subject: Subject,
    pub(super) what: Happened,
}

/// What happened.
#[derive(Clone, Debug)]
pub(super) enum Happened {
    /// A notice was sent.
    Notice(Box<Sent>),
    /// An alert ended.
    End(EndReason),
}

/// A notice that was sent.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) step: Step,
    pub(super) ordinal: u32,
    pub(super) severity: Severity,
    pub(super) receiver: ReceiverName,
    /// What else the receiver is called: `owner`, `team`, an email.
    pub(super) called: Vec<String>,
    pub(super) title: String,
    /// The whole card as text.
    pub(super) card: String,
}

/// Plays a case and compares.
pub(super) fn check(case: &Case, world: &World) -> Outcome {
    let rules = Arc::new(rules_of(case, world));
    let settings = Settings { zone: case.zone, ..world.settings.clone() };
    let played = play(&case.script, Arc::clone(&rules), settings.clone(), &mut |_| {});
    let notices: Vec<Got> = played.told.iter().filter_map(|told| notice(told, case, world, &settings)).collect();
    let ends = ends(&played);
    let (of_ends, of_notices): (Vec<&Expected>, Vec<&Expected>) =
        case.expected.iter().partition(|expected| matches!(expected.what, Wanted::End(_)));
    let notice_of = pair(&of_notices, &notices);
    let end_of = pair(&of_ends, &ends);
    let unmet = |wanted: &[&Expected], found: &[Option<usize>]| -> Vec<Expected> {
        wanted.iter().zip(found).filter(|(_, at)| at.is_none()).map(|(expected, _)| (*expected).clone()).collect()
    };
    let mut missing = unmet(&of_notices, &notice_of);
    missing.extend(unmet(&of_ends, &end_of));
    missing.sort_by_key(|expected| expected.at);
    let at_that_time = |at: Timestamp| {
        let script = Script { end: at.min(case.script.end), ..case.script.clone() };
        play(&script, Arc::clone(&rules), settings.clone(), &mut |_| {})
    };
    let why = |expected: &Expected| reason::why_not(expected, &rules, &settings, &at_that_time(expected.at));
    let extra =
        notices.iter().enumerate().filter(|(at, _)| !notice_of.contains(&Some(*at))).map(|(_, got)| got.clone());
    Outcome {
        missing: missing.into_iter().map(|expected| (expected.clone(), why(&expected))).collect(),
        extra: extra.map(|got| (got.clone(), why_rang(&got, &played))).collect(),
        cut: played.cut,
    }
}

/// The rules a case puts to the test. One that is named is in force, whatever its mode says.
fn rules_of(case: &Case, world: &World) -> RuleSet {
    if case.rules.is_empty() {
        return world.rules.clone();
    }
    let named = case.rules.iter().filter_map(|name| world.rules.rules.get(name));
    let live = |rule: &Rule| (rule.name.clone(), Rule { mode: Mode::Live, ..rule.clone() });
    RuleSet { rules: named.map(live).collect() }
}

fn notice(told: &Told, case: &Case, world: &World, settings: &Settings) -> Option<Got> {
    let key = &told.send.key;
    let Content::Alert(view) = &told.send.content else { return None };
    if !matches!(key.step, Step::Fired | Step::Repeated | Step::Escalated) {
        return None;
    }
    let around = Surroundings { zone: case.zone, now: told.at, drill: false };
    let card = world.templates.render(&told.send, &around).card;
    let mut called: Vec<String> = view.rule.iter().filter_map(|rule| told_as(rule, &told.send)).collect();
    let receiver = settings.receiver(&key.receiver);
    if let Some(ReceiverKind::Person(person)) = receiver.as_deref().map(|receiver: &Receiver| &receiver.kind) {
        called.push(person.as_str().to_string());
    }
    let sent = Sent {
        step: key.step,
        ordinal: key.ordinal,
        severity: view.alert.severity,
        receiver: key.receiver.clone(),
        called,
        title: card.title.clone(),
        card: card_text::text(&card),
    };
    let what = Happened::Notice(Box::new(sent));
    Some(Got { at: told.at, rule: key.rule.clone(), subject: key.subject.clone(), what })
}

/// The word of the rule's line that told this receiver, where it depends on the ticket.
fn told_as(rule: &Rule, send: &Send) -> Option<String> {
    let Content::Alert(view) = &send.content else { return None };
    let to = if send.key.step == Step::Escalated {
        let rung = usize::try_from(send.key.ordinal).ok()?.checked_sub(1)?; // rungs are counted from 1
        &rule.ladder.get(rung)?.to
    } else {
        let line = view.alert.lines.iter().find(|line| line.receiver == send.key.receiver)?;
        match line.from {
            LineOf::Notify(at) => &rule.notify.get(usize::try_from(at).ok()?)?.to,
            LineOf::Rung(at) => &rule.ladder.get(usize::try_from(at).ok()?)?.to,
            LineOf::Nothing => return None,
        }
    };
    word_of(to).map(String::from)
}

/// The word a rule has for a receiver that depends on the ticket.
const fn word_of(to: &To) -> Option<&'static str> {
    match to {
        To::Receiver(_) => None,
        To::Team => Some("team"),
        To::TeamLead => Some("team.lead"),
        To::TeamOncall => Some("team.oncall"),
        To::Owner => Some("owner"),
    }
}

fn ends(played: &Played) -> Vec<Got> {
    let end = |ring: &crate::domain::replay::played::Ring| {
        let (at, reason) = ring.ended?;
        Some(Got { at, rule: ring.rule.clone(), subject: ring.subject.clone(), what: Happened::End(reason) })
    };
    played.rings.iter().filter_map(end).collect()
}

/// For each expectation the thing that meets it, so that as many as can be are met.
fn pair(expected: &[&Expected], got: &[Got]) -> Vec<Option<usize>> {
    let fitting: Vec<Vec<usize>> = expected
        .iter()
        .map(|expected| (0..got.len()).filter(|at| got.get(*at).is_some_and(|got| fits(expected, got))).collect())
        .collect();
    let mut owner: Vec<Option<usize>> = vec![None; got.len()];
    for index in 0..expected.len() {
        let mut tried = vec![false; got.len()];
        find_room(index, &fitting, &mut owner, &mut tried);
    }
    (0..expected.len()).map(|index| owner.iter().position(|held| *held == Some(index))).collect()
}

/// Gives the expectation something that meets it, moving others to something else where they can (Kuhn's matching).
fn find_room(index: usize, fitting: &[Vec<usize>], owner: &mut [Option<usize>], tried: &mut [bool]) -> bool {
    for at in fitting.get(index).into_iter().flatten().copied() {
        if std::mem::replace(&mut tried[at], true) {
            continue;
        }
        let held = owner[at];
        if held.is_none_or(|other| find_room(other, fitting, owner, tried)) {
            owner[at] = Some(index);
            return true;
        }
    }
    false
}

fn fits(expected: &Expected, got: &Got) -> bool {
    let on = |wanted: &crate::domain::id::TicketId| got.subject.ticket().is_some_and(|key| key.id == *wanted);
    if !expected.is_in_time(got.at)
        || expected.rule.as_ref().is_some_and(|rule| *rule != got.rule)
        || expected.ticket.as_ref().is_some_and(|wanted| !on(wanted))
    {
        return false;
    }
    match (&expected.what, &got.what) {
        (Wanted::Notice(wanted), Happened::Notice(sent)) => is_such(wanted, sent),
        (Wanted::End(wanted), Happened::End(reason)) => wanted.is_none_or(|wanted| wanted == *reason),
        _ => false,
    }
}

fn is_such(wanted: &Notice, sent: &Sent) -> bool {
    let to = |wanted: &String| sent.receiver.as_str() == wanted || sent.called.contains(wanted);
    wanted.to.as_ref().is_none_or(to)
        && wanted.step.is_none_or(|step| step == sent.step)
        && wanted.repeat.is_none_or(|count| sent.step == Step::Repeated && count == sent.ordinal)
        && wanted.severity.is_none_or(|severity| severity == sent.severity)
        && wanted.title.iter().all(|text| sent.title.contains(text))
        && wanted.card.iter().all(|text| sent.card.contains(text))
}

/// Why something rang that was not expected.
fn why_rang(got: &Got, played: &Played) -> Message {
    let of = |ring: &&crate::domain::replay::played::Ring| {
        ring.rule == got.rule && ring.subject == got.subject && ring.fired_at <= got.at
    };
    let alert = AlertKey { subject: got.subject.clone(), rule: got.rule.clone() };
    let ring = played.rings.iter().rfind(of).map(|ring| ring.why.clone());
    ring.or_else(|| played.alerts.get(&alert).map(|alert| alert.why.clone())).unwrap_or_default()
}
