//! `sources:` of the configuration: the places tickets come from.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use crate::{
    adapters::{
        feishu::config::{Config, HelpdeskConfig},
        yaml::{
            map::{Map, not_built_yet, text_of},
            tree::Node,
        },
    },
    app::config::{
        calendars::Calendars,
        schedule,
        words::{check_name, one_of},
    },
    domain::{
        fault::{Fault, Place},
        id::SourceName,
        labels::{Caption, Labels},
        privacy::Privacy,
        rule::CatchUp,
        text::Message,
        time::Span,
    },
    engine::schedule::Schedule,
};

/// Sources a configuration may have.
const SOURCES_MAX: usize = 50;

/// When a source that says nothing of `poll` is polled.
const POLL_DEFAULT: &str = "*/30 * * * * *";

/// When a source that says nothing of `sweep` is swept.
const SWEEP_DEFAULT: &str = "0 */15 * * * *";

/// How far an increment reaches back before its cursor unless told otherwise.
const OVERLAP_DEFAULT: Span = Span::from_mins(2);

/// An overlap beyond this reads the same tickets again and again.
const OVERLAP_MAX: Span = Span::from_hours(6);

/// A source: one Feishu helpdesk.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name.
    pub name: SourceName,
    /// The helpdesk's keys.
    pub helpdesk: HelpdeskConfig,
    /// When it is polled for what changed.
    pub poll: Schedule,
    /// When everything open is read again.
    pub sweep: Schedule,
    /// How far an increment reaches back before its cursor.
    pub overlap: Span,
    /// How what already holds is announced.
    pub catch_up: CatchUp,
    /// Where subject and priority stand.
    pub labels: Arc<Labels>,
}

/// Reads `sources:`; there must be one.
pub fn read(
    root: &mut Map<'_>,
    base: &Path,
    calendars: &Calendars,
    feishu: Option<&Config>,
    faults: &mut Vec<Fault>,
) -> BTreeMap<SourceName, Option<Source>> {
    let place = root.place().clone();
    let entries = root.map("sources", faults).map(|mut map| map.rest()).unwrap_or_default();
    if entries.is_empty() || entries.len() > SOURCES_MAX {
        let message = Message::new(
            format!("sources 里要有 1 到 {SOURCES_MAX} 个数据源"),
            format!("there must be 1 to {SOURCES_MAX} sources"),
        );
        let hint = Message::new(
            "例如 sources: { it-desk: { kind: feishu_helpdesk, helpdesk_id: …, helpdesk_token: … } }",
            "such as sources: { it-desk: { kind: feishu_helpdesk, helpdesk_id: …, helpdesk_token: … } }",
        );
        faults.push(Fault::error(Place::file(place.file), message).with_hint(hint));
    }
    let mut sources = BTreeMap::new();
    for (key, node) in entries.into_iter().take(SOURCES_MAX) {
        // A source with faults still has a name that rules and `chat.access` may use.
        check_name(key, faults);
        let name = SourceName::from(key.text.as_str());
        let source = one(&name, node, base, calendars, faults);
        sources.insert(name, source);
    }
    set_workbench(feishu, &mut sources);
    sources
}

/// Says of each source where its agents work, as far as the platform's address tells it.
fn set_workbench(feishu: Option<&Config>, sources: &mut BTreeMap<SourceName, Option<Source>>) {
    let Some(workbench) = feishu.and_then(|feishu| feishu.base_url.workbench()) else { return };
    for source in sources.values_mut().flatten() {
        source.labels = Arc::new(Labels { workbench: Some(workbench.into()), ..Labels::clone(&source.labels) });
    }
}

/// Says of each source what may be shown of its guests.
pub fn set_privacy(sources: &mut BTreeMap<SourceName, Option<Source>>, privacy: &Arc<Privacy>) {
    for source in sources.values_mut().flatten() {
        source.labels = Arc::new(Labels { privacy: Arc::clone(privacy), ..Labels::clone(&source.labels) });
    }
}

fn one(name: &SourceName, node: &Node, base: &Path, calendars: &Calendars, faults: &mut Vec<Fault>) -> Option<Source> {
    let mut map = Map::of(node, &Message::new("数据源的一组键值", "a mapping for a source"), faults)?;
    let kind = map.required("kind", faults)?;
    if kind.text() == Some("weiban") {
        faults.push(not_built_yet("weiban", &kind.place));
        return None;
    }
    one_of(kind, &[("feishu_helpdesk", ())], faults)?;
    let helpdesk = HelpdeskConfig::read(&mut map, base, faults);
    let poll = schedule(&mut map, "poll", POLL_DEFAULT, calendars, faults);
    let sweep = schedule(&mut map, "sweep", SWEEP_DEFAULT, calendars, faults);
    let overlap = overlap(&mut map, faults);
    let words = [("digest", CatchUp::Digest), ("each", CatchUp::Each), ("none", CatchUp::None)];
    let catch_up = map.filled("catch_up").and_then(|node| one_of(node, &words, faults)).unwrap_or_default();
    let labels = labels(&mut map, faults);
    map.finish(&[], faults);
    Some(Source {
        name: name.clone(),
        helpdesk: helpdesk?,
        poll: poll?,
        sweep: sweep?,
        overlap,
        catch_up,
        labels: Arc::new(labels),
    })
}

fn schedule(
    map: &mut Map<'_>,
    key: &str,
    default: &str,
    calendars: &Calendars,
    faults: &mut Vec<Fault>,
) -> Option<Schedule> {
    match map.filled(key) {
        Some(node) => schedule::read(node, calendars, faults),
        None => Schedule::parse(default).ok(),
    }
}

fn overlap(map: &mut Map<'_>, faults: &mut Vec<Fault>) -> Span {
    let place = map.filled("overlap").map_or_else(|| map.place().clone(), |node| node.place.clone());
    let overlap = map.span("overlap", faults).unwrap_or(OVERLAP_DEFAULT);
    if overlap > OVERLAP_MAX {
        let message = Message::new("overlap 最长 6h", "overlap is at most 6h");
        faults.push(Fault::error(place, message));
    }
    overlap
}

fn labels(map: &mut Map<'_>, faults: &mut Vec<Fault>) -> Labels {
    let mut labels = Labels::default();
    for node in map.filled("subject").map(Node::one_or_many).unwrap_or_default() {
        if node.text() == Some("first_guest_message") {
            labels.subject.push(Caption::FirstGuestMessage);
            continue;
        }
        labels.subject.extend(field(node, faults).map(Caption::Field));
    }
    labels.priority = map.filled("priority").and_then(|node| field(node, faults));
    labels
}

/// `field:X`: the display name or key of a custom field.
fn field(node: &Node, faults: &mut Vec<Fault>) -> Option<Arc<str>> {
    let (text, _) = text_of(node, faults)?;
    match text.strip_prefix("field:").map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) => Some(name.into()),
        None => {
            faults.push(node.expected(&Message::new("“field:字段名”", "`field:<name of a custom field>`")));
            None
        }
    }
}
