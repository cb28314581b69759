//! People and chats of the tenant.

use std::collections::{BTreeMap, BTreeSet};

/// A person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// `ou_…`, for the one app there is.
    pub open_id: String,
    /// `on_…`
    pub union_id: String,
    /// The tenant's own id.
    pub user_id: String,
    /// Name.
    pub name: String,
    /// Email.
    pub email: String,
    /// Mobile number.
    pub mobile: String,
    /// Department.
    pub department: String,
    /// Whether the person left the company.
    pub resigned: bool,
    /// Whether the account is frozen.
    pub frozen: bool,
    /// Urgent messages they have not read.
    pub unread_urgent: usize,
}

/// What kind of chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChatKind {
    /// A group.
    Group,
    /// A topic group: each message opens a topic.
    Topic,
    /// The direct chat of one person with the bot.
    Direct,
}

/// A chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chat {
    /// `oc_…`
    pub id: String,
    /// Name; empty for direct chats.
    pub name: String,
    /// What kind.
    pub kind: ChatKind,
    /// Open ids of the people in it.
    pub members: BTreeSet<String>,
    /// Whether the bot is in it.
    pub has_bot: bool,
    /// Whether people of other companies may be in it.
    pub external: bool,
    /// Whether it was dissolved.
    pub dissolved: bool,
    /// Whether nobody but the owner may write.
    pub muted: bool,
    /// Whether the bot may mention everyone.
    pub may_mention_all: bool,
    /// Whether the bot may send urgent messages.
    pub may_urge: bool,
    /// The number of its creation: lists are in this order.
    pub number: u64,
}

/// Everyone and every chat.
#[derive(Clone, Debug, Default)]
pub(crate) struct Directory {
    pub(crate) people: BTreeMap<String, Person>,
    pub(crate) chats: BTreeMap<String, Chat>,
    numbered: u64,
}

impl Directory {
    /// Adds or replaces a person.
    pub(crate) fn add_person(&mut self, person: Person) {
        self.people.insert(person.open_id.clone(), person);
    }

    /// Adds a chat with the bot in it.
    pub(crate) fn add_chat(&mut self, id: &str, name: &str, kind: ChatKind) {
        self.numbered += 1;
        let chat = Chat {
            id: id.to_string(),
            name: name.to_string(),
            kind,
            members: BTreeSet::new(),
            has_bot: true,
            external: false,
            dissolved: false,
            muted: false,
            may_mention_all: true,
            may_urge: true,
            number: self.numbered,
        };
        self.chats.insert(id.to_string(), chat);
    }

    /// The direct chat of a person with the bot, opened if there was none.
    pub(crate) fn direct_chat(&mut self, open_id: &str) -> String {
        let id = format!("oc_direct_{}", open_id.trim_start_matches("ou_"));
        if !self.chats.contains_key(&id) {
            self.add_chat(&id, "", ChatKind::Direct);
            if let Some(chat) = self.chats.get_mut(&id) {
                chat.members.insert(open_id.to_string());
            }
        }
        id
    }

    /// The person with that id of that kind (`open_id`, `union_id`, `user_id`, `email`).
    pub(crate) fn find(&self, kind: &str, id: &str) -> Option<&Person> {
        self.people.values().find(|person| {
            !id.is_empty()
                && match kind {
                    "open_id" => person.open_id == id,
                    "union_id" => person.union_id == id,
                    "user_id" => person.user_id == id,
                    "email" => person.email == id,
                    _ => false,
                }
        })
    }
}
