//! Who is who: open ids behind emails and mobiles, the names of a chat's members (`facts/feishu.md §3.6, §9`).

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    adapters::feishu::{
        chats::{object, text},
        client::{Call, Client},
        error::{Advice, Endpoint, Error},
        wire,
    },
    domain::{
        id::{ChatId, MessageId, OpenId},
        people::Standing,
        receiver::PersonId,
        rule::Urgent,
    },
};

/// Addresses of each kind in one question, the platform's limit.
pub const ADDRESSES_MAX: usize = 50;

/// What the platform said of one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonFound {
    /// As asked.
    pub person: PersonId,
    /// Their open id; absent where the app sees nobody there.
    pub open_id: Option<OpenId>,
    /// Whether they can be reached.
    pub standing: Standing,
}

impl Client {
    /// Who stands behind emails and mobiles, resigned people included, in the order asked; open ids are passed over.
    /// One call for up to fifty of each.
    pub async fn people(&self, asked: &[PersonId]) -> Result<Vec<PersonFound>, Error> {
        let emails: Vec<&PersonId> = asked.iter().filter(|person| matches!(person, PersonId::Email(_))).collect();
        let mobiles: Vec<&PersonId> = asked.iter().filter(|person| matches!(person, PersonId::Mobile(_))).collect();
        let mut found = Vec::with_capacity(asked.len());
        let parts = emails.chunks(ADDRESSES_MAX).count().max(mobiles.chunks(ADDRESSES_MAX).count());
        for part in 0..parts {
            let emails = emails.chunks(ADDRESSES_MAX).nth(part).unwrap_or_default();
            let mobiles = mobiles.chunks(ADDRESSES_MAX).nth(part).unwrap_or_default();
            self.ask_people(emails, mobiles, &mut found).await?;
        }
        Ok(found)
    }

    async fn ask_people(
        &self,
        emails: &[&PersonId],
        mobiles: &[&PersonId],
        found: &mut Vec<PersonFound>,
    ) -> Result<(), Error> {
        let texts = |people: &[&PersonId]| people.iter().map(|person| person.as_str().to_owned()).collect::<Vec<_>>();
        let mut body = json!({ "include_resigned": true });
        if !emails.is_empty() {
            body["emails"] = json!(texts(emails));
        }
        if !mobiles.is_empty() {
            body["mobiles"] = json!(texts(mobiles));
        }
        let path = ["contact", "v3", "users", "batch_get_id"];
        let mut call = Call::with_body(Endpoint::UserIds, Method::POST, &path, body.to_string());
        call.query = vec![("user_id_type", "open_id".to_owned())];
        let data = self.call(&call, |body| object(body)).await?;
        let users = data.get("user_list").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for (people, key) in [(emails, "email"), (mobiles, "mobile")] {
            found.extend(people.iter().map(|person| {
                let user = users.iter().find(|user| text(user, key).eq_ignore_ascii_case(person.as_str()));
                let open_id = user.map(|user| text(user, "user_id")).filter(|id| !id.is_empty()).map(OpenId::from);
                let standing = user.filter(|_| open_id.is_some()).map_or(Standing::Missing, standing);
                PersonFound { person: (*person).clone(), open_id, standing }
            }));
        }
        Ok(())
    }

    /// Calls a person up about a message of the bot: in the app, by SMS, by phone. Has no key: a repeat calls again.
    pub async fn urge(&self, message: &MessageId, how: Urgent, person: &OpenId) -> Result<(), Error> {
        let (endpoint, word) = match how {
            Urgent::App => (Endpoint::UrgentApp, "urgent_app"),
            Urgent::Sms => (Endpoint::UrgentSms, "urgent_sms"),
            Urgent::Phone => (Endpoint::UrgentPhone, "urgent_phone"),
        };
        let path = ["im", "v1", "messages", message.as_str(), word];
        let body = json!({ "user_id_list": [person.as_str()] }).to_string();
        let mut call = Call::with_body(endpoint, Method::PATCH, &path, body);
        call.query = vec![("user_id_type", "open_id".to_owned())];
        let refused = self
            .call(&call, |body| {
                let answer: Value = serde_json::from_slice(body).ok()?;
                let invalid = answer.pointer("/data/invalid_user_id_list").and_then(Value::as_array);
                (wire::code_of(&answer)? == 0).then(|| invalid.is_some_and(|list| !list.is_empty()))
            })
            .await?;
        if refused {
            let said = "the person is not in the chat of the message";
            return Err(Error::local(endpoint, Advice::GiveUp, said));
        }
        Ok(())
    }

    /// The people in a chat with their names, which may be empty; bots are not listed.
    pub async fn members_named(&self, id: &ChatId) -> Result<Vec<(OpenId, String)>, Error> {
        let path = ["im", "v1", "chats", id.as_str(), "members"];
        let query = vec![("member_id_type", "open_id".to_owned())];
        let items = self.all_pages(Endpoint::Members, &path, query).await?;
        let member = |item: &Value| {
            let id = text(item, "member_id");
            (!id.is_empty()).then(|| (OpenId::from(id), text(item, "name").to_owned()))
        };
        Ok(items.iter().filter_map(member).collect())
    }
}

fn standing(user: &Value) -> Standing {
    let is = |flag: &str| user.pointer(&format!("/status/{flag}")).and_then(Value::as_bool).unwrap_or_default();
    if is("is_resigned") || is("is_exited") {
        Standing::Resigned
    } else if is("is_frozen") {
        Standing::Frozen
    } else {
        Standing::Active
    }
}
