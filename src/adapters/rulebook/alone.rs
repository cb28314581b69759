//! Conditions that stand outside of rule files.

use crate::{
    adapters::{
        rulebook::{condition::Compiler, contradiction::contradicts_itself, ground::Ground, names::Names},
        yaml::{parse::parse, tree::Node},
    },
    domain::{
        calendar::Pace,
        condition::Condition,
        fault::{Fault, Gravity},
        mask::mask,
        text::Message,
    },
};

/// The condition of an inhibition: without clocks, events, named conditions and what was said on tickets. `None` means
/// that faults were added.
pub fn inhibit_condition(node: &Node, names: &Names, faults: &mut Vec<Fault>) -> Option<Condition> {
    standing(node, names, Ground::Inhibit, faults)
}

fn standing(node: &Node, names: &Names, ground: Ground, faults: &mut Vec<Fault>) -> Option<Condition> {
    let condition = alone(node, names, ground, faults)?;
    if let Some(what) = contradicts_itself(&condition) {
        let message = Message::new(
            format!("这个条件不会成立：对“{}”的要求互相矛盾", what.zh),
            format!("this condition cannot hold: what it demands of `{}` contradicts itself", what.en),
        );
        faults.push(Fault::error(node.place.clone(), message));
        return None;
    }
    Some(condition)
}

/// The condition of a silence from a line that a person typed, `{ status: open }` or `status: open`: without clocks,
/// events and what was said on tickets, in the named conditions too.
///
/// # Errors
/// The first thing that is wrong with it, with the next step.
pub fn typed_condition(text: &str, names: &Names) -> Result<Condition, Message> {
    typed(text, names, Ground::Hush)
}

/// The condition of a list of tickets that a person asks for in chat. It is looked at once, so clocks may stand in it;
/// events may not.
///
/// # Errors
/// The first thing that is wrong with it, with the next step. What was typed is masked.
pub fn asked_condition(text: &str, names: &Names) -> Result<Condition, Message> {
    typed(text, names, Ground::List).map_err(|Message { zh, en }| Message::new(mask(&zh), mask(&en)))
}

fn typed(text: &str, names: &Names, ground: Ground) -> Result<Condition, Message> {
    let text = text.trim();
    let braced = if text.starts_with('{') { text.to_string() } else { format!("{{ {text} }}") };
    let mut faults = Vec::new();
    let node = parse(TYPED, &braced, &mut faults);
    let condition = node.filter(|_| faults.is_empty()).and_then(|node| standing(&node, names, ground, &mut faults));
    match (condition, faults.into_iter().find(|fault| fault.gravity == Gravity::Error)) {
        (Some(condition), None) => Ok(condition),
        (_, Some(fault)) => Err(match fault.hint {
            Some(hint) => {
                let (message, join) = (fault.message, ["。", ". "]);
                Message::new(
                    format!("{}{}{}", message.zh, join[0], hint.zh),
                    format!("{}{}{}", message.en, join[1], hint.en),
                )
            }
            None => fault.message,
        }),
        (None, None) => {
            Err(Message::new("条件像这样写：{ status: open }", "a condition is written like this: { status: open }"))
        }
    }
}

/// What stands for the file of a condition that a person typed.
const TYPED: &str = "when";

fn alone(node: &Node, names: &Names, ground: Ground, faults: &mut Vec<Fault>) -> Option<Condition> {
    let mut named = names.conditions.named();
    let mut compiler = Compiler { names, named: &mut named, faults, sources: None, pace: Pace::Wall, ground, tests: 0 };
    compiler.condition(node)
}

/// The `when` of a team: without clocks, events and named conditions, and not about the team itself. `None` means that
/// faults were added.
pub fn team_condition(node: &Node, names: &Names, faults: &mut Vec<Fault>) -> Option<Condition> {
    let condition = alone(node, names, Ground::Team, faults)?;
    if let Some(what) = contradicts_itself(&condition) {
        let message = Message::new(
            format!("这个团队一张工单也不会有：对“{}”的要求互相矛盾", what.zh),
            format!("this team can have no ticket: what it demands of `{}` contradicts itself", what.en),
        );
        faults.push(Fault::error(node.place.clone(), message));
    }
    Some(condition)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::rulebook::load::conditions_in;

    #[test]
    fn a_typed_condition_is_read_or_refused_with_the_next_step() {
        let rules = "conditions:
  vip: { fields: { 客户等级: [VIP, SVIP] } }
  human: { status: open, ticket_type: human }
  slow: { in_status: { at_least: 1wd } }
  slow-vip: { all: [{ meets: vip }, { meets: slow }] }
  reopened: { was: { status: closed } }
  angry: { guest_message: { contains: 投诉 } }
";
        let names = Names { conditions: conditions_in(&[("rules/_defaults.yaml", rules)]), ..Names::default() };
        for (text, expected) in [
            ("{ status: open }", Ok("status")),
            ("status: 待用户响应", Ok("status")),
            ("{ fields: { 客户等级: VIP } }", Ok("客户等级")),
            ("any: [{ status: open }, { tags: vip }]", Ok("any")),
            ("{ idle: { at_least: 1h } }", Err("cannot stand")),
            ("{ changed: [score] }", Err("cannot stand")),
            ("{ guest_message: { contains: 投诉 } }", Err("has to be asked for")),
            ("{ meets: vip }", Ok("客户等级")),
            ("符合: ＶＩＰ", Ok("客户等级")),
            ("{ status: open, not: { meets: human } }", Ok("not")),
            ("{ meets: vpi }", Err("there is no condition `vpi`. did you mean `vip`?")),
            ("{ meets: slow }", Err("`slow` cannot stand in the condition of a silence: it changes")),
            ("{ meets: slow-vip }", Err("`slow-vip` cannot stand in the condition of a silence: it changes")),
            ("{ meets: reopened }", Err("it is about the moment of a change")),
            ("{ meets: angry }", Err("it looks at a value that is not there")),
            ("{ meets: [vip, human] }", Err("the name of a condition")),
            ("{ statsu: open }", Err("status")),
            ("{ status: open", Err("")),
            ("", Err("")),
        ] {
            match (typed_condition(text, &names), expected) {
                (Ok(condition), Ok(part)) => assert!(condition.to_string().contains(part), "{text}: {condition}"),
                (Err(message), Err(part)) => assert!(message.en.contains(part), "{text}: {message}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }
}
