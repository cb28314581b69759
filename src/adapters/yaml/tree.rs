//! The spanned tree: what was written, and where.

use std::fmt;

use crate::domain::{
    fault::{Fault, Place},
    text::{Message, Words},
};

/// One value of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Where it begins.
    pub place: Place,
    /// What it is.
    pub kind: NodeKind,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// Nothing was written, or `null` or `~`.
    Null,
    /// A word, a number, a text.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order it was written; keys are unique.
    Map(Vec<(Key, Node)>),
}

/// A word, a number or a text, as written.
#[derive(Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The text.
    pub text: String,
    /// It stood in quotes or in a block.
    pub quoted: bool,
    /// An environment variable was put into it: its text may be a secret.
    pub expanded: bool,
}

/// A key of a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key as written.
    pub text: String,
    /// Where it begins.
    pub place: Place,
}

impl fmt::Debug for Scalar {
    /// Never shows the text: any scalar of a configuration may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scalar").field("quoted", &self.quoted).field("expanded", &self.expanded).finish_non_exhaustive()
    }
}

impl Scalar {
    /// The text for a fault's message: hidden if it came from the environment, and short.
    pub fn shown(&self) -> String {
        const SHOWN_CHARS_MAX: usize = 60;
        if self.expanded {
            return "${…}".to_string();
        }
        let mut shown: String = self.text.chars().take(SHOWN_CHARS_MAX).collect();
        if self.text.chars().nth(SHOWN_CHARS_MAX).is_some() {
            shown.push('…');
        }
        shown
    }
}

impl Node {
    /// The scalar, if it is one.
    pub fn scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            NodeKind::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The scalar's text, if it is one.
    pub fn text(&self) -> Option<&str> {
        self.scalar().map(|scalar| scalar.text.as_str())
    }

    /// Whether nothing was written.
    pub const fn is_null(&self) -> bool {
        matches!(self.kind, NodeKind::Null)
    }

    /// How many values it is, itself included.
    pub fn size(&self) -> usize {
        1 + match &self.kind {
            NodeKind::Null | NodeKind::Scalar(_) => 0,
            NodeKind::List(items) => items.iter().map(Self::size).sum(),
            NodeKind::Map(entries) => entries.iter().map(|(_, value)| value.size()).sum(),
        }
    }

    /// The items of a list; any other value counts as a list of itself.
    pub fn one_or_many(&self) -> &[Self] {
        match &self.kind {
            NodeKind::List(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    /// What it is, for a fault's message.
    pub fn kind_words(&self) -> Words {
        match &self.kind {
            NodeKind::Null => Words { zh: "空值", en: "nothing" },
            NodeKind::Scalar(_) => Words { zh: "一个值", en: "a single value" },
            NodeKind::List(items) if items.is_empty() => Words { zh: "空列表", en: "an empty list" },
            NodeKind::List(_) => Words { zh: "一个列表", en: "a list" },
            NodeKind::Map(_) => Words { zh: "一组键值", en: "a mapping" },
        }
    }

    /// The fault "expected this, found that", with a suggestion where the cause is plain.
    pub fn expected(&self, what: &Message) -> Fault {
        let found = match self.scalar() {
            Some(scalar) => Message::new(format!("“{}”", scalar.shown()), format!("`{}`", scalar.shown())),
            None => self.kind_words().into(),
        };
        let message = Message::new(
            format!("这里应当是{}，写的却是{}", what.zh, found.zh),
            format!("expected {}, found {}", what.en, found.en),
        );
        let fault = Fault::error(self.place.clone(), message);
        match self.text() {
            Some(text) if text.contains('：') => fault.with_hint(Message::new(
                "冒号要用半角的 “:”，后面空一格",
                "use the half-width colon `:` followed by a space",
            )),
            Some(text)
                if text
                    .split_once(':')
                    .is_some_and(|(key, rest)| !key.is_empty() && !rest.is_empty() && !rest.starts_with("//")) =>
            {
                fault.with_hint(Message::new(
                    "冒号后面要空一格，例如 “name: 值”",
                    "put a space after the colon: `name: value`",
                ))
            }
            _ => fault,
        }
    }
}
