//! From an address to a connection that stands: a stream, through the proxy where there is one, and the WebSocket's
//! handshake (`facts/feishu.md §6.2`).

use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{self, protocol::WebSocketConfig},
};

use crate::{
    adapters::{
        feishu::{
            error::{Advice, Details, Endpoint, Error},
            long_connection::{address::Address, frame::FRAME_BYTES_MAX},
            table::{self, Body},
            wire,
        },
        http::tunnel::{Stream, Target, Tunnel},
        secret,
    },
    domain::time::Span,
};

/// How long the handshake may take.
pub const HANDSHAKE_MAX: Span = Span::from_secs(10);

/// Characters kept of what the other side says.
const SAID_CHARS_MAX: usize = 200;

/// A connection.
pub type Socket = WebSocketStream<Stream>;

/// Dials the address.
///
/// # Errors
/// What stands in the way. Nothing in it shows the address.
pub async fn dial(tunnel: &Tunnel, address: &Address) -> Result<Socket, Error> {
    let local = |said: &str| Error::local(Endpoint::LongConnection, Advice::Retry, said);
    let url = address.parsed().ok_or_else(|| local("the address is none"))?;
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return Err(local("the address is none"));
    };
    let stream = tunnel.open(Target { host, port, secure: url.scheme() == "wss" }).await;
    let stream = stream.map_err(|broken| broken_off(address, &broken.to_string()))?;
    let limits = WebSocketConfig::default()
        .read_buffer_size(16 * 1024)
        .write_buffer_size(0)
        .max_message_size(Some(FRAME_BYTES_MAX))
        .max_frame_size(Some(FRAME_BYTES_MAX));
    let shaking = client_async_with_config(address.url.expose_secret(), stream, Some(limits));
    match timeout(HANDSHAKE_MAX.to_std(), shaking).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(tungstenite::Error::Http(response))) => Err(refused(address, &response)),
        Ok(Err(error)) => Err(broken_off(address, &error.to_string())),
        Err(_) => Err(local("the handshake is not answered in time")),
    }
}

/// What a connection that broke off says, without the address.
pub(super) fn broken_off(address: &Address, said: &str) -> Error {
    Error::local(Endpoint::LongConnection, Advice::Retry, shown(address, said))
}

fn shown(address: &Address, said: &str) -> String {
    let secrets = address.secrets();
    let secrets: Vec<&SecretString> = secrets.iter().collect();
    wire::tidy(&secret::scrub(said, &secrets), SAID_CHARS_MAX)
}

/// A handshake that was answered with anything but a connection.
fn refused<T>(address: &Address, response: &tungstenite::http::Response<T>) -> Error {
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let number = |name: &str| header(name).and_then(|text| text.trim().parse::<i64>().ok());
    let said = shown(address, header("Handshake-Msg").unwrap_or_default());
    let status = response.status().as_u16();
    // Behind 514 stands a second number that says more.
    let code = match number("Handshake-Status") {
        Some(514) => number("Handshake-Autherrcode").filter(|code| *code != 0).or(Some(514)),
        other => other,
    };
    let details = Details { said, ..Details::default() };
    let mut error = match code {
        Some(code) => Error::coded(Endpoint::LongConnection, status, code, details),
        None => Error::uncoded(Endpoint::LongConnection, status, Body::Other, details.said),
    };
    // Of the handshake, other than of the address, whatever is not known is tried again.
    if code.is_some_and(|code| table::advice(Endpoint::LongConnection, code, "").is_none()) {
        error.advice = Advice::Retry;
    }
    error.log_id = wire::log_id(response.headers());
    error
}

#[cfg(test)]
mod tests;
