//! Whatever guests and agents write is shown and does nothing: no mention, no link, no layout of theirs.

use proptest::prelude::*;

use super::samples::{alert, around, bare, field, firing, known, person, rich, send, shipped, ticket_answer};
use crate::{
    adapters::templates::{
        frame::{BODY_BYTES_MAX, TAG_CHARS_MAX, TITLE_CHARS_MAX},
        library::Templates,
    },
    domain::{
        card::Card,
        notice::{AlertView, Content},
        text::{Locale, Message},
        ticket::{Known, Ticket},
    },
};

/// What guests try.
const TRICKS: &[&str] = &[
    "<at id=all></at>",
    "<at ids=ou_a,ou_b></at><at email=boss@example.com></at>",
    "[free money](https://evil.example.com)",
    "![x](img_v2_1)",
    "</font><font color='red'>red",
    "**bold** ~~gone~~ `code` ```fence```",
    "line\n---\n- item\n1. one\n# head\n> quote",
    "\r\n<hr>\r\n<br>",
    ":OK: :SMILE:",
    "abc\u{202e}cba\u{2066}x\u{2069}",
    "&#60;at id=all&#62;",
    "{{ticket.guest.email}} {{{x}}} ${x}",
    "{\"tag\":\"hr\"}\\\"",
    "👩\u{200d}💻🇨🇳❤\u{fe0f}",
    "\u{0}\u{7}\u{1b}[31m",
    "a\u{85}b\u{2028}c\u{2029}d\u{b}e\u{c}f",
];

/// A ticket in which every text is `text`.
fn all_over(text: &str) -> Ticket {
    let mut ticket = rich();
    ticket.guest = person("ou_guest", text, text);
    ticket.agent_owner = person("ou_agent", text, "");
    ticket.customized_fields =
        Known::Present([field("问题描述", text), field(text, text), field("优先级", text)].into());
    ticket.tags = Known::Present([crate::domain::ticket::Tag { id: known("1"), name: known(text) }].into());
    ticket
}

fn contents(text: &str) -> Vec<(Content, Option<&'static str>)> {
    let mut view = alert(firing());
    view.alert.why = Message::new(text, text);
    view.ticket = Some(super::samples::view(all_over(text)));
    let content = Content::Alert(Box::new(view));
    vec![
        (content.clone(), Some("dissatisfied")),
        (content.clone(), Some("waiting-for-user")),
        (content.clone(), Some("custom-field")),
        (content, None),
        (ticket_answer(all_over(text)), None),
    ]
}

/// The marks of card markdown that stand in a text: what is left when ours is all there is must be the same.
fn marks(card: &Card) -> Vec<(&'static str, usize)> {
    ["<", ">", "](", "**", "~~", "`", "\n---", "\n- ", ":OK:", "@"]
        .map(|mark| (mark, card.body.matches(mark).count()))
        .to_vec()
}

fn check(templates: &Templates, text: &str, harmless: &str) {
    for ((content, template), (plain, _)) in contents(text).into_iter().zip(contents(harmless)) {
        for locale in [Locale::Zh, Locale::En] {
            let rendered = templates.render(&send(content.clone(), template, locale), &around());
            let expected = templates.render(&send(plain.clone(), template, locale), &around());
            assert_eq!(rendered.trouble, None, "{text:?}");
            let card = rendered.card;
            assert_eq!(marks(&card), marks(&expected.card), "{template:?} {text:?}\n{}", card.body);
            assert_eq!(card.body.lines().count(), expected.card.body.lines().count(), "{text:?}\n{}", card.body);
            assert!(card.body.len() <= BODY_BYTES_MAX + 8);
            for line in [&card.title, &card.footer].into_iter().chain(&card.tags) {
                let hidden = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
                assert!(!line.contains(hidden), "{line:?}");
            }
            assert!(card.title.chars().count() <= TITLE_CHARS_MAX, "{}", card.title);
            assert!(card.tags.len() <= 3 && card.tags.iter().all(|tag| tag.chars().count() <= TAG_CHARS_MAX));
        }
    }
}

#[test]
fn tricks_are_shown_and_do_nothing() {
    let templates = shipped();
    for trick in TRICKS {
        check(&templates, trick, "abc");
    }
}

#[test]
fn long_texts_are_cut_and_never_refused() {
    let templates = shipped();
    for long in ["打".repeat(100_000), "<at id=all>".repeat(10_000), "a\n".repeat(50_000)] {
        check(&templates, &long, "abc");
    }
}

#[test]
fn a_hostile_text_as_a_reader_sees_it() {
    let templates = shipped();
    let (content, template) = contents("<at id=all></at>\n[x](https://evil.example.com)").swap_remove(0);
    let card = templates.render(&send(content, template, Locale::Zh), &around()).card;
    insta::assert_snapshot!(format!("{}\n{}\n{}", card.title, card.tags.join("|"), card.body));
}

#[test]
fn a_card_with_nothing_known_is_still_a_card() {
    let templates = shipped();
    let view = AlertView { ticket: Some(super::samples::view(bare())), rule: None, ..alert(firing()) };
    let card = templates.render(&send(Content::Alert(Box::new(view)), None, Locale::Zh), &around()).card;
    assert!(!card.title.is_empty() && !card.body.is_empty() && !card.footer.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_has_any_effect(text in "[\\PC\\n<>@\\[\\]()*_~`#:|!.&;-]{1,200}") {
        prop_assume!(!crate::domain::card::one_line(&text).is_empty());
        check(&SHIPPED, &text, "abc");
    }
}

static SHIPPED: std::sync::LazyLock<Templates> = std::sync::LazyLock::new(shipped);
