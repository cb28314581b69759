//! The folder of rules: every file read, every fault gathered, names unique.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    adapters::{
        rulebook::{names::Names, rule::read_rule},
        yaml::parse::{FILE_BYTES_MAX, parse},
    },
    domain::{
        fault::{Fault, Gravity, Place},
        id::RuleName,
        rule::RuleSet,
        text::Message,
    },
};

/// Rule files of one folder.
pub const FILES_MAX: usize = 1_000;

/// Reads every `*.yaml` of a folder, in the order of their names, without its sub-folders; `*.test.yaml` is no rule.
///
/// Every fault of every file is given. With one of `Gravity::Error` the rules must not be put in force.
pub fn load_dir(dir: &Path, names: &Names) -> (RuleSet, Vec<Fault>) {
    let mut faults = Vec::new();
    let mut texts = Vec::new();
    for path in list(dir, &mut faults) {
        let file = path.display().to_string();
        match read_text(&path) {
            Ok(text) => texts.push((file, text)),
            Err(error) => faults.push(Fault::error(
                Place::file(file),
                Message::new(format!("读不了这个文件：{error}"), format!("this file cannot be read: {error}")),
            )),
        }
    }
    let (rules, mut found) = load_texts(&texts, names);
    faults.append(&mut found);
    (rules, faults)
}

/// Compiles rule files given as (name, text). The faults of each file stand in the order of its lines.
pub fn load_texts<F: AsRef<str>, T: AsRef<str>>(files: &[(F, T)], names: &Names) -> (RuleSet, Vec<Fault>) {
    let mut faults = Vec::new();
    let mut rules = RuleSet::default();
    let mut places: BTreeMap<RuleName, Place> = BTreeMap::new();
    for (file, text) in files {
        let mut found = Vec::new();
        load_text(file.as_ref(), text.as_ref(), names, &mut rules, &mut places, &mut found);
        found.sort_by(|one: &Fault, other| {
            (one.place.line, one.place.column).cmp(&(other.place.line, other.place.column))
        });
        faults.append(&mut found);
    }
    (rules, faults)
}

fn load_text(
    file: &str,
    text: &str,
    names: &Names,
    rules: &mut RuleSet,
    places: &mut BTreeMap<RuleName, Place>,
    faults: &mut Vec<Fault>,
) {
    let Some(node) = parse(file, text, faults) else { return };
    if node.is_null() {
        let message = Message::new("这个文件是空的，里面没有规则", "this file is empty: it holds no rule");
        faults.push(Fault::warning(node.place, message));
        return;
    }
    let Some((name, place, rule)) = read_rule(&node, names, faults) else { return };
    if let Some(first) = places.get(&name) {
        let message = Message::new(
            format!("规则名 “{name}” 已经用在 {first}"),
            format!("the rule name `{name}` is already used at {first}"),
        );
        let hint =
            Message::new("一个提醒属于规则的名字，请换一个名字", "alerts belong to a rule's name: choose another");
        faults.push(Fault::error(place, message).with_hint(hint));
        return;
    }
    places.insert(name.clone(), place);
    let sound = faults.iter().all(|fault| fault.gravity == Gravity::Warning);
    if let Some(rule) = rule.filter(|_| sound) {
        rules.rules.insert(name, rule);
    }
}

fn list(dir: &Path, faults: &mut Vec<Fault>) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut paths: Vec<PathBuf> = match entries {
        Ok(entries) => entries.into_iter().map(|entry| entry.path()).collect(),
        Err(error) => {
            let message = Message::new(
                format!("读不了规则文件夹：{error}"),
                format!("the folder of rules cannot be read: {error}"),
            );
            let hint = Message::new("看看配置里的 rules: 指向哪里", "look where `rules:` in the configuration points");
            faults.push(Fault::error(Place::file(dir.display().to_string()), message).with_hint(hint));
            return Vec::new();
        }
    };
    paths.sort();
    paths.retain(|path| is_rule_file(path, faults));
    if paths.is_empty() {
        let message = Message::new("这个文件夹里没有规则（*.yaml）", "this folder holds no rule (*.yaml)");
        faults.push(Fault::warning(Place::file(dir.display().to_string()), message));
    }
    if paths.len() > FILES_MAX {
        let message = Message::new(
            format!("规则文件有 {} 个，最多 {FILES_MAX} 个", paths.len()),
            format!("{} rule files, at most {FILES_MAX}", paths.len()),
        );
        faults.push(Fault::error(Place::file(dir.display().to_string()), message));
        paths.truncate(FILES_MAX);
    }
    paths
}

/// Hidden files and editors' backups are passed over in silence; what looks like a rule and is not read is named.
fn is_rule_file(path: &Path, faults: &mut Vec<Fault>) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if name.starts_with('.') || name.ends_with(".test.yaml") {
        return false;
    }
    if name.ends_with(".yaml") && !path.is_dir() {
        return true;
    }
    let place = Place::file(path.display().to_string());
    if name.ends_with(".yml") {
        let message =
            Message::new("这个文件没有读：规则文件的结尾是 .yaml", "this file is not read: rules end in .yaml");
        faults.push(Fault::warning(place, message));
    } else if path.is_dir() {
        let message = Message::new("子文件夹里的规则不会读", "rules in a sub-folder are not read");
        faults.push(Fault::warning(place, message));
    }
    false
}

fn read_text(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.len() > FILE_BYTES_MAX as u64 {
        return Err(io::Error::other(format!("> {FILE_BYTES_MAX} bytes")));
    }
    fs::read_to_string(path)
}

#[cfg(test)]
mod tests;
