//! Where templates come from: those that are shipped inside the binary, and a folder of `<name>[.<locale>].hbs`.

use std::{fs, path::Path};

use crate::{
    adapters::templates::compile::TEMPLATE_BYTES_MAX,
    domain::{
        fault::{Fault, Place},
        text::{Locale, Message},
    },
};

/// Templates of one folder.
const FILES_MAX: usize = 500;

/// A template's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    /// The file, as faults name it.
    pub(crate) file: String,
    /// The template's name.
    pub(crate) name: String,
    /// Its language; absent: both.
    pub(crate) locale: Option<Locale>,
    /// The text.
    pub(crate) text: String,
}

macro_rules! shipped {
    ($($file:literal),+ $(,)?) => {
        /// The shipped templates: file name and text.
        pub(crate) const SHIPPED: &[(&str, &str)] =
            &[$(($file, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/", $file)))),+];
    };
}

shipped![
    "agent-silent.en.hbs",
    "agent-silent.zh.hbs",
    "alert.en.hbs",
    "alert.zh.hbs",
    "custom-field.en.hbs",
    "custom-field.zh.hbs",
    "digest.en.hbs",
    "digest.zh.hbs",
    "dissatisfied.en.hbs",
    "dissatisfied.zh.hbs",
    "ended.en.hbs",
    "ended.zh.hbs",
    "ticket.en.hbs",
    "ticket.zh.hbs",
    "waiting-for-user.en.hbs",
    "waiting-for-user.zh.hbs",
    "words-of-complaint.en.hbs",
    "words-of-complaint.zh.hbs",
];

/// The shipped templates.
pub(crate) fn shipped() -> Vec<File> {
    let shipped = SHIPPED.iter().filter_map(|(file, text)| named(file, text));
    shipped.map(|file| File { file: format!("shipped:{}", file.file), ..file }).collect()
}

/// A text under a file's name; nothing where that names no template.
pub(crate) fn named(file: &str, text: &str) -> Option<File> {
    let (name, locale) = name_of(file).ok()??;
    Some(File { file: file.to_string(), name, locale, text: text.to_string() })
}

/// The templates of a folder, by name; what cannot be read is a fault.
pub(crate) fn folder(dir: &Path, faults: &mut Vec<Fault>) -> Vec<File> {
    let shown = dir.display().to_string();
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) => {
            let message = Message::new(
                format!("读不了模板文件夹：{error}。请检查路径和权限，或去掉 templates 一项，使用自带的模板"),
                format!(
                    "the template folder cannot be read: {error}. Check path and permissions, or leave `templates` \
                     out to use the shipped ones"
                ),
            );
            faults.push(Fault::error(Place::file(shown), message));
            return Vec::new();
        }
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.') && name.ends_with(".hbs"))
        .collect();
    names.sort();
    if names.len() > FILES_MAX {
        let message = Message::new(
            format!("模板太多：{} 个，最多 {FILES_MAX}", names.len()),
            format!("too many templates: {}, at most {FILES_MAX}", names.len()),
        );
        faults.push(Fault::error(Place::file(shown.clone()), message));
        names.truncate(FILES_MAX);
    }
    names.iter().filter_map(|name| read(dir, name, faults)).collect()
}

fn read(dir: &Path, file_name: &str, faults: &mut Vec<Fault>) -> Option<File> {
    let path = dir.join(file_name);
    let file = path.display().to_string();
    let mut refuse = |message: Message| {
        faults.push(Fault::error(Place::file(file.clone()), message));
        None
    };
    let (name, locale) = match name_of(file_name) {
        Ok(Some(named)) => named,
        Ok(None) => return refuse(Message::new("文件名里没有模板的名字", "the file's name does not name a template")),
        Err(locale) => {
            return refuse(Message::new(
                format!("没有 “{locale}” 这种语言：文件名是 <名字>.hbs、<名字>.zh.hbs 或 <名字>.en.hbs"),
                format!("there is no language `{locale}`: files are <name>.hbs, <name>.zh.hbs or <name>.en.hbs"),
            ));
        }
    };
    let size = fs::metadata(&path).map(|metadata| metadata.len()).unwrap_or_default();
    if size > TEMPLATE_BYTES_MAX as u64 {
        return refuse(Message::new(
            format!("模板太大：{size} 字节，最多 {TEMPLATE_BYTES_MAX}"),
            format!("the template is too large: {size} bytes, at most {TEMPLATE_BYTES_MAX}"),
        ));
    }
    match fs::read_to_string(&path) {
        Ok(text) => Some(File { file, name, locale, text }),
        Err(error) => refuse(Message::new(
            format!("读不了这个文件：{error}。模板要是 UTF-8 文字"),
            format!("the file cannot be read: {error}. Templates are UTF-8 text"),
        )),
    }
}

/// Name and language in a file's name; nothing where it holds no name, an error for a language nobody speaks here.
fn name_of(file: &str) -> Result<Option<(String, Option<Locale>)>, String> {
    let stem = file.strip_suffix(".hbs").unwrap_or(file);
    let (name, locale) = match stem.rsplit_once('.') {
        None => (stem, None),
        Some((name, "zh")) => (name, Some(Locale::Zh)),
        Some((name, "en")) => (name, Some(Locale::En)),
        Some((_, other)) => return Err(other.to_string()),
    };
    Ok((!name.trim().is_empty()).then(|| (name.to_string(), locale)))
}

#[cfg(test)]
mod tests {
    use super::SHIPPED;

    #[test]
    fn every_shipped_file_is_declared() {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/templates");
        let mut found: Vec<String> =
            std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        found.sort();
        let declared: Vec<&str> = SHIPPED.iter().map(|(file, _)| *file).collect();
        assert_eq!(found, declared);
    }
}
