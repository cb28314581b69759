//! Broken templates, each with the exact faults people see: `tests/cases/templates/broken/<name>.hbs` and its `.txt`.

use std::{fmt::Write, fs, path::Path};

use super::samples::{alert, around, firing, send};
use crate::{
    adapters::templates::{
        compile,
        library::{Raw, Templates},
    },
    domain::{fault::Fault, notice::Content, text::Locale},
};

const BROKEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/templates/broken");

fn told(faults: &[Fault]) -> String {
    let mut out = String::new();
    for Fault { place, message, hint, .. } in faults {
        writeln!(out, "{place} {}", message.zh).unwrap();
        if let Some(hint) = hint {
            writeln!(out, "    {}", hint.zh).unwrap();
        }
        writeln!(out, "{place} {}", message.en).unwrap();
        if let Some(hint) = hint {
            writeln!(out, "    {}", hint.en).unwrap();
        }
    }
    out
}

/// With `UPDATE_CASES=1` the expectations are written anew; read the difference before keeping it.
#[test]
fn broken_templates_say_what_is_wrong() {
    let update = std::env::var_os("UPDATE_CASES").is_some();
    let mut names: Vec<String> = fs::read_dir(BROKEN)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".hbs"))
        .collect();
    names.sort();
    assert!(names.len() >= 15, "{names:?}");
    for name in names {
        let text = fs::read_to_string(Path::new(BROKEN).join(&name)).unwrap();
        let mut faults = Vec::new();
        let compiled = compile::compile(&name, &text, Raw::Refused, &mut faults);
        assert!(compiled.is_none() && !faults.is_empty(), "{name} compiles");
        let expected = Path::new(BROKEN).join(name.replace(".hbs", ".txt"));
        if update {
            fs::write(&expected, told(&faults)).unwrap();
        }
        assert_eq!(told(&faults), fs::read_to_string(&expected).unwrap_or_default(), "{name}");
    }
}

#[test]
fn a_folder_goes_before_what_is_shipped_and_faulty_files_are_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write("alert.hbs", "---\ntitle: 自己的 {{rule.name}}\n---\n{{alert.why}}\n");
    write("ended.zh.hbs", "---\ntitle: {{{rule.name}}}\n---\n");
    write("vip.zh.hbs", "---\ntitle: \"VIP {{ticket.subject}}\"\ncolour: purple\n---\n");
    write("vip.fr.hbs", "---\ntitle: x\n---\n");
    write("notes.txt", "not a template");
    let (templates, faults) = Templates::load(Some(dir.path()));
    let files: Vec<&str> = faults.iter().filter_map(|fault| fault.place.file.rsplit('/').next()).collect();
    assert_eq!(files, ["vip.fr.hbs", "ended.zh.hbs"], "{faults:?}");
    assert!(templates.names().iter().any(|name| name.as_str() == "vip"));

    let title = |template: Option<&str>, locale| {
        let content = Content::Alert(Box::new(alert(firing())));
        templates.render(&send(content, template, locale), &around()).card.title
    };
    assert_eq!(title(None, Locale::Zh), "自己的 待用户响应太久");
    assert_eq!(title(None, Locale::En), "自己的 待用户响应太久");
    // One's own template in another language goes before the shipped general one.
    assert_eq!(title(Some("vip"), Locale::En), "VIP 三楼打印机连不上，提示 E-04");
}

#[test]
fn a_folder_that_cannot_be_read_is_a_fault_and_the_shipped_ones_stand_in() {
    let (templates, faults) = Templates::load(Some(Path::new("/no/such/folder")));
    assert_eq!(faults.len(), 1);
    assert!(faults[0].message.en.contains("Check path and permissions"));
    assert!(!templates.names().is_empty());
}

#[test]
fn a_template_that_fails_when_sent_is_replaced_and_operations_hears() {
    let dir = tempfile::tempdir().unwrap();
    let text = "---\ntitle: \"{{rule.name}}\"\ncolour: \"{{ticket.subject}}\"\n---\nx\n";
    fs::write(dir.path().join("odd.hbs"), text).unwrap();
    let (templates, faults) = Templates::load(Some(dir.path()));
    assert_eq!(faults, []);
    for (template, reason) in [("odd", "colour"), ("missing", "there is no template `missing`")] {
        let content = Content::Alert(Box::new(alert(firing())));
        let rendered = templates.render(&send(content, Some(template), Locale::Zh), &around());
        assert_eq!(rendered.card.title, "待用户响应太久 · 三楼打印机连不上，提示 E-04");
        assert!(rendered.card.body.contains("27 小时"));
        let trouble = rendered.trouble.unwrap();
        assert!(trouble.en.contains(reason), "{trouble}");
        assert!(trouble.en.contains("built-in card was used"), "{trouble}");
    }
}
