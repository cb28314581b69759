//! The skin's other half: the app's long connections, as WebSockets. It carries frames; it decides nothing.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::{
    io::AsyncWriteExt,
    sync::{Notify, mpsc},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        handshake::derive_accept_key,
        protocol::{Message, Role, WebSocketConfig},
    },
};

use crate::sim::{
    http::{Now, Shared, lock, wait},
    lines::{Act, Push},
    wire::{Request, Response},
};

/// Bytes of a message that are read; a longer one ends the connection.
const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The first bytes of an unmasked binary message whose length follows in eight bytes (RFC 6455, 5.2).
const LONG_BINARY: [u8; 2] = [0x82, 127];

/// Every long connection under way.
pub(crate) struct Hub {
    platform: Shared,
    now: Now,
    bell: Arc<Notify>,
    lines: Mutex<BTreeMap<u64, Ends>>,
}

/// A line's acts on their way to its socket.
type Ends = (mpsc::UnboundedSender<Act>, Option<mpsc::UnboundedReceiver<Act>>);

/// A handshake that succeeded.
pub(crate) struct Begun {
    /// The line.
    pub(crate) line: u64,
    /// Its socket, once the answer is out.
    pub(crate) upgrade: OnUpgrade,
}

/// How a line went on after an act.
enum After {
    GoesOn,
    Ended,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").finish_non_exhaustive()
    }
}

impl Hub {
    /// A hub without lines. The platform wakes it when there is something to push.
    pub(crate) fn new(platform: Shared, now: Now) -> Arc<Self> {
        let bell = Arc::new(Notify::new());
        let rung = Arc::clone(&bell);
        lock(&platform).wake_with(Arc::new(move || rung.notify_one()));
        Arc::new(Self { platform, now, bell, lines: Mutex::default() })
    }

    /// Looks at once what is to be pushed.
    pub(crate) fn ring(&self) {
        self.bell.notify_one();
    }

    /// Lets the platform answer a request; the line, if one begins. What is pushed to it waits until it is held.
    pub(crate) fn handle(&self, request: &Request) -> (Response, Option<u64>) {
        let mut platform = lock(&self.platform);
        let response = platform.handle(request, (self.now)());
        if let Some(line) = response.line {
            let (acts, taken) = mpsc::unbounded_channel();
            self.lines().insert(line, (acts, Some(taken)));
        }
        let line = response.line;
        (response, line)
    }

    /// Pushes what is due, whenever it is.
    pub(crate) async fn push(&self) -> Infallible {
        loop {
            let (pushes, next_ms) = {
                let mut platform = lock(&self.platform);
                let now_ms = (self.now)();
                let pushes = platform.take_pushes(now_ms);
                (pushes, platform.next_push_ms().map(|at| at.saturating_sub(now_ms).max(1)))
            };
            pushes.into_iter().for_each(|push| self.send(push));
            match next_ms {
                None => self.bell.notified().await,
                Some(ms) => tokio::select! {
                    () = self.bell.notified() => {}
                    () = wait(Duration::from_millis(ms.unsigned_abs())) => {}
                },
            }
        }
    }

    /// Holds a line until it ends.
    pub(crate) async fn hold(&self, begun: Begun) {
        let Begun { line, upgrade } = begun;
        let acts = self.lines().get_mut(&line).and_then(|(_, acts)| acts.take());
        if let (Some(acts), Ok(upgraded)) = (acts, upgrade.await) {
            let config = WebSocketConfig::default()
                .max_message_size(Some(MESSAGE_BYTES_MAX))
                .max_frame_size(Some(MESSAGE_BYTES_MAX));
            let stream = TokioIo::new(upgraded);
            let socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
            self.carry(line, socket, acts).await;
        }
        self.forget(line);
    }

    /// A line has ended, or never began.
    pub(crate) fn forget(&self, line: u64) {
        self.lines().remove(&line);
        lock(&self.platform).line_ended(line);
    }

    async fn carry(
        &self,
        line: u64,
        mut socket: WebSocketStream<TokioIo<Upgraded>>,
        mut acts: mpsc::UnboundedReceiver<Act>,
    ) {
        self.ring(); // what waited for a client
        loop {
            tokio::select! {
                act = acts.recv() => {
                    let Some(act) = act else { return };
                    if !matches!(act_on(&mut socket, act).await, Ok(After::GoesOn)) {
                        return;
                    }
                }
                heard = socket.next() => match heard {
                    Some(Ok(Message::Binary(bytes))) => {
                        let push = lock(&self.platform).hear(line, &bytes, (self.now)());
                        if let Some(push) = push {
                            self.send(push);
                        }
                        // An acknowledgement may have moved what is due.
                        self.ring();
                    }
                    Some(Ok(_)) => {} // RFC 6455's own pings and closes answer themselves
                    Some(Err(_)) | None => return,
                },
            }
        }
    }

    fn send(&self, push: Push) {
        if let Some((acts, _)) = self.lines().get(&push.line) {
            // A line that ended meanwhile takes no more.
            drop(acts.send(push.act));
        }
    }

    fn lines(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Ends>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn act_on(socket: &mut WebSocketStream<TokioIo<Upgraded>>, act: Act) -> io::Result<After> {
    match act {
        Act::Frame(bytes) => {
            socket.send(Message::binary(bytes)).await.map_err(io::Error::other)?;
            Ok(After::GoesOn)
        }
        Act::Inside(bytes) => {
            let raw = socket.get_mut();
            raw.write_all(&LONG_BINARY).await?;
            raw.write_all(&(bytes.len() as u64).to_be_bytes()).await?;
            raw.write_all(bytes.get(..bytes.len() / 2).unwrap_or_default()).await?;
            raw.flush().await?;
            Ok(After::Ended)
        }
        Act::Cut => Ok(After::Ended),
        Act::Close => {
            // The client's own close may never come: it is not waited for.
            drop(socket.close(None).await);
            Ok(After::Ended)
        }
    }
}

/// The headers of a handshake that succeeds.
pub(crate) fn accepted(request: &Request) -> [(String, String); 3] {
    let key = request.header_value("Sec-WebSocket-Key").unwrap_or_default();
    let headers = [
        ("Upgrade", "websocket".to_string()),
        ("Connection", "Upgrade".to_string()),
        ("Sec-WebSocket-Accept", derive_accept_key(key.as_bytes())),
    ];
    headers.map(|(name, value)| (name.to_string(), value))
}
