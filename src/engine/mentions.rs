//! Before a send: who its people are. Those in the chat are mentioned, the others named; and a person without an open id
//! cannot be written to by mobile or called.

use crate::{
    domain::{
        card::{Card, Mentioned},
        delivery::{Failure, FailureKind},
        id::{ChatId, OpenId},
        mask::{mask, mask_markdown},
        notice::{Send, Target},
        receiver::{PersonId, ReceiverKind},
        text::{Locale, Message},
        time::Span,
    },
    engine::{
        delivery::{Delivery, failure},
        directory::Found,
    },
};

/// How long the directory may take before a send goes without it.
pub const DIRECTORY_TIME_MAX: Span = Span::from_secs(5);

/// What the directory said of a send's people.
pub(super) struct Asked {
    /// Whom its card mentions or names.
    pub(super) mentions: Vec<Mentioned>,
    /// Who is not in the chat.
    pub(super) absent: Vec<PersonId>,
    /// Whom it goes to, where that takes an open id.
    pub(super) addressee: Result<Option<OpenId>, Failure>,
    /// What operations must set right.
    pub(super) trouble: Option<Message>,
}

impl Asked {
    /// The directory did not answer in time.
    pub(super) fn in_vain(delivery: &Delivery, send: &Send) -> Self {
        let unreached = || {
            failure(
                FailureKind::Unreachable,
                "规定时间内没有查到这个人的 open_id",
                "the person's open id could not be looked up in time",
            )
        };
        Self {
            mentions: send.mentions.iter().map(|person| Mentioned::Named(person.as_str().to_owned())).collect(),
            absent: send.mentions.iter().filter(|person| is_email(person)).cloned().collect(),
            addressee: delivery.to_be_found(send).map_or(Ok(None), |_| Err(unreached())),
            trouble: None,
        }
    }
}

/// A person the directory has no answer for is reached by email all the same.
const fn is_email(person: &PersonId) -> bool {
    matches!(person, PersonId::Email(_))
}

impl Delivery {
    /// Asks who a send's people are.
    pub(super) async fn people_of(&self, send: &Send) -> Asked {
        let addressee = match self.to_be_found(send) {
            None => Ok(None),
            Some(person) => self.open_id(&person).await.map(Some),
        };
        let mut asked = Asked { mentions: Vec::new(), absent: Vec::new(), addressee, trouble: None };
        if send.mentions.is_empty() {
            return asked;
        }
        let found = self.directory.find(&send.mentions).await;
        let chat = self.chat_of(&send.key).filter(|_| !send.without_mentions);
        for person in &send.mentions {
            match (found.get(person), &chat) {
                (Some(Found::There(id)), Some(chat)) => self.mention(send.locale, chat, person, id, &mut asked).await,
                (Some(Found::There(id)), None) => {
                    let name = self.directory.name(id);
                    let name = name.map_or_else(|| person.as_str().to_owned(), |name| name.to_string());
                    asked.mentions.push(Mentioned::Named(name));
                }
                (Some(Found::Nobody), _) => {
                    asked.mentions.push(Mentioned::Named(person.as_str().to_owned()));
                    asked.trouble = Some(unknown(person));
                }
                (Some(Found::Unknown) | None, chat) => {
                    asked.mentions.push(Mentioned::Named(person.as_str().to_owned()));
                    asked.absent.extend(Some(person.clone()).filter(|person| chat.is_some() && is_email(person)));
                }
            }
        }
        asked
    }

    async fn mention(&self, locale: Locale, chat: &ChatId, person: &PersonId, id: &OpenId, asked: &mut Asked) {
        // Where nobody can tell, the mention is tried: what is refused goes again without.
        if self.directory.is_member(chat, id).await.unwrap_or(true) {
            return asked.mentions.push(Mentioned::There(id.clone()));
        }
        let name = self.directory.name(id);
        let name = name.map_or_else(|| person.as_str().to_owned(), |name| name.to_string());
        asked.mentions.push(Mentioned::Named(match locale {
            Locale::Zh => format!("{name}（不在群里，已单独通知）"),
            Locale::En => format!("{name} (not in this chat, told directly)"),
        }));
        asked.absent.push(person.clone());
    }

    /// The person whose open id the send's target takes.
    fn to_be_found(&self, send: &Send) -> Option<PersonId> {
        match &send.target {
            Target::Urge(_, _, person) => Some(person.clone()),
            Target::Post(name) => match self.kind_of(name) {
                Some(ReceiverKind::Person(person @ PersonId::Mobile(_))) => Some(person),
                _ => None,
            },
            Target::Reply(_) | Target::Patch(_) => None,
        }
    }

    async fn open_id(&self, person: &PersonId) -> Result<OpenId, Failure> {
        match self.directory.find(std::slice::from_ref(person)).await.remove(person) {
            Some(Found::There(id)) => Ok(id),
            Some(Found::Nobody) => {
                let Message { zh, en } = unknown(person);
                Err(failure(FailureKind::Setup, zh, en))
            }
            Some(Found::Unknown) | None => Err(failure(
                FailureKind::Unreachable,
                format!("现在查不到 {} 的 open_id，会重试", person.as_str()),
                format!("the open id of {} cannot be looked up now; it is tried again", person.as_str()),
            )),
        }
    }
}

fn unknown(person: &PersonId) -> Message {
    let person = person.as_str();
    Message::new(
        format!(
            "通讯录里查不到 {person}：可能已离职、写错了，或不在应用的通讯录权限范围内。请核对配置和规则，或在开发者后台扩大通讯录范围"
        ),
        format!(
            "the directory knows nobody under {person}: they may have left, the address may be wrong, or outside the \
             app's contact range. Check configuration and rules, or widen the range in the developer console"
        ),
    )
}

/// The card with everything personal in its words masked.
pub(super) fn masked(card: Card) -> Card {
    let name = |mentioned: Mentioned| match mentioned {
        Mentioned::Named(name) => Mentioned::Named(mask(&name)),
        there @ Mentioned::There(_) => there,
    };
    Card {
        title: mask(&card.title),
        tags: card.tags.iter().map(|tag| mask(tag)).collect(),
        body: mask_markdown(&card.body),
        footer: mask(&card.footer),
        mentions: card.mentions.into_iter().map(name).collect(),
        ..card
    }
}
