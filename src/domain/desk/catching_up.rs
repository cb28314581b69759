//! Catching up: what held already before a source was read again, or by a rule that is new, is told in one digest per
//! receiver, not one by one. What began since then is news and rings as always, and after an interruption whatever is
//! critical does.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    alert::{Alert, Announced},
    desk::{
        digests::digest_key,
        hearing::Hearing,
        judge::judge_rule,
        machine::Desk,
        members::told_of_beginning,
        outcome::Write,
        state::{Digest, Lane},
    },
    id::{ReceiverName, RuleName, SourceName, Subject},
    notice::{DigestCause, Step},
    rule::{CatchUp, Rule, Severity},
    silence::Hush,
    text::Message,
    time::{Span, Timestamp},
    verdict::Answer,
};

/// A digest is told at the latest this long after its first member, complete pass or not.
const DIGEST_WAIT_MAX: Span = Span::from_mins(2);

/// A source that is being caught up on.
#[derive(Debug, Default)]
pub(super) struct CatchingUp {
    gap: Option<Gap>,
    changed: Option<Changed>,
    /// What brings about the digest that is being gathered, as far as its members say.
    cause: Option<DigestCause>,
    /// When its first member joined.
    first_at: Option<Timestamp>,
}

/// The source was not read, ever or for a while.
#[derive(Clone, Copy, Debug)]
struct Gap {
    /// The first reading, or an interruption.
    cause: DigestCause,
    /// When it was read again.
    until: Timestamp,
    /// By which pass.
    pass: u64,
}

/// Rules are new or were changed.
#[derive(Clone, Debug)]
struct Changed {
    rules: Touched,
    at: Timestamp,
}

/// The rules by which tickets may be judged otherwise than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Touched {
    /// All of them: what the configuration says of tickets changed.
    All,
    /// These.
    Only(BTreeSet<RuleName>),
}

impl CatchingUp {
    /// The source was not read before this pass, which began then.
    pub(super) fn note_gap(&mut self, cause: DigestCause, pass: u64, until: Timestamp) {
        if self.gap.is_none_or(|gap| gap.pass < pass) {
            self.gap = Some(Gap { cause, until, pass });
        }
    }

    /// Rules changed.
    pub(super) fn note_change(&mut self, rules: Touched, at: Timestamp) {
        let rules = match (self.changed.take().map(|changed| changed.rules), rules) {
            (Some(Touched::Only(mut before)), Touched::Only(rules)) => {
                before.extend(rules);
                Touched::Only(before)
            }
            (None, rules) => rules,
            (Some(_), _) => Touched::All,
        };
        self.changed = Some(Changed { rules, at });
    }

    /// Why an alert belongs to what is caught up on: it held at the instant when that began.
    fn cause_of(&self, rule: &RuleName, held: impl Fn(Timestamp) -> bool) -> Option<DigestCause> {
        let gap = self.gap.filter(|gap| held(gap.until)).map(|gap| gap.cause);
        let changed = self.changed.as_ref().is_some_and(|changed| changed.rules.has(rule) && held(changed.at));
        match gap {
            Some(DigestCause::Downtime) | None if changed => Some(DigestCause::RuleChange),
            gap => gap,
        }
    }

    fn join(&mut self, cause: DigestCause, now: Timestamp) {
        self.first_at.get_or_insert(now);
        self.cause = Some(match self.cause {
            Some(known) if known != DigestCause::RuleChange => known,
            _ => cause,
        });
    }

    pub(super) fn flush_at(&self) -> Timestamp {
        self.first_at.map_or(Timestamp::NEVER, |first| first.plus(DIGEST_WAIT_MAX))
    }

    pub(super) fn rewind(&mut self, now: Timestamp) {
        self.first_at = self.first_at.map(|at| at.min(now));
        self.gap = self.gap.map(|gap| Gap { until: gap.until.min(now), ..gap });
        if let Some(changed) = &mut self.changed {
            changed.at = changed.at.min(now);
        }
    }
}

impl Touched {
    fn has(&self, rule: &RuleName) -> bool {
        match self {
            Self::All => true,
            Self::Only(rules) => rules.contains(rule),
        }
    }
}

/// Whether what rings now held at an instant already, as far as anyone can tell.
pub(super) fn held_at(rule: &Rule, alert: &Alert, hearing: &Hearing, at: Timestamp) -> bool {
    if alert.fired_at().is_some_and(|fired_at| fired_at <= at) {
        return true;
    }
    if !rule.hold.is_none() {
        return rule.hold.ends(alert.since) <= at;
    }
    let Some(seen) = hearing.seen() else { return true };
    if seen.ticket.last_moved_at().is_some_and(|moved| moved > at) {
        return false;
    }
    // The ticket is what it was at that instant: only time went on.
    rule.is_event() || judge_rule(rule, &seen, at).answer != Answer::No
}

impl Desk {
    /// How a beginning is told that held before, and why so; nothing where it rings as always.
    pub(super) fn catch_up(
        &self,
        rule: &Rule,
        alert: &Alert,
        hearing: &Hearing,
    ) -> Option<(SourceName, CatchUp, DigestCause)> {
        let name = alert.key.subject.source()?;
        let catching_up = self.sources.get(name)?.catching_up.as_ref()?;
        let cause = catching_up.cause_of(&rule.name, |at| held_at(rule, alert, hearing, at))?;
        let how = rule.catch_up.unwrap_or(self.settings.sources.get(name)?.catch_up);
        let urgent = cause == DigestCause::Downtime && alert.severity == Severity::Critical;
        let rings = how == CatchUp::Digest && urgent;
        (!rings).then(|| (name.clone(), how, cause))
    }

    /// Puts an alert into the digest that is being gathered, and says its number.
    pub(super) fn join_digest(&mut self, source: &SourceName, cause: DigestCause, now: Timestamp) -> u32 {
        let Some(source) = self.sources.get_mut(source) else { return 0 };
        if let Some(catching_up) = &mut source.catching_up {
            catching_up.join(cause, now);
        }
        source.state.digest + 1
    }

    /// Alerts that joined a digest which was never told, because the process was cut, join it again.
    pub(super) fn rejoin_digest(&mut self, name: &SourceName, now: Timestamp) {
        let Some(source) = self.sources.get(name) else { return };
        let (known, pass, number) = (source.state.cursor.is_some(), source.state.pass, source.state.digest + 1);
        let members: Vec<Alert> =
            self.digest_members(&Subject::Source(name.clone()), number).into_iter().cloned().collect();
        if members.is_empty() {
            return;
        }
        let cause = if known { DigestCause::Downtime } else { DigestCause::Baseline };
        let rules: Vec<RuleName> = members.iter().map(|alert| self.rule_called(alert).clone()).collect();
        let Some(source) = self.sources.get_mut(name) else { return };
        let catching_up = source.catching_up.get_or_insert_with(|| {
            let mut fresh = CatchingUp::default();
            fresh.note_gap(cause, pass, now);
            fresh
        });
        for rule in rules {
            let cause = catching_up.cause_of(&rule, |_| true).unwrap_or(cause);
            catching_up.join(cause, now);
        }
    }

    /// The pass is complete: tells the digest, and catching up is over.
    pub(super) fn finish_digest(&mut self, name: &SourceName, now: Timestamp) {
        self.tell_digest(name, now);
        if let Some(source) = self.sources.get_mut(name) {
            source.catching_up = None;
        }
    }

    /// Tells what was gathered so far: each receiver what nothing holds back for it.
    pub(super) fn tell_digest(&mut self, name: &SourceName, now: Timestamp) {
        let Some(source) = self.sources.get_mut(name) else { return };
        let Some(catching_up) = &mut source.catching_up else { return };
        catching_up.first_at = None;
        let Some(cause) = catching_up.cause.take() else { return };
        source.state.digest += 1;
        let (gathered, state) = (source.state.digest, Box::new(source.state.clone()));
        self.write(Write::Source(state));
        let subject = Subject::Source(name.clone());
        let members = self.digest_members(&subject, gathered);
        let firing: Vec<Alert> = members.into_iter().filter(|alert| alert.is_firing()).cloned().collect();
        let mut numbers: BTreeMap<ReceiverName, u32> = BTreeMap::new();
        let mut critical: BTreeSet<ReceiverName> = BTreeSet::new();
        let mut count = 0;
        for alert in firing {
            let told = self.tell_caught_up(&alert, cause, &mut numbers, now);
            count += usize::from(!told.is_empty());
            if alert.severity == Severity::Critical {
                critical.extend(told);
            }
        }
        if count == 0 {
            return;
        }
        let words = cause.words();
        let note = Message::new(
            format!("{}：{count} 条提醒合为一条汇总", words.zh),
            format!("{}: {count} alerts told as one digest", words.en),
        );
        self.journal(now, (&subject, None, gathered), "digest", note);
        for (receiver, number) in numbers {
            let critical = critical.contains(&receiver);
            self.begin_caught_up((receiver, number), cause, critical, now);
        }
    }

    /// A receiver's digest of what was caught up on.
    fn begin_caught_up(
        &mut self,
        (receiver, number): (ReceiverName, u32),
        cause: DigestCause,
        critical: bool,
        now: Timestamp,
    ) {
        let of = Subject::Receiver(receiver.clone());
        let lane = if critical { Lane::Critical } else { Lane::Updates };
        self.enqueue(digest_key(&of, number, Step::Digest, &receiver), lane, None, now);
        self.put_digest(Digest {
            of,
            number,
            cause,
            rule: None,
            critical,
            began_at: now,
            joined_at: now,
            closed_at: Some(now),
            receivers: vec![receiver],
            hops: Vec::new(),
            rev: 1,
            joined_rev: 1,
        });
    }

    /// Has each receiver of an alert told by its digest, but for those from whom something holds it back; says whom.
    fn tell_caught_up(
        &mut self,
        alert: &Alert,
        cause: DigestCause,
        numbers: &mut BTreeMap<ReceiverName, u32>,
        now: Timestamp,
    ) -> Vec<ReceiverName> {
        let lines: Vec<ReceiverName> = told_of_beginning(alert).map(|line| line.receiver.clone()).collect();
        let hushed: Vec<(ReceiverName, Option<Hush>)> = lines
            .into_iter()
            .map(|receiver| {
                let hush = self.hushed(alert, &receiver, now);
                (receiver, hush)
            })
            .collect();
        let (mut alert, mut told, mut words) = (alert.clone(), Vec::new(), Message::default());
        alert.announced = Announced::Cards;
        for (receiver, hush) in hushed {
            if let Some(hush) = hush {
                self.hold_line(&mut alert, &receiver, &hush, now);
                continue;
            }
            let of = Subject::Receiver(receiver.clone());
            let number = match numbers.get(&receiver) {
                Some(number) => *number,
                None => self.next_receiver_digest(&of, now),
            };
            numbers.insert(receiver.clone(), number);
            if let Some(line) = alert.lines.iter_mut().find(|line| line.receiver == receiver) {
                line.digest = Some(number);
            }
            let reference = digest_key(&of, number, Step::Digest, &receiver).reference();
            let one = (format!("发给 {receiver} 的汇总 #{reference}"), format!("{receiver} in digest #{reference}"));
            words = match words.zh.is_empty() {
                true => Message::new(one.0, one.1),
                false => Message::new(format!("{}、{}", words.zh, one.0), format!("{}, {}", words.en, one.1)),
            };
            told.push(receiver);
        }
        let place = (&alert.key.subject, Some(&alert.key.rule), alert.episode);
        if !told.is_empty() {
            let why = cause.words();
            let note =
                Message::new(format!("{}，并入{}", why.zh, words.zh), format!("{}: goes to {}", why.en, words.en));
            self.journal(now, place, "digest", note);
        }
        self.put_alert(alert);
        told
    }
}
