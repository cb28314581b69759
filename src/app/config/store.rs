//! `store:` of the configuration: where deskbell keeps what it knows, and for how long.

use std::path::{Path, PathBuf};

use crate::{
    adapters::yaml::map::Map,
    domain::{fault::Fault, text::Message, time::Span},
};

/// Where the store is unless told otherwise, beside the configuration.
const PATH_DEFAULT: &str = "./data";

/// How long closed tickets are kept unless told otherwise.
const RETENTION_DEFAULT: Span = Span::from_days(90);

/// Below this a rating would meet a forgotten ticket.
const RETENTION_MIN: Span = Span::from_days(30);

/// Reads `store:`.
pub fn read(root: &mut Map<'_>, base: &Path, faults: &mut Vec<Fault>) -> (PathBuf, Span) {
    let Some(mut map) = root.map("store", faults) else { return (base.join(PATH_DEFAULT), RETENTION_DEFAULT) };
    let path = map.text("path", faults).map_or_else(|| PATH_DEFAULT.to_string(), |(path, _)| path);
    let place = map.filled("retention").map(|node| node.place.clone());
    let retention = map.span("retention", faults).unwrap_or(RETENTION_DEFAULT);
    if let Some(place) = place.filter(|_| retention < RETENTION_MIN) {
        let message = Message::new("retention 至少 30d", "retention is at least 30d");
        faults.push(Fault::error(place, message));
    }
    map.finish(&[], faults);
    (base.join(path), retention)
}
