//! How an alert stands with people, on the card whoever wrote its template: who has it, who put it off, that nobody took
//! it, why it rings where someone asked. Times are absolute: no card is updated to move a clock.

use crate::{
    adapters::templates::{library::Surroundings, words},
    domain::{
        actor::Actor,
        alert::Alert,
        card::{Colour, Menu, escape_markdown},
        notice::{AlertView, Step},
        rule::{RuleKind, To},
        text::{Locale, Message},
        time::Timestamp,
    },
};

/// The lines that stand above an alert's text, in card markdown; empty where there is nothing to say.
pub(crate) fn lines(view: &AlertView, locale: Locale, around: &Surroundings) -> String {
    let mut lines: Vec<String> = Vec::new();
    if view.menu == Menu::Replaced {
        let old = Message::new("这是旧卡片，新卡片已发在这里", "This card is an old one; a new one was sent here");
        lines.push(bold(old.get(locale)));
    }
    lines.extend(standing(view, around).map(|message| bold(message.get(locale))));
    if let Menu::Why(why) = &view.menu {
        lines.extend(why.get(locale).lines().map(|line| format!("　{}", escape_markdown(line))));
    }
    lines.join("\n")
}

/// The colour of a card whose alert someone works on: nobody else needs to look. While they are asked how it stands, it
/// has its severity's colour again.
pub(crate) fn colour(view: &AlertView) -> Option<Colour> {
    let taken = view.alert.taken.as_ref().filter(|_| view.alert.is_firing())?;
    taken.asked_at.is_none().then_some(Colour::Blue)
}

/// Who acted on an alert that is over: whoever ended it, else whoever had it.
pub(crate) fn acted_by(alert: &Alert) -> Option<&Actor> {
    alert.ended_by.as_ref().or_else(|| alert.taken.as_ref().map(|taken| &taken.by))
}

fn bold(text: &str) -> String {
    format!("**{}**", escape_markdown(text))
}

/// Who has it or put it off, or that nobody took it.
pub(crate) fn standing(view: &AlertView, around: &Surroundings) -> Option<Message> {
    let alert = &view.alert;
    if !alert.is_firing() {
        return None;
    }
    let at = |at: Timestamp| words::near(at, around.now, around.zone);
    if let Some(taken) = &alert.taken {
        let (who, until) = (taken.by.words(), at(taken.until));
        return Some(match taken.asked_at {
            None => Message::new(
                format!("{} 处理中 · 到 {until}", who.zh),
                format!("{} works on it · until {until}", who.en),
            ),
            Some(_) => Message::new(
                format!("{}，进展如何？30 分钟没有回答就重新开始提醒和升级", who.zh),
                format!(
                    "{}, how does it stand? Without an answer for 30 minutes reminders and escalation begin anew",
                    who.en
                ),
            ),
        });
    }
    if let Some(snoozed) = alert.snoozed.as_ref().filter(|snoozed| snoozed.until > around.now) {
        let (who, until) = (snoozed.by.words(), at(snoozed.until));
        return Some(Message::new(
            format!("{} 推迟到 {until}，之前不再提醒和升级", who.zh),
            format!("{} put it off until {until}: no reminders and no escalation before then", who.en),
        ));
    }
    if view.step == Step::Woken {
        return Some(Message::new("推迟的时间到了，还在响", "The time it was put off for is over; it still rings"));
    }
    ladder_end(view)
}

/// Nobody took it, and nobody else is left to be told.
fn ladder_end(view: &AlertView) -> Option<Message> {
    let rule = view.rule.as_ref()?;
    if let Some(untold) = &view.untold {
        // Nobody may think that those of the step know.
        return Some(Message::new(format!("升级{}", untold.zh), format!("Escalation: {}", untold.en)));
    }
    let climbed = usize::try_from(view.alert.rung).unwrap_or(usize::MAX) >= rule.ladder.len();
    // Of a service level's steps the first ones are no escalation.
    // The last step has just been told: they have not had the time to act.
    let just_told = view.step == Step::Escalated;
    let is_ladder =
        !just_told && !rule.ladder.is_empty() && !matches!(rule.kind, RuleKind::Sla(_) if rule.fallback.is_none());
    if !climbed || !is_ladder {
        return None;
    }
    Some(match &rule.fallback {
        Some(to) => {
            let to = whom(to);
            Message::new(
                format!("升级已到最后一步，无人接手；每 30 分钟再通知 {}", to.zh),
                format!("The ladder is at its end and nobody took it; {} is told every 30 minutes", to.en),
            )
        }
        None => Message::new("升级已到最后一步，无人接手", "The ladder is at its end and nobody took it"),
    })
}

fn whom(to: &To) -> Message {
    match to {
        To::Receiver(name) => Message::new(name.to_string(), name.to_string()),
        To::Team => Message::new("团队", "the team"),
        To::TeamLead => Message::new("团队负责人", "the team's lead"),
        To::TeamOncall => Message::new("值班", "whoever is on call"),
        To::Owner => Message::new("工单负责人", "the ticket's owner"),
    }
}
