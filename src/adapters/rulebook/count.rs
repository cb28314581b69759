//! What a counting rule has beyond other rules: groups, numbers, and when a count is over.

use crate::{
    adapters::{
        rulebook::{
            condition::Compiler,
            keys::wall_span_of,
            words::{COUNT_OPERATORS, OPERATORS, english},
        },
        yaml::{
            map::{Map, unknown_key},
            tree::{Key, Node, NodeKind},
        },
    },
    domain::{
        condition::{Operator, Target},
        fault::Fault,
        field::{Carrier, Kind},
        rule::Count,
        text::Message,
    },
};

/// The greatest number a count is compared with.
pub(super) const COUNT_MAX: i64 = 1_000_000;

/// What is counted how; the rule's condition is `count`.
pub(super) fn read(map: &mut Map<'_>, compiler: &mut Compiler<'_>) -> Option<Count> {
    let per_node = map.filled("per");
    let per = per_node.map(|node| per(node, compiler));
    let within = wall_span_of(map, "within", compiler.faults);
    let when_node = map.required("when", compiler.faults);
    let when = when_node.and_then(|node| numbers("when", node, compiler.faults));
    let clear_node = map.filled("clear");
    let clear = clear_node.map(|node| numbers("clear", node, compiler.faults));
    let (when, clear) = (when?, clear.map_or(Some(Vec::new()), |clear| clear)?);
    if let Some(node) = when_node {
        check(&when, &clear, node, clear_node, compiler.faults);
    }
    Some(Count { per: per.map_or(Some(None), |per| per.map(Some))?, when, within, clear })
}

/// The field whose values make the groups: one that has a single short value.
fn per(node: &Node, compiler: &mut Compiler<'_>) -> Option<Target> {
    let target = compiler.target(node)?;
    let reason = match &target {
        Target::Field(field) if field.name == "ticket_id" => {
            Message::new("每张工单自成一组，数目总是 1", "each ticket would be a group of one")
        }
        Target::Field(field) if field.carrier == Carrier::Messages => {
            Message::new("客户说的话不能用来分组", "what was said makes no groups")
        }
        Target::Field(field) => match field.kind {
            Kind::Text | Kind::Code(_) | Kind::Person => return Some(target),
            Kind::Number | Kind::Instant => {
                Message::new("数和时刻几乎各不相同", "numbers and instants hardly ever are the same")
            }
            Kind::Persons | Kind::Messages | Kind::I18n | Kind::Comments | Kind::Tags | Kind::CustomFields => {
                Message::new("它有不止一个值", "it has more than one value")
            }
        },
        Target::Part(..) | Target::Custom(_) => return Some(target),
    };
    let shown = node.text().unwrap_or_default();
    let message = Message::new(
        format!("不能按 “{shown}” 分组：{}", reason.zh),
        format!("`{shown}` cannot make groups: {}", reason.en),
    );
    let hint = Message::new(
        "例如 per: team、per: channel、per: fields.产品线",
        "such as per: team, per: channel, per: fields.X",
    );
    compiler.faults.push(Fault::error(node.place.clone(), message).with_hint(hint));
    None
}

/// Demands on a number of tickets.
fn numbers(key: &str, node: &Node, faults: &mut Vec<Fault>) -> Option<Vec<Operator>> {
    let what = Message::new(
        format!("工单数的要求，例如 {key}: {{ at_least: 10 }}"),
        format!("a demand on the number of tickets, such as {key}: {{ at_least: 10 }}"),
    );
    if let NodeKind::Map(entries) = &node.kind
        && entries.is_empty()
    {
        faults.push(node.expected(&what));
        return None;
    }
    let mut map = Map::with_twins(node, &what, |word| english(OPERATORS, word), faults)?;
    let mut found = Vec::new();
    let mut whole = true;
    for (written, node) in map.rest() {
        let operator = operator(written, node, faults);
        whole &= operator.is_some();
        found.extend(operator);
    }
    whole.then_some(found)
}

fn operator(key: &Key, node: &Node, faults: &mut Vec<Fault>) -> Option<Operator> {
    let Some(word) = english(OPERATORS, &key.text).filter(|word| COUNT_OPERATORS.contains(word)) else {
        let message = Message::new(
            "计数规则的 when 和 clear 说的是有多少张工单；哪些工单要数，写在 count 里",
            "`when` and `clear` of a counting rule say how many; which tickets are counted stands under `count`",
        );
        let listed = COUNT_OPERATORS.iter().copied();
        let fault = unknown_key(key, listed.clone(), listed);
        faults.push(if fault.hint.as_ref().is_some_and(|hint| hint.en.starts_with("did you mean")) {
            fault
        } else {
            Fault { message, ..fault }
        });
        return None;
    };
    let numbers: Option<Vec<f64>> = node.one_or_many().iter().map(|item| number(item, faults)).collect();
    let numbers = numbers?;
    Some(match (word, numbers.as_slice()) {
        ("is", [_, ..]) => Operator::NumberIs(numbers.into()),
        ("at_least", [number]) => Operator::AtLeast(*number),
        ("at_most", [number]) => Operator::AtMost(*number),
        ("above", [number]) => Operator::Above(*number),
        ("below", [number]) => Operator::Below(*number),
        _ => {
            faults.push(node.expected(&Message::new("一个整数", "one whole number")));
            return None;
        }
    })
}

fn number(node: &Node, faults: &mut Vec<Fault>) -> Option<f64> {
    let number = node.text().and_then(|text| text.trim().parse::<u32>().ok());
    let number = number.filter(|number| i64::from(*number) <= COUNT_MAX);
    if number.is_none() {
        faults.push(node.expected(&Message::new(
            format!(" 0 到 {COUNT_MAX} 的整数"),
            format!("a whole number from 0 to {COUNT_MAX}"),
        )));
    }
    number.map(f64::from)
}

/// Whether a number of tickets is as demanded; each demand must hold.
fn holds(demands: &[Operator], number: f64) -> bool {
    demands.iter().all(|demand| match demand {
        Operator::NumberIs(numbers) => numbers.contains(&number),
        Operator::AtLeast(bound) => number >= *bound,
        Operator::AtMost(bound) => number <= *bound,
        Operator::Above(bound) => number > *bound,
        Operator::Below(bound) => number < *bound,
        _ => false,
    })
}

/// Whole numbers that tell the demands apart: each bound with its neighbours, nothing, and more than any.
fn telling(demands: &[Operator]) -> Vec<f64> {
    let mut found = vec![0.0];
    for demand in demands {
        let bounds: &[f64] = match demand {
            Operator::NumberIs(numbers) => numbers,
            Operator::AtLeast(bound) | Operator::AtMost(bound) | Operator::Above(bound) | Operator::Below(bound) => {
                std::slice::from_ref(bound)
            }
            _ => &[],
        };
        found.extend(bounds.iter().flat_map(|bound| [bound - 1.0, *bound, bound + 1.0]));
    }
    found.retain(|number| *number >= 0.0);
    found
}

/// `when` must be able to hold and to fail; `clear` must be able to hold, and only where `when` does not.
fn check(when: &[Operator], clear: &[Operator], node: &Node, clear_node: Option<&Node>, faults: &mut Vec<Fault>) {
    let all: Vec<Operator> = when.iter().chain(clear).cloned().collect();
    let numbers = telling(&all);
    if !numbers.iter().any(|number| holds(when, *number)) {
        let message =
            Message::new("没有一个数能满足 when：它永远不会成立", "no number meets `when`: it can never hold");
        faults.push(Fault::error(node.place.clone(), message));
        return;
    }
    if numbers.iter().all(|number| holds(when, *number)) {
        let message = Message::new("任何数都满足 when：它永远成立", "every number meets `when`: it always holds");
        faults.push(Fault::error(node.place.clone(), message));
        return;
    }
    let Some(place) = clear_node.map(|node| node.place.clone()) else { return };
    if let Some(both) = numbers.iter().find(|number| holds(when, **number) && holds(clear, **number)) {
        let message = Message::new(
            format!("有 {both} 张工单时 when 和 clear 同时成立：提醒一结束又会再响"),
            format!("with {both} tickets both `when` and `clear` hold: the alert would end and ring again"),
        );
        let hint = Message::new(
            "clear 要低于 when，例如 when: { at_least: 10 }、clear: { below: 6 }",
            "`clear` lies below `when`, such as when: { at_least: 10 }, clear: { below: 6 }",
        );
        faults.push(Fault::error(place, message).with_hint(hint));
    } else if !numbers.iter().any(|number| holds(clear, *number)) {
        let message = Message::new(
            "没有一个数能满足 clear：提醒永远不会结束",
            "no number meets `clear`: the alert would never end",
        );
        faults.push(Fault::error(place, message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_that_cannot_work_are_named() {
        use Operator::{Above, AtLeast, AtMost, Below, NumberIs};
        let node = |line| Node {
            place: crate::domain::fault::Place { file: "x".into(), line, column: 1 },
            kind: NodeKind::Null,
        };
        for (when, clear, expected) in [
            (vec![AtLeast(10.0)], Some(vec![Below(6.0)]), None),
            (vec![AtLeast(10.0)], Some(vec![Below(10.0)]), None),
            (vec![AtLeast(10.0)], Some(vec![AtMost(10.0)]), Some("with 10 tickets")),
            (vec![Above(10.0)], Some(vec![Above(10.0)]), Some("with 11 tickets")),
            (vec![Below(3.0)], Some(vec![AtLeast(5.0)]), None),
            (vec![Below(3.0)], Some(vec![AtLeast(5.0), Below(5.0)]), Some("no number meets `clear`")),
            (vec![AtLeast(10.0), Below(10.0)], None, Some("no number meets `when`")),
            (vec![Above(2.0), Below(3.0)], None, Some("no number meets `when`")),
            (vec![AtLeast(0.0)], None, Some("every number meets `when`")),
            (vec![NumberIs([0.0].into())], Some(vec![Above(0.0)]), None),
        ] {
            let mut faults = Vec::new();
            let clear_node = clear.as_ref().map(|_| node(2));
            check(&when, clear.as_deref().unwrap_or_default(), &node(1), clear_node.as_ref(), &mut faults);
            let found = faults.first().map(|fault| fault.message.en.clone()).unwrap_or_default();
            assert_eq!(faults.len(), usize::from(expected.is_some()), "{when:?} {clear:?}: {found}");
            assert!(found.starts_with(expected.unwrap_or_default()), "{when:?} {clear:?}: {found}");
        }
    }
}
