//! Configuration files that people write: the example, the documents' blocks, and every broken one with its message.

use std::{fs, path::Path};

use deskbell::{
    adapters::{
        rulebook::{load::load_texts, names::Names},
        templates::library::Templates,
    },
    app::config::load::{Loaded, load, load_text},
    cli::report,
    domain::{
        fault::{Fault, Gravity},
        text::Locale,
        time::Zone,
    },
};

/// Values that any variable of an example may have.
fn environment(name: &str) -> Option<String> {
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
    fs::create_dir(dir.path().join("rules")).unwrap();
    fs::create_dir(dir.path().join("templates")).unwrap();
    let path = dir.path().join("deskbell.yaml");
    fs::copy("deskbell.example.yaml", &path).unwrap();
    let Loaded { setup, faults, .. } = load(&path, &environment);
    let errors: Vec<&Fault> = faults.iter().filter(|fault| fault.gravity == Gravity::Error).collect();
    let setup = setup.unwrap_or_else(|| panic!("{errors:#?}"));
    assert_eq!(setup.settings.receivers.len(), 3);
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

#[test]
fn every_block_of_the_documents_loads() {
    let mut faulty = Vec::new();
    for (place, block) in blocks() {
        let mut faults = Vec::new();
        if is_configuration(&block) {
            load_text(&place, &block, Path::new("."), &environment, &mut faults);
        } else {
            faults = load_texts(&[(place, block)], &names()).1;
        }
        faults.retain(|fault| fault.gravity == Gravity::Error && !is_about_what_is_left_out(fault));
        faulty.extend(faults.iter().map(|fault| format!("{}: {}", fault.place, fault.message.en)));
    }
    assert!(faulty.is_empty(), "\n{}\n", faulty.join("\n"));
}

/// A block shows a part; what the whole would need besides is no fault of it.
fn is_about_what_is_left_out(fault: &Fault) -> bool {
    ["is missing", "there is no receiver", "there must be 1 to", "there is no folder"]
        .iter()
        .any(|words| fault.message.en.contains(words))
}

/// What the documents' rules name.
fn names() -> Names {
    let set = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    let (templates, _) = Templates::load(None);
    Names {
        receivers: set(&["support", "leads", "ops-bot"]),
        sources: set(&["it-desk"]),
        templates: templates.names().iter().map(ToString::to_string).collect(),
        fields: None,
        zone: Zone(chrono_tz::Asia::Shanghai),
    }
}

fn is_configuration(block: &str) -> bool {
    let tops = ["feishu", "sources", "receivers", "operations", "server", "store", "chat", "timezone", "http"];
    block.lines().any(|line| line.split_once(':').is_some_and(|(key, _)| tops.contains(&key)))
}

/// Every block of YAML in the documents (a configuration, or rules), with the place it begins at.
fn blocks() -> Vec<(String, String)> {
    let mut files: Vec<_> = [".", "docs"]
        .iter()
        .filter_map(|dir| fs::read_dir(dir).ok())
        .flat_map(|entries| entries.map(|entry| entry.unwrap().path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    files.sort();
    let mut found = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let mut block: Option<(usize, Vec<&str>)> = None;
        for (number, line) in text.lines().enumerate() {
            block = match block {
                None if line.trim() == "```yaml" => Some((number + 2, Vec::new())),
                None => None,
                Some((start, lines)) if line.trim() == "```" => {
                    found.push((format!("{}:{start}", path.display()), lines.join("\n")));
                    None
                }
                Some((start, mut lines)) => {
                    lines.push(line);
                    Some((start, lines))
                }
            };
        }
    }
    found
}
