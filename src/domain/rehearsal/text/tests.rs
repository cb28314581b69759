//! The page as it is kept in `tests/cases/rehearsal`.

use std::{env, fs};

use unicode_width::UnicodeWidthStr;

use super::*;
use crate::domain::{card::shown, rehearsal::report::tests::month};

/// Set to write the pages anew.
const UPDATE: &str = "UPDATE_CASES";

fn heading() -> Heading {
    Heading {
        title: Message::new("演练 it-desk：如果这些规则已经上线", "Rehearsal of it-desk: had these rules been live"),
        polling: 6_060,
        monthly: Some(10_000),
    }
}

fn is_kept(file: &str, text: &str) {
    let path = format!("tests/cases/rehearsal/{file}");
    if env::var_os(UPDATE).is_some() {
        fs::create_dir_all("tests/cases/rehearsal").unwrap();
        fs::write(&path, format!("{text}\n")).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, kept.trim_end(), "{path}; {UPDATE}=1 writes it anew");
}

#[test]
fn the_page_reads_as_it_is_kept_and_fits_the_terminal() {
    let page = month();
    for (locale, name) in [(Locale::Zh, "zh"), (Locale::En, "en")] {
        let text = terminal(&page, &heading(), locale);
        for line in text.lines() {
            assert!(line.width() <= WIDTH + 2, "{} columns: {line}", line.width());
        }
        is_kept(&format!("page.{name}.txt"), &text);
        let card = card(&page, &heading(), locale);
        is_kept(&format!("card.{name}.txt"), &format!("{}\n{}\n{}", card.title, shown(&card.body), card.footer));
        assert!(card.body.len() < 20_000 && card.colour == Colour::Orange);
    }
}

#[test]
fn more_calls_than_the_plan_has_are_said() {
    let told =
        |monthly| terminal(&month(), &Heading { monthly, ..heading() }, Locale::En).contains("more than the plan's");
    assert!(told(Some(7_000)) && !told(Some(100_000)) && !told(None));
}

#[test]
fn what_comes_from_outside_is_only_shown() {
    let mut page = month();
    let name = "<at id=all></at> [x](https://evil)";
    page.unplayed.push((name.into(), Message::new("原因", "why")));
    if let Some(rule) = page.rules.first_mut() {
        rule.name = name.into();
    }
    let body = card(&page, &heading(), Locale::Zh).body;
    assert!(!body.contains("<at") && !body.contains("](http"), "{body}");
}
