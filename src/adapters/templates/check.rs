//! A template's syntax tree against the schema: every name, every helper, every branch, in loops too. Strict mode
//! alone would let a misspelt `{{#if}}` pass and find the rest only when a card is due.

use handlebars::template::{BlockParam, HelperTemplate, Parameter, Template, TemplateElement};
use serde_json::Value as Json;

use crate::{
    adapters::{
        templates::{
            context::RAW,
            helpers::{self, BLOCKS, Give, HELPERS, Spec, Take, UNITS},
            library::Raw,
            path::Path,
            shape::{ROOT, Shape},
            source::Source,
        },
        yaml::{map::did_you_mean, nearest::nearest},
    },
    domain::{fault::Fault, text::Message},
};

/// Loops within loops: two, over lists of at most fifty.
const EACH_DEPTH_MAX: usize = 2;

/// Every fault of a template.
pub(crate) fn check(template: &Template, source: &Source, raw: Raw) -> Vec<Fault> {
    let root = Frame { this: ROOT.clone(), params: Vec::new() };
    let mut walk = Walk { source, raw, frames: vec![root], at: (1, 1), faults: Vec::new() };
    walk.template(template);
    walk.faults
}

/// What names mean inside a loop.
struct Frame {
    this: Shape,
    params: Vec<(String, Shape)>,
}

struct Walk<'s> {
    source: &'s Source,
    raw: Raw,
    frames: Vec<Frame>,
    /// Line and column of the tag that is looked at.
    at: (usize, usize),
    faults: Vec<Fault>,
}

impl Walk<'_> {
    fn template(&mut self, template: &Template) {
        let outer = self.at;
        for (index, element) in template.elements.iter().enumerate() {
            if let Some(mapping) = template.mapping.get(index) {
                self.at = (mapping.0, mapping.1);
            }
            match element {
                TemplateElement::RawString(_) | TemplateElement::Comment(_) => {}
                TemplateElement::Expression(call) => self.shown(call),
                TemplateElement::HelperBlock(call) => self.block(call),
                _ => self.fault(
                    "",
                    "模板里只能写 {{…}}、{{#if}}、{{#unless}} 和 {{#each}}",
                    "templates hold only {{…}}, {{#if}}, {{#unless}} and {{#each}}",
                ),
            }
            self.at = outer;
        }
    }

    /// A tag that shows a value.
    fn shown(&mut self, call: &HelperTemplate) {
        let name = call.name.as_name().unwrap_or_default().to_string();
        let bare = call.params.is_empty() && call.hash.is_empty();
        let shape = if bare && helpers::find(&name).is_none() && !BLOCKS.contains(&name.as_str()) {
            self.parameter(&call.name)
        } else {
            self.call(call)
        };
        if let Some(shape) = shape {
            self.showable(&shape, &name);
        }
    }

    /// Only text and numbers are shown as they are.
    fn showable(&mut self, shape: &Shape, name: &str) {
        let (kind_zh, kind_en, write) = match shape {
            Shape::Text | Shape::Number => return,
            Shape::Flag => ("一个是否值", "yes or no", format!("{{{{#if {name}}}}}…{{{{/if}}}}")),
            Shape::Instant => ("一个时刻", "an instant", format!("{{{{time {name}}}}}")),
            Shape::Span => ("一段时长", "a length of time", format!("{{{{duration {name}}}}}")),
            Shape::Person => ("一个人", "a person", format!("{{{{person {name}}}}}")),
            Shape::Code(_) if name.ends_with("status") => ("一个状态", "a status", format!("{{{{status {name}}}}}")),
            Shape::Code(_) | Shape::Word(_) => ("一个代号", "a code", format!("{{{{word {name}}}}}")),
            Shape::List(_) => ("一个列表", "a list", format!("{{{{list {name}}}}}")),
            Shape::Object(parts) => {
                let part = parts.first().map_or("", |(part, _)| part);
                ("一组值", "a group of values", format!("{{{{{name}.{part}}}}}"))
            }
        };
        let message = Message::new(
            format!("“{name}” 是{kind_zh}，不能直接显示"),
            format!("`{name}` is {kind_en} and cannot be shown as it is"),
        );
        self.push(name, message, Some(Message::new(format!("写成 {write}"), format!("write {write}"))));
    }

    fn block(&mut self, call: &HelperTemplate) {
        let name = call.name.as_name().unwrap_or_default().to_string();
        if !BLOCKS.contains(&name.as_str()) {
            return; // told by the scan
        }
        if !call.hash.is_empty() || call.params.len() != 1 {
            let (zh, en) = (format!("“{{{{#{name}}}}}” 后面要写一个值"), format!("`{{{{#{name}}}}}` takes one value"));
            let hint = format!("{{{{#{name} ticket.tags}}}}…{{{{/{name}}}}}");
            self.push(
                &name,
                Message::new(zh, en),
                Some(Message::new(format!("例如 {hint}"), format!("for example {hint}"))),
            );
        }
        let shape = call.params.first().and_then(|param| self.parameter(param));
        let item = (name == "each").then(|| self.item(call, shape)).flatten();
        if let Some(item) = item {
            let params = loop_names(call, &item);
            self.frames.push(Frame { this: item, params });
            if let Some(template) = &call.template {
                self.template(template);
            }
            self.frames.pop();
        } else if name != "each"
            && let Some(template) = &call.template
        {
            self.template(template);
        }
        if let Some(inverse) = &call.inverse {
            self.template(inverse);
        }
    }

    /// What a loop goes over.
    fn item(&mut self, call: &HelperTemplate, shape: Option<Shape>) -> Option<Shape> {
        if self.frames.len() > EACH_DEPTH_MAX {
            self.fault("each", "{{#each}} 最多嵌套两层", "{{#each}} goes two deep at most");
            return None;
        }
        match shape? {
            Shape::List(item) => Some(*item),
            _ => {
                let name = call.params.first().and_then(Parameter::as_name).unwrap_or_default().to_string();
                let message = Message::new(
                    format!("“{name}” 不是列表，不能用 {{{{#each}}}}"),
                    format!("`{name}` is not a list: {{{{#each}}}} goes over lists only"),
                );
                self.push(&name, message, None);
                None
            }
        }
    }

    /// A helper with its parameters; its shape where it can be told.
    fn call(&mut self, call: &HelperTemplate) -> Option<Shape> {
        let name = call.name.as_name().unwrap_or_default().to_string();
        let Some(spec) = helpers::find(&name) else {
            self.unknown_helper(&name);
            return None;
        };
        let (least, most) = spec.counts;
        if !call.hash.is_empty() || call.params.len() < least || call.params.len() > most {
            let count = if least == most { least.to_string() } else { format!("{least}–{most}") };
            let message = Message::new(
                format!("“{name}” 要 {count} 个参数，这里写了 {}", written(call)),
                format!("`{name}` takes {count} parameter(s), here are {}", written(call)),
            );
            let hint = Message::new(format!("写成 {}", spec.usage), format!("write {}", spec.usage));
            self.push(&name, message, Some(hint));
            return None;
        }
        let shapes: Vec<Option<Shape>> = call.params.iter().map(|param| self.parameter(param)).collect();
        for (index, shape) in shapes.iter().enumerate() {
            let take = spec.takes.get(index).or(spec.takes.last()).copied().unwrap_or(Take::Any);
            if let (Some(shape), Some(param)) = (shape, call.params.get(index)) {
                self.fits(spec, take, shape, param);
            }
        }
        self.literals(spec, call, &shapes);
        match spec.gives {
            Give::Text => Some(Shape::Text),
            Give::Flag => Some(Shape::Flag),
            Give::Same => self.one_kind(&name, shapes),
        }
    }

    fn fits(&mut self, spec: &Spec, take: Take, shape: &Shape, param: &Parameter) {
        let (fits, zh, en) = match take {
            Take::Any => return,
            Take::Text => (matches!(shape, Shape::Text | Shape::Number), "文字", "text"),
            Take::Number => (matches!(shape, Shape::Number), "数字", "a number"),
            Take::Instant => (matches!(shape, Shape::Instant), "时刻", "an instant"),
            Take::Span => (matches!(shape, Shape::Span | Shape::Number), "时长", "a length of time"),
            Take::Person => (matches!(shape, Shape::Person), "人", "a person"),
            Take::Word => (
                matches!(shape, Shape::Code(_) | Shape::Word(_)),
                "代号（如 ticket.status）",
                "a code (as ticket.status is)",
            ),
            Take::List => (matches!(shape, Shape::List(_)), "列表", "a list"),
        };
        if !fits {
            let shown = display(param);
            let message = Message::new(
                format!("“{}” 这里要的是{zh}，“{shown}” 不是", spec.name),
                format!("`{}` takes {en} here, and `{shown}` is not", spec.name),
            );
            let hint = Message::new(format!("例如 {}", spec.usage), format!("for example {}", spec.usage));
            self.push(&shown, message, Some(hint));
        }
    }

    /// What depends on the values written: the unit of a number's duration, names an enumeration is compared with.
    fn literals(&mut self, spec: &Spec, call: &HelperTemplate, shapes: &[Option<Shape>]) {
        let literal = |index: usize| match call.params.get(index) {
            Some(Parameter::Literal(value)) => Some(value),
            _ => None,
        };
        if spec.name == "duration" && matches!(shapes.first(), Some(Some(Shape::Number))) {
            let unit = literal(1).and_then(Json::as_str);
            if !unit.is_some_and(|unit| UNITS.iter().any(|(name, _)| *name == unit)) {
                let shown = call.params.first().map(display).unwrap_or_default();
                let message = Message::new(
                    format!("“{shown}” 是数字，要写明单位"),
                    format!("`{shown}` is a number: say its unit"),
                );
                let hint = format!("{{{{duration {shown} \"seconds\"}}}} (seconds | minutes | hours | ms)");
                self.push(&shown, message, Some(Message::new(format!("写成 {hint}"), format!("write {hint}"))));
            }
        }
        if !matches!(spec.name, "eq" | "ne") {
            return;
        }
        for (one, other) in [(0, 1), (1, 0)] {
            let names: Vec<&str> = match shapes.get(one) {
                Some(Some(Shape::Code(codes))) => codes.iter().map(|code| code.name).collect(),
                Some(Some(Shape::Word(words))) => words.to_vec(),
                _ => continue,
            };
            let Some(value) = literal(other) else { continue };
            if value.as_str().is_some_and(|value| names.contains(&value)) {
                continue;
            }
            let of = call.params.get(one).map(display).unwrap_or_default();
            let message = Message::new(format!("“{of}” 不会是 {value}"), format!("`{of}` is never {value}"));
            let hint = match value.as_str().and_then(|value| nearest(value, names.iter().copied())) {
                Some(meant) => did_you_mean(meant),
                None => {
                    Message::new(format!("可以是：{}", names.join("、")), format!("it may be: {}", names.join(", ")))
                }
            };
            self.push(&of, message, Some(hint));
        }
    }

    /// What `default` gives: the kind both have.
    fn one_kind(&mut self, name: &str, shapes: Vec<Option<Shape>>) -> Option<Shape> {
        let mut shapes = shapes.into_iter();
        let (first, second) = (shapes.next()??, shapes.next()??);
        let showable = |shape: &Shape| matches!(shape, Shape::Text | Shape::Number);
        if first == second || (showable(&first) && showable(&second)) {
            return Some(first);
        }
        let message = Message::new(
            format!("“{name}” 的两个值不是同一类"),
            format!("the two values of `{name}` are not of one kind"),
        );
        let hint = Message::new(
            "先变成文字，例如 {{default (time ticket.closed_at) \"未关闭\"}}",
            "turn the first into text, for example {{default (time ticket.closed_at) \"open\"}}",
        );
        self.push(name, message, Some(hint));
        None
    }

    fn unknown_helper(&mut self, name: &str) {
        let message = Message::new(format!("没有 “{name}” 这个函数"), format!("there is no helper `{name}`"));
        let names = HELPERS.iter().map(|spec| spec.name);
        let hint = match nearest(name, names.clone()) {
            Some(meant) => did_you_mean(meant),
            None => {
                let names: Vec<&str> = names.collect();
                Message::new(format!("可以用：{}", names.join("、")), format!("there are: {}", names.join(", ")))
            }
        };
        self.push(name, message, Some(hint));
    }

    fn parameter(&mut self, param: &Parameter) -> Option<Shape> {
        match param {
            Parameter::Path(_) | Parameter::Name(_) => self.resolve(param.as_name().unwrap_or_default()),
            Parameter::Subexpression(inner) => match inner.as_element() {
                TemplateElement::Expression(call) => self.call(call),
                _ => None,
            },
            Parameter::Literal(Json::String(_) | Json::Null) => Some(Shape::Text),
            Parameter::Literal(Json::Number(_)) => Some(Shape::Number),
            Parameter::Literal(Json::Bool(_)) => Some(Shape::Flag),
            _ => {
                self.fault("", "这里不能写列表或对象", "lists and objects cannot be written here");
                None
            }
        }
    }

    /// The shape a name stands for; a name nobody knows is a fault.
    fn resolve(&mut self, raw: &str) -> Option<Shape> {
        let path = Path::of(raw);
        if path.local {
            return self.local(raw, &path);
        }
        let (start, parts) = match path.parts.split_first() {
            Some((first, rest)) if !path.root && path.up == 0 => {
                let named = self.frames.iter().rev().flat_map(|frame| &frame.params);
                match named.into_iter().find(|(name, _)| name == first) {
                    Some((_, shape)) => (shape.clone(), rest.to_vec()),
                    None => (self.frames.last()?.this.clone(), path.parts.clone()),
                }
            }
            _ if path.root => (ROOT.clone(), path.parts.clone()),
            _ => {
                let index = self.frames.len().checked_sub(path.up + 1);
                let Some(frame) = index.and_then(|index| self.frames.get(index)) else {
                    self.fault(raw, "“../” 走出了最外层", "`../` goes out of the template");
                    return None;
                };
                (frame.this.clone(), path.parts.clone())
            }
        };
        let at_root = start == *ROOT;
        if at_root && parts.first() == Some(&RAW) && self.raw == Raw::Refused {
            let message = Message::new(
                format!("“{raw}” 不能用：raw 是没有打码、没有截短的工单"),
                format!("`{raw}` is refused: `raw` is the ticket with nothing hidden, masked or cut"),
            );
            let hint = Message::new(
                format!("用 {}，或在 deskbell.yaml 里写 privacy: {{ raw: true }}", raw.replacen(RAW, "ticket", 1)),
                format!(
                    "use {}, or allow it in deskbell.yaml: privacy: {{ raw: true }}",
                    raw.replacen(RAW, "ticket", 1)
                ),
            );
            self.push(raw, message, Some(hint));
            return None;
        }
        match find(&start, &parts) {
            Ok(shape) => Some(shape.clone()),
            Err((within, missing)) => {
                let hint = self.meant(within, missing, raw, &path);
                let message = Message::new(format!("没有 “{raw}” 这个名字"), format!("there is no `{raw}`"));
                self.push(raw, message, hint);
                None
            }
        }
    }

    fn local(&mut self, raw: &str, path: &Path<'_>) -> Option<Shape> {
        let inside = self.frames.len() > path.up + 1;
        match path.parts.as_slice() {
            ["index"] if inside => Some(Shape::Number),
            ["first" | "last"] if inside => Some(Shape::Flag),
            _ => {
                let hint = Message::new(
                    "在 {{#each}} 里可以用 @index、@first、@last",
                    "inside {{#each}} there are @index, @first, @last",
                );
                let message = Message::new(format!("没有 “{raw}” 这个名字"), format!("there is no `{raw}`"));
                self.push(raw, message, Some(hint));
                None
            }
        }
    }

    /// What an unknown name may have been meant as.
    fn meant(&self, within: &Shape, missing: &str, raw: &str, path: &Path<'_>) -> Option<Message> {
        if let Some(spec) = helpers::find(raw) {
            return Some(Message::new(format!("写成 {}", spec.usage), format!("write {}", spec.usage)));
        }
        let write = |name: String| Message::new(format!("写成 {name}"), format!("write {name}"));
        if raw.contains(['“', '”', '‘', '’', '（', '）', '，', '：', '＂']) {
            return Some(Message::new(
                "引号、括号和逗号要用半角的：\" ( )",
                "use half-width quotes and brackets: \" ( )",
            ));
        }
        if self.frames.len() > 1 && !path.root && find(&ROOT, &path.parts).is_ok() {
            return Some(write(format!("@root.{raw}")));
        }
        if let Shape::List(_) = within {
            let list = raw.split(missing).next().unwrap_or_default().trim_end_matches(['.', '/']);
            return Some(write(format!("{{{{#each {list}}}}}…{{{{/each}}}}")));
        }
        if let Some(meant) = nearest(missing, within.parts()) {
            return Some(did_you_mean(&raw.replacen(missing, meant, 1)));
        }
        let home = ["ticket", "alert", "rule"].into_iter().find(|home| find(&ROOT, &[home, missing]).is_ok());
        if let Some(home) = home {
            return Some(did_you_mean(&format!("{home}.{missing}")));
        }
        if path.parts.first() == Some(&"ticket") && path.parts.len() == 2 {
            return Some(write(format!("{{{{field \"{missing}\"}}}}")));
        }
        let refused = |part: &&str| within == &*ROOT && *part == RAW && self.raw == Raw::Refused;
        let parts: Vec<&str> = within.parts().into_iter().filter(|part| !refused(part)).collect();
        (!parts.is_empty())
            .then(|| Message::new(format!("可以是：{}", parts.join("、")), format!("there are: {}", parts.join(", "))))
    }

    fn fault(&mut self, word: &str, zh: &str, en: &str) {
        self.push(word, Message::new(zh, en), None);
    }

    fn push(&mut self, word: &str, message: Message, hint: Option<Message>) {
        let place = self.source.place_in_tag(self.at.0, self.at.1, word);
        let mut fault = Fault::error(place, message);
        fault.hint = hint;
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }
}

/// The shape at the end of a path, or where it broke off and at which part.
fn find<'a, 'p>(start: &'a Shape, parts: &[&'p str]) -> Result<&'a Shape, (&'a Shape, &'p str)> {
    let mut shape = start;
    for part in parts {
        shape = shape.part(part).ok_or((shape, *part))?;
    }
    Ok(shape)
}

fn loop_names(call: &HelperTemplate, item: &Shape) -> Vec<(String, Shape)> {
    let name = |param: &Parameter| param.as_name().unwrap_or_default().to_string();
    match &call.block_param {
        Some(BlockParam::Single(one)) => vec![(name(one), item.clone())],
        Some(BlockParam::Pair((one, index))) => vec![(name(one), item.clone()), (name(index), Shape::Number)],
        _ => Vec::new(),
    }
}

fn display(param: &Parameter) -> String {
    match param {
        Parameter::Literal(value) => value.to_string(),
        Parameter::Subexpression(inner) => format!("({} …)", inner.name()),
        _ => param.as_name().unwrap_or_default().to_string(),
    }
}

fn written(call: &HelperTemplate) -> String {
    let mut shown = call.params.len().to_string();
    if !call.hash.is_empty() {
        let mut names: Vec<&str> = call.hash.keys().map(String::as_str).collect();
        names.sort_unstable();
        shown.push_str(&format!(" + {}=…", names.join("=…, ")));
    }
    shown
}
