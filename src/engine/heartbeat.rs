//! The heartbeat's task: one ping after each completed pass, beside everything else. A ping that is under way when the
//! next pass ends stands for both.

use std::sync::Arc;

use tokio::sync::mpsc;
use tracing::{debug, info, warn};

use crate::{
    adapters::outgoing::heartbeat::Heartbeat,
    engine::{
        busy::{Busy, BusyGuard},
        health::{self, Health},
    },
};

/// Pings that wait: the next one says all that the one after it would.
const WAITING_MAX: usize = 1;

/// Where the loop says that a pass is complete.
#[derive(Clone)]
pub struct Pulse(mpsc::Sender<BusyGuard>);

/// The task behind it.
pub struct Beats {
    heartbeat: Heartbeat,
    health: Arc<Health>,
    wishes: mpsc::Receiver<BusyGuard>,
}

/// A pulse and the task that follows it.
pub fn open(heartbeat: Heartbeat, health: Arc<Health>) -> (Pulse, Beats) {
    let (pulse, wishes) = mpsc::channel(WAITING_MAX);
    (Pulse(pulse), Beats { heartbeat, health, wishes })
}

impl Pulse {
    /// A pass is complete; never waits.
    pub fn beat(&self, busy: &Busy) {
        self.0.try_send(busy.enter()).ok(); // full: one is on its way
    }
}

impl Beats {
    /// Pings until the loop has ended. A failure is counted, and logged once until it works again.
    pub async fn run(mut self) {
        let mut fails = false;
        while let Some(_guard) = self.wishes.recv().await {
            health::add(&self.health.counters.heartbeats, 1);
            match self.heartbeat.ping().await {
                Ok(()) if fails => info!("the heartbeat arrives again"),
                Ok(()) => debug!("the heartbeat arrived"),
                Err(reason) => {
                    health::add(&self.health.counters.heartbeats_failed, 1);
                    if fails {
                        debug!(%reason, "the heartbeat failed again");
                    } else {
                        warn!(%reason, "the heartbeat (operations.heartbeat) does not arrive");
                    }
                    fails = true;
                    continue;
                }
            }
            fails = false;
        }
    }
}
