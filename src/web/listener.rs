//! Accepts connections and serves a router on them within limits. Knows nothing of what the router does.

use std::{pin::pin, sync::Arc, time::Duration};

use axum::{Router, http::StatusCode};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
};
use tower_http::timeout::TimeoutLayer;

use crate::{adapters::clock::Clock, domain::time::Span};

/// Connections a listener serves at once; more wait in the system's queue.
pub const CONNECTIONS_MAX: usize = 512;

/// Headers of a request.
pub const HEADERS_MAX: usize = 64;

/// Bytes of a request's line and headers together.
pub const HEADER_BYTES_MAX: usize = 16 * 1024;

/// How long a request's headers may take to arrive; an idle connection is closed after it too.
pub const HEADER_READ_MAX: Duration = Duration::from_secs(10);

/// How long a request may take from its headers to its answer.
pub const REQUEST_MAX: Duration = Duration::from_secs(10);

/// How long connections get to end when the service stops.
pub const STOP_MAX: Duration = Duration::from_secs(3);

/// How long to wait after a connection could not be accepted (no file handles left).
const ACCEPT_PAUSE: Span = Span::from_ms(200);

/// Serves `router` on `listener` until `stop` says true, then lets open requests end for at most [`STOP_MAX`].
pub async fn serve(listener: TcpListener, router: Router, clock: Clock, mut stop: watch::Receiver<bool>) {
    let router = router.layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_MAX));
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            accepted = accept(&listener, &places) => accepted,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
        };
        match accepted {
            Ok((stream, place)) => {
                connections.spawn(connection(stream, router.clone(), stop.clone(), place));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                clock.sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    let all_ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_MAX, all_ended).await.is_err() {
        tracing::warn!("connections were cut: they did not end in time");
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Result<(TcpStream, OwnedSemaphorePermit), std::io::Error> {
    let place = Arc::clone(places).acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

async fn connection(stream: TcpStream, router: Router, mut stop: watch::Receiver<bool>, _place: OwnedSemaphorePermit) {
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_READ_MAX)
        .max_headers(HEADERS_MAX)
        .max_header_size(HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut served = pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stopped(&mut stop) => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        // The other side's doing: it went away, or spoke no HTTP.
        tracing::debug!(%error, "a connection ended badly");
    }
}

/// Ready once `stop` says true, or nobody can say it any more.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stopped| *stopped).await);
}
