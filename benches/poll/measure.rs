//! CPU time of one piece of work, many times over.

use std::time::Duration;

use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};

/// How often each piece of work is measured.
pub(crate) const REPETITIONS: usize = 20;

/// What one kind of work took.
pub(crate) struct Took {
    cpu: Vec<Duration>,
}

impl Took {
    /// Nothing yet.
    pub(crate) const fn new() -> Self {
        Self { cpu: Vec::new() }
    }

    /// Measures `work` once; all threads of this process count.
    pub(crate) fn add<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let before = cpu();
        let out = work();
        self.cpu.push(cpu().saturating_sub(before));
        out
    }

    /// What stands above the lines.
    pub(crate) fn head() -> String {
        format!("{:<50} {:>9} {:>9} {:>9}  ms CPU", "", "least", "middle", "most")
    }

    /// One line: least, middle and most CPU time.
    pub(crate) fn line(&self, name: &str) -> String {
        let [least, middle, most] = self.spread();
        format!("{name:<50} {least:>9.1} {middle:>9.1} {most:>9.1}")
    }

    /// One line: how this compares with a floor.
    pub(crate) fn verdict(&self, floor: &Self, name: &str, bar: f64) -> String {
        let ratio = self.spread()[1] / floor.spread()[1];
        let met = if ratio <= bar { "met" } else { "MISSED" };
        format!("{:<60} {ratio:>9.2} × {name}; the bar is {bar} ×: {met}\n", "")
    }

    /// Least, middle and most, in milliseconds.
    fn spread(&self) -> [f64; 3] {
        let mut sorted = self.cpu.clone();
        sorted.sort_unstable();
        let at = |index: usize| sorted.get(index).map_or(0.0, |took| took.as_secs_f64() * 1_000.0);
        [at(0), at(sorted.len() / 2), at(sorted.len().saturating_sub(1))]
    }
}

fn cpu() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("a process may ask about itself");
    let spent = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(spent.unsigned_abs())
}
