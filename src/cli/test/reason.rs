//! Why an expected notice was not sent: what the rules saw at that instant.

use crate::{
    adapters::rulebook::cases::case::{Expected, Wanted},
    domain::{
        alert::{Alert, AlertKey, AlertState},
        desk::{settings::Settings, state::Tracked},
        id::Subject,
        labels::Labels,
        replay::played::Played,
        rule::{Rule, RuleKind, RuleSet},
        seen::Seen,
        text::Message,
        time::{Timestamp, Zone},
        verdict::Answer,
        why::why,
    },
};

/// Reasons that are given for one missing notice.
const REASONS_MAX: usize = 3;

/// What the rules saw, one sentence for each rule and ticket that is meant.
pub(super) fn why_not(expected: &Expected, rules: &RuleSet, settings: &Settings, then: &Played) -> Vec<Message> {
    if matches!(expected.what, Wanted::End(_)) {
        return Vec::new();
    }
    let mut reasons = Vec::new();
    for rule in rules.rules.values().filter(|rule| expected.rule.as_ref().is_none_or(|wanted| *wanted == rule.name)) {
        for tracked in then.tickets.values() {
            let meant = expected.ticket.as_ref().is_none_or(|wanted| *wanted == tracked.ticket.key.id);
            if meant && reasons.len() < REASONS_MAX {
                reasons.push(of_ticket(rule, tracked, settings, then, expected.at));
            }
        }
    }
    if reasons.is_empty() {
        reasons.push(Message::new("那时还没有这张工单", "there was no such ticket by then"));
    }
    reasons
}

fn of_ticket(rule: &Rule, tracked: &Tracked, settings: &Settings, then: &Played, at: Timestamp) -> Message {
    let key = &tracked.ticket.key;
    let name = &rule.name;
    let (zh, en) = (format!("{name}，工单 {}：", key.id), format!("{name}, ticket {}: ", key.id));
    let said = |message: Message| Message::new(format!("{zh}{}", message.zh), format!("{en}{}", message.en));
    if tracked.gone_at.is_some() {
        return said(Message::new("工单已不存在", "the ticket was gone"));
    }
    if !rule.watches(&key.source) {
        return said(Message::new("规则不看这个来源", "the rule does not watch this source"));
    }
    let alert = then.alerts.get(&AlertKey { subject: Subject::Ticket(key.clone()), rule: name.clone() });
    if let Some(already) = alert.and_then(|alert| standing(alert, rule, settings.zone)) {
        return said(already);
    }
    let labels = settings.sources.get(&key.source).map_or(Labels::none(), |source| &source.labels);
    let why = why(&rule.when, &Seen::at_rest(&tracked.ticket, &tracked.facts, labels), at);
    let facts = why.text();
    said(match (why.answer, &rule.kind) {
        (Answer::No, _) => {
            later(with("条件不成立：", "the condition does not hold: ", facts), why.valid_until, settings.zone)
        }
        (Answer::Unknown, _) => with("不知道条件是否成立：", "nobody knows whether the condition holds: ", facts),
        (Answer::Yes, RuleKind::Ticket) => with("条件成立：", "the condition holds: ", facts),
        (Answer::Yes, RuleKind::Sla(_)) => {
            with("计时在走，还没到这一步：", "its clock runs and has not come to this step: ", facts)
        }
        (Answer::Yes, RuleKind::Count(_)) => {
            with("这张工单算在内，但数目不到：", "this ticket is counted, and there are not enough: ", facts)
        }
    })
}

/// What an alert's state says of why nothing was sent.
fn standing(alert: &Alert, rule: &Rule, zone: Zone) -> Option<Message> {
    match alert.state {
        AlertState::Firing { fired_at, .. } => {
            let since = zone.minute(fired_at);
            Some(with(
                &format!("{since} 已经提醒过，还没有结束："),
                &format!("it rang at {since} already and is not over: "),
                alert.why.clone(),
            ))
        }
        AlertState::Pending => {
            let (since, due) = (zone.minute(alert.since), zone.minute(rule.hold.ends(alert.since)));
            Some(Message::new(
                format!("条件从 {since} 起成立，按 for 要到 {due} 才提醒"),
                format!("the condition holds since {since}; by its `for` it rings at {due}"),
            ))
        }
        AlertState::Ended { ended_at, reason, .. } if alert.latched => {
            let (ended, words) = (zone.minute(ended_at), reason.words());
            Some(Message::new(
                format!("{ended} 结束（{}），条件一直成立，不再提醒", words.zh),
                format!("it ended at {ended} ({}) and has held since, so it does not ring again", words.en),
            ))
        }
        AlertState::Ended { .. } => None,
    }
}

/// When time alone may change the answer.
fn later(said: Message, valid_until: Timestamp, zone: Zone) -> Message {
    if valid_until.is_never() {
        return said;
    }
    let at = zone.minute(valid_until);
    Message::new(
        format!("{}（不再变化的话，{at} 才会变）", said.zh),
        format!("{} (if nothing changes, that changes at {at})", said.en),
    )
}

fn with(zh: &str, en: &str, facts: Message) -> Message {
    Message::new(format!("{zh}{}", facts.zh), format!("{en}{}", facts.en))
}
