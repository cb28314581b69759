//! The poll path against its floors: `cargo bench --bench poll`. CPU of this process, by `getrusage`; the platform is a
//! process of its own on loopback. Ratios are of middles over 20 repetitions, taken in turns.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![expect(clippy::print_stdout, reason = "a benchmark prints what it found")]

mod floors;
mod measure;
mod pages;
mod serve;

use deskbell::{
    adapters::{
        clock::Clock,
        feishu::{
            client::Client,
            config::{BaseUrl, Config, Events, HelpdeskConfig},
            helpdesk::{Helpdesk, TicketQuery},
        },
        http,
    },
    domain::{desk::settings::Limits, plan::Plan},
};
use measure::{REPETITIONS, Took};

fn main() {
    serve::serve_if_asked();
    let server = serve::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let client = http::client(&http::Config { proxy: http::Proxy::None, ..http::Config::default() }).expect("a client");
    let bytes: usize = (0..pages::PAGES).map(|page| pages::page(0, page).len()).sum();
    println!("{} tickets in {} pages, {:.1} MB", pages::TICKETS, pages::PAGES, bytes as f64 / 1e6);

    runtime.block_on(floors::hashed(&client, &server.base)); // connections and caches are warm
    let helpdesk = helpdesk(&server.base, client.clone());
    runtime.block_on(listed(&helpdesk));
    let (mut hashed, mut typed, mut list) = (Took::new(), Took::new(), Took::new());
    for _ in 0..REPETITIONS {
        hashed.add(|| runtime.block_on(floors::hashed(&client, &server.base)));
        list.add(|| runtime.block_on(listed(&helpdesk)));
        typed.add(|| runtime.block_on(floors::typed(&client, &server.base)));
    }
    println!("{}", hashed.line("floor A: receive, split pages, hash each ticket"));
    println!("{}", list.line("the client's list: pages split, tickets named and hashed"));
    println!("{:<58} {:>8.2} × floor A", "", list.cpu_ms() / hashed.cpu_ms());
    println!("{}", typed.line("floor B: receive, typed serde decode"));
}

fn helpdesk(base: &str, http: reqwest::Client) -> Helpdesk {
    let config = Config {
        base_url: BaseUrl::parse(base).expect("loopback may be plain http"),
        app_id: "cli_bench".to_owned(),
        app_secret: "secret".to_owned().into(),
        plan: Plan::Paid,
        events: Events::default(),
        limits: Limits::default(),
    };
    let keys = HelpdeskConfig { helpdesk_id: "1".to_owned(), helpdesk_token: "token".to_owned().into() };
    Helpdesk::new(Client::new(&config, http, Clock::system()), &keys)
}

/// All pages through the real client.
async fn listed(helpdesk: &Helpdesk) {
    let mut count = 0;
    for page in 1..=pages::PAGES {
        let page = u32::try_from(page).ok();
        let query = TicketQuery { page, page_size: u32::try_from(pages::PAGE).ok(), ..TicketQuery::default() };
        count += helpdesk.list(&query).await.expect("the server answers").tickets.len() as u64;
    }
    assert_eq!(count, pages::TICKETS);
}
