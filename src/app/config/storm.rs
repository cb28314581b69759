//! `storm:` of the configuration: when many alerts of one rule become one digest.

use std::ops::RangeInclusive;

use crate::{
    adapters::yaml::map::{Map, span_of},
    domain::{desk::settings::StormSettings, duration::written, fault::Fault, text::Message, time::Span},
};

/// How many alerts may ring one by one.
pub(super) const ABOVE: RangeInclusive<i64> = 1..=1_000;

/// How far back they are counted.
const WITHIN: RangeInclusive<Span> = Span::from_secs(10)..=Span::from_hours(24);

/// How long no alert must come.
const CALM_FOR: RangeInclusive<Span> = Span::from_mins(1)..=Span::from_hours(24);

/// How often the digest is updated.
const REFRESH: RangeInclusive<Span> = Span::from_secs(1)..=Span::from_hours(1);

/// Reads `storm:`; absent, the defaults hold.
pub fn read(root: &mut Map<'_>, faults: &mut Vec<Fault>) -> Option<StormSettings> {
    let mut storm = StormSettings::default();
    let Some(node) = root.filled("storm") else { return Some(storm) };
    if matches!(node.text(), Some("off" | "false")) {
        return None;
    }
    let what = Message::new(
        " off，或 { above: 8, within: 10m, calm_for: 15m, refresh: 1m }",
        "off, or { above: 8, within: 10m, calm_for: 15m, refresh: 1m }",
    );
    let mut map = Map::of(node, &what, faults)?;
    if let Some(above) = map.integer("above", ABOVE, faults).and_then(|above| u32::try_from(above).ok()) {
        storm.above = above;
    }
    storm.within = span(&mut map, "within", &WITHIN, faults).unwrap_or(storm.within);
    storm.calm_for = span(&mut map, "calm_for", &CALM_FOR, faults).unwrap_or(storm.calm_for);
    storm.refresh = span(&mut map, "refresh", &REFRESH, faults).unwrap_or(storm.refresh);
    map.finish(&[], faults);
    Some(storm)
}

fn span(map: &mut Map<'_>, key: &str, range: &RangeInclusive<Span>, faults: &mut Vec<Fault>) -> Option<Span> {
    let node = map.filled(key)?;
    let span = span_of(node, faults)?;
    if range.contains(&span) {
        return Some(span);
    }
    let (least, most) = (written(*range.start()), written(*range.end()));
    let message = Message::new(
        format!("“{key}” 要在 {least} 和 {most} 之间"),
        format!("`{key}` must be between {least} and {most}"),
    );
    faults.push(Fault::error(node.place.clone(), message));
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::yaml::parse::parse;

    fn of(text: &str) -> (Option<StormSettings>, Vec<String>) {
        let mut faults = Vec::new();
        let tree = parse("deskbell.yaml", text, &mut faults).unwrap();
        let mut map = Map::of(&tree, &Message::new("配置", "the configuration"), &mut faults).unwrap();
        let storm = read(&mut map, &mut faults);
        (storm, faults.iter().map(|fault| format!("{}: {}", fault.place.column, fault.message.en)).collect())
    }

    #[test]
    fn what_is_not_written_is_as_usual() {
        let usual = StormSettings::default();
        let table = [
            ("zone: x", Some(usual)),
            ("storm:", Some(usual)),
            ("storm: {}", Some(usual)),
            ("storm: off", None),
            ("storm: { above: 3 }", Some(StormSettings { above: 3, ..usual })),
            (
                "storm: { above: 20, within: 1m, calm_for: 5m, refresh: 10s }",
                Some(StormSettings {
                    above: 20,
                    within: Span::from_mins(1),
                    calm_for: Span::from_mins(5),
                    refresh: Span::from_secs(10),
                }),
            ),
        ];
        for (text, expected) in table {
            assert_eq!(of(text), (expected, Vec::new()), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_is_said() {
        let table = [
            ("storm: on", "8: expected off, or { above: 8, within: 10m, calm_for: 15m, refresh: 1m }, found `on`"),
            ("storm: { above: 0 }", "17: expected a whole number from 1 to 1000, found `0`"),
            ("storm: { within: 2d }", "18: `within` must be between 10s and 1d"),
            ("storm: { refresh: 1wd }", "19: "),
            ("storm: { abvoe: 3 }", "10: there is no key `abvoe` here"),
        ];
        for (text, expected) in table {
            let (_, faults) = of(text);
            assert!(faults.len() == 1 && faults[0].starts_with(expected), "{text}: {faults:?}");
        }
    }
}
