//! The connection as a task: opens it, keeps it, hands on what it brings, sends back what became of that, and opens it
//! anew. All waiting is on the clock; chance comes from outside (`facts/feishu.md §6`).

use std::{fmt, pin::Pin, sync::Arc};

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{sync::watch, task::JoinSet, time::timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    adapters::{
        clock::Clock,
        feishu::{
            client::Client,
            error::{Advice, Endpoint, Error},
            long_connection::{
                address::Address,
                dial::{self, Socket},
                frame::{Ack, Frame},
                retry::Retry,
                session::{Delivery, Odd, Session, Step},
                settings::Settings,
                standing::{Standing, State, Watched},
            },
        },
        http::tunnel::Tunnel,
    },
    domain::time::{Span, Timestamp},
};

/// Takes an event's JSON that came right now; ready with its answer well within [`ACK_MAX`].
pub type Handle = Arc<dyn Fn(Bytes) -> Pin<Box<dyn Future<Output = Ack> + Send>> + Send + Sync>;

/// Draws a number in 0..1.
pub type Draw = Arc<dyn Fn() -> f64 + Send + Sync>;

/// Events in work at once; of more the platform is told that they failed, and sends them again.
pub const EVENTS_AT_ONCE_MAX: usize = 256;

/// How long the platform waits for an acknowledgement (`facts/feishu.md §6.6`).
pub const ACK_MAX: Span = Span::from_secs(3);

/// How long a frame may take to be written.
pub const WRITE_MAX: Span = Span::from_secs(5);

/// How long what is in work is heard out at a stop.
pub const STOP_MAX: Span = Span::from_secs(3);

/// How long saying goodbye may take.
const GOODBYE_MAX: Span = Span::from_secs(1);

/// What is odd is logged at most this often.
const ODD_LOG_EVERY: Span = Span::from_mins(1);

/// What a connection needs.
#[derive(Clone)]
pub struct Means {
    /// The app: it asks where the connection leads.
    pub client: Client,
    /// The way there.
    pub tunnel: Tunnel,
    /// The time.
    pub clock: Clock,
    /// Chance.
    pub draw: Draw,
    /// Takes what comes.
    pub handle: Handle,
}

impl fmt::Debug for Means {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Means")
    }
}

/// A connection that is kept up.
#[derive(Debug)]
pub struct LongConnection {
    means: Means,
    standing: watch::Sender<Standing>,
    settings: Settings,
    retry: Retry,
    odd_logged_at: Timestamp,
}

/// Why a connection that stood does not any more.
enum Over {
    Stopped,
    Lost(Error),
}

impl LongConnection {
    /// A connection, and how it stands. Nothing is opened before [`LongConnection::run`].
    pub fn new(means: Means) -> (Self, Watched) {
        let (standing, watched) = watch::channel(Standing::new(means.clock.now()));
        let (settings, retry) = (Settings::default(), Retry::default());
        (Self { means, standing, settings, retry, odd_logged_at: Timestamp::MIN }, watched)
    }

    /// Opens the connection and keeps it up until told to stop.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        loop {
            let opened = tokio::select! {
                biased;
                () = stopped(&mut stop) => break,
                opened = self.open() => opened,
            };
            let wait = match opened {
                Ok((socket, address)) => match self.keep(socket, &address, &mut stop).await {
                    Over::Stopped => break,
                    Over::Lost(error) => self.lost(error),
                },
                Err(error) => self.failed(error),
            };
            let until = self.now().plus(wait);
            self.show(|standing| standing.state = State::Waiting { until });
            tokio::select! {
                biased;
                () = stopped(&mut stop) => break,
                () = self.means.clock.sleep_until(until) => {}
            }
            self.show(|standing| standing.state = State::Opening);
        }
        self.show(|standing| standing.state = State::Ended);
    }

    fn now(&self) -> Timestamp {
        self.means.clock.now()
    }

    fn show(&self, change: impl FnOnce(&mut Standing)) {
        self.standing.send_modify(change);
    }

    async fn open(&self) -> Result<(Socket, Address), Error> {
        let address = self.means.client.long_connection().await?;
        let socket = dial::dial(&self.means.tunnel, &address).await?;
        Ok((socket, address))
    }

    fn failed(&mut self, error: Error) -> Span {
        let wait = self.retry.failed(error.advice, &self.settings, (self.means.draw)());
        let (failures, seconds) = (self.retry.failures(), wait.as_secs());
        tracing::debug!(%error, failures, seconds, "the long connection could not be opened; it is tried again");
        self.show(|standing| {
            standing.failures = failures;
            standing.error = Some(error);
        });
        wait
    }

    fn lost(&mut self, error: Error) -> Span {
        let now = self.now();
        let stood = now.since(self.standing.borrow().since);
        let wait = self.retry.lost(stood, &self.settings, (self.means.draw)());
        let (stood, seconds) = (stood.as_secs(), wait.as_secs());
        tracing::debug!(%error, stood, seconds, "the long connection was lost; it is opened anew");
        let failures = self.retry.failures();
        self.show(|standing| {
            standing.since = now;
            standing.failures = failures;
            standing.error = Some(error);
        });
        wait
    }

    /// Keeps a connection up for as long as it stands.
    async fn keep(&mut self, mut socket: Socket, address: &Address, stop: &mut watch::Receiver<bool>) -> Over {
        let now = self.now();
        self.settings = address.settings(self.settings);
        tracing::debug!(device = %address.device, "the long connection stands");
        self.show(|standing| {
            standing.state = State::Up;
            standing.since = now;
            standing.device.clone_from(&address.device);
            standing.connects += 1;
            standing.pong_at = None;
        });
        let (mut session, first) = Session::open(address.service, self.settings, now);
        let mut work = JoinSet::new();
        let mut steps = first;
        let over = loop {
            if let Err(over) = self.carry_out(&mut socket, steps, &mut work, address).await {
                break over;
            }
            self.settings = session.settings();
            steps = tokio::select! {
                biased;
                () = stopped(stop) => break Over::Stopped,
                Some(done) = work.join_next(), if !work.is_empty() => self.answered(done),
                message = socket.next() => match self.received(&mut session, message, address) {
                    Ok(steps) => steps,
                    Err(error) => break Over::Lost(error),
                },
                () = self.means.clock.sleep_until(session.due()) => session.tick(self.now()),
            };
        };
        let dropped = session.dropped();
        self.show(|standing| standing.counts.odd += dropped);
        match &over {
            Over::Stopped => self.end(&mut socket, work).await,
            // What is in work goes on: it is durable or not, and comes again where nobody acknowledged it.
            Over::Lost(_) => work.detach_all(),
        }
        over
    }

    /// What a message of the other side means.
    fn received(
        &self,
        session: &mut Session,
        message: Option<Result<Message, tokio_tungstenite::tungstenite::Error>>,
        address: &Address,
    ) -> Result<Vec<Step>, Error> {
        match message {
            Some(Ok(Message::Binary(bytes))) => Ok(session.receive(&bytes, self.now())),
            // Pings of the WebSocket itself are answered below; text is no frame.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Text(_) | Message::Frame(_))) => Ok(Vec::new()),
            Some(Ok(Message::Close(reason))) => {
                let said = reason.map_or_else(String::new, |reason| format!(": {} {}", reason.code, reason.reason));
                Err(dial::broken_off(address, &format!("the platform closed the connection{said}")))
            }
            Some(Err(error)) => Err(dial::broken_off(address, &error.to_string())),
            None => Err(dial::broken_off(address, "the connection broke off")),
        }
    }

    async fn carry_out(
        &mut self,
        socket: &mut Socket,
        steps: Vec<Step>,
        work: &mut JoinSet<(Frame, bool)>,
        address: &Address,
    ) -> Result<(), Over> {
        for step in steps {
            match step {
                Step::Send(frame) => self.send(socket, &frame, address).await.map_err(Over::Lost)?,
                Step::Take(delivery) if work.len() >= EVENTS_AT_ONCE_MAX => {
                    self.show(|standing| standing.counts.refused += 1);
                    let full = delivery.frame.acked(&Ack::Failed, Span::ZERO);
                    self.send(socket, &full, address).await.map_err(Over::Lost)?;
                }
                Step::Take(delivery) => {
                    work.spawn(take(self.means.clone(), delivery, self.now()));
                }
                Step::Alive => {
                    let now = self.now();
                    self.show(|standing| standing.pong_at = Some(now));
                }
                Step::Odd(odd) => self.odd(odd),
                Step::Dead => {
                    let said = "the platform does not answer pings any more";
                    return Err(Over::Lost(Error::local(Endpoint::LongConnection, Advice::Retry, said)));
                }
            }
        }
        Ok(())
    }

    async fn send(&self, socket: &mut Socket, frame: &Frame, address: &Address) -> Result<(), Error> {
        let sent = timeout(WRITE_MAX.to_std(), socket.send(Message::Binary(frame.bytes()))).await;
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(dial::broken_off(address, &error.to_string())),
            Err(_) => Err(dial::broken_off(address, "the platform does not read what it is sent")),
        }
    }

    /// The answer to an event, to be sent.
    fn answered(&self, done: Result<(Frame, bool), tokio::task::JoinError>) -> Vec<Step> {
        match done {
            Ok((frame, taken)) => {
                self.show(|standing| match taken {
                    true => standing.counts.taken += 1,
                    false => standing.counts.refused += 1,
                });
                vec![Step::Send(frame)]
            }
            Err(error) => {
                tracing::error!(%error, "an event's handling broke off; the platform will send it again");
                Vec::new()
            }
        }
    }

    fn odd(&mut self, odd: Odd) {
        self.show(|standing| standing.counts.odd += 1);
        let now = self.now();
        if now.since(self.odd_logged_at) >= ODD_LOG_EVERY {
            self.odd_logged_at = now;
            tracing::warn!(
                reason = odd.words(),
                "a frame was set aside (further ones within a minute are only counted)"
            );
        }
    }

    /// Hears out what is in work, answers it, and says goodbye.
    async fn end(&self, socket: &mut Socket, mut work: JoinSet<(Frame, bool)>) {
        let heard_out = async {
            while let Some(done) = work.join_next().await {
                for step in self.answered(done) {
                    if let Step::Send(frame) = step
                        && socket.send(Message::Binary(frame.bytes())).await.is_err()
                    {
                        return;
                    }
                }
            }
        };
        if timeout(STOP_MAX.to_std(), heard_out).await.is_err() {
            tracing::warn!("events were left without an answer at the stop; the platform will send them again");
        }
        drop(timeout(GOODBYE_MAX.to_std(), socket.close(None)).await); // it ends either way
    }
}

/// Takes one event; ready with the frame to send back, and whether it was taken.
async fn take(means: Means, delivery: Delivery, came_at: Timestamp) -> (Frame, bool) {
    let Delivery { frame, body } = delivery;
    let ack = (means.handle)(body).await;
    let took = means.clock.now().since(came_at);
    if took > ACK_MAX {
        tracing::warn!(ms = took.as_ms(), "an event was answered too late; the platform will send it again");
    }
    (frame.acked(&ack, took), ack != Ack::Failed)
}

/// Ready once `stop` says true, or nobody can say it any more.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stopped| *stopped).await);
}

#[cfg(test)]
mod tests;
