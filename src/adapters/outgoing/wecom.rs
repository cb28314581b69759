//! A card as a message of a WeCom group bot: `msgtype: markdown`, at most 4,096 bytes. No page of the vendor is at
//! hand: that bold, links, quotes and three colours are shown, that `<@id>` mentions, and that nothing can be escaped
//! is UNCONFIRMED, from what its users report.

use serde_json::json;

use crate::{
    adapters::outgoing::wire::clipped,
    domain::{
        card::{Card, Colour, Does, Mentioned, one_line},
        text::{Locale, Words},
        typed,
    },
};

/// Bytes of a message's markdown, in UTF-8 (UNCONFIRMED).
pub const MARKDOWN_BYTES_MAX: usize = 4_096;

/// Bytes of the title and of the footer, each: the body keeps most of the room.
const FRAME_LINE_BYTES_MAX: usize = 600;

/// Bytes of a link's address; a longer one is left out.
const LINK_BYTES_MAX: usize = 1_024;

/// What ends a shortened body.
const SHORTENED: Words = Words { zh: "…（已截短）", en: "… (shortened)" };

/// What a colour's tag begins with.
const FONT: &str = "<font color=\"";

/// The request's body for a card.
pub(super) fn body(card: &Card, locale: Locale) -> String {
    json!({ "msgtype": "markdown", "markdown": { "content": markdown(card, locale) } }).to_string()
}

/// The card as WeCom's markdown: what came from outside is text in it, and nothing else.
fn markdown(card: &Card, locale: Locale) -> String {
    let title = format!("**{}**", plain(&card.title));
    let footer = coloured("comment", &plain(&card.footer));
    let mut lines = Vec::new();
    let tags: Vec<String> = card.tags.iter().filter(|tag| !tag.is_empty()).map(|tag| plain(tag)).collect();
    if !tags.is_empty() {
        lines.push(coloured(colour(card.colour), &tags.join(" · ")));
    }
    lines.extend(named(card));
    lines.extend(card.body.lines().map(line));
    lines.extend(typed::lines(&card.buttons, locale).iter().map(|line| plain(line)));
    lines.extend(links(card));
    let room = MARKDOWN_BYTES_MAX - title.len() - footer.len() - 2;
    let mut out = title;
    for line in fitted(lines, room, SHORTENED.get(locale)) {
        out.push('\n');
        out.push_str(&line);
    }
    out.push('\n');
    out.push_str(&footer);
    out
}

/// Whom the card would mention: by name only, for a bot knows nobody.
fn named(card: &Card) -> Option<String> {
    let names: Vec<String> = card
        .mentions
        .iter()
        .filter_map(|one| match one {
            Mentioned::Named(name) => Some(plain(name)),
            Mentioned::There(_) => None,
        })
        .collect();
    (!names.is_empty()).then(|| names.join(" "))
}

/// The buttons that open an address, as links.
fn links(card: &Card) -> Option<String> {
    let links: Vec<String> = card
        .buttons
        .iter()
        .filter_map(|button| match &button.does {
            Does::Open(url) => link(&button.text, url),
            Does::Press(..) | Does::Ask(_) => None,
        })
        .collect();
    (!links.is_empty()).then(|| links.join(" "))
}

/// As many whole lines as fit, marked where some are left out; of a first line that is too long, its beginning.
fn fitted(lines: Vec<String>, room: usize, mark: &str) -> Vec<String> {
    let bytes = |lines: &[String]| lines.iter().map(|line| line.len() + 1).sum::<usize>();
    if bytes(&lines) <= room {
        return lines;
    }
    let mut kept: Vec<String> = Vec::new();
    let (mut left, mark_bytes) = (room, mark.len() + 1);
    for line in lines {
        if line.len() + 1 + mark_bytes > left {
            if kept.is_empty() {
                let whole = without_markup(&line);
                kept.push(clipped(&whole, left.saturating_sub(mark_bytes + 1)).into_owned());
            }
            break;
        }
        left -= line.len() + 1;
        kept.push(line);
    }
    kept.push(mark.to_owned());
    kept
}

/// A line of ours without the markup this file writes.
fn without_markup(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(['<', '*', '[']) {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        rest = match after.chars().next() {
            Some('<') => after.split_once('>').map_or("", |(_, after)| after),
            _ => after.get(1..).unwrap_or_default(),
        };
    }
    out.push_str(rest);
    out.replace("](", " ").trim_end_matches(')').to_owned()
}

/// One line of card markdown. What a template wrote as markup stays markup where WeCom has it; what was escaped, and
/// every other character, becomes text.
fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut words = String::new();
    let (mut bold, mut font) = (false, false);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            '&' => numbered(rest).map(|(seen, taken)| {
                words.push(seen);
                taken
            }),
            '*' if rest.starts_with("**") => {
                say(&mut out, &mut words);
                out.push_str("**");
                bold = !bold;
                Some(2)
            }
            '~' if rest.starts_with("~~") => Some(2),
            '<' => tag(rest).map(|(tag, taken)| {
                say(&mut out, &mut words);
                turn_font(&mut out, tag, &mut font);
                taken
            }),
            '[' => markdown_link(rest).map(|(link, taken)| {
                say(&mut out, &mut words);
                out.push_str(&link);
                taken
            }),
            _ => None,
        };
        let taken = taken.unwrap_or_else(|| {
            words.push(c);
            c.len_utf8()
        });
        rest = rest.get(taken..).unwrap_or_default();
    }
    say(&mut out, &mut words);
    if font {
        out.push_str("</font>");
    }
    if bold {
        out.push_str("**");
    }
    out
}

/// Moves the words gathered so far behind the rest, as text.
fn say(out: &mut String, words: &mut String) {
    out.push_str(&safe(words, out.is_empty()));
    words.clear();
}

/// `<font color='red'>` begins a colour that WeCom has, `</font>` ends it; any other tag is left out.
fn turn_font(out: &mut String, tag: &str, font: &mut bool) {
    if tag.starts_with("font") && !*font {
        let name = tag.split(['\'', '"']).nth(1).and_then(Colour::from_name).unwrap_or_default();
        out.push_str(&format!("{FONT}{}\">", colour(name)));
        *font = true;
    } else if tag == "/font" && *font {
        out.push_str("</font>");
        *font = false;
    }
}

/// What stands inside the tag a text begins with, and how many bytes the tag takes.
fn tag(text: &str) -> Option<(&str, usize)> {
    let (inside, _) = text.strip_prefix('<')?.split_once('>')?;
    let named = inside.trim_start_matches('/').starts_with(|c: char| c.is_ascii_alphabetic());
    named.then_some((inside, inside.len() + 2))
}

/// The link a text begins with, and how many bytes it takes.
fn markdown_link(text: &str) -> Option<(String, usize)> {
    let (words, after) = text.strip_prefix('[')?.split_once("](")?;
    let (url, _) = after.split_once(')')?;
    let taken = words.len() + url.len() + 4;
    Some((link(&decoded(words), url)?, taken))
}

/// A link, where the address is one that WeCom opens and cannot end the link early.
fn link(words: &str, url: &str) -> Option<String> {
    let opens = url.starts_with("https://") || url.starts_with("http://");
    let sound = url.len() <= LINK_BYTES_MAX && url.chars().all(|c| c.is_ascii_graphic() && !"()<>[]\\`".contains(c));
    (opens && sound).then(|| format!("[{}]({url})", plain(words)))
}

/// The text with numbered characters as themselves.
fn decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (seen, taken) = numbered(rest).unwrap_or((c, c.len_utf8()));
        out.push(seen);
        rest = rest.get(taken..).unwrap_or_default();
    }
    out
}

/// The character a text begins with as a number (`&#60;`), and how many bytes that takes.
fn numbered(text: &str) -> Option<(char, usize)> {
    let (digits, _) = text.strip_prefix("&#")?.split_once(';')?;
    Some((char::from_u32(digits.parse().ok()?)?, digits.len() + 3))
}

/// Plain text on one line, cut, as text.
fn plain(text: &str) -> String {
    let safe = safe(&one_line(text), true);
    clipped(&safe, FRAME_LINE_BYTES_MAX).into_owned()
}

/// Text that WeCom shows and never reads: what has a meaning in its markdown is written full-width, an address is no
/// address, a domain is broken by a joiner that nobody sees.
fn safe(text: &str, first: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        let starts_line = first && out.trim_start().is_empty();
        match c {
            '<' => out.push('＜'),
            '>' => out.push('＞'),
            '[' => out.push('［'),
            ']' => out.push('］'),
            '*' => out.push('＊'),
            '`' => out.push('｀'),
            '\\' => out.push('＼'),
            '#' if starts_line && (next == '#' || next == ' ') => out.push('＃'),
            ':' if next == '/' => out.push('：'),
            '.' if before.is_alphanumeric() && next.is_alphabetic() => out.push_str(".\u{2060}"),
            c if c.is_control() => {}
            c => out.push(c),
        }
        before = c;
    }
    out
}

fn coloured(colour: &str, text: &str) -> String {
    format!("{FONT}{colour}\">{text}</font>")
}

/// WeCom has three colours: green, grey, orange.
const fn colour(colour: Colour) -> &'static str {
    match colour {
        Colour::Green => "info",
        Colour::Red | Colour::Orange | Colour::Yellow => "warning",
        Colour::Blue | Colour::Grey | Colour::Purple | Colour::Turquoise => "comment",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::card::{Button, escape_markdown};

    fn card(body: &str) -> Card {
        Card {
            title: "VIP 没人接 · 打印机".to_owned(),
            colour: Colour::Red,
            tags: vec!["严重".to_owned()],
            body: body.to_owned(),
            footer: "规则 vip · #4F7A2C".to_owned(),
            ..Card::default()
        }
    }

    #[test]
    fn markup_of_a_template_stays_and_what_was_escaped_is_text() {
        let table = [
            ("**负责人** 李雷", "**负责人** 李雷"),
            ("**不关", "**不关**"),
            ("<font color='red'>超时</font> x", "<font color=\"warning\">超时</font> x"),
            ("<font color='green'>好", "<font color=\"info\">好</font>"),
            ("<at id=all></at>各位", "各位"),
            ("~~old~~ new", "old new"),
            ("[打开](https://a.example/x?y=1)", "[打开](https://a.example/x?y=1)"),
            ("[打开](javascript:alert)", "［打开］(javascript:alert)"),
            ("a < b & c", "a ＜ b & c"),
            (&escape_markdown("<@all> <at id=all></at>"), "＜@all＞ ＜at id=all＞＜/at＞"),
            (&escape_markdown("[x](https://evil.example)"), "［x］(https：//evil.\u{2060}example)"),
            (&escape_markdown("**粗** `码` # 标题"), "＊＊粗＊＊ ｀码｀ # 标题"),
            (&escape_markdown("# 标题"), "＃ 标题"),
            (&escape_markdown("> 引用"), "＞ 引用"),
            (&escape_markdown("v1.5, 14:05"), "v1.5, 14:05"),
        ];
        for (text, expected) in table {
            assert_eq!(line(text), expected, "{text}");
        }
    }

    #[test]
    fn a_card_is_read_from_its_title_to_its_reference() {
        let open = |url: &str| Button { text: "工单".to_owned(), primary: false, does: Does::Open(url.to_owned()) };
        let card = Card {
            buttons: vec![open("https://a.example/1"), open("javascript:x")],
            mentions: vec![Mentioned::Named("李<雷>".to_owned()), Mentioned::There("ou_x".into())],
            ..card("为什么提醒：等了 2 小时")
        };
        let expected = "**VIP 没人接 · 打印机**\n<font color=\"warning\">严重</font>\n李＜雷＞\n为什么提醒：等了 2 小时\n\
                        [工单](https://a.example/1)\n<font color=\"comment\">规则 vip · #4F7A2C</font>";
        assert_eq!(markdown(&card, Locale::Zh), expected);
    }

    #[test]
    fn a_long_card_is_cut_between_lines_and_keeps_its_footer() {
        let whole = markdown(&card(&"**一行文字**，二十来个字节\n".repeat(500)), Locale::Zh);
        assert!(whole.len() <= MARKDOWN_BYTES_MAX && whole.len() > MARKDOWN_BYTES_MAX - 100, "{}", whole.len());
        assert!(whole.ends_with("字节\n…（已截短）\n<font color=\"comment\">规则 vip · #4F7A2C</font>"), "{whole}");
        assert_eq!(whole.matches("**").count() % 2, 0);
        let endless = markdown(&Card { tags: Vec::new(), ..card(&"**很**长".repeat(2_000)) }, Locale::En);
        assert!(endless.len() <= MARKDOWN_BYTES_MAX, "{}", endless.len());
        assert!(endless.contains("很长很长") && endless.contains("… (shortened)"), "{endless}");
    }

    proptest! {
        #[test]
        fn any_card_fits_and_what_is_not_ours_is_text(
            title in any::<String>(),
            tags in prop::collection::vec(any::<String>(), 0..4),
            texts in prop::collection::vec(prop_oneof![
                any::<String>(), Just("<@all>".to_owned()), Just("[a](http://b.cc)".to_owned()), Just("**".to_owned()),
                Just("</font>".to_owned()), Just("&#60;".to_owned()),
            ], 0..20),
            footer in any::<String>(),
            times in 1_usize..80,
        ) {
            let body: Vec<String> = texts.iter().map(|text| escape_markdown(text)).collect();
            let card = Card {
                title: title.repeat(times),
                colour: Colour::Orange,
                tags,
                body: body.join("\n").repeat(times),
                footer: footer.repeat(times),
                ..Card::default()
            };
            let markdown = markdown(&card, Locale::Zh);
            prop_assert!(markdown.len() <= MARKDOWN_BYTES_MAX, "{}", markdown.len());
            let tags = markdown.matches("</font>").count() + markdown.matches(FONT).count();
            prop_assert_eq!(markdown.matches('<').count(), tags, "{}", markdown);
            prop_assert!(!markdown.contains("](") && !markdown.contains("://"), "{}", markdown);
            prop_assert_eq!(markdown.matches('*').count(), 4, "{}", markdown);
            let json: serde_json::Value = serde_json::from_str(&super::body(&card, Locale::Zh)).unwrap();
            prop_assert_eq!(json["markdown"]["content"].as_str(), Some(markdown.as_str()));
        }
    }
}
