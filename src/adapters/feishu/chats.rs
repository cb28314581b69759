//! Chats, members, people and the bot itself: what the set-up, the doctor and access checks ask
//! (`facts/feishu.md §3.6, §9`).

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    adapters::feishu::{
        client::{Call, Client},
        error::{Advice, Endpoint, Error},
        wire,
    },
    domain::id::{ChatId, OpenId},
};

/// Items in one page, the platform's limit.
const PAGE_SIZE: usize = 100;

/// Pages read of any one list.
pub const LIST_PAGES_MAX: usize = 200;

/// Addresses in one question for open ids, the platform's limit for each kind.
const USER_IDS_MAX: usize = 50;

/// A chat the bot is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chat {
    /// Its id.
    pub id: ChatId,
    /// Its name; may be empty.
    pub name: String,
    /// Its description; may be empty.
    pub description: String,
    /// Whether people of other tenants are in it.
    pub external: bool,
}

/// What one chat is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatDetail {
    /// Its name; may be empty.
    pub name: String,
    /// What kind it is.
    pub mode: ChatMode,
    /// Whether people of other tenants are in it.
    pub external: bool,
    /// Whether it is still there.
    pub dissolved: bool,
}

/// What kind of chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChatMode {
    /// An ordinary group: replies quote.
    Group,
    /// A topic group: replies go into the topic.
    Topic,
    /// A chat of one person with the bot.
    Direct,
    /// A word no page lists.
    Other(String),
}

/// The app's bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bot {
    /// Its open id.
    pub open_id: OpenId,
    /// Its name.
    pub name: String,
}

/// A person asked for by address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserFound {
    /// The email or mobile, as asked.
    pub asked: String,
    /// The open id; nothing when the app sees nobody there.
    pub open_id: Option<OpenId>,
}

#[derive(Deserialize)]
struct List {
    items: Option<Vec<Value>>,
    #[serde(default)]
    has_more: bool,
    page_token: Option<String>,
}

impl Client {
    /// Every group the bot is in; direct chats are not listed.
    pub async fn chats(&self) -> Result<Vec<Chat>, Error> {
        let items = self.all_pages(Endpoint::Chats, &["im", "v1", "chats"], Vec::new()).await?;
        Ok(items.iter().filter_map(chat).collect())
    }

    /// One chat.
    pub async fn chat(&self, id: &ChatId) -> Result<ChatDetail, Error> {
        let data: Value =
            self.call(&Call::get(Endpoint::Chat, &["im", "v1", "chats", id.as_str()]), |body| object(body)).await?;
        let topic = text(&data, "group_message_type") == "thread";
        let mode = match text(&data, "chat_mode") {
            "topic" => ChatMode::Topic,
            "group" | "" if topic => ChatMode::Topic,
            "group" | "" => ChatMode::Group,
            "p2p" => ChatMode::Direct,
            other => ChatMode::Other(wire::tidy(other, 40)),
        };
        Ok(ChatDetail {
            name: text(&data, "name").to_owned(),
            mode,
            external: flag(&data, "external"),
            dissolved: text(&data, "chat_status").starts_with("dissolved"),
        })
    }

    /// The people in a chat; bots are not listed.
    pub async fn members(&self, id: &ChatId) -> Result<Vec<OpenId>, Error> {
        let path = ["im", "v1", "chats", id.as_str(), "members"];
        let query = vec![("member_id_type", "open_id".to_owned())];
        let items = self.all_pages(Endpoint::Members, &path, query).await?;
        let ids = items.iter().map(|item| text(item, "member_id")).filter(|id| !id.is_empty());
        Ok(ids.map(OpenId::from).collect())
    }

    /// The bot itself. Its body is flat (`facts/feishu.md §3.6`).
    pub async fn bot(&self) -> Result<Bot, Error> {
        self.call(&Call::get(Endpoint::Bot, &["bot", "v3", "info"]), |body| {
            let answer: Value = serde_json::from_slice(body).ok()?;
            if wire::code_of(&answer)? != 0 {
                return None;
            }
            let bot = answer.get("bot").or_else(|| answer.pointer("/data/bot"))?;
            let open_id = text(bot, "open_id");
            let name = text(bot, "app_name").to_owned();
            (!open_id.is_empty()).then(|| Bot { open_id: open_id.into(), name })
        })
        .await
    }

    /// Open ids by email, in the order asked.
    pub async fn users_by_email(&self, emails: &[String]) -> Result<Vec<UserFound>, Error> {
        self.user_ids("emails", "email", emails).await
    }

    /// Open ids by mobile (`+<country code>` outside the mainland), in the order asked.
    pub async fn users_by_mobile(&self, mobiles: &[String]) -> Result<Vec<UserFound>, Error> {
        self.user_ids("mobiles", "mobile", mobiles).await
    }

    async fn user_ids(&self, list: &str, key: &str, asked: &[String]) -> Result<Vec<UserFound>, Error> {
        let mut found = Vec::with_capacity(asked.len());
        for part in asked.chunks(USER_IDS_MAX) {
            let body = json!({ list: part, "include_resigned": false }).to_string();
            let path = ["contact", "v3", "users", "batch_get_id"];
            let mut call = Call::with_body(Endpoint::UserIds, Method::POST, &path, body);
            call.query = vec![("user_id_type", "open_id".to_owned())];
            let data = self.call(&call, |body| object(body)).await?;
            let users = data.get("user_list").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            found.extend(part.iter().map(|address| {
                let user = users.iter().find(|user| text(user, key).eq_ignore_ascii_case(address));
                let open_id = user.map(|user| text(user, "user_id")).filter(|id| !id.is_empty());
                UserFound { asked: address.clone(), open_id: open_id.map(OpenId::from) }
            }));
        }
        Ok(found)
    }

    pub(super) async fn all_pages(
        &self,
        endpoint: Endpoint,
        path: &[&str],
        query: Vec<(&'static str, String)>,
    ) -> Result<Vec<Value>, Error> {
        let mut all = Vec::new();
        let mut page_token: Option<String> = None;
        for _ in 0..LIST_PAGES_MAX {
            let mut call = Call::get(endpoint, path);
            call.query.clone_from(&query);
            call.query.push(("page_size", PAGE_SIZE.to_string()));
            call.query.extend(page_token.take().map(|token| ("page_token", token)));
            let page: List = self.call(&call, |body| wire::data(body)).await?;
            all.extend(page.items.unwrap_or_default());
            page_token = page.page_token.filter(|token| page.has_more && !token.is_empty());
            if page_token.is_none() {
                return Ok(all);
            }
        }
        Err(Error::local(endpoint, Advice::GiveUp, format!("the list has more than {LIST_PAGES_MAX} pages")))
    }
}

fn chat(item: &Value) -> Option<Chat> {
    let id = text(item, "chat_id");
    (!id.is_empty()).then(|| Chat {
        id: id.into(),
        name: text(item, "name").to_owned(),
        description: text(item, "description").to_owned(),
        external: flag(item, "external"),
    })
}

pub(super) fn object(body: &[u8]) -> Option<Value> {
    wire::data(body).filter(Value::is_object)
}

pub(super) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or_default()
}
