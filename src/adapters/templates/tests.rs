//! The templates as people meet them: shipped cards, broken files, hostile guests.

mod broken;
mod calls;
mod cards;
mod views;
mod hostile;
mod samples;
mod schema;
mod states;
