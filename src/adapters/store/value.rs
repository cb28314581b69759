//! Values: the record's version, then the record; long ones cut into parts.
//!
//! sled writes a page that outgrows a quarter of its segments (128 KiB) into a file of its own, which it never syncs. A
//! page holds up to 20 keys for a moment (17 before it splits, 19 after a merge), so no value may be longer than
//! [`PART_BYTES_MAX`]: then no such file comes to be, and the database file is all that a commit must sync.

use std::{borrow::Cow, collections::HashMap};

use serde::{Deserialize, Serialize};

use super::key::{self, Kind};

/// Bytes of one value in sled.
pub(super) const PART_BYTES_MAX: usize = 6_000;

/// Bytes of one record.
pub(super) const RECORD_BYTES_MAX: usize = 1 << 20;

/// Set in the version byte of a record that has further parts; their number follows as two bytes.
const PARTED: u8 = 0x80;

/// What a record's parts have of each, beside the first one's three bytes of head.
const PART_DATA_BYTES: usize = PART_BYTES_MAX - 3;

/// Why a value cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It was written by another version of deskbell.
    Version(u8),
    /// It is not what was written.
    Broken(String),
}

/// The record's bytes as one piece: version and content.
pub(super) fn encode<T: Serialize>(kind: Kind, record: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512);
    bytes.push(kind.version());
    postcard::to_extend(record, bytes).expect("a vector takes every byte, and every list knows its length")
}

/// The record in `bytes`, as [`whole`] gives them, of a version with the present layout.
pub(super) fn decode<'a, T: Deserialize<'a>>(kind: Kind, bytes: &'a [u8]) -> Result<T, Unreadable> {
    match bytes.first() {
        Some(version) if kind.same_layout().contains(version) => content(bytes),
        Some(version) => Err(Unreadable::Version(*version)),
        None => Err(Unreadable::Broken("empty value".into())),
    }
}

/// The version a record was written in, by the value under its own key.
pub(super) fn version_of(head: &[u8]) -> Option<u8> {
    head.first().map(|version| version & !PARTED)
}

/// Whether the record in `bytes` was written in this version.
pub(super) fn is_version(bytes: &[u8], version: u8) -> bool {
    bytes.first() == Some(&version)
}

/// The record in `bytes`, whatever its version says.
pub(super) fn content<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Unreadable> {
    match postcard::take_from_bytes(bytes.get(1..).unwrap_or_default()) {
        Ok((record, [])) => Ok(record),
        Ok((_, rest)) => Err(Unreadable::Broken(format!("{} bytes too many", rest.len()))),
        Err(error) => Err(Unreadable::Broken(error.to_string())),
    }
}

/// The bytes as the present version writes them, where an older one only lacks what stands at the end.
pub(super) fn grown(kind: Kind, bytes: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let Some(lacks) = bytes.first().and_then(|version| kind.lacks(*version)) else { return bytes };
    let mut bytes = bytes.into_owned();
    if let Some(version) = bytes.first_mut() {
        *version = kind.version();
    }
    bytes.resize(bytes.len() + lacks, 0);
    Cow::Owned(bytes)
}

/// The record's bytes as one piece, its parts read by `read`.
pub(super) fn whole<'a, E: From<Unreadable>>(
    record: &[u8],
    head: &'a [u8],
    mut read: impl FnMut(&[u8]) -> Result<Option<sled::IVec>, E>,
) -> Result<Cow<'a, [u8]>, E> {
    let Some((version, rest)) = head.split_first().filter(|(version, _)| **version & PARTED != 0) else {
        return Ok(Cow::Borrowed(head));
    };
    let Some((count, first)) = rest.split_first_chunk() else {
        return Err(Unreadable::Broken("no number of parts".into()).into());
    };
    let count = u16::from_le_bytes(*count);
    let mut bytes = Vec::with_capacity((usize::from(count) + 1) * PART_BYTES_MAX);
    bytes.push(version & !PARTED);
    bytes.extend(first);
    for number in 0..count {
        let part = read(&key::part(record, number))?;
        bytes.extend(&*part.ok_or_else(|| Unreadable::Broken(format!("part {number} of {count} is missing")))?);
    }
    Ok(Cow::Owned(bytes))
}

/// Which records have parts, and how many: what is written over them must not leave any behind.
#[derive(Debug, Default)]
pub(super) struct Parts(HashMap<Vec<u8>, u16>);

impl Parts {
    /// Puts a record (`None`: removes it) into the batch, with its parts.
    pub(super) fn write(&mut self, batch: &mut sled::Batch, record: Vec<u8>, bytes: Option<Vec<u8>>) {
        let old = if self.0.is_empty() { 0 } else { self.0.remove(&record).unwrap_or_default() };
        let mut new = 0;
        match bytes {
            None => batch.remove(record.as_slice()),
            Some(bytes) if bytes.len() <= 1 + PART_DATA_BYTES => batch.insert(record.as_slice(), bytes),
            Some(bytes) => {
                let (first, rest) = bytes.split_at(1 + PART_DATA_BYTES);
                for part in rest.chunks(PART_DATA_BYTES) {
                    batch.insert(key::part(&record, new), part);
                    new += 1; // RECORD_BYTES_MAX keeps it far below the limit
                }
                let mut head = Vec::with_capacity(PART_BYTES_MAX);
                head.push(first[0] | PARTED);
                head.extend(new.to_le_bytes());
                head.extend(&first[1..]);
                batch.insert(record.as_slice(), head);
            }
        }
        for number in new..old {
            batch.remove(key::part(&record, number));
        }
        if new > 0 {
            self.0.insert(record, new);
        }
    }

    /// Remembers a record by the value under its own key.
    pub(super) fn remember_head(&mut self, record: &[u8], head: &[u8]) {
        if let [version, low, high, ..] = head
            && version & PARTED != 0
        {
            self.0.insert(record.to_vec(), u16::from_le_bytes([*low, *high]));
        }
    }

    /// Remembers a record read at a start, given as one piece.
    pub(super) fn remember(&mut self, record: &[u8], bytes: &[u8]) {
        let parts = bytes.len().saturating_sub(1).div_ceil(PART_DATA_BYTES).saturating_sub(1);
        if parts > 0 {
            self.0.insert(record.to_vec(), u16::try_from(parts).unwrap_or(u16::MAX));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn read(db: &sled::Db, record: &[u8]) -> Option<Vec<u8>> {
        let head = db.get(record).unwrap()?;
        let bytes = whole::<Unreadable>(record, &head, |key| Ok(db.get(key).unwrap())).unwrap();
        Some(bytes.into_owned())
    }

    fn sizes(db: &sled::Db) -> BTreeMap<Vec<u8>, usize> {
        db.iter().map(|item| item.unwrap()).map(|(key, value)| (key.to_vec(), value.len())).collect()
    }

    #[test]
    fn a_record_of_any_length_comes_back_and_leaves_nothing_behind() {
        let db = sled::Config::new().temporary(true).open().unwrap();
        let mut parts = Parts::default();
        let lengths = [1_usize, 5_998, 5_999, 12_000, 300_000, 12_000, 40, 100_000, 5_997, 5_998, 11_995, 11_996];
        for (seed, length) in (1_u8..).zip(lengths) {
            let bytes: Vec<u8> = (0..length).map(|at| if at == 0 { 1 } else { (at % 251) as u8 ^ seed }).collect();
            let mut batch = sled::Batch::default();
            parts.write(&mut batch, b"record".to_vec(), Some(bytes.clone()));
            db.apply_batch(batch).unwrap();
            assert_eq!(read(&db, b"record").unwrap(), bytes);
            assert!(sizes(&db).values().all(|size| *size <= PART_BYTES_MAX));
            assert_eq!(sizes(&db).len(), (length - 1).div_ceil(PART_DATA_BYTES).max(1), "{length}");
            parts.0.clear();
            match seed % 2 {
                0 => parts.remember(b"record", &bytes),
                _ => parts.remember_head(b"record", &db.get(b"record").unwrap().unwrap()),
            }
        }
        let mut batch = sled::Batch::default();
        parts.write(&mut batch, b"record".to_vec(), None);
        db.apply_batch(batch).unwrap();
        assert_eq!(sizes(&db).len(), 0);
    }

    #[test]
    fn another_version_and_broken_bytes_are_told_apart() {
        assert_eq!(decode::<u32>(Kind::Alert, &encode(Kind::Alert, &7_u32)), Ok(7));
        for other in [0, 1, 2, 9] {
            assert_eq!(decode::<u32>(Kind::Alert, &[other, 7]), Err(Unreadable::Version(other)));
        }
        assert_eq!(*grown(Kind::Outbox, Cow::Borrowed(&[2, 7])), [4, 7, 0], "what it lacks is no");
        assert_eq!(*grown(Kind::Outbox, Cow::Borrowed(&[3, 7])), [4, 7], "it lacks nothing");
        assert_eq!(*grown(Kind::Outbox, Cow::Borrowed(&[4, 7])), [4, 7]);
        assert_eq!(decode::<u32>(Kind::Journal, &[1, 7]), Ok(7), "its layout is still the same");
        let now = Kind::Alert.version();
        for broken in [&[][..], &[now], &[now, 7, 7], &[now, 255, 255, 255, 255, 255]] {
            assert!(matches!(decode::<u32>(Kind::Alert, broken), Err(Unreadable::Broken(_))), "{broken:?}");
        }
        let cut = whole::<Unreadable>(b"r", &[0x81, 1, 0, 5], |_| Ok(None));
        assert!(matches!(cut, Err(Unreadable::Broken(_))));
    }
}
