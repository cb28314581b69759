//! CPU and wall time of one piece of work, many times over.

use std::time::{Duration, Instant};

use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};

/// How often each piece of work is measured.
pub(crate) const REPETITIONS: usize = 20;

/// What one kind of work took.
pub(crate) struct Took {
    cpu: Vec<Duration>,
    wall: Vec<Duration>,
}

impl Took {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self { cpu: Vec::new(), wall: Vec::new() }
    }

    /// Measures `work` once; all threads of this process count.
    pub(crate) fn add<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let (cpu, wall) = (cpu(), Instant::now());
        let out = work();
        self.wall.push(wall.elapsed());
        self.cpu.push(self::cpu().saturating_sub(cpu));
        out
    }

    /// The middle CPU time, in milliseconds.
    pub(crate) fn cpu_ms(&self) -> f64 {
        middle(&self.cpu)
    }

    /// One line: CPU and wall time.
    pub(crate) fn line(&self, name: &str) -> String {
        format!("{name:<58} {:>8.1} ms CPU {:>8.1} ms wall", self.cpu_ms(), middle(&self.wall))
    }
}

fn middle(all: &[Duration]) -> f64 {
    let mut sorted = all.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).map_or(0.0, |middle| middle.as_secs_f64() * 1_000.0)
}

fn cpu() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("a process may ask about itself");
    let spent = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(spent.unsigned_abs())
}
