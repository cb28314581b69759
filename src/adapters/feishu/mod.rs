//! Feishu: the helpdesk's tickets, messages and cards, custom bots, callbacks. Invariant: nothing here decides what is
//! told to whom; every answer of the platform is hostile until it is decoded; no secret reaches an error.

pub mod config;
pub mod error;
mod table;
mod explain;
mod wire;
mod skew;
mod token;
pub mod client;
pub mod messages;
pub mod chats;
pub mod people;
mod lenient;
pub mod page;
pub mod ticket;
pub mod fields;
pub mod ticket_messages;
pub mod helpdesk;
pub mod card;
pub mod webhook;
mod crypt;
pub mod received;
pub mod ticket_event;
pub mod click;
pub mod event;
pub mod callback;
pub mod long_connection;
#[cfg(test)]
mod fake;
