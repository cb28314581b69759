//! What scripts and tests do to the platform from outside: people, chats, tickets, words, and what they look at.

use serde_json::json;

use crate::sim::{
    app::{App, Transport},
    directory::{Chat, ChatKind, Person},
    events::{self, Attempt, Delivery},
    faults::{Fault, Faults},
    helpdesk::FieldDefinition,
    knobs::Knobs,
    message::{Message, Sender, Urge},
    outside::Outside,
    platform::{Call, Platform},
    route::Route,
    said::TicketMessage,
    ticket::{
        FieldValue, Reason, STATUS_CLOSED_BY_AGENT, STATUS_CLOSED_BY_BOT, STATUS_CLOSED_BY_USER, STATUS_CREATED,
        STATUS_PROCESSING, Ticket, User,
    },
    webhook::Hook,
};

/// The helpdesk of tickets that name none.
pub(crate) const HELPDESK_ID: &str = "6626871355780366330";

impl Platform {
    /// The app.
    pub const fn app(&self) -> &App {
        &self.app
    }

    /// The app, to be changed.
    pub const fn app_mut(&mut self) -> &mut App {
        &mut self.app
    }

    /// The knobs.
    pub const fn knobs(&self) -> &Knobs {
        &self.knobs
    }

    /// Turns knobs.
    pub fn turn(&mut self, turn: impl FnOnce(&mut Knobs)) {
        turn(&mut self.knobs);
        self.helpdesks.forget_written();
    }

    /// What trouble there is, to be changed.
    pub const fn faults_mut(&mut self) -> &mut Faults {
        &mut self.faults
    }

    /// Orders a trouble for the next request of an endpoint that has none ordered yet, and so on for `times` of them.
    pub fn fail_next(&mut self, route: Route, fault: Fault, times: usize) {
        self.faults.next.extend(std::iter::repeat_n((route, fault), times));
    }

    /// Ends every tenant token.
    pub fn revoke_tokens(&mut self) {
        self.auth.revoke_all();
    }

    /// Every request that arrived, the oldest first.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        self.calls.iter()
    }

    /// How many requests arrived so far, forgotten ones included.
    pub const fn requests(&self) -> u64 {
        self.requests
    }

    /// Forgets the requests that arrived.
    pub fn forget_calls(&mut self) {
        self.calls.clear();
    }

    /// Requests of one endpoint that arrived.
    pub fn count(&self, route: Route) -> usize {
        self.calls.iter().filter(|call| call.route == Some(route)).count()
    }

    /// Opens a helpdesk. The first test to need one calls [`Platform::add_default_helpdesk`].
    pub fn add_helpdesk(&mut self, helpdesk_id: &str, token: &str) {
        self.helpdesks.add_desk(helpdesk_id, token);
    }

    /// Opens the helpdesk that tickets belong to when they name none; its id and token.
    pub fn add_default_helpdesk(&mut self) -> (String, String) {
        let token = "ht-token".to_string();
        self.helpdesks.add_desk(HELPDESK_ID, &token);
        (HELPDESK_ID.to_string(), token)
    }

    /// Defines a custom field of a helpdesk.
    pub fn add_field(&mut self, helpdesk_id: &str, field: FieldDefinition) {
        self.helpdesks.add_field(helpdesk_id, field);
    }

    /// Files a new ticket as `write` leaves it; its id.
    pub fn create_ticket(&mut self, now_ms: i64, write: impl FnOnce(&mut Ticket)) -> String {
        let mut ticket = Ticket {
            helpdesk_id: HELPDESK_ID.to_string(),
            ticket_type: 2,
            status: STATUS_CREATED,
            created_at: now_ms,
            solve: Some(1),
            ..Ticket::default()
        };
        write(&mut ticket);
        let id = self.helpdesks.create(ticket, &mut self.dice);
        self.tell_created(&id, now_ms);
        id
    }

    /// Changes a ticket and moves its `updated_at`; no: there is none of that id.
    pub fn update_ticket(&mut self, ticket_id: &str, now_ms: i64, write: impl FnOnce(&mut Ticket)) -> bool {
        let Some(before) = self.helpdesks.ticket(ticket_id).cloned() else { return false };
        let is_there = self.helpdesks.change(ticket_id, |ticket| {
            write(ticket);
            ticket.updated_at = Some(now_ms);
        });
        self.tell_updated(&before, now_ms);
        is_there
    }

    /// Changes a ticket and nothing else of it.
    pub fn update_ticket_silently(&mut self, ticket_id: &str, write: impl FnOnce(&mut Ticket)) -> bool {
        self.helpdesks.change(ticket_id, write)
    }

    /// The guest rates a ticket: 1 bad, 2 fair, 3 good. Moves `updated_at` only if the knob says so.
    pub fn rate_ticket(&mut self, ticket_id: &str, score: i64, reason: Option<&str>, now_ms: i64) -> bool {
        let is_update = self.knobs.rating_touches_updated_at;
        self.helpdesks.change(ticket_id, |ticket| {
            ticket.score = Some(score);
            ticket.dissatisfaction_reason = reason.map(|text| Reason { zh_cn: text.to_string(), ..Reason::default() });
            if is_update {
                ticket.updated_at = Some(now_ms);
            }
        })
    }

    /// Closes a ticket; `by` is one of the `STATUS_CLOSED_` constants.
    pub fn close_ticket(&mut self, ticket_id: &str, by: i64, now_ms: i64) -> bool {
        self.update_ticket(ticket_id, now_ms, |ticket| {
            ticket.status = by;
            ticket.closed_at = Some(now_ms);
            ticket.closed_by = match by {
                STATUS_CLOSED_BY_AGENT => ticket.agent_owner.clone(),
                STATUS_CLOSED_BY_USER => Some(ticket.guest.clone()),
                STATUS_CLOSED_BY_BOT => None,
                _ => ticket.closed_by.clone(),
            };
            ticket.solve = Some(2);
            ticket.agent_resolution_time = Some((now_ms - ticket.created_at) / 1000);
        })
    }

    /// Opens a closed ticket again.
    pub fn reopen_ticket(&mut self, ticket_id: &str, now_ms: i64) -> bool {
        self.update_ticket(ticket_id, now_ms, |ticket| {
            ticket.status = STATUS_PROCESSING;
            ticket.closed_at = None;
            ticket.closed_by = None;
            ticket.solve = Some(1);
        })
    }

    /// Removes a ticket as if it had never been.
    pub fn delete_ticket(&mut self, ticket_id: &str) -> bool {
        self.helpdesks.delete(ticket_id)
    }

    /// Sets a custom field, with the id and key of its definition if there is one.
    pub fn set_custom_field(&mut self, ticket_id: &str, display_name: &str, value: &str, now_ms: i64) -> bool {
        let Some(ticket) = self.helpdesks.ticket(ticket_id) else { return false };
        let field = self.field_value(&ticket.helpdesk_id, display_name, value);
        self.update_ticket(ticket_id, now_ms, |ticket| {
            ticket.customized_fields.retain(|own| own.display_name != field.display_name);
            ticket.customized_fields.push(field);
        })
    }

    /// A custom field's value as a ticket holds it.
    pub fn field_value(&self, helpdesk_id: &str, display_name: &str, value: &str) -> FieldValue {
        let definition = self.helpdesks.definition(helpdesk_id, display_name);
        let (place, id, key_name) = match definition {
            Some((place, field)) => (place, field.id.clone(), field.key_name.clone()),
            None => (0, format!("field-{display_name}"), display_name.to_string()),
        };
        FieldValue {
            id,
            value: value.to_string(),
            key_name,
            display_name: display_name.to_string(),
            position: i64::try_from(place + 1).unwrap_or(1),
            required: false,
            editable: true,
        }
    }

    /// An agent answers the guest: entry and answer times move, and so does `updated_at`.
    pub fn post_agent_reply(&mut self, ticket_id: &str, agent: &User, now_ms: i64) -> bool {
        self.update_ticket(ticket_id, now_ms, |ticket| {
            ticket.agent_entry_time.get_or_insert(now_ms);
            ticket.agent_first_response_time.get_or_insert(now_ms);
            ticket.agent_first_response_duration.get_or_insert((now_ms - ticket.created_at) / 1000);
            ticket.agent_last_response_time = Some(now_ms);
            ticket.agent_owner.get_or_insert_with(|| agent.clone());
            if !ticket.agents.contains(agent) {
                ticket.agents.push(agent.clone());
            }
        })
    }

    /// The guest writes on a ticket.
    pub fn guest_says(&mut self, ticket_id: &str, text: &str, now_ms: i64) -> bool {
        let Some(guest) = self.helpdesks.ticket(ticket_id).map(|ticket| ticket.guest.clone()) else { return false };
        self.says(ticket_id, &guest, text, now_ms)
    }

    /// An agent writes on a ticket, which is an answer.
    pub fn agent_says(&mut self, ticket_id: &str, agent: &User, text: &str, now_ms: i64) -> bool {
        self.says(ticket_id, agent, text, now_ms) && self.post_agent_reply(ticket_id, agent, now_ms)
    }

    /// The bot writes on a ticket.
    pub fn bot_says(&mut self, ticket_id: &str, text: &str, now_ms: i64) -> bool {
        let bot = User { name: self.app.bot_name.clone(), ..User::default() };
        self.says(ticket_id, &bot, text, now_ms)
    }

    /// Somebody writes on a ticket. An empty text is a picture. Moves `updated_at` only if the knob says so.
    fn says(&mut self, ticket_id: &str, who: &User, text: &str, now_ms: i64) -> bool {
        let kind = if text.is_empty() { "image" } else { "text" };
        let message = TicketMessage {
            user_id: who.id.clone(),
            user_name: who.name.clone(),
            kind: kind.to_string(),
            text: text.to_string(),
            at_ms: now_ms,
            instead: None,
        };
        let is_there = self.put_message(ticket_id, message)
            && (!self.knobs.message_touches_updated_at || self.update_ticket(ticket_id, now_ms, |_| ()));
        self.tell_said(ticket_id, (&who.id, text), now_ms);
        is_there
    }

    /// Puts a message on a ticket and changes nothing else; no: there is none of that id.
    pub fn put_message(&mut self, ticket_id: &str, message: TicketMessage) -> bool {
        self.helpdesks.say(ticket_id, message)
    }

    /// A ticket.
    pub fn ticket(&self, ticket_id: &str) -> Option<&Ticket> {
        self.helpdesks.ticket(ticket_id)
    }

    /// Every ticket, by id.
    pub fn tickets(&self) -> impl Iterator<Item = &Ticket> {
        self.helpdesks.tickets()
    }

    /// Adds a person; the other ids are made of the open id.
    pub fn add_person(&mut self, open_id: &str, name: &str, email: &str) {
        let tail = open_id.trim_start_matches("ou_");
        self.directory.add_person(Person {
            open_id: open_id.to_string(),
            union_id: format!("on_{tail}"),
            user_id: tail.to_string(),
            name: name.to_string(),
            email: email.to_string(),
            ..Person::default()
        });
    }

    /// Changes a person; no: there is none of that open id.
    pub fn change_person(&mut self, open_id: &str, write: impl FnOnce(&mut Person)) -> bool {
        self.directory.people.get_mut(open_id).map(write).is_some()
    }

    /// The name of a person, or of the bot.
    pub fn name_of(&self, open_id: &str) -> Option<String> {
        if open_id == self.app.bot_open_id {
            return Some(self.app.bot_name.clone());
        }
        self.directory.people.get(open_id).map(|person| person.name.clone())
    }

    /// Adds a chat with the bot in it.
    pub fn add_chat(&mut self, chat_id: &str, name: &str, kind: ChatKind) {
        self.directory.add_chat(chat_id, name, kind);
    }

    /// Puts a person into a chat.
    pub fn add_member(&mut self, chat_id: &str, open_id: &str) -> bool {
        self.change_chat(chat_id, |chat| {
            chat.members.insert(open_id.to_string());
        })
    }

    /// Changes a chat; no: there is none of that id.
    pub fn change_chat(&mut self, chat_id: &str, write: impl FnOnce(&mut Chat)) -> bool {
        self.directory.chats.get_mut(chat_id).map(write).is_some()
    }

    /// A chat.
    pub fn chat(&self, chat_id: &str) -> Option<&Chat> {
        self.directory.chats.get(chat_id)
    }

    /// The direct chat of a person with the bot, opened if there was none.
    pub fn direct_chat(&mut self, open_id: &str) -> String {
        self.directory.direct_chat(open_id)
    }

    /// The receivers outside the platform.
    pub fn outside(&mut self) -> &mut Outside {
        &mut self.outside
    }

    /// Adds a custom bot; the path to post to.
    pub fn add_hook(&mut self, hook: Hook) -> String {
        let path = format!("/open-apis/bot/v2/hook/{}", hook.token);
        self.hooks.add(hook);
        path
    }

    /// The messages of a chat in the order they were sent, with all that happened to them.
    pub fn messages_in(&self, chat_id: &str) -> Vec<&Message> {
        self.messages.in_order(Some(chat_id))
    }

    /// Every message in the order they were sent.
    pub fn messages(&self) -> Vec<&Message> {
        self.messages.in_order(None)
    }

    /// Urgent calls that went out, in order.
    pub fn urges(&self) -> &[Urge] {
        &self.messages.urges
    }

    /// A message.
    pub fn message(&self, message_id: &str) -> Option<&Message> {
        self.messages.get(message_id)
    }

    /// Recalls a message.
    pub fn recall(&mut self, message_id: &str) -> bool {
        self.messages.get_mut(message_id).map(|message| message.recalled = true).is_some()
    }

    /// A person writes into a chat, after a mention of the bot if `to_bot`; the message, if person and chat exist.
    /// The event is on its way unless the app lacks the scope for it.
    pub fn person_says(
        &mut self,
        chat_id: &str,
        open_id: &str,
        text: &str,
        to_bot: bool,
        now_ms: i64,
    ) -> Option<String> {
        self.person_writes(chat_id, open_id, (text, to_bot), None, now_ms)
    }

    /// A person answers a message.
    pub fn person_replies(
        &mut self,
        message_id: &str,
        open_id: &str,
        text: &str,
        to_bot: bool,
        now_ms: i64,
    ) -> Option<String> {
        let chat_id = self.messages.get(message_id)?.chat_id.clone();
        self.person_writes(&chat_id, open_id, (text, to_bot), Some(message_id), now_ms)
    }

    fn person_writes(
        &mut self,
        chat_id: &str,
        open_id: &str,
        (text, to_bot): (&str, bool),
        parent: Option<&str>,
        now_ms: i64,
    ) -> Option<String> {
        let chat = self.directory.chats.get(chat_id)?.clone();
        let person = self.directory.people.get(open_id)?.clone();
        let text = if to_bot { format!("@_user_1 {text}") } else { text.to_string() };
        let content = json!({ "text": text }).to_string();
        let sender = Sender::Person(open_id.to_string());
        let parent = parent.map(|id| (id, false));
        let id = self.messages.keep(&chat, sender, "text", content, parent, (&mut self.chatter, now_ms));
        let scope = match (chat.kind, to_bot) {
            (ChatKind::Direct, _) => "im:message.p2p_msg",
            (_, true) => "im:message.group_at_msg",
            (_, false) => "im:message.group_msg",
        };
        if chat.has_bot && !self.knobs.scopes_missing.contains(scope) {
            let message = self.messages.get(&id)?;
            let event = events::message_received(message, &chat, &person, &self.app);
            self.push_event("im.message.receive_v1", event, now_ms);
        }
        Some(id)
    }

    /// Puts any event on its way; `event` is its inner part.
    pub fn push_event(&mut self, kind: &str, event: serde_json::Value, now_ms: i64) {
        self.events.push(kind, event, &self.app, &mut self.chatter, now_ms);
        self.bell.ring();
    }

    /// The deliveries that are due now, of an app that has events posted. Each must be settled; what nobody settles
    /// within three seconds has failed.
    pub fn take_deliveries(&mut self, now_ms: i64) -> Vec<Delivery> {
        if self.app.events_over == Transport::LongConnection {
            return Vec::new();
        }
        self.events.take(&self.app, &self.knobs, &mut self.chatter, now_ms)
    }

    /// Says how the app answered a delivery: HTTP status, or the code of an acknowledgement; none: not at all.
    pub fn settle_delivery(&mut self, number: u64, status: Option<u16>, now_ms: i64) {
        self.events.settle(number, status, &self.knobs, &mut self.chatter, now_ms);
    }

    /// When the next delivery is due, milliseconds.
    pub fn next_delivery_ms(&self) -> Option<i64> {
        self.events.next_due_ms()
    }

    /// What became of every attempt to deliver an event.
    pub fn attempts(&self) -> &[Attempt] {
        &self.events.attempts
    }

    /// What the console posts when the address for events is saved.
    pub fn url_verification(&mut self, challenge: &str, now_ms: i64) -> Delivery {
        events::verification(challenge, &self.app, &mut self.chatter, now_ms)
    }
}
