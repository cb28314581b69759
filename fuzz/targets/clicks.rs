//! Clicks.

#![no_main]

use std::sync::LazyLock;

use deskbell::adapters::feishu::callback::Callback;
use secrecy::SecretString;

static CALLBACK: LazyLock<Callback> = LazyLock::new(|| Callback::new(SecretString::from("v"), None));

libfuzzer_sys::fuzz_target!(|data: &[u8]| deskbell_fuzz::clicks(data, &CALLBACK));
