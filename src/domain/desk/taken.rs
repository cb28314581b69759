//! Who works on an alert: it is taken by hand or by an agent's reply, and given back by hand or because nobody answered
//! how it stands.

use crate::domain::{
    actor::Actor,
    alert::{Alert, AlertState, Announced, Taken},
    calendar::Wait,
    desk::{hearing::Hearing, ladder::Outlook, machine::Desk, whom::next_repeat},
    notice,
    rule::TAKEN_FOR_DEFAULT,
    seen::Seen,
    text::Message,
    ticket::Text,
    time::{Span, Timestamp},
};

/// How long the taker has to answer how it stands; then the ladder begins anew.
pub(super) const ANSWER_PATIENCE: Span = Span::from_mins(30);

impl Desk {
    /// Someone takes a firing alert: repeats, ladder and fallback rest for the rule's `taken_for`.
    pub(super) fn take(&mut self, alert: &Alert, by: Actor, now: Timestamp) -> Alert {
        let wait = self.rule_named(&alert.key.rule).map(|rule| rule.taken_for.clone());
        let until = wait.unwrap_or(Wait::wall(TAKEN_FOR_DEFAULT)).ends(now);
        let (who, clock) = (by.words(), self.clock_words(until, now));
        let note = match by {
            Actor::Agent(_) => Message::new(
                format!("{} 在工单里回复，算作接手，到 {clock}", who.zh),
                format!("{} replied on the ticket, which takes it until {clock}", who.en),
            ),
            _ => Message::new(format!("{} 接手，到 {clock}", who.zh), format!("taken by {} until {clock}", who.en)),
        };
        let taken = Some(Taken { by, at: now, until, asked_at: None });
        let alert = self.change(Alert { taken, snoozed: None, ..alert.clone() }, "taken", note, now);
        self.refresh_digests(&alert, now);
        alert
    }

    /// It is given back, or what was put off goes on: repeats and ladder begin anew.
    pub(super) fn release(&mut self, alert: &Alert, why: Message, now: Timestamp) -> Alert {
        let alert = self.anew(Alert { taken: None, snoozed: None, ..alert.clone() }, now);
        let alert = self.change(alert, "released", why, now);
        self.refresh_digests(&alert, now);
        alert
    }

    /// The ladder begins anew, and so do the waits before the next repeats.
    fn anew(&self, mut alert: Alert, now: Timestamp) -> Alert {
        alert.ladder_from = Some(now);
        alert.rung = 0;
        alert.rounds += 1;
        alert.fallback_at = None;
        alert.fallbacks = 0;
        if alert.announced == Announced::Nobody {
            return alert; // what was not told is not told again
        }
        let rule = self.rule_named(&alert.key.rule);
        for line in &mut alert.lines {
            let wait = rule.and_then(|rule| next_repeat(rule, line.from, line.repeats));
            line.next_at = wait.map(|wait| wait.ends(now));
        }
        alert
    }

    /// Keeps a changed alert, says why, lets its cards catch up and looks at it again now.
    pub(super) fn change(&mut self, alert: Alert, what: &'static str, note: Message, now: Timestamp) -> Alert {
        let alert = Alert { rev: alert.rev + 1, ..alert };
        self.journal(now, (&alert.key.subject, Some(&alert.key.rule), alert.episode), what, note);
        self.put_alert(alert.clone());
        self.refresh_cards(&alert.key, now);
        self.look_again(&alert.key.subject, &alert.key.rule, now);
        alert
    }

    /// An agent who replied since it rang has taken it.
    pub(super) fn take_by_reply(&mut self, alert: Alert, hearing: &Hearing, now: Timestamp) -> Alert {
        let (None, AlertState::Firing { fired_at, .. }, Some(seen)) = (&alert.taken, &alert.state, hearing.seen())
        else {
            return alert;
        };
        let since = alert.ladder_from.map_or(*fired_at, |from| from.max(*fired_at));
        match replied_at(&seen) {
            Some(at) if at > since && at <= now => self.take(&alert, agent(&seen), now),
            _ => alert,
        }
    }

    /// Sees to an alert that someone took: asks them when its time is over, and gives it back without an answer.
    pub(super) fn mind_taken(&mut self, alert: &Alert, hearing: &Hearing, outlook: &mut Outlook, now: Timestamp) {
        let Some(taken) = &alert.taken else { return };
        let Some(asked_at) = taken.asked_at else {
            if now < taken.until {
                return outlook.at(taken.until);
            }
            if !hearing.fresh && !hearing.patience_over {
                outlook.wants_fresh = true;
                return;
            }
            return self.ask_taker(alert, outlook, now);
        };
        let over = asked_at.plus(ANSWER_PATIENCE);
        if now < over {
            return outlook.at(over);
        }
        let who = taken.by.words();
        let why = Message::new(
            format!("问过 {}，没有回答，重新开始提醒和升级", who.zh),
            format!("{} was asked and did not answer: reminders and escalation begin anew", who.en),
        );
        self.release(alert, why, now);
        outlook.at(now);
    }

    fn ask_taker(&mut self, alert: &Alert, outlook: &mut Outlook, now: Timestamp) {
        let Some(taken) = &alert.taken else { return };
        let who = taken.by.words();
        let note = Message::new(
            format!("接手的时间到了，问 {} 进展如何", who.zh),
            format!("the time it was taken for is over: {} is asked how it stands", who.en),
        );
        let ordinal = u32::try_from(taken.at.as_ms().div_euclid(1_000)).unwrap_or(u32::MAX);
        let asked = Some(Taken { asked_at: Some(now), ..taken.clone() });
        let alert = self.change(Alert { taken: asked, ..alert.clone() }, "asked", note, now);
        // One question is enough: where the alert stands first.
        let repliable = |name| self.settings.receiver(name).is_some_and(|known| known.kind.can_patch());
        let to = alert.lines.iter().map(|line| &line.receiver).find(|name| repliable(name)).cloned();
        if let Some(receiver) = to {
            self.tell_again(alert, notice::Step::Asked, ordinal, &receiver, now);
        }
        outlook.at(now.plus(ANSWER_PATIENCE));
    }

    /// An instant for a sentence: the time alone while it is near.
    pub(super) fn clock_words(&self, at: Timestamp, now: Timestamp) -> String {
        let zone = self.settings.zone;
        let near = zone.local(at).date_naive() == zone.local(now).date_naive();
        if near { zone.local(at).format("%H:%M").to_string() } else { zone.minute(at) }
    }
}

/// When an agent last said something on the ticket, as far as anyone knows.
fn replied_at(seen: &Seen<'_>) -> Option<Timestamp> {
    let ticket = seen.ticket;
    let said = seen.facts.conversation.present().and_then(|talk| talk.agent.last()).map(|said| said.at);
    let times = [&ticket.agent_last_response_time, &ticket.agent_first_response_time];
    times.into_iter().filter_map(|time| time.present().copied()).chain(said).max()
}

/// The agent who replied: whoever owns the ticket, as far as anyone knows.
fn agent(seen: &Seen<'_>) -> Actor {
    let owner = seen.ticket.agent_owner.present();
    let name = owner.and_then(|owner| owner.name.present().or(owner.email.present()).cloned());
    Actor::Agent(name.unwrap_or_else(|| Text::from("客服 (agent)")))
}
