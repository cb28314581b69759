//! A template's file, taken apart: the front matter, parsed before anything is rendered so that no value can break
//! it, and the body. Each string of it becomes a template of its own.

use std::sync::Arc;

use crate::{
    adapters::{
        templates::source::Source,
        yaml::{
            map::{Map, did_you_mean},
            nearest::nearest,
            parse::parse,
            tree::Node,
        },
    },
    domain::{
        card::CARD_TAGS_MAX,
        card_buttons::Offer,
        fault::{Fault, Place},
        text::Message,
    },
};

/// A template's file, taken apart.
#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) title: Source,
    pub(crate) colour: Option<Source>,
    pub(crate) tags: Vec<Source>,
    pub(crate) buttons: Option<Vec<Offer>>,
    pub(crate) body: Source,
}

/// Takes a template's text apart.
pub(crate) fn read(file: &str, text: &str, faults: &mut Vec<Fault>) -> Option<Front> {
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let file: Arc<str> = file.into();
    let Some((yaml, body, body_line)) = split(&text) else {
        let place = Place { file, line: 1, column: 1 };
        let message = Message::new(
            "模板要以 “---” 开头，写上 title，再用一行 “---” 结束",
            "a template begins with a line `---`, then `title`, then another line `---`",
        );
        let example = "---\\ntitle: \"{{ticket.subject}}\"\\n---";
        faults.push(Fault::error(place, message).with_hint(Message::new(example, example)));
        return None;
    };
    let body = Source { file: file.clone(), text: body.to_string(), line: body_line, column: 1, verbatim: true };
    // An empty line stands for the opening `---`, so that lines count as in the file.
    let yaml = format!("\n{yaml}");
    let node = parse(&file, &yaml, faults)?;
    let what = Message::new("一组键值：title、colour、tags、buttons", "a mapping: title, colour, tags, buttons");
    if node.is_null() {
        let message = Message::new("缺少 “title”", "`title` is missing");
        faults.push(Fault::error(Place { file, line: 1, column: 1 }, message));
        return None;
    }
    let mut map = Map::of(&node, &what, faults)?;
    let source = |node: &Node, text: String| source_of(node, text, &yaml);
    let title_node = map.get("title");
    let title = map.required_text("title", faults);
    let colour = map.filled("colour").and_then(|node| Some(source(node, text_of(node, faults)?)));
    let mut tags = Vec::new();
    if let Some(node) = map.filled("tags") {
        for node in node.one_or_many() {
            if let Some(text) = text_of(node, faults) {
                tags.push(source(node, text));
            }
        }
        if tags.len() > CARD_TAGS_MAX {
            let message = Message::new(
                format!("标签最多 {CARD_TAGS_MAX} 个，这里写了 {}", tags.len()),
                format!("at most {CARD_TAGS_MAX} tags, here are {}", tags.len()),
            );
            faults.push(Fault::error(node.place.clone(), message));
        }
    }
    let buttons = map.get("buttons").map(|node| offers(node, faults));
    map.finish(&[], faults);
    let title = source(title_node?, title?.0);
    Some(Front { title, colour, tags, buttons, body })
}

/// The buttons a template offers, each once; `[]` offers none.
fn offers(node: &Node, faults: &mut Vec<Fault>) -> Vec<Offer> {
    let mut offers = Vec::new();
    if node.is_null() {
        return offers;
    }
    for node in node.one_or_many() {
        let Some(text) = text_of(node, faults) else { continue };
        match Offer::from_name(text.trim()) {
            Some(offer) if offers.contains(&offer) => {}
            Some(offer) => offers.push(offer),
            None => {
                let names = || Offer::ALL.iter().flat_map(|(_, words)| [words.en, words.zh]);
                let message = Message::new(format!("没有按钮 “{text}”"), format!("there is no button `{text}`"));
                let hint = match nearest(&text, names()) {
                    Some(meant) => did_you_mean(meant),
                    None => {
                        let all = names().collect::<Vec<_>>();
                        Message::new(format!("可以是：{}", all.join("、")), format!("there are: {}", all.join(", ")))
                    }
                };
                faults.push(Fault::error(node.place.clone(), message).with_hint(hint));
            }
        }
    }
    offers
}

fn text_of(node: &Node, faults: &mut Vec<Fault>) -> Option<String> {
    crate::adapters::yaml::map::text_of(node, faults).map(|(text, _)| text)
}

/// The front matter, the body, and the line the body begins on.
fn split(text: &str) -> Option<(&str, &str, usize)> {
    let mut start = 0;
    let mut opened = None;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let end = start + line.len();
        match (line.trim_end() == "---", opened) {
            (true, None) => opened = Some(end),
            (true, Some(from)) => return Some((text.get(from..start)?, text.get(end..)?, index + 2)),
            (false, None) => return None,
            (false, Some(_)) => {}
        }
        start = end;
    }
    None
}

/// Where a string of the front matter stands: letter by letter where the file has it so.
fn source_of(node: &Node, text: String, yaml: &str) -> Source {
    let Place { file, line, column } = node.place.clone();
    let written = yaml.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let from: String = written.chars().skip(column.saturating_sub(1)).collect();
    let quoted = from.starts_with(['"', '\'']);
    let inner = from.get(usize::from(quoted)..).unwrap_or_default();
    let verbatim = inner.starts_with(&text);
    Source { file, text, line, column: if verbatim { column + usize::from(quoted) } else { column }, verbatim }
}
