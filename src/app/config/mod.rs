//! `deskbell.yaml`: read, checked, and turned into what the parts need. Every fault of the configuration, the rules and
//! the templates is gathered before any is shown. Never touches the network.

pub mod setup;
pub mod words;
pub mod calendars;
pub mod schedule;
pub mod sources;
pub mod privacy;
pub mod receiver;
pub mod receivers;
pub mod roster;
pub mod rotas;
pub mod teams;
pub mod inhibit;
pub mod chat;
pub mod storm;
pub mod server;
pub mod calls;
pub mod sections;
pub mod load;
pub mod schema;
