//! What the Feishu adapter needs of the configuration: the app, a helpdesk's keys, a custom bot's address.

use std::{fmt, net::IpAddr};

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use crate::domain::{desk::settings::Limits, plan::Plan, text::Message};

/// Where the API is when nothing else is written (China; `https://open.larksuite.com` elsewhere).
pub const BASE_URL_DEFAULT: &str = "https://open.feishu.cn";

/// `feishu:` of the configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the API is.
    pub base_url: BaseUrl,
    /// The app (`cli_…`).
    pub app_id: String,
    /// Its secret.
    pub app_secret: SecretString,
    /// How many calls a month there are.
    pub plan: Plan,
    /// How events arrive.
    pub events: Events,
    /// How fast may be sent.
    pub limits: Limits,
}

/// `feishu.events` of the configuration.
#[derive(Clone, Debug, Default)]
pub struct Events {
    /// Whether the platform posts to `/feishu/events`.
    pub http: bool,
    /// What every event carries (console, Events and callbacks, Encryption strategy).
    pub verification_token: Option<SecretString>,
    /// What events are encrypted and signed with.
    pub encrypt_key: Option<SecretString>,
}

/// The keys of one helpdesk (`facts/feishu.md §2.1`).
#[derive(Clone, Debug)]
pub struct HelpdeskConfig {
    /// The helpdesk's id.
    pub helpdesk_id: String,
    /// Its token (`ht-…`).
    pub helpdesk_token: SecretString,
}

/// A custom bot of one group (`facts/feishu.md §4`).
#[derive(Clone, Debug)]
pub struct WebhookConfig {
    /// Its address: whoever knows it can post.
    pub url: SecretString,
    /// What its signature is made with, where the group demands one.
    pub secret: Option<SecretString>,
}

/// An address of the platform: https, or plain http on loopback; without user, query and fragment.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// Checks and takes an address.
    pub fn parse(text: &str) -> Result<Self, Message> {
        let url = checked_url(text)?;
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
            return Err(Message::new(
                "base_url 只写协议和主机，例如 https://open.feishu.cn",
                "base_url is scheme and host only, for example https://open.feishu.cn",
            ));
        }
        Ok(Self(url))
    }

    /// The address of a path below it; each segment is escaped.
    pub(super) fn join(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl WebhookConfig {
    /// Checks the address: https, or plain http on loopback.
    pub fn check(&self) -> Result<(), Message> {
        checked_url(self.url.expose_secret()).map(|_| ())
    }
}

/// An http(s) address that does not send secrets in the clear. The message never repeats the address.
fn checked_url(text: &str) -> Result<Url, Message> {
    let url = Url::parse(text.trim()).ok().filter(|url| url.has_host()).ok_or_else(|| {
        Message::new("地址应形如 https://open.feishu.cn", "an address looks like https://open.feishu.cn")
    })?;
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let loopback = host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match url.scheme() {
        "https" => Ok(url),
        "http" if loopback => Ok(url),
        _ => Err(Message::new(
            "地址必须是 https://（只有本机回环地址可以用 http://），否则密钥会以明文发送",
            "an address must be https:// (plain http:// only on loopback), or secrets would travel in the clear",
        )),
    }
}
