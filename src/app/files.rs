//! What stands on disk: the files that a reload reads, each by a hash of its content. By content, because that holds on
//! every file system, for a swapped symlink, and for an edit within one tick of a file's time.

use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use xxhash_rust::xxh3::xxh3_64;

/// Files that are looked at; more are not.
const FILES_MAX: usize = 4_000;

/// Bytes of a file that are looked at; loading refuses what is longer.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Each file with the hash of its content; nothing where it cannot be read.
pub type Reading = BTreeMap<PathBuf, Option<u64>>;

/// Reads what stands at these places: files, and the files of folders. Sub-folders are not entered.
pub fn read(places: &[PathBuf]) -> Reading {
    let mut reading = Reading::new();
    for place in places {
        let Ok(entries) = fs::read_dir(place) else {
            reading.insert(place.clone(), content(place));
            continue;
        };
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            if reading.len() >= FILES_MAX {
                return reading;
            }
            if !path.is_dir() && is_meant(&path) {
                let hash = content(&path);
                reading.insert(path, hash);
            }
        }
    }
    reading
}

/// What editors leave beside a file while they write it is not looked at.
fn is_meant(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    !name.starts_with('.') && [".yaml", ".yml", ".hbs"].iter().any(|ending| name.ends_with(ending))
}

fn content(path: &Path) -> Option<u64> {
    let mut bytes = Vec::new();
    fs::File::open(path).ok()?.take(FILE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some(xxh3_64(&bytes))
}

/// Says when files are at rest and differ from what was loaded.
#[derive(Debug, Default)]
pub struct Watcher {
    loaded: Option<Reading>,
    last: Option<Reading>,
}

impl Watcher {
    /// Takes the next reading; says whether to load now. Two equal readings in a row: a file that is being written is
    /// not loaded half.
    pub fn look(&mut self, reading: Reading) -> bool {
        let at_rest = self.last.as_ref() == Some(&reading);
        let differs = self.loaded.as_ref() != Some(&reading);
        self.last = Some(reading);
        at_rest && differs
    }

    /// This is what stood there just before it was loaded.
    pub fn loaded(&mut self, reading: Reading) {
        self.loaded = Some(reading);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_loaded_when_they_are_at_rest() {
        let reading = |hash: u64| Reading::from([(PathBuf::from("a.yaml"), Some(hash))]);
        let mut watcher = Watcher::default();
        assert!(!watcher.look(reading(1)), "seen once");
        assert!(watcher.look(reading(1)), "at rest and never loaded");
        watcher.loaded(reading(1));
        assert!(!watcher.look(reading(1)));
        assert!(!watcher.look(reading(2)) && !watcher.look(reading(3)), "being written");
        assert!(watcher.look(reading(3)));
        watcher.loaded(reading(3));
        assert!(!watcher.look(reading(1)));
        assert!(watcher.look(reading(1)), "a change taken back is a change");
    }

    #[test]
    fn content_decides_and_swapped_links_are_followed() {
        let home = tempfile::tempdir().unwrap();
        let write = |folder: &str, text: &str| {
            fs::create_dir_all(home.path().join(folder)).unwrap();
            fs::write(home.path().join(folder).join("a.yaml"), text).unwrap();
        };
        write("one", "name: a");
        write("two", "name: b");
        let link = home.path().join("rules");
        std::os::unix::fs::symlink("one", &link).unwrap();
        let places = [link.clone(), home.path().join("none.yaml")];
        let first = read(&places);
        assert_eq!(first.len(), 2);
        assert_eq!(first.get(&places[1]), Some(&None));
        fs::write(home.path().join("one/.a.yaml.swp"), "x").unwrap();
        fs::write(home.path().join("one/notes.txt"), "x").unwrap();
        assert_eq!(read(&places), first);
        fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink("two", &link).unwrap();
        assert_ne!(read(&places), first);
    }
}
