//! `deskbell serve`: the service, until it is told to stop.

use std::path::Path;

use crate::{
    adapters::clock::Clock,
    app::{
        config::setup::Setup,
        service::{self, Manner, Service},
    },
    cli::{
        prepare::{self, Warnings},
        run::Stop,
        terminal::Terminal,
    },
    domain::text::Message,
    engine::start::End,
};

/// Runs the service.
pub fn run(path: &Path, once: bool, terminal: Terminal) -> Result<(), Stop> {
    let setup = prepare::setup(path, Warnings::Shown, terminal)?;
    let runtime = prepare::runtime()?;
    let ended = runtime.block_on(serve(setup, once, terminal));
    // What a blocking call still does may be cut: what it decided is durable already, or never was.
    runtime.shutdown_background();
    ended
}

async fn serve(setup: Setup, once: bool, terminal: Terminal) -> Result<(), Stop> {
    let signal = stop_signal()?;
    let sources = setup.sources.len();
    let rules = setup.rules.rules.len();
    let manner = Manner { clock: Clock::system(), once, in_order: false };
    let service = service::start(setup, manner).await.map_err(Stop::Failure)?;
    greet(&service, sources, rules, terminal);
    match service.run(signal).await {
        End::Done => Ok(()),
        End::StoreLost(message) => Err(Stop::Failure(message)),
        End::Late => {
            // Nothing is lost: what was decided is durable and is taken up by the next start.
            tracing::warn!("stopped before everything under way had ended; the next start takes it up");
            Ok(())
        }
    }
}

fn greet(service: &Service, sources: usize, rules: usize, terminal: Terminal) {
    let (Some(listen), Some(admin)) = (service.listen(), service.admin_listen()) else { return };
    terminal.note(&Message::new(
        format!("deskbell 已启动：{sources} 个数据源，{rules} 条规则；回调 {listen}，运维 {admin}。Ctrl-C 停止"),
        format!(
            "deskbell runs: sources {sources}, rules {rules}; callbacks {listen}, operators {admin}. Ctrl-C stops it"
        ),
    ));
}

/// Ready at the first SIGINT or SIGTERM.
#[cfg(unix)]
pub fn stop_signal() -> Result<impl Future<Output = ()>, Stop> {
    use tokio::signal::unix::{SignalKind, signal};
    let failed = |error: std::io::Error| {
        Stop::failure(format!("不能接收停止信号：{error}"), format!("cannot listen for signals: {error}"))
    };
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
    })
}

/// Ready at the first Ctrl-C.
#[cfg(not(unix))]
pub fn stop_signal() -> Result<impl Future<Output = ()>, Stop> {
    Ok(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "cannot listen for Ctrl-C");
        }
    })
}
