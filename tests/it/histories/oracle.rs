//! What must have come of a history, said without the desk: what holds at its end, who was told, and how often.

use std::{collections::BTreeMap, sync::Arc};

use deskbell::domain::{
    alert::{Alert, AlertState, Announced, Line, LineOf},
    calendar::{Pace, Wait},
    condition::{Bound, Clock, ClockTest, Condition, CustomSelector, Operator, Target, Test},
    desk::settings::{Access, Direct, Limits, Look, Settings, SourceSettings, StormSettings},
    field::Field,
    id::{ChatId, ReceiverName, RuleName, SourceName, Subject},
    labels::Labels,
    notice::{DIGEST_LINES_MAX, NoticeKey, Step},
    plan::Plan,
    receiver::{Receiver, ReceiverKind},
    rule::{CatchUp, Rule, RuleSet, Severity, Until},
    text::Locale,
    ticket::Status,
    time::{Span, Zone},
};

use super::{
    calls,
    chat::Posted,
    helpdesk::{SOURCE, Truth, key},
    kinds, people,
    random::Random,
    runner::Runner,
};

use crate::world::notify;

pub(super) const BAD: &str = "bad-score";
pub(crate) const WAITING: &str = "waiting";
pub(super) const URGENT: &str = "urgent";

/// What a chat says of a card that was deleted.
pub(super) const GONE: &str = "没了";

/// Ringing may lag behind the truth this long: polls, sweeps, darkness, being away.
const LAG_MAX: Span = Span::from_hours(3);

/// An update of a storm's digest may wait this long: `refresh` is at most so much here.
const UPDATES_LATE: Span = Span::from_mins(5);

fn field(name: &str) -> Target {
    Target::Field(Field::find(name).unwrap())
}

pub(crate) fn codes(name: &str, codes: &[i64]) -> Condition {
    Condition::Test(Test { target: field(name), operator: Operator::CodeIs(Arc::from(codes)) })
}

fn rule(name: &str, when: Condition, hold: Span, until: Until, to: &[&str]) -> Rule {
    Rule {
        hold: Wait::wall(hold),
        until,
        notify: to.iter().map(|to| notify(to)).collect(),
        meaning: 1,
        ..Rule::new(RuleName::from(name), when)
    }
}

/// The rules of every history.
pub(crate) fn rules() -> RuleSet {
    let bad = rule(BAD, codes("score", &[1]), Span::ZERO, Until::Handled, &["support", "bot"]);
    let long = ClockTest { clock: Clock::InStatus, bound: Bound::AtLeast(Span::from_mins(30)), pace: Pace::Wall };
    let when = Condition::All(vec![codes("status", &[5]), Condition::Clock(long)]);
    let mut waiting = rule(WAITING, when, Span::ZERO, Until::Cleared, &["support"]);
    for line in &mut waiting.notify {
        line.repeat = vec![Wait::wall(Span::from_hours(1))];
        line.repeat_max = 2;
    }
    let priority = Target::Custom(CustomSelector::Any("优先级".into()));
    let p0 = Test { target: priority, operator: Operator::TextIs(["p0".into()].into()) };
    let when = Condition::All(vec![codes("status", &[1, 2, 3, 4, 5]), Condition::Test(p0)]);
    let mut urgent = rule(URGENT, when, Span::from_mins(10), Until::Cleared, &["leads", "bot"]);
    urgent.severity = Severity::Critical;
    RuleSet { rules: [bad, waiting, urgent].into_iter().map(|rule| (rule.name.clone(), rule)).collect() }
}

/// The configuration, with a `catch_up` by chance.
pub(crate) fn settings(random: &mut Random) -> Settings {
    let receiver = |name: &str, kind| {
        let name = ReceiverName::from(name);
        (name.clone(), Receiver::new(name, kind, Locale::Zh))
    };
    let catch_up = match random.below(5) {
        0 => CatchUp::Each,
        1 => CatchUp::None,
        _ => CatchUp::Digest,
    };
    let storm = random.chance(40).then(|| StormSettings {
        above: u32::try_from(random.within(1, 3)).unwrap(),
        within: Span::from_mins(random.within(2, 60)),
        calm_for: Span::from_mins(random.within(2, 60)),
        refresh: Span::from_mins(random.within(1, 5)),
    });
    let source = SourceSettings { poll_every: Span::from_mins(4), catch_up, labels: Arc::new(Labels::default()) };
    Settings {
        zone: Zone(chrono_tz::Asia::Shanghai),
        locale: Locale::Zh,
        sources: BTreeMap::from([(SourceName::from(SOURCE), source)]),
        receivers: BTreeMap::from([
            receiver("support", ReceiverKind::Chat(ChatId::from("oc_a"))),
            receiver("leads", ReceiverKind::Chat(ChatId::from("oc_b"))),
            receiver("bot", ReceiverKind::Webhook),
            receiver("ops", ReceiverKind::Webhook),
        ]),
        operations: Some(ReceiverName::from("ops")),
        limits: Limits::default(),
        plan: Plan::Paid,
        access: Access::new(Look::Everyone, Direct::Nobody),
        retention: Span::from_days(90),
        storm,
        rotas: BTreeMap::new(),
        inhibits: Vec::new(),
    }
}

/// Whether a rule holds on a ticket that has been as it is for hours.
fn holds(rule: &str, truth: &Truth) -> bool {
    match rule {
        BAD => truth.score == Some(1),
        WAITING => truth.status == Status::WaitingForUser,
        _ => truth.urgent && truth.status != Status::ClosedByAgent,
    }
}

/// Everything that is not as it must be, in words.
pub(crate) fn faults(runner: &Runner) -> Vec<String> {
    let mut faults = Vec::new();
    for rule in [BAD, WAITING, URGENT] {
        for number in runner.helpdesk.versions.keys() {
            what_holds_rings(runner, rule, *number, &mut faults);
        }
    }
    for alert in runner.store.alerts.values().filter(|alert| alert.key.subject.ticket().is_some()) {
        who_must_know_knows(runner, alert, &mut faults);
    }
    cards_are_single_and_true(runner, &mut faults);
    one_message_has_buttons(runner, &mut faults);
    what_rang_had_reason(runner, &mut faults);
    kinds::faults(runner, &mut faults);
    people::faults(runner, &mut faults);
    calls::faults(runner, &mut faults);
    let long_ago = |step| runner.now.minus(if step == Step::Update { UPDATES_LATE } else { Span::from_mins(1) });
    for entry in runner.store.outbox.values().filter(|entry| entry.decided_at < long_ago(entry.key.step)) {
        faults.push(format!("still in the outbox: {:?}", entry.key));
    }
    for letter in runner.store.dead.values() {
        faults.push(format!("given up: {letter:?}"));
    }
    faults
}

fn what_holds_rings(runner: &Runner, rule: &str, number: u64, faults: &mut Vec<String>) {
    let subject = Subject::Ticket(key(number));
    let alert =
        runner.store.alerts.values().find(|alert| alert.key.subject == subject && alert.key.rule.as_str() == rule);
    let rings = alert.is_some_and(Alert::is_firing);
    let should = runner.helpdesk.tickets.get(&number).is_some_and(|truth| holds(rule, truth));
    // What someone said is handled does not ring again while it goes on holding.
    let handled = alert.is_some_and(|alert| alert.latched && alert.ended_by.is_some());
    if rings != should && !(should && handled) {
        faults.push(format!("{rule} on {number}: rings {rings}, should {should}; {alert:?}"));
    }
}

/// Whoever must be told of an alert's beginning was.
fn who_must_know_knows(runner: &Runner, alert: &Alert, faults: &mut Vec<String>) {
    let AlertState::Firing { .. } = alert.state else { return };
    let source = SourceName::from(SOURCE);
    for line in alert.lines.iter().filter(|line| !matches!(line.from, LineOf::Rung(_))) {
        let directly = |posted: &Posted| {
            posted.key.step == Step::Called
                && posted.key.receiver == line.receiver
                && posted.key.subject == alert.key.subject
                && posted.key.rule == alert.key.rule
        };
        let told = match alert.announced {
            _ if runner.chat.posted.iter().any(directly) => true,
            Announced::Cards if line.digest.is_some() => runner.chat.digests().any(|digest| {
                digest.key.receiver == line.receiver
                    && digest.key.subject == Subject::Receiver(line.receiver.clone())
                    && Some(digest.key.episode) == line.digest
                    && (digest.names.len() == DIGEST_LINES_MAX || digest.names.contains(&alert.reference()))
            }),
            Announced::Cards => runner.chat.posted.iter().filter(|card| tells_of_it(card)).any(|card| {
                card.key.receiver == line.receiver
                    && card.reference == alert.reference()
                    && card.key.rule == alert.key.rule
            }),
            Announced::Digest(number) => {
                runner.chat.digests().any(|digest| digest.key.receiver == line.receiver && digest.key.episode == number)
            }
            Announced::Nobody => runner.settings.sources[&source].catch_up == CatchUp::None,
        };
        if !told {
            faults.push(format!("{} was never told of {alert:?}", line.receiver));
        }
    }
}

/// Whether a message tells of a beginning: its own notice, or another that came first because the own was held back.
fn tells_of_it(posted: &Posted) -> bool {
    let later = matches!(posted.key.step, Step::Woken | Step::Repeated | Step::Escalated | Step::Fallback);
    posted.key.step == Step::Fired || (later && !posted.reply)
}

/// One message a notice, one card an alert and receiver, and each card shows how its alert stands.
fn cards_are_single_and_true(runner: &Runner, faults: &mut Vec<String>) {
    let told =
        |posted: &&Posted| matches!(posted.key.step, Step::Fired | Step::Digest | Step::Escalated | Step::Called);
    let mut counts: BTreeMap<_, usize> = BTreeMap::new();
    let mut live: BTreeMap<_, usize> = BTreeMap::new();
    for card in runner.chat.posted.iter().filter(told) {
        *counts.entry(card.key.clone()).or_default() += usize::from(!card.maybe_repeat);
        let alert = runner.store.alerts.values().find(|alert| {
            alert.key.subject == card.key.subject && alert.key.rule == card.key.rule && alert.episode == card.episode
        });
        let rings = alert.is_some_and(Alert::is_firing);
        if !runner.receiver_has_key(&card.key.receiver) {
            let ended = || runner.chat.posted.iter().any(|other| other.key == card_end(&card.key));
            if card.key.step == Step::Fired && !rings && !ended() {
                faults.push(format!("told the beginning and not the end: {:?}", card.key));
            }
            if card.key.step == Step::Digest && !rings_still(runner, &card.key) && !ended() {
                faults.push(format!("told a digest and not its end: {:?}", card.key));
            }
        } else if card.deleted {
            // Nobody sees it.
        } else if card.key.step == Step::Digest {
            let rings = rings_still(runner, &card.key);
            if card.firing != rings && !is_doubted(runner, &card.key) && !catches_up(runner, &card.key) {
                faults.push(format!("digest {:?} shows firing {}, its alerts say {rings}", card.key, card.firing));
            }
        } else if !card.reply && !is_doubted(runner, &card.key) {
            if card.firing != rings {
                faults.push(format!("card {:?} shows firing {}, the alert says {rings}", card.key, card.firing));
            }
            let place = (card.key.subject.clone(), card.key.rule.clone(), card.key.receiver.clone());
            *live.entry(place).or_default() += usize::from(card.firing);
        }
    }
    for (key, count) in counts {
        let most = if runner.receiver_has_key(&key.receiver) { 1 } else { 1 + runner.failures + runner.cuts };
        if count > most {
            faults.push(format!("{count} messages for {key:?}"));
        }
    }
    for (place, count) in live.into_iter().filter(|(_, count)| *count > 1) {
        faults.push(format!("{count} live cards for {place:?}"));
    }
}

/// The lines that are told of a beginning; the ladder's come later.
fn began_at(alert: &Alert) -> impl Iterator<Item = &Line> {
    alert.lines.iter().filter(|line| !matches!(line.from, LineOf::Rung(_)))
}

/// Whether an alert that a digest told still rings.
fn rings_still(runner: &Runner, digest: &NoticeKey) -> bool {
    let told = |alert: &Alert| match &digest.subject {
        Subject::Receiver(receiver) => alert
            .lines
            .iter()
            .any(|line| line.receiver == *receiver && [line.digest, line.again].contains(&Some(digest.episode))),
        subject => {
            alert.announced == Announced::Digest(digest.episode)
                && alert.key.subject.source() == subject.source()
                && began_at(alert).any(|line| line.receiver == digest.receiver)
        }
    };
    runner.store.alerts.values().any(|alert| alert.is_firing() && told(alert))
}

/// A digest's card changed in the last minutes of the history: a storm's is updated only so often.
fn catches_up(runner: &Runner, digest: &NoticeKey) -> bool {
    let update = NoticeKey { step: Step::Update, ordinal: 0, ..digest.clone() };
    runner.store.outbox.get(&update).is_some_and(|entry| entry.decided_at >= runner.now.minus(UPDATES_LATE))
}

/// History could not be read and the card was sent once more, marked: the first one, if it arrived, is out of reach.
fn is_doubted(runner: &Runner, key: &NoticeKey) -> bool {
    runner.chat.posted.iter().any(|posted| posted.key == *key && posted.maybe_repeat)
}

fn card_end(key: &NoticeKey) -> NoticeKey {
    NoticeKey { step: Step::Ended, ordinal: 0, ..key.clone() }
}

/// Of everything ever sent to one receiver about an alert one message at most has buttons, and it shows the alert as it
/// stands; what hangs on a card has none, whatever it told.
fn one_message_has_buttons(runner: &Runner, faults: &mut Vec<String>) {
    let mut live: BTreeMap<_, usize> = BTreeMap::new();
    let has_buttons =
        |posted: &&Posted| posted.buttons > 0 && !posted.deleted && runner.receiver_has_key(&posted.key.receiver);
    for posted in runner.chat.posted.iter().filter(has_buttons) {
        if posted.reply {
            faults.push(format!("a reply with buttons: {:?}", posted.key));
        }
        let (subject, rule) = (&posted.key.subject, &posted.key.rule);
        let alert = runner.store.alerts.values().find(|alert| alert.key.subject == *subject && alert.key.rule == *rule);
        let shows =
            alert.is_some_and(|alert| alert.is_firing() && (alert.episode, alert.rev) == (posted.episode, posted.rev));
        let catches_up = || is_doubted(runner, &posted.key) || catches_up(runner, &posted.key);
        if !shows && !catches_up() {
            faults.push(format!("{:?} shows revision {}, the alert is {alert:?}", posted.key, posted.rev));
        }
        if !is_doubted(runner, &posted.key) {
            *live.entry((subject.clone(), rule.clone(), posted.key.receiver.clone())).or_default() += 1;
        }
    }
    for (place, count) in live.into_iter().filter(|(_, count)| *count > 1) {
        faults.push(format!("{count} messages with buttons for {place:?}"));
    }
}

/// Every card has its reason in the journal, every reason its truth, and episodes only count up.
fn what_rang_had_reason(runner: &Runner, faults: &mut Vec<String>) {
    let mut episodes: BTreeMap<_, u32> = BTreeMap::new();
    for entry in runner.store.journal.iter().filter(|entry| entry.what == "fired") {
        let (Some(ticket), Some(rule)) = (entry.subject.ticket(), &entry.rule) else { continue };
        let last = episodes.insert((ticket.clone(), rule.clone()), entry.episode).unwrap_or(0);
        if entry.episode <= last {
            faults.push(format!("episode {} of {rule} on {ticket} after {last}", entry.episode));
        }
        let number: u64 = ticket.id.as_str().parse().unwrap();
        let versions = &runner.helpdesk.versions[&number];
        if ![BAD, WAITING, URGENT].contains(&rule.as_str()) {
            continue; // the other kinds have their own reasons
        }
        let held = versions.iter().enumerate().any(|(index, (from, truth))| {
            let until = versions.get(index + 1).map_or(entry.at, |(next, _)| *next);
            *from <= entry.at && until >= entry.at.minus(LAG_MAX) && holds(rule.as_str(), truth)
        });
        if !held {
            faults.push(format!("{rule} rang on {ticket} at {:?} although it did not hold", entry.at));
        }
    }
    for card in runner.chat.cards().filter(|card| card.key.subject.ticket().is_some()) {
        let reasoned = runner.store.journal.iter().any(|entry| {
            entry.what == "fired"
                && entry.subject == card.key.subject
                && entry.rule.as_ref() == Some(&card.key.rule)
                && entry.episode == card.key.episode
                && entry.at <= card.at
        });
        if !reasoned {
            faults.push(format!("no reason for {:?}", card.key));
        }
    }
}
