//! Streams against listeners on loopback: straight, through a proxy, inside TLS.

use std::io::Write as _;

use rustls::pki_types::PrivateKeyDer;
use tempfile::NamedTempFile;
use tokio::{io::copy_bidirectional, net::TcpListener, task::JoinHandle};
use tokio_rustls::TlsAcceptor;

use super::*;

/// A name that no resolver knows: only a proxy can lead there.
const FAR: &str = "far.example";

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Greets whoever comes with `hello`; inside TLS where a key is given.
fn greet(listener: TcpListener, tls: Option<TlsAcceptor>) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            match &tls {
                None => greet_once(stream).await,
                Some(tls) => match tls.accept(stream).await {
                    Ok(stream) => greet_once(stream).await,
                    Err(_) => continue,
                },
            }
        }
    })
}

async fn greet_once(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    stream.write_all(b"hello").await.unwrap();
    stream.shutdown().await.ok();
}

/// A proxy that leads everybody to `port`, or answers what it is told to; gives what it was asked.
async fn proxy(port: u16, answer: &'static str) -> (u16, JoinHandle<String>) {
    let (listener, own) = listen().await;
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        if answer.contains(" 200 ") {
            let mut onward = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            copy_bidirectional(&mut stream, &mut onward).await.ok();
        }
        String::from_utf8(head).unwrap()
    });
    (own, asked)
}

/// A key for `name`, and a file with its certificate.
fn key(name: &str) -> (TlsAcceptor, NamedTempFile) {
    http::install_crypto();
    let key = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let private = PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], private)
        .unwrap();
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(key.cert.pem().as_bytes()).unwrap();
    (TlsAcceptor::from(Arc::new(config)), file)
}

/// Streams through a proxy; they trust the certificate in the file.
fn tunnel(proxy: Proxy, file: &NamedTempFile) -> Tunnel {
    Tunnel::new(&Config { proxy, ca_file: Some(file.path().to_owned()), ..Config::default() }).unwrap()
}

fn at(port: u16) -> Proxy {
    Proxy::Url(format!("http://user:pass@127.0.0.1:{port}").into())
}

async fn hears(tunnel: &Tunnel, to: Target<'_>) -> Result<String, Broken> {
    let mut stream = tunnel.open(to).await?;
    let mut heard = String::new();
    stream.read_to_string(&mut heard).await.ok(); // the greeter does not say goodbye
    Ok(heard)
}

#[tokio::test]
async fn a_stream_leads_straight_to_loopback() {
    let (listener, port) = listen().await;
    let _greeter = greet(listener, None);
    let (_, file) = key(FAR);
    for tunnel in [Tunnel::loopback(), tunnel(Proxy::None, &file), tunnel(at(1), &file)] {
        for host in ["127.0.0.1", "localhost"] {
            assert_eq!(hears(&tunnel, Target { host, port, secure: false }).await.unwrap(), "hello");
        }
    }
}

#[tokio::test]
async fn a_proxy_is_asked_for_the_way_and_does_not_see_inside() {
    let (listener, port) = listen().await;
    let (tls, file) = key(FAR);
    let _greeter = greet(listener, Some(tls));
    let (own, asked) = proxy(port, "HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n").await;
    let tunnel = tunnel(at(own), &file);
    assert_eq!(hears(&tunnel, Target { host: FAR, port: 443, secure: true }).await.unwrap(), "hello");
    let asked = asked.await.unwrap();
    let expected = "CONNECT far.example:443 HTTP/1.1\r\nHost: far.example:443\r\n\
                    Proxy-Authorization: Basic dXNlcjpwYXNz\r\n\r\n";
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn a_certificate_of_somebody_else_is_refused() {
    let (listener, port) = listen().await;
    let (tls, _) = key("localhost");
    let _greeter = greet(listener, Some(tls));
    let (_, other) = key("localhost");
    let refused = hears(&tunnel(Proxy::None, &other), Target { host: "localhost", port, secure: true }).await;
    assert!(refused.as_ref().is_err_and(|broken| broken.reason.starts_with("TLS: ")), "{refused:?}");
    let none = hears(&Tunnel::loopback(), Target { host: "localhost", port, secure: true }).await;
    assert!(none.is_err());
}

#[tokio::test]
async fn a_proxy_that_leads_nowhere_is_told_from_others() {
    let cases = [
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "a name and a password"),
        ("HTTP/1.0 503 No\r\n\r\n", "refuses (HTTP 503)"),
        ("SSH-2.0-OpenSSH\r\n\r\n", "no HTTP"),
        ("", "broke off"),
    ];
    let (_, file) = key(FAR);
    for (answer, part) in cases {
        let (own, _) = proxy(1, answer).await;
        let broken = hears(&tunnel(at(own), &file), Target { host: FAR, port: 443, secure: true }).await.unwrap_err();
        assert_eq!(broken.kind, BrokenKind::NotSent, "{answer:?}");
        assert!(broken.reason.contains(part), "{answer:?}: {broken}");
        assert!(!format!("{broken:?}").contains("pass@") && !broken.reason.contains(FAR), "{broken:?}");
    }
    let nobody = hears(&tunnel(at(1), &file), Target { host: FAR, port: 443, secure: true }).await.unwrap_err();
    assert!(nobody.reason.starts_with("the proxy: no connection"), "{nobody}");
    let socks = Tunnel { proxies: Some(Arc::new(Matcher::builder().all("socks5://127.0.0.1:1").build())), tls: None };
    let refused = hears(&socks, Target { host: FAR, port: 80, secure: false }).await.unwrap_err();
    assert!(refused.reason.contains("SOCKS"), "{refused}");
}

#[test]
fn hosts_are_written_as_urls_write_them() {
    for (host, expected) in [("h.example", "h.example:1"), ("::1", "[::1]:1"), ("[::1]", "[::1]:1")] {
        assert_eq!(authority(Target { host, port: 1, secure: false }), expected);
    }
}
