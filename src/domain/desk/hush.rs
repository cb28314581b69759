//! Holding notices back: silences, alerts that say as much, quiet hours. No alert's state depends on any of it; what is
//! held back is marked on the alert's line, and told when nothing holds it back any more.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::domain::{
    alert::{Alert, AlertKey, Line, LineOf},
    condition::Condition,
    desk::{
        hearing::Cause,
        machine::Desk,
        outbox::card_of,
        pump::may_have_arrived,
        settings::{Inhibit, Shared},
        state::{CardKey, CardShows, Entry},
    },
    id::{ReceiverName, RuleName, SilenceId, Subject},
    notice::{NoticeKey, Step},
    seen::Seen,
    silence::{About, Hush, Matcher, Silence},
    text::Message,
    time::Timestamp,
};

/// Silences, and what is held back.
#[derive(Debug)]
pub(super) struct Hushing {
    /// Those in force, and the last one that was: no number is given away twice.
    pub(super) silences: BTreeMap<SilenceId, Silence>,
    /// Alerts of which something is held back; some of them may be over.
    pub(super) held: BTreeSet<AlertKey>,
    /// When they are looked at again.
    pub(super) look_at: Timestamp,
    /// Something that hushed is over, other than quiet hours.
    pub(super) something_ended: bool,
    /// Fresh data was asked for at this instant, before what was held back is told.
    pub(super) asked_at: Option<Timestamp>,
    /// What the journal last said was held back, and why: the episode and the words, by what it is about and for whom.
    said: BTreeMap<(Subject, RuleName, ReceiverName), (u32, Message)>,
}

impl Default for Hushing {
    fn default() -> Self {
        Self {
            silences: BTreeMap::new(),
            held: BTreeSet::new(),
            look_at: Timestamp::NEVER,
            something_ended: false,
            asked_at: None,
            said: BTreeMap::new(),
        }
    }
}

impl Hushing {
    /// Silences in force.
    pub(super) fn in_force(&self) -> impl Iterator<Item = &Silence> {
        self.silences.values().filter(|silence| silence.ended_by.is_none())
    }

    /// What is held back is looked at before anything is sent.
    pub(super) fn look_again(&mut self) {
        self.look_at = Timestamp::MIN;
    }

    /// A ticket changed: what hushed an alert may do so no longer.
    pub(super) fn note(&mut self, cause: &Cause, inhibits: &[Inhibit]) {
        let looks = |matcher: &Matcher| matcher.when.is_some() || matcher.team.is_some();
        let changes = matches!(cause, Cause::Observed(Some(_))) && !self.held.is_empty();
        let by_ticket = || {
            self.in_force().any(|silence| looks(&silence.matches))
                || inhibits.iter().any(|inhibit| looks(&inhibit.while_ringing) || looks(&inhibit.mutes))
        };
        if changes && by_ticket() {
            self.look_again();
        }
    }

    /// The conditions of silences mean something else, or nothing any more.
    pub(super) fn understand(&mut self, conditions: &BTreeMap<Arc<str>, Option<Condition>>) {
        for when in self.silences.values_mut().filter_map(|silence| silence.matches.when.as_mut()) {
            if let Some(condition) = conditions.get(&when.text) {
                when.condition.clone_from(condition);
            }
        }
    }

    /// When a tick must see to silences and what is held back.
    pub(super) fn next_due(&self) -> Timestamp {
        let over = self.in_force().map(|silence| silence.until).min().unwrap_or(Timestamp::NEVER);
        if self.held.is_empty() { over } else { over.min(self.look_at) }
    }
}

impl Desk {
    /// Why a receiver is not told of an alert now, where something holds it back.
    pub(super) fn hushed(&self, alert: &Alert, receiver: &ReceiverName, now: Timestamp) -> Option<Hush> {
        let silence = self.silence_on(alert).filter(|silence| silence.until > now);
        silence
            .map(|silence| Hush::Silenced { id: silence.id, until: silence.until })
            .or_else(|| self.inhibited(alert))
            .or_else(|| self.in_quiet_hours(alert, receiver, now))
    }

    /// The silence that matches an alert, the one that lasts longest.
    pub(super) fn silence_on(&self, alert: &Alert) -> Option<&Silence> {
        let about = self.about(alert);
        let matching = self.hush.in_force().filter(|silence| silence.matches.matches(&about));
        matching.max_by_key(|silence| silence.until)
    }

    /// An alert as matchers look at it.
    pub(super) fn about<'a>(&'a self, alert: &'a Alert) -> About<'a> {
        let seen = alert.key.subject.ticket().and_then(|key| {
            let tracked = &self.tickets.get(key)?.tracked;
            Some(Seen::at_rest(&tracked.ticket, &tracked.facts, self.labels_of(&key.source)))
        });
        About { alert, rule: self.rule_named(&alert.key.rule).map(|rule| &**rule), seen }
    }

    fn in_quiet_hours(&self, alert: &Alert, receiver: &ReceiverName, now: Timestamp) -> Option<Hush> {
        let receiver = self.settings.receiver(receiver)?;
        let quiet = receiver.quiet.as_ref()?;
        let passes = quiet.except.is_some_and(|least| alert.severity >= least);
        (!passes && quiet.hours.is_open(now)).then(|| Hush::Quiet { until: quiet.hours.turns_after(now) })
    }

    /// The alert that rings and says as much, where one does.
    fn inhibited(&self, alert: &Alert) -> Option<Hush> {
        if self.settings.inhibits.is_empty() {
            return None;
        }
        let target = self.about(alert);
        let mut matching = self.settings.inhibits.iter().filter(|inhibit| inhibit.mutes.matches(&target));
        let found = matching.find_map(|inhibit| self.inhibitor(inhibit, &target))?;
        Some(Hush::Inhibited { rule: self.rule_called(found).clone(), reference: found.reference() })
    }

    /// A ringing alert by which `inhibit` holds `target` back.
    fn inhibitor(&self, inhibit: &Inhibit, target: &About<'_>) -> Option<&Alert> {
        let rings = |alert: &&Alert| {
            let source = self.about(alert);
            inhibits(inhibit, &source, target) && !self.is_inhibited_back(target, &source)
        };
        if inhibit.same.contains(&Shared::Ticket) {
            return self.alerts.get(&target.alert.key.subject)?.iter().find(rings);
        }
        let ringing = &inhibit.while_ringing;
        let serious = |severity| ringing.severity.is_none_or(|least| severity >= least);
        self.ringing_by(ringing.rule.as_ref(), serious).find(rings)
    }

    /// Two alerts that would hold each other back are both told.
    fn is_inhibited_back(&self, source: &About<'_>, target: &About<'_>) -> bool {
        self.settings.inhibits.iter().any(|inhibit| inhibits(inhibit, source, target))
    }

    /// Whether a notice that would go now is held back. What may have arrived is seen through; updates, endings,
    /// answers and troubles are never held back.
    pub(super) fn hush_of(&self, entry: &Entry, now: Timestamp) -> Option<Hush> {
        let key = &entry.key;
        if may_have_arrived(entry) {
            return None;
        }
        if is_ringing(key.step) {
            let alert = AlertKey { subject: key.subject.clone(), rule: key.rule.clone() };
            return self.hushed(self.episode(&alert, key.episode)?, &key.receiver, now);
        }
        if key.step != Step::Digest {
            return None;
        }
        let mut soonest: Option<Hush> = None;
        for alert in self.told_by(key) {
            let hush = self.hushed(alert, &key.receiver, now)?; // one that is not is enough
            if soonest.as_ref().is_none_or(|known| hush.until() < known.until()) {
                soonest = Some(hush);
            }
        }
        soonest
    }

    /// The firing alerts of which a digest tells its receiver.
    fn told_by(&self, key: &NoticeKey) -> impl Iterator<Item = &Alert> {
        self.told_to(&key.subject, key.episode, &key.receiver).into_iter().filter(|alert| alert.is_firing())
    }

    /// Takes a notice out of the outbox and marks what it would have told as held back.
    pub(super) fn hold(&mut self, entry: &Entry, hush: &Hush, now: Timestamp) {
        let key = &entry.key;
        self.forget_notice(key);
        self.counters.dropped += 1;
        self.journal_held((&key.subject, &key.rule, key.episode), &key.receiver, hush, now);
        let told: Vec<Alert> = if key.step == Step::Digest {
            let told = self.told_by(key).cloned().collect();
            self.dissolve(key);
            told
        } else {
            let alert = AlertKey { subject: key.subject.clone(), rule: key.rule.clone() };
            self.alert(&alert)
                .filter(|alert| alert.is_firing() && alert.episode == key.episode)
                .cloned()
                .into_iter()
                .collect()
        };
        for alert in told {
            self.mark_held(alert, key);
        }
        self.show_untold(key, now);
        self.hush.look_at = self.hush.look_at.min(hush.until());
    }

    /// A receiver is not told of an alert now: that is marked as held back.
    pub(super) fn hold_line(&mut self, alert: &mut Alert, receiver: &ReceiverName, hush: &Hush, now: Timestamp) {
        self.journal_held((&alert.key.subject, &alert.key.rule, alert.episode), receiver, hush, now);
        for line in alert.lines.iter_mut().filter(|line| line.receiver == *receiver) {
            line.held = true;
        }
        self.hush.held.insert(alert.key.clone());
        self.hush.look_at = self.hush.look_at.min(hush.until().max(now));
    }

    fn journal_held(
        &mut self,
        (subject, rule, episode): (&Subject, &RuleName, u32),
        receiver: &ReceiverName,
        hush: &Hush,
        now: Timestamp,
    ) {
        let why = hush.words(self.settings.zone);
        let to = self.receiver_words(receiver);
        let note = Message::new(format!("没有发给 {to}：{}", why.zh), format!("not sent to {to}: {}", why.en));
        // Repeats and steps that the same thing holds back are no news.
        let said = (episode, why);
        if self.hush.said.insert((subject.clone(), rule.clone(), receiver.clone()), said.clone()).as_ref()
            != Some(&said)
        {
            self.journal(now, (subject, Some(rule), episode), "held", note);
        }
    }

    /// A step of an alert's ladder is held back: the line is marked, and what the journal says of it says so.
    pub(super) fn hold_step(
        &mut self,
        mut alert: Alert,
        receiver: &ReceiverName,
        hush: &Hush,
        now: Timestamp,
    ) -> Alert {
        // The step's own line in the journal says it.
        let place = (alert.key.subject.clone(), alert.key.rule.clone(), receiver.clone());
        self.hush.said.insert(place, (alert.episode, hush.words(self.settings.zone)));
        self.hold_line(&mut alert, receiver, hush, now);
        self.put_alert(alert.clone());
        alert
    }

    /// Why something of an alert was held back from a receiver, as the journal last said; since a start nobody knows.
    pub(super) fn why_held(&self, alert: &Alert, receiver: &ReceiverName) -> Message {
        let place = (alert.key.subject.clone(), alert.key.rule.clone(), receiver.clone());
        let said = self.hush.said.get(&place).filter(|(episode, _)| *episode == alert.episode);
        said.map_or_else(
            || Message::new("静默、抑制或免打扰", "a silence, another alert or quiet hours"),
            |(_, why)| why.clone(),
        )
    }

    fn mark_held(&mut self, mut alert: Alert, key: &NoticeKey) {
        let stays = |number: Option<u32>| number.filter(|number| Some(*number) != dissolved(key));
        match alert.lines.iter_mut().find(|line| line.receiver == key.receiver) {
            Some(line) => {
                let before = line.clone();
                *line = Line { digest: stays(line.digest), again: stays(line.again), held: true, ..before.clone() };
                if *line != before {
                    self.put_alert(alert.clone());
                }
            }
            // A call tells nobody by itself.
            None if matches!(key.step, Step::Called | Step::Urged) => return,
            None => {
                alert.lines.push(Line { held: true, ..Line::new(key.receiver.clone(), LineOf::Nothing) });
                self.put_alert(alert.clone());
            }
        }
        self.hush.held.insert(alert.key);
    }

    /// A receiver's digest that was not told is none: its alerts are told anew when nothing holds them back.
    fn dissolve(&mut self, key: &NoticeKey) {
        if let Some(number) = dissolved(key) {
            self.drop_digest(&key.subject, number);
        }
    }

    /// What was to be repeated while we were away, and would have been held back then, comes with all else that was held
    /// back: in one notice, once nothing holds it back any more.
    pub(super) fn hold_overdue(&mut self, now: Timestamp) {
        let mut held: Vec<(Alert, ReceiverName, Hush)> = Vec::new();
        for alert in self.alerts.values().flatten().filter(|alert| alert.is_firing() && !alert.is_taken()) {
            for line in alert.lines.iter().filter(|line| !line.held) {
                let due = line.next_at.filter(|at| *at <= now);
                if let Some(hush) = due.and_then(|at| self.hushed_then(alert, &line.receiver, at)) {
                    held.push((alert.clone(), line.receiver.clone(), hush));
                }
            }
        }
        for (alert, receiver, hush) in held {
            let Some(mut alert) = self.alert(&alert.key).cloned() else { continue };
            self.hold_line(&mut alert, &receiver, &hush, now);
            self.put_alert(alert);
        }
    }

    /// What held a receiver's notices of an alert back at an instant since which nobody looked.
    fn hushed_then(&self, alert: &Alert, receiver: &ReceiverName, at: Timestamp) -> Option<Hush> {
        let about = self.about(alert);
        let lasted = |silence: &&Silence| (silence.from..silence.until).contains(&at);
        let silence = self.hush.in_force().filter(lasted).find(|silence| silence.matches.matches(&about));
        silence
            .map(|silence| Hush::Silenced { id: silence.id, until: silence.until })
            .or_else(|| self.in_quiet_hours(alert, receiver, at))
    }

    /// A notice goes out: what it tells is held back no longer.
    pub(super) fn note_told(&mut self, key: &NoticeKey, now: Timestamp) {
        self.hush.said.remove(&(key.subject.clone(), key.rule.clone(), key.receiver.clone()));
        if !is_ringing(key.step) || self.hush.held.is_empty() {
            return;
        }
        let alert = AlertKey { subject: key.subject.clone(), rule: key.rule.clone() };
        let Some(mut alert) = self.alert(&alert).filter(|alert| alert.episode == key.episode).cloned() else { return };
        let held = alert.lines.iter_mut().find(|line| line.held && line.receiver == key.receiver);
        if let Some(line) = held {
            line.held = false;
            self.put_heard(alert, now);
        }
    }

    /// An alert ends: nothing of it is told any more, and what it held back may be.
    pub(super) fn note_ended(&mut self, alert: &mut Alert) {
        alert.lines.iter_mut().for_each(|line| line.held = false);
        for line in &alert.lines {
            let place = (alert.key.subject.clone(), alert.key.rule.clone(), line.receiver.clone());
            self.hush.said.remove(&place);
        }
        if !self.settings.inhibits.is_empty() {
            self.hush.something_ended = true;
            self.hush.look_again();
        }
    }

    /// Whether a receiver knows of an alert's present episode: by a card of its own or by a digest's.
    pub(super) fn knows(&self, alert: &Alert, line: &Line) -> bool {
        let digest = |of: Subject, number: u32| {
            let shows = CardShows::Digest(of, number);
            self.cards.contains_key(&CardKey { shows, receiver: line.receiver.clone() })
        };
        let by_receiver = || line.digest.is_some_and(|number| digest(Subject::Receiver(line.receiver.clone()), number));
        let by_source = || match (alert.announced, alert.key.subject.source()) {
            (crate::domain::alert::Announced::Digest(number), Some(source)) => {
                digest(Subject::Source(source.clone()), number)
            }
            _ => false,
        };
        self.cards.contains_key(&card_of(alert, &line.receiver)) || by_receiver() || by_source()
    }
}

/// What rings, as against what only catches up, ends or answers.
pub(super) const fn is_ringing(step: Step) -> bool {
    matches!(
        step,
        Step::Fired | Step::Repeated | Step::Escalated | Step::Woken | Step::Fallback | Step::Called | Step::Urged
    )
}

/// The number of the receiver's digest that is given up when this notice is held back.
fn dissolved(key: &NoticeKey) -> Option<u32> {
    (key.step == Step::Digest && matches!(key.subject, Subject::Receiver(_))).then_some(key.episode)
}

/// Whether `source` holds `target` back by this rule.
///
/// An alert that both sides match is not held back by another that both sides match, nor by itself; one that is more
/// serious only where `mutes` names its rule. What is in trial rings for nobody and holds nothing back.
fn inhibits(inhibit: &Inhibit, source: &About<'_>, target: &About<'_>) -> bool {
    let (ringing, muted) = (source.alert, target.alert);
    if !ringing.is_firing() || ringing.trial || ringing.key == muted.key {
        return false;
    }
    let may = muted.severity <= ringing.severity || inhibit.mutes.rule.is_some();
    let same = |shared: &Shared| match shared {
        Shared::Ticket => ringing.key.subject.ticket().is_some() && ringing.key.subject == muted.key.subject,
        Shared::Source => source.source().is_some() && source.source() == target.source(),
        Shared::Team => source.team().is_some() && source.team() == target.team(),
    };
    may && inhibit.while_ringing.matches_ringing(source)
        && inhibit.mutes.matches(target)
        && inhibit.same.iter().all(same)
        && !(inhibit.mutes.matches(source) && inhibit.while_ringing.matches_ringing(target))
}
