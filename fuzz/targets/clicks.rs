//! Clicks.

#![no_main]

use std::sync::LazyLock;

use deskbell::adapters::feishu::{callback::Callback, event::EventReader};
use secrecy::SecretString;

static CALLBACK: LazyLock<Callback> = LazyLock::new(|| Callback::new(SecretString::from("v"), None, EventReader::default()));

libfuzzer_sys::fuzz_target!(|data: &[u8]| deskbell_fuzz::clicks(data, &CALLBACK));
