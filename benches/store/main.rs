//! How fast the store commits and starts: `cargo bench --bench store`. Everything is on the disk that holds the
//! temporary directory (`TMPDIR`), so look at the first line before you compare two machines.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![expect(clippy::print_stdout, reason = "a benchmark prints what it found")]

#[path = "../poll/pages.rs"]
mod pages;

use std::{
    env,
    fs::{self, File},
    io::Write as _,
    path::Path,
    process,
    time::{Duration, Instant},
};

use bytes::Bytes;
use deskbell::{
    adapters::{
        feishu::{page::RawTicket, ticket::decode},
        store::{compact::compact, config::Config, database::Store, error::OpenError},
    },
    domain::{
        desk::{outcome::Write, state::Tracked},
        facts::Facts,
        id::TicketId,
        time::Timestamp,
    },
};
use serde::Deserialize;
use serde_json::value::RawValue;
use tempfile::TempDir;

const SINGLE_COMMITS: usize = 2_000;
const MERGED: usize = 64;
const LOADED: u64 = 100_000;

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    tickets: Vec<&'a RawValue>,
}

fn main() {
    open_if_asked();
    let dir = TempDir::new().expect("a temporary directory");
    let sync = each(SINGLE_COMMITS, syncs(dir.path()));
    println!("write 1 KiB, fdatasync              p50 {:>9.3?}   p99 {:>9.3?}", sync.0, sync.1);
    let tickets = tickets();
    let config = Config::at(dir.path().join("data"));
    let (store, _) = Store::open(&config).expect("a new store opens");

    let mut next = tickets.iter().cycle();
    let single = each(SINGLE_COMMITS, || commit(&store, &[next.next().expect("it cycles").clone()]));
    println!("commit of 1 ticket                  p50 {:>9.3?}   p99 {:>9.3?}", single.0, single.1);
    println!("  against the floor above           {:.1} ×", single.0.as_secs_f64() / sync.0.as_secs_f64());
    let merged = each(SINGLE_COMMITS / 10, || commit(&store, &next.by_ref().take(MERGED).cloned().collect::<Vec<_>>()));
    println!("commit of {MERGED} tickets                p50 {:>9.3?}   p99 {:>9.3?}", merged.0, merged.1);
    let ratio = single.0.as_secs_f64() * MERGED as f64 / merged.0.as_secs_f64();
    println!("  merging them gives                {ratio:.1} × the throughput");
    let all = Instant::now();
    commit(&store, &tickets);
    println!("commit of {} tickets            {:>9.3?}", tickets.len(), all.elapsed());
    drop((store, next));

    let config = Config::at(dir.path().join("large"));
    let (store, _) = Store::open(&config).expect("a new store opens");
    for copy in 0..LOADED / pages::TICKETS {
        let copies: Vec<Write> = tickets.iter().map(|ticket| copied(ticket, copy)).collect();
        copies.chunks(1_000).for_each(|chunk| commit(&store, chunk));
    }
    println!("{LOADED} tickets on disk               {:>6} MB", store.size_on_disk().unwrap_or_default() >> 20);
    drop(store);
    println!("bytes a record                      {:>6}", record_bytes(&config.path));
    drop(tickets);
    for _ in 0..3 {
        open_elsewhere(&config.path);
    }
    let start = Instant::now();
    let compacted = released(|| compact(&config.path, |_| ()));
    println!(
        "compact {} MB to {} MB in {:.3?}",
        compacted.bytes_before >> 20,
        compacted.bytes_after >> 20,
        start.elapsed()
    );
    open_elsewhere(&config.path);
}

/// Set in a process that opens a store and says what that took: a start, with nothing in memory yet.
const OPEN: &str = "DESKBELL_BENCH_OPEN";

fn open_if_asked() {
    let Some(path) = env::var_os(OPEN) else { return };
    let before = resident_mb();
    let start = Instant::now();
    let (_store, stored) = Store::open(&Config::at(path)).expect("the store opens");
    let (took, resident) = (start.elapsed(), resident_mb() - before);
    assert_eq!(stored.tickets.len() as u64, LOADED);
    println!("open with {LOADED} tickets              {took:>9.3?}   {resident} MB resident");
    process::exit(0);
}

fn open_elsewhere(path: &Path) {
    let program = env::current_exe().expect("this program has a path");
    let status = process::Command::new(program).env(OPEN, path).status().expect("this program can be started again");
    assert!(status.success());
}

fn commit(store: &Store, writes: &[Write]) {
    store.commit(writes).expect("the disk has room");
}

/// p50 and p99 of `work`.
fn each(times: usize, mut work: impl FnMut()) -> (Duration, Duration) {
    let mut all: Vec<Duration> = (0..times)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    all.sort_unstable();
    (all[times / 2], all[times * 99 / 100])
}

/// What any durable write costs on this disk.
fn syncs(dir: &Path) -> impl FnMut() {
    let mut file = File::create(dir.join("floor")).expect("the directory can be written");
    move || {
        file.write_all(&[7; 1_024]).expect("the disk has room");
        file.sync_data().expect("the disk syncs");
    }
}

fn tickets() -> Vec<Write> {
    let mut out = Vec::new();
    for page in 0..pages::PAGES {
        let body = pages::page(0, page);
        let answer: Answer<'_> = serde_json::from_slice(&body).expect("the page is JSON");
        for (number, raw) in (page * pages::PAGE..).zip(answer.data.tickets) {
            let id = TicketId::new(pages::ticket_id(number).to_string());
            let raw = RawTicket { id, hash: number, body: Bytes::copy_from_slice(raw.get().as_bytes()) };
            let decoded = decode(&"it-desk".into(), &raw).expect("the ticket decodes");
            out.push(tracked(decoded.ticket, number));
        }
    }
    out
}

fn tracked(ticket: impl Into<std::sync::Arc<deskbell::domain::ticket::Ticket>>, hash: u64) -> Write {
    let at = Timestamp::from_ms(pages::EPOCH_MS.cast_signed());
    let facts = Facts::new(at, at);
    let list_hash = Some(hash.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    Write::Ticket(Box::new(Tracked { ticket: ticket.into(), facts, asked_at: at, list_hash, gone_at: None }))
}

fn copied(write: &Write, copy: u64) -> Write {
    let Write::Ticket(tracked) = write else { unreachable!("only tickets are made") };
    let mut ticket = (*tracked.ticket).clone();
    let number: u64 = ticket.key.id.as_str().parse().expect("an id is a number");
    ticket.key.id = TicketId::new((number + copy * 100_000_000).to_string());
    self::tracked(ticket, number + copy)
}

/// The middle of the records, read past the store's own code.
fn record_bytes(path: &Path) -> usize {
    let db = released_sled(&path.join("sled"));
    let values = db.scan_prefix(b"t").map(|item| item.expect("it can be read").1.len());
    let mut all: Vec<usize> = values.collect();
    all.sort_unstable();
    all[all.len() / 2]
}

/// Waits until sled's threads have let go of the files.
fn released<T>(mut f: impl FnMut() -> Result<T, OpenError>) -> T {
    loop {
        match f() {
            Err(OpenError::Held { .. }) => std::thread::yield_now(),
            other => return other.expect("the store opens"),
        }
    }
}

fn released_sled(path: &Path) -> sled::Db {
    loop {
        match sled::Config::new().path(path).cache_capacity(32 << 20).flush_every_ms(None).open() {
            Err(sled::Error::Io(_)) => std::thread::yield_now(),
            other => return other.expect("the database opens"),
        }
    }
}

fn resident_mb() -> i64 {
    let pages = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = pages.split(' ').nth(1).and_then(|pages| pages.parse::<i64>().ok());
    pages.unwrap_or_default() * 4_096 / (1 << 20)
}
