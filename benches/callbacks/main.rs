//! What people write, measured from outside: `cargo bench --bench callbacks`. The service is the real binary with a store
//! on disk; the platform and its people are this process. Callbacks are compared with a route of the same server that
//! does nothing; `/ticket` is timed from the event's first byte sent to the answer received.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![expect(clippy::print_stdout, reason = "a benchmark prints what it found")]

#[path = "../poll/pages.rs"]
mod pages;
mod load;
mod platform;
mod service;

use std::{
    fs::File,
    io::Write,
    thread,
    time::{Duration, Instant},
};

use crate::{load::Load, platform::Platform, service::Service};

/// Connections that ask at once.
const CONNECTIONS: usize = 64;

/// Requests of one repetition.
const REQUESTS: usize = 10_000;

/// How often each is measured; events and nothing take turns.
const REPETITIONS: usize = 20;

/// How many times slower than nothing a callback may be: the share of its rate.
const SHARE_BAR: f64 = 0.35;

/// Callbacks a second, where the disk is quick.
const RATE_BAR: f64 = 20_000.0;

/// The 99th percentile of a callback, ms.
const CALLBACK_P99_BAR_MS: f64 = 10.0;

/// A disk is quick that syncs within this, ms.
const SYNC_BAR_MS: f64 = 0.2;

/// Questions a second, and how many there are.
const QUESTIONS_A_SECOND: u32 = 50;
const QUESTIONS: usize = 1_000;

/// Median and 99th percentile of an answer, ms.
const ANSWER_BARS_MS: (f64, f64) = (1.0, 5.0);

fn main() {
    let platform = Platform::start();
    let service = Service::start(&platform.base);
    let sync = sync_ms(service.home());
    println!(
        "{REQUESTS} requests over {CONNECTIONS} connections, {REPETITIONS} repetitions; fdatasync p50 {sync:.3} ms\n"
    );
    callbacks(&service, sync);
    questions(&service, &platform);
}

fn callbacks(service: &Service, sync: f64) {
    let (mut events, mut nothing) = (Vec::new(), Vec::new());
    for repetition in 0..=REPETITIONS {
        let first = repetition * REQUESTS;
        let event = load::at_once(service.address, CONNECTIONS, &load::events(first..first + REQUESTS));
        let none = load::at_once(service.address, CONNECTIONS, &load::nothing(REQUESTS));
        if repetition > 0 {
            events.push(event); // the first one warms up
            nothing.push(none);
        }
    }
    println!("{:<46} {:>10} {:>8} {:>8} {:>8}", "middle of the repetitions", "a second", "p50 ms", "p99 ms", "most ms");
    for (name, all) in [("a route that does nothing", &nothing), ("event: verify, decrypt, store, answer 200", &events)]
    {
        let of = |value: fn(&Load) -> f64| middle(all.iter().map(value).collect());
        let (rate, p50) = (of(|load| load.a_second), of(|load| load.p50_ms));
        println!("{name:<46} {rate:>10.0} {p50:>8.2} {:>8.2} {:>8.2}", of(|load| load.p99_ms), of(|load| load.most_ms));
    }
    let of = |all: &[Load], value: fn(&Load) -> f64| middle(all.iter().map(value).collect());
    let (rate, p99) = (of(&events, |load| load.a_second), of(&events, |load| load.p99_ms));
    let share = rate / of(&nothing, |load| load.a_second);
    println!("\n{share:.2} of the rate of nothing; the bar is {SHARE_BAR}: {}", said(share >= SHARE_BAR));
    let quick = if sync < SYNC_BAR_MS { said(rate >= RATE_BAR) } else { "this disk is too slow to say" };
    println!("{rate:.0} a second; the bar is {RATE_BAR}: {quick}");
    println!("p99 {p99:.2} ms; the bar is {CALLBACK_P99_BAR_MS} ms: {}\n", said(p99 <= CALLBACK_P99_BAR_MS));
}

/// Questions at a steady rate, whatever becomes of those before.
fn questions(service: &Service, platform: &Platform) {
    let mut connection = load::Connection::open(service.address);
    let every = Duration::from_secs(1) / QUESTIONS_A_SECOND;
    let begun = Instant::now();
    let mut sent = Vec::with_capacity(QUESTIONS);
    for number in 0..QUESTIONS {
        let due = begun + every * u32::try_from(number).expect("a small number");
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let request = load::question(number);
        let at = Instant::now();
        assert_eq!(connection.ask(&request), 200);
        sent.push((load::question_id(number), at));
    }
    let answered = platform.answered(QUESTIONS);
    let mut took: Vec<f64> =
        sent.iter().map(|(id, at)| answered[id].saturating_duration_since(*at).as_secs_f64() * 1_000.0).collect();
    took.sort_unstable_by(f64::total_cmp);
    let (p50, p99) = (load::percentile(&took, 50), load::percentile(&took, 99));
    println!("{QUESTIONS} times /ticket at {QUESTIONS_A_SECOND}/s, from the event to the answer at the platform");
    println!("p50 {p50:.2} ms; the bar is {} ms: {}", ANSWER_BARS_MS.0, said(p50 <= ANSWER_BARS_MS.0));
    println!("p99 {p99:.2} ms; the bar is {} ms: {}", ANSWER_BARS_MS.1, said(p99 <= ANSWER_BARS_MS.1));
}

/// The median of one small write made durable, where the store is.
fn sync_ms(folder: &std::path::Path) -> f64 {
    let mut file = File::create(folder.join("sync")).expect("the folder takes files");
    let mut took: Vec<f64> = (0..200)
        .map(|_| {
            file.write_all(&[7; 4_096]).expect("the file takes bytes");
            let begun = Instant::now();
            file.sync_data().expect("the disk syncs");
            begun.elapsed().as_secs_f64() * 1_000.0
        })
        .collect();
    took.sort_unstable_by(f64::total_cmp);
    load::percentile(&took, 50)
}

fn middle(mut all: Vec<f64>) -> f64 {
    all.sort_unstable_by(f64::total_cmp);
    load::percentile(&all, 50)
}

const fn said(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}
