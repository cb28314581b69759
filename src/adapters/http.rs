//! The way out to the network: one client with proxy, certificates, timeouts and bounded answers. It knows no remote,
//! and never follows a redirect.

use std::{
    error::Error as _,
    fmt,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use chrono::DateTime;
use reqwest::{
    Url,
    header::{HeaderMap, HeaderValue, RETRY_AFTER},
};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    adapters::yaml::map::Map,
    domain::{
        fault::{Fault, Place},
        text::Message,
        time::{Span, Timestamp},
    },
};

pub mod tunnel;

/// How long a connection may take to stand, TLS included.
pub const CONNECT_TIMEOUT: Span = Span::from_secs(5);

/// How long the other side may be silent in the middle of an answer.
pub const SILENCE_TIMEOUT: Span = Span::from_secs(15);

/// How long a request may take from first to last byte.
pub const REQUEST_TIMEOUT: Span = Span::from_secs(30);

/// Bytes a `ca_file` may have.
pub const CA_FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The longest wait another side is believed to ask for.
pub const RETRY_AFTER_MAX: Span = Span::from_hours(1);

/// Room made for an answer before it arrives, at most; a promised length is a claim.
const BODY_BYTES_RESERVED_MAX: u64 = 1024 * 1024;

/// Which proxy requests go through.
#[derive(Clone, Debug, Default)]
pub enum Proxy {
    /// The one the environment names (`HTTPS_PROXY`, `NO_PROXY`).
    #[default]
    System,
    /// None.
    None,
    /// This one, for everything but loopback. It may carry a password.
    Url(SecretString),
}

/// `http:` of the configuration.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Which proxy.
    pub proxy: Proxy,
    /// Certificates trusted besides the platform's, as PEM.
    pub ca_file: Option<PathBuf>,
    /// Where `ca_file` is written, for faults.
    pub ca_place: Place,
}

impl Config {
    /// Reads `http:`; relative paths start at `base`. The mapping may hold nothing else.
    pub fn read(mut map: Map<'_>, base: &Path, faults: &mut Vec<Fault>) -> Self {
        let mut config = Self { ca_place: map.place().clone(), ..Self::default() };
        if let Some((text, place)) = map.text("proxy", faults) {
            config.proxy = match text.trim() {
                "system" => Proxy::System,
                "none" => Proxy::None,
                url => Proxy::Url(SecretString::from(url.to_owned())),
            };
            if let Proxy::Url(url) = &config.proxy
                && let Err(message) = check_proxy(url)
            {
                faults.push(Fault::error(place, message));
            }
        }
        if let Some((path, place)) = map.text("ca_file", faults) {
            config.ca_file = Some(base.join(path));
            config.ca_place = place;
        }
        map.finish(&[], faults);
        config
    }
}

/// A client for everything that is not a secret of one remote. Errors are faults of the configuration: a certificate
/// file that cannot be read, a machine without root certificates.
pub fn client(config: &Config) -> Result<reqwest::Client, Box<Fault>> {
    install_crypto();
    let mut builder = usual();
    builder = match &config.proxy {
        Proxy::System => builder,
        Proxy::None => builder.no_proxy(),
        Proxy::Url(url) => builder.no_proxy().proxy(proxy_at(url)?),
    };
    if let Some(path) = &config.ca_file {
        builder = builder.tls_certs_merge(certificates(path, &config.ca_place)?);
    }
    builder.build().map_err(|error| {
        let reason = chain(&error);
        let message = Message::new(
            format!("无法建立 HTTPS 客户端（{reason}）。请安装系统根证书（ca-certificates），或设置 http.ca_file。"),
            format!(
                "the HTTPS client cannot be made ({reason}). Install the system's root certificates \
                 (ca-certificates), or set http.ca_file."
            ),
        );
        Box::new(Fault::error(config.ca_place.clone(), message))
    })
}

/// A client for loopback only (the demo, tests): it uses no proxy and trusts no certificate.
pub fn loopback_client() -> reqwest::Client {
    install_crypto();
    let builder = usual().no_proxy().tls_certs_only([]);
    builder.build().expect("a client without proxy and certificates needs nothing of the machine")
}

fn usual() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("deskbell/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT.to_std())
        .read_timeout(SILENCE_TIMEOUT.to_std())
        .timeout(REQUEST_TIMEOUT.to_std())
        .tcp_keepalive(Duration::from_secs(30))
}

/// Says once for the process which cryptography TLS uses. A second call changes nothing.
pub fn install_crypto() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Losing the race against another thread means that the same provider is installed.
        drop(rustls::crypto::ring::default_provider().install_default());
    }
}

/// Checks a proxy's address: http or https, with a host.
pub fn check_proxy(url: &SecretString) -> Result<(), Message> {
    let scheme_known = reqwest::Url::parse(url.expose_secret())
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some());
    if scheme_known {
        return Ok(());
    }
    Err(Message::new(
        "proxy 应为 system、none，或形如 http://主机:端口 的地址",
        "proxy is system, none, or an address like http://host:port",
    ))
}

fn proxy_at(url: &SecretString) -> Result<reqwest::Proxy, Box<Fault>> {
    let fault = |message| Box::new(Fault::error(Place::default(), message));
    check_proxy(url).map_err(fault)?;
    let proxy = reqwest::Proxy::all(url.expose_secret()).map_err(|_| {
        fault(Message::new("proxy 地址无法使用", "the proxy's address cannot be used")) // the cause may quote a password
    })?;
    Ok(proxy.no_proxy(reqwest::NoProxy::from_string("localhost,127.0.0.0/8,::1")))
}

/// What stands in a certificate file: at most [`CA_FILE_BYTES_MAX`].
fn read_certificates(path: &Path, place: &Place) -> Result<Vec<u8>, Box<Fault>> {
    let shown = path.display();
    let fault = |zh: String, en: String| Box::new(Fault::error(place.clone(), Message::new(zh, en)));
    let read = std::fs::metadata(path).and_then(|meta| match meta.len() {
        0..=CA_FILE_BYTES_MAX => std::fs::read(path),
        _ => Err(std::io::Error::other("larger than 1 MiB")),
    });
    read.map_err(|error| {
        fault(
            format!("读不了 ca_file {shown}：{error}。请检查路径和权限。"),
            format!("ca_file {shown} cannot be read: {error}. Check the path and the permissions."),
        )
    })
}

fn certificates(path: &Path, place: &Place) -> Result<Vec<reqwest::Certificate>, Box<Fault>> {
    let pem = read_certificates(path, place)?;
    let shown = path.display();
    let found = reqwest::Certificate::from_pem_bundle(&pem).ok().filter(|found| !found.is_empty());
    found.ok_or_else(|| {
        let fault = |zh, en| Box::new(Fault::error(place.clone(), Message::new(zh, en)));
        fault(
            format!("ca_file {shown} 里没有 PEM 证书（-----BEGIN CERTIFICATE-----）。"),
            format!("ca_file {shown} holds no PEM certificate (-----BEGIN CERTIFICATE-----)."),
        )
    })
}

/// An http(s) address that sends no secret in the clear: plain http on loopback only. The message shows `example` and
/// never repeats the address.
///
/// # Errors
/// What is wrong with it, for people.
pub fn checked_url(text: &str, example: &str) -> Result<Url, Message> {
    let url = Url::parse(text.trim())
        .ok()
        .filter(Url::has_host)
        .ok_or_else(|| Message::new(format!("地址应形如 {example}"), format!("an address looks like {example}")))?;
    let loopback = is_loopback(&url);
    match url.scheme() {
        "https" => Ok(url),
        "http" if loopback => Ok(url),
        _ => Err(Message::new(
            "地址必须是 https://（只有本机回环地址可以用 http://），否则密钥会以明文发送",
            "an address must be https:// (plain http:// only on loopback), or secrets would travel in the clear",
        )),
    }
}

/// Whether an address is this machine's own.
pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// How long `Retry-After` asks to wait: seconds, or an instant. At most [`RETRY_AFTER_MAX`].
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Span> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<f64>() {
        Ok(seconds) => seconds_of(seconds)?,
        Err(_) => {
            let at = DateTime::parse_from_rfc2822(text).ok()?;
            Timestamp::from_ms(at.timestamp_millis()).since(now)
        }
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

/// A number of seconds that a header holds, rounded up to milliseconds; nothing for one that is no wait.
#[expect(clippy::cast_possible_truncation, reason = "bounded")]
pub fn seconds_of(seconds: f64) -> Option<Span> {
    let most = RETRY_AFTER_MAX.as_ms() as f64;
    (seconds.is_finite() && seconds >= 0.0).then(|| Span::from_ms((seconds * 1_000.0).ceil().min(most) as i64))
}

/// A header value that no debug output shows. What cannot stand in a header is left out, and the other side refuses.
pub fn hidden(secret: &SecretString) -> HeaderValue {
    let mut value =
        HeaderValue::from_str(secret.expose_secret()).unwrap_or_else(|_| HeaderValue::from_static("invalid"));
    value.set_sensitive(true);
    value
}

/// How an exchange broke off, free of addresses and secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// What that means for the request.
    pub kind: BrokenKind,
    /// What happened, for logs.
    pub reason: Arc<str>,
}

/// What a broken exchange means for the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokenKind {
    /// It never left: no connection stood.
    NotSent,
    /// It may have arrived, and no answer came in time.
    TimedOut,
    /// It may have arrived, and the answer broke off.
    CutOff,
    /// It arrived, and the answer is larger than allowed.
    TooLarge,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl From<reqwest::Error> for Broken {
    /// Tells a request that never left from one that may have arrived. The address stays out: it may be a secret.
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let kind = if error.is_connect() || error.is_builder() {
            BrokenKind::NotSent
        } else if error.is_timeout() {
            BrokenKind::TimedOut
        } else {
            BrokenKind::CutOff
        };
        Self { kind, reason: chain(&error).into() }
    }
}

/// The whole body, if it is at most `bytes_max` long after decompression. Nothing beyond that is kept in memory.
pub async fn read_body(mut response: reqwest::Response, bytes_max: usize) -> Result<Bytes, Broken> {
    let too_large = || Broken {
        kind: BrokenKind::TooLarge,
        reason: format!("the answer is larger than {} KiB", bytes_max / 1024).into(),
    };
    let promised = response.content_length().unwrap_or(0);
    if usize::try_from(promised).map_or(true, |promised| promised > bytes_max) {
        return Err(too_large());
    }
    let Some(first) = response.chunk().await? else { return Ok(Bytes::new()) };
    if first.len() > bytes_max {
        return Err(too_large());
    }
    let Some(second) = response.chunk().await? else { return Ok(first) };
    let room = usize::try_from(promised.min(BODY_BYTES_RESERVED_MAX)).unwrap_or(0);
    let mut body = BytesMut::with_capacity(room.max(first.len() + second.len()));
    body.extend_from_slice(&first);
    let mut next = Some(second);
    while let Some(chunk) = next {
        if chunk.len() > bytes_max - body.len() {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
        next = response.chunk().await?;
    }
    Ok(body.freeze())
}

/// An error and what caused it, in one line.
fn chain(error: &reqwest::Error) -> String {
    let mut out = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let text = next.to_string();
        if !out.contains(&text) {
            out.push_str(": ");
            out.push_str(&text);
        }
        cause = next.source();
    }
    out
}

#[cfg(test)]
mod tests;
