//! The whole, put together: the configuration composed from each adapter's own, cross-checked with rules, templates and
//! receivers; the wiring of the service, its start and its stop.

pub mod config;
pub mod files;
pub mod reload;
pub mod watch;
pub mod long_connection;
pub mod service;
pub mod fields;
