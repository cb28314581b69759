//! Events and clicks over the app's long connections (`facts/feishu.md §6`), and what tests do to these.

use std::{fmt, sync::Arc};

use serde_json::json;

use crate::sim::{
    app::Transport,
    lines::{Ack, Act, Cargo, Push},
    platform::{
        Platform,
        clicks::{Click, Shown},
    },
};

/// What the skin wants to be woken by when there is something new to push.
#[derive(Clone, Default)]
pub(crate) struct Bell(Option<Arc<dyn Fn() + Send + Sync>>);

impl Bell {
    /// Wakes the skin.
    pub(crate) fn ring(&self) {
        if let Some(ring) = &self.0 {
            ring();
        }
    }
}

impl fmt::Debug for Bell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bell")
    }
}

impl Platform {
    /// Saves "long connection" in the console for events and clicks, which it takes only while a client is connected
    /// (§6.8); no: none is.
    pub fn save_long_connection(&mut self) -> bool {
        let is_connected = self.lines.open().next().is_some();
        if is_connected {
            self.app.events_over = Transport::LongConnection;
            self.app.clicks_over = Transport::LongConnection;
            self.bell.ring();
        }
        is_connected
    }

    /// How many lines the platform takes for open.
    pub fn open_lines(&self) -> usize {
        self.lines.open().count()
    }

    /// From now on nothing passes over the lines that are open, and neither side is told.
    pub fn freeze_lines(&mut self) {
        self.lines.freeze();
    }

    /// Does something to each line that is open, which it ends.
    pub fn end_lines(&mut self, act: &Act) {
        for line in self.lines.open().collect::<Vec<_>>() {
            self.lines.orders.push(Push { line, act: act.clone() });
            self.lines.end(line);
        }
        self.bell.ring();
    }

    /// What came back over lines and could not be read; a client that does its work leaves it empty.
    pub fn odd_frames(&self) -> &[String] {
        &self.lines.odd
    }

    /// Whether the app has still to acknowledge something that was pushed over a line.
    pub fn waits_for_ack(&self) -> bool {
        self.lines.has_flying()
    }

    /// A click on its way over a line, of which [`Platform::shown`] tells the end.
    pub fn push_click(&mut self, click: Click, now_ms: i64) {
        let kind = if click.is_flat { "card" } else { "event" };
        let fault = self.faults.draw_line(&mut self.chatter);
        let cargo = Cargo::Click(click.event_id.clone());
        let setting = (&self.knobs, &mut self.chatter, now_ms);
        let pushed = self.lines.push((kind, &click.plain), cargo, fault, setting);
        match pushed {
            Some(pushes) => {
                self.lines.orders.extend(pushes);
                self.clicks.push((click, None));
            }
            None => self.clicks.push((click, Some(Shown { error: Some(200_340), ..Shown::default() }))),
        }
        self.bell.ring();
    }

    /// What whoever clicked sees; nothing while the answer is waited for.
    pub fn shown(&self, event_id: &str) -> Option<&Shown> {
        self.clicks.iter().find(|(click, _)| click.event_id == event_id)?.1.as_ref()
    }

    /// What is to be pushed over lines now: the skin's to do.
    pub fn take_pushes(&mut self, now_ms: i64) -> Vec<Push> {
        for cargo in self.lines.late(now_ms) {
            self.settle_push(Ack { cargo, code: None, data: String::new() }, now_ms);
        }
        let mut pushes = std::mem::take(&mut self.lines.orders);
        pushes.extend(self.lines.give_up(&self.knobs, now_ms));
        if self.app.events_over == Transport::LongConnection {
            for due in self.events.due(&self.knobs, &mut self.chatter, now_ms) {
                let mut event = due.event;
                event["header"]["token"] = json!(""); // as seen live (§6.5)
                let fault = self.faults.draw_line(&mut self.chatter);
                let setting = (&self.knobs, &mut self.chatter, now_ms);
                match self.lines.push(("event", &event.to_string()), Cargo::Event(due.number), fault, setting) {
                    Some(parts) => pushes.extend(parts),
                    None => self.settle_delivery(due.number, None, now_ms),
                }
            }
        }
        pushes
    }

    /// Hears a WebSocket message of a line; what goes back.
    pub fn hear(&mut self, line: u64, bytes: &[u8], now_ms: i64) -> Option<Push> {
        let (push, ack) = self.lines.hear(line, bytes, &self.knobs, now_ms);
        if let Some(ack) = ack {
            self.settle_push(ack, now_ms);
        }
        push
    }

    /// A line has ended.
    pub fn line_ended(&mut self, line: u64) {
        self.lines.end(line);
    }

    /// When there is something to push next, milliseconds.
    pub fn next_push_ms(&self) -> Option<i64> {
        let event = self.events.next_due_ms().filter(|_| self.app.events_over == Transport::LongConnection);
        event.into_iter().chain(self.lines.next_due_ms(&self.knobs)).min()
    }

    /// Says what to call when there is something new to push.
    pub(crate) fn wake_with(&mut self, ring: Arc<dyn Fn() + Send + Sync>) {
        self.bell = Bell(Some(ring));
    }

    fn settle_push(&mut self, ack: Ack, now_ms: i64) {
        let event_id = match ack.cargo {
            Cargo::Event(number) => return self.settle_delivery(number, ack.code, now_ms),
            Cargo::Click(event_id) => event_id,
        };
        let waits = |(click, shown): &(Click, Option<Shown>)| click.event_id == event_id && shown.is_none();
        let Some(place) = self.clicks.iter().position(waits) else { return };
        let answer = ack.code.map(|code| (code, ack.data.as_str()));
        let click = self.clicks[place].0.clone();
        let shown = self.show_answer(&click, answer, now_ms);
        self.clicks[place].1 = Some(shown);
    }
}
