//! The demo: a scripted helpdesk day on the simulated platform, and the terminal that shows its chats.

pub mod script;
pub mod stage;
pub mod watch;
pub mod screen;
