//! What may be shown of a guest: which parts of their data, with what masked, how much of what was said
//! (`privacy` of the configuration).
//!
//! Whatever is shown of a ticket is shown through here: [`crate::domain::notice::TicketView`] holds the ticket as
//! [`Privacy::ticket`] leaves it, and reasons, headlines and digests ask before they name a value. What always shows:
//! the ticket's id, status, times, agents, team, priority, score and tags.

use std::{borrow::Cow, sync::Arc};

use crate::domain::{
    card::cut,
    condition::{CustomSelector, PersonPart, Target},
    conversation::{Conversation, Said},
    facts::Facts,
    mask::{Personal, mask_only},
    text::{Message, Words, fold},
    ticket::{Comment, CustomField, I18nText, Known, Person, Tag, Text, Ticket},
};

/// Characters quoted of what was said, where nothing is written.
pub const GUEST_TEXT: usize = 120;

/// The most that may be quoted: less than is kept of a message, so that no number is cut in two before it is masked.
pub const GUEST_TEXT_MAX: usize = 400;

/// What stands for a value that may not be shown.
pub const HIDDEN: Words = Words { zh: "（未显示）", en: "(not shown)" };

/// What may be shown of a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Privacy {
    /// The parts of the guest that are shown.
    pub guest: Vec<PersonPart>,
    /// Whether the subject line is.
    pub subject: bool,
    /// Which custom fields are.
    pub fields: ShownFields,
    /// What is masked in every text that is shown.
    pub mask: Vec<Personal>,
    /// Characters quoted of a message, a note or a reason; 0: nothing is quoted.
    pub guest_text: usize,
    /// Whether cards may be forwarded to other chats.
    pub forward: bool,
    /// Whether templates may name `raw`: the ticket with nothing hidden, masked or cut.
    pub raw: bool,
}

/// Which custom fields are shown. The one that holds the priority always is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShownFields {
    /// Every one.
    All,
    /// These, by display name or key; folded.
    Only(Vec<Text>),
}

impl Default for Privacy {
    fn default() -> Self {
        Self {
            guest: vec![PersonPart::Name, PersonPart::Department],
            subject: true,
            fields: ShownFields::All,
            mask: Personal::ALL.to_vec(),
            guest_text: GUEST_TEXT,
            forward: false,
            raw: false,
        }
    }
}

impl Privacy {
    /// Nothing of the guest: what leaves the company.
    pub fn outsiders() -> Self {
        Self {
            guest: Vec::new(),
            subject: false,
            fields: ShownFields::Only(Vec::new()),
            guest_text: 0,
            ..Self::default()
        }
    }

    /// All is shown.
    pub fn none() -> Self {
        Self { guest: PersonPart::ALL.to_vec(), mask: Vec::new(), guest_text: usize::MAX, ..Self::default() }
    }

    /// A text that came from outside, masked; the ticket's own number stays.
    pub fn masked<'a>(&self, text: &'a str, ticket: &str) -> Cow<'a, str> {
        if self.mask.is_empty() {
            return Cow::Borrowed(text);
        }
        Cow::Owned(mask_only(text, &self.mask, ticket))
    }

    /// What is quoted of something that was said; nothing where nothing is quoted.
    pub fn quoted(&self, text: &str, ticket: &str) -> Option<String> {
        (self.guest_text > 0).then(|| cut(&self.masked(text, ticket), self.guest_text))
    }

    /// Whether a custom field is shown, by any of the names it has.
    pub fn shows_field(&self, names: &[&str], priority: Option<&str>) -> bool {
        match &self.fields {
            ShownFields::All => true,
            ShownFields::Only(shown) => names.iter().any(|name| {
                let name = fold(name);
                shown.iter().any(|shown| **shown == *name) || priority.is_some_and(|priority| *fold(priority) == *name)
            }),
        }
    }

    /// Whether what a test looks at may be named in a reason.
    pub fn shows(&self, target: &Target, ticket: &Ticket, priority: Option<&str>) -> bool {
        match target {
            Target::Field(field) => match field.name {
                "guest" => !self.guest.is_empty(),
                "subject" => self.subject,
                "comments"
                | "dissatisfaction_reason"
                | "guest_message"
                | "agent_message"
                | "first_guest_message"
                | "last_guest_message" => self.guest_text > 0,
                "closed_by" => self.guest.contains(&PersonPart::Name) || !is_guest(&ticket.closed_by, ticket),
                _ => true,
            },
            Target::Part(field, part) => match field.name {
                "guest" => self.guest.contains(part),
                "closed_by" => self.guest.contains(part) || !is_guest(&ticket.closed_by, ticket),
                _ => true,
            },
            Target::Custom(selector) => {
                let (CustomSelector::Any(word)
                | CustomSelector::Name(word)
                | CustomSelector::Key(word)
                | CustomSelector::Id(word)) = selector;
                let fields = ticket.customized_fields.present().map(|fields| &**fields).unwrap_or_default();
                let meant = fields.iter().find(|field| names_of(field).any(|name| *fold(name) == **word));
                match meant {
                    Some(field) => self.shows_field(&names_of(field).collect::<Vec<_>>(), priority),
                    None => self.shows_field(&[word], priority),
                }
            }
        }
    }

    /// A ticket as far as it may be shown. `priority` names the field that always is.
    pub fn ticket(&self, ticket: &Ticket, priority: Option<&str>) -> Ticket {
        let own = ticket.key.id.as_str();
        let said = |text: &Known<Text>| match text {
            Known::Present(text) => self.quoted(text, own).map_or(Known::Empty, |text| Known::Present(text.into())),
            other => other.clone(),
        };
        let closed_by = match &ticket.closed_by {
            Known::Present(person) if is_guest(&ticket.closed_by, ticket) => Known::Present(self.person(person, own)),
            other => other.clone(),
        };
        let comments = ticket.comments.as_ref().map(|comments| {
            comments.iter().map(|comment| Comment { content: said(&comment.content), ..comment.clone() }).collect()
        });
        let reasons = ticket.dissatisfaction_reason.as_ref().map(|reasons| {
            // One that is hidden is not one that was not given.
            let one = |text: &I18nText| match self.guest_text {
                0 => I18nText {
                    zh_cn: Known::Present(HIDDEN.zh.into()),
                    en_us: Known::Present(HIDDEN.en.into()),
                    ja_jp: Known::Empty,
                },
                _ => I18nText { zh_cn: said(&text.zh_cn), en_us: said(&text.en_us), ja_jp: said(&text.ja_jp) },
            };
            reasons.iter().map(one).collect()
        });
        let fields = ticket.customized_fields.as_ref().map(|fields| {
            let shown = fields.iter().filter(|it| self.shows_field(&names_of(it).collect::<Vec<_>>(), priority));
            shown.map(|it| CustomField { value: self.known(&it.value, own), ..it.clone() }).collect()
        });
        let tags = ticket
            .tags
            .as_ref()
            .map(|tags| tags.iter().map(|tag| Tag { name: self.known(&tag.name, own), ..tag.clone() }).collect());
        Ticket {
            guest: ticket.guest.as_ref().map(|guest| self.person(guest, own)),
            closed_by,
            comments,
            dissatisfaction_reason: reasons,
            customized_fields: fields,
            tags,
            ..ticket.clone()
        }
    }

    /// What is known of a ticket besides, as far as it may be shown: of what was said, the words.
    pub fn facts(&self, facts: &Facts, ticket: &Ticket) -> Facts {
        let own = ticket.key.id.as_str();
        let said = |said: &Said| Some(Said { at: said.at, text: self.quoted(&said.text, own)?.into() });
        let conversation = facts.conversation.as_ref().map(|talk| {
            Arc::new(Conversation {
                guest: talk.guest.iter().filter_map(said).collect(),
                agent: talk.agent.iter().filter_map(said).collect(),
                first_guest: talk.first_guest.as_ref().and_then(said),
                unanswered_since: talk.unanswered_since,
            })
        });
        Facts { conversation, ..facts.clone() }
    }

    fn known(&self, text: &Known<Text>, own: &str) -> Known<Text> {
        text.as_ref().map(|text| self.masked(text, own).into())
    }

    /// The guest, with the parts that may be shown.
    fn person(&self, person: &Arc<Person>, own: &str) -> Arc<Person> {
        let part = |part: PersonPart| match part.of(person) {
            Known::Present(_) if !self.guest.contains(&part) => Known::Empty,
            text => self.known(text, own),
        };
        Arc::new(Person {
            id: part(PersonPart::Id),
            name: part(PersonPart::Name),
            email: part(PersonPart::Email),
            department: part(PersonPart::Department),
            city: part(PersonPart::City),
            country: part(PersonPart::Country),
            avatar_url: part(PersonPart::AvatarUrl),
        })
    }
}

/// What stands for a value that may not be shown, in both languages.
pub fn hidden() -> Message {
    HIDDEN.into()
}

/// The names a custom field goes by.
fn names_of(field: &CustomField) -> impl Iterator<Item = &str> {
    [&field.display_name, &field.key_name, &field.id].into_iter().filter_map(|name| name.present().map(|name| &**name))
}

/// Whether a person on a ticket is its guest.
fn is_guest(person: &Known<Arc<Person>>, ticket: &Ticket) -> bool {
    let id = |known: &Known<Arc<Person>>| known.present().and_then(|person| person.id.present().cloned());
    id(person).is_some_and(|closer| id(&ticket.guest) == Some(closer))
}

#[cfg(test)]
mod tests;
