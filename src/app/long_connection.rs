//! The long connection wired to the engine: what it brings is taken as callbacks are, and operations hears when it is down
//! for long. Nothing is decided here.

use std::sync::Arc;

use tokio::{sync::watch, task::JoinSet};

use crate::{
    adapters::{
        clock::Clock,
        feishu::{
            client::Client,
            event::EventReader,
            long_connection::{
                connection::{Handle, LongConnection, Means},
                frame::Ack,
                standing::{Counts, Standing, State, Watched},
            },
        },
        http::tunnel::Tunnel,
    },
    app::config::setup::Setup,
    domain::{
        text::Message,
        time::{Span, Timestamp},
    },
    engine::{
        incoming::{Fate, Reception, Taken},
        port::Port,
    },
    web::status::LongConnectionStatus,
};

/// The connection may be down for so long before operations hears of it.
pub const DOWN_TOLD_AFTER: Span = Span::from_mins(5);

/// What operations are told by.
const TROUBLE: &str = "long_connection";

/// What they are told by that it is over.
const BACK: &str = "long_connection_back";

/// What the connection is wired to.
pub struct Wiring {
    /// The app.
    pub client: Client,
    /// The way out.
    pub tunnel: Tunnel,
    /// Reads events.
    pub events: EventReader,
    /// Takes them.
    pub reception: Reception,
    /// Whom operations' troubles are told through.
    pub port: Port,
    /// Whether events arrive over HTTP, too.
    pub over_http: bool,
}

/// Holds a connection until told to stop; gives how it stands.
pub fn start(tasks: &mut JoinSet<()>, wiring: Wiring, clock: &Clock, stopping: &watch::Receiver<bool>) -> Watched {
    let Wiring { client, tunnel, events, reception, port, over_http } = wiring;
    let (connection, watched) = connection(client, tunnel, clock, handle(events, reception));
    tasks.spawn(connection.run(stopping.clone()));
    tasks.spawn(log(watched.clone()));
    tasks.spawn(watch(watched.clone(), port, clock.clone(), over_http, stopping.clone()));
    watched
}

/// The way out for the connection; none where none is wanted.
///
/// # Errors
/// What stands in the way, for people.
pub fn tunnel(setup: &Setup, wanted: bool) -> Result<Option<Tunnel>, Message> {
    if !wanted || !setup.feishu.events.long_connection {
        return Ok(None);
    }
    Tunnel::new(&setup.http).map(Some).map_err(|fault| fault.message)
}

/// What takes events for an engine.
pub fn handle(events: EventReader, reception: Reception) -> Handle {
    Arc::new(move |body| {
        let (events, reception) = (events.clone(), reception.clone());
        Box::pin(async move {
            let now = reception.clock.now();
            let Some(event) = events.read_bytes(&body, now) else {
                tracing::warn!("an event that is no JSON came over the long connection");
                return Ack::Failed;
            };
            match reception.take(event, now).await {
                Taken { answer: Some(answer), .. } => Ack::Answered(answer),
                Taken { fate: Fate::Refused, .. } => Ack::Failed,
                Taken { .. } => Ack::Taken,
            }
        })
    })
}

/// A connection for the app of `client`, and how it stands.
pub fn connection(client: Client, tunnel: Tunnel, clock: &Clock, handle: Handle) -> (LongConnection, Watched) {
    LongConnection::new(Means { client, tunnel, clock: clock.paced(), draw: Arc::new(rand::random::<f64>), handle })
}

/// Logs how it comes to stand and why it does not. It ends with the connection.
async fn log(mut watched: Watched) {
    let mut logged = (0, State::Opening);
    while watched.changed().await.is_ok() {
        let Standing { state, device, connects, error, failures, .. } = watched.borrow_and_update().clone();
        let is_new = logged != (connects, state);
        match (state, error) {
            (State::Up, _) if is_new => tracing::info!(device, connects, "the long connection stands"),
            (State::Waiting { .. }, Some(error)) if is_new => {
                tracing::warn!(%error, failures, "the long connection is down and will be tried again");
            }
            (State::Up | State::Waiting { .. } | State::Opening | State::Ended, _) => {}
        }
        logged = (connects, state);
    }
}

/// Tells operations when the connection is down for [`DOWN_TOLD_AFTER`], until it is told to stop.
pub async fn watch(watched: Watched, port: Port, clock: Clock, over_http: bool, mut stopping: watch::Receiver<bool>) {
    let watching = watch_on(watched, port, clock.paced(), over_http);
    tokio::select! {
        _ = stopping.wait_for(|stop| *stop) => {}
        () = watching => {}
    }
}

async fn watch_on(mut watched: Watched, port: Port, clock: Clock, over_http: bool) {
    loop {
        let Some(down) = once(&mut watched, |standing| !standing.is_up()).await else { return };
        tokio::select! {
            biased;
            up = once(&mut watched, Standing::is_up) => match up {
                Some(_) => continue,
                None => return,
            },
            () = clock.sleep_until(down.plus(DOWN_TOLD_AFTER)) => {}
        }
        let message = down_for(&watched.borrow(), clock.now(), over_http);
        port.report(TROUBLE, message).await;
        match once(&mut watched, Standing::is_up).await {
            Some(up) => port.announce(BACK, back_after(up.since(down), over_http)).await,
            None => return,
        }
    }
}

/// What operations are told when it stands again.
fn back_after(long: Span, over_http: bool) -> Message {
    let minutes = long.as_ms() / Span::from_mins(1).as_ms();
    let (zh, en) = match over_http {
        true => ("", ""),
        false => ("。期间没有得到回答的，请再问一次", "; whoever asked meanwhile and has no answer should ask again"),
    };
    Message::new(
        format!("与飞书的长连接恢复了，断了 {minutes} 分钟{zh}"),
        format!("The long connection to Feishu stands again, it was down for {minutes} min{en}"),
    )
}

/// Since when it stands as wanted, once it does; nothing when it never will.
async fn once(watched: &mut Watched, wanted: impl Fn(&Standing) -> bool) -> Option<Timestamp> {
    watched.wait_for(|standing| wanted(standing)).await.ok().map(|standing| standing.since)
}

/// What operations are told.
fn down_for(standing: &Standing, now: Timestamp, over_http: bool) -> Message {
    let minutes = now.since(standing.since).as_ms() / Span::from_mins(1).as_ms();
    let why = match &standing.error {
        Some(error) => error.message(),
        None => Message::new("还没有连上过。", "it never stood so far."),
    };
    let meanwhile = if over_http {
        Message::new("事件仍从 HTTP 回调到达。", "Events still arrive over HTTP callbacks.")
    } else {
        Message::new(
            "群里的提问和卡片按钮现在收不到；提醒照发，工单照读。",
            "Questions in chats and clicks on cards do not arrive now; alerts are sent and tickets are read as always.",
        )
    };
    let (zh, en) = (&why.zh, &why.en);
    Message::new(
        format!("与飞书的长连接断了 {minutes} 分钟：{zh}{}会一直重连，deskbell status 看现状。", meanwhile.zh),
        format!(
            "The long connection to Feishu has been down for {minutes} min: {en} {} It is tried on; deskbell status \
             shows how it stands.",
            meanwhile.en
        ),
    )
}

/// How the connection stands, as operators see it.
pub fn status(standing: &Standing) -> LongConnectionStatus {
    let Standing { state, since, device, connects, pong_at, error, failures, counts } = standing;
    let (state, next_at) = match state {
        State::Up => ("up", None),
        State::Opening => ("opening", None),
        State::Waiting { until } => ("waiting", Some(until.as_ms())),
        State::Ended => ("ended", None),
    };
    let Counts { taken, refused, odd } = *counts;
    LongConnectionStatus {
        state: state.to_string(),
        since: since.as_ms(),
        next_at,
        device: device.clone(),
        connects: *connects,
        failures: *failures,
        pong_at: pong_at.map(Timestamp::as_ms),
        last_failure: error.as_ref().map(|error| error.message().into()),
        taken,
        refused,
        odd,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_hear_how_long_why_and_what_goes_on() {
        let start = Timestamp::from_ms(1_700_000_000_000);
        let standing = Standing::new(start);
        let now = start.plus(Span::from_mins(7));
        let alone = down_for(&standing, now, false);
        assert!(alone.en.contains("down for 7 min") && alone.en.contains("alerts are sent"), "{alone}");
        let both = down_for(&standing, now, true);
        assert!(both.zh.contains("HTTP 回调") && !both.zh.contains("收不到"), "{both}");
    }
}
