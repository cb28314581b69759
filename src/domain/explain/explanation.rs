//! What is told of a rule and a ticket: each part of its condition with the value it saw, the alert, what keeps it back.

use crate::domain::{
    alert::{Alert, AlertState, Announced},
    clocks::Run,
    id::{RuleName, TicketKey},
    rule::{Mode, Rule, RuleKind, RungAt, Until},
    seen::{Event, Seen},
    sentence::{to_words, wait_words},
    sla::{Sla, SlaAt},
    story::Story,
    text::Message,
    ticket::Known,
    time::{Span, Timestamp, Zone},
    verdict::{Answer, Verdict},
    why::{Why, sla_text, why},
    wording::span_words,
};

/// A ticket before the rules that were asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The ticket.
    pub ticket: TicketKey,
    /// The instant it was judged at.
    pub at: Timestamp,
    /// The instant its data is of.
    pub as_of: Timestamp,
    /// The zone people read times in.
    pub zone: Zone,
    /// What holds for every rule.
    pub notes: Vec<Message>,
    /// One for each rule, in the order of their names.
    pub rules: Vec<Explanation>,
}

/// What one rule says of the ticket, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The rule.
    pub rule: RuleName,
    /// Its answer; of a counting rule, whether the ticket is one of those it counts.
    pub answer: Answer,
    /// The first instant at which time alone may change the answer.
    pub valid_until: Timestamp,
    /// Its condition, part by part.
    pub why: Why,
    /// What ends its alert, part by part, where the rule says.
    pub until: Option<Why>,
    /// Where its alert stands.
    pub alert: Message,
    /// What keeps it back or goes on, a sentence each.
    pub notes: Vec<Message>,
}

/// When something is explained, and the zone its times are said in.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The instant.
    pub now: Timestamp,
    /// The zone.
    pub zone: Zone,
}

impl Moment {
    fn minute(self, at: Timestamp) -> String {
        self.zone.minute(at)
    }

    /// `2026-11-20 14:35（30 分钟后）`.
    pub fn ahead(self, at: Timestamp) -> Message {
        let (at, left) = (self.minute(at), span_words(at.since(self.now)));
        Message::new(format!("{at}（{}后）", left.zh), format!("{at} (in {})", left.en))
    }
}

impl Explanation {
    /// What `rule`, whose answer is `verdict`, says of a ticket on which its alert is `alert`.
    pub fn of(rule: &Rule, verdict: Verdict, seen: &Seen<'_>, alert: Option<&Alert>, moment: Moment) -> Self {
        let rings = alert.is_some_and(Alert::is_live);
        let seen = if rule.is_event() && rings { seen.after(Event::Held) } else { *seen };
        let until = match &rule.until {
            Until::Holds(until) => Some(why(until, &seen, moment.now)),
            Until::Cleared | Until::Handled => None,
        };
        let mut notes = Vec::new();
        in_force(rule, rings, &mut notes);
        if rule.needs_messages() && rule.mode != Mode::Disabled && seen.facts.conversation.is_unknown() {
            notes.push(Message::new(
                "这张工单的对话还没有读到，和对话有关的都是未知",
                "what was said on this ticket was not read: all that looks at it is unknown",
            ));
        }
        if let RuleKind::Sla(sla) = &rule.kind {
            service_level(rule, sla, &seen, moment, &mut notes);
        }
        match alert {
            Some(alert) => life(rule, alert, moment, &mut notes),
            None if verdict.answer == Answer::Yes && !rule.hold.is_none() => {
                let held = wait_words(&rule.hold);
                notes.push(Message::new(
                    format!("要连续成立 {} 才提醒（for）", held.zh),
                    format!("it must hold for {} before it rings (for)", held.en),
                ));
            }
            None => {}
        }
        if verdict.answer == Answer::Unknown && rule.mode != Mode::Disabled {
            notes.push(Message::new(
                "有值未知时不会开始提醒，正在响的也不会因此结束",
                "while a value is unknown nothing begins to ring, and what rings does not end for it",
            ));
        }
        Self {
            rule: rule.name.clone(),
            answer: verdict.answer,
            valid_until: verdict.valid_until,
            why: why(&rule.when, &seen, moment.now),
            until,
            alert: alert.map_or_else(|| no_alert(rule), |alert| standing(rule, alert, moment)),
            notes,
        }
    }
}

fn no_alert(rule: &Rule) -> Message {
    match rule.kind {
        RuleKind::Count(_) => Message::new("这一组没有提醒", "no alert on this group"),
        RuleKind::Ticket | RuleKind::Sla(_) => Message::new("没有提醒", "no alert"),
    }
}

/// Whether the rule is judged and tells anyone.
fn in_force(rule: &Rule, rings: bool, notes: &mut Vec<Message>) {
    if rule.mode != Mode::Live {
        notes.push(Story::of(rule).mode);
    }
    if rule.is_event() && !rings {
        notes.push(Message::new(
            "只在工单变化的那一刻判断；时间过去不会让它提醒",
            "it is judged at the moment a ticket changes; that time goes on never makes it ring",
        ));
    }
}

/// Where an alert stands.
fn standing(rule: &Rule, alert: &Alert, moment: Moment) -> Message {
    let reference = alert.reference();
    match &alert.state {
        AlertState::Pending => {
            let (since, rings_at) = (moment.minute(alert.since), rule.hold.ends(alert.since));
            let held = wait_words(&rule.hold);
            let at = moment.minute(rings_at);
            Message::new(
                format!("观察中：{since} 起成立，要满 {}（for），{at} 提醒", held.zh),
                format!("pending: it holds since {since} and must for {} (for); rings at {at}", held.en),
            )
        }
        AlertState::Firing { fired_at, stale_as_of } => {
            let at = moment.minute(*fired_at);
            let (zh, en) = match stale_as_of.map(|data| moment.minute(data)) {
                Some(data) => (format!("，用的是 {data} 的数据"), format!(", on data of {data}")),
                None => Default::default(),
            };
            Message::new(
                format!("正在响：{at} 起，编号 {reference}{zh}"),
                format!("firing since {at}, reference {reference}{en}"),
            )
        }
        AlertState::Ended { fired_at, ended_at, reason } => {
            let (ended, why) = (moment.minute(*ended_at), reason.words());
            match fired_at.map(|at| moment.minute(at)) {
                Some(fired) => Message::new(
                    format!("已结束：{fired} 响，{ended} 结束（{}），编号 {reference}", why.zh),
                    format!("ended: rang at {fired}, over at {ended} ({}), reference {reference}", why.en),
                ),
                None => Message::new(
                    format!("已结束：没有响过，{ended} 结束（{}）", why.zh),
                    format!("ended at {ended} without ringing ({})", why.en),
                ),
            }
        }
    }
}

/// What keeps an alert from ringing, from being told, or from ending.
fn life(rule: &Rule, alert: &Alert, moment: Moment, notes: &mut Vec<Message>) {
    if alert.latched {
        notes.push(Message::new(
            "上次结束时条件还成立：要先不成立一次，才会再提醒",
            "it ended while the condition still held: that must be no once before it rings again",
        ));
    }
    if !alert.is_firing() {
        return;
    }
    if let Some(since) = alert.quiet_since {
        let (since, over) = (moment.minute(since), moment.ahead(since.plus(rule.keep_firing_for)));
        notes.push(Message::new(
            format!("{since} 起不再成立，keep_firing_for 让它响到 {}", over.zh),
            format!("no longer holds since {since}; keep_firing_for keeps it firing until {}", over.en),
        ));
    }
    match alert.announced {
        Announced::Nobody if !alert.trial => notes.push(Message::new(
            "补上以前的情况时没有通知任何人（catch_up: none）",
            "nobody was told: it held already when it was caught up on (catch_up: none)",
        )),
        Announced::Digest(_) => notes.push(Message::new(
            "数据源读完后，和别的合为一条汇总告知，没有单独的卡片",
            "told together with others in one digest, once the source is read to its end; it has no card of its own",
        )),
        Announced::Cards | Announced::Nobody => {}
    }
    if alert.meaning != rule.meaning {
        notes.push(Message::new(
            "规则在它响了以后改过，下次判断按新规则",
            "the rule was edited since; the next judgement is by the new one",
        ));
    }
    if matches!(rule.until, Until::Handled) {
        notes.push(Message::new(
            "条件不再成立也不会结束：要有人处理，或到时限",
            "it does not end when the condition is no: a person must handle it, or it expires",
        ));
    }
}

/// The target, what the clock shows, and the steps with their instants.
fn service_level(rule: &Rule, sla: &Sla, seen: &Seen<'_>, moment: Moment, notes: &mut Vec<Message>) {
    let target = match sla.target_of(seen, moment.now) {
        Known::Present(target) => target,
        Known::Empty => {
            return notes.push(Message::new("SLA：没有适用的目标", "SLA: no target is meant for this ticket"));
        }
        Known::Unknown => {
            return notes.push(Message::new(
                "SLA：适用哪个目标未知",
                "SLA: it is unknown which target is meant for this ticket",
            ));
        }
    };
    let text = sla_text(sla, seen, moment.now);
    notes.push(Message::new(format!("SLA：{}", text.zh), format!("SLA: {}", text.en)));
    let run = Run::of(sla.clock, &sla.pauses, seen);
    if run.is_over() {
        return notes
            .push(Message::new("SLA：计时已经停了，不再有下一步", "SLA: the clock has stopped; no step comes"));
    }
    if matches!(run, Run::NotStarted) {
        return notes.push(Message::new("SLA：计时还没有开始", "SLA: the clock has not started"));
    }
    notes.push(Message::new(
        "SLA：上面的条件成立，并且走到第一步，才提醒",
        "SLA: it rings when the condition above holds and the first step is reached",
    ));
    let elapsed = run.elapsed(&target.pace, moment.now);
    for rung in &rule.ladder {
        let RungAt::Sla(at) = &rung.at else { continue };
        let (step, to) = (step_words(*at), to_words(&rung.to));
        let verdict = sla.reached(rung, seen, moment.now);
        let (zh, en) = match (verdict.answer, elapsed) {
            (Answer::Yes, _) => ("已到".to_string(), "reached".to_string()),
            (Answer::No, Some(_)) if !verdict.valid_until.is_never() => {
                let ahead = moment.ahead(verdict.valid_until);
                (ahead.zh, ahead.en)
            }
            (Answer::No, Some(_)) => ("计时停着，到不了".to_string(), "not reached while the clock rests".to_string()),
            _ => ("未知".to_string(), "unknown".to_string()),
        };
        notes.push(Message::new(
            format!("SLA 步骤 {}，通知{}：{zh}", step.zh, to.zh),
            format!("SLA step {}, tells {}: {en}", step.en, to.en),
        ));
    }
}

fn step_words(at: SlaAt) -> Message {
    let said = |span: Span| span_words(span);
    match at {
        SlaAt::Percent(percent) => Message::new(format!("{percent}%"), format!("{percent}%")),
        SlaAt::Before(span) => Message::new(format!("到期前 {}", said(span).zh), format!("{} before", said(span).en)),
        SlaAt::Past(Span::ZERO) => Message::new("到期", "due"),
        SlaAt::Past(span) => Message::new(format!("超时 {}", said(span).zh), format!("{} past", said(span).en)),
    }
}
