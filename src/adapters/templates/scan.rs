//! A first look at a template's text, before it is parsed: what is refused outright, what is not closed, how deep it
//! goes. It says in plain words what the parser would say in its own, and it keeps the parser from going too deep.

use crate::{
    adapters::{
        templates::helpers::BLOCKS,
        yaml::{map::did_you_mean, nearest::nearest},
    },
    domain::text::Message,
};

/// Blocks within blocks.
pub(crate) const BLOCK_DEPTH_MAX: usize = 16;

/// Brackets within brackets inside one tag.
const BRACKET_DEPTH_MAX: usize = 8;

/// Something found at a byte of the text.
#[derive(Debug)]
pub(crate) struct Finding {
    /// Where, in bytes.
    pub(crate) at: usize,
    /// What is wrong.
    pub(crate) message: Message,
    /// What to do.
    pub(crate) hint: Option<Message>,
}

/// A `{{…}}` in the text.
struct Tag<'a> {
    at: usize,
    /// Without the braces and `~`.
    inner: &'a str,
}

/// Everything wrong with the tags of a text, in order.
pub(crate) fn tags(text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut open: Vec<(&str, usize)> = Vec::new();
    let mut at = 0;
    while let Some(start) = next_tag(text, at) {
        let Some(end) = end_of(text, start) else {
            found.push(finding(start, "“{{” 没有用 “}}” 关上", "`{{` is not closed with `}}`"));
            return found;
        };
        let inner = text.get(start + 2..end - 2).unwrap_or_default();
        let tag = Tag { at: start, inner: inner.trim_matches('~') };
        at = end;
        if tag.inner.starts_with('!') {
            continue;
        }
        if let Some(refused) = refused(&tag) {
            found.push(refused);
            if let Some(inner) = tag.inner.strip_prefix('#') {
                open.push((word(inner.trim_start_matches(['>', '*'])), start)); // its end is not a fault of its own
            }
            continue;
        }
        if depth(tag.inner) > BRACKET_DEPTH_MAX {
            found.push(finding(start, "括号嵌套太深", "brackets are nested too deep"));
        }
        block(&tag, &mut open, &mut found);
    }
    for (name, at) in open {
        found.push(Finding {
            at,
            message: Message::new(format!("“{{{{#{name}}}}}” 没有关上"), format!("`{{{{#{name}}}}}` is not closed")),
            hint: Some(Message::new(
                format!("在它的末尾写 {{{{/{name}}}}}"),
                format!("write {{{{/{name}}}}} where it ends"),
            )),
        });
    }
    found
}

/// Tags of card markdown that templates may use (`facts/feishu.md §7.4`).
const MARKDOWN_TAGS: [&str; 8] = ["font", "/font", "text_tag", "/text_tag", "a", "/a", "br", "hr"];

/// What card markdown in a template's own text may not do: mention people, link anywhere but to web addresses, or
/// leave a tag or a numbered character open so that a value could complete it.
pub(crate) fn markdown(text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('<') {
        let rest = text.get(at + 1..).unwrap_or_default();
        let name: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '_')).collect();
        if name == "at" || name == "person" {
            found.push(finding(
                at,
                "模板里还不能提及（@）人，请先删掉这一处",
                "mentions in templates are not built yet: take this out for now",
            ));
        } else if !MARKDOWN_TAGS.contains(&name.as_str()) {
            found.push(finding(
                at,
                "“<” 后面只能是 font、text_tag、a、br、hr；要显示 “<” 本身，写 &#60;",
                "`<` begins font, text_tag, a, br or hr only; to show `<` itself write &#60;",
            ));
        }
    }
    for (at, mark) in text.match_indices("&#") {
        let rest = text.get(at + mark.len()..).unwrap_or_default();
        if !rest.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(';') {
            found.push(finding(at, "“&#” 后面要写数字和分号，例如 &#60;", "`&#` takes digits and a semicolon: &#60;"));
        }
    }
    let targets = text.match_indices("](").map(|(at, mark)| at + mark.len());
    let attributes = text.match_indices("href=").map(|(at, mark)| at + mark.len());
    for at in targets.chain(attributes) {
        let address = text.get(at..).unwrap_or_default().trim_start_matches(['\'', '"']);
        if !["https://", "http://", "lark://", "feishu://", "img_"].iter().any(|start| starts_with(address, start)) {
            found.push(finding(
                at,
                "链接的地址要以 https://、http:// 或飞书的 applink 开头",
                "a link's address begins with https://, http:// or is a Feishu applink",
            ));
        }
    }
    found.sort_by_key(|finding| finding.at);
    found
}

fn starts_with(text: &str, scheme: &str) -> bool {
    text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

/// The next tag's first byte; `\{{` is text.
fn next_tag(text: &str, from: usize) -> Option<usize> {
    let mut from = from;
    loop {
        let start = from + text.get(from..)?.find("{{")?;
        let slashes = text.get(..start)?.bytes().rev().take_while(|byte| *byte == b'\\').count();
        if slashes != 1 {
            return Some(start);
        }
        from = start + 2;
    }
}

/// The byte after a tag. Quoted text may hold braces; a comment ends where comments end.
fn end_of(text: &str, start: usize) -> Option<usize> {
    let rest = text.get(start..)?;
    for (opening, closing) in [("{{!--", "--}}"), ("{{!", "}}")] {
        if rest.starts_with(opening) {
            return rest.find(closing).map(|end| start + end + closing.len());
        }
    }
    let bytes = rest.as_bytes();
    let mut quote = None;
    let mut at = 2;
    while at < bytes.len() {
        let byte = *bytes.get(at)?;
        match quote {
            Some(_) if byte == b'\\' => at += 1,
            Some(mark) if byte == mark => quote = None,
            Some(_) => {}
            None if byte == b'"' || byte == b'\'' => quote = Some(byte),
            None if byte == b'}' && bytes.get(at + 1) == Some(&b'}') => {
                let braces = bytes.iter().skip(at).take_while(|byte| **byte == b'}').count();
                return Some(start + at + braces);
            }
            None if byte == b'{' && bytes.get(at + 1) == Some(&b'{') && at > 3 => return None,
            None => {}
        }
        at += 1;
    }
    None
}

fn refused(tag: &Tag<'_>) -> Option<Finding> {
    let (zh, en) = match tag.inner.chars().next()? {
        '{' => {
            ("“{{{” 不能用：值一律转义后显示，请写 {{…}}", "`{{{` is refused: values are always escaped; write {{…}}")
        }
        '&' => {
            ("“{{&” 不能用：值一律转义后显示，请写 {{…}}", "`{{&` is refused: values are always escaped; write {{…}}")
        }
        '>' => ("“{{>” 不能用：模板里不能引入别的模板", "`{{>` is refused: a template cannot include another"),
        '*' => ("“{{*” 不能用：模板里不能定义装饰器", "`{{*` is refused: a template cannot define decorators"),
        '#' if tag.inner.starts_with("#>") || tag.inner.starts_with("#*") => (
            "“{{#>” 和 “{{#*” 不能用：模板里不能引入或定义别的模板",
            "`{{#>` and `{{#*` are refused: a template cannot include or define another",
        ),
        _ => return None,
    };
    Some(finding(tag.at, zh, en))
}

fn block<'a>(tag: &Tag<'a>, open: &mut Vec<(&'a str, usize)>, found: &mut Vec<Finding>) {
    if let Some(inner) = tag.inner.strip_prefix('#') {
        let name = word(inner);
        open.push((name, tag.at));
        if !BLOCKS.contains(&name) {
            found.push(unknown_block(tag.at, name));
        }
        if inner.trim() == name && BLOCKS.contains(&name) {
            found.push(Finding {
                at: tag.at,
                message: Message::new(
                    format!("“{{{{#{name}}}}}” 后面要写一个值"),
                    format!("`{{{{#{name}}}}}` takes one value"),
                ),
                hint: Some(Message::new(
                    format!("例如 {{{{#{name} ticket.tags}}}}"),
                    format!("for example {{{{#{name} ticket.tags}}}}"),
                )),
            });
        }
        if open.len() == BLOCK_DEPTH_MAX + 1 {
            found.push(finding(tag.at, "块嵌套太深（最多 16 层）", "blocks are nested too deep (16 at most)"));
        }
    } else if let Some(inner) = tag.inner.strip_prefix('/') {
        let name = word(inner);
        match open.pop() {
            Some((opened, _)) if opened == name => {}
            Some((opened, _)) => found.push(Finding {
                at: tag.at,
                message: Message::new(
                    format!("这里关的是 “{name}”，打开的却是 “{opened}”"),
                    format!("this closes `{name}`, but `{opened}` was opened"),
                ),
                hint: Some(Message::new(format!("写 {{{{/{opened}}}}}"), format!("write {{{{/{opened}}}}}"))),
            }),
            None => found.push(Finding {
                at: tag.at,
                message: Message::new(
                    format!("“{{{{/{name}}}}}” 前面没有打开的 “{{{{#{name}}}}}”"),
                    format!("`{{{{/{name}}}}}` closes nothing: there is no `{{{{#{name}}}}}` before it"),
                ),
                hint: None,
            }),
        }
    } else if (word(tag.inner) == "else" || tag.inner.trim() == "^") && open.is_empty() {
        found.push(finding(
            tag.at,
            "“{{else}}” 要写在 {{#if}}、{{#unless}} 或 {{#each}} 里面",
            "`{{else}}` belongs inside {{#if}}, {{#unless}} or {{#each}}",
        ));
    }
}

fn unknown_block(at: usize, name: &str) -> Finding {
    let message =
        Message::new(format!("没有 “{{{{#{name}}}}}” 这种块"), format!("there is no block `{{{{#{name}}}}}`"));
    let hint = if name == "with" {
        Message::new("直接写全名，例如 {{ticket.guest.name}}", "write names in full, for example {{ticket.guest.name}}")
    } else if name.contains('.') {
        let (one, each) = (format!("{{{{#if {name}}}}}…{{{{/if}}}}"), format!("{{{{#each {name}}}}}…{{{{/each}}}}"));
        Message::new(format!("写成 {one} 或 {each}"), format!("write {one} or {each}"))
    } else {
        match nearest(name, BLOCKS) {
            Some(meant) => did_you_mean(meant),
            None => {
                Message::new("块只有 {{#if}}、{{#unless}}、{{#each}}", "the blocks are {{#if}}, {{#unless}}, {{#each}}")
            }
        }
    };
    Finding { at, message, hint: Some(hint) }
}

fn word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
}

/// How deep the brackets of a tag go, quoted text aside.
fn depth(inner: &str) -> usize {
    let (mut depth, mut deepest, mut quote) = (0_usize, 0, None);
    for c in inner.chars() {
        match (quote, c) {
            (Some(mark), c) if c == mark => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[' | '{') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn finding(at: usize, zh: &str, en: &str) -> Finding {
    Finding { at, message: Message::new(zh, en), hint: None }
}
