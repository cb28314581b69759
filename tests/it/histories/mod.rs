//! Random histories of the pure ring: tickets change, answers fail, the process is cut at any commit; an independent
//! oracle says what must have come of it.
//!
//! `DESKBELL_SEEDS=100000 cargo test --release --test it histories` runs more of them; `DESKBELL_SEED=7` runs one.

mod calls;
mod chat;
pub(crate) mod kinds;
pub(crate) mod helpdesk;
mod hush;
pub(crate) mod oracle;
pub(crate) mod people;
pub(crate) mod random;
pub(crate) mod runner;
pub(crate) mod store;

use runner::Runner;

/// Seeds of a plain test run.
const SEEDS: u64 = 2_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn every_history_ends_as_the_oracle_says() {
    let seeds = number("DESKBELL_SEED").map_or(0..number("DESKBELL_SEEDS").unwrap_or(SEEDS), |seed| seed..seed + 1);
    let count = seeds.end - seeds.start;
    let (mut cards, mut digests, mut cuts, mut failures, mut told) = (0, 0, 0, 0, 0);
    let (mut mentions, mut phones, mut replaced) = (0, 0, 0);
    for seed in seeds {
        let mut runner = Runner::new(seed);
        runner.run();
        let faults = oracle::faults(&runner);
        if !faults.is_empty() && number("DESKBELL_SEED").is_some() {
            println!("{}", runner.log.join("\n"));
        }
        assert!(faults.is_empty(), "seed {seed}:\n{}\n", faults.join("\n"));
        cards += runner.chat.cards().count();
        digests += runner.chat.digests().count();
        cuts += runner.cuts;
        failures += runner.failures;
        told += runner.told;
        mentions += runner.calls.counts().0;
        phones += runner.calls.counts().1;
        replaced += runner.chat.replaced();
    }
    println!("{count} histories: {cards} cards, {digests} digests, {cuts} cuts, {failures} failures, {told} told");
    println!("{mentions} mentions, {phones} phone calls, {replaced} cards replaced");
    if count >= SEEDS {
        let busy = |what: usize| what as u64 > count / 10;
        assert!(
            busy(cards) && busy(digests) && busy(cuts) && busy(failures) && busy(told),
            "too quiet to prove anything"
        );
        assert!(busy(mentions) && busy(phones) && busy(replaced), "too quiet to prove anything");
    }
}

#[test]
fn the_same_seed_gives_the_same_writes() {
    for seed in 0..25 {
        let [first, second] = [0, 1].map(|_| {
            let mut runner = Runner::new(seed);
            runner.run();
            runner.log
        });
        assert!(first == second, "seed {seed}: two runs differ");
    }
}
