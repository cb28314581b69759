//! The thin skin: the platform on a socket. It parses, waits, drops connections; it decides nothing.

use std::{
    convert::Infallible,
    error::Error,
    fmt,
    net::SocketAddr,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::body::{Body, to_bytes};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

use crate::sim::{
    platform::Platform,
    socket::{self, Begun, Hub},
    wire::{Cut, Request},
};

/// Bytes of a request that are read; more is dropped with the connection.
const REQUEST_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Where the skin takes the time from: milliseconds since 1970.
pub type Now = Arc<dyn Fn() -> i64 + Send + Sync>;

/// A platform that several hold.
pub type Shared = Arc<Mutex<Platform>>;

/// The platform, whoever held it last.
pub fn lock(platform: &Shared) -> MutexGuard<'_, Platform> {
    platform.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A platform that listens; it stops when dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    hub: Arc<Hub>,
    task: JoinHandle<Infallible>,
}

impl Server {
    /// Serves the platform on a listener.
    ///
    /// # Errors
    /// When the listener cannot tell its address.
    pub fn start(listener: TcpListener, platform: Shared, now: Now) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let hub = Hub::new(platform, now);
        Ok(Self { address, task: tokio::spawn(accept(listener, Arc::clone(&hub))), hub })
    }

    /// The base URL to give to a client.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Looks at once what is to be pushed over long connections; for clocks that do not run by themselves.
    pub fn ring(&self) {
        self.hub.ring();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, hub: Arc<Hub>) -> Infallible {
    // The set lives in this task, so that connections end with the server.
    let mut connections = JoinSet::new();
    let mut pushing = pin!(hub.push());
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    // Small frames must not wait for the client's acknowledgement of the one before.
                    stream.set_nodelay(true).ok();
                    connections.spawn(serve(stream, Arc::clone(&hub)));
                }
            }
            Some(_) = connections.join_next() => {}
            never = &mut pushing => match never {},
        }
    }
}

async fn serve(stream: TcpStream, hub: Arc<Hub>) {
    let begun: Arc<Mutex<Option<Begun>>> = Arc::default();
    let service = service_fn(|request| answer(request, Arc::clone(&hub), Arc::clone(&begun)));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // A connection that fails is the client's to notice.
    let _ended = connection.with_upgrades().await;
    let begun = begun.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(begun) = begun {
        hub.hold(begun).await;
    }
}

/// Ends a connection without an answer.
#[derive(Debug)]
struct Dropped;

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is dropped by order")
    }
}

impl Error for Dropped {}

async fn answer(
    mut request: hyper::Request<Incoming>,
    hub: Arc<Hub>,
    begun: Arc<Mutex<Option<Begun>>>,
) -> Result<hyper::Response<Body>, Dropped> {
    let upgrade = hyper::upgrade::on(&mut request);
    let (head, body) = request.into_parts();
    let body = to_bytes(Body::new(body), REQUEST_BYTES_MAX).await.map_err(|_| Dropped)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let request = Request {
        method: head.method.to_string(),
        path: head.uri.path().to_string(),
        query: pairs(head.uri.query().unwrap_or_default()),
        headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect(),
        body: body.to_vec(),
    };
    let (mut response, line) = hub.handle(&request);
    if response.delay_ms > 0 {
        wait(Duration::from_millis(response.delay_ms.unsigned_abs())).await;
    }
    if response.cut != Cut::None {
        line.into_iter().for_each(|line| hub.forget(line));
        return Err(Dropped);
    }
    if let Some(line) = line {
        response.headers.extend(socket::accepted(&request));
        *begun.lock().unwrap_or_else(PoisonError::into_inner) = Some(Begun { line, upgrade });
    }
    let mut out = hyper::Response::builder().status(response.status);
    for (name, value) in &response.headers {
        out = out.header(name, value);
    }
    out.body(Body::from(response.body)).map_err(|_| Dropped)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the simulator stands beside the clock's floor; a paused runtime moves it"
)]
pub(crate) async fn wait(time: Duration) {
    tokio::time::sleep(time).await;
}

/// The pairs of a query, decoded.
fn pairs(query: &str) -> Vec<(String, String)> {
    let url = format!("http://x/?{query}");
    reqwest::Url::parse(&url).map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default()
}

/// Posts every delivery that is due to the app's address and settles it; how many there were. The client's timeout
/// should be three seconds, the platform's own patience.
pub async fn deliver_due(platform: &Shared, now: &Now, client: &reqwest::Client, url: &str) -> usize {
    let due = lock(platform).take_deliveries(now());
    let count = due.len();
    for delivery in due {
        let status = post(client, url, &delivery.headers, delivery.body).await.map(|(status, _)| status);
        lock(platform).settle_delivery(delivery.number, status, now());
    }
    count
}

/// Posts one body; status and text of the answer, none without an answer.
pub async fn post(
    client: &reqwest::Client,
    url: &str,
    headers: &[(String, String)],
    body: String,
) -> Option<(u16, String)> {
    let mut request = client.post(url).body(body);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let response = request.send().await.ok()?;
    let status = response.status().as_u16();
    Some((status, response.text().await.ok()?))
}
