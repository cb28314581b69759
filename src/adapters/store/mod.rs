//! The store: what the desk decided, durable in one sled database. Invariant: nothing here decides; a commit is whole or
//! it is not there, and once it returned it survives a power cut.
//!
//! Layout of `store.path`: `lock` (who holds it), `made` (it holds more than nothing), `sled/` (the database), and while
//! `compact` runs `sled.new/` and `sled.old/`. Keys begin with a byte that names their kind (`key`), values with the
//! version of their record. Beside them `fields.json`, the custom fields last read.

pub mod config;
pub mod error;
mod key;
mod value;
mod record;
mod layout;
mod batch;
mod load;
pub mod database;
pub mod journal;
pub mod history;
pub mod definitions;
pub mod compact;
