//! What of a rule can be replayed from history, what cannot, and why.

use std::collections::BTreeSet;

use crate::domain::{
    condition::{Clock, Condition, Operator, Target, Test},
    field::Carrier,
    rule::{Rule, RuleKind, Until},
    text::{Message, Words},
    ticket::Status,
};

/// Where history comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// The platform's list: one snapshot of each ticket, at the end.
    List {
        /// The messages of each ticket were read too.
        messages: bool,
    },
    /// What deskbell observed while it ran.
    Observed,
}

/// How much of a rule can be replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replayable {
    /// All of it: what is counted is what would have been.
    Full,
    /// With doubts.
    Partly(BTreeSet<Gap>),
    /// Not at all.
    No(BTreeSet<Gap>),
}

/// What history does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gap {
    /// Which statuses an open ticket went through: it counts as queueing until the first reply.
    Statuses,
    /// When a ticket was put aside or waited for its user, unless it is so now.
    Waiting,
    /// That a ticket was opened again.
    Reopened,
    /// What changed, and when.
    Changes,
    /// Who owned a ticket before the first reply, and who before the present owner.
    Owner,
    /// Replies between the first and the last one.
    Replies,
    /// Updates before the last one.
    Updates,
    /// When it was rated.
    RatedAt,
    /// What fields were filled with before they were changed.
    Values,
    /// Durations of the vendor on the way: only the last number is known.
    Durations,
    /// What was said.
    Messages,
    /// What was said: of that deskbell keeps only the newest.
    MessagesPast,
}

/// Which way a count errs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errs {
    /// It would have been this many.
    Not,
    /// At most so many.
    TooMany,
    /// At least so many.
    TooFew,
    /// About so many.
    EitherWay,
}

impl Errs {
    /// The sign before a number.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Not => "",
            Self::TooMany => "≤",
            Self::TooFew => "≥",
            Self::EitherWay => "≈",
        }
    }
}

impl Gap {
    /// What history does not say and what is done about it, for people.
    pub const fn words(self) -> Words {
        match self {
            Self::Statuses => Words {
                zh: "历史里没有中间状态：人工接待后、第一次回复前一律当作排队，可能多算",
                en: "statuses on the way are not in history: from people to the first reply counts as queueing, perhaps too often",
            },
            Self::Waiting => Words {
                zh: "何时转为待用户响应或暂停，历史里没有：只算得出现在仍是这样的工单，会少算",
                en: "when a ticket was pending or waited for its user is not in history: only those that are so now count, too few",
            },
            Self::Reopened => Words {
                zh: "历史里没有重新打开的记录",
                en: "history does not say that a ticket was reopened",
            },
            Self::Changes => Words {
                zh: "历史里只有创建、进人工、首末次回复、关闭这几次变化",
                en: "of all changes history has creation, people, first and last reply and closing only",
            },
            Self::Owner => Words {
                zh: "第一次回复前谁负责，历史里没有：当作没有人，可能多算",
                en: "who owned a ticket before the first reply is not in history: nobody, perhaps too often",
            },
            Self::Replies => Words {
                zh: "首次和末次之间的客服回复，历史里没有，可能多算",
                en: "replies between the first and the last are not in history, perhaps too often",
            },
            Self::Updates => Words {
                zh: "最后一次以前的更新，历史里没有，可能多算",
                en: "updates before the last one are not in history, perhaps too often",
            },
            Self::RatedAt => Words {
                zh: "何时评价历史里没有：当作关闭时或最后更新时，次数是准的",
                en: "when it was rated is not in history: with closing or the last update; the count is right",
            },
            Self::Values => Words {
                zh: "字段用的是现在的值，之前改过的看不到",
                en: "fields have their present values; what they were before is not seen",
            },
            Self::Durations => Words {
                zh: "平台给的时长只有最后的数",
                en: "of the platform's durations only the last number is known",
            },
            Self::Messages => Words {
                zh: "需要对话内容：加 --messages 再读一遍（每张工单一次调用）",
                en: "what was said is needed: read it with --messages, one call a ticket",
            },
            Self::MessagesPast => Words {
                zh: "需要当时的对话内容，数据目录里只有最近的",
                en: "what was said then is needed, and the store has only the newest words",
            },
        }
    }

    const fn errs(self) -> Errs {
        match self {
            Self::RatedAt => Errs::Not,
            Self::Statuses | Self::Owner | Self::Replies | Self::Updates => Errs::TooMany,
            Self::Waiting | Self::Reopened | Self::Messages | Self::MessagesPast => Errs::TooFew,
            Self::Changes | Self::Values | Self::Durations => Errs::EitherWay,
        }
    }
}

impl Replayable {
    /// What history does not say of it.
    pub fn gaps(&self) -> impl Iterator<Item = Gap> + '_ {
        let gaps = match self {
            Self::Full => None,
            Self::Partly(gaps) | Self::No(gaps) => Some(gaps),
        };
        gaps.into_iter().flatten().copied()
    }

    /// Whether it can be played at all.
    pub const fn is_played(&self) -> bool {
        !matches!(self, Self::No(_))
    }

    /// Which way what is counted errs.
    pub fn errs(&self) -> Errs {
        self.gaps().map(Gap::errs).fold(Errs::Not, |one, other| match (one, other) {
            (Errs::Not, way) | (way, Errs::Not) => way,
            (one, other) if one == other => one,
            _ => Errs::EitherWay,
        })
    }

    /// Why it is not replayed whole, a sentence.
    pub fn reasons(&self) -> Message {
        let all: Vec<Words> = self.gaps().map(Gap::words).collect();
        let join = |of: fn(&Words) -> &'static str, with: &str| all.iter().map(of).collect::<Vec<_>>().join(with);
        Message::new(join(|words| words.zh, "；"), join(|words| words.en, "; "))
    }

    fn partly(gap: Gap) -> Self {
        Self::Partly([gap].into())
    }

    fn no(gap: Gap) -> Self {
        Self::No([gap].into())
    }

    /// Both must be known.
    fn and(self, other: Self) -> Self {
        let gaps = || self.gaps().chain(other.gaps()).collect();
        match (&self, &other) {
            (Self::No(_), _) | (_, Self::No(_)) => Self::No(self.fatal().chain(other.fatal()).collect()),
            (Self::Full, Self::Full) => Self::Full,
            _ => Self::Partly(gaps()),
        }
    }

    /// One of them may do.
    fn or(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::Full, Self::Full) => Self::Full,
            (Self::No(one), Self::No(other)) => Self::No(one | other),
            _ => Self::Partly(self.gaps().chain(other.gaps()).collect()),
        }
    }

    /// What makes it impossible.
    fn fatal(&self) -> impl Iterator<Item = Gap> + '_ {
        let gaps = if let Self::No(gaps) = self { Some(gaps) } else { None };
        gaps.into_iter().flatten().copied()
    }
}

/// What of a rule can be replayed.
pub fn replayable(rule: &Rule, history: History) -> Replayable {
    let when = of_condition(&rule.when, history);
    let until = match &rule.until {
        // An end that is not seen makes alerts longer, not more.
        Until::Holds(condition) => match of_condition(condition, history) {
            Replayable::Full => Replayable::Full,
            Replayable::Partly(gaps) | Replayable::No(gaps) => Replayable::Partly(gaps),
        },
        _ => Replayable::Full,
    };
    let kind = match &rule.kind {
        RuleKind::Ticket => Replayable::Full,
        RuleKind::Sla(sla) => {
            let clock = of_clock(sla.clock, history);
            let pauses = match history {
                History::List { .. } if !sla.pauses.is_empty() => Replayable::partly(Gap::Waiting),
                _ => Replayable::Full,
            };
            let targets = sla.targets.iter().filter_map(|target| target.when.as_ref());
            targets.fold(clock.and(pauses), |all, when| all.and(of_condition(when, history)))
        }
        RuleKind::Count(count) => count.per.as_ref().map_or(Replayable::Full, |per| of_target(per, history)),
    };
    when.and(until).and(kind)
}

fn of_condition(condition: &Condition, history: History) -> Replayable {
    let every = |parts: &[Condition]| {
        parts.iter().map(|part| of_condition(part, history)).fold(Replayable::Full, Replayable::and)
    };
    let is_list = matches!(history, History::List { .. });
    match condition {
        Condition::All(parts) => every(parts),
        Condition::Any(parts) => {
            parts.iter().map(|part| of_condition(part, history)).reduce(Replayable::or).unwrap_or(Replayable::Full)
        }
        Condition::None(parts) => every(parts),
        Condition::Not(part) => of_condition(part, history),
        Condition::Meets(_, meant) => of_condition(meant, history),
        Condition::Test(test) => of_test(test, history),
        Condition::Clock(test) => of_clock(test.clock, history),
        Condition::Was(part) if is_list && asks_whether_closed(part) => Replayable::no(Gap::Reopened),
        Condition::Was(part) if is_list => Replayable::partly(Gap::Changes).and(of_condition(part, history)),
        Condition::Was(part) => of_condition(part, history),
        Condition::Changed(targets) => {
            let changes = targets.iter().map(|target| of_change(target, history));
            changes.reduce(Replayable::or).unwrap_or(Replayable::Full)
        }
    }
}

/// Whether a condition asks for a closed ticket: in a list no ticket that was closed before is open again.
fn asks_whether_closed(condition: &Condition) -> bool {
    condition.any(&|part| match part {
        Condition::Test(Test { target: Target::Field(field), operator: Operator::CodeIs(codes) }) => {
            field.name == "status" && codes.iter().all(|code| Status::from_code(*code).is_closed() == Some(true))
        }
        _ => false,
    })
}

fn of_test(test: &Test, history: History) -> Replayable {
    match (&test.target, &test.operator, history) {
        (Target::Field(field), Operator::CodeIs(codes), History::List { .. }) if field.name == "status" => {
            of_statuses(codes)
        }
        (target, _, history) => of_target(target, history),
    }
}

/// Tests of the status: a list knows when a ticket was created and closed, and what it is now.
fn of_statuses(codes: &[i64]) -> Replayable {
    let statuses: BTreeSet<Status> = codes.iter().map(|code| Status::from_code(*code)).collect();
    let served = [Status::Queueing, Status::Processing];
    let waits = [Status::Pending, Status::WaitingForUser];
    let has = |some: &[Status]| some.iter().filter(|status| statuses.contains(status)).count();
    let open = usize::from(statuses.contains(&Status::Created)) + has(&served) + has(&waits);
    match (open, has(&served), has(&waits)) {
        (0 | 5, _, _) => Replayable::Full,
        (_, 0, 1..) => Replayable::partly(Gap::Waiting),
        (_, 1.., _) => Replayable::partly(Gap::Statuses),
        _ => Replayable::Full,
    }
}

fn of_clock(clock: Clock, history: History) -> Replayable {
    match (history, clock) {
        (History::List { messages: true }, Clock::UnansweredFor) => Replayable::Full,
        (_, Clock::UnansweredFor) => Replayable::no(unsaid(history)),
        (History::Observed, _) | (_, Clock::Age | Clock::FirstResponse | Clock::Resolution) => Replayable::Full,
        (_, Clock::Idle) => Replayable::partly(Gap::Updates),
        (_, Clock::SinceAgentReply) => Replayable::partly(Gap::Replies),
        (_, Clock::InStatus | Clock::QueueTime | Clock::ServiceTime) => Replayable::partly(Gap::Statuses),
    }
}

const fn unsaid(history: History) -> Gap {
    match history {
        History::List { .. } => Gap::Messages,
        History::Observed => Gap::MessagesPast,
    }
}

fn of_target(target: &Target, history: History) -> Replayable {
    let field = match target {
        Target::Field(field) | Target::Part(field, _) => field,
        Target::Custom(_) if history == History::Observed => return Replayable::Full,
        Target::Custom(_) => return Replayable::partly(Gap::Values),
    };
    match (field.carrier, history) {
        (Carrier::Messages, History::List { messages: true }) => return Replayable::Full,
        (Carrier::Messages, _) => return Replayable::no(unsaid(history)),
        (_, History::Observed) => return Replayable::Full,
        _ => {}
    }
    match field.name {
        "status" => Replayable::partly(Gap::Statuses),
        "agent_owner" | "agents" | "collaborators" => Replayable::partly(Gap::Owner),
        "score" | "dissatisfaction_reason" | "solved" => Replayable::partly(Gap::RatedAt),
        "agent_last_response_time" => Replayable::partly(Gap::Replies),
        "updated_at" => Replayable::partly(Gap::Updates),
        "reopened_count" => Replayable::no(Gap::Reopened),
        "customized_fields" | "tags" | "subject" | "priority" | "team" => Replayable::partly(Gap::Values),
        "agent_service_duration" | "bot_service_duration" | "actual_processing_time" => {
            Replayable::partly(Gap::Durations)
        }
        _ => Replayable::Full,
    }
}

/// A change of this value: a list shows where a way began and where it ended.
fn of_change(target: &Target, history: History) -> Replayable {
    if history == History::Observed {
        return of_target(target, history);
    }
    match target {
        Target::Field(field) => match field.name {
            "score" | "closed_at" | "closed_by" | "agent_entry_time" | "agent_first_response_time" | "ticket_type" => {
                of_target(target, history)
            }
            "status" | "agent_owner" | "agents" | "agent_last_response_time" | "updated_at" | "comments" | "solved" => {
                Replayable::partly(Gap::Changes).and(of_target(target, history))
            }
            _ => Replayable::no(Gap::Changes),
        },
        Target::Part(..) | Target::Custom(_) => Replayable::no(Gap::Changes),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{
        calendar::Pace,
        condition::{Bound, ClockTest, CustomSelector},
        field::Field,
        id::RuleName,
        time::Span,
    };

    const LIST: History = History::List { messages: false };

    fn field(name: &str) -> Target {
        Target::Field(Field::find(name).unwrap())
    }

    fn is(name: &str, codes: &[i64]) -> Condition {
        Condition::Test(Test { target: field(name), operator: Operator::CodeIs(codes.into()) })
    }

    fn exists(target: Target) -> Condition {
        Condition::Test(Test { target, operator: Operator::Exists(true) })
    }

    fn clock(clock: Clock) -> Condition {
        let bound = Bound::AtLeast(Span::from_hours(1));
        Condition::Clock(ClockTest { clock, bound, pace: Pace::Wall })
    }

    fn changed(targets: &[Target]) -> Condition {
        Condition::Changed(Arc::from(targets))
    }

    /// The way a rule errs and what is missing, as text.
    fn told(when: Condition, history: History) -> String {
        let found = replayable(&Rule::new(RuleName::from("r"), when), history);
        let word = match &found {
            Replayable::Full => "full",
            Replayable::Partly(_) => "partly",
            Replayable::No(_) => "no",
        };
        let gaps: Vec<String> = found.gaps().map(|gap| format!(" {gap:?}")).collect();
        format!("{word}{}{}", found.errs().sign(), gaps.concat())
    }

    #[test]
    fn what_a_list_says_can_be_replayed_and_the_rest_has_its_reason() {
        let custom = || Target::Custom(CustomSelector::Any("vip".into()));
        let cases: Vec<(Condition, &str)> = vec![
            (is("score", &[1]), "partly RatedAt"),
            (is("status", &[50, 51, 52]), "full"),
            (is("status", &[1, 2, 3, 4, 5]), "full"),
            (is("status", &[1]), "full"),
            (is("status", &[3]), "partly≤ Statuses"),
            (is("status", &[5]), "partly≥ Waiting"),
            (clock(Clock::Age), "full"),
            (clock(Clock::FirstResponse), "full"),
            (clock(Clock::Idle), "partly≤ Updates"),
            (clock(Clock::UnansweredFor), "no≥ Messages"),
            (exists(field("guest_message")), "no≥ Messages"),
            (exists(field("agent_owner")), "partly≤ Owner"),
            (exists(custom()), "partly≈ Values"),
            (exists(field("reopened_count")), "no≥ Reopened"),
            (changed(&[field("score")]), "partly RatedAt"),
            (changed(&[custom()]), "no≈ Changes"),
            (changed(&[field("score"), custom()]), "partly≈ Changes RatedAt"),
            (Condition::Was(Box::new(is("status", &[51]))), "no≥ Reopened"),
            (Condition::Was(Box::new(is("status", &[3]))), "partly≈ Statuses Changes"),
            (Condition::All(vec![is("status", &[3]), clock(Clock::Age)]), "partly≤ Statuses"),
            (Condition::All(vec![is("status", &[3]), clock(Clock::UnansweredFor)]), "no≥ Messages"),
            (Condition::Any(vec![is("status", &[1]), clock(Clock::UnansweredFor)]), "partly≥ Messages"),
            (Condition::Any(vec![clock(Clock::UnansweredFor)]), "no≥ Messages"),
            (Condition::Not(Box::new(exists(custom()))), "partly≈ Values"),
            (Condition::Meets("vip".into(), Arc::new(exists(custom()))), "partly≈ Values"),
        ];
        for (condition, expected) in cases {
            let text = condition.to_string();
            assert_eq!(told(condition, LIST), expected, "{text}");
        }
    }

    #[test]
    fn what_was_observed_lacks_nothing_but_words() {
        for (condition, expected) in [
            (is("status", &[5]), "full"),
            (clock(Clock::QueueTime), "full"),
            (exists(field("reopened_count")), "full"),
            (changed(&[Target::Custom(CustomSelector::Any("vip".into()))]), "full"),
            (clock(Clock::UnansweredFor), "no≥ MessagesPast"),
        ] {
            let text = condition.to_string();
            assert_eq!(told(condition, History::Observed), expected, "{text}");
        }
        assert_eq!(told(clock(Clock::UnansweredFor), History::List { messages: true }), "full");
    }

    #[test]
    fn an_end_that_is_not_seen_keeps_no_rule_from_being_played() {
        let until = Until::Holds(exists(field("guest_message")));
        let rule = Rule { until, ..Rule::new(RuleName::from("r"), is("status", &[51])) };
        let found = replayable(&rule, LIST);
        assert!(found.is_played() && !found.reasons().zh.is_empty(), "{found:?}");
    }

    #[test]
    fn every_gap_is_explained_in_both_languages() {
        let all = Replayable::Partly([Gap::Statuses, Gap::RatedAt].into());
        assert_eq!(all.reasons().zh.matches('；').count(), 1);
        assert!(all.reasons().en.contains("queueing") && all.reasons().en.contains("rated"));
    }
}
