//! What the service says of itself while it runs: lines for people, or JSON for collectors, on standard error.

use std::io::{self, IsTerminal};

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use crate::cli::run::Stop;

/// What a log line looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What is logged unless `DESKBELL_LOG` says otherwise: ours, and others' troubles.
const FILTER_DEFAULT: &str = "warn,deskbell=info,sled=error";

/// Starts logging, once per process.
pub fn start(format: LogFormat, filter: Option<&str>) -> Result<(), Stop> {
    let filter = EnvFilter::try_new(filter.unwrap_or(FILTER_DEFAULT)).map_err(|error| {
        Stop::usage(
            format!("DESKBELL_LOG 写得不对：{error}。例如 DESKBELL_LOG=deskbell=debug"),
            format!("DESKBELL_LOG cannot be read: {error}. For example DESKBELL_LOG=deskbell=debug"),
        )
    })?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let started = match format {
        LogFormat::Text => lines.with_target(false).with_ansi(io::stderr().is_terminal()).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    // A second start keeps the first one's way.
    drop(started);
    Ok(())
}
