//! What a rule does, told to people: what it watches, when it rings, whom it tells, what ends it, what it costs.

use crate::domain::{
    calendar::Pace,
    condition::Condition,
    id::ConditionName,
    rule::{Count, Mention, Mode, Notify, Rule, RuleKind, Rung, RungAt, Severity, To, Until, Urgent},
    sentence::{condition_words, count_words, to_words, wait_words},
    sla::{Sla, SlaAt},
    text::{Message, Words},
    time::Span,
    wording::{paced_words, span_words, status_words, target_words},
};

/// What a rule does, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// What it watches.
    pub watches: Message,
    /// When it rings.
    pub rings: Message,
    /// What ends an alert of it.
    pub ends: Message,
    /// Whom it tells when it rings, a line each.
    pub tells: Vec<Message>,
    /// Its ladder, a step each.
    pub ladder: Vec<Message>,
    /// The sources it covers.
    pub sources: Message,
    /// The hours it counts in.
    pub hours: Message,
    /// Whether it is in force.
    pub mode: Message,
    /// The named conditions it rests on, each once, with their meaning.
    pub conditions: Vec<(ConditionName, Message)>,
}

impl Story {
    /// The story of a rule.
    pub fn of(rule: &Rule) -> Self {
        Self {
            watches: watches(rule),
            rings: rings(rule),
            ends: ends(rule),
            tells: rule.notify.iter().map(tells).collect(),
            ladder: rule.ladder.iter().map(rung).chain(rule.fallback.as_ref().map(fallback)).collect(),
            sources: sources(rule),
            hours: hours(&rule.pace),
            mode: mode(&rule.mode),
            conditions: conditions(rule),
        }
    }
}

/// A severity's word.
pub const fn severity_words(severity: Severity) -> Words {
    match severity {
        Severity::Info => Words { zh: "提示", en: "info" },
        Severity::Warning => Words { zh: "警告", en: "warning" },
        Severity::Critical => Words { zh: "严重", en: "critical" },
    }
}

fn conditions(rule: &Rule) -> Vec<(ConditionName, Message)> {
    let mut found: Vec<(ConditionName, Message)> = Vec::new();
    for condition in rule.conditions() {
        gather(condition, &mut found);
    }
    found
}

fn gather(condition: &Condition, found: &mut Vec<(ConditionName, Message)>) {
    if let Condition::Meets(name, meant) = condition
        && !found.iter().any(|(known, _)| known == name)
    {
        found.push((name.clone(), condition_words(meant)));
    }
    for part in condition.parts() {
        gather(part, found);
    }
}

fn watches(rule: &Rule) -> Message {
    let when = condition_words(&rule.when);
    match &rule.kind {
        RuleKind::Ticket if rule.is_event() => {
            Message::new(format!("工单变化时：{}", when.zh), format!("a change of a ticket: {}", when.en))
        }
        RuleKind::Ticket => Message::new(format!("工单：{}", when.zh), format!("tickets: {}", when.en)),
        RuleKind::Sla(sla) => service_level(sla, &when),
        RuleKind::Count(count) => counted(count, &when),
    }
}

fn service_level(sla: &Sla, when: &Message) -> Message {
    let clock = sla.clock.words();
    let mut zh = format!("服务时限：{}；工单：{}", clock.zh, when.zh);
    let mut en = format!("a service level on {}; tickets: {}", clock.en.replace('_', " "), when.en);
    if !sla.pauses.is_empty() {
        let rests: Vec<Message> = sla.pauses.iter().map(|code| status_words(*code)).collect();
        let said = |of: fn(&Message) -> &str, by: &str| rests.iter().map(of).collect::<Vec<_>>().join(by);
        zh.push_str(&format!("；{}时不计", said(|word| &word.zh, "、")));
        en.push_str(&format!("; it rests while {}", said(|word| &word.en, " or ")));
    }
    for target in &sla.targets {
        let is = paced_words(target.is, &target.pace);
        match &target.when {
            Some(when) => {
                let when = condition_words(when);
                zh.push_str(&format!("；{}的，时限 {}", when.zh, is.zh));
                en.push_str(&format!("; target {} where {}", is.en, when.en));
            }
            None => {
                zh.push_str(&format!("；其余时限 {}", is.zh));
                en.push_str(&format!("; else {}", is.en));
            }
        }
    }
    Message::new(zh, en)
}

fn counted(count: &Count, when: &Message) -> Message {
    let mut said = match &count.per {
        Some(per) => {
            let per = target_words(per, None);
            Message::new(
                format!("按{}分组，数工单：{}", per.zh, when.zh),
                format!("tickets counted per {}: {}", per.en, when.en),
            )
        }
        None => Message::new(format!("数工单：{}", when.zh), format!("tickets counted: {}", when.en)),
    };
    if let Some(within) = count.within {
        let within = span_words(within);
        said.zh.push_str(&format!("（只数 {} 内开始的）", within.zh));
        said.en.push_str(&format!(" (only those since {} at most)", within.en));
    }
    said
}

fn rings(rule: &Rule) -> Message {
    let held = wait_words(&rule.hold);
    match &rule.kind {
        RuleKind::Sla(_) => Message::new("走到下面的每一步时", "at each of its steps"),
        RuleKind::Count(count) => {
            let demand = count_words(&count.when);
            match rule.hold.is_none() {
                true => Message::new(format!("数量{}时", demand.zh), format!("when there are {}", demand.en)),
                false => Message::new(
                    format!("数量{}，并持续 {}", demand.zh, held.zh),
                    format!("once there have been {} for {}", demand.en, held.en),
                ),
            }
        }
        RuleKind::Ticket if !rule.hold.is_none() => {
            Message::new(format!("持续 {} 以后", held.zh), format!("once that has held for {}", held.en))
        }
        RuleKind::Ticket if rule.is_event() => Message::new("变化的那一刻", "at the moment of the change"),
        RuleKind::Ticket => Message::new("一成立就提醒", "as soon as that holds"),
    }
}

fn ends(rule: &Rule) -> Message {
    let mut said = match (&rule.until, &rule.kind) {
        (Until::Handled, _) => Message::new("有人说处理好了", "when someone says it is handled"),
        (Until::Holds(condition), _) => {
            let until = condition_words(condition);
            Message::new(format!("满足这个条件时：{}", until.zh), format!("when this holds: {}", until.en))
        }
        (Until::Cleared, RuleKind::Count(count)) if !count.clear.is_empty() => {
            let clear = count_words(&count.clear);
            Message::new(format!("数量{}时", clear.zh), format!("when there are {}", clear.en))
        }
        (Until::Cleared, RuleKind::Sla(_)) => Message::new("时钟停下时", "when its clock stops"),
        (Until::Cleared, _) => Message::new("条件不再成立时", "when that no longer holds"),
    };
    if rule.keep_firing_for > Span::ZERO {
        let kept = span_words(rule.keep_firing_for);
        said.zh.push_str(&format!("，并且过了 {}", kept.zh));
        said.en.push_str(&format!(" and has not for {}", kept.en));
    }
    if let Some(expires) = rule.expires {
        let expires = span_words(expires);
        said.zh.push_str(&format!("；最长 {}", expires.zh));
        said.en.push_str(&format!("; after {} at the latest", expires.en));
    }
    said
}

fn tells(line: &Notify) -> Message {
    let mut said = to_words(&line.to);
    add_mention(&mut said, line.mention.as_ref());
    if let Some(template) = &line.template {
        said.zh.push_str(&format!("，模板 {template}"));
        said.en.push_str(&format!(", template {template}"));
    }
    if !line.repeat.is_empty() {
        let waits: Vec<Message> = line.repeat.iter().map(wait_words).collect();
        let zh: Vec<&str> = waits.iter().map(|wait| wait.zh.as_str()).collect();
        let en: Vec<&str> = waits.iter().map(|wait| wait.en.as_str()).collect();
        let max = line.repeat_max;
        said.zh.push_str(&format!("；没结束的话隔 {} 再提醒，最多 {max} 次", zh.join("、")));
        said.en.push_str(&format!("; again after {} while it lasts, at most {max} times", en.join(", then ")));
    }
    said
}

fn rung(step: &Rung) -> Message {
    let mut said = match &step.at {
        RungAt::After(wait) => {
            let after = wait_words(wait);
            Message::new(format!("{} 没有人接手：", after.zh), format!("nobody took it for {}: ", after.en))
        }
        RungAt::Sla(SlaAt::Percent(100)) => Message::new("到时限时：", "at the target: "),
        RungAt::Sla(SlaAt::Percent(percent)) => {
            Message::new(format!("到时限的 {percent}% 时："), format!("at {percent}% of the target: "))
        }
        RungAt::Sla(SlaAt::Before(span)) => {
            let span = span_words(*span);
            Message::new(format!("离时限还有 {} 时：", span.zh), format!("{} before the target: ", span.en))
        }
        RungAt::Sla(SlaAt::Past(span)) => {
            let span = span_words(*span);
            Message::new(format!("超过时限 {} 时：", span.zh), format!("{} past the target: ", span.en))
        }
    };
    if let Some(severity) = step.severity {
        let words = severity_words(severity);
        said.zh.push_str(&format!("{}，", words.zh));
        said.en.push_str(&format!("{}, ", words.en));
    }
    let to = to_words(&step.to);
    said.zh.push_str(&format!("通知 {}", to.zh));
    said.en.push_str(&format!("tells {}", to.en));
    add_mention(&mut said, step.mention.as_ref());
    if let Some(urgent) = step.urgent {
        let words = match urgent {
            Urgent::App => Words { zh: "应用内加急", en: "urgent in the app" },
            Urgent::Sms => Words { zh: "短信加急", en: "urgent by SMS" },
            Urgent::Phone => Words { zh: "电话加急", en: "urgent by phone" },
        };
        said.zh.push_str(&format!("，{}", words.zh));
        said.en.push_str(&format!(", {}", words.en));
    }
    said
}

fn add_mention(said: &mut Message, mention: Option<&Mention>) {
    let (zh, en) = match mention {
        None => return,
        Some(Mention::Owner) => ("负责人".to_string(), "the owner".to_string()),
        Some(Mention::Lead) => ("组长".to_string(), "the lead".to_string()),
        Some(Mention::Oncall) => ("值班人".to_string(), "whoever is on call".to_string()),
        Some(Mention::Person(email)) => (email.to_string(), email.to_string()),
    };
    said.zh.push_str(&format!("，提及{zh}"));
    said.en.push_str(&format!(", mentioning {en}"));
}

fn fallback(to: &To) -> Message {
    let to = to_words(to);
    Message::new(
        format!("升级到头以后每 30 分钟通知 {}", to.zh),
        format!("every 30 minutes after the last step: tells {}", to.en),
    )
}

fn sources(rule: &Rule) -> Message {
    match &rule.sources {
        None => Message::new("全部", "all"),
        Some(names) => {
            let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
            Message::new(names.join("、"), names.join(", "))
        }
    }
}

fn hours(pace: &Pace) -> Message {
    match pace.calendar() {
        None => Message::new("自然时间", "wall time"),
        Some(calendar) => {
            let name = calendar.name();
            Message::new(format!("日历 {name} 的办公时间"), format!("office time of the calendar {name}"))
        }
    }
}

fn mode(mode: &Mode) -> Message {
    match mode {
        Mode::Live => Message::new("正式", "live"),
        Mode::Trial(None) => Message::new("试运行：只计数，不发", "on trial: counted, nothing is sent"),
        Mode::Trial(Some(to)) => {
            let to = to_words(to);
            Message::new(format!("试运行：只发给 {}", to.zh), format!("on trial: told only to {}", to.en))
        }
        Mode::Disabled => Message::new("停用：不判断", "disabled: not judged"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{
        calendar::Wait,
        condition::{Clock, Condition, Operator, Target, Test},
        field::Field,
        id::{ReceiverName, RuleName},
        sla::SlaTarget,
    };

    fn open() -> Condition {
        let target = Target::Field(Field::find("status").unwrap());
        Condition::Test(Test { target, operator: Operator::CodeIs([1, 2, 3, 4, 5].into()) })
    }

    fn rule() -> Rule {
        Rule::new(RuleName::new("x"), open())
    }

    fn hour() -> Wait {
        Wait::wall(Span::from_hours(1))
    }

    #[test]
    fn a_ticket_rule_is_told() {
        let notify = Notify { to: To::Team, template: None, mention: None, repeat: vec![hour()], repeat_max: 3 };
        let step = Rung {
            at: RungAt::After(hour()),
            severity: None,
            to: To::TeamLead,
            template: None,
            mention: None,
            urgent: Some(Urgent::Phone),
        };
        let told = Story::of(&Rule {
            hold: hour(),
            notify: vec![notify],
            ladder: vec![step],
            until: Until::Handled,
            expires: Some(Span::from_days(3)),
            mode: Mode::Trial(Some(To::Receiver(ReceiverName::new("leads")))),
            ..rule()
        });
        assert_eq!(told.watches, Message::new("工单：状态是 未关闭", "tickets: status is open"));
        assert_eq!(told.rings, Message::new("持续 1 小时 以后", "once that has held for 1 hour"));
        assert_eq!(
            told.ends,
            Message::new("有人说处理好了；最长 3 天", "when someone says it is handled; after 3 days at the latest")
        );
        assert_eq!(
            told.tells,
            [Message::new(
                "工单的团队；没结束的话隔 1 小时 再提醒，最多 3 次",
                "the ticket's team; again after 1 hour while it lasts, at most 3 times"
            )]
        );
        assert_eq!(
            told.ladder,
            [Message::new(
                "1 小时 没有人接手：通知 团队的组长，电话加急",
                "nobody took it for 1 hour: tells the team's lead, urgent by phone"
            )]
        );
        assert_eq!(told.mode, Message::new("试运行：只发给 leads", "on trial: told only to leads"));
        assert_eq!((told.sources.en.as_str(), told.hours.en.as_str()), ("all", "wall time"));
    }

    #[test]
    fn a_service_level_and_a_count_are_told() {
        let target = |when, hours| SlaTarget { when, is: Span::from_hours(hours), pace: Pace::Wall };
        let sla = Sla {
            clock: Clock::FirstResponse,
            pauses: Arc::from([5]),
            targets: vec![target(Some(open()), 1), target(None, 4)],
        };
        let told = Story::of(&Rule { kind: RuleKind::Sla(sla), ..rule() });
        assert_eq!(
            told.watches.zh,
            "服务时限：首次响应用时；工单：状态是 未关闭；待用户响应时不计；状态是 未关闭的，时限 1 小时；其余时限 4 小时"
        );
        let count = Count {
            per: Some(Target::Field(Field::find("team").unwrap())),
            when: vec![Operator::AtLeast(10.0)],
            within: None,
            clear: vec![Operator::Below(6.0)],
        };
        let told = Story::of(&Rule { kind: RuleKind::Count(count), ..rule() });
        assert_eq!(told.watches.en, "tickets counted per team: status is open");
        assert_eq!(told.rings.en, "when there are at least 10");
        assert_eq!(told.ends.zh, "数量小于 6时");
    }
}
