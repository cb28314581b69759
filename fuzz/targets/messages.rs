//! Messages that people type in chat.

#![no_main]

use std::sync::LazyLock;

use deskbell::adapters::rulebook::names::Names;

static NAMES: LazyLock<Names> = LazyLock::new(Names::default);

libfuzzer_sys::fuzz_target!(|data: &[u8]| deskbell_fuzz::messages(data, &NAMES));
