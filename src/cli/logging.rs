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

/// What is never logged, whatever `DESKBELL_LOG` says: below this level they write addresses that are secrets, and what
/// guests wrote.
const NEVER: [&str; 2] = ["tungstenite=info", "tokio_tungstenite=info"];

fn filter(wanted: Option<&str>) -> Result<EnvFilter, Stop> {
    let filter = EnvFilter::try_new(wanted.unwrap_or(FILTER_DEFAULT)).map_err(|error| {
        Stop::usage(
            format!("DESKBELL_LOG 写得不对：{error}。例如 DESKBELL_LOG=deskbell=debug"),
            format!("DESKBELL_LOG cannot be read: {error}. For example DESKBELL_LOG=deskbell=debug"),
        )
    })?;
    let held = NEVER.iter().filter_map(|directive| directive.parse().ok());
    Ok(held.fold(filter, EnvFilter::add_directive))
}

/// Starts logging, once per process.
pub fn start(format: LogFormat, wanted: Option<&str>) -> Result<(), Stop> {
    let filter = filter(wanted)?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let started = match format {
        LogFormat::Text => lines.with_target(false).with_ansi(io::stderr().is_terminal()).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    // A second start keeps the first one's way.
    drop(started);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_of_connections_are_never_logged() {
        for wanted in [None, Some("trace"), Some("tungstenite=trace,deskbell=debug"), Some("tungstenite[x]=trace")] {
            let shown = filter(wanted).unwrap().to_string();
            for directive in NEVER {
                assert!(shown.split(',').any(|held| held == directive), "{wanted:?}: {shown}");
            }
            assert!(!shown.split(',').any(|held| held == "tungstenite=trace"), "{shown}");
        }
        assert!(filter(Some("=,=")).is_err());
    }
}
