//! The store against real disks and real kills: what a commit acknowledged is there, whole, and nothing is there by half.

use std::{
    collections::BTreeSet,
    env,
    fs::{self, File},
    io::{BufRead, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
};

use deskbell::{
    adapters::store::{
        compact::compact,
        config::Config,
        database::Store,
        error::{OpenError, StoreError},
    },
    domain::{
        alert::{Alert, AlertKey, AlertState, Announced},
        chronicle::LinesOf,
        desk::{
            outcome::Write,
            state::{JournalEntry, LastEpisode, Remains, SourceState, Stored, Tracked},
        },
        facts::Facts,
        id::{RuleName, SourceName, Subject, TicketId, TicketKey},
        text::Message,
        ticket::{Known, Status, Ticket},
        time::Timestamp,
    },
};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tempfile::TempDir;

/// Set in a child process: the store's directory.
const CHILD: &str = "DESKBELL_TEST_STORE";

/// How often a child is killed.
const KILLS: u64 = 12;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(1_700_000_000_000 + ms)
}

fn ticket_key(number: u64) -> TicketKey {
    TicketKey::new("it-desk".into(), TicketId::new(format!("66268713557803{number:05}")))
}

fn ticket(number: u64, text: &str) -> Write {
    let mut ticket = Ticket::unknown(ticket_key(number));
    ticket.status = Known::Present(Status::Queueing);
    ticket.helpdesk_id = Known::Present(text.into());
    let facts = Facts { status_since_estimated: true, reopened_count: 2, ..Facts::new(at(0), at(1)) };
    let ticket = Arc::new(ticket);
    Write::Ticket(Box::new(Tracked { ticket, facts, asked_at: at(2), list_hash: Some(number), gone_at: None }))
}

fn alert(number: u64, rev: u32) -> Write {
    Write::Alert(Box::new(Alert {
        episode: 1,
        state: AlertState::Firing { fired_at: at(5), stale_as_of: None },
        why: Message::new("等了很久", "waited long"),
        announced: Announced::Cards,
        rev,
        meaning: 7,
        ..Alert::pending(
            AlertKey { subject: Subject::Ticket(ticket_key(number)), rule: "待用户响应太久".into() },
            at(4),
        )
    }))
}

fn source(pass: u64) -> Write {
    Write::Source(Box::new(SourceState { pass, ..SourceState::new("it-desk".into()) }))
}

fn journal(ms: i64, subject: Subject) -> Write {
    let entry = JournalEntry { at: at(ms), subject, rule: None, episode: 0, what: "fired", note: Message::default() };
    Write::Journal(Box::new(entry))
}

fn open(path: &Path) -> (Store, Stored) {
    Store::open(&Config::at(path)).unwrap()
}

/// Opens or compacts a store that this process dropped a moment ago: a thread of sled, or a child on its way to `exec`,
/// may hold its file a little longer.
fn released<T>(mut f: impl FnMut() -> Result<T, OpenError>) -> Result<T, OpenError> {
    loop {
        match f() {
            Err(OpenError::Held { .. }) => std::thread::yield_now(),
            other => return other,
        }
    }
}

fn reopened(path: &Path) -> (Store, Stored) {
    released(|| Store::open(&Config::at(path))).unwrap()
}

fn failing(path: &Path) -> OpenError {
    released(|| Store::open(&Config::at(path))).err().expect("it opened")
}

fn texts(stored: &Stored) -> Vec<String> {
    stored.tickets.iter().map(|it| it.ticket.helpdesk_id.present().unwrap().to_string()).collect()
}

#[test]
fn the_last_write_under_a_key_stands_and_all_comes_back() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("new/data");
    let (store, stored) = open(&path);
    assert!(stored.tickets.is_empty() && stored.sources.is_empty());
    let long = "长".repeat(30_000);
    store.commit(&[ticket(1, "a"), ticket(2, &long), ticket(1, "b"), source(1), alert(1, 1), alert(1, 2)]).unwrap();
    store.commit(&[source(2), Write::Meaning("r".into(), 5), Write::Seen("om_1".into(), at(0))]).unwrap();
    drop(store);
    let (store, stored) = reopened(&path);
    assert_eq!(texts(&stored), ["b", &long]);
    assert_eq!((stored.alerts[0].rev, stored.sources[0].pass), (2, 2));
    assert_eq!(stored.meanings, [("r".into(), 5)]);
    store.commit(&[ticket(2, "short"), Write::DropMeaning("r".into()), Write::DropSeen("om_1".into())]).unwrap();
    drop(store);
    let (_, stored) = reopened(&path);
    assert_eq!(texts(&stored), ["b", "short"]);
    assert!(stored.meanings.is_empty() && stored.seen.is_empty());
    assert_eq!(fs::read_dir(path.join("sled/blobs")).unwrap().count(), 0, "sled never syncs these");
}

#[test]
fn a_purge_leaves_the_remains_and_takes_the_alerts() {
    let dir = TempDir::new().unwrap();
    let (store, _) = open(dir.path());
    let rule = RuleName::from("待用户响应太久");
    let remains = Remains {
        key: ticket_key(1),
        status: Some(Status::ClosedByUser),
        reopened_count: 3,
        episodes: vec![LastEpisode { rule, episode: 4, latched: false }],
    };
    store.commit(&[ticket(1, "a"), alert(1, 1), ticket(2, "b"), alert(2, 1)]).unwrap();
    store.commit(&[Write::Purge(Box::new(remains.clone()))]).unwrap();
    drop(store);
    let (store, stored) = reopened(dir.path());
    assert_eq!(stored.remains, [remains]);
    assert_eq!((texts(&stored), stored.alerts.len()), (vec!["b".to_owned()], 1));
    store.commit(&[Write::DropRemains(ticket_key(1)), ticket(1, "back")]).unwrap();
    drop(store);
    let (_, stored) = reopened(dir.path());
    assert_eq!((stored.remains.len(), texts(&stored)), (0, vec!["back".to_owned(), "b".to_owned()]));
}

#[test]
fn the_journal_is_read_newest_first_and_pruned_from_its_old_end() {
    let dir = TempDir::new().unwrap();
    let (store, _) = open(dir.path());
    let writes: Vec<Write> = (0..2_500).map(|ms| journal(ms, Subject::Source(SourceName::from("it-desk")))).collect();
    store.commit(&writes).unwrap();
    store.commit(&[journal(2_499, Subject::Service), journal(10, Subject::Ticket(ticket_key(1)))]).unwrap();
    drop(store);
    let (store, _) = reopened(dir.path());
    store.commit(&[journal(2_499, Subject::Service)]).unwrap();
    let recent = store.recent_journal(3).unwrap();
    assert!(recent.iter().all(|line| line.at == at(2_499)) && recent[2].subject != Subject::Service);
    let about = store.journal(&LinesOf::all(Subject::Ticket(ticket_key(1))), 5).unwrap();
    assert_eq!(about.iter().map(|line| line.at).collect::<Vec<_>>(), [at(10)]);
    let pruned: Vec<usize> = (0..4).map(|_| store.prune_journal(at(2_400)).unwrap()).collect();
    assert_eq!(pruned, [1_000, 1_000, 401, 0]);
    let left = store.recent_journal(usize::MAX).unwrap();
    assert_eq!((left.len(), left.last().unwrap().at), (102, at(2_400)));
}

#[test]
fn what_stands_in_the_way_is_said_in_plain_words() {
    let dir = TempDir::new().unwrap();
    let (store, _) = open(dir.path());
    let held = Store::open(&Config::at(dir.path())).err().unwrap();
    assert_eq!(held, OpenError::Held { path: dir.path().into(), pid: Some(std::process::id()) });
    assert!(held.message().zh.contains(&std::process::id().to_string()) && held.message().en.contains("stop"));
    assert!(matches!(compact(dir.path(), |_| ()), Err(OpenError::Held { .. })));
    store.commit(&[ticket(1, "a")]).unwrap();
    drop(store);

    let file = dir.path().join("file");
    fs::write(&file, "x").unwrap();
    assert_eq!(Store::open(&Config::at(&file)).err().unwrap(), OpenError::NotADirectory(file.clone()));
    let below = file.join("data");
    assert_eq!(Store::open(&Config::at(&below)).err().unwrap(), OpenError::NotADirectory(below));
    let proc = Path::new("/proc/deskbell");
    if cfg!(target_os = "linux") {
        assert!(Store::open(&Config::at(proc)).is_err(), "no file system to write on");
    }
}

#[test]
fn records_of_another_version_and_damage_stop_the_start() {
    let dir = TempDir::new().unwrap();
    let (store, _) = open(dir.path());
    store.commit(&[ticket(1, "a"), source(1)]).unwrap();
    drop(store);
    let key = b"u\x69t-desk\0".to_vec();
    let put = |key: &[u8], value: &[u8]| {
        let db = raw(&dir.path().join("sled"));
        let old = db.insert(key, value).unwrap();
        db.flush().unwrap();
        old.map(|old| old.to_vec())
    };
    let whole = put(&key, &[2, 1]).unwrap();
    let error = failing(dir.path());
    assert!(matches!(&error, OpenError::UnknownVersion { found: 2, .. }), "{error:?}");
    assert!(error.message().en.contains("source it-desk") && error.message().en.contains("upgrade"), "{error}");
    put(&key, whole.get(..whole.len() - 1).unwrap());
    assert!(matches!(failing(dir.path()), OpenError::Corrupt { .. }));
    put(&key, &whole);
    assert_eq!(reopened(dir.path()).1.sources[0].pass, 1);
    put(b"f", &[9]);
    assert!(matches!(failing(dir.path()), OpenError::UnknownVersion { found: 9, .. }));

    let other = TempDir::new().unwrap();
    raw(&other.path().join("sled")).insert(b"theirs", b"x").unwrap();
    assert_eq!(failing(other.path()), OpenError::NotOurs(other.path().into()));
}

/// sled itself, without our lock.
fn raw(path: &Path) -> sled::Db {
    loop {
        match sled::Config::new().path(path).flush_every_ms(None).open() {
            Err(sled::Error::Io(error)) if error.to_string().contains("lock") => std::thread::yield_now(),
            other => return other.unwrap(),
        }
    }
}

#[test]
fn a_damaged_database_file_is_an_error_or_an_older_state() {
    let dir = TempDir::new().unwrap();
    let (store, _) = open(dir.path());
    for number in 0..300 {
        store.commit(&[ticket(number, &"x".repeat(2_000)), source(number)]).unwrap();
    }
    drop(store);
    let whole = fs::read(dir.path().join("sled/db")).unwrap();
    for step in 1..12 {
        let mut bytes = whole.clone();
        let place = whole.len() * step / 12;
        bytes.iter_mut().skip(place).take(64).for_each(|byte| *byte ^= 0xff);
        let copy = TempDir::new().unwrap();
        fs::create_dir_all(copy.path().join("sled/blobs")).unwrap();
        fs::copy(dir.path().join("sled/conf"), copy.path().join("sled/conf")).unwrap();
        fs::write(copy.path().join("sled/db"), bytes).unwrap();
        match released(|| Store::open(&Config::at(copy.path()))) {
            Ok((_, stored)) => assert!(stored.tickets.len() <= 300),
            Err(error) => assert!(matches!(error, OpenError::Corrupt { .. } | OpenError::Io { .. }), "{error:?}"),
        }
    }
}

#[test]
fn compacting_keeps_every_record_and_shrinks_the_files() {
    let dir = TempDir::new().unwrap();
    let (store, _) = open(dir.path());
    let long = "长".repeat(4_000);
    for round in 0..40 {
        let writes: Vec<Write> = (0..200).map(|number| ticket(number, &format!("{long}{round}"))).collect();
        store.commit(&writes).unwrap();
    }
    let drops: Vec<Write> = (20..200)
        .map(|number| Remains { key: ticket_key(number), status: None, reopened_count: 0, episodes: Vec::new() })
        .map(|remains| Write::Purge(Box::new(remains)))
        .collect();
    store.commit(&drops).unwrap();
    drop(store);
    drop(reopened(dir.path()));
    let before = reopened(dir.path()).1;
    let mut heard = 0;
    let done = released(|| compact(dir.path(), |records| heard = records)).unwrap();
    assert_eq!(done.records, heard);
    assert!(done.bytes_after < done.bytes_before / 2, "{done:?}");
    let (store, after) = reopened(dir.path());
    assert_eq!((texts(&after), after.remains), (texts(&before), before.remains));
    store.commit(&[ticket(5, "later")]).unwrap();
    assert_eq!(left_in(dir.path()), ["lock", "made", "sled"]);
}

fn left_in(path: &Path) -> Vec<String> {
    let names = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

#[test]
fn a_compaction_cut_at_any_point_leaves_a_whole_store() {
    let first = ("sled", "sled.old");
    let both = [first, ("sled.new", "sled")];
    for (when, renames, partial) in [
        ("while copying", &[][..], true),
        ("after the first rename", &[first], false),
        ("after the second rename", &both, false),
        ("while the old one was removed", &both, true),
    ] {
        let dir = TempDir::new().unwrap();
        let (store, _) = open(dir.path());
        store.commit(&[ticket(1, "kept")]).unwrap();
        drop(store);
        drop(raw(&dir.path().join("sled")));
        copy_tree(&dir.path().join("sled"), &dir.path().join("sled.new"));
        if partial && renames.len() < 2 {
            fs::write(dir.path().join("sled.new/db"), "torn").unwrap();
        }
        for (from, to) in renames {
            fs::rename(dir.path().join(from), dir.path().join(to)).unwrap();
        }
        if partial && renames.len() == 2 {
            fs::remove_file(dir.path().join("sled.old/conf")).unwrap();
        }
        let (store, stored) = reopened(dir.path());
        assert_eq!(texts(&stored), ["kept"], "{when}");
        drop(store);
        assert_eq!(left_in(dir.path()), ["lock", "made", "sled"], "{when}");
    }
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_record_too_long_is_named_and_changes_nothing() {
    let dir = TempDir::new().unwrap();
    let (store, _) = open(dir.path());
    store.commit(&[ticket(1, "a")]).unwrap();
    let error = store.commit(&[ticket(1, "b"), ticket(2, &"x".repeat(2 << 20))]).unwrap_err();
    assert!(
        matches!(&error, StoreError::TooLarge { record, .. } if record.en.contains("6626871355780300002")),
        "{error}"
    );
    store.health().unwrap();
    store.commit(&[source(1)]).unwrap();
    drop(store);
    assert_eq!(texts(&reopened(dir.path()).1), ["a"]);
}

/// Batch `number` of the child: one ticket of its own, one that every batch overwrites, long enough to have parts.
fn batch(number: u64) -> Vec<Write> {
    let long = format!("{number} {}", "长".repeat(4_000 + (number as usize % 7) * 3_000));
    vec![
        ticket(number, "own"),
        alert(number, 1),
        journal(number as i64, Subject::Ticket(ticket_key(number))),
        ticket(0, &long),
        source(number),
    ]
}

/// Not a test of its own: what the tests below run in a child process, which they kill or starve.
#[test]
fn child_commits() {
    let Some(path) = env::var_os(CHILD) else { return };
    let (store, stored) = open(&PathBuf::from(path));
    let mut out = std::io::stdout();
    for number in stored.sources.first().map_or(0, |source| source.pass) + 1.. {
        match store.commit(&batch(number)) {
            Ok(()) => writeln!(out, "committed {number}").unwrap(),
            Err(error) => {
                writeln!(out, "failed {error:?}").unwrap();
                writeln!(out, "sticky {}", store.commit(&[source(1)]) == Err(error.clone())).unwrap();
                writeln!(out, "healthy {}", store.health().is_ok()).unwrap();
                make_room();
                writeln!(out, "reopened {:?}", store.reopen()).unwrap();
                store.commit(&batch(number)).unwrap();
                writeln!(out, "committed {number}").unwrap();
                writeln!(out, "healed {}", store.health().is_ok()).unwrap();
                return;
            }
        }
        out.flush().unwrap();
    }
}

/// Lifts the limit on file sizes that stands for a full disk.
fn make_room() {
    let (_, hard) = getrlimit(Resource::RLIMIT_FSIZE).unwrap();
    setrlimit(Resource::RLIMIT_FSIZE, hard, hard).unwrap();
}

fn child(shell: &str, path: &Path) -> (Child, impl Iterator<Item = String>) {
    let mut child = Command::new("sh")
        .args(["-c", &format!("{shell} exec \"$0\" --exact store::child_commits --nocapture --test-threads=1")])
        .arg(env::current_exe().unwrap())
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let out: ChildStdout = child.stdout.take().unwrap();
    (child, BufReader::new(out).lines().map(|line| line.unwrap()))
}

fn committed(line: &str) -> Option<u64> {
    line.strip_prefix("committed ")?.parse().ok()
}

/// Every batch up to the last one is whole, and of later ones there is nothing.
fn check_whole(store: &Store, stored: &Stored, acknowledged: u64) -> u64 {
    let last = stored.sources.first().map_or(0, |source| source.pass);
    assert!(last >= acknowledged, "acknowledged {acknowledged}, found {last}");
    let numbers = |ids: BTreeSet<&TicketKey>| ids.into_iter().cloned().collect::<Vec<_>>();
    let expected: Vec<TicketKey> = (0..=last).map(ticket_key).collect();
    if last > 0 {
        assert_eq!(numbers(stored.tickets.iter().map(|it| &it.ticket.key).collect()), expected);
        let shared = stored.tickets.iter().find(|it| it.ticket.key == ticket_key(0)).unwrap();
        let Some(Write::Ticket(written)) = batch(last).into_iter().nth(3) else { unreachable!() };
        assert_eq!(shared.ticket, written.ticket);
    }
    assert_eq!(stored.alerts.len() as u64, last);
    assert_eq!(store.recent_journal(usize::MAX).unwrap().len() as u64, last);
    last
}

#[test]
fn killed_at_any_moment_it_keeps_what_it_acknowledged() {
    let dir = TempDir::new().unwrap();
    drop(open(dir.path()));
    let mut total = 0;
    for round in 1..=KILLS {
        let (mut child, mut lines) = child("", dir.path());
        let mut acknowledged = total;
        let mut left = 5 + round * 13 % 40;
        while left > 0 {
            let line = lines.next().expect("it commits until it is killed");
            if let Some(number) = committed(&line) {
                acknowledged = number;
                left -= 1;
            }
        }
        (0..round * round * 12_000).for_each(|_| std::hint::spin_loop()); // not always right after an answer
        child.kill().unwrap(); // SIGKILL, in the middle of whatever it does now
        child.wait().unwrap();
        acknowledged = lines.filter_map(|line| committed(&line)).last().unwrap_or(acknowledged);
        let (store, stored) = reopened(dir.path());
        total = check_whole(&store, &stored, acknowledged);
    }
    assert!(total >= KILLS * 5);
}

#[test]
fn a_full_disk_is_said_sticks_and_loses_nothing() {
    let dir = TempDir::new().unwrap();
    drop(open(dir.path()));
    // A limit on file sizes is what a full disk looks like from inside, without being root. 2048 blocks are 1 MiB.
    let (mut child, lines) = child("trap '' XFSZ; ulimit -S -f 2048;", dir.path());
    let lines: Vec<String> = lines.collect();
    child.wait().unwrap();
    let acknowledged = lines.iter().rev().find_map(|line| committed(line)).unwrap_or(0);
    let said = |prefix: &str| lines.iter().find_map(|line| line.strip_prefix(prefix)).unwrap_or("nothing").to_owned();
    assert!(said("failed ").starts_with("DiskFull"), "{lines:#?}");
    assert_eq!((said("sticky ").as_str(), said("healthy ").as_str()), ("true", "false"));
    assert_eq!((said("reopened ").as_str(), said("healed ").as_str()), ("Ok(())", "true"));
    let (store, stored) = reopened(dir.path());
    let last = check_whole(&store, &stored, acknowledged);
    store.commit(&batch(last + 1)).unwrap();
    assert!(File::open(dir.path().join("sled/db")).unwrap().metadata().unwrap().len() > 0);
}
