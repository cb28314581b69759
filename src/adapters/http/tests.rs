//! The client against a listener on loopback: proxy, certificates, limits.

use std::{io::Write as _, sync::Arc};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::{TlsAcceptor, rustls::pki_types::PrivateKeyDer};

use super::*;
use crate::adapters::yaml::parse::parse;

/// 300,000 zeros, compressed.
const BOMB: &str = "H4sIAAAAAAACA+3BAQ0AAADCoPdPbQ8HFAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                    AAAAAAAAAAAAAAAAAAAA/Bj74rL24JMEAA==";

/// Reads a request's head and answers it.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, response: &[u8]) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    stream.write_all(response).await.unwrap();
    stream.shutdown().await.unwrap();
    String::from_utf8(head).unwrap()
}

/// Asks a listener that answers once; gives what was asked and what came of it.
async fn exchange(response: Vec<u8>, bytes_max: usize) -> Result<Bytes, Broken> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { answer(listener.accept().await.unwrap().0, &response).await });
    let response = loopback_client().get(url).send().await?;
    let body = read_body(response, bytes_max).await;
    server.await.unwrap();
    body
}

fn read(yaml: &str) -> (Config, Vec<String>) {
    let mut faults = Vec::new();
    let node = parse("t.yaml", yaml, &mut faults).unwrap();
    let map = Map::of(&node, &Message::new("", ""), &mut faults).unwrap();
    let config = Config::read(map, Path::new("/etc/deskbell"), &mut faults);
    (config, faults.into_iter().map(|fault| fault.message.en).collect())
}

#[tokio::test]
async fn a_proxy_is_really_used() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://user:pass@{}", listener.local_addr().unwrap());
    let proxy = tokio::spawn(async move {
        answer(listener.accept().await.unwrap().0, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await
    });
    let config = Config { proxy: Proxy::Url(url.into()), ..Config::default() };
    let client = client_with_or_without_roots(config);
    let response = client.get("http://far.example/path").send().await.unwrap();
    assert_eq!(read_body(response, 10).await.unwrap(), "hi");
    let asked = proxy.await.unwrap();
    assert!(asked.starts_with("GET http://far.example/path HTTP/1.1"), "{asked}");
    assert!(asked.to_lowercase().contains("proxy-authorization: basic dxnlcjpwyxnz"), "{asked}");
}

/// A machine of the build may have no root certificates; one of our own stands in for them.
fn client_with_or_without_roots(mut config: Config) -> reqwest::Client {
    let key = rcgen::generate_simple_self_signed(["stand-in.example".to_owned()]).unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(key.cert.pem().as_bytes()).unwrap();
    config.ca_file = Some(file.path().to_owned());
    client(&config).unwrap()
}

#[tokio::test]
async fn a_certificate_file_is_really_used() {
    install_crypto();
    let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let private = PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap();
    let tls = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], private)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            if let Ok(stream) = acceptor.accept(stream).await {
                answer(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await;
            }
        }
    });
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(key.cert.pem().as_bytes()).unwrap();
    let config = Config { proxy: Proxy::None, ca_file: Some(file.path().to_owned()), ..Config::default() };
    let trusting = client(&config).unwrap();
    let response = trusting.get(&url).send().await.unwrap();
    assert_eq!(read_body(response, 10).await.unwrap(), "hi");

    let refused = client_with_or_without_roots(Config { proxy: Proxy::None, ..Config::default() });
    let broken = Broken::from(refused.get(&url).send().await.unwrap_err());
    assert_eq!(broken.kind, BrokenKind::NotSent);
    assert!(broken.reason.contains("certificate"), "{broken}");
}

#[test]
fn a_bad_certificate_file_is_a_fault_that_says_what_to_do() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"no certificate").unwrap();
    for (path, part) in [("/nowhere/ca.pem".into(), "cannot be read"), (file.path().to_owned(), "holds no PEM")] {
        let fault = client(&Config { ca_file: Some(path), ..Config::default() }).unwrap_err();
        assert!(fault.message.en.contains(part), "{}", fault.message);
    }
}

#[tokio::test]
async fn bodies_are_bounded_before_and_after_decompression() {
    let plain = |body: &str| format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes();
    let closed = |body: &str| format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{body}").into_bytes();
    let kind = |result: Result<Bytes, Broken>| result.map(|body| body.len()).map_err(|broken| broken.kind);
    assert_eq!(kind(exchange(plain(""), 10).await), Ok(0));
    assert_eq!(kind(exchange(plain("0123456789"), 10).await), Ok(10));
    assert_eq!(kind(exchange(plain("0123456789a"), 10).await), Err(BrokenKind::TooLarge));
    assert_eq!(kind(exchange(closed(&"x".repeat(200_000)), 200_000).await), Ok(200_000));
    assert_eq!(kind(exchange(closed(&"x".repeat(200_000)), 199_999).await), Err(BrokenKind::TooLarge));
    let bomb = BASE64_STANDARD.decode(BOMB).unwrap();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", bomb.len());
    let bomb = [head.as_bytes(), &bomb].concat();
    assert_eq!(kind(exchange(bomb.clone(), 300_000).await), Ok(300_000));
    assert_eq!(kind(exchange(bomb, 299_999).await), Err(BrokenKind::TooLarge));
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nshort".to_vec();
    assert_eq!(kind(exchange(cut, 100).await), Err(BrokenKind::CutOff));
}

#[tokio::test]
async fn redirects_are_not_followed_and_addresses_stay_out_of_errors() {
    let moved = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(exchange(moved.to_vec(), 10).await, Ok(Bytes::new()));
    let error = loopback_client().get("http://127.0.0.1:1/hook/secret-part").send().await.unwrap_err();
    let broken = Broken::from(error);
    assert_eq!(broken.kind, BrokenKind::NotSent);
    assert!(!format!("{broken} {broken:?}").contains("secret-part"));
}

#[test]
fn the_configuration_is_read_with_every_fault() {
    let (config, faults) = read("{proxy: none, ca_file: certs/ca.pem}");
    assert!(matches!(config.proxy, Proxy::None));
    assert_eq!(config.ca_file.unwrap(), Path::new("/etc/deskbell/certs/ca.pem"));
    assert!(faults.is_empty(), "{faults:?}");
    assert!(matches!(read("{proxy: system}").0.proxy, Proxy::System));
    let (config, faults) = read("{proxy: 'http://user:pass@proxy.example:3128'}");
    assert!(faults.is_empty(), "{faults:?}");
    assert!(!format!("{config:?}").contains("pass"), "{config:?}");
    for bad in ["socks5://pass@h:1", "proxy.example:3128", "ftp://pass@h"] {
        let (_, faults) = read(&format!("{{proxy: '{bad}', timeout: 3}}"));
        assert_eq!(faults.len(), 2, "{bad}: {faults:?}");
        assert!(!faults.concat().contains("pass"), "{faults:?}");
    }
}
