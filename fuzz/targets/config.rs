//! The configuration.

#![no_main]

use std::{fs, path::PathBuf, sync::LazyLock};

static EMPTY: LazyLock<PathBuf> = LazyLock::new(|| {
    let dir = std::env::temp_dir().join("deskbell-fuzz-empty");
    fs::create_dir_all(&dir).expect("the folder for temporary files can be written");
    dir
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| deskbell_fuzz::config(data, &EMPTY));
