//! What a firing alert does while nobody ends it: it repeats, and climbs its ladder.

use crate::domain::{
    alert::{Alert, AlertKey, AlertState, Announced, Line, LineOf},
    desk::{
        hearing::{Cause, Hearing},
        life,
        lists::{Coming, ComingWhat},
        machine::Desk,
        whom::next_repeat,
    },
    id::ReceiverName,
    notice::{self, NoticeKey},
    rule::{Mode, Rule, RuleKind, Rung, RungAt},
    silence::Hush,
    text::Message,
    time::{Span, Timestamp},
    verdict::{Answer, Verdict},
};

/// After the ladder's end `fallback` is told this often while nobody acts.
pub(super) const FALLBACK_EVERY: Span = Span::from_mins(30);

/// How often at most, in one episode: for a day.
const FALLBACKS_MAX: u32 = 48;

/// When a matter must be looked at again, and what is missing until then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outlook {
    pub(super) due: Timestamp,
    pub(super) wants_fresh: bool,
    pub(super) wants_messages: bool,
}

impl Outlook {
    pub(super) const fn clear() -> Self {
        Self { due: Timestamp::NEVER, wants_fresh: false, wants_messages: false }
    }

    pub(super) fn at(&mut self, due: Timestamp) {
        self.due = self.due.min(due);
    }
}

impl Desk {
    /// Sees to an alert that lives on: what is due is told, and what comes next is noted.
    pub(super) fn attend(
        &mut self,
        rule: &Rule,
        key: &AlertKey,
        hearing: &Hearing,
        outlook: &mut Outlook,
        now: Timestamp,
    ) {
        let Some(alert) = self.alert(key) else { return };
        let AlertState::Firing { fired_at, .. } = alert.state else {
            // Held long enough and still pending: nobody knows whether it holds, and time alone will not tell.
            let rings_at = rule.hold.ends(alert.since);
            if alert.state == AlertState::Pending && rings_at > now {
                outlook.at(rings_at);
            }
            return;
        };
        outlook.at(life::expires_at(rule, hearing.ticket(), fired_at));
        if let Some(since) = alert.quiet_since {
            let over = since.plus(rule.keep_firing_for);
            if over > now {
                outlook.at(over);
            }
            return; // while it only keeps firing nobody is called again
        }
        if matches!(rule.mode, Mode::Trial(_)) {
            return;
        }
        let alert = alert.clone();
        let alert = self.take_by_reply(alert, hearing, now);
        if alert.taken.is_some() {
            return self.mind_taken(&alert, hearing, outlook, now);
        }
        let Some(alert) = self.wake(rule, alert, hearing, outlook, now) else { return };
        if alert.announced == Announced::Nobody {
            return;
        }
        let alert = self.repeat(rule, alert, hearing, outlook, now);
        let alert = self.climb(rule, alert, hearing, outlook, now);
        self.fall_back(rule, alert, hearing, outlook, now);
    }

    /// Sends the repeats that are due.
    fn repeat(
        &mut self,
        rule: &Rule,
        mut alert: Alert,
        hearing: &Hearing,
        outlook: &mut Outlook,
        now: Timestamp,
    ) -> Alert {
        let ready = hearing.fresh || hearing.patience_over;
        let (mut told, mut moved) = (Vec::new(), false);
        for line in &mut alert.lines {
            let Some(next_at) = line.next_at else { continue };
            if next_at > now {
                outlook.at(next_at);
            } else if ready {
                line.repeats += 1;
                line.next_at = next_repeat(rule, line.from, line.repeats).map(|wait| wait.ends(now));
                outlook.at(line.next_at.unwrap_or(Timestamp::NEVER));
                moved = true;
                if line.held {
                    self.hush.look_again(); // it comes with all else that was held back, in one notice
                } else {
                    told.push((line.receiver.clone(), line.repeats));
                }
            } else {
                outlook.wants_fresh = true;
            }
        }
        if moved {
            self.put_alert(alert.clone());
        }
        for (receiver, ordinal) in told {
            alert = self.tell_again(alert, notice::Step::Repeated, ordinal, &receiver, now);
        }
        alert
    }

    /// Climbs to the highest rung that is reached; of several only the last one tells anyone.
    fn climb(
        &mut self,
        rule: &Rule,
        mut alert: Alert,
        hearing: &Hearing,
        outlook: &mut Outlook,
        now: Timestamp,
    ) -> Alert {
        let climbed = usize::try_from(alert.rung).unwrap_or(usize::MAX);
        let mut highest = None;
        for (at, rung) in rule.ladder.iter().enumerate().skip(climbed) {
            let reached = reached(rule, rung, &alert, hearing, now);
            if reached.answer != Answer::Yes {
                outlook.at(reached.valid_until);
                break;
            }
            highest = Some((at, rung));
        }
        let Some((at, rung)) = highest else { return alert };
        if !hearing.fresh && !hearing.patience_over {
            outlook.wants_fresh = true;
            return alert;
        }
        alert.rung = u32::try_from(at + 1).unwrap_or(u32::MAX);
        let before = alert.severity;
        alert.severity = rung.severity.unwrap_or(before);
        if alert.severity != before {
            self.hush.look_again(); // what held it back may not hold back what is more serious
        }
        alert.rev += 1;
        let receiver = self.whom(&rung.to, hearing, now);
        let hush = receiver.as_ref().and_then(|receiver| self.hushed(&alert, receiver, now));
        let note = self.step_note(at + 1, receiver.as_ref(), hush.as_ref());
        self.journal(now, (&alert.key.subject, Some(&alert.key.rule), alert.episode), "escalated", note);
        if let Some(receiver) = &receiver
            && alert.lines.iter().all(|line| line.receiver != *receiver)
        {
            let from = LineOf::rung(at);
            alert.lines.push(Line::new(receiver.clone(), from));
        }
        self.put_alert(alert.clone());
        if let (Some(receiver), Some(hush)) = (&receiver, &hush) {
            alert = self.hold_step(alert, receiver, hush, now);
        }
        self.refresh_cards(&alert.key, now);
        if let Some(receiver) = receiver.filter(|_| hush.is_none()) {
            let ordinal = NoticeKey::ladder_ordinal(alert.rounds, alert.rung);
            alert = self.tell_again(alert, notice::Step::Escalated, ordinal, &receiver, now);
        }
        alert
    }

    /// What the journal says of a step of the ladder.
    fn step_note(&self, step: usize, receiver: Option<&ReceiverName>, hush: Option<&Hush>) -> Message {
        let to = receiver.map_or_else(|| "-".to_string(), |receiver| self.receiver_words(receiver));
        match hush.map(|hush| hush.words(self.settings.zone)) {
            Some(why) => Message::new(
                format!("升级第 {step} 步，没有通知 {to}：{}", why.zh),
                format!("step {step} of the ladder, {to} was not told: {}", why.en),
            ),
            None => {
                Message::new(format!("升级第 {step} 步，通知 {to}"), format!("step {step} of the ladder, telling {to}"))
            }
        }
    }

    /// At the ladder's end, while nobody acts: tells `fallback` every half hour, for a day.
    fn fall_back(&mut self, rule: &Rule, mut alert: Alert, hearing: &Hearing, outlook: &mut Outlook, now: Timestamp) {
        let Some(to) = &rule.fallback else { return };
        let climbed = usize::try_from(alert.rung).unwrap_or(usize::MAX) >= rule.ladder.len();
        if !climbed || alert.fallbacks >= FALLBACKS_MAX {
            return;
        }
        let Some(due) = alert.fallback_at else {
            alert.fallback_at = Some(now.plus(FALLBACK_EVERY));
            outlook.at(now.plus(FALLBACK_EVERY));
            let note = match self.rung_untold(&alert) {
                Some(untold) => Message::new(
                    format!("升级已到最后一步，但{}；此后每 30 分钟通知 {to}", untold.zh),
                    format!("the ladder is at its end, but {}; {to} is told every 30 minutes from now on", untold.en),
                ),
                None => Message::new(
                    format!("升级已到最后一步，无人接手；此后每 30 分钟通知 {to}"),
                    format!("the ladder is at its end and nobody took it: {to} is told every 30 minutes from now on"),
                ),
            };
            self.change(alert, "ladder_end", note, now);
            return;
        };
        if now < due {
            return outlook.at(due);
        }
        if !hearing.fresh && !hearing.patience_over {
            outlook.wants_fresh = true;
            return;
        }
        alert.fallbacks += 1;
        alert.fallback_at = (alert.fallbacks < FALLBACKS_MAX).then(|| now.plus(FALLBACK_EVERY));
        outlook.at(alert.fallback_at.unwrap_or(Timestamp::NEVER));
        let receiver = self.whom(to, hearing, now);
        let told = receiver.as_ref().map_or_else(|| "-".to_string(), |receiver| self.receiver_words(receiver));
        let note = Message::new(
            format!("仍无人接手，第 {} 次通知 {told}", alert.fallbacks),
            format!("still nobody took it: {told} is told, time {}", alert.fallbacks),
        );
        let place = (&alert.key.subject, Some(&alert.key.rule), alert.episode);
        self.journal(now, place, "fallback", note);
        if let Some(receiver) = &receiver
            && alert.lines.iter().all(|line| line.receiver != *receiver)
        {
            alert.lines.push(Line::new(receiver.clone(), LineOf::Nothing));
        }
        let last = alert.fallbacks == FALLBACKS_MAX;
        let reference = alert.reference();
        self.put_alert(alert.clone());
        if let Some(receiver) = receiver {
            let ordinal = NoticeKey::ladder_ordinal(alert.rounds, alert.fallbacks);
            self.tell_again(alert, notice::Step::Fallback, ordinal, &receiver, now);
        }
        if last {
            let message = Message::new(
                format!("提醒 #{reference}（{}）一天无人处理，不再通知 {told}。请接手，或改规则的 escalate", rule.name),
                format!(
                    "nobody acted on alert #{reference} ({}) for a day; {told} is told no more. Take it, or change the rule's `escalate`",
                    rule.name
                ),
            );
            self.trouble("nobody_acted", message, now);
        }
    }

    /// The rung that is reached next, and when, if the ticket stays as it is; nothing at the ladder's end.
    pub(super) fn next_rung(&self, rule: &Rule, alert: &Alert, now: Timestamp) -> Option<Coming> {
        let rung = rule.ladder.get(usize::try_from(alert.rung).ok()?)?;
        let subject = &alert.key.subject;
        let hearing = match subject.ticket() {
            Some(key) => self.hearing(key, &Cause::Time, now)?,
            None => Hearing::group(subject.clone(), 0, now, true, true),
        };
        let verdict = reached(rule, rung, alert, &hearing, now);
        let at = if verdict.answer == Answer::Yes { now } else { verdict.valid_until };
        let to = self.whom(&rung.to, &hearing, at);
        Some(Coming { what: ComingWhat::Rung(alert.rung + 1), at: (!at.is_never()).then_some(at), to })
    }

    /// The rung on which an SLA's alert begins: the highest that is reached.
    pub(super) fn first_rung(&self, rule: &Rule, hearing: &Hearing, now: Timestamp) -> Option<usize> {
        let RuleKind::Sla(sla) = &rule.kind else { return None };
        let seen = hearing.seen()?;
        let is_reached = |rung: &&Rung| sla.reached(rung, &seen, now).answer == Answer::Yes;
        rule.ladder.iter().take_while(is_reached).count().checked_sub(1)
    }
}

/// Whether a rung is reached, and when it will be.
fn reached(rule: &Rule, rung: &Rung, alert: &Alert, hearing: &Hearing, now: Timestamp) -> Verdict {
    match (&rung.at, &rule.kind, hearing.seen()) {
        (RungAt::After(wait), ..) => {
            let from = alert.ladder_from.or(alert.fired_at());
            let at = from.map_or(Timestamp::NEVER, |from| wait.ends(from));
            if at <= now { Verdict::lasting(Answer::Yes) } else { Verdict { answer: Answer::No, valid_until: at } }
        }
        (RungAt::Sla(_), RuleKind::Sla(sla), Some(seen)) => sla.reached(rung, &seen, now),
        (RungAt::Sla(_), ..) => Verdict::lasting(Answer::No),
    }
}
