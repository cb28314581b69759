//! What every verb with a configuration begins with: read it, show its faults, make what talks to the platform.

use std::path::Path;

use tokio::runtime::{Builder, Runtime};

use crate::{
    adapters::{
        clock::Clock,
        feishu::{self, client::Client},
        http,
    },
    app::config::{
        load::{load, load_app, load_door, whereabouts},
        server::Server,
        setup::Setup,
    },
    cli::{report, run::Stop, terminal::Terminal},
    domain::time::Zone,
};

/// Whether warnings are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warnings {
    /// They are.
    Shown,
    /// They are `check`'s business.
    Left,
}

/// The setup of the configuration at `path`; its faults are shown.
pub fn setup(path: &Path, warnings: Warnings, terminal: Terminal) -> Result<Setup, Stop> {
    let mut loaded = load(path, &|name| std::env::var(name).ok());
    loaded.faults.extend(loaded.setup.iter().flat_map(|setup| setup.of_the_day(Clock::system().now())));
    let show = loaded.setup.is_none() || (warnings == Warnings::Shown && !loaded.faults.is_empty());
    if show {
        let read = report::reader(&loaded.base);
        terminal.print_beside(&report::faults(&loaded.faults, terminal.locale, &read));
    }
    loaded.setup.ok_or_else(faulty)
}

/// A runtime for verbs that ask a few questions and end.
pub fn small_runtime() -> Result<Runtime, Stop> {
    Builder::new_current_thread().enable_all().build().map_err(no_runtime)
}

/// A runtime for the service.
pub fn runtime() -> Result<Runtime, Stop> {
    Builder::new_multi_thread().enable_all().build().map_err(no_runtime)
}

fn no_runtime(error: std::io::Error) -> Stop {
    Stop::failure(format!("无法启动：{error}"), format!("cannot start: {error}"))
}

/// A client for an app.
pub fn client(feishu: &feishu::config::Config, http: &http::Config) -> Result<Client, Stop> {
    let http = http::client(http).map_err(|fault| Stop::Usage(fault.message))?;
    Ok(Client::new(feishu, http, Clock::system()))
}

/// The client for the app of the configuration at `path`, which may be unfinished otherwise.
pub fn client_of_app(path: &Path, terminal: Terminal) -> Result<Client, Stop> {
    let mut faults = Vec::new();
    let app = load_app(path, &|name| std::env::var(name).ok(), &mut faults);
    let Some((feishu, http)) = app else {
        let (base, _) = whereabouts(path);
        let read = report::reader(&base);
        terminal.print_beside(&report::faults(&faults, terminal.locale, &read));
        return Err(faulty());
    };
    client(&feishu, &http)
}

/// Where the service of the configuration at `path` is asked, and its zone; the rest may have faults meanwhile.
pub fn door(path: &Path, terminal: Terminal) -> Result<(Server, Zone), Stop> {
    let mut faults = Vec::new();
    let door = load_door(path, &|name| std::env::var(name).ok(), &mut faults);
    door.ok_or_else(|| {
        let (base, _) = whereabouts(path);
        let read = report::reader(&base);
        terminal.print_beside(&report::faults(&faults, terminal.locale, &read));
        faulty()
    })
}

/// The configuration cannot be used; its faults were shown.
pub fn faulty() -> Stop {
    Stop::usage(
        "配置有误。改好后先运行 deskbell check",
        "the configuration has faults. Mend them, then run deskbell check",
    )
}
