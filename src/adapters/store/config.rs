//! The `store` part of the configuration.

use std::path::{Component, Path, PathBuf};

use crate::{
    adapters::yaml::map::Map,
    domain::{fault::Fault, text::Message, time::Span},
};

/// Where the store is unless the configuration says otherwise, beside the configuration file.
pub const PATH_DEFAULT: &str = "data";

/// How long closed tickets and journal lines are kept unless the configuration says otherwise.
pub const RETENTION_DEFAULT: Span = Span::from_days(90);

/// The shortest time: messages seen and notices told are kept for two days, so that none is taken up twice.
pub const RETENTION_MIN: Span = Span::from_days(2);

/// The longest time: ten years.
pub const RETENTION_MAX: Span = Span::from_days(3_650);

/// Bytes of pages sled keeps in memory. All reading at run time is from the desk, so this serves writes alone.
pub const CACHE_BYTES_DEFAULT: u64 = 32 << 20;

/// Where the store is and how long it keeps what is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The directory.
    pub path: PathBuf,
    /// How long closed tickets and journal lines are kept.
    pub retention: Span,
    /// Bytes of pages kept in memory.
    pub cache_bytes: u64,
}

impl Config {
    /// The defaults, with the store beside a configuration file in `base`.
    pub fn beside(base: &Path) -> Self {
        Self::at(base.join(PATH_DEFAULT))
    }

    /// The defaults, with the store at `path`.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), retention: RETENTION_DEFAULT, cache_bytes: CACHE_BYTES_DEFAULT }
    }

    /// Reads `store:`. A relative path starts at `base`, the configuration file's directory.
    pub fn read(mut map: Map<'_>, base: &Path, faults: &mut Vec<Fault>) -> Self {
        let mut config = Self::beside(base);
        if let Some((path, place)) = map.text("path", faults) {
            if path.trim().is_empty() {
                faults.push(Fault::error(
                    place,
                    Message::new("应为一个目录，例如 ./data", "expected a directory, like ./data"),
                ));
            } else {
                let path = base.join(path.trim());
                // Without `.` in it: messages show it.
                config.path = path.components().filter(|part| *part != Component::CurDir).collect();
            }
        }
        let place = map.get("retention").map(|node| node.place.clone());
        if let (Some(retention), Some(place)) = (map.span("retention", faults), place) {
            if (RETENTION_MIN..=RETENTION_MAX).contains(&retention) {
                config.retention = retention;
            } else {
                let message = Message::new("应在 2d 到 3650d 之间", "expected 2d to 3650d");
                faults.push(Fault::error(place, message));
            }
        }
        map.finish(&[], faults);
        config
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::yaml::parse::parse;

    fn read(text: &str) -> (Option<Config>, Vec<String>) {
        let mut faults = Vec::new();
        let node = parse("deskbell.yaml", text, &mut faults).unwrap();
        let map = Map::of(&node, &Message::default(), &mut faults);
        let config = map.map(|map| Config::read(map, Path::new("/etc/deskbell"), &mut faults));
        (config, faults.into_iter().map(|fault| format!("{} {}", fault.place, fault.message.en)).collect())
    }

    #[test]
    fn paths_start_at_the_configuration_and_limits_hold() {
        let beside = Config::beside(Path::new("/etc/deskbell"));
        let table = [
            ("{}", beside.clone(), 0),
            ("{path: ./data, retention: 90d}", beside.clone(), 0),
            (
                "{path: /var/lib/deskbell, retention: 2d}",
                Config { retention: RETENTION_MIN, ..Config::at("/var/lib/deskbell") },
                0,
            ),
            ("{retention: 47h}", beside.clone(), 1),
            ("{path: '', retention: 4000d}", beside.clone(), 2),
            ("{paths: x}", beside, 1),
        ];
        for (text, expected, faults) in table {
            let (config, found) = read(text);
            assert_eq!(config, Some(expected), "{text}");
            assert_eq!(found.len(), faults, "{text}: {found:?}");
        }
    }
}
