//! SIGINT, SIGTERM, Ctrl-C: how a person or a supervisor ends what runs.

use tokio::sync::{mpsc, oneshot};

use crate::{app::reload::Ask, cli::run::Stop};

/// What tells the service to stop.
pub struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    /// From here on a signal no longer ends the process by itself.
    #[cfg(unix)]
    pub fn new() -> Result<Self, Stop> {
        use tokio::signal::unix::{SignalKind, signal};
        let failed = |error: std::io::Error| {
            Stop::failure(format!("不能接收停止信号：{error}"), format!("cannot listen for signals: {error}"))
        };
        let terminate = signal(SignalKind::terminate()).map_err(failed)?;
        Ok(Self { terminate, interrupt: signal(SignalKind::interrupt()).map_err(failed)? })
    }

    /// Waits for Ctrl-C.
    #[cfg(not(unix))]
    pub fn new() -> Result<Self, Stop> {
        Ok(Self {})
    }

    /// Ready at the next SIGINT or SIGTERM.
    #[cfg(unix)]
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Ready at the next Ctrl-C.
    #[cfg(not(unix))]
    pub async fn next(&mut self) {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "cannot listen for Ctrl-C");
            std::future::pending::<()>().await;
        }
    }

    /// Asks for a stop at the first signal; ready at the second, which waits for nothing.
    pub async fn twice(&mut self, stop: oneshot::Sender<()>) {
        self.next().await;
        tracing::info!("stopping; what is under way is heard out, a second signal ends it at once");
        drop(stop); // whoever waits for it goes on
        self.next().await;
    }
}

/// At each SIGHUP asks for rules and templates to be read again. Elsewhere than on Unix there is no such signal.
pub fn on_hang_up(asks: mpsc::Sender<Ask>) -> Result<(), Stop> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut hang_ups = signal(SignalKind::hangup()).map_err(|error| {
            Stop::failure(format!("不能接收 SIGHUP：{error}"), format!("cannot listen for SIGHUP: {error}"))
        })?;
        tokio::spawn(async move {
            while hang_ups.recv().await.is_some() {
                tracing::info!("asked to read rules and templates again");
                if asks.send(oneshot::channel().0).await.is_err() {
                    return;
                }
            }
        });
    }
    #[cfg(not(unix))]
    drop(asks);
    Ok(())
}
