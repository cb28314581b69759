//! One template's text turned into what can be rendered, or all that is wrong with it.

use handlebars::{Context, Handlebars, template::Template};

use crate::{
    adapters::{
        templates::{check, front, front::Front, library::Raw, scan, shape::ROOT, source::Source},
        yaml::{map::did_you_mean, nearest::nearest},
    },
    domain::{
        card::Colour,
        card_buttons::Offer,
        fault::{Fault, Place},
        text::Message,
    },
};

/// Bytes of one template's file.
pub(crate) const TEMPLATE_BYTES_MAX: usize = 64 * 1024;

/// Characters of a template that a fault shows.
const SHOWN_CHARS_MAX: usize = 16;

/// A template that can be rendered.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) title: Template,
    pub(crate) colour: Option<Template>,
    pub(crate) tags: Vec<Template>,
    pub(crate) buttons: Option<Vec<Offer>>,
    pub(crate) body: Template,
}

/// What a slot holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Slot {
    Plain,
    Markdown,
}

/// Compiles and checks a template; every fault is gathered, and one error is enough to leave it out.
pub(crate) fn compile(file: &str, text: &str, raw: Raw, faults: &mut Vec<Fault>) -> Option<Compiled> {
    if text.len() > TEMPLATE_BYTES_MAX {
        let message = Message::new(
            format!("模板太大：{} 字节，最多 {TEMPLATE_BYTES_MAX}", text.len()),
            format!("the template is too large: {} bytes, at most {TEMPLATE_BYTES_MAX}", text.len()),
        );
        faults.push(Fault::error(Place::file(file), message));
        return None;
    }
    let before = faults.len();
    let Front { title, colour, tags, buttons, body } = front::read(file, text, faults)?;
    let title = slot(&title, Slot::Plain, raw, faults);
    let colour = colour.map(|colour| self::colour(&colour, raw, faults));
    let tags: Vec<Option<Template>> = tags.iter().map(|tag| slot(tag, Slot::Plain, raw, faults)).collect();
    let body = slot(&body, Slot::Markdown, raw, faults);
    if faults.len() > before {
        return None;
    }
    let colour = match colour {
        Some(colour) => Some(colour?),
        None => None,
    };
    Some(Compiled { title: title?, colour, tags: tags.into_iter().collect::<Option<_>>()?, buttons, body: body? })
}

/// A trial on a card of which nothing is known; what `check` could not see would show here.
pub(crate) fn trial(renderer: &Handlebars<'_>, name: &str) -> Result<(), Message> {
    let nothing = Context::wraps(ROOT.nothing()).unwrap_or_else(|_| Context::null());
    renderer.render_with_context(name, &nothing).map(|_| ()).map_err(|error| {
        let reason = error.reason();
        Message::new(format!("在空工单上渲染失败：{reason}"), format!("it fails on an empty ticket: {reason}"))
    })
}

/// A colour: a name, or an expression that gives one.
fn colour(source: &Source, raw: Raw, faults: &mut Vec<Fault>) -> Option<Template> {
    if !source.text.contains("{{") && Colour::from_name(source.text.trim()).is_none() {
        let names = Colour::ALL.map(Colour::name);
        let message =
            Message::new(format!("没有 “{}” 这种颜色", source.text), format!("there is no colour `{}`", source.text));
        let hint = match nearest(&source.text, names) {
            Some(meant) => did_you_mean(meant),
            None => Message::new(format!("可以是：{}", names.join("、")), format!("there are: {}", names.join(", "))),
        };
        faults.push(Fault::error(source.place(0), message).with_hint(hint));
        return None;
    }
    slot(source, Slot::Plain, raw, faults)
}

/// One string of a template, which is a template of its own.
fn slot(source: &Source, slot: Slot, raw: Raw, faults: &mut Vec<Fault>) -> Option<Template> {
    let mut findings = scan::tags(&source.text);
    let broken = !findings.is_empty();
    if slot == Slot::Markdown {
        findings.extend(scan::markdown(&source.text));
    }
    for finding in findings {
        let mut fault = Fault::error(source.place(finding.at), finding.message);
        fault.hint = finding.hint;
        faults.push(fault);
    }
    if broken {
        return None; // the parser would only say the same in its own words
    }
    match Template::compile(&source.text) {
        Ok(template) => {
            faults.extend(check::check(&template, source, raw));
            Some(template)
        }
        Err(error) => {
            let (line, column) = error.pos().unwrap_or((1, 1));
            let rest: String =
                source.from(line, column).chars().take_while(|c| *c != '\n').take(SHOWN_CHARS_MAX).collect();
            let message = Message::new(format!("从 “{rest}” 起读不懂"), format!("cannot be read from `{rest}` on"));
            let hint = Message::new(
                "名字之间用空格，嵌套用括号，例如 {{default (field \"优先级\") \"-\"}}",
                "put spaces between names and brackets around what is nested, as in {{default (field \"Priority\") \"-\"}}",
            );
            faults.push(Fault::error(source.place_of(line, column), message).with_hint(hint));
            None
        }
    }
}
