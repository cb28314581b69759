//! Handshakes with a server that says yes, no, or nothing.

use std::{io::Write as _, sync::Arc};

use futures_util::{SinkExt as _, StreamExt as _};
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::{accept_async, tungstenite::Message};

use super::*;
use crate::adapters::http;

async fn listen() -> (TcpListener, Address) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (
        listener,
        address(&format!(
            "ws://127.0.0.1:{port}/ws/v2?device_id=7&service_id=1&access_key=k-key-k-key&ticket=t-ticket-t"
        )),
    )
}

fn address(url: &str) -> Address {
    let found = Address::read(&json!({ "URL": url, "ClientConfig": Value::Null }));
    found.unwrap()
}

/// What comes of a handshake that is answered so.
async fn answered(head: &str) -> Error {
    let (listener, address) = listen().await;
    let head = format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\n\r\n");
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            asked.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.shutdown().await.ok();
    });
    let error = dial(&Tunnel::loopback(), &address).await.err().unwrap();
    let shown = format!("{error} {error:?} {}", error.message());
    assert!(!shown.contains("k-key-k-key") && !shown.contains("t-ticket-t"), "{shown}");
    error
}

#[tokio::test]
async fn a_connection_stands_and_carries_bytes() {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = accept_async(stream).await.unwrap();
        socket.send(Message::binary(b"\x08\x07".to_vec())).await.unwrap();
    });
    let mut socket = dial(&Tunnel::loopback(), &address).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::binary(b"\x08\x07".to_vec()));
}

/// A proxy that leads the first who asks to `port`, whatever they ask for; gives what it was asked.
async fn proxy(port: u16) -> (u16, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = listener.local_addr().unwrap().port();
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let mut onward = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        tokio::spawn(async move { copy_bidirectional(&mut stream, &mut onward).await.ok() });
        String::from_utf8(head).unwrap()
    });
    (own, asked)
}

#[tokio::test]
async fn a_connection_goes_through_the_proxy_with_the_certificates_of_the_configuration() {
    http::install_crypto();
    let key = rcgen::generate_simple_self_signed(["frontier.example".to_owned()]).unwrap();
    let private = PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap();
    let tls = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], private)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (own, asked) = proxy(listener.local_addr().unwrap().port()).await;
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = accept_async(acceptor.accept(stream).await.unwrap()).await.unwrap();
        socket.send(Message::binary(b"inside".to_vec())).await.unwrap();
    });
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(key.cert.pem().as_bytes()).unwrap();
    let config = http::Config {
        proxy: http::Proxy::Url(format!("http://127.0.0.1:{own}").into()),
        ca_file: Some(file.path().to_owned()),
        ..http::Config::default()
    };
    let far = address("wss://frontier.example/ws/v2?service_id=1&access_key=k-key-k-key&ticket=t-ticket-t");
    let mut socket = dial(&Tunnel::new(&config).unwrap(), &far).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::binary(b"inside".to_vec()));
    let asked = asked.await.unwrap();
    assert_eq!(asked, "CONNECT frontier.example:443 HTTP/1.1\r\nHost: frontier.example:443\r\n\r\n");
}

#[tokio::test]
async fn a_refusal_says_what_the_caller_may_do() {
    let limit = "Handshake-Status: 514\r\nHandshake-Autherrcode: 1000040350\r\nHandshake-Msg: too many";
    let cases = [
        (format!("200 OK\r\n{limit}"), Advice::SlowDown, Some(1_000_040_350)),
        (format!("403 Forbidden\r\n{limit}"), Advice::SlowDown, Some(1_000_040_350)),
        ("200 OK\r\nHandshake-Status: 514\r\nHandshake-Msg: auth".to_owned(), Advice::SetUp, Some(514)),
        ("200 OK\r\nHandshake-Status: 514\r\nHandshake-Autherrcode: 0".to_owned(), Advice::SetUp, Some(514)),
        (
            "403 Forbidden\r\nHandshake-Status: 403\r\nhandshake-msg: ticket t-ticket-t k-key-k-key".to_owned(),
            Advice::SetUp,
            Some(403),
        ),
        ("200 OK\r\nHandshake-Status: 500".to_owned(), Advice::Retry, Some(500)),
        ("502 Bad Gateway".to_owned(), Advice::Retry, None),
        ("200 OK".to_owned(), Advice::Retry, None),
    ];
    for (head, advice, code) in cases {
        let error = answered(&head).await;
        assert_eq!((error.advice, error.code), (advice, code), "{head}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_not_waited_for() {
    let (_listener, silent) = listen().await;
    let error = dial(&Tunnel::loopback(), &silent).await.err().unwrap();
    assert!(error.advice == Advice::Retry && error.said().contains("in time"), "{error}");
    let nobody =
        dial(&Tunnel::loopback(), &address("ws://127.0.0.1:1/?service_id=1&ticket=t-ticket-t")).await.err().unwrap();
    assert!(nobody.said().contains("no connection"), "{nobody}");
}
