//! Conditions that can never hold, found one value at a time: if no value of some field or clock leaves the condition
//! a chance, whatever everything else is, it contradicts itself. Never says so of a condition that can hold.

use std::collections::BTreeMap;

use crate::domain::{
    condition::{Bound, Condition, Operator, Target},
    text::Message,
    ticket::Text,
    time::{Span, Timestamp},
    wording::target_words,
};

/// A value tried for one field or clock.
#[derive(Clone, Debug, PartialEq)]
enum Trial {
    Absent,
    /// There, and nothing else is known of it.
    There,
    Code(i64),
    Number(f64),
    Text(Text),
    Instant(Timestamp),
    Elapsed(Span),
}

/// What the condition may still come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Chance {
    yes: bool,
    no: bool,
}

const OPEN: Chance = Chance { yes: true, no: true };

const fn certain(holds: bool) -> Chance {
    Chance { yes: holds, no: !holds }
}

/// The field or clock on which a condition contradicts itself.
pub(super) fn contradicts_itself(condition: &Condition) -> Option<Message> {
    let mut variables: BTreeMap<String, (Message, Vec<Trial>)> = BTreeMap::new();
    gather(condition, &mut variables);
    variables.into_iter().find_map(|(name, (words, trials))| {
        let hopeless = trials.iter().all(|trial| !chance(condition, &name, trial).yes);
        hopeless.then_some(words)
    })
}

fn variable(condition: &Condition) -> Option<String> {
    match condition {
        Condition::Test(test) => Some(test.target.to_string()),
        // On two calendars a clock shows two things.
        Condition::Clock(test) => {
            let calendar = test.pace.calendar().map(|calendar| calendar.name().as_str());
            Some(format!("clock {} {calendar:?}", test.clock.name()))
        }
        _ => None,
    }
}

/// Every field and clock of the condition with the values that tell its tests apart.
fn gather(condition: &Condition, variables: &mut BTreeMap<String, (Message, Vec<Trial>)>) {
    let (words, trials) = match condition {
        Condition::All(parts) | Condition::Any(parts) | Condition::None(parts) => {
            return parts.iter().for_each(|part| gather(part, variables));
        }
        Condition::Not(part) => return gather(part, variables),
        Condition::Meets(_, meant) => return gather(meant, variables),
        Condition::Was(_) | Condition::Changed(_) => return,
        Condition::Test(test) => (target_words(&test.target, None), trials_of(&test.target, &test.operator)),
        Condition::Clock(test) => {
            let words = test.clock.words();
            let (Bound::AtLeast(span) | Bound::Under(span)) = test.bound;
            let below = Span::from_ms(span.as_ms() - 1);
            let trials = [Span::ZERO, below, span].map(Trial::Elapsed).to_vec();
            (Message::new(words.zh, words.en), trials)
        }
    };
    if let Some(name) = variable(condition) {
        variables.entry(name).or_insert_with(|| (words, Vec::new())).1.extend(trials);
    }
}

fn trials_of(target: &Target, operator: &Operator) -> Vec<Trial> {
    let mut trials = vec![Trial::Absent];
    match operator {
        Operator::CodeIs(codes) => {
            let field_codes = match target {
                Target::Field(field) => field.codes(),
                _ => &[],
            };
            trials.extend(codes.iter().copied().chain(field_codes.iter().map(|code| code.code)).map(Trial::Code));
            trials.push(Trial::Code(i64::MIN)); // a number nobody named
        }
        Operator::NumberIs(numbers) => {
            trials.extend(numbers.iter().flat_map(|number| around(*number)));
        }
        Operator::AtLeast(number) | Operator::AtMost(number) | Operator::Above(number) | Operator::Below(number) => {
            trials.extend(around(*number));
        }
        Operator::Before(at) | Operator::After(at) => {
            let ms = at.as_ms();
            let near = [ms.saturating_sub(1), ms, ms.saturating_add(1)];
            trials.extend(near.map(|ms| Trial::Instant(Timestamp::from_ms(ms))));
        }
        Operator::TextIs(texts) => {
            trials.extend(texts.iter().cloned().map(Trial::Text));
            trials.push(Trial::There);
        }
        _ => trials.push(Trial::There),
    }
    trials
}

fn around(number: f64) -> [Trial; 3] {
    [number.next_down(), number, number.next_up()].map(Trial::Number)
}

fn chance(condition: &Condition, name: &str, trial: &Trial) -> Chance {
    let each = |parts: &[Condition]| -> Vec<Chance> { parts.iter().map(|part| chance(part, name, trial)).collect() };
    let any = |chances: Vec<Chance>| Chance {
        yes: chances.iter().any(|chance| chance.yes),
        no: chances.iter().all(|chance| chance.no),
    };
    let not = |chance: Chance| Chance { yes: chance.no, no: chance.yes };
    match condition {
        Condition::All(parts) => not(any(each(parts).into_iter().map(not).collect())),
        Condition::Any(parts) => any(each(parts)),
        Condition::None(parts) => not(any(each(parts))),
        Condition::Not(part) => not(chance(part, name, trial)),
        Condition::Meets(_, meant) => chance(meant, name, trial),
        Condition::Was(_) | Condition::Changed(_) => OPEN,
        Condition::Test(_) | Condition::Clock(_) if variable(condition).as_deref() != Some(name) => OPEN,
        Condition::Test(test) => test_chance(&test.operator, trial),
        Condition::Clock(test) => match (test.bound, trial) {
            (Bound::AtLeast(span), Trial::Elapsed(elapsed)) => certain(*elapsed >= span),
            (Bound::Under(span), Trial::Elapsed(elapsed)) => certain(*elapsed < span),
            _ => OPEN,
        },
    }
}

fn test_chance(operator: &Operator, trial: &Trial) -> Chance {
    match (operator, trial) {
        (Operator::Exists(wanted), trial) => certain(*wanted == (*trial != Trial::Absent)),
        (_, Trial::Absent) => certain(false),
        (Operator::CodeIs(codes), Trial::Code(code)) => certain(codes.contains(code)),
        (Operator::NumberIs(numbers), Trial::Number(number)) => certain(numbers.contains(number)),
        (Operator::AtLeast(bound), Trial::Number(number)) => certain(number >= bound),
        (Operator::AtMost(bound), Trial::Number(number)) => certain(number <= bound),
        (Operator::Above(bound), Trial::Number(number)) => certain(number > bound),
        (Operator::Below(bound), Trial::Number(number)) => certain(number < bound),
        (Operator::Before(bound), Trial::Instant(at)) => certain(at < bound),
        (Operator::After(bound), Trial::Instant(at)) => certain(at > bound),
        (Operator::TextIs(texts), Trial::Text(text)) => certain(texts.contains(text)),
        // A text nobody named: it is none of these.
        (Operator::TextIs(_), Trial::There) => certain(false),
        _ => OPEN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        calendar::Pace,
        condition::{Clock, ClockTest, CustomSelector, Test},
        field::Field,
    };

    fn test(target: Target, operator: Operator) -> Condition {
        Condition::Test(Test { target, operator })
    }

    fn code(name: &str, codes: &[i64]) -> Condition {
        test(Target::Field(Field::find(name).unwrap()), Operator::CodeIs(codes.into()))
    }

    fn number(operator: Operator) -> Condition {
        test(Target::Field(Field::find("agent_resolution_time").unwrap()), operator)
    }

    fn clock(bound: Bound) -> Condition {
        Condition::Clock(ClockTest { clock: Clock::Age, bound, pace: Pace::Wall })
    }

    fn custom(operator: Operator) -> Condition {
        test(Target::Custom(CustomSelector::Any("vip".into())), operator)
    }

    #[test]
    fn only_what_can_never_hold_is_named() {
        let hour = Span::from_hours(1);
        let day = Span::from_days(1);
        let text = |words: &[&str]| Operator::TextIs(words.iter().map(|word| Text::from(*word)).collect());
        let contains = |word: &str| Operator::TextContains([Text::from(word)].into());
        for (parts, what) in [
            (vec![code("status", &[1]), code("status", &[5])], Some("status")),
            (vec![code("status", &[1, 5]), code("status", &[5])], None),
            (vec![code("status", &[1]), Condition::Not(Box::new(code("status", &[1])))], Some("status")),
            (vec![code("status", &[1]), code("score", &[1])], None),
            (vec![Condition::None(vec![code("solved", &[1, 2])])], None),
            (vec![clock(Bound::AtLeast(day)), clock(Bound::Under(hour))], Some("age")),
            (vec![clock(Bound::AtLeast(hour)), clock(Bound::Under(day))], None),
            (vec![clock(Bound::Under(Span::ZERO))], Some("age")),
            (vec![number(Operator::AtLeast(5.0)), number(Operator::AtMost(5.0))], None),
            (vec![number(Operator::AtLeast(5.0)), number(Operator::Below(5.0))], Some("agent resolution time")),
            (vec![number(Operator::Above(1.0)), number(Operator::Below(2.0))], None),
            (vec![custom(text(&["a"])), custom(text(&["b"]))], Some("vip")),
            (vec![custom(text(&["a"])), custom(Operator::Exists(false))], Some("vip")),
            (vec![custom(contains("a")), custom(contains("b"))], None),
            (vec![custom(contains("a")), custom(Operator::Exists(false))], Some("vip")),
        ] {
            let condition = Condition::All(parts);
            let found = contradicts_itself(&condition).map(|words| words.en);
            assert_eq!(found.as_deref(), what, "{condition}");
        }
    }
}
