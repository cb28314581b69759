//! Where a connection leads: asked for anew each time, used once, never shown (`facts/feishu.md §6.1`).

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::adapters::{
    feishu::{
        client::{Client, Exchange},
        error::{Advice, Endpoint, Error},
        long_connection::settings::Settings,
        wire,
    },
    http,
};

/// Characters of a connection's name in logs.
const DEVICE_CHARS_MAX: usize = 64;

/// Where a connection leads. Whoever knows it can take the app's events.
#[derive(Clone, Debug)]
pub struct Address {
    /// The whole of it: a ticket and a key stand in it.
    pub(super) url: SecretString,
    /// The service pings name.
    pub service: i32,
    /// The connection's name, for logs and the platform's support.
    pub device: String,
    /// How the platform wants it kept, where it said so.
    pub(super) config: Value,
}

impl Address {
    /// Reads the answer of the platform; the message says what is wrong with it and shows nothing of it.
    pub(super) fn read(data: &Value) -> Result<Self, &'static str> {
        let text = data.get("URL").and_then(Value::as_str).ok_or("the answer has no address")?;
        let url = Url::parse(text).ok().filter(Url::has_host).ok_or("the address is none")?;
        match url.scheme() {
            "wss" => {}
            "ws" if http::is_loopback(&url) => {}
            _ => return Err("the address is not encrypted"),
        }
        let query = |key: &str| url.query_pairs().find(|(name, _)| name == key).map(|(_, value)| value.into_owned());
        let service = query("service_id").and_then(|id| id.parse().ok()).ok_or("the address names no service")?;
        let device = wire::tidy(&query("device_id").unwrap_or_default(), DEVICE_CHARS_MAX);
        let config = data.get("ClientConfig").cloned().unwrap_or_default();
        Ok(Self { url: SecretString::from(text.to_owned()), service, device, config })
    }

    /// These settings with what the platform said along with the address.
    pub fn settings(&self, before: Settings) -> Settings {
        before.with(&self.config)
    }

    /// What must not come back in an error: the address, and what opens it.
    pub(super) fn secrets(&self) -> Vec<SecretString> {
        let query = self.parsed().map(|url| {
            let values = url.query_pairs().filter(|(name, _)| matches!(&**name, "access_key" | "ticket"));
            values.map(|(_, value)| SecretString::from(value.into_owned())).collect()
        });
        let mut secrets: Vec<SecretString> = query.unwrap_or_default();
        secrets.insert(0, self.url.clone());
        secrets
    }

    /// The address to dial; it was checked when it was read.
    pub(super) fn parsed(&self) -> Option<Url> {
        Url::parse(self.url.expose_secret()).ok()
    }
}

impl Client {
    /// Asks where a connection for this app leads. Not one of the month's calls.
    ///
    /// # Errors
    /// What the platform says: wrong credentials, too many connections, or nothing usable.
    pub async fn long_connection(&self) -> Result<Address, Error> {
        let (app_id, secret) = self.tokens().credentials();
        // The keys are capitalised (`facts/feishu.md §6.1`); others are refused with 514.
        let body = json!({ "AppID": app_id, "AppSecret": secret.expose_secret() });
        let request = self.http().post(self.url(&["callback", "ws", "endpoint"])).header("locale", "zh");
        let exchange = Exchange {
            endpoint: Endpoint::LongConnection,
            request: request.body(body.to_string()),
            secrets: &[secret],
        };
        let data: Value = exchange.run(|body| wire::data(body).filter(Value::is_object)).await?;
        Address::read(&data).map_err(|said| Error::local(Endpoint::LongConnection, Advice::Retry, said))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(url: &str) -> Value {
        json!({ "URL": url, "ClientConfig": { "PingInterval": 90 } })
    }

    #[test]
    fn an_address_is_read_and_never_shown() {
        let url = "wss://msg-frontier.feishu.cn/ws/v2?fpid=493&device_id=7631&access_key=k-key-k-key&service_id=33554678&\
                   ticket=t-ticket-t";
        let address = Address::read(&data(url)).unwrap();
        assert_eq!((address.service, address.device.as_str()), (33_554_678, "7631"));
        assert_eq!(address.settings(Settings::default()).ping_every.as_secs(), 90);
        assert_eq!(address.parsed().unwrap().as_str(), url);
        let shown = format!("{address:?}");
        assert!(
            !shown.contains("k-key-k-key") && !shown.contains("t-ticket-t") && !shown.contains("msg-frontier"),
            "{shown}"
        );
    }

    #[test]
    fn an_address_that_cannot_be_used_is_refused_without_showing_it() {
        let cases = [
            (json!({}), "no address"),
            (json!({ "URL": 7 }), "no address"),
            (data(""), "is none"),
            (data("ws://far.example/ws?service_id=1&ticket=t-ticket-t"), "not encrypted"),
            (data("https://far.example/ws?service_id=1&ticket=t-ticket-t"), "not encrypted"),
            (data("wss://far.example/ws?ticket=t-ticket-t"), "no service"),
            (data("wss://far.example/ws?service_id=99999999999&ticket=t-ticket-t"), "no service"),
        ];
        for (data, part) in cases {
            let said = Address::read(&data).unwrap_err();
            assert!(said.contains(part) && !said.contains("t-ticket-t"), "{data}: {said}");
        }
        for url in ["ws://127.0.0.1:1/ws?service_id=1", "ws://localhost/ws?service_id=1", "ws://[::1]/?service_id=1"] {
            assert!(Address::read(&data(url)).is_ok(), "{url}");
        }
    }
}
