//! The page for a legal department: its figures are the code's, and no kind of record is left out.

use deskbell::{
    adapters::store::{
        config::{RETENTION_DEFAULT, RETENTION_MAX, RETENTION_MIN},
        database::record_kinds,
    },
    app::config::privacy::{MASKS, show_words},
    domain::{
        call::CALLS_KEPT,
        conversation::{SAID_CHARS_MAX, SAID_MAX},
        delivery::{ANSWER_GIVE_UP_AFTER, GIVE_UP_AFTER},
        desk::{dead::DEAD_LETTERS_MAX, troubles::SEEN_KEPT},
        mask::mask,
        privacy::{GUEST_TEXT, GUEST_TEXT_MAX, Privacy},
        text::Locale,
        time::Span,
    },
};

use super::pages::Page;

const PAGES: [(&str, Locale); 2] = [("docs/privacy.md", Locale::En), ("docs/privacy.zh-CN.md", Locale::Zh)];

/// With a comma between thousands.
fn number(number: i64) -> String {
    if number < 1_000 { number.to_string() } else { format!("{},{:03}", number / 1_000, number % 1_000) }
}

fn days(span: Span) -> i64 {
    span.as_secs() / 86_400
}

#[test]
fn every_kind_of_record_is_told_of() {
    for (name, locale) in PAGES {
        let text = Page::at(name).marked("stored").unwrap().to_string();
        let first: Vec<&str> = text.lines().skip(2).filter_map(|line| line.split('|').nth(1)).collect();
        let listed: Vec<&str> = first.iter().flat_map(|cell| cell.split([',', '、'])).map(str::trim).collect();
        for kind in record_kinds() {
            assert!(listed.contains(&kind.get(locale)), "{name}: {}", kind.en);
        }
        assert_eq!(listed.len(), record_kinds().count(), "{name}: {listed:?}");
    }
}

#[test]
fn its_figures_are_those_of_the_code() {
    let chars = |count: usize| i64::try_from(count).unwrap();
    let (hours, minutes) = (3_600, 60);
    let seconds = |span: Span, unit: i64| span.as_secs() / unit;
    let figures = [
        (number(days(RETENTION_DEFAULT)), "天", " days"),
        (format!("{} 到 {}", days(RETENTION_MIN), number(days(RETENTION_MAX))), " 天", ""),
        (chars(SAID_MAX).to_string(), " 条消息", " of each side"),
        (chars(SAID_CHARS_MAX).to_string(), " 个字", " characters"),
        (number(chars(DEAD_LETTERS_MAX)), " 条", " at most"),
        (seconds(SEEN_KEPT, hours).to_string(), " 小时", " hours"),
        (seconds(GIVE_UP_AFTER, hours).to_string(), " 小时", " hours"),
        (seconds(ANSWER_GIVE_UP_AFTER, minutes).to_string(), " 分钟", " minutes"),
        (seconds(CALLS_KEPT, hours).to_string(), " 小时", " hour"),
        (chars(GUEST_TEXT).to_string(), " 个字", " characters"),
        (format!("0 到 {GUEST_TEXT_MAX}"), "", ""),
    ];
    for (name, locale) in PAGES {
        let text = Page::at(name).text.clone();
        for (figure, zh, en) in &figures {
            let (figure, unit) = match locale {
                Locale::Zh => (figure.clone(), *zh),
                Locale::En => (figure.replace(" 到 ", " to "), *en),
            };
            let spaced = format!("{figure}{unit}");
            let alone = format!("{figure} {}", unit.trim());
            assert!(text.contains(&spaced) || text.contains(&alone), "{name} does not say {spaced}");
        }
    }
}

#[test]
fn what_it_says_of_settings_and_masks_is_so() {
    let usual = Privacy::default();
    assert_eq!((usual.guest_text, usual.forward, usual.raw), (GUEST_TEXT, false, false));
    for (name, _) in PAGES {
        let text = Page::at(name).text.clone();
        for (number, masked) in [
            ("13812345678", "138****5678"),
            ("li.lei@example.com", "l*****@example.com"),
            ("11010519491231002X", "110105********002X"),
            ("6222020200112233446", "622************3446"),
        ] {
            assert_eq!(mask(number), masked);
            assert!(text.contains(&format!("`{masked}`")), "{name}: {masked}");
        }
        let english = show_words().into_iter().filter(|word| word.is_ascii());
        for word in english.chain(MASKS.iter().map(|(word, ..)| (*word).to_string())) {
            assert!(text.contains(&format!("`{word}`")), "{name}: {word}");
        }
    }
}
