//! The custom fields of each source as they were last read: a small file of its own beside the database, because `check`
//! reads it while a service has the database. Losing it loses nothing: it is read anew.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::layout::{private_directory, sync_directory};
use crate::domain::id::SourceName;

/// Bytes of the file that are read and written.
pub const DEFINITIONS_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The version of the file's layout.
const VERSION: u32 = 1;

/// The fields of every source.
pub type Definitions = BTreeMap<SourceName, Vec<StoredField>>;

/// One custom field.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StoredField {
    /// The vendor's id.
    pub id: String,
    /// Its key.
    pub key_name: String,
    /// Its name as people see it.
    pub display_name: String,
    /// It holds several values.
    pub multiple: bool,
    /// The options of a drop-down, those of every level: id and name.
    pub options: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    sources: BTreeMap<String, Vec<StoredField>>,
}

/// The fields last written below `store`; nothing where none were, or nobody can read them any more.
pub fn read(store: &Path) -> Option<Definitions> {
    let path = path(store);
    if usize::try_from(fs::metadata(&path).ok()?.len()).ok()? > DEFINITIONS_BYTES_MAX {
        return None;
    }
    let written: Written = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    let sources = written.sources.into_iter().map(|(name, fields)| (SourceName::new(name), fields));
    (written.version == VERSION).then(|| sources.collect())
}

/// Writes the fields below `store`, whole or not at all.
///
/// # Errors
/// The file system's; more than [`DEFINITIONS_BYTES_MAX`].
pub fn write(store: &Path, definitions: &Definitions) -> io::Result<()> {
    let sources = definitions.iter().map(|(name, fields)| (name.to_string(), fields.clone())).collect();
    let bytes = serde_json::to_vec(&Written { version: VERSION, sources })?;
    if bytes.len() > DEFINITIONS_BYTES_MAX {
        return Err(io::Error::other(format!("{} bytes, more than {DEFINITIONS_BYTES_MAX}", bytes.len())));
    }
    private_directory().create(store)?;
    let fresh = store.join("fields.json.new");
    let mut out = File::create(&fresh)?;
    out.write_all(&bytes)?;
    out.sync_all()?;
    fs::rename(fresh, path(store))?;
    sync_directory(store)
}

/// Where the fields of the store at `store` are.
pub fn path(store: &Path) -> PathBuf {
    store.join("fields.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_comes_back_and_what_is_no_definitions_is_none() {
        let dir = tempfile::TempDir::new().unwrap();
        let store = dir.path().join("data");
        assert_eq!(read(&store), None);
        let field = StoredField {
            id: "7".into(),
            display_name: "优先级".into(),
            options: vec![("u1".into(), "P0".into())],
            ..StoredField::default()
        };
        let definitions = Definitions::from([("desk".into(), vec![field]), ("other".into(), Vec::new())]);
        write(&store, &definitions).unwrap();
        assert_eq!(read(&store), Some(definitions.clone()));
        write(&store, &Definitions::new()).unwrap();
        assert_eq!(read(&store), Some(Definitions::new()));
        for broken in ["", "{}", r#"{"version":9,"sources":{}}"#, r#"{"version":1,"sources":[]}"#] {
            fs::write(path(&store), broken).unwrap();
            assert_eq!(read(&store), None, "{broken}");
        }
        File::create(path(&store)).unwrap().set_len(DEFINITIONS_BYTES_MAX as u64 + 1).unwrap();
        assert_eq!(read(&store), None);
    }
}
