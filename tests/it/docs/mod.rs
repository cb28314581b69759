//! The documents: what they show is read by the real parsers, what they list is made from the code, what they name
//! exists.

mod chat;
mod life;
mod pages;
mod privacy;
mod receivers;
mod tables;

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::Path,
    process::Command,
    sync::Arc,
};

use chrono_tz::Asia::Shanghai;
use clap::{CommandFactory, Parser};
use deskbell::{
    adapters::{
        rulebook::{
            cases::words::{CASE_KEYS, ENDS, EXPECT_KEYS, MOMENT_KEYS, STEPS},
            load::load_texts,
            names::Names,
        },
        templates::library::Templates,
    },
    app::config::load::load_text,
    cli::{args::Arguments, init::console::scopes_json},
    domain::{
        calendar::{Calendar, Frame, Plan},
        fault::{Fault, Gravity},
        id::CalendarName,
        text::Locale,
        time::Zone,
    },
    web::openapi,
};

use pages::{Block, Page};

use crate::town::Ended;

/// Values that any variable of an example may have.
fn environment(name: &str) -> Option<String> {
    match name {
        "OPS_WEBHOOK" | "HOOK_URL" => Some("https://open.feishu.cn/open-apis/bot/v2/hook/x".to_string()),
        _ => Some(format!("value-of-{name}")),
    }
}

/// The names the documents' rules may use.
fn names() -> Names {
    let set = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<String>>();
    let mut templates: BTreeSet<String> = Templates::load(None).0.names().iter().map(ToString::to_string).collect();
    templates.insert("p0".to_string());
    let day = || vec![Frame { from: 570, to: 1_110 }];
    let week = [day(), day(), day(), day(), day(), Vec::new(), Vec::new()];
    let (name, zone) = (CalendarName::new("office"), Zone(Shanghai));
    let office = Calendar::new(Plan { name, zone, week, dates: BTreeMap::new(), known_through: None });
    Names {
        receivers: set(&["support", "leads", "ops-bot"]),
        teams: set(&["payment", "other"]),
        team_words: ["team", "team.lead", "team.oncall"].into(),
        calendars: [("office".to_string(), Arc::new(office))].into(),
        sources: set(&["it-desk"]),
        subjects: set(&["it-desk"]),
        priorities: set(&["it-desk"]),
        templates,
        zone,
        ..Names::default()
    }
}

/// In the cookbook the shipped defaults and named conditions hold.
fn faults_of_rule(place: &str, text: &str) -> Vec<Fault> {
    if !place.contains("cookbook") || text.contains("defaults:") {
        return load_texts(&[(place, text)], &names()).1;
    }
    let shared = fs::read_to_string("rules/_defaults.yaml").unwrap();
    load_texts(&[("_defaults.yaml", shared.as_str()), (place, text)], &names()).1
}

fn faults_of_condition(place: &str, condition: &str) -> Vec<Fault> {
    let head = "name: x\nuntil: handled\nexpires: 1d\nnotify: { to: support }\n";
    faults_of_rule(place, &format!("{head}when: {condition}\n"))
}

/// What a block of YAML shows.
fn faults_of_block(block: &Block) -> Vec<Fault> {
    let tops: Vec<&str> = block
        .text
        .lines()
        .filter(|line| !line.starts_with([' ', '#', '-']))
        .filter_map(|line| line.split(':').next())
        .collect();
    if block.is_rule_test() {
        return Vec::new(); // they are played
    }
    let has = |names: &[&str]| tops.iter().any(|top| names.contains(top));
    let (place, text) = (block.place.as_str(), block.text.as_str());
    if has(&["name", "名称", "rules", "规则", "defaults", "默认", "conditions", "命名条件"])
        && !has(&["sources", "feishu"])
    {
        return faults_of_rule(place, text);
    }
    if has(&["when", "条件"]) {
        return faults_of_rule(
            place,
            &format!("name: x\nuntil: handled\nexpires: 1d\nnotify: {{ to: support }}\n{text}"),
        );
    }
    if has(&["notify", "通知"]) {
        return faults_of_rule(place, &format!("name: x\nwhen: {{ status: open }}\n{text}"));
    }
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("secrets")).unwrap();
    for secret in ["app_secret", "verification_token", "encrypt_key", "helpdesk_token", "api_token"] {
        fs::write(dir.path().join("secrets").join(secret), "a-secret-of-the-documents").unwrap();
    }
    let mut faults = Vec::new();
    load_text(place, text, dir.path(), &environment, &mut faults);
    faults.retain(|fault| fault.gravity == Gravity::Error && !is_about_what_is_left_out(fault));
    faults
}

/// A block shows a part; what the whole would need besides is no fault of it.
fn is_about_what_is_left_out(fault: &Fault) -> bool {
    ["is missing", "there is no receiver", "there must be 1 to", "there is no folder"]
        .iter()
        .any(|words| fault.message.en.contains(words))
}

fn told(faults: &[Fault]) -> Vec<String> {
    faults.iter().map(|fault| format!("{}: {}", fault.place, fault.message.en)).collect()
}

#[test]
fn every_block_of_yaml_is_loaded() {
    let blocks: Vec<Block> =
        pages::all().iter().flat_map(Page::blocks).filter(|block| block.language == "yaml").collect();
    assert!(blocks.len() >= 20, "{}", blocks.len());
    let faulty: Vec<String> = blocks.iter().flat_map(|block| told(&faults_of_block(block))).collect();
    assert!(faulty.is_empty(), "\n{}\n", faulty.join("\n"));
}

#[test]
fn every_rule_test_passes() {
    let dir = tempfile::tempdir().unwrap();
    for rule in fs::read_dir("rules").unwrap().map(|entry| entry.unwrap().path()) {
        if !rule.to_string_lossy().ends_with(".test.yaml") {
            fs::copy(&rule, dir.path().join(rule.file_name().unwrap())).unwrap();
        }
    }
    let blocks: Vec<Block> = pages::all().iter().flat_map(Page::blocks).filter(Block::is_rule_test).collect();
    assert!(blocks.len() >= 2);
    for (at, block) in blocks.into_iter().enumerate() {
        fs::write(dir.path().join(format!("{at}.test.yaml")), block.text).unwrap();
    }
    let ended = Command::new(env!("CARGO_BIN_EXE_deskbell")).arg("test").arg(dir.path()).output().unwrap();
    Ended::of(&ended).expect(0, &["✓"]);
}

#[test]
fn every_word_of_a_rule_test_is_explained() {
    for (page, zh) in [("docs/rules.md", false), ("docs/rules.zh-CN.md", true)] {
        let text = Page::at(page).text;
        for (word, twin) in [CASE_KEYS, MOMENT_KEYS, EXPECT_KEYS, STEPS, ENDS].concat() {
            let wanted = if zh { twin } else { word };
            assert!(text.contains(wanted), "{wanted} in {page}");
        }
    }
}

#[test]
fn every_template_is_checked() {
    let dir = tempfile::tempdir().unwrap();
    let mut shown = Vec::new();
    for block in pages::all().iter().flat_map(Page::blocks).filter(|block| block.language == "handlebars") {
        let whole =
            if block.text.starts_with("---") { block.text } else { format!("---\ntitle: x\n---\n{}", block.text) };
        fs::write(dir.path().join(format!("block-{}.hbs", shown.len())), whole).unwrap();
        shown.push(block.place);
    }
    assert!(!shown.is_empty());
    let (_, faults) = Templates::load(Some(dir.path()));
    assert!(faults.is_empty(), "\n{}\n{shown:#?}", told(&faults).join("\n"));
}

/// Between these markers every code span of a table's row is one example.
#[test]
fn every_example_in_a_table_is_read() {
    for (page, least) in [("docs/rules.md", 25), ("docs/rules.zh-CN.md", 25)] {
        let page = Page::at(page);
        let examples = Page { path: page.path.clone(), text: page.marked("examples").unwrap().to_string() };
        let mut read = 0;
        for (_, example) in examples.code_spans().into_iter().filter(|(_, span)| span.contains(": ")) {
            let example = example.replace("\\|", "|"); // as a table of markdown writes it
            let faults = told(&faults_of_condition(&example, &format!("{{ {example} }}")));
            assert!(faults.is_empty(), "{example}\n{}", faults.join("\n"));
            read += 1;
        }
        assert!(read >= least, "{}: {read}", page.path.display());
    }
    for page in ["docs/templates.md", "docs/templates.zh-CN.md"] {
        let page = Page::at(page);
        let text = page.marked("examples").unwrap();
        let rows: Vec<&str> = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).collect();
        let tags: Vec<String> = rows.iter().filter(|span| span.contains("{{")).map(ToString::to_string).collect();
        assert!(tags.len() >= 15, "{}", tags.len());
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("x.hbs"), format!("---\ntitle: x\n---\n{}\n", tags.join("\n"))).unwrap();
        let faults = told(&Templates::load(Some(dir.path())).1);
        assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
    }
}

/// The names of the tables of variables, each tried where the text says it can stand.
#[test]
fn every_variable_of_a_template_exists() {
    for page in ["docs/templates.md", "docs/templates.zh-CN.md"] {
        let page = Page::at(page);
        let text = page.marked("variables").unwrap();
        let names: Vec<&str> = text.lines().filter_map(|line| line.split('`').nth(1)).collect();
        assert!(names.len() >= 35, "{}", names.len());
        for name in names {
            let dir = tempfile::tempdir().unwrap();
            let template = format!("---\ntitle: x\n---\n{{{{#if {name}}}}}x{{{{/if}}}}\n");
            fs::write(dir.path().join("x.hbs"), template).unwrap();
            let faults = told(&Templates::load(Some(dir.path())).1);
            assert!(faults.is_empty(), "{name}: {faults:?}");
        }
    }
}

/// Set to write the generated tables into the documents.
const UPDATE: &str = "UPDATE_DOCS";

#[test]
fn the_tables_are_those_of_the_code() {
    for (path, locale) in [("docs/rules.md", Locale::En), ("docs/rules.zh-CN.md", Locale::Zh)] {
        for (name, table) in tables::all(locale, &names()) {
            is_up_to_date(path, name, &table);
        }
    }
    is_up_to_date("docs/operations.md", "metrics", &tables::metrics_table());
    is_up_to_date("docs/receivers.md", "kinds", &receivers::kinds(Locale::En));
    is_up_to_date("docs/receivers.zh-CN.md", "kinds", &receivers::kinds(Locale::Zh));
    for (path, locale) in [("docs/chat.md", Locale::En), ("docs/chat.zh-CN.md", Locale::Zh)] {
        is_up_to_date(path, "phrases", &chat::phrases(locale));
        is_up_to_date(path, "names", &chat::names_of_commands(locale));
        is_up_to_date(path, "keys", &chat::keys(locale));
    }
    is_up_to_date("docs/alerts.md", "life", &life::life(Locale::En));
    is_up_to_date("docs/alerts.zh-CN.md", "life", &life::life(Locale::Zh));
}

fn is_up_to_date(path: &str, name: &str, table: &str) {
    let page = Page::at(path);
    let standing = page.marked(name).unwrap_or_else(|| panic!("{path}: no block {name}"));
    if standing == table {
        return;
    }
    assert!(env::var_os(UPDATE).is_some(), "{path}: the table `{name}` is old; run the tests with {UPDATE}=1");
    let marks = |inside: &str| format!("<!-- {name} -->\n{inside}<!-- /{name} -->");
    fs::write(path, page.text.replace(&marks(standing), &marks(table))).unwrap();
}

#[test]
fn every_operator_is_explained() {
    for path in ["docs/rules.md", "docs/rules.zh-CN.md"] {
        let page = Page::at(path);
        let text = page.marked("examples").unwrap();
        for operator in tables::OPERATORS {
            assert!(text.contains(&format!("| `{operator}` ")), "{path}: {operator}");
        }
    }
    assert_eq!(tables::operators("age", &names()), ["at_least", "under"]);
    assert_eq!(tables::operators("score", &names()), ["is", "exists"]);
}

/// Verbs that ask or tell the running service.
const OPERATORS_VERBS: [&str; 12] = [
    "alerts", "ticket", "take", "release", "done", "snooze", "silence", "oncall", "outbox", "journal", "route",
    "forget",
];

#[test]
fn every_verb_of_operators_and_every_request_is_in_the_tables() {
    let command = Arguments::command();
    let mut verbs = BTreeSet::new();
    for verb in command.get_subcommands().filter(|verb| OPERATORS_VERBS.contains(&verb.get_name())) {
        let below: Vec<String> =
            verb.get_subcommands().map(|part| format!("deskbell {} {}", verb.get_name(), part.get_name())).collect();
        // Some answer by themselves too.
        verbs.extend(
            verb.get_positionals()
                .next()
                .filter(|_| !below.is_empty())
                .map(|_| format!("deskbell {}", verb.get_name())),
        );
        verbs.extend(if below.is_empty() { vec![format!("deskbell {}", verb.get_name())] } else { below });
    }
    for path in ["docs/operations.md", "docs/operations.zh-CN.md"] {
        let page = Page::at(path);
        let first = |name: &str| -> BTreeSet<String> {
            let rows = page.marked(name).unwrap().lines().skip(2);
            rows.filter_map(|row| Some(row.split('`').nth(1)?.to_string())).collect()
        };
        assert_eq!(first("verbs"), verbs, "{path}");
        let requests = openapi::requests();
        let routes: BTreeSet<String> = requests.iter().map(|(method, path, _)| format!("{method} {path}")).collect();
        assert_eq!(first("api"), routes, "{path}");
    }
}

#[test]
fn every_command_that_is_named_exists() {
    let command = Arguments::command();
    let verbs: BTreeSet<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
    let mut named = BTreeSet::new();
    for page in pages::all() {
        for (line, span) in page.code_spans() {
            let mut words = span.split_whitespace();
            if words.next() != Some("deskbell") {
                continue;
            }
            let Some(verb) = words.next().filter(|word| !word.starts_with('-')) else { continue };
            assert!(verbs.contains(verb), "{}:{line}: deskbell {verb}", page.path.display());
            named.insert(verb.to_string());
        }
        for block in page.blocks().iter().filter(|block| block.language == "sh") {
            for line in block.text.lines().flat_map(|line| line.split("&&")) {
                let line = line.split(" #").next().unwrap_or_default().trim();
                let line = line.replace("cargo run --release --", "deskbell");
                if !line.starts_with("deskbell ") {
                    continue;
                }
                let parsed =
                    Arguments::try_parse_from(line.split_whitespace().map(|word| word.trim_matches(['"', '\''])));
                assert!(parsed.is_ok(), "{}: {line}\n{}", block.place, parsed.unwrap_err());
                named.extend(line.split_whitespace().nth(1).map(str::to_string));
            }
        }
    }
    let named: BTreeSet<&str> = named.iter().map(String::as_str).collect();
    assert_eq!(named, verbs, "a verb nobody explains");
}

#[test]
fn every_link_leads_somewhere() {
    let pages = pages::all();
    for page in &pages {
        for (line, target) in page.links() {
            if target.starts_with("http") {
                continue;
            }
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = match path {
                "" => page.path.clone(),
                path => page.path.parent().unwrap().join(path),
            };
            let place = format!("{}:{line}: {target}", page.path.display());
            assert!(file.exists(), "{place}");
            if !anchor.is_empty() {
                let there = Page { text: fs::read_to_string(&file).unwrap(), path: file }.anchors();
                assert!(there.iter().any(|known| known == anchor), "{place}: there are {there:?}");
            }
        }
    }
}

#[test]
fn the_permissions_are_those_that_init_prints() {
    let expected: serde_json::Value = serde_json::from_str(&scopes_json()).unwrap();
    for path in ["README.md", "README.zh-CN.md"] {
        let block = Page::at(path).blocks().into_iter().find(|block| block.language == "json").unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&block.text).unwrap(), expected, "{path}");
    }
}

/// Every name under which operations hears of a trouble, as the sources write it.
fn troubles() -> BTreeSet<String> {
    let starts = [".trouble(\"", ".trouble_of(\"", ".trouble_again(\"", "Input::Trouble { name: \"", ".report(\""];
    let mut found: BTreeSet<String> = ["deskbell.source_silent".to_string()].into();
    let mut dirs = vec![Path::new("src").to_path_buf()];
    while let Some(dir) = dirs.pop() {
        for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                dirs.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap();
            for rest in starts.iter().flat_map(|start| text.split(start).skip(1)) {
                found.extend(rest.split_once('"').map(|(name, _)| name.to_string()));
            }
        }
    }
    found
}

#[test]
fn operations_can_look_up_every_trouble_and_every_metric() {
    let troubles = troubles();
    assert!(troubles.len() >= 6, "{troubles:?}");
    let metrics: Vec<String> = tables::metrics().into_iter().map(|metric| metric.name).collect();
    assert!(metrics.len() >= 25, "{metrics:?}");
    for path in ["docs/operations.md", "docs/operations.zh-CN.md"] {
        let text = fs::read_to_string(path).unwrap();
        for name in troubles.iter().chain(&metrics) {
            assert!(text.contains(&format!("`{name}`")), "{path} says nothing of {name}");
        }
    }
}

/// The cookbook grows from the shipped rules: each stands in it as it is, without its comments.
#[test]
fn the_cookbook_shows_the_shipped_rules() {
    let mut names: Vec<String> = fs::read_dir("rules")
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".yaml") && !name.ends_with(".test.yaml"))
        .collect();
    names.sort();
    for name in names {
        let text = fs::read_to_string(format!("rules/{name}")).unwrap();
        let mut lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
        lines.dedup_by(|one, other| one.trim().is_empty() && other.trim().is_empty());
        let block = format!("```yaml\n{}\n```\n", lines.join("\n").trim());
        for page in ["docs/cookbook.md", "docs/cookbook.zh-CN.md"] {
            is_up_to_date(page, &format!("rules/{name}"), &block);
        }
    }
}
