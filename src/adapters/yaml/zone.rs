//! Time zones as people write them: IANA names.

use chrono_tz::Tz;

use crate::{
    adapters::yaml::{
        map::{Map, did_you_mean},
        nearest::nearest,
    },
    domain::{fault::Fault, text::Message, time::Zone},
};

/// Places that people take for zones, and the zone they are in.
const PLACES: &[(&str, &str)] = &[
    ("beijing", "Asia/Shanghai"),
    ("shenzhen", "Asia/Shanghai"),
    ("北京", "Asia/Shanghai"),
    ("上海", "Asia/Shanghai"),
];

/// The zone of a key, where it is written.
pub fn zone(map: &mut Map<'_>, key: &str, faults: &mut Vec<Fault>) -> Option<Zone> {
    let (text, place) = map.text(key, faults)?;
    if let Ok(zone) = text.parse::<Tz>() {
        return Some(Zone(zone));
    }
    let message = Message::new(
        format!("没有 “{text}” 这个时区，要写 IANA 名称，例如 Asia/Shanghai"),
        format!("there is no time zone `{text}`; write an IANA name, such as Asia/Shanghai"),
    );
    let lower = text.to_lowercase();
    let known = PLACES.iter().find(|(place, _)| lower.contains(place)).map(|(_, zone)| *zone);
    let meant = known.or_else(|| nearest(&text, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())));
    let fault = Fault::error(place, message);
    faults.push(match meant {
        Some(name) => fault.with_hint(did_you_mean(name)),
        None => fault,
    });
    None
}
