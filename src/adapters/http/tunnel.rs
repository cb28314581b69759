//! A bare stream to another machine, for what speaks no HTTP: through the same proxy and with the same certificates as
//! every request. No address and no password reaches an error.

use std::{fmt, io, net::SocketAddr, sync::Arc};

use hyper::{Uri, header::HeaderValue};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use rustls::{
    ClientConfig,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use secrecy::ExposeSecret;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::{
    adapters::http::{self, Broken, BrokenKind, Config, Proxy},
    domain::{fault::Fault, text::Message},
};

/// Addresses of one name that are tried.
pub const ADDRESSES_MAX: usize = 8;

/// Bytes of a proxy's answer.
pub const PROXY_ANSWER_BYTES_MAX: usize = 16 * 1024;

/// A stream that stands: plain, or inside TLS.
pub type Stream = Box<dyn Duplex>;

/// Both ways.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Where a stream leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// Name or address.
    pub host: &'a str,
    /// Port.
    pub port: u16,
    /// Whether it is inside TLS.
    pub secure: bool,
}

/// Opens streams. Clones share certificates and proxies.
#[derive(Clone)]
pub struct Tunnel {
    proxies: Option<Arc<Matcher>>,
    tls: Option<TlsConnector>,
}

impl fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tunnel")
    }
}

impl Tunnel {
    /// Streams as `http:` of the configuration says.
    ///
    /// # Errors
    /// Faults of the configuration, as for [`http::client`].
    pub fn new(config: &Config) -> Result<Self, Box<Fault>> {
        http::install_crypto();
        let proxies = match &config.proxy {
            Proxy::System => Some(Matcher::from_system()),
            Proxy::None => None,
            Proxy::Url(url) => {
                let own = ["localhost", "127.0.0.0/8", "::1"].join(",");
                Some(Matcher::builder().all(url.expose_secret()).no(own).build())
            }
        };
        Ok(Self { proxies: proxies.map(Arc::new), tls: Some(tls(config)?) })
    }

    /// Streams on loopback only (the demo, tests): no proxy, no TLS.
    pub const fn loopback() -> Self {
        Self { proxies: None, tls: None }
    }

    /// A stream to `to`. Takes at most [`http::CONNECT_TIMEOUT`] for each of its steps: the machine, the proxy, TLS.
    ///
    /// # Errors
    /// What stands in the way; nothing was sent to `to`.
    pub async fn open(&self, to: Target<'_>) -> Result<Stream, Broken> {
        let stream: Stream = match self.proxy(to)? {
            None => Box::new(connect(to.host, to.port).await?),
            Some(proxy) => self.through(&proxy, to).await?,
        };
        if to.secure { self.encrypt(stream, to.host).await } else { Ok(stream) }
    }

    /// The proxy on the way, if one is.
    fn proxy(&self, to: Target<'_>) -> Result<Option<Intercept>, Broken> {
        let Some(proxies) = &self.proxies else { return Ok(None) };
        let scheme = if to.secure { "https" } else { "http" };
        let uri: Uri = format!("{scheme}://{}/", authority(to)).parse().map_err(|_| broken("the host is no name"))?;
        Ok(proxies.intercept(&uri))
    }

    async fn through(&self, proxy: &Intercept, to: Target<'_>) -> Result<Stream, Broken> {
        let uri = proxy.uri();
        let secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(broken("the proxy speaks SOCKS; set http.proxy to an http proxy")),
        };
        let host = uri.host().unwrap_or_default();
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let tcp = connect(host, port).await.map_err(|error| broken(&format!("the proxy: {error}")))?;
        let mut stream: Stream = if secure { self.encrypt(Box::new(tcp), host).await? } else { Box::new(tcp) };
        let asked = ask_proxy(&mut stream, proxy.basic_auth(), to);
        timeout(http::CONNECT_TIMEOUT.to_std(), asked).await.map_err(|_| broken("the proxy does not answer"))??;
        Ok(stream)
    }

    async fn encrypt(&self, stream: Stream, host: &str) -> Result<Stream, Broken> {
        let tls = self.tls.as_ref().ok_or_else(|| broken("no certificates are trusted here"))?;
        let name = ServerName::try_from(bare(host).to_owned()).map_err(|_| broken("the host is no name"))?;
        let stood = timeout(http::CONNECT_TIMEOUT.to_std(), tls.connect(name, stream)).await;
        match stood {
            Ok(Ok(stream)) => Ok(Box::new(stream)),
            Ok(Err(error)) => Err(broken(&format!("TLS: {error}"))),
            Err(_) => Err(broken("TLS: no answer in time")),
        }
    }
}

/// Asks a proxy for a way through.
async fn ask_proxy(stream: &mut Stream, auth: Option<&HeaderValue>, to: Target<'_>) -> Result<(), Broken> {
    let to = authority(to);
    let mut ask = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n").into_bytes();
    if let Some(auth) = auth {
        ask.extend_from_slice(b"Proxy-Authorization: ");
        ask.extend_from_slice(auth.as_bytes());
        ask.extend_from_slice(b"\r\n");
    }
    ask.extend_from_slice(b"\r\n");
    let failed = |error: io::Error| broken(&format!("the proxy broke off: {error}"));
    stream.write_all(&ask).await.map_err(failed)?;
    stream.flush().await.map_err(failed)?;
    let mut head = Vec::with_capacity(256);
    // Byte by byte: what follows the head belongs to the other side.
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= PROXY_ANSWER_BYTES_MAX {
            return Err(broken("the proxy's answer is no HTTP"));
        }
        head.push(stream.read_u8().await.map_err(failed)?);
    }
    let first = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(first);
    let status = line.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1)?.parse::<u16>().ok());
    match status {
        Some(200..=299) => Ok(()),
        Some(407) => Err(broken("the proxy wants a name and a password (HTTP 407)")),
        Some(status) => Err(broken(&format!("the proxy refuses (HTTP {status})"))),
        None => Err(broken("the proxy's answer is no HTTP")),
    }
}

/// A connection to the first address of the host that takes one.
async fn connect(host: &str, port: u16) -> Result<TcpStream, Broken> {
    let found = timeout(http::CONNECT_TIMEOUT.to_std(), lookup_host((bare(host), port))).await;
    let addresses: Vec<SocketAddr> = match found {
        Ok(Ok(addresses)) => addresses.take(ADDRESSES_MAX).collect(),
        Ok(Err(error)) => return Err(broken(&format!("the host's address cannot be found: {error}"))),
        Err(_) => return Err(broken("the host's address is not found in time")),
    };
    let mut last = broken("the host has no address");
    for address in addresses {
        last = match timeout(http::CONNECT_TIMEOUT.to_std(), TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true).ok(); // slower without, and no worse
                return Ok(stream);
            }
            Ok(Err(error)) => broken(&format!("no connection: {error}")),
            Err(_) => broken("no connection in time"),
        };
    }
    Err(last)
}

/// Host and port; an IPv6 address in its brackets.
fn authority(to: Target<'_>) -> String {
    let host = bare(to.host);
    if host.contains(':') { format!("[{host}]:{}", to.port) } else { format!("{host}:{}", to.port) }
}

fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// The machine's certificates and those of `ca_file`, as reqwest trusts them.
fn tls(config: &Config) -> Result<TlsConnector, Box<Fault>> {
    let fault = |reason: String| {
        let message = Message::new(
            format!("无法建立 TLS（{reason}）。请安装系统根证书（ca-certificates），或设置 http.ca_file。"),
            format!(
                "TLS cannot be set up ({reason}). Install the system's root certificates (ca-certificates), or set \
                 http.ca_file."
            ),
        );
        Box::new(Fault::error(config.ca_place.clone(), message))
    };
    let extra: Vec<CertificateDer<'static>> = match &config.ca_file {
        None => Vec::new(),
        Some(path) => {
            let pem = http::read_certificates(path, &config.ca_place)?;
            CertificateDer::pem_slice_iter(&pem)
                .collect::<Result<_, _>>()
                .map_err(|error| fault(format!("ca_file: {error}")))?
        }
    };
    let provider =
        CryptoProvider::get_default().cloned().unwrap_or_else(|| Arc::new(rustls::crypto::ring::default_provider()));
    let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(extra, Arc::clone(&provider))
        .map_err(|error| fault(error.to_string()))?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| fault(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// A way that does not stand: nothing was sent.
fn broken(reason: &str) -> Broken {
    Broken { kind: BrokenKind::NotSent, reason: reason.into() }
}

#[cfg(test)]
mod tests;
