//! 5,000 alerts at one instant, decided, made durable, rendered and delivered over the HTTP receiver:
//! `cargo bench --bench alerts`. Storms are off and the receiver's budget is lifted. Wall time from the instant at which
//! the tickets fall due until the last report is durable; the sink is a process of its own on loopback, and so is each
//! repetition: its memory is that of one service.
//!
//! The peer is Alertmanager on this machine, in the same run, where it is installed; else what was measured for the
//! design.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![expect(clippy::print_stdout, reason = "a benchmark prints what it found")]

#[path = "../poll/pages.rs"]
mod pages;
mod peer;
mod service;
mod sink;

use std::{
    env, fs,
    process::{Command, Stdio},
    sync::Arc,
    time::Instant,
};

use deskbell::adapters::http;
use tokio::{runtime::Runtime, sync::Semaphore};

use crate::sink::{COUNT, HOOK, Sink};

/// Alerts in all.
pub(crate) const ALERTS: usize = 5_000;

/// What Alertmanager needs for as many, in memory only: seconds, and MB (as measured for the design).
const ALERTMANAGER_SECONDS: f64 = 0.58;
const ALERTMANAGER_MB: f64 = 139.0;

/// The most memory it may take, MB.
const MEMORY_BAR_MB: f64 = 60.0;

/// How often each is measured.
const REPETITIONS: usize = 20;

/// Set, to where the sink is, in the process that runs one repetition.
const RING: &str = "DESKBELL_BENCH_RING";

/// Posts of the floor under way at once: as many as the service sends at once.
const FLOOR_AT_ONCE: usize = 32;

/// Bytes of the floor's bodies: what an alert of this benchmark has.
const FLOOR_BODY_BYTES: usize = 2_500;

fn main() {
    sink::serve_if_asked();
    ring_if_asked();
    let sink = sink::start();
    println!("{ALERTS} alerts at one instant, a store on disk, one sink on loopback; {REPETITIONS} repetitions\n");
    let mut runs = Vec::new();
    for _ in 0..REPETITIONS {
        let before = posts(&sink);
        runs.push(ring_apart(&sink.base));
        assert_eq!(posts(&sink) - before, ALERTS, "each is posted once");
    }
    let all = |of: fn(&Run) -> f64| {
        let mut all: Vec<f64> = runs.iter().map(of).collect();
        all.sort_unstable_by(f64::total_cmp);
        all
    };
    let (ours, memory) = (all(|run| run.seconds), all(|run| run.peak_mb));
    let mut floor: Vec<f64> = (0..REPETITIONS).map(|_| plain_posts(&sink)).collect();
    floor.sort_unstable_by(f64::total_cmp);
    println!("{:<58} {:>8} {:>8} {:>8}", "", "least", "middle", "most");
    line("decided, durable, rendered, delivered, s", &ours);
    line("  CPU time of it, s", &all(|run| run.cpu_seconds));
    line("  commits", &all(|run| run.commits));
    line("  written to the disk's cache, MB", &all(|run| run.written_mb));
    line("floor: as many posts of the same size, same client, s", &floor);
    line("peak memory of the process, MB", &memory);
    let (took, least, memory) = (middle(&ours), middle(&floor), middle(&memory));
    let (their, their_mb) = alertmanager(&sink);
    println!("\n{:.2} × the floor", took / least);
    println!(
        "{:.2} × Alertmanager's {their:.2} s (in memory only); the bar is 1 ×: {}",
        took / their,
        said(took < their)
    );
    println!(
        "peak memory {memory:.0} MB, {:.2} × Alertmanager's {their_mb:.0} MB; the bar is {MEMORY_BAR_MB:.0} MB: {}",
        memory / their_mb,
        said(memory < MEMORY_BAR_MB)
    );
}

/// Seconds and MB that Alertmanager needs for as many, on this machine where it can.
fn alertmanager(sink: &Sink) -> (f64, f64) {
    let Some(program) = peer::program() else {
        println!(
            "\nno Alertmanager on this machine (apt-get install prometheus-alertmanager): compared with the design's"
        );
        return (ALERTMANAGER_SECONDS, ALERTMANAGER_MB);
    };
    let runs: Vec<Run> = (0..REPETITIONS).map(|_| peer::ring(&program, sink)).collect();
    let all = |of: fn(&Run) -> f64| {
        let mut all: Vec<f64> = runs.iter().map(of).collect();
        all.sort_unstable_by(f64::total_cmp);
        all
    };
    let (seconds, memory) = (all(|run| run.seconds), all(|run| run.peak_mb));
    line("Alertmanager on this machine, s", &seconds);
    line("  CPU time of it, s", &all(|run| run.cpu_seconds));
    line("  peak memory of it, MB", &memory);
    (middle(&seconds), middle(&memory))
}

/// One repetition, measured from within its own process.
#[derive(Debug, Default)]
struct Run {
    seconds: f64,
    cpu_seconds: f64,
    commits: f64,
    written_mb: f64,
    peak_mb: f64,
}

/// Runs one repetition in a process of its own: its memory is that of one service that has just started.
fn ring_apart(base: &str) -> Run {
    let program = env::current_exe().expect("this program has a path");
    let output =
        Command::new(program).env(RING, base).stderr(Stdio::inherit()).output().expect("it can be started again");
    assert!(output.status.success(), "a repetition failed");
    let text = String::from_utf8(output.stdout).expect("it prints numbers");
    let mut numbers = text.split_whitespace().map(|number| number.parse().expect("a number"));
    let mut next = || numbers.next().expect("five numbers");
    Run { seconds: next(), cpu_seconds: next(), commits: next(), written_mb: next(), peak_mb: next() }
}

/// Measures one repetition, in the process that is to; returns at once in every other.
fn ring_if_asked() {
    let Ok(base) = env::var(RING) else { return };
    let tickets = service::tickets();
    let took = service::ring(&base, &tickets);
    println!("{} {} {} {} {}", took.seconds, took.cpu_seconds, took.commits, written_mb(), peak_mb());
    std::process::exit(0);
}

/// What this process has written to files, MB.
fn written_mb() -> f64 {
    number_in("/proc/self/io", "write_bytes:") / 1_000_000.0
}

fn number_in(file: &str, name: &str) -> f64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(f64::NAN)
}

const fn said(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}

fn line(name: &str, sorted: &[f64]) {
    let at = |index: usize| sorted.get(index).copied().unwrap_or_default();
    println!("{name:<58} {:>8.3} {:>8.3} {:>8.3}", at(0), middle(sorted), at(sorted.len().saturating_sub(1)));
}

fn middle(sorted: &[f64]) -> f64 {
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// The most memory this process ever held, MB.
fn peak_mb() -> f64 {
    number_in("/proc/self/status", "VmHWM:") / 1_000.0
}

/// How many posts the sink has seen.
fn posts(sink: &Sink) -> usize {
    let url = format!("{}{COUNT}", sink.base);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let text = runtime.block_on(async { http::loopback_client().get(url).send().await?.text().await });
    text.expect("the sink answers").parse().expect("a number")
}

/// What it takes to post as many bodies and do nothing else.
fn plain_posts(sink: &Sink) -> f64 {
    let runtime = Runtime::new().expect("a runtime");
    let (client, url) = (http::loopback_client(), format!("{}{HOOK}", sink.base));
    let body: Arc<str> = "x".repeat(FLOOR_BODY_BYTES).into();
    let start = Instant::now();
    runtime.block_on(async {
        let permits = Arc::new(Semaphore::new(FLOOR_AT_ONCE));
        let mut all = tokio::task::JoinSet::new();
        for _ in 0..ALERTS {
            let permit = Arc::clone(&permits).acquire_owned().await.expect("it is never closed");
            let request = client.post(&url).body(body.to_string());
            all.spawn(async move {
                let answer = request.send().await.expect("the sink answers").bytes().await;
                drop(permit);
                answer.map(drop)
            });
        }
        all.join_all().await
    });
    start.elapsed().as_secs_f64()
}
