//! `deskbell serve`: the service, until it is told to stop.

use std::{path::Path, sync::Arc};

use tokio::sync::oneshot;

use crate::{
    adapters::clock::Clock,
    app::{
        config::{load::load, setup::Setup},
        reload::Loader,
        service::{self, Manner, Service},
    },
    cli::{
        once,
        prepare::{self, Warnings},
        report,
        run::Stop,
        signals::{self, Signals},
        terminal::Terminal,
    },
    domain::text::Message,
    engine::start::End,
};

/// Runs the service.
pub fn run(path: &Path, once: bool, terminal: Terminal) -> Result<(), Stop> {
    let setup = prepare::setup(path, Warnings::Shown, terminal)?;
    if !setup.unfit.is_empty() {
        terminal.print_beside(&report::faults(&setup.unfit, terminal.locale, &report::reader(&setup.base)));
    }
    let runtime = prepare::runtime()?;
    let ended = runtime.block_on(serve(path, setup, once, terminal));
    // What a blocking call still does may be cut: what it decided is durable already, or never was.
    runtime.shutdown_background();
    ended
}

/// Reads the configuration again, as the start did.
fn loader(path: &Path) -> Loader {
    let path = path.to_path_buf();
    Arc::new(move || load(&path, &|name| std::env::var(name).ok()))
}

async fn serve(path: &Path, setup: Setup, once: bool, terminal: Terminal) -> Result<(), Stop> {
    let mut signals = Signals::new()?;
    let zone = setup.settings.zone;
    let sources = setup.sources.len();
    let rules = setup.rules.rules.len();
    let reload = (!once).then(|| loader(path));
    let manner = Manner { clock: Clock::system(), once, in_order: false, reload };
    let service = service::start(setup, manner).await.map_err(Stop::Failure)?;
    greet(&service, sources, rules, terminal);
    let port = service.port();
    signals::on_hang_up(service.asks())?;
    let (stop, asked) = oneshot::channel();
    let end = tokio::select! {
        end = service.run(async { drop(asked.await) }) => end,
        () = signals.twice(stop) => End::Late,
    };
    match end {
        End::Done if once => once::tell(&port, zone, terminal),
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
