//! Configuration files that people write: the example, and every broken one with its message.

use std::{fs, path::Path};

use deskbell::{
    app::config::load::{Loaded, load},
    cli::report,
    domain::{
        fault::{Fault, Gravity},
        text::Locale,
    },
};

/// Values that any variable of an example may have.
pub(crate) fn environment(name: &str) -> Option<String> {
    match name {
        "NOT_SET" => None,
        "FEISHU_APP_ID" => Some("cli_a1b2c3".to_string()),
        "OPS_WEBHOOK" | "HOOK_URL" => Some("https://open.feishu.cn/open-apis/bot/v2/hook/x".to_string()),
        "HELPDESK_ID" => Some("6626871355780366330".to_string()),
        _ => Some(format!("value-of-{name}")),
    }
}

#[test]
fn the_example_loads_and_says_what_it_costs() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("templates")).unwrap();
    std::os::unix::fs::symlink(fs::canonicalize("rules").unwrap(), dir.path().join("rules")).unwrap();
    let path = dir.path().join("deskbell.yaml");
    fs::copy("deskbell.example.yaml", &path).unwrap();
    let Loaded { setup, faults, .. } = load(&path, &environment);
    let errors: Vec<&Fault> = faults.iter().filter(|fault| fault.gravity == Gravity::Error).collect();
    let setup = setup.unwrap_or_else(|| panic!("{errors:#?}"));
    assert_eq!(faults, Vec::new());
    assert_eq!(setup.settings.receivers.len(), 4);
    let labels = &setup.settings.sources.values().next().unwrap().labels;
    assert_eq!(labels.teams.iter().map(|team| team.name.as_str()).collect::<Vec<_>>(), ["payment", "other"]);
    assert_eq!(setup.webhooks.len(), 1);
    assert_eq!(setup.calls.sources[0].source.as_str(), "it-desk");
    assert!(setup.calls.words().zh.contains("每月约"), "{}", setup.calls.words());
    assert!(!format!("{setup:?}").contains("value-of"), "a secret is shown by Debug");
}

#[test]
fn every_broken_file_has_its_message() {
    let dir = Path::new("tests/cases/config/broken");
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    assert!(files.len() >= 25, "{}", files.len());
    for path in files {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let Loaded { setup, faults, base } = load(&path, &environment);
        assert!(setup.is_none(), "{name} loads");
        let read = report::reader(&base);
        let zh = report::faults(&faults, Locale::Zh, &read);
        let en = report::faults(&faults, Locale::En, &read);
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("../cases/config/broken");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, format!("{zh}\n\n{en}")));
    }
}
