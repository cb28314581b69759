//! Cards: what the platform refuses about one, what it gives back of one, and what a person sees of one.

use serde_json::{Map, Value, json};

use crate::sim::{
    directory::{Chat, Directory},
    wire::Refusal,
};

/// Elements deeper than this are not looked at.
const DEPTH_MAX: usize = 16;

/// Tags that a card of either schema may hold.
const TAGS: &[&str] = &[
    "action",
    "button",
    "chart",
    "checker",
    "collapsible_panel",
    "column",
    "column_set",
    "date_picker",
    "div",
    "form",
    "hr",
    "img",
    "img_combination",
    "input",
    "interactive_container",
    "lark_md",
    "markdown",
    "multi_select_person",
    "multi_select_static",
    "note",
    "overflow",
    "person",
    "person_list",
    "picker_datetime",
    "picker_time",
    "plain_text",
    "select_person",
    "select_static",
    "standard_icon",
    "table",
    "text_tag",
];

/// Tags that the second schema no longer knows.
const TAGS_OF_FIRST_SCHEMA: &[&str] = &["action", "note"];

/// A card that was accepted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Accepted {
    /// Whether `config.update_multi` allows updates; the second schema always does.
    pub(crate) is_updatable: bool,
    /// Whether it is of the second schema.
    pub(crate) is_second_schema: bool,
}

/// Checks a card as the platform does: JSON, shape, tags, mentions (`facts/feishu.md §3.5, §7`).
pub(crate) fn check(content: &str, directory: &Directory, may_mention_all: bool) -> Result<Accepted, Refusal> {
    let parsed: Result<Map<String, Value>, _> = serde_json::from_str(content);
    let card = parsed.map_err(|error| failed(200_621, "ROOT", &format!("parse card json err, {error}")))?;
    let is_second_schema = card.get("schema").and_then(Value::as_str) == Some("2.0");
    let elements = if is_second_schema {
        card.get("body").and_then(|body| body.get("elements")).and_then(Value::as_array).map(Vec::as_slice)
    } else {
        body_of(&card)
    };
    let is_template = matches!(card.get("type").and_then(Value::as_str), Some("template" | "card"));
    if is_template {
        return Ok(Accepted { is_updatable: true, is_second_schema });
    }
    let elements = elements.ok_or_else(|| failed(200_621, "ROOT", "elements is not a list of elements"))?;
    if let Some(header) = card.get("header") {
        check_text(header.get("title").unwrap_or(&Value::Null), "ROOT -> header -> title")?;
    }
    check_elements(elements, is_second_schema, "ROOT -> elements", DEPTH_MAX)?;
    check_mentions(&Value::Array(elements.to_vec()), directory, may_mention_all)?;
    let update_multi = card.get("config").and_then(|config| config.get("update_multi")).and_then(Value::as_bool);
    Ok(Accepted { is_updatable: is_second_schema || update_multi == Some(true), is_second_schema })
}

/// The elements of a card of the first schema; of a card in several languages, the Chinese ones.
fn body_of(card: &Map<String, Value>) -> Option<&[Value]> {
    let translated = || {
        let trees = card.get("i18n_elements")?.as_object()?;
        trees.get("zh_cn").or_else(|| trees.values().next())
    };
    card.get("elements").or_else(translated)?.as_array().map(Vec::as_slice)
}

fn check_elements(elements: &[Value], is_second_schema: bool, path: &str, depth: usize) -> Result<(), Refusal> {
    if depth == 0 {
        return Err(failed(200_621, path, "elements nest too deep"));
    }
    for (place, element) in elements.iter().enumerate() {
        let tag = element.get("tag").and_then(Value::as_str).unwrap_or_default();
        let path = format!("{path} -> [{place}](tag: {tag})");
        if !TAGS.contains(&tag) {
            return Err(failed(200_621, &path, "unknown tag"));
        }
        if is_second_schema && TAGS_OF_FIRST_SCHEMA.contains(&tag) {
            return Err(failed(200_861, &path, "tag not supported in schema 2.0"));
        }
        if tag == "markdown" && !element.get("content").is_some_and(Value::is_string) {
            return Err(failed(200_621, &path, "content is not a string"));
        }
        if tag == "div"
            && let Some(text) = element.get("text")
        {
            check_text(text, &path)?;
        }
        for inner in ["elements", "columns", "actions"] {
            match element.get(inner) {
                None => {}
                Some(Value::Array(inner)) => check_elements(inner, is_second_schema, &path, depth - 1)?,
                Some(_) => return Err(failed(200_621, &path, "a list was expected")),
            }
        }
    }
    Ok(())
}

fn check_text(text: &Value, path: &str) -> Result<(), Refusal> {
    let tag = text.get("tag").and_then(Value::as_str).unwrap_or_default();
    let has_content = text.get("content").is_some_and(Value::is_string);
    if matches!(tag, "plain_text" | "lark_md") && has_content {
        return Ok(());
    }
    Err(failed(200_621, path, "not a text object"))
}

/// Every `<at …>` in a markdown text must name someone who exists.
fn check_mentions(value: &Value, directory: &Directory, may_mention_all: bool) -> Result<(), Refusal> {
    let mut bad = None;
    for_each_markdown(value, &mut |text| {
        for target in mentions(text) {
            let is_known = match target.split_once('=') {
                Some(("id", "all")) => may_mention_all,
                Some(("id", id)) => directory.people.contains_key(id),
                Some(("email", email)) => directory.find("email", email).is_some(),
                _ => false,
            };
            if !is_known {
                bad = Some(target);
            }
        }
    });
    match bad {
        None => Ok(()),
        Some(target) => Err(failed(100_290, "ROOT -> elements", &format!("invalid user id of at: {target}"))),
    }
}

/// Whether everyone mentioned is in the chat; with `any`, whether nobody is mentioned.
pub(crate) fn check_strangers(content: &str, directory: &Directory, chat: &Chat, any: bool) -> Result<(), Refusal> {
    let Ok(card) = serde_json::from_str::<Value>(content) else { return Ok(()) };
    let mut stranger = None;
    for_each_markdown(&card, &mut |text| {
        for target in mentions(text) {
            let id = match target.split_once('=') {
                Some(("id", id)) => Some(id.to_string()),
                Some(("email", email)) => directory.find("email", email).map(|person| person.open_id.clone()),
                _ => None,
            };
            if any || id.is_some_and(|id| id != "all" && !chat.members.contains(&id)) {
                stranger = Some(target);
            }
        }
    });
    stranger.map_or(Ok(()), |target| Err(failed(100_290, "ROOT -> elements", &format!("not in the chat: {target}"))))
}

fn for_each_markdown(value: &Value, see: &mut impl FnMut(&str)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| for_each_markdown(item, see)),
        Value::Object(members) => {
            let tag = members.get("tag").and_then(Value::as_str);
            if matches!(tag, Some("markdown" | "lark_md"))
                && let Some(text) = members.get("content").and_then(Value::as_str)
            {
                see(text);
            }
            members.values().for_each(|member| for_each_markdown(member, see));
        }
        _ => {}
    }
}

/// The targets of the mentions in a markdown text, as `id=…` or `email=…`, several in one `ids` taken apart.
fn mentions(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for piece in text.split("<at ").skip(1) {
        let attribute = piece.split('>').next().unwrap_or_default().trim();
        match attribute.split_once('=') {
            Some(("ids", ids)) => found.extend(ids.split(',').map(|id| format!("id={}", id.trim()))),
            _ => found.push(attribute.to_string()),
        }
    }
    found
}

fn failed(sub_code: i64, path: &str, message: &str) -> Refusal {
    let text = format!(
        "Failed to create card content, ext=ErrCode: {sub_code}; ErrPath: {path}; ErrMsg: {message}; ErrorValue: ; "
    );
    Refusal::im(230_099, text)
}

/// A card as a person sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// The title.
    pub title: String,
    /// The header's colour.
    pub colour: String,
    /// The tags beside the title.
    pub tags: Vec<String>,
    /// The body's lines; an empty one stands for a rule across the card.
    pub body: Vec<String>,
    /// The small print.
    pub footer: Vec<String>,
}

/// What a person sees of a card. `name_of` gives the name behind an open id.
pub fn view(content: &str, name_of: &dyn Fn(&str) -> Option<String>) -> Option<View> {
    let card: Map<String, Value> = serde_json::from_str(content).ok()?;
    let text_of = |value: &Value| value.get("content").and_then(Value::as_str).unwrap_or_default().to_string();
    let header = card.get("header").cloned().unwrap_or_default();
    let tags = header.get("text_tag_list").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut view = View {
        title: header.get("title").map(text_of).unwrap_or_default(),
        colour: header.get("template").and_then(Value::as_str).unwrap_or("default").to_string(),
        tags: tags.iter().filter_map(|tag| tag.get("text")).map(text_of).collect(),
        ..View::default()
    };
    let second = card.get("body").and_then(|body| body.get("elements")).and_then(Value::as_array);
    let elements = second.map(Vec::as_slice).or_else(|| body_of(&card)).unwrap_or_default();
    collect(elements, name_of, &mut view, DEPTH_MAX);
    Some(view)
}

fn collect(elements: &[Value], name_of: &dyn Fn(&str) -> Option<String>, view: &mut View, depth: usize) {
    if depth == 0 {
        return;
    }
    for element in elements {
        let shown = |text: &Value| shown_text(text, name_of);
        let list = |name: &str| element.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        match element.get("tag").and_then(Value::as_str).unwrap_or_default() {
            "hr" => view.body.push(String::new()),
            "markdown" => view.body.extend(shown(element).lines().map(str::to_string)),
            "note" => view.footer.extend(list("elements").iter().map(shown)),
            "div" => {
                let texts = element.get("text").into_iter();
                let fields = list("fields").iter().filter_map(|field| field.get("text"));
                for text in texts.chain(fields) {
                    view.body.extend(shown(text).lines().map(str::to_string));
                }
            }
            "action" => {
                let buttons = list("actions").iter().filter_map(|action| action.get("text"));
                let row: Vec<String> = buttons.map(|text| format!("[{}]", shown(text))).collect();
                view.body.push(row.join(" "));
            }
            _ => {
                collect(list("columns"), name_of, view, depth - 1);
                collect(list("elements"), name_of, view, depth - 1);
            }
        }
    }
}

/// A text object as shown: plain text as it is, markdown without its marks.
fn shown_text(text: &Value, name_of: &dyn Fn(&str) -> Option<String>) -> String {
    let content = text.get("content").and_then(Value::as_str).unwrap_or_default();
    if text.get("tag").and_then(Value::as_str) == Some("plain_text") {
        return content.to_string();
    }
    plain(content, name_of)
}

/// Card markdown without its marks: mentions as names, links as their text, numbered characters as themselves.
pub fn plain(markdown: &str, name_of: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(markdown.len());
    let mut rest = markdown;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        rest = match c {
            '<' => match after.split_once('>') {
                Some((tag, behind)) => {
                    push_tag(tag, name_of, &mut out);
                    behind
                }
                None => keep(c, after, &mut out),
            },
            '&' => match character(after) {
                Some((shown, behind)) => {
                    out.push(shown);
                    behind
                }
                None => keep(c, after, &mut out),
            },
            '*' => after.trim_start_matches('*'),
            '~' if after.starts_with('~') => after.trim_start_matches('~'),
            '[' => match link(after) {
                Some((text, behind)) => {
                    out.push_str(&plain(text, name_of));
                    behind
                }
                None => keep(c, after, &mut out),
            },
            _ => keep(c, after, &mut out),
        };
    }
    out
}

fn keep<'a>(c: char, after: &'a str, out: &mut String) -> &'a str {
    out.push(c);
    after
}

fn push_tag(tag: &str, name_of: &dyn Fn(&str) -> Option<String>, out: &mut String) {
    if tag == "br" {
        out.push('\n');
    }
    let Some(attribute) = tag.strip_prefix("at ") else { return };
    for target in mentions(&format!("<at {attribute}>")) {
        let id = target.split_once('=').map(|(_, id)| id.to_string()).unwrap_or_default();
        let name = if id == "all" { Some("所有人".to_string()) } else { name_of(&id) };
        out.push('@');
        out.push_str(&name.unwrap_or(id));
    }
}

/// `#60;…` behind an ampersand.
fn character(after: &str) -> Option<(char, &str)> {
    let (digits, behind) = after.strip_prefix('#')?.split_once(';')?;
    let shown = char::from_u32(digits.parse().ok()?)?;
    Some((shown, behind))
}

/// `text](address)…` behind an opening bracket.
fn link(after: &str) -> Option<(&str, &str)> {
    let (text, behind) = after.split_once("](")?;
    let (_, behind) = behind.split_once(')')?;
    (!text.contains(['[', '\n'])).then_some((text, behind))
}

/// What answers and history give back of a card: title and texts, not the card (`facts/feishu.md §3.1`).
pub(crate) fn simplified(content: &str) -> String {
    let Some(view) = view(content, &|_| None) else { return "{}".to_string() };
    let text = |line: &String| json!({ "tag": "text", "text": line });
    let mut elements: Vec<Value> = view
        .body
        .iter()
        .map(|line| if line.is_empty() { json!([{ "tag": "hr" }]) } else { json!([text(line)]) })
        .collect();
    if !view.footer.is_empty() {
        let notes: Vec<Value> = view.footer.iter().map(text).collect();
        elements.push(json!([{ "tag": "note", "elements": notes }]));
    }
    json!({ "title": view.title, "elements": elements }).to_string()
}

#[cfg(test)]
mod tests;
