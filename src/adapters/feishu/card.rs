//! A card as card JSON 1.0, measured and shortened to what the platform takes (`facts/feishu.md §7.1`). Never refused
//! for its length, never cut inside an escape, a tag, a link or a character.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::domain::card::{Button, CARD_TAGS_MAX, Card, Colour, Does, Mentioned, escape_markdown};

/// Bytes of a card in a chat: the platform takes 30 KB after its own expansion (`facts/feishu.md §3.1`).
pub const CHAT_CARD_BYTES_MAX: usize = 25 * 1024;

/// Bytes of a card in a custom bot's request of 20 KB (`facts/feishu.md §4`).
pub const WEBHOOK_CARD_BYTES_MAX: usize = 18 * 1024;

/// A smaller limit counts as this one: the frame and the shortened title need it.
pub const CARD_BYTES_MIN: usize = 4 * 1024;

/// Bytes of JSON a title may take.
const TITLE_BYTES_MAX: usize = 1_024;

/// Bytes of JSON a tag may take.
const TAG_BYTES_MAX: usize = 128;

/// Bytes of JSON the footer may take.
const FOOTER_BYTES_MAX: usize = 1_024;

/// People a card mentions; the rest of a longer list is left out.
const MENTIONS_MAX: usize = 20;

/// Bytes of JSON a button's words may take.
const BUTTON_BYTES_MAX: usize = 128;

/// Bytes of JSON a button's value or address may take. One that is longer is left out: cut, it would say something else.
const BUTTON_VALUE_BYTES_MAX: usize = 2_048;

/// What a button does that asks something, in its value.
pub(super) const ASK: &str = "ask";

/// Bytes of JSON the line under the buttons may take.
const HINT_BYTES_MAX: usize = 512;

/// Buttons a card can hold; a card of ours has at most six.
const BUTTONS_MAX: usize = 8;

/// What ends a shortened body.
pub const SHORTENED_MARK: &str = "…（已截短）";

/// What ends a shortened line of plain text.
const ELLIPSIS: &str = "…";

/// Bytes within which an escape, a tag or a link ends; what is longer is ordinary text.
const UNIT_BYTES_MAX: usize = 2_048;

/// The card as JSON text of at most `bytes_max` bytes.
pub fn to_json(card: &Card, bytes_max: usize) -> String {
    to_value(card, bytes_max).to_string()
}

/// The card as a JSON value whose text has at most `bytes_max` bytes.
pub(super) fn to_value(card: &Card, bytes_max: usize) -> Value {
    let bytes_max = bytes_max.max(CARD_BYTES_MIN);
    let whole = frame(card, &card.body);
    if whole.to_string().len() <= bytes_max {
        return whole;
    }
    let around = frame(card, " ").to_string().len() - 1;
    frame(card, &shorten_markdown(&card.body, bytes_max.saturating_sub(around)))
}

fn frame(card: &Card, body: &str) -> Value {
    let plain = |text: &str, max| json!({ "tag": "plain_text", "content": shorten_plain(text, max) });
    let tags: Vec<Value> = card
        .tags
        .iter()
        .filter(|tag| !tag.is_empty())
        .take(CARD_TAGS_MAX)
        .map(|tag| json!({ "tag": "text_tag", "text": plain(tag, TAG_BYTES_MAX), "color": tag_colour(card.colour) }))
        .collect();
    let mut header = json!({ "title": plain(&card.title, TITLE_BYTES_MAX), "template": card.colour.name() });
    if !tags.is_empty() {
        header["text_tag_list"] = Value::Array(tags);
    }
    let mut elements = Vec::new();
    if !body.is_empty() || card.footer.is_empty() {
        elements.push(json!({ "tag": "markdown", "content": if body.is_empty() { " " } else { body } }));
    }
    if !card.mentions.is_empty() {
        elements.push(json!({ "tag": "markdown", "content": mentions(&card.mentions) }));
    }
    let buttons: Vec<Value> = card.buttons.iter().take(BUTTONS_MAX).filter_map(|one| button(one, card)).collect();
    if !buttons.is_empty() {
        elements.push(json!({ "tag": "action", "actions": buttons }));
        if !card.hint.is_empty() {
            elements.push(json!({ "tag": "note", "elements": [plain(&card.hint, HINT_BYTES_MAX)] }));
        }
    }
    if !card.footer.is_empty() {
        elements.push(json!({ "tag": "note", "elements": [plain(&card.footer, FOOTER_BYTES_MAX)] }));
    }
    // Its buttons say that it stands in a direct chat: in another one that would not be so.
    let is_direct = card.buttons.iter().any(|one| matches!(&one.does, Does::Ask(question) if question.is_direct));
    let config = json!({ "update_multi": true, "enable_forward": card.forward && !is_direct });
    json!({ "config": config, "header": header, "elements": elements })
}

/// Whom the card mentions, on a line of their own (`facts/feishu.md §7.4`). An open id is the platform's; what is none
/// would break the card and is left out.
fn mentions(mentioned: &[Mentioned]) -> String {
    let is_id = |id: &str| !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    let one = |mentioned: &Mentioned| match mentioned {
        Mentioned::There(id) if is_id(id.as_str()) => format!("<at id={}></at>", id.as_str()),
        Mentioned::There(_) => String::new(),
        Mentioned::Named(name) => format!("@{}", escape_markdown(&shorten_plain(name, TAG_BYTES_MAX))),
    };
    let said: Vec<String> = mentioned.iter().take(MENTIONS_MAX).map(one).filter(|one| !one.is_empty()).collect();
    if said.is_empty() { " ".to_owned() } else { said.join(" ") }
}

/// A button; its value is an object, which comes back as it was sent (`facts/feishu.md §5.7, §7.1`).
fn button(button: &Button, card: &Card) -> Option<Value> {
    let text = json!({ "tag": "plain_text", "content": shorten_plain(&button.text, BUTTON_BYTES_MAX) });
    let kind = if button.primary { "primary" } else { "default" };
    let mut json = json!({ "tag": "button", "text": text, "type": kind });
    let does = match &button.does {
        Does::Open(address) => {
            json["url"] = json!(address);
            address.len()
        }
        Does::Press(press, key, episode) => {
            let subject = key.subject.to_string();
            let mut value =
                json!({ "do": press.name(), "subject": subject, "rule": key.rule.as_str(), "episode": episode });
            if card.is_reply {
                value["reply"] = json!(true);
            }
            json["value"] = value;
            json["value"].to_string().len()
        }
        Does::Ask(question) => {
            let mut value = json!({ "do": ASK, "ask": question.text, "locale": question.locale.name() });
            if question.is_direct {
                value["direct"] = json!(true);
            }
            json["value"] = value;
            json["value"].to_string().len()
        }
    };
    (does <= BUTTON_VALUE_BYTES_MAX).then_some(json)
}

/// A tag has fewer colours than a header (`facts/feishu.md §7.3`).
const fn tag_colour(colour: Colour) -> &'static str {
    match colour {
        Colour::Grey => "neutral",
        other => other.name(),
    }
}

/// Bytes a character takes inside a JSON string.
const fn json_bytes(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        c => c.len_utf8(),
    }
}

fn json_len(text: &str) -> usize {
    text.chars().map(json_bytes).sum()
}

/// Plain text of at most `max` bytes of JSON.
fn shorten_plain(text: &str, max: usize) -> Cow<'_, str> {
    if json_len(text) <= max {
        return Cow::Borrowed(text);
    }
    let mut used = json_len(ELLIPSIS);
    let fits = |c: &char| {
        used += json_bytes(*c);
        used <= max
    };
    let mut out: String = text.chars().take_while(fits).collect();
    out.push_str(ELLIPSIS);
    Cow::Owned(out)
}

/// Card markdown of at most `max` bytes of JSON: cut between units, open tags and emphasis closed, marked. A line's end
/// is preferred if it is near.
fn shorten_markdown(text: &str, max: usize) -> String {
    let mark = json_len(SHORTENED_MARK);
    let mut open = Vec::new();
    let (mut cut, mut line_cut) = (0, 0);
    let mut used = 0;
    for unit in units(text) {
        used += json_len(unit);
        if unit == "\n" {
            line_cut = cut;
        }
        track(unit, &mut open);
        let closing: usize = open.iter().map(|open| closer(open).len()).sum();
        if used + closing + mark > max {
            break;
        }
        cut += unit.len();
    }
    if line_cut >= cut / 4 * 3 {
        cut = line_cut;
    }
    let kept = text.get(..cut).unwrap_or_default();
    let mut open = Vec::new();
    units(kept).for_each(|unit| track(unit, &mut open));
    let mut out = kept.trim_end().to_owned();
    out.extend(open.iter().rev().map(|open| closer(open)));
    out.push_str(SHORTENED_MARK);
    out
}

/// The text in pieces that must not be cut: an escape, a tag, a link, emphasis, a character.
fn units(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let length = match first {
            '&' => escape_len(rest),
            '<' => tag_len(rest),
            '[' | '!' => link_len(rest),
            '*' | '~' => marker_len(rest),
            _ => None,
        };
        let (unit, after) = rest.split_at_checked(length.unwrap_or(first.len_utf8()))?;
        rest = after;
        Some(unit)
    })
}

/// `&#60;` or `&amp;`.
fn escape_len(text: &str) -> Option<usize> {
    let end = text.bytes().take(12).position(|byte| byte == b';')?;
    let inside = text.get(1..end)?;
    let good = !inside.is_empty() && inside.chars().all(|c| c.is_ascii_alphanumeric() || c == '#');
    good.then_some(end + 1)
}

/// `<font color='red'>`, `</font>`, `<at id=ou_x>`, `<br>`.
fn tag_len(text: &str) -> Option<usize> {
    let name = text.get(1..)?.trim_start_matches('/');
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let end = text.bytes().take(UNIT_BYTES_MAX).position(|byte| byte == b'>' || byte == b'\n')?;
    (text.as_bytes().get(end) == Some(&b'>')).then_some(end + 1)
}

/// `[text](address)` or `![text](image)`.
fn link_len(text: &str) -> Option<usize> {
    let start = if text.starts_with('!') { 1 } else { 0 };
    let window = text.as_bytes().get(..text.len().min(UNIT_BYTES_MAX))?;
    if window.get(start) != Some(&b'[') {
        return None;
    }
    let middle = memchr::memmem::find(window, b"](")?;
    let end = middle + window.get(middle..)?.iter().position(|byte| *byte == b')')?;
    (!window.get(..end)?.contains(&b'\n')).then_some(end + 1)
}

/// `**` or `~~`.
fn marker_len(text: &str) -> Option<usize> {
    (text.starts_with("**") || text.starts_with("~~")).then_some(2)
}

/// Keeps account of what stands open. Emphasis ends with its line.
fn track<'t>(unit: &'t str, open: &mut Vec<&'t str>) {
    match unit {
        "**" | "~~" => match open.iter().rposition(|one| *one == unit) {
            Some(at) => drop(open.remove(at)),
            None => open.push(unit),
        },
        "\n" => open.retain(|one| !matches!(*one, "**" | "~~")),
        _ if unit.len() > 2 && unit.starts_with("</") => {
            let name = tag_name(unit);
            if let Some(at) = open.iter().rposition(|one| tag_name(one) == name) {
                open.remove(at);
            }
        }
        _ if unit.len() > 2
            && unit.starts_with('<')
            && !unit.ends_with("/>")
            && !matches!(tag_name(unit), "br" | "hr") =>
        {
            open.push(unit);
        }
        _ => {}
    }
}

fn tag_name(tag: &str) -> &str {
    let name = tag.trim_start_matches(['<', '/']);
    name.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap_or_default()
}

fn closer(open: &str) -> String {
    match open {
        "**" | "~~" => open.to_owned(),
        tag => format!("</{}>", tag_name(tag)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{
        alert::AlertKey,
        card::{Press, escape_markdown},
        id::Subject,
    };

    fn card(body: &str) -> Card {
        Card {
            title: "VIP 没人接".to_owned(),
            colour: Colour::Red,
            tags: vec!["P1".to_owned(), "支付".to_owned()],
            body: body.to_owned(),
            footer: "数据截至 14:05 · 规则 vip · #4F7A2C".to_owned(),
            ..Card::default()
        }
    }

    fn body_of(json: &str) -> String {
        let value: Value = serde_json::from_str(json).unwrap();
        value["elements"][0]["content"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_card_that_fits_is_written_as_it_is() {
        let value = to_value(&card("**负责人** 李\n客户说：&#60;b&#62;"), CHAT_CARD_BYTES_MAX);
        let expected = json!({
            "config": { "update_multi": true, "enable_forward": false },
            "header": {
                "title": { "tag": "plain_text", "content": "VIP 没人接" },
                "template": "red",
                "text_tag_list": [
                    { "tag": "text_tag", "text": { "tag": "plain_text", "content": "P1" }, "color": "red" },
                    { "tag": "text_tag", "text": { "tag": "plain_text", "content": "支付" }, "color": "red" },
                ],
            },
            "elements": [
                { "tag": "markdown", "content": "**负责人** 李\n客户说：&#60;b&#62;" },
                { "tag": "note", "elements": [
                    { "tag": "plain_text", "content": "数据截至 14:05 · 规则 vip · #4F7A2C" },
                ] },
            ],
        });
        assert_eq!(value, expected);
    }

    #[test]
    fn a_button_opens_an_address_or_comes_back_with_what_it_does() {
        let button = |text: &str, primary, does| Button { text: text.to_owned(), primary, does };
        let key = AlertKey { subject: Subject::Group("支付".into()), rule: "排队".into() };
        let open = button("打开服务台", false, Does::Open("https://feishu.cn/helpdesk/admin".to_owned()));
        let take = button("我来处理", true, Does::Press(Press::Take, key, 3));
        let plain = card("why");
        let written =
            |is_reply| to_value(&Card { buttons: vec![take.clone(), open.clone()], is_reply, ..plain.clone() }, 9_999);
        let text = |words: &str| json!({ "tag": "plain_text", "content": words });
        let value = json!({ "do": "take", "subject": "group:支付", "rule": "排队", "episode": 3 });
        let expected = json!({ "tag": "action", "actions": [
            { "tag": "button", "type": "primary", "text": text("我来处理"), "value": value },
            { "tag": "button", "type": "default", "text": text("打开服务台"), "url": "https://feishu.cn/helpdesk/admin" },
        ] });
        assert_eq!(written(false)["elements"][1], expected);
        assert_eq!(written(true)["elements"][1]["actions"][0]["value"]["reply"], true);
    }

    #[test]
    fn a_long_card_is_cut_where_nothing_breaks() {
        let piece = "<font color='red'>**很长的一行** [链接](https://x.example/a?b=c) &#60;at id=all&#62;</font>";
        let whole = card(&piece.repeat(1_000));
        for max in CARD_BYTES_MIN..CARD_BYTES_MIN + 300 {
            let json = to_json(&whole, max);
            assert!(json.len() <= max, "{} > {max}", json.len());
            let body = body_of(&json);
            let (kept, rest) = body.split_once(SHORTENED_MARK).unwrap();
            assert_eq!(rest, "");
            assert_eq!(kept.matches("<font").count(), kept.matches("</font>").count(), "{kept}");
            assert_eq!(kept.matches("**").count() % 2, 0, "{kept}");
            assert_eq!(kept.matches('[').count(), kept.matches("](https://x.example/a?b=c)").count(), "{kept}");
            assert_eq!(kept.matches('&').count(), kept.matches(';').count(), "{kept}");
        }
    }

    #[test]
    fn a_line_end_near_the_cut_is_preferred() {
        let json = to_json(&card(&"一行文字，二十来个字节\n".repeat(2_000)), CHAT_CARD_BYTES_MAX);
        assert!(json.len() > CHAT_CARD_BYTES_MAX * 3 / 4);
        assert!(body_of(&json).ends_with(&format!("字节{SHORTENED_MARK}")));
    }

    #[test]
    fn without_body_and_footer_there_is_still_an_element() {
        let empty = Card { body: String::new(), footer: String::new(), ..card("") };
        assert_eq!(to_value(&empty, CHAT_CARD_BYTES_MAX)["elements"].as_array().unwrap().len(), 1);
    }

    proptest! {
        #[test]
        fn any_card_fits_and_stays_json(
            title in any::<String>(),
            tags in prop::collection::vec(any::<String>(), 0..6),
            pieces in prop::collection::vec(
                prop_oneof![
                    Just("<font color='red'>".to_owned()), Just("</font>".to_owned()), Just("**".to_owned()),
                    Just("&#60;".to_owned()), Just("[a](b)".to_owned()), "[a-z\u{4e00}-\u{4e10}\n\"\\\\\u{1}]{0,40}",
                ],
                0..40,
            ),
            raw in any::<String>(),
            footer in any::<String>(),
            times in 1_usize..60,
            max in 0_usize..9_000,
        ) {
            let body = format!("{}{raw}{}", pieces.concat(), escape_markdown(&raw)).repeat(times);
            let (title, footer) = (title.repeat(times), footer.repeat(times));
            let card = Card { title, colour: Colour::Grey, tags, body, footer, ..Card::default() };
            let json = to_json(&card, max);
            prop_assert!(json.len() <= max.max(CARD_BYTES_MIN), "{} > {max}", json.len());
            let value: Value = serde_json::from_str(&json).unwrap();
            prop_assert!(value["header"]["title"]["content"].is_string());
            prop_assert!(!value["elements"].as_array().unwrap().is_empty());
        }
    }
}
