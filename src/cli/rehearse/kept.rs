//! What was read of a helpdesk's history so far, in a file beside the store: an interrupted rehearsal goes on from
//! there. It holds tickets, so only its owner may read it, and it goes once the page is shown.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions, TryLockError},
    io::{BufRead, BufReader, BufWriter, Seek, SeekFrom, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    adapters::feishu::page::RawTicket,
    cli::run::Stop,
    domain::{
        id::{SourceName, TicketId},
        time::{Span, Timestamp},
    },
};

/// The form of the file.
const FORM: u32 = 1;

/// Bytes the file may have: some hundred thousand tickets.
pub(super) const KEPT_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// A reading older than this is begun anew.
const KEPT_FOR: Span = Span::from_days(1);

/// What is read, and in which pieces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    form: u32,
    pub(super) source: String,
    pub(super) helpdesk: String,
    pub(super) from: i64,
    pub(super) until: i64,
    /// How many tickets there were when it was looked.
    pub(super) tickets: u64,
    pub(super) pieces: Vec<Piece>,
}

/// What a first look at a helpdesk found.
pub(super) struct Survey {
    pub(super) tickets: u64,
    pub(super) pieces: Vec<Piece>,
}

/// A window of creation times, both ends included, that is read in one go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Piece {
    pub(super) from: i64,
    pub(super) until: i64,
    /// About how many tickets it has.
    pub(super) total: u64,
}

impl Head {
    pub(super) fn new(source: &SourceName, helpdesk: &str, from: Timestamp, until: Timestamp, found: Survey) -> Self {
        let (source, helpdesk) = (source.to_string(), helpdesk.to_string());
        let Survey { tickets, pieces } = found;
        Self { form: FORM, source, helpdesk, from: from.as_ms(), until: until.as_ms(), tickets, pieces }
    }

    /// Whether a reading that is wanted now may go on with it.
    pub(super) fn fits(&self, source: &SourceName, helpdesk: &str, since: Span, now: Timestamp) -> bool {
        let until = Timestamp::from_ms(self.until);
        self.form == FORM
            && self.source == source.as_str()
            && self.helpdesk == helpdesk
            && self.until.saturating_sub(self.from) == since.as_ms()
            && until <= now
            && now.since(until) < KEPT_FOR
    }
}

/// One message of a ticket: who, when in milliseconds, the words.
pub(super) type Spoken = (String, i64, String);

/// A line of the file: a ticket with its id, what was said on one, or the number of a piece that is whole with it.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(default)]
    id: Option<String>,
    #[serde(default, borrow)]
    ticket: Option<&'a RawValue>,
    #[serde(default)]
    said: Option<Vec<Spoken>>,
    #[serde(default)]
    piece: Option<usize>,
}

#[derive(Serialize)]
struct SaidLine<'a> {
    id: &'a str,
    said: &'a [Spoken],
}

#[derive(Serialize)]
struct TicketLine<'a> {
    id: &'a str,
    ticket: &'a RawValue,
}

#[derive(Serialize)]
struct DoneLine {
    piece: usize,
}

/// The file, held against others.
pub(super) struct Kept {
    path: PathBuf,
    file: File,
    bytes: u64,
}

/// What an earlier run left.
pub(super) struct Found {
    pub(super) head: Head,
    /// Pieces that were read whole.
    pub(super) done: Vec<usize>,
    pub(super) tickets: Vec<RawTicket>,
    /// What was said on tickets.
    pub(super) said: BTreeMap<TicketId, Vec<Spoken>>,
    /// Where the last whole piece ends.
    end: u64,
}

impl Kept {
    /// Opens the file of a source beside the store at `store`, or makes it.
    pub(super) fn open(store: &Path, source: &SourceName) -> Result<Self, Stop> {
        let name: String = source.as_str().chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
        let path = store.with_file_name(format!("rehearsal-{name}.jsonl"));
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = open.map_err(|error| unusable(&path, &error))?;
        file.set_permissions(fs::Permissions::from_mode(0o600)).map_err(|error| unusable(&path, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Stop::failure(
                    format!("{source} 正在由另一个 deskbell rehearse 读取。请等它结束"),
                    format!("another deskbell rehearse is reading {source}. Wait for it to end"),
                ));
            }
            Err(TryLockError::Error(error)) => return Err(unusable(&path, &error)),
        }
        let bytes = file.metadata().map_err(|error| unusable(&path, &error))?.len();
        Ok(Self { path, file, bytes })
    }

    /// What an earlier run left; nothing if that is no such file, or not one that can be read.
    pub(super) fn found(&mut self) -> Option<Found> {
        if self.bytes == 0 || self.bytes > KEPT_BYTES_MAX {
            return None;
        }
        self.file.seek(SeekFrom::Start(0)).ok()?;
        let mut reader = BufReader::new(&self.file);
        let mut line = Vec::new();
        let mut offset = u64::try_from(reader.read_until(b'\n', &mut line).ok()?).ok()?;
        let head: Head = serde_json::from_slice(&line).ok()?;
        let mut found = Found { head, done: Vec::new(), tickets: Vec::new(), said: BTreeMap::new(), end: offset };
        let mut whole = 0; // tickets of whole pieces
        loop {
            line.clear();
            let read = reader.read_until(b'\n', &mut line).ok()?;
            if read == 0 || !line.ends_with(b"\n") {
                break; // cut off while it was written
            }
            offset += u64::try_from(read).ok()?;
            let Ok(line) = serde_json::from_slice::<Line<'_>>(&line) else { break };
            match (line.id, line.ticket, line.said, line.piece) {
                (Some(id), Some(ticket), None, None) => found.tickets.push(RawTicket {
                    id: TicketId::from(id.as_str()),
                    hash: 0, // only ever compared by polls
                    body: Bytes::copy_from_slice(ticket.get().as_bytes()),
                }),
                (Some(id), None, Some(said), None) => {
                    found.said.insert(TicketId::from(id.as_str()), said);
                    found.end = offset;
                }
                (None, None, None, Some(piece)) if piece < found.head.pieces.len() => {
                    found.done.push(piece);
                    (whole, found.end) = (found.tickets.len(), offset);
                }
                _ => break,
            }
        }
        found.tickets.truncate(whole);
        Some(found)
    }

    /// Begins anew.
    pub(super) fn begin(&mut self, head: &Head) -> Result<(), Stop> {
        let mut line = serde_json::to_vec(head).map_err(|error| unusable(&self.path, &error.into()))?;
        line.push(b'\n');
        self.cut(0)?;
        self.write(&line)
    }

    /// Goes on behind what was found.
    pub(super) fn go_on(&mut self, found: &Found) -> Result<(), Stop> {
        self.cut(found.end)
    }

    fn cut(&mut self, end: u64) -> Result<(), Stop> {
        let cut = self.file.set_len(end).and_then(|()| self.file.seek(SeekFrom::Start(end)));
        self.bytes = cut.map_err(|error| unusable(&self.path, &error))?;
        Ok(())
    }

    /// Keeps a piece that was read whole.
    pub(super) fn keep(&mut self, piece: usize, tickets: &[RawTicket]) -> Result<(), Stop> {
        let mut text = BufWriter::new(Vec::new());
        let written = tickets.iter().try_for_each(|ticket| write_ticket(&mut text, ticket)).and_then(|()| {
            serde_json::to_writer(&mut text, &DoneLine { piece })?;
            text.write_all(b"\n")
        });
        let lines = written.and_then(|()| text.into_inner().map_err(std::io::Error::from));
        self.write(&lines.map_err(|error| unusable(&self.path, &error))?)
    }

    /// Keeps what was said on a ticket.
    pub(super) fn keep_said(&mut self, id: &TicketId, said: &[Spoken]) -> Result<(), Stop> {
        let line = serde_json::to_vec(&SaidLine { id: id.as_str(), said });
        let mut line = line.map_err(|error| unusable(&self.path, &error.into()))?;
        line.push(b'\n');
        self.write(&line)
    }

    fn write(&mut self, lines: &[u8]) -> Result<(), Stop> {
        self.bytes = self.bytes.saturating_add(lines.len() as u64);
        if self.bytes > KEPT_BYTES_MAX {
            return Err(Stop::failure(
                "读到的工单超过 1 GiB。请缩短 --since",
                "the tickets come to more than 1 GiB. Use a shorter --since",
            ));
        }
        self.file.write_all(lines).and_then(|()| self.file.flush()).map_err(|error| unusable(&self.path, &error))
    }

    /// Removes the file: the page is shown.
    pub(super) fn remove(self) {
        fs::remove_file(&self.path).ok(); // what stays is replaced the next time
    }
}

/// One ticket on one line: between its tokens line breaks mean nothing, and inside of text there are none.
fn write_ticket(out: &mut impl Write, ticket: &RawTicket) -> std::io::Result<()> {
    let body = String::from_utf8_lossy(&ticket.body).replace(['\n', '\r'], " ");
    let Ok(body) = RawValue::from_string(body) else { return Ok(()) }; // it would be unreadable later as well
    serde_json::to_writer(&mut *out, &TicketLine { id: ticket.id.as_str(), ticket: &body })?;
    out.write_all(b"\n")
}

fn unusable(path: &Path, error: &std::io::Error) -> Stop {
    let path = path.display();
    Stop::failure(
        format!("{path} 不能读写：{error}。演练把读到的工单放在这里；请检查目录的权限和空间"),
        format!(
            "{path} cannot be used: {error}. A rehearsal keeps what it read there; check the folder's permissions and space"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(id: &str, body: &str) -> RawTicket {
        RawTicket { id: TicketId::from(id), hash: 1, body: Bytes::copy_from_slice(body.as_bytes()) }
    }

    fn head() -> Head {
        let piece = |from| Piece { from, until: from + 9, total: 1 };
        let (from, until) = (Timestamp::from_ms(0), Timestamp::from_ms(20));
        Head::new(&"desk".into(), "h", from, until, Survey { tickets: 2, pieces: vec![piece(0), piece(10)] })
    }

    #[test]
    fn whole_pieces_come_back_and_what_was_cut_off_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Kept::open(&dir.path().join("data"), &"desk".into()).unwrap();
        let mut kept = open();
        assert!(kept.found().is_none());
        kept.begin(&head()).unwrap();
        kept.keep(1, &[ticket("7", "{\"a\":\n\"x\\ny\"}"), ticket("8", "{}")]).unwrap();
        kept.file.write_all(b"{\"id\":\"9\",\"ticket\":{}}\n{\"id\":\"1").unwrap();
        let path = kept.path.clone();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(Kept::open(&dir.path().join("data"), &"desk".into()), Err(Stop::Failure(_))), "held");
        drop(kept);

        let mut kept = open();
        let found = kept.found().unwrap();
        assert_eq!((found.head.clone(), found.done.clone()), (head(), vec![1]));
        let bodies: Vec<&[u8]> = found.tickets.iter().map(|ticket| &*ticket.body).collect();
        assert_eq!(bodies, [&b"{\"a\": \"x\\ny\"}"[..], b"{}"]);
        kept.go_on(&found).unwrap();
        kept.keep(0, &[ticket("6", "{}")]).unwrap();
        let found = kept.found().unwrap();
        assert_eq!((found.done, found.tickets.len()), (vec![1, 0], 3));
        let said = vec![("ou_li".to_string(), 7, "在吗\n?".to_string())];
        kept.keep_said(&"7".into(), &said).unwrap();
        assert_eq!(kept.found().unwrap().said, BTreeMap::from([("7".into(), said)]));
        kept.remove();
        assert!(!path.exists());
    }

    #[test]
    fn only_the_same_reading_of_today_goes_on() {
        let fits = |source: &str, helpdesk: &str, since: i64, now: i64| {
            head().fits(&source.into(), helpdesk, Span::from_ms(since), Timestamp::from_ms(now))
        };
        assert!(fits("desk", "h", 20, 1_000));
        assert!(!fits("other", "h", 20, 1_000));
        assert!(!fits("desk", "i", 20, 1_000));
        assert!(!fits("desk", "h", 21, 1_000));
        assert!(!fits("desk", "h", 20, 86_400_100));
        assert!(!fits("desk", "h", 20, 10), "from the future");
    }

    #[test]
    fn a_file_of_something_else_is_no_reading() {
        let dir = tempfile::tempdir().unwrap();
        for text in ["", "x\n", "{\"form\":9}\n", "\u{0}\u{0}\n"] {
            fs::write(dir.path().join("rehearsal-desk.jsonl"), text).unwrap();
            assert!(Kept::open(&dir.path().join("data"), &"desk".into()).unwrap().found().is_none(), "{text:?}");
        }
    }
}
