//! An event's JSON, however it came: over HTTP after its signature was checked, or over the long connection. Says what it
//! is; telling redeliveries apart is the desk's (`facts/feishu.md §5.2`).

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use serde_json::Value;

use crate::{
    adapters::feishu::{
        chats::Bot,
        click::{self, Click, Form},
        received::{self, Incoming},
        ticket_event::{self, TicketEvent},
        wire,
    },
    domain::{desk::input::Added, id::EventId, time::Timestamp},
};

/// What arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A person wrote something the bot can see.
    Message(Box<Incoming>),
    /// A person clicked on a button; nothing where the click cannot be read. It is answered in its form.
    Click(Form, Option<Box<Click>>),
    /// Something happened to a ticket.
    Ticket(Box<TicketEvent>),
    /// The bot was added to a chat.
    Added(Box<Added>),
    /// An event nothing is done about: say that it arrived, or it comes again.
    Ignored {
        /// The delivery's id, where it has one.
        event: Option<EventId>,
        /// The event's type, as the platform calls it.
        event_type: String,
        /// Why.
        why: &'static str,
    },
}

/// Reads events; it knows which bot is ours. Clones know the same.
#[derive(Clone, Debug, Default)]
pub struct EventReader(Arc<ArcSwapOption<Bot>>);

/// The parts of the envelope, in either schema.
pub(super) struct Envelope<'v> {
    /// What the verification token is compared with.
    pub(super) token: Option<&'v Value>,
    id: &'v str,
    event_type: &'v str,
    /// Schema 2.0.
    newer: bool,
}

impl<'v> Envelope<'v> {
    pub(super) fn of(body: &'v Value) -> Self {
        let at = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let newer = at("/schema") == "2.0" || body.get("header").is_some();
        let (token, id, event_type) = if newer {
            (body.pointer("/header/token"), at("/header/event_id"), at("/header/event_type"))
        } else {
            (body.get("token"), at("/uuid"), at("/event/type"))
        };
        Self { token, id, event_type, newer }
    }
}

impl EventReader {
    /// Learns which bot is ours, to tell its mention from another bot's.
    pub fn know_bot(&self, bot: Bot) {
        self.0.store(Some(Arc::new(bot)));
    }

    /// What the body says, where it is JSON at all. Whether the platform sent it is for the caller to know.
    pub fn read_bytes(&self, body: &[u8], now: Timestamp) -> Option<Event> {
        object(body).map(|body| self.read(&body, now))
    }

    /// What the body says.
    pub(super) fn read(&self, body: &Value, now: Timestamp) -> Event {
        let Envelope { id, event_type, newer, .. } = Envelope::of(body);
        if newer && event_type == "card.action.trigger" {
            return Event::Click(Form::Event, click::read(body, Form::Event).map(Box::new));
        }
        let ignored = |why| Event::Ignored {
            event: (!id.is_empty()).then(|| EventId::from(id)),
            event_type: wire::tidy(event_type, 80),
            why,
        };
        if newer && ticket_event::tells_of_ticket(event_type) {
            let told = ticket_event::ticket(event_type, body);
            return told.map_or_else(|| ignored("names no ticket"), |told| Event::Ticket(Box::new(told)));
        }
        if ticket_event::tells_of_chat(event_type) {
            let added = ticket_event::added(event_type, id, body);
            return added.map_or_else(|| ignored("names no chat"), |added| Event::Added(Box::new(added)));
        }
        if !(newer && event_type == "im.message.receive_v1") {
            return ignored("not an event that is acted on");
        }
        match received::incoming(body, self.0.load().as_deref(), now) {
            Ok(incoming) => Event::Message(Box::new(incoming)),
            Err(why) => ignored(why),
        }
    }
}

/// The body as a JSON object.
pub(super) fn object(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body).ok().filter(Value::is_object)
}
