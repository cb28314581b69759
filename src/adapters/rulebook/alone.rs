//! Conditions that stand outside of rule files.

use crate::{
    adapters::{
        rulebook::{
            condition::Compiler, contradiction::contradicts_itself, ground::Ground, named::Named, names::Names,
        },
        yaml::tree::Node,
    },
    domain::{calendar::Pace, condition::Condition, fault::Fault, text::Message},
};

/// The `when` of a team: without clocks, events and named conditions, and not about the team itself. `None` means that
/// faults were added.
pub fn team_condition(node: &Node, names: &Names, faults: &mut Vec<Fault>) -> Option<Condition> {
    let mut named = Named::default();
    let mut compiler =
        Compiler { names, named: &mut named, faults, sources: None, pace: Pace::Wall, ground: Ground::Team, tests: 0 };
    let condition = compiler.condition(node)?;
    if let Some(what) = contradicts_itself(&condition) {
        let message = Message::new(
            format!("这个团队一张工单也不会有：对“{}”的要求互相矛盾", what.zh),
            format!("this team can have no ticket: what it demands of `{}` contradicts itself", what.en),
        );
        faults.push(Fault::error(node.place.clone(), message));
    }
    Some(condition)
}
