//! Properties of the code itself: floors, headers, lengths.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Lower floor first. A module may import only from floors strictly below its own, or from its own room; a module on
/// no floor is an error.
const FLOORS: &[&[&str]] = &[
    &["domain", "sim"],
    &["adapters::yaml"],
    &["adapters::http", "adapters::clock", "adapters::secret"],
    &[
        "adapters::feishu",
        "adapters::outgoing",
        "adapters::store",
        "adapters::templates",
        "adapters::calendars",
        "adapters::rulebook",
    ],
    &["engine"],
    &["web"],
    &["app"],
    &["cli"],
    &["main", "lib"],
];

/// Lines a file may have. Longer ones are split before they are dreaded.
const FILE_LINES_MAX: usize = 600;

/// What does not belong below the line.
const BANNED_IN_PURE: &[&str] =
    &["async fn", "tokio::", "std::fs", "std::net", "HashMap", "HashSet", "rand::", "Utc::now"];

/// The simulator's only doors to the network: it answers requests, and it holds long connections.
const SKIN: &[&str] = &["sim/http.rs", "sim/socket.rs"];

#[test]
fn imports_point_down() {
    let mut bad = Vec::new();
    for path in sources(Path::new("src")) {
        let own = module_of(&path);
        let text = production_part(&read(&path));
        if text.contains("super::super") || text.contains("pub use ") {
            bad.push(format!("{own}: `super::super` and `pub use` hide edges"));
        }
        if own == "adapters" {
            continue; // holds only mod lines
        }
        let Some(own_floor) = floor(&own) else {
            bad.push(format!("{own}: on no floor"));
            continue;
        };
        for target in crate_paths(&text) {
            let Some(target_floor) = floor(&target) else {
                bad.push(format!("{own} -> {target}: leads to no floor"));
                continue;
            };
            if room(&own) == room(&target) {
                continue;
            }
            if room(&target) == "sim" && !own.starts_with("cli::demo") {
                bad.push(format!("{own} -> {target}: only cli::demo and tests enter the simulator"));
            }
            if target_floor >= own_floor {
                bad.push(format!("{own} (floor {own_floor}) -> {target} (floor {target_floor})"));
            }
        }
    }
    assert!(bad.is_empty(), "\n{}\n", bad.join("\n"));
}

#[test]
fn the_core_is_pure() {
    let mut bad = Vec::new();
    for path in sources(Path::new("src/domain")).into_iter().chain(sources(Path::new("src/sim"))) {
        if SKIN.iter().any(|file| path.ends_with(file)) {
            continue;
        }
        let text = production_part(&read(&path));
        for word in BANNED_IN_PURE.iter().filter(|word| text.contains(**word)) {
            bad.push(format!("{}: {word}", path.display()));
        }
    }
    assert!(bad.is_empty(), "\n{}\n", bad.join("\n"));
}

#[test]
fn files_open_with_their_purpose_and_stay_short() {
    let mut bad = Vec::new();
    for root in ["src", "tests", "benches"] {
        for path in sources(Path::new(root)) {
            let text = read(&path);
            if !text.starts_with("//! ") {
                bad.push(format!("{}: does not begin with `//! `", path.display()));
            }
            let lines = text.lines().count();
            if lines > FILE_LINES_MAX {
                bad.push(format!("{}: {lines} lines, at most {FILE_LINES_MAX}", path.display()));
            }
            if text.lines().any(|line| line.ends_with(' ')) {
                bad.push(format!("{}: a line ends in a space", path.display()));
            }
        }
    }
    assert!(bad.is_empty(), "\n{}\n", bad.join("\n"));
}

#[test]
fn mod_files_hold_only_docs_and_mod_lines() {
    let mut bad = Vec::new();
    for path in sources(Path::new("src")).into_iter().filter(|path| path.ends_with("mod.rs")) {
        for line in production_part(&read(&path)).lines().map(str::trim) {
            if !(line.is_empty()
                || line.starts_with("pub mod ")
                || line.starts_with("pub(super) mod ")
                || line.starts_with("mod ")
                || line.starts_with("#["))
            {
                bad.push(format!("{}: {line}", path.display()));
            }
        }
    }
    assert!(bad.is_empty(), "\n{}\n", bad.join("\n"));
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.iter().any(|room| is_inside(module, room)))
}

fn room(module: &str) -> &str {
    FLOORS.iter().flat_map(|rooms| rooms.iter()).find(|room| is_inside(module, room)).copied().unwrap_or(module)
}

fn is_inside(module: &str, room: &str) -> bool {
    module == room || module.starts_with(&format!("{room}::"))
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() { sources(&path) } else { vec![path] }
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    found.sort();
    found
}

fn module_of(path: &Path) -> String {
    let path = path.strip_prefix("src").unwrap().with_extension("");
    let module = path.to_string_lossy().replace('/', "::");
    module.trim_end_matches("::mod").to_string()
}

/// The file without its inline test module and without comments.
fn production_part(text: &str) -> String {
    let cut = text.find("#[cfg(test)]\nmod ").unwrap_or(text.len());
    text.get(..cut).unwrap().lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// Every `crate::a::b` mentioned, `crate::{a::b, c::{d, e}}` opened to the last name.
fn crate_paths(text: &str) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for (at, mark) in text.match_indices("crate::") {
        open_group("", text.get(at + mark.len()..).unwrap(), &mut out);
    }
    out
}

fn open_group(prefix: &str, text: &str, out: &mut BTreeSet<String>) {
    let text = text.trim_start();
    let word: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == ':').collect();
    let path = format!("{prefix}{word}");
    let Some(group) = text.get(word.len()..).and_then(|rest| rest.strip_prefix('{')) else {
        if !word.is_empty() {
            out.insert(path.trim_end_matches(':').to_string()); // nothing stands after a group's last comma
        }
        return;
    };
    let (mut depth, mut start) = (0, 0);
    for (at, c) in group.char_indices() {
        if depth == 0 && (c == ',' || c == '}') {
            open_group(&path, group.get(start..at).unwrap(), out);
            start = at + 1;
        }
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return,
            '}' => depth -= 1,
            _ => {}
        }
    }
}
