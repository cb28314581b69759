//! Whether people know of an alert that rings: whom it told and how, and what kept it from those it did not tell.

use crate::domain::{
    alert::{Alert, AlertKey, Announced, Line, LineOf},
    desk::{
        digests::digest_key,
        lists::{How, Told},
        machine::Desk,
        outbox::{card_of, notice_of},
        state::{CardKey, CardShows},
        together::reference_of,
    },
    explain::explanation::{Explanation, Moment},
    id::{ReceiverName, Subject},
    notice::{NoticeKey, Step},
    receiver::Receiver,
    rule::{Rule, To},
    silence::Hush,
    text::Message,
    time::Timestamp,
};

impl Desk {
    /// How one receiver was told of an alert.
    pub(super) fn told(&self, alert: &Alert, line: &Line, now: Timestamp) -> Told {
        let waits = |step| self.outbox.contains(&notice_of(alert, step, 0, &line.receiver));
        let source = alert.key.subject.source().map(|name| Subject::Source(name.clone()));
        let how = match (line.digest, alert.announced, line.from) {
            _ if self.cards.contains_key(&card_of(alert, &line.receiver)) => How::Card,
            (Some(number), ..) => self.told_in(alert, line, &Subject::Receiver(line.receiver.clone()), number),
            (None, Announced::Digest(number), LineOf::Notify(_) | LineOf::Nothing) => {
                source.map_or(How::Card, |of| self.told_in(alert, line, &of, number))
            }
            _ if waits(Step::Fired) || self.outbox.contains(&last_rung(alert, &line.receiver)) => How::Waiting,
            // A card that shows the end is not kept.
            _ if alert.is_live() || alert.announced == Announced::Nobody || line.held => How::Nothing,
            _ => How::Card,
        };
        let hush = if alert.is_firing() { self.hushed(alert, &line.receiver, now) } else { None };
        Told { receiver: line.receiver.clone(), how, repeats: line.repeats, held: line.held, hush }
    }

    /// By a digest: it was told, it is yet to be told, or it was not.
    fn told_in(&self, alert: &Alert, line: &Line, of: &Subject, number: u32) -> How {
        let shown = CardKey { shows: CardShows::Digest(of.clone(), number), receiver: line.receiver.clone() };
        let notice = digest_key(of, number, Step::Digest, &line.receiver);
        let begun = self.digests.contains_key(&(of.clone(), number));
        match () {
            () if self.cards.contains_key(&shown) || !alert.is_live() => How::Digest(reference_of(of, number)),
            () if self.outbox.contains(&notice) => How::Waiting,
            () if line.held || !self.digest_reaches(of, number, &line.receiver) => How::Nothing,
            () if !begun => How::Waiting, // the source is not read to its end yet
            () => How::Digest(reference_of(of, number)),
        }
    }

    /// Says of a ringing alert who has it, and plainly where nobody was told, and by what that is.
    pub(super) fn say_how_told(&self, alert: &Alert, said: &mut Explanation, moment: Moment) {
        let told: Vec<Told> = alert.lines.iter().map(|line| self.told(alert, line, moment.now)).collect();
        let unheard = told.iter().all(|told| told.how == How::Nothing);
        let hush = told.iter().find_map(|told| told.hush.as_ref());
        let headline = if !unheard {
            None
        } else if alert.trial {
            let words =
                ("成立，但规则在试运行，没有通知团队", "holds, but its rule is in trial: the team was not told");
            Some(Message::new(words.0, words.1))
        } else if let Some(hush) = hush {
            Some(held_by(hush, moment))
        } else if told.iter().any(|told| told.held) {
            Some(Message::new("成立，通知被压住过，马上补发", "holds; its notice was held back and is told at once"))
        } else if told.iter().any(|told| self.is_dead_to(alert, &told.receiver)) {
            let words =
                ("成立，但没有送达：通知发不出去", "holds, but nobody was told: its notice cannot be delivered");
            Some(Message::new(words.0, words.1))
        } else {
            None
        };
        if let (Some(headline), Some(fired_at)) = (headline, alert.fired_at()) {
            let (at, reference) = (moment.zone.minute(fired_at), alert.reference());
            said.alert = Message::new(
                format!("{}；{at} 起，编号 {reference}", headline.zh),
                format!("{}; since {at}, reference {reference}", headline.en),
            );
        }
        if let Some(who) = self.who_has(alert, moment) {
            said.alert.zh.push_str(&format!("；{}", who.zh));
            said.alert.en.push_str(&format!("; {}", who.en));
        }
        let notes = told.iter().filter_map(|told| self.told_note(told, moment));
        said.notes.extend(notes);
    }

    /// An alert in a line of a list, and what keeps it from everyone, where something does.
    pub(super) fn unheard_words(&self, alert: &Alert, now: Timestamp) -> Message {
        let said = self.alert_words(alert);
        let told: Vec<Told> = alert.lines.iter().map(|line| self.told(alert, line, now)).collect();
        let hush = told.iter().find_map(|told| told.hush.as_ref());
        match hush.filter(|_| told.iter().all(|told| told.how == How::Nothing)) {
            Some(hush) => {
                let why = hush.words(self.settings.zone);
                Message::new(
                    format!("{}，没有通知：{}", said.zh, why.zh),
                    format!("{}, nobody was told: {}", said.en, why.en),
                )
            }
            None => said,
        }
    }

    /// Who works on a ringing alert or put it off, and until when.
    fn who_has(&self, alert: &Alert, moment: Moment) -> Option<Message> {
        if let Some(taken) = &alert.taken {
            let (who, until) = (self.people.named(&taken.by).words(), moment.zone.minute(taken.until));
            return Some(Message::new(
                format!("{} 在处理，到 {until}", who.zh),
                format!("taken by {} until {until}", who.en),
            ));
        }
        let snoozed = alert.snoozed.as_ref().filter(|snoozed| snoozed.until > moment.now)?;
        let (who, until) = (self.people.named(&snoozed.by).words(), moment.zone.minute(snoozed.until));
        Some(Message::new(format!("{} 推迟到 {until}", who.zh), format!("put off by {} until {until}", who.en)))
    }

    /// What keeps a receiver from being told, where something does.
    fn told_note(&self, told: &Told, moment: Moment) -> Option<Message> {
        let why = told.hush.as_ref()?.words(moment.zone);
        let to = self.receiver_words(&told.receiver);
        Some(match told.how {
            How::Nothing => {
                Message::new(format!("没有通知 {to}：{}", why.zh), format!("{to} was not told: {}", why.en))
            }
            How::Card | How::Digest(_) | How::Waiting => Message::new(
                format!("现在不再通知 {to}：{}", why.zh),
                format!("{to} is told no more for now: {}", why.en),
            ),
        })
    }

    /// What the last step of an alert's ladder did not tell, and why; nothing where it was told.
    pub(super) fn rung_untold(&self, alert: &Alert) -> Option<Message> {
        let rule = self.rule_named(&alert.key.rule)?;
        let at = alert.rung.checked_sub(1)?;
        let rung = rule.ladder.get(usize::try_from(at).ok()?)?;
        let is_of = |line: &&Line| match &rung.to {
            To::Receiver(name) => line.receiver == *name,
            to => line.from == LineOf::Rung(at) || to_of(rule, line.from) == Some(to),
        };
        let line = alert.lines.iter().find(is_of)?;
        let why = if line.held {
            self.why_held(alert, &line.receiver)
        } else if self.dead.has(&last_rung(alert, &line.receiver)) {
            let other = self.settings.receiver(&line.receiver).and_then(|receiver| receiver.fallback.clone());
            match other.map(|other| self.receiver_words(&other)) {
                Some(other) => Message::new(
                    format!("发不出去，改发给 {other}"),
                    format!("it cannot be delivered, and goes to {other}"),
                ),
                None => Message::new("发不出去", "it cannot be delivered"),
            }
        } else {
            return None;
        };
        let (to, step) = (self.receiver_words(&line.receiver), alert.rung);
        Some(Message::new(
            format!("第 {step} 步没有通知 {to}：{}", why.zh),
            format!("step {step} did not tell {to}: {}", why.en),
        ))
    }

    /// A step of a ladder did not reach whom it is for: the alert's cards say so, for nobody may think they know.
    pub(super) fn show_untold(&mut self, key: &NoticeKey, now: Timestamp) {
        let place = AlertKey { subject: key.subject.clone(), rule: key.rule.clone() };
        let alert = self.alert(&place).filter(|alert| alert.is_firing() && alert.episode == key.episode);
        let Some(mut alert) = alert.filter(|_| key.step == Step::Escalated).cloned() else { return };
        alert.rev += 1;
        self.put_alert(alert);
        self.refresh_cards(&place, now);
    }

    /// A line of an alert is held back no longer: where it was the one of the ladder's last step, cards that said so
    /// say it no more.
    pub(super) fn put_heard(&mut self, mut alert: Alert, now: Timestamp) {
        let was_untold = self.alert(&alert.key).is_some_and(|before| self.rung_untold(before).is_some());
        let shows = was_untold && self.rung_untold(&alert).is_none();
        alert.rev += u32::from(shows);
        let key = alert.key.clone();
        self.put_alert(alert);
        if shows {
            self.refresh_cards(&key, now);
        }
    }

    /// What a receiver is called: a person by their name.
    pub(super) fn receiver_words(&self, receiver: &ReceiverName) -> String {
        Receiver::person_of(receiver).map_or_else(|| receiver.to_string(), |person| self.name_of(&person))
    }

    fn is_dead_to(&self, alert: &Alert, receiver: &ReceiverName) -> bool {
        self.dead.has(&notice_of(alert, Step::Fired, 0, receiver)) || self.dead.has(&last_rung(alert, receiver))
    }
}

/// The notice of the last step of an alert's ladder.
fn last_rung(alert: &Alert, receiver: &ReceiverName) -> NoticeKey {
    notice_of(alert, Step::Escalated, NoticeKey::ladder_ordinal(alert.rounds, alert.rung), receiver)
}

/// What arrived, for the journal.
pub(super) fn delivered_words(key: &NoticeKey) -> Message {
    match (key.step, key.rung()) {
        (Step::Fired, _) => Message::new("提醒", "the alert"),
        (Step::Repeated, _) => Message::new(format!("第 {} 次重复", key.ordinal), format!("repeat {}", key.ordinal)),
        (Step::Escalated, Some(rung)) => {
            Message::new(format!("升级第 {} 步", rung + 1), format!("step {} of the ladder", rung + 1))
        }
        (step, _) => step.words().into(),
    }
}

/// Whom the line of the rule tells that told a receiver.
fn to_of(rule: &Rule, from: LineOf) -> Option<&To> {
    match from {
        LineOf::Notify(at) => rule.notify.get(usize::try_from(at).ok()?).map(|line| &line.to),
        LineOf::Rung(at) => rule.ladder.get(usize::try_from(at).ok()?).map(|rung| &rung.to),
        LineOf::Nothing => None,
    }
}

/// It holds, and nobody was told because of this.
fn held_by(hush: &Hush, moment: Moment) -> Message {
    let until = |at: Timestamp| moment.zone.minute(at);
    match hush {
        Hush::Silenced { id, until: at } => Message::new(
            format!("成立，但被静默 {id} 压住，没有通知（到 {}）", until(*at)),
            format!("holds, but silence {id} holds it back: nobody was told (until {})", until(*at)),
        ),
        Hush::Inhibited { rule, reference } => Message::new(
            format!("成立，但“{rule}” #{reference} 正在提醒，这一条被它压住，没有通知"),
            format!("holds, but `{rule}` #{reference} rings and holds it back: nobody was told"),
        ),
        Hush::Quiet { until: at } => Message::new(
            format!("成立，但接收方免打扰，没有通知（到 {}）", until(*at)),
            format!("holds, but it is the receiver's quiet hours: nobody was told (until {})", until(*at)),
        ),
    }
}
