//! The folder of rules: every file read, every fault gathered, names unique.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    adapters::{
        rulebook::{
            condition::Compiler,
            file::Folder,
            ground::Ground,
            keys::pace_of,
            named::{Conditions, Named},
            names::Names,
            rule::{Read, check_defaults, read_rule},
            words::rule_key,
        },
        yaml::{
            map::Map,
            parse::{FILE_BYTES_MAX, parse},
            tree::Node,
        },
    },
    domain::{
        calendar::Pace,
        fault::{Fault, Gravity, Place},
        id::RuleName,
        rule::RuleSet,
        text::Message,
    },
};

/// Rule files of one folder.
pub const FILES_MAX: usize = 1_000;

/// Faults after which no further rule is read.
const FAULTS_MAX: usize = 10_000;

/// Reads every `*.yaml` of a folder, in the order of their names, without its sub-folders; `*.test.yaml` is no rule.
///
/// Every fault of every file is given. With one of `Gravity::Error` the rules must not be put in force.
pub fn load_dir(dir: &Path, names: &Names) -> (RuleSet, Vec<Fault>) {
    load_keeping(dir, names, Keep::SoundFiles)
}

/// The same, but for what is kept of what has faults.
pub(super) fn load_keeping(dir: &Path, names: &Names, keep: Keep) -> (RuleSet, Vec<Fault>) {
    let mut faults = Vec::new();
    let texts = texts_of(dir, &mut faults);
    let (rules, mut found) = read_texts(&texts, names, keep);
    faults.append(&mut found);
    (rules, faults)
}

fn texts_of(dir: &Path, faults: &mut Vec<Fault>) -> Vec<(String, String)> {
    let mut texts = Vec::new();
    for path in list(dir, faults) {
        let file = path.display().to_string();
        match read_text(&path) {
            Ok(text) => texts.push((file, text)),
            Err(error) => faults.push(Fault::error(
                Place::file(file),
                Message::new(format!("读不了这个文件：{error}"), format!("this file cannot be read: {error}")),
            )),
        }
    }
    texts
}

/// The named conditions of a folder, its faults aside: those are [`load_dir`]'s to tell.
pub(super) fn conditions_of(dir: &Path) -> Conditions {
    let mut faults = Vec::new();
    let texts = texts_of(dir, &mut faults);
    conditions_in(&texts)
}

/// The same, of rule files given as (name, text).
pub(super) fn conditions_in<F: AsRef<str>, T: AsRef<str>>(files: &[(F, T)]) -> Conditions {
    let mut faults = Vec::new();
    let mut folder = Folder::default();
    for (file, text) in files {
        if let Some(node) = parse(file.as_ref(), text.as_ref(), &mut faults).filter(|node| !node.is_null()) {
            folder.add(node, &mut faults);
        }
    }
    folder.named.find_cycles(&mut faults);
    Conditions::new(folder.named)
}

/// Which rules are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// Those of files without a fault.
    SoundFiles,
    /// Those without a fault of their own.
    SoundRules,
}

/// Compiles rule files given as (name, text). Faults stand in the order of the files and of their lines.
pub fn load_texts<F: AsRef<str>, T: AsRef<str>>(files: &[(F, T)], names: &Names) -> (RuleSet, Vec<Fault>) {
    read_texts(files, names, Keep::SoundFiles)
}

fn read_texts<F: AsRef<str>, T: AsRef<str>>(files: &[(F, T)], names: &Names, keep: Keep) -> (RuleSet, Vec<Fault>) {
    let mut faults = Vec::new();
    let mut folder = Folder::default();
    for (file, text) in files {
        let Some(node) = parse(file.as_ref(), text.as_ref(), &mut faults) else { continue };
        if node.is_null() {
            let message = Message::new("这个文件是空的，里面没有规则", "this file is empty: it holds no rule");
            faults.push(Fault::warning(node.place, message));
            continue;
        }
        folder.add(node, &mut faults);
    }
    let rules = compile(folder, names, keep, &mut faults);
    let order: BTreeMap<&str, usize> = files.iter().enumerate().map(|(at, (file, _))| (file.as_ref(), at)).collect();
    faults.sort_by_key(|fault| (order.get(&*fault.place.file).copied(), fault.place.line, fault.place.column));
    let mut told: BTreeSet<(Place, Message)> = BTreeSet::new();
    faults.retain(|fault| told.insert((fault.place.clone(), fault.message.clone())));
    (rules, faults)
}

fn compile(mut folder: Folder, names: &Names, keep: Keep, faults: &mut Vec<Fault>) -> RuleSet {
    folder.named.find_cycles(faults);
    let defaults = folder.defaults.as_ref().map(|(_, node)| node);
    let mut named = folder.named;
    if let Some((_, node)) = &folder.defaults {
        check_defaults(node, names, &mut named, faults);
    }
    // A rule's meaning is what was written: fetching the definitions of custom fields changes no rule.
    let mut as_written = names.fields.is_some().then(|| (Names { fields: None, ..names.clone() }, named.as_written()));
    let mut found: Vec<Read> = Vec::new();
    for node in &folder.rules {
        if faults.len() > FAULTS_MAX {
            let message = Message::new(
                "前面的毛病太多，从这里起的规则没有读",
                "there are too many faults: the rules from here on were not read",
            );
            faults.push(Fault::error(node.place.clone(), message));
            break;
        }
        let Some(mut read) = read_rule(node, defaults, names, &mut named, faults) else { continue };
        if let (Some(rule), Some((names, named))) = (&mut read.rule, &mut as_written)
            && let Some(written) = read_rule(node, defaults, names, named, &mut Vec::new()).and_then(|read| read.rule)
        {
            rule.meaning = written.meaning;
        }
        found.push(read);
    }
    check_names(&found, faults);
    check_unused(named, names, defaults, faults);
    let mut rules = RuleSet::default();
    let errors = faults.iter().filter(|fault| fault.gravity == Gravity::Error);
    let faulty: BTreeSet<&str> = errors.map(|fault| &*fault.place.file).collect();
    for read in found {
        let kept = keep == Keep::SoundRules || !faulty.contains(&*read.place.file);
        if let Some(rule) = read.rule.filter(|_| kept) {
            rules.rules.entry(read.name).or_insert(rule);
        }
    }
    rules
}

/// A rule's name is used once, and a former name by one rule only that has it no more.
fn check_names(found: &[Read], faults: &mut Vec<Fault>) {
    let mut places: BTreeMap<&RuleName, &Place> = BTreeMap::new();
    for read in found {
        let (name, place) = (&read.name, &read.place);
        let Some(first) = places.get(name) else {
            places.insert(name, place);
            continue;
        };
        let message = Message::new(
            format!("规则名 “{name}” 已经用在 {first}"),
            format!("the rule name `{name}` is already used at {first}"),
        );
        let hint =
            Message::new("一个提醒属于规则的名字，请换一个名字", "alerts belong to a rule's name: choose another");
        faults.push(Fault::error(place.clone(), message).with_hint(hint));
    }
    let mut claimed: BTreeMap<&RuleName, &Place> = BTreeMap::new();
    for (name, place) in found.iter().flat_map(|read| &read.formerly) {
        let message = if let Some(first) = places.get(name) {
            Message::new(
                format!("曾用名 “{name}” 还是一条规则的名字（{first}）：它的提醒是它自己的"),
                format!("the former name `{name}` is still a rule's ({first}): its alerts are its own"),
            )
        } else if let Some(first) = claimed.insert(name, place) {
            Message::new(
                format!("曾用名 “{name}” 已经写在 {first}：它的提醒只能归一条规则"),
                format!("the former name `{name}` is already claimed at {first}: its alerts go to one rule"),
            )
        } else {
            continue;
        };
        faults.push(Fault::error(place.clone(), message));
    }
}

/// Conditions that no rule uses are compiled too: whoever uses them next should not find them broken. Which calendar
/// they will be used on nobody knows, so one that fits is enough.
fn check_unused(named: Named, names: &Names, defaults: Option<&Node>, faults: &mut Vec<Fault>) {
    let mut map = defaults.and_then(|node| Map::with_twins(node, &Message::default(), rule_key, &mut Vec::new()));
    let usual = map.as_mut().and_then(|map| pace_of(map, names, &mut Vec::new())).unwrap_or_default();
    let any = names.calendars.values().next().map(|calendar| Pace::Office(Arc::clone(calendar)));
    let paces: Vec<Pace> = [Some(usual), any, Some(Pace::Wall)].into_iter().flatten().collect();
    named.check_unused(|named, node| {
        let tried = paces.iter().map(|pace| {
            let mut found = Vec::new();
            let (pace, ground) = (pace.clone(), Ground::Rule);
            Compiler { names, named: &mut *named, faults: &mut found, sources: None, pace, ground, tests: 0 }
                .condition(node);
            found
        });
        faults.extend(tried.reduce(|first, other| if other.is_empty() { other } else { first }).unwrap_or_default());
    });
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
