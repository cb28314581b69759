//! Rule files.

#![no_main]

use std::{collections::BTreeSet, sync::LazyLock};

use deskbell::{adapters::rulebook::names::Names, domain::time::Zone};

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let set = |words: &[&str]| words.iter().map(|word| (*word).to_string()).collect::<BTreeSet<String>>();
    Names {
        receivers: set(&["support"]),
        sources: set(&["it-desk"]),
        zone: Zone(chrono_tz::Asia::Shanghai),
        ..Names::default()
    }
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| deskbell_fuzz::rules(data, &NAMES));
