//! The documents as text: files, fenced blocks, links, headings.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A document.
pub(crate) struct Page {
    /// Its path from the root.
    pub(crate) path: PathBuf,
    /// Its text.
    pub(crate) text: String,
}

/// A fenced block of a document.
pub(crate) struct Block {
    /// File and line, for messages.
    pub(crate) place: String,
    /// The word behind the fence.
    pub(crate) language: String,
    /// What stands in it.
    pub(crate) text: String,
}

/// Every document of the project, in the order of their paths.
pub(crate) fn all() -> Vec<Page> {
    let mut paths: Vec<PathBuf> = [".", "docs"]
        .iter()
        .flat_map(|dir| fs::read_dir(dir).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    paths.sort();
    paths.into_iter().map(|path| Page { text: fs::read_to_string(&path).unwrap(), path }).collect()
}

impl Block {
    /// Whether it shows rule tests.
    pub(crate) fn is_rule_test(&self) -> bool {
        let first = self.text.lines().find(|line| !line.starts_with('#')).unwrap_or_default();
        self.language == "yaml" && (first.starts_with("- name:") || first.starts_with("- 名称:"))
    }
}

impl Page {
    /// Its fenced blocks.
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let mut found = Vec::new();
        let mut open: Option<Block> = None;
        for (number, line) in self.text.lines().enumerate() {
            let fence = line.trim().strip_prefix("```");
            open = match (open, fence) {
                (None, Some(language)) => {
                    let place = format!("{}:{}", self.path.display(), number + 2);
                    Some(Block { place, language: language.to_string(), text: String::new() })
                }
                (None, None) => None,
                (Some(block), Some("")) => {
                    found.push(block);
                    None
                }
                (Some(mut block), _) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                    Some(block)
                }
            };
        }
        assert!(open.is_none(), "{}: a block is not closed", self.path.display());
        found
    }

    /// The lines outside fenced blocks, with their numbers.
    pub(crate) fn prose(&self) -> Vec<(usize, &str)> {
        let mut inside = false;
        let outside = |(_, line): &(usize, &str)| {
            let fence = line.trim().starts_with("```");
            inside ^= fence;
            !inside && !fence
        };
        self.text.lines().enumerate().map(|(at, line)| (at + 1, line)).filter(outside).collect()
    }

    /// What stands between backticks in the prose.
    pub(crate) fn code_spans(&self) -> Vec<(usize, &str)> {
        let spans = |line| str::split(line, '`').skip(1).step_by(2);
        self.prose().into_iter().flat_map(|(at, line)| spans(line).map(move |span| (at, span))).collect()
    }

    /// Every link and picture: where it leads.
    pub(crate) fn links(&self) -> Vec<(usize, &str)> {
        let mut found = Vec::new();
        for (at, line) in self.prose() {
            for rest in line.split("](").skip(1) {
                found.extend(rest.split_once(')').map(|(target, _)| (at, target)));
            }
        }
        found
    }

    /// The anchors of its headings, as GitHub makes them.
    pub(crate) fn anchors(&self) -> Vec<String> {
        let headings = self.prose().into_iter().filter(|(_, line)| line.starts_with('#'));
        headings.map(|(_, line)| anchor(line.trim_start_matches('#').trim())).collect()
    }

    /// What stands between `<!-- name -->` and `<!-- /name -->`.
    pub(crate) fn marked(&self, name: &str) -> Option<&str> {
        let (_, after) = self.text.split_once(&format!("<!-- {name} -->\n"))?;
        let (inside, _) = after.split_once(&format!("<!-- /{name} -->"))?;
        Some(inside)
    }

    /// The page of a path.
    pub(crate) fn at(path: &str) -> Self {
        Self { path: Path::new(path).to_path_buf(), text: fs::read_to_string(path).unwrap() }
    }
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}
