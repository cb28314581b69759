//! The poll path against its floors: `cargo bench --bench poll`. CPU of this process, by `getrusage`; the platform is a
//! process of its own on loopback. Ratios are of middles over 20 repetitions, taken in turns.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![expect(clippy::print_stdout, reason = "a benchmark prints what it found")]

mod floors;
mod measure;
mod pages;
mod rules;
mod serve;
mod service;

use std::time::{SystemTime, UNIX_EPOCH};

use deskbell::{
    adapters::{
        feishu::config::{BaseUrl, Config, Events, HelpdeskConfig},
        http,
    },
    domain::{desk::settings::Limits, plan::Plan},
};
use measure::{REPETITIONS, Took};
use service::Service;
use tokio::runtime::Runtime;

/// None changed: how often the floor "receive, split pages, hash each ticket" it may cost.
const UNCHANGED_BAR: f64 = 1.5;

/// All changed: how often the floor "receive, typed serde decode" it may cost.
const CHANGED_BAR: f64 = 6.0;

fn main() {
    serve::serve_if_asked();
    let server = serve::start();
    let plain = Plain::new(server.base.clone());
    let bytes: usize = (0..pages::PAGES).map(|page| pages::page(0, page).len()).sum();
    println!(
        "{} tickets in {} pages, {:.1} MB, {} rules; CPU of {REPETITIONS} repetitions",
        pages::TICKETS,
        pages::PAGES,
        bytes as f64 / 1e6,
        rules::rules().rules.len(),
    );
    // Tickets were updated of late, as on a real helpdesk.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is past 1970").as_millis() as u64;
    let mut generation = now.saturating_sub(pages::EPOCH_MS) / 60_000 - 120;
    plain.show(generation);
    let service = Service::start(&server.base);
    println!("{} alerts stand\n", service.firing());

    plain.hashed();
    plain.typed();
    let (mut hashed, mut typed, mut unchanged, mut changed) = (Took::new(), Took::new(), Took::new(), Took::new());
    service.rest();
    for _ in 0..REPETITIONS {
        hashed.add(|| plain.hashed());
        one_poll(&service, &mut unchanged, 0);
        typed.add(|| plain.typed());
        generation += 1;
        plain.show(generation);
        one_poll(&service, &mut changed, pages::TICKETS);
    }
    println!("{}", Took::head());
    println!("{}", hashed.line("floor A: receive, split pages, hash each ticket"));
    println!("{}", unchanged.line("one poll, none changed"));
    println!("{}", unchanged.verdict(&hashed, "floor A", UNCHANGED_BAR));
    println!("{}", typed.line("floor B: receive, typed serde decode"));
    println!("{}", changed.line("one poll, all changed: judged and durable"));
    println!("{}", changed.verdict(&typed, "floor B", CHANGED_BAR));
}

/// Measures the service over one poll, and makes sure that it was one.
fn one_poll(service: &Service, took: &mut Took, decoded: u64) {
    let before = service.counted();
    took.add(|| service.rest());
    let after = service.counted();
    assert_eq!(after.pages - before.pages, pages::PAGES, "one whole poll from rest to rest; is this machine busy?");
    assert_eq!(after.decoded - before.decoded, decoded);
    assert!(after.writes - before.writes >= decoded, "all that changed is durable");
    assert_eq!(after.sends, 0);
}

/// What a plain client does, in its own small runtime.
struct Plain {
    base: String,
    http: reqwest::Client,
    runtime: Runtime,
}

impl Plain {
    fn new(base: String) -> Self {
        let http = http::client(&http::Config { proxy: http::Proxy::None, ..http::Config::default() });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Self { base, http: http.expect("a client"), runtime: runtime.expect("a runtime") }
    }

    fn hashed(&self) -> u64 {
        self.runtime.block_on(floors::hashed(&self.http, &self.base))
    }

    fn typed(&self) -> u64 {
        self.runtime.block_on(floors::typed(&self.http, &self.base))
    }

    /// From now on the platform shows tickets updated so many minutes after the first ones.
    fn show(&self, generation: u64) {
        let url = format!("{}/generation/{generation}", self.base);
        let answer = self.runtime.block_on(async { self.http.get(url).send().await?.bytes().await });
        drop(answer.expect("the server answers"));
    }
}

fn config(base: &str) -> Config {
    Config {
        base_url: BaseUrl::parse(base).expect("loopback may be plain http"),
        app_id: "cli_bench".to_owned(),
        app_secret: "secret".to_owned().into(),
        plan: Plan::Paid,
        events: Events::default(),
        limits: Limits::default(),
    }
}

fn keys() -> HelpdeskConfig {
    HelpdeskConfig { helpdesk_id: "1".to_owned(), helpdesk_token: "token".to_owned().into() }
}
