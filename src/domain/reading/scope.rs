//! What a sweep reads beside the open tickets, as the rules in force demand.

use std::collections::BTreeSet;

use crate::domain::{
    condition::{Condition, Operator, Target, Test},
    id::SourceName,
    rule::RuleSet,
    ticket::Status,
    time::Span,
};

/// How long closed tickets stay in a sweep (`closed_for`), and how far back a first reading goes (`baseline`).
pub const CLOSED_WITHIN: Span = Span::from_days(7);

/// How old a ticket may be for a late rating to be looked for.
pub const RATED_WITHIN: Span = Span::from_days(30);

/// Scores a sweep asks for one by one; more than the platform has.
pub const SCORES_MAX: usize = 5;

/// What a sweep reads beside the open tickets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepScope {
    /// What closed within this time; absent when no rule can hold on a closed ticket.
    pub closed_within: Option<Span>,
    /// Scores asked for: ratings come after closing, and nothing promises that one moves `updated_at`.
    pub scores: Vec<i64>,
    /// How old a rated ticket may be.
    pub rated_within: Span,
}

impl SweepScope {
    /// A first reading: whatever the rules, what closed of late is known from then on.
    pub fn baseline(rules: &RuleSet, source: &SourceName) -> Self {
        Self { closed_within: Some(CLOSED_WITHIN), ..Self::of(rules, source) }
    }

    /// What the rules in force demand of a source.
    pub fn of(rules: &RuleSet, source: &SourceName) -> Self {
        let watching = || rules.rules.values().filter(|rule| rule.watches(source));
        let mut scores = BTreeSet::new();
        for rule in watching() {
            collect_scores(&rule.when, &mut scores);
        }
        Self {
            closed_within: watching().any(|rule| can_hold_closed(&rule.when)).then_some(CLOSED_WITHIN),
            scores: scores.into_iter().take(SCORES_MAX).collect(),
            rated_within: RATED_WITHIN,
        }
    }
}

/// Whether a condition may hold on a closed ticket. Says yes where it is not sure.
fn can_hold_closed(condition: &Condition) -> bool {
    match condition {
        Condition::All(parts) => parts.iter().all(can_hold_closed),
        Condition::Any(parts) => parts.iter().any(can_hold_closed),
        Condition::Test(Test { target: Target::Field(field), operator: Operator::CodeIs(codes) })
            if field.name == "status" =>
        {
            codes.iter().any(|code| Status::from_code(*code).is_closed() != Some(false))
        }
        Condition::Meets(_, meant) => can_hold_closed(meant),
        Condition::None(_)
        | Condition::Not(_)
        | Condition::Test(_)
        | Condition::Clock(_)
        | Condition::Was(_)
        | Condition::Changed(_) => true,
    }
}

/// The scores that tests of `score` name, wherever they stand outside of a negation.
fn collect_scores(condition: &Condition, scores: &mut BTreeSet<i64>) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter().for_each(|part| collect_scores(part, scores));
        }
        Condition::Test(Test { target: Target::Field(field), operator: Operator::CodeIs(codes) })
            if field.name == "score" =>
        {
            scores.extend(codes.iter().copied());
        }
        Condition::Meets(_, meant) => collect_scores(meant, scores),
        Condition::None(_)
        | Condition::Not(_)
        | Condition::Test(_)
        | Condition::Clock(_)
        | Condition::Was(_)
        | Condition::Changed(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::{
        field::{Carrier, Field, Kind, Value},
        id::RuleName,
        rule::Rule,
        seen::Seen,
        text::Words,
    };

    const DOC: Words = Words { zh: "", en: "" };
    static STATUS: Field = field("status");
    static SCORE: Field = field("score");

    const fn field(name: &'static str) -> Field {
        let read = |_: &Seen<'_>| Value::Unknown;
        Field {
            name,
            zh: "",
            vendor: name,
            also: &[],
            kind: Kind::Number,
            volatile: false,
            carrier: Carrier::List,
            doc: DOC,
            read,
        }
    }

    fn code(name: &str, codes: &[i64]) -> Condition {
        let field = if name == "score" { &SCORE } else { &STATUS };
        Condition::Test(Test { target: Target::Field(field), operator: Operator::CodeIs(codes.into()) })
    }

    fn rules(conditions: Vec<Condition>) -> RuleSet {
        let rule = |(at, when): (usize, Condition)| {
            let name = RuleName::new(format!("rule {at}"));
            let rule = Rule { sources: (at == 9).then(Vec::new), ..Rule::new(name.clone(), when) };
            (name, rule)
        };
        RuleSet { rules: conditions.into_iter().enumerate().map(rule).collect::<BTreeMap<_, _>>() }
    }

    #[test]
    fn a_sweep_reads_what_the_rules_can_hold_on() {
        let open = || code("status", &[1, 2, 3, 4, 5]);
        let source = SourceName::from("desk");
        let cases: Vec<(&str, Vec<Condition>, bool, &[i64])> = vec![
            ("no rule", vec![], false, &[]),
            ("only open tickets", vec![open()], false, &[]),
            ("a closed status", vec![code("status", &[5, 51])], true, &[]),
            ("a number nobody knows", vec![code("status", &[77])], true, &[]),
            ("a score", vec![code("score", &[1])], true, &[1]),
            ("a score of open tickets", vec![Condition::All(vec![open(), code("score", &[2, 1])])], false, &[1, 2]),
            ("either", vec![Condition::Any(vec![open(), code("score", &[3])])], true, &[3]),
            ("a negation says nothing of scores", vec![Condition::Not(Box::new(code("score", &[3])))], true, &[]),
            ("two rules", vec![open(), code("score", &[1])], true, &[1]),
        ];
        for (name, conditions, closed, scores) in cases {
            let scope = SweepScope::of(&rules(conditions), &source);
            assert_eq!(scope.closed_within.is_some(), closed, "{name}");
            assert_eq!(scope.scores, scores, "{name}");
        }
        assert!(SweepScope::baseline(&RuleSet::default(), &source).closed_within.is_some());
    }
}
