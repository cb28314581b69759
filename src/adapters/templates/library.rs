//! The templates in force, and the one way from a send to a card. Rendering never fails.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::Path,
};

use handlebars::{Context, Handlebars};
use serde_json::Value as Json;

use crate::{
    adapters::templates::{
        builtin,
        compile::{self, Compiled},
        context::{self, RAW},
        files::{self, File},
        frame::{self, BODY_BYTES_MAX, Draft},
        helpers,
    },
    domain::{
        alert::AlertState,
        card::{Card, Colour, escape_markdown, one_line},
        card_buttons::Offer,
        fault::{Fault, Place},
        id::TemplateName,
        notice::{AnswerView, Content, Send},
        text::{Locale, Message},
        time::{Timestamp, Zone},
    },
};

/// What a card is rendered with besides the send.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings {
    /// The zone people read times in.
    pub zone: Zone,
    /// The instant of rendering.
    pub now: Timestamp,
    /// It is only a drill (`send-test`): the title says so.
    pub drill: bool,
}

/// Whether templates may name `raw`: the ticket with nothing hidden, masked or cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Raw {
    /// They may not.
    #[default]
    Refused,
    /// The configuration allows it (`privacy: { raw: true }`).
    Allowed,
}

/// A card, and what operations must hear of how it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The card.
    pub card: Card,
    /// The template failed and the built-in card stands in for it: why, and what to do.
    pub trouble: Option<Message>,
}

/// The templates in force: the shipped ones, and those of the folder, which go before them.
#[derive(Debug)]
pub struct Templates {
    /// Escapes for plain text: titles, tags, colours.
    plain: Handlebars<'static>,
    /// Escapes for card markdown: bodies.
    markdown: Handlebars<'static>,
    names: BTreeMap<TemplateName, Vec<Variant>>,
    /// Whether they may name `raw`.
    raw: Raw,
}

/// A template of a name: one language, or both.
#[derive(Debug)]
struct Variant {
    /// Its file, under which its parts are registered.
    file: String,
    locale: Option<Locale>,
    shipped: bool,
    colour: bool,
    tags: usize,
    buttons: Option<Vec<Offer>>,
    /// The context it is filled from, still blank.
    blank: context::Object,
}

impl Templates {
    /// Loads the shipped templates and those of `dir` over them. A faulty template is left out and its faults are
    /// returned, each with its place. Reads files; at start and reload only.
    pub fn load(dir: Option<&Path>) -> (Self, Vec<Fault>) {
        Self::load_with(dir, Raw::Refused)
    }

    /// The same, where the configuration says whether templates may name `raw`.
    pub fn load_with(dir: Option<&Path>, raw: Raw) -> (Self, Vec<Fault>) {
        let mut faults = Vec::new();
        let own = dir.map(|dir| files::folder(dir, &mut faults)).unwrap_or_default();
        let mut templates = Self { raw, ..Self::none() };
        for file in files::shipped() {
            templates.add(&file, true, &mut faults);
        }
        for file in own {
            templates.add(&file, false, &mut faults);
        }
        (templates, faults)
    }

    /// Templates of texts at hand alone, given as (file name, text). A name that is none is passed over.
    pub fn of_texts(texts: &[(&str, &str)]) -> (Self, Vec<Fault>) {
        let (mut templates, mut faults) = (Self::none(), Vec::new());
        for file in texts.iter().filter_map(|(name, text)| files::named(name, text)) {
            templates.add(&file, false, &mut faults);
        }
        (templates, faults)
    }

    fn none() -> Self {
        Self {
            plain: helpers::renderer(one_line),
            markdown: helpers::renderer(escape_markdown),
            names: BTreeMap::new(),
            raw: Raw::default(),
        }
    }

    /// The names a rule may ask for, sorted.
    pub fn names(&self) -> Vec<TemplateName> {
        self.names.keys().cloned().collect()
    }

    /// The card of a send. A template that fails is replaced by the built-in card, and `trouble` says so.
    pub fn render(&self, send: &Send, around: &Surroundings) -> Rendered {
        let (draft, trouble) = match self.draft(send, around) {
            Ok(draft) => (draft, None),
            Err(trouble) => (builtin::draft(send, around), Some(trouble)),
        };
        let offers = self.chosen(send).and_then(|variant| variant.buttons.as_deref()).unwrap_or(&Offer::USUAL);
        Rendered { card: frame::finish(draft, offers, send, around), trouble }
    }

    fn add(&mut self, file: &File, shipped: bool, faults: &mut Vec<Fault>) {
        let Some(compiled) = compile::compile(&file.file, &file.text, self.raw, faults) else { return };
        let Compiled { title, colour, tags, buttons, body } = compiled;
        let id = file.file.as_str();
        let variant = Variant {
            file: file.file.clone(),
            locale: file.locale,
            shipped,
            colour: colour.is_some(),
            tags: tags.len(),
            buttons,
            blank: context::blank(&file.text),
        };
        self.plain.register_template(&part(id, "title"), title);
        if let Some(colour) = colour {
            self.plain.register_template(&part(id, "colour"), colour);
        }
        for (index, tag) in tags.into_iter().enumerate() {
            self.plain.register_template(&part(id, &format!("tag {index}")), tag);
        }
        self.markdown.register_template(&part(id, "body"), body);
        let title = compile::trial(&self.plain, &part(id, "title"));
        if let Err(message) = title.and_then(|()| compile::trial(&self.markdown, &part(id, "body"))) {
            faults.push(Fault::error(Place::file(id), message));
            return;
        }
        self.names.entry(TemplateName::new(file.name.as_str())).or_default().push(variant);
    }

    /// The draft a template makes, or the built-in one for what has none; an error says why a template failed.
    fn draft(&self, send: &Send, around: &Surroundings) -> Result<Draft, Message> {
        let names = wanted(send);
        if names.is_empty() {
            return Ok(builtin::draft(send, around));
        }
        let variant = self.chosen(send).ok_or_else(|| {
            let name = names.first().copied().unwrap_or_default();
            Message::new(
                format!("没有模板 “{name}”，已改用内置卡片。请检查规则里的 template 和模板文件夹"),
                format!(
                    "there is no template `{name}`: the built-in card was used. Check `template` in the rule and the \
                     template folder"
                ),
            )
        })?;
        self.fill(variant, send, around).map_err(|reason| {
            let file = &variant.file;
            Message::new(
                format!("模板 {file} 渲染失败，已改用内置卡片：{reason}。请运行 deskbell check 并修改模板"),
                format!(
                    "the template {file} failed and the built-in card was used: {reason}. Run deskbell check and mend \
                     the template"
                ),
            )
        })
    }

    /// The template of a send, where it has one.
    fn chosen(&self, send: &Send) -> Option<&Variant> {
        wanted(send).iter().find_map(|name| self.variant(name, send.locale))
    }

    /// The folder's before the shipped ones; among them the reader's language, then both, then another.
    fn variant(&self, name: &str, locale: Locale) -> Option<&Variant> {
        let rank = |variant: &&Variant| {
            let language = match variant.locale {
                Some(own) if own == locale => 0,
                None => 1,
                Some(_) => 2,
            };
            (language == 2, variant.shipped, language)
        };
        self.names.get(name)?.iter().min_by_key(rank)
    }

    fn fill(&self, variant: &Variant, send: &Send, around: &Surroundings) -> Result<Draft, String> {
        let mut context = context::of(variant.blank.clone(), send, around);
        if let (Raw::Allowed, Json::Object(root)) = (self.raw, &mut context) {
            root.insert(RAW.into(), context::raw(send, around));
        }
        let context = Context::from(context); // taken as it is, not serialized once more
        let id = variant.file.as_str();
        let plain = |name: &str| render(&self.plain, &part(id, name), &context);
        let title = plain("title")?;
        if title.trim().is_empty() {
            return Err("title".to_string() + ": empty");
        }
        let colour = match variant.colour {
            true => {
                let name = plain("colour")?;
                Colour::from_name(name.trim()).ok_or_else(|| format!("colour: {}", one_line(&name)))?
            }
            false => builtin::draft(send, around).colour,
        };
        let tags = (0..variant.tags).map(|index| plain(&format!("tag {index}"))).collect::<Result<_, _>>()?;
        let body = render(&self.markdown, &part(id, "body"), &context)?;
        Ok(Draft { title, colour, tags, body })
    }
}

/// The templates a send may be made from, the first that is there; none for sentences.
fn wanted(send: &Send) -> Vec<&str> {
    match &send.content {
        Content::Alert(view) if matches!(view.alert.state, AlertState::Ended { .. }) => vec!["ended"],
        Content::Alert(view) => match &send.template {
            Some(name) => vec![name.as_str()],
            None => vec![view.rule_name(), "alert"],
        },
        Content::Digest(_) => vec!["digest"],
        Content::Answer(view) => match view.as_ref() {
            AnswerView::Ticket(_) => vec!["ticket"],
            AnswerView::Text(_) | AnswerView::Page(..) => Vec::new(),
        },
        Content::Trouble(_) | Content::Announcement(_) => Vec::new(),
    }
}

/// The name a part of a template is registered under.
fn part(file: &str, part: &str) -> String {
    format!("{file}#{part}")
}

fn render(renderer: &Handlebars<'_>, name: &str, context: &Context) -> Result<String, String> {
    let mut out = Bounded::default();
    match renderer.render_with_context_to_write(name, context, &mut out) {
        Ok(()) => Ok(out.text()),
        // Shortened, never refused: what was written so far is cut at its last line.
        Err(_) if out.full => {
            let text = out.text();
            let kept = text.rsplit_once('\n').map_or("", |(kept, _)| kept);
            Ok(format!("{kept}\n…"))
        }
        Err(error) => Err(error.reason().to_string()),
    }
}

/// A text that stops growing at [`BODY_BYTES_MAX`].
#[derive(Default)]
struct Bounded {
    bytes: Vec<u8>,
    full: bool,
}

impl Bounded {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.full || self.bytes.len() + bytes.len() > BODY_BYTES_MAX {
            self.full = true;
            return Err(io::Error::other("full"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
