//! Which tests are run, and how it ends: 1 when one fails, 2 when something cannot be read.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    adapters::{
        rulebook::cases::{case::Case, read::read_cases},
        yaml::parse::FILE_BYTES_MAX,
    },
    cli::{
        args::Format,
        report,
        run::Stop,
        terminal::Terminal,
        test::{
            check::{Outcome, check},
            shown,
            world::{Base, World},
        },
    },
    domain::{
        fault::{Fault, Gravity, Place},
        text::{Locale, Message},
    },
};

/// What tests end in.
const ENDING: &str = ".test.yaml";

/// Test files of one run.
const FILES_MAX: usize = 1_000;

/// What is to be run, and how.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Folders and files; none: the folder of rules.
    pub paths: Vec<PathBuf>,
    /// The configuration, where one is named.
    pub config: Option<PathBuf>,
    /// The language of the cards, where one is named.
    pub locale: Option<Locale>,
    /// What the result looks like.
    pub format: Format,
}

/// A case and what became of it.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) case: Case,
    pub(super) outcome: Outcome,
}

/// Runs the tests.
pub fn run(choice: &Choice, terminal: Terminal) -> Result<(), Stop> {
    let base = base(choice, terminal)?;
    let paths = if choice.paths.is_empty() { vec![base.rules_dir()] } else { choice.paths.clone() };
    let mut faults = Vec::new();
    let folders = folders(&paths, &mut faults);
    let mut worlds = Vec::new();
    for (dir, files) in folders {
        let world = World::build(&base, &dir, choice.locale, &mut faults);
        let mut cases = Vec::new();
        for file in files {
            let name = file.display().to_string();
            if let Some(text) = text_of(&file, &name, &mut faults) {
                cases.extend(read_cases(&name, &text, &world.ground, &mut faults));
            }
        }
        worlds.push((world, cases));
    }
    faults.retain(|fault| fault.gravity == Gravity::Error);
    if !faults.is_empty() {
        let read = report::reader(Path::new("."));
        terminal.print_beside(&report::faults(&faults, terminal.locale, &read));
        return Err(Stop::usage("请改好以上错误", "please mend the errors above"));
    }
    let mut runs = Vec::new();
    for (world, cases) in worlds {
        for case in cases {
            let outcome = check(&case, &world);
            let run = Run { case, outcome };
            if choice.format == Format::Text {
                terminal.print(&shown::lines(&run, terminal));
            }
            runs.push(run);
        }
    }
    if choice.format == Format::Json {
        terminal.print(&shown::json(&runs));
    }
    end(&runs)
}

fn end(runs: &[Run]) -> Result<(), Stop> {
    let failed = runs.iter().filter(|run| !run.outcome.is_well()).count();
    let passed = runs.len() - failed;
    if failed > 0 {
        return Err(Stop::failure(
            format!("{failed} 个没有通过，{passed} 个通过"),
            format!("{failed} failed, {passed} passed"),
        ));
    }
    if runs.is_empty() {
        return Err(Stop::usage("没有测试用例", "there is no test case"));
    }
    Ok(())
}

/// The configuration that was named, or the one of this folder, or none.
fn base(choice: &Choice, terminal: Terminal) -> Result<Base, Stop> {
    let here = || Some(PathBuf::from("deskbell.yaml")).filter(|path| path.is_file());
    match choice.config.clone().or_else(here) {
        Some(path) => Base::configured(&path, terminal),
        None => Ok(Base::StandIn),
    }
}

/// Test files, by the folder whose rules they put to the test.
fn folders(paths: &[PathBuf], faults: &mut Vec<Fault>) -> Vec<(PathBuf, Vec<PathBuf>)> {
    let mut found: Vec<(PathBuf, Vec<PathBuf>)> = Vec::new();
    let mut seen = BTreeSet::new();
    for path in paths {
        if !path.is_dir() && !is_test(path) {
            faults.push(not_a_test(path));
            continue;
        }
        let files = if path.is_dir() { tests_in(path, faults) } else { vec![path.clone()] };
        for file in files {
            let dir = match file.parent() {
                Some(parent) if parent != Path::new("") => parent.to_path_buf(),
                _ => PathBuf::from("."),
            };
            if !seen.insert(file.clone()) || seen.len() > FILES_MAX {
                continue;
            }
            match found.iter_mut().find(|(known, _)| *known == dir) {
                Some((_, files)) => files.push(file),
                None => found.push((dir, vec![file])),
            }
        }
    }
    if seen.len() > FILES_MAX {
        let message = Message::new(
            format!("测试文件有 {} 个，最多 {FILES_MAX} 个", seen.len()),
            format!("{} test files, at most {FILES_MAX}", seen.len()),
        );
        faults.push(Fault::error(Place::default(), message));
    }
    found
}

/// A path that is neither a folder nor a file of tests, or is not there at all.
fn not_a_test(path: &Path) -> Fault {
    let place = Place::file(path.display().to_string());
    if !path.exists() {
        return Fault::error(place, Message::new("没有这个文件或文件夹", "there is no such file or folder"));
    }
    let message = Message::new("这不是测试文件", "this is no file of tests");
    Fault::error(place, message)
        .with_hint(Message::new("测试文件的名字以 .test.yaml 结尾", "files of tests end in .test.yaml"))
}

fn tests_in(dir: &Path, faults: &mut Vec<Fault>) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut files: Vec<PathBuf> = match entries {
        Ok(entries) => entries.into_iter().map(|entry| entry.path()).filter(|path| is_test(path)).collect(),
        Err(error) => {
            let message = Message::new(format!("读不了这个文件夹：{error}"), format!("cannot be read: {error}"));
            faults.push(Fault::error(Place::file(dir.display().to_string()), message));
            return Vec::new();
        }
    };
    files.sort();
    if files.is_empty() {
        let message = Message::new(
            format!("这个文件夹里没有规则测试（*{ENDING}）"),
            format!("this folder holds no rule test (*{ENDING})"),
        );
        faults.push(Fault::error(Place::file(dir.display().to_string()), message));
    }
    files
}

fn is_test(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.ends_with(ENDING) && !name.starts_with('.') && !path.is_dir()
}

fn text_of(path: &Path, name: &str, faults: &mut Vec<Fault>) -> Option<Arc<str>> {
    let read = fs::metadata(path).and_then(|file| {
        if file.len() > FILE_BYTES_MAX as u64 {
            return Err(io::Error::other(format!("> {FILE_BYTES_MAX} bytes")));
        }
        fs::read_to_string(path)
    });
    match read {
        Ok(text) => Some(text.into()),
        Err(error) => {
            let message =
                Message::new(format!("读不了这个文件：{error}"), format!("this file cannot be read: {error}"));
            faults.push(Fault::error(Place::file(name), message));
            None
        }
    }
}
