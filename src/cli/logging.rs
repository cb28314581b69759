//! What the service says of itself while it runs: lines for people, or JSON for collectors, on standard error.

use std::io::{self, IsTerminal};

use clap::ValueEnum;
use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::filter_fn,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

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

/// Whose lines below `info` are never logged, whatever `DESKBELL_LOG` says: they write addresses that are secrets, and
/// what guests wrote.
const NEVER: [&str; 2] = ["tungstenite", "tokio_tungstenite"];

fn filter(wanted: Option<&str>) -> Result<EnvFilter, Stop> {
    EnvFilter::try_new(wanted.unwrap_or(FILTER_DEFAULT)).map_err(|error| {
        Stop::usage(
            format!("DESKBELL_LOG 写得不对：{error}。例如 DESKBELL_LOG=deskbell=debug"),
            format!("DESKBELL_LOG cannot be read: {error}. For example DESKBELL_LOG=deskbell=debug"),
        )
    })
}

/// Whether something may be logged at all.
fn may_be_logged(metadata: &Metadata<'_>) -> bool {
    let crate_name = metadata.target().split("::").next().unwrap_or_default();
    *metadata.level() <= Level::INFO || !NEVER.contains(&crate_name)
}

/// What is logged goes to `writer`.
fn lines<W>(format: LogFormat, filter: EnvFilter, writer: W, ansi: bool) -> impl SubscriberInitExt
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = fmt::layer().with_writer(writer);
    let lines = match format {
        LogFormat::Text => lines.with_target(false).with_ansi(ansi).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    // Asked of everything first: the more exact a directive of the filter, the more it would let through.
    tracing_subscriber::registry().with(lines).with(filter).with(filter_fn(may_be_logged))
}

/// Starts logging, once per process.
pub fn start(format: LogFormat, wanted: Option<&str>) -> Result<(), Stop> {
    let started = lines(format, filter(wanted)?, io::stderr, io::stderr().is_terminal()).try_init();
    // A second start keeps the first one's way.
    drop(started);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        sync::{Arc, Mutex},
    };

    use tracing::{Dispatch, dispatcher::with_default, error, info, trace};

    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_addresses_of_connections_are_never_logged() {
        for (format, wanted) in [
            (LogFormat::Text, "trace"),
            (LogFormat::Json, "trace"),
            (LogFormat::Text, "tungstenite=trace,deskbell=debug"),
            (LogFormat::Text, "tungstenite::handshake=trace,tokio_tungstenite=trace,info"),
            (LogFormat::Text, "tungstenite[x]=trace,info"),
        ] {
            let paper = Paper::default();
            let onto = paper.clone();
            let dispatch: Dispatch = lines(format, filter(Some(wanted)).unwrap(), move || onto.clone(), false).into();
            with_default(&dispatch, || {
                trace!(target: "tungstenite::handshake::client", "GET /ws?ticket=t-ticket-t");
                trace!(target: "tokio_tungstenite", "GET /ws?ticket=t-ticket-t");
                error!(target: "tungstenite::protocol", "it broke");
                info!(target: "deskbell::cli", "we run");
            });
            let text = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
            assert!(!text.contains("t-ticket-t"), "{wanted}: {text}");
            assert!(text.contains("we run"), "{wanted}: {text}");
        }
        assert!(filter(Some("=,=")).is_err());
    }
}
