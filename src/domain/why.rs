//! Why a condition holds or does not: each test with the value it saw. Made only when someone is told or asks.

use crate::domain::{
    calendar::Pace,
    change::differs,
    clocks::Run,
    condition::{Clock, ClockTest, Condition, Target, Test},
    id::{ConditionName, Subject},
    judge::holds,
    rule::{Count, Rule},
    seen::{Event, Seen},
    sla::Sla,
    text::Message,
    ticket::Known,
    time::Timestamp,
    verdict::{Answer, Verdict, eval},
    wording::{clock_test_words, clock_words, not_started_words, shown, span_words, target_words, test_words},
};

/// Facts a reason names at most; the rest is counted.
pub const WHY_FACTS_MAX: usize = 6;

/// A condition's answer with those of its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// The answer.
    pub answer: Answer,
    /// The first instant at which time alone may change it.
    pub valid_until: Timestamp,
    /// What it rests on.
    pub kind: WhyKind,
}

/// What an answer rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhyKind {
    /// Every one must hold.
    All(Vec<Why>),
    /// One must hold.
    Any(Vec<Why>),
    /// None may hold.
    None(Vec<Why>),
    /// It must not hold.
    Not(Box<Why>),
    /// A named condition.
    Meets(ConditionName, Box<Why>),
    /// It must have held before the change.
    Was(Leaf),
    /// One test.
    Leaf(Leaf),
}

/// One test and what it saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// What was demanded: `评分是 不满意`.
    pub asked: Message,
    /// What is the case, whether it was demanded or not: `评分是 满意`, `没有评分`, `评分未知`.
    pub fact: Message,
}

/// Why a condition has its answer on a ticket now.
pub fn why(condition: &Condition, seen: &Seen<'_>, now: Timestamp) -> Why {
    let each = |parts: &[Condition]| parts.iter().map(|part| why(part, seen, now)).collect();
    let kind = match condition {
        Condition::All(parts) => WhyKind::All(each(parts)),
        Condition::Any(parts) => WhyKind::Any(each(parts)),
        Condition::None(parts) => WhyKind::None(each(parts)),
        Condition::Not(part) => WhyKind::Not(Box::new(why(part, seen, now))),
        Condition::Test(test) => WhyKind::Leaf(test_leaf(test, seen, now)),
        Condition::Clock(test) => WhyKind::Leaf(clock_leaf(test, seen, now)),
        Condition::Meets(name, meant) => WhyKind::Meets(name.clone(), Box::new(why(meant, seen, now))),
        Condition::Was(part) => WhyKind::Was(was_leaf(part, seen, now)),
        Condition::Changed(targets) => WhyKind::Leaf(changed_leaf(targets, seen)),
    };
    let Verdict { answer, valid_until } = eval(condition, seen, now);
    Why { answer, valid_until, kind }
}

/// The facts that make the answer what it is, as one line: `评分是 不满意；状态已持续 1 天 2 小时`.
pub fn why_text(condition: &Condition, seen: &Seen<'_>, now: Timestamp) -> Message {
    why(condition, seen, now).text()
}

/// Why an SLA's alert rings: what its clock shows, against which target.
pub fn sla_text(sla: &Sla, seen: &Seen<'_>, now: Timestamp) -> Message {
    let run = Run::of(sla.clock, &sla.pauses, seen);
    let Known::Present(target) = sla.target_of(seen, now) else {
        return clock_fact(sla.clock, &run, &Pace::Wall, seen, now);
    };
    let fact = clock_fact(sla.clock, &run, &target.pace, seen, now);
    let (span, office) = (span_words(target.is), target.pace.calendar().is_some());
    let (zh_hours, en_hours) = if office { ("（办公时间）", " of office time") } else { ("", "") };
    Message::new(
        format!("{}，目标 {}{zh_hours}", fact.zh, span.zh),
        format!("{}, the target is {}{en_hours}", fact.en, span.en),
    )
}

/// Why a counting rule's alert rings: how many there are.
pub fn count_text(rule: &Rule, count: &Count, subject: &Subject, number: usize) -> Message {
    let group = match (subject, &count.per) {
        (Subject::Group(value), Some(per)) if !value.is_empty() => {
            let name = target_words(per, None);
            Message::new(format!("{} {value} ", name.zh), format!("{} {value}: ", name.en))
        }
        _ => Message::default(),
    };
    let within = count.within.map(span_words);
    let (zh_within, en_within) = match &within {
        Some(span) => (format!("最近 {}", span.zh), format!(" within {}", span.en)),
        None => (String::new(), String::new()),
    };
    let what = rule.summary.as_deref().unwrap_or(rule.name.as_str());
    Message::new(
        format!("{}{zh_within}有 {number} 张工单（{what}）", group.zh),
        format!("{}{number} tickets{en_within} ({what})", group.en),
    )
}

impl Why {
    /// The facts that make the answer what it is, each said once, in the order of the rule.
    pub fn text(&self) -> Message {
        let mut facts = Vec::new();
        self.gather(&mut facts);
        let shown = facts.get(..WHY_FACTS_MAX).unwrap_or(&facts);
        let zh: Vec<&str> = shown.iter().map(|fact| fact.zh.as_str()).collect();
        let en: Vec<&str> = shown.iter().map(|fact| fact.en.as_str()).collect();
        let (mut zh, mut en) = (zh.join("；"), en.join("; "));
        if facts.len() > shown.len() {
            let more = facts.len() - shown.len();
            zh.push_str(&format!("；另有 {more} 项"));
            en.push_str(&format!("; and {more} more"));
        }
        Message::new(zh, en)
    }

    /// Parts that had another say than the one that decided are left out.
    fn gather(&self, facts: &mut Vec<Message>) {
        let (parts, decisive) = match &self.kind {
            WhyKind::Leaf(leaf) | WhyKind::Was(leaf) => {
                if !facts.contains(&leaf.fact) {
                    facts.push(leaf.fact.clone());
                }
                return;
            }
            WhyKind::Not(part) | WhyKind::Meets(_, part) => return part.gather(facts),
            WhyKind::All(parts) | WhyKind::Any(parts) => (parts, self.answer),
            WhyKind::None(parts) => (parts, self.answer.not()),
        };
        for part in parts.iter().filter(|part| part.answer == decisive) {
            part.gather(facts);
        }
    }
}

fn test_leaf(test: &Test, seen: &Seen<'_>, now: Timestamp) -> Leaf {
    let target = target_words(&test.target, Some(seen.ticket));
    let fact = match (shown(&test.target, seen, now), holds(test, seen)) {
        (Known::Unknown, _) => unknown(&target),
        (Known::Empty, Answer::Unknown) => unknown(&target),
        (Known::Empty, _) => Message::new(format!("没有{}", target.zh), format!("no {}", target.en)),
        (Known::Present(value), _) => {
            Message::new(format!("{}是 {}", target.zh, value.zh), format!("{} is {}", target.en, value.en))
        }
    };
    Leaf { asked: test_words(test), fact }
}

fn unknown(target: &Message) -> Message {
    Message::new(format!("{}未知", target.zh), format!("{} is unknown", target.en))
}

fn clock_leaf(test: &ClockTest, seen: &Seen<'_>, now: Timestamp) -> Leaf {
    let run = Run::of(test.clock, &[], seen);
    Leaf { asked: clock_test_words(test), fact: clock_fact(test.clock, &run, &test.pace, seen, now) }
}

/// What a clock shows, whether it runs, has not begun, or nobody knows.
pub fn clock_fact(clock: Clock, run: &Run<'_>, pace: &Pace, seen: &Seen<'_>, now: Timestamp) -> Message {
    let words = clock.words();
    match (run, run.elapsed(pace, now)) {
        (Run::NotStarted, _) => not_started_words(clock),
        (_, None) => unknown(&Message::new(words.zh, words.en.replace('_', " "))),
        (run, Some(elapsed)) => {
            let estimated = clock == Clock::InStatus && seen.facts.status_since_estimated;
            clock_words(clock, elapsed, run.is_over(), estimated)
        }
    }
}

/// What the snapshot before the change said.
fn was_leaf(part: &Condition, seen: &Seen<'_>, now: Timestamp) -> Leaf {
    let at_rest = Seen { event: Event::None, ..*seen };
    let asked = Message::new("变化之前满足条件", "it held before the change");
    let fact = match seen.event {
        Event::None => Message::new("工单没有刚刚变化", "the ticket did not just change"),
        Event::Held => Message::new("提醒时已满足", "it held when this rang"),
        Event::Change(before) => {
            let facts = seen.facts.before(before, seen.ticket);
            let was = why(part, &Seen { ticket: before, facts: &facts, ..at_rest }, now).text();
            Message::new(format!("变化前{}", was.zh), format!("before the change: {}", was.en))
        }
    };
    Leaf { asked, fact }
}

fn changed_leaf(targets: &[Target], seen: &Seen<'_>) -> Leaf {
    let names = |targets: &[&Target]| {
        let words: Vec<Message> = targets.iter().map(|target| target_words(target, Some(seen.ticket))).collect();
        let zh: Vec<&str> = words.iter().map(|word| word.zh.as_str()).collect();
        let en: Vec<&str> = words.iter().map(|word| word.en.as_str()).collect();
        Message::new(zh.join("、"), en.join(", "))
    };
    let all = names(&targets.iter().collect::<Vec<_>>());
    let asked = Message::new(format!("{}有变化", all.zh), format!("{} changed", all.en));
    let fact = match seen.event {
        Event::None => Message::new("工单没有刚刚变化", "the ticket did not just change"),
        Event::Held => Message::new(format!("{}变了", all.zh), format!("{} changed", all.en)),
        Event::Change(before) => {
            let facts = seen.facts.before(before, seen.ticket);
            let earlier = Seen { ticket: before, facts: &facts, event: Event::None, ..*seen };
            let changed: Vec<&Target> = targets.iter().filter(|target| differs(target, &earlier, seen)).collect();
            let changed = names(&changed);
            if changed.zh.is_empty() {
                Message::new(format!("{}没有变", all.zh), format!("{} did not change", all.en))
            } else {
                Message::new(format!("{}变了", changed.zh), format!("{} changed", changed.en))
            }
        }
    };
    Leaf { asked, fact }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{
        condition::{Bound, CustomSelector, Operator, PersonPart},
        facts::Facts,
        field::Field,
        id::{SourceName, TicketId, TicketKey},
        labels::Labels,
        ticket::{CustomField, Person, Status, Tag, Ticket},
        time::Span,
    };

    const HOUR: i64 = 3_600_000;

    fn ticket() -> Ticket {
        let field = CustomField {
            display_name: Known::Present("优先级".into()),
            key_name: Known::Present("priority".into()),
            value: Known::Present("P0".into()),
            ..CustomField::default()
        };
        let tags = ["VIP", "退款"].map(|name| Tag { id: Known::Empty, name: Known::Present(name.into()) });
        Ticket {
            status: Known::Present(Status::WaitingForUser),
            score: Known::Present(1),
            created_at: Known::Present(Timestamp::from_ms(0)),
            updated_at: Known::Present(Timestamp::from_ms(10 * HOUR)),
            agent_last_response_time: Known::Empty,
            agent_owner: Known::Empty,
            guest: Known::Present(Arc::new(Person { name: Known::Present("李雷".into()), ..Person::default() })),
            customized_fields: Known::Present(Arc::from([field])),
            tags: Known::Present(Arc::from(tags)),
            ..Ticket::unknown(TicketKey::new(SourceName::new("desk"), TicketId::new("1")))
        }
    }

    fn test(target: Target, operator: Operator) -> Condition {
        Condition::Test(Test { target, operator })
    }

    fn code(name: &str, codes: &[i64]) -> Condition {
        test(Target::Field(Field::find(name).unwrap()), Operator::CodeIs(codes.into()))
    }

    fn clock(clock: Clock, hours: i64) -> Condition {
        Condition::Clock(ClockTest { clock, bound: Bound::AtLeast(Span::from_hours(hours)), pace: Pace::Wall })
    }

    fn check(condition: &Condition, zh: &str, en: &str) {
        let now = Timestamp::from_ms(36 * HOUR);
        let status_since = Timestamp::from_ms(10 * HOUR);
        let facts = Facts::new(status_since, status_since);
        assert_eq!(
            why_text(condition, &Seen::at_rest(&ticket(), &facts, Labels::none()), now),
            Message::new(zh, en),
            "{condition}"
        );
    }

    #[test]
    fn a_reason_says_what_made_the_answer() {
        check(
            &Condition::All(vec![code("score", &[1]), clock(Clock::InStatus, 24)]),
            "评分是 不满意；状态已持续 1 天 2 小时",
            "score is dissatisfied; in this status for 1 day 2 hours",
        );
        check(
            &Condition::All(vec![code("score", &[3]), code("status", &[5]), code("channel", &[2])]),
            "评分是 不满意",
            "score is dissatisfied",
        );
        check(&Condition::All(vec![code("status", &[5]), code("channel", &[2])]), "渠道未知", "channel is unknown");
        check(
            &Condition::Any(vec![code("score", &[3]), code("status", &[5])]),
            "状态是 待用户响应",
            "status is waiting for user",
        );
        check(
            &Condition::None(vec![code("score", &[3]), code("status", &[1])]),
            "评分是 不满意；状态是 待用户响应",
            "score is dissatisfied; status is waiting for user",
        );
        check(
            &Condition::All(vec![clock(Clock::Idle, 1), clock(Clock::Age, 1)]),
            "已 1 天 2 小时没有更新；工单已创建 1 天 12 小时",
            "not updated for 1 day 2 hours; created 1 day 12 hours ago",
        );
        check(&clock(Clock::SinceAgentReply, 1), "客服还没有回复过", "no agent has replied yet");
    }

    #[test]
    fn values_of_every_kind_are_said() {
        let field = |name: &str| Target::Field(Field::find(name).unwrap());
        let any = |word: &str| Target::Custom(CustomSelector::Any(word.into()));
        let part = Target::Part(Field::find("guest").unwrap(), PersonPart::Department);
        for (target, zh, en) in [
            (field("agent_owner"), "没有负责人", "no agent owner"),
            (field("guest"), "客户是 李雷", "guest is 李雷"),
            (part, "客户的部门未知", "guest's department is unknown"),
            (field("tags"), "标签是 VIP、退款", "tags is VIP, 退款"),
            (field("created_at"), "创建时间是 1 天 12 小时前", "created at is 1 day 12 hours ago"),
            (any("priority"), "优先级是 P0", "优先级 is P0"),
            (any("产品线"), "没有产品线", "no 产品线"),
        ] {
            check(&test(target, Operator::Exists(true)), zh, en);
        }
    }

    #[test]
    fn what_was_asked_is_said_too() {
        let asked = |condition: &Condition| {
            let facts = Facts::new(Timestamp::from_ms(0), Timestamp::from_ms(0));
            match why(condition, &Seen::at_rest(&ticket(), &facts, Labels::none()), Timestamp::from_ms(0)).kind {
                WhyKind::Leaf(leaf) => leaf.asked.to_string(),
                kind => panic!("{kind:?}"),
            }
        };
        assert_eq!(asked(&code("score", &[1, 9])), "评分是 不满意或9 / score is dissatisfied or 9");
        assert_eq!(asked(&clock(Clock::Age, 3)), "创建至今至少 3 小时 / age at least 3 hours");
        let none = test(Target::Field(Field::find("agent_owner").unwrap()), Operator::Exists(false));
        assert_eq!(asked(&none), "负责人没有值 / agent owner is not there");
    }

    #[test]
    fn durations_are_said_in_two_units() {
        for (secs, zh, en) in [
            (0, "0 秒", "0 seconds"),
            (61, "1 分钟 1 秒", "1 minute 1 second"),
            (7_200, "2 小时", "2 hours"),
            (86_400 + 59, "1 天", "1 day"),
            (90_061, "1 天 1 小时", "1 day 1 hour"),
        ] {
            assert_eq!(span_words(Span::from_secs(secs)), Message::new(zh, en));
        }
    }
}
