//! The lines of `escalate`: who is told when nobody took an alert in time.

use crate::{
    adapters::{
        rulebook::{
            keys::{not_zero, pace_of, template_of},
            names::Names,
            notify::{About, mention_of, required_to, urgent_of},
            words::{ESCALATE_KEYS, english},
        },
        yaml::{map::Map, tree::Node},
    },
    domain::{
        calendar::{Pace, Wait},
        fault::{Fault, Place},
        rule::{Rung, RungAt},
        text::Message,
    },
};

/// Steps of a ladder.
pub(super) const RUNGS_MAX: usize = 20;

/// The lines of `escalate`; their delays, counted from the firing, must rise.
pub(super) fn lines(node: &Node, pace: &Pace, about: About, names: &Names, faults: &mut Vec<Fault>) -> Vec<Rung> {
    let items = node.one_or_many();
    check_count("escalate", items, &node.place, faults);
    let mut rungs = Vec::new();
    let mut highest: Vec<Wait> = Vec::new();
    for item in items.iter().take(RUNGS_MAX) {
        let Some((rung, place)) = one(item, pace, about, names, faults) else { continue };
        if let RungAt::After(wait) = &rung.at {
            // Delays on different calendars cannot be compared.
            match highest.iter_mut().find(|earlier| earlier.pace == wait.pace) {
                Some(earlier) if wait.span <= earlier.span => faults.push(falling(place)),
                Some(earlier) => *earlier = wait.clone(),
                None => highest.push(wait.clone()),
            }
        }
        rungs.push(rung);
    }
    rungs
}

/// A ladder has at least one step, and not too many.
pub(super) fn check_count(key: &str, items: &[Node], place: &Place, faults: &mut Vec<Fault>) {
    if items.is_empty() || items.len() > RUNGS_MAX {
        let message =
            Message::new(format!("“{key}” 要有 1 到 {RUNGS_MAX} 行"), format!("`{key}` has 1 to {RUNGS_MAX} lines"));
        faults.push(Fault::error(place.clone(), message));
    }
}

fn falling(place: Place) -> Fault {
    let message = Message::new(
        "这一步没有比上一步更晚：after 都从提醒的那一刻算起，要一步比一步大",
        "this step is not later than the one before: every `after` counts from the alert, so they must rise",
    );
    let hint =
        Message::new("例如 10m 之后再写 20m，不是“再过 10m”", "such as 10m and then 20m, which is not \"10m more\"");
    Fault::error(place, message).with_hint(hint)
}

fn one(node: &Node, pace: &Pace, about: About, names: &Names, faults: &mut Vec<Fault>) -> Option<(Rung, Place)> {
    let what =
        Message::new("一步升级，例如 { after: 2h, to: team.lead }", "a step such as { after: 2h, to: team.lead }");
    let mut map = Map::with_twins(node, &what, |word| english(ESCALATE_KEYS, word), faults)?;
    let pace = if map.filled("calendar").is_some() { pace_of(&mut map, names, faults) } else { Some(pace.clone()) };
    let after = map.required("after", faults).map(|node| node.place.clone());
    let wait = pace.and_then(|pace| map.wait("after", &pace, faults));
    let to = required_to(&mut map, about, names, faults);
    let template = template_of(&mut map, names, faults);
    let mention = mention_of(&mut map, about, faults);
    let urgent = urgent_of(&mut map, faults);
    map.finish(&[], faults);
    let (wait, place) = (wait?, after?);
    if wait.is_none() {
        faults.push(not_zero("after", &place));
        return None;
    }
    Some((Rung { at: RungAt::After(wait), severity: None, to: to?, template, mention, urgent }, place))
}
